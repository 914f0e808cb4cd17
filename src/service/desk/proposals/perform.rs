//! Doing what was approved, with the same operations as the command line.
//!
//! Runs beside what serves people: an operation's long part is on this thread, and the writer gets
//! it in small commits. Each says in words what came of it, or why nothing did.

mod keys;
mod retime;
mod roster;

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{beside, slot_range};
use crate::domain::agency::Agency;
use crate::domain::booking::relocation::{Cause, Prefer, Unanswered};
use crate::domain::campaign::Campaign;
use crate::domain::entry::Actor;
use crate::domain::ids::{CampaignId, SlotIndex};
use crate::domain::line::Notice;
use crate::domain::staff::Account;
use crate::domain::staff::proposal::{Asking, ClosePlan, Proposal, Proposed, SlotRange};
use crate::domain::time::Stamp;
use crate::engine::command::{Begin, Command, Operated, Operation, Outcome};
use crate::engine::import;
use crate::engine::shared::Offer;
use crate::files::{Encoding, sites, slots};
use crate::service::Service;
use crate::service::desk::effect::agency::{no_logo, version_before, with_logo};
use crate::service::desk::effect::seats::{INTERVAL_LEAD_S, answer_until, closed, intervals};
use crate::service::desk::split::{self, Step};
use crate::service::desk::{Allowed, DeskRefused, actor};

/// How long an activation waits for the gates to be ready for it.
const KEEPER_MAX: std::time::Duration = std::time::Duration::from_secs(1);

impl Service {
    /// Does what was approved; in words what came of it, or why nothing did.
    pub(super) async fn perform(
        self: &Arc<Self>,
        by: &Actor,
        number: u32,
        proposed: &Proposed,
    ) -> Result<String, String> {
        let (service, by, proposed) = (Arc::clone(self), by.clone(), proposed.clone());
        let done = beside(move || service.perform_now(&by, number, &proposed)).await;
        match done {
            Ok(done) => done,
            Err(_) => Err("it stopped in the middle: look at the record".to_owned()),
        }
    }

    fn perform_now(&self, by: &Actor, number: u32, proposed: &Proposed) -> Result<String, String> {
        let now = self.clock.now();
        match &proposed.what {
            Proposal::Close {
                campaign,
                range,
                plan,
            } => {
                let offer = self.offer_of(campaign)?;
                let slots = slot_range::slots(&offer.catalog, range, now);
                self.close(by, &offer, slots, begin(plan, now), plan.asking)
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
            Proposal::Retime {
                campaign,
                range,
                minutes,
                reason,
            } => {
                let offer = self.offer_of(campaign)?;
                let cause = Cause::Retimed {
                    proposal: number,
                    minutes: *minutes,
                };
                self.retime(by, &offer, range, (cause, reason))
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
            Proposal::Roster { file } => self.put_roster_in_force(by, file, now),
            Proposal::Keys { change } => self.change_keys(by, *change, now),
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
            let slots = slot_range::slots(&offer.catalog, &range, now);
            service.close(&actor, &offer, slots, begin(&plan, now), plan.asking)
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
                let (agency, _) = Agency::parse(text, no_logo)
                    .map_err(|_| "the agency's file has findings".to_owned())?;
                Operation::ActivateAgency {
                    campaign: campaign.clone(),
                    source: text.clone(),
                    agency: Box::new(agency),
                }
            }
            Proposal::AgencyLogo {
                campaign,
                text_bytes,
            } => {
                let (source, agency) = with_logo(text, *text_bytes)
                    .map_err(|_| "the agency's file has findings".to_owned())?;
                Operation::ActivateAgency {
                    campaign: campaign.clone(),
                    source,
                    agency: Box::new(agency),
                }
            }
            Proposal::AgencyAgain { campaign, version } => {
                let known = version_before(self, campaign.as_str(), *version);
                let known =
                    known.ok_or("this version of the agency's file is not kept any more")?;
                Operation::ActivateAgency {
                    campaign: campaign.clone(),
                    source: known.source.clone(),
                    agency: Box::new(known.agency.clone()),
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
            Proposal::Close { .. }
            | Proposal::Reopen { .. }
            | Proposal::Split { .. }
            | Proposal::Retime { .. }
            | Proposal::Roster { .. }
            | Proposal::Keys { .. } => {
                return Err("it is not one operation".to_owned());
            }
        })
    }

    /// Does an operation, parts of it on this thread.
    pub(in crate::service::desk) fn perform_beside(
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
}

/// How a closure with this plan begins.
fn begin(plan: &ClosePlan, now: Stamp) -> Begin {
    Begin {
        cause: Cause::Closure {
            prefer: plan.prefer,
        },
        reason: plan.reason.clone(),
        until: answer_until(plan, now),
        unanswered: plan.unanswered,
    }
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
