//! Generated slots: four weeks of first doses and, 28 days later, their second doses.
//!
//! Invariant: a first dose's slot and its second's have the same site, time and capacities, so a
//! seat for both exists or for neither.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::domain::booking::site::SiteRow;
use crate::domain::ids::SiteIndex;
use crate::files::slots::SlotLine;

use super::tables::DISTRICTS;

/// The days on which first doses are given, Sundays excepted.
pub const FIRST_DOSE_DAYS: i32 = 4 * 7;
pub const SECOND_DOSE_AFTER_DAYS: i32 = 28;
/// From 09:00 until 17:30, half an hour each.
const START_MIN: std::ops::Range<u16> = 9 * 60..17 * 60 + 30;
const SLOT_MIN: u16 = 30;
/// Seats for each hundred people: those who book early find a choice, the last still a seat.
const SEATS_PERCENT: u64 = 115;
/// The most seats that a slots file takes in one pool.
const SEATS_MAX: u64 = 10_000;
/// One seat for helpers on the telephone beside each twenty of the public.
const PUBLIC_PER_ASSISTED: u128 = 20;

/// The slots of all sites, those of a site together and in order of time. First doses have some
/// 1.15 public seats for each of `people`, by the residents of the sites' districts; a slot that
/// gets no seat is left out, with its second.
pub fn slots(sites: &[SiteRow], from: Date, people: u64) -> Vec<SlotLine> {
    let days: Vec<Date> = (0..FIRST_DOSE_DAYS)
        .filter_map(|day| from.checked_add(day.days()).ok())
        .filter(|date| date.weekday() != Weekday::Sunday)
        .collect();
    let starts: Vec<u16> = START_MIN.step_by(usize::from(SLOT_MIN)).collect();
    let of_site = (days.len() * starts.len()) as u128;
    let weights = weights(sites);
    let weight_of_all = weights
        .iter()
        .map(|weight| u128::from(*weight))
        .sum::<u128>()
        * of_site;
    let seats_of_all = u128::from(people) * u128::from(SEATS_PERCENT) / 100;
    let mut slots = Vec::new();
    // Seats up to a slot are rounded down, not those of each slot: so the sum comes out right.
    let (mut weight_so_far, mut seats_so_far) = (0_u128, 0_u128);
    for (site, &weight) in (0..).map(SiteIndex).zip(&weights) {
        let first = slots.len();
        for &date in &days {
            for &start_min in &starts {
                weight_so_far += u128::from(weight);
                let seats_up_to_here = seats_of_all * weight_so_far / weight_of_all.max(1);
                let public = (seats_up_to_here - seats_so_far).min(u128::from(SEATS_MAX)) as u64;
                let assisted = seats_up_to_here / PUBLIC_PER_ASSISTED;
                let assisted = assisted - seats_so_far / PUBLIC_PER_ASSISTED;
                seats_so_far = seats_up_to_here;
                if public > 0 {
                    slots.push(SlotLine {
                        site,
                        date,
                        start_min,
                        end_min: start_min + SLOT_MIN,
                        public: public as u16,
                        assisted: assisted.min(u128::from(SEATS_MAX)) as u16,
                    });
                }
            }
        }
        for at in first..slots.len() {
            if let Ok(date) = slots[at].date.checked_add(SECOND_DOSE_AFTER_DAYS.days()) {
                slots.push(SlotLine { date, ..slots[at] });
            }
        }
    }
    slots
}

/// The residents of each site's district, shared among the sites of that district.
fn weights(sites: &[SiteRow]) -> Vec<u64> {
    const SCALE: u64 = 1000;
    let residents: HashMap<&str, u64> = DISTRICTS
        .iter()
        .map(|district| (district.region.as_str(), district.people_thousand))
        .collect();
    let mut sites_in: HashMap<&str, u64> = HashMap::new();
    for site in sites {
        *sites_in.entry(&site.region).or_default() += 1;
    }
    let weight = |site: &SiteRow| {
        // A site outside the table serves as many as a small town.
        let people = residents.get(site.region.as_str()).copied().unwrap_or(30);
        people * SCALE / sites_in[site.region.as_str()]
    };
    sites.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::demo::sites;
    use crate::domain::ids::VaccineIndex;
    use crate::domain::time::Zone;
    use crate::files;

    const FROM: Date = date(2021, 7, 26);

    #[test]
    fn seats_are_enough_for_everyone_and_some_choice() {
        for people in [1_000, 100_000, 1_540_000] {
            let slots = slots(&sites(1, 282), FROM, people);
            let is_first = |slot: &&SlotLine| slot.date < date(2021, 8, 23);
            let firsts: Vec<_> = slots.iter().filter(is_first).collect();
            assert_eq!(firsts.len() * 2, slots.len());
            let seats: u64 = firsts.iter().map(|slot| u64::from(slot.public)).sum();
            assert_eq!(seats, people * 115 / 100);
            let assisted: u64 = firsts.iter().map(|slot| u64::from(slot.assisted)).sum();
            assert_eq!(assisted, seats / 20);
        }
    }

    #[test]
    fn nobody_works_on_sunday() {
        // Of 1.54 million, the islanders of Ulleung would leave some slots without a seat.
        let slots = slots(&sites(1, 282), FROM, 6_000_000);
        assert!(
            slots
                .iter()
                .all(|slot| slot.date.weekday() != Weekday::Sunday)
        );
        assert_eq!(slots.len(), 282 * 24 * 17 * 2);
        assert_eq!(slots[0].start_min, 9 * 60);
        assert!(slots.iter().all(|slot| slot.end_min <= 17 * 60 + 30));
    }

    #[test]
    fn every_first_dose_has_its_second() {
        let slots = slots(&sites(1, 20), FROM, 10_000);
        let all: std::collections::HashSet<_> = slots
            .iter()
            .map(|slot| (slot.site, slot.date, slot.start_min, slot.public))
            .collect();
        for slot in slots.iter().filter(|slot| slot.date < date(2021, 8, 23)) {
            let later = slot.date.checked_add(28.days()).unwrap();
            assert!(all.contains(&(slot.site, later, slot.start_min, slot.public)));
        }
    }

    #[test]
    fn the_reader_takes_them_as_they_are() {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let sites = sites(1, 50);
        let slots = slots(&sites, FROM, 20_000);
        let mut file = Vec::new();
        let id = |site: SiteIndex| sites[site.at()].site.as_str();
        files::slots::write_csv(slots.iter().copied(), "mrna", id, &mut file).unwrap();
        let site_of = |text: &str| {
            let at = sites.iter().position(|site| site.site == text)?;
            Some(SiteIndex(at as u32))
        };
        let vaccine_of = |text: &str| (text == "mrna").then_some(VaccineIndex(0));
        let read = files::slots::read(
            file.as_slice(),
            files::Encoding::Auto,
            &zone,
            vaccine_of,
            site_of,
        )
        .unwrap();
        let rows = slots
            .iter()
            .map(|slot| slot.row(VaccineIndex(0), &zone).unwrap());
        assert!(read.into_iter().eq(rows));
    }
}
