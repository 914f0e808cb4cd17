//! The turns of one line: how many there are, for whom they are kept, and who came too late.

use std::collections::{HashMap, VecDeque};

use super::flow::Flow;
use super::{BURST_S, CALLED_S};
use crate::domain::ids::PersonKey;
use crate::domain::line::Line;
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;

/// People who are called within this time share one `Called` group.
const GROUP_NS: i64 = Stamp::SECOND / 10;
/// Late people who can wait for a turn. A person beyond this number is told to ask again.
const LATE_MAX: usize = 1 << 17;
/// The line's growth is measured over at least this time, and over at most twice this time.
const GROWTH_NS: i64 = 60 * Stamp::SECOND;

/// Everything that changes with each call; under one lock.
#[derive(Debug)]
pub(super) struct Pace {
    /// Turns were last added at this time.
    pub(super) refilled_at: Stamp,
    /// Turns that nobody has used or reserved.
    pub(super) turns: f64,
    /// Groups of called people whose reservation has not ended, by its end.
    called: VecDeque<Called>,
    /// Late people without a reservation, in the order in which they asked.
    pub(super) late: VecDeque<PersonKey>,
    /// Every late person; with the end of their reservation if they have one.
    pub(super) late_until: HashMap<PersonKey, Option<Stamp>, KeyHash>,
    /// Reservations of late people, by their end. An entry counts only while `late_until` has the
    /// same end for the person.
    late_reserved: VecDeque<(Stamp, PersonKey)>,
    /// Reservations that were neither used nor have ended.
    pub(super) outstanding: u64,
    pub(super) flow: Flow,
    /// The share of the rate that the flow was measured with.
    pub(super) share: f64,
    /// All places are taken.
    pub(super) is_full: bool,
    /// The length of the line at two times, a minute apart; the older first.
    pub(super) lengths: [(Stamp, u64); 2],
}

/// People who were called at about the same time, and how many of them have come.
#[derive(Debug)]
struct Called {
    /// Their reservations end then.
    until: Stamp,
    /// They have the numbers above `from`, up to `to`.
    from: u64,
    to: u64,
    people: u64,
    came: u64,
}

impl Pace {
    pub(super) fn new(rate: f64, line: &Line, now: Stamp) -> Self {
        Self {
            refilled_at: now,
            // The people of the first second go in at once.
            turns: rate * BURST_S,
            called: VecDeque::new(),
            late: VecDeque::new(),
            late_until: HashMap::default(),
            late_reserved: VecDeque::new(),
            outstanding: 0,
            flow: Flow::new(rate),
            share: 1.0,
            is_full: false,
            // People who are in the journal already don't count as growth of the line.
            lengths: [(now, line.waiting(line.serving, 0)); 2],
        }
    }

    /// People a second by which the line grew in the last minute or two.
    pub(super) fn coming_per_s(&mut self, people: u64, now: Stamp) -> f64 {
        let [_, (newer_at, _)] = self.lengths;
        if now.0 - newer_at.0 >= GROWTH_NS {
            self.lengths = [self.lengths[1], (now, people)];
        }
        let (since, before) = self.lengths[0];
        let passed_ns = (now.0 - since.0).max(GROWTH_NS);
        people.saturating_sub(before) as f64 * 1e9 / passed_ns as f64
    }

    /// Forgets whoever was called or came late: nothing is kept for them any more.
    pub(super) fn forget_all(&mut self) {
        self.called.clear();
        self.late.clear();
        self.late_until.clear();
        self.late_reserved.clear();
        self.outstanding = 0;
    }

