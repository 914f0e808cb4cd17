//! The writer's thread and its bounded queue: one thread, one order, one commit for many.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::command::Command;
use super::core::{CommitFailed, Core};
use super::import::sweep;
use super::{checkpointer, settler};
use crate::clock::tick;
use crate::sync::locked;

/// Commands that may wait; more are refused as `overloaded`. At 20,000 commits' worth a second this
/// is a wait of half a second, after which a client does better to come back.
pub const QUEUE_COMMANDS_MAX: usize = 16_384;
/// Commands in one commit.
pub const BATCH_COMMANDS_MAX: usize = 2_048;
/// Commits begin at least this far apart while fewer than `GATHERED_COMMANDS` wait: each costs a
/// fifth of a millisecond of processor time, however few it is for.
const APART: Duration = Duration::from_micros(500);
/// So many are worth a commit at once.
const GATHERED_COMMANDS: usize = 16;
/// Operators' acts that may wait in front of all other commands: each is a commit of its own, so
/// that many cost people a tenth of a second.
pub const URGENT_COMMANDS_MAX: usize = 64;
/// How long the writer sleeps without work: the ends of holds are noticed this late.
const TICK: Duration = Duration::from_millis(200);
/// The thread's name.
pub const NAME: &str = "writer";

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
    /// What the writer takes before all others.
    urgent: VecDeque<Command>,
    commands: VecDeque<Command>,
    /// When the first of `commands` came.
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

    /// Queues an operator's act at a gate in front of everything else, also when the queue is full:
    /// a pause must not wait for what it is meant to stop, nor for an import that waits.
    pub fn submit_urgent(&self, command: Command) -> Result<(), NotTaken> {
        let mut waiting = self.0.lock();
        if waiting.stopping || waiting.stopped {
            return Err(NotTaken::Stopped);
        }
        if waiting.urgent.len() >= URGENT_COMMANDS_MAX {
            return Err(NotTaken::Full);
        }
        waiting.urgent.push_back(command);
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

    #[cfg(test)]
    pub(crate) fn urgent(&self) -> usize {
        self.0.lock().urgent.len()
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
        locked(&self.waiting)
    }

    /// Sleeps until so many commands wait, or so long; not when it is time to stop.
    fn sleep<'a>(
        &'a self,
        mut waiting: MutexGuard<'a, Waiting>,
        commands: usize,
        most: Duration,
    ) -> MutexGuard<'a, Waiting> {
        if waiting.stopping || !waiting.urgent.is_empty() {
            return waiting;
        }
        waiting.asleep_until = Some(commands);
        let timed = self.bell.wait_timeout(waiting, most);
        waiting = timed.unwrap_or_else(PoisonError::into_inner).0;
        waiting.asleep_until = None;
        waiting
    }

    /// Moves up to a batch of commands into `taken`, what is urgent in front; tells when the first
    /// of the others came, or none when it is time to stop.
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
        for command in std::mem::take(&mut waiting.urgent).into_iter().rev() {
            taken.push_front(command);
        }
        let since = waiting.since.filter(|_| room > 0);
        let stop = waiting.stopping && waiting.commands.is_empty() && taken.is_empty();
        (!stop).then_some(since)
    }
}

/// Starts the writer's thread. It ends after `stop`, or with the error of a failed commit, after
/// which everything still queued is dropped: those who wait see their reply channel close.
pub fn spawn(core: Core) -> (WriterHandle, JoinHandle<Result<(), CommitFailed>>) {
    let handle = WriterHandle::without_a_writer();
    let running = handle.start(core);
    (handle, running)
}

impl WriterHandle {
    /// A queue that nobody empties before `start`.
    pub(crate) fn without_a_writer() -> Self {
        Self(Arc::new(Queue {
            waiting: Mutex::default(),
            bell: Condvar::new(),
        }))
    }

    pub(crate) fn start(&self, core: Core) -> JoinHandle<Result<(), CommitFailed>> {
        let queue = Arc::clone(&self.0);
        let thread = std::thread::Builder::new().name(NAME.to_owned());
        let running = thread.spawn(move || {
            // Marks the queue stopped however this thread ends, so that nobody waits for it.
            let queue = StopOnDrop(queue);
            let handle = WriterHandle(Arc::clone(&queue.0));
            run(core, &handle)
        });
        running.expect("the operating system starts one thread at start-up")
    }
}

struct StopOnDrop(Arc<Queue>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.stopped = true;
        waiting.urgent.clear();
        waiting.commands.clear();
    }
}

