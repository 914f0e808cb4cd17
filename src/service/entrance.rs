//! Entering: identity, eligibility, place, session.

use super::{Answered, From, Here, Refused, Service};
use crate::domain::eligibility::{Answer, Decision};
use crate::domain::ids::PersonKey;
use crate::domain::time::{Day, Stamp};
use crate::gate::token::{Kind, Token};
use crate::gate::{Board, Place, PlaceState};
use crate::identity::{Credentials, identify};

/// The public state of the gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GateState {
    Before,
    Lobby,
    Open,
    Closed,
}

/// Sessions last at most this long, however busy.
const SESSION_S_MAX: i64 = 12 * 3600;

impl Service {
    /// Gives a person on the roster, whose opening or lobby is open, their place.
    pub fn enter(
        &self,
        here: &Here,
        credentials: &Credentials,
        from: From,
    ) -> Answered<(Place, String)> {
        let name = credentials.name.as_deref().unwrap_or(&credentials.code);
        let born = credentials.birth_date.unwrap_or_default();
        if let Some(retry_after_s) = self.attempts.wait_s(from, name, born, here.now) {
            return Err(Refused::TooManyAttempts { retry_after_s });
        }
        let Some(person) = identify(&self.keys, &here.offer.roster, credentials) else {
            self.attempts.failed(from, name, born, here.now);
            return Err(Refused::IdentityNotFound);
        };
        let lobby = self.may_enter(here, person)?;
        let place = here.gate.enter(person, lobby, here.now);
        let token = self.token(here, Kind::Place, person, place.number);
        Ok((place, token))
    }

    /// The place that a token names.
    pub fn place(&self, here: &Here, token: &str) -> Answered<Place> {
        let token = self.place_token(here, token)?;
        let lobby = self.may_enter(here, token.person)?;
        Ok(here.gate.look(token.person, token.number, lobby, here.now))
    }

    /// Begins the session of a person whose turn has come.
    pub fn admit(&self, here: &Here, token: &str) -> Answered<(Stamp, String)> {
        let token = self.place_token(here, token)?;
        let lobby = self.may_enter(here, token.person)?;
        let place = here.gate.look(token.person, token.number, lobby, here.now);
        if place.state != PlaceState::Admitted {
            return Err(Refused::NotAdmitted(place));
        }
        here.gate.admit(token.person, place.number, here.now);
        let session = self.token(here, Kind::Session, token.person, place.number);
        Ok((here.gate.sessions.ends(here.now), session))
    }

    /// The person of a session that still runs.
    pub fn session(&self, here: &Here, token: &str) -> Answered<PersonKey> {
        let verified = Token::verify(token, Kind::Session, &self.keys);
        let token = verified.filter(|token| token.campaign == here.index);
        let token = token.ok_or(Refused::SessionInvalid)?;
        if here.now >= token.issued.plus_s(SESSION_S_MAX)
            || !here.gate.sessions.touch(&token.person, here.now)
        {
            return Err(Refused::SessionExpired);
        }
        Ok(token.person)
    }

    /// What the rules say of a birth date alone, now: no identity, groups unknown.
    pub fn openings_of(&self, here: &Here, born: Day) -> (Decision, Vec<usize>) {
        let rules = &here.offer.catalog.campaign.rules;
        let subject = crate::domain::eligibility::Subject {
            born: born.date(),
            groups: 0,
        };
        let mut openings: Vec<_> = rules
            .openings_of(&subject)
            .map(|(opening, _)| opening)
            .collect();
        openings.sort_unstable();
        openings.dedup();
        (rules.decide(&subject, here.now), openings)
    }

    /// The public figures and the state of the gate.
    pub fn board(&self, here: &Here) -> (GateState, Board) {
        let state = gate_state(here);
        (state, here.gate.board(state == GateState::Lobby, here.now))
    }

    fn place_token(&self, here: &Here, token: &str) -> Answered<Token> {
        let verified = Token::verify(token, Kind::Place, &self.keys);
        verified
            .filter(|token| token.campaign == here.index)
            .ok_or(Refused::PlaceInvalid)
    }

    fn token(&self, here: &Here, kind: Kind, person: PersonKey, number: u64) -> String {
        Token {
            kind,
            campaign: here.index,
            person,
            number,
            issued: here.now,
        }
        .sign(&self.keys)
    }

    /// Whether the person may have a place now, and if so whether it is one in the lobby.
    /// Whoever has a booking or a running hold may come in at any time: it is theirs to change.
    fn may_enter(&self, here: &Here, person: PersonKey) -> Answered<bool> {
        let subject = here.offer.subject(&person).ok_or(Refused::NotOnRoster)?;
        let decision = here.offer.catalog.campaign.rules.decide(&subject, here.now);
        if decision.answer == Answer::Eligible || self.has_something(here, &person) {
            return Ok(false);
        }
        if decision.lobby_is_open() {
            return Ok(true);
        }
        self.note_refusal(here, person, &decision);
        Err(Refused::Rules(Box::new(decision)))
    }

    fn has_something(&self, here: &Here, person: &PersonKey) -> bool {
        let state = self
            .shared
            .state
            .read()
            .expect("no writer panics while it holds the lock");
        state.campaign(here.index).is_some_and(|campaign| {
            campaign.active_booking(person).is_some()
                || campaign.running_hold(person, here.now).is_some()
        })
    }
}

/// Open while any opening is; else the lobby of the next, before it, or after the last.
fn gate_state(here: &Here) -> GateState {
    let campaign = &here.offer.catalog.campaign;
    let lobby_s = i64::from(campaign.gate.lobby_opens_min) * 60;
    let openings = &campaign.openings;
    if openings
        .iter()
        .any(|opening| opening.from <= here.now && here.now < opening.until)
    {
        return GateState::Open;
    }
    match openings
        .iter()
        .map(|opening| opening.from)
        .filter(|from| here.now < *from)
        .min()
    {
        Some(from) if from.plus_s(-lobby_s) <= here.now => GateState::Lobby,
        Some(_) => GateState::Before,
        None => GateState::Closed,
    }
}
