//! The entries of a batch that are not applied yet: each is checked beside those ahead of it.
//!
//! A batch has at most one change of a person and one of a line, besides holds that
//! expire. So what is ahead matters only by the seats and holds that it takes, and by who is in it.

use std::collections::{HashMap, HashSet};

use super::effect::Effect;
use super::{Contradiction, may_agree, person_of};
use crate::domain::entry::{Change, Entry, HoldEnd};
use crate::domain::ids::{CampaignIndex, HoldId, LineIndex, PersonKey, Pool, SlotIndex};
use crate::domain::line::Line;
use crate::domain::state::{CampaignState, KeyHash, State};

/// What the entries before one will have done.
#[derive(Debug, Default)]
pub struct Ahead {
    ended: HashSet<HoldId>,
    /// Seats that will be in use beyond those that are; less than 0 when some become free.
    seats: HashMap<(CampaignIndex, SlotIndex, Pool), i64>,
    people: HashSet<PersonKey, KeyHash>,
    lines: HashSet<(CampaignIndex, LineIndex)>,
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

    /// Whether another change of this line can be checked only after the next commit.
    pub fn changes_line(&self, line: (CampaignIndex, LineIndex)) -> bool {
        self.lines.contains(&line)
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
            Change::Started { .. }
            | Change::Stopped {}
            | Change::ClockStepped { .. }
            | Change::ClockBehind { .. } => Ok(()),
            Change::Refused { campaign, .. } | Change::GateSet { campaign, .. } => {
                known(campaign).map(|_| ())
            }
            Change::Agreed {
                campaign, agency, ..
            } => may_agree(known(campaign)?, *agency),
            change if change.line().is_some() => {
                let (campaign, line) = change.line().expect("it was looked at");
                self.one_of_line(campaign, line)?;
                let known = known(&campaign)?.line(line);
                let known = known.ok_or_else(|| format!("campaign {campaign} has no line {line}"));
                may_change(known?, change)
            }
            change => {
                let Some((campaign, person)) = person_of(change) else {
                    return Err(format!("{change:?} is not made in a batch"));
                };
                let expires = matches!(
                    change,
                    Change::HoldEnded {
                        reason: HoldEnd::Expired | HoldEnd::Closed,
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

    fn one_of_line(&mut self, campaign: CampaignIndex, line: LineIndex) -> Result<(), String> {
        if self.lines.insert((campaign, line)) {
            return Ok(());
        }
        Err(format!(
            "is the second change of line {line} of campaign {campaign} in a batch"
        ))
    }

    fn note(&mut self, campaign: CampaignIndex, effect: &Effect) {
        let mut count = |slots: &mut dyn Iterator<Item = SlotIndex>, pool: Pool, by: i64| {
            for slot in slots {
                *self.seats.entry((campaign, slot, pool)).or_default() += by;
            }
        };
        for (id, hold) in effect.ended.iter().flatten() {
            count(&mut hold.seats(), hold.pool, -1);
            self.ended.insert(*id);
        }
        if let Some((slots, pool, _)) = effect.taken {
            count(&mut slots.each(), pool, 1);
        }
        // Seats of a booking that is moved or cancelled are not free before it is: a batch that
        // counts on them is refused.
    }
}

/// Checks that `apply` will take a change of this line.
fn may_change(line: &Line, change: &Change) -> Result<(), String> {
    match change {
        Change::NumbersLeased { first, until, .. } => line.may_lease(*first, *until),
        Change::PlacesGiven { places, .. } => {
            let may = |(person, given): &_| line.may_give(person, *given).map(|_| ());
            places.iter().try_for_each(may)
        }
        Change::DrawCommitted { .. } => line.may_commit(),
        Change::DrawRevealed { seed, .. } => line.may_reveal(seed).map(|_| ()),
        Change::WindowsPlanned { plan, .. } => line.may_plan(plan),
        _ => Ok(()),
    }
}
