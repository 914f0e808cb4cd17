//! Slots at another time of their day: a start that was written wrong, or a site that opens later.
//!
//! A slot is known by its start, so a corrected one is a new slot with the same seats; the old one
//! is closed, and its people move to the new one in the same proposal. A dose whose slot is not
//! among the corrected ones stays where it is.

use std::collections::BTreeMap;

use crate::crypto::sha256;
use crate::domain::booking::catalog::{Catalog, Slot};
use crate::domain::booking::relocation::{Cause, Plan, Planned};
use crate::domain::booking::site::SlotRow;
use crate::domain::entry::Doses;
use crate::domain::ids::{RelocationIndex, SlotIndex};
use crate::domain::line::Notice;
use crate::domain::staff::proposal::SlotRange;
use crate::domain::state::{CampaignState, Status};
use crate::domain::text::{NOTICE_CHARS_MAX, check_words};
use crate::domain::time::{Stamp, Zone};
use crate::service::desk::slot_range;

/// A day has so many minutes.
const DAY_MIN: i32 = 24 * 60;
/// Faults that are named.
const NAMED_MAX: usize = 20;

/// The open slots of a range that have not begun, in order.
pub fn slots(catalog: &Catalog, range: &SlotRange, now: Stamp) -> Vec<SlotIndex> {
    let slots = slot_range::slots(catalog, range, now).into_iter();
    let is_open = |slot: &SlotIndex| catalog.slots[slot.at()].closed_by.is_none();
    let mut open: Vec<SlotIndex> = slots.filter(is_open).collect();
    open.sort_unstable();
    open
}

/// The corrected slots as a file would bring them, in the order of the old ones.
///
/// # Errors
/// Why one of them can't be: it would be over, on another day, where another slot is, or at a local
/// time that the zone skips or repeats.
pub fn rows(
    campaign: &CampaignState,
    slots: &[SlotIndex],
    minutes: i16,
    now: Stamp,
) -> Result<Vec<SlotRow>, Vec<String>> {
    let catalog: &Catalog = &campaign.catalog;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for index in slots {
        let slot = &catalog.slots[index.at()];
        match row(&catalog.campaign.zone, slot, minutes) {
            Ok(row) if row.start <= now => faults.push(format!("{} is over", told(catalog, &row))),
            Ok(row) => {
                let other = catalog.slot_like(&row);
                faults.extend(other.and_then(|other| taken(campaign, other, &row)));
                rows.push(row);
            }
            Err(why) => faults.push(why),
        }
    }
    faults.truncate(NAMED_MAX);
    if faults.is_empty() {
        Ok(rows)
    } else {
        Err(faults)
    }
}

/// Why a slot can't come to a start that has one; nothing if that one was corrected away from there
/// and is empty: then it is opened again, and the correction is taken back.
fn taken(campaign: &CampaignState, other: SlotIndex, row: &SlotRow) -> Option<String> {
    let told = told(&campaign.catalog, row);
    if campaign.catalog.slots[other.at()].closed_by.is_none() {
        return Some(format!("{told} has a slot already"));
    }
    let usage = campaign.usage.get(other.at()).copied().unwrap_or_default();
    let in_use = usage
        .booked
        .iter()
        .chain(&usage.held)
        .any(|seats| *seats > 0);
    if in_use || corrected(campaign, other).is_none() {
        return Some(format!(
            "{told} has a slot that is closed: open that one again"
        ));
    }
    None
}

/// Where the seats of a corrected slot are now; none before they are made anew.
pub fn successor(campaign: &CampaignState, slot: SlotIndex) -> Option<SlotIndex> {
    let catalog: &Catalog = &campaign.catalog;
    let row = corrected(campaign, slot)?.ok()?;
    let new = catalog.slot_like(&row)?;
    catalog.slots[new.at()].closed_by.is_none().then_some(new)
}

/// A slot that was closed to be corrected, as a file would bring it at its other time.
fn corrected(campaign: &CampaignState, slot: SlotIndex) -> Option<Result<SlotRow, String>> {
    let known = &campaign.catalog.slots[slot.at()];
    match campaign.relocation(known.closed_by?)?.cause {
        Cause::Retimed { minutes, .. } => {
            Some(row(&campaign.catalog.campaign.zone, known, minutes))
        }
        Cause::Closure { .. } | Cause::Interval { .. } => None,
    }
}

/// The slots that this correction closed.
fn closed(
    campaign: &CampaignState,
    by: RelocationIndex,
) -> impl Iterator<Item = SlotIndex> + use<'_> {
    let slots = (0..).map(SlotIndex).zip(&campaign.catalog.slots);
    let closed = slots.filter(move |(_, slot)| slot.closed_by == Some(by));
    closed.map(|(index, _)| index)
}

