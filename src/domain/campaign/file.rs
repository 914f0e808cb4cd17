//! From TOML to a draft: the file as a whole, and the sections that it has once.
//!
//! Owns what can be said about one section by itself; `tables` owns those that can be repeated.
//! What needs several at once (overlaps, cohorts that nobody can be in) is for `check`.

use std::ops::RangeInclusive;

use super::source::{Section, Source, quote};
use super::tables::{self, Lined, id_fault};
use super::{
    BookingRules, Cohort, GateRules, IdentityField, LocalizedText, Opening, Order, Vaccine,
};
use crate::domain::ids::CampaignId;
use crate::domain::time::Zone;

/// What a file says, with `None` where an error has been reported.
pub(super) struct Draft {
    pub id: Option<CampaignId>,
    pub name: Option<LocalizedText>,
    pub zone: Option<Zone>,
    pub identity: Option<Vec<IdentityField>>,
    pub cohorts: Vec<Lined<Cohort>>,
    pub openings: Vec<Lined<Opening>>,
    pub vaccines: Vec<Option<Vaccine>>,
    pub booking: Option<BookingRules>,
    pub gate: Option<GateRules>,
}

/// `None` when the text is not TOML.
pub(super) fn read(source: &mut Source) -> Option<Draft> {
    let root = source.toml()?;
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

    let (cohorts, cohort_ids) = tables::read_cohorts(&root, source);
    let openings = tables::read_openings(&root, source, zone.as_ref(), &cohort_ids);
    let vaccines = tables::read_vaccines(&root, source);
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

fn read_campaign_id(head: &Section, source: &mut Source) -> Option<CampaignId> {
    let value = head.need(source, "id")?;
    let text = head.text(source, value, "id")?;
    let id = CampaignId::try_from(text.to_owned()).map_err(|_| id_fault(text));
    head.told(source, value, id)
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
    head.told(source, value, zone)
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
            head.told(source, value, field.ok_or_else(why))
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
    let lacks = |field| !fields.contains(&field);
    let why = if lacks(IdentityField::Code) {
        Some("identity must have `code`: people share names and birth dates")
    } else if lacks(IdentityField::BirthDate) {
        // A botnet that tries codes alone hits somebody on a roster of 60 million people in one of
        // 500,000 attempts; beside a name that 40,000 people share, in one of 800 million.
        Some(
            "identity must have `birth_date` beside `code`: a code alone, or with a name, can be \
             guessed when millions are on the roster; write \
             identity = [\"name\", \"birth_date\", \"code\"]",
        )
    } else {
        None
    };
    if let Some(why) = why.filter(|_| sound) {
        source.error(list.span().start, why);
        sound = false;
    }
    sound.then_some(fields)
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
    section.only(
        source,
        &[
            "hold_s",
            "hold_extend_s",
            "change_until_days",
            "personal_data_days",
        ],
    );
    // An hour: a seat kept longer for someone who left is a seat lost for the evening.
    let hold_s = number_or(&section, source, "hold_s", 1..=3_600, defaults.hold_s);
    let extend_s = defaults.hold_extend_s;
    let extend_s = number_or(&section, source, "hold_extend_s", 0..=3_600, extend_s);
    let days = defaults.change_until_days;
    let days = number_or(&section, source, "change_until_days", 0..=365, days);
    let kept = defaults.personal_data_days;
    let kept = number_or(&section, source, "personal_data_days", 0..=36_500, kept);
    Some(BookingRules {
        hold_s: hold_s?,
        hold_extend_s: extend_s?,
        change_until_days: days?,
        personal_data_days: kept?,
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
        "last_entry_min",
        "finish_min",
        "admit_per_s",
        "active_max",
        "session_idle_s",
        "window_min",
        "window_people",
        "reveal_min",
    ];
    section.only(source, &keys);
    let order = match section.get("order") {
        None => Some(defaults.order),
        Some(value) => section.text(source, value, "order").and_then(|text| {
            let order = Order::ALL.into_iter().find(|o| o.name() == text);
            let why = || {
                let text = quote(text);
                format!("order is `arrival`, `draw` or `windows`, not {text}")
            };
            section.told(source, value, order.ok_or_else(why))
        }),
    };
    let lobby = read_lobby(&section, source, defaults.lobby_opens_min);
    let minutes =
        |source: &mut Source, key, default| number_or(&section, source, key, 0..=1_440, default);
    let last_entry = minutes(source, "last_entry_min", defaults.last_entry_min);
    let finish = minutes(source, "finish_min", defaults.finish_min);
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
    let [window_key, people_key, reveal_key] = ["window_min", "window_people", "reveal_min"];
    let window = number_or(&section, source, window_key, 1..=1_440, defaults.window_min);
    let people = match section.get(people_key) {
        None => Some(None),
        Some(_) => number_or(&section, source, people_key, 1..=10_000_000, 1).map(Some),
    };
    // Thirty days: long enough for letters with the times to be sent.
    let reveal = number_or(
        &section,
        source,
        reveal_key,
        0..=43_200,
        defaults.reveal_min,
    );
    Some(GateRules {
        order: order?,
        lobby_opens_min: lobby?,
        last_entry_min: last_entry?,
        finish_min: finish?,
        admit_per_s: admit?,
        active_max: active?,
        session_idle_s: idle?,
        window_min: window?,
        window_people: people?,
        reveal_min: reveal?,
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
