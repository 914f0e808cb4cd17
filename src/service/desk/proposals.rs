//! Four eyes: what one account proposes and another approves, and having it done.
//!
//! The whole text is in the journal before anybody can approve it, and so is the approval before
//! anything is done. What it would do is worked out anew when it is approved: if more or other
//! people would lose something by then, it has to be proposed again.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::effect::seats::{INTERVAL_LEAD_S, answer_until, closed, intervals};
use super::effect::{Effect, effect};
use super::split::{self, Step};
use super::{Allowed, DeskRefused, actor, slot_range};
use crate::crypto::sha256;
use crate::domain::agency::Agency;
use crate::domain::booking::relocation::{Cause, Prefer, Unanswered};
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Actor, Change, Role};
use crate::domain::ids::CampaignId;
use crate::domain::ids::SlotIndex;
use crate::domain::line::Notice;
use crate::domain::staff::Account;
use crate::domain::staff::proposal::{
    Asking, ClosePlan, Decision, PART_BYTES, Proposal, ProposalFault, Proposed, SlotRange,
    TEXT_BYTES_MAX, is_reason,
};
use crate::domain::time::Stamp;
use crate::engine::command::{Begin, Command, Operated, Operation, Outcome};
use crate::engine::import;
use crate::engine::shared::Offer;
use crate::files::{Encoding, sites, slots};
use crate::service::Service;

/// Parts of a text that go into one commit: a quarter of a mebibyte.
const PARTS_AT_ONCE: usize = 8;
/// How long an activation waits for the gates to be ready for it.
const KEEPER_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// Why a proposal is not made or decided, beside what refuses everybody.
impl From<ProposalFault> for DeskRefused {
    fn from(fault: ProposalFault) -> Self {
        match fault {
            ProposalFault::Unknown(_) => Self::NotFound,
            ProposalFault::SameEyes => Self::SameEyes,
            ProposalFault::Typed { expected } => Self::Typed { expected },
            ProposalFault::Role(_) | ProposalFault::NoAccount => Self::NotYours,
            other => Self::Impossible(other.to_string()),
        }
    }
}

/// Runs what takes long beside what serves people.
pub(super) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Allowed<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| DeskRefused::OutcomeUnknown)
}

impl Service {
    /// What a proposal would do, without proposing it.
    pub async fn effect(self: &Arc<Self>, what: Proposal, text: String) -> Allowed<Effect> {
        let service = Arc::clone(self);
        let now = self.clock.now();
        beside(move || effect(&service, &what, &text, now)).await
    }

    /// Proposes: its number, and what it would do. Nothing is proposed that can't be done.
    pub async fn propose(
        self: &Arc<Self>,
        by: &Account,
        what: Proposal,
        text: String,
        reason: &str,
        due: Option<Stamp>,
    ) -> Allowed<(u32, Effect)> {
        if due.is_some_and(|due| due <= self.clock.now()) {
            let why = "the instant at which it is to be done is over";
            return Err(DeskRefused::Impossible(why.to_owned()));
        }
        if due.is_some() && matches!(what, Proposal::Split { .. }) {
            let why = "a split has instants of its own";
            return Err(DeskRefused::Impossible(why.to_owned()));
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(ProposalFault::TooLong.into());
        }
        if !is_reason(reason) {
            return Err(ProposalFault::Reason.into());
        }
        // One at a time: the parts of two would mix.
        let _one = self.desk.proposing.lock().await;
        let effect = self.effect(what.clone(), text.clone()).await?;
        let is_within = self.is_within(by, &what, &effect);
        if !effect.faults.is_empty() && (is_within || effect.sites.is_none()) {
            return Err(DeskRefused::Faults(effect.faults));
        }
        if !is_within {
            return Err(DeskRefused::NotYours);
        }
        let proposal = self.staff().next_proposal();
        let parts = parts_of(&text);
        let count = parts.len() as u32;
        let mut changes: Vec<Change> = Vec::new();
        for (part, text) in (0..).zip(parts) {
            let text = text.to_owned();
            changes.push(Change::ProposalPart {
                proposal,
                part,
                text,
            });
            if changes.len() == PARTS_AT_ONCE {
                let changes = std::mem::take(&mut changes);
                self.change_staff(actor(by), changes).await?;
            }
        }
        changes.push(Change::Proposed {
            proposal,
            parts: count,
            sha256: sha256(text.as_bytes()),
            what: Box::new(what),
            reason: reason.trim().to_owned(),
            takes: effect.takes,
        });
        changes.extend(due.map(|due| Change::ProposalScheduled { proposal, due }));
        self.change_staff(actor(by), changes).await?;
        Ok((proposal, effect))
    }

