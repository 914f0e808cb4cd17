//! A finished draw: who of a lobby has which of its numbers.

use rayon::prelude::*;

use crate::domain::ids::PersonKey;
use crate::domain::line::{Line, lot};

/// Somebody in a lobby, with their number.
pub type Member = (PersonKey, u32);

/// The lots of a lobby in ascending order, and its numbers in ascending order: the person of the
/// i-th lot has the i-th number. 12 bytes a person of the lobby.
#[derive(Debug, Default, PartialEq)]
pub struct Drawn {
    lots: Vec<u64>,
    numbers: Vec<u32>,
    /// People whose lot another shares, with their number: hardly ever anybody.
    shared: Vec<(PersonKey, u32)>,
}

impl Drawn {
    /// Adds to `lobby` the people whom one part of the line's table has in its draw; false when
    /// there is no such part. Once the draw's seed is in the journal nobody joins or leaves, so a
    /// part can be copied after another, and nobody waits for all of them.
    pub fn collect(lobby: &mut Vec<Member>, line: &Line, part: usize) -> bool {
        let Some(part) = line.given.parts().nth(part) else {
            return false;
        };
        let in_it = part.iter().filter(|(_, given)| given.in_draw());
        lobby.extend(in_it.map(|(person, given)| (*person, given.number() as u32)));
        true
    }

    /// Draws the people of a lobby.
    pub fn of(lobby: &[Member], seed: &[u8; 32]) -> Self {
        let with_lot = |(person, _): &Member| (lot(seed, person), *person);
        let mut people: Vec<(u64, PersonKey)> = lobby.par_iter().map(with_lot).collect();
        people.par_sort_unstable();
        let mut numbers: Vec<u32> = lobby.iter().map(|(_, number)| *number).collect();
        numbers.par_sort_unstable();
        let shares = |at: usize| {
            let lot = |at: usize| people.get(at).map(|(lot, _)| *lot);
            lot(at) == lot(at + 1) || (at > 0 && lot(at) == lot(at - 1))
        };
        let shared = (0..people.len()).filter(|&at| shares(at));
        let shared = shared.map(|at| (people[at].1, numbers[at])).collect();
        Self {
            lots: people.iter().map(|(lot, _)| *lot).collect(),
            numbers,
            shared,
        }
    }

    /// What it takes of the memory.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.lots.capacity() * size_of::<u64>() + self.numbers.capacity() * size_of::<u32>()
    }

    /// The number that a person drew; none if they were not in the lobby.
    pub fn number(&self, seed: &[u8; 32], person: &PersonKey) -> Option<u64> {
        if let Some((_, number)) = self.shared.iter().find(|(known, _)| known == person) {
            return Some(u64::from(*number));
        }
        let at = self.lots.binary_search(&lot(seed, person)).ok()?;
        Some(u64::from(self.numbers[at]))
    }
}
