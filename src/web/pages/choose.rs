//! Choosing: a region, a site, a day, a time. The same pages serve a first booking and a move.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::civil::Date;

use super::answer::long_page;
use super::calendar::Month;
use super::form::Form;
use super::frame::{Frame, minutes, seats, text};
use super::map::Map;
use super::trouble::Trouble;
use super::visit::{Guest, Visit};
use super::when::When;
use crate::domain::campaign::read_date;
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::state::Booking;
use crate::domain::time::{Day, Stamp};
use crate::regions;
use crate::service::Refused;
use crate::service::browsing::Region;
use crate::web::words::{Lang, Value};

/// Whoever has less time than this to book is told until when.
const ENDS_SOON_S: i64 = 15 * 60;
/// Sites shown of a district: the nearest.
const SITES_MAX: usize = 20;
/// Longer texts are no place's name.
const QUERY_CHARACTERS_MAX: usize = 40;
/// Seats of a region or day from which on there are many.
const MANY: u32 = 100;

#[derive(Template)]
#[template(path = "regions.html", config = "src/web/pages/askama.toml")]
struct RegionsPage {
    f: Frame,
    kept: Notes,
    title: String,
    /// Why there is nothing to choose, and what to do.
    nothing: Option<(&'static str, &'static str)>,
    map: Map,
    regions: Vec<RegionView>,
    up: Option<String>,
    query: String,
}

struct RegionView {
    name: String,
    address: String,
    free: String,
    level: &'static str,
}

#[derive(Template)]
#[template(path = "sites.html", config = "src/web/pages/askama.toml")]
struct SitesPage {
    f: Frame,
    kept: Notes,
    title: String,
    note: Option<String>,
    map: Option<Map>,
    sites: Vec<SiteView>,
    up: String,
}

struct SiteView {
    name: String,
    street: String,
    address: String,
    distance: Option<String>,
    free: String,
    level: &'static str,
}

#[derive(Template)]
#[template(path = "days.html", config = "src/web/pages/askama.toml")]
struct DaysPage {
    f: Frame,
    kept: Notes,
    site: String,
    street: String,
    weekdays: Vec<(String, String)>,
    months: Vec<Month>,
    up: String,
}

#[derive(Template)]
#[template(path = "times.html", config = "src/web/pages/askama.toml")]
struct TimesPage {
    f: Frame,
    kept: Notes,
    site: String,
    day: String,
    note: String,
    slots: Vec<SlotView>,
    up: String,
}

/// A slot with its second dose.
pub struct SlotView {
    pub slot: SlotIndex,
    pub site: String,
    pub day: String,
    pub time: String,
    pub vaccine: Option<String>,
    pub second: Option<String>,
    pub free: String,
    pub full: bool,
}

/// How many seats are free, as a word for the style sheet.
pub fn level(free: u32) -> &'static str {
    match free {
        0 => "none",
        1..MANY => "few",
        _ => "many",
    }
}

/// Regions, or the sites of a district, or those that a search found.
pub async fn sites(request: HttpRequest, guest: Guest) -> HttpResponse {
    let form = Form::of_address(&request);
    let visit = &guest.visit;
    let kept = kept(&guest);
    let query: String = form
        .field("query")
        .chars()
        .take(QUERY_CHARACTERS_MAX)
        .collect();
    if !query.is_empty() {
        return found(&request, visit, kept, &query);
    }
    let region = &*regions::listed_code(form.field("region"));
    if region.contains('/') {
        return near(&request, visit, kept, region);
    }
    let known = visit.here.regions(region);
    let (within, known) = if known.is_empty() {
        ("", visit.here.regions(""))
    } else {
        (region, known)
    };
    let l = visit.lang;
    let title = match within {
        "" => l.say("choose-province").to_owned(),
        _ => l.put("choose-district", &[("province", text(name(l, within)))]),
    };
    let template = RegionsPage {
        f: Frame::of(visit, "/sites"),
        kept,
        title,
        nothing: nothing(visit, &known),
        map: map(visit, within, None),
        regions: known.iter().map(|region| view(visit, region)).collect(),
        up: (!within.is_empty()).then(|| visit.to("/sites")),
        query,
    };
    long_page(&request, l, &template)
}

/// Why nobody can choose anything in these regions, and what to do; none if somebody can.
fn nothing(visit: &Visit, known: &[Region]) -> Option<(&'static str, &'static str)> {
    let l = visit.lang;
    if visit.here.offer.catalog.slots.is_empty() {
        return Some((l.say("no-slots"), l.say("no-slots-next")));
    }
    let is_full = known.iter().all(|region| region.free == 0);
    is_full.then(|| (l.say("no-seats"), l.say("no-seats-next")))
}

