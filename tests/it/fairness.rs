//! The writer is for everybody: one session that sends without end, among people who book.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use super::world::{OPEN, World, fresh_key, person};

/// Connections of the one session.
const HOSTILE: usize = 40;
const PEOPLE: u64 = 1_000;

#[test]
fn one_session_among_a_thousand_takes_no_more_than_its_share_of_the_writer() {
    let world = World::new(PEOPLE + 1);
    let server = world.serve();
    let hostile = server.session(&person(OPEN, PEOPLE));
    let slot = server.slot(&hostile, "B", "2180-08-02", 0);
    let other = server.slot(&hostile, "B", "2180-08-05", 0);
    let (stop, asked, limited) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..HOSTILE {
            scope.spawn(|| {
                let mut client = server.client();
                // Holding what is held already changes nothing, so it goes to and fro.
                for slot in [&slot, &other].into_iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let held = client.post("/holds", Some(&hostile), &json!({ "slot": slot }));
                    asked.fetch_add(1, Ordering::Relaxed);
                    match held.status {
                        201 => {}
                        // Eight of its requests may wait; the others come back later.
                        503 => drop(held.problem(503, "overloaded")),
                        _ => {
                            let held = held.problem(429, "too_many_attempts");
                            let wait_s = held.json["retry_after_s"].as_u64().unwrap();
                            assert!((1..=3_600).contains(&wait_s), "{wait_s}");
                            limited.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let real = |_| {
            scope.spawn(|| {
                let mut client = server.client();
                while let at @ 0..PEOPLE = next.fetch_add(1, Ordering::Relaxed) {
                    let session = client.session(&person(OPEN, at));
                    client.book(&session, &fresh_key(), &slot).is(201);
                }
            })
        };
        let real: Vec<_> = (0..8).map(real).collect();
        let booked = real.into_iter().map(|thread| thread.join());
        let all = booked.into_iter().all(|thread| thread.is_ok());
        stop.store(true, Ordering::Relaxed);
        assert!(all, "somebody real did not book");
    });
    assert!(limited.into_inner() > 0, "of {}", asked.into_inner());
    assert!(server.stop().success());
    let export = world.run(&["audit", "export"]);
    let export = String::from_utf8(export.stdout).unwrap();
    let held = export
        .lines()
        .filter(|line| line.contains("\"hold_placed\""))
        .count();
    assert!(
        (1..=60).contains(&held),
        "{held} holds of one person in an hour"
    );
    world.ok(&["verify"]);
}
