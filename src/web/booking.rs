//! The calls of a person in session: hold, extend, book, look, move, cancel.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, delete, get, post};

use super::acts::acts;
use super::call::{Admitted, Call, IdempotencyKey, SESSION_COOKIE, token_in};
use super::described::{CampaignPath, HoldPath, KeyHeader, NumberPath, refusals};
use super::headers::Headers;
use super::origin::is_ours_or_bearer;
use super::problem::Problem;
use super::public::answer;
use super::read;
use super::views::{
    self, BookRequest, BookingAnswer, HoldRequest, HoldView, ProofAnswer, SeatRequest,
};
use super::words::Lang;
use crate::domain::ids::{BookingNumber, HoldId, PersonKey};
use crate::service::booking::Choice;
use crate::service::{Here, Refused, Service};

refusals! {
    NotHeld = [
        "invalid_request", "invalid_request"(413), "invalid_request"(415), "invalid_request"(422),
        "session_invalid", "session_expired", "not_eligible", "not_open_yet", "opening_closed",
        "foreign_request", "not_found", "slot_full", "slot_past", "already_booked",
        "change_deadline_passed", "outcome_unknown", "paused", "overloaded", "too_many_attempts",
    ];
    NotReleased = [
        "invalid_request"(422), "session_invalid", "session_expired", "foreign_request",
        "not_found", "hold_expired", "outcome_unknown", "overloaded", "too_many_attempts",
    ];
    NotExtended = [
        "invalid_request"(422), "session_invalid", "session_expired", "foreign_request",
        "not_found", "hold_expired", "hold_extended", "outcome_unknown", "paused", "overloaded",
        "too_many_attempts",
    ];
    NotBooked = [
        "invalid_request", "invalid_request"(413), "invalid_request"(415), "invalid_request"(422),
        "session_invalid", "session_expired", "not_eligible", "not_open_yet", "opening_closed",
        "foreign_request", "not_found", "hold_expired", "slot_full", "slot_past", "already_booked",
        "idempotency_conflict", "outcome_unknown", "paused", "overloaded", "too_many_attempts",
    ];
    NotMoved = [
        "invalid_request", "invalid_request"(413), "invalid_request"(415), "invalid_request"(422),
        "session_invalid", "session_expired", "foreign_request", "not_found", "no_booking",
        "hold_expired", "slot_full", "slot_past", "change_deadline_passed", "idempotency_conflict",
        "outcome_unknown", "paused", "overloaded", "too_many_attempts",
    ];
    NotCancelled = [
        "invalid_request"(422), "session_invalid", "session_expired", "foreign_request",
        "not_found", "no_booking", "change_deadline_passed", "idempotency_conflict",
        "outcome_unknown", "paused", "overloaded", "too_many_attempts",
    ];
    NotMine = ["session_invalid", "session_expired", "not_found", "no_booking", "overloaded"];
}

/// Keeps a slot and its second dose for the person while they decide.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath),
    request_body = HoldRequest,
    responses((status = 201, body = HoldView, description = "The seats are held."), NotHeld),
    security(("session" = []), ("bearer" = []))
)]
#[post("/holds")]
pub async fn place_hold(
    admitted: Admitted,
    request: HttpRequest,
    body: read::Bytes,
) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let asked: HoldRequest = read::json(&request, body)?;
    let slot = read::slot(call.lang, &asked.slot)?;
    let held = call.service.hold(&call.here, person, slot).await;
    let held = held.map_err(|refused| call.problem(refused))?;
    Ok(answer(StatusCode::CREATED, &views::held(&call.here, &held)))
}

/// Gives the person more time to decide, once for each hold.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath, HoldPath),
    responses((status = 200, body = HoldView, description = "The hold ends later."), NotExtended),
    security(("session" = []), ("bearer" = []))
)]
#[post("/holds/{hold}/extend")]
pub async fn extend_hold(
    admitted: Admitted,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let hold = hold(&call, &request)?;
    let held = call.service.extend(&call.here, person, hold).await;
    let held = held.map_err(|refused| call.problem(refused))?;
    Ok(answer(StatusCode::OK, &views::held(&call.here, &held)))
}

/// Gives a hold back before its end.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath, HoldPath),
    responses((status = 204, description = "The seats are free again."), NotReleased),
    security(("session" = []), ("bearer" = []))
)]
#[delete("/holds/{hold}")]
pub async fn release_hold(
    admitted: Admitted,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let hold = hold(&call, &request)?;
    let released = call.service.release(&call.here, person, hold).await;
    released.map_err(|refused| call.problem(refused))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Books a hold, or a slot with free seats: both doses or neither.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath, KeyHeader),
    request_body = BookRequest,
    responses((status = 201, body = BookingAnswer, description = "Booked."), NotBooked),
    security(("session" = []), ("bearer" = []))
)]
#[post("/bookings")]
pub async fn make_booking(
    admitted: Admitted,
    key: IdempotencyKey,
    request: HttpRequest,
    body: read::Bytes,
) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let BookRequest { hold, slot, agreed } = read::json(&request, body)?;
    let choice = choice(call.lang, hold, slot)?;
    let booked = call
        .service
        .book(&call.here, person, choice, key.0.as_deref(), agreed)
        .await;
    let booked = booked.map_err(|refused| call.problem(refused))?;
    Ok(answer(
        StatusCode::CREATED,
        &views::booking(&call.here, &booked),
    ))
}

