//! What reads the journal behind the writer: one mechanism for all that follows it.
//!
//! A `Follower` has a position of its own that is durable. Its thread hands it the committed
//! entries from there on, each once and in order, a bounded piece at a time. When the follower
//! fails, as on a full disk, the thread tries again each second from where the follower says it is;
//! when it panics, it is begun again from what is durable. It is never in the writer's way.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::shared::Shared;
use super::watch::Beat;
use crate::clock::tick;
use crate::domain::ids::Seq;
use crate::journal::block::entries;
use crate::journal::store::{Store, StoreFault};
use crate::sync::locked;

/// How often a follower looks for new entries.
const LOOK: Duration = Duration::from_secs(1);
/// The thread's priority, lower than that of the others: a follower may be late, answers may not.
const NICE: i32 = 10;
/// A piece ends with the block that reaches one of these, so that no view of the data file is held
/// open for long and a follower's memory has a bound: one block more than this.
const PIECE_ENTRIES_MAX: usize = 20_000;
const PIECE_BYTES_MAX: usize = 4 << 20;
/// The longest that making it durable may take on a busy disk before the thread counts as stalled.
const SYNC_MAX: Duration = Duration::from_secs(30);
/// A fault that lasts is logged this often.
const FAULT_TOLD: Duration = Duration::from_secs(60);

/// Why a follower can't go on.
#[derive(Debug, thiserror::Error)]
pub enum FollowFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("{what}: {error}")]
    File {
        what: String,
        #[source]
        error: std::io::Error,
    },
    #[error("the journal has no entry {0}, though it has later ones")]
    Gap(Seq),
    #[error("entry {seq}: {what}")]
    Entry { seq: Seq, what: String },
}

/// Something that takes all entries in order.
pub trait Follower {
    /// What was taken is made durable this often. What a crash undoes is taken again.
    const SETTLE: Duration = Duration::from_secs(10);

    /// The first entry that it has not taken. After a fault it may be lower than before.
    fn next(&self) -> Seq;

    /// Takes the entries of a piece, whose first is `next`. After a fault it has taken those that
    /// `next` then says, whole.
    fn take(&mut self, piece: &Piece) -> Result<(), FollowFault>;

    /// Makes durable what was taken, and tells the last entry that is.
    fn settle(&mut self) -> Result<Seq, FollowFault>;

    /// Looks, each second, whether what it wrote is still where it wrote it.
    fn look(&mut self, _store: &Store) -> Result<(), FollowFault> {
        Ok(())
    }
}

/// Some entries of the journal that follow each other, as their bytes.
#[derive(Debug, Default)]
pub struct Piece {
    first: Seq,
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Piece {
    /// The entries, each with its sequence.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (Seq, &[u8])> {
        let numbered = |(at, range): (usize, &Range<usize>)| {
            (Seq(self.first.0 + at as u64), &self.bytes[range.clone()])
        };
        self.ranges.iter().enumerate().map(numbered)
    }

    /// Reads what is committed from an entry on; tells whether there may be more already.
    pub fn read(&mut self, store: &Store, from: Seq) -> Result<bool, FollowFault> {
        self.first = from;
        self.bytes.clear();
        self.ranges.clear();
        let mut fault = None;
        store.read()?.blocks(from, |first, block| {
            let expected = from.0 + self.ranges.len() as u64;
            if first.0 > expected {
                fault = Some(FollowFault::Gap(Seq(expected)));
                return false;
            }
            let known = (expected - first.0) as usize;
            for entry in entries(block).skip(known) {
                match entry {
                    Ok(entry) => self.push(entry),
                    Err(what) => {
                        let seq = Seq(from.0 + self.ranges.len() as u64);
                        fault = Some(FollowFault::Entry { seq, what });
                        return false;
                    }
                }
            }
            !self.is_full()
        })?;
        match fault {
            // What was read before it is good.
            Some(fault) if self.ranges.is_empty() => Err(fault),
            _ => Ok(self.is_full()),
        }
    }

    fn push(&mut self, entry: &[u8]) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(entry);
        self.ranges.push(from..self.bytes.len());
    }

    fn is_full(&self) -> bool {
        self.ranges.len() >= PIECE_ENTRIES_MAX || self.bytes.len() >= PIECE_BYTES_MAX
    }
}

/// The followers of a server, for those who look after them. Cloned freely.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<Mutex<Vec<Arc<Progress>>>>);

/// How far a follower is.
#[derive(Debug)]
struct Progress {
    name: &'static str,
    began: Instant,
    /// The last entry that it took, and the last that is durable with it.
    taken: AtomicU64,
    durable: AtomicU64,
    /// When it last had everything, in milliseconds since it began.
    level_ms: AtomicU64,
    fault: Mutex<Option<String>>,
}

/// How far a follower is behind the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behind {
    pub name: &'static str,
    pub entries: u64,
    /// For how long it has not had everything.
    pub seconds: u64,
    /// The last entry that is durable with it.
    pub durable: Seq,
    /// Why it can't go on.
    pub fault: Option<String>,
}

impl Followers {
    /// How far each is behind the entry that was committed last.
    pub fn behind(&self, committed: Seq) -> Vec<Behind> {
        let of = |progress: &Arc<Progress>| {
            let taken = progress.taken.load(Ordering::Acquire);
            let entries = committed.0.saturating_sub(taken);
            let level_ms = progress.level_ms.load(Ordering::Relaxed);
            let seconds = progress.now_ms().saturating_sub(level_ms) / 1_000;
            Behind {
                name: progress.name,
                entries,
                seconds: if entries == 0 { 0 } else { seconds },
                durable: Seq(progress.durable.load(Ordering::Relaxed)),
                fault: locked(&progress.fault).clone(),
            }
        };
        locked(&self.0).iter().map(of).collect()
    }

