//! Signing in and out, and setting up one's own password and one-time codes.

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BoundsView, RoleView, ok};
use crate::clock::tick;
use crate::domain::entry::Role;
use crate::domain::staff::{Account, Bounds};
use crate::identity::staff::sessions::{Session, Stage};
use crate::service::desk::sign_in::SignIn;
use crate::web::call::{cookie_for, no_cookie, service};
use crate::web::desk::problem;
use crate::web::desk::staff::{
    Answered, Anyone, DESK_COOKIE, InPerson, Newcomers, Routes, Staff, origin,
};
use crate::web::origin::is_ours_or_bearer;
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.open(sign_in, __path_sign_in);
    routes.api::<Newcomers, _, _, _>(me, __path_me);
    routes.api::<Newcomers, _, _, _>(sign_out, __path_sign_out);
    routes.api::<Newcomers, _, _, _>(offer, __path_offer);
    routes.api::<Newcomers, _, _, _>(set_up, __path_set_up);
    routes.api::<Anyone, _, _, _>(my_sessions, __path_my_sessions);
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInRequest {
    #[schema(max_length = 512)]
    pub name: String,
    #[schema(max_length = 512)]
    pub password: String,
    /// A one-time code, or one of those for a lost phone.
    #[schema(max_length = 512)]
    pub otp: Option<String>,
}

/// A session that began.
#[derive(Serialize, ToSchema)]
pub struct SignInAnswer {
    pub session: SessionView,
    /// For `Authorization: Bearer`; the same is in the session cookie.
    pub token: String,
}

/// A session as whoever has it sees it.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    pub account: String,
    #[schema(value_type = RoleView)]
    pub role: Role,
    /// Sites that bound the account; none bound it if there are none.
    pub sites: Vec<String>,
    #[schema(value_type = BoundsView)]
    pub bounds: Bounds,
    /// When it ends if it is not used; RFC 3339.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Whether the account has to set its own password and one-time codes first.
    pub set_up_first: bool,
}

impl SessionView {
    pub fn of(session: &Session, account: &Account) -> Self {
        let ends = crate::clock::wall().plus_s(session.ends_in_s(tick()) as i64);
        Self {
            account: account.name.clone(),
            role: account.role,
            sites: account.bounds.sites.clone(),
            bounds: account.bounds.clone(),
            expires_at: ends.instant().to_string(),
            set_up_first: session.stage == Stage::SetUp,
        }
    }
}

