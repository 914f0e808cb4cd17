//! What is offered: a campaign's rules in force, its sites and its slots.
//!
//! Changes only by operators' acts. Readers hold it behind an `Arc` and never wait for the writer.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::ids::{
    CampaignIndex, RelocationIndex, Seats, SiteIndex, SlotIndex, VaccineIndex,
};
use crate::domain::time::{Day, Stamp};

/// One activated campaign file, kept for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Counts from 1.
    pub version: u32,
    pub activated_at: Stamp,
    pub source: Arc<str>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Site {
    pub row: SiteRow,
    /// The site's slots by vaccine and start: the order of offers.
    pub slots: Vec<SlotIndex>,
}

/// A slot and where its seats are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot {
    pub site: SiteIndex,
    pub vaccine: VaccineIndex,
    pub date: Day,
    pub start_min: u16,
    pub start: Stamp,
    pub end: Stamp,
    /// Capacity of each pool.
    pub capacity: Seats,
    /// Its place among the seats of its site.
    pub position: u32,
    /// The slot of the second dose: same site, vaccine and time, the vaccine's interval later.
    pub second: Option<SlotIndex>,
    /// What closed it: nobody new comes into it.
    pub closed_by: Option<RelocationIndex>,
}

/// What rows of slots change of those that are known already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Corrects {
    Capacity,
    /// The end of their time too.
    CapacityAndEnd,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Catalog {
    pub index: CampaignIndex,
    /// The rules in force: the last of `versions`, as they were compiled.
    pub campaign: Arc<Campaign>,
    pub versions: Vec<Version>,
    pub sites: Vec<Site>,
    pub site_by_id: HashMap<String, SiteIndex>,
    pub slots: Vec<Slot>,
}

impl Catalog {
    pub fn new(index: CampaignIndex, campaign: Campaign, version: Version) -> Self {
        Self {
            index,
            campaign: Arc::new(campaign),
            versions: vec![version],
            sites: Vec::new(),
            site_by_id: HashMap::new(),
            slots: Vec::new(),
        }
    }

    /// The version of the rules in force.
    pub fn version(&self) -> u32 {
        self.versions.last().map_or(0, |version| version.version)
    }

    pub fn slot(&self, slot: SlotIndex) -> Option<&Slot> {
        self.slots.get(slot.at())
    }

    pub fn site(&self, id: &str) -> Option<(SiteIndex, &Site)> {
        let index = *self.site_by_id.get(id)?;
        Some((index, &self.sites[index.at()]))
    }

    /// Whether people can book this slot as their first dose at `now`.
    ///
    /// The start has not come, the second dose's slot is known, where the vaccine needs one, and
    /// neither is closed.
    pub fn is_offered(&self, slot: &Slot, now: Stamp) -> bool {
        let doses = self
            .campaign
            .vaccines
            .get(slot.vaccine.at())
            .map_or(0, |kind| kind.doses);
        let is_there = match (doses, slot.second) {
            (1, _) => true,
            (2, Some(second)) => self.slots[second.at()].closed_by.is_none(),
            _ => false,
        };
        now < slot.start && is_there && slot.closed_by.is_none()
    }

    /// The second slot of a booking whose first dose is at `slot`; none for a single dose.
    pub fn second_of(&self, slot: &Slot) -> Option<SlotIndex> {
        let doses = self
            .campaign
            .vaccines
            .get(slot.vaccine.at())
            .map_or(0, |kind| kind.doses);
        slot.second.filter(|_| doses == 2)
    }

    /// Until when a booking whose first dose is at `slot` can be moved or cancelled (exclusive):
    /// midnight of the zone, the campaign's number of days before the date of the first dose.
    pub fn change_deadline(&self, slot: &Slot) -> Stamp {
        let days = i32::from(self.campaign.booking.change_until_days);
        let date = Day(slot.date.0.saturating_sub(days)).date();
        self.campaign.zone.start_of(date).unwrap_or(slot.start)
    }

    /// Adds sites with their slots in order, as they lay in a checkpoint.
    pub fn restore_sites(&mut self, sites: Vec<(SiteRow, Vec<SlotIndex>)>) {
        for (row, slots) in sites {
            let index = SiteIndex(self.sites.len() as u32);
            self.site_by_id.insert(row.site.clone(), index);
            self.sites.push(Site { row, slots });
        }
    }

    /// Adds sites, or corrects those that are already known by name.
    pub fn put_sites(&mut self, rows: &[SiteRow]) {
        for row in rows {
            match self.site_by_id.get(&row.site) {
                Some(index) => self.sites[index.at()].row = row.clone(),
                None => {
                    let index = SiteIndex(self.sites.len() as u32);
                    self.site_by_id.insert(row.site.clone(), index);
                    self.sites.push(Site {
                        row: row.clone(),
                        slots: Vec::new(),
                    });
                }
            }
        }
    }

    /// The slot that an imported row names, if it is already known.
    pub fn slot_like(&self, row: &SlotRow) -> Option<SlotIndex> {
        let site = self.sites.get(row.site.at())?;
        self.find(site, (row.vaccine, row.date, row.start_min))
    }

