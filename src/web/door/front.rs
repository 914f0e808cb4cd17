//! What happens to a request before any route is looked for: it waits for its turn, is put off when
//! the line of those who wait is too long for it, and what everybody asks for is answered from
//! prepared bytes.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::body::BoxBody;
use actix_http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use actix_http::{ConnectionType, HttpMessage as _, Method, Request, Response, StatusCode};
use actix_web::web::Bytes;

use super::connection::Exchange;
use super::load::{Class, WorkerLoad};
use crate::gate::board::Board;
use crate::gate::token::Kind;
use crate::gate::{Place, PlaceState};
use crate::service::Service;
use crate::web::call::{PLACE_COOKIE, SESSION_COOKIE, token_in};
use crate::web::gate::place_answer;
use crate::web::pages::{self, Waiter};
use crate::web::problem::Problem;
use crate::web::words::Lang;

/// After this many requests a connection is closed: nothing that one holds lasts for ever.
const REQUESTS_MAX: u32 = 10_000;

/// The front of one worker.
pub struct Front {
    service: Arc<Service>,
    load: Rc<WorkerLoad>,
    board: RefCell<Option<Prepared>>,
    pages: pages::Kept,
}

/// A board as an answer.
struct Prepared {
    board: Arc<Board>,
    etag: HeaderValue,
    json: Bytes,
}

/// Whether a request may join the line of those who wait for their turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joins {
    Now,
    /// A refusal would cost more than the answer, and be asked again sooner.
    Late,
    /// Later, only to be told after how many seconds to come back.
    PutOff(u32),
}

/// What is done with a request.
pub enum Turn {
    Answered(Response<BoxBody>),
    /// Routes have it; whether the connection is closed after the answer.
    Routed {
        last: bool,
    },
}

impl Front {
    pub fn new(service: Arc<Service>, load: Rc<WorkerLoad>) -> Self {
        Self {
            service,
            load,
            board: RefCell::default(),
            pages: pages::Kept::default(),
        }
    }

    /// What a request counts as. Who is in session is looked at when it matters.
    pub fn class(&self, request: &Request) -> Class {
        let class = Class::of(request.method(), request.path());
        let matters = self.load.turns.are_short();
        match class == Class::Session && matters && !self.is_admitted(request) {
            true => Class::Browse,
            false => class,
        }
    }

    /// Whether a request may join the line, as long as that is now.
    pub fn joins(&self, request: &Request, class: Class) -> Joins {
        if !self.load.is_over(class) {
            return Joins::Now;
        }
        let waiter = match class {
            Class::Free => return Joins::Late,
            Class::Poll => self.look(request),
            _ => None,
        };
        let come_back_s = self.load.come_back_s(class);
        let told_s = match &waiter {
            Some(waiter) if !can_wait(&waiter.place, come_back_s) => return Joins::Now,
            Some(waiter) => waiter.place.next_poll_s,
            None => 0,
        };
        self.load.shared.note_shed(class);
        Joins::PutOff(come_back_s.max(told_s))
    }

    pub fn put_off(&self, request: &Request, come_back_s: u32) -> Response<BoxBody> {
        closing(request, put_off(request, come_back_s))
    }

    /// Serves a request whose turn has come, as far as no route is needed for it.
    pub fn turn(&self, request: &Request, class: Class) -> Turn {
        let waiter = match class {
            Class::Poll => self.look(request),
            _ => None,
        };
        let answer = match (class, waiter) {
            (Class::Free, _) => self.show_board(request),
            (Class::Poll, Some(waiter)) if is_call(request) => {
                Some(place_answer(&waiter.place).into())
            }
            (Class::Poll | Class::Browse, waiter) => self.show_page(request, waiter),
            _ => None,
        };
        match answer {
            Some(response) => Turn::Answered(closing(request, response)),
            None => Turn::Routed {
                last: is_last(request),
            },
        }
    }

    /// With a token that we signed, of a session or, to begin one, of a place: enough to be told
    /// from somebody who merely asks for the same address.
    fn is_admitted(&self, request: &Request) -> bool {
        let (kind, cookie) = match request.path().ends_with("/admit") {
            true => (Kind::Place, PLACE_COOKIE),
            false => (Kind::Session, SESSION_COOKIE),
        };
        let token = token_in(request.headers(), cookie);
        token.is_some_and(|token| self.service.has_signed(kind, token))
    }

