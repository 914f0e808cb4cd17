//! The evening itself: a tenth of a second after the other, the keeper's step and then whoever
//! has something to do.

use std::time::{Duration, Instant};

use super::Options;
use super::crowd::{Crowd, Doing, Way as Is};
use super::measure::{Measures, Simulated, resident_bytes};
use crate::clock::{Entropy, tick};
use crate::domain::campaign::{Campaign, Opening};
use crate::domain::entry::{Change, GateAct};
use crate::domain::ids::LineIndex;
use crate::domain::line::{GateSettings, Line, Ticket};
use crate::domain::time::Stamp;
use crate::gate::admission::Queue;
use crate::gate::memory::{INDEX, Memory};
use crate::gate::step::{GateStep, StepMemory};
use crate::gate::{Gate, Place, PlaceState, Way};
use crate::keys::Keys;

/// What people do next lies at most this many seconds ahead.
const AHEAD_S: usize = 2_048;
/// Marks what a second device does.
const SECOND_DEVICE: u32 = 1 << 31;
/// A delay of the writer that makes the brake pull.
const BUSY_US: u64 = 200_000;
const PROGRESS: Duration = Duration::from_secs(1);
/// The steps of a second.
const STEPS: u32 = 10;
const STEP_NS: i64 = Stamp::SECOND / STEPS as i64;

pub struct Run<'a> {
    options: &'a Options,
    campaign: Campaign,
    memory: Memory,
    gate: Gate,
    keys: Keys,
    step_memory: StepMemory,
    start: Stamp,
    opening: Stamp,
    /// The line of the opening.
    line: LineIndex,
    opening_s: u32,
    crowd: Crowd,
    /// What people do in each of the next seconds.
    events: Vec<Vec<u32>>,
    measures: Measures,
    now: Stamp,
    step: u32,
}

impl<'a> Run<'a> {
    pub fn new(
        options: &'a Options,
        source: &str,
        mut campaign: Campaign,
        first: &Opening,
    ) -> anyhow::Result<Self> {
        let opening = first.from;
        let opening_s = campaign.gate.lobby_opens_min * 60;
        let start = opening.plus_s(-i64::from(opening_s));
        let memory = Memory::of_campaign(source, start).map_err(anyhow::Error::msg)?;
        let gate = &mut campaign.gate;
        gate.admit_per_s = options.admit_per_s.unwrap_or(gate.admit_per_s);
        gate.active_max = options.active_max.unwrap_or(gate.active_max);
        Ok(Self {
            gate: Gate::new(&campaign.gate, &GateSettings::default(), &[], start),
            measures: Measures::new(options.people, campaign.gate.clone()),
            options,
            campaign,
            memory,
            keys: Keys::generate(&Entropy::system()),
            step_memory: StepMemory::default(),
            start,
            opening,
            line: first.line,
            opening_s,
            crowd: Crowd::new(options, 0),
            events: vec![Vec::new(); AHEAD_S],
            now: start,
            step: 0,
        })
    }

    /// Lives through the evening of an opening; what the evenings before left is still there.
    pub fn live(&mut self, opening: &Opening, evening: u64) -> anyhow::Result<Simulated> {
        self.opening = opening.from;
        self.line = opening.line;
        self.start = opening.from.plus_s(-i64::from(self.opening_s));
        (self.now, self.step) = (self.start, 0);
        self.crowd = Crowd::new(self.options, evening);
        self.measures = Measures::new(self.options.people, self.campaign.gate.clone());
        self.events.iter_mut().for_each(Vec::clear);
        let (people, ends) = self.crowd.arrivals(self.options, self.opening_s);
        let (began, mut shown) = (tick(), tick());
        self.measures.resident_before = resident_bytes();
        let last = self
            .options
            .until
            .map(|minute| self.opening_s + minute * 60);
        for second in 0.. {
            self.act(second);
            let events = std::mem::take(&mut self.events[second as usize % AHEAD_S]);
            for part in 0..STEPS {
                self.step = second * STEPS + part;
                self.now = Stamp(self.start.0 + i64::from(self.step) * STEP_NS);
                self.keep(second);
                let cut = |part: u32| events.len() * part as usize / STEPS as usize;
                for event in &events[cut(part)..cut(part + 1)] {
                    self.event(*event);
                }
                let ends = |at: u32| {
                    ends.get(at as usize)
                        .copied()
                        .unwrap_or(people.len() as u32)
                };
                for person in &people[ends(self.step) as usize..ends(self.step + 1) as usize] {
                    self.enter(*person);
                }
                let serving = self.gate.line(self.line).map_or(0, |line| line.serving());
                self.measures.served.push(serving as u32);
            }
            if second % 10 == 0 {
                self.gate.sessions.sweep(self.now);
            }
            let busy = self.look(second, &events);
            let over = self.step as usize > ends.len() && !busy;
            if over || last.is_some_and(|last| second >= last) {
                break;
            }
            if shown.elapsed() >= PROGRESS {
                shown = tick();
                self.progress(second, began);
            }
        }
        eprintln!();
        let took = began.elapsed();
        let none = Measures::new(0, self.campaign.gate.clone());
        let measures = std::mem::replace(&mut self.measures, none);
        Ok(measures.done(&self.crowd, self.options, &self.gate, took))
    }

