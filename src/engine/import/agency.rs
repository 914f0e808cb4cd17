//! An agency's file on its way into force for a campaign.
//!
//! Its list is journalled in parts, as other lists are (`lists`). The last entry makes the agency
//! of the rows that came before it; there is no catalog to be made beside the writer.

use std::sync::Arc;

use super::lists::{List, Told, impossible, offer, too_long, unknown};
use crate::domain::agency::Agency;
use crate::domain::ids::CampaignId;
use crate::domain::pieces;
use crate::engine::command::{Operated, Outcome};
use crate::engine::shared::{Offer, Shared};

/// The campaign of that name, or the only one that is active.
///
/// # Errors
/// Why there is none, and what to do.
pub fn campaign_for(shared: &Shared, id: Option<&CampaignId>) -> Result<Arc<Offer>, String> {
    let offers = shared.offers();
    match (id, offers.as_slice()) {
        (Some(id), _) => offer(shared, id).ok_or_else(|| super::lists::unknown_campaign(id)),
        (None, [only]) => Ok(Arc::clone(only)),
        (None, []) => Err("no campaign is active: activate its file first".to_owned()),
        (None, _) => Err("several campaigns are active: name one by --campaign".to_owned()),
    }
}

/// Checks that the agency names no vaccine that the campaign has not; gives the campaign's vaccines
/// that it does not name.
///
/// # Errors
/// The vaccines that the campaign has not, and those that it has.
pub fn vaccines_without_name(offer: &Offer, agency: &Agency) -> Result<Vec<String>, String> {
    let known = &offer.catalog.campaign.vaccines;
    let has = |id: &str| known.iter().any(|vaccine| vaccine.id == id);
    let named = agency.vaccines.iter().map(|vaccine| vaccine.id.as_str());
    let strange: Vec<&str> = named.filter(|id| !has(id)).collect();
    if !strange.is_empty() {
        let ids: Vec<&str> = known.iter().map(|vaccine| vaccine.id.as_str()).collect();
        return Err(format!(
            "campaign `{}` has no vaccine `{}`: write an id that it has ({}), or take the \
             [[agency.vaccine]] out",
            offer.catalog.campaign.id,
            strange.join("`, `"),
            ids.join(", ")
        ));
    }
    let unnamed = known
        .iter()
        .filter(|known| agency.vaccine(&known.id).is_none());
    Ok(unnamed.map(|vaccine| vaccine.id.clone()).collect())
}

/// Checks that another consent text has another version: by that people are told apart.
fn consent_has_own_version(before: &Agency, agency: &Agency) -> Result<(), String> {
    let (Some(old), Some(new)) = (&before.consent, &agency.consent) else {
        return Ok(());
    };
    if old.version == new.version && old.text != new.text {
        return Err(format!(
            "the consent text is another one than that in force, and its version is the same, \
             `{}`: give the new text a version of its own",
            new.version
        ));
    }
    Ok(())
}

/// The list that puts an agency's file into force as the next version.
pub fn activation(
    shared: &Shared,
    id: &CampaignId,
    source: &str,
    agency: &Agency,
) -> Result<List, Told> {
    let offer = offer(shared, id).ok_or_else(|| unknown(id))?;
    let vaccines_unnamed = vaccines_without_name(&offer, agency).map_err(impossible)?;
    let before = offer.agency.as_ref();
    if let Some(known) = before {
        consent_has_own_version(&known.agency, agency).map_err(impossible)?;
    }
    let is_in_force = before.is_some_and(|known| known.source == source && known.agency == *agency);
    let version_before = before.map_or(0, |known| known.version);
    let version = version_before + u32::from(!is_in_force);
    let done = Operated::AgencyActivated {
        campaign: id.clone(),
        version,
        is_new: !is_in_force,
        vaccines_unnamed,
    };
    if is_in_force {
        return Err(Box::new(Outcome::Operated(done)));
    }
    let campaign = offer.catalog.index;
    let changes = pieces::agency(campaign, version, source, agency).map_err(too_long)?;
    let list = List::new(shared, campaign, changes, None, done);
    Ok(List {
        agency_before: Some(version_before),
        ..list
    })
}
