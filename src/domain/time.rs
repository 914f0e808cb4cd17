//! Instants and the campaign's zone.
//!
//! A `Stamp` is an instant; a local date and time means nothing until a `Zone` resolves it. A local
//! time that the zone skips or repeats is refused with both readings.

use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// An instant: nanoseconds since 1970-01-01T00:00:00Z. Reaches from 1677 to 2262.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Stamp(pub i64);

impl Stamp {
    pub const SECOND: i64 = 1_000_000_000;
    pub const MAX: Stamp = Stamp(i64::MAX);

    /// Reads RFC 3339 with an offset, as `2021-07-19T20:00:00+09:00`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let instant: Timestamp = text.parse().map_err(|_| {
            format!("`{text}` is not an instant: write it as 2021-07-19T20:00:00+09:00")
        })?;
        Self::of(instant).ok_or_else(|| format!("`{text}` is outside the years 1678 to 2261"))
    }

    /// The stamp of a jiff instant, if it is in range.
    pub fn of(instant: Timestamp) -> Option<Self> {
        i64::try_from(instant.as_nanosecond()).ok().map(Self)
    }

    /// The same instant for jiff.
    pub fn instant(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.0)).expect("64-bit nanoseconds fit jiff's range")
    }

    /// This instant moved by whole seconds, held at the ends of the range.
    pub fn plus_s(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(Self::SECOND)))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn unix_s(self) -> i64 {
        self.0.div_euclid(Self::SECOND)
    }
}

/// A date without a zone: days since 1970-01-01.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Day(pub i32);

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

impl Day {
    pub fn of(date: Date) -> Self {
        let span = EPOCH
            .until(date)
            .expect("days between two civil dates fit a span");
        Self(span.get_days())
    }

    /// The civil date, held at jiff's range of years -9999 to 9999.
    pub fn date(self) -> Date {
        let span = jiff::Span::new().try_days(self.0);
        let end = if self.0 < 0 { Date::MIN } else { Date::MAX };
        span.and_then(|span| EPOCH.checked_add(span)).unwrap_or(end)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date(), f)
    }
}

/// A named time zone of the bundled database.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: Arc<str>,
    clocks: TimeZone,
}

/// Why a local time names no single instant; each reading is RFC 3339 with its offset.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LocalTimeFault {
    #[error(
        "{local} does not exist in {zone}: the clocks skip it; write {earlier} or {later}, \
         as local time"
    )]
    Skipped {
        local: String,
        zone: String,
        earlier: String,
        later: String,
    },
    #[error(
        "{local} happens twice in {zone}: first as {earlier}, again as {later}; choose another"
    )]
    Repeated {
        local: String,
        zone: String,
        earlier: String,
        later: String,
    },
    #[error("{local} is outside the years 1678 to 2261")]
    OutOfRange { local: String },
}

impl Zone {
    /// Finds an IANA zone such as `Asia/Seoul` in the bundled database.
    pub fn named(name: &str) -> Result<Self, String> {
        let clocks = TimeZone::get(name)
            .map_err(|_| format!("`{name}` is not an IANA time zone; write it as Asia/Seoul"))?;
        let name = clocks.iana_name().unwrap_or("UTC").into();
        Ok(Self { name, clocks })
    }

    /// The zone that a campaign of the journal names. It keeps its name, and has the clocks of UTC,
    /// if the database does not know it any more: that must not keep a data folder shut, and what
    /// was resolved stays as it was.
    pub fn of_journal(name: &str) -> Self {
        Self {
            name: name.into(),
            clocks: TimeZone::get(name).unwrap_or(TimeZone::UTC),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The one instant at which the zone's clocks show `local`.
    pub fn resolve(&self, local: DateTime) -> Result<Stamp, LocalTimeFault> {
        let ambiguous = self.clocks.to_ambiguous_timestamp(local);
        let outside = || LocalTimeFault::OutOfRange {
            local: local.to_string(),
        };
        let (before, after) = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                let instant = offset.to_timestamp(local).map_err(|_| outside())?;
                return Stamp::of(instant).ok_or_else(outside);
            }
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                (before, after)
            }
        };
        let reading = |offset: jiff::tz::Offset| {
            let instant = offset.to_timestamp(local).map_err(|_| outside())?;
            Ok(self.rfc3339(Stamp::of(instant).ok_or_else(outside)?))
        };
        let (local_text, zone) = (local.to_string(), self.name().to_owned());
        Err(match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => LocalTimeFault::Skipped {
                local: local_text,
                zone,
                earlier: reading(after)?,
                later: reading(before)?,
            },
            _ => LocalTimeFault::Repeated {
                local: local_text,
                zone,
                earlier: reading(before)?,
                later: reading(after)?,
            },
        })
    }

    /// What the zone's clocks show at `stamp`.
    pub fn local(&self, stamp: Stamp) -> DateTime {
        self.clocks.to_datetime(stamp.instant())
    }

    /// The first instant of a date in the zone (midnight, or the end of a gap that swallows it).
    pub fn start_of(&self, date: Date) -> Option<Stamp> {
        let zoned: Zoned = date.to_zoned(self.clocks.clone()).ok()?;
        Stamp::of(zoned.start_of_day().ok()?.timestamp())
    }

    /// The instant as RFC 3339 with the zone's offset and as many decimals as it needs.
    pub fn rfc3339(&self, stamp: Stamp) -> String {
        let instant = stamp.instant();
        instant
            .display_with_offset(self.clocks.to_offset(instant))
            .to_string()
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seoul_has_one_reading() {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let stamp = zone.resolve("2021-07-19T20:00".parse().unwrap()).unwrap();
        assert_eq!(zone.rfc3339(stamp), "2021-07-19T20:00:00+09:00");
        assert_eq!(Stamp::parse("2021-07-19T11:00:00Z"), Ok(stamp));
        assert_eq!(zone.local(stamp).to_string(), "2021-07-19T20:00:00");
    }

    #[test]
    fn both_changes_of_daylight_saving_are_refused_with_both_readings() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let skipped = zone
            .resolve("2021-03-28T02:30".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(skipped.contains("2021-03-28T01:30:00+01:00"), "{skipped}");
        assert!(skipped.contains("2021-03-28T03:30:00+02:00"), "{skipped}");
        let repeated = zone
            .resolve("2021-10-31T02:30".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(repeated.contains("2021-10-31T02:30:00+02:00"), "{repeated}");
        assert!(repeated.contains("2021-10-31T02:30:00+01:00"), "{repeated}");
    }

    #[test]
    fn absurd_years_are_values_not_panics() {
        let zone = Zone::named("Asia/Seoul").unwrap();
        for text in ["0001-01-01T00:00", "9999-12-31T23:59"] {
            assert!(zone.resolve(text.parse().unwrap()).is_err());
        }
        assert!(zone.start_of("0001-01-01".parse().unwrap()).is_none());
    }
}
