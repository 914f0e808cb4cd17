//! Operators' outcomes in words: text for a terminal, and the JSON object that scripts read.

mod agency;
mod keys;
mod person;
pub(super) mod roster;
mod rows;
mod vault;

pub(super) use rows::rows;
pub(super) use vault::{rows_seen, vault_faults, vault_json};

use serde_json::json;

use super::{Output, audit, staff};
use crate::domain::campaign::Finding;
use crate::domain::entry::GateAct;
use crate::domain::line::Notice;
use crate::domain::text::grouped;
use crate::ops::outcome::{
    ActivationDryRun, CampaignInForce, Done, Finished, GateStatus, HealthSeen, LineEffect,
    RosterStats, SignedHead, SlotsImported, WindowsAhead, WorkFault,
};
use crate::qr;

/// What a command says of the work that it asked for.
pub fn answer(finished: Finished) -> Output {
    match finished {
        Ok(done) => done_answer(done),
        Err(fault) => fault_answer(&fault),
    }
}

fn done_answer(done: Done) -> Output {
    match done {
        Done::Activated {
            campaign,
            version,
            changed,
        } => {
            let human = if changed {
                format!("campaign {campaign}: version {version} is in force")
            } else {
                format!("campaign {campaign}: this is version {version}, in force already")
            };
            let json = json!({ "campaign": campaign, "version": version, "changed": changed });
            Output::done(human, json)
        }
        Done::ActivationDryRun(dry_run) => activation(&dry_run),
        Done::AgencyActivated {
            campaign,
            version,
            changed,
            vaccines_unnamed,
        } => agency::activated(&campaign, version, changed, &vaccines_unnamed),
        Done::AgencyDryRun(dry_run) => agency::dry_run(&dry_run),
        Done::Agencies(agencies) => agency::list(&agencies),
        Done::StaffPassword { name, password } => staff::password(&name, &password),
        Done::StaffEnabled { name, enabled } => staff::enabled(&name, enabled),
        Done::StaffList(all) => staff::list(&all),
        Done::Sites(imported) => Output::done(
            format!(
                "sites: {} added, {} changed",
                imported.added, imported.changed
            ),
            json!(imported),
        ),
        Done::Slots(imported) => Output::done(slots(&imported), json!(imported)),
        Done::Roster(imported) => roster::in_force(&imported),
        Done::DryRun(dry_run) => roster::dry_run(&dry_run),
        Done::Person(shown) => person::shown(&shown),
        Done::PersonErased { had_row } => person::erased(had_row),
        Done::Reviewed => person::reviewed(),
        Done::PersonalKeysForgotten { id, removed } => keys::forgotten(id, removed),
        Done::HeadKeyRotated { seq, public_key } => keys::head(seq, &public_key),
        Done::TokenKeyRotated { id, revoked } => keys::token(id, revoked),
        Done::Gate { campaign, act } => {
            let human = format!("gate of {campaign}: {}", gate_act(&act));
            Output::done(human, json!({ "campaign": campaign, "act": act }))
        }
        Done::Campaigns(campaigns) => campaign_list(&campaigns),
        Done::RosterStats(stats) => roster_stats(&stats),
        Done::Head(head) => signed_head(&head),
        Done::Checkpoint(seen) => audit::checkpoint_shown(&seen),
        Done::Proofs(proofs) => audit::proofs_shown(&proofs),
        Done::GateStatus(gates) => gate_status(&gates),
        Done::Health(health) => health_seen(&health),
        Done::Copy { .. } => Output::nothing(),
    }
}

pub(super) fn fault_answer(fault: &WorkFault) -> Output {
    match fault {
        WorkFault::Rows(report) => Output::fault(rows(report), json!(report)),
        WorkFault::Findings(findings) => campaign_findings(findings),
        WorkFault::NoSuchCampaign => Output::fault(
            "no such campaign is active: `sumun campaign list` names them",
            json!({ "gates": [] }),
        ),
        WorkFault::OutcomeUnknown => Output::fault(
            "the journal could not be written; the outcome is unknown and the server stops: free \
             disk space or replace the disk, let it restart, and look whether it was done",
            json!({ "fault": "outcome_unknown" }),
        ),
        WorkFault::Unexpected(outcome) => Output::fault(
            format!("unexpected answer: {outcome}"),
            json!({ "fault": "unexpected" }),
        ),
        WorkFault::Refused(refused) => {
            let human = refused.to_string();
            let json = json!({ "fault": human });
            Output::fault(human, json)
        }
    }
}

fn activation(dry_run: &ActivationDryRun) -> Output {
    let mut told = vec![format!(
        "campaign {}: this would be version {}; nothing was changed",
        dry_run.campaign, dry_run.version
    )];
    if dry_run.lines.is_empty() {
        told.push("nobody who waits is touched by it".to_owned());
    }
    for line in &dry_run.lines {
        let to_come = match line.to_come {
            0 => String::new(),
            people => format!(", {} have a window to come", grouped(people)),
        };
        told.push(format!(
            "opening {} to {}: {} people wait in its line{to_come}",
            line.from,
            line.until,
            grouped(line.waiting)
        ));
        told.extend(
            line.effects
                .iter()
                .map(|effect| format!("  {}", line_effect(effect))),
        );
    }
    told.extend(dry_run.windows.iter().map(windows_ahead));
    Output::done(told.join("\n"), json!(dry_run))
}

