//! The roster file: `name,birth_date,code,phone,region,groups`, one person a row.
//!
//! Owns checking the rows and turning them into pseudonyms and sealed contacts. Names, telephone
//! numbers and codes live only as long as their batch; a report repeats none of them.
//!
//! Invariants: a prepared roster holds each code once and each person once; equal files under equal
//! keys have equal digests, whatever the order of their rows.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::Path;

use jiff::civil::Date;
use rayon::prelude::*;
use ring::digest::{Context, SHA256};

use crate::clock::Entropy;
use crate::domain::ids::PersonKey;
use crate::domain::roster::contact::Contact;
use crate::domain::roster::{
    GroupSetIndex, Roster, RosterPerson, comparable_name, comparable_phone,
};
use crate::domain::time::Day;
use crate::keys::Keys;

use super::field::{self, REGION_NUMBERS};
use super::report::{Reason, Report};
use super::table::{Row, scan};

mod tables;

use tables::{GroupSets, regions};

const COLUMNS: &[&str] = &["name", "birth_date", "code", "phone", "region", "groups"];
const NAME: usize = 0;
const BIRTH_DATE: usize = 1;
const CODE: usize = 2;
const PHONE: usize = 3;
const REGION: usize = 4;
const GROUPS: usize = 5;
/// A draft without a region; regions have numbers below `REGION_NUMBERS`.
const NO_REGION: u32 = REGION_NUMBERS as u32;

/// A roster file that was found good: what to store, not yet stored.
pub struct PreparedRoster {
    /// Version 0: who stores it gives it its number.
    pub roster: Roster,
    pub contacts: SealedContacts,
    /// SHA-256 of `Roster::digest_input`.
    pub digest: [u8; 32],
}

impl PreparedRoster {
    /// The vault's rows in ascending order of key.
    pub fn vault(&self) -> impl ExactSizeIterator<Item = (PersonKey, &[u8])> {
        let keys = self.roster.people.iter().map(|person| person.key);
        let sealed = (0..self.contacts.len()).map(|at| self.contacts.sealed(at));
        keys.zip(sealed)
    }
}

/// The sealed contacts of a roster's people, by the same index; a few large pieces instead of an
/// allocation for each person.
#[derive(Default)]
pub struct SealedContacts {
    pieces: Vec<Box<[u8]>>,
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    piece: u32,
    from: u32,
    length: u16,
}

impl SealedContacts {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The sealed contact of the person at an index of the roster's `people`.
    pub fn sealed(&self, at: usize) -> &[u8] {
        self.of(self.places[at])
    }

    fn of(&self, place: Place) -> &[u8] {
        let from = place.from as usize;
        &self.pieces[place.piece as usize][from..from + usize::from(place.length)]
    }
}

/// A checked row: 64 bytes, kept until the last row is read.
struct Draft {
    person: RosterPerson,
    line: u32,
    region: u32,
    place: Place,
    /// Of name, date of birth, telephone number and region: equal for the same person.
    likeness: u64,
}

#[derive(Default)]
struct Chunk {
    drafts: Vec<Draft>,
    sealed: Vec<u8>,
    plain: Vec<u8>,
    /// The sets of groups of this chunk, by the text of the field.
    group_sets: Vec<Vec<String>>,
    set_of: HashMap<Vec<u8>, u16>,
}

/// Reads a roster file at a path; see `read`.
pub fn read_file(
    path: &Path,
    keys: &Keys,
    entropy: &Entropy,
    today: Day,
) -> Result<PreparedRoster, Report> {
    let file = File::open(path).map_err(|cause| Report::unreadable("roster", path, &cause))?;
    read(file, keys, entropy, today)
}

/// Reads a roster file: everything that can be wrong in it is in the report. Nobody on it may be
/// born after `today`.
pub fn read(
    source: impl Read + Send,
    keys: &Keys,
    entropy: &Entropy,
    today: Day,
) -> Result<PreparedRoster, Report> {
    let mut drafts = Vec::new();
    let mut contacts = SealedContacts::default();
    let mut sets = GroupSets::default();
    let mut report = scan(
        "roster",
        COLUMNS,
        source,
        |row, chunk: &mut Chunk, report| check(row, chunk, report, keys, entropy, today),
        |chunk| {
            let piece = contacts.pieces.len() as u32;
            let of_chunk: Vec<_> = chunk
                .group_sets
                .into_iter()
                .map(|set| sets.index(set))
                .collect();
            contacts.pieces.push(chunk.sealed.into_boxed_slice());
            drafts.extend(chunk.drafts.into_iter().map(|mut draft| {
                draft.place.piece = piece;
                draft.person.groups = of_chunk[usize::from(draft.person.groups.0)];
                draft
            }));
        },
    );
    drafts.par_sort_unstable_by_key(|draft| (draft.person.key, draft.line));
    report_same_codes(&drafts, &mut report);
    report_same_people(&drafts, &contacts, keys, &mut report);
    let (group_sets, set_places) = sets.sorted();
    let (regions, region_places) = regions(drafts.iter().map(|draft| draft.region));
    for (table, length) in [
        ("sets of groups", group_sets.len()),
        ("regions", regions.len()),
    ] {
        if length > 1 << 16 {
            report.add(None, "", Reason::TooMany, || {
                format!("has {length} different {table}; at most 65,536 fit")
            });
        }
    }
    report.judge(|| {
        contacts.places = drafts.iter().map(|draft| draft.place).collect();
        let people = drafts.into_iter().map(|draft| RosterPerson {
            groups: set_places[usize::from(draft.person.groups.0)],
            region: region_places[draft.region as usize],
            ..draft.person
        });
        let roster = Roster {
            version: 0,
            people: people.collect(),
            group_sets,
            regions,
        };
        let mut digest = Context::new(&SHA256);
        roster.digest_input(|piece| digest.update(piece));
        let digest = digest.finish().as_ref().try_into();
        PreparedRoster {
            roster,
            contacts,
            digest: digest.expect("SHA-256 gives 32 bytes"),
        }
    })
}

