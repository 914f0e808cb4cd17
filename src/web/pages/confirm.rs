//! A seat is held, shown with the time it is kept, and becomes a booking or the place of one.
//!
//! The key of a request is made of the hold it is about: sent twice, from two tabs or after a
//! crash, it is answered as the first time.

use actix_web::http::StatusCode;
use actix_web::http::header::REFRESH;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::page;
use super::booking::{Who, bring, who};
use super::choose::notes::{CHECK, Steps};
use super::choose::times::{SlotView, day_of, slot_view, slots_of};
use super::choose::{directions, first_dose, phone, site_name};
use super::entrance::ConsentView;
use super::form::Form;
use super::frame::{Frame, machine, minutes, text};
use super::text::{Block, InLanguage, Told};
use super::trouble::{self, Retry, Trouble};
use super::visit::{Guest, Visit};
use super::when::When;
use crate::availability::Near;
use crate::domain::entry::Doses;
use crate::domain::ids::{BookingNumber, HoldId, SlotIndex, VaccineIndex};
use crate::service::Refused;
use crate::service::booking::{Choice, Held};
use crate::web::read;
use crate::web::words::{Lang, Value, words};

/// The person reads that a hold has ended for so long before the page changes by itself. The page's
/// script would load it again a second later.
const ENDED_S: u64 = 2;

#[derive(Template)]
#[template(path = "confirm.html", config = "src/web/pages/askama.toml")]
struct ConfirmPage {
    f: Frame,
    steps: Steps,
    /// The operators' reason for a pause in which nothing can be booked.
    frozen: Option<InLanguage>,
    doses: Vec<DoseView>,
    hold: HoldId,
    /// The slot of the first dose, so that the times of its day can be shown when the hold has
    /// ended.
    slot: SlotIndex,
    /// Whether it is the agency's offer: it is kept for days, and looking further gives up nothing.
    is_offer: bool,
    until: String,
    /// Real seconds from now to the end of the hold, for the countdown.
    left_s: u64,
    left: String,
    /// Whether the person can still have more time.
    may_extend: bool,
    /// That they have more time now, right after they asked for it.
    extended: Option<String>,
    /// For whom it is.
    who: Option<Who>,
    bring: Vec<Told>,
    consent: Option<ConsentView>,
    /// The booking that the hold would move: its number, and where it is now.
    moves: Option<(String, String)>,
}

/// A dose as a person reads it.
pub struct DoseView {
    pub title: String,
    pub day: String,
    pub at_machine: String,
    /// From when until when.
    pub hours: String,
    /// The vaccine, if the agency or a choice of several names it.
    pub vaccine: Option<InLanguage>,
    pub site: InLanguage,
    pub street: InLanguage,
    pub phone: String,
    /// The number as a link calls it.
    pub call: Option<String>,
    /// Where a map leads there.
    pub directions: String,
}

#[derive(Template)]
#[template(path = "full.html", config = "src/web/pages/askama.toml")]
struct FullPage {
    f: Frame,
    title: &'static str,
    next: &'static str,
    asked: SlotView,
    /// The times of the same day at the same site that are free.
    same_day: Vec<SlotView>,
    /// Where all times of that day are.
    day: String,
    /// Other times near, at other days or sites.
    others: Vec<SlotView>,
    is_frozen: bool,
}

/// What people read of a vaccine: the agency's name for it, or its id where there are several.
pub fn vaccine_name(visit: &Visit, at: VaccineIndex) -> Option<InLanguage> {
    let vaccines = &visit.here.offer.catalog.campaign.vaccines;
    let id = &vaccines[at.at()].id;
    let known = visit.here.agency();
    let named = known.as_ref().and_then(|known| known.agency.vaccine(id));
    match named {
        Some(named) => Some(InLanguage::agency(visit.lang, &named.name)),
        None => (vaccines.len() > 1).then(|| id.clone().into()),
    }
}

