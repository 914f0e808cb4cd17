//! A small map of regions, drawn from nothing but where their sites are: a dot each, larger with
//! more free seats, over the outline of them all. Shown beside a list that says the same.

use std::fmt::Write as _;

use super::choose::level;
use crate::service::browsing::Region;

/// The longer side, in units of the picture.
const SIDE: f64 = 300.0;
/// Room around the middle of the outermost dots.
const MARGIN: f64 = 22.0;
/// Radius of a dot: without a seat, and with the most of the map.
const DOT: (f64, f64) = (3.0, 14.0);
/// So many of the fullest dots have their name written beside them.
const NAMED_MAX: usize = 30;

pub struct Map {
    pub width: u32,
    pub height: u32,
    /// A path around all dots.
    pub outline: String,
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
    pub name_y: String,
}

impl Map {
    pub fn of(regions: &[Region], chosen: Option<&str>, name: impl Fn(&Region) -> String) -> Self {
        let middle =
            regions.iter().map(|region| region.lat).sum::<f64>() / regions.len().max(1) as f64;
        let flat = |region: &Region| {
            let east = region.lng * middle.to_radians().cos();
            (east, -region.lat)
        };
        let points: Vec<(f64, f64)> = regions.iter().map(flat).collect();
        let (left, right) = ends(points.iter().map(|point| point.0));
        let (top, bottom) = ends(points.iter().map(|point| point.1));
        let extent = (right - left).max(bottom - top).max(0.02);
        let scale = (SIDE - 2.0 * MARGIN) / extent;
        let place = |(x, y): (f64, f64)| ((x - left) * scale + MARGIN, (y - top) * scale + MARGIN);
        let points: Vec<(f64, f64)> = points.into_iter().map(place).collect();
        let most = regions.iter().map(|region| region.free).max();
        let most = f64::from(most.unwrap_or_default().max(1));
        let dots = regions.iter().zip(&points).map(|(region, &(x, y))| {
            // The area of a dot goes with its seats.
            let r = DOT.0 + (DOT.1 - DOT.0) * (f64::from(region.free) / most).sqrt();
            let named = regions.len() <= NAMED_MAX || chosen == Some(&region.code);
            Dot {
                x: format!("{x:.1}"),
                y: format!("{y:.1}"),
                r: format!("{r:.1}"),
                level: level(region.free),
                chosen: chosen == Some(&region.code),
                name: named.then(|| name(region)),
                name_y: format!("{:.1}", y + r + 9.0),
            }
        });
        Self {
            width: ((right - left) * scale + 2.0 * MARGIN).ceil() as u32,
            height: ((bottom - top) * scale + 2.0 * MARGIN).ceil() as u32,
            dots: dots.collect(),
            outline: outline(points),
        }
    }
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

/// A closed path around the points: their convex hull (Andrew's monotone chain).
fn outline(mut points: Vec<(f64, f64)>) -> String {
    points.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    points.dedup();
    let half = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        let mut hull: Vec<(f64, f64)> = Vec::new();
        for point in points {
            while let [.., a, b] = hull[..]
                && (b.0 - a.0) * (point.1 - a.1) <= (b.1 - a.1) * (point.0 - a.0)
            {
                hull.pop();
            }
            hull.push(point);
        }
        hull.pop();
        hull
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    let mut path = String::new();
    for (at, (x, y)) in hull.iter().enumerate() {
        let _ = write!(path, "{}{x:.0} {y:.0}", if at == 0 { 'M' } else { 'L' });
    }
    if !path.is_empty() {
        path.push('Z');
    }
    path
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
        ];
        let map = Map::of(&regions, Some("26"), |region| region.code.clone());
        let number = |text: &str| text.parse::<f64>().unwrap();
        assert!(number(&map.dots[0].y) < number(&map.dots[1].y));
        assert!(number(&map.dots[0].x) < number(&map.dots[1].x));
        assert!(number(&map.dots[0].r) > number(&map.dots[1].r));
        assert_eq!((map.dots[2].r.as_str(), map.dots[2].level), ("3.0", "none"));
        assert!(map.dots[1].chosen && !map.dots[0].chosen);
        assert!(map.outline.starts_with('M') && map.outline.ends_with('Z'));
    }

    #[test]
    fn few_or_no_regions_draw_something_finite() {
        for regions in [vec![], vec![region("1", 37.0, 127.0, 5)]] {
            let map = Map::of(&regions, None, |region| region.code.clone());
            assert!(map.width >= 40 && map.width < 400, "{}", map.width);
            assert!(!map.outline.contains("NaN"));
        }
    }
}
