//! The door: slow senders and readers, connections given back, a new key for tokens, a freeze.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::json;

use super::world::{OPEN, Server, World, campaign_text, fresh_key, person};

/// A world whose server has these settings too.
fn served_with(world: &World, settings: &str) -> Server {
    let file = world.path("server.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{text}{settings}\n")).unwrap();
    world.serve()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Reads until the server ends the connection; how many bytes came.
#[track_caller]
fn read_to_the_end(stream: &mut TcpStream) -> usize {
    let (mut all, mut part) = (0, [0; 65_536]);
    loop {
        match stream.read(&mut part) {
            Ok(0) => return all,
            Ok(length) => all += length,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                panic!("the connection is still open");
            }
            Err(_) => return all,
        }
    }
}

const NOW: &[u8] = b"GET /api/v1/now HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn whoever_sends_or_reads_too_slowly_is_dropped_and_the_patient_are_not() {
    let world = World::new(1);
    let server = served_with(&world, "exchange_s = 1");
    let mut patient = connect(server.public);
    patient.write_all(NOW).unwrap();
    assert!(patient.read(&mut [0; 4096]).unwrap() > 0);
    // A second request that never ends: a byte of it now and then.
    let mut head = connect(server.public);
    head.write_all(NOW).unwrap();
    assert!(head.read(&mut [0; 4096]).unwrap() > 0);
    head.write_all(b"GET /api/v1/now HTTP/1.1\r\nX: ").unwrap();
    // A body that trickles in.
    let mut body = connect(server.public);
    let start = "POST /api/v1/campaigns/test-open/gate/enter HTTP/1.1\r\nHost: x\r\n\
                 Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    body.write_all(start.as_bytes()).unwrap();
    // Answers that nobody reads: far more than the buffers of both ends hold.
    let mut deaf = connect(server.public);
    deaf.set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let ask = b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4_000);
    let _ = deaf.write_all(&ask);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        let _ = head.write_all(b"T");
        let _ = body.write_all(b" ");
        std::thread::sleep(Duration::from_millis(200));
    }
    read_to_the_end(&mut head);
    read_to_the_end(&mut body);
    let taken = read_to_the_end(&mut deaf);
    assert!(
        taken < 4_000 * 10_000,
        "all {taken} bytes of the answers came"
    );
    patient.write_all(NOW).unwrap();
    assert!(patient.read(&mut [0; 4096]).unwrap() > 0);
    let events = |name: &str| {
        let metrics = super::client::Client::new(server.admin).get("//metrics", None);
        let metrics = String::from_utf8(metrics.body).unwrap();
        let line = format!("sumun_security_events_total{{event=\"{name}\"}} ");
        let found = metrics.lines().find_map(|found| found.strip_prefix(&line));
        found.unwrap_or_else(|| panic!("{metrics}")).to_owned()
    };
    assert_eq!(events("request_slow"), "2");
    assert_eq!(events("answer_slow"), "1");
}

