//! What people should have been told in 2021, from the press's table and nothing else.
//!
//! Independent of the code under test: no campaign file, no time zone database, no half-open
//! intervals in nanoseconds. A day is painted minute by minute, as one would with a pencil. Seoul
//! is nine hours ahead of Greenwich and has no daylight saving.

use jiff::civil::Date;

pub const MINUTE_NS: i64 = 60_000_000_000;
/// 1 July 2021, midnight in Seoul: 30 June 2021 15:00 UTC, in minutes since 1970.
pub const JULY_FIRST_MIN: i64 = 27_084_420;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    NotEligible,
    NotOpenYet,
    Eligible,
    Closed,
}

/// A span of minutes since 1 July: the first in it and the first after it.
pub type Spell = (i64, i64);

/// Minutes from 1 July 00:00 in Seoul to a day and time of July (August 9 is "July 40").
pub const fn minute(day: i64, hour: i64, minute: i64) -> i64 {
    ((day - 1) * 24 + hour) * 60 + minute
}

/// The rows of July's table that are for someone born on that date; the table's rows overlap.
pub fn july(born: Date) -> Vec<Spell> {
    let mut spells = Vec::new();
    let year = born.year();
    if [1962, 1963, 1964, 1965, 1966].contains(&year) {
        spells.push((minute(12, 0, 0), minute(12, 15, 30)));
        spells.push((minute(14, 20, 0), minute(24, 18, 0)));
    }
    if year == 1967 || year == 1968 {
        spells.push((minute(19, 20, 0), minute(20, 18, 0)));
    }
    if [1969, 1970, 1971].contains(&year) {
        spells.push((minute(20, 20, 0), minute(21, 18, 0)));
    }
    if (1962..1972).contains(&year) {
        spells.push((minute(21, 20, 0), minute(24, 18, 0)));
    }
    spells
}

/// August's evenings for someone born on that date: 9 August takes 9, 10 August 0, 18 August 8.
pub fn august(born: Date) -> Vec<Spell> {
    let year = born.year();
    if !(1972..=2003).contains(&year) {
        return Vec::new();
    }
    let text = born.to_string();
    let digit = text.as_bytes()[text.len() - 1] - b'0';
    let evening = match digit {
        9 => 9,
        digit => 10 + i64::from(digit),
    };
    let by_age = if year <= 1985 { 19 } else { 20 };
    let august = |day, hour| minute(31 + day, hour, 0);
    vec![
        (august(evening, 20), august(evening + 1, 18)),
        (august(by_age, 20), august(by_age + 1, 18)),
        (august(21, 20), august(31 + 17, 18)),
    ]
}

/// What each minute from `first` to before `end` tells, painted.
pub fn paint(spells: &[Spell], first: i64, end: i64) -> Vec<Told> {
    if spells.is_empty() {
        return vec![Told::NotEligible; (end - first) as usize];
    }
    let mut minutes = vec![Told::NotOpenYet; (end - first) as usize];
    let at = |minute: i64| (minute.clamp(first, end) - first) as usize;
    for &(_, over) in spells {
        minutes[at(over)..].fill(Told::Closed);
    }
    for &(open, over) in spells {
        minutes[at(open)..at(over)].fill(Told::Eligible);
    }
    minutes
}

/// What is told at a nanosecond since 1970: that of the minute it is in.
pub fn told(spells: &[Spell], ns: i64) -> Told {
    let minute = ns.div_euclid(MINUTE_NS) - JULY_FIRST_MIN;
    paint(spells, minute, minute + 1)[0]
}
