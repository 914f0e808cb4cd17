//! Keys of the agency's own programs: their list, making one, ending one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::accounts::{bounds_told, words_of};
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown, shown_with};
use crate::domain::staff::Bounds;
use crate::domain::staff::api_key::{ApiKey, ApiKeyId, Scope};
use crate::service::desk::DeskRefused;
use crate::service::desk::keys::AskedKey;
use crate::web::desk::api::keys::state;
use crate::web::desk::staff::{Administrators, Routes};
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<Administrators, _, _>(GET, &at("/keys"), list);
    routes.page::<Administrators, _, _>(POST, &at("/keys"), make);
    routes.page::<Administrators, _, _>(POST, &at("/keys/{id}/end"), end);
}

#[derive(Template)]
#[template(path = "desk/keys.html", config = "src/web/pages/askama.toml")]
struct KeysPage {
    f: Frame,
    trouble: Option<Trouble>,
    keys: Vec<Row>,
    /// Its name in forms, its words, whether it is chosen.
    scopes: Vec<(&'static str, &'static str, bool)>,
    typed: Typed,
}

struct Row {
    id: u32,
    name: String,
    scopes: String,
    bounds: Vec<(&'static str, String)>,
    state: &'static str,
    is_good: bool,
    until: String,
    used: Option<String>,
    made: String,
    made_by: String,
    reason: String,
}

/// What was typed in the form.
#[derive(Default)]
struct Typed {
    name: String,
    campaigns: String,
    last_day: String,
    reason: String,
}

fn scope_words(lang: Lang, scope: Scope) -> &'static str {
    lang.say(match scope {
        Scope::Board => "scope-board",
        Scope::Proposals => "scope-proposals",
        Scope::Accounts => "scope-accounts",
        Scope::Record => "scope-record",
        Scope::Sites => "scope-sites",
    })
}

fn keys_page(
    page: &Page<Administrators>,
    typed: Typed,
    chosen: &[Scope],
    trouble: Option<Trouble>,
) -> HttpResponse {
    let (lang, service) = (page.lang, &page.staff.service);
    let staff = service.staff();
    let row = |(id, key): (&ApiKeyId, &ApiKey)| {
        let scopes = key.scopes.iter().map(|scope| scope_words(lang, *scope));
        let state = state(service, key);
        let made_by = staff.accounts.get(&key.made_by);
        Row {
            id: id.0,
            name: key.name.clone(),
            scopes: scopes.collect::<Vec<_>>().join(", "),
            bounds: bounds_told(lang, &key.bounds),
            is_good: state == "good",
            state: lang.say(match state {
                "good" => "desk-ready",
                "ended" => "desk-ended",
                _ => "key-over",
            }),
            until: super::record::instant(service, key.until),
            used: service
                .desk
                .key_uses
                .last(*id)
                .map(|at| super::record::instant(service, at)),
            made: super::record::instant(service, key.made_at),
            made_by: made_by.map_or_else(String::new, |account| account.name.clone()),
            reason: key.reason.clone(),
        }
    };
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let scope = |scope: Scope| {
        let words = scope_words(lang, scope);
        (scope.name(), words, chosen.contains(&scope))
    };
    let template = KeysPage {
        f: page.frame("/keys", "desk-help-keys"),
        trouble,
        keys: staff.keys.iter().rev().map(row).collect(),
        scopes: Scope::ALL.map(scope).to_vec(),
        typed,
    };
    shown_with(lang, status, &template)
}

async fn list(page: Page<Administrators>, (): ()) -> HttpResponse {
    keys_page(&page, Typed::default(), &[], None)
}

#[derive(Template)]
#[template(path = "desk/key.html", config = "src/web/pages/askama.toml")]
struct MadePage {
    f: Frame,
    name: String,
    secret: String,
}

async fn make(page: Page<Administrators>, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let typed = Typed {
        name: form.field("name").to_ascii_lowercase(),
        campaigns: form.field("campaigns").to_owned(),
        last_day: form.field("last_day").to_owned(),
        reason: form.field("reason").to_owned(),
    };
    let chosen = |scope: &Scope| form.has(&format!("scope-{}", scope.name()));
    let scopes: Vec<Scope> = Scope::ALL.into_iter().filter(chosen).collect();
    let asked = AskedKey {
        name: typed.name.clone(),
        scopes: scopes.clone(),
        bounds: Bounds {
            campaigns: words_of(&typed.campaigns),
            ..Bounds::default()
        },
        last_day: typed.last_day.clone(),
        reason: typed.reason.clone(),
    };
    let staff = &page.staff;
    match staff.service.make_key(&staff.account, asked).await {
        Ok((_, secret)) => {
            let template = MadePage {
                f: page.frame("/keys", "desk-help-keys"),
                name: typed.name,
                secret,
            };
            shown(page.lang, &template)
        }
        Err(refused) => {
            let trouble = page.trouble(refused);
            keys_page(&page, typed, &scopes, Some(trouble))
        }
    }
}

async fn end(page: Page<Administrators>, path: Path) -> HttpResponse {
    let id = path.get("id").and_then(|id| id.parse().ok()).map(ApiKeyId);
    let staff = &page.staff;
    let ended = match id {
        Some(id) => staff.service.end_key(&staff.account, id).await,
        None => Err(DeskRefused::NotFound),
    };
    match ended {
        Ok(()) => onward(&page.to("/keys")),
        Err(refused) => {
            let trouble = page.trouble(refused);
            keys_page(&page, Typed::default(), &[], Some(trouble))
        }
    }
}
