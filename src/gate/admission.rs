//! How many may go in now: a rate, a most, and a brake.
//!
//! People are called at `admit_per_s` while fewer than `active_max` are in or called. Whoever was
//! called and has not come after a minute no longer keeps a place free; they may still come, with a
//! turn of their own from the same rate. When the writer's measured delay stays over its target,
//! the rate falls by a third each half second; when it does not, the rate grows back (as CoDel does
//! with packets: a standing queue is the sign, not a full one).

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::domain::campaign::GateRules;
use crate::domain::line::Line;
use crate::domain::time::Stamp;

/// Somebody called who has not come after this long keeps no place free.
const CALLED_S: i64 = 60;
/// People called within this are kept as one group.
const GROUP_NS: i64 = Stamp::SECOND / 10;
/// The writer's delay that is no cause for concern.
const DELAY_TARGET_US: u64 = 50_000;
/// A delay over the target for this long is a standing queue.
const INTERVAL_NS: i64 = Stamp::SECOND / 2;
/// The rate never falls under this part of what is set: a line that stands still helps nobody.
const RATE_PART_MIN: f64 = 0.05;
/// Turns that can be saved up while nobody waits.
const BURST_S: f64 = 1.0;

#[derive(Debug)]
pub struct Admission {
    admit_per_s: AtomicU32,
    active_max: AtomicU32,
    /// The smallest writer delay since the brake last looked.
    delay_us: AtomicU64,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    at: Stamp,
    turns: f64,
    /// The part of `admit_per_s` that the brake leaves.
    part: f64,
    braked: Stamp,
    called: VecDeque<Called>,
    /// People called who have neither come nor stayed away too long.
    outstanding: u64,
    /// People let in a second, over the last minute or so.
    measured: f64,
    measured_at: Stamp,
    measured_people: u64,
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
        let admission = Self {
            admit_per_s: AtomicU32::new(0),
            active_max: AtomicU32::new(0),
            delay_us: AtomicU64::new(u64::MAX),
            pace: Mutex::new(Pace {
                at: now,
                // A start lets the first second's people in at once.
                turns: f64::from(line.admit_per_s.unwrap_or(rules.admit_per_s)) * BURST_S,
                part: 1.0,
                braked: now,
                called: VecDeque::new(),
                outstanding: 0,
                measured: 0.0,
                measured_at: now,
                measured_people: 0,
            }),
        };
        admission.follow(rules, line);
        admission
    }

    /// Takes over the settings in force.
    pub fn follow(&self, rules: &GateRules, line: &Line) {
        let rate = line.admit_per_s.unwrap_or(rules.admit_per_s);
        self.admit_per_s.store(rate, Ordering::Relaxed);
        let most = line.active_max.unwrap_or(rules.active_max);
        self.active_max.store(most, Ordering::Relaxed);
    }

    pub fn admit_per_s(&self) -> u32 {
        self.admit_per_s.load(Ordering::Relaxed)
    }

    pub fn active_max(&self) -> u32 {
        self.active_max.load(Ordering::Relaxed)
    }

    /// Notes how long a command waited for its commit.
    pub fn delayed(&self, delay_us: u64) {
        self.delay_us.fetch_min(delay_us, Ordering::Relaxed);
    }

    /// How many people may be called now.
    pub fn allowed(&self, active: u64, open: bool, waiting: u64, now: Stamp) -> u64 {
        let mut pace = self.pace();
        let rate = self.rate(&mut pace, now);
        let passed_s = (now.0 - pace.at.0).max(0) as f64 / 1e9;
        pace.at = now;
        pace.turns = (pace.turns + passed_s * rate).min((rate * BURST_S).max(1.0));
        pace.expire(now);
        if !open {
            pace.turns = 0.0;
            return 0;
        }
        let room = u64::from(self.active_max()).saturating_sub(active + pace.outstanding);
        let people = (pace.turns.max(0.0) as u64).min(room).min(waiting);
        pace.turns -= people as f64;
        people
    }

    /// Notes whom `allowed` led to be called.
    pub fn called(&self, from: u64, to: u64, people: u64, now: Stamp) {
        let mut pace = self.pace();
        let until = now.plus_s(CALLED_S);
        pace.outstanding += people;
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
        pace.measured_people += people;
        let since_s = (now.0 - pace.measured_at.0) as f64 / 1e9;
        if since_s >= 5.0 {
            let fresh = pace.measured_people as f64 / since_s;
            pace.measured = if pace.measured == 0.0 {
                fresh
            } else {
                pace.measured * 0.7 + fresh * 0.3
            };
            (pace.measured_at, pace.measured_people) = (now, 0);
        }
    }

    /// Whether somebody with a called number may go in now: at once if just called, else with a
    /// turn of their own.
    pub fn come(&self, number: u64, now: Stamp) -> bool {
        let mut pace = self.pace();
        pace.expire(now);
        let at = pace.called.partition_point(|called| called.to < number);
        if let Some(called) = pace.called.get_mut(at)
            && called.from < number
            && called.came < called.people
        {
            called.came += 1;
            pace.outstanding -= 1;
            return true;
        }
        if pace.turns < 1.0 {
            return false;
        }
        pace.turns -= 1.0;
        true
    }

    /// The wait of somebody with `ahead` people in front, as an honest range in seconds: from the
    /// rate that is set to the slowest of it and of what was measured, with some more.
    pub fn wait_s(&self, ahead: u64) -> [u64; 2] {
        if ahead == 0 {
            return [0, 5];
        }
        let measured = self.pace().measured;
        let set = f64::from(self.admit_per_s().max(1));
        let usual = if measured > 0.0 {
            measured.min(set)
        } else {
            set
        };
        let least = ahead as f64 / set.max(usual);
        let most = ahead as f64 / usual * 1.5 + 30.0;
        [least as u64, most as u64]
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        self.pace.lock().expect("no holder of this lock panics")
    }

    fn rate(&self, pace: &mut Pace, now: Stamp) -> f64 {
        if now.0 - pace.braked.0 >= INTERVAL_NS {
            pace.braked = now;
            let delay_us = self.delay_us.swap(u64::MAX, Ordering::Relaxed);
            let standing = delay_us != u64::MAX && delay_us > DELAY_TARGET_US;
            let factor = if standing { 0.67 } else { 1.05 };
            pace.part = (pace.part * factor).clamp(RATE_PART_MIN, 1.0);
        }
        f64::from(self.admit_per_s()) * pace.part
    }
}

impl Pace {
    fn expire(&mut self, now: Stamp) {
        while let Some(called) = self.called.front()
            && called.until <= now
        {
            self.outstanding -= called.people - called.came;
            self.called.pop_front();
        }
    }
}
