//! What people do: they enter, look, go in, book and stay away.

use std::sync::Arc;

use sumun::domain::campaign::eligibility::Subject;
use sumun::domain::ids::{LineIndex, PersonKey};
use sumun::domain::line::windows::Window;
use sumun::domain::line::{Given, Ticket};
use sumun::domain::state::State;
use sumun::gate::live::InLine;
use sumun::gate::{Place, PlaceState, Way};

use super::july::{Phase, born};
use super::life::{Life, Request};
use super::model::{CALLED_S_MIN, Token};
use super::route::{AtGate, NoPlace};
use crate::world::SECOND;

/// A request takes no longer than this.
const REQUEST_NS: i64 = 5 * SECOND;
/// A few who are late have turns after so long, also with a tenth of the least rate.
const LATE_S_MAX: f64 = 60.0;

impl Life {
    fn request(&self, person: PersonKey) -> Request {
        Request {
            person,
            now: self.now,
            catalog: Arc::clone(&self.catalog),
        }
    }

    /// What the service answers to somebody who shows this token, or none.
    fn ask(&self, request: &Request, token: Option<Token>) -> Result<(Way, Place), NoPlace> {
        let subject = Subject {
            born: jiff::civil::date(born(&request.person) as i16, 1, 1),
            groups: 0,
        };
        let line = |line: usize| Some(LineIndex(line as u16));
        let ticket = token.map(|token| Ticket {
            line: line(token.line),
            given: token.given,
        });
        self.memory.look(|state: &State| {
            let at_gate = AtGate {
                gate: &self.gate,
                campaign: &state.campaigns[0],
                catalog: &request.catalog,
                subject: Some(subject),
                person: request.person,
                ticket,
                now: request.now,
            };
            at_gate.place(token.map_or(request.now, |token| token.issued))
        })
    }

    /// Without a token, from a new device.
    pub(super) fn enter(&mut self, person: PersonKey) {
        let request = self.request(person);
        let answer = self.ask(&request, None);
        self.check_route(person, None, &answer);
        if let Ok((_, place)) = answer {
            self.entered(&request, place);
        }
    }

    /// Somebody's request takes its time.
    pub(super) fn begin_slow(&mut self, person: PersonKey) {
        let request = self.request(person);
        self.slow.push(request);
    }

    pub(super) fn finish_slow(&mut self) {
        for request in std::mem::take(&mut self.slow) {
            if self.now.0 - request.now.0 > REQUEST_NS {
                continue;
            }
            self.slow_in_step = true;
            let Ok((way, place)) = self.ask(&request, None) else {
                continue;
            };
            if !Arc::ptr_eq(&request.catalog, &self.catalog) || !self.may_go_in() {
                // It may be called by turns of an opening that was postponed since, or is over.
                self.model.turns.line_opens(1.0);
            }
            let line = place.ticket.line.unwrap().at();
            let evening = self.july.evening(line);
            let phase = evening.map(|evening| self.july.phase(evening, self.now));
            if matches!(way, Way::Lobby { .. }) && phase == Some(Phase::Open) {
                self.note("slow requests after the opening");
            }
            self.entered(&request, place);
        }
    }

    fn entered(&mut self, request: &Request, place: Place) {
        let person = request.person;
        let line = place.ticket.line.unwrap().at();
        let again = self.model.has_place(&person, line);
        self.note(if again { "entered again" } else { "entered" });
        if place.state == PlaceState::Lobby {
            self.note("entered in a lobby");
        }
        let had_one = self.model.people[&person].held.len() > usize::from(again);
        if had_one && !again {
            self.note("entered another line");
        }
        self.check(request, &place, None, false);
        let token = Token {
            line,
            life: self.model.lines[line].life,
            given: place.ticket.given,
            issued: self.line(line, |line| line.not_before_lease(request.now)),
        };
        let is_kept = self.random.percent(85);
        let tokens = &mut self.model.person(&person).tokens;
        if tokens.len() < 3 && is_kept {
            tokens.push(token);
        }
    }

    pub(super) fn look(&mut self, person: PersonKey) {
        if let Some(token) = self.token(person) {
            self.place(person, token);
        }
    }

    fn token(&mut self, person: PersonKey) -> Option<Token> {
        let tokens = &self.model.people[&person].tokens;
        let at = self.random.below(tokens.len().max(1) as u64) as usize;
        tokens.get(at).copied()
    }

    pub(super) fn lose_token(&mut self, person: PersonKey) {
        self.model.person(&person).tokens.pop();
        self.note("tokens lost");
    }

