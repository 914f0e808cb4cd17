//! What a person does after an answer. The answer is checked against what they were told before.

use super::{Answer, Scene, Who};
use crate::rush::answer::{self, Booking, Code, DayFree, Kind, Refusal, Said, Site, Slot};
use crate::rush::crowd::{
    BEFORE, BOOKED, CANCELS, HOLDS, IN, LOOKS, MOVES, PAGES, QUITS_BOOKING, Step, UNSURE,
};
use crate::rush::record::Fault;

/// A person gives up after trying this many slots.
const TRIES_MAX: u8 = 24;
/// A person gives up after this many answers in a row that break the contract.
const FAILURES_MAX: u8 = 20;
/// After an answer that breaks the contract, a person tries again after this time.
const RETRY_S: f64 = 5.0;

impl Scene {
    /// An answer has come.
    pub fn answered(&mut self, who: Who, kind: Kind, answer: Answer<'_>, now: u64) {
        self.now = now;
        if self.person(who.person).is(PAGES) {
            return self.page_answered(who, kind, answer);
        }
        let Answer { status, body, .. } = answer;
        match answer::read(kind, status, body) {
            Err(why) => self.broke_contract(who, kind, &why),
            Ok(Said::Refused(refusal)) => {
                self.record.refused(kind, refusal.code);
                if !who.is_beside() {
                    self.refused(who, kind, &refusal);
                }
            }
            // A second tab only compares its place with that of the first.
            Ok(said) if who.is_beside() => {
                if let Said::Entered { place, .. } = said {
                    self.record.totals.second_tabs += 1;
                    self.check_place(who, &place);
                }
            }
            Ok(said) => {
                self.person(who.person).failures = 0;
                self.said(who, kind, said);
            }
        }
    }

    /// Records an answer that breaks the contract. The person tries again, but not for ever. (A
    /// second tab does not: the first tab goes on by itself.)
    pub(super) fn broke_contract(&mut self, who: Who, kind: Kind, why: &str) {
        let words = format!("{}: {why}", kind.name());
        self.fault(who, Fault::OutsideContract, &words);
        let person = self.person(who.person);
        person.failures = person.failures.saturating_add(1);
        let gives_up = person.failures > FAILURES_MAX;
        if who.is_beside() {
            return;
        }
        if gives_up {
            self.end(who.person, Step::GaveUp);
        } else {
            self.after(who.person, RETRY_S);
        }
    }

    /// Goes on after an answer that says yes.
    fn said(&mut self, who: Who, kind: Kind, said: Said) {
        let me = who.person;
        match said {
            Said::Board => self.saw_board(me),
            Said::Entered { place, token } => {
                self.knows_number(me);
                let person = self.person(me);
                person.token = Some(token.into());
                person.set(IN, false);
                self.check_place(who, &place);
                self.took_place(me, &place);
            }
            Said::Place(place) => {
                self.check_place(who, &place);
                self.looked(me, &place);
            }
            Said::Session { token } => {
                let person = self.person(me);
                person.token = Some(token.into());
                person.set(IN, true);
                person.tries = 0;
                self.went_in(me);
            }
            Said::Sites(sites) => self.choose_site(me, &sites),
            Said::Days(days) => self.choose_day(me, &days),
            Said::Slots(slots) => self.choose_slot(me, &slots),
            Said::Held { hold } => {
                self.person(me).paper = Some(hold.into());
                self.go(me, Step::Book);
            }
            Said::Booking(booking) => self.booking(who, kind, &booking),
            Said::Refused(_) => unreachable!("refusals are told apart before"),
        }
    }

    /// The board is the first thing that a newcomer sees; a bot looks at it again and again.
    fn saw_board(&mut self, me: u32) {
        if self.person(me).step != Step::Come {
            return self.repeat_as_bot(me);
        }
        self.person(me).step = Step::Enter;
        // Typing a name, a birth date and a code takes longer than a click.
        let types_s = self.thinks_s(me) * 2.0;
        self.after(me, types_s);
    }

    /// The person's session has begun.
    fn went_in(&mut self, me: u32) {
        if self.checking {
            return self.go(me, Step::Look);
        }
        self.turn_came(me);
        self.record.totals.admitted += 1;
        self.record.now.admitted += 1;
        self.inside += 1;
        let person = self.person(me);
        if person.back != Step::Come {
            // Repeat the request that had no answer, with its key: it may have been done.
            person.step = std::mem::replace(&mut person.back, Step::Come);
            return self.after(me, 0.0);
        }
        let next = if person.is(BOOKED) {
            Step::Look
        } else {
            Step::Sites
        };
        self.go(me, next);
    }

    /// Chooses one of the sites with free seats. Sites at the top of the list are more popular.
    pub(super) fn choose_site(&mut self, me: u32, sites: &[Site]) {
        let free: Vec<_> = sites.iter().filter(|site| site.free > 0).collect();
        let mut random = self.chance(me);
        let chosen = (!free.is_empty()).then(|| {
            let top = random.below(free.len()).min(random.below(free.len()));
            free[top].site.to_string()
        });
        self.go_on_with(me, chosen.as_deref(), Step::Days);
    }

