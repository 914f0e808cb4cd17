//! Operators' acts: each a batch of its own, whole or not at all.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::command::{Operated, Operation, Outcome};
use super::core::{CommitFailed, Core};
use super::shared::Offer;
use crate::domain::booking::catalog::{Catalog, Slot};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Actor, Change, GateAct};
use crate::domain::ids::{CampaignId, CampaignIndex, PersonKey, Seats};
use crate::domain::line::gate_act;
use crate::domain::pieces;
use crate::domain::roster::difference;
use crate::files::roster::PreparedRoster;

/// A booking of two doses takes some 150 bytes of the journal, in blocks that are half empty at
/// the worst; a hold before it as much.
const JOURNAL_BYTES_PER_SEAT: u64 = 160;
/// Less room than this is not worth making.
const ROOM_BYTES_MIN: u64 = 16 << 20;
/// Room is made only out of a disk that has this many times as much free.
const ROOM_OF_FREE_DISK: u64 = 8;

/// What an operation did, or why it can't be done.
type Done = Result<Result<Operated, String>, CommitFailed>;

impl Core {
    pub(super) fn operate(
        &mut self,
        operator: String,
        operation: Operation,
        reply: oneshot::Sender<Outcome>,
    ) -> Result<(), CommitFailed> {
        let actor = Actor::operator(&operator);
        let done = match operation {
            Operation::Activate { source } => self.activate(actor, source),
            Operation::ImportSites { campaign, rows } => self.sites(actor, &campaign, rows),
            Operation::ImportSlots {
                campaign,
                version,
                rows,
            } => self.slots(actor, &campaign, version, rows),
            Operation::Gate { campaign, act } => self.gate(actor, campaign, act),
            Operation::TokenKeyRotated { id, revoked } => self.token_key(actor, id, revoked),
            Operation::ImportRoster { prepared } => self.roster(actor, *prepared),
        };
        let outcome = match done {
            Ok(Ok(operated)) => Outcome::Operated(operated),
            Ok(Err(why)) => Outcome::Impossible(why),
            Err(failed) => {
                let _ = reply.send(Outcome::Unknown);
                return Err(failed);
            }
        };
        let _ = reply.send(outcome);
        Ok(())
    }

