//! A booking: its number, QR code, calendar file and printed sheet; cancelling it.

use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::page;
use super::choose::first_dose;
use super::confirm::{DoseView, doses};
use super::document::told;
use super::form::Form;
use super::frame::{Frame, text};
use super::ics::{self, Method};
use super::text::{Block, InLanguage, Told};
use super::trouble::{self, Retry, Trouble};
use super::visit::{Guest, Visit};
use super::when::When;
use crate::domain::agency::{Agency, Texts};
use crate::domain::booking::relocation::Cause;
use crate::domain::entry::{Change, Doses, Entry};
use crate::domain::ids::{BookingNumber, PersonKey, SlotIndex, VaccineIndex};
use crate::domain::state::{Booking, Status};
use crate::qr::{self, Qr};
use crate::service::Refused;
use crate::service::booking::AgencyAct;
use crate::web::read;
use crate::web::words::Value;

#[derive(Template)]
#[template(path = "booking.html", config = "src/web/pages/askama.toml")]
struct BookingPage {
    f: Frame,
    number: String,
    booked_at: String,
    doses: Vec<DoseView>,
    qr: Option<Qr>,
    was_moved: bool,
    /// It was made or moved a moment ago.
    is_new: bool,
    /// When the first dose is.
    when: String,
    /// Whose booking it is: "노*수 님 (1967년생)".
    who: Option<Who>,
    /// In the browser of another app, which can't keep files.
    in_app: bool,
    /// What to bring; the agency's words at the end of the page; and those for paper alone.
    bring: Vec<Told>,
    closing: Option<Told>,
    on_paper: Option<Told>,
    change: String,
    changeable: bool,
    agency: AgencyTold,
}

