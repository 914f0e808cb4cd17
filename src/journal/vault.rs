//! Whether the vault holds what it should: for everybody on the roster one sealed row that the
//! folder's key opens, for people who left with something active too, and for nobody else.
//!
//! Roster and vault are both in order of key. The roster is cut into pieces, which bound the memory
//! and are compared with the vault's rows of the same keys on all cores.

use rayon::prelude::*;

use super::store::{Read, StoreFault};
use crate::domain::ids::PersonKey;
use crate::domain::roster::contact::Contact;
use crate::domain::roster::{Roster, RosterPerson};
use crate::domain::state::State;
use crate::keys::Keys;

/// People of one piece; their rows have about half a mebibyte.
const PIECE_PEOPLE: usize = 8_192;
/// How many faults are named; all are counted.
pub const NAMED_MAX: usize = 20;

/// What is wrong with a row of the vault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowFault {
    /// The person has no row.
    Missing,
    /// Its bytes were changed, it is another person's, or it was sealed with another key.
    Unopened,
    /// It is of nobody on the roster, and of nobody who left with something.
    Foreign,
    /// The person has more rows than the one in force.
    Stale,
}

/// What was seen of the vault.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VaultSeen {
    /// Rows that are in force.
    pub rows: u64,
    /// Whether they were opened: without the folder's keys they are only counted.
    pub were_opened: bool,
    pub faults_total: u64,
    /// The first `NAMED_MAX` faults, in order of key.
    pub faults: Vec<(PersonKey, RowFault)>,
}

impl VaultSeen {
    fn add(&mut self, person: PersonKey, fault: RowFault) {
        self.faults_total += 1;
        if self.faults.len() < NAMED_MAX {
            self.faults.push((person, fault));
        }
    }

    fn merge(&mut self, later: &Self) {
        self.rows += later.rows;
        self.faults_total += later.faults_total;
        let room = NAMED_MAX - self.faults.len();
        self.faults.extend(later.faults.iter().take(room));
    }
}

/// Looks at every row of the vault. Without `keys` rows are not opened.
pub fn check_vault(
    read: &Read,
    roster: &Roster,
    state: &State,
    keys: Option<&Keys>,
) -> Result<VaultSeen, StoreFault> {
    let check = Check {
        read,
        roster,
        state,
        keys,
        // An import that was interrupted, or has just ended, has left rows to be swept out.
        may_be_stale: read.is_unswept()?,
    };
    let pieces = roster.people.len().div_ceil(PIECE_PEOPLE).max(1);
    let seen: Result<Vec<VaultSeen>, StoreFault> = (0..pieces)
        .into_par_iter()
        .map(|at| check.piece(at))
        .collect();
    let mut all = VaultSeen {
        were_opened: keys.is_some(),
        ..VaultSeen::default()
    };
    seen?.iter().for_each(|seen| all.merge(seen));
    Ok(all)
}

struct Check<'a> {
    read: &'a Read,
    roster: &'a Roster,
    state: &'a State,
    keys: Option<&'a Keys>,
    may_be_stale: bool,
}

/// The people of a piece whose rows have not been met yet, in order of key.
struct Expected<'a> {
    here: &'a [RosterPerson],
    left: &'a [RosterPerson],
}

impl<'a> Expected<'a> {
    /// Takes out everybody before a person; everybody there is, if none is given.
    fn before(&mut self, person: Option<PersonKey>) -> Self {
        let split = |people: &mut &'a [RosterPerson]| {
            let behind = |person| people.partition_point(|other| other.key < person);
            let (before, rest) = people.split_at(person.map_or(people.len(), behind));
            *people = rest;
            before
        };
        Self {
            here: split(&mut self.here),
            left: split(&mut self.left),
        }
    }

    /// Takes out a person, if they are next: true if they were among the people of the roster or
    /// among those who left.
    fn take(&mut self, person: PersonKey) -> bool {
        let take = |people: &mut &'a [RosterPerson]| match people {
            [first, rest @ ..] if first.key == person => {
                *people = rest;
                true
            }
            _ => false,
        };
        // Nobody is in both.
        take(&mut self.here) || take(&mut self.left)
    }
}

