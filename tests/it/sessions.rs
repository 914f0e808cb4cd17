//! When places and sessions end: by leaving, by idling, by their own end, by a revoked key. And
//! whose requests are taken while they last.

use serde_json::{Value, json};
use sumun::clock::Clock;
use sumun::domain::crockford;
use sumun::domain::ids::CampaignIndex;
use sumun::domain::time::Stamp;
use sumun::gate::sessions::SESSION_S_MAX;
use sumun::gate::token::{Kind, TOKEN_S_MAX, Token};
use sumun::keys::Keys;

use super::client::Client;
use super::commands::Demo;
use super::world::{CAMPAIGN, OPEN, Person, World, person};

/// A device on which a person has entered and was let in.
struct Device {
    place: String,
    session: String,
}

impl Device {
    fn of(client: &mut Client, person: &Person) -> Self {
        let place = client.enter(person);
        let session = client.let_in(&place);
        Self { place, session }
    }

    #[track_caller]
    fn goes_on(&self, client: &mut Client) {
        client.get("/gate/place", Some(&self.place)).is(200);
        client.get("/sites", Some(&self.session)).is(200);
    }

    #[track_caller]
    fn is_ended(&self, client: &mut Client) {
        let place = client.get("/gate/place", Some(&self.place));
        place.problem(401, "place_invalid");
        let admitted = client.post("/gate/admit", Some(&self.place), &Value::Null);
        admitted.problem(401, "place_invalid");
        let looked = client.get("/sites", Some(&self.session));
        looked.problem(401, "session_invalid");
        let booked = client.book(&self.session, "key", "7");
        booked.problem(401, "session_invalid");
    }
}

fn number(client: &mut Client, place: &str) -> Value {
    let answer = client.get("/gate/place", Some(place)).is(200);
    answer.json["place"]["number"].clone()
}

/// Session and place tokens went on answering after "log out on this device".
#[test]
fn leaving_ends_the_tokens_of_that_device_and_of_no_other() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let kim = person(OPEN, 0);
    let devices: Vec<_> = (0..4).map(|_| Device::of(&mut client, &kim)).collect();
    let before = number(&mut client, &devices[0].place);

    // By the place's token, by the session's, by both cookies, by the page.
    let left = client.post("/gate/leave", Some(&devices[0].place), &Value::Null);
    let cookies = left.is(204).headers;
    let cookies = cookies.iter().filter(|(name, value)| {
        name.eq_ignore_ascii_case("set-cookie") && value.contains("Max-Age=0")
    });
    assert_eq!(cookies.count(), 2);
    devices[0].is_ended(&mut client);
    let left = client.post("/gate/leave", Some(&devices[1].session), &Value::Null);
    left.is(204);
    devices[1].is_ended(&mut client);
    let cookies = |device: &Device| {
        format!(
            "__Host-sumun-place={}; __Host-sumun-session={}",
            device.place, device.session
        )
    };
    let both = cookies(&devices[2]);
    let page = format!("//en/{CAMPAIGN}/leave");
    let left = client.call("POST", &page, None, &[("Cookie", &both)], None);
    left.is(303);
    devices[2].is_ended(&mut client);
    devices[3].goes_on(&mut client);
    let both = cookies(&devices[3]);
    let left = client.call("POST", "/gate/leave", None, &[("Cookie", &both)], None);
    left.is(204);
    devices[3].is_ended(&mut client);

    // Again is no fault; without a token there is nothing to leave.
    let again = client.post("/gate/leave", Some(&devices[0].place), &Value::Null);
    again.is(204);
    for token in [None, Some("x")] {
        let left = client.post("/gate/leave", token, &Value::Null);
        left.problem(401, "place_invalid");
    }
    let back = Device::of(&mut client, &kim);
    back.goes_on(&mut client);
    assert_eq!(number(&mut client, &back.place), before);
}

