//! Sites and their slots, as the people behind the desk see them: with every pool, and what is
//! booked.

use super::{Allowed, DeskRefused};
use crate::availability::Offered;
use crate::domain::booking::relocation::Relocation;
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::entry::Actor;
use crate::domain::ids::{CampaignId, POOLS, RelocationIndex, Seats, SlotIndex};
use crate::domain::staff::Account;
use crate::domain::staff::proposal::Proposal;
use crate::domain::text;
use crate::domain::time::{Day, Stamp};
use crate::engine::command::{Operated, Operation};
use crate::service::browsing::Words;
use crate::service::desk::effect::seats::of_slot_rows;
use crate::service::desk::proposals::beside;
use crate::service::desk::{actor, split};
use crate::service::{Here, Service};
use std::sync::Arc;

/// Sites of one page.
pub const SITES_PAGE: usize = 100;

/// A site of a list.
#[derive(Clone, PartialEq, Debug)]
pub struct SiteListed {
    pub row: SiteRow,
    /// What people can book for themselves from now on.
    pub offered: Offered,
}

/// Sites within an account's bounds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SitesListed {
    pub sites: Vec<SiteListed>,
    /// All that match.
    pub count: u64,
    pub offered: Offered,
}

/// Which sites are looked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Part of a name, an address or an id.
    pub query: String,
    /// The first part of a region's code.
    pub province: String,
    /// Pages before.
    pub page: usize,
}

/// Seats of a slot or a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    pub capacity: [u32; POOLS],
    pub booked: [u32; POOLS],
    pub held: [u32; POOLS],
}

impl Counted {
    fn add(&mut self, other: &Self) {
        for pool in 0..POOLS {
            self.capacity[pool] += other.capacity[pool];
            self.booked[pool] += other.booked[pool];
            self.held[pool] += other.held[pool];
        }
    }

    pub fn seats(&self) -> u32 {
        self.capacity.iter().sum()
    }

    pub fn taken(&self) -> u32 {
        self.booked.iter().sum()
    }
}

/// A slot as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlotSeen {
    pub index: SlotIndex,
    pub vaccine: String,
    pub start_min: u16,
    pub start: Stamp,
    pub end: Stamp,
    pub counted: Counted,
    /// Why it is closed.
    pub closed: Option<(RelocationIndex, Relocation)>,
    pub is_past: bool,
}

/// A day of a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DaySeen {
    pub date: Day,
    pub slots: u32,
    pub closed: u32,
    pub counted: Counted,
}

/// A site as it is.
#[derive(Clone, PartialEq, Debug)]
pub struct SiteSeen {
    pub row: SiteRow,
    /// From today on.
    pub days: Vec<DaySeen>,
    /// Of the day that was asked for.
    pub slots: Vec<SlotSeen>,
}

/// What came of changing a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Changed {
    Done(String),
    /// Seats are taken away: it is a proposal, of this number.
    Proposed(u32),
}

impl Service {
    /// The sites of a campaign that an account is for.
    pub fn desk_sites(&self, by: &Account, id: &str, wanted: &Wanted) -> Allowed<SitesListed> {
        let here = self.desk_here(by, id)?;
        let words = (!wanted.query.trim().is_empty()).then(|| Words::of(&wanted.query));
        let query = wanted.query.trim();
        let sites = here.offer.catalog.sites.iter().enumerate();
        let is_wanted = |row: &SiteRow| {
            let province = row.region.split('/').next().unwrap_or_default();
            let in_province = wanted.province.is_empty() || wanted.province == province;
            let is_named = words.as_ref().is_none_or(|words| words.are_in(row));
            in_province
                && (is_named || row.site == query)
                && by.bounds.has_site(&row.site, &row.region)
        };
        let matching = sites.filter(|(_, site)| is_wanted(&site.row));
        let (mut listed, mut count, mut sum) = (Vec::new(), 0, Offered::default());
        let first = wanted.page * SITES_PAGE;
        for (at, site) in matching {
            let offered = here.offered_at(crate::domain::ids::SiteIndex(at as u32));
            sum.add(offered);
            if (first..first + SITES_PAGE).contains(&(count as usize)) {
                listed.push(SiteListed {
                    row: site.row.clone(),
                    offered,
                });
            }
            count += 1;
        }
        Ok(SitesListed {
            sites: listed,
            count,
            offered: sum,
        })
    }

    pub(super) fn desk_here(&self, by: &Account, id: &str) -> Allowed<Here> {
        if !by.bounds.has_campaign(id) {
            return Err(DeskRefused::NotYours);
        }
        self.campaign(id).map_err(|_| DeskRefused::NotFound)
    }

