//! What a person does after the page that their browser shows.

use super::browse::retry_after;
use super::{Answer, Scene, Who};
use crate::rush::answer::{Booking, Code, Kind, Refusal};
use crate::rush::crowd::{BOOKED, IN, Load, SCRIPT, Shows, Step, UNSURE};
use crate::rush::pages::document;
use crate::rush::record::Fault;

/// The room's script goes in after this time, so that its person can read that it does.
const GOES_IN_S: f64 = 3.0;
/// Somebody who went in less than this ago and is back in the room waits as long as the room says.
const WENT_LATELY_S: f64 = 60.0;
/// When a refusal does not say.
const AGAIN_S: f64 = 30.0;

impl Scene {
    /// A page has come and is shown; `address` is where a link or redirect led, if it did.
    pub(super) fn sees(
        &mut self,
        who: Who,
        kind: Kind,
        answer: Answer<'_>,
        page: &str,
        address: &str,
    ) {
        if kind == Kind::Landing && answer.status == 304 {
            return self.sees_landing(who.person);
        }
        if answer.status != 200 {
            return self.sees_refusal(who, kind, answer, page);
        }
        let me = who.person;
        self.person(me).failures = 0;
        let base = self.setting.base.clone();
        match kind {
            Kind::Landing if document::is_landing(page) => self.sees_landing(me),
            Kind::Form if document::has_form(page) => {
                self.agreed = document::consent(page).map(Box::from);
                self.sees_form(who, address);
            }
            Kind::Room => match document::room(page) {
                Ok(room) => self.sees_room(who, &room),
                Err(why) => self.broke_contract(who, kind, &why),
            },
            Kind::Regions => {
                if self.comes_in(who, true) {
                    self.sees_regions(me, page, &base);
                }
            }
            Kind::DaysPage => {
                if self.comes_in(who, false) {
                    let site = self.crowd.names.text(self.person_ref(me).site);
                    let days = document::days(page, &base, site);
                    self.choose_day(me, &days);
                }
            }
            Kind::TimesPage => {
                if self.comes_in(who, false) {
                    self.sees_times(me, page, address);
                }
            }
            Kind::Confirm => self.sees_hold(who, page),
            Kind::BookingPage => match document::booking(page) {
                Some(booking) => self.sees_booking(who, &booking),
                None => self.sees_no_booking(who, page, address),
            },
            Kind::CancelPage if document::hidden(page, "number").is_some() => {
                if self.comes_in(who, false) {
                    self.person(me).shows = Shows::Cancel;
                    let wait_s = self.thinks_s(me);
                    self.after(me, wait_s);
                }
            }
            _ => {
                let start: String = page.chars().take(200).collect();
                self.broke_contract(who, kind, &format!("not the page it should be: {start}"));
            }
        }
    }

    fn sees_landing(&mut self, me: u32) {
        let person = self.person(me);
        person.failures = 0;
        person.shows = Shows::Landing;
        // Whoever has a place, as they think, goes to their room.
        person.step = match person.token {
            Some(_) => Step::Wait,
            None => Step::Enter,
        };
        let wait_s = self.thinks_s(me);
        self.after(me, wait_s);
    }

    /// The form: asked for, or in the place of a page that wants a session.
    fn sees_form(&mut self, who: Who, address: &str) {
        let me = who.person;
        let person = self.person(me);
        person.shows = Shows::Form;
        if person.step != Step::Enter {
            if address.ends_with("?again") {
                self.record.refused(Kind::Form, Code::SessionExpired);
            } else {
                let words = format!("was sent to the form at the step {:?}", person.step);
                self.fault(who, Fault::TokenRefused, &words);
            }
            self.enter_again(me);
            return;
        }
        // Typing takes longer than a click.
        let types_s = self.thinks_s(me) * 2.0;
        self.after(me, types_s);
    }

    fn sees_room(&mut self, who: Who, room: &document::Room) {
        let me = who.person;
        self.check_place(who, &room.place);
        let person = self.person(me);
        (person.shows, person.scene) = (Shows::Room, room.scene);
        if person.is(IN) {
            // The session ended, or the gate is paused: the place is still theirs.
            self.leave_inside(me);
            self.person(me).set(IN, false);
        }
        let person = self.person(me);
        if person.step == Step::Enter {
            self.took_place(me, &room.place);
        } else {
            self.looked(me, &room.place);
        }
        let person = self.person(me);
        if room.shows_wait && person.told_s == [0; 2] {
            person.told_s = room.place.wait_s.map(|s| s.min(u64::from(u32::MAX)) as u32);
        }
    }

