//! The calls of the waiting room: enter, place, admit, board. The front of the door answers the
//! board, good places and well-formed calls to enter before they come to the routes here; these
//! have what is left, and the description.

use std::net::IpAddr;

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, SET_COOKIE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, get, post};

use super::call::{Call, PLACE_COOKIE, Placed, SESSION_COOKIE, cookie, no_cookie, peer, tokens_in};
use super::described::{CampaignPath, KnownHeader, refusals};
use super::headers::Headers;
use super::origin::is_ours_or_bearer;
use super::problem::{FieldFault, Problem};
use super::public::answer;
use super::read::{self, says_json};
use super::views::{
    AdmitAnswer, EnterAnswer, EnterRequest, PlaceAnswer, SessionView, place as view,
};
use super::words::Lang;
use crate::domain::campaign::IdentityField;
use crate::domain::crockford;
use crate::domain::spelling::{self, comparable_name};
use crate::domain::time::Day;
use crate::gate::Place;
use crate::gate::board::BoardView;
use crate::identity::Credentials;
use crate::service::{Here, Service};

/// Longer names are not on any roster.
pub const NAME_CHARACTERS_MAX: usize = 100;
pub const CODE_CHARACTERS_MAX: usize = 32;

refusals! {
    NotEntered = [
        "invalid_request", "invalid_request"(413), "invalid_request"(415), "invalid_request"(422),
        "identity_not_found", "too_many_attempts", "not_eligible", "not_open_yet",
        "opening_closed", "foreign_request", "not_found", "overloaded",
    ];
    NotPlaced = [
        "place_invalid", "place_ended", "not_eligible", "not_open_yet", "opening_closed",
        "not_found",
        "overloaded",
    ];
    NotLetIn = [
        "place_invalid", "place_ended", "not_eligible", "not_open_yet", "opening_closed",
        "not_admitted",
        "foreign_request", "not_found", "paused", "overloaded",
    ];
    NotLeft = ["place_invalid", "foreign_request", "not_found", "overloaded"];
    NoBoard = ["not_found", "overloaded"];
}

/// Gives a person on the roster their place; entering again, from anywhere, gives the same one.
#[utoipa::path(
    tag = "gate",
    params(CampaignPath),
    request_body = EnterRequest,
    responses(
        (status = 200, body = EnterAnswer, description = "The person's place.",
         headers(("Set-Cookie" = String, description = "The place token."))),
        NotEntered
    )
)]
#[post("/gate/enter")]
pub async fn enter_gate(
    call: Call,
    request: HttpRequest,
    body: read::Bytes,
) -> Result<HttpResponse, Problem> {
    let asked: EnterRequest = read::json(&request, body)?;
    let wanted = &call.here.offer.catalog.campaign.identity;
    let credentials = credentials(wanted, call.lang, asked)?;
    let entered = call.service.enter(&call.here, &credentials, peer(&request));
    let (place, token) = entered.map_err(|refused| call.problem(refused))?;
    let cookie = cookie(PLACE_COOKIE, &token);
    let mut response = answer(
        StatusCode::OK,
        &EnterAnswer {
            place: view(&call.here.offer, &place),
            token: &token,
        },
    );
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// The same for a call as programs make it, before any route is looked for: a place and its token,
/// or the refusal. None for a call that the route has to look at to say what is wrong with it.
pub fn entered(
    service: &Service,
    here: &Here,
    headers: &impl Headers,
    body: &[u8],
    from: IpAddr,
) -> Option<Result<(Place, String), Problem>> {
    if !says_json(headers) || !is_ours_or_bearer(&Method::POST, headers) {
        return None;
    }
    let asked: EnterRequest = serde_json::from_slice(body).ok()?;
    let lang = Lang::of(headers);
    let wanted = &here.offer.catalog.campaign.identity;
    let credentials = credentials(wanted, lang, asked).ok()?;
    let entered = service.enter(here, &credentials, from);
    Some(entered.map_err(|refused| Problem::of(refused, here, lang)))
}

/// The person's place as it is now.
#[utoipa::path(
    tag = "gate",
    params(CampaignPath),
    responses((status = 200, body = PlaceAnswer, description = "The place."), NotPlaced),
    security(("place" = []), ("bearer" = []))
)]
#[get("/gate/place")]
pub async fn look_at_place(placed: Placed) -> Result<HttpResponse, Problem> {
    let Placed { call, token } = placed;
    let place = call.service.place(&call.here, &token);
    let place = place.map_err(|refused| call.problem(refused))?;
    Ok(place_answer(&call.here, &place))
}

pub fn place_answer(here: &Here, place: &Place) -> HttpResponse {
    let board = here.gate.board.load();
    answer(
        StatusCode::OK,
        &PlaceAnswer::of(&here.offer, place, &board.view),
    )
}

