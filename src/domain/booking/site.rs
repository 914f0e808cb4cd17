//! Sites and slots as the journal records them: the checked rows of an import.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{Seats, SiteIndex, VaccineIndex};
use crate::domain::shown;
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
    #[serde(serialize_with = "shown::text")]
    pub date: Day,
    /// Local start, in minutes after midnight.
    #[serde(serialize_with = "shown::minutes")]
    pub start_min: u16,
    #[serde(serialize_with = "shown::instant")]
    pub start: Stamp,
    #[serde(serialize_with = "shown::instant")]
    pub end: Stamp,
    /// Seats of each pool.
    #[serde(with = "by_pool")]
    pub capacity: Seats,
}

/// Seats by pool: in an entry a list without the zeros at its end, so that a pool can be added
/// without another format; for people an object with the pools' names.
mod by_pool {
    use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
    use serde::{Serialize as _, Serializer};

    use crate::domain::ids::{POOLS, Pool, Seats};

    pub fn serialize<S: Serializer>(seats: &Seats, into: S) -> Result<S::Ok, S::Error> {
        if into.is_human_readable() {
            // Exports from before there were more pools stay as they are.
            let shown = |pool: &Pool| *pool <= Pool::Partner || seats[*pool as usize] > 0;
            let shown = Pool::ALL.into_iter().filter(shown);
            return into.collect_map(shown.map(|pool| (pool.name(), seats[pool as usize])));
        }
        let used = seats.iter().rposition(|seats| *seats > 0);
        seats[..used.map_or(0, |last| last + 1)].serialize(into)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Seats, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Seats;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "seats of at most {POOLS} pools")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Seats, A::Error> {
                let mut seats = Seats::default();
                let mut pools = 0;
                while let Some(next) = list.next_element()? {
                    let unknown = || A::Error::custom("seats of more pools than are known");
                    *seats.get_mut(pools).ok_or_else(unknown)? = next;
                    pools += 1;
                }
                Ok(seats)
            }
        }
        from.deserialize_seq(List)
    }
}
