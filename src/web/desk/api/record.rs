//! Who did what on a day.

use std::sync::Arc;

use actix_web::{HttpRequest, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{bad_field, ok};
use crate::service::desk::DeskRefused;
use crate::service::desk::record::{Act, DayFault, acts_of_day};
use crate::web::desk::staff::{Answered, RecordReaders, Routes, Staff};
use crate::web::problem::ProblemView;
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<RecordReaders, _, _, _>(day, __path_day);
}

/// What somebody behind the desk or at the command line did.
#[derive(Serialize, ToSchema)]
pub struct ActView {
    /// The number of its entry in the journal.
    pub seq: u64,
    #[schema(format = DateTime)]
    pub at: String,
    /// The account; of a key `key:` and its name.
    pub who: String,
    /// The kind of the entry, as exports name it.
    pub what: String,
    /// The rest of the entry as JSON; without what is sealed.
    pub more: String,
}

#[derive(Serialize, ToSchema)]
pub struct Acts {
    pub acts: Vec<ActView>,
    /// Whether there are more than are shown: `sumun audit export` has all.
    pub is_cut: bool,
}

/// Lists what was done on a day, at most 1,000 acts of it.
#[utoipa::path(
    get,
    path = "/api/desk/v1/record",
    tag = "record",
    params(
        ("date" = String, Query, description = "The day: `2021-07-19`."),
        ("account" = Option<String>, Query, description = "What this account did, alone.")
    ),
    responses(
        (status = 200, body = Acts, description = "The acts."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`invalid_request`, `signed_out`, `set_up_first`, `not_yours`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn day(staff: Staff<RecordReaders>, request: HttpRequest) -> Answered {
    let mut query = read::query(&request, &["date", "account"])?;
    let date = query.remove("date").unwrap_or_default();
    let account = query.remove("account").unwrap_or_default();
    let service = Arc::clone(&staff.service);
    // A day of a whole country takes a second to read.
    let found = web::block(move || acts_of_day(&service, &date, &account)).await;
    let (acts, is_cut) = match found {
        Ok(Ok(found)) => found,
        Ok(Err(fault @ DayFault::Date)) => {
            return Err(bad_field(&staff, "date", fault.to_string()));
        }
        Ok(Err(DayFault::Store(_))) | Err(_) => {
            return Err(staff.problem(DeskRefused::OutcomeUnknown));
        }
    };
    let view = |act: Act| {
        let (what, more) = act.exported();
        ActView {
            seq: act.seq.0,
            at: act.at.instant().to_string(),
            who: act.who,
            what,
            more,
        }
    };
    Ok(ok(&Acts {
        acts: acts.into_iter().map(view).collect(),
        is_cut,
    }))
}