fn view(visit: &Visit, region: &Region) -> RegionView {
    RegionView {
        name: name(visit.lang, &region.code),
        address: visit.to(&format!("/sites?region={}", region.code)),
        free: seats(visit.lang, region.free),
        level: level(region.free),
    }
}

fn map(visit: &Visit, within: &str, chosen: Option<&str>) -> Map {
    let shown = visit.here.regions(within);
    let sites = visit.here.offer.catalog.sites.iter();
    let is_inside = |there: &str| regions::listed_code(there).starts_with(within);
    let inside = sites.filter(|site| is_inside(&site.row.region));
    let degrees = |e6: i32| f64::from(e6) / 1e6;
    let at = inside.map(|site| (degrees(site.row.lat_e6), degrees(site.row.lng_e6)));
    let label = |region: &Region| short(name(visit.lang, &region.code));
    Map::of(&shown, &at.collect::<Vec<_>>(), chosen, label)
}

/// A name as short as a map needs it: 서울 of 서울특별시, 충북 of 충청북도, Jongno of Jongno-gu.
fn short(name: String) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters[..] {
        _ if name.is_ascii() => name.split('-').next().unwrap_or_default().to_owned(),
        [first, _, side @ ('남' | '북'), '도'] => [first, side].iter().collect(),
        [first, second, .., '시' | '도'] if letters.len() > 3 => [first, second].iter().collect(),
        [first, second, '도'] => [first, second].iter().collect(),
        _ => name,
    }
}

/// The sites nearest to the middle of a district, also those of its neighbours.
fn near(request: &HttpRequest, visit: &Visit, kept: Notes, region: &str) -> HttpResponse {
    let l = visit.lang;
    let nearest = visit.here.nearest(region, SITES_MAX);
    if nearest.is_empty() {
        return visit.onward("/sites");
    }
    let distance = |metres: u32| {
        let tenths = metres.div_ceil(100);
        let km = format!("{}.{}", tenths / 10, tenths % 10);
        l.put("distance", &[("km", text(km))])
    };
    let sites = nearest.iter().map(|near| SiteView {
        distance: Some(distance(near.metres)),
        ..site_view(visit, near.site, near.free)
    });
    let province = region.split('/').next().unwrap_or_default();
    let district = name(l, region);
    let template = SitesPage {
        f: Frame::of(visit, "/sites"),
        kept,
        title: l.put("sites-near", &[("district", text(district.clone()))]),
        note: Some(l.put("distance-note", &[("district", text(district))])),
        map: Some(map(visit, province, Some(region))),
        sites: sites.collect(),
        up: visit.to(&format!("/sites?region={province}")),
    };
    long_page(request, l, &template)
}

fn found(request: &HttpRequest, visit: &Visit, kept: Notes, query: &str) -> HttpResponse {
    let l = visit.lang;
    let page = visit.here.sites(None, Some(query), 0);
    let sites = page.sites.iter().take(SITES_MAX);
    let sites: Vec<_> = sites
        .map(|&(site, free)| site_view(visit, site, free))
        .collect();
    let note = match sites.len() {
        0 => Some(l.say("found-none").to_owned()),
        SITES_MAX => Some(l.say("found-many").to_owned()),
        _ => None,
    };
    let template = SitesPage {
        f: Frame::of(visit, "/sites"),
        kept,
        title: l.put("sites-found", &[("query", text(query))]),
        note,
        map: None,
        sites,
        up: visit.to("/sites"),
    };
    long_page(request, l, &template)
}

fn site_view(visit: &Visit, site: SiteIndex, free: u32) -> SiteView {
    let row = &visit.here.offer.catalog.sites[site.at()].row;
    SiteView {
        name: site_name(visit, site),
        street: row.address.clone(),
        address: visit.to(&format!("/sites/{}", row.site)),
        distance: None,
        free: seats(visit.lang, free),
        level: level(free),
    }
}

/// The days of a site, as calendars.
pub async fn days(request: HttpRequest, guest: Guest) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let (site, id) = site(&request, visit)?;
    let when = When::of(visit);
    let days = visit.here.days(site);
    let to = |date: Date| visit.to(&format!("/sites/{id}/{date}"));
    let row = &visit.here.offer.catalog.sites[site.at()].row;
    let template = DaysPage {
        f: Frame::of(visit, &format!("/sites/{id}")),
        kept: kept(&guest),
        site: site_name(visit, site),
        street: row.address.clone(),
        weekdays: (0..7).map(|day| when.weekday(day)).collect(),
        months: Month::all(&when, &days, to),
        up: visit.to(&format!("/sites?region={}", row.region)),
    };
    Ok(long_page(&request, visit.lang, &template))
}

