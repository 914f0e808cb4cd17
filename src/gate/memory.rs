//! A journal in memory: the keeper's world on virtual time, for simulations.
//!
//! Each change becomes an entry and goes through the same `apply` as in a server. What was kept is
//! what a crash leaves.

use std::cell::{Cell, RefCell};

use super::Gate;
use super::live::InLine;
use super::step::Journal;
use crate::domain::apply::apply;
use crate::domain::campaign::Campaign;
use crate::domain::entry::{Actor, Change, Entry};
use crate::domain::ids::{CampaignIndex, LineIndex, Seq};
use crate::domain::line::{GateSettings, Line};
use crate::domain::pieces;
use crate::domain::state::State;
use crate::domain::time::Stamp;

/// The one campaign of such a journal.
pub const INDEX: CampaignIndex = CampaignIndex(0);

#[derive(Debug)]
pub struct Memory {
    state: RefCell<State>,
    now: Cell<Stamp>,
    /// After so many more changes the journal stops: a crash in the middle of a step.
    stops_after: Cell<u64>,
    bytes: RefCell<Vec<u8>>,
}

impl Memory {
    /// A journal that has one campaign, or the finding that its file has.
    pub fn of_campaign(source: &str, now: Stamp) -> Result<Self, String> {
        let memory = Self {
            state: RefCell::default(),
            now: Cell::new(now),
            stops_after: Cell::new(u64::MAX),
            bytes: RefCell::default(),
        };
        memory.journal(Change::Founded {
            simulated_clock: true,
            head_public_key: [0; 32],
        })?;
        let parsed = Campaign::parse(source);
        let (campaign, _) = parsed.map_err(|findings| format!("{findings:?}"))?;
        let activation = pieces::activation(INDEX, 1, source, &campaign);
        for change in activation.map_err(|fault| fault.to_string())? {
            memory.journal(change)?;
        }
        Ok(memory)
    }

    /// The time that the next entries are stamped with.
    pub fn set_now(&self, now: Stamp) {
        self.now.set(now);
    }

    /// Stops after so many more changes; with `u64::MAX`, never.
    pub fn stop_after(&self, changes: u64) {
        self.stops_after.set(changes);
    }

    /// Looks at all that is durable.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.borrow())
    }

    /// Puts another state in place: an older backup.
    pub fn restore(&self, state: State) {
        self.state.replace(state);
    }

    /// Looks at a gate's line with what is durable of it.
    ///
    /// # Panics
    /// When there is no such line.
    pub fn in_line<T>(&self, gate: &Gate, line: LineIndex, look: impl FnOnce(InLine) -> T) -> T {
        let found = self.with_lines(INDEX, |settings, lines| {
            gate.in_line(settings, lines, line, look)
        });
        found
            .flatten()
            .expect("the campaign and its line are there")
    }

    /// Appends a change, unless it contradicts what is there.
    pub fn journal(&self, change: Change) -> Result<(), String> {
        let mut state = self.state.borrow_mut();
        let entry = Entry {
            seq: Seq(state.seq.0 + 1),
            stamp: self.now.get().max(state.stamp),
            previous: state.head,
            actor: Actor::System,
            change,
        };
        let mut bytes = self.bytes.borrow_mut();
        bytes.clear();
        let hash = entry.encode(&mut bytes);
        apply(&mut state, &entry, hash).map_err(|contradiction| contradiction.to_string())
    }
}

impl Journal for Memory {
    fn with_lines<T>(
        &self,
        index: CampaignIndex,
        look: impl FnOnce(&GateSettings, &[Line]) -> T,
    ) -> Option<T> {
        let state = self.state.borrow();
        let campaign = state.campaign(index);
        campaign.map(|campaign| look(&campaign.gate, &campaign.lines))
    }

    /// # Panics
    /// When a change of the keeper contradicts the journal: a defect.
    fn keep(&self, change: Change) -> Option<()> {
        self.stops_after.set(self.stops_after.get().checked_sub(1)?);
        if let Err(contradiction) = self.journal(change) {
            panic!("the keeper contradicts the journal: {contradiction}");
        }
        Some(())
    }
}
