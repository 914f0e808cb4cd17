//! A small map of regions, drawn from nothing but where their sites are: the land is what lies near
//! a site, a region is a dot that is larger with more free seats. Shown beside a list that says the
//! same.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::choose::level;
use crate::service::browsing::Region;

/// The longer side, in units of the picture.
const SIDE: f64 = 300.0;
/// Room around the middle of the outermost dots.
const MARGIN: f64 = 22.0;
/// Radius of a dot: without a seat, and with the most of the map.
const DOT: (f64, f64) = (3.0, 14.0);
/// The land is drawn on a grid of this step: a few hundred points, however many sites.
const GRID: f64 = 6.0;
/// Height of a line of text, and the width of a wide and of a narrow letter in it.
const TEXT: (f64, f64, f64) = (12.0, 11.0, 6.2);

pub struct Map {
    pub width: u32,
    pub height: u32,
    /// A path of points, drawn with a round pen: first the shore, then the land a little narrower.
    pub land: String,
    pub pen: [u32; 2],
    pub dots: Vec<Dot>,
}

pub struct Dot {
    pub x: String,
    pub y: String,
    pub r: String,
    pub level: &'static str,
    pub chosen: bool,
    /// What is written under it.
    pub name: Option<String>,
    pub name_x: String,
    pub name_y: String,
}

impl Map {
    /// Draws regions on the land of `sites` (latitude and longitude in degrees).
    pub fn of(
        regions: &[Region],
        sites: &[(f64, f64)],
        chosen: Option<&str>,
        name: impl Fn(&Region) -> String,
    ) -> Self {
        let middle = sites.iter().map(|site| site.0).sum::<f64>() / sites.len().max(1) as f64;
        let flat = |lat: f64, lng: f64| (lng * middle.to_radians().cos(), -lat);
        let flat_sites: Vec<_> = sites.iter().map(|&(lat, lng)| flat(lat, lng)).collect();
        let (left, right) = ends(flat_sites.iter().map(|point| point.0));
        let (top, bottom) = ends(flat_sites.iter().map(|point| point.1));
        let extent = (right - left).max(bottom - top).max(0.02);
        let scale = (SIDE - 2.0 * MARGIN) / extent;
        let place = |(x, y): (f64, f64)| ((x - left) * scale + MARGIN, (y - top) * scale + MARGIN);
        let width = (right - left) * scale + 2.0 * MARGIN;
        let most = regions.iter().map(|region| region.free).max();
        let most = f64::from(most.unwrap_or_default().max(1));
        let dot = |region: &Region| {
            let (x, y) = place(flat(region.lat, region.lng));
            // The area of a dot goes with its seats.
            let r = DOT.0 + (DOT.1 - DOT.0) * (f64::from(region.free) / most).sqrt();
            (x, y, r)
        };
        let mut order: Vec<usize> = (0..regions.len()).collect();
        let rank = |at: &usize| {
            (
                chosen != Some(&regions[*at].code),
                u32::MAX - regions[*at].free,
            )
        };
        order.sort_by_key(rank);
        let mut taken: Vec<[f64; 4]> = Vec::new();
        let mut dots: Vec<Dot> = order
            .into_iter()
            .map(|at| {
                let region = &regions[at];
                let (x, y, r) = dot(region);
                let name = name(region);
                // A name is written where there is room for it: the fullest come first.
                let half = (length(&name) / 2.0).min(width / 2.0);
                let name_x = x.clamp(half, width - half);
                let below = y + r + TEXT.0 * 0.85;
                let room = [name_x - half, below - TEXT.0, name_x + half, below];
                let free = taken.iter().all(|other| {
                    room[0] >= other[2]
                        || room[2] <= other[0]
                        || room[1] >= other[3]
                        || room[3] <= other[1]
                });
                if free {
                    taken.push(room);
                }
                Dot {
                    x: format!("{x:.1}"),
                    y: format!("{y:.1}"),
                    r: format!("{r:.1}"),
                    level: level(region.free),
                    chosen: chosen == Some(&region.code),
                    name: free.then_some(name),
                    name_x: format!("{name_x:.1}"),
                    name_y: format!("{below:.1}"),
                }
            })
            .collect();
        // Drawn last, the chosen one lies on top.
        dots.reverse();
        Self {
            width: width.ceil() as u32,
            height: ((bottom - top) * scale + 2.0 * MARGIN).ceil() as u32,
            dots,
            pen: pen(sites.len()),
            land: land(flat_sites.into_iter().map(place)),
        }
    }
}

/// How long a text is in the map's units, about.
fn length(text: &str) -> f64 {
    let of = |letter: char| if letter.is_ascii() { TEXT.2 } else { TEXT.1 };
    text.chars().map(of).sum()
}

/// How broad the pen is: the fewer the sites, the broader, so that their land hangs together.
fn pen(sites: usize) -> [u32; 2] {
    let broad = (SIDE / (sites.max(1) as f64).sqrt() * 1.3).clamp(28.0, 90.0) as u32;
    [broad + 2, broad]
}

/// The points of the land, each once on the grid.
fn land(points: impl Iterator<Item = (f64, f64)>) -> String {
    let step = |value: f64| (value / GRID).round() as i32;
    let points: BTreeSet<(i32, i32)> = points.map(|(x, y)| (step(x), step(y))).collect();
    let mut path = String::with_capacity(points.len() * 12);
    for (x, y) in points {
        let _ = write!(path, "M{} {}h0", x * GRID as i32, y * GRID as i32);
    }
    path
}

fn ends(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(f64::NEG_INFINITY, f64::max);
    if least > most {
        (0.0, 0.0)
    } else {
        (least, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(code: &str, lat: f64, lng: f64, free: u32) -> Region {
        Region {
            code: code.to_owned(),
            sites: 1,
            free,
            lat,
            lng,
        }
    }

    #[test]
    fn north_is_up_and_more_seats_are_larger() {
        let regions = [
            region("11", 37.5, 127.0, 400),
            region("26", 35.2, 129.1, 100),
            region("50", 33.4, 126.5, 0),
            region("41", 37.49, 127.01, 20),
        ];
        let sites: Vec<_> = regions.iter().map(|one| (one.lat, one.lng)).collect();
        let map = Map::of(&regions, &sites, Some("26"), |region| region.code.clone());
        let number = |text: &str| text.parse::<f64>().unwrap();
        let dot = |level: &str, chosen: bool| {
            let found = map.dots.iter();
            found
                .into_iter()
                .find(|dot| dot.level == level && dot.chosen == chosen)
                .unwrap()
        };
        let (seoul, busan, jeju) = (dot("many", false), dot("many", true), dot("none", false));
        assert!(number(&seoul.y) < number(&busan.y) && number(&busan.y) < number(&jeju.y));
        assert!(number(&seoul.x) < number(&busan.x));
        assert!(number(&seoul.r) > number(&busan.r));
        assert_eq!(jeju.r, "3.0");
        // The small one beside Seoul has no room for its name.
        assert!(dot("few", false).name.is_none() && seoul.name.is_some());
        assert_eq!(
            map.land.matches('M').count(),
            3,
            "two of four share a point of the grid"
        );
    }

    #[test]
    fn few_or_no_regions_draw_something_finite() {
        for regions in [vec![], vec![region("1", 37.0, 127.0, 5)]] {
            let sites: Vec<_> = regions.iter().map(|one| (one.lat, one.lng)).collect();
            let map = Map::of(&regions, &sites, None, |region| region.code.clone());
            assert!(map.width >= 40 && map.width < 400, "{}", map.width);
            assert!(!map.land.contains("NaN"));
        }
    }
}
