//! What people do: the next request of each, and what they make of its answer.
//!
//! No sockets and no clock here: `now` is told, in nanoseconds of the rush. Every answer is
//! checked against the contract and against what its person was told before.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::answer::{self, Booking, Code, Kind, Place, PlaceState, Refusal, Said, Slot};
use super::crowd::{
    BEFORE, BOOKED, BOT, CAME, CANCELS, CHECKED, Crowd, HOLDS, Habits, IN, LOOKS, MOVES, Person,
    QUITS_BOOKING, QUITS_WAITING, Step, TAB, UNSURE, WAITED,
};
use super::http::{push_get, push_post};
use super::random::Random;
use super::record::{Fault, Record};

const SECOND: u64 = 1_000_000_000;
/// Slots that somebody tries before they give up.
const TRIES_MAX: u8 = 24;
/// Answers outside the contract after which somebody stops.
const FAILURES_MAX: u8 = 20;

/// Who asks: a person, by their first tab or a second one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Who {
    pub person: u32,
    pub tab: bool,
}

/// How far somebody has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// In session.
    Inside,
    /// Has a place, and asks for it when told to.
    Placed,
    /// Newcomers, second tabs, and bots.
    New,
}

/// What does not change in a rush.
#[derive(Clone, Debug)]
pub struct Setting {
    /// `/api/v1/campaigns/ID`.
    pub path: String,
    pub habits: Habits,
    pub seed: u64,
    /// Begins every Idempotency-Key: no two rushes share one.
    pub key: String,
    /// Seconds of the server for one of ours.
    pub speed: f64,
    /// When the opening is, in nanoseconds of the rush.
    pub opening_ns: u64,
    /// The server's time when the rush began.
    pub began_at: jiff::Timestamp,
    /// The numbers of the lobby are not the last ones.
    pub drawn: bool,
}

/// The people and what is going on.
pub struct Scene {
    pub setting: Setting,
    pub crowd: Crowd,
    pub record: Record,
    /// When who acts next.
    pub timers: BinaryHeap<Reverse<(u64, Who)>>,
    /// People who have not come to an end.
    pub going: usize,
    pub waiting: u32,
    pub inside: u32,
    /// The looking up at the end.
    pub checking: bool,
    numbers: HashMap<u64, u32>,
    bookings: HashMap<Box<str>, u32>,
    /// When nobody listened last.
    gone: Option<u64>,
    now: u64,
}

impl Scene {
    pub fn new(setting: Setting, crowd: Crowd) -> Self {
        Self {
            setting,
            going: 0,
            crowd,
            record: Record::default(),
            timers: BinaryHeap::new(),
            waiting: 0,
            inside: 0,
            checking: false,
            gone: None,
            numbers: HashMap::new(),
            bookings: HashMap::new(),
            now: 0,
        }
    }

    /// Somebody will come then.
    pub fn expect(&mut self, person: u32, at_ns: u64) {
        self.going += 1;
        self.timers
            .push(Reverse((at_ns, Who { person, tab: false })));
    }

    /// Who asks, to those who give out connections.
    pub fn standing(&self, who: Who) -> Standing {
        let person = &self.crowd.people[who.person as usize];
        match person.step {
            _ if who.tab => Standing::New,
            _ if person.is(IN) => Standing::Inside,
            Step::Wait | Step::Admit if !person.is(BOT) => Standing::Placed,
            _ => Standing::New,
        }
    }

