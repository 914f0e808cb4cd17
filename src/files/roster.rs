//! The roster file: `name,birth_date,code,phone,region,groups`, one person a row.
//!
//! Owns checking the rows and turning them into pseudonyms and sealed contacts. Names, telephone
//! numbers and codes live only as long as their batch; a report repeats none of them. Sealed
//! contacts go into a file as they are made: only what the roster itself needs is kept in memory.
//!
//! Invariants: a prepared roster holds each code once and each person once; equal files under equal
//! keys have equal digests, whatever the order of their rows.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read, Write};
use std::path::Path;

use jiff::civil::Date;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clock::Entropy;
use crate::domain::personal::{NOTHING_ERASED, VaultState};
use crate::domain::roster::contact::Contact;
use crate::domain::roster::digest::RosterDigest;
use crate::domain::roster::{GroupSetIndex, Roster, RosterPerson, comparable_phone};
use crate::domain::spelling::comparable_name;
use crate::domain::spelling::phone::{self, Country};
use crate::domain::time::Day;
use crate::keys::{Keys, PersonalKeys, SEAL_BYTES};

use super::decode::Encoding;
use super::field::{self, REGION_NUMBERS};
use super::header::{Column, column, names};
use super::report::{Reason, Report, SHOWN_MAX};
use super::table::{Row, scan};

mod sealed;
mod tables;

pub use sealed::SealedContacts;
use tables::{GroupSets, regions};

const COLUMNS: &[Column] = &[
    column("name", &["이름", "성명", "성함"]),
    column("birth_date", &["생년월일", "생일"]),
    column(
        "code",
        &[
            "예약번호",
            "초대코드",
            "코드",
            "예약코드",
            "invitation code",
        ],
    ),
    column(
        "phone",
        &[
            "전화번호",
            "전화",
            "휴대전화",
            "휴대전화번호",
            "휴대폰",
            "휴대폰번호",
            "연락처",
            "telephone",
        ],
    ),
    column(
        "region",
        &["지역", "지역코드", "시군구", "시군구코드", "행정구역"],
    ),
    column("groups", &["대상군", "집단", "그룹", "group"]),
];
const NAME: usize = 0;
const BIRTH_DATE: usize = 1;
const CODE: usize = 2;
const PHONE: usize = 3;
const REGION: usize = 4;
const GROUPS: usize = 5;
/// People of one name and birth date that a row is compared with; more are not looked at, so that a
/// file of one name costs no square of its rows.
const SAME_NAME_LOOK_MAX: usize = 1_000;
/// A draft without a region; regions have numbers below `REGION_NUMBERS`.
const NO_REGION: u32 = REGION_NUMBERS as u32;

/// A roster file that was found good: what to store, not yet stored.
pub struct PreparedRoster {
    /// Version 0: who stores it gives it its number.
    pub roster: Roster,
    pub contacts: SealedContacts,
    pub digest: RosterDigest,
    /// The people who were not on the roster in force, in order of key; none if it had nobody.
    pub strangers: Vec<Stranger>,
    /// Rows that look like one person under two codes.
    pub same_people: SamePeople,
    pub likeness: Likeness,
}

/// A person who was not on the roster in force: perhaps somebody known under a new code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stranger {
    /// The index in the new roster's `people`.
    pub at: u32,
    /// The line of the file.
    pub line: u32,
    pub alike: Alike,
}

/// Hashes that are equal for people of one name and birth date, and of one telephone number. They
/// are keyed anew for each reading, and never leave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Alike {
    pub name_and_birth: u64,
    /// 0 for no number.
    pub phone: u32,
}

/// The key of the hashes of one reading, and the country whose numbers need not say theirs.
#[derive(Default)]
pub struct Likeness {
    key: RandomState,
    country: Country,
}

impl Likeness {
    /// The telephone number is one that a roster has, now or as an earlier version of the program
    /// kept it.
    pub fn of(&self, name: &str, born: Day, phone: &str) -> Alike {
        let phone = phone::read(phone, self.country).unwrap_or_else(|_| comparable_phone(phone));
        Alike {
            name_and_birth: self.key.hash_one((comparable_name(name), born)),
            phone: match phone.as_str() {
                "" => 0,
                phone => (self.key.hash_one(phone) as u32).max(1),
            },
        }
    }
}

/// Rows equal in name, birth date, telephone number and region under different codes, when they
/// are not refused: the first of them by line, and how many there are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SamePeople {
    /// The line, and the earlier line that it is like.
    pub lines: Vec<(u32, u32)>,
    pub total: u64,
}

/// What to do with rows that look like one person under two codes: twins who share a telephone, or
/// two people of one name, are as possible as a mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamePerson {
    #[default]
    Warn,
    Refuse,
}

