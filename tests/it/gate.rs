//! The waiting room through HTTP: each bypass of 2021, pause and resume, places that survive.

use serde_json::{Value, json};

use super::client::Client;
use super::world::{
    LATER, OPEN, Person, Server, World, campaign_text, credentials, fresh_key, people_of, person,
    text,
};

/// A world where nobody is let in: one is called and never comes.
fn full_world(people: u64) -> (World, Server) {
    let world = World::new(people);
    let one = campaign_text("").replace("active_max = 100000", "active_max = 1");
    let file = world.write("one.toml", &one);
    world.ok(&["campaign", "activate", file.to_str().unwrap()]);
    let server = world.serve();
    server.client().session(&person(OPEN, 0));
    (world, server)
}

fn place(client: &mut Client, token: &str) -> Value {
    client.get("/gate/place", Some(token)).is(200).json["place"].clone()
}

/// In 2021 three seconds of airplane mode skipped the queue: it was a script in the page.
#[test]
fn airplane_mode_keeps_the_place_and_skips_nothing() {
    let (_world, server) = full_world(3);
    let token = server.client().enter(&person(OPEN, 1));
    let before = place(&mut server.client(), &token);
    assert_eq!(before["state"], "waiting");
    for _ in 0..5 {
        let mut fresh = server.client();
        assert_eq!(place(&mut fresh, &token)["number"], before["number"]);
        fresh
            .post("/gate/admit", Some(&token), &Value::Null)
            .problem(403, "not_admitted");
    }
    // Another device without the cookie, by the same person: the same place.
    let again = server
        .client()
        .post("/gate/enter", None, &credentials(&person(OPEN, 1)))
        .is(200);
    assert_eq!(again.json["place"]["number"], before["number"]);
}

/// A changed computer clock let people in: no header or body of a client carries a time.
#[test]
fn a_clients_clock_is_never_asked() {
    let (_world, server) = full_world(2);
    let mut client = server.client();
    let token = client.enter(&person(OPEN, 1));
    let tomorrow = [
        ("Date", "Mon, 01 Jan 2189 00:00:00 GMT"),
        ("If-Modified-Since", "x"),
    ];
    let kept = client
        .call("GET", "/gate/place", Some(&token), &tomorrow, None)
        .is(200);
    assert_eq!(kept.json["place"]["state"], "waiting");
    let mut with_time = credentials(&person(LATER, 0));
    with_time["now"] = json!("2189-06-01T00:00:00+09:00");
    client
        .post("/gate/enter", None, &with_time)
        .problem(422, "invalid_request");
    client
        .post("/gate/enter", None, &credentials(&person(LATER, 0)))
        .problem(403, "not_open_yet");
}

/// A deep link went past the waiting room: the booking pages did not check it.
#[test]
fn a_deep_link_to_any_booking_call_needs_a_session() {
    let (_world, server) = full_world(2);
    let mut client = server.client();
    let place = client.enter(&person(OPEN, 1));
    let slot = json!({ "slot": "7" });
    for (method, path, body) in [
        ("GET", "/sites", None),
        ("GET", "/sites/A/days", None),
        ("GET", "/sites/A/slots?date=2180-08-02", None),
        ("POST", "/holds", Some(&slot)),
        ("DELETE", "/holds/1", None),
        ("POST", "/holds/1/extend", None),
        ("POST", "/bookings", Some(&slot)),
        ("GET", "/bookings/mine", None),
        ("POST", "/bookings/7K3M-9QXT-2R/move", Some(&slot)),
        ("POST", "/bookings/7K3M-9QXT-2R/cancel", None),
    ] {
        client
            .call(method, path, None, &[], body)
            .problem(401, "session_invalid");
        // A place is not a session, in whatever way it is sent.
        client
            .call(method, path, Some(&place), &[], body)
            .problem(401, "session_invalid");
        let cookie = format!("__Host-sumun-session={place}");
        let cookie = [("Cookie", cookie.as_str())];
        client
            .call(method, path, None, &cookie, body)
            .problem(401, "session_invalid");
    }
}

