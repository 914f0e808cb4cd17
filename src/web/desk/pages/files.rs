//! What is proposed with a file that is no text, or without any: a roster, an agency's file with
//! its logo, keys, and an agency's version from before. Each shows what it would do before it is
//! proposed.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use actix_web::{HttpResponse, web};
use askama::Template;
use data_encoding::{BASE64, HEXLOWER};

use super::proposals::effect::EffectShown;
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown_with};
use crate::domain::agency::logo::FILE_BYTES_MAX as LOGO_BYTES_MAX;
use crate::domain::agency::{FILE_BYTES_MAX, Logo, LogoKind};
use crate::domain::ids::CampaignId;
use crate::domain::staff::proposal::{KeyChange, Proposal};
use crate::domain::time::{Stamp, Zone};
use crate::service::desk::DeskRefused;
use crate::service::desk::effect::agency::parts;
use crate::web::desk::staff::{FileProposers, Readers, Routes};
use crate::web::desk::upload::Parts;
use crate::web::desk::wanted;
use crate::web::pages::{Form, protect};
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<FileProposers, _, _>(GET, &at("/proposals/roster"), roster_page);
    routes.page::<FileProposers, _, _>(POST, &at("/proposals/roster"), roster_sent);
    routes.page::<FileProposers, _, _>(POST, &at("/proposals/roster/file"), roster_brought);
    routes.page::<FileProposers, _, _>(GET, &at("/proposals/keys"), keys_page);
    routes.page::<FileProposers, _, _>(POST, &at("/proposals/keys"), keys_sent);
    routes.page::<FileProposers, _, _>(GET, &at("/proposals/again"), again_page);
    routes.page::<FileProposers, _, _>(POST, &at("/proposals/again"), again_sent);
    routes.page::<FileProposers, _, _>(GET, &at("/proposals/logo"), logo_page);
    routes.page::<FileProposers, _, _>(POST, &at("/proposals/logo"), logo_sent);
    routes.page::<Readers, _, _>(GET, &at("/proposals/{number}/logo"), logo);
}

/// Bytes of a form without a file.
const FORM_BYTES_MAX: usize = 64 << 10;

/// The form of a short body.
async fn form_of(body: web::Payload) -> Form {
    let read = body.to_bytes_limited(FORM_BYTES_MAX).await;
    Form::of(match read {
        Ok(Ok(bytes)) => Ok(bytes),
        _ => Ok(web::Bytes::new()),
    })
}

#[derive(Template)]
#[template(path = "desk/roster.html", config = "src/web/pages/askama.toml")]
struct RosterPage {
    f: Frame,
    trouble: Option<Trouble>,
}

fn roster_again(page: &Page<FileProposers>, trouble: Option<Trouble>) -> HttpResponse {
    let status = status_of(&trouble);
    let f = page.frame("/proposals/roster", "desk-help-roster");
    shown_with(page.lang, status, &RosterPage { f, trouble })
}

fn status_of(trouble: &Option<Trouble>) -> StatusCode {
    match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    }
}

