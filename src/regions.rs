//! The districts of Korea by their codes of the administrative standard, read once from the program
//! itself (`data/regions.csv`): the 250 of 2021 with approximate centres and registered residents.
//!
//! Sites name their region by code alone. Provinces and districts that got another code since have
//! both in `data/region_aliases.csv`, with the day of the change: either names the place, which is
//! kept under the code of the table. Provinces are checked; districts change every year, and one
//! that is not in the table is shown by its code.

use std::borrow::Cow;
use std::sync::LazyLock;

/// A district with the province it belongs to.
pub struct District {
    /// As `11/110`.
    pub region: String,
    pub province_ko: String,
    pub province_en: String,
    pub name_ko: String,
    pub name_en: String,
    pub lat: f64,
    pub lng: f64,
    pub people_thousand: u64,
}

pub static DISTRICTS: LazyLock<Vec<District>> = LazyLock::new(|| {
    let rows = csv::Reader::from_reader(include_str!("../data/regions.csv").as_bytes());
    let district = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.expect("the project's own tables are well-formed; a test reads them all");
        District {
            region: row[0].to_owned(),
            province_ko: row[1].to_owned(),
            province_en: row[2].to_owned(),
            name_ko: row[3].to_owned(),
            name_en: row[4].to_owned(),
            lat: number(&row[5]),
            lng: number(&row[6]),
            people_thousand: number(&row[7]),
        }
    };
    rows.into_records().map(district).collect()
});

/// Regions are numbers of five digits: two of the province, three of the district.
const NUMBERS: usize = 100_000;

/// For each number of a region, the number that is listed for its place; none outside the known
/// provinces.
static LISTED: LazyLock<Vec<Option<u32>>> = LazyLock::new(|| {
    let mut listed = vec![None; NUMBERS];
    for district in DISTRICTS.iter() {
        let first: usize = number::<usize>(&district.region[..2]) * 1000;
        if listed[first].is_none() {
            for (at, place) in listed[first..first + 1000].iter_mut().enumerate() {
                *place = Some((first + at) as u32);
            }
        }
    }
    for (former, now) in ALIASES.iter() {
        let number_of = |code: &str| number::<usize>(&code.replace('/', ""));
        let (from, to) = (number_of(now), number_of(former));
        if now.contains('/') {
            listed[from] = Some(to as u32);
        } else {
            for at in 0..1000 {
                listed[from * 1000 + at] = Some((to * 1000 + at) as u32);
            }
        }
    }
    listed
});

/// The codes of places that got another one, and that other one.
static ALIASES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let rows = csv::Reader::from_reader(include_str!("../data/region_aliases.csv").as_bytes());
    let alias = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.expect("the project's own tables are well-formed; a test reads them all");
        (row[1].to_owned(), row[2].to_owned())
    };
    rows.into_records().map(alias).collect()
});

/// The number that is listed for a region's place, whichever of its codes this is: 51110 for
/// `51/110` gives 42110. None if no province has the code.
pub fn listed(number: u32) -> Option<u32> {
    LISTED.get(number as usize).copied().flatten()
}

/// The listed code of a province or district, whichever of its codes this is; another text as it
/// is.
pub fn listed_code(code: &str) -> Cow<'_, str> {
    let alias = ALIASES.iter().find_map(|(former, now)| {
        let rest = code.strip_prefix(now.as_str())?;
        let is_whole = rest.is_empty() || (!now.contains('/') && rest.starts_with('/'));
        is_whole.then(|| Cow::Owned(format!("{former}{rest}")))
    });
    alias.unwrap_or(Cow::Borrowed(code))
}

/// The provinces with their codes, for a sentence that says which there are.
pub fn provinces_in_words() -> String {
    let mut provinces: Vec<_> = DISTRICTS
        .iter()
        .map(|district| format!("{} {}", &district.region[..2], district.province_ko))
        .collect();
    provinces.dedup();
    format!("the provinces are {}", provinces.join(", "))
}

/// The Korean and the English name of a province (`11`) or district (`11/110`).
pub fn names(region: &str) -> Option<(&'static str, &'static str)> {
    let region = &*listed_code(region);
    let districts = DISTRICTS.iter();
    if region.contains('/') {
        let known = districts
            .into_iter()
            .find(|district| district.region == region)?;
        return Some((&known.name_ko, &known.name_en));
    }
    let known = districts.into_iter().find(|district| {
        let rest = district.region.strip_prefix(region);
        rest.is_some_and(|rest| rest.starts_with('/'))
    })?;
    Some((&known.province_ko, &known.province_en))
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    let number = text.parse().ok();
    number.expect("the project's own tables hold numbers where they should; a test reads them all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provinces_and_districts_have_both_names() {
        assert_eq!(names("11/110"), Some(("종로구", "Jongno-gu")));
        assert_eq!(names("11"), Some(("서울특별시", "Seoul")));
        assert_eq!(names("1"), None);
        assert_eq!(names("99/1"), None);
        assert_eq!(names(""), None);
    }

    #[test]
    fn both_codes_of_a_place_are_one_and_unknown_provinces_are_none() {
        for (now, former) in [
            ("51/110", "42/110"),
            ("52/111", "45/111"),
            ("27/720", "47/720"),
            ("47/730", "47/730"),
            ("27/710", "27/710"),
            ("11/110", "11/110"),
        ] {
            let number_of = |code: &str| number::<u32>(&code.replace('/', ""));
            assert_eq!(listed(number_of(now)), Some(number_of(former)), "{now}");
            assert_eq!(listed_code(now), former);
        }
        assert_eq!(
            (listed_code("51"), listed_code("5")),
            ("42".into(), "5".into())
        );
        assert_eq!((listed(99_999), listed(100_000)), (None, None));
        for (former, now) in ALIASES.iter() {
            assert!(names(former).is_some(), "{former}");
            assert_eq!(names(now), names(former), "{now}");
        }
        assert!(provinces_in_words().contains("11 서울특별시"));
    }
}
