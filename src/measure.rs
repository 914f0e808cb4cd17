//! How long things take, counted in fixed buckets, as histograms of Prometheus are.
//!
//! A histogram is counted into by many threads and takes no lock. Its buckets never change, so that
//! figures of several workers, and of several hosts, can be added.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bound of each bucket but the last, which has none: from an answer of prepared bytes to
/// what nobody waits for any more.
pub const BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];
const BUCKETS: usize = BOUNDS_US.len() + 1;
const LAST_BOUND_US: u64 = BOUNDS_US[BOUNDS_US.len() - 1];

/// Times, by bucket.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Histogram {
    pub fn note(&self, took: Duration) {
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // A time that is equal to a bound belongs to the bucket below it.
        let at = BOUNDS_US.partition_point(|bound_us| bound_us * 1_000 < took_ns);
        self.buckets[at].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(took_ns, Ordering::Relaxed);
    }
}

/// What histograms had counted at one moment, added up.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Counted {
    buckets: [u64; BUCKETS],
    sum_ns: u64,
}

impl Counted {
    pub fn of(histogram: &Histogram) -> Self {
        let mut counted = Self::default();
        counted.add(histogram);
        counted
    }

    pub fn add(&mut self, histogram: &Histogram) {
        for (all, more) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *all += more.load(Ordering::Relaxed);
        }
        self.sum_ns += histogram.sum_ns.load(Ordering::Relaxed);
    }

    /// Adds what others had counted.
    pub fn add_all(&mut self, other: &Self) {
        for (all, more) in self.buckets.iter_mut().zip(other.buckets) {
            *all += more;
        }
        self.sum_ns += other.sum_ns;
    }

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What was counted after `before` was taken of the same histograms.
    pub fn since(&self, before: &Self) -> Self {
        let mut since = *self;
        for (count, before) in since.buckets.iter_mut().zip(before.buckets) {
            *count = count.saturating_sub(before);
        }
        since.sum_ns = since.sum_ns.saturating_sub(before.sum_ns);
        since
    }

    /// The time in seconds that this part of all times (0 to 1) is not longer than; none if nothing
    /// was counted. Between the bounds of a bucket it is interpolated, as Prometheus does; times
    /// beyond the last bound count as that bound.
    pub fn quantile_s(&self, part: f64) -> Option<f64> {
        let wanted = part * self.count() as f64;
        let (mut below, mut from_us) = (0.0, 0.0);
        let ends = BOUNDS_US.iter().map(|bound_us| *bound_us as f64);
        for (to_us, count) in ends.chain([LAST_BOUND_US as f64]).zip(self.buckets) {
            let count = count as f64;
            if count > 0.0 && below + count >= wanted {
                let inside = ((wanted - below) / count).clamp(0.0, 1.0);
                return Some((from_us + (to_us - from_us) * inside) / 1e6);
            }
            below += count;
            from_us = to_us;
        }
        None
    }

    pub fn sum_s(&self) -> f64 {
        self.sum_ns as f64 / 1e9
    }

    /// The upper bound of each bucket in seconds, and how many times are in it alone.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BOUNDS_US.iter().map(|bound_us| *bound_us as f64 / 1e6);
        let bounds = bounds.chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_first_bucket_that_reaches_it() {
        let histogram = Histogram::default();
        for took_ns in [0, 100_000, 100_001, 10_000_000_000, 10_000_000_001] {
            histogram.note(Duration::from_nanos(took_ns));
        }
        let mut counted = Counted::of(&histogram);
        let filled: Vec<_> = counted.buckets();
        let filled: Vec<_> = filled.into_iter().filter(|(_, count)| *count > 0).collect();
        let expected = [(0.0001, 2), (0.00025, 1), (10.0, 1), (f64::INFINITY, 1)];
        assert_eq!(filled, expected);
        assert_eq!(counted.sum_s(), 20.000_200_002);
        counted.add(&histogram);
        assert_eq!(counted.count(), 10);
    }

    #[test]
    fn a_quantile_is_of_what_was_counted_since() {
        let histogram = Histogram::default();
        histogram.note(Duration::from_secs(60));
        let before = Counted::of(&histogram);
        assert_eq!(before.quantile_s(0.5), Some(10.0));
        assert_eq!(Counted::default().quantile_s(0.5), None);
        for took_us in [600, 700, 800, 90_000] {
            histogram.note(Duration::from_micros(took_us));
        }
        let since = Counted::of(&histogram).since(&before);
        assert_eq!(since.count(), 4);
        // Two of the three times in the bucket from 0.5 ms to 1 ms.
        let half_s = since.quantile_s(0.5).unwrap();
        assert!((half_s - 0.000_833).abs() < 0.000_001, "{half_s}");
        let worst_s = since.quantile_s(0.99).unwrap();
        assert!((0.05..=0.1).contains(&worst_s), "{worst_s}");
    }

    #[test]
    fn bounds_rise_and_are_written_as_prometheus_reads_them() {
        assert!(BOUNDS_US.is_sorted_by(|less, more| less < more));
    }
}
