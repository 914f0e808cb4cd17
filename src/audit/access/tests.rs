//! Looks made by hand, whose review is known.

use super::*;
use crate::domain::ids::PersonKey;

/// 5 July 2021, a Monday, 09:00 in Seoul.
const MONDAY: Stamp = Stamp(1_625_443_200_000_000_000);
const HOUR_S: i64 = 3_600;

/// A review of looks: account, hours after `MONDAY`, purpose and people.
fn reviewed(looks: &[(&str, i64, Purpose, &[u8])]) -> (Review, Vec<Vec<Asked>>) {
    let zone = Zone::named("Asia/Seoul").unwrap();
    let mut summing = Summing::default();
    let mut asked = Vec::new();
    for (at, (account, hours, purpose, people)) in looks.iter().enumerate() {
        let stamp = MONDAY.plus_s(hours * HOUR_S);
        let look = Look {
            purpose: *purpose,
            origin: "console".to_owned(),
            reason: format!("letter {}", at % 30),
            people: people.iter().map(|byte| PersonKey([*byte; 16])).collect(),
        };
        let actor = Actor::Operator((*account).to_owned());
        let mut seen = seen(&zone, Seq(at as u64 + 1), stamp, &actor, &look);
        summing.add(&mut seen, zone.local(stamp).date(), &look.people);
        asked.push(seen.asked);
    }
    (summing.finish(Record::default()), asked)
}

#[test]
fn nights_weekends_and_the_same_person_again_are_to_be_asked_about() {
    use Purpose::{Erased, Shown};
    let (review, asked) = reviewed(&[
        ("kim", 0, Shown, &[1]),
        ("kim", 1, Shown, &[1]),
        ("kim", 2, Erased, &[1]),
        // Monday 22:00, Tuesday 05:00 and 06:00; Saturday and Sunday 10:00, Monday 09:00.
        ("lee", 13, Shown, &[2]),
        ("lee", 20, Shown, &[3]),
        ("lee", 21, Shown, &[4]),
        ("lee", 121, Shown, &[5]),
        ("lee", 145, Shown, &[6]),
        ("lee", 168, Shown, &[1]),
        ("park", 3, Shown, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("park", 3, Shown, &[11]),
    ]);
    use Asked::*;
    let expected: [&[Asked]; 11] = [
        &[],
        &[],
        &[SamePersonAgain],
        &[AtNight],
        &[AtNight],
        &[],
        &[OnWeekend],
        &[OnWeekend],
        &[],
        &[ManyPeople],
        &[],
    ];
    assert_eq!(asked, expected);
    assert_eq!((review.looks, review.people, review.asked), (11, 11, 6));
    let names: Vec<_> = review
        .unusual_first()
        .iter()
        .map(|(name, of)| (*name, of.asked))
        .collect();
    assert_eq!(
        names,
        [("lee (host)", 4), ("park (host)", 1), ("kim (host)", 1)]
    );
    let kim = &review.accounts["kim (host)"];
    assert_eq!((kim.looks, kim.people, kim.most_a_day), (3, 1, 3));
    assert_eq!((kim.by_purpose[&Shown], kim.by_purpose[&Erased]), (2, 1));
    assert_eq!(kim.reasons["letter 0"], 1);
}

#[test]
fn the_looks_behind_twenty_of_one_day_are_to_be_asked_about() {
    let looks: Vec<_> = (0..45)
        .map(|at| ("kim", i64::from(at >= 22) * 24, Purpose::Shown, &[][..]))
        .collect();
    let (review, asked) = reviewed(&looks);
    let many: Vec<_> = asked
        .iter()
        .enumerate()
        .filter(|(_, why)| !why.is_empty())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(many, [20, 21, 42, 43, 44]);
    let kim = &review.accounts["kim (host)"];
    assert_eq!((kim.most_a_day, kim.asked), (23, 5));
    // The reasons beyond the first twenty are counted and not named.
    assert_eq!((kim.reasons.len(), kim.other_reasons), (20, 10));
}

#[test]
fn a_review_on_record_is_not_a_look() {
    let (review, _) = reviewed(&[
        ("kim", 0, Purpose::Shown, &[1]),
        ("choi", 14, Purpose::Reviewed, &[]),
    ]);
    assert_eq!((review.looks, review.asked), (1, 0));
    assert_eq!(review.reviews.len(), 1);
    assert_eq!(review.reviews[0].account, "choi (host)");
}
