//! Reading a CSV file in batches: rows are split in order on one core while all cores check the
//! batch before.
//!
//! Owns the header's rules, line numbers and the bounds on memory. It must not know what a column
//! means. Invariant: chunks are handed on in the order of the file.

use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};
use rayon::prelude::*;

use super::field::{self, FieldFault, shown};
use super::report::{Reason, Report};

/// Rows of one chunk: the unit of parallel work and of what a reader keeps together.
const CHUNK_ROWS: usize = 2048;
/// Rows read while as many are checked: some 4 MiB each.
const BATCH_ROWS: usize = 8 * CHUNK_ROWS;
/// A batch of rows far longer than any good one ends here.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;
/// A longer row means a quote that is never closed; without a bound it would take in the file.
const ROW_BYTES_MAX: usize = 1024 * 1024;

/// The place of an optional column that the file does not have.
const MISSING: usize = usize::MAX;

/// A row of the file, its columns in the order of the reader, not of the file.
pub(super) struct Row<'a> {
    record: &'a ByteRecord,
    places: &'a [usize],
    columns: &'static [&'static str],
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

    /// The value of a field, or none when `parse` found a fault, which is then in the report.
    pub(super) fn read<T>(
        &self,
        column: usize,
        report: &mut Report,
        parse: impl FnOnce(&'a str) -> Result<T, FieldFault>,
    ) -> Option<T> {
        match field::text(self.bytes(column)).and_then(parse) {
            Ok(value) => Some(value),
            Err((reason, detail)) => {
                report.add(Some(self.line), self.columns[column], reason, || detail);
                None
            }
        }
    }
}

/// Reads a whole file. `check` sees every row with as many fields as the header, on any core, and
/// collects into the chunk's `T`; `absorb` gets the chunks in order.
pub(super) fn scan<T: Default + Send>(
    file: &'static str,
    columns: &'static [&'static str],
    source: impl Read + Send,
    check: impl Fn(&Row<'_>, &mut T, &mut Report) + Sync,
    absorb: impl FnMut(T),
) -> Report {
    scan_with_optional(file, columns, &[], source, check, absorb)
}

