//! The waiting room: one request, everything in it, the same bytes for all but a person's own
//! figures. Without a script it asks again by itself at the pace it is told; with one it asks for
//! the figures alone.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::assets::{self, Asset};
use super::frame::{Frame, grouped, minutes, text};
use super::ics::{self, Method};
use super::prepared::{Filled, For, Prepared, PreparedPages, hole, prepared_pages, without_holes};
use super::text::InLanguage;
use super::trouble::Trouble;
use super::visit::{Glance, Visit, give};
use super::when::When;
use crate::domain::line::Notice;
use crate::domain::line::windows::Window;
use crate::domain::time::Stamp;
use crate::gate::outlook::WaitBecause;
use crate::gate::{MayNotReach, Place, PlaceState};
use crate::service::Refused;
use crate::web::call::SESSION_COOKIE;
use crate::web::words::Lang;

/// From so many minutes on, hours are shown.
const LONG_MIN: u64 = 120;

/// What the room shows beside the figures: few combinations, each with a page of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scene {
    state: &'static str,
    because: Option<WaitBecause>,
    /// In the lobby: when the person's opening comes.
    opens: Option<Stamp>,
    /// When the opening ends, for somebody whose window has not come.
    closes: Option<Stamp>,
    /// When the opening ends, for somebody who will probably not have their turn; and their next.
    ends: Option<(Stamp, Option<Stamp>)>,
    /// The order of the lobby will be drawn.
    is_drawn: bool,
    wait: WaitIn,
    /// A turn has come, and is kept until an instant.
    has_deadline: bool,
}

/// How the wait is worded.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum WaitIn {
    /// Nobody is ahead.
    Next,
    Minutes,
    RangeOfMinutes,
    Hours,
}

#[derive(PartialEq)]
pub struct MadeOf {
    version: u32,
    /// The agency's file.
    agency: u32,
    message: Option<Notice>,
}

/// The room of a scene, with a hole for each of a person's figures.
#[derive(Template)]
#[template(path = "wait.html", config = "src/web/pages/askama.toml")]
struct Room {
    f: Frame,
    script: &'static Asset,
    api: String,
    state: &'static str,
    title: &'static str,
    message: Option<InLanguage>,
    opens: Option<String>,
    closes: Option<String>,
    window: String,
    window_words: String,
    because: &'static str,
    may_not_reach: Option<[String; 2]>,
    because_words: Option<&'static str>,
    number: String,
    number_words: String,
    ahead_words: String,
    passed: String,
    wait_words: String,
    /// How a script words a wait: minutes, hours, and the three kinds of it.
    patterns: [String; 9],
    is_drawn: bool,
    as_of_words: String,
    has_deadline: bool,
    deadline_words: String,
    poll_s: String,
    refresh_words: String,
    announce: String,
}

pub async fn room(request: HttpRequest, visit: Visit) -> Result<HttpResponse, Trouble> {
    let Some(token) = &visit.place else {
        return Ok(visit.onward("/enter"));
    };
    match visit.service.place(&visit.here, token) {
        Ok(place) => {
            // Whoever is in already, or goes in past the line, has nothing to wait for.
            let session = visit.session.as_deref();
            let inside = session.and_then(|known| visit.service.session(&visit.here, known).ok());
            if let Some(person) = inside {
                return Ok(visit.onward(visit.home(&person)));
            }
            if place.goes_past() && visit.service.frozen(&visit.here).is_none() {
                // Which leads on to their hold or their booking.
                return Ok(visit.onward("/book"));
            }
            Ok(shown(prepared_pages(&request), visit.glance(), &place).answer(request.headers()))
        }
        Err(Refused::PlaceInvalid) => Ok(visit.onward("/enter")),
        Err(refused) => Err(visit.trouble(&refused)),
    }
}

/// The room as it is for the person of a place.
pub fn shown(kept: &PreparedPages, glance: Glance<'_>, place: &Place) -> Filled {
    let here = glance.here;
    let board = here.gate.board.load();
    let scene = Scene::of(glance, place, board.view.state == "paused");
    let made_of = MadeOf {
        version: here.offer.catalog.version(),
        agency: here.agency().map_or(0, |known| known.version),
        message: board.notice(),
    };
    let make = |made_of: &MadeOf| make(&glance.visit(), scene, made_of.message.as_ref());
    let key = (here.index, glance.lang, scene);
    let page = kept.rooms.page(key, made_of, make);
    // Never full before the turn has come.
    let passed = place.number.saturating_sub(place.ahead + 1);
    let [low, high] = wait_words(glance.lang, scene.wait, place.wait_s);
    let window = place.window.filter(|_| place.state == PlaceState::Window);
    let window = window.map_or_else(Default::default, |window| window_told(glance, window));
    let values = vec![
        place.number.to_string(),
        grouped(place.number),
        grouped(place.ahead),
        passed.to_string(),
        low,
        high,
        kept.clock_s(here),
        place.next_poll_s.to_string(),
        window.0,
        window.1,
        place
            .kept_until
            .map_or_else(String::new, |until| deadline_told(glance, until)),
    ];
    Filled { page, values }
}

