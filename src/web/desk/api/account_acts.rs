//! Acts on accounts that take two: those that wait, asking for one, confirming and dropping one.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::AccountRequest;
use super::{BoundsView, RoleView, bad_field, ok};
use crate::domain::entry::Role;
use crate::domain::staff::account_act::{AccountAct, AskedAct, OPEN_S};
use crate::domain::staff::{AccountId, Bounds, StaffState};
use crate::service::desk::DeskRefused;
use crate::service::desk::account_acts::AskedFor;
use crate::web::desk::staff::{
    ActReaders, Administrators, Allowed, Answered, Confirmers, Routes, Staff,
};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<ActReaders, _, _, _>(list, __path_list);
    routes.api::<Administrators, _, _, _>(ask, __path_ask);
    routes.api::<Confirmers, _, _, _>(confirm, __path_confirm);
    routes.api::<Confirmers, _, _, _>(withdraw, __path_withdraw);
}

/// An act that waits for another account.
#[derive(Serialize, ToSchema)]
pub struct ActView {
    pub number: u32,
    /// `make`, `change` or `reset`.
    pub act: &'static str,
    /// The account that it is about.
    pub account: String,
    /// What it is to be; none with `reset`.
    #[schema(value_type = Option<RoleView>)]
    pub role: Option<Role>,
    #[schema(value_type = Option<BoundsView>)]
    pub bounds: Option<Bounds>,
    pub enabled: Option<bool>,
    /// The account that asked for it; the one that it is about, if the provider's claims did.
    pub by: String,
    /// Whether the claims of the agency's provider ask for it, and no account of the desk.
    pub claimed: bool,
    #[schema(format = DateTime)]
    pub at: String,
    /// Nobody can confirm it from then on.
    #[schema(format = DateTime)]
    pub until: String,
    pub reason: String,
}

impl ActView {
    pub fn of(staff: &StaffState, number: u32, asked: &AskedAct) -> Self {
        let name = |id: AccountId| {
            let account = staff.accounts.get(&id);
            account.map_or_else(String::new, |account| account.name.clone())
        };
        let (act, account, role, bounds, enabled) = match &asked.what {
            AccountAct::Set {
                account,
                name,
                role,
                bounds,
                enabled,
            } => {
                let act = if account.is_some() { "change" } else { "make" };
                let bounds = Some(bounds.clone());
                (act, name.clone(), Some(*role), bounds, Some(*enabled))
            }
            AccountAct::Reset { account } => ("reset", name(*account), None, None, None),
        };
        Self {
            number,
            act,
            account,
            role,
            bounds,
            enabled,
            by: name(asked.by),
            claimed: staff.is_claim(asked),
            at: asked.at.instant().to_string(),
            until: asked.at.plus_s(OPEN_S).instant().to_string(),
            reason: asked.reason.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct AccountActs {
    pub acts: Vec<ActView>,
}

/// Lists the acts that wait, the oldest first.
#[utoipa::path(
    get,
    path = "/api/desk/v1/account-acts",
    tag = "accounts",
    responses(
        (status = 200, body = AccountActs, description = "The acts."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn list(staff: Staff<ActReaders>, (): ()) -> Answered {
    let (known, now) = (staff.service.staff(), staff.service.clock.now());
    let open = known.acts.asked.iter().filter(|(_, one)| one.is_open(now));
    let view = |(number, one): (&u32, &AskedAct)| ActView::of(&known, *number, one);
    Ok(ok(&AccountActs {
        acts: open.map(view).collect(),
    }))
}

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    /// `make`, `change` or `reset`.
    #[schema(pattern = "^(make|change|reset)$")]
    pub act: String,
    /// With `change` and `reset`: the account's number.
    pub id: Option<u32>,
    /// With `make` and `change`: what the account is to be.
    pub account: Option<AccountRequest>,
    /// Why; on record for ever.
    #[schema(max_length = 500)]
    pub reason: String,
}

/// An act that was asked for.
#[derive(Serialize, ToSchema)]
pub struct ActAnswer {
    pub number: u32,
    /// The first half of the password that it gives, told once; the account that confirms it is
    /// told the second.
    pub password_half: Option<String>,
}

/// Asks another account to confirm an act.
#[utoipa::path(
    post,
    path = "/api/desk/v1/account-acts",
    tag = "accounts",
    request_body = ActRequest,
    responses(
        (status = 200, body = ActAnswer, description = "It waits for another account."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn ask(
    staff: Staff<Administrators>,
    (request, body): (HttpRequest, read::Bytes),
) -> Answered {
    let asked: ActRequest = read::json(&request, body)?;
    let id = || {
        let id = asked.id.map(AccountId);
        id.ok_or_else(|| bad_field(&staff, "id", "is missing"))
    };
    let wanted = |account: Option<AccountRequest>| {
        let account = account.ok_or_else(|| bad_field(&staff, "account", "is missing"))?;
        Ok::<_, Problem>(account.wanted())
    };
    let what = match asked.act.as_str() {
        "make" => AskedFor::Set(None, wanted(asked.account)?),
        "change" => AskedFor::Set(Some(id()?), wanted(asked.account)?),
        "reset" => AskedFor::Reset(id()?),
        _ => return Err(bad_field(&staff, "act", "must be make, change or reset")),
    };
    let asked = staff
        .service
        .ask_account_act(&staff.account, what, &asked.reason)
        .await;
    let (number, password_half) = asked.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&ActAnswer {
        number,
        password_half,
    }))
}

/// An act that was confirmed and done.
#[derive(Serialize, ToSchema)]
pub struct ConfirmedAct {
    /// The account's number.
    pub id: u32,
    /// The second half of the password that it gives, told once.
    pub password_half: Option<String>,
}

/// Confirms an act that another account asked for; it is done when this answers.
#[utoipa::path(
    post,
    path = "/api/desk/v1/account-acts/{number}/confirm",
    tag = "accounts",
    params(("number" = u32, Path, description = "The act's number.")),
    responses(
        (status = 200, body = ConfirmedAct, description = "Done."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`same_eyes`, `not_possible`, `not_found`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn confirm(staff: Staff<Confirmers>, number: web::Path<String>) -> Answered {
    let number = numbered(&staff, &number)?;
    let done = staff
        .service
        .confirm_account_act(&staff.account, staff.origin, number)
        .await;
    let done = done.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&ConfirmedAct {
        id: done.account.0,
        password_half: done.half,
    }))
}

/// Drops an act that waits: one's own, or one that is not to be confirmed.
#[utoipa::path(
    delete,
    path = "/api/desk/v1/account-acts/{number}",
    tag = "accounts",
    params(("number" = u32, Path, description = "The act's number.")),
    responses(
        (status = 204, description = "Dropped."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `signed_out`, `set_up_first`, `not_yours`, \
                           `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn withdraw(staff: Staff<Confirmers>, number: web::Path<String>) -> Answered {
    let number = numbered(&staff, &number)?;
    let dropped = staff.service.drop_account_act(&staff.account, number).await;
    dropped.map_err(|refused| staff.problem(refused))?;
    Ok(HttpResponse::NoContent().finish())
}

fn numbered<A: Allowed>(staff: &Staff<A>, number: &str) -> Result<u32, Problem> {
    let number = number.parse();
    number.map_err(|_| staff.problem(DeskRefused::NotFound))
}
