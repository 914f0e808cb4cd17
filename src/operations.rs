//! Operators' work on a data folder: the same whether a server runs on it or not.
//!
//! A file's text becomes an `Operation` for the writer, or an answer at once (a dry run, a faulty
//! file). `control` runs it in the server, the command line in its own process otherwise.

use std::io::{self, Read};
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Answer;
use crate::clock::Entropy;
use crate::domain::campaign::{self, Campaign};
use crate::domain::entry::{GateAct, head_message};
use crate::domain::gate_act;
use crate::domain::ids::{CampaignId, VaccineIndex};
use crate::domain::roster::difference;
use crate::domain::time::{Day, Stamp};
use crate::files::{Report, roster, sites, slots};
use crate::keys::Keys;
use crate::ledger::command::{Operated, Operation, Outcome};
use crate::ledger::shared::Shared;

/// What an operator wants; the file's text comes beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    Activate,
    ImportSites {
        campaign: String,
    },
    ImportSlots {
        campaign: String,
    },
    ImportRoster {
        dry_run: bool,
    },
    /// Something at a campaign's gate.
    Gate {
        campaign: Option<String>,
        act: GateAct,
    },
    GateStatus {
        campaign: Option<String>,
    },
    /// A new key for tokens; those of the present one stay good.
    RotateTokenKey,
    CampaignList,
    RosterStats,
    Head,
    /// A copy of the data file, sent after the answer.
    Backup,
}

/// 14,000 sites whose every field is as long as it may be have 20 MB.
const SITES_BYTES_MAX: u64 = 32 << 20;
/// 10 M slots have about 450 MB.
const SLOTS_BYTES_MAX: u64 = 1 << 30;
/// A roster of 60 million people has about 5 GB.
const ROSTER_BYTES_MAX: u64 = 16 << 30;

impl Work {
    /// The longest file that may come with it; 0 when none does.
    pub fn file_bytes_max(&self) -> u64 {
        match self {
            Self::Activate => campaign::FILE_BYTES_MAX,
            Self::ImportSites { .. } => SITES_BYTES_MAX,
            Self::ImportSlots { .. } => SLOTS_BYTES_MAX,
            Self::ImportRoster { .. } => ROSTER_BYTES_MAX,
            Self::Gate { .. }
            | Self::GateStatus { .. }
            | Self::RotateTokenKey
            | Self::CampaignList
            | Self::RosterStats
            | Self::Head
            | Self::Backup => 0,
        }
    }

    /// Why a file of that length is not taken.
    pub fn too_long(&self) -> String {
        match self.file_bytes_max() {
            0 => "no file comes with this command: leave it out".to_owned(),
            most if most < 1 << 30 => format!(
                "the file is longer than {} MiB, the most for this command: is it the right file?",
                most >> 20
            ),
            most => format!(
                "the file is longer than {} GiB, the most for this command: is it the right file?",
                most >> 30
            ),
        }
    }
}

/// A file of at most so many bytes: a longer one is an error at the first byte too many.
struct Bounded<R> {
    source: R,
    left: u64,
    too_long: String,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(self.too_long.clone())),
        }
        Ok(count)
    }
}

/// Work that is ready for the writer, or done.
pub enum Prepared {
    Operation(Operation),
    Answer(Answer),
}

