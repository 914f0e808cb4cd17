//! From the text of an agency's file to its checked form.
//!
//! Reading goes on after a mistake. A part that is `None` because of one has been reported, so
//! nothing is returned once there is an error.

use super::logo::Logo;
use super::{Agency, Colour, Consent, LINKS_MAX, Link, Texts, VACCINES_MAX, VaccineText, colour};
use crate::domain::campaign::source::{Section, Source, Value, quote};
use crate::domain::text;

/// The most languages of a text.
const LANGUAGES_MAX: usize = 16;
const URL_CHARS_MAX: usize = 300;
const TELEPHONE_CHARS_MAX: usize = 30;
const CONSENT_VERSION_CHARS_MAX: usize = 40;
const VACCINE_ID_CHARS_MAX: usize = 64;

/// How long a text may be, and whether it may have several lines.
#[derive(Clone, Copy)]
struct Room {
    chars_max: usize,
    has_lines: bool,
}

const NAME: Room = Room {
    chars_max: 100,
    has_lines: false,
};
const SHORT: Room = Room {
    chars_max: 1_000,
    has_lines: true,
};
const LONG: Room = Room {
    chars_max: 20_000,
    has_lines: true,
};

/// What the file says; `None` when a mistake was reported.
pub(super) fn read(
    source: &mut Source,
    logo: impl FnOnce(&str) -> Result<Vec<u8>, String>,
) -> Option<Agency> {
    let root = source.toml()?;
    let root = Section::new("the file", 0, root.get_ref());
    root.only(source, &["agency"]);
    root.need(source, "agency");
    let head = root.table(source, "agency", "[agency]")?;
    let known = [
        "name",
        "logo",
        "colour",
        "telephone",
        "hours",
        "privacy",
        "accessibility",
        "terms",
        "consent",
        "text",
        "link",
        "vaccine",
    ];
    head.only(source, &known);
    head.need(source, "name");
    let name = texts(&head, source, "name", NAME);
    let logo = read_logo(&head, source, logo);
    let colour = read_colour(&head, source);
    let telephone = read_telephone(&head, source);
    let hours = texts(&head, source, "hours", SHORT);
    let privacy = texts(&head, source, "privacy", LONG);
    let accessibility = texts(&head, source, "accessibility", LONG);
    let terms = texts(&head, source, "terms", LONG);
    let consent = read_consent(&head, source);
    let free = head.table(source, "text", "[agency.text]");
    if let Some(free) = &free {
        free.only(source, &["landing", "confirmation", "print"]);
    }
    let mut free_text = |key: &str| texts(free.as_ref()?, source, key, SHORT);
    let landing = free_text("landing");
    let confirmation = free_text("confirmation");
    let print = free_text("print");
    let links = read_links(&head, source);
    let vaccines = read_vaccines(&head, source);
    if source.has_errors() {
        return None;
    }
    Some(Agency {
        name: name?,
        logo,
        colour,
        telephone,
        hours,
        privacy,
        accessibility,
        terms,
        consent,
        landing,
        confirmation,
        print,
        links,
        vaccines,
    })
}

/// A text in its languages, under `key`.
fn texts(section: &Section, source: &mut Source, key: &str, room: Room) -> Option<Texts> {
    let name = format!("{} {key}", section.name);
    let table = section.table(source, key, &name)?;
    table.need(source, "ko");
    table.need(source, "en");
    let keys = table.keys();
    if keys.len() > LANGUAGES_MAX {
        let found = keys.len();
        source.error(
            table.at,
            format!("{name} has {found} languages: at most {LANGUAGES_MAX}"),
        );
    }
    let mut texts = Vec::new();
    for (tag, at) in keys.into_iter().take(LANGUAGES_MAX) {
        let is_tag = (2..=3).contains(&tag.len()) && tag.bytes().all(|c| c.is_ascii_lowercase());
        if !is_tag {
            let why = "a language is two or three small letters, as ko, en or vi";
            source.error(at, format!("{name}: {}: {why}", quote(tag)));
            continue;
        }
        let value = table.get(tag)?;
        if let Some(text) = plain(&table, source, value, tag, room) {
            texts.push((tag.to_owned(), text));
        }
    }
    Some(Texts::new(texts))
}

/// A text for people, without white space at its ends.
fn plain(
    section: &Section,
    source: &mut Source,
    value: Value,
    what: &str,
    room: Room,
) -> Option<String> {
    let at = value.span().start;
    let text = section.text(source, value, what)?.trim();
    let text = text.replace("\r\n", "\n");
    let chars_max = room.chars_max;
    let fault = if text.is_empty() {
        Some("must not be empty: write it, or leave the whole text out".to_owned())
    } else if text.contains('\n') && !room.has_lines {
        Some("must be on one line: take the line end out".to_owned())
    } else if text.chars().nth(chars_max).is_some() {
        let chars = text.chars().count();
        Some(format!(
            "has {chars} characters, and at most {chars_max} are allowed: shorten it"
        ))
    } else {
        let lines = text.split('\n').zip(1..);
        let mut faults = lines.filter_map(|(line, number)| {
            let fault = text::check_characters(line).err()?;
            Some(format!("can't be used: on line {number} of it {fault}"))
        });
        faults.next()
    };
    if let Some(fault) = fault {
        source.error(at, format!("{} {what} {fault}", section.name));
        return None;
    }
    if ["</", "/>", "<br>", "<p>"]
        .iter()
        .any(|mark| text.contains(mark))
    {
        let why = "texts are plain, so its tags would be shown to people: take them out";
        source.warn_on(source.line(at), format!("{} {what}: {why}", section.name));
    }
    Some(text)
}

