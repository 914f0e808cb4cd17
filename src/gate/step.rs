//! One step of a gate: leases numbers, journals places, draws lots, calls the next people, renews
//! the board, and journals once a minute what people were told.
//!
//! The caller takes this step again and again. In a server the caller is the keeper's thread, and
//! the journal is the writer's. In a simulation time is virtual and the journal is in memory. A
//! step itself never sleeps and never asks for the time.

mod draws;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use data_encoding::HEXLOWER;

use super::Gate;
use super::board::{Board, BoardView, LineView, OpeningSpan, PlanView, ValueView};
use super::hours::{OpeningState, gate_state};
use super::live::{InLine, LiveLine};
use super::outlook::{Crowd, WINDOW_LOOKS};
use crate::domain::campaign::{Campaign, Opening, Order};
use crate::domain::entry::Change;
use crate::domain::ids::{CampaignIndex, LineIndex};
use crate::domain::line::windows::Plan;
use crate::domain::line::{GateSettings, Line};
use crate::domain::pieces::PIECE_BYTES_MAX;
use crate::domain::time::Stamp;
use crate::keys::Keys;
use told::ToldBefore;

/// Numbers leased at a time.
const LEASE: u64 = 1 << 20;
/// The first lease of a process. What a restart leaves of it is never given: 2³² numbers last for
/// 32,768 restarts. With half of it left, six steps of 100,000 arrivals a second, comes the next.
const LEASE_FIRST: u64 = 1 << 17;
/// Places in one entry.
const PLACES_MAX: usize = PIECE_BYTES_MAX / PLACE_BYTES;
/// A place in an entry: the person's key of 16 bytes, four of the number and one of the draw.
const PLACE_BYTES: usize = 16 + 4 + 1;
/// Numbers are leased so long before a lobby opens, so that its first people find some.
const LEASE_AHEAD_S: i64 = 600;
/// Requests that saw an opening in force have this long to end before its line is emptied.
const END_AFTER_S: i64 = 5;
/// The least share of the rate that a line has while somebody waits in it.
const SHARE_MIN: f64 = 0.1;
/// Lines on the board whose lobby is to come.
const AWAITED_MAX: usize = 8;
/// The board and the number served are renewed at most this often.
const BOARD_NS: i64 = Stamp::SECOND;

/// The journal as a step needs it. Both methods return none when the journal has stopped.
pub trait Journal {
    /// Looks at the gate's settings and its lines as far as they are durable.
    fn with_lines<T>(
        &self,
        index: CampaignIndex,
        look: impl FnOnce(&GateSettings, &[Line]) -> T,
    ) -> Option<T>;

    /// Has a change journalled; returns when it is durable.
    fn keep(&self, change: Change) -> Option<()>;
}

/// What is remembered of a gate from one step to the next.
#[derive(Debug, Default)]
pub struct StepMemory {
    board_at: Option<Stamp>,
    /// Of the lines whose openings have begun.
    told: BTreeMap<LineIndex, ToldBefore>,
}

/// One gate and what its step needs.
pub struct GateStep<'a, J> {
    pub journal: &'a J,
    pub index: CampaignIndex,
    pub campaign: &'a Campaign,
    pub gate: &'a Gate,
    pub keys: &'a Keys,
    /// People on the roster whom an opening is for. Asked when windows are planned.
    pub people_of: &'a dyn Fn(&Opening) -> u64,
}

/// A line in use, with its opening and how far that is.
type OpenLine<'a> = (&'a Opening, Arc<LiveLine>, &'a Line, OpeningState);