    /// The place of a good token; what is wrong with another is for the routes to say.
    fn look<'a>(&self, request: &'a Request) -> Option<Waiter<'a>> {
        let path = request.path();
        let campaign = match campaign_of(path, "/gate/place") {
            Some(campaign) => campaign,
            // A page: language, campaign, page.
            None => path.split('/').nth(2)?,
        };
        let token = token_in(request.headers(), PLACE_COOKIE)?;
        let here = self.service.campaign(campaign).ok()?;
        let place = self.service.place(&here, token).ok()?;
        Some(Waiter { here, place, token })
    }

    /// The pages that everybody asks for, from prepared bytes.
    fn show_page(&self, request: &Request, waiter: Option<Waiter>) -> Option<Response<BoxBody>> {
        if request.method() != Method::GET {
            return None;
        }
        let (service, headers) = (&self.service, request.headers());
        pages::first(service, &self.pages, request.path(), headers, waiter).map(Into::into)
    }

    fn show_board(&self, request: &Request) -> Option<Response<BoxBody>> {
        let campaign = campaign_of(request.path(), "/gate/board")?;
        let board = self.service.board(campaign)?;
        let mut prepared = self.board.borrow_mut();
        let is_current = |known: &Prepared| Arc::ptr_eq(&known.board, &board);
        if !prepared.as_ref().is_some_and(is_current) {
            *prepared = Some(Prepared {
                etag: HeaderValue::try_from(board.etag.as_str()).ok()?,
                json: Bytes::copy_from_slice(&board.json),
                board,
            });
        }
        let prepared = prepared.as_ref()?;
        let known = request.headers().get(IF_NONE_MATCH) == Some(&prepared.etag);
        let mut response = if known {
            Response::new(StatusCode::NOT_MODIFIED).map_into_boxed_body()
        } else {
            Response::with_body(StatusCode::OK, prepared.json.clone()).map_into_boxed_body()
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, prepared.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=1"));
        if !known {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Some(response)
    }
}

fn is_last(request: &Request) -> bool {
    let Some(exchange) = request.conn_data::<Rc<Exchange>>() else {
        return false;
    };
    let requests = exchange.requests.get() + 1;
    exchange.requests.set(requests);
    requests >= REQUESTS_MAX
}

fn is_call(request: &Request) -> bool {
    request.path().starts_with("/api/")
}

/// Whoever's turn has come is in session but for one call, which begins with this answer; and
/// nobody is sent away for longer than until their turn.
fn can_wait(place: &Place, retry_after_s: u32) -> bool {
    place.state != PlaceState::Admitted && place.next_poll_s >= retry_after_s
}

/// Tells a browser with a page, a program with a problem.
fn put_off(request: &Request, retry_after_s: u32) -> Response<BoxBody> {
    let path = request.path();
    if is_call(request) {
        let lang = Lang::of(request.headers());
        return Problem::overloaded(lang, retry_after_s).response().into();
    }
    pages::put_off(request.method(), path, request.headers(), retry_after_s).into()
}

/// The connection is closed after the last answer on it.
fn closing(request: &Request, mut response: Response<BoxBody>) -> Response<BoxBody> {
    if is_last(request) {
        close(&mut response);
    }
    response
}

/// Closes the connection after this answer.
pub fn close(response: &mut Response<BoxBody>) {
    let head = response.head_mut();
    head.set_connection_type(ConnectionType::Close);
}

const CAMPAIGNS: &str = "/api/v1/campaigns/";

/// The campaign of a path that ends so.
fn campaign_of<'a>(path: &'a str, end: &str) -> Option<&'a str> {
    let campaign = path.strip_prefix(CAMPAIGNS)?.strip_suffix(end)?;
    (!campaign.contains('/')).then_some(campaign)
}

impl Class {
    /// What a request is for, by its first line alone.
    pub fn of(method: &Method, path: &str) -> Self {
        if matches!(path, "/healthz" | "/readyz") {
            return Self::Free;
        }
        if let Some(class) = pages::class_of(method, path) {
            return class;
        }
        let rest = path.strip_prefix(CAMPAIGNS);
        let Some((_, call)) = rest.and_then(|rest| rest.split_once('/')) else {
            return Self::Browse;
        };
        match call {
            "gate/board" if method == Method::GET => Self::Free,
            "gate/place" if method == Method::GET => Self::Poll,
            "gate/enter" => Self::Enter,
            "gate/admit" => Self::Session,
            "openings" => Self::Browse,
            _ => Self::Session,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_classed_by_its_first_line() {
        let of = |method: &str, path: &str| Class::of(&method.parse().unwrap(), path);
        let call = |method: &str, call: &str| of(method, &format!("{CAMPAIGNS}one/{call}"));
        assert_eq!(of("GET", "/healthz"), Class::Free);
        assert_eq!(of("GET", "/"), Class::Browse);
        assert_eq!(of("GET", "/ko/one"), Class::Browse);
        assert_eq!(of("POST", "/ko/one/day"), Class::Browse);
        assert_eq!(of("GET", "/ko/one/wait"), Class::Poll);
        assert_eq!(of("POST", "/ko/one/enter"), Class::Enter);
        assert_eq!(of("POST", "/en/one/book"), Class::Session);
        assert_eq!(
            of("GET", "/en/one/sites/11110-1/2021-08-02"),
            Class::Session
        );
        assert_eq!(of("GET", "/assets/page.0.css"), Class::Free);
        assert_eq!(of("GET", "/api/v1/campaigns/one"), Class::Browse);
        assert_eq!(call("GET", "openings"), Class::Browse);
        assert_eq!(call("GET", "gate/board"), Class::Free);
        assert_eq!(call("POST", "gate/board"), Class::Session);
        assert_eq!(call("GET", "gate/place"), Class::Poll);
        assert_eq!(call("POST", "gate/enter"), Class::Enter);
        assert_eq!(call("POST", "gate/admit"), Class::Session);
        assert_eq!(call("POST", "bookings"), Class::Session);
        assert_eq!(call("GET", "sites/s1/days"), Class::Session);
    }

    #[test]
    fn a_campaign_is_read_off_a_path_of_that_form_only() {
        let of = |path| campaign_of(path, "/gate/board");
        assert_eq!(of("/api/v1/campaigns/one/gate/board"), Some("one"));
        assert_eq!(of("/api/v1/campaigns/one/two/gate/board"), None);
        assert_eq!(of("/api/v1/campaigns/gate/board"), None);
        assert_eq!(of("/gate/board"), None);
    }
}
