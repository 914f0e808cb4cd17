//! Looking for a place and a time: sites, days, slots.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get};

use super::call::Admitted;
use super::described::{
    CampaignPath, CursorQuery, DateQuery, RegionQuery, SitePath, TextQuery, refusals,
};
use super::problem::Problem;
use super::public::answer;
use super::read;
use super::views::{self, DayView, DaysAnswer, SitesAnswer, SlotsAnswer};

refusals! {
    NotShown = [
        "invalid_request"(422), "session_invalid", "session_expired", "not_found", "overloaded",
    ];
}

/// Sites with their free seats, a page at a time.
#[utoipa::path(
    tag = "sites",
    params(CampaignPath, RegionQuery, TextQuery, CursorQuery),
    responses((status = 200, body = SitesAnswer, description = "A page of sites."), NotShown),
    security(("session" = []), ("bearer" = []))
)]
#[get("/sites")]
pub async fn list_sites(admitted: Admitted, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = admitted.call;
    let query = read::query(&request, &["region", "query", "cursor"])?;
    let given = |name: &str| query.get(name).map(String::as_str);
    let from = match given("cursor") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::field(call.lang, "cursor", "is not one that was given"))?,
    };
    let page = call.here.sites(given("region"), given("query"), from);
    let sites = page
        .sites
        .iter()
        .map(|&(site, free)| views::site(&call.here, site, free));
    let next_cursor = page.next.map(|next| next.to_string());
    Ok(answer(
        StatusCode::OK,
        &SitesAnswer {
            sites: sites.collect(),
            next_cursor,
        },
    ))
}

/// The days on which a site has slots, with their free seats.
#[utoipa::path(
    tag = "sites",
    params(CampaignPath, SitePath),
    responses((status = 200, body = DaysAnswer, description = "The days."), NotShown),
    security(("session" = []), ("bearer" = []))
)]
#[get("/sites/{site}/days")]
pub async fn list_days(admitted: Admitted, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = admitted.call;
    read::query(&request, &[])?;
    let site = call
        .here
        .site(request.match_info().get("site").unwrap_or_default());
    let site = site.map_err(|refused| call.problem(refused))?;
    let days = call.here.days(site).into_iter();
    let days = days
        .map(|day| DayView {
            date: day.date.to_string(),
            free: day.offered.free,
        })
        .collect();
    Ok(answer(StatusCode::OK, &DaysAnswer { days }))
}

/// The slots of a site on a day; each is free while its second dose is.
#[utoipa::path(
    tag = "sites",
    params(CampaignPath, SitePath, DateQuery),
    responses((status = 200, body = SlotsAnswer, description = "The slots."), NotShown),
    security(("session" = []), ("bearer" = []))
)]
#[get("/sites/{site}/slots")]
pub async fn list_slots(admitted: Admitted, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let call = admitted.call;
    let query = read::query(&request, &["date"])?;
    let Some(date) = query.get("date") else {
        return Err(Problem::field(
            call.lang,
            "date",
            "is missing: write it as 2021-08-02",
        ));
    };
    let date = read::date(call.lang, "date", date)?;
    let site = call
        .here
        .site(request.match_info().get("site").unwrap_or_default());
    let site = site.map_err(|refused| call.problem(refused))?;
    let slots = call.here.slots(site, date).into_iter();
    let slots = slots
        .map(|(index, _, free)| views::slot(&call.here, index, free))
        .collect();
    Ok(answer(StatusCode::OK, &SlotsAnswer { slots }))
}