/// What the agency did to the booking.
#[derive(Default)]
struct AgencyTold {
    /// Why slots of it were closed, and the doses in them.
    closed: Option<(InLanguage, Vec<DoseView>)>,
    /// The seats that are kept instead, until when, and what becomes of them without an answer.
    offer: Option<(Vec<DoseView>, String, &'static str)>,
    /// Why and when it was moved, and where it was before.
    moved: Option<(InLanguage, String, Vec<DoseView>)>,
}

impl AgencyTold {
    fn of(visit: &Visit, booking: &Booking) -> Self {
        let (l, when, person) = (visit.lang, When::of(visit), &booking.person);
        let of = |closed: &[u8]| {
            let all = (1..).zip(doses(visit, booking.doses));
            let some = all.filter(|(dose, _)| closed.contains(dose));
            some.map(|(_, view)| view).collect::<Vec<_>>()
        };
        let acts = visit.service.agency_acts(&visit.here, person);
        let why = |act: &AgencyAct| match act.cause {
            Cause::Interval {
                days_before, days, ..
            } if act.reason.text.is_empty() => {
                let days = [
                    ("before", text(days_before.to_string())),
                    ("days", text(days.to_string())),
                ];
                InLanguage::of(l, l.put("agency-interval", &days))
            }
            _ => InLanguage::notice(l, &act.reason),
        };
        let offer = acts.offer.map(|(held, is_final)| {
            let unanswered = if is_final {
                "agency-offer-final"
            } else {
                "agency-offer-ends"
            };
            let until = when.instant(held.until);
            (doses(visit, held.doses), until, l.say(unanswered))
        });
        let moved = acts.moved.as_ref();
        let moved = moved.map(|(act, from, at)| (why(act), when.instant(*at), doses(visit, *from)));
        Self {
            closed: acts
                .closed
                .as_ref()
                .map(|(act, closed)| (why(act), of(closed))),
            offer,
            moved,
        }
    }
}

/// For so long a booking is said to be made, and not only to be there.
const NEW_S: i64 = 600;

#[derive(Template)]
#[template(path = "no_booking.html", config = "src/web/pages/askama.toml")]
struct NoBookingPage {
    f: Frame,
    cancelled: bool,
    may_book: bool,
    /// Whether a booking that was cancelled may still be in a calendar.
    was_booked: bool,
}

#[derive(Template)]
#[template(path = "cancel.html", config = "src/web/pages/askama.toml")]
struct CancelPage {
    f: Frame,
    number: String,
    /// What cancelling does.
    lead: [Option<String>; 2],
    doses: Vec<DoseView>,
}

pub async fn show(request: HttpRequest, guest: Guest) -> HttpResponse {
    let visit = &guest.visit;
    let (l, when) = (visit.lang, When::of(visit));
    let Some(booking) = guest.booking() else {
        let latest = visit.service.latest_booking(&visit.here, &guest.person);
        let template = NoBookingPage {
            f: Frame::of(visit, "/booking"),
            cancelled: Form::of_address(&request).has("cancelled"),
            may_book: visit.may_book(&guest.person),
            was_booked: matches!(latest, Ok(Some(_))),
        };
        return page(l, StatusCode::OK, &template);
    };
    let deadline = visit.service.change_deadline(&visit.here, &booking);
    let changeable = visit.here.now < deadline;
    let at = [("at", text(when.end(deadline)))];
    let latest = visit.service.latest_booking(&visit.here, &guest.person);
    let last = latest.as_ref().ok().and_then(Option::as_ref);
    let was_moved = last.is_some_and(|(_, entry)| {
        let change = &entry.change;
        matches!(change, Change::Moved { .. } | Change::Relocated { .. })
    });
    let changed = last.map_or(booking.booked_at, |(_, entry)| entry.stamp);
    let is_new = visit.here.now < changed.plus_s(NEW_S);
    let number = booking.number.to_string();
    let said = |text: fn(&Agency) -> Option<&Texts>| told(visit, text);
    let agency = AgencyTold::of(visit, &booking);
    // Nobody reads that they are booked right under why they are not.
    let is_new = is_new && agency.closed.is_none();
    let template = BookingPage {
        f: Frame::of(visit, "/booking"),
        booked_at: when.instant_s(booking.booked_at),
        doses: doses(visit, booking.doses),
        qr: qr::svg(&number),
        number,
        was_moved,
        is_new,
        when: first_dose(visit, &booking),
        who: who(visit, &guest.person),
        in_app: is_in_app(&request),
        bring: bring(visit, booking.doses),
        closing: said(|agency| agency.confirmation.as_ref()),
        on_paper: said(|agency| agency.print.as_ref()),
        change: if changeable {
            l.put("change-until", &at)
        } else {
            l.put("deadline-was", &at)
        },
        changeable,
        agency,
    };
    page(l, StatusCode::OK, &template)
}

/// What the agency says to bring for the vaccines of these doses.
pub fn bring(visit: &Visit, doses: Doses) -> Vec<Told> {
    let Some(known) = visit.here.agency() else {
        return Vec::new();
    };
    let catalog = &visit.here.offer.catalog;
    let vaccine = |slot: SlotIndex| catalog.slots[slot.at()].vaccine;
    let mut vaccines: Vec<_> = doses.slots().map(vaccine).collect();
    vaccines.dedup();
    let id = |at: VaccineIndex| &catalog.campaign.vaccines[at.at()].id;
    let texts = vaccines.into_iter().filter_map(|at| {
        let vaccine = known.agency.vaccine(id(at))?;
        let bring = vaccine.bring.as_ref()?;
        Some(Told::of(visit.lang, bring))
    });
    texts.collect()
}

/// For whom a booking is.
pub fn who(visit: &Visit, person: &PersonKey) -> Option<Who> {
    let (name, year) = visit.service.shown_self(&visit.here, person)?;
    let year = [("year", text(year.to_string()))];
    Some(Who {
        name: InLanguage::of(visit.lang, name),
        born: visit.lang.put("person-born", &year),
    })
}

/// A person as they know themselves: "노*수" and "님 (1967년생)".
pub struct Who {
    pub name: InLanguage,
    pub born: String,
}

/// Browsers inside other apps, by what they call themselves. They can't download a file.
const IN_APP: [&str; 7] = [
    "KAKAOTALK",
    "NAVER(inapp",
    "Instagram",
    "FBAN/",
    "FBAV/",
    " Line/",
    "DaumApps",
];

fn is_in_app(request: &HttpRequest) -> bool {
    let agent = request.headers().get(USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| IN_APP.iter().any(|name| agent.contains(name)))
}

/// The doses as a file for calendars; of a cancelled booking, a file that takes them out again.
pub async fn calendar_file(guest: Guest) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let latest = visit.service.latest_booking(&visit.here, &guest.person);
    let Some((booking, entry)) = latest.map_err(|refused| visit.trouble(&refused))? else {
        return Ok(visit.onward("/booking"));
    };
    let method = match booking.status {
        Status::Booked => Method::Publish,
        Status::Cancelled => Method::Cancel,
    };
    let last = LastChange {
        visit,
        booking: &booking,
        entry: &entry,
    };
    let name = booking.number.to_string();
    Ok(ics::answer(method, &name, &last.events()))
}

/// A booking as its last change left it.
struct LastChange<'a> {
    visit: &'a Visit,
    booking: &'a Booking,
    entry: &'a Entry,
}

