//! The evening's board and the acts at the gate, as people behind the desk use them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use sumun::clock::wall;
use sumun::identity::staff::otp;

use super::client::{Answer, Client};
use super::world::{CAMPAIGN, OPEN, Server, World, fresh_key, person};

/// Makes an account and signs in to it: its token.
fn signed_in(world: &World, server: &Server, name: &str, role: &str, more: &[&str]) -> String {
    let mut add = vec!["staff", "add", name, "--role", role];
    add.extend(more);
    let made = world.ok(&add);
    let mut desk = Client::new(server.desk.unwrap());
    let first = json!({ "name": name, "password": made["password"] });
    let signed = desk.post("//api/desk/v1/sign-in", None, &first).is(200);
    let token = signed.json["token"].as_str().unwrap().to_owned();
    let offer = desk
        .get("//api/desk/v1/session/set-up", Some(&token))
        .is(200);
    let secret = offer.json["secret"].as_str().unwrap();
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let code = otp::code(&secret, wall());
    let own = json!({ "password": "four words of my own", "otp": code });
    desk.post("//api/desk/v1/session/set-up", Some(&token), &own)
        .is(200);
    token
}

fn board(desk: &mut Client, token: &str) -> Value {
    desk.get("//api/desk/v1/board", Some(token)).is(200).json
}

