//! One request: what is done for it, and what its caller is told.
//!
//! A request whose caller has gone is dropped unless the writer has begun with it. Looking at the
//! gate reads the board that is up, and waits neither for the writer nor for its state.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::lanes::Lanes;
use super::stream::{Incoming, Outgoing, is_gone, with_signs_of_life};
use super::{Answered, Asked, Patience, operator_of};
use crate::clock::tick;
use crate::domain::entry::Actor;
use crate::engine::command::{Command, Operated, Operation, Outcome};
use crate::engine::import;
use crate::engine::shared::Away;
use crate::engine::writer::NotTaken;
use crate::journal::copy::{CopyPoint, give};
use crate::measure::{Counted, Histogram};
use crate::ops::outcome::{Done, Finished, GateStatus, HealthSeen, WorkFault, WorkRefused, why};
use crate::ops::work::{self, Prepared, Work};
use crate::service::Service;
use crate::service::health::health;

/// The longest that a hang-up of a caller who waits goes unnoticed, and an outcome too. The first
/// looks come after a millisecond or two, as most outcomes do.
const LOOK_MAX: Duration = Duration::from_millis(20);
/// How long an activation waits for the gates to be ready for it.
const KEEPER_MAX: Duration = Duration::from_secs(1);

/// What all requests share.
pub(super) struct Desk {
    pub(super) service: Arc<Service>,
    pub(super) patience: Patience,
    pub(super) lanes: Arc<Lanes>,
    folder: PathBuf,
}

impl Desk {
    pub(super) fn new(service: Arc<Service>, folder: PathBuf, patience: Patience) -> Self {
        Self {
            service,
            patience,
            lanes: Arc::default(),
            folder,
        }
    }
}

/// Does what was asked and answers.
pub(super) fn attend(
    desk: &Desk,
    stream: &UnixStream,
    asked: Asked,
    early: Vec<u8>,
) -> anyhow::Result<()> {
    let operator = operator_of(stream)?;
    let Asked { work, length } = asked;
    // Looks are no acts, and a script may look once a second; what is new is copied as often.
    let is_quiet = match &work {
        Work::GateStatus { .. } | Work::Health => true,
        Work::Copy { from } => *from != CopyPoint::NOTHING,
        _ => false,
    };
    if !is_quiet {
        tracing::info!(%operator, work = ?work, "an operator's request");
    }
    let alive = desk.patience.sign_of_life;
    match &work {
        Work::GateStatus { campaign } => {
            let status = gate_status(&desk.service, campaign.as_deref());
            reply(desk, stream, status)
        }
        Work::Health => {
            let health = health_of(&desk.service);
            reply(desk, stream, Ok(Done::Health(health)))
        }
        Work::Copy { from } => send_copy(desk, stream, *from),
        _ => {
            let file = Incoming::new(stream, early, length, desk.patience.progress);
            let (began, by) = (tick(), operator.clone());
            let perform = || perform(desk, stream, operator, &work, file);
            match with_signs_of_life(stream, alive, perform) {
                Some(finished) => {
                    let outcome = outcome_of(&finished);
                    let took_ms = began.elapsed().as_millis() as u64;
                    tracing::info!(operator = %by, outcome, took_ms, "what came of it");
                    reply(desk, stream, finished)
                }
                None => {
                    tracing::info!(work = ?work, "its caller hung up before it began: not done");
                    Ok(())
                }
            }
        }
    }
}

/// What came of a piece of work, in a word for the log.
fn outcome_of(finished: &Finished) -> &'static str {
    match finished {
        Ok(Done::DryRun(_)) => "looked at, nothing changed",
        Ok(_) => "done",
        Err(WorkFault::Rows(_)) => "refused: faults in the file",
        Err(WorkFault::Findings(_)) => "refused: findings in the file",
        Err(WorkFault::NoSuchCampaign) => "refused: no such campaign",
        Err(WorkFault::OutcomeUnknown) => "unknown: the commit failed",
        Err(WorkFault::Unexpected(_)) => "refused: unexpected",
        Err(WorkFault::Refused(_)) => "refused",
    }
}

