//! Acts at the gate from the desk: what one would do to how many people, and doing it.
//!
//! An act is in the journal with its account before it is in force, and in force before this
//! answers. One account can do each of them: a pause must never wait for a second.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Allowed, DeskRefused, actor};
use crate::domain::entry::GateAct;
use crate::domain::ids::CampaignId;
use crate::domain::line::{GateSettings, gate_act};
use crate::domain::staff::Account;
use crate::domain::text;
use crate::engine::command::Operation;
use crate::gate::hours::{OpeningState, gate_state};
use crate::service::{Here, Service};

/// Letters of a reason for the record.
pub const REASON_CHARS_MAX: usize = 500;

/// What is set at a gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct GateSet {
    pub campaign: String,
    /// `before`, `lobby`, `open`, `paused` or `closed`.
    pub state: String,
    /// Whether sessions stand still too.
    pub frozen: bool,
    /// Whether the pause ends by itself when the server was started anew.
    pub until_restart: bool,
    pub admit_per_s: u32,
    pub active_max: u32,
    /// What everybody is told: the reason of a pause, or the message.
    pub message: Option<String>,
    pub message_en: Option<String>,
}

/// What an act would do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct GatePreview {
    pub now: GateSet,
    pub then: GateSet,
    /// People who wait in all lines.
    pub waiting: u64,
    /// Those of them who wait in a lobby.
    pub lobby: u64,
    /// Sessions that take a place.
    pub sessions: u64,
    pub effects: Vec<GateEffect>,
}

/// What an act does to so many people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct GateEffect {
    /// `line_stops`, `line_goes_on`, `line_faster`, `line_slower`, `sessions_go_on`,
    /// `sessions_frozen`, `sessions_thawed`, `nobody_called_until` (so many have left),
    /// `until_restart`, `more_may_come`, `fewer_may_come`, `told` (a message or reason), `untold`
    /// or `nothing`.
    pub what: &'static str,
    pub people: u64,
    /// Seconds until the last of those who wait now is called, at the rate that is set: now and
    /// then. With `line_faster` and `line_slower`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub wait_s: Option<[u64; 2]>,
}

impl Service {
    /// The campaign, if it is within the account's bounds.
    fn campaign_of(&self, by: &Account, id: &str) -> Allowed<Here> {
        if !by.bounds.has_all_of(id) {
            return Err(DeskRefused::NotYours);
        }
        self.campaign(id).map_err(|_| DeskRefused::NotFound)
    }

