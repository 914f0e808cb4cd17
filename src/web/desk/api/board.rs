//! The evening's board: as it is now, as it goes on, and its last hours as charts.

pub mod charts;
mod events;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};

use super::bad_field;
use crate::clock::tick;
use crate::service::desk::DeskRefused;
use crate::service::desk::board::snapshot::BoardSnapshot;
use crate::web::desk::staff::{Answered, ChartViewers, Routes, Staff, Watchers};
use crate::web::problem::ProblemView;
use crate::web::read;
use charts::{Charts, Span, Which};
use events::Events;

/// When to try again if too many watch.
const FULL_RETRY_S: u32 = 30;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<Watchers, _, _, _>(show, __path_show);
    routes.api::<Watchers, _, _, _>(watch, __path_watch);
    routes.api::<ChartViewers, _, _, _>(chart, __path_chart);
}

/// The board as it was at the last full second.
///
/// An account that is bound to campaigns is shown those, and their sums.
#[utoipa::path(
    get,
    path = "/api/desk/v1/board",
    tag = "board",
    responses(
        (status = 200, body = BoardSnapshot, description = "The board."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn show(staff: Staff<Watchers>, (): ()) -> HttpResponse {
    let frame = staff.service.desk.board.frame();
    let forms = frame.forms(&staff.account.bounds);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(web::Bytes::from_owner(forms.json))
}

/// The board as server-sent events, one a second.
///
/// Each event is named `board` and has the whole board as its data. A reader that is slow misses
/// events. They end when the session does, which they don't lengthen, and when the server stops.
#[utoipa::path(
    get,
    path = "/api/desk/v1/board/events",
    tag = "board",
    responses(
        (status = 200, body = String, content_type = "text/event-stream",
            description = "The events, until the session ends."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`, `set_up_first`, `not_yours`."),
        (status = 503, body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`: too many watch.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn watch(staff: Staff<Watchers>, (): ()) -> Answered {
    let viewer = staff.service.desk.board.watch();
    let viewer = viewer.ok_or_else(|| {
        staff.problem(DeskRefused::Overloaded {
            retry_after_s: FULL_RETRY_S,
        })
    })?;
    let events = Events::new(staff, viewer, tick());
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // A proxy that collects an answer before it sends it on would show nothing.
        .insert_header(("X-Accel-Buffering", "no"))
        .body(events))
}

/// A chart of the last ten minutes or twelve hours, over all campaigns.
///
/// It is drawn every five seconds at most. Figures show on hover; its title and description say in
/// words what it shows.
#[utoipa::path(
    get,
    path = "/api/desk/v1/board/charts/{which}.svg",
    tag = "board",
    params(
        ("which" = String, Path, description = "`bookings`, `waiting` or `answers`."),
        ("span" = Option<String>, Query,
            description = "`minutes` (ten of them, if not said) or `hours` (twelve).")
    ),
    responses(
        (status = 200, body = String, content_type = "image/svg+xml", description = "The chart."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `invalid_request`, `signed_out`, `set_up_first`, \
                           `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn chart(
    staff: Staff<ChartViewers>,
    (request, which): (HttpRequest, web::Path<String>),
) -> Answered {
    let which = Which::named(&which).ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    let query = read::query(&request, &["span"])?;
    let span = query
        .get("span")
        .map_or(Some(Span::Minutes), |text| Span::named(text));
    let span = span.ok_or_else(|| bad_field(&staff, "span", "is neither `minutes` nor `hours`"))?;
    let charts = request.app_data::<web::Data<Charts>>();
    let charts = charts.expect("the desk gives its worker the charts");
    let svg = charts.drawn(&staff.service, which, span, staff.lang);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "image/svg+xml"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(web::Bytes::from_owner(svg)))
}