fn windows_ahead(ahead: &WindowsAhead) -> String {
    let much = if ahead.people_each > ahead.room_each {
        format!(
            "; only {} are let in meanwhile, so people will wait in line in their windows",
            grouped(ahead.room_each)
        )
    } else {
        String::new()
    };
    let shown = if ahead.is_shown_at_once {
        "at once: it was to be committed to before, and takes no public value any more".to_owned()
    } else {
        format!("from {} on", ahead.shown_at)
    };
    format!(
        "opening {}: {} people in {} windows of {} min, the last until {}, about {} in \
         each{much}; shown {shown}",
        ahead.from,
        grouped(ahead.people),
        ahead.windows,
        ahead.window_s / 60,
        ahead.until,
        grouped(ahead.people_each),
    )
}

fn line_effect(effect: &LineEffect) -> String {
    match effect {
        LineEffect::Gone => {
            "the opening is not planned any more: all of them lose their places".to_owned()
        }
        LineEffect::LobbyCloses { from } => {
            format!("their lobby closes: they keep their places for the opening at {from}")
        }
        LineEffect::Closes { from } => format!(
            "it is open and becomes a lobby until {from}: they keep their places, and whoever is \
             in session may finish"
        ),
        LineEffect::OpensNow => "it opens at once".to_owned(),
        LineEffect::Ends => "it is over at once: only whoever was called may finish".to_owned(),
        LineEffect::Moved { from } => {
            format!("it begins at {from} instead: they keep their places")
        }
        LineEffect::Until { until } => format!("it ends at {until} instead"),
        LineEffect::NotTheirs { people } => format!(
            "for {} of them it is not any more: they can't go in, and are told what is",
            grouped(*people)
        ),
        LineEffect::WindowsMoved { people } => format!(
            "for {} people whose window has not begun it is planned anew: they look it up again",
            grouped(*people)
        ),
        LineEffect::WindowsGone { people } => format!(
            "{} people whose window has not begun need not wait for it any more",
            grouped(*people)
        ),
        LineEffect::OrderKept => {
            "the order is another one: this line keeps the one that it began with".to_owned()
        }
    }
}

fn gate_act(act: &GateAct) -> String {
    match act {
        GateAct::Pause {
            reason,
            freezes: true,
        } => format!("paused, sessions are frozen: {reason}"),
        GateAct::Pause {
            reason,
            freezes: false,
        } => format!("paused, sessions may finish: {reason}"),
        GateAct::PauseSaid { reason, freezes } => {
            let sessions = if *freezes { "are frozen" } else { "may finish" };
            format!("paused, sessions {sessions}: {}", notice(reason))
        }
        GateAct::Drain { reason } => format!(
            "paused until the next start of the server, sessions may finish: {}",
            notice(reason)
        ),
        GateAct::MessageSaid { message } => format!("message: {}", notice(message)),
        GateAct::Resume => "resumed".to_owned(),
        GateAct::Rate { admit_per_s } => format!("{admit_per_s} people a second"),
        GateAct::Active { active_max } => format!("at most {active_max} people in"),
        GateAct::Message { text } if text.is_empty() => "no message".to_owned(),
        GateAct::Message { text } => format!("message: {text}"),
        GateAct::DrawValue { value, source, .. } => {
            format!("the next draw takes in \"{value}\", from {source}")
        }
    }
}

fn notice(notice: &Notice) -> String {
    match &notice.en {
        Some(en) => format!("{} (in English: {en})", notice.text),
        None => notice.text.clone(),
    }
}

fn campaign_list(campaigns: &[CampaignInForce]) -> Output {
    let mut lines = Vec::new();
    for campaign in campaigns {
        lines.push(format!(
            "{}  {}  {} sites, {} slots, {} bookings",
            campaign.campaign, campaign.name.ko, campaign.sites, campaign.slots, campaign.bookings
        ));
        let versions = campaign.versions.iter();
        lines.extend(versions.map(|known| {
            let (version, at) = (known.version, &known.activated_at);
            format!("  version {version} since {at}")
        }));
    }
    if lines.is_empty() {
        lines.push("no campaign is active: run `sumun campaign activate FILE`".to_owned());
    }
    Output::done(lines.join("\n"), json!({ "campaigns": campaigns }))
}

fn campaign_findings(findings: &[Finding]) -> Output {
    let lines = findings
        .iter()
        .map(|found| format!("line {}: {}", found.line, found.message));
    let lines: Vec<String> = lines.collect();
    let human = format!(
        "{}\nnothing was activated: correct the file",
        lines.join("\n")
    );
    let json = json!({ "fault": "the file has findings", "findings": findings });
    Output::fault(human, json)
}