/// Checks what is asked, and reads the file against published state.
pub fn prepare(
    work: &Work,
    source: impl Read + Send,
    shared: &Shared,
    keys: &Keys,
    folder: &Path,
    now: Stamp,
) -> anyhow::Result<Prepared> {
    let entropy = Entropy::system();
    let source = Bounded {
        source,
        left: work.file_bytes_max(),
        too_long: work.too_long(),
    };
    let operation = match work {
        Work::Activate => match campaign_text(source)? {
            Ok(source) => Operation::Activate { source },
            Err(answer) => return Ok(Prepared::Answer(answer)),
        },
        Work::ImportSites { campaign } => match sites::read(source) {
            Ok(rows) => Operation::ImportSites {
                campaign: id(campaign)?,
                rows,
            },
            Err(report) => return Ok(Prepared::Answer(faulty(&report))),
        },
        Work::ImportSlots { campaign } => {
            let campaign = id(campaign)?;
            let offers = shared.offers();
            let offer = offers
                .iter()
                .find(|offer| offer.catalog.campaign.id == campaign);
            let Some(offer) = offer else {
                let why = format!("campaign `{campaign}` is not active");
                return Ok(Prepared::Answer(impossible(&why)));
            };
            let catalog = &offer.catalog;
            let vaccine = |id: &str| {
                let at = catalog
                    .campaign
                    .vaccines
                    .iter()
                    .position(|kind| kind.id == id)?;
                Some(VaccineIndex(at as u8))
            };
            let site = |id: &str| catalog.site(id).map(|(index, _)| index);
            match slots::read(source, &catalog.campaign.zone, vaccine, site) {
                Ok(rows) => Operation::ImportSlots {
                    campaign,
                    version: Some(catalog.version()),
                    rows,
                },
                Err(report) => return Ok(Prepared::Answer(faulty(&report))),
            }
        }
        Work::ImportRoster { dry_run } => {
            let today = Day::of(now.instant().to_zoned(jiff::tz::TimeZone::UTC).date());
            let prepared = match roster::read(source, keys, &entropy, today) {
                Ok(prepared) => Box::new(prepared),
                Err(report) => return Ok(Prepared::Answer(faulty(&report))),
            };
            if *dry_run {
                return Ok(Prepared::Answer(dry_run_of(shared, &prepared)));
            }
            Operation::ImportRoster { prepared }
        }
        Work::Gate { campaign, act } => {
            let campaign = campaign.as_deref().map(id).transpose()?;
            if let Err(fault) = gate_act::check(act) {
                return Ok(Prepared::Answer(impossible(&fault.to_string())));
            }
            Operation::Gate {
                campaign,
                act: act.clone(),
            }
        }
        Work::RotateTokenKey => match keys.rotate_tokens(folder, &entropy, now) {
            Ok(id) => Operation::TokenKeyRotated { id },
            Err(why) => return Ok(Prepared::Answer(impossible(&why.to_string()))),
        },
        Work::GateStatus { .. } => anyhow::bail!("only a running server knows its gate"),
        Work::CampaignList => return Ok(Prepared::Answer(campaigns(shared))),
        Work::RosterStats => return Ok(Prepared::Answer(roster_stats(shared))),
        Work::Head => return Ok(Prepared::Answer(head(shared, keys))),
        Work::Backup => anyhow::bail!("a backup is copied, not prepared"),
    };
    Ok(Prepared::Operation(operation))
}

/// The text of a campaign file that can be activated, or what is wrong with it.
fn campaign_text(mut source: impl Read) -> io::Result<Result<String, Answer>> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(fault) => {
            let at = fault.utf8_error().valid_up_to() + 1;
            let why = format!("the file is not UTF-8 from byte {at} on: save it as UTF-8");
            return Ok(Err(impossible(&why)));
        }
    };
    let Err(findings) = Campaign::parse_new(&text) else {
        return Ok(Ok(text));
    };
    let lines = findings
        .iter()
        .map(|found| format!("line {}: {}", found.line, found.message));
    let lines: Vec<String> = lines.collect();
    let human = format!(
        "{}\nnothing was activated: correct the file",
        lines.join("\n")
    );
    let json = json!({ "fault": "the campaign file has findings", "findings": findings });
    Ok(Err(Answer::fault(human, json)))
}