    /// Chooses one of the days with free seats. Most people want one of the first.
    pub(super) fn choose_day(&mut self, me: u32, days: &[DayFree]) {
        let free: Vec<_> = days.iter().filter(|day| day.free > 0).collect();
        let mut random = self.chance(me);
        let soon = (random.exponential(3.0) as usize).min(free.len().saturating_sub(1));
        let chosen = free.get(soon).map(|day| day.date.to_string());
        self.go_on_with(me, chosen.as_deref(), Step::Slots);
    }

    /// Chooses a slot, to book it, to hold it first, or to move a booking there.
    pub(super) fn choose_slot(&mut self, me: u32, slots: &[Slot]) {
        let slot = self.pick(me, slots);
        let person = self.person(me);
        let next = if person.is(PAGES) {
            Step::Hold
        } else if person.is(BOOKED) {
            Step::Move
        } else if person.is(HOLDS) {
            Step::Hold
        } else {
            Step::Book
        };
        if slot.is_some() && self.quits_now(me) {
            return self.end(me, Step::GaveUp);
        }
        self.go_on_with(me, slot.as_deref(), next);
    }

    /// Goes on after a refusal.
    pub(super) fn refused(&mut self, who: Who, kind: Kind, no: &Refusal) {
        let me = who.person;
        if matches!(kind, Kind::Book | Kind::Move | Kind::Cancel) && was_decided(no.code) {
            self.person(me).set(UNSURE, false);
        }
        match no.code {
            Code::Overloaded | Code::Paused | Code::TooManyAttempts => {
                self.after(me, f64::from(no.retry_after_s.unwrap_or(30)));
            }
            Code::OutcomeUnknown => self.after(me, 1.0),
            Code::NotAdmitted => {
                let place = no.place.expect("read checks that it is there");
                self.check_place(who, &place);
                self.looked(me, &place);
            }
            Code::PlaceInvalid | Code::SessionInvalid => {
                let words = format!("{} to {}", no.code.name(), kind.name());
                self.fault(who, Fault::TokenRefused, &words);
                self.enter_again(me);
            }
            Code::SessionExpired => self.enter_again(me),
            Code::PlaceEnded => self.place_ended(me),
            Code::NotOpenYet if self.now < self.setting.opening_ns => {
                let left_s = (self.setting.opening_ns - self.now) as f64 / 1e9;
                let wait_s = left_s * 0.5 + self.chance(me).share() * 2.0;
                self.after_real(me, wait_s);
            }
            Code::NotEligible | Code::NotOpenYet | Code::OpeningClosed => {
                self.end(me, Step::TurnedAway);
            }
            Code::IdentityNotFound => self.end(me, Step::TurnedAway),
            Code::SlotFull => {
                let other = self.pick(me, &no.alternatives);
                let step = self.person(me).step;
                if !self.person(me).is(BOOKED) {
                    self.person(me).paper = None;
                }
                self.go_on_with(me, other.as_deref(), step);
            }
            Code::HoldExpired | Code::SlotPast => {
                if !self.person(me).is(BOOKED) {
                    self.person(me).paper = None;
                }
                self.go(me, Step::Slots);
            }
            Code::AlreadyBooked => self.go(me, Step::Look),
            Code::NoBooking => {
                let person = self.person(me);
                if person.is(BOOKED) && !person.is(UNSURE) {
                    let number = person.paper.clone().unwrap_or_default();
                    person.set(BOOKED, false);
                    let words = format!("{} knows no booking {number}", kind.name());
                    self.fault(who, Fault::LostBooking, &words);
                }
                self.end(me, Step::Served);
            }
            Code::ChangeDeadlinePassed => self.end(me, Step::Served),
            Code::InvalidRequest
            | Code::HoldExtended
            | Code::NotFound
            | Code::MethodNotAllowed
            | Code::IdempotencyConflict => unreachable!("read takes these for faults"),
        }
    }

    /// Goes on after an answer with a booking.
    pub(super) fn booking(&mut self, who: Who, kind: Kind, booking: &Booking) {
        let me = who.person;
        let first = &booking.doses[0];
        let site = self.crowd.names.id(&first.site);
        let start = self.crowd.names.id(&first.start);
        match kind {
            Kind::Mine => self.looked_up(who, booking, site, start),
            Kind::Cancel => {
                self.person(me).set(BOOKED, false);
                self.person(me).set(UNSURE, false);
                self.record.totals.cancelled += 1;
                self.end(me, Step::Cancelled);
                return;
            }
            Kind::Move => self.record.totals.moved += 1,
            _ => {
                self.record.totals.booked += 1;
                self.record.now.booked += 1;
            }
        }
        if kind != Kind::Mine {
            let number: Box<str> = booking.number.as_ref().into();
            let other = self.bookings.insert(number.clone(), me);
            if let Some(other) = other.filter(|other| *other != me) {
                let words = format!("{number} is also the booking of person {other}");
                self.fault(who, Fault::BookingTwice, &words);
            }
            let person = self.person(me);
            person.paper = Some(number);
            (person.site, person.booked_site, person.start) = (site, site, start);
            person.set(BOOKED, true);
            person.set(UNSURE, false);
        }
        self.after_booking(me);
    }

