//! The agency's files in: roster, sites and slots, each read whole or refused with a report.
//!
//! Owns what a well-formed file is and how a fault in one is told: by line, column and reason. All
//! faults are counted; a report has the first thousand, or the first ten thousand where it goes
//! into a file. It must not store anything: a reader's answer is a value that someone else
//! journals. A report never repeats a name, a telephone number or a code.
//!
//! Invariants: no bytes make a reader panic; memory is bounded by the rows kept plus two batches,
//! whatever the file; a file with one fault is not imported in part.

mod decode;
mod field;
mod header;
mod lines;
mod report;
pub mod roster;
pub mod sites;
pub mod slots;
mod table;
mod workbook;

pub use decode::Encoding;
pub use report::{Fault, KEPT_MAX, Reason, Report, SHOWN_MAX};

/// Appends a date of the years 0 to 9999 as 1967-03-04. `Display` of a date costs several times as
/// much, and a file has millions.
fn write_date(into: &mut String, date: jiff::civil::Date) {
    let mut number = (i64::from(date.year()) * 100 + i64::from(date.month())) * 100;
    number += i64::from(date.day());
    let digits = format!("{number:08}");
    for (from, to, end) in [(0, 4, "-"), (4, 6, "-"), (6, 8, "")] {
        into.push_str(&digits[from..to]);
        into.push_str(end);
    }
}

#[cfg(test)]
mod tests;
