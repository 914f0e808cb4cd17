//! The header of a file: which column is where, under any of its names.
//!
//! A name matches in any case, in Korean or English, with or without spaces, `_` and `-`.

use csv::ByteRecord;

use super::field::shown;
use super::report::{Reason, Report};
use crate::domain::spelling::plain;

/// A column that a reader knows.
pub(super) struct Column {
    pub(super) name: &'static str,
    others: &'static [&'static str],
}

pub(super) const fn column(name: &'static str, others: &'static [&'static str]) -> Column {
    Column { name, others }
}

/// The names of columns, as a header has them.
pub(super) fn names(columns: &'static [Column]) -> impl Iterator<Item = &'static str> {
    columns.iter().map(|column| column.name)
}

impl Column {
    fn is_called(&self, squeezed: &str) -> bool {
        let names = self.others.iter().copied();
        names
            .chain([self.name])
            .any(|name| squeeze(name) == squeezed)
    }
}

/// A name as it is compared with others.
fn squeeze(name: &str) -> String {
    let kept = |c: &char| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{feff}');
    let name = plain(name);
    name.chars()
        .filter(kept)
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many of the names on a line are those of columns, if this parts them.
pub(super) fn known_names(line: &[u8], delimiter: u8, columns: &[Column]) -> usize {
    let names = line.split(|byte| *byte == delimiter);
    let known = names.filter(|name| {
        let name = String::from_utf8_lossy(name);
        let name = squeeze(name.trim().trim_matches('"'));
        columns.iter().any(|column| column.is_called(&name))
    });
    known.count()
}

/// Where the columns are in a file.
pub(super) struct Places {
    /// For each column of the reader, its place among the fields of a row.
    pub(super) places: Vec<usize>,
    /// Fields of a row.
    pub(super) fields: usize,
    /// From here on the header is empty, and so must be every row.
    pub(super) named: usize,
}

/// The place of an optional column that the file does not have.
pub(super) const MISSING: usize = usize::MAX;

/// Finds the place of each column, or reports why it can't.
pub(super) fn places(
    header: &ByteRecord,
    line: u64,
    columns: &'static [Column],
    optional: &[usize],
    report: &mut Report,
) -> Option<Places> {
    let shown_names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
    let squeezed: Vec<_> = shown_names.iter().map(|name| squeeze(name)).collect();
    let place = |name: &str| columns.iter().position(|column| column.is_called(name));
    let known: Vec<_> = names(columns).collect();
    if !squeezed.iter().any(|name| place(name).is_some()) {
        // Its names are not told: the first line may be a person.
        report.add(Some(line), "", Reason::NoHeader, || {
            format!("is not a header: begin the file with {}", known.join(","))
        });
        return None;
    }
    let named = squeezed.iter().rposition(|name| !name.is_empty());
    let named = named.map_or(0, |last| last + 1);
    let mut places = vec![None; columns.len()];
    for (at, name) in squeezed[..named].iter().enumerate() {
        let (reason, what) = match place(name) {
            Some(column) if places[column].is_none() => {
                places[column] = Some(at);
                continue;
            }
            Some(column) => (
                Reason::DuplicateColumn,
                format!("is there twice: both are `{}`", known[column]),
            ),
            None => (
                Reason::UnknownColumn,
                format!("is not known: the columns are {}", known.join(", ")),
            ),
        };
        let name = shown_names[at].trim();
        report.add(Some(line), name.to_owned(), reason, || {
            format!("column `{}` {what}", shown(name))
        });
    }
    for at in optional {
        places[*at].get_or_insert(MISSING);
    }
    for (column, place) in known.iter().zip(&places) {
        if place.is_none() {
            report.add(Some(line), *column, Reason::MissingColumn, || {
                format!("column `{column}` is missing")
            });
        }
    }
    let places: Option<Vec<_>> = places.into_iter().collect();
    let places = places.filter(|_| report.faults_total == 0)?;
    Some(Places {
        places,
        fields: header.len(),
        named,
    })
}
