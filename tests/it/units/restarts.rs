//! Restarts under load with the sockets kept: nobody is refused, nothing accepted is lost.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::client::{Answer, Client};
use super::super::world::{
    CAMPAIGN, OPEN, Person, SLOTS, World, credentials, fresh_key, person, text,
};
use super::Kept;

const RESTARTS: usize = 20;
const PEOPLE: u64 = 4_000;
/// Requests that are answered between two restarts, at least.
const ANSWERS_A_ROUND: u64 = 40;
/// Clients that open a connection for each request, and ones that keep theirs.
const FRESH_CLIENTS: u64 = 3;
const KEEPING_CLIENTS: u64 = 3;

/// What the clients met, all together.
#[derive(Default)]
struct Met {
    stop: AtomicBool,
    people: AtomicU64,
    answered: AtomicU64,
    /// Requests on a kept connection that the server had closed before it answered a byte: a client
    /// sends them again on a new one (RFC 9112, 9.3.1).
    sent_again: AtomicU64,
    failed: Mutex<Vec<String>>,
    /// The sessions of people who were told that they have a booking, with that booking.
    booked: Mutex<Vec<(String, Value)>>,
}

/// One client.
struct Visitor<'a> {
    met: &'a Met,
    client: Client,
    address: SocketAddr,
    keeps: bool,
    /// Whether the connection has answered before.
    is_used: bool,
}

impl Visitor<'_> {
    /// One request, which must be answered with one of those statuses.
    fn ask(&mut self, path: &str, token: &str, body: &Value, fine: &[u16]) -> Option<Value> {
        let key = fresh_key();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let method = if path.contains("board") {
            "GET"
        } else {
            "POST"
        };
        let request = format!(
            "{method} /api/v1/campaigns/{CAMPAIGN}{path} HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if !self.keeps {
            self.client = Client::new(self.address);
            self.is_used = false;
        }
        let mut answer = self.client.send(request.as_bytes());
        if answer.is_err() && self.is_used {
            self.met.sent_again.fetch_add(1, Ordering::Relaxed);
            answer = self.client.send(request.as_bytes());
        }
        let closes = |answer: &Answer| answer.header("connection") == Some("close");
        self.is_used = answer.as_ref().is_ok_and(|answer| !closes(answer));
        match answer {
            Ok(answer) if fine.contains(&answer.status) => {
                self.met.answered.fetch_add(1, Ordering::Relaxed);
                Some(answer.json)
            }
            other => {
                let mut failed = self.met.failed.lock().unwrap();
                failed.push(match other {
                    Ok(answer) => format!("{path}: {} {}", answer.status, text(&answer.body)),
                    Err(error) => format!("{path}: {error}"),
                });
                None
            }
        }
    }

    /// A person enters, goes in and books.
    fn come(&mut self, who: &Person) -> Option<()> {
        self.ask("/gate/board", "", &Value::Null, &[200])?;
        let entered = self.ask("/gate/enter", "", &credentials(who), &[200])?;
        let place = entered["token"].as_str()?;
        let mut admitted = Value::Null;
        // The turn comes at once, or a moment after a start.
        while admitted["token"].is_null() && !self.met.stop.load(Ordering::Relaxed) {
            admitted = self.ask("/gate/admit", place, &Value::Null, &[200, 403])?;
        }
        let session = admitted["token"].as_str()?.to_owned();
        let booked = self.ask("/bookings", &session, &json!({ "slot": "7" }), &[201])?;
        let mut all = self.met.booked.lock().unwrap();
        all.push((session, booked["booking"].clone()));
        Some(())
    }
}

fn visit(met: &Met, address: SocketAddr, keeps: bool) {
    let client = Client::new(address);
    let mut visitor = Visitor {
        met,
        client,
        address,
        keeps,
        is_used: false,
    };
    while !met.stop.load(Ordering::Relaxed) {
        let at = met.people.fetch_add(1, Ordering::Relaxed);
        if at >= PEOPLE {
            return;
        }
        visitor.come(&person(OPEN, at));
    }
}

#[test]
fn twenty_restarts_under_load_refuse_no_connection_and_fail_no_request() {
    let world = World::with_slots(PEOPLE + 2, &SLOTS.replace("5000", "10000"));
    let kept = Kept::new();
    let met = Met::default();
    let server = kept.start(world.folder.path(), |_| {});
    assert_eq!(server.public, kept.address());
    // Before all restarts: a place in the line, and a seat that is held.
    let mut client = server.client();
    let place = client.enter(&person(OPEN, PEOPLE));
    let placed = client.get("/gate/place", Some(&place)).is(200);
    let holder = client.session(&person(OPEN, PEOPLE + 1));
    let hold = client.post("/holds", Some(&holder), &json!({ "slot": "8" }));
    let hold = hold.is(201).json["hold"].clone();
    drop(client);
    let mut away = Vec::new();
    let server = std::thread::scope(|scope| {
        let mut server = server;
        for at in 0..FRESH_CLIENTS + KEEPING_CLIENTS {
            let (met, address) = (&met, kept.address());
            scope.spawn(move || visit(met, address, at < KEEPING_CLIENTS));
        }
        for _ in 0..RESTARTS {
            let enough = met.answered.load(Ordering::Relaxed) + ANSWERS_A_ROUND;
            while met.answered.load(Ordering::Relaxed) < enough
                && met.failed.lock().unwrap().is_empty()
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            let began = Instant::now();
            assert!(server.stop().success());
            server = kept.start(world.folder.path(), |_| {});
            away.push(began.elapsed().as_millis());
        }
        met.stop.store(true, Ordering::Relaxed);
        server
    });
    assert_eq!(*met.failed.lock().unwrap(), [""; 0]);
    let booked = met.booked.lock().unwrap();
    let mut client = server.client();
    for (session, booking) in booked.iter() {
        let mine = client.get("/bookings/mine", Some(session)).is(200);
        assert_eq!(mine.json["booking"], *booking);
    }
    let still = client.get("/gate/place", Some(&place)).is(200);
    let number = |answer: &Answer| answer.json["place"]["number"].clone();
    assert_eq!(number(&still), number(&placed), "{still:?}");
    let confirmed = client.post_once("/bookings", &holder, "held", &json!({ "hold": hold }));
    confirmed.is(201);
    println!(
        "{} answers, {} bookings, {} requests sent again on a new connection; from the signal to \
         ready (ms): {away:?}",
        met.answered.load(Ordering::Relaxed),
        booked.len(),
        met.sent_again.load(Ordering::Relaxed),
    );
    assert!(server.stop().success());
}
