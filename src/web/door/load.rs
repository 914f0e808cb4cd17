//! How busy the workers are, and what is put off because of it.
//!
//! A worker sends itself a byte now and then and measures how long it takes to arrive: it queues
//! like what people in session ask. Others then wait for their turn (see `turns`), which is
//! measured too. When even the least of both in a tenth of a second is over the target, a queue
//! stands, and the worker puts off more of what matters least; when it is not, less (CoDel's sign
//! of a queue, on requests instead of packets). Confirming and what people in session do is never
//! put off for this: `active_max` and the writer's queue bound those, and when the byte comes late
//! although all else is put off, the gate's brake does.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::turns::Turns;
use crate::clock::{self, Entropy};

const STEP: Duration = Duration::from_millis(10);
/// The least lag is taken over this, and over so many looks at the least: one late look is a
/// hiccup.
const INTERVAL: Duration = Duration::from_millis(100);
const LOOKS_MIN: u32 = 3;
/// What always waits for as long as this stands in a queue.
const LAG_TARGET_US: u64 = 10_000;
/// What one interval over the target adds, for each time that it is over it, up to the most.
const RISE: f64 = 0.1;
const RISE_TIMES_MAX: f64 = 10.0;
const FALL: f64 = 0.1;
/// Every class that is put off, and then the board, which is answered late.
const LEVEL_MAX: f64 = Class::SHED.len() as f64 + 1.0;

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
    /// Those that are ever put off, in the order in which they are.
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

    /// Whoever is put off is told to come back after this, and up to twice as much more by lot.
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
    /// Connections dropped for being too slow.
    pub dropped: AtomicU64,
    /// What a request waited at the least, at the last look of any worker.
    pub wait_us: AtomicU64,
    shed: [AtomicU64; Class::SHED.len()],
    /// How late the byte comes although all that can be put off is, for the gate's brake; else 0.
    lag_us: Arc<AtomicU64>,
    stopping: AtomicBool,
}

impl Load {
    pub fn new(lag_us: Arc<AtomicU64>) -> Self {
        Self {
            lag_us,
            ..Self::default()
        }
    }

    /// No new exchange begins from now on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
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
    pub turns: Turns,
    /// Between 0 and `LEVEL_MAX`: so many classes as its whole part says are put off wholly, the
    /// next in the share that is left. At the last the board comes late.
    level: Cell<f64>,
    lots: Cell<u64>,
}

impl WorkerLoad {
    pub fn new(shared: Arc<Load>) -> Rc<Self> {
        Rc::new(Self {
            shared,
            turns: Turns::default(),
            level: Cell::new(0.0),
            lots: Cell::new(u64::from_be_bytes(Entropy::system().bytes())),
        })
    }

