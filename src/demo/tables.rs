//! The tables of `data/` that people are invented from, read from the program itself.
//!
//! What they hold: surnames by about their frequency in the census of 2015; given names common
//! among people born in the 1960s.

pub(super) use crate::regions::{DISTRICTS, District};

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
