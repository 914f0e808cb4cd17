//! The proof of a booking: what it shows and how to check it, in words; as text, as a code, and as
//! files in the form of C2SP tlog-proof.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::answer::page;
use super::choose::site_name;
use super::frame::{Frame, text};
use super::trouble::Trouble;
use super::visit::{Guest, Visit};
use super::when::When;
use crate::domain::entry::{Change, Doses};
use crate::domain::ids::SlotIndex;
use crate::domain::state::Status;
use crate::qr::{self, Qr};
use crate::service::Refused;

#[derive(Template)]
#[template(path = "proof.html", config = "src/web/pages/askama.toml")]
struct ProofPage {
    f: Frame,
    lead: &'static str,
    number: String,
    entries: Vec<EntryView>,
    public_key: String,
    /// Why something is not proved yet, and when it will be.
    not_yet: Option<String>,
}

struct EntryView {
    /// What the entry did, and when.
    what: String,
    /// What was booked, or given up: where and when, and the numbers that the entry has for it.
    doses: Vec<String>,
    /// The name of its file in the address.
    file: &'static str,
    text: String,
    qr: Option<Qr>,
}

pub async fn show(guest: Guest) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let proof = match visit.service.proof_of_booking(&visit.here, &guest.person) {
        Ok(proof) => proof,
        Err(Refused::NoBooking) => return Ok(visit.onward("/booking")),
        Err(refused) => return Err(visit.trouble(&refused)),
    };
    let (l, when) = (visit.lang, When::of(visit));
    let entries = proof.entries.iter().map(|proved| {
        let entry = &proved.entry;
        let (said, file) = match entry.change {
            Change::Booked { .. } => ("proof-made", "made"),
            Change::Moved { .. } => ("proof-moved", "last"),
            Change::Relocated { .. } => ("proof-relocated", "last"),
            _ => ("proof-cancelled", "last"),
        };
        let doses = proved.doses().map(|doses| in_words(visit, doses));
        let proof = proved.inclusion.to_string();
        EntryView {
            what: l.put(said, &[("at", text(when.instant_s(entry.stamp)))]),
            doses: doses.unwrap_or_default(),
            file,
            qr: qr::svg(&proof),
            text: proof,
        }
    });
    let not_yet = proof.ready_in_s.map(|seconds| {
        let seconds = [("seconds", f64::from(seconds).into())];
        l.put("proof-not-yet", &seconds)
    });
    let template = ProofPage {
        f: Frame::of(visit, "/proof"),
        lead: match proof.booking.status {
            Status::Booked => l.say("proof-lead"),
            Status::Cancelled => l.say("proof-lead.cancelled"),
        },
        number: proof.booking.number.to_string(),
        entries: entries.collect(),
        public_key: proof.public_key.clone(),
        not_yet,
    };
    Ok(page(l, StatusCode::OK, &template))
}

/// Where and when the doses are, each with the number of the slot that the entry says.
fn in_words(visit: &Visit, doses: Doses) -> Vec<String> {
    let (l, when) = (visit.lang, When::of(visit));
    let catalog = &visit.here.offer.catalog;
    let told = |at: SlotIndex| {
        let slot = &catalog.slots[at.at()];
        let values = [
            ("slot", text(at.to_string())),
            ("when", text(when.instant(slot.start))),
            ("site", text(site_name(visit, slot.site).to_string())),
            (
                "vaccine",
                text(catalog.campaign.vaccines[slot.vaccine.at()].id.clone()),
            ),
        ];
        l.put("proof-slot", &values)
    };
    doses.slots().map(told).collect()
}

/// One proof as a file. An entry that no checkpoint has yet leads back to the page, which says so.
pub async fn file(
    guest: Guest,
    which: web::Path<(String, String, String)>,
) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let proof = match visit.service.proof_of_booking(&visit.here, &guest.person) {
        Ok(proof) => proof,
        Err(Refused::NoBooking) => return Ok(visit.onward("/booking")),
        Err(refused) => return Err(visit.trouble(&refused)),
    };
    let is_made = which.2 == "made";
    let wanted = proof
        .entries
        .iter()
        .find(|proved| matches!(proved.entry.change, Change::Booked { .. }) == is_made);
    let Some(wanted) = wanted else {
        return Ok(visit.onward("/proof"));
    };
    let name = format!("{}-{}.tlog-proof", proof.booking.number, which.2);
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .body(wanted.inclusion.to_string()))
}
