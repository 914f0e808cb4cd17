//! Four eyes: proposals, what they would do, and deciding on them.

use actix_web::{HttpRequest, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ok;
use crate::domain::entry::GateAct;
use crate::domain::ids::CampaignId;
use crate::domain::staff::StaffState;
use crate::domain::staff::proposal::{Decision, Proposal, Proposed};
use crate::service::desk::DeskRefused;
use crate::service::desk::effect::Effect;
use crate::web::desk::staff::{Allowed, Answered, Previewers, Proposers, Readers, Routes, Staff};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<Readers, _, _, _>(list, __path_list);
    routes.api::<Readers, _, _, _>(one, __path_one);
    routes.api::<Previewers, _, _, _>(preview, __path_preview);
    routes.api::<Proposers, _, _, _>(propose, __path_propose);
    routes.api::<Proposers, _, _, _>(decide, __path_decide);
}

/// What is proposed, as everybody who may read it sees it.
#[derive(Serialize, ToSchema)]
pub struct ProposalView {
    pub number: u32,
    /// `campaign`, `agency`, `sites`, `slots` or `gate`.
    pub kind: &'static str,
    /// None for a campaign's file, which names its own.
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
    /// `open`, `approved`, `declined`, `withdrawn`, `done` or `failed`.
    pub state: &'static str,
    pub decided_by: Option<String>,
    pub decided_because: Option<String>,
    /// What came of it.
    pub came_of_it: Option<String>,
}

