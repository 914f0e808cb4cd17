//! Measures how fast the line moves, in people called a second, and says why it is slower than
//! people were told. Only time in which somebody had to wait is measured.

use super::super::outlook::WaitBecause;

/// Windows are averaged with this time constant.
const AVERAGE_S: f64 = 120.0;
/// A measurement counts after this much time.
const WINDOW_S: f64 = 10.0;
/// After so many windows the average is worth something: a minute.
const NEW_WINDOWS: u32 = 6;
/// The rate that people were told is forgotten with this time constant.
const TOLD_S: f64 = 7_200.0;
/// A line slower than this part of the rate that people were told says why.
const SLOW_PART: f64 = 0.8;
/// While the brake leaves less than this part of the rate, the reason is that servers are busy.
const BRAKED_PART: f64 = 0.9;

#[derive(Debug)]
pub(super) struct Flow {
    /// The average.
    per_s: f64,
    /// The highest rate by which people who wait now may have been told their wait.
    told_per_s: f64,
    /// How many windows were measured.
    windows: u32,
    /// The length of the present window so far.
    window_s: f64,
    /// People called in the present window.
    people: u64,
    /// The part of the present window in which all places were taken.
    full_s: f64,
    /// Whether all places were taken in most of the last window.
    full: bool,
}

impl Flow {
    pub fn new(per_s: f64) -> Self {
        Self {
            per_s,
            told_per_s: per_s,
            windows: 0,
            window_s: 0.0,
            people: 0,
            full_s: 0.0,
            full: false,
        }
    }

    pub fn per_s(&self) -> f64 {
        self.per_s
    }

    /// Whether so little was measured that it says little of the time to come.
    pub fn is_new(&self) -> bool {
        self.windows < NEW_WINDOWS
    }

    /// Scales what was measured when operators set another rate.
    pub fn rescale(&mut self, before: f64, rate: f64) {
        self.per_s *= rate / before;
        self.told_per_s = self.told_per_s.max(self.per_s);
        (self.window_s, self.people, self.full_s) = (0.0, 0, 0.0);
    }

    /// Notes that `people` of `waiting` people were called while there was room for `room`. Where
    /// everybody was called, nothing is noted: such a line does not show how fast it could move.
    pub fn note(&mut self, passed_s: f64, people: u64, waiting: u64, room: u64) {
        if waiting <= people {
            return;
        }
        self.window_s += passed_s;
        self.people += people;
        if people == room {
            self.full_s += passed_s;
        }
        if self.window_s < WINDOW_S {
            return;
        }
        let fresh = self.people as f64 / self.window_s;
        let weight = if self.windows > 0 {
            1.0 - (-self.window_s / AVERAGE_S).exp()
        } else {
            // Until now `per_s` is the rate that operators set; it counts as much as two windows.
            1.0 / 3.0
        };
        self.per_s += (fresh - self.per_s) * weight;
        let forgotten = (-self.window_s / TOLD_S).exp();
        self.told_per_s = (self.told_per_s * forgotten).max(self.per_s);
        self.full = self.full_s > self.window_s / 2.0;
        self.windows = self.windows.saturating_add(1);
        (self.window_s, self.people, self.full_s) = (0.0, 0, 0.0);
    }

    /// Why people wait longer than they were told; none if they don't. `brake_part` is the part of
    /// the rate that the brake leaves, `share` the line's part of the rest.
    pub fn because(&self, paused: bool, brake_part: f64, share: f64) -> Option<WaitBecause> {
        if paused {
            return Some(WaitBecause::Paused);
        }
        if self.per_s >= self.told_per_s * SLOW_PART {
            return None;
        }
        Some(if brake_part < BRAKED_PART {
            WaitBecause::Busy
        } else if self.full {
            WaitBecause::Full
        } else if share < SLOW_PART {
            WaitBecause::Shared
        } else {
            WaitBecause::Lowered
        })
    }
}
