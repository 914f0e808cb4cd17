//! The text of an operator's TOML file with its lines, the findings about it, and typed reading of
//! tables.
//!
//! Reading goes on after a finding: an operator sees everything that is wrong in one go. So every
//! reader here returns an `Option` and has reported why when it is `None`.

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::domain::text::{self, TITLE_CHARS_MAX};

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but somebody should look.
    Warning,
}

/// Something to say about one line of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// From 1.
    pub line: u32,
    pub message: String,
}

impl Finding {
    /// Whether the file can't be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A person reads these; a file with more is not what it should be.
const FINDINGS_MAX: usize = 200;
/// Texts of the file are repeated in findings up to this many characters.
const QUOTE_MAX: usize = 80;

pub(in crate::domain) struct Source<'s> {
    pub text: &'s str,
    line_starts: Vec<usize>,
    findings: Vec<Finding>,
    left_out: usize,
}

impl<'s> Source<'s> {
    pub fn new(text: &'s str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0)
            .chain(ends.map(|(at, _)| at + 1))
            .collect();
        Self {
            text,
            line_starts,
            findings: Vec::new(),
            left_out: 0,
        }
    }

    /// The text as TOML; `None` when it is not: what a parser guesses after that only misleads.
    pub fn toml(&mut self) -> Option<Spanned<DeTable<'s>>> {
        let (root, faults) = DeTable::parse_recoverable(self.text);
        let mut last_line = 0;
        for fault in &faults {
            let at = fault.span().map_or(0, |span| span.start);
            // What follows on the same line is only what the parser made of the first fault.
            if self.line(at) != last_line {
                self.error(at, format!("not TOML: {}", fault.message()));
            }
            last_line = self.line(at);
        }
        faults.is_empty().then_some(root)
    }

    /// The line of a byte position, from 1.
    pub fn line(&self, at: usize) -> u32 {
        self.line_starts.partition_point(|start| *start <= at) as u32
    }

    pub fn error(&mut self, at: usize, message: impl Into<String>) {
        self.report(Severity::Error, self.line(at), message.into());
    }

    pub fn error_on(&mut self, line: u32, message: impl Into<String>) {
        self.report(Severity::Error, line, message.into());
    }

    pub fn warn_on(&mut self, line: u32, message: impl Into<String>) {
        self.report(Severity::Warning, line, message.into());
    }

    fn report(&mut self, severity: Severity, line: u32, message: String) {
        // An error is never left out: a file with one must not pass because of many warnings.
        let full = self.findings.len() >= FINDINGS_MAX;
        let errors = self.findings.iter().any(|f| f.severity == Severity::Error);
        if full && (severity == Severity::Warning || errors) {
            self.left_out += 1;
            return;
        }
        self.findings.push(Finding {
            severity,
            line,
            message,
        });
    }

    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }

    /// The findings in the order of their lines.
    pub fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|f| (f.line, f.severity));
        if self.left_out > 0 {
            let message = format!("and {} more findings, left out here", self.left_out);
            let line = self.findings.last().map_or(1, |f| f.line);
            self.findings.push(Finding {
                severity: Severity::Warning,
                line,
                message,
            });
        }
        self.findings
    }
}

/// A value's text in a finding: short and without control characters.
pub(in crate::domain) fn quote(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(QUOTE_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(QUOTE_MAX).is_some() {
        quoted.push('…');
    }
    format!("`{quoted}`")
}

/// One table of the file and what findings call it.
pub(in crate::domain) struct Section<'t> {
    pub name: String,
    /// Byte position of its header, where a missing key is reported.
    pub at: usize,
    table: &'t DeTable<'t>,
}

pub(in crate::domain) type Value<'t> = &'t Spanned<DeValue<'t>>;

impl<'t> Section<'t> {
    pub fn new(name: impl Into<String>, at: usize, table: &'t DeTable<'t>) -> Self {
        Self {
            name: name.into(),
            at,
            table,
        }
    }

