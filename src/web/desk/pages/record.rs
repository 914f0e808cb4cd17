//! Who did what: the acts of the people behind the desk and at the command line, a day at a time.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, GET, Page, at, shown};
use crate::domain::entry::Change;
use crate::domain::time::Stamp;
use crate::service::Service;
use crate::service::desk::record::{Act, acts_of_day};
use crate::web::desk::staff::{RecordReaders, Routes};
use crate::web::pages::Form;

mod words;

use words::Words;

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
    /// The number of its entry; of several of a kind, of the first.
    seq: u64,
    at: String,
    who: String,
    what: String,
    reason: String,
    /// As exports have it.
    exported: String,
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

/// A row for each act, with the reason that stands before it. People who got other seats one by one
/// are one row.
fn rows(page: &Page<RecordReaders>, acts: &[Act]) -> Vec<Row> {
    let words = Words::of(page);
    let mut rows: Vec<Row> = Vec::new();
    let mut reason: Option<&Act> = None;
    let mut left = acts;
    while let Some((first, _)) = left.split_first() {
        let same = left.iter().take_while(|act| is_same(act, first)).count();
        let (these, behind) = left.split_at(same.max(1));
        left = behind;
        if let Change::ReasonGiven { .. } = &first.change {
            reason = Some(first);
            continue;
        }
        let given = reason.take().filter(|given| given.who == first.who);
        let given = given.and_then(|given| match &given.change {
            Change::ReasonGiven { reason } => Some(reason.as_str()),
            _ => None,
        });
        let (kind, more) = first.exported();
        rows.push(Row {
            seq: first.seq.0,
            at: instant(&page.staff.service, first.at),
            who: first.who.clone(),
            what: words.did(first, these.len()),
            reason: given
                .or(words.reason(&first.change))
                .unwrap_or_default()
                .to_owned(),
            exported: format!("{kind} {more}"),
        });
    }
    rows
}

/// Whether both are of those acts that come by the thousand.
fn is_same(act: &Act, first: &Act) -> bool {
    let is_many = matches!(
        (&act.change, &first.change),
        (Change::MoveOffered { .. }, Change::MoveOffered { .. })
            | (Change::Relocated { .. }, Change::Relocated { .. })
            | (Change::PersonRekeyed { .. }, Change::PersonRekeyed { .. })
    );
    is_many && act.who == first.who
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
    let template = RecordPage {
        f: page.frame("/record", "desk-help-record"),
        date,
        account,
        acts: rows(&page, &acts),
        is_cut,
        fault,
    };
    shown(page.lang, &template)
}
