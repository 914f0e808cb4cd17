//! Proposals: their list, proposing, reading what one would do, deciding.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::files::key_words;
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown, shown_with};
use crate::domain::booking::relocation::{Prefer, Unanswered};
use crate::domain::ids::CampaignId;
use crate::domain::line::Notice;
use crate::domain::staff::proposal::{Asking, Decision, Proposal, Proposed, Rollover, may_decide};
use crate::domain::text::grouped;
use crate::domain::time::Stamp;
use crate::service::Service;
use crate::service::activation::{LineEffect, LineTouched};
use crate::service::desk::DeskRefused;
use crate::service::desk::effect::roster::RosterNumbers;
use crate::service::desk::effect::{AtInstant, Effect, Moves};
use crate::service::desk::proposals::next_due;
use crate::web::desk::api::proposals::{ProposalView, decision, due, kind};
use crate::web::desk::staff::{Allowed, FileProposers, Proposers, Readers, Routes};
use crate::web::desk::wanted;
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<Readers, _, _>(GET, &at("/proposals"), list);
    routes.page::<Proposers, _, _>(GET, &at("/proposals/new"), new_page);
    routes.page::<Proposers, _, _>(POST, &at("/proposals/new"), new);
    routes.page::<Readers, _, _>(GET, &at("/proposals/{number}"), one);
    routes.page::<Proposers, _, _>(POST, &at("/proposals/{number}"), decide);
    routes.page::<Proposers, _, _>(POST, &at("/proposals/{number}/call-off"), call_off);
}

#[derive(Template)]
#[template(path = "desk/proposals.html", config = "src/web/pages/askama.toml")]
struct ListPage {
    f: Frame,
    may_propose: bool,
    proposals: Vec<Row>,
}

struct Row {
    number: u32,
    what: String,
    by: String,
    at: String,
    reason: String,
    state: &'static str,
    is_open: bool,
}

pub fn kind_words(lang: Lang, what: &Proposal) -> String {
    let (kind, campaign) = kind(what);
    let words = lang.say(match kind {
        "campaign" => "kind-campaign",
        "agency" => "kind-agency",
        "sites" => "kind-sites",
        "slots" => "kind-slots",
        "close" => "act-close",
        "reopen" => "act-reopen",
        "split" => "act-split",
        "retime" => "act-retime",
        "roster" => "kind-roster",
        "keys" => "kind-keys",
        "agency_logo" => "kind-agency-logo",
        "agency_again" => "kind-agency-again",
        _ => "kind-gate",
    });
    match campaign {
        Some(campaign) => format!("{words} ({campaign})"),
        None => words.to_owned(),
    }
}

fn state_words(lang: Lang, state: &str) -> &'static str {
    lang.say(match state {
        "open" => "proposal-open",
        "approved" => "proposal-approved",
        "declined" => "proposal-declined",
        "withdrawn" => "proposal-withdrawn",
        "done" => "proposal-done",
        "called_off" => "proposal-called-off",
        _ => "proposal-failed",
    })
}

async fn list(page: Page<Readers>, (): ()) -> HttpResponse {
    let (lang, service) = (page.lang, &page.staff.service);
    let staff = service.staff();
    let row = |(number, proposed): (&u32, &Proposed)| {
        let view = ProposalView::of(&staff, *number, proposed);
        Row {
            number: *number,
            what: kind_words(lang, &proposed.what),
            by: view.by,
            at: super::record::instant(service, proposed.at),
            reason: view.reason,
            state: state_words(lang, view.state),
            is_open: proposed.decided.is_none(),
        }
    };
    let template = ListPage {
        f: page.frame("/proposals", "desk-help-proposals"),
        may_propose: Proposers::ROLES.contains(&page.staff.account.role),
        proposals: staff
            .proposals
            .iter()
            .rev()
            .filter(|(number, proposed)| {
                service.reads_proposal(&page.staff.account, **number, proposed)
            })
            .map(row)
            .collect(),
    };
    shown(lang, &template)
}

