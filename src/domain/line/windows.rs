//! Windows: when each person of an opening may come in, if its order is `windows`.
//!
//! A person's lot, 64 bits that follow from the draw's seed and their key, says how far into the
//! plan they are. A plan spreads the lots from `first_lot` on evenly over windows of one length,
//! which follow on each other. Whoever comes onto the roster later has a window by the same rule.
//!
//! The rule by which a plan is made (`next`) is public, and an auditor makes each plan again:
//! 1. Windows that have begun stay what they are; their lots are not planned anew.
//! 2. The others follow on them, not before the opening and not in the past.
//! 3. There are as many as the people that are left need, `window_people` in each; but not more
//!    than end before the opening does, and at least one.

use serde::{Deserialize, Serialize};

use crate::domain::shown;
use crate::domain::time::Stamp;

/// Windows of a plan: a month of minutes.
pub const PLAN_WINDOWS_MAX: u32 = 44_640;
/// Windows begin at whole minutes, also where a plan is made in the middle of one.
const MINUTE_NS: i64 = 60 * Stamp::SECOND;

/// When somebody may come in: from then on, straight until `until`, and at any time after it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Window {
    pub from: Stamp,
    pub until: Stamp,
    /// When it was planned.
    pub planned: Stamp,
}

/// What a plan is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Basis {
    /// The opening, as the rules in force say.
    #[serde(serialize_with = "shown::instant")]
    pub from: Stamp,
    #[serde(serialize_with = "shown::instant")]
    pub until: Stamp,
    /// The length of a window.
    pub window_s: u32,
    /// People in a window.
    pub window_people: u32,
}

/// The windows of all lots from one on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// When it was made; windows that had begun by then stayed.
    #[serde(serialize_with = "shown::instant")]
    pub at: Stamp,
    pub basis: Basis,
    /// People on the roster whom the opening was for.
    pub people: u64,
    pub first_lot: u64,
    /// When the first window begins.
    #[serde(serialize_with = "shown::instant")]
    pub from: Stamp,
    pub windows: u32,
}

impl Plan {
    /// Lots that it plans.
    fn lots(&self) -> u128 {
        (1 << 64) - u128::from(self.first_lot)
    }

    /// Its window at a position.
    pub fn window(&self, at: u32) -> Window {
        let begins = |at: u32| {
            let seconds = i64::from(at) * i64::from(self.basis.window_s);
            self.from.plus_s(seconds)
        };
        Window {
            from: begins(at),
            until: begins(at + 1),
            planned: self.at,
        }
    }

    /// The window of a lot, none if the lot is before its first.
    fn window_of(&self, lot: u64) -> Option<Window> {
        let past = u128::from(lot.checked_sub(self.first_lot)?);
        let at = past * u128::from(self.windows) / self.lots();
        Some(self.window(at as u32))
    }

    /// Its windows that have begun.
    fn begun(&self, now: Stamp) -> u32 {
        let since_s = now.0.saturating_sub(self.from.0).div_euclid(Stamp::SECOND);
        let begun = since_s.div_euclid(i64::from(self.basis.window_s.max(1))) + 1;
        begun.clamp(0, i64::from(self.windows)) as u32
    }

    /// People whose lots are not before this one, by its share of all lots.
    fn people_from(&self, lot: u64) -> u64 {
        let lots = (1 << 64) - u128::from(lot);
        (u128::from(self.people) * lots).div_ceil(1 << 64) as u64
    }

    /// The first lot of a window.
    fn lot_of(&self, window: u32) -> Option<u64> {
        let past = (u128::from(window) * self.lots()).div_ceil(u128::from(self.windows));
        u64::try_from(u128::from(self.first_lot) + past).ok()
    }

    /// Checks what looking a window up relies on.
    fn check(&self) -> Result<(), String> {
        let length_s = i64::from(self.windows) * i64::from(self.basis.window_s);
        let ends = length_s.checked_mul(Stamp::SECOND);
        let ends = ends.and_then(|length| self.from.0.checked_add(length));
        let counts = (1..=PLAN_WINDOWS_MAX).contains(&self.windows) && self.basis.window_s > 0;
        let fits = counts && ends.is_some();
        fits.then_some(())
            .ok_or_else(|| "plans windows that can't be".to_owned())
    }
}

