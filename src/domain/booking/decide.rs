//! Decides a person's request against committed state: the change to record, or a refusal.
//!
//! Pure. The writer calls it with the stamp that the entry will carry, so nobody is let in by an
//! earlier look. The order of the checks is the order of `Refusal`.

use crate::domain::booking::refusal::Refusal;
use crate::domain::campaign::eligibility::{Decision, Subject};
use crate::domain::entry::{Change, Doses, Idempotency};
use crate::domain::ids::{BookingNumber, HoldId, PersonKey, Pool, Seq};
use crate::domain::state::{Booking, CampaignState, Hold};
use crate::domain::time::Stamp;

/// Which seats a request is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seat {
    /// Those of the person's own hold.
    Held(HoldId),
    /// Free ones, already claimed for this request.
    Claimed(Doses, Pool),
}

/// What a person asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    Hold {
        doses: Doses,
        pool: Pool,
    },
    Release {
        hold: HoldId,
    },
    /// More time for a hold, once.
    Extend {
        hold: HoldId,
    },
    /// `agreed` is the version of the agency's file whose consent text the person agreed to.
    Book {
        seat: Seat,
        agreed: Option<u32>,
    },
    Move {
        number: BookingNumber,
        seat: Seat,
    },
    Cancel {
        number: BookingNumber,
    },
}

impl Ask {
    /// The free seats that it takes, which have to be claimed for it.
    pub fn free_seats(&self) -> Option<(Doses, Pool)> {
        match *self {
            Self::Hold { doses, pool } => Some((doses, pool)),
            Self::Book { seat, .. } | Self::Move { seat, .. } => match seat {
                Seat::Claimed(doses, pool) => Some((doses, pool)),
                Seat::Held(_) => None,
            },
            Self::Release { .. } | Self::Extend { .. } | Self::Cancel { .. } => None,
        }
    }
}

/// A request of one person in one campaign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    pub person: PersonKey,
    pub ask: Ask,
    pub idempotency: Option<Idempotency>,
}

/// What comes of a request.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    Change(Change),
    /// The same request was answered before, by this entry.
    Repeated(Seq),
    Refused(Refusal),
}

/// What the writer knows besides the state.
pub struct Context<'a> {
    pub campaign: &'a CampaignState,
    /// The roster's word on the person; none if they are not on it. Asked for where rules decide.
    pub subject: &'a dyn Fn() -> Option<Subject>,
    /// The stamp of the entry to be.
    pub now: Stamp,
    /// The number that the next booking gets.
    pub next_number: BookingNumber,
}

pub fn decide(context: &Context<'_>, request: &Request) -> Verdict {
    match repeated(context.campaign, request.idempotency, context.now) {
        Ok(None) => {}
        Ok(Some(seq)) => return Verdict::Repeated(seq),
        Err(refusal) => return Verdict::Refused(refusal),
    }
    if let Err(refusal) = within_bound(context.campaign, request, context.now) {
        return Verdict::Refused(refusal);
    }
    match context.change(request) {
        Ok(change) => Verdict::Change(change),
        Err(refusal) => Verdict::Refused(refusal),
    }
}

/// What stands before the entry of a booking: that its person agreed to the agency's text. A
/// version that was never in force is left out: it hinders nobody.
pub fn agreement(campaign: &CampaignState, request: &Request) -> Option<Change> {
    let Ask::Book { agreed, .. } = request.ask else {
        return None;
    };
    let agency = agreed.filter(|version| campaign.had_agency(*version))?;
    Some(Change::Agreed {
        campaign: campaign.catalog.index,
        person: request.person,
        agency,
    })
}

/// Whether the person may cause another change in this hour. Whoever confirms a hold may always:
/// nobody loses a seat that was promised to them.
pub fn within_bound(
    campaign: &CampaignState,
    request: &Request,
    now: Stamp,
) -> Result<(), Refusal> {
    if let Ask::Book {
        seat: Seat::Held(_),
        ..
    }
    | Ask::Move {
        seat: Seat::Held(_),
        ..
    } = request.ask
    {
        return Ok(());
    }
    let changes = campaign.standing(&request.person).changes;
    let spent = changes.spent_until(now);
    spent.map_or(Ok(()), |until| Err(Refusal::TooManyChanges(until)))
}

