//! A batch: the entries of one commit, and who waits for them.
//!
//! It holds at most one command of a person, so every decision in it is made against committed
//! state.

use std::collections::{HashMap, HashSet};

use tokio::sync::oneshot;

use super::command::Outcome;
use super::in_flight::Flight;
use crate::domain::apply::{Ahead, Contradiction};
use crate::domain::booking::relocation::Unanswered;
use crate::domain::entry::{Actor, Change, ENTRY_BYTES_MAX, Entry, Hash, HoldEnd, RefusedFor};
use crate::domain::ids::{CampaignIndex, HoldId, PersonKey, Pool, Seq, SlotIndex};
use crate::domain::state::{CampaignState, Hold, KeyHash, State, refusal_mark};
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
    pub(super) freed: Vec<(CampaignIndex, SlotIndex, Pool)>,
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

    /// Notes the seats that a change gives back.
    pub(super) fn free(&mut self, change: &Change, campaign: &CampaignState) {
        let index = campaign.catalog.index;
        let freed = freed_by(change, campaign).into_iter();
        self.freed
            .extend(freed.map(|(slot, pool)| (index, slot, pool)));
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

/// Ends the holds whose time is up at the batch's stamp. An offer of the agency may end with the
/// booking moved to it.
pub(super) fn end_holds(state: &State, batch: &mut Batch) -> Result<(), Contradiction> {
    for campaign in &state.campaigns {
        for &(until, id) in &campaign.holds_by_end {
            if campaign.hold_time(batch.stamp) < until {
                break;
            }
            let hold = &campaign.holds[&id];
            // The request of somebody whose offer ends is for the next batch: it would count on an
            // offer that is gone by then, or on seats that are not the booking's any more.
            if hold.offered_by.is_some() && !batch.people.insert(hold.person) {
                continue;
            }
            let expired = || Change::HoldEnded {
                campaign: campaign.catalog.index,
                person: hold.person,
                hold: id,
                pool: hold.pool,
                reason: HoldEnd::Expired,
            };
            let change = moved_at_last(campaign, id, hold).unwrap_or_else(expired);
            batch.free(&change, campaign);
            batch.push_checked(state, Actor::System, change)?;
        }
    }
    Ok(())
}

/// The change that moves a booking to what its person was offered, if that is what becomes of those
/// who do not answer.
fn moved_at_last(campaign: &CampaignState, id: HoldId, hold: &Hold) -> Option<Change> {
    let relocation = hold.offered_by?;
    let known = campaign.relocation(relocation)?;
    if known.unanswered != Unanswered::Moved {
        return None;
    }
    let booking = campaign.active_booking(&hold.person)?;
    Some(Change::Relocated {
        campaign: campaign.catalog.index,
        relocation,
        person: hold.person,
        number: booking.number,
        from: booking.doses,
        to: hold.doses,
        pool: hold.pool,
        hold: Some(id),
        released: None,
    })
}

/// The seats that a change gives back.
fn freed_by(change: &Change, campaign: &CampaignState) -> Vec<(SlotIndex, Pool)> {
    let of_hold = |id: &HoldId| {
        let hold = campaign.holds.get(id);
        let seats = hold.map(|hold| hold.seats().map(move |slot| (slot, hold.pool)));
        seats.into_iter().flatten()
    };
    let pool_of = |person: &PersonKey| {
        let booking = campaign.active_booking(person);
        booking.map_or(Pool::Public, |booking| booking.pool)
    };
    match change {
        Change::HoldPlaced { released, .. }
        | Change::Booked { released, .. }
        | Change::MoveOffered { released, .. } => released.iter().flat_map(of_hold).collect(),
        Change::HoldEnded { hold, .. } => of_hold(hold).collect(),
        Change::Moved {
            person,
            from,
            to,
            hold,
            released,
            ..
        } => {
            let pool = pool_of(person);
            // Both seats were claimed or held, also one that the booking has already; an offer
            // holds no second seat where it has one.
            let stays = hold.and_then(|id| campaign.holds.get(&id)?.stays);
            let given = from.slots().filter(|slot| Some(*slot) != stays);
            assert!(
                stays.is_none_or(|slot| to.has(slot)),
                "an offer stays where its seats are"
            );
            let given = given.map(|slot| (slot, pool));
            released.iter().flat_map(of_hold).chain(given).collect()
        }
        Change::Relocated {
            person,
            from,
            to,
            released,
            ..
        } => {
            let pool = pool_of(person);
            let given = from.beyond(*to).map(|slot| (slot, pool));
            released.iter().flat_map(of_hold).chain(given).collect()
        }
        Change::Cancelled { person, doses, .. } => {
            let pool = pool_of(person);
            let offer = campaign.standing(person).offer;
            let given = doses.slots().map(|slot| (slot, pool));
            offer.iter().flat_map(of_hold).chain(given).collect()
        }
        _ => Vec::new(),
    }
}
