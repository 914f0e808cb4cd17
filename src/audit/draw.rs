//! The check of a draw, offline from an export: was the seed fixed before anybody could enter, is
//! it the one that was committed to, and who got which number.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::{AuditFault, exported};
use crate::domain::entry::Change;
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey};
use crate::domain::line::{Line, lot};
use crate::domain::state::{CampaignState, State};
use crate::domain::time::Stamp;
use crate::journal::recovery::apply_all;

/// One draw of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    pub campaign: String,
    pub opening: String,
    pub committed_at: String,
    /// Whether the commitment stood before the lobby opened.
    pub in_time: bool,
    /// None while the opening has not come.
    pub seed: Option<[u8; 32]>,
    /// The public value that went into it beside the seed, and its source.
    pub value: Option<(String, String)>,
    /// Everybody of the lobby with the number that they drew, in order of number.
    pub numbers: Vec<(PersonKey, u64)>,
}

/// A draw of which the export has not the end yet.
struct Committed {
    at: Stamp,
    opening: Stamp,
}

/// Replays an export from its first entry and draws again whatever was drawn in it.
pub fn check(source: impl BufRead + Send) -> Result<Vec<Checked>, AuditFault> {
    let mut state = State::default();
    let mut open: BTreeMap<(CampaignIndex, LineIndex), Committed> = BTreeMap::new();
    let mut checked = Vec::new();
    exported::read(source, |entries| {
        let mut changes = entries
            .iter()
            .map(|(entry, _)| (entry.stamp, &entry.change));
        apply_all(&mut state, entries, |state, _| match changes.next() {
            Some((
                at,
                Change::DrawCommitted {
                    campaign,
                    line,
                    opening,
                    ..
                },
            )) => {
                let opening = *opening;
                open.insert((*campaign, *line), Committed { at, opening });
            }
            Some((
                _,
                Change::DrawRevealed {
                    campaign,
                    line,
                    seed,
                },
            )) => {
                // Nobody joins the draw from here on, and when its opening is over nobody is in it.
                let committed = open.remove(&(*campaign, *line));
                let found = state.campaign(*campaign).zip(committed);
                checked.extend(found.map(|(campaign, committed)| {
                    let line = campaign.line(*line);
                    let numbers = line.map_or_else(Vec::new, drawn);
                    let draw = line.and_then(|line| line.draw.as_ref());
                    let value = draw.and_then(|draw| draw.value.clone());
                    let value = value.map(|public| (public.value, public.source));
                    of(campaign, &committed, (Some(*seed), value), numbers)
                }));
            }
            _ => {}
        })
    })?;
    checked.extend(open.iter().filter_map(|((campaign, _), committed)| {
        Some(of(
            state.campaign(*campaign)?,
            committed,
            (None, None),
            Vec::new(),
        ))
    }));
    Ok(checked)
}

fn of(
    campaign: &CampaignState,
    committed: &Committed,
    (seed, value): (Option<[u8; 32]>, Option<(String, String)>),
    numbers: Vec<(PersonKey, u64)>,
) -> Checked {
    let rules = &campaign.catalog.campaign;
    let lobby_s = 60 * i64::from(rules.gate.lobby_opens_min);
    Checked {
        campaign: campaign.id.to_string(),
        opening: rules.zone.rfc3339(committed.opening),
        committed_at: rules.zone.rfc3339(committed.at),
        in_time: committed.at <= committed.opening.plus_s(-lobby_s),
        seed,
        value,
        numbers,
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
