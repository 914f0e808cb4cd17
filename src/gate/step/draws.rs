//! The draws of a step: seeds are committed to and shown, lobbies are drawn, windows planned.

use super::{GateStep, Journal};
use crate::domain::campaign::{Opening, Order};
use crate::domain::entry::Change;
use crate::domain::ids::LineIndex;
use crate::domain::line::{Draw, Line, commitment};
use crate::domain::time::Stamp;
use crate::gate::drawn::Drawn;
use crate::gate::hours::{OpeningState, lobbies, next_opening};
use crate::gate::live::LiveLine;

/// Requests that saw the lobby open have this long to end before it is drawn.
const DRAW_AFTER_S: i64 = 1;

impl<J: Journal> GateStep<'_, J> {
    /// Commits to the seeds of the next draws, and reveals each when its opening has come.
    ///
    /// A line in which somebody has a number already keeps the order that it began with: whoever
    /// came by arrival is not drawn, and whoever came into a draw is drawn, whatever the rules say
    /// by then.
    pub(super) fn draw(&self, now: Stamp) -> Option<()> {
        let order = self.campaign.gate.order;
        let to_draw = match order {
            Order::Arrival => Vec::new(),
            Order::Draw => self.next_draws(now),
            Order::Windows => {
                let openings = self.campaign.openings.iter();
                openings.filter(|opening| now < opening.until).collect()
            }
        };
        for opening in to_draw {
            let live = self.gate.line(opening.line)?;
            let may = |line: &Line| line.draw.is_none() && live.has_nobody(line);
            if self.with_line(opening.line, may)? {
                let seed = self.seed(opening.line, opening.from, order == Order::Windows);
                self.journal.keep(Change::DrawCommitted {
                    campaign: self.index,
                    line: opening.line,
                    opening: opening.from,
                    commitment: commitment(&seed),
                })?;
            }
        }
        for opening in &self.campaign.openings {
            if let Some(draw) = self.with_line(opening.line, |line| line.draw.clone())? {
                self.reveal(opening, draw, now)?;
            }
        }
        Some(())
    }

    fn reveal(&self, opening: &Opening, draw: Draw, now: Stamp) -> Option<()> {
        let (live, line) = (self.gate.line(opening.line)?, opening.line);
        if self.goes_by_windows(opening, &live)? {
            return self.plan_windows(opening, draw, now);
        }
        if opening.from <= now {
            live.close_lobby();
        }
        match draw.seed {
            Some(_) => {}
            None if opening.from.plus_s(DRAW_AFTER_S) <= now => {
                // Whoever entered before the lobby closed is in the journal before the seed.
                self.journal_places(line)?;
                self.reveal_seed(line, &draw)?;
            }
            None => return Some(()),
        }
        if !live.is_drawn() {
            let people = self.with_line(line, |line| live.waiting(line))?;
            let mut lobby = Vec::with_capacity(people as usize);
            let mut part = 0;
            while self.with_line(line, |line| Drawn::collect(&mut lobby, line, part))? {
                part += 1;
            }
            let drawn_by = self.with_line(line, Line::drawn_by)?;
            live.set_drawn(Drawn::of(&lobby, &drawn_by.unwrap_or_default()));
        }
        Some(())
    }

    fn reveal_seed(&self, line: LineIndex, draw: &Draw) -> Option<()> {
        let seeds = [false, true].map(|of_windows| self.seed(line, draw.opening, of_windows));
        let [first, _] = seeds;
        let is_it = |seed: &[u8; 32]| commitment(seed) == draw.commitment;
        let seed = seeds.into_iter().find(is_it).unwrap_or(first);
        self.journal.keep(Change::DrawRevealed {
            campaign: self.index,
            line,
            seed,
        })
    }

    /// Whether the people of an opening come by windows. A line in which somebody has a number goes
    /// on in the order that it began with.
    fn goes_by_windows(&self, opening: &Opening, live: &LiveLine) -> Option<bool> {
        let by_rules = self.campaign.gate.order == Order::Windows;
        let began = |line: &Line| !line.windows.is_empty() || live.has_nobody(line);
        Some(by_rules && self.with_line(opening.line, began)?)
    }

    /// Shows the seed of the windows of an opening when that time has come, and plans those that
    /// have not begun, now and whenever the opening, the rate or the windows' size changes. Windows
    /// that people were told are planned anew also if the opening is postponed for so long that
    /// nobody else can look theirs up any more.
    fn plan_windows(&self, opening: &Opening, draw: Draw, now: Stamp) -> Option<()> {
        let line = opening.line;
        let is_due = match OpeningState::of(self.campaign, opening, now) {
            OpeningState::Lobby | OpeningState::Open => true,
            OpeningState::Before => self.with_line(line, |line| !line.windows.is_empty())?,
            OpeningState::Finishing | OpeningState::Closed => false,
        };
        if !is_due {
            return Some(());
        }
        if draw.seed.is_none() {
            self.reveal_seed(line, &draw)?;
        }
        let rules = &self.campaign.gate;
        let basis = self.with_lines(|settings, _| {
            let admit_per_s = settings.admit_per_s.unwrap_or(rules.admit_per_s);
            rules.windows(opening, admit_per_s)
        })?;
        if !self.with_line(line, |line| line.windows.is_outdated(&basis, now))? {
            return Some(());
        }
        let people = (self.people_of)(opening);
        let plan = self.with_line(line, |line| line.windows.next(basis, people, now))?;
        match plan {
            Some(plan) => self.journal.keep(Change::WindowsPlanned {
                campaign: self.index,
                line,
                plan,
            }),
            None => Some(()),
        }
    }

    /// The next opening, and those after it whose lobby is open before it has come.
    fn next_draws(&self, now: Stamp) -> Vec<&Opening> {
        let next = next_opening(self.campaign, now);
        let beside = next.map(|next| lobbies(self.campaign, next));
        let all: Vec<Stamp> = next
            .into_iter()
            .chain(beside.into_iter().flatten())
            .collect();
        let openings = self.campaign.openings.iter();
        openings
            .filter(|opening| all.contains(&opening.from))
            .collect()
    }

    fn seed(&self, line: LineIndex, opening: Stamp, of_windows: bool) -> [u8; 32] {
        let campaign = self.campaign.id.as_str();
        self.keys.draw_seed(campaign, line, opening, of_windows)
    }
}
