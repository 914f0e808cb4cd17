//! What must come of one person's request.

use sumun::domain::booking::decide::{Ask, Request, Seat};
use sumun::domain::booking::refusal::Refusal;
use sumun::domain::entry::{Actor, Change, Doses, HoldEnd};
use sumun::domain::ids::{BookingNumber, CampaignIndex, HoldId, PersonKey, Pool, Seq};
use sumun::domain::state::{Booking, Status};
use sumun::domain::time::Stamp;
use sumun::engine::command::Outcome;

use super::{Holding, Pass, Programme, Said, no};
use crate::world::{DAY, SECOND, keys};

impl Pass {
    pub(super) fn ask(
        &mut self,
        at: usize,
        request: &Request,
        claimed: bool,
    ) -> Result<Said, Said> {
        let (now, person) = (self.now, request.person);
        let idempotency = request.idempotency;
        let here = &self.world.campaigns[at];
        if let Some(mark) = idempotency {
            let answered = here.answered.get(&mark.key);
            match answered.filter(|(.., stamp)| now.0 - stamp.0 < DAY) {
                Some((asked, seq, _)) if *asked == mark.request => {
                    return Ok(Said::Exactly(Outcome::Repeated(Seq(*seq))));
                }
                Some(_) => return Err(no(Refusal::IdempotencyConflict)),
                None => {}
            }
        }
        if let Some((doses, _)) = request.ask.free_seats().filter(|_| !claimed) {
            return Err(no(Refusal::SlotFull(doses.first)));
        }
        let confirms = matches!(
            request.ask,
            Ask::Book {
                seat: Seat::Held(_),
                ..
            } | Ask::Move {
                seat: Seat::Held(_),
                ..
            }
        );
        if let Some(until) = here.spent_until(&person, now).filter(|_| !confirms) {
            return Err(no(Refusal::TooManyChanges(until)));
        }
        let said = self.change(at, request)?;
        let changed = &mut self.world.campaigns[at].changed;
        changed.entry(person).or_default().push(now);
        Ok(said)
    }

