//! Four eyes: proposals, what they would do, and deciding on them.

mod views;

use actix_web::{HttpRequest, HttpResponse, web};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ok;
use crate::domain::entry::GateAct;
use crate::domain::ids::{CampaignId, LineIndex};
use crate::domain::staff::StaffState;
use crate::domain::staff::proposal::{Decision, Proposal, Proposed, SlotRange};
use crate::domain::time::{Stamp, Zone};
use crate::service::desk::DeskRefused;
use crate::service::desk::proposals::next_due;
use crate::web::desk::staff::{Allowed, Answered, Previewers, Proposers, Readers, Routes, Staff};
use crate::web::desk::wanted::{self, PlanRequest, RangeRequest, with_logo};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub use views::{EffectView, PlanView, RosterFileView};

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<Readers, _, _, _>(list, __path_list);
    routes.api::<Readers, _, _, _>(one, __path_one);
    routes.api::<Previewers, _, _, _>(preview, __path_preview);
    routes.api::<Proposers, _, _, _>(propose, __path_propose);
    routes.api::<Proposers, _, _, _>(decide, __path_decide);
    routes.api::<Proposers, _, _, _>(call_off, __path_call_off);
}

/// What is proposed, as everybody who may read it sees it.
#[derive(Serialize, ToSchema)]
pub struct ProposalView {
    pub number: u32,
    /// `campaign`, `agency`, `agency_logo`, `agency_again`, `sites`, `slots`, `gate`, `close`,
    /// `reopen`, `retime`, `split`, `roster` or `keys`.
    pub kind: &'static str,
    /// None for a campaign's file, which names its own, and for what is about all campaigns.
    pub campaign: Option<String>,
    /// The account that proposed it.
    pub by: String,
    #[schema(format = DateTime)]
    pub at: String,
    pub reason: String,
    /// People who lose a right or a booking by it, when it was proposed.
    pub takes: u64,
    /// The SHA-256 of its text, in hex.
    pub sha256: String,
    /// `open`, `approved`, `declined`, `withdrawn`, `done`, `failed` or `called_off`.
    pub state: &'static str,
    /// Which sites, days, times and vaccine it is about, if it names them.
    pub about: Option<String>,
    /// What becomes of the people who are booked in slots that it closes.
    pub plan: Option<PlanView>,
    /// By how many minutes it has slots begin later, or earlier if it is negative.
    pub minutes: Option<i16>,
    /// Told to the people concerned; and the same in English.
    pub told: Option<String>,
    pub told_en: Option<String>,
    /// When it is done, or goes on, once it is approved; none for at once.
    #[schema(format = DateTime)]
    pub due: Option<String>,
    /// Steps that are done, of one that has some.
    pub steps: u32,
    pub decided_by: Option<String>,
    pub decided_because: Option<String>,
    /// What came of it.
    pub came_of_it: Option<String>,
    /// The roster file that it names.
    pub roster: Option<RosterFileView>,
    /// The keys that it replaces: `tokens`, `tokens_revoked`, `heads`, `names` or
    /// `names_forgotten`.
    pub keys: Option<&'static str>,
    /// The version of the agency's file that it brings back.
    pub version: Option<u32>,
    /// The digest of the effect that it was approved for, and whether the approver named it.
    pub seen: Option<String>,
    pub seen_named: Option<bool>,
}

/// The kind of a proposal, and the campaign that it names.
pub fn kind(what: &Proposal) -> (&'static str, Option<String>) {
    match what {
        Proposal::Campaign => ("campaign", None),
        Proposal::Agency { campaign } => ("agency", Some(campaign.to_string())),
        Proposal::Sites { campaign } => ("sites", Some(campaign.to_string())),
        Proposal::Slots { campaign } => ("slots", Some(campaign.to_string())),
        Proposal::Gate { campaign, .. } => ("gate", Some(campaign.to_string())),
        Proposal::Close { campaign, .. } => ("close", Some(campaign.to_string())),
        Proposal::Reopen { campaign, .. } => ("reopen", Some(campaign.to_string())),
        Proposal::Split { campaign, .. } => ("split", Some(campaign.to_string())),
        Proposal::Retime { campaign, .. } => ("retime", Some(campaign.to_string())),
        Proposal::Roster { .. } => ("roster", None),
        Proposal::Keys { .. } => ("keys", None),
        Proposal::AgencyLogo { campaign, .. } => ("agency_logo", Some(campaign.to_string())),
        Proposal::AgencyAgain { campaign, .. } => ("agency_again", Some(campaign.to_string())),
    }
}

