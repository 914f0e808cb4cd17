//! What holds for every page: whose forms are taken, and the headers that every answer carries.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, LOCATION,
    SET_COOKIE,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};

use super::trouble;
use crate::events::Event;
use crate::web::origin::is_ours;

/// Pages without prepared bytes hold no inline style or script at all, so nothing inline is
/// allowed: neither a hash nor a nonce is needed.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
const ALWAYS: [(&str, &str); 6] = [
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// A form that a page's script sends has this header, and is told the next page in the other.
const SCRIPT: &str = "sumun-script";
const NEXT: &str = "sumun-location";

/// Cookies that the answer to this request gets, whatever the answer is.
#[derive(Default)]
pub struct FreshCookies(pub Vec<HeaderValue>);

pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_scripted = request.headers().contains_key(SCRIPT);
    let mut answer = if is_ours(request.method(), request.headers()) {
        next.call(request).await?.map_into_boxed_body()
    } else {
        let service = crate::web::call::service(request.request());
        let from = crate::web::call::peer(request.request());
        service.events.note(Event::ForeignForm, Some(from));
        let refused = trouble::foreign_form(request.request());
        request.into_response(refused)
    };
    let fresh = answer.request().extensions_mut().remove::<FreshCookies>();
    let headers = answer.headers_mut();
    for cookie in fresh.unwrap_or_default().0 {
        headers.append(SET_COOKIE, cookie);
    }
    protect(headers);
    if is_scripted && answer.status() == StatusCode::SEE_OTHER {
        name_next(&mut answer);
    }
    Ok(answer)
}

/// Has the script go to the next page by itself, as a step of the browser's: `fetch` would follow
/// the redirect, and the page would be loaded twice.
fn name_next(answer: &mut ServiceResponse<impl MessageBody>) {
    *answer.response_mut().status_mut() = StatusCode::NO_CONTENT;
    if let Some(next) = answer.headers_mut().remove(LOCATION).next() {
        answer
            .headers_mut()
            .insert(HeaderName::from_static(NEXT), next);
    }
}

/// The headers of every page.
pub fn protect(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
