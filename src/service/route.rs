//! Which line a person is in, and how they come in.
//!
//! A person may be in several cohorts, and so have several openings at a time. They stay in the
//! line that their token names, else in one in which they have a place; else they come into the one
//! that opened first, else into the lobby that opens first.

use crate::domain::booking::catalog::Catalog;
use crate::domain::campaign::eligibility::Subject;
use crate::domain::campaign::{Opening, Order};
use crate::domain::ids::{LineIndex, PersonKey};
use crate::domain::line::Ticket;
use crate::domain::line::windows::Window;
use crate::domain::state::CampaignState;
use crate::domain::time::Stamp;
use crate::gate::hours::OpeningState;
use crate::gate::live::InLine;
use crate::gate::{Gate, MayNotReach, Place, PlaceState, Way};

/// A person at the gate, with all that decides about their line.
pub(super) struct AtGate<'a> {
    pub gate: &'a Gate,
    pub campaign: &'a CampaignState,
    pub catalog: &'a Catalog,
    /// None for somebody who has left the roster.
    pub subject: Option<Subject>,
    pub person: PersonKey,
    /// Of the token that they show.
    pub ticket: Option<Ticket>,
    pub now: Stamp,
}

/// Where a person is, or comes to.
struct Route<'a> {
    /// The position of the opening.
    at: u16,
    opening: &'a Opening,
    way: Way,
}

/// Why there is no place for a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoPlace {
    /// No opening of theirs is open, and no lobby: the rules say why.
    Rules,
    /// The line that their token names is over, or not theirs any more. With the position of the
    /// opening that is open for them now, or comes next.
    Ended(Option<u16>),
    /// Their opening takes nobody any more, since then; with the position of their next.
    LastEntry(Stamp, Option<u16>),
    /// No number is leased at this moment.
    NotYet,
}

impl<'a> AtGate<'a> {
    /// The person's place, a new one if they have none; and how they come in.
    pub fn place(&self, issued: Stamp) -> Result<(Way, Place), NoPlace> {
        let is_owner = self.campaign.active_booking(&self.person).is_some()
            || self.campaign.running_hold(&self.person, self.now).is_some();
        if is_owner {
            return Ok((Way::Owner, Place::past_every_line(self.own_ticket(issued))));
        }
        let ended = || match self.ticket.and_then(|ticket| ticket.line) {
            Some(_) => NoPlace::Ended(self.open_or_next()),
            None => NoPlace::Rules,
        };
        let Some(route) = self.route() else {
            return Err(ended());
        };
        let (line, way) = (route.opening.line, route.way);
        let claimed = match self.ticket {
            Some(Ticket {
                line: Some(shown), ..
            }) if shown != line => return Err(ended()),
            ticket => ticket.filter(|ticket| ticket.line.is_some()),
        };
        if claimed.is_none() {
            self.may_come_new(&route)?;
        }
        let found = self.in_line(line, |here| match claimed {
            Some(Ticket { given, .. }) => here.look(self.person, given, issued, way, self.now),
            None => here.enter(self.person, way, self.now),
        });
        let place = found.flatten().ok_or_else(|| match way {
            Way::Finishing | Way::Postponed { .. } => ended(),
            _ => NoPlace::NotYet,
        })?;
        if way == Way::Finishing && place.state != PlaceState::Admitted {
            return Err(ended());
        }
        let place = Place {
            opening: Some(route.at),
            may_not_reach: self.may_not_reach(route.opening, &place),
            ..place
        };
        Ok((way, place))
    }

    /// The person's openings by their beginning, each with its position.
    fn openings(&self) -> impl Iterator<Item = (u16, &'a Opening)> {
        let rules = &self.catalog.campaign;
        let theirs = self.subject.into_iter();
        let theirs = theirs.flat_map(|subject| rules.rules.openings_of(&subject));
        theirs.map(|(at, _)| (at as u16, &rules.openings[at]))
    }

    fn state_of(&self, opening: &Opening) -> OpeningState {
        OpeningState::of(&self.catalog.campaign, opening, self.now)
    }

    fn in_line<T>(&self, line: LineIndex, look: impl FnOnce(InLine) -> T) -> Option<T> {
        let CampaignState { gate, lines, .. } = self.campaign;
        self.gate.in_line(gate, lines, line, look)
    }

    fn has_place(&self, opening: &Opening) -> bool {
        let known = self.in_line(opening.line, |here| here.known(&self.person));
        known.flatten().is_some()
    }

