//! Who did what: the acts of the people behind the desk and at the command line, a day at a time.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, GET, Page, at, shown};
use crate::domain::time::Stamp;
use crate::service::Service;
use crate::service::desk::record::{Act, acts_of_day};
use crate::web::desk::staff::{RecordReaders, Routes};
use crate::web::pages::Form;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<RecordReaders, _, _>(GET, &at("/record"), record);
}

#[derive(Template)]
#[template(path = "desk/record.html", config = "src/web/pages/askama.toml")]
struct RecordPage {
    f: Frame,
    date: String,
    account: String,
    acts: Vec<Row>,
    is_cut: bool,
    fault: bool,
}

struct Row {
    seq: u64,
    at: String,
    who: String,
    what: String,
    more: String,
}

/// An instant in the zone of the first campaign, as people write it.
pub fn instant(service: &Service, at: Stamp) -> String {
    let offers = service.shared.offers();
    match offers.first() {
        Some(offer) => {
            let local = offer.catalog.campaign.zone.local(at);
            local.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        None => at.instant().to_string(),
    }
}

async fn record(page: Page<RecordReaders>, request: HttpRequest) -> HttpResponse {
    let form = Form::of_address(&request);
    let service = std::sync::Arc::clone(&page.staff.service);
    let today = instant(&service, service.clock.now());
    let date = match form.field("date") {
        "" => today.chars().take(10).collect(),
        date => date.to_owned(),
    };
    let account = form.field("account").to_owned();
    let (day, wanted) = (date.clone(), account.clone());
    let reading = std::sync::Arc::clone(&service);
    // A day of a whole country takes a second to read.
    let found = actix_web::web::block(move || acts_of_day(&reading, &day, &wanted)).await;
    let found = found.ok().and_then(Result::ok);
    let fault = found.is_none();
    let (acts, is_cut) = found.unwrap_or_default();
    let row = |act: &Act| Row {
        seq: act.seq.0,
        at: instant(&service, act.at),
        who: act.who.clone(),
        what: act.what.clone(),
        more: act.more.clone(),
    };
    let template = RecordPage {
        f: page.frame("/record", "desk-help-record"),
        date,
        account,
        acts: acts.iter().map(row).collect(),
        is_cut,
        fault,
    };
    shown(page.lang, &template)
}