#[test]
fn whoever_comes_gets_the_connection_of_somebody_who_idles() {
    let world = World::new(1);
    let server = served_with(&world, "connections_max = 8\nworkers = 1");
    let mut idle: Vec<_> = (0..8).map(|_| server.client()).collect();
    idle.iter_mut()
        .for_each(|client| _ = client.get("/gate/board", None).is(200));
    let began = Instant::now();
    server.client().get("/gate/board", None).is(200);
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

/// A crowd's requests are all there before the server sees the first of them: it is stopped while
/// they are sent, so that the line is as long as it can be whatever the machine.
#[test]
fn of_a_crowd_all_at_once_those_in_session_are_served_and_others_put_off() {
    const CROWD: usize = 2_500;
    sumun::server::raise_file_limit();
    let world = World::new(20);
    let server = served_with(&world, "workers = 1");
    let session = |at| server.session(&person(OPEN, at));
    let mut sessions: Vec<String> = (0..20).map(session).collect();
    let requests = |count: usize, request: &str| -> Vec<(TcpStream, Vec<u8>)> {
        let of_one = |_| (connect(server.public), request.as_bytes().to_vec());
        (0..count).map(of_one).collect()
    };
    let api = |call: &str, token: &str| {
        format!(
            "GET /api/v1/campaigns/test-open{call} HTTP/1.1\r\nHost: x\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        )
    };
    let mut crowd = requests(CROWD, "GET /api/v1/now HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut polls = requests(CROWD, &api("/gate/place", "nobody's"));
    let mut board = requests(20, &api("/gate/board", ""));
    let (start, end) = sessions[0].split_at(sessions[0].len() - 10);
    let changed = if end.starts_with('A') { 'B' } else { 'A' };
    let mut forged = requests(
        200,
        &api("/sites", &format!("{start}{changed}{}", &end[1..])),
    );
    let mut inside = Vec::new();
    for token in sessions.drain(..) {
        inside.extend(requests(1, &api("/sites", &token)));
    }
    // People whose turn has come and who don't know it yet.
    let mut called = Vec::new();
    for at in 0..20 {
        let place = server.client().enter(&person(OPEN, at));
        called.extend(requests(1, &api("/gate/place", &place)));
    }
    server.signal("STOP");
    for (stream, request) in [
        &mut crowd,
        &mut polls,
        &mut board,
        &mut forged,
        &mut inside,
        &mut called,
    ]
    .into_iter()
    .flatten()
    {
        stream.write_all(request).unwrap();
    }
    server.signal("CONT");
    // Whoever is put off is told so a second later, so as not to ask again in no time.
    std::thread::sleep(Duration::from_millis(500));
    let told_at_once = |(stream, _): &&(TcpStream, Vec<u8>)| {
        let mut answer = [0; 12];
        stream.set_nonblocking(true).unwrap();
        let known = stream.peek(&mut answer).is_ok() && answer.ends_with(b"503");
        stream.set_nonblocking(false).unwrap();
        known
    };
    assert_eq!(crowd.iter().chain(&polls).filter(told_at_once).count(), 0);
    let statuses = |streams: &mut Vec<(TcpStream, Vec<u8>)>| {
        let mut counts = std::collections::BTreeMap::new();
        for (stream, _) in streams {
            let mut answer = [0; 4096];
            let length = stream.read(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
            let status = answer[9..12].to_owned();
            if status == "503" {
                let retry = answer.split("retry-after: ").nth(1).unwrap();
                let retry_s: u32 = retry[..2].trim().parse().unwrap();
                assert!((5..=30).contains(&retry_s), "{answer}");
                assert!(answer.contains("\"overloaded\""), "{answer}");
            }
            *counts.entry(status).or_insert(0) += 1;
        }
        counts
    };
    assert_eq!(statuses(&mut inside), [("200".to_owned(), 20)].into());
    assert_eq!(statuses(&mut called), [("200".to_owned(), 20)].into());
    assert_eq!(statuses(&mut board), [("200".to_owned(), 20)].into());
    let crowd = statuses(&mut crowd);
    assert_eq!(crowd.keys().collect::<Vec<_>>(), ["200", "503"]);
    // At least as many are served as wait in line when it is full.
    assert!(crowd["200"] >= 500 && crowd["503"] >= 100, "{crowd:?}");
    let polls = statuses(&mut polls);
    assert_eq!(polls.keys().collect::<Vec<_>>(), ["401", "503"]);
    // Whoever only asks what people in session ask is put off as if they looked around.
    let forged = statuses(&mut forged);
    assert!(forged.contains_key("503"), "{forged:?}");
    assert!(!forged.contains_key("200"), "{forged:?}");
}

#[test]
fn a_new_token_key_ends_nobodys_place_or_session() {
    let world = World::new(2);
    let server = world.serve();
    let (kim, lee) = (person(OPEN, 0), person(OPEN, 1));
    let mut client = server.client();
    let place = client.enter(&kim);
    let number = client.get("/gate/place", Some(&place)).is(200).json["place"]["number"].clone();
    let session = server.session(&lee);
    let rotated = world.ok(&["keys", "rotate"]);
    assert_eq!(rotated["token_key"], 2);
    let still = |client: &mut super::client::Client| {
        let shown = client.get("/gate/place", Some(&place)).is(200);
        assert_eq!(shown.json["place"]["number"], number);
        client.get("/sites", Some(&session)).is(200);
    };
    still(&mut client);
    assert_ne!(client.enter(&kim), place);
    // Again so soon would end the tokens of the first key.
    let refused = world.run(&["keys", "rotate"]);
    assert_eq!(refused.status.code(), Some(1));
    still(&mut client);
    server.kill();
    let server = world.serve();
    still(&mut server.client());
    let exported = world.run(&["audit", "export"]);
    let exported = String::from_utf8(exported.stdout).unwrap();
    let entry = exported
        .lines()
        .find(|line| line.contains("token_key_rotated"));
    assert!(
        entry.is_some_and(|line| line.contains("operator")),
        "{entry:?}"
    );
}

/// In 2021 the server was paused for eighty minutes; a hold of five would have run out.
#[test]
fn a_hold_stands_still_while_sessions_are_frozen() {
    let world = World::new(1);
    let text = campaign_text("").replace("hold_s = 300", "hold_s = 2");
    let file = world.write("campaign.toml", &text).display().to_string();
    world.ok(&["campaign", "activate", &file]);
    let server = world.serve();
    let session = server.session(&person(OPEN, 0));
    let mut client = server.client();
    let held = client
        .post("/holds", Some(&session), &json!({ "slot": "7" }))
        .is(201);
    world.ok(&["gate", "pause", "--reason", "점검", "--freeze"]);
    std::thread::sleep(Duration::from_secs(3));
    world.ok(&["gate", "resume"]);
    let hold = json!({ "hold": held.json["hold"] });
    client
        .post_once("/bookings", &session, &fresh_key(), &hold)
        .is(201);
    // It is kept over a restart, and what is not frozen does run out.
    let slot = json!({ "slot": "8" });
    let number =
        client.get("/bookings/mine", Some(&session)).is(200).json["booking"]["number"].clone();
    let cancel = format!("/bookings/{}/cancel", number.as_str().unwrap());
    client
        .post_once(&cancel, &session, &fresh_key(), &json!(null))
        .is(200);
    let held = client.post("/holds", Some(&session), &slot).is(201);
    world.ok(&["gate", "pause", "--reason", "점검", "--freeze"]);
    server.kill();
    std::thread::sleep(Duration::from_secs(3));
    let server = world.serve();
    world.ok(&["gate", "resume"]);
    let mut client = server.client();
    let hold = json!({ "hold": held.json["hold"] });
    std::thread::sleep(Duration::from_secs(3));
    client
        .post_once("/bookings", &session, &fresh_key(), &hold)
        .problem(404, "hold_expired");
    world.ok(&["verify"]);
}
