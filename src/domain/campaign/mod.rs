//! A campaign as its file describes it: who, when, what, and how many at a time.
//!
//! Owns the checked form. `Campaign::parse` reads a file that an operator brings in, and checks it
//! by today's rules; `Campaign::of_rows` takes what the journal has compiled, without a parser.
//! Either way every opening has instants for its ends, and names cohorts that are there. It reads
//! text, never a file, and decides nothing about a person.

mod check;
pub mod diff;
pub mod eligibility;
mod file;
pub mod kinds;
mod lines;
pub mod local;
pub mod preview;
pub mod rows;
pub(in crate::domain) mod source;
mod tables;
pub mod timeline;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::campaign::eligibility::Rules;
use crate::domain::ids::{CampaignId, LineIndex};
use crate::domain::line::windows::Basis;
use crate::domain::time::{Stamp, Zone};

pub use local::{read_date, read_instant, read_local};
pub use source::{Finding, Severity};

/// A campaign of 200 openings has 20 KiB; three years of an opening every day have 100 KiB.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// More cohorts than any programme has used, few enough to compare each with each.
pub const COHORTS_MAX: usize = 256;
/// Three years of an opening every day.
pub const OPENINGS_MAX: usize = 1_024;
/// Cohorts named by all openings together; a decision looks at each of these once.
pub const WINDOWS_MAX: usize = 4_096;
/// A `VaccineIndex` has eight bits; programmes have used fewer than ten.
pub const VACCINES_MAX: usize = 64;
/// One bit each in `Subject::groups`.
pub const GROUPS_MAX: usize = 64;

/// One programme with its time zone, cohorts, openings, vaccines and gate settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    pub id: CampaignId,
    pub name: LocalizedText,
    pub zone: Zone,
    /// What a person is asked for; always has `Code`, which tells namesakes apart.
    pub identity: Vec<IdentityField>,
    pub cohorts: Vec<Cohort>,
    pub openings: Vec<Opening>,
    pub vaccines: Vec<Vaccine>,
    pub booking: BookingRules,
    pub gate: GateRules,
    /// Cohorts and openings compiled for deciding.
    pub rules: Rules,
}

/// A text for the public, in both languages of the pages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LocalizedText {
    pub ko: String,
    pub en: String,
}

/// One field of the identity form. Variants are appended: entries have them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityField {
    Name,
    BirthDate,
    Code,
}

impl IdentityField {
    /// The field's name in files and in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::BirthDate => "birth_date",
            Self::Code => "code",
        }
    }
}

/// Who: a range of birth dates, and one of some roster groups if any are named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cohort {
    pub id: String,
    /// First and last birth date, both included.
    pub born: (Date, Date),
    /// Empty when groups do not matter.
    pub groups_any: Vec<String>,
}

impl Cohort {
    /// Whether it begins and ends with a year, so that years say whom it takes.
    pub fn is_of_whole_years(&self) -> bool {
        let (first, last) = self.born;
        (first.month(), first.day(), last.month(), last.day()) == (1, 1, 12, 31)
    }

    /// Whether the file names no birth dates: whoever is in one of the groups is in it.
    pub fn is_of_groups_alone(&self) -> bool {
        self.born == tables::BORN_ANY
    }
}

/// When: the half-open interval `[from, until)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// Positions in `Campaign::cohorts`, in the file's order.
    pub cohorts: Vec<usize>,
    pub from: Stamp,
    pub until: Stamp,
    /// Last digits of the day of the month of birth, ascending; empty for every day.
    pub birth_day_last_digits: Vec<u8>,
    /// The line of its people. No two openings share one.
    pub line: LineIndex,
}

impl Opening {
    /// The digits as a mask: bit `d` for a birth day that ends in `d`.
    pub fn digit_mask(&self) -> u16 {
        match self.birth_day_last_digits.as_slice() {
            [] => ALL_DIGITS,
            digits => digits.iter().fold(0, |mask, digit| mask | 1 << digit),
        }
    }
}

/// Every last digit a birth day can have.
pub const ALL_DIGITS: u16 = (1 << 10) - 1;

/// The digits of a mask, ascending.
pub fn digits_of(mask: u16) -> Vec<u8> {
    (0..10).filter(|digit| mask >> digit & 1 == 1).collect()
}

