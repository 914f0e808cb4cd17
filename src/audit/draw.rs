//! The check of draws, offline from an export: was the seed fixed before anybody could know it, is
//! it the one that was committed to, who got which number, and did everybody come in their window.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::exported::Lines;
use super::{AuditFault, exported};
use crate::domain::campaign::Order;
use crate::domain::entry::Change;
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey};
use crate::domain::line::windows::{Plan, Window, Windows};
use crate::domain::line::{Given, Line, lot};
use crate::domain::state::{CampaignState, State};
use crate::domain::time::{Stamp, Zone};
use crate::journal::recovery::apply_all;

/// A plan's entry is written this long after it was made, at most.
const WRITTEN_S_MAX: i64 = 60;

/// One draw of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    pub campaign: String,
    pub opening: String,
    pub committed_at: String,
    /// The SHA-256 of the seed, as it was committed to.
    pub commitment: [u8; 32],
    /// Whether the commitment stood before the lobby opened.
    pub in_time: bool,
    /// None while the opening has not come.
    pub seed: Option<[u8; 32]>,
    /// The public value that went into it beside the seed, and its source.
    pub value: Option<(String, String)>,
    /// Everybody of the lobby with the number that they drew, in order of number.
    pub numbers: Vec<(PersonKey, u64)>,
    /// The plans of its windows, in the order in which they were made.
    pub plans: Vec<CheckedPlan>,
    /// People who were given a number before their window.
    pub early: u64,
    windows: Windows,
    drawn_by: Option<[u8; 32]>,
    zone: Zone,
}

/// A plan of windows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedPlan {
    pub plan: Plan,
    /// When its first window begins, in the campaign's zone.
    pub from: String,
    /// Whether it is what the rule makes of the opening, the people and the plans before.
    pub is_by_rule: bool,
}

impl Checked {
    /// Whether anything in it is not as it should be.
    pub fn is_faulty(&self) -> bool {
        !self.in_time || self.early > 0 || self.plans.iter().any(|plan| !plan.is_by_rule)
    }

    fn window_of(&self, person: &PersonKey) -> Option<Window> {
        self.windows.of(lot(&self.drawn_by?, person))
    }

    /// The window of a person by the plans that are in force at the end of the export: from and
    /// until, in the campaign's zone.
    pub fn window_told(&self, person: &PersonKey) -> Option<[String; 2]> {
        let window = self.window_of(person)?;
        Some([window.from, window.until].map(|at| self.zone.rfc3339(at)))
    }
}

/// A draw of which the export has not the end yet.
struct Committed {
    at: Stamp,
    commitment: [u8; 32],
    opening: Stamp,
    /// The position of its result, once the seed is shown.
    checked: Option<usize>,
}

/// The draws of an export, as far as it is read.
#[derive(Default)]
pub(super) struct Draws {
    open: BTreeMap<(CampaignIndex, LineIndex), Committed>,
    checked: Vec<Checked>,
}

/// Replays an export from its first entry and draws again whatever was drawn in it.
pub fn check(source: impl BufRead + Send) -> Result<Vec<Checked>, AuditFault> {
    let mut state = State::default();
    let mut draws = Draws::default();
    exported::read(source, &[], |Lines { entries, .. }| {
        let mut changes = entries
            .iter()
            .map(|(entry, _)| (entry.stamp, &entry.change));
        apply_all(&mut state, entries, |state, _| {
            if let Some((at, change)) = changes.next()
                && let Some(place) = change.line()
                && let Some(campaign) = state.campaign(place.0)
            {
                draws.see(campaign, place, at, change);
            }
        })
    })?;
    Ok(draws.finish(&state))
}

impl Draws {
    /// All of them, also those whose openings have not come.
    pub(super) fn finish(self, state: &State) -> Vec<Checked> {
        let Self { open, mut checked } = self;
        let waiting = open.iter().filter(|(_, known)| known.checked.is_none());
        checked.extend(waiting.filter_map(|((campaign, _), known)| {
            let campaign = state.campaign(*campaign)?;
            Some(of(campaign, known, None))
        }));
        checked
    }

