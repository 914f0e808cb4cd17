//! The gate's keeper: one thread that has numbers leased and places journalled, holds the draw,
//! calls the next people and keeps the board.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::Service;
use super::entrance::{GateState, gate_state};
use crate::domain::campaign::Order;
use crate::domain::entry::Change;
use crate::domain::ids::CampaignIndex;
use crate::domain::line::{Draw, commitment};
use crate::domain::time::Stamp;
use crate::gate::Gate;
use crate::gate::board::{Board, BoardView};
use crate::gate::drawn::Drawn;
use crate::ledger::command::{Command, Outcome};
use crate::ledger::shared::Offer;

/// How often people are called.
const STEP: Duration = Duration::from_millis(100);
/// Numbers leased at a time: with half of them left, the next lease is five steps of 100,000
/// arrivals a second away.
const LEASE: u64 = 1 << 20;
/// Places in one entry: about 170 kB.
const PLACES_MAX: usize = 8_192;
/// Requests that saw the lobby open have this long to end before it is drawn.
const DRAW_AFTER_S: i64 = 1;
/// The board and the number served are renewed at most this often.
const BOARD_NS: i64 = Stamp::SECOND;

/// The keeper of every gate.
pub struct GateKeeper {
    service: Arc<Service>,
    kept: Vec<Kept>,
}

impl GateKeeper {
    /// A keeper that has done its first step: numbers are leased, the boards are up.
    pub fn ready(service: Arc<Service>) -> Self {
        let mut keeper = Self {
            service,
            kept: Vec::new(),
        };
        let _ = keeper.step();
        keeper
    }

    /// Goes on until the writer stops.
    pub fn run(mut self) {
        while self.service.writer.is_running() && self.step().is_some() {
            std::thread::sleep(STEP);
        }
    }

    /// One step at every gate; none when the writer has stopped.
    fn step(&mut self) -> Option<()> {
        let service = &self.service;
        let delay_us = service.shared.delay_us.swap(u64::MAX, Ordering::Relaxed);
        let offers = service.shared.offers().clone();
        for offer in offers.iter() {
            let at = offer.catalog.index.at();
            if self.kept.len() <= at {
                self.kept.resize_with(at + 1, Kept::default);
            }
            let gate = service.gate(offer);
            gate.admission.delayed(delay_us);
            Keeper {
                service,
                offer,
                gate: &gate,
            }
            .keep(&mut self.kept[at])?;
        }
        Some(())
    }
}

/// What the keeper remembers of a gate.
#[derive(Default)]
struct Kept {
    board_at: Option<Stamp>,
    serving: u64,
}

struct Keeper<'a> {
    service: &'a Service,
    offer: &'a Offer,
    gate: &'a Gate,
}

