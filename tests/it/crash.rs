//! kill -9 under load: what was acknowledged is there, once, and the record is whole.
//!
//! A ledger of acknowledgements is kept outside the server. After each start every booking in it is
//! looked up, and every request whose answer never came is repeated with its Idempotency-Key.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::world::{OPEN, SLOTS, Server, World, person, text};

/// People who come in one round, on average some sixty, and more than ever come.
const PEOPLE_A_ROUND: u64 = 120;
const KILLS: usize = 20;
const CLIENTS: u64 = 8;

/// What one person was told, and what they still wait to hear.
#[derive(Clone, Default, Debug)]
struct Told {
    session: String,
    booking: Option<Value>,
    /// Key and slot of a request without an answer.
    open: Option<(String, String)>,
}

#[test]
fn killed_twenty_times_under_load_nothing_acknowledged_is_lost_or_doubled() {
    let kills = std::env::var("SUMUN_KILLS")
        .ok()
        .and_then(|text| text.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let people = PEOPLE_A_ROUND * kills as u64;
    // Sites with seats for all of them.
    let world = World::with_slots(people, &SLOTS.replace("5000", "10000"));
    let told: Mutex<HashMap<u64, Told>> = Mutex::default();
    let next = AtomicU64::new(0);
    let mut acknowledged_before = 0;
    for round in 0..kills {
        let server = world.serve();
        check_and_repeat(&server, &told);
        let stop = AtomicBool::new(false);
        let address = server.public;
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| book_until(&stop, address, (&next, people), &told));
            }
            // Each round dies after another number of answers, in the middle of the load.
            let enough = acknowledged_before + 20 + 13 * (round % 7);
            while acknowledged(&told) < enough && next.load(Ordering::Relaxed) < people {
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            stop.store(true, Ordering::Relaxed);
        });
        let acknowledged = acknowledged(&told);
        assert!(
            acknowledged > acknowledged_before,
            "round {round} was under no load"
        );
        acknowledged_before = acknowledged;
    }
    let server = world.serve();
    check_and_repeat(&server, &told);
    let told = told.into_inner().unwrap();
    let booked = told.values().filter(|one| one.booking.is_some()).count();
    assert!(server.stop().success());
    let listed = world.ok(&["campaign", "list"]);
    assert_eq!(
        listed["campaigns"][0]["bookings"], booked,
        "no more bookings than people were told"
    );
    world.ok(&["verify"]);
    let export = world.run(&["audit", "export"]);
    let lines = text(&export.stdout);
    world.write("export.jsonl", &lines);
    let file = world.path("export.jsonl").display().to_string();
    let verified = world.ok(&["audit", "verify", &file]);
    assert_eq!(verified["last"], lines.lines().count());
    // The daily log goes on behind the last whole line after each kill: nothing missing, nothing
    // twice.
    let mut logged = Vec::new();
    for entry in std::fs::read_dir(world.path("log")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            logged.extend(std::fs::read(path).unwrap());
        }
    }
    let seq_of = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["seq"]
            .as_u64()
            .unwrap()
    };
    let mut seqs: Vec<u64> = text(&logged).lines().map(seq_of).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=lines.lines().count() as u64).collect::<Vec<_>>());
    println!("{booked} bookings acknowledged over the kills");
}

fn acknowledged(told: &Mutex<HashMap<u64, Told>>) -> usize {
    let told = told.lock().unwrap();
    told.values().filter(|one| one.booking.is_some()).count()
}

fn book_until(
    stop: &AtomicBool,
    address: std::net::SocketAddr,
    (next, people): (&AtomicU64, u64),
    told: &Mutex<HashMap<u64, Told>>,
) {
    let mut client = super::client::Client::new(address);
    while !stop.load(Ordering::Relaxed) {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= people {
            return;
        }
        let entered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            client.session(&person(OPEN, at))
        }));
        // The server died while this person entered: they were promised nothing.
        let Ok(session) = entered else { return };
        // Slots 7 and 8 are site B's, with 5,000 seats each.
        let (key, slot) = (
            format!("crash-{at}"),
            if at.is_multiple_of(2) { "7" } else { "8" }.to_owned(),
        );
        let waits = Told {
            session: session.clone(),
            booking: None,
            open: Some((key.clone(), slot.clone())),
        };
        told.lock().unwrap().insert(at, waits);
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            client.book(&session, &key, &slot)
        }));
        let Ok(answer) = answer else { return };
        let answer = answer.is(201);
        let booking = Some(answer.json["booking"].clone());
        told.lock().unwrap().insert(
            at,
            Told {
                session,
                booking,
                open: None,
            },
        );
    }
}