/// Where `shown` puts each figure.
const NUMBER: usize = 0;
const NUMBER_WORDS: usize = 1;
const AHEAD: usize = 2;
const PASSED: usize = 3;
const LOW: usize = 4;
const HIGH: usize = 5;
const AS_OF: usize = 6;
const POLL_S: usize = 7;
const WINDOW: usize = 8;
const WINDOW_WORDS: usize = 9;
const DEADLINE: usize = 10;

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

impl Scene {
    fn of(glance: Glance<'_>, place: &Place, paused: bool) -> Self {
        let state = match place.state {
            PlaceState::Window => "window",
            _ if paused => "paused",
            // Their turn was given on: the next that is free is theirs.
            PlaceState::Admitted if place.is_late => "waiting",
            PlaceState::Admitted => "admitted",
            PlaceState::Lobby => "lobby",
            PlaceState::Waiting => "waiting",
        };
        let openings = &glance.here.offer.catalog.campaign.openings;
        let opening = |at: u16| openings.get(usize::from(at));
        let own = place.opening.and_then(opening);
        let in_lobby = place.state == PlaceState::Lobby;
        let next = |why: MayNotReach| why.next.and_then(opening).map(|next| next.from);
        Self {
            state,
            because: place.wait_because,
            opens: own.filter(|_| in_lobby).map(|own| own.from),
            closes: own
                .filter(|_| place.state == PlaceState::Window)
                .map(|own| own.until),
            ends: own
                .zip(place.may_not_reach)
                .map(|(own, why)| (own.until, next(why))),
            is_drawn: state == "lobby" && place.ticket.given.in_draw(),
            wait: if state == "waiting" && place.ahead == 0 {
                WaitIn::Next
            } else {
                WaitIn::of(place.wait_s)
            },
            has_deadline: state == "admitted" && place.kept_until.is_some(),
        }
    }
}

impl WaitIn {
    fn of([low, high]: [u64; 2]) -> Self {
        let [low, high] = [low, high].map(whole_minutes);
        if high >= LONG_MIN {
            Self::Hours
        } else if low == high {
            Self::Minutes
        } else {
            Self::RangeOfMinutes
        }
    }
}

fn make(visit: &Visit, scene: Scene, message: Option<&Notice>) -> Prepared {
    let (l, here) = (visit.lang, &visit.here);
    let mut f = Frame::timeless(visit, "/wait");
    f.logo = None;
    f.name = without_holes(&f.name).into_owned();
    let message = message.map(|notice| InLanguage::notice(l, notice).without_holes());
    let script = assets::named("wait.js");
    let policy = f.look.policy(Some(script));
    let campaign = &here.offer.catalog.campaign.id;
    let title = match scene.state {
        "paused" => l.say("wait-paused"),
        "lobby" => l.say("wait-lobby"),
        "window" => l.say("wait-window"),
        "waiting" => l.say("wait-waiting"),
        _ => l.say("wait-admitted"),
    };
    let ahead_words = l.put("people-count", &[("count", text(hole(AHEAD)))]);
    let (low, high) = (text(hole(LOW)), text(hole(HIGH)));
    let wait_words = match scene.wait {
        WaitIn::Next => l.say("wait-you-are-next").to_owned(),
        WaitIn::Minutes => l.put("wait-one", &[("n", low)]),
        WaitIn::RangeOfMinutes => l.put("wait-minutes", &[("low", low), ("high", high)]),
        WaitIn::Hours => l.put("wait-long", &[("low", low), ("high", high)]),
    };
    let announced = [
        ("ahead", text(ahead_words.clone())),
        ("wait", text(wait_words.clone())),
    ];
    let marked = |id, at| format!("<span id=\"{id}\">{}</span>", hole(at));
    let room = Room {
        f,
        script,
        api: format!("/api/v1/campaigns/{campaign}/gate"),
        state: scene.state,
        title,
        message,
        opens: scene.opens.map(|at| When::of(visit).instant(at)),
        closes: scene.closes.map(|at| When::of(visit).instant(at)),
        window: hole(WINDOW),
        window_words: hole(WINDOW_WORDS),
        because: scene.because.map_or("", WaitBecause::name),
        because_words: match scene.because {
            Some(WaitBecause::Busy) => Some(l.say("because-busy")),
            Some(WaitBecause::Full) => Some(l.say("because-full")),
            Some(WaitBecause::Lowered) => Some(l.say("because-lowered")),
            Some(WaitBecause::Shared) => Some(l.say("because-shared")),
            Some(WaitBecause::Paused) | None => None,
        },
        may_not_reach: scene
            .ends
            .map(|(ends, next)| may_not_reach(visit, ends, next)),
        number: hole(NUMBER),
        number_words: hole(NUMBER_WORDS),
        ahead_words,
        passed: hole(PASSED),
        wait_words,
        patterns: patterns(l),
        as_of_words: l.put("as-of", &[("at", text(marked("as-of", AS_OF)))]),
        is_drawn: scene.is_drawn,
        has_deadline: scene.has_deadline,
        deadline_words: l.put("wait-deadline", &[("at", text(hole(DEADLINE)))]),
        poll_s: hole(POLL_S),
        refresh_words: l.put("wait-refresh", &[("s", text(hole(POLL_S)))]),
        announce: match scene.state {
            "waiting" => l.put("wait-announce", &announced),
            _ => title.to_owned(),
        },
    };
    Prepared::new(&room.render().unwrap_or_default(), &policy, l, For::One)
}