impl LastChange<'_> {
    /// An event for each dose.
    fn events(&self) -> Vec<ics::Event> {
        let is_off = self.booking.status == Status::Cancelled;
        let now = self.numbered(self.booking.doses).map(|dose| (dose, is_off));
        // A move from two doses to one leaves the second in the calendar, unless it is taken out.
        let left = match self.entry.change {
            Change::Moved { from, to, .. } | Change::Relocated { from, to, .. } => {
                Some((from, to.slots().count()))
            }
            _ => None,
        };
        let left = left.map(|(from, kept)| self.numbered(from).skip(kept));
        let left = left.into_iter().flatten().map(|dose| (dose, true));
        let event = |(dose, cancelled)| self.event(dose, cancelled);
        now.chain(left).map(event).collect()
    }

    fn numbered(&self, of: Doses) -> impl Iterator<Item = (usize, DoseView, SlotIndex)> {
        let views = doses(self.visit, of).into_iter().zip(of.slots());
        (1..).zip(views).map(|(at, (view, slot))| (at, view, slot))
    }

    /// The vaccine's name and what to bring, each on lines of its own.
    fn to_know(&self, view: &DoseView, vaccine: VaccineIndex) -> String {
        let mut lines = String::new();
        if let Some(vaccine) = &view.vaccine {
            lines = format!("\n{vaccine}");
        }
        let id = &self.visit.here.offer.catalog.campaign.vaccines[vaccine.at()].id;
        if let Some(known) = self.visit.here.agency()
            && let Some(bring) = known
                .agency
                .vaccine(id)
                .and_then(|known| known.bring.as_ref())
        {
            lines.push('\n');
            lines.push_str(bring.of(self.visit.lang.tag()).trim());
        }
        lines
    }

    fn event(
        &self,
        (dose, view, slot): (usize, DoseView, SlotIndex),
        cancelled: bool,
    ) -> ics::Event {
        let catalog = &self.visit.here.offer.catalog;
        let (l, slot, campaign) = (
            self.visit.lang,
            &catalog.slots[slot.at()],
            &catalog.campaign,
        );
        let name = l.pick(&campaign.name.ko, &campaign.name.en);
        let known = self.visit.here.agency();
        let agency = known.map(|known| known.agency.name.of(l.tag()).to_owned());
        let number = self.booking.number.to_string();
        let note = [("number", text(&*number)), ("phone", text(&*view.phone))];
        ics::Event {
            // A booking keeps its number, whatever becomes of it.
            uid: format!("{number}-{dose}@sumun"),
            sequence: self.booking.seq.0,
            stamp: self.entry.stamp,
            cancelled,
            organizer: agency.unwrap_or_else(|| name.to_string()),
            start: slot.start,
            end: slot.end,
            summary: format!("{name} ({})", view.title),
            place: format!("{}, {}", view.site, view.street),
            note: l.put("calendar-note", &note) + &self.to_know(&view, slot.vaccine),
            alarm: "PT24H",
        }
    }
}

pub async fn ask_cancel(guest: Guest) -> HttpResponse {
    let visit = &guest.visit;
    let Some(booking) = guest.booking() else {
        return visit.onward("/booking");
    };
    if let Some(refused) = guest.past_deadline() {
        return refused.into();
    }
    let template = CancelPage {
        f: Frame::of(visit, "/cancel"),
        number: booking.number.to_string(),
        lead: lead(visit, &booking, &guest.person),
        doses: doses(visit, booking.doses),
    };
    page(visit.lang, StatusCode::OK, &template)
}

/// What cancelling does, and that nothing can be booked after it, if so.
fn lead(visit: &Visit, booking: &Booking, person: &PersonKey) -> [Option<String>; 2] {
    let doses = [("doses", Value::from(booking.doses.slots().count()))];
    let done = visit.lang.put("cancel-lead", &doses);
    let no_more = visit.lang.say("cancel-no-more").to_owned();
    let may_book = visit.may_book(person);
    [(!may_book).then_some(no_more), Some(done)]
}

pub async fn cancel(guest: Guest, body: read::Bytes) -> Result<HttpResponse, Trouble> {
    let form = Form::of(body);
    let visit = &guest.visit;
    let Ok(number) = BookingNumber::parse(form.field("number")) else {
        return Ok(visit.onward("/booking"));
    };
    // A booking can be cancelled once, so its number names the request.
    let key = format!("page-cancel-{number}");
    let service = &visit.service;
    let cancelled = service
        .cancel(&visit.here, guest.person, number, Some(&key))
        .await;
    match cancelled {
        Ok(_) => Ok(visit.onward("/booking?cancelled")),
        Err(Refused::NoBooking) => Ok(visit.onward("/booking")),
        Err(refused) => {
            let retry = Retry {
                action: visit.to("/cancel"),
                fields: vec![("number", number.to_string())],
            };
            Err(trouble::refused_form(visit, &refused, &retry))
        }
    }
}
