//! Generated people: Korean names of a generation, births by month, districts by residents.
//!
//! Invariant: the person at an index depends on the seed and the index alone.

use jiff::civil::Date;

use crate::domain::crockford;
use crate::domain::time::Day;
use crate::files::roster::PersonLine;

use super::random::{Random, Weighted, scatter44};
use super::tables::{DISTRICTS, given_names, surnames};

/// A row of the roster file that the demo writes.
pub type GeneratedPerson = PersonLine;

/// The numbers from 010-2000-0000 to 010-9999-9999.
const PHONES: u64 = 80_000_000;
/// How many people have a telephone number of their own.
pub const PEOPLE_MAX: u64 = PHONES;

/// Births by month in Korea of the 1960s, per thousand of a year: many in winter, few in June.
const BIRTHS_BY_MONTH: [u64; 12] = [102, 93, 98, 83, 75, 66, 70, 80, 86, 90, 79, 78];

/// Rarer given names are made of two of these.
const SYLLABLES_F: [&str; 24] = [
    "경", "금", "기", "남", "덕", "말", "명", "미", "봉", "선", "수", "순", "영", "옥", "은", "인",
    "자", "정", "주", "춘", "현", "혜", "화", "희",
];
const SYLLABLES_M: [&str; 28] = [
    "경", "광", "규", "기", "남", "대", "덕", "동", "두", "명", "문", "병", "봉", "상", "석", "선",
    "성", "영", "용", "원", "일", "재", "정", "종", "진", "창", "태", "호",
];

/// All generated people of a seed.
pub struct People {
    seed: u64,
    surnames: Weighted<String>,
    given_f: Weighted<String>,
    given_m: Weighted<String>,
    births: Weighted<Date>,
    regions: Weighted<&'static str>,
}

/// `count` people born from the first to the last date, both included.
///
/// # Panics
/// When the dates are in the wrong order or `count` is more than `PEOPLE_MAX`.
pub fn people(
    seed: u64,
    count: u64,
    born: (Date, Date),
) -> impl ExactSizeIterator<Item = GeneratedPerson> {
    let count = usize::try_from(count.min(PEOPLE_MAX + 1)).unwrap_or(usize::MAX);
    assert!(
        count as u64 <= PEOPLE_MAX,
        "at most {PEOPLE_MAX} people have a number"
    );
    let people = People::new(seed, born);
    (0..count).map(move |index| people.person(index as u64))
}

impl People {
    /// # Panics
    /// When the dates are in the wrong order.
    pub fn new(seed: u64, born: (Date, Date)) -> Self {
        let days = Day::of(born.0).0..=Day::of(born.1).0;
        let birth = |day| {
            let date = Day(day).date();
            let of_month = BIRTHS_BY_MONTH[date.month() as usize - 1];
            (date, of_month * 1000 / date.days_in_month() as u64)
        };
        let regions = DISTRICTS.iter();
        Self {
            seed,
            surnames: Weighted::new(surnames()),
            given_f: Weighted::new(given_names("f")),
            given_m: Weighted::new(given_names("m")),
            births: Weighted::new(days.map(birth)),
            regions: Weighted::new(regions.map(|d| (d.region.as_str(), d.people_thousand))),
        }
    }

    /// The person at an index below `PEOPLE_MAX`.
    pub fn person(&self, index: u64) -> GeneratedPerson {
        // An odd factor that five does not divide reaches every number of 2¹⁰ × 5⁷ once.
        const FAR: u64 = 48_271_807;
        let mut random = Random::new(self.seed, index);
        let phone = 20_000_000 + (index * FAR + self.seed % PHONES) % PHONES;
        let place = scatter44(self.seed, index);
        let groups: &[&str] = match random.below(1000) {
            0..20 => &["health-worker"],
            20..30 => &["care-worker"],
            30..33 => &["care-worker", "health-worker"],
            _ => &[],
        };
        GeneratedPerson {
            name: self.name(&mut random),
            birth_date: *self.births.pick(&mut random),
            code: crockford::format(place / 32 * 37 + place % 32),
            phone: format!("010-{:04}-{:04}", phone / 10_000, phone % 10_000),
            region: (*self.regions.pick(&mut random)).to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        }
    }

    fn name(&self, random: &mut Random) -> String {
        let (given, syllables): (_, &[&str]) = match random.below(2) {
            0 => (&self.given_f, &SYLLABLES_F),
            _ => (&self.given_m, &SYLLABLES_M),
        };
        let mut name = String::with_capacity(12);
        name.push_str(self.surnames.pick(random));
        if random.below(5) == 0 {
            name.push_str(random.pick::<&str>(syllables));
            name.push_str(random.pick::<&str>(syllables));
        } else {
            name.push_str(given.pick(random));
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::civil::date;

    use super::*;

    const BORN: (Date, Date) = (date(1967, 1, 1), date(1968, 12, 31));

    #[test]
    fn the_same_seed_gives_the_same_people() {
        let one: Vec<_> = people(7, 100, BORN).collect();
        let again: Vec<_> = people(7, 100, BORN).collect();
        assert_eq!(one, again);
        assert_eq!(People::new(7, BORN).person(42), one[42]);
        let other: Vec<_> = people(8, 100, BORN).collect();
        assert_ne!(one, other);
    }

    #[test]
    fn codes_and_phones_are_unique_and_good() {
        let people: Vec<_> = people(1, 50_000, BORN).collect();
        let codes: HashSet<_> = people.iter().map(|person| &person.code).collect();
        let phones: HashSet<_> = people.iter().map(|person| &person.phone).collect();
        assert_eq!((codes.len(), phones.len()), (50_000, 50_000));
        for person in &people {
            let code = crockford::parse(&person.code).unwrap();
            assert!(crockford::is_plain(code));
        }
    }

    #[test]
    fn births_cover_both_years_by_season() {
        let people: Vec<_> = people(1, 100_000, BORN).collect();
        let days: HashSet<_> = people.iter().map(|person| person.birth_date).collect();
        assert_eq!(days.len(), 365 + 366);
        let in_month = |month| {
            people
                .iter()
                .filter(|person| person.birth_date.month() == month)
                .count()
        };
        assert!(in_month(1) > in_month(6) * 13 / 10);
        let regions: HashSet<_> = people.iter().map(|person| &person.region).collect();
        assert_eq!(regions.len(), 250);
    }

    #[test]
    fn one_day_is_a_range() {
        let day = date(1968, 2, 29);
        assert!(people(1, 10, (day, day)).all(|person| person.birth_date == day));
    }
}
