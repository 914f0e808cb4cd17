//! The waiting room: one request, everything in it, the same bytes for all but a person's own
//! figures. Without a script it asks again by itself at the pace it is told; with one it asks for
//! the figures alone.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::assets::{self, Asset};
use super::frame::{Frame, grouped, minutes, text};

use super::prepared::{HOLE, Kept, Prepared, kept};
use super::trouble::Trouble;
use super::visit::{Visit, give};
use super::when::When;
use crate::gate::outlook::WaitBecause;
use crate::gate::{Place, PlaceState};
use crate::service::Refused;
use crate::web::call::SESSION_COOKIE;
use crate::web::words::Lang;

/// From so many minutes on, hours are shown.
const LONG_MIN: u64 = 120;

#[derive(Template)]
#[template(path = "wait.html", config = "src/web/pages/askama.toml")]
struct Shell {
    f: Frame,
    hole: &'static str,
    script: &'static Asset,
    api: String,
}

/// What stands in the head: the title, and the pace for browsers without a script.
#[derive(Template)]
#[template(path = "wait_head.html", config = "src/web/pages/askama.toml")]
struct HeadPart<'a> {
    title: &'a str,
    poll_s: u32,
    name: &'a str,
}

#[derive(Template)]
#[template(path = "wait_part.html", config = "src/web/pages/askama.toml")]
struct OwnPart<'a> {
    l: Lang,
    base: String,
    state: &'static str,
    title: &'a str,
    number: u64,
    number_words: String,
    ahead: u64,
    passed: u64,
    ahead_words: String,
    wait_words: String,
    as_of: String,
    poll_s: u32,
    opens: Option<String>,
    message: Option<&'a str>,
    announce: String,
    because: &'static str,
    because_words: Option<&'static str>,
}

