//! The tables of a campaign file that can be repeated: cohorts, openings, vaccines.
//!
//! Owns their values, and the names between them: ids that are unique, cohorts that exist.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use jiff::civil::{Date, date};

use super::local::{read_date, read_local};
use super::source::{Section, Source, Value, quote};
use super::{COHORTS_MAX, Cohort, GROUPS_MAX, OPENINGS_MAX, Opening, VACCINES_MAX, Vaccine};
use crate::domain::ids::{CampaignId, LineIndex};
use crate::domain::roster::group;
use crate::domain::time::{Stamp, Zone};

/// Birth dates before this are typing errors: nobody alive was born then.
const BORN_MIN: Date = date(1850, 1, 1);
/// Birth dates after this are typing errors.
const BORN_MAX: Date = date(2199, 12, 31);
/// The birth dates of a cohort that names none.
pub const BORN_ANY: (Date, Date) = (BORN_MIN, BORN_MAX);
/// Years in which an opening can be.
const OPENING_YEARS: RangeInclusive<i16> = 2000..=2199;

/// Positions by id.
pub(super) type Positions = HashMap<String, usize>;

/// A table of the file and the line at which it begins, from 1; none where an error was reported.
pub(super) type Lined<T> = (Option<T>, u32);

/// The cohorts, and where each id is; a cohort with a fault keeps its place.
pub(super) fn read_cohorts(root: &Section, source: &mut Source) -> (Vec<Lined<Cohort>>, Positions) {
    let mut ids = Positions::new();
    let mut cohorts = Vec::new();
    for section in root.tables(source, "cohort", COHORTS_MAX) {
        let id = read_id(&section, source, &mut ids, cohorts.len());
        let line = source.line(section.at);
        cohorts.push((read_cohort(&section, source, id), line));
    }
    (cohorts, ids)
}

pub(super) fn read_openings(
    root: &Section,
    source: &mut Source,
    zone: Option<&Zone>,
    cohort_ids: &Positions,
) -> Vec<Lined<Opening>> {
    let sections = root.tables(source, "opening", OPENINGS_MAX);
    sections
        .iter()
        .map(|section| {
            let line = source.line(section.at);
            (read_opening(section, source, zone, cohort_ids), line)
        })
        .collect()
}

pub(super) fn read_vaccines(root: &Section, source: &mut Source) -> Vec<Option<Vaccine>> {
    let mut ids = Positions::new();
    let mut vaccines = Vec::new();
    for section in root.tables(source, "vaccine", VACCINES_MAX) {
        let id = read_id(&section, source, &mut ids, vaccines.len());
        vaccines.push(read_vaccine(&section, source, id));
    }
    vaccines
}

pub(super) fn id_fault(text: &str) -> String {
    format!(
        "{} is not an id: use 1 to 64 of a-z, 0-9 and `-`",
        quote(text)
    )
}

/// The id of a table at `position`: the letters of a campaign's, and no other table's.
fn read_id(
    section: &Section,
    source: &mut Source,
    ids: &mut Positions,
    position: usize,
) -> Option<String> {
    let value = section.need(source, "id")?;
    let text = section.text(source, value, "id")?;
    let id = CampaignId::try_from(text.to_owned()).map_err(|_| id_fault(text));
    let id = String::from(section.told(source, value, id)?);
    if let Some(first) = ids.get(&id) {
        let why = format!(
            "the id {} is used twice: number {} has it",
            quote(&id),
            first + 1
        );
        return section.told(source, value, Err(why));
    }
    ids.insert(id.clone(), position);
    Some(id)
}

fn read_cohort(section: &Section, source: &mut Source, id: Option<String>) -> Option<Cohort> {
    section.only(source, &["id", "born", "groups_any"]);
    let groups_any = match section.get("groups_any") {
        None => Some(Vec::new()),
        Some(value) => read_groups(section, source, value),
    };
    let born = match section.get("born") {
        Some(value) => read_born(section, source, value),
        None if groups_any.as_ref().is_some_and(|groups| !groups.is_empty()) => Some(BORN_ANY),
        None => {
            let why = format!(
                "{} needs `born` or `groups_any`: who is in it?",
                section.name
            );
            source.error(section.at, why);
            None
        }
    };
    Some(Cohort {
        id: id?,
        born: born?,
        groups_any: groups_any?,
    })
}

fn read_born(section: &Section, source: &mut Source, value: Value) -> Option<(Date, Date)> {
    let [first, last] = section.array(source, value, "born")? else {
        let why = "born must have two dates, the first and the last, both included";
        source.error(value.span().start, format!("{}: {why}", section.name));
        return None;
    };
    let mut read = |value| {
        let text = section.text(source, value, "born")?;
        let born = read_date(text).and_then(|born| {
            let fits = (BORN_MIN..=BORN_MAX).contains(&born);
            fits.then_some(born).ok_or_else(|| {
                format!(
                    "nobody is born on {}: use {BORN_MIN} to {BORN_MAX}",
                    quote(text)
                )
            })
        });
        section.told(source, value, born)
    };
    let (first, last) = (read(first), read(last));
    let (first, last) = (first?, last?);
    if first > last {
        let why = format!("nobody can be in it: {first} is after {last}");
        source.error(value.span().start, format!("{}: {why}", section.name));
        return None;
    }
    Some((first, last))
}