/// The plans that are in force for a line, in order of their lots.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Windows(Vec<Plan>);

impl Windows {
    pub fn plans(&self) -> &[Plan] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that a plan can follow.
    pub fn may_plan(&self, plan: &Plan) -> Result<(), String> {
        plan.check()?;
        let first = self.0.first().map_or(0, |first| first.first_lot);
        let known = plan.first_lot >= first && (plan.first_lot == 0 || !self.0.is_empty());
        known
            .then_some(())
            .ok_or_else(|| "leaves lots without a window".to_owned())
    }

    /// Puts a plan in force for its lots; the lots before stay with theirs.
    pub fn plan(&mut self, plan: Plan) -> Result<(), String> {
        self.may_plan(&plan)?;
        self.0.retain(|known| known.first_lot < plan.first_lot);
        self.0.push(plan);
        Ok(())
    }

    /// The window of a lot; none while nothing is planned.
    pub fn of(&self, lot: u64) -> Option<Window> {
        self.0.iter().rev().find_map(|plan| plan.window_of(lot))
    }

    /// The first lot whose window has not begun; none if all have.
    pub fn first_left(&self, now: Stamp) -> Option<u64> {
        match self.0.last() {
            Some(last) => last.lot_of(last.begun(now)),
            None => Some(0),
        }
    }

    /// People on the roster, as the last plan counted them, whose windows have not begun.
    pub fn people_left(&self, now: Stamp) -> u64 {
        let left = self.0.last().zip(self.first_left(now));
        left.map_or(0, |(last, first_lot)| last.people_from(first_lot))
    }

    /// Whether the windows that have not begun have to be planned anew.
    pub fn is_outdated(&self, basis: &Basis, now: Stamp) -> bool {
        let is_same = self.0.last().is_some_and(|last| last.basis == *basis);
        !is_same && self.first_left(now).is_some()
    }

    /// Whether a plan gives anybody another window than they have.
    pub fn are_moved_by(&self, plan: &Plan) -> bool {
        let is_moved = |lot: u64| {
            let times = |window: Window| (window.from, window.until);
            self.of(lot).map(times) != plan.window_of(lot).map(times)
        };
        // Both are steps: where they agree at the first and last lot of each, so they do between.
        let both = self.0.last().into_iter().chain([plan]);
        let firsts = both.flat_map(|plan| (0..plan.windows).filter_map(|at| plan.lot_of(at)));
        let ends = firsts.flat_map(|lot| [lot.saturating_sub(1), lot]);
        let mut planned = ends.chain([u64::MAX]).filter(|lot| plan.first_lot <= *lot);
        planned.any(is_moved)
    }

