//! Measures reading the roster of July 2021: 1.54 million people, generated into a file first.
//!
//! Run with `cargo bench --bench import`; `SUMUN_PEOPLE` sets another number. It reports; it
//! asserts nothing about speed.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::time::Instant;

use jiff::civil::date;
use sumun::clock::{Entropy, tick};
use sumun::domain::ids::{SiteIndex, VaccineIndex};
use sumun::domain::roster::{Roster, decode_people, difference, encode_people};
use sumun::domain::time::{Day, Zone};
use sumun::keys::Keys;
use sumun::{demo, files};

fn main() {
    // Cargo passes `--bench`, which this has no use for.
    let count = std::env::var("SUMUN_PEOPLE").ok();
    let count: u64 = count.map_or(1_540_000, |text| text.parse().expect("a number of people"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("people.csv");
    let born = (date(1967, 1, 1), date(1968, 12, 31));
    let today = Day::of(date(2021, 7, 19));
    let (keys, entropy) = (Keys::generate(&Entropy::system()), Entropy::system());

    let began = tick();
    let made = demo::people(1, count, born).map(|person| person.code.len() as u64);
    assert_eq!(made.sum::<u64>(), count * 10);
    tell("generate people", began, count);

    let began = tick();
    let file = BufWriter::new(File::create(&path).expect("a file"));
    files::roster::write_csv(demo::people(1, count, born), file).expect("a written file");
    tell("generate and write people.csv", began, count);

    let began = tick();
    let mut rows = csv::Reader::from_path(&path).expect("the file");
    let mut record = csv::ByteRecord::new();
    while rows.read_byte_record(&mut record).expect("a row") {}
    tell("split rows only, one core", began, count);

    reset_peak();
    let before = resident("VmRSS");
    let began = tick();
    let prepared = files::roster::read_file(&path, &keys, &entropy, today).expect("a good file");
    tell("roster::read (all of it)", began, count);
    println!(
        "{:38} {before:>8} MiB before, {} MiB at its peak",
        "",
        resident("VmHWM")
    );
    assert_eq!(prepared.roster.people.len() as u64, count);

    let began = tick();
    let mut bytes = Vec::new();
    prepared
        .vault()
        .for_each(|(_, sealed)| bytes.extend_from_slice(sealed));
    tell("copy the vault in order", began, count);
    println!("{:38} {:>8} MiB sealed", "", bytes.len() >> 20);

    measure_roster(&prepared.roster, count);
    measure_keys(&keys, &entropy, count);
    measure_slots(count);
}

fn measure_roster(roster: &Roster, count: u64) {
    let began = tick();
    let found = roster
        .people
        .iter()
        .filter(|person| roster.find(&person.key).is_some());
    assert_eq!(found.count() as u64, count);
    tell("find everyone, one core", began, count);

    let began = tick();
    let mut bytes = Vec::new();
    encode_people(&roster.people, &mut bytes);
    tell("encode people", began, count);
    let began = tick();
    let people = decode_people(&bytes).expect("what was encoded");
    let (sets, regions) = (roster.group_sets.clone(), roster.regions.clone());
    let again = Roster::assemble(1, people, sets, regions).expect("what was checked");
    tell("decode and check people", began, count);
    let began = tick();
    assert_eq!(difference(roster, &again).unchanged, count);
    tell("difference of two rosters", began, count);
}

/// The costly parts of a row, each alone on one core.
fn measure_keys(keys: &Keys, entropy: &Entropy, count: u64) {
    let began = tick();
    let last = (0..count).map(|code| keys.person_key(code)).max();
    tell("person_key, one core", began, count);
    let person = last.expect("some people");
    let began = tick();
    let tags = (0..count).map(|_| keys.name_tag(person, "김영숙")[0]).max();
    tell("name_tag, one core", began, count);
    let began = tick();
    let contact = b"\x01\x0d010-2000-0000\xea\xb9\x80\xec\x98\x81\xec\x88\x99";
    let sealed = (0..count)
        .map(|_| keys.seal(entropy, person, contact).len())
        .sum::<usize>();
    tell("seal, one core", began, count);
    let began = tick();
    let number = (0..count).map(|index| keys.booking_number(index)).max();
    tell("booking_number, one core", began, count);
    assert!(tags.is_some() && sealed > 0 && number.is_some());
}

fn measure_slots(people: u64) {
    let zone = Zone::named("Asia/Seoul").expect("a zone");
    // As many sites as give some million rows: 24 days of 17 starts, each with its second.
    let sites = demo::sites(1, 1225);
    let slots = demo::slots(&sites, date(2021, 7, 26), people);
    let rows = slots.len() as u64;
    let mut file = Vec::new();
    let id = |site: SiteIndex| sites[site.at()].site.as_str();
    files::slots::write_csv(slots, "mrna", id, &mut file).expect("memory");
    let index: std::collections::HashMap<&str, SiteIndex> = sites
        .iter()
        .zip(0..)
        .map(|(site, at)| (site.site.as_str(), SiteIndex(at)))
        .collect();
    let began = tick();
    let vaccine_of = |text: &str| (text == "mrna").then_some(VaccineIndex(0));
    let site_of = |text: &str| index.get(text).copied();
    let read = files::slots::read(file.as_slice(), &zone, vaccine_of, site_of);
    assert_eq!(read.expect("good slots").len() as u64, rows);
    tell("slots::read", began, rows);
}

fn tell(what: &str, began: Instant, rows: u64) {
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{what:38} {seconds:>8.3} s {:>12.0} rows/s",
        rows as f64 / seconds
    );
    std::io::stdout().flush().expect("a place to print to");
}

/// Makes the kernel forget the peak so far, where it lets us.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// A figure of `/proc/self/status` in MiB.
fn resident(name: &str) -> u64 {
    let mut status = String::new();
    let file = File::open("/proc/self/status");
    let _ = file.and_then(|mut file| file.read_to_string(&mut status));
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