/// What the writer's outcome means to an operator.
pub fn answer(outcome: Outcome) -> Answer {
    let done = |human: String, json| Answer::done(human, json);
    match outcome {
        Outcome::Operated(Operated::Activated { campaign, version }) => done(
            format!("campaign {campaign}: version {version} is in force"),
            json!({ "campaign": campaign.as_str(), "version": version, "changed": true }),
        ),
        Outcome::Operated(Operated::Unchanged { campaign, version }) => done(
            format!("campaign {campaign}: this is version {version}, in force already"),
            json!({ "campaign": campaign.as_str(), "version": version, "changed": false }),
        ),
        Outcome::Operated(Operated::Sites { added, changed }) => done(
            format!("sites: {added} added, {changed} changed"),
            json!({ "added": added, "changed": changed }),
        ),
        Outcome::Operated(Operated::Slots { added, changed }) => done(
            format!("slots: {added} added, {changed} with another capacity"),
            json!({ "added": added, "changed": changed }),
        ),
        Outcome::Operated(Operated::Roster {
            version,
            added,
            changed,
            gone,
            unchanged,
        }) => done(
            format!(
                "roster version {version} is in force: {added} added, {changed} changed, {gone} \
                 gone, {unchanged} unchanged; no booking was touched"
            ),
            json!({
                "version": version, "added": added, "changed": changed, "gone": gone,
                "unchanged": unchanged,
            }),
        ),
        Outcome::Operated(Operated::TokenKeyRotated { id }) => done(
            format!(
                "key {id} signs places and sessions from now on; those of the key before it stay \
                 good; copy keys.json to where you keep its backup"
            ),
            json!({ "token_key": id }),
        ),
        Outcome::Operated(Operated::Gate { campaign, act }) => {
            let said = match &act {
                GateAct::Pause {
                    reason,
                    freezes: true,
                } => {
                    format!("paused, sessions are frozen: {reason}")
                }
                GateAct::Pause {
                    reason,
                    freezes: false,
                } => {
                    format!("paused, sessions may finish: {reason}")
                }
                GateAct::Resume => "resumed".to_owned(),
                GateAct::Rate { admit_per_s } => format!("{admit_per_s} people a second"),
                GateAct::Active { active_max } => format!("at most {active_max} people in"),
                GateAct::Message { text } if text.is_empty() => "no message".to_owned(),
                GateAct::Message { text } => format!("message: {text}"),
            };
            let json = json!({ "campaign": campaign.as_str(), "act": act });
            done(format!("gate of {campaign}: {said}"), json)
        }
        Outcome::Impossible(why) => impossible(&why),
        Outcome::Unknown => Answer::fault(
            "the journal could not be written; the outcome is unknown and the server stops: free \
             disk space or replace the disk, let it restart, and look whether it was done",
            json!({ "fault": "outcome_unknown" }),
        ),
        other => Answer::fault(
            format!("unexpected answer: {other:?}"),
            json!({ "fault": "unexpected" }),
        ),
    }
}

fn id(text: &str) -> anyhow::Result<CampaignId> {
    CampaignId::try_from(text.to_owned()).map_err(anyhow::Error::msg)
}

pub(crate) fn impossible(why: &str) -> Answer {
    Answer::fault(why, json!({ "fault": why }))
}

fn faulty(report: &Report) -> Answer {
    Answer::fault(report.to_string(), json!(report))
}

fn dry_run_of(shared: &Shared, prepared: &roster::PreparedRoster) -> Answer {
    let current = shared.roster();
    let none = crate::domain::roster::Roster::default();
    let changes = difference(current.as_deref().unwrap_or(&none), &prepared.roster);
    let of = |what: fn(&crate::domain::roster::Changed) -> bool| {
        changes
            .changed
            .iter()
            .filter(|changed| what(changed))
            .count()
    };
    let people = prepared.roster.people.len();
    let (name, phone, born) = (of(|c| c.name), of(|c| c.phone), of(|c| c.birth_date));
    let (region, groups) = (of(|c| c.region), of(|c| c.groups));
    let (added, changed, gone) = (
        changes.added.len(),
        changes.changed.len(),
        changes.gone.len(),
    );
    let human = format!(
        "dry run, nothing was changed: {people} people; {added} added, {changed} changed (name \
         {name}, phone {phone}, birth date {born}, region {region}, groups {groups}), {gone} gone, \
         {} unchanged",
        changes.unchanged
    );
    let json = json!({
        "dry_run": true, "people": people, "added": added, "changed": changed, "gone": gone,
        "unchanged": changes.unchanged,
        "changed_fields": {
            "name": name, "phone": phone, "birth_date": born, "region": region, "groups": groups,
        },
    });
    Answer::done(human, json)
}

fn campaigns(shared: &Shared) -> Answer {
    let state = shared
        .state
        .read()
        .expect("no writer panics while it holds the lock");
    let mut lines = Vec::new();
    let mut listed = Vec::new();
    for campaign in &state.campaigns {
        let catalog = &campaign.catalog;
        let rules = &catalog.campaign;
        let active = campaign.bookings.iter();
        let active = active
            .filter(|b| b.status == crate::domain::state::Status::Booked)
            .count();
        lines.push(format!(
            "{}  {}  {} sites, {} slots, {active} bookings",
            campaign.id,
            rules.name.ko,
            catalog.sites.len(),
            catalog.slots.len()
        ));
        let versions: Vec<_> = catalog
            .versions
            .iter()
            .map(|version| {
                let at = rules.zone.rfc3339(version.activated_at);
                lines.push(format!("  version {} since {at}", version.version));
                json!({ "version": version.version, "activated_at": at })
            })
            .collect();
        listed.push(json!({
            "campaign": campaign.id.as_str(), "name": { "ko": rules.name.ko, "en": rules.name.en },
            "versions": versions, "sites": catalog.sites.len(), "slots": catalog.slots.len(),
            "bookings": active,
        }));
    }
    if lines.is_empty() {
        lines.push("no campaign is active: run `sumun campaign activate FILE`".to_owned());
    }
    Answer::done(lines.join("\n"), json!({ "campaigns": listed }))
}

