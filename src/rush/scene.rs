//! Simulates what people do: `ask` makes each person's next request, and `hear` and `place` decide
//! what the person does after its answer. Whoever comes with the pages has a browser: `browse` is
//! what that does by itself, `seen` what its person does after a page. `order` is who came when.
//!
//! This module has no sockets and no clock: callers pass the time, `now`, in nanoseconds since the
//! rush began. Every answer is checked against the contract, and against what the same person was
//! told before.
//!
//! Seconds are of two kinds. What people do (think, poll, wait) takes seconds of the server's
//! clock, which may be simulated and run faster. What programs do (retry after a failed connection,
//! a bot's interval) takes real seconds.

mod ask;
mod browse;
mod hear;
mod order;
mod place;
mod seen;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::crowd::{
    BOOKED, BOT, CHECKED, Crowd, Habits, IN, Load, PAGES, Person, Shows, Step, UNSURE, WAITED,
};
use super::random::Random;
use super::record::{Fault, Record};

const SECOND: u64 = 1_000_000_000;

/// What of a person's sends a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Part {
    /// The first tab.
    Own,
    /// A second one.
    Tab,
    /// What a browser fetches for a page, beside it.
    Script,
    Style,
    Icon,
    Logo,
}

pub const PARTS: [Part; 6] = [
    Part::Own,
    Part::Tab,
    Part::Script,
    Part::Style,
    Part::Icon,
    Part::Logo,
];

/// Who sends a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Who {
    /// The position in `Crowd::people`.
    pub person: u32,
    pub part: Part,
}

impl Who {
    pub fn own(person: u32) -> Self {
        Self {
            person,
            part: Part::Own,
        }
    }

    /// Anything but the first tab: what it gets moves nobody on.
    fn is_beside(self) -> bool {
        self.part != Part::Own
    }
}

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    /// The status line and the headers.
    pub head: &'a [u8],
    pub body: &'a [u8],
}

/// How far a person has come. It decides who gets a free connection first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Standing {
    /// In session.
    Inside,
    /// Has a place in the line, and polls when told to.
    Placed,
    /// Has no place yet, or is a second tab or a bot.
    New,
}

/// What stays the same during a rush.
#[derive(Clone, Debug)]
pub struct Setting {
    /// `/api/v1/campaigns/ID`.
    pub path: String,
    /// `/ko/ID`, which every page's address begins with.
    pub base: String,
    /// The server as browsers name it, such as `127.0.0.1:8021`; and with `https://` before it.
    pub host: String,
    pub origin: String,
    pub habits: Habits,
    pub seed: u64,
    /// Every Idempotency-Key begins with this. It differs from rush to rush.
    pub key: String,
    /// Seconds of the server's clock in one real second.
    pub speed: f64,
    /// When the opening is, in nanoseconds of the rush.
    pub opening_ns: u64,
    /// The server's time when the rush began.
    pub began_at: jiff::Timestamp,
    /// The campaign draws lots: people of the lobby get other numbers at the opening.
    pub drawn: bool,
}

