//! The people the agency knows, as kept in memory: pseudonyms, tags and what eligibility asks for.
//!
//! Owns the sorted roster, its lookup, its stored bytes and the difference of two rosters. It never
//! sees a name, a telephone number or a code in clear: those stay in the vault.
//!
//! Invariants: `people` is strictly ascending by key; `group_sets[0]` is the empty set and
//! `regions[0]` the empty text (unknown); every index of a person is within its table.

pub mod contact;
pub mod digest;
pub mod group;

use std::cmp::Ordering;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::PersonKey;
pub use crate::domain::spelling::comparable_name;
use crate::domain::time::Day;

/// The position of a set of groups in `Roster::group_sets`.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct GroupSetIndex(pub u16);

/// One person of the roster: 36 bytes, so that 60 million take 2.2 GB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RosterPerson {
    pub key: PersonKey,
    /// Keyed tag of the name as compared; see `Keys::name_tag`.
    pub name_tag: [u8; 8],
    /// Keyed tag of the telephone number; see `Keys::detail_tag`.
    pub detail_tag: u32,
    pub born: Day,
    pub groups: GroupSetIndex,
    /// The position in `Roster::regions`.
    pub region: u16,
}

impl RosterPerson {
    /// Whether the name and the telephone number are still those of these tags.
    pub fn has_contact(&self, name_tag: [u8; 8], detail_tag: u32) -> bool {
        (self.name_tag, self.detail_tag) == (name_tag, detail_tag)
    }

    /// What is kept of a person who left: no groups and no region. Their numbers belong to the
    /// tables of the roster that the person was on, which is gone.
    pub fn as_left(self) -> Self {
        Self {
            groups: GroupSetIndex(0),
            region: 0,
            ..self
        }
    }
}

/// The bytes of one stored person: the fields in order, integers little-endian.
pub const PERSON_BYTES: usize = 16 + 8 + 4 + 4 + 2 + 2;

/// One imported version of the roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    pub version: u32,
    pub people: Vec<RosterPerson>,
    pub group_sets: Vec<Vec<String>>,
    pub regions: Vec<String>,
    /// People who left the roster with a booking or a hold, in order of key: none of them is among
    /// `people`. They are found for what they have, and may book nothing new. All are `as_left`.
    pub left: Vec<RosterPerson>,
    pub digest_form: DigestForm,
    /// Which keys made the tags of names and telephone numbers; the journal says it.
    pub personal_keys: u8,
}

/// What the digest of a roster covers, beside its tables and its people. A data file keeps it with
/// the roster. Nobody gains by changing it there: the two begin with different labels, so that the
/// digest in the journal fits one of them alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DigestForm {
    /// Nothing else: of rosters that were imported before people who left were covered.
    PeopleAlone,
    /// The people who left.
    #[default]
    WithLeft,
}

impl Default for Roster {
    /// The roster before the first import: version 0, nobody.
    fn default() -> Self {
        Self {
            version: 0,
            people: Vec::new(),
            group_sets: vec![Vec::new()],
            regions: vec![String::new()],
            left: Vec::new(),
            digest_form: DigestForm::default(),
            personal_keys: 0,
        }
    }
}

/// Why stored bytes or parts are not a roster.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RosterFault {
    #[error("{0} bytes are not whole people of {PERSON_BYTES} bytes")]
    Length(usize),
    #[error("person {0} is not after the one before it in order of key")]
    Order(usize),
    #[error("person {0} names a set of groups outside the table")]
    Groups(usize),
    #[error("person {0} names a region outside the table")]
    Region(usize),
    #[error("person {0} who left has a set of groups or a region")]
    Left(usize),
    #[error("a table does not begin with its empty member, or has more than 65,536 members")]
    Table,
}

impl Roster {
    /// Puts a roster together from its parts, checking every invariant of this module.
    pub fn assemble(
        version: u32,
        people: Vec<RosterPerson>,
        group_sets: Vec<Vec<String>>,
        regions: Vec<String>,
    ) -> Result<Self, RosterFault> {
        let tables_begin = group_sets.first().is_some_and(Vec::is_empty)
            && regions.first().is_some_and(String::is_empty);
        if !tables_begin || group_sets.len() > 1 << 16 || regions.len() > 1 << 16 {
            return Err(RosterFault::Table);
        }
        for (at, person) in people.iter().enumerate() {
            if at > 0 && people[at - 1].key >= person.key {
                return Err(RosterFault::Order(at));
            }
            if usize::from(person.groups.0) >= group_sets.len() {
                return Err(RosterFault::Groups(at));
            }
            if usize::from(person.region) >= regions.len() {
                return Err(RosterFault::Region(at));
            }
        }
        Ok(Self {
            version,
            people,
            group_sets,
            regions,
            left: Vec::new(),
            digest_form: DigestForm::default(),
            personal_keys: 0,
        })
    }

