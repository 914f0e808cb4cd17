//! The gate of a campaign: who may go in, and in which order.
//!
//! Each opening has a line of its own (`LiveLine`). A person who enters gets the next number of
//! their line, once; numbers up to `serving` may go in. `domain::line` is what the journal knows of
//! the lines. This module holds what is newer: numbers that were given since the keeper last
//! journalled them, and how far each line is served.

pub mod admission;
pub mod board;
pub mod drawn;
pub mod ended;
pub mod hours;
pub mod live;
pub mod memory;
pub mod outlook;
pub mod sessions;
pub mod step;
pub mod token;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

use crate::domain::campaign::GateRules;
use crate::domain::ids::{LineIndex, PersonKey};
use crate::domain::line::windows::Window;
use crate::domain::line::{GateSettings, Given, Line, Ticket};
use crate::domain::time::Stamp;
use admission::Limits;
use board::Board;
use live::{InLine, LiveLine};
use outlook::WaitBecause;
use sessions::Sessions;

/// A campaign's gate.
#[derive(Debug)]
pub struct Gate {
    pub sessions: Sessions,
    /// What all lines have together.
    pub limits: Arc<Limits>,
    /// By `LineIndex`.
    lines: ArcSwap<Vec<Arc<LiveLine>>>,
    /// Held while people are called: only one thread calls at a time.
    calling: Mutex<()>,
    /// What anyone may know, as bytes that are the same for everybody.
    pub board: ArcSwap<Board>,
    /// The server's time stands still until then; the board says so.
    stands_still_until: AtomicI64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceState {
    Lobby,
    /// Their window has not come; they have no number.
    Window,
    Waiting,
    Admitted,
}

/// A person's position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub state: PlaceState,
    /// The number by which the person is called.
    pub number: u64,
    /// What their token carries: the same number unless a draw gave them another.
    pub ticket: Ticket,
    pub ahead: u64,
    /// The wait, as a range; in a pause it counts from when the line goes on.
    pub wait_s: [u64; 2],
    /// Why the wait is longer than people were told before.
    pub wait_because: Option<WaitBecause>,
    pub next_poll_s: u32,
    /// They came when their turn had been given on, and have the next that becomes free.
    pub is_late: bool,
    /// Until when a turn is kept for them, once it has come: then it goes to the next person.
    pub kept_until: Option<Stamp>,
    /// The position of the opening of their line; none for somebody who goes in past every line.
    pub opening: Option<u16>,
    /// They will probably not have their turn before the opening ends.
    pub may_not_reach: Option<MayNotReach>,
    /// When they may come; of an opening whose order is `windows`.
    pub window: Option<Window>,
}

/// What somebody can look forward to who will probably not have their turn.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MayNotReach {
    /// The position of their next opening, if one is planned.
    pub next: Option<u16>,
}

impl Place {
    /// Of somebody who goes in past every line, to look after their own booking or hold. They keep
    /// the number that they have, if any.
    pub fn past_every_line(ticket: Option<Ticket>) -> Self {
        let ticket = ticket.unwrap_or(Ticket {
            line: None,
            given: Given::new(0, false),
        });
        Self {
            state: PlaceState::Admitted,
            number: ticket.given.number(),
            ticket,
            ahead: 0,
            wait_s: [0, OWNER_POLL_S.into()],
            wait_because: None,
            next_poll_s: OWNER_POLL_S,
            is_late: false,
            kept_until: None,
            opening: None,
            may_not_reach: None,
            window: None,
        }
    }

    /// Whether they go in past every line, to look after their own booking or hold.
    pub fn goes_past(&self) -> bool {
        self.state == PlaceState::Admitted && self.opening.is_none()
    }

    /// Of somebody whose window has not come.
    pub fn before_window(line: LineIndex, window: Window, person: PersonKey, now: Stamp) -> Self {
        let lot = person.0[15];
        let wait_s = outlook::window_wait_s(window, now);
        Self {
            state: PlaceState::Window,
            ticket: Ticket {
                line: Some(line),
                given: Given::new(0, false),
            },
            wait_s,
            next_poll_s: outlook::window_poll_s(wait_s, lot),
            window: Some(window),
            ..Self::past_every_line(None)
        }
    }
}

/// When somebody who may go in at once is asked to look again.
const OWNER_POLL_S: u32 = 5;

/// How a person comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Into the lobby of their opening, which is drawn or not.
    Lobby { is_drawn: bool, opens: Stamp },
    /// Into the line of an opening whose order is `windows`, once their window has begun.
    Windows { opens: Stamp },
    /// Back to the place that they have: the opening was postponed and its lobby is closed again.
    Postponed { opens: Stamp },
    /// Into the open line.
    Open,
    /// Their opening is over; whoever was called before its end may still go in for a while.
    Finishing,
    /// To look after their own booking or hold: at any time, past every line.
    Owner,
}

