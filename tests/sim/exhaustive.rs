//! Every operation of the disk fails once, in a short evening and again in the recovery after it.

use std::sync::atomic::{AtomicU64, Ordering};

use sumun::clock::Clock;
use sumun::engine::open::{OpenFault, found, open};

use crate::disk::{Crash, Disk, Plan};
use crate::random::Random;
use crate::run::{Fate, Run};
use crate::story::Story;
use crate::world::{EVENING, keys};

const WAYS: [Crash; 3] = [Crash::Killed, Crash::AllLost, Crash::Torn];
/// Recovery fails in these two ways by default; in all six with `SUMUN_SIM_EVERYTHING` set, which
/// takes three times as long.
const CHOSEN_ONCE: (&str, Crash) = ("fails once", Crash::Killed);
const CHOSEN_DEAD: (&str, Crash) = ("dies", Crash::Torn);

/// The evening with one fate; the run after it, everything compared.
fn evening(plan: impl Fn(u64) -> Plan, fate: Fate) -> Run {
    let mut story = Story::new();
    story.run.fate = Some(fate);
    let before = story.run.disk.operations();
    story.run.disk.set_plan(plan(before));
    story.short();
    story.run.check_replay();
    story.run
}

fn recoveries(run: &Run) -> u64 {
    run.tally.get("recoveries").copied().unwrap_or_default()
}

/// Runs `each` for 1, 2, 3, … on all cores until it says that nothing failed any more.
fn until_clean(each: impl Fn(u64) -> bool + Sync) -> u64 {
    let (next, clean) = (AtomicU64::new(1), AtomicU64::new(u64::MAX));
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number > clean.load(Ordering::Relaxed) {
                        break;
                    }
                    if each(number) {
                        clean.fetch_min(number, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    clean.into_inner() - 1
}

#[test]
fn every_operation_fails_and_fails_again_during_recovery() {
    let everything = std::env::var_os("SUMUN_SIM_EVERYTHING").is_some();
    let again = AtomicU64::new(0);
    for (name, fails) in [
        ("fails once", Plan::Once as fn(u64) -> Plan),
        ("dies", Plan::From),
    ] {
        for way in WAYS {
            let failed = until_clean(|number| {
                let plan = |before: u64| fails(before + number);
                let run = evening(
                    plan,
                    Fate {
                        way,
                        recovery: Plan::Healthy,
                    },
                );
                if recoveries(&run) == 0 {
                    return run.disk.injected() == 0;
                }
                if !everything && !matches!((name, way), CHOSEN_ONCE | CHOSEN_DEAD) {
                    return false;
                }
                // The operations of a recovery are the same each time: let each of them fail.
                for second in 1..=run.first_recovery_operations {
                    let recovery = fails(second);
                    let run = evening(plan, Fate { way, recovery });
                    assert!(recoveries(&run) > 0);
                    again.fetch_add(1, Ordering::Relaxed);
                }
                false
            });
            println!("{failed} operations: each {name}, {way:?}");
            assert!(failed > 50, "the evening has more than {failed} operations");
        }
    }
    let again = again.into_inner();
    println!("{again} failures during recovery");
    assert!(again > 1_000);
}

/// Nobody was told that a journal exists before its first commit: it is there, or it is not.
#[test]
fn founding_fails_at_every_operation() {
    for fails in [Plan::Once as fn(u64) -> Plan, Plan::From] {
        for way in WAYS {
            let failed = until_clean(|number| {
                let disk = Disk::new(Random::new(number));
                disk.set_plan(fails(number));
                let clock = Clock::manual(EVENING);
                let store = disk.open().map_err(OpenFault::from);
                let founded = store.and_then(|store| found(store, keys(), &clock));
                let told = founded.is_ok();
                if disk.injected() == 0 {
                    return true;
                }
                let disk = disk.after(way);
                drop(founded);
                let store = disk.open().map_err(OpenFault::from);
                let opened = store.and_then(|store| open(store, keys(), |_| clock.clone()));
                match opened {
                    Ok(core) => assert_eq!(core.shared().state.read().unwrap().seq.0, 1),
                    Err(fault) => assert!(!told, "a founded journal opens: {fault}"),
                }
                false
            });
            assert!(failed > 20, "founding has more than {failed} operations");
        }
    }
}
