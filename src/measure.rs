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

    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
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
    fn bounds_rise_and_are_written_as_prometheus_reads_them() {
        assert!(BOUNDS_US.is_sorted_by(|less, more| less < more));
    }
}
