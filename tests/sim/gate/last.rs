//! The last evening: everybody who is left goes in, or is waited for in vain; nobody is missing.

use std::collections::HashSet;

use sumun::domain::entry::GateAct;
use sumun::domain::ids::{LineIndex, PersonKey};
use sumun::domain::state::State;

use super::july::Evening;
use super::life::Life;
use crate::world::SECOND;

impl Life {
    pub(super) fn last_evening(&mut self) {
        self.memory.stop_after(u64::MAX);
        if self.paused {
            self.set(GateAct::Resume);
        }
        // Most of what can happen has: a slow keeper comes to the end sooner.
        self.step_ns = SECOND;
        let july = std::rc::Rc::clone(&self.july);
        let evening = july.evenings.iter().find(|evening| evening.is_last());
        let evening = evening.expect("nobody changes the last evening");
        let left_ns = (evening.from().0 - self.now.0).max(0) + 5 * SECOND;
        self.pass(left_ns);
        // Half of those who wait stay away: they cost the others nothing.
        let stay_away = self.people.len() / 2;
        let coming: Vec<_> = self.people.iter().skip(stay_away).copied().collect();
        for person in self.people.clone() {
            self.enter(person);
        }
        self.note("stayed away");
        for _ in 0..1_000 {
            self.pass(10 * SECOND);
            self.come(&coming);
            self.idle_out();
            let line = LineIndex(evening.line as u16);
            let waiting = self
                .memory
                .in_line(&self.gate, line, |here| here.live.waiting(here.line));
            if waiting == 0 && coming.iter().all(|key| self.model.people[key].booked) {
                self.note("lines emptied");
                return self.conserved(evening);
            }
        }
        panic!("people wait for ever");
    }

    fn come(&mut self, coming: &[PersonKey]) {
        for person in coming {
            if self.model.people[person].booked {
                continue;
            }
            if self.model.people[person].tokens.is_empty() {
                self.enter(*person);
            }
            self.try_to_go_in(*person);
            self.book(*person);
        }
    }

    /// Rule 8: whoever was given a place is in the journal with it, or was forgotten in a crash;
    /// and nobody has one of an evening that is over.
    fn conserved(&mut self, last: &Evening) {
        self.people.clear();
        self.keep();
        let lines: HashSet<_> = self.july.evenings.iter().map(|one| one.line).collect();
        for line in self.lines() {
            let is_empty = self.line(line, |line| line.is_empty());
            assert!(is_empty || lines.contains(&line), "line {line} goes on");
        }
        let mut known = 0;
        for (key, promise) in &self.model.people {
            let durable = self.durable(last.line, key);
            let held = self.model.held(key, last.line);
            assert_eq!(durable, held.known, "{key}");
            known += promise
                .held
                .values()
                .filter(|held| held.known.is_some())
                .count();
        }
        let people = |state: &State| {
            let lines = state.campaigns[0].lines.iter();
            lines.map(|line| line.given.len()).sum::<usize>()
        };
        assert_eq!(self.memory.look(people), known);
    }
}
