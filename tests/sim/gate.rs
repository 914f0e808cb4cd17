//! The gate's fairness over many seeds: the real gate, keeper and `apply` on virtual time, against
//! an independent model of what each person was promised.
//!
//! The rules that it holds the gate to, in `model.rs`:
//! 1. No number is ever given to two people, also after crashes and from an older backup.
//! 2. A person has one place on all devices. It gets no worse, except when a crash (or a backup)
//!    forgot it and the person lost the token too: then it is behind everybody's before.
//! 3. Whoever entered earlier has the smaller number; a lobby that is drawn has its own numbers in
//!    the order of the lots, and everybody who enters after the opening is behind it, also with a
//!    request that began before.
//! 4. People are called in the order of their numbers. Nobody is called before their opening, and
//!    nobody goes in whose number was not called. Being called is only forgotten in a crash, for
//!    numbers of the last second.
//! 5. Whoever was called and came too late, or lost their session, goes in before anybody else is
//!    called, once there is a turn and a place.
//! 6. Everybody who goes in has a turn: at most a second's turns at once, then so many a second as
//!    are set. Whoever is called has one kept, which is given on once if they stay away. Nobody
//!    goes in or is called in a pause.
//! 7. No more are in than `active_max`, but for sessions of before a restart and people who were
//!    called before it was lowered.
//! 8. Entered = booked + in + called + waiting + forgotten.
//! 9. An evening that is over is over: its line ends, a token of it says so, the next line begins
//!    at number 1 and whoever was in the one before has no part of it. A line ends with its opening
//!    only. Until then whoever shows its token stays in it, also when the opening is postponed.
//! 10. With windows nobody has a number before theirs begins, everybody gets one in it and after
//!     it, and nobody with a number waits for one. A window that has begun never moves.
//! 11. Windows follow from the seed and the plans, and the plans from the rate and the opening.
//! 12. While sessions are frozen nobody's time passes; a start ends nobody's session.

mod evenings;
mod july;
mod keeper;
mod last;
mod life;
mod model;
mod operators;
mod people;
/// What the service decides at the gate, from its own source: nothing else of it is needed here,
/// and it is nobody else's to use.
#[path = "../../src/service/route.rs"]
mod route;

// What that source names as its own crate's.
pub use sumun::gate::*;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::seeds::setting;
use life::Life;

const ROUNDS: u64 = 400;
/// What must have happened in a whole run, or it proved too little.
const KINDS: &[&str] = &[
    "entered",
    "entered again",
    "entered another line",
    "entered in a lobby",
    "came too late to enter",
    "looked",
    "looked before the lobby opens again",
    "looked while others finish",
    "late while others finish",
    "turned away before the lobby opens again",
    "openings prolonged until soon",
    "looked before their window",
    "told a window",
    "came in or after their window",
    "windows planned",
    "windows planned anew",
    "went in",
    "went in late",
    "came in again",
    "refused for now",
    "booked",
    "idled out",
    "stayed away",
    "second devices in",
    "acts while the journal is late",
    "lines over",
    "places over",
    "tokens of a line that began anew",
    "crashes",
    "crashes in a step",
    "places a token brought back",
    "places forgotten",
    "sessions of before a start",
    "starts with the clock set back",
    "older backups",
    "places of a lost future",
    "pauses",
    "freezes",
    "freezes in a freeze",
    "thaws",
    "resumed",
    "rates set",
    "places set",
    "orders changed",
    "openings postponed",
    "openings brought forward",
    "openings lengthened",
    "openings shortened",
    "idle times changed",
    "rates of the rules changed",
    "times to finish changed",
    "lobbies changed",
    "cohorts changed",
    "draws",
    "drawn places",
    "slow requests after the opening",
    "lines emptied",
];

pub type Tally = BTreeMap<&'static str, u64>;

#[test]
fn nobody_is_overtaken_or_lost_whatever_happens_at_the_gate() {
    if let Some(seed) = setting("SUMUN_GATE_SEED") {
        println!("seed {seed}: {:#?}", Life::live(seed, ROUNDS));
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
                    match catch_unwind(AssertUnwindSafe(|| Life::live(seed, ROUNDS))) {
                        Ok(tally) => tally.iter().for_each(|(kind, times)| {
                            *total.lock().unwrap().entry(kind).or_default() += times;
                        }),
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
        "run again with SUMUN_GATE_SEED={}",
        failed[0]
    );
    for kind in KINDS {
        assert!(total.contains_key(kind), "no {kind} in the whole run");
    }
}
