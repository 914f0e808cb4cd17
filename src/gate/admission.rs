//! Decides how many people may go in now, by a rate, a maximum and a brake.
//!
//! All lines of a gate have one rate, one maximum and one brake together (`Limits`); each line has
//! a share of them, which the keeper renews with each step by the number of people who wait.
//!
//! The rate is a token bucket: turns are added at `admit_per_s`, and each person who goes in uses
//! one turn. The maximum is `active_max`: people are called only while fewer than that are in
//! session or have a turn reserved.
//!
//! Calling a person reserves a turn and a place in session for them. The reservation ends a minute
//! after the person's next poll can have told them, and then goes to the next person. A person who
//! comes after that is late: they join a queue of late people, who get a turn before anybody else
//! is called, in the order in which they asked.
//!
//! The brake watches how long requests wait for the writer and for the workers. While the shortest
//! wait of half a second is over its target, the rate falls by a third each half second; otherwise
//! it grows back by a twentieth. It uses the shortest wait because a queue that never empties is
//! the sign of overload, and one that is long for a moment is not (CoDel, RFC 8289).

mod flow;
mod pace;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwap;

use super::outlook::{Crowd, Outlook};
use crate::domain::campaign::GateRules;
use crate::domain::ids::PersonKey;
use crate::domain::line::{GateSettings, Line};
use crate::domain::time::Stamp;
use crate::sync::locked;
use pace::Pace;

/// How long a called person's reservation lasts after their next poll can have told them.
const CALLED_S: i64 = 60;
/// A delay up to this one does not brake.
pub const DELAY_TARGET_US: u64 = 50_000;
/// The brake looks at the shortest delay of each interval of this length.
const INTERVAL_NS: i64 = Stamp::SECOND / 2;
/// The brake leaves at least this part of the rate, because a line that stands still helps nobody.
const BRAKE_PART_MIN: f64 = 0.05;
/// The longest interval between two polls, in seconds: see `outlook`.
const POLL_S_MAX: f64 = 300.0;
/// A share that changes by more than this makes what was measured before worth little.
const SHARE_STEP: f64 = 0.05;
/// Turns that can be saved up while nobody waits, in seconds of the rate.
const BURST_S: f64 = 1.0;

/// A queue whose delay the brake watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    Writer,
    Workers,
}

/// What all lines of a gate have together: the rate, the maximum and the brake.
#[derive(Debug)]
pub struct Limits {
    admit_per_s: AtomicU32,
    active_max: AtomicU32,
    /// The longest that somebody in session can stay without a sign.
    idle_s: AtomicU32,
    /// The shortest delay of each queue since the brake last looked, in µs; `u64::MAX` if nothing
    /// went through the queue.
    delays_us: [AtomicU64; 2],
    brake: Mutex<Brake>,
    /// Reservations of all lines that were neither used nor have ended.
    outstanding: Mutex<u64>,
    /// People wait in more than one line: only the keeper calls, by whose turn it is.
    is_shared: AtomicBool,
}

#[derive(Debug)]
struct Brake {
    /// The part of `admit_per_s` that the brake leaves.
    part: f64,
    /// It last looked at the delays at this time.
    at: Stamp,
    /// What it saw then: the shortest delay of each queue in µs, none of one that nothing went
    /// through.
    seen_us: [Option<u64>; 2],
}

/// What the brake does, and what made it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Braking {
    /// The part of the rate that it leaves, from 0.05 to 1.
    pub part: f64,
    /// The shortest delays of the last half second in µs, by `Queue`; none of a queue that nothing
    /// went through.
    pub seen_us: [Option<u64>; 2],
}

impl Limits {
    pub fn new(rules: &GateRules, settings: &GateSettings, now: Stamp) -> Self {
        let limits = Self {
            admit_per_s: AtomicU32::new(0),
            active_max: AtomicU32::new(0),
            idle_s: AtomicU32::new(0),
            delays_us: [u64::MAX, u64::MAX].map(AtomicU64::new),
            brake: Mutex::new(Brake {
                part: 1.0,
                at: now,
                seen_us: [None; 2],
            }),
            outstanding: Mutex::new(0),
            is_shared: AtomicBool::new(false),
        };
        limits.follow(rules, settings);
        limits
    }