    /// Appends the request that is due; its kind.
    pub fn ask(&mut self, who: Who, into: &mut Vec<u8>) -> Kind {
        let at = who.person as usize;
        if !self.crowd.people[at].is(CAME) {
            self.crowd.people[at].set(CAME, true);
            self.record.totals.arrived += 1;
            self.record.now.arrived += 1;
        }
        let path = &self.setting.path;
        let person = &self.crowd.people[at];
        let token = person.token.as_deref().unwrap_or_default();
        let kind = if who.tab { Kind::Enter } else { kind(person) };
        let key = || {
            let (run, keys) = (&self.setting.key, person.keys);
            format!("{run}-{:x}-{keys}", who.person)
        };
        let text = |id| self.crowd.names.text(id);
        let paper = person.paper.as_deref().unwrap_or_default();
        match kind {
            Kind::Board => push_get(into, &format!("{path}/gate/board"), ""),
            Kind::Enter => {
                let [name, born, code, _] = self.crowd.credentials(who.person);
                let [name, born, code] = [name, born, code].map(quoted);
                let body = format!(r#"{{"name":{name},"birth_date":{born},"code":{code}}}"#);
                push_post(into, &format!("{path}/gate/enter"), "", "", &body);
            }
            Kind::Place => push_get(into, &format!("{path}/gate/place"), token),
            Kind::Admit => push_post(into, &format!("{path}/gate/admit"), token, "", ""),
            Kind::Sites => {
                let region = self.crowd.credentials(who.person)[3];
                let region = match person.wide {
                    0 => region,
                    1 => region.split('/').next().unwrap_or_default(),
                    _ => "",
                };
                let query = match region {
                    "" => String::new(),
                    region => format!("?region={region}"),
                };
                push_get(into, &format!("{path}/sites{query}"), token);
            }
            Kind::Days => {
                let site = text(person.site);
                push_get(into, &format!("{path}/sites/{site}/days"), token);
            }
            Kind::Slots => {
                let (site, date) = (text(person.site), text(person.date));
                let path = format!("{path}/sites/{site}/slots?date={date}");
                push_get(into, &path, token);
            }
            Kind::Hold => {
                let body = format!(r#"{{"slot":{}}}"#, quoted(text(person.slot)));
                push_post(into, &format!("{path}/holds"), token, "", &body);
            }
            Kind::Book => {
                let body = match &person.paper {
                    Some(hold) => format!(r#"{{"hold":{}}}"#, quoted(hold)),
                    None => format!(r#"{{"slot":{}}}"#, quoted(text(person.slot))),
                };
                push_post(into, &format!("{path}/bookings"), token, &key(), &body);
            }
            Kind::Mine => push_get(into, &format!("{path}/bookings/mine"), token),
            Kind::Move => {
                let body = format!(r#"{{"slot":{}}}"#, quoted(text(person.slot)));
                let path = format!("{path}/bookings/{paper}/move");
                push_post(into, &path, token, &key(), &body);
            }
            Kind::Cancel => {
                let path = format!("{path}/bookings/{paper}/cancel");
                push_post(into, &path, token, &key(), "");
            }
        }
        let person = &mut self.crowd.people[at];
        if matches!(kind, Kind::Book | Kind::Move | Kind::Cancel) {
            person.set(UNSURE, true);
        }
        kind
    }

    /// Nobody listens: the server was killed.
    pub fn gone(&mut self, now: u64) {
        self.gone = Some(now);
    }

    /// A request has no answer: it may have been done or not.
    pub fn unanswered(&mut self, who: Who, now: u64) {
        self.now = now;
        if who.tab {
            return;
        }
        let person = &mut self.crowd.people[who.person as usize];
        person.failures = person.failures.saturating_add(1);
        let most_s = f64::from(1_u32 << person.failures.min(4));
        let wait_s = self.lot(who.person).share() * most_s.min(10.0) + 0.5;
        self.after_real(who.person, wait_s);
    }

    /// An answer has come.
    pub fn answered(&mut self, who: Who, kind: Kind, status: u16, body: &[u8], now: u64) {
        self.now = now;
        match answer::read(kind, status, body) {
            Err(why) => {
                self.fault(
                    who,
                    Fault::OutsideContract,
                    &format!("{}: {why}", kind.name()),
                );
                let person = &mut self.crowd.people[who.person as usize];
                person.failures = person.failures.saturating_add(1);
                match person.failures > FAILURES_MAX {
                    _ if who.tab => {}
                    true => self.end(who.person, Step::GaveUp),
                    false => self.after(who.person, 5.0),
                }
            }
            Ok(Said::Refused(no)) => {
                self.record.refused(kind, no.code);
                if !who.tab {
                    self.refused(who, kind, &no);
                }
            }
            Ok(said) if who.tab => {
                if let Said::Entered { place, .. } = said {
                    self.record.totals.second_tabs += 1;
                    self.check_place(who, &place);
                }
            }
            Ok(said) => {
                self.crowd.people[who.person as usize].failures = 0;
                self.said(who, kind, said);
            }
        }
    }

    fn said(&mut self, who: Who, kind: Kind, said: Said) {
        let me = who.person;
        match said {
            Said::Board => match self.person(me).step {
                Step::Come => {
                    self.person(me).step = Step::Enter;
                    // Name, birth date and code want to be typed.
                    let types_s = self.thinks_s(me) * 2.0;
                    self.after(me, types_s);
                }
                _ => self.bot_again(me),
            },
            Said::Entered { place, token } => {
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
                if self.checking {
                    self.go(me, Step::Look);
                    return;
                }
                self.turn_came(me);
                self.record.totals.admitted += 1;
                self.record.now.admitted += 1;
                self.inside += 1;
                let person = self.person(me);
                if person.back != Step::Come {
                    // The same request with the same key: it may have been done.
                    person.step = std::mem::replace(&mut person.back, Step::Come);
                    self.after(me, 0.0);
                    return;
                }
                let booked = person.is(BOOKED);
                self.go(me, if booked { Step::Look } else { Step::Sites });
            }
            Said::Sites(sites) => {
                let mut free: Vec<_> = sites.iter().filter(|site| site.free > 0).collect();
                let mut random = self.lot(me);
                // The nth of a list is wanted by one part in n: some sites are popular.
                let chosen = (!free.is_empty()).then(|| {
                    let top = random.below(free.len()).min(random.below(free.len()));
                    free.swap_remove(top).site.to_string()
                });
                self.chosen(me, chosen.as_deref(), Step::Days);
            }
            Said::Days(days) => {
                let free: Vec<_> = days.iter().filter(|day| day.free > 0).collect();
                let mut random = self.lot(me);
                // Most want one of the first days.
                let soon = (random.exponential(3.0) as usize).min(free.len().saturating_sub(1));
                let chosen = free.get(soon).map(|day| day.date.to_string());
                self.chosen(me, chosen.as_deref(), Step::Slots);
            }
            Said::Slots(slots) => {
                let slot = self.pick(me, &slots);
                let next = match self.person(me) {
                    person if person.is(BOOKED) => Step::Move,
                    person if person.is(HOLDS) => Step::Hold,
                    _ => Step::Book,
                };
                if slot.is_some() && self.quits_now(me) {
                    self.end(me, Step::GaveUp);
                    return;
                }
                self.chosen(me, slot.as_deref(), next);
            }
            Said::Held { hold } => {
                self.person(me).paper = Some(hold.into());
                self.go(me, Step::Book);
            }
            Said::Booking(booking) => self.booking(who, kind, &booking),
            Said::Refused(_) => unreachable!("refusals are told apart before"),
        }
    }

    fn refused(&mut self, who: Who, kind: Kind, no: &Refusal) {
        let me = who.person;
        if matches!(kind, Kind::Book | Kind::Move | Kind::Cancel) {
            // Shed or paused before it was looked at: an earlier try may still have been done.
            let undone = !matches!(
                no.code,
                Code::Overloaded | Code::Paused | Code::OutcomeUnknown
            ) && !matches!(no.code, Code::SessionExpired | Code::SessionInvalid);
            if undone {
                self.person(me).set(UNSURE, false);
            }
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
                self.again_from_enter(me);
            }
            Code::SessionExpired => self.again_from_enter(me),
            Code::NotOpenYet if self.now < self.setting.opening_ns => {
                let left_s = (self.setting.opening_ns - self.now) as f64 / 1e9;
                let wait_s = left_s * 0.5 + self.lot(me).share() * 2.0;
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
                self.chosen(me, other.as_deref(), step);
            }
            Code::HoldExpired => {
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
            | Code::NotFound
            | Code::MethodNotAllowed
            | Code::IdempotencyConflict => unreachable!("read takes these for faults"),
        }
    }

    fn booking(&mut self, who: Who, kind: Kind, booking: &Booking) {
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
            (person.site, person.start) = (site, start);
            person.set(BOOKED, true);
            person.set(UNSURE, false);
        }
        self.after_booking(me);
    }

    /// Compares what is kept with what was acknowledged.
    fn looked_up(&mut self, who: Who, booking: &Booking, site: u32, start: u32) {
        let began_at = self.setting.began_at;
        let person = self.person(who.person);
        if person.is(BOOKED) {
            let same = person.paper.as_deref() == Some(&*booking.number)
                && (person.site, person.start) == (site, start);
            // A move whose answer was lost may have been done.
            if !same && !person.is(UNSURE) {
                let had = person.paper.clone().unwrap_or_default();
                let words = format!("had {had}, looked up: {booking:?}");
                self.fault(who, Fault::OtherBooking, &words);
            }
            return;
        }
        let number: Box<str> = booking.number.as_ref().into();
        let booked_at: Result<jiff::Timestamp, _> = booking.booked_at.parse();
        let before = booked_at.is_ok_and(|at| at < began_at);
        let unsure = person.is(UNSURE);
        person.paper = Some(number);
        (person.site, person.start) = (site, start);
        person.set(BOOKED, true);
        if before {
            if !person.is(BEFORE) {
                person.set(BEFORE, true);
                self.record.totals.booked_before += 1;
            }
        } else if unsure && self.checking {
            // Its answer was lost, and the end came before the next try.
            self.record.totals.booked += 1;
        } else {
            let words = format!("a booking that nobody was told of: {booking:?}");
            self.fault(who, Fault::OtherBooking, &words);
        }
    }

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
            Step::Days
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

    /// The number must be the one that was shown before, and nobody else's.
    fn check_place(&mut self, who: Who, place: &Place) {
        // A draw gives the lobby's people other numbers at the opening.
        if self.setting.drawn && place.state == PlaceState::Lobby {
            return;
        }
        let number = self.person(who.person).number;
        if number == 0 {
            self.person(who.person).number = place.number;
            if let Some(other) = self.numbers.insert(place.number, who.person) {
                let words = format!("{} is also the number of person {other}", place.number);
                self.fault(who, Fault::NumberTwice, &words);
            }
        } else if number != place.number && !self.may_have_forgotten(who) {
            let words = format!("was {number}, is {}", place.number);
            self.fault(who, Fault::AnotherPlace, &words);
        }
    }

    /// A number of the last moment before a server was killed is known to the person's token alone,
    /// until they show it. A second tab comes without.
    fn may_have_forgotten(&mut self, who: Who) -> bool {
        let given_ms = u64::from(self.person(who.person).waits_from_ms);
        who.tab && self.gone.is_some_and(|at| at / 1_000_000 >= given_ms)
    }

    fn took_place(&mut self, me: u32, place: &Place) {
        let first = self.person(me).waits_from_ms == 0;
        if first {
            let from_ms = self.now.max(self.setting.opening_ns) / 1_000_000;
            self.record.totals.entered += 1;
            self.record.now.entered += 1;
            let person = self.person(me);
            person.waits_from_ms = (from_ms as u32).max(1);
            person.looked_ms = person.waits_from_ms;
            person.told_s = place.wait_s.map(|s| s.min(u64::from(u32::MAX)) as u32);
            if person.is(TAB) && !person.is(BOT) {
                let wait_s = 1.0 + self.lot(me).share() * 30.0;
                let due = self.due(wait_s);
                let tab = Who {
                    person: me,
                    tab: true,
                };
                self.timers.push(Reverse((due, tab)));
            }
        }
        self.looked(me, place);
    }

    /// A look at the own place.
    fn looked(&mut self, me: u32, place: &Place) {
        if self.checking && place.state != PlaceState::Admitted {
            self.end(me, Step::Served);
            return;
        }
        if place.state == PlaceState::Admitted {
            self.turn_came(me);
            if self.checking && !self.wants_look(me) {
                self.end(me, Step::Served);
                return;
            }
            let reacts_s = self.lot(me).share() * self.setting.habits.think_s.min(2.0);
            self.person(me).step = Step::Admit;
            self.after(me, if self.checking { 0.0 } else { reacts_s });
            return;
        }
        let now_ms = (self.now / 1_000_000) as u32;
        let quits = self.person(me).is(QUITS_WAITING) && {
            let mut random = Random::of(self.setting.seed, me, 2);
            let waited_s = f64::from(now_ms.saturating_sub(self.person(me).waits_from_ms)) / 1e3;
            waited_s * self.setting.speed > 15.0 + random.exponential(120.0)
        };
        let person = self.person(me);
        if !person.is(WAITED) {
            person.set(WAITED, true);
            self.waiting += 1;
        }
        let person = self.person(me);
        person.looked_ms = now_ms.max(person.waits_from_ms);
        person.step = Step::Wait;
        if quits {
            self.end(me, Step::GaveUp);
        } else if self.person(me).is(BOT) {
            self.bot_again(me);
        } else {
            self.after(me, f64::from(place.next_poll_s));
        }
    }

    /// Whether the turn came in the range of the first answer: it came after the last look before
    /// this one, and not after this one.
    fn turn_came(&mut self, me: u32) {
        if !self.person(me).is(WAITED) {
            return;
        }
        self.waiting -= 1;
        let (now_ms, speed) = (self.now / 1_000_000, self.setting.speed);
        let person = self.person(me);
        person.set(WAITED, false);
        let waited_s =
            |at_ms: u64| at_ms.saturating_sub(u64::from(person.waits_from_ms)) as f64 / 1e3 * speed;
        let (before, by) = (waited_s(u64::from(person.looked_ms)), waited_s(now_ms));
        let [least, most] = person.told_s.map(f64::from);
        let within = before <= most && least <= by;
        self.record.totals.waits += 1;
        self.record.totals.waits_within += u64::from(within);
    }

    fn wants_look(&mut self, me: u32) -> bool {
        let person = self.person(me);
        person.is(BOOKED) || person.is(UNSURE)
    }

    fn quits_now(&mut self, me: u32) -> bool {
        let person = self.person(me);
        person.is(QUITS_BOOKING) && !person.is(BOOKED) && !person.is(UNSURE)
    }

    /// Goes on with what was chosen, or looks further.
    fn chosen(&mut self, me: u32, chosen: Option<&str>, next: Step) {
        let id = chosen.map(|text| self.crowd.names.id(text));
        let person = self.person(me);
        person.tries = person.tries.saturating_add(1);
        let moving = person.is(BOOKED);
        let Some(id) = id else {
            person.wide = (person.wide + 1).min(2);
            match (moving, person.tries > TRIES_MAX) {
                (true, _) => self.end(me, Step::Served),
                (false, true) => self.end(me, Step::FoundNothing),
                (false, false) => self.go(me, Step::Sites),
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
            // Another slot than the held one.
            self.go(me, Step::Hold);
            return;
        }
        self.go(me, next);
    }

    /// One of the slots with free seats.
    fn pick(&mut self, me: u32, slots: &[Slot]) -> Option<String> {
        let mut random = self.lot(me);
        let had = self.person(me).slot;
        let had = self.crowd.names.text(had);
        let free: Vec<_> = slots
            .iter()
            .filter(|slot| slot.free > 0 && slot.slot != had)
            .collect();
        let chosen = free.get(random.below(free.len().max(1)));
        chosen.map(|slot| slot.slot.to_string())
    }

    /// Does that next, after thinking.
    fn go(&mut self, me: u32, step: Step) {
        let person = self.person(me);
        person.step = step;
        if matches!(step, Step::Book | Step::Move | Step::Cancel) {
            person.keys = person.keys.wrapping_add(1);
        }
        let wait_s = match self.checking {
            true => 0.0,
            false => self.thinks_s(me),
        };
        self.after(me, wait_s);
    }

    fn again_from_enter(&mut self, me: u32) {
        self.leave_inside(me);
        let person = self.person(me);
        person.token = None;
        person.set(IN, false);
        if person.is(UNSURE) && !matches!(person.step, Step::Enter | Step::Wait | Step::Admit) {
            person.back = person.step;
        }
        person.step = Step::Enter;
        let wait_s = self.thinks_s(me);
        self.after(me, wait_s);
    }

    fn bot_again(&mut self, me: u32) {
        let person = self.person(me);
        person.tries = person.tries.wrapping_add(1);
        let every_s = self.setting.habits.bot_every_s;
        self.after_real(me, every_s);
    }

    fn end(&mut self, me: u32, step: Step) {
        self.leave_inside(me);
        let checking = self.checking;
        let person = self.person(me);
        if person.is(WAITED) && !checking {
            person.set(WAITED, false);
            self.waiting -= 1;
        }
        self.person(me).step = step;
        self.going -= 1;
        if checking {
            self.person(me).set(CHECKED, true);
            self.record.totals.checked += 1;
            return;
        }
        let totals = &mut self.record.totals;
        match step {
            Step::GaveUp => {
                totals.gave_up += 1;
                self.record.now.gave_up += 1;
            }
            Step::TurnedAway => totals.turned_away += 1,
            Step::FoundNothing => totals.found_nothing += 1,
            _ => {}
        }
    }

    fn leave_inside(&mut self, me: u32) {
        if !self.checking && self.person(me).is(IN) {
            self.inside -= 1;
        }
    }

    /// Looks everything up that was promised: at most `most` people, at `per_s`.
    pub fn begin_check(&mut self, most: usize, per_s: f64, now: u64) {
        self.timers.clear();
        self.checking = true;
        self.going = 0;
        let wanted = |person: &Person| person.number > 0;
        let all: Vec<u32> = (0..)
            .zip(&self.crowd.people)
            .filter(|(_, person)| wanted(person))
            .map(|(at, _)| at)
            .collect();
        let every = all.len().div_ceil(most.max(1)).max(1);
        for (turn, me) in all.into_iter().step_by(every).enumerate() {
            let person = self.person(me);
            person.failures = 0;
            person.tries = 0;
            person.step = match person.token {
                None => Step::Enter,
                Some(_) if person.is(IN) => Step::Look,
                Some(_) => Step::Wait,
            };
            self.record.totals.to_check += 1;
            self.expect(me, now + (turn as f64 / per_s * 1e9) as u64);
        }
    }

    fn person(&mut self, me: u32) -> &mut Person {
        &mut self.crowd.people[me as usize]
    }

    /// A stream of chance for this moment of somebody.
    fn lot(&self, me: u32) -> Random {
        Random::of(self.setting.seed, me, self.now)
    }

    fn thinks_s(&self, me: u32) -> f64 {
        let habits = &self.setting.habits;
        let bot = self.crowd.people[me as usize].is(BOT);
        let mean = if bot {
            habits.think_s / 10.0
        } else {
            habits.think_s
        };
        // Nobody is infinitely quick or slow.
        self.lot(me)
            .exponential(mean)
            .clamp(mean / 10.0, mean * 5.0)
    }

    fn due(&self, seconds: f64) -> u64 {
        self.now + (seconds / self.setting.speed * 1e9) as u64
    }

    /// Acts again after seconds of the server's clock.
    fn after(&mut self, person: u32, seconds: f64) {
        let due = self.due(seconds);
        self.timers.push(Reverse((due, Who { person, tab: false })));
    }

    fn after_real(&mut self, person: u32, seconds: f64) {
        let due = self.now + (seconds * SECOND as f64) as u64;
        self.timers.push(Reverse((due, Who { person, tab: false })));
    }

    fn fault(&mut self, who: Who, fault: Fault, words: &str) {
        let words = format!("person {}: {words}", who.person);
        self.record.fault(fault, || words);
    }
}

fn kind(person: &Person) -> Kind {
    match person.step {
        Step::Come => Kind::Board,
        Step::Enter => Kind::Enter,
        // A bot tries every door in turn.
        Step::Wait if person.is(BOT) => match person.tries % 4 {
            0 => Kind::Place,
            1 => Kind::Admit,
            2 => Kind::Board,
            _ => Kind::Enter,
        },
        Step::Wait => Kind::Place,
        Step::Admit => Kind::Admit,
        Step::Sites => Kind::Sites,
        Step::Days => Kind::Days,
        Step::Slots => Kind::Slots,
        Step::Hold => Kind::Hold,
        Step::Book => Kind::Book,
        Step::Move => Kind::Move,
        Step::Cancel => Kind::Cancel,
        _ => Kind::Mine,
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text has a JSON form")
}

#[cfg(test)]
mod tests;
