//! The provinces as shapes that can be tapped, beside a list that says the same. The outlines come
//! with the program (`data/province_outlines.csv`; `data/SOURCES.md` names their source).

use std::sync::LazyLock;

use super::choose::{level, region_name, short};
use super::frame::seats;
use super::visit::Visit;
use crate::service::browsing::Region;

/// The size of the drawing that the outlines are in.
pub const WIDTH: u32 = 531;
pub const HEIGHT: u32 = 638;

struct Outline {
    province: String,
    /// Where there is most room for the name.
    label: [i32; 2],
    path: String,
}

static OUTLINES: LazyLock<Vec<Outline>> = LazyLock::new(|| {
    let text = include_str!("../../../data/province_outlines.csv");
    let rows = csv::Reader::from_reader(text.as_bytes()).into_records();
    let number = |text: &str| {
        text.parse()
            .expect("a label's place is a number; a test reads all")
    };
    let outline = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.expect("the project's own tables are well-formed; a test reads them all");
        Outline {
            province: row[0].to_owned(),
            label: [number(&row[1]), number(&row[2])],
            path: row[3].to_owned(),
        }
    };
    rows.map(outline).collect()
});

/// A province with sites, as it is drawn.
pub struct Shape {
    pub address: String,
    /// The name and the free seats, for readers who do not see the drawing.
    pub label: String,
    pub level: &'static str,
    pub path: &'static str,
    pub short: String,
    pub x: i32,
    pub y: i32,
}

/// The shapes of the regions that are provinces with an outline. A province that lies inside
/// another is drawn after it: the table begins with the largest.
pub fn shapes(visit: &Visit, regions: &[Region]) -> Vec<Shape> {
    let shape = |outline: &'static Outline| {
        let region = regions
            .iter()
            .find(|region| region.code == outline.province)?;
        let name = region_name(visit.lang, &region.code);
        let free = seats(visit.lang, region.offered.free);
        Some(Shape {
            address: visit.to(&format!("/sites?region={}", region.code)),
            label: format!("{name}, {free}"),
            level: level(region.offered),
            path: &outline.path,
            short: short(name),
            x: outline.label[0],
            y: outline.label[1],
        })
    };
    OUTLINES.iter().filter_map(shape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regions::DISTRICTS;

    #[test]
    fn every_province_has_an_outline_inside_the_drawing() {
        let inside = |value: i32, end: u32| (0..end as i32).contains(&value);
        for district in DISTRICTS.iter() {
            let province = &district.region[..2];
            let found = OUTLINES.iter().find(|outline| outline.province == province);
            let found = found.unwrap_or_else(|| panic!("{province} has no outline"));
            let [x, y] = found.label;
            assert!(inside(x, WIDTH) && inside(y, HEIGHT), "{province}");
            let letters = found.path.bytes();
            let is_drawn = |byte: u8| byte.is_ascii_digit() || b"Mlz- ".contains(&byte);
            assert!(letters.into_iter().all(is_drawn), "{province}");
        }
        let bytes: usize = OUTLINES.iter().map(|outline| outline.path.len()).sum();
        assert!(
            bytes < 12_000,
            "{bytes} bytes on each page of the provinces"
        );
    }
}
