//! How much room the disk of the data file has, and what is done when it gets little.
//!
//! It is looked at each second. First it is said, twice; then bookings are refused while there is
//! still room to settle what was acknowledged, and everything that only reads goes on.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::journal::store::Store;

/// Less than this is told: a journal of ten million bookings and their indexes.
pub const LITTLE_BYTES: u64 = 4 << 30;
/// Less than this is told again: somebody has to make room this evening.
pub const VERY_LITTLE_BYTES: u64 = 1 << 30;
/// With less than this nobody books. The tail (64 MiB at the most) can still be settled.
pub const TOO_LITTLE_BYTES: u64 = 256 << 20;

/// How much room there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Enough,
    Little,
    VeryLittle,
    /// Bookings are refused.
    TooLittle,
}

impl Level {
    pub fn of(free_bytes: u64) -> Self {
        match free_bytes {
            ..TOO_LITTLE_BYTES => Self::TooLittle,
            TOO_LITTLE_BYTES..VERY_LITTLE_BYTES => Self::VeryLittle,
            VERY_LITTLE_BYTES..LITTLE_BYTES => Self::Little,
            LITTLE_BYTES.. => Self::Enough,
        }
    }
}

/// The disk when it was looked at last.
#[derive(Debug)]
pub struct Room {
    /// The most there can be until it was looked at.
    free_bytes: AtomicU64,
    data_file_bytes: AtomicU64,
    tail_bytes: AtomicU64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            free_bytes: AtomicU64::new(u64::MAX),
            data_file_bytes: AtomicU64::new(0),
            tail_bytes: AtomicU64::new(0),
        }
    }
}

impl Room {
    /// Looks at the disk. What can't be told is left as it was.
    pub fn look(&self, store: &Store) {
        if let Some(free) = store.disk_free() {
            self.note(free);
        }
        if let Some([data_file, tail]) = store.file_bytes() {
            self.data_file_bytes.store(data_file, Ordering::Relaxed);
            self.tail_bytes.store(tail, Ordering::Relaxed);
        }
    }

    pub fn note(&self, free_bytes: u64) {
        let before = self.level();
        self.free_bytes.store(free_bytes, Ordering::Relaxed);
        let (now, free_mib) = (self.level(), free_bytes >> 20);
        if now == before {
            return;
        }
        match now {
            Level::Enough => tracing::info!(free_mib, "the disk has room again"),
            Level::Little => tracing::warn!(free_mib, "the disk gets full: make room"),
            Level::VeryLittle => tracing::error!(
                free_mib,
                "the disk is nearly full: bookings will be refused; make room now"
            ),
            Level::TooLittle => tracing::error!(
                free_mib,
                "the disk is full: bookings are refused, everything else goes on; make room"
            ),
        }
    }

    pub fn level(&self) -> Level {
        Level::of(self.free_bytes())
    }

    pub fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    /// How large the data file and the tail are.
    pub fn file_bytes(&self) -> [u64; 2] {
        [&self.data_file_bytes, &self.tail_bytes].map(|bytes| bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_room_is_never_a_better_level() {
        let bounds = [
            0,
            TOO_LITTLE_BYTES,
            VERY_LITTLE_BYTES,
            LITTLE_BYTES,
            u64::MAX,
        ];
        for pair in bounds.windows(2) {
            assert_eq!(Level::of(pair[0]), Level::of(pair[1] - 1));
            assert!(Level::of(pair[0]) >= Level::of(pair[1]));
        }
        assert_eq!(Room::default().level(), Level::Enough);
    }
}
