//! The entries of a batch that are not applied yet: each is checked beside those ahead of it.
//!
//! A batch has at most one change of a person and one of a campaign's line, besides holds that
//! expire. So what is ahead matters only by the seats and holds that it takes, and by who is in it.

use std::collections::{HashMap, HashSet};

use super::effect::Effect;
use super::{Contradiction, person_of};
use crate::domain::entry::{Change, Entry, HoldEnd};
use crate::domain::ids::{CampaignIndex, HoldId, PersonKey, Pool, SlotIndex};
use crate::domain::state::{CampaignState, KeyHash, State};

/// What the entries before one will have done.
#[derive(Debug, Default)]
pub struct Ahead {
    ended: HashSet<HoldId>,
    /// Seats that will be in use beyond those that are; less than 0 when some become free.
    seats: HashMap<(CampaignIndex, SlotIndex, Pool), i64>,
    people: HashSet<PersonKey, KeyHash>,
    lines: HashSet<CampaignIndex>,
}

impl Ahead {
    pub(super) fn ends(&self, hold: HoldId) -> bool {
        self.ended.contains(&hold)
    }

    pub(super) fn more(&self, campaign: CampaignIndex, slot: SlotIndex, pool: Pool) -> i64 {
        self.seats
            .get(&(campaign, slot, pool))
            .copied()
            .unwrap_or(0)
    }

    /// Whether a change of this campaign's line can be checked only after the next commit.
    pub fn changes_line(&self, campaign: CampaignIndex) -> bool {
        self.lines.contains(&campaign)
    }

    /// Checks that `apply` will take an entry after those that were checked before it, and notes
    /// what it does. Of the chain, sequence and stamp nothing is checked.
    ///
    /// # Errors
    /// What contradicts the state, or that the entry is of a kind that is not made in a batch:
    /// operators' entries are applied to a copy of the state.
    pub fn check(&mut self, state: &State, entry: &Entry) -> Result<(), Contradiction> {
        self.checked(state, entry).map_err(|what| Contradiction {
            seq: entry.seq,
            what,
        })
    }

    fn checked(&mut self, state: &State, entry: &Entry) -> Result<(), String> {
        let known = |index: &CampaignIndex| -> Result<&CampaignState, String> {
            let campaign = state.campaign(*index);
            campaign.ok_or_else(|| format!("campaign {index} does not exist"))
        };
        match &entry.change {
            Change::Started { .. } | Change::ClockStepped { .. } | Change::ClockBehind { .. } => {
                Ok(())
            }
            Change::Refused { campaign, .. } | Change::GateSet { campaign, .. } => {
                known(campaign).map(|_| ())
            }
            Change::NumbersLeased {
                campaign,
                first,
                until,
            } => {
                self.one_of_line(*campaign)?;
                known(campaign)?.line.may_lease(*first, *until)
            }
            Change::PlacesGiven { campaign, places } => {
                self.one_of_line(*campaign)?;
                let line = &known(campaign)?.line;
                let may = |(person, given): &_| line.may_give(person, *given).map(|_| ());
                places.iter().try_for_each(may)
            }
            Change::ServingAdvanced { campaign, .. } => {
                self.one_of_line(*campaign)?;
                known(campaign).map(|_| ())
            }
            Change::DrawCommitted {
                campaign, opening, ..
            } => {
                self.one_of_line(*campaign)?;
                known(campaign)?.line.may_commit(*opening)
            }
            Change::DrawRevealed {
                campaign,
                opening,
                seed,
            } => {
                self.one_of_line(*campaign)?;
                known(campaign)?.line.may_reveal(*opening, seed).map(|_| ())
            }
            change => {
                let Some((campaign, person)) = person_of(change) else {
                    return Err(format!("{change:?} is not made in a batch"));
                };
                let expires = matches!(
                    change,
                    Change::HoldEnded {
                        reason: HoldEnd::Expired,
                        ..
                    }
                );
                if !expires && !self.people.insert(person) {
                    return Err(format!("is the second change of {person} in a batch"));
                }
                let effect = known(&campaign)?.effect(entry, self)?;
                self.note(campaign, &effect);
                Ok(())
            }
        }
    }

    fn one_of_line(&mut self, campaign: CampaignIndex) -> Result<(), String> {
        if self.lines.insert(campaign) {
            return Ok(());
        }
        Err(format!(
            "is the second change of line {campaign} in a batch"
        ))
    }

    fn note(&mut self, campaign: CampaignIndex, effect: &Effect) {
        let mut count = |slots: &mut dyn Iterator<Item = SlotIndex>, pool: Pool, by: i64| {
            for slot in slots {
                *self.seats.entry((campaign, slot, pool)).or_default() += by;
            }
        };
        for (id, hold) in effect.ended.iter().flatten() {
            count(&mut hold.doses.slots(), hold.pool, -1);
            self.ended.insert(*id);
        }
        if let Some((doses, pool, _)) = effect.taken {
            count(&mut doses.slots(), pool, 1);
        }
        // Seats of a booking that is moved or cancelled are not free before it is: a batch that
        // counts on them is refused.
    }
}