    /// The plan for all windows that have not begun; none if all have. `people` are those on the
    /// roster whom the opening is for.
    pub fn next(&self, basis: Basis, people: u64, now: Stamp) -> Option<Plan> {
        let first_lot = self.first_left(now)?;
        let begun = first_lot.checked_sub(1).and_then(|lot| self.of(lot));
        let after = begun.map_or(basis.from, |begun| begun.until.max(basis.from));
        let after = if after < now {
            let minutes = now.0.saturating_add(MINUTE_NS - 1).div_euclid(MINUTE_NS);
            Stamp(minutes.saturating_mul(MINUTE_NS))
        } else {
            after
        };
        let window_s = i64::from(basis.window_s.max(1));
        // An opening that has no room for a window any more has one that ends with it.
        let last = basis.until.plus_s(-window_s).max(basis.from);
        let from = after.min(last);
        let room_s = basis.until.0.saturating_sub(from.0).max(0) / Stamp::SECOND;
        let room = room_s / window_s;
        let most = u64::from(PLAN_WINDOWS_MAX).min(room as u64).max(1);
        let mut plan = Plan {
            at: now,
            basis,
            people,
            first_lot,
            from,
            windows: 1,
        };
        let left = plan.people_from(first_lot);
        let needed = left.div_ceil(u64::from(basis.window_people.max(1)));
        plan.windows = needed.clamp(1, most) as u32;
        Some(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Stamp {
        Stamp(1_626_692_400_000_000_000).plus_s(60 * minute)
    }

    /// Two hours in windows of ten minutes.
    fn basis(from: i64, until: i64, window_people: u32) -> Basis {
        Basis {
            from: at(from),
            until: at(until),
            window_s: 600,
            window_people,
        }
    }

    fn planned(all: &mut Windows, basis: Basis, people: u64, now: Stamp) -> Plan {
        let plan = all.next(basis, people, now).unwrap();
        all.plan(plan).unwrap();
        plan
    }

    fn minutes(all: &Windows, lot: u64) -> (i64, i64) {
        let window = all.of(lot).unwrap();
        let minute = |stamp: Stamp| (stamp.0 - at(0).0) / MINUTE_NS;
        (minute(window.from), minute(window.until))
    }

    #[test]
    fn a_plan_has_the_windows_that_its_people_need_and_each_its_share_of_the_lots() {
        let mut all = Windows::default();
        assert_eq!(all.of(7), None);
        let plan = planned(&mut all, basis(0, 120, 1_000), 3_500, at(-1_000));
        assert_eq!((plan.windows, plan.from, plan.first_lot), (4, at(0), 0));
        assert_eq!(minutes(&all, 0), (0, 10));
        assert_eq!(minutes(&all, u64::MAX / 2), (10, 20));
        assert_eq!(minutes(&all, u64::MAX / 2 + 1), (20, 30));
        assert_eq!(minutes(&all, u64::MAX), (30, 40));
        // More people than fit: as many windows as the opening has room for.
        let mut all = Windows::default();
        let plan = planned(&mut all, basis(0, 125, 1_000), 1_000_000, at(-1_000));
        assert_eq!(plan.windows, 12);
        assert_eq!(minutes(&all, u64::MAX), (110, 120));
        // Nobody on the roster yet, or an opening that is shorter than a window.
        let mut all = Windows::default();
        assert_eq!(
            planned(&mut all, basis(0, 120, 1_000), 0, at(-9)).windows,
            1
        );
        let mut all = Windows::default();
        let plan = planned(&mut all, basis(0, 5, 1_000), 9_999, at(-9));
        assert_eq!((plan.windows, plan.from), (1, at(0)));
    }

    #[test]
    fn windows_that_have_begun_stay_and_the_others_are_planned_after_them() {
        let mut all = Windows::default();
        planned(&mut all, basis(0, 120, 1_000), 4_000, at(-1_000));
        let quarter = 1 << 62;
        // In the second window half as many are let in: the last half of the people needs four.
        let now = at(13);
        let slower = basis(0, 120, 500);
        assert!(all.is_outdated(&slower, now));
        let plan = planned(&mut all, slower, 4_000, now);
        assert!(!all.is_outdated(&slower, now));
        assert_eq!((plan.first_lot, plan.windows), (2 * quarter, 4));
        assert_eq!(minutes(&all, 0), (0, 10));
        assert_eq!(minutes(&all, 2 * quarter - 1), (10, 20));
        assert_eq!(minutes(&all, 2 * quarter), (20, 30));
        assert_eq!(minutes(&all, u64::MAX), (50, 60));
        // Before one of them has begun, another plan takes its place.
        let plan = planned(&mut all, basis(0, 120, 2_000), 4_000, at(14));
        assert_eq!((plan.first_lot, plan.windows), (2 * quarter, 1));
        assert_eq!(all.plans().len(), 2);
        assert_eq!(minutes(&all, u64::MAX), (20, 30));
        // Postponed: what has begun has begun, the others follow the opening.
        let plan = planned(&mut all, basis(60, 180, 2_000), 4_000, at(15));
        assert_eq!(plan.from, at(60));
        assert_eq!(minutes(&all, 2 * quarter - 1), (10, 20));
        // All have begun: nothing is planned any more.
        assert_eq!(all.next(basis(60, 240, 1), 4_000, at(60)), None);
        assert!(!all.is_outdated(&basis(60, 240, 1), at(60)));
    }

    #[test]
    fn a_plan_in_the_middle_of_an_opening_begins_at_the_next_minute_and_ends_with_it() {
        let mut all = Windows::default();
        let plan = planned(&mut all, basis(0, 120, 100), 4_000, at(30).plus_s(7));
        assert_eq!((plan.from, plan.windows), (at(31), 8));
        // Shortened to what has begun: the others have the last window before its end.
        let plan = planned(&mut all, basis(0, 50, 100), 4_000, at(45).plus_s(1));
        assert_eq!((plan.from, plan.windows), (at(40), 1));
        assert_eq!(minutes(&all, u64::MAX), (40, 50));
    }

    #[test]
    fn every_lot_has_one_window_after_any_changes_and_none_that_has_begun_moves() {
        let mut state = 1_u64;
        let mut random = move |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let lots: Vec<u64> = (0..=200).map(|at| at * (u64::MAX / 200)).collect();
        for _ in 0..500 {
            let mut all = Windows::default();
            let mut minute = -10 + random(5) as i64;
            for _ in 0..6 {
                let from = random(60) as i64;
                let basis = Basis {
                    window_s: 60 * (1 + random(20) as u32),
                    ..basis(from, from + 1 + random(200) as i64, 1 + random(900) as u32)
                };
                let now = at(minute).plus_s(random(60) as i64);
                let before: Vec<_> = lots.iter().map(|lot| all.of(*lot)).collect();
                if let Some(plan) = all.next(basis, random(9_000), now) {
                    all.plan(plan).unwrap();
                }
                for (lot, before) in lots.iter().zip(before) {
                    let window = all.of(*lot).unwrap();
                    let stayed = before.filter(|before| before.from <= now);
                    assert!(stayed.is_none_or(|stayed| stayed == window));
                }
                let begins: Vec<_> = lots.iter().map(|lot| all.of(*lot).unwrap().from).collect();
                let lasts = all.plans().last().unwrap();
                assert!(begins.is_sorted() || lasts.basis.until < at(minute + 30));
                minute += random(30) as i64;
            }
        }
    }

    #[test]
    fn a_plan_that_moves_nobody_is_known_as_one() {
        let mut all = Windows::default();
        planned(&mut all, basis(0, 120, 1_000), 4_000, at(-1_000));
        let moves = |from, until, people| {
            let plan = all.next(basis(from, until, people), 4_000, at(5)).unwrap();
            all.are_moved_by(&plan)
        };
        assert!(!moves(0, 180, 1_000), "a later end");
        assert!(!moves(0, 120, 1_010), "as many windows");
        assert!(moves(0, 120, 500));
        assert!(moves(0, 30, 1_000));
        assert!(moves(40, 120, 1_000));
    }

    #[test]
    fn a_plan_that_could_not_be_looked_up_is_refused() {
        let all = Windows::default();
        let good = all.next(basis(0, 120, 100), 4_000, at(0)).unwrap();
        assert_eq!(all.may_plan(&good), Ok(()));
        let basis_s = |window_s| Basis {
            window_s,
            ..good.basis
        };
        for bad in [
            Plan { windows: 0, ..good },
            Plan {
                windows: PLAN_WINDOWS_MAX + 1,
                ..good
            },
            Plan {
                basis: basis_s(0),
                ..good
            },
            Plan {
                first_lot: 1,
                ..good
            },
            Plan {
                from: Stamp(i64::MAX),
                ..good
            },
        ] {
            assert!(all.may_plan(&bad).is_err(), "{bad:?}");
        }
    }

    /// An auditor makes plans of whatever an export says.
    #[test]
    fn no_times_at_all_panic() {
        let ends = [i64::MIN, -1, 0, 1, i64::MAX];
        let all_of = |first: i64| ends.map(|second| (Stamp(first), Stamp(second)));
        for (from, until) in ends.into_iter().flat_map(all_of) {
            for now in ends.map(Stamp) {
                for (window_s, window_people) in [(0, 0), (1, 1), (u32::MAX, u32::MAX)] {
                    let basis = Basis {
                        from,
                        until,
                        window_s,
                        window_people,
                    };
                    let mut all = Windows::default();
                    for people in [0, u64::MAX] {
                        let plan = all.next(basis, people, now);
                        if plan.is_some_and(|plan| all.plan(plan).is_ok()) {
                            let (_, left) = (all.of(u64::MAX), all.people_left(now));
                            let _ = (left, all.are_moved_by(&plan.unwrap()));
                        }
                    }
                }
            }
        }
    }
}
