//! What the program says to people, in Korean and English (the message catalogues in `locales/`),
//! and in further languages whose catalogues an agency adds.
//!
//! Owns the choice of language and the look-up. Every text that a person may read on a page or in a
//! problem is a message there, in both languages; `words/tests.rs` finds what is missing or unused.
//! A catalogue that lacks a message is not used at all: no page is in two languages.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast;

use super::headers::Headers;
use crate::domain::line::Notice;

/// The language of an answer: a position in the list of catalogues. Korean unless the reader
/// prefers another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lang(u8);

/// More languages than any agency has translated its pages into.
pub const LANGUAGES_MAX: usize = 32;

/// The catalogues in use, the two that the program brings first. Set once, before anything is said;
/// if nothing was set by then, there are no others.
static CATALOGUES: OnceLock<Vec<Catalogue>> = OnceLock::new();

fn catalogues() -> &'static [Catalogue] {
    CATALOGUES.get_or_init(built_in)
}

fn built_in() -> Vec<Catalogue> {
    [("ko", KO_SOURCE), ("en", EN_SOURCE)]
        .map(|(tag, source)| Catalogue::of(tag, source).expect("a test reads both"))
        .into()
}

/// Has the program speak these languages too; each has a tag and a catalogue. Those that lack
/// something are left out, and returned with what is wrong. Only the first call counts.
pub fn install(more: Vec<(String, String)>) -> Vec<(String, Vec<String>)> {
    let mut all = built_in();
    let mut left_out = Vec::new();
    for (tag, source) in more {
        let faults = check::faults(&tag, &source);
        let is_new = !all.iter().any(|known| known.tag == tag) && all.len() < LANGUAGES_MAX;
        match Catalogue::of(&tag, &source) {
            Ok(catalogue) if faults.is_empty() && is_new => all.push(catalogue),
            Err(fault) if faults.is_empty() => left_out.push((tag, vec![fault])),
            _ if is_new => left_out.push((tag, faults)),
            _ => left_out.push((tag, vec!["is there already, or is one too many".to_owned()])),
        }
    }
    let _ = CATALOGUES.set(all);
    left_out
}

const KO_SOURCE: &str = include_str!("locales/ko.ftl");
/// What an agency translates: the English catalogue.
pub const EN_SOURCE: &str = include_str!("locales/en.ftl");

/// A value put into a message.
pub type Value = FluentValue<'static>;

impl Lang {
    pub const KO: Self = Self(0);
    pub const EN: Self = Self(1);

    pub fn all() -> impl Iterator<Item = Self> {
        (0..catalogues().len() as u8).map(Self)
    }

    /// Its position among all.
    pub fn at(self) -> usize {
        usize::from(self.0)
    }

    pub fn of(headers: &impl Headers) -> Self {
        let header = headers.value("accept-language");
        header.map_or(Self::KO, Self::preferred)
    }

    /// The best liked of those that are there, by RFC 9110 weights; the first named of equals.
    fn preferred(header: &str) -> Self {
        let mut best = (Self::KO, 0_u32);
        for item in header.split(',').take(16) {
            let mut parts = item.trim().split(';');
            let tag = parts.next().unwrap_or("").trim();
            let tag = tag.split('-').next().unwrap_or_default();
            let is_its = |lang: &Self| lang.tag().eq_ignore_ascii_case(tag);
            let Some(lang) = Self::all().find(is_its) else {
                continue;
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

    /// The language's tag, as in addresses and headers.
    pub fn tag(self) -> &'static str {
        &self.catalogue().tag
    }

    /// `ltr` or `rtl`: which way its script runs.
    pub fn direction(self) -> &'static str {
        self.say("direction")
    }

    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::all().find(|lang| lang.tag() == tag)
    }

    /// What operators say, in this language if they gave it, and the language of what they gave
    /// if it is another.
    pub fn notice(self, notice: &Notice) -> (&str, Option<Self>) {
        match (self, &notice.en) {
            (Self::KO, _) => (&notice.text, None),
            (_, Some(en)) => (en, (self != Self::EN).then_some(Self::EN)),
            (_, None) => (&notice.text, Some(Self::KO)),
        }
    }

    /// Picks a text that there is in Korean and English alone.
    pub fn pick<'a>(self, ko: &'a str, en: &'a str) -> &'a str {
        if self == Self::KO { ko } else { en }
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
        &catalogues()[self.at()]
    }
}

/// A language's messages; those without values are kept as they read.
struct Catalogue {
    tag: String,
    bundle: FluentBundle<FluentResource>,
    plain: HashMap<String, String>,
}

impl Catalogue {
    /// # Errors
    /// What keeps it from being read.
    fn of(tag: &str, source: &str) -> Result<Self, String> {
        let resource = FluentResource::try_new(source.to_owned());
        let resource = resource.map_err(|(_, faults)| format!("{faults:?}"))?;
        let keys: Vec<String> = resource.entries().flat_map(keys).collect();
        let named = tag
            .parse()
            .map_err(|_| "has no language's tag".to_owned())?;
        let mut bundle = FluentBundle::new_concurrent(vec![named]);
        bundle.set_use_isolating(false);
        let added = bundle.add_resource(resource);
        added.map_err(|faults| format!("{faults:?}"))?;
        let plain = |key: String| {
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
        };
        let plain = keys.into_iter().filter_map(plain).collect();
        Ok(Self {
            tag: tag.to_owned(),
            bundle,
            plain,
        })
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
    ("hold_extended", 409),
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
    ("credentials_wrong", 401),
    ("code_wanted", 401),
    ("code_wrong", 422),
    ("password_refused", 422),
    ("signed_out", 401),
    ("key_wrong", 401),
    ("set_up_first", 403),
    ("not_yours", 403),
    ("not_possible", 409),
    ("takes_two", 409),
    ("same_eyes", 403),
    ("type_the_number", 409),
    ("effect_changed", 409),
    ("faults_found", 422),
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
    static ALL: LazyLock<Vec<HashMap<&str, Words>>> = LazyLock::new(|| {
        let of_lang = |lang: Lang| {
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
        };
        Lang::all().map(of_lang).collect()
    });
    let known = ALL[lang.at()].get(code).copied();
    known.unwrap_or_else(|| panic!("problem code {code} has no words"))
}

pub mod check;
#[cfg(test)]
mod tests;
