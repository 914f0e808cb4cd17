//! `apply(state, entry)`: the one function that changes state. Pure, deterministic, no I/O, no
//! clock, no randomness. The writer, recovery, audit and tests all use it.
//!
//! It checks what must hold whoever wrote the entry: the chain, the order of stamps, capacities,
//! one active booking per person. An entry that contradicts the state before it is a
//! `Contradiction`: a damaged journal or a defect, never a refusal.

mod ahead;
mod effect;
mod seats;
mod touch;

use std::sync::Arc;

use crate::crypto::is_signed;
use crate::domain::agency::{Agency, AgencyVersion};
use crate::domain::booking::catalog::{Catalog, Corrects, Version};
use crate::domain::booking::next::NextCatalog;
use crate::domain::booking::relocation::{RELOCATIONS_MAX, Relocation};
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Actor, Change, Entry, GateAct, Hash, head_key_message};
use crate::domain::growing::Table;
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey, Pool, RelocationIndex, Seq};
use crate::domain::line::{Draw, Lease, Line, PublicValue};
use crate::domain::personal::{ErasedRow, VaultMark, VaultState};
use crate::domain::pieces::Pending;
use crate::domain::state::{CampaignState, Founded, RosterMark, State, Usage, refusal_mark};

pub use ahead::Ahead;
pub use touch::touch;

/// Why an entry can't follow the state before it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct Contradiction {
    pub seq: Seq,
    pub what: String,
}

type Applied = Result<(), String>;

/// Applies one entry, whose bytes hash to `hash`.
pub fn apply(state: &mut State, entry: &Entry, hash: Hash) -> Result<(), Contradiction> {
    apply_with(state, entry, hash, None)
}

/// Applies one entry, with what was made for it if it fits: the same comes of it as without.
pub fn apply_prepared(
    state: &mut State,
    entry: &Entry,
    hash: Hash,
    next: &mut NextCatalog,
) -> Result<(), Contradiction> {
    apply_with(state, entry, hash, Some(next))
}

fn apply_with(
    state: &mut State,
    entry: &Entry,
    hash: Hash,
    next: Option<&mut NextCatalog>,
) -> Result<(), Contradiction> {
    follow(state, entry, next).map_err(|what| Contradiction {
        seq: entry.seq,
        what,
    })?;
    state.seq = entry.seq;
    state.stamp = entry.stamp;
    state.head = hash;
    for campaign in &mut state.campaigns {
        campaign.repeats.forget(entry.stamp);
    }
    Ok(())
}

fn follow(state: &mut State, entry: &Entry, next: Option<&mut NextCatalog>) -> Applied {
    if entry.seq.0 != state.seq.0 + 1 {
        return Err(format!("follows entry {}: entries are missing", state.seq));
    }
    if entry.previous != state.head {
        return Err(format!(
            "does not carry the hash of entry {}: one of the two was changed",
            state.seq
        ));
    }
    if entry.stamp < state.stamp {
        return Err("has a stamp earlier than the entry before it".to_owned());
    }
    let founding = matches!(entry.change, Change::Founded { .. });
    if founding != (entry.seq.0 == 1) {
        return Err("a journal is founded by its first entry, and only by it".to_owned());
    }
    change(state, entry, next)?;
    if let Some((campaign, person)) = caused_by(entry) {
        let standing = known(state, campaign)?.standings.of(person);
        standing.changes.count(entry.stamp);
    }
    Ok(())
}

/// Whether this version of the roster is the one in force.
fn in_force(state: &State, roster: u32) -> Applied {
    match state.roster {
        Some(mark) if mark.version == roster => Ok(()),
        _ => Err(format!("is about roster {roster}, which is not in force")),
    }
}

