//! How fast the line moves: people called a second while somebody has to wait, and why it is less
//! than it was.

use super::super::outlook::WaitBecause;

/// Measurements are averaged over about this long.
const AVERAGE_S: f64 = 120.0;
/// So much is measured before it counts.
const WINDOW_S: f64 = 10.0;
/// What people were told stays in memory for about this long.
const TOLD_S: f64 = 7_200.0;
/// Under this part of what people were told, the line is slow and says why.
const SLOW_PART: f64 = 0.8;
/// The brake leaves less than this: the servers are busy.
const BRAKED_PART: f64 = 0.9;

#[derive(Debug)]
pub(super) struct Flow {
    per_s: f64,
    /// The rate by which people who wait now may have been told their wait.
    told_per_s: f64,
    measured: bool,
    window_s: f64,
    people: u64,
    /// Of the window, with all places taken.
    full_s: f64,
    full: bool,
}

impl Flow {
    pub fn new(per_s: f64) -> Self {
        Self {
            per_s,
            told_per_s: per_s,
            measured: false,
            window_s: 0.0,
            people: 0,
            full_s: 0.0,
            full: false,
        }
    }

    pub fn per_s(&self) -> f64 {
        self.per_s
    }

    /// Operators set another rate: what was measured at the old one holds in proportion.
    pub fn rescale(&mut self, before: f64, rate: f64) {
        self.per_s *= rate / before;
        self.told_per_s = self.told_per_s.max(self.per_s);
        (self.window_s, self.people, self.full_s) = (0.0, 0, 0.0);
    }

    /// Notes that of `waiting` people so many were called, `room` having been free for them. A
    /// line that everybody leaves at once tells nothing of how fast it could move.
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
        let weight = if self.measured {
            1.0 - (-self.window_s / AVERAGE_S).exp()
        } else {
            // Before, there is what is set, which is as good as two windows.
            1.0 / 3.0
        };
        self.per_s += (fresh - self.per_s) * weight;
        let forgotten = (-self.window_s / TOLD_S).exp();
        self.told_per_s = (self.told_per_s * forgotten).max(self.per_s);
        self.full = self.full_s > self.window_s / 2.0;
        self.measured = true;
        (self.window_s, self.people, self.full_s) = (0.0, 0, 0.0);
    }

    /// Why people wait for longer than they were told; none if they do not.
    pub fn because(&self, paused: bool, part: f64) -> Option<WaitBecause> {
        if paused {
            return Some(WaitBecause::Paused);
        }
        if self.per_s >= self.told_per_s * SLOW_PART {
            return None;
        }
        Some(match () {
            () if part < BRAKED_PART => WaitBecause::Busy,
            () if self.full => WaitBecause::Full,
            () => WaitBecause::Lowered,
        })
    }
}
