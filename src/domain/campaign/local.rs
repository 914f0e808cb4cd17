//! Dates and local times as campaign files and operators write them, read strictly.
//!
//! Strictly, because a lenient reader takes `2021-07-19T20:00+01:00` and drops the offset, or reads
//! second 60 as 59. What is accepted here means one thing only.

use jiff::civil::{Date, DateTime, Time};

use super::source::quote;
use crate::domain::time::{Stamp, Zone};

/// Reads `1967-03-04`.
///
/// # Errors
/// What is wrong, with the text: another shape, or a date the calendar does not have.
pub fn read_date(text: &str) -> Result<Date, String> {
    let shape = || format!("{} is not a date: write it as 1967-03-04", quote(text));
    if !shaped(text, "dddd-dd-dd") {
        return Err(shape());
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<i16>().map_err(|_| shape());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    Date::new(year, month as i8, day as i8)
        .map_err(|_| format!("{} is a date that the calendar does not have", quote(text)))
}

/// Reads `2021-07-19T20:00` or `2021-07-19T20:00:30`, a local time of a zone yet to be named.
///
/// # Errors
/// What is wrong, with the text: another shape, or a date or time that does not exist.
pub fn read_local(text: &str) -> Result<DateTime, String> {
    if !shaped(text, "dddd-dd-ddTdd:dd") && !shaped(text, "dddd-dd-ddTdd:dd:dd") {
        let text = quote(text);
        return Err(format!(
            "{text} is not a local time: write it as 2021-07-19T20:00"
        ));
    }
    let date = read_date(&text[..10])?;
    let number = |at: usize| text.get(at..at + 2).map_or(Ok(0), str::parse::<i8>);
    let time = match (number(11), number(14), number(17)) {
        (Ok(hour), Ok(minute), Ok(second)) => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    };
    time.map(|time| date.to_datetime(time)).ok_or_else(|| {
        format!(
            "{} has no time of day: hours go from 00 to 23, minutes to 59",
            quote(text)
        )
    })
}

/// Reads an instant: RFC 3339 with an offset, or a local time of `zone`.
///
/// # Errors
/// What is wrong, with the text; both readings of a local time that the zone skips or repeats.
pub fn read_instant(text: &str, zone: &Zone) -> Result<Stamp, String> {
    let has_offset =
        text.ends_with(['Z', 'z']) || text.get(11..).is_some_and(|t| t.contains(['+', '-']));
    if has_offset {
        return Stamp::parse(text);
    }
    let local = read_local(text)
        .map_err(|why| format!("{why}, or with an offset as 2021-07-19T20:00:00+09:00"))?;
    zone.resolve(local).map_err(|fault| fault.to_string())
}

/// Whether `text` has the shape of `pattern`, in which `d` stands for a decimal digit.
fn shaped(text: &str, pattern: &str) -> bool {
    let fits = |(byte, wanted)| match wanted {
        b'd' => u8::is_ascii_digit(&byte),
        other => byte == other,
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(fits)
}