fn run(mut core: Core, handle: &WriterHandle) -> Result<(), CommitFailed> {
    let queue = &*handle.0;
    let mut taken = VecDeque::new();
    let shared = Arc::clone(core.shared());
    let beat = shared.watch.enlist(NAME, None);
    let (store, watch) = (core.store(), shared.watch.clone());
    let settler = settler::start(Arc::clone(store), watch);
    let checkpointer = checkpointer::start(Arc::clone(store), Arc::clone(&shared));
    let sweeper = sweep::start(
        Arc::clone(&shared),
        Arc::clone(store),
        handle.clone(),
        core.clock().clone(),
    );
    let mut last = tick();
    while let Some(since) = queue.take(&mut taken, last) {
        beat.beat();
        last = tick();
        if let Some(since) = since {
            shared.queued.note(last.duration_since(since));
        }
        core.check_store()?;
        drop_given_up(&mut taken);
        core.step(&mut taken)?;
        if let Some(since) = since {
            let delay_us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            shared.delay_us.fetch_min(delay_us, Ordering::Relaxed);
        }
    }
    core.tell_stop()?;
    drop((sweeper, checkpointer, settler));
    core.close()
}

/// Drops operators' acts at the front whose callers have gone: what is given up before it begins is
/// not done.
fn drop_given_up(taken: &mut VecDeque<Command>) {
    while taken.front().is_some_and(Command::is_given_up) {
        taken.pop_front();
        tracing::info!("an operator's act was given up before it began: it was not done");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::{Actor, Change, GateAct};
    use crate::domain::ids::{CampaignIndex, LineIndex};
    use crate::domain::time::Stamp;
    use crate::engine::command::{Operation, Outcome};

    fn kept() -> Command {
        let change = Change::NumbersLeased {
            campaign: CampaignIndex(0),
            line: LineIndex(0),
            first: 1,
            until: 1,
        };
        let reply = tokio::sync::oneshot::channel().0;
        Command::Keep { change, reply }
    }

    fn operator(operation: Operation) -> (Command, tokio::sync::oneshot::Receiver<Outcome>) {
        let (reply, outcome) = tokio::sync::oneshot::channel();
        let actor = Actor::operator("root");
        let command = Command::Operate {
            actor,
            operation,
            reply,
        };
        (command, outcome)
    }

    fn gate(act: GateAct) -> (Command, tokio::sync::oneshot::Receiver<Outcome>) {
        operator(Operation::Gate {
            campaign: None,
            act,
            reason: None,
        })
    }

    fn act_of(command: Option<&Command>) -> Option<&GateAct> {
        match command {
            Some(Command::Operate {
                operation: Operation::Gate { act, .. },
                ..
            }) => Some(act),
            _ => None,
        }
    }

    /// "In force when it answers" must hold on the very evening when the queue is full.
    #[test]
    fn an_act_at_the_gate_is_taken_first_also_when_the_queue_is_full() {
        let handle = WriterHandle::without_a_writer();
        let (import, _import) = operator(Operation::Activate {
            source: String::new(),
            now: Stamp(0),
            shifts: false,
        });
        handle.submit_always(import).unwrap();
        while handle.submit(kept()).is_ok() {}
        assert_eq!(handle.queued(), QUEUE_COMMANDS_MAX);
        let (pause, _pause) = gate(GateAct::Rate { admit_per_s: 1 });
        let (resume, _resume) = gate(GateAct::Resume);
        handle.submit_urgent(pause).unwrap();
        handle.submit_urgent(resume).unwrap();
        // Left over by the step before, as the commands of one person are.
        let mut taken = VecDeque::from([kept()]);
        handle.0.take(&mut taken, tick()).unwrap();
        assert_eq!(
            act_of(taken.front()),
            Some(&GateAct::Rate { admit_per_s: 1 })
        );
        assert_eq!(act_of(taken.get(1)), Some(&GateAct::Resume));
        assert!(matches!(taken.get(2), Some(Command::Keep { .. })));
        for _ in 0..URGENT_COMMANDS_MAX {
            handle.submit_urgent(gate(GateAct::Resume).0).unwrap();
        }
        let refused = handle.submit_urgent(gate(GateAct::Resume).0);
        assert_eq!(refused, Err(NotTaken::Full));
    }

    #[test]
    fn what_was_given_up_is_dropped_unless_it_has_begun() {
        let (gone, outcome) = gate(GateAct::Resume);
        drop(outcome);
        let (wanted, _outcome) = gate(GateAct::Active { active_max: 7 });
        // The file of the keys has the new one already: it must come into the journal.
        let (rotated, outcome) = operator(Operation::TokenKeyRotated {
            id: 2,
            revoked: false,
        });
        drop(outcome);
        let mut taken = VecDeque::from([gone, rotated, wanted]);
        drop_given_up(&mut taken);
        assert_eq!(taken.len(), 2);
        taken.pop_front();
        drop_given_up(&mut taken);
        assert_eq!(
            act_of(taken.front()),
            Some(&GateAct::Active { active_max: 7 })
        );
    }

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
                campaign: CampaignIndex(0),
                line: LineIndex(0),
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
