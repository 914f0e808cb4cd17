//! Booking, moving and cancelling; holding is in `holding`.
//!
//! Each call looks at published state first, so that what is refused costs no journal write, then
//! claims the seats, then asks the writer, which decides again at the entry's stamp.

mod agency;
mod holding;

use crate::crypto::{Sha256, sha256};

pub use self::agency::{AgencyAct, AgencyActs};
pub use self::holding::Held;

use super::entrance::paused;
use super::{Answered, Here, Refused, Service, too_many_changes};
use crate::availability::alternatives;
use crate::domain::booking::decide::{Ask, Request, Seat, repeated};
use crate::domain::booking::refusal::Refusal;
use crate::domain::campaign::eligibility::{Answer, Rule, Subject};
use crate::domain::entry::{Change, Doses, Entry, Idempotency};
use crate::domain::ids::{BookingNumber, HoldId, PersonKey, Pool, Seq, SlotIndex};
use crate::domain::line::Notice;
use crate::domain::roster::contact::{Contact, masked};
use crate::domain::state::{Booking, Status};
use crate::domain::time::Stamp;
use crate::engine::command::Outcome;
use crate::engine::in_flight::Flight;
use crate::seats::{Claim, SiteSeats};

/// Alternatives offered for a full slot.
const ALTERNATIVES_MAX: usize = 5;

/// Which seats a person asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    Hold(HoldId),
    Slot(SlotIndex),
}

/// What the published state says about a person's request.
struct Met {
    /// The entry that answered the same request before, also by an earlier process.
    answered: Option<Seq>,
    /// Why sessions are frozen, if they are.
    frozen: Option<Notice>,
    booking: Option<BookingNumber>,
    /// Until when the person may cause no change.
    spent_until: Option<Stamp>,
    now: Stamp,
}

impl Met {
    /// Refuses what changes bookings while an operator's pause freezes the sessions.
    fn is_not_frozen(&self, person: &PersonKey) -> Answered<()> {
        match &self.frozen {
            Some(reason) => Err(paused(person, reason.clone())),
            None => Ok(()),
        }
    }

    fn may_change(&self) -> Answered<()> {
        let spent = self.spent_until;
        spent.map_or(Ok(()), |until| Err(too_many_changes(until, self.now)))
    }
}

impl Service {
    /// Books. `agreed` is the version of the agency's file whose consent text the person agreed
    /// to; the journal keeps it with the booking.
    pub async fn book(
        &self,
        here: &Here,
        person: PersonKey,
        choice: Choice,
        key: Option<&str>,
        agreed: Option<u32>,
    ) -> Answered<Booking> {
        let flight = self.take_off(person).await?;
        // Not of what the person agreed to: who repeats the request after a newer text came into
        // force is told of the booking that they have.
        let idempotency = key.map(|key| idempotency(here, person, key, b'b', None, Some(choice)));
        let met = self.meet(here, &person, idempotency)?;
        if let Some(seq) = met.answered {
            return self.answer_of(here, seq);
        }
        met.is_not_frozen(&person)?;
        if let Some(number) = met.booking {
            return Err(Refused::AlreadyBooked(number));
        }
        let choice = self.own(here, &person, choice);
        let mut subject = None;
        if let Choice::Slot(_) = choice {
            subject = Some(self.check_rules(here, person)?);
            met.may_change()?;
        }
        let (seat, claim) = self.seat(here, choice)?;
        self.change(
            here,
            Request {
                person,
                ask: Ask::Book { seat, agreed },
                idempotency,
            },
            claim,
            subject,
            flight,
        )
        .await
    }