    /// The person with this key who left the roster with something that was active then.
    pub fn find_left(&self, key: &PersonKey) -> Option<&RosterPerson> {
        let at = self.left.binary_search_by(|person| person.key.cmp(key));
        at.ok().map(|at| &self.left[at])
    }

    /// Takes in people who left, in any order.
    pub fn add_left(&mut self, people: impl IntoIterator<Item = RosterPerson>) {
        let people = people.into_iter().map(RosterPerson::as_left);
        self.left.extend(people);
        self.left.sort_unstable_by_key(|person| person.key);
        self.left.dedup_by_key(|person| person.key);
    }

    /// Takes in the stored rows of people who left. Rows from before the digest covered them may
    /// have groups and a region, which are dropped. In a later row these are damage.
    pub fn restore_left(
        &mut self,
        people: Vec<RosterPerson>,
        digest_form: DigestForm,
    ) -> Result<(), RosterFault> {
        let is_damaged = |person: &RosterPerson| *person != person.as_left();
        if digest_form == DigestForm::WithLeft
            && let Some(at) = people.iter().position(is_damaged)
        {
            return Err(RosterFault::Left(at));
        }
        self.digest_form = digest_form;
        self.add_left(people);
        Ok(())
    }

    pub fn find(&self, key: &PersonKey) -> Option<&RosterPerson> {
        self.position(key).map(|at| &self.people[at])
    }

    /// The index in `people` of the person with this key.
    ///
    /// Keys are outputs of an HMAC, hence uniform: interpolation lands in some four probes where
    /// halving takes 26 at 60 million. After `PROBES_MAX` it halves, so skewed keys cost no more
    /// than a binary search.
    pub fn position(&self, key: &PersonKey) -> Option<usize> {
        const PROBES_MAX: usize = 8;
        const HALVE_BELOW: usize = 8;
        let wanted = leading(key);
        let (mut low, mut high) = (0, self.people.len());
        let (mut below, mut above) = (0, u64::MAX);
        for _ in 0..PROBES_MAX {
            if high - low < HALVE_BELOW || above == below {
                break;
            }
            let share = (wanted - below) as f64 / (above - below) as f64;
            let at = (low + (share * (high - low) as f64) as usize).min(high - 1);
            let found = &self.people[at].key;
            match found.cmp(key) {
                Ordering::Equal => return Some(at),
                Ordering::Less => (low, below) = (at + 1, leading(found)),
                Ordering::Greater => (high, above) = (at, leading(found)),
            }
        }
        let within = &self.people[low..high];
        let at = within.binary_search_by(|person| person.key.cmp(key)).ok()?;
        Some(low + at)
    }

    /// The groups of a person of this roster; none of a person who left.
    pub fn groups(&self, person: &RosterPerson) -> &[String] {
        &self.group_sets[usize::from(person.groups.0)]
    }

    /// The region of a person of this roster, as `11/110`; empty when unknown or when they left.
    pub fn region(&self, person: &RosterPerson) -> &str {
        &self.regions[usize::from(person.region)]
    }

    /// Hands the bytes that a digest of this roster covers to `sink`, in pieces: a label, the two
    /// tables with lengths before each text, the people, and, by `digest_form`, those who left. The
    /// version is not covered, so an unchanged file imported again has an unchanged digest.
    pub fn digest_input(&self, mut sink: impl FnMut(&[u8])) {
        self.all_but_left(self.digest_form, &mut sink);
        if self.digest_form == DigestForm::WithLeft {
            people_digest_input(&self.left, &mut sink);
        }
    }

    /// All that a digest covers but the people who left.
    fn all_but_left(&self, form: DigestForm, sink: &mut dyn FnMut(&[u8])) {
        let text = |text: &str, sink: &mut dyn FnMut(&[u8])| {
            sink(&(text.len() as u64).to_le_bytes());
            sink(text.as_bytes());
        };
        sink(match form {
            DigestForm::PeopleAlone => b"sumun roster v1",
            DigestForm::WithLeft => b"sumun roster v2",
        });
        sink(&(self.group_sets.len() as u64).to_le_bytes());
        for set in &self.group_sets {
            sink(&(set.len() as u64).to_le_bytes());
            set.iter().for_each(|group| text(group, sink));
        }
        sink(&(self.regions.len() as u64).to_le_bytes());
        self.regions.iter().for_each(|region| text(region, sink));
        people_digest_input(&self.people, sink);
    }
}

/// How many people there are, and each of them, as a digest covers them.
fn people_digest_input(people: &[RosterPerson], sink: &mut dyn FnMut(&[u8])) {
    const PIECE_PEOPLE: usize = 4096;
    sink(&(people.len() as u64).to_le_bytes());
    let mut piece = Vec::with_capacity(PIECE_PEOPLE.min(people.len()) * PERSON_BYTES);
    for people in people.chunks(PIECE_PEOPLE) {
        piece.clear();
        encode_people(people, &mut piece);
        sink(&piece);
    }
}

