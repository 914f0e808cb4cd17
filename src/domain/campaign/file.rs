//! From TOML to a draft: the keys, types and single values of a campaign file.
//!
//! Owns what can be said about one table by itself, and the names between tables. What needs
//! several tables at once (overlaps, cohorts that nobody can be in) is for `check`.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::RangeInclusive;

use jiff::civil::{Date, date};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::local::{read_date, read_local};
use super::source::{Section, Source, quote};
use super::{
    BookingRules, COHORTS_MAX, Cohort, GROUPS_MAX, GateRules, IdentityField, LocalizedText,
    OPENINGS_MAX, Opening, Order, VACCINES_MAX, Vaccine,
};
use crate::domain::ids::CampaignId;
use crate::domain::time::{Stamp, Zone};

/// Birth dates before this are typing errors: nobody alive was born then.
pub(super) const BORN_MIN: Date = date(1850, 1, 1);
/// Birth dates after this are typing errors.
pub(super) const BORN_MAX: Date = date(2199, 12, 31);
/// Years in which an opening can be.
const OPENING_YEARS: RangeInclusive<i16> = 2000..=2199;

/// What a file says, with `None` where an error has been reported.
pub(super) struct Draft {
    pub id: Option<CampaignId>,
    pub name: Option<LocalizedText>,
    pub zone: Option<Zone>,
    pub identity: Option<Vec<IdentityField>>,
    pub cohorts: Vec<Option<Cohort>>,
    pub openings: Vec<Option<Opening>>,
    pub vaccines: Vec<Option<Vaccine>>,
    pub booking: Option<BookingRules>,
    pub gate: Option<GateRules>,
}

/// `None` when the text is not TOML: what a parser guesses after that only misleads.
pub(super) fn read(source: &mut Source) -> Option<Draft> {
    let (root, faults) = DeTable::parse_recoverable(source.text);
    let mut last_line = 0;
    for fault in &faults {
        let at = fault.span().map_or(0, |span| span.start);
        // What follows on the same line is only what the parser made of the first fault.
        if source.line(at) != last_line {
            source.error(at, format!("not TOML: {}", fault.message()));
        }
        last_line = source.line(at);
    }
    if !faults.is_empty() {
        return None;
    }
    let root = Section::new("the file", 0, root.get_ref());
    root.only(
        source,
        &[
            "campaign", "cohort", "opening", "vaccine", "booking", "gate",
        ],
    );
    root.need(source, "campaign");
    let head = root.table(source, "campaign", "[campaign]");
    let head = head.as_ref();
    if let Some(head) = head {
        head.only(source, &["id", "name", "timezone", "identity"]);
    }
    let id = head.and_then(|head| read_campaign_id(head, source));
    let name = head.and_then(|head| read_name(head, source));
    let zone = head.and_then(|head| read_zone(head, source));
    let identity = head.and_then(|head| read_identity(head, source));

    let mut cohort_ids = HashMap::new();
    let cohorts = root.tables(source, "cohort", COHORTS_MAX);
    let cohorts = cohorts
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let id = read_id(section, source);
            if let Some((id, at)) = &id {
                once(source, &mut cohort_ids, id.clone(), index, *at, "cohort id");
            }
            read_cohort(section, source, id.map(|(id, _)| id))
        })
        .collect();
    let openings = root.tables(source, "opening", OPENINGS_MAX);
    let openings = openings
        .iter()
        .map(|section| read_opening(section, source, zone.as_ref(), &cohort_ids))
        .collect();
    let mut vaccine_ids = HashMap::new();
    let vaccines = root.tables(source, "vaccine", VACCINES_MAX);
    let vaccines = vaccines
        .iter()
        .enumerate()
        .map(|(index, section)| {
            let id = read_id(section, source);
            if let Some((id, at)) = &id {
                once(
                    source,
                    &mut vaccine_ids,
                    id.clone(),
                    index,
                    *at,
                    "vaccine id",
                );
            }
            read_vaccine(section, source, id.map(|(id, _)| id))
        })
        .collect();
    let booking = read_booking(&root, source);
    let gate = read_gate(&root, source);
    Some(Draft {
        id,
        name,
        zone,
        identity,
        cohorts,
        openings,
        vaccines,
        booking,
        gate,
    })
}

type Value<'t> = &'t Spanned<DeValue<'t>>;