    /// A site's slots of a vaccine on a day, in the order of their times.
    pub fn slots_on(&self, site: SiteIndex, vaccine: VaccineIndex, day: Day) -> &[SlotIndex] {
        let Some(site) = self.sites.get(site.at()) else {
            return &[];
        };
        let of = |slot: &SlotIndex| {
            let (vaccine, date, _) = key(&self.slots[slot.at()]);
            (vaccine, date)
        };
        let from = site.slots.partition_point(|slot| of(slot) < (vaccine, day));
        let of_day = site.slots[from..].partition_point(|slot| of(slot) == (vaccine, day));
        &site.slots[from..from + of_day]
    }

    /// The slot of another site with the same vaccine, date and time.
    pub fn slot_at(&self, site: SiteIndex, like: &Slot) -> Option<SlotIndex> {
        self.find(self.sites.get(site.at())?, key(like))
    }

    /// Adds slots, or corrects known ones, and links their second doses.
    ///
    /// # Errors
    /// When a row names a site that is not there, or two rows the same slot.
    pub fn put_slots(&mut self, rows: &[SlotRow], corrects: Corrects) -> Result<(), String> {
        if let Some(row) = rows.iter().find(|row| row.site.at() >= self.sites.len()) {
            return Err(format!(
                "a slot names site {}, which does not exist",
                row.site
            ));
        }
        // Looked up before any is added: the search needs the sites' lists sorted.
        let known: Vec<_> = rows.iter().map(|row| self.slot_like(row)).collect();
        let mut touched = Vec::new();
        for (row, known) in rows.iter().zip(known) {
            let capacity = row.capacity;
            if let Some(slot) = known {
                let slot = &mut self.slots[slot.at()];
                slot.capacity = capacity;
                if corrects == Corrects::CapacityAndEnd {
                    slot.end = row.end;
                }
                continue;
            }
            let index = SlotIndex(self.slots.len() as u32);
            let site = &mut self.sites[row.site.at()];
            self.slots.push(Slot {
                site: row.site,
                vaccine: row.vaccine,
                date: row.date,
                start_min: row.start_min,
                start: row.start,
                end: row.end,
                capacity,
                position: site.slots.len() as u32,
                second: None,
                closed_by: None,
            });
            site.slots.push(index);
            touched.push(row.site);
        }
        touched.sort_unstable();
        touched.dedup();
        touched.into_iter().try_for_each(|site| self.relink(site))
    }

    /// Closes slots to everybody new, or opens them again.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn close_slots(
        &mut self,
        slots: impl IntoIterator<Item = SlotIndex>,
        closed_by: Option<RelocationIndex>,
    ) -> Result<(), String> {
        for slot in slots {
            let known = self.slots.get_mut(slot.at());
            let known = known.ok_or_else(|| format!("slot {slot} does not exist"))?;
            known.closed_by = closed_by;
        }
        Ok(())
    }

    /// Puts the next rules in force. Where they change the days between two doses, every slot gets
    /// another slot for the second one.
    pub fn put_rules(&mut self, rules: Arc<Campaign>) -> Result<(), String> {
        let intervals = |campaign: &Campaign| -> Vec<_> {
            let kinds = campaign.vaccines.iter();
            kinds.map(|kind| (kind.doses, kind.interval_days)).collect()
        };
        let (before, after) = (intervals(&self.campaign), intervals(&rules));
        self.campaign = rules;
        let same = before
            .iter()
            .zip(&after)
            .all(|(before, after)| before == after);
        if same {
            return Ok(());
        }
        (0..self.sites.len() as u32).try_for_each(|site| self.relink(SiteIndex(site)))
    }

    /// Sorts a site's slots and finds the second dose's slot of each.
    fn relink(&mut self, site: SiteIndex) -> Result<(), String> {
        let slots = &self.slots;
        self.sites[site.at()]
            .slots
            .sort_unstable_by_key(|slot| key(&slots[slot.at()]));
        for at in 0..self.sites[site.at()].slots.len() {
            let index = self.sites[site.at()].slots[at];
            let slot = self.slots[index.at()];
            let second = self.interval_days(slot.vaccine).and_then(|days| {
                let date = Day(slot.date.0.saturating_add(days));
                self.find(&self.sites[site.at()], (slot.vaccine, date, slot.start_min))
            });
            self.slots[index.at()].second = second;
        }
        let order = &self.sites[site.at()].slots;
        let is_same =
            |pair: &[SlotIndex]| key(&self.slots[pair[0].at()]) == key(&self.slots[pair[1].at()]);
        if order.windows(2).any(is_same) {
            return Err(format!("names a slot of site {site} twice"));
        }
        Ok(())
    }

    /// Days from the first to the second dose; none for a vaccine of one dose.
    fn interval_days(&self, vaccine: VaccineIndex) -> Option<i32> {
        let kind = self.campaign.vaccines.get(vaccine.at())?;
        (kind.doses == 2).then_some(i32::from(kind.interval_days))
    }

    fn find(&self, site: &Site, wanted: (VaccineIndex, Day, u16)) -> Option<SlotIndex> {
        let found = site
            .slots
            .binary_search_by_key(&wanted, |slot| key(&self.slots[slot.at()]));
        found.ok().map(|at| site.slots[at])
    }
}

fn key(slot: &Slot) -> (VaccineIndex, Day, u16) {
    (slot.vaccine, slot.date, slot.start_min)
}
