//! What all files share: header, line numbers, encodings, bounds.

use std::io::{self, Read};

use super::*;
use crate::domain::booking::site::SiteRow;
use crate::files::{Encoding, sites};

const HEADER: &str = "site,name_ko,name_en,region,address,lat,lng,phone";
const GOOD: &str = "a,종로구,Jongno,11/110,,37.5,127.0,";
const BAD: &str = "a b,종로구,Jongno,11/110,,37.5,127.0,";

fn read(source: impl Read + Send) -> Result<Vec<SiteRow>, Report> {
    sites::read(source, Encoding::Auto)
}

/// The line at which the one bad row is reported.
fn line_of_bad(file: &str) -> Option<u64> {
    let fault = only(read(file.as_bytes()).unwrap_err());
    assert_eq!(fault.reason, Reason::BadId);
    fault.line
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    assert_eq!(line_of_bad(&format!("{HEADER}\n{GOOD}\n{BAD}\n")), Some(3));
    assert_eq!(line_of_bad(&format!("{HEADER}\n{GOOD}\n{BAD}")), Some(3));
    assert_eq!(
        line_of_bad(&format!("{HEADER}\r\n{GOOD}\r\n{BAD}\r\n")),
        Some(3)
    );
    assert_eq!(
        line_of_bad(&format!("{HEADER}\r\n{GOOD}\r\n{BAD}")),
        Some(3)
    );
    assert_eq!(
        line_of_bad(&format!("{HEADER}\n\n\n{GOOD}\n\n{BAD}\n")),
        Some(6)
    );
    assert_eq!(line_of_bad(&format!("{HEADER}\n\n{BAD}")), Some(3));
    assert_eq!(
        line_of_bad(&format!("{HEADER}\r\n\r\n{BAD}\r\n\r\n")),
        Some(3)
    );
    assert_eq!(line_of_bad(&format!("{HEADER}\r{GOOD}\r{BAD}\r")), Some(3));
    assert_eq!(
        line_of_bad(&format!("\n{HEADER}\n{BAD}\n{}", GOOD)),
        Some(3)
    );
}

#[test]
fn lines_are_counted_across_reads() {
    let file = format!("{HEADER}\r\n\r\n{GOOD}\r\n{BAD}\r\n");
    let fault = only(read(Single(file.as_bytes())).unwrap_err());
    assert_eq!(fault.line, Some(4));
}

#[test]
fn a_field_of_several_lines_is_told_at_its_first_and_moves_the_next() {
    let rows = "a,\"종로\n구\",Jongno,11/110,,37.5,127.0,\na b,종로구,,11/110,,37.5,127.0,\n";
    let report = read(format!("{HEADER}\n\n{rows}").as_bytes()).unwrap_err();
    let lines: Vec<_> = report.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [Some(3), Some(5)]);
    assert_eq!(report.faults[0].reason, Reason::ControlCharacter);
}

#[test]
fn a_byte_order_mark_is_accepted() {
    let file = format!("\u{feff}{HEADER}\n{GOOD}\n");
    assert_eq!(read(file.as_bytes()).unwrap().len(), 1);
    assert_eq!(read(Single(file.as_bytes())).unwrap().len(), 1);
}

#[test]
fn columns_may_come_in_any_order_and_are_refused_by_name() {
    let swapped = "phone,lng,lat,address,region,name_en,name_ko,site\n,127.0,37.5,,11/110,J,종,a\n";
    assert_eq!(read(swapped.as_bytes()).unwrap()[0].lng_e6, 127_000_000);
    let unknown = format!("{HEADER},colour\n{GOOD},\n");
    let report = read(unknown.as_bytes()).unwrap_err();
    assert!(
        report.to_string().contains("column `colour` is not known"),
        "{report}"
    );
    assert_only(report, 1, "colour", Reason::UnknownColumn);
    let missing = HEADER.replace(",lat", "");
    assert_only(
        read(missing.as_bytes()).unwrap_err(),
        1,
        "lat",
        Reason::MissingColumn,
    );
    let twice = format!("{HEADER},site\n{GOOD},a\n");
    assert_only(
        read(twice.as_bytes()).unwrap_err(),
        1,
        "site",
        Reason::DuplicateColumn,
    );
}

#[test]
fn a_file_without_header_is_named_and_its_first_person_is_not() {
    let report = read(GOOD.as_bytes()).unwrap_err();
    assert!(!report.to_string().contains("종로구"), "{report}");
    assert_only(report, 1, "", Reason::NoHeader);
}

#[test]
fn a_file_without_anything_is_refused() {
    assert_eq!(
        only(read(io::empty()).unwrap_err()).reason,
        Reason::NoHeader
    );
    let header = format!("{HEADER}\n");
    assert_eq!(
        only(read(header.as_bytes()).unwrap_err()).reason,
        Reason::NoRows
    );
}

#[test]
fn short_and_long_rows_are_refused() {
    let file = format!("{HEADER}\n{GOOD},\n{}\n", &GOOD[..GOOD.len() - 1]);
    let report = read(file.as_bytes()).unwrap_err();
    assert_eq!(report.by_reason[&Reason::FieldCount], 2);
    assert!(
        report
            .to_string()
            .contains("has 9 fields where the header has 8"),
        "{report}"
    );
}

#[test]
fn a_quote_that_is_never_closed_does_not_take_in_the_file() {
    let open = GOOD.replace("종로구", "\"종로구");
    let file = format!(
        "{HEADER}\n{GOOD}\n{open}\n{}",
        format!("{GOOD}\n").repeat(200_000)
    );
    let report = read(file.as_bytes()).unwrap_err();
    assert_only(report, 3, "", Reason::RowTooLong);
    let at_end = format!("{HEADER}\n{GOOD}\"");
    let report = read(at_end.as_bytes()).unwrap_err();
    assert_only(report, 2, "", Reason::OpenQuote);
}

#[test]
fn rows_of_absurd_length_are_refused_one_by_one() {
    let long = GOOD.replace("종로구", &"가".repeat(200_000));
    let file = format!("{HEADER}\n{}{GOOD}\n", format!("{long}\n").repeat(60));
    let report = read(file.as_bytes()).unwrap_err();
    assert_eq!(report.rows, 61);
    assert_eq!(report.by_reason[&Reason::TooLong], 60);
}

#[test]
fn a_source_that_breaks_is_told() {
    let file = format!("{HEADER}\n{GOOD}\n");
    let report = read(file.as_bytes().chain(Broken)).unwrap_err();
    assert!(report.to_string().contains("cable"), "{report}");
    assert_eq!(only(report).reason, Reason::Unreadable);
    let report = crate::files::sites::read_file("/nonexistent/sites.csv".as_ref()).unwrap_err();
    assert!(
        report.to_string().contains("/nonexistent/sites.csv"),
        "{report}"
    );
}

/// A source that fails when read.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the cable is loose"))
    }
}

/// A source that yields single bytes.
struct Single<'a>(&'a [u8]);

impl Read for Single<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}