/// Does a piece of work; none when its caller has gone before it began.
fn perform(
    desk: &Desk,
    stream: &UnixStream,
    operator: String,
    work: &Work,
    file: Incoming<'_>,
) -> Option<Finished> {
    let Desk {
        service, folder, ..
    } = desk;
    let (shared, store, keys) = (&service.shared, &service.store, &service.keys);
    let now = service.clock.now();
    match work::prepare(work, file, shared, store, keys, folder, now) {
        Ok(Prepared::Finished(finished)) => Some(finished),
        Ok(Prepared::Then(operation, done)) => {
            let outcome = hand_over(service, stream, &operator, operation)?;
            Some(work::then(outcome, *done))
        }
        Ok(Prepared::Operation(operation)) => {
            let mut hand = |part| hand_over(service, stream, &operator, part);
            let outcome = import::perform(shared, store, keys, operation, &mut hand)?;
            if let Outcome::Operated(Operated::Gate { campaign, .. }) = &outcome {
                service.follow_settings(campaign);
            }
            if let Outcome::Operated(Operated::Activated { .. }) = &outcome {
                // Its lines have numbers and its board is up when the command says that it is done.
                service.keeper.ring(KEEPER_MAX);
            }
            Some(work::finished(outcome))
        }
        Err(error) => Some(Err(WorkRefused::new(why(&error)).into())),
    }
}

/// Hands an operation to the writer and waits for what comes of it, or for its caller to go.
fn hand_over(
    service: &Service,
    stream: &UnixStream,
    operator: &str,
    operation: Operation,
) -> Option<Outcome> {
    let has_begun = operation.has_begun();
    if !has_begun && is_gone(stream, Duration::ZERO) {
        return None;
    }
    let is_urgent = matches!(operation, Operation::Gate { .. });
    let (reply, outcome) = oneshot::channel();
    let command = Command::Operate {
        actor: Actor::operator(operator),
        operation,
        reply,
    };
    let taken = if is_urgent {
        service.writer.submit_urgent(command)
    } else {
        // Few: the lanes have a bound.
        service.writer.submit_always(command)
    };
    match taken {
        Ok(()) => {}
        Err(NotTaken::Stopped) => {
            let why =
                "the server is stopping; nothing was done: start it, or ask when it has ended";
            return Some(Outcome::Impossible(why.to_owned()));
        }
        Err(NotTaken::Full) => {
            let why = "too many acts wait for the writer; nothing was done: ask again";
            return Some(Outcome::Impossible(why.to_owned()));
        }
    }
    if has_begun {
        Some(outcome.blocking_recv().unwrap_or(Outcome::Unknown))
    } else {
        await_outcome(stream, outcome)
    }
}

/// The outcome of what the writer has; none when its caller hangs up. Dropping the receiver tells
/// the writer, which leaves out what it has not begun.
fn await_outcome(stream: &UnixStream, mut outcome: oneshot::Receiver<Outcome>) -> Option<Outcome> {
    let mut pause = Duration::from_millis(1);
    loop {
        match outcome.try_recv() {
            Ok(outcome) => return Some(outcome),
            Err(oneshot::error::TryRecvError::Closed) => return Some(Outcome::Unknown),
            Err(oneshot::error::TryRecvError::Empty) => {}
        }
        if is_gone(stream, pause) {
            return None;
        }
        pause = (pause * 2).min(LOOK_MAX);
    }
}

/// Sends the line of an answer.
fn reply(desk: &Desk, stream: &UnixStream, finished: Finished) -> anyhow::Result<()> {
    let line = Answered::line(finished);
    Outgoing::new(stream, desk.patience.progress).write_all(&line)?;
    Ok(())
}

