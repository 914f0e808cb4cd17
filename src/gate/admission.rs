//! How many may go in now: a rate, a most, and a brake.
//!
//! Turns come at `admit_per_s`, and everybody who goes in has one. People are called while there
//! are turns and fewer than `active_max` are in or called. Whoever was called keeps a turn and a
//! place free until a minute after they can have heard of it; then both go to the next. They may
//! still come: whoever comes late gets a turn and a place before anybody else is called, in the
//! order in which they asked.
//!
//! When the measured delay of the writer or of the workers stays over its target, the rate falls by
//! a third each half second; when it does not, it grows back (as CoDel does with packets: a
//! standing queue is the sign, not a full one).

mod flow;

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::outlook::Outlook;
use crate::domain::campaign::GateRules;
use crate::domain::ids::PersonKey;
use crate::domain::line::Line;
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;
use crate::sync::locked;
use flow::Flow;

/// Somebody called keeps a turn and a place for this long after they can have heard of it.
const CALLED_S: i64 = 60;
/// People called within this are kept as one group.
const GROUP_NS: i64 = Stamp::SECOND / 10;
/// People who came late and wait for a turn; more are told to ask again.
const LATE_MAX: usize = 1 << 17;
/// The delay that is no cause for concern.
const DELAY_TARGET_US: u64 = 50_000;
/// A delay over the target for this long is a standing queue.
const INTERVAL_NS: i64 = Stamp::SECOND / 2;
/// The rate never falls under this part of what is set: a line that stands still helps nobody.
const RATE_PART_MIN: f64 = 0.05;
/// The line's growth is measured over this, and over twice this at the most.
const GROWTH_NS: i64 = 60 * Stamp::SECOND;
/// The longest that anybody is told to stay away: see `outlook`.
const POLL_S_MAX: f64 = 300.0;
/// Turns that can be saved up while nobody waits.
const BURST_S: f64 = 1.0;

/// Where a delay was measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    Writer,
    Workers,
}

#[derive(Debug)]
pub struct Admission {
    admit_per_s: AtomicU32,
    active_max: AtomicU32,
    /// The smallest delay of each queue since the brake last looked.
    delays_us: [AtomicU64; 2],
    pace: Mutex<Pace>,
    outlook: ArcSwap<Outlook>,
    /// By how many people a minute the line grows.
    coming_per_min: AtomicU64,
}

#[derive(Debug)]
struct Pace {
    at: Stamp,
    turns: f64,
    /// The part of `admit_per_s` that the brake leaves.
    part: f64,
    braked: Stamp,
    called: VecDeque<Called>,
    /// Who came late and waits for a turn, in the order in which they asked.
    late: VecDeque<PersonKey>,
    /// Everybody in `late`, and those who have a turn kept for them, until when.
    known_late: HashMap<PersonKey, Option<Stamp>, KeyHash>,
    kept: VecDeque<(Stamp, PersonKey)>,
    /// Turns kept for people who have neither come nor stayed away too long.
    outstanding: u64,
    flow: Flow,
    /// How long the line was, twice, a minute apart.
    sizes: [(Stamp, u64); 2],
}

/// The people called in one step, and how many of them have come.
#[derive(Debug)]
struct Called {
    until: Stamp,
    from: u64,
    to: u64,
    people: u64,
    came: u64,
}

impl Admission {
    pub fn new(rules: &GateRules, line: &Line, now: Stamp) -> Self {
        let rate = f64::from(line.admit_per_s.unwrap_or(rules.admit_per_s));
        let admission = Self {
            admit_per_s: AtomicU32::new(0),
            active_max: AtomicU32::new(0),
            delays_us: [u64::MAX, u64::MAX].map(AtomicU64::new),
            pace: Mutex::new(Pace {
                at: now,
                // A start lets the first second's people in at once.
                turns: rate * BURST_S,
                part: 1.0,
                braked: now,
                called: VecDeque::new(),
                late: VecDeque::new(),
                known_late: HashMap::default(),
                kept: VecDeque::new(),
                outstanding: 0,
                flow: Flow::new(rate),
                // Those whom a start finds in the journal have not just come.
                sizes: [(now, line.waiting(line.serving, 0)); 2],
            }),
            outlook: ArcSwap::from_pointee(Outlook::of(rate, 0, 0, None)),
            coming_per_min: AtomicU64::new(0),
        };
        admission.follow(rules, line);
        admission
    }