fn read_groups(section: &Section, source: &mut Source, value: Value) -> Option<Vec<String>> {
    let mut groups: Vec<String> = Vec::new();
    let mut sound = true;
    for value in section.array(source, value, "groups_any")? {
        let group = section.text(source, value, "groups_any").and_then(|text| {
            let why = match group::read(text) {
                Ok(group) if groups.contains(&group) => "the group is named twice".to_owned(),
                Ok(group) => return Some(group),
                Err(why) => why,
            };
            section.told(source, value, Err(format!("{}: {why}", quote(text))))
        });
        match group {
            Some(group) => groups.push(group),
            None => sound = false,
        }
    }
    if groups.len() > GROUPS_MAX {
        source.error(value.span().start, format!("at most {GROUPS_MAX} groups"));
        return None;
    }
    sound.then_some(groups)
}

fn read_opening(
    section: &Section,
    source: &mut Source,
    zone: Option<&Zone>,
    cohort_ids: &Positions,
) -> Option<Opening> {
    section.only(
        source,
        &["cohorts", "from", "until", "birth_day_last_digits"],
    );
    let cohorts = section.need(source, "cohorts");
    let cohorts = cohorts.and_then(|list| read_cohort_names(section, source, list, cohort_ids));
    let from = read_end(section, source, "from", zone);
    let until = read_end(section, source, "until", zone);
    let digits = match section.get("birth_day_last_digits") {
        None => Some(Vec::new()),
        Some(value) => read_digits(section, source, value),
    };
    let (from, until) = (from?, until?);
    if until <= from {
        let why = "is empty: `until` must be after `from`; it is not part of the opening";
        source.error(section.at, format!("{} {why}", section.name));
        return None;
    }
    Some(Opening {
        cohorts: cohorts?,
        from,
        until,
        birth_day_last_digits: digits?,
        // Known when all are: the file's order.
        line: LineIndex(0),
    })
}

fn read_cohort_names(
    section: &Section,
    source: &mut Source,
    list: Value,
    cohort_ids: &Positions,
) -> Option<Vec<usize>> {
    let values = section.array(source, list, "cohorts")?;
    if values.is_empty() {
        source.error(
            list.span().start,
            format!("{} is for no cohort", section.name),
        );
        return None;
    }
    let mut cohorts = Vec::new();
    let mut sound = true;
    for value in values {
        let index = section.text(source, value, "cohorts").and_then(|text| {
            let index = match cohort_ids.get(text) {
                Some(index) if cohorts.contains(index) => {
                    Err(format!("cohort {} is named twice", quote(text)))
                }
                Some(index) => Ok(*index),
                None => Err(format!("no [[cohort]] has the id {}", quote(text))),
            };
            section.told(source, value, index)
        });
        match index {
            Some(index) => cohorts.push(index),
            None => sound = false,
        }
    }
    cohorts.sort_unstable();
    sound.then_some(cohorts)
}

fn read_end(
    section: &Section,
    source: &mut Source,
    key: &str,
    zone: Option<&Zone>,
) -> Option<Stamp> {
    let value = section.need(source, key)?;
    let text = section.text(source, value, key)?;
    let local = read_local(text).and_then(|local| {
        let fits = OPENING_YEARS.contains(&local.year());
        fits.then_some(local)
            .ok_or_else(|| format!("{} is not in the years 2000 to 2199", quote(text)))
    });
    let local = section.told(source, value, local.map_err(|why| format!("{key}: {why}")))?;
    let stamp = zone?
        .resolve(local)
        .map_err(|fault| format!("{key}: {fault}"));
    section.told(source, value, stamp)
}

fn read_digits(section: &Section, source: &mut Source, value: Value) -> Option<Vec<u8>> {
    let mut digits: Vec<u8> = Vec::new();
    let mut sound = true;
    for value in section.array(source, value, "birth_day_last_digits")? {
        match section.number::<u8>(source, value, "birth_day_last_digits", 0..=9) {
            Some(digit) if digits.contains(&digit) => {
                let why = format!("{} names the digit {digit} twice", section.name);
                source.error(value.span().start, why);
                sound = false;
            }
            Some(digit) => digits.push(digit),
            None => sound = false,
        }
    }
    digits.sort_unstable();
    sound.then_some(digits)
}

fn read_vaccine(section: &Section, source: &mut Source, id: Option<String>) -> Option<Vaccine> {
    section.only(source, &["id", "doses", "interval_days"]);
    let doses = section.need(source, "doses");
    let doses = doses.and_then(|doses| section.number::<u8>(source, doses, "doses", 1..=2));
    let interval_days = match section.get("interval_days") {
        None => Some(0),
        Some(value) => section.number::<u16>(source, value, "interval_days", 0..=365),
    };
    let (doses, interval_days) = (doses?, interval_days?);
    let at = section
        .get("interval_days")
        .map_or(section.at, |value| value.span().start);
    if doses == 2 && interval_days == 0 {
        let why = "needs `interval_days` of at least 1: the days to the second dose";
        source.error(at, format!("{} {why}", section.name));
        return None;
    }
    if doses == 1 && interval_days > 0 {
        let why = "has one dose: `interval_days` must be 0 or left out";
        source.error(at, format!("{} {why}", section.name));
        return None;
    }
    Some(Vaccine {
        id: id?,
        doses,
        interval_days,
    })
}