    /// Goes on for as long as the worker runs.
    pub async fn keep_measuring(self: Rc<Self>) {
        if let Err(error) = self.measure().await {
            tracing::error!(%error, "a worker can't measure its load: it will put nothing off");
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
            }
            self.measured(least, self.turns.waited_us());
        }
    }

    /// Notes how late the byte came at the least, and how long others then waited for their turn.
    fn measured(&self, byte_us: u64, turn_us: u64) {
        let lag_us = byte_us + turn_us;
        self.shared.wait_us.store(lag_us, Ordering::Relaxed);
        let times = lag_us as f64 / LAG_TARGET_US as f64;
        let change = if times > 1.0 {
            RISE * times.min(RISE_TIMES_MAX)
        } else {
            -FALL
        };
        let level = (self.level.get() + change).clamp(0.0, LEVEL_MAX);
        self.level.set(level);
        // The last word counts: while one worker keeps up, the host does.
        let standing = if level == LEVEL_MAX { byte_us } else { 0 };
        self.shared.lag_us.store(standing, Ordering::Relaxed);
    }

    /// Whether the board is answered late: a refusal would cost more, and be asked again sooner.
    pub fn is_board_late(&self) -> bool {
        let share = self.level.get() - Class::SHED.len() as f64;
        share > 0.0 && self.lot() < share
    }

    /// How long an answer to somebody who is put off is kept back, so that whoever asks again at
    /// once does so once a second, and as many of them as there are connections at the most.
    pub const PUT_OFF: Duration = Duration::from_secs(1);

    /// Whether anything is put off at present.
    pub fn is_over(&self) -> bool {
        self.level.get() > 0.0
    }

    /// Seconds after which to come back, if a request of that class is put off.
    pub fn put_off(&self, class: Class) -> Option<u32> {
        let share = self.level.get() - class as usize as f64;
        if class >= Class::Session || share <= 0.0 || self.lot() >= share {
            return None;
        }
        let least = class.retry_after_s();
        Some(least + (self.lot() * f64::from(2 * least + 1)) as u32)
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

    fn put_off(worker: &WorkerLoad, class: Class) -> usize {
        let asked = (0..1_000).filter(|_| worker.put_off(class).is_some());
        asked.count()
    }

    #[test]
    fn what_matters_least_is_put_off_first_and_sessions_never() {
        let worker = WorkerLoad::new(Arc::default());
        worker.measured(LAG_TARGET_US, 0);
        assert_eq!(put_off(&worker, Class::Browse), 0);
        for _ in 0..5 {
            worker.measured(LAG_TARGET_US * 3 / 2, 0);
        }
        let browse = put_off(&worker, Class::Browse);
        assert!((600..900).contains(&browse), "{browse} of 1,000");
        assert_eq!(put_off(&worker, Class::Poll), 0);
        for _ in 0..4 {
            worker.measured(LAG_TARGET_US * 5, 0);
        }
        assert_eq!(put_off(&worker, Class::Browse), 1_000);
        assert_eq!(put_off(&worker, Class::Poll), 1_000);
        let enter = put_off(&worker, Class::Enter);
        assert!((600..900).contains(&enter), "{enter} of 1,000");
        for _ in 0..100 {
            worker.measured(LAG_TARGET_US * 100, 0);
        }
        assert_eq!(put_off(&worker, Class::Enter), 1_000);
        assert_eq!(put_off(&worker, Class::Session), 0);
        assert_eq!(put_off(&worker, Class::Free), 0);
    }

    #[test]
    fn it_ends_when_no_queue_stands() {
        let worker = WorkerLoad::new(Arc::default());
        worker.measured(LAG_TARGET_US * 2, 0);
        assert!(worker.is_over());
        for _ in 0..2 {
            worker.measured(1_000, 0);
        }
        assert!(!worker.is_over());
    }

    #[test]
    fn the_board_comes_late_and_the_brake_is_told_when_all_else_is_put_off() {
        let worker = WorkerLoad::new(Arc::default());
        let told = || worker.shared.lag_us.load(Ordering::Relaxed);
        while put_off(&worker, Class::Enter) < 1_000 {
            worker.measured(LAG_TARGET_US * 2, 0);
            assert!(!worker.is_board_late());
            assert_eq!(told(), 0);
        }
        for _ in 0..10 {
            worker.measured(LAG_TARGET_US * 2, 0);
        }
        assert!(worker.is_board_late());
        assert_eq!(told(), LAG_TARGET_US * 2);
        // The crowd's own queue is no reason to let fewer in.
        worker.measured(1_000, LAG_TARGET_US * 2);
        assert!(worker.is_board_late());
        assert_eq!(told(), 1_000);
        worker.measured(1_000, 0);
        assert_eq!(told(), 0);
    }

    #[test]
    fn a_crowd_is_told_to_come_back_at_different_times() {
        let worker = WorkerLoad::new(Arc::default());
        worker.level.set(3.0);
        let mut told = [0; 31];
        for _ in 0..21_000 {
            told[worker.put_off(Class::Enter).unwrap() as usize] += 1;
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
        actix_web::rt::spawn(Rc::clone(&worker).keep_measuring());
        tokio::time::sleep(INTERVAL * 3).await;
        let quiet_us = worker.shared.wait_us.load(Ordering::Relaxed);
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
        let busy_us = worker.shared.wait_us.load(Ordering::Relaxed);
        assert!(
            busy_us > LAG_TARGET_US && quiet_us < busy_us,
            "{quiet_us}, then {busy_us}"
        );
        assert!(worker.is_over());
    }
}