/// The rows of one person, by ascending version, and whether each can be opened.
struct RowsOf {
    person: PersonKey,
    rows: Vec<(u32, bool)>,
}

impl Check<'_> {
    /// Compares one piece of the roster with the rows from its first key to that of the next piece.
    fn piece(&self, at: usize) -> Result<VaultSeen, StoreFault> {
        let people = &self.roster.people;
        let (first, end) = (at * PIECE_PEOPLE, (at + 1) * PIECE_PEOPLE);
        // The first piece begins before, and the last ends behind, every key that there can be.
        let from = (at > 0).then(|| people[first].key);
        let until = people.get(end).map(|person| person.key);
        let mut expected = Expected {
            here: &people[first..end.min(people.len())],
            left: self.left_between(from, until),
        };
        let (mut seen, mut met) = (VaultSeen::default(), None::<RowsOf>);
        self.read.vault_rows(from, until, |key, sealed| {
            let row = (key.version, self.opens(key.person, sealed));
            match &mut met {
                Some(of) if of.person == key.person => of.rows.push(row),
                _ => {
                    let next = RowsOf {
                        person: key.person,
                        rows: vec![row],
                    };
                    let before = met.replace(next);
                    before
                        .iter()
                        .for_each(|of| self.compare(of, &mut expected, &mut seen));
                }
            }
        })?;
        met.iter()
            .for_each(|of| self.compare(of, &mut expected, &mut seen));
        self.miss(&expected.before(None), &mut seen);
        Ok(seen)
    }

    fn left_between(&self, from: Option<PersonKey>, until: Option<PersonKey>) -> &[RosterPerson] {
        let left = &self.roster.left;
        let place = |key| left.partition_point(|person| person.key < key);
        &left[from.map_or(0, place)..until.map_or(left.len(), place)]
    }

    fn opens(&self, person: PersonKey, sealed: &[u8]) -> bool {
        let opens = |keys: &Keys| {
            let opened = keys.open(person, sealed);
            opened.is_ok_and(|opened| Contact::decode(&opened).is_ok())
        };
        self.keys.is_none_or(opens)
    }

    /// Compares the rows of one person with the people who are expected to have one.
    fn compare(&self, of: &RowsOf, expected: &mut Expected<'_>, seen: &mut VaultSeen) {
        self.miss(&expected.before(Some(of.person)), seen);
        let is_known = expected.take(of.person);
        let is_in_force = |(version, _): &&(u32, bool)| *version <= self.roster.version;
        match of.rows.iter().rev().find(is_in_force) {
            Some((_, opens)) if is_known => {
                seen.rows += 1;
                if !opens {
                    seen.add(of.person, RowFault::Unopened);
                }
                if of.rows.len() > 1 && !self.may_be_stale {
                    seen.add(of.person, RowFault::Stale);
                }
            }
            None if is_known => seen.add(of.person, RowFault::Missing),
            _ if self.may_be_stale => {}
            _ => seen.add(of.person, RowFault::Foreign),
        }
    }

    /// These people have no row. Of those who left, only who has something active needs one.
    fn miss(&self, people: &Expected<'_>, seen: &mut VaultSeen) {
        let needs = |person: &&RosterPerson| {
            let mut campaigns = self.state.campaigns.iter();
            campaigns.any(|campaign| {
                let standing = campaign.standing(&person.key);
                campaign.active_booking(&person.key).is_some() || standing.hold.is_some()
            })
        };
        let left = people.left.iter().filter(needs);
        for person in people.here.iter().chain(left) {
            seen.add(person.key, RowFault::Missing);
        }
    }
}
