//! A whole roster's answers at one instant: counts by answer, and who flips between two versions.
//!
//! Counts of parts add up with `merge`, so a caller may count on as many cores as there are.

use serde::Serialize;

use crate::domain::campaign::eligibility::{Answer, Rules, Subject};
use crate::domain::time::Stamp;

/// People by answer. `flips[a][b]` are those with answer `a` under the other rules and `b` under
/// these; the diagonal are those for whom nothing changes. Without other rules all of it is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    by_answer: [u64; 4],
    flips: [[u64; 4]; 4],
}

impl Counts {
    pub fn of(&self, answer: Answer) -> u64 {
        self.by_answer[answer as usize]
    }

    /// People whose answer was `from` under the other rules and is `to` under these.
    pub fn flipped(&self, from: Answer, to: Answer) -> u64 {
        self.flips[from as usize][to as usize]
    }

    /// Everyone counted.
    pub fn people(&self) -> u64 {
        self.by_answer.iter().sum()
    }

    /// Everyone whose answer differs under the other rules.
    pub fn flips(&self) -> u64 {
        let pairs = Answer::ALL
            .iter()
            .flat_map(|from| Answer::ALL.map(|to| (*from, to)));
        pairs
            .filter(|(from, to)| from != to)
            .map(|(from, to)| self.flipped(from, to))
            .sum()
    }

    pub fn merge(mut self, other: Self) -> Self {
        for a in 0..4 {
            self.by_answer[a] += other.by_answer[a];
            for b in 0..4 {
                self.flips[a][b] += other.flips[a][b];
            }
        }
        self
    }
}

/// Rules as seen by a roster that numbers its groups in its own order.
#[derive(Clone, Debug)]
pub struct View<'r> {
    rules: &'r Rules,
    /// The rules' bits for each bit of the roster; `None` when both number them alike.
    bits: Option<[u64; 64]>,
}

impl<'r> View<'r> {
    /// For people whose groups are bits of these same rules.
    pub fn own(rules: &'r Rules) -> Self {
        Self { rules, bits: None }
    }

    /// For people whose group bit `i` stands for `roster_groups[i]`.
    pub fn of(rules: &'r Rules, roster_groups: &[String]) -> Self {
        let mut bits = [0; 64];
        for (bit, group) in bits.iter_mut().zip(roster_groups) {
            *bit = rules.group_bits(std::iter::once(group.as_str()));
        }
        Self {
            rules,
            bits: Some(bits),
        }
    }

    /// The answer for one person.
    pub fn answer(&self, person: &Subject, at: Stamp) -> Answer {
        let mut groups = person.groups;
        if let Some(bits) = &self.bits {
            groups = 0;
            let mut left = person.groups;
            while left != 0 {
                groups |= bits[left.trailing_zeros() as usize];
                left &= left - 1;
            }
        }
        self.rules
            .decide(
                &Subject {
                    born: person.born,
                    groups,
                },
                at,
            )
            .answer
    }
}

/// Counts these people under `rules` at an instant, and their flips from the rules of `against`.
pub fn count(
    rules: &View,
    against: Option<&View>,
    people: impl IntoIterator<Item = Subject>,
    at: Stamp,
) -> Counts {
    let mut counts = Counts::default();
    for person in people {
        let answer = rules.answer(&person, at);
        counts.by_answer[answer as usize] += 1;
        if let Some(against) = against {
            let from = against.answer(&person, at);
            counts.flips[from as usize][answer as usize] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::campaign::{Campaign, read_date, read_instant};

    const JULY: &str = include_str!("../../../data/campaign.toml");

    fn people() -> Vec<Subject> {
        let born = [
            "1961-12-31",
            "1962-01-01",
            "1967-05-05",
            "1968-02-29",
            "1971-12-31",
        ];
        let subject = |text: &&str| Subject {
            born: read_date(text).unwrap(),
            groups: 0,
        };
        born.iter().map(subject).collect()
    }

    #[test]
    fn parts_add_up_and_flips_are_told() {
        let july = Campaign::parse(JULY).unwrap().0;
        let later = JULY.replace("2021-07-19T20:00", "2021-07-19T22:00");
        let later = Campaign::parse(&later).unwrap().0;
        let at = read_instant("2021-07-19T21:00", &july.zone).unwrap();
        let (new, old) = (View::own(&later.rules), View::own(&july.rules));
        let all = count(&new, Some(&old), people(), at);
        assert_eq!(all.of(Answer::NotEligible), 1);
        assert_eq!(all.of(Answer::Eligible), 1);
        assert_eq!(all.of(Answer::NotOpenYet), 3);
        assert_eq!(all.flipped(Answer::Eligible, Answer::NotOpenYet), 2);
        assert_eq!((all.people(), all.flips()), (5, 2));
        let people = people();
        let (first, second) = people.split_at(2);
        let part = |part: &[Subject]| count(&new, Some(&old), part.iter().copied(), at);
        assert_eq!(part(first).merge(part(second)), all);
    }

    #[test]
    fn a_roster_may_number_its_groups_in_another_order() {
        let text = JULY.replace(
            "[[vaccine]]",
            "[[cohort]]\nid = \"staff\"\ngroups_any = [\"carer\", \"nurse\"]\n\
             [[opening]]\ncohorts = [\"staff\"]\nfrom = \"2021-07-01T00:00\"\n\
             until = \"2021-07-02T00:00\"\n[[vaccine]]",
        );
        let july = Campaign::parse(&text).unwrap().0;
        let groups = ["cook", "nurse", "carer"].map(str::to_owned);
        let view = View::of(&july.rules, &groups);
        let at = read_instant("2021-07-01T12:00", &july.zone).unwrap();
        let born = read_date("1990-01-01").unwrap();
        let answer = |groups| view.answer(&Subject { born, groups }, at);
        assert_eq!(answer(0b001), Answer::NotEligible);
        assert_eq!(answer(0b010), Answer::Eligible);
        assert_eq!(answer(0b101), Answer::Eligible);
    }
}
