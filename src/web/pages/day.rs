//! The day of a birth date, answered without identity: who may book when, in words.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::civil::Date;

use super::answer::page;
use super::form::Form;
use super::frame::{Frame, text};
use super::visit::{BORN_COOKIE, Visit, keep_for};
use super::when::When;
use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::campaign::{Cohort, Opening, Order};
use crate::domain::spelling::{self, date::DateFault};
use crate::domain::time::Day;
use crate::web::call::token_in_cookie;
use crate::web::read;
use crate::web::words::Lang;

/// For how long a browser keeps the birth date that its person asked about.
const BORN_S: u32 = 1_800;
/// Of what was typed, so much is shown again.
const TYPED_MAX: usize = 20;

/// The form that asks for a birth date.
#[derive(Default)]
pub struct DayForm {
    pub typed: String,
    pub fault: Option<String>,
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

/// Takes a birth date, and shows what it means on a page that can be reloaded. The date is kept by
/// the browser alone, for half an hour: it stands in no address, and nothing is kept here.
pub async fn ask(request: HttpRequest, visit: Visit, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let typed = form.field("birth_date");
    match spelling::date::read(typed) {
        Ok(date) if date > When::of(&visit).local_date(visit.here.now) => {
            refused(&visit, typed, &DateFault::NotInCalendar)
        }
        Ok(date) => {
            keep_for(&request, BORN_COOKIE, &Day::of(date).to_string(), BORN_S);
            visit.onward("/day")
        }
        Err(fault) => refused(&visit, typed, &fault),
    }
}

/// The form again, with what is wrong.
fn refused(visit: &Visit, typed: &str, fault: &DateFault) -> HttpResponse {
    let l = visit.lang;
    let template = DayPage {
        f: Frame::of(visit, "/day"),
        title: l.say("birth-date-unclear").to_owned(),
        verdict: None,
        day: DayForm {
            typed: typed.chars().take(TYPED_MAX).collect(),
            fault: Some(date_words(l, fault)),
        },
    };
    page(l, StatusCode::UNPROCESSABLE_ENTITY, &template)
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
pub async fn show(request: HttpRequest, visit: Visit) -> HttpResponse {
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
            typed: When::of(&visit).born(born.date()),
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
    let by_digits = |opening: &Opening| !opening.birth_day_last_digits.is_empty();
    let is_exact = campaign.openings.iter().any(by_digits)
        || !campaign
            .cohorts
            .iter()
            .all(|cohort| cohort.is_of_whole_years() || cohort.is_of_groups_alone());
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
    let is_paused = visit.here.gate.board.load().view.state == "paused";
    let order = visit.here.offer.catalog.campaign.gate.order;
    let by_windows = order == Order::Windows;
    let headline = match (decision.answer, decision.opens_at) {
        (Answer::Eligible, _) if is_paused => says("you-may-book-paused", String::new()),
        (Answer::Eligible, _) if by_windows => says("you-may-book-windows", String::new()),
        (Answer::Eligible, _) => says("you-may-book-now", String::new()),
        (_, Some(opens)) => says("your-opening-is", when.near(opens, now)),
        (Answer::OpeningClosed, None) => says("your-opening-is-over", String::new()),
        (Answer::NotOpenYet, None) => says("your-opening-is-not-set", String::new()),
        (Answer::NotEligible, None) => says("not-for-you", String::new()),
    };
    if decision.answer == Answer::Eligible {
        if by_windows {
            sentences.push(l.say("windows-are-shown").to_owned());
        }
        let opening = decision.rule.opening();
        let campaign = &visit.here.offer.catalog.campaign;
        let closes = opening.map(|at| campaign.last_entry(&campaign.openings[at]));
        if let Some(closes) = closes.filter(|closes| Some(*closes) != decision.next_change) {
            sentences.push(says("you-may-enter-until", when.end(closes)));
        }
        let until = decision.next_change;
        sentences.extend(until.map(|until| says("you-may-book-until", when.end(until))));
    }
    let closed = decision.closed_at;
    if let Some(closed) = closed.filter(|_| decision.answer != Answer::Eligible) {
        sentences.push(says("your-opening-ended", when.end(closed)));
    }
    let (shown, to_be_shown) = match order {
        Order::Windows => ("windows-are-shown", "windows-shown-at"),
        Order::Draw => ("lobby-is-drawn", "lobby-opens-at"),
        Order::Arrival => ("lobby-is-open", "lobby-opens-at"),
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
        (Answer::Eligible, _) if by_windows => Some("to-window-in"),
        (Answer::Eligible, _) if is_paused => Some("to-lobby"),
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
        may_have_booked: decision.closed_at.is_some() && !who.is_empty(),
    }
}
