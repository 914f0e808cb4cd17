//! A batch: the entries of one commit, and who waits for them.
//!
//! It holds at most one command of a person, so every decision in it is made against committed
//! state.

use std::collections::{HashMap, HashSet};

use tokio::sync::oneshot;

use super::command::Outcome;
use super::in_flight::Flight;
use crate::domain::apply::{Ahead, Contradiction};
use crate::domain::entry::{
    Actor, Change, Doses, ENTRY_BYTES_MAX, Entry, Hash, HoldEnd, RefusedFor,
};
use crate::domain::ids::{CampaignIndex, HoldId, PersonKey, Pool, Seq};
use crate::domain::state::{CampaignState, KeyHash, State, refusal_mark};
use crate::domain::time::Stamp;
use crate::journal::block::{Block, push_entry};
use crate::seats::Claim;

/// Entries on their way into the journal, and who waits for them. Whoever makes a change keeps its
/// entry within `ENTRY_BYTES_MAX`: texts are bounded where they enter, lists are split.
pub(super) struct Batch {
    pub(super) seq: Seq,
    pub(super) stamp: Stamp,
    pub(super) head: Hash,
    block: Vec<u8>,
    pub(super) entries: Vec<(Entry, Hash)>,
    /// Claims that become bookings or holds.
    pub(super) claims: Vec<Claim>,
    /// Seats that become free.
    pub(super) freed: Vec<(CampaignIndex, Doses, Pool)>,
    pub(super) answers: Vec<(oneshot::Sender<Outcome>, Answer)>,
    pub(super) people: HashSet<PersonKey, KeyHash>,
    refusals: HashSet<(CampaignIndex, u64)>,
    /// What the entries will do to the state, which readers see as it is until they are durable.
    pub(super) ahead: Ahead,
    /// Given back when the answers are known.
    pub(super) flights: Vec<Flight>,
    /// Bookings that this batch makes in each campaign.
    pub(super) booked: HashMap<CampaignIndex, u64>,
}

/// An answer that is known now, or one to read off the state after the commit.
pub(super) enum Answer {
    Known(Outcome),
    OfEntry(usize),
}

impl Batch {
    pub(super) fn after(state: &State, now: Stamp) -> Self {
        Self {
            seq: state.seq,
            stamp: now.max(state.stamp),
            head: state.head,
            block: Vec::new(),
            entries: Vec::new(),
            claims: Vec::new(),
            freed: Vec::new(),
            answers: Vec::new(),
            people: HashSet::default(),
            refusals: HashSet::new(),
            ahead: Ahead::default(),
            flights: Vec::new(),
            booked: HashMap::new(),
        }
    }

    /// Adds an entry that is checked later: see `Core::finish_copied`.
    pub(super) fn push(&mut self, actor: Actor, change: Change) {
        let entry = self.next(actor, change);
        self.add(entry);
    }

    /// Adds an entry, unless `apply` would not take it after those that are there.
    pub(super) fn push_checked(
        &mut self,
        state: &State,
        actor: Actor,
        change: Change,
    ) -> Result<(), Contradiction> {
        let entry = self.next(actor, change);
        self.ahead.check(state, &entry)?;
        self.add(entry);
        Ok(())
    }

    fn next(&self, actor: Actor, change: Change) -> Entry {
        Entry {
            seq: Seq(self.seq.0 + 1),
            stamp: self.stamp,
            previous: self.head,
            actor,
            change,
        }
    }

    fn add(&mut self, entry: Entry) {
        self.seq = entry.seq;
        let before = self.block.len();
        self.head = push_entry(&mut self.block, &entry);
        let bytes = self.block.len() - before - size_of::<u32>();
        assert!(
            bytes <= ENTRY_BYTES_MAX,
            "an entry of {bytes} bytes could not be read again: it must not become durable"
        );
        self.entries.push((entry, self.head));
    }

    /// What has to be made durable; none if nothing changes.
    pub(super) fn take_block(&mut self) -> Option<Block> {
        let (first, _) = self.entries.first()?;
        Some(Block {
            first: first.seq,
            entries: self.entries.len() as u32,
            stamp: self.stamp,
            head: self.head,
            bytes: std::mem::take(&mut self.block),
        })
    }
}

/// Notes a refusal by the rules, unless the journal or this batch has it.
pub(super) fn note_refusal(
    state: &State,
    batch: &mut Batch,
    index: CampaignIndex,
    person: PersonKey,
    rules: u32,
    reason: RefusedFor,
) -> Result<(), Contradiction> {
    let known = state
        .campaign(index)
        .is_none_or(|known| known.knows_refusal(&person, rules, reason));
    let mark = (index, refusal_mark(&person, rules, reason));
    if !known && batch.refusals.insert(mark) {
        let change = Change::Refused {
            campaign: index,
            person,
            rules,
            reason,
        };
        batch.push_checked(state, Actor::System, change)?;
    }
    Ok(())
}

/// Ends the holds whose time is up at the batch's stamp.
pub(super) fn end_holds(state: &State, batch: &mut Batch) -> Result<(), Contradiction> {
    for campaign in &state.campaigns {
        let index = campaign.catalog.index;
        for &(until, id) in &campaign.holds_by_end {
            if campaign.hold_time(batch.stamp) < until {
                break;
            }
            let hold = campaign.holds[&id];
            batch.freed.push((index, hold.doses, hold.pool));
            let (person, reason) = (hold.person, HoldEnd::Expired);
            batch.push_checked(
                state,
                Actor::System,
                Change::HoldEnded {
                    campaign: index,
                    person,
                    hold: id,
                    pool: hold.pool,
                    reason,
                },
            )?;
        }
    }
    Ok(())
}

/// The seats that a change gives back.
pub(super) fn freed_by(
    change: &Change,
    campaign: &CampaignState,
) -> impl Iterator<Item = (Doses, Pool)> {
    let of_hold = |id: &HoldId| campaign.holds.get(id).map(|hold| (hold.doses, hold.pool));
    let of_booking = |person: &PersonKey, doses: Doses| {
        campaign
            .active_booking(person)
            .map(|booking| (doses, booking.pool))
    };
    let (hold, booking) = match change {
        Change::HoldPlaced { released, .. } | Change::Booked { released, .. } => {
            (released.as_ref().and_then(of_hold), None)
        }
        Change::HoldEnded { hold, .. } => (of_hold(hold), None),
        Change::Moved {
            person,
            from,
            released,
            ..
        } => (
            released.as_ref().and_then(of_hold),
            of_booking(person, *from),
        ),
        Change::Cancelled { person, doses, .. } => (None, of_booking(person, *doses)),
        _ => (None, None),
    };
    hold.into_iter().chain(booking)
}
