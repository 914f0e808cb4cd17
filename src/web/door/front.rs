//! What happens to a request before any route is looked for: it waits for its turn, is put off when
//! the line of requests is too long for its class, and what everybody asks for is answered from
//! prepared bytes.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};

use super::Listener;
use super::answer::{Common, End, Out, api_lines};
use super::head::Head;
use super::load::{Class, WorkerLoad};
use super::networks::{Networks, Over};
use super::redirect;
use crate::engine::shared::Offer;
use crate::events::Event;
use crate::gate::board::Board;
use crate::gate::token::Kind;
use crate::gate::{Place, PlaceState};
use crate::service::{Here, Service};
use crate::web::booking::BookCall;
use crate::web::call::{PLACE_COOKIE, SESSION_COOKIE, cookie, token_in};
use crate::web::gate::entered;
use crate::web::headers::Headers as _;
use crate::web::pages::{self, Glance, PreparedPage, landing_page, prepared_page, room_page};
use crate::web::problem::Problem;
use crate::web::request_id::RequestId;
use crate::web::views::{EnterAnswer, PlaceAnswer, place as view};
use crate::web::words::Lang;

/// A client over the bound of its address or network is told to come back after this many seconds,
/// plus up to twice as many by lot.
const OVER_BOUND_S: u32 = 10;

/// The front of one worker.
pub struct Front {
    listener: Listener,
    service: Arc<Service>,
    load: Rc<WorkerLoad>,
    networks: Arc<Networks>,
    /// The host names that are served.
    hosts: Vec<String>,
    known: RefCell<Known>,
    board: RefCell<Option<PreparedBoard>>,
    /// The lines of an answer with a place, and room for its body.
    place_lines: Vec<u8>,
    place_body: RefCell<Vec<u8>>,
    /// The lines of an answer with a new booking.
    booked_lines: Vec<u8>,
    pages: pages::PreparedPages,
}

/// The campaigns, kept by this worker until what is offered changes. Reading them takes no lock and
/// touches no reference count that other workers share.
#[derive(Default)]
struct Known {
    offers: Arc<Vec<Arc<Offer>>>,
    all: Vec<Here>,
}

/// A board as an answer.
struct PreparedBoard {
    board: Arc<Board>,
    lines: Vec<u8>,
    unchanged: Vec<u8>,
}

/// A request that has come whole.
#[derive(Clone, Copy)]
pub struct Arrived<'a, 'b> {
    pub head: &'a Head<'b>,
    pub class: Class,
    pub body: &'a [u8],
    /// Whom it comes from.
    pub client: IpAddr,
}

/// Whether a request may join the line of those that wait for their turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joins {
    Now,
    /// Later, and then answered: a refusal would cost more than the answer, and the client would
    /// ask again sooner.
    Late,
    /// Later, and then refused with this number of seconds after which to come back.
    PutOff(u32),
}

impl Front {
    pub fn new(
        listener: Listener,
        service: Arc<Service>,
        load: Rc<WorkerLoad>,
        networks: Arc<Networks>,
        hosts: Vec<String>,
    ) -> Self {
        let json = [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
        ];
        Self {
            listener,
            service,
            load,
            networks,
            hosts,
            known: RefCell::default(),
            board: RefCell::default(),
            place_lines: api_lines(StatusCode::OK, &json),
            booked_lines: api_lines(StatusCode::CREATED, &json),
            place_body: RefCell::default(),
            pages: pages::PreparedPages::default(),
        }
    }

    /// What a request counts as. A call of people in session counts as one only with a token that
    /// we signed: anybody can ask for the same address.
    pub fn class(&self, head: &Head<'_>) -> Class {
        let class = Class::of(&head.method, head.path);
        if class == Class::Session && !self.is_admitted(head) {
            Class::Browse
        } else {
            class
        }
    }

    /// Counts a request of somebody who is not in session; for how many seconds it is put off if
    /// its address or network has asked too much.
    pub fn over_bound_s(&self, head: &Head<'_>, class: Class, client: IpAddr) -> Option<u32> {
        if class == Class::Session || matches!(head.path, "/healthz" | "/readyz") {
            return None;
        }
        let event = match self.networks.ask(client, self.load.now_us())? {
            Over::Address => Event::AddressRequests,
            Over::Network => Event::NetworkRequests,
        };
        self.load.shared.events.note(event, Some(client));
        Some(self.load.spread_s(OVER_BOUND_S))
    }

    /// Whether a request may join the line, given the present length of the line.
    pub fn joins(&self, head: &Head<'_>, class: Class) -> Joins {
        if !self.load.is_over(class) {
            return Joins::Now;
        }
        let place = match class {
            Class::Free => return Joins::Late,
            Class::Poll => self.with_place(head, |_, place, _| place),
            _ => None,
        };
        let come_back_s = self.load.come_back_s(class);
        let told_s = match &place {
            Some(place) if !can_wait(place, come_back_s) => return Joins::Now,
            Some(place) => place.next_poll_s,
            None => 0,
        };
        self.load.shared.note_shed(class);
        Joins::PutOff(come_back_s.max(told_s))
    }

