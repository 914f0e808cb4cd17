//! An agency's words and looks for a campaign, as its file describes them.
//!
//! Owns the checked form. `Agency::parse` reads a file that an operator brings in, and checks it by
//! today's rules; `Agency::of_rows` takes what the journal has compiled, without a parser. It reads
//! text and bytes, never a file: the caller brings the logo.

pub mod colour;
pub mod diff;
mod file;
pub mod logo;
pub mod rows;
mod texts;

use crate::domain::campaign::source::Source;
use crate::domain::campaign::{Finding, Severity};
use crate::domain::time::Stamp;

pub use colour::Colour;
pub use logo::{Logo, LogoKind};
pub use texts::Texts;

/// The longest file: sixteen languages of a privacy notice have some 400 KiB.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// A footer has few links.
pub const LINKS_MAX: usize = 8;
/// As many as a campaign may have vaccines.
pub const VACCINES_MAX: usize = crate::domain::campaign::VACCINES_MAX;

/// What an agency says and how it looks. Every text is plain: a blank line separates paragraphs,
/// and a line that begins with `- ` is an item of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Agency {
    pub name: Texts,
    pub logo: Option<Logo>,
    pub colour: Option<Colour>,
    pub telephone: Option<String>,
    pub hours: Option<Texts>,
    pub privacy: Option<Texts>,
    pub accessibility: Option<Texts>,
    pub terms: Option<Texts>,
    pub consent: Option<Consent>,
    pub landing: Option<Texts>,
    pub confirmation: Option<Texts>,
    pub print: Option<Texts>,
    pub links: Vec<Link>,
    pub vaccines: Vec<VaccineText>,
}

/// What people agree to before they enter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// The agency's own name for this wording, such as its date.
    pub version: String,
    pub text: Texts,
}

/// A link at the foot of each page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub label: Texts,
    /// Begins with `https://`.
    pub url: String,
}

/// What people read of one of the campaign's vaccines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VaccineText {
    /// The campaign's id of the vaccine.
    pub id: String,
    pub name: Texts,
    /// What to bring to the appointment.
    pub bring: Option<Texts>,
}

/// An agency's file that is in force for a campaign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgencyVersion {
    /// From 1, counted for each campaign.
    pub version: u32,
    pub activated_at: Stamp,
    /// The first version with this consent text: whoever agreed to it, or to a later one, has
    /// agreed to what is in force.
    pub consent_since: u32,
    /// The text of the file.
    pub source: String,
    pub agency: Agency,
}

impl AgencyVersion {
    /// The version that comes after one, or the first.
    pub fn next(
        before: Option<&Self>,
        activated_at: Stamp,
        source: String,
        agency: Agency,
    ) -> Self {
        let version = before.map_or(0, |known| known.version) + 1;
        let same = before.filter(|known| known.agency.consent == agency.consent);
        Self {
            version,
            activated_at,
            consent_since: same.map_or(version, |known| known.consent_since),
            source,
            agency,
        }
    }

    /// Whether somebody who agreed to the consent text of that version has agreed to this one's.
    pub fn is_agreed_by(&self, version: u32) -> bool {
        (self.consent_since..=self.version).contains(&version)
    }
}

impl Agency {
    /// Reads and checks an agency's file that an operator brings in. `logo` is asked for the bytes
    /// of the logo's file, by the path that the text gives; it says why it has none.
    ///
    /// # Errors
    /// Every finding when at least one is an error; an agency that is returned has only warnings.
    pub fn parse(
        source: &str,
        logo: impl FnOnce(&str) -> Result<Vec<u8>, String>,
    ) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let mut source = Source::new(source);
        let agency = file::read(&mut source, logo);
        let findings = source.into_findings();
        match agency {
            Some(agency) if findings.iter().all(|f| f.severity == Severity::Warning) => {
                Ok((agency, findings))
            }
            _ => Err(findings),
        }
    }

    /// What people read of a vaccine.
    pub fn vaccine(&self, id: &str) -> Option<&VaccineText> {
        self.vaccines.iter().find(|vaccine| vaccine.id == id)
    }
}

#[cfg(test)]
mod tests;
