//! What stands around every page: titles, the other language, scripts, the zone.

use super::assets::{self, Asset};
use super::visit::Visit;
use super::when::When;
pub use crate::domain::text::grouped;
use crate::domain::time::Stamp;
use crate::web::words::{Lang, Value};

pub struct Frame {
    pub l: Lang,
    /// The campaign's name, or the program's.
    pub name: String,
    /// `/ko/kr-2021-50s`.
    pub base: String,
    /// The same page in the other language.
    pub other: String,
    pub style: &'static Asset,
    pub script: &'static Asset,
    /// Whose clock the times are of; none where no campaign is known.
    pub zone: Option<String>,
    /// When the page was made.
    pub made: Option<String>,
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
        let other = format!("/{}/{}{page}", lang.other().tag(), campaign.id);
        Self {
            l: lang,
            name: lang.pick(&campaign.name.ko, &campaign.name.en).to_owned(),
            base,
            other,
            style: assets::named("page.css"),
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
            other: format!("/{}", lang.other().tag()),
            style: assets::named("page.css"),
            script: assets::named("page.js"),
            zone: None,
            made: None,
        }
    }
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
        assert_eq!(minutes(Lang::En, 1), "1 minute");
        assert_eq!(minutes(Lang::En, 61), "2 minutes");
        assert_eq!(minutes(Lang::En, 7_320), "2 h 2 min");
        assert_eq!(minutes(Lang::Ko, 7_200), "2시간 0분");
    }
}
