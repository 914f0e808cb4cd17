//! What a proposal would do to an agency's texts and looks: a text, a text with a logo, or a
//! version that was in force before.

use std::sync::Arc;

use data_encoding::BASE64;

use super::{Effect, told, unknown};
use crate::domain::agency::diff::diff;
use crate::domain::agency::{Agency, AgencyVersion};
use crate::engine::shared::Offer;
use crate::service::Service;

/// A text alone comes without its logo.
pub fn no_logo(_: &str) -> Result<Vec<u8>, String> {
    Err("did not come with the text: propose text and logo together".to_owned())
}

fn offer(service: &Service, campaign: &str) -> Option<Arc<Offer>> {
    let offers = service.shared.offers().clone();
    let mut offers = offers.iter();
    let known = offers.find(|offer| offer.catalog.campaign.id.as_str() == campaign);
    known.cloned()
}

/// The texts of a proposal with a logo, and the logo's file.
///
/// # Errors
/// What does not fit.
pub fn parts(text: &str, text_bytes: u32) -> Result<(&str, Vec<u8>), String> {
    let cut = text.split_at_checked(text_bytes as usize);
    let (source, logo) = cut.ok_or("the text is shorter than it says")?;
    let logo = BASE64.decode(logo.as_bytes());
    Ok((source, logo.map_err(|_| "the logo's file is not whole")?))
}

/// The agency that a text with a logo is; its text, and what is wrong with it.
pub fn with_logo(text: &str, text_bytes: u32) -> Result<(String, Agency), Vec<String>> {
    let (source, logo) = parts(text, text_bytes).map_err(|why| vec![why])?;
    let (agency, _) = Agency::parse(source, |_| Ok(logo)).map_err(told)?;
    if agency.logo.is_none() {
        let why = "the text names no logo: write `logo = \"FILE\"` into [agency]";
        return Err(vec![why.to_owned()]);
    }
    Ok((source.to_owned(), agency))
}

pub(super) fn of_text_with_logo(
    service: &Service,
    campaign: &str,
    text: &str,
    text_bytes: u32,
) -> Effect {
    if let Err(faults) = with_logo(text, text_bytes) {
        return Effect {
            campaign: campaign.to_owned(),
            faults,
            ..Effect::default()
        };
    }
    match parts(text, text_bytes) {
        Ok((source, logo)) => of_text(service, campaign, source, |_| Ok(logo)),
        Err(why) => Effect {
            campaign: campaign.to_owned(),
            faults: vec![why],
            ..Effect::default()
        },
    }
}

pub(super) fn of_text(
    service: &Service,
    campaign: &str,
    text: &str,
    logo: impl FnOnce(&str) -> Result<Vec<u8>, String>,
) -> Effect {
    match Agency::parse(text, logo) {
        Err(findings) => Effect {
            campaign: campaign.to_owned(),
            faults: told(findings),
            ..Effect::default()
        },
        Ok((agency, cautions)) => Effect {
            cautions: told(cautions),
            ..of_agency(service, campaign, &agency)
        },
    }
}

fn of_agency(service: &Service, campaign: &str, agency: &Agency) -> Effect {
    let known = offer(service, campaign);
    let before = known.as_ref().and_then(|offer| offer.agency.as_ref());
    let before = before.map(|known| &known.agency);
    Effect {
        campaign: campaign.to_owned(),
        faults: unknown(known.is_some(), campaign),
        changes: diff(before, agency),
        ..Effect::default()
    }
}

/// A version that was in force before the present one, if it is kept.
pub fn version_before(
    service: &Service,
    campaign: &str,
    version: u32,
) -> Option<Arc<AgencyVersion>> {
    let offer = offer(service, campaign)?;
    let state = service.shared.state();
    let known = state.campaign(offer.catalog.index)?;
    let mut before = known.agencies_before.iter();
    before.find(|known| known.version == version).cloned()
}

pub(super) fn of_version(service: &Service, campaign: &str, version: u32) -> Effect {
    match version_before(service, campaign, version) {
        Some(known) => of_agency(service, campaign, &known.agency),
        None => Effect {
            campaign: campaign.to_owned(),
            faults: vec![format!(
                "version {version} of the agency's file is not among those that are kept: propose \
                 its text"
            )],
            ..Effect::default()
        },
    }
}