fn change(state: &mut State, entry: &Entry, next: Option<&mut NextCatalog>) -> Applied {
    match &entry.change {
        Change::Founded {
            simulated_clock,
            head_public_key,
        } => {
            let (simulated_clock, head_public_key) = (*simulated_clock, *head_public_key);
            state.founded = Some(Founded {
                simulated_clock,
                head_public_key,
            });
            state.keys.heads.push((entry.seq, head_public_key));
            Ok(())
        }
        Change::Started { .. }
        | Change::Stopped {}
        | Change::ClockStepped { .. }
        | Change::ClockBehind { .. }
        | Change::ReasonGiven { .. }
        | Change::PersonalDataSeen(_) => Ok(()),
        Change::PieceAdded {
            campaign,
            part,
            piece,
        } => Pending::add(&mut state.pending, *campaign, *part, piece),
        Change::CampaignActivated {
            campaign,
            version,
            parts,
            rows,
            source_sha256,
        } => {
            let pending = &mut state.pending;
            let (source, rows) =
                Pending::take_activation(pending, *campaign, *parts, *rows, source_sha256)?;
            if let Some((campaign, next)) = prepared(state, *campaign, next) {
                is_next_version(campaign, *version)?;
                return next.swap_into(campaign, entry.stamp, Vec::new());
            }
            let rules = Campaign::of_rows(&rows)?;
            let version = Version {
                version: *version,
                activated_at: entry.stamp,
                source: source.into(),
            };
            activate(state, *campaign, version, rules)
        }
        Change::SitesImported {
            campaign,
            parts,
            rows,
        } => {
            let rows = Pending::take_sites(&mut state.pending, *campaign, *parts, *rows)?;
            if let Some((campaign, next)) = prepared(state, *campaign, next) {
                return next.swap_into(campaign, entry.stamp, Vec::new());
            }
            let campaign = known(state, *campaign)?;
            Arc::make_mut(&mut campaign.catalog).put_sites(&rows);
            Ok(())
        }
        Change::SlotsImported {
            campaign,
            parts,
            rows,
        } => put_slots(
            state,
            entry,
            (*campaign, *parts, *rows),
            Corrects::Capacity,
            next,
        ),
        Change::SlotsSet {
            campaign,
            parts,
            rows,
        } => {
            let corrects = Corrects::CapacityAndEnd;
            put_slots(state, entry, (*campaign, *parts, *rows), corrects, next)
        }
        Change::RelocationBegun {
            campaign,
            relocation,
            cause,
            reason,
            until,
            unanswered,
        } => {
            let known = &mut known(state, *campaign)?.relocations;
            if relocation.at() != known.len() || known.len() >= RELOCATIONS_MAX {
                return Err(format!(
                    "relocation {relocation} does not follow the last one"
                ));
            }
            known.push(Relocation {
                begun_at: entry.stamp,
                cause: *cause,
                reason: reason.clone(),
                until: *until,
                unanswered: *unanswered,
            });
            Ok(())
        }
        Change::SlotsClosed {
            campaign,
            parts,
            rows,
            relocation,
        } => {
            let begun = known(state, *campaign)?.relocation(*relocation).is_some();
            if !begun {
                return Err(format!("relocation {relocation} was not begun"));
            }
            let closed_by = Some(*relocation);
            close_slots(state, entry, (*campaign, *parts, *rows), closed_by, next)
        }
        Change::SlotsReopened {
            campaign,
            parts,
            rows,
        } => close_slots(state, entry, (*campaign, *parts, *rows), None, next),
        Change::RosterImported {
            version,
            people,
            digest,
            ..
        } => {
            let (version, people, digest) = (*version, *people, *digest);
            state.roster = Some(RosterMark {
                version,
                people,
                digest,
            });
            state.vault.begin();
            Ok(())
        }
        Change::PersonalKeysRotated { id } => {
            let next = state.keys.personal.checked_add(1);
            if next != Some(*id) {
                return Err(format!("brings the personal keys {id} out of order"));
            }
            state.keys.personal = *id;
            state.vault.go_on();
            Ok(())
        }
        Change::HeadKeyRotated {
            public_key,
            signature,
        } => {
            let before = state.keys.head().ok_or("comes before the first key")?;
            let message = head_key_message(public_key);
            let signature = signature.as_slice().try_into();
            if !signature.is_ok_and(|signature| is_signed(&before, &message, signature)) {
                return Err("is not signed with the key before it".to_owned());
            }
            state.keys.heads.push((entry.seq, *public_key));
            Ok(())
        }
        Change::VaultSealed {
            roster,
            rows,
            digest,
        } => {
            in_force(state, *roster)?;
            state.vault.mark = Some(VaultMark {
                roster: *roster,
                rows: *rows,
                digest: *digest,
            });
            Ok(())
        }
        Change::PersonErased {
            person,
            version,
            row,
            ..
        } => {
            if *version > 0 {
                let (version, row) = (*version, *row);
                let erased = ErasedRow { version, row };
                state.vault.erased.insert(*person, erased);
            }
            Ok(())
        }
        Change::VaultEmptied { roster, .. } => {
            in_force(state, *roster)?;
            state.vault = VaultState {
                is_emptied: true,
                ..VaultState::default()
            };
            Ok(())
        }
        Change::HoldPlaced { campaign, .. }
        | Change::HoldEnded { campaign, .. }
        | Change::HoldExtended { campaign, .. }
        | Change::Booked { campaign, .. }
        | Change::Moved { campaign, .. }
        | Change::MoveOffered { campaign, .. }
        | Change::Relocated { campaign, .. }
        | Change::Cancelled { campaign, .. } => {
            let campaign = known(state, *campaign)?;
            let effect = campaign.effect(entry, &Ahead::default())?;
            campaign.perform(effect, entry);
            Ok(())
        }
        Change::Refused {
            campaign,
            person,
            rules,
            reason,
        } => {
            let campaign = known(state, *campaign)?;
            campaign
                .refusals
                .insert(refusal_mark(person, *rules, *reason), ());
            campaign.refusal_counts[*reason as usize] += 1;
            Ok(())
        }
        Change::NumbersLeased {
            campaign,
            line,
            first,
            until,
        } => {
            let line = known_line(state, *campaign, *line)?;
            line.may_lease(*first, *until)?;
            line.leases.push(Lease {
                since: entry.stamp,
                first: *first,
                until: *until,
                highest: first - 1,
            });
            Ok(())
        }
        Change::PlacesGiven {
            campaign,
            line,
            places,
        } => {
            let line = known_line(state, *campaign, *line)?;
            places
                .iter()
                .try_for_each(|(person, given)| line.give(*person, *given))
        }
        Change::ServingAdvanced {
            campaign,
            line,
            serving,
        } => {
            let line = known_line(state, *campaign, *line)?;
            line.serving = line.serving.max(*serving);
            Ok(())
        }
        Change::DrawCommitted {
            campaign,
            line,
            opening,
            commitment,
        } => {
            let line = known_line(state, *campaign, *line)?;
            line.may_commit()?;
            line.draw = Some(Draw::committed(*opening, *commitment));
            Ok(())
        }
        Change::DrawRevealed {
            campaign,
            line,
            seed,
        } => {
            let line = known_line(state, *campaign, *line)?;
            line.draw = Some(line.may_reveal(seed)?);
            Ok(())
        }
        Change::WindowsPlanned {
            campaign,
            line,
            plan,
        } => {
            let line = known_line(state, *campaign, *line)?;
            line.may_plan(plan)?;
            line.windows.plan(*plan)
        }
        Change::LineEnded { campaign, line } => {
            *known_line(state, *campaign, *line)? = Line::default();
            Ok(())
        }
        Change::GateSet { campaign, act } => {
            let campaign = known(state, *campaign)?;
            match act {
                GateAct::Pause { freezes: true, .. } | GateAct::PauseSaid { freezes: true, .. } => {
                    campaign.frozen_since.get_or_insert(entry.stamp);
                }
                GateAct::Pause { .. }
                | GateAct::PauseSaid { .. }
                | GateAct::Drain { .. }
                | GateAct::Resume => campaign.thaw(entry.stamp),
                _ => {}
            }
            campaign.gate.set(act, entry.stamp);
            if let GateAct::DrawValue {
                line,
                value,
                source,
            } = act.clone()
            {
                let draw = campaign
                    .lines
                    .get_mut(line.at())
                    .and_then(|line| line.draw.as_mut());
                let open = draw.filter(|draw| draw.seed.is_none());
                if let Some(draw) = open {
                    draw.value.get_or_insert(PublicValue { value, source });
                }
            }
            Ok(())
        }
        Change::PersonRekeyed { from, to } => {
            let mut campaigns = state.campaigns.iter_mut();
            campaigns.try_for_each(|campaign| campaign.rekey(*from, *to))
        }
        Change::AgencyActivated {
            campaign,
            version,
            parts,
            rows,
            source_sha256,
        } => {
            let (source, rows) =
                Pending::take_agency(&mut state.pending, *campaign, *parts, *rows, source_sha256)?;
            let agency = Agency::of_rows(&rows)?;
            let campaign = known(state, *campaign)?;
            if campaign.agency_version() + 1 != *version {
                return Err("is not the next version of the agency's file".to_owned());
            }
            let before = campaign.agency.as_deref();
            let next = AgencyVersion::next(before, entry.stamp, source, agency);
            campaign.put_agency_in_force(Arc::new(next));
            Ok(())
        }
        Change::Agreed {
            campaign, agency, ..
        } => may_agree(known(state, *campaign)?, *agency),
        // What people were told changes nothing of their line.
        Change::LineTold { campaign, line, .. } => known_line(state, *campaign, *line).map(|_| ()),
        // What the key signs is not part of the state.
        Change::TokenKeyRotated { .. } => Ok(()),
        Change::StaffSet { .. }
        | Change::StaffCredentialsSet { .. }
        | Change::StaffSession { .. }
        | Change::ProposalPart { .. }
        | Change::Proposed { .. }
        | Change::ProposalDecided { .. }
        | Change::ProposalEnded { .. }
        | Change::ProposalStepDone { .. }
        | Change::ProposalScheduled { .. }
        | Change::ProposalSeen { .. }
        | Change::ProposalCalledOff { .. }
        | Change::ApiKeyMade { .. }
        | Change::ApiKeyEnded { .. }
        | Change::AccountActAsked { .. }
        | Change::AccountActConfirmed { .. }
        | Change::AccountActDropped { .. }
        | Change::ProviderAccountMade { .. } => {
            Arc::make_mut(&mut state.staff).apply(&entry.actor, &entry.change, entry.stamp)
        }
    }
}

