//! How busy the workers are, and what is put off because of it.
//!
//! Requests of people who are not in session wait in line for a turn (see `turns`). Each class of
//! requests may join the line only while it is shorter than the class's limit. Browsing has the
//! lowest limit, then polls, then entering, so browsing is put off first, the line has a bound, and
//! a more important request does not wait behind many less important ones. Confirming and the other
//! requests of people in session are never put off: `active_max` and the writer's queue bound them.
//!
//! A worker also sends itself a byte at short intervals and measures how late it arrives. The byte
//! waits as long as a request of a person in session does. While this delay stays high, the gate's
//! brake lets fewer people in.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::answer::Out;
use super::served::{Call, Served, class_name};
use super::turns::Turns;
use crate::clock::{self, Entropy};
use crate::events::Events;
use crate::sync::locked;
use crate::web::request_id::RequestId;

const STEP: Duration = Duration::from_millis(10);
/// The smallest delay within this time, and of at least so many measurements, is reported: a single
/// late one says nothing about the load.
const INTERVAL: Duration = Duration::from_millis(100);
const LOOKS_MIN: u32 = 3;
/// How long an answer to somebody who is put off is kept back while connections are to spare.
const KEPT_BACK: Duration = Duration::from_secs(1);

/// What a request is for, the least important first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// Looking around: anyone, about nobody.
    Browse,
    /// Asking how far the line is.
    Poll,
    /// Coming into the line.
    Enter,
    /// What a person does whose turn has come; making, moving and cancelling a booking.
    Session,
    /// The board, and whether the server lives: cheaper than a refusal.
    Free,
}

impl Class {
    pub const ALL: [Self; 5] = [
        Self::Browse,
        Self::Poll,
        Self::Enter,
        Self::Session,
        Self::Free,
    ];
    /// The classes that can be put off, in the order in which this happens.
    pub const SHED: [Self; 3] = [Self::Browse, Self::Poll, Self::Enter];

    pub fn name(self) -> &'static str {
        match self {
            Self::Browse => "browse",
            Self::Poll => "poll",
            Self::Enter => "enter",
            Self::Session => "session",
            Self::Free => "free",
        }
    }

    /// A request of this class joins the line only while it is shorter than this. Such a line takes
    /// some 15 ms for browsing, 30 ms for polls and the board, 60 ms for entering.
    pub const fn line_max(self) -> usize {
        match self {
            Self::Browse => 500,
            Self::Poll | Self::Free => 1_000,
            Self::Enter => 2_000,
            Self::Session => usize::MAX,
        }
    }

    /// A client that is put off is told to come back after this many seconds, plus up to twice as
    /// many by lot.
    fn retry_after_s(self) -> u32 {
        match self {
            Self::Browse => 5,
            Self::Poll | Self::Enter | Self::Session | Self::Free => 10,
        }
    }
}

/// What all workers share.
#[derive(Debug, Default)]
pub struct Load {
    pub connections: AtomicUsize,
    /// So many connections may be open.
    connections_max: usize,
    /// What happened that security people need to see.
    pub events: Arc<Events>,
    /// Bytes of requests that have not come whole and of answers that were not taken.
    held_bytes: AtomicUsize,
    held_bytes_max: usize,
    /// Requests in line, at the last look of any worker.
    pub line: AtomicUsize,
    shed: [AtomicU64; Class::SHED.len()],
    /// What each worker has answered; one is added when a worker begins.
    served: Mutex<Vec<Arc<Served>>>,
    /// The smallest delay of the byte in the last measurement of any worker. Each worker overwrites
    /// it: while one worker keeps up, the host is not overloaded.
    pub lag_us: Arc<AtomicU64>,
    stopping: AtomicBool,
    ending: AtomicBool,
}

impl Load {
    pub fn new(
        connections_max: usize,
        held_bytes_max: usize,
        lag_us: Arc<AtomicU64>,
        events: Arc<Events>,
    ) -> Self {
        Self {
            connections_max,
            held_bytes_max,
            lag_us,
            events,
            ..Self::default()
        }
    }

    /// 1 while at most three quarters of the connections are open; from there it falls to 0 when
    /// all are open. Times for which a connection may be kept without progress are multiplied by
    /// it.
    pub fn spare(&self) -> f64 {
        let open = self.connections.load(Ordering::Relaxed);
        let left = self.connections_max.saturating_sub(open) as f64;
        (left * 4.0 / self.connections_max as f64).min(1.0)
    }