    /// Tells a browser with a page, a program with a problem, when to come back.
    pub fn put_off(&self, head: &Head<'_>, retry_after_s: u32) -> HttpResponse {
        if is_call(head) {
            let lang = Lang::of(&head.lines);
            return Problem::overloaded(lang, retry_after_s).response();
        }
        pages::put_off(&head.method, head.path, &head.lines, retry_after_s)
    }

    /// Answers what everybody asks for, without a route; false for everything else.
    pub fn answer(&self, arrived: &Arrived<'_, '_>, out: &mut Out, end: &End<'_>) -> bool {
        let Arrived { head, class, .. } = *arrived;
        match self.listener {
            Listener::Public => {}
            Listener::Admin => return false,
            Listener::Redirect => {
                redirect::answer(&self.hosts, head, out, end);
                return true;
            }
        }
        if class == Class::Enter {
            return self.let_enter(arrived, out, end).is_some();
        }
        if head.method != Method::GET {
            return false;
        }
        match class {
            Class::Free => self.show_board(head, out, end).is_some(),
            Class::Poll if is_call(head) => {
                let place = self.with_place(head, |here, place, _| {
                    self.show_place(here, &place, out, end);
                });
                place.is_some()
            }
            Class::Poll => self.show_page(head, out, end).is_some(),
            Class::Browse => self.show_page(head, out, end).is_some(),
            Class::Enter | Class::Session => false,
        }
    }

    /// A call to enter, if nothing is wrong with its form.
    fn let_enter(&self, arrived: &Arrived<'_, '_>, out: &mut Out, end: &End<'_>) -> Option<()> {
        let Arrived { head, body, .. } = *arrived;
        let campaign = campaign_of(head.path, "/gate/enter")?;
        if head.method != Method::POST {
            return None;
        }
        let entered = self.with_campaign(campaign, |here| {
            let entered = entered(&self.service, here, &head.lines, body, arrived.client)?;
            Some(entered.map(|(place, token)| {
                let mut body = self.place_body.borrow_mut();
                body.clear();
                let (place, token) = (view(&here.offer, &place), token.as_str());
                let answer = EnterAnswer { place, token };
                serde_json::to_writer(&mut *body, &answer).expect("views have a JSON form");
                cookie(PLACE_COOKIE, token)
            }))
        })??;
        match entered {
            Err(problem) => out.made(problem.response(), false, end),
            Ok(cookie) => {
                let body = self.place_body.borrow();
                out.bytes.extend_from_slice(&self.place_lines);
                for part in [&b"set-cookie: "[..], cookie.as_bytes(), b"\r\n"] {
                    out.bytes.extend_from_slice(part);
                }
                out.head(&[], Some(body.len()), end);
                out.bytes.extend_from_slice(&body);
            }
        }
        Some(())
    }

    /// A call to book, if nothing is wrong with its form and its session runs.
    pub fn books(&self, arrived: &Arrived<'_, '_>) -> Option<BookCall> {
        let Arrived { head, body, .. } = *arrived;
        if self.listener != Listener::Public || head.method != Method::POST {
            return None;
        }
        let campaign = campaign_of(head.path, "/bookings")?;
        let service = &self.service;
        self.with_campaign(campaign, |here| {
            BookCall::of(service, here, &head.lines, body)
        })?
    }

    /// Books, and writes what comes of it.
    pub async fn book(&self, call: BookCall, persists: bool, common: &Common, out: &mut Out) {
        let booked = call.book(&self.service).await;
        let end = End { common, persists };
        match booked {
            Err(problem) => out.made(problem.response(), false, &end),
            Ok(body) => {
                out.bytes.extend_from_slice(&self.booked_lines);
                out.reference(RequestId::next());
                out.head(&[], Some(body.len()), &end);
                out.bytes.extend_from_slice(&body);
            }
        }
    }

    /// Whether the request has a token that this server signed: of a session, or of a place for the
    /// call that begins a session. A request to the same path without such a token is not from a
    /// person in session.
    fn is_admitted(&self, head: &Head<'_>) -> bool {
        let (kind, cookie) = if head.path.ends_with("/admit") {
            (Kind::Place, PLACE_COOKIE)
        } else {
            (Kind::Session, SESSION_COOKIE)
        };
        let token = token_in(&head.lines, cookie);
        token.is_some_and(|token| self.service.has_signed(kind, token))
    }

    /// The campaign of that name, now.
    fn with_campaign<T>(&self, id: &str, look: impl FnOnce(&Here) -> T) -> Option<T> {
        self.with_known(Some(id), |here| {
            here.now = self.service.clock.now();
            look(here)
        })
    }

