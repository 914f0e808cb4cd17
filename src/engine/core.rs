//! The single writer's work, without its thread: decide, append, commit once, publish, answer.
//!
//! What a batch leaves over goes first in the next one. An operation is a batch of its own.
//! After a failed commit the core is done: every answer is `Outcome::Unknown`, and the process must
//! stop and recover.

use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::{Answer, Batch, end_holds, note_refusal};
use super::command::{Command, Outcome};
use super::import::lists::ListId;
use super::shared::{Offer, Shared};
use crate::clock::Clock;
use crate::domain::apply::{Contradiction, apply, apply_prepared};
use crate::domain::booking::decide::{Ask, Context, Request, Verdict, agreement, decide, repeated};
use crate::domain::booking::next::NextCatalog;
use crate::domain::booking::refusal::{Refusal, refused_for};
use crate::domain::campaign::eligibility::Subject;
use crate::domain::entry::{Actor, Change, Entry, GateAct};
use crate::domain::ids::{BookingNumber, CampaignIndex, HoldId, POOLS, PersonKey};
use crate::domain::line::GateSettings;
use crate::domain::state::State;
use crate::journal::Log as _;
use crate::journal::block::Block;
use crate::journal::store::{Store, StoreFault, Write};
use crate::keys::Keys;
use crate::seats::Claim;

/// A wall clock that moved less than this has been slewed or read a little late, not stepped.
const STEP_NOTICED_NS: i64 = 500_000_000;

/// Entries that are applied while readers wait: some twenty microseconds.
const APPLIED_AT_ONCE: usize = 16;

/// The writer's state. One exists for a data file.
pub struct Core {
    pub(super) store: Arc<Store>,
    pub(super) shared: Arc<Shared>,
    pub(super) keys: Arc<Keys>,
    pub(super) clock: Clock,
    /// The list whose pieces came last.
    pub(super) list: Option<ListId>,
    step_journalled_ns: i64,
    /// The start of a server, as far as it is in the journal.
    start: Start,
}

/// What the journal knows of the start of the process.
#[derive(Debug)]
enum Start {
    /// It is no server: it does one operation on a folder at rest.
    None,
    /// A server that has changed nothing yet, and its program.
    Silent(String),
    Told,
}

