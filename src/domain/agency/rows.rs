//! What an agency's file meant, as rows that the journal keeps: the compiled form of an `Agency`.
//!
//! A journal is replayed from these rows alone: neither the file's text nor a logo's file is read
//! again. A kind of row that is missing means that the agency has nothing of that kind.

use serde::{Deserialize, Serialize};

use super::{Agency, Colour, Consent, Link, Logo, LogoKind, Texts, VaccineText};

/// The longest part of a text in one row: some texts are longer than an entry may be.
const PART_BYTES_MAX: usize = 32 << 10;

/// One row of a compiled agency. Variants are appended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgencyRow {
    /// A text in one language, or a part of it: parts of one text follow one another.
    Text {
        of: TextOf,
        tag: String,
        text: String,
    },
    Logo {
        kind: LogoKind,
        #[serde(serialize_with = "crate::domain::shown::bytes")]
        bytes: Vec<u8>,
        width: u32,
        height: u32,
    },
    /// Red, green and blue.
    Colour([u8; 3]),
    Telephone(String),
    /// The agency's name for the wording of the text `Consent`.
    ConsentVersion(String),
    /// A link; its label is the text `LinkLabel` of its position.
    Link {
        url: String,
    },
    /// A vaccine; its texts are those of its position.
    Vaccine {
        id: String,
    },
}

/// What a text is. Variants are appended. Positions count from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextOf {
    Name,
    Hours,
    Privacy,
    Accessibility,
    Terms,
    Consent,
    Landing,
    Confirmation,
    Print,
    LinkLabel(u16),
    VaccineName(u16),
    VaccineBring(u16),
}

impl Agency {
    /// The agency as rows.
    pub fn rows(&self) -> Vec<AgencyRow> {
        let mut rows = Rows::default();
        rows.text(TextOf::Name, Some(&self.name));
        rows.0
            .extend(self.logo.as_ref().map(|logo| AgencyRow::Logo {
                kind: logo.kind,
                bytes: logo.bytes.clone(),
                width: logo.width,
                height: logo.height,
            }));
        rows.0
            .extend(self.colour.map(|colour| AgencyRow::Colour(colour.0)));
        rows.0
            .extend(self.telephone.clone().map(AgencyRow::Telephone));
        rows.text(TextOf::Hours, self.hours.as_ref());
        rows.text(TextOf::Privacy, self.privacy.as_ref());
        rows.text(TextOf::Accessibility, self.accessibility.as_ref());
        rows.text(TextOf::Terms, self.terms.as_ref());
        if let Some(consent) = &self.consent {
            rows.0
                .push(AgencyRow::ConsentVersion(consent.version.clone()));
            rows.text(TextOf::Consent, Some(&consent.text));
        }
        rows.text(TextOf::Landing, self.landing.as_ref());
        rows.text(TextOf::Confirmation, self.confirmation.as_ref());
        rows.text(TextOf::Print, self.print.as_ref());
        for (link, at) in self.links.iter().zip(0..) {
            let url = link.url.clone();
            rows.0.push(AgencyRow::Link { url });
            rows.text(TextOf::LinkLabel(at), Some(&link.label));
        }
        for (vaccine, at) in self.vaccines.iter().zip(0..) {
            let id = vaccine.id.clone();
            rows.0.push(AgencyRow::Vaccine { id });
            rows.text(TextOf::VaccineName(at), Some(&vaccine.name));
            rows.text(TextOf::VaccineBring(at), vaccine.bring.as_ref());
        }
        rows.0
    }

    /// The agency that these rows describe.
    ///
    /// # Errors
    /// What is missing or doubled: such rows were not written by this program.
    pub fn of_rows(rows: &[AgencyRow]) -> Result<Self, String> {
        let mut parts = Parts::default();
        rows.iter().try_for_each(|row| parts.add(row))?;
        parts.agency()
    }
}

#[derive(Default)]
struct Rows(Vec<AgencyRow>);

