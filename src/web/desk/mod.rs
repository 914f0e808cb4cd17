//! The desk: pages and API for the agency's people, on a listener of its own.
//!
//! All routes are in `routes`, each with the roles that come to it; what is described is what is
//! served. Nothing here decides: handlers call `service` and show what it answers.

pub mod api;
pub mod pages;
pub mod problem;
pub mod serve;
pub mod staff;
pub mod upload;
pub mod wanted;

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi as _};

use api::board::charts::Charts;
use staff::{DESK_COOKIE, Routes, Rule};

use super::problem::Problem;
use super::words::Lang;

/// Bytes of a body: a text of `TEXT_BYTES_MAX` as JSON or as a form.
pub const BODY_BYTES_MAX: usize = 48 << 20;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Sumun: the desk",
        description = "What the agency's people do. A session is a Bearer token or a cookie. A \
                       program of the agency's own sends its key as the Bearer token: it comes to \
                       the calls that name a scope, if it has that scope, and to no others. Every \
                       refusal is an RFC 9457 problem with a stable `code`, and every refusal for \
                       want of a role or a scope is 403 `not_yours`."
    ),
    tags(
        (name = "session", description = "Signing in and out, one's own credentials."),
        (name = "accounts", description = "Who may do what, and where."),
        (name = "keys", description = "Keys of the agency's own programs."),
        (name = "record", description = "Who did what."),
        (name = "board", description = "The evening as it is, and its last hours."),
        (name = "gate", description = "Acts at the gate, and what they would do."),
        (name = "seats", description = "Sites, their slots, and people who get other seats."),
        (name = "proposals", description = "What one proposes and another approves.")
    ),
    components(schemas(super::problem::ProblemView)),
    modifiers(&Schemes)
)]
struct Described;

/// How a call shows whose it is.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, description: &mut OpenApi) {
        let components = description.components.get_or_insert_default();
        let said = "The session token that signing in gives.";
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(DESK_COOKIE, said));
        components.add_security_scheme("desk", SecurityScheme::ApiKey(cookie));
        let bearer = Http::new(HttpAuthScheme::Bearer);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Every route of the desk.
fn routes(routes: &mut Routes<'_>) {
    api::session::routes(routes);
    api::accounts::routes(routes);
    api::account_acts::routes(routes);
    api::keys::routes(routes);
    api::record::routes(routes);
    api::board::routes(routes);
    api::gate::routes(routes);
    api::proposals::routes(routes);
    api::rosters::routes(routes);
    api::seats::routes(routes);
    pages::routes(routes);
}

/// Everything around the routes.
pub fn configure(config: &mut web::ServiceConfig) {
    routes(&mut Routes::new(config));
    config
        .app_data(web::PayloadConfig::new(BODY_BYTES_MAX))
        .app_data(web::Data::new(Charts::default()))
        .route("/api/desk/openapi.json", web::get().to(description))
        .route("/", web::get().to(pages::front))
        .route("/desk", web::get().to(pages::front))
        .service(super::pages::serve_asset)
        .service(super::public::healthz)
        .default_service(web::to(no_route));
}

/// The rule of each route, and the description of the API.
pub fn table() -> (Vec<Rule>, OpenApi) {
    let mut table = None;
    let _ = actix_web::App::new().configure(|config| {
        let mut all = Routes::new(config);
        routes(&mut all);
        let rules = all.rules.clone();
        table = Some((rules, all.described(Described::openapi())));
    });
    table.expect("an app is configured at once")
}

async fn description() -> HttpResponse {
    HttpResponse::Ok().json(table().1)
}

async fn no_route(request: HttpRequest) -> HttpResponse {
    if request.path().starts_with("/desk") {
        return pages::missing(request).await;
    }
    Problem::new(Lang::of(request.headers()), "not_found").response()
}
