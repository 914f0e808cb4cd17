//! Entering and leaving: identity, eligibility, place, session.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use super::{Answered, Here, Refused, Service};
use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::ids::PersonKey;
use crate::domain::line::{Draw, Given, Line};
use crate::domain::roster::comparable_name;
use crate::domain::state::CampaignState;
use crate::domain::time::{Day, Stamp};
use crate::events::Event;
use crate::gate::sessions::SESSION_S_MAX;
use crate::gate::token::{Kind, TOKEN_S_MAX, Token};
use crate::gate::{Place, PlaceState, Way};
use crate::identity::attempts::Wrong;
use crate::identity::{Credentials, identify};

/// How soon a person may ask again during a pause. Up to as much again is added, depending on the
/// person.
const PAUSED_RETRY_S: u32 = 30;
/// How soon to ask again when the table of devices that were left is full.
const LEFT_RETRY_S: u32 = 60;
/// How soon to ask again when credentials were not looked at, because more wrong ones came to the
/// whole server than it looks at.
const UNSEEN_RETRY_S: u32 = 3;

impl Service {
    /// Gives a person on the roster, whose opening or lobby is open, their place.
    pub fn enter(
        &self,
        here: &Here,
        credentials: &Credentials,
        from: IpAddr,
    ) -> Answered<(Place, String)> {
        let person = self.identified(here, credentials, from)?;
        let (_, (place, issued)) = self.with_way(here, person, |line, way| {
            let place = here.gate.enter(line, person, way, here.now);
            (place, line.not_before_lease(here.now))
        })?;
        // No number is leased at this moment. The keeper leases the next ones within milliseconds.
        let place = place.ok_or(Refused::Overloaded { retry_after_s: 1 })?;
        let token = Token {
            kind: Kind::Place,
            campaign: here.index,
            person,
            mark: place.given.mark(),
            issued,
            ends: here.now.plus_s(TOKEN_S_MAX),
            device: self.next_device.fetch_add(1, Ordering::Relaxed),
        };
        Ok((place, token.sign(&self.keys)))
    }

    /// The person whom credentials name. Right ones always pass, whatever others sent from the same
    /// address or under the same name. Wrong ones cost whoever sends them a time to wait.
    fn identified(
        &self,
        here: &Here,
        credentials: &Credentials,
        from: IpAddr,
    ) -> Answered<PersonKey> {
        let strength = credentials.strength();
        if !self.attempts.may_look(strength, here.now) {
            self.events.note(Event::SignInPutOff, Some(from));
            return Err(Refused::Overloaded {
                retry_after_s: UNSEEN_RETRY_S,
            });
        }
        let person = identify(&self.keys, &here.offer.roster, credentials);
        if let Some(person) = person.filter(|person| self.is_known(here, person)) {
            return Ok(person);
        }
        let name = comparable_name(credentials.name.as_deref().unwrap_or_default());
        let wrong = Wrong {
            from,
            name: &name,
            born: credentials.birth_date,
        };
        match self.attempts.failed(&wrong, strength, here.now) {
            Some(retry_after_s) => {
                self.events.note(Event::SignInLimited, Some(from));
                Err(Refused::WrongAgain { retry_after_s })
            }
            None => {
                self.events.note(Event::SignInFailed, Some(from));
                Err(Refused::IdentityNotFound)
            }
        }
    }

    /// Whether a person is on the roster, or left it and has something here all the same.
    fn is_known(&self, here: &Here, person: &PersonKey) -> bool {
        if here.offer.roster.find(person).is_some() {
            return true;
        }
        let state = self.shared.state();
        let campaign = state.campaign(here.index);
        campaign.is_some_and(|campaign| {
            campaign.active_booking(person).is_some()
                || campaign.running_hold(person, here.now).is_some()
        })
    }

    /// The place that a token names.
    pub fn place(&self, here: &Here, token: &str) -> Answered<Place> {
        self.looked_at(here, token).map(|(_, _, place)| place)
    }

    /// When the opening comes that the person of a place waits for; none if theirs is open.
    pub fn opens_at(&self, here: &Here, token: &str) -> Option<Stamp> {
        let token = self.good(here, Kind::Place, token)?;
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
        let Some(began) = here.gate.admit(token.person, way, &place, here.now) else {
            let state = match place.state {
                PlaceState::Admitted => PlaceState::Waiting,
                other => other,
            };
            return Err(Refused::NotAdmitted(Place { state, ..place }));
        };
        let session = Token {
            kind: Kind::Session,
            mark: began.0 as u64,
            issued: here.now,
            ends: began.plus_s(SESSION_S_MAX),
            ..token
        };
        let expires = here.gate.sessions.ends(began, here.now);
        Ok((expires, session.sign(&self.keys)))
    }