fn known(state: &mut State, index: CampaignIndex) -> Result<&mut CampaignState, String> {
    state
        .campaigns
        .get_mut(index.at())
        .ok_or_else(|| format!("campaign {index} does not exist"))
}

/// People agree to a version that they can have read. The journal alone keeps who did.
fn may_agree(campaign: &CampaignState, agency: u32) -> Applied {
    if campaign.had_agency(agency) {
        return Ok(());
    }
    Err(format!(
        "agrees to version {agency} of the agency's file, which is not there"
    ))
}

fn known_line(
    state: &mut State,
    index: CampaignIndex,
    line: LineIndex,
) -> Result<&mut Line, String> {
    let lines = &mut known(state, index)?.lines;
    let known = lines.get_mut(line.at());
    known.ok_or_else(|| format!("campaign {index} has no line {line}"))
}

/// What was made for an entry about this campaign, if it fits the campaign as it is.
fn prepared<'a>(
    state: &'a mut State,
    index: CampaignIndex,
    next: Option<&'a mut NextCatalog>,
) -> Option<(&'a mut CampaignState, &'a mut NextCatalog)> {
    let (campaign, next) = (state.campaigns.get_mut(index.at())?, next?);
    next.fits(campaign).then_some((campaign, next))
}

fn is_next_version(known: &CampaignState, version: u32) -> Applied {
    if known.catalog.version() + 1 == version {
        return Ok(());
    }
    Err(format!("is not the next version of campaign {}", known.id))
}

