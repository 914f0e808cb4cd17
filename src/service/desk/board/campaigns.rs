//! A campaign, its gate and its lines at one moment.
//!
//! The published state is looked at for as long as it takes to copy counts, as every reader does.

use std::collections::HashMap;

use super::snapshot::{
    CampaignNow, CodeCount, ControllerNow, NoticeNow, OpeningNow, OwnAct, PauseNow,
};
use crate::domain::campaign::{Campaign, Opening};
use crate::domain::ids::LineIndex;
use crate::domain::line::{GateSettings, Line, Notice};
use crate::domain::state::CampaignState;
use crate::domain::time::Stamp;
use crate::engine::shared::Offer;
use crate::gate::Gate;
use crate::gate::admission::{DELAY_TARGET_US, Queue};
use crate::gate::hours::{OpeningState, gate_state};
use crate::service::Service;

/// Openings that are shown of those that are to come.
const TO_COME_MAX: usize = 8;
const RULES: [&str; 3] = ["not_eligible", "not_open_yet", "opening_closed"];

/// What was counted of a campaign when it was looked at last.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CampaignBefore {
    bookings: u64,
    admitted: u64,
    /// Admitted, by the opening's line.
    lines: HashMap<LineIndex, u64>,
}

/// Looks at a campaign; `passed_s` seconds after it was looked at last, if it was. None if the
/// state does not have it yet.
pub fn look(
    service: &Service,
    offer: &Offer,
    gate: &Gate,
    before: &mut Option<CampaignBefore>,
    passed_s: f64,
    now: Stamp,
) -> Option<(CampaignNow, Vec<OpeningNow>)> {
    let sessions = gate.sessions.active_by_line();
    let campaign = &offer.catalog.campaign;
    let state = service.shared.state();
    let known = state.campaign(offer.catalog.index)?;
    let bookings = known.bookings.len() as u64;
    let holds = known.holds.len() as u64;
    let refused = known.refusal_counts;
    let settings = known.gate.clone();
    let mut openings = lines(campaign, gate, known, now);
    drop(state);

    let first = CampaignBefore::default();
    let was = before.as_ref().unwrap_or(&first);
    let is_first = before.is_none();
    let per_s = |now: u64, before: u64| {
        if is_first {
            return 0.0;
        }
        round(now.saturating_sub(before) as f64 / passed_s)
    };
    for (line, opening) in &mut openings {
        let was = was.lines.get(line).copied().unwrap_or(0);
        opening.admitted_per_s = per_s(opening.admitted, was);
        opening.sessions = sessions.get(&Some(*line)).copied().unwrap_or(0);
    }
    let admitted = gate.sessions.admitted();
    let active = gate.sessions.active();
    let now_told = CampaignNow {
        campaign: campaign.id.to_string(),
        state: paused_or(gate_state(campaign, now).name(), &settings),
        paused: settings.pause.as_ref().map(|pause| PauseNow {
            since: campaign.zone.rfc3339(pause.since),
            reason: notice(&pause.reason),
            freezes: pause.freezes,
        }),
        message: settings.message.as_ref().map(notice),
        waiting: openings.iter().map(|(_, opening)| opening.waiting).sum(),
        sessions: active,
        active_max: gate.limits.active_max(),
        admitted,
        admitted_per_s: per_s(admitted, was.admitted),
        bookings,
        bookings_per_s: per_s(bookings, was.bookings),
        holds,
        controller: controller(gate, active, &openings),
        refused_by_rules: RULES
            .iter()
            .zip(refused)
            .map(|(code, count)| CodeCount { code, count })
            .collect(),
        seats: Vec::new(),
        seats_as_of: String::new(),
    };
    let lines = openings.iter();
    *before = Some(CampaignBefore {
        bookings,
        admitted,
        lines: lines
            .map(|(line, opening)| (*line, opening.admitted))
            .collect(),
    });
    let openings = openings.into_iter().map(|(_, opening)| opening).collect();
    Some((now_told, openings))
}

