//! A campaign file with another number of days between two doses, and everything else as it is.

use toml_edit::{DocumentMut, Item, value};

/// The text with this interval for a vaccine; none where the file has no such table.
pub fn text_with_interval(source: &str, vaccine: &str, days: u16) -> Option<String> {
    let mut file: DocumentMut = source.parse().ok()?;
    let vaccines = file.get_mut("vaccine")?.as_array_of_tables_mut()?;
    let is_it = |id: Option<&Item>| id.and_then(Item::as_str) == Some(vaccine);
    let table = vaccines.iter_mut().find(|table| is_it(table.get("id")))?;
    let interval = table.entry("interval_days").or_insert(value(0));
    let decor = interval.as_value().map(|known| known.decor().clone());
    *interval = value(i64::from(days));
    if let (Some(known), Some(decor)) = (interval.as_value_mut(), decor) {
        *known.decor_mut() = decor;
    }
    Some(file.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_interval_is_another() {
        let source = include_str!("../../../data/campaign.toml");
        let shifted = text_with_interval(source, "mrna", 42).unwrap();
        let changed: Vec<(&str, &str)> = source
            .lines()
            .zip(shifted.lines())
            .filter(|(before, after)| before != after)
            .collect();
        let [(before, after)] = changed[..] else {
            panic!("{changed:?}");
        };
        assert_eq!(before.replace("28", "42"), after);
        assert_eq!(source.lines().count(), shifted.lines().count());
        assert_eq!(text_with_interval(source, "none", 42), None);
        assert_eq!(text_with_interval("[campaign", "mrna", 42), None);
    }
}
