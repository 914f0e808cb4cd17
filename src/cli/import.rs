//! `sumun roster`, `sites`, `slots`, and the parts of `campaign` that need the data folder.

mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::campaign::{CampaignCommand, parse_at, preview, read_campaign};
use super::{Output, perform, told, verify, work};
use crate::domain::campaign::eligibility::Subject;
use crate::domain::spelling::phone::Country;
use crate::files::Encoding;
use crate::files::roster::SamePerson;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::outcome::Done;
use crate::ops::work::Work;

use report::ReportFile;

#[derive(Subcommand, Clone, Debug)]
pub enum RosterCommand {
    /// Import the list of people: whole or not at all, never taking a booking away
    #[command(after_help = "Example:\n  sumun roster import people.csv --dry-run")]
    Import {
        /// A .csv or .xlsx file; `-` is standard input
        file: PathBuf,
        /// Only say what would be added, changed and gone
        #[arg(long)]
        dry_run: bool,
        /// Let so many people go, where the file has lost more than one in a hundred
        #[arg(long, value_name = "N")]
        accept_gone: Option<u64>,
        /// Store again so many names and telephone numbers that were erased
        #[arg(long, value_name = "N")]
        accept_erased: Option<u64>,
        /// Rows that look like one person under two codes
        #[arg(long, value_enum, default_value = "warn", value_name = "warn|refuse")]
        same_person: SamePersonArg,
        #[command(flatten)]
        written: Written,
        /// The country of telephone numbers that do not say theirs
        #[arg(long, default_value = "KR", value_name = "KR|US|…")]
        country: Country,
        /// Write what is to be looked at into this file, as CSV: line, column, reason, detail
        #[arg(long, value_name = "OUT.csv")]
        report: Option<PathBuf>,
    },
    /// Count the people on the roster
    #[command(after_help = "Example:\n  sumun roster stats")]
    Stats,
}

/// The choices of `--same-person`.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub enum SamePersonArg {
    Warn,
    Refuse,
}

/// How a file is written.
#[derive(Args, Clone, Copy, Debug)]
pub struct Written {
    /// How the file is written; recognised unless it is CP949
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        value_name = "auto|utf-8|cp949|utf-16"
    )]
    encoding: EncodingArg,
}

impl Written {
    pub fn encoding(self) -> Encoding {
        self.encoding.into()
    }
}

/// The choices of `--encoding`.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub enum EncodingArg {
    Auto,
    #[value(name = "utf-8")]
    Utf8,
    Cp949,
    #[value(name = "utf-16")]
    Utf16,
}

impl From<EncodingArg> for Encoding {
    fn from(asked: EncodingArg) -> Self {
        match asked {
            EncodingArg::Auto => Self::Auto,
            EncodingArg::Utf8 => Self::Utf8,
            EncodingArg::Cp949 => Self::Cp949,
            EncodingArg::Utf16 => Self::Utf16,
        }
    }
}

#[derive(Subcommand, Clone, Debug)]
pub enum SitesCommand {
    /// Add sites, or correct those known by name
    #[command(after_help = "Example:\n  sumun sites import sites.csv --campaign kr-2021-50s")]
    Import {
        /// A .csv or .xlsx file; `-` is standard input
        file: PathBuf,
        #[arg(long, value_name = "ID")]
        campaign: String,
        #[command(flatten)]
        written: Written,
    },
}

#[derive(Subcommand, Clone, Debug)]
pub enum SlotsCommand {
    /// Add slots, or change the capacity of known ones
    #[command(after_help = "Example:\n  sumun slots import slots.csv --campaign kr-2021-50s")]
    Import {
        /// A .csv or .xlsx file; `-` is standard input
        file: PathBuf,
        #[arg(long, value_name = "ID")]
        campaign: String,
        #[command(flatten)]
        written: Written,
    },
}

pub fn roster(folder: &Folder, command: &RosterCommand) -> anyhow::Result<Output> {
    match command {
        RosterCommand::Import {
            file,
            dry_run,
            accept_gone,
            accept_erased,
            same_person,
            written,
            country,
            report,
        } => {
            let import = Work::ImportRoster {
                dry_run: *dry_run,
                accept_gone: *accept_gone,
                accept_erased: *accept_erased,
                origin: super::person::origin(),
                same_person: match same_person {
                    SamePersonArg::Warn => SamePerson::Warn,
                    SamePersonArg::Refuse => SamePerson::Refuse,
                },
                encoding: written.encoding(),
                country: *country,
                reports: report.is_some(),
            };
            match report {
                Some(report) => import_with_report(folder, import, file, report),
                None => work(folder, import, Some(file)),
            }
        }
        RosterCommand::Stats => work(folder, Work::RosterStats, None),
    }
}

