//! The districts of Korea by their codes of the administrative standard, read once from the program
//! itself (`data/regions.csv`): the 250 of 2021 with approximate centres and registered residents.
//!
//! Sites name their region by code alone. A code that is not in this table is shown as it is.

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

/// The Korean and the English name of a province (`11`) or district (`11/110`).
pub fn names(region: &str) -> Option<(&'static str, &'static str)> {
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
}
