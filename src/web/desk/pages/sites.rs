//! Sites: their list, one with its days, and the slots of a day, which can be changed and closed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::acts::{Kind, POOLS};
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown, shown_with};
use crate::domain::entry::Role;
use crate::domain::ids::SlotIndex;
use crate::domain::staff::proposal::SlotRange;
use crate::domain::text::grouped;
use crate::domain::time::Day;
use crate::service::desk::DeskRefused;
use crate::service::desk::sites::{Changed, Counted, SITES_PAGE, SiteSeen, SlotSeen, Wanted};
use crate::web::desk::staff::{Allowed, Closers, Proposers, Routes, SiteReaders};
use crate::web::desk::wanted::{self, SeatsByPool};
use crate::web::pages::{Form, encoded};
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<SiteReaders, _, _>(GET, &at("/sites"), list);
    routes.page::<SiteReaders, _, _>(GET, &at("/sites/{campaign}/{site}"), one);
    routes.page::<Proposers, _, _>(POST, &at("/sites/{campaign}/{site}/slots/{slot}"), change);
    routes.page::<Closers, _, _>(POST, &at("/sites/{campaign}/{site}/stop"), stop);
}

#[derive(Template)]
#[template(path = "desk/sites.html", config = "src/web/pages/askama.toml")]
struct ListPage {
    f: Frame,
    campaigns: Vec<(String, bool)>,
    campaign: String,
    query: String,
    /// Code, name, whether it is chosen.
    provinces: Vec<(String, String, bool)>,
    sites: Vec<SiteRow>,
    told: String,
    /// The addresses of the pages before and behind.
    before: Option<String>,
    behind: Option<String>,
    acts: Vec<(&'static str, &'static str)>,
}

struct SiteRow {
    id: String,
    name: String,
    region: String,
    seats: String,
    free: String,
}

fn name_of<'a>(lang: Lang, ko: &'a str, en: &'a str) -> &'a str {
    if lang.tag() == "ko" || en.is_empty() {
        ko
    } else {
        en
    }
}

fn region_of(lang: Lang, region: &str) -> String {
    let names = crate::regions::names(region);
    names.map_or_else(
        || region.to_owned(),
        |(ko, en)| name_of(lang, ko, en).to_owned(),
    )
}

/// The campaigns of an account, and which of them is chosen.
pub(super) fn campaigns<A: Allowed>(page: &Page<A>, named: &str) -> (Vec<(String, bool)>, String) {
    let bounds = &page.staff.account.bounds;
    let offers = page.staff.service.shared.offers().clone();
    let ids = offers
        .iter()
        .map(|offer| offer.catalog.campaign.id.to_string());
    let ids: Vec<String> = ids.filter(|id| bounds.has_campaign(id)).collect();
    let chosen = ids.iter().find(|id| *id == named).or(ids.first());
    let chosen = chosen.cloned().unwrap_or_default();
    let marked = ids.into_iter().map(|id| {
        let is_it = id == chosen;
        (id, is_it)
    });
    (marked.collect(), chosen)
}

/// The forms that an account may fill in.
fn acts<A: Allowed>(page: &Page<A>) -> Vec<(&'static str, &'static str)> {
    let role = page.staff.account.role;
    if !Proposers::ROLES.contains(&role) {
        return Vec::new();
    }
    let kinds = Kind::ALL.into_iter();
    let own = kinds.filter(|kind| {
        role != Role::Site || matches!(kind, Kind::Close | Kind::Reopen | Kind::Hours)
    });
    own.map(|kind| (kind.name(), kind.title(page.lang)))
        .collect()
}

async fn list(page: Page<SiteReaders>, path: Path) -> HttpResponse {
    let (lang, staff) = (page.lang, &page.staff);
    let form = Form::of_address(&path.0);
    let (campaigns, campaign) = campaigns(&page, form.field("campaign"));
    let wanted = Wanted {
        query: form.field("query").to_owned(),
        province: form.field("province").to_owned(),
        page: form.number("page").unwrap_or(0),
    };
    let found = match staff.service.desk_sites(&staff.account, &campaign, &wanted) {
        Ok(found) => found,
        Err(DeskRefused::NotFound) if campaign.is_empty() => Default::default(),
        Err(refused) => return refused_page(&page, refused),
    };
    let row = |site: &crate::service::desk::sites::SiteListed| SiteRow {
        id: site.row.site.clone(),
        name: name_of(lang, &site.row.name_ko, &site.row.name_en).to_owned(),
        region: region_of(lang, &site.row.region),
        seats: grouped(site.offered.seats.into()),
        free: grouped(site.offered.free.into()),
    };
    let here = staff.service.campaign(&campaign).ok();
    let regions = here.map(|here| here.regions("")).unwrap_or_default();
    let provinces = regions.into_iter().map(|region| {
        let is_chosen = region.code == wanted.province;
        let name = region_of(lang, &region.code);
        (region.code, name, is_chosen)
    });
    let address = |number: usize| {
        let (query, province) = (encoded(&wanted.query), encoded(&wanted.province));
        let query = format!("campaign={campaign}&query={query}&province={province}&page={number}");
        format!("{}?{query}", page.to("/sites"))
    };
    let has_more = found.count > ((wanted.page + 1) * SITES_PAGE) as u64;
    let told = [
        ("sites", grouped(found.count).into()),
        ("seats", grouped(found.offered.seats.into()).into()),
        ("free", grouped(found.offered.free.into()).into()),
    ];
    let template = ListPage {
        f: page.frame("/sites", "desk-help-sites"),
        campaigns,
        sites: found.sites.iter().map(row).collect(),
        told: lang.put("site-list-told", &told),
        provinces: provinces.collect(),
        before: (wanted.page > 0).then(|| address(wanted.page - 1)),
        behind: has_more.then(|| address(wanted.page + 1)),
        acts: acts(&page),
        query: wanted.query,
        campaign,
    };
    shown(lang, &template)
}

