//! The slots file, fault by fault.

use super::*;
use crate::domain::booking::site::SlotRow;
use crate::domain::ids::{SiteIndex, VaccineIndex};
use crate::domain::time::Zone;
use crate::files::Encoding;
use crate::files::slots::read;

const HEADER: &str = "site,vaccine,date,start,end,public,assisted\n";

fn read_in(zone: &str, rows: &str) -> Result<Vec<SlotRow>, Report> {
    let zone = Zone::named(zone).unwrap();
    let vaccine_of = |text: &str| (text == "mrna").then_some(VaccineIndex(0));
    let site_of = |text: &str| (text == "s-1").then_some(SiteIndex(7));
    read(
        format!("{HEADER}{rows}").as_bytes(),
        Encoding::Auto,
        &zone,
        vaccine_of,
        site_of,
    )
}

fn row_with(column: usize, text: &str) -> String {
    let mut fields = ["s-1", "mrna", "2021-08-02", "09:00", "09:30", "10", "1"];
    fields[column] = text;
    fields.join(",") + "\n"
}

fn assert_fault(column: usize, text: &str, reason: Reason) {
    let report = read_in("Asia/Seoul", &row_with(column, text)).unwrap_err();
    assert_only(
        report,
        2,
        HEADER.trim().split(',').nth(column).unwrap(),
        reason,
    );
}

#[test]
fn local_times_become_instants() {
    let zone = Zone::named("Asia/Seoul").unwrap();
    let slots = read_in("Asia/Seoul", &(row_with(1, "mrna") + &row_with(3, "08:30"))).unwrap();
    assert_eq!(slots.len(), 2);
    assert_eq!((slots[0].site, slots[0].start_min), (SiteIndex(7), 540));
    assert_eq!(slots[0].capacity, [10, 1, 0, 0, 0]);
    assert_eq!(zone.rfc3339(slots[0].start), "2021-08-02T09:00:00+09:00");
    assert_eq!(zone.rfc3339(slots[1].start), "2021-08-02T08:30:00+09:00");
    let late = read_in("Asia/Seoul", &row_with(4, "24:00")).unwrap();
    assert_eq!(zone.rfc3339(late[0].end), "2021-08-03T00:00:00+09:00");
}

#[test]
fn a_start_that_the_zone_skips_is_refused_with_both_readings() {
    let report = read_in("Europe/Berlin", "s-1,mrna,2021-03-28,02:30,03:30,1,0\n").unwrap_err();
    let told = report.to_string();
    assert!(told.contains("line 2, start"), "{told}");
    assert!(told.contains("2021-03-28T01:30:00+01:00"), "{told}");
    assert!(told.contains("2021-03-28T03:30:00+02:00"), "{told}");
    assert_only(report, 2, "start", Reason::TimeSkippedOrRepeated);
}

#[test]
fn an_end_that_the_zone_repeats_is_refused_with_both_readings() {
    let report = read_in("Europe/Berlin", "s-1,mrna,2021-10-31,01:30,02:30,1,0\n").unwrap_err();
    let told = report.to_string();
    assert!(told.contains("2021-10-31T02:30:00+02:00"), "{told}");
    assert!(told.contains("2021-10-31T02:30:00+01:00"), "{told}");
    assert_only(report, 2, "end", Reason::TimeSkippedOrRepeated);
}

#[test]
fn sites_and_vaccines_must_be_known() {
    assert_fault(0, "s-2", Reason::UnknownSite);
    assert_fault(1, "az", Reason::UnknownVaccine);
}

#[test]
fn bad_dates_and_times_are_refused() {
    for text in ["2021-02-29", "02-08-2021", "", "2021-08-02T09:00"] {
        assert_fault(2, text, Reason::BadDate);
    }
    for text in [
        "24:00", "09:60", "0900", "09:00:30", "", "25:00", "ab:cd", "9:0", "+9:00",
    ] {
        assert_fault(3, text, Reason::BadTime);
    }
    // As spreadsheets write them.
    for text in ["9:00", "09:00:00", "9:00:00", "０９：００"] {
        let slots = read_in("Asia/Seoul", &row_with(3, text)).unwrap();
        assert_eq!(slots[0].start_min, 9 * 60, "{text}");
    }
    for text in ["09:00", "08:59", "00:00", "24:01"] {
        assert_fault(4, text, Reason::BadTime);
    }
}

#[test]
fn absurd_years_are_refused() {
    for text in ["0001-01-01", "9999-12-31"] {
        let report = read_in("Asia/Seoul", &row_with(2, text)).unwrap_err();
        assert_eq!(report.by_reason[&Reason::DateOutOfRange], 2, "{report}");
    }
}

#[test]
fn capacities_are_numbers_of_seats() {
    for text in ["-1", "10001", "1.5", "", "1 0", "99999999999", "+1"] {
        assert_fault(5, text, Reason::BadCapacity);
    }
    let none = row_with(5, "0").replace(",1\n", ",0\n");
    assert_eq!(read_in("Asia/Seoul", &none).unwrap()[0].capacity, [0; 5]);
    let most = read_in("Asia/Seoul", &row_with(5, "10000")).unwrap();
    assert_eq!(most[0].capacity[0], 10_000);
}

#[test]
fn seats_of_the_partner_pool_may_have_a_column_of_their_own() {
    let zone = Zone::named("Asia/Seoul").unwrap();
    let read = |text: &str| {
        let vaccine_of = |_: &str| Some(VaccineIndex(0));
        read(text.as_bytes(), Encoding::Auto, &zone, vaccine_of, |_| {
            Some(SiteIndex(0))
        })
    };
    let rows = "partner,site,vaccine,date,start,end,public,assisted\n\
                4,s-1,mrna,2021-08-02,09:00,09:30,0,0\n";
    assert_eq!(read(rows).unwrap()[0].capacity, [0, 0, 4, 0, 0]);
    let empty = rows.replace("\n4,", "\n,");
    assert_only(read(&empty).unwrap_err(), 2, "partner", Reason::BadCapacity);
    // A field more than the header has is still a fault without the column.
    let long = format!("{HEADER}{}", row_with(6, "1,4"));
    let report = read(&long).unwrap_err();
    assert_only(report, 2, "", Reason::FieldCount);
}

#[test]
fn the_same_slot_twice_names_both_lines() {
    let rows = row_with(5, "10") + &row_with(3, "08:00") + &row_with(5, "20");
    let report = read_in("Asia/Seoul", &rows).unwrap_err();
    assert!(report.to_string().contains("start of line 2"), "{report}");
    assert_only(report, 4, "", Reason::SameSlotTwice);
}
