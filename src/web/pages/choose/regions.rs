//! Choosing a region: the provinces, as a list and as an outline of the country, or the districts
//! of one.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::notes::{Notes, SITE, Steps};
use super::{level, region_name, within};
use crate::service::browsing::Region;
use crate::web::pages::answer::long_page;
use crate::web::pages::frame::{Frame, seats, text};
use crate::web::pages::outline::{self, HEIGHT, Shape, WIDTH};
use crate::web::pages::visit::Visit;

#[derive(Template)]
#[template(path = "regions.html", config = "src/web/pages/askama.toml")]
struct RegionsPage {
    f: Frame,
    kept: Notes,
    steps: Steps,
    title: String,
    /// Why there is nothing to choose, and what to do.
    nothing: Option<(&'static str, &'static str)>,
    /// Other ways to a site: an address, and what is written on it.
    ways: Vec<(String, String)>,
    shapes: Vec<Shape>,
    /// The size of the drawing.
    drawing: [u32; 2],
    regions: Vec<RegionView>,
    query: String,
}

struct RegionView {
    name: String,
    address: String,
    free: String,
    level: &'static str,
}

/// The provinces.
pub fn provinces(request: &HttpRequest, visit: &Visit, kept: Notes, own: bool) -> HttpResponse {
    let known = visit.here.regions("");
    let l = visit.lang;
    let to_own = own.then(|| (visit.to("/sites"), l.say("own-region").to_owned()));
    let template = RegionsPage {
        f: Frame::of(visit, "/sites?region=all"),
        kept,
        steps: Steps::at(l, SITE),
        title: l.say("choose-province").to_owned(),
        nothing: nothing(visit, &known),
        ways: to_own.into_iter().collect(),
        shapes: outline::shapes(visit, &known),
        drawing: [WIDTH, HEIGHT],
        regions: known.iter().map(|region| view(visit, region)).collect(),
        query: String::new(),
    };
    long_page(request, l, &template)
}

/// The districts of a province; none if it has no site.
pub fn districts(
    request: &HttpRequest,
    visit: &Visit,
    kept: Notes,
    province: &str,
) -> Option<HttpResponse> {
    let known = visit.here.regions(province);
    if known.is_empty() {
        return None;
    }
    let l = visit.lang;
    let name = [("province", text(region_name(l, province)))];
    let template = RegionsPage {
        f: Frame::of(visit, &format!("/sites?region={province}")),
        kept,
        steps: Steps::at(l, SITE),
        title: l.put("choose-district", &name),
        nothing: nothing(visit, &known),
        ways: vec![
            within::earliest_way(visit, province),
            within::all_regions(visit),
        ],
        shapes: Vec::new(),
        drawing: [0; 2],
        regions: known.iter().map(|region| view(visit, region)).collect(),
        query: String::new(),
    };
    Some(long_page(request, l, &template))
}

/// Why nobody can choose anything in these regions, and what to do; none if somebody can.
fn nothing(visit: &Visit, known: &[Region]) -> Option<(&'static str, &'static str)> {
    let l = visit.lang;
    if visit.here.offer.catalog.slots.is_empty() {
        return Some((l.say("no-slots"), l.say("no-slots-next")));
    }
    let is_full = known.iter().all(|region| region.offered.free == 0);
    is_full.then(|| (l.say("no-seats"), l.say("no-seats-next")))
}

fn view(visit: &Visit, region: &Region) -> RegionView {
    RegionView {
        name: region_name(visit.lang, &region.code),
        address: visit.to(&format!("/sites?region={}", region.code)),
        free: seats(visit.lang, region.offered.free),
        level: level(region.offered),
    }
}
