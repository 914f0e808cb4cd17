//! Refusals as pages: what happened, in words, and what to do next. Every problem code has both.

use actix_web::error::InternalError;
use actix_web::http::header::{HeaderName, HeaderValue, LOCATION, REFRESH, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::page;
use super::day::verdict_page;
use super::frame::{Frame, minutes, text};
use super::text::InLanguage;
use super::visit::{Visit, lang};
use super::when::When;
use crate::domain::campaign::Opening;
use crate::service::Refused;
use crate::web::door::answer::Code;
use crate::web::request_id::{REQUEST_ID, RequestId};
use crate::web::words::{Lang, words};

/// An answer that takes the place of the page that was asked for.
#[derive(Debug)]
pub struct Trouble(Box<HttpResponse>);

impl Trouble {
    pub fn of(answer: HttpResponse) -> Self {
        Self(Box::new(answer))
    }
}

impl From<Trouble> for HttpResponse {
    fn from(Trouble(answer): Trouble) -> Self {
        *answer
    }
}

impl From<Trouble> for actix_web::Error {
    fn from(Trouble(answer): Trouble) -> Self {
        InternalError::from_response("refused", *answer).into()
    }
}

#[derive(Template)]
#[template(path = "problem.html", config = "src/web/pages/askama.toml")]
struct ProblemPage<'a> {
    f: Frame,
    code: &'static str,
    title: &'a str,
    next: &'a str,
    details: Vec<InLanguage>,
    /// Where to go on: its address and what is written on it.
    onward: Option<(String, &'static str)>,
    retry: Option<&'a Retry>,
    /// Seconds after which a script sends the form again.
    retry_after_s: Option<u32>,
    /// What an operator asks for who is called.
    reference: RequestId,
}

/// A form that can be sent again as it was.
pub struct Retry {
    pub action: String,
    pub fields: Vec<(&'static str, String)>,
}

/// A refusal's page.
pub fn refused(visit: &Visit, refused: &Refused) -> Trouble {
    Trouble::of(refusal(visit, refused, None))
}

/// The page of a refused form: where sending it again helps, it offers that.
pub fn refused_form(visit: &Visit, refused: &Refused, retry: &Retry) -> Trouble {
    Trouble::of(refusal(visit, refused, Some(retry)))
}

fn refusal(visit: &Visit, refused: &Refused, retry: Option<&Retry>) -> HttpResponse {
    let l = visit.lang;
    let when = When::of(visit);
    let mut details: Vec<InLanguage> = Vec::new();
    let mut retry_after_s = None;
    let mut may_retry = false;
    let (code, onward) = match refused {
        Refused::Rules(decision) => return verdict_page(visit, decision, StatusCode::FORBIDDEN),
        Refused::NotOnRoster => ("not_eligible", ("", "to-start")),
        Refused::IdentityNotFound => ("identity_not_found", ("/enter", "to-enter")),
        Refused::WrongAgain { retry_after_s: s } => {
            retry_after_s = Some(*s);
            ("identity_not_found", ("/enter", "to-enter"))
        }
        Refused::TooManyChanges { retry_after_s: s } => {
            retry_after_s = Some(*s);
            ("too_many_attempts", ("/booking", "to-booking"))
        }
        Refused::PlaceInvalid => ("place_invalid", ("/enter", "to-enter")),
        Refused::PlaceEnded(at) => {
            let openings = &visit.here.offer.catalog.campaign.openings;
            let next = at.and_then(|at| openings.get(usize::from(at)));
            let known = |opening: &Opening| {
                let is_open = opening.from <= visit.here.now;
                let key = if is_open {
                    "opening-is-open"
                } else {
                    "opening-comes"
                };
                l.put(key, &[("at", text(when.instant(opening.from)))])
            };
            let told = next.map_or_else(|| l.say("opening-none").to_owned(), known);
            details.push(told.into());
            ("place_ended", ("/enter", "to-enter"))
        }
        Refused::SessionInvalid => ("session_invalid", ("/enter", "to-enter")),
        Refused::SessionExpired => ("session_expired", ("/enter", "to-enter")),
        Refused::NotAdmitted(_) => ("not_admitted", ("/wait", "to-wait")),
        Refused::Paused {
            message,
            retry_after_s: s,
        } => {
            details.push(InLanguage::notice(l, message));
            retry_after_s = Some(*s);
            may_retry = true;
            ("paused", ("/wait", "to-wait"))
        }
        Refused::SlotFull { .. } => ("slot_full", ("/sites", "to-sites")),
        Refused::SlotPast => ("slot_past", ("/sites", "to-sites")),
        Refused::AlreadyBooked(_) => ("already_booked", ("/booking", "to-booking")),
        Refused::HoldExpired => ("hold_expired", ("/sites", "to-sites")),
        Refused::HoldExtended => ("hold_extended", ("/confirm", "to-confirm")),
        Refused::NoBooking => ("no_booking", ("/sites", "to-sites")),
        Refused::NotFound => ("not_found", ("", "to-start")),
        Refused::ChangeDeadlinePassed(deadline) => {
            let at = [("at", text(when.end(*deadline)))];
            details.push(l.put("deadline-was", &at).into());
            ("change_deadline_passed", ("/booking", "to-booking"))
        }
        Refused::IdempotencyConflict => ("idempotency_conflict", ("/booking", "to-booking")),
        Refused::Overloaded { retry_after_s: s } => {
            retry_after_s = Some(*s);
            may_retry = true;
            ("overloaded", ("/wait", "to-wait"))
        }
        Refused::OutcomeUnknown => {
            retry_after_s = Some(3);
            may_retry = true;
            ("outcome_unknown", ("/booking", "to-booking"))
        }
    };
    if let Some(seconds) = retry_after_s.filter(|_| !may_retry) {
        let after = [("time", text(minutes(l, seconds.into())))];
        details.push(l.put("again-after", &after).into());
    }
    let words = words(l, code);
    let template = ProblemPage {
        f: Frame::of(visit, ""),
        code,
        title: words.title,
        next: words.next,
        details,
        onward: Some((visit.to(onward.0), l.say(onward.1))),
        retry: retry.filter(|_| may_retry),
        retry_after_s,
        reference: RequestId::next(),
    };
    let status = StatusCode::from_u16(words.status).expect("the words have valid statuses");
    let mut answer = shown(l, status, &template);
    if let Some(seconds) = retry_after_s {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// An address under a language that no page has.
pub async fn no_page(request: HttpRequest) -> HttpResponse {
    missing(&request)
}

/// The answer to a browser that asks for what is not there. A slash too many at the end is taken
/// off: no page's address has one.
pub fn missing(request: &HttpRequest) -> HttpResponse {
    let path = request.path();
    let short = path.trim_end_matches('/');
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    // Two slashes at the beginning would name another site.
    if is_get && short != path && !short.is_empty() && !short.starts_with("//") {
        return HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, short))
            .finish();
    }
    not_found(request)
}

pub fn not_found(request: &HttpRequest) -> HttpResponse {
    plain(lang(request), "not_found")
}

/// Too many people at once: what was asked is not looked at, and asked for again by itself.
pub fn put_off(l: Lang, retry_after_s: u32) -> HttpResponse {
    let mut answer = plain(l, "overloaded");
    let headers = answer.headers_mut();
    headers.insert(RETRY_AFTER, retry_after_s.into());
    headers.insert(REFRESH, retry_after_s.into());
    answer
}

/// The same for a form, which nobody has read: asking again would show it empty, so this page
/// stays, and says that the browser still has what was typed one step back.
pub fn put_off_form(l: Lang, retry_after_s: u32) -> HttpResponse {
    let after = text(minutes(l, retry_after_s.into()));
    let template = ProblemPage {
        next: l.say("put-off-form"),
        details: vec![l.put("again-after", &[("time", after)]).into()],
        onward: None,
        ..problem(l, "overloaded")
    };
    let mut answer = shown(l, StatusCode::SERVICE_UNAVAILABLE, &template);
    let headers = answer.headers_mut();
    headers.insert(RETRY_AFTER, retry_after_s.into());
    answer
}

/// A form that another site sent.
pub fn foreign_form(request: &HttpRequest) -> HttpResponse {
    plain(lang(request), "foreign_form")
}

/// The page as an answer, with its code for the counts and its reference for the log.
fn shown(l: Lang, status: StatusCode, template: &ProblemPage<'_>) -> HttpResponse {
    let mut answer = page(l, status, template);
    let reference = template.reference.as_str();
    let reference = HeaderValue::from_str(reference).expect("a reference is ASCII");
    let name = HeaderName::from_static(REQUEST_ID);
    answer.headers_mut().insert(name, reference);
    answer.extensions_mut().insert(Code(template.code));
    answer
}

fn plain(l: Lang, code: &'static str) -> HttpResponse {
    let status = StatusCode::from_u16(words(l, code).status);
    let status = status.expect("the words have valid statuses");
    shown(l, status, &problem(l, code))
}

fn problem(l: Lang, code: &'static str) -> ProblemPage<'static> {
    let f = Frame::bare(l);
    let start = f.base.clone();
    let words = words(l, code);
    ProblemPage {
        f,
        code,
        title: words.title,
        next: words.next,
        details: Vec::new(),
        onward: Some((start, l.say("to-start"))),
        retry: None,
        retry_after_s: None,
        reference: RequestId::next(),
    }
}