fn refused_page<A: Allowed>(page: &Page<A>, refused: DeskRefused) -> HttpResponse {
    let status = match refused {
        DeskRefused::NotFound => StatusCode::NOT_FOUND,
        _ => StatusCode::FORBIDDEN,
    };
    let trouble = page.trouble(refused);
    super::told(page.lang, Some(&page.staff.account), status, trouble)
}

#[derive(Template)]
#[template(path = "desk/site.html", config = "src/web/pages/askama.toml")]
struct SitePage {
    f: Frame,
    trouble: Option<Trouble>,
    faults: Vec<String>,
    done: Option<String>,
    campaign: String,
    id: String,
    name: String,
    place: String,
    days: Vec<DayRow>,
    /// The day whose slots are shown.
    date: Option<String>,
    slots: Vec<SlotRow>,
    may_change: bool,
    may_stop: bool,
    acts: Vec<(&'static str, &'static str)>,
}

struct DayRow {
    date: String,
    weekday: &'static str,
    slots: u32,
    closed: u32,
    seats: String,
    taken: String,
    is_shown: bool,
}

struct SlotRow {
    slot: u32,
    time: String,
    end: String,
    vaccine: String,
    /// Field, words, capacity, booked and held.
    pools: Vec<(&'static str, &'static str, u32, u32)>,
    closed: Option<String>,
    is_past: bool,
}

pub(super) fn weekday(lang: Lang, day: Day) -> &'static str {
    const WORDS: [&str; 7] = [
        "weekday-1",
        "weekday-2",
        "weekday-3",
        "weekday-4",
        "weekday-5",
        "weekday-6",
        "weekday-7",
    ];
    lang.say(WORDS[day.date().weekday().to_monday_zero_offset() as usize])
}

/// What came of a form on the page of a site.
#[derive(Default)]
struct Came {
    trouble: Option<Trouble>,
    faults: Vec<String>,
    done: Option<String>,
}

async fn one(page: Page<SiteReaders>, path: Path) -> HttpResponse {
    let form = Form::of_address(&path.0);
    let date = wanted::day("date", form.field("date")).ok();
    let done = match form.field("done") {
        "changed" => Some(page.lang.say("slot-changed").to_owned()),
        "stopped" => Some(page.lang.say("slot-stopped").to_owned()),
        _ => None,
    };
    let came = Came {
        done,
        ..Came::default()
    };
    site_page(&page, &path, date, came)
}

fn site_page<A: Allowed>(
    page: &Page<A>,
    path: &Path,
    date: Option<Day>,
    came: Came,
) -> HttpResponse {
    let (lang, staff) = (page.lang, &page.staff);
    let campaign = path.get("campaign").unwrap_or_default();
    let id = path.get("site").unwrap_or_default();
    let seen = match staff.service.desk_site(&staff.account, campaign, id, date) {
        Ok(seen) => seen,
        Err(refused) => return refused_page(page, refused),
    };
    let Ok(here) = staff.service.campaign(campaign) else {
        return refused_page(page, DeskRefused::NotFound);
    };
    let zone = &here.offer.catalog.campaign.zone;
    let role = staff.account.role;
    let SiteSeen { row, days, slots } = seen;
    let day = |day: &crate::service::desk::sites::DaySeen| DayRow {
        date: day.date.to_string(),
        weekday: weekday(lang, day.date),
        slots: day.slots,
        closed: day.closed,
        seats: grouped(day.counted.seats().into()),
        taken: grouped(day.counted.taken().into()),
        is_shown: date == Some(day.date),
    };
    let slot = |slot: &SlotSeen| SlotRow {
        slot: slot.index.0,
        time: format!("{:02}:{:02}", slot.start_min / 60, slot.start_min % 60),
        end: zone.local(slot.end).strftime("%H:%M").to_string(),
        vaccine: slot.vaccine.clone(),
        pools: pools(lang, &slot.counted),
        closed: slot.closed.as_ref().map(|(_, by)| by.reason.text.clone()),
        is_past: slot.is_past,
    };
    let status = if came.trouble.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let template = SitePage {
        f: page.frame(&format!("/sites/{campaign}/{id}"), "desk-help-site"),
        trouble: came.trouble,
        faults: came.faults,
        done: came.done,
        campaign: campaign.to_owned(),
        id: id.to_owned(),
        name: name_of(lang, &row.name_ko, &row.name_en).to_owned(),
        place: format!("{}, {}", region_of(lang, &row.region), row.address),
        days: days.iter().map(day).collect(),
        date: date.map(|date| date.to_string()),
        slots: slots.iter().map(slot).collect(),
        may_change: Proposers::ROLES.contains(&role),
        may_stop: Closers::ROLES.contains(&role),
        acts: acts(page),
    };
    shown_with(lang, status, &template)
}

