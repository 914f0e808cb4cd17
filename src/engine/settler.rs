//! The thread that settles the tail into the data file, once a second and whenever a segment is
//! full.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::background::Background;
use super::watch::Watch;
use super::writer;
use crate::journal::Log as _;
use crate::journal::store::Store;

/// How long a block lies in the tail at the most, while nothing else asks for it to be settled.
const SETTLE: Duration = Duration::from_secs(1);
/// A sync of the data file takes this long at the most.
const SETTLING_MAX: Duration = Duration::from_secs(30);

/// Settles until the thread is dropped. It waits for the data file while the writer commits an
/// import to it.
pub(super) fn start(store: Arc<Store>, watch: Watch) -> Background {
    Background::start("settler", Some(writer::NAME), watch, move |stop, beat| {
        store.settled_by(std::thread::current());
        let _fails = FailIfPanics(&store);
        while !stop.load(Ordering::Acquire) {
            beat.beat();
            std::thread::park_timeout(SETTLE);
            // People don't wait for this sync while the tail has room.
            let _sync = beat.excuse(SETTLING_MAX);
            // The writer sees the failure, and ends with it.
            if let Err(fault) = store.settle() {
                tracing::error!(%fault, "the tail could not be settled");
                return;
            }
        }
    })
}

/// A settler that panicked leaves nobody to settle: the writer ends.
struct FailIfPanics<'a>(&'a Store);

impl Drop for FailIfPanics<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail();
        }
    }
}