    /// Whether people wait in more than one line.
    pub fn set_shared(&self, is_shared: bool) {
        self.is_shared.store(is_shared, Ordering::Relaxed);
    }

    /// Takes over the settings that are in force; the rate before and now, if it is another one.
    pub fn follow(&self, rules: &GateRules, settings: &GateSettings) -> Option<(f64, f64)> {
        let rate = settings.admit_per_s.unwrap_or(rules.admit_per_s);
        let before = self.admit_per_s.swap(rate, Ordering::Relaxed);
        let most = settings.active_max.unwrap_or(rules.active_max);
        self.active_max.store(most, Ordering::Relaxed);
        self.idle_s.store(rules.session_idle_s, Ordering::Relaxed);
        (before != rate && before > 0).then_some((f64::from(before), f64::from(rate)))
    }

    pub fn admit_per_s(&self) -> u32 {
        self.admit_per_s.load(Ordering::Relaxed)
    }

    pub fn active_max(&self) -> u32 {
        self.active_max.load(Ordering::Relaxed)
    }

    /// Notes how long one command or request waited in a queue.
    pub fn delayed(&self, queue: Queue, delay_us: u64) {
        self.delays_us[queue as usize].fetch_min(delay_us, Ordering::Relaxed);
    }

    /// Reservations of all lines that were neither used nor have ended.
    pub fn outstanding(&self) -> u64 {
        *locked(&self.outstanding)
    }

    /// The part of the rate that the brake leaves.
    pub fn brake_part(&self) -> f64 {
        locked(&self.brake).part
    }

    pub fn braking(&self) -> Braking {
        let brake = locked(&self.brake);
        Braking {
            part: brake.part,
            seen_us: brake.seen_us,
        }
    }

    /// The rate that is set, reduced by the brake.
    fn braked_rate(&self, now: Stamp) -> f64 {
        let mut brake = locked(&self.brake);
        if now.0 - brake.at.0 >= INTERVAL_NS {
            brake.at = now;
            brake.seen_us = self.delays_us();
            let longest_us = brake.seen_us.into_iter().flatten().max();
            let is_slow = longest_us.is_some_and(|delay_us| delay_us > DELAY_TARGET_US);
            let factor = if is_slow { 0.67 } else { 1.05 };
            brake.part = (brake.part * factor).clamp(BRAKE_PART_MIN, 1.0);
        }
        f64::from(self.admit_per_s()) * brake.part
    }

    /// The shortest delay of each queue since the last look; none if nothing went through it.
    fn delays_us(&self) -> [Option<u64>; 2] {
        [&self.delays_us[0], &self.delays_us[1]].map(|delay| {
            let delay_us = delay.swap(u64::MAX, Ordering::Relaxed);
            (delay_us != u64::MAX).then_some(delay_us)
        })
    }
}

/// The admission of one line.
#[derive(Debug)]
pub struct Admission {
    limits: Arc<Limits>,
    /// The part of the rate and of the room that this line has, as the bits of an `f64`.
    share: AtomicU64,
    pace: Mutex<Pace>,
    /// Late people without a reservation.
    late: AtomicU64,
    /// People called, each divided by the share that the line had then, as the bits of an `f64`:
    /// of lines that want the same place, the one with the least comes first.
    served: AtomicU64,
    outlook: ArcSwap<Outlook>,
    /// People a minute by which the line grows.
    coming_per_min: AtomicU64,
    /// Sessions that began with a turn of the line, since the process started.
    admitted: AtomicU64,
}

impl Admission {
    pub fn new(limits: &Arc<Limits>, line: &Line, now: Stamp) -> Self {
        let rate = f64::from(limits.admit_per_s());
        Self {
            limits: Arc::clone(limits),
            share: AtomicU64::new(1.0_f64.to_bits()),
            pace: Mutex::new(Pace::new(rate, line, now)),
            late: AtomicU64::new(0),
            served: AtomicU64::new(0),
            outlook: ArcSwap::from_pointee(Outlook::of(rate, Crowd::new(rate, 0), 0, None)),
            coming_per_min: AtomicU64::new(0),
            admitted: AtomicU64::new(0),
        }
    }

