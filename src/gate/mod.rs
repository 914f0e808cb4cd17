//! The gate: who may go in, and in which order.
//!
//! A person who enters gets the next number of the line, once; numbers up to `serving` may go in.
//! `domain::line` is what the journal knows of the line. This module holds what is newer: numbers
//! that were given since the keeper last journalled them, and how far the line is served.
//!
//! A number comes from a lease that is already durable, so it is never given twice. After a crash
//! the journal does not know who had the numbers of the last tenth of a second. The tokens of these
//! people do: a token brings its number back (`Gate::look`).

pub mod admission;
pub mod board;
pub mod drawn;
pub mod ended;
pub mod hours;
pub mod memory;
pub mod outlook;
pub mod sessions;
pub mod step;
pub mod token;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use crate::domain::campaign::GateRules;
use crate::domain::ids::PersonKey;
use crate::domain::line::{DRAWS_MAX, Given, Line};
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;
use crate::sync::{locked, read_locked, try_locked, write_locked};
use admission::Admission;
use arc_swap::ArcSwap;
use board::Board;
use drawn::Drawn;
use outlook::WaitBecause;
use sessions::Sessions;

/// Locks that the fresh numbers are spread over.
const SHARDS: usize = 64;
/// A token may have been issued this long before its number was leased, because its stamp is the
/// time at which its request began.
const LEASED_SLACK_S: i64 = 2;
/// A request calls the next people itself, without waiting for the keeper, if its person has at
/// most this many seconds of people in front of them.
const CALL_AT_ONCE_S: u64 = 2;

/// A campaign's gate.
#[derive(Debug)]
pub struct Gate {
    pub sessions: Sessions,
    pub admission: Admission,
    /// The next number, and the end of the lease it comes from.
    next: AtomicU64,
    leased_until: AtomicU64,
    serving: AtomicU64,
    /// Held while people are called: only one thread calls at a time.
    calling: Mutex<()>,
    /// Numbers that were given and are not in the journal yet.
    fresh: Box<[Mutex<Fresh>]>,
    fresh_highest: AtomicU64,
    /// What anyone may know, as bytes that are the same for everybody.
    pub board: ArcSwap<Board>,
    /// The finished draws, by their position in the line.
    drawn: RwLock<Vec<Option<Arc<Drawn>>>>,
    /// Whether each draw takes no more people, by its position in the line. It never opens again.
    closed: Box<[AtomicBool]>,
    /// Nobody above this number is called before `held_until`. These people came while a lobby was
    /// open, and the people of that lobby are among them.
    hold: AtomicU64,
    held_until: AtomicI64,
    /// The server's time stands still until then; the board says so.
    stands_still_until: AtomicI64,
}

type Fresh = HashMap<PersonKey, Given, KeyHash>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceState {
    Lobby,
    Waiting,
    Admitted,
}

/// A person's position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub state: PlaceState,
    /// The number by which the person is called.
    pub number: u64,
    /// What their token carries: the same number unless a draw gave them another.
    pub given: Given,
    pub ahead: u64,
    /// The wait, as a range; in a pause it counts from when the line goes on.
    pub wait_s: [u64; 2],
    /// Why the wait is longer than people were told before.
    pub wait_because: Option<WaitBecause>,
    pub next_poll_s: u32,
}

/// How a person comes in: into the lobby of a draw, into another lobby, or into the open line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Lobby {
        draw: Option<usize>,
        opens: Stamp,
    },
    Open,
    /// To look after their own booking or hold: at any time, past the line.
    Owner,
}

impl Way {
    fn draw(self) -> Option<usize> {
        match self {
            Self::Lobby { draw, .. } => draw,
            Self::Open | Self::Owner => None,
        }
    }
}

impl Gate {
    /// A gate as the journal left it.
    pub fn new(rules: &GateRules, line: &Line, now: Stamp) -> Self {
        let leased_until = line.leased_until();
        let is_drawn = |draw: usize| line.draws.get(draw).is_some_and(|draw| draw.seed.is_some());
        Self {
            sessions: Sessions::new(rules.session_idle_s, now),
            admission: Admission::new(rules, line, now),
            next: AtomicU64::new(leased_until + 1),
            leased_until: AtomicU64::new(leased_until),
            serving: AtomicU64::new(line.serving),
            calling: Mutex::default(),
            fresh: (0..SHARDS).map(|_| Mutex::default()).collect(),
            fresh_highest: AtomicU64::new(0),
            board: ArcSwap::from_pointee(Board::default()),
            drawn: RwLock::default(),
            closed: (0..DRAWS_MAX).map(|draw| is_drawn(draw).into()).collect(),
            hold: AtomicU64::new(u64::MAX),
            held_until: AtomicI64::new(0),
            stands_still_until: AtomicI64::new(i64::MIN),
        }
    }

