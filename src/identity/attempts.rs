//! What wrong credentials cost: a delay for whoever sent them, never a wall for anybody else.
//!
//! Credentials are looked at first and right ones always pass, so nobody can be locked out by what
//! others sent from the same address or under the same name. A wrong answer is counted for the
//! address together with the person it named, for the address, and for its network. While all three
//! have room it is a plain "not found". After that it is told late and with a time to wait that
//! grows with every further wrong one.
//!
//! A guesser can ignore the times to wait, and learns from every answer that the guess was wrong.
//! What stops guessing is arithmetic: the codes are long, and the number of wrong guesses that the
//! whole server looks at in a second has a bound (`Strength::wrong_per_s`). SECURITY.md has the
//! figures.
//!
//! Each limit is a fixed table of buckets under a keyed hash: no amount of guessing takes memory,
//! and nobody can choose whose bucket to fill. A bucket is the instant at which its debt is paid
//! off (the "generic cell rate algorithm" of ATM networks).

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Strength;
use crate::domain::time::{Day, Stamp};

/// 262,144 buckets of 8 bytes: 2 MiB a limit.
const BUCKETS: usize = 1 << 18;
/// So many seconds' worth of wrong guesses may come to the whole server at once, because people
/// come at the moment of an opening.
const ALL_BURST_S: i64 = 10;

/// How many wrong answers are forgiven, how fast, and the longest time to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Wrong answers in a row before the limit holds.
    pub burst: u32,
    /// One more is forgiven after this long.
    pub refill_ms: u32,
    /// Nobody is told to wait longer, whatever was sent before.
    pub wait_s_max: u32,
}

/// A person at an address may mistype five times; then each time costs half a minute more.
pub const PAIR_LIMIT: Limit = Limit {
    burst: 5,
    refill_ms: 30_000,
    wait_s_max: 900,
};
/// An address may be a house, an office or a town: 60 mistypings at once, then one a second.
pub const ADDRESS_LIMIT: Limit = Limit {
    burst: 60,
    refill_ms: 1_000,
    wait_s_max: 60,
};
/// A network (/24, IPv6 /48) as ten such addresses, so that moving from one /64 to the next in the
/// same /48 gains nothing.
pub const NETWORK_LIMIT: Limit = Limit {
    burst: 600,
    refill_ms: 100,
    wait_s_max: 60,
};

/// Whom wrong credentials named, and where they came from.
#[derive(Clone, Copy, Debug)]
pub struct Wrong<'a> {
    pub from: IpAddr,
    /// The comparable name: another spelling of a name is the same person. Empty where the campaign
    /// does not ask for it.
    pub name: &'a str,
    pub born: Option<Day>,
}

#[derive(Debug)]
pub struct Attempts {
    by_pair: Buckets,
    by_address: Buckets,
    by_network: Buckets,
    /// By strength of the credentials.
    all: [AtomicI64; Strength::ALL.len()],
}

#[derive(Debug)]
struct Buckets {
    limit: Limit,
    hasher: RandomState,
    paid_at_ns: Box<[AtomicI64]>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new(PAIR_LIMIT, ADDRESS_LIMIT, NETWORK_LIMIT)
    }
}

impl Attempts {
    pub fn new(pair: Limit, address: Limit, network: Limit) -> Self {
        Self {
            by_pair: Buckets::new(pair),
            by_address: Buckets::new(address),
            by_network: Buckets::new(network),
            all: Strength::ALL.map(|_| AtomicI64::new(i64::MIN)),
        }
    }

    /// Whether credentials are looked at now. They are not while more wrong ones come to the whole
    /// server than it may answer, and then it makes no difference whether they are right. Of those
    /// that come meanwhile, as many are looked at as the bound allows.
    pub fn may_look(&self, strength: Strength, now: Stamp) -> bool {
        let paid_at = self.all[strength as usize].load(Ordering::Relaxed);
        paid_at.saturating_sub(now.0) < ALL_BURST_S * Stamp::SECOND
    }