#[test]
fn edited_and_foreign_tokens_are_refused() {
    let world = World::new(3);
    let other = campaign_text("").replace("id = \"test-open\"", "id = \"other\"");
    let file = world.write("other.toml", &other);
    world.ok(&["campaign", "activate", file.to_str().unwrap()]);
    let server = world.serve();
    let mut client = server.client();
    let token = client.enter(&person(OPEN, 0));
    let session = client.session(&person(OPEN, 1));
    for at in [0, 10, 35, 70] {
        let mut edited = token.clone().into_bytes();
        edited[at] = if edited[at] == b'A' { b'B' } else { b'A' };
        let edited = String::from_utf8(edited).unwrap();
        client
            .get("/gate/place", Some(&edited))
            .problem(401, "place_invalid");
    }
    client
        .get("/gate/place", Some(&session))
        .problem(401, "place_invalid");
    client.campaign = "other".to_owned();
    client
        .get("/gate/place", Some(&token))
        .problem(401, "place_invalid");
    client
        .get("/bookings/mine", Some(&session))
        .problem(401, "session_invalid");
}

#[test]
fn a_pause_says_why_keeps_the_order_and_reports_no_booking() {
    let world = World::new(6);
    let server = world.serve();
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    world.ok(&["gate", "pause", "--reason", "서버 점검", "--freeze"]);
    let waiting = client.enter(&person(OPEN, 1));
    let refused = client
        .post("/gate/admit", Some(&waiting), &Value::Null)
        .problem(503, "paused");
    assert_eq!(refused.json["message"], "서버 점검");
    assert!(refused.header("retry-after").is_some());
    let frozen = client.book(&session, "k", "7").problem(503, "paused");
    assert_eq!(frozen.json["message"], "서버 점검");
    client
        .get("/bookings/mine", Some(&session))
        .problem(404, "no_booking");
    let mut shown = Value::Null;
    for _ in 0..40 {
        shown = client.get("/gate/board", None).is(200).json;
        if shown["state"] == "paused" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(
        (&shown["state"], &shown["message"]),
        (&json!("paused"), &json!("서버 점검"))
    );
    let next = client.enter(&person(OPEN, 2));
    world.ok(&["gate", "pause", "--reason", "잠시"]);
    client.book(&session, "k", "7").is(201);
    world.ok(&["gate", "resume"]);
    let numbers = [&waiting, &next].map(|token| place(&mut client, token)["number"].as_u64());
    assert!(numbers[0] < numbers[1], "{numbers:?}");
    client.session(&person(OPEN, 2));
    world.ok(&["gate", "rate", "55"]);
    world.ok(&["gate", "active", "7"]);
    world.ok(&["gate", "message", "hello"]);
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let status = world.ok(&["gate", "status"]);
    assert_eq!(status["gates"][0]["active_max"], 7, "{status}");
    assert_eq!(status["gates"][0]["board"]["admit_per_s"], 55, "{status}");
    assert_eq!(status["gates"][0]["board"]["message"], "hello");
    assert!(server.stop().success());
    let export = text(&world.run(&["audit", "export"]).stdout);
    assert_eq!(
        export.matches("\"gate_set\"").count(),
        6,
        "each act is an entry"
    );
    assert!(export.contains("\"operator\""));
    world.ok(&["verify"]);
}

/// Nobody goes to the back after a fault: the place stays with the person, with or without cookie.
#[test]
fn kill_9_keeps_every_place_and_no_number_comes_twice() {
    let (world, server) = full_world(300);
    let mut client = server.client();
    let number =
        |client: &mut Client, token: &str| place(client, token)["number"].as_u64().unwrap();
    let tokens: Vec<String> = (1..200).map(|at| client.enter(&person(OPEN, at))).collect();
    let numbers: Vec<u64> = tokens
        .iter()
        .map(|token| number(&mut client, token))
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(400));
    let last = client.enter(&person(OPEN, 200));
    let last_number = number(&mut client, &last);
    server.kill();
    let server = world.serve();
    let mut client = server.client();
    for (at, (token, before)) in tokens.iter().zip(&numbers).enumerate() {
        assert_eq!(number(&mut client, token), *before);
        let without_cookie = client.enter(&person(OPEN, at as u64 + 1));
        assert_eq!(number(&mut client, &without_cookie), *before);
    }
    // Given a moment before the kill: the token alone may know it, and brings it back.
    assert_eq!(number(&mut client, &last), last_number);
    let fresh = client.enter(&person(OPEN, 250));
    assert!(number(&mut client, &fresh) > last_number);
}

#[test]
fn the_board_is_the_same_bytes_for_all_and_has_a_name() {
    let (_world, server) = full_world(1);
    let mut client = server.client();
    let first = client.get("/gate/board", None).is(200);
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("public, max-age=1"));
    let again = client.call("GET", "/gate/board", None, &[("If-None-Match", &tag)], None);
    assert!(again.status == 304 || again.header("etag") != Some(tag.as_str()));
}