/// A session that had idled out lived again when its owner signed in on another device.
#[test]
fn an_idled_session_stays_ended_while_its_person_has_another() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let at = "2021-07-19T20:00:10+09:00";
    // The campaign's 600 s of idling are two seconds.
    let arguments = ["--people", "50", "--at", at, "--speed", "300"];
    let demo = Demo::start(&data, &arguments);
    let kim = demo.person(0);
    let mut client = demo.client();
    let first = Device::of(&mut client, &kim);
    first.goes_on(&mut client);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    let second = Device::of(&mut client, &kim);
    for _ in 0..3 {
        let old = client.get("/sites", Some(&first.session));
        old.problem(401, "session_expired");
        client.get("/sites", Some(&second.session)).is(200);
    }
    // The first device is let in again by its place, and shares the session that runs.
    client.get("/gate/place", Some(&first.place)).is(200);
    let shared = client.post("/gate/admit", Some(&first.place), &Value::Null);
    let shared = shared.is(200).json["token"].as_str().unwrap().to_owned();
    client.get("/sites", Some(&shared)).is(200);
    let old = client.get("/sites", Some(&first.session));
    old.problem(401, "session_expired");
}

/// A place token of 32 days ago gave a session.
#[test]
fn a_token_is_refused_after_the_end_that_is_in_it() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let kim = person(OPEN, 0);
    let before = client.enter(&kim);
    let before = number(&mut client, &before).as_u64().unwrap();
    let keys = Keys::load(world.folder.path()).unwrap();
    let now = Clock::real().now();
    let token = |kind, mark: u64, issued: Stamp, ends: Stamp| {
        let token = Token {
            kind,
            campaign: CampaignIndex(0),
            person: keys.person_key(crockford::parse(&kim.code).unwrap()),
            mark,
            issued,
            ends,
            device: 7,
        };
        token.sign(&keys)
    };
    let place = |age_s: i64| {
        let issued = now.plus_s(-age_s);
        token(Kind::Place, before, issued, issued.plus_s(TOKEN_S_MAX))
    };
    client.get("/gate/place", Some(&place(60))).is(200);
    for age_s in [TOKEN_S_MAX + 1, 32 * 24 * 3600] {
        let old = client.get("/gate/place", Some(&place(age_s)));
        old.problem(401, "place_invalid");
        let admitted = client.post("/gate/admit", Some(&place(age_s)), &Value::Null);
        admitted.problem(401, "place_invalid");
    }
    let session = |age_s: i64| {
        let began = now.plus_s(-age_s);
        let ends = began.plus_s(SESSION_S_MAX);
        token(Kind::Session, began.0 as u64, began, ends)
    };
    // As after a restart: the server has not seen it, and it may have been running.
    client.get("/sites", Some(&session(3600))).is(200);
    let old = client.get("/sites", Some(&session(SESSION_S_MAX + 1)));
    old.problem(401, "session_expired");
    let again = client.enter(&kim);
    assert_eq!(number(&mut client, &again), before);
}

/// What a place token gives: good for a day and for twelve hours, and not longer.
#[test]
fn the_ends_of_tokens_are_those_that_are_promised() {
    let world = World::new(3);
    let server = world.serve();
    let device = Device::of(&mut server.client(), &person(OPEN, 0));
    let keys = Keys::load(world.folder.path()).unwrap();
    let place = Token::verify(&device.place, Kind::Place, &keys).unwrap();
    let session = Token::verify(&device.session, Kind::Session, &keys).unwrap();
    let lives_s = |token: &Token| token.ends.unix_s() - token.issued.unix_s();
    assert!(lives_s(&place) <= TOKEN_S_MAX, "{place:?}");
    assert!(lives_s(&session) <= SESSION_S_MAX, "{session:?}");
    assert_eq!(place.device, session.device);
}

