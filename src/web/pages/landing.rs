//! The first page: one question, and when booking is open for whom.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::civil::Date;

use super::answer::page;
use super::day::DayForm;
use super::document::told;
use super::frame::{Frame, grouped, machine, text};
use super::prepared::{Filled, For, Prepared, PreparedPages, hole, prepared_pages, without_holes};
use super::text::{Block, InLanguage, Told};
use super::trouble::Trouble;
use super::visit::{Glance, Visit, lang};
use super::when::When;
use crate::domain::campaign::{Campaign, Cohort, Opening, Order};
use crate::domain::line::Notice;
use crate::domain::time::{Day, Stamp};
use crate::gate::PlaceState;
use crate::gate::hours::{GateState, OpeningState, gate_state};
use crate::web::call::service;
use crate::web::words::{Lang, Value};

#[derive(Template)]
#[template(path = "landing.html", config = "src/web/pages/askama.toml")]
struct LandingPage {
    f: Frame,
    state: &'static str,
    /// Where it is the same for everybody: paused, or over.
    state_words: Option<&'static str>,
    message: Option<InLanguage>,
    known: Option<Known>,
    welcome: Option<Told>,
    day: DayForm,
    groups: Vec<GroupView>,
    /// Until when a booking can be changed.
    change_words: String,
}

/// What this device has already, in words, and the way to it.
struct Known {
    words: String,
    page: &'static str,
    action: &'static str,
}

/// What a device can have: few things, each with a first page of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Has {
    Booking,
    /// A booking, and a held time to which it may be moved.
    Move,
    Hold,
    Session,
    /// A turn that has come.
    Turn,
    /// A window that has not.
    Window,
    Number,
}

impl Has {
    /// In words; `own` is the person's number or window.
    fn known(self, l: Lang, own: String) -> Known {
        let (key, page, action) = match self {
            Self::Booking => ("known-booking", "/booking", "to-booking"),
            Self::Move => ("known-move", "/confirm", "to-confirm"),
            Self::Hold => ("known-hold", "/confirm", "to-confirm"),
            Self::Session => ("known-session", "/sites", "to-sites"),
            Self::Turn => ("wait-admitted", "/wait", "go-in"),
            Self::Window => ("known-window", "/wait", "to-window"),
            Self::Number => ("known-number", "/wait", "to-wait"),
        };
        Known {
            words: match self {
                Self::Window => l.put(key, &[("at", text(own))]),
                Self::Number => l.put(key, &[("number", text(own))]),
                _ => l.say(key).to_owned(),
            },
            page,
            action: l.say(action),
        }
    }
}

/// People whose openings are the same, and how it is with them now.
struct GroupView {
    whom: String,
    state: &'static str,
    tag: &'static str,
    /// For machines and in words: until when it is open, or from when.
    when: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "list.html", config = "src/web/pages/askama.toml")]
struct ListPage {
    f: Frame,
    campaigns: Vec<(String, String)>,
}

/// `/` and `/ko`: the only campaign's first page, or the list of all.
pub async fn front(request: HttpRequest) -> Result<HttpResponse, Trouble> {
    let (service, l) = (service(&request), lang(&request));
    let offers = service.shared.offers();
    let ids: Vec<String> = offers
        .iter()
        .map(|offer| offer.catalog.campaign.id.to_string())
        .collect();
    if let [only] = ids.as_slice() {
        let visit = Visit::new(&request, l, only)?;
        return Ok(landing(request, visit).await);
    }
    let listed = offers.iter().map(|offer| {
        let campaign = &offer.catalog.campaign;
        let name = l.pick(&campaign.name.ko, &campaign.name.en).to_owned();
        (format!("/{}/{}", l.tag(), campaign.id), name)
    });
    let template = ListPage {
        f: Frame::bare(l),
        campaigns: listed.collect(),
    };
    Ok(page(l, StatusCode::OK, &template))
}

pub async fn landing(request: HttpRequest, visit: Visit) -> HttpResponse {
    let (has, own) = match has(&visit) {
        Some((has, own)) => (Some(has), vec![own]),
        None => (None, Vec::new()),
    };
    let page = prepared(prepared_pages(&request), visit.glance(), has);
    Filled { page, values: own }.answer(request.headers())
}