    /// Takes over the settings in force.
    pub fn follow(&self, rules: &GateRules, line: &Line) {
        let rate = line.admit_per_s.unwrap_or(rules.admit_per_s);
        let before = self.admit_per_s.swap(rate, Ordering::Relaxed);
        let most = line.active_max.unwrap_or(rules.active_max);
        self.active_max.store(most, Ordering::Relaxed);
        if before != rate && before > 0 {
            self.pace().flow.rescale(f64::from(before), f64::from(rate));
        }
    }

    pub fn admit_per_s(&self) -> u32 {
        self.admit_per_s.load(Ordering::Relaxed)
    }

    pub fn active_max(&self) -> u32 {
        self.active_max.load(Ordering::Relaxed)
    }

    /// Notes how long something waited in a queue.
    pub fn delayed(&self, queue: Queue, delay_us: u64) {
        self.delays_us[queue as usize].fetch_min(delay_us, Ordering::Relaxed);
    }

    /// What people who wait are told.
    pub fn outlook(&self) -> Outlook {
        **self.outlook.load()
    }

    /// Renews what people are told, for a line of `waiting` people. The budget of polls is laid out
    /// for a line that grows as it did: what people were told holds until they come back.
    pub fn look_ahead(&self, waiting: u64, paused: bool, now: Stamp) {
        let mut pace = self.pace();
        let per_s = pace.flow.per_s();
        let because = pace.flow.because(paused, pace.part);
        let people = waiting + pace.outstanding;
        let coming_per_s = pace.coming_per_s(people, now);
        let coming_per_min = (coming_per_s * 60.0) as u64;
        self.coming_per_min.store(coming_per_min, Ordering::Relaxed);
        // Whoever is told to come back in 300 s meets the line as it is then.
        let people = people + (coming_per_s * POLL_S_MAX) as u64;
        let late = pace.late.len() as u64;
        drop(pace);
        let outlook = Outlook::of(per_s, people, late, because);
        self.outlook.store(std::sync::Arc::new(outlook));
    }

    /// How many people of the line may be called now, those who came late having theirs first.
    pub fn allowed(&self, active: u64, open: bool, waiting: u64, now: Stamp) -> u64 {
        let mut pace = self.pace();
        let rate = self.rate(&mut pace, now);
        let passed_ns = (now.0 - pace.at.0).max(0);
        pace.at = pace.at.max(now);
        if !open {
            pace.turns = 0.0;
            pace.stand(passed_ns);
            return 0;
        }
        let passed_s = passed_ns as f64 / 1e9;
        pace.turns += passed_s * rate;
        pace.expire(now);
        pace.turns = pace.turns.min((rate * BURST_S).max(1.0));
        let late = pace.late.len() as u64;
        let free = self.room(&pace, active).min(pace.turns as u64);
        pace.keep_for_late(late.min(free), now.plus_s(CALLED_S));
        let room = self.room(&pace, active);
        let people = (pace.turns as u64).min(room).min(waiting);
        pace.turns -= people as f64;
        pace.flow.note(passed_s, people, waiting, room);
        people
    }

    /// How many more will have come in so many seconds, if they go on coming as in the last minute
    /// or two.
    pub fn coming(&self, within_s: u64) -> u64 {
        let per_min = self.coming_per_min.load(Ordering::Relaxed);
        per_min.saturating_mul(within_s) / 60
    }

    /// Notes whom `allowed` led to be called.
    pub fn called(&self, from: u64, to: u64, people: u64, now: Stamp) {
        let unaware_s = self.outlook().unaware_s();
        let mut pace = self.pace();
        pace.outstanding += people;
        let after = pace.called.back().map_or(now, |last| last.until);
        // In order of their ends, also when the outlook got better.
        let until = now.plus_s(CALLED_S + unaware_s).max(after);
        match pace.called.back_mut() {
            // Those called within a tenth of a second are one group: few groups, quickly searched.
            Some(last) if until.0 - last.until.0 < GROUP_NS && last.to == from => {
                last.to = to;
                last.people += people;
            }
            _ => pace.called.push_back(Called {
                until,
                from,
                to,
                people,
                came: 0,
            }),
        }
    }

