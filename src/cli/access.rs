//! `sumun audit access`: the monthly review of looks at personal data.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use super::{Output, verify};
use crate::audit::AuditFault;
use crate::audit::access::{Review, Seen, review};
use crate::domain::text::grouped;
use crate::domain::time::{Stamp, Zone};
use crate::ops::folder::Folder;

#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sumun audit access --month 2021-07 --csv looks-2021-07.csv")]
pub struct Access {
    /// The month, as 2021-07
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Date,
    /// The time zone in which months begin and nights are told
    #[arg(long, value_name = "ZONE", default_value = "Asia/Seoul")]
    zone: String,
    /// Write every look into this new file, as CSV
    #[arg(long, value_name = "OUT.csv")]
    csv: Option<PathBuf>,
}

/// The first day of a month.
fn month(text: &str) -> Result<Date, String> {
    let first = format!("{text}-01").parse();
    first.map_err(|_| "write the month as 2021-07".to_owned())
}

impl Access {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let zone = Zone::named(&self.zone).map_err(anyhow::Error::msg)?;
        let next = self.month.checked_add(jiff::Span::new().months(1))?;
        let start = |date| zone.start_of(date).context("that month is too far away");
        let span: (Stamp, Stamp) = (start(self.month)?, start(next)?);
        let mut sheet = self.csv.as_deref().map(sheet).transpose()?;
        let found = verify::with_view(folder, |read| {
            let found = review(read, &zone, span, |seen| match &mut sheet {
                Some(sheet) => row(sheet, seen),
                None => Ok(()),
            });
            Ok(found?)
        })?;
        if let Some(sheet) = &mut sheet {
            sheet.flush()?;
        }
        let mut human = told(&found, self.month, &zone);
        if let Some(csv) = &self.csv {
            human.push_str(&format!("\nevery look: {}", csv.display()));
        }
        let month = self.month.strftime("%Y-%m").to_string();
        Ok(Output::done(
            human,
            json!({ "month": month, "zone": zone.name(), "review": found }),
        ))
    }
}

fn sheet(path: &std::path::Path) -> anyhow::Result<csv::Writer<File>> {
    if path.exists() {
        bail!("{} exists already: give a new name", path.display());
    }
    let file = File::create_new(path).with_context(|| format!("can't make {}", path.display()))?;
    let mut sheet = csv::Writer::from_writer(file);
    sheet.write_record([
        "seq", "at", "account", "origin", "purpose", "reason", "people", "at_night",
    ])?;
    Ok(sheet)
}

fn row(sheet: &mut csv::Writer<File>, seen: &Seen) -> Result<(), AuditFault> {
    let purpose = json!(seen.purpose);
    let written = sheet.write_record([
        seen.seq.to_string().as_str(),
        &seen.at,
        &no_formula(&seen.account),
        &no_formula(&seen.origin),
        purpose.as_str().unwrap_or_default(),
        &no_formula(&seen.reason),
        &seen.people.join(" "),
        if seen.at_night { "yes" } else { "" },
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

fn told(review: &Review, month: Date, zone: &Zone) -> String {
    let mut lines = vec![format!(
        "{} ({}): {} looks at {} people",
        month.strftime("%Y-%m"),
        zone.name(),
        grouped(review.looks),
        grouped(review.people)
    )];
    for (account, of) in &review.accounts {
        let purposes: Vec<_> = of
            .by_purpose
            .iter()
            .map(|(purpose, times)| {
                let purpose = json!(purpose);
                format!("{} {times}", purpose.as_str().unwrap_or_default())
            })
            .collect();
        let origins: Vec<_> = of.origins.iter().cloned().collect();
        lines.push(format!(
            "  {account}: {} looks at {} people ({}), {} at night, from {}",
            grouped(of.looks),
            grouped(of.people),
            purposes.join(", "),
            of.at_night,
            origins.join(", ")
        ));
    }
    if !review.most_looked_at.is_empty() {
        lines.push("looked at more than once:".to_owned());
    }
    for (person, times) in &review.most_looked_at {
        lines.push(format!("  {person}: {times} times"));
    }
    lines.join("\n")
}
