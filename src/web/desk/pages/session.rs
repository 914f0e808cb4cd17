//! Signing in, setting up one's own password and codes, one's own sessions.

use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, GET, POST, Page, Trouble, at, lang_of, onward, shown, shown_with};
use crate::clock::tick;
use crate::identity::staff::credentials::check_password;
use crate::qr::{self, Qr};
use crate::service::desk::DeskRefused;
use crate::service::desk::sign_in::SignIn;
use crate::web::call::{no_cookie, service};
use crate::web::desk::api::session::session_cookie;
use crate::web::desk::staff::{Anyone, DESK_COOKIE, InPerson, Newcomers, Routes, origin};
use crate::web::origin::is_ours;
use crate::web::pages::Form;
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.open_page(GET, &at("/sign-in"), sign_in_page);
    routes.open_page(POST, &at("/sign-in"), sign_in);
    routes.page::<Newcomers, _, _>(GET, &at("/set-up"), set_up_page);
    routes.page::<Newcomers, _, _>(POST, &at("/set-up"), set_up);
    routes.page::<Newcomers, _, _>(POST, &at("/sign-out"), sign_out);
    routes.page::<Anyone, _, _>(GET, &at("/me"), me);
    routes.page::<Anyone, _, _>(POST, &at("/me/end"), end_other);
}

#[derive(Template)]
#[template(path = "desk/sign_in.html", config = "src/web/pages/askama.toml")]
struct SignInPage {
    f: Frame,
    trouble: Option<Trouble>,
    name: String,
    /// Whether the agency's provider signs people in too.
    has_provider: bool,
}

async fn sign_in_page(request: HttpRequest, (): ()) -> HttpResponse {
    sign_in_again(&request, None, String::new())
}

fn sign_in_again(request: &HttpRequest, trouble: Option<Trouble>, name: String) -> HttpResponse {
    let lang = lang_of(request);
    let status = match trouble {
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::OK,
    };
    let has_provider = service(request).desk.provider.is_on();
    let mut f = Frame::of(lang, "/sign-in", None, "desk-help-sign-in");
    if has_provider {
        f.help.push(lang.say("oidc-help").to_owned());
    }
    let template = SignInPage {
        f,
        trouble,
        name,
        has_provider,
    };
    shown_with(lang, status, &template)
}

async fn sign_in(request: HttpRequest, body: read::Bytes) -> HttpResponse {
    let lang = lang_of(&request);
    if !is_ours(request.method(), request.headers()) {
        let refused = Trouble::of(lang, DeskRefused::Session);
        return sign_in_again(&request, Some(refused), String::new());
    }
    let form = Form::of(body);
    let name = form.field("name").to_owned();
    let asked = SignIn {
        name: name.clone(),
        password: form.raw("password").to_owned(),
        code: Some(form.field("code").to_owned()),
        origin: origin(&request),
    };
    match service(&request).sign_in(asked).await {
        Ok(signed) => {
            let mut answer = onward(&format!("/desk/{}", lang.tag()));
            let cookie = session_cookie(&signed.token);
            answer.headers_mut().append(SET_COOKIE, cookie);
            answer
        }
        Err(refused) => sign_in_again(&request, Some(Trouble::of(lang, refused)), name),
    }
}

#[derive(Template)]
#[template(path = "desk/set_up.html", config = "src/web/pages/askama.toml")]
struct SetUpPage {
    f: Frame,
    trouble: Option<Trouble>,
    secret: String,
    qr: Option<Qr>,
}

#[derive(Template)]
#[template(path = "desk/codes.html", config = "src/web/pages/askama.toml")]
struct CodesPage {
    f: Frame,
    codes: Vec<String>,
}

async fn set_up_page(page: Page<Newcomers>, (): ()) -> HttpResponse {
    set_up_again(&page, None)
}

fn set_up_again(page: &Page<Newcomers>, trouble: Option<Trouble>) -> HttpResponse {
    let staff = &page.staff;
    let offered =
        staff
            .service
            .offer_codes(&page.person.token, &page.person.session, &staff.account);
    let (secret, qr) = match offered {
        Ok(offered) => (offered.secret, qr::svg(&offered.address)),
        Err(_) => return onward(&page.to("")),
    };
    let status = match trouble {
        Some(_) => StatusCode::FORBIDDEN,
        None => StatusCode::OK,
    };
    // In groups of four, as people type it.
    let letters: Vec<char> = secret.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect());
    let template = SetUpPage {
        f: page.frame("/set-up", "desk-help-set-up"),
        trouble,
        secret: groups.collect::<Vec<String>>().join(" "),
        qr,
    };
    shown_with(page.lang, status, &template)
}

async fn set_up(page: Page<Newcomers>, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let (password, again) = (form.raw("password"), form.raw("again"));
    let staff = &page.staff;
    if password != again && check_password(password, &staff.account.name).is_ok() {
        let trouble = Trouble {
            title: page.lang.say("desk-not-the-same").to_owned(),
            next: page.lang.say("desk-not-the-same.next").to_owned(),
        };
        return set_up_again(&page, Some(trouble));
    }
    let code = form.field("code");
    let InPerson { token, session, .. } = &page.person;
    let account = &staff.account;
    let done = staff
        .service
        .set_up(token, session, account, password, code);
    match done.await {
        Ok(codes) => {
            let f = page.frame("/set-up", "desk-help-set-up");
            shown(page.lang, &CodesPage { f, codes })
        }
        Err(refused) => set_up_again(&page, Some(page.trouble(refused))),
    }
}

async fn sign_out(page: Page<Newcomers>, (): ()) -> HttpResponse {
    // The session is over in any case; only its entry can fail.
    if let Err(refused) = page.staff.service.sign_out(&page.person.token).await {
        tracing::warn!(
            ?refused,
            "the end of a session at the desk is not on record"
        );
    }
    let mut answer = onward(&page.to("/sign-in"));
    let gone = no_cookie(DESK_COOKIE);
    answer.headers_mut().append(SET_COOKIE, gone);
    answer
}

#[derive(Template)]
#[template(path = "desk/me.html", config = "src/web/pages/askama.toml")]
struct MePage {
    f: Frame,
    bounds: Vec<(&'static str, String)>,
    sessions: Vec<SessionRow>,
}

struct SessionRow {
    id: u64,
    origin: String,
    began: String,
    is_this: bool,
}

async fn me(page: Page<Anyone>, (): ()) -> HttpResponse {
    let staff = &page.staff;
    let own = staff
        .service
        .desk
        .sessions
        .of_account(page.person.id, tick());
    let row = |session: &crate::identity::staff::sessions::Session| SessionRow {
        id: session.id,
        origin: session.from.to_string(),
        began: super::record::instant(&staff.service, session.began_at),
        is_this: session.id == page.person.session.id,
    };
    let template = MePage {
        f: page.frame("/me", "desk-help-me"),
        bounds: super::accounts::bounds_told(page.lang, &staff.account.bounds),
        sessions: own.iter().map(row).collect(),
    };
    shown(page.lang, &template)
}

/// Ends one of one's own sessions.
async fn end_other(page: Page<Anyone>, body: read::Bytes) -> HttpResponse {
    let staff = &page.staff;
    if let Some(id) = Form::of(body).number("id") {
        let (by, origin) = (&staff.account, staff.origin);
        let ended = staff
            .service
            .revoke_sessions(by, origin, page.person.id, Some(id))
            .await;
        if let Err(refused) = ended {
            tracing::warn!(
                ?refused,
                "the end of a session at the desk is not on record"
            );
        }
    }
    onward(&page.to("/me"))
}
