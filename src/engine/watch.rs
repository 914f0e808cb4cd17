//! The threads that must live, and how each of them is.
//!
//! Every watched thread beats at each round of its work. A thread that is silent for longer than
//! `STALLED_AFTER` is stalled, unless it said beforehand that a piece of work takes long and how
//! long at the most. How a thread ended is told by the drop of its `Beat`, which a panic also runs.
//! Looking takes no lock that a watched thread holds while it works.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::tick;
use crate::sync::locked;

/// A thread that has not beaten for so long is stalled. Each beats at least once a second when
/// nothing is wrong, and a stall is to be seen within five seconds.
pub const STALLED_AFTER: Duration = Duration::from_secs(4);
/// A thread that panicked and was begun again is told for so long, so that a monitor that asks
/// every ten seconds hears of it.
const RESTART_TOLD: Duration = Duration::from_secs(15);

const RUNS: u8 = 0;
const ENDED: u8 = 1;
const PANICKED: u8 = 2;

/// The list of watched threads. Cloned freely.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    began: Instant,
    stalled_after: Duration,
    threads: Mutex<Vec<Arc<Thread>>>,
}

/// Times are milliseconds since the watch began; 0 is never.
#[derive(Debug)]
struct Thread {
    name: &'static str,
    /// The thread whose long work this one has to wait for.
    waits_for: Option<&'static str>,
    beat_ms: AtomicU64,
    /// Until when it may be silent.
    excused_until_ms: AtomicU64,
    /// When its last excuse ended.
    excused_ms: AtomicU64,
    restarts: AtomicU64,
    restarted_ms: AtomicU64,
    end: AtomicU8,
}

/// How a watched thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    Well,
    /// At a piece of work that it said takes long, or waiting for a thread that is.
    Busy,
    /// It panicked a moment ago and was begun again.
    Restarted,
    /// Silent for so many seconds.
    Stalled {
        silent_s: u64,
    },
    /// It panicked and is gone.
    Panicked,
    /// It ended in order.
    Ended,
}

impl Condition {
    /// Whether the server is not ready because of it.
    pub fn is_fault(self) -> bool {
        matches!(
            self,
            Self::Restarted | Self::Stalled { .. } | Self::Panicked
        )
    }
}

/// A watched thread at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    pub name: &'static str,
    pub condition: Condition,
    pub silent_ms: u64,
    /// How often it panicked and was begun again.
    pub restarts: u64,
}

/// A thread's place in the list. It is not for another thread: its drop tells how this one ended.
#[derive(Debug)]
pub struct Beat {
    watch: Watch,
    thread: Arc<Thread>,
}

/// Leave to be silent, until it is dropped.
pub struct Excuse<'a>(&'a Beat);

impl Default for Watch {
    fn default() -> Self {
        Self::stalled_after(STALLED_AFTER)
    }
}

impl Watch {
    fn stalled_after(stalled_after: Duration) -> Self {
        Self(Arc::new(Watched {
            began: tick(),
            stalled_after,
            threads: Mutex::default(),
        }))
    }

    /// Watches the calling thread under that name from now on. `waits_for` names a thread whose
    /// excuses hold for this one as well.
    pub fn enlist(&self, name: &'static str, waits_for: Option<&'static str>) -> Beat {
        let thread = Arc::new(Thread {
            name,
            waits_for,
            beat_ms: AtomicU64::new(self.now_ms()),
            excused_until_ms: AtomicU64::new(0),
            excused_ms: AtomicU64::new(0),
            restarts: AtomicU64::new(0),
            restarted_ms: AtomicU64::new(0),
            end: AtomicU8::new(RUNS),
        });
        locked(&self.0.threads).push(Arc::clone(&thread));
        let watch = self.clone();
        Beat { watch, thread }
    }

