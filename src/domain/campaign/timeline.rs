//! Every instant at which anyone's answer changes, and whose, from what, to what.
//!
//! Found by asking: one example of each kind of people and each last digit, just before and at each
//! end of each opening. So it cannot disagree with the decision itself.

use crate::domain::campaign::Campaign;
use crate::domain::campaign::eligibility::Answer;
use crate::domain::campaign::kinds;
use crate::domain::time::Stamp;

/// The answer of some people changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerChange {
    pub at: Stamp,
    /// People in exactly these cohorts, positions in `Campaign::cohorts`, ascending.
    pub cohorts: Vec<usize>,
    /// Mask of the last digits of their birth days.
    pub digits: u16,
    /// Whether `digits` are all that people of these cohorts can have.
    pub all_digits: bool,
    /// The answer until just before.
    pub from: Answer,
    /// The answer from this instant on.
    pub to: Answer,
}

/// All changes by instant, then by cohorts.
pub fn timeline(campaign: &Campaign) -> Vec<AnswerChange> {
    let rules = &campaign.rules;
    let kinds = kinds::of(&campaign.cohorts, rules)
        .expect("a checked campaign has no more kinds of people than can be listed");
    let boundaries = rules.boundaries();
    let mut changes: Vec<AnswerChange> = Vec::new();
    for kind in &kinds {
        for digit in crate::domain::campaign::digits_of(kind.digits) {
            let Some(example) = kind.example(digit) else {
                continue;
            };
            for &at in &boundaries {
                let from = rules.decide(&example, Stamp(at.0 - 1)).answer;
                let to = rules.decide(&example, at).answer;
                if from != to {
                    let (cohorts, digits) = (kind.cohorts.clone(), 1 << digit);
                    changes.push(AnswerChange {
                        at,
                        cohorts,
                        digits,
                        all_digits: false,
                        from,
                        to,
                    });
                }
            }
        }
    }
    let key = |change: &AnswerChange| (change.at, change.cohorts.clone(), change.from, change.to);
    changes.sort_by_cached_key(key);
    changes.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            kept.digits |= next.digits;
        }
        same
    });
    for change in &mut changes {
        let theirs = kinds.iter().filter(|kind| kind.cohorts == change.cohorts);
        change.all_digits = change.digits == theirs.fold(0, |all, kind| all | kind.digits);
    }
    changes
}

impl AnswerChange {
    /// Who it is, in words: cohort ids and digits.
    pub fn who(&self, campaign: &Campaign) -> String {
        let ids: Vec<&str> = self
            .cohorts
            .iter()
            .map(|&at| campaign.cohorts[at].id.as_str())
            .collect();
        let ids = ids.join(" and ");
        if self.all_digits {
            return ids;
        }
        let digits = crate::domain::campaign::digits_of(self.digits);
        let digits: Vec<String> = digits.iter().map(u8::to_string).collect();
        format!("{ids}, birth days ending in {}", digits.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(text: &str) -> Campaign {
        Campaign::parse(text).expect("the file is sound").0
    }

    #[test]
    fn the_july_campaign_changes_ten_times() {
        let july = campaign(include_str!("../../../data/campaign.toml"));
        let changes = timeline(&july);
        let told: Vec<String> = changes
            .iter()
            .map(|c| {
                let at = july.zone.local(c.at).strftime("%d %H:%M").to_string();
                format!("{at} {}: {} > {}", c.who(&july), c.from.name(), c.to.name())
            })
            .collect();
        let expected = [
            "12 00:00 born-1962-1966: not_open_yet > eligible",
            "12 15:30 born-1962-1966: eligible > opening_closed",
            "14 20:00 born-1962-1966: opening_closed > eligible",
            "19 20:00 born-1967-1968: not_open_yet > eligible",
            "20 18:00 born-1967-1968: eligible > opening_closed",
            "20 20:00 born-1969-1971: not_open_yet > eligible",
            "21 18:00 born-1969-1971: eligible > opening_closed",
            "21 20:00 born-1967-1968: opening_closed > eligible",
            "21 20:00 born-1969-1971: opening_closed > eligible",
            "24 18:00 born-1962-1966: eligible > opening_closed",
            "24 18:00 born-1967-1968: eligible > opening_closed",
            "24 18:00 born-1969-1971: eligible > opening_closed",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn people_of_two_cohorts_are_told_apart_by_their_groups() {
        let text = include_str!("../../../data/campaign.toml").replace(
            "[[vaccine]]",
            "[[cohort]]\nid = \"carers\"\ngroups_any = [\"carer\"]\n\
             [[opening]]\ncohorts = [\"carers\"]\nfrom = \"2021-07-01T00:00\"\n\
             until = \"2021-07-19T20:00\"\n[[vaccine]]",
        );
        let july = campaign(&text);
        let changes = timeline(&july);
        let both = "born-1967-1968 and carers";
        let theirs: Vec<_> = changes
            .iter()
            .filter(|change| change.who(&july) == both)
            .collect();
        // The carers' opening ends when that of the cohort begins: nothing changes for them then.
        assert!(
            theirs
                .iter()
                .all(|c| july.zone.local(c.at).to_string() != "2021-07-19T20:00:00")
        );
        assert_eq!(theirs.len(), 4);
    }
}