pub fn doses(visit: &Visit, doses: Doses) -> Vec<DoseView> {
    let (l, when) = (visit.lang, When::of(visit));
    let catalog = &visit.here.offer.catalog;
    let view = |(at, slot): (usize, SlotIndex)| {
        let slot = &catalog.slots[slot.at()];
        let row = &catalog.sites[slot.site.at()].row;
        DoseView {
            title: match doses.second {
                Some(_) => l.put("dose", &[("n", Value::from(at + 1))]),
                None => l.say("only-dose").to_owned(),
            },
            day: when.date(when.local_date(slot.start)),
            at_machine: machine(visit, slot.start),
            hours: format!("{}–{}", when.time(slot.start), when.time(slot.end)),
            vaccine: vaccine_name(visit, slot.vaccine),
            site: site_name(visit, slot.site),
            street: InLanguage::of(l, &*row.address),
            phone: row.phone.clone(),
            call: phone(&row.phone).map(|(called, _)| called),
            directions: directions(row, &row.name_ko),
        }
    };
    doses.slots().enumerate().map(view).collect()
}

/// Whoever comes to the address of a form is sent to where they are.
pub async fn onward(guest: Guest) -> HttpResponse {
    guest.visit.onward(guest.visit.home(&guest.person))
}

pub async fn hold(guest: Guest, body: read::Bytes) -> Result<HttpResponse, Trouble> {
    let form = Form::of(body);
    let visit = &guest.visit;
    let Some(slot) = form.number("slot").map(SlotIndex) else {
        return Ok(visit.onward("/sites"));
    };
    let held = guest.hold();
    if held.is_some_and(|held| held.doses.first == slot) {
        return Ok(visit.onward("/confirm"));
    }
    if guest.offer().is_some_and(|held| held.doses.first == slot) {
        return Ok(visit.onward("/confirm?offer"));
    }
    let booked = guest.booking();
    if booked.is_some_and(|booking| booking.doses.first == slot) {
        return Ok(visit.onward("/booking"));
    }
    let service = &visit.service;
    match service.hold(&visit.here, guest.person, slot).await {
        Ok(_) => Ok(visit.onward("/confirm")),
        Err(Refused::SlotFull { alternatives, .. }) => Ok(full(visit, slot, &alternatives)),
        Err(Refused::SlotPast) => Ok(to_day(visit, Some(slot), "past")),
        Err(refused) => {
            let retry = Retry {
                action: visit.to("/hold"),
                fields: vec![("slot", slot.to_string())],
            };
            Err(trouble::refused_form(visit, &refused, &retry))
        }
    }
}

/// Sends a person back to the times of a slot's day, with a flag that says what became of it.
fn to_day(visit: &Visit, slot: Option<SlotIndex>, flag: &str) -> HttpResponse {
    let day = slot.and_then(|slot| day_of(visit, slot));
    let page = day.unwrap_or_else(|| "/sites".to_owned());
    visit.onward(&format!("{page}?{flag}"))
}

/// The nearest alternatives of a slot that filled meanwhile, on the same page: first the other
/// times of the same day.
fn full(visit: &Visit, slot: SlotIndex, near: &Near) -> HttpResponse {
    let words = words(visit.lang, "slot_full");
    let asked = slot_view(visit, slot, 0);
    let known = &visit.here.offer.catalog.slots[slot.at()];
    let day = day_of(visit, slot).unwrap_or_default();
    let is_same = |other: SlotIndex| {
        let other = &visit.here.offer.catalog.slots[other.at()];
        (other.site, other.date) == (known.site, known.date)
    };
    let (mut same_day, _) = slots_of(visit, known.site, known.date.date());
    same_day.retain(|slot| !slot.is_full);
    let others = near.slots.iter().filter(|(other, _)| !is_same(*other));
    let template = FullPage {
        f: Frame::of(visit, &day),
        title: words.title,
        next: if near.is_held {
            visit.lang.say("slot-held")
        } else {
            words.next
        },
        asked,
        same_day,
        day: visit.to(&day),
        others: others
            .map(|&(slot, free)| slot_view(visit, slot, free))
            .collect(),
        is_frozen: false,
    };
    page(visit.lang, StatusCode::CONFLICT, &template)
}

