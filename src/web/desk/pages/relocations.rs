//! What the agency did to give people other seats, how far it has come, and whom to call.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::sites::campaigns;
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown, shown_with};
use crate::domain::ids::RelocationIndex;
use crate::domain::text::grouped;
use crate::service::desk::DeskRefused;
use crate::service::desk::effect::seats::slot_told;
use crate::service::desk::relocation::{Called, Progress};
use crate::web::desk::api::seats::RelocationView;
use crate::web::desk::staff::{Allowed, Callers, Planners, Routes, SiteReaders};
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<SiteReaders, _, _>(GET, &at("/relocations"), list);
    routes.page::<SiteReaders, _, _>(GET, &at("/relocations/{campaign}/{number}"), one);
    routes.page::<Callers, _, _>(POST, &at("/relocations/{campaign}/{number}/names"), names);
    routes.page::<Planners, _, _>(POST, &at("/relocations/{campaign}/{number}/again"), again);
}

struct Row {
    view: RelocationView,
    cause: &'static str,
    unanswered: &'static str,
    slots: String,
    moved: String,
    offered: String,
    left: String,
}

impl Row {
    fn of(lang: Lang, progress: &Progress, zone: &crate::domain::time::Zone) -> Self {
        let mut view = RelocationView::of(progress, zone);
        let told = |at| zone.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string();
        view.begun_at = told(progress.known.begun_at);
        view.until = told(progress.known.until);
        Self {
            cause: lang.say(match view.cause {
                "interval" => "relocation-interval",
                "retime" => "act-retime",
                _ => "relocation-closure",
            }),
            unanswered: lang.say(if view.unanswered == "moved" {
                "unanswered-moved"
            } else {
                "unanswered-telephoned"
            }),
            slots: grouped(view.slots),
            moved: grouped(view.moved),
            offered: grouped(view.offered),
            left: grouped(view.left),
            view,
        }
    }
}

#[derive(Template)]
#[template(path = "desk/relocations.html", config = "src/web/pages/askama.toml")]
struct ListPage {
    f: Frame,
    campaigns: Vec<(String, bool)>,
    campaign: String,
    rows: Vec<Row>,
}

async fn list(page: Page<SiteReaders>, path: Path) -> HttpResponse {
    let (lang, staff) = (page.lang, &page.staff);
    let form = Form::of_address(&path.0);
    let (campaigns, campaign) = campaigns(&page, form.field("campaign"));
    let rows = rows(&page, &campaign);
    let rows = match rows {
        Ok(rows) => rows,
        Err(DeskRefused::NotFound) if campaign.is_empty() => Vec::new(),
        Err(refused) => {
            let trouble = page.trouble(refused);
            return super::told(lang, Some(&staff.account), StatusCode::FORBIDDEN, trouble);
        }
    };
    let template = ListPage {
        f: page.frame("/relocations", "desk-help-relocations"),
        campaigns,
        campaign,
        rows,
    };
    shown(lang, &template)
}

fn rows<A: Allowed>(page: &Page<A>, campaign: &str) -> Result<Vec<Row>, DeskRefused> {
    let service = &page.staff.service;
    let here = service
        .campaign(campaign)
        .map_err(|_| DeskRefused::NotFound)?;
    let zone = &here.offer.catalog.campaign.zone;
    let all = service.relocations(&page.staff.account, campaign)?;
    Ok(all
        .iter()
        .map(|one| Row::of(page.lang, one, zone))
        .collect())
}

#[derive(Template)]
#[template(path = "desk/relocation.html", config = "src/web/pages/askama.toml")]
struct OnePage {
    f: Frame,
    trouble: Option<Trouble>,
    campaign: String,
    row: Row,
    people: Vec<Person>,
    has_names: bool,
    may_call: bool,
    may_plan: bool,
}

struct Person {
    number: String,
    slot: String,
    offered: String,
    name: String,
    phone: String,
}

fn relocation(path: &Path) -> Option<RelocationIndex> {
    let number: u16 = path.get("number")?.parse().ok()?;
    number.checked_sub(1).map(RelocationIndex)
}

fn whole<A: Allowed>(
    page: &Page<A>,
    path: &Path,
    named: Option<Vec<Called>>,
    trouble: Option<Trouble>,
) -> HttpResponse {
    let (lang, staff) = (page.lang, &page.staff);
    let campaign = path.get("campaign").unwrap_or_default();
    let told = |refused: DeskRefused| {
        let status = match refused {
            DeskRefused::NotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::FORBIDDEN,
        };
        super::told(lang, Some(&staff.account), status, page.trouble(refused))
    };
    let Some(wanted) = relocation(path) else {
        return told(DeskRefused::NotFound);
    };
    let number = u32::from(wanted.0) + 1;
    let row = match rows(page, campaign) {
        Ok(rows) => rows.into_iter().find(|row| row.view.number == number),
        Err(refused) => return told(refused),
    };
    let (Some(row), Ok(here)) = (row, staff.service.campaign(campaign)) else {
        return told(DeskRefused::NotFound);
    };
    let role = staff.account.role;
    let may_call = Callers::ROLES.contains(&role);
    let has_names = named.is_some();
    let people = match named {
        Some(people) => people,
        None if may_call => staff
            .service
            .to_call(&staff.account, campaign, wanted)
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let catalog = &here.offer.catalog;
    let person = |one: &Called| Person {
        number: one.number.to_string(),
        slot: slot_told(catalog, one.slot),
        offered: one
            .offer
            .map(|slot| slot_told(catalog, slot))
            .unwrap_or_default(),
        name: one
            .contact
            .as_ref()
            .map_or_else(String::new, |known| known.name.clone()),
        phone: one
            .contact
            .as_ref()
            .map_or_else(String::new, |known| known.phone.clone()),
    };
    let status = if trouble.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let template = OnePage {
        f: page.frame(
            &format!("/relocations/{campaign}/{number}"),
            "desk-help-relocation",
        ),
        trouble,
        campaign: campaign.to_owned(),
        people: people.iter().map(person).collect(),
        has_names,
        may_call,
        may_plan: Planners::ROLES.contains(&role) && row.view.left > 0,
        row,
    };
    shown_with(lang, status, &template)
}

async fn one(page: Page<SiteReaders>, path: Path) -> HttpResponse {
    whole(&page, &path, None, None)
}

async fn names(page: Page<Callers>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let form = Form::of(body);
    let staff = &page.staff;
    let campaign = path.get("campaign").unwrap_or_default();
    let Some(wanted) = relocation(&path) else {
        return whole(&page, &path, None, None);
    };
    let origin = staff.origin.from.to_string();
    let (service, account) = (&staff.service, &staff.account);
    let all = service.telephone_list(account, &origin, campaign, wanted, form.field("reason"));
    match all.await {
        Ok(all) => whole(&page, &path, Some(all), None),
        Err(refused) => {
            let trouble = page.trouble(refused);
            whole(&page, &path, None, Some(trouble))
        }
    }
}

async fn again(page: Page<Planners>, path: Path) -> HttpResponse {
    let campaign = path.get("campaign").unwrap_or_default();
    let Some(wanted) = relocation(&path) else {
        return whole(&page, &path, None, None);
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    match service.plan_again(account, campaign, wanted).await {
        Ok(_) => {
            let number = u32::from(wanted.0) + 1;
            onward(&page.to(&format!("/relocations/{campaign}/{number}")))
        }
        Err(refused) => {
            let trouble = page.trouble(refused);
            whole(&page, &path, None, Some(trouble))
        }
    }
}