/// The slots of a range, for a reader: `A, B; 2021-08-02 – 2021-08-03; 09:00–12:00; mrna`.
pub fn about(range: &SlotRange) -> String {
    let sites = if range.sites.is_empty() {
        "*".to_owned()
    } else {
        range.sites.join(", ")
    };
    let mut told = format!("{sites}; {} – {}", range.from, range.until);
    if let Some((from, until)) = range.minutes {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        told += &format!("; {}–{}", time(from), time(until));
    }
    if let Some(vaccine) = &range.vaccine {
        told += &format!("; {vaccine}");
    }
    told
}

/// When a proposal is done, or goes on.
pub fn due(proposed: &Proposed) -> Option<Stamp> {
    match &proposed.decided {
        None => proposed.due,
        Some(_) => next_due(proposed),
    }
}

/// Where a proposal stands.
pub fn state(proposed: &Proposed) -> &'static str {
    let Some(decided) = &proposed.decided else {
        return "open";
    };
    match (decided.decision, &decided.came_of_it) {
        (Decision::Declined, _) => "declined",
        (Decision::Withdrawn, _) => "withdrawn",
        (Decision::Approved, None) => "approved",
        (Decision::Approved, Some(came)) if came.is_done => "done",
        (Decision::Approved, Some(came)) if came.is_called_off => "called_off",
        (Decision::Approved, Some(_)) => "failed",
    }
}

