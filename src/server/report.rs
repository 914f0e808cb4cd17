//! What the service manager hears of a running server: signs of life and a line of words.

use std::time::{Duration, Instant};

use crate::clock::tick;
use crate::engine::watch::{Condition, Seen, all_go_on};
use crate::service::Service;
use crate::systemd::notify::Manager;

/// How often the line of words is renewed while all is well.
const WORDS: Duration = Duration::from_secs(10);

/// Tells the service manager how the watched threads are. A sign of life goes out only while all of
/// them go on, so that the manager's watchdog ends a server whose writer is stuck.
pub(super) struct Reports {
    manager: Manager,
    alive: Option<Instant>,
    words: Option<(Instant, bool)>,
}

impl Reports {
    pub(super) fn new(manager: Manager) -> Self {
        Self {
            manager,
            alive: None,
            words: None,
        }
    }

    /// How long to wait until the next look: as long as is usual, or as the manager's watchdog
    /// allows.
    pub(super) fn wait(&self, usual: Duration) -> Duration {
        self.manager
            .alive_every()
            .map_or(usual, |every| usual.min(every))
    }

    /// Tells what is due after a look at the threads; the next look is `wait` later.
    pub(super) fn tell(&mut self, seen: &[Seen], service: &Service, wait: Duration) {
        let goes_on = all_go_on(seen);
        let due = |last: Instant, every: Duration| last.elapsed() + wait > every;
        if self
            .words
            .is_none_or(|(last, before)| before != goes_on || due(last, WORDS))
        {
            self.words = Some((tick(), goes_on));
            self.manager.status(&words(seen, goes_on, service));
        }
        let every = self.manager.alive_every();
        if let Some(every) = every.filter(|_| goes_on)
            && self.alive.is_none_or(|last| due(last, every))
        {
            self.alive = Some(tick());
            self.manager.alive();
        }
    }
}

fn words(seen: &[Seen], goes_on: bool, service: &Service) -> String {
    if goes_on {
        // The writer holds this lock for microseconds.
        let entries = service
            .shared
            .state
            .try_read()
            .map_or(0, |state| state.seq.0);
        let gates = service.gates();
        let sessions: u64 = gates.iter().map(|(_, gate)| gate.sessions.active()).sum();
        return format!("serving: {entries} entries, {sessions} sessions");
    }
    let stuck = |seen: &&Seen| matches!(seen.condition, Condition::Stalled { .. });
    let names: Vec<_> = seen.iter().filter(stuck).map(|seen| seen.name).collect();
    format!("stuck: {}", names.join(", "))
}
