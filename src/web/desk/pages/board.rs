//! The evening's board, as it is and as it goes on, and the acts at the gate. Each act is first
//! shown with what it does to how many people, and then done.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Frame, GET, POST, Page, Trouble, at, onward, shown_with};
use crate::domain::entry::{GateAct, Role};
use crate::domain::line::Notice;
use crate::domain::text::grouped;
use crate::service::desk::DeskRefused;
use crate::service::desk::board::snapshot::{BoardSnapshot, CampaignNow, OpeningNow, OwnAct};
use crate::service::desk::gate::{GateEffect, GatePreview};
use crate::web::desk::api::board::charts::{self, Span, Which};
use crate::web::desk::staff::{Operators, Routes, Watchers};
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<Watchers, _, _>(GET, &at("/board"), board);
    routes.page::<Operators, _, _>(POST, &at("/board/act"), act);
}

/// How often, and how many times, a look at the board is waited for after an act.
const BOARD_WAIT: Duration = Duration::from_millis(100);
const BOARD_WAITS: usize = 20;

#[derive(Template)]
#[template(path = "desk/board.html", config = "src/web/pages/askama.toml")]
struct BoardPage {
    f: Frame,
    /// The name of each chart, its title and its SVG.
    charts: Vec<(&'static str, &'static str, String)>,
    span: &'static str,
    is_hours: bool,
    heads: Vec<String>,
    history: Vec<Vec<String>>,
    trouble: Option<Trouble>,
    may_act: bool,
    as_of: String,
    figures: Vec<(&'static str, &'static str, String)>,
    campaigns: Vec<CampaignRow>,
    openings: Vec<OpeningRow>,
    server: Vec<(&'static str, &'static str, String)>,
    answers: Vec<(&'static str, String, String, String)>,
    refusals: Vec<(&'static str, u64, u64)>,
    seats: Vec<(String, String, String, String)>,
    warnings: Vec<String>,
    /// What was asked for, and what it would do.
    asked: Option<Asked>,
    typed: Typed,
}

struct CampaignRow {
    id: String,
    state: &'static str,
    paused: Option<String>,
    /// How far a drain has come.
    drained: Option<String>,
    message: Option<String>,
    rate: String,
    active_max: String,
    acts: Vec<String>,
}

struct OpeningRow {
    campaign: String,
    from: String,
    state: &'static str,
    waiting: u64,
    given: u64,
    serving: u64,
    admitted: u64,
    sessions: u64,
}

struct Asked {
    what: &'static str,
    waiting: String,
    sessions: String,
    effects: Vec<String>,
}

/// What was typed for an act.
#[derive(Clone, Default)]
struct Typed {
    act: String,
    campaign: String,
    text: String,
    en: String,
    number: String,
    freeze: bool,
    reason: String,
}

fn state_words(lang: Lang, state: &str) -> &'static str {
    lang.say(match state {
        "before" => "gate-before",
        "lobby" => "gate-lobby",
        "open" => "gate-open",
        "paused" => "gate-paused",
        "finishing" => "gate-finishing",
        _ => "gate-closed",
    })
}

/// What the server does by itself, and why.
fn own_act(lang: Lang, act: &OwnAct) -> String {
    let what = lang.say(match act.what {
        "brakes" => "own-brakes",
        "lets_go" => "own-lets-go",
        "full" => "own-full",
        "puts_off" => "own-puts-off",
        "refuses_bookings" => "own-refuses",
        _ => "own-stands-still",
    });
    match act.bound {
        Some(bound) => format!("{what} ({} {:.0} / {bound:.0})", act.why, act.figure),
        None => format!("{what} ({} {:.0})", act.why, act.figure),
    }
}

fn effect_words(lang: Lang, effect: &GateEffect) -> String {
    let people = [("people", grouped(effect.people).into())];
    let key = match effect.what {
        "line_stops" => "act-line-stops",
        "line_goes_on" => "act-line-goes-on",
        "line_faster" => "act-line-faster",
        "line_slower" => "act-line-slower",
        "until_restart" => "act-until-restart",
        "sessions_go_on" => "act-sessions-go-on",
        "sessions_frozen" => "act-sessions-frozen",
        "sessions_thawed" => "act-sessions-thawed",
        "nobody_called_until" => "act-nobody-until",
        "more_may_come" => "act-more",
        "fewer_may_come" => "act-fewer",
        "told" => "act-told",
        "untold" => "act-untold",
        _ => return lang.say("act-nothing").to_owned(),
    };
    lang.put(key, &people)
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1} ms"))
}