impl Keeper<'_> {
    /// One step; none when the writer has stopped.
    fn keep(&self, kept: &mut Kept) -> Option<()> {
        let now = self.service.clock.now();
        self.lease()?;
        self.journal_places()?;
        self.draw(now)?;
        let state = gate_state(&self.offer.catalog.campaign, now);
        let (serving, paused) = self.with_line(|line| {
            self.gate
                .admission
                .follow(&self.offer.catalog.campaign.gate, line);
            let open = state == GateState::Open && line.pause.is_none();
            (self.gate.call(line, open, now), line.pause.is_some())
        })?;
        let shown = self.gate.board.load().view.state == "paused";
        if kept.board_at.is_none_or(|at| now.0 - at.0 >= BOARD_NS) || shown != paused {
            kept.board_at = Some(now);
            self.show(state, serving, now)?;
            if kept.serving != serving {
                kept.serving = serving;
                self.submit(Change::ServingAdvanced {
                    campaign: self.index(),
                    serving,
                })?;
            }
        }
        Some(())
    }

    fn index(&self) -> CampaignIndex {
        self.offer.catalog.index
    }

    fn with_line<T>(&self, look: impl FnOnce(&crate::domain::line::Line) -> T) -> Option<T> {
        let state = self.service.shared.state.read();
        let state = state.expect("no writer panics while it holds the lock");
        state
            .campaign(self.index())
            .map(|campaign| look(&campaign.line))
    }

    /// Has a change journalled and waits until it is durable.
    fn submit(&self, change: Change) -> Option<()> {
        let (reply, kept) = tokio::sync::oneshot::channel();
        self.service
            .writer
            .submit_always(Command::Keep { change, reply })
            .ok()?;
        matches!(kept.blocking_recv(), Ok(Outcome::Kept)).then_some(())
    }

    fn lease(&self) -> Option<()> {
        if self.gate.leased_left() > LEASE / 2 {
            return Some(());
        }
        let campaign = self.index();
        let first = self.with_line(|line| line.leased_until())? + 1;
        let until = (first + LEASE - 1).min(u64::from(u32::MAX));
        if first < until {
            self.submit(Change::NumbersLeased {
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
                campaign: self.index(),
                places: places.to_vec(),
            };
            self.submit(change)?;
            self.gate.journalled(places);
        }
        Some(())
    }

    /// Commits to the seed of the next opening's draw, and reveals it when the opening has come.
    fn draw(&self, now: Stamp) -> Option<()> {
        let campaign = &self.offer.catalog.campaign;
        if campaign.gate.order != Order::Draw {
            return Some(());
        }
        let draws = self.with_line(|line| line.draws.clone())?;
        let next = campaign
            .openings
            .iter()
            .map(|opening| opening.from)
            .filter(|from| now < *from)
            .min();
        if let Some(opening) = next
            && draws.iter().all(|draw| draw.opening != opening)
        {
            let commitment = commitment(&self.seed(opening));
            let campaign = self.index();
            self.submit(Change::DrawCommitted {
                campaign,
                opening,
                commitment,
            })?;
        }
        let open: Vec<&Draw> = draws.iter().filter(|draw| draw.seed.is_none()).collect();
        let due = open.iter().any(|draw| draw.opening <= now);
        self.gate.close_lobby(due);
        for (at, draw) in draws.iter().enumerate() {
            let seed = match draw.seed {
                Some(seed) => seed,
                None if draw.opening.plus_s(DRAW_AFTER_S) <= now => {
                    // Whoever entered before the lobby closed is in the journal before the seed.
                    self.journal_places()?;
                    let (opening, seed) = (draw.opening, self.seed(draw.opening));
                    let campaign = self.index();
                    self.submit(Change::DrawRevealed {
                        campaign,
                        opening,
                        seed,
                    })?;
                    seed
                }
                None => continue,
            };
            if !self.gate.is_drawn(at) {
                let drawn = self.with_line(|line| Drawn::of(line, at, &seed))?;
                self.gate.set_drawn(at, drawn);
            }
        }
        Some(())
    }

    fn seed(&self, opening: Stamp) -> [u8; 32] {
        self.service
            .keys
            .draw_seed(self.offer.catalog.campaign.id.as_str(), opening.0)
    }

    fn show(&self, state: GateState, serving: u64, now: Stamp) -> Option<()> {
        let campaign = &self.offer.catalog.campaign;
        let view = self.with_line(|line| {
            let hex = |bytes: &[u8; 32]| HEXLOWER.encode(bytes);
            let next = line.draws.iter().find(|draw| draw.seed.is_none());
            let seed = line.draws.iter().rev().find_map(|draw| draw.seed);
            BoardView {
                state: if line.pause.is_some() {
                    "paused"
                } else {
                    state.name()
                },
                serving,
                waiting: self.gate.waiting(line),
                admit_per_s: self.gate.admission.admit_per_s(),
                as_of: campaign
                    .zone
                    .rfc3339(Stamp(now.0 - now.0.rem_euclid(Stamp::SECOND))),
                message: line
                    .pause
                    .as_ref()
                    .map(|pause| pause.reason.clone())
                    .or(line.message.clone()),
                draw_commitment: next.map(|draw| hex(&draw.commitment)),
                draw_seed: seed.as_ref().map(hex),
            }
        })?;
        self.gate.board.store(Arc::new(Board::of(view)));
        Some(())
    }
}
