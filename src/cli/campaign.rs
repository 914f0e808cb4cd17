//! `sumun campaign`: check, compare and try out campaign files.
//!
//! Owns the arguments of all its subcommands and the answers of those that need nothing but files.
//! `activate`, `list` and `preview` need the data folder; the caller has it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::Output;
use crate::domain::campaign::diff::{ChangeKind, FieldChange, diff};
use crate::domain::campaign::eligibility::{Answer, Subject};
use crate::domain::campaign::preview::{self, Counts, View};
use crate::domain::campaign::timeline::timeline;
use crate::domain::campaign::{
    Campaign, FILE_BYTES_MAX, Finding, Severity, digits_of, read_date, read_instant,
};
use crate::domain::time::Stamp;

#[derive(Subcommand, Clone, Debug)]
pub enum CampaignCommand {
    /// Check a campaign file and say everything that is wrong with it, with the lines
    #[command(after_help = "Example:\n  sumun campaign check data/campaign.toml")]
    Check { file: PathBuf },
    /// Show what differs between two campaign files, field by field
    #[command(after_help = "Example:\n  sumun campaign diff data/campaign.toml new.toml")]
    Diff { old: PathBuf, new: PathBuf },
    /// Make a campaign file the version that decides from now on, and keep it for ever
    #[command(after_help = "Example:\n  sumun campaign activate data/campaign.toml --dry-run")]
    Activate {
        file: PathBuf,
        /// Only say what it would do to the people who wait
        #[arg(long)]
        dry_run: bool,
    },
    /// List the campaigns and their versions
    #[command(after_help = "Example:\n  sumun campaign list")]
    List,
    /// List every instant at which anyone's answer changes, and for whom
    #[command(after_help = "Example:\n  sumun campaign timeline data/campaign.toml")]
    Timeline { file: PathBuf },
    /// Say whether somebody may book at an instant, and why
    #[command(after_help = "Example:\n  sumun campaign explain data/campaign.toml \
                            --birth-date 1967-03-04 --at 2021-07-20T03:00")]
    Explain {
        file: PathBuf,
        /// The person's birth date
        #[arg(long, value_name = "DATE", value_parser = read_date)]
        birth_date: jiff::civil::Date,
        /// A roster group of the person; may be given several times
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<String>,
        /// Local time of the campaign's zone, or RFC 3339 with an offset
        #[arg(long, value_name = "INSTANT")]
        at: String,
    },
    /// Count the whole roster by answer at an instant, and who flips against another version
    #[command(after_help = "Example:\n  sumun campaign preview new.toml \
                            --at 2021-07-19T20:00 --against data/campaign.toml")]
    Preview {
        file: PathBuf,
        /// Local time of the campaign's zone, or RFC 3339 with an offset
        #[arg(long, value_name = "INSTANT")]
        at: String,
        /// The version to compare with
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
}

/// Runs what needs only files; `None` for what needs the data folder.
pub fn run_pure(command: &CampaignCommand) -> Option<anyhow::Result<Output>> {
    match command {
        CampaignCommand::Check { file } => Some(check(file, None)),
        CampaignCommand::Diff { old, new } => Some(compare(old, new)),
        CampaignCommand::Timeline { file } => Some(changes(file)),
        CampaignCommand::Explain {
            file,
            birth_date,
            groups,
            at,
        } => Some(explain(file, *birth_date, groups, at)),
        CampaignCommand::Activate { .. }
        | CampaignCommand::List
        | CampaignCommand::Preview { .. } => None,
    }
}

/// The text of a campaign file.
///
/// # Errors
/// As of `read_text`.
pub fn read_source(file: &Path) -> anyhow::Result<String> {
    read_text(file, "campaign", FILE_BYTES_MAX)
}

/// The text of a file, which is a `kind` file.
///
/// # Errors
/// A missing or unreadable file, one that is too long, or one that is not UTF-8: which byte.
pub(super) fn read_text(file: &Path, kind: &str, bytes_max: u64) -> anyhow::Result<String> {
    let shown = file.display();
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file);
    let opened = opened.with_context(|| format!("cannot open the {kind} file {shown}"))?;
    // One byte more than allowed tells a file that is too long, whatever its metadata say.
    let mut limited = opened.take(bytes_max + 1);
    limited
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {shown}"))?;
    if bytes.len() as u64 > bytes_max {
        let mebibytes = bytes_max >> 20;
        bail!("{shown} is over {mebibytes} MiB: that is no {kind} file");
    }
    String::from_utf8(bytes).map_err(|fault| {
        let at = fault.utf8_error().valid_up_to();
        let line = 1 + fault.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        anyhow::anyhow!(
            "{shown} is not UTF-8: byte {} on line {line}; save it as UTF-8",
            at + 1
        )
    })
}

