//! The line of an evening: who had which number when, when it was called, and what was told.
//!
//! Keeps sixteen bytes for a person. Order matters only by stamps, so it can be asked for figures
//! after the line was emptied.

use super::figures::{Numbers, Spread, Waits};
use crate::domain::ids::PersonKey;
use crate::domain::line::told::Told;
use crate::domain::line::{Given, Line, lot};
use crate::domain::state::State;
use crate::domain::time::Stamp;

/// The number served is journalled once a second, behind the commits that are on their way: who
/// held or booked so long before it was called by the entries was called.
const CALL_WRITTEN_S: i64 = 5;
/// What was told is looked up in the entries so long before and after.
const TOLD_NEAR_S: i64 = 90;

/// A number that somebody had.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Had {
    number: u32,
    /// Tenths of a second since the first.
    tenths: u32,
    /// The first eight bytes of the person's key.
    mark: u64,
}

/// Somebody's first hold or booking by themselves.
struct Early {
    person: PersonKey,
    turn: u64,
    at: Stamp,
}

/// What is known of a line.
#[derive(Default)]
pub(super) struct LineRecord {
    first_at: Option<Stamp>,
    had: Vec<Had>,
    /// Numbers that were called, by when: the number rises.
    served: Vec<(Stamp, u64)>,
    went_back: u64,
    pub told: Vec<(Stamp, Told)>,
    /// The number that was given and the number that was drawn, of the people of a draw.
    drawn: Vec<(u32, u32)>,
    pauses: Vec<(Stamp, Option<Stamp>)>,
    acted: u64,
    acted_without_number: u64,
    early: Vec<Early>,
    call_to_act_s: Vec<u32>,
}

/// The figures of a line, and what its minutes are made of.
pub(super) struct LineFigures {
    pub numbers: Numbers,
    pub waits: Waits,
    /// When each number was given, in order of time.
    pub given_at: Vec<Stamp>,
    /// The same with the wait in seconds, of those who were called.
    pub had_s: Vec<(Stamp, u32)>,
    /// All numbers, ascending.
    sorted: Vec<u32>,
    served: Vec<(Stamp, u64)>,
}

fn mark_of(person: &PersonKey) -> u64 {
    let head = person.0.first_chunk().expect("a key has 16 bytes");
    u64::from_be_bytes(*head)
}

impl LineRecord {
    pub fn give(&mut self, at: Stamp, places: &[(PersonKey, Given)]) {
        let first = *self.first_at.get_or_insert(at);
        let tenths = (at.0 - first.0) / (Stamp::SECOND / 10);
        let tenths = u32::try_from(tenths).unwrap_or(u32::MAX);
        self.had.extend(places.iter().map(|(person, given)| Had {
            number: given.number() as u32,
            tenths,
            mark: mark_of(person),
        }));
    }

    pub fn has_numbers(&self) -> bool {
        !self.had.is_empty()
    }

    pub fn serve(&mut self, at: Stamp, serving: u64) {
        let before = self.served.last().map_or(0, |(_, serving)| *serving);
        if serving < before {
            self.went_back += 1;
        } else {
            self.served.push((at, serving));
        }
    }

    /// Notes the numbers of a draw: its seed was shown just now.
    pub fn draw(&mut self, line: &Line) {
        let by = line.drawn_by().unwrap_or_default();
        let members = line.given.iter().filter(|(_, given)| given.in_draw());
        let with_lot = |(person, given): (&PersonKey, &Given)| {
            (lot(&by, person), *person, given.number() as u32)
        };
        let mut members: Vec<_> = members.map(with_lot).collect();
        let mut numbers: Vec<u32> = members.iter().map(|(.., number)| *number).collect();
        members.sort_unstable();
        numbers.sort_unstable();
        let given = members.into_iter().map(|(.., number)| number);
        self.drawn = given.zip(numbers).collect();
        self.drawn.sort_unstable();
    }

    pub fn pause(&mut self, at: Stamp) {
        if self.pauses.last().is_none_or(|(_, until)| until.is_some()) {
            self.pauses.push((at, None));
        }
    }

