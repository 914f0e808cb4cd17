//! Who is in: the sessions that count towards `active_max`, and when each was last seen.
//!
//! A session's token verifies by itself; this table only tells whether it has idled too long. It is
//! in memory: a session that it does not know is taken in again for one idle time after a start, so
//! a restart ends nobody's session.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::ids::PersonKey;
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;

/// Locks that sessions spread over.
const SHARDS: usize = 64;

#[derive(Debug)]
pub struct Sessions {
    idle_s: i64,
    started: Stamp,
    counted: AtomicU64,
    shards: Box<[Mutex<Shard>]>,
}

type Shard = HashMap<PersonKey, Session, KeyHash>;

#[derive(Debug, Clone, Copy)]
struct Session {
    seen: Stamp,
    /// Whether it takes one of the `active_max` places; a person who has booked no longer does.
    counts: bool,
}

impl Sessions {
    pub fn new(idle_s: u32, now: Stamp) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            idle_s: i64::from(idle_s),
            started: now,
            counted: AtomicU64::new(0),
            shards,
        }
    }

    fn shard(&self, person: &PersonKey) -> std::sync::MutexGuard<'_, Shard> {
        let shard = &self.shards[usize::from(person.0[0]) % SHARDS];
        shard.lock().expect("no holder of this lock panics")
    }

    /// When a session that is used now ends, unless it is used again.
    pub fn ends(&self, now: Stamp) -> Stamp {
        now.plus_s(self.idle_s)
    }

    /// Sessions that count towards `active_max`.
    pub fn active(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    /// Begins or goes on with a person's session.
    pub fn begin(&self, person: PersonKey, now: Stamp, counts: bool) {
        let before = self
            .shard(&person)
            .insert(person, Session { seen: now, counts });
        self.recount(before.is_some_and(|session| session.counts), counts);
    }

    /// Notes that a session is used; false if it has idled too long.
    pub fn touch(&self, person: &PersonKey, now: Stamp) -> bool {
        let mut shard = self.shard(person);
        if let Some(session) = shard.get_mut(person) {
            if now < self.ends(session.seen) {
                session.seen = session.seen.max(now);
                return true;
            }
            let ended = shard.remove(person).is_some_and(|session| session.counts);
            self.recount(ended, false);
            return false;
        }
        drop(shard);
        let known_from_before = now < self.ends(self.started);
        if known_from_before {
            self.begin(*person, now, true);
        }
        known_from_before
    }

    /// The person has booked: their place is free for another, their session goes on.
    pub fn settle(&self, person: &PersonKey) {
        if let Some(session) = self.shard(person).get_mut(person) {
            self.recount(std::mem::take(&mut session.counts), false);
        }
    }

    /// Forgets the sessions that have idled too long.
    pub fn sweep(&self, now: Stamp) {
        for shard in &self.shards {
            let mut shard = shard.lock().expect("no holder of this lock panics");
            shard.retain(|_, session| {
                let stays = now < self.ends(session.seen);
                self.recount(!stays && session.counts, false);
                stays
            });
        }
    }

    fn recount(&self, counted: bool, counts: bool) {
        match (counted, counts) {
            (false, true) => self.counted.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.counted.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);
    const KIM: PersonKey = PersonKey([1; 16]);
    const LEE: PersonKey = PersonKey([2; 16]);

    #[test]
    fn ends_by_idling_and_counts_until_settled() {
        let sessions = Sessions::new(600, NOW);
        sessions.begin(KIM, NOW, true);
        sessions.begin(KIM, NOW, true);
        sessions.begin(LEE, NOW, true);
        assert_eq!(sessions.active(), 2);
        sessions.settle(&LEE);
        assert_eq!(sessions.active(), 1);
        assert!(sessions.touch(&KIM, NOW.plus_s(599)));
        assert!(sessions.touch(&KIM, NOW.plus_s(599 + 599)));
        assert!(!sessions.touch(&KIM, NOW.plus_s(599 + 599 + 600)));
        assert_eq!(sessions.active(), 0);
        sessions.sweep(NOW.plus_s(10_000));
        assert_eq!(sessions.active(), 0);
    }

    #[test]
    fn a_restart_ends_nobodys_session() {
        let sessions = Sessions::new(600, NOW);
        assert!(sessions.touch(&KIM, NOW.plus_s(30)));
        assert_eq!(sessions.active(), 1);
        assert!(!sessions.touch(&LEE, NOW.plus_s(601)));
    }
}