/// Takes in a file, and goes on to what it would do.
async fn roster_brought(
    page: Page<FileProposers>,
    (path, body): (Path, web::Payload),
) -> HttpResponse {
    let refused = |refused| roster_again(&page, Some(page.trouble(refused)));
    let not_whole = || DeskRefused::Impossible("the form did not arrive whole".to_owned());
    let Ok(mut parts) = Parts::of(&path.0, body) else {
        return refused(not_whole());
    };
    let (mut encoding, mut country) = (String::new(), String::new());
    loop {
        // The file is the last part of the form.
        let field = match parts.next().await {
            Ok(Some(name)) if name == "file" => break,
            Ok(Some(name)) if name == "encoding" => &mut encoding,
            Ok(Some(name)) if name == "country" => &mut country,
            _ => return refused(not_whole()),
        };
        let Ok(bytes) = parts.whole(100).await else {
            return refused(not_whole());
        };
        *field = String::from_utf8_lossy(&bytes).trim().to_owned();
    }
    let how = match wanted::how_to_read(&encoding, &country) {
        Ok(how) => how,
        Err((name, why)) => return refused(DeskRefused::Impossible(format!("{name}: {why}"))),
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    match service.take_roster(account, how, parts.arriving()).await {
        Ok(taken) => {
            let file = HEXLOWER.encode(&taken.sha256);
            onward(&page.to(&format!("/proposals/roster?file={file}")))
        }
        Err(why) => refused(why),
    }
}

/// A form without a text: what is chosen, and what it would do.
#[derive(Template)]
#[template(path = "desk/plain.html", config = "src/web/pages/askama.toml")]
struct PlainPage {
    f: Frame,
    trouble: Option<Trouble>,
    faults: Vec<String>,
    title: &'static str,
    action: String,
    /// Name and value.
    hidden: Vec<(&'static str, String)>,
    /// Value, words, whether it is chosen: of the field `keys`.
    choices: Vec<(&'static str, &'static str, bool)>,
    due: String,
    reason: String,
    seen: Option<EffectShown>,
}

/// Which form it is, and what it proposes.
struct Plain {
    /// Behind `/proposals/`.
    name: &'static str,
    title: &'static str,
    help: &'static str,
    /// What of the form names it, for the same page in another language.
    named: String,
    hidden: Vec<(&'static str, String)>,
    choices: Vec<(&'static str, &'static str, bool)>,
    what: Option<Proposal>,
}

fn roster_plain(lang: Lang, form: &Form) -> Plain {
    let file = form.field("file").to_owned();
    let named = wanted::roster_file(&file).ok();
    Plain {
        name: "roster",
        title: lang.say("kind-roster"),
        help: "desk-help-roster",
        named: format!("?file={file}"),
        hidden: vec![("file", file)],
        choices: Vec::new(),
        what: named.map(|file| Proposal::Roster { file }),
    }
}

pub(super) fn key_words(lang: Lang, change: KeyChange) -> &'static str {
    lang.say(match change {
        KeyChange::Tokens => "keys-tokens",
        KeyChange::TokensRevoked => "keys-tokens-revoked",
        KeyChange::Heads => "keys-heads",
        KeyChange::Names => "keys-names",
        KeyChange::NamesForgotten => "keys-names-forgotten",
    })
}

fn keys_plain(lang: Lang, form: &Form) -> Plain {
    let chosen = KeyChange::named(form.field("keys"));
    let choice = |change: KeyChange| {
        let is_this = Some(change) == chosen;
        (change.name(), key_words(lang, change), is_this)
    };
    Plain {
        name: "keys",
        title: lang.say("kind-keys"),
        help: "desk-help-key-changes",
        named: String::new(),
        hidden: Vec::new(),
        choices: KeyChange::ALL.map(choice).to_vec(),
        what: chosen.map(|change| Proposal::Keys { change }),
    }
}

fn again_plain(lang: Lang, form: &Form) -> Plain {
    let campaign = form.field("campaign").to_owned();
    let version: Option<u32> = form.number("version");
    let told = version.map(|version| version.to_string());
    let told = told.unwrap_or_default();
    let what = CampaignId::try_from(campaign.clone()).ok().zip(version);
    Plain {
        name: "again",
        title: lang.say("kind-agency-again"),
        help: "desk-help-proposals",
        named: format!("?campaign={campaign}&version={told}"),
        hidden: vec![("campaign", campaign), ("version", told)],
        choices: Vec::new(),
        what: what.map(|(campaign, version)| Proposal::AgencyAgain { campaign, version }),
    }
}

fn plain_page(
    page: &Page<FileProposers>,
    plain: Plain,
    form: &Form,
    (trouble, faults): (Option<Trouble>, Vec<String>),
    seen: Option<EffectShown>,
) -> HttpResponse {
    let status = status_of(&trouble);
    let address = format!("/proposals/{}{}", plain.name, plain.named);
    let template = PlainPage {
        f: page.frame(&address, plain.help),
        trouble,
        faults,
        title: plain.title,
        action: page.to(&format!("/proposals/{}", plain.name)),
        hidden: plain.hidden,
        choices: plain.choices,
        due: form.field("due").to_owned(),
        reason: form.field("reason").to_owned(),
        seen,
    };
    shown_with(page.lang, status, &template)
}

/// The zone in which an instant is written: of the campaign that is named, else of the first.
fn zone_of(page: &Page<FileProposers>, campaign: &str) -> Option<Zone> {
    let offers = page.staff.service.shared.offers().clone();
    let mut zones = offers.iter().map(|offer| &offer.catalog.campaign);
    let named = zones.find(|known| campaign.is_empty() || known.id.as_str() == campaign);
    named.map(|campaign| campaign.zone.clone())
}

fn due_of(page: &Page<FileProposers>, form: &Form) -> Result<Option<Stamp>, String> {
    let text = form.field("due");
    if text.is_empty() {
        return Ok(None);
    }
    let zone = match zone_of(page, form.field("campaign")) {
        Some(zone) => zone,
        None => Zone::named("UTC").map_err(|why| why.to_string())?,
    };
    let due = wanted::instant("due", text, &zone);
    due.map(Some)
        .map_err(|(name, why)| format!("{name}: {why}"))
}

/// Shows what it would do, or proposes it.
async fn plain(
    page: &Page<FileProposers>,
    form: &Form,
    made: fn(Lang, &Form) -> Plain,
    is_sent: bool,
) -> HttpResponse {
    let lang = page.lang;
    let plain = made(lang, form);
    let Some(what) = plain.what.clone() else {
        let trouble = is_sent.then(|| page.trouble(DeskRefused::NotFound));
        return plain_page(page, plain, form, (trouble, Vec::new()), None);
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    let refused = |why: DeskRefused| {
        let faults = match &why {
            DeskRefused::Faults(faults) => faults.clone(),
            _ => Vec::new(),
        };
        let trouble = Some(page.trouble(why));
        plain_page(page, made(lang, form), form, (trouble, faults), None)
    };
    if !form.has("propose") {
        let from = page.staff.from();
        return match service.preview(account, &from, what, String::new()).await {
            Ok(effect) if effect.faults.is_empty() => {
                let seen = Some(EffectShown::of(lang, &effect));
                plain_page(page, plain, form, (None, Vec::new()), seen)
            }
            Ok(effect) => refused(DeskRefused::Faults(effect.faults)),
            Err(why) => refused(why),
        };
    }
    let due = match due_of(page, form) {
        Ok(due) => due,
        Err(why) => return refused(DeskRefused::Faults(vec![why])),
    };
    let proposed = service.propose(account, what, String::new(), form.field("reason"), due);
    match proposed.await {
        Ok((number, _)) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(why) => refused(why),
    }
}

async fn roster_page(page: Page<FileProposers>, path: Path) -> HttpResponse {
    let form = Form::of_address(&path.0);
    if !form.has("file") {
        return roster_again(&page, None);
    }
    plain(&page, &form, roster_plain, false).await
}

async fn roster_sent(page: Page<FileProposers>, body: web::Payload) -> HttpResponse {
    plain(&page, &form_of(body).await, roster_plain, true).await
}

async fn keys_page(page: Page<FileProposers>, path: Path) -> HttpResponse {
    plain(&page, &Form::of_address(&path.0), keys_plain, false).await
}

async fn keys_sent(page: Page<FileProposers>, body: web::Payload) -> HttpResponse {
    plain(&page, &form_of(body).await, keys_plain, true).await
}

async fn again_page(page: Page<FileProposers>, path: Path) -> HttpResponse {
    plain(&page, &Form::of_address(&path.0), again_plain, true).await
}

async fn again_sent(page: Page<FileProposers>, body: web::Payload) -> HttpResponse {
    plain(&page, &form_of(body).await, again_plain, true).await
}

#[derive(Template)]
#[template(path = "desk/logo.html", config = "src/web/pages/askama.toml")]
struct LogoPage {
    f: Frame,
    trouble: Option<Trouble>,
    faults: Vec<String>,
    campaigns: Vec<(String, bool)>,
    typed: LogoTyped,
    seen: Option<EffectShown>,
}

/// What was typed and sent on the page of a logo.
#[derive(Default)]
struct LogoTyped {
    campaign: String,
    text: String,
    /// The logo's file in base64.
    logo: String,
    reason: String,
    proposes: bool,
}

fn logo_again(
    page: &Page<FileProposers>,
    typed: LogoTyped,
    (trouble, faults): (Option<Trouble>, Vec<String>),
    seen: Option<EffectShown>,
) -> HttpResponse {
    let offers = page.staff.service.shared.offers().clone();
    let ids = offers
        .iter()
        .map(|offer| offer.catalog.campaign.id.to_string());
    let bounds = &page.staff.account.bounds;
    let own = ids.filter(|id| bounds.has_campaign(id));
    let status = status_of(&trouble);
    let template = LogoPage {
        f: page.frame("/proposals/logo", "desk-help-logo"),
        trouble,
        faults,
        campaigns: own.map(|id| (id.clone(), id == typed.campaign)).collect(),
        typed,
        seen,
    };
    shown_with(page.lang, status, &template)
}

async fn logo_page(page: Page<FileProposers>, (): ()) -> HttpResponse {
    logo_again(&page, LogoTyped::default(), (None, Vec::new()), None)
}

/// The parts of the form; none if it did not arrive whole.
async fn logo_typed(mut parts: Parts) -> Option<LogoTyped> {
    let mut typed = LogoTyped::default();
    while let Some(name) = parts.next().await.ok()? {
        let most = match name.as_str() {
            "text" => FILE_BYTES_MAX as usize,
            "logo" => LOGO_BYTES_MAX as usize,
            _ => 2 * LOGO_BYTES_MAX as usize,
        };
        let bytes = parts.whole(most).await.ok()?;
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "campaign" => typed.campaign = text(),
            "text" => typed.text = String::from_utf8(bytes).ok()?.replace("\r\n", "\n"),
            "kept" => typed.logo = text(),
            // The one that is chosen anew is good; without a choice the one from before is.
            "logo" if !bytes.is_empty() => typed.logo = BASE64.encode(&bytes),
            "reason" => typed.reason = text(),
            "propose" => typed.proposes = true,
            _ => {}
        }
    }
    Some(typed)
}

async fn logo_sent(page: Page<FileProposers>, (path, body): (Path, web::Payload)) -> HttpResponse {
    let parts = Parts::of(&path.0, body).ok();
    let typed = match parts {
        Some(parts) => logo_typed(parts).await,
        None => None,
    };
    let Some(typed) = typed else {
        let why = "the form did not arrive whole, or a file of it is too long";
        let trouble = page.trouble(DeskRefused::Impossible(why.to_owned()));
        let typed = LogoTyped::default();
        return logo_again(&page, typed, (Some(trouble), Vec::new()), None);
    };
    let refused = |typed, why: DeskRefused| {
        let faults = match &why {
            DeskRefused::Faults(faults) => faults.clone(),
            _ => Vec::new(),
        };
        logo_again(&page, typed, (Some(page.trouble(why)), faults), None)
    };
    let Ok(campaign) = CampaignId::try_from(typed.campaign.clone()) else {
        return refused(typed, DeskRefused::NotFound);
    };
    let (what, text) = match wanted::with_logo(campaign, &typed.text, &typed.logo) {
        Ok(wanted) => wanted,
        Err((name, why)) => {
            return refused(typed, DeskRefused::Faults(vec![format!("{name}: {why}")]));
        }
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    if !typed.proposes {
        let from = page.staff.from();
        return match service.preview(account, &from, what, text).await {
            Ok(effect) if effect.faults.is_empty() => {
                let seen = Some(EffectShown::of(page.lang, &effect));
                logo_again(&page, typed, (None, Vec::new()), seen)
            }
            Ok(effect) => refused(typed, DeskRefused::Faults(effect.faults)),
            Err(why) => refused(typed, why),
        };
    }
    match service
        .propose(account, what, text, &typed.reason, None)
        .await
    {
        Ok((number, _)) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(why) => refused(typed, why),
    }
}

/// The picture of a proposal as people would be shown it: made anew, and no byte of the file. It is
/// shown alone, under a policy that lets it fetch and run nothing.
async fn logo(page: Page<Readers>, path: Path) -> HttpResponse {
    let missing = || super::proposals::missing(&page);
    let service = &page.staff.service;
    let number = path.get("number").and_then(|number| number.parse().ok());
    let staff = service.staff();
    let proposed = number.and_then(|number| {
        let proposed = staff.proposals.get(&number)?;
        let reads = service.reads_proposal(&page.staff.account, number, proposed);
        reads.then_some(proposed)
    });
    let Some(proposed) = proposed else {
        return missing();
    };
    let Proposal::AgencyLogo { text_bytes, .. } = &proposed.what else {
        return missing();
    };
    let file = parts(&proposed.text, *text_bytes);
    let Ok(Ok(logo)) = file.map(|(_, file)| Logo::of_file(&file)) else {
        return missing();
    };
    let kind = match logo.kind {
        LogoKind::Svg => "image/svg+xml",
        LogoKind::Png => "image/png",
    };
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    let mut answer = HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(logo.bytes);
    protect(answer.headers_mut());
    answer
}