/// All people, and what happens to them.
pub struct Scene {
    pub setting: Setting,
    pub crowd: Crowd,
    pub record: Record,
    /// Who acts next, and when, in nanoseconds of the rush.
    pub timers: BinaryHeap<Reverse<(u64, Who)>>,
    /// People who have not finished.
    pub going: usize,
    pub waiting: u32,
    pub inside: u32,
    /// The rush is over, and each person looks up what they were promised.
    pub checking: bool,
    /// Which person has each number of the line.
    numbers: HashMap<u64, u32>,
    /// Which person has each booking number.
    bookings: HashMap<Box<str>, u32>,
    /// Who asked for a number, and who has one.
    order: order::Order,
    /// The names of the pages' script, style sheet and icon, as the pages name them.
    assets: [Box<str>; 4],
    /// The version of the consent text that the identity form asks about, if it does.
    agreed: Option<Box<str>>,
    /// When a connection was last refused because the server had been killed.
    killed_at: Option<u64>,
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
            killed_at: None,
            order: order::Order::default(),
            assets: Default::default(),
            agreed: None,
            numbers: HashMap::new(),
            bookings: HashMap::new(),
            now: 0,
        }
    }

    /// The rush is over: what happened, and the people as they are.
    pub fn ended(self) -> (Record, Crowd) {
        (self.record, self.crowd)
    }

    /// Plans a person's first request.
    pub fn expect(&mut self, person: u32, at_ns: u64) {
        self.going += 1;
        self.timers.push(Reverse((at_ns, Who::own(person))));
    }

    /// How far the sender of a request has come.
    pub fn standing(&self, who: Who) -> Standing {
        let person = &self.crowd.people[who.person as usize];
        let has_place = matches!(person.step, Step::Wait | Step::Admit);
        if who.is_beside() {
            Standing::New
        } else if person.is(IN) {
            Standing::Inside
        } else if has_place && !person.is(BOT) {
            Standing::Placed
        } else {
            Standing::New
        }
    }

    /// Notes that a connection was refused: the server was killed.
    pub fn server_was_killed(&mut self, now: u64) {
        self.killed_at = Some(now);
    }

    /// A request got no answer: the server may have done it or not. The person tries again later,
    /// and waits longer after each failure.
    pub fn unanswered(&mut self, who: Who, now: u64) {
        self.now = now;
        if who.is_beside() {
            return;
        }
        if self.person(who.person).is(PAGES) {
            return self.page_unanswered(who.person);
        }
        self.try_again_later(who.person);
    }

    /// The connection failed: again later, and later each time.
    fn try_again_later(&mut self, me: u32) {
        let person = self.person(me);
        person.failures = person.failures.saturating_add(1);
        let most_s = f64::from(1_u32 << person.failures.min(4));
        let wait_s = self.chance(me).share() * most_s.min(10.0) + 0.5;
        self.after_real(me, wait_s);
    }

    /// Plans a person's next step, after a time to think.
    fn go(&mut self, me: u32, step: Step) {
        let person = self.person(me);
        person.step = step;
        if matches!(step, Step::Book | Step::Move | Step::Cancel) {
            person.keys = person.keys.wrapping_add(1);
        }
        let wait_s = if self.checking {
            0.0
        } else {
            self.thinks_s(me)
        };
        self.after(me, wait_s);
    }

    /// Plans that a person enters again, because their token is not good any more. If a change of
    /// their booking has no answer yet, they repeat it once they are in.
    fn enter_again(&mut self, me: u32) {
        self.leave_inside(me);
        let person = self.person(me);
        if !person.is(PAGES) {
            person.token = None;
        }
        person.set(IN, false);
        if person.is(UNSURE) && !matches!(person.step, Step::Enter | Step::Wait | Step::Admit) {
            person.back = person.step;
        }
        person.step = Step::Enter;
        let wait_s = self.thinks_s(me);
        self.after(me, wait_s);
    }

    /// Plans a bot's next request.
    fn repeat_as_bot(&mut self, me: u32) {
        let person = self.person(me);
        person.tries = person.tries.wrapping_add(1);
        let every_s = self.setting.habits.bot_every_s;
        self.after_real(me, every_s);
    }

    /// Ends a person's evening with this step.
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

    /// Counts a person out who is in session.
    fn leave_inside(&mut self, me: u32) {
        if !self.checking && self.person(me).is(IN) {
            self.inside -= 1;
        }
    }

    /// Begins the check at the end: people who have a number look up their place or booking. At
    /// most `people_max` of them do, `per_s` a second.
    pub fn begin_check(&mut self, people_max: usize, per_s: f64, now: u64) {
        self.timers.clear();
        self.checking = true;
        self.going = 0;
        let wanted = |person: &Person| person.number > 0 || person.is(IN) || person.is(BOOKED);
        let all: Vec<u32> = (0..)
            .zip(&self.crowd.people)
            .filter(|(_, person)| wanted(person))
            .map(|(at, _)| at)
            .collect();
        let every = all.len().div_ceil(people_max.max(1)).max(1);
        for (turn, me) in all.into_iter().step_by(every).enumerate() {
            let person = self.person(me);
            person.failures = 0;
            person.tries = 0;
            (person.load, person.shows) = (Load::Idle, Shows::Nothing);
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

    /// Random numbers that depend on the seed, the person and the time alone.
    fn chance(&self, me: u32) -> Random {
        Random::of(self.setting.seed, me, self.now)
    }

    /// How long a person thinks before the next click.
    fn thinks_s(&self, me: u32) -> f64 {
        let habits = &self.setting.habits;
        let bot = self.crowd.people[me as usize].is(BOT);
        let mean = if bot {
            habits.think_s / 10.0
        } else {
            habits.think_s
        };
        // An exponential distribution has no bounds, and people do.
        self.chance(me)
            .exponential(mean)
            .clamp(mean / 10.0, mean * 5.0)
    }

    /// The time after seconds of the server's clock.
    fn due(&self, seconds: f64) -> u64 {
        self.now + (seconds / self.setting.speed * 1e9) as u64
    }

    /// Plans a person's next request after seconds of the server's clock.
    fn after(&mut self, person: u32, seconds: f64) {
        let due = self.due(seconds);
        self.timers.push(Reverse((due, Who::own(person))));
    }

    /// Plans a person's next request after real seconds.
    fn after_real(&mut self, person: u32, seconds: f64) {
        let due = self.now + (seconds * SECOND as f64) as u64;
        self.timers.push(Reverse((due, Who::own(person))));
    }

    fn fault(&mut self, who: Who, fault: Fault, words: &str) {
        let words = format!("person {}: {words}", who.person);
        self.record.fault(fault, || words);
    }
}

#[cfg(test)]
mod tests;
