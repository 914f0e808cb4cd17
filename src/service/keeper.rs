//! The keeper's thread: every gate's step, ten times a second, with changes kept by the writer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Service;
use crate::domain::entry::Change;
use crate::domain::ids::CampaignIndex;
use crate::domain::line::Line;
use crate::engine::command::{Command, Outcome};
use crate::engine::writer;
use crate::gate::admission::Queue;
use crate::gate::step::{GateStep, Journal, StepMemory};

/// How often people are called.
const STEP: Duration = Duration::from_millis(100);
/// The thread's name.
pub const NAME: &str = "gatekeeper";

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
            std::thread::sleep(STEP);
        }
    }

    /// One step at every gate; none when the writer has stopped.
    fn step(&mut self) -> Option<()> {
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
            gate.admission.delayed(Queue::Writer, delay_us);
            gate.admission.delayed(Queue::Workers, lag_us);
            let step = GateStep {
                journal: &**service,
                index: offer.catalog.index,
                campaign: &offer.catalog.campaign,
                gate: &gate,
                keys: &service.keys,
            };
            step.take(&mut self.memories[at], service.clock.now())?;
        }
        Some(())
    }
}

impl Journal for Service {
    fn with_line<T>(&self, index: CampaignIndex, look: impl FnOnce(&Line) -> T) -> Option<T> {
        let state = self.shared.state();
        state.campaign(index).map(|campaign| look(&campaign.line))
    }

    fn keep(&self, change: Change) -> Option<()> {
        let (reply, outcome) = tokio::sync::oneshot::channel();
        self.writer
            .submit_always(Command::Keep { change, reply })
            .ok()?;
        matches!(outcome.blocking_recv(), Ok(Outcome::Kept)).then_some(())
    }
}