fn roster_stats(shared: &Shared) -> Answer {
    let Some(roster) = shared.roster().filter(|roster| roster.version > 0) else {
        let state = shared
            .state
            .read()
            .expect("no writer panics while it holds the lock");
        return match state.roster {
            Some(mark) => Answer::done(
                format!("roster version {}: {} people", mark.version, mark.people),
                json!({ "version": mark.version, "people": mark.people }),
            ),
            None => Answer::done(
                "no roster: run `sumun roster import FILE`",
                json!({ "version": 0, "people": 0 }),
            ),
        };
    };
    let mut by_year = std::collections::BTreeMap::<i16, u64>::new();
    for person in &roster.people {
        *by_year.entry(person.born.date().year()).or_default() += 1;
    }
    let groups = roster
        .group_sets
        .iter()
        .flatten()
        .collect::<std::collections::BTreeSet<_>>();
    let mut human = format!(
        "roster version {}: {} people",
        roster.version,
        roster.people.len()
    );
    for (year, people) in &by_year {
        human.push_str(&format!("\n  born {year}: {people}"));
    }
    let json = json!({
        "version": roster.version, "people": roster.people.len(), "by_birth_year": by_year,
        "groups": groups,
    });
    Answer::done(human, json)
}

/// The signed head: what an auditor keeps, to find later whether the journal's tail was cut.
fn head(shared: &Shared, keys: &Keys) -> Answer {
    let state = shared
        .state
        .read()
        .expect("no writer panics while it holds the lock");
    let signature = keys.sign_head(&head_message(state.seq, &state.head, state.stamp));
    let (hash, signature) = (state.head.to_string(), HEXLOWER.encode(&signature));
    let public_key = HEXLOWER.encode(&keys.head_public_key());
    let (seq, stamp) = (state.seq.0, state.stamp.instant().to_string());
    let human = format!(
        "entry {seq} of {stamp}\nhash {hash}\nsignature {signature}\npublic key {public_key}"
    );
    let json = json!({
        "seq": seq, "stamp_ns": state.stamp.0, "stamp": stamp, "hash": hash,
        "signature": signature, "public_key": public_key,
    });
    Answer::done(human, json)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what is read of it, and never ends.
    struct Endless(u64);

    impl Read for &mut Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'#');
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    /// A file of 300 MB took 711 MB of memory before it was refused.
    #[test]
    fn a_campaign_file_that_does_not_end_is_read_to_its_bound_and_refused() {
        let mut endless = Endless(0);
        let source = Bounded {
            source: &mut endless,
            left: Work::Activate.file_bytes_max(),
            too_long: Work::Activate.too_long(),
        };
        let refused = campaign_text(source).unwrap_err().to_string();
        assert!(refused.contains("longer than 1 MiB"), "{refused}");
        // A reader of growing buffers asks for no more than as much again.
        assert!(endless.0 <= 2 * campaign::FILE_BYTES_MAX, "{}", endless.0);
    }

    #[test]
    fn a_file_of_just_its_bound_is_read() {
        let bytes = [b'#'; 10];
        for (left, fits) in [(10, true), (9, false)] {
            let too_long = String::new();
            let mut source = Bounded {
                source: bytes.as_slice(),
                left,
                too_long,
            };
            let mut read = Vec::new();
            assert_eq!(source.read_to_end(&mut read).is_ok(), fits);
        }
    }

    #[test]
    fn only_work_with_a_file_takes_one() {
        assert_eq!(Work::Head.file_bytes_max(), 0);
        assert!(Work::Head.too_long().contains("no file"));
        let roster = Work::ImportRoster { dry_run: true };
        assert!(roster.too_long().contains("16 GiB"));
    }
}
