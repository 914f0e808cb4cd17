//! Agencies' files in words.

use serde_json::json;

use crate::cli::Output;
use crate::cli::campaign::show_changes;
use crate::ops::outcome::{AgencyDryRun, AgencyInForce};

pub(super) fn activated(campaign: &str, version: u32, changed: bool, unnamed: &[String]) -> Output {
    let told = if changed {
        format!("agency of {campaign}: version {version} is in force")
    } else {
        format!("agency of {campaign}: this is version {version}, in force already")
    };
    let json = json!({
        "campaign": campaign,
        "agency": version,
        "changed": changed,
        "vaccines_unnamed": unnamed,
    });
    Output::done(told + &without_name(unnamed), json)
}

pub(super) fn dry_run(dry_run: &AgencyDryRun) -> Output {
    let human = format!(
        "agency of {}: this would be version {}; nothing was changed\n{}{}",
        dry_run.campaign,
        dry_run.version,
        show_changes(&dry_run.changes),
        without_name(&dry_run.vaccines_unnamed)
    );
    Output::done(human, json!(dry_run))
}

/// A warning of vaccines that people would see by their ids.
fn without_name(vaccines: &[String]) -> String {
    if vaccines.is_empty() {
        return String::new();
    }
    format!(
        "\nwarning: no name for `{}`: people see the id; add an [[agency.vaccine]] for it",
        vaccines.join("`, `")
    )
}

pub(super) fn list(agencies: &[AgencyInForce]) -> Output {
    let line = |agency: &AgencyInForce| {
        let consent = agency.consent.as_ref();
        let consent = consent.map_or(String::new(), |version| format!(", consent {version}"));
        format!(
            "{}: version {} since {}, {} ({}){consent}",
            agency.campaign, agency.version, agency.activated_at, agency.name.ko, agency.name.en
        )
    };
    let lines: Vec<String> = agencies.iter().map(line).collect();
    let human = match lines.as_slice() {
        [] => "no agency's file is in force: run `sumun agency activate FILE`".to_owned(),
        lines => lines.join("\n"),
    };
    Output::done(human, json!({ "agencies": agencies }))
}
