//! Looking at sites, days and slots. Reads published state only.

mod search;

use std::collections::BTreeMap;

use super::{Answered, Here, Refused};
use crate::availability::{DayOffered, Offered, Summary, bookable};
use crate::domain::booking::catalog::Slot;
use crate::domain::booking::site::SiteRow;
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::time::Day;
use crate::regions::{DISTRICTS, listed_code};
pub use search::{Found, Words};

/// Sites in one answer.
pub const SITES_PAGE: usize = 50;

/// One page of sites, each with its free seats, and where the next page begins.
pub struct SitesPage {
    pub sites: Vec<(SiteIndex, u32)>,
    pub next: Option<u32>,
}

/// A province or district with sites.
#[derive(Clone, PartialEq, Debug)]
pub struct Region {
    /// `11` or `11/110`.
    pub code: String,
    pub sites: u32,
    pub offered: Offered,
}

/// A site near the middle of a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nearby {
    pub site: SiteIndex,
    pub metres: u32,
}

/// The first day of a site that has a free seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Earliest {
    pub site: SiteIndex,
    pub day: DayOffered,
    /// How far the site is; none if it is not known from where.
    pub metres: Option<u32>,
}

/// A point on the map, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point {
    pub lat: f64,
    pub lng: f64,
}

/// The mean radius of the Earth.
const EARTH_M: f64 = 6_371_000.0;

impl Point {
    fn of(site: &SiteRow) -> Self {
        Self {
            lat: f64::from(site.lat_e6) / 1e6,
            lng: f64::from(site.lng_e6) / 1e6,
        }
    }

    /// As the crow flies, on a plane: within a country that is right to some parts in a thousand.
    fn metres_to(self, site: &SiteRow) -> u32 {
        let there = Self::of(site);
        let north = (there.lat - self.lat).to_radians();
        let east = (there.lng - self.lng).to_radians();
        (north.hypot(east * self.lat.to_radians().cos()) * EARTH_M) as u32
    }
}

impl Here {
    /// Sites of a region (`11` or `11/110`) whose name or address has `query` in it, from
    /// the position `from` on.
    pub fn sites(&self, region: Option<&str>, query: Option<&str>, from: u32) -> SitesPage {
        let words = query.map(Words::of);
        let region = region.map(listed_code);
        let in_region = |there: &str| {
            let region = region.as_deref();
            region.is_none_or(|region| is_within(region, there))
        };
        let catalog = &self.offer.catalog;
        let matching = catalog
            .sites
            .iter()
            .enumerate()
            .skip(from as usize)
            .filter(|(_, site)| {
                let row = &site.row;
                let is_named = |words: &Words| words.are_in(row);
                in_region(&row.region) && words.as_ref().is_none_or(is_named)
            });
        let mut matching = matching.map(|(at, _)| SiteIndex(at as u32));
        let page: Vec<_> = matching.by_ref().take(SITES_PAGE).collect();
        let next = matching.next().map(|site| site.0);
        SitesPage {
            sites: page
                .into_iter()
                .map(|site| (site, self.offered_at(site).free))
                .collect(),
            next,
        }
    }

    /// The regions that `within` holds (provinces when it is empty, else its districts), in the
    /// order of their codes, with their seats.
    pub fn regions(&self, within: &str) -> Vec<Region> {
        let mut found: BTreeMap<String, Region> = BTreeMap::new();
        let within = &*listed_code(within);
        for (at, site) in self.offer.catalog.sites.iter().enumerate() {
            let row = &site.row;
            // Sites of an earlier version of the program have the code that their file had.
            let listed = listed_code(&row.region);
            let province = listed.split('/').next().unwrap_or_default();
            let code = match within {
                "" => province,
                _ if within == province => &*listed,
                _ => continue,
            };
            if !found.contains_key(code) {
                let region = Region {
                    code: code.to_owned(),
                    sites: 0,
                    offered: Offered::default(),
                };
                found.insert(code.to_owned(), region);
            }
            let Some(region) = found.get_mut(code) else {
                continue;
            };
            region.sites += 1;
            region.offered.add(self.offered_at(SiteIndex(at as u32)));
        }
        found.into_values().collect()
    }