    pub async fn move_booking(
        &self,
        here: &Here,
        person: PersonKey,
        number: BookingNumber,
        choice: Choice,
        key: Option<&str>,
    ) -> Answered<Booking> {
        let flight = self.take_off(person).await?;
        let asked = |key| idempotency(here, person, key, b'm', Some(number), Some(choice));
        let idempotency = key.map(asked);
        let met = self.meet(here, &person, idempotency)?;
        if let Some(seq) = met.answered {
            return self.answer_of(here, seq);
        }
        met.is_not_frozen(&person)?;
        let choice = self.own(here, &person, choice);
        if let Choice::Slot(slot) = choice {
            let there = self.booked_in(here, &person, slot);
            if let Some(booking) = there.filter(|booking| booking.number == number) {
                return Ok(booking);
            }
            met.may_change()?;
        }
        let (seat, claim) = self.seat(here, choice)?;
        let ask = Ask::Move { number, seat };
        self.change(
            here,
            Request {
                person,
                ask,
                idempotency,
            },
            claim,
            None,
            flight,
        )
        .await
    }

    pub async fn cancel(
        &self,
        here: &Here,
        person: PersonKey,
        number: BookingNumber,
        key: Option<&str>,
    ) -> Answered<Booking> {
        let flight = self.take_off(person).await?;
        let idempotency = key.map(|key| idempotency(here, person, key, b'c', Some(number), None));
        let met = self.meet(here, &person, idempotency)?;
        if let Some(seq) = met.answered {
            return self.answer_of(here, seq);
        }
        met.is_not_frozen(&person)?;
        met.may_change()?;
        let ask = Ask::Cancel { number };
        self.change(
            here,
            Request {
                person,
                ask,
                idempotency,
            },
            None,
            None,
            flight,
        )
        .await
    }

    /// Until when somebody in session may make a first booking; none if they may not now.
    pub fn books_until(&self, here: &Here, person: &PersonKey) -> Option<Stamp> {
        let subject = here.offer.subject(person)?;
        let campaign = &here.offer.catalog.campaign;
        let decision = campaign.decide_in_session(&subject, here.now);
        let finish_s = 60 * i64::from(campaign.gate.finish_min);
        let open_until = match decision.rule {
            Rule::Open { .. } => decision.next_change,
            _ => decision.closed_at,
        };
        let until = open_until.map(|until| until.plus_s(finish_s));
        until.filter(|_| decision.answer == Answer::Eligible)
    }

    /// The operators' reason for a pause that freezes the sessions, while there is one.
    pub fn frozen(&self, here: &Here) -> Option<Notice> {
        let state = self.shared.state();
        let pause = state.campaign(here.index)?.gate.pause.as_ref();
        let freezes = pause.filter(|pause| pause.freezes);
        freezes.map(|pause| pause.reason.clone())
    }

    /// The person's booking, unless it was cancelled.
    pub fn active_booking(&self, here: &Here, person: &PersonKey) -> Option<Booking> {
        let state = self.shared.state();
        state.campaign(here.index)?.active_booking(person).copied()
    }

    /// The person's latest booking, also when it was cancelled, with the entry that last changed
    /// it.
    pub fn latest_booking(
        &self,
        here: &Here,
        person: &PersonKey,
    ) -> Answered<Option<(Booking, Entry)>> {
        let state = self.shared.state();
        let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
        let Some(booking) = campaign.latest_booking(person).copied() else {
            return Ok(None);
        };
        drop(state);
        Ok(Some((booking, self.entry(booking.seq)?)))
    }

    /// Whose session this is, so that they see that it is theirs: the name with most of it hidden,
    /// and the year of birth. None for somebody who left the roster.
    pub fn shown_self(&self, here: &Here, person: &PersonKey) -> Option<(String, i16)> {
        let born = here.offer.subject(person)?.born;
        let row = self.store.read().and_then(|read| read.vault(*person));
        let row = row.inspect_err(|fault| {
            tracing::error!(%fault, "a vault row can't be read");
        });
        let opened = self.keys.open(*person, &row.ok()??).ok()?;
        let contact = Contact::decode(&opened).ok()?;
        Some((masked(&contact.name), born.year()))
    }

    async fn change(
        &self,
        here: &Here,
        request: Request,
        claim: Option<Claim>,
        subject: Option<Subject>,
        flight: Flight,
    ) -> Answered<Booking> {
        match self.ask(here, request, claim, subject, flight).await? {
            Outcome::Booking(booking) => {
                here.gate.sessions.settle(&request.person);
                Ok(booking)
            }
            Outcome::Repeated(seq) => self.answer_of(here, seq),
            other => Err(self.refused(here, other)),
        }
    }