/// To a hundredth: nobody reads more.
pub fn round(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

fn notice(notice: &Notice) -> NoticeNow {
    NoticeNow {
        text: notice.text.clone(),
        en: notice.en.clone(),
    }
}

fn paused_or(state: &str, settings: &GateSettings) -> String {
    let paused = settings.pause.as_ref().map(|_| "paused");
    paused.unwrap_or(state).to_owned()
}

/// The lines that are shown, by the beginning of their openings.
fn lines(
    campaign: &Campaign,
    gate: &Gate,
    known: &CampaignState,
    now: Stamp,
) -> Vec<(LineIndex, OpeningNow)> {
    let mut openings: Vec<&Opening> = campaign.openings.iter().collect();
    openings.sort_by_key(|opening| opening.from);
    let mut to_come = 0;
    let shown = openings.into_iter().filter_map(|opening| {
        let state = OpeningState::of(campaign, opening, now);
        let is_shown = match state {
            OpeningState::Before => {
                to_come += 1;
                to_come <= TO_COME_MAX
            }
            OpeningState::Closed => false,
            OpeningState::Lobby | OpeningState::Open | OpeningState::Finishing => true,
        };
        let line = known.lines.get(opening.line.at()).filter(|_| is_shown)?;
        let told = of_line(campaign, opening, state, gate, &known.gate, line)?;
        Some((opening.line, told))
    });
    shown.collect()
}

fn of_line(
    campaign: &Campaign,
    opening: &Opening,
    state: OpeningState,
    gate: &Gate,
    settings: &GateSettings,
    line: &Line,
) -> Option<OpeningNow> {
    let live = gate.line(opening.line)?;
    let (waiting, admission) = (live.waiting(line), &live.admission);
    let state_name = match state {
        OpeningState::Finishing => "finishing",
        other => other.gate_state().name(),
    };
    let is_lobby = state == OpeningState::Lobby;
    Some(OpeningNow {
        campaign: campaign.id.to_string(),
        from: campaign.zone.rfc3339(opening.from),
        until: campaign.zone.rfc3339(opening.until),
        state: match state {
            OpeningState::Before => state_name.to_owned(),
            _ => paused_or(state_name, settings),
        },
        serving: live.serving(),
        numbers_given: line.given.len() as u64,
        waiting,
        lobby: if is_lobby { waiting } else { 0 },
        late: admission.late(),
        called: admission.outstanding(),
        admitted: admission.admitted(),
        share: round(admission.share()),
        ..OpeningNow::default()
    })
}

/// What the gate does by itself, and why.
fn controller(gate: &Gate, active: u64, openings: &[(LineIndex, OpeningNow)]) -> ControllerNow {
    let limits = &gate.limits;
    let (braking, rate) = (limits.braking(), limits.admit_per_s());
    let mut acts = Vec::new();
    let delay_ms = |queue: Queue| braking.seen_us[queue as usize].unwrap_or(0) as f64 / 1e3;
    let (writer_ms, worker_ms) = (delay_ms(Queue::Writer), delay_ms(Queue::Workers));
    let (why, figure) = if writer_ms >= worker_ms {
        ("writer_delay_ms", writer_ms)
    } else {
        ("worker_delay_ms", worker_ms)
    };
    let target_ms = DELAY_TARGET_US as f64 / 1e3;
    if braking.part < 1.0 {
        acts.push(OwnAct {
            what: if figure > target_ms {
                "brakes"
            } else {
                "lets_go"
            },
            why,
            figure: round(figure),
            bound: Some(target_ms),
        });
    }
    let inside = active + limits.outstanding();
    let waits = openings
        .iter()
        .any(|(_, opening)| opening.state == "open" && (opening.waiting > 0 || opening.late > 0));
    if waits && inside >= u64::from(limits.active_max()) {
        acts.push(OwnAct {
            what: "full",
            why: "sessions_and_called",
            figure: inside as f64,
            bound: Some(f64::from(limits.active_max())),
        });
    }
    ControllerNow {
        rate_set_per_s: rate,
        rate_in_force_per_s: round(f64::from(rate) * braking.part),
        acts,
    }
}
