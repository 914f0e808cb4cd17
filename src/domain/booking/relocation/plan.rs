//! Who of a relocation gets which seats: worked out off the state before anything is done.
//!
//! Pure. People are served in the order in which they booked, so nobody's new seat depends on a
//! search that others began later. A dose that is not concerned stays where it is. What is found
//! here may be gone when it is done: the writer claims each seat.

use std::collections::HashMap;

use super::{Cause, Prefer, Relocation};
use crate::domain::booking::catalog::{Catalog, Slot};
use crate::domain::entry::Doses;
use crate::domain::ids::{
    BookingNumber, PersonKey, Pool, RelocationIndex, SiteIndex, SlotIndex, VaccineIndex,
};
use crate::domain::state::{Booking, CampaignState, Status};
use crate::domain::time::{Day, Stamp};

/// How far from the day of a dose other seats are looked for.
const DAYS_MAX: i32 = 14;
/// Sites that are looked at, the nearest first, the person's own among them.
const SITES_MAX: usize = 30;
/// How far such a site may be away.
const KM_MAX: f64 = 50.0;
/// Kilometres between two sites of one district and of one province, where one has no coordinates.
const DISTRICT_KM: f64 = 5.0;
const PROVINCE_KM: f64 = 30.0;

/// Seats that somebody can have instead of their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    pub person: PersonKey,
    pub number: BookingNumber,
    pub from: Doses,
    pub to: Doses,
    pub pool: Pool,
}

/// What can be done for the people of a relocation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    pub moves: Vec<Planned>,
    /// Bookings for which no other seats were found.
    pub without: Vec<BookingNumber>,
    /// Doses of `moves` that come to another site.
    pub to_other_sites: u64,
    /// Doses of `moves` that come on another day.
    pub on_other_days: u64,
}

impl Plan {
    /// Everybody whose seats it is about.
    pub fn people(&self) -> u64 {
        (self.moves.len() + self.without.len()) as u64
    }
}

/// Looks for seats for everybody of a relocation who has not been offered any.
pub fn plan(campaign: &CampaignState, relocation: RelocationIndex, now: Stamp) -> Plan {
    let mut plan = Plan::default();
    let Some(known) = campaign.relocation(relocation) else {
        return plan;
    };
    let mut search = Search {
        campaign,
        catalog: &campaign.catalog,
        // Nobody is sent where they would have to be before they can have answered.
        after: known.until.max(now),
        taken: HashMap::new(),
        nearest: HashMap::new(),
    };
    for booking in campaign.bookings.iter() {
        if !is_concerned(campaign, booking, relocation, known, now) {
            continue;
        }
        let Some(to) = search.seats_for(booking, known, now) else {
            plan.without.push(booking.number);
            continue;
        };
        for slot in to.beyond(booking.doses) {
            *search.taken.entry((slot, booking.pool)).or_default() += 1;
        }
        search.count(booking.doses, to, &mut plan);
        plan.moves.push(Planned {
            person: booking.person,
            number: booking.number,
            from: booking.doses,
            to,
            pool: booking.pool,
        });
    }
    plan
}

/// Whether a booking has seats that the relocation is about, and no offer of it yet.
pub fn is_concerned(
    campaign: &CampaignState,
    booking: &Booking,
    index: RelocationIndex,
    relocation: &Relocation,
    now: Stamp,
) -> bool {
    if booking.status != Status::Booked {
        return false;
    }
    let is_it = match relocation.cause {
        Cause::Closure { .. } | Cause::Retimed { .. } => {
            campaign.closed_by(booking, now) == Some(index)
        }
        Cause::Interval {
            vaccine,
            days_before,
            days,
        } => {
            let catalog = &campaign.catalog;
            let second = booking.doses.second.and_then(|slot| catalog.slot(slot));
            let first = catalog.slot(booking.doses.first);
            first.zip(second).is_some_and(|(first, second)| {
                let (between, days) = (second.date.0 - first.date.0, i32::from(days));
                let is_short = if days > i32::from(days_before) {
                    between < days
                } else {
                    days < between
                };
                // Whoever comes in the next days has it in their calendar.
                second.vaccine == vaccine && relocation.until < second.start && is_short
            })
        }
    };
    it_has_no_offer(campaign, booking, index) && is_it
}

