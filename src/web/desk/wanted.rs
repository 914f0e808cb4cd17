//! What callers and forms of the desk say of slots, times and plans, as the service takes it. Times
//! are RFC 3339, or local ones of the campaign's zone as forms write them.

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::agency;
use crate::domain::agency::logo::FILE_BYTES_MAX as LOGO_BYTES_MAX;
use crate::domain::booking::relocation::{Prefer, Unanswered};
use crate::domain::ids::{CampaignId, Pool, Seats};
use crate::domain::line::Notice;
use crate::domain::staff::proposal::{
    Asking, ClosePlan, KeyChange, Proposal, Rollover, RosterFile, SlotRange,
};
use crate::domain::time::{Day, Stamp, Zone};
use crate::service::desk::rosters::HowToRead;

/// The field at fault, and why.
pub type Fault = (&'static str, String);

/// Which slots: of these sites, on these days.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeRequest {
    /// Sites by id; none for all sites of the campaign.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub sites: Vec<String>,
    /// The first day.
    #[schema(format = Date)]
    pub from: String,
    /// The last day, which is included.
    #[schema(format = Date)]
    pub until: String,
    /// Of one vaccine.
    #[serde(default)]
    pub vaccine: Option<String>,
    /// Slots that start at this time of the day or after it: `09:00`.
    #[serde(default)]
    pub time_from: Option<String>,
    /// And before this one.
    #[serde(default)]
    pub time_until: Option<String>,
}

impl RangeRequest {
    pub fn range(&self) -> Result<SlotRange, Fault> {
        let minutes = match (given(&self.time_from), given(&self.time_until)) {
            (None, None) => None,
            (from, until) => Some((
                from.map_or(Ok(0), |text| time("time_from", text))?,
                until.map_or(Ok(24 * 60), |text| time("time_until", text))?,
            )),
        };
        Ok(SlotRange {
            sites: self.sites.iter().map(|id| id.trim().to_owned()).collect(),
            from: day("from", &self.from)?,
            until: day("until", &self.until)?,
            vaccine: given(&self.vaccine).map(str::to_owned),
            minutes,
        })
    }
}

fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// What becomes of the people who are booked in slots that are closed.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// `offered`: other seats are held for them and they are asked; `moved`: at once;
    /// `telephoned`: somebody calls them.
    #[schema(pattern = "^(offered|moved|telephoned)$")]
    pub asking: String,
    /// `same_site`: rather another day; `same_day`: rather another site.
    #[serde(default)]
    #[schema(pattern = "^(same_site|same_day)$")]
    pub prefer: Option<String>,
    /// Told to the people concerned.
    #[schema(max_length = 500)]
    pub reason: String,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason_en: Option<String>,
    /// With `offered`: until when they can answer.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// With `offered`: `moved` or `telephoned` becomes of those who do not answer.
    #[serde(default)]
    #[schema(pattern = "^(moved|telephoned)$")]
    pub unanswered: Option<String>,
}

impl PlanRequest {
    pub fn plan(&self, zone: &Zone) -> Result<ClosePlan, Fault> {
        let asking = match self.asking.as_str() {
            "offered" => Asking::Offered,
            "moved" => Asking::Moved,
            "telephoned" => Asking::Telephoned,
            _ => return Err(one_of("asking", "offered, moved or telephoned")),
        };
        let until = match (asking, given(&self.until)) {
            (Asking::Offered, None) => return Err(("until", "is missing".to_owned())),
            (_, None) => Stamp(0),
            (_, Some(text)) => instant("until", text, zone)?,
        };
        Ok(ClosePlan {
            asking,
            prefer: match given(&self.prefer) {
                None | Some("same_site") => Prefer::SameSite,
                Some("same_day") => Prefer::SameDay,
                Some(_) => return Err(one_of("prefer", "same_site or same_day")),
            },
            reason: notice(&self.reason, given(&self.reason_en)),
            until,
            unanswered: match given(&self.unanswered) {
                None | Some("telephoned") => Unanswered::Telephoned,
                Some("moved") => Unanswered::Moved,
                Some(_) => return Err(one_of("unanswered", "moved or telephoned")),
            },
        })
    }
}

pub fn notice(text: &str, en: Option<&str>) -> Notice {
    Notice {
        text: text.trim().to_owned(),
        en: en.map(str::to_owned),
    }
}

pub fn rollover(text: &str) -> Result<Rollover, Fault> {
    match text {
        "next" => Ok(Rollover::Next),
        "last" => Ok(Rollover::Last),
        _ => Err(one_of("rollover", "next or last")),
    }
}

fn one_of(field: &'static str, words: &str) -> Fault {
    (field, format!("must be {words}"))
}

pub fn day(field: &'static str, text: &str) -> Result<Day, Fault> {
    let date = text.trim().parse::<jiff::civil::Date>();
    date.map(Day::of)
        .map_err(|_| (field, "must be a date as 2021-08-02".to_owned()))
}

/// Minutes after midnight.
pub fn time(field: &'static str, text: &str) -> Result<u16, Fault> {
    let fault = || (field, "must be a time of the day as 09:00".to_owned());
    if text.trim() == "24:00" {
        return Ok(24 * 60);
    }
    let time: jiff::civil::Time = text.trim().parse().map_err(|_| fault())?;
    if time.second() != 0 || time.subsec_nanosecond() != 0 {
        return Err(fault());
    }
    Ok(time.hour() as u16 * 60 + time.minute() as u16)
}

