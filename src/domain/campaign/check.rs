//! What needs several tables of a campaign file at once: overlaps, and cohorts nobody can be in.

use std::collections::BTreeSet;

use super::file::Draft;
use super::source::Source;
use super::tables::Lined;
use super::{
    ALL_DIGITS, Campaign, Cohort, GROUPS_MAX, GateRules, Opening, Order, WINDOWS_MAX,
    digits_between, digits_of,
};
use crate::domain::campaign::eligibility::Rules;
use crate::domain::campaign::kinds;
use crate::domain::ids::LineIndex;
use crate::domain::time::Zone;

/// Checks the draft as a whole; `None` after an error, which has been reported.
pub(super) fn check(draft: Draft, source: &mut Source) -> Option<Campaign> {
    if draft.cohorts.is_empty() {
        source.error_on(1, "the campaign needs a [[cohort]]: who may book?");
    }
    if draft.vaccines.is_empty() {
        source.error_on(1, "the campaign needs a [[vaccine]]");
    }
    if draft.openings.is_empty() {
        source.warn_on(1, "no [[opening]] yet: nobody can book");
    }
    check_sizes(&draft, source);
    check_overlaps(&draft, source);
    if let Some(zone) = &draft.zone {
        check_unborn(&draft, zone, source);
    }
    if source.has_errors() {
        return None;
    }
    let (cohorts, cohort_lines) = whole(draft.cohorts)?;
    let (mut openings, opening_lines) = whole(draft.openings)?;
    for (at, opening) in openings.iter_mut().enumerate() {
        opening.line = LineIndex(at as u16);
    }
    let gate = draft.gate?;
    let rules = Rules::new(&cohorts, &openings, gate.lobby_min());
    if kinds::of(&cohorts, &rules).is_none() {
        let why = "groups_any of overlapping cohorts combine into more than 10,000 kinds of people";
        source.error_on(
            1,
            format!("{why}: nobody could review them; name fewer groups"),
        );
        return None;
    }
    warn_left_out(
        (&cohorts, &cohort_lines),
        (&openings, &opening_lines),
        source,
    );
    warn_last_entry(&gate, (&openings, &opening_lines), source);
    Some(Campaign {
        id: draft.id?,
        name: draft.name?,
        zone: draft.zone?,
        identity: draft.identity?,
        cohorts,
        openings,
        vaccines: draft.vaccines.into_iter().collect::<Option<_>>()?,
        booking: draft.booking?,
        gate,
        rules,
    })
}

/// Tables without a fault, and their lines; none if one has a fault.
fn whole<T>(tables: Vec<Lined<T>>) -> Option<(Vec<T>, Vec<u32>)> {
    let pairs = tables.into_iter().map(|(table, line)| Some((table?, line)));
    pairs.collect()
}

fn check_sizes(draft: &Draft, source: &mut Source) {
    let cohorts = draft
        .cohorts
        .iter()
        .filter_map(|(cohort, _)| cohort.as_ref());
    let groups: BTreeSet<&str> = cohorts
        .flat_map(|cohort| cohort.groups_any.iter().map(String::as_str))
        .collect();
    if groups.len() > GROUPS_MAX {
        let found = groups.len();
        source.error_on(
            1,
            format!("the cohorts name {found} groups: at most {GROUPS_MAX}"),
        );
    }
    let windows: usize = draft
        .openings
        .iter()
        .filter_map(|(opening, _)| Some(opening.as_ref()?.cohorts.len()))
        .sum();
    if windows > WINDOWS_MAX {
        let why = format!("the openings name {windows} cohorts in all: at most {WINDOWS_MAX}");
        source.error_on(1, why);
    }
}

