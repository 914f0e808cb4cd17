//! Requests that changed something, remembered by their idempotency key for 24 hours.
//!
//! A key is good while less than `REMEMBERED_S` have passed since its entry, by the stamps of the
//! journal, so that a replay forgets as the server did. A key that is older acts as a new one.
//! Forgotten keys leave the memory a few with each entry, so no single change takes long.

use serde::{Deserialize, Serialize};

use crate::domain::entry::Idempotency;
use crate::domain::growing::{Queue, Table};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;

/// How long a key is good for.
pub const REMEMBERED_S: i64 = 24 * 3_600;
/// Old keys that are taken out with each entry: more than the one that an entry can add.
const FORGOTTEN_MAX: usize = 2;

/// A remembered request: what was asked, and the entry that answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    pub request: [u8; 8],
    pub seq: Seq,
    pub stamp: Stamp,
}

/// What is remembered of a campaign.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repeats {
    known: Known,
    /// Every key by the stamp of its entry, oldest first.
    by_age: ByAge,
}

/// Requests by their key.
pub type Known = Table<[u8; 16], Repeat>;
/// Keys with the stamps of their entries, oldest first.
pub type ByAge = Queue<(Stamp, [u8; 16])>;

fn is_good(stamp: Stamp, now: Stamp) -> bool {
    now < stamp.plus_s(REMEMBERED_S)
}

impl Repeats {
    /// All that a checkpoint has to keep: what is known, and every key by its age.
    pub fn rows(&self) -> (&Known, &ByAge) {
        (&self.known, &self.by_age)
    }

    pub fn into_rows(self) -> (Known, ByAge) {
        (self.known, self.by_age)
    }

    /// Puts together what `rows` took apart.
    pub fn of_rows(known: Known, by_age: ByAge) -> Self {
        Self { known, by_age }
    }

    /// The request that came with this key, if it is remembered at `now`.
    pub fn get(&self, key: &[u8; 16], now: Stamp) -> Option<&Repeat> {
        let known = self.known.get(key);
        known.filter(|repeat| is_good(repeat.stamp, now))
    }

    /// Checks that a key is not remembered at `now`.
    pub fn may_remember(&self, key: &[u8; 16], now: Stamp) -> Result<(), String> {
        match self.get(key, now) {
            Some(earlier) => Err(format!("repeats the request of entry {}", earlier.seq)),
            None => Ok(()),
        }
    }

    /// Remembers the request that an entry answers. Its key must not be remembered already.
    pub fn remember(&mut self, asked: Idempotency, seq: Seq, stamp: Stamp) {
        let Idempotency { key, request } = asked;
        let repeat = Repeat {
            request,
            seq,
            stamp,
        };
        self.known.insert(key, repeat);
        self.by_age.push((stamp, key));
    }

    /// Takes a few of the keys out that are forgotten at `now`.
    pub fn forget(&mut self, now: Stamp) {
        for _ in 0..FORGOTTEN_MAX {
            let Some(&(stamp, key)) = self.by_age.first() else {
                return;
            };
            if is_good(stamp, now) {
                return;
            }
            self.by_age.pop();
            // A key that was used again since is remembered for its newer entry.
            let is_this = self
                .known
                .get(&key)
                .is_some_and(|known| known.stamp == stamp);
            if is_this {
                self.known.remove(&key);
            }
        }
    }

    /// Keys in memory, forgotten ones that were not taken out yet among them.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Every key that is remembered at `now`.
    pub fn iter(&self, now: Stamp) -> impl Iterator<Item = (&[u8; 16], &Repeat)> {
        let known = self.known.iter();
        known.filter(move |(_, repeat)| is_good(repeat.stamp, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: u8) -> Idempotency {
        Idempotency {
            key: [key; 16],
            request: [key; 8],
        }
    }

    const DAY: Stamp = Stamp(REMEMBERED_S * Stamp::SECOND);

    #[test]
    fn a_key_is_good_for_24_hours_to_the_nanosecond_and_acts_as_new_after() {
        let mut repeats = Repeats::default();
        repeats.remember(asked(1), Seq(1), Stamp(0));
        assert!(repeats.get(&[1; 16], Stamp(DAY.0 - 1)).is_some());
        assert_eq!(repeats.get(&[1; 16], DAY), None);
        let early = repeats.may_remember(&[1; 16], Stamp(DAY.0 - 1));
        assert_eq!(early, Err("repeats the request of entry 1".to_owned()));
        assert_eq!(repeats.may_remember(&[1; 16], DAY), Ok(()));
        repeats.remember(asked(1), Seq(2), DAY);
        // The older use is taken out; the newer one stays.
        repeats.forget(DAY);
        assert_eq!(
            repeats.get(&[1; 16], DAY).map(|known| known.seq),
            Some(Seq(2))
        );
        assert_eq!(repeats.len(), 1);
    }

    #[test]
    fn memory_shrinks_by_a_few_with_each_entry() {
        let mut repeats = Repeats::default();
        for key in 0..100 {
            repeats.remember(asked(key), Seq(1), Stamp(0));
        }
        repeats.forget(Stamp(DAY.0 - 1));
        assert_eq!(repeats.len(), 100);
        for entries in 1..=50 {
            repeats.forget(DAY);
            assert_eq!(repeats.len(), 100 - entries * FORGOTTEN_MAX);
        }
        assert!(repeats.is_empty() && repeats.iter(DAY).next().is_none());
    }
}
