//! The forms of single fields, shared by the readers.
//!
//! Each function takes a field's text and gives its value or what is wrong with it. Text of the
//! file is repeated only where it names nobody, escaped and cut.

use jiff::civil::Date;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::domain::crockford;
use crate::domain::text::{Unfit, unfit};
use crate::domain::time::Day;

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

/// UTF-8 without characters that no text may have, of any length.
pub(super) fn text(bytes: &[u8]) -> Result<&str, FieldFault> {
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let at = fault.valid_up_to();
        let detail = format!(
            "byte {} of the field is 0x{:02X}, which is not UTF-8: save the file as UTF-8",
            at + 1,
            bytes[at]
        );
        (Reason::Encoding, detail)
    })?;
    // All characters refused below begin with one of these bytes.
    let suspect = |byte: &u8| *byte < 0x20 || matches!(byte, 0x7f | 0xc2 | 0xd8 | 0xe2 | 0xee..);
    if bytes.iter().any(suspect)
        && let Some((at, found)) = text.chars().enumerate().find(|(_, c)| is_refused(*c))
    {
        return Err(refused_character(at + 1, found));
    }
    Ok(text)
}

/// What no text may have, and the invisible characters that nobody can type into a form: zero-width
/// space, word joiner, byte order mark. Zero-width joiners belong to some scripts' names.
fn is_refused(c: char) -> bool {
    unfit(c).is_some() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
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

/// A person's name in NFC.
pub(super) fn name(text: &str) -> Result<std::borrow::Cow<'_, str>, FieldFault> {
    let name = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.into(),
        _ => std::borrow::Cow::Owned(text.nfc().collect::<String>()),
    };
    words(&name, NAME_CHARS_MAX)?;
    Ok(name)
}

/// A date as 1967-03-04 and in no other form.
pub(super) fn date(text: &str) -> Result<Date, FieldFault> {
    let malformed = || {
        let detail = format!("`{}` is not a date: write it as 1967-03-04", shown(text));
        (Reason::BadDate, detail)
    };
    let bytes: &[u8; 10] = text.as_bytes().try_into().map_err(|_| malformed())?;
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i16, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| i16::from(digit - b'0'))?;
            Some(number * 10 + digit)
        })
    };
    let parts = (bytes[4] == b'-' && bytes[7] == b'-')
        .then(|| {
            Some((
                number(&bytes[..4])?,
                number(&bytes[5..7])?,
                number(&bytes[8..])?,
            ))
        })
        .flatten();
    let (year, month, day) = parts.ok_or_else(malformed)?;
    Date::new(year, month as i8, day as i8).map_err(|_| {
        let detail = format!("`{text}` is not in the calendar");
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
    crockford::parse(text).map_err(|fault| (Reason::BadCode, fault.to_string()))
}

/// A telephone number: digits, `+`, `-` and spaces, or nothing.
pub(super) fn phone(text: &str) -> Result<&str, FieldFault> {
    let text = text.trim();
    let fits = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b' ');
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if text.len() > PHONE_BYTES_MAX || !text.bytes().all(fits) || (!text.is_empty() && !has_digits)
    {
        let detail = format!(
            "is not a telephone number: use digits, `+`, `-` and spaces, at most {PHONE_BYTES_MAX}"
        );
        return Err((Reason::BadPhone, detail));
    }
    Ok(text)
}

/// A province and district as `11/110`; as one number below `REGION_NUMBERS`.
pub(super) fn region(text: &str) -> Result<u32, FieldFault> {
    let number = match text.as_bytes() {
        [a, b, b'/', c, d, e] => [a, b, c, d, e].into_iter().try_fold(0, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
            Some(number * 10 + digit)
        }),
        _ => None,
    };
    number.ok_or_else(|| {
        let detail = format!(
            "`{}` is not a region: write province and district as 11/110",
            shown(text)
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
    for group in text.split(';') {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if group.is_empty() || group.len() > ID_BYTES_MAX || !group.bytes().all(fits) {
            let detail = format!(
                "`{}` is not a group: use 1 to {ID_BYTES_MAX} of a-z, 0-9 and `-`, \
                 with `;` between",
                shown(group)
            );
            return Err((Reason::BadGroup, detail));
        }
        groups.push(group.to_owned());
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

/// A local time as HH:MM, in minutes after midnight. `24:00` is the end of a day, no start.
pub(super) fn minutes(text: &str) -> Result<u16, FieldFault> {
    let number = |tens: u8, ones: u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    let minutes = match *text.as_bytes() {
        [h, hh, b':', m, mm] => number(h, hh).zip(number(m, mm)),
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