/// Those of them that are not there at their other time yet.
///
/// # Errors
/// A local time that the zone skips or repeats: its rules changed meanwhile.
pub fn missing(campaign: &CampaignState, by: RelocationIndex) -> Result<Vec<SlotRow>, String> {
    let missing = closed(campaign, by).filter(|slot| successor(campaign, *slot).is_none());
    let rows = missing.filter_map(|slot| corrected(campaign, slot));
    rows.collect()
}

/// Where each of them is now.
pub fn successors(campaign: &CampaignState, by: RelocationIndex) -> BTreeMap<SlotIndex, SlotIndex> {
    let closed = closed(campaign, by);
    closed
        .filter_map(|slot| Some((slot, successor(campaign, slot)?)))
        .collect()
}

/// Slots of pairs of which the other one keeps its time: people book both at one time of the day.
pub fn parted(catalog: &Catalog, slots: &[SlotIndex]) -> u64 {
    let is_in = |slot: &SlotIndex| slots.binary_search(slot).is_ok();
    let open = (0..).map(SlotIndex).zip(&catalog.slots);
    let open = open.filter(|(_, slot)| slot.closed_by.is_none());
    let parted = open.filter(|(index, slot)| {
        let second = slot.second.filter(|second| {
            let known = &catalog.slots[second.at()];
            known.closed_by.is_none()
        });
        second.is_some_and(|second| is_in(index) != is_in(&second))
    });
    parted.count() as u64
}

fn row(zone: &Zone, slot: &Slot, minutes: i16) -> Result<SlotRow, String> {
    let start = i32::from(slot.start_min) + i32::from(minutes);
    let start_min = u16::try_from(start).ok();
    let start_min = start_min.filter(|start| i32::from(*start) < DAY_MIN);
    let start_min = start_min.ok_or("a slot would begin on another day")?;
    let local = slot
        .date
        .date()
        .at((start_min / 60) as i8, (start_min % 60) as i8, 0, 0);
    let start = zone.resolve(local).map_err(|why| why.to_string())?;
    let end = Stamp(start.0 + (slot.end.0 - slot.start.0));
    Ok(SlotRow {
        site: slot.site,
        vaccine: slot.vaccine,
        date: slot.date,
        start_min,
        start,
        end,
        capacity: slot.capacity,
    })
}

fn told(catalog: &Catalog, row: &SlotRow) -> String {
    let site = &catalog.sites[row.site.at()].row.site;
    let (hour, minute) = (row.start_min / 60, row.start_min % 60);
    format!("{site} {} {hour:02}:{minute:02}", row.date)
}

/// Why the correction can't be meant.
pub fn faults(minutes: i16, reason: &Notice) -> Vec<String> {
    let mut faults = Vec::new();
    if minutes == 0 || i32::from(minutes).abs() >= DAY_MIN {
        faults.push("the minutes are 1 to 1439 later, or -1 to -1439 earlier".to_owned());
    }
    let texts = [Some(&reason.text), reason.en.as_ref()];
    let checked = texts.into_iter().flatten();
    let checked = checked.map(|text| check_words(text, NOTICE_CHARS_MAX));
    faults.extend(checked.filter_map(|checked| Some(format!("the reason {}", checked.err()?))));
    faults
}

/// Everybody who is booked in the old slots, in the order in which they booked, with the doses that
/// they get. `new` says where an old slot goes.
pub fn plan(campaign: &CampaignState, new: &BTreeMap<SlotIndex, SlotIndex>) -> Plan {
    let to = |slot: SlotIndex| new.get(&slot).copied().unwrap_or(slot);
    let active = campaign.bookings.iter();
    let active = active.filter(|booking| booking.status == Status::Booked);
    let concerned = active.filter(|booking| booking.doses.slots().any(|s| new.contains_key(&s)));
    let moves = concerned.map(|booking| Planned {
        person: booking.person,
        number: booking.number,
        from: booking.doses,
        to: Doses {
            first: to(booking.doses.first),
            second: booking.doses.second.map(to),
        },
        pool: booking.pool,
    });
    Plan {
        moves: moves.collect(),
        ..Plan::default()
    }
}

/// People concerned and what they get, before the new slots have numbers: a digest of both.
pub fn digest(plan: &Plan, minutes: i16) -> [u8; 32] {
    let who = plan.moves.iter().map(|one| (one.number, one.from));
    sha256(format!("{minutes} {:?}", who.collect::<Vec<_>>()).as_bytes())
}