#[derive(Template)]
#[template(path = "desk/propose.html", config = "src/web/pages/askama.toml")]
struct NewPage {
    f: Frame,
    trouble: Option<Trouble>,
    faults: Vec<String>,
    kinds: Vec<(&'static str, &'static str, bool)>,
    campaigns: Vec<(String, bool)>,
    text: String,
    due: String,
    reason: String,
    seen: Option<EffectShown>,
    /// Versions that were in force before: campaign, version, since when.
    versions: Vec<(String, u32, String)>,
    /// The same of the agency's file.
    agencies: Vec<(String, u32, String)>,
    /// Whether whoever looks may bring files and change keys.
    may_files: bool,
}

/// What a proposal would do, in words.
pub(super) struct EffectShown {
    pub(super) cautions: Vec<String>,
    /// Field, value before, value after, caution.
    pub(super) changes: Vec<(String, String, String, String)>,
    pub(super) at: Vec<AtRow>,
    pub(super) lines: Vec<(String, String, Vec<String>)>,
    pub(super) rows: Option<String>,
    pub(super) moves: Option<Moves>,
    pub(super) roster: Option<RosterShown>,
    pub(super) takes: u64,
    pub(super) takes_told: String,
    pub(super) digest: String,
}

/// What a roster file changes, in numbers.
pub(super) struct RosterShown {
    /// Words, and how many.
    pub(super) counts: Vec<(&'static str, String)>,
    /// The SHA-256 of the file as it was sent.
    pub(super) sent: String,
    pub(super) group_moves: Vec<(String, String, String)>,
}

impl RosterShown {
    fn of(numbers: &RosterNumbers) -> Self {
        let file = &numbers.file;
        let always = [
            ("roster-people", file.people),
            ("roster-added", file.added),
            ("roster-changed", file.changed),
            ("roster-gone", file.gone),
            ("roster-lose", numbers.lose),
            ("roster-booked", numbers.booked),
            ("roster-waiting", numbers.waiting),
        ];
        let some = [
            ("roster-name", numbers.name),
            ("roster-phone", numbers.phone),
            ("roster-birth-date", numbers.birth_date),
            ("roster-region", numbers.region),
            ("roster-groups", numbers.groups),
            ("roster-new-code", numbers.new_code),
            ("roster-same-person", numbers.same_person),
            ("roster-erased-back", file.erased_back),
        ];
        let some = some.into_iter().filter(|(_, people)| *people > 0);
        let counts = always.into_iter().chain(some);
        let mut counts: Vec<_> = counts
            .map(|(words, people)| (words, grouped(people)))
            .collect();
        let lines = |lines: Vec<String>| lines.join(", ");
        if !numbers.undecided_lines.is_empty() {
            let told = numbers.undecided_lines.iter().map(ToString::to_string);
            counts.push(("roster-undecided", lines(told.collect())));
        }
        if !numbers.same_person_lines.is_empty() {
            let told = numbers.same_person_lines.iter();
            let told = told.map(|(line, like)| format!("{line} = {like}"));
            counts.push(("roster-same-lines", lines(told.collect())));
        }
        let moves = numbers.group_moves.iter();
        let moved = |(from, to, people): &(String, String, u64)| {
            (from.clone(), to.clone(), grouped(*people))
        };
        Self {
            counts,
            sent: numbers.sent_sha256.clone(),
            group_moves: moves.map(moved).collect(),
        }
    }
}

pub(super) struct AtRow {
    /// Empty where all is about one.
    pub(super) campaign: String,
    pub(super) at: String,
    pub(super) may_book: String,
    pub(super) gain: String,
    pub(super) lose: String,
}

impl EffectShown {
    pub(super) fn of(lang: Lang, effect: &Effect) -> Self {
        let at = |at: &AtInstant| AtRow {
            campaign: at.campaign.clone().unwrap_or_default(),
            at: at.at.clone(),
            may_book: grouped(at.may_book),
            gain: grouped(at.gain),
            lose: grouped(at.lose),
        };
        let line = |line: &LineTouched| {
            let span = format!("{} – {}", line.from, line.until);
            let effects = line.effects.iter();
            let effects = effects.map(|effect| effect_words(lang, effect)).collect();
            (span, grouped(line.waiting), effects)
        };
        let changes = effect.changes.iter().map(|change| {
            (
                change.field.clone(),
                change.old.clone().unwrap_or_default(),
                change.new.clone().unwrap_or_default(),
                change.caution.as_deref().unwrap_or_default().to_owned(),
            )
        });
        Self {
            cautions: effect.cautions.clone(),
            changes: changes.collect(),
            at: effect.at.iter().map(at).collect(),
            lines: effect.lines.iter().map(line).collect(),
            rows: effect.rows.map(grouped),
            moves: effect.moves.clone(),
            roster: effect.roster.as_deref().map(RosterShown::of),
            takes: effect.takes,
            takes_told: grouped(effect.takes),
            digest: effect.digest.clone(),
        }
    }
}

fn effect_words(lang: Lang, effect: &LineEffect) -> String {
    let at = |key: &str, at: &str| lang.put(key, &[("at", at.to_owned().into())]);
    let people = |key: &str, people: u64| lang.put(key, &[("people", grouped(people).into())]);
    match effect {
        LineEffect::Gone => lang.say("line-gone").to_owned(),
        LineEffect::LobbyCloses { from } => at("line-lobby-closes", from),
        LineEffect::Closes { from } => at("line-closes", from),
        LineEffect::OpensNow => lang.say("line-opens-now").to_owned(),
        LineEffect::Ends => lang.say("line-ends").to_owned(),
        LineEffect::Moved { from } => at("line-moved", from),
        LineEffect::Until { until } => at("line-until", until),
        LineEffect::NotTheirs { people: count } => people("line-not-theirs", *count),
        LineEffect::OrderKept => lang.say("line-order-kept").to_owned(),
        LineEffect::WindowsMoved { people: count } => people("line-windows-moved", *count),
        LineEffect::WindowsGone { people: count } => people("line-windows-gone", *count),
    }
}

const KINDS: [(&str, &str); 4] = [
    ("campaign", "kind-campaign"),
    ("agency", "kind-agency"),
    ("sites", "kind-sites"),
    ("slots", "kind-slots"),
];

/// What was typed on the page of a new proposal.
#[derive(Default)]
struct Typed {
    kind: String,
    campaign: String,
    text: String,
    due: String,
    reason: String,
}

/// Versions of a campaign's file that can be proposed again.
const VERSIONS_MAX: usize = 10;

fn new_again(
    page: &Page<Proposers>,
    typed: Typed,
    trouble: Option<Trouble>,
    faults: Vec<String>,
    seen: Option<EffectShown>,
) -> HttpResponse {
    let lang = page.lang;
    let offers = page.staff.service.shared.offers().clone();
    let ids = offers
        .iter()
        .map(|offer| offer.catalog.campaign.id.to_string());
    let own = ids.filter(|id| page.staff.account.bounds.has_campaign(id));
    let campaigns = own.map(|id| {
        let is_this = id == typed.campaign;
        (id, is_this)
    });
    let kinds = KINDS.map(|(kind, words)| (kind, lang.say(words), kind == typed.kind));
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let bounds = &page.staff.account.bounds;
    let own = offers
        .iter()
        .filter(|offer| bounds.has_campaign(offer.catalog.campaign.id.as_str()));
    let versions = own.flat_map(|offer| {
        let (id, zone) = (&offer.catalog.campaign.id, &offer.catalog.campaign.zone);
        let before = offer
            .catalog
            .versions
            .iter()
            .rev()
            .skip(1)
            .take(VERSIONS_MAX);
        before.map(|one| (id.to_string(), one.version, zone.rfc3339(one.activated_at)))
    });
    let agencies = agencies_before(page);
    let template = NewPage {
        versions: versions.collect(),
        agencies,
        may_files: FileProposers::ROLES.contains(&page.staff.account.role),
        due: typed.due,
        f: page.frame("/proposals/new", "desk-help-proposals"),
        trouble,
        faults,
        kinds: kinds.to_vec(),
        campaigns: campaigns.collect(),
        text: typed.text,
        reason: typed.reason,
        seen,
    };
    shown_with(lang, status, &template)
}

/// Versions of the agency's file that can be in force again, the newest first.
fn agencies_before(page: &Page<Proposers>) -> Vec<(String, u32, String)> {
    let bounds = &page.staff.account.bounds;
    let state = page.staff.service.shared.state();
    let own = state.campaigns.iter();
    let own = own.filter(|known| bounds.has_all_of(known.id.as_str()));
    let all = own.flat_map(|known| {
        let zone = &known.catalog.campaign.zone;
        let before = known.agencies_before.iter().rev();
        before.map(|one| {
            let since = zone.rfc3339(one.activated_at);
            (known.id.to_string(), one.version, since)
        })
    });
    all.collect()
}

async fn new_page(page: Page<Proposers>, path: Path) -> HttpResponse {
    let form = Form::of_address(&path.0);
    let (campaign, version) = (form.field("campaign"), form.number::<u32>("version"));
    let typed = version.and_then(|version| again(&page, campaign, version));
    new_again(&page, typed.unwrap_or_default(), None, Vec::new(), None)
}

/// A version of a campaign's file that was in force, to be proposed again.
fn again(page: &Page<Proposers>, campaign: &str, version: u32) -> Option<Typed> {
    if !page.staff.account.bounds.has_campaign(campaign) {
        return None;
    }
    let here = page.staff.service.campaign(campaign).ok()?;
    let mut versions = here.offer.catalog.versions.iter();
    let known = versions.find(|known| known.version == version)?;
    Some(Typed {
        kind: "campaign".to_owned(),
        campaign: campaign.to_owned(),
        text: known.source.to_string(),
        ..Typed::default()
    })
}

/// When it is to be done, in the zone of the campaign.
fn due_of(page: &Page<Proposers>, typed: &Typed) -> Result<Option<Stamp>, String> {
    if typed.due.is_empty() {
        return Ok(None);
    }
    let here = page.staff.service.campaign(&typed.campaign);
    let here = here.map_err(|_| "choose the campaign whose zone the instant is in".to_owned())?;
    let zone = &here.offer.catalog.campaign.zone;
    let due = wanted::instant("due", &typed.due, zone);
    due.map(Some)
        .map_err(|(name, why)| format!("{name}: {why}"))
}

async fn new(page: Page<Proposers>, body: read::Bytes) -> HttpResponse {
    let form = Form::of(body);
    let typed = Typed {
        kind: form.field("kind").to_owned(),
        campaign: form.field("campaign").to_owned(),
        text: form.raw("text").replace("\r\n", "\n"),
        due: form.field("due").to_owned(),
        reason: form.field("reason").to_owned(),
    };
    let id = CampaignId::try_from(typed.campaign.clone());
    let what = match (typed.kind.as_str(), id) {
        ("campaign", _) => Proposal::Campaign,
        ("agency", Ok(campaign)) => Proposal::Agency { campaign },
        ("sites", Ok(campaign)) => Proposal::Sites { campaign },
        ("slots", Ok(campaign)) => Proposal::Slots { campaign },
        _ => {
            let trouble = page.trouble(DeskRefused::NotFound);
            return new_again(&page, typed, Some(trouble), Vec::new(), None);
        }
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    // First it is shown what it would do; whoever has seen that proposes it.
    if !form.has("propose") {
        let from = page.staff.from();
        return match service
            .preview(account, &from, what, typed.text.clone())
            .await
        {
            Ok(effect) if effect.faults.is_empty() => {
                let seen = EffectShown::of(page.lang, &effect);
                new_again(&page, typed, None, Vec::new(), Some(seen))
            }
            Ok(effect) => {
                let refused = DeskRefused::Faults(Vec::new());
                let trouble = page.trouble(refused);
                new_again(&page, typed, Some(trouble), effect.faults, None)
            }
            Err(refused) => {
                let trouble = page.trouble(refused);
                new_again(&page, typed, Some(trouble), Vec::new(), None)
            }
        };
    }
    let (text, reason) = (typed.text.clone(), typed.reason.clone());
    let due = match due_of(&page, &typed) {
        Ok(due) => due,
        Err(why) => {
            let trouble = page.trouble(DeskRefused::Faults(Vec::new()));
            return new_again(&page, typed, Some(trouble), vec![why], None);
        }
    };
    match service.propose(account, what, text, &reason, due).await {
        Ok((number, _)) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(refused) => {
            let faults = match &refused {
                DeskRefused::Faults(faults) => faults.clone(),
                _ => Vec::new(),
            };
            let trouble = page.trouble(refused);
            new_again(&page, typed, Some(trouble), faults, None)
        }
    }
}

#[derive(Template)]
#[template(path = "desk/proposal.html", config = "src/web/pages/askama.toml")]
struct ProposalPage {
    f: Frame,
    trouble: Option<Trouble>,
    view: ProposalView,
    what: String,
    at: String,
    state: &'static str,
    text: String,
    faults: Vec<String>,
    seen: Option<EffectShown>,
    /// Whether whoever looks may approve or decline it.
    may_decide: bool,
    /// Whether they proposed it.
    is_own: bool,
    /// When it is done, or goes on.
    due: Option<String>,
    /// Whether whoever looks may call it off.
    may_call_off: bool,
    has_steps: bool,
    /// Whether people who are booked get other seats by it.
    seen_moves: bool,
    /// What it is to do, beside its text: labels and values.
    details: Vec<(&'static str, String)>,
    /// Which keys it replaces, in words.
    keys: Option<&'static str>,
    /// Whether its logo can be looked at.
    has_logo: bool,
}

async fn one(page: Page<Readers>, path: Path) -> HttpResponse {
    match number(&path) {
        Some(number) => whole(&page, number, None).await,
        None => missing(&page),
    }
}

fn number(path: &Path) -> Option<u32> {
    path.get("number")?.parse().ok()
}

pub(super) fn missing<A: Allowed>(page: &Page<A>) -> HttpResponse {
    let trouble = page.trouble(DeskRefused::NotFound);
    let account = Some(&page.staff.account);
    super::told(page.lang, account, StatusCode::NOT_FOUND, trouble)
}

/// Its text, without a logo's file behind it.
fn text_of(proposed: &Proposed) -> String {
    let text = &proposed.text;
    match &proposed.what {
        Proposal::AgencyLogo { text_bytes, .. } => {
            let cut = text.split_at_checked(*text_bytes as usize);
            cut.map_or(text.as_str(), |(text, _)| text).to_owned()
        }
        _ => text.clone(),
    }
}

/// What a proposal is to do, for whoever approves it.
fn details(lang: Lang, service: &Service, what: &Proposal) -> Vec<(&'static str, String)> {
    let at = |stamp| super::record::instant(service, stamp);
    let told = |reason: &Notice| {
        let text = (lang.say("act-reason-ko"), reason.text.clone());
        let en = reason.en.clone().map(|en| (lang.say("act-reason-en"), en));
        [Some(text), en].into_iter().flatten()
    };
    match what {
        Proposal::Close { plan, .. } => {
            let asking = lang.say(match plan.asking {
                Asking::Offered => "asking-offered",
                Asking::Moved => "asking-moved",
                Asking::Telephoned => "asking-telephoned",
            });
            let prefer = lang.say(match plan.prefer {
                Prefer::SameSite => "prefer-same-site",
                Prefer::SameDay => "prefer-same-day",
            });
            let mut all = vec![(lang.say("act-asking"), asking.to_owned())];
            if plan.asking != Asking::Telephoned {
                all.push((lang.say("act-prefer"), prefer.to_owned()));
            }
            if plan.asking == Asking::Offered {
                let unanswered = lang.say(match plan.unanswered {
                    Unanswered::Moved => "unanswered-moved",
                    Unanswered::Telephoned => "unanswered-telephoned",
                });
                all.push((lang.say("act-answer-until"), at(plan.until)));
                all.push((lang.say("act-unanswered"), unanswered.to_owned()));
            }
            all.extend(told(&plan.reason));
            all
        }
        Proposal::Retime {
            minutes, reason, ..
        } => {
            let mut all = vec![(lang.say("act-minutes"), minutes.to_string())];
            all.extend(told(reason));
            all
        }
        Proposal::Split {
            at: instants,
            rollover,
            ..
        } => {
            let instants: Vec<String> = instants.iter().map(|stamp| at(*stamp)).collect();
            let rule = lang.say(match rollover {
                Rollover::Next => "rollover-next",
                Rollover::Last => "rollover-last",
            });
            vec![
                (lang.say("act-at"), instants.join(", ")),
                (lang.say("act-rollover"), rule.to_owned()),
            ]
        }
        _ => Vec::new(),
    }
}

/// A proposal as it is now.
async fn whole<A: Allowed>(page: &Page<A>, number: u32, trouble: Option<Trouble>) -> HttpResponse {
    let (lang, service) = (page.lang, &page.staff.service);
    let staff = service.staff();
    let proposed = staff.proposals.get(&number);
    let proposed = proposed.filter(|one| service.reads_proposal(&page.staff.account, number, one));
    let Some(proposed) = proposed else {
        return missing(page);
    };
    let effect = match proposed.decided {
        Some(_) => None,
        None => {
            let (what, text) = (proposed.what.clone(), proposed.text.clone());
            let (account, from) = (&page.staff.account, page.staff.from());
            service.effect_for(account, &from, what, text).await.ok()
        }
    };
    let view = ProposalView::of(&staff, number, proposed);
    let is_own = proposed.by == page.person.id;
    let is_open = proposed.decided.is_none();
    let faults = effect
        .as_ref()
        .map_or(&[][..], |effect| &effect.faults)
        .to_vec();
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let template = ProposalPage {
        f: page.frame(&format!("/proposals/{number}"), "desk-help-proposal"),
        trouble,
        what: kind_words(lang, &proposed.what),
        at: super::record::instant(service, proposed.at),
        state: state_words(lang, view.state),
        text: text_of(proposed),
        seen: effect
            .filter(|effect| effect.faults.is_empty())
            .map(|effect| EffectShown::of(lang, &effect)),
        faults,
        may_decide: is_open && !is_own && may_decide(page.staff.account.role),
        is_own: is_open && is_own,
        due: due(proposed).map(|due| super::record::instant(service, due)),
        may_call_off: next_due(proposed).is_some()
            && Proposers::ROLES.contains(&page.staff.account.role),
        seen_moves: matches!(
            proposed.what,
            Proposal::Close { .. } | Proposal::Retime { .. }
        ),
        details: details(lang, service, &proposed.what),
        has_steps: matches!(proposed.what, Proposal::Split { .. }),
        keys: match &proposed.what {
            Proposal::Keys { change } => Some(key_words(lang, *change)),
            _ => None,
        },
        has_logo: is_open && matches!(proposed.what, Proposal::AgencyLogo { .. }),
        view,
    };
    shown_with(lang, status, &template)
}

async fn decide(page: Page<Proposers>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let form = Form::of(body);
    let (Some(number), Some(decision)) = (number(&path), decision(form.field("decision"))) else {
        return missing(&page);
    };
    let typed = match decision {
        // As it is shown, or without the commas.
        Decision::Approved => form.field("typed").replace(',', "").parse().unwrap_or(0),
        Decision::Declined | Decision::Withdrawn => 0,
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    let reason = form.field("reason");
    let seen = Some(form.field("seen")).filter(|seen| !seen.is_empty());
    match service
        .decide(account, number, decision, typed, reason, seen)
        .await
    {
        Ok(_) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(refused) => {
            let trouble = page.trouble(refused);
            whole(&page, number, Some(trouble)).await
        }
    }
}

async fn call_off(page: Page<Proposers>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let form = Form::of(body);
    let Some(number) = number(&path) else {
        return missing(&page);
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    match service
        .call_off(account, number, form.field("reason"))
        .await
    {
        Ok(()) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(refused) => {
            let trouble = page.trouble(refused);
            whole(&page, number, Some(trouble)).await
        }
    }
}
