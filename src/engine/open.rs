//! Founding a data file and opening one: recovery, and what the clock may not do to it.
//!
//! Stamps of entries never go back, so one start with the clock ahead stops time for everybody until
//! the true time has come there. A start whose clock is more than a day after the last sign of use
//! of the folder is therefore refused until an operator confirms the time. Behind the last entry
//! the folder is opened: the clock gets that entry's stamp for a floor, and it is said loudly.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::core::{CommitFailed, Core};
use super::shared::Shared;
use crate::clock::Clock;
use crate::domain::entry::Change;
use crate::domain::roster::Roster;
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::journal::recovery::{Recovered, RecoveryFault, recover};
use crate::journal::store::{Store, StoreFault};
use crate::keys::Keys;

/// A wall clock this far behind the last entry has been set back or lost its battery.
const BEHIND_NOTICED_NS: i64 = 500_000_000;
/// The longest time between the last sign of use and a start that nobody has to confirm. Nights
/// pass without a question; a server that was down for longer has an operator beside it.
const UNUSED_MAX_S: i64 = 24 * 3_600;

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
    #[error(
        "the clock says {now}, but this data folder was last in use at {last}, {} before that; \
         nothing was changed. If {now} is the right time (nothing ran for so long, or this is an \
         older backup), repeat the command once with --accept-clock. If not, set the clock: what \
         is written with a time in the future can't be taken back, and bookings would stand still \
         until that time has come",
        shown_span(*.now, *.last)
    )]
    ClockAhead { now: Timestamp, last: Timestamp },
}

/// When a data folder was last in use, as far as files beside the journal know, and whether an
/// operator confirmed the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LastUse {
    pub seen: Option<Stamp>,
    pub clock_accepted: bool,
}

/// Refuses a clock that is too far ahead of the last sign of use.
pub fn check_clock(now: Stamp, last: Stamp) -> Result<(), OpenFault> {
    if now <= last.plus_s(UNUSED_MAX_S) {
        return Ok(());
    }
    Err(OpenFault::ClockAhead {
        now: to_the_second(now),
        last: to_the_second(last),
    })
}

fn to_the_second(stamp: Stamp) -> Timestamp {
    Stamp(stamp.0 - stamp.0.rem_euclid(Stamp::SECOND)).instant()
}

/// The time between two instants, in days and hours.
fn shown_span(now: Timestamp, last: Timestamp) -> String {
    let hours = (now.as_second() - last.as_second()) / 3_600;
    format!("{} days and {} hours", hours / 24, hours % 24)
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

/// Rebuilds everything from a data file, whatever the clock says; `clock` must be of the kind that
/// the file was founded with.
pub fn open(
    store: Store,
    keys: Arc<Keys>,
    clock: impl FnOnce(&State) -> Clock,
) -> Result<Core, OpenFault> {
    let accepted = LastUse {
        seen: None,
        clock_accepted: true,
    };
    open_after(store, keys, accepted, clock)
}

/// Rebuilds everything from a data file that was last in use then, unless the clock is too far
/// ahead of that. A simulated clock is set by whoever starts it, and is not checked.
pub fn open_after(
    store: Store,
    keys: Arc<Keys>,
    last_use: LastUse,
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
    let last = last_use.seen.unwrap_or(state.stamp).max(state.stamp);
    if !last_use.clock_accepted && !clock.is_simulated() {
        check_clock(clock.now(), last)?;
    }
    let clock = clock.with_floor(state.stamp);
    let behind_ns = clock.stands_still_ns();
    let shared = Arc::new(Shared::new(state, roster.clone()));
    let mut core = Core::new(Arc::new(store), shared, keys, clock, Arc::new(roster));
    if behind_ns > BEHIND_NOTICED_NS {
        tracing::error!(
            behind_s = behind_ns / 1_000_000_000,
            "the clock is behind the last entry: time stands still until it has come there; \
             README says what can be done"
        );
        core.record(Change::ClockBehind { behind_ns })?;
    }
    Ok(core)
}
