//! A line in use: what is newer than what the journal knows of it.
//!
//! A number comes from a lease that is already durable, so it is never given twice. After a crash
//! the journal does not know who had the numbers of the last tenth of a second. The tokens of these
//! people do: a token brings its number back (`InLine::look`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwapOption;

use super::admission::{Admission, Limits};
use super::drawn::Drawn;
use super::{Gate, Place, PlaceState, Way};
use crate::domain::ids::{LineIndex, PersonKey};
use crate::domain::line::told::Told;
use crate::domain::line::{GateSettings, Given, Line, Ticket};
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;
use crate::sync::{locked, try_locked};

/// Locks that the fresh numbers are spread over.
const SHARDS: usize = 64;
/// A token may have been issued this long before its number was leased, because its stamp is the
/// time at which its request began.
const LEASED_SLACK_S: i64 = 2;
/// A request calls the next people itself, without waiting for the keeper, if its person has at
/// most this many seconds of people in front of them.
const CALL_AT_ONCE_S: u64 = 2;

/// The line of an opening, as far as it is newer than the journal.
#[derive(Debug)]
pub struct LiveLine {
    pub admission: Admission,
    /// The next number, and the end of the lease it comes from.
    next: AtomicU64,
    leased_until: AtomicU64,
    serving: AtomicU64,
    /// Numbers that were given and are not in the journal yet.
    fresh: Box<[Mutex<Fresh>]>,
    fresh_highest: AtomicU64,
    /// The finished draw.
    drawn: ArcSwapOption<Drawn>,
    /// Whether the draw takes no more people. It never opens again.
    closed: AtomicBool,
    /// Whether the line gives no numbers because it is about to be emptied.
    is_ending: AtomicBool,
}

type Fresh = HashMap<PersonKey, Given, KeyHash>;

impl LiveLine {
    /// A line as the journal left it.
    pub fn new(limits: &Arc<Limits>, line: &Line, now: Stamp) -> Self {
        let leased_until = line.leased_until();
        Self {
            admission: Admission::new(limits, line, now),
            next: AtomicU64::new(leased_until + 1),
            leased_until: AtomicU64::new(leased_until),
            serving: AtomicU64::new(line.serving),
            fresh: (0..SHARDS).map(|_| Mutex::default()).collect(),
            fresh_highest: AtomicU64::new(0),
            drawn: ArcSwapOption::empty(),
            closed: line.drawn_by().is_some().into(),
            is_ending: AtomicBool::new(false),
        }
    }

    fn shard(&self, person: &PersonKey) -> MutexGuard<'_, Fresh> {
        let shard = &self.fresh[usize::from(person.0[0]) % SHARDS];
        locked(shard)
    }

    /// Gives a person the number of their token back, and returns the number that counts for them
    /// from now on. The number takes part in its draw only while the draw's lobby is open.
    fn restore(&self, line: &Line, person: PersonKey, claimed: Given) -> Given {
        let mut fresh = self.shard(&person);
        if self.is_ending() {
            return claimed;
        }
        let may_be_drawn = claimed.in_draw() && line.draw.is_some() && !line.is_drawn(claimed);
        let given = Given::new(claimed.number(), self.still_open(may_be_drawn));
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
    /// while no number is leased, and while the line is about to be emptied.
    fn give(&self, person: PersonKey, way: Way) -> Option<Given> {
        let mut fresh = self.shard(&person);
        if let Some(given) = fresh.get(&person) {
            return Some(*given);
        }
        if self.is_ending() {
            return None;
        }
        let next =
            |next: u64| (next <= self.leased_until.load(Ordering::Acquire)).then_some(next + 1);
        let number = self
            .next
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .ok()?;
        let given = Given::new(number, self.still_open(way.is_drawn()));
        fresh.insert(person, given);
        self.fresh_highest.fetch_max(number, Ordering::AcqRel);
        Some(given)
    }

    /// Whether somebody comes into the draw, if their way leads there: not once its lobby is
    /// closed.
    ///
    /// The caller must hold the lock of the shard into which it writes the answer. The keeper first
    /// closes the lobby and then takes each of these locks, so it finds everybody who is in the
    /// draw. A person who was journalled into the draw after its seed would contradict the
    /// journal, and the journal could not be read again.
    fn still_open(&self, is_drawn: bool) -> bool {
        is_drawn && !self.closed.load(Ordering::Acquire)
    }

    /// Gives no more numbers: the line is about to be emptied, and whoever were given one until
    /// then would lose it. Returns whether nobody has one that the journal does not know yet.
    pub fn begin_end(&self) -> bool {
        self.is_ending.store(true, Ordering::Release);
        // Takes each lock, so that whoever has seen the line go on is seen here.
        self.fresh().is_empty()
    }

    /// Goes on to give numbers: the line is not emptied after all.
    pub fn go_on(&self) {
        self.is_ending.store(false, Ordering::Release);
    }

    /// The caller must hold the lock of the shard into which it writes.
    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
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
        if !given.in_draw() {
            return Some(given.number());
        }
        let (drawn, seed) = (self.drawn.load(), line.drawn_by()?);
        let number = drawn.as_ref()?.number(&seed, person);
        Some(number.unwrap_or(given.number()))
    }

    /// Begins to use a lease that is durable now.
    pub fn leased(&self, until: u64) {
        self.leased_until.fetch_max(until, Ordering::AcqRel);
    }

    /// Whether nobody has a number, by the journal or since.
    pub fn has_nobody(&self, line: &Line) -> bool {
        line.newest().max(self.newest()) == 0
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

    /// Closes the lobby of the draw for good. A person who enters from now on comes after its
    /// people, even if their request began before.
    pub fn close_lobby(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Publishes the finished draw.
    pub fn set_drawn(&self, drawn: Drawn) {
        self.drawn.store(Some(Arc::new(drawn)));
    }

    /// Whether its people have no number to be called by yet: their lots are not drawn.
    fn draws(&self, line: &Line) -> bool {
        let is_by_lobby = line.draw.is_some() && line.windows.is_empty();
        is_by_lobby && !self.is_drawn()
    }

    pub fn is_drawn(&self) -> bool {
        self.drawn.load().is_some()
    }

    /// The last number that was given by this process.
    pub fn newest(&self) -> u64 {
        self.fresh_highest.load(Ordering::Acquire)
    }

    /// Calls as many of the people who wait as the admission allows; `active` are in session.
    /// Returns the number that is served now. Only one thread calls at a time.
    fn call_next(&self, line: &Line, active: u64, open: bool, now: Stamp) -> u64 {
        let (serving, newest) = (self.serving(), self.newest());
        let waiting = line.waiting(serving, newest);
        let people = self.admission.allowed(active, open, waiting, now);
        let next = line.advance(serving, newest, people);
        if next > serving {
            self.admission.called(serving, next, people, now);
            self.serving.store(next, Ordering::Release);
        }
        next
    }
}

/// A line of a gate with what the journal knows of both.
#[derive(Clone, Copy)]
pub struct InLine<'a> {
    pub gate: &'a Gate,
    pub live: &'a LiveLine,
    pub index: LineIndex,
    pub line: &'a Line,
    pub settings: &'a GateSettings,
}

