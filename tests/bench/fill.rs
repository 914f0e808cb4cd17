//! Fills a demo's data folder with a campaign at its end, through the real writer: 1.54 million
//! people, a million slots, 1.5 million bookings of two doses, 64 to a commit.
//!
//! Run by `compare` as `fill FOLDER [PEOPLE SITES BOOKINGS PLACES]`. `sumun demo --data FOLDER`
//! goes on with it. Everybody may be in at once. Reports; asserts nothing about speed.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufWriter;
use std::time::Instant;

use jiff::civil::{Date, date};
use ring::digest::{SHA256, digest};
use sumun::clock::{Clock, Entropy};
use sumun::demo;
use sumun::domain::booking::decide::{Ask, Request, Seat};
use sumun::domain::campaign::Campaign;
use sumun::domain::crockford;
use sumun::domain::entry::{Actor, Change, Doses, Idempotency};

use sumun::domain::ids::{CampaignIndex, LineIndex, Pool, SlotIndex, VaccineIndex};
use sumun::domain::line::Given;
use sumun::domain::time::{Day, Stamp};
use sumun::engine::command::{Accepted, Command, Operation, Outcome};
use sumun::engine::core::Core;
use sumun::files::roster;
use sumun::keys::Keys;
use sumun::ops::folder::Folder;
use sumun::seats::SiteSeats;
use tokio::sync::oneshot;

const CAMPAIGN: &str = include_str!("../../data/campaign.toml");
const OPEN: &str = "2021-07-19T20:00:01+09:00";
const BORN: (Date, Date) = (date(1967, 1, 1), date(1968, 12, 31));
const SEED: u64 = 20_210_719;
/// As many as wait at the same time in the measured evening.
const BATCH: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first().filter(|first| !first.starts_with('-')) else {
        // `cargo test --benches` runs this too; it has nothing to test.
        return;
    };
    let number = |at: usize, usual: u64| {
        let given = arguments
            .get(at)
            .map(|text| text.parse().expect("a number"));
        given.unwrap_or(usual)
    };
    let (people, sites, bookings) = (number(1, 1_540_000), number(2, 1_226), number(3, 1_500_000));
    let folder = Folder::at(path);
    let clock = Clock::simulated(Stamp::parse(OPEN).expect("an instant"), 0.0);
    folder.init(&clock).expect("a folder without data");
    let mut core = folder.open(|_| clock.clone()).expect("a new data file");
    found(&folder, &mut core, people, sites as usize);
    let keys = folder.keys().expect("its keys");
    give_places(&mut core, &keys, number(4, 0));
    book(&mut core, &keys, bookings);
    core.close().expect("a signed head");
    let made = format!(r#"{{"people":{people},"seed":{SEED}}}"#);
    fs::write(folder.path().join("demo.json"), made).expect("a written file");
}

fn found(folder: &Folder, core: &mut Core, people: u64, sites: usize) {
    let source = without_queue(CAMPAIGN);
    let campaign = Campaign::parse(&source).expect("a sound campaign").0;
    let path = folder.path().join("people.csv");
    let file = BufWriter::new(File::create(&path).expect("a file"));
    roster::write_csv(demo::people(SEED, people, BORN), file).expect("a written file");
    let keys = folder.keys().expect("its keys");
    let today = Day::of(date(2021, 7, 19));
    let prepared = roster::read_file(&path, &keys, &Entropy::system(), today);
    let sites = demo::sites(SEED, sites);
    let lines = demo::slots(&sites, date(2021, 7, 26), people);
    let slots = lines.iter().map(|line| {
        line.row(VaccineIndex(0), &campaign.zone)
            .expect("a sound slot")
    });
    let slots: Vec<_> = slots.collect();
    println!(
        "{people} people, {} sites, {} slots",
        sites.len(),
        slots.len()
    );
    let id = campaign.id.clone();
    let now = core.clock().now();
    operate(
        core,
        Operation::Activate {
            source,
            now,
            shifts: false,
        },
    );
    let prepared = Box::new(prepared.expect("a good roster"));
    let accepted = Accepted::default();
    operate(core, Operation::ImportRoster { prepared, accepted });
    let (campaign, rows) = (id.clone(), sites);
    operate(core, Operation::ImportSites { campaign, rows });
    let (campaign, version, rows) = (id, None, slots);
    let slots = Operation::ImportSlots {
        campaign,
        version,
        rows,
        now,
    };
    operate(core, slots);
}

