//! Holding, booking, moving and cancelling through HTTP.

use serde_json::json;

use super::world::{LATER, NOBODY, OPEN, OVER, World, credentials, fresh_key, person};

#[test]
fn the_whole_way_of_one_person() {
    let world = World::new(3);
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let sites = client.get("/sites?region=11", Some(&session)).is(200);
    let names: Vec<_> = sites.json["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| &s["site"])
        .collect();
    assert_eq!(names, ["A", "B"]);
    assert_eq!(sites.json["sites"][0]["free"], 102, "{sites:?}");
    let days = client.get("/sites/A/days", Some(&session)).is(200);
    assert_eq!(
        days.json["days"],
        // 4 August has a second dose without a public seat; 3 August has none at all.
        json!([{ "date": "2180-08-02", "free": 102 }, { "date": "2180-08-04", "free": 0 }])
    );
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let held = client
        .post("/holds", Some(&session), &json!({ "slot": slot }))
        .is(201);
    assert_eq!(held.json["doses"][1]["start"], "2180-08-30T09:00:00+09:00");
    let sites = client.get("/sites?query=%EC%A2%85%EB%A1%9C", Some(&session));
    assert_eq!(sites.json["sites"][0]["free"], 101);
    let hold = held.json["hold"].as_str().unwrap();
    let booked = client
        .post_once("/bookings", &session, "k1", &json!({ "hold": hold }))
        .is(201);
    let booking = &booked.json["booking"];
    assert_eq!(booking["status"], "booked");
    assert_eq!(booking["doses"][0]["start"], "2180-08-02T09:00:00+09:00");
    assert_eq!(booking["doses"][1]["site"], "A");
    let number = booking["number"].as_str().unwrap().to_owned();
    assert_eq!(
        client.get("/bookings/mine", Some(&session)).is(200).json["booking"],
        *booking
    );

    let other = server.slot(&session, "B", "2180-08-05", 0);
    let moved = client.post_once(
        &format!("/bookings/{number}/move"),
        &session,
        "k2",
        &json!({ "slot": other }),
    );
    assert_eq!(moved.is(200).json["booking"]["doses"][0]["site"], "B");
    let sites = client.get("/sites", Some(&session));
    assert_eq!(sites.json["sites"][0]["free"], 102);
    assert_eq!(sites.json["sites"][1]["free"], 9_999);

    let cancel = format!(
        "/bookings/{}/cancel",
        number.to_lowercase().replace('-', "")
    );
    let cancelled = client
        .post_once(&cancel, &session, "k3", &json!(null))
        .is(200);
    assert_eq!(cancelled.json["booking"]["status"], "cancelled");
    client
        .get("/bookings/mine", Some(&session))
        .problem(404, "no_booking");
    assert_eq!(
        client.get("/sites", Some(&session)).json["sites"][1]["free"],
        10_000
    );

    // Each request repeated with its key is answered as it was, although the world went on.
    let repeated = client
        .post_once("/bookings", &session, "k1", &json!({ "hold": hold }))
        .is(201);
    assert_eq!(repeated.json["booking"], *booking);
    client
        .post_once("/bookings", &session, "k1", &json!({ "slot": other }))
        .problem(409, "idempotency_conflict");
    let again = client.book(&session, "k4", &slot).is(201);
    assert_ne!(again.json["booking"]["number"], booking["number"]);
}

/// A slot is full because of one's own hold: it is theirs, by its id and by its slot.
#[test]
fn whoever_holds_the_last_seat_of_a_slot_can_hold_and_book_it_by_its_name() {
    let world = World::new(5);
    let server = world.serve();
    let sessions: Vec<_> = (0..3).map(|at| server.session(&person(OPEN, at))).collect();
    let slot = server.slot(&sessions[0], "A", "2180-08-02", 1);
    let mut client = server.client();
    let wish = json!({ "slot": slot });
    let first = client.post("/holds", Some(&sessions[0]), &wish).is(201);
    client.post("/holds", Some(&sessions[1]), &wish).is(201);
    let again = client.post("/holds", Some(&sessions[0]), &wish).is(201);
    assert_eq!(again.json["hold"], first.json["hold"]);
    let late = client.post("/holds", Some(&sessions[2]), &wish);
    late.problem(409, "slot_full");
    client
        .book(&sessions[2], "k1", &slot)
        .problem(409, "slot_full");
    for session in &sessions[..2] {
        let booked = client.book(session, session, &slot).is(201);
        assert_eq!(
            booked.json["booking"]["doses"][0]["start"],
            "2180-08-02T09:30:00+09:00"
        );
    }
    client
        .book(&sessions[2], "k2", &slot)
        .problem(409, "slot_full");
}

/// Once, a person's own slot was said to be somebody else's, or cost a second seat for minutes.
#[test]
fn ones_own_slot_is_answered_truly_and_takes_no_second_seat() {
    let world = World::new(2);
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let free = |client: &mut super::client::Client| {
        client.get("/sites", Some(&session)).is(200).json["sites"][0]["free"].clone()
    };
    let slot = server.slot(&session, "A", "2180-08-02", 1);
    let wish = json!({ "slot": slot });
    let first = client.post("/holds", Some(&session), &wish).is(201);
    let again = client.post("/holds", Some(&session), &wish).is(201);
    assert_eq!(
        again.json, first.json,
        "the same hold until the same instant"
    );
    assert_eq!(free(&mut client), 101);
    // Booking it by its name confirms the hold.
    let booked = client.book(&session, "k1", &slot).is(201);
    let booking = &booked.json["booking"];
    assert_eq!(free(&mut client), 101);
    assert_eq!(client.book(&session, "k1", &slot).is(201).json, booked.json);

    let number = booking["number"].as_str().unwrap();
    let held = client.post("/holds", Some(&session), &wish);
    assert_eq!(held.problem(409, "already_booked").json["number"], number);
    let to = format!("/bookings/{number}/move");
    let moved = client.post_once(&to, &session, "k2", &wish).is(200);
    assert_eq!(&moved.json["booking"], booking);
    // The same when the slot is full: its other seat is taken.
    let other = client.session(&person(OPEN, 1));
    client.book(&other, "k3", &slot).is(201);
    let moved = client.post_once(&to, &session, "k4", &wish).is(200);
    assert_eq!(&moved.json["booking"], booking);
    assert_eq!(free(&mut client), 100);

    // Moving to a slot that is held by its name takes the held seat.
    let next = server.slot(&session, "A", "2180-08-02", 0);
    let wish = json!({ "slot": next });
    client.post("/holds", Some(&session), &wish).is(201);
    assert_eq!(free(&mut client), 99);
    client.post_once(&to, &session, "k5", &wish).is(200);
    assert_eq!(free(&mut client), 100);
}

#[test]
fn refusals_say_why_and_what_to_do() {
    let world = World::new(5);
    let server = world.serve();
    let mut client = server.client();
    let enter = |person| credentials(&person);
    let later = client
        .post("/gate/enter", None, &enter(person(LATER, 0)))
        .problem(403, "not_open_yet");
    assert_eq!(later.json["opens_at"], "2189-01-01T00:00:00+09:00");
    assert!(later.json["evaluated_at"].is_string());
    let over = client
        .post("/gate/enter", None, &enter(person(OVER, 0)))
        .problem(403, "opening_closed");
    assert_eq!(over.json["closed_at"], "2020-02-01T00:00:00+09:00");
    let nobody = client.post("/gate/enter", None, &enter(person(NOBODY, 0)));
    assert_eq!(
        nobody.problem(403, "not_eligible").json["rule"],
        "in no cohort"
    );

    let mut wrong = person(OPEN, 0);
    wrong.code = person(OPEN, 1).code;
    let unlike = client
        .post("/gate/enter", None, &enter(wrong))
        .problem(403, "identity_not_found");
    let mut unknown = person(OPEN, 0);
    unknown.code = person(OPEN, 900).code;
    let unknown = client.post("/gate/enter", None, &enter(unknown));
    // But for the reference, which each answer has of its own.
    let told = |answer: super::client::Answer| {
        let id = answer.json["request_id"].as_str().unwrap().to_owned();
        super::world::text(&answer.body).replacen(&id, "", 1)
    };
    let unknown = unknown.problem(403, "identity_not_found");
    assert_eq!(told(unknown), told(unlike), "one answer for both");

    let session = client.session(&person(OPEN, 0));
    client
        .get("/bookings/mine", None)
        .problem(401, "session_invalid");
    client
        .get("/bookings/mine", Some("forged"))
        .problem(401, "session_invalid");
    client
        .get("/bookings/mine", Some(&session))
        .problem(404, "no_booking");
    client
        .post("/holds", Some(&session), &json!({ "slot": "999999" }))
        .problem(404, "not_found");
    client
        .call("DELETE", "/holds/77", Some(&session), &[], None)
        .problem(404, "hold_expired");
    let number = "/bookings/7K3M-9QXT-2R/cancel";
    client
        .post(number, Some(&session), &json!(null))
        .problem(404, "no_booking");

    // The single-dose slot of 2026-01-05 is over: neither shown nor booked.
    let days = client.get("/sites/C/days", Some(&session));
    assert_eq!(
        days.json["days"],
        json!([{ "date": "2180-08-02", "free": 50 }])
    );
    client
        .book(&session, &fresh_key(), "11")
        .problem(409, "slot_past");
    client
        .post("/holds", Some(&session), &json!({ "slot": "11" }))
        .problem(409, "slot_past");

    let slot = server.slot(&session, "A", "2180-08-02", 1);
    let booked = client.book(&session, &fresh_key(), &slot).is(201);
    let number = booked.json["booking"]["number"].as_str().unwrap();
    let past = json!({ "slot": "11" });
    client
        .post_once(&format!("/bookings/{number}/move"), &session, "m1", &past)
        .problem(409, "slot_past");
    let second = client
        .book(&session, &fresh_key(), &slot)
        .problem(409, "already_booked");
    assert!(second.json["number"].is_string());
    let other = client.session(&person(OPEN, 1));
    client.book(&other, &fresh_key(), &slot).is(201);
    let third = client.session(&person(OPEN, 2));
    let full = client
        .book(&third, &fresh_key(), &slot)
        .problem(409, "slot_full");
    let near = full.json["alternatives"].as_array().unwrap();
    assert!((1..=5).contains(&near.len()), "{full:?}");
    assert_eq!(near[0]["start"], "2180-08-02T09:00:00+09:00");
    // A second dose that only the assisted pool has is not offered to people who book themselves.
    let august_4 = server.slot(&third, "A", "2180-08-04", 0);
    client
        .book(&third, &fresh_key(), &august_4)
        .problem(409, "slot_full");
}

#[test]
fn refusals_by_the_rules_stand_once_in_the_journal() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    for _ in 0..3 {
        client
            .post("/gate/enter", None, &credentials(&person(LATER, 0)))
            .is(403);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(server.stop().success());
    let export = world.run(&["audit", "export"]);
    let lines = super::world::text(&export.stdout);
    assert_eq!(lines.matches("\"refused\"").count(), 1, "{lines}");
    assert!(!lines.contains("시험0"), "no name is in the journal");
}

#[test]
fn whoever_changes_sixty_things_in_an_hour_has_to_wait_and_can_confirm() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let mut hold = String::new();
    for at in 0..60 {
        let slot = json!({ "slot": server.slot(&session, "A", "2180-08-02", at % 2) });
        let held = client.post("/holds", Some(&session), &slot).is(201);
        hold = held.json["hold"].as_str().unwrap().to_owned();
    }
    // What is held already changes nothing, and is answered; another slot would be the 61st.
    let slot = json!({ "slot": server.slot(&session, "A", "2180-08-02", 1) });
    let same = client.post("/holds", Some(&session), &slot).is(201);
    assert_eq!(same.json["hold"], hold);
    let slot = json!({ "slot": server.slot(&session, "A", "2180-08-02", 0) });
    let release = format!("/holds/{hold}");
    for refused in [
        client.post("/holds", Some(&session), &slot),
        client.post("/bookings", Some(&session), &slot),
        client.call("DELETE", &release, Some(&session), &[], None),
    ] {
        let refused = refused.problem(429, "too_many_attempts");
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((3_000..=3_600).contains(&wait), "{wait}");
        assert_eq!(refused.json["retry_after_s"], wait);
    }
    let hold = json!({ "hold": hold });
    let booked = client.post_once("/bookings", &session, "k1", &hold).is(201);
    let number = booked.json["booking"]["number"]
        .as_str()
        .unwrap()
        .to_owned();
    // What was answered is answered again; what is new has to wait.
    client.post_once("/bookings", &session, "k1", &hold).is(201);
    let cancel = format!("/bookings/{number}/cancel");
    client
        .post_once(&cancel, &session, "k2", &json!({}))
        .problem(429, "too_many_attempts");
}
