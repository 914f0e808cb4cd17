//! Looking at sites, days and slots. Reads published state only.

use std::collections::BTreeMap;

use super::{Answered, Here, Refused};
use crate::availability::bookable;
use crate::domain::booking::catalog::Slot;
use crate::domain::booking::site::SiteRow;
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::time::Day;
use crate::regions::listed_code;

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
    pub free: u32,
    /// The middle of its sites, in degrees.
    pub lat: f64,
    pub lng: f64,
}

/// A site near the middle of a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nearby {
    pub site: SiteIndex,
    pub free: u32,
    pub metres: u32,
}

/// The mean radius of the Earth.
const EARTH_M: f64 = 6_371_000.0;

impl Region {
    fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            sites: 0,
            free: 0,
            lat: 0.0,
            lng: 0.0,
        }
    }

    /// As the crow flies, on a plane: within a country that is right to some parts in a thousand.
    fn metres_to(&self, site: &SiteRow) -> u32 {
        let north = (f64::from(site.lat_e6) / 1e6 - self.lat).to_radians();
        let east = (f64::from(site.lng_e6) / 1e6 - self.lng).to_radians();
        (north.hypot(east * self.lat.to_radians().cos()) * EARTH_M) as u32
    }
}

impl Here {
    /// Sites of a region (`11` or `11/110`) whose name or address has `query` in it, from
    /// the position `from` on.
    pub fn sites(&self, region: Option<&str>, query: Option<&str>, from: u32) -> SitesPage {
        let query = query.map(str::to_lowercase);
        let region = region.map(listed_code);
        let in_region = |there: &str| {
            region.as_deref().is_none_or(|region| {
                listed_code(there)
                    .strip_prefix(region)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let catalog = &self.offer.catalog;
        let matching = catalog
            .sites
            .iter()
            .enumerate()
            .skip(from as usize)
            .filter(|(_, site)| {
                let row = &site.row;
                let named = |query: &String| {
                    [&row.name_ko, &row.name_en, &row.address]
                        .iter()
                        .any(|text| text.to_lowercase().contains(query.as_str()))
                };
                in_region(&row.region) && query.as_ref().is_none_or(named)
            });
        let mut matching = matching.map(|(at, _)| SiteIndex(at as u32));
        let page: Vec<_> = matching.by_ref().take(SITES_PAGE).collect();
        let next = matching.next().map(|site| site.0);
        SitesPage {
            sites: page
                .into_iter()
                .map(|site| (site, self.free_at(site)))
                .collect(),
            next,
        }
    }

    /// The regions that `within` holds (provinces when it is empty, else its districts), in the
    /// order of their codes, with their sites' middle and free seats.
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
                found.insert(code.to_owned(), Region::new(code));
            }
            let Some(region) = found.get_mut(code) else {
                continue;
            };
            region.sites += 1;
            region.free += self.free_at(SiteIndex(at as u32));
            region.lat += f64::from(row.lat_e6) / 1e6;
            region.lng += f64::from(row.lng_e6) / 1e6;
        }
        let middle = |mut region: Region| {
            region.lat /= f64::from(region.sites);
            region.lng /= f64::from(region.sites);
            region
        };
        found.into_values().map(middle).collect()
    }

    /// The sites nearest to the middle of a region's sites, nearest first, with their free seats
    /// and their distance from it in metres; none for a region without a site.
    pub fn nearest(&self, region: &str, most: usize) -> Vec<Nearby> {
        let region = &*listed_code(region);
        let province = region.split('/').next().unwrap_or_default();
        let regions = self.regions(if region.contains('/') { province } else { "" });
        let Some(from) = regions.into_iter().find(|known| known.code == region) else {
            return Vec::new();
        };
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
            .map(|(metres, site)| Nearby {
                site,
                free: self.free_at(site),
                metres,
            })
            .collect()
    }

    /// The site of that name.
    pub fn site(&self, id: &str) -> Answered<SiteIndex> {
        self.offer
            .catalog
            .site(id)
            .map(|(index, _)| index)
            .ok_or(Refused::NotFound)
    }

    fn free_at(&self, site: SiteIndex) -> u32 {
        let (offer, seats) = (&self.offer, &self.offer.seats[site.at()]);
        offer
            .availability
            .of(&offer.catalog, seats, site, self.now, |summary| {
                summary.free
            })
    }

    /// The days on which the site has slots to offer, with their free seats.
    pub fn days(&self, site: SiteIndex) -> Vec<(Day, u32)> {
        let (offer, seats) = (&self.offer, &self.offer.seats[site.at()]);
        offer
            .availability
            .of(&offer.catalog, seats, site, self.now, |all| {
                all.days.clone()
            })
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
