//! Counts the looks of a review, and marks those that a reviewer has to ask about.
//!
//! Looks are added in their order: the further looks of a day, or at one person, are those that are
//! marked, and not the first ones.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::civil::Date;

use super::{A_DAY, ASKED_MAX, AT_ONE_PERSON, Asked, NAMED_MAX, PEOPLE_AT_ONCE};
use super::{Record, Review, Seen};
use crate::domain::entry::Purpose;
use crate::domain::ids::PersonKey;

#[derive(Default)]
pub(super) struct Summing {
    review: Review,
    /// How often each person was looked at.
    people: HashMap<PersonKey, u64>,
    /// How often each account looked at each person.
    at_person: HashMap<(String, PersonKey), u64>,
    /// How often each account looked on each day.
    on_day: HashMap<(String, Date), u64>,
}

impl Summing {
    /// Entries of the span that were read, the first and the last of them.
    pub fn read(&mut self, entries: u64, first: Option<u64>, last: Option<u64>) {
        let review = &mut self.review;
        review.entries += entries;
        review.record.first_entry = review.record.first_entry.or(first);
        review.record.last_entry = last.or(review.record.last_entry);
    }

    /// Counts a look, and says in it why it has to be asked about.
    pub fn add(&mut self, seen: &mut Seen, day: Date, people: &[PersonKey]) {
        if seen.purpose == Purpose::Reviewed {
            self.review.reviews.push(seen.clone());
            return;
        }
        self.review.looks += 1;
        let of = self.review.accounts.entry(seen.account.clone());
        let of = of.or_default();
        of.looks += 1;
        of.at_night += u64::from(seen.at_night);
        of.on_weekend += u64::from(seen.on_weekend);
        *of.by_purpose.entry(seen.purpose).or_default() += 1;
        *of.origins.entry(seen.origin.clone()).or_default() += 1;
        if of.reasons.len() < NAMED_MAX || of.reasons.contains_key(&seen.reason) {
            *of.reasons.entry(seen.reason.clone()).or_default() += 1;
        } else {
            of.other_reasons += 1;
        }
        let that_day = self.on_day.entry((seen.account.clone(), day)).or_default();
        *that_day += 1;
        of.most_a_day = of.most_a_day.max(*that_day);
        let is_trial = seen.purpose == Purpose::Compared;
        let is_many = people.len() >= PEOPLE_AT_ONCE;
        // A whole roster that is tried is a look at nobody in particular.
        let counted = if is_trial && is_many { &[] } else { people };
        let mut most_at_one = 0;
        for person in counted {
            *self.people.entry(*person).or_default() += 1;
            let times = self.at_person.entry((seen.account.clone(), *person));
            let times = times.or_default();
            *times += 1;
            of.people += u64::from(*times == 1);
            most_at_one = most_at_one.max(*times);
        }
        let why = [
            (seen.at_night, Asked::AtNight),
            (seen.on_weekend, Asked::OnWeekend),
            (*that_day > A_DAY, Asked::ManyThatDay),
            (most_at_one >= AT_ONE_PERSON, Asked::SamePersonAgain),
            (is_many && !is_trial, Asked::ManyPeople),
            (
                is_trial && !is_many && !people.is_empty(),
                Asked::FewCompared,
            ),
        ];
        let why = why.into_iter().filter(|(is_so, _)| *is_so);
        seen.asked = why.map(|(_, why)| why).collect();
        if !seen.asked.is_empty() {
            of.asked += 1;
            self.review.asked += 1;
            if self.review.to_ask.len() < ASKED_MAX {
                self.review.to_ask.push(seen.clone());
            }
        }
    }

    /// The review, made from a record that ends so.
    pub fn finish(mut self, record: Record) -> Review {
        let Record {
            first_entry,
            last_entry,
            ..
        } = self.review.record;
        self.review.record = Record {
            first_entry,
            last_entry,
            ..record
        };
        self.review.people = self.people.len() as u64;
        let people = self.people.into_iter();
        let mut often: Vec<_> = people.filter(|(_, times)| *times > 1).collect();
        often.sort_unstable_by_key(|(person, times)| (Reverse(*times), *person));
        let often = often.into_iter().take(NAMED_MAX);
        self.review.most_looked_at = often.map(|(who, times)| (who.to_string(), times)).collect();
        self.review
    }
}
