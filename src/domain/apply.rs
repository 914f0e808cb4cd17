//! `apply(state, entry)`: the one function that changes state. Pure, deterministic, no I/O, no
//! clock, no randomness. The writer, recovery, audit and tests all use it.
//!
//! It checks what must hold whoever wrote the entry: the chain, the order of stamps, capacities,
//! one active booking per person. An entry that contradicts the state before it is a
//! `Contradiction`: a damaged journal or a defect, never a refusal.

mod seats;

use std::sync::Arc;

use crate::domain::booking::catalog::{Catalog, Version};
use crate::domain::booking::next::NextCatalog;
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Actor, Change, Entry, GateAct, Hash, HoldEnd};
use crate::domain::growing::Table;
use crate::domain::ids::{CampaignIndex, HoldId, PersonKey, Pool, Seq};
use crate::domain::line::{DRAWS_MAX, Draw, Lease, Pause, commitment};
use crate::domain::pieces::Pending;
use crate::domain::state::{
    CampaignState, Founded, Hold, RosterMark, State, Status, Usage, refusal_mark,
};
use seats::Kind;

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

/// Applies one entry, with what was made for it if it fits: the same comes of it as without, sooner.
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
        return Err("does not carry the hash of the entry before it".to_owned());
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
            Ok(())
        }
        Change::Started { .. } | Change::ClockStepped { .. } | Change::ClockBehind { .. } => Ok(()),
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
        } => {
            let rows = Pending::take_slots(&mut state.pending, *campaign, *parts, *rows)?;
            if let Some((campaign, next)) = prepared(state, *campaign, next) {
                return next.swap_into(campaign, entry.stamp, rows);
            }
            let rows = rows.concat();
            let campaign = known(state, *campaign)?;
            Arc::make_mut(&mut campaign.catalog).put_slots(&rows)?;
            campaign
                .usage
                .resize(campaign.catalog.slots.len(), Usage::default());
            campaign.check_capacities(&rows)
        }
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
            Ok(())
        }
        Change::HoldPlaced {
            campaign,
            person,
            doses,
            pool,
            until,
            released,
        } => {
            let campaign = known(state, *campaign)?;
            campaign.end_hold(person, *released)?;
            campaign.take(*doses, *pool, Kind::Held)?;
            let (id, standing) = (HoldId(entry.seq.0), campaign.standings.of(*person));
            if standing.hold.replace(id).is_some() {
                return Err(format!("{person} has a hold already"));
            }
            let hold = Hold {
                person: *person,
                doses: *doses,
                pool: *pool,
                until: *until,
            };
            campaign.holds.insert(id, hold);
            campaign.holds_by_end.insert((*until, id));
            Ok(())
        }
        Change::HoldEnded {
            campaign,
            person,
            hold,
            pool,
            reason,
        } => {
            let campaign = known(state, *campaign)?;
            let time = campaign.hold_time(entry.stamp);
            if let Some(known) = campaign.holds.get(hold) {
                if *reason == HoldEnd::Expired && time < known.until {
                    return Err(format!("hold {hold} had not expired"));
                }
                same_pool(known.pool, *pool)?;
            }
            campaign.end_hold(person, Some(*hold))
        }
        Change::Booked {
            campaign,
            person,
            number,
            doses,
            pool,
            hold,
            released,
            idempotency,
            ..
        } => {
            let campaign = known(state, *campaign)?;
            campaign.end_hold(person, *released)?;
            campaign.seat(person, *doses, *pool, *hold)?;
            campaign.remember(*idempotency, entry)?;
            campaign.book(entry, *person, *number, *doses, *pool)
        }
        Change::Moved {
            campaign,
            person,
            number,
            from,
            to,
            pool,
            hold,
            released,
            idempotency,
        } => {
            let campaign = known(state, *campaign)?;
            let index = campaign.booking_of(person, *number, *from)?;
            same_pool(campaign.bookings[index].pool, *pool)?;
            campaign.end_hold(person, *released)?;
            campaign.seat(person, *to, *pool, *hold)?;
            campaign.give_back(*from, *pool, Kind::Booked)?;
            campaign.bookings[index].doses = *to;
            campaign.bookings[index].seq = entry.seq;
            campaign.remember(*idempotency, entry)
        }
        Change::Cancelled {
            campaign,
            person,
            number,
            doses,
            pool,
            idempotency,
        } => {
            let campaign = known(state, *campaign)?;
            let index = campaign.booking_of(person, *number, *doses)?;
            same_pool(campaign.bookings[index].pool, *pool)?;
            campaign.give_back(*doses, *pool, Kind::Booked)?;
            campaign.bookings[index].status = Status::Cancelled;
            campaign.bookings[index].seq = entry.seq;
            campaign.standings.of(*person).booking = None;
            campaign.remember(*idempotency, entry)
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
            first,
            until,
        } => {
            let line = &mut known(state, *campaign)?.line;
            if *first != line.leased_until() + 1 || until < first || *until > u64::from(u32::MAX) {
                return Err(format!(
                    "leases {first} to {until} after {}",
                    line.leased_until()
                ));
            }
            line.leases.push(Lease {
                since: entry.stamp,
                first: *first,
                until: *until,
                highest: first - 1,
            });
            Ok(())
        }
        Change::PlacesGiven { campaign, places } => {
            let line = &mut known(state, *campaign)?.line;
            places
                .iter()
                .try_for_each(|(person, given)| line.give(*person, *given))
        }
        Change::ServingAdvanced { campaign, serving } => {
            let line = &mut known(state, *campaign)?.line;
            line.serving = line.serving.max(*serving);
            Ok(())
        }
        Change::DrawCommitted {
            campaign,
            opening,
            commitment,
        } => {
            let line = &mut known(state, *campaign)?.line;
            if line.draws.iter().any(|draw| draw.opening == *opening) {
                return Err("commits to a draw twice".to_owned());
            }
            if line.draws.len() >= DRAWS_MAX {
                return Err("commits to more draws than places can name".to_owned());
            }
            line.draws.push(Draw {
                opening: *opening,
                commitment: *commitment,
                seed: None,
            });
            Ok(())
        }
        Change::DrawRevealed {
            campaign,
            opening,
            seed,
        } => {
            let line = &mut known(state, *campaign)?.line;
            let draw = line.draws.iter_mut().find(|draw| draw.opening == *opening);
            let draw =
                draw.filter(|draw| draw.seed.is_none() && draw.commitment == commitment(seed));
            draw.ok_or("reveals a seed that was not committed to")?.seed = Some(*seed);
            Ok(())
        }
        Change::GateSet { campaign, act } => {
            let campaign = known(state, *campaign)?;
            match act {
                GateAct::Pause { freezes: true, .. } => {
                    campaign.frozen_since.get_or_insert(entry.stamp);
                }
                GateAct::Pause { .. } | GateAct::Resume => campaign.thaw(entry.stamp),
                _ => {}
            }
            let line = &mut campaign.line;
            match act.clone() {
                GateAct::Pause { reason, freezes } => {
                    line.pause = Some(Pause {
                        since: entry.stamp,
                        reason,
                        freezes,
                    });
                }
                GateAct::Resume => line.pause = None,
                GateAct::Rate { admit_per_s } => line.admit_per_s = Some(admit_per_s),
                GateAct::Active { active_max } => line.active_max = Some(active_max),
                GateAct::Message { text } => {
                    line.message = Some(text).filter(|text| !text.is_empty())
                }
            }
            Ok(())
        }
        Change::PersonRekeyed { from, to } => {
            let mut campaigns = state.campaigns.iter_mut();
            campaigns.try_for_each(|campaign| campaign.rekey(*from, *to))
        }
        // What the key signs is not part of the state.
        Change::TokenKeyRotated { .. } => Ok(()),
    }
}