    /// The place of somebody who shows a token.
    fn place(&mut self, person: PersonKey, token: Token) -> Option<Place> {
        let answer = self.ask(&self.request(person), Some(token));
        self.check_route(person, Some(token), &answer);
        let place = match answer {
            Ok((_, place)) => place,
            Err(NoPlace::Ended(_)) => {
                self.note("places over");
                let tokens = &mut self.model.person(&person).tokens;
                tokens.retain(|known| *known != token);
                return None;
            }
            Err(_) => return None,
        };
        self.note("looked");
        let is_lost = self.is_lost(token);
        let is_of_life = self.model.lines[token.line].life == token.life;
        let had = self.model.has_place(&person, token.line);
        match (had, is_lost, token.given.number()) {
            (_, _, 0) => self.note("looked before their window"),
            _ if !is_of_life => self.note("tokens of a line that began anew"),
            (false, false, _) => self.note("places a token brought back"),
            (false, true, _) => self.note("places of a lost future"),
            _ => {}
        }
        let is_given = self.is_given(person, token.line);
        if is_lost && !had && !is_given && place.number > 0 {
            // While no number is leased, people see the one of their token.
            assert_ne!(place.state, PlaceState::Admitted, "{person} has no number");
            return None;
        }
        let request = self.request(person);
        self.check(&request, &place, Some(token.given), is_lost);
        Some(place)
    }

    /// Whether the gate has given somebody a number of the line.
    fn is_given(&self, person: PersonKey, line: usize) -> bool {
        let line = LineIndex(line as u16);
        let known = |here: InLine| here.known(&person).is_some();
        self.memory.in_line(&self.gate, line, known)
    }

    /// Rules 1 to 4 and 10, of the answer to a request.
    fn check(&mut self, request: &Request, place: &Place, token: Option<Given>, is_lost: bool) {
        let (person, began) = (request.person, request.now);
        let line = place.ticket.line.unwrap().at();
        let is_stale = began < self.now || !Arc::ptr_eq(&request.catalog, &self.catalog);
        let evening = self.july.evening(line);
        let has_come = evening.is_none_or(|evening| evening.from() <= self.now);
        let is_early = matches!(place.state, PlaceState::Lobby | PlaceState::Window);
        assert!(
            has_come || is_early || is_stale,
            "called before the opening"
        );
        let held = self.model.held(&person, line);
        let token = token.filter(|token| token.number() > 0);
        let has_number = held.known.is_some() || (token.is_some() && !is_lost);
        let window = self.window(line, &person);
        if let Some(window) = window {
            assert!(place.window.is_none_or(|told| told == window));
            self.model.told_window(line, person, window, self.now);
        }
        let waits = window.is_some_and(|window| began < window.from) && !has_number;
        if !is_stale {
            let is_window = place.state == PlaceState::Window;
            assert_eq!(is_window, waits, "{person} at their window {window:?}");
        }
        if place.state == PlaceState::Window {
            assert!(!has_number, "{person} has a number and waits for a window");
            assert_eq!(place.ticket.given.number(), 0);
            return self.note("told a window");
        }
        if window.is_some() && !has_number {
            self.note("came in or after their window");
        }
        if place.number != place.ticket.given.number() {
            self.note("drawn places");
        }
        let is_pending = self.line(line, |line| {
            let draw = line.draw.as_ref();
            draw.is_some_and(|draw| draw.seed.is_none()) && line.windows.is_empty()
        });
        if place.state == PlaceState::Lobby && is_pending && !has_number && !is_stale {
            let in_draw = place.ticket.given.in_draw();
            let is_closed = has_come || self.model.lines[line].is_closed;
            assert!(in_draw || is_closed, "{person} is not in the draw");
        }
        if held.behind > 0 && held.known.is_none() {
            self.note("places forgotten");
        }
        if is_stale && place.state == PlaceState::Lobby && held.called.is_some() {
            // It saw the lobby, and was answered after its person was called.
            return;
        }
        self.model.placed(person, place, token, is_lost);
        self.model.serves(line, self.serving(line));
        if !has_come {
            // Called by rules that are not in force any more: they wait for the opening again.
            self.model.held_mut(&person, line).called = None;
        }
    }

    /// Somebody's window, while the rules have windows.
    fn window(&self, line: usize, person: &PersonKey) -> Option<Window> {
        let by_windows = self.july.order == "windows";
        let seed = by_windows.then(|| self.line(line, |line| line.drawn_by()))?;
        self.model.window(line, person, seed)
    }