    /// Operators' acts at the beginning of a second.
    fn act(&mut self, second: u32) {
        let minute = second.checked_sub(self.opening_s).map(|s| (s / 60, s % 60));
        let Some((minute, 0)) = minute else {
            return;
        };
        let mut acts = Vec::new();
        if let Some((from, until)) = self.options.pause {
            let (reason, freezes) = ("simulated".to_owned(), false);
            if minute == from {
                acts.push(GateAct::Pause { reason, freezes });
            } else if minute == until {
                acts.push(GateAct::Resume);
            }
        }
        let rates = self.options.rate.iter().filter(|(at, _)| *at == minute);
        acts.extend(rates.map(|(_, rate)| GateAct::Rate { admit_per_s: *rate }));
        for act in acts {
            let campaign = INDEX;
            let kept = self.memory.journal(Change::GateSet { campaign, act });
            kept.expect("an operator's act can follow anything");
        }
    }

    fn keep(&mut self, second: u32) {
        let minute = second.saturating_sub(self.opening_s) / 60;
        let brake = self.options.brake;
        let busy = brake.is_some_and(|(from, until)| (from..until).contains(&minute));
        let delay_us = if busy { BUSY_US } else { 1_000 };
        self.gate.limits.delayed(Queue::Writer, delay_us);
        self.memory.set_now(self.now);
        let step = GateStep {
            journal: &self.memory,
            index: INDEX,
            campaign: &self.campaign,
            gate: &self.gate,
            keys: &self.keys,
            people_of: &|_| self.crowd.people.len() as u64,
        };
        let taken = step.take(&mut self.step_memory, self.now);
        taken.expect("a journal in memory does not stop by itself");
    }

    fn way(&self, line: &Line) -> Way {
        if self.now >= self.opening {
            return Way::Open;
        }
        Way::Lobby {
            is_drawn: line.draw.as_ref().is_some_and(|draw| draw.seed.is_none()),
            opens: self.opening,
        }
    }

    fn after(&mut self, seconds: u32, event: u32) {
        let at = (self.step / STEPS + seconds.max(1)) as usize % AHEAD_S;
        self.events[at].push(event);
    }

    fn enter(&mut self, person: u32) {
        let key = self.crowd.key(person);
        let place = self.memory.in_line(&self.gate, self.line, |here| {
            here.enter(key, self.way(here.line), self.now)
        });
        let Some(place) = place else {
            // `overloaded`: a second later the next numbers are leased.
            self.measures.turned_away += 1;
            return self.after(1, person);
        };
        let at = person as usize;
        self.crowd.people[at].doing = Doing::Waiting;
        self.crowd.people[at].mark = place.ticket.mark();
        self.crowd.people[at].entered = self.step;
        let [least, most] = place.wait_s;
        self.crowd.people[at].shown = [least, most].map(|s| s.min(u64::from(u32::MAX)) as u32);
        self.measures.entered(place.ticket.given.number());
        if self.crowd.is(person, Is::NoShow) {
            self.crowd.people[at].doing = Doing::Gone;
            self.measures.stayed_away += 1;
            return;
        }
        self.after(place.next_poll_s, person);
        if self.crowd.is(person, Is::SecondDevice) {
            let later = self.crowd.second_device_s(person);
            self.after(later, person | SECOND_DEVICE);
        }
    }

