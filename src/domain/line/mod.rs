//! A line as the journal knows it: who was given which number, how far it is served and what is
//! drawn; and what operators have set at the campaign's gate.
//!
//! Each opening has a line of its own, whose numbers begin at 1. When the opening is over the line
//! is emptied: a place of it is worth nothing in the next one.
//!
//! Numbers come from leases: a range is durable before any number of it is given, so no number is
//! given twice, also after a crash. A lease that a crash cut short leaves numbers that nobody has;
//! serving skips them.

pub mod gate_act;
pub mod told;
pub mod windows;

use crate::crypto::{Sha256, sha256};
use serde::{Deserialize, Serialize};

use crate::domain::entry::GateAct;
use crate::domain::growing::Table;
use crate::domain::ids::{LineIndex, PersonKey};
use crate::domain::time::Stamp;
use windows::{Plan, Window, Windows};

/// A person's number, and whether they take part in the line's draw. Bytes, so that a row of the
/// table has no padding: 21 bytes a waiting person and one of the table's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Given {
    number: [u8; 4],
    in_draw: bool,
}

impl Given {
    /// # Panics
    /// When the number needs more than 32 bits: leases end before.
    pub fn new(number: u64, in_draw: bool) -> Self {
        let number = u32::try_from(number)
            .expect("a lease ends below 2³²")
            .to_be_bytes();
        Self { number, in_draw }
    }

    pub fn number(self) -> u64 {
        u64::from(u32::from_be_bytes(self.number))
    }

    pub fn in_draw(self) -> bool {
        self.in_draw
    }
}

/// A place as its token carries it: the line it is in, if it is in one, and what was given there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// None for somebody who came past every line, to look after their own booking.
    pub line: Option<LineIndex>,
    pub given: Given,
}

impl Ticket {
    /// All of it in one number: the line plus one, a bit for the draw, the number.
    pub fn mark(self) -> u64 {
        let line = self.line.map_or(0, |line| u64::from(line.0) + 1);
        line << 33 | u64::from(self.given.in_draw) << 32 | self.given.number()
    }

    pub fn of_mark(mark: u64) -> Self {
        let line = (mark >> 33).checked_sub(1);
        Self {
            line: line.map(|line| LineIndex(line as u16)),
            given: Given {
                number: (mark as u32).to_be_bytes(),
                in_draw: mark >> 32 & 1 == 1,
            },
        }
    }
}

/// Numbers from `first` on that may be given, up to `until`; `highest` was the last that is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lease {
    /// When it was journalled: a number of it that somebody had before is of another history.
    pub since: Stamp,
    pub first: u64,
    pub until: u64,
    pub highest: u64,
}

/// The draw of a line: its seed is committed to before the lobby and shown at the opening.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draw {
    /// When the opening was to be as the seed was committed to. The seed follows from it.
    pub opening: Stamp,
    pub commitment: [u8; 32],
    /// What goes into the draw beside the seed; none was given if there is none.
    pub value: Option<PublicValue>,
    /// The seed that was committed to, once it is shown.
    pub seed: Option<[u8; 32]>,
    /// What the lots are drawn by: the seed, and the public value if one was given.
    pub drawn_by: Option<[u8; 32]>,
}

/// A value that nobody could know when a draw was committed to, and where it can be looked up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublicValue {
    pub value: String,
    pub source: String,
}

impl Draw {
    pub fn committed(opening: Stamp, commitment: [u8; 32]) -> Self {
        Self {
            opening,
            commitment,
            value: None,
            seed: None,
            drawn_by: None,
        }
    }

    /// With its seed.
    pub fn revealed(self, seed: [u8; 32]) -> Self {
        let value = self.value.as_ref();
        let drawn_by = value.map_or(seed, |public| with_value(&seed, &public.value));
        Self {
            seed: Some(seed),
            drawn_by: Some(drawn_by),
            ..self
        }
    }
}

/// What the lots are drawn by with a public value: SHA-256(`sumun draw value v1` ‖ seed ‖ value).
pub fn with_value(seed: &[u8; 32], value: &str) -> [u8; 32] {
    let mut context = Sha256::default();
    context.update(b"sumun draw value v1");
    context.update(seed);
    context.update(value.as_bytes());
    context.finish()
}