/// An instant, or a local time of the zone that it neither skips nor repeats.
pub fn instant(field: &'static str, text: &str, zone: &Zone) -> Result<Stamp, Fault> {
    let fault = || {
        let why = "must be a time as 2021-08-02T20:00 in the campaign's zone, or with an offset";
        (field, why.to_owned())
    };
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Stamp::of(instant).ok_or_else(fault);
    }
    if !text.contains('T') {
        return Err(fault());
    }
    let local: jiff::civil::DateTime = text.parse().map_err(|_| fault())?;
    zone.resolve(local).map_err(|why| (field, why.to_string()))
}

/// The sealed roster file that a caller names.
pub fn roster_file(text: &str) -> Result<RosterFile, Fault> {
    let sha256 = HEXLOWER.decode(text.trim().as_bytes()).ok();
    let sha256 = sha256.and_then(|bytes| bytes.try_into().ok());
    let why = "must be 64 hexadecimal digits, as bringing the file answered them";
    let sha256 = sha256.ok_or_else(|| ("file", why.to_owned()))?;
    Ok(RosterFile {
        sha256,
        ..RosterFile::default()
    })
}

/// Which keys are replaced.
pub fn key_change(text: &str) -> Result<KeyChange, Fault> {
    let why = "must be tokens, tokens_revoked, heads, names or names_forgotten";
    KeyChange::named(text).ok_or_else(|| ("keys", why.to_owned()))
}

/// How a roster file is read; what is empty is as usual.
pub fn how_to_read(encoding: &str, country: &str) -> Result<HowToRead, Fault> {
    let mut how = HowToRead::default();
    if !encoding.is_empty() {
        let read = serde_json::from_value(encoding.into());
        let why = "must be auto, utf-8, cp949 or utf-16";
        how.encoding = read.map_err(|_| ("encoding", why.to_owned()))?;
    }
    if !country.is_empty() {
        let read = serde_json::from_value(country.to_ascii_uppercase().into());
        let why = "must be a country's code as KR, one whose numbers are known";
        how.country = read.map_err(|_| ("country", why.to_owned()))?;
    }
    Ok(how)
}

/// An agency's text with its logo's file, which is in base64: the proposal and its text.
pub fn with_logo(
    campaign: CampaignId,
    text: &str,
    logo: &str,
) -> Result<(Proposal, String), Fault> {
    let letters: String = logo.split_ascii_whitespace().collect();
    let bytes = BASE64.decode(letters.as_bytes()).ok();
    let bytes = bytes.filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or_else(|| ("logo", "must be a file in base64".to_owned()))?;
    if bytes.len() as u64 > LOGO_BYTES_MAX || text.len() as u64 > agency::FILE_BYTES_MAX {
        let why = format!(
            "the text may have {} KiB, and the logo {} KiB",
            agency::FILE_BYTES_MAX >> 10,
            LOGO_BYTES_MAX >> 10
        );
        return Err(("logo", why));
    }
    let what = Proposal::AgencyLogo {
        campaign,
        text_bytes: text.len() as u32,
    };
    Ok((what, format!("{text}{letters}")))
}

/// Seats by pool.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeatsByPool {
    /// People book them for themselves.
    #[schema(maximum = 10_000)]
    pub public: u16,
    /// People are helped by telephone or at a counter.
    #[schema(maximum = 10_000)]
    pub assisted: u16,
    /// Through another organisation's service.
    #[schema(maximum = 10_000)]
    pub partner: u16,
    /// Without a booking.
    #[schema(maximum = 10_000)]
    pub walk_in: u16,
    /// Opened to the public later.
    #[schema(maximum = 10_000)]
    pub later: u16,
}

/// Seats of one pool of a slot.
const SEATS_MAX: u16 = 10_000;

impl SeatsByPool {
    pub fn seats(self) -> Result<Seats, Fault> {
        let mut seats = Seats::default();
        seats[Pool::Public as usize] = self.public;
        seats[Pool::Assisted as usize] = self.assisted;
        seats[Pool::Partner as usize] = self.partner;
        seats[Pool::WalkIn as usize] = self.walk_in;
        seats[Pool::Later as usize] = self.later;
        if seats.iter().any(|seats| *seats > SEATS_MAX) {
            return Err(("capacity", format!("a pool has at most {SEATS_MAX} seats")));
        }
        Ok(seats)
    }
}

/// Counts of seats by pool.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub struct CountsByPool {
    pub public: u32,
    pub assisted: u32,
    pub partner: u32,
    pub walk_in: u32,
    pub later: u32,
}

impl CountsByPool {
    pub fn of(counts: &[u32; crate::domain::ids::POOLS]) -> Self {
        Self {
            public: counts[Pool::Public as usize],
            assisted: counts[Pool::Assisted as usize],
            partner: counts[Pool::Partner as usize],
            walk_in: counts[Pool::WalkIn as usize],
            later: counts[Pool::Later as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_with_an_offset_or_local_ones_of_the_zone() {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let read = |text: &str| instant("until", text, &zone);
        let evening = read("2021-08-02T20:00");
        assert!(evening.is_ok());
        let same = ["2021-08-02T11:00:00Z", "2021-08-02T20:00:00+09:00"];
        assert!(same.into_iter().all(|text| read(text) == evening));
        let berlin = Zone::named("Europe/Berlin").unwrap();
        for text in ["2021-08-02", "20:00", "", "2021-13-02T20:00", "tomorrow"] {
            assert!(read(text).is_err(), "{text}");
        }
        let skipped = instant("until", "2021-03-28T02:30", &berlin).unwrap_err();
        assert!(skipped.1.contains("2021-03-28"), "{skipped:?}");
    }

    #[test]
    fn times_of_the_day_are_whole_minutes() {
        assert_eq!(time("t", "09:05"), Ok(545));
        assert_eq!(time("t", "24:00"), Ok(1_440));
        for text in ["9", "", "25:00", "09:00:30", "24:01"] {
            assert!(time("t", text).is_err(), "{text}");
        }
    }
}
