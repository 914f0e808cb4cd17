//! When a campaign's gate is open at all, and each of its lines: before, in the lobby, open,
//! closed.

use crate::domain::campaign::{Campaign, Opening};
use crate::domain::time::Stamp;

/// The public state of the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GateState {
    Before,
    Lobby,
    Open,
    Closed,
}

impl GateState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Lobby => "lobby",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Open while any opening is; else the lobby of the next, before it, or after the last.
pub fn gate_state(campaign: &Campaign, now: Stamp) -> GateState {
    let openings = &campaign.openings;
    if openings
        .iter()
        .any(|opening| opening.from <= now && now < opening.until)
    {
        return GateState::Open;
    }
    match next_opening(campaign, now) {
        Some(_) if lobbies(campaign, now).next().is_some() => GateState::Lobby,
        Some(_) => GateState::Before,
        None => GateState::Closed,
    }
}

/// The next opening that has not come.
pub fn next_opening(campaign: &Campaign, now: Stamp) -> Option<Stamp> {
    let openings = campaign.openings.iter().map(|opening| opening.from);
    openings.filter(|from| now < *from).min()
}

/// The openings whose lobby is open: also while another opening is.
pub fn lobbies(campaign: &Campaign, now: Stamp) -> impl Iterator<Item = Stamp> {
    let lobby_s = i64::from(campaign.gate.lobby_min()) * 60;
    let openings = campaign.openings.iter().map(|opening| opening.from);
    openings.filter(move |from| from.plus_s(-lobby_s) <= now && now < *from)
}

/// How far an opening is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpeningState {
    Before,
    Lobby,
    Open,
    /// It is over, and whoever was called before its end may finish.
    Finishing,
    Closed,
}

impl OpeningState {
    /// Of a campaign's opening.
    pub fn of(campaign: &Campaign, opening: &Opening, now: Stamp) -> Self {
        let gate = &campaign.gate;
        let lobby = opening.from.plus_s(-60 * i64::from(gate.lobby_min()));
        let finished = opening.until.plus_s(60 * i64::from(gate.finish_min));
        if now < lobby {
            Self::Before
        } else if now < opening.from {
            Self::Lobby
        } else if now < opening.until {
            Self::Open
        } else if now < finished {
            Self::Finishing
        } else {
            Self::Closed
        }
    }

    /// As the gate's state: an opening that people may finish is closed for everybody else.
    pub fn gate_state(self) -> GateState {
        match self {
            Self::Before => GateState::Before,
            Self::Lobby => GateState::Lobby,
            Self::Open => GateState::Open,
            Self::Finishing | Self::Closed => GateState::Closed,
        }
    }
}
