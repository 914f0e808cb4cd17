//! Every component of the pages in every state, on one page, for whoever changes their looks. In a
//! demo only: what it shows is true of nobody.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::page;
use super::frame::Frame;
use super::trouble;
use super::visit::lang;
use crate::web::call::service;

#[derive(Template)]
#[template(path = "components.html", config = "src/web/pages/askama.toml")]
struct ComponentsPage {
    f: Frame,
}

pub async fn show(request: HttpRequest) -> HttpResponse {
    let is_demo = service(&request).clock.is_simulated();
    if !is_demo {
        return trouble::not_found(&request);
    }
    let l = lang(&request);
    let template = ComponentsPage { f: Frame::bare(l) };
    page(l, StatusCode::OK, &template)
}
