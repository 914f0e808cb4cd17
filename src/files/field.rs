//! The forms of single fields, shared by the readers.
//!
//! Each function takes a field's text and gives its value or what is wrong with it. Text of the
//! file is repeated only where it names nobody, escaped and cut.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::domain::crockford;
use crate::domain::roster::group;
use crate::domain::spelling::date::DateFault;
use crate::domain::spelling::phone::Country;
use crate::domain::spelling::{self, comparable_name, is_unseen, kept_name, plain};
use crate::domain::text::{Unfit, unfit};
use crate::domain::time::Day;
use crate::regions;

use super::decode::Written;
use super::report::Reason;

/// What is wrong with a field.
pub(super) type FieldFault = (Reason, String);

/// Nobody on a roster was born before this year.
const BORN_YEAR_MIN: i16 = 1850;
const NAME_CHARS_MAX: usize = 100;
const PHONE_BYTES_MAX: usize = 20;
const ID_BYTES_MAX: usize = 64;

/// A field's text as a report may repeat it: escaped, and cut after 40 characters.
pub(super) fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

/// UTF-8 without characters that no text may have, of any length, and without white space around.
/// Characters that nobody sees may be in it.
pub(super) fn text(bytes: &[u8], written: Written) -> Result<&str, FieldFault> {
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let at = fault.valid_up_to();
        written.fault(at, bytes[at])
    })?;
    // All characters refused below begin with one of these bytes.
    let suspect = |byte: &u8| *byte < 0x20 || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xee..);
    let is_refused = |c: char| unfit(c).is_some() && !is_unseen(c);
    let text = text.trim();
    if bytes.iter().any(suspect)
        && let Some((at, found)) = text.chars().enumerate().find(|(_, c)| is_refused(*c))
    {
        return Err(refused_character(at + 1, found));
    }
    Ok(text)
}

/// A text that people read: without marks of direction, and without the invisible characters that
/// nobody can search for. Zero-width joiners belong to some scripts' words.
pub(super) fn all_seen(text: &str) -> Result<&str, FieldFault> {
    let is_refused =
        |c: char| unfit(c).is_some() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}');
    match text.chars().enumerate().find(|(_, c)| is_refused(*c)) {
        Some((at, found)) if !text.is_ascii() => Err(refused_character(at + 1, found)),
        _ => Ok(text),
    }
}

/// The fault of a refused character at a position of its field, from 1. It tells no other
/// character: the field may be a name.
fn refused_character(position: usize, found: char) -> FieldFault {
    let code = found as u32;
    match unfit(found) {
        Some(why @ (Unfit::PrivateUse | Unfit::Noncharacter)) => {
            let why = why.name();
            let detail = format!(
                "character {position} is U+{code:04X}, {why}: write the character that is meant"
            );
            (Reason::UnfitCharacter, detail)
        }
        _ => {
            let hint = if matches!(found, '\n' | '\r') {
                ": is a quote not closed?"
            } else {
                ""
            };
            let detail =
                format!("has the control character U+{code:04X} as character {position}{hint}");
            (Reason::ControlCharacter, detail)
        }
    }
}

/// A text that must say something, of at most `chars_max` characters.
pub(super) fn words(text: &str, chars_max: usize) -> Result<&str, FieldFault> {
    let text = text.trim();
    if text.is_empty() {
        return Err((Reason::Empty, "is empty".into()));
    }
    at_most(text, chars_max)
}

/// A text of at most `chars_max` characters.
pub(super) fn at_most(text: &str, chars_max: usize) -> Result<&str, FieldFault> {
    let text = text.trim();
    // A character has a byte at least, so most texts need no counting.
    if text.len() > chars_max && text.chars().count() > chars_max {
        let detail = format!("is longer than {chars_max} characters");
        return Err((Reason::TooLong, detail));
    }
    Ok(text)
}

/// A person's name in NFC, which has something that names are compared by.
pub(super) fn name(text: &str) -> Result<Cow<'_, str>, FieldFault> {
    let name = kept_name(text);
    words(&name, NAME_CHARS_MAX)?;
    if comparable_name(&name).is_empty() {
        let detail =
            "has no letter: spaces, hyphens, dots and invisible characters are not compared";
        return Err((Reason::Empty, detail.into()));
    }
    Ok(name)
}

/// A date, with the year first.
pub(super) fn date(text: &str) -> Result<Date, FieldFault> {
    spelling::date::read(text).map_err(|fault| {
        let detail = match fault {
            DateFault::Empty => "is empty: write a date as 1967-03-04".to_owned(),
            fault => format!("`{}` {fault}", shown(text)),
        };
        (Reason::BadDate, detail)
    })
}

/// A date of birth: in the calendar, not before 1850 and not after `today`.
pub(super) fn birth_date(text: &str, today: Day) -> Result<Day, FieldFault> {
    let date = date(text)?;
    if date.year() < BORN_YEAR_MIN {
        let detail = format!("{date} is before {BORN_YEAR_MIN}");
        return Err((Reason::DateOutOfRange, detail));
    }
    let day = Day::of(date);
    if day > today {
        let detail = format!("{date} is later than today, {today}");
        return Err((Reason::DateOutOfRange, detail));
    }
    Ok(day)
}

/// An invitation code's value. The code is a secret: it is not repeated.
pub(super) fn code(text: &str) -> Result<u64, FieldFault> {
    crockford::parse(text).map_err(|fault| {
        let detail = match spreadsheet_did(text) {
            Some(what) => format!("{what}: show the column as text, and write the code again"),
            None => fault.to_string(),
        };
        (Reason::BadCode, detail)
    })
}

