//! Founding a data file and opening one: recovery, and what the clock may not do to it.

use std::path::Path;
use std::sync::Arc;

use super::core::{CommitFailed, Core};
use super::shared::Shared;
use crate::clock::Clock;
use crate::domain::entry::Change;
use crate::domain::roster::Roster;
use crate::domain::state::State;
use crate::journal::recovery::{Recovered, RecoveryFault, recover};
use crate::journal::store::{Store, StoreFault};
use crate::keys::Keys;

/// A wall clock this far behind the last entry has been set back or lost its battery.
const BEHIND_NOTICED_NS: i64 = 500_000_000;

/// Why a data file can't be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("refusing to serve: {0}; restore a backup, and keep this file for the auditors")]
    Recovery(#[from] RecoveryFault),
    #[error(transparent)]
    Commit(#[from] CommitFailed),
    #[error(
        "this data folder was made by `sumun demo` with a simulated clock: real time would mix \
         invented bookings with real ones; use another --data folder"
    )]
    Simulated,
    #[error(
        "this data folder runs on real time: a simulated clock would corrupt its record; use \
         another --data folder for the demo"
    )]
    Real,
    #[error(
        "keys.json does not belong to this data file: its signing key differs from the one that \
         the journal was founded with; restore the keys that were made with it"
    )]
    Keys,
}

/// Writes the first entry into an empty data file.
pub fn found(store: Store, keys: Arc<Keys>, clock: &Clock) -> Result<Core, OpenFault> {
    let shared = Arc::new(Shared::new(State::default(), Roster::default()));
    let roster = Arc::new(Roster::default());
    let head_public_key = keys.head_public_key();
    let mut core = Core::new(Arc::new(store), shared, keys, clock.clone(), roster);
    let simulated_clock = clock.is_simulated();
    core.record(Change::Founded {
        simulated_clock,
        head_public_key,
    })?;
    Ok(core)
}

/// Makes a data file at `path` and founds its journal.
pub fn create(path: &Path, keys: Arc<Keys>, clock: &Clock) -> Result<Core, OpenFault> {
    found(Store::create(path)?, keys, clock)
}

/// Rebuilds everything from a data file; `clock` must be of the kind it was founded with.
pub fn open(
    store: Store,
    keys: Arc<Keys>,
    clock: impl FnOnce(&State) -> Clock,
) -> Result<Core, OpenFault> {
    let Recovered { state, roster } = recover(&store.read()?)?;
    let founded = state.founded.ok_or(RecoveryFault::NotFounded)?;
    let clock = clock(&state);
    match (founded.simulated_clock, clock.is_simulated()) {
        (true, false) => return Err(OpenFault::Simulated),
        (false, true) => return Err(OpenFault::Real),
        _ => {}
    }
    if founded.head_public_key != keys.head_public_key() {
        return Err(OpenFault::Keys);
    }
    let behind_ns = state.stamp.0.saturating_sub(clock.now().0);
    let shared = Arc::new(Shared::new(state, roster.clone()));
    let mut core = Core::new(Arc::new(store), shared, keys, clock, Arc::new(roster));
    if behind_ns > BEHIND_NOTICED_NS {
        tracing::warn!(
            behind_s = behind_ns / 1_000_000_000,
            "the clock is behind the last entry: entries carry its stamp until the clock passes it"
        );
        core.record(Change::ClockBehind { behind_ns })?;
    }
    Ok(core)
}
