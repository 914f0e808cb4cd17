//! The evening's board: one thread looks at everything once a second, however many people watch.
//!
//! What it saw is a `Frame`, shared by all who are shown it; whoever is slow is shown the newest
//! one next, and misses those between. Nothing here waits for a viewer.

mod campaigns;
pub mod door;
pub mod history;
mod observer;
mod seats;
mod server;
pub mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::tick;
use crate::domain::entry::Role;
use crate::domain::staff::{AccountId, Bounds};
use crate::identity::staff::sessions::Certificate;
use crate::service::Service;
use crate::sync::locked;
use door::Counting;
use history::History;
use observer::Observer;
use snapshot::BoardSnapshot;

/// The thread's name.
pub const NAME: &str = "desk-board";
/// How often everything is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Viewers of the events at the same time: a hundred wall screens, and everybody who opens a page.
const VIEWERS_MAX: usize = 2_000;

/// A snapshot in the forms in which it is sent, each made once.
#[derive(Debug, Default)]
pub struct Frame {
    pub snapshot: BoardSnapshot,
    whole: Forms,
    /// For accounts that are bound to some campaigns, by their bounds.
    cut: Mutex<HashMap<Vec<String>, Forms>>,
}

/// JSON, and a server-sent event of it.
#[derive(Clone, Debug)]
pub struct Forms {
    pub json: Arc<[u8]>,
    pub event: Arc<[u8]>,
}

impl Default for Forms {
    fn default() -> Self {
        Self::of(&BoardSnapshot::default())
    }
}

impl Forms {
    fn of(snapshot: &BoardSnapshot) -> Self {
        let json = serde_json::to_vec(snapshot).expect("a snapshot has a JSON form");
        let mut event = format!("id: {}\nevent: board\ndata: ", snapshot.number).into_bytes();
        // JSON has no line break outside its strings, and escapes those inside.
        event.extend_from_slice(&json);
        event.extend_from_slice(b"\n\n");
        Self {
            json: json.into(),
            event: event.into(),
        }
    }
}

impl Frame {
    fn of(snapshot: BoardSnapshot) -> Self {
        Self {
            whole: Forms::of(&snapshot),
            snapshot,
            cut: Mutex::default(),
        }
    }

    /// What an account with these bounds is shown: its campaigns, and their sums.
    pub fn forms(&self, bounds: &Bounds) -> Forms {
        if bounds.campaigns.is_empty() {
            return self.whole.clone();
        }
        let mut cut = locked(&self.cut);
        let made = || Forms::of(&within(&self.snapshot, bounds));
        cut.entry(bounds.campaigns.clone())
            .or_insert_with(made)
            .clone()
    }
}

impl Frame {
    /// The same as values, for a page.
    pub fn bounded(&self, bounds: &Bounds) -> BoardSnapshot {
        within(&self.snapshot, bounds)
    }
}

/// A snapshot of the campaigns within some bounds.
fn within(snapshot: &BoardSnapshot, bounds: &Bounds) -> BoardSnapshot {
    let mut cut = snapshot.clone();
    cut.campaigns
        .retain(|campaign| bounds.has_campaign(&campaign.campaign));
    cut.openings
        .retain(|opening| bounds.has_campaign(&opening.campaign));
    let all = &cut.campaigns;
    cut.waiting = all.iter().map(|campaign| campaign.waiting).sum();
    cut.sessions = all.iter().map(|campaign| campaign.sessions).sum();
    cut.bookings = all.iter().map(|campaign| campaign.bookings).sum();
    cut.bookings_per_s = all.iter().map(|campaign| campaign.bookings_per_s).sum();
    cut.admitted_per_s = all.iter().map(|campaign| campaign.admitted_per_s).sum();
    cut
}

/// The newest frame, the history, and who watches.
#[derive(Debug, Default)]
pub struct DeskBoard {
    frames: watch::Sender<Arc<Frame>>,
    history: Mutex<History>,
    viewers: Mutex<usize>,
    is_stopped: Mutex<bool>,
    stopped: Condvar,
}

