//! What stands around every page: titles, the other language, scripts, the zone.

use std::sync::Arc;

use super::assets::{self, Asset};
use super::look::{LogoView, Look};
use super::text::InLanguage;
use super::visit::Visit;
use super::when::When;
use crate::domain::agency::{Agency, Texts};
pub use crate::domain::text::grouped;
use crate::domain::time::Stamp;
use crate::web::words::{Lang, Value};

pub struct Frame {
    pub l: Lang,
    /// The campaign's name, or the program's.
    pub name: String,
    /// `/ko/kr-2021-50s`.
    pub base: String,
    /// The same page in the other languages.
    pub others: Vec<Other>,
    /// Whose pages these are, if they said so.
    pub agency: Option<AgencyView>,
    pub look: Arc<Look>,
    /// The logo, unless the page must do with one request.
    pub logo: Option<LogoView>,
    pub script: &'static Asset,
    /// Whose clock the times are of; none where no campaign is known.
    pub zone: Option<String>,
    /// When the page was made.
    pub made: Option<String>,
}

/// A page in another language.
pub struct Other {
    pub address: String,
    pub tag: &'static str,
    /// The language's name in itself.
    pub name: &'static str,
}

/// The agency as every page shows it.
pub struct AgencyView {
    pub name: InLanguage,
    pub telephone: Option<Phone>,
    pub hours: Option<InLanguage>,
    /// Addresses and what is written on them.
    pub links: Vec<(String, InLanguage)>,
}

impl AgencyView {
    fn of(lang: Lang, base: &str, agency: &Agency) -> Self {
        let told = |texts: &Texts| InLanguage::agency(lang, texts);
        let own = [
            (agency.privacy.is_some(), "privacy"),
            (agency.terms.is_some(), "terms"),
            (agency.accessibility.is_some(), "accessibility"),
        ];
        let own = own.into_iter().filter(|(is_there, _)| *is_there);
        let own = own.map(|(_, page)| {
            let words = lang.say(page).to_owned();
            (format!("{base}/{page}"), InLanguage::from(words))
        });
        let others = agency.links.iter();
        let others = others.map(|link| (link.url.clone(), told(&link.label)));
        Self {
            name: told(&agency.name),
            telephone: agency.telephone.as_deref().map(Phone::of),
            hours: agency.hours.as_ref().map(told),
            links: own.chain(others).collect(),
        }
    }
}

/// A telephone number: as it is shown, and as a link dials it.
pub struct Phone {
    pub shown: String,
    pub dial: String,
}

impl Phone {
    pub fn of(shown: &str) -> Self {
        let digits = |letter: &char| letter.is_ascii_digit() || *letter == '+';
        Self {
            shown: shown.to_owned(),
            dial: shown.chars().filter(digits).collect(),
        }
    }
}

impl Frame {
    /// The frame of a page of a campaign.
    pub fn of(visit: &Visit, page: &str) -> Self {
        let mut frame = Self::timeless(visit, page);
        let when = When::of(visit);
        frame.made = Some(when.instant_s(visit.here.now));
        frame
    }

    /// The same without the instant, for a page that is kept.
    pub fn timeless(visit: &Visit, page: &str) -> Self {
        let campaign = &visit.here.offer.catalog.campaign;
        let lang = visit.lang;
        let base = visit.to("");
        let others = others(lang, |other| {
            format!("/{}/{}{page}", other.tag(), campaign.id)
        });
        let agency = visit.here.agency();
        let look = Look::of(agency.as_ref());
        let agency = agency.map(|known| AgencyView::of(lang, &base, &known.agency));
        Self {
            l: lang,
            name: lang.pick(&campaign.name.ko, &campaign.name.en).to_owned(),
            base,
            others,
            agency,
            logo: look.logo.clone(),
            look,
            script: assets::named("page.js"),
            zone: Some(When::of(visit).zone()),
            made: None,
        }
    }

    /// The frame of a page of no campaign.
    pub fn bare(lang: Lang) -> Self {
        Self {
            l: lang,
            name: lang.say("program").to_owned(),
            base: format!("/{}", lang.tag()),
            others: others(lang, |other| format!("/{}", other.tag())),
            agency: None,
            look: Look::of(None),
            logo: None,
            script: assets::named("page.js"),
            zone: None,
            made: None,
        }
    }
}

/// Every other language's page.
fn others(lang: Lang, address: impl Fn(Lang) -> String) -> Vec<Other> {
    let other = |other: Lang| Other {
        address: address(other),
        tag: other.tag(),
        name: other.say("language"),
    };
    let all = Lang::all().filter(|other| *other != lang);
    all.map(other).collect()
}

/// A text as a value of a message.
pub fn text(value: impl Into<String>) -> Value {
    Value::from(value.into())
}

/// Free seats in words.
pub fn seats(lang: Lang, free: u32) -> String {
    if free == 0 {
        return lang.say("seats-none").to_owned();
    }
    lang.put(
        "seats",
        &[
            ("n", Value::from(free)),
            ("count", text(grouped(free.into()))),
        ],
    )
}

/// A stretch of time in whole minutes, rounded up; at least one.
pub fn minutes(lang: Lang, seconds: u64) -> String {
    let minutes = seconds.div_ceil(60).max(1);
    if minutes < 120 {
        return lang.put("minutes", &[("n", Value::from(minutes))]);
    }
    let (hours, rest) = (minutes / 60, minutes % 60);
    lang.put(
        "hours",
        &[("h", Value::from(hours)), ("m", Value::from(rest))],
    )
}

/// The instant in a form for machines.
pub fn machine(visit: &Visit, stamp: Stamp) -> String {
    visit.here.offer.catalog.campaign.zone.rfc3339(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(minutes(Lang::EN, 1), "1 minute");
        assert_eq!(minutes(Lang::EN, 61), "2 minutes");
        assert_eq!(minutes(Lang::EN, 7_320), "2 h 2 min");
        assert_eq!(minutes(Lang::KO, 7_200), "2시간 0분");
    }
}