/// The same; the file may leave out the columns in `optional`.
pub(super) fn scan_with_optional<T: Default + Send>(
    file: &'static str,
    columns: &'static [&'static str],
    optional: &[usize],
    source: impl Read + Send,
    check: impl Fn(&Row<'_>, &mut T, &mut Report) + Sync,
    mut absorb: impl FnMut(T),
) -> Report {
    let mut report = Report::new(file);
    let mut lines = Lines::new(source);
    let Some(places) = lines.header(columns, optional, &mut report) else {
        return report;
    };
    let fields = places.iter().filter(|place| **place != MISSING).count();
    let check_chunk = |chunk: &[(ByteRecord, u64)]| {
        let (mut kept, mut found) = (T::default(), Report::new(file));
        for (record, line) in chunk {
            found.rows += 1;
            if record.len() == fields {
                let row = Row {
                    record,
                    places: &places,
                    columns,
                    line: *line,
                };
                check(&row, &mut kept, &mut found);
            } else {
                found.add(Some(*line), "", Reason::FieldCount, || {
                    let has = record.len();
                    format!("has {has} fields where the header has {fields}")
                });
            }
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

/// Records that are filled again and again, so that a row costs no allocation.
#[derive(Default)]
struct Batch {
    rows: Vec<(ByteRecord, u64)>,
    used: usize,
}

/// How the reading came to an end.
#[derive(Clone, Copy)]
enum End {
    Whole,
    /// Before or in the row that begins at this line; what happened is in `Lines::trouble`.
    Fault(u64),
}

/// The rows of a file with their line numbers.
struct Lines<R> {
    reader: Reader<Metered<R>>,
    trouble: Option<String>,
}

impl<R: Read> Lines<R> {
    fn new(source: R) -> Self {
        let metered = Metered {
            source,
            row_bytes_left: ROW_BYTES_MAX,
            last: b'\n',
            after_return: false,
        };
        Self {
            reader: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .buffer_capacity(BUFFER_BYTES)
                .from_reader(metered),
            trouble: None,
        }
    }

    /// Reads the header and finds the place of each column, or reports why it cannot.
    fn header(
        &mut self,
        columns: &'static [&str],
        optional: &[usize],
        report: &mut Report,
    ) -> Option<Vec<usize>> {
        let mut header = ByteRecord::new();
        match self.next(&mut header) {
            Ok(Some(_)) => {}
            Ok(None) => {
                report.add(None, "", Reason::NoHeader, || "is empty".into());
                return None;
            }
            Err(line) => {
                self.report_trouble(line, report);
                return None;
            }
        }
        if header.as_slice().starts_with(b"\xff\xfe") || header.as_slice().starts_with(b"\xfe\xff")
        {
            report.add(Some(1), "", Reason::Encoding, || {
                "the file is UTF-16: save it as UTF-8".into()
            });
            return None;
        }
        let names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
        // The csv crate drops a mark at the start; a source that yields single bytes hides it.
        let bare = |at: usize| names[at].trim_start_matches('\u{feff}');
        if !(0..names.len()).any(|at| columns.contains(&bare(at))) {
            // Its names are not told: the first line may be a person.
            report.add(Some(1), "", Reason::NoHeader, || {
                format!("is not a header: begin the file with {}", columns.join(","))
            });
            return None;
        }
        let mut places = vec![None; columns.len()];
        for at in 0..names.len() {
            let name = bare(at);
            let fault = match columns.iter().position(|column| *column == name) {
                Some(column) if places[column].is_none() => {
                    places[column] = Some(at);
                    continue;
                }
                Some(_) => (Reason::DuplicateColumn, "is there twice"),
                None => (Reason::UnknownColumn, "is not known"),
            };
            report.add(Some(1), name.to_owned(), fault.0, || {
                format!("column `{}` {}", shown(name), fault.1)
            });
        }
        for at in optional {
            places[*at].get_or_insert(MISSING);
        }
        for (column, place) in columns.iter().zip(&places) {
            if place.is_none() {
                report.add(Some(1), *column, Reason::MissingColumn, || {
                    format!("column `{column}` is missing")
                });
            }
        }
        let places: Option<Vec<_>> = places.into_iter().collect();
        places.filter(|_| report.faults_total == 0)
    }

    /// Fills a batch; answers when the file has ended.
    fn fill(&mut self, batch: &mut Batch) -> Option<End> {
        let mut bytes = 0;
        while batch.used < BATCH_ROWS && bytes < BATCH_BYTES {
            if batch.used == batch.rows.len() {
                batch.rows.push((ByteRecord::new(), 0));
            }
            let (record, line) = &mut batch.rows[batch.used];
            match self.next(record) {
                Ok(Some(at)) => {
                    *line = at;
                    bytes += record.as_slice().len();
                }
                Ok(None) => return Some(End::Whole),
                Err(at) => return Some(End::Fault(at)),
            }
            batch.used += 1;
        }
        None
    }

    /// Reads a row and tells its line; an error tells the line at which reading stopped.
    fn next(&mut self, record: &mut ByteRecord) -> Result<Option<u64>, u64> {
        self.reader.get_mut().row_bytes_left = ROW_BYTES_MAX;
        let before = self.reader.position().line();
        match self.reader.read_byte_record(record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                // The csv crate's position of a record is before the blank lines that precede it.
                // `Metered` ends every row with a line feed, so count back.
                let after = self.reader.position().line();
                if after <= before + 1 {
                    return Ok(Some(before));
                }
                let within = record.as_slice().iter().filter(|byte| **byte == b'\n');
                Ok(Some(after - 1 - within.count() as u64))
            }
            Err(fault) => {
                self.trouble = Some(match fault.into_kind() {
                    csv::ErrorKind::Io(cause) => cause.to_string(),
                    other => format!("{other:?}"),
                });
                Err(before)
            }
        }
    }

    fn report_trouble(&mut self, line: u64, report: &mut Report) {
        let trouble = self.trouble.take().unwrap_or_default();
        if self.reader.get_ref().row_bytes_left == 0 {
            report.add(Some(line), "", Reason::RowTooLong, || {
                "a row is longer than 1 MiB: is a quote not closed?".into()
            });
        } else {
            report.add(Some(line), "", Reason::Unreadable, || {
                format!("the file cannot be read on: {trouble}")
            });
        }
    }
}

/// A source that stops within a row that does not end, and in which every line, the last too, ends
/// with a line feed: the csv crate leaves the line feed of CR LF to the next record, so that lines
/// could not be counted. No field may hold either character, so a quoted one loses nothing.
struct Metered<R> {
    source: R,
    row_bytes_left: usize,
    last: u8,
    after_return: bool,
}

impl<R> Metered<R> {
    /// Makes CR LF and CR to LF in place; gives the new length.
    fn unify_line_ends(&mut self, bytes: &mut [u8]) -> usize {
        if !self.after_return && !bytes.contains(&b'\r') {
            return bytes.len();
        }
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            let told_already = self.after_return && byte == b'\n';
            self.after_return = byte == b'\r';
            if !told_already {
                bytes[kept] = if self.after_return { b'\n' } else { byte };
                kept += 1;
            }
        }
        kept
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.row_bytes_left == 0 {
            return Err(io::Error::other("a row is too long"));
        }
        loop {
            let mut length = self.source.read(buffer)?;
            if length > 0 {
                length = self.unify_line_ends(&mut buffer[..length]);
                if length == 0 {
                    continue;
                }
            } else if self.last != b'\n' && !buffer.is_empty() {
                buffer[0] = b'\n';
                length = 1;
            }
            if length > 0 {
                self.last = buffer[length - 1];
            }
            self.row_bytes_left = self.row_bytes_left.saturating_sub(length);
            return Ok(length);
        }
    }
}