fn roster_stats(stats: &RosterStats) -> Output {
    if stats.version == 0 {
        return Output::done("no roster: run `sumun roster import FILE`", json!(stats));
    }
    let mut human = format!("roster version {}: {} people", stats.version, stats.people);
    for (year, people) in stats.by_birth_year.iter().flatten() {
        human.push_str(&format!("\n  born {year}: {people}"));
    }
    Output::done(human, json!(stats))
}

fn signed_head(head: &SignedHead) -> Output {
    let human = format!(
        "entry {} of {}\nhash {}\nsignature {}\npublic key {}",
        head.seq, head.stamp, head.hash, head.signature, head.public_key
    );
    Output::done(human, json!(head))
}

/// The same with a QR code of a text below it.
pub fn with_qr(mut output: Output, text: &str) -> Output {
    if let Some(code) = qr::terminal(text) {
        output.human += &format!("\n{code}");
    }
    output
}

fn gate_status(gates: &[GateStatus]) -> Output {
    let line = |gate: &GateStatus| {
        let board = &gate.board;
        let message = board.message.as_ref();
        format!(
            "{}: {}, serving {}, {} waiting, {} of {} in, {} a second{}",
            gate.campaign,
            board.state,
            board.serving,
            board.waiting,
            gate.active,
            gate.active_max,
            board.admit_per_s,
            message.map_or(String::new(), |text| format!(": {text}"))
        ) + &stands_still(board.stands_still_until.as_deref())
    };
    let lines: Vec<String> = gates.iter().map(line).collect();
    Output::done(lines.join("\n"), json!({ "gates": gates }))
}

/// What is behind a gate that lets nobody in although it is open.
fn stands_still(until: Option<&str>) -> String {
    until.map_or(String::new(), |until| {
        format!(
            "\n  time stands still until {until}, and nobody is let in: the clock is behind the \
             last entry of the journal (README and guide say what can be done)"
        )
    })
}

fn health_seen(health: &HealthSeen) -> Output {
    Output {
        human: [&health.not_ready[..], &health.warnings[..]]
            .concat()
            .join("\n"),
        json: json!(health),
        fault: !health.not_ready.is_empty(),
    }
}

fn slots(imported: &SlotsImported) -> String {
    let SlotsImported {
        added,
        changed,
        corrected,
        past,
        overlapping,
    } = *imported;
    let mut told = format!("slots: {added} added, {changed} with another capacity");
    if corrected > 0 {
        told += &format!(", {corrected} with another end");
    }
    if past > 0 {
        told += &format!("\nwarning: {past} have begun already: nobody can book them");
    }
    if overlapping > 0 {
        told += &format!(
            "\nwarning: {overlapping} overlap with another slot of the vaccine at the site"
        );
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::outcome::{ChangedFields, RosterDryRun, WorkRefused};

    /// Scripts read these fields: they stay as they are.
    #[test]
    fn the_json_of_operators_work_has_the_fields_that_scripts_read() {
        let activated = Done::Activated {
            campaign: "a".to_owned(),
            version: 2,
            changed: true,
        };
        let rotated = Done::TokenKeyRotated {
            id: 3,
            revoked: false,
        };
        let dry_run = Done::DryRun(RosterDryRun {
            people: 9,
            added: 1,
            changed: 2,
            gone: 3,
            unchanged: 4,
            notes: Default::default(),
            would_be_refused: None,
            changed_fields: ChangedFields {
                name: 1,
                phone: 0,
                birth_date: 0,
                region: 0,
                groups: 1,
            },
        });
        let known = [
            (activated, r#"{"campaign":"a","changed":true,"version":2}"#),
            (rotated, r#"{"revoked":false,"token_key":3}"#),
            (
                dry_run,
                "{\"added\":1,\"changed\":2,\"changed_fields\":{\"birth_date\":0,\"groups\":1,\
                 \"name\":1,\"phone\":0,\"region\":0},\"dry_run\":true,\
                 \"erased_back\":0,\"gone\":3,\
                 \"gone_booking_numbers\":[],\"gone_with_booking\":0,\"new_code\":0,\
                 \"people\":9,\"same_person\":0,\"same_person_lines\":[],\"unchanged\":4,\
                 \"undecided_lines\":[],\"would_be_refused\":null}",
            ),
            (
                Done::RosterStats(RosterStats::default()),
                r#"{"people":0,"version":0}"#,
            ),
        ];
        for (done, json) in known {
            let answer = answer(Ok(done));
            assert!(!answer.fault);
            assert_eq!(answer.json.to_string(), json);
        }
    }

    #[test]
    fn a_refusal_is_one_sentence_and_a_fault() {
        let refused = WorkRefused::new("the file is not UTF-8");
        let refused = refused.at("from byte 7 on").to_do("save it as UTF-8");
        let answer = answer(Err(refused.into()));
        let said = "the file is not UTF-8 from byte 7 on: save it as UTF-8";
        assert!(answer.fault);
        assert_eq!(answer.human, said);
        assert_eq!(answer.json, json!({ "fault": said }));
    }
}
