//! Answers: a page made for this request, or the way to another.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LANGUAGE, LOCATION, VARY};
use askama::Template;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

use super::assets::takes;
use crate::web::words::Lang;

/// A page as its template makes it.
pub fn page(lang: Lang, status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_LANGUAGE, lang.tag()))
            .body(text),
        Err(fault) => {
            tracing::error!(%fault, "a page's template does not render");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A long page, compressed if the browser takes it. Not for pages that show something secret beside
/// something from the address: their length would tell.
pub fn long_page(
    request: &actix_web::HttpRequest,
    lang: Lang,
    template: &impl Template,
) -> HttpResponse {
    if !takes(request.headers(), "gzip") {
        return page(lang, StatusCode::OK, template);
    }
    let packed = template.render().ok().and_then(|text| {
        let mut packer = GzEncoder::new(Vec::with_capacity(8 * 1024), Compression::fast());
        packer.write_all(text.as_bytes()).ok()?;
        packer.finish().ok()
    });
    match packed {
        Some(packed) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_LANGUAGE, lang.tag()))
            .insert_header((CONTENT_ENCODING, "gzip"))
            .insert_header((VARY, "Accept-Encoding"))
            .body(packed),
        None => page(lang, StatusCode::OK, template),
    }
}

/// The answer to a form: go there, with GET.
pub fn see_other(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .finish()
}
