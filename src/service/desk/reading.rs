//! Which proposals an account reads: one that is bound to campaigns reads those of its campaigns,
//! one of a site those of its sites alone, and each what it proposed or decided itself.
//!
//! A campaign's file names its campaign in its text, which is kept until it is decided. So of those
//! that are decided a bound account reads its own alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::effect::Effect;
use super::proposals::is_for_all;
use super::{Allowed, DeskRefused};
use crate::domain::campaign::Campaign;
use crate::domain::entry::Role;
use crate::domain::staff::Account;
use crate::domain::staff::proposal::{DECIDED_KEPT, OPEN_MAX, Proposal, Proposed};
use crate::service::Service;
use crate::sync::locked;

/// The campaigns that proposed files name, by the proposal's number: each text is read once.
#[derive(Default)]
pub struct CampaignsOfFiles(Mutex<HashMap<u32, Option<String>>>);

impl CampaignsOfFiles {
    fn of(&self, number: u32, text: &str) -> Option<String> {
        let mut known = locked(&self.0);
        if known.len() > OPEN_MAX + DECIDED_KEPT {
            known.clear();
        }
        let read = || {
            let parsed = Campaign::parse(text).ok();
            parsed.map(|(campaign, _)| campaign.id.to_string())
        };
        known.entry(number).or_insert_with(read).clone()
    }
}

impl Service {
    /// Whether an account reads a proposal.
    pub fn reads_proposal(&self, by: &Account, number: u32, proposed: &Proposed) -> bool {
        let is_of_site = by.role == Role::Site;
        if by.bounds.campaigns.is_empty() && !is_of_site {
            return true;
        }
        let staff = self.staff();
        let is_own = |id| {
            let known = staff.accounts.get(&id);
            known.is_some_and(|known| known.name == by.name)
        };
        let decided = proposed.decided.as_ref();
        if is_own(proposed.by) || decided.is_some_and(|decided| is_own(decided.by)) {
            return true;
        }
        if is_of_site {
            let range = proposed.what.range();
            let sites = range.map_or(&[][..], |range| &range.sites);
            let is_theirs = |id: &String| by.bounds.sites.contains(id);
            return !sites.is_empty() && sites.iter().all(is_theirs);
        }
        if proposed.what.is_of_all() {
            return false;
        }
        let campaign = match proposed.what.campaign() {
            Some(campaign) => Some(campaign.to_string()),
            None if proposed.text.is_empty() => None,
            None => self.desk.files_campaigns.of(number, &proposed.text),
        };
        campaign.is_some_and(|campaign| by.bounds.has_campaign(&campaign))
    }

    /// What a proposal would do, for an account that may read it.
    pub async fn preview(
        self: &Arc<Self>,
        by: &Account,
        from: &str,
        what: Proposal,
        text: String,
    ) -> Allowed<Effect> {
        // What is about all campaigns is told to those alone who could propose it.
        if what.is_of_all() {
            if !is_for_all(by) {
                return Err(DeskRefused::NotYours);
            }
            return self.effect_for(by, from, what, text).await;
        }
        let effect = self.effect(what.clone(), text).await?;
        // What has faults tells of nobody; a file with faults has no campaign.
        let is_nobodys = effect.campaign.is_empty() && !effect.faults.is_empty();
        let is_theirs = by.bounds.has_campaign(&effect.campaign);
        // Whose seats it would take is told to those alone who could propose it.
        let is_of_seats = what.is_of_slots() || matches!(what, Proposal::Sites { .. });
        let is_bound = by.role == Role::Site || !by.bounds.has_all_of(&effect.campaign);
        let is_beyond = is_of_seats && is_bound && !self.is_within(by, &what, &effect);
        let is_hidden = is_beyond && (effect.faults.is_empty() || effect.sites.is_some());
        if is_nobodys || (is_theirs && !is_hidden) {
            Ok(effect)
        } else {
            Err(DeskRefused::NotYours)
        }
    }
}
