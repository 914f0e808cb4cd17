//! The agency's longer texts: privacy notice, terms, accessibility statement.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::page;
use super::frame::Frame;
use super::text::{Block, Told};
use super::trouble;
use super::visit::Visit;
use crate::domain::agency::{Agency, Texts};

#[derive(Template)]
#[template(path = "document.html", config = "src/web/pages/askama.toml")]
struct DocumentPage {
    f: Frame,
    title: &'static str,
    told: Told,
}

/// What the agency says in one of its texts.
pub fn told(visit: &Visit, text: impl FnOnce(&Agency) -> Option<&Texts>) -> Option<Told> {
    let known = visit.here.agency()?;
    text(&known.agency).map(|texts| Told::of(visit.lang, texts))
}

pub async fn privacy(request: HttpRequest, visit: Visit) -> HttpResponse {
    show(&request, &visit, "privacy", |agency| {
        agency.privacy.as_ref()
    })
}

pub async fn terms(request: HttpRequest, visit: Visit) -> HttpResponse {
    show(&request, &visit, "terms", |agency| agency.terms.as_ref())
}

pub async fn accessibility(request: HttpRequest, visit: Visit) -> HttpResponse {
    show(&request, &visit, "accessibility", |agency| {
        agency.accessibility.as_ref()
    })
}

fn show(
    request: &HttpRequest,
    visit: &Visit,
    name: &'static str,
    text: impl FnOnce(&Agency) -> Option<&Texts>,
) -> HttpResponse {
    let Some(told) = told(visit, text) else {
        return trouble::not_found(request);
    };
    let template = DocumentPage {
        f: Frame::of(visit, &format!("/{name}")),
        title: visit.lang.say(name),
        told,
    };
    page(visit.lang, StatusCode::OK, &template)
}
