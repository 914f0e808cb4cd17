//! Single decisions with everything they say.

use super::*;
use crate::domain::campaign::{digits_between, read_date, read_instant};

const JULY: &str = include_str!("../../../../data/campaign.toml");

fn july() -> Campaign {
    Campaign::parse(JULY).expect("the file is sound").0
}

fn decide(campaign: &Campaign, born: &str, at: &str) -> Decision {
    let born = read_date(born).unwrap();
    let at = read_instant(at, &campaign.zone).unwrap();
    campaign.rules.decide(&Subject { born, groups: 0 }, at)
}

#[test]
fn the_answer_explains_itself() {
    let july = july();
    let decision = decide(&july, "1967-03-04", "2021-07-20T03:00");
    assert_eq!(decision.answer, Answer::Eligible);
    assert_eq!(
        decision.rule.explain(&july),
        "opening 3 (2021-07-19T20:00:00+09:00 to 2021-07-20T18:00:00+09:00) \
         for cohort born-1967-1968"
    );
    assert_eq!(
        decision.next_change,
        read_instant("2021-07-20T18:00", &july.zone).ok()
    );
    assert_eq!((decision.opens_at, decision.closed_at), (None, None));

    let nobody = decide(&july, "1972-01-01", "2021-07-20T03:00");
    assert_eq!(
        (nobody.answer, nobody.next_change),
        (Answer::NotEligible, None)
    );
    assert_eq!(nobody.rule.explain(&july), "in no cohort");
}

#[test]
fn between_two_openings_both_are_told() {
    let july = july();
    let decision = decide(&july, "1968-12-31", "2021-07-20T18:00");
    let at = |text| read_instant(text, &july.zone).ok();
    assert_eq!(decision.answer, Answer::OpeningClosed);
    assert_eq!(decision.closed_at, at("2021-07-20T18:00"));
    assert_eq!(decision.opens_at, at("2021-07-21T20:00"));
    assert_eq!(decision.next_change, decision.opens_at);
    assert_eq!(decision.lobby_opens_at, at("2021-07-21T19:30"));
    assert!(!decision.lobby_is_open());
}

#[test]
fn the_lobby_opens_half_an_hour_before() {
    let july = july();
    let open = |at| decide(&july, "1967-01-01", at).lobby_is_open();
    assert!(!open("2021-07-19T19:29:59"));
    assert!(open("2021-07-19T19:30"));
    assert!(open("2021-07-19T19:59:59"));
    assert!(!open("2021-07-19T20:00"), "the opening itself is no lobby");
}

#[test]
fn a_cohort_without_an_opening_waits_without_a_date() {
    let cut = JULY.find("[[opening]]").unwrap()..JULY.find("[[vaccine]]").unwrap();
    let mut text = JULY.to_owned();
    text.replace_range(cut, "");
    let (campaign, warnings) = Campaign::parse(&text).unwrap();
    assert!(!warnings.is_empty());
    let decision = decide(&campaign, "1967-01-01", "2021-07-20T03:00");
    assert_eq!(
        (decision.answer, decision.opens_at),
        (Answer::NotOpenYet, None)
    );
    assert_eq!(decision.rule, Rule::NoOpening { cohort: 1 });
}

#[test]
fn openings_that_touch_are_one_stretch() {
    let text = JULY.replace("2021-07-21T20:00", "2021-07-21T18:00");
    let campaign = Campaign::parse(&text).unwrap().0;
    let decision = decide(&campaign, "1970-01-01", "2021-07-21T17:59:59");
    let end = read_instant("2021-07-24T18:00", &campaign.zone).ok();
    assert_eq!(
        (decision.answer, decision.next_change),
        (Answer::Eligible, end)
    );
}

#[test]
fn the_openings_of_a_person_come_in_order() {
    let july = july();
    let openings = |born: &str| {
        let subject = Subject {
            born: read_date(born).unwrap(),
            groups: 0,
        };
        july.rules.openings_of(&subject).collect::<Vec<_>>()
    };
    assert_eq!(openings("1962-01-01"), [(0, 0), (1, 0)]);
    assert_eq!(openings("1970-06-15"), [(3, 2), (4, 2)]);
    assert_eq!(openings("1961-12-31"), []);
}

#[test]
fn groups_open_a_cohort_to_any_of_them() {
    let text = JULY.replacen(
        "born = [\"1962-01-01\", \"1966-12-31\"]",
        "born = [\"1962-01-01\", \"1966-12-31\"]\ngroups_any = [\"carer\", \"nurse\"]",
        1,
    );
    let rules = Campaign::parse(&text).unwrap().0.rules;
    let born = read_date("1962-01-01").unwrap();
    let at = Stamp::parse("2021-07-12T00:00:00+09:00").unwrap();
    let answer = |groups: &[&str]| {
        let groups = rules.group_bits(groups.iter().copied());
        rules.decide(&Subject { born, groups }, at).answer
    };
    assert_eq!(answer(&[]), Answer::NotEligible);
    assert_eq!(answer(&["cook"]), Answer::NotEligible);
    assert_eq!(answer(&["cook", "nurse"]), Answer::Eligible);
    assert_eq!(answer(&["carer"]), Answer::Eligible);
}

#[test]
fn absurd_birth_dates_are_answered() {
    let rules = july().rules;
    for born in [Date::MIN, Date::MAX] {
        for now in [Stamp(i64::MIN), Stamp::default(), Stamp::MAX] {
            let decision = rules.decide(
                &Subject {
                    born,
                    groups: u64::MAX,
                },
                now,
            );
            assert_eq!(decision.answer, Answer::NotEligible);
        }
    }
}

#[test]
fn numbers_of_answers_and_digits_of_stretches() {
    for answer in Answer::ALL {
        assert_eq!(Answer::ALL[answer as usize], answer);
        assert_eq!(serde_json::to_value(answer).unwrap(), answer.name());
    }
    let between = |a, b| digits_between(read_date(a).unwrap(), read_date(b).unwrap());
    assert_eq!(between("2021-02-28", "2021-03-08"), 0b01_1111_1110);
    assert_eq!(between("2021-02-28", "2021-03-10"), 0b11_1111_1111);
    assert_eq!(between("1968-02-29", "1968-02-29"), 1 << 9);
}
