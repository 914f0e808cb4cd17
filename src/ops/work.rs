//! Operators' work on a data folder: the same whether a server runs on it or not.
//!
//! A file's text becomes an `Operation` for the writer, or is finished at once (a dry run, a faulty
//! file). `control` runs it in the server, the command line in its own process otherwise. Both get
//! an `outcome`, and only the command line puts it into words.

mod agency;
mod file;
mod person;
mod record;
mod review;
mod roster;
pub mod staff;

use std::io::Read;
use std::path::Path;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::clock::Entropy;
use crate::domain::campaign::Campaign;
use crate::domain::campaign::local::read_instant;
use crate::domain::entry::{GateAct, head_message};
use crate::domain::ids::{CampaignId, LineIndex};
use crate::domain::line::gate_act;
use crate::domain::spelling::phone::Country;
use crate::domain::staff::proposal::KeyChange;
use crate::domain::state::CampaignState;
use crate::domain::time::{Day, Stamp};
use crate::engine::command::{Accepted, Operated, Operation, Outcome};
use crate::engine::import::roster::{Counts, compare};
use crate::engine::key_change::{self, KeyWork};
use crate::engine::shared::Shared;
use crate::files::roster::{Reading, SamePerson, SealedContacts};
use crate::files::{Encoding, KEPT_MAX, SHOWN_MAX, sites, slots};
use crate::journal::copy::CopyPoint;
use crate::journal::store::Store;
use crate::keys::Keys;
use crate::ops::outcome::{
    CampaignInForce, CampaignName, CampaignVersion, Done, Finished, Imported, RosterStats,
    SignedHead, SlotsImported, WorkFault, WorkRefused,
};
use crate::service::activation;

pub use agency::LogoFile;
use file::{Bounded, campaign_text};
pub use person::{PersonAct, Who};
use staff::StaffWork;

/// What an operator wants; the file's text comes beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    Activate {
        /// Only what it would do to those who wait.
        #[serde(default)]
        dry_run: bool,
    },
    /// Puts an agency's file into force, for the only campaign if none is named.
    ActivateAgency {
        campaign: Option<String>,
        /// Only what it would change for people.
        #[serde(default)]
        dry_run: bool,
        logo: Option<LogoFile>,
    },
    ImportSites {
        campaign: String,
        /// How the file is written; whether it is a spreadsheet is seen in the file.
        #[serde(default)]
        encoding: Encoding,
    },
    ImportSlots {
        campaign: String,
        #[serde(default)]
        encoding: Encoding,
    },
    ImportRoster {
        dry_run: bool,
        /// How many people may be gone, if that is much of the roster.
        #[serde(default)]
        accept_gone: Option<u64>,
        /// How many people whose names were erased may get them back.
        #[serde(default)]
        accept_erased: Option<u64>,
        /// Where it is asked from, as far as the caller knows: a dry run is a look.
        #[serde(default)]
        origin: String,
        #[serde(default)]
        same_person: SamePerson,
        #[serde(default)]
        encoding: Encoding,
        /// The country of telephone numbers that do not say theirs.
        #[serde(default)]
        country: Country,
        /// Whether ten thousand faults are told and not a thousand: they go into a file.
        #[serde(default)]
        reports: bool,
    },
    /// Something at a campaign's gate.
    Gate {
        campaign: Option<String>,
        act: GateAct,
    },
    /// A public value for the draw of an opening, the only one to come if none is named.
    DrawValue {
        campaign: Option<String>,
        opening: Option<String>,
        value: String,
        source: String,
    },
    GateStatus {
        campaign: Option<String>,
    },
    /// A new key for tokens. Those of the present one stay good, or with `revoke` none does.
    RotateTokenKey {
        revoke: bool,
    },
    /// Other keys for names and telephone numbers, in the vault and to compare names.
    RotatePersonalKeys,
    /// Removes the keys for names and telephone numbers that are not in force.
    ForgetPersonalKeys,
    /// Another key for signed heads.
    RotateHeadKey,
    /// Shows or erases what is kept of one person.
    Person {
        who: Who,
        act: PersonAct,
        reason: String,
        /// Where it is asked from, as far as the caller knows.
        origin: String,
    },
    /// Puts on record that the looks of a month were reviewed.
    Reviewed {
        /// As 2021-07.
        month: String,
        /// The time zone in which it begins and ends.
        zone: String,
        findings: String,
        origin: String,
    },
    /// Accounts of the desk.
    Staff(StaffWork),
    CampaignList,
    /// The agency's file of each campaign.
    AgencyList,
    RosterStats,
    Head,
    /// The newest checkpoint of the tree, and that it continues the one of `since` entries.
    Checkpoint {
        since: Option<u64>,
    },
    /// Proofs of an entry by its number, or of all entries of a booking by its own.
    Prove {
        wanted: String,
    },
    /// What is behind a point, as frames that are sent after the answer.
    Copy {
        from: CopyPoint,
    },
    /// What of a running server is not ready.
    Health,
}

