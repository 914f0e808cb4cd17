//! Sites and slots as the journal records them: the checked rows of an import.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{SiteIndex, VaccineIndex};
use crate::domain::time::{Day, Stamp};

/// A place where people are vaccinated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SiteRow {
    /// The agency's own name for it, unique in its campaign.
    pub site: String,
    pub name_ko: String,
    pub name_en: String,
    /// Province and district, as `11/110`.
    pub region: String,
    pub address: String,
    /// Millionths of a degree, north and east positive.
    pub lat_e6: i32,
    pub lng_e6: i32,
    pub phone: String,
}

/// One start time at a site, with the capacities of its pools.
///
/// The instants are resolved when the row is imported, so that a replay never depends on the
/// time-zone database of a later day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotRow {
    pub site: SiteIndex,
    pub vaccine: VaccineIndex,
    /// Local date in the campaign's zone.
    pub date: Day,
    /// Local start, in minutes after midnight.
    pub start_min: u16,
    pub start: Stamp,
    pub end: Stamp,
    /// Seats of the public pool and of the assisted pool.
    pub public: u16,
    pub assisted: u16,
}
