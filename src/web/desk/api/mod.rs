//! The API of the desk, by subject.

pub mod accounts;
pub mod board;
pub mod gate;
pub mod session;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::web::desk::staff::Staff;
use crate::web::problem::Problem;
use crate::web::public::answer;

/// A field of a call that is at fault.
fn bad_field<A>(staff: &Staff<A>, field: &str, reason: impl Into<String>) -> Problem {
    Problem::field(staff.lang, field, reason)
}

/// 200 with this.
fn ok(value: &impl Serialize) -> HttpResponse {
    answer(StatusCode::OK, value)
}