fn pools(lang: Lang, counted: &Counted) -> Vec<(&'static str, &'static str, u32, u32)> {
    let pools = POOLS.iter().enumerate();
    let pool = |(at, (field, words)): (usize, &(&'static str, &'static str))| {
        let used = counted.booked[at] + counted.held[at];
        (*field, lang.say(words), counted.capacity[at], used)
    };
    pools.map(pool).collect()
}

async fn change(page: Page<Proposers>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let form = Form::of(body);
    let date = wanted::day("date", form.field("date")).ok();
    let refused = |trouble: Trouble, faults: Vec<String>| {
        let came = Came {
            trouble: Some(trouble),
            faults,
            done: None,
        };
        site_page(&page, &path, date, came)
    };
    let slot = path
        .get("slot")
        .and_then(|slot| slot.parse().ok())
        .map(SlotIndex);
    let Some(slot) = slot else {
        return refused_page(&page, DeskRefused::NotFound);
    };
    let asked = SeatsByPool {
        public: form.number("public").unwrap_or(0),
        assisted: form.number("assisted").unwrap_or(0),
        partner: form.number("partner").unwrap_or(0),
        walk_in: form.number("walk_in").unwrap_or(0),
        later: form.number("later").unwrap_or(0),
    };
    let end = asked.seats().and_then(|seats| {
        let end = wanted::time("end", form.field("end"))?;
        Ok((seats, end))
    });
    let wanted = match end {
        Ok(wanted) => wanted,
        Err((name, why)) => {
            let trouble = page.trouble(DeskRefused::Faults(Vec::new()));
            return refused(trouble, vec![format!("{name}: {why}")]);
        }
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    let campaign = path.get("campaign").unwrap_or_default();
    let changed = service.change_slot(account, campaign, slot, wanted, form.field("reason"));
    match changed.await {
        Ok(Changed::Done(_)) => onward(&back(&page, &path, date, "changed")),
        Ok(Changed::Proposed(number)) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(DeskRefused::Faults(faults)) => {
            refused(page.trouble(DeskRefused::Faults(Vec::new())), faults)
        }
        Err(why) => refused(page.trouble(why), Vec::new()),
    }
}

/// The page of the site again.
fn back<A: Allowed>(page: &Page<A>, path: &Path, date: Option<Day>, done: &str) -> String {
    let campaign = path.get("campaign").unwrap_or_default();
    let site = path.get("site").unwrap_or_default();
    let date = date.map(|date| date.to_string()).unwrap_or_default();
    page.to(&format!("/sites/{campaign}/{site}?date={date}&done={done}"))
}

async fn stop(page: Page<Closers>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let form = Form::of(body);
    let date = wanted::day("date", form.field("date")).ok();
    let campaign = path.get("campaign").unwrap_or_default();
    let site = path.get("site").unwrap_or_default();
    let Some(day) = date else {
        return refused_page(&page, DeskRefused::NotFound);
    };
    let minute = wanted::time("time", form.field("time")).ok();
    let range = SlotRange {
        sites: vec![site.to_owned()],
        from: day,
        until: day,
        vaccine: Some(form.field("vaccine").to_owned()).filter(|id| !id.is_empty()),
        minutes: minute.map(|minute| (minute, minute + 1)),
    };
    let en = Some(form.field("reason_en")).filter(|text| !text.is_empty());
    let reason = wanted::notice(form.field("reason_ko"), en);
    let (service, account) = (&page.staff.service, &page.staff.account);
    match service.stop_slots(account, campaign, range, reason).await {
        Ok(_) => onward(&back(&page, &path, date, "stopped")),
        Err(why) => {
            let faults = match &why {
                DeskRefused::Faults(faults) => faults.clone(),
                _ => Vec::new(),
            };
            let came = Came {
                trouble: Some(page.trouble(why)),
                faults,
                done: None,
            };
            site_page(&page, &path, date, came)
        }
    }
}
