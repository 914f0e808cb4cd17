//! Reading a file in batches: rows are split in order on one core while all cores check the batch
//! before.
//!
//! It must not know what a column means, nor how a file is written (`decode`) and parted into rows
//! (`lines`). Invariant: chunks are handed on in the order of the file.

use std::io::Read;

use csv::ByteRecord;
use rayon::prelude::*;

use super::decode::{self, Encoding, Written};
use super::field::{self, FieldFault};
use super::header::{Column, MISSING, Places, places};
use super::lines::{Batch, End, Lines};
use super::report::{Reason, Report};

/// Rows of one chunk: the unit of parallel work and of what a reader keeps together.
pub(super) const CHUNK_ROWS: usize = 2048;

/// A row of the file, its columns in the order of the reader, not of the file.
pub(super) struct Row<'a> {
    record: &'a ByteRecord,
    places: &'a [usize],
    columns: &'static [Column],
    written: Written,
    pub(super) line: u64,
}

impl<'a> Row<'a> {
    pub(super) fn bytes(&self, column: usize) -> &'a [u8] {
        // Rows of another length than the header were refused before.
        self.record.get(self.places[column]).unwrap_or_default()
    }

    /// Whether the file has this column; only an optional one may be missing.
    pub(super) fn has(&self, column: usize) -> bool {
        self.places[column] != MISSING
    }

    /// The value of a field, or none when `parse` found a fault, which is then in the report. The
    /// field has no characters that nobody sees, and no white space around it.
    pub(super) fn read<T>(
        &self,
        column: usize,
        report: &mut Report,
        parse: impl FnOnce(&'a str) -> Result<T, FieldFault>,
    ) -> Option<T> {
        let text = field::text(self.bytes(column), self.written);
        let value = text.and_then(field::all_seen).and_then(parse);
        self.value(column, report, value)
    }

    /// The same for a name, a code, a date or a telephone number, which may have characters that
    /// nobody sees: `parse` leaves them out.
    pub(super) fn read_spelled<T>(
        &self,
        column: usize,
        report: &mut Report,
        parse: impl FnOnce(&'a str) -> Result<T, FieldFault>,
    ) -> Option<T> {
        let text = field::text(self.bytes(column), self.written);
        self.value(column, report, text.and_then(parse))
    }

    fn value<T>(
        &self,
        column: usize,
        report: &mut Report,
        value: Result<T, FieldFault>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err((reason, detail)) => {
                let name = self.columns[column].name;
                report.add(Some(self.line), name, reason, || detail);
                None
            }
        }
    }
}

/// Reads a whole file. `check` sees every row with as many fields as the header, on any core, and
/// collects into the chunk's `T`; `absorb` gets the chunks in order.
pub(super) fn scan<T: Default + Send>(
    file: &'static str,
    columns: &'static [Column],
    source: impl Read + Send,
    encoding: Encoding,
    check: impl Fn(&Row<'_>, &mut T, &mut Report) + Sync,
    absorb: impl FnMut(T),
) -> Report {
    scan_with_optional(file, columns, &[], source, encoding, check, absorb)
}

/// The same; the file may leave out the columns in `optional`.
pub(super) fn scan_with_optional<T: Default + Send>(
    file: &'static str,
    columns: &'static [Column],
    optional: &[usize],
    source: impl Read + Send,
    encoding: Encoding,
    check: impl Fn(&Row<'_>, &mut T, &mut Report) + Sync,
    mut absorb: impl FnMut(T),
) -> Report {
    let mut report = Report::new(file);
    let opened = match decode::open(source, encoding, columns) {
        Ok(opened) => opened,
        Err((reason, detail)) => {
            report.add(None, "", reason, || detail);
            return report;
        }
    };
    let written = opened.written;
    let mut lines = Lines::new(opened.text, opened.delimiter);
    let Some((header, line)) = lines.header(&mut report) else {
        return report;
    };
    for (at, name) in header.iter().enumerate() {
        if let Err((reason, detail)) = field::text(name, written) {
            report.add(Some(line), "", reason, || {
                format!("column {}: {detail}", at + 1)
            });
            return report;
        }
    }
    let Some(places) = places(&header, line, columns, optional, &mut report) else {
        return report;
    };
    let Places {
        places,
        fields,
        named,
    } = places;
    let check_chunk = |chunk: &[(ByteRecord, u64)]| {
        let (mut kept, mut found) = (T::default(), Report::new(file));
        for (record, line) in chunk {
            found.rows += 1;
            if record.len() != fields {
                found.add(Some(*line), "", Reason::FieldCount, || {
                    let has = record.len();
                    let hint = if record.as_slice().contains(&b'\n') {
                        ": is a quote not closed?"
                    } else {
                        ""
                    };
                    format!("has {has} fields where the header has {fields}{hint}")
                });
                continue;
            }
            if (named..fields).any(|at| !record[at].trim_ascii().is_empty()) {
                found.add(Some(*line), "", Reason::FieldCount, || {
                    "has a text behind the last column of the header".into()
                });
                continue;
            }
            let row = Row {
                record,
                places: &places,
                columns,
                written,
                line: *line,
            };
            check(&row, &mut kept, &mut found);
        }
        (kept, found)
    };
    let (mut reading, mut ready) = (Batch::default(), Batch::default());
    let mut end = None;
    loop {
        reading.used = 0;
        let (now_end, chunks) = rayon::join(
            || end.or_else(|| lines.fill(&mut reading)),
            || {
                let rows = ready.rows[..ready.used].par_chunks(CHUNK_ROWS);
                rows.map(check_chunk).collect::<Vec<_>>()
            },
        );
        for (kept, found) in chunks {
            report.merge(found);
            absorb(kept);
        }
        end = now_end;
        std::mem::swap(&mut reading, &mut ready);
        if end.is_some() && ready.used == 0 {
            break;
        }
    }
    if let Some(End::Fault(line)) = end {
        lines.report_trouble(line, &mut report);
    } else if report.rows == 0 {
        report.add(None, "", Reason::NoRows, || {
            "has a header but no rows".into()
        });
    }
    report
}
