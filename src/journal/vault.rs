//! Whether the vault holds what it should: for everybody on the roster one sealed row that the
//! folder's key opens, for people who left with something active too, and for nobody else; and
//! whether the rows are those of which the journal has the digest.
//!
//! Roster and vault are both in order of key. The roster is cut into pieces, which bound the memory
//! and are compared with the vault's rows of the same keys on all cores.

use rayon::prelude::*;

use super::store::{Read, StoreFault};
use crate::crypto::sha256;
use crate::domain::ids::PersonKey;
use crate::domain::personal::{PIECE_PEOPLE, PieceDigest, VaultMark, VaultState};
use crate::domain::roster::contact::Contact;
use crate::domain::roster::{Roster, RosterPerson};
use crate::domain::state::State;
use crate::keys::Keys;

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
    /// The person has a row, which the journal says was erased.
    NotErased,
}

/// Whether the rows are those that the journal has a digest of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum DigestSeen {
    /// The journal has no digest of this roster's rows yet.
    #[default]
    None,
    Fits,
    /// A row was changed, or exchanged for another that opens too.
    Differs,
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
    pub digest: DigestSeen,
}

impl VaultSeen {
    /// Whether anything is wrong.
    pub fn is_faulty(&self) -> bool {
        self.faults_total > 0 || self.digest == DigestSeen::Differs
    }

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
    let needs_row = |person: &PersonKey| {
        let mut campaigns = state.campaigns.iter();
        campaigns.any(|campaign| {
            let standing = campaign.standing(person);
            campaign.active_booking(person).is_some() || standing.hold.is_some()
        })
    };
    let check = Check {
        read,
        roster,
        vault: &state.vault,
        needs_row: &needs_row,
        keys,
        // An import that was interrupted, or has just ended, has left rows to be swept out.
        may_be_stale: read.is_unswept()?,
    };
    let seen: Result<Vec<_>, StoreFault> = (0..check.pieces())
        .into_par_iter()
        .map(|at| check.piece(at))
        .collect();
    let (seen, digests): (Vec<VaultSeen>, Vec<_>) = seen?.into_iter().unzip();
    let mut all = VaultSeen {
        were_opened: keys.is_some(),
        ..VaultSeen::default()
    };
    seen.iter().for_each(|seen| all.merge(seen));
    if let Some(mark) = state.vault.mark {
        let found = VaultMark::of(roster.version, &digests);
        all.digest = if found == mark {
            DigestSeen::Fits
        } else {
            DigestSeen::Differs
        };
    }
    Ok(all)
}

/// Works out the digest of the rows of the roster in force, piece by piece; none when it is
/// stopped.
pub fn vault_mark(
    read: &Read,
    roster: &Roster,
    vault: &VaultState,
    goes_on: impl Fn() -> bool,
) -> Result<Option<VaultMark>, StoreFault> {
    let check = Check {
        read,
        roster,
        vault,
        needs_row: &|_| false,
        keys: None,
        may_be_stale: true,
    };
    let mut digests = Vec::new();
    for at in 0..check.pieces() {
        if !goes_on() {
            return Ok(None);
        }
        digests.push(check.piece(at)?.1);
    }
    Ok(Some(VaultMark::of(roster.version, &digests)))
}

struct Check<'a> {
    read: &'a Read,
    roster: &'a Roster,
    vault: &'a VaultState,
    /// Whether a person who left still needs a row.
    needs_row: &'a (dyn Fn(&PersonKey) -> bool + Sync),
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

    /// Takes out a person, if they are next.
    fn take(&mut self, person: PersonKey) -> Known {
        let take = |people: &mut &'a [RosterPerson]| match people {
            [first, rest @ ..] if first.key == person => {
                *people = rest;
                true
            }
            _ => false,
        };
        // Nobody is in both.
        if take(&mut self.here) {
            Known::Here
        } else if take(&mut self.left) {
            Known::Left
        } else {
            Known::No
        }
    }
}

/// Whether somebody is on the roster.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Here,
    Left,
    No,
}

/// The rows of one person, by ascending version.
struct RowsOf {
    person: PersonKey,
    rows: Vec<Row>,
}

struct Row {
    version: u32,
    opens: bool,
    hash: [u8; 32],
}

/// How many rows a piece has, and their digest.
type Digest = (u64, [u8; 32]);

/// What is seen of a piece.
#[derive(Default)]
struct Piece {
    seen: VaultSeen,
    digest: PieceDigest,
}

impl Check<'_> {
    /// An empty roster has one piece too.
    fn pieces(&self) -> usize {
        self.roster.people.len().div_ceil(PIECE_PEOPLE).max(1)
    }

    /// Compares one piece of the roster with the rows from its first key to that of the next piece.
    fn piece(&self, at: usize) -> Result<(VaultSeen, Digest), StoreFault> {
        let people = &self.roster.people;
        let (first, end) = (at * PIECE_PEOPLE, (at + 1) * PIECE_PEOPLE);
        // The first piece begins before, and the last ends behind, every key that there can be.
        let from = (at > 0).then(|| people[first].key);
        let until = people.get(end).map(|person| person.key);
        let mut expected = Expected {
            here: &people[first..end.min(people.len())],
            left: self.left_between(from, until),
        };
        let (mut piece, mut met) = (Piece::default(), None::<RowsOf>);
        self.read.vault_rows(from, until, |key, sealed| {
            let row = Row {
                version: key.version,
                opens: self.opens(key.person, sealed),
                hash: sha256(sealed),
            };
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
                        .for_each(|of| self.compare(of, &mut expected, &mut piece));
                }
            }
        })?;
        met.iter()
            .for_each(|of| self.compare(of, &mut expected, &mut piece));
        self.miss(&expected.before(None), &mut piece);
        Ok((piece.seen, piece.digest.finish()))
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
    fn compare(&self, of: &RowsOf, expected: &mut Expected<'_>, piece: &mut Piece) {
        self.miss(&expected.before(Some(of.person)), piece);
        let known = expected.take(of.person);
        let is_in_force = |row: &&Row| row.version <= self.roster.version;
        let seen = &mut piece.seen;
        match of.rows.iter().rev().find(is_in_force) {
            Some(_) if known != Known::No && self.vault.is_erased(&of.person) => {
                seen.add(of.person, RowFault::NotErased);
            }
            Some(row) if known != Known::No => {
                seen.rows += 1;
                if known == Known::Here {
                    piece.digest.add(of.person, row.version, &row.hash);
                }
                if !row.opens {
                    seen.add(of.person, RowFault::Unopened);
                }
                if of.rows.len() > 1 && !self.may_be_stale {
                    seen.add(of.person, RowFault::Stale);
                }
            }
            None if known != Known::No => seen.add(of.person, RowFault::Missing),
            _ if self.may_be_stale => {}
            _ => seen.add(of.person, RowFault::Foreign),
        }
    }

    /// These people have no row. Of those who left, only who has something active needs one.
    fn miss(&self, people: &Expected<'_>, piece: &mut Piece) {
        for person in people.here {
            match self.vault.erased.get(&person.key) {
                Some(row) => piece.digest.add(person.key, row.version, &row.row),
                None if self.vault.is_emptied => {}
                None => piece.seen.add(person.key, RowFault::Missing),
            }
        }
        let left = people.left.iter().map(|person| person.key);
        let left = left.filter(|person| !self.vault.is_erased(person) && (self.needs_row)(person));
        left.for_each(|person| piece.seen.add(person, RowFault::Missing));
    }
}