/// The kind of a proposal, and the campaign that it names.
pub fn kind(what: &Proposal) -> (&'static str, Option<String>) {
    match what {
        Proposal::Campaign => ("campaign", None),
        Proposal::Agency { campaign } => ("agency", Some(campaign.to_string())),
        Proposal::Sites { campaign } => ("sites", Some(campaign.to_string())),
        Proposal::Slots { campaign } => ("slots", Some(campaign.to_string())),
        Proposal::Gate { campaign, .. } => ("gate", Some(campaign.to_string())),
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
        Self {
            number,
            kind,
            campaign,
            by: name(proposed.by),
            at: proposed.at.instant().to_string(),
            reason: proposed.reason.clone(),
            takes: proposed.takes,
            sha256: data_encoding::HEXLOWER.encode(&proposed.sha256),
            state: state(proposed),
            decided_by: decided.map(|decided| name(decided.by)),
            decided_because: decided.map(|decided| decided.reason.clone()),
            came_of_it: came.map(|came| came.what.clone()),
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

/// A field that changes.
#[derive(Serialize, ToSchema)]
pub struct ChangeView {
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
    pub caution: Option<String>,
}

/// How many people may book at an instant.
#[derive(Serialize, ToSchema)]
pub struct InstantView {
    #[schema(format = DateTime)]
    pub at: String,
    pub people: u64,
    pub may_book: u64,
    /// They may book by the new rules and not by those in force.
    pub gain: u64,
    /// They may book by the rules in force and not by the new ones.
    pub lose: u64,
}

/// A line with people for whom something changes.
#[derive(Serialize, ToSchema)]
pub struct LineView {
    pub from: String,
    pub until: String,
    pub waiting: u64,
    /// What changes, as `campaign activate --dry-run` names it.
    #[schema(value_type = Vec<Object>)]
    pub effects: Vec<serde_json::Value>,
}

/// What a proposal would do.
#[derive(Serialize, ToSchema)]
pub struct EffectView {
    pub campaign: String,
    /// Why it can't be done; nothing else is known then.
    pub faults: Vec<String>,
    pub cautions: Vec<String>,
    pub changes: Vec<ChangeView>,
    pub at: Vec<InstantView>,
    pub lines: Vec<LineView>,
    pub rows: Option<u64>,
    /// The most people who lose a right at one of the instants: what an approver types.
    pub takes: u64,
}

impl EffectView {
    pub fn of(effect: &Effect) -> Self {
        let change = |change: &crate::domain::campaign::diff::FieldChange| ChangeView {
            field: change.field.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            caution: change.caution.as_deref().map(str::to_owned),
        };
        let line = |line: &crate::service::activation::LineTouched| LineView {
            from: line.from.clone(),
            until: line.until.clone(),
            waiting: line.waiting,
            effects: line
                .effects
                .iter()
                .map(|effect| serde_json::to_value(effect).unwrap_or_default())
                .collect(),
        };
        let at = |at: &crate::service::desk::effect::AtInstant| InstantView {
            at: at.at.clone(),
            people: at.people,
            may_book: at.may_book,
            gain: at.gain,
            lose: at.lose,
        };
        Self {
            campaign: effect.campaign.clone(),
            faults: effect.faults.clone(),
            cautions: effect.cautions.clone(),
            changes: effect.changes.iter().map(change).collect(),
            at: effect.at.iter().map(at).collect(),
            lines: effect.lines.iter().map(line).collect(),
            rows: effect.rows,
            takes: effect.takes,
        }
    }
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
            let effect = staff.service.effect(what, text).await;
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
    /// `campaign`, `agency`, `sites`, `slots` or `draw_value`.
    #[schema(pattern = "^(campaign|agency|sites|slots|draw_value)$")]
    pub kind: String,
    /// The campaign; not for a campaign's file, which names its own.
    #[schema(max_length = 64)]
    pub campaign: Option<String>,
    /// The file's text in UTF-8; for a draw's value the value as it was published.
    pub text: String,
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

/// What a request proposes, and its text.
fn wanted<A: Allowed>(
    staff: &Staff<A>,
    asked: ProposalRequest,
) -> Result<(Proposal, String, String), Problem> {
    let ProposalRequest {
        kind,
        campaign,
        text,
        line,
        source,
        reason,
    } = asked;
    let field = |name: &str, why: &str| Problem::field(staff.lang, name, why);
    let campaign = || {
        let id = campaign
            .clone()
            .ok_or_else(|| field("campaign", "is missing"))?;
        CampaignId::try_from(id).map_err(|why| field("campaign", &why.to_string()))
    };
    let what = match kind.as_str() {
        "campaign" => Proposal::Campaign,
        "agency" => Proposal::Agency {
            campaign: campaign()?,
        },
        "sites" => Proposal::Sites {
            campaign: campaign()?,
        },
        "slots" => Proposal::Slots {
            campaign: campaign()?,
        },
        "draw_value" => {
            let line = line.ok_or_else(|| field("line", "is missing"))?;
            let source = source.ok_or_else(|| field("source", "is missing"))?;
            let act = GateAct::DrawValue {
                line: crate::domain::ids::LineIndex(line),
                value: text,
                source,
            };
            let what = Proposal::Gate {
                campaign: campaign()?,
                act,
            };
            return Ok((what, String::new(), reason));
        }
        _ => {
            let why = "must be campaign, agency, sites, slots or draw_value";
            return Err(field("kind", why));
        }
    };
    Ok((what, text, reason))
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
    let (what, text, _) = wanted(&staff, read::json(&request, body)?)?;
    let effect = staff.service.preview(&staff.account, what, text).await;
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
    let (what, text, reason) = wanted(&staff, read::json(&request, body)?)?;
    let made = staff
        .service
        .propose(&staff.account, what, text, &reason)
        .await;
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
        .decide(&staff.account, number, decision, asked.typed, &asked.reason)
        .await;
    decided.map_err(|refused| staff.problem(refused))?;
    let known = staff.service.staff();
    let proposed = known.proposals.get(&number);
    let proposed = proposed.ok_or_else(|| staff.problem(DeskRefused::NotFound))?;
    Ok(ok(&ProposalView::of(&known, number, proposed)))
}

fn numbered<A: Allowed>(staff: &Staff<A>, number: &str) -> Result<u32, Problem> {
    let number = number.parse();
    number.map_err(|_| staff.problem(DeskRefused::NotFound))
}
