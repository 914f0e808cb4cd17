//! `--report OUT.csv`: what a person has to look at after an import, one row each.
//!
//! Columns: `line` and `column` of the imported file, empty where a row is about the whole file;
//! `reason`, the name that scripts read; `detail`, what is wrong and what to do. Like the faults it
//! is made of, a report repeats no name, telephone number or code of the imported file.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::cli::told;
use crate::cli::told::roster::{UNDECIDED, same_person};
use crate::files::Report;
use crate::ops::outcome::{Done, Finished, RosterNotes, WorkFault};

const HEADER: [&str; 4] = ["line", "column", "reason", "detail"];
/// What a spreadsheet would take for a formula begins with one of these.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One row of a report.
#[derive(PartialEq, Eq, Debug)]
pub struct ReportRow {
    line: Option<u64>,
    column: String,
    reason: String,
    detail: String,
}

impl ReportRow {
    fn of_line(line: u32, reason: &str, detail: impl Into<String>) -> Self {
        Self {
            line: Some(line.into()),
            ..Self::of_file(reason, detail)
        }
    }

    fn of_file(reason: &str, detail: impl Into<String>) -> Self {
        Self {
            line: None,
            column: String::new(),
            reason: reason.to_owned(),
            detail: detail.into(),
        }
    }
}

/// The rows of a report on what came of an import.
pub fn rows(finished: &Finished) -> Vec<ReportRow> {
    match finished {
        Ok(Done::Roster(imported)) => of_notes(&imported.notes),
        Ok(Done::DryRun(dry_run)) => {
            let mut rows = of_notes(&dry_run.notes);
            let refused = dry_run.would_be_refused.iter();
            rows.extend(refused.map(|why| ReportRow::of_file("would_be_refused", why)));
            rows
        }
        Ok(_) => Vec::new(),
        Err(WorkFault::Rows(report)) => of_faults(report),
        Err(fault) => {
            let reason = match fault {
                WorkFault::OutcomeUnknown => "outcome_unknown",
                _ => "refused",
            };
            vec![ReportRow::of_file(reason, told::fault_answer(fault).human)]
        }
    }
}

fn of_faults(report: &Report) -> Vec<ReportRow> {
    let faults = report.faults.iter().map(|fault| ReportRow {
        line: fault.line,
        column: fault.column.to_string(),
        reason: fault.reason.name(),
        detail: fault.detail.clone(),
    });
    let mut rows: Vec<_> = faults.collect();
    let left_out = report.faults_total - rows.len() as u64;
    if left_out > 0 {
        let detail = format!("{left_out} more faults: correct these first, then import again");
        rows.push(ReportRow::of_file("more_faults", detail));
    }
    rows
}

fn of_notes(notes: &RosterNotes) -> Vec<ReportRow> {
    let undecided = notes.undecided_lines.iter();
    let mut rows: Vec<_> = undecided
        .map(|line| {
            let detail = format!("perhaps a person who is gone, under a new code: {UNDECIDED}");
            ReportRow::of_line(*line, "perhaps_new_code", detail)
        })
        .collect();
    let alike = notes.same_person_lines.iter();
    rows.extend(
        alike.map(|(line, first)| {
            ReportRow::of_line(*line, "same_person_twice", same_person(*first))
        }),
    );
    rows.sort_by_key(|row| row.line);
    let left_out = notes.same_person - notes.same_person_lines.len() as u64;
    if left_out > 0 {
        let detail = format!("{left_out} more rows look like one person under two codes");
        rows.push(ReportRow::of_file("same_person_twice", detail));
    }
    if notes.erased_back > 0 {
        let people = notes.erased_back;
        let detail = format!("names that were erased are stored again: of {people} people");
        rows.push(ReportRow::of_file("erased_back", detail));
    }
    let numbers = notes.gone_booking_numbers.iter();
    rows.extend(numbers.map(|number| {
        let detail = format!("booking {number} stays, and its person is gone from the roster");
        ReportRow::of_file("gone_with_booking", detail)
    }));
    rows
}

/// A report file on its way. It is made before the import, so that no import is done whose report
/// can't be written, and takes its name when all of it is on the disk.
pub struct ReportFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
}

impl ReportFile {
    /// Makes the file beside the place that it will have.
    ///
    /// # Errors
    /// When it can't be made there, or would take the place of the file that is imported.
    pub fn create(path: &Path, imported: &Path) -> anyhow::Result<Self> {
        let same = |known: &fs::Metadata| {
            fs::metadata(imported)
                .is_ok_and(|other| (known.dev(), known.ino()) == (other.dev(), other.ino()))
        };
        if let Ok(known) = fs::metadata(path) {
            let shown = path.display();
            ensure!(
                !same(&known),
                "{shown} is the file to be imported: name another"
            );
            ensure!(known.is_file(), "{shown} is not a file: name another");
        }
        let name = path.file_name().context("the report needs a file name")?;
        let name = name.to_string_lossy();
        let part = path.with_file_name(format!("{name}.{}.part", std::process::id()));
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o640).open(&part);
        let file = file.with_context(|| {
            format!(
                "the report can't be written to {}; nothing was imported",
                path.display()
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            part,
            file,
        })
    }

    /// Writes the rows and gives the file its name; a former report of that name is replaced.
    pub fn write(self, rows: &[ReportRow]) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(&self.file);
        writer.write_record(HEADER)?;
        for row in rows {
            let line = row.line.map(|line| line.to_string()).unwrap_or_default();
            let texts = [&row.column, &row.reason, &row.detail].map(|text| cell(text));
            let texts = texts.iter().map(|text| text.as_ref());
            writer.write_record([line.as_str()].into_iter().chain(texts))?;
        }
        writer.flush()?;
        drop(writer);
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        // Gone already when it has taken its name.
        let _ = fs::remove_file(&self.part);
    }
}

/// A text that a spreadsheet shows and does not calculate: the name of a column comes from a file.
fn cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests;
