//! The campaign files of the project, parsed.

use jiff::civil::Date;
use sumun::domain::campaign::eligibility::{Decision, Subject};
use sumun::domain::campaign::{Campaign, read_date, read_instant};
use sumun::domain::time::Stamp;

pub const JULY: &str = include_str!("../../../data/campaign.toml");
pub const AUGUST: &str = include_str!("../../../data/campaign-august.toml");

pub fn campaign(source: &str) -> Campaign {
    match Campaign::parse(source) {
        Ok((campaign, _)) => campaign,
        Err(findings) => panic!("{findings:#?}"),
    }
}

/// A local time of the campaign's zone, or RFC 3339.
pub fn at(campaign: &Campaign, text: &str) -> Stamp {
    read_instant(text, &campaign.zone).unwrap()
}

pub fn decide(campaign: &Campaign, born: &str, now: &str) -> Decision {
    decide_on(campaign, read_date(born).unwrap(), at(campaign, now))
}

pub fn decide_on(campaign: &Campaign, born: Date, now: Stamp) -> Decision {
    campaign.rules.decide(&Subject { born, groups: 0 }, now)
}

/// Every date from `first` to `last`, both included.
pub fn dates(first: Date, last: Date) -> Vec<Date> {
    let all = first.series(jiff::Span::new().days(1));
    all.take_while(|date| *date <= last).collect()
}