/// What the boards show of one campaign's gate, or of all.
fn gate_status(service: &Service, campaign: Option<&str>) -> Finished {
    let gates = service.gates();
    let wanted = gates
        .iter()
        .filter(|(name, _)| campaign.is_none_or(|wanted| wanted == name));
    let status: Vec<GateStatus> = wanted
        .map(|(name, gate)| GateStatus {
            campaign: name.to_string(),
            board: gate.board.load().view.clone(),
            active: gate.sessions.active(),
            active_max: gate.limits.active_max(),
        })
        .collect();
    if status.is_empty() {
        Err(WorkFault::NoSuchCampaign)
    } else {
        Ok(Done::GateStatus(status))
    }
}

/// What `/readyz` says.
fn health_of(service: &Service) -> HealthSeen {
    let health = health(service);
    let (not_ready, warnings) = health.told();
    let until = service.clock.stands_still_until();
    HealthSeen {
        not_ready,
        warnings,
        stands_still_until: until.map(|until| until.instant().to_string()),
        last_use_before_start: health.away.map(|away| away.last_use.instant().to_string()),
        away_before_start_s: health.away.map(Away::seconds),
    }
}

/// Sends what is behind a point, in frames: read from one consistent view, and slower than what
/// people wait for.
fn send_copy(desk: &Desk, stream: &UnixStream, from: CopyPoint) -> anyhow::Result<()> {
    let _ = rustix::process::nice(NICE);
    let Service { store, keys, .. } = &*desk.service;
    let read = store.read()?;
    let has_entry = read.hash_at(from.seq)? == Some(from.hash);
    reply(desk, stream, Ok(Done::Copy { has_entry }))?;
    if !has_entry {
        return Ok(());
    }
    if from != CopyPoint::NOTHING {
        desk.service.copied.note(from.seq);
    }
    let out = Outgoing::new(stream, desk.patience.progress);
    let mut out = io::BufWriter::with_capacity(1 << 20, out);
    // What is new is little, and what is lost with the host is what was not copied.
    let is_whole = from == CopyPoint::NOTHING;
    let mut pace = is_whole.then(|| Yielding::of(&store.commits));
    give(&read, from, keys, |frame| {
        if let Some(pace) = &mut pace {
            pace.sent(frame.bytes());
        }
        frame.write(&mut out)
    })?;
    out.flush()?;
    Ok(())
}

/// The priority of a thread that copies.
const NICE: i32 = 10;

/// Slows a copy of everything down while people book: reading and sending it takes caches, memory
/// and disk, which a low priority does not give back.
struct Yielding<'a> {
    commits: &'a Histogram,
    seen: u64,
    since: Instant,
    bytes: u64,
}

/// The server is looked at after so many bytes.
const LOOK_BYTES: u64 = 1 << 20;
/// More commits a second than a server has that is not in a rush.
const CALM_COMMITS_PER_S: f64 = 200.0;
/// What is copied a second in a rush: 10 GB in a quarter of an hour.
const RUSH_BYTES_PER_S: f64 = 10e6;

impl<'a> Yielding<'a> {
    fn of(commits: &'a Histogram) -> Self {
        Self {
            commits,
            seen: Counted::of(commits).count(),
            since: tick(),
            bytes: 0,
        }
    }

    /// Notes what is sent next; waits if that is too much.
    fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if self.bytes < LOOK_BYTES {
            return;
        }
        let seen = Counted::of(self.commits).count();
        let took_s = self.since.elapsed().as_secs_f64();
        let commits = seen.saturating_sub(self.seen) as f64;
        // Two or three in the short time that a mebibyte takes are no rush.
        if commits > 3.0 && commits > CALM_COMMITS_PER_S * took_s {
            let due_s = self.bytes as f64 / RUSH_BYTES_PER_S;
            std::thread::sleep(Duration::from_secs_f64((due_s - took_s).max(0.0)));
        }
        (self.seen, self.since, self.bytes) = (seen, tick(), 0);
    }
}
