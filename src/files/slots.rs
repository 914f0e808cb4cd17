//! The slots file: `site,vaccine,date,start,end,public,assisted`, one start time a row. Columns
//! `partner`, `walk_in` and `later` may come beside them; without one that pool has no seats. A row
//! without a seat in any pool takes all seats from a known slot.
//!
//! Owns resolving local times to instants: a time that the zone skips or repeats is refused here,
//! once, with both readings, so that no later code meets one. It must not know the campaign: the
//! caller says which sites and vaccines there are.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use jiff::civil::{Date, DateTime, Time};
use rayon::prelude::*;

use crate::domain::booking::catalog::Catalog;
use crate::domain::booking::site::SlotRow;
use crate::domain::ids::{Seats, SiteIndex, VaccineIndex};
use crate::domain::time::{Day, LocalTimeFault, Stamp, Zone};

use super::decode::Encoding;
use super::field::{self, FieldFault, shown};
use super::header::{Column, column, names};
use super::report::{Reason, Report, SHOWN_MAX};
use super::table::{Row, scan_with_optional};

const COLUMNS: &[Column] = &[
    column("site", &["기관코드", "기관번호", "접종기관코드", "기관"]),
    column("vaccine", &["백신", "백신종류"]),
    column("date", &["날짜", "일자", "접종일", "접종일자"]),
    column("start", &["시작", "시작시간", "시작시각"]),
    column("end", &["종료", "종료시간", "종료시각", "끝"]),
    column("public", &["일반", "일반정원", "공개"]),
    column("assisted", &["대리", "대리예약", "지원", "전화예약"]),
    column("partner", &["협력", "협력기관", "제휴"]),
    column("walk_in", &["현장", "현장접종", "당일"]),
    column("later", &["추후", "추후공개", "예비"]),
];
const SITE: usize = 0;
const VACCINE: usize = 1;
const DATE: usize = 2;
const START: usize = 3;
const END: usize = 4;
const PUBLIC: usize = 5;
const ASSISTED: usize = 6;
const PARTNER: usize = 7;
const WALK_IN: usize = 8;
const LATER: usize = 9;
const DAY_MIN: u16 = 24 * 60;

/// Reads a slots file at a path; see `read`.
pub fn read_file(
    path: &Path,
    zone: &Zone,
    vaccine_of: impl Fn(&str) -> Option<VaccineIndex> + Sync,
    site_of: impl Fn(&str) -> Option<SiteIndex> + Sync,
) -> Result<Vec<SlotRow>, Report> {
    let file = File::open(path).map_err(|cause| Report::unreadable("slots", path, &cause))?;
    read(file, Encoding::Auto, zone, vaccine_of, site_of)
}

/// Reads a slots file whose vaccines and sites are those of `catalog`.
pub fn read_for(
    catalog: &Catalog,
    source: impl Read + Send,
    encoding: Encoding,
) -> Result<Vec<SlotRow>, Report> {
    let campaign = &catalog.campaign;
    let vaccine = |id: &str| {
        let at = campaign.vaccines.iter().position(|kind| kind.id == id)?;
        Some(VaccineIndex(at as u8))
    };
    let site = |id: &str| catalog.site(id).map(|(index, _)| index);
    read(source, encoding, &campaign.zone, vaccine, site)
}

/// Reads a slots file; the slots are in the order of its rows.
pub fn read(
    source: impl Read + Send,
    encoding: Encoding,
    zone: &Zone,
    vaccine_of: impl Fn(&str) -> Option<VaccineIndex> + Sync,
    site_of: impl Fn(&str) -> Option<SiteIndex> + Sync,
) -> Result<Vec<SlotRow>, Report> {
    let (mut slots, mut lines) = (Vec::new(), Vec::new());
    let mut report = scan_with_optional(
        "slots",
        COLUMNS,
        &[PARTNER, WALK_IN, LATER],
        source,
        encoding,
        |row, chunk: &mut (Vec<SlotRow>, Vec<u32>), report| {
            if let Some(slot) = check(row, report, zone, &vaccine_of, &site_of) {
                chunk.0.push(slot);
                chunk.1.push(u32::try_from(row.line).unwrap_or(u32::MAX));
            }
        },
        |(chunk_slots, chunk_lines)| {
            slots.extend(chunk_slots);
            lines.extend(chunk_lines);
        },
    );
    report_same_slots(&slots, &lines, &mut report);
    report.judge(SHOWN_MAX, || slots)
}

