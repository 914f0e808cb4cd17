//! Which line somebody is in: what the rules say of their evenings, checked against the service.

use sumun::domain::ids::PersonKey;
use sumun::gate::{Place, PlaceState, Way};

use super::july::{Evening, Phase};
use super::life::Life;
use super::model::Token;
use super::route::NoPlace;

impl Life {
    /// Rule 9: somebody was answered who shows this token, or none.
    pub(super) fn check_route(
        &mut self,
        person: PersonKey,
        token: Option<Token>,
        answer: &Result<(Way, Place), NoPlace>,
    ) {
        match token {
            Some(token) => self.check_shown(person, token, answer),
            None => self.check_entered(person, answer),
        }
        if let Err(NoPlace::NotYet) = answer {
            self.note("not yet");
            let is_new = self.july.evenings_of(&person).into_iter().any(|evening| {
                self.july.phase(evening, self.now) != Phase::Before
                    && self.july.phase(evening, self.stepped.0) == Phase::Before
            });
            assert!(
                self.in_step || self.unsettled > 0 || is_new,
                "{person} gets no number with {token:?} at {:?}: {:?}",
                self.now,
                self.july
            );
        }
    }

    /// Whoever shows a token stays in its line until that is over.
    fn check_shown(
        &mut self,
        person: PersonKey,
        token: Token,
        answer: &Result<(Way, Place), NoPlace>,
    ) {
        let july = std::rc::Rc::clone(&self.july);
        let evening = july.evening(token.line);
        let theirs = evening.filter(|evening| evening.is_for(&person));
        let phase = theirs.map(|evening| july.phase(evening, self.now));
        let is_new = self.has_nothing(&person, token);
        match (answer, phase) {
            // The opening was postponed, and nobody new comes in before the lobby opens again.
            (Err(NoPlace::Ended(_)), Some(Phase::Before)) if is_new => {
                self.note("turned away before the lobby opens again");
            }
            (Err(NoPlace::Ended(next)), None | Some(Phase::Over)) => {
                let told = next.map(|at| &july.evenings[usize::from(at)]);
                assert_eq!(told, self.open_or_next(&person), "the next of {person}");
            }
            (Err(NoPlace::Ended(_)), Some(Phase::Finishing)) => {
                assert_eq!(self.model.held(&person, token.line).called, None);
            }
            (Ok((_, place)), Some(Phase::Finishing)) => {
                self.note("looked while others finish");
                assert_eq!(place.state, PlaceState::Admitted, "{person} is not called");
            }
            (Ok((_, place)), Some(Phase::Before | Phase::Lobby | Phase::Open)) => {
                if phase == Some(Phase::Before) {
                    self.note("looked before the lobby opens again");
                }
                let line = place.ticket.line.map(|line| line.at());
                assert_eq!(line, Some(token.line), "{person} is in another line");
                let told = place.state == PlaceState::Window;
                let is_early = phase == Some(Phase::Before) && is_new && !told;
                let has_begun = place.window.is_some_and(|window| window.from <= self.now);
                assert!(
                    !is_early || has_begun,
                    "{person} came before the lobby opens"
                );
            }
            (Err(NoPlace::NotYet), Some(Phase::Before | Phase::Lobby | Phase::Open)) => {}
            _ => panic!("{person} with {token:?} in {phase:?} got {answer:?}"),
        }
    }

    /// Whether somebody has no number in the line of their token, and the token brings none back.
    fn has_nothing(&self, person: &PersonKey, token: Token) -> bool {
        self.is_lost(token) && !self.model.has_place(person, token.line)
    }

    /// Whether the token's number is none, or of a line that is over, or of another history.
    pub(super) fn is_lost(&self, token: Token) -> bool {
        let number = token.given.number();
        let since = self.line(token.line, |line| line.leased_since(number));
        let is_old = since.is_none_or(|since| token.issued < since.plus_s(-2));
        is_old || self.model.lines[token.line].life != token.life
    }

    /// What is open for a person now, or else comes next.
    fn open_or_next(&self, person: &PersonKey) -> Option<&Evening> {
        let theirs = self.july.evenings_of(person);
        let is_on = |evening: &&&Evening| {
            let phase = self.july.phase(evening, self.now);
            matches!(phase, Phase::Open | Phase::Lobby)
        };
        let open = theirs.iter().find(is_on);
        let next = || theirs.iter().find(|evening| self.now <= evening.from());
        open.or_else(next).copied()
    }

    /// Whoever comes without a token comes to where they have a place, if that is open; else to an
    /// open line before a lobby, and to what is over only if they were called there.
    fn check_entered(&mut self, person: PersonKey, answer: &Result<(Way, Place), NoPlace>) {
        let theirs = self.july.evenings_of(&person);
        let in_phase = |phase: Phase| {
            let theirs = theirs.iter();
            let lines = theirs.filter(|evening| self.july.phase(evening, self.now) == phase);
            lines.map(|evening| evening.line).collect::<Vec<_>>()
        };
        let [open, lobby] = [Phase::Open, Phase::Lobby].map(in_phase);
        let finishing = in_phase(Phase::Finishing);
        let has_place = |line: &usize| self.model.has_place(&person, *line);
        match answer {
            Ok((_, place)) => {
                let line = place.ticket.line.unwrap().at();
                if finishing.contains(&line) {
                    let is_called = place.state == PlaceState::Admitted;
                    assert!(is_called, "{person} comes after the end");
                    return;
                }
                let is_on = open.contains(&line) || lobby.contains(&line);
                assert!(is_on, "{person} came where nothing is open for them");
                let in_window = place.state == PlaceState::Window;
                let keeps = open.iter().any(has_place);
                assert!(!keeps || has_place(&line), "{person} is in a second line");
                let by_windows = self.july.order == "windows";
                let first = open.is_empty() || open.contains(&line) || by_windows;
                assert!(first, "{person} is in a lobby and something is open");
                assert!(!in_window || by_windows);
            }
            Err(NoPlace::LastEntry(..)) => {
                let any = open.iter().any(has_place);
                assert!(!any, "{person} has a place and is turned away");
                self.note("came too late to enter");
                assert!(self.july.last_entry_min > 0 && !open.is_empty());
            }
            Err(NoPlace::Rules) => {
                let any = !open.is_empty() || !lobby.is_empty();
                assert!(!any, "{person} is turned away");
            }
            Err(NoPlace::NotYet) => {}
            Err(NoPlace::Ended(_)) => panic!("{person} showed no token"),
        }
    }
}