/// What operators tell people: in the campaign's own language, and in English if they gave it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub text: String,
    pub en: Option<String>,
}

impl From<String> for Notice {
    fn from(text: String) -> Self {
        Self { text, en: None }
    }
}

/// A pause: nobody is called; sessions finish or are frozen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pause {
    pub since: Stamp,
    pub reason: Notice,
    pub freezes: bool,
    /// Whether the next start of the server ends it.
    pub until_restart: bool,
}

/// What operators have set at a campaign's gate; the campaign file's settings where none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GateSettings {
    pub pause: Option<Pause>,
    pub admit_per_s: Option<u32>,
    pub active_max: Option<u32>,
    pub message: Option<Notice>,
}

impl GateSettings {
    /// What an operator's act at that time leaves of the settings. An act that is for one line
    /// changes nothing here.
    pub fn set(&mut self, act: &GateAct, since: Stamp) {
        let pause = |reason, freezes| Pause {
            since,
            reason,
            freezes,
            until_restart: false,
        };
        match act.clone() {
            GateAct::Pause { reason, freezes } => self.pause = Some(pause(reason.into(), freezes)),
            GateAct::PauseSaid { reason, freezes } => self.pause = Some(pause(reason, freezes)),
            GateAct::Drain { reason } => {
                let drain = pause(reason, false);
                self.pause = Some(Pause {
                    until_restart: true,
                    ..drain
                });
            }
            GateAct::MessageSaid { message } => self.message = Some(message),
            GateAct::Resume => self.pause = None,
            GateAct::Rate { admit_per_s } => self.admit_per_s = Some(admit_per_s),
            GateAct::Active { active_max } => self.active_max = Some(active_max),
            GateAct::Message { text } => {
                self.message = Some(text).filter(|text| !text.is_empty()).map(Notice::from);
            }
            GateAct::DrawValue { .. } => {}
        }
    }
}

/// The line of one opening. It is empty before its lobby and after its end.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    pub given: Table<PersonKey, Given>,
    pub leases: Vec<Lease>,
    pub serving: u64,
    pub draw: Option<Draw>,
    /// When its people may come, if that was drawn.
    pub windows: Windows,
}

impl Line {
    /// The last number that any lease covers.
    pub fn leased_until(&self) -> u64 {
        self.leases.last().map_or(0, |lease| lease.until)
    }

    /// The last number that somebody is known to have.
    pub fn newest(&self) -> u64 {
        let given = self
            .leases
            .iter()
            .filter(|lease| lease.highest >= lease.first);
        given.map(|lease| lease.highest).max().unwrap_or(0)
    }

    /// Checks that these numbers can be leased: they go on where the last lease ends.
    pub fn may_lease(&self, first: u64, until: u64) -> Result<(), String> {
        let last = self.leased_until();
        if first != last + 1 || until < first || until > u64::from(u32::MAX) {
            return Err(format!("leases {first} to {until} after {last}"));
        }
        Ok(())
    }

    /// Checks that a person can have a number; the position of its lease. Nobody comes into a draw,
    /// or out of one, once its seed is known.
    pub fn may_give(&self, person: &PersonKey, given: Given) -> Result<usize, String> {
        if given.in_draw {
            let open = self.draw.as_ref().is_some_and(|draw| draw.seed.is_none());
            if !open && self.given.get(person) != Some(&given) {
                return Err(format!("{person} enters a draw that is not open"));
            }
        }
        let number = given.number();
        let lease = self.lease_of(number);
        lease.ok_or_else(|| format!("number {number} was never leased"))
    }

    /// Notes that a person has a number; an earlier number of the same person stays the better one.
    pub fn give(&mut self, person: PersonKey, given: Given) -> Result<(), String> {
        let lease = self.may_give(&person, given)?;
        let number = given.number();
        let lease = &mut self.leases[lease];
        lease.highest = lease.highest.max(number);
        let known = self.given.get(&person).copied();
        let stays = |known: Given| known.number() <= number || self.is_drawn(known);
        if !known.is_some_and(stays) {
            self.given.insert(person, given);
        }
        Ok(())
    }

    /// Checks that the line's draw can be committed to.
    pub fn may_commit(&self) -> Result<(), String> {
        match &self.draw {
            None => Ok(()),
            Some(_) => Err("commits to a draw twice".to_owned()),
        }
    }