    /// How soon a person goes in whose room says that it is their turn.
    pub(super) fn goes_in_after_s(&mut self, me: u32, poll_s: u32) -> f64 {
        if !self.person(me).is(SCRIPT) {
            return self.thinks_s(me);
        }
        let now_ms = (self.now / 1_000_000) as u32;
        let lately_ms = (WENT_LATELY_S * 1e3 / self.setting.speed) as u32;
        let went_ms = self.person(me).went_ms;
        let wait_s = if went_ms > 0 && now_ms.saturating_sub(went_ms) < lately_ms {
            f64::from(poll_s)
        } else {
            GOES_IN_S
        };
        self.person(me).went_ms = now_ms + (wait_s * 1e3 / self.setting.speed) as u32;
        wait_s
    }

    /// A page is shown that only somebody in session sees. If the session has just begun, counts
    /// that; false if the person goes on with something else than this page.
    fn comes_in(&mut self, who: Who, is_home: bool) -> bool {
        let me = who.person;
        let person = self.person(me);
        person.shows = Shows::Inside;
        let begins = !person.is(IN);
        self.session_runs(me);
        if self.checking && (begins || is_home) {
            self.go(me, Step::Look);
            return false;
        }
        if begins && self.person(me).is(BOOKED) && is_home {
            // Who has a booking is sent to it.
            self.go(me, Step::Look);
            return false;
        }
        true
    }

    /// The sites of the person's own region or of another, the provinces, or the districts of one.
    fn sees_regions(&mut self, me: u32, page: &str, base: &str) {
        let person = self.person(me);
        // What was asked for before the session ended was not done: nothing is held or booked.
        person.set(UNSURE, false);
        person.back = Step::Come;
        person.step = Step::Sites;
        let regions = document::regions(page, base);
        if regions.is_empty() {
            return self.choose_site(me, &document::sites(page, base));
        }
        let own = self.crowd.credentials(me)[3].to_owned();
        let wide = self.person_ref(me).wide;
        let is_own = |code: &str| own == code || own.starts_with(&format!("{code}/"));
        let free: Vec<&str> = { regions.iter() }
            .filter(|(_, is_free)| *is_free)
            .map(|(code, _)| *code)
            .collect();
        // Whoever found nothing there looks in the whole province, and then anywhere.
        let is_near =
            |code: &&&str| is_own(code) && (wide == 0 || wide == 1 && !code.contains('/'));
        let near = free.iter().find(is_near);
        let mut random = self.chance(me);
        let chosen = near.or_else(|| free.get(random.below(free.len().max(1))));
        let Some(code) = chosen else {
            return self.go_on_with(me, None, Step::Sites);
        };
        let to = format!("{base}/sites?region={code}");
        let wait_s = self.thinks_s(me);
        self.goes_to(me, &to, Load::Navigates, wait_s);
    }

    /// The times of a day, asked for or in the place of a page that no longer has what was chosen:
    /// then the address says why.
    fn sees_times(&mut self, me: u32, page: &str, address: &str) {
        let kind = match self.person_ref(me).step {
            Step::Book | Step::Move => Kind::BookForm,
            _ => Kind::HoldForm,
        };
        let flag = address.split_once('?').map_or("", |(_, flag)| flag);
        let code = match flag {
            "ended" => Some(Code::HoldExpired),
            "past" => Some(Code::SlotPast),
            _ => None,
        };
        if let Some(code) = code {
            self.record.refused(kind, code);
            let person = self.person(me);
            // What was asked for was not done: nothing is held or booked.
            person.set(UNSURE, false);
            person.back = Step::Come;
            person.step = Step::Slots;
        }
        self.choose_slot(me, &document::slots(page));
    }

    fn sees_hold(&mut self, who: Who, page: &str) {
        let hidden = |name| document::hidden(page, name);
        let (Some(hold), Some(slot)) = (hidden("hold"), hidden("slot")) else {
            return self.broke_contract(who, Kind::Confirm, "a hold without its number or slot");
        };
        if self.comes_in(who, false) {
            let [hold, slot] = [hold, slot].map(|text| self.crowd.names.id(text));
            let me = who.person;
            let person = self.person(me);
            (person.hold, person.slot) = (hold, slot);
            person.back = Step::Come;
            let next = if person.is(BOOKED) {
                Step::Move
            } else {
                Step::Book
            };
            self.go(me, next);
        }
    }

