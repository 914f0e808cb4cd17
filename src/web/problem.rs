//! Problem answers: RFC 9457 with a stable code, in the language of the request.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::door::answer::Code;
use super::request_id::{REQUEST_ID, RequestId};
use super::views::{PlaceView, SlotView, alternatives, opening_told, place};
use super::words::{Lang, words};
use crate::availability::Near;
use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::time::Stamp;
use crate::gate::board::OpeningSpan;
use crate::service::{Here, Refused};

/// A refusal on its way out.
#[derive(Debug)]
pub struct Problem {
    code: &'static str,
    lang: Lang,
    status: Option<u16>,
    retry_after_s: Option<u32>,
    /// What to do, where a code has several meanings.
    detail: Option<&'static str>,
    /// Members beside the common ones, as JSON with a comma before each.
    more: String,
}

/// A field of a request that is at fault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FieldFault {
    pub field: String,
    pub reason: String,
}

/// The members of problems, for the description.
#[derive(ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView {
    /// Stable, for programs: `slot_full`, `not_open_yet`, …
    pub code: String,
    pub status: u16,
    /// What happened, in the language of Accept-Language.
    pub title: String,
    /// What to do.
    pub detail: String,
    /// Where waiting helps.
    #[schema(required = false)]
    pub retry_after_s: u32,
    /// The reference of the request, as in `X-Request-Id`: what an operator asks a caller for.
    pub request_id: String,
    /// With `invalid_request`.
    #[schema(required = false)]
    pub errors: Vec<FieldFault>,
    /// The rule that says no: with `not_eligible`, `not_open_yet` and `opening_closed`.
    #[schema(required = false)]
    pub rule: String,
    /// When the rule was asked.
    #[schema(required = false, format = DateTime)]
    pub evaluated_at: String,
    /// With `not_open_yet`, and with `opening_closed` if another opening comes.
    #[schema(required = false, format = DateTime)]
    pub opens_at: String,
    /// With `opening_closed`.
    #[schema(required = false, format = DateTime)]
    pub closed_at: String,
    /// With `not_admitted`.
    #[schema(required = false)]
    pub place: PlaceView<'static>,
    /// With `place_ended`: what is open for the person now, or comes next; null if nothing is
    /// planned.
    #[schema(required = false)]
    pub opening: Option<OpeningSpan>,
    /// What the operators say, with `paused`.
    #[schema(required = false)]
    pub message: String,
    /// Slots near in site or time, with `slot_full`.
    #[schema(required = false, max_items = 5)]
    pub alternatives: Vec<SlotView>,
    /// With `slot_full`: seats of it are only held, and come free unless they are booked.
    #[schema(required = false)]
    pub held: bool,
    /// The number of the booking, with `already_booked`.
    #[schema(required = false)]
    pub number: String,
    /// With `change_deadline_passed`.
    #[schema(required = false, format = DateTime)]
    pub deadline: String,
    /// With `not_possible`: the reason and what to do. With `password_refused`: `short`, `long` or
    /// `common`.
    #[schema(required = false)]
    pub why: String,
    /// With `faults_found`: each fault of what was sent.
    #[schema(required = false)]
    pub faults: Vec<String>,
    /// With `type_the_number`: how many people lose a right or a seat.
    #[schema(required = false)]
    pub people: u64,
    /// With `effect_changed`: how many people it took something from when it was shown.
    #[schema(required = false)]
    pub people_then: u64,
    /// With `effect_changed`: how many people it takes something from now.
    #[schema(required = false)]
    pub people_now: u64,
    /// With `password_refused`: the least number of characters.
    #[schema(required = false)]
    pub characters_min: u32,
}

impl Problem {
    pub fn new(lang: Lang, code: &'static str) -> Self {
        Self {
            code,
            lang,
            status: None,
            retry_after_s: None,
            detail: None,
            more: String::new(),
        }
    }

    pub fn with(self, name: &str, value: impl Serialize) -> Self {
        self.with_text(name, &json_text(&value))
    }

    /// A member whose value is JSON already.
    fn with_text(mut self, name: &str, value: &str) -> Self {
        self.more.reserve(name.len() + value.len() + 4);
        for part in [",\"", name, "\":", value] {
            self.more.push_str(part);
        }
        self
    }

    /// A request that can't be acted on: 400 malformed, 422 with values that can't be.
    pub fn invalid(lang: Lang, status: u16, errors: &[FieldFault]) -> Self {
        let mut problem = Self::new(lang, "invalid_request").with("errors", errors);
        problem.status = Some(status);
        problem
    }

    /// One field at fault.
    pub fn field(lang: Lang, field: &str, reason: impl Into<String>) -> Self {
        Self::invalid(
            lang,
            422,
            &[FieldFault {
                field: field.to_owned(),
                reason: reason.into(),
            }],
        )
    }

    /// Put off until later.
    pub fn overloaded(lang: Lang, retry_after_s: u32) -> Self {
        Self::new(lang, "overloaded").after(retry_after_s)
    }