/// Looks up every acknowledged booking; repeats what was left open, and it becomes acknowledged.
fn check_and_repeat(server: &Server, told: &Mutex<HashMap<u64, Told>>) {
    let mut client = server.client();
    let mut told = told.lock().unwrap();
    for (at, one) in told.iter_mut() {
        if let Some(booking) = &one.booking {
            let mine = client.get("/bookings/mine", Some(&one.session)).is(200);
            assert_eq!(mine.json["booking"], *booking, "person {at}");
        } else if let Some((key, slot)) = one.open.take() {
            let there = client.get("/bookings/mine", Some(&one.session));
            let answer = client.book(&one.session, &key, &slot).is(201);
            if there.status == 200 {
                assert_eq!(
                    there.json["booking"], answer.json["booking"],
                    "the same answer again"
                );
            }
            one.booking = Some(answer.json["booking"].clone());
        }
    }
}

#[test]
fn a_full_disk_acknowledges_nothing_and_recovers_when_there_is_room() {
    let world = World::new(3_000);
    let size = std::fs::metadata(world.path("sumun.redb")).unwrap().len();
    // The largest file the process may write: the data file can't grow beyond it. Without the
    // signal the write fails as on a full disk.
    let blocks = size / 512;
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!(
        "trap '' XFSZ; ulimit -f {}; exec \"$0\" serve --data \"$1\"",
        blocks.div_ceil(2)
    ));
    command
        .arg(env!("CARGO_BIN_EXE_sumun"))
        .arg(world.folder.path());
    let mut server = Server::spawned(command);
    let mut client = server.client();
    let mut acknowledged = Vec::new();
    let mut unknown = None;
    for at in 0..3_000 {
        let session = client.session(&person(OPEN, at));
        let key = format!("disk-{at}");
        let answer = client.book(&session, &key, "7");
        if answer.status == 201 {
            acknowledged.push((session, answer.json["booking"].clone()));
            continue;
        }
        unknown = Some((session, key, answer.problem(500, "outcome_unknown")));
        break;
    }
    let (session, key, _) = unknown.expect("the file can't grow for ever");
    assert_eq!(server.wait().code(), Some(70));
    let log = server.log.lock().unwrap().join("\n");
    assert!(log.contains("check the disk's space"), "{log}");

    let server = world.serve();
    let mut client = server.client();
    for (session, booking) in &acknowledged {
        let mine = client.get("/bookings/mine", Some(session)).is(200);
        assert_eq!(mine.json["booking"], *booking);
    }
    client
        .post_once("/bookings", &session, &key, &json!({ "slot": "7" }))
        .is(201);
    assert!(server.stop().success());
    let listed = world.ok(&["campaign", "list"]);
    assert_eq!(listed["campaigns"][0]["bookings"], acknowledged.len() + 1);
    world.ok(&["verify"]);
}

#[test]
fn a_client_that_hangs_up_changes_nothing() {
    use std::io::Write as _;
    let world = World::new(1);
    let server = world.serve();
    let session = server.session(&person(OPEN, 0));
    let body = json!({ "slot": "7" }).to_string();
    let request = format!(
        "POST /api/v1/campaigns/{}/bookings HTTP/1.1\r\nHost: x\r\n\
         Authorization: Bearer {session}\r\nIdempotency-Key: gone\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        super::world::CAMPAIGN,
        body.len()
    );
    let mut stream = std::net::TcpStream::connect(server.public).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    drop(stream);
    std::thread::sleep(Duration::from_millis(300));
    let answer = server.client().book(&session, "gone", "7");
    let mine = server
        .client()
        .get("/bookings/mine", Some(&session))
        .is(200);
    assert_eq!(answer.is(201).json["booking"], mine.json["booking"]);
}

/// Told to stop in the moment after it had said that it is ready, it was ended by the signal.
#[test]
fn whoever_is_ready_can_be_stopped_in_order() {
    let world = World::new(1);
    for _ in 0..10 {
        assert!(world.serve().stop().success());
    }
}
