//! How many seats are free, where and when: read off published state, never off the journal.
//!
//! A site's summary is computed when somebody asks and kept until the site's version moves on or
//! the next of its slots starts.

use std::sync::{Arc, Mutex, OnceLock};

use crate::domain::booking::catalog::{Catalog, Slot};
use crate::domain::ids::{Pool, Seats, SiteIndex, SlotIndex, VaccineIndex};
use crate::domain::time::{Day, Stamp};
use crate::seats::SiteSeats;
use crate::sync::locked;

/// How many slots are looked at for alternatives on each side of the one that is full.
const LOOK_SLOTS_MAX: usize = 400;
/// Other sites that are looked at for alternatives, nearest in the list first.
const LOOK_SITES_MAX: usize = 60;

/// Seats that can be booked at a site, over its days.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub all: Offered,
    /// Days with offered slots, in order; a day may have no free seat left.
    pub days: Vec<DayOffered>,
    /// The first of these days that has a free seat.
    pub earliest: Option<DayOffered>,
}

/// Seats that people can book for themselves: how many there are, and how many of them are free.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Offered {
    pub free: u32,
    pub seats: u32,
}

impl Offered {
    pub fn add(&mut self, other: Self) {
        self.free += other.free;
        self.seats += other.seats;
    }
}

/// What a site offers on a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayOffered {
    pub date: Day,
    pub offered: Offered,
    /// When the first slot with a free seat starts; none on a day without one.
    pub first: Option<Stamp>,
}

/// Alternatives are looked for again after this long, even if no seat of their site changed.
const NEAR_KEPT_NS: i64 = Stamp::SECOND;
/// Full slots whose alternatives a site keeps at the same time.
const NEAR_KEPT_MAX: usize = 64;

/// Slots with seats near a full one, and how many each has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Near {
    pub slots: Vec<(SlotIndex, u32)>,
    /// Whether seats of the full one are only held: they come free unless they are booked.
    pub is_held: bool,
    /// Their text, made by the first who shows them.
    pub text: OnceLock<String>,
}

/// What is kept of a campaign's sites.
#[derive(Debug)]
pub struct Availability {
    sites: Vec<Mutex<CachedSummary>>,
    near: Vec<Mutex<CachedNear>>,
}

/// The alternatives of a site's full slots at one version of its seats.
#[derive(Debug, Default)]
struct CachedNear {
    version: u64,
    made_at: Stamp,
    of: Vec<(SlotIndex, Arc<Near>)>,
}

#[derive(Debug, Default)]
struct CachedSummary {
    version: u64,
    good_until: Stamp,
    summary: Summary,
}

impl Availability {
    pub fn new(sites: usize) -> Self {
        Self {
            sites: (0..sites).map(|_| Mutex::default()).collect(),
            near: (0..sites).map(|_| Mutex::default()).collect(),
        }
    }

    /// The alternatives of a full slot of a site, looked for anew if a seat of the site changed or
    /// the last look was a second ago: many people are refused at the same slot at the same time.
    pub fn near(
        &self,
        site: SiteIndex,
        seats: &SiteSeats,
        full: SlotIndex,
        now: Stamp,
        look: impl FnOnce() -> (Vec<(SlotIndex, u32)>, bool),
    ) -> Arc<Near> {
        let kept = || locked(&self.near[site.at()]);
        // Read before the counts: a change in between makes the next reader look again.
        let version = seats.version();
        {
            let mut kept = kept();
            let old = kept.version != version
                || now < kept.made_at
                || now.0 - kept.made_at.0 >= NEAR_KEPT_NS
                || kept.of.len() >= NEAR_KEPT_MAX;
            if old {
                *kept = CachedNear {
                    version,
                    made_at: now,
                    of: Vec::new(),
                };
            }
            if let Some((_, near)) = kept.of.iter().find(|(slot, _)| *slot == full) {
                return Arc::clone(near);
            }
        }
        let (slots, is_held) = look();
        let near = Arc::new(Near {
            slots,
            is_held,
            text: OnceLock::new(),
        });
        let mut kept = kept();
        if kept.version == version {
            kept.of.push((full, Arc::clone(&near)));
        }
        near
    }

    /// Reads a site's summary, made anew if a seat changed or a slot began.
    pub fn of<T>(
        &self,
        catalog: &Catalog,
        seats: &SiteSeats,
        site: SiteIndex,
        now: Stamp,
        read: impl FnOnce(&Summary) -> T,
    ) -> T {
        let mut kept = locked(&self.sites[site.at()]);
        // Read before the counts: a change in between makes the next reader look again.
        let version = seats.version();
        if kept.version != version || now >= kept.good_until {
            let (summary, good_until) = summarise(catalog, seats, site, now);
            *kept = CachedSummary {
                version,
                good_until,
                summary,
            };
        }
        read(&kept.summary)
    }
}

