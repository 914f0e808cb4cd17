//! Relocations: acts of the agency that give people with a booking other seats.
//!
//! A relocation has one cause: slots that were closed, or another number of days between two doses.
//! People are asked first, with their new seats held for them, or moved at once. What the agency
//! does to a booking is kept beside it until its person changes it, so that they are told.

mod plan;

use serde::{Deserialize, Serialize};

use crate::domain::entry::Doses;
use crate::domain::ids::{RelocationIndex, VaccineIndex};
use crate::domain::line::Notice;
use crate::domain::shown;
use crate::domain::time::Stamp;

pub use plan::{Plan, Planned, is_concerned, plan};

/// Relocations of one campaign.
pub const RELOCATIONS_MAX: usize = 10_000;

/// Why people get other seats. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Slots were closed; other seats are looked for at the nearest site, or on the nearest day.
    Closure { prefer: Prefer },
    /// The second dose of a vaccine comes another number of days after the first.
    Interval {
        vaccine: VaccineIndex,
        days_before: u16,
        days: u16,
    },
    /// Slots begin so many minutes later, or earlier if it is negative: each was closed, and is
    /// made anew at the other time. It is known by its proposal, which a start goes on with.
    Retimed { proposal: u32, minutes: i16 },
}

/// Which of two seats is nearer: another day at the same site, or the same day at another site.
/// Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prefer {
    SameSite,
    SameDay,
}

/// What becomes of the people who do not answer an offer in time. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// They are moved to what they were offered.
    Moved,
    /// Their offer ends, and somebody telephones.
    Telephoned,
}

/// An act of the agency that gives people other seats.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relocation {
    pub begun_at: Stamp,
    pub cause: Cause,
    pub reason: Notice,
    pub until: Stamp,
    pub unanswered: Unanswered,
}

/// What the agency did to a booking, until its person changes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgencyMove {
    pub relocation: RelocationIndex,
    /// Where the booking was before.
    pub from: Doses,
    #[serde(serialize_with = "shown::instant")]
    pub at: Stamp,
}

#[cfg(test)]
mod tests;