/// Records `key` as seen, or reports that it is repeated.
fn once<K: Hash + Eq + AsRef<str>>(
    source: &mut Source,
    seen: &mut HashMap<K, usize>,
    key: K,
    index: usize,
    at: usize,
    what: &str,
) {
    if let Some(first) = seen.get(&key) {
        let (key, first) = (quote(key.as_ref()), first + 1);
        source.error(
            at,
            format!("{what} {key} is used twice: number {first} has it already"),
        );
    } else {
        seen.insert(key, index);
    }
}

/// Reports what `read` found wrong with the text of a value.
fn told<T>(
    source: &mut Source,
    section: &Section,
    value: Value,
    read: Result<T, String>,
) -> Option<T> {
    read.map_err(|why| source.error(value.span().start, format!("{}: {why}", section.name)))
        .ok()
}

fn read_campaign_id(head: &Section, source: &mut Source) -> Option<CampaignId> {
    let value = head.need(source, "id")?;
    let text = head.text(source, value, "id")?;
    let id = CampaignId::try_from(text.to_owned()).map_err(|_| id_fault(text));
    told(source, head, value, id)
}

fn id_fault(text: &str) -> String {
    format!(
        "{} is not an id: use 1 to 64 of a-z, 0-9 and `-`",
        quote(text)
    )
}

/// The id of a cohort or vaccine, with its position; the same letters as a campaign's.
fn read_id(section: &Section, source: &mut Source) -> Option<(String, usize)> {
    let value = section.need(source, "id")?;
    let text = section.text(source, value, "id")?;
    let id = CampaignId::try_from(text.to_owned()).map_err(|_| id_fault(text));
    told(source, section, value, id).map(|id| (id.into(), value.span().start))
}

fn read_name(head: &Section, source: &mut Source) -> Option<LocalizedText> {
    head.need(source, "name")?;
    let name = head.table(source, "name", "[campaign] name = { ko = …, en = … }")?;
    name.only(source, &["ko", "en"]);
    let ko = name
        .need(source, "ko")
        .and_then(|ko| name.prose(source, ko, "ko"));
    let en = name
        .need(source, "en")
        .and_then(|en| name.prose(source, en, "en"));
    Some(LocalizedText { ko: ko?, en: en? })
}

fn read_zone(head: &Section, source: &mut Source) -> Option<Zone> {
    let value = head.need(source, "timezone")?;
    let text = head.text(source, value, "timezone")?;
    let zone = Zone::named(text).map_err(|_| {
        format!(
            "{} is not an IANA time zone; write it as Asia/Seoul",
            quote(text)
        )
    });
    told(source, head, value, zone)
}

fn read_identity(head: &Section, source: &mut Source) -> Option<Vec<IdentityField>> {
    let list = head.need(source, "identity")?;
    let mut fields = Vec::new();
    let mut sound = true;
    for value in head.array(source, list, "identity")? {
        let known = [
            IdentityField::Name,
            IdentityField::BirthDate,
            IdentityField::Code,
        ];
        let text = head.text(source, value, "identity");
        let field = text.and_then(|text| {
            let field = known.into_iter().find(|field| field.name() == text);
            let why = || {
                format!(
                    "identity knows name, birth_date and code, not {}",
                    quote(text)
                )
            };
            told(source, head, value, field.ok_or_else(why))
        });
        match field {
            Some(field) if fields.contains(&field) => {
                let message = format!("identity names `{}` twice", field.name());
                source.error(value.span().start, message);
                sound = false;
            }
            Some(field) => fields.push(field),
            None => sound = false,
        }
    }
    if sound && !fields.contains(&IdentityField::Code) {
        let why = "identity must have `code`: people share names and birth dates";
        source.error(list.span().start, why);
        sound = false;
    }
    sound.then_some(fields)
}

