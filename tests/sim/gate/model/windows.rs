//! Windows: when each person may come, worked out from the seed and the plans alone.

use sumun::domain::ids::PersonKey;
use sumun::domain::line::lot;
use sumun::domain::line::windows::{Basis, Plan, Window, Windows};
use sumun::domain::time::Stamp;

use super::super::july::{July, Phase, WINDOW_S};
use super::Model;

impl Model {
    /// What the windows of a line are to be planned by.
    fn basis(&self, at: usize, july: &July) -> Basis {
        let evening = july.evening(at).expect("a line that is planned has one");
        let half = (self.turns.rate() * f64::from(WINDOW_S) / 2.0) as u32;
        Basis {
            from: evening.from(),
            until: evening.until(),
            window_s: WINDOW_S,
            window_people: july.window_people.unwrap_or(half).max(1),
        }
    }

    fn planned_before(&self, at: usize) -> Windows {
        let mut windows = Windows::default();
        for plan in &self.lines[at].plans {
            windows.plan(*plan).expect("it was planned");
        }
        windows
    }

    /// Rule 11: windows were planned at a step of the keeper that began then.
    pub fn planned(&mut self, at: usize, plan: &Plan, people: u64, july: &July, now: Stamp) {
        assert_eq!(july.order, "windows", "windows that the rules don't want");
        let next = self
            .planned_before(at)
            .next(self.basis(at, july), people, now);
        assert_eq!(Some(*plan), next, "another plan than the rule makes");
        let line = &mut self.lines[at];
        line.plans
            .retain(|before| before.first_lot < plan.first_lot);
        line.plans.push(*plan);
        line.told.retain(|_, window| window.from <= now);
    }

    /// Rule 11, after a step of the keeper: the windows of a line that can be looked up are those
    /// of the rate and the opening that are in force.
    pub fn check_plans(&self, july: &July, has_numbers: &[bool], now: Stamp) {
        for evening in july.evenings.iter().filter(|_| july.order == "windows") {
            let at = evening.line;
            let is_shown = matches!(july.phase(evening, now), Phase::Lobby | Phase::Open);
            let is_empty = self.has_nobody(at) && !has_numbers[at];
            let goes_by_windows = !self.lines[at].plans.is_empty() || is_empty;
            if is_shown && goes_by_windows {
                let basis = self.basis(at, july);
                let has_changed = |last: &Plan| {
                    let before_s = i64::from(last.windows - 1) * i64::from(last.basis.window_s);
                    last.basis != basis && now < last.from.plus_s(before_s)
                };
                let is_old = self.lines[at].plans.last().is_none_or(has_changed);
                let last = self.lines[at].plans.last();
                assert!(
                    !is_old,
                    "line {at} has windows of other rules at {now:?}: {last:?}, wanted {basis:?}"
                );
            }
        }
    }

    /// A person's window, if the line has any.
    pub fn window(&self, at: usize, key: &PersonKey, seed: Option<[u8; 32]>) -> Option<Window> {
        let lot = u128::from(lot(&seed?, key));
        let plans = self.lines[at].plans.iter().rev();
        let mut plans = plans.filter(|plan| u128::from(plan.first_lot) <= lot);
        let plan = plans.next()?;
        let first = u128::from(plan.first_lot);
        let part = (lot - first) * u128::from(plan.windows) / ((1 << 64) - first);
        let begins = |at: i64| plan.from.plus_s(at * i64::from(plan.basis.window_s));
        Some(Window {
            from: begins(part as i64),
            until: begins(part as i64 + 1),
            planned: plan.at,
        })
    }

    /// Rule 10: a window that somebody was told stays where it is once it has begun.
    pub fn told_window(&mut self, at: usize, key: PersonKey, window: Window, now: Stamp) {
        let told = &mut self.lines[at].told;
        if let Some(before) = told.get(&key).filter(|before| before.from <= now) {
            assert_eq!(*before, window, "{key} has a window that moved");
        }
        told.insert(key, window);
    }
}