    fn enlist(&self, name: &'static str) -> Arc<Progress> {
        let progress = Arc::new(Progress {
            name,
            began: tick(),
            taken: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            level_ms: AtomicU64::new(0),
            fault: Mutex::default(),
        });
        locked(&self.0).push(Arc::clone(&progress));
        progress
    }
}

impl Progress {
    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn took(&self, next: Seq, is_level: bool) {
        self.taken.store(next.0 - 1, Ordering::Release);
        if is_level {
            self.level_ms.store(self.now_ms(), Ordering::Relaxed);
        }
    }
}

/// A follower's thread; it takes what is left when told to stop.
pub struct Following {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Following {
    /// Follows the journal with what `begin` makes out of what is durable. `begin` is called here
    /// and, after a panic, again.
    pub fn start<F: Follower + Send + 'static>(
        name: &'static str,
        store: Arc<Store>,
        shared: &Arc<Shared>,
        begin: impl Fn(&Store) -> Result<F, FollowFault> + Send + 'static,
    ) -> Result<Self, FollowFault> {
        let follower = begin(&store)?;
        let progress = shared.followers.enlist(name);
        progress.took(follower.next(), false);
        let watch = shared.watch.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let run = move || {
            let _ = rustix::process::nice(NICE);
            let round = Round {
                store: &store,
                progress: &progress,
                stop: &stopping,
                beat: watch.enlist(name, None),
            };
            round.begun_again_after_panics(follower, begin);
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.map_err(|error| FollowFault::File {
            what: format!("the host has no thread for {name}"),
            error,
        })?;
        Ok(Self { stop, thread })
    }

    /// Takes what is committed and ends.
    pub fn finish(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let _ = self.thread.join();
    }
}

/// What a follower's thread works with.
struct Round<'a> {
    store: &'a Store,
    progress: &'a Progress,
    stop: &'a AtomicBool,
    beat: Beat,
}

impl Round<'_> {
    fn begun_again_after_panics<F: Follower>(
        &self,
        first: F,
        begin: impl Fn(&Store) -> Result<F, FollowFault>,
    ) {
        let mut follower = Some(first);
        let mut told = Told::default();
        loop {
            let made = match follower.take() {
                Some(follower) => Ok(follower),
                None => begin(self.store),
            };
            match made {
                // Nothing of the follower is used after a panic: the next comes from the disk.
                Ok(follower) => match catch_unwind(AssertUnwindSafe(|| self.run(follower))) {
                    Ok(()) => return,
                    Err(_) => {
                        self.beat.restarted();
                        let name = self.progress.name;
                        tracing::error!(name, "a follower panicked: it is begun again");
                    }
                },
                Err(fault) => self.failed(&mut told, &fault),
            }
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            self.beat.beat();
            std::thread::park_timeout(LOOK);
        }
    }

    /// Follows until it is time to stop.
    fn run<F: Follower>(&self, mut follower: F) {
        let (mut piece, mut told) = (Piece::default(), Told::default());
        let (mut settled, mut looked) = (tick(), tick());
        loop {
            self.beat.beat();
            let last_look = self.stop.load(Ordering::Acquire);
            let mut taken = self.take(&mut follower, &mut piece);
            if last_look || looked.elapsed() >= LOOK {
                looked = tick();
                let seen = follower.look(self.store);
                taken = taken.and_then(|is_more| seen.map(|()| is_more));
            }
            if let Ok(true) = taken
                && settled.elapsed() < F::SETTLE
            {
                continue;
            }
            let is_more = matches!(taken, Ok(true));
            if last_look && !is_more || settled.elapsed() >= F::SETTLE {
                settled = tick();
                let excuse = self.beat.excuse(SYNC_MAX);
                let durable = follower.settle();
                drop(excuse);
                match durable {
                    Ok(durable) => self.progress.durable.store(durable.0, Ordering::Relaxed),
                    Err(fault) => taken = taken.and(Err(fault)),
                }
                self.progress.took(follower.next(), false);
            }
            match taken {
                Ok(_) => self.goes_on(&mut told),
                Err(fault) => self.failed(&mut told, &fault),
            }
            if is_more {
                continue;
            }
            if last_look {
                return;
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Hands over one piece; tells whether there may be more already.
    fn take(&self, follower: &mut impl Follower, piece: &mut Piece) -> Result<bool, FollowFault> {
        let is_more = piece.read(self.store, follower.next())?;
        let taken = if piece.entries().len() > 0 {
            follower.take(piece)
        } else {
            Ok(())
        };
        self.progress
            .took(follower.next(), taken.is_ok() && !is_more);
        taken.map(|()| is_more)
    }

    fn failed(&self, told: &mut Told, fault: &FollowFault) {
        let text = fault.to_string();
        if told.is_new(&text) {
            let name = self.progress.name;
            tracing::error!(name, error = %text, "a follower is behind the journal: it tries on");
        }
        *locked(&self.progress.fault) = Some(text);
    }

    fn goes_on(&self, told: &mut Told) {
        if locked(&self.progress.fault).take().is_some() {
            *told = Told::default();
            tracing::info!(name = self.progress.name, "a follower goes on");
        }
    }
}

/// What was logged last, so that a fault that lasts does not fill the log.
#[derive(Default)]
struct Told {
    text: String,
    at: Option<Instant>,
}

impl Told {
    fn is_new(&mut self, text: &str) -> bool {
        let is_old = self.text == text && self.at.is_some_and(|at| at.elapsed() < FAULT_TOLD);
        if !is_old {
            (self.text, self.at) = (text.to_owned(), Some(tick()));
        }
        !is_old
    }
}

#[cfg(test)]
mod tests;