    /// Reserves turns for people who are called now.
    pub(super) fn reserve(&mut self, from: u64, to: u64, people: u64, unaware_s: i64, now: Stamp) {
        self.outstanding += people;
        // Groups stay ordered by their ends, also when polls became more frequent since the last.
        let end_of_last = self.called.back().map_or(now, |last| last.until);
        let until = now.plus_s(CALLED_S + unaware_s).max(end_of_last);
        match self.called.back_mut() {
            // One group for a tenth of a second keeps the groups few, so that a search is quick.
            Some(last) if until.0 - last.until.0 < GROUP_NS && last.to == from => {
                last.to = to;
                last.people += people;
            }
            _ => self.called.push_back(Called {
                until,
                from,
                to,
                people,
                came: 0,
            }),
        }
    }

    /// Adds new turns and those of reservations that have ended, up to `burst` turns.
    pub(super) fn refill(&mut self, more: f64, burst: f64, now: Stamp) {
        self.turns += more;
        self.end_reservations(now);
        self.turns = self.turns.min(burst.max(1.0));
    }

    /// Takes back the turns of people who did not come in time.
    pub(super) fn end_reservations(&mut self, now: Stamp) {
        let mut free = 0;
        while let Some(called) = self.called.front()
            && called.until <= now
        {
            free += called.people - called.came;
            self.called.pop_front();
        }
        while let Some((until, person)) = self.late_reserved.front().copied()
            && until <= now
        {
            self.late_reserved.pop_front();
            if self.late_until.get(&person) == Some(&Some(until)) {
                self.late_until.remove(&person);
                free += 1;
            }
        }
        self.outstanding -= free;
        self.turns += free as f64;
    }

    /// Uses the reservation of a late person, if they have one.
    pub(super) fn use_late_reservation(&mut self, person: &PersonKey) -> bool {
        let has_one = matches!(self.late_until.get(person), Some(Some(_)));
        if has_one {
            self.late_until.remove(person);
            self.outstanding -= 1;
        }
        has_one
    }

    /// Uses the reservation that was made when this number was called, if it has not ended.
    pub(super) fn use_call(&mut self, number: u64) -> bool {
        let at = self.called.partition_point(|called| called.to < number);
        let group = self.called.get_mut(at);
        let group = group.filter(|group| group.from < number && group.came < group.people);
        let Some(group) = group else {
            return false;
        };
        group.came += 1;
        self.outstanding -= 1;
        true
    }

    /// Until when a turn is kept for somebody who was called by this number or came late.
    pub(super) fn kept_until(&self, number: u64, person: &PersonKey) -> Option<Stamp> {
        if let Some(until) = self.late_until.get(person) {
            return *until;
        }
        let at = self.called.partition_point(|called| called.to < number);
        let group = self.called.get(at).filter(|group| group.from < number);
        group.map(|group| group.until)
    }

    /// Puts a person at the end of the late people, unless they are among them or there are too
    /// many.
    pub(super) fn join_late(&mut self, person: PersonKey) {
        if self.late.len() < LATE_MAX && !self.late_until.contains_key(&person) {
            self.late.push_back(person);
            self.late_until.insert(person, None);
        }
    }

    /// Reserves a turn for the first `people_max` of the late people.
    pub(super) fn reserve_for_late(&mut self, people_max: u64, until: Stamp) {
        for _ in 0..people_max {
            let Some(person) = self.late.pop_front() else {
                return;
            };
            self.late_until.insert(person, Some(until));
            self.late_reserved.push_back((until, person));
            self.turns -= 1.0;
            self.outstanding += 1;
        }
    }

    /// Postpones the end of every reservation: in a pause nobody may go in, so no time is lost.
    pub(super) fn postpone_ends(&mut self, passed_ns: i64) {
        let later = |until: Stamp| Stamp(until.0.saturating_add(passed_ns));
        for called in &mut self.called {
            called.until = later(called.until);
        }
        for (until, person) in &mut self.late_reserved {
            let reserved = self.late_until.get_mut(person);
            if let Some(reserved) = reserved.filter(|reserved| **reserved == Some(*until)) {
                *reserved = Some(later(*until));
            }
            *until = later(*until);
        }
    }
}
