//! Which opening of a new file goes on with which line of the file before it.
//!
//! A line belongs to an opening, and an opening may be postponed, lengthened or given other cohorts
//! while people wait in its line. Files do not name their openings, so the rule is this. An opening
//! goes on with the line of the one before that has a cohort in common with it and begins at the
//! same instant; of those that are left, with that of the one not yet over that has a cohort and a
//! birth-day digit in common and begins nearest to it. Every other opening has a new line.

use crate::domain::campaign::eligibility::{Answer, Decision, Subject};
use crate::domain::campaign::{Campaign, Opening};
use crate::domain::ids::LineIndex;
use crate::domain::time::Stamp;

impl Campaign {
    /// Gives each opening its line. `lines` is the number of lines that the campaign has had.
    pub fn go_on_with_lines(&mut self, before: &Self, lines: usize, now: Stamp) {
        let shares_cohort = |old: &Opening, new: &Opening| {
            let id = |campaign: &Self, at: usize| campaign.cohorts[at].id.clone();
            let new: Vec<String> = new.cohorts.iter().map(|at| id(self, *at)).collect();
            old.cohorts.iter().any(|at| new.contains(&id(before, *at)))
        };
        let mut free: Vec<&Opening> = before.openings.iter().collect();
        let mut found: Vec<Option<LineIndex>> = vec![None; self.openings.len()];
        for (new, line) in self.openings.iter().zip(&mut found) {
            let same = |old: &&Opening| old.from == new.from && shares_cohort(old, new);
            if let Some(at) = free.iter().position(same) {
                *line = Some(free.remove(at).line);
            }
        }
        free.retain(|old| now < old.until);
        for (new, line) in self.openings.iter().zip(&mut found) {
            let fits =
                |old: &Opening| old.digit_mask() & new.digit_mask() != 0 && shares_cohort(old, new);
            let apart = |old: &Opening| old.from.0.abs_diff(new.from.0);
            let fitting = (0..free.len()).filter(|at| fits(free[*at]));
            if line.is_none()
                && now < new.until
                && let Some(at) = fitting.min_by_key(|at| apart(free[*at]))
            {
                *line = Some(free.remove(at).line);
            }
        }
        let mut next = lines;
        for (opening, line) in self.openings.iter_mut().zip(found) {
            opening.line = line.unwrap_or_else(|| {
                next += 1;
                LineIndex((next - 1) as u16)
            });
        }
    }

    /// The answer for somebody in session. Whoever came in before the end of an opening may finish
    /// for so long as the campaign allows: nobody comes in after it who was not called before.
    pub fn decide_in_session(&self, subject: &Subject, now: Stamp) -> Decision {
        let decision = self.rules.decide(subject, now);
        let finish_s = 60 * i64::from(self.gate.finish_min);
        let may_finish = decision
            .closed_at
            .is_some_and(|closed| now < closed.plus_s(finish_s));
        match decision.answer {
            Answer::OpeningClosed if may_finish => Decision {
                answer: Answer::Eligible,
                ..decision
            },
            _ => decision,
        }
    }

    /// How many lines there are up to the last of its openings.
    pub fn lines(&self) -> usize {
        let lines = self.openings.iter().map(|opening| opening.line.at() + 1);
        lines.max().unwrap_or(0)
    }

    /// The opening of a line, if it has one now.
    pub fn opening_of(&self, line: LineIndex) -> Option<&Opening> {
        self.openings.iter().find(|opening| opening.line == line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cohorts a and b; openings as (cohort, from, until) in hours of a day.
    fn campaign(openings: &[(&str, u32, u32)]) -> Campaign {
        let mut text = String::from(
            "[campaign]\nid = \"c\"\nname = { ko = \"c\", en = \"c\" }\n\
             timezone = \"Asia/Seoul\"\nidentity = [\"name\", \"birth_date\", \"code\"]\n\
             [[cohort]]\nid = \"a\"\nborn = [\"1960-01-01\", \"1965-12-31\"]\n\
             [[cohort]]\nid = \"b\"\nborn = [\"1966-01-01\", \"1969-12-31\"]\n\
             [[vaccine]]\nid = \"v\"\ndoses = 1\n",
        );
        for (cohorts, from, until) in openings {
            let cohorts: Vec<String> = cohorts.chars().map(|id| format!("\"{id}\"")).collect();
            text += &format!(
                "[[opening]]\ncohorts = [{}]\nfrom = \"2021-07-19T{from:02}:00\"\n\
                 until = \"2021-07-19T{until:02}:00\"\n",
                cohorts.join(", ")
            );
        }
        Campaign::parse(&text).unwrap().0
    }

    fn hour(hour: i64) -> Stamp {
        // Midnight in Seoul, in UTC.
        Stamp::parse("2021-07-18T15:00:00Z")
            .unwrap()
            .plus_s(hour * 3_600)
    }

    #[test]
    fn an_opening_keeps_its_line_when_it_is_moved_lengthened_or_given_other_cohorts() {
        let before = campaign(&[("a", 1, 3), ("b", 8, 10), ("a", 12, 14)]);
        type Openings<'a> = &'a [(&'a str, u32, u32)];
        let cases: &[(&str, i64, Openings, &[u16])] = &[
            (
                "the same",
                0,
                &[("a", 1, 3), ("b", 8, 10), ("a", 12, 14)],
                &[0, 1, 2],
            ),
            (
                "another order",
                0,
                &[("a", 12, 14), ("a", 1, 3), ("b", 8, 10)],
                &[2, 0, 1],
            ),
            (
                "lengthened",
                9,
                &[("a", 1, 3), ("b", 8, 11), ("a", 12, 14)],
                &[0, 1, 2],
            ),
            (
                "lengthened after its end",
                4,
                &[("a", 1, 5), ("b", 8, 10)],
                &[0, 1],
            ),
            (
                "postponed",
                7,
                &[("a", 1, 3), ("b", 9, 11), ("a", 12, 14)],
                &[0, 1, 2],
            ),
            (
                "brought forward",
                5,
                &[("a", 1, 3), ("b", 6, 10), ("a", 11, 14)],
                &[0, 1, 2],
            ),
            ("one more cohort", 7, &[("a", 1, 3), ("ab", 8, 10)], &[0, 1]),
            (
                "one more in between",
                5,
                &[("a", 1, 3), ("b", 8, 10), ("b", 10, 11)],
                &[0, 1, 3],
            ),
            (
                "an evening added",
                5,
                &[("a", 12, 14), ("a", 20, 22)],
                &[2, 3],
            ),
            ("what is over is not gone on with", 5, &[("a", 7, 9)], &[2]),
            ("nothing in common", 5, &[("b", 1, 3)], &[3]),
        ];
        for (what, now, openings, lines) in cases {
            let mut after = campaign(openings);
            after.go_on_with_lines(&before, 3, hour(*now));
            let found: Vec<u16> = after
                .openings
                .iter()
                .map(|opening| opening.line.0)
                .collect();
            assert_eq!(found, *lines, "{what}");
        }
    }
}
