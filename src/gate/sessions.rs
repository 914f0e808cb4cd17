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
use crate::sync::locked;

/// Whoever was in is known for this long after: longer than a called turn is kept, so that nobody
/// comes twice by one call.
const REMEMBERED_S: i64 = 600;
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
        locked(shard)
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

    /// Goes on with a person's session, or begins one if they may `come`; that is asked for their
    /// session once, however many devices come at a time, and told whether they were not in lately.
    pub fn admit(&self, person: PersonKey, now: Stamp, come: impl FnOnce(bool) -> bool) -> bool {
        let mut shard = self.shard(&person);
        let before = shard.get(&person).copied();
        if let Some(session) = before.filter(|session| now < self.ends(session.seen)) {
            let seen = session.seen.max(now);
            shard.insert(person, Session { seen, ..session });
            return true;
        }
        // Counted before their turn is: at no moment do more seem to fit in than do.
        let counted = before.is_some_and(|session| session.counts);
        self.recount(counted, true);
        let comes = come(before.is_none());
        match comes {
            true => {
                let counts = true;
                shard.insert(person, Session { seen: now, counts });
            }
            false => self.recount(true, counted),
        }
        comes
    }

    /// Whether the person has a session that takes a place.
    pub fn counts(&self, person: &PersonKey) -> bool {
        self.shard(person)
            .get(person)
            .is_some_and(|session| session.counts)
    }

    /// Notes that a session is used; false if it has idled too long.
    pub fn touch(&self, person: &PersonKey, now: Stamp) -> bool {
        let mut shard = self.shard(person);
        if let Some(session) = shard.get_mut(person) {
            if now < self.ends(session.seen) {
                session.seen = session.seen.max(now);
                return true;
            }
            self.recount(std::mem::take(&mut session.counts), false);
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

    /// Ends the sessions that have idled too long, and later forgets them.
    pub fn sweep(&self, now: Stamp) {
        for shard in &self.shards {
            let mut shard = locked(shard);
            shard.retain(|_, session| {
                let ends = self.ends(session.seen);
                if ends <= now {
                    self.recount(std::mem::take(&mut session.counts), false);
                }
                now < ends.plus_s(REMEMBERED_S)
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
    fn whoever_comes_on_two_devices_or_again_comes_once_by_one_call() {
        let sessions = Sessions::new(600, NOW);
        assert!(!sessions.admit(KIM, NOW, |_| false));
        assert_eq!(sessions.active(), 0);
        assert!(sessions.admit(KIM, NOW, |first| first));
        assert!(sessions.admit(KIM, NOW, |_| panic!("is in")));
        assert_eq!(sessions.active(), 1);
        let after = NOW.plus_s(601);
        sessions.sweep(after);
        assert_eq!(sessions.active(), 0);
        assert!(sessions.admit(KIM, after, |first| !first));
        assert_eq!(sessions.active(), 1);
    }

    #[test]
    fn a_restart_ends_nobodys_session() {
        let sessions = Sessions::new(600, NOW);
        assert!(sessions.touch(&KIM, NOW.plus_s(30)));
        assert_eq!(sessions.active(), 1);
        assert!(!sessions.touch(&LEE, NOW.plus_s(601)));
    }
}
