//! The first page: what is open, for whom, now and next; and the day of a birth date, answered
//! without identity.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::{page, see_other};
use super::assets::{self, Asset};
use super::form::{Form, birth_date};
use super::frame::{Frame, machine, text};
use super::prepared::{Filled, For, Prepared, PreparedPages, prepared_pages};
use super::trouble::Trouble;
use super::visit::{Glance, Visit, lang};
use super::when::When;
use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::campaign::{Campaign, Opening};
use crate::domain::time::Stamp;
use crate::gate::hours::{GateState, gate_state};
use crate::web::call::service;
use crate::web::read;

#[derive(Template)]
#[template(path = "landing.html", config = "src/web/pages/askama.toml")]
struct LandingPage {
    f: Frame,
    style: &'static Asset,
    state: &'static str,
    state_words: &'static str,
    message: Option<String>,
    openings: Vec<OpeningView>,
    enter: bool,
}

struct OpeningView {
    open: bool,
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
        return Ok(
            Filled::from(prepared(prepared_pages(&request), visit.glance()))
                .answer(request.headers()),
        );
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
    Filled::from(prepared(prepared_pages(&request), visit.glance())).answer(request.headers())
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

/// The bytes that are the same for everyone until an opening or the gate changes.
pub fn prepared(kept: &PreparedPages, glance: Glance<'_>) -> Arc<Prepared> {
    let here = glance.here;
    let campaign = &here.offer.catalog.campaign;
    let board = here.gate.board.load();
    let made_of = MadeOf {
        version: here.offer.catalog.version(),
        passed: passed(campaign, here.now),
        state: gate_state(campaign, here.now),
        paused: board.view.state == "paused",
        message: board.view.message.clone(),
    };
    let (state, paused) = (made_of.state, made_of.paused);
    let message = board.view.message.as_deref();
    let make = || make(&glance.visit(), state, paused, message);
    kept.landings.page((here.index, glance.lang), made_of, make)
}

/// How many beginnings and ends of openings have passed: the page changes with each.
fn passed(campaign: &Campaign, now: Stamp) -> usize {
    let ends = campaign
        .openings
        .iter()
        .flat_map(|opening| [opening.from, opening.until]);
    ends.filter(|end| *end <= now).count()
}

fn make(visit: &Visit, state: GateState, paused: bool, message: Option<&str>) -> Prepared {
    let here = &visit.here;
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
    let state_words = match (paused, state) {
        (true, _) => visit.lang.say("state-paused"),
        (_, GateState::Before) => visit.lang.say("state-before"),
        (_, GateState::Lobby) => visit.lang.say("state-lobby"),
        (_, GateState::Open) => visit.lang.say("state-open"),
        (_, GateState::Closed) => visit.lang.say("state-closed"),
    };
    let template = LandingPage {
        f,
        style,
        state: if paused { "paused" } else { state.name() },
        state_words,
        message: message.map(str::to_owned),
        openings: openings
            .into_iter()
            .map(|opening| view(visit, opening))
            .collect(),
        enter: state != GateState::Closed,
    };
    let text = template.render().unwrap_or_default();
    Prepared::new(&text, &policy, visit.lang, For::Everyone)
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
    OpeningView {
        open: opening.from <= visit.here.now,
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
    if let (Some(lobby), Some(_)) = (decision.lobby_opens_at, decision.opens_at) {
        sentences.push(if decision.lobby_is_open() {
            l.say("lobby-is-open").to_owned()
        } else {
            at("lobby-opens-at", lobby)
        });
    }
    if decision.answer == Answer::NotEligible && decision.opens_at.is_none() {
        sentences.push(l.say("not-for-you-next").to_owned());
    }
    Verdict {
        code: None,
        headline,
        sentences,
        may_enter: decision.answer == Answer::Eligible || decision.lobby_is_open(),
    }
}
