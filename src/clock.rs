//! The only source of time and randomness.
//!
//! The process's time is the wall clock at its start carried on by the monotonic clock: a step of
//! the wall clock while the server runs changes no decision. `Clock::wall_step_ns` tells how far
//! the wall has since moved away, so that the writer can journal it. A simulated clock runs from a
//! chosen instant at a chosen speed.
//!
//! A clock may have a floor, the stamp of the journal's last entry: it never shows less. While the
//! source is behind the floor, time stands still for everybody who asks this clock, as it does for
//! the stamps of entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::crypto::fill_random;
use crate::domain::time::Stamp;

/// Where the time comes from. Clones share the source; the floor is each clone's own.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Arc<Source>,
    floor: Stamp,
}

#[derive(Debug)]
enum Source {
    Real {
        wall: Stamp,
        started: Instant,
    },
    Simulated {
        from: Stamp,
        speed: f64,
        started: Instant,
    },
    /// For tests: both clocks are set by hand.
    Manual {
        now: AtomicI64,
        wall_step: AtomicI64,
    },
}

impl Clock {
    /// The machine's time.
    pub fn real() -> Self {
        Self::of(Source::Real {
            wall: wall(),
            started: Instant::now(),
        })
    }

    /// A clock that shows `from` now and runs `speed` times as fast as the real one.
    pub fn simulated(from: Stamp, speed: f64) -> Self {
        Self::of(Source::Simulated {
            from,
            speed,
            started: Instant::now(),
        })
    }

    /// A clock that stands still until `set` or `advance`.
    pub fn manual(now: Stamp) -> Self {
        let (now, wall_step) = (AtomicI64::new(now.0), AtomicI64::new(0));
        Self::of(Source::Manual { now, wall_step })
    }

    fn of(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            floor: Stamp(i64::MIN),
        }
    }

    /// The same clock, which never shows less than `floor`.
    pub fn with_floor(self, floor: Stamp) -> Self {
        Self { floor, ..self }
    }

    pub fn now(&self) -> Stamp {
        self.unfloored().max(self.floor)
    }

    /// The instant at which time stands still, while it does: the source has to come that far
    /// before `now` moves again.
    pub fn stands_still_until(&self) -> Option<Stamp> {
        (self.unfloored() < self.floor).then_some(self.floor)
    }

    /// How far the source is behind the floor, in nanoseconds; zero when time runs.
    pub fn stands_still_ns(&self) -> i64 {
        self.floor.0.saturating_sub(self.unfloored().0).max(0)
    }

    /// What the source shows.
    fn unfloored(&self) -> Stamp {
        match &*self.source {
            Source::Real { wall, started } => Stamp(wall.0 + elapsed_ns(*started)),
            Source::Simulated {
                from,
                speed,
                started,
            } => Stamp(
                from.0
                    .saturating_add((elapsed_ns(*started) as f64 * speed) as i64),
            ),
            Source::Manual { now, .. } => Stamp(now.load(Ordering::Relaxed)),
        }
    }

    /// How far the wall clock has moved away from this clock since the start, in nanoseconds.
    /// Zero for a simulated clock: it has no wall.
    pub fn wall_step_ns(&self) -> i64 {
        match &*self.source {
            Source::Real {
                wall: from,
                started,
            } => wall().0 - (from.0 + elapsed_ns(*started)),
            Source::Simulated { .. } => 0,
            Source::Manual { wall_step, .. } => wall_step.load(Ordering::Relaxed),
        }
    }

    pub fn is_simulated(&self) -> bool {
        matches!(*self.source, Source::Simulated { .. })
    }

    /// How long to really wait until this clock shows `at`; nothing if it already does.
    pub fn until(&self, at: Stamp) -> Duration {
        if at <= self.now() {
            return Duration::ZERO;
        }
        // While time stands still, the source has the way to the floor to go as well.
        let ahead_ns = at.0.saturating_sub(self.unfloored().0).max(0) as u64;
        match &*self.source {
            Source::Simulated { speed, .. } if *speed > 0.0 => {
                Duration::from_nanos((ahead_ns as f64 / speed) as u64)
            }
            _ => Duration::from_nanos(ahead_ns),
        }
    }

    /// Sets a manual clock; does nothing to another.
    pub fn set(&self, at: Stamp) {
        if let Source::Manual { now, .. } = &*self.source {
            now.store(at.0, Ordering::Relaxed);
        }
    }

    /// Moves a manual clock on; does nothing to another.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { now, .. } = &*self.source {
            now.fetch_add(by.as_nanos() as i64, Ordering::Relaxed);
        }
    }

    /// Steps the wall of a manual clock; does nothing to another.
    pub fn step_wall(&self, by_ns: i64) {
        if let Source::Manual { wall_step, .. } = &*self.source {
            wall_step.fetch_add(by_ns, Ordering::Relaxed);
        }
    }
}

/// The real time of day, for what is never simulated: certificates and file names.
pub fn wall() -> Stamp {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Stamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)),
        Err(before) => Stamp(-(before.duration().as_nanos() as i64)),
    }
}

/// A point of the monotonic clock, for measuring durations.
pub fn tick() -> Instant {
    Instant::now()
}

/// Microseconds of the system's monotonic clock, which other processes of this host see as well.
pub fn monotonic_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}

fn elapsed_ns(since: Instant) -> i64 {
    since.elapsed().as_nanos() as i64
}

/// Where randomness comes from: the operating system's generator.
#[derive(Clone, Debug)]
pub struct Entropy(());

impl Entropy {
    pub fn system() -> Self {
        Self(())
    }

    /// Fresh random bytes.
    ///
    /// # Panics
    /// When the operating system has none to give: nothing secret may be made then.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        fill_random(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_stands_at_its_floor_until_its_source_has_come_there() {
        let source = Clock::manual(Stamp(100));
        let clock = source.clone().with_floor(Stamp(250));
        assert_eq!((source.now(), clock.now()), (Stamp(100), Stamp(250)));
        assert_eq!(clock.stands_still_until(), Some(Stamp(250)));
        assert_eq!(clock.stands_still_ns(), 150);
        // What is due at the floor is due; for what is due later the source has 160 ns to go.
        assert_eq!(clock.until(Stamp(250)), Duration::ZERO);
        assert_eq!(clock.until(Stamp(260)), Duration::from_nanos(160));
        source.set(Stamp(250));
        assert_eq!(clock.stands_still_until(), None);
        source.set(Stamp(251));
        assert_eq!(clock.now(), Stamp(251));
        assert_eq!(clock.stands_still_ns(), 0);
    }
}
