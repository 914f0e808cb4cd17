//! Four eyes: what one account proposes and another approves. `perform` does what was approved.
//!
//! The whole text is in the journal before anybody can approve it, and so is the approval before
//! anything is done. What it would do is worked out anew when it is approved: if more or other
//! people would lose something by then, it has to be proposed again.

mod perform;

use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::effect::{Effect, effect};
use super::{Allowed, DeskRefused, actor, slot_range};
use crate::crypto::sha256;
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Actor, Change, Role};
use crate::domain::staff::Account;
use crate::domain::staff::proposal::{
    Decision, PART_BYTES, Proposal, ProposalFault, Proposed, TEXT_BYTES_MAX, is_reason,
};
use crate::domain::time::Stamp;
use crate::service::Service;

/// Parts of a text that go into one commit: a quarter of a mebibyte.
const PARTS_AT_ONCE: usize = 8;

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

    /// The same, for an account that is told it: figures of a roster file are on record first, with
    /// the address that they were asked from, where it is known.
    pub async fn effect_for(
        self: &Arc<Self>,
        by: &Account,
        from: &str,
        what: Proposal,
        text: String,
    ) -> Allowed<Effect> {
        let file = what.roster_file().copied();
        let effect = self.effect(what, text).await?;
        if let Some(file) = file {
            self.note_compared(by, from, &file).await?;
        }
        Ok(effect)
    }

    /// Proposes: its number, and what it would do. Nothing is proposed that can't be done.
    pub async fn propose(
        self: &Arc<Self>,
        by: &Account,
        mut what: Proposal,
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
        if what.is_of_all() && !is_for_all(by) {
            return Err(DeskRefused::NotYours);
        }
        let effect = self.effect_for(by, "", what.clone(), text.clone());
        let effect = effect.await?;
        if let (Proposal::Roster { file }, Some(numbers)) = (&mut what, &effect.roster) {
            *file = numbers.file;
        }
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
        if let Some(roster) = &effect.roster {
            self.desk.rosters.is_proposed(&roster.file.sha256);
        }
        Ok((proposal, effect))
    }

    /// Whether an account may have this done: a site's people only to its slots, and others within
    /// their bounds.
    pub(super) fn is_within(&self, by: &Account, what: &Proposal, effect: &Effect) -> bool {
        if by.role == Role::Site && !what.is_of_slots() {
            return false;
        }
        if what.is_of_all() {
            return is_for_all(by);
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
        if let Some(file) = proposed.what.roster_file() {
            return file.base != self.shared.roster().version;
        }
        let offers = self.shared.offers().clone();
        let known = offers
            .iter()
            .find(|offer| offer.catalog.campaign.id.as_str() == campaign);
        let since = known.and_then(|offer| match proposed.what {
            Proposal::Campaign => {
                let newest = offer.catalog.versions.last();
                newest.map(|version| version.activated_at)
            }
            Proposal::Agency { .. }
            | Proposal::AgencyLogo { .. }
            | Proposal::AgencyAgain { .. } => {
                let newest = offer.agency.as_ref();
                newest.map(|agency| agency.activated_at)
            }
            Proposal::Sites { .. }
            | Proposal::Slots { .. }
            | Proposal::Gate { .. }
            | Proposal::Close { .. }
            | Proposal::Reopen { .. }
            | Proposal::Split { .. }
            | Proposal::Retime { .. }
            | Proposal::Roster { .. }
            | Proposal::Keys { .. } => None,
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
        // The number is asked for last: it is of what it would do now.
        let may = staff.may_decide_proposal(&actor(by), number, decision, typed);
        if let Err(fault) = &may
            && !matches!(fault, ProposalFault::Typed { .. })
        {
            return Err(fault.clone().into());
        }
        let known = staff.proposals.get(&number);
        let known = known.ok_or(DeskRefused::NotFound)?.clone();
        if !self.reads_proposal(by, number, &known) {
            return Err(DeskRefused::NotFound);
        }
        let mut digest = String::new();
        if decision == Decision::Approved {
            if known.due.is_some_and(|due| due <= self.clock.now()) {
                let why = "the instant at which it was to be done is over: decline it, and have it \
                           proposed again";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
            let (what, text) = (known.what.clone(), known.text.clone());
            if let Some(file) = known.what.roster_file().copied() {
                // What was worked out a moment ago says nothing of what lies there now.
                let service = Arc::clone(self);
                let checked = beside(move || service.desk.rosters.check(&file.sha256)).await?;
                checked.map_err(|why| DeskRefused::Faults(vec![why]))?;
            }
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
            if effect.roster.as_ref().map(|roster| &roster.file) != known.what.roster_file() {
                let why = "the roster file would change other people than when it was proposed: \
                           decline this, and have it proposed again";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
            digest = effect.digest;
        }
        may?;
        let decided = Change::ProposalDecided {
            proposal: number,
            decision,
            typed,
            reason: reason.trim().to_owned(),
        };
        let digest = HEXLOWER.decode(digest.as_bytes()).ok();
        let digest = digest.and_then(|digest| digest.try_into().ok());
        let seen = digest.map(|digest| Change::ProposalSeen {
            proposal: number,
            digest,
            named: seen.is_some(),
        });
        let changes = [decided].into_iter().chain(seen).collect();
        self.change_staff(actor(by), changes).await?;
        if decision != Decision::Approved {
            self.sweep_after(&known.what).await?;
            return Ok(None);
        }
        if known.due.is_some() {
            return Ok(None);
        }
        let came_of_it = self.perform(&actor(by), number, &known).await;
        let is_split = matches!(known.what, Proposal::Split { .. });
        if let (true, Ok(what)) = (is_split, &came_of_it) {
            // Its steps follow.
            return Ok(Some(what.clone()));
        }
        let ended = self.end_proposal(actor(by), number, came_of_it).await;
        self.sweep_after(&known.what).await?;
        ended.map(Some)
    }

    /// Erases the file of a proposal that is over.
    async fn sweep_after(self: &Arc<Self>, what: &Proposal) -> Allowed<()> {
        if what.roster_file().is_none() {
            return Ok(());
        }
        let service = Arc::clone(self);
        beside(move || service.sweep_rosters()).await
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
    pub async fn call_off(
        self: &Arc<Self>,
        by: &Account,
        number: u32,
        reason: &str,
    ) -> Allowed<()> {
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
        let called_off = Change::ProposalCalledOff {
            proposal: number,
            reason: reason.trim().to_owned(),
        };
        self.change_staff(actor(by), vec![called_off]).await?;
        self.sweep_after(&known.what).await
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
            }
            | Proposal::Retime {
                campaign, range, ..
            } => (campaign.to_string(), Some(range.sites.clone())),
            Proposal::Agency { campaign }
            | Proposal::AgencyLogo { campaign, .. }
            | Proposal::AgencyAgain { campaign, .. }
            | Proposal::Sites { campaign }
            | Proposal::Slots { campaign }
            | Proposal::Gate { campaign, .. } => (campaign.to_string(), None),
            Proposal::Roster { .. } | Proposal::Keys { .. } => (String::new(), None),
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
        let is_any_due = due.any(|(_, proposed)| is_due(proposed));
        if self.desk.rosters.has_left_over(now) {
            let service = Arc::clone(self);
            beside(move || service.sweep_rosters()).await?;
        }
        if !is_any_due {
            return Ok(());
        }
        let _one = self.desk.proposing.lock().await;
        let staff = self.staff();
        for (number, proposed) in staff.proposals.iter().filter(|(_, one)| is_due(one)) {
            let approver = proposed.decided.as_ref().map(|decided| decided.by);
            let approver = approver.and_then(|by| staff.accounts.get(&by));
            let by = approver.map_or(Actor::System, actor);
            let came_of_it = self.perform(&by, *number, proposed).await;
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
            self.sweep_after(&proposed.what).await?;
        }
        Ok(())
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

/// Whether an account may have a part in what is about all campaigns together.
pub fn is_for_all(by: &Account) -> bool {
    by.role != Role::Site && by.bounds.is_unbound()
}

/// When an approved proposal goes on; none for one that is over, or done at once.
pub fn next_due(proposed: &Proposed) -> Option<Stamp> {
    let decided = proposed.decided.as_ref()?;
    if decided.decision != Decision::Approved || decided.came_of_it.is_some() {
        return None;
    }
    match &proposed.what {
        Proposal::Split { at, .. } => at.get(proposed.steps as usize).copied(),
        // Done at once, or cut short by a stop: it knows how far it came.
        Proposal::Retime { .. } => proposed.due.or(Some(decided.at)),
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
