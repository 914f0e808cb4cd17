//! An agency's file as operators' work: its logo on the way, what it would change, and what is in
//! force.

use std::fmt;
use std::io::{self, Read};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::Prepared;
use super::file::utf8;
use crate::domain::agency::diff::diff;
use crate::domain::agency::{Agency, AgencyVersion};
use crate::engine::command::Operation;
use crate::engine::import::agency::{campaign_for, vaccines_without_name};
use crate::engine::shared::{Offer, Shared};
use crate::ops::outcome::{
    AgencyDryRun, AgencyInForce, CampaignName, Done, Finished, WorkFault, WorkRefused,
};

/// The bytes of a logo's file, which come with the request: the file that comes behind it is the
/// agency's. In base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogoFile(String);

impl LogoFile {
    pub fn of(bytes: &[u8]) -> Self {
        Self(BASE64.encode(bytes))
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        let bytes = BASE64.decode(self.0.as_bytes());
        bytes.map_err(|fault| format!("did not arrive whole ({fault})"))
    }
}

impl fmt::Debug for LogoFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a logo of {} characters", self.0.len())
    }
}

/// Checks an agency's file against its campaign.
pub(super) fn prepare(
    shared: &Shared,
    campaign: Option<&str>,
    logo: Option<&LogoFile>,
    is_dry_run: bool,
    source: impl Read,
) -> anyhow::Result<Prepared> {
    let (source, agency) = match read(source, logo)? {
        Ok(read) => read,
        Err(fault) => return Ok(Prepared::fault(fault)),
    };
    let campaign = campaign.map(super::id).transpose()?;
    let offer = match campaign_for(shared, campaign.as_ref()) {
        Ok(offer) => offer,
        Err(why) => return Ok(Prepared::fault(WorkRefused::new(why))),
    };
    if is_dry_run {
        return Ok(Prepared::Finished(dry_run(&offer, &agency)));
    }
    Ok(Prepared::Operation(Operation::ActivateAgency {
        campaign: offer.catalog.campaign.id.clone(),
        source,
        agency: Box::new(agency),
    }))
}

/// The text and what it means, or what is wrong with it.
fn read(
    source: impl Read,
    logo: Option<&LogoFile>,
) -> io::Result<Result<(String, Agency), WorkFault>> {
    let text = match utf8(source)? {
        Ok(text) => text,
        Err(fault) => return Ok(Err(fault)),
    };
    let bytes = |_: &str| match logo {
        Some(logo) => logo.bytes(),
        None => Err("did not come with the request".to_owned()),
    };
    Ok(match Agency::parse(&text, bytes) {
        Ok((agency, _)) => Ok((text, agency)),
        Err(findings) => Err(WorkFault::Findings(findings)),
    })
}

fn dry_run(offer: &Offer, agency: &Agency) -> Finished {
    let unnamed = vaccines_without_name(offer, agency).map_err(WorkRefused::new)?;
    let before = offer.agency.as_ref();
    Ok(Done::AgencyDryRun(AgencyDryRun {
        campaign: offer.catalog.campaign.id.to_string(),
        version: before.map_or(0, |known| known.version) + 1,
        changes: diff(before.map(|known| &known.agency), agency),
        vaccines_unnamed: unnamed,
    }))
}

/// The agency's file of each campaign that has one.
pub(super) fn in_force(shared: &Shared) -> Vec<AgencyInForce> {
    let offers = shared.offers();
    let shown = offers.iter().filter_map(|offer| {
        let AgencyVersion {
            version,
            activated_at,
            agency,
            ..
        } = offer.agency.as_deref()?;
        let campaign = &offer.catalog.campaign;
        let name = |tag: &str| agency.name.of(tag).to_owned();
        Some(AgencyInForce {
            campaign: campaign.id.to_string(),
            version: *version,
            activated_at: campaign.zone.rfc3339(*activated_at),
            name: CampaignName {
                ko: name("ko"),
                en: name("en"),
            },
            consent: agency
                .consent
                .as_ref()
                .map(|consent| consent.version.clone()),
        })
    });
    shown.collect()
}
