//! Keeping a slot for a person while they decide: placing a hold, extending it and giving it back.

use super::{Answered, Here, Refused, Service};
use crate::domain::booking::decide::{Ask, Request};
use crate::domain::entry::Doses;
use crate::domain::ids::{HoldId, PersonKey, Pool, SlotIndex};
use crate::domain::state::Hold;
use crate::domain::time::Stamp;
use crate::engine::command::Outcome;

/// A hold as its person sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    pub hold: HoldId,
    pub doses: Doses,
    pub until: Stamp,
    /// Whether it was extended, which the person can do once.
    pub extended: bool,
}

impl Held {
    fn of((id, hold): (HoldId, &Hold)) -> Self {
        Self {
            hold: id,
            doses: hold.doses,
            until: hold.until,
            extended: hold.extended,
        }
    }

    pub fn may_extend(&self, here: &Here) -> bool {
        !self.extended && here.offer.catalog.campaign.booking.hold_extend_s > 0
    }
}

impl Service {
    pub async fn hold(&self, here: &Here, person: PersonKey, slot: SlotIndex) -> Answered<Held> {
        let flight = self.take_off(person).await?;
        let met = self.meet(here, &person, None)?;
        met.is_not_frozen(&person)?;
        let subject = match met.booking {
            None => Some(self.check_rules(here, person)?),
            Some(_) => None,
        };
        // What is theirs already takes no second seat.
        if let Some(held) = self.held_in(here, &person, slot) {
            return Ok(held);
        }
        if let Some(booking) = self.booked_in(here, &person, slot) {
            return Err(Refused::AlreadyBooked(booking.number));
        }
        met.may_change()?;
        let (doses, claim) = self.claim(here, slot)?;
        let ask = Ask::Hold {
            doses,
            pool: Pool::Public,
        };
        let request = unkeyed(person, ask);
        let asked = self.ask(here, request, Some(claim), subject, flight);
        self.held(here, asked.await?, false)
    }

    /// Gives the person more time to decide, once for each hold.
    pub async fn extend(&self, here: &Here, person: PersonKey, hold: HoldId) -> Answered<Held> {
        let flight = self.take_off(person).await?;
        let met = self.meet(here, &person, None)?;
        met.is_not_frozen(&person)?;
        met.may_change()?;
        let request = unkeyed(person, Ask::Extend { hold });
        let asked = self.ask(here, request, None, None, flight);
        self.held(here, asked.await?, true)
    }

    pub async fn release(&self, here: &Here, person: PersonKey, hold: HoldId) -> Answered<()> {
        let flight = self.take_off(person).await?;
        self.meet(here, &person, None)?.may_change()?;
        let request = unkeyed(person, Ask::Release { hold });
        match self.ask(here, request, None, None, flight).await? {
            Outcome::Released => Ok(()),
            other => Err(self.refused(here, other)),
        }
    }

    /// The person's own hold, while it runs.
    pub fn running_hold(&self, here: &Here, person: &PersonKey) -> Option<Held> {
        let state = self.shared.state();
        let running = state.campaign(here.index)?.running_hold(person, here.now);
        running.map(Held::of)
    }

    /// What the agency offers the person instead of their booking, while the offer runs.
    pub fn running_offer(&self, here: &Here, person: &PersonKey) -> Option<Held> {
        let state = self.shared.state();
        let running = state.campaign(here.index)?.running_offer(person, here.now);
        running.map(Held::of)
    }

    /// What is kept for the person in a slot: their own hold, or the agency's offer.
    pub(super) fn held_in(&self, here: &Here, person: &PersonKey, slot: SlotIndex) -> Option<Held> {
        let is_it = |held: &Held| held.doses.first == slot;
        let own = self.running_hold(here, person).filter(is_it);
        own.or_else(|| self.running_offer(here, person).filter(is_it))
    }

    fn held(&self, here: &Here, outcome: Outcome, extended: bool) -> Answered<Held> {
        match outcome {
            Outcome::Held { hold, doses, until } => Ok(Held {
                hold,
                doses,
                until,
                extended,
            }),
            other => Err(self.refused(here, other)),
        }
    }
}

/// A request that changes nothing more when it is repeated, so that it needs no key.
fn unkeyed(person: PersonKey, ask: Ask) -> Request {
    Request {
        person,
        ask,
        idempotency: None,
    }
}
