//! What is counted, second by second, and the report that it comes to at the end.

use std::time::Duration;

use serde::Serialize;

use super::Options;
use super::crowd::{Crowd, Doing};
use crate::domain::campaign::GateRules;
use crate::domain::ids::PersonKey;
use crate::domain::line::{Given, Ticket};
use crate::gate::outlook::POLLS_PER_S_MAX;
use crate::gate::{Gate, Place, PlaceState};

/// The steps of a second, as in `run`.
const STEPS: u32 = 10;

#[derive(Debug)]
pub struct Measures {
    rules: GateRules,
    /// Numbers that somebody has: one bit each.
    numbers: Vec<u64>,
    first_number: u64,
    doubled: u64,
    pub other_places: u64,
    /// The number served at the end of each step.
    pub served: Vec<u32>,
    enters: Counted,
    polls: Counted,
    admits: Counted,
    /// The highest number that went in when it was first called.
    highest_in: u64,
    overtaken: u64,
    pub turned_away: u64,
    pub refused: u64,
    pub refused_paused: u64,
    pub stayed_away: u64,
    pub gave_up: u64,
    pub idled: u64,
    pub booked: u64,
    waiting: u64,
    waiting_max: u64,
    active_max: u64,
    pub resident_before: u64,
    resident_more: u64,
}

/// Something that happens so many times a second.
#[derive(Debug, Default)]
struct Counted {
    now: u64,
    most: u64,
    most_at_s: u64,
    all: u64,
    seconds: u64,
    second: u64,
}

impl Counted {
    fn close(&mut self) {
        if self.now > self.most {
            (self.most, self.most_at_s) = (self.now, self.second);
        }
        self.second += 1;
        self.all += self.now;
        self.seconds += u64::from(self.now > 0);
        self.now = 0;
    }

    fn rate(&self) -> Rate {
        let mean = self.all as f64 / self.seconds.max(1) as f64;
        Rate {
            peak_per_s: self.most,
            peak_at_s: self.most_at_s,
            mean_per_s: mean.round(),
            all: self.all,
        }
    }
}

impl Measures {
    pub fn new(people: u32, rules: GateRules) -> Self {
        Self {
            rules,
            numbers: vec![u64::MAX; people as usize / 64 + 4_096],
            first_number: u64::MAX,
            doubled: 0,
            other_places: 0,
            served: Vec::new(),
            enters: Counted::default(),
            polls: Counted::default(),
            admits: Counted::default(),
            highest_in: 0,
            overtaken: 0,
            turned_away: 0,
            refused: 0,
            refused_paused: 0,
            stayed_away: 0,
            gave_up: 0,
            idled: 0,
            booked: 0,
            waiting: 0,
            waiting_max: 0,
            active_max: 0,
            resident_before: 0,
            resident_more: 0,
        }
    }

    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    pub fn entered(&mut self, number: u64) {
        self.first_number = self.first_number.min(number);
        self.enters.now += 1;
        let (at, bit) = (number as usize / 64, 1 << (number % 64));
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, u64::MAX);
        }
        self.doubled += u64::from(self.numbers[at] & bit == 0);
        self.numbers[at] &= !bit;
    }

    pub fn polled(&mut self, place: &Place, had: Ticket) {
        self.polls.now += 1;
        self.other_places += u64::from(place.ticket != had);
        let overtaken = place.state == PlaceState::Waiting && place.number < self.highest_in;
        self.overtaken += u64::from(overtaken);
    }

    pub fn admitted(&mut self, place: &Place, first: bool) {
        self.admits.now += 1;
        if first {
            self.highest_in = self.highest_in.max(place.number);
        }
    }

    pub fn second(&mut self, waiting: u64, active: u64) {
        self.enters.close();
        self.polls.close();
        self.admits.close();
        self.waiting = waiting;
        self.waiting_max = self.waiting_max.max(waiting);
        self.active_max = self.active_max.max(active);
    }

    /// Notes what the process takes beyond what the simulation itself keeps.
    pub fn weigh(&mut self, own: u64) {
        let own = own + self.served.capacity() as u64 * 4;
        let more = resident_bytes().saturating_sub(self.resident_before + own);
        self.resident_more = self.resident_more.max(more);
    }

    pub fn done(self, crowd: &Crowd, options: &Options, gate: &Gate, took: Duration) -> Simulated {
        let called = crowd.people.iter().filter(|person| person.turn != u32::MAX);
        let called = called.map(|person| {
            let step = self.served.partition_point(|served| *served < person.turn) as u32;
            let waited_s = step.saturating_sub(person.entered).div_ceil(STEPS);
            (waited_s, person.shown)
        });
        let mut waits: Vec<(u32, [u32; 2])> = called.collect();
        waits.sort_unstable();
        let doing =
            |doing: Doing| crowd.people.iter().filter(|one| one.doing == doing).count() as u64;
        let states = States {
            booked: doing(Doing::Booked),
            inside: doing(Doing::In) + doing(Doing::InAgain),
            lost: doing(Doing::Lost),
            waiting: doing(Doing::Waiting) + doing(Doing::Dawdling),
            gone: doing(Doing::Gone),
        };
        let entered = self.enters.all;
        let gone = self.stayed_away + self.gave_up + self.idled;
        let conserved = states.all() == entered
            && entered + doing(Doing::Absent) == u64::from(options.people)
            && states.gone == gone
            && states.booked == self.booked;
        let in_order = self.overtaken == 0
            && self.doubled == 0
            && self.other_places == 0
            && self.first_number == 1
            && self.active_max <= u64::from(self.rules.active_max);
        Simulated {
            people: options.people,
            enters: self.enters.rate(),
            polls: self.polls.rate(),
            admissions: self.admits.rate(),
            polls_per_s_budget: POLLS_PER_S_MAX,
            waiting_max: self.waiting_max,
            longest_wait_s: waits.last().map_or(0, |(waited_s, _)| *waited_s),
            within_range: share(&waits),
            deciles: deciles(&waits),
            bytes_per_waiting_person: Bytes {
                measured: self.resident_more as f64 / entered.max(1) as f64,
                structure: structural_bytes(options.people),
            },
            active_max: self.active_max,
            active_at_the_end: gate.sessions.active(),
            overtaken: self.overtaken,
            numbers_given_twice: self.doubled,
            first_number: self.first_number,
            other_places: self.other_places,
            turned_away: self.turned_away,
            refused_at_admission: self.refused,
            refused_paused: self.refused_paused,
            states,
            stayed_away: self.stayed_away,
            gave_up: self.gave_up,
            idled: self.idled,
            conserved,
            in_order,
            took_s: took.as_secs_f64(),
        }
    }
}