fn check(
    row: &Row<'_>,
    report: &mut Report,
    zone: &Zone,
    vaccine_of: impl Fn(&str) -> Option<VaccineIndex>,
    site_of: impl Fn(&str) -> Option<SiteIndex>,
) -> Option<SlotRow> {
    let known = |reason, what: &'static str| {
        move |text: &str| (reason, format!("`{}` is not a {what}", shown(text)))
    };
    let no_site = known(
        Reason::UnknownSite,
        "site of this campaign: import its sites first",
    );
    let no_vaccine = known(Reason::UnknownVaccine, "vaccine of the campaign file");
    let site = row.read(SITE, report, |text| {
        site_of(text).ok_or_else(|| no_site(text))
    });
    let vaccine = row.read(VACCINE, report, |text| {
        vaccine_of(text).ok_or_else(|| no_vaccine(text))
    });
    let date = row.read(DATE, report, field::date);
    let start_min = row.read(START, report, |text| match field::minutes(text)? {
        DAY_MIN => Err((
            Reason::BadTime,
            "a slot cannot start at 24:00: write 00:00".into(),
        )),
        minutes => Ok(minutes),
    });
    let end_min = row.read(END, report, |text| {
        let end = field::minutes(text)?;
        match start_min {
            Some(start) if start >= end => {
                let detail = format!("`{text}` is not after the start");
                Err((Reason::BadTime, detail))
            }
            _ => Ok(end),
        }
    });
    let public = row.read(PUBLIC, report, field::capacity);
    let assisted = row.read(ASSISTED, report, field::capacity);
    let mut beside = |column| {
        if row.has(column) {
            row.read(column, report, field::capacity)
        } else {
            Some(0)
        }
    };
    let (partner, walk_in, later) = (beside(PARTNER), beside(WALK_IN), beside(LATER));
    let resolved = |column, minutes: Option<u16>, report: &mut Report| {
        let (date, minutes) = date.zip(minutes)?;
        row.read(column, report, |_| resolve(zone, date, minutes))
    };
    let start = resolved(START, start_min, report);
    let end = resolved(END, end_min, report);
    Some(SlotRow {
        site: site?,
        vaccine: vaccine?,
        date: Day::of(date?),
        start_min: start_min?,
        start: start?,
        end: end?,
        capacity: [public?, assisted?, partner?, walk_in?, later?],
    })
}

fn resolve(zone: &Zone, date: Date, minutes: u16) -> Result<Stamp, FieldFault> {
    zone.resolve(local(date, minutes)).map_err(|fault| {
        let reason = match fault {
            LocalTimeFault::OutOfRange { .. } => Reason::DateOutOfRange,
            _ => Reason::TimeSkippedOrRepeated,
        };
        (reason, fault.to_string())
    })
}

/// A local date and time; 24:00 is midnight of the next day.
fn local(date: Date, minutes: u16) -> DateTime {
    if minutes >= DAY_MIN {
        // The calendar ends in the year 9999, far outside what a zone resolves.
        return date
            .tomorrow()
            .unwrap_or(date)
            .to_datetime(Time::midnight());
    }
    date.at((minutes / 60) as i8, (minutes % 60) as i8, 0, 0)
}

