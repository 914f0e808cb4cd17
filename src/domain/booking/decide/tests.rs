//! What comes of a request to extend a hold.

use super::*;
use crate::domain::booking::catalog::{Catalog, Version};
use crate::domain::campaign::Campaign;
use crate::domain::ids::{CampaignIndex, SlotIndex};
use crate::domain::state::{CHANGES_MAX, Hold};

const JULY: &str = include_str!("../../../../data/campaign.toml");
const PERSON: PersonKey = PersonKey([1; 16]);
const OTHER: PersonKey = PersonKey([2; 16]);
const HOLD: HoldId = HoldId(9);
const UNTIL: Stamp = Stamp(1_000_000_000_000);

/// A campaign in which a person has a hold, where holds are extended by so many seconds.
fn held(extend_s: u32) -> CampaignState {
    let setting = format!("hold_extend_s = {extend_s}");
    let text = JULY.replace("hold_extend_s = 300", &setting);
    let (rules, _) = Campaign::parse(&text).unwrap();
    let version = Version {
        version: 1,
        activated_at: Stamp(0),
        source: text.into(),
    };
    let id = rules.id.clone();
    let catalog = Catalog::new(CampaignIndex(0), rules, version);
    let mut campaign = CampaignState::new(id, catalog);
    let hold = Hold {
        person: PERSON,
        doses: Doses {
            first: SlotIndex(0),
            second: None,
        },
        pool: Pool::Public,
        until: UNTIL,
        extended: false,
        offered_by: None,
        stays: None,
    };
    campaign.holds.insert(HOLD, hold);
    campaign.standings.of(PERSON).hold = Some(HOLD);
    campaign
}

fn extend(campaign: &CampaignState, person: PersonKey, hold: HoldId, now: Stamp) -> Verdict {
    let context = Context {
        campaign,
        subject: &|| None,
        now,
        next_number: BookingNumber(1),
    };
    let request = Request {
        person,
        ask: Ask::Extend { hold },
        idempotency: None,
    };
    decide(&context, &request)
}

#[test]
fn a_hold_ends_later_by_what_the_campaign_says() {
    let campaign = held(120);
    let now = Stamp(UNTIL.0 - 1);
    let extended = Change::HoldExtended {
        campaign: CampaignIndex(0),
        person: PERSON,
        hold: HOLD,
        // From its end, not from now: pressing early costs nothing.
        until: UNTIL.plus_s(120),
    };
    for now in [Stamp(0), now] {
        let verdict = extend(&campaign, PERSON, HOLD, now);
        assert_eq!(verdict, Verdict::Change(extended.clone()));
    }
}

#[test]
fn a_hold_that_does_not_run_or_is_anothers_is_not_extended() {
    let mut campaign = held(120);
    let now = Stamp(UNTIL.0 - 1);
    let no = Verdict::Refused(Refusal::HoldExpired);
    assert_eq!(extend(&campaign, PERSON, HOLD, UNTIL), no);
    assert_eq!(extend(&campaign, PERSON, HoldId(8), now), no);
    assert_eq!(extend(&campaign, OTHER, HOLD, now), no);
    // An end comes before the other reasons.
    campaign.holds.get_mut(&HOLD).unwrap().extended = true;
    assert_eq!(extend(&campaign, PERSON, HOLD, UNTIL), no);
    // Frozen, its time stands still.
    campaign.holds.get_mut(&HOLD).unwrap().extended = false;
    campaign.frozen_since = Some(now);
    let later = extend(&campaign, PERSON, HOLD, UNTIL.plus_s(60));
    assert!(matches!(later, Verdict::Change(_)), "{later:?}");
}

#[test]
fn a_hold_is_extended_once_and_only_where_the_campaign_allows_it() {
    let no = Verdict::Refused(Refusal::HoldExtended);
    let mut campaign = held(120);
    campaign.holds.get_mut(&HOLD).unwrap().extended = true;
    assert_eq!(extend(&campaign, PERSON, HOLD, Stamp(0)), no);
    assert_eq!(extend(&held(0), PERSON, HOLD, Stamp(0)), no);
}

#[test]
fn more_time_counts_as_a_change_of_the_person() {
    let mut campaign = held(120);
    for _ in 0..CHANGES_MAX {
        campaign.standings.of(PERSON).changes.count(Stamp(0));
    }
    let no = Refusal::TooManyChanges(Stamp(0).plus_s(3_600));
    let verdict = extend(&campaign, PERSON, HOLD, Stamp(0));
    assert_eq!(verdict, Verdict::Refused(no));
}
