//! Who is in: the sessions that count towards `active_max`, and when each was last seen.
//!
//! A session is named by its person and the instant at which it began; its tokens carry both. A
//! token of a session that has ended is refused for good, also while the person has another one.
//!
//! The table is in memory. For one idle time after a start, a session of the process before this
//! one is taken in when its token is shown, so a restart ends nobody's session. Whether that
//! session had idled out before the restart is not known then.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::domain::ids::{LineIndex, PersonKey};
use crate::domain::line::Ticket;
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;
use crate::sync::locked;

/// A session lasts at most this long, however busy.
pub const SESSION_S_MAX: i64 = 12 * 3600;
/// An ended session is remembered for this long. That is longer than a called turn is kept, so that
/// nobody uses one turn twice.
const REMEMBERED_S: i64 = 600;
/// Locks that sessions spread over.
const SHARDS: usize = 64;

#[derive(Debug)]
pub struct Sessions {
    idle_s: AtomicI64,
    /// When the process started; a freeze moves it on, for no session's time passes in one.
    started: AtomicI64,
    /// Since when no session's time passes; `i64::MAX` if it does.
    frozen_since: AtomicI64,
    counted: AtomicU64,
    /// Sessions that began with a turn.
    admitted: AtomicU64,
    shards: Box<[Mutex<Shard>]>,
}

type Shard = HashMap<PersonKey, Session, KeyHash>;

#[derive(Debug, Clone, Copy)]
struct Session {
    /// Names the session among those of its person.
    began: Stamp,
    /// A session of the process before this one that was taken in and is now a part of this
    /// session.
    inherited: Option<Stamp>,
    seen: Stamp,
    /// Whether it takes one of the `active_max` places; a person who has booked no longer does.
    counts: bool,
    /// Whether it was found to have idled out. It stays so, also if sessions may idle for longer
    /// from then on.
    is_over: bool,
    /// The place with whose turn the person came in, as `Ticket::mark` has it; 0 for none.
    place: u64,
}

impl Session {
    fn new(now: Stamp, counts: bool, place: u64) -> Self {
        Self {
            began: now,
            inherited: None,
            seen: now,
            counts,
            is_over: false,
            place,
        }
    }

    /// Ends the session; whether it took a place until then.
    fn end(&mut self) -> bool {
        self.is_over = true;
        std::mem::take(&mut self.counts)
    }

    fn is_named(&self, began: Stamp) -> bool {
        self.began == began || self.inherited == Some(began)
    }

    /// Takes a session of the process before in as a part of this one. It replaces an earlier one
    /// that was taken in.
    fn inherit(&mut self, began: Stamp) {
        if self.inherited == Some(self.began) {
            self.began = began;
        }
        self.inherited = Some(began);
    }
}

