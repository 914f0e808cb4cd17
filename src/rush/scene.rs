//! What people do: the next request of each (`ask`), and what they make of its answer (`hear`,
//! `place`).
//!
//! No sockets and no clock here: `now` is told, in nanoseconds of the rush. Every answer is
//! checked against the contract and against what its person was told before.

mod ask;
mod hear;
mod place;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::crowd::{BOT, CHECKED, Crowd, Habits, IN, Person, Step, UNSURE, WAITED};
use super::random::Random;
use super::record::{Fault, Record};

const SECOND: u64 = 1_000_000_000;

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

    /// Does that next, after thinking.
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

#[cfg(test)]
mod tests;