    /// The middle of a region's sites, or of the district itself if it has no site; none for a
    /// region that nothing is known of.
    pub fn middle_of(&self, region: &str) -> Option<Point> {
        let region = &*listed_code(region);
        let sites = self.offer.catalog.sites.iter();
        let (mut count, mut lat, mut lng) = (0_u32, 0.0, 0.0);
        for site in sites.filter(|site| is_within(region, &site.row.region)) {
            let there = Point::of(&site.row);
            (count, lat, lng) = (count + 1, lat + there.lat, lng + there.lng);
        }
        if count > 0 {
            let (lat, lng) = (lat / f64::from(count), lng / f64::from(count));
            return Some(Point { lat, lng });
        }
        let known = DISTRICTS.iter().find(|known| known.region == region)?;
        let (lat, lng) = (known.lat, known.lng);
        Some(Point { lat, lng })
    }

    /// The sites nearest to a point, nearest first.
    pub fn nearest(&self, from: Point, most: usize) -> Vec<Nearby> {
        let sites = self.offer.catalog.sites.iter().enumerate();
        let mut all: Vec<(u32, SiteIndex)> = sites
            .map(|(at, site)| (from.metres_to(&site.row), SiteIndex(at as u32)))
            .collect();
        let most = most.min(all.len());
        if most < all.len() {
            all.select_nth_unstable(most);
        }
        all.truncate(most);
        all.sort_unstable();
        all.into_iter()
            .map(|(metres, site)| Nearby { site, metres })
            .collect()
    }

    /// The sites of a region that have a free seat soonest, each with that day: by day and time,
    /// then by the distance from a point.
    pub fn earliest(&self, region: &str, from: Option<Point>, most: usize) -> Vec<Earliest> {
        let region = &*listed_code(region);
        let mut all: Vec<Earliest> = Vec::new();
        for (at, known) in self.offer.catalog.sites.iter().enumerate() {
            if !is_within(region, &known.row.region) {
                continue;
            }
            let site = SiteIndex(at as u32);
            all.extend(self.earliest_at(site).map(|day| Earliest {
                site,
                day,
                metres: from.map(|from| from.metres_to(&known.row)),
            }));
        }
        let soonest = |row: &Earliest| (row.day.date, row.day.first, row.metres, row.site);
        let most = most.min(all.len());
        if most < all.len() {
            all.select_nth_unstable_by_key(most, soonest);
        }
        all.truncate(most);
        all.sort_unstable_by_key(soonest);
        all
    }

    /// The site of that name.
    pub fn site(&self, id: &str) -> Answered<SiteIndex> {
        self.offer
            .catalog
            .site(id)
            .map(|(index, _)| index)
            .ok_or(Refused::NotFound)
    }

    fn summary<T>(&self, site: SiteIndex, read: impl FnOnce(&Summary) -> T) -> T {
        let (offer, seats) = (&self.offer, &self.offer.seats[site.at()]);
        let known = &offer.availability;
        known.of(&offer.catalog, seats, site, self.now, read)
    }

    /// The seats of a site over all its days.
    pub fn offered_at(&self, site: SiteIndex) -> Offered {
        self.summary(site, |summary| summary.all)
    }

    /// The first day on which a site has a free seat.
    pub fn earliest_at(&self, site: SiteIndex) -> Option<DayOffered> {
        self.summary(site, |summary| summary.earliest)
    }

    /// The days on which the site has slots to offer, with their seats.
    pub fn days(&self, site: SiteIndex) -> Vec<DayOffered> {
        self.summary(site, |summary| summary.days.clone())
    }

    /// The slots that the site offers on a day, with the seats that can be booked.
    pub fn slots(&self, site: SiteIndex, date: Day) -> Vec<(SlotIndex, Slot, u32)> {
        let catalog = &self.offer.catalog;
        let mut slots: Vec<_> = self.offer.seats[site.at()].look(|free| {
            let known = catalog.sites[site.at()].slots.iter();
            known
                .map(|&index| (index, catalog.slots[index.at()]))
                .filter(|(_, slot)| slot.date == date && catalog.is_offered(slot, self.now))
                .map(|(index, slot)| (index, slot, bookable(catalog, &slot, free, self.now)))
                .collect()
        });
        slots.sort_by_key(|(_, slot, _)| (slot.start, slot.vaccine));
        slots
    }
}

/// Whether a site's region is `region`, a listed code, or a district of it.
fn is_within(region: &str, there: &str) -> bool {
    let there = listed_code(there);
    let rest = there.strip_prefix(region);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
