//! `sumun audit access`: the monthly review of looks at personal data.

mod page;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use super::{Output, person, verify, work};
use crate::audit::AuditFault;
use crate::audit::access::{Asked, Review, Seen, first_of_month, review, span_of};
use crate::domain::text::grouped;
use crate::domain::time::Zone;
use crate::ops::folder::Folder;
use crate::ops::work::Work;

#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sumun audit access --month 2021-07 --page looks-2021-07.html --csv \
                  looks-2021-07.csv\n\nPrint the page, have it signed, and then put the review on \
                  record:\n  sumun audit reviewed --month 2021-07 --findings \"nothing unusual\""
)]
pub struct Access {
    /// The month, as 2021-07
    #[arg(long, value_name = "YYYY-MM", value_parser = first_of_month)]
    month: Date,
    /// The time zone in which months begin and nights are told
    #[arg(long, value_name = "ZONE", default_value = "Asia/Seoul")]
    zone: String,
    /// Write every look into this new file, as CSV
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
    /// Write the sheet to be printed and signed into this new file, in Korean and English
    #[arg(long, value_name = "OUT.html")]
    page: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sumun audit reviewed --month 2021-07 --findings \"two looks at \
                  night, both explained\""
)]
pub struct Reviewed {
    /// The month, as 2021-07; it must be over
    #[arg(long, value_name = "YYYY-MM", value_parser = first_of_month)]
    month: Date,
    /// The time zone in which it begins and ends
    #[arg(long, value_name = "ZONE", default_value = "Asia/Seoul")]
    zone: String,
    /// What was found, without naming anybody: it is on record for ever
    #[arg(long, value_name = "TEXT")]
    findings: String,
}

impl Reviewed {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let reviewed = Work::Reviewed {
            month: written(self.month),
            zone: self.zone.clone(),
            findings: self.findings.clone(),
            origin: person::origin(),
        };
        work(folder, reviewed, None)
    }
}

/// A month as 2021-07.
fn written(month: Date) -> String {
    month.strftime("%Y-%m").to_string()
}

impl Access {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let zone = Zone::named(&self.zone).map_err(anyhow::Error::msg)?;
        let span = span_of(self.month, &zone).map_err(anyhow::Error::msg)?;
        // Both are made before anything is read: a name that is taken is no reason to wait.
        let mut sheet = self.csv.as_deref().map(sheet).transpose()?;
        let page = self.page.as_deref().map(new_file).transpose()?;
        let mut listed = Vec::new();
        let found = verify::with_view(folder, |read| {
            let found = review(read, &zone, span, |seen| {
                if listed.len() < page::LISTED_MAX {
                    listed.push(seen.clone());
                }
                match &mut sheet {
                    Some(sheet) => row(sheet, seen),
                    None => Ok(()),
                }
            });
            Ok(found?)
        })?;
        if let Some(sheet) = &mut sheet {
            sheet.flush()?;
        }
        let month = written(self.month);
        let mut human = told(&found, &month, &zone);
        if let Some(csv) = &self.csv {
            human.push_str(&format!("\nevery look: {}", csv.display()));
        }
        if let (Some(mut file), Some(path)) = (page, &self.page) {
            let page = page::of(&month, &zone, &found, &listed);
            let wrote = file.write_all(page.as_bytes());
            let shown = path.display();
            wrote.with_context(|| format!("can't write {shown}"))?;
            human.push_str(&format!("\nto be printed and signed: {shown}"));
        }
        Ok(Output::done(
            human,
            json!({ "month": month, "zone": zone.name(), "review": found }),
        ))
    }
}

/// A file that is not there yet.
fn new_file(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    File::create_new(path).map_err(|fault| match fault.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::anyhow!("{shown} exists already: give a new name")
        }
        _ => anyhow::Error::new(fault).context(format!("can't make {shown}")),
    })
}

