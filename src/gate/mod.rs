//! The gate: who may go in, and in which order.
//!
//! A person who enters gets the next number, once; numbers up to `serving` may go in. `serving`
//! moves on while fewer than `active_max` sessions are active or called.

pub mod sessions;
pub mod token;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::campaign::GateRules;
use crate::domain::ids::PersonKey;
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;
use sessions::Sessions;

/// Somebody called who has not come after this long no longer keeps others out.
const CALLED_S: i64 = 60;
/// Seconds between two polls of somebody who waits: the least and the most.
const POLL_S: (u32, u32) = (5, 300);

/// A campaign's gate. In memory: numbers begin anew with the process.
#[derive(Debug)]
pub struct Gate {
    /// Sessions at the same time, and new ones a second: the campaign's settings in force.
    active_max: AtomicU32,
    admit_per_s: AtomicU32,
    pub sessions: Sessions,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    numbers: HashMap<PersonKey, u64, KeyHash>,
    last: u64,
    serving: u64,
    /// Numbers that were called and have not come; each keeps a place free until its instant.
    called: HashSet<u64>,
    called_until: VecDeque<(Stamp, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceState {
    Lobby,
    Waiting,
    Admitted,
}

/// A person's position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub state: PlaceState,
    pub number: u64,
    pub ahead: u64,
    /// The wait, as a range.
    pub wait_s: [u64; 2],
    pub next_poll_s: u32,
}

/// The public figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Board {
    pub serving: u64,
    pub waiting: u64,
}

impl Gate {
    pub fn new(rules: &GateRules, now: Stamp) -> Self {
        Self {
            active_max: AtomicU32::new(rules.active_max),
            admit_per_s: AtomicU32::new(rules.admit_per_s),
            sessions: Sessions::new(rules.session_idle_s, now),
            line: Mutex::default(),
        }
    }

    /// Takes over the settings of a newly activated campaign file.
    pub fn follow(&self, rules: &GateRules) {
        self.active_max.store(rules.active_max, Ordering::Relaxed);
        self.admit_per_s.store(rules.admit_per_s, Ordering::Relaxed);
    }

    /// Sessions that may be active at the same time.
    pub fn active_max(&self) -> u32 {
        self.active_max.load(Ordering::Relaxed)
    }

    /// People that are let in each second.
    pub fn admit_per_s(&self) -> u32 {
        self.admit_per_s.load(Ordering::Relaxed)
    }

    /// The person's place: the one they have, or the next. In the lobby nobody is called yet.
    pub fn enter(&self, person: PersonKey, lobby: bool, now: Stamp) -> Place {
        let mut line = self.line.lock().expect("no holder of this lock panics");
        let next = line.last + 1;
        let number = *line.numbers.entry(person).or_insert(next);
        line.last = line.last.max(number);
        self.call(&mut line, lobby, now);
        self.place(&line, number, lobby)
    }

    /// The place of a number that was given before, by this process or an earlier one.
    pub fn look(&self, person: PersonKey, number: u64, lobby: bool, now: Stamp) -> Place {
        let mut line = self.line.lock().expect("no holder of this lock panics");
        if line.numbers.get(&person) != Some(&number) {
            drop(line);
            return self.enter(person, lobby, now);
        }
        self.call(&mut line, lobby, now);
        self.place(&line, number, lobby)
    }

    /// Begins the session of a person whose turn has come.
    pub fn admit(&self, person: PersonKey, number: u64, now: Stamp) {
        let mut line = self.line.lock().expect("no holder of this lock panics");
        line.called.remove(&number);
        drop(line);
        self.sessions.begin(person, now, true);
    }

    pub fn board(&self, lobby: bool, now: Stamp) -> Board {
        let mut line = self.line.lock().expect("no holder of this lock panics");
        self.call(&mut line, lobby, now);
        Board {
            serving: line.serving,
            waiting: line.last - line.serving,
        }
    }

    fn call(&self, line: &mut Line, lobby: bool, now: Stamp) {
        while let Some(&(until, number)) = line.called_until.front()
            && until <= now
        {
            line.called_until.pop_front();
            line.called.remove(&number);
        }
        if lobby {
            return;
        }
        while line.serving < line.last
            && self.sessions.active() + (line.called.len() as u64) < u64::from(self.active_max())
        {
            line.serving += 1;
            let number = line.serving;
            line.called.insert(number);
            line.called_until.push_back((now.plus_s(CALLED_S), number));
        }
    }

    fn place(&self, line: &Line, number: u64, lobby: bool) -> Place {
        let ahead = number.saturating_sub(line.serving + 1);
        let state = match (lobby, number <= line.serving) {
            (true, _) => PlaceState::Lobby,
            (false, true) => PlaceState::Admitted,
            (false, false) => PlaceState::Waiting,
        };
        let least_s = ahead / u64::from(self.admit_per_s().max(1));
        let (low, high) = POLL_S;
        let next_poll_s = (least_s / 4).clamp(u64::from(low), u64::from(high)) as u32;
        Place {
            state,
            number,
            ahead,
            wait_s: [least_s, least_s * 2 + 60],
            next_poll_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::campaign::Order;

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    fn gate(active_max: u32) -> Gate {
        let rules = GateRules {
            order: Order::Arrival,
            lobby_opens_min: 30,
            admit_per_s: 10,
            active_max,
            session_idle_s: 600,
        };
        Gate::new(&rules, NOW)
    }

    fn person(number: u8) -> PersonKey {
        PersonKey([number; 16])
    }

    #[test]
    fn ten_tabs_have_one_place_and_the_line_moves_when_somebody_leaves() {
        let gate = gate(2);
        let first = gate.enter(person(1), false, NOW);
        assert_eq!(first.state, PlaceState::Admitted);
        assert_eq!(gate.enter(person(1), false, NOW), first);
        gate.admit(person(1), first.number, NOW);
        let second = gate.enter(person(2), false, NOW);
        gate.admit(person(2), second.number, NOW);
        let third = gate.enter(person(3), false, NOW);
        assert_eq!(
            (third.state, third.number, third.ahead),
            (PlaceState::Waiting, 3, 0)
        );
        assert_eq!(
            gate.board(false, NOW),
            Board {
                serving: 2,
                waiting: 1
            }
        );
        gate.sessions.settle(&person(1));
        assert_eq!(
            gate.look(person(3), 3, false, NOW).state,
            PlaceState::Admitted
        );
    }

    #[test]
    fn somebody_who_does_not_come_keeps_nobody_out_for_long() {
        let gate = gate(1);
        gate.enter(person(1), false, NOW);
        assert_eq!(gate.enter(person(2), false, NOW).state, PlaceState::Waiting);
        let later = NOW.plus_s(CALLED_S);
        assert_eq!(
            gate.enter(person(2), false, later).state,
            PlaceState::Admitted
        );
        assert_eq!(
            gate.enter(person(1), false, later).state,
            PlaceState::Admitted
        );
    }

    #[test]
    fn the_lobby_gives_places_and_calls_nobody() {
        let gate = gate(10);
        assert_eq!(gate.enter(person(1), true, NOW).state, PlaceState::Lobby);
        assert_eq!(
            gate.board(true, NOW),
            Board {
                serving: 0,
                waiting: 1
            }
        );
    }
}