    pub fn resume(&mut self, at: Stamp) {
        if let Some((_, until @ None)) = self.pauses.last_mut() {
            *until = Some(at);
        }
    }

    /// The number by which somebody with this number is called.
    fn turn(&self, number: u32) -> u32 {
        let at = self
            .drawn
            .binary_search_by_key(&number, |(given, _)| *given);
        at.map_or(number, |at| self.drawn[at].1)
    }

    fn called_at(served: &[(Stamp, u64)], turn: u64) -> Option<Stamp> {
        let at = served.partition_point(|(_, serving)| *serving < turn);
        served.get(at).map(|(at, _)| *at)
    }

    /// Notes the first hold or booking of somebody by themselves.
    pub fn act(&mut self, at: Stamp, person: PersonKey, given: Option<Given>) {
        let Some(given) = given else {
            self.acted_without_number += 1;
            return;
        };
        self.acted += 1;
        let turn = u64::from(self.turn(given.number() as u32));
        match Self::called_at(&self.served, turn) {
            Some(called) => {
                let seconds = (at.0 - called.0) / Stamp::SECOND;
                self.call_to_act_s.push(seconds.max(0) as u32);
            }
            None => self.early.push(Early { person, turn, at }),
        }
    }

    /// How many held or booked before their number was called, and had no other way in: no booking
    /// from before. A call of the last moment before a crash is not in the entries; `last_signs`
    /// are the last entries before each start.
    fn acted_before_call(&mut self, state: &State, last_signs: &[Stamp]) -> u64 {
        let served = &self.served;
        self.early.retain(|early| {
            let written = early.at.plus_s(CALL_WRITTEN_S);
            let called = Self::called_at(served, early.turn);
            let lost = |sign: &Stamp| early.at <= *sign && *sign <= written;
            called.is_none_or(|called| called > written) && !last_signs.iter().any(lost)
        });
        if self.early.is_empty() {
            return 0;
        }
        let bookings = state
            .campaigns
            .iter()
            .flat_map(|known| known.bookings.iter());
        for booking in bookings {
            let owned =
                |early: &Early| early.person == booking.person && booking.booked_at < early.at;
            self.early.retain(|early| !owned(early));
        }
        self.early.len() as u64
    }

    /// All figures. `opens` is the opening, `state` that of the end of the evening, `last_signs`
    /// the last entries before each start.
    pub fn figures(
        mut self,
        opens: Stamp,
        state: &State,
        last_signs: &[Stamp],
        told_at: &dyn Fn(Stamp) -> String,
    ) -> LineFigures {
        let mut numbers = Numbers {
            acted_before_call: self.acted_before_call(state, last_signs),
            acted: self.acted,
            acted_without_number: self.acted_without_number,
            call_to_act_s: Spread::of(&mut self.call_to_act_s),
            serving_went_back: self.went_back,
            serving: self.served.last().map_or(0, |(_, serving)| *serving),
            late_most: self
                .told
                .iter()
                .map(|(_, told)| told.late)
                .max()
                .unwrap_or(0),
            ..Numbers::default()
        };
        let mut marks: Vec<u64> = self.had.iter().map(|had| had.mark).collect();
        marks.sort_unstable();
        marks.dedup();
        numbers.people = marks.len() as u64;
        drop(marks);
        self.had.sort_unstable();
        let differ = |[one, other]: &[Had; 2]| one.number == other.number && one.mark != other.mark;
        numbers.twice = self.had.array_windows().filter(|two| differ(two)).count() as u64;
        self.had.dedup_by_key(|had| had.number);
        let first_at = self.first_at.unwrap_or_default();
        let at = |had: &Had| Stamp(first_at.0 + i64::from(had.tenths) * (Stamp::SECOND / 10));
        numbers.given = self.had.len() as u64;
        numbers.highest = self.had.last().map_or(0, |had| u64::from(had.number));
        numbers.never_given = numbers.highest - numbers.given;
        let early = self.had.iter().filter(|had| at(had) < opens).count() as u64;
        numbers.before_opening = early;
        numbers.after_opening = numbers.given - early;
        let mut given_at: Vec<Stamp> = self.had.iter().map(at).collect();
        given_at.sort_unstable();
        numbers.first_at = given_at.first().map(|at| told_at(*at));
        numbers.last_at = given_at.last().map(|at| told_at(*at));
        let waits = self.waits(opens, &at);
        numbers.called = waits.0.had_s.count;
        numbers.never_called = numbers.given - numbers.called;
        LineFigures {
            numbers,
            waits: waits.0,
            given_at,
            had_s: waits.1,
            sorted: self.had.iter().map(|had| had.number).collect(),
            served: self.served,
        }
    }