    /// Since the watch began, which is when the process begins to serve.
    pub fn runs_for(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// How every watched thread is now.
    pub fn look(&self) -> Vec<Seen> {
        let threads = locked(&self.0.threads).clone();
        let now_ms = self.now_ms();
        let of_name = |name: &str| threads.iter().find(|thread| thread.name == name);
        let see = |thread: &Arc<Thread>| {
            let other = thread.waits_for.and_then(of_name);
            thread.seen(other.map(|other| &**other), now_ms, self.0.stalled_after)
        };
        threads.iter().map(see).collect()
    }

    fn now_ms(&self) -> u64 {
        // Never 0, which stands for never.
        self.0.began.elapsed().as_millis() as u64 + 1
    }
}

/// Whether a look says that the server goes on with its work: the writer is there, and no thread is
/// stalled or gone. One that was begun again does, and so does one at a long piece of work for as
/// long as it said.
pub fn all_go_on(seen: &[Seen]) -> bool {
    use Condition::{Busy, Ended, Restarted, Well};
    let goes_on = |seen: &Seen| matches!(seen.condition, Well | Busy | Restarted);
    let writes = |seen: &Seen| seen.name == super::writer::NAME && goes_on(seen);
    seen.iter().any(writes)
        && seen
            .iter()
            .all(|one| goes_on(one) || one.condition == Ended)
}

impl Thread {
    fn seen(&self, waits_for: Option<&Self>, now_ms: u64, stalled_after: Duration) -> Seen {
        let get = |time: &AtomicU64| time.load(Ordering::Relaxed);
        let excused_until = |thread: &Self| get(&thread.excused_until_ms);
        let silent_since = [get(&self.beat_ms), get(&self.excused_ms)]
            .into_iter()
            .chain(waits_for.map(|other| get(&other.excused_ms)))
            .max();
        let silent_ms = now_ms.saturating_sub(silent_since.unwrap_or(0));
        let restarted_ms = get(&self.restarted_ms);
        let told_ms = RESTART_TOLD.as_millis() as u64;
        let busy_until = excused_until(self).max(waits_for.map_or(0, excused_until));
        let condition = match self.end.load(Ordering::Acquire) {
            ENDED => Condition::Ended,
            PANICKED => Condition::Panicked,
            _ if now_ms < busy_until => Condition::Busy,
            _ if silent_ms >= stalled_after.as_millis() as u64 => Condition::Stalled {
                silent_s: silent_ms / 1_000,
            },
            _ if restarted_ms > 0 && now_ms < restarted_ms + told_ms => Condition::Restarted,
            _ => Condition::Well,
        };
        Seen {
            name: self.name,
            condition,
            silent_ms,
            restarts: get(&self.restarts),
        }
    }
}

impl Beat {
    /// The thread lives. To be called at least once a second.
    pub fn beat(&self) {
        let now_ms = self.watch.now_ms();
        self.thread.beat_ms.store(now_ms, Ordering::Relaxed);
        #[cfg(debug_assertions)]
        fault_on_purpose(self.thread.name, now_ms);
    }

    /// Says that the next piece of work may keep the thread silent for so long, and not longer.
    pub fn excuse(&self, most: Duration) -> Excuse<'_> {
        let until_ms = self.watch.now_ms() + most.as_millis() as u64;
        let excused = &self.thread.excused_until_ms;
        excused.store(until_ms, Ordering::Relaxed);
        Excuse(self)
    }

    /// The thread panicked, and its work was begun again from what is durable.
    pub fn restarted(&self) {
        let now_ms = self.watch.now_ms();
        self.thread.restarts.fetch_add(1, Ordering::Relaxed);
        self.thread.restarted_ms.store(now_ms, Ordering::Relaxed);
    }
}

impl Drop for Excuse<'_> {
    fn drop(&mut self) {
        let Beat { watch, thread } = self.0;
        thread.excused_ms.store(watch.now_ms(), Ordering::Relaxed);
        thread.excused_until_ms.store(0, Ordering::Relaxed);
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        let end = if std::thread::panicking() {
            PANICKED
        } else {
            ENDED
        };
        self.thread.end.store(end, Ordering::Release);
    }
}