impl Work {
    /// The keys that it replaces or removes.
    fn key_change(&self) -> Option<KeyChange> {
        Some(match self {
            Self::RotateTokenKey { revoke: false } => KeyChange::Tokens,
            Self::RotateTokenKey { revoke: true } => KeyChange::TokensRevoked,
            Self::RotatePersonalKeys => KeyChange::Names,
            Self::ForgetPersonalKeys => KeyChange::NamesForgotten,
            Self::RotateHeadKey => KeyChange::Heads,
            _ => return None,
        })
    }

    /// Whether it needs the tree over the journal.
    pub fn needs_tree(&self) -> bool {
        matches!(self, Self::Checkpoint { .. } | Self::Prove { .. })
    }

    /// Whether it looks and changes nothing.
    pub fn is_lookup(&self) -> bool {
        match self {
            Self::Activate { dry_run } | Self::ActivateAgency { dry_run, .. } => *dry_run,
            Self::Staff(work) => *work == StaffWork::List,
            Self::GateStatus { .. }
            | Self::CampaignList
            | Self::AgencyList
            | Self::RosterStats
            | Self::Head
            | Self::Checkpoint { .. }
            | Self::Prove { .. }
            | Self::Copy { .. }
            | Self::Health => true,
            // A dry run of a roster is a look at personal data: it writes an entry.
            Self::ImportRoster { .. }
            | Self::ImportSites { .. }
            | Self::ImportSlots { .. }
            | Self::Gate { .. }
            | Self::DrawValue { .. }
            | Self::RotateTokenKey { .. }
            | Self::RotatePersonalKeys
            | Self::ForgetPersonalKeys
            | Self::RotateHeadKey
            | Self::Person { .. }
            | Self::Reviewed { .. } => false,
        }
    }
}

/// Work that is ready for the writer, or finished.
pub enum Prepared {
    Operation(Operation),
    /// Told when this is in the journal, and not before: a look at personal data, a password.
    Then(Operation, Box<Done>),
    Finished(Finished),
}

impl Prepared {
    fn done(done: Done) -> Self {
        Self::Finished(Ok(done))
    }