fn activate(state: &mut State, index: CampaignIndex, version: Version, rules: Campaign) -> Applied {
    let id = rules.id.clone();
    if index.at() == state.campaigns.len() && version.version == 1 {
        let catalog = Catalog::new(index, rules, version);
        state.campaigns.push(CampaignState::new(id, catalog));
        return known(state, index)?.have_lines();
    }
    let known = known(state, index)?;
    if known.id != id {
        return Err(format!("activates campaign {id} as campaign {}", known.id));
    }
    is_next_version(known, version.version)?;
    let catalog = Arc::make_mut(&mut known.catalog);
    catalog.put_rules(Arc::new(rules))?;
    catalog.versions.push(version);
    // Nobody asks what rules said that are not in force any more.
    known.refusals = Table::default();
    known.have_lines()
}

/// A list that ends: its campaign, parts and rows.
type Ends = (CampaignIndex, u32, u32);

fn put_slots(
    state: &mut State,
    entry: &Entry,
    (index, parts, rows): Ends,
    corrects: Corrects,
    next: Option<&mut NextCatalog>,
) -> Applied {
    let rows = Pending::take_slots(&mut state.pending, index, parts, rows)?;
    if let Some((campaign, next)) = prepared(state, index, next) {
        return next.swap_into(campaign, entry.stamp, rows);
    }
    let rows = rows.iter().flat_map(|piece| piece.iter().copied());
    let rows: Vec<_> = rows.collect();
    let campaign = known(state, index)?;
    Arc::make_mut(&mut campaign.catalog).put_slots(&rows, corrects)?;
    campaign
        .usage
        .fill_up(campaign.catalog.slots.len(), Usage::default());
    campaign.check_capacities(&rows)
}