/// The person's booking.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath),
    responses((status = 200, body = BookingAnswer, description = "The booking."), NotMine),
    security(("session" = []), ("bearer" = []))
)]
#[get("/bookings/mine")]
pub async fn my_booking(admitted: Admitted) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let booking = call.service.active_booking(&call.here, &person);
    let booking = booking.ok_or_else(|| call.problem(Refused::NoBooking))?;
    Ok(answer(
        StatusCode::OK,
        &views::BookingAnswer {
            by_agency: acts(&call.here, &call.service.agency_acts(&call.here, &person)),
            ..views::booking(&call.here, &booking)
        },
    ))
}

/// Proof of the person's booking, also after it was cancelled.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath),
    responses((status = 200, body = ProofAnswer, description = "The proofs."), NotMine),
    security(("session" = []), ("bearer" = []))
)]
#[get("/bookings/mine/proof")]
pub async fn prove_booking(admitted: Admitted) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let proof = call.service.proof_of_booking(&call.here, &person);
    let proof = proof.map_err(|refused| call.problem(refused))?;
    Ok(answer(StatusCode::OK, &views::proof(&call.here, &proof)))
}

/// Takes another slot and gives the old one back, in one entry.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath, NumberPath, KeyHeader),
    request_body = SeatRequest,
    responses((status = 200, body = BookingAnswer, description = "Moved."), NotMoved),
    security(("session" = []), ("bearer" = []))
)]
#[post("/bookings/{number}/move")]
pub async fn move_booking(
    admitted: Admitted,
    key: IdempotencyKey,
    request: HttpRequest,
    body: read::Bytes,
) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let number = number(&call, &request)?;
    let SeatRequest { hold, slot } = read::json(&request, body)?;
    let choice = choice(call.lang, hold, slot)?;
    let service = &call.service;
    let moved = service
        .move_booking(&call.here, person, number, choice, key.0.as_deref())
        .await;
    let moved = moved.map_err(|refused| call.problem(refused))?;
    Ok(answer(StatusCode::OK, &views::booking(&call.here, &moved)))
}

/// Gives a booking back.
#[utoipa::path(
    tag = "booking",
    params(CampaignPath, NumberPath, KeyHeader),
    responses((status = 200, body = BookingAnswer, description = "Cancelled."), NotCancelled),
    security(("session" = []), ("bearer" = []))
)]
#[post("/bookings/{number}/cancel")]
pub async fn cancel_booking(
    admitted: Admitted,
    key: IdempotencyKey,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Admitted { call, person } = admitted;
    let number = number(&call, &request)?;
    let cancelled = call
        .service
        .cancel(&call.here, person, number, key.0.as_deref())
        .await;
    let cancelled = cancelled.map_err(|refused| call.problem(refused))?;
    Ok(answer(
        StatusCode::OK,
        &views::booking(&call.here, &cancelled),
    ))
}

/// The hold that the address names.
fn hold(call: &Call, request: &HttpRequest) -> Result<HoldId, Problem> {
    let text = request.match_info().get("hold").unwrap_or_default();
    read::hold(call.lang, text)
}

/// A number that can't be one names no booking.
fn number(call: &Call, request: &HttpRequest) -> Result<BookingNumber, Problem> {
    let text = request.match_info().get("number").unwrap_or_default();
    read::booking_number(call.lang, text).map_err(|_| call.problem(Refused::NoBooking))
}

/// A call to book as programs make it, before any route is looked for.
pub struct BookCall {
    here: Here,
    person: PersonKey,
    choice: Choice,
    key: Option<String>,
    agreed: Option<u32>,
    lang: Lang,
}

impl BookCall {
    /// None for a call that the route has to look at to say what is wrong with it.
    pub fn of(service: &Service, here: &Here, headers: &impl Headers, body: &[u8]) -> Option<Self> {
        if !read::says_json(headers) || !is_ours_or_bearer(&Method::POST, headers) {
            return None;
        }
        let BookRequest { hold, slot, agreed } = serde_json::from_slice(body).ok()?;
        let lang = Lang::of(headers);
        let choice = choice(lang, hold, slot).ok()?;
        let key = IdempotencyKey::of(headers).ok()?.map(str::to_owned);
        let token = token_in(headers, SESSION_COOKIE)?;
        let person = service.session(here, token).ok()?;
        let here = here.clone();
        Some(Self {
            here,
            person,
            choice,
            key,
            agreed,
            lang,
        })
    }

    /// Books, and gives the body of the answer.
    pub async fn book(self, service: &Service) -> Result<Vec<u8>, Problem> {
        let Self {
            here, person, lang, ..
        } = &self;
        let key = self.key.as_deref();
        let booked = service.book(here, *person, self.choice, key, self.agreed);
        let booked = booked.await;
        let booked = booked.map_err(|refused| Problem::of(refused, here, *lang))?;
        let answer = views::booking(here, &booked);
        Ok(serde_json::to_vec(&answer).expect("views have a JSON form"))
    }
}

fn choice(lang: Lang, hold: Option<String>, slot: Option<String>) -> Result<Choice, Problem> {
    match (hold, slot) {
        (Some(hold), None) => read::hold(lang, &hold).map(Choice::Hold),
        (None, Some(slot)) => read::slot(lang, &slot).map(Choice::Slot),
        _ => Err(Problem::field(
            lang,
            "body",
            "must name either `hold` or `slot`",
        )),
    }
}
