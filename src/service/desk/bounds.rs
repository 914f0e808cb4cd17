//! Bounds of accounts and keys, as the desk takes them: what is named has to be there. The journal
//! may have bounds of before, and of campaigns that are not active any more.

use super::{Allowed, DeskRefused};
use crate::domain::staff::{BOUNDS_MAX, Bounds};
use crate::regions::{listed_code, names, provinces_in_words};
use crate::service::Service;

impl Service {
    /// The bounds as they are kept: provinces by their listed codes. Refuses what names a campaign,
    /// a province or a site that is not there, and says which.
    pub fn known_bounds(&self, bounds: Bounds) -> Allowed<Bounds> {
        let count = bounds.campaigns.len() + bounds.provinces.len() + bounds.sites.len();
        if count > BOUNDS_MAX {
            let why =
                format!("{count} campaigns, provinces and sites: at most {BOUNDS_MAX} can be");
            return Err(DeskRefused::Impossible(why));
        }
        let offers = self.shared.offers().clone();
        let is_active = |id: &String| {
            let mut all = offers.iter();
            all.any(|offer| offer.catalog.campaign.id.as_str() == id)
        };
        let refused = |why: String| Err(DeskRefused::Impossible(why));
        if let Some(id) = bounds.campaigns.iter().find(|id| !is_active(id)) {
            let all = offers
                .iter()
                .map(|offer| offer.catalog.campaign.id.as_str());
            let all = all.collect::<Vec<_>>().join(", ");
            return refused(format!("campaign `{id}` is not active; active are: {all}"));
        }
        if let Some(code) = bounds.provinces.iter().find(|code| !is_province(code)) {
            let all = provinces_in_words();
            return refused(format!("`{code}` is no province: {all}"));
        }
        let is_site = |id: &String| {
            let mut all = offers.iter();
            all.any(|offer| offer.catalog.site(id).is_some())
        };
        if let Some(id) = bounds.sites.iter().find(|id| !is_site(id)) {
            return refused(format!("there is no site `{id}` in any active campaign"));
        }
        let provinces = bounds.provinces.iter();
        Ok(Bounds {
            provinces: provinces
                .map(|code| listed_code(code).into_owned())
                .collect(),
            ..bounds
        })
    }
}

fn is_province(code: &str) -> bool {
    code.len() == 2 && names(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_province_is_one_of_the_table_by_either_of_its_codes() {
        for known in ["11", "26", "50", "51"] {
            assert!(is_province(known), "{known}");
        }
        for other in ["", "1", "11/110", "99", "서울", "é"] {
            assert!(!is_province(other), "{other}");
        }
    }
}
