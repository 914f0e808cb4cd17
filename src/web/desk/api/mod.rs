//! The API of the desk, by subject.

pub mod account_acts;
pub mod accounts;
pub mod board;
pub mod gate;
pub mod keys;
pub mod proposals;
pub mod record;
pub mod rosters;
pub mod seats;
pub mod session;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::desk::staff::Staff;
use crate::web::problem::Problem;
use crate::web::public::answer;

/// A field of a call that is at fault.
fn bad_field<A>(staff: &Staff<A>, field: &str, reason: impl Into<String>) -> Problem {
    Problem::field(staff.lang, field, reason)
}

/// What an account may do.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
pub enum RoleView {
    Administrator,
    Operator,
    Approver,
    Site,
    Agent,
    Auditor,
    Reporter,
}

/// Where it may do it; an empty list bounds nothing.
#[derive(ToSchema)]
#[schema(as = Bounds)]
#[expect(dead_code, reason = "it describes `domain::staff::Bounds`")]
pub struct BoundsView {
    /// Campaigns by id.
    campaigns: Vec<String>,
    /// Provinces by code: `11`.
    provinces: Vec<String>,
    /// Sites by id.
    sites: Vec<String>,
}

/// 200 with this.
fn ok(value: &impl Serialize) -> HttpResponse {
    answer(StatusCode::OK, value)
}
