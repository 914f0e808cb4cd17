//! The HTTP door: actix only. Turns requests into calls of `service` and answers into JSON.
//!
//! All routes are in `routes`, which also makes the OpenAPI description: what is not documented is
//! not served. Handlers are short: load, authenticate, act.

pub mod admin;
pub mod call;
pub mod described;
pub mod desk;
pub mod door;
pub mod gate;
pub mod headers;
pub mod origin;
pub mod pages;
pub mod problem;
pub mod read;
pub mod request_id;
pub mod views;

mod acts;
mod agency;
mod booking;
mod browse;
mod metrics;
mod public;
pub mod words;

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use described::Schemes;
use problem::Problem;
use words::Lang;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sumun",
        description = "A fair waiting room and durable vaccination reservations.\n\nEvery refusal \
                       is an RFC 9457 problem with a stable `code`. `Accept-Language` chooses \
                       between `ko` and `en`. A request with a body sends `application/json` of \
                       at most 4,096 bytes. HEAD is served wherever GET is.\n\nA call that a page \
                       of another site sent, by `Sec-Fetch-Site` or `Origin`, is refused with \
                       `foreign_request` unless it is a GET or HEAD; a call with \
                       `Authorization: Bearer` and no cookie is taken from anywhere."
    ),
    tags(
        (name = "gate", description = "The waiting room."),
        (name = "booking", description = "Holding and booking seats."),
        (name = "sites", description = "Looking for a place and a time."),
        (name = "public", description = "What anyone may ask."),
        (name = "health", description = "Whether the server works.")
    ),
    components(schemas(problem::ProblemView)),
    modifiers(&Schemes)
)]
struct Described;

/// Every route of the public listener.
pub fn routes(config: &mut ServiceConfig<'_>) {
    // One pattern to match for all calls about a campaign, then plain text; what everybody asks for
    // comes first.
    let campaign = utoipa_actix_web::scope("/api/v1/campaigns/{campaign}")
        .service(gate::look_at_place)
        .service(gate::enter_gate)
        .service(gate::admit_person)
        .service(gate::leave_device)
        .service(gate::show_board)
        .service(booking::make_booking)
        .service(booking::place_hold)
        .service(booking::my_booking)
        .service(booking::prove_booking)
        .service(public::show_openings)
        .service(browse::list_sites)
        .service(browse::list_days)
        .service(browse::list_slots)
        .service(booking::release_hold)
        .service(booking::extend_hold)
        .service(booking::move_booking)
        .service(booking::cancel_booking)
        .service(public::show_campaign);
    config
        .service(campaign)
        .service(public::show_now)
        .service(public::healthz)
        .service(public::readyz)
        .service(public::show_description);
}

/// Everything around the routes: limits, and an answer to what no route takes.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut described = ServiceConfig::new(config);
    routes(&mut described);
    drop(described);
    pages::configure(config);
    config
        .route("/robots.txt", web::get().to(robots))
        .app_data(web::PayloadConfig::new(door::bounds::BODY_BYTES_MAX))
        .default_service(web::to(no_route));
}

/// The OpenAPI description of what is served.
pub fn described() -> utoipa::openapi::OpenApi {
    let app = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Described::openapi());
    let (_, described) = app.configure(routes).split_for_parts();
    described
}

/// Every code that a problem may have.
pub fn problem_codes() -> impl Iterator<Item = &'static str> {
    words::PROBLEMS.iter().map(|(code, _)| *code)
}

/// Search engines may show the first page; everything else is for one person.
async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /api/\nDisallow: /*/*/\n"
}

/// A known path with another method is 405 with the methods it takes; anything else is 404.
async fn no_route(request: HttpRequest) -> HttpResponse {
    let problem = Problem::new(Lang::of(request.headers()), "not_found");
    let accept = request.headers().get(ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.contains("text/html"));
    match methods_of(request.path()) {
        _ if is_browser && !request.path().starts_with("/api/") => pages::missing(&request),
        methods if methods.is_empty() => problem.response(),
        methods => {
            let problem = Problem::new(Lang::of(request.headers()), "method_not_allowed");
            problem.response_with("Allow", &methods.join(", "))
        }
    }
}

fn methods_of(path: &str) -> Vec<&'static str> {
    static DESCRIBED: std::sync::LazyLock<Vec<(String, Vec<&'static str>)>> =
        std::sync::LazyLock::new(|| {
            let paths = described().paths.paths.into_iter();
            paths
                .map(|(template, item)| (template, methods(&item)))
                .collect()
        });
    let fits = |template: &str| {
        let (mut wanted, mut given) = (template.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let fitting = DESCRIBED.iter().filter(|(template, _)| fits(template));
    fitting
        .flat_map(|(_, methods)| methods.iter().copied())
        .collect()
}

fn methods(item: &utoipa::openapi::PathItem) -> Vec<&'static str> {
    let known = [
        ("GET", item.get.is_some()),
        ("HEAD", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("DELETE", item.delete.is_some()),
    ];
    known
        .into_iter()
        .filter(|(_, served)| *served)
        .map(|(method, _)| method)
        .collect()
}