impl Sessions {
    pub fn new(idle_s: u32, now: Stamp) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            idle_s: AtomicI64::new(i64::from(idle_s)),
            started: AtomicI64::new(now.0),
            frozen_since: AtomicI64::new(i64::MAX),
            counted: AtomicU64::new(0),
            admitted: AtomicU64::new(0),
            shards,
        }
    }

    /// A session ends after so many seconds without a request, also one that runs already.
    pub fn set_idle_s(&self, idle_s: u32) {
        self.idle_s.store(i64::from(idle_s), Ordering::Relaxed);
    }

    /// While operators have frozen the sessions, nobody's idle time passes: since then, or none if
    /// it passes. When it goes on each session has the time left that it had. A freeze that is set
    /// again, with another reason, goes on as it began.
    pub fn freeze(&self, since: Option<Stamp>, now: Stamp) {
        let before = self.frozen_since.load(Ordering::Relaxed);
        match since {
            Some(since) if before == i64::MAX => {
                self.frozen_since.store(since.0, Ordering::Relaxed);
            }
            None if before != i64::MAX => self.thaw(before, now),
            Some(_) | None => {}
        }
    }

    fn thaw(&self, before: i64, now: Stamp) {
        self.frozen_since.store(i64::MAX, Ordering::Relaxed);
        let stood_ns = (now.0 - before).max(0);
        let started = self.started.load(Ordering::Relaxed);
        let stood_since_start_ns = (now.0 - before.max(started)).max(0);
        self.started
            .store(started + stood_since_start_ns, Ordering::Relaxed);
        for shard in &self.shards {
            for session in locked(shard).values_mut() {
                session.seen = Stamp(session.seen.0.min(before) + stood_ns);
            }
        }
    }

    /// The time that sessions run by.
    fn time(&self, now: Stamp) -> Stamp {
        Stamp(now.0.min(self.frozen_since.load(Ordering::Relaxed)))
    }

    fn idle_s(&self) -> i64 {
        self.idle_s.load(Ordering::Relaxed)
    }

    fn shard(&self, person: &PersonKey) -> std::sync::MutexGuard<'_, Shard> {
        let shard = &self.shards[usize::from(person.0[0]) % SHARDS];
        locked(shard)
    }

    /// When a session that began then and is used now ends, unless it is used again.
    pub fn ends(&self, began: Stamp, now: Stamp) -> Stamp {
        now.plus_s(self.idle_s()).min(began.plus_s(SESSION_S_MAX))
    }

    fn runs(&self, session: &Session, now: Stamp) -> bool {
        !session.is_over && self.time(now) < self.ends(session.began, session.seen)
    }

    /// Sessions that count towards `active_max`.
    pub fn active(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    /// Sessions that began with a turn, since the start of the process.
    pub fn admitted(&self) -> u64 {
        self.admitted.load(Ordering::Relaxed)
    }

    /// Sessions that count towards `active_max`, by the line whose turn they began with; under none
    /// those of the process before and of people who came past every line. Looks at every session:
    /// some 10 ns each.
    pub fn active_by_line(&self) -> HashMap<Option<LineIndex>, u64> {
        let mut by_line = HashMap::new();
        for shard in &self.shards {
            let shard = locked(shard);
            for session in shard.values().filter(|session| session.counts) {
                let line = Ticket::of_mark(session.place).line;
                *by_line.entry(line).or_default() += 1;
            }
        }
        by_line
    }

    /// Begins or goes on with a person's session; when it began.
    pub fn begin(&self, person: PersonKey, now: Stamp, counts: bool) -> Stamp {
        let mut shard = self.shard(&person);
        let before = shard.get(&person).copied();
        let running = before.filter(|session| self.runs(session, now));
        let mut session = running.unwrap_or(Session::new(now, counts, 0));
        session.seen = session.seen.max(now);
        session.counts = counts;
        shard.insert(person, session);
        self.recount(before.is_some_and(|session| session.counts), counts);
        session.began
    }

    /// Continues a person's session, or begins one if `come` allows it. Returns when the session
    /// began. `come` is called once for a session, however many devices of the person ask at the
    /// same time. Its argument says that the person's session before this one, if it is still
    /// remembered, did not begin with the turn of this place.
    pub fn admit(
        &self,
        person: PersonKey,
        place: u64,
        now: Stamp,
        come: impl FnOnce(bool) -> bool,
    ) -> Option<Stamp> {
        let mut shard = self.shard(&person);
        let before = shard.get(&person).copied();
        if let Some(session) = before.filter(|session| self.runs(session, now)) {
            let seen = session.seen.max(now);
            shard.insert(person, Session { seen, ..session });
            return Some(session.began);
        }
        // The person is counted as active before their turn is taken. In the other order, there
        // would be a moment in which one place too many seems free.
        let counted = before.is_some_and(|session| session.counts);
        self.recount(counted, true);
        let first = before.is_none_or(|session| session.place != place);
        if come(first) {
            shard.insert(person, Session::new(now, true, place));
            self.admitted.fetch_add(1, Ordering::Relaxed);
            Some(now)
        } else {
            self.recount(true, counted);
            None
        }
    }

    /// Whether the person has a session that takes a place.
    pub fn counts(&self, person: &PersonKey) -> bool {
        self.shard(person)
            .get(person)
            .is_some_and(|session| session.counts)
    }

    /// Notes that the person's session that began then is used; false if it has ended.
    pub fn touch(&self, person: &PersonKey, began: Stamp, now: Stamp) -> bool {
        let mut shard = self.shard(person);
        let Some(session) = shard.get_mut(person) else {
            let goes_on = self.may_go_on(began, now);
            if goes_on {
                let mut session = Session::new(now, true, 0);
                session.began = began;
                session.inherited = Some(began);
                shard.insert(*person, session);
                self.recount(false, true);
            }
            return goes_on;
        };
        if !self.runs(session, now) {
            self.recount(session.end(), false);
            return false;
        }
        if !session.is_named(began) {
            let is_later = session.inherited.is_none_or(|known| known < began);
            if !is_later || !self.may_go_on(began, now) {
                return false;
            }
            session.inherit(began);
        }
        session.seen = session.seen.max(now);
        true
    }

    /// Whether a session that this table does not know may have been running when the process
    /// started. Within one idle time of the start, no session that this process began can have
    /// ended, so an unknown one is of the process before. Stamps are not compared for it: the clock
    /// may have been set back in between.
    fn may_go_on(&self, began: Stamp, now: Stamp) -> bool {
        let started = Stamp(self.started.load(Ordering::Relaxed));
        let is_soon = self.time(now) < started.plus_s(self.idle_s());
        is_soon && now < began.plus_s(SESSION_S_MAX)
    }

    /// The person has booked: their place is free for another, their session goes on.
    pub fn settle(&self, person: &PersonKey) {
        if let Some(session) = self.shard(person).get_mut(person) {
            self.recount(std::mem::take(&mut session.counts), false);
        }
    }

    /// Ends the sessions that have idled too long, and later forgets them.
    pub fn sweep(&self, now: Stamp) {
        let now = self.time(now);
        for shard in &self.shards {
            let mut shard = locked(shard);
            shard.retain(|_, session| {
                let ends = self.ends(session.began, session.seen);
                if ends <= now {
                    self.recount(session.end(), false);
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
    const PLACE: u64 = 7;

    #[test]
    fn ends_by_idling_and_counts_until_settled() {
        let sessions = Sessions::new(600, NOW);
        assert_eq!(sessions.begin(KIM, NOW, true), NOW);
        assert_eq!(sessions.begin(KIM, NOW.plus_s(1), true), NOW);
        sessions.begin(LEE, NOW, true);
        assert_eq!(sessions.active(), 2);
        sessions.settle(&LEE);
        assert_eq!(sessions.active(), 1);
        assert!(sessions.touch(&KIM, NOW, NOW.plus_s(599)));
        assert!(sessions.touch(&KIM, NOW, NOW.plus_s(599 + 599)));
        assert!(!sessions.touch(&KIM, NOW, NOW.plus_s(599 + 599 + 600)));
        assert_eq!(sessions.active(), 0);
        sessions.sweep(NOW.plus_s(10_000));
        assert_eq!(sessions.active(), 0);
    }

    /// In a freeze nobody can go on: nobody's time passes either.
    #[test]
    fn in_a_freeze_no_session_ends_and_after_it_each_has_the_time_that_it_had() {
        let sessions = Sessions::new(600, NOW);
        sessions.begin(KIM, NOW, true);
        let (since, thawed) = (NOW.plus_s(500), NOW.plus_s(5_000));
        sessions.freeze(Some(since), since);
        sessions.sweep(thawed);
        assert_eq!(sessions.active(), 1);
        sessions.freeze(None, thawed);
        assert!(sessions.touch(&KIM, NOW, thawed.plus_s(99)));
        sessions.begin(LEE, thawed, true);
        sessions.freeze(Some(thawed), thawed);
        sessions.freeze(Some(thawed), thawed.plus_s(50));
        sessions.freeze(None, thawed.plus_s(1_000));
        assert!(!sessions.touch(&LEE, thawed, thawed.plus_s(1_600)));
    }

    /// Operators gave the freeze another reason, and the time until then was taken from everybody.
    #[test]
    fn a_freeze_that_is_set_again_goes_on_as_it_began() {
        let sessions = Sessions::new(600, NOW);
        sessions.begin(KIM, NOW, true);
        let again = NOW.plus_s(700);
        sessions.freeze(Some(NOW.plus_s(500)), NOW.plus_s(500));
        sessions.freeze(Some(again), again);
        sessions.sweep(again.plus_s(1));
        assert_eq!(sessions.active(), 1);
        sessions.freeze(None, again.plus_s(2));
        assert!(sessions.touch(&KIM, NOW, again.plus_s(2 + 99)));
    }

    /// The server was started again in a freeze that lasted for longer than a session may idle.
    #[test]
    fn a_start_in_a_freeze_ends_nobodys_session() {
        let sessions = Sessions::new(600, NOW);
        let (before, thawed) = (NOW.plus_s(-100), NOW.plus_s(5_000));
        sessions.freeze(Some(NOW.plus_s(-50)), NOW);
        assert!(sessions.touch(&LEE, before, NOW.plus_s(4_000)));
        sessions.freeze(None, thawed);
        assert!(sessions.touch(&KIM, before, thawed.plus_s(599)));
        assert!(!sessions.touch(&PersonKey([3; 16]), before, thawed.plus_s(600)));
    }

    /// It had given its place away, and was in again beside whoever had it.
    #[test]
    fn a_session_that_idled_out_stays_so_when_sessions_may_idle_for_longer() {
        let sessions = Sessions::new(60, NOW);
        sessions.begin(KIM, NOW, true);
        sessions.sweep(NOW.plus_s(60));
        sessions.set_idle_s(600);
        assert!(!sessions.touch(&KIM, NOW, NOW.plus_s(61)));
        assert_eq!(sessions.admit(KIM, PLACE, NOW.plus_s(61), |_| false), None);
        assert_eq!(sessions.active(), 0);
    }

    /// Whoever was in by an opening that ended a moment ago was called in the next line, and was
    /// late at once: the turn that was kept for them was taken for used.
    #[test]
    fn a_session_by_another_place_has_not_used_the_turn_of_this_one() {
        let sessions = Sessions::new(60, NOW);
        sessions.admit(KIM, PLACE, NOW, |_| true).unwrap();
        let later = NOW.plus_s(61);
        let other = PLACE + 1;
        assert_eq!(sessions.admit(KIM, PLACE, later, |first| first), None);
        assert_eq!(
            sessions.admit(KIM, other, later, |first| first),
            Some(later)
        );
    }

    #[test]
    fn a_person_on_two_devices_or_again_comes_once_by_one_call() {
        let sessions = Sessions::new(600, NOW);
        assert_eq!(sessions.admit(KIM, PLACE, NOW, |_| false), None);
        assert_eq!(sessions.active(), 0);
        assert_eq!(sessions.admit(KIM, PLACE, NOW, |first| first), Some(NOW));
        let shared = sessions.admit(KIM, PLACE, NOW.plus_s(1), |_| panic!("is in"));
        assert_eq!(shared, Some(NOW));
        assert_eq!(sessions.active(), 1);
        let after = NOW.plus_s(602);
        sessions.sweep(after);
        assert_eq!(sessions.active(), 0);
        assert_eq!(
            sessions.admit(KIM, PLACE, after, |first| !first),
            Some(after)
        );
        assert_eq!(sessions.active(), 1);
    }

    /// A token of a session that had idled out answered again after its owner had signed in on
    /// another device.
    #[test]
    fn a_session_that_ended_stays_ended_when_another_begins() {
        let sessions = Sessions::new(600, NOW);
        let first = sessions.admit(KIM, PLACE, NOW, |_| true).unwrap();
        let later = NOW.plus_s(601);
        let second = sessions.admit(KIM, PLACE, later, |_| true).unwrap();
        assert!(!sessions.touch(&KIM, first, later));
        assert!(sessions.touch(&KIM, second, later));
        // The person comes in past the line as the owner of a booking, after the table has
        // forgotten them.
        let owners = later.plus_s(601);
        let third = sessions.begin(KIM, owners, false);
        assert!(!sessions.touch(&KIM, second, owners));
        assert!(sessions.touch(&KIM, third, owners));
        sessions.sweep(owners.plus_s(600 + REMEMBERED_S));
        let last = owners.plus_s(600 + REMEMBERED_S);
        for ended in [first, second, third] {
            assert!(!sessions.touch(&KIM, ended, last));
        }
    }

    #[test]
    fn a_session_ends_after_twelve_hours_however_busy() {
        let sessions = Sessions::new(600, NOW);
        let first = sessions.admit(KIM, PLACE, NOW, |_| true).unwrap();
        let mut now = NOW;
        while now.plus_s(500) < NOW.plus_s(SESSION_S_MAX) {
            now = now.plus_s(500);
            assert!(sessions.touch(&KIM, first, now));
        }
        assert_eq!(sessions.ends(first, now), NOW.plus_s(SESSION_S_MAX));
        let end = NOW.plus_s(SESSION_S_MAX);
        assert!(!sessions.touch(&KIM, first, end));
        assert_eq!(sessions.admit(KIM, PLACE, end, |_| true), Some(end));
        assert!(!sessions.touch(&KIM, first, end));
    }

    #[test]
    fn a_restart_ends_nobodys_session() {
        let sessions = Sessions::new(600, NOW);
        let before = NOW.plus_s(-100);
        assert!(sessions.touch(&KIM, before, NOW.plus_s(30)));
        assert_eq!(sessions.active(), 1);
        assert!(!sessions.touch(&LEE, before, NOW.plus_s(601)));
        // One more device, by its place, begins nothing new.
        let shared = sessions.admit(KIM, PLACE, NOW.plus_s(40), |_| panic!("is in"));
        assert_eq!(shared, Some(before));
        // A restart does not make a session last longer than twelve hours.
        let old = NOW.plus_s(10 - SESSION_S_MAX);
        assert!(!sessions.touch(&LEE, old, NOW.plus_s(10)));
        assert!(sessions.touch(&LEE, old, NOW.plus_s(9)));
        // The clock was set back between the two processes.
        let ahead = NOW.plus_s(3600);
        let park = PersonKey([3; 16]);
        assert!(sessions.touch(&park, ahead, NOW.plus_s(20)));
        // And has come past the time at which the session began.
        let choi = PersonKey([4; 16]);
        assert!(sessions.touch(&choi, NOW.plus_s(10), NOW.plus_s(20)));
    }

    #[test]
    fn after_a_restart_the_latest_session_from_before_goes_on_beside_a_new_one() {
        let sessions = Sessions::new(600, NOW);
        let (ended, running) = (NOW.plus_s(-5_000), NOW.plus_s(-100));
        assert!(sessions.touch(&KIM, ended, NOW.plus_s(1)));
        assert!(sessions.touch(&KIM, running, NOW.plus_s(2)));
        assert!(!sessions.touch(&KIM, ended, NOW.plus_s(3)));
        assert!(sessions.touch(&KIM, running, NOW.plus_s(4)));
        assert_eq!(sessions.active(), 1);
        // Another device signed in first.
        let new = sessions.admit(LEE, PLACE, NOW.plus_s(1), |_| true).unwrap();
        assert!(sessions.touch(&LEE, running, NOW.plus_s(2)));
        assert!(!sessions.touch(&LEE, ended, NOW.plus_s(3)));
        for now in [NOW.plus_s(500), NOW.plus_s(1_000)] {
            assert!(sessions.touch(&LEE, running, now));
            assert!(sessions.touch(&LEE, new, now));
        }
        assert_eq!(sessions.active(), 1 + 1);
    }
}
