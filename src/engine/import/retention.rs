//! Names and telephone numbers go when they are due: so many days after the last slot of every
//! campaign, if each says how many. The journal stays whole: it has none of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::marking::keep;
use super::sweep::sweep_all;
use crate::domain::booking::catalog::Catalog;
use crate::domain::campaign::Campaign;
use crate::domain::entry::Change;
use crate::domain::time::Stamp;
use crate::engine::shared::Shared;
use crate::engine::writer::WriterHandle;
use crate::journal::store::{Store, StoreFault};

const DAY_S: i64 = 86_400;

/// When the rows of the vault are due; none while a campaign does not say, or has no slots yet.
fn due<'a>(catalogs: impl Iterator<Item = &'a Arc<Catalog>>) -> Option<Stamp> {
    due_of(catalogs.map(|catalog| (catalog, &*catalog.campaign)))
}

/// The same, if these rules were in force for their campaign.
pub fn due_with(catalogs: &[Arc<Catalog>], next: Option<&Campaign>) -> Option<Stamp> {
    due_of(catalogs.iter().map(|catalog| {
        let next = next.filter(|next| next.id == catalog.campaign.id);
        (catalog, next.unwrap_or(&catalog.campaign))
    }))
}

fn due_of<'a>(catalogs: impl Iterator<Item = (&'a Arc<Catalog>, &'a Campaign)>) -> Option<Stamp> {
    let of = |(catalog, rules): (&Arc<Catalog>, &Campaign)| {
        let days = rules.booking.personal_data_days;
        let last = || catalog.slots.iter().map(|slot| slot.end).max();
        let last = (days > 0).then(last).flatten()?;
        Some(last.plus_s(i64::from(days) * DAY_S))
    };
    let all: Option<Vec<Stamp>> = catalogs.map(of).collect();
    all.and_then(|all| all.into_iter().max())
}

/// Erases every row if they are due: first in the journal, then in the data file.
pub(super) fn empty_when_due(
    shared: &Shared,
    store: &Store,
    writer: &WriterHandle,
    now: Stamp,
    stop: &AtomicBool,
) -> Result<(), StoreFault> {
    let (roster, catalogs) = {
        let state = shared.state();
        let Some(roster) = state.roster.filter(|_| !state.vault.is_emptied) else {
            return Ok(());
        };
        let catalogs = state.campaigns.iter();
        let catalogs: Vec<_> = catalogs.map(|known| Arc::clone(&known.catalog)).collect();
        (roster.version, catalogs)
    };
    // Ten million slots are looked at outside of the state's lock.
    if due(catalogs.iter()).is_none_or(|due| now < due) {
        return Ok(());
    }
    let Some(_at_desk) = shared.roster_desk().take() else {
        return Ok(());
    };
    if shared.roster().version != roster {
        return Ok(());
    }
    // Marked first: if the process ends in between, the next one goes on.
    store.beside(|write| write.put_unswept(true))?;
    let reason = "due by the settings of every campaign".to_owned();
    if !keep(writer, Change::VaultEmptied { roster, reason }, stop) {
        return Ok(());
    }
    shared.any_erased.store(true, Ordering::Relaxed);
    tracing::info!("names and telephone numbers were due, and are erased");
    sweep_all(shared, store, stop)
}