fn report_same_slots(slots: &[SlotRow], lines: &[u32], report: &mut Report) {
    let name = |at: u32| {
        let slot = &slots[at as usize];
        (slot.site, slot.date, slot.start_min, slot.vaccine)
    };
    let mut order: Vec<u32> = (0..slots.len() as u32).collect();
    order.par_sort_unstable_by_key(|&at| (name(at), at));
    let pairs = order
        .windows(2)
        .filter(|pair| name(pair[0]) == name(pair[1]))
        .map(|pair| (lines[pair[1] as usize], lines[pair[0] as usize]))
        .collect();
    report.add_pairs(pairs, "", Reason::SameSlotTwice, |first| {
        format!("has the site, vaccine, date and start of line {first}")
    });
}

/// One row of a slots file to be written; times in minutes after local midnight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotLine {
    pub site: SiteIndex,
    pub date: Date,
    pub start_min: u16,
    pub end_min: u16,
    pub public: u16,
    pub assisted: u16,
}

impl SlotLine {
    /// The row that reading this line would give.
    pub fn row(&self, vaccine: VaccineIndex, zone: &Zone) -> Result<SlotRow, LocalTimeFault> {
        let minutes = (self.start_min, self.end_min);
        let capacity = [self.public, self.assisted, 0, 0, 0];
        resolved(
            zone,
            (self.site, vaccine),
            Day::of(self.date),
            minutes,
            capacity,
        )
    }
}

/// A slot at a local date, from one minute of the day until another.
pub fn resolved(
    zone: &Zone,
    (site, vaccine): (SiteIndex, VaccineIndex),
    date: Day,
    (start_min, end_min): (u16, u16),
    capacity: Seats,
) -> Result<SlotRow, LocalTimeFault> {
    Ok(SlotRow {
        site,
        vaccine,
        date,
        start_min,
        start: zone.resolve(local(date.date(), start_min))?,
        end: zone.resolve(local(date.date(), end_min))?,
        capacity,
    })
}

/// Writes slots of a catalog as a file that `read` takes, with every pool.
///
/// # Errors
/// Those of `into`.
pub fn write_rows<'a>(
    catalog: &Catalog,
    rows: impl IntoIterator<Item = &'a SlotRow>,
    into: impl Write,
) -> io::Result<()> {
    let zone = &catalog.campaign.zone;
    let mut writer = csv::Writer::from_writer(into);
    writer.write_record(names(COLUMNS))?;
    let mut date = String::new();
    for row in rows {
        date.clear();
        super::write_date(&mut date, row.date.date());
        let end = zone.local(row.end);
        // Midnight is the end of the day before, in a file.
        let is_midnight = end.date() != row.date.date() && end.time() == Time::midnight();
        let end = if is_midnight {
            "24:00".to_owned()
        } else {
            end.strftime("%H:%M").to_string()
        };
        let start = format!("{:02}:{:02}", row.start_min / 60, row.start_min % 60);
        let seats = row.capacity.map(|seats| seats.to_string());
        let fixed = [
            catalog.sites[row.site.at()].row.site.as_str(),
            catalog.campaign.vaccines[row.vaccine.at()].id.as_str(),
            &date,
            &start,
            &end,
        ];
        let seats = seats.iter().map(String::as_str);
        writer.write_record(fixed.into_iter().chain(seats))?;
    }
    writer.flush()
}

/// Writes a slots file that `read` takes. `site` gives a site's id.
pub fn write_csv<'a>(
    slots: impl IntoIterator<Item = SlotLine>,
    vaccine: &str,
    site: impl Fn(SiteIndex) -> &'a str,
    into: impl Write,
) -> io::Result<()> {
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let mut writer = csv::Writer::from_writer(into);
    writer.write_record(names(&COLUMNS[..PARTNER]))?;
    let mut date = String::new();
    for slot in slots {
        date.clear();
        super::write_date(&mut date, slot.date);
        writer.write_record([
            site(slot.site),
            vaccine,
            &date,
            &clock(slot.start_min),
            &clock(slot.end_min),
            &slot.public.to_string(),
            &slot.assisted.to_string(),
        ])?;
    }
    writer.flush()
}