fn close_slots(
    state: &mut State,
    entry: &Entry,
    (index, parts, rows): Ends,
    closed_by: Option<RelocationIndex>,
    next: Option<&mut NextCatalog>,
) -> Applied {
    let slots = Pending::take_closing(&mut state.pending, index, parts, rows)?;
    if let Some((campaign, next)) = prepared(state, index, next) {
        return next.swap_into(campaign, entry.stamp, Vec::new());
    }
    let campaign = known(state, index)?;
    Arc::make_mut(&mut campaign.catalog).close_slots(slots, closed_by)
}

fn same_pool(known: Pool, told: Pool) -> Applied {
    if known == told {
        return Ok(());
    }
    let (known, told) = (known.name(), told.name());
    Err(format!(
        "names the pool {told} for seats of the pool {known}"
    ))
}

/// The person whose seats a change is about, and the campaign.
fn person_of(change: &Change) -> Option<(CampaignIndex, PersonKey)> {
    match change {
        Change::HoldPlaced {
            campaign, person, ..
        }
        | Change::HoldEnded {
            campaign, person, ..
        }
        | Change::HoldExtended {
            campaign, person, ..
        }
        | Change::Booked {
            campaign, person, ..
        }
        | Change::Moved {
            campaign, person, ..
        }
        | Change::MoveOffered {
            campaign, person, ..
        }
        | Change::Relocated {
            campaign, person, ..
        }
        | Change::Cancelled {
            campaign, person, ..
        } => Some((*campaign, *person)),
        _ => None,
    }
}

/// Whom an entry's actor makes answerable for a change of seats, and in which campaign.
fn caused_by(entry: &Entry) -> Option<(CampaignIndex, PersonKey)> {
    let (campaign, person) = person_of(&entry.change)?;
    match entry.actor {
        Actor::Citizen => Some((campaign, person)),
        Actor::Proxy { person } => Some((campaign, person)),
        Actor::System | Actor::Operator(_) | Actor::Staff { .. } => None,
    }
}

#[cfg(test)]
mod tests;
