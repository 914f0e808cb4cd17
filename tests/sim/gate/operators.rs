//! What operators do, and what breaks: acts, activations, crashes, older backups.

use std::rc::Rc;
use std::sync::Arc;

use sumun::domain::campaign::Campaign;
use sumun::domain::entry::{Change, GateAct};
use sumun::domain::ids::PersonKey;
use sumun::domain::pieces;
use sumun::domain::state::State;
use sumun::gate::Gate;
use sumun::gate::memory::INDEX;
use sumun::gate::step::StepMemory;

use super::july::{July, Phase};
use super::life::{Backup, Life};
use crate::world::{MINUTE, SECOND};

impl Life {
    pub(super) fn act(&mut self) {
        let act = match self.random.below(5) {
            0 | 1 if self.paused => GateAct::Resume,
            0..3 => GateAct::Pause {
                reason: "r".to_owned(),
                freezes: self.random.percent(50),
            },
            3 => GateAct::Rate {
                admit_per_s: 1 + self.random.below(12) as u32,
            },
            _ => GateAct::Active {
                active_max: 2 + self.random.below(20) as u32,
            },
        };
        let is_pause = matches!(act, GateAct::Pause { .. });
        let kind = match &act {
            GateAct::Pause { freezes: true, .. } if self.freezes => "freezes in a freeze",
            GateAct::Pause { freezes: true, .. } => "freezes",
            GateAct::Pause { .. } => "pauses",
            GateAct::Resume if self.freezes => "thaws",
            GateAct::Resume => "resumed",
            GateAct::Rate { .. } => "rates set",
            _ => "places set",
        };
        self.note(kind);
        self.set(act);
        // As long as in 2021, or a moment.
        if is_pause && self.random.percent(30) {
            self.pass(2 * MINUTE);
        }
    }

    pub(super) fn set(&mut self, act: GateAct) {
        let campaign = INDEX;
        self.memory
            .journal(Change::GateSet { campaign, act })
            .unwrap();
        // The keeper is woken.
        self.keep();
    }

    /// What the keeper's next step takes over is in force.
    pub(super) fn follow(&mut self) {
        let settings = self.memory.look(|state| state.campaigns[0].gate.clone());
        self.paused = settings.pause.is_some();
        self.freezes = settings.pause.is_some_and(|pause| pause.freezes);
        let rate = settings
            .admit_per_s
            .map_or(self.july.admit_per_s, u64::from);
        let most = settings.active_max.map_or(self.july.active_max, u64::from);
        self.model.turns.follow(rate as f64, most);
        self.model.sessions.set_idle_s(self.july.idle_s);
        self.model.sessions.is_frozen = self.freezes;
    }

    /// A campaign file with one thing changed comes into force.
    pub(super) fn activate(&mut self) {
        let (next, what) = self.july.changed(&mut self.random, self.now);
        if next == *self.july {
            return;
        }
        let text = next.text();
        let Ok((mut rules, _)) = Campaign::parse(&text) else {
            return self.note("files refused");
        };
        // Requests that have read the rules of before.
        for _ in 0..self.random.below(4) {
            let person = self.somebody();
            person.into_iter().for_each(|key| self.begin_slow(key));
        }
        let lines = self.model.lines.len();
        rules.go_on_with_lines(&self.catalog.campaign, lines, self.now);
        let version = self.catalog.version() + 1;
        for change in pieces::activation(INDEX, version, &text, &rules).unwrap() {
            self.memory.journal(change).unwrap();
        }
        self.note(what);
        self.are_in_force(next, &rules);
        if self.random.percent(50) {
            self.keep();
        }
    }

    fn are_in_force(&mut self, mut next: July, rules: &Campaign) {
        let old = Rc::clone(&self.july);
        for (at, evening) in next.evenings.iter_mut().enumerate() {
            let before = &old.evenings[at];
            let line = rules.openings[at].line.at();
            // An evening goes on with its line, unless it was over and begins at another time.
            let goes_on = before.from_min == evening.from_min || self.now < before.until();
            let shares = before.cohorts.iter().any(|at| evening.cohorts.contains(at));
            if goes_on && shares && self.now < evening.until() {
                assert_eq!(line, before.line, "an evening has another line");
            }
            evening.line = line;
        }
        self.catalog = self
            .memory
            .look(|state| Arc::clone(&state.campaigns[0].catalog));
        self.july = Rc::new(next);
        let lines = self.memory.look(|state| state.campaigns[0].lines.len());
        self.model.lines_are(lines);
        self.unsettled = 2;
        for evening in &self.july.evenings {
            let is_held = self.july.phase(evening, self.now);
            if matches!(is_held, Phase::Before | Phase::Lobby) {
                self.model.postponed(evening.line);
            }
        }
    }

    pub(super) fn crash(&mut self) {
        if self.random.percent(50) {
            let changes = self.random.below(3);
            self.memory.stop_after(changes);
            // The next step that has something to journal dies in the middle of it.
            self.pass(SECOND);
            self.memory.stop_after(u64::MAX);
        } else {
            self.start_again();
        }
    }

    pub(super) fn start_again(&mut self) {
        match self.random.below(10) {
            // The wall clock of the machine was set back: time stands still for so long.
            0 => {
                self.stands_ns = self.random.below(20 * SECOND as u64) as i64;
                self.note("starts with the clock set back");
            }
            1 => {
                let ns = self.random.below(20 * SECOND as u64) as i64;
                self.now.0 += ns;
            }
            _ => {}
        }
        self.model.sessions.crashed();
        let state = self.memory.look(State::clone);
        let durable = |line: usize, key: &PersonKey| {
            let line = state.campaigns[0].lines.get(line);
            line.and_then(|line| line.given.get(key).copied())
        };
        self.model.crashed(durable);
        self.start();
    }

    fn start(&mut self) {
        self.memory.stop_after(u64::MAX);
        self.note("crashes");
        self.crashed = true;
        self.memory.set_now(self.now);
        let campaign = self.memory.look(|state| state.campaigns[0].clone());
        self.catalog = Arc::clone(&campaign.catalog);
        let rules = &campaign.catalog.campaign.gate;
        self.gate = Arc::new(Gate::new(rules, &campaign.gate, &campaign.lines, self.now));
        for (at, line) in campaign.lines.iter().enumerate() {
            self.model.started(at, line.serving);
            self.model.lines[at].plans = line.windows.plans().to_vec();
        }
        self.watch_draws();
        self.follow();
        let rate = self.model.turns.rate();
        self.model.turns.crashed(rate, campaign.lines.len());
        self.stepped = (self.now, false);
        self.slow.clear();
        self.phases.clear();
        self.step_memory = StepMemory::default();
        self.unsettled = 2;
        self.keep();
    }

    pub(super) fn back_up(&mut self) {
        match self.backup.take() {
            Some(backup) if self.random.percent(30) => self.restore(backup),
            _ => {
                let state = self.memory.look(State::clone);
                let july = Rc::clone(&self.july);
                let lives = self.model.lines.iter().map(|line| line.life).collect();
                self.backup = Some(Backup { state, july, lives });
            }
        }
    }

    fn restore(&mut self, backup: Backup) {
        self.note("older backups");
        // Nobody puts a backup in place in a few seconds, and the clock is right by then.
        self.now = self.now.plus_s(10);
        self.model.sessions.crashed();
        self.model.crashed(|_, _| None);
        let state = backup.state.clone();
        let durable =
            |line: usize, key: &PersonKey| state.campaigns[0].lines[line].given.get(key).copied();
        self.model.restored(&backup.lives, durable);
        self.memory.restore(backup.state);
        self.july = backup.july;
        self.start();
    }
}
