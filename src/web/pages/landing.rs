//! The first page: one question, and when booking is open for whom; and the day of a birth date,
//! answered without identity.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::{page, see_other};
use super::assets::{self, Asset};
use super::form::{Form, birth_date};
use super::frame::{Frame, grouped, machine, text};
use super::prepared::{Filled, For, Prepared, PreparedPages, prepared_pages};
use super::trouble::Trouble;
use super::visit::{Glance, Visit, lang};
use super::when::When;
use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::campaign::{Campaign, Cohort, Opening, Order};
use crate::domain::time::Stamp;
use crate::gate::PlaceState;
use crate::gate::hours::{GateState, OpeningState, gate_state};
use crate::web::call::service;
use crate::web::read;

#[derive(Template)]
#[template(path = "landing.html", config = "src/web/pages/askama.toml")]
struct LandingPage {
    f: Frame,
    style: &'static Asset,
    state: &'static str,
    /// Where it is the same for everybody: paused, or over.
    state_words: Option<&'static str>,
    message: Option<String>,
    known: Option<Known>,
    openings: Vec<OpeningView>,
}

/// What this device has already, and the way to it.
struct Known {
    words: String,
    page: &'static str,
    action: &'static str,
}

struct OpeningView {
    state: &'static str,
    tag: &'static str,
    from: String,
    from_machine: String,
    until: String,
    until_machine: String,
    whom: Vec<String>,
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
    verdict: Verdict,
    born: String,
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
    may_enter: bool,
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

pub async fn to_landing(visit: Visit) -> HttpResponse {
    see_other(&visit.to(""))
}

/// What the page shows beside what the campaign's version fixes.
#[derive(PartialEq)]
pub struct MadeOf {
    version: u32,
    /// Beginnings and ends of openings that have passed.
    passed: usize,
    state: GateState,
    paused: bool,
    message: Option<String>,
}

impl MadeOf {
    fn of(glance: Glance<'_>) -> Self {
        let here = glance.here;
        let campaign = &here.offer.catalog.campaign;
        let board = here.gate.board.load();
        Self {
            version: here.offer.catalog.version(),
            passed: passed(campaign, here.now),
            state: gate_state(campaign, here.now),
            paused: board.view.state == "paused",
            message: board.view.message.clone(),
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

/// How many lobbies have opened, openings begun and ended: the page changes with each.
fn passed(campaign: &Campaign, now: Stamp) -> usize {
    let lobby_s = 60 * i64::from(campaign.gate.lobby_min());
    let changes = campaign
        .openings
        .iter()
        .flat_map(|opening| [opening.from.plus_s(-lobby_s), opening.from, opening.until]);
    changes.filter(|change| *change <= now).count()
}

fn make(visit: &Visit, made_of: &MadeOf, known: Option<Known>) -> Prepared {
    let here = &visit.here;
    let MadeOf { state, paused, .. } = *made_of;
    let campaign = &here.offer.catalog.campaign;
    let mut openings: Vec<&Opening> = campaign
        .openings
        .iter()
        .filter(|opening| here.now < opening.until)
        .collect();
    openings.sort_by_key(|opening| opening.from);
    let f = Frame::timeless(visit, "");
    let style = assets::named("frame.css");
    let policy = super::waiting::policy(&[style], &[]);
    // What is open is open for some: the table says for whom.
    let state_words = match (paused, state) {
        (true, _) => Some(visit.lang.say("state-paused")),
        (_, GateState::Closed) => Some(visit.lang.say("state-closed")),
        _ => None,
    };
    let whose = match known {
        Some(_) => For::One,
        None => For::Everyone,
    };
    let template = LandingPage {
        f,
        style,
        state: if paused { "paused" } else { state.name() },
        state_words,
        message: made_of.message.clone(),
        known,
        openings: openings
            .into_iter()
            .map(|opening| view(visit, opening))
            .collect(),
    };
    let text = template.render().unwrap_or_default();
    Prepared::new(&text, &policy, visit.lang, whose)
}

fn view(visit: &Visit, opening: &Opening) -> OpeningView {
    let (l, when) = (visit.lang, When::of(visit));
    let campaign = &visit.here.offer.catalog.campaign;
    let whom = opening.cohorts.iter().map(|&at| {
        let cohort = &campaign.cohorts[at];
        let groups = [("groups", text(cohort.groups_any.join(", ")))];
        if cohort.is_of_groups_alone() {
            return l.put("whom-groups-alone", &groups);
        }
        let born = [
            ("first", text(when.born(cohort.born.0))),
            ("last", text(when.born(cohort.born.1))),
        ];
        let mut whom = l.put("whom-born", &born);
        if !cohort.groups_any.is_empty() {
            whom.push_str(&l.put("whom-groups", &groups));
        }
        whom
    });
    let mut whom: Vec<String> = whom.collect();
    if !opening.birth_day_last_digits.is_empty() {
        let digits: Vec<String> = opening
            .birth_day_last_digits
            .iter()
            .map(u8::to_string)
            .collect();
        whom.push(l.put("whom-digits", &[("digits", text(digits.join(", ")))]));
    }
    let (state, tag) = match OpeningState::of(campaign, opening, visit.here.now) {
        OpeningState::Open => ("open", "open-now"),
        OpeningState::Lobby if campaign.gate.order == Order::Windows => ("lobby", "windows-shown"),
        OpeningState::Lobby => ("lobby", "lobby-open"),
        _ => ("before", "opens-next"),
    };
    OpeningView {
        state,
        tag: l.say(tag),
        from: when.instant(opening.from),
        from_machine: machine(visit, opening.from),
        until: when.instant(opening.until),
        until_machine: machine(visit, opening.until),
        whom,
    }
}

/// The day of a birth date. Nobody is identified, nothing is kept, and the date stands in no
/// address: the form is sent with POST.
pub async fn day(visit: Visit, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let l = visit.lang;
    let f = Frame::of(&visit, "");
    let Some(born) = birth_date(form.field("birth_date")) else {
        let template = DayPage {
            f,
            verdict: Verdict {
                code: None,
                headline: l.say("birth-date-unclear").to_owned(),
                sentences: vec![l.say("birth-date-how").to_owned()],
                may_enter: false,
            },
            born: form.field("birth_date").to_owned(),
        };
        return page(l, StatusCode::UNPROCESSABLE_ENTITY, &template);
    };
    let (decision, _) = visit.service.openings_of(&visit.here, born);
    let mut verdict = verdict(&visit, &decision);
    let rules = &visit.here.offer.catalog.campaign.rules;
    let groups: Vec<&str> = rules.groups_of(born.date()).collect();
    if !groups.is_empty() && decision.answer != Answer::Eligible {
        let groups = [("groups", text(groups.join(", ")))];
        if decision.answer == Answer::NotEligible {
            // Nobody knows the groups of somebody who is not identified.
            verdict = Verdict {
                code: None,
                headline: l.say("may-be-for-you").to_owned(),
                sentences: vec![l.put("may-be-for-you-groups", &groups)],
                may_enter: true,
            };
        } else {
            verdict.sentences.push(l.put("groups-may-differ", &groups));
        }
    }
    let template = DayPage {
        f,
        verdict,
        born: born.to_string(),
    };
    page(l, StatusCode::OK, &template)
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

/// The page that tells a person of the roster when their day is.
pub fn verdict_page(visit: &Visit, decision: &Decision, status: StatusCode) -> HttpResponse {
    let template = VerdictPage {
        f: Frame::of(visit, ""),
        verdict: Verdict {
            code: Some(decision.answer.name()),
            ..verdict(visit, decision)
        },
    };
    page(visit.lang, status, &template)
}

fn verdict(visit: &Visit, decision: &Decision) -> Verdict {
    let (l, when) = (visit.lang, When::of(visit));
    let at = |key, stamp| l.put(key, &[("at", text(when.instant(stamp)))]);
    let mut sentences = Vec::new();
    if let Some(closed) = decision.closed_at {
        sentences.push(at("your-opening-ended", closed));
    }
    let headline = match (decision.answer, decision.opens_at) {
        (Answer::Eligible, _) => l.say("you-may-book-now").to_owned(),
        (_, Some(opens)) => at("your-opening-is", opens),
        (Answer::OpeningClosed, None) => l.say("your-opening-is-over").to_owned(),
        (Answer::NotOpenYet, None) => l.say("your-opening-is-not-set").to_owned(),
        (Answer::NotEligible, None) => l.say("not-for-you").to_owned(),
    };
    if decision.answer == Answer::Eligible {
        sentences.extend(
            decision
                .next_change
                .map(|until| at("you-may-book-until", until)),
        );
    }
    let (shown, to_be_shown) = match visit.here.offer.catalog.campaign.gate.order {
        Order::Windows => ("windows-are-shown", "windows-shown-at"),
        Order::Arrival | Order::Draw => ("lobby-is-open", "lobby-opens-at"),
    };
    if let (Some(lobby), Some(_)) = (decision.lobby_opens_at, decision.opens_at) {
        sentences.push(if decision.lobby_is_open() {
            l.say(shown).to_owned()
        } else {
            at(to_be_shown, lobby)
        });
    }
    if decision.answer == Answer::NotEligible && decision.opens_at.is_none() {
        sentences.push(whom_else(visit));
    }
    Verdict {
        code: None,
        headline,
        sentences,
        may_enter: decision.answer == Answer::Eligible || decision.lobby_is_open(),
    }
}