fn known(state: &mut State, index: CampaignIndex) -> Result<&mut CampaignState, String> {
    state
        .campaigns
        .get_mut(index.at())
        .ok_or_else(|| format!("campaign {index} does not exist"))
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
        return Ok(());
    }
    let known = known(state, index)?;
    if known.id != id {
        return Err(format!("activates campaign {id} as campaign {}", known.id));
    }
    is_next_version(known, version.version)?;
    let catalog = Arc::make_mut(&mut known.catalog);
    catalog.campaign = Arc::new(rules);
    catalog.versions.push(version);
    // Nobody asks what rules said that are not in force any more.
    known.refusals = Table::default();
    Ok(())
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

/// Whom an entry's actor makes answerable for a change of seats, and in which campaign.
fn caused_by(entry: &Entry) -> Option<(CampaignIndex, PersonKey)> {
    let (campaign, person) = match &entry.change {
        Change::HoldPlaced {
            campaign, person, ..
        }
        | Change::HoldEnded {
            campaign, person, ..
        }
        | Change::Booked {
            campaign, person, ..
        }
        | Change::Moved {
            campaign, person, ..
        }
        | Change::Cancelled {
            campaign, person, ..
        } => (*campaign, *person),
        _ => return None,
    };
    match entry.actor {
        Actor::Citizen => Some((campaign, person)),
        Actor::Proxy { person } => Some((campaign, person)),
        Actor::System | Actor::Operator(_) | Actor::Staff { .. } => None,
    }
}

#[cfg(test)]
mod tests;