    /// Takes note that a connection holds so many bytes and held so many before; false if all
    /// together would hold too much.
    pub fn hold(&self, before: usize, now: usize) -> bool {
        if now <= before {
            self.held_bytes.fetch_sub(before - now, Ordering::Relaxed);
            return true;
        }
        let more = now - before;
        let held = self.held_bytes.fetch_add(more, Ordering::Relaxed) + more;
        if held <= self.held_bytes_max {
            return true;
        }
        self.held_bytes.fetch_sub(more, Ordering::Relaxed);
        false
    }

    /// So many connections may be open.
    pub fn connections_max(&self) -> usize {
        self.connections_max
    }

    /// What every worker has answered.
    pub fn served(&self) -> Vec<Arc<Served>> {
        locked(&self.served).clone()
    }

    pub fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Each connection ends with its next answer, which says so.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Connections that wait for their next request end as well.
    pub fn end_idle(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    pub fn ends_idle(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Notes that a request of a class that may be was put off.
    pub fn note_shed(&self, class: Class) {
        self.shed[class as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Requests of a class put off so far.
    pub fn shed(&self, class: Class) -> u64 {
        self.shed[class as usize].load(Ordering::Relaxed)
    }
}

/// One worker's.
#[derive(Debug)]
pub struct WorkerLoad {
    pub shared: Arc<Load>,
    served: Arc<Served>,
    /// The second of the worker's life in which it last logged an error.
    logged_s: Cell<u64>,
    pub turns: Turns,
    /// The turns of answers that were kept back. They have a line of their own, so that refusals
    /// take no turns from requests that are served.
    pub late_turns: Turns,
    lots: Cell<u64>,
    began: Instant,
    now_us: Cell<u64>,
}

impl WorkerLoad {
    pub fn new(shared: Arc<Load>) -> Rc<Self> {
        let served = Arc::new(Served::default());
        locked(&shared.served).push(Arc::clone(&served));
        Rc::new(Self {
            shared,
            served,
            logged_s: Cell::new(u64::MAX),
            turns: Turns::for_requests(),
            late_turns: Turns::for_requests(),
            lots: Cell::new(u64::from_be_bytes(Entropy::system().bytes())),
            began: clock::tick(),
            now_us: Cell::new(0),
        })
    }

    /// Counts an answer that is ready to leave; `took` is none if the request was put off. An error
    /// is logged with its request's reference, at most one a second; refusals are, on the level
    /// `debug`.
    pub fn answered(&self, call: Call, class: Class, took: Option<Duration>, out: &Out) {
        let status = out.status();
        self.served.note(call, class, took, status, out.code);
        if status < 400 {
            return;
        }
        let code = out.code.unwrap_or_default();
        let id = out.request_id.as_ref().map(RequestId::as_str);
        let request_id = id.unwrap_or_default();
        let (call, class) = (call.name(), class_name(call, class));
        // Both tell people to come back, and have counts of their own.
        let is_refusal = status < 500 || matches!(code, "overloaded" | "paused");
        let now_s = self.began.elapsed().as_secs();
        if is_refusal || self.logged_s.replace(now_s) == now_s {
            tracing::debug!(request_id, code, status, call, class, "refused");
        } else {
            tracing::error!(request_id, code, status, call, class, "a request failed");
        }
    }

    /// Goes on for as long as the worker runs.
    pub async fn keep_measuring(self: Rc<Self>) {
        if let Err(error) = self.measure().await {
            tracing::error!(%error, "a worker can't measure its load: the gate can't go by it");
        }
    }

    async fn measure(&self) -> std::io::Result<()> {
        let (mut here, mut there) = UnixStream::pair()?;
        // Room for more than the byte: a read that fills its buffer would leave the socket marked
        // as ready, and the next would not wait for its turn.
        let mut room = [0; 2];
        loop {
            let (mut least, mut looks, began) = (u64::MAX, 0, clock::tick());
            while looks < LOOKS_MIN || began.elapsed() < INTERVAL {
                looks += 1;
                tokio::time::sleep(STEP).await;
                let sent = clock::tick();
                here.write_all(&room[..1]).await?;
                let _ = there.read(&mut room).await?;
                least = least.min(sent.elapsed().as_micros() as u64);
                self.now_us.set(self.began.elapsed().as_micros() as u64);
            }
            self.shared.lag_us.store(least, Ordering::Relaxed);
            let line = self.turns.waiting();
            self.shared.line.store(line, Ordering::Relaxed);
        }
    }

    /// Waits until an answer that is kept back has its turn. A client that is put off and asks
    /// again at once can therefore do so only once a second on each of its connections.
    pub async fn come_late(&self) {
        tokio::time::sleep(KEPT_BACK.mul_f64(self.shared.spare())).await;
        self.late_turns.take().await;
    }

    /// Whether the line is too long for another request of that class.
    pub fn is_over(&self, class: Class) -> bool {
        self.turns.waiting() >= class.line_max()
    }

    /// Seconds after which somebody who is put off is to come back.
    pub fn come_back_s(&self, class: Class) -> u32 {
        self.spread_s(class.retry_after_s())
    }

    /// So many seconds, and up to twice as many more by lot.
    pub fn spread_s(&self, least: u32) -> u32 {
        least + (self.lot() * f64::from(2 * least + 1)) as u32
    }

    /// Microseconds since the worker began, as of its last step: for bounds, not for measuring.
    pub fn now_us(&self) -> u64 {
        self.now_us.get()
    }

    /// A number in [0, 1): splitmix64, from a random start. Only spreads a crowd; keeps no secret.
    fn lot(&self) -> f64 {
        let at = self.lots.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.lots.set(at);
        let mixed = (at ^ (at >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_least_is_put_off_first_and_sessions_never() {
        let most = Class::SHED.map(Class::line_max);
        assert!(most.is_sorted_by(|less, more| less < more), "{most:?}");
        assert_eq!(Class::Session.line_max(), usize::MAX);
    }

    #[actix_web::test]
    async fn a_line_is_joined_until_it_is_full_for_a_class_and_again_when_it_is_not() {
        let worker = WorkerLoad::new(Arc::default());
        let over = |worker: &WorkerLoad| {
            [Class::Browse, Class::Poll, Class::Enter, Class::Free]
                .map(|class| worker.is_over(class))
        };
        let mut people = Vec::new();
        let join = || {
            let worker = Rc::clone(&worker);
            actix_web::rt::spawn(async move { worker.turns.take().await })
        };
        // Nobody gives turns: all but the first few wait.
        while worker.turns.waiting() < Class::Browse.line_max() {
            assert_eq!(over(&worker), [false; 4]);
            people.push(join());
            tokio::task::yield_now().await;
        }
        assert_eq!(over(&worker), [true, false, false, false]);
        while worker.turns.waiting() < Class::Enter.line_max() {
            people.push(join());
            tokio::task::yield_now().await;
        }
        assert_eq!(over(&worker), [true; 4]);
        assert!(!worker.is_over(Class::Session));
        for person in people {
            person.abort();
            let _ = person.await;
        }
        assert_eq!(over(&worker), [false; 4]);
    }

    #[test]
    fn the_more_connections_are_open_the_shorter_they_are_kept_for_nothing() {
        let load = Load::new(100_000, usize::MAX, Arc::default(), Arc::default());
        let spare = |open| {
            load.connections.store(open, Ordering::Relaxed);
            load.spare()
        };
        assert_eq!([0, 75_000].map(spare), [1.0, 1.0]);
        assert_eq!([80_000, 90_000].map(spare), [0.8, 0.4]);
        assert_eq!([100_000, 100_001].map(spare), [0.0, 0.0]);
    }

    #[test]
    fn what_is_held_has_an_end() {
        let load = Load::new(1, 1_000, Arc::default(), Arc::default());
        assert!(load.hold(0, 600));
        assert!(!load.hold(0, 401));
        assert!(load.hold(0, 400));
        assert_eq!(load.held_bytes(), 1_000);
        assert!(!load.hold(600, 601));
        assert!(load.hold(600, 100));
        assert!(load.hold(100, 0));
        assert_eq!(load.held_bytes(), 400);
    }

    #[test]
    fn a_crowd_is_told_to_come_back_at_different_times() {
        let worker = WorkerLoad::new(Arc::default());
        let mut told = [0; 31];
        for _ in 0..21_000 {
            told[worker.come_back_s(Class::Enter) as usize] += 1;
        }
        assert_eq!(told[..10], [0; 10]);
        assert!(
            told[10..]
                .iter()
                .all(|&times| (700..1_300).contains(&times)),
            "{told:?}"
        );
    }

    #[actix_web::test]
    async fn a_byte_queues_behind_what_is_there() {
        let worker = WorkerLoad::new(Arc::default());
        let lag_us = || worker.shared.lag_us.load(Ordering::Relaxed);
        actix_web::rt::spawn(Rc::clone(&worker).keep_measuring());
        tokio::time::sleep(INTERVAL * 3).await;
        let quiet_us = lag_us();
        // Requests that are always there, each a millisecond of work.
        for _ in 0..40 {
            actix_web::rt::spawn(async {
                loop {
                    std::thread::sleep(Duration::from_millis(1));
                    tokio::task::yield_now().await;
                }
            });
        }
        tokio::time::sleep(INTERVAL * 20).await;
        let busy_us = lag_us();
        assert!(
            busy_us > 10_000 && quiet_us < busy_us,
            "{quiet_us}, then {busy_us}"
        );
    }
}