    fn fault(fault: impl Into<WorkFault>) -> Self {
        Self::Finished(Err(fault.into()))
    }
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
        Work::Activate { dry_run } => match campaign_text(source)? {
            Ok(source) if *dry_run => {
                return Ok(match Campaign::parse(&source) {
                    Ok((rules, _)) => {
                        let seen = activation::dry_run(shared, rules, now);
                        Prepared::done(Done::ActivationDryRun(seen))
                    }
                    Err(findings) => Prepared::fault(WorkFault::Findings(findings)),
                });
            }
            Ok(source) => Operation::Activate {
                source,
                now,
                shifts: false,
            },
            Err(fault) => return Ok(Prepared::fault(fault)),
        },
        Work::ActivateAgency {
            campaign,
            dry_run,
            logo,
        } => {
            let (campaign, logo) = (campaign.as_deref(), logo.as_ref());
            return agency::prepare(shared, campaign, logo, *dry_run, source);
        }
        Work::ImportSites { campaign, encoding } => match sites::read(source, *encoding) {
            Ok(rows) => Operation::ImportSites {
                campaign: id(campaign)?,
                rows,
            },
            Err(report) => return Ok(Prepared::fault(report)),
        },
        Work::ImportSlots { campaign, encoding } => {
            let campaign = id(campaign)?;
            let offers = shared.offers();
            let offer = offers
                .iter()
                .find(|offer| offer.catalog.campaign.id == campaign);
            let Some(offer) = offer else {
                let why = format!("campaign `{campaign}` is not active");
                return Ok(Prepared::fault(WorkRefused::new(why)));
            };
            let catalog = &offer.catalog;
            match slots::read_for(catalog, source, *encoding) {
                Ok(rows) => Operation::ImportSlots {
                    campaign,
                    version: Some(catalog.version()),
                    rows,
                    now,
                },
                Err(report) => return Ok(Prepared::fault(report)),
            }
        }
        Work::ImportRoster {
            dry_run,
            accept_gone,
            accept_erased,
            origin,
            same_person,
            encoding,
            country,
            reports,
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
                vault: &shared.state().vault.clone(),
                same_person: *same_person,
                encoding: *encoding,
                country: *country,
                faults_max: if *reports { KEPT_MAX } else { SHOWN_MAX },
                contacts,
            };
            let prepared = match reading.read(source) {
                Ok(prepared) => Box::new(prepared),
                Err(report) => return Ok(Prepared::fault(report)),
            };
            let accepted = Accepted {
                gone: *accept_gone,
                erased: *accept_erased,
            };
            if *dry_run {
                let compared = compare(shared, store, keys, &prepared, accepted)?;
                let next = &prepared.roster;
                let done = Done::DryRun(self::roster::dry_run(&compared, next.people.len()));
                return Ok(match self::roster::look_of(&compared, next, origin) {
                    Some(change) => Prepared::Then(Operation::Record { change }, Box::new(done)),
                    None => Prepared::done(done),
                });
            }
            Operation::ImportRoster { prepared, accepted }
        }
        Work::Gate { campaign, act } => {
            let campaign = campaign.as_deref().map(id).transpose()?;
            if let Err(fault) = gate_act::check(act) {
                return Ok(Prepared::fault(WorkRefused::new(fault.to_string())));
            }
            Operation::Gate {
                campaign,
                act: act.clone(),
                reason: None,
            }
        }
        Work::DrawValue {
            campaign,
            opening,
            value,
            source,
        } => match draw_value(shared, campaign.as_deref(), opening.as_deref(), now) {
            Err(why) => return Ok(Prepared::fault(WorkRefused::new(why))),
            Ok((campaign, line)) => {
                let (value, source) = (value.clone(), source.clone());
                let act = GateAct::DrawValue {
                    line,
                    value,
                    source,
                };
                if let Err(fault) = gate_act::check(&act) {
                    return Ok(Prepared::fault(WorkRefused::new(fault.to_string())));
                }
                let campaign = Some(campaign);
                Operation::Gate {
                    campaign,
                    act,
                    reason: None,
                }
            }
        },
        Work::RotateTokenKey { .. }
        | Work::RotatePersonalKeys
        | Work::ForgetPersonalKeys
        | Work::RotateHeadKey => match key_change::prepare(
            work.key_change().expect("each of these is one"),
            shared,
            keys,
            folder,
            now,
        ) {
            Ok(KeyWork::Operation(operation)) => operation,
            Ok(KeyWork::NamesForgotten { id, removed }) => {
                return Ok(Prepared::done(Done::PersonalKeysForgotten { id, removed }));
            }
            Err(why) => return Ok(Prepared::fault(WorkRefused::new(why))),
        },
        Work::Person {
            who,
            act,
            reason,
            origin,
        } => match person::prepare(shared, keys, who, *act, reason, origin, now) {
            Ok(operation) => operation,
            Err(refused) => return Ok(Prepared::fault(refused)),
        },
        Work::Reviewed {
            month,
            zone,
            findings,
            origin,
        } => match review::prepare(store, month, zone, findings, origin, now)? {
            Ok(operation) => operation,
            Err(refused) => return Ok(Prepared::fault(refused)),
        },
        Work::Staff(work) => return staff::prepare(work, shared, keys),
        Work::GateStatus { .. } => anyhow::bail!("only a running server knows its gate"),
        Work::CampaignList => return Ok(Prepared::done(Done::Campaigns(campaigns(shared)))),
        Work::AgencyList => return Ok(Prepared::done(Done::Agencies(agency::in_force(shared)))),
        Work::RosterStats => return Ok(Prepared::done(Done::RosterStats(roster_stats(shared)))),
        Work::Head => return Ok(Prepared::done(Done::Head(head(shared, keys)))),
        Work::Checkpoint { since } => return Ok(record::checkpoint(shared, *since)),
        Work::Prove { wanted } => return record::prove(wanted, shared, store, keys),
        Work::Copy { .. } => anyhow::bail!("a copy is streamed, not prepared"),
        Work::Health => anyhow::bail!("only a running server knows how it is"),
    };
    Ok(Prepared::Operation(operation))
}