/// What a spreadsheet that took a code for a number did to it.
fn spreadsheet_did(text: &str) -> Option<String> {
    let text = plain(text);
    if let Some((number, power)) = text.split_once(['E', 'e'])
        && power.starts_with('+')
        && power[1..].bytes().all(|byte| byte.is_ascii_digit())
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
    {
        return Some("was shortened by a spreadsheet that took it for a number".into());
    }
    let length = text.len();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let lost_zeros = is_number && (6..10).contains(&length);
    lost_zeros.then(|| {
        format!(
            "has {length} digits and not 10 characters: a spreadsheet that took it for a number \
             has perhaps taken zeros away at its beginning"
        )
    })
}

/// A person's telephone number in E.164, or nothing. It is personal: it is not repeated.
pub(super) fn telephone(text: &str, home: Country) -> Result<String, FieldFault> {
    if plain(text).is_empty() {
        return Ok(String::new());
    }
    spelling::phone::read(text, home).map_err(|fault| (Reason::BadPhone, fault.to_string()))
}

/// A site's telephone number as people dial it, also a short one, or nothing.
pub(super) fn phone(text: &str) -> Result<Cow<'_, str>, FieldFault> {
    let number = plain(text);
    let fits = |c: char| c.is_ascii_digit() || "+-. ()/".contains(c);
    let has_digits = number.contains(|c: char| c.is_ascii_digit());
    if number.len() > PHONE_BYTES_MAX
        || !number.chars().all(fits)
        || (!number.is_empty() && !has_digits)
    {
        let detail = format!(
            "is not a telephone number: use digits, `+`, `-`, `.`, parentheses and spaces, at most \
             {PHONE_BYTES_MAX}"
        );
        return Err((Reason::BadPhone, detail));
    }
    Ok(number)
}

/// A province and district as `11/110`, in the province's listed code; as one number below
/// `REGION_NUMBERS`.
pub(super) fn region(text: &str) -> Result<u32, FieldFault> {
    let number = match text.as_bytes() {
        [a, b, b'/', c, d, e] => [a, b, c, d, e].into_iter().try_fold(0, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
            Some(number * 10 + digit)
        }),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        let detail = format!(
            "`{}` is not a region: write province and district as 11/110",
            shown(text)
        );
        (Reason::BadRegion, detail)
    })?;
    regions::listed(number).ok_or_else(|| {
        let detail = format!(
            "`{text}` is in no province: {}",
            regions::provinces_in_words()
        );
        (Reason::BadRegion, detail)
    })
}

/// One more than the largest number that `region` gives.
pub(super) const REGION_NUMBERS: usize = 100_000;

/// The text of a region's number.
pub(super) fn region_text(number: u32) -> String {
    format!("{:02}/{:03}", number / 1000, number % 1000)
}

/// Groups separated by `;`, as a set: sorted, each once. An empty field is the empty set.
pub(super) fn groups(text: &str) -> Result<Vec<String>, FieldFault> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut groups = Vec::new();
    for part in text.split(';') {
        let group = group::read(part.trim()).map_err(|why| {
            let part = shown(part);
            (Reason::BadGroup, format!("`{part}` is not a group: {why}"))
        })?;
        groups.push(group);
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// A site's id: it stands in addresses, so it begins with a letter or digit and needs no escaping.
pub(super) fn site(text: &str) -> Result<&str, FieldFault> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !begins || text.len() > ID_BYTES_MAX || !text.bytes().all(fits) {
        let detail = format!(
            "`{}` is not a site id: use 1 to {ID_BYTES_MAX} of a-z, A-Z, 0-9, `-`, `_` and `.`, \
             a letter or digit first",
            shown(text)
        );
        return Err((Reason::BadId, detail));
    }
    Ok(text)
}

/// Degrees as decimal text, in millionths, within `±degrees_max`.
pub(super) fn coordinate(text: &str, degrees_max: i32) -> Result<i32, FieldFault> {
    let fault = || {
        let detail = format!(
            "`{}` is not a coordinate: write decimal degrees from -{degrees_max} to {degrees_max}",
            shown(text)
        );
        (Reason::BadCoordinate, detail)
    };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let begins = digits
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    if !plain || !begins || text.len() > 24 {
        return Err(fault());
    }
    let degrees: f64 = text.parse().map_err(|_| fault())?;
    if degrees.abs() > f64::from(degrees_max) {
        return Err(fault());
    }
    Ok((degrees * 1e6).round() as i32)
}

/// A local time as 09:30, 9:30 or 09:30:00, in minutes after midnight. `24:00` is the end of a day,
/// no start.
pub(super) fn minutes(text: &str) -> Result<u16, FieldFault> {
    let plain = plain(text);
    let parts: Vec<&str> = plain.split(':').collect();
    let number = |digits: &str, least: usize| -> Option<u16> {
        let fits =
            (least..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| digits.parse().ok()).flatten()
    };
    let minutes = match *parts {
        [hour, minute] | [hour, minute, "00"] => number(hour, 1).zip(number(minute, 2)),
        _ => None,
    };
    minutes
        .filter(|&(hour, minute)| (hour < 24 && minute < 60) || (hour, minute) == (24, 0))
        .map(|(hour, minute)| hour * 60 + minute)
        .ok_or_else(|| {
            let detail = format!("`{}` is not a time: write it as 09:30", shown(text));
            (Reason::BadTime, detail)
        })
}

/// A number of seats.
pub(super) fn capacity(text: &str) -> Result<u16, FieldFault> {
    const SEATS_MAX: u16 = 10_000;
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    let seats = digits.then(|| text.parse().ok()).flatten();
    seats.filter(|seats| *seats <= SEATS_MAX).ok_or_else(|| {
        let detail = format!(
            "`{}` is not a number of seats: write 0 to {SEATS_MAX}",
            shown(text)
        );
        (Reason::BadCapacity, detail)
    })
}
