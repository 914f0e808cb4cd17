//! What programs are told of the agency: its short texts and links. The long ones are on the pages.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::agency::{AgencyVersion, Texts};

/// Who is behind the campaign, in the words of the agency's file. Texts are plain, by language tag;
/// each has at least `ko` and `en`.
#[derive(Serialize, ToSchema)]
pub struct AgencyView {
    /// The version of the agency's file; a booking names it as `agreed`.
    pub version: u32,
    pub name: BTreeMap<String, String>,
    pub telephone: Option<String>,
    /// When somebody answers the telephone.
    pub hours: Option<BTreeMap<String, String>>,
    /// As `#0b50d0`; white text on it is readable.
    #[schema(pattern = "^#[0-9a-f]{6}$")]
    pub colour: Option<String>,
    /// None where people need not agree to anything.
    pub consent: Option<ConsentView>,
    pub links: Vec<LinkView>,
    pub vaccines: Vec<VaccineView>,
}

/// What people agree to before they enter.
#[derive(Serialize, ToSchema)]
pub struct ConsentView {
    /// The agency's own name for the wording.
    pub version: String,
}

#[derive(Serialize, ToSchema)]
pub struct LinkView {
    pub label: BTreeMap<String, String>,
    #[schema(pattern = "^https://")]
    pub url: String,
}

#[derive(Serialize, ToSchema)]
pub struct VaccineView {
    pub vaccine: String,
    pub name: BTreeMap<String, String>,
    /// What to bring to the appointment.
    pub bring: Option<BTreeMap<String, String>>,
}

impl AgencyView {
    pub fn of(version: &AgencyVersion) -> Self {
        let agency = &version.agency;
        let links = agency.links.iter().map(|link| LinkView {
            label: by_tag(&link.label),
            url: link.url.clone(),
        });
        let vaccines = agency.vaccines.iter().map(|vaccine| VaccineView {
            vaccine: vaccine.id.clone(),
            name: by_tag(&vaccine.name),
            bring: vaccine.bring.as_ref().map(by_tag),
        });
        let consent = agency.consent.as_ref().map(|consent| ConsentView {
            version: consent.version.clone(),
        });
        Self {
            version: version.version,
            name: by_tag(&agency.name),
            telephone: agency.telephone.clone(),
            hours: agency.hours.as_ref().map(by_tag),
            colour: agency.colour.map(|colour| colour.to_string()),
            consent,
            links: links.collect(),
            vaccines: vaccines.collect(),
        }
    }
}

fn by_tag(texts: &Texts) -> BTreeMap<String, String> {
    let texts = texts.iter();
    texts
        .map(|(tag, text)| (tag.to_owned(), text.to_owned()))
        .collect()
}
