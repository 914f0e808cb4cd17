//! The keeper's thread: every gate's step, ten times a second, with changes kept by the writer.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::Service;
use crate::domain::entry::Change;
use crate::domain::ids::CampaignIndex;
use crate::domain::line::{GateSettings, Line};
use crate::engine::command::{Command, Outcome};
use crate::engine::shared::people_of;
use crate::engine::writer;
use crate::gate::admission::Queue;
use crate::gate::step::{GateStep, Journal, StepMemory};
use crate::sync::locked;

/// How often people are called.
const STEP: Duration = Duration::from_millis(100);
/// The thread's name.
pub const NAME: &str = "gatekeeper";

/// Tells the keeper to step now, and others when it has.
#[derive(Default)]
pub struct Bell {
    rounds: Mutex<Rounds>,
    turned: Condvar,
}

#[derive(Default)]
struct Rounds {
    begun: u64,
    /// The last step that is done.
    done: u64,
    is_rung: bool,
}

impl Bell {
    /// Has the keeper step at once and waits until it has, but not for longer than this.
    pub fn ring(&self, most: Duration) {
        let mut rounds = locked(&self.rounds);
        rounds.is_rung = true;
        let wanted = rounds.begun + 1;
        self.turned.notify_all();
        let waits = |rounds: &mut Rounds| rounds.done < wanted;
        let _ = self.turned.wait_timeout_while(rounds, most, waits);
    }

    fn begins(&self) {
        let mut rounds = locked(&self.rounds);
        rounds.begun += 1;
        rounds.is_rung = false;
    }

    fn is_done(&self) {
        let mut rounds = locked(&self.rounds);
        rounds.done = rounds.begun;
        self.turned.notify_all();
    }

    fn wait(&self) {
        let rounds = locked(&self.rounds);
        let waits = |rounds: &mut Rounds| !rounds.is_rung;
        let _ = self.turned.wait_timeout_while(rounds, STEP, waits);
    }
}

/// The keeper of every gate.
pub struct Keeper {
    service: Arc<Service>,
    /// By campaign.
    memories: Vec<StepMemory>,
}

impl Keeper {
    /// A keeper that has done its first step: numbers are leased, the boards are up.
    pub fn ready(service: Arc<Service>) -> Self {
        let mut keeper = Self {
            service,
            memories: Vec::new(),
        };
        let _ = keeper.step();
        keeper
    }

    /// Goes on until the writer stops.
    pub fn run(mut self) {
        // A step waits for the writer, which may be busy with a long import.
        let watch = &self.service.shared.watch;
        let beat = watch.enlist(NAME, Some(writer::NAME));
        while self.service.writer.is_running() && self.step().is_some() {
            beat.beat();
            self.service.keeper.wait();
        }
    }

    /// One step at every gate; none when the writer has stopped.
    fn step(&mut self) -> Option<()> {
        self.service.keeper.begins();
        let stepped = self.step_every_gate();
        self.service.keeper.is_done();
        stepped
    }

    fn step_every_gate(&mut self) -> Option<()> {
        let service = &self.service;
        let delay_us = service.shared.delay_us.swap(u64::MAX, Ordering::Relaxed);
        let lag_us = service.worker_lag_us.load(Ordering::Relaxed);
        service.ended.sweep_next(service.clock.now());
        let offers = service.shared.offers().clone();
        for offer in offers.iter() {
            let at = offer.catalog.index.at();
            if self.memories.len() <= at {
                self.memories.resize_with(at + 1, StepMemory::default);
            }
            let gate = service.gate(offer);
            gate.limits.delayed(Queue::Writer, delay_us);
            gate.limits.delayed(Queue::Workers, lag_us);
            let campaign = &offer.catalog.campaign;
            let step = GateStep {
                journal: &**service,
                index: offer.catalog.index,
                campaign,
                gate: &gate,
                keys: &service.keys,
                people_of: &|opening| people_of(campaign, &offer.roster, opening),
            };
            step.take(&mut self.memories[at], service.clock.now())?;
        }
        Some(())
    }
}

impl Journal for Service {
    fn with_lines<T>(
        &self,
        index: CampaignIndex,
        look: impl FnOnce(&GateSettings, &[Line]) -> T,
    ) -> Option<T> {
        let state = self.shared.state();
        let campaign = state.campaign(index);
        campaign.map(|campaign| look(&campaign.gate, &campaign.lines))
    }

    fn keep(&self, change: Change) -> Option<()> {
        let (reply, outcome) = tokio::sync::oneshot::channel();
        self.writer
            .submit_always(Command::Keep { change, reply })
            .ok()?;
        matches!(outcome.blocking_recv(), Ok(Outcome::Kept)).then_some(())
    }
}
