//! Signing in at the agency's own provider: the way there, and the page on which people come back.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, GET, Trouble, at, lang_of, onward, role_words, shown, shown_with};
use crate::identity::provider::CALLBACK;
use crate::service::desk::provider::{BEGUN_FOR, CameBack, NotSignedIn};
use crate::web::call::{cookie_on_the_way, no_cookie, service, token_in_cookie};
use crate::web::desk::api::session::session_cookie;
use crate::web::desk::staff::{Routes, origin};
use crate::web::pages::Form;
use crate::web::words::Lang;

/// What a browser keeps while somebody signs in elsewhere.
const WAY_COOKIE: &str = "__Host-sumun-desk-way";

pub fn routes(routes: &mut Routes<'_>) {
    routes.open_page(GET, &at("/oidc"), begin);
    routes.open_page(GET, CALLBACK, come_back);
}

#[derive(Template)]
#[template(path = "desk/oidc.html", config = "src/web/pages/askama.toml")]
struct NotSignedInPage {
    f: Frame,
    trouble: Trouble,
    /// Whether trying again can help.
    again: bool,
}

#[derive(Template)]
#[template(path = "desk/oidc_in.html", config = "src/web/pages/askama.toml")]
struct SignedInPage {
    f: Frame,
}

async fn begin(request: HttpRequest, (): ()) -> HttpResponse {
    let lang = lang_of(&request);
    let service = service(&request);
    let begun = service.begin_at_provider(origin(&request), lang.tag());
    match begun.await {
        Ok(way) => {
            let mut answer = onward(&way.address);
            let seconds = BEGUN_FOR.as_secs() as u32;
            let cookie = cookie_on_the_way(WAY_COOKIE, &way.browser, seconds);
            answer.headers_mut().append(SET_COOKIE, cookie);
            answer
        }
        Err(why) => not_signed_in(lang, why),
    }
}

/// People come here from a page of the provider, so that a cookie that this host's own pages alone
/// send is set here, and not sent before the next page: that is shown by the browser itself, a
/// moment later.
async fn come_back(request: HttpRequest, (): ()) -> HttpResponse {
    let query = Form::of_address(&request);
    let text = |name: &str| {
        let value = query.raw(name);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let browser = token_in_cookie(request.headers(), WAY_COOKIE).unwrap_or_default();
    let came = CameBack {
        state: text("state").unwrap_or_default(),
        code: text("code"),
        issuer: text("iss"),
        browser: browser.to_owned(),
    };
    let service = service(&request);
    let (began, signed) = service.finish_at_provider(origin(&request), came).await;
    let lang = began.and_then(Lang::of_tag);
    let lang = lang.unwrap_or_else(|| Lang::of(request.headers()));
    let mut answer = match signed {
        Ok(signed) => {
            let f = Frame::of(lang, "", Some(&signed.account), "desk-help-home");
            let next = HeaderValue::try_from(format!("0; url={}", f.base));
            let mut answer = shown(lang, &SignedInPage { f });
            let headers = answer.headers_mut();
            headers.append(SET_COOKIE, session_cookie(&signed.token));
            let next = next.expect("the address of a page is visible ASCII");
            headers.insert(HeaderName::from_static("refresh"), next);
            answer
        }
        Err(why) => not_signed_in(lang, why),
    };
    if began.is_some() {
        let gone = no_cookie(WAY_COOKIE);
        answer.headers_mut().append(SET_COOKIE, gone);
    }
    answer
}

fn not_signed_in(lang: Lang, why: NotSignedIn) -> HttpResponse {
    let said = |[title, next]: [&str; 2], status: StatusCode| {
        let trouble = Trouble {
            title: lang.say(title).to_owned(),
            next: lang.say(next).to_owned(),
        };
        (trouble, status)
    };
    let again = !matches!(
        why,
        NotSignedIn::Off | NotSignedIn::NoRole | NotSignedIn::Ended | NotSignedIn::Waits(_)
    );
    let (trouble, status) = match why {
        NotSignedIn::Off => said(["oidc-off", "oidc-off.next"], StatusCode::NOT_FOUND),
        NotSignedIn::NotBegun => said(
            ["oidc-not-begun", "oidc-not-begun.next"],
            StatusCode::FORBIDDEN,
        ),
        NotSignedIn::Declined => said(
            ["oidc-declined", "oidc-declined.next"],
            StatusCode::FORBIDDEN,
        ),
        NotSignedIn::Away => said(["oidc-away", "oidc-away.next"], StatusCode::BAD_GATEWAY),
        NotSignedIn::Refused => said(["oidc-refused", "oidc-refused.next"], StatusCode::FORBIDDEN),
        NotSignedIn::NoRole => said(["oidc-no-role", "oidc-no-role.next"], StatusCode::FORBIDDEN),
        NotSignedIn::Stronger => said(
            ["oidc-stronger", "oidc-stronger.next"],
            StatusCode::FORBIDDEN,
        ),
        NotSignedIn::Ended => said(["oidc-ended", "oidc-ended.next"], StatusCode::FORBIDDEN),
        NotSignedIn::Waits(role) => {
            let role = role_words(lang, role);
            let trouble = Trouble {
                title: lang.say("oidc-waits").to_owned(),
                next: lang.put("oidc-waits-role", &[("role", role.into())]),
            };
            (trouble, StatusCode::FORBIDDEN)
        }
        NotSignedIn::Desk(refused) => (Trouble::of(lang, refused), StatusCode::SERVICE_UNAVAILABLE),
    };
    let template = NotSignedInPage {
        f: Frame::of(lang, "/sign-in", None, "desk-help-sign-in"),
        trouble,
        again,
    };
    shown_with(lang, status, &template)
}
