//! `kill -9` in the middle of a rush: everybody keeps the place or the booking.
//!
//! `SUMUN_STAMPEDE` says how many people come.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::world::{OPEN, Server, World, credentials, person};

const PEOPLE: u64 = 50_000;
const KILLS: u64 = 4;
const CLIENTS: u64 = 8;
/// Every so many-th person goes on to book.
const BOOKS: u64 = 100;

/// What somebody was told: their place, and what came of their booking.
#[derive(Default)]
struct Told {
    token: String,
    number: u64,
    booking: Option<Value>,
}

#[test]
fn killed_in_a_rush_everybody_keeps_the_place_or_the_booking() {
    let asked = std::env::var("SUMUN_STAMPEDE").ok();
    let people = asked.and_then(|text| text.parse().ok()).unwrap_or(PEOPLE);
    let world = World::new(people);
    let told: Mutex<HashMap<u64, Told>> = Mutex::default();
    let next = AtomicU64::new(0);
    for round in 1..=KILLS {
        let server = world.serve();
        look_back(&server, &told, 199);
        let stop = AtomicBool::new(false);
        let address = server.public;
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| come_until(&stop, address, people, &next, &told));
            }
            let enough = people * round / (KILLS + 1);
            while (told.lock().unwrap().len() as u64) < enough {
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            stop.store(true, Ordering::Relaxed);
        });
    }
    let server = world.serve();
    come_until(&AtomicBool::new(false), server.public, people, &next, &told);
    look_back(&server, &told, 1);
    let told = told.into_inner().unwrap();
    let mut numbers: Vec<u64> = told.values().map(|one| one.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), told.len(), "a number was given twice");
    // At each kill, each connection had at most one person who never heard of their place.
    assert!(told.len() as u64 + KILLS * CLIENTS >= people);
    let booked = told.values().filter(|one| one.booking.is_some()).count();
    assert!(booked > 0);
    assert!(server.stop().success());
    world.ok(&["verify"]);
    println!(
        "{} places and {booked} bookings kept over {KILLS} kills",
        told.len()
    );
}

fn come_until(
    stop: &AtomicBool,
    address: std::net::SocketAddr,
    people: u64,
    next: &AtomicU64,
    told: &Mutex<HashMap<u64, Told>>,
) {
    let mut client = Client::new(address);
    while !stop.load(Ordering::Relaxed) {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= people {
            return;
        }
        // The server may die at any moment: who hears nothing was promised nothing.
        let came = catch_unwind(AssertUnwindSafe(|| come(&mut client, at, told)));
        if came.is_err() {
            // A killed process gives its files back one by one, on a busy host not all at once.
            let is_dead = || stop.load(Ordering::Relaxed) || !is_up(address);
            assert!((0..100).any(|_| is_dead()), "a call failed");
            return;
        }
    }
}

fn is_up(address: std::net::SocketAddr) -> bool {
    std::thread::sleep(Duration::from_millis(50));
    std::net::TcpStream::connect(address).is_ok()
}

fn come(client: &mut Client, at: u64, told: &Mutex<HashMap<u64, Told>>) {
    let somebody = credentials(&person(OPEN, at));
    let entered = client.post("/gate/enter", None, &somebody).is(200);
    let one = Told {
        token: entered.json["token"].as_str().unwrap().to_owned(),
        number: entered.json["place"]["number"].as_u64().unwrap(),
        booking: None,
    };
    let token = one.token.clone();
    told.lock().unwrap().insert(at, one);
    if !at.is_multiple_of(BOOKS) {
        return;
    }
    let admitted = client.post("/gate/admit", Some(&token), &Value::Null);
    if admitted.status != 200 {
        return;
    }
    let session = admitted.json["token"].as_str().unwrap().to_owned();
    let body = json!({ "slot": "7" });
    let booked = client.post_once("/bookings", &session, &format!("rush-{at}"), &body);
    if booked.status == 201 {
        let booking = booked.json["booking"].clone();
        told.lock().unwrap().get_mut(&at).unwrap().booking = Some(booking);
    }
}

/// Every `step`-th person looks: the same number, with the token and without; the same booking.
fn look_back(server: &Server, told: &Mutex<HashMap<u64, Told>>, step: u64) {
    let told = told.lock().unwrap();
    let mut client = server.client();
    for (at, one) in told.iter().filter(|(at, _)| (*at).is_multiple_of(step)) {
        let place = client.get("/gate/place", Some(&one.token)).is(200);
        assert_eq!(place.json["place"]["number"], one.number, "person {at}");
        if at.is_multiple_of(50) {
            let body = credentials(&person(OPEN, *at));
            let again = client.post("/gate/enter", None, &body).is(200);
            assert_eq!(again.json["place"]["number"], one.number, "person {at}");
        }
        if let Some(booking) = &one.booking {
            let session = client.session(&person(OPEN, *at));
            let mine = client.get("/bookings/mine", Some(&session)).is(200);
            assert_eq!(mine.json["booking"], *booking, "person {at}");
        }
    }
}