    /// A site with its days from today on, and the slots of one of them.
    pub fn desk_site(
        &self,
        by: &Account,
        id: &str,
        site: &str,
        date: Option<Day>,
    ) -> Allowed<SiteSeen> {
        let here = self.desk_here(by, id)?;
        let catalog = &here.offer.catalog;
        let (_, known) = catalog.site(site).ok_or(DeskRefused::NotFound)?;
        if !by.bounds.has_site(site, &known.row.region) {
            return Err(DeskRefused::NotYours);
        }
        let today = Day::of(catalog.campaign.zone.local(here.now).date());
        let state = self.shared.state();
        let campaign = state.campaign(here.index).ok_or(DeskRefused::NotFound)?;
        let mut days: Vec<DaySeen> = Vec::new();
        let mut slots = Vec::new();
        for index in &known.slots {
            let slot = catalog.slots[index.at()];
            let usage = campaign.usage.get(index.at()).copied().unwrap_or_default();
            let counted = Counted {
                capacity: slot.capacity.map(u32::from),
                booked: usage.booked.map(u32::from),
                held: usage.held.map(u32::from),
            };
            if today <= slot.date {
                add_to_day(&mut days, slot.date, slot.closed_by.is_some(), &counted);
            }
            if date == Some(slot.date) {
                let closed = slot.closed_by.and_then(|by| {
                    let known = campaign.relocation(by)?;
                    Some((by, known.clone()))
                });
                let kind = catalog.campaign.vaccines.get(slot.vaccine.at());
                slots.push(SlotSeen {
                    index: *index,
                    vaccine: kind.map(|kind| kind.id.clone()).unwrap_or_default(),
                    start_min: slot.start_min,
                    start: slot.start,
                    end: slot.end,
                    counted,
                    closed,
                    is_past: slot.start <= here.now,
                });
            }
        }
        days.sort_unstable_by_key(|day| day.date);
        slots.sort_by_key(|slot| (slot.start, slot.vaccine.clone()));
        Ok(SiteSeen {
            row: known.row.clone(),
            days,
            slots,
        })
    }

    /// Gives a slot another capacity or end. More seats and another end are done at once; fewer
    /// seats are proposed, for another account to approve.
    pub async fn change_slot(
        self: &Arc<Self>,
        by: &Account,
        id: &str,
        slot: SlotIndex,
        (capacity, end_min): (Seats, u16),
        reason: &str,
    ) -> Allowed<Changed> {
        text::check_words(reason, 500)
            .map_err(|fault| DeskRefused::Impossible(format!("the reason {fault}")))?;
        let here = self.desk_here(by, id)?;
        let catalog = Arc::clone(&here.offer.catalog);
        let known = *catalog.slot(slot).ok_or(DeskRefused::NotFound)?;
        let site = &catalog.sites[known.site.at()].row;
        if !by.bounds.has_site(&site.site, &site.region) {
            return Err(DeskRefused::NotYours);
        }
        let minutes = (known.start_min, end_min);
        let of = (known.site, known.vaccine);
        let zone = &catalog.campaign.zone;
        let row = crate::files::slots::resolved(zone, of, known.date, minutes, capacity);
        let row = row.map_err(|fault| DeskRefused::Impossible(fault.to_string()))?;
        if end_min <= known.start_min {
            let why = "the end must be after the start";
            return Err(DeskRefused::Impossible(why.to_owned()));
        }
        if row == split::row(&known, known.capacity) {
            return Err(DeskRefused::Impossible("nothing changes".to_owned()));
        }
        if (0..POOLS).any(|pool| capacity[pool] < known.capacity[pool]) {
            let mut text = Vec::new();
            let written = crate::files::slots::write_rows(&catalog, [&row], &mut text);
            written.map_err(|_| DeskRefused::OutcomeUnknown)?;
            let text = String::from_utf8(text).map_err(|_| DeskRefused::OutcomeUnknown)?;
            let what = Proposal::Slots {
                campaign: catalog.campaign.id.clone(),
            };
            let (number, _) = self.propose(by, what, text, reason, None).await?;
            return Ok(Changed::Proposed(number));
        }
        let effect = of_slot_rows(self, &here.offer, &[row], here.now);
        if !effect.faults.is_empty() {
            return Err(DeskRefused::Faults(effect.faults));
        }
        let (id, by) = (catalog.campaign.id.clone(), actor(by));
        let done = self.import_slots(by, id, catalog.version(), vec![row], reason.to_owned());
        done.await.map(Changed::Done)
    }

    async fn import_slots(
        self: &Arc<Self>,
        by: Actor,
        campaign: CampaignId,
        version: u32,
        rows: Vec<SlotRow>,
        reason: String,
    ) -> Allowed<String> {
        let service = Arc::clone(self);
        let given = crate::domain::entry::Change::ReasonGiven { reason };
        let said = Operation::Record { change: given };
        self.operate(by.clone(), said).await?;
        let operation = Operation::ImportSlots {
            campaign,
            version: Some(version),
            rows,
            now: self.clock.now(),
        };
        let done = beside(move || service.perform_beside(&by, operation)).await?;
        match done.map_err(DeskRefused::Impossible)? {
            Operated::Slots(done) => Ok(format!(
                "{} slots changed",
                done.changed.max(done.corrected)
            )),
            other => Ok(format!("{other:?}")),
        }
    }
}

fn add_to_day(days: &mut Vec<DaySeen>, date: Day, is_closed: bool, counted: &Counted) {
    let at = days.iter().rposition(|day| day.date == date);
    let at = at.unwrap_or_else(|| {
        days.push(DaySeen {
            date,
            slots: 0,
            closed: 0,
            counted: Counted::default(),
        });
        days.len() - 1
    });
    let day = &mut days[at];
    day.slots += 1;
    day.closed += u32::from(is_closed);
    let mut counted = *counted;
    if is_closed {
        // Of a slot that takes nobody new only the seats that are in use are any.
        for pool in 0..POOLS {
            counted.capacity[pool] = counted.booked[pool] + counted.held[pool];
        }
    }
    day.counted.add(&counted);
}