    fn event(&mut self, event: u32) {
        let person = event & !SECOND_DEVICE;
        if event != person {
            return self.second_device(person);
        }
        let at = person as usize;
        match self.crowd.people[at].doing {
            Doing::Absent => self.enter(person),
            Doing::Waiting | Doing::Dawdling | Doing::Lost => self.poll(person),
            Doing::In if self.crowd.is(person, Is::Idle) => {
                self.crowd.people[at].doing = Doing::Gone;
                self.measures.idled += 1;
            }
            Doing::In if self.crowd.is(person, Is::Again) => {
                self.crowd.people[at].doing = Doing::Lost;
                let later = self.campaign.gate.session_idle_s.min(1_800) + 60;
                self.after(later, person);
            }
            Doing::In | Doing::InAgain => {
                self.gate.sessions.settle(&self.crowd.key(person));
                self.crowd.people[at].doing = Doing::Booked;
                self.measures.booked += 1;
            }
            Doing::Booked | Doing::Gone => {}
        }
    }

    fn see(&mut self, person: u32) -> Place {
        let ticket = Ticket::of_mark(self.crowd.people[person as usize].mark);
        let key = self.crowd.key(person);
        let place = self.memory.in_line(&self.gate, self.line, |here| {
            let (way, now) = (self.way(here.line), self.now);
            here.look(key, ticket.given, now, way, now)
        });
        let place = place.expect("whoever has a number has a place");
        self.measures.polled(&place, ticket);
        place
    }

    fn poll(&mut self, person: u32) {
        let at = person as usize;
        let waited_s = f64::from(self.step - self.crowd.people[at].entered) / f64::from(STEPS);
        let doing = self.crowd.people[at].doing;
        if doing == Doing::Waiting && waited_s > self.crowd.patience_s(person) {
            self.crowd.people[at].doing = Doing::Gone;
            self.measures.gave_up += 1;
            return;
        }
        let place = self.see(person);
        if place.state != PlaceState::Admitted {
            return self.after(place.next_poll_s, person);
        }
        self.crowd.people[at].turn = place.number as u32;
        if doing == Doing::Waiting && self.crowd.is(person, Is::Late) {
            self.crowd.people[at].doing = Doing::Dawdling;
            let later = self.crowd.late_s(person);
            return self.after(later, person);
        }
        let paused = self
            .memory
            .in_line(&self.gate, self.line, |here| here.settings.pause.is_some());
        if paused {
            // `paused`, and when to come again.
            self.measures.refused_paused += 1;
            return self.after(30 + person % 30, person);
        }
        let key = self.crowd.key(person);
        let admitted = self.gate.admit(key, &place, self.now);
        if admitted.is_none() {
            self.measures.refused += 1;
            return self.after(place.next_poll_s, person);
        }
        self.measures.admitted(&place, doing == Doing::Waiting);
        self.crowd.people[at].doing = match doing {
            Doing::Lost => Doing::InAgain,
            _ => Doing::In,
        };
        let later = self.crowd.session_s(person);
        self.after(later, person);
    }

    /// The same person looks from a second device. It must show the same place until they are in.
    fn second_device(&mut self, person: u32) {
        if self.crowd.people[person as usize].doing != Doing::Waiting {
            return;
        }
        let place = self.see(person);
        if Ticket::of_mark(self.crowd.people[person as usize].mark) != place.ticket {
            self.measures.other_places += 1;
        }
        if place.state != PlaceState::Admitted {
            self.after(place.next_poll_s, person | SECOND_DEVICE);
        }
    }

    /// Ends the counting of a second. Returns whether anything is left to happen.
    fn look(&mut self, second: u32, events: &[u32]) -> bool {
        let waiting = self
            .memory
            .in_line(&self.gate, self.line, |here| here.live.waiting(here.line));
        let active = self.gate.sessions.active();
        self.measures.second(waiting, active);
        if second.is_multiple_of(60) {
            let own: usize = self.events.iter().map(Vec::capacity).sum();
            self.measures.weigh((own + events.len()) as u64 * 4);
        }
        // Those who left without a word are called too.
        waiting > 0 || !events.is_empty() || self.events.iter().any(|events| !events.is_empty())
    }

    fn progress(&self, second: u32, began: Instant) {
        let since = i64::from(second) - i64::from(self.opening_s);
        eprint!(
            "\r{:>4} min after the opening, {} waiting, {} booked, {:.0} s of yours   ",
            since.div_euclid(60),
            self.measures.waiting(),
            self.measures.booked,
            began.elapsed().as_secs_f64()
        );
    }
}