/// The times of a day, each with its second dose.
pub async fn times(request: HttpRequest, guest: Guest) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let (site, id) = site(&request, visit)?;
    let date = request.match_info().get("date").unwrap_or_default();
    let Ok(date) = read_date(date) else {
        return Ok(visit.onward(&format!("/sites/{id}")));
    };
    let slots = visit.here.slots(site, Day::of(date));
    let slots = slots
        .iter()
        .map(|&(index, _, free)| slot_view(visit, index, free))
        .collect();
    let template = TimesPage {
        f: Frame::of(visit, &format!("/sites/{id}/{date}")),
        kept: kept(&guest),
        site: site_name(visit, site),
        day: When::of(visit).date(date),
        note: time_note(visit),
        slots,
        up: visit.to(&format!("/sites/{id}")),
    };
    Ok(long_page(&request, visit.lang, &template))
}

/// For how long a chosen time is kept.
fn time_note(visit: &Visit) -> String {
    let hold_s = visit.here.offer.catalog.campaign.booking.hold_s;
    let kept = [("minutes", text(minutes(visit.lang, hold_s.into())))];
    visit.lang.put("time-note", &kept)
}

fn site(request: &HttpRequest, visit: &Visit) -> Result<(SiteIndex, String), Trouble> {
    let id = request.match_info().get("site").unwrap_or_default();
    match visit.here.site(id) {
        Ok(site) => Ok((site, id.to_owned())),
        Err(Refused::NotFound) => Err(Trouble::of(visit.onward("/sites"))),
        Err(refused) => Err(visit.trouble(&refused)),
    }
}

pub fn slot_view(visit: &Visit, index: SlotIndex, free: u32) -> SlotView {
    let when = When::of(visit);
    let catalog = &visit.here.offer.catalog;
    let slot = &catalog.slots[index.at()];
    let second = catalog.second_of(slot).map(|second| {
        let start = catalog.slots[second.at()].start;
        let values = [
            ("day", text(when.short(when.local_date(start)))),
            ("time", text(when.time(start))),
        ];
        visit.lang.put("second-at", &values)
    });
    let vaccines = &catalog.campaign.vaccines;
    let vaccine = (vaccines.len() > 1).then(|| vaccines[slot.vaccine.at()].id.clone());
    SlotView {
        slot: index,
        site: site_name(visit, slot.site),
        day: when.date(when.local_date(slot.start)),
        time: when.time(slot.start),
        vaccine,
        second,
        free: seats(visit.lang, free),
        full: free == 0,
    }
}

pub fn site_name(visit: &Visit, site: SiteIndex) -> String {
    let row = &visit.here.offer.catalog.sites[site.at()].row;
    visit.lang.pick(&row.name_ko, &row.name_en).to_owned()
}

/// A region's name, or its code.
fn name(l: Lang, code: &str) -> String {
    match regions::names(code) {
        Some((ko, en)) => l.pick(ko, en).to_owned(),
        None => code.to_owned(),
    }
}

/// What stands above the choice.
struct Notes {
    /// For somebody who has a booking: it stays until the new one is made.
    booking: Option<String>,
    /// For somebody who has none: until when they can make one, if that is soon.
    ends: Option<String>,
}

fn kept(guest: &Guest) -> Notes {
    let (visit, l) = (&guest.visit, guest.visit.lang);
    if let Some(booking) = guest.booking() {
        let values: [(&'static str, Value); 1] = [("at", text(first_dose(visit, &booking)))];
        let booking = Some(l.put("you-keep", &values));
        return Notes {
            booking,
            ends: None,
        };
    }
    let until = visit.service.books_until(&visit.here, &guest.person);
    let left_s = until.map(|until| (until.0 - visit.here.now.0) / Stamp::SECOND);
    let soon = until.filter(|_| left_s.is_some_and(|left_s| left_s < ENDS_SOON_S));
    let ends = soon.map(|until| {
        let at = text(When::of(visit).instant(until));
        l.put("book-until", &[("at", at)])
    });
    Notes {
        booking: None,
        ends,
    }
}

/// When and where the first dose of a booking is.
pub fn first_dose(visit: &Visit, booking: &Booking) -> String {
    let slot = &visit.here.offer.catalog.slots[booking.doses.first.at()];
    let values = [
        ("at", text(When::of(visit).instant(slot.start))),
        ("site", text(site_name(visit, slot.site))),
    ];
    visit.lang.put("at-site", &values)
}