impl Way {
    fn is_drawn(self) -> bool {
        matches!(self, Self::Lobby { is_drawn: true, .. })
    }

    /// Whether nobody comes in who has no number yet.
    fn is_closed(self) -> bool {
        matches!(self, Self::Postponed { .. } | Self::Finishing)
    }

    /// The same for somebody who has a number: they don't wait for a window any more.
    fn with_number(self, now: Stamp) -> Self {
        match self {
            Self::Windows { opens } if now < opens => Self::Lobby {
                is_drawn: false,
                opens,
            },
            Self::Windows { .. } => Self::Open,
            other => other,
        }
    }

    /// Seconds until the line moves for a person: until their opening.
    fn after_s(self, now: Stamp) -> u64 {
        let opens = match self {
            Self::Lobby { opens, .. } | Self::Windows { opens } | Self::Postponed { opens } => {
                opens.0
            }
            Self::Open | Self::Finishing | Self::Owner => 0,
        };
        (opens.saturating_sub(now.0).max(0) as u64).div_ceil(Stamp::SECOND as u64)
    }
}

impl Gate {
    /// A gate as the journal left it.
    pub fn new(rules: &GateRules, settings: &GateSettings, lines: &[Line], now: Stamp) -> Self {
        let gate = Self {
            sessions: Sessions::new(rules.session_idle_s, now),
            limits: Arc::new(Limits::new(rules, settings, now)),
            lines: ArcSwap::default(),
            calling: Mutex::default(),
            board: ArcSwap::from_pointee(Board::default()),
            stands_still_until: AtomicI64::new(i64::MIN),
        };
        gate.follow(rules, settings, lines, now);
        gate
    }

    /// Takes over the settings that are in force and the lines that there are.
    pub fn follow(&self, rules: &GateRules, settings: &GateSettings, lines: &[Line], now: Stamp) {
        self.sessions.set_idle_s(rules.session_idle_s);
        let freeze = settings.pause.as_ref().filter(|pause| pause.freezes);
        self.sessions.freeze(freeze.map(|pause| pause.since), now);
        let rates = self.limits.follow(rules, settings);
        let live = self.lines.load();
        if let Some((before, after)) = rates {
            for line in live.iter() {
                line.admission.rescale(before, after);
            }
        }
        if live.len() < lines.len() {
            let mut all = Vec::clone(&live);
            let new = lines[live.len()..].iter();
            all.extend(new.map(|line| Arc::new(LiveLine::new(&self.limits, line, now))));
            self.lines.store(Arc::new(all));
        }
    }

    /// Begins a line anew: its opening is over.
    pub fn empty(&self, index: LineIndex, now: Stamp) {
        let mut all = Vec::clone(&self.lines.load());
        if let Some(line) = all.get_mut(index.at()) {
            line.admission.give_back();
            *line = Arc::new(LiveLine::new(&self.limits, &Line::default(), now));
        }
        self.lines.store(Arc::new(all));
    }

    /// Looks at a line with what the journal knows of it; none if there is no such line.
    pub fn in_line<T>(
        &self,
        settings: &GateSettings,
        lines: &[Line],
        index: LineIndex,
        look: impl FnOnce(InLine) -> T,
    ) -> Option<T> {
        let live = self.lines.load();
        Some(look(InLine {
            gate: self,
            live: live.get(index.at())?,
            index,
            line: lines.get(index.at())?,
            settings,
        }))
    }

    /// A line, to be kept for a step.
    pub fn line(&self, index: LineIndex) -> Option<Arc<LiveLine>> {
        self.lines.load().get(index.at()).cloned()
    }

    /// Makes the board say that the server's time stands still until then; none when it does not.
    pub fn stand_still_until(&self, until: Option<Stamp>) {
        let until = until.map_or(i64::MIN, |until| until.0);
        self.stands_still_until.store(until, Ordering::Relaxed);
    }

    /// Begins the session of somebody who goes in past every line; when it began.
    pub fn admit_owner(&self, person: PersonKey, now: Stamp) -> Stamp {
        let counts = self.sessions.counts(&person);
        self.sessions.begin(person, now, counts)
    }

    /// Lets the person of a place in if they may go in now. Returns when their session began.
    pub fn admit(&self, person: PersonKey, place: &Place, now: Stamp) -> Option<Stamp> {
        if place.state != PlaceState::Admitted {
            return None;
        }
        let line = self.line(place.ticket.line?)?;
        self.sessions
            .admit(person, place.ticket.mark(), now, |first| {
                // The person is counted as active already.
                let others = self.sessions.active() - 1;
                line.admission
                    .come(person, place.number, first, others, now)
            })
    }
}

#[cfg(test)]
mod tests;
