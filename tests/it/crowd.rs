//! Many at once: exactly as many bookings as seats, exactly one a person.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::world::{OPEN, World, fresh_key, person};

/// Connections at the same time; the rest of the crowd waits its turn in the test.
const AT_ONCE: u64 = 150;

#[test]
fn three_thousand_want_one_slot_of_a_hundred_seats() {
    const PEOPLE: u64 = 3_000;
    let world = World::new(PEOPLE);
    let server = world.serve();
    let slot = server.slot(&server.session(&person(OPEN, 0)), "A", "2180-08-02", 0);
    let (booked, full, next) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let numbers = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut client = server.client();
                while let at @ 0..PEOPLE = next.fetch_add(1, Ordering::Relaxed) {
                    let session = client.session(&person(OPEN, at));
                    let answer = client.book(&session, &fresh_key(), &slot);
                    match answer.status {
                        201 => {
                            booked.fetch_add(1, Ordering::Relaxed);
                            let number = answer.json["booking"]["number"].to_string();
                            assert!(
                                numbers.lock().unwrap().insert(number),
                                "a number came twice"
                            );
                        }
                        _ => {
                            answer.problem(409, "slot_full");
                            full.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    assert_eq!(
        (booked.into_inner(), full.into_inner()),
        (100, PEOPLE - 100)
    );
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn two_tabs_of_one_person_make_one_booking() {
    let world = World::new(20);
    let server = world.serve();
    for at in 0..20 {
        let someone = person(OPEN, at);
        let session = server.session(&someone);
        let slots = ["A", "B"].map(|site| server.slot(&session, site, "2180-08-02", 0));
        let statuses = std::thread::scope(|scope| {
            let tabs: Vec<_> = (0..8)
                .map(|tab| {
                    let (slot, session, server) = (&slots[tab % 2], &session, &server);
                    scope.spawn(move || server.client().book(session, &fresh_key(), slot))
                })
                .collect();
            tabs.into_iter()
                .map(|tab| tab.join().unwrap().status)
                .collect::<Vec<_>>()
        });
        assert_eq!(
            statuses.iter().filter(|status| **status == 201).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 409).count(),
            7,
            "{statuses:?}"
        );
    }
}