    /// Whether an account may have this done: a site's people only to its slots, and others within
    /// their bounds.
    pub(super) fn is_within(&self, by: &Account, what: &Proposal, effect: &Effect) -> bool {
        let is_of_slots = matches!(
            what,
            Proposal::Close { .. } | Proposal::Reopen { .. } | Proposal::Slots { .. }
        );
        if by.role == Role::Site && !is_of_slots {
            return false;
        }
        if by.bounds.has_all_of(&effect.campaign) {
            return true;
        }
        let offers = self.shared.offers().clone();
        let known = offers
            .iter()
            .find(|offer| offer.catalog.campaign.id.as_str() == effect.campaign);
        let has = |id: &String| {
            let site = known.and_then(|offer| offer.catalog.site(id));
            site.is_some_and(|(_, site)| by.bounds.has_site(id, &site.row.region))
        };
        let sites = effect.sites.as_deref().unwrap_or_default();
        by.bounds.has_campaign(&effect.campaign) && !sites.is_empty() && sites.iter().all(has)
    }

    /// Whether something else of its kind came into force since it was proposed.
    fn is_stale(&self, proposed: &Proposed, campaign: &str) -> bool {
        let offers = self.shared.offers().clone();
        let known = offers
            .iter()
            .find(|offer| offer.catalog.campaign.id.as_str() == campaign);
        let since = known.and_then(|offer| match proposed.what {
            Proposal::Campaign => {
                let newest = offer.catalog.versions.last();
                newest.map(|version| version.activated_at)
            }
            Proposal::Agency { .. } => offer.agency.as_ref().map(|agency| agency.activated_at),
            Proposal::Sites { .. }
            | Proposal::Slots { .. }
            | Proposal::Gate { .. }
            | Proposal::Close { .. }
            | Proposal::Reopen { .. }
            | Proposal::Split { .. } => None,
        });
        since.is_some_and(|since| proposed.at < since)
    }