    /// Ends the tokens of the devices that these tokens are of, whatever their campaign: the person
    /// leaves. Place and booking stay theirs, and their other devices go on.
    ///
    /// Refused as `PlaceInvalid` if none is a token of ours. One that has ended is left again.
    pub fn leave<'a>(&self, tokens: impl IntoIterator<Item = &'a str>) -> Answered<()> {
        let now = self.clock.now();
        let mut left = Err(Refused::PlaceInvalid);
        for text in tokens {
            let of = |kind| Token::verify(text, kind, &self.keys);
            let Some(token) = of(Kind::Place).or_else(|| of(Kind::Session)) else {
                continue;
            };
            let ended = now >= token.ends || self.ended.end(&token, now).is_ok();
            if !ended {
                return Err(Refused::Overloaded {
                    retry_after_s: LEFT_RETRY_S,
                });
            }
            left = Ok(());
        }
        left
    }

    fn looked_at(&self, here: &Here, token: &str) -> Answered<(Token, Way, Place)> {
        let token = self.good(here, Kind::Place, token);
        let token = token.ok_or(Refused::PlaceInvalid)?;
        let (person, given) = (token.person, Given::of_mark(token.mark));
        let (way, place) = self.with_way(here, person, |line, way| {
            let issued = token.issued;
            here.gate.look(line, person, given, issued, way, here.now)
        })?;
        Ok((token, way, place))
    }

    fn with_line<T>(&self, here: &Here, look: impl FnOnce(&Line) -> T) -> Answered<T> {
        let state = self.shared.state();
        let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
        Ok(look(&campaign.line))
    }

    /// Whether this is a token of that kind that we signed, for whichever campaign, and whose
    /// device was not left.
    pub fn has_signed(&self, kind: Kind, token: &str) -> bool {
        self.verified(kind, token).is_some()
    }

    /// The person of a session that still runs.
    pub fn session(&self, here: &Here, token: &str) -> Answered<PersonKey> {
        let verified = self.verified(Kind::Session, token);
        let token = verified.filter(|token| token.campaign == here.index);
        let token = token.ok_or(Refused::SessionInvalid)?;
        let (person, began) = (token.person, token.session_began());
        if here.now >= token.ends || !here.gate.sessions.touch(&person, began, here.now) {
            return Err(Refused::SessionExpired);
        }
        Ok(person)
    }

    /// A token that verifies, of a device that was not left.
    fn verified(&self, kind: Kind, token: &str) -> Option<Token> {
        let token = Token::verify(token, kind, &self.keys)?;
        (!self.ended.holds(&token)).then_some(token)
    }

    /// The same, for this campaign and before the token's end.
    fn good(&self, here: &Here, kind: Kind, token: &str) -> Option<Token> {
        let token = self.verified(kind, token)?;
        (token.campaign == here.index && here.now < token.ends).then_some(token)
    }

    /// What the rules say of a birth date alone, now: no identity, groups unknown.
    pub fn openings_of(&self, here: &Here, born: Day) -> (Decision, Vec<usize>) {
        let rules = &here.offer.catalog.campaign.rules;
        let subject = crate::domain::campaign::eligibility::Subject {
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

    /// How the person may come in now, and what `look` returns for the line. Both read the state
    /// while its lock is held once, because every poll does this.
    fn with_way<T>(
        &self,
        here: &Here,
        person: PersonKey,
        look: impl FnOnce(&Line, Way) -> T,
    ) -> Answered<(Way, T)> {
        let rules = &here.offer.catalog.campaign.rules;
        let subject = here.offer.subject(&person);
        let decision = subject.map(|subject| rules.decide(&subject, here.now));
        let state = self.shared.state();
        let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
        if let Some(way) = way(campaign, &person, decision.as_ref(), here.now) {
            return Ok((way, look(&campaign.line, way)));
        }
        drop(state);
        let decision = decision.ok_or(Refused::NotOnRoster)?;
        self.note_refusal(here, person, &decision);
        Err(Refused::Rules(Box::new(decision)))
    }
}

/// How a person may come in: with a booking or a running hold at any time, otherwise as the rules
/// decided; none if not now.
fn way(
    campaign: &CampaignState,
    person: &PersonKey,
    decision: Option<&Decision>,
    now: Stamp,
) -> Option<Way> {
    if campaign.active_booking(person).is_some() || campaign.running_hold(person, now).is_some() {
        return Some(Way::Owner);
    }
    let decision = decision?;
    if decision.answer == Answer::Eligible {
        return Some(Way::Open);
    }
    decision.lobby_is_open().then(|| {
        let drawn = |draw: &Draw| Some(draw.opening) == decision.opens_at && draw.seed.is_none();
        Way::Lobby {
            draw: campaign.line.draws.iter().position(drawn),
            opens: decision.opens_at.unwrap_or(now),
        }
    })
}

/// A pause refuses with its reason; people are told to come back at different times.
pub(super) fn paused(person: &PersonKey, message: String) -> Refused {
    let retry_after_s = PAUSED_RETRY_S + u32::from(person.0[15]) % PAUSED_RETRY_S;
    Refused::Paused {
        message,
        retry_after_s,
    }
}
