//! Entering: identity, eligibility, place, session.

use super::{Answered, From, Here, Refused, Service};
use crate::domain::eligibility::{Answer, Decision};
use crate::domain::ids::PersonKey;
use crate::domain::line::{Draw, Given, Line};
use crate::domain::time::{Day, Stamp};
use crate::events::Event;
use crate::gate::token::{Kind, Token};
use crate::gate::{Place, PlaceState, Way};
use crate::identity::{Credentials, identify};

/// After a pause was met: this long, and up to as long again by person.
const PAUSED_RETRY_S: u32 = 30;
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
            self.events.note(Event::SignInLimited, Some(from));
            return Err(Refused::TooManyAttempts { retry_after_s });
        }
        let Some(person) = identify(&self.keys, &here.offer.roster, credentials) else {
            self.attempts.failed(from, name, born, here.now);
            self.events.note(Event::SignInFailed, Some(from));
            return Err(Refused::IdentityNotFound);
        };
        let way = self.way(here, person)?;
        let (place, issued) = self.with_line(here, |line| {
            let place = here.gate.enter(line, person, way, here.now);
            (place, line.not_before_lease(here.now))
        })?;
        // The next lease is a matter of milliseconds.
        let place = place.ok_or(Refused::Overloaded { retry_after_s: 1 })?;
        let token = self.token(here, Kind::Place, person, place.given, issued);
        Ok((place, token))
    }

    /// The place that a token names.
    pub fn place(&self, here: &Here, token: &str) -> Answered<Place> {
        self.looked_at(here, token).map(|(_, _, place)| place)
    }

    /// When the opening comes that the person of a place waits for; none if theirs is open.
    pub fn opens_at(&self, here: &Here, token: &str) -> Option<Stamp> {
        let token = Token::verify(token, Kind::Place, &self.keys)?;
        let subject = here.offer.subject(&token.person)?;
        let rules = &here.offer.catalog.campaign.rules;
        rules.decide(&subject, here.now).opens_at
    }

    /// Begins the session of a person whose turn has come.
    pub fn admit(&self, here: &Here, token: &str) -> Answered<(Stamp, String)> {
        let (token, way, place) = self.looked_at(here, token)?;
        let pause = self.with_line(here, |line| line.pause.clone())?;
        if let Some(pause) = pause.filter(|pause| way != Way::Owner || pause.freezes) {
            return Err(paused(&token.person, pause.reason));
        }
        if !here.gate.admit(token.person, way, &place, here.now) {
            let state = match place.state {
                PlaceState::Admitted => PlaceState::Waiting,
                other => other,
            };
            return Err(Refused::NotAdmitted(Place { state, ..place }));
        }
        let session = self.token(here, Kind::Session, token.person, place.given, here.now);
        Ok((here.gate.sessions.ends(here.now), session))
    }

    /// Refuses what changes bookings while an operator's pause freezes the sessions.
    pub fn not_frozen(&self, here: &Here, person: &PersonKey) -> Answered<()> {
        let pause = self.with_line(here, |line| line.pause.clone())?;
        match pause.filter(|pause| pause.freezes) {
            Some(pause) => Err(paused(person, pause.reason)),
            None => Ok(()),
        }
    }

    fn looked_at(&self, here: &Here, token: &str) -> Answered<(Token, Way, Place)> {
        let verified = Token::verify(token, Kind::Place, &self.keys);
        let token = verified.filter(|token| token.campaign == here.index);
        let token = token.ok_or(Refused::PlaceInvalid)?;
        let way = self.way(here, token.person)?;
        let (person, given) = (token.person, Given::of_mark(token.number));
        let place = self.with_line(here, |line| {
            let issued = token.issued;
            here.gate.look(line, person, given, issued, way, here.now)
        })?;
        Ok((token, way, place))
    }

    fn with_line<T>(&self, here: &Here, look: impl FnOnce(&Line) -> T) -> Answered<T> {
        let state = self
            .shared
            .state
            .read()
            .expect("no writer panics while it holds the lock");
        let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
        Ok(look(&campaign.line))
    }

    /// Whether we signed this as a token of that kind, for whichever campaign and however long ago.
    pub fn has_signed(&self, kind: Kind, token: &str) -> bool {
        Token::verify(token, kind, &self.keys).is_some()
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

    fn token(
        &self,
        here: &Here,
        kind: Kind,
        person: PersonKey,
        given: Given,
        issued: Stamp,
    ) -> String {
        Token {
            kind,
            campaign: here.index,
            person,
            number: given.mark(),
            issued,
        }
        .sign(&self.keys)
    }

    /// How the person may come in now. Whoever has a booking or a running hold may at any time.
    fn way(&self, here: &Here, person: PersonKey) -> Answered<Way> {
        if self.has_something(here, &person) {
            return Ok(Way::Owner);
        }
        let subject = here.offer.subject(&person).ok_or(Refused::NotOnRoster)?;
        let decision = here.offer.catalog.campaign.rules.decide(&subject, here.now);
        if decision.answer == Answer::Eligible {
            return Ok(Way::Open);
        }
        if decision.lobby_is_open() {
            let drawn =
                |draw: &Draw| Some(draw.opening) == decision.opens_at && draw.seed.is_none();
            let draw = self.with_line(here, |line| line.draws.iter().position(drawn))?;
            let opens = decision.opens_at.unwrap_or(here.now);
            return Ok(Way::Lobby { draw, opens });
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

/// A pause refuses with its reason; people are told to come back at different times.
fn paused(person: &PersonKey, message: String) -> Refused {
    let retry_after_s = PAUSED_RETRY_S + u32::from(person.0[15]) % PAUSED_RETRY_S;
    Refused::Paused {
        message,
        retry_after_s,
    }
}