/// Imports a roster, and writes into a file what is to be looked at.
fn import_with_report(
    folder: &Folder,
    import: Work,
    file: &Path,
    path: &Path,
) -> anyhow::Result<Output> {
    let report = ReportFile::create(path, file)?;
    let finished = perform(folder, import, Some(file))?;
    let rows = report::rows(&finished);
    let mut output = told::answer(finished);
    let shown = path.display();
    let wrote = match report.write(&rows) {
        Ok(()) => format!("report: {shown}, {} rows", rows.len()),
        Err(fault) => {
            output.fault = true;
            format!("the report could not be written to {shown} ({fault}); the above holds")
        }
    };
    output.human.push_str(&format!("\n{wrote}"));
    output.json["report"] = json!({ "file": shown.to_string(), "rows": rows.len() });
    Ok(output)
}

/// Checks a campaign file; where the data folder has a roster, also against its groups.
pub fn check_campaign(folder: &Folder, file: &Path) -> anyhow::Result<Output> {
    // A file is checked whatever state the folder is in.
    match groups_on_roster(folder) {
        Ok(on_roster) => super::campaign::check(file, on_roster.as_ref()),
        Err(why) => {
            let mut output = super::campaign::check(file, None)?;
            let told = format!("the groups of the roster could not be looked at: {why:#}");
            output.human.push_str(&format!("\n{told}"));
            Ok(output)
        }
    }
}

/// The groups that somebody on the roster has; none where there is no roster.
fn groups_on_roster(folder: &Folder) -> anyhow::Result<Option<BTreeSet<String>>> {
    if !folder.data_file().exists() {
        return Ok(None);
    }
    if control::connect(&folder.socket())?.is_some() {
        return Ok(match perform(folder, Work::RosterStats, None)? {
            Ok(Done::RosterStats(stats)) => stats.groups.map(BTreeSet::from_iter),
            _ => None,
        });
    }
    let roster = verify::with_view(folder, |read| Ok(read.roster()?))?;
    Ok(roster.map(|roster| roster.group_sets.into_iter().flatten().collect()))
}

/// The campaign commands that need the data folder.
pub fn campaign(folder: &Folder, command: &CampaignCommand) -> anyhow::Result<Output> {
    match command {
        CampaignCommand::Activate { file, dry_run } => {
            // Checked here first, so that the findings come with the file's name and lines.
            let check = CampaignCommand::Check { file: file.clone() };
            if let Some(checked) = super::campaign::run_pure(&check) {
                let checked = checked?;
                if checked.fault {
                    return Ok(checked);
                }
            }
            let dry_run = *dry_run;
            work(folder, Work::Activate { dry_run }, Some(file))
        }
        CampaignCommand::List => work(folder, Work::CampaignList, None),
        CampaignCommand::Preview { file, at, against } => {
            let (campaign, _) = read_campaign(file)?;
            let other = against.as_deref().map(read_campaign).transpose()?;
            let at = parse_at(&campaign, at)?;
            let roster = verify::with_view(folder, |read| Ok(read.roster()?))?.unwrap_or_default();
            let mut groups: Vec<String> = roster.group_sets.iter().flatten().cloned().collect();
            groups.sort_unstable();
            groups.dedup();
            anyhow::ensure!(
                groups.len() <= 64,
                "the roster has over 64 groups: name fewer"
            );
            let bit = |group: &String| groups.binary_search(group).map_or(0, |at| 1_u64 << at);
            let bits: Vec<u64> = roster
                .group_sets
                .iter()
                .map(|set| set.iter().map(bit).fold(0, |a, b| a | b))
                .collect();
            let people: Vec<Subject> = roster
                .people
                .iter()
                .map(|person| Subject {
                    born: person.born.date(),
                    groups: bits[usize::from(person.groups.0)],
                })
                .collect();
            Ok(preview(
                &campaign,
                other.as_ref().map(|(other, _)| other),
                &people,
                &groups,
                at,
            ))
        }
        _ => anyhow::bail!("this command needs only files"),
    }
}
