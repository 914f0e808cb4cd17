//! The keeper's step, with a journal that answers late: meanwhile people go on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use sumun::domain::campaign::Opening;
use sumun::domain::entry::Change;
use sumun::domain::ids::{CampaignIndex, LineIndex, PersonKey};
use sumun::domain::line::{GateSettings, Line};
use sumun::domain::time::Stamp;
use sumun::gate::memory::{INDEX, Memory};
use sumun::gate::step::{GateStep, Journal};

use super::july::Phase;
use super::life::Life;
use crate::world::SECOND;

/// A journal in which other people act while a change is on its way to the disk.
struct LateJournal<'a> {
    memory: &'a Memory,
    life: RefCell<&'a mut Life>,
    /// When the step began.
    at: Stamp,
    is_late: bool,
}

impl Journal for LateJournal<'_> {
    fn with_lines<T>(
        &self,
        index: CampaignIndex,
        look: impl FnOnce(&GateSettings, &[Line]) -> T,
    ) -> Option<T> {
        self.memory.with_lines(index, look)
    }

    fn keep(&self, change: Change) -> Option<()> {
        let mut life = self.life.borrow_mut();
        if self.is_late {
            life.meanwhile();
        }
        self.memory.keep(change.clone())?;
        life.journalled(&change, self.at);
        Some(())
    }
}

impl Life {
    pub(super) fn keep(&mut self) {
        self.follow();
        let at = self.now;
        let before: Vec<_> = self.lines().map(|line| self.serving(line)).collect();
        let late: Vec<_> = self.lines().map(|line| self.first_late(line)).collect();
        if self.step().is_none() {
            self.note("crashes in a step");
            return self.start_again();
        }
        for line in self.lines() {
            let called = self.serving(line) > before[line];
            if called && self.model.lines[line].life == late[line].0 {
                self.check_call(line, at, late[line].1);
            }
        }
        self.model.steps += 1;
        self.unsettled = self.unsettled.saturating_sub(1);
        self.count_turns(at);
        self.close_lobbies(at);
        self.watch_draws();
        if self.unsettled == 0 {
            // A backup that was put back has numbers of people whom the model forgot with it: they
            // keep the order that they came by.
            let lines = self.lines();
            let has_numbers: Vec<_> = lines
                .map(|at| self.line(at, |line| line.newest() > 0))
                .collect();
            self.model.check_plans(&self.july, &has_numbers, at);
        }
    }

    fn step(&mut self) -> Option<()> {
        let (memory, gate) = (Rc::clone(&self.memory), Arc::clone(&self.gate));
        let (catalog, keys) = (Arc::clone(&self.catalog), Arc::clone(&self.keys));
        let mut step_memory = std::mem::take(&mut self.step_memory);
        let at = self.now;
        let (july, everybody) = (Rc::clone(&self.july), Rc::clone(&self.everybody));
        self.in_step = true;
        self.slow_in_step = false;
        let is_late = self.random.percent(25);
        let journal = LateJournal {
            memory: &memory,
            life: RefCell::new(self),
            at,
            is_late,
        };
        let step = GateStep {
            journal: &journal,
            index: INDEX,
            campaign: &catalog.campaign,
            gate: &gate,
            keys: &keys,
            people_of: &|opening: &Opening| july.people_of(opening.line.at(), &everybody),
        };
        let taken = step.take(&mut step_memory, at);
        self.step_memory = step_memory;
        self.in_step = false;
        taken
    }

    /// The journal takes its time over a change of the keeper.
    fn meanwhile(&mut self) {
        if self.random.percent(50) {
            let ns = self.random.below(SECOND as u64 / 2) as i64;
            self.advance(ns);
        }
        for _ in 0..self.random.below(4) {
            let Some(person) = self.somebody() else {
                return;
            };
            self.note("acts while the journal is late");
            match self.random.below(8) {
                0..3 => self.enter(person),
                3 | 4 => self.look(person),
                5 => self.try_to_go_in(person),
                6 => self.finish_slow(),
                _ => self.book(person),
            }
        }
    }

    /// A change of the keeper is durable now.
    fn journalled(&mut self, change: &Change, at: Stamp) {
        match change {
            Change::LineEnded { line, .. } => {
                if !self.model.has_nobody(line.at()) {
                    self.note("lines over");
                }
                let july = Rc::clone(&self.july);
                self.model.ended(line.at(), &july, at);
                self.unsettled = 2;
            }
            Change::WindowsPlanned { line, plan, .. } => {
                let is_first = self.model.lines[line.at()].plans.is_empty();
                self.note(if is_first {
                    "windows planned"
                } else {
                    "windows planned anew"
                });
                let july = Rc::clone(&self.july);
                let people = july.people_of(line.at(), &self.everybody);
                self.model.planned(line.at(), plan, people, &july, at);
            }
            Change::DrawRevealed { line, .. } => {
                let seed = self.line(line.at(), |line| line.drawn_by());
                let known = self.model.lines[line.at()].drawn.is_some();
                self.watch_draw(line.at(), &seed.expect("it is revealed"), known);
            }
            _ => {}
        }
    }