/// What a person who has not agreed to the present text is asked before they book.
fn consent(visit: &Visit, is_refused: bool) -> Option<ConsentView> {
    let asked = ConsentView::of(visit, visit.agreed)?;
    let key = if visit.agreed.is_some() {
        "consent-changed"
    } else {
        "consent-missing"
    };
    let missing = || visit.lang.say(key).to_owned();
    (!asked.is_agreed).then(|| ConsentView {
        fault: is_refused.then(missing),
        ..asked
    })
}

pub async fn show(request: HttpRequest, guest: Guest) -> HttpResponse {
    let visit = &guest.visit;
    let flags = Form::of_address(&request);
    // The agency's offer stands beside what the person holds: its link names it.
    let is_offer = flags.has("offer");
    let held = if is_offer {
        guest.offer()
    } else {
        guest.hold()
    };
    let Some(held) = held else {
        return visit.onward(visit.home(&guest.person));
    };
    if let Some(refused) = guest.past_deadline() {
        return refused.into();
    }
    let when = When::of(visit);
    let left_s = visit.service.clock.until(held.until).as_secs();
    let moves = guest
        .booking()
        .map(|booking| (booking.number.to_string(), first_dose(visit, &booking)));
    let frozen = visit.service.frozen(&visit.here);
    let template = ConfirmPage {
        f: Frame::of(visit, "/confirm"),
        steps: Steps::at(visit.lang, CHECK),
        frozen: frozen.map(|reason| InLanguage::notice(visit.lang, &reason)),
        doses: doses(visit, held.doses),
        hold: held.hold,
        slot: held.doses.first,
        is_offer,
        until: if is_offer {
            when.instant(held.until)
        } else {
            when.clock_s(held.until)
        },
        left_s,
        left: left(visit.lang, left_s),
        may_extend: held.may_extend(&visit.here),
        extended: flags
            .has("extended")
            .then(|| extended(visit, &held))
            .flatten(),
        who: who(visit, &guest.person),
        bring: bring(visit, held.doses),
        consent: consent(visit, flags.has("agree")).filter(|_| moves.is_none()),
        moves,
    };
    let is_frozen = template.frozen.is_some();
    let mut answer = page(visit.lang, StatusCode::OK, &template);
    // When the hold has ended, the browser goes by itself to where another time can be chosen.
    let day = day_of(visit, held.doses.first).unwrap_or_default();
    let after_s = left_s + ENDED_S;
    let refresh = format!("{after_s};url={}?ended", visit.to(&day));
    // While sessions are frozen no hold ends.
    if let Ok(refresh) = refresh.parse()
        && !is_frozen
    {
        answer.headers_mut().insert(REFRESH, refresh);
    }
    answer
}

fn left(l: Lang, seconds: u64) -> String {
    let values = [
        ("m", Value::from(seconds / 60)),
        ("s", text(format!("{:02}", seconds % 60))),
    ];
    l.put("time-left", &values)
}

/// Says by how much a hold was extended; nothing if it was not.
fn extended(visit: &Visit, held: &Held) -> Option<String> {
    let extend_s = visit.here.offer.catalog.campaign.booking.hold_extend_s;
    let time = minutes(visit.lang, extend_s.into());
    let told = |time| visit.lang.put("hold-extended", &[("time", text(time))]);
    held.extended.then(|| told(time))
}