/// Seats of a slot that people can book for themselves: no more than its second dose has.
pub fn bookable(catalog: &Catalog, slot: &Slot, free: &[Seats], now: Stamp) -> u32 {
    if !catalog.is_offered(slot, now) {
        return 0;
    }
    let of = |position: u32| u32::from(free[position as usize][Pool::Public as usize]);
    let second = catalog
        .second_of(slot)
        .map(|second| of(catalog.slots[second.at()].position));
    second.map_or(of(slot.position), |second| second.min(of(slot.position)))
}

/// Seats of a slot for people who book for themselves, free or not: no more than its second dose
/// has.
pub fn seats_of(catalog: &Catalog, slot: &Slot) -> u32 {
    let of = |slot: &Slot| u32::from(slot.capacity[Pool::Public as usize]);
    let second = catalog.second_of(slot);
    let second = second.map(|second| of(&catalog.slots[second.at()]));
    second.map_or(of(slot), |second| second.min(of(slot)))
}

fn summarise(
    catalog: &Catalog,
    seats: &SiteSeats,
    site: SiteIndex,
    now: Stamp,
) -> (Summary, Stamp) {
    let mut summary = Summary::default();
    let mut good_until = Stamp::MAX;
    seats.look(|free| {
        for slot in &catalog.sites[site.at()].slots {
            let slot = &catalog.slots[slot.at()];
            if !catalog.is_offered(slot, now) {
                continue;
            }
            let offered = Offered {
                free: bookable(catalog, slot, free, now),
                seats: seats_of(catalog, slot),
            };
            good_until = good_until.min(slot.start);
            summary.all.add(offered);
            add_to_day(&mut summary.days, slot, offered);
        }
    });
    summary.days.sort_unstable_by_key(|day| day.date);
    let is_free = |day: &&DayOffered| day.offered.free > 0;
    summary.earliest = summary.days.iter().find(is_free).copied();
    (summary, good_until)
}

fn add_to_day(days: &mut Vec<DayOffered>, slot: &Slot, offered: Offered) {
    let first = (offered.free > 0).then_some(slot.start);
    match days.iter_mut().rev().find(|day| day.date == slot.date) {
        Some(day) => {
            day.offered.add(offered);
            day.first = day.first.into_iter().chain(first).min();
        }
        None => days.push(DayOffered {
            date: slot.date,
            offered,
            first,
        }),
    }
}

/// Up to `most` slots with seats near a full one: at its site the nearest in time, then at the
/// same time at other sites of its district, then of its province.
pub fn alternatives<'a>(
    catalog: &Catalog,
    seats: impl Fn(SiteIndex) -> &'a SiteSeats,
    full: SlotIndex,
    now: Stamp,
    most: usize,
) -> Vec<(SlotIndex, u32)> {
    let Some(slot) = catalog.slot(full) else {
        return Vec::new();
    };
    let mut found = near_in_time(catalog, seats(slot.site), full, slot, now, most);
    let region = |site: SiteIndex| catalog.sites[site.at()].row.region.as_str();
    let here = region(slot.site);
    let province = here.split('/').next().unwrap_or(here);
    for widen in [false, true] {
        let others = (0..catalog.sites.len() as u32)
            .map(SiteIndex)
            .filter(|&site| {
                let there = region(site);
                let near = if widen {
                    there != here && there.split('/').next() == Some(province)
                } else {
                    there == here
                };
                site != slot.site && near
            });
        for site in others.take(LOOK_SITES_MAX) {
            if found.len() >= most {
                return found;
            }
            let Some(same_time) = catalog.slot_at(site, slot) else {
                continue;
            };
            let known = &catalog.slots[same_time.at()];
            let free = seats(site).look(|free| bookable(catalog, known, free, now));
            if free > 0 {
                found.push((same_time, free));
            }
        }
    }
    found
}

fn near_in_time(
    catalog: &Catalog,
    seats: &SiteSeats,
    full: SlotIndex,
    slot: &Slot,
    now: Stamp,
    most: usize,
) -> Vec<(SlotIndex, u32)> {
    let order = &catalog.sites[slot.site.at()].slots;
    let Some(middle) = order.iter().position(|&other| other == full) else {
        return Vec::new();
    };
    let vaccine = |at: &SlotIndex| -> VaccineIndex { catalog.slots[at.at()].vaccine };
    let start = |at: &SlotIndex| catalog.slots[at.at()].start.0;
    let mut found = Vec::with_capacity(most);
    seats.look(|free| {
        let mut before = order[..middle].iter().rev().take(LOOK_SLOTS_MAX).peekable();
        let mut after = order[middle + 1..].iter().take(LOOK_SLOTS_MAX).peekable();
        while found.len() < most {
            let earlier_is_nearer = match (before.peek(), after.peek()) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(earlier), Some(later)) => {
                    slot.start.0 - start(earlier) <= start(later) - slot.start.0
                }
            };
            let next = if earlier_is_nearer {
                before.next()
            } else {
                after.next()
            };
            let Some(other) = next.filter(|other| vaccine(other) == slot.vaccine) else {
                continue;
            };
            let seats = bookable(catalog, &catalog.slots[other.at()], free, now);
            if seats > 0 {
                found.push((*other, seats));
            }
        }
    });
    found
}