/// A checked row: 64 bytes, kept until the last row is read.
struct Draft {
    person: RosterPerson,
    line: u32,
    region: u32,
    phone: u32,
    name_and_birth: u64,
    /// As in `SealedContacts::places`; within the chunk at first.
    place: u64,
}

const _: () = assert!(size_of::<Draft>() == 64);

#[derive(Default)]
struct Chunk {
    drafts: Vec<Draft>,
    sealed: Vec<u8>,
    plain: Vec<u8>,
    /// The sets of groups of this chunk, by the text of the field.
    group_sets: Vec<Vec<String>>,
    set_of: HashMap<Vec<u8>, u16>,
}

/// How a roster file is read.
pub struct Reading<'a> {
    pub keys: &'a Keys,
    pub entropy: &'a Entropy,
    /// Nobody on the roster may be born after it.
    pub today: Day,
    /// The roster in force: rows that did not change are not sealed again.
    pub in_force: &'a Roster,
    /// Whose rows were erased: they are sealed again if the file has them still.
    pub vault: &'a VaultState,
    pub same_person: SamePerson,
    pub encoding: Encoding,
    /// The country of telephone numbers that do not say theirs.
    pub country: Country,
    /// How many faults a report has, and how many rows that look like one person are told.
    pub faults_max: usize,
    /// Where sealed rows go.
    pub contacts: SealedContacts,
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

/// Reads a roster file as the first one, with its sealed rows in memory.
pub fn read(
    source: impl Read + Send,
    keys: &Keys,
    entropy: &Entropy,
    today: Day,
) -> Result<PreparedRoster, Report> {
    let reading = Reading {
        keys,
        entropy,
        today,
        in_force: &Roster::default(),
        vault: &NOTHING_ERASED,
        same_person: SamePerson::default(),
        encoding: Encoding::default(),
        country: Country::default(),
        faults_max: SHOWN_MAX,
        contacts: SealedContacts::in_memory(),
    };
    reading.read(source)
}

impl Reading<'_> {
    /// Reads a roster file: everything that can be wrong in it is in the report.
    pub fn read(mut self, source: impl Read + Send) -> Result<PreparedRoster, Report> {
        let mut drafts: Vec<Draft> = Vec::new();
        let mut contacts = std::mem::replace(&mut self.contacts, SealedContacts::not_wanted());
        let seals = contacts.are_wanted();
        let mut sets = GroupSets::default();
        let likeness = Likeness {
            country: self.country,
            ..Likeness::default()
        };
        let personal = self.keys.personal(self.in_force.personal_keys);
        let personal = personal.expect("a folder is opened with the keys of its roster");
        let mut not_kept = None;
        let mut report = scan(
            "roster",
            COLUMNS,
            source,
            self.encoding,
            |row, chunk: &mut Chunk, report| {
                self.check(row, chunk, report, &likeness, &personal, seals)
            },
            |chunk| {
                let from = contacts.append(&chunk.sealed).unwrap_or_else(|fault| {
                    not_kept.get_or_insert(fault);
                    0
                });
                let of_chunk: Vec<_> = chunk
                    .group_sets
                    .into_iter()
                    .map(|set| sets.index(set))
                    .collect();
                drafts.extend(chunk.drafts.into_iter().map(|mut draft| {
                    if draft.place > 0 {
                        draft.place += from;
                    }
                    draft.person.groups = of_chunk[usize::from(draft.person.groups.0)];
                    draft
                }));
            },
        );
        if let Some(fault) = not_kept {
            report.add(None, "", Reason::Unreadable, || {
                format!("the sealed rows can't be kept in the data folder: {fault}")
            });
        }
        drafts.par_sort_unstable_by_key(|draft| (draft.person.key, draft.line));
        report_same_codes(&drafts, &mut report);
        let same_people = same_people(&drafts);
        let mut told = SamePeople::default();
        match self.same_person {
            SamePerson::Warn => {
                told.total = same_people.len() as u64;
                told.lines = same_people.into_iter().take(self.faults_max).collect();
            }
            SamePerson::Refuse => report_same_people(same_people, &mut report),
        }
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
        report.judge(self.faults_max, || {
            let strangers = strangers(&drafts, self.in_force);
            contacts.places = drafts.iter().map(|draft| draft.place).collect();
            let people = drafts.into_iter().map(|draft| RosterPerson {
                groups: set_places[usize::from(draft.person.groups.0)],
                region: region_places[draft.region as usize],
                ..draft.person
            });
            let roster = Roster {
                people: people.collect(),
                group_sets,
                regions,
                ..Roster::default()
            };
            PreparedRoster {
                digest: RosterDigest::of_people(&roster),
                roster,
                contacts,
                strangers,
                same_people: told,
                likeness,
            }
        })
    }

    /// Checks one row: every field, so that a report names all that is wrong with it.
    fn check(
        &self,
        row: &Row<'_>,
        chunk: &mut Chunk,
        report: &mut Report,
        likeness: &Likeness,
        personal: &PersonalKeys,
        seals: bool,
    ) {
        let name = row.read_spelled(NAME, report, field::name);
        let born = row.read_spelled(BIRTH_DATE, report, |text| {
            field::birth_date(text, self.today)
        });
        let code = row.read_spelled(CODE, report, field::code);
        let phone = row.read_spelled(PHONE, report, |text| field::telephone(text, self.country));
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
        let key = self.keys.person_key(code);
        let name = name.trim();
        let (name_tag, detail_tag) = (
            personal.name_tag(key, name),
            personal.detail_tag(key, &phone),
        );
        let is_known = |known: &RosterPerson| {
            known.has_contact(name_tag, detail_tag) && !self.vault.is_erased(&key)
        };
        let mut place = 0;
        if seals && !self.in_force.find(&key).is_some_and(is_known) {
            place = chunk.sealed.len() as u64 + 1;
            chunk.plain.clear();
            Contact::encode(name, &phone, &mut chunk.plain);
            let length = (chunk.plain.len() + SEAL_BYTES) as u16;
            chunk.sealed.extend_from_slice(&length.to_le_bytes());
            let nonce = self.entropy.bytes();
            personal.seal_into(nonce, key, &chunk.plain, &mut chunk.sealed);
        }
        let alike = likeness.of(name, born, &phone);
        chunk.drafts.push(Draft {
            person: RosterPerson {
                key,
                name_tag,
                detail_tag,
                born,
                groups: GroupSetIndex(groups),
                region: 0,
            },
            line: u32::try_from(row.line).unwrap_or(u32::MAX),
            region,
            phone: alike.phone,
            name_and_birth: alike.name_and_birth,
            place,
        });
    }
}