    /// Makes the board say that the server's time stands still until then; none when it does not.
    pub fn stand_still_until(&self, until: Option<Stamp>) {
        let until = until.map_or(i64::MIN, |until| until.0);
        self.stands_still_until.store(until, Ordering::Relaxed);
    }

    fn shard(&self, person: &PersonKey) -> MutexGuard<'_, Fresh> {
        let shard = &self.fresh[usize::from(person.0[0]) % SHARDS];
        locked(shard)
    }

    /// The person's place: the one they have, or a new one at the end of the line. None while no
    /// number is leased.
    pub fn enter(&self, line: &Line, person: PersonKey, way: Way, now: Stamp) -> Option<Place> {
        let given = match self.known(line, &person) {
            Some(given) => given,
            None => self.give(person, way)?,
        };
        Some(self.place(line, person, given, way, now))
    }

    /// The place of a person whose token carries the number `claimed`.
    ///
    /// A token counts even if the journal does not know its number, because the journal forgets
    /// the numbers of the last moment before a crash. If the journal knows another number of the
    /// same person, the lower one counts; but a number that was drawn by lot always counts.
    pub fn look(
        &self,
        line: &Line,
        person: PersonKey,
        claimed: Given,
        issued: Stamp,
        way: Way,
        now: Stamp,
    ) -> Place {
        let known = self.known(line, &person);
        let given = if Self::is_of_this_journal(line, claimed, issued) {
            let counts =
                |known: &Given| line.is_drawn(*known) || known.number() <= claimed.number();
            let known = known.filter(counts);
            known.unwrap_or_else(|| self.restore(line, person, claimed))
        } else {
            // As if the person came without a token. While no number is leased, they are shown
            // the one of their token.
            let known = known.or_else(|| self.give(person, way));
            known.unwrap_or(claimed)
        };
        self.place(line, person, given, way, now)
    }

    /// Whether a token's number was given by this journal. It was not if the token is older than
    /// the number's lease: then an older backup was restored, and another person may have the
    /// number now.
    fn is_of_this_journal(line: &Line, claimed: Given, issued: Stamp) -> bool {
        let since = line.leased_since(claimed.number());
        since.is_some_and(|since| issued >= since.plus_s(-LEASED_SLACK_S))
    }

    /// Gives a person the number of their token back, and returns the number that counts for them
    /// from now on. The number takes part in its draw only while the draw's lobby is open.
    fn restore(&self, line: &Line, person: PersonKey, claimed: Given) -> Given {
        let mut fresh = self.shard(&person);
        let may_be_drawn = |draw: &usize| *draw < line.draws.len() && !line.is_drawn(claimed);
        let draw = claimed.draw().filter(may_be_drawn);
        let given = Given::new(claimed.number(), self.still_open(draw));
        match fresh.get(&person) {
            // Another device of the same person has shown a lower number a moment ago.
            Some(other) if other.number() <= given.number() => *other,
            _ => {
                fresh.insert(person, given);
                given
            }
        }
    }

    /// The number of a person that the journal knows, or will know after the keeper's next step.
    fn known(&self, line: &Line, person: &PersonKey) -> Option<Given> {
        let known = line.given.get(person).copied();
        if known.is_some_and(|known| line.is_drawn(known)) {
            return known;
        }
        let fresh = self.shard(person).get(person).copied();
        let by_number = |given: &Given| given.number();
        known.into_iter().chain(fresh).min_by_key(by_number)
    }

    /// Gives a person the next number, unless they were given one that is not journalled yet. None
    /// while no number is leased.
    fn give(&self, person: PersonKey, way: Way) -> Option<Given> {
        let mut fresh = self.shard(&person);
        if let Some(given) = fresh.get(&person) {
            return Some(*given);
        }
        let next =
            |next: u64| (next <= self.leased_until.load(Ordering::Acquire)).then_some(next + 1);
        let number = self
            .next
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .ok()?;
        let given = Given::new(number, self.still_open(way.draw()));
        fresh.insert(person, given);
        self.fresh_highest.fetch_max(number, Ordering::AcqRel);
        Some(given)
    }

    /// The draw, unless its lobby is closed.
    ///
    /// The caller must hold the lock of the shard into which it writes the answer. The keeper first
    /// closes the lobby and then takes each of these locks, so it finds everybody who is in the
    /// draw. A person who was journalled into the draw after its seed would contradict the
    /// journal, and the journal could not be read again.
    fn still_open(&self, draw: Option<usize>) -> Option<usize> {
        draw.filter(|draw| !self.closed[*draw].load(Ordering::Acquire))
    }

    /// Lets the person in if they may go in now. Returns when their session began.
    pub fn admit(&self, person: PersonKey, way: Way, place: &Place, now: Stamp) -> Option<Stamp> {
        if way == Way::Owner {
            let counts = self.sessions.counts(&person);
            return Some(self.sessions.begin(person, now, counts));
        }
        if place.state != PlaceState::Admitted {
            return None;
        }
        self.sessions.admit(person, now, |first| {
            // The person is counted as active already.
            let others = self.sessions.active() - 1;
            let number = place.number;
            self.admission.come(person, number, first, others, now)
        })
    }

    /// How many people wait, with those whom the journal does not know yet.
    pub fn waiting(&self, line: &Line) -> u64 {
        line.waiting(self.serving(), self.newest())
    }

    pub fn serving(&self) -> u64 {
        self.serving.load(Ordering::Acquire)
    }

    /// The number by which a person is called: their own, or the one they drew.
    fn turn(&self, line: &Line, person: &PersonKey, given: Given) -> Option<u64> {
        let Some(draw) = given.draw() else {
            return Some(given.number());
        };
        let drawn = read_locked(&self.drawn);
        let drawn = drawn.get(draw)?.as_ref()?;
        let seed = line.draws.get(draw)?.seed?;
        Some(drawn.number(&seed, person).unwrap_or(given.number()))
    }

    /// Everything that a person with this number is told. Calls the next people first if there is
    /// room, so that the person need not wait for the keeper.
    fn place(&self, line: &Line, person: PersonKey, given: Given, way: Way, now: Stamp) -> Place {
        let turn = self.turn(line, &person, given);
        self.call_at_once(line, turn, way, now);
        let serving = self.serving();
        let number = turn.unwrap_or(given.number());
        let state = match (way, turn) {
            (Way::Owner, _) => PlaceState::Admitted,
            (Way::Lobby { .. }, _) | (Way::Open, None) => PlaceState::Lobby,
            (Way::Open, Some(turn)) if turn <= serving => PlaceState::Admitted,
            (Way::Open, Some(_)) => PlaceState::Waiting,
        };
        let outlook = self.admission.outlook();
        let (newest, after_s) = (self.newest(), self.after_s(number, way, now));
        let before = |number: u64| {
            let from_here = line.waiting(number.max(serving + 1) - 1, newest);
            line.waiting(serving, newest).saturating_sub(from_here)
        };
        let lot = person.0[15];
        let (ahead, wait_s, next_poll_s) = match (state, turn) {
            (PlaceState::Admitted, _) => (0, outlook.wait_s(0, 0), outlook.called_poll_s(lot)),
            // Their number is not drawn yet. They may become the first or the last of all people
            // who will be there at the opening, if people go on coming as they do.
            (_, None) => {
                let all = line.waiting(serving, newest) + self.admission.coming(after_s);
                let wait_s = [after_s, outlook.wait_s(all, after_s)[1]];
                let next_poll_s = outlook.drawn_poll_s(number, after_s, now);
                (before(number), wait_s, next_poll_s)
            }
            (_, Some(_)) => {
                let ahead = before(number);
                let next_poll_s = outlook.poll_s(given.number(), ahead, after_s, lot, now);
                (ahead, outlook.wait_s(ahead, after_s), next_poll_s)
            }
        };
        let waits = state != PlaceState::Admitted;
        Place {
            state,
            number,
            given,
            ahead,
            wait_s,
            wait_because: outlook.because.filter(|_| waits),
            next_poll_s,
        }
    }

    /// Calls the next people if this person is near the front. While there is room, nobody waits
    /// for the keeper's next step.
    fn call_at_once(&self, line: &Line, turn: Option<u64>, way: Way, now: Stamp) {
        let soon = u64::from(self.admission.admit_per_s()) * CALL_AT_ONCE_S;
        let serving = self.serving();
        let is_near = |turn: u64| turn > serving && turn - serving <= soon;
        if way == Way::Open
            && line.pause.is_none()
            && turn.is_some_and(is_near)
            && let Some(_one) = try_locked(&self.calling)
        {
            self.call_next(line, true, now);
        }
    }

    /// Seconds until the line moves for a person: until their opening, or, if they came while a
    /// lobby was open, until the opening of that lobby.
    fn after_s(&self, number: u64, way: Way, now: Stamp) -> u64 {
        let held_until = if number > self.hold.load(Ordering::Acquire) {
            self.held_until.load(Ordering::Acquire)
        } else {
            0
        };
        let opens = match way {
            Way::Lobby { opens, .. } => opens.0,
            Way::Open | Way::Owner => 0,
        };
        let after_ns = opens.max(held_until).saturating_sub(now.0).max(0);
        (after_ns as u64).div_ceil(Stamp::SECOND as u64)
    }

    /// Begins to use a lease that is durable now.
    pub fn leased(&self, until: u64) {
        self.leased_until.fetch_max(until, Ordering::AcqRel);
    }

    /// Whether this process has leased no number yet.
    pub fn has_leased_nothing(&self) -> bool {
        self.next.load(Ordering::Acquire) > self.leased_until.load(Ordering::Acquire)
            && self.newest() == 0
    }

    /// Numbers that can still be given.
    pub fn leased_left(&self) -> u64 {
        let until = self.leased_until.load(Ordering::Acquire) + 1;
        until.saturating_sub(self.next.load(Ordering::Acquire))
    }

    /// All numbers that are not in the journal yet, in ascending order.
    pub fn fresh(&self) -> Vec<(PersonKey, Given)> {
        let mut all = Vec::new();
        for shard in &self.fresh {
            let shard = locked(shard);
            all.extend(shard.iter().map(|(person, given)| (*person, *given)));
        }
        all.sort_unstable_by_key(|(_, given)| given.number());
        all
    }

    /// Forgets numbers that are in the journal now.
    pub fn journalled(&self, places: &[(PersonKey, Given)]) {
        for (person, given) in places {
            let mut shard = self.shard(person);
            if shard.get(person) == Some(given) {
                shard.remove(person);
            }
        }
    }

    /// Closes the lobby of a draw for good. A person who enters from now on comes after its people,
    /// even if their request began before.
    pub fn close_lobby(&self, draw: usize) {
        self.closed[draw].store(true, Ordering::Release);
    }

    /// Calls nobody above this number before this time. With none, everybody is called in turn.
    pub fn set_hold(&self, held: Option<(u64, Stamp)>) {
        let (number, until) = held.unwrap_or((u64::MAX, Stamp(0)));
        self.held_until.store(until.0, Ordering::Release);
        self.hold.store(number, Ordering::Release);
    }

    /// Publishes a finished draw.
    pub fn set_drawn(&self, draw: usize, drawn: Drawn) {
        let mut all = write_locked(&self.drawn);
        if all.len() <= draw {
            all.resize_with(draw + 1, || None);
        }
        all[draw] = Some(Arc::new(drawn));
    }

    pub fn is_drawn(&self, draw: usize) -> bool {
        let all = read_locked(&self.drawn);
        all.get(draw).is_some_and(Option::is_some)
    }

    /// Calls as many people as the admission allows. Returns the number that is served now.
    pub fn call(&self, line: &Line, open: bool, now: Stamp) -> u64 {
        let _one = locked(&self.calling);
        self.call_next(line, open, now)
    }

    fn call_next(&self, line: &Line, open: bool, now: Stamp) -> u64 {
        let (serving, newest) = (self.serving(), self.newest());
        let hold = self.hold.load(Ordering::Acquire).max(serving);
        let waiting = line.waiting(serving, newest);
        let waiting = if newest.max(line.leased_until()) <= hold {
            waiting
        } else {
            waiting - line.waiting(hold, newest)
        };
        let active = self.sessions.active();
        let people = self.admission.allowed(active, open, waiting, now);
        let next = line.advance(serving, newest, people);
        if next > serving {
            self.admission.called(serving, next, people, now);
            self.serving.store(next, Ordering::Release);
        }
        next
    }

    /// The last number that was given.
    pub fn newest(&self) -> u64 {
        self.fresh_highest.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests;
