//! What a decision promises about other instants, for rules nobody thought of.

use jiff::civil::{Date, date};
use proptest::prelude::*;
use sumun::domain::campaign::eligibility::{Answer, Decision, Rules, Subject};
use sumun::domain::campaign::{Cohort, Opening};
use sumun::domain::ids::LineIndex;
use sumun::domain::time::Stamp;

/// Cohorts and openings that overlap, touch and miss each other; instants from 0 to 40.
fn rules() -> impl Strategy<Value = (Vec<Cohort>, Vec<Opening>)> {
    let cohort = (0..60_i64, 0..60_i64, prop::collection::vec(0..3_u8, 0..3));
    let cohort = cohort.prop_map(|(first, days, groups)| {
        let day = |days: i64| date(2000, 2, 1) + jiff::Span::new().days(days);
        let mut groups_any: Vec<String> = groups.iter().map(|group| format!("g{group}")).collect();
        groups_any.dedup();
        Cohort {
            id: "c".into(),
            born: (day(first), day(first + days)),
            groups_any,
        }
    });
    let opening = (
        prop::collection::btree_set(0..3_usize, 1..=3),
        0..40_i64,
        1..10_i64,
        prop::collection::btree_set(0..10_u8, 0..4),
    );
    let opening = opening.prop_map(|(cohorts, from, length, digits)| Opening {
        cohorts: cohorts.into_iter().collect(),
        from: Stamp(from),
        until: Stamp(from + length),
        birth_day_last_digits: digits.into_iter().collect(),
        line: LineIndex(0),
    });
    (
        prop::collection::vec(cohort, 3),
        prop::collection::vec(opening, 0..8),
    )
}

fn subject() -> impl Strategy<Value = Subject> {
    (0..125_i64, 0..8_u64).prop_map(|(days, groups)| {
        let born: Date = date(2000, 2, 1) + jiff::Span::new().days(days);
        Subject { born, groups }
    })
}

/// The openings for a person, said once more without bits.
fn theirs<'o>(
    (cohorts, openings): &'o (Vec<Cohort>, Vec<Opening>),
    rules: &Rules,
    subject: &Subject,
) -> (bool, Vec<&'o Opening>) {
    let holds = |group: &String| {
        let place = rules.groups().iter().position(|known| known == group);
        place.is_some_and(|place| subject.groups & (1 << place) != 0)
    };
    let member = |cohort: &Cohort| {
        let born = cohort.born.0 <= subject.born && subject.born <= cohort.born.1;
        born && (cohort.groups_any.is_empty() || cohort.groups_any.iter().any(holds))
    };
    let digit = (subject.born.day() % 10) as u8;
    let for_them = |opening: &&Opening| {
        let digits = &opening.birth_day_last_digits;
        opening.cohorts.iter().any(|at| member(&cohorts[*at]))
            && (digits.is_empty() || digits.contains(&digit))
    };
    (
        cohorts.iter().any(member),
        openings.iter().filter(for_them).collect(),
    )
}

fn answer(known: bool, openings: &[&Opening], now: Stamp) -> Answer {
    if openings
        .iter()
        .any(|opening| opening.from <= now && now < opening.until)
    {
        Answer::Eligible
    } else if openings.iter().any(|opening| opening.until <= now) {
        Answer::OpeningClosed
    } else if known {
        Answer::NotOpenYet
    } else {
        Answer::NotEligible
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_decision_keeps_what_it_promises(file in rules(), subject in subject()) {
        let rules = Rules::new(&file.0, &file.1, 1);
        let (known, openings) = theirs(&file, &rules, &subject);
        let all: Vec<Decision> = (-1..60).map(|ns| rules.decide(&subject, Stamp(ns))).collect();
        for (at, decision) in all.iter().enumerate() {
            let now = decision.evaluated_at;
            prop_assert_eq!(decision.answer, answer(known, &openings, now));

            // The answer stays until `next_change` and is another one at it.
            let later = all[at..].iter().find(|later| later.answer != decision.answer);
            prop_assert_eq!(decision.next_change, later.map(|later| later.evaluated_at));

            let waiting = decision.answer != Answer::Eligible;
            let opens = openings.iter().map(|o| o.from).filter(|from| *from > now).min();
            prop_assert_eq!(decision.opens_at, opens.filter(|_| waiting));
            let lobby = decision.opens_at.map(|opens| opens.plus_s(-60));
            prop_assert_eq!(decision.lobby_opens_at, lobby);
            let over = openings.iter().map(|o| o.until).filter(|until| *until <= now).max();
            prop_assert_eq!(decision.closed_at, over.filter(|_| waiting));

            // The rule names an opening that is theirs and says what the answer says.
            if let Some(opening) = decision.rule.opening() {
                let opening = &file.1[opening];
                prop_assert!(openings.iter().any(|theirs| std::ptr::eq(*theirs, opening)));
                prop_assert_eq!(opening.from <= now && now < opening.until, !waiting);
            }
        }
    }
}