/// Until when a turn is kept, to the second.
fn deadline_told(glance: Glance<'_>, until: Stamp) -> String {
    let zone = &glance.here.offer.catalog.campaign.zone;
    let when = When {
        lang: glance.lang,
        zone,
    };
    when.clock_s(until)
}

/// A window as its place has it, and in words.
fn window_told(glance: Glance<'_>, window: Window) -> (String, String) {
    let zone = &glance.here.offer.catalog.campaign.zone;
    let when = When {
        lang: glance.lang,
        zone,
    };
    (
        zone.rfc3339(window.from),
        when.span(window.from, window.until),
    )
}

/// The person's window as a file for calendars.
pub async fn window_file(visit: Visit) -> Result<HttpResponse, Trouble> {
    let Some(token) = &visit.place else {
        return Ok(visit.onward("/enter"));
    };
    let place = visit.service.place(&visit.here, token);
    let place = place.map_err(|refused| visit.trouble(&refused))?;
    let Some(window) = place.window else {
        return Ok(visit.onward("/wait"));
    };
    let (l, campaign) = (visit.lang, &visit.here.offer.catalog.campaign);
    let name = l.pick(campaign.name.ko.as_str(), campaign.name.en.as_str());
    let id = visit.service.window_id(token, &place);
    let id = id.map_err(|refused| visit.trouble(&refused))?;
    let event = ics::Event {
        uid: format!("{id}@sumun"),
        sequence: window.planned.unix_s().max(0) as u64,
        stamp: window.planned,
        cancelled: false,
        organizer: name.to_owned(),
        start: window.from,
        end: window.until,
        summary: l.put("window-event", &[("name", text(name))]),
        place: String::new(),
        note: l.say("window-note").to_owned(),
        alarm: "PT10M",
    };
    Ok(ics::answer(Method::Publish, "window", &[event]))
}

/// That somebody's turn will probably not come, and what comes then.
fn may_not_reach(visit: &Visit, ends: Stamp, next: Option<Stamp>) -> [String; 2] {
    let (l, when) = (visit.lang, When::of(visit));
    let at = |at: Stamp| [("at", text(when.instant(at)))];
    let then = match next {
        Some(next) => l.put("may-not-reach-next", &at(next)),
        None => l.say("may-not-reach-none").to_owned(),
    };
    [l.put("may-not-reach", &at(ends)), then]
}

/// The wordings of a wait, with the names of the figures in them.
fn patterns(l: Lang) -> [String; 9] {
    let put = |key, names: &[&'static str]| {
        let values: Vec<_> = names
            .iter()
            .map(|name| (*name, text(format!("{{{name}}}"))))
            .collect();
        l.put(key, &values)
    };
    [
        put("minutes", &["n"]),
        put("hours", &["h", "m"]),
        put("wait-one", &["n"]),
        put("wait-minutes", &["low", "high"]),
        put("wait-long", &["low", "high"]),
        put("wait-announce", &["ahead", "wait"]),
        put("wait-next", &["s"]),
        put("wait-entering", &["s"]),
        l.say("wait-you-are-next").to_owned(),
    ]
}

fn whole_minutes(seconds: u64) -> u64 {
    seconds.div_ceil(60).max(1)
}

/// The range of the wait, as it stands in its words; a script counts the short forms on.
fn wait_words(l: Lang, wait: WaitIn, wait_s: [u64; 2]) -> [String; 2] {
    match wait {
        WaitIn::Next | WaitIn::Minutes | WaitIn::RangeOfMinutes => {
            wait_s.map(|seconds| whole_minutes(seconds).to_string())
        }
        WaitIn::Hours => wait_s.map(|seconds| minutes(l, seconds)),
    }
}
