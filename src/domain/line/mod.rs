//! The line as the journal knows it: who was given which number, how far it is served, what is
//! drawn, and what operators have set.
//!
//! Numbers come from leases: a range is durable before any number of it is given, so no number is
//! given twice, also after a crash. A lease that a crash cut short leaves numbers that nobody has;
//! serving skips them.

pub mod gate_act;

use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::domain::growing::Table;
use crate::domain::ids::PersonKey;
use crate::domain::time::Stamp;

/// A person's number, and the draw they take part in. Bytes, so that a row of the table has no
/// padding: 21 bytes a waiting person and one of the table's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Given {
    number: [u8; 4],
    /// Position in `Line::draws` plus one; 0 for a place by arrival.
    draw: u8,
}

/// Draws that a place can name. Campaigns have had ten openings, not hundreds.
pub const DRAWS_MAX: usize = u8::MAX as usize;

impl Given {
    /// # Panics
    /// When the number needs more than 32 bits: leases end before. When there are too many draws:
    /// the journal takes none after the last that fits.
    pub fn new(number: u64, draw: Option<usize>) -> Self {
        let number = u32::try_from(number)
            .expect("a lease ends below 2³²")
            .to_be_bytes();
        let draw = draw.map_or(0, |draw| draw + 1);
        let draw = u8::try_from(draw).expect("no more draws are committed to");
        Self { number, draw }
    }

    /// All of it in one number, for a token.
    pub fn mark(self) -> u64 {
        u64::from(self.draw) << 32 | self.number()
    }

    pub fn of_mark(mark: u64) -> Self {
        Self {
            number: (mark as u32).to_be_bytes(),
            draw: (mark >> 32) as u8,
        }
    }

    pub fn number(self) -> u64 {
        u64::from(u32::from_be_bytes(self.number))
    }

    pub fn draw(self) -> Option<usize> {
        usize::from(self.draw).checked_sub(1)
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

/// The draw of one opening: its seed is committed to before the lobby and shown at the opening.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draw {
    pub opening: Stamp,
    pub commitment: [u8; 32],
    pub seed: Option<[u8; 32]>,
}

/// A pause: nobody is called; sessions finish or are frozen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pause {
    pub since: Stamp,
    pub reason: String,
    pub freezes: bool,
}

/// A campaign's line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Line {
    pub given: Table<PersonKey, Given>,
    pub leases: Vec<Lease>,
    pub serving: u64,
    pub draws: Vec<Draw>,
    pub pause: Option<Pause>,
    /// Operators' settings; the campaign file's where none.
    pub admit_per_s: Option<u32>,
    pub active_max: Option<u32>,
    pub message: Option<String>,
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
        if let Some(draw) = given.draw() {
            let known = self.draws.get(draw);
            let open = known.is_some_and(|draw| draw.seed.is_none());
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

    /// Checks that an opening's draw can be committed to.
    pub fn may_commit(&self, opening: Stamp) -> Result<(), String> {
        if self.draws.iter().any(|draw| draw.opening == opening) {
            return Err("commits to a draw twice".to_owned());
        }
        if self.draws.len() >= DRAWS_MAX {
            return Err("commits to more draws than places can name".to_owned());
        }
        Ok(())
    }

    /// Checks that a seed is the one that was committed to; the position of its draw.
    pub fn may_reveal(&self, opening: Stamp, seed: &[u8; 32]) -> Result<usize, String> {
        let is_it = |draw: &Draw| {
            draw.opening == opening && draw.seed.is_none() && draw.commitment == commitment(seed)
        };
        let draw = self.draws.iter().position(is_it);
        draw.ok_or_else(|| "reveals a seed that was not committed to".to_owned())
    }

    /// Moves a place by arrival to another key, unless that one has a place.
    pub fn rekey(&mut self, from: &PersonKey, to: PersonKey) {
        let place = self.given.get(from).copied();
        let place = place.filter(|place| place.draw().is_none() && !self.given.contains(&to));
        if let Some(place) = place {
            self.given.remove(from);
            self.given.insert(to, place);
        }
    }

    /// Whether the place's number was decided by a draw whose seed is known.
    pub fn is_drawn(&self, given: Given) -> bool {
        let draw = given.draw().and_then(|draw| self.draws.get(draw));
        draw.is_some_and(|draw| draw.seed.is_some())
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
    *digest(&SHA256, seed)
        .as_ref()
        .first_chunk()
        .expect("a SHA-256 has 32 bytes")
}

/// A person's lot: the first eight bytes of SHA-256(`sumun draw v1` ‖ seed ‖ person key). The
/// people of a lobby, in ascending order of lot (then of key), get its numbers in ascending order.
pub fn lot(seed: &[u8; 32], person: &PersonKey) -> u64 {
    let mut context = Context::new(&SHA256);
    context.update(b"sumun draw v1");
    context.update(seed);
    context.update(&person.0);
    let lot = context.finish();
    u64::from_be_bytes(*lot.as_ref().first_chunk().expect("a SHA-256 has 32 bytes"))
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
            line.give(person(at), Given::new(u64::from(at), None))
                .unwrap();
        }
        line.draws.push(Draw {
            opening: Stamp(9),
            commitment: commitment(&[7; 32]),
            seed: None,
        });
        line.leases.push(Lease {
            since: Stamp(2),
            first: 101,
            until: 200,
            highest: 100,
        });
        line.give(person(4), Given::new(101, None)).unwrap();
        line.give(person(5), Given::new(102, Some(0))).unwrap();
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
        line.give(person(4), Given::new(50, None)).unwrap();
        line.give(person(4), Given::new(150, None)).unwrap();
        assert_eq!(line.given[&person(4)].number(), 50);
        assert!(line.give(person(9), Given::new(201, None)).is_err());
        assert_eq!(line.given[&person(5)].draw(), Some(0));
        assert!(std::mem::size_of::<(PersonKey, Given)>() <= 21);
    }

    #[test]
    fn nobody_comes_into_a_draw_or_out_of_one_once_its_seed_is_known() {
        let mut line = line();
        line.draws[0].seed = Some([7; 32]);
        assert!(line.give(person(9), Given::new(103, Some(0))).is_err());
        assert!(line.give(person(4), Given::new(101, Some(0))).is_err());
        assert!(line.give(person(9), Given::new(103, Some(1))).is_err());
        // Whoever was in it keeps what they drew, also when an earlier number of theirs turns up.
        line.give(person(5), Given::new(60, None)).unwrap();
        assert_eq!(line.given[&person(5)], Given::new(102, Some(0)));
    }

    #[test]
    fn a_number_is_known_since_its_lease_and_a_mark_holds_all_of_a_place() {
        let line = line();
        assert_eq!(line.leased_since(100), Some(Stamp(1)));
        assert_eq!(line.leased_since(101), Some(Stamp(2)));
        assert_eq!(line.leased_since(201), None);
        for given in [
            Given::new(7, None),
            Given::new(u64::from(u32::MAX), Some(254)),
        ] {
            assert_eq!(Given::of_mark(given.mark()), given);
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