    /// The rate of the whole gate is another one.
    pub fn rescale(&self, before: f64, rate: f64) {
        self.pace().flow.rescale(before, rate);
    }

    /// Has this part of the rate and of the room from now on. Of a line in which nobody waits it
    /// says nothing of the pace: who comes next has another.
    pub fn set_share(&self, share: f64, is_waiting: bool) {
        let share = share.min(1.0);
        self.share.store(share.to_bits(), Ordering::Relaxed);
        if is_waiting {
            let mut pace = self.pace();
            // What was measured with another share says little; small changes even out.
            if (share - pace.share).abs() > SHARE_STEP {
                let before = std::mem::replace(&mut pace.share, share);
                pace.flow.rescale(before, share);
            }
        }
    }

    /// How much the line has been served, by its shares.
    pub fn served(&self) -> f64 {
        f64::from_bits(self.served.load(Ordering::Relaxed))
    }

    /// A line in which nobody waits saves nothing up: it goes on where the others are.
    pub fn has_been_served(&self, served: f64) {
        self.served.store(served.to_bits(), Ordering::Relaxed);
    }

    /// Whether people wait in another line too.
    pub fn is_shared(&self) -> bool {
        self.limits.is_shared.load(Ordering::Relaxed)
    }

    /// The part of the rate and of the room that this line has.
    pub fn share(&self) -> f64 {
        f64::from_bits(self.share.load(Ordering::Relaxed))
    }

    /// The line is over: what was reserved for its people is free.
    pub fn give_back(&self) {
        self.change(|pace, _| pace.forget_all());
    }

    /// Changes the pace; `change` is also told how many reservations the other lines have. All
    /// lines of a gate share one room, so only one of them changes at a time.
    fn change<T>(&self, change: impl FnOnce(&mut Pace, u64) -> T) -> T {
        let mut all = locked(&self.limits.outstanding);
        let mut pace = self.pace();
        let others = *all - pace.outstanding;
        let done = change(&mut pace, others);
        *all = others + pace.outstanding;
        self.late.store(pace.late.len() as u64, Ordering::Release);
        done
    }

    /// What people who wait are told.
    pub fn outlook(&self) -> Outlook {
        **self.outlook.load()
    }

    /// The people of this line who poll, for a line of `waiting` people, and how fast they are
    /// called. Poll intervals are planned for the length that the line will have when the person
    /// polls again, because a longer line needs longer intervals to stay within the budget.
    pub fn crowd(&self, waiting: u64, now: Stamp) -> Crowd {
        let mut pace = self.pace();
        let people = waiting + pace.outstanding;
        let coming_per_s = pace.coming_per_s(people, now);
        let coming_per_min = (coming_per_s * 60.0) as u64;
        self.coming_per_min.store(coming_per_min, Ordering::Relaxed);
        // A person may be told to poll again in `POLL_S_MAX` seconds.
        Crowd::new(
            pace.flow.per_s(),
            people + (coming_per_s * POLL_S_MAX) as u64,
        )
    }

    /// Renews what waiting people are told; `crowd` are the people of all lines, who share one
    /// budget of polls.
    pub fn look_ahead(&self, crowd: Crowd, paused: bool) {
        let pace = self.pace();
        let per_s = pace.flow.per_s();
        let because = pace
            .flow
            .because(paused, self.limits.brake_part(), self.share());
        let late = pace.late.len() as u64;
        let is_unsure = pace.is_full && pace.flow.is_new();
        drop(pace);
        let outlook = Outlook::of(per_s, crowd, late, because);
        let outlook = if is_unsure {
            // Nobody knows yet how long people stay: nobody stays longer than this without a sign.
            let places = f64::from(self.limits.active_max()) * self.share();
            let idle_s = f64::from(self.limits.idle_s.load(Ordering::Relaxed));
            outlook.at_least_per_s(places / idle_s.max(1.0))
        } else {
            outlook
        };
        self.outlook.store(Arc::new(outlook));
    }