/// A policy that allows these styles and scripts inside a page, by what they hold.
pub fn policy(styles: &[&Asset], scripts: &[&Asset]) -> String {
    let hashes = |all: &[&Asset]| -> String {
        all.iter()
            .map(|asset| format!(" {}", asset.csp_hash()))
            .collect()
    };
    let (styles, scripts) = (hashes(styles), hashes(scripts));
    format!(
        "default-src 'none'; style-src 'self'{styles}; script-src 'self'{scripts}; \
         img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

pub async fn room(request: HttpRequest, visit: Visit) -> Result<HttpResponse, Trouble> {
    shown(kept(&request), request.headers(), &visit)
}

/// The room as it is for the person of a place.
pub fn shown(kept: &Kept, headers: &HeaderMap, visit: &Visit) -> Result<HttpResponse, Trouble> {
    let Some(token) = &visit.place else {
        return Ok(visit.onward("/enter"));
    };
    let place = match visit.service.place(&visit.here, token) {
        Ok(place) => place,
        Err(Refused::PlaceInvalid) => return Ok(visit.onward("/enter")),
        Err(refused) => return Err(visit.trouble(&refused)),
    };
    let (head, own) = parts(visit, &place);
    let here = &visit.here;
    let made_of = here.offer.catalog.version().to_string();
    let make = || make(visit);
    let page = kept.page("wait", Some(here.index), visit.lang, &made_of, make);
    Ok(page.filled(headers, &[&head, &own]))
}

pub async fn to_room(visit: Visit) -> HttpResponse {
    visit.onward("/wait")
}

/// Begins the session of a person whose turn has come.
pub async fn admit(request: HttpRequest, visit: Visit) -> Result<HttpResponse, Trouble> {
    let Some(token) = &visit.place else {
        return Ok(visit.onward("/enter"));
    };
    match visit.service.admit(&visit.here, token) {
        Ok((_, session)) => {
            give(&request, SESSION_COOKIE, &session);
            let person = visit.service.session(&visit.here, &session);
            let person = person.map_err(|refused| visit.trouble(&refused))?;
            Ok(visit.onward(visit.home(&person)))
        }
        Err(Refused::NotAdmitted(_) | Refused::Paused { .. }) => Ok(visit.onward("/wait")),
        Err(Refused::PlaceInvalid) => Ok(visit.onward("/enter")),
        Err(refused) => Err(visit.trouble(&refused)),
    }
}

fn make(visit: &Visit) -> Prepared {
    let f = Frame::timeless(visit, "/wait");
    let script = assets::named("wait.js");
    let policy = policy(&[f.style], &[script]);
    let campaign = &visit.here.offer.catalog.campaign.id;
    let shell = Shell {
        f,
        hole: HOLE,
        script,
        api: format!("/api/v1/campaigns/{campaign}/gate"),
    };
    Prepared::new(&shell.render().unwrap_or_default(), policy, visit.lang)
}

/// The person's own head and figures.
fn parts(visit: &Visit, place: &Place) -> (String, String) {
    let (l, here) = (visit.lang, &visit.here);
    let when = When::of(visit);
    let campaign = &here.offer.catalog.campaign;
    let board = here.gate.board.load();
    let paused = board.view.state == "paused";
    let state = match place.state {
        _ if paused && place.state != PlaceState::Admitted => "paused",
        PlaceState::Lobby => "lobby",
        PlaceState::Waiting => "waiting",
        PlaceState::Admitted => "admitted",
    };
    let title = match state {
        "paused" => l.say("wait-paused"),
        "lobby" => l.say("wait-lobby"),
        "waiting" => l.say("wait-waiting"),
        _ => l.say("wait-admitted"),
    };
    let wait_words = wait_words(l, place.wait_s);
    let ahead_words = l.put("people-count", &[("count", text(grouped(place.ahead)))]);
    let opens_at = |token: &String| visit.service.opens_at(here, token);
    let opens = visit.place.as_ref().and_then(opens_at);
    let opens = opens.filter(|_| place.state == PlaceState::Lobby);
    let opens = opens.map(|at| when.instant(at));
    let announce = match state {
        "waiting" => l.put(
            "wait-announce",
            &[
                ("ahead", text(ahead_words.clone())),
                ("wait", text(wait_words.clone())),
            ],
        ),
        _ => title.to_owned(),
    };
    let because_words = match place.wait_because {
        Some(WaitBecause::Busy) => Some(l.say("because-busy")),
        Some(WaitBecause::Full) => Some(l.say("because-full")),
        Some(WaitBecause::Lowered) => Some(l.say("because-lowered")),
        Some(WaitBecause::Paused) | None => None,
    };
    let name = l.pick(&campaign.name.ko, &campaign.name.en);
    let head = HeadPart {
        title,
        poll_s: if state == "admitted" {
            0
        } else {
            place.next_poll_s
        },
        name,
    };
    let own = OwnPart {
        l,
        base: visit.to(""),
        state,
        title,
        number: place.number,
        number_words: grouped(place.number),
        ahead: place.ahead,
        passed: place.number.saturating_sub(place.ahead),
        ahead_words,
        wait_words,
        as_of: when.clock_s(here.now),
        poll_s: place.next_poll_s,
        opens,
        message: board.view.message.as_deref(),
        announce,
        because: place.wait_because.map_or("", WaitBecause::name),
        because_words,
    };
    (
        head.render().unwrap_or_default(),
        own.render().unwrap_or_default(),
    )
}

/// The range of the wait; a script counts the short form on.
fn wait_words(l: Lang, [low, high]: [u64; 2]) -> String {
    let whole = |seconds: u64| seconds.div_ceil(60).max(1);
    if whole(high) < LONG_MIN {
        if whole(low) == whole(high) {
            return l.put("wait-one", &[("n", whole(low).into())]);
        }
        let values = [("low", whole(low).into()), ("high", whole(high).into())];
        return l.put("wait-minutes", &values);
    }
    let values = [
        ("low", text(minutes(l, low))),
        ("high", text(minutes(l, high))),
    ];
    l.put("wait-long", &values)
}