impl Rows {
    fn text(&mut self, of: TextOf, texts: Option<&Texts>) {
        for (tag, text) in texts.iter().flat_map(|texts| texts.iter()) {
            let mut rest = text;
            while !rest.is_empty() {
                let (part, after) = rest.split_at(rest.floor_char_boundary(PART_BYTES_MAX));
                let (tag, text) = (tag.to_owned(), part.to_owned());
                self.0.push(AgencyRow::Text { of, tag, text });
                rest = after;
            }
        }
    }
}

/// An agency in the making.
#[derive(Default)]
struct Parts {
    name: Option<Texts>,
    logo: Option<Logo>,
    colour: Option<Colour>,
    telephone: Option<String>,
    hours: Option<Texts>,
    privacy: Option<Texts>,
    accessibility: Option<Texts>,
    terms: Option<Texts>,
    consent_version: Option<String>,
    consent: Option<Texts>,
    landing: Option<Texts>,
    confirmation: Option<Texts>,
    print: Option<Texts>,
    links: Vec<Link>,
    vaccines: Vec<VaccineText>,
}

/// Takes the one value of its kind.
fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("has two rows for the {name} of an agency")),
    }
}

impl Parts {
    fn add(&mut self, row: &AgencyRow) -> Result<(), String> {
        match row {
            AgencyRow::Text { of, tag, text } => {
                let place = self.text(*of);
                let place =
                    place.ok_or_else(|| format!("has a text for {of:?}, which is not there"))?;
                place.push(tag, text);
                Ok(())
            }
            AgencyRow::Logo {
                kind,
                bytes,
                width,
                height,
            } => {
                let logo = Logo {
                    kind: *kind,
                    bytes: bytes.clone(),
                    width: *width,
                    height: *height,
                };
                once(&mut self.logo, "logo", logo)
            }
            AgencyRow::Colour(parts) => once(&mut self.colour, "colour", Colour(*parts)),
            AgencyRow::Telephone(number) => once(&mut self.telephone, "telephone", number.clone()),
            AgencyRow::ConsentVersion(version) => once(
                &mut self.consent_version,
                "consent's version",
                version.clone(),
            ),
            AgencyRow::Link { url } => {
                let (label, url) = (Texts::default(), url.clone());
                self.links.push(Link { label, url });
                Ok(())
            }
            AgencyRow::Vaccine { id } => {
                self.vaccines.push(VaccineText {
                    id: id.clone(),
                    name: Texts::default(),
                    bring: None,
                });
                Ok(())
            }
        }
    }

    /// Where a text belongs; none for a link or vaccine that has not come.
    fn text(&mut self, of: TextOf) -> Option<&mut Texts> {
        let place = match of {
            TextOf::Name => &mut self.name,
            TextOf::Hours => &mut self.hours,
            TextOf::Privacy => &mut self.privacy,
            TextOf::Accessibility => &mut self.accessibility,
            TextOf::Terms => &mut self.terms,
            TextOf::Consent => &mut self.consent,
            TextOf::Landing => &mut self.landing,
            TextOf::Confirmation => &mut self.confirmation,
            TextOf::Print => &mut self.print,
            TextOf::LinkLabel(at) => return Some(&mut self.links.get_mut(usize::from(at))?.label),
            TextOf::VaccineName(at) => {
                return Some(&mut self.vaccines.get_mut(usize::from(at))?.name);
            }
            TextOf::VaccineBring(at) => &mut self.vaccines.get_mut(usize::from(at))?.bring,
        };
        Some(place.get_or_insert_default())
    }

    fn agency(self) -> Result<Agency, String> {
        let consent = match (self.consent_version, self.consent) {
            (Some(version), Some(text)) => Some(Consent { version, text }),
            (None, None) => None,
            _ => return Err("has half of what people agree to".to_owned()),
        };
        Ok(Agency {
            name: self.name.ok_or("has no row for the name of an agency")?,
            logo: self.logo,
            colour: self.colour,
            telephone: self.telephone,
            hours: self.hours,
            privacy: self.privacy,
            accessibility: self.accessibility,
            terms: self.terms,
            consent,
            landing: self.landing,
            confirmation: self.confirmation,
            print: self.print,
            links: self.links,
            vaccines: self.vaccines,
        })
    }
}
