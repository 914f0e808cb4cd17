//! The tables of `data/`: surnames, given names and districts, read once from the program itself.
//!
//! What they hold: surnames by about their frequency in the census of 2015; given names common
//! among people born in the 1960s; the 250 districts of 2021 with their codes of the administrative
//! standard, approximate centres and registered residents in thousands.

use std::sync::LazyLock;

/// A district with the province it belongs to.
pub(super) struct District {
    /// As `11/110`.
    pub(super) region: String,
    pub(super) province_ko: String,
    pub(super) province_en: String,
    pub(super) name_ko: String,
    pub(super) name_en: String,
    pub(super) lat: f64,
    pub(super) lng: f64,
    pub(super) people_thousand: u64,
}

pub(super) static DISTRICTS: LazyLock<Vec<District>> = LazyLock::new(|| {
    let rows = rows(include_str!("../../data/regions.csv"));
    let district = |row: csv::StringRecord| District {
        region: row[0].to_owned(),
        province_ko: row[1].to_owned(),
        province_en: row[2].to_owned(),
        name_ko: row[3].to_owned(),
        name_en: row[4].to_owned(),
        lat: number(&row[5]),
        lng: number(&row[6]),
        people_thousand: number(&row[7]),
    };
    rows.map(district).collect()
});

/// Surnames with their weights.
pub(super) fn surnames() -> impl Iterator<Item = (String, u64)> {
    rows(include_str!("../../data/surnames.csv")).map(|row| (row[0].to_owned(), number(&row[1])))
}

/// Given names of women (`f`) or men (`m`) with their weights, the most common first.
pub(super) fn given_names(sex: &'static str) -> impl Iterator<Item = (String, u64)> {
    rows(include_str!("../../data/given_names.csv"))
        .filter(move |row| &row[1] == sex)
        .map(|row| (row[0].to_owned(), number(&row[2])))
}

fn rows(text: &'static str) -> impl Iterator<Item = csv::StringRecord> {
    let rows = csv::Reader::from_reader(text.as_bytes()).into_records();
    rows.map(|row| row.expect("the project's own tables are well-formed; a test reads them all"))
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    let number = text.parse().ok();
    number.expect("the project's own tables hold numbers where they should; a test reads them all")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_tables_are_whole() {
        let regions: HashSet<_> = DISTRICTS.iter().map(|district| &district.region).collect();
        assert_eq!((DISTRICTS.len(), regions.len()), (250, 250));
        let provinces: HashSet<_> = regions.iter().map(|region| &region[..2]).collect();
        assert_eq!(provinces.len(), 17);
        for district in DISTRICTS.iter() {
            assert!((33.0..39.0).contains(&district.lat), "{}", district.name_en);
            assert!(
                (125.0..132.0).contains(&district.lng),
                "{}",
                district.name_en
            );
        }
        assert!(surnames().count() > 70);
        assert!(given_names("f").count() > 100 && given_names("m").count() > 100);
    }
}
