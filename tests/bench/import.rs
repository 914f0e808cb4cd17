//! Measures importing the roster of July 2021: 1.54 million people, generated into a file first.
//! The file is imported, imported again unchanged, and then with one person in a hundred changed.
//! For each it shows seconds, peak memory and the longest that the writer was busy with it.
//!
//! Run with `cargo bench --bench import`; `SUMUN_PEOPLE` sets another number. It reports; it
//! asserts nothing about speed.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use jiff::civil::date;
use sumun::clock::{Clock, Entropy, tick};
use sumun::domain::booking::site::SlotRow;
use sumun::domain::campaign::Campaign;
use sumun::domain::entry::Actor;
use sumun::domain::ids::{SiteIndex, VaccineIndex};
use sumun::domain::roster::{Roster, decode_people, difference, encode_people};
use sumun::domain::time::{Day, Stamp, Zone};
use sumun::engine::command::{Accepted, Command, Operation, Outcome};
use sumun::engine::core::Core;
use sumun::engine::import::{perform, sweep::sweep};
use sumun::engine::open;
use sumun::files::roster::{Reading, SamePerson, SealedContacts};
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
    let (keys, entropy) = (
        Arc::new(Keys::generate(&Entropy::system())),
        Entropy::system(),
    );

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

    let roster = measure_import(folder.path(), &path, &keys, &entropy, today, count);
    measure_roster(&roster, count);
    measure_keys(&keys, &entropy, count);
    measure_slots(count);
    measure_slots_import(folder.path(), &keys);
}

/// Imports the file three times into a data folder of its own, as a server does: staged beside the
/// writer, put into force by it, swept behind it.
fn measure_import(
    folder: &Path,
    path: &Path,
    keys: &Arc<Keys>,
    entropy: &Entropy,
    today: Day,
    count: u64,
) -> Arc<Roster> {
    let data_file = folder.join("sumun.redb");
    let clock = Clock::manual(Stamp(1_626_692_280 * Stamp::SECOND));
    let mut core = open::create(&data_file, Arc::clone(keys), &clock).expect("an empty folder");
    let (shared, store) = (Arc::clone(core.shared()), Arc::clone(core.store()));
    for what in [
        "first import",
        "unchanged import",
        "import with 1 % changed",
    ] {
        let source: Box<dyn Read + Send> = if what.contains("1 %") {
            let text = std::fs::read_to_string(path).expect("the file");
            let lines = text.lines().enumerate();
            let line = |(at, line): (usize, &str)| match at % 100 {
                7 => line.replace("010-", "011-") + "\n",
                _ => line.to_owned() + "\n",
            };
            let changed = folder.join("changed.csv");
            std::fs::write(&changed, lines.map(line).collect::<String>()).expect("a file");
            drop(text);
            Box::new(File::open(changed).expect("the file"))
        } else {
            Box::new(File::open(path).expect("the file"))
        };
        reset_peak();
        let (before, began) = (resident("VmRSS"), tick());
        let in_force = shared.roster();
        let reading = Reading {
            keys,
            entropy,
            today,
            in_force: &in_force,
            vault: &sumun::domain::personal::NOTHING_ERASED,
            same_person: SamePerson::Warn,
            encoding: files::Encoding::Auto,
            country: Default::default(),
            faults_max: 100,
            contacts: SealedContacts::in_folder(folder).expect("a file"),
        };
        let prepared = Box::new(reading.read(source).expect("a good file"));
        drop(in_force);
        tell(&format!("{what}: read"), began, count);
        let accepted = Accepted::default();
        let operation = Operation::ImportRoster { prepared, accepted };
        let mut busy = Duration::ZERO;
        let mut hand = |operation| {
            let (outcome, took) = step(&mut core, operation);
            busy = busy.max(took);
            outcome
        };
        let staging = tick();
        let outcome = perform(&shared, &store, keys, operation, &mut hand);
        assert!(matches!(outcome, Some(Outcome::Operated(_))), "{outcome:?}");
        tell(&format!("{what}: stage, put in force"), staging, count);
        tell(&format!("{what}: all"), began, count);
        let sweeping = tick();
        sweep(&shared, &store, &AtomicBool::new(false)).expect("a swept file");
        tell(&format!("{what}: sweep"), sweeping, count);
        println!(
            "{:38} {before:>8} MiB before, {} MiB at its peak; writer busy {:.1} ms",
            "",
            resident("VmHWM"),
            busy.as_secs_f64() * 1e3
        );
    }
    let bytes = std::fs::metadata(&data_file).expect("the data file").len();
    println!("{:38} {:>8} MiB data file", "", bytes >> 20);
    shared.roster()
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
    let tags = (0..count)
        .map(|_| keys.personal(0).unwrap().name_tag(person, "김영숙")[0])
        .max();
    tell("name_tag, one core", began, count);
    let began = tick();
    let contact = b"\x01\x0d010-2000-0000\xea\xb9\x80\xec\x98\x81\xec\x88\x99";
    let sealed = (0..count)
        .map(|_| {
            keys.personal(0)
                .unwrap()
                .seal(entropy, person, contact)
                .len()
        })
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
    let read = files::slots::read(
        file.as_slice(),
        files::Encoding::Auto,
        &zone,
        vaccine_of,
        site_of,
    );
    assert_eq!(read.expect("good slots").len() as u64, rows);
    tell("slots::read", began, rows);
}