    /// Decides on a proposal. An approved one is done before this answers: what came of it, in
    /// words. `typed` is how many people lose something by it, as the approver typed it.
    pub async fn decide(
        self: &Arc<Self>,
        by: &Account,
        number: u32,
        decision: Decision,
        typed: u64,
        reason: &str,
        seen: Option<&str>,
    ) -> Allowed<Option<String>> {
        if decision != Decision::Approved && !is_reason(reason) {
            return Err(ProposalFault::Reason.into());
        }
        // Two approvals at the same time are one and a refusal.
        let _one = self.desk.proposing.lock().await;
        let staff = self.staff();
        staff.may_decide_proposal(&actor(by), number, decision, typed)?;
        let known = staff.proposals.get(&number);
        let known = known.ok_or(DeskRefused::NotFound)?.clone();
        if !self.reads_proposal(by, number, &known) {
            return Err(DeskRefused::NotFound);
        }
        if decision == Decision::Approved {
            if known.due.is_some_and(|due| due <= self.clock.now()) {
                let why = "the instant at which it was to be done is over: decline it, and have it \
                           proposed again";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
            let (what, text) = (known.what.clone(), known.text.clone());
            let effect = self.effect(what, text).await?;
            if !self.is_within(by, &known.what, &effect) {
                return Err(DeskRefused::NotYours);
            }
            if !effect.faults.is_empty() {
                return Err(DeskRefused::Faults(effect.faults));
            }
            if self.is_stale(&known, &effect.campaign) {
                let why = "another version came into force since it was proposed, and it would be \
                           undone: decline this, and have it proposed again";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
            // The same number can be other people, or other seats.
            if seen.is_some_and(|seen| seen != effect.digest) {
                let why = "what it would do is not any more what you have seen: look at it again";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
            if effect.takes != known.takes {
                return Err(DeskRefused::Changed {
                    then: known.takes,
                    now: effect.takes,
                });
            }
        }
        let decided = Change::ProposalDecided {
            proposal: number,
            decision,
            typed,
            reason: reason.trim().to_owned(),
        };
        self.change_staff(actor(by), vec![decided]).await?;
        if decision != Decision::Approved {
            return Ok(None);
        }
        if known.due.is_some() {
            return Ok(None);
        }
        let came_of_it = self.perform(&actor(by), &known).await;
        let is_split = matches!(known.what, Proposal::Split { .. });
        if let (true, Ok(what)) = (is_split, &came_of_it) {
            // Its steps follow.
            return Ok(Some(what.clone()));
        }
        self.end_proposal(actor(by), number, came_of_it)
            .await
            .map(Some)
    }

    /// Notes what came of a proposal; its words, or why nothing did.
    async fn end_proposal(
        &self,
        by: Actor,
        proposal: u32,
        came_of_it: Result<String, String>,
    ) -> Allowed<String> {
        let done = came_of_it.is_ok();
        let what = came_of_it.unwrap_or_else(|why| why);
        let ended = Change::ProposalEnded {
            proposal,
            done,
            what: what.clone(),
        };
        self.change_staff(by, vec![ended]).await?;
        if done {
            Ok(what)
        } else {
            Err(DeskRefused::Impossible(what))
        }
    }

    /// Calls off what was approved and is not done yet: any account that can propose it can.
    pub async fn call_off(&self, by: &Account, number: u32, reason: &str) -> Allowed<()> {
        if !is_reason(reason) {
            return Err(ProposalFault::Reason.into());
        }
        let _one = self.desk.proposing.lock().await;
        let staff = self.staff();
        let known = staff.proposals.get(&number).ok_or(DeskRefused::NotFound)?;
        if !is_waiting(known) {
            return Err(ProposalFault::NotApproved.into());
        }
        if !self.is_within(by, &known.what, &self.about(known)) {
            return Err(DeskRefused::NotYours);
        }
        let what = format!("called off by {}: {}", by.name, reason.trim());
        let ended = Change::ProposalEnded {
            proposal: number,
            done: false,
            what,
        };
        self.change_staff(actor(by), vec![ended]).await
    }

    /// Which campaign and sites a proposal is about, without all that it does.
    fn about(&self, proposed: &Proposed) -> Effect {
        let (campaign, sites) = match &proposed.what {
            Proposal::Campaign => {
                let parsed = Campaign::parse(&proposed.text);
                let id = parsed.map(|(rules, _)| rules.id.to_string());
                (id.unwrap_or_default(), None)
            }
            Proposal::Close {
                campaign, range, ..
            }
            | Proposal::Reopen { campaign, range }
            | Proposal::Split {
                campaign, range, ..
            } => (campaign.to_string(), Some(range.sites.clone())),
            Proposal::Agency { campaign }
            | Proposal::Sites { campaign }
            | Proposal::Slots { campaign }
            | Proposal::Gate { campaign, .. } => (campaign.to_string(), None),
        };
        Effect {
            campaign,
            sites,
            ..Effect::default()
        }
    }

    /// Does what was approved and has its time by now: one step of each.
    pub async fn do_due(self: &Arc<Self>) -> Allowed<()> {
        let now = self.clock.now();
        let staff = self.staff();
        let is_due = |proposed: &Proposed| next_due(proposed).is_some_and(|due| due <= now);
        let mut due = staff.proposals.iter();
        if !due.any(|(_, proposed)| is_due(proposed)) {
            return Ok(());
        }
        let _one = self.desk.proposing.lock().await;
        let staff = self.staff();
        for (number, proposed) in staff.proposals.iter().filter(|(_, one)| is_due(one)) {
            let approver = proposed.decided.as_ref().map(|decided| decided.by);
            let approver = approver.and_then(|by| staff.accounts.get(&by));
            let by = approver.map_or(Actor::System, actor);
            let came_of_it = self.perform(&by, proposed).await;
            if let Proposal::Split { at, .. } = &proposed.what
                && let Ok(what) = &came_of_it
            {
                let step = proposed.steps + 1;
                let mut changes = vec![Change::ProposalStepDone {
                    proposal: *number,
                    step,
                    what: what.clone(),
                }];
                if step as usize >= at.len() {
                    changes.push(Change::ProposalEnded {
                        proposal: *number,
                        done: true,
                        what: what.clone(),
                    });
                }
                self.change_staff(by, changes).await?;
                continue;
            }
            if let Err(why) = &came_of_it {
                tracing::error!(
                    proposal = number,
                    why,
                    "an approved proposal could not be done"
                );
            }
            let _ = self.end_proposal(by, *number, came_of_it).await;
        }
        Ok(())
    }

    /// Does what was approved; in words what came of it, or why nothing did.
    async fn perform(self: &Arc<Self>, by: &Actor, proposed: &Proposed) -> Result<String, String> {
        let (service, by, proposed) = (Arc::clone(self), by.clone(), proposed.clone());
        let done = beside(move || service.perform_now(&by, &proposed)).await;
        match done {
            Ok(done) => done,
            Err(_) => Err("it stopped in the middle: look at the record".to_owned()),
        }
    }

    fn perform_now(&self, by: &Actor, proposed: &Proposed) -> Result<String, String> {
        let now = self.clock.now();
        match &proposed.what {
            Proposal::Close {
                campaign,
                range,
                plan,
            } => {
                let offer = self.offer_of(campaign)?;
                let slots = slot_range::slots(&offer.catalog, range, now);
                let begin = Begin {
                    cause: Cause::Closure {
                        prefer: plan.prefer,
                    },
                    reason: plan.reason.clone(),
                    until: answer_until(plan, now),
                    unanswered: plan.unanswered,
                };
                self.close(by, &offer, slots, begin, plan.asking)
            }
            Proposal::Reopen { campaign, range } => {
                let offer = self.offer_of(campaign)?;
                let operation = Operation::ReopenSlots {
                    campaign: campaign.clone(),
                    slots: closed(&offer.catalog, range, now),
                };
                let done = self.perform_beside(by, operation)?;
                Ok(in_words(&done))
            }
            Proposal::Split {
                campaign,
                range,
                at,
                rollover,
            } => {
                let offer = self.offer_of(campaign)?;
                // The first is right behind the approval.
                let is_begun = proposed.decided.is_some();
                let step = Step {
                    step: proposed.steps + u32::from(is_begun),
                    steps: at.len() as u32,
                    rollover: *rollover,
                };
                self.open_step(by, &offer, range, step)
            }
            Proposal::Campaign => self.activate(by, proposed, now),
            _ => {
                let done = self.perform_beside(by, self.operation(proposed)?)?;
                Ok(in_words(&done))
            }
        }
    }

    fn offer_of(&self, id: &CampaignId) -> Result<Arc<Offer>, String> {
        let offers = self.shared.offers().clone();
        let known = offers.iter().find(|offer| offer.catalog.campaign.id == *id);
        known
            .cloned()
            .ok_or_else(|| format!("campaign `{id}` is not active"))
    }

    /// Closes slots and does what is planned for their people.
    fn close(
        &self,
        by: &Actor,
        offer: &Offer,
        slots: Vec<SlotIndex>,
        begin: Begin,
        asking: Asking,
    ) -> Result<String, String> {
        let operation = Operation::CloseSlots {
            campaign: offer.catalog.campaign.id.clone(),
            slots,
            begin,
        };
        let done = self.perform_beside(by, operation)?;
        let Operated::SlotsClosed {
            slots,
            relocation: Some(relocation),
        } = done
        else {
            return Err("the slots were not closed".to_owned());
        };
        let people = self.relocate(by, offer.catalog.index, relocation, asking)?;
        let number = relocation.0 + 1;
        Ok(format!(
            "closure {number}: {slots} slots take nobody new; {}",
            people.in_words()
        ))
    }

    /// Closes slots of a site at once, with nothing done for the people who are booked: nothing is
    /// taken from anybody, so one account can.
    pub async fn stop_slots(
        self: &Arc<Self>,
        by: &Account,
        campaign: &str,
        range: SlotRange,
        reason: Notice,
    ) -> Allowed<String> {
        let id = CampaignId::try_from(campaign.to_owned()).map_err(|_| DeskRefused::NotFound)?;
        let offer = self.offer_of(&id).map_err(|_| DeskRefused::NotFound)?;
        let plan = ClosePlan {
            asking: Asking::Telephoned,
            prefer: Prefer::SameSite,
            reason,
            until: self.clock.now(),
            unanswered: Unanswered::Telephoned,
        };
        let what = Proposal::Close {
            campaign: id,
            range: range.clone(),
            plan: plan.clone(),
        };
        let effect = self.effect(what.clone(), String::new()).await?;
        if !effect.faults.is_empty() {
            return Err(DeskRefused::Faults(effect.faults));
        }
        if !self.is_within(by, &what, &effect) {
            return Err(DeskRefused::NotYours);
        }
        let (service, actor) = (Arc::clone(self), actor(by));
        let work = move || {
            let now = service.clock.now();
            let begin = Begin {
                cause: Cause::Closure {
                    prefer: plan.prefer,
                },
                reason: plan.reason.clone(),
                until: answer_until(&plan, now),
                unanswered: plan.unanswered,
            };
            let slots = slot_range::slots(&offer.catalog, &range, now);
            service.close(&actor, &offer, slots, begin, plan.asking)
        };
        beside(work).await?.map_err(DeskRefused::Impossible)
    }

    /// Seats of a split that one step opens.
    fn open_step(
        &self,
        by: &Actor,
        offer: &Offer,
        range: &SlotRange,
        step: Step,
    ) -> Result<String, String> {
        let now = self.clock.now();
        let slots = slot_range::slots(&offer.catalog, range, now);
        let campaign = self.snapshot(offer.catalog.index);
        let campaign = campaign.map_err(|_| "the campaign is gone")?;
        let (rows, open) = split::rows(&campaign, &slots, step);
        let told = format!(
            "step {} of {}: {open} public seats are open",
            step.step, step.steps
        );
        if rows.is_empty() {
            return Ok(told);
        }
        let operation = Operation::ImportSlots {
            campaign: offer.catalog.campaign.id.clone(),
            version: Some(offer.catalog.version()),
            rows,
            now,
        };
        self.perform_beside(by, operation)?;
        Ok(told)
    }

    /// Puts a campaign file into force; where it changes the days between two doses, the second
    /// doses of those who are booked move.
    fn activate(&self, by: &Actor, proposed: &Proposed, now: Stamp) -> Result<String, String> {
        let parsed = Campaign::parse(&proposed.text);
        let (next, _) = parsed.map_err(|_| "the file has findings".to_owned())?;
        let before = self.offer_of(&next.id).ok();
        let changed = before.map(|offer| (offer.catalog.index, offer.catalog.campaign.clone()));
        let done = self.perform_beside(by, self.operation(proposed)?)?;
        let mut told = in_words(&done);
        let Some((index, before)) = changed else {
            return Ok(told);
        };
        for (vaccine, days_before, days) in intervals(&before, &next) {
            let begin = Begin {
                cause: Cause::Interval {
                    vaccine,
                    days_before,
                    days,
                },
                reason: Notice::from(String::new()),
                until: now.plus_s(INTERVAL_LEAD_S),
                unanswered: Unanswered::Telephoned,
            };
            let operation = Operation::BeginRelocation {
                campaign: index,
                begin,
            };
            let Operated::RelocationBegun(relocation) = self.perform_beside(by, operation)? else {
                return Err(format!("{told}; nobody was moved"));
            };
            let people = self.relocate(by, index, relocation, Asking::Moved)?;
            told += &format!("; {}", people.in_words());
        }
        Ok(told)
    }

    /// The operation that a proposal is.
    fn operation(&self, proposed: &Proposed) -> Result<Operation, String> {
        let text = &proposed.text;
        let offers = self.shared.offers().clone();
        let offer = |id: &CampaignId| {
            let known = offers.iter().find(|offer| offer.catalog.campaign.id == *id);
            known.ok_or_else(|| format!("campaign `{id}` is not active"))
        };
        let first = |report: crate::files::Report| {
            let first = report.faults.first().map(ToString::to_string);
            first.unwrap_or_else(|| "the file can't be read".to_owned())
        };
        Ok(match &proposed.what {
            Proposal::Campaign => Operation::Activate {
                source: text.clone(),
                now: self.clock.now(),
                shifts: true,
            },
            Proposal::Agency { campaign } => {
                let no_logo = |_: &str| Err("a logo comes by the command line".to_owned());
                let (agency, _) = Agency::parse(text, no_logo)
                    .map_err(|_| "the agency's file has findings".to_owned())?;
                Operation::ActivateAgency {
                    campaign: campaign.clone(),
                    source: text.clone(),
                    agency: Box::new(agency),
                }
            }
            Proposal::Sites { campaign } => Operation::ImportSites {
                campaign: campaign.clone(),
                rows: sites::read(text.as_bytes(), Encoding::Utf8).map_err(first)?,
            },
            Proposal::Slots { campaign } => {
                let catalog = &offer(campaign)?.catalog;
                let rows = slots::read_for(catalog, text.as_bytes(), Encoding::Utf8);
                Operation::ImportSlots {
                    campaign: campaign.clone(),
                    version: Some(catalog.version()),
                    rows: rows.map_err(first)?,
                    now: self.clock.now(),
                }
            }
            Proposal::Gate { campaign, act } => Operation::Gate {
                campaign: Some(campaign.clone()),
                act: act.clone(),
                reason: None,
            },
            Proposal::Close { .. } | Proposal::Reopen { .. } | Proposal::Split { .. } => {
                return Err("it is not one operation".to_owned());
            }
        })
    }

    /// Does an operation, parts of it on this thread.
    pub(super) fn perform_beside(
        &self,
        actor: &Actor,
        operation: Operation,
    ) -> Result<Operated, String> {
        let mut hand = |part: Operation| {
            let (reply, outcome) = oneshot::channel();
            let command = Command::Operate {
                actor: actor.clone(),
                operation: part,
                reply,
            };
            match self.writer.submit_always(command) {
                Ok(()) => Some(outcome.blocking_recv().unwrap_or(Outcome::Unknown)),
                Err(_) => Some(Outcome::Impossible("the server is stopping".to_owned())),
            }
        };
        let (shared, store, keys) = (&self.shared, &self.store, &self.keys);
        let outcome = import::perform(shared, store, keys, operation, &mut hand);
        match outcome.unwrap_or(Outcome::Unknown) {
            Outcome::Operated(done) => {
                match &done {
                    Operated::Gate { campaign, .. } => self.follow_settings(campaign),
                    Operated::Activated { .. } => self.keeper.ring(KEEPER_MAX),
                    _ => {}
                }
                Ok(done)
            }
            Outcome::Impossible(why) => Err(why),
            other => Err(format!("it is not known whether it was done: {other:?}")),
        }
    }

    /// Says of approved proposals that nobody goes on with that they were interrupted: the process
    /// that did them is not there any more.
    pub async fn end_interrupted_proposals(&self) -> Allowed<()> {
        let staff = self.staff();
        let interrupted = staff.proposals.iter().filter(|(_, known)| {
            let decided = known.decided.as_ref();
            let is_approved = decided.is_some_and(|decided| {
                decided.decision == Decision::Approved && decided.came_of_it.is_none()
            });
            is_approved && !is_waiting(known)
        });
        let what = "the server stopped before it said what came of it: what was done is in the \
                    record behind the approval";
        let ended = interrupted.map(|(proposal, _)| Change::ProposalEnded {
            proposal: *proposal,
            done: false,
            what: what.to_owned(),
        });
        let ended: Vec<Change> = ended.collect();
        if ended.is_empty() {
            return Ok(());
        }
        self.change_staff(Actor::System, ended).await
    }
}

/// When an approved proposal goes on; none for one that is over, or done at once.
pub fn next_due(proposed: &Proposed) -> Option<Stamp> {
    let decided = proposed.decided.as_ref()?;
    if decided.decision != Decision::Approved || decided.came_of_it.is_some() {
        return None;
    }
    match &proposed.what {
        Proposal::Split { at, .. } => at.get(proposed.steps as usize).copied(),
        _ => proposed.due,
    }
}

/// Whether an approved proposal waits for an instant.
fn is_waiting(proposed: &Proposed) -> bool {
    next_due(proposed).is_some()
}

/// Cuts a text into parts of whole characters.
fn parts_of(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let (part, rest) = text.split_at(text.floor_char_boundary(PART_BYTES));
        parts.push(part);
        text = rest;
    }
    parts
}

fn in_words(done: &Operated) -> String {
    match done {
        Operated::Activated { campaign, version } => {
            format!("campaign {campaign}: version {version} is in force")
        }
        Operated::Unchanged { campaign, version } => {
            format!("campaign {campaign}: this is version {version}, in force already")
        }
        Operated::AgencyActivated {
            campaign, version, ..
        } => format!("campaign {campaign}: version {version} of the agency's file is in force"),
        Operated::Sites { added, changed } => format!("sites: {added} added, {changed} changed"),
        Operated::Slots(done) => format!(
            "slots: {} added, {} with another capacity, {} with another end",
            done.added, done.changed, done.corrected
        ),
        Operated::Gate { campaign, .. } => format!("campaign {campaign}: the act is in force"),
        Operated::SlotsClosed { slots, .. } => format!("{slots} slots are open again"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_nothing_is_lost() {
        for text in ["", "a", &"가".repeat(PART_BYTES), &"ab".repeat(PART_BYTES)] {
            let parts = parts_of(text);
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| part.len() <= PART_BYTES));
            assert_eq!(parts.is_empty(), text.is_empty());
        }
    }
}