fn sheet(path: &Path) -> anyhow::Result<csv::Writer<File>> {
    let mut sheet = csv::Writer::from_writer(new_file(path)?);
    sheet.write_record([
        "seq",
        "at",
        "account",
        "origin",
        "purpose",
        "reason",
        "people",
        "at_night",
        "on_weekend",
        "asked",
    ])?;
    Ok(sheet)
}

fn row(sheet: &mut csv::Writer<File>, seen: &Seen) -> Result<(), AuditFault> {
    let purpose = json!(seen.purpose);
    let asked: Vec<_> = seen.asked.iter().map(|why| name(*why)).collect();
    let written = sheet.write_record([
        seen.seq.to_string().as_str(),
        &seen.at,
        &no_formula(&seen.account),
        &no_formula(&seen.origin),
        purpose.as_str().unwrap_or_default(),
        &no_formula(&seen.reason),
        &seen.people.join(" "),
        if seen.at_night { "yes" } else { "" },
        if seen.on_weekend { "yes" } else { "" },
        &asked.join(" "),
    ]);
    written.map_err(|fault| AuditFault::File(fault.into()))
}

/// A spreadsheet takes what begins so for a formula.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The name that scripts read.
fn name(asked: Asked) -> String {
    json!(asked).as_str().unwrap_or_default().to_owned()
}

fn told(review: &Review, month: &str, zone: &Zone) -> String {
    let mut lines = vec![format!(
        "{month} ({}): {} looks at {} people, {} of them to be asked about",
        zone.name(),
        grouped(review.looks),
        grouped(review.people),
        grouped(review.asked),
    )];
    for (account, of) in review.unusual_first() {
        let purposes = of.by_purpose.iter().map(|(purpose, times)| {
            let purpose = json!(purpose);
            format!("{} {times}", purpose.as_str().unwrap_or_default())
        });
        let origins = of.origins.keys().cloned();
        lines.push(format!(
            "  {account}: {} looks at {} people ({}), {} at night, {} on weekends, {} on one day \
             at the most, from {}; {} to be asked about",
            grouped(of.looks),
            grouped(of.people),
            purposes.collect::<Vec<_>>().join(", "),
            of.at_night,
            of.on_weekend,
            of.most_a_day,
            origins.collect::<Vec<_>>().join(", "),
            of.asked,
        ));
    }
    if !review.to_ask.is_empty() {
        lines.push("to be asked about:".to_owned());
    }
    for seen in review.to_ask.iter().take(SHOWN) {
        let why: Vec<_> = seen.asked.iter().map(|why| name(*why)).collect();
        lines.push(format!(
            "  entry {}, {}: {}, {}; reason given: {}",
            seen.seq,
            seen.at,
            seen.account,
            why.join(" "),
            seen.reason
        ));
    }
    if let more @ 1.. = review.asked.saturating_sub(SHOWN as u64) {
        lines.push(format!("  and {more} more: --csv has all of them"));
    }
    if !review.most_looked_at.is_empty() {
        lines.push("looked at more than once:".to_owned());
    }
    for (person, times) in &review.most_looked_at {
        lines.push(format!("  {person}: {times} times"));
    }
    for done in &review.reviews {
        lines.push(format!(
            "a review is on record: entry {}, {}, {}: {}",
            done.seq, done.at, done.account, done.reason
        ));
    }
    lines.push(record_told(review));
    lines.join("\n")
}

/// Looks to be asked about that a terminal shows.
const SHOWN: usize = 20;

fn record_told(review: &Review) -> String {
    let record = &review.record;
    let entries = match (record.first_entry, record.last_entry) {
        (Some(first), Some(last)) => format!("entries {first} to {last}"),
        _ => "no entries".to_owned(),
    };
    let head = match &record.head {
        Some(head) => format!("signed head {} {}", head.seq, head.hash),
        None => "no signed head".to_owned(),
    };
    format!(
        "made from {entries} of a record that ends with {}; {head}",
        record.newest_entry
    )
}

#[cfg(test)]
mod tests;
