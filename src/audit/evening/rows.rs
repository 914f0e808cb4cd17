//! What is counted minute by minute, over the whole journal: stamps never go back, so the minutes
//! come in order.

use std::collections::BTreeMap;

use crate::domain::entry::RefusedFor;
use crate::domain::ids::{POOLS, Seq};
use crate::domain::time::Stamp;

/// A minute, in the unit of stamps.
pub(super) const MINUTE_NS: i64 = 60 * Stamp::SECOND;
/// Reasons of the rules, in the order of their variants.
pub(super) const REASONS: [&str; 3] = ["not_eligible", "not_open_yet", "opening_closed"];

/// Counts of some minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Counts {
    pub holds: u64,
    pub holds_extended: u64,
    pub holds_expired: u64,
    pub holds_released: u64,
    pub booked: u64,
    pub moved: u64,
    pub cancelled: u64,
    pub by_pool: [u64; POOLS],
    pub by_actor: [u64; 4],
    /// By reason.
    pub refused: [u64; 3],
}

impl Counts {
    pub fn and(mut self, other: &Self) -> Self {
        let add = |into: &mut [u64], more: &[u64]| {
            into.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += more);
        };
        self.holds += other.holds;
        self.holds_extended += other.holds_extended;
        self.holds_expired += other.holds_expired;
        self.holds_released += other.holds_released;
        self.booked += other.booked;
        self.moved += other.moved;
        self.cancelled += other.cancelled;
        add(&mut self.by_pool, &other.by_pool);
        add(&mut self.by_actor, &other.by_actor);
        add(&mut self.refused, &other.refused);
        self
    }
}

/// A minute in which there was an entry.
pub(super) struct Row {
    /// When it began.
    pub at: Stamp,
    /// Its first entry.
    pub first: Seq,
    pub counts: Counts,
    /// By the version of the rules and the reason.
    pub refused: BTreeMap<(u32, usize), u64>,
}

/// All minutes with an entry.
#[derive(Default)]
pub(super) struct Rows(Vec<Row>);

impl Rows {
    /// Begins the minute of an entry, if it is another one.
    pub fn begin(&mut self, at: Stamp, first: Seq) {
        let at = Stamp(at.0 - at.0.rem_euclid(MINUTE_NS));
        if self.0.last().is_none_or(|last| last.at < at) {
            self.0.push(Row {
                at,
                first,
                counts: Counts::default(),
                refused: BTreeMap::new(),
            });
        }
    }

    fn last(&mut self) -> &mut Row {
        self.0
            .last_mut()
            .expect("the minute of the entry was begun")
    }

    /// The counts of the minute of the entry.
    pub fn now(&mut self) -> &mut Counts {
        &mut self.last().counts
    }

    pub fn refused(&mut self, rules: u32, reason: RefusedFor) {
        let reason = reason as usize;
        let row = self.last();
        row.counts.refused[reason] += 1;
        *row.refused.entry((rules, reason)).or_default() += 1;
    }

    /// The minutes from one instant until before another.
    pub fn between(&self, from: Stamp, until: Stamp) -> &[Row] {
        let at = |stamp: Stamp| self.0.partition_point(|row| row.at < stamp);
        let (first, end) = (at(from), at(until));
        &self.0[first..end.max(first)]
    }
}
