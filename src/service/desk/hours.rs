//! Opening hours as a pattern: the slots that some weeks of it make, as a file of slots to be
//! proposed like any other.

use std::collections::BTreeSet;

use crate::domain::booking::catalog::Catalog;
use crate::domain::booking::site::SlotRow;
use crate::domain::ids::{Seats, VaccineIndex};
use crate::domain::staff::proposal::SlotRange;
use crate::domain::time::Day;
use crate::files::slots::{resolved, write_rows};

use super::slot_range;

/// Slots that one pattern makes: a text of them is within what a proposal may have.
pub const SLOTS_MAX: usize = 400_000; // 32 MiB / 80 bytes a row

/// When sites are open, and with how many seats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    /// Which sites, and from which day until which. Its vaccine is needed.
    pub range: SlotRange,
    /// Monday first.
    pub weekdays: [bool; 7],
    /// Days on which nobody is open.
    pub except: BTreeSet<Day>,
    /// Minutes after midnight: from, until.
    pub spans: Vec<(u16, u16)>,
    /// Minutes from one start to the next.
    pub every_min: u16,
    pub capacity: Seats,
}

/// The file of slots that a pattern makes, or what is wrong with it.
pub fn text(catalog: &Catalog, hours: &Hours) -> Result<String, Vec<String>> {
    let faults = faults(catalog, hours);
    if !faults.is_empty() {
        return Err(faults);
    }
    let id = hours.range.vaccine.as_deref();
    let vaccine = catalog
        .campaign
        .vaccines
        .iter()
        .position(|kind| Some(&*kind.id) == id);
    let vaccine = vaccine.ok_or_else(|| vec!["name the vaccine".to_owned()])?;
    let starts = starts(hours);
    let days = days(hours);
    let sites = slot_range::sites(catalog, &hours.range);
    let count = starts.len() * days.len() * sites.len();
    if count == 0 {
        return Err(vec![
            "this pattern has no slot within these days".to_owned(),
        ]);
    }
    if count > SLOTS_MAX {
        return Err(vec![format!(
            "this makes {count} slots, and at most {SLOTS_MAX} go at a time: do it for fewer sites \
             or weeks"
        )]);
    }
    let mut rows: Vec<SlotRow> = Vec::with_capacity(count);
    let mut faults = Vec::new();
    for site in sites {
        for day in &days {
            for (start, end) in &starts {
                let vaccine = VaccineIndex(vaccine as u8);
                let zone = &catalog.campaign.zone;
                match resolved(zone, (site, vaccine), *day, (*start, *end), hours.capacity) {
                    Ok(row) => rows.push(row),
                    Err(fault) => faults.push(format!("{day}: {fault}")),
                }
            }
        }
    }
    if !faults.is_empty() {
        faults.truncate(20);
        return Err(faults);
    }
    let mut text = Vec::new();
    let written = write_rows(catalog, &rows, &mut text);
    written.map_err(|error| vec![error.to_string()])?;
    String::from_utf8(text).map_err(|error| vec![error.to_string()])
}

fn faults(catalog: &Catalog, hours: &Hours) -> Vec<String> {
    let mut faults = slot_range::faults(catalog, &hours.range);
    if hours.every_min < 5 {
        faults.push("a slot has at least 5 minutes".to_owned());
    }
    if hours.spans.is_empty() {
        faults.push("give at least one span of hours".to_owned());
    }
    let day = 24 * 60;
    for (from, until) in &hours.spans {
        if until <= from || *until > day {
            faults.push("each span ends after it begins, within the day".to_owned());
        }
    }
    if hours.spans.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        faults.push("spans are in order and do not overlap".to_owned());
    }
    if hours.capacity == Seats::default() {
        faults.push("give seats to at least one pool".to_owned());
    }
    if !hours.weekdays.contains(&true) {
        faults.push("choose at least one day of the week".to_owned());
    }
    faults
}

/// The starts and ends within a day. What is left of a span and too short for a slot is not used.
fn starts(hours: &Hours) -> Vec<(u16, u16)> {
    let of_span = |(from, until): &(u16, u16)| {
        let (from, until, every) = (*from, *until, hours.every_min.max(1));
        let starts = (from..until).step_by(usize::from(every));
        starts
            .map(move |start| (start, start + every))
            .filter(move |(_, end)| *end <= until)
    };
    hours.spans.iter().flat_map(of_span).collect()
}

fn days(hours: &Hours) -> Vec<Day> {
    let all = (hours.range.from.0..=hours.range.until.0).map(Day);
    let is_open = |day: &Day| {
        let weekday = day.date().weekday().to_monday_zero_offset();
        hours.weekdays[weekday as usize] && !hours.except.contains(day)
    };
    all.filter(is_open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours() -> Hours {
        Hours {
            range: SlotRange {
                sites: Vec::new(),
                // Monday, 9 August 2021, to the Sunday behind it.
                from: Day(18_848),
                until: Day(18_854),
                vaccine: Some("mrna".to_owned()),
                minutes: None,
            },
            weekdays: [true, true, true, true, true, false, false],
            except: BTreeSet::from([Day(18_850)]),
            spans: vec![(540, 720), (780, 1_010)],
            every_min: 60,
            capacity: [10, 1, 0, 0, 0],
        }
    }

    #[test]
    fn a_pattern_makes_whole_slots_on_its_days_alone() {
        let hours = hours();
        let starts: Vec<u16> = starts(&hours).iter().map(|(start, _)| *start).collect();
        // The last twenty minutes of the afternoon are too short.
        assert_eq!(starts, [540, 600, 660, 780, 840, 900]);
        let days: Vec<i32> = days(&hours).iter().map(|day| day.0).collect();
        assert_eq!(days, [18_848, 18_849, 18_851, 18_852]);
    }
}