    /// The draw with a seed, if it is the one that was committed to.
    pub fn may_reveal(&self, seed: &[u8; 32]) -> Result<Draw, String> {
        let is_it = |draw: &Draw| draw.seed.is_none() && draw.commitment == commitment(seed);
        let draw = self.draw.clone().filter(is_it);
        let draw = draw.ok_or_else(|| "reveals a seed that was not committed to".to_owned())?;
        Ok(draw.revealed(*seed))
    }

    /// Moves a place by arrival to another key, unless that one has a place.
    pub fn rekey(&mut self, from: &PersonKey, to: PersonKey) {
        let place = self.given.get(from).copied();
        let place = place.filter(|place| !place.in_draw && !self.given.contains(&to));
        if let Some(place) = place {
            self.given.remove(from);
            self.given.insert(to, place);
        }
    }

    /// Checks that windows can be planned: whose lots nobody could know before.
    pub fn may_plan(&self, plan: &Plan) -> Result<(), String> {
        match self.drawn_by() {
            Some(_) => self.windows.may_plan(plan),
            None => Err("plans windows before the seed of their lots is known".to_owned()),
        }
    }

    /// A person's window; none if there are none.
    pub fn window_of(&self, person: &PersonKey) -> Option<Window> {
        if self.windows.is_empty() {
            return None;
        }
        let seed = self.drawn_by()?;
        self.windows.of(lot(&seed, person))
    }

    /// What the lots of the line's draw are drawn by, once its seed is known.
    pub fn drawn_by(&self) -> Option<[u8; 32]> {
        self.draw.as_ref().and_then(|draw| draw.drawn_by)
    }

    /// Whether the place's number was decided by a draw whose seed is known.
    pub fn is_drawn(&self, given: Given) -> bool {
        given.in_draw && self.drawn_by().is_some()
    }

    /// Whether there is nothing in it: nobody has a number, and none is leased.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty() && self.draw.is_none()
    }

    /// Since when a number may have been given; none if it may not.
    pub fn leased_since(&self, number: u64) -> Option<Stamp> {
        self.lease_of(number).map(|lease| self.leases[lease].since)
    }

    /// When a place that is given now was given, by the journal's stamps: after a start with the
    /// clock set back they are ahead of the time, and a number is never given before its lease.
    pub fn not_before_lease(&self, now: Stamp) -> Stamp {
        self.leases.last().map_or(now, |lease| now.max(lease.since))
    }

    /// The position of the lease that covers a number.
    fn lease_of(&self, number: u64) -> Option<usize> {
        let at = self.leases.partition_point(|lease| lease.until < number);
        let covers = self
            .leases
            .get(at)
            .is_some_and(|lease| lease.first <= number);
        covers.then_some(at)
    }

    /// People with numbers above `serving`. `newest` is the last number given, which may be newer
    /// than what the journal knows of the last lease.
    pub fn waiting(&self, serving: u64, newest: u64) -> u64 {
        let count = |(first, last): (u64, u64)| (last + 1).saturating_sub(first.max(serving + 1));
        self.given_ranges(serving, newest).map(count).sum()
    }

    /// The number to serve when `people` more may come: numbers that nobody has are skipped.
    pub fn advance(&self, serving: u64, newest: u64, people: u64) -> u64 {
        let (mut serving, mut left) = (serving, people);
        for (first, last) in self.given_ranges(serving, newest) {
            let first = first.max(serving + 1);
            let here = (last + 1).saturating_sub(first).min(left);
            if here > 0 {
                serving = first + here - 1;
                left -= here;
            }
        }
        serving
    }

    /// First and last number given of each lease that has numbers above `serving`.
    fn given_ranges(&self, serving: u64, newest: u64) -> impl Iterator<Item = (u64, u64)> {
        let from = self.leases.partition_point(|lease| lease.until <= serving);
        self.leases[from..].iter().map(move |lease| {
            let newest = if (lease.first..=lease.until).contains(&newest) {
                newest
            } else {
                0
            };
            (lease.first, lease.highest.max(newest))
        })
    }
}

/// What is published before the lobby opens: the SHA-256 of the seed.
pub fn commitment(seed: &[u8; 32]) -> [u8; 32] {
    sha256(seed)
}

