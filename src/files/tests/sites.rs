//! The sites file, fault by fault.

use super::*;
use crate::files::sites::read;

const HEADER: &str = "site,name_ko,name_en,region,address,lat,lng,phone\n";

fn row_with(column: usize, text: &str) -> String {
    let mut fields = [
        "s-1",
        "종로구",
        "Jongno",
        "11/110",
        "새문안로 1",
        "37.57",
        "126.97",
        "02-1",
    ];
    fields[column] = text;
    fields.join(",")
}

fn assert_fault(column: usize, text: &str, reason: Reason) {
    let report = read(format!("{HEADER}{}\n", row_with(column, text)).as_bytes()).unwrap_err();
    assert_only(
        report,
        2,
        HEADER.trim().split(',').nth(column).unwrap(),
        reason,
    );
}

#[test]
fn a_good_row_is_read() {
    let file = format!("{HEADER}{}\n", row_with(5, "-37.5712345"));
    let sites = read(file.as_bytes()).unwrap();
    assert_eq!(sites[0].site, "s-1");
    assert_eq!(
        (sites[0].lat_e6, sites[0].lng_e6),
        (-37_571_235, 126_970_000)
    );
}

#[test]
fn ids_that_would_break_an_address_are_refused() {
    for text in ["", "a/b", "a b", "..", "-a", "종로", &"a".repeat(65)] {
        assert_fault(0, text, Reason::BadId);
    }
}

#[test]
fn the_same_site_twice_names_both_lines() {
    let file = format!("{HEADER}{0}\n{0}\n", row_with(1, "종로구"));
    let report = read(file.as_bytes()).unwrap_err();
    assert!(
        report.to_string().contains("`s-1` is also on line 2"),
        "{report}"
    );
    assert_only(report, 3, "site", Reason::SameSiteTwice);
}

#[test]
fn coordinates_off_the_globe_are_refused() {
    for text in [
        "", "90.1", "-91", "NaN", "inf", "1e1", "37,5", ".5", "3.7.5", "+37", "-",
    ] {
        let quoted = format!("\"{text}\"");
        assert_fault(5, &quoted, Reason::BadCoordinate);
    }
    assert_fault(6, "180.000001", Reason::BadCoordinate);
    let file = format!("{HEADER}{}\n", row_with(6, "-180"));
    assert_eq!(read(file.as_bytes()).unwrap()[0].lng_e6, -180_000_000);
}

#[test]
fn other_fields_are_checked() {
    assert_fault(1, "", Reason::Empty);
    assert_fault(1, &"가".repeat(101), Reason::TooLong);
    assert_fault(2, &"a".repeat(101), Reason::TooLong);
    assert_fault(3, "", Reason::BadRegion);
    assert_fault(4, &"a".repeat(201), Reason::TooLong);
    assert_fault(7, "call us", Reason::BadPhone);
}
