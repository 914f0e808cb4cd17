//! What the program says to people, in Korean and English: the message catalogues in `locales/`.
//!
//! Owns the choice of language and the look-up. Every text that a person may read on a page or in a
//! problem is a message there, in both languages; `words/tests.rs` finds what is missing or unused.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast;

use super::headers::Headers;
use crate::domain::line::Notice;

/// The language of an answer. Korean unless English is preferred.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lang {
    Ko,
    En,
}

impl Lang {
    pub fn of(headers: &impl Headers) -> Self {
        let header = headers.value("accept-language");
        header.map_or(Self::Ko, Self::preferred)
    }

    /// The better liked of the two, by RFC 9110 weights; the first named of equals.
    fn preferred(header: &str) -> Self {
        let mut best = (Self::Ko, 0_u32);
        for item in header.split(',').take(16) {
            let mut parts = item.trim().split(';');
            let tag = parts.next().unwrap_or("").trim();
            let lang = match tag.split('-').next() {
                Some(tag) if tag.eq_ignore_ascii_case("ko") => Self::Ko,
                Some(tag) if tag.eq_ignore_ascii_case("en") => Self::En,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q="));
            let weight = weight.map_or(1.0, |text| text.trim().parse::<f64>().unwrap_or(0.0));
            let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
            if thousandths > best.1 {
                best = (lang, thousandths);
            }
        }
        best.0
    }

    /// What operators say, in this language if they gave it, and the language of what they gave
    /// if it is another.
    pub fn notice(self, notice: &Notice) -> (&str, Option<Self>) {
        match (self, &notice.en) {
            (Self::Ko, _) => (&notice.text, None),
            (_, Some(en)) => (en, (self != Self::En).then_some(Self::En)),
            (_, None) => (&notice.text, Some(Self::Ko)),
        }
    }

    /// Picks a text by language.
    pub fn pick<'a>(self, ko: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ko => ko,
            Self::En => en,
        }
    }
}

/// A value put into a message.
pub type Value = FluentValue<'static>;

impl Lang {
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// The language's tag, as in addresses and headers.
    pub fn tag(self) -> &'static str {
        self.pick("ko", "en")
    }

    /// `ltr` or `rtl`: which way its script runs.
    pub fn direction(self) -> &'static str {
        self.say("direction")
    }

    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.tag() == tag)
    }

    /// The words of a message, or of an attribute as `message.attribute`, without values.
    pub fn say(self, key: &str) -> &'static str {
        let known = self.catalogue().plain.get(key).map(String::as_str);
        debug_assert!(known.is_some(), "no words for {key} in {}", self.tag());
        known.unwrap_or_default()
    }

    /// A message with values in it.
    pub fn put(self, key: &str, values: &[(&'static str, Value)]) -> String {
        let bundle = &self.catalogue().bundle;
        let pattern = bundle.get_message(key).and_then(|message| message.value());
        debug_assert!(pattern.is_some(), "no words for {key} in {}", self.tag());
        let args = FluentArgs::from_iter(values.iter().cloned());
        let mut faults = Vec::new();
        let text = pattern.map(|pattern| bundle.format_pattern(pattern, Some(&args), &mut faults));
        debug_assert!(faults.is_empty(), "{key} in {}: {faults:?}", self.tag());
        text.map(String::from).unwrap_or_default()
    }

    fn catalogue(self) -> &'static Catalogue {
        static ALL: LazyLock<[Catalogue; 2]> =
            LazyLock::new(|| Lang::ALL.map(|lang| Catalogue::of(lang, lang.source())));
        &ALL[self as usize]
    }

    fn source(self) -> &'static str {
        self.pick(
            include_str!("locales/ko.ftl"),
            include_str!("locales/en.ftl"),
        )
    }
}

/// A language's messages; those without values are kept as they read.
struct Catalogue {
    bundle: FluentBundle<FluentResource>,
    plain: HashMap<String, String>,
}

impl Catalogue {
    /// # Panics
    /// When the catalogue is malformed: it is part of the program, and a test reads it.
    fn of(lang: Lang, source: &'static str) -> Self {
        let resource = FluentResource::try_new(source.to_owned());
        let resource = resource.unwrap_or_else(|(_, faults)| panic!("{}: {faults:?}", lang.tag()));
        let keys: Vec<String> = resource.entries().flat_map(keys).collect();
        let tag = lang.tag().parse().expect("`ko` and `en` are language tags");
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        bundle.set_use_isolating(false);
        let added = bundle.add_resource(resource);
        added.unwrap_or_else(|faults| panic!("{}: {faults:?}", lang.tag()));
        let plain = keys
            .into_iter()
            .filter_map(|key| {
                let (id, attribute) = match key.split_once('.') {
                    Some((id, attribute)) => (id, Some(attribute)),
                    None => (key.as_str(), None),
                };
                let message = bundle.get_message(id)?;
                let pattern = match attribute {
                    Some(attribute) => message.get_attribute(attribute)?.value(),
                    None => message.value()?,
                };
                let mut faults = Vec::new();
                let text = bundle.format_pattern(pattern, None, &mut faults);
                let text = faults.is_empty().then(|| text.into_owned())?;
                Some((key, text))
            })
            .collect();
        Self { bundle, plain }
    }
}

/// The keys of an entry: a message's own and those of its attributes.
fn keys(entry: &ast::Entry<&str>) -> Vec<String> {
    let ast::Entry::Message(message) = entry else {
        return Vec::new();
    };
    let id = message.id.name;
    let own = message.value.iter().map(|_| id.to_owned());
    let attributes = message.attributes.iter();
    own.chain(attributes.map(|attribute| format!("{id}.{}", attribute.id.name)))
        .collect()
}

/// Every problem code with its HTTP status.
pub const PROBLEMS: &[(&str, u16)] = &[
    ("invalid_request", 400),
    ("identity_not_found", 403),
    ("too_many_attempts", 429),
    ("not_eligible", 403),
    ("not_open_yet", 403),
    ("opening_closed", 403),
    ("place_invalid", 401),
    ("place_ended", 401),
    ("session_invalid", 401),
    ("session_expired", 401),
    ("not_admitted", 403),
    ("slot_full", 409),
    ("slot_past", 409),
    ("already_booked", 409),
    ("hold_expired", 404),
    ("no_booking", 404),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("change_deadline_passed", 409),
    ("idempotency_conflict", 409),
    ("paused", 503),
    ("overloaded", 503),
    ("outcome_unknown", 500),
    ("foreign_form", 403),
    ("foreign_request", 403),
];

/// A problem's HTTP status, and its words in one language.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub status: u16,
    pub title: &'static str,
    /// What to do, for programs and whoever writes them.
    pub detail: &'static str,
    /// What a person does next, on a page.
    pub next: &'static str,
}

/// The words of a code.
///
/// # Panics
/// When the code has none: codes are literals of this crate.
pub fn words(lang: Lang, code: &str) -> Words {
    static ALL: LazyLock<[HashMap<&str, Words>; 2]> = LazyLock::new(|| {
        Lang::ALL.map(|lang| {
            let of = |&(code, status): &(&'static str, u16)| {
                let key = format!("problem-{}", code.replace('_', "-"));
                let words = Words {
                    status,
                    title: lang.say(&key),
                    detail: lang.say(&format!("{key}.detail")),
                    next: lang.say(&format!("{key}.next")),
                };
                (code, words)
            };
            PROBLEMS.iter().map(of).collect()
        })
    });
    let known = ALL[lang as usize].get(code).copied();
    known.unwrap_or_else(|| panic!("problem code {code} has no words"))
}

#[cfg(test)]
mod tests;
