//! Many seeds on all cores; each prints itself when it fails.
//!
//! `SUMUN_SIM_SEED` runs one seed; `SUMUN_SIM_SECONDS` says for how long new ones are begun.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::life::live;
use crate::run::Tally;

const ROUNDS: u64 = 150;
/// What must have happened in a whole run, or it proved too little.
const KINDS: &[&str] = &[
    "held",
    "released",
    "booked or moved",
    "cancelled",
    "repeats answered",
    "conflicts refused",
    "forgotten keys used again",
    "too many changes",
    "confirmed beyond the bound",
    "partner seats taken",
    "refused by the rules",
    "booked already",
    "hold not there",
    "deadlines passed",
    "not on the roster",
    "sold out before the writer",
    "holds expired",
    "holds extended",
    "holds ended by a closure",
    "seats offered",
    "holds beside an offer",
    "offers that became bookings",
    "people moved",
    "holds not extended again",
    "boundaries met",
    "operations",
    "impossible operations",
    "hang-ups",
    "wall steps noticed",
    "restarts with the clock set back",
    "faults injected",
    "refused by a full disk",
    "unknown outcomes",
    "unknown, landed",
    "unknown, did not land",
    "crashes at rest",
    "processes killed",
    "power cuts, unsynced writes lost",
    "power cuts, unsynced writes torn",
    "failed recoveries",
    "recoveries",
    "stops",
    "settled",
    "settling failed",
    "checkpoints",
    "checkpoints failed",
    "replays compared",
];

pub fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number, not `{text}`")),
    )
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = setting("SUMUN_SIM_SEED") {
        println!("seed {seed}: {:#?}", live(seed, ROUNDS));
        return;
    }
    let time = Duration::from_secs(setting("SUMUN_SIM_SECONDS").unwrap_or(20));
    let started = std::time::Instant::now();
    let (next, total) = (AtomicU64::new(1), Mutex::new(Tally::new()));
    let failed = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while started.elapsed() < time && failed.lock().unwrap().is_empty() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    match catch_unwind(AssertUnwindSafe(|| live(seed, ROUNDS))) {
                        Ok(tally) => add(&mut total.lock().unwrap(), &tally),
                        Err(_) => failed.lock().unwrap().push(seed),
                    }
                }
            });
        }
    });
    let (total, failed) = (total.into_inner().unwrap(), failed.into_inner().unwrap());
    println!("{} seeds", next.into_inner() - 1);
    total
        .iter()
        .for_each(|(kind, times)| println!("{times:>9} {kind}"));
    assert!(
        failed.is_empty(),
        "run again with SUMUN_SIM_SEED={}",
        failed[0]
    );
    for kind in KINDS {
        assert!(
            total.get(kind).is_some_and(|times| *times > 0),
            "no {kind} in the whole run"
        );
    }
}

fn add(total: &mut Tally, more: &Tally) {
    for (kind, times) in more {
        *total.entry(kind).or_default() += times;
    }
}