impl ProposalView {
    pub fn of(staff: &StaffState, number: u32, proposed: &Proposed) -> Self {
        let name = |id| {
            let account = staff.accounts.get(&id);
            account
                .map(|account| account.name.clone())
                .unwrap_or_default()
        };
        let (kind, campaign) = kind(&proposed.what);
        let decided = proposed.decided.as_ref();
        let came = decided.and_then(|decided| decided.came_of_it.as_ref());
        let seen = decided.and_then(|decided| decided.seen);
        Self {
            number,
            kind,
            campaign,
            by: name(proposed.by),
            at: proposed.at.instant().to_string(),
            reason: proposed.reason.clone(),
            takes: proposed.takes,
            sha256: HEXLOWER.encode(&proposed.sha256),
            state: state(proposed),
            about: proposed.what.range().map(about),
            plan: PlanView::of(&proposed.what),
            minutes: match proposed.what {
                Proposal::Retime { minutes, .. } => Some(minutes),
                _ => None,
            },
            told: proposed.what.told().map(|told| told.text.clone()),
            told_en: proposed.what.told().and_then(|told| told.en.clone()),
            due: due(proposed).map(|due| due.instant().to_string()),
            steps: proposed.steps,
            decided_by: decided.map(|decided| name(decided.by)),
            decided_because: decided.map(|decided| decided.reason.clone()),
            came_of_it: came.map(|came| came.what.clone()),
            roster: proposed.what.roster_file().map(RosterFileView::of),
            keys: match &proposed.what {
                Proposal::Keys { change } => Some(change.name()),
                _ => None,
            },
            version: match &proposed.what {
                Proposal::AgencyAgain { version, .. } => Some(*version),
                _ => None,
            },
            seen: seen.map(|seen| HEXLOWER.encode(&seen.digest)),
            seen_named: seen.map(|seen| seen.is_named),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct Proposals {
    pub proposals: Vec<ProposalView>,
}

/// Lists proposals, the newest first: those that wait, and the last that were decided.
///
/// An account that is bound to campaigns is shown those of its campaigns, and its own.
#[utoipa::path(
    get,
    path = "/api/desk/v1/proposals",
    tag = "proposals",
    responses(
        (status = 200, body = Proposals, description = "The proposals."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`signed_out`, `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn list(staff: Staff<Readers>, (): ()) -> Answered {
    let known = staff.service.staff();
    let by = &staff.account;
    let reads = |(number, proposed): &(&u32, &Proposed)| {
        staff.service.reads_proposal(by, **number, proposed)
    };
    let all = known.proposals.iter().rev().filter(reads);
    let view = |(number, proposed): (&u32, &Proposed)| ProposalView::of(&known, *number, proposed);
    Ok(ok(&Proposals {
        proposals: all.map(view).collect(),
    }))
}

/// A proposal with its text, and what it would do now.
#[derive(Serialize, ToSchema)]
pub struct ProposalWhole {
    pub proposal: ProposalView,
    /// Empty once it is decided: the journal has it.
    pub text: String,
    /// None once it is decided.
    pub effect: Option<EffectView>,
}

/// Shows a proposal, and what it would do now.
#[utoipa::path(
    get,
    path = "/api/desk/v1/proposals/{number}",
    tag = "proposals",
    params(("number" = u32, Path, description = "The proposal's number.")),
    responses(
        (status = 200, body = ProposalWhole, description = "The proposal."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_found`, `signed_out`, `set_up_first`, `not_yours`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn one(staff: Staff<Readers>, number: web::Path<String>) -> Answered {
    let number = numbered(&staff, &number)?;
    let known = staff.service.staff();
    let proposed = known.proposals.get(&number).filter(|proposed| {
        let service = &staff.service;
        service.reads_proposal(&staff.account, number, proposed)
    });
    let proposed = proposed.ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    let effect = match proposed.decided {
        Some(_) => None,
        None => {
            let (what, text) = (proposed.what.clone(), proposed.text.clone());
            let from = staff.from();
            let effect = staff.service.effect_for(&staff.account, &from, what, text);
            let effect = effect.await;
            Some(effect.map_err(|refused| staff.problem(refused))?)
        }
    };
    Ok(ok(&ProposalWhole {
        proposal: ProposalView::of(&known, number, proposed),
        text: proposed.text.clone(),
        effect: effect.as_ref().map(EffectView::of),
    }))
}

/// What is proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalRequest {
    /// `campaign`, `agency`, `agency_logo`, `agency_again`, `sites`, `slots`, `draw_value`,
    /// `close`, `reopen`, `split`, `roster` or `keys`.
    #[schema(
        pattern = "^(campaign|agency|agency_logo|agency_again|sites|slots|draw_value|close\
                        |reopen|retime|split|roster|keys)$"
    )]
    pub kind: String,
    /// The campaign; not for a campaign's file, which names its own. With `roster` and `keys` it
    /// names the time zone of `due`.
    #[schema(max_length = 64)]
    pub campaign: Option<String>,
    /// With `roster`: the file, as `POST /api/desk/v1/rosters` named it.
    #[serde(default)]
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub file: Option<String>,
    /// With `keys`: which keys.
    #[serde(default)]
    #[schema(pattern = "^(tokens|tokens_revoked|heads|names|names_forgotten)$")]
    pub keys: Option<String>,
    /// With `agency_logo`: the logo's file, a PNG or an SVG, in base64.
    #[serde(default)]
    #[schema(max_length = 360000)]
    pub logo: Option<String>,
    /// With `agency_again`: the version of the agency's file that is to be in force again.
    #[serde(default)]
    pub version: Option<u32>,
    /// The file's text in UTF-8; for a draw's value the value as it was published; empty for what
    /// has no text.
    #[serde(default)]
    pub text: String,
    /// With `close`, `reopen`, `split` and `retime`: which slots.
    #[serde(default)]
    pub range: Option<RangeRequest>,
    /// With `close`: what becomes of the people who are booked.
    #[serde(default)]
    pub plan: Option<PlanRequest>,
    /// With `retime`: by how many minutes they begin later, or earlier if it is negative.
    #[serde(default)]
    #[schema(minimum = -1439, maximum = 1439)]
    pub minutes: Option<i16>,
    /// With `retime`: why, told to the people concerned; and the same in English.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub told: Option<String>,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub told_en: Option<String>,
    /// With `split`: when each part opens, in order.
    #[serde(default)]
    #[schema(max_items = 60)]
    pub at: Vec<String>,
    /// With `split`: `next` keeps seats open that were not taken, `last` brings them back at the
    /// end.
    #[serde(default)]
    #[schema(pattern = "^(next|last)$")]
    pub rollover: Option<String>,
    /// When it is to be done once it is approved; at once if not said.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub due: Option<String>,
    /// With `draw_value`: the position of the opening's line, from 0.
    pub line: Option<u16>,
    /// With `draw_value`: where everybody can look it up.
    #[schema(max_length = 500)]
    pub source: Option<String>,
    /// Why; on record for ever.
    #[schema(max_length = 500)]
    #[serde(default)]
    pub reason: String,
}

/// What a request proposes.
struct Asked {
    what: Proposal,
    text: String,
    reason: String,
    due: Option<Stamp>,
}

/// The zone of a campaign that is active.
pub fn zone_of<A: Allowed>(staff: &Staff<A>, campaign: &str) -> Result<Zone, Problem> {
    let here = staff.service.campaign(campaign);
    let here = here.map_err(|_| staff.problem(DeskRefused::NotFound))?;
    Ok(here.offer.catalog.campaign.zone.clone())
}

fn wanted<A: Allowed>(staff: &Staff<A>, asked: ProposalRequest) -> Result<Asked, Problem> {
    let field = |(name, why): wanted::Fault| Problem::field(staff.lang, name, why);
    let missing = |name| field((name, "is missing".to_owned()));
    let campaign = || {
        let id = asked.campaign.clone().ok_or_else(|| missing("campaign"))?;
        CampaignId::try_from(id).map_err(|why| field(("campaign", why)))
    };
    let range = || {
        let range = asked.range.as_ref().ok_or_else(|| missing("range"))?;
        range.range().map_err(field)
    };
    let mut text = asked.text.clone();
    let what = match asked.kind.as_str() {
        "campaign" => Proposal::Campaign,
        "agency" => Proposal::Agency {
            campaign: campaign()?,
        },
        "agency_logo" => {
            let logo = asked.logo.as_deref().ok_or_else(|| missing("logo"))?;
            let (what, whole) = with_logo(campaign()?, &text, logo).map_err(field)?;
            text = whole;
            what
        }
        "agency_again" => Proposal::AgencyAgain {
            campaign: campaign()?,
            version: asked.version.ok_or_else(|| missing("version"))?,
        },
        "roster" => Proposal::Roster {
            file: wanted::roster_file(asked.file.as_deref().unwrap_or_default()).map_err(field)?,
        },
        "keys" => Proposal::Keys {
            change: wanted::key_change(asked.keys.as_deref().unwrap_or_default()).map_err(field)?,
        },
        "sites" => Proposal::Sites {
            campaign: campaign()?,
        },
        "slots" => Proposal::Slots {
            campaign: campaign()?,
        },
        "draw_value" => Proposal::Gate {
            campaign: campaign()?,
            act: GateAct::DrawValue {
                line: LineIndex(asked.line.ok_or_else(|| missing("line"))?),
                value: std::mem::take(&mut text),
                source: asked.source.clone().ok_or_else(|| missing("source"))?,
            },
        },
        "close" => {
            let campaign = campaign()?;
            let zone = zone_of(staff, campaign.as_str())?;
            let plan = asked.plan.as_ref().ok_or_else(|| missing("plan"))?;
            Proposal::Close {
                campaign,
                range: range()?,
                plan: plan.plan(&zone).map_err(field)?,
            }
        }
        "reopen" => Proposal::Reopen {
            campaign: campaign()?,
            range: range()?,
        },
        "retime" => Proposal::Retime {
            campaign: campaign()?,
            range: range()?,
            minutes: asked.minutes.ok_or_else(|| missing("minutes"))?,
            reason: wanted::notice(
                asked.told.as_deref().ok_or_else(|| missing("told"))?,
                asked.told_en.as_deref(),
            ),
        },
        "split" => {
            let campaign = campaign()?;
            let zone = zone_of(staff, campaign.as_str())?;
            let at = asked.at.iter();
            let at = at.map(|text| wanted::instant("at", text, &zone).map_err(field));
            let rollover = asked.rollover.as_deref();
            let rollover = rollover.ok_or_else(|| missing("rollover"))?;
            Proposal::Split {
                campaign,
                range: range()?,
                at: at.collect::<Result<_, _>>()?,
                rollover: wanted::rollover(rollover).map_err(field)?,
            }
        }
        _ => {
            let why = "must be campaign, agency, agency_logo, agency_again, sites, slots, \
                       draw_value, close, reopen, retime, split, roster or keys";
            return Err(field(("kind", why.to_owned())));
        }
    };
    let due = match asked.due.as_deref() {
        None => None,
        Some(due) => {
            let zone = match &asked.campaign {
                Some(campaign) => zone_of(staff, campaign)?,
                None => Zone::named("UTC").map_err(|why| field(("due", why)))?,
            };
            Some(wanted::instant("due", due, &zone).map_err(field)?)
        }
    };
    Ok(Asked {
        what,
        text,
        reason: asked.reason,
        due,
    })
}

/// Says what a proposal would do, without proposing it.
#[utoipa::path(
    post,
    path = "/api/desk/v1/proposals/preview",
    tag = "proposals",
    request_body = ProposalRequest,
    responses(
        (status = 200, body = EffectView, description = "What it would do."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`invalid_request`, `signed_out`, `set_up_first`, `not_yours`, \
                           `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn preview(
    staff: Staff<Previewers>,
    (request, body): (HttpRequest, read::Bytes),
) -> Answered {
    let Asked { what, text, .. } = wanted(&staff, read::json(&request, body)?)?;
    let from = staff.from();
    let effect = staff.service.preview(&staff.account, &from, what, text);
    let effect = effect.await;
    let effect = effect.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&EffectView::of(&effect)))
}

/// A proposal that was made.
#[derive(Serialize, ToSchema)]
pub struct ProposedAnswer {
    pub number: u32,
    pub effect: EffectView,
}

/// Proposes.
#[utoipa::path(
    post,
    path = "/api/desk/v1/proposals",
    tag = "proposals",
    request_body = ProposalRequest,
    responses(
        (status = 200, body = ProposedAnswer, description = "Proposed."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`faults_found`, `not_possible`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn propose(staff: Staff<Proposers>, (request, body): (HttpRequest, read::Bytes)) -> Answered {
    let asked = wanted(&staff, read::json(&request, body)?)?;
    let Asked {
        what,
        text,
        reason,
        due,
    } = asked;
    let made = staff
        .service
        .propose(&staff.account, what, text, &reason, due);
    let made = made.await;
    let (number, effect) = made.map_err(|refused| staff.problem(refused))?;
    Ok(ok(&ProposedAnswer {
        number,
        effect: EffectView::of(&effect),
    }))
}

/// What is decided.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// `approve`, `decline` or `withdraw`.
    #[schema(pattern = "^(approve|decline|withdraw)$")]
    pub decision: String,
    /// How many people lose something by it, as the approver typed it; 0 if nobody does.
    #[serde(default)]
    pub typed: u64,
    #[schema(max_length = 500)]
    #[serde(default)]
    pub reason: String,
    /// The digest of the effect that the approver has seen: refused if it is another one now.
    #[serde(default)]
    #[schema(max_length = 64)]
    pub seen: Option<String>,
}

pub fn decision(text: &str) -> Option<Decision> {
    match text {
        "approve" => Some(Decision::Approved),
        "decline" => Some(Decision::Declined),
        "withdraw" => Some(Decision::Withdrawn),
        _ => None,
    }
}

/// Approves, declines or withdraws a proposal. An approved one is in force when this answers.
#[utoipa::path(
    post,
    path = "/api/desk/v1/proposals/{number}/decision",
    tag = "proposals",
    params(("number" = u32, Path, description = "The proposal's number.")),
    request_body = DecisionRequest,
    responses(
        (status = 200, body = ProposalView, description = "Decided."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`same_eyes`, `type_the_number`, `effect_changed`, `faults_found`, \
                           `not_possible`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn decide(
    staff: Staff<Proposers>,
    (request, number, body): (HttpRequest, web::Path<String>, read::Bytes),
) -> Answered {
    let number = numbered(&staff, &number)?;
    let asked: DecisionRequest = read::json(&request, body)?;
    let decision = decision(&asked.decision).ok_or_else(|| {
        Problem::field(
            staff.lang,
            "decision",
            "must be approve, decline or withdraw",
        )
    })?;
    let decided = staff
        .service
        .decide(
            &staff.account,
            number,
            decision,
            asked.typed,
            &asked.reason,
            asked.seen.as_deref(),
        )
        .await;
    decided.map_err(|refused| staff.problem(refused))?;
    let known = staff.service.staff();
    let proposed = known.proposals.get(&number);
    let proposed = proposed.ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    Ok(ok(&ProposalView::of(&known, number, proposed)))
}

/// Why something is called off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallOffRequest {
    #[schema(max_length = 500)]
    pub reason: String,
}

/// Calls off what was approved and waits for its instant.
#[utoipa::path(
    post,
    path = "/api/desk/v1/proposals/{number}/call-off",
    tag = "proposals",
    params(("number" = u32, Path, description = "The proposal's number.")),
    request_body = CallOffRequest,
    responses(
        (status = 204, description = "Called off."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn call_off(
    staff: Staff<Proposers>,
    (request, number, body): (HttpRequest, web::Path<String>, read::Bytes),
) -> Answered {
    let number = numbered(&staff, &number)?;
    let asked: CallOffRequest = read::json(&request, body)?;
    let called = staff
        .service
        .call_off(&staff.account, number, &asked.reason);
    called.await.map_err(|refused| staff.problem(refused))?;
    Ok(HttpResponse::NoContent().finish())
}

fn numbered<A: Allowed>(staff: &Staff<A>, number: &str) -> Result<u32, Problem> {
    let number = number.parse();
    number.map_err(|_| staff.problem(DeskRefused::NotFound))
}
