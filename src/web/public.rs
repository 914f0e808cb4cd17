//! What anyone may ask, without identity.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Serialize;

use super::agency::AgencyView;
use super::call::{Call, service};
use super::described::{BirthDateQuery, CampaignPath, refusals};
use super::problem::Problem;
use super::read;
use super::views::{CampaignView, GateView, HealthView, NowView, OpeningsAnswer, opening};
use super::words::Lang;
use crate::domain::time::Zone;
use crate::engine::shared::Away;
use crate::service::health::health;

/// A JSON answer that nobody keeps.
pub fn answer(status: StatusCode, value: &impl Serialize) -> HttpResponse {
    let body = serde_json::to_vec(value).expect("views have a JSON form");
    HttpResponse::build(status)
        .content_type("application/json")
        .insert_header(("Cache-Control", "no-store"))
        .body(body)
}

refusals! {
    NoCampaign = ["not_found", "overloaded"];
    NoOpenings = ["invalid_request"(422), "not_found", "overloaded"];
    PutOff = ["overloaded"];
}

/// The campaign's names, zone, openings and gate state.
#[utoipa::path(
    tag = "public",
    params(CampaignPath),
    responses((status = 200, body = CampaignView, description = "The campaign."), NoCampaign)
)]
#[get("")]
pub async fn show_campaign(call: Call) -> Result<HttpResponse, Problem> {
    let state = call.here.gate.board.load().view.state.clone();
    let catalog = &call.here.offer.catalog;
    let campaign = &catalog.campaign;
    let view = CampaignView {
        campaign: campaign.id.to_string(),
        version: catalog.version(),
        name: (&campaign.name).into(),
        zone: campaign.zone.name().to_owned(),
        identity: campaign.identity.iter().map(|field| field.name()).collect(),
        openings: (0..campaign.openings.len())
            .map(|at| opening(&call.here, at))
            .collect(),
        gate: GateView {
            state,
            order: campaign.gate.order.name(),
            lobby_opens_min: campaign.gate.lobby_min(),
        },
        agency: call.here.agency().map(|agency| AgencyView::of(&agency)),
    };
    Ok(cacheable(
        answer(StatusCode::OK, &view),
        "public, max-age=5",
    ))
}

/// The openings of a birth date and its answer now. Pure: nobody is identified, nothing is kept.
#[utoipa::path(
    tag = "public",
    params(CampaignPath, BirthDateQuery),
    responses((status = 200, body = OpeningsAnswer, description = "The answer."), NoOpenings)
)]
#[get("/openings")]
pub async fn show_openings(call: Call, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = read::query(&request, &["birth_date"])?;
    let Some(born) = query.get("birth_date") else {
        let reason = "is missing: write it as 1967-03-04";
        return Err(Problem::field(call.lang, "birth_date", reason));
    };
    let born = read::date(call.lang, "birth_date", born)?;
    let (decision, openings) = call.service.openings_of(&call.here, born);
    let campaign = &call.here.offer.catalog.campaign;
    let instant = |stamp| campaign.zone.rfc3339(stamp);
    let view = OpeningsAnswer {
        answer: decision.answer.name(),
        rule: decision.rule.explain(campaign),
        groups_may_differ: campaign
            .rules
            .groups_of(born.date())
            .map(str::to_owned)
            .collect(),
        evaluated_at: instant(decision.evaluated_at),
        next_change: decision.next_change.map(instant),
        opens_at: decision.opens_at.map(instant),
        closed_at: decision.closed_at.map(instant),
        openings: openings
            .into_iter()
            .map(|at| opening(&call.here, at))
            .collect(),
    };
    Ok(answer(StatusCode::OK, &view))
}

/// The server's time.
#[utoipa::path(
    tag = "public",
    responses((status = 200, body = NowView, description = "The time."), PutOff)
)]
#[get("/api/v1/now")]
pub async fn show_now(request: HttpRequest) -> HttpResponse {
    let service = service(&request);
    let offers = service.shared.offers();
    let zone = offers
        .first()
        .map(|offer| offer.catalog.campaign.zone.clone());
    let zone = zone.or_else(|| Zone::named("UTC").ok());
    let now = service.clock.now();
    let view = NowView {
        now: zone
            .as_ref()
            .map_or_else(String::new, |zone| zone.rfc3339(now)),
        zone: zone.map_or_else(String::new, |zone| zone.name().to_owned()),
        simulated: service.clock.is_simulated(),
    };
    answer(StatusCode::OK, &view)
}

/// Whether the process answers.
#[utoipa::path(
    tag = "health",
    responses((status = 200, body = HealthView, description = "It answers."))
)]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    answer(
        StatusCode::OK,
        &HealthView {
            ok: true,
            not_ready: Vec::new(),
            warnings: Vec::new(),
            last_use_before_start: None,
            away_before_start_s: None,
        },
    )
}

/// Whether bookings can be made: 503 with what is not ready.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, body = HealthView, description = "Bookings can be made."),
        (status = 503, body = HealthView, description = "Something is not ready.")
    )
)]
#[get("/readyz")]
pub async fn readyz(request: HttpRequest) -> HttpResponse {
    let service = service(&request);
    let health = health(&service);
    let (not_ready, warnings) = health.told();
    let away = health.away;
    let ok = not_ready.is_empty();
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer(
        status,
        &HealthView {
            ok,
            not_ready,
            warnings,
            last_use_before_start: away.map(|away| away.last_use.instant().to_string()),
            away_before_start_s: away.map(Away::seconds),
        },
    )
}

/// This description.
#[utoipa::path(
    tag = "public",
    responses(
        (status = 200, body = serde_json::Value, description = "OpenAPI 3.1."),
        PutOff
    )
)]
#[get("/api/openapi.json")]
pub async fn show_description(request: HttpRequest) -> HttpResponse {
    static TEXT: std::sync::LazyLock<Result<String, serde_json::Error>> =
        std::sync::LazyLock::new(|| super::described().to_json());
    match &*TEXT {
        Ok(text) => HttpResponse::Ok()
            .content_type("application/json")
            .body(text.as_str()),
        Err(_) => Problem::new(Lang::of(request.headers()), "not_found").response(),
    }
}

fn cacheable(mut response: HttpResponse, how: &'static str) -> HttpResponse {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(how));
    response
}