    fn activate(&mut self, actor: Actor, source: String) -> Done {
        let (rules, _) = match Campaign::parse(&source) {
            Ok(parsed) => parsed,
            Err(findings) => {
                let count = findings.len();
                return Ok(Err(format!(
                    "the file has {count} findings: run `sumun campaign check`"
                )));
            }
        };
        let id = rules.id.clone();
        let (campaign, version) = match self.offer(&id) {
            None => (CampaignIndex(self.shared.offers().len() as u16), 1),
            Some(offer) => {
                let catalog = &offer.catalog;
                let version = catalog.version();
                if catalog
                    .versions
                    .last()
                    .is_some_and(|last| *last.source == *source)
                {
                    return Ok(Ok(Operated::Unchanged {
                        campaign: id,
                        version,
                    }));
                }
                if let Err(why) = fits_slots(catalog, &rules) {
                    return Ok(Err(why));
                }
                (catalog.index, version + 1)
            }
        };
        let changes = match pieces::activation(campaign, version, &source, &rules) {
            Ok(changes) => changes,
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        self.journal(actor, changes)?;
        Ok(Ok(Operated::Activated {
            campaign: id,
            version,
        }))
    }

    fn gate(&mut self, actor: Actor, id: Option<CampaignId>, act: GateAct) -> Done {
        if let Err(fault) = gate_act::check(&act) {
            return Ok(Err(fault.to_string()));
        }
        let offers = self.shared.offers().clone();
        let offer = match id {
            Some(id) => match self.offer(&id) {
                Some(offer) => offer,
                None => return Ok(Err(unknown(&id))),
            },
            None => match offers.as_slice() {
                [only] => Arc::clone(only),
                [] => return Ok(Err("no campaign is active".to_owned())),
                _ => {
                    return Ok(Err(
                        "several campaigns are active: name one by --campaign".to_owned()
                    ));
                }
            },
        };
        let campaign = offer.catalog.index;
        self.journal(
            actor,
            [Change::GateSet {
                campaign,
                act: act.clone(),
            }],
        )?;
        Ok(Ok(Operated::Gate {
            campaign: offer.catalog.campaign.id.clone(),
            act,
        }))
    }

    fn token_key(&mut self, actor: Actor, id: u8, revoked: bool) -> Done {
        self.journal(actor, [Change::TokenKeyRotated { id }])?;
        Ok(Ok(Operated::TokenKeyRotated { id, revoked }))
    }

    fn sites(&mut self, actor: Actor, id: &CampaignId, rows: Vec<SiteRow>) -> Done {
        let Some(offer) = self.offer(id) else {
            return Ok(Err(unknown(id)));
        };
        let known = |row: &SiteRow| offer.catalog.site(&row.site).map(|(_, site)| &site.row);
        let added = rows.iter().filter(|row| known(row).is_none()).count();
        let rows: Vec<_> = rows
            .into_iter()
            .filter(|row| known(row) != Some(row))
            .collect();
        let changed = rows.len() - added;
        let changes = match pieces::sites(offer.catalog.index, &rows) {
            Ok(changes) => changes,
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        self.journal(actor, changes)?;
        Ok(Ok(Operated::Sites { added, changed }))
    }

    fn slots(
        &mut self,
        actor: Actor,
        id: &CampaignId,
        version: Option<u32>,
        mut rows: Vec<SlotRow>,
    ) -> Done {
        let Some(offer) = self.offer(id) else {
            return Ok(Err(unknown(id)));
        };
        let catalog = &offer.catalog;
        if version.is_some_and(|version| version != catalog.version()) {
            return Ok(Err(format!(
                "another file of campaign `{id}` was activated while the slots were read: import \
                 them again"
            )));
        }
        if let Some(row) = rows.iter().find(|row| row.site.at() >= catalog.sites.len()) {
            return Ok(Err(format!(
                "a slot names site {}, which is not imported",
                row.site
            )));
        }
        rows.sort_by_key(|row| (row.site, row.vaccine, row.date, row.start_min));
        let is_known = |row: &SlotRow| catalog.slot_like(row).map(|slot| catalog.slots[slot.at()]);
        let added = rows.iter().filter(|row| is_known(row).is_none()).count();
        rows.retain(|row| is_known(row).is_none_or(|known| known.capacity != row.capacity));
        let changed = rows.len() - added;
        let changes = match pieces::slots(catalog.index, &rows) {
            Ok(changes) => changes,
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        if let Err(why) = withdraw(&offer, &rows) {
            return Ok(Err(why));
        }
        drop(rows);
        self.journal(actor, changes)?;
        self.make_room_for(&offer, added)?;
        Ok(Ok(Operated::Slots { added, changed }))
    }

    /// Makes room in the file for the bookings that newly imported slots can take, if the disk has
    /// plenty.
    fn make_room_for(&self, before: &Offer, added: usize) -> Result<(), CommitFailed> {
        let offers = self.shared.offers();
        let slots = &offers[before.catalog.index.at()].catalog.slots;
        let fresh = slots.len().saturating_sub(added);
        let seats = |slot: &Slot| slot.capacity.iter().copied().map(u64::from).sum::<u64>();
        let seats: u64 = slots[fresh..].iter().map(seats).sum();
        let bytes = seats * JOURNAL_BYTES_PER_SEAT;
        let free = self.store.disk_free();
        if bytes < ROOM_BYTES_MIN || free.is_none_or(|free| free / ROOM_OF_FREE_DISK < bytes) {
            return Ok(());
        }
        drop(offers);
        self.store.make_room(bytes).map_err(CommitFailed::Store)
    }

    fn roster(&mut self, actor: Actor, mut prepared: PreparedRoster) -> Done {
        prepared.roster.version = self.roster.version + 1;
        let roster = &prepared.roster;
        let difference = difference(&self.roster, roster);
        let (added, changed) = (difference.added.len(), difference.changed.len());
        let (gone, unchanged) = (difference.gone.len(), difference.unchanged);
        // Whoever is gone leaves the vault too, unless a booking still needs their name.
        let leaving: Vec<_> = {
            let state = self
                .shared
                .state
                .read()
                .expect("no writer panics while it holds the lock");
            let booked = |key: &PersonKey| {
                state
                    .campaigns
                    .iter()
                    .any(|c| c.active_booking(key).is_some())
            };
            let keys = self.roster.people.iter().map(|person| person.key);
            keys.filter(|key| roster.find(key).is_none() && !booked(key))
                .collect()
        };
        let mut batch = self.batch();
        batch.push(
            actor,
            Change::RosterImported {
                version: roster.version,
                people: roster.people.len() as u64,
                digest: prepared.digest,
                added: added as u64,
                changed: changed as u64,
                gone: gone as u64,
            },
        );
        self.finish_copied_with(&mut batch, |write| {
            write.put_roster(roster)?;
            write.erase_from_vault(leaving.into_iter())?;
            write.put_vault(prepared.vault())
        })?;
        let version = roster.version;
        self.roster = Arc::new(prepared.roster);
        self.shared.publish(&self.roster);
        Ok(Ok(Operated::Roster {
            version,
            added,
            changed,
            gone,
            unchanged,
        }))
    }

    fn offer(&self, id: &CampaignId) -> Option<Arc<Offer>> {
        self.shared
            .offers()
            .iter()
            .find(|offer| offer.catalog.campaign.id == *id)
            .cloned()
    }

    /// Journals changes in one commit and publishes what they changed.
    fn journal(
        &mut self,
        actor: Actor,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<(), CommitFailed> {
        let mut batch = self.batch();
        changes
            .into_iter()
            .for_each(|change| batch.push(actor.clone(), change));
        self.finish_copied(&mut batch)?;
        self.shared.publish(&self.roster);
        Ok(())
    }
}

fn unknown(id: &CampaignId) -> String {
    format!("campaign `{id}` is not active: run `sumun campaign activate FILE` first")
}

/// Slots name vaccines by position and were resolved in the zone: neither may change under them.
fn fits_slots(catalog: &Catalog, next: &Campaign) -> Result<(), String> {
    if catalog.slots.is_empty() {
        return Ok(());
    }
    if catalog.campaign.zone != next.zone {
        return Err("the time zone can't change once slots are imported".to_owned());
    }
    for (at, known) in catalog.campaign.vaccines.iter().enumerate() {
        let same = next.vaccines.get(at).is_some_and(|kind| {
            (&kind.id, kind.doses, kind.interval_days)
                == (&known.id, known.doses, known.interval_days)
        });
        if !same {
            return Err(format!(
                "vaccine `{}` must keep its place, doses and interval: slots are imported for it; \
                 add a new vaccine after it instead",
                known.id
            ));
        }
    }
    Ok(())
}

/// Takes the seats that an import removes out of the free count, or none of them.
fn withdraw(offer: &Offer, rows: &[SlotRow]) -> Result<(), String> {
    let catalog = &offer.catalog;
    let mut taken: Vec<(usize, u32, Seats)> = Vec::new();
    for row in rows {
        let Some(slot) = catalog.slot_like(row).map(|slot| catalog.slots[slot.at()]) else {
            continue;
        };
        let less = |pool: usize| slot.capacity[pool].saturating_sub(row.capacity[pool]);
        let less = std::array::from_fn(less);
        if offer.seats[slot.site.at()].withdraw(slot.position, less) {
            taken.push((slot.site.at(), slot.position, less));
            continue;
        }
        for (site, position, seats) in taken {
            offer.seats[site].add(position, seats);
        }
        return Err(format!(
            "site `{}`, {} {:02}:{:02}: more seats are booked or held than the new capacity; \
             raise it, or move those bookings first",
            catalog.sites[slot.site.at()].row.site,
            slot.date,
            slot.start_min / 60,
            slot.start_min % 60
        ));
    }
    Ok(())
}