/// A value that must be as `check` wants it.
fn checked<T>(
    section: &Section,
    source: &mut Source,
    key: &str,
    check: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let value = section.get(key)?;
    let text = section.text(source, value, key)?;
    let read = check(text).map_err(|why| format!("{key}: {why}"));
    section.told(source, value, read)
}

fn read_logo(
    head: &Section,
    source: &mut Source,
    bytes_of: impl FnOnce(&str) -> Result<Vec<u8>, String>,
) -> Option<Logo> {
    checked(head, source, "logo", |path| {
        let shown = quote(path);
        if !stays_in_its_folder(path) {
            return Err(format!(
                "{shown} must be a file beside this one: write its name, without `/` before it \
                 and without `..`"
            ));
        }
        let bytes = bytes_of(path).map_err(|why| format!("{shown}: {why}"))?;
        Logo::of_file(&bytes).map_err(|why| format!("{shown} {why}"))
    })
}

/// Whether a path names something in the folder that it begins in, whatever the system.
fn stays_in_its_folder(path: &str) -> bool {
    let has_odd = path.contains(['\\', ':']) || path.chars().any(char::is_control);
    let is_inner = |part: &str| !part.is_empty() && part != "." && part != "..";
    !has_odd && path.split('/').all(is_inner)
}

fn read_colour(head: &Section, source: &mut Source) -> Option<Colour> {
    checked(head, source, "colour", |text| {
        let shown = quote(text);
        let colour = Colour::read(text);
        let colour = colour.ok_or_else(|| format!("{shown}: write it as \"#0b50d0\""))?;
        let contrast = colour.contrast_with_white();
        if contrast < colour::CONTRAST_MIN {
            // Rounded down: 4.49 must not read as the 4.5 that it fails.
            let found = (contrast * 10.0).floor() / 10.0;
            return Err(format!(
                "white text on {shown} has a contrast of {found:.1} : 1, and 4.5 : 1 is needed to \
                 read it: take a darker colour"
            ));
        }
        Ok(colour)
    })
}

fn read_telephone(head: &Section, source: &mut Source) -> Option<String> {
    checked(head, source, "telephone", |text| {
        let number = text.trim();
        let is_mark = |c: char| c.is_ascii_digit() || "+-() *#".contains(c);
        let is_number = number.bytes().any(|c| c.is_ascii_digit())
            && number.chars().all(is_mark)
            && number.len() <= TELEPHONE_CHARS_MAX;
        let why = || {
            let shown = quote(text);
            format!("{shown} is not a telephone number: write it as people dial it, as 02-123-4567")
        };
        is_number.then(|| number.to_owned()).ok_or_else(why)
    })
}

fn read_consent(head: &Section, source: &mut Source) -> Option<Consent> {
    let consent = head.table(source, "consent", "[agency.consent]")?;
    consent.only(source, &["version", "text"]);
    let room = Room {
        chars_max: CONSENT_VERSION_CHARS_MAX,
        ..NAME
    };
    let value = consent.need(source, "version");
    let version = value.and_then(|value| plain(&consent, source, value, "version", room));
    consent.need(source, "text");
    let text = texts(&consent, source, "text", LONG);
    Some(Consent {
        version: version?,
        text: text?,
    })
}

fn read_links(head: &Section, source: &mut Source) -> Vec<Link> {
    let mut links = Vec::new();
    for link in head.tables_called(source, "link", "agency.link", LINKS_MAX) {
        link.only(source, &["label", "url"]);
        link.need(source, "label");
        link.need(source, "url");
        let label = texts(&link, source, "label", NAME);
        let url = checked(&link, source, "url", read_url);
        links.extend(label.zip(url).map(|(label, url)| Link { label, url }));
    }
    links
}

fn read_url(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_host = |host: &str| {
        host.contains('.')
            && host
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b".-:".contains(&c))
            && !host.starts_with('.')
    };
    let is_mark = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(c);
    if host.is_some_and(is_host) && text.chars().all(is_mark) && text.len() <= URL_CHARS_MAX {
        return Ok(text.to_owned());
    }
    let shown = quote(text);
    Err(format!(
        "{shown} can't be used: write it as https://www.example.org/page, in plain letters and at \
         most {URL_CHARS_MAX} characters"
    ))
}

fn read_vaccines(head: &Section, source: &mut Source) -> Vec<VaccineText> {
    let mut vaccines: Vec<VaccineText> = Vec::new();
    for vaccine in head.tables_called(source, "vaccine", "agency.vaccine", VACCINES_MAX) {
        vaccine.only(source, &["id", "name", "bring"]);
        let room = Room {
            chars_max: VACCINE_ID_CHARS_MAX,
            ..NAME
        };
        let value = vaccine.need(source, "id");
        let id = value.and_then(|value| plain(&vaccine, source, value, "id", room));
        vaccine.need(source, "name");
        let name = texts(&vaccine, source, "name", NAME);
        let bring = texts(&vaccine, source, "bring", SHORT);
        let (Some(id), Some(name)) = (id, name) else {
            continue;
        };
        if vaccines.iter().any(|known| known.id == id) {
            let why = format!(
                "there is a [[agency.vaccine]] {} before: keep one",
                quote(&id)
            );
            source.error(vaccine.at, why);
            continue;
        }
        vaccines.push(VaccineText { id, name, bring });
    }
    vaccines
}