/// Somebody with a booking looks after it at any time, past the line.
#[test]
fn whoever_has_a_booking_does_not_queue_for_it_again() {
    let world = World::new(3);
    let server = world.serve();
    let owner: Person = person(OPEN, 0);
    let session = server.session(&owner);
    server.client().book(&session, &fresh_key(), "7").is(201);
    world.ok(&["gate", "active", "1"]);
    server.session(&person(OPEN, 1));
    let mut client = server.client();
    let again = client.session(&owner);
    client.get("/bookings/mine", Some(&again)).is(200);
}

/// The draw of a lobby, from commitment to proof.
#[test]
fn a_lobby_is_drawn_at_the_opening_and_anybody_can_draw_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let campaign = include_str!("../../data/campaign.toml");
    let campaign = campaign.replace("order = \"arrival\"", "order = \"draw\"");
    assert!(campaign.contains("order = \"draw\""));
    let file = folder.path().join("draw.toml");
    std::fs::write(&file, campaign).unwrap();
    let data = folder.path().join("data");
    let at = "2021-07-19T19:29:00+09:00";
    let file = file.to_str().unwrap();
    let demo = super::commands::Demo::start(
        &data,
        &[
            "--people",
            "300",
            "--at",
            at,
            "--speed",
            "300",
            "--campaign",
            file,
        ],
    );
    let mut people = people_of(&data.join("people.csv"));
    people.truncate(60);
    let mut client = demo.client();
    let wait = |client: &mut Client, until: &str| {
        while client.get("//api/v1/now", None).json["now"]
            .as_str()
            .unwrap()
            < until
        {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    let shows = |client: &mut Client, what: &str| {
        let board = client.get("/gate/board", None);
        let lines = board.json["lines"].as_array().unwrap().iter();
        let mut drawn = lines.filter(|line| line["opening"]["from"] == "2021-07-19T20:00:00+09:00");
        drawn.any(|line| line[what].is_string())
    };
    assert!(shows(&mut client, "draw_commitment"));
    assert!(!shows(&mut client, "draw_seed"));
    let value = [
        "gate",
        "draw-value",
        "7 12 23",
        "--source",
        "a lottery of that day",
    ];
    let given = |value: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
        let output = command
            .args(value)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap();
        (output.status.success(), text(&output.stdout))
    };
    assert!(given(&value).0, "{}", given(&value).1);
    let (again, said) = given(&value);
    assert!(
        !again && said.contains("no draw awaits a public value"),
        "{said}"
    );
    wait(&mut client, "2021-07-19T19:30:01");
    let tokens: Vec<String> = people.iter().map(|person| client.enter(person)).collect();
    let waiting = place(&mut client, &tokens[0]);
    assert_eq!(waiting["state"], "lobby");
    client
        .post("/gate/admit", Some(&tokens[0]), &Value::Null)
        .problem(403, "not_admitted");
    wait(&mut client, "2021-07-19T20:05:00");
    let numbers: Vec<u64> = tokens
        .iter()
        .map(|token| place(&mut client, token)["number"].as_u64().unwrap())
        .collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=60).collect::<Vec<_>>());
    assert_ne!(sorted, numbers, "an order of arrival would be no draw");
    let again = client.enter(&people[7]);
    assert_eq!(
        place(&mut client, &again)["number"],
        numbers[7],
        "the same on another device"
    );
    assert!(shows(&mut client, "draw_seed"));
    drop(demo);
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap()
    };
    let export = folder.path().join("export.jsonl");
    std::fs::write(&export, run(&["audit", "export"]).stdout).unwrap();
    let keys = sumun::keys::Keys::load(&data).unwrap();
    for (person, number) in people.iter().zip(&numbers).take(5) {
        let code = sumun::domain::crockford::parse(&person.code).unwrap();
        let key = keys.person_key(code).to_string();
        let export = export.to_str().unwrap();
        let drawn = run(&["audit", "draw", export, "--person", &key, "--json"]);
        let answer: Value = serde_json::from_str(&text(&drawn.stdout)).unwrap();
        let of_evening = answer["draws"].as_array().unwrap();
        let of_evening = of_evening.iter().find(|draw| draw["people"] == 60).unwrap();
        assert_eq!(of_evening["in_time"], true, "{answer}");
        assert_eq!(of_evening["number"], *number, "{answer}");
    }
}