    /// Reports every key that is not one of `known`, by name.
    pub fn only(&self, source: &mut Source, known: &[&str]) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let known = known.join(", ");
                let message = format!("{} has no key {}; it has {known}", self.name, quote(name));
                source.error(key.span().start, message);
            }
        }
    }

    pub fn get(&self, key: &str) -> Option<Value<'t>> {
        self.table.get(key)
    }

    pub fn need(&self, source: &mut Source, key: &str) -> Option<Value<'t>> {
        let value = self.get(key);
        if value.is_none() {
            source.error(self.at, format!("{} needs `{key}`", self.name));
        }
        value
    }

    fn mismatch(&self, source: &mut Source, value: Value, what: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        let message = format!("{} {what} must be {wanted}, not a TOML {found}", self.name);
        source.error(value.span().start, message);
    }

    /// The keys with their positions, in the order of the file.
    pub fn keys(&self) -> Vec<(&'t str, usize)> {
        let key = |key: &'t Spanned<DeString<'t>>| (key.get_ref().as_ref(), key.span().start);
        let mut keys: Vec<_> = self.table.keys().map(key).collect();
        keys.sort_unstable_by_key(|(_, at)| *at);
        keys
    }

    /// What was read of a value, or the report of why it could not be.
    pub fn told<T>(&self, source: &mut Source, value: Value, read: Result<T, String>) -> Option<T> {
        let report = |why| source.error(value.span().start, format!("{}: {why}", self.name));
        read.map_err(report).ok()
    }

    pub fn text(&self, source: &mut Source, value: Value<'t>, what: &str) -> Option<&'t str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.mismatch(source, value, what, "a text in double quotes");
        }
        text
    }

    /// A text for people: not blank, on one line, at most `TITLE_CHARS_MAX` characters.
    pub fn prose(&self, source: &mut Source, value: Value<'t>, what: &str) -> Option<String> {
        let text = self.text(source, value, what)?;
        let fault = if text.trim().is_empty() {
            "must not be empty".to_owned()
        } else if text.chars().any(char::is_control) {
            "must not have line ends or other control characters".to_owned()
        } else if text.chars().nth(TITLE_CHARS_MAX).is_some() {
            format!("must have at most {TITLE_CHARS_MAX} characters")
        } else if let Err(fault) = text::check_characters(text) {
            format!("can't be used: {fault}")
        } else {
            return Some(text.to_owned());
        };
        source.error(value.span().start, format!("{} {what} {fault}", self.name));
        None
    }

    /// A whole number within bounds; `wrong` says what a number outside them would mean.
    pub fn number<N: TryFrom<i64>>(
        &self,
        source: &mut Source,
        value: Value<'t>,
        what: &str,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Option<N> {
        let Some(integer) = value.get_ref().as_integer() else {
            self.mismatch(source, value, what, "a whole number");
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let fits = number.filter(|number| bounds.contains(number));
        let number = fits.and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            let (low, high) = (bounds.start(), bounds.end());
            let found = quote(integer.as_str());
            let message = format!(
                "{} {what} must be from {low} to {high}, not {found}",
                self.name
            );
            source.error(value.span().start, message);
        }
        number
    }

    pub fn array(
        &self,
        source: &mut Source,
        value: Value<'t>,
        what: &str,
    ) -> Option<&'t [Spanned<DeValue<'t>>]> {
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.mismatch(source, value, what, "a list in square brackets");
        }
        array.map(|array| array.as_ref())
    }

    /// The table under `key`, as a section of its own.
    pub fn table(&self, source: &mut Source, key: &str, name: &str) -> Option<Section<'t>> {
        let value = self.get(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(name, value.span().start, table)),
            None => {
                let found = value.get_ref().type_str();
                let message = format!("write {name} as a table, not as a TOML {found}");
                source.error(value.span().start, message);
                None
            }
        }
    }

    /// The tables under `[[key]]`.
    pub fn tables(&self, source: &mut Source, key: &str, max: usize) -> Vec<Section<'t>> {
        self.tables_called(source, key, key, max)
    }

    /// The tables under `[[called]]`, whose last part is `key`.
    pub fn tables_called(
        &self,
        source: &mut Source,
        key: &str,
        called: &str,
        max: usize,
    ) -> Vec<Section<'t>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            let message = format!("write [[{called}]] in double brackets: there can be several");
            source.error(value.span().start, message);
            return Vec::new();
        };
        if array.len() > max {
            let found = array.len();
            source.error(
                value.span().start,
                format!("{found} [[{called}]]: at most {max}"),
            );
        }
        let mut sections = Vec::new();
        for (index, item) in array.iter().take(max).enumerate() {
            let (name, at) = (format!("{called} {}", index + 1), item.span().start);
            match item.get_ref().as_table() {
                Some(table) => sections.push(Section::new(name, at, table)),
                None => source.error(at, format!("{name} must be a table: write [[{called}]]")),
            }
        }
        sections
    }
}