impl InLine<'_> {
    /// The person's place: the one they have, or a new one at the end of the line. None while no
    /// number is leased, and for somebody who has none when the line is closed to new people.
    ///
    /// Whoever has no number and comes before their window is told the window, and has none. Nobody
    /// is given one when the opening is over.
    pub fn enter(&self, person: PersonKey, way: Way, now: Stamp) -> Option<Place> {
        let given = match self.live.known(self.line, &person) {
            Some(given) => given,
            // Nobody new comes into a line that is over.
            None if way == Way::Finishing => return None,
            None => {
                if way.is_closed() {
                    return None;
                }
                if let Way::Windows { .. } = way {
                    match self.line.window_of(&person) {
                        Some(window) if now < window.from => {
                            let place = Place::before_window(self.index, window, person, now);
                            return Some(place);
                        }
                        // The keeper plans them within milliseconds, unless the line began in
                        // another order, which it keeps.
                        None if self.has_nobody() => return None,
                        Some(_) | None => {}
                    }
                }
                self.live.give(person, way)?
            }
        };
        Some(self.place(person, given, way, now))
    }

    /// Whether nobody has a number of the line.
    pub fn has_nobody(&self) -> bool {
        self.live.has_nobody(self.line)
    }

    /// The number that the person has in this line already.
    pub fn known(&self, person: &PersonKey) -> Option<Given> {
        self.live.known(self.line, person)
    }

    /// The place of a person whose token carries the number `claimed`.
    ///
    /// A token counts even if the journal does not know its number, because the journal forgets
    /// the numbers of the last moment before a crash. If the journal knows another number of the
    /// same person, the lower one counts; but a number that was drawn by lot always counts. None
    /// where `enter` gives none and the token has no number.
    pub fn look(
        &self,
        person: PersonKey,
        claimed: Given,
        issued: Stamp,
        way: Way,
        now: Stamp,
    ) -> Option<Place> {
        let (live, line) = (self.live, self.line);
        let given = if is_of_this_journal(line, claimed, issued) {
            let known = live.known(line, &person);
            let counts =
                |known: &Given| line.is_drawn(*known) || known.number() <= claimed.number();
            let known = known.filter(counts);
            known.unwrap_or_else(|| live.restore(line, person, claimed))
        } else {
            // As if the person came without a token. While no number is leased, they are shown
            // the one of their token, unless the line is closed to new people.
            let entered = self.enter(person, way, now);
            if entered.is_some() || claimed.number() == 0 || way.is_closed() {
                return entered;
            }
            claimed
        };
        Some(self.place(person, given, way, now))
    }

    /// Calls as many people as may come now. Returns the number that is served now.
    pub fn call(&self, open: bool, now: Stamp) -> u64 {
        let _one = locked(&self.gate.calling);
        let active = self.gate.sessions.active();
        self.live.call_next(self.line, active, open, now)
    }

    /// Gives turns to those who were called and came late. Nobody is called: the opening is over.
    pub fn finish(&self, now: Stamp) {
        let _one = locked(&self.gate.calling);
        let active = self.gate.sessions.active();
        self.live.admission.allowed(active, true, 0, now);
    }

    /// What its people are told now, of whom the last has everybody else ahead of them; `after_s`
    /// is how long it takes until the line moves.
    pub fn told(&self, after_s: u64) -> Told {
        let (live, limits) = (self.live, &self.gate.limits);
        let (admission, outlook) = (&live.admission, live.admission.outlook());
        let (waiting, is_drawn) = (live.waiting(self.line), live.draws(self.line));
        let wait_s = if is_drawn {
            let all = waiting + admission.coming(after_s);
            [after_s, outlook.wait_s(all, after_s)[1]]
        } else {
            outlook.wait_s(waiting.saturating_sub(1), after_s)
        };
        let thousandths = |part: f64| (part.clamp(0.0, 1.0) * 1_000.0).round() as u16;
        Told {
            newest: self.line.newest().max(live.newest()),
            serving: live.serving(),
            waiting,
            late: admission.late(),
            active: self.gate.sessions.active(),
            wait_s,
            because: outlook.because,
            called_per_1000_s: (outlook.per_s() * 1_000.0).round() as u64,
            admit_per_s: limits.admit_per_s(),
            active_max: limits.active_max(),
            brake_permille: thousandths(limits.brake_part()),
            share_permille: thousandths(admission.share()),
        }
    }

    /// Everything that a person with this number is told. Calls the next people first if there is
    /// room, so that the person need not wait for the keeper.
    fn place(&self, person: PersonKey, given: Given, way: Way, now: Stamp) -> Place {
        let (live, line) = (self.live, self.line);
        let (way, by_windows) = (way.with_number(now), matches!(way, Way::Windows { .. }));
        let turn = live.turn(line, &person, given);
        self.call_at_once(turn, way, now);
        let serving = live.serving();
        let number = turn.unwrap_or(given.number());
        let state = match (way, turn) {
            (Way::Owner, _) => PlaceState::Admitted,
            (Way::Lobby { .. } | Way::Windows { .. } | Way::Postponed { .. }, _)
            | (Way::Open, None) => PlaceState::Lobby,
            (Way::Open | Way::Finishing, Some(turn)) if turn <= serving => PlaceState::Admitted,
            (Way::Open | Way::Finishing, _) => PlaceState::Waiting,
        };
        let outlook = live.admission.outlook();
        let (newest, after_s) = (live.newest(), way.after_s(now));
        let before = |number: u64| {
            let from_here = line.waiting(number.max(serving + 1) - 1, newest);
            line.waiting(serving, newest).saturating_sub(from_here)
        };
        let lot = person.0[15];
        let (ahead, wait_s, next_poll_s) = match (state, turn) {
            (PlaceState::Admitted, _) => (0, outlook.called_wait_s(), outlook.called_poll_s(lot)),
            // Their number is not drawn yet. They may become the first or the last of all people
            // who will be there at the opening, if people go on coming as they do.
            (_, None) => {
                let all = line.waiting(serving, newest) + live.admission.coming(after_s);
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
        let is_late = !waits && live.admission.waits_late(&person);
        let is_called = !waits && !is_late && way != Way::Owner;
        let kept_until = || live.admission.kept_until(number, &person, now);
        Place {
            state,
            number,
            ticket: Ticket {
                line: Some(self.index),
                given,
            },
            ahead,
            wait_s,
            wait_because: outlook.because.filter(|_| waits || is_late),
            next_poll_s,
            is_late,
            kept_until: is_called.then(kept_until).flatten(),
            opening: None,
            may_not_reach: None,
            window: line.window_of(&person).filter(|_| by_windows),
        }
    }

    /// Calls the next people if this person is near the front. While there is room, nobody waits
    /// for the keeper's next step.
    fn call_at_once(&self, turn: Option<u64>, way: Way, now: Stamp) {
        let soon = u64::from(self.gate.limits.admit_per_s()) * CALL_AT_ONCE_S;
        let serving = self.live.serving();
        let is_near = |turn: u64| turn > serving && turn - serving <= soon;
        if way == Way::Open
            && !self.live.admission.is_shared()
            && self.settings.pause.is_none()
            && turn.is_some_and(is_near)
            && let Some(_one) = try_locked(&self.gate.calling)
        {
            let active = self.gate.sessions.active();
            self.live.call_next(self.line, active, true, now);
        }
    }
}

/// Whether a token's number was given by this journal. It was not if the token is older than the
/// number's lease: then an older backup was restored, and another person may have the number now.
fn is_of_this_journal(line: &Line, claimed: Given, issued: Stamp) -> bool {
    let since = line.leased_since(claimed.number());
    since.is_some_and(|since| issued >= since.plus_s(-LEASED_SLACK_S))
}
