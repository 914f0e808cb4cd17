//! Whose requests are taken: the one rule against foreign pages, for our pages and for the API.
//!
//! A browser adds our cookies by itself, so a request that changes something is taken only if no
//! page of another site sent it. Cookies are SameSite=Strict besides.

use actix_web::http::Method;

use super::call::bearer;
use super::headers::Headers;

/// Whether a request comes from a page of this site, or from no page at all.
///
/// `Sec-Fetch-Site` decides where a browser sends it. A browser that does not may send
/// `Origin: null` because our pages send no referrer; then the cookies' SameSite stands alone.
/// A program sends neither header and is taken.
pub fn is_ours(method: &Method, headers: &impl Headers) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    if headers.has("sec-fetch-site") {
        let site = headers.value("sec-fetch-site");
        return matches!(site, Some("same-origin" | "none"));
    }
    if !headers.has("origin") {
        return true;
    }
    let origin = headers.value("origin");
    origin.is_some_and(|origin| {
        let host = origin.split_once("://").map(|(_, host)| host);
        origin == "null" || host.is_some() && host == headers.value("host")
    })
}

/// The same for a call of the API. A call with `Authorization: Bearer` and without cookies is taken
/// from anywhere: no browser adds that header by itself, so its sender has the token already.
pub fn is_ours_or_bearer(method: &Method, headers: &impl Headers) -> bool {
    let has_own_token = bearer(headers).is_some() && !headers.has("cookie");
    has_own_token || is_ours(method, headers)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    const HOST_IS: (&str, &str) = ("host", "book.example");

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_this_sites_requests_are_taken() {
        for (ours, given) in [
            (true, &[HOST_IS][..]),
            (true, &[HOST_IS, ("sec-fetch-site", "same-origin")]),
            (true, &[HOST_IS, ("sec-fetch-site", "none")]),
            (true, &[HOST_IS, ("origin", "https://book.example")]),
            (true, &[HOST_IS, ("origin", "null")]),
            (false, &[HOST_IS, ("sec-fetch-site", "cross-site")]),
            (false, &[HOST_IS, ("sec-fetch-site", "same-site")]),
            (false, &[HOST_IS, ("origin", "https://other.example")]),
            (false, &[HOST_IS, ("origin", "book.example")]),
            (false, &[("origin", "https://book.example")]),
            (
                false,
                &[
                    HOST_IS,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://book.example"),
                ],
            ),
        ] {
            let headers = headers(given);
            assert_eq!(is_ours(&Method::POST, &headers), ours, "{given:?}");
            assert_eq!(is_ours(&Method::DELETE, &headers), ours, "{given:?}");
            assert!(is_ours(&Method::GET, &headers), "{given:?}");
        }
    }

    #[test]
    fn a_call_with_a_token_of_its_own_is_taken_unless_cookies_came_with_it() {
        let site = ("sec-fetch-site", "cross-site");
        let (bearer, cookie) = (("authorization", "Bearer x"), ("cookie", "a=b"));
        let taken = |given: &[_]| is_ours_or_bearer(&Method::POST, &headers(given));
        assert!(taken(&[HOST_IS, site, bearer]));
        assert!(!taken(&[HOST_IS, site, bearer, cookie]));
        // A browser does add a password that it knows.
        assert!(!taken(&[HOST_IS, site, ("authorization", "Basic x")]));
        assert!(!taken(&[HOST_IS, site, cookie]));
        assert!(!taken(&[HOST_IS, site]));
        assert!(taken(&[HOST_IS, bearer, cookie]));
    }
}