/// Gives a person more time for their hold. Pressed again, also in another tab, it leads to the
/// same page, which shows the end that the hold has by then.
pub async fn extend(guest: Guest, body: read::Bytes) -> Result<HttpResponse, Trouble> {
    let form = Form::of(body);
    let visit = &guest.visit;
    let Some(hold) = form.number("hold").map(HoldId) else {
        return Ok(visit.onward(visit.home(&guest.person)));
    };
    let slot = form.number("slot").map(SlotIndex);
    match visit.service.extend(&visit.here, guest.person, hold).await {
        Ok(_) | Err(Refused::HoldExtended) => Ok(visit.onward("/confirm?extended")),
        Err(Refused::HoldExpired) => {
            // Another tab may have booked it.
            let booked = guest.booking().map(|booking| booking.doses.first);
            if booked.is_some() && booked == slot {
                return Ok(visit.onward("/booking"));
            }
            Ok(to_day(visit, slot, "ended"))
        }
        Err(refused) => {
            let mut fields = vec![("hold", hold.to_string())];
            fields.extend(slot.map(|slot| ("slot", slot.to_string())));
            let retry = Retry {
                action: visit.to("/extend"),
                fields,
            };
            Err(trouble::refused_form(visit, &refused, &retry))
        }
    }
}

/// Gives a held seat back, to choose another.
pub async fn release(guest: Guest, body: read::Bytes) -> Result<HttpResponse, Trouble> {
    let form = Form::of(body);
    let visit = &guest.visit;
    let slot = form.number("slot").map(SlotIndex);
    if let Some(hold) = form.number("hold").map(HoldId) {
        let released = visit.service.release(&visit.here, guest.person, hold).await;
        match released {
            Ok(()) => {}
            // It was used, replaced or ended meanwhile, in another tab or by its time.
            Err(Refused::HoldExpired) => {
                let home = visit.home(&guest.person);
                return Ok(match home {
                    "/sites" => to_day(visit, slot, "ended"),
                    home => visit.onward(home),
                });
            }
            Err(refused) => return Err(visit.trouble(&refused)),
        }
    }
    Ok(to_day(visit, slot, "released"))
}

/// Books the held seats, or moves the booking that the form names to them.
pub async fn book(guest: Guest, body: read::Bytes) -> Result<HttpResponse, Trouble> {
    let form = Form::of(body);
    let visit = &guest.visit;
    let Some(hold) = form.number("hold").map(HoldId) else {
        return Ok(visit.onward(visit.home(&guest.person)));
    };
    let (service, here, person) = (&visit.service, &visit.here, guest.person);
    let choice = Choice::Hold(hold);
    let slot = form.number("slot").map(SlotIndex);
    let number = BookingNumber::parse(form.field("number")).ok();
    let answered = match number {
        Some(number) => {
            let key = format!("page-move-{hold}");
            let moved = service.move_booking(here, person, number, choice, Some(&key));
            moved.await
        }
        None => {
            let key = format!("page-book-{hold}");
            // What was ticked a moment ago counts before what was agreed to at the entrance.
            let agreed = form.number("agreed").or(visit.agreed);
            let asked = ConsentView::of(visit, agreed);
            let is_asked = asked.is_some_and(|asked| !asked.is_agreed);
            // Of a hold that has ended, its end is told.
            if is_asked && guest.hold().is_some() {
                return Ok(visit.onward("/confirm?agree"));
            }
            service.book(here, person, choice, Some(&key), agreed).await
        }
    };
    match answered {
        Ok(_) => Ok(visit.onward("/booking")),
        // Another tab or device was first: the booking itself is the answer.
        Err(Refused::AlreadyBooked(_)) => Ok(visit.onward("/booking")),
        Err(Refused::HoldExpired) => Ok(to_day(visit, slot, "ended")),
        Err(Refused::SlotPast) => Ok(to_day(visit, slot, "past")),
        Err(refused) => {
            let mut fields = vec![("hold", hold.to_string())];
            fields.extend(slot.map(|slot| ("slot", slot.to_string())));
            fields.extend(number.map(|number| ("number", number.to_string())));
            let agreed = form.number::<u32>("agreed");
            fields.extend(agreed.map(|agreed| ("agreed", agreed.to_string())));
            let retry = Retry {
                action: visit.to("/book"),
                fields,
            };
            Err(trouble::refused_form(visit, &refused, &retry))
        }
    }
}
