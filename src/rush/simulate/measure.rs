//! What is counted, second by second, and what is said of it at the end.

use std::time::Duration;

use serde_json::{Value, json};

use super::Options;
use super::crowd::{Crowd, Doing};
use crate::cli::Answer;
use crate::domain::campaign::GateRules;
use crate::domain::ids::PersonKey;
use crate::domain::line::Given;
use crate::gate::outlook::POLLS_PER_S_MAX;
use crate::gate::{Gate, Place, PlaceState};

/// The steps of a second, as in `run`.
const STEPS: u32 = 10;

#[derive(Debug)]
pub struct Measures {
    rules: GateRules,
    /// Numbers that somebody has: one bit each.
    numbers: Vec<u64>,
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

    fn json(&self) -> Value {
        let mean = self.all as f64 / self.seconds.max(1) as f64;
        json!({
            "peak_per_s": self.most, "peak_at_s": self.most_at_s, "mean_per_s": mean.round(),
            "all": self.all,
        })
    }
}

impl Measures {
    pub fn new(people: u32, rules: GateRules) -> Self {
        Self {
            rules,
            numbers: vec![u64::MAX; people as usize / 64 + 4_096],
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
        self.enters.now += 1;
        let (at, bit) = (number as usize / 64, 1 << (number % 64));
        if self.numbers.len() <= at {
            self.numbers.resize(at + 1, u64::MAX);
        }
        self.doubled += u64::from(self.numbers[at] & bit == 0);
        self.numbers[at] &= !bit;
    }

    pub fn polled(&mut self, place: &Place, had: Given) {
        self.polls.now += 1;
        self.other_places += u64::from(place.given != had);
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

    pub fn done(self, crowd: &Crowd, options: &Options, gate: &Gate, took: Duration) -> Measured {
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
        let states = [
            ("booked", doing(Doing::Booked)),
            ("in", doing(Doing::In) + doing(Doing::InAgain)),
            ("lost their session", doing(Doing::Lost)),
            ("waiting", doing(Doing::Waiting) + doing(Doing::Dawdling)),
            ("gone", doing(Doing::Gone)),
        ];
        Measured {
            structural: structural_bytes(options.people),
            measures: self,
            waits,
            states: states.to_vec(),
            absent: doing(Doing::Absent),
            active: gate.sessions.active(),
            people: options.people,
            took,
        }
    }
}

/// The evening as it was.
pub struct Measured {
    measures: Measures,
    /// How long those who were called had waited, ascending, and what they had been shown.
    waits: Vec<(u32, [u32; 2])>,
    states: Vec<(&'static str, u64)>,
    absent: u64,
    active: u64,
    people: u32,
    structural: f64,
    took: Duration,
}

impl Measured {
    pub fn answer(&self) -> Answer {
        let measures = &self.measures;
        let entered = measures.enters.all;
        let states: u64 = self.states.iter().map(|(_, people)| people).sum();
        let gone = measures.stayed_away + measures.gave_up + measures.idled;
        let counted = |name| self.states.iter().find(|(known, _)| *known == name);
        let people = |name| counted(name).map_or(0, |(_, people)| *people);
        let conserved = states == entered
            && entered + self.absent == u64::from(self.people)
            && people("gone") == gone
            && people("booked") == measures.booked;
        let in_order = measures.overtaken == 0
            && measures.doubled == 0
            && measures.other_places == 0
            && measures.active_max <= u64::from(measures.rules.active_max);
        let within = share(&self.waits);
        let deciles = self.deciles();
        let longest = self.waits.last().map_or(0, |(waited_s, _)| *waited_s);
        let bytes = measures.resident_more as f64 / entered.max(1) as f64;
        let took_s = self.took.as_secs_f64();
        let states: serde_json::Map<_, _> = self
            .states
            .iter()
            .map(|(name, people)| ((*name).to_owned(), json!(people)))
            .collect();
        let json = json!({
            "people": self.people,
            "enters": measures.enters.json(), "polls": measures.polls.json(),
            "admissions": measures.admits.json(), "polls_per_s_budget": POLLS_PER_S_MAX,
            "waiting_max": measures.waiting_max, "longest_wait_s": longest,
            "within_range": within, "deciles": deciles.iter().map(Decile::json).collect::<Vec<_>>(),
            "bytes_per_waiting_person": { "measured": bytes, "structure": self.structural },
            "active_max": measures.active_max, "active_at_the_end": self.active,
            "overtaken": measures.overtaken, "numbers_given_twice": measures.doubled,
            "other_places": measures.other_places,
            "turned_away": measures.turned_away, "refused_at_admission": measures.refused,
            "refused_paused": measures.refused_paused,
            "states": states, "stayed_away": measures.stayed_away, "gave_up": measures.gave_up,
            "idled": measures.idled, "conserved": conserved, "in_order": in_order,
            "took_s": took_s,
        });
        let mut lines = vec![
            format!(
                "{entered} people entered, at most {} a second",
                measures.enters.most
            ),
            format!(
                "polls: at most {} a second (budget {POLLS_PER_S_MAX}), {:.0} on average",
                measures.polls.most,
                measures.polls.all as f64 / measures.polls.seconds.max(1) as f64
            ),
            format!(
                "admissions: at most {} a second, {} in at a time; {} refused, {} in the pause",
                measures.admits.most,
                measures.active_max,
                measures.refused,
                measures.refused_paused
            ),
            format!(
                "waits: {:.2} % within the range shown at entering; the longest {longest} s",
                within * 100.0
            ),
        ];
        lines.extend(deciles.iter().map(Decile::text));
        lines.push(format!(
            "memory: {bytes:.1} bytes a waiting person measured, {:.1} by structure",
            self.structural
        ));
        lines.push(format!(
            "order: {} overtaken, {} numbers twice, {} changed places",
            measures.overtaken, measures.doubled, measures.other_places
        ));
        let states = self
            .states
            .iter()
            .map(|(name, people)| format!("{people} {name}"));
        lines.push(format!(
            "people: {}{}",
            states.collect::<Vec<_>>().join(", "),
            if conserved { "" } else { ": DO NOT ADD UP" }
        ));
        lines.push(format!("{took_s:.0} s"));
        let human = lines.join("\n");
        match conserved && in_order {
            true => Answer::done(human, json),
            false => Answer::fault(human, json),
        }
    }

    fn deciles(&self) -> Vec<Decile> {
        let size = self.waits.len().div_ceil(10).max(1);
        let decile = |waits: &[(u32, [u32; 2])]| {
            let middle = waits[waits.len() / 2];
            let widths = waits
                .iter()
                .map(|(_, [least, most])| f64::from(*most) / f64::from((*least).max(1)));
            Decile {
                wait_s: [waits[0].0, waits[waits.len() - 1].0],
                within: share(waits),
                shown: middle.1,
                ratio: widths.sum::<f64>() / waits.len() as f64,
            }
        };
        self.waits.chunks(size).map(decile).collect()
    }
}

/// A tenth of all who were called, by how long they waited.
struct Decile {
    wait_s: [u32; 2],
    within: f64,
    /// What one in the middle was shown.
    shown: [u32; 2],
    /// The most by the least, on average.
    ratio: f64,
}

impl Decile {
    fn text(&self) -> String {
        let ([from, to], [least, most]) = (self.wait_s, self.shown);
        format!(
            "  {from:>6} to {to:>6} s: {:>6.2} % within, as {least} to {most} s (1 to {:.1})",
            self.within * 100.0,
            self.ratio
        )
    }

    fn json(&self) -> Value {
        json!({
            "wait_s": self.wait_s, "within": self.within, "shown_s": self.shown,
            "most_by_least": self.ratio,
        })
    }
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
