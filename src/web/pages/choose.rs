//! Choosing: a region, a site, a day, a time. The same pages serve a first booking and a move.

pub mod notes;
mod regions;
pub mod times;
mod within;
pub mod words;

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::notes::{DAY, Notes, Steps};
pub use self::within::{directions, phone};
use super::answer::long_page;
use super::calendar::{Days, Month};
use super::form::Form;
use super::frame::{Frame, text};
use super::text::InLanguage;
use super::trouble::Trouble;
use super::visit::{Guest, Visit};
use super::when::When;
use crate::availability::Offered;
use crate::domain::booking::site::SiteRow;
use crate::domain::ids::SiteIndex;
use crate::domain::state::Booking;
use crate::regions as places;
use crate::service::Refused;
use crate::web::words::Lang;

/// Longer texts are no place's name.
const QUERY_CHARACTERS_MAX: usize = 40;
/// Few are left where at most one in so many is free.
const FEW_OF: u32 = 10;

#[derive(Template)]
#[template(path = "days.html", config = "src/web/pages/askama.toml")]
struct DaysPage {
    f: Frame,
    kept: Notes,
    steps: Steps,
    site: InLanguage,
    street: InLanguage,
    weekdays: Vec<(String, String)>,
    months: Vec<Month>,
    up: String,
}

/// How many of the offered seats are free, as a word for the style sheet.
pub fn level(offered: Offered) -> &'static str {
    let few = (offered.seats / FEW_OF).max(1);
    match offered.free {
        0 => "none",
        free if free <= few => "few",
        _ => "many",
    }
}

/// The sites near where the person lives, or what the address asks for instead: a region, the
/// earliest days of a province, or what a search found.
pub async fn sites(request: HttpRequest, guest: Guest) -> Result<HttpResponse, Trouble> {
    let form = Form::of_address(&request);
    let kept = Notes::of(&guest, &form)?;
    Ok(sites_page(&request, &guest, &form, kept))
}

fn sites_page(request: &HttpRequest, guest: &Guest, form: &Form, kept: Notes) -> HttpResponse {
    let visit = &guest.visit;
    let own = visit.here.offer.region(&guest.person);
    let own = own.map(places::listed_code);
    let home = || own.as_deref().and_then(|own| visit.here.middle_of(own));
    let query = form.field("query").chars();
    let query: String = query.take(QUERY_CHARACTERS_MAX).collect();
    if !query.is_empty() {
        return within::found(request, visit, kept, &query, home());
    }
    let elsewhere = || visit.onward("/sites?region=all");
    let earliest = places::listed_code(form.field("earliest"));
    if !earliest.is_empty() {
        let page = within::earliest(request, visit, kept, &earliest, home());
        return page.unwrap_or_else(elsewhere);
    }
    let asked = places::listed_code(form.field("region"));
    let region = match (&*asked, own.as_deref()) {
        ("all", own) => return regions::provinces(request, visit, kept, own.is_some()),
        ("", None) => return regions::provinces(request, visit, kept, false),
        ("", Some(own)) => own,
        (asked, _) => asked,
    };
    let page = if region.contains('/') {
        within::near(request, visit, kept, region, asked.is_empty())
    } else {
        regions::districts(request, visit, kept, region)
    };
    page.unwrap_or_else(elsewhere)
}

/// A name as short as a map needs it: 서울 of 서울특별시, 충북 of 충청북도, Jongno of Jongno-gu.
pub fn short(name: String) -> String {
    let letters: Vec<char> = name.chars().collect();
    match letters[..] {
        _ if name.is_ascii() => name.split('-').next().unwrap_or_default().to_owned(),
        [first, _, side @ ('남' | '북'), '도'] => [first, side].iter().collect(),
        [first, second, .., '시' | '도'] if letters.len() > 3 => [first, second].iter().collect(),
        [first, second, '도'] => [first, second].iter().collect(),
        _ => name,
    }
}

/// The days of a site, as calendars.
pub async fn days(request: HttpRequest, guest: Guest) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let (site, id) = site_at(&request, visit)?;
    let kept = Notes::of(&guest, &Form::of_address(&request))?;
    let when = When::of(visit);
    let days = visit.here.days(site);
    let days = Days {
        when: &when,
        today: when.local_date(visit.here.now),
        offered: &days,
    };
    let row = &visit.here.offer.catalog.sites[site.at()].row;
    let template = DaysPage {
        f: Frame::of(visit, &format!("/sites/{id}")),
        kept,
        steps: Steps::at(visit.lang, DAY),
        site: site_name(visit, site),
        street: InLanguage::of(visit.lang, &*row.address),
        weekdays: (0..7).map(|day| when.weekday(day)).collect(),
        months: days.months(|date| visit.to(&format!("/sites/{id}/{date}"))),
        up: visit.to(&format!("/sites?region={}", row.region)),
    };
    Ok(long_page(&request, visit.lang, &template))
}

fn site_at(request: &HttpRequest, visit: &Visit) -> Result<(SiteIndex, String), Trouble> {
    let id = request.match_info().get("site").unwrap_or_default();
    match visit.here.site(id) {
        Ok(site) => Ok((site, id.to_owned())),
        Err(Refused::NotFound) => Err(Trouble::of(visit.onward("/sites"))),
        Err(refused) => Err(visit.trouble(&refused)),
    }
}

pub fn site_name(visit: &Visit, site: SiteIndex) -> InLanguage {
    let row = &visit.here.offer.catalog.sites[site.at()].row;
    InLanguage::of(visit.lang, row_name(visit.lang, row))
}

/// A site's name, in Korean where it has no other.
fn row_name(l: Lang, row: &SiteRow) -> &str {
    let name = l.pick(&row.name_ko, &row.name_en);
    if name.is_empty() { &row.name_ko } else { name }
}

/// A region's name, or its code.
pub fn region_name(l: Lang, code: &str) -> String {
    match places::names(code) {
        Some((ko, en)) => l.pick(ko, en).to_owned(),
        None => code.to_owned(),
    }
}

/// When and where the first dose of a booking is.
pub fn first_dose(visit: &Visit, booking: &Booking) -> String {
    let slot = &visit.here.offer.catalog.slots[booking.doses.first.at()];
    let values = [
        ("at", text(When::of(visit).instant(slot.start))),
        ("site", text(site_name(visit, slot.site).to_string())),
    ];
    visit.lang.put("at-site", &values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_is_a_tenth_of_what_is_offered_and_at_least_one() {
        let level = |free, seats| level(Offered { free, seats });
        assert_eq!([level(0, 0), level(0, 50)], ["none"; 2]);
        assert_eq!([level(1, 4), level(1, 1), level(5, 50)], ["few"; 3]);
        assert_eq!([level(2, 4), level(6, 50), level(50, 50)], ["many"; 3]);
    }
}