    /// Does an act, for a reason that the public is not told: what is set from now on. Without a
    /// reason only a pause or drain is done, whose own is public.
    pub async fn act_at_gate(
        &self,
        by: &Account,
        campaign: &str,
        act: GateAct,
        reason: Option<&str>,
    ) -> Allowed<GateSet> {
        let here = self.campaign_of(by, campaign)?;
        check(&act)?;
        let is_public = matches!(act, GateAct::PauseSaid { .. } | GateAct::Drain { .. });
        match reason {
            Some(reason) => text::check_words(reason, REASON_CHARS_MAX)
                .map_err(|fault| DeskRefused::Impossible(format!("the reason {fault}")))?,
            None if is_public => {}
            None => {
                let why = "give a reason: it stands in the log, and nobody is told it";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
        }
        let id: CampaignId = here.offer.catalog.campaign.id.clone();
        let operation = Operation::Gate {
            campaign: Some(id.clone()),
            act: act.clone(),
            reason: reason.map(|reason| reason.trim().to_owned()),
        };
        self.operate(actor(by), operation).await?;
        self.follow_settings(&id);
        let account = &by.name;
        tracing::info!(%account, campaign, ?act, reason, "an act at the gate, from the desk");
        self.gate_set(&here).ok_or(DeskRefused::NotFound)
    }

    /// What is set at a gate now.
    fn gate_set(&self, here: &Here) -> Option<GateSet> {
        let state = self.shared.state();
        let settings = state.campaign(here.index)?.gate.clone();
        drop(state);
        Some(set(here, &settings))
    }

    /// What an act would do to how many people, if it were done now.
    pub fn preview_gate(
        &self,
        by: &Account,
        campaign: &str,
        act: &GateAct,
    ) -> Allowed<GatePreview> {
        let here = self.campaign_of(by, campaign)?;
        check(act)?;
        let state = self.shared.state();
        let known = state.campaign(here.index).ok_or(DeskRefused::NotFound)?;
        let (mut waiting, mut lobby) = (0, 0);
        let rules = &here.offer.catalog.campaign;
        for opening in &rules.openings {
            let at = OpeningState::of(rules, opening, here.now);
            let line = known.lines.get(opening.line.at());
            let live = here.gate.line(opening.line);
            if let (Some(line), Some(live)) = (line, live)
                && matches!(at, OpeningState::Lobby | OpeningState::Open)
            {
                let people = live.waiting(line);
                waiting += people;
                lobby += if at == OpeningState::Lobby { people } else { 0 };
            }
        }
        let before = known.gate.clone();
        drop(state);
        let sessions = here.gate.sessions.active();
        let (now, then) = (set(&here, &before), set(&here, &after(&before, act, &here)));
        let effects = effects(act, &now, &then, waiting, sessions);
        Ok(GatePreview {
            now,
            then,
            waiting,
            lobby,
            sessions,
            effects,
        })
    }
}

fn check(act: &GateAct) -> Allowed<()> {
    gate_act::check(act).map_err(|fault| DeskRefused::Impossible(fault.to_string()))
}

/// The settings as an act would leave them.
fn after(before: &GateSettings, act: &GateAct, here: &Here) -> GateSettings {
    let mut then = before.clone();
    then.set(act, here.now);
    then
}

fn set(here: &Here, settings: &GateSettings) -> GateSet {
    let campaign = &here.offer.catalog.campaign;
    let (rules, pause) = (&campaign.gate, settings.pause.as_ref());
    let notice = pause.map(|pause| &pause.reason);
    let notice = notice.or(settings.message.as_ref());
    let state = gate_state(campaign, here.now).name();
    GateSet {
        campaign: campaign.id.to_string(),
        state: pause.map_or(state, |_| "paused").to_owned(),
        frozen: pause.is_some_and(|pause| pause.freezes),
        until_restart: pause.is_some_and(|pause| pause.until_restart),
        admit_per_s: settings.admit_per_s.unwrap_or(rules.admit_per_s),
        active_max: settings.active_max.unwrap_or(rules.active_max),
        message: notice.map(|notice| notice.text.clone()),
        message_en: notice.and_then(|notice| notice.en.clone()),
    }
}

fn effects(
    act: &GateAct,
    now: &GateSet,
    then: &GateSet,
    waiting: u64,
    sessions: u64,
) -> Vec<GateEffect> {
    let effect = |what, people| GateEffect {
        what,
        people,
        wait_s: None,
    };
    let mut effects = Vec::new();
    match (now.state == "paused", then.state == "paused") {
        (false, true) => effects.push(effect("line_stops", waiting)),
        (true, false) => effects.push(effect("line_goes_on", waiting)),
        _ => {}
    }
    if then.until_restart && !now.until_restart {
        effects.push(effect("until_restart", waiting));
    }
    match (now.frozen, then.frozen) {
        (false, true) => effects.push(effect("sessions_frozen", sessions)),
        (true, false) => effects.push(effect("sessions_thawed", sessions)),
        (false, false) if then.state == "paused" => {
            effects.push(effect("sessions_go_on", sessions));
        }
        _ => {}
    }
    if now.admit_per_s != then.admit_per_s {
        let what = if then.admit_per_s > now.admit_per_s {
            "line_faster"
        } else {
            "line_slower"
        };
        let wait_s = |set: &GateSet| waiting.div_ceil(u64::from(set.admit_per_s.max(1)));
        effects.push(GateEffect {
            wait_s: Some([wait_s(now), wait_s(then)]),
            ..effect(what, waiting)
        });
    }
    if now.active_max != then.active_max {
        let (before, after) = (u64::from(now.active_max), u64::from(then.active_max));
        effects.push(match after.checked_sub(before) {
            Some(more) => effect("more_may_come", more),
            None => effect("fewer_may_come", before - after),
        });
        if sessions > after {
            effects.push(effect("nobody_called_until", sessions - after));
        }
    }
    if (&now.message, &now.message_en) != (&then.message, &then.message_en) {
        let what = if then.message.is_some() {
            "told"
        } else {
            "untold"
        };
        effects.push(effect(what, waiting + sessions));
    }
    // Taken away or set behind a pause, whose reason is what people read.
    let is_message = matches!(act, GateAct::MessageSaid { .. } | GateAct::Message { .. });
    if effects.is_empty() || (is_message && now.message == then.message) {
        effects = vec![effect("nothing", 0)];
    }
    effects
}