/// Checks one row: every field, so that a report names all that is wrong with it.
fn check(
    row: &Row<'_>,
    chunk: &mut Chunk,
    report: &mut Report,
    keys: &Keys,
    entropy: &Entropy,
    today: Day,
) {
    let name = row.read(NAME, report, field::name);
    let born = row.read(BIRTH_DATE, report, |text| field::birth_date(text, today));
    let code = row.read(CODE, report, field::code);
    let phone = row.read(PHONE, report, field::phone);
    let region = row.read(REGION, report, |text| match text {
        "" => Ok(NO_REGION),
        _ => field::region(text),
    });
    let groups = match chunk.set_of.get(row.bytes(GROUPS)) {
        Some(&known) => Some(known),
        None => row.read(GROUPS, report, field::groups).map(|set| {
            let index = chunk.group_sets.len() as u16;
            chunk.group_sets.push(set);
            chunk.set_of.insert(row.bytes(GROUPS).to_vec(), index);
            index
        }),
    };
    let (Some(name), Some(born), Some(code), Some(phone), Some(region), Some(groups)) =
        (name, born, code, phone, region, groups)
    else {
        return;
    };
    let key = keys.person_key(code);
    let name = name.trim();
    chunk.plain.clear();
    Contact::encode(name, phone, &mut chunk.plain);
    let from = chunk.sealed.len();
    keys.seal_into(entropy.bytes(), key, &chunk.plain, &mut chunk.sealed);
    chunk.drafts.push(Draft {
        person: RosterPerson {
            key,
            name_tag: keys.name_tag(key, name),
            detail_tag: keys.detail_tag(key, phone),
            born,
            groups: GroupSetIndex(groups),
            region: 0,
        },
        line: u32::try_from(row.line).unwrap_or(u32::MAX),
        region,
        place: Place {
            piece: 0,
            from: from as u32,
            length: (chunk.sealed.len() - from) as u16,
        },
        likeness: likeness(
            &comparable_name(name),
            &comparable_phone(phone),
            born,
            region,
        ),
    });
}

/// A hash that only points at pairs to compare: it is not keyed, and never leaves this reading.
fn likeness(name: &str, phone: &str, born: Day, region: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (name, phone, born, region).hash(&mut hasher);
    hasher.finish()
}

fn report_same_codes(drafts: &[Draft], report: &mut Report) {
    let pairs = drafts
        .windows(2)
        .filter(|pair| pair[0].person.key == pair[1].person.key)
        .map(|pair| (pair[1].line, pair[0].line))
        .collect();
    report.add_pairs(pairs, COLUMNS[CODE], Reason::SameCodeTwice, |first| {
        format!("has the same code as line {first}")
    });
}

/// Reports rows that are equal in name, date of birth, telephone number and region under different
/// codes. The hash finds the pairs; the sealed contacts decide.
fn report_same_people(
    drafts: &[Draft],
    contacts: &SealedContacts,
    keys: &Keys,
    report: &mut Report,
) {
    let opened = |draft: &Draft| {
        let contact = keys.open(draft.person.key, contacts.of(draft.place));
        let contact = contact
            .ok()
            .and_then(|bytes| Contact::decode(&bytes).ok())?;
        let name = comparable_name(&contact.name);
        let phone = comparable_phone(&contact.phone);
        Some((name, phone, draft.person.born, draft.region))
    };
    let mut alike: Vec<(u64, u32)> = drafts
        .iter()
        .zip(0..)
        .map(|(draft, at)| (draft.likeness, at))
        .collect();
    alike.par_sort_unstable_by_key(|&(likeness, at)| (likeness, drafts[at as usize].line));
    let mut pairs = Vec::new();
    for group in alike.chunk_by(|one, other| one.0 == other.0) {
        let [(_, first), others @ ..] = group else {
            continue;
        };
        let first = &drafts[*first as usize];
        let again = others.iter().map(|(_, at)| &drafts[*at as usize]);
        let again = again.filter(|again| again.person.key != first.person.key);
        let same = again.filter(|again| opened(again) == opened(first));
        pairs.extend(same.map(|again| (again.line, first.line)));
    }
    report.add_pairs(pairs, "", Reason::SamePersonTwice, |first| {
        format!(
            "is the same person as line {first} under another code: \
             name, birth date, phone and region are equal"
        )
    });
}

/// One row of a roster file to be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonLine {
    pub name: String,
    pub birth_date: Date,
    pub code: String,
    pub phone: String,
    pub region: String,
    pub groups: Vec<String>,
}

/// Writes a roster file that `read` takes.
pub fn write_csv(people: impl IntoIterator<Item = PersonLine>, into: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(into);
    writer.write_record(COLUMNS)?;
    let (mut date, mut groups) = (String::new(), String::new());
    for person in people {
        date.clear();
        groups.clear();
        super::write_date(&mut date, person.birth_date);
        for group in &person.groups {
            if !groups.is_empty() {
                groups.push(';');
            }
            groups.push_str(group);
        }
        writer.write_record([
            &person.name,
            &date,
            &person.code,
            &person.phone,
            &person.region,
            &groups,
        ])?;
    }
    writer.flush()
}