/// For the tests of the whole program, which is not built so for release: `SUMUN_FAULT=panic:NAME`
/// or `stall:NAME` makes that thread panic, or be silent for eight seconds, once.
#[cfg(debug_assertions)]
fn fault_on_purpose(name: &str, now_ms: u64) {
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicBool;
    static FAULT: OnceLock<Option<String>> = OnceLock::new();
    static DONE: AtomicBool = AtomicBool::new(false);
    let fault = FAULT.get_or_init(|| std::env::var("SUMUN_FAULT").ok());
    let Some((kind, whose)) = fault.as_deref().and_then(|fault| fault.split_once(':')) else {
        return;
    };
    // A server is up by then.
    if whose != name || now_ms < 2_000 || DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    assert!(kind != "panic", "a panic on purpose");
    std::thread::sleep(Duration::from_secs(8));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    fn condition(watch: &Watch, name: &str) -> Condition {
        let seen = watch.look();
        seen.iter()
            .find(|seen| seen.name == name)
            .unwrap()
            .condition
    }

    fn until(watch: &Watch, name: &str, wanted: impl Fn(Condition) -> bool) {
        let began = tick();
        while !wanted(condition(watch, name)) {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{:?}",
                watch.look()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_thread_that_panics_is_told_from_one_that_ends_in_order() {
        let watch = Watch::default();
        let (in_order, panics) = (watch.clone(), watch.clone());
        std::thread::spawn(move || in_order.enlist("orderly", None).beat());
        let dead = std::thread::spawn(move || {
            let _beat = panics.enlist("keeper", None);
            panic!("a watched thread panics, as this test wants");
        });
        assert!(dead.join().is_err());
        assert_eq!(condition(&watch, "keeper"), Condition::Panicked);
        until(&watch, "orderly", |condition| condition == Condition::Ended);
    }

    #[test]
    fn a_silent_thread_is_stalled_until_it_beats_again() {
        let watch = Watch::stalled_after(SHORT);
        let beat = watch.enlist("keeper", None);
        until(&watch, "keeper", |condition| {
            matches!(condition, Condition::Stalled { .. })
        });
        assert!(condition(&watch, "keeper").is_fault());
        let watch = Watch::default();
        let well = watch.enlist("keeper", None);
        well.beat();
        assert_eq!(condition(&watch, "keeper"), Condition::Well);
        well.restarted();
        assert_eq!(condition(&watch, "keeper"), Condition::Restarted);
        drop(beat);
    }

    #[test]
    fn the_server_goes_on_while_the_writer_does_and_no_thread_is_stalled_or_gone() {
        let seen = |name, condition| Seen {
            name,
            condition,
            silent_ms: 0,
            restarts: 0,
        };
        let stalled = Condition::Stalled { silent_s: 4 };
        let of = |writer, keeper| all_go_on(&[seen("writer", writer), seen("keeper", keeper)]);
        for fine in [Condition::Well, Condition::Busy, Condition::Restarted] {
            assert!(of(fine, Condition::Well) && of(Condition::Well, fine));
        }
        assert!(of(Condition::Well, Condition::Ended));
        assert!(!of(Condition::Ended, Condition::Well));
        for stuck in [stalled, Condition::Panicked] {
            assert!(!of(stuck, Condition::Well) && !of(Condition::Well, stuck));
        }
        assert!(!all_go_on(&[seen("keeper", Condition::Well)]));
    }

    #[test]
    fn an_excuse_holds_for_the_thread_and_who_waits_for_it_and_no_longer_than_it_says() {
        let watch = Watch::stalled_after(SHORT);
        let writer = watch.enlist("writer", None);
        let _keeper = watch.enlist("keeper", Some("writer"));
        let _other = watch.enlist("other", None);
        {
            let _excuse = writer.excuse(Duration::from_secs(3_600));
            until(&watch, "other", |condition| condition.is_fault());
            assert_eq!(condition(&watch, "writer"), Condition::Busy);
            assert_eq!(condition(&watch, "keeper"), Condition::Busy);
        }
        // Its silence counts from the end of the excuse.
        let seen = watch.look();
        assert!(seen[0].silent_ms < seen[2].silent_ms, "{seen:?}");
        assert!(seen[1].silent_ms < seen[2].silent_ms, "{seen:?}");
        let _excuse = writer.excuse(SHORT);
        until(&watch, "writer", |condition| condition.is_fault());
        until(&watch, "keeper", |condition| condition.is_fault());
    }
}