/// Imports two million slots as a server does: in parts, with the longest that the writer was busy
/// with one of them.
fn measure_slots_import(folder: &Path, keys: &Arc<Keys>) {
    let clock = Clock::manual(Stamp(1_626_692_280 * Stamp::SECOND));
    let data_file = folder.join("slots.redb");
    let mut core = open::create(&data_file, Arc::clone(keys), &clock).expect("an empty folder");
    let (shared, store) = (Arc::clone(core.shared()), Arc::clone(core.store()));
    let source = include_str!("../../data/campaign.toml").to_owned();
    let campaign = Campaign::parse(&source).expect("a sound campaign").0.id;
    let (sites, days, starts) = (14_000, 10, 15);
    let slot = |site: u32, day: i32, start: u16| SlotRow {
        site: SiteIndex(site),
        vaccine: VaccineIndex(0),
        date: Day(18_800 + day),
        start_min: 540 + start * 30,
        start: Stamp((18_800 + i64::from(day)) * 86_400 * Stamp::SECOND),
        end: Stamp((18_800 + i64::from(day)) * 86_400 * Stamp::SECOND + 1),
        capacity: [10, 1, 0, 0, 0],
    };
    let of_site = |site| (0..days).flat_map(move |day| (0..starts).map(move |at| (site, day, at)));
    let rows = (0..sites).flat_map(of_site);
    let mut rows: Vec<_> = rows.map(|(site, day, at)| slot(site, day, at)).collect();
    let count = rows.len() as u64;
    let again = rows.iter_mut().map(|row| {
        let first = *row;
        row.capacity = [12, 1, 0, 0, 0];
        first
    });
    let first: Vec<_> = again.collect();
    let id = campaign.clone();
    for (what, operation) in [
        (
            "activate",
            Operation::Activate {
                source: source.clone(),
                now: Stamp(0),
                shifts: false,
            },
        ),
        (
            "import 14,000 sites",
            Operation::ImportSites {
                campaign: id.clone(),
                rows: demo::sites(1, sites as usize),
            },
        ),
        (
            "import slots",
            Operation::ImportSlots {
                campaign: id.clone(),
                version: None,
                rows: first,
                now: Stamp(0),
            },
        ),
        (
            "raise all capacities",
            Operation::ImportSlots {
                campaign: id.clone(),
                version: None,
                rows,
                now: Stamp(0),
            },
        ),
        (
            "activate again",
            Operation::Activate {
                source: source + "\n# again\n",
                now: Stamp(0),
                shifts: false,
            },
        ),
    ] {
        let (began, mut busy, mut parts) = (tick(), Duration::ZERO, 0);
        let mut hand = |operation| {
            let (outcome, took) = step(&mut core, operation);
            busy = busy.max(took);
            parts += 1;
            outcome
        };
        let outcome = perform(&shared, &store, keys, operation, &mut hand);
        assert!(matches!(outcome, Some(Outcome::Operated(_))), "{outcome:?}");
        tell(what, began, count);
        let busy_ms = busy.as_secs_f64() * 1e3;
        println!(
            "{:38} {parts:>8} parts, writer busy {busy_ms:.1} ms at the most",
            ""
        );
    }
}

/// One step of the writer with this operation: what came of it, and how long it took.
fn step(core: &mut Core, operation: Operation) -> (Option<Outcome>, Duration) {
    let (reply, mut outcome) = tokio::sync::oneshot::channel();
    let actor = Actor::operator("bench");
    let command = Command::Operate {
        actor,
        operation,
        reply,
    };
    let began = tick();
    core.step(&mut VecDeque::from([command])).expect("a commit");
    (outcome.try_recv().ok(), began.elapsed())
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
