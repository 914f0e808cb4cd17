//! Operators' work on a data folder: the same whether a server runs on it or not.
//!
//! A file's text becomes an `Operation` for the writer, or an answer at once (a dry run, a faulty
//! file). `control` runs it in the server, the command line in its own process otherwise.

mod file;
mod roster;

use std::io::Read;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Answer;
use crate::clock::Entropy;
use crate::domain::entry::{GateAct, head_message};
use crate::domain::ids::{CampaignId, VaccineIndex};
use crate::domain::line::gate_act;
use crate::domain::time::{Day, Stamp};
use crate::engine::command::{Operated, Operation, Outcome};
use crate::engine::import::roster::{Counts, compare};
use crate::engine::shared::Shared;
use crate::files::roster::{Reading, SamePerson, SealedContacts};
use crate::files::{Report, sites, slots};
use crate::journal::store::Store;
use crate::keys::Keys;

use file::{Bounded, campaign_text};

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
        /// How many people may be gone, if that is much of the roster.
        #[serde(default)]
        accept_gone: Option<u64>,
        #[serde(default)]
        same_person: SamePerson,
    },
    /// Something at a campaign's gate.
    Gate {
        campaign: Option<String>,
        act: GateAct,
    },
    GateStatus {
        campaign: Option<String>,
    },
    /// A new key for tokens. Those of the present one stay good, or with `revoke` none does.
    RotateTokenKey {
        revoke: bool,
    },
    CampaignList,
    RosterStats,
    Head,
    /// A copy of the data file, sent after the answer.
    Backup,
    /// What of a running server is not ready.
    Health,
}

impl Work {
    /// Whether it looks and changes nothing.
    pub fn is_lookup(&self) -> bool {
        match self {
            Self::ImportRoster { dry_run, .. } => *dry_run,
            Self::GateStatus { .. }
            | Self::CampaignList
            | Self::RosterStats
            | Self::Head
            | Self::Backup
            | Self::Health => true,
            Self::Activate
            | Self::ImportSites { .. }
            | Self::ImportSlots { .. }
            | Self::Gate { .. }
            | Self::RotateTokenKey { .. } => false,
        }
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
    store: &Store,
    keys: &Keys,
    folder: &Path,
    now: Stamp,
) -> anyhow::Result<Prepared> {
    let entropy = Entropy::system();
    let source = Bounded::of(work, source);
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
        Work::ImportRoster {
            dry_run,
            accept_gone,
            same_person,
        } => {
            let contacts = if *dry_run {
                SealedContacts::not_wanted()
            } else {
                SealedContacts::in_folder(folder)?
            };
            let reading = Reading {
                keys,
                entropy: &entropy,
                today: Day::of(now.instant().to_zoned(jiff::tz::TimeZone::UTC).date()),
                in_force: &shared.roster(),
                same_person: *same_person,
                contacts,
            };
            let prepared = match reading.read(source) {
                Ok(prepared) => Box::new(prepared),
                Err(report) => return Ok(Prepared::Answer(faulty(&report))),
            };
            let accept_gone = *accept_gone;
            if *dry_run {
                let compared = compare(shared, store, keys, &prepared, accept_gone)?;
                let people = prepared.roster.people.len();
                return Ok(Prepared::Answer(self::roster::dry_run(&compared, people)));
            }
            Operation::ImportRoster {
                prepared,
                accept_gone,
            }
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
        Work::RotateTokenKey { revoke } => {
            let rotated = if *revoke {
                keys.revoke_tokens(folder, &entropy, now)
            } else {
                keys.rotate_tokens(folder, &entropy, now)
            };
            match rotated {
                Ok(id) => Operation::TokenKeyRotated {
                    id,
                    revoked: *revoke,
                },
                Err(why) => return Ok(Prepared::Answer(impossible(&why.to_string()))),
            }
        }
        Work::GateStatus { .. } => anyhow::bail!("only a running server knows its gate"),
        Work::CampaignList => return Ok(Prepared::Answer(campaigns(shared))),
        Work::RosterStats => return Ok(Prepared::Answer(roster_stats(shared))),
        Work::Head => return Ok(Prepared::Answer(head(shared, keys))),
        Work::Backup => anyhow::bail!("a backup is copied, not prepared"),
        Work::Health => anyhow::bail!("only a running server knows how it is"),
    };
    Ok(Prepared::Operation(operation))
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
            news,
        }) => {
            let counts = Counts {
                added,
                changed,
                gone,
                unchanged,
            };
            self::roster::in_force(version, &counts, &news)
        }
        Outcome::Operated(Operated::TokenKeyRotated { id, revoked }) => {
            let before = if revoked {
                "nothing that was signed before is good any more, and people enter again to have \
                 their place back"
            } else {
                "those of the key before it stay good"
            };
            done(
                format!(
                    "key {id} signs places and sessions from now on; {before}; copy keys.json to \
                     where you keep its backup"
                ),
                json!({ "token_key": id, "revoked": revoked }),
            )
        }
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
    let roster = shared.roster();
    if roster.version == 0 {
        return Answer::done(
            "no roster: run `sumun roster import FILE`",
            json!({ "version": 0, "people": 0 }),
        );
    }
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
