//! When a campaign's gate is open at all: before, in the lobby, open, closed.

use crate::domain::campaign::Campaign;
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
    let lobby_s = i64::from(campaign.gate.lobby_opens_min) * 60;
    let openings = campaign.openings.iter().map(|opening| opening.from);
    openings.filter(move |from| from.plus_s(-lobby_s) <= now && now < *from)
}
