//! One step of a gate: leases numbers, journals places, draws lots, calls the next people and
//! renews the board.
//!
//! The caller takes this step again and again. In a server the caller is the keeper's thread, and
//! the journal is the writer's. In a simulation time is virtual and the journal is in memory. A
//! step itself never sleeps and never asks for the time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use data_encoding::HEXLOWER;

use super::Gate;
use super::board::{Board, BoardView};
use super::drawn::Drawn;
use super::hours::{GateState, gate_state, lobbies, next_opening};
use crate::domain::campaign::{Campaign, Order};
use crate::domain::entry::Change;
use crate::domain::ids::CampaignIndex;
use crate::domain::line::{DRAWS_MAX, Draw, Line, commitment};
use crate::domain::pieces::PIECE_BYTES_MAX;
use crate::domain::time::Stamp;
use crate::keys::Keys;

/// Numbers leased at a time.
const LEASE: u64 = 1 << 20;
/// The first lease of a process. What a restart leaves of it is never given: 2³² numbers last for
/// 32,768 restarts. With half of it left, six steps of 100,000 arrivals a second, comes the next.
const LEASE_FIRST: u64 = 1 << 17;
/// Places in one entry.
const PLACES_MAX: usize = PIECE_BYTES_MAX / PLACE_BYTES;
/// A place in an entry: the person's key of 16 bytes, four of the number and one of the draw.
const PLACE_BYTES: usize = 16 + 4 + 1;
/// Requests that saw the lobby open have this long to end before it is drawn.
const DRAW_AFTER_S: i64 = 1;
/// The board and the number served are renewed at most this often.
const BOARD_NS: i64 = Stamp::SECOND;

/// The journal as a step needs it. Both methods return none when the journal has stopped.
pub trait Journal {
    /// Looks at the line as far as it is durable.
    fn with_line<T>(&self, index: CampaignIndex, look: impl FnOnce(&Line) -> T) -> Option<T>;

    /// Has a change journalled; returns when it is durable.
    fn keep(&self, change: Change) -> Option<()>;
}

/// What is remembered of a gate from one step to the next.
#[derive(Debug, Default)]
pub struct StepMemory {
    board_at: Option<Stamp>,
    serving: u64,
    /// Openings whose lobby is open, with the last number given before it was.
    lobbies: BTreeMap<Stamp, u64>,
    has_stepped: bool,
}

/// One gate and what its step needs.
pub struct GateStep<'a, J> {
    pub journal: &'a J,
    pub index: CampaignIndex,
    pub campaign: &'a Campaign,
    pub gate: &'a Gate,
    pub keys: &'a Keys,
}

