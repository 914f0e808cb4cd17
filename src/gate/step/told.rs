//! What the people of each line were told, journalled once a minute.
//!
//! An entry is written while anybody has a number of the line and something of it is another than
//! a minute ago. So a line costs at most one entry a minute, and a line in which nothing happens
//! none (`a_line_is_told_once_a_minute_and_not_at_all_when_nothing_happens`).

use super::{GateStep, Journal, StepMemory};
use crate::domain::campaign::Opening;
use crate::domain::entry::Change;
use crate::domain::ids::LineIndex;
use crate::domain::line::told::Told;
use crate::domain::time::Stamp;
use crate::gate::hours::OpeningState;
use crate::gate::live::InLine;

/// Seconds in the minute that an entry stands for.
const MINUTE_S: i64 = 60;

/// What was journalled of a line last.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToldBefore {
    /// Minutes since 1970.
    minute: i64,
    told: Option<Told>,
}

impl<J: Journal> GateStep<'_, J> {
    /// Journals what the people of each line are told, when a minute is over since the last time.
    pub(super) fn journal_told(&self, memory: &mut StepMemory, now: Stamp) -> Option<()> {
        let minute = now.unix_s().div_euclid(MINUTE_S);
        for opening in &self.campaign.openings {
            let state = OpeningState::of(self.campaign, opening, now);
            if matches!(state, OpeningState::Before | OpeningState::Closed) {
                memory.told.remove(&opening.line);
                continue;
            }
            // The minute in which a process starts is the one before's.
            let nothing = ToldBefore { minute, told: None };
            let before = *memory.told.entry(opening.line).or_insert(nothing);
            if minute <= before.minute {
                continue;
            }
            let told = self.told(opening, state, now)?;
            if told.newest > 0 && before.told != Some(told) {
                self.keep_told(opening.line, told)?;
            }
            let told = Some(told);
            memory
                .told
                .insert(opening.line, ToldBefore { minute, told });
        }
        Some(())
    }

    fn keep_told(&self, line: LineIndex, told: Told) -> Option<()> {
        self.journal.keep(Change::LineTold {
            campaign: self.index,
            line,
            told,
        })
    }

    fn told(&self, opening: &Opening, state: OpeningState, now: Stamp) -> Option<Told> {
        let opens_in_ns = match state {
            OpeningState::Lobby => opening.from.0.saturating_sub(now.0).max(0),
            _ => 0,
        };
        let opens_in_s = (opens_in_ns as u64).div_ceil(Stamp::SECOND as u64);
        let look = |here: InLine| here.told(opens_in_s);
        self.with_lines(|settings, lines| self.gate.in_line(settings, lines, opening.line, look))?
    }
}