/// The campaign with a gate that lets everybody in at once: the queue is not what is measured.
fn without_queue(campaign: &str) -> String {
    let line = |line: &str| match line.split_once(" = ") {
        Some(("admit_per_s", _)) => "admit_per_s = 100000".to_owned(),
        Some(("active_max", _)) => "active_max = 2000000".to_owned(),
        _ => line.to_owned(),
    };
    let lines: Vec<String> = campaign.lines().map(line).collect();
    lines.join("\n") + "\n"
}

/// Gives the first people of the roster file their places in the line.
fn give_places(core: &mut Core, keys: &Keys, places: u64) {
    if places == 0 {
        return;
    }
    // Of the opening of those born in 1967 and 1968.
    let (campaign, line) = (CampaignIndex(0), LineIndex(2));
    let (first, until) = (1, places);
    keep(
        core,
        Change::NumbersLeased {
            campaign,
            line,
            first,
            until,
        },
    );
    let people = demo::People::new(SEED, BORN);
    let place = |index: u64| {
        let code = crockford::parse(&people.person(index).code).expect("a good code");
        (keys.person_key(code), Given::new(index + 1, false))
    };
    for from in (0..places).step_by(2_000) {
        let places = (from..places.min(from + 2_000)).map(place).collect();
        keep(
            core,
            Change::PlacesGiven {
                campaign,
                line,
                places,
            },
        );
    }
    // All of them had their turn: whoever comes now need not wait for them.
    let serving = places;
    keep(
        core,
        Change::ServingAdvanced {
            campaign,
            line,
            serving,
        },
    );
}

fn keep(core: &mut Core, change: Change) {
    let (reply, mut answer) = oneshot::channel();
    let command = Command::Keep { change, reply };
    core.step(&mut VecDeque::from([command])).expect("a commit");
    assert_eq!(answer.try_recv(), Ok(Outcome::Kept));
}

fn operate(core: &mut Core, operation: Operation) {
    let (reply, mut answer) = oneshot::channel();
    let actor = Actor::operator("bench");
    let command = Command::Operate {
        actor,
        operation,
        reply,
    };
    core.step(&mut VecDeque::from([command])).expect("a commit");
    let answer = answer.try_recv();
    assert!(matches!(answer, Ok(Outcome::Operated(_))), "{answer:?}");
}

/// Books for the first people of the roster file, at seats in random order.
fn book(core: &mut Core, keys: &Keys, bookings: u64) {
    let offer = core.shared().offer(CampaignIndex(0)).expect("an offer");
    let catalog = &offer.catalog;
    let mut seats: Vec<Doses> = Vec::new();
    for (at, slot) in catalog.slots.iter().enumerate() {
        if let Some(second) = catalog.second_of(slot) {
            let doses = Doses {
                first: SlotIndex(at as u32),
                second: Some(second),
            };
            seats.extend(std::iter::repeat_n(doses, usize::from(slot.capacity[0])));
        }
    }
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for at in (1..seats.len()).rev() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seats.swap(at, (seed % (at as u64 + 1)) as usize);
    }
    let people = demo::People::new(SEED, BORN);
    let began = Instant::now();
    let mut commands = VecDeque::with_capacity(BATCH);
    let mut answers = Vec::with_capacity(BATCH);
    for (index, doses) in (0..bookings).zip(seats) {
        let code = crockford::parse(&people.person(index).code).expect("a good code");
        let (counters, positions) = offer.seats_of(doses);
        let claim = SiteSeats::claim(counters, positions, Pool::Public).expect("a free seat");
        let named = digest(&SHA256, &index.to_be_bytes());
        let idempotency = Idempotency {
            key: *named.as_ref().first_chunk().expect("32 bytes"),
            request: index.to_be_bytes(),
        };
        let (reply, answer) = oneshot::channel();
        commands.push_back(Command::Ask {
            campaign: CampaignIndex(0),
            request: Request {
                person: keys.person_key(code),
                ask: Ask::Book {
                    seat: Seat::Claimed(doses, Pool::Public),
                    agreed: None,
                },
                idempotency: Some(idempotency),
            },
            claim: Some(claim),
            seen: None,
            flight: None,
            reply,
        });
        answers.push(answer);
        if commands.len() == BATCH || index + 1 == bookings {
            while !commands.is_empty() {
                core.step(&mut commands).expect("a commit");
            }
            for mut answer in answers.drain(..) {
                let answer = answer.try_recv();
                assert!(matches!(answer, Ok(Outcome::Booking(_))), "{answer:?}");
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = bookings as f64 / seconds;
    println!("{bookings} bookings, {BATCH} to a commit: {rate:.0}/s in one thread");
}
