//! Who calls, as values: a handler that asks for `Admitted` can't be reached without a session.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, HttpRequest, web};

use super::headers::Headers;
use super::origin::is_ours_or_bearer;
use super::problem::Problem;
use super::words::Lang;
use crate::domain::ids::PersonKey;
use crate::events::Event;
use crate::service::{Here, Refused, Service};

/// The cookie of a place.
pub const PLACE_COOKIE: &str = "__Host-sumun-place";
/// The cookie of a session.
pub const SESSION_COOKIE: &str = "__Host-sumun-session";
/// An Idempotency-Key is a UUID or something like it.
pub const IDEMPOTENCY_KEY_MAX: usize = 128;

/// A call about a campaign, by anyone.
pub struct Call {
    pub service: Arc<Service>,
    pub here: Here,
    pub lang: Lang,
}

impl Call {
    /// Every call about a campaign begins here, so none is served to a foreign page.
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let lang = Lang::of(request.headers());
        if !is_ours_or_bearer(request.method(), request.headers()) {
            let events = &service(request).events;
            events.note(Event::ForeignForm, Some(peer(request)));
            return Err(Problem::new(lang, "foreign_request"));
        }
        let service = service(request);
        let id = request.match_info().get("campaign").unwrap_or_default();
        let here = service
            .campaign(id)
            .map_err(|_| Problem::new(lang, "not_found"))?;
        Ok(Self {
            service,
            here,
            lang,
        })
    }

    /// What a refusal means to this caller.
    pub fn problem(&self, refused: Refused) -> Problem {
        Problem::of(refused, &self.here, self.lang)
    }
}

/// The running system behind a request.
pub fn service(request: &HttpRequest) -> Arc<Service> {
    let service = request.app_data::<web::Data<Service>>();
    Arc::clone(service.expect("the server gives every worker the service"))
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// A call with a place token, not yet verified.
pub struct Placed {
    pub call: Call,
    pub token: String,
}

impl FromRequest for Placed {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            Call::of(request).and_then(|call| match token_in(request.headers(), PLACE_COOKIE) {
                Some(token) => Ok(Self {
                    token: token.to_owned(),
                    call,
                }),
                None => Err(call.problem(Refused::PlaceInvalid)),
            }),
        )
    }
}

/// A call by a person whose session runs: the only way to the booking calls.
pub struct Admitted {
    pub call: Call,
    pub person: PersonKey,
}

impl FromRequest for Admitted {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Call::of(request).and_then(|call| {
            let token = token_in(request.headers(), SESSION_COOKIE).unwrap_or_default();
            match call.service.session(&call.here, token) {
                Ok(person) => Ok(Self { person, call }),
                Err(refused) => Err(call.problem(refused)),
            }
        }))
    }
}

/// The Idempotency-Key of a request, if it has one.
pub struct IdempotencyKey(pub Option<String>);

impl IdempotencyKey {
    /// The key among these headers, or what is wrong with it.
    pub fn of(headers: &impl Headers) -> Result<Option<&str>, String> {
        let mut values = headers.bytes("idempotency-key");
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err("is given twice".to_owned());
        }
        let is_visible = |byte: &u8| (0x20..0x7f).contains(byte);
        let key = std::str::from_utf8(value).ok().map(str::trim);
        let key = key.filter(|key| !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_MAX);
        match key.filter(|key| key.as_bytes().iter().all(is_visible)) {
            Some(key) => Ok(Some(key)),
            None => Err(format!(
                "must be 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters"
            )),
        }
    }
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key = Self::of(request.headers());
        let key = key.map(|key| Self(key.map(str::to_owned)));
        ready(key.map_err(|reason| {
            let lang = Lang::of(request.headers());
            Problem::field(lang, "Idempotency-Key", reason)
        }))
    }
}

/// The address that attempt limits go by: the peer's, never a header's.
pub fn peer(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

/// A token from `Authorization: Bearer`, or from the cookie.
pub fn token_in<'a>(headers: &'a impl Headers, cookie: &str) -> Option<&'a str> {
    bearer(headers).or_else(|| token_in_cookie(headers, cookie))
}

/// Every token that a request shows, of a place or of a session.
pub fn tokens_in(headers: &impl Headers) -> impl Iterator<Item = &str> {
    let cookies = [PLACE_COOKIE, SESSION_COOKIE];
    let cookies = cookies
        .into_iter()
        .filter_map(|cookie| token_in_cookie(headers, cookie));
    bearer(headers).into_iter().chain(cookies)
}

/// The token of `Authorization: Bearer`.
pub fn bearer(headers: &impl Headers) -> Option<&str> {
    let value = headers.value("authorization")?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

pub fn token_in_cookie<'a>(headers: &'a impl Headers, cookie: &str) -> Option<&'a str> {
    let pairs = headers
        .values("cookie")
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.trim(), value))
        .find(|(name, _)| *name == cookie)
        .map(|(_, value)| value)
}

/// The cookie of a token, for a day.
pub fn cookie(name: &str, token: &str) -> HeaderValue {
    cookie_for(name, token, 86_400)
}

/// A cookie that only this host's own pages send, over TLS, and that no script reads.
pub fn cookie_for(name: &str, token: &str, seconds: u32) -> HeaderValue {
    let text =
        format!("{name}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    text.try_into().expect("names and tokens are visible ASCII")
}

/// A cookie that this host's own pages send, and that comes along when a page of another site sends
/// somebody here: for what is on its way over there. No script reads it.
pub fn cookie_on_the_way(name: &str, token: &str, seconds: u32) -> HeaderValue {
    let text = format!("{name}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    text.try_into().expect("names and tokens are visible ASCII")
}

/// The same cookie with nothing in it, which the browser throws away.
pub fn no_cookie(name: &str) -> HeaderValue {
    let text = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    text.try_into().expect("cookie names are visible ASCII")
}