    fn waits(&self, opens: Stamp, at: &dyn Fn(&Had) -> Stamp) -> (Waits, Vec<(Stamp, u32)>) {
        let mut waits = Waits::default();
        let (mut had_s, mut running_s) = (Vec::new(), Vec::new());
        for had in &self.had {
            let given = at(had);
            let turn = u64::from(self.turn(had.number));
            let Some(called) = Self::called_at(&self.served, turn) else {
                continue;
            };
            let whole_ns = (called.0 - given.0).max(0);
            let running_ns = whole_ns - self.paused_ns(given, called).min(whole_ns);
            let [whole, running] = [whole_ns, running_ns].map(|ns| (ns / Stamp::SECOND) as u32);
            had_s.push((given, whole));
            running_s.push(running);
            let is_told = given >= opens && !self.is_paused_at(given);
            let told = is_told.then(|| self.told_around(given)).flatten();
            let Some([least, most]) = told else {
                waits.untold += 1;
                continue;
            };
            waits.compared += 1;
            match u64::from(running) {
                had if had < least => waits.shorter += 1,
                had if had > most => waits.longer += 1,
                _ => waits.within += 1,
            }
        }
        let mut all: Vec<u32> = had_s.iter().map(|(_, seconds)| *seconds).collect();
        waits.had_s = Spread::of(&mut all);
        waits.had_without_pauses_s = Spread::of(&mut running_s);
        had_s.sort_unstable();
        (waits, had_s)
    }

    fn is_paused_at(&self, at: Stamp) -> bool {
        let covers = |(paused, resumed): &(Stamp, Option<Stamp>)| {
            *paused <= at && resumed.is_none_or(|resumed| at < resumed)
        };
        self.pauses.iter().any(covers)
    }

    fn paused_ns(&self, from: Stamp, until: Stamp) -> i64 {
        let overlap = |(paused, resumed): &(Stamp, Option<Stamp>)| {
            let end = resumed.unwrap_or(until).min(until);
            (end.0 - from.max(*paused).0).max(0)
        };
        self.pauses.iter().map(overlap).sum()
    }

    /// What people who came at that time were told: around the entries before and after it.
    fn told_around(&self, at: Stamp) -> Option<[u64; 2]> {
        let next = self.told.partition_point(|(told, _)| *told < at);
        let before = next.checked_sub(1).map(|before| &self.told[before]);
        let near = |told: &&(Stamp, Told)| (told.0.0 - at.0).abs() <= TOLD_NEAR_S * Stamp::SECOND;
        let all = before.into_iter().chain(self.told.get(next)).filter(near);
        let waits = all.map(|(_, told)| told.wait_s);
        waits.reduce(|one, other| [one[0].min(other[0]), one[1].max(other[1])])
    }
}

impl LineFigures {
    /// The last number called by then.
    pub fn serving(&self, at: Stamp) -> u64 {
        let behind = self.served.partition_point(|(served, _)| *served < at);
        behind.checked_sub(1).map_or(0, |last| self.served[last].1)
    }

    /// Numbers that were given before then, and those that were not called by then.
    pub fn given_and_waiting(&self, at: Stamp) -> (u64, u64) {
        let given = self.given_at.partition_point(|given| *given < at) as u64;
        let serving = self.serving(at);
        let called = self
            .sorted
            .partition_point(|number| u64::from(*number) <= serving) as u64;
        (given, given.saturating_sub(called))
    }
}