/// Begins the session of a person whose turn has come.
#[utoipa::path(
    tag = "gate",
    params(CampaignPath),
    responses(
        (status = 200, body = AdmitAnswer, description = "The session.",
         headers(("Set-Cookie" = String, description = "The session token."))),
        NotLetIn
    ),
    security(("place" = []), ("bearer" = []))
)]
#[post("/gate/admit")]
pub async fn admit_person(placed: Placed) -> Result<HttpResponse, Problem> {
    let Placed { call, token } = placed;
    let admitted = call.service.admit(&call.here, &token);
    let (ends, token) = admitted.map_err(|refused| call.problem(refused))?;
    let expires_at = call.here.offer.catalog.campaign.zone.rfc3339(ends);
    let cookie = cookie(SESSION_COOKIE, &token);
    let session = SessionView { expires_at };
    let mut response = answer(StatusCode::OK, &AdmitAnswer { session, token });
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Ends the place and session tokens of a device, which are refused from then on. Place and booking
/// stay the person's, and their other devices go on.
///
/// Each token that the request shows is ended, with all that were given for the same entering. A
/// token that has ended already is left again.
#[utoipa::path(
    tag = "gate",
    params(CampaignPath),
    responses(
        (status = 204, description = "The tokens are ended.",
         headers(("Set-Cookie" = String, description = "Empties both cookies."))),
        NotLeft
    ),
    security(("place" = []), ("session" = []), ("bearer" = []))
)]
#[post("/gate/leave")]
pub async fn leave_device(call: Call, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let left = call.service.leave(tokens_in(request.headers()));
    left.map_err(|refused| call.problem(refused))?;
    let mut response = HttpResponse::NoContent();
    for name in [PLACE_COOKIE, SESSION_COOKIE] {
        response.append_header((SET_COOKIE, no_cookie(name)));
    }
    Ok(response.finish())
}

/// The public "now serving" figures: the same for everyone.
#[utoipa::path(
    tag = "gate",
    params(CampaignPath, KnownHeader),
    responses(
        (status = 200, body = BoardView, description = "The board.",
         headers(("ETag" = String, description = "Names this board."))),
        (status = 304, description = "The board is the one that the request knows.",
         headers(("ETag" = String, description = "Names this board."))),
        NoBoard
    )
)]
#[get("/gate/board")]
pub async fn show_board(call: Call, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let board = call.here.gate.board.load();
    if board.json.is_empty() {
        // The campaign was activated this moment: the keeper's next step puts up its first board.
        return Err(Problem::overloaded(call.lang, 1));
    }
    let known = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|tag| tag.to_str().ok());
    let mut response = match known {
        Some(tag) if tag == board.etag => HttpResponse::NotModified(),
        _ => HttpResponse::Ok(),
    };
    response
        .insert_header((ETAG, board.etag.as_str()))
        .insert_header((CACHE_CONTROL, "public, max-age=1"))
        .content_type("application/json");
    if known == Some(board.etag.as_str()) {
        return Ok(response.finish());
    }
    Ok(response.body(board.json.clone()))
}

/// Checks the identity fields that the campaign asks for.
fn credentials(
    wanted: &[IdentityField],
    lang: Lang,
    asked: EnterRequest,
) -> Result<Credentials, Problem> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, reason: String| {
        faults.push(FieldFault {
            field: field.to_owned(),
            reason,
        });
    };
    let given = [
        (IdentityField::Name, asked.name.is_some()),
        (IdentityField::BirthDate, asked.birth_date.is_some()),
        (IdentityField::Code, asked.code.is_some()),
    ];
    for (field, is_given) in given {
        match (wanted.contains(&field), is_given) {
            (true, false) => fault(field.name(), "is missing".to_owned()),
            (false, true) => fault(field.name(), "is not asked for here".to_owned()),
            _ => {}
        }
    }
    let too_long = |text: &Option<String>, most: usize| {
        text.as_ref()
            .is_some_and(|text| text.chars().count() > most)
    };
    if too_long(&asked.name, NAME_CHARACTERS_MAX) {
        fault(
            "name",
            format!("has more than {NAME_CHARACTERS_MAX} characters"),
        );
    }
    if too_long(&asked.code, CODE_CHARACTERS_MAX) {
        fault(
            "code",
            format!("has more than {CODE_CHARACTERS_MAX} characters"),
        );
    }
    if asked
        .name
        .as_deref()
        .is_some_and(|name| comparable_name(name).is_empty())
    {
        fault("name", "is empty".to_owned());
    }
    // A code that can't be one was mistyped: that is no guess.
    if let Some(Err(reason)) = asked.code.as_deref().map(crockford::parse) {
        fault("code", reason.to_string());
    }
    let birth_date = match asked.birth_date.as_deref().map(spelling::date::read) {
        None => None,
        Some(Ok(date)) => Some(Day::of(date)),
        Some(Err(reason)) => {
            fault("birth_date", reason.to_string());
            None
        }
    };
    if !faults.is_empty() {
        return Err(Problem::invalid(lang, 422, &faults));
    }
    Ok(Credentials {
        name: asked.name,
        birth_date,
        code: asked.code.unwrap_or_default(),
    })
}
