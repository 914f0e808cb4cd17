//! How fast the tree grows, proves and is verified, and how fast an export is.
//!
//! `cargo bench --bench tree -- grow [LEAVES]` makes a tree of so many synthetic leaves (20 million
//! if none are said) in a temporary folder, proves some of them and verifies every tile.
//! `… -- verify EXPORT [CHECKPOINT]` checks an export three times. `… -- looks [LOOKS]` reviews a
//! month with so many looks at personal data (a million if none are said), among as many entries of
//! other kinds. Reports; asserts nothing about speed.

use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use sumun::audit::access::review;
use sumun::audit::against::{Against, Kept};
use sumun::audit::tiles::TileFolder;
use sumun::audit::verify_export_against;
use sumun::domain::entry::{Actor, Change, Entry, Hash, Look, Purpose};
use sumun::domain::ids::{PersonKey, Seq};
use sumun::domain::time::{Stamp, Zone};
use sumun::journal::Log as _;
use sumun::journal::block::Block;
use sumun::journal::store::Store;
use sumun::tree::edge::Edge;
use sumun::tree::tile::Tile;
use sumun::tree::{leaf, proof};

const LEAVES: u64 = 20_000_000;
/// Most entries are about a booking, and have about so many bytes.
const ENTRY_BYTES: usize = 170;
const PROOFS: u64 = 1_000;
const LOOKS: u64 = 1_000_000;
/// Entries of one block.
const BLOCK: u64 = 512;
/// Accounts that look, and people who are looked at.
const ACCOUNTS: u64 = 300;
const PEOPLE: u64 = 200_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["grow", ref rest @ ..] => {
            let leaves = rest.first().and_then(|text| text.parse().ok());
            grow(leaves.unwrap_or(LEAVES));
        }
        ["verify", export, ref rest @ ..] => verify(export, rest.first().copied()),
        ["looks", ref rest @ ..] => {
            let count = rest.first().and_then(|text| text.parse().ok());
            looks(count.unwrap_or(LOOKS));
        }
        // `cargo test --benches` runs this too; it has nothing to test.
        _ => {}
    }
}

fn grow(leaves: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let tiles = TileFolder::at(folder.path());
    let mut edge = Edge::default();
    let mut entry = [0; ENTRY_BYTES];
    let mut full: Vec<(Tile, Vec<u8>)> = Vec::new();
    let (began, mut writing) = (Instant::now(), 0.0);
    for at in 0..leaves {
        entry[..8].copy_from_slice(&at.to_be_bytes());
        edge.push(leaf(&entry), &mut |tile, bytes| full.push((tile, bytes)));
        if !full.is_empty() {
            let began = Instant::now();
            for (tile, bytes) in full.drain(..) {
                tiles.write(tile, &bytes).expect("room for a tile");
            }
            writing += began.elapsed().as_secs_f64();
        }
    }
    let took = began.elapsed().as_secs_f64();
    for (tile, bytes) in edge.partial() {
        tiles.write(tile, bytes).expect("room for a tile");
    }
    let each = |seconds: f64| seconds * 1e9 / leaves as f64;
    println!(
        "{leaves} leaves of {ENTRY_BYTES} bytes: {:.0} ns each, {:.0} of them writing tiles",
        each(took),
        each(writing)
    );
    let root = edge.root();
    let mut times: Vec<f64> = (0..PROOFS)
        .map(|at| {
            let index = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) % leaves;
            entry[..8].copy_from_slice(&index.to_be_bytes());
            let began = Instant::now();
            let made = proof::inclusion(index, leaves, &mut tiles.nodes(leaves)).expect("tiles");
            let took = began.elapsed().as_secs_f64();
            assert!(proof::is_included(
                &leaf(&entry),
                index,
                leaves,
                &root,
                &made
            ));
            took * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "a proof: p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms",
        at(50),
        at(99),
        at(100)
    );
    let began = Instant::now();
    tiles.check(leaves, &root).expect("whole tiles");
    println!(
        "every tile verified in {:.2} s",
        began.elapsed().as_secs_f64()
    );
}

fn looks(count: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::create(&folder.path().join("sumun.redb")).expect("a data file");
    let start = Stamp::parse("2021-07-01T00:00:00+09:00").expect("an instant");
    let (mut previous, mut entries) = (Hash::NONE, Vec::new());
    for at in 0..2 * count {
        let change = if at % 2 == 0 {
            let person = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) % PEOPLE;
            let mut key = [0; 16];
            key[..8].copy_from_slice(&person.to_be_bytes());
            Change::PersonalDataSeen(Look {
                purpose: Purpose::Shown,
                origin: "ssh 10.1.2.3".to_owned(),
                reason: "asked by telephone".to_owned(),
                people: vec![PersonKey(key)],
            })
        } else {
            Change::ClockStepped { step_ns: 1 }
        };
        let entry = Entry {
            seq: Seq(at + 1),
            stamp: start.plus_s((at * 2_000_000 / count / 2) as i64),
            previous,
            actor: Actor::operator(&format!("account{}", at / 2 % ACCOUNTS)),
            change,
        };
        let mut bytes = Vec::new();
        previous = entry.encode(&mut bytes);
        entries.push(entry);
        if entries.len() as u64 == BLOCK || at + 1 == 2 * count {
            let block = Block::of(&entries).expect("entries in order");
            store.append(block).expect("room for a block");
            entries.clear();
        }
    }
    store.settle().expect("room");
    let read = store.read().expect("a view");
    let zone = Zone::named("Asia/Seoul").expect("a zone");
    let until = start.plus_s(31 * 86_400);
    for _ in 0..3 {
        let began = Instant::now();
        let found = review(&read, &zone, (start, until), |_| Ok(())).expect("a good journal");
        let seconds = began.elapsed().as_secs_f64();
        let (looks, people) = (found.looks, found.people);
        println!("{looks} looks at {people} people reviewed in {seconds:.2} s");
    }
}

fn verify(export: &str, checkpoint: Option<&str>) {
    let mut against = Against::default();
    if let Some(checkpoint) = checkpoint {
        let text = std::fs::read_to_string(checkpoint).expect("a checkpoint");
        against.kept.push(Kept::read(&text).expect("a checkpoint"));
    }
    for _ in 0..3 {
        let source = BufReader::new(File::open(export).expect("an export"));
        let began = Instant::now();
        let verified = verify_export_against(source, &against).expect("a good export");
        let seconds = began.elapsed().as_secs_f64();
        let entries = verified.last - verified.first + 1;
        let rate = entries as f64 / seconds / 1e6;
        println!("{entries} entries in {seconds:.2} s: {rate:.2} M/s");
    }
}
