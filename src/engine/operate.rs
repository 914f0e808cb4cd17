//! Operators' acts: each a batch of its own, whole or not at all.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::oneshot;

use super::batch::Batch;
use super::command::{Begin, Operated, Operation, Outcome};
use super::core::{CommitFailed, Core};
use super::import::lists::{List, ListId, unknown_campaign};
use super::import::marking::{sealed, unmarked};
use super::import::roster::{StagedRoster, allowed};
use super::import::sweep::sweep;
use super::import::{perform, retire};
use super::relocation;
use super::shared::Offer;
use crate::domain::booking::next::NextCatalog;
use crate::domain::booking::relocation::{Planned, RELOCATIONS_MAX};
use crate::domain::entry::{Actor, Change, GateAct, HoldEnd, head_key_message};
use crate::domain::ids::{CampaignId, CampaignIndex, PersonKey, RelocationIndex, Seq, SlotIndex};
use crate::domain::line::gate_act;
use crate::domain::staff::StaffState;
use crate::domain::time::Stamp;

type Done = Result<Outcome, CommitFailed>;

impl Core {
    pub(super) fn operate(
        &mut self,
        actor: &Actor,
        operation: Operation,
        reply: oneshot::Sender<Outcome>,
    ) -> Result<(), CommitFailed> {
        let done = self.do_now(actor, operation);
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(failed) => {
                let _ = reply.send(Outcome::Unknown);
                return Err(failed);
            }
        };
        let _ = reply.send(outcome);
        Ok(())
    }

    /// Does an operation where no writer runs yet: what must come of it is `Kept` or `Operated`.
    pub fn operate_alone(&mut self, actor: &Actor, operation: Operation) -> anyhow::Result<()> {
        match self.do_now(actor, operation)? {
            Outcome::Kept | Outcome::Operated(_) => Ok(()),
            other => anyhow::bail!("it could not be done: {other:?}"),
        }
    }

    fn do_now(&mut self, actor: &Actor, operation: Operation) -> Done {
        match operation {
            Operation::Gate {
                campaign,
                act,
                reason,
            } => self.gate(actor.clone(), campaign, act, reason),
            Operation::TokenKeyRotated { id, revoked } => {
                self.token_key(actor.clone(), id, revoked)
            }
            Operation::RotateHeadKey { public_key, folder } => {
                self.head_key(actor.clone(), public_key, &folder)
            }
            Operation::Record { change } => self.record_for(actor.clone(), change),
            Operation::Staff { changes } => self.staff(actor, changes),
            Operation::RecordOwn { change } => self.record_for(Actor::System, change),
            Operation::AddPieces { list, pieces } => self.add_pieces(actor, list, pieces),
            Operation::PutListInForce { list } => self.put_list_in_force(actor, *list),
            Operation::Rekey { people } => self.rekey(actor, &people),
            Operation::BeginRelocation { campaign, begin } => {
                self.begin_relocation(actor, campaign, &begin)
            }
            Operation::Relocate {
                campaign,
                relocation,
                people,
                offered_until,
            } => self.relocate(actor, (campaign, relocation), &people, offered_until),
            Operation::PutRosterInForce { staged } => self.put_roster_in_force(actor, *staged),
            // Nothing is served: the writer is the operator's thread.
            long @ (Operation::Activate { .. }
            | Operation::ActivateAgency { .. }
            | Operation::ImportSites { .. }
            | Operation::ImportSlots { .. }
            | Operation::CloseSlots { .. }
            | Operation::ReopenSlots { .. }
            | Operation::ImportRoster { .. }
            | Operation::RotatePersonalKeys { .. }
            | Operation::ShowPerson { .. }
            | Operation::ErasePerson { .. }) => self.do_whole(actor, long),
        }
    }

    /// Does all of an operation that others prepare beside the writer.
    fn do_whole(&mut self, actor: &Actor, operation: Operation) -> Done {
        let (shared, store) = (Arc::clone(&self.shared), Arc::clone(&self.store));
        let keys = Arc::clone(&self.keys);
        let mut failed = None;
        let mut hand = |part: Operation| match self.do_now(actor, part) {
            Ok(outcome) => Some(outcome),
            Err(fault) => {
                failed = Some(fault);
                None
            }
        };
        let outcome = perform(&shared, &store, &keys, operation, &mut hand);
        if let Some(fault) = failed {
            return Err(fault);
        }
        self.check_store()?;
        sweep(&shared, &store, &AtomicBool::new(false)).map_err(CommitFailed::Store)?;
        Ok(outcome.unwrap_or(Outcome::Unknown))
    }

    /// Journals the digest of the sealed rows, where no server does that beside the writer.
    pub fn mark_vault(&mut self) -> Result<(), CommitFailed> {
        let never = AtomicBool::new(false);
        let mark = unmarked(&self.shared, &self.store, &never).map_err(CommitFailed::Store)?;
        match mark {
            Some(mark) => self.record(sealed(mark)),
            None => Ok(()),
        }
    }

    fn add_pieces(&mut self, actor: &Actor, list: ListId, pieces: Vec<Change>) -> Done {
        if !self.goes_on(list, &pieces) {
            return Ok(Outcome::Stale);
        }
        self.list = Some(list);
        let mut batch = self.batch();
        for piece in pieces {
            batch.push(actor.clone(), piece);
        }
        self.finish_copied(&mut batch)?;
        Ok(Outcome::Kept)
    }

    /// Whether these pieces begin a list, or go on with the one in progress.
    fn goes_on(&self, list: ListId, pieces: &[Change]) -> bool {
        let begins = matches!(pieces.first(), Some(Change::PieceAdded { part: 0, .. }));
        begins || self.list == Some(list)
    }

    fn put_list_in_force(&mut self, actor: &Actor, mut list: List) -> Done {
        let Some(last) = list.last.take() else {
            return Ok(Outcome::Operated(list.done));
        };
        let is_base_in_force = {
            let state = self.shared.state();
            match (
                &list.next,
                list.agency_before,
                state.campaign(list.campaign),
            ) {
                (Some(next), None, Some(campaign)) => next.fits(campaign),
                (None, Some(version), Some(campaign)) => campaign.agency_version() == version,
                (None, None, None) => list.campaign.at() == state.campaigns.len(),
                _ => false,
            }
        };
        let follows = list
            .begins
            .as_ref()
            .is_none_or(|(_, relocation)| self.next_relocation(list.campaign) == Some(*relocation));
        if !is_base_in_force || !follows || !self.goes_on(list.id, &list.pieces) {
            return Ok(Outcome::Stale);
        }
        self.list = None;
        let mut batch = self.batch();
        let begun = list.begins.as_ref();
        let begun = begun.map(|(begin, relocation)| begin.change(list.campaign, *relocation));
        for change in list.pieces.drain(..).chain(begun).chain([last]) {
            batch.push(actor.clone(), change);
        }
        if let Some(next) = list.next.as_ref().filter(|_| list.begins.is_some()) {
            self.end_closed_holds(next, &mut batch);
        }
        self.finish_copied_prepared(&mut batch, list.next.as_mut())?;
        list.withdrawn.keep();
        self.shared.publish(&list.more);
        // Freed on a thread of its own: it has the catalog before, and the rows.
        retire(Arc::new((list.next, list.more, batch.entries)));
        Ok(Outcome::Operated(list.done))
    }

    fn put_roster_in_force(&mut self, actor: &Actor, mut staged: StagedRoster) -> Done {
        if !Arc::ptr_eq(&staged.base, &self.shared.roster()) {
            return Ok(Outcome::Stale);
        }
        if staged
            .other_keys()
            .is_some_and(|id| self.keys.personal(id).is_none())
        {
            return impossible("the new keys are not in keys.json any more; nothing was changed");
        }
        let found = staged.look_on(&self.shared.state(), usize::MAX);
        let moves = staged.moves(&self.shared.state());
        let counts = staged.counts;
        let mut batch = self.batch();
        batch.push(
            actor.clone(),
            Change::RosterImported {
                version: staged.next.version,
                people: staged.next.people.len() as u64,
                digest: staged.digest(),
                added: counts.added as u64,
                changed: counts.changed as u64,
                gone: counts.gone as u64,
            },
        );
        if let Some(id) = staged.other_keys() {
            batch.push(actor.clone(), Change::PersonalKeysRotated { id });
        }
        for change in staged.stored_again() {
            batch.push(actor.clone(), change);
        }
        for (from, to) in moves {
            batch.push(actor.clone(), Change::PersonRekeyed { from, to });
        }
        self.finish_copied_with(&mut batch, |write| staged.put_in_force(write, &found))?;
        let version = staged.next.version;
        let news = std::mem::take(&mut staged.news);
        self.shared.publish_roster(Arc::new(staged.into_roster()));
        Ok(Outcome::Operated(Operated::Roster {
            version,
            added: counts.added,
            changed: counts.changed,
            gone: counts.gone,
            unchanged: counts.unchanged,
            news: Box::new(news),
        }))
    }

    fn next_relocation(&self, campaign: CampaignIndex) -> Option<RelocationIndex> {
        let state = self.shared.state();
        let known = &state.campaign(campaign)?.relocations;
        let next = (known.len() < RELOCATIONS_MAX).then_some(known.len());
        next.map(|next| RelocationIndex(next as u16))
    }

    /// Ends the holds on slots that close with this batch.
    fn end_closed_holds(&self, next: &NextCatalog, batch: &mut Batch) {
        let Some(next) = next.next() else { return };
        let state = self.shared.state();
        let Some(campaign) = state.campaign(next.index) else {
            return;
        };
        let is_closed = |slot: SlotIndex| next.slots[slot.at()].closed_by.is_some();
        let closed = campaign.holds.iter();
        let closed = closed.filter(|(_, hold)| hold.doses.slots().any(is_closed));
        for (id, hold) in closed {
            let change = Change::HoldEnded {
                campaign: next.index,
                person: hold.person,
                hold: *id,
                pool: hold.pool,
                reason: HoldEnd::Closed,
            };
            batch.free(&change, campaign);
            batch.push(Actor::System, change);
        }
    }

    fn begin_relocation(&mut self, actor: &Actor, campaign: CampaignIndex, begin: &Begin) -> Done {
        let Some(relocation) = self.next_relocation(campaign) else {
            return impossible(
                "no more people can be moved in this campaign: it was done too often",
            );
        };
        self.journal(actor.clone(), [begin.change(campaign, relocation)])?;
        Ok(Outcome::Operated(Operated::RelocationBegun(relocation)))
    }

    /// Gives people other seats, or offers them. A batch like people's own: what is changed is not
    /// copied, and each seat is claimed.
    fn relocate(
        &mut self,
        actor: &Actor,
        (index, relocation): (CampaignIndex, RelocationIndex),
        people: &[Planned],
        offered_until: Option<Stamp>,
    ) -> Done {
        let mut batch = self.batch();
        let (mut done, mut missed) = (0, 0);
        {
            let state = self.shared.state();
            let offers = self.shared.offers();
            let (Some(campaign), Some(offer)) = (state.campaign(index), offers.get(index.at()))
            else {
                return impossible("the campaign is not active");
            };
            for planned in people {
                if !batch.people.insert(planned.person) {
                    missed += 1;
                    continue;
                }
                let step = relocation::step(campaign, offer, relocation, planned, offered_until);
                let Some((change, claims)) = step else {
                    missed += 1;
                    continue;
                };
                batch.free(&change, campaign);
                batch.claims.extend(claims);
                batch.push_checked(&state, actor.clone(), change)?;
                done += 1;
            }
        }
        self.finish(&mut batch)?;
        Ok(Outcome::Operated(Operated::Relocated { done, missed }))
    }

    fn rekey(&mut self, actor: &Actor, people: &[(PersonKey, PersonKey)]) -> Done {
        let moves = allowed(&self.shared.state(), people);
        let changes = moves.into_iter();
        let changes = changes.map(|(from, to)| Change::PersonRekeyed { from, to });
        self.journal(actor.clone(), changes)?;
        Ok(Outcome::Kept)
    }

    fn gate(
        &mut self,
        actor: Actor,
        id: Option<CampaignId>,
        act: GateAct,
        reason: Option<String>,
    ) -> Done {
        if let Err(fault) = gate_act::check(&act) {
            return impossible(fault.to_string());
        }
        let offers = self.shared.offers().clone();
        let offer = match id {
            Some(id) => match self.offer(&id) {
                Some(offer) => offer,
                None => return impossible(unknown_campaign(&id)),
            },
            None => match offers.as_slice() {
                [only] => Arc::clone(only),
                [] => return impossible("no campaign is active"),
                _ => {
                    return impossible("several campaigns are active: name one by --campaign");
                }
            },
        };
        let campaign = offer.catalog.index;
        let set = Change::GateSet {
            campaign,
            act: act.clone(),
        };
        let reason = reason.map(|reason| Change::ReasonGiven { reason });
        self.journal(actor, reason.into_iter().chain([set]))?;
        Ok(Outcome::Operated(Operated::Gate {
            campaign: offer.catalog.campaign.id.clone(),
            act,
        }))
    }

    fn token_key(&mut self, actor: Actor, id: u8, revoked: bool) -> Done {
        self.journal(actor, [Change::TokenKeyRotated { id }])?;
        Ok(Outcome::Operated(Operated::TokenKeyRotated { id, revoked }))
    }

    /// Hands over to the next key of heads, from this entry on.
    fn head_key(&mut self, actor: Actor, public_key: [u8; 32], folder: &Path) -> Done {
        let seq = self.shared.state().seq;
        let next = Seq(seq.0 + 1);
        let signature = self
            .keys
            .sign_at(seq, &head_key_message(&public_key))
            .to_vec();
        // Before the commit: the head of this entry may be signed as soon as it is durable.
        if let Err(why) = self.keys.put_head_in_force(folder, next, &public_key) {
            return impossible(why.to_string());
        }
        let change = Change::HeadKeyRotated {
            public_key,
            signature,
        };
        self.journal(actor, [change])?;
        Ok(Outcome::Operated(Operated::HeadKeyRotated {
            seq: next,
            public_key,
        }))
    }

    /// Journals what an operator did that changes nothing else.
    fn record_for(&mut self, actor: Actor, change: Change) -> Done {
        self.journal(actor, [change])?;
        Ok(Outcome::Kept)
    }

    /// Changes accounts, sessions and proposals. What does not fit is refused here: an entry that
    /// contradicts the state is a defect.
    fn staff(&mut self, actor: &Actor, changes: Vec<Change>) -> Done {
        // At the stamp that the entries will have: what was good until then is not any more.
        let mut batch = self.batch();
        let mut next = StaffState::clone(&self.shared.state().staff);
        for change in &changes {
            if let Err(why) = next.apply(actor, change, batch.stamp) {
                return impossible(why);
            }
        }
        for change in changes {
            batch.push(actor.clone(), change);
        }
        self.finish_copied(&mut batch)?;
        Ok(Outcome::Kept)
    }

    fn offer(&self, id: &CampaignId) -> Option<Arc<Offer>> {
        self.shared
            .offers()
            .iter()
            .find(|offer| offer.catalog.campaign.id == *id)
            .cloned()
    }

    /// Journals changes in one commit.
    fn journal(
        &mut self,
        actor: Actor,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<(), CommitFailed> {
        let mut batch = self.batch();
        changes
            .into_iter()
            .for_each(|change| batch.push(actor.clone(), change));
        self.finish_copied(&mut batch)
    }
}

fn impossible(why: impl Into<String>) -> Done {
    Ok(Outcome::Impossible(why.into()))
}