    /// Compares the booking that was looked up with the one that was acknowledged.
    fn looked_up(&mut self, who: Who, booking: &Booking, site: u32, start: u32) {
        let person = self.person(who.person);
        if person.is(BOOKED) {
            let same = person.paper.as_deref() == Some(&*booking.number)
                && (person.booked_site, person.start) == (site, start);
            // The answer to a move was lost: the server may have done it.
            if !same && !person.is(UNSURE) {
                let had = person.paper.clone().unwrap_or_default();
                let words = format!("had {had}, looked up: {booking:?}");
                self.fault(who, Fault::OtherBooking, &words);
            }
            return;
        }
        let number: Box<str> = booking.number.as_ref().into();
        let before = self.was_before(booking);
        let person = self.person(who.person);
        let unsure = person.is(UNSURE);
        person.paper = Some(number);
        (person.site, person.booked_site, person.start) = (site, site, start);
        person.set(BOOKED, true);
        if before {
            if !person.is(BEFORE) {
                person.set(BEFORE, true);
                self.record.totals.booked_before += 1;
            }
        } else if unsure && self.checking {
            // The answer to the booking was lost, and the rush ended before the next try.
            self.record.totals.booked += 1;
        } else {
            let words = format!("a booking that nobody was told of: {booking:?}");
            self.fault(who, Fault::OtherBooking, &words);
        }
    }

    /// Whether a booking was made before this rush; pages show whole seconds.
    pub(super) fn was_before(&self, booking: &Booking) -> bool {
        let booked_at: Result<jiff::Timestamp, _> = booking.booked_at.parse();
        let began_s = self.setting.began_at.as_second();
        booked_at.is_ok_and(|at| at.as_second() < began_s)
    }

    /// Plans what a person does who has a booking: look at it, move it, cancel it, or nothing more.
    fn after_booking(&mut self, me: u32) {
        if self.checking {
            self.end(me, Step::Served);
            return;
        }
        let person = self.person(me);
        let next = if person.is(LOOKS) {
            person.set(LOOKS, false);
            Step::Look
        } else if person.is(MOVES) {
            person.set(MOVES, false);
            person.tries = 0;
            if person.is(PAGES) {
                Step::Sites
            } else {
                Step::Days
            }
        } else if person.is(CANCELS) {
            person.set(CANCELS, false);
            Step::Cancel
        } else {
            Step::Served
        };
        if next == Step::Served {
            self.end(me, next);
        } else {
            self.go(me, next);
        }
    }

    /// Goes on with the chosen site, day or slot. If there was nothing to choose, the person looks
    /// in a wider region, and ends after `TRIES_MAX` tries.
    pub(super) fn go_on_with(&mut self, me: u32, chosen: Option<&str>, next: Step) {
        let id = chosen.map(|text| self.crowd.names.id(text));
        let person = self.person(me);
        person.tries = person.tries.saturating_add(1);
        let moving = person.is(BOOKED);
        let Some(id) = id else {
            person.wide = (person.wide + 1).min(2);
            if moving {
                self.end(me, Step::Served);
            } else if person.tries > TRIES_MAX {
                self.end(me, Step::FoundNothing);
            } else {
                self.go(me, Step::Sites);
            }
            return;
        };
        match next {
            Step::Days => person.site = id,
            Step::Slots => person.date = id,
            _ => person.slot = id,
        }
        if person.tries > TRIES_MAX {
            let end = if moving {
                Step::Served
            } else {
                Step::FoundNothing
            };
            self.end(me, end);
            return;
        }
        if person.step == next && next == Step::Book && person.is(HOLDS) {
            // The slot is another one than the person held, so they hold it first.
            self.go(me, Step::Hold);
            return;
        }
        self.go(me, next);
    }

    /// One of the slots with free seats, but not the slot that the person had.
    fn pick(&mut self, me: u32, slots: &[Slot]) -> Option<String> {
        let mut random = self.chance(me);
        let had = self.person(me).slot;
        let had = self.crowd.names.text(had);
        let free: Vec<_> = slots
            .iter()
            .filter(|slot| slot.free > 0 && slot.slot != had)
            .collect();
        let chosen = free.get(random.below(free.len().max(1)));
        chosen.map(|slot| slot.slot.to_string())
    }

    /// Whether the person loses patience now, before they have a booking.
    fn quits_now(&mut self, me: u32) -> bool {
        let person = self.person(me);
        person.is(QUITS_BOOKING) && !person.is(BOOKED) && !person.is(UNSURE)
    }
}

/// Whether the server has decided the request that it refused. If not (the request was put off, the
/// gate was paused, the session had ended), an earlier try of the same request may have been done.
fn was_decided(code: Code) -> bool {
    !matches!(
        code,
        Code::Overloaded
            | Code::Paused
            | Code::OutcomeUnknown
            | Code::SessionExpired
            | Code::SessionInvalid
    )
}