impl<J: Journal> GateStep<'_, J> {
    /// Takes the step. Returns none when the journal has stopped.
    pub fn take(&self, memory: &mut StepMemory, now: Stamp) -> Option<()> {
        let rules = &self.campaign.gate;
        self.with_lines(|settings, lines| self.gate.follow(rules, settings, lines, now))?;
        for opening in &self.campaign.openings {
            let state = |at: Stamp| OpeningState::of(self.campaign, opening, at);
            // Where people come by windows nobody has a number before the opening. So its numbers
            // begin at 1 also if the server starts again after the windows were shown.
            let soon = state(now.plus_s(LEASE_AHEAD_S));
            let comes = match soon {
                OpeningState::Before => false,
                OpeningState::Lobby => self.campaign.gate.order != Order::Windows,
                _ => true,
            };
            if comes && !matches!(state(now), OpeningState::Finishing | OpeningState::Closed) {
                self.lease(opening.line)?;
            }
            self.journal_places(opening.line)?;
        }
        self.draw(now)?;
        self.end(now)?;
        let paused = self.call(now)?;
        let shown = self.gate.board.load().view.state == "paused";
        if memory.board_at.is_none_or(|at| now.0 - at.0 >= BOARD_NS) || shown != paused {
            memory.board_at = Some(now);
            self.with_lines(|settings, lines| {
                show(self.gate, self.campaign, settings, lines, now);
            })?;
            self.journal_serving()?;
            self.journal_told(memory, now)?;
        }
        Some(())
    }

    fn with_lines<T>(&self, look: impl FnOnce(&GateSettings, &[Line]) -> T) -> Option<T> {
        self.journal.with_lines(self.index, look)
    }

    fn with_line<T>(&self, line: LineIndex, look: impl FnOnce(&Line) -> T) -> Option<T> {
        self.with_lines(|_, lines| lines.get(line.at()).map(look))?
    }

    fn lease(&self, line: LineIndex) -> Option<()> {
        let live = self.gate.line(line)?;
        let first_of_all = live.has_leased_nothing();
        let size = if first_of_all { LEASE_FIRST } else { LEASE };
        if !first_of_all && live.leased_left() > LEASE_FIRST / 2 {
            return Some(());
        }
        let campaign = self.index;
        let first = self.with_line(line, |line| line.leased_until())? + 1;
        let until = (first + size - 1).min(u64::from(u32::MAX));
        if first < until {
            self.journal.keep(Change::NumbersLeased {
                campaign,
                line,
                first,
                until,
            })?;
            live.leased(until);
        }
        Some(())
    }

    fn journal_places(&self, line: LineIndex) -> Option<()> {
        let live = self.gate.line(line)?;
        for places in live.fresh().chunks(PLACES_MAX) {
            let change = Change::PlacesGiven {
                campaign: self.index,
                line,
                places: places.to_vec(),
            };
            self.journal.keep(change)?;
            live.journalled(places);
        }
        Some(())
    }

    fn journal_serving(&self) -> Option<()> {
        for line in self.campaign.openings.iter().map(|opening| opening.line) {
            let serving = self.gate.line(line)?.serving();
            if serving > self.with_line(line, |line| line.serving)? {
                self.journal.keep(Change::ServingAdvanced {
                    campaign: self.index,
                    line,
                    serving,
                })?;
            }
        }
        Some(())
    }

    /// Empties the lines whose openings are over, or are not in the rules any more. So too a line
    /// that nobody has come into whose lobby is to come, if its draw was committed to under rules
    /// that are not in force any more: people who come are not drawn, or not by a known seed.
    fn end(&self, now: Stamp) -> Option<()> {
        let all = self.with_lines(|_, lines| {
            let all = (0..).map(LineIndex).zip(lines);
            let begun = all.filter(|(_, line)| !line.is_empty());
            begun.map(|(index, _)| index).collect::<Vec<_>>()
        })?;
        for index in all {
            let is_over = self.is_over(index, now);
            if !is_over && !self.with_line(index, |line| self.is_not_wanted(index, line, now))? {
                continue;
            }
            let live = self.gate.line(index)?;
            let is_still_empty = live.begin_end();
            if !is_over && !is_still_empty {
                live.go_on();
                continue;
            }
            self.journal.keep(Change::LineEnded {
                campaign: self.index,
                line: index,
            })?;
            self.gate.empty(index, now);
        }
        Some(())
    }

    fn is_over(&self, index: LineIndex, now: Stamp) -> bool {
        self.campaign.opening_of(index).is_none_or(|opening| {
            let at = now.plus_s(-END_AFTER_S);
            OpeningState::of(self.campaign, opening, at) == OpeningState::Closed
        })
    }

    /// Whether the people of a line would be drawn as the rules don't want it any more, and there
    /// is nobody yet.
    fn is_not_wanted(&self, index: LineIndex, line: &Line, now: Stamp) -> bool {
        let is_to_come = self.campaign.opening_of(index).is_some_and(|opening| {
            OpeningState::of(self.campaign, opening, now) == OpeningState::Before
        });
        let is_other_draw = match self.campaign.gate.order {
            // A seed that was shown is kept: the same people would get other lots.
            Order::Arrival => line.draw.as_ref().is_some_and(|draw| draw.seed.is_none()),
            Order::Draw | Order::Windows => false,
        };
        let live = self.gate.line(index);
        is_to_come && is_other_draw && live.is_none_or(|live| live.has_nobody(line))
    }

    /// Calls the next people of every line; whether the gate is paused.
    fn call(&self, now: Stamp) -> Option<bool> {
        let openings = &self.campaign.openings;
        self.with_lines(|settings, lines| {
            let paused = settings.pause.is_some();
            let mut open: Vec<OpenLine> = Vec::new();
            for opening in openings {
                let state = OpeningState::of(self.campaign, opening, now);
                let (live, line) = (self.gate.line(opening.line), lines.get(opening.line.at()));
                if let (Some(live), Some(line)) = (live, line)
                    && !matches!(state, OpeningState::Before | OpeningState::Closed)
                {
                    open.push((opening, live, line, state));
                }
            }
            let moves = |state: OpeningState| state != OpeningState::Lobby;
            self.share(open.iter().filter(|(.., state)| moves(*state)));
            // The last free place goes to the line that has had the least of its share.
            open.sort_by(|(_, one, ..), (_, other, ..)| {
                let [one, other] = [one, other].map(|live| live.admission.served());
                one.total_cmp(&other)
            });
            let mut crowd = Crowd::default();
            for (opening, live, line, state) in &open {
                let call = |here: InLine| {
                    if *state == OpeningState::Finishing && !paused {
                        here.finish(now);
                    } else {
                        here.call(*state == OpeningState::Open && !paused, now);
                    }
                };
                self.gate.in_line(settings, lines, opening.line, call);
                crowd = crowd.and(live.admission.crowd(live.waiting(line), now));
                // Whoever looks a window up asks a sixth as often as whoever waits far back.
                let looking = line.windows.people_left(now) / WINDOW_LOOKS;
                crowd = crowd.and(Crowd::new(0.0, looking));
            }
            for (_, live, ..) in &open {
                live.admission.look_ahead(crowd, paused);
            }
            paused
        })
    }

    /// Shares the rate between the open lines by the number of people who wait in each, with a
    /// floor for each. A line in which nobody waits has no share while somebody waits in another:
    /// it gets one within a step. All shares together are one. Of an opening that is over only
    /// people who came late wait for anything.
    fn share<'b>(&self, open: impl Iterator<Item = &'b OpenLine<'b>> + Clone) {
        let waiting = |(_, live, line, state): &OpenLine| {
            let uncalled = match state {
                OpeningState::Finishing => 0,
                _ => live.waiting(line),
            };
            (uncalled + live.admission.late()) as f64
        };
        let each = open.clone().map(waiting);
        let (all, lines) = (
            each.clone().sum::<f64>(),
            each.filter(|people| *people > 0.0).count(),
        );
        self.gate.limits.set_shared(lines > 1);
        let waits = open.clone().filter(|each| waiting(each) > 0.0);
        let least = waits.map(|(_, live, ..)| live.admission.served());
        let least = least.reduce(f64::min).unwrap_or(0.0);
        let count = open.clone().count();
        let floor = SHARE_MIN.min(0.5 / lines.max(1) as f64);
        for each in open {
            let (live, people) = (&each.1, waiting(each));
            let share = match people {
                _ if lines == 0 => 1.0 / count as f64,
                people if people > 0.0 => floor + (1.0 - floor * lines as f64) * people / all,
                _ => 0.0,
            };
            live.admission.set_share(share, people > 0.0);
            if people == 0.0 || lines == 1 {
                live.admission.has_been_served(least);
            }
        }
    }
}

