//! The first page: what the account may do, and where.

use actix_web::HttpResponse;
use askama::Template;

use super::{Frame, GET, Page, at, shown};
use crate::domain::entry::Role;
use crate::web::desk::staff::{Anyone, Routes};

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<Anyone, _, _>(GET, &at(""), home);
}

#[derive(Template)]
#[template(path = "desk/home.html", config = "src/web/pages/askama.toml")]
struct HomePage {
    f: Frame,
    role: &'static str,
    does: &'static str,
}

async fn home(page: Page<Anyone>, (): ()) -> HttpResponse {
    let role = page.staff.account.role;
    let does = match role {
        Role::Administrator => "does-administrator",
        Role::Operator => "does-operator",
        Role::Approver => "does-approver",
        Role::Site => "does-site",
        Role::Agent => "does-agent",
        Role::Auditor => "does-auditor",
        Role::Reporter => "does-reporter",
    };
    let template = HomePage {
        f: page.frame("", "desk-help-home"),
        role: super::role_words(page.lang, role),
        does: page.lang.say(does),
    };
    shown(page.lang, &template)
}