/// The people who are not on the roster in force; nobody if it is empty, when all are.
fn strangers(drafts: &[Draft], in_force: &Roster) -> Vec<Stranger> {
    if in_force.people.is_empty() {
        return Vec::new();
    }
    let stranger = |(draft, at): (&Draft, u32)| Stranger {
        at,
        line: draft.line,
        alike: Alike {
            name_and_birth: draft.name_and_birth,
            phone: draft.phone,
        },
    };
    let drafts = drafts.iter().zip(0..);
    let unknown = drafts.filter(|(draft, _)| in_force.find(&draft.person.key).is_none());
    unknown.map(stranger).collect()
}

fn report_same_codes(drafts: &[Draft], report: &mut Report) {
    let pairs = drafts
        .windows(2)
        .filter(|pair| pair[0].person.key == pair[1].person.key)
        .map(|pair| (pair[1].line, pair[0].line))
        .collect();
    report.add_pairs(pairs, COLUMNS[CODE].name, Reason::SameCodeTwice, |first| {
        format!("has the same code as line {first}")
    });
}

/// Lines of rows that are equal in name, date of birth, telephone number and region under different
/// codes, each with the first line that it is like; in order of line.
fn same_people(drafts: &[Draft]) -> Vec<(u32, u32)> {
    let mut alike: Vec<(u64, u32)> = drafts
        .iter()
        .zip(0..)
        .map(|(draft, at)| (draft.name_and_birth, at))
        .collect();
    alike.par_sort_unstable_by_key(|&(hash, at)| (hash, drafts[at as usize].line));
    let mut pairs = Vec::new();
    for group in alike.chunk_by(|one, other| one.0 == other.0) {
        for (position, (_, at)) in group.iter().enumerate() {
            let again = &drafts[*at as usize];
            let earlier = group[..position]
                .iter()
                .map(|(_, at)| &drafts[*at as usize]);
            let is_same = |first: &&Draft| {
                (first.phone, first.region) == (again.phone, again.region)
                    && first.person.key != again.person.key
            };
            let first = earlier.take(SAME_NAME_LOOK_MAX).find(is_same);
            pairs.extend(first.map(|first| (again.line, first.line)));
        }
    }
    pairs.sort_unstable();
    pairs
}

fn report_same_people(pairs: Vec<(u32, u32)>, report: &mut Report) {
    report.add_pairs(pairs, "", Reason::SamePersonTwice, |first| {
        format!(
            "is the same person as line {first} under another code: \
             name, birth date, phone and region are equal; if they are two people, import with \
             --same-person=warn"
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
    writer.write_record(names(COLUMNS))?;
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