/// A stolen key could not be revoked: a second rotation was refused for a day.
#[test]
fn a_revoked_key_is_refused_at_once_and_places_are_kept() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let kim = person(OPEN, 0);
    let first = Device::of(&mut client, &kim);
    let before = number(&mut client, &first.place);
    world.ok(&["keys", "rotate"]);
    let second = Device::of(&mut client, &kim);
    first.goes_on(&mut client);
    assert_eq!(world.run(&["keys", "rotate"]).status.code(), Some(1));
    first.goes_on(&mut client);
    let answer = world.ok(&["keys", "rotate", "--revoke"]);
    assert_eq!(answer, json!({ "token_key": 3, "revoked": true }));
    first.is_ended(&mut client);
    second.is_ended(&mut client);
    let third = Device::of(&mut client, &kim);
    third.goes_on(&mut client);
    assert_eq!(number(&mut client, &third.place), before);
    world.ok(&["keys", "rotate", "--revoke"]);
    third.is_ended(&mut client);
    // Also for the process after this one, and for a folder at rest. Of a place that was given in
    // the last moment before a crash only a token knows, so the keeper is waited for.
    std::thread::sleep(std::time::Duration::from_millis(400));
    server.kill();
    world.ok(&["keys", "rotate", "--revoke"]);
    let server = world.serve();
    let mut client = server.client();
    first.is_ended(&mut client);
    third.is_ended(&mut client);
    let fourth = Device::of(&mut client, &kim);
    assert_eq!(number(&mut client, &fourth.place), before);
}

/// `cancel` and `admit` looked at neither Origin nor Sec-Fetch-Site.
#[test]
fn no_call_that_changes_something_is_taken_from_a_foreign_page() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let device = Device::of(&mut client, &person(OPEN, 0));
    let described = client.get("//api/openapi.json", None).is(200).json;
    let cookies = format!(
        "__Host-sumun-place={}; __Host-sumun-session={}",
        device.place, device.session
    );
    let mut walked = 0;
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in ["post", "delete", "put", "patch"] {
            if item.get(method).is_none() {
                continue;
            }
            walked += 1;
            let path = path.replace("{campaign}", CAMPAIGN).replace(['{', '}'], "");
            let path = format!("/{path}");
            let method = method.to_uppercase();
            for header in [
                ("Sec-Fetch-Site", "cross-site"),
                ("Sec-Fetch-Site", "same-site"),
                ("Origin", "https://other.example"),
            ] {
                let headers = [("Cookie", cookies.as_str()), header];
                let answer = client.call(&method, &path, None, &headers, None);
                assert_eq!(answer.code(), "foreign_request", "{method} {path}");
                answer.problem(403, "foreign_request");
                // A program's own token goes with no cookie of a browser.
                let answer = client.call(&method, &path, Some("x"), &[header], None);
                assert_ne!(answer.code(), "foreign_request", "{method} {path}");
            }
            let ours = [("Cookie", "a=b"), ("Sec-Fetch-Site", "same-origin")];
            for headers in [&[][..], &ours] {
                let answer = client.call(&method, &path, None, headers, None);
                assert_ne!(answer.code(), "foreign_request", "{method} {path}");
            }
        }
    }
    assert_eq!(walked, 9, "enter, admit, leave, holds, bookings");
    device.goes_on(&mut client);
    let looked = [("Cookie", &*cookies), ("Sec-Fetch-Site", "cross-site")];
    client.call("GET", "/sites", None, &looked, None).is(200);
}

#[test]
fn two_idempotency_keys_in_one_request_are_refused() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let body = json!({ "slot": "7" });
    let two = [("Idempotency-Key", "a"), ("idempotency-key", "b")];
    let refused = client.call("POST", "/bookings", Some(&session), &two, Some(&body));
    let refused = refused.problem(422, "invalid_request");
    assert_eq!(refused.json["errors"][0]["field"], "Idempotency-Key");
    let mine = client.get("/bookings/mine", Some(&session));
    mine.problem(404, "no_booking");
    client.book(&session, "a", "7").is(201);
}
