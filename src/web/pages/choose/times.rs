//! Choosing a time: the slots of a day, or those near one that is full.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::civil::Date;

use super::notes::{Notes, Steps, TIME};
use super::{level, site_at, site_name};
use crate::availability::{Offered, seats_of};
use crate::domain::campaign::read_date;
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::time::Day;
use crate::web::pages::answer::long_page;
use crate::web::pages::confirm::vaccine_name;
use crate::web::pages::form::Form;
use crate::web::pages::frame::{Frame, minutes, seats, text};
use crate::web::pages::text::InLanguage;
use crate::web::pages::trouble::Trouble;
use crate::web::pages::visit::{Guest, Visit};
use crate::web::pages::when::When;

#[derive(Template)]
#[template(path = "times.html", config = "src/web/pages/askama.toml")]
struct TimesPage {
    f: Frame,
    kept: Notes,
    steps: Steps,
    site: InLanguage,
    day: String,
    notes: Vec<String>,
    /// Before and after noon, each with its slots; one without a slot is not there.
    halves: Vec<(&'static str, Vec<SlotView>)>,
    is_frozen: bool,
    up: String,
}

/// A slot with its second dose.
pub struct SlotView {
    pub slot: SlotIndex,
    pub site: InLanguage,
    pub day: String,
    pub time: String,
    pub vaccine: Option<InLanguage>,
    /// The second dose, where its day is not the same for all that are shown.
    pub second: Option<String>,
    pub free: String,
    pub level: &'static str,
    pub is_full: bool,
}

/// The times of a day, each with its second dose.
pub async fn times(request: HttpRequest, guest: Guest) -> Result<HttpResponse, Trouble> {
    let visit = &guest.visit;
    let (site, id) = site_at(&request, visit)?;
    let date = request.match_info().get("date").unwrap_or_default();
    let Ok(date) = read_date(date) else {
        return Ok(visit.onward(&format!("/sites/{id}")));
    };
    let form = Form::of_address(&request);
    if form.has("ended") && guest.hold().is_some() {
        // A pause made the hold last longer.
        return Ok(visit.onward("/confirm"));
    }
    let kept = Notes::of(&guest, &form)?;
    let (mut slots, second) = slots_of(visit, site, date);
    let l = visit.lang;
    let mut notes = vec![hold_note(visit)];
    notes.extend(second);
    if slots.is_empty() {
        notes = vec![l.say("no-times").to_owned()];
    }
    let noon = slots.partition_point(|slot| *slot.time < *"12:00");
    let after = slots.split_off(noon);
    let mut halves = vec![(l.say("morning"), slots), (l.say("afternoon"), after)];
    halves.retain(|(_, slots)| !slots.is_empty());
    let template = TimesPage {
        f: Frame::of(visit, &format!("/sites/{id}/{date}")),
        is_frozen: kept.frozen.is_some(),
        kept,
        steps: Steps::at(l, TIME),
        site: site_name(visit, site),
        day: When::of(visit).date(date),
        notes,
        halves,
        up: visit.to(&format!("/sites/{id}")),
    };
    Ok(long_page(&request, l, &template))
}

/// The slots of a site on a day, and the words for the second dose if they hold for all of them;
/// else each slot has its own.
pub fn slots_of(visit: &Visit, site: SiteIndex, date: Date) -> (Vec<SlotView>, Option<String>) {
    let known = visit.here.slots(site, Day::of(date));
    let mut slots: Vec<_> = known
        .iter()
        .map(|&(index, _, free)| slot_view(visit, index, free))
        .collect();
    let mut days = known.iter().map(|&(index, ..)| second_day(visit, index));
    let first = days.next().flatten();
    let Some(day) = first.filter(|first| days.all(|day| day == Some(*first))) else {
        return (slots, None);
    };
    slots.iter_mut().for_each(|slot| slot.second = None);
    let day = [("day", text(When::of(visit).short(day)))];
    (slots, Some(visit.lang.put("second-same", &day)))
}

/// The day of a slot's second dose, if that is at the same time of day.
fn second_day(visit: &Visit, slot: SlotIndex) -> Option<Date> {
    let (when, catalog) = (When::of(visit), &visit.here.offer.catalog);
    let slot = &catalog.slots[slot.at()];
    let second = &catalog.slots[catalog.second_of(slot)?.at()];
    let is_same = when.time(slot.start) == when.time(second.start);
    is_same.then(|| when.local_date(second.start))
}

/// For how long a chosen time is kept.
fn hold_note(visit: &Visit) -> String {
    let hold_s = visit.here.offer.catalog.campaign.booking.hold_s;
    let kept = [("minutes", text(minutes(visit.lang, hold_s.into())))];
    visit.lang.put("time-note", &kept)
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
    let is_choice = vaccines.len() > 1;
    let vaccine = vaccine_name(visit, slot.vaccine).filter(|_| is_choice);
    let offered = Offered {
        free,
        seats: seats_of(catalog, slot),
    };
    SlotView {
        slot: index,
        site: site_name(visit, slot.site),
        day: when.date(when.local_date(slot.start)),
        time: when.time(slot.start),
        vaccine,
        second,
        free: seats(visit.lang, free),
        level: level(offered),
        is_full: free == 0,
    }
}

/// The page of a slot's day at its site, behind the campaign's address; none for an unknown slot.
pub fn day_of(visit: &Visit, slot: SlotIndex) -> Option<String> {
    let catalog = &visit.here.offer.catalog;
    let slot = catalog.slot(slot)?;
    let site = &catalog.sites[slot.site.at()].row.site;
    Some(format!("/sites/{site}/{}", slot.date.date()))
}
