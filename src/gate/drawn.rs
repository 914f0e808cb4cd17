//! A finished draw: who of a lobby has which of its numbers.

use rayon::prelude::*;

use crate::domain::ids::PersonKey;
use crate::domain::line::{Line, lot};

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
    /// Draws the people whom the line has in the lobby of `draw`.
    pub fn of(line: &Line, draw: usize, seed: &[u8; 32]) -> Self {
        let in_it = |given: &crate::domain::line::Given| given.draw() == Some(draw);
        let all: Vec<_> = line
            .given
            .iter()
            .filter(|(_, given)| in_it(given))
            .collect();
        let mut people: Vec<(u64, PersonKey)> = all
            .par_iter()
            .map(|(person, _)| (lot(seed, person), **person))
            .collect();
        people.par_sort_unstable();
        let mut numbers: Vec<u32> = all.iter().map(|(_, given)| given.number() as u32).collect();
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

    /// The number that a person drew; none if they were not in the lobby.
    pub fn number(&self, seed: &[u8; 32], person: &PersonKey) -> Option<u64> {
        if let Some((_, number)) = self.shared.iter().find(|(known, _)| known == person) {
            return Some(u64::from(*number));
        }
        let at = self.lots.binary_search(&lot(seed, person)).ok()?;
        Some(u64::from(self.numbers[at]))
    }
}
