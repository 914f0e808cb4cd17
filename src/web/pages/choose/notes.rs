//! What stands above every choice: the steps, what a person has already, what keeps them from
//! choosing.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::first_dose;
use crate::domain::time::Stamp;
use crate::service::booking::Held;
use crate::web::pages::answer::page;
use crate::web::pages::form::Form;
use crate::web::pages::frame::{Frame, text};
use crate::web::pages::text::InLanguage;
use crate::web::pages::trouble::Trouble;
use crate::web::pages::visit::{Guest, Visit};
use crate::web::pages::when::When;
use crate::web::words::Lang;

/// Whoever has less time than this to book is told until when.
const ENDS_SOON_S: i64 = 15 * 60;

/// The steps to a booking, and the one that a page is.
pub struct Steps {
    pub names: [&'static str; 5],
    /// Counts from 1.
    pub at: usize,
}

/// The steps by their numbers.
pub const IDENTITY: usize = 1;
pub const SITE: usize = 2;
pub const DAY: usize = 3;
pub const TIME: usize = 4;
pub const CHECK: usize = 5;

impl Steps {
    pub fn at(l: Lang, at: usize) -> Self {
        let names = [
            l.say("step-identity"),
            l.say("step-site"),
            l.say("step-day"),
            l.say("step-time"),
            l.say("step-check"),
        ];
        Self { names, at }
    }

    pub fn now(&self) -> &'static str {
        self.names[self.at - 1]
    }
}

/// What stands above the choice.
pub struct Notes {
    /// Why nothing can be booked at the moment: the operators' reason for a pause.
    pub frozen: Option<InLanguage>,
    /// What became of the time that was chosen before.
    pub before: Option<&'static str>,
    /// The time that is kept for the person already.
    pub hold: Option<String>,
    /// What the agency keeps for them instead of their booking.
    pub offer: Option<String>,
    /// For somebody who has a booking: it stays until the new one is made.
    pub booking: Option<String>,
    /// For somebody who has none: until when they can make one, if that is soon.
    pub ends: Option<String>,
}

#[derive(Template)]
#[template(path = "over.html", config = "src/web/pages/askama.toml")]
struct OverPage {
    f: Frame,
    has_hold: bool,
}

impl Notes {
    /// The notes of a page; instead of it another page for somebody whose opening is over and who
    /// has no booking to move: they could take none of what the page offers.
    pub fn of(guest: &Guest, form: &Form) -> Result<Self, Trouble> {
        let (visit, l) = (&guest.visit, guest.visit.lang);
        let frozen = visit.service.frozen(&visit.here);
        let mut notes = Self {
            frozen: frozen.map(|reason| InLanguage::notice(l, &reason)),
            before: before(l, form),
            hold: None,
            offer: None,
            booking: None,
            ends: None,
        };
        if let Some(refused) = guest.past_deadline() {
            return Err(refused);
        }
        let hold = guest.hold();
        notes.hold = hold.map(|held| l.put("you-hold", &[("at", text(held_at(visit, held)))]));
        notes.offer = guest.offer().map(|held| {
            let kept = l.put("agency-kept", &[("at", text(held_at(visit, held)))]);
            format!("{kept} {}", l.say("agency-other"))
        });
        if let Some(booking) = guest.booking() {
            let at = text(first_dose(visit, &booking));
            notes.booking = Some(l.put("you-keep", &[("at", at)]));
            return Ok(notes);
        }
        let Some(until) = visit.service.books_until(&visit.here, &guest.person) else {
            return Err(Trouble::of(over(guest)));
        };
        if (until.0 - visit.here.now.0) / Stamp::SECOND < ENDS_SOON_S {
            let at = text(When::of(visit).instant(until));
            notes.ends = Some(l.put("book-until", &[("at", at)]));
        }
        Ok(notes)
    }
}

/// When the time is that is kept for somebody.
fn held_at(visit: &Visit, held: Held) -> String {
    let slot = &visit.here.offer.catalog.slots[held.doses.first.at()];
    When::of(visit).instant(slot.start)
}

/// The words of a flag in the address, which stays there when the page is loaded again.
fn before(l: Lang, form: &Form) -> Option<&'static str> {
    if form.has("released") {
        Some(l.say("choice-released"))
    } else if form.has("ended") {
        Some(l.say("choice-ended"))
    } else if form.has("past") {
        Some(l.say("choice-past"))
    } else {
        None
    }
}

fn over(guest: &Guest) -> HttpResponse {
    let visit = &guest.visit;
    let template = OverPage {
        f: Frame::of(visit, "/sites"),
        has_hold: guest.hold().is_some(),
    };
    page(visit.lang, StatusCode::OK, &template)
}
