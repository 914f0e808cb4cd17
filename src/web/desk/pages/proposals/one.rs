//! One proposal as it is now: what it is to do, what it would do, and deciding on it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::effect::EffectShown;
use super::{kind_words, state_words};
use crate::domain::booking::relocation::{Prefer, Unanswered};
use crate::domain::line::Notice;
use crate::domain::staff::proposal::{Asking, Decision, Proposal, Proposed, Rollover, may_decide};
use crate::service::Service;
use crate::service::desk::DeskRefused;
use crate::service::desk::proposals::next_due;
use crate::web::desk::api::proposals::{ProposalView, decision, due};
use crate::web::desk::pages::files::key_words;
use crate::web::desk::pages::record::instant;
use crate::web::desk::pages::{Frame, Page, Path, Trouble, onward, shown_with, told};
use crate::web::desk::staff::{Allowed, Proposers, Readers};
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

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

pub(super) async fn one(page: Page<Readers>, path: Path) -> HttpResponse {
    match number(&path) {
        Some(number) => whole(&page, number, None).await,
        None => missing(&page),
    }
}

fn number(path: &Path) -> Option<u32> {
    path.get("number")?.parse().ok()
}

pub(in crate::web::desk::pages) fn missing<A: Allowed>(page: &Page<A>) -> HttpResponse {
    let trouble = page.trouble(DeskRefused::NotFound);
    let account = Some(&page.staff.account);
    told(page.lang, account, StatusCode::NOT_FOUND, trouble)
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
    let at = |stamp| instant(service, stamp);
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
        at: instant(service, proposed.at),
        state: state_words(lang, view.state),
        text: text_of(proposed),
        seen: effect
            .filter(|effect| effect.faults.is_empty())
            .map(|effect| EffectShown::of(lang, &effect)),
        faults,
        may_decide: is_open && !is_own && may_decide(page.staff.account.role),
        is_own: is_open && is_own,
        due: due(proposed).map(|due| instant(service, due)),
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

pub(super) async fn decide(
    page: Page<Proposers>,
    (path, body): (Path, read::Bytes),
) -> HttpResponse {
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

pub(super) async fn call_off(
    page: Page<Proposers>,
    (path, body): (Path, read::Bytes),
) -> HttpResponse {
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