    /// Claims both seats of a slot and its second dose.
    fn claim(&self, here: &Here, slot: SlotIndex) -> Answered<(Doses, Claim)> {
        let catalog = &here.offer.catalog;
        let known = catalog.slot(slot).ok_or(Refused::NotFound)?;
        if known.start <= here.now {
            return Err(Refused::SlotPast);
        }
        let doses = Doses {
            first: slot,
            second: catalog.second_of(known),
        };
        let claim = catalog.is_offered(known, here.now).then(|| {
            let (seats, positions) = here.offer.seats_of(doses);
            SiteSeats::claim(seats, positions, Pool::Public)
        });
        let claim = claim.flatten();
        claim
            .map(|claim| (doses, claim))
            .ok_or_else(|| self.slot_full(here, slot))
    }

    /// What a person chose; a slot that they hold is their hold, so that it takes no second seat.
    fn own(&self, here: &Here, person: &PersonKey, choice: Choice) -> Choice {
        let Choice::Slot(slot) = choice else {
            return choice;
        };
        let held = self.held_in(here, person, slot);
        held.map_or(choice, |held| Choice::Hold(held.hold))
    }

    fn seat(&self, here: &Here, choice: Choice) -> Answered<(Seat, Option<Claim>)> {
        match choice {
            Choice::Hold(hold) => Ok((Seat::Held(hold), None)),
            Choice::Slot(slot) => {
                let (doses, claim) = self.claim(here, slot)?;
                Ok((Seat::Claimed(doses, Pool::Public), Some(claim)))
            }
        }
    }

    /// The person's booking, if its first dose is in this slot.
    fn booked_in(&self, here: &Here, person: &PersonKey, slot: SlotIndex) -> Option<Booking> {
        let booking = self.active_booking(here, person);
        booking.filter(|booking| booking.doses.first == slot)
    }

    /// The person as the rules see them, if they may book.
    fn check_rules(&self, here: &Here, person: PersonKey) -> Answered<Subject> {
        let subject = here.offer.subject(&person).ok_or(Refused::NotOnRoster)?;
        let decision = here
            .offer
            .catalog
            .campaign
            .decide_in_session(&subject, here.now);
        if decision.answer == Answer::Eligible {
            return Ok(subject);
        }
        self.note_refusal(here, person, &decision);
        Err(Refused::Rules(Box::new(decision)))
    }

    /// Whether seats of a slot are held and not booked yet.
    fn is_held(&self, here: &Here, slot: SlotIndex) -> bool {
        let state = self.shared.state();
        let usage = state
            .campaign(here.index)
            .and_then(|campaign| campaign.usage.get(slot.at()));
        usage.is_some_and(|usage| usage.held[Pool::Public as usize] > 0)
    }

    fn slot_full(&self, here: &Here, slot: SlotIndex) -> Refused {
        let (offer, now) = (&here.offer, here.now);
        let Some(known) = offer.catalog.slot(slot) else {
            return Refused::NotFound;
        };
        let seats = |site: crate::domain::ids::SiteIndex| &*offer.seats[site.at()];
        let look = || {
            let near = alternatives(&offer.catalog, seats, slot, now, ALTERNATIVES_MAX);
            (near, self.is_held(here, slot))
        };
        let kept = &offer.availability;
        Refused::SlotFull {
            slot,
            alternatives: kept.near(known.site, seats(known.site), slot, now, look),
        }
    }

    /// Reads everything that a person's request needs from the published state while its lock is
    /// held once. Every request takes this lock.
    fn meet(
        &self,
        here: &Here,
        person: &PersonKey,
        idempotency: Option<Idempotency>,
    ) -> Answered<Met> {
        let state = self.shared.state();
        let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
        let now = here.now.max(state.stamp);
        let answered = repeated(campaign, idempotency, now);
        let standing = campaign.standing(person);
        let booking = campaign.active_booking(person);
        let pause = campaign.gate.pause.as_ref().filter(|pause| pause.freezes);
        Ok(Met {
            answered: answered.map_err(|_| Refused::IdempotencyConflict)?,
            frozen: pause.map(|pause| pause.reason.clone()),
            booking: booking.map(|booking| booking.number),
            spent_until: standing.changes.spent_until(now),
            now,
        })
    }

