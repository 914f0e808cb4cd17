//! Every minute and every boundary of July and August 2021, for each birth date.

use jiff::civil::{Date, date};
use rayon::prelude::*;
use sumun::domain::campaign::Campaign;
use sumun::domain::campaign::eligibility::{Answer, Subject};
use sumun::domain::time::Stamp;

use super::campaigns::{AUGUST, JULY, campaign, dates, decide_on};
use super::model::{self, JULY_FIRST_MIN, MINUTE_NS, Spell, Told, minute};

fn told(answer: Answer) -> Told {
    match answer {
        Answer::Eligible => Told::Eligible,
        Answer::NotOpenYet => Told::NotOpenYet,
        Answer::OpeningClosed => Told::Closed,
        Answer::NotEligible => Told::NotEligible,
    }
}

/// Asks about each date at each minute from `first` to before `end`; returns how often it asked.
fn every_minute(
    campaign: &Campaign,
    born: &[Date],
    spells: fn(Date) -> Vec<Spell>,
    (first, end): (i64, i64),
) -> u64 {
    let ask = |&born: &Date| {
        let expected = model::paint(&spells(born), first, end);
        let subject = Subject { born, groups: 0 };
        for (minute, expected) in (first..end).zip(&expected) {
            let now = Stamp((JULY_FIRST_MIN + minute) * MINUTE_NS);
            let decision = campaign.rules.decide(&subject, now);
            if told(decision.answer) != *expected {
                let now = campaign.zone.rfc3339(now);
                panic!("born {born} at {now}: {decision:?}, not {expected:?}");
            }
        }
        expected.len() as u64
    };
    born.par_iter().map(ask).sum()
}

/// Asks about each date just before, at and just after each boundary of the whole table, and
/// compares everything a decision says.
fn every_boundary(campaign: &Campaign, born: &[Date], spells: fn(Date) -> Vec<Spell>) {
    let all = born.iter().flat_map(|born| spells(*born));
    let mut boundaries: Vec<i64> = all.flat_map(|(open, over)| [open, over]).collect();
    boundaries.sort_unstable();
    boundaries.dedup();
    assert_eq!(
        campaign.rules.boundaries(),
        boundaries
            .iter()
            .map(|m| Stamp((JULY_FIRST_MIN + m) * MINUTE_NS))
            .collect::<Vec<_>>()
    );
    born.par_iter().for_each(|&born| {
        let spells = spells(born);
        for (boundary, step) in boundaries
            .iter()
            .flat_map(|m| [-1, 0, 1].map(|step| (m, step)))
        {
            let now = (JULY_FIRST_MIN + boundary) * MINUTE_NS + step;
            let decision = decide_on(campaign, born, Stamp(now));
            let answer = model::told(&spells, now);
            let case = || {
                format!(
                    "born {born} at {}: {decision:?}",
                    campaign.zone.rfc3339(Stamp(now))
                )
            };
            assert_eq!(told(decision.answer), answer, "{}", case());

            let ns = |minute: i64| (JULY_FIRST_MIN + minute) * MINUTE_NS;
            let opens = spells
                .iter()
                .map(|spell| ns(spell.0))
                .filter(|open| *open > now)
                .min();
            let closed = spells
                .iter()
                .map(|spell| ns(spell.1))
                .filter(|over| *over <= now)
                .max();
            let waiting = matches!(answer, Told::NotOpenYet | Told::Closed);
            assert_eq!(
                decision.opens_at.map(|s| s.0),
                opens.filter(|_| waiting),
                "{}",
                case()
            );
            let late = answer == Told::Closed;
            assert_eq!(
                decision.closed_at.map(|s| s.0),
                closed.filter(|_| late),
                "{}",
                case()
            );
            let change = boundaries.iter().map(|m| ns(*m)).filter(|at| *at > now);
            let change = change
                .into_iter()
                .find(|at| model::told(&spells, *at) != answer);
            assert_eq!(decision.next_change.map(|s| s.0), change, "{}", case());
        }
    });
}

fn fifties() -> Vec<Date> {
    dates(date(1962, 1, 1), date(1971, 12, 31))
}

fn younger() -> Vec<Date> {
    dates(date(1972, 1, 1), date(2003, 12, 31))
}

#[test]
fn every_minute_of_july_for_each_birth_date() {
    let july = campaign(JULY);
    let asked = every_minute(
        &july,
        &fifties(),
        model::july,
        (minute(12, 0, 0), minute(25, 0, 0)),
    );
    assert_eq!(asked, 3_652 * 13 * 24 * 60);
}

#[test]
fn every_minute_of_august_for_each_birth_date() {
    let august = campaign(AUGUST);
    let days = (minute(31 + 9, 0, 0), minute(31 + 31 + 18, 0, 0));
    let asked = every_minute(&august, &younger(), model::august, days);
    assert_eq!(asked, 11_688 * 40 * 24 * 60);
}

#[test]
fn a_nanosecond_around_every_boundary_for_each_birth_date() {
    every_boundary(&campaign(JULY), &fifties(), model::july);
    every_boundary(&campaign(AUGUST), &younger(), model::august);
}

#[test]
fn everyone_else_is_in_no_cohort_at_any_time() {
    let strangers = |first, last| {
        let mut dates = dates(date(1900, 1, 1), first);
        dates.extend(self::dates(last, date(2021, 12, 31)));
        dates
    };
    let july = strangers(date(1961, 12, 31), date(1972, 1, 1));
    every_boundary(&campaign(JULY), &[july, fifties()].concat(), model::july);
    let august = strangers(date(1971, 12, 31), date(2004, 1, 1));
    every_boundary(
        &campaign(AUGUST),
        &[august, younger()].concat(),
        model::august,
    );
}