    pub(super) fn try_to_go_in(&mut self, person: PersonKey) {
        let Some(token) = self.token(person) else {
            return;
        };
        let Some(place) = self.place(person, token) else {
            return;
        };
        // A session of before a start goes on when it is used.
        let goes_on = self.model.sessions.goes_on(&person);
        if self.paused || (goes_on && self.touch(person)) {
            return;
        }
        let line = token.line;
        let late = self.model.late.contains(&(person, line));
        let running = self.model.sessions.runs(&person);
        let was_in = self.model.sessions.began(&person).is_some();
        let Some(began) = self.gate.admit(person, &place, self.now) else {
            return self.refused(person, &place, running);
        };
        assert_eq!(place.state, PlaceState::Admitted);
        assert!(self.model.held(&person, line).called.is_some());
        if !running {
            self.model.turns.used();
            self.model.held_mut(&person, line).came = true;
        }
        self.model.late.retain(|late| *late != (person, line));
        self.model.sessions.came(person, began);
        self.model.turns.check_places(self.model.sessions.counted());
        self.note(match () {
            () if running => "second devices in",
            () if late => "went in late",
            () if was_in => "came in again",
            () => "went in",
        });
    }

    fn refused(&mut self, person: PersonKey, place: &Place, running: bool) {
        let line = place.ticket.line.unwrap().at();
        // A start may have forgotten for a moment that they were called.
        let called = place.state == PlaceState::Admitted;
        assert!(!running || !called, "{person} is in and was refused");
        self.note("refused for now");
        if !called {
            return;
        }
        let called_s = self.model.called_s(&person, line, place.number);
        let has_turn = called_s.is_some_and(|called_s| called_s < CALLED_S_MIN);
        assert!(
            !has_turn || self.model.held(&person, line).came,
            "{person} was called {called_s:?} s ago and their turn is not kept"
        );
        if !self.model.late.contains(&(person, line)) {
            self.model.late.push((person, line));
        }
        self.check_late(person, line);
    }

    /// Rule 5, while others finish: whoever is late and asks again and again gets a turn if there
    /// is room.
    fn check_late(&mut self, person: PersonKey, line: usize) {
        let others = self.model.late.iter().filter(|(_, at)| *at == line);
        let is_short = others.count() <= 3;
        let open_s = self.model.turns.open_s;
        let room_s = self.model.lines[line].room_s;
        let held = self.model.held_mut(&person, line);
        // The turn of somebody who does not ask for so long may have been given on.
        let goes_on = is_short && open_s - held.tried_s < LATE_S_MAX / 2.0;
        let since_s = if goes_on { held.late_s } else { open_s };
        (held.late_s, held.tried_s) = (since_s.max(room_s), open_s);
        let waits_s = open_s - held.late_s;
        assert!(waits_s < LATE_S_MAX, "{person} is late for {waits_s} s");
        if room_s < open_s {
            self.note("late while others finish");
        }
    }

    fn touch(&mut self, person: PersonKey) -> bool {
        let Some(began) = self.model.sessions.began(&person) else {
            return false;
        };
        let goes_on = self.model.sessions.goes_on(&person);
        let touched = self.gate.sessions.touch(&person, began, self.now);
        if goes_on {
            assert!(touched, "a start ended {person}'s session");
            self.note("sessions of before a start");
        }
        if touched && self.model.sessions.used(person) {
            self.model.turns.taken_over += 1;
        }
        touched
    }

    pub(super) fn book(&mut self, person: PersonKey) {
        if !self.model.sessions.counts(&person) {
            return;
        }
        let runs = self.model.sessions.runs(&person);
        assert_eq!(self.touch(person), runs, "{person}'s session");
        if !runs {
            self.model.sessions.ended(&person);
            return self.note("idled out");
        }
        if self.freezes || self.random.percent(60) {
            return self.note("stayed in");
        }
        self.gate.sessions.settle(&person);
        self.model.sessions.settled(&person);
        self.model.person(&person).booked = true;
        self.people.retain(|key| *key != person);
        self.note("booked");
    }

    /// Sessions that the gate ended by idling are ended for the model.
    pub(super) fn idle_out(&mut self) {
        self.gate.sessions.sweep(self.now);
        let ended = self.model.sessions.sweep();
        assert_eq!(self.gate.sessions.active(), self.model.sessions.counted());
        if ended > 0 {
            self.note("idled out");
        }
    }
}