    /// Rules 4 to 6: somebody was called in a step that began then.
    fn check_call(&self, line: usize, at: Stamp, late: Option<PersonKey>) {
        let evening = self.july.evening(line).expect("nobody else is called");
        let is_open = |now| self.july.phase(evening, now) == Phase::Open;
        let may_call = is_open(at) || is_open(self.now) || self.slow_in_step;
        assert!(
            may_call && !self.paused,
            "somebody was called while nobody may go in"
        );
        let waits = late.filter(|first| self.waits_late(line, first));
        assert_eq!(waits, None, "the line was called before somebody late");
    }

    fn waits_late(&self, line: usize, person: &PersonKey) -> bool {
        let live = self.gate.line(LineIndex(line as u16));
        live.is_some_and(|live| live.admission.waits_late(person))
    }

    /// The first of those of a line who came late, if they still wait for a turn; with the line.
    fn first_late(&self, line: usize) -> (u64, Option<PersonKey>) {
        let mut late = self.model.late.iter();
        let first = late.find(|(_, at)| *at == line).map(|(key, _)| *key);
        let first = first.filter(|first| self.waits_late(line, first));
        (self.model.lines[line].life, first)
    }

    /// A line whose opening comes without a lobby begins with the turns of a second. One that opens
    /// has all of the rate until the next step, also beside others.
    fn count_new_lines(&mut self, passed_s: f64) {
        let lines = self.model.lines.len();
        self.phases.resize(lines, Phase::Before);
        for evening in &self.july.evenings {
            let phase = self.july.phase(evening, self.now);
            let before = std::mem::replace(&mut self.phases[evening.line], phase);
            let is_on = |phase: Phase| !matches!(phase, Phase::Before | Phase::Over);
            if is_on(phase) && !is_on(before) {
                self.model.turns.line_opens(1.0);
            } else if phase == Phase::Open && before != Phase::Open {
                self.model.turns.line_opens(passed_s);
            }
        }
    }

    /// Turns and calls after a step that began then.
    fn count_turns(&mut self, at: Stamp) {
        let (before, was_open) = self.stepped;
        let is_open = self.may_go_in();
        self.stepped = (at, is_open);
        let seconds = |ns: i64| ns.max(0) as f64 / 1e9;
        let kept = self.gate.limits.outstanding();
        let passed_s = seconds(self.now.0 - before.0);
        self.count_new_lines(passed_s);
        if is_open {
            let took_s = seconds(self.now.0 - at.0);
            self.model.turns.stepped(passed_s, kept, took_s);
        } else if was_open {
            self.model.turns.stood(passed_s, kept);
        } else {
            self.model.turns.stood(0.0, kept);
        }
        let taken = self.model.sessions.counted() + kept;
        let has_room = taken + 3 < u64::from(self.gate.limits.active_max());
        for line in self.lines() {
            self.model.serves(line, self.serving(line));
            let evening = self.july.evening(line);
            let phase = evening.map(|evening| self.july.phase(evening, self.now));
            if !has_room || phase != Some(Phase::Finishing) {
                self.model.lines[line].room_s = self.model.turns.open_s;
            }
        }
    }

    /// The lobbies of draws that are closed for good after a step that began then.
    fn close_lobbies(&mut self, at: Stamp) {
        for line in self.lines() {
            let evening = self.july.evening(line);
            let has_come = evening.is_some_and(|evening| evening.from() <= at);
            let may_be_planned = self.july.order == "windows" && self.model.has_nobody(line);
            let is_drawn = self.line(line, |line| line.draw.is_some() && line.windows.is_empty());
            if has_come && is_drawn && !may_be_planned {
                self.model.lines[line].is_closed = true;
            }
        }
    }

    /// Draws whose seeds are known.
    pub(super) fn watch_draws(&mut self) {
        for line in self.lines() {
            let known = self.model.lines[line].drawn.is_some();
            let seed = self.line(line, |line| {
                line.drawn_by().filter(|_| line.windows.is_empty())
            });
            if let Some(seed) = seed
                && (!known || self.random.percent(1))
            {
                self.watch_draw(line, &seed, known);
            }
        }
    }

    fn watch_draw(&mut self, line: usize, seed: &[u8; 32], known: bool) {
        let members = self.line(line, |line| {
            let members = line.given.iter();
            let members = members.filter(|(_, given)| given.in_draw());
            let members = members.map(|(key, given)| (*key, given.number()));
            members.collect::<Vec<_>>()
        });
        if !known && !members.is_empty() {
            self.note("draws");
        }
        self.model.draw(line, seed, members);
    }
}
