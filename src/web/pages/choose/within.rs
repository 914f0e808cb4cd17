//! Choosing a site: near a place, by its name, or by its earliest day.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::notes::{Notes, SITE, Steps};
use super::words::encoded;
use super::{level, region_name, row_name, site_name};
use crate::domain::booking::site::SiteRow;
use crate::domain::ids::SiteIndex;
use crate::service::browsing::{Earliest, Point, Words};
use crate::web::pages::answer::long_page;
use crate::web::pages::frame::{Frame, grouped, seats, text};
use crate::web::pages::text::InLanguage;
use crate::web::pages::visit::Visit;
use crate::web::pages::when::When;
use crate::web::words::Value;

/// Sites shown of a district, of a search, or of those with the earliest days.
const SITES_MAX: usize = 20;

#[derive(Template)]
#[template(path = "sites.html", config = "src/web/pages/askama.toml")]
struct SitesPage {
    f: Frame,
    kept: Notes,
    steps: Steps,
    title: String,
    notes: Vec<String>,
    /// Why there is nothing to choose, and what to do.
    nothing: Option<(&'static str, &'static str)>,
    /// Other ways to a site: an address, and what is written on it.
    ways: Vec<(String, String)>,
    sites: Vec<SiteView>,
    query: String,
    /// The form for other words stands above what was found, and below what is near.
    is_search: bool,
}

struct SiteView {
    name: InLanguage,
    street: InLanguage,
    address: String,
    distance: Option<String>,
    /// The address of the earliest day with a free seat, and what is written on it.
    earliest: Option<(String, String)>,
    level: &'static str,
    /// The number as it is called and as it is read.
    phone: Option<(String, String)>,
    directions: String,
}

#[derive(Template)]
#[template(path = "earliest.html", config = "src/web/pages/askama.toml")]
struct EarliestPage {
    f: Frame,
    kept: Notes,
    steps: Steps,
    title: String,
    ways: Vec<(String, String)>,
    rows: Vec<RowView>,
}

struct RowView {
    address: String,
    at: String,
    site: InLanguage,
    place: String,
    free: String,
    level: &'static str,
}

/// The way to the earliest days of a province.
pub fn earliest_way(visit: &Visit, province: &str) -> (String, String) {
    let name = [("province", text(region_name(visit.lang, province)))];
    let address = visit.to(&format!("/sites?earliest={province}"));
    (address, visit.lang.put("earliest-in", &name))
}

/// The way to the list of all provinces.
pub fn all_regions(visit: &Visit) -> (String, String) {
    let address = visit.to("/sites?region=all");
    (address, visit.lang.say("other-region").to_owned())
}

fn distance(visit: &Visit, metres: u32) -> String {
    let tenths = metres.div_ceil(100);
    let km = format!("{}.{}", tenths / 10, tenths % 10);
    visit.lang.put("distance", &[("km", text(km))])
}

/// The sites nearest to the middle of a district, also those of its neighbours; none for a place
/// that nothing is known of. `is_own` says that the person lives there.
pub fn near(
    request: &HttpRequest,
    visit: &Visit,
    kept: Notes,
    region: &str,
    is_own: bool,
) -> Option<HttpResponse> {
    let l = visit.lang;
    let middle = visit.here.middle_of(region)?;
    let nearest = visit.here.nearest(middle, SITES_MAX);
    let sites = nearest.iter();
    let sites = sites.map(|near| site_view(visit, near.site, Some(near.metres)));
    let (free, full): (Vec<_>, Vec<_>) = sites.partition(|site| site.earliest.is_some());
    let province = region.split('/').next().unwrap_or_default();
    let district = [("district", text(region_name(l, region)))];
    let (page, title) = if is_own {
        ("/sites".to_owned(), l.put("sites-own", &district))
    } else {
        let page = format!("/sites?region={region}");
        (page, l.put("sites-near", &district))
    };
    let ways = vec![earliest_way(visit, province), all_regions(visit)];
    let template = SitesPage {
        f: Frame::of(visit, &page),
        kept,
        steps: Steps::at(l, SITE),
        title,
        notes: vec![l.put("distance-note", &district)],
        nothing: nothing(visit, free.is_empty()),
        ways,
        sites: free.into_iter().chain(full).collect(),
        query: String::new(),
        is_search: false,
    };
    Some(long_page(request, l, &template))
}

fn nothing(visit: &Visit, is_full: bool) -> Option<(&'static str, &'static str)> {
    let l = visit.lang;
    if visit.here.offer.catalog.slots.is_empty() {
        return Some((l.say("no-slots"), l.say("no-slots-next")));
    }
    is_full.then(|| (l.say("near-full"), l.say("near-full-next")))
}