    /// Reads an answer off the entry that recorded it.
    fn answer_of(&self, here: &Here, seq: Seq) -> Answered<Booking> {
        let entry = self.entry(seq)?;
        self.booking_of(here, &entry).ok_or(Refused::OutcomeUnknown)
    }

    /// An entry that the state knows.
    fn entry(&self, seq: Seq) -> Answered<Entry> {
        let entry = self.store.read().and_then(|read| read.entry(seq));
        let entry = entry.inspect_err(|fault| {
            tracing::error!(%seq, %fault, "an entry that the state knows can't be read");
        });
        entry.ok().flatten().ok_or(Refused::OutcomeUnknown)
    }

    /// The booking as it was after `entry`.
    fn booking_of(&self, here: &Here, entry: &Entry) -> Option<Booking> {
        let (number, doses, status) = match entry.change {
            Change::Booked { number, doses, .. } => (number, doses, Status::Booked),
            Change::Moved { number, to, .. } | Change::Relocated { number, to, .. } => {
                (number, to, Status::Booked)
            }
            Change::Cancelled { number, doses, .. } => (number, doses, Status::Cancelled),
            _ => return None,
        };
        let index = self.keys.booking_index(number)? as usize;
        let state = self.shared.state();
        let booking = *state.campaign(here.index)?.bookings.get(index)?;
        Some(Booking {
            doses,
            status,
            seq: entry.seq,
            ..booking
        })
    }

    fn refused(&self, here: &Here, outcome: Outcome) -> Refused {
        let refusal = match outcome {
            Outcome::Refused(refusal) => refusal,
            Outcome::Unknown => return Refused::OutcomeUnknown,
            other => unreachable!("{other:?} answers another question"),
        };
        match refusal {
            Refusal::IdempotencyConflict => Refused::IdempotencyConflict,
            Refusal::TooManyChanges(until) => too_many_changes(until, here.now),
            Refusal::NotFound => Refused::NotFound,
            Refusal::NoBooking => Refused::NoBooking,
            Refusal::AlreadyBooked(number) => Refused::AlreadyBooked(number),
            Refusal::HoldExpired => Refused::HoldExpired,
            Refusal::HoldExtended => Refused::HoldExtended,
            Refusal::ChangeDeadlinePassed(deadline) => Refused::ChangeDeadlinePassed(deadline),
            Refusal::Rules(decision) => Refused::Rules(decision),
            Refusal::NotOnRoster => Refused::NotOnRoster,
            Refusal::SlotPast => Refused::SlotPast,
            Refusal::SlotFull(slot) => self.slot_full(here, slot),
        }
    }
}

/// Marks a request so that its repetition is recognised: the key by person and campaign, the
/// request by what it asks for.
fn idempotency(
    here: &Here,
    person: PersonKey,
    key: &str,
    operation: u8,
    number: Option<BookingNumber>,
    choice: Option<Choice>,
) -> Idempotency {
    let mut context = Sha256::default();
    context.update(b"sumun idempotency v1");
    context.update(&here.index.0.to_be_bytes());
    context.update(&person.0);
    context.update(key.as_bytes());
    let named = context.finish();
    let mut request = [operation, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    request[1..9].copy_from_slice(&number.map_or(0, |number| number.0).to_be_bytes());
    let (kind, chosen) = match choice {
        None => (0, 0),
        Some(Choice::Hold(hold)) => (1, hold.0),
        Some(Choice::Slot(slot)) => (2, u64::from(slot.0)),
    };
    request[9] = kind;
    request[10..].copy_from_slice(&chosen.to_be_bytes());
    let request = sha256(&request);
    Idempotency {
        key: first(&named),
        request: first(&request),
    }
}

/// The first bytes of a digest.
fn first<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    *digest.first_chunk().expect("a SHA-256 has 32 bytes")
}