/// The entry that answered this request before, if one did in the last 24 hours.
pub fn repeated(
    campaign: &CampaignState,
    idempotency: Option<Idempotency>,
    now: Stamp,
) -> Result<Option<Seq>, Refusal> {
    let Some(Idempotency { key, request }) = idempotency else {
        return Ok(None);
    };
    match campaign.repeats.get(&key, now) {
        None => Ok(None),
        Some(repeat) if repeat.request == request => Ok(Some(repeat.seq)),
        Some(_) => Err(Refusal::IdempotencyConflict),
    }
}

impl Context<'_> {
    fn change(&self, request: &Request) -> Result<Change, Refusal> {
        let person = request.person;
        let campaign = self.campaign.catalog.index;
        let idempotency = request.idempotency;
        match request.ask {
            Ask::Hold { doses, pool } => {
                self.may_hold(&person)?;
                self.offered(doses)?;
                let until = self.now.plus_s(i64::from(self.rules().booking.hold_s));
                let released = self.running_hold(&person);
                Ok(Change::HoldPlaced {
                    campaign,
                    person,
                    doses,
                    pool,
                    until,
                    released,
                })
            }
            Ask::Release { hold } => {
                let reason = crate::domain::entry::HoldEnd::Released;
                Ok(Change::HoldEnded {
                    campaign,
                    person,
                    hold,
                    pool: self.kept(&person, hold)?.pool,
                    reason,
                })
            }
            Ask::Extend { hold } => Ok(Change::HoldExtended {
                campaign,
                person,
                hold,
                until: self.extended(&person, hold)?,
            }),
            Ask::Book { seat, .. } => {
                if let Some(booking) = self.campaign.active_booking(&person) {
                    return Err(Refusal::AlreadyBooked(booking.number));
                }
                let (doses, pool, hold) = self.seat(&person, seat, true)?;
                Ok(Change::Booked {
                    campaign,
                    person,
                    number: self.next_number,
                    doses,
                    pool,
                    hold,
                    released: self.running_hold(&person).filter(|_| hold.is_none()),
                    rules: self.campaign.catalog.version(),
                    idempotency,
                })
            }
            Ask::Move { number, seat } => {
                let booking = match seat {
                    // The agency asked them to answer.
                    Seat::Held(id) if self.is_offered(&person, id) => self.own(&person, number)?,
                    _ => self.changeable(&person, number)?,
                };
                // Whoever has a booking may change it although their opening is over.
                let (to, pool, hold) = self.seat(&person, seat, false)?;
                if pool != booking.pool {
                    return Err(Refusal::NotFound);
                }
                // The offer stood for the seats that are given back: it ends, and so does what was
                // looked at beside it.
                let offer = self.running_offer(&person);
                let released = match (offer, hold) {
                    (None, None) => self.running_hold(&person),
                    (Some(offer), Some(hold)) if offer == hold => self.running_hold(&person),
                    _ => offer,
                };
                let from = booking.doses;
                Ok(Change::Moved {
                    campaign,
                    person,
                    number,
                    from,
                    to,
                    pool,
                    hold,
                    released,
                    idempotency,
                })
            }
            Ask::Cancel { number } => {
                let Booking { doses, pool, .. } = *self.changeable(&person, number)?;
                Ok(Change::Cancelled {
                    campaign,
                    person,
                    number,
                    doses,
                    pool,
                    idempotency,
                })
            }
        }
    }

    fn rules(&self) -> &crate::domain::campaign::Campaign {
        &self.campaign.catalog.campaign
    }

    /// What the rules say of the person at the entry's stamp.
    fn eligible(&self) -> Result<(), Refusal> {
        let subject = (self.subject)().ok_or(Refusal::NotOnRoster)?;
        let decision: Decision = self.rules().decide_in_session(&subject, self.now);
        Refusal::by_rules(&decision).map_or(Ok(()), Err)
    }

    /// A hold is for a first booking, which the rules must allow, or for moving one in time.
    fn may_hold(&self, person: &PersonKey) -> Result<(), Refusal> {
        match self.campaign.active_booking(person) {
            Some(booking) => self.in_time(booking),
            None => self.eligible(),
        }
    }

    /// The later end of a hold: each may be extended once, by what the campaign says.
    fn extended(&self, person: &PersonKey, hold: HoldId) -> Result<Stamp, Refusal> {
        let running = self.campaign.running_hold(person, self.now);
        let (_, held) = running
            .filter(|(id, _)| *id == hold)
            .ok_or(Refusal::HoldExpired)?;
        let extend_s = self.rules().booking.hold_extend_s;
        if held.extended || extend_s == 0 {
            return Err(Refusal::HoldExtended);
        }
        Ok(held.until.plus_s(i64::from(extend_s)))
    }

    /// The seats asked for. A hold is a promise: its seats need no further look at the rules.
    fn seat(
        &self,
        person: &PersonKey,
        seat: Seat,
        by_rules: bool,
    ) -> Result<(Doses, Pool, Option<HoldId>), Refusal> {
        match seat {
            Seat::Held(id) => {
                let hold = self.kept(person, id)?;
                Ok((hold.doses, hold.pool, Some(id)))
            }
            Seat::Claimed(doses, pool) => {
                if by_rules {
                    self.eligible()?;
                }
                self.offered(doses)?;
                Ok((doses, pool, None))
            }
        }
    }

    fn offered(&self, doses: Doses) -> Result<(), Refusal> {
        let catalog = &self.campaign.catalog;
        let slot = catalog.slot(doses.first).ok_or(Refusal::NotFound)?;
        if slot.start <= self.now {
            return Err(Refusal::SlotPast);
        }
        let offered = catalog.is_offered(slot, self.now) && catalog.second_of(slot) == doses.second;
        if offered {
            Ok(())
        } else {
            Err(Refusal::SlotFull(doses.first))
        }
    }

    /// Whether this hold runs and is what the agency offers the person.
    fn is_offered(&self, person: &PersonKey, hold: HoldId) -> bool {
        self.running_offer(person) == Some(hold)
    }

    fn own(&self, person: &PersonKey, number: BookingNumber) -> Result<&Booking, Refusal> {
        let booking = self.campaign.active_booking(person);
        let booking = booking.filter(|booking| booking.number == number);
        booking.ok_or(Refusal::NoBooking)
    }

    fn changeable(&self, person: &PersonKey, number: BookingNumber) -> Result<&Booking, Refusal> {
        let booking = self.own(person, number)?;
        self.in_time(booking)?;
        Ok(booking)
    }

    fn in_time(&self, booking: &Booking) -> Result<(), Refusal> {
        let deadline = self.campaign.change_deadline(booking, self.now);
        if self.now < deadline {
            Ok(())
        } else {
            Err(Refusal::ChangeDeadlinePassed(deadline))
        }
    }

    fn running_hold(&self, person: &PersonKey) -> Option<HoldId> {
        self.campaign
            .running_hold(person, self.now)
            .map(|(id, _)| id)
    }

    fn running_offer(&self, person: &PersonKey) -> Option<HoldId> {
        self.campaign
            .running_offer(person, self.now)
            .map(|(id, _)| id)
    }

    /// What is kept for the person under this number: their own hold or the agency's offer.
    fn kept(&self, person: &PersonKey, id: HoldId) -> Result<&Hold, Refusal> {
        let own = self.campaign.running_hold(person, self.now);
        let offer = self.campaign.running_offer(person, self.now);
        let mut kept = [own, offer].into_iter().flatten();
        let kept = kept.find_map(|(running, hold)| (running == id).then_some(hold));
        kept.ok_or(Refusal::HoldExpired)
    }
}

#[cfg(test)]
mod tests;
