//! A booking: its number, QR code, calendar file and printed sheet; cancelling it.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use fast_qr::QRBuilder;
use std::fmt::Write as _;

use super::answer::page;
use super::confirm::{DoseView, doses};
use super::form::Form;
use super::frame::{Frame, text};
use super::ics;
use super::trouble::{self, Retry, Trouble};
use super::visit::{Guest, Visit};
use super::when::When;
use crate::domain::ids::BookingNumber;
use crate::domain::state::Booking;
use crate::service::Refused;
use crate::web::read;

#[derive(Template)]
#[template(path = "booking.html", config = "src/web/pages/askama.toml")]
struct BookingPage {
    f: Frame,
    number: String,
    booked_at: String,
    doses: Vec<DoseView>,
    qr: Option<Qr>,
    change: String,
    changeable: bool,
}

/// A QR code as a path in units of its modules, with the quiet zone around it.
struct Qr {
    size: usize,
    path: String,
}

/// Modules around the code that stay empty (ISO/IEC 18004).
const QUIET: usize = 4;

#[derive(Template)]
#[template(path = "no_booking.html", config = "src/web/pages/askama.toml")]
struct NoBookingPage {
    f: Frame,
    cancelled: bool,
}

#[derive(Template)]
#[template(path = "cancel.html", config = "src/web/pages/askama.toml")]
struct CancelPage {
    f: Frame,
    number: String,
    doses: Vec<DoseView>,
}

pub async fn show(request: HttpRequest, guest: Guest) -> HttpResponse {
    let visit = &guest.visit;
    let (l, when) = (visit.lang, When::of(visit));
    let Some(booking) = guest.booking() else {
        let template = NoBookingPage {
            f: Frame::of(visit, "/booking"),
            cancelled: Form::of_address(&request).has("cancelled"),
        };
        return page(l, StatusCode::OK, &template);
    };
    let catalog = &visit.here.offer.catalog;
    let deadline = catalog.change_deadline(&catalog.slots[booking.doses.first.at()]);
    let changeable = visit.here.now < deadline;
    let at = [("at", text(when.instant(deadline)))];
    let number = booking.number.to_string();
    let template = BookingPage {
        f: Frame::of(visit, "/booking"),
        booked_at: when.instant_s(booking.booked_at),
        doses: doses(visit, booking.doses),
        qr: qr(&number),
        number,
        change: if changeable {
            l.put("change-until", &at)
        } else {
            l.put("deadline-was", &at)
        },
        changeable,
    };
    page(l, StatusCode::OK, &template)
}

fn qr(number: &str) -> Option<Qr> {
    let code = QRBuilder::new(number).build().ok()?;
    let mut path = String::new();
    for y in 0..code.size {
        for x in 0..code.size {
            if code[y][x].value() {
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
    }
    Some(Qr {
        size: code.size + 2 * QUIET,
        path,
    })
}

/// The doses as a file for calendars.
pub async fn calendar_file(guest: Guest) -> HttpResponse {
    let visit = &guest.visit;
    let Some(booking) = guest.booking() else {
        return visit.onward("/booking");
    };
    let name = format!("attachment; filename=\"{}.ics\"", booking.number);
    HttpResponse::Ok()
        .content_type("text/calendar; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, name))
        .body(ics::file(&events(visit, &booking)))
}

fn events(visit: &Visit, booking: &Booking) -> Vec<ics::Event> {
    let catalog = &visit.here.offer.catalog;
    let l = visit.lang;
    let campaign = &catalog.campaign;
    let name = l.pick(&campaign.name.ko, &campaign.name.en);
    let shown = doses(visit, booking.doses);
    let slots = booking.doses.slots().zip(shown).enumerate();
    let event = |(at, (slot, dose)): (usize, (_, DoseView))| {
        let slot = &catalog.slots[crate::domain::ids::SlotIndex::at(slot)];
        let note = [
            ("number", text(booking.number.to_string())),
            ("phone", text(dose.phone)),
        ];
        ics::Event {
            uid: format!("{}-{}@sumun", booking.number, at + 1),
            sequence: booking.seq.0,
            stamp: booking.booked_at,
            start: slot.start,
            end: slot.end,
            summary: format!("{name} ({})", dose.title),
            place: format!("{}, {}", dose.site, dose.street),
            note: l.put("calendar-note", &note),
        }
    };
    slots.map(event).collect()
}

pub async fn ask_cancel(guest: Guest) -> HttpResponse {
    let visit = &guest.visit;
    let Some(booking) = guest.booking() else {
        return visit.onward("/booking");
    };
    let template = CancelPage {
        f: Frame::of(visit, "/cancel"),
        number: booking.number.to_string(),
        doses: doses(visit, booking.doses),
    };
    page(visit.lang, StatusCode::OK, &template)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_code_with_its_quiet_zone() {
        let qr = qr("7K3M-9QXT-2R").unwrap();
        // Fourteen characters of the alphanumeric mode fit version 1: 21 modules.
        assert_eq!(qr.size, 21 + 8);
        assert!(qr.path.starts_with("M4 4h1v1h-1z"), "the finder's corner");
    }
}