    /// Whether somebody with a called number may go in now, `active` others being in: at once if
    /// just called and here for the first time, else when a turn is kept for them.
    pub fn come(
        &self,
        person: PersonKey,
        number: u64,
        first: bool,
        active: u64,
        now: Stamp,
    ) -> bool {
        let mut pace = self.pace();
        pace.expire(now);
        if let Some(Some(_)) = pace.known_late.get(&person) {
            pace.known_late.remove(&person);
            pace.outstanding -= 1;
            return true;
        }
        let at = pace.called.partition_point(|called| called.to < number);
        if first
            && let Some(called) = pace.called.get_mut(at)
            && called.from < number
            && called.came < called.people
        {
            called.came += 1;
            pace.outstanding -= 1;
            return true;
        }
        if pace.late.is_empty() && pace.turns >= 1.0 && self.room(&pace, active) > 0 {
            pace.turns -= 1.0;
            return true;
        }
        if pace.late.len() < LATE_MAX && !pace.known_late.contains_key(&person) {
            pace.late.push_back(person);
            pace.known_late.insert(person, None);
        }
        false
    }

    /// Turns kept for people who have neither come nor stayed away too long.
    pub fn outstanding(&self) -> u64 {
        self.pace().outstanding
    }

    /// Whether a turn is kept for somebody who came late, or they no longer wait for one.
    pub fn is_kept(&self, person: &PersonKey) -> bool {
        let pace = self.pace();
        !matches!(pace.known_late.get(person), Some(None))
    }

    fn room(&self, pace: &Pace, active: u64) -> u64 {
        u64::from(self.active_max()).saturating_sub(active + pace.outstanding)
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        locked(&self.pace)
    }

    fn rate(&self, pace: &mut Pace, now: Stamp) -> f64 {
        if now.0 - pace.braked.0 >= INTERVAL_NS {
            pace.braked = now;
            // A queue that nothing went through stands for nothing.
            let delays = self.delays_us.iter();
            let delays = delays.map(|delay| delay.swap(u64::MAX, Ordering::Relaxed));
            let standing = delays.filter(|delay| *delay != u64::MAX).max();
            let factor = match standing {
                Some(delay_us) if delay_us > DELAY_TARGET_US => 0.67,
                _ => 1.05,
            };
            pace.part = (pace.part * factor).clamp(RATE_PART_MIN, 1.0);
        }
        f64::from(self.admit_per_s()) * pace.part
    }
}

impl Pace {
    /// By how many people a second the line grew in the last minute or two.
    fn coming_per_s(&mut self, people: u64, now: Stamp) -> f64 {
        if now.0 - self.sizes[1].0.0 >= GROWTH_NS {
            self.sizes = [self.sizes[1], (now, people)];
        }
        let (since, before) = self.sizes[0];
        let passed_ns = (now.0 - since.0).max(GROWTH_NS);
        people.saturating_sub(before) as f64 * 1e9 / passed_ns as f64
    }

    /// Gives on the turns of those who stayed away.
    fn expire(&mut self, now: Stamp) {
        let mut free = 0;
        while let Some(called) = self.called.front()
            && called.until <= now
        {
            free += called.people - called.came;
            self.called.pop_front();
        }
        while let Some((until, person)) = self.kept.front().copied()
            && until <= now
        {
            self.kept.pop_front();
            if self.known_late.get(&person) == Some(&Some(until)) {
                self.known_late.remove(&person);
                free += 1;
            }
        }
        self.outstanding -= free;
        self.turns += free as f64;
    }

    /// Keeps a turn for the first of those who came late.
    fn keep_for_late(&mut self, people: u64, until: Stamp) {
        for _ in 0..people {
            let Some(person) = self.late.pop_front() else {
                return;
            };
            self.known_late.insert(person, Some(until));
            self.kept.push_back((until, person));
            self.turns -= 1.0;
            self.outstanding += 1;
        }
    }

    /// While nobody may go in, nobody's turn runs out.
    fn stand(&mut self, passed_ns: i64) {
        let later = |until: Stamp| Stamp(until.0.saturating_add(passed_ns));
        for called in &mut self.called {
            called.until = later(called.until);
        }
        for (until, person) in &mut self.kept {
            let kept = self.known_late.get_mut(person);
            if let Some(kept) = kept.filter(|kept| **kept == Some(*until)) {
                *kept = Some(later(*until));
            }
            *until = later(*until);
        }
    }
}
