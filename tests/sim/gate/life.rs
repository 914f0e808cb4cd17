//! One seed: forty people with devices at the real gate, evening after evening, through crashes
//! and everything else.

use std::rc::Rc;
use std::sync::Arc;

use sumun::domain::booking::catalog::Catalog;
use sumun::domain::ids::{LineIndex, PersonKey};
use sumun::domain::line::{GateSettings, Given, Line};
use sumun::domain::state::State;
use sumun::domain::time::Stamp;
use sumun::gate::Gate;
use sumun::gate::memory::Memory;
use sumun::gate::step::StepMemory;
use sumun::keys::Keys;

use super::Tally;
use super::july::{July, Phase};
use super::model::Model;
use crate::random::Random;
use crate::world::{EVENING, SECOND, keys};

const PEOPLE: u64 = 40;
/// In a crowd the rate is all that bounds the calls, and turns are given on while many wait.
const CROWD: u64 = 160;
const STEP_NS: i64 = SECOND / 10;

pub struct Life {
    pub(super) random: Random,
    pub(super) tally: Tally,
    pub(super) model: Model,
    pub(super) memory: Rc<Memory>,
    /// The rules in force, as the simulation wrote them and as the program reads them.
    pub(super) july: Rc<July>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) gate: Arc<Gate>,
    pub(super) step_memory: StepMemory,
    pub(super) keys: Arc<Keys>,
    pub(super) now: Stamp,
    /// Whoever has not booked.
    pub(super) people: Vec<PersonKey>,
    pub(super) everybody: Rc<[PersonKey]>,
    pub(super) paused: bool,
    pub(super) freezes: bool,
    /// When the keeper last stepped, and whether people could go in then.
    pub(super) stepped: (Stamp, bool),
    /// How far the evening of each line was at the keeper's last step.
    pub(super) phases: Vec<Phase>,
    /// So many more steps until the keeper has made of new rules what is to be made.
    pub(super) unsettled: u32,
    /// How long the keeper waits between its steps.
    pub(super) step_ns: i64,
    /// A step of the keeper is under way.
    pub(super) in_step: bool,
    /// A request that has read the clock or the rules of before was answered in that step.
    pub(super) slow_in_step: bool,
    /// Requests that are still on their way.
    pub(super) slow: Vec<Request>,
    pub(super) backup: Option<Backup>,
    /// Whether anything made the line forget somebody or call the same numbers again.
    pub(super) crashed: bool,
    /// The server's time stands still for so long: its clock was set back.
    pub(super) stands_ns: i64,
}

/// A request that has read the clock and the rules, and takes its time.
#[derive(Clone)]
pub struct Request {
    pub person: PersonKey,
    pub now: Stamp,
    pub catalog: Arc<Catalog>,
}

pub struct Backup {
    pub state: State,
    pub july: Rc<July>,
    /// Of its lines.
    pub lives: Vec<u64>,
}