/// Signs in.
#[utoipa::path(
    post,
    path = "/api/desk/v1/sign-in",
    tag = "session",
    request_body = SignInRequest,
    responses(
        (status = 200, body = SignInAnswer, description = "Signed in; the cookie is set too."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`credentials_wrong`, `code_wanted`, `too_many_attempts`, \
                           `invalid_request`, `foreign_request`."),
        (status = 503, body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`.")
    )
)]
async fn sign_in(request: HttpRequest, body: read::Bytes) -> Answered {
    let lang = Lang::of(request.headers());
    if !is_ours_or_bearer(request.method(), request.headers()) {
        return Err(Problem::new(lang, "foreign_request"));
    }
    let asked: SignInRequest = read::json(&request, body)?;
    let service = service(&request);
    let asked = SignIn {
        name: asked.name,
        password: asked.password,
        code: asked.otp,
        origin: origin(&request),
    };
    let signed = service.sign_in(asked).await;
    let signed = signed.map_err(|refused| problem::of(refused, lang))?;
    let view = SignInAnswer {
        session: SessionView::of(&signed.session, &signed.account),
        token: signed.token.clone(),
    };
    let mut answer = ok(&view);
    let cookie = session_cookie(&signed.token);
    answer.headers_mut().append(SET_COOKIE, cookie);
    Ok(answer)
}

/// The cookie of a session, for as long as one can be.
pub fn session_cookie(token: &str) -> actix_web::http::header::HeaderValue {
    let seconds = crate::identity::staff::sessions::WHOLE.as_secs();
    cookie_for(DESK_COOKIE, token, seconds as u32)
}

/// Who is signed in.
#[utoipa::path(
    get,
    path = "/api/desk/v1/session",
    tag = "session",
    responses(
        (status = 200, body = SessionView, description = "The session."),
        (status = 401, body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn me(staff: Staff<Newcomers>, (): ()) -> Answered {
    let person = staff.person()?;
    Ok(ok(&SessionView::of(&person.session, &staff.account)))
}

/// Signs out.
#[utoipa::path(
    delete,
    path = "/api/desk/v1/session",
    tag = "session",
    responses(
        (status = 204, description = "Signed out."),
        (status = 401, body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn sign_out(staff: Staff<Newcomers>, (): ()) -> Answered {
    let done = staff.service.sign_out(&staff.person()?.token).await;
    done.map_err(|refused| staff.problem(refused))?;
    Ok(HttpResponse::NoContent()
        .insert_header((SET_COOKIE, no_cookie(DESK_COOKIE)))
        .finish())
}

/// What an app needs to make one-time codes.
#[derive(Serialize, ToSchema)]
pub struct OfferView {
    /// Base 32, for typing.
    pub secret: String,
    /// `otpauth://`, for a QR code.
    pub address: String,
}

/// Offers a secret of one-time codes; the same until it is taken.
#[utoipa::path(
    get,
    path = "/api/desk/v1/session/set-up",
    tag = "session",
    responses(
        (status = 200, body = OfferView, description = "The secret."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible` once the account is set up, `signed_out`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn offer(staff: Staff<Newcomers>, (): ()) -> Answered {
    let person = staff.person()?;
    let offered = staff
        .service
        .offer_codes(&person.token, &person.session, &staff.account);
    let offered = offered.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&OfferView {
        secret: offered.secret,
        address: offered.address,
    }))
}

/// One's own password, and a code of the secret that was offered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUpRequest {
    #[schema(min_length = 12, max_length = 256)]
    pub password: String,
    #[schema(max_length = 16)]
    pub otp: String,
}

/// The codes for a lost phone, told once.
#[derive(Serialize, ToSchema)]
pub struct SetUpAnswer {
    pub recovery_codes: Vec<String>,
    pub session: SessionView,
}

/// Sets one's own password and one-time codes.
#[utoipa::path(
    post,
    path = "/api/desk/v1/session/set-up",
    tag = "session",
    request_body = SetUpRequest,
    responses(
        (status = 200, body = SetUpAnswer, description = "Set; the codes are shown once."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`password_refused`, `code_wrong`, `signed_out`, \
                           `invalid_request`, `foreign_request`."),
        (status = 503, body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn set_up(staff: Staff<Newcomers>, (request, body): (HttpRequest, read::Bytes)) -> Answered {
    let asked: SetUpRequest = read::json(&request, body)?;
    let InPerson { token, session, .. } = staff.person()?;
    let Staff {
        service, account, ..
    } = &staff;
    let codes = service
        .set_up(token, session, account, &asked.password, &asked.otp)
        .await;
    let codes = codes.map_err(|refused| staff.problem(refused))?;
    let now = service.desk_session(token, staff.origin.certificate);
    let (session, account) = now.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&SetUpAnswer {
        recovery_codes: codes,
        session: SessionView::of(&session, &account),
    }))
}

/// A session of one's own.
#[derive(Serialize, ToSchema)]
pub struct OwnSessionView {
    pub id: u64,
    /// The address that it came from.
    pub origin: String,
    #[schema(format = DateTime)]
    pub began_at: String,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// One's own sessions.
#[derive(Serialize, ToSchema)]
pub struct OwnSessions {
    pub sessions: Vec<OwnSessionView>,
}

/// Lists one's own sessions, the newest first.
#[utoipa::path(
    get,
    path = "/api/desk/v1/sessions",
    tag = "session",
    responses(
        (status = 200, body = OwnSessions, description = "The sessions."),
        (status = 401, body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn my_sessions(staff: Staff<Anyone>, (): ()) -> Answered {
    let person = staff.person()?;
    let all = staff.service.desk.sessions.of_account(person.id, tick());
    let view = |session: &Session| OwnSessionView {
        id: session.id,
        origin: session.from.to_string(),
        began_at: session.began_at.instant().to_string(),
        is_this: session.id == person.session.id,
    };
    Ok(ok(&OwnSessions {
        sessions: all.iter().map(view).collect(),
    }))
}
