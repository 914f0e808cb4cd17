//! The sites file: `site,name_ko,name_en,region,address,lat,lng,phone`, one place a row.
//!
//! Owns what a good row is. It must not know a campaign: which sites a campaign already has is
//! for whoever journals them. `name_en`, `address` and `phone` may be empty.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::domain::booking::site::SiteRow;

use super::decode::Encoding;
use super::field;
use super::header::{Column, column, names};
use super::report::{Reason, Report, SHOWN_MAX};
use super::table::{Row, scan};

const COLUMNS: &[Column] = &[
    column("site", &["기관코드", "기관번호", "접종기관코드", "기관"]),
    column(
        "name_ko",
        &["기관명", "접종기관명", "국문명", "한글명", "이름"],
    ),
    column("name_en", &["영문명", "영문기관명", "영문이름"]),
    column(
        "region",
        &["지역", "지역코드", "시군구", "시군구코드", "행정구역"],
    ),
    column("address", &["주소", "도로명주소"]),
    column("lat", &["위도", "latitude"]),
    column("lng", &["경도", "longitude", "lon"]),
    column(
        "phone",
        &["전화번호", "전화", "대표전화", "연락처", "telephone"],
    ),
];
const SITE: usize = 0;
const NAME_KO: usize = 1;
const NAME_EN: usize = 2;
const REGION: usize = 3;
const ADDRESS: usize = 4;
const LAT: usize = 5;
const LNG: usize = 6;
const PHONE: usize = 7;
const NAME_CHARS_MAX: usize = 100;
const ADDRESS_CHARS_MAX: usize = 200;

/// Reads a sites file at a path; see `read`.
pub fn read_file(path: &Path) -> Result<Vec<SiteRow>, Report> {
    let file = File::open(path).map_err(|cause| Report::unreadable("sites", path, &cause))?;
    read(file, Encoding::Auto)
}

/// Reads a sites file; the sites are in the order of its rows.
pub fn read(source: impl Read + Send, encoding: Encoding) -> Result<Vec<SiteRow>, Report> {
    let mut sites = Vec::new();
    let absorb = |chunk: Vec<_>| sites.extend(chunk);
    let mut report = scan("sites", COLUMNS, source, encoding, check, absorb);
    let mut lines = HashMap::with_capacity(sites.len());
    for (site, line) in &sites {
        if let Some(first) = lines.insert(site.site.as_str(), *line) {
            report.add(
                Some(*line),
                COLUMNS[SITE].name,
                Reason::SameSiteTwice,
                || format!("`{}` is also on line {first}", site.site),
            );
        }
    }
    report.judge(SHOWN_MAX, || {
        sites.into_iter().map(|(site, _)| site).collect()
    })
}

fn check(row: &Row<'_>, chunk: &mut Vec<(SiteRow, u64)>, report: &mut Report) {
    let site = row.read(SITE, report, field::site);
    let name_ko = row.read(NAME_KO, report, |text| field::words(text, NAME_CHARS_MAX));
    let name_en = row.read(NAME_EN, report, |text| field::at_most(text, NAME_CHARS_MAX));
    let region = row.read(REGION, report, |text| {
        field::region(text).map(field::region_text)
    });
    let address = row.read(ADDRESS, report, |text| {
        field::at_most(text, ADDRESS_CHARS_MAX)
    });
    let lat_e6 = row.read(LAT, report, |text| field::coordinate(text, 90));
    let lng_e6 = row.read(LNG, report, |text| field::coordinate(text, 180));
    let phone = row.read_spelled(PHONE, report, field::phone);
    let words = [site, name_ko, name_en, address];
    if let (
        [Some(site), Some(name_ko), Some(name_en), Some(address)],
        Some(region),
        Some(phone),
        Some(lat_e6),
        Some(lng_e6),
    ) = (words, region, phone, lat_e6, lng_e6)
    {
        let site = SiteRow {
            site: site.to_owned(),
            name_ko: name_ko.to_owned(),
            name_en: name_en.to_owned(),
            region,
            address: address.to_owned(),
            lat_e6,
            lng_e6,
            phone: phone.into_owned(),
        };
        chunk.push((site, row.line));
    }
}

/// Writes a sites file that `read` takes.
pub fn write_csv<'a>(
    sites: impl IntoIterator<Item = &'a SiteRow>,
    into: impl Write,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(into);
    writer.write_record(names(COLUMNS))?;
    for site in sites {
        writer.write_record([
            &site.site,
            &site.name_ko,
            &site.name_en,
            &site.region,
            &site.address,
            &degrees(site.lat_e6),
            &degrees(site.lng_e6),
            &site.phone,
        ])?;
    }
    writer.flush()
}

fn degrees(millionths: i32) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let size = millionths.unsigned_abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}
