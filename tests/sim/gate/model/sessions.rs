//! Who is in, by a time that stands still while sessions are frozen.

use std::collections::{HashMap, HashSet};

use sumun::domain::ids::PersonKey;
use sumun::domain::time::Stamp;

#[derive(Clone, Debug)]
struct Session {
    /// When the session began whose token the person has.
    began: Stamp,
    /// When it was last used, by the time of sessions.
    seen_ns: i64,
    /// It ran when the process died that began it, and was not used since.
    is_from_before: bool,
    has_ended: bool,
}

#[derive(Clone, Debug)]
pub struct Sessions {
    all: HashMap<PersonKey, Session>,
    /// Who has one of the places.
    counted: HashSet<PersonKey>,
    idle_s: i64,
    now_ns: i64,
    started_ns: i64,
    pub is_frozen: bool,
}

impl Sessions {
    pub fn new(idle_s: i64) -> Self {
        Self {
            all: HashMap::new(),
            counted: HashSet::new(),
            idle_s,
            now_ns: 0,
            started_ns: 0,
            is_frozen: false,
        }
    }

    pub fn set_idle_s(&mut self, idle_s: i64) {
        self.idle_s = idle_s;
    }

    pub fn pass(&mut self, ns: i64) {
        if !self.is_frozen {
            self.now_ns += ns;
        }
    }

    pub fn counted(&self) -> u64 {
        self.counted.len() as u64
    }

    pub fn counts(&self, key: &PersonKey) -> bool {
        self.counted.contains(key)
    }

    pub fn everybody(&self) -> impl Iterator<Item = PersonKey> {
        self.counted.iter().copied()
    }

    /// When the session began whose token the person has.
    pub fn began(&self, key: &PersonKey) -> Option<Stamp> {
        self.all.get(key).map(|session| session.began)
    }

    fn is_alive(&self, session: &Session) -> bool {
        !session.has_ended && self.now_ns < session.seen_ns + self.idle_s * Stamp::SECOND
    }

    /// Whether a session of this life goes on.
    pub fn runs(&self, key: &PersonKey) -> bool {
        let session = self.all.get(key);
        session.is_some_and(|session| !session.is_from_before && self.is_alive(session))
    }

    /// Whether the person's session is one of before the start, which goes on when it is used.
    pub fn goes_on(&self, key: &PersonKey) -> bool {
        let is_soon = self.now_ns < self.started_ns + self.idle_s * Stamp::SECOND;
        let session = self.all.get(key);
        session.is_some_and(|session| session.is_from_before && !session.has_ended && is_soon)
    }

    /// Somebody came in, or another device of theirs did.
    pub fn came(&mut self, key: PersonKey, began: Stamp) {
        let was_in = self.runs(&key);
        let known = self.all.get(&key).map(|session| session.began);
        assert!(
            !was_in || known == Some(began),
            "{key} has two sessions at a time"
        );
        let session = Session {
            began,
            seen_ns: self.now_ns,
            is_from_before: false,
            has_ended: false,
        };
        self.all.insert(key, session);
        self.counted.insert(key);
    }

    /// A session was used; whether it is one of before the start that counts again.
    pub fn used(&mut self, key: PersonKey) -> bool {
        let now_ns = self.now_ns;
        if let Some(session) = self.all.get_mut(&key) {
            session.seen_ns = now_ns;
            session.is_from_before = false;
        }
        self.counted.insert(key)
    }

    /// The person's session is over, and stays so.
    pub fn ended(&mut self, key: &PersonKey) {
        self.counted.remove(key);
        if let Some(session) = self.all.get_mut(key) {
            session.has_ended = true;
        }
    }

    /// The person has booked.
    pub fn settled(&mut self, key: &PersonKey) {
        self.counted.remove(key);
    }

    /// Ends the sessions that have idled too long; how many.
    pub fn sweep(&mut self) -> usize {
        let over: Vec<_> = self.everybody().filter(|key| !self.runs(key)).collect();
        over.iter().for_each(|key| self.ended(key));
        over.len()
    }

    /// The process died: what ran goes on when it is used within one idle time.
    pub fn crashed(&mut self) {
        let ran = self.all.keys().filter(|key| self.runs(key)).copied();
        let ran: HashSet<_> = ran.collect();
        for (key, session) in &mut self.all {
            session.has_ended |= !session.is_from_before && !ran.contains(key);
            session.is_from_before = true;
        }
        self.counted.clear();
        self.started_ns = self.now_ns;
    }
}