    fn change(&mut self, at: usize, request: &Request) -> Result<Said, Said> {
        let (now, person) = (self.now, request.person);
        let campaign = CampaignIndex(at as u16);
        let idempotency = request.idempotency;
        let here = &self.world.campaigns[at];
        let active = here.active(&person);
        let own = here.hold_of(&person);
        let offer = here.offer_of(&person);
        let is_kept = |id: HoldId| [own, offer].contains(&Some(id.0));
        let seq = self.world.seq + 1;
        match request.ask {
            Ask::Hold { doses, pool } => {
                match active {
                    Some(booking) => here.in_time(booking, now)?,
                    None => self.eligible(at, &person)?,
                }
                let here = &mut self.world.campaigns[at];
                here.offered(doses, now)?;
                let until = Stamp(now.0 + here.rules.hold_s * SECOND);
                own.map(|id| here.holds.remove(&id));
                let hold = Holding {
                    person,
                    doses,
                    pool,
                    until,
                    extended: false,
                    offered_by: None,
                    stays: None,
                };
                here.holds.insert(seq, hold);
                let released = own.map(HoldId);
                self.write(
                    Actor::Citizen,
                    Change::HoldPlaced {
                        campaign,
                        person,
                        doses,
                        pool,
                        until,
                        released,
                    },
                );
                let hold = HoldId(seq);
                Ok(Said::Exactly(Outcome::Held { hold, doses, until }))
            }
            Ask::Extend { hold } => {
                if own != Some(hold.0) {
                    return Err(no(Refusal::HoldExpired));
                }
                let here = &mut self.world.campaigns[at];
                let more = here.rules.hold_extend_s * SECOND;
                let held = here.holds.get_mut(&hold.0).expect("the person has it");
                if held.extended || more == 0 {
                    return Err(no(Refusal::HoldExtended));
                }
                held.until = Stamp(held.until.0 + more);
                held.extended = true;
                let (doses, until) = (held.doses, held.until);
                self.write(
                    Actor::Citizen,
                    Change::HoldExtended {
                        campaign,
                        person,
                        hold,
                        until,
                    },
                );
                Ok(Said::Exactly(Outcome::Held { hold, doses, until }))
            }
            Ask::Release { hold } => {
                if !is_kept(hold) {
                    return Err(no(Refusal::HoldExpired));
                }
                let held = self.world.campaigns[at].holds.remove(&hold.0);
                let pool = held.expect("the person has it").pool;
                let reason = HoldEnd::Released;
                let change = Change::HoldEnded {
                    campaign,
                    person,
                    hold,
                    pool,
                    reason,
                };
                self.write(Actor::Citizen, change);
                Ok(Said::Exactly(Outcome::Released))
            }
            Ask::Book { seat, agreed } => {
                if let Some(booking) = active {
                    let number = here.bookings[booking].number;
                    return Err(no(Refusal::AlreadyBooked(number)));
                }
                if let Seat::Claimed(..) = seat {
                    self.eligible(at, &person)?;
                }
                let here = &mut self.world.campaigns[at];
                let (doses, pool, hold) = here.seat([own, None], seat, now)?;
                let number = keys().booking_number(here.bookings.len() as u64);
                // What the person agreed to stands before the booking.
                let agencies = here.agencies.len() as u32;
                let agency = agreed.filter(|version| 0 < *version && *version <= agencies);
                let seq = seq + u64::from(agency.is_some());
                let booking = Booking {
                    number,
                    person,
                    doses,
                    pool,
                    status: Status::Booked,
                    booked_at: now,
                    seq: Seq(seq),
                };
                here.bookings.push(booking);
                own.map(|id| here.holds.remove(&id));
                idempotency.map(|mark| here.answered.insert(mark.key, (mark.request, seq, now)));
                let rules = here.version();
                let released = own.map(HoldId).filter(|_| hold.is_none());
                if let Some(agency) = agency {
                    let agreed = Change::Agreed {
                        campaign,
                        person,
                        agency,
                    };
                    self.write(Actor::Citizen, agreed);
                }
                self.write(
                    Actor::Citizen,
                    Change::Booked {
                        campaign,
                        person,
                        number,
                        doses,
                        pool,
                        hold,
                        released,
                        rules,
                        idempotency,
                    },
                );
                Ok(Said::Exactly(Outcome::Booking(booking)))
            }
            Ask::Move { number, seat } => {
                let is_offer = |id: HoldId| offer == Some(id.0);
                let booking = match seat {
                    Seat::Held(id) if is_offer(id) => here.named(active, number)?,
                    _ => here.changeable(active, number, now)?,
                };
                let here = &mut self.world.campaigns[at];
                let (to, pool, hold) = here.seat([own, offer], seat, now)?;
                if pool != here.bookings[booking].pool {
                    return Err(no(Refusal::NotFound));
                }
                let from = std::mem::replace(&mut here.bookings[booking].doses, to);
                here.bookings[booking].seq = Seq(seq);
                here.moved.remove(&person);
                let booking = here.bookings[booking];
                // An offer always ends with the seats that it stood for; a hold of their own ends
                // unless the offer was in the way of naming it.
                let used = hold.map(|hold| hold.0);
                let mut rest = [offer, own].into_iter().flatten();
                let released = rest.find(|id| Some(*id) != used);
                for id in [used, released].into_iter().flatten() {
                    here.holds.remove(&id);
                }
                idempotency.map(|mark| here.answered.insert(mark.key, (mark.request, seq, now)));
                let released = released.map(HoldId);
                self.write(
                    Actor::Citizen,
                    Change::Moved {
                        campaign,
                        person,
                        number,
                        from,
                        to,
                        pool,
                        hold,
                        released,
                        idempotency,
                    },
                );
                Ok(Said::Exactly(Outcome::Booking(booking)))
            }
            Ask::Cancel { number } => {
                let booking = here.changeable(active, number, now)?;
                let here = &mut self.world.campaigns[at];
                here.bookings[booking].status = Status::Cancelled;
                here.bookings[booking].seq = Seq(seq);
                here.moved.remove(&person);
                offer.map(|id| here.holds.remove(&id));
                let booking = here.bookings[booking];
                idempotency.map(|mark| here.answered.insert(mark.key, (mark.request, seq, now)));
                let (doses, pool) = (booking.doses, booking.pool);
                self.write(
                    Actor::Citizen,
                    Change::Cancelled {
                        campaign,
                        person,
                        number,
                        doses,
                        pool,
                        idempotency,
                    },
                );
                Ok(Said::Exactly(Outcome::Booking(booking)))
            }
        }
    }

    /// Whether the rules let a person book now; their "no" must stand in the journal.
    fn eligible(&mut self, at: usize, person: &PersonKey) -> Result<(), Said> {
        let Some(somebody) = self.world.people.get(person) else {
            return Err(no(Refusal::NotOnRoster));
        };
        let here = &self.world.campaigns[at];
        let Some(reason) = here.may_book(somebody, self.now) else {
            return Ok(());
        };
        let version = here.version();
        self.note(at, *person, version, reason);
        Err(Said::ByRules(reason, self.now))
    }
}

impl Programme {
    fn seat(
        &self,
        kept: [Option<u64>; 2],
        seat: Seat,
        now: Stamp,
    ) -> Result<(Doses, Pool, Option<HoldId>), Said> {
        match seat {
            Seat::Held(id) => {
                let hold = self.holds.get(&id.0).filter(|_| kept.contains(&Some(id.0)));
                let hold = hold.ok_or(no(Refusal::HoldExpired))?;
                Ok((hold.doses, hold.pool, Some(id)))
            }
            Seat::Claimed(doses, pool) => {
                self.offered(doses, now)?;
                Ok((doses, pool, None))
            }
        }
    }

    fn changeable(
        &self,
        active: Option<usize>,
        number: BookingNumber,
        now: Stamp,
    ) -> Result<usize, Said> {
        let booking = self.named(active, number)?;
        self.in_time(booking, now)?;
        Ok(booking)
    }

    fn named(&self, active: Option<usize>, number: BookingNumber) -> Result<usize, Said> {
        let named = active.filter(|at| self.bookings[*at].number == number);
        named.ok_or(no(Refusal::NoBooking))
    }
}
