//! The kinds of people that a campaign's rules can tell apart.
//!
//! Two people of one kind are in the same cohorts, so with the same last digit of the birth day
//! they get the same answer at every instant. A review of all kinds is a review of everybody:
//! `timeline` and the checks rely on that. It decides nothing itself.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::domain::campaign::eligibility::{Rules, Subject};
use crate::domain::campaign::{Cohort, digits_between};

/// People can be combined by overlapping groups into more kinds than anyone could review.
pub const KINDS_MAX: usize = 10_000;

/// People who are in exactly these cohorts, born within these dates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Positions in `Campaign::cohorts`, ascending, at least one.
    pub cohorts: Vec<usize>,
    /// First and last birth date, both included.
    pub born: (Date, Date),
    /// Groups that make somebody born then one of this kind; they need not be the only ones.
    pub groups: u64,
    /// The last digits their birth days can have.
    pub digits: u16,
}

impl Kind {
    /// Somebody of this kind whose birth day ends in `digit`, if there can be one.
    pub fn example(&self, digit: u8) -> Option<Subject> {
        let mut born = self.born.0;
        while born <= self.born.1 && self.digits >> digit & 1 == 1 {
            if born.day() % 10 == digit as i8 {
                return Some(Subject {
                    born,
                    groups: self.groups,
                });
            }
            born = born.tomorrow().ok()?;
        }
        None
    }
}

/// Every kind of people in at least one cohort, by birth date; `None` if there are too many.
pub fn of(cohorts: &[Cohort], rules: &Rules) -> Option<Vec<Kind>> {
    let mut kinds = Vec::new();
    for born in stretches(cohorts) {
        let here = |(at, cohort): (usize, &Cohort)| {
            (cohort.born.0 <= born.0 && born.1 <= cohort.born.1).then_some(at)
        };
        let here: Vec<usize> = cohorts.iter().enumerate().filter_map(here).collect();
        for groups in combinations(&here, rules)? {
            let joins = |at: &usize| {
                let any = rules.groups_any(*at);
                any == 0 || any & groups != 0
            };
            let cohorts: Vec<usize> = here.iter().copied().filter(joins).collect();
            if !cohorts.is_empty() {
                let digits = digits_between(born.0, born.1);
                kinds.push(Kind {
                    cohorts,
                    born,
                    groups,
                    digits,
                });
            }
        }
        if kinds.len() > KINDS_MAX {
            return None;
        }
    }
    Some(kinds)
}

/// The birth dates cut wherever a cohort begins or ends.
fn stretches(cohorts: &[Cohort]) -> Vec<(Date, Date)> {
    let mut cuts = BTreeSet::new();
    for cohort in cohorts {
        cuts.insert(cohort.born.0);
        cuts.extend(cohort.born.1.tomorrow());
    }
    let cuts: Vec<Date> = cuts.into_iter().collect();
    let pairs = cuts.windows(2);
    pairs
        .filter_map(|cut| Some((cut[0], cut[1].yesterday().ok()?)))
        .collect()
}

/// Sets of groups that differ in the cohorts of `here` they lead into, one for each difference.
fn combinations(here: &[usize], rules: &Rules) -> Option<Vec<u64>> {
    let entered = |groups: u64| -> Vec<usize> {
        here.iter()
            .copied()
            .filter(|&at| rules.groups_any(at) & groups != 0)
            .collect()
    };
    let known = here.iter().fold(0, |bits, &at| bits | rules.groups_any(at));
    let mut seen = BTreeSet::from([Vec::new()]);
    let mut found = vec![0];
    for bit in (0..64).map(|at| 1_u64 << at).filter(|bit| known & bit != 0) {
        for at in 0..found.len() {
            let groups = found[at] | bit;
            if seen.insert(entered(groups)) {
                found.push(groups);
            }
        }
        if found.len() > KINDS_MAX {
            return None;
        }
    }
    Some(found)
}