    /// For how long a further wrong answer from the address of `wrong` about whom it names is not
    /// looked at: for credentials that cost much to look at. Nobody else is held up.
    pub fn pair_wait(&self, wrong: &Wrong<'_>, now: Stamp) -> Option<u32> {
        self.by_pair.wait(pair(wrong), now)
    }

    /// Counts a wrong answer for the pair alone.
    pub fn note_pair(&self, wrong: &Wrong<'_>, now: Stamp) {
        self.by_pair.count(pair(wrong), now);
    }

    /// Counts a wrong answer. None while it is a plain "not found"; else for how many seconds a
    /// further wrong one will be told late.
    pub fn failed(&self, wrong: &Wrong<'_>, strength: Strength, now: Stamp) -> Option<u32> {
        let cost_ns = Stamp::SECOND / i64::from(strength.wrong_per_s());
        let paid = |at: i64| Some(at.max(now.0).saturating_add(cost_ns));
        let all = &self.all[strength as usize];
        let _ = all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid);
        let (address, network) = (address(wrong.from), network(wrong.from));
        let waits = [
            self.by_pair.count(pair(wrong), now),
            self.by_address.count(address, now),
            self.by_network.count(network, now),
        ];
        waits.into_iter().flatten().max()
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

    /// How long it is until one more would be within the limit; none if it would be now.
    fn wait(&self, key: impl Hash, now: Stamp) -> Option<u32> {
        let refill_ns = i64::from(self.limit.refill_ms) * 1_000_000;
        let room_ns = refill_ns * i64::from(self.limit.burst);
        let bucket = &self.paid_at_ns[self.hasher.hash_one(key) as usize % BUCKETS];
        let paid_at = bucket.load(Ordering::Relaxed);
        let wait_ns = paid_at.max(now.0).saturating_sub(now.0) + refill_ns - room_ns;
        (wait_ns > 0).then(|| ((wait_ns - 1) / Stamp::SECOND + 1) as u32)
    }

    /// Counts one. None if it was within the limit; else after how long the next one is again.
    fn count(&self, key: impl Hash, now: Stamp) -> Option<u32> {
        let refill_ns = i64::from(self.limit.refill_ms) * 1_000_000;
        let room_ns = refill_ns * i64::from(self.limit.burst);
        let most_ns = room_ns - refill_ns + i64::from(self.limit.wait_s_max) * Stamp::SECOND;
        let debt_ns = |paid_at: i64| {
            let left = paid_at.max(now.0).saturating_sub(now.0);
            (left + refill_ns).min(most_ns)
        };
        let bucket = &self.paid_at_ns[self.hasher.hash_one(key) as usize % BUCKETS];
        let paid = |at: i64| Some(now.0.saturating_add(debt_ns(at)));
        let before = bucket
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid)
            .unwrap_or(now.0);
        let debt_ns = debt_ns(before);
        let wait_ns = debt_ns + refill_ns - room_ns;
        (debt_ns > room_ns).then(|| ((wait_ns - 1) / Stamp::SECOND + 1) as u32)
    }
}

/// An address and whom it named.
fn pair<'a>(wrong: &Wrong<'a>) -> ((u8, u64), &'a str, Option<Day>) {
    (address(wrong.from), wrong.name, wrong.born)
}

/// What one household, office or attacker is likely to hold: an address, or a /64 of IPv6.
fn address(address: IpAddr) -> (u8, u64) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (4, u64::from(v4.to_bits())),
        IpAddr::V6(v6) => (6, (v6.to_bits() >> 64) as u64),
    }
}

/// What is given to one customer at a time: a /24, or a /48 of IPv6.
fn network(address: IpAddr) -> (u8, u64) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (24, u64::from(v4.to_bits() >> 8)),
        IpAddr::V6(v6) => (48, (v6.to_bits() >> 80) as u64),
    }
}

#[cfg(test)]
mod tests;