/// The line whose draw a public value is for: committed to, without one yet, and before its
/// opening.
fn draw_value(
    shared: &Shared,
    campaign: Option<&str>,
    opening: Option<&str>,
    now: Stamp,
) -> Result<(CampaignId, LineIndex), String> {
    let state = shared.state();
    let named = |known: &&CampaignState| campaign.is_none_or(|id| known.id.as_str() == id);
    let mut campaigns = state.campaigns.iter().filter(named);
    let (Some(known), None) = (campaigns.next(), campaigns.next()) else {
        return Err("name one active campaign with --campaign".to_owned());
    };
    let rules = &known.catalog.campaign;
    let wanted = opening
        .map(|text| read_instant(text, &rules.zone))
        .transpose()?;
    let drawn = rules.openings.iter().filter(|opening| {
        let draw = known.line(opening.line).and_then(|line| line.draw.as_ref());
        let awaits = draw.is_some_and(|draw| draw.seed.is_none() && draw.value.is_none());
        awaits && now < opening.from && wanted.is_none_or(|at| at == opening.from)
    });
    let drawn: Vec<_> = drawn.collect();
    match drawn[..] {
        [opening] => Ok((known.id.clone(), opening.line)),
        [] => Err(
            "no draw awaits a public value: a draw is committed to when its opening is the next \
             (windows: when the rules come into force), takes one value, and none once its seed \
             is shown"
                .to_owned(),
        ),
        _ => {
            let all: Vec<_> = drawn
                .iter()
                .map(|opening| rules.zone.rfc3339(opening.from))
                .collect();
            Err(format!(
                "several draws await a value: give --opening, one of {}",
                all.join(", ")
            ))
        }
    }
}

/// What an operator is told once something is in the journal, or was not put there.
pub fn then(outcome: Outcome, done: Done) -> Finished {
    match outcome {
        Outcome::Kept => Ok(done),
        failed => finished(failed),
    }
}

/// What the writer's outcome means to an operator.
pub fn finished(outcome: Outcome) -> Finished {
    match outcome {
        // Only the desk asks for these.
        Outcome::Operated(
            other @ (Operated::SlotsClosed { .. }
            | Operated::RelocationBegun(_)
            | Operated::Relocated { .. }),
        ) => Err(WorkFault::Unexpected(format!("{other:?}"))),
        Outcome::Operated(operated) => Ok(done(operated)),
        // Of what operators ask for, a review alone is one entry and nothing else.
        Outcome::Kept => Ok(Done::Reviewed),
        Outcome::Impossible(why) => Err(WorkRefused::new(why).into()),
        Outcome::Unknown => Err(WorkFault::OutcomeUnknown),
        other => Err(WorkFault::Unexpected(format!("{other:?}"))),
    }
}