/// Two openings at once for one cohort are a mistake; for one person of two cohorts, perhaps one.
fn check_overlaps(draft: &Draft, source: &mut Source) {
    let windows: usize = draft
        .openings
        .iter()
        .filter_map(|(opening, _)| Some(opening.as_ref()?.cohorts.len()))
        .sum();
    if windows > WINDOWS_MAX {
        return; // reported; and the comparison of each with each would take long
    }
    let openings: Vec<(usize, &Opening, u32)> = draft
        .openings
        .iter()
        .enumerate()
        .filter_map(|(at, (opening, line))| Some((at + 1, opening.as_ref()?, *line)))
        .collect();
    for (at, (number, opening, line)) in openings.iter().enumerate() {
        for (before, earlier, earlier_line) in &openings[..at] {
            let digits = opening.digit_mask() & earlier.digit_mask();
            let apart = opening.until <= earlier.from || earlier.until <= opening.from;
            if apart || digits == 0 {
                continue;
            }
            let here = format!("opening {number} overlaps opening {before} (line {earlier_line})");
            let shared = |cohort: &usize| earlier.cohorts.contains(cohort);
            let cohort = |at: &usize| draft.cohorts[*at].0.as_ref();
            if let Some(shared) = opening.cohorts.iter().find(|cohort| shared(cohort)) {
                let id = cohort(shared).map_or("?", |cohort| cohort.id.as_str());
                let why = "let one of them end where the other begins";
                source.error_on(*line, format!("{here} for cohort {id}: {why}"));
                continue;
            }
            let pairs = opening.cohorts.iter().filter_map(cohort).flat_map(|one| {
                earlier
                    .cohorts
                    .iter()
                    .filter_map(cohort)
                    .map(move |other| (one, other))
            });
            let common = |(one, other): &(&Cohort, &Cohort)| can_share(one, other, digits);
            if let Some((one, other)) = pairs.into_iter().find(common) {
                let who = format!("somebody can be in both {} and {}", one.id, other.id);
                source.warn_on(*line, format!("{here}: {who}"));
            }
        }
    }
}

/// Whether somebody born on a day with one of `digits` can be in both; groups never exclude.
fn can_share(one: &Cohort, other: &Cohort, digits: u16) -> bool {
    let (first, last) = (one.born.0.max(other.born.0), one.born.1.min(other.born.1));
    first <= last && digits_between(first, last) & digits != 0
}

/// A cohort whose people are born only after its last opening is one nobody can be in.
fn check_unborn(draft: &Draft, zone: &Zone, source: &mut Source) {
    for (at, (cohort, line)) in draft.cohorts.iter().enumerate() {
        let Some(cohort) = cohort else { continue };
        let openings = draft
            .openings
            .iter()
            .filter_map(|(opening, _)| opening.as_ref());
        let theirs = openings.filter(|opening| opening.cohorts.contains(&at));
        let Some(end) = theirs.map(|opening| opening.until).max() else {
            continue;
        };
        let last_date = zone.local(end).date();
        if cohort.born.0 > last_date {
            let why = format!("born from {}, but its last opening ends on", cohort.born.0);
            let message = format!("nobody can be in cohort {}: {why} {last_date}", cohort.id);
            source.error_on(*line, message);
        }
    }
}

/// Warns where nobody could come in, or where the time of the last entry means nothing.
fn warn_last_entry(
    gate: &GateRules,
    (openings, opening_lines): (&[Opening], &[u32]),
    source: &mut Source,
) {
    let last_entry_s = 60 * i64::from(gate.last_entry_min);
    if last_entry_s == 0 {
        return;
    }
    if gate.order == Order::Windows {
        let why = "whoever has a window may come until the end of the opening";
        source.warn_on(
            1,
            format!("last_entry_min does nothing with order = \"windows\": {why}"),
        );
        return;
    }
    for (at, opening) in openings.iter().enumerate() {
        if opening.until.plus_s(-last_entry_s) <= opening.from {
            let number = at + 1;
            let why = "last_entry_min is as long as it, so nobody new could ever enter";
            source.warn_on(opening_lines[at], format!("opening {number}: {why}"));
        }
    }
}

/// Warns of people in a cohort whom no opening takes, and of openings that take nobody.
fn warn_left_out(
    (cohorts, cohort_lines): (&[Cohort], &[u32]),
    (openings, opening_lines): (&[Opening], &[u32]),
    source: &mut Source,
) {
    for (at, cohort) in cohorts.iter().enumerate() {
        let born = digits_between(cohort.born.0, cohort.born.1);
        let theirs = openings
            .iter()
            .filter(|opening| opening.cohorts.contains(&at));
        let taken = theirs.fold(0, |taken, opening| taken | opening.digit_mask());
        let (id, left) = (&cohort.id, born & !taken);
        if taken == 0 {
            source.warn_on(cohort_lines[at], format!("no opening names cohort {id}"));
        } else if left != 0 {
            let digits = digits_of(left);
            let why = format!("nobody with a birth day ending in {digits:?} gets an opening");
            source.warn_on(cohort_lines[at], format!("cohort {id}: {why}"));
        }
    }
    for (at, opening) in openings.iter().enumerate() {
        for &cohort in &opening.cohorts {
            let cohort = &cohorts[cohort];
            let born = digits_between(cohort.born.0, cohort.born.1);
            if opening.digit_mask() != ALL_DIGITS && born & opening.digit_mask() == 0 {
                let who = format!(
                    "nobody of cohort {}: no birth day has its digits",
                    cohort.id
                );
                source.warn_on(opening_lines[at], format!("opening {} takes {who}", at + 1));
            }
        }
    }
}