    fn route(&self) -> Option<Route<'a>> {
        let shown = self.ticket.and_then(|ticket| ticket.line);
        let mut best: Option<(u8, Route)> = None;
        for (at, opening) in self.openings() {
            let state = self.state_of(opening);
            let is_shown = shown == Some(opening.line);
            let by_windows = self.goes_by_windows(opening);
            let windows = Way::Windows {
                opens: opening.from,
            };
            let (way, rank) = match state {
                OpeningState::Open if by_windows => {
                    // Whoever has a number does not wait for a window any more.
                    let window = self.window(opening);
                    let is_before = window.is_some_and(|window| self.now < window.from);
                    let comes_later = is_before && !self.has_place(opening);
                    (windows, if comes_later { 4 } else { 2 })
                }
                OpeningState::Open => (Way::Open, 2),
                OpeningState::Lobby if by_windows => (windows, 4),
                OpeningState::Lobby => (self.lobby(opening), 4),
                // Whoever has a place in the lobby of an opening that was postponed keeps it, and
                // whoever was told a window has one, also while the lobby is closed again.
                OpeningState::Before if is_shown => {
                    let has_window = by_windows && self.window(opening).is_some();
                    let opens = opening.from;
                    let postponed = Way::Postponed { opens };
                    (if has_window { windows } else { postponed }, 4)
                }
                OpeningState::Finishing => (Way::Finishing, 6),
                OpeningState::Before | OpeningState::Closed => continue,
            };
            // Only whoever has a place may finish; their own places come before others.
            let has_place = || self.has_place(opening);
            let rank = match state {
                _ if is_shown => 0,
                OpeningState::Finishing if !has_place() => continue,
                OpeningState::Finishing => rank,
                _ if self.catalog.campaign.openings.len() > 1 && has_place() => rank - 1,
                _ => rank,
            };
            if best.as_ref().is_none_or(|(known, _)| rank < *known) {
                best = Some((rank, Route { at, opening, way }));
            }
        }
        best.map(|(_, route)| route)
    }

    /// Whether the people of an opening come by windows. A line in which somebody has a number goes
    /// on in the order that it began with.
    fn goes_by_windows(&self, opening: &Opening) -> bool {
        let by_rules = self.catalog.campaign.gate.order == Order::Windows;
        let began = |here: InLine| !here.line.windows.is_empty() || here.has_nobody();
        by_rules && self.in_line(opening.line, began).unwrap_or(true)
    }

    /// When the person may come to an opening whose order is `windows`.
    fn window(&self, opening: &Opening) -> Option<Window> {
        self.campaign.line(opening.line)?.window_of(&self.person)
    }

    fn lobby(&self, opening: &Opening) -> Way {
        let line = self.campaign.line(opening.line);
        let is_drawn =
            line.is_some_and(|line| line.draw.as_ref().is_some_and(|draw| draw.seed.is_none()));
        Way::Lobby {
            is_drawn,
            opens: opening.from,
        }
    }

    /// The place of an owner in a line, if they have one. A token brings its number back here too:
    /// they may need it when they have no booking any more.
    fn own_ticket(&self, issued: Stamp) -> Option<Ticket> {
        let is_on = |opening: &Opening| {
            let state = self.state_of(opening);
            !matches!(state, OpeningState::Before | OpeningState::Closed)
        };
        if let Some(Ticket {
            line: Some(line),
            given,
        }) = self.ticket
        {
            let opening = self.catalog.campaign.opening_of(line);
            // Whoever only looked a window up has no number to bring back.
            let has_number = given.number() > 0;
            let shown = opening.filter(|opening| has_number && is_on(opening));
            let shown = shown.and_then(|_| {
                let (person, now) = (self.person, self.now);
                self.in_line(line, |here| {
                    here.look(person, given, issued, Way::Owner, now)
                })?
            });
            return shown.map(|place| place.ticket).or(self.ticket);
        }
        let (_, opening) = self
            .openings()
            .find(|(_, opening)| is_on(opening) && self.has_place(opening))?;
        let given = self.in_line(opening.line, |here| here.known(&self.person));
        let line = Some(opening.line);
        given.flatten().map(|given| Ticket { line, given })
    }

    /// Refuses somebody who has no place yet when the opening is about to end.
    fn may_come_new(&self, route: &Route) -> Result<(), NoPlace> {
        let closed = self.catalog.campaign.last_entry(route.opening);
        if route.way == Way::Open && closed <= self.now && !self.has_place(route.opening) {
            let next = self.next(route.opening.until);
            return Err(NoPlace::LastEntry(closed, next));
        }
        Ok(())
    }

    fn may_not_reach(&self, opening: &Opening, place: &Place) -> Option<MayNotReach> {
        let [least, most] = place.wait_s;
        let left_s = (opening.until.0 - self.now.0).max(0) / Stamp::SECOND;
        let waits = matches!(place.state, PlaceState::Lobby | PlaceState::Waiting);
        let is_late = waits && (least + most) / 2 > left_s as u64;
        is_late.then(|| MayNotReach {
            next: self.next(opening.until),
        })
    }

    /// The person's first opening that begins then or later.
    fn next(&self, after: Stamp) -> Option<u16> {
        let mut later = self.openings().filter(|(_, opening)| after <= opening.from);
        later.next().map(|(at, _)| at)
    }

    fn open_or_next(&self) -> Option<u16> {
        let open = self.openings().find(|(_, opening)| {
            matches!(
                self.state_of(opening),
                OpeningState::Open | OpeningState::Lobby
            )
        });
        open.map(|(at, _)| at).or_else(|| self.next(self.now))
    }
}
