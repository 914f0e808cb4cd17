//! Roster files that are brought to be proposed.

use actix_web::{HttpRequest, web};
use data_encoding::HEXLOWER;
use serde::Serialize;
use utoipa::ToSchema;

use super::ok;
use crate::web::desk::staff::{Answered, FileProposers, Routes, Staff};
use crate::web::desk::{upload, wanted};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<FileProposers, _, _, _>(bring, __path_bring);
}

/// A roster file that was taken in.
#[derive(Serialize, ToSchema)]
pub struct BroughtAnswer {
    /// Names it for a proposal: the SHA-256 of the sealed bytes, in hex.
    pub file: String,
    /// Sealed bytes.
    pub bytes: u64,
}

/// Takes in a roster file, as CSV or .xlsx, to be proposed within an hour.
///
/// It is sealed while it arrives. Nothing is compared before it is previewed or proposed, with
/// `kind` `roster` and this `file`.
#[utoipa::path(
    post,
    path = "/api/desk/v1/rosters",
    tag = "proposals",
    params(
        ("encoding" = Option<String>, Query,
            description = "How the file is written: `auto`, `utf-8`, `cp949` or `utf-16`."),
        ("country" = Option<String>, Query,
            description = "The country (ISO 3166) of telephone numbers that do not say theirs.")
    ),
    request_body(content = String, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = BroughtAnswer, description = "Taken in."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `invalid_request`, `signed_out`, `set_up_first`, \
                           `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn bring(
    staff: Staff<FileProposers>,
    (request, body): (HttpRequest, web::Payload),
) -> Answered {
    let asked = read::query(&request, &["encoding", "country"])?;
    let field = |name: &str| asked.get(name).map_or("", String::as_str);
    let how = wanted::how_to_read(field("encoding"), field("country"));
    let how = how.map_err(|(name, why)| Problem::field(staff.lang, name, why))?;
    let arriving = upload::arriving(body);
    let taken = staff.service.take_roster(&staff.account, how, arriving);
    let taken = taken.await.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&BroughtAnswer {
        file: HEXLOWER.encode(&taken.sha256),
        bytes: taken.bytes,
    }))
}