fn leading(key: &PersonKey) -> u64 {
    let (head, _) = key
        .0
        .split_first_chunk()
        .expect("a key has more than eight bytes");
    u64::from_be_bytes(*head)
}

/// Appends the stored form of `people`, `PERSON_BYTES` each.
pub fn encode_people(people: &[RosterPerson], into: &mut Vec<u8>) {
    into.reserve(people.len() * PERSON_BYTES);
    for person in people {
        into.extend_from_slice(&person.key.0);
        into.extend_from_slice(&person.name_tag);
        into.extend_from_slice(&person.detail_tag.to_le_bytes());
        into.extend_from_slice(&person.born.0.to_le_bytes());
        into.extend_from_slice(&person.groups.0.to_le_bytes());
        into.extend_from_slice(&person.region.to_le_bytes());
    }
}

/// Reads what `encode_people` wrote. Order and table indices are checked by `Roster::assemble`,
/// which sees all chunks and the tables.
pub fn decode_people(bytes: &[u8]) -> Result<Vec<RosterPerson>, RosterFault> {
    let (people, rest) = bytes.as_chunks::<PERSON_BYTES>();
    if !rest.is_empty() {
        return Err(RosterFault::Length(bytes.len()));
    }
    Ok(people.iter().map(decode_person).collect())
}

fn decode_person(bytes: &[u8; PERSON_BYTES]) -> RosterPerson {
    fn part<const N: usize>(bytes: &[u8; PERSON_BYTES], from: usize) -> [u8; N] {
        *bytes[from..]
            .first_chunk()
            .expect("the offsets below end at PERSON_BYTES")
    }
    RosterPerson {
        key: PersonKey(part(bytes, 0)),
        name_tag: part(bytes, 16),
        detail_tag: u32::from_le_bytes(part(bytes, 24)),
        born: Day(i32::from_le_bytes(part(bytes, 28))),
        groups: GroupSetIndex(u16::from_le_bytes(part(bytes, 32))),
        region: u16::from_le_bytes(part(bytes, 34)),
    }
}

/// What a new roster changes, by index into the old and the new `people`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Difference {
    /// Indices into the new roster.
    pub added: Vec<u32>,
    pub changed: Vec<Changed>,
    /// Indices into the old roster.
    pub gone: Vec<u32>,
    pub unchanged: u64,
}

/// One person who is on both rosters with something different.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Changed {
    /// Indices into the old and the new roster.
    pub old: u32,
    pub new: u32,
    pub name: bool,
    pub phone: bool,
    pub birth_date: bool,
    pub region: bool,
    pub groups: bool,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.gone.is_empty()
    }
}

/// Compares two rosters by one merge of their sorted people. A changed code is a changed key, so it
/// shows as one person gone and one added.
pub fn difference(old: &Roster, new: &Roster) -> Difference {
    let groups = translation(&old.group_sets, &new.group_sets);
    let regions = translation(&old.regions, &new.regions);
    let mut difference = Difference::default();
    let (mut at_old, mut at_new) = (0, 0);
    loop {
        let order = match (old.people.get(at_old), new.people.get(at_new)) {
            (None, None) => return difference,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => before.key.cmp(&after.key),
        };
        match order {
            Ordering::Less => difference.gone.push(at_old as u32),
            Ordering::Greater => difference.added.push(at_new as u32),
            Ordering::Equal => {
                let (before, after) = (&old.people[at_old], &new.people[at_new]);
                let changed = Changed {
                    old: at_old as u32,
                    new: at_new as u32,
                    name: before.name_tag != after.name_tag,
                    phone: before.detail_tag != after.detail_tag,
                    birth_date: before.born != after.born,
                    region: regions[usize::from(before.region)] != Some(after.region),
                    groups: groups[usize::from(before.groups.0)] != Some(after.groups.0),
                };
                if changed.name
                    || changed.phone
                    || changed.birth_date
                    || changed.region
                    || changed.groups
                {
                    difference.changed.push(changed);
                } else {
                    difference.unchanged += 1;
                }
            }
        }
        at_old += usize::from(order.is_le());
        at_new += usize::from(order.is_ge());
    }
}

/// For each member of the old table, its index in the new one: two files need not have met the
/// same regions and groups.
fn translation<T: Eq + std::hash::Hash>(old: &[T], new: &[T]) -> Vec<Option<u16>> {
    let places: HashMap<&T, u16> = new.iter().zip(0..=u16::MAX).collect();
    old.iter()
        .map(|member| places.get(member).copied())
        .collect()
}

/// A telephone number as it is compared: its digits, and the plus sign of a country code.
pub fn comparable_phone(phone: &str) -> String {
    let kept = |c: &char| c.is_ascii_digit() || *c == '+';
    phone.chars().filter(kept).collect()
}

#[cfg(test)]
mod tests;
