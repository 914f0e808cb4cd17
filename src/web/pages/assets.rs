//! Style sheet and scripts: compressed and named by their content when the program was built, so
//! that browsers keep them for ever.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get};

use super::look::Look;
use crate::web::call::service;
use crate::web::headers::Headers;

/// One file in its three forms.
pub struct Asset {
    name: &'static str,
    /// Its address, with its hash.
    pub path: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    brotli: &'static [u8],
    gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// # Panics
/// When there is no such asset: names are literals of this crate.
pub fn named(name: &str) -> &'static Asset {
    let known = ASSETS.iter().find(|asset| asset.name == name);
    known.unwrap_or_else(|| panic!("no asset is called {name}"))
}

impl Asset {
    /// Its text, to stand inside a page.
    pub fn text(&self) -> &'static str {
        std::str::from_utf8(self.plain).expect("assets are UTF-8; a test reads them all")
    }
}

/// Whether a request takes an encoding: named, and not with `q=0`.
pub fn takes(headers: &impl Headers, encoding: &str) -> bool {
    let offered = headers.value("accept-encoding");
    offered.unwrap_or_default().split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts.next() == Some(encoding)
            && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[get("/assets/{name}")]
pub async fn serve(request: HttpRequest) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == request.path()) else {
        return serve_look(&request);
    };
    let mut answer = kept_for_ever(asset.kind);
    if takes(request.headers(), "br") {
        answer.insert_header((CONTENT_ENCODING, "br"));
        return answer.body(asset.brotli);
    }
    if takes(request.headers(), "gzip") {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
        return answer.body(asset.gzip);
    }
    answer.body(asset.plain)
}

fn kept_for_ever(kind: &str) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(kind)
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header((VARY, "Accept-Encoding"));
    answer
}

/// A file of an agency in force.
fn serve_look(request: &HttpRequest) -> HttpResponse {
    let service = service(request);
    let offers = service.shared.offers();
    let mut looks = offers.iter().map(|offer| Look::of(offer.agency.as_ref()));
    let Some(file) = looks.find_map(|look| look.file(request.path()).cloned()) else {
        return HttpResponse::NotFound()
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish();
    };
    let mut answer = kept_for_ever(file.kind);
    match file.gzip.filter(|_| takes(request.headers(), "gzip")) {
        Some(gzip) => answer.insert_header((CONTENT_ENCODING, "gzip")).body(gzip),
        None => answer.body(file.plain),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn every_form_of_an_asset_holds_the_same() {
        for asset in ASSETS {
            assert!(!asset.text().is_empty(), "{}", asset.name);
            let mut unpacked = Vec::new();
            let mut reader = flate2::read::GzDecoder::new(asset.gzip);
            reader.read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, asset.plain, "{}", asset.name);
            assert!(asset.brotli.len() <= asset.gzip.len(), "{}", asset.name);
        }
    }
}