/// Why the writer ends.
#[derive(Debug, thiserror::Error)]
pub enum CommitFailed {
    /// What was in the batch may or may not be in the journal.
    #[error("the journal can't be written, stopping so that nothing is acknowledged: {0}")]
    Store(#[from] StoreFault),
    /// Nothing of the batch is in the journal.
    #[error("stopping before a commit that the journal could not be read after: {0}")]
    Contradiction(#[from] Contradiction),
}

impl Core {
    pub fn new(store: Arc<Store>, shared: Arc<Shared>, keys: Arc<Keys>, clock: Clock) -> Self {
        let step_journalled_ns = clock.wall_step_ns();
        store.sign_with(&keys);
        Self {
            store,
            shared,
            keys,
            clock,
            list: None,
            step_journalled_ns,
            start: Start::None,
        }
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Has the start of a server told in the journal, just before the first change that it makes. A
    /// server that changes nothing writes nothing: one that is started with a wrong clock, and
    /// stopped again, must not move the time of the entries.
    pub fn tell_start(&mut self, program: String) {
        self.start = Start::Silent(program);
    }

    /// Tells in the journal that the server stops in order, if its start is told there.
    pub fn tell_stop(&mut self) -> Result<(), CommitFailed> {
        match self.start {
            Start::Told => self.record(Change::Stopped {}),
            Start::None | Start::Silent(_) => Ok(()),
        }
    }

    fn record_start(&mut self) -> Result<(), CommitFailed> {
        if matches!(self.start, Start::Silent(_))
            && let Start::Silent(program) = std::mem::replace(&mut self.start, Start::Told)
        {
            self.record(Change::Started { program })?;
        }
        Ok(())
    }

    /// Ends the pauses that were until this start of the server.
    pub fn end_drains(&mut self) -> Result<(), CommitFailed> {
        let state = self.shared.state();
        let is_drained = |settings: &GateSettings| {
            let pause = settings.pause.as_ref();
            pause.is_some_and(|pause| pause.until_restart)
        };
        let known = state.campaigns.iter();
        let drained = known.filter(|campaign| is_drained(&campaign.gate));
        let drained: Vec<CampaignIndex> = drained.map(|campaign| campaign.catalog.index).collect();
        drop(state);
        for campaign in drained {
            self.record_start()?;
            let act = GateAct::Resume;
            self.record(Change::GateSet { campaign, act })?;
        }
        Ok(())
    }

    /// Handles what it can of `commands` in one commit, and what falls due by the clock.
    /// Commands that it leaves there are for the next step.
    pub fn step(&mut self, commands: &mut VecDeque<Command>) -> Result<(), CommitFailed> {
        if !commands.is_empty() {
            self.record_start()?;
        }
        if let Some(Command::Operate { .. }) = commands.front() {
            let Some(Command::Operate {
                actor,
                operation,
                reply,
            }) = commands.pop_front()
            else {
                unreachable!("the first command was just looked at");
            };
            return self.operate(&actor, operation, reply);
        }
        let stepped = self.wall_step();
        let mut batch = {
            let state = self.shared.state();
            let mut batch = Batch::after(&state, self.clock.now());
            if let Some(change) = stepped {
                batch.push_checked(&state, Actor::System, change)?;
            }
            end_holds(&state, &mut batch)?;
            let offers = self.shared.offers();
            let mut left = VecDeque::new();
            while let Some(command) = commands.pop_front() {
                if matches!(command, Command::Operate { .. }) {
                    commands.push_front(command);
                    break;
                }
                left.extend(self.consider(&state, &offers, &mut batch, command)?);
            }
            left.append(commands);
            *commands = left;
            batch
        };
        self.finish(&mut batch)?;
        Ok(())
    }

    /// Journals a change by the program itself.
    pub fn record(&mut self, change: Change) -> Result<(), CommitFailed> {
        let mut batch = self.batch();
        batch.push(Actor::System, change);
        self.finish_copied(&mut batch)
    }

    /// Fails once an operation beside the writer has: what is on the disk is not known any more.
    pub fn check_store(&self) -> Result<(), CommitFailed> {
        if self.store.has_failed() {
            return Err(CommitFailed::Store(StoreFault::Failed));
        }
        Ok(())
    }

    /// Settles everything and closes the data file: it is whole without its tail, and the head of
    /// its last entry is signed.
    pub fn close(&mut self) -> Result<(), CommitFailed> {
        self.store.close().map_err(CommitFailed::Store)
    }

    pub(super) fn batch(&self) -> Batch {
        let state = self.shared.state();
        Batch::after(&state, self.clock.now())
    }

    /// The step of the wall clock since the last one that was journalled, if it is one.
    fn wall_step(&mut self) -> Option<Change> {
        let away_ns = self.clock.wall_step_ns();
        let step_ns = away_ns - self.step_journalled_ns;
        if step_ns.abs() < STEP_NOTICED_NS {
            return None;
        }
        self.step_journalled_ns = away_ns;
        tracing::warn!(
            step_ms = step_ns / 1_000_000,
            "the wall clock stepped; not followed"
        );
        Some(Change::ClockStepped { step_ns })
    }

    /// Decides one command; gives it back if it has to wait for the next batch.
    fn consider(
        &self,
        state: &State,
        offers: &[Arc<Offer>],
        batch: &mut Batch,
        command: Command,
    ) -> Result<Option<Command>, Contradiction> {
        match command {
            Command::Ask {
                campaign,
                request,
                claim,
                seen,
                flight,
                reply,
            } => {
                if batch.people.contains(&request.person) {
                    return Ok(Some(Command::Ask {
                        campaign,
                        request,
                        claim,
                        seen,
                        flight,
                        reply,
                    }));
                }
                batch.people.insert(request.person);
                batch.flights.extend(flight);
                let offer = &offers[campaign.at()];
                // The roster is searched once, unless another offer was published since.
                let seen = seen.filter(|seen| Arc::ptr_eq(&seen.offer, offer));
                let subject = || match &seen {
                    Some(seen) => Some(seen.subject),
                    None => offer.subject(&request.person),
                };
                let answer = self.ask(state, &subject, batch, campaign, request, claim)?;
                batch.answers.push((reply, answer));
            }
            Command::NoteRefusal {
                campaign,
                person,
                rules,
                reason,
            } => {
                note_refusal(state, batch, campaign, person, rules, reason)?;
            }
            Command::Keep { change, reply } => {
                let of_line = change.line();
                if of_line.is_some_and(|line| batch.ahead.changes_line(line)) {
                    return Ok(Some(Command::Keep { change, reply }));
                }
                // A keeper that asks for what can't be is told so, and nothing of it is journalled.
                let kept = match batch.push_checked(state, Actor::System, change) {
                    Ok(()) => Outcome::Kept,
                    Err(contradiction) => {
                        tracing::error!(%contradiction, "the keeper contradicts the journal");
                        Outcome::Contradicts
                    }
                };
                batch.answers.push((reply, Answer::Known(kept)));
            }
            Command::Operate { .. } => unreachable!("operations are batches of their own"),
        }
        Ok(None)
    }

    fn ask(
        &self,
        state: &State,
        subject: &dyn Fn() -> Option<Subject>,
        batch: &mut Batch,
        index: CampaignIndex,
        request: Request,
        claim: Option<Claim>,
    ) -> Result<Answer, Contradiction> {
        let campaign = state
            .campaign(index)
            .expect("an offer is published for known campaigns");
        let made = batch.booked.get(&index).copied().unwrap_or(0);
        let next_number = match request.ask {
            Ask::Book { .. } => self
                .keys
                .booking_number(campaign.bookings.len() as u64 + made),
            _ => BookingNumber(0),
        };
        let context = Context {
            campaign,
            subject,
            now: batch.stamp,
            next_number,
        };
        // Nobody claims seats for what was answered before; by now it may be forgotten.
        let free_seats = request.ask.free_seats();
        if let Some((doses, _)) = free_seats
            && claim.is_none()
            && repeated(campaign, request.idempotency, batch.stamp) == Ok(None)
        {
            let refusal = Refusal::SlotFull(doses.first);
            return Ok(Answer::Known(Outcome::Refused(refusal)));
        }
        let change = match decide(&context, &request) {
            Verdict::Change(change) => change,
            Verdict::Repeated(seq) => return Ok(Answer::Known(Outcome::Repeated(seq))),
            Verdict::Refused(refusal) => {
                if let Refusal::Rules(decision) = &refusal
                    && let Some(reason) = refused_for(decision.answer)
                {
                    let rules = campaign.catalog.version();
                    note_refusal(state, batch, index, request.person, rules, reason)?;
                }
                return Ok(Answer::Known(Outcome::Refused(refusal)));
            }
        };
        batch.claims.extend(claim.filter(|_| free_seats.is_some()));
        batch.free(&change, campaign);
        if matches!(change, Change::Booked { .. }) {
            *batch.booked.entry(index).or_default() += 1;
            if let Some(agreed) = agreement(campaign, &request) {
                batch.push_checked(state, Actor::Citizen, agreed)?;
            }
        }
        batch.push_checked(state, Actor::Citizen, change)?;
        Ok(Answer::OfEntry(batch.entries.len() - 1))
    }

    /// Commits a batch, publishes it, and only then answers. Its entries were checked.
    pub(super) fn finish(&mut self, batch: &mut Batch) -> Result<(), CommitFailed> {
        if let Some(block) = batch.take_block()
            && let Err(fault) = self.store.append(block)
        {
            return Err(unknown(batch, fault));
        }
        // All of it is durable: readers may see a part before the rest.
        for entries in batch.entries.chunks(APPLIED_AT_ONCE) {
            let mut state = self.shared.change();
            for (entry, hash) in entries {
                apply(&mut state, entry, *hash).expect("the entry was checked before its commit");
            }
        }
        self.answer(batch);
        Ok(())
    }

    /// Commits a batch whose entries are applied to a copy of the state first.
    pub(super) fn finish_copied(&mut self, batch: &mut Batch) -> Result<(), CommitFailed> {
        self.finish_copied_prepared(batch, None)
    }

    /// The same, with what was made for the last entry.
    pub(super) fn finish_copied_prepared(
        &mut self,
        batch: &mut Batch,
        next: Option<&mut NextCatalog>,
    ) -> Result<(), CommitFailed> {
        self.finish_copied_by(batch, next, |store, block| store.append(block))
    }

    /// The same, together with changes of other tables than the journal.
    pub(super) fn finish_copied_with(
        &mut self,
        batch: &mut Batch,
        also: impl FnOnce(&Write) -> Result<(), StoreFault>,
    ) -> Result<(), CommitFailed> {
        self.finish_copied_by(batch, None, |store, block| store.append_with(&block, also))
    }

    fn finish_copied_by(
        &mut self,
        batch: &mut Batch,
        mut prepared: Option<&mut NextCatalog>,
        append: impl FnOnce(&Store, Block) -> Result<(), StoreFault>,
    ) -> Result<(), CommitFailed> {
        let Some(block) = batch.take_block() else {
            self.answer(batch);
            return Ok(());
        };
        let mut next = self.shared.state().clone();
        for (entry, hash) in &batch.entries {
            match prepared.as_deref_mut() {
                Some(prepared) => apply_prepared(&mut next, entry, *hash, prepared)?,
                None => apply(&mut next, entry, *hash)?,
            }
        }
        if let Err(fault) = append(&self.store, block) {
            return Err(unknown(batch, fault));
        }
        std::mem::swap(&mut *self.shared.change(), &mut next);
        // The state before is given up here, while nobody waits for it.
        drop(next);
        self.answer(batch);
        Ok(())
    }

    /// Tells what a committed batch did: to the seats, and to those who wait for its answers.
    fn answer(&self, batch: &mut Batch) {
        batch.claims.drain(..).for_each(Claim::keep);
        let offers = self.shared.offers();
        for (campaign, slot, pool) in batch.freed.drain(..) {
            let (seats, position) = offers[campaign.at()].seat_of(slot);
            seats.give_back(position, pool);
        }
        let state = self.shared.state();
        // Whoever is answered may ask again at once.
        batch.flights.clear();
        for (entry, _) in &batch.entries {
            assert_seats(&state, &offers, &entry.change);
        }
        for (reply, answer) in batch.answers.drain(..) {
            let outcome = match answer {
                Answer::Known(outcome) => outcome,
                Answer::OfEntry(at) => outcome_of(&state, &self.keys, &batch.entries[at].0),
            };
            // Whoever hung up changes nothing: the entry stands.
            let _ = reply.send(outcome);
        }
    }
}

/// Answers that the outcome of a batch is unknown.
fn unknown(batch: &mut Batch, fault: StoreFault) -> CommitFailed {
    for (reply, _) in batch.answers.drain(..) {
        let _ = reply.send(Outcome::Unknown);
    }
    CommitFailed::Store(fault)
}

/// What the counters promise: seats in use and free seats never exceed the capacity of any pool.
fn assert_seats(state: &State, offers: &[Arc<Offer>], change: &Change) {
    let (campaign, doses) = match change {
        Change::HoldPlaced {
            campaign, doses, ..
        }
        | Change::Booked {
            campaign, doses, ..
        }
        | Change::Moved {
            campaign,
            to: doses,
            ..
        }
        | Change::MoveOffered {
            campaign,
            to: doses,
            ..
        }
        | Change::Relocated {
            campaign,
            to: doses,
            ..
        }
        | Change::Cancelled {
            campaign, doses, ..
        } => (*campaign, *doses),
        _ => return,
    };
    let offer = &offers[campaign.at()];
    for slot in doses.slots() {
        let (seats, _) = offer.seat_of(slot);
        let known = offer.catalog.slots[slot.at()];
        let usage = state.campaigns[campaign.at()].usage[slot.at()];
        let free = seats.look(|free| free[known.position as usize]);
        for pool in 0..POOLS {
            let used = u32::from(usage.booked[pool]) + u32::from(usage.held[pool]);
            let free = u32::from(free[pool]);
            assert!(
                used + free <= u32::from(known.capacity[pool]),
                "slot {slot}: {used} seats in use and {free} free are more than its capacity"
            );
        }
    }
}

fn outcome_of(state: &State, keys: &Keys, entry: &Entry) -> Outcome {
    let booking = |campaign: &CampaignIndex, person: &PersonKey| {
        let campaign = &state.campaigns[campaign.at()];
        *campaign
            .active_booking(person)
            .expect("the entry just applied made it")
    };
    match &entry.change {
        Change::HoldPlaced { doses, until, .. } => Outcome::Held {
            hold: HoldId(entry.seq.0),
            doses: *doses,
            until: *until,
        },
        Change::HoldExtended {
            campaign,
            hold,
            until,
            ..
        } => Outcome::Held {
            hold: *hold,
            doses: state.campaigns[campaign.at()].holds[hold].doses,
            until: *until,
        },
        Change::HoldEnded { .. } => Outcome::Released,
        Change::Booked {
            campaign, person, ..
        }
        | Change::Moved {
            campaign, person, ..
        } => Outcome::Booking(booking(campaign, person)),
        Change::Cancelled {
            campaign, number, ..
        } => {
            let bookings = &state.campaigns[campaign.at()].bookings;
            let index = keys
                .booking_index(*number)
                .expect("the number was made by these keys");
            Outcome::Booking(bookings[index as usize])
        }
        other => unreachable!("{other:?} answers nobody"),
    }
}