    /// Notes a change of a line that has just been applied.
    pub(super) fn see(
        &mut self,
        campaign: &CampaignState,
        place: (CampaignIndex, LineIndex),
        at: Stamp,
        change: &Change,
    ) {
        match change {
            Change::DrawCommitted {
                opening,
                commitment,
                ..
            } => {
                let committed = Committed {
                    at,
                    commitment: *commitment,
                    opening: *opening,
                    checked: None,
                };
                self.open.insert(place, committed);
            }
            // Nobody joins the draw from here on, and when its opening is over nobody is in it.
            Change::DrawRevealed { seed, .. } => {
                let line = campaign.line(place.1);
                if let (Some(known), Some(line)) = (self.open.get_mut(&place), line) {
                    known.checked = Some(self.checked.len());
                    self.checked.push(of(campaign, known, Some((*seed, line))));
                }
            }
            Change::WindowsPlanned { plan, .. } => {
                if let Some(checked) = self.of_line(place) {
                    checked.see_plan(campaign, at, plan);
                }
            }
            Change::PlacesGiven { places, .. } => {
                let rules = &campaign.catalog.campaign.gate;
                if let Some(checked) = self.of_line(place)
                    && rules.order == Order::Windows
                {
                    checked.see_places(at, places);
                }
            }
            Change::LineEnded { .. } => {
                self.open.remove(&place);
            }
            _ => {}
        }
    }

    fn of_line(&mut self, place: (CampaignIndex, LineIndex)) -> Option<&mut Checked> {
        let at = self.open.get(&place)?.checked?;
        self.checked.get_mut(at)
    }
}

impl Checked {
    fn see_plan(&mut self, campaign: &CampaignState, at: Stamp, plan: &Plan) {
        let made = self.windows.next(plan.basis, plan.people, plan.at);
        let written = plan.at <= at && at <= plan.at.plus_s(WRITTEN_S_MAX);
        let is_by_rule = made == Some(*plan) && written && self.windows.plan(*plan).is_ok();
        self.plans.push(CheckedPlan {
            plan: *plan,
            from: campaign.catalog.campaign.zone.rfc3339(plan.from),
            is_by_rule,
        });
    }

    fn see_places(&mut self, at: Stamp, places: &[(PersonKey, Given)]) {
        let is_early = |(person, _): &&(PersonKey, Given)| {
            let window = self.window_of(person);
            window.is_some_and(|window| at < window.from)
        };
        let early = places.iter().filter(is_early).count();
        self.early += early as u64;
    }
}

fn of(
    campaign: &CampaignState,
    committed: &Committed,
    revealed: Option<([u8; 32], &Line)>,
) -> Checked {
    let rules = &campaign.catalog.campaign;
    let lobby_s = 60 * i64::from(rules.gate.lobby_min());
    let draw = revealed.and_then(|(_, line)| line.draw.as_ref());
    let value = draw.and_then(|draw| draw.value.clone());
    Checked {
        campaign: campaign.id.to_string(),
        opening: rules.zone.rfc3339(committed.opening),
        committed_at: rules.zone.rfc3339(committed.at),
        commitment: committed.commitment,
        in_time: committed.at <= committed.opening.plus_s(-lobby_s),
        seed: revealed.map(|(seed, _)| seed),
        value: value.map(|public| (public.value, public.source)),
        numbers: revealed.map_or_else(Vec::new, |(_, line)| drawn(line)),
        plans: Vec::new(),
        early: 0,
        windows: Windows::default(),
        drawn_by: revealed.and_then(|(_, line)| line.drawn_by()),
        zone: rules.zone.clone(),
    }
}

/// Everybody who is in a line's draw, in order of the number that they drew.
fn drawn(line: &Line) -> Vec<(PersonKey, u64)> {
    let by = line.drawn_by().unwrap_or_default();
    let members = line.given.iter().filter(|(_, given)| given.in_draw());
    let mut numbers: Vec<u64> = members.clone().map(|(_, given)| given.number()).collect();
    numbers.sort_unstable();
    let with_lot = |(person, _): (&PersonKey, _)| (lot(&by, person), *person);
    let mut people: Vec<(u64, PersonKey)> = members.map(with_lot).collect();
    people.sort_unstable();
    let people = people.into_iter().map(|(_, person)| person);
    people.zip(numbers).collect()
}