    /// How many people of the line may be called now. Late people get their turns first.
    pub fn allowed(&self, active: u64, open: bool, waiting: u64, now: Stamp) -> u64 {
        let rate = self.limits.braked_rate(now) * self.share();
        self.change(|pace, others| {
            let passed_ns = (now.0 - pace.refilled_at.0).max(0);
            pace.refilled_at = pace.refilled_at.max(now);
            if !open {
                pace.turns = 0.0;
                pace.postpone_ends(passed_ns);
                return 0;
            }
            let passed_s = passed_ns as f64 / 1e9;
            pace.refill(passed_s * rate, rate * BURST_S, now);
            let free = self.share_of_room(pace, others, active);
            let late = pace.outstanding;
            pace.reserve_for_late(free.min(pace.turns as u64), now.plus_s(CALLED_S));
            let room = free - (pace.outstanding - late);
            let people = (pace.turns as u64).min(room).min(waiting);
            pace.turns -= people as f64;
            let taken = (people + (pace.outstanding - late)) as f64;
            self.has_been_served(self.served() + taken / self.share().max(f64::MIN_POSITIVE));
            pace.flow.note(passed_s, people, waiting, room);
            pace.is_full = room == people;
            people
        })
    }

    /// How many more people will have come in so many seconds, if people go on coming as they did
    /// in the last minute or two.
    pub fn coming(&self, within_s: u64) -> u64 {
        let per_min = self.coming_per_min.load(Ordering::Relaxed);
        per_min.saturating_mul(within_s) / 60
    }

    /// Reserves turns for people who are called now: the numbers above `from`, up to `to`.
    /// `allowed` has taken their turns already.
    pub fn called(&self, from: u64, to: u64, people: u64, now: Stamp) {
        let unaware_s = self.outlook().unaware_s();
        let reserve = |pace: &mut Pace, _| pace.reserve(from, to, people, unaware_s, now);
        self.change(reserve);
    }

    /// Whether a person whose number was called may go in now, while `active` others are in
    /// session. `first` is false for a person whose earlier session is still remembered and began
    /// by this number: that session has used its reservation.
    ///
    /// A person goes in on a reservation, or on a free turn. Otherwise they join the late people,
    /// and `allowed` reserves a turn for them later.
    pub fn come(
        &self,
        person: PersonKey,
        number: u64,
        first: bool,
        active: u64,
        now: Stamp,
    ) -> bool {
        let comes = self.change(|pace, others| {
            pace.end_reservations(now);
            if pace.use_late_reservation(&person) || (first && pace.use_call(number)) {
                return true;
            }
            if pace.late.is_empty() && pace.turns >= 1.0 && self.room(pace, others, active) > 0 {
                pace.turns -= 1.0;
                return true;
            }
            pace.join_late(person);
            false
        });
        self.admitted.fetch_add(u64::from(comes), Ordering::Relaxed);
        comes
    }

    /// Sessions that began with a turn of the line, since the process started.
    pub fn admitted(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }

    /// Reservations that were neither used nor have ended.
    pub fn outstanding(&self) -> u64 {
        self.pace().outstanding
    }

    /// People who came late and have no reservation yet.
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Acquire)
    }

    /// Whether a person is late and has no reservation yet.
    pub fn waits_late(&self, person: &PersonKey) -> bool {
        // Asked with each look of somebody who was called: hardly ever is anybody late.
        if self.late() == 0 {
            return false;
        }
        let pace = self.pace();
        matches!(pace.late_until.get(person), Some(None))
    }

    /// Until when a turn is kept for somebody who was called by this number or came late. None
    /// when it has gone to the next person already.
    pub fn kept_until(&self, number: u64, person: &PersonKey, now: Stamp) -> Option<Stamp> {
        let until = self.pace().kept_until(number, person);
        until.filter(|until| now < *until)
    }

    /// How many more people may be in session or have a reservation.
    fn room(&self, pace: &Pace, others: u64, active: u64) -> u64 {
        u64::from(self.limits.active_max()).saturating_sub(active + others + pace.outstanding)
    }

    /// The part of the room that is this line's.
    fn share_of_room(&self, pace: &Pace, others: u64, active: u64) -> u64 {
        let room = self.room(pace, others, active);
        // Shares that are a hair more than one, by rounding, make no more room than there is.
        room.min((room as f64 * self.share()).ceil() as u64)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        locked(&self.pace)
    }
}