    /// The campaign of that name, or the only one, as of some moment.
    fn with_known<T>(&self, id: Option<&str>, look: impl FnOnce(&mut Here) -> T) -> Option<T> {
        let mut known = self.known.borrow_mut();
        let offers = self.service.shared.offers();
        if !Arc::ptr_eq(&known.offers, &offers) {
            let ids = offers
                .iter()
                .map(|offer| offer.catalog.campaign.id.as_str());
            known.all = ids
                .filter_map(|id| self.service.campaign(id).ok())
                .collect();
            known.offers = Arc::clone(&offers);
        }
        let Some(id) = id else {
            let [only] = known.all.as_mut_slice() else {
                return None;
            };
            return Some(look(only));
        };
        let is_it = |here: &&mut Here| here.offer.catalog.campaign.id.as_str() == id;
        known.all.iter_mut().find(is_it).map(look)
    }

    /// The place of a good token; none for any other token, which a route then refuses with the
    /// reason.
    fn with_place<'a, T>(
        &self,
        head: &'a Head<'_>,
        look: impl FnOnce(&Here, Place, &'a str) -> T,
    ) -> Option<T> {
        let campaign = match campaign_of(head.path, "/gate/place") {
            Some(campaign) => campaign,
            // A page: language, campaign, page.
            None => head.path.split('/').nth(2)?,
        };
        let token = token_in(&head.lines, PLACE_COOKIE)?;
        self.with_campaign(campaign, |here| {
            let place = self.service.place(here, token).ok()?;
            Some(look(here, place, token))
        })?
    }

    fn show_place(&self, here: &Here, place: &Place, out: &mut Out, end: &End<'_>) {
        let mut body = self.place_body.borrow_mut();
        body.clear();
        let board = here.gate.board.load();
        let answer = PlaceAnswer::of(&here.offer, place, &board.view);
        serde_json::to_writer(&mut *body, &answer).expect("views have a JSON form");
        out.head(&self.place_lines, Some(body.len()), end);
        out.bytes.extend_from_slice(&body);
    }

    /// The pages that everybody asks for, from prepared bytes.
    fn show_page(&self, head: &Head<'_>, out: &mut Out, end: &End<'_>) -> Option<()> {
        let (page, campaign, lang) = prepared_page(head.path, &head.lines)?;
        let service = &self.service;
        // Whoever has something here already is told so: the page is theirs alone.
        let has = |cookie| token_in(&head.lines, cookie).is_some();
        let filled = match page {
            PreparedPage::Landing if has(PLACE_COOKIE) || has(SESSION_COOKIE) => return None,
            PreparedPage::Landing => self.with_known(campaign, |here| {
                here.now = service.clock.now();
                let (place, here) = (None, &*here);
                let glance = Glance {
                    service,
                    here,
                    lang,
                    place,
                };
                landing_page(&self.pages, glance)
            }),
            // Whoever is in already is sent on by the route.
            PreparedPage::Room if has(SESSION_COOKIE) => return None,
            PreparedPage::Room => self.with_place(head, |here, place, token| {
                if place.goes_past() {
                    return None;
                }
                let token = Some(token);
                let glance = Glance {
                    service,
                    here,
                    lang,
                    place: token,
                };
                Some(room_page(&self.pages, glance, &place))
            })?,
        };
        filled?.write(&head.lines, out, end);
        Some(())
    }

    fn show_board(&self, head: &Head<'_>, out: &mut Out, end: &End<'_>) -> Option<()> {
        let campaign = campaign_of(head.path, "/gate/board")?;
        let mut prepared = self.board.borrow_mut();
        self.with_known(Some(campaign), |here| {
            let board = here.gate.board.load();
            let is_current = |known: &PreparedBoard| Arc::ptr_eq(&known.board, &board);
            if !prepared.as_ref().is_some_and(is_current) {
                *prepared = Some(PreparedBoard::new(Arc::clone(&board)));
            }
        })?;
        let prepared = prepared.as_ref()?;
        if prepared.board.json.is_empty() {
            // The campaign was activated a moment ago and has no board yet: the route says so.
            return None;
        }
        if head.lines.value("if-none-match") == Some(&*prepared.board.etag) {
            out.head(&prepared.unchanged, None, end);
        } else {
            let json = &prepared.board.json;
            out.head(&prepared.lines, Some(json.len()), end);
            out.bytes.extend_from_slice(json);
        }
        Some(())
    }
}

impl PreparedBoard {
    fn new(board: Arc<Board>) -> Self {
        let headers = [
            ("etag", &*board.etag),
            ("cache-control", "public, max-age=1"),
            ("content-type", "application/json"),
        ];
        Self {
            lines: api_lines(StatusCode::OK, &headers),
            unchanged: api_lines(StatusCode::NOT_MODIFIED, &headers[..2]),
            board,
        }
    }
}

fn is_call(head: &Head<'_>) -> bool {
    head.path.starts_with("/api/")
}

/// Whether the poll of this place may be put off for so many seconds. It may not if the person's
/// turn has come, because this answer lets them begin their session, nor if they would come back
/// later than they would poll next.
fn can_wait(place: &Place, retry_after_s: u32) -> bool {
    place.state != PlaceState::Admitted && place.next_poll_s >= retry_after_s
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