impl DeskBoard {
    /// The newest; an empty one before the first look.
    pub fn frame(&self) -> Arc<Frame> {
        Arc::clone(&self.frames.borrow())
    }

    /// Looks at the rows of the past.
    pub fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&locked(&self.history))
    }

    /// Begins to watch; none if too many do.
    pub fn watch(self: &Arc<Self>) -> Option<Viewer> {
        let mut viewers = locked(&self.viewers);
        if *viewers >= VIEWERS_MAX {
            return None;
        }
        *viewers += 1;
        let mut frames = self.frames.subscribe();
        // The newest is shown at once.
        frames.mark_changed();
        Some(Viewer {
            board: Arc::clone(self),
            frames,
        })
    }

    /// Ends the thread and everybody's events.
    pub fn stop(&self) {
        *locked(&self.is_stopped) = true;
        self.stopped.notify_all();
        // Wakes those who watch.
        self.frames.send_modify(|_| {});
    }

    fn is_stopped(&self) -> bool {
        *locked(&self.is_stopped)
    }

    /// Waits until the next look is due; true when it is to be the end.
    fn wait(&self, most: Duration) -> bool {
        let stopped = locked(&self.is_stopped);
        let waits = |stopped: &mut bool| !*stopped;
        match self.stopped.wait_timeout_while(stopped, most, waits) {
            Ok((stopped, _)) => *stopped,
            Err(poisoned) => *poisoned.into_inner().0,
        }
    }

    /// Looks once, and shows what it saw.
    fn renew(&self, observer: &mut Observer, service: &Service, door: &dyn Counting) {
        let observed = observer.observe(service, door);
        locked(&self.history).add(observed.tally);
        self.frames
            .send_replace(Arc::new(Frame::of(observed.snapshot)));
    }
}

/// Somebody who watches; the place is free again when it is dropped.
#[derive(Debug)]
pub struct Viewer {
    board: Arc<DeskBoard>,
    frames: watch::Receiver<Arc<Frame>>,
}

impl Viewer {
    /// The newest frame that this viewer was not shown, once there is one; none when the board
    /// ends.
    pub async fn next(&mut self) -> Option<Arc<Frame>> {
        self.frames.changed().await.ok()?;
        let frame = Arc::clone(&self.frames.borrow_and_update());
        (!self.board.is_stopped()).then_some(frame)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        *locked(&self.board.viewers) -= 1;
    }
}

/// Starts to look, once a second, until the board is stopped or the writer is.
///
/// # Errors
/// When the host has no thread for it.
pub fn start(service: Arc<Service>, door: Arc<dyn Counting>) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name(NAME.to_owned());
    thread.spawn(move || run(&service, &*door))?;
    Ok(())
}

fn run(service: &Service, door: &dyn Counting) {
    let beat = service.shared.watch.enlist(NAME, None);
    let board = &service.desk.board;
    let mut observer = Observer::new(service, 0);
    loop {
        let began = tick();
        let looked = catch_unwind(AssertUnwindSafe(|| {
            beat.beat();
            board.renew(&mut observer, service, door);
        }));
        if looked.is_err() {
            // Nothing of it is used after a panic: rates begin anew.
            tracing::error!("the board of the desk panicked: it is begun again");
            beat.restarted();
            observer = Observer::new(service, board.frame().snapshot.number);
        }
        let left = EVERY.saturating_sub(began.elapsed());
        if board.wait(left) || !service.writer.is_running() {
            return;
        }
    }
}

impl Service {
    /// The bounds of a token's account while its session goes on and its role is one of these. To
    /// ask is no use of the session.
    pub fn watches_on(
        &self,
        token: &str,
        certificate: Option<Certificate>,
        roles: &[Role],
    ) -> Option<Bounds> {
        let staff = self.staff();
        let known = |id: AccountId| {
            let account = staff.accounts.get(&id)?;
            Some((account.is_enabled, account.credentials))
        };
        let sessions = &self.desk.sessions;
        let id = sessions.goes_on(token, certificate, tick(), known)?;
        let account = super::enabled(&staff, id)?;
        roles
            .contains(&account.role)
            .then(|| account.bounds.clone())
    }
}
