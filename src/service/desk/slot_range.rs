//! Which slots a range of a proposal is about.

use crate::domain::booking::catalog::{Catalog, Slot};
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::staff::proposal::SlotRange;
use crate::domain::time::Stamp;

/// Sites that one proposal names.
pub const SITES_MAX: usize = 500;
/// Days of one proposal: a year and a leap day.
pub const DAYS_MAX: i32 = 366;

/// Why a range can't be meant.
pub fn faults(catalog: &Catalog, range: &SlotRange) -> Vec<String> {
    let mut faults = Vec::new();
    let campaign = &catalog.campaign.id;
    if range.sites.len() > SITES_MAX {
        let count = range.sites.len();
        faults.push(format!(
            "{count} sites: at most {SITES_MAX} are named, or none for all"
        ));
    }
    let unknown = range.sites.iter().filter(|id| catalog.site(id).is_none());
    faults.extend(
        unknown
            .take(20)
            .map(|id| format!("site `{id}` is not in campaign `{campaign}`")),
    );
    if range.until < range.from {
        faults.push(format!(
            "the last day {} is before the first, {}",
            range.until, range.from
        ));
    }
    if range.until.0 - range.from.0 >= DAYS_MAX {
        faults.push(format!("at most {DAYS_MAX} days"));
    }
    if let Some(id) = &range.vaccine
        && !catalog.campaign.vaccines.iter().any(|kind| kind.id == *id)
    {
        faults.push(format!("`{id}` is not a vaccine of campaign `{campaign}`"));
    }
    if let Some((from, until)) = range.minutes
        && until <= from
    {
        faults.push("the last time is not after the first".to_owned());
    }
    faults
}

/// The sites of a range, in the order of the campaign.
pub fn sites(catalog: &Catalog, range: &SlotRange) -> Vec<SiteIndex> {
    if range.sites.is_empty() {
        return (0..catalog.sites.len() as u32).map(SiteIndex).collect();
    }
    let named = range.sites.iter().filter_map(|id| catalog.site(id));
    let mut sites: Vec<_> = named.map(|(index, _)| index).collect();
    sites.sort_unstable();
    sites.dedup();
    sites
}

/// The slots of a range that have not begun.
pub fn slots(catalog: &Catalog, range: &SlotRange, now: Stamp) -> Vec<SlotIndex> {
    let vaccine = |slot: &Slot| {
        let kind = catalog.campaign.vaccines.get(slot.vaccine.at());
        range
            .vaccine
            .as_deref()
            .is_none_or(|id| kind.is_some_and(|kind| kind.id == id))
    };
    let is_in = |slot: &Slot| {
        let in_time = range
            .minutes
            .is_none_or(|(from, until)| (from..until).contains(&slot.start_min));
        (range.from..=range.until).contains(&slot.date) && in_time && vaccine(slot)
    };
    let sites = sites(catalog, range).into_iter();
    let slots = sites.flat_map(|site| catalog.sites[site.at()].slots.iter().copied());
    slots
        .filter(|slot| {
            let known = &catalog.slots[slot.at()];
            now < known.start && is_in(known)
        })
        .collect()
}