fn done(operated: Operated) -> Done {
    match operated {
        Operated::Activated { campaign, version } => Done::Activated {
            campaign: campaign.to_string(),
            version,
            changed: true,
        },
        Operated::Unchanged { campaign, version } => Done::Activated {
            campaign: campaign.to_string(),
            version,
            changed: false,
        },
        Operated::AgencyActivated {
            campaign,
            version,
            is_new,
            vaccines_unnamed,
        } => Done::AgencyActivated {
            campaign: campaign.to_string(),
            version,
            changed: is_new,
            vaccines_unnamed,
        },
        Operated::Sites { added, changed } => Done::Sites(Imported { added, changed }),
        Operated::Slots(done) => Done::Slots(SlotsImported {
            added: done.added,
            changed: done.changed,
            corrected: done.corrected,
            past: done.past,
            overlapping: done.overlapping,
        }),
        Operated::Roster {
            version,
            added,
            changed,
            gone,
            unchanged,
            news,
        } => {
            let counts = Counts {
                added,
                changed,
                gone,
                unchanged,
            };
            Done::Roster(self::roster::in_force(version, &counts, &news))
        }
        Operated::TokenKeyRotated { id, revoked } => Done::TokenKeyRotated { id, revoked },
        Operated::HeadKeyRotated { seq, public_key } => Done::HeadKeyRotated {
            seq: seq.0,
            public_key: HEXLOWER.encode(&public_key),
        },
        Operated::PersonShown(seen) => Done::Person(Box::new(person::shown(&seen))),
        Operated::PersonErased { had_row } => Done::PersonErased { had_row },
        Operated::SlotsClosed { .. }
        | Operated::RelocationBegun(_)
        | Operated::Relocated { .. } => unreachable!("`finished` has taken these out"),
        Operated::Gate { campaign, act } => Done::Gate {
            campaign: campaign.to_string(),
            act,
        },
    }
}

fn id(text: &str) -> anyhow::Result<CampaignId> {
    CampaignId::try_from(text.to_owned()).map_err(anyhow::Error::msg)
}

fn campaigns(shared: &Shared) -> Vec<CampaignInForce> {
    let state = shared.state();
    let shown = state.campaigns.iter().map(|campaign| {
        let catalog = &campaign.catalog;
        let rules = &catalog.campaign;
        let active = campaign.bookings.iter();
        let active = active
            .filter(|b| b.status == crate::domain::state::Status::Booked)
            .count();
        let versions = catalog.versions.iter().map(|version| CampaignVersion {
            version: version.version,
            activated_at: rules.zone.rfc3339(version.activated_at),
        });
        CampaignInForce {
            campaign: campaign.id.to_string(),
            name: CampaignName {
                ko: rules.name.ko.clone(),
                en: rules.name.en.clone(),
            },
            versions: versions.collect(),
            sites: catalog.sites.len(),
            slots: catalog.slots.len(),
            bookings: active,
        }
    });
    shown.collect()
}

fn roster_stats(shared: &Shared) -> RosterStats {
    let roster = shared.roster();
    if roster.version == 0 {
        return RosterStats::default();
    }
    let mut by_year = std::collections::BTreeMap::<i16, u64>::new();
    for person in &roster.people {
        *by_year.entry(person.born.date().year()).or_default() += 1;
    }
    RosterStats {
        version: roster.version,
        people: roster.people.len() as u64,
        by_birth_year: Some(by_year),
        groups: Some(roster.group_sets.iter().flatten().cloned().collect()),
    }
}

fn head(shared: &Shared, keys: &Keys) -> SignedHead {
    let state = shared.state();
    let signature = keys.sign_at(
        state.seq,
        &head_message(state.seq, &state.head, state.stamp),
    );
    SignedHead {
        seq: state.seq.0,
        stamp_ns: state.stamp.0,
        stamp: state.stamp.instant().to_string(),
        hash: state.head.to_string(),
        signature: HEXLOWER.encode(&signature),
        public_key: HEXLOWER.encode(&keys.head_public_key_at(state.seq)),
    }
}
