//! `sumun agency`: check, compare and activate what an agency says and how it looks.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use super::campaign::{read_text, show_changes, show_findings};
use super::{Output, work};
use crate::domain::agency::diff::diff;
use crate::domain::agency::{Agency, FILE_BYTES_MAX, logo};
use crate::domain::campaign::Finding;
use crate::ops::folder::Folder;
use crate::ops::work::{LogoFile, Work};

#[derive(Subcommand, Clone, Debug)]
pub enum AgencyCommand {
    /// Check an agency's file and say everything that is wrong with it, with the lines
    #[command(after_help = "Example:\n  sumun agency check data/agency.toml")]
    Check { file: PathBuf },
    /// Show what differs between two files of an agency, field by field
    #[command(after_help = "Example:\n  sumun agency diff data/agency.toml new.toml")]
    Diff { old: PathBuf, new: PathBuf },
    /// Make an agency's file the version that people see from now on, and keep it for ever
    #[command(after_help = "Example:\n  sumun agency activate data/agency.toml --dry-run")]
    Activate {
        file: PathBuf,
        /// The campaign; the only one if not given
        #[arg(long, value_name = "ID")]
        campaign: Option<String>,
        /// Only say what it would change for people
        #[arg(long)]
        dry_run: bool,
    },
    /// List the agency's file in force for each campaign
    #[command(after_help = "Example:\n  sumun agency list")]
    List,
}

pub fn run(folder: &Folder, command: AgencyCommand) -> anyhow::Result<Output> {
    match command {
        AgencyCommand::Check { file } => check(&file),
        AgencyCommand::Diff { old, new } => {
            let changes = diff(Some(&sound(&old)?), &sound(&new)?);
            let human = show_changes(&changes);
            Ok(Output::done(human, json!({ "changes": changes })))
        }
        AgencyCommand::Activate {
            file,
            campaign,
            dry_run,
        } => {
            // Checked here first, so that the findings come with the file's name and lines.
            let (agency, _) = match read(&file)? {
                Ok(read) => read,
                Err(findings) => return Ok(refused(&file, &findings)),
            };
            let activate = Work::ActivateAgency {
                campaign,
                dry_run,
                logo: agency.logo.map(|logo| LogoFile::of(&logo.bytes)),
            };
            work(folder, activate, Some(&file))
        }
        AgencyCommand::List => work(folder, Work::AgencyList, None),
    }
}

type Read = Result<(Agency, Vec<Finding>), Vec<Finding>>;

/// Reads an agency's file, and its logo beside it.
fn read(file: &Path) -> anyhow::Result<Read> {
    let source = read_text(file, "agency", FILE_BYTES_MAX)?;
    Ok(Agency::parse(&source, |name| logo_beside(file, name)))
}

/// An agency without an error.
fn sound(file: &Path) -> anyhow::Result<Agency> {
    match read(file)? {
        Ok((agency, _)) => Ok(agency),
        Err(findings) => bail!("{}", show_findings(file, &findings)),
    }
}

/// The bytes of a logo's file in the folder of the agency's file. A link that leads out of that
/// folder is not followed: the file would not be what was checked with it.
fn logo_beside(file: &Path, name: &str) -> Result<Vec<u8>, String> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let unread = |fault: std::io::Error| {
        format!("can't be read ({fault}): put it beside this file, or take `logo` out")
    };
    let path = fs::canonicalize(folder.join(name)).map_err(unread)?;
    let inside = fs::canonicalize(folder).map_err(unread)?;
    if !path.starts_with(&inside) {
        return Err("leads out of its folder: copy the picture into it".to_owned());
    }
    let opened = fs::File::open(&path).map_err(unread)?;
    let mut bytes = Vec::new();
    let mut limited = opened.take(logo::FILE_BYTES_MAX + 1);
    limited.read_to_end(&mut bytes).map_err(unread)?;
    Ok(bytes)
}

fn check(file: &Path) -> anyhow::Result<Output> {
    let (agency, warnings) = match read(file)? {
        Ok(read) => read,
        Err(findings) => return Ok(refused(file, &findings)),
    };
    let mut human = show_findings(file, &warnings);
    if !human.is_empty() {
        human.push('\n');
    }
    let languages: Vec<&str> = agency.name.iter().map(|(tag, _)| tag).collect();
    let logo = agency.logo.as_ref().map(|logo| logo.kind.name());
    human += &format!(
        "ok: {}, in {}; logo: {}, vaccines: {}, links: {}",
        agency.name.of("en"),
        languages.join(", "),
        logo.unwrap_or("none"),
        agency.vaccines.len(),
        agency.links.len()
    );
    let json = json!({
        "ok": true,
        "name": agency.name.of("en"),
        "languages": languages,
        "findings": warnings,
    });
    Ok(Output::done(human, json))
}

/// What is said of a file that can't be used.
fn refused(file: &Path, findings: &[Finding]) -> Output {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let human = show_findings(file, findings);
    let human = format!("{human}\nrefused: {errors} errors to correct");
    Output::fault(human, json!({ "ok": false, "findings": findings }))
}