fn build(
    page: &Page<Watchers>,
    span: Span,
    typed: Typed,
    asked: Option<Asked>,
    trouble: Option<Trouble>,
) -> BoardPage {
    let lang = page.lang;
    let chart = |which: Which| {
        let svg = charts::draw_now(&page.staff.service, which, span, lang);
        (which.name(), which.title(lang), svg)
    };
    let (heads, history) = charts::table(&page.staff.service, span, lang);
    let frame = page.staff.service.desk.board.frame();
    let now: BoardSnapshot = frame.bounded(&page.staff.account.bounds);
    let server = &now.server;
    let campaign = |one: &CampaignNow| {
        // What is set is told as it is now: the snapshot may be from before an act.
        let (service, account) = (&page.staff.service, &page.staff.account);
        let seen = service.preview_gate(account, &one.campaign, &GateAct::Resume);
        let set = seen.ok().map(|seen| seen.now);
        let state = set.as_ref().map_or(&one.state, |set| &set.state);
        let said = set.as_ref().and_then(|set| {
            let text = set.message.clone()?;
            let en = set.message_en.clone();
            Some(lang.notice(&Notice { text, en }).0.to_owned())
        });
        let is_paused = state == "paused";
        let rate_set = set.as_ref().map_or(0, |set| set.admit_per_s);
        CampaignRow {
            id: one.campaign.clone(),
            state: state_words(lang, state),
            paused: said.clone().filter(|_| is_paused),
            drained: set.as_ref().filter(|set| set.until_restart).map(|_| {
                let people = grouped(one.sessions);
                match one.sessions {
                    0 => lang.say("board-drained").to_owned(),
                    _ => lang.put("board-draining", &[("people", people.into())]),
                }
            }),
            message: said.filter(|_| !is_paused),
            rate: format!("{:.0} / {rate_set}", one.controller.rate_in_force_per_s),
            active_max: grouped(set.map_or(one.active_max, |set| set.active_max).into()),
            acts: one
                .controller
                .acts
                .iter()
                .map(|act| own_act(lang, act))
                .collect(),
        }
    };
    let opening = |one: &OpeningNow| OpeningRow {
        campaign: one.campaign.clone(),
        from: one
            .from
            .chars()
            .take(16)
            .collect::<String>()
            .replace('T', " "),
        state: state_words(lang, &one.state),
        waiting: one.waiting,
        given: one.numbers_given,
        serving: one.serving,
        admitted: one.admitted,
        sessions: one.sessions,
    };
    let seats = now.campaigns.iter().flat_map(|one| &one.seats);
    let free = server.disk.free_bytes.map(|bytes| bytes >> 20);
    let days = server.certificates.iter().map(|one| one.days_left).min();
    let told_age = |seconds: Option<u64>| {
        let told = seconds.map(|seconds| lang.put("ago", &[("s", grouped(seconds).into())]));
        told.unwrap_or_else(|| lang.say("never").to_owned())
    };
    BoardPage {
        f: page.frame("/board", "desk-help-board"),
        charts: Which::ALL.map(chart).to_vec(),
        span: span.name(),
        is_hours: span == Span::Hours,
        heads,
        history,
        trouble,
        may_act: page.staff.account.role == Role::Operator,
        as_of: now.as_of.clone(),
        figures: vec![
            (
                "waiting",
                lang.say("board-waiting"),
                now.waiting.to_string(),
            ),
            (
                "sessions",
                lang.say("board-sessions"),
                now.sessions.to_string(),
            ),
            (
                "admitted_per_s",
                lang.say("board-admitted"),
                format!("{:.0}", now.admitted_per_s),
            ),
            (
                "bookings_per_s",
                lang.say("board-bookings-s"),
                format!("{:.0}", now.bookings_per_s),
            ),
            (
                "bookings",
                lang.say("board-bookings"),
                now.bookings.to_string(),
            ),
        ],
        campaigns: now.campaigns.iter().map(campaign).collect(),
        openings: now.openings.iter().map(opening).collect(),
        server: vec![
            (
                "server.writer.queue",
                lang.say("board-queue"),
                server.writer.queue.to_string(),
            ),
            (
                "server.writer.commit_p99_ms",
                lang.say("board-commit"),
                ms(server.writer.commit_p99_ms),
            ),
            (
                "server.writer.settle_p99_ms",
                lang.say("board-settle"),
                ms(server.writer.settle_p99_ms),
            ),
            (
                "server.connections",
                lang.say("board-connections"),
                server.connections.to_string(),
            ),
            (
                "server.clock.step_s",
                lang.say("board-clock"),
                format!("{:.1} s", server.clock.step_s),
            ),
            (
                "",
                lang.say("board-certificate"),
                days.map_or_else(
                    || "–".to_owned(),
                    |days| lang.put("days", &[("days", days.into())]),
                ),
            ),
            (
                "",
                lang.say("board-disk"),
                free.map_or_else(|| "–".to_owned(), |free| format!("{} MiB", grouped(free))),
            ),
            ("", lang.say("board-copy"), told_age(server.copies.age_s)),
            (
                "",
                lang.say("board-drill"),
                told_age(server.copies.drill_age_s),
            ),
        ],
        answers: server
            .answers
            .iter()
            .map(|one| {
                (
                    one.class,
                    format!("{:.0}", one.per_s),
                    format!("{:.1}", one.p50_ms),
                    format!("{:.1}", one.p99_ms),
                )
            })
            .collect(),
        refusals: server
            .refusals
            .iter()
            .map(|one| (one.code, one.last_minute, one.in_all))
            .collect(),
        seats: seats
            .map(|one| {
                (
                    one.province.clone(),
                    one.vaccine.clone(),
                    grouped(one.left),
                    grouped(one.capacity),
                )
            })
            .collect(),
        warnings: server
            .not_ready
            .iter()
            .chain(&server.warnings)
            .cloned()
            .collect(),
        asked,
        typed,
    }
}

