//! Dates as people and spreadsheets write them: year, month, day, in that order.
//!
//! Another order, a year of two digits and a spreadsheet's number can mean several days. They are
//! faults that say which.

use jiff::civil::Date;

use super::plain;

/// Why a text is not a date, or could be several.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DateFault {
    #[error("is empty")]
    Empty,
    #[error("is not a date: write it as 1967-03-04")]
    Shape,
    #[error("is not in the calendar")]
    NotInCalendar,
    #[error(
        "is a spreadsheet's number for a date{}: show the column as a date, 1967-03-04, and save \
         the file again", could_mean(.0)
    )]
    SpreadsheetNumber(Vec<Date>),
    #[error("has a year of two digits{}: write all four, as 1967-03-04", could_mean(.0))]
    TwoDigitYear(Vec<Date>),
    #[error("does not begin with the year{}: write it as 1967-03-04", could_mean(.0))]
    YearLast(Vec<Date>),
}

fn could_mean(dates: &[Date]) -> String {
    let shown: Vec<_> = dates.iter().map(Date::to_string).collect();
    match &*shown {
        [] => String::new(),
        shown => format!(" and could mean {}", shown.join(" or ")),
    }
}

/// Reads a date: `1967-03-04`, `1967.3.4`, `1967/03/04`, `1967년 3월 4일`, `19670304`, with digits
/// and dashes of any kind, and with the midnight that some programs write behind it.
///
/// # Errors
/// What is wrong, or what it could mean.
pub fn read(text: &str) -> Result<Date, DateFault> {
    let text = plain(text);
    let text = without_midnight(&text);
    if text.is_empty() {
        return Err(DateFault::Empty);
    }
    match *numbers(text).ok_or(DateFault::Shape)? {
        [year, month, day] if is_year(year) && is_short(month) && is_short(day) => {
            date(year, month, day).ok_or(DateFault::NotInCalendar)
        }
        [whole] if whole.len() == 8 => {
            let read = date(&whole[..4], &whole[4..6], &whole[6..]);
            read.ok_or_else(|| year_last(&whole[..2], &whole[2..4], &whole[4..]))
        }
        [whole] if whole.len() == 6 => Err(two_digits(&whole[..2], &whole[2..4], &whole[4..])),
        [whole] | [whole, _] if whole.len() == 5 => Err(spreadsheet_number(whole)),
        [a, b, year] if is_short(a) && is_short(b) && is_year(year) => Err(year_last(a, b, year)),
        [a, b, c] if is_short(a) && is_short(b) && is_short(c) => Err(two_digits(a, b, c)),
        _ => Err(DateFault::Shape),
    }
}

/// The text before a time of day that is midnight: a date cell of a spreadsheet may have one.
fn without_midnight(text: &str) -> &str {
    let Some((date, time)) = text.split_once(['T', ' ']) else {
        return text;
    };
    let is_zeros = time.bytes().all(|byte| matches!(byte, b'0' | b':' | b'.'));
    if is_zeros && time.starts_with("00:00") {
        return date;
    }
    text
}

/// The groups of digits of a text in which nothing but a date's separators stands between them.
fn numbers(text: &str) -> Option<Vec<&str>> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let is_separator =
        |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '/' | ',' | '년' | '월' | '일');
    let is_known = |c: char| c.is_ascii_digit() || is_separator(c);
    let ends_well = text.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '일'));
    if !text.chars().all(is_known) || !ends_well {
        return None;
    }
    let groups = text.split(|c: char| !c.is_ascii_digit());
    Some(groups.filter(|group| !group.is_empty()).collect())
}

fn is_year(digits: &str) -> bool {
    digits.len() == 4
}

fn is_short(digits: &str) -> bool {
    digits.len() <= 2
}

/// The date of digits, if the calendar has it.
fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn found(dates: impl IntoIterator<Item = Option<Date>>) -> Vec<Date> {
    let mut dates: Vec<_> = dates.into_iter().flatten().collect();
    dates.dedup();
    dates
}

/// Day and month in either order before a year.
fn year_last(a: &str, b: &str, year: &str) -> DateFault {
    match found([date(year, b, a), date(year, a, b)]) {
        none if none.is_empty() => DateFault::NotInCalendar,
        dates => DateFault::YearLast(dates),
    }
}

/// Three numbers of two digits: the year first, in this century or the one before.
fn two_digits(year: &str, month: &str, day: &str) -> DateFault {
    let of = |century: &str| date(&format!("{century}{year:0>2}"), month, day);
    DateFault::TwoDigitYear(found([of("19"), of("20")]))
}

/// The day that a spreadsheet numbers so: 1 is the first of January 1900, and 60 a day that was
/// not, so that later days count from 30 December 1899.
fn spreadsheet_number(digits: &str) -> DateFault {
    let first = jiff::civil::date(1899, 12, 30);
    let days = digits.parse().unwrap_or(0);
    let day = first.checked_add(jiff::Span::new().days(days)).ok();
    DateFault::SpreadsheetNumber(found([day]))
}