    /// What a refused call means to the caller.
    pub fn of(refused: Refused, here: &Here, lang: Lang) -> Self {
        let instant = |stamp: Stamp| here.offer.catalog.campaign.zone.rfc3339(stamp);
        let problem = |code| Self::new(lang, code);
        match refused {
            Refused::IdentityNotFound => problem("identity_not_found"),
            Refused::WrongAgain { retry_after_s } => Self {
                detail: Some(lang.say("wrong-again.detail")),
                ..problem("too_many_attempts").after(retry_after_s)
            },
            Refused::TooManyChanges { retry_after_s } => {
                problem("too_many_attempts").after(retry_after_s)
            }
            Refused::Rules(decision) => Self::by_rules(&decision, here, lang),
            Refused::NotOnRoster => {
                let at = instant(here.now);
                problem("not_eligible")
                    .with("rule", "not on the roster")
                    .with("evaluated_at", at)
            }
            Refused::PlaceInvalid => problem("place_invalid"),
            Refused::PlaceEnded(at) => {
                let opening = at.and_then(|at| opening_told(&here.offer, at));
                problem("place_ended").with("opening", opening)
            }
            Refused::SessionInvalid => problem("session_invalid"),
            Refused::SessionExpired => problem("session_expired"),
            Refused::NotAdmitted(at) => problem("not_admitted")
                .with("place", place(&here.offer, &at))
                .after(at.next_poll_s),
            Refused::Paused {
                message,
                retry_after_s,
            } => problem("paused")
                .with("message", lang.notice(&message).0)
                .after(retry_after_s),
            Refused::SlotFull {
                alternatives: near, ..
            } => problem("slot_full")
                .with_text("alternatives", near_text(here, &near))
                .with("held", near.is_held),
            Refused::SlotPast => problem("slot_past"),
            Refused::AlreadyBooked(number) => {
                problem("already_booked").with("number", number.to_string())
            }
            Refused::HoldExpired => problem("hold_expired"),
            Refused::HoldExtended => problem("hold_extended"),
            Refused::NoBooking => problem("no_booking"),
            Refused::NotFound => problem("not_found"),
            Refused::ChangeDeadlinePassed(deadline) => {
                problem("change_deadline_passed").with("deadline", instant(deadline))
            }
            Refused::IdempotencyConflict => problem("idempotency_conflict"),
            Refused::Overloaded { retry_after_s } => problem("overloaded").after(retry_after_s),
            Refused::OutcomeUnknown => problem("outcome_unknown"),
        }
    }

    fn by_rules(decision: &Decision, here: &Here, lang: Lang) -> Self {
        let campaign = &here.offer.catalog.campaign;
        let instant = |stamp: Stamp| campaign.zone.rfc3339(stamp);
        let code = match decision.answer {
            Answer::NotOpenYet => "not_open_yet",
            Answer::OpeningClosed => "opening_closed",
            Answer::Eligible | Answer::NotEligible => "not_eligible",
        };
        let mut problem = Self::new(lang, code)
            .with("rule", decision.rule.explain(campaign))
            .with("evaluated_at", instant(decision.evaluated_at));
        if let Some(opens_at) = decision.opens_at {
            problem = problem.with("opens_at", instant(opens_at));
        }
        if let Some(closed_at) = decision.closed_at {
            problem = problem.with("closed_at", instant(closed_at));
        }
        problem
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    pub fn after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub fn response(&self) -> HttpResponse {
        self.answer(None)
    }

    pub fn response_with(&self, header: &'static str, value: &str) -> HttpResponse {
        self.answer(Some((header, value)))
    }

    fn answer(&self, header: Option<(&'static str, &str)>) -> HttpResponse {
        let words = words(self.lang, self.code);
        let status = self.status.unwrap_or(words.status);
        let request_id = RequestId::next();
        let common = Common {
            code: self.code,
            status,
            title: words.title,
            detail: self.detail.unwrap_or(words.detail),
            retry_after_s: self.retry_after_s,
            request_id: request_id.as_str(),
        };
        let mut body = json_text(&common);
        body.pop();
        body.push_str(&self.more);
        body.push('}');
        let status = StatusCode::from_u16(status).expect("the words have valid statuses");
        let mut response = HttpResponse::build(status);
        response
            .content_type("application/problem+json")
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("Content-Language", self.lang.tag()))
            .insert_header((REQUEST_ID, request_id.as_str()));
        if let Some(seconds) = self.retry_after_s {
            response.insert_header(("Retry-After", seconds.to_string()));
        }
        if let Some((name, value)) = header {
            response.insert_header((name, value));
        }
        let mut response = response.body(body);
        response.extensions_mut().insert(Code(self.code));
        response
    }
}

/// The members that every problem has.
#[derive(Serialize)]
struct Common<'a> {
    code: &'static str,
    status: u16,
    title: &'static str,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u32>,
    request_id: &'a str,
}

fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("members have a JSON form")
}

/// The alternatives' JSON: made once for all who are refused at the same slot.
fn near_text<'a>(here: &Here, near: &'a Near) -> &'a str {
    near.text
        .get_or_init(|| json_text(&alternatives(here, &near.slots)))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        let status = self.status.unwrap_or(words(self.lang, self.code).status);
        StatusCode::from_u16(status).expect("the words have valid statuses")
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}