impl<J: Journal> GateStep<'_, J> {
    /// Takes the step. Returns none when the journal has stopped.
    pub fn take(&self, memory: &mut StepMemory, now: Stamp) -> Option<()> {
        self.lease()?;
        self.journal_places()?;
        self.draw(now)?;
        self.hold(memory, now)?;
        let state = gate_state(self.campaign, now);
        let (serving, paused) = self.with_line(|line| {
            self.gate.admission.follow(&self.campaign.gate, line);
            let open = state == GateState::Open && line.pause.is_none();
            let serving = self.gate.call(line, open, now);
            let paused = line.pause.is_some();
            let waiting = self.gate.waiting(line);
            self.gate.admission.look_ahead(waiting, paused, now);
            (serving, paused)
        })?;
        let shown = self.gate.board.load().view.state == "paused";
        if memory.board_at.is_none_or(|at| now.0 - at.0 >= BOARD_NS) || shown != paused {
            memory.board_at = Some(now);
            self.show(state, serving, now)?;
            if memory.serving != serving {
                memory.serving = serving;
                self.journal.keep(Change::ServingAdvanced {
                    campaign: self.index,
                    serving,
                })?;
            }
        }
        Some(())
    }

    fn with_line<T>(&self, look: impl FnOnce(&Line) -> T) -> Option<T> {
        self.journal.with_line(self.index, look)
    }

    fn lease(&self) -> Option<()> {
        let first_of_all = self.gate.has_leased_nothing();
        let size = if first_of_all { LEASE_FIRST } else { LEASE };
        if !first_of_all && self.gate.leased_left() > LEASE_FIRST / 2 {
            return Some(());
        }
        let campaign = self.index;
        let first = self.with_line(|line| line.leased_until())? + 1;
        let until = (first + size - 1).min(u64::from(u32::MAX));
        if first < until {
            self.journal.keep(Change::NumbersLeased {
                campaign,
                first,
                until,
            })?;
            self.gate.leased(until);
        }
        Some(())
    }

    fn journal_places(&self) -> Option<()> {
        for places in self.gate.fresh().chunks(PLACES_MAX) {
            let change = Change::PlacesGiven {
                campaign: self.index,
                places: places.to_vec(),
            };
            self.journal.keep(change)?;
            self.gate.journalled(places);
        }
        Some(())
    }

    /// Sees to it that nobody who came while a lobby was open is called before its opening: its
    /// people are among them, and can't go in yet. Only matters where another opening is open.
    fn hold(&self, memory: &mut StepMemory, now: Stamp) -> Option<()> {
        let newest = self.with_line(|line| {
            if memory.has_stepped {
                self.gate.newest().max(line.newest())
            } else {
                // A start in the middle of a lobby does not know who came before it.
                line.serving
            }
        })?;
        memory.has_stepped = true;
        let before = std::mem::take(&mut memory.lobbies);
        for opening in lobbies(self.campaign, now) {
            let number = before.get(&opening).copied().unwrap_or(newest);
            memory.lobbies.insert(opening, number);
        }
        let until = memory.lobbies.keys().next().copied();
        let number = memory.lobbies.values().min().copied();
        self.gate.set_hold(number.zip(until));
        Some(())
    }

    /// Commits to the seeds of the next draws, and reveals each when its opening has come.
    fn draw(&self, now: Stamp) -> Option<()> {
        if self.campaign.gate.order != Order::Draw {
            return Some(());
        }
        let mut draws = self.with_line(|line| line.draws.clone())?;
        for opening in self.next_draws(now) {
            let is_committed = draws.iter().any(|draw| draw.opening == opening);
            if is_committed || draws.len() >= DRAWS_MAX {
                continue;
            }
            let (campaign, commitment) = (self.index, commitment(&self.seed(opening)));
            self.journal.keep(Change::DrawCommitted {
                campaign,
                opening,
                commitment,
            })?;
            draws.push(Draw {
                opening,
                commitment,
                seed: None,
            });
        }
        for (at, draw) in draws.iter().enumerate() {
            if draw.opening <= now {
                self.gate.close_lobby(at);
            }
            let seed = match draw.seed {
                Some(seed) => seed,
                None if draw.opening.plus_s(DRAW_AFTER_S) <= now => {
                    // Whoever entered before the lobby closed is in the journal before the seed.
                    self.journal_places()?;
                    let (opening, seed) = (draw.opening, self.seed(draw.opening));
                    let campaign = self.index;
                    self.journal.keep(Change::DrawRevealed {
                        campaign,
                        opening,
                        seed,
                    })?;
                    seed
                }
                None => continue,
            };
            if !self.gate.is_drawn(at) {
                let people = self.with_line(|line| self.gate.waiting(line))?;
                let mut lobby = Vec::with_capacity(people as usize);
                let mut part = 0;
                while self.with_line(|line| Drawn::collect(&mut lobby, line, at, part))? {
                    part += 1;
                }
                self.gate.set_drawn(at, Drawn::of(&lobby, &seed));
            }
        }
        Some(())
    }

    /// The next opening, and those after it whose lobby is open before it has come.
    fn next_draws(&self, now: Stamp) -> BTreeSet<Stamp> {
        let next = next_opening(self.campaign, now);
        let beside = next.map(|next| lobbies(self.campaign, next));
        next.into_iter()
            .chain(beside.into_iter().flatten())
            .collect()
    }

    fn seed(&self, opening: Stamp) -> [u8; 32] {
        self.keys.draw_seed(self.campaign.id.as_str(), opening.0)
    }

    fn show(&self, state: GateState, serving: u64, now: Stamp) -> Option<()> {
        self.with_line(|line| show(self.gate, self.campaign, line, (state, serving), now))
    }
}

/// Puts up the board of a gate as it is now.
pub fn show(
    gate: &Gate,
    campaign: &Campaign,
    line: &Line,
    (state, serving): (GateState, u64),
    now: Stamp,
) {
    let hex = |bytes: &[u8; 32]| HEXLOWER.encode(bytes);
    let next = line.draws.iter().find(|draw| draw.seed.is_none());
    let seed = line.draws.iter().rev().find_map(|draw| draw.seed);
    let pause = line.pause.as_ref();
    let second = Stamp(now.0 - now.0.rem_euclid(Stamp::SECOND));
    // At the floor and not past it: time has not moved on yet.
    let stands_still = now.0 <= gate.stands_still_until.load(Ordering::Relaxed);
    let view = BoardView {
        state: pause.map_or(state.name(), |_| "paused").into(),
        serving,
        waiting: gate.waiting(line),
        admit_per_s: gate.admission.admit_per_s(),
        as_of: campaign.zone.rfc3339(second),
        message: pause
            .map(|pause| pause.reason.clone())
            .or(line.message.clone()),
        stands_still_until: stands_still.then(|| campaign.zone.rfc3339(second)),
        draw_commitment: next.map(|draw| hex(&draw.commitment)),
        draw_seed: seed.as_ref().map(hex),
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
        let place = (
            PersonKey([255; 16]),
            Given::new(u64::from(u32::MAX), Some(254)),
        );
        let bytes = encoded_bytes(&Change::PlacesGiven {
            campaign: CampaignIndex(u16::MAX),
            places: vec![place; PLACES_MAX],
        });
        assert!(bytes > PIECE_BYTES_MAX - PLACE_BYTES && bytes < ENTRY_BYTES_MAX - 100);
    }
}
