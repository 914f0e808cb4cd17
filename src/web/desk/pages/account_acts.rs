//! Acts on accounts that wait for another account: their list, confirming and dropping one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::accounts::bounds_told;
use super::{Frame, GET, POST, Page, Path, at, onward, role_words, shown};
use crate::domain::staff::account_act::{AskedAct, OPEN_S};
use crate::service::desk::DeskRefused;
use crate::web::desk::api::account_acts::ActView;
use crate::web::desk::staff::{ActReaders, Allowed as _, Confirmers, Routes};

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<ActReaders, _, _>(GET, &at("/accounts/asked"), list);
    routes.page::<Confirmers, _, _>(POST, &at("/accounts/asked/{number}/confirm"), confirm);
    routes.page::<Confirmers, _, _>(POST, &at("/accounts/asked/{number}/drop"), withdraw);
}

#[derive(Template)]
#[template(path = "desk/asked.html", config = "src/web/pages/askama.toml")]
struct AskedPage {
    f: Frame,
    acts: Vec<Row>,
}

struct Row {
    number: u32,
    what: &'static str,
    account: String,
    /// Role, bounds, and whether it may sign in.
    to_be: Vec<(&'static str, String)>,
    by: String,
    at: String,
    until: String,
    reason: String,
    may_confirm: bool,
    may_drop: bool,
}

async fn list(page: Page<ActReaders>, (): ()) -> HttpResponse {
    let (lang, service) = (page.lang, &page.staff.service);
    let (staff, now) = (service.staff(), service.clock.now());
    let actor = crate::service::desk::actor(&page.staff.account);
    let is_second = Confirmers::ROLES.contains(&page.staff.account.role);
    let row = |(number, asked): (&u32, &AskedAct)| {
        let view = ActView::of(&staff, *number, asked);
        let mut to_be = Vec::new();
        if let Some(role) = view.role {
            to_be.push((lang.say("desk-role"), role_words(lang, role).to_owned()));
        }
        to_be.extend(
            view.bounds
                .iter()
                .flat_map(|bounds| bounds_told(lang, bounds)),
        );
        if view.enabled == Some(false) {
            to_be.push((lang.say("desk-state"), lang.say("desk-ended").to_owned()));
        }
        Row {
            number: *number,
            what: lang.say(match view.act {
                "make" => "desk-new-account",
                "change" => "desk-change",
                _ => "desk-reset",
            }),
            account: view.account,
            to_be,
            by: if view.claimed {
                lang.say("desk-of-provider").to_owned()
            } else {
                view.by
            },
            at: super::record::instant(service, asked.at),
            until: super::record::instant(service, asked.at.plus_s(OPEN_S)),
            reason: view.reason,
            may_confirm: staff.may_confirm_act(&actor, *number, now).is_ok(),
            may_drop: is_second,
        }
    };
    let open = staff.acts.asked.iter().filter(|(_, one)| one.is_open(now));
    let template = AskedPage {
        f: page.frame("/accounts/asked", "desk-help-asked"),
        acts: open.map(row).collect(),
    };
    shown(lang, &template)
}

fn refused(page: &Page<Confirmers>, refused: DeskRefused) -> HttpResponse {
    let trouble = page.trouble(refused);
    let account = Some(&page.staff.account);
    super::told(page.lang, account, StatusCode::CONFLICT, trouble)
}

#[derive(Template)]
#[template(path = "desk/half.html", config = "src/web/pages/askama.toml")]
struct HalfPage {
    f: Frame,
    name: String,
    half: String,
    /// Whether this is the half of the account that asked.
    is_first: bool,
}

/// Half of a password, told once.
pub fn half_page(f: Frame, name: String, half: String, is_first: bool) -> HttpResponse {
    let lang = f.l;
    let template = HalfPage {
        f,
        name,
        half,
        is_first,
    };
    shown(lang, &template)
}

async fn confirm(page: Page<Confirmers>, path: Path) -> HttpResponse {
    let Some(number) = path.get("number").and_then(|text| text.parse().ok()) else {
        return refused(&page, DeskRefused::NotFound);
    };
    let staff = &page.staff;
    let done = staff
        .service
        .confirm_account_act(&staff.account, staff.origin, number)
        .await;
    match done {
        Ok(done) => match done.half {
            Some(half) => {
                let f = page.frame("/accounts/asked", "desk-help-asked");
                half_page(f, done.name, half, false)
            }
            None => onward(&page.to("/accounts/asked")),
        },
        Err(why) => refused(&page, why),
    }
}

async fn withdraw(page: Page<Confirmers>, path: Path) -> HttpResponse {
    let Some(number) = path.get("number").and_then(|text| text.parse().ok()) else {
        return refused(&page, DeskRefused::NotFound);
    };
    let staff = &page.staff;
    let dropped = staff.service.drop_account_act(&staff.account, number).await;
    match dropped {
        Ok(()) => onward(&page.to("/accounts/asked")),
        Err(why) => refused(&page, why),
    }
}