/// The board as soon as it is as wanted.
fn until(desk: &mut Client, token: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let now = board(desk, token);
        if wanted(&now) {
            return now;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{now:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Somebody's stream of events.
struct Events(BufReader<TcpStream>);

impl Events {
    fn of(desk: SocketAddr, token: &str) -> Self {
        let mut stream = TcpStream::connect(desk).unwrap();
        let wait = Some(Duration::from_secs(60));
        stream.set_read_timeout(wait).unwrap();
        let request = format!(
            "GET /api/desk/v1/board/events HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next line; none at the end of the answer.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap();
        (read > 0 && line != "0\r\n").then_some(line)
    }

    /// The data of the next event; none at the end of the answer.
    fn next(&mut self) -> Option<Value> {
        loop {
            let line = self.line()?;
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

fn act(desk: &mut Client, token: &str, act: &str, body: &Value) -> Answer {
    desk.post(&format!("//api/desk/v1/gate/{act}"), Some(token), body)
}

#[test]
fn the_board_tells_the_evening_and_everybody_gets_the_same_frames() {
    let world = World::new(20);
    let server = world.serve();
    let desk_at = server.desk.unwrap();
    let mut desk = Client::new(desk_at);
    desk.get("//api/desk/v1/board", None)
        .problem(401, "signed_out");
    let reporter = signed_in(&world, &server, "lee", "reporter", &[]);
    let agent = signed_in(&world, &server, "park", "agent", &[]);
    for path in ["board", "board/events", "board/charts/bookings.svg"] {
        let path = format!("//api/desk/v1/{path}");
        desk.get(&path, Some(&agent)).problem(403, "not_yours");
    }

    let mut viewers: Vec<Events> = (0..5).map(|_| Events::of(desk_at, &reporter)).collect();
    let kim = server.session(&person(OPEN, 0));
    let slot = server.slot(&kim, "C", "2180-08-02", 0);
    let key = fresh_key();
    server.client().book(&kim, &key, &slot).is(201);
    let frames: Vec<Vec<Value>> = viewers
        .iter_mut()
        .map(|viewer| (0..10).map(|_| viewer.next().unwrap()).collect())
        .collect();
    let number = |frame: &Value| frame["number"].as_u64().unwrap();
    for own in &frames {
        assert!(own.is_sorted_by(|one, next| number(one) < number(next)));
        for frame in own {
            let same = frames.iter().flatten();
            let mut same = same.filter(|other| number(other) == number(frame));
            assert!(same.all(|other| other == frame));
        }
    }
    let seen = frames.iter().flatten();
    let rates = seen.map(|frame| frame["bookings_per_s"].as_f64().unwrap());
    assert!(
        rates.fold(0.0, f64::max) > 0.0,
        "the booking shows as a rate"
    );

    let now = until(&mut desk, &reporter, |now| {
        let left = &now["campaigns"][0]["seats"];
        now["bookings"] == 1 && left.as_array().is_some_and(|left| !left.is_empty())
    });
    let campaign = &now["campaigns"][0];
    assert_eq!(campaign["campaign"], CAMPAIGN);
    assert_eq!(campaign["admitted"], 1);
    let openings = now["openings"].as_array().unwrap();
    let open: Vec<&Value> = openings
        .iter()
        .filter(|opening| opening["state"] == "open")
        .collect();
    assert_eq!((open.len(), &open[0]["admitted"]), (1, &json!(1)));
    assert_eq!(open[0]["numbers_given"], 1);
    let of = |province: &str, vaccine: &str| {
        let mut all = campaign["seats"].as_array().unwrap().iter();
        let found = all.find(|seats| seats["province"] == province && seats["vaccine"] == vaccine);
        found.map(|seats| (seats["left"].clone(), seats["capacity"].clone()))
    };
    // Counted before or after the booking; a slot that has begun is left out.
    let (left, capacity) = of("26", "single").unwrap();
    assert!(left == 49 || left == 50, "{left}");
    assert_eq!(capacity, 50);
    assert_eq!(of("11", "mrna").unwrap().1, json!(20_229));
    assert_eq!(now["server"]["writer"]["is_running"], true);
    assert!(now["server"]["disk"]["free_bytes"].as_u64() > Some(0));

    let chart = desk.get("//api/desk/v1/board/charts/bookings.svg", Some(&reporter));
    let chart = chart.is(200);
    assert_eq!(chart.header("content-type"), Some("image/svg+xml"));
    let text = String::from_utf8(chart.body).unwrap();
    assert!(
        text.contains("<title id=\"title-bookings\">")
            && text.contains("<desc id=\"desc-bookings\">")
    );
    desk.get("//api/desk/v1/board/charts/nothing.svg", Some(&reporter))
        .problem(404, "not_found");
    let wrong = "//api/desk/v1/board/charts/waiting.svg?span=years";
    desk.get(wrong, Some(&reporter))
        .problem(422, "invalid_request");
}

#[test]
fn events_end_with_the_session_and_with_the_server() {
    let world = World::new(1);
    let server = world.serve();
    let desk_at = server.desk.unwrap();
    let mut desk = Client::new(desk_at);
    let lee = signed_in(&world, &server, "lee", "reporter", &[]);
    let kim = signed_in(&world, &server, "kim", "auditor", &[]);
    let (mut ends, mut goes_on) = (Events::of(desk_at, &lee), Events::of(desk_at, &kim));
    assert!(ends.next().is_some() && goes_on.next().is_some());
    desk.call("DELETE", "//api/desk/v1/session", Some(&lee), &[], None)
        .is(204);
    let mut more = 0;
    while ends.next().is_some() {
        more += 1;
        assert!(more < 10, "it is looked every three seconds");
    }
    assert!(goes_on.next().is_some(), "somebody else's go on");
    let stopping = Instant::now();
    let status = server.stop();
    while goes_on.next().is_some() {}
    assert!(status.success() && stopping.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_drain_lets_people_finish_and_ends_with_the_next_start() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Client::new(server.desk.unwrap());
    let operator = signed_in(&world, &server, "kim", "operator", &[]);
    let session = server.session(&person(OPEN, 0));
    let said = json!({ "campaign": CAMPAIGN, "text": "다시 시작합니다", "en": "We restart" });
    let preview = format!("//api/desk/v1/gate/preview?act=drain&campaign={CAMPAIGN}&text=a&en=b");
    let effects = desk.get(&preview, Some(&operator)).is(200).json["effects"].clone();
    let names = effects.as_array().unwrap().iter();
    let names: Vec<&str> = names
        .map(|effect| effect["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["line_stops", "until_restart", "sessions_go_on", "told"]
    );
    let done = act(&mut desk, &operator, "drain", &said).is(200).json;
    assert_eq!(done["until_restart"], true);
    let shown = |server: &Server| server.client().get("/gate/board", None).json;
    assert_eq!(shown(&server)["state"], "paused");
    // Whoever is in goes on, nobody else comes in.
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let booked = json!({ "slot": slot });
    server
        .client()
        .post_once("/bookings", &session, &fresh_key(), &booked)
        .is(201);
    let told = world.ok(&["gate", "status"]).to_string();
    assert!(told.contains("paused"), "{told}");
    // A pause that is no drain outlives a start.
    drop(desk);
    assert!(server.stop().success());
    let server = world.serve();
    assert_eq!(shown(&server)["state"], "open");
    assert_eq!(shown(&server)["message"], Value::Null);
    world.ok(&["gate", "pause", "--reason", "멈춤"]);
    assert!(server.stop().success());
    let server = world.serve();
    assert_eq!(shown(&server)["state"], "paused");
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn an_operator_pauses_and_goes_on_and_nobody_else_does() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Client::new(server.desk.unwrap());
    let operator = signed_in(&world, &server, "kim", "operator", &[]);
    let auditor = signed_in(&world, &server, "lee", "auditor", &[]);
    let elsewhere = signed_in(
        &world,
        &server,
        "choi",
        "operator",
        &["--campaign", "other"],
    );
    let said = json!({ "campaign": CAMPAIGN, "text": "점검합니다", "en": "Maintenance" });
    act(&mut desk, &auditor, "pause", &said).problem(403, "not_yours");
    act(&mut desk, &elsewhere, "pause", &said).problem(403, "not_yours");
    let theirs = board(&mut desk, &elsewhere);
    assert_eq!(
        (&theirs["campaigns"], &theirs["openings"]),
        (&json!([]), &json!([]))
    );
    let other = json!({ "campaign": "other", "text": "a", "en": "b" });
    act(&mut desk, &elsewhere, "pause", &other).problem(404, "not_found");

    server.session(&person(OPEN, 0));
    let preview =
        format!("//api/desk/v1/gate/preview?act=pause&campaign={CAMPAIGN}&text=a&en=b&freeze=true");
    let previewed = desk.get(&preview, Some(&operator)).is(200).json;
    assert_eq!(previewed["sessions"], 1);
    let effects = previewed["effects"].as_array().unwrap();
    let frozen = effects
        .iter()
        .find(|effect| effect["what"] == "sessions_frozen");
    assert_eq!(frozen.unwrap()["people"], 1);
    let state = |server: &Server| server.client().get("/gate/board", None).json["state"].clone();
    assert_eq!(state(&server), "open", "a preview does nothing");

    let done = act(&mut desk, &operator, "pause", &said).is(200).json;
    // In force when it is answered: what the public sees is another answer already.
    let shown = server.client().get("/gate/board", None).json;
    assert_eq!(
        (&shown["state"], &shown["message"]),
        (&json!("paused"), &json!("점검합니다"))
    );
    assert_eq!(
        (&done["state"], &done["message_en"]),
        (&json!("paused"), &json!("Maintenance"))
    );
    let paused = until(&mut desk, &auditor, |now| {
        now["campaigns"][0]["state"] == "paused"
    });
    assert_eq!(
        paused["campaigns"][0]["paused"]["reason"]["en"],
        "Maintenance"
    );

    let on = json!({ "campaign": CAMPAIGN });
    act(&mut desk, &operator, "resume", &on).problem(422, "invalid_request");
    let on = json!({ "campaign": CAMPAIGN, "reason": "the disk was changed" });
    assert_eq!(
        act(&mut desk, &operator, "resume", &on).is(200).json["state"],
        "open"
    );
    assert_eq!(state(&server), "open");

    let rate = json!({ "campaign": CAMPAIGN, "reason": "slow", "admit_per_s": 7 });
    assert_eq!(
        act(&mut desk, &operator, "rate", &rate).is(200).json["admit_per_s"],
        7
    );
    assert_eq!(
        server.client().get("/gate/board", None).json["admit_per_s"],
        7
    );
    let none = json!({ "campaign": CAMPAIGN, "reason": "slow", "admit_per_s": 0 });
    act(&mut desk, &operator, "rate", &none).problem(409, "not_possible");
    let both = json!({ "campaign": CAMPAIGN, "reason": "a", "admit_per_s": 7, "text": "b" });
    act(&mut desk, &operator, "rate", &both).problem(422, "invalid_request");
    act(&mut desk, &operator, "explode", &on).problem(404, "not_found");
    let few = json!({ "campaign": CAMPAIGN, "reason": "slow", "active_max": 1 });
    assert_eq!(
        act(&mut desk, &operator, "active", &few).is(200).json["active_max"],
        1
    );
    let full = until(&mut desk, &auditor, |now| {
        now["campaigns"][0]["active_max"] == 1
    });
    let openings = full["openings"].as_array().unwrap();
    let open = openings.iter().find(|opening| opening["state"] == "open");
    assert_eq!(
        (&full["sessions"], &open.unwrap()["sessions"]),
        (&json!(1), &json!(1))
    );

    let exported = world.path("log");
    let mut log = String::new();
    for file in std::fs::read_dir(exported).unwrap() {
        let path = file.unwrap().path();
        log.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
    }
    assert!(
        log.contains("\"account\":\"kim\""),
        "the record says who: {log}"
    );
}
