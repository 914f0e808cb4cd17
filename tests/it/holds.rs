//! More time for a hold: once, durable, and told in words when it is asked for again.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::world::{CAMPAIGN, OPEN, World, campaign_text, person, text};

/// A world whose campaign has these settings of `[booking]`.
fn world(booking: &str) -> World {
    let world = World::new(3);
    let file = world.write(
        "campaign.toml",
        &campaign_text("").replace("hold_s = 300", booking),
    );
    world.ok(&["campaign", "activate", file.to_str().unwrap()]);
    world
}

fn hold(client: &mut Client, session: &str) -> Answer {
    let slot = json!({ "slot": "7" });
    client.post("/holds", Some(session), &slot).is(201)
}

fn extend(client: &mut Client, session: &str, held: &Answer) -> Answer {
    let hold = held.json["hold"].as_str().unwrap();
    client.post(
        &format!("/holds/{hold}/extend"),
        Some(session),
        &Value::Null,
    )
}

fn book(client: &mut Client, session: &str, held: &Answer) -> Answer {
    let hold = json!({ "hold": held.json["hold"] });
    client.post_once("/bookings", session, "k", &hold)
}

fn end(held: &Answer) -> i64 {
    let text = held.json["expires_at"].as_str().unwrap();
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// What the button of the page sends; where it leads, behind the campaign's address.
fn press(client: &mut Client, session: &str, held: &Answer) -> String {
    let hold = held.json["hold"].as_str().unwrap();
    let form = format!("hold={hold}&slot=7");
    let request = format!(
        "POST /ko/{CAMPAIGN}/extend HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {session}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let answer = client.send(request.as_bytes()).unwrap().is(303);
    let there = answer.header("location").unwrap();
    let base = format!("/ko/{CAMPAIGN}");
    there.strip_prefix(&base).unwrap().to_owned()
}

fn page(client: &mut Client, session: &str, page: &str) -> String {
    let path = format!("//ko/{CAMPAIGN}{page}");
    let answer = client.call("GET", &path, Some(session), &[], None).is(200);
    text(&answer.body)
}

#[test]
fn a_hold_is_extended_once_and_stays_so_over_a_crash() {
    let world = world("hold_s = 200\nhold_extend_s = 120");
    let server = world.serve();
    let mut client = server.client();
    let [session, other] = [0, 1].map(|at| client.session(&person(OPEN, at)));
    let held = hold(&mut client, &session);
    assert_eq!(held.json["may_extend"], true);
    extend(&mut client, &other, &held).problem(404, "hold_expired");
    let extended = extend(&mut client, &session, &held).is(200);
    assert_eq!(extended.json["may_extend"], false);
    assert_eq!(
        (&extended.json["hold"], &extended.json["slot"]),
        (&held.json["hold"], &held.json["slot"])
    );
    assert_eq!(end(&extended) - end(&held), 120);
    extend(&mut client, &session, &held).problem(409, "hold_extended");

    server.kill();
    let server = world.serve();
    let mut client = server.client();
    extend(&mut client, &session, &held).problem(409, "hold_extended");
    // Asked for the slot that they hold, the person is told of that hold.
    let kept = hold(&mut client, &session);
    assert_eq!(kept.json, extended.json);
    book(&mut client, &session, &held).is(201);
    extend(&mut client, &session, &held).problem(404, "hold_expired");
    assert_eq!(press(&mut client, &session, &held), "/booking");

    let export = text(&world.run(&["audit", "export"]).stdout);
    assert_eq!(export.matches("\"hold_extended\"").count(), 1);
    world.ok(&["verify"]);
}

/// The button pressed again, in a second tab, leads to the end that the hold has by now.
#[test]
fn the_page_offers_more_time_once_and_says_what_came_of_it() {
    let world = world("hold_s = 200\nhold_extend_s = 120");
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let held = hold(&mut client, &session);
    let before = page(&mut client, &session, "/confirm?extended");
    assert!(before.contains("id=\"soon\"") && before.contains("/extend\""));
    assert!(!before.contains("늘렸습니다"), "it was not extended yet");
    for _ in 0..2 {
        let there = press(&mut client, &session, &held);
        assert_eq!(there, "/confirm?extended");
        let shown = page(&mut client, &session, &there);
        assert!(shown.contains("예약 시간을 2분 늘렸습니다."), "{shown}");
        assert!(!shown.contains("id=\"soon\"") && !shown.contains("/extend\""));
    }
    let later = page(&mut client, &session, "/confirm");
    assert!(!later.contains("늘렸습니다"), "it is said once");
}

#[test]
fn an_extended_hold_outlives_its_first_end_and_one_that_was_not_does_not() {
    let world = world("hold_s = 3\nhold_extend_s = 60");
    let server = world.serve();
    let mut client = server.client();
    let [session, other] = [0, 1].map(|at| client.session(&person(OPEN, at)));
    let lost = hold(&mut client, &other);
    let held = hold(&mut client, &session);
    extend(&mut client, &session, &held).is(200);
    std::thread::sleep(Duration::from_secs(4));
    extend(&mut client, &other, &lost).problem(404, "hold_expired");
    let there = press(&mut client, &other, &lost);
    assert!(there.starts_with("/sites/") && there.ends_with("?ended"));
    book(&mut client, &session, &held).is(201);
}

#[test]
fn where_holds_cannot_be_extended_nobody_is_offered_it() {
    let world = world("hold_s = 200\nhold_extend_s = 0");
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let held = hold(&mut client, &session);
    assert_eq!(held.json["may_extend"], false);
    extend(&mut client, &session, &held).problem(409, "hold_extended");
    assert!(!page(&mut client, &session, "/confirm").contains("/extend\""));
}

#[test]
fn while_sessions_are_frozen_no_hold_is_extended() {
    let world = world("hold_s = 200\nhold_extend_s = 120");
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let held = hold(&mut client, &session);
    world.ok(&["gate", "pause", "--reason", "점검", "--freeze"]);
    extend(&mut client, &session, &held).problem(503, "paused");
    world.ok(&["gate", "resume"]);
    extend(&mut client, &session, &held).is(200);
}
