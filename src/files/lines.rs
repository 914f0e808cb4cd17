//! The rows of a file with their line numbers, as an editor counts them.
//!
//! Owns parting text into rows, and the bounds on memory. Invariant: a row's line is the one at
//! which it begins; a quote that is never closed is told at the line where it opens.

use std::io::{self, Read};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::report::{Reason, Report};
use super::table::CHUNK_ROWS;

/// Rows read while as many are checked: some 4 MiB each.
const BATCH_ROWS: usize = 8 * CHUNK_ROWS;
/// A batch of rows far longer than any good one ends here.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;
/// A longer row means a quote that is never closed; without a bound it would take in the file.
const ROW_BYTES_MAX: usize = 1024 * 1024;
/// Stands behind the last row of a file. No text has these bytes.
const END_MARK: &[u8] = b"\0\xff\0";

/// Records that are filled again and again, so that a row costs no allocation.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<(ByteRecord, u64)>,
    pub(super) used: usize,
}

/// How the reading came to an end.
#[derive(Clone, Copy)]
pub(super) enum End {
    Whole,
    /// At this line; what happened is in `Lines::trouble`.
    Fault(u64),
}

/// The rows of a file with their line numbers.
pub(super) struct Lines<R> {
    reader: Reader<Metered<R>>,
    trouble: Trouble,
    /// The line of the last row that was read.
    last_line: u64,
}

/// Why the rows end before the file does.
enum Trouble {
    OpenQuote,
    RowTooLong,
    Unreadable(String),
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, delimiter: u8) -> Self {
        let metered = Metered {
            source,
            row_bytes_left: ROW_BYTES_MAX,
            last: b'\n',
            after_return: false,
            is_cut: false,
            ending: None,
        };
        Self {
            reader: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .buffer_capacity(BUFFER_BYTES)
                .from_reader(metered),
            trouble: Trouble::Unreadable(String::new()),
            last_line: 0,
        }
    }

    /// Reads the first row that is not empty, and tells its line; or reports why it can't.
    pub(super) fn header(&mut self, report: &mut Report) -> Option<(ByteRecord, u64)> {
        let mut header = ByteRecord::new();
        match self.next(&mut header) {
            Ok(Some(line)) => Some((header, line)),
            Ok(None) => {
                report.add(None, "", Reason::NoHeader, || "is empty".into());
                None
            }
            Err(line) => {
                self.report_trouble(line, report);
                None
            }
        }
    }

    /// Fills a batch; answers when the file has ended.
    pub(super) fn fill(&mut self, batch: &mut Batch) -> Option<End> {
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

    /// Reads a row and tells its line; an error tells the line of what is wrong.
    fn next(&mut self, record: &mut ByteRecord) -> Result<Option<u64>, u64> {
        self.reader.get_mut().row_bytes_left = ROW_BYTES_MAX;
        let before = self.reader.position().line();
        match self.reader.read_byte_record(record) {
            Ok(false) => Ok(None),
            Ok(true) if record.len() == 1 && record.as_slice() == END_MARK => {
                // A file that has the mark itself goes on behind it.
                if self.reader.read_byte_record(record).unwrap_or(true) {
                    let cause = "a row is not text".to_owned();
                    self.trouble = Trouble::Unreadable(cause);
                    return Err(before);
                }
                if !self.reader.get_ref().is_cut {
                    return Ok(None);
                }
                // The row before was cut where it became too long.
                self.trouble = Trouble::RowTooLong;
                Err(self.last_line)
            }
            Ok(true) => {
                let after = self.reader.position().line();
                let line_ends = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
                if record.as_slice().ends_with(END_MARK) {
                    // The end came between quotes: they open in the last field.
                    self.trouble = if self.reader.get_ref().is_cut {
                        Trouble::RowTooLong
                    } else {
                        Trouble::OpenQuote
                    };
                    let last = record.iter().next_back().unwrap_or_default();
                    return Err(after - line_ends(last));
                }
                // The csv crate's position of a record is before the blank lines that precede it.
                // `Metered` ends every row with a line feed, so count back.
                if after <= before + 1 {
                    self.last_line = before;
                } else {
                    self.last_line = after - 1 - line_ends(record.as_slice());
                }
                Ok(Some(self.last_line))
            }
            Err(fault) => {
                self.trouble = Trouble::Unreadable(match fault.into_kind() {
                    csv::ErrorKind::Io(cause) => cause.to_string(),
                    other => format!("{other:?}"),
                });
                Err(before)
            }
        }
    }

    pub(super) fn report_trouble(&mut self, line: u64, report: &mut Report) {
        match &self.trouble {
            Trouble::OpenQuote => report.add(Some(line), "", Reason::OpenQuote, || {
                "has a quotation mark that opens a field and is never closed: close it, or take it \
                 away"
                    .into()
            }),
            Trouble::RowTooLong => report.add(Some(line), "", Reason::RowTooLong, || {
                "a row is longer than 1 MiB: is a quote not closed?".into()
            }),
            Trouble::Unreadable(cause) => report.add(Some(line), "", Reason::Unreadable, || {
                format!("the file cannot be read on: {cause}")
            }),
        }
    }
}

/// A source in which every line, the last too, ends with a line feed: the csv crate leaves the line
/// feed of CR LF to the next record, so that lines could not be counted. No field may hold either
/// character, so a quoted one loses nothing. It is cut within a row that does not end. Behind its
/// last line comes `END_MARK`: a row of its own, or the end of a field whose quote is not closed.
struct Metered<R> {
    source: R,
    row_bytes_left: usize,
    last: u8,
    after_return: bool,
    is_cut: bool,
    /// What is left of the end, once the source has ended.
    ending: Option<io::Cursor<Vec<u8>>>,
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
        loop {
            if let Some(ending) = &mut self.ending {
                return ending.read(buffer);
            }
            self.is_cut = self.row_bytes_left == 0;
            let length = if self.is_cut {
                0
            } else {
                self.source.read(buffer)?
            };
            if length == 0 {
                let line_end: &[u8] = if self.last == b'\n' { b"" } else { b"\n" };
                let ending = [line_end, END_MARK].concat();
                self.ending = Some(io::Cursor::new(ending));
                continue;
            }
            let length = self.unify_line_ends(&mut buffer[..length]);
            if length > 0 {
                self.last = buffer[length - 1];
                self.row_bytes_left = self.row_bytes_left.saturating_sub(length);
                return Ok(length);
            }
        }
    }
}