fn read_cohort(section: &Section, source: &mut Source, id: Option<String>) -> Option<Cohort> {
    section.only(source, &["id", "born", "groups_any"]);
    let groups_any = match section.get("groups_any") {
        None => Some(Vec::new()),
        Some(value) => read_groups(section, source, value),
    };
    let born = match section.get("born") {
        Some(value) => read_born(section, source, value),
        None if groups_any.as_ref().is_some_and(|groups| !groups.is_empty()) => {
            Some((BORN_MIN, BORN_MAX))
        }
        None => {
            let why = format!(
                "{} needs `born` or `groups_any`: who is in it?",
                section.name
            );
            source.error(section.at, why);
            None
        }
    };
    let line = source.line(section.at);
    Some(Cohort {
        id: id?,
        born: born?,
        groups_any: groups_any?,
        line,
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
        told(source, section, value, born)
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
            let why = if text.is_empty() || text.trim() != text || text.chars().count() > 64 {
                "a group has 1 to 64 characters and no spaces around it"
            } else if text.chars().any(|c| c.is_control() || c == ';') {
                "a group has no `;` (the roster parts groups with it) and no control characters"
            } else if groups.iter().any(|group| group == text) {
                "the group is named twice"
            } else {
                return Some(text.to_owned());
            };
            told(
                source,
                section,
                value,
                Err(format!("{}: {why}", quote(text))),
            )
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
    cohort_ids: &HashMap<String, usize>,
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
    let line = source.line(section.at);
    Some(Opening {
        cohorts: cohorts?,
        from,
        until,
        birth_day_last_digits: digits?,
        line,
    })
}

fn read_cohort_names(
    section: &Section,
    source: &mut Source,
    list: Value,
    cohort_ids: &HashMap<String, usize>,
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
            told(source, section, value, index)
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
    let local = told(
        source,
        section,
        value,
        local.map_err(|why| format!("{key}: {why}")),
    )?;
    let stamp = zone?
        .resolve(local)
        .map_err(|fault| format!("{key}: {fault}"));
    told(source, section, value, stamp)
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

/// The number under `key`, or `default` when the file leaves it out.
fn number_or<N: TryFrom<i64>>(
    section: &Section,
    source: &mut Source,
    key: &str,
    bounds: RangeInclusive<i64>,
    default: N,
) -> Option<N> {
    match section.get(key) {
        None => Some(default),
        Some(value) => section.number(source, value, key, bounds),
    }
}

fn read_booking(root: &Section, source: &mut Source) -> Option<BookingRules> {
    let defaults = BookingRules::DEFAULT;
    if root.get("booking").is_none() {
        return Some(defaults);
    }
    let section = root.table(source, "booking", "[booking]")?;
    section.only(source, &["hold_s", "change_until_days"]);
    // An hour: a seat kept longer for someone who left is a seat lost for the evening.
    let hold_s = number_or(&section, source, "hold_s", 1..=3_600, defaults.hold_s);
    let days = defaults.change_until_days;
    let days = number_or(&section, source, "change_until_days", 0..=365, days);
    Some(BookingRules {
        hold_s: hold_s?,
        change_until_days: days?,
    })
}

fn read_gate(root: &Section, source: &mut Source) -> Option<GateRules> {
    let defaults = GateRules::DEFAULT;
    if root.get("gate").is_none() {
        return Some(defaults);
    }
    let section = root.table(source, "gate", "[gate]")?;
    let keys = [
        "order",
        "lobby_opens_min",
        "admit_per_s",
        "active_max",
        "session_idle_s",
    ];
    section.only(source, &keys);
    let order = match section.get("order") {
        None => Some(defaults.order),
        Some(value) => section.text(source, value, "order").and_then(|text| {
            let order = [Order::Arrival, Order::Draw]
                .into_iter()
                .find(|o| o.name() == text);
            let why = || format!("order is `arrival` or `draw`, not {}", quote(text));
            told(source, &section, value, order.ok_or_else(why))
        }),
    };
    let lobby = read_lobby(&section, source, defaults.lobby_opens_min);
    let admit = number_or(
        &section,
        source,
        "admit_per_s",
        1..=100_000,
        defaults.admit_per_s,
    );
    let active = number_or(
        &section,
        source,
        "active_max",
        1..=10_000_000,
        defaults.active_max,
    );
    let idle = number_or(
        &section,
        source,
        "session_idle_s",
        1..=86_400,
        defaults.session_idle_s,
    );
    Some(GateRules {
        order: order?,
        lobby_opens_min: lobby?,
        admit_per_s: admit?,
        active_max: active?,
        session_idle_s: idle?,
    })
}

/// Minutes before the opening; a negative number is a mistake of its own kind.
fn read_lobby(section: &Section, source: &mut Source, default: u32) -> Option<u32> {
    let value = section.get("lobby_opens_min");
    let negative = value.is_some_and(|value| {
        value
            .get_ref()
            .as_integer()
            .is_some_and(|number| number.as_str().starts_with('-'))
    });
    if let (Some(value), true) = (value, negative) {
        let why = "a negative lobby_opens_min opens the lobby after its opening";
        source.error(value.span().start, format!("{}: {why}", section.name));
        return None;
    }
    // A day: the lobby of one evening must not be open at the evening before.
    number_or(section, source, "lobby_opens_min", 0..=1_440, default)
}
