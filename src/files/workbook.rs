//! A spreadsheet file (.xlsx) as CSV: the first sheet that is shown, one row of it a line.
//!
//! Owns what a cell says as text: text as it stands, dates and times as dates and times, numbers
//! with all their digits. Line n of the CSV is row n of the sheet. The bounds below hold before
//! anything is taken apart, so that a small file can't become a large one.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx};

use super::field::FieldFault;
use super::report::Reason;

/// A sheet with a million people has some 40 MB.
const FILE_BYTES_MAX: u64 = 128 << 20;
/// All of its parts, unpacked.
const UNPACKED_BYTES_MAX: u64 = 1 << 30;
const CSV_BYTES_MAX: usize = 512 << 20;
/// No sheet has more, by the format.
const ROWS_MAX: u32 = 1 << 20;
const COLUMNS_MAX: u32 = 1 << 14;

fn unreadable(cause: impl std::fmt::Display) -> FieldFault {
    let detail = format!(
        "can't be read as .xlsx ({cause}): open it in Excel, and save it as .xlsx or as “CSV UTF-8”"
    );
    (Reason::Unreadable, detail)
}

fn too_large() -> FieldFault {
    let detail = "is too large for a spreadsheet file: save it as “CSV UTF-8”, which has no bound \
                  here";
    (Reason::TooMany, detail.into())
}

/// The first sheet of a spreadsheet file.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn to_csv(source: impl Read) -> Result<Vec<u8>, FieldFault> {
    let mut bytes = Vec::new();
    let mut bounded = source.take(FILE_BYTES_MAX + 1);
    bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX || unpacked_bytes(&bytes)? > UNPACKED_BYTES_MAX {
        return Err(too_large());
    }
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let sheets = workbook.sheets_metadata().iter();
    let mut shown = sheets.filter(|sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
    });
    let sheet = shown.next().map(|sheet| sheet.name.clone());
    let sheet = sheet.ok_or_else(|| unreadable("it has no sheet"))?;
    let mut cells = workbook
        .worksheet_cells_reader(&sheet)
        .map_err(unreadable)?;
    let mut rows = Rows::default();
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (row, column) = cell.get_position();
        rows.put(row, column, &text(cell.get_value()))?;
    }
    rows.finish()
}

/// How long all parts of the file become. No more is unpacked than one byte too many.
fn unpacked_bytes(file: &[u8]) -> Result<u64, FieldFault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).map_err(unreadable)?;
    let mut total = 0;
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(unreadable)?;
        let left = UNPACKED_BYTES_MAX + 1 - total;
        total += io::copy(&mut part.take(left), &mut io::sink()).map_err(unreadable)?;
        if total > UNPACKED_BYTES_MAX {
            break;
        }
    }
    Ok(total)
}

/// The rows of a sheet as they become lines.
#[derive(Default)]
struct Rows {
    csv: Vec<u8>,
    /// The row that is being filled, from 0.
    row: u32,
    fields: Vec<String>,
    /// Fields of the first row that has any: the header. Shorter rows get as many.
    width: usize,
}

impl Rows {
    fn put(&mut self, row: u32, column: u32, text: &str) -> Result<(), FieldFault> {
        if row >= ROWS_MAX || column >= COLUMNS_MAX || row < self.row {
            return Err(unreadable("a cell has no place in the sheet"));
        }
        while self.row < row {
            self.end_row()?;
        }
        if !text.is_empty() {
            let column = column as usize;
            if self.fields.len() <= column {
                self.fields.resize(column + 1, String::new());
            }
            text.clone_into(&mut self.fields[column]);
        }
        Ok(())
    }

    /// Writes the row; one without a text is an empty line.
    fn end_row(&mut self) -> Result<(), FieldFault> {
        if !self.fields.is_empty() {
            if self.width == 0 {
                self.width = self.fields.len();
            }
            let missing = self.width.saturating_sub(self.fields.len());
            let padding = std::iter::repeat_n("", missing);
            for (at, field) in self
                .fields
                .iter()
                .map(String::as_str)
                .chain(padding)
                .enumerate()
            {
                if at > 0 {
                    self.csv.push(b',');
                }
                self.csv.push(b'"');
                self.csv.extend_from_slice(quotable(field).as_bytes());
                self.csv.push(b'"');
            }
            self.fields.clear();
        }
        self.csv.push(b'\n');
        self.row += 1;
        if self.csv.len() > CSV_BYTES_MAX {
            return Err(too_large());
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, FieldFault> {
        self.end_row()?;
        Ok(self.csv)
    }
}

/// A text between quotes. A line end in it becomes one that does not end the line of the file.
fn quotable(text: &str) -> Cow<'_, str> {
    if !text.contains(['"', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let one_line = text.replace("\r\n", "\u{2028}");
    Cow::Owned(
        one_line
            .replace(['\n', '\r'], "\u{2028}")
            .replace('"', "\"\""),
    )
}

/// What a cell says.
fn text<'a>(cell: &'a DataRef<'_>) -> Cow<'a, str> {
    match cell {
        DataRef::String(text) => text.trim().into(),
        DataRef::SharedString(text) => text.trim().into(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.trim().into(),
        DataRef::Int(number) => number.to_string().into(),
        // All digits of a whole number, never as 1.01E+09.
        DataRef::Float(number) => number.to_string().into(),
        DataRef::Bool(true) => "TRUE".into(),
        DataRef::Bool(false) => "FALSE".into(),
        DataRef::DateTime(moment) => moment_text(moment).into(),
        DataRef::Error(fault) => fault.to_string().into(),
        DataRef::Empty => "".into(),
    }
}

/// A date as 1967-03-04, a time of day as 09:30, both with a space between. Sheets keep times as
/// fractions of a day, so they are rounded to the minute.
fn moment_text(moment: &ExcelDateTime) -> String {
    const DAY_MIN: u32 = 24 * 60;
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let minutes = u32::from(hour) * 60 + u32::from(minute) + u32::from(second >= 30);
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    if moment.is_duration() || moment.as_f64() < 1.0 {
        return time;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    match minutes {
        0 | DAY_MIN => date,
        _ => format!("{date} {time}"),
    }
}
