//! The thread that writes checkpoints: of a snapshot, beside the writer and everybody else.
//!
//! A snapshot shares its memory with the state; the writer copies a part of it when it changes that
//! part for the first time. A checkpoint is written when the journal has come to rest, and while it
//! has not, often enough that a start has at most a million entries to replay, or a quarter of what
//! it has to load.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::background::Background;
use super::shared::Shared;
use super::writer;
use crate::domain::ids::Seq;
use crate::domain::state::State;
use crate::journal::Log as _;
use crate::journal::store::Store;

const LOOK: Duration = Duration::from_secs(1);
/// The journal is at rest after so many looks with few new entries between them.
const REST_LOOKS: u32 = 5;
const REST_ENTRIES: u64 = 200;
/// Fewer entries are replayed faster than a checkpoint of them is worth.
const ENTRIES_MIN: u64 = 50_000;
const ENTRIES_MAX: u64 = 1_000_000;
/// A row of a list in a checkpoint, and what the data file takes around it.
const ROW_BYTES: u64 = 100;
/// Disk that is left to the journal.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Writing 50 million bookings and as many places takes a minute.
const LONG_MAX: Duration = Duration::from_secs(600);

/// Writes checkpoints until the thread is dropped.
pub(super) fn start(store: Arc<Store>, shared: Arc<Shared>) -> Background {
    let watch = shared.watch.clone();
    let waits_for = Some(writer::NAME);
    Background::start("checkpointer", waits_for, watch, move |stop, beat| {
        let mut pace = Pace::after(&store);
        while !stop.load(Ordering::Acquire) {
            beat.beat();
            std::thread::park_timeout(LOOK);
            let (seq, rows) = {
                let state = shared.state();
                (state.seq, rows(&state))
            };
            if !pace.is_due(seq, rows) || !has_room(&store, rows) {
                continue;
            }
            let _long = beat.excuse(LONG_MAX);
            let snapshot = shared.state().clone();
            let mut goes_on = || !stop.load(Ordering::Acquire);
            match store.checkpoint(&snapshot, &mut goes_on) {
                Ok(true) => pace.taken = snapshot.seq,
                Ok(false) => {}
                // The writer sees the failure, and ends with it.
                Err(fault) => {
                    tracing::error!(%fault, "a checkpoint could not be written");
                    return;
                }
            }
        }
    })
}

/// When the next checkpoint is due.
struct Pace {
    taken: Seq,
    seen: Seq,
    quiet_looks: u32,
}

impl Pace {
    fn after(store: &Store) -> Self {
        let mark = store.read().and_then(|read| read.checkpoint());
        let taken = mark.ok().flatten().map_or(Seq(0), |mark| mark.seq);
        Self {
            taken,
            seen: taken,
            quiet_looks: 0,
        }
    }

    fn is_due(&mut self, seq: Seq, rows: u64) -> bool {
        let fresh = seq.0.saturating_sub(self.seen.0);
        self.seen = seq;
        self.quiet_looks = if fresh <= REST_ENTRIES {
            self.quiet_looks + 1
        } else {
            0
        };
        let since = seq.0.saturating_sub(self.taken.0);
        let at_rest = self.quiet_looks >= REST_LOOKS && since >= ENTRIES_MIN;
        at_rest || since >= ENTRIES_MAX.max(rows / 4)
    }
}

/// Rows of the lists that a checkpoint has.
fn rows(state: &State) -> u64 {
    let of = |campaign: &crate::domain::state::CampaignState| {
        campaign.bookings.len()
            + campaign.standings.len()
            + campaign.repeats.len()
            + campaign
                .lines
                .iter()
                .map(|line| line.given.len())
                .sum::<usize>()
            + campaign.catalog.slots.len()
    };
    state.campaigns.iter().map(of).sum::<usize>() as u64
}

/// Whether the disk has room for one more checkpoint beside the one that it replaces.
fn has_room(store: &Store, rows: u64) -> bool {
    let needed = rows * ROW_BYTES + FREE_BYTES_MIN;
    store.disk_free().is_some_and(|free| free > needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace {
            taken: Seq(0),
            seen: Seq(0),
            quiet_looks: 0,
        }
    }

    #[test]
    fn a_checkpoint_is_due_at_rest_and_after_a_million_entries_without_any() {
        let mut pace = pace();
        let busy = |pace: &mut Pace, seconds: u64, rows| {
            (1..=seconds).find(|second| pace.is_due(Seq(second * 40_000), rows))
        };
        assert_eq!(busy(&mut pace, 60, 0), Some(25));
        pace.taken = Seq(0);
        assert_eq!(busy(&mut pace, 60, 8_000_000), Some(50));
        // Five quiet seconds, if there is anything to write.
        pace.taken = Seq(1_900_000);
        let quiet = (1..=9).find(|_| pace.is_due(Seq(2_000_000), 8_000_000));
        assert_eq!(quiet, Some(5));
        pace.taken = Seq(1_990_000);
        assert!(!(1..=9).any(|_| pace.is_due(Seq(2_000_000), 8_000_000)));
    }
}