/// The evening as it was.
#[derive(Clone, Debug, Serialize)]
pub struct Simulated {
    pub people: u32,
    pub enters: Rate,
    pub polls: Rate,
    pub admissions: Rate,
    pub polls_per_s_budget: f64,
    pub waiting_max: u64,
    pub longest_wait_s: u32,
    /// The share of waits within the range that was shown at entering.
    pub within_range: f64,
    pub deciles: Vec<Decile>,
    pub bytes_per_waiting_person: Bytes,
    /// The most people who were in at a time.
    pub active_max: u64,
    pub active_at_the_end: u64,
    pub overtaken: u64,
    pub numbers_given_twice: u64,
    /// The line begins at number 1.
    pub first_number: u64,
    pub other_places: u64,
    pub turned_away: u64,
    pub refused_at_admission: u64,
    pub refused_paused: u64,
    pub states: States,
    pub stayed_away: u64,
    pub gave_up: u64,
    pub idled: u64,
    /// Everybody is counted in one state: nobody was lost.
    pub conserved: bool,
    /// The line began at number 1, nobody was overtaken, no number was given twice, no place
    /// changed, no bound was passed.
    pub in_order: bool,
    pub took_s: f64,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Rate {
    pub peak_per_s: u64,
    pub peak_at_s: u64,
    /// Of the seconds in which it happened at all.
    pub mean_per_s: f64,
    pub all: u64,
}

/// Memory a waiting person takes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Bytes {
    pub measured: f64,
    /// By the layout of the journal's table of places.
    pub structure: f64,
}

/// How many people ended in which state.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct States {
    pub booked: u64,
    #[serde(rename = "in")]
    pub inside: u64,
    #[serde(rename = "lost their session")]
    pub lost: u64,
    pub waiting: u64,
    pub gone: u64,
}

impl States {
    fn all(&self) -> u64 {
        self.booked + self.inside + self.lost + self.waiting + self.gone
    }
}

fn deciles(waits: &[(u32, [u32; 2])]) -> Vec<Decile> {
    let size = waits.len().div_ceil(10).max(1);
    let decile = |waits: &[(u32, [u32; 2])]| {
        let middle = waits[waits.len() / 2];
        let widths = waits
            .iter()
            .map(|(_, [least, most])| f64::from(*most) / f64::from((*least).max(1)));
        Decile {
            wait_s: [waits[0].0, waits[waits.len() - 1].0],
            within: share(waits),
            shown_s: middle.1,
            most_by_least: widths.sum::<f64>() / waits.len() as f64,
        }
    };
    waits.chunks(size).map(decile).collect()
}

/// A tenth of the people who were called, by how long they waited.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Decile {
    /// The shortest and the longest wait.
    pub wait_s: [u32; 2],
    /// The share of waits within the range that was shown at entering.
    pub within: f64,
    /// The range that the person in the middle was shown.
    pub shown_s: [u32; 2],
    /// The upper end of the range by the lower, on average.
    pub most_by_least: f64,
}

fn share(waits: &[(u32, [u32; 2])]) -> f64 {
    // A wait is counted in whole seconds, begun ones too.
    let within = |(waited_s, [least, most]): &&(u32, [u32; 2])| {
        (*least..=most + 1).contains(waited_s) || *waited_s + 1 == *least
    };
    waits.iter().filter(within).count() as f64 / waits.len().max(1) as f64
}

/// Bytes a person in the journal's table of places: a row and its control byte, in a table of
/// 2ⁿ places of which at most seven eighths are taken.
fn structural_bytes(people: u32) -> f64 {
    let row = size_of::<(PersonKey, Given)>() + 1;
    let places = (f64::from(people) * 8.0 / 7.0).log2().ceil().exp2();
    places * row as f64 / f64::from(people)
}

/// What the process takes of the machine's memory.
pub fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}
