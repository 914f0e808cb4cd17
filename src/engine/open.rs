//! Founding a data file and opening one: recovery, and what the clock may not do to it.
//!
//! Stamps of entries never go back, so one start with the clock ahead stops time for everybody
//! until the true time has come there. A start whose clock is more than a day after the last sign
//! of use of the folder is therefore refused until an operator confirms the time. A shorter time
//! away looks like any restart and is not refused; it is kept in `Shared::away` and shown. Behind
//! the last entry the folder is opened: the clock gets that entry's stamp for a floor, which is
//! said loudly.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::core::{CommitFailed, Core};
use super::shared::{Away, Shared};
use crate::clock::Clock;
use crate::domain::entry::Change;
use crate::domain::roster::Roster;
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::journal::recovery::{Recovered, RecoveryFault, recover};
use crate::journal::store::{Store, StoreFault};
use crate::keys::{HeadKeyMissing, Keys};

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
        "keys.json is older than this data file: {0}; restore the keys as they were since then"
    )]
    HeadKey(#[from] HeadKeyMissing),
    #[error(
        "keys.json is older than this data file: names and telephone numbers are sealed with the \
         keys {0}, which it lacks; restore the keys as they were since then"
    )]
    PersonalKeys(u8),
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
    let shared = Arc::new(Shared::new(State::default(), Arc::new(Roster::default())));
    let head_public_key = keys.head_public_key();
    let mut core = Core::new(Arc::new(store), shared, keys, clock.clone());
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
    let Recovered {
        state,
        roster,
        ignored,
    } = recover(&store.read()?)?;
    if let Some(fault) = ignored {
        tracing::warn!(%fault, "the checkpoint was ignored, and the whole journal replayed");
    }
    let founded = state.founded.ok_or(RecoveryFault::NotFounded)?;
    let clock = clock(&state);
    match (founded.simulated_clock, clock.is_simulated()) {
        (true, false) => return Err(OpenFault::Simulated),
        (false, true) => return Err(OpenFault::Real),
        _ => {}
    }
    if founded.head_public_key != keys.founding_public_key() {
        return Err(OpenFault::Keys);
    }
    keys.adopt_heads(&state.keys.heads)?;
    if keys.personal(state.keys.personal).is_none() {
        return Err(OpenFault::PersonalKeys(state.keys.personal));
    }
    let last = last_use.seen.unwrap_or(state.stamp).max(state.stamp);
    if !last_use.clock_accepted && !clock.is_simulated() {
        check_clock(clock.now(), last)?;
    }
    let clock = clock.with_floor(state.stamp);
    let behind_ns = clock.stands_still_ns();
    let shared = Shared::new(state, Arc::new(roster));
    if !clock.is_simulated() {
        let started = clock.now();
        let last_use = last;
        shared.away.get_or_init(|| Away { last_use, started });
    }
    let mut core = Core::new(Arc::new(store), Arc::new(shared), keys, clock);
    if behind_ns > BEHIND_NOTICED_NS {
        tracing::error!(
            behind_s = behind_ns / 1_000_000_000,
            "the clock is behind the last entry: time stands still until it has come there; \
             README and guide say what can be done"
        );
        core.record(Change::ClockBehind { behind_ns })?;
    }
    Ok(core)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::clock::Entropy;
    use crate::domain::ids::{CampaignIndex, LineIndex, Seq};
    use crate::engine::command::Command;

    const HOUR: i64 = 3_600 * Stamp::SECOND;
    const NOON: Stamp = Stamp(1_790_000_000 * Stamp::SECOND);

    struct World {
        folder: tempfile::TempDir,
        keys: Arc<Keys>,
    }

    impl World {
        fn founded() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let keys = Arc::new(Keys::generate(&Entropy::system()));
            let world = Self { folder, keys };
            create(&world.file(), Arc::clone(&world.keys), &Clock::manual(NOON)).unwrap();
            world
        }

        fn file(&self) -> std::path::PathBuf {
            self.folder.path().join("sumun.redb")
        }

        fn open_at(&self, now: Stamp, last_use: LastUse) -> Result<Core, OpenFault> {
            let store = Store::open(&self.file()).unwrap();
            open_after(store, Arc::clone(&self.keys), last_use, |_| {
                Clock::manual(now)
            })
        }
    }

    fn after(hours: i64) -> Stamp {
        Stamp(NOON.0 + hours * HOUR)
    }

    /// The clock was two days ahead at one start, and a single refused request stopped time for two
    /// days: nothing had been said.
    #[test]
    fn a_clock_more_than_a_day_ahead_of_the_last_use_is_refused_until_it_is_confirmed() {
        let world = World::founded();
        let unknown = LastUse::default();
        let refused = world.open_at(after(48), unknown).err().unwrap();
        let says = refused.to_string();
        assert!(matches!(refused, OpenFault::ClockAhead { .. }), "{says}");
        for part in [
            "2026-09-23T14:13:20Z",
            "2026-09-21T14:13:20Z",
            "2 days and 0 hours",
            "--accept-clock",
            "set the clock",
        ] {
            assert!(says.contains(part), "{part}: {says}");
        }
        // It wrote nothing: the true time is as good as before.
        let core = world.open_at(after(24), unknown).unwrap();
        assert_eq!(core.clock().now(), after(24));
        let away = core.shared().away.get().unwrap();
        assert_eq!((away.last_use, away.seconds()), (NOON, 24 * 3_600));
        drop(core);
        // A server that ran without entries until then noted it.
        let seen = LastUse {
            seen: Some(after(40)),
            ..unknown
        };
        let core = world.open_at(after(64), seen).unwrap();
        let away = core.shared().away.get().unwrap();
        assert_eq!((away.last_use, away.started), (after(40), after(64)));
        drop(core);
        assert!(world.open_at(after(65), seen).is_err());
        // A note from before the last entry takes nothing away.
        let early = LastUse {
            seen: Some(after(-1_000)),
            ..unknown
        };
        assert!(world.open_at(after(24), early).is_ok());
        let accepted = LastUse {
            clock_accepted: true,
            ..unknown
        };
        assert!(world.open_at(after(10_000), accepted).is_ok());
    }

    /// Openings and sign-in followed the clock while holds and bookings followed the stamps.
    #[test]
    fn behind_the_last_entry_every_reader_has_the_time_of_the_entries() {
        let world = World::founded();
        let mut core = world.open_at(after(-48), LastUse::default()).unwrap();
        let clock = core.clock().clone();
        assert_eq!(clock.now(), NOON);
        assert_eq!(clock.stands_still_until(), Some(NOON));
        let program = "a test".to_owned();
        core.record(Change::Started { program }).unwrap();
        let shared = Arc::clone(core.shared());
        assert_eq!(shared.away.get().unwrap().seconds(), 0);
        assert_eq!(shared.state().stamp, clock.now());
        drop(core);
        let store = Store::open(&world.file()).unwrap();
        let second = store.read().unwrap().entry(Seq(2));
        let behind_ns = 48 * HOUR;
        assert_eq!(
            second.unwrap().unwrap().change,
            Change::ClockBehind { behind_ns }
        );
    }

    /// One that was started with a wrong clock, and stopped again, left the entries' time alone.
    #[test]
    fn a_server_that_changes_nothing_tells_neither_its_start_nor_its_stop() {
        let world = World::founded();
        let mut core = world.open_at(after(1), LastUse::default()).unwrap();
        core.tell_start("a test".to_owned());
        core.step(&mut VecDeque::new()).unwrap();
        core.tell_stop().unwrap();
        assert_eq!(core.shared().state().seq, Seq(1));
        // What the keeper asks for can't be here; all the same it is a sign that somebody served.
        let change = Change::LineEnded {
            campaign: CampaignIndex(0),
            line: LineIndex(0),
        };
        let (reply, _answer) = tokio::sync::oneshot::channel();
        core.step(&mut VecDeque::from([Command::Keep { change, reply }]))
            .unwrap();
        core.tell_stop().unwrap();
        let read = core.store().read().unwrap();
        let change = |seq| read.entry(Seq(seq)).unwrap().unwrap().change;
        let program = "a test".to_owned();
        assert_eq!(change(2), Change::Started { program });
        assert_eq!(change(3), Change::Stopped {});
        assert_eq!(core.shared().state().seq, Seq(3));
    }
}