fn it_has_no_offer(campaign: &CampaignState, booking: &Booking, index: RelocationIndex) -> bool {
    let offer = campaign.standing(&booking.person).offer;
    let offer = offer.and_then(|id| campaign.holds.get(&id));
    offer.is_none_or(|offer| offer.offered_by != Some(index))
}

struct Search<'a> {
    campaign: &'a CampaignState,
    catalog: &'a Catalog,
    /// A seat begins after this instant.
    after: Stamp,
    /// Seats that people of this plan have already.
    taken: HashMap<(SlotIndex, Pool), u32>,
    nearest: HashMap<SiteIndex, Vec<SiteIndex>>,
}

/// What is looked for.
#[derive(Clone, Copy)]
struct Wanted {
    site: SiteIndex,
    vaccine: VaccineIndex,
    pool: Pool,
    /// The best day, and the first and the last that will do.
    date: Day,
    days: (Day, Day),
    start_min: u16,
    /// Whether the slot is for a first dose, and brings its second.
    brings_second: bool,
}

impl Search<'_> {
    fn seats_for(&mut self, booking: &Booking, by: &Relocation, now: Stamp) -> Option<Doses> {
        let doses = booking.doses;
        let first = *self.catalog.slot(doses.first)?;
        let is_closed = |slot: &Slot| slot.closed_by.is_some() && now < slot.start;
        let prefer = match by.cause {
            Cause::Closure { prefer } => prefer,
            Cause::Interval { .. } | Cause::Retimed { .. } => Prefer::SameSite,
        };
        if is_closed(&first) {
            let wanted = Wanted {
                site: first.site,
                vaccine: first.vaccine,
                pool: booking.pool,
                date: first.date,
                days: (Day(first.date.0 - DAYS_MAX), Day(first.date.0 + DAYS_MAX)),
                start_min: first.start_min,
                brings_second: true,
            };
            let slot = self.nearest_free(wanted, prefer)?;
            let second = self.catalog.second_of(&self.catalog.slots[slot.at()]);
            return Some(Doses {
                first: slot,
                second,
            });
        }
        let second = *self.catalog.slot(doses.second?)?;
        let kind = self.catalog.campaign.vaccines.get(second.vaccine.at())?;
        let earliest = Day(first.date.0 + i32::from(kind.interval_days));
        let date = match by.cause {
            Cause::Closure { .. } | Cause::Retimed { .. } => second.date,
            Cause::Interval { .. } => earliest,
        };
        let wanted = Wanted {
            site: second.site,
            vaccine: second.vaccine,
            pool: booking.pool,
            date,
            days: (earliest, Day(date.0.max(earliest.0) + DAYS_MAX)),
            start_min: second.start_min,
            brings_second: false,
        };
        let slot = self.nearest_free(wanted, prefer)?;
        Some(Doses {
            first: doses.first,
            second: Some(slot),
        })
    }

    fn nearest_free(&mut self, wanted: Wanted, prefer: Prefer) -> Option<SlotIndex> {
        let sites = self.sites_near(wanted.site);
        let (first, last) = wanted.days;
        let offsets = (0..=2 * DAYS_MAX).flat_map(|days| [days, -days]);
        let days = offsets.map(|days| Day(wanted.date.0 + days));
        let days: Vec<Day> = days.filter(|day| first <= *day && *day <= last).collect();
        match prefer {
            Prefer::SameSite => {
                let mut pairs = sites
                    .iter()
                    .flat_map(|site| days.iter().map(move |day| (site, day)));
                pairs.find_map(|(site, day)| self.free_on(*site, *day, wanted))
            }
            Prefer::SameDay => {
                let mut pairs = days
                    .iter()
                    .flat_map(|day| sites.iter().map(move |site| (site, day)));
                pairs.find_map(|(site, day)| self.free_on(*site, *day, wanted))
            }
        }
    }

    /// The free slot of a site on a day that is nearest to the wanted time.
    fn free_on(&self, site: SiteIndex, day: Day, wanted: Wanted) -> Option<SlotIndex> {
        let of_day = self.catalog.slots_on(site, wanted.vaccine, day);
        let away = |slot: &SlotIndex| {
            let start_min = self.catalog.slots[slot.at()].start_min;
            start_min.abs_diff(wanted.start_min)
        };
        let free = of_day.iter().filter(|slot| {
            let known = &self.catalog.slots[slot.at()];
            let second = self.catalog.second_of(known);
            let has_both = match second {
                _ if !wanted.brings_second => true,
                Some(second) => self.is_free(second, wanted.pool),
                None => self.catalog.is_offered(known, self.after),
            };
            has_both && self.is_free(**slot, wanted.pool)
        });
        free.min_by_key(|slot| away(slot)).copied()
    }

    fn is_free(&self, slot: SlotIndex, pool: Pool) -> bool {
        let known = &self.catalog.slots[slot.at()];
        let taken = self.taken.get(&(slot, pool)).copied().unwrap_or(0);
        let usage = self
            .campaign
            .usage
            .get(slot.at())
            .copied()
            .unwrap_or_default();
        let pool = pool as usize;
        let used = u32::from(usage.booked[pool]) + u32::from(usage.held[pool]) + taken;
        known.closed_by.is_none()
            && self.after < known.start
            && used < u32::from(known.capacity[pool])
    }

    /// The sites that are near one, itself first.
    fn sites_near(&mut self, site: SiteIndex) -> Vec<SiteIndex> {
        let catalog = self.catalog;
        let near = self.nearest.entry(site).or_insert_with(|| {
            let others = (0..catalog.sites.len() as u32).map(SiteIndex);
            let away = others.map(|other| (distance_km(catalog, site, other), other));
            let mut away: Vec<_> = away.filter(|(km, _)| *km <= KM_MAX).collect();
            away.sort_by(|a, b| (a.1 != site).cmp(&(b.1 != site)).then(a.0.total_cmp(&b.0)));
            away.truncate(SITES_MAX);
            away.into_iter().map(|(_, site)| site).collect()
        });
        near.clone()
    }

    fn count(&self, from: Doses, to: Doses, plan: &mut Plan) {
        let slot = |slot: SlotIndex| &self.catalog.slots[slot.at()];
        let seconds = from.second.zip(to.second);
        let pairs = std::iter::once((from.first, to.first)).chain(seconds);
        for (before, after) in pairs.map(|(before, after)| (slot(before), slot(after))) {
            plan.to_other_sites += u64::from(before.site != after.site);
            plan.on_other_days += u64::from(before.date != after.date);
        }
    }
}

/// As the crow flies, on a plane: good to a part in a thousand within a country.
fn distance_km(catalog: &Catalog, one: SiteIndex, other: SiteIndex) -> f64 {
    const KM_PER_DEGREE: f64 = 111.2; // 40,030 km around / 360
    let (one, other) = (&catalog.sites[one.at()].row, &catalog.sites[other.at()].row);
    let place = |lat: i32, lng: i32| (f64::from(lat) / 1e6, f64::from(lng) / 1e6);
    if (one.lat_e6, one.lng_e6) == (0, 0) || (other.lat_e6, other.lng_e6) == (0, 0) {
        let province = |region: &str| region.split('/').next().map(str::to_owned);
        return if one.region == other.region {
            DISTRICT_KM
        } else if province(&one.region) == province(&other.region) {
            PROVINCE_KM
        } else {
            f64::INFINITY
        };
    }
    let (lat, lng) = place(one.lat_e6, one.lng_e6);
    let (other_lat, other_lng) = place(other.lat_e6, other.lng_e6);
    let north = (other_lat - lat) * KM_PER_DEGREE;
    let east = (other_lng - lng) * KM_PER_DEGREE * lat.to_radians().cos();
    north.hypot(east)
}
