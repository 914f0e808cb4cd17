//! One HTTP exchange after another: what a connection may send, what it gets, and when it ends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketType};

use super::world::{OPEN, Server, World, person};

fn served_with(world: &World, settings: &str) -> Server {
    let file = world.path("server.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{text}{settings}\n")).unwrap();
    world.serve()
}

/// A connection from an address of loopback.
fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket: OwnedFd =
        rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let from = SocketAddr::new(IpAddr::V4(Ipv4Addr::from(from)), 0);
    rustix::net::bind(&socket, &from).unwrap();
    rustix::net::connect(&socket, &to).unwrap();
    let stream = TcpStream::from(socket);
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream
}

/// Sends bytes and reads all answers, until the server ends the connection.
fn answers(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect_from([127, 0, 0, 1], server.public);
    let _ = stream.write_all(bytes);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn statuses(answers: &str) -> Vec<&str> {
    let starts = answers.split("HTTP/1.1 ").skip(1);
    let numbers = starts.filter_map(|answer| answer.get(..3));
    let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.filter(is_number).collect()
}

const LAST: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[test]
fn requests_that_come_together_are_answered_one_after_the_other() {
    let world = World::new(1);
    let server = world.serve();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let board = get("/api/v1/campaigns/test-open/gate/board");
    let post = "POST /api/v1/campaigns/test-open/gate/enter HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let all = [&board, post, &get("/nothing"), &board, LAST].concat();
    let seen = answers(&server, all.as_bytes());
    assert_eq!(
        statuses(&seen),
        ["200", "422", "404", "200", "200"],
        "{seen}"
    );
    // The same however it comes: a byte at a time.
    let mut stream = connect_from([127, 0, 0, 1], server.public);
    stream.set_nodelay(true).unwrap();
    for byte in all.as_bytes().chunks(1) {
        stream.write_all(byte).unwrap();
    }
    let mut slowly = String::new();
    stream.read_to_string(&mut slowly).unwrap();
    assert_eq!(statuses(&slowly), statuses(&seen));
}

#[test]
fn nothing_is_served_after_the_last_request_of_a_connection() {
    let world = World::new(1);
    let server = world.serve();
    for last in [LAST, "GET /healthz HTTP/1.0\r\n\r\n", "GARBAGE\r\n\r\n"] {
        let seen = answers(&server, [last, LAST, LAST].concat().as_bytes());
        assert_eq!(statuses(&seen).len(), 1, "{last:?}: {seen}");
        assert!(seen.contains("connection: close\r\n"), "{seen}");
    }
}

#[test]
fn head_is_answered_as_get_is_without_the_body() {
    let world = World::new(1);
    let server = world.serve();
    for path in [
        "/",
        "/ko/test-open",
        "/healthz",
        "/api/v1/campaigns/test-open",
        "/api/v1/campaigns/test-open/gate/board",
        "/api/v1/campaigns/test-open/bookings/mine",
        "/api/openapi.json",
        "/nothing",
    ] {
        let ask = |method: &str| {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = answers(&server, head.as_bytes());
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let each_of_its_own = ["date: ", "x-request-id: "];
            let is_compared =
                |line: &&str| !each_of_its_own.iter().any(|own| line.starts_with(own));
            let lines = head.lines().filter(is_compared);
            let mut lines: Vec<_> = lines.map(str::to_owned).collect();
            lines.sort();
            (lines, body.to_owned())
        };
        let (got, body) = ask("GET");
        let (head, nothing) = ask("HEAD");
        assert!(!body.is_empty(), "{path}");
        assert_eq!((head, &*nothing), (got, ""), "{path}");
    }
}

#[test]
fn leave_to_send_a_body_is_given_once_and_a_refused_body_is_not_read() {
    let world = World::new(1);
    let server = world.serve();
    let head = |length: u64| {
        format!(
            "POST /api/v1/campaigns/test-open/gate/enter HTTP/1.1\r\nHost: x\r\n\
             Content-Type: application/json\r\nExpect: 100-continue\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let mut stream = connect_from([127, 0, 0, 1], server.public);
    stream.write_all(head(2).as_bytes()).unwrap();
    let mut room = [0; 4096];
    let read = stream.read(&mut room).unwrap();
    assert_eq!(&room[..read], b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").unwrap();
    let read = stream.read(&mut room).unwrap();
    assert!(
        room[..read].starts_with(b"HTTP/1.1 422 "),
        "{:?}",
        &room[..read]
    );
    // Far too much: no leave, and what comes all the same is cut.
    let seen = answers(&server, head(1 << 32).as_bytes());
    assert_eq!(statuses(&seen), ["413"], "{seen}");
    let mut stream = connect_from([127, 0, 0, 1], server.public);
    let without = head(1 << 32).replace("Expect: 100-continue\r\n", "");
    stream.write_all(without.as_bytes()).unwrap();
    let zeros = [b'0'; 64 * 1024];
    let sent = (0..1_000).take_while(|_| stream.write_all(&zeros).is_ok());
    let sent = sent.count() * zeros.len();
    assert!(sent < 16 << 20, "{sent} bytes of a refused body were taken");
}

#[test]
fn only_hosts_that_are_served_are_answered() {
    let world = World::new(1);
    let server = served_with(
        &world,
        "hosts = [\"book.example\", \"127.0.0.1\", \"[::1]\"]",
    );
    let of = |host: &str| {
        let head = format!("GET /healthz HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        statuses(&answers(&server, head.as_bytes())).join(" ")
    };
    for good in [
        "book.example",
        "BOOK.example:8443",
        "127.0.0.1:80",
        "[::1]",
        "[::1]:443",
    ] {
        assert_eq!(of(&format!("Host: {good}\r\n")), "200", "{good}");
    }
    assert_eq!(of("Host: other.example\r\n"), "421");
    assert_eq!(of("Host: book.example.evil\r\n"), "421");
    for malformed in [
        "",
        "Host: \r\n",
        "Host: a b\r\n",
        "Host: book.example\r\nHost: x\r\n",
    ] {
        assert_eq!(of(malformed), "400", "{malformed:?}");
    }
}

#[test]
fn one_client_of_silent_connections_keeps_nobody_out() {
    let world = World::new(1);
    let settings = "connections_max = 400\nexempt_networks = []\nworkers = 1";
    let server = served_with(&world, settings);
    let silent: Vec<_> = (0..700)
        .map(|at| connect_from([127, 9, 9, (at % 2) as u8 + 1], server.public))
        .collect();
    for at in 0..20 {
        let mut stream = connect_from([127, 1, at + 1, 1], server.public);
        stream.write_all(LAST.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(statuses(&answer), ["200"], "{at}");
    }
    drop(silent);
}

#[test]
fn an_address_that_asks_too_much_is_put_off_and_its_people_in_session_are_not() {
    let world = World::new(2);
    let settings = "exempt_networks = []\naddress_requests_per_s = 1\nworkers = 1";
    let server = served_with(&world, settings);
    let session = server.session(&person(OPEN, 0));
    let now = "GET /api/v1/now HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16) + LAST;
    let seen = answers(&server, now.as_bytes());
    let put_off = statuses(&seen)
        .iter()
        .filter(|status| **status == "503")
        .count();
    // Ten seconds' worth may come at once; an answer beyond is kept back for a second, in which one
    // more may be asked.
    assert!((1..7).contains(&put_off), "{seen}");
    assert!(seen.contains("retry-after: "), "{seen}");
    server.client().get("/sites", Some(&session)).is(200);
    server.client().get("//healthz", None).is(200);
    // Calls of people in session are theirs alone: others are put off with them as with any.
    let booking = "POST /api/v1/campaigns/test-open/bookings HTTP/1.1\r\nHost: x\r\n\
                   Authorization: Bearer nobody's\r\nContent-Length: 2\r\n\r\n{}";
    let seen = answers(&server, (booking.repeat(3) + LAST).as_bytes());
    assert!(statuses(&seen).contains(&"503"), "{seen}");
    // An answer to HEAD has no body, also when it is put off.
    let head = "HEAD /api/v1/now HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3) + LAST;
    let seen = answers(&server, head.as_bytes());
    assert!(statuses(&seen).contains(&"503"), "{seen}");
    let ends = seen.split("\r\n\r\n").skip(1);
    let ends: Vec<_> = ends.take(3).collect();
    assert!(
        ends.iter().all(|next| next.starts_with("HTTP/1.1 ")),
        "{seen}"
    );
    // A neighbour goes by their own bound.
    let mut neighbour = connect_from([127, 0, 0, 2], server.public);
    neighbour.write_all(LAST.as_bytes()).unwrap();
    let mut answer = String::new();
    neighbour.read_to_string(&mut answer).unwrap();
    assert_eq!(statuses(&answer), ["200"]);
}

#[test]
fn a_trusted_proxy_says_whom_it_speaks_for_and_nobody_else_does() {
    let world = World::new(30);
    let settings = "exempt_networks = []\ntrusted_proxies = [\"127.5.0.0/16\"]\n\
                    address_connections_max = 2";
    let server = served_with(&world, settings);
    let status = |from: [u8; 4], before: &str, line: &str| {
        let mut stream = connect_from(from, server.public);
        let head = format!("{before}GET /healthz HTTP/1.1\r\nHost: x\r\n{line}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut room = [0; 4096];
        let read = stream.read(&mut room).unwrap_or(0);
        let answer = String::from_utf8_lossy(&room[..read]).into_owned();
        (statuses(&answer).join(" "), stream)
    };
    let proxied = |client: &str| format!("PROXY TCP4 {client} 127.0.0.1 4711 443\r\n");
    let (seen, _one) = status([127, 5, 0, 1], &proxied("203.0.113.7"), "");
    assert_eq!(seen, "200");
    let (seen, _two) = status([127, 5, 0, 2], &proxied("203.0.113.7"), "");
    assert_eq!(seen, "200");
    // The third connection of one client, whichever proxy it comes through.
    let (seen, _) = status([127, 5, 0, 3], &proxied("203.0.113.7"), "");
    assert_eq!(seen, "");
    let (seen, _three) = status([127, 5, 0, 1], &proxied("203.0.113.8"), "");
    assert_eq!(seen, "200");
    // Without a header, or with one that can't be read.
    let (seen, _four) = status([127, 5, 0, 1], "", "");
    assert_eq!(seen, "200");
    assert_eq!(status([127, 5, 0, 1], "PROXY TCP4 what\r\n", "").0, "");
    // From anybody else it is no HTTP.
    assert_eq!(status([127, 6, 0, 1], &proxied("203.0.113.9"), "").0, "505");
}

#[test]
fn a_tls_handshake_has_an_end() {
    let world = World::new(1);
    let file = world.path("server.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("plain_http = true", "plain_http = false"),
    )
    .unwrap();
    let server = world.serve();
    // A handshake message that says it has 64 kB, in records of 1 kB.
    let mut record = vec![0x16, 3, 1, 4, 0];
    record.resize(5 + 1024, 0);
    let mut first = record.clone();
    first[5..9].copy_from_slice(&[1, 0, 0xff, 0xff]);
    let mut stream = connect_from([127, 0, 0, 1], server.public);
    stream.write_all(&first).unwrap();
    // 16 of them are read; then the connection ends, which the next writes notice.
    let mut sent = 1;
    while sent < 60 && stream.write_all(&record).is_ok() {
        sent += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(sent < 60, "a handshake of {sent} kB was taken");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < 100, "{answer:?}");
}

#[test]
fn a_connection_ends_after_ten_thousand_requests() {
    let world = World::new(1);
    let server = world.serve();
    let mut stream = connect_from([127, 0, 0, 1], server.public);
    let now = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let mut copy = stream.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        // Some more than it takes; the last are not read.
        (0..110).for_each(|_| _ = copy.write_all(&now));
    });
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    writing.join().unwrap();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(statuses(&text).len(), 10_000);
    assert_eq!(text.matches("connection: close").count(), 1);
}

#[test]
fn monitoring_has_bounds_of_its_own() {
    let world = World::new(1);
    let server = world.serve();
    let ask = |path: &str| {
        let mut stream = connect_from([127, 0, 0, 1], server.admin);
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    // Answers that nobody reads, and silent connections, as many as there may be and more.
    let mut deaf = connect_from([127, 0, 0, 1], server.admin);
    deaf.set_nonblocking(true).unwrap();
    let many = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(10_000);
    let _ = deaf.write(&many);
    let _silent: Vec<_> = (0..100)
        .map(|_| connect_from([127, 0, 0, 2], server.admin))
        .collect();
    let metrics = ask("/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK"), "{metrics}");
    assert!(metrics.contains("sumun_connections 0"), "{metrics}");
    // No page and no board of people is there.
    for path in [
        "/",
        "/ko/test-open",
        "/api/v1/campaigns/test-open/gate/board",
    ] {
        assert!(ask(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    server.client().get("/gate/board", None).is(200);
}
