//! The API of the desk, by subject.

pub mod accounts;
pub mod session;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use crate::web::public::answer;

/// 200 with this.
fn ok(value: &impl Serialize) -> HttpResponse {
    answer(StatusCode::OK, value)
}
