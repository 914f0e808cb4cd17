//! Seats that are left, by province and vaccine.
//!
//! A site is counted again only when a seat of it has changed, or a slot of it has begun, since the
//! last count; what was counted of the others is kept. The caller asks seldom: see `WAIT_MIN`.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::snapshot::SeatsNow;
use crate::domain::booking::catalog::{Catalog, Site};
use crate::domain::ids::Seats;
use crate::domain::time::Stamp;
use crate::engine::shared::Offer;
use crate::regions::listed_code;

/// Between two counts at least; and a hundred times as long as a count takes, so that counting
/// costs a hundredth of a core at the most.
pub const WAIT_MIN: Duration = Duration::from_secs(10);
pub const WAIT_TIMES: u32 = 100;

/// Seats of slots to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sum {
    left: u64,
    capacity: u64,
}

/// What was counted of a site.
#[derive(Clone, Debug, Default)]
struct SiteCount {
    /// The version of its seats; 0 before the first count.
    version: u64,
    /// When the next of its slots begins.
    good_until: Stamp,
    /// By `VaccineIndex`; only as far as some slot is to come.
    by_vaccine: Vec<Sum>,
}

/// The counts of a campaign's sites.
#[derive(Debug, Default)]
pub struct SeatCounts {
    /// What was counted: another one has other slots and capacities.
    catalog: Weak<Catalog>,
    sites: Vec<SiteCount>,
}

impl SeatCounts {
    /// Counts what has changed: the seats by province and vaccine, in this order.
    pub fn count(&mut self, offer: &Offer, now: Stamp) -> Vec<SeatsNow> {
        let catalog = &offer.catalog;
        let counted = Arc::downgrade(catalog);
        if !self.catalog.ptr_eq(&counted) {
            *self = Self {
                catalog: counted,
                sites: Vec::new(),
            };
        }
        self.sites
            .resize_with(catalog.sites.len(), Default::default);
        let mut sums: BTreeMap<(String, usize), Sum> = BTreeMap::new();
        for (at, site) in catalog.sites.iter().enumerate() {
            let kept = &mut self.sites[at];
            if let Some(seats) = offer.seats.get(at) {
                // Read before the counts: a change in between makes the next count look again.
                let version = seats.version();
                if kept.version != version || kept.good_until <= now {
                    *kept = seats.look(|free| of_site(catalog, site, free, now));
                    kept.version = version;
                }
            }
            let province = site.row.region.split('/').next().unwrap_or_default();
            let province = listed_code(province);
            for (vaccine, sum) in kept.by_vaccine.iter().enumerate() {
                if sum.capacity > 0 {
                    let all = sums.entry((province.to_string(), vaccine)).or_default();
                    all.left += sum.left;
                    all.capacity += sum.capacity;
                }
            }
        }
        let vaccines = &catalog.campaign.vaccines;
        let shown = sums.into_iter().map(|((province, vaccine), sum)| SeatsNow {
            province,
            vaccine: vaccines
                .get(vaccine)
                .map_or_else(String::new, |kind| kind.id.clone()),
            left: sum.left,
            capacity: sum.capacity,
        });
        shown.collect()
    }
}

fn of_site(catalog: &Catalog, site: &Site, free: &[Seats], now: Stamp) -> SiteCount {
    let sum = |seats: &Seats| seats.iter().map(|seats| u64::from(*seats)).sum::<u64>();
    let mut count = SiteCount {
        good_until: Stamp::MAX,
        ..SiteCount::default()
    };
    let slots = site.slots.iter().filter_map(|slot| catalog.slot(*slot));
    // Nobody comes into what is closed.
    let open = slots.filter(|slot| now < slot.start && slot.closed_by.is_none());
    for slot in open {
        count.good_until = count.good_until.min(slot.start);
        let vaccine = slot.vaccine.at();
        if count.by_vaccine.len() <= vaccine {
            count.by_vaccine.resize(vaccine + 1, Sum::default());
        }
        let all = &mut count.by_vaccine[vaccine];
        all.capacity += sum(&slot.capacity);
        all.left += free.get(slot.position as usize).map_or(0, sum);
    }
    count
}