/// The mask of the last digits of the days from `first` to `last`, both included.
pub fn digits_between(first: Date, last: Date) -> u16 {
    let mut mask = 0;
    let mut date = first;
    // 28 February to 10 March is the longest way round all ten: forty days always suffice.
    for _ in 0..40 {
        if date > last || mask == ALL_DIGITS {
            break;
        }
        mask |= 1 << (date.day() % 10);
        match date.tomorrow() {
            Ok(next) => date = next,
            Err(_) => break,
        }
    }
    mask
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vaccine {
    pub id: String,
    /// 1 or 2.
    pub doses: u8,
    /// Days from the first dose to the second; 0 when there is no second.
    pub interval_days: u16,
}

/// The `[booking]` section. What the file leaves out takes the value of `BookingRules::DEFAULT`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookingRules {
    pub hold_s: u32,
    /// By how much a person may extend a hold, once; 0 when holds can't be extended.
    pub hold_extend_s: u32,
    /// Full days before the date of the first dose; the deadline is midnight of the zone.
    pub change_until_days: u16,
    /// Names and telephone numbers are erased this many days after the last slot of the campaign;
    /// 0 when nobody has said so.
    pub personal_data_days: u32,
}

impl BookingRules {
    pub const DEFAULT: Self = Self {
        hold_s: 300,
        hold_extend_s: 300,
        change_until_days: 2,
        personal_data_days: 0,
    };
}

/// How places become turns. Variants are appended: entries have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// First come, first served.
    Arrival,
    /// Everyone in the lobby is drawn at the opening.
    Draw,
    /// Everyone is given a time of their own by lot, and need not come before it.
    Windows,
}

impl Order {
    pub const ALL: [Self; 3] = [Self::Arrival, Self::Draw, Self::Windows];

    pub fn name(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::Draw => "draw",
            Self::Windows => "windows",
        }
    }
}

/// The `[gate]` section. What the file leaves out takes the value of `GateRules::DEFAULT`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GateRules {
    pub order: Order,
    pub lobby_opens_min: u32,
    /// Nobody enters for so many minutes before the end of an opening.
    pub last_entry_min: u32,
    /// Whoever was called before the end may finish for so many minutes after it.
    pub finish_min: u32,
    pub admit_per_s: u32,
    pub active_max: u32,
    pub session_idle_s: u32,
    /// The length of a window, if the order is `windows`.
    pub window_min: u32,
    /// People in a window; none for as many as are let in within half of it.
    pub window_people: Option<u32>,
    /// From so many minutes before an opening people can look up their window.
    pub reveal_min: u32,
}

impl GateRules {
    pub const DEFAULT: Self = Self {
        order: Order::Arrival,
        lobby_opens_min: 30,
        last_entry_min: 0,
        finish_min: 0,
        admit_per_s: 280, // a million bookings an hour
        active_max: 60_000,
        session_idle_s: 600,
        window_min: 10,
        window_people: None,
        reveal_min: 1_440,
    };

    /// For how many minutes before an opening its people may come to the gate.
    pub fn lobby_min(&self) -> u32 {
        match self.order {
            Order::Arrival | Order::Draw => self.lobby_opens_min,
            Order::Windows => self.reveal_min,
        }
    }

    /// What the windows of an opening are planned by while so many are let in each second.
    pub fn windows(&self, opening: &Opening, admit_per_s: u32) -> Basis {
        let window_s = self.window_min * 60;
        let at_half = u64::from(admit_per_s) * u64::from(window_s) / 2;
        let at_half = u32::try_from(at_half).unwrap_or(u32::MAX);
        Basis {
            from: opening.from,
            until: opening.until,
            window_s,
            window_people: self.window_people.unwrap_or(at_half).max(1),
        }
    }
}

impl Campaign {
    /// From when on an opening takes nobody who has no place yet. Whoever was given a window was
    /// told that they may come until the end.
    pub fn last_entry(&self, opening: &Opening) -> Stamp {
        let before_s = match self.gate.order {
            Order::Arrival | Order::Draw => 60 * i64::from(self.gate.last_entry_min),
            Order::Windows => 0,
        };
        opening.until.plus_s(-before_s)
    }

    /// Reads and checks a campaign file that an operator brings in.
    ///
    /// # Errors
    /// Every finding when at least one is an error; a campaign that is returned has only warnings.
    pub fn parse(source: &str) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let mut source = source::Source::new(source);
        let draft = file::read(&mut source);
        let campaign = draft.and_then(|draft| check::check(draft, &mut source));
        let findings = source.into_findings();
        match campaign {
            Some(campaign) if findings.iter().all(|f| f.severity == Severity::Warning) => {
                Ok((campaign, findings))
            }
            _ => Err(findings),
        }
    }
}

#[cfg(test)]
mod tests;
