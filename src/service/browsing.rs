//! Looking at sites, days and slots. Reads published state only.

use super::{Answered, Here, Refused};
use crate::availability::bookable;
use crate::domain::catalog::Slot;
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::time::Day;

/// Sites in one answer.
pub const SITES_PAGE: usize = 50;

/// One page of sites, each with its free seats, and where the next page begins.
pub struct SitesPage {
    pub sites: Vec<(SiteIndex, u32)>,
    pub next: Option<u32>,
}

impl Here {
    /// Sites of a region (`11` or `11/110`) whose name or address has `query` in it, from
    /// the position `from` on.
    pub fn sites(&self, region: Option<&str>, query: Option<&str>, from: u32) -> SitesPage {
        let query = query.map(str::to_lowercase);
        let in_region = |there: &str| {
            region.is_none_or(|region| {
                there
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
