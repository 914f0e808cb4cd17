//! The writer's thread and its bounded queue: one thread, one order, one commit for many.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::command::Command;
use super::core::{CommitFailed, Core};
use crate::clock::tick;

/// Commands that may wait; more are refused as `overloaded`. At 20,000 commits' worth a second this
/// is a wait of half a second, after which a client does better to come back.
pub const QUEUE_COMMANDS_MAX: usize = 16_384;
/// Commands in one commit.
pub const BATCH_COMMANDS_MAX: usize = 2_048;
/// Commits begin at least this far apart while fewer than `GATHERED_COMMANDS` wait: each costs a
/// fifth of a millisecond of processor time, however few it is for.
const APART: Duration = Duration::from_millis(2);
/// So many are worth a commit at once.
const GATHERED_COMMANDS: usize = 16;
/// How long the writer sleeps without work: the ends of holds are noticed this late.
const TICK: Duration = Duration::from_millis(200);

/// The queue is full, or the writer has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("the writer's queue is full")]
    Full,
    #[error("the writer has stopped")]
    Stopped,
}

/// Hands commands to the writer. Cloned freely.
#[derive(Clone)]
pub struct WriterHandle(Arc<Queue>);

struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    commands: VecDeque<Command>,
    /// When the first of them came.
    since: Option<Instant>,
    /// The writer sleeps until so many wait; with none it is awake.
    asleep_until: Option<usize>,
    stopping: bool,
    stopped: bool,
}

impl WriterHandle {
    /// Queues a command, or gives the reason why not; a claim in it is given back then.
    pub fn submit(&self, command: Command) -> Result<(), NotTaken> {
        let mut waiting = self.0.lock();
        if waiting.stopping || waiting.stopped {
            return Err(NotTaken::Stopped);
        }
        if waiting.commands.len() >= QUEUE_COMMANDS_MAX {
            return Err(NotTaken::Full);
        }
        if waiting.commands.is_empty() {
            waiting.since = Some(tick());
        }
        waiting.commands.push_back(command);
        let wake = waiting
            .asleep_until
            .is_some_and(|few| waiting.commands.len() >= few);
        if wake {
            waiting.asleep_until = None;
        }
        drop(waiting);
        if wake {
            self.0.bell.notify_one();
        }
        Ok(())
    }

    /// Queues one of the program's own few commands, also when the queue is full.
    pub fn submit_always(&self, command: Command) -> Result<(), NotTaken> {
        let mut waiting = self.0.lock();
        if waiting.stopping || waiting.stopped {
            return Err(NotTaken::Stopped);
        }
        if waiting.commands.is_empty() {
            waiting.since = Some(tick());
        }
        waiting.commands.push_back(command);
        drop(waiting);
        self.0.bell.notify_one();
        Ok(())
    }

    /// Queues a record that may be dropped when the writer has more important work.
    pub fn submit_if_idle(&self, command: Command) -> Result<(), NotTaken> {
        if self.queued() >= QUEUE_COMMANDS_MAX / 2 {
            return Err(NotTaken::Full);
        }
        self.submit(command)
    }

    pub fn queued(&self) -> usize {
        self.0.lock().commands.len()
    }

    /// Whether the writer still takes commands.
    pub fn is_running(&self) -> bool {
        let waiting = self.0.lock();
        !waiting.stopping && !waiting.stopped
    }

    /// Lets the writer finish what is queued and stop.
    pub fn stop(&self) {
        self.0.lock().stopping = true;
        self.0.bell.notify_one();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .expect("no holder of the queue's lock panics")
    }

    /// Sleeps until so many commands wait, or so long; not when it is time to stop.
    fn sleep<'a>(
        &'a self,
        mut waiting: MutexGuard<'a, Waiting>,
        commands: usize,
        most: Duration,
    ) -> MutexGuard<'a, Waiting> {
        if waiting.stopping {
            return waiting;
        }
        waiting.asleep_until = Some(commands);
        let timed = self.bell.wait_timeout(waiting, most);
        waiting = timed.expect("no holder of the queue's lock panics").0;
        waiting.asleep_until = None;
        waiting
    }

    /// Moves up to a batch of commands into `taken`, with the time the first of them came; none
    /// when it is time to stop.
    fn take(&self, taken: &mut VecDeque<Command>, last: Instant) -> Option<Option<Instant>> {
        let mut waiting = self.lock();
        if waiting.commands.is_empty() && taken.is_empty() {
            waiting = self.sleep(waiting, 1, TICK);
        }
        let early = APART.saturating_sub(last.elapsed());
        if !early.is_zero() && waiting.commands.len() < GATHERED_COMMANDS {
            waiting = self.sleep(waiting, GATHERED_COMMANDS, early);
        }
        let room = BATCH_COMMANDS_MAX
            .saturating_sub(taken.len())
            .min(waiting.commands.len());
        taken.extend(waiting.commands.drain(..room));
        let since = waiting.since.filter(|_| room > 0);
        let stop = waiting.stopping && waiting.commands.is_empty() && taken.is_empty();
        (!stop).then_some(since)
    }
}

/// Starts the writer's thread. It ends after `stop`, or with the error of a failed commit, after
/// which everything still queued is dropped: those who wait see their reply channel close.
pub fn spawn(core: Core) -> (WriterHandle, JoinHandle<Result<(), CommitFailed>>) {
    let queue = Arc::new(Queue {
        waiting: Mutex::default(),
        bell: Condvar::new(),
    });
    let handle = WriterHandle(Arc::clone(&queue));
    let thread = std::thread::Builder::new().name("writer".to_owned());
    let running = thread.spawn(move || {
        // Marks the queue stopped however this thread ends, so that nobody waits for it.
        let queue = StopOnDrop(queue);
        run(core, &queue.0)
    });
    (
        handle,
        running.expect("the operating system starts one thread at start-up"),
    )
}

struct StopOnDrop(Arc<Queue>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.stopped = true;
        waiting.commands.clear();
    }
}

fn run(mut core: Core, queue: &Queue) -> Result<(), CommitFailed> {
    let mut taken = VecDeque::new();
    let shared = Arc::clone(core.shared());
    let mut last = tick();
    while let Some(since) = queue.take(&mut taken, last) {
        last = tick();
        core.step(&mut taken)?;
        if let Some(since) = since {
            let delay_us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            shared.delay_us.fetch_min(delay_us, Ordering::Relaxed);
        } else if taken.is_empty() {
            core.sign_at_rest()?;
        }
    }
    core.sign_last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::Change;

    /// The gate's brake goes by this: while only the program's own commands came, as before an
    /// opening, each seemed to have waited since the last command of a person, and the brake held
    /// the line back to a twentieth of its rate.
    #[test]
    fn a_command_waits_since_it_came_and_not_since_an_earlier_one() {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            bell: Condvar::new(),
        });
        let handle = WriterHandle(Arc::clone(&queue));
        let mut before = tick();
        for _ in 0..3 {
            let (reply, _) = tokio::sync::oneshot::channel();
            let change = Change::NumbersLeased {
                campaign: crate::domain::ids::CampaignIndex(0),
                first: 1,
                until: 1,
            };
            handle
                .submit_always(Command::Keep { change, reply })
                .unwrap();
            let mut taken = VecDeque::new();
            let since = queue.take(&mut taken, before).unwrap().unwrap();
            assert!(since > before, "since an earlier command");
            // Few commands so soon after the last commit: it waits for more.
            assert!(before.elapsed() >= APART);
            before = tick();
        }
    }
}