/// A campaign file that has no error, with its text.
///
/// # Errors
/// As `read_source`, or every finding when one is an error.
pub fn read_campaign(file: &Path) -> anyhow::Result<(Campaign, String)> {
    let source = read_source(file)?;
    match Campaign::parse(&source) {
        Ok((campaign, _)) => Ok((campaign, source)),
        Err(findings) => bail!("{}", show_findings(file, &findings)),
    }
}

pub(super) fn show_findings(file: &Path, findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!(
            "{}:{}: {severity}: {}",
            file.display(),
            finding.line,
            finding.message
        )
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Checks a campaign file, and its groups against those of the roster if there is one.
pub fn check(file: &Path, on_roster: Option<&BTreeSet<String>>) -> anyhow::Result<Output> {
    let source = read_source(file)?;
    let (campaign, mut findings) = match Campaign::parse(&source) {
        Ok((campaign, warnings)) => (Some(campaign), warnings),
        Err(findings) => (None, findings),
    };
    if let (Some(campaign), Some(on_roster)) = (&campaign, on_roster) {
        findings.extend(groups_of_nobody(campaign, &source, on_roster));
    }
    let id = campaign.as_ref().map(|campaign| campaign.id.as_str());
    let answer = json!({ "ok": campaign.is_some(), "campaign": id, "findings": findings });
    let mut human = show_findings(file, &findings);
    if !human.is_empty() {
        human.push('\n');
    }
    let Some(campaign) = campaign else {
        let errors = findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .count();
        write!(human, "refused: {errors} errors to correct")?;
        return Ok(Output::fault(human, answer));
    };
    let (cohorts, openings) = (campaign.cohorts.len(), campaign.openings.len());
    let vaccines = campaign.vaccines.len();
    let id = &campaign.id;
    write!(
        human,
        "ok: {id}, {cohorts} cohorts, {openings} openings, {vaccines} vaccines"
    )?;
    Ok(Output::done(human, answer))
}

/// A warning for each group of a cohort that nobody on the roster has: perhaps it is mistyped.
fn groups_of_nobody(
    campaign: &Campaign,
    source: &str,
    on_roster: &BTreeSet<String>,
) -> Vec<Finding> {
    let wanted = campaign.cohorts.iter().flat_map(|cohort| {
        let groups = cohort.groups_any.iter();
        groups.map(|group| (cohort.id.as_str(), group))
    });
    let unknown = wanted.filter(|(_, group)| !on_roster.contains(*group));
    let warning = |(cohort, group): (&str, &String)| {
        let quoted = format!("\"{group}\"");
        let mut lines = source.lines().zip(1..);
        let line = lines.find(|(line, _)| line.contains(&quoted));
        Finding {
            line: line.map_or(1, |(_, number)| number),
            severity: Severity::Warning,
            message: format!(
                "cohort `{cohort}`: nobody on the roster has the group `{group}`: compare it with \
                 the roster's"
            ),
        }
    };
    unknown.map(warning).collect()
}

fn compare(old: &Path, new: &Path) -> anyhow::Result<Output> {
    let changes = diff(&read_campaign(old)?.0, &read_campaign(new)?.0);
    let human = show_changes(&changes);
    Ok(Output::done(human, json!({ "changes": changes })))
}

/// One line for each field that differs.
pub(super) fn show_changes(changes: &[FieldChange]) -> String {
    let mut lines = Vec::new();
    for change in changes {
        let field = &change.field;
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        lines.push(match change.kind {
            ChangeKind::Added => format!("+ {field}: {new}"),
            ChangeKind::Removed => format!("- {field}: {old}"),
            ChangeKind::Changed => format!("~ {field}: {old} -> {new}"),
        });
        let caution = change.caution.as_ref();
        lines.extend(caution.map(|caution| format!("    note: {caution}")));
    }
    if lines.is_empty() {
        lines.push("no difference".to_owned());
    }
    lines.join("\n")
}

fn changes(file: &Path) -> anyhow::Result<Output> {
    let (campaign, _) = read_campaign(file)?;
    let changes = timeline(&campaign);
    let mut human = String::new();
    let mut shown = None;
    let mut rows = Vec::new();
    for change in &changes {
        let at = campaign.zone.rfc3339(change.at);
        if shown != Some(change.at) {
            writeln!(human, "{at}")?;
            shown = Some(change.at);
        }
        let (who, from, to) = (change.who(&campaign), change.from.name(), change.to.name());
        writeln!(human, "  {who}: {from} -> {to}")?;
        let cohorts = change
            .cohorts
            .iter()
            .map(|&at| campaign.cohorts[at].id.as_str());
        rows.push(json!({
            "at": at,
            "cohorts": cohorts.collect::<Vec<_>>(),
            "birth_day_last_digits": digits_of(change.digits),
            "from": from,
            "to": to,
        }));
    }
    let human = match human.trim_end() {
        "" => "no answer ever changes: there is no opening",
        human => human,
    };
    let (id, zone) = (campaign.id.as_str(), campaign.zone.name());
    Ok(Output::done(
        human,
        json!({ "campaign": id, "zone": zone, "changes": rows }),
    ))
}

fn explain(
    file: &Path,
    born: jiff::civil::Date,
    groups: &[String],
    at: &str,
) -> anyhow::Result<Output> {
    let (campaign, _) = read_campaign(file)?;
    let at = parse_at(&campaign, at)?;
    let rules = &campaign.rules;
    let subject = Subject {
        born,
        groups: rules.group_bits(groups.iter().map(String::as_str)),
    };
    let decision = rules.decide(&subject, at);
    let zoned = |stamp: Stamp| campaign.zone.rfc3339(stamp);
    let rule = decision.rule.explain(&campaign);
    let (opens_at, closed_at) = (decision.opens_at.map(zoned), decision.closed_at.map(zoned));
    let lobby_opens_at = decision.lobby_opens_at.map(zoned);
    let next_change = decision.next_change.map(zoned);
    let unknown: Vec<&String> = groups
        .iter()
        .filter(|group| !rules.groups().contains(group))
        .collect();

    let mut human = format!("{}: {rule}", decision.answer.name());
    let mut row = |name: &str, value: Option<&str>| {
        value.map_or(Ok(()), |value| write!(human, "\n  {name:<16}{value}"))
    };
    row("evaluated at", Some(&zoned(at)))?;
    row("closed at", closed_at.as_deref())?;
    row("lobby opens at", lobby_opens_at.as_deref())?;
    row("opens at", opens_at.as_deref())?;
    row(
        "next change",
        Some(next_change.as_deref().unwrap_or("never")),
    )?;
    for group in &unknown {
        row(
            "note",
            Some(&format!(
                "no cohort names the group `{}`",
                group.escape_debug()
            )),
        )?;
    }
    let answer = json!({
        "answer": decision.answer,
        "rule": rule,
        "opening": decision.rule.opening().map(|opening| opening + 1),
        "cohort": decision.rule.cohort().map(|cohort| &campaign.cohorts[cohort].id),
        "campaign": campaign.id.as_str(),
        "birth_date": born.to_string(),
        "groups": groups,
        "unknown_groups": unknown,
        "evaluated_at": zoned(at),
        "opens_at": opens_at,
        "lobby_opens_at": lobby_opens_at,
        "lobby_open": decision.lobby_is_open(),
        "closed_at": closed_at,
        "next_change": next_change,
    });
    Ok(Output::done(human, answer))
}

/// The instant of `--at`.
///
/// # Errors
/// What is wrong with it; both readings of a local time that the zone skips or repeats.
pub fn parse_at(campaign: &Campaign, at: &str) -> anyhow::Result<Stamp> {
    read_instant(at, &campaign.zone).map_err(|why| anyhow::anyhow!("--at: {why}"))
}

/// People that one core counts at a stretch: some hundred microseconds of work.
const PREVIEW_CHUNK: usize = 16_384;

/// Counts a whole roster on all cores; bit `i` of a person's groups stands for `roster_groups[i]`.
pub fn preview(
    campaign: &Campaign,
    against: Option<&Campaign>,
    people: &[Subject],
    roster_groups: &[String],
    at: Stamp,
) -> Output {
    let rules = View::of(&campaign.rules, roster_groups);
    let other = against.map(|against| View::of(&against.rules, roster_groups));
    let counts = people
        .par_chunks(PREVIEW_CHUNK)
        .map(|part| preview::count(&rules, other.as_ref(), part.iter().copied(), at))
        .reduce(Counts::default, Counts::merge);
    show_counts(campaign, &counts, against.is_some(), at)
}

fn show_counts(campaign: &Campaign, counts: &Counts, compared: bool, at: Stamp) -> Output {
    let at = campaign.zone.rfc3339(at);
    let mut lines = vec![format!("{} people at {at}", counts.people())];
    let mut by_answer = serde_json::Map::new();
    for answer in Answer::ALL {
        lines.push(format!("  {:<16}{:>12}", answer.name(), counts.of(answer)));
        by_answer.insert(answer.name().to_owned(), counts.of(answer).into());
    }
    let mut flips = Vec::new();
    for (from, to) in Answer::ALL
        .iter()
        .flat_map(|a| Answer::ALL.map(|b| (*a, b)))
    {
        let people = counts.flipped(from, to);
        if from != to && people > 0 {
            let (from, to) = (from.name(), to.name());
            flips.push(json!({ "from": from, "to": to, "people": people }));
            lines.push(format!("  flips {from} -> {to}: {people}"));
        }
    }
    if compared && flips.is_empty() {
        lines.push("  nobody flips".to_owned());
    }
    let answer = json!({
        "campaign": campaign.id.as_str(),
        "at": at,
        "people": counts.people(),
        "counts": by_answer,
        "flips": if compared { Value::from(flips) } else { Value::Null },
    });
    Output::done(lines.join("\n"), answer)
}

#[cfg(test)]
mod tests;
