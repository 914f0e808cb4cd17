//! The tables of a roster while its file is read: sets of groups and regions.
//!
//! Invariant: the finished tables depend on what is in the file, not on the order of its rows; the
//! first member of each is the empty one.

use std::collections::HashMap;

use crate::domain::roster::GroupSetIndex;
use crate::files::field::{self, REGION_NUMBERS};

/// The sets of groups of the whole file, numbered as they are met.
pub(super) struct GroupSets {
    sets: Vec<Vec<String>>,
    index: HashMap<Vec<String>, u16>,
    /// Further sets than an index can name; the file is refused.
    beyond: usize,
}

impl Default for GroupSets {
    fn default() -> Self {
        Self {
            sets: vec![Vec::new()],
            index: HashMap::from([(Vec::new(), 0)]),
            beyond: 0,
        }
    }
}

impl GroupSets {
    pub(super) fn index(&mut self, set: Vec<String>) -> GroupSetIndex {
        if let Some(&known) = self.index.get(&set) {
            return GroupSetIndex(known);
        }
        let Ok(next) = u16::try_from(self.sets.len()) else {
            self.beyond += 1;
            return GroupSetIndex(0);
        };
        self.sets.push(set.clone());
        self.index.insert(set, next);
        GroupSetIndex(next)
    }

    /// The sets in order, and the new index of each old one: the order of the rows leaves no trace.
    pub(super) fn sorted(self) -> (Vec<Vec<String>>, Vec<GroupSetIndex>) {
        let mut sets = self.sets;
        sets.sort_unstable();
        let mut places = vec![GroupSetIndex(0); sets.len()];
        for (at, set) in sets.iter().enumerate() {
            places[usize::from(self.index[set])] = GroupSetIndex(at as u16);
        }
        // Unnamed sets make the table too long, which refuses the file.
        sets.resize(sets.len() + self.beyond, Vec::new());
        (sets, places)
    }
}

/// The regions that people live in, in order after the unknown one; and the index of each number.
pub(super) fn regions(numbers: impl Iterator<Item = u32>) -> (Vec<String>, Vec<u16>) {
    let mut lived_in = vec![false; REGION_NUMBERS + 1];
    numbers.for_each(|number| lived_in[number as usize] = true);
    let mut regions = vec![String::new()];
    let mut places = vec![0; REGION_NUMBERS + 1];
    for number in (0..REGION_NUMBERS).filter(|&number| lived_in[number]) {
        places[number] = regions.len() as u16;
        regions.push(field::region_text(number as u32));
    }
    (regions, places)
}
