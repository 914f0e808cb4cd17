//! The check of a draw, offline from an export: was the seed fixed before anybody could enter, is
//! it the one that was committed to, and who got which number.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::{AuditFault, exported};
use crate::domain::entry::Change;
use crate::domain::ids::{CampaignIndex, PersonKey};
use crate::domain::line::lot;
use crate::domain::state::State;
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
    /// Everybody of the lobby with the number that they drew, in order of number.
    pub numbers: Vec<(PersonKey, u64)>,
}

/// Replays an export from its first entry and draws again whatever was drawn in it.
pub fn check(source: impl BufRead + Send) -> Result<Vec<Checked>, AuditFault> {
    let mut state = State::default();
    let mut committed: BTreeMap<(CampaignIndex, Stamp), Stamp> = BTreeMap::new();
    exported::read(source, |entries| {
        for (entry, _) in entries {
            if let Change::DrawCommitted {
                campaign, opening, ..
            } = entry.change
            {
                committed.insert((campaign, opening), entry.stamp);
            }
        }
        apply_all(&mut state, entries, |_, _| {})
    })?;
    let mut checked = Vec::new();
    for campaign in &state.campaigns {
        let rules = &campaign.catalog.campaign;
        for (at, draw) in campaign.line.draws.iter().enumerate() {
            let when = committed
                .get(&(campaign.catalog.index, draw.opening))
                .copied();
            let when = when.unwrap_or(Stamp::MAX);
            let lobby = draw
                .opening
                .plus_s(-i64::from(rules.gate.lobby_opens_min) * 60);
            let members = campaign
                .line
                .given
                .iter()
                .filter(|(_, given)| given.draw() == Some(at));
            let mut numbers: Vec<u64> = members.clone().map(|(_, given)| given.number()).collect();
            numbers.sort_unstable();
            let drawn = draw.seed.map_or_else(Vec::new, |seed| {
                let mut people: Vec<(u64, PersonKey)> = members
                    .map(|(person, _)| (lot(&seed, person), *person))
                    .collect();
                people.sort_unstable();
                people
                    .into_iter()
                    .map(|(_, person)| person)
                    .zip(numbers)
                    .collect()
            });
            checked.push(Checked {
                campaign: campaign.id.to_string(),
                opening: rules.zone.rfc3339(draw.opening),
                committed_at: rules.zone.rfc3339(when),
                in_time: when <= lobby,
                seed: draw.seed,
                numbers: drawn,
            });
        }
    }
    Ok(checked)
}
