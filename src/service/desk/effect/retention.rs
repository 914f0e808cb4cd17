//! What a campaign's file does to how long names are kept.

use crate::domain::campaign::Campaign;
use crate::domain::text::grouped;
use crate::domain::time::Stamp;
use crate::engine::import::retention::due_with;
use crate::service::Service;

/// How many people's names are due as soon as these rules are in force, and not before; in words.
pub(super) fn due_at_once(service: &Service, next: &Campaign, now: Stamp) -> Option<(u64, String)> {
    let catalogs = {
        let state = service.shared.state();
        if state.vault.is_emptied || state.roster.is_none() {
            return None;
        }
        let catalogs = state.campaigns.iter().map(|known| known.catalog.clone());
        catalogs.collect::<Vec<_>>()
    };
    let is_due = |with: Option<&Campaign>| due_with(&catalogs, with).is_some_and(|at| at <= now);
    if !is_due(Some(next)) || is_due(None) {
        return None;
    }
    let roster = service.shared.roster();
    let people = (roster.people.len() + roster.left.len()) as u64;
    let told = format!(
        "the names and telephone numbers of {} people are erased as soon as this is in force, and \
         can't be brought back: `booking.personal_data_days` of every campaign is over then",
        grouped(people)
    );
    Some((people, told))
}
