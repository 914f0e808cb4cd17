//! Tests of the report of an import: what its rows say and how they are written.

use super::*;
use crate::files::{Fault, Reason};

fn written(rows: &[ReportRow]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    let report = ReportFile::create(&path, Path::new("people.csv")).unwrap();
    report.write(rows).unwrap();
    // Nothing else is left beside it.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    fs::read_to_string(&path).unwrap()
}

#[test]
fn every_fault_that_was_kept_is_a_row_and_the_others_are_counted() {
    let report = Report {
        file: "roster".into(),
        rows: 9,
        faults_total: 5,
        by_reason: [(Reason::BadDate, 5)].into(),
        faults: vec![
            Fault {
                line: Some(3),
                column: "birth_date".into(),
                reason: Reason::BadDate,
                detail: "is not a date: write it as 1967-03-04, please".to_owned(),
            },
            Fault {
                line: None,
                column: "".into(),
                reason: Reason::NoRows,
                detail: "has a header but no rows".to_owned(),
            },
        ],
    };
    let text = written(&rows(&Err(report.into())));
    let expected = "line,column,reason,detail\n\
        3,birth_date,bad_date,\"is not a date: write it as 1967-03-04, please\"\n\
        ,,no_rows,has a header but no rows\n\
        ,,more_faults,\"3 more faults: correct these first, then import again\"\n";
    assert_eq!(text, expected);
}

#[test]
fn notes_of_an_import_are_rows_in_order_of_line_and_bookings_behind_them() {
    let notes = RosterNotes {
        undecided_lines: vec![7],
        same_person: 2,
        same_person_lines: vec![(4, 2)],
        gone_with_booking: 1,
        gone_booking_numbers: vec!["AB12".to_owned()],
        ..RosterNotes::default()
    };
    let rows = of_notes(&notes);
    let seen: Vec<_> = rows.iter().map(|row| (row.line, &*row.reason)).collect();
    let expected = [
        (Some(4), "same_person_twice"),
        (Some(7), "perhaps_new_code"),
        (None, "same_person_twice"),
        (None, "gone_with_booking"),
    ];
    assert_eq!(seen, expected);
    assert!(rows[3].detail.contains("AB12"), "{rows:?}");
}

#[test]
fn the_name_of_a_column_is_no_formula() {
    let mut row = ReportRow::of_file("unknown_column", "is not known");
    row.column = "=1+1".to_owned();
    let text = written(&[row]);
    assert!(text.contains("\n,'=1+1,unknown_column,"), "{text}");
}

#[test]
fn a_report_never_takes_the_place_of_the_file_that_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people.csv");
    fs::write(&people, "name").unwrap();
    let link = folder.path().join("link.csv");
    std::os::unix::fs::symlink(&people, &link).unwrap();
    for path in [&people, &link, &folder.path().to_owned()] {
        assert!(ReportFile::create(path, &people).is_err(), "{path:?}");
    }
    let nowhere = folder.path().join("nowhere/out.csv");
    let refused = ReportFile::create(&nowhere, &people).err().unwrap();
    assert!(refused.to_string().contains("nothing was imported"));
    assert_eq!(fs::read_to_string(&people).unwrap(), "name");
}

/// Where the outcome of an import is not known, the report before it stays as it was.
#[test]
fn a_report_that_is_not_written_leaves_no_part_and_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.csv");
    fs::write(&path, "before").unwrap();
    drop(ReportFile::create(&path, Path::new("people.csv")).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
