//! Keys of the agency's own programs: their list, making one, ending one.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BoundsView, bad_field, ok};
use crate::domain::staff::api_key::{ApiKey, ApiKeyId, Scope};
use crate::domain::staff::{Bounds, StaffState};
use crate::service::Service;
use crate::service::desk::DeskRefused;
use crate::service::desk::keys::AskedKey;
use crate::web::desk::staff::{Administrators, Answered, Routes, Staff};
use crate::web::problem::ProblemView;
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<Administrators, _, _, _>(list, __path_list);
    routes.api::<Administrators, _, _, _>(make, __path_make);
    routes.api::<Administrators, _, _, _>(end, __path_end);
}

/// What a key may read.
#[derive(ToSchema)]
#[schema(as = Scope, rename_all = "snake_case")]
pub enum ScopeView {
    Board,
    Proposals,
    Accounts,
    Record,
    Sites,
}

/// A key as administrators see it. Its secret is nowhere.
#[derive(Serialize, ToSchema)]
pub struct KeyView {
    pub id: u32,
    pub name: String,
    #[schema(value_type = Vec<ScopeView>)]
    pub scopes: Vec<Scope>,
    #[schema(value_type = BoundsView)]
    pub bounds: Bounds,
    /// `good`, `ended` or `over`.
    pub state: &'static str,
    /// The account that made it.
    pub made_by: String,
    #[schema(format = DateTime)]
    pub made_at: String,
    /// It is good before this.
    #[schema(format = DateTime)]
    pub until: String,
    /// The last use since the server started.
    #[schema(format = DateTime)]
    pub used_at: Option<String>,
    pub reason: String,
}

/// Where a key stands.
pub fn state(service: &Service, key: &ApiKey) -> &'static str {
    if key.ended_at.is_some() {
        "ended"
    } else if key.is_good(service.clock.now()) {
        "good"
    } else {
        "over"
    }
}

impl KeyView {
    fn of(service: &Service, staff: &StaffState, id: ApiKeyId, key: &ApiKey) -> Self {
        let made_by = staff.accounts.get(&key.made_by);
        let used_at = service.desk.key_uses.last(id);
        Self {
            id: id.0,
            name: key.name.clone(),
            scopes: key.scopes.clone(),
            bounds: key.bounds.clone(),
            state: state(service, key),
            made_by: made_by.map_or_else(String::new, |account| account.name.clone()),
            made_at: key.made_at.instant().to_string(),
            until: key.until.instant().to_string(),
            used_at: used_at.map(|at| at.instant().to_string()),
            reason: key.reason.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Keys {
    pub keys: Vec<KeyView>,
}

/// Lists keys, the newest first: those in use, and the last that are over.
#[utoipa::path(
    get,
    path = "/api/desk/v1/keys",
    tag = "keys",
    responses(
        (status = 200, body = Keys, description = "The keys."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn list(staff: Staff<Administrators>, (): ()) -> Answered {
    let known = staff.service.staff();
    let all = known.keys.iter().rev();
    let view = |(id, key): (&ApiKeyId, &ApiKey)| KeyView::of(&staff.service, &known, *id, key);
    Ok(ok(&Keys {
        keys: all.map(view).collect(),
    }))
}

/// What a key is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// 2 to 40 of `a-z`, `0-9`, `.`, `-` and `_`, a letter first.
    #[schema(max_length = 40)]
    pub name: String,
    /// `board` and `proposals` can be bound to campaigns; `accounts` and `record` can't be bound.
    #[schema(min_items = 1)]
    pub scopes: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Option<BoundsView>)]
    pub bounds: Bounds,
    /// The last day on which it is good, in the zone of the first campaign: within 400 days.
    #[schema(format = Date)]
    pub last_day: String,
    /// What it is for; on record for ever.
    #[schema(max_length = 500)]
    pub reason: String,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub struct MadeKey {
    pub id: u32,
    /// Told once: send it as the Bearer token.
    pub secret: String,
}

/// Makes a key.
#[utoipa::path(
    post,
    path = "/api/desk/v1/keys",
    tag = "keys",
    request_body = KeyRequest,
    responses(
        (status = 200, body = MadeKey, description = "Made."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `invalid_request`, `signed_out`, `set_up_first`, \
                           `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn make(
    staff: Staff<Administrators>,
    (request, body): (HttpRequest, read::Bytes),
) -> Answered {
    let asked: KeyRequest = read::json(&request, body)?;
    let scopes = asked.scopes.iter().map(|name| Scope::named(name));
    let scopes: Option<Vec<Scope>> = scopes.collect();
    let scopes = scopes.ok_or_else(|| {
        let all = Scope::ALL.map(Scope::name).join(", ");
        bad_field(&staff, "scopes", format!("has some other than {all}"))
    })?;
    let asked = AskedKey {
        name: asked.name,
        scopes,
        bounds: asked.bounds,
        last_day: asked.last_day,
        reason: asked.reason,
    };
    let made = staff.service.make_key(&staff.account, asked).await;
    let (id, secret) = made.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&MadeKey { id: id.0, secret }))
}

/// Ends a key at once.
#[utoipa::path(
    delete,
    path = "/api/desk/v1/keys/{id}",
    tag = "keys",
    params(("id" = u32, Path, description = "The key's number.")),
    responses(
        (status = 200, body = KeyView, description = "Ended."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `not_possible`, `signed_out`, `set_up_first`, \
                           `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn end(staff: Staff<Administrators>, id: web::Path<String>) -> Answered {
    let missing = || staff.problem(DeskRefused::NotFound);
    let id = ApiKeyId(id.parse().map_err(|_| missing())?);
    let ended = staff.service.end_key(&staff.account, id).await;
    ended.map_err(|refused| staff.problem(refused))?;
    let known = staff.service.staff();
    let key = known.keys.get(&id).ok_or_else(missing)?;
    Ok(ok(&KeyView::of(&staff.service, &known, id, key)))
}