/// The sites that a search found, with the form to search again.
pub fn found(
    request: &HttpRequest,
    visit: &Visit,
    kept: Notes,
    query: &str,
    from: Option<Point>,
) -> HttpResponse {
    let l = visit.lang;
    let found = visit.here.search(&Words::of(query), from, SITES_MAX);
    let count: [(&'static str, Value); 2] = [
        ("n", Value::from(found.count)),
        ("count", text(grouped(found.count as u64))),
    ];
    let mut notes = match found.count {
        0 => vec![l.say("found-none").to_owned()],
        _ => vec![l.put("found-count", &count)],
    };
    if found.count > SITES_MAX {
        notes.push(l.say("found-many").to_owned());
    }
    let sites = found.sites.into_iter();
    let sites = sites.map(|(site, metres)| site_view(visit, site, metres));
    let template = SitesPage {
        f: Frame::of(visit, &format!("/sites?query={}", encoded(query))),
        kept,
        steps: Steps::at(l, SITE),
        title: l.put("sites-found", &[("query", text(query))]),
        notes,
        nothing: None,
        ways: vec![all_regions(visit)],
        sites: sites.collect(),
        query: query.to_owned(),
        is_search: true,
    };
    long_page(request, l, &template)
}

fn site_view(visit: &Visit, site: SiteIndex, metres: Option<u32>) -> SiteView {
    let l = visit.lang;
    let row = &visit.here.offer.catalog.sites[site.at()].row;
    let address = visit.to(&format!("/sites/{}", row.site));
    let earliest = visit.here.earliest_at(site).map(|day| {
        let values = [
            ("day", text(When::of(visit).short(day.date.date()))),
            // Kept on one line.
            (
                "seats",
                text(seats(l, day.offered.free).replace(' ', "\u{a0}")),
            ),
        ];
        let date = day.date.date();
        (format!("{address}/{date}"), l.put("earliest-day", &values))
    });
    SiteView {
        name: site_name(visit, site),
        street: InLanguage::of(l, &*row.address),
        distance: metres.map(|metres| distance(visit, metres)),
        earliest,
        level: level(visit.here.offered_at(site)),
        phone: phone(&row.phone),
        directions: directions(row, row_name(l, row)),
        address,
    }
}

/// A telephone number as a link calls it, and as people read it; none where there is none.
pub fn phone(written: &str) -> Option<(String, String)> {
    let called: String = { written.chars() }
        .filter(|letter| letter.is_ascii_digit() || *letter == '+')
        .collect();
    (!called.is_empty()).then(|| (format!("tel:{called}"), written.to_owned()))
}

/// A site on the map of the device. Source: RFC 5870, with the name as map programs take it.
pub fn directions(row: &SiteRow, name: &str) -> String {
    let degrees = |e6: i32| format!("{:.6}", f64::from(e6) / 1e6);
    let at = format!("{},{}", degrees(row.lat_e6), degrees(row.lng_e6));
    format!("geo:{at}?q={at}({})", encoded(name))
}

/// The sites of a province with the earliest days; none for a region without a site.
pub fn earliest(
    request: &HttpRequest,
    visit: &Visit,
    kept: Notes,
    province: &str,
    from: Option<Point>,
) -> Option<HttpResponse> {
    visit.here.middle_of(province)?;
    let l = visit.lang;
    let rows = visit.here.earliest(province, from, SITES_MAX);
    let district = visit.to(&format!("/sites?region={province}"));
    let template = EarliestPage {
        f: Frame::of(visit, &format!("/sites?earliest={province}")),
        kept,
        steps: Steps::at(l, SITE),
        title: earliest_way(visit, province).1,
        ways: vec![
            (district, l.say("by-district").to_owned()),
            all_regions(visit),
        ],
        rows: rows.iter().map(|row| row_view(visit, row)).collect(),
    };
    Some(long_page(request, l, &template))
}

fn row_view(visit: &Visit, row: &Earliest) -> RowView {
    let (l, when) = (visit.lang, When::of(visit));
    let site = &visit.here.offer.catalog.sites[row.site.at()].row;
    let date = row.day.date.date();
    let first = row.day.first.map(|first| when.time(first));
    let at = [
        ("day", text(when.short(date))),
        ("time", text(first.unwrap_or_default())),
    ];
    let mut place = region_name(l, &site.region);
    if let Some(metres) = row.metres {
        place = format!("{place}, {}", distance(visit, metres));
    }
    RowView {
        address: visit.to(&format!("/sites/{}/{date}", site.site)),
        at: l.put("earliest-at", &at),
        site: site_name(visit, row.site),
        place,
        free: seats(l, row.day.offered.free),
        level: level(row.day.offered),
    }
}