/// A person's lot: the first eight bytes of SHA-256(`sumun draw v1` ‖ seed ‖ person key). The
/// people of a lobby, in ascending order of lot (then of key), get its numbers in ascending order.
pub fn lot(seed: &[u8; 32], person: &PersonKey) -> u64 {
    let mut context = Sha256::default();
    context.update(b"sumun draw v1");
    context.update(seed);
    context.update(&person.0);
    let lot = context.finish();
    u64::from_be_bytes(*lot.first_chunk().expect("a SHA-256 has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(at: u8) -> PersonKey {
        PersonKey([at; 16])
    }

    fn line() -> Line {
        // A first life gave 1 to 3 of 1 to 100, then crashed; the second gave 101 and 102.
        let mut line = Line::default();
        line.leases.push(Lease {
            since: Stamp(1),
            first: 1,
            until: 100,
            highest: 0,
        });
        for at in 1..=3 {
            line.give(person(at), Given::new(u64::from(at), false))
                .unwrap();
        }
        line.draw = Some(Draw::committed(Stamp(9), commitment(&[7; 32])));
        line.leases.push(Lease {
            since: Stamp(2),
            first: 101,
            until: 200,
            highest: 100,
        });
        line.give(person(4), Given::new(101, false)).unwrap();
        line.give(person(5), Given::new(102, true)).unwrap();
        line
    }

    #[test]
    fn serving_skips_numbers_that_a_crash_left_without_people() {
        let line = line();
        assert_eq!(line.waiting(0, 0), 5);
        assert_eq!(line.advance(0, 0, 2), 2);
        assert_eq!(line.advance(0, 0, 3), 3);
        assert_eq!(line.advance(0, 0, 4), 101);
        assert_eq!(line.advance(3, 0, 1), 101);
        assert_eq!(line.advance(3, 0, 100), 102);
        assert_eq!(line.waiting(101, 0), 1);
        assert_eq!(line.waiting(3, 0), 2);
        assert_eq!(line.waiting(3, 110), 10);
        assert_eq!(line.advance(3, 110, 100), 110);
    }

    #[test]
    fn the_better_of_two_numbers_stays_and_unleased_ones_are_refused() {
        let mut line = line();
        line.give(person(4), Given::new(50, false)).unwrap();
        line.give(person(4), Given::new(150, false)).unwrap();
        assert_eq!(line.given[&person(4)].number(), 50);
        assert!(line.give(person(9), Given::new(201, false)).is_err());
        assert!(line.given[&person(5)].in_draw());
        assert!(std::mem::size_of::<(PersonKey, Given)>() <= 21);
    }

    #[test]
    fn nobody_comes_into_a_draw_or_out_of_one_once_its_seed_is_known() {
        let mut line = line();
        line.draw = Some(line.may_reveal(&[7; 32]).unwrap());
        assert!(line.give(person(9), Given::new(103, true)).is_err());
        assert!(line.give(person(4), Given::new(101, true)).is_err());
        // Whoever was in it keeps what they drew, also when an earlier number of theirs turns up.
        line.give(person(5), Given::new(60, false)).unwrap();
        assert_eq!(line.given[&person(5)], Given::new(102, true));
    }

    #[test]
    fn a_number_is_known_since_its_lease_and_a_mark_holds_all_of_a_place() {
        let line = line();
        assert_eq!(line.leased_since(100), Some(Stamp(1)));
        assert_eq!(line.leased_since(101), Some(Stamp(2)));
        assert_eq!(line.leased_since(201), None);
        for line in [None, Some(LineIndex(0)), Some(LineIndex(u16::MAX))] {
            for (number, in_draw) in [(0, false), (7, true), (u64::from(u32::MAX), true)] {
                let given = Given::new(number, in_draw);
                let ticket = Ticket { line, given };
                assert_eq!(Ticket::of_mark(ticket.mark()), ticket);
            }
        }
    }

    #[test]
    fn a_lot_follows_from_seed_and_person_and_the_seed_from_its_commitment() {
        let (one, other) = ([1; 32], [2; 32]);
        assert_eq!(lot(&one, &person(1)), lot(&one, &person(1)));
        assert_ne!(lot(&one, &person(1)), lot(&other, &person(1)));
        assert_ne!(commitment(&one), commitment(&other));
    }
}
