//! The admin listener: metrics and health, on loopback unless the settings say otherwise.

use actix_web::{HttpRequest, HttpResponse, get, web};

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(metrics)
        .service(super::public::healthz)
        .service(super::public::readyz);
}

/// The text of Prometheus, read off the running system when asked.
#[get("/metrics")]
async fn metrics(request: HttpRequest) -> HttpResponse {
    super::metrics::answer(&request)
}
