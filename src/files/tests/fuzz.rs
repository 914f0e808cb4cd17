//! No bytes make a reader panic. `SUMUN_FUZZ_CASES` sets how many are tried; the default is small.

use std::sync::LazyLock;

use jiff::civil::date;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::clock::Entropy;
use crate::demo;
use crate::domain::ids::{SiteIndex, VaccineIndex};
use crate::domain::time::{Day, Zone};
use crate::files::{Encoding, roster, sites, slots};
use crate::keys::Keys;

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::generate(&Entropy::system()));

/// Valid files of the three kinds.
static VALID: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let born = (date(1967, 1, 1), date(1968, 12, 31));
    let mut files = [Vec::new(), Vec::new(), Vec::new()];
    roster::write_csv(demo::people(1, 12, born), &mut files[0]).unwrap();
    let places = demo::sites(1, 8);
    sites::write_csv(&places, &mut files[1]).unwrap();
    let times = demo::slots(&places, date(2021, 7, 26), 20);
    let id = |site: SiteIndex| places[site.at()].site.as_str();
    slots::write_csv(times.into_iter().take(12), "mrna", id, &mut files[2]).unwrap();
    files
});

fn cases() -> ProptestConfig {
    let cases = std::env::var("SUMUN_FUZZ_CASES").ok();
    ProptestConfig::with_cases(cases.and_then(|text| text.parse().ok()).unwrap_or(256))
}

/// Reads bytes as all three files; a report must be printable too.
fn read_as_all(bytes: &[u8]) {
    let today = Day::of(date(2021, 7, 19));
    let told = |report: super::Report| {
        let _ = (report.to_string(), serde_json::to_string(&report).unwrap());
    };
    let _ = roster::read(bytes, &KEYS, &Entropy::system(), today).map_err(told);
    for encoding in [
        Encoding::Auto,
        Encoding::Utf8,
        Encoding::Cp949,
        Encoding::Utf16,
    ] {
        let _ = sites::read(bytes, encoding).map_err(told);
    }
    // Nobody lacks a site or a vaccine here: the rows are to reach every check.
    let zone = Zone::named("Europe/Berlin").unwrap();
    let (site, vaccine) = (
        |_: &str| Some(SiteIndex(0)),
        |_: &str| Some(VaccineIndex(0)),
    );
    let _ = slots::read(bytes, Encoding::Auto, &zone, vaccine, site).map_err(told);
}

/// One way to spoil a file.
#[derive(Clone, Debug)]
enum Spoil {
    Replace(Index, u8),
    Insert(Index, &'static [u8]),
    Remove(Index, usize),
    Cut(Index),
    Repeat(Index, usize),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    const SHARP: &[&[u8]] = &[
        b"\"",
        b",",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"-",
        b"9999-12-31",
        b";",
        b"\xed\xa0\x80",
        b"\xe2\x80\x8b",
        b"\xcc\x81",
        b"\xe1\x84\x80",
        b"24:00",
        b"2021-03-28",
        b"02:30",
        b"/",
        b"99999999999999999999",
        b"\xf0\x9f\x92\x89",
        b"\xff\xfe",
        b"PK\x03\x04",
        b"sep=;\n",
        b"\0\xff\0",
        b"\t",
    ];
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Spoil::Replace(at, byte)),
        (at(), prop::sample::select(SHARP)).prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        (at(), 1..40_usize).prop_map(|(at, length)| Spoil::Remove(at, length)),
        at().prop_map(Spoil::Cut),
        (at(), 1..80_usize).prop_map(|(at, length)| Spoil::Repeat(at, length)),
    ]
}

fn apply(spoil: &Spoil, file: &mut Vec<u8>) {
    if file.is_empty() {
        return;
    }
    let length = file.len();
    match spoil {
        Spoil::Replace(at, byte) => file[at.index(length)] = *byte,
        Spoil::Insert(at, bytes) => {
            let at = at.index(length);
            file.splice(at..at, bytes.iter().copied());
        }
        Spoil::Remove(at, count) => {
            let at = at.index(length);
            file.drain(at..(at + count).min(length));
        }
        Spoil::Cut(at) => file.truncate(at.index(length)),
        Spoil::Repeat(at, count) => {
            let at = at.index(length);
            let again = file[at..(at + count).min(length)].to_vec();
            file.splice(at..at, again);
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        read_as_all(&bytes);
    }

    #[test]
    fn any_bytes_after_a_good_header_are_answered(
        bytes in prop::collection::vec(any::<u8>(), 0..512),
        kind in 0..3_usize,
    ) {
        let header = VALID[kind].split_inclusive(|byte| *byte == b'\n').next().unwrap();
        read_as_all(&[header, &bytes].concat());
    }

    #[test]
    fn any_spoiled_file_is_answered(
        kind in 0..3_usize,
        spoils in prop::collection::vec(spoil(), 1..6),
    ) {
        let mut file = VALID[kind].clone();
        spoils.iter().for_each(|spoil| apply(spoil, &mut file));
        read_as_all(&file);
    }
}