async fn board(page: Page<Watchers>, request: HttpRequest) -> HttpResponse {
    let form = Form::of_address(&request);
    let span = Span::named(form.field("span")).unwrap_or(Span::Minutes);
    let template = build(&page, span, Typed::default(), None, None);
    shown_with(page.lang, StatusCode::OK, &template)
}

/// The act that a form asks for.
fn wanted(typed: &Typed) -> Option<GateAct> {
    let said = || Notice {
        text: typed.text.clone(),
        en: Some(typed.en.clone()).filter(|en| !en.is_empty()),
    };
    Some(match typed.act.as_str() {
        "pause" => GateAct::PauseSaid {
            reason: said(),
            freezes: typed.freeze,
        },
        "drain" => GateAct::Drain { reason: said() },
        "resume" => GateAct::Resume,
        "rate" => GateAct::Rate {
            admit_per_s: typed.number.parse().ok()?,
        },
        "active" => GateAct::Active {
            active_max: typed.number.parse().ok()?,
        },
        "message" if typed.text.is_empty() => GateAct::Message {
            text: String::new(),
        },
        "message" => GateAct::MessageSaid { message: said() },
        _ => return None,
    })
}

async fn act(page: Page<Operators>, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let typed = Typed {
        act: form.field("act").to_owned(),
        campaign: form.field("campaign").to_owned(),
        text: form.field("text").to_owned(),
        en: form.field("en").to_owned(),
        number: form.field("number").to_owned(),
        freeze: form.has("freeze"),
        reason: form.field("reason").to_owned(),
    };
    let lang = page.lang;
    let again = |page: Page<Operators>, asked, trouble: Option<Trouble>| {
        let status = match trouble {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        let watcher = page.into_watcher();
        let template = build(&watcher, Span::Minutes, typed.clone(), asked, trouble);
        shown_with(lang, status, &template)
    };
    let Some(act) = wanted(&typed) else {
        let trouble = match typed.act.as_str() {
            "rate" | "active" => Trouble {
                title: lang.say("act-number-wrong").to_owned(),
                next: lang.say("act-number-wrong.next").to_owned(),
            },
            _ => page.trouble(DeskRefused::NotFound),
        };
        return again(page, None, Some(trouble));
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    if !form.has("do") {
        return match service.preview_gate(account, &typed.campaign, &act) {
            Ok(seen) => {
                let asked = Asked::of(lang, &typed.act, &seen);
                again(page, Some(asked), None)
            }
            Err(refused) => {
                let trouble = page.trouble(refused);
                again(page, None, Some(trouble))
            }
        };
    }
    let reason = Some(typed.reason.as_str()).filter(|reason| !reason.is_empty());
    let done = service
        .act_at_gate(account, &typed.campaign, act, reason)
        .await;
    match done {
        Ok(_) => {
            // The board is looked at once a second: the page that follows has the act all over.
            let before = service.desk.board.frame();
            for _ in 0..BOARD_WAITS {
                if !Arc::ptr_eq(&service.desk.board.frame(), &before) {
                    break;
                }
                tokio::time::sleep(BOARD_WAIT).await;
            }
            onward(&page.to("/board"))
        }
        Err(refused) => {
            let trouble = page.trouble(refused);
            again(page, None, Some(trouble))
        }
    }
}

impl Asked {
    fn of(lang: Lang, act: &str, seen: &GatePreview) -> Self {
        Self {
            what: lang.say(match act {
                "pause" => "act-pause",
                "drain" => "act-drain",
                "resume" => "act-resume",
                "rate" => "act-rate",
                "active" => "act-active",
                _ => "act-message",
            }),
            waiting: grouped(seen.waiting),
            sessions: grouped(seen.sessions),
            effects: seen
                .effects
                .iter()
                .map(|effect| effect_words(lang, effect))
                .collect(),
        }
    }
}