/// What the device that asks has already, with its person's number or window; none if that is
/// nothing, or over.
fn has(visit: &Visit) -> Option<(Has, String)> {
    let service = &visit.service;
    let session = visit.session.as_deref();
    let person = session.and_then(|session| service.session(&visit.here, session).ok());
    if let Some(person) = person {
        let has_booking = service.active_booking(&visit.here, &person).is_some();
        let has = match visit.home(&person) {
            "/booking" => Some(Has::Booking),
            "/confirm" if has_booking => Some(Has::Move),
            "/confirm" => Some(Has::Hold),
            _ => visit.may_book(&person).then_some(Has::Session),
        };
        return has.map(|has| (has, String::new()));
    }
    let place = service.place(&visit.here, visit.place.as_deref()?).ok()?;
    Some(match (place.state, place.window) {
        _ if place.goes_past() => (Has::Booking, String::new()),
        (PlaceState::Admitted, _) => (Has::Turn, String::new()),
        (PlaceState::Window, Some(window)) => {
            (Has::Window, When::of(visit).span(window.from, window.until))
        }
        _ => (Has::Number, grouped(place.number)),
    })
}

/// What the page shows beside what the campaign's version fixes.
#[derive(PartialEq)]
pub struct MadeOf {
    version: u32,
    /// The agency's file.
    agency: u32,
    /// Beginnings and ends of openings that have passed.
    passed: usize,
    state: GateState,
    paused: bool,
    message: Option<Notice>,
    /// The date at the agency: what is today there is called so.
    today: Day,
}

impl MadeOf {
    fn of(glance: Glance<'_>) -> Self {
        let here = glance.here;
        let campaign = &here.offer.catalog.campaign;
        let board = here.gate.board.load();
        Self {
            version: here.offer.catalog.version(),
            agency: here.agency().map_or(0, |known| known.version),
            passed: passed(campaign, here.now),
            state: gate_state(campaign, here.now),
            paused: board.view.state == "paused",
            message: board.notice(),
            today: Day::of(campaign.zone.local(here.now).date()),
        }
    }
}

/// The page that is the same for everyone who has this, until an opening or the gate changes; with
/// a hole for a person's own number or window.
pub fn prepared(kept: &PreparedPages, glance: Glance<'_>, has: Option<Has>) -> Arc<Prepared> {
    let made_of = MadeOf::of(glance);
    let key = (glance.here.index, glance.lang, has);
    kept.landings
        .page(key, made_of, |made_of| make(&glance.visit(), made_of, has))
}

/// How many lobbies have opened, openings begun, taken the last person in and ended: the page
/// changes with each.
fn passed(campaign: &Campaign, now: Stamp) -> usize {
    let lobby_s = 60 * i64::from(campaign.gate.lobby_min());
    let changes = campaign.openings.iter().flat_map(|opening| {
        let last_entry = campaign.last_entry(opening);
        let lobby = opening.from.plus_s(-lobby_s);
        [lobby, opening.from, last_entry, opening.until]
    });
    changes.filter(|change| *change <= now).count()
}

fn make(visit: &Visit, made_of: &MadeOf, has: Option<Has>) -> Prepared {
    let MadeOf { state, paused, .. } = *made_of;
    let l = visit.lang;
    let mut f = Frame::timeless(visit, "");
    f.name = without_holes(&f.name).into_owned();
    let policy = f.look.policy(None);
    // What is open is open for some: the table says for whom.
    let state_words = match (paused, state) {
        (true, _) => Some(l.say("state-paused")),
        (_, GateState::Closed) => Some(l.say("state-closed")),
        _ => None,
    };
    let whose = match has {
        Some(_) => For::One,
        None => For::Everyone,
    };
    let notice = made_of.message.as_ref();
    let template = LandingPage {
        f,
        state: if paused { "paused" } else { state.name() },
        state_words,
        message: notice.map(|notice| InLanguage::notice(l, notice).without_holes()),
        known: has.map(|has| has.known(l, hole(0))),
        welcome: told(visit, |agency| agency.landing.as_ref()),
        day: DayForm::default(),
        groups: groups(visit),
        change_words: change_words(visit),
    };
    let text = template.render().unwrap_or_default();
    Prepared::new(&text, &policy, l, whose)
}

