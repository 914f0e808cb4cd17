//! Four eyes: what one account proposes and another approves, and having it done.
//!
//! The whole text is in the journal before anybody can approve it, and so is the approval before
//! anything is done. What it would do is worked out anew when it is approved: if more or other
//! people would lose something by then, it has to be proposed again.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::effect::{Effect, effect};
use super::{Allowed, DeskRefused, actor};
use crate::crypto::sha256;
use crate::domain::agency::Agency;
use crate::domain::entry::{Actor, Change};
use crate::domain::ids::CampaignId;
use crate::domain::staff::Account;
use crate::domain::staff::proposal::{
    Decision, PART_BYTES, Proposal, ProposalFault, Proposed, TEXT_BYTES_MAX, is_reason,
};
use crate::engine::command::{Command, Operated, Operation, Outcome};
use crate::engine::import;
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
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Allowed<T> {
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
    ) -> Allowed<(u32, Effect)> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(ProposalFault::TooLong.into());
        }
        if !is_reason(reason) {
            return Err(ProposalFault::Reason.into());
        }
        // One at a time: the parts of two would mix.
        let _one = self.desk.proposing.lock().await;
        let effect = self.effect(what.clone(), text.clone()).await?;
        if !effect.faults.is_empty() {
            return Err(DeskRefused::Faults(effect.faults));
        }
        if !by.bounds.has_all_of(&effect.campaign) {
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
            what,
            reason: reason.trim().to_owned(),
            takes: effect.takes,
        });
        self.change_staff(actor(by), changes).await?;
        Ok((proposal, effect))
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
            Proposal::Sites { .. } | Proposal::Slots { .. } | Proposal::Gate { .. } => None,
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
            let (what, text) = (known.what.clone(), known.text.clone());
            let effect = self.effect(what, text).await?;
            if !by.bounds.has_all_of(&effect.campaign) {
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
        let came_of_it = self.perform(by, &known).await;
        let (done, what) = match came_of_it {
            Ok(what) => (true, what),
            Err(why) => (false, why),
        };
        let ended = Change::ProposalEnded {
            proposal: number,
            done,
            what: what.clone(),
        };
        self.change_staff(actor(by), vec![ended]).await?;
        if done {
            Ok(Some(what))
        } else {
            Err(DeskRefused::Impossible(what))
        }
    }

    /// Does what was approved; in words what came of it, or why nothing did.
    async fn perform(
        self: &Arc<Self>,
        by: &Account,
        proposed: &Proposed,
    ) -> Result<String, String> {
        let operation = self.operation(proposed)?;
        let service = Arc::clone(self);
        let actor = actor(by);
        let done = beside(move || service.perform_beside(&actor, operation)).await;
        match done {
            Ok(done) => done,
            Err(_) => Err("it stopped in the middle: look at the record".to_owned()),
        }
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
                }
            }
            Proposal::Gate { campaign, act } => Operation::Gate {
                campaign: Some(campaign.clone()),
                act: act.clone(),
            },
        })
    }

    /// Does an operation, parts of it on this thread.
    fn perform_beside(&self, actor: &Actor, operation: Operation) -> Result<String, String> {
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
                Ok(in_words(&done))
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
            decided.is_some_and(|decided| {
                decided.decision == Decision::Approved && decided.came_of_it.is_none()
            })
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
        Operated::Slots { added, changed } => format!("slots: {added} added, {changed} changed"),
        Operated::Gate { campaign, .. } => format!("campaign {campaign}: the act is in force"),
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