impl Life {
    pub fn live(seed: u64, rounds: u64) -> Tally {
        let mut life = Self::new(seed);
        for _ in 0..rounds {
            life.round();
        }
        life.last_evening();
        life.tally
    }

    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let now = Stamp(EVENING.0 + random.below(1_000_000_000) as i64);
        let (count, rate, most) = if random.percent(20) {
            (CROWD, 1 + random.below(2), 10_000)
        } else {
            (PEOPLE, 1 + random.below(8), 2 + random.below(20))
        };
        let july = July::new(&mut random, rate, most);
        let memory = Memory::of_campaign(&july.text(), now).unwrap();
        let catalog = memory.look(|state| Arc::clone(&state.campaigns[0].catalog));
        let person = |at: u64| {
            let mut bytes = [at as u8; 16];
            bytes[..8].copy_from_slice(&Random::new(at).next().to_be_bytes());
            PersonKey(bytes)
        };
        let people: Vec<_> = (1..=count).map(person).collect();
        let rules = &catalog.campaign.gate;
        let lines = july.evenings.len();
        let mut life = Self {
            random,
            tally: Tally::new(),
            model: Model::new(&people, lines, rate as f64, most, july.idle_s),
            gate: Arc::new(Gate::new(rules, &GateSettings::default(), &[], now)),
            memory: Rc::new(memory),
            july: Rc::new(july),
            catalog,
            step_memory: StepMemory::default(),
            keys: keys(),
            now,
            everybody: people.clone().into(),
            people,
            paused: false,
            freezes: false,
            stepped: (now, false),
            phases: Vec::new(),
            unsettled: 2,
            step_ns: STEP_NS,
            in_step: false,
            slow_in_step: false,
            slow: Vec::new(),
            backup: None,
            crashed: false,
            stands_ns: 0,
        };
        life.keep();
        life
    }

    pub(super) fn note(&mut self, kind: &'static str) {
        *self.tally.entry(kind).or_default() += 1;
    }

    fn round(&mut self) {
        let Some(person) = self.somebody() else {
            return;
        };
        if self.random.percent(20) {
            self.finish_slow();
        }
        match self.random.below(200) {
            0..12 => self.begin_slow(person),
            12..60 => self.enter(person),
            60..64 => self.enter_all(),
            64..108 => self.look(person),
            108..140 => self.try_to_go_in(person),
            140..150 => self.book(person),
            150..154 => self.lose_token(person),
            154..157 => self.act(),
            157..161 => self.activate(),
            161..163 => self.crash(),
            163..165 => self.back_up(),
            165..190 => {
                let ns = self.random.below(3 * SECOND as u64) as i64;
                self.pass(ns);
            }
            _ => {
                let ns = self.random.below(80 * SECOND as u64) as i64;
                self.pass(ns);
            }
        }
    }

    pub(super) fn somebody(&mut self) -> Option<PersonKey> {
        let at = self.random.below(self.people.len().max(1) as u64);
        self.people.get(at as usize).copied()
    }

    /// A crowd comes at once.
    fn enter_all(&mut self) {
        for person in self.people.clone() {
            if self.model.people[&person].tokens.is_empty() {
                self.enter(person);
            }
        }
    }

    /// Time passes; the keeper steps as in a server, now and then late.
    pub(super) fn pass(&mut self, ns: i64) {
        let mut left = ns;
        while left > 0 {
            let late = if self.random.percent(3) { 7 } else { 1 };
            let step = (self.step_ns * late).min(left);
            left -= step;
            self.rush();
            self.advance(step);
            if step >= self.step_ns {
                self.keep();
            }
            if self.random.percent(2) {
                self.idle_out();
            }
        }
    }

    /// Just before an opening people send requests that are answered after it.
    fn rush(&mut self) {
        let is_close = |from: Stamp| from > self.now && from < Stamp(self.now.0 + 3 * STEP_NS);
        let mut evenings = self.july.evenings.iter();
        let is_close = evenings.any(|evening| is_close(evening.from()));
        if is_close && let Some(person) = self.somebody() {
            self.begin_slow(person);
        } else if !self.slow.is_empty() && self.random.percent(10) {
            self.finish_slow();
        }
    }

    /// Time passes, unless it stands still.
    pub(super) fn advance(&mut self, ns: i64) {
        let stood = ns.min(self.stands_ns);
        self.stands_ns -= stood;
        let ns = ns - stood;
        if self.may_go_in() {
            self.model.turns.open_for(ns as f64 / 1e9);
        }
        self.model.sessions.pass(ns);
        self.now.0 += ns;
        self.memory.set_now(self.now);
    }

    /// Whether somebody may go in: some opening is open or not finished, and the gate not paused.
    pub(super) fn may_go_in(&self) -> bool {
        let mut evenings = self.july.evenings.iter();
        let is_on = evenings.any(|evening| {
            let phase = self.july.phase(evening, self.now);
            matches!(phase, Phase::Open | Phase::Finishing)
        });
        is_on && !self.paused
    }

    /// The positions of all lines that there were.
    pub(super) fn lines(&self) -> std::ops::Range<usize> {
        0..self.model.lines.len()
    }

    pub(super) fn serving(&self, line: usize) -> u64 {
        let live = self.gate.line(LineIndex(line as u16));
        live.map_or(0, |live| live.serving())
    }

    pub(super) fn line<T>(&self, line: usize, look: impl FnOnce(&Line) -> T) -> T {
        let lines = |state: &State| look(&state.campaigns[0].lines[line]);
        self.memory.look(lines)
    }

    pub(super) fn durable(&self, line: usize, person: &PersonKey) -> Option<Given> {
        self.line(line, |line| line.given.get(person).copied())
    }
}
