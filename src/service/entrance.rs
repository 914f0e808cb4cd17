//! Entering and leaving: identity, eligibility, place, session.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use data_encoding::HEXLOWER;

use super::route::{AtGate, NoPlace};
use super::{Answered, Here, Refused, Service};
use crate::domain::campaign::eligibility::{Answer, Decision, Rule};
use crate::domain::ids::PersonKey;
use crate::domain::line::{Notice, Ticket};
use crate::domain::roster::comparable_name;
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
        let (_, place, issued) = self.placed(here, person, None, here.now)?;
        let token = Token {
            kind: Kind::Place,
            campaign: here.index,
            person,
            mark: place.ticket.mark(),
            issued,
            ends: self.place_ends(here, &place),
            device: self.next_device.fetch_add(1, Ordering::Relaxed),
        };
        Ok((place, token.sign(&self.keys)))
    }

    /// A place's token ends with its opening and the time to finish, and after a day at the latest.
    fn place_ends(&self, here: &Here, place: &Place) -> Stamp {
        let campaign = &here.offer.catalog.campaign;
        let finish_s = 60 * i64::from(campaign.gate.finish_min);
        let over = |at: u16| campaign.openings[usize::from(at)].until.plus_s(finish_s);
        let over = place.opening.map(over);
        let day = here.now.plus_s(TOKEN_S_MAX);
        over.map_or(day, |over| day.min(over))
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
        // Nobody can serve a person whose name was erased, nor compare it.
        let any = self.shared.any_erased.load(Ordering::Relaxed);
        if any && self.shared.state().vault.is_erased(person) {
            return false;
        }
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

    /// Names the window of a place's person in calendars: the same whenever they look, also if it
    /// is planned anew, and nothing about them.
    pub fn window_id(&self, token: &str, place: &Place) -> Answered<String> {
        let token = self.verified(Kind::Place, token);
        let token = token.ok_or(Refused::PlaceInvalid)?;
        let line = place.ticket.line.map_or(0, |line| line.0);
        let id = self.keys.window_id(token.person, token.campaign, line);
        Ok(HEXLOWER.encode(&id))
    }

    /// Begins the session of a person whose turn has come.
    pub fn admit(&self, here: &Here, token: &str) -> Answered<(Stamp, String)> {
        let (token, way, place) = self.looked_at(here, token)?;
        let pause = {
            let state = self.shared.state();
            let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
            campaign.gate.pause.clone()
        };
        if let Some(pause) = pause.filter(|pause| way != Way::Owner || pause.freezes) {
            return Err(paused(&token.person, pause.reason));
        }
        let began = match way {
            Way::Owner => Some(here.gate.admit_owner(token.person, here.now)),
            _ => here.gate.admit(token.person, &place, here.now),
        };
        let Some(began) = began else {
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
        let verified = self.verified(Kind::Place, token);
        let token = verified.filter(|token| token.campaign == here.index);
        let token = token.ok_or(Refused::PlaceInvalid)?;
        let ticket = Ticket::of_mark(token.mark);
        let found = self.placed(here, token.person, Some(ticket), token.issued);
        match found {
            // A token of a day ago: who it is of has to say so again, and has the same place.
            Ok(_) if here.now >= token.ends => Err(Refused::PlaceInvalid),
            found => found.map(|(way, place, _)| (token, way, place)),
        }
    }

    /// The place of a person, how they come in, and when it counts as given by the journal's time.
    ///
    /// Everything is read while the state's lock is held once, because every poll does this.
    fn placed(
        &self,
        here: &Here,
        person: PersonKey,
        ticket: Option<Ticket>,
        issued: Stamp,
    ) -> Answered<(Way, Place, Stamp)> {
        let catalog = &here.offer.catalog;
        let subject = here.offer.subject(&person);
        let state = self.shared.state();
        let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
        let at_gate = AtGate {
            gate: &here.gate,
            campaign,
            catalog,
            subject,
            person,
            ticket,
            now: here.now,
        };
        let no_place = match at_gate.place(issued) {
            Ok((way, place)) => {
                let line = place.ticket.line.and_then(|line| campaign.line(line));
                let given = line.map_or(here.now, |line| line.not_before_lease(here.now));
                return Ok((way, place, given));
            }
            Err(no_place) => no_place,
        };
        drop(state);
        let decide = |subject| catalog.campaign.rules.decide(&subject, here.now);
        match no_place {
            // The keeper leases the next numbers within milliseconds.
            NoPlace::NotYet => Err(Refused::Overloaded { retry_after_s: 1 }),
            NoPlace::Ended(opening) => Err(Refused::PlaceEnded(opening)),
            NoPlace::LastEntry(closed_at, next) => {
                let decision = decide(subject.ok_or(Refused::NotOnRoster)?);
                let openings = &catalog.campaign.openings;
                let opens_at = next.map(|at| openings[usize::from(at)].from);
                let decision = Decision {
                    opens_at,
                    ..last_entry(decision, closed_at)
                };
                Err(Refused::Rules(Box::new(decision)))
            }
            NoPlace::Rules => {
                let decision = decide(subject.ok_or(Refused::NotOnRoster)?);
                self.note_refusal(here, person, &decision);
                Err(Refused::Rules(Box::new(decision)))
            }
        }
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

    /// What the rules say of a birth date alone, now: no identity, groups unknown. An opening that
    /// takes nobody new any more, shortly before its end, is over.
    pub fn openings_of(&self, here: &Here, born: Day) -> (Decision, Vec<usize>) {
        let campaign = &here.offer.catalog.campaign;
        let rules = &campaign.rules;
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
        let decision = rules.decide(&subject, here.now);
        let Rule::Open { opening, .. } = decision.rule else {
            return (decision, openings);
        };
        let opening = &campaign.openings[usize::from(opening)];
        let closed_at = campaign.last_entry(opening);
        if here.now < closed_at {
            return (decision, openings);
        }
        let later = openings.iter().map(|at| campaign.openings[*at].from);
        let opens_at = later.filter(|from| opening.until <= *from).min();
        let lobby_s = 60 * i64::from(campaign.gate.lobby_min());
        let decision = Decision {
            opens_at,
            lobby_opens_at: opens_at.map(|from| from.plus_s(-lobby_s)),
            ..last_entry(decision, closed_at)
        };
        (decision, openings)
    }
}

/// The answer to somebody who comes when their opening takes nobody any more, shortly before its
/// end: it is over for them.
fn last_entry(decision: Decision, closed_at: Stamp) -> Decision {
    let rule = match decision.rule {
        Rule::Open { opening, cohort } => Rule::Over { opening, cohort },
        other => other,
    };
    Decision {
        answer: Answer::OpeningClosed,
        rule,
        closed_at: Some(closed_at),
        ..decision
    }
}

/// A pause refuses with its reason; people are told to come back at different times.
pub(super) fn paused(person: &PersonKey, message: Notice) -> Refused {
    let retry_after_s = PAUSED_RETRY_S + u32::from(person.0[15]) % PAUSED_RETRY_S;
    Refused::Paused {
        message,
        retry_after_s,
    }
}
