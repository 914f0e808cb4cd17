//! Limits on wrong credentials, per network prefix and per name and birth date.
//!
//! Only failures count, and where a campaign asks for all that a person knows only failures are
//! refused (`service::entrance`), so a whole country behind one carrier's address can sign in.
//!
//! Each limit is a fixed table of buckets under a keyed hash: no amount of guessing takes memory,
//! and nobody can choose whose bucket to fill. A bucket is the instant at which its debt is paid
//! off (the "generic cell rate algorithm" of ATM networks).

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::domain::time::{Day, Stamp};

/// 262,144 buckets of 8 bytes: 2 MiB a limit.
const BUCKETS: usize = 1 << 18;

/// How many failures are forgiven, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Failures in a row before the limit holds.
    pub burst: u32,
    /// One more is forgiven after this long.
    pub refill_s: u32,
}

/// A network that fails 60 times may then fail once a second: guessing 45-bit codes at that rate
/// takes a million years, and a mistyping office of hundreds stays under it.
pub const PREFIX_LIMIT: Limit = Limit {
    burst: 60,
    refill_s: 1,
};
/// A name and birth date may fail ten times, then once every 30 seconds.
pub const PERSON_LIMIT: Limit = Limit {
    burst: 10,
    refill_s: 30,
};

#[derive(Debug)]
pub struct Attempts {
    by_prefix: Buckets,
    by_person: Buckets,
}

#[derive(Debug)]
struct Buckets {
    limit: Limit,
    hasher: RandomState,
    paid_at_ns: Box<[AtomicI64]>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(PREFIX_LIMIT, PERSON_LIMIT)
    }
}

impl Attempts {
    pub fn new(prefix: Limit, person: Limit) -> Self {
        Self {
            by_prefix: Buckets::new(prefix),
            by_person: Buckets::new(person),
        }
    }

    /// How many seconds to wait before the next attempt; none if it may be made now.
    pub fn wait_s(&self, from: IpAddr, name: &str, born: Day, now: Stamp) -> Option<u32> {
        let prefix = self.by_prefix.wait_s(prefix(from), now);
        let person = self.by_person.wait_s((name, born), now);
        prefix.max(person)
    }

    /// Counts a failed attempt.
    pub fn failed(&self, from: IpAddr, name: &str, born: Day, now: Stamp) {
        self.by_prefix.count(prefix(from), now);
        self.by_person.count((name, born), now);
    }
}

impl Buckets {
    fn new(limit: Limit) -> Self {
        let paid_at_ns = (0..BUCKETS).map(|_| AtomicI64::new(i64::MIN)).collect();
        Self {
            limit,
            hasher: RandomState::new(),
            paid_at_ns,
        }
    }

    fn bucket(&self, key: impl Hash) -> &AtomicI64 {
        &self.paid_at_ns[self.hasher.hash_one(key) as usize % BUCKETS]
    }

    fn refill_ns(&self) -> i64 {
        i64::from(self.limit.refill_s) * Stamp::SECOND
    }

    fn wait_s(&self, key: impl Hash, now: Stamp) -> Option<u32> {
        let debt_ns = self
            .bucket(key)
            .load(Ordering::Relaxed)
            .saturating_sub(now.0);
        let over_ns = debt_ns.saturating_sub(self.refill_ns() * i64::from(self.limit.burst - 1));
        (over_ns > 0).then(|| ((over_ns - 1) / Stamp::SECOND + 1) as u32)
    }

    fn count(&self, key: impl Hash, now: Stamp) {
        let paid = |at: i64| Some(at.max(now.0).saturating_add(self.refill_ns()));
        let _ = self
            .bucket(key)
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid);
    }
}

/// The network that one household, office or attacker is likely to hold: /24, or /64 of IPv6.
fn prefix(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits() >> 8),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    #[test]
    fn holds_after_the_burst_and_forgives_with_time() {
        let limit = Limit {
            burst: 3,
            refill_s: 30,
        };
        let attempts = Attempts::new(
            Limit {
                burst: 1000,
                refill_s: 1,
            },
            limit,
        );
        let (from, born) = ("203.0.113.7".parse().unwrap(), Day(-1000));
        for _ in 0..3 {
            assert_eq!(attempts.wait_s(from, "김영희", born, NOW), None);
            attempts.failed(from, "김영희", born, NOW);
        }
        assert_eq!(attempts.wait_s(from, "김영희", born, NOW), Some(30));
        assert_eq!(attempts.wait_s(from, "이철수", born, NOW), None);
        assert_eq!(attempts.wait_s(from, "김영희", born, NOW.plus_s(30)), None);
    }

    #[test]
    fn one_network_shares_a_limit_and_its_neighbour_does_not() {
        let attempts = Attempts::new(
            Limit {
                burst: 1,
                refill_s: 10,
            },
            PERSON_LIMIT,
        );
        attempts.failed("203.0.113.7".parse().unwrap(), "a", Day(0), NOW);
        assert_eq!(
            attempts.wait_s("203.0.113.200".parse().unwrap(), "b", Day(0), NOW),
            Some(10)
        );
        assert_eq!(
            attempts.wait_s("203.0.114.7".parse().unwrap(), "b", Day(0), NOW),
            None
        );
    }
}