/// Puts up the board of a gate as it is now.
pub fn show(gate: &Gate, campaign: &Campaign, settings: &GateSettings, lines: &[Line], now: Stamp) {
    let hex = |bytes: &[u8; 32]| HEXLOWER.encode(bytes);
    let pause = settings.pause.as_ref();
    let named = |state: &'static str| pause.map_or(state, |_| "paused").into();
    let second = Stamp(now.0 - now.0.rem_euclid(Stamp::SECOND));
    // At the floor and not past it: time has not moved on yet.
    let stands_still = now.0 <= gate.stands_still_until.load(Ordering::Relaxed);
    let plan_told = |plan: &Plan| PlanView::of(campaign, plan);
    let mut openings: Vec<&Opening> = campaign.openings.iter().collect();
    openings.sort_by_key(|opening| opening.from);
    let mut awaited = 0;
    let shown = openings.into_iter().filter_map(|opening| {
        let state = OpeningState::of(campaign, opening, now);
        let line = lines.get(opening.line.at())?;
        let live = gate.line(opening.line)?;
        let is_awaited = state == OpeningState::Before && line.draw.is_some();
        let is_on = !matches!(state, OpeningState::Before | OpeningState::Closed);
        if is_awaited {
            awaited += 1;
        }
        (is_on || (is_awaited && awaited <= AWAITED_MAX)).then(|| LineView {
            opening: OpeningSpan::of(campaign, opening),
            state: named(state.gate_state().name()),
            serving: live.serving(),
            waiting: live.waiting(line),
            draw_commitment: line.draw.as_ref().map(|draw| hex(&draw.commitment)),
            draw_seed: line
                .draw
                .as_ref()
                .and_then(|draw| draw.seed.as_ref())
                .map(hex),
            draw_value: line
                .draw
                .as_ref()
                .and_then(|draw| draw.value.clone())
                .map(ValueView::of),
            windows: line.windows.plans().iter().map(plan_told).collect(),
        })
    });
    let shown: Vec<LineView> = shown.collect();
    let state = gate_state(campaign, now).name();
    let first = shown.iter().find(|line| line.state == named(state));
    let notice = pause
        .map(|pause| &pause.reason)
        .or(settings.message.as_ref());
    let view = BoardView {
        state: named(state),
        serving: first.map_or(0, |line| line.serving),
        waiting: shown.iter().map(|line| line.waiting).sum(),
        admit_per_s: gate.limits.admit_per_s(),
        as_of: campaign.zone.rfc3339(second),
        message: notice.map(|notice| notice.text.clone()),
        message_en: notice.and_then(|notice| notice.en.clone()),
        stands_still_until: stands_still.then(|| campaign.zone.rfc3339(second)),
        lines: shown,
    };
    gate.board.store(Arc::new(Board::of(view)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::entry::{ENTRY_BYTES_MAX, encoded_bytes};
    use crate::domain::ids::PersonKey;
    use crate::domain::line::Given;

    #[test]
    fn the_most_places_of_one_entry_fit_it() {
        let place = (PersonKey([255; 16]), Given::new(u64::from(u32::MAX), true));
        let bytes = encoded_bytes(&Change::PlacesGiven {
            campaign: CampaignIndex(u16::MAX),
            line: LineIndex(u16::MAX),
            places: vec![place; PLACES_MAX],
        });
        assert!(bytes > PIECE_BYTES_MAX - PLACE_BYTES && bytes < ENTRY_BYTES_MAX - 100);
    }
}