fn change_words(visit: &Visit) -> String {
    let days = visit.here.offer.catalog.campaign.booking.change_until_days;
    // The midnight at the beginning of that day is the end of the day before it.
    let days = [("days", Value::from(u32::from(days) + 1))];
    visit.lang.put("know-change", &days)
}

/// The people of the campaign by age, the oldest first, and what is open to them now.
fn groups(visit: &Visit) -> Vec<GroupView> {
    let campaign = &visit.here.offer.catalog.campaign;
    let mut keys: Vec<(usize, &[u8])> = Vec::new();
    for opening in &campaign.openings {
        for &cohort in &opening.cohorts {
            let key = (cohort, opening.birth_day_last_digits.as_slice());
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys.sort_by_key(|(at, digits)| (campaign.cohorts[*at].born, *digits));
    let group = |(at, digits): (usize, &[u8])| group(visit, at, digits);
    keys.into_iter().map(group).collect()
}

fn group(visit: &Visit, at: usize, digits: &[u8]) -> GroupView {
    let is_paused = visit.here.gate.board.load().view.state == "paused";
    let (l, when, now) = (visit.lang, When::of(visit), visit.here.now);
    let campaign = &visit.here.offer.catalog.campaign;
    let theirs = |opening: &&Opening| {
        opening.cohorts.contains(&at) && opening.birth_day_last_digits == digits
    };
    let openings = campaign.openings.iter().filter(theirs);
    let takes_people = |opening: &&Opening| now < campaign.last_entry(opening);
    let next = openings
        .filter(takes_people)
        .min_by_key(|opening| opening.from);
    let whom = whom(visit, &campaign.cohorts[at], digits);
    let Some(opening) = next else {
        return GroupView {
            whom,
            state: "over",
            tag: l.say("opening-over"),
            when: None,
        };
    };
    let view = |state, tag, stamp, words| GroupView {
        whom,
        state,
        tag: l.say(tag),
        when: Some((machine(visit, stamp), words)),
    };
    let at = |key, words: String| l.put(key, &[("at", text(words))]);
    let starts = || at("starts-at", when.near(opening.from, now));
    match OpeningState::of(campaign, opening, now) {
        OpeningState::Open if campaign.gate.order == Order::Windows => view(
            "open",
            "windows-shown",
            opening.until,
            at("ends-at", when.near_end(opening.until, now)),
        ),
        OpeningState::Open => {
            let tag = if is_paused { "open-paused" } else { "open-now" };
            let ends = campaign.last_entry(opening);
            view("open", tag, ends, at("ends-at", when.near_end(ends, now)))
        }
        OpeningState::Lobby if campaign.gate.order == Order::Windows => {
            view("lobby", "windows-shown", opening.from, starts())
        }
        OpeningState::Lobby => view("lobby", "lobby-open", opening.from, starts()),
        _ => view("before", "opens-next", opening.from, starts()),
    }
}

/// Whom a cohort is of, by birth years where it is of whole ones.
fn whom(visit: &Visit, cohort: &Cohort, digits: &[u8]) -> String {
    let (l, when) = (visit.lang, When::of(visit));
    let groups = [("groups", text(cohort.groups_any.join(", ")))];
    if cohort.is_of_groups_alone() {
        return l.put("whom-groups-alone", &groups);
    }
    let mut whom = born_between(&when, cohort);
    if !cohort.groups_any.is_empty() {
        whom.push_str(&l.put("whom-groups", &groups));
    }
    if !digits.is_empty() {
        let digits: Vec<String> = digits.iter().map(u8::to_string).collect();
        whom.push_str(&l.put("whom-digits", &[("digits", text(digits.join(", ")))]));
    }
    whom
}

fn born_between(when: &When, cohort: &Cohort) -> String {
    let (first, last) = cohort.born;
    let year = |date: Date| text(date.year().to_string());
    let (key, [from, until]) = match (cohort.is_of_whole_years(), first.year() == last.year()) {
        (true, true) => return when.lang.put("born-year", &[("year", year(first))]),
        (true, false) => ("born-years", [year(first), year(last)]),
        (false, _) => ("whom-born", [first, last].map(|date| text(when.born(date)))),
    };
    when.lang.put(key, &[("first", from), ("last", until)])
}
