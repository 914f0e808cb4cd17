//! Accounts: who may do what, and where.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BoundsView, RoleView, ok};
use crate::clock::tick;
use crate::domain::entry::Role;
use crate::domain::staff::{Account, AccountId, Bounds};
use crate::service::Service;
use crate::service::desk::DeskRefused;
use crate::service::desk::accounts::Wanted;
use crate::web::desk::staff::{Administrators, Answered, Overseers, Routes, Staff};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<Overseers, _, _, _>(list, __path_list);
    routes.api::<Administrators, _, _, _>(add, __path_add);
    routes.api::<Administrators, _, _, _>(change, __path_change);
    routes.api::<Administrators, _, _, _>(reset, __path_reset);
    routes.api::<Administrators, _, _, _>(revoke, __path_revoke);
}

/// An account as administrators and auditors see it.
#[derive(Serialize, ToSchema)]
pub struct AccountView {
    pub id: u32,
    pub name: String,
    #[schema(value_type = RoleView)]
    pub role: Role,
    #[schema(value_type = BoundsView)]
    pub bounds: Bounds,
    pub enabled: bool,
    /// Whether it has set a password and one-time codes of its own; of one of the provider, whether
    /// it was ever let in or ended, and does not wait since it was made.
    pub set_up: bool,
    /// Whether it signs in at the agency's own provider.
    pub provider: bool,
    #[schema(format = DateTime)]
    pub made_at: String,
    #[schema(format = DateTime)]
    pub signed_in_at: Option<String>,
    /// Sessions that run.
    pub sessions: usize,
}

impl AccountView {
    fn of(service: &Service, id: AccountId, account: &Account) -> Self {
        Self {
            id: id.0,
            name: account.name.clone(),
            role: account.role,
            bounds: account.bounds.clone(),
            enabled: account.is_enabled,
            set_up: account.is_own,
            provider: account.is_of_provider(),
            made_at: account.made_at.instant().to_string(),
            signed_in_at: account.signed_in_at.map(|at| at.instant().to_string()),
            sessions: service.desk.sessions.of_account(id, tick()).len(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Accounts {
    pub accounts: Vec<AccountView>,
}

/// Lists accounts, ended ones among them.
#[utoipa::path(
    get,
    path = "/api/desk/v1/accounts",
    tag = "accounts",
    responses(
        (status = 200, body = Accounts, description = "The accounts."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn list(staff: Staff<Overseers>, (): ()) -> Answered {
    let known = staff.service.staff();
    let all = known.accounts.iter();
    let view =
        |(id, account): (&AccountId, &Account)| AccountView::of(&staff.service, *id, account);
    Ok(ok(&Accounts {
        accounts: all.map(view).collect(),
    }))
}

/// What an account is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// 2 to 40 of `a-z`, `0-9`, `.`, `-` and `_`, a letter first.
    #[schema(max_length = 40)]
    pub name: String,
    #[schema(value_type = RoleView)]
    pub role: Role,
    #[serde(default)]
    #[schema(value_type = Option<BoundsView>)]
    pub bounds: Bounds,
    /// Whether it may sign in; true if not said.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl AccountRequest {
    pub fn wanted(self) -> Wanted {
        Wanted {
            name: self.name,
            role: self.role,
            bounds: self.bounds,
            is_enabled: self.enabled,
        }
    }
}

/// An account that was made, or has another password for its first time.
#[derive(Serialize, ToSchema)]
pub struct FirstPassword {
    pub id: u32,
    /// Told once: the account sets its own when it signs in.
    pub password: String,
}

/// Makes an account.
#[utoipa::path(
    post,
    path = "/api/desk/v1/accounts",
    tag = "accounts",
    request_body = AccountRequest,
    responses(
        (status = 200, body = FirstPassword, description = "Made."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`takes_two`, `not_possible`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn add(
    staff: Staff<Administrators>,
    (request, body): (HttpRequest, read::Bytes),
) -> Answered {
    let asked: AccountRequest = read::json(&request, body)?;
    let made = staff
        .service
        .add_account(&staff.account, staff.origin, asked.wanted())
        .await;
    let (id, password) = made.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&FirstPassword { id: id.0, password }))
}

/// Changes an account; all of it is given anew.
#[utoipa::path(
    put,
    path = "/api/desk/v1/accounts/{id}",
    tag = "accounts",
    params(("id" = u32, Path, description = "The account's number.")),
    request_body = AccountRequest,
    responses(
        (status = 200, body = AccountView, description = "Changed."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`takes_two`, `not_possible`, `not_found`, `invalid_request`, \
                           `signed_out`, `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn change(
    staff: Staff<Administrators>,
    (request, id, body): (HttpRequest, web::Path<String>, read::Bytes),
) -> Answered {
    let id = number(&staff, &id)?;
    let asked: AccountRequest = read::json(&request, body)?;
    let changed = staff
        .service
        .change_account(&staff.account, id, asked.wanted())
        .await;
    changed.map_err(|refused| staff.problem(refused))?;
    let known = staff.service.staff();
    let account = known.accounts.get(&id);
    let account = account.ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    Ok(ok(&AccountView::of(&staff.service, id, account)))
}

/// Gives an account another password for its first time, and ends its sessions.
#[utoipa::path(
    post,
    path = "/api/desk/v1/accounts/{id}/reset",
    tag = "accounts",
    params(("id" = u32, Path, description = "The account's number.")),
    responses(
        (status = 200, body = FirstPassword, description = "Done."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`takes_two`, `not_found`, `signed_out`, `set_up_first`, `not_yours`, \
                           `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn reset(staff: Staff<Administrators>, id: web::Path<String>) -> Answered {
    let id = number(&staff, &id)?;
    let reset = staff
        .service
        .reset_account(&staff.account, staff.origin, id)
        .await;
    let password = reset.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&FirstPassword { id: id.0, password }))
}

/// How many sessions were ended.
#[derive(Serialize, ToSchema)]
pub struct Revoked {
    pub sessions: usize,
}

/// Ends all sessions of an account.
#[utoipa::path(
    delete,
    path = "/api/desk/v1/accounts/{id}/sessions",
    tag = "accounts",
    params(("id" = u32, Path, description = "The account's number.")),
    responses(
        (status = 200, body = Revoked, description = "Ended."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `signed_out`, `set_up_first`, `not_yours`, \
                           `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn revoke(staff: Staff<Administrators>, id: web::Path<String>) -> Answered {
    let id = number(&staff, &id)?;
    let ended = staff
        .service
        .revoke_sessions(&staff.account, staff.origin, id, None)
        .await;
    let sessions = ended.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&Revoked { sessions }))
}

fn number(staff: &Staff<Administrators>, id: &str) -> Result<AccountId, Problem> {
    let number = id.parse().map(AccountId);
    number.map_err(|_| staff.problem(DeskRefused::NotFound))
}
