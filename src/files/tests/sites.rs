//! The sites file, fault by fault.

use super::*;
use crate::domain::booking::site::SiteRow;
use crate::files::Encoding;

const HEADER: &str = "site,name_ko,name_en,region,address,lat,lng,phone\n";

fn read(file: &[u8]) -> Result<Vec<SiteRow>, Report> {
    crate::files::sites::read(file, Encoding::Auto)
}

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
    assert_fault(3, "99/999", Reason::BadRegion);
    assert_fault(4, &"a".repeat(201), Reason::TooLong);
    assert_fault(7, "call us", Reason::BadPhone);
}

/// Gangwon had two codes, and stood twice in the list of provinces.
#[test]
fn either_code_of_a_region_is_one_place() {
    for (written, listed) in [
        ("51/110", "42/110"),
        ("42/110", "42/110"),
        ("27/720", "47/720"),
    ] {
        let file = format!("{HEADER}{}\n", row_with(3, written));
        assert_eq!(read(file.as_bytes()).unwrap()[0].region, listed);
    }
}

#[test]
fn a_telephone_number_is_shown_as_people_dial_it() {
    for (written, shown) in [
        ("1339", "1339"),
        ("(02) 123.4567", "(02) 123.4567"),
        ("０２－１", "02-1"),
    ] {
        let file = format!("{HEADER}{}\n", row_with(7, written));
        assert_eq!(read(file.as_bytes()).unwrap()[0].phone, shown);
    }
}

/// What is longer than an entry of the journal could not be imported.
#[test]
fn the_longest_row_of_a_file_fits_the_journal_many_times() {
    let wide = |chars: usize| "\u{1f600}".repeat(chars);
    let row = [
        "s".repeat(64),
        wide(100),
        wide(100),
        "11/110".to_owned(),
        wide(200),
        "-37.5712345".to_owned(),
        "-126.970000".to_owned(),
        "0".repeat(20),
    ];
    let file = format!("{HEADER}{}\n", row.join(","));
    let sites = read(file.as_bytes()).unwrap();
    let bytes = crate::domain::entry::encoded_bytes(&sites[0]);
    assert!(bytes > 1_600 && bytes < crate::domain::pieces::PIECE_BYTES_MAX / 20);
    for (at, long) in [(1, wide(101)), (2, wide(101)), (4, wide(201))] {
        let mut row = row.clone();
        row[at] = long;
        assert!(read(format!("{HEADER}{}\n", row.join(",")).as_bytes()).is_err());
    }
}
