//! Generated vaccination centres: in every district, more where more people live.

use crate::domain::booking::site::SiteRow;

use super::random::Random;
use super::tables::{DISTRICTS, District};

/// Area codes of the 17 provinces, by the province's code.
const AREA_CODES: [(&str, &str); 17] = [
    ("11", "02"),
    ("26", "051"),
    ("27", "053"),
    ("28", "032"),
    ("29", "062"),
    ("30", "042"),
    ("31", "052"),
    ("36", "044"),
    ("41", "031"),
    ("42", "033"),
    ("43", "043"),
    ("44", "041"),
    ("45", "063"),
    ("46", "061"),
    ("47", "054"),
    ("48", "055"),
    ("50", "064"),
];

const STREETS: [&str; 8] = [
    "중앙로",
    "시청로",
    "체육관로",
    "문화로",
    "보건소길",
    "충혼로",
    "역전로",
    "공원로",
];

/// `count` sites in the order of their districts.
pub fn sites(seed: u64, count: usize) -> Vec<SiteRow> {
    let shares = shares(count);
    let mut sites = Vec::with_capacity(count);
    for (district, share) in DISTRICTS.iter().zip(shares) {
        for number in 1..=share {
            let mut random = Random::new(seed, sites.len() as u64);
            sites.push(site(district, number, &mut random));
        }
    }
    sites
}

/// How many sites each district gets: one each while there are enough, the others by the highest
/// quotient of residents over sites (D'Hondt).
fn shares(count: usize) -> Vec<u64> {
    let mut shares = vec![u64::from(count >= DISTRICTS.len()); DISTRICTS.len()];
    let given: u64 = shares.iter().sum();
    for _ in given..count as u64 {
        let quotient = |at: &usize| DISTRICTS[*at].people_thousand * 1000 / (shares[*at] + 1);
        let next = (0..DISTRICTS.len()).max_by_key(quotient);
        shares[next.expect("there are districts")] += 1;
    }
    shares
}

fn site(district: &District, number: u64, random: &mut Random) -> SiteRow {
    let province = short(&district.province_ko);
    let nth_ko = if number > 1 {
        format!("제{number}")
    } else {
        String::new()
    };
    let nth_en = if number > 1 {
        format!(" {number}")
    } else {
        String::new()
    };
    let (name_ko, name_en) = (&district.name_ko, &district.name_en);
    let (street, house) = (random.pick(&STREETS), 1 + random.below(300));
    let area = AREA_CODES
        .iter()
        .find(|(code, _)| district.region.starts_with(code));
    let area = area.map_or("02", |(_, area)| area);
    // Within a kilometre and a half of the district's centre.
    let near = |degrees: f64, random: &mut Random| {
        (degrees * 1e6).round() as i32 + random.below(30_000) as i32 - 15_000
    };
    SiteRow {
        site: format!("{}-{number}", district.region.replace('/', "")),
        name_ko: format!("{province} {name_ko} {nth_ko}예방접종센터"),
        name_en: format!(
            "{name_en} Vaccination Center{nth_en}, {}",
            district.province_en
        ),
        region: district.region.clone(),
        address: format!("{} {name_ko} {street} {house}", district.province_ko),
        lat_e6: near(district.lat, random),
        lng_e6: near(district.lng, random),
        phone: format!(
            "{area}-{}-{:04}",
            200 + random.below(800),
            random.below(10_000)
        ),
    }
}

/// A province as people call it: 서울 of 서울특별시, 충북 of 충청북도.
fn short(province: &str) -> String {
    let letters: Vec<char> = province.chars().collect();
    match letters[..] {
        [first, _, side @ ('남' | '북'), '도'] => [first, side].iter().collect(),
        _ => letters.iter().take(2).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::files;

    #[test]
    fn the_centres_of_july_2021_cover_every_district() {
        let sites = sites(1, 282);
        assert_eq!(sites.len(), 282);
        let regions: HashSet<_> = sites.iter().map(|site| &site.region).collect();
        assert_eq!(regions.len(), 250);
    }

    #[test]
    fn few_sites_go_where_most_people_live() {
        let sites = sites(1, 10);
        assert_eq!(sites.len(), 10);
        assert!(sites.iter().any(|site| site.region == "41/590"));
        assert!(super::sites(1, 0).is_empty());
    }

    #[test]
    fn the_reader_takes_them_as_they_are() {
        let sites = sites(1, 282);
        let mut file = Vec::new();
        files::sites::write_csv(&sites, &mut file).unwrap();
        assert_eq!(
            files::sites::read(file.as_slice(), files::Encoding::Auto),
            Ok(sites)
        );
    }

    #[test]
    fn provinces_are_called_as_people_call_them() {
        assert_eq!(short("서울특별시"), "서울");
        assert_eq!(short("충청북도"), "충북");
        assert_eq!(short("강원도"), "강원");
    }
}
