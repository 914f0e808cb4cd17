//! Proposals: their list, and proposing a text. `one` is a proposal's own page, `effect` what one
//! would do.

pub mod effect;
mod one;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown, shown_with};
use crate::domain::ids::CampaignId;
use crate::domain::staff::proposal::{Proposal, Proposed};
use crate::domain::time::Stamp;
use crate::service::desk::DeskRefused;
use crate::web::desk::api::proposals::{ProposalView, kind};
use crate::web::desk::staff::{Allowed, FileProposers, Proposers, Readers, Routes};
use crate::web::desk::wanted;
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;
use effect::EffectShown;
pub(super) use one::missing;
use one::{call_off, decide, one};

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
