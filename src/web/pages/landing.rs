//! The first page: one question, and when booking is open for whom; and the day of a birth date,
//! answered without identity.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::civil::Date;

use super::answer::page;
use super::document::told;
use super::form::Form;
use super::frame::{Frame, grouped, machine, text};
use super::prepared::{Filled, For, Prepared, PreparedPages, prepared_pages};
use super::text::{Block, InLanguage, Told};
use super::trouble::Trouble;
use super::visit::{BORN_COOKIE, Glance, Visit, keep_for, lang};
use super::when::When;
use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::campaign::{Campaign, Cohort, Opening, Order};
use crate::domain::line::Notice;
use crate::domain::spelling::{self, date::DateFault};
use crate::domain::time::{Day, Stamp};
use crate::gate::PlaceState;
use crate::gate::hours::{GateState, OpeningState, gate_state};
use crate::web::call::{service, token_in_cookie};
use crate::web::read;
use crate::web::words::{Lang, Value};

/// For how long a browser keeps the birth date that its person asked about.
const BORN_S: u32 = 1_800;
/// Of what was typed, so much is shown again.
const TYPED_MAX: usize = 20;

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

/// What this device has already, and the way to it.
struct Known {
    words: String,
    page: &'static str,
    action: &'static str,
}

/// The form that asks for a birth date.
#[derive(Default)]
struct DayForm {
    typed: String,
    fault: Option<String>,
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

#[derive(Template)]
#[template(path = "day.html", config = "src/web/pages/askama.toml")]
struct DayPage {
    f: Frame,
    title: String,
    /// None for a birth date that can't be read.
    verdict: Option<Verdict>,
    day: DayForm,
}

#[derive(Template)]
#[template(path = "verdict.html", config = "src/web/pages/askama.toml")]
struct VerdictPage {
    f: Frame,
    verdict: Verdict,
}

/// An answer of the rules in words.
pub struct Verdict {
    /// The problem code of a refusal, as every refusal's page has it.
    code: Option<&'static str>,
    headline: String,
    sentences: Vec<String>,
    /// What is written on the way in, if there is one now.
    action: Option<&'static str>,
    may_enter: bool,
    /// Their opening is or was: they may look a booking up.
    may_have_booked: bool,
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
    let kept = prepared_pages(&request);
    let known = known(&visit);
    let page = match known {
        Some(_) => Arc::new(make(&visit, &MadeOf::of(visit.glance()), known)),
        None => prepared(kept, visit.glance()),
    };
    Filled::from(page).answer(request.headers())
}

/// What the device that asks has already; none if that is nothing, or over.
fn known(visit: &Visit) -> Option<Known> {
    let (l, service) = (visit.lang, &visit.service);
    let told = |words: String, page, action| Known {
        words,
        page,
        action: l.say(action),
    };
    let say = |key| l.say(key).to_owned();
    let session = visit.session.as_deref();
    let person = session.and_then(|session| service.session(&visit.here, session).ok());
    if let Some(person) = person {
        return Some(match visit.home(&person) {
            page @ "/booking" => told(say("known-booking"), page, "to-booking"),
            page @ "/confirm" => told(say("known-hold"), page, "to-confirm"),
            page => told(say("known-session"), page, "to-sites"),
        });
    }
    let place = service.place(&visit.here, visit.place.as_deref()?).ok()?;
    let number = [("number", text(grouped(place.number)))];
    let (words, action) = match (place.state, place.window) {
        (PlaceState::Admitted, _) if place.opening.is_none() => {
            (say("known-booking"), "to-booking")
        }
        (PlaceState::Admitted, _) => (say("wait-admitted"), "to-wait"),
        (PlaceState::Window, Some(window)) => {
            let span = When::of(visit).span(window.from, window.until);
            (l.put("known-window", &[("at", text(span))]), "to-window")
        }
        _ => (l.put("known-number", &number), "to-wait"),
    };
    Some(told(words, "/wait", action))
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

/// The bytes that are the same for everyone until an opening or the gate changes.
pub fn prepared(kept: &PreparedPages, glance: Glance<'_>) -> Arc<Prepared> {
    let made_of = MadeOf::of(glance);
    let key = (glance.here.index, glance.lang);
    kept.landings
        .page(key, made_of, |made_of| make(&glance.visit(), made_of, None))
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

fn make(visit: &Visit, made_of: &MadeOf, known: Option<Known>) -> Prepared {
    let MadeOf { state, paused, .. } = *made_of;
    let l = visit.lang;
    let f = Frame::timeless(visit, "");
    let policy = f.look.policy(None);
    // What is open is open for some: the table says for whom.
    let state_words = match (paused, state) {
        (true, _) => Some(l.say("state-paused")),
        (_, GateState::Closed) => Some(l.say("state-closed")),
        _ => None,
    };
    let whose = match known {
        Some(_) => For::One,
        None => For::Everyone,
    };
    let notice = made_of.message.as_ref();
    let template = LandingPage {
        f,
        state: if paused { "paused" } else { state.name() },
        state_words,
        message: notice.map(|notice| InLanguage::notice(l, notice)),
        known,
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
    let days = [("days", Value::from(u32::from(days)))];
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
        OpeningState::Open => {
            let ends = campaign.last_entry(opening);
            view(
                "open",
                "open-now",
                ends,
                at("ends-at", when.near_end(ends, now)),
            )
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
    let mut whom = born_between(&when, cohort.born);
    if !cohort.groups_any.is_empty() {
        whom.push_str(&l.put("whom-groups", &groups));
    }
    if !digits.is_empty() {
        let digits: Vec<String> = digits.iter().map(u8::to_string).collect();
        whom.push_str(&l.put("whom-digits", &[("digits", text(digits.join(", ")))]));
    }
    whom
}

fn born_between(when: &When, (first, last): (Date, Date)) -> String {
    let is_whole = (first.month(), first.day(), last.month(), last.day()) == (1, 1, 12, 31);
    let year = |date: Date| text(date.year().to_string());
    let (key, [from, until]) = match (is_whole, first.year() == last.year()) {
        (true, true) => return when.lang.put("born-year", &[("year", year(first))]),
        (true, false) => ("born-years", [year(first), year(last)]),
        (false, _) => ("whom-born", [first, last].map(|date| text(when.born(date)))),
    };
    when.lang.put(key, &[("first", from), ("last", until)])
}

/// Takes a birth date, and shows what it means on a page that can be reloaded. The date is kept by
/// the browser alone, for half an hour: it stands in no address, and nothing is kept here.
pub async fn ask_day(request: HttpRequest, visit: Visit, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let typed = form.field("birth_date");
    match spelling::date::read(typed) {
        Ok(date) => {
            keep_for(&request, BORN_COOKIE, &Day::of(date).to_string(), BORN_S);
            visit.onward("/day")
        }
        Err(fault) => {
            let l = visit.lang;
            let template = DayPage {
                f: Frame::of(&visit, "/day"),
                title: l.say("birth-date-unclear").to_owned(),
                verdict: None,
                day: DayForm {
                    typed: typed.chars().take(TYPED_MAX).collect(),
                    fault: Some(date_words(l, &fault)),
                },
            };
            page(l, StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
    }
}

/// What is wrong with a date, and how to write it.
pub fn date_words(l: Lang, fault: &DateFault) -> String {
    let could_be = |dates: &[Date]| dates.first().map(Date::to_string);
    let (key, example) = match fault {
        DateFault::Empty => return l.say("birth-date-missing").to_owned(),
        DateFault::NotInCalendar => return l.say("birth-date-no-day").to_owned(),
        DateFault::TwoDigitYear(dates) => ("birth-date-short-year", could_be(dates)),
        DateFault::YearLast(dates) => ("birth-date-year-first", could_be(dates)),
        DateFault::Shape | DateFault::SpreadsheetNumber(_) => ("", None),
    };
    match example {
        Some(example) => {
            let digits = example.replace('-', "");
            l.put(key, &[("example", text(digits))])
        }
        None => l.say("birth-date-how").to_owned(),
    }
}

/// The answer to the birth date that the browser keeps.
pub async fn day(request: HttpRequest, visit: Visit) -> HttpResponse {
    let l = visit.lang;
    let Some(born) = born_in(request.headers()) else {
        return visit.onward("");
    };
    let (decision, _) = visit.service.openings_of(&visit.here, born);
    let who = who(&visit, born);
    let mut verdict = verdict(&visit, &decision, &who);
    let rules = &visit.here.offer.catalog.campaign.rules;
    let groups: Vec<&str> = rules.groups_of(born.date()).collect();
    if !groups.is_empty() && decision.answer != Answer::Eligible {
        let groups = [("groups", text(groups.join(", ")))];
        if decision.answer == Answer::NotEligible {
            // Nobody knows the groups of somebody who is not identified.
            verdict = Verdict {
                headline: l.say("may-be-for-you").to_owned(),
                sentences: vec![l.put("may-be-for-you-groups", &groups)],
                action: Some(l.say("to-enter")),
                may_enter: true,
                ..verdict
            };
        } else {
            verdict.sentences.push(l.put("groups-may-differ", &groups));
        }
    }
    let template = DayPage {
        f: Frame::of(&visit, "/day"),
        title: verdict.headline.clone(),
        verdict: Some(verdict),
        day: DayForm {
            typed: born.to_string(),
            fault: None,
        },
    };
    page(l, StatusCode::OK, &template)
}

/// The birth date that the browser keeps, if it does.
pub fn born_in(headers: &HeaderMap) -> Option<Day> {
    let born = token_in_cookie(headers, BORN_COOKIE)?;
    spelling::date::read(born).ok().map(Day::of)
}

/// "1967년생은": as exactly as the answer depends on it.
fn who(visit: &Visit, born: Day) -> String {
    let (l, when) = (visit.lang, When::of(visit));
    let campaign = &visit.here.offer.catalog.campaign;
    let by_year = |cohort: &Cohort| {
        let (first, last) = cohort.born;
        (first.month(), first.day(), last.month(), last.day()) == (1, 1, 12, 31)
    };
    let by_digits = |opening: &Opening| !opening.birth_day_last_digits.is_empty();
    let is_exact = campaign.openings.iter().any(by_digits)
        || !campaign
            .cohorts
            .iter()
            .all(|cohort| by_year(cohort) || cohort.is_of_groups_alone());
    if is_exact {
        let born = [("date", text(when.born(born.date())))];
        return l.put("who-date", &born);
    }
    l.put(
        "who-year",
        &[("year", text(born.date().year().to_string()))],
    )
}

/// Whom the programme is for, to somebody whom it is not for.
fn whom_else(visit: &Visit) -> String {
    let (l, cohorts) = (visit.lang, &visit.here.offer.catalog.campaign.cohorts);
    let years = cohorts
        .iter()
        .map(|cohort| (cohort.born.0.year(), cohort.born.1.year()));
    let years = years.reduce(|all, own| (all.0.min(own.0), all.1.max(own.1)));
    let by_groups = cohorts.iter().any(Cohort::is_of_groups_alone);
    match years.filter(|_| !by_groups) {
        Some((first, last)) => {
            let years = [
                ("first", text(first.to_string())),
                ("last", text(last.to_string())),
            ];
            l.put(
                "not-for-you-next",
                &[("whom", text(l.put("born-years", &years)))],
            )
        }
        None => l.say("not-for-you-letter").to_owned(),
    }
}

/// A sentence with a capital at its beginning, where the script has them.
fn begun(sentence: String) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// The page that tells a person of the roster when their day is.
pub fn verdict_page(visit: &Visit, decision: &Decision, status: StatusCode) -> HttpResponse {
    let template = VerdictPage {
        f: Frame::of(visit, ""),
        verdict: Verdict {
            code: Some(decision.answer.name()),
            ..verdict(visit, decision, "")
        },
    };
    page(visit.lang, status, &template)
}

/// The answer in words; `who` begins the sentence, or is empty for the person who is identified.
fn verdict(visit: &Visit, decision: &Decision, who: &str) -> Verdict {
    let (l, when, now) = (visit.lang, When::of(visit), visit.here.now);
    let says = |key, words: String| l.put(key, &[("at", text(words)), ("who", text(who))]);
    let mut sentences = Vec::new();
    let headline = match (decision.answer, decision.opens_at) {
        (Answer::Eligible, _) => says("you-may-book-now", String::new()),
        (_, Some(opens)) => says("your-opening-is", when.near(opens, now)),
        (Answer::OpeningClosed, None) => says("your-opening-is-over", String::new()),
        (Answer::NotOpenYet, None) => says("your-opening-is-not-set", String::new()),
        (Answer::NotEligible, None) => says("not-for-you", String::new()),
    };
    if decision.answer == Answer::Eligible {
        let until = decision.next_change;
        sentences.extend(until.map(|until| says("you-may-book-until", when.end(until))));
    }
    let closed = decision.closed_at;
    if let Some(closed) = closed.filter(|_| decision.answer != Answer::Eligible) {
        sentences.push(says("your-opening-ended", when.end(closed)));
    }
    let by_windows = visit.here.offer.catalog.campaign.gate.order == Order::Windows;
    let (shown, to_be_shown) = if by_windows {
        ("windows-are-shown", "windows-shown-at")
    } else {
        ("lobby-is-open", "lobby-opens-at")
    };
    if let (Some(lobby), Some(_)) = (decision.lobby_opens_at, decision.opens_at) {
        sentences.push(if decision.lobby_is_open() {
            l.say(shown).to_owned()
        } else {
            says(to_be_shown, when.near(lobby, now))
        });
    }
    if decision.answer == Answer::NotEligible && decision.opens_at.is_none() {
        sentences.push(whom_else(visit));
    }
    let action = match (decision.answer, decision.lobby_is_open()) {
        (Answer::Eligible, _) => Some("to-enter"),
        (_, true) if by_windows => Some("to-window-in"),
        (_, true) => Some("to-lobby"),
        _ => None,
    };
    Verdict {
        code: None,
        headline: begun(headline),
        sentences,
        may_enter: action.is_some(),
        action: action.map(|key| l.say(key)),
        may_have_booked: decision.closed_at.is_some(),
    }
}
