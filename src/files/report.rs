//! What is wrong with a file, as a value: the command line puts it into words.
//!
//! Invariant: all faults are counted and at most `KEPT_MAX` of them kept, so that a file that is
//! wrong on every line costs little memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How many faults a report has: more than a person reads before correcting the file.
pub const SHOWN_MAX: usize = 1_000;
/// How many faults are kept while a file is read, and how many a report has that is written into a
/// file: some 200 bytes each, so 2 MB, which fit into one answer of the control socket.
pub const KEPT_MAX: usize = 10_000;

/// The kind of a fault, by which a report counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Unreadable,
    NoHeader,
    NoRows,
    UnknownColumn,
    MissingColumn,
    DuplicateColumn,
    FieldCount,
    /// A quotation mark that opens a field and is never closed.
    OpenQuote,
    RowTooLong,
    Encoding,
    Empty,
    TooLong,
    ControlCharacter,
    /// A character for private use, or a noncharacter.
    UnfitCharacter,
    BadDate,
    DateOutOfRange,
    BadCode,
    BadPhone,
    BadRegion,
    BadGroup,
    BadId,
    BadCoordinate,
    BadTime,
    TimeSkippedOrRepeated,
    BadCapacity,
    UnknownSite,
    UnknownVaccine,
    SameCodeTwice,
    SamePersonTwice,
    SameSiteTwice,
    SameSlotTwice,
    TooMany,
}

impl Reason {
    /// The name that scripts read: `bad_date`.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }
}

/// One fault of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fault {
    /// The line at which the row begins; the header is 1. None when it is about the whole file.
    pub line: Option<u64>,
    /// The column by its name in the header; empty when it is about the whole row.
    pub column: Cow<'static, str>,
    pub reason: Reason,
    /// What is wrong and what to do.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}")?;
            if !self.column.is_empty() {
                write!(f, ", {}", self.column)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.detail)
    }
}

/// The faults of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What the file should have been: `roster`, `sites` or `slots`.
    pub file: Cow<'static, str>,
    /// Rows read, without the header.
    pub rows: u64,
    /// All faults, also those that are not kept.
    pub faults_total: u64,
    /// All faults by reason.
    pub by_reason: BTreeMap<Reason, u64>,
    /// The first of them, in order of line.
    pub faults: Vec<Fault>,
}

impl Report {
    pub(super) fn new(file: &'static str) -> Self {
        Self {
            file: Cow::Borrowed(file),
            rows: 0,
            faults_total: 0,
            by_reason: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// The report of a file that cannot even be opened.
    pub(super) fn unreadable(file: &'static str, path: &Path, cause: &io::Error) -> Self {
        let mut report = Self::new(file);
        report.add(None, "", Reason::Unreadable, || {
            format!("{}: {cause}", path.display())
        });
        report
    }

    /// Counts a fault, and keeps it if there is room; its text is made only then.
    pub(super) fn add(
        &mut self,
        line: Option<u64>,
        column: impl Into<Cow<'static, str>>,
        reason: Reason,
        detail: impl FnOnce() -> String,
    ) {
        self.faults_total += 1;
        *self.by_reason.entry(reason).or_default() += 1;
        if self.faults.len() < KEPT_MAX {
            self.faults.push(Fault {
                line,
                column: column.into(),
                reason,
                detail: detail(),
            });
        }
    }

    /// Adds rows that repeat earlier ones, as pairs of lines (the row, the one it repeats), in
    /// order of line so that the first of them are kept.
    pub(super) fn add_pairs(
        &mut self,
        mut pairs: Vec<(u32, u32)>,
        column: &'static str,
        reason: Reason,
        detail: impl Fn(u32) -> String,
    ) {
        pairs.sort_unstable();
        for (line, first) in pairs {
            self.add(Some(line.into()), column, reason, || detail(first));
        }
    }

    /// Takes over what was found in the rows after those of this report.
    pub(super) fn merge(&mut self, later: Report) {
        self.rows += later.rows;
        self.faults_total += later.faults_total;
        for (reason, count) in later.by_reason {
            *self.by_reason.entry(reason).or_default() += count;
        }
        let room = KEPT_MAX - self.faults.len();
        self.faults.extend(later.faults.into_iter().take(room));
    }

    /// The value, if there is no fault; else the report, with the first `faults_max` faults in
    /// order of line.
    pub(super) fn judge<T>(
        mut self,
        faults_max: usize,
        value: impl FnOnce() -> T,
    ) -> Result<T, Report> {
        if self.faults_total == 0 {
            return Ok(value());
        }
        self.faults.sort_by_key(|fault| fault.line);
        self.faults.truncate(faults_max);
        Err(self)
    }
}