    fn sees_booking(&mut self, who: Who, booking: &Booking<'_>) {
        let me = who.person;
        let was_asked = {
            let person = self.person_ref(me);
            let has_asked = matches!(person.step, Step::Book | Step::Move) || person.is(UNSURE);
            has_asked && !self.checking
        };
        self.session_runs(me);
        let person = self.person(me);
        person.back = Step::Come;
        let is_before = self.was_before(booking);
        let kind = match self.person_ref(me).is(BOOKED) {
            _ if !was_asked || is_before => Kind::Mine,
            _ if self.person_ref(me).step == Step::Cancel => Kind::Mine,
            true => Kind::Move,
            false => Kind::Book,
        };
        self.booking(who, kind, booking);
    }

    /// A page of a session is shown: counts its beginning, if it has just begun.
    fn session_runs(&mut self, me: u32) {
        let person = self.person(me);
        person.shows = Shows::Inside;
        if person.is(IN) {
            return;
        }
        person.set(IN, true);
        person.tries = 0;
        if self.checking {
            return;
        }
        self.entered(me, [0; 2]);
        self.turn_came(me);
        self.record.totals.admitted += 1;
        self.record.now.admitted += 1;
        self.inside += 1;
    }

    /// The page that says that there is no booking: after a cancellation, or instead of one.
    fn sees_no_booking(&mut self, who: Who, page: &str, address: &str) {
        let me = who.person;
        if !page.contains("<h1 id=\"none\">") {
            return self.broke_contract(who, Kind::BookingPage, "neither a booking nor none");
        }
        self.session_runs(me);
        let person = self.person(me);
        if address.ends_with("?cancelled") && person.step == Step::Cancel {
            person.set(BOOKED, false);
            person.set(UNSURE, false);
            self.record.totals.cancelled += 1;
            return self.end(me, Step::Cancelled);
        }
        self.record.refused(Kind::BookingPage, Code::NoBooking);
        self.refused(who, Kind::Mine, &refusal(Code::NoBooking));
    }

    /// A page that says no. Which no, its status and its own mark say.
    fn sees_refusal(&mut self, who: Who, kind: Kind, answer: Answer<'_>, page: &str) {
        let status = answer.status;
        let has_form = document::has_form(page);
        let code = match (document::code(page), status) {
            // Wrong again and again: the form says when to come back.
            (Some("identity_not_found") | None, 429) => Some(Code::TooManyAttempts),
            (None, 403) if has_form => Some(Code::IdentityNotFound),
            (None, 422) if has_form => Some(Code::InvalidRequest),
            (None, 409) => Some(Code::SlotFull),
            (Some(code), _) => Code::known(code),
            (None, _) => None,
        };
        let known = code.filter(|code| code.has_status(status) && kind.may_refuse(*code));
        let Some(code) = known else {
            let said = document::code(page);
            let words = format!("status {status} with the code {said:?}");
            return self.broke_contract(who, kind, &words);
        };
        self.record.refused(kind, code);
        let told_s = retry_after(answer.head).unwrap_or(AGAIN_S);
        let me = who.person;
        match code {
            Code::Overloaded | Code::Paused | Code::OutcomeUnknown => {
                // The page has the form once more: its script sends it, or the person does.
                let jitter = 1.0 + self.chance(me).share() / 2.0;
                let wait_s = if self.person(me).is(SCRIPT) {
                    told_s * jitter
                } else {
                    told_s.max(self.thinks_s(me))
                };
                self.after(me, wait_s);
            }
            _ => {
                self.person(me).shows = Shows::Nothing;
                let no = Refusal {
                    retry_after_s: Some(told_s as u32),
                    alternatives: document::slots(page),
                    ..refusal(code)
                };
                self.refused(who, kind.call(), &no);
            }
        }
    }

    /// The line of the token's opening has ended: the person enters anew, for the next.
    pub(super) fn place_ended(&mut self, me: u32) {
        let person = self.person(me);
        person.number = 0;
        person.waits_from_ms = 0;
        person.told_s = [0; 2];
        self.enter_again(me);
    }

    fn person_ref(&self, me: u32) -> &crate::rush::crowd::Person {
        &self.crowd.people[me as usize]
    }
}

fn refusal(code: Code) -> Refusal<'static> {
    Refusal {
        code,
        retry_after_s: None,
        place: None,
        alternatives: Vec::new(),
    }
}
