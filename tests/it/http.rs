//! Bad input over HTTP: a clear problem, no panic, nothing written.

use serde_json::{Value, json};

use super::client::Client;
use super::world::{CAMPAIGN, OPEN, World, credentials, person};

/// Sends a POST of raw bytes with a Content-Type.
fn post(client: &mut Client, path: &str, kind: &str, body: &[u8]) -> super::client::Answer {
    let head = format!(
        "POST /api/v1/campaigns/{CAMPAIGN}{path} HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    client.send(&[head.as_bytes(), body].concat()).unwrap()
}

#[test]
fn malformed_bodies_are_refused_with_the_field_and_the_reason() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let enter = "/gate/enter";
    let kind = "application/json";
    let field = |answer: &super::client::Answer| answer.json["errors"][0]["field"].clone();

    let truncated =
        post(&mut client, enter, kind, b"{\"name\":\"a\"").problem(400, "invalid_request");
    assert_eq!(field(&truncated), "body");
    let unknown =
        post(&mut client, enter, kind, b"{\"nam\":\"a\"}").problem(422, "invalid_request");
    assert!(
        unknown.json["errors"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("nam")
    );
    let double = br#"{"name":"a","name":"b","birth_date":"1967-01-01","code":"x"}"#;
    let double = post(&mut client, enter, kind, double).problem(422, "invalid_request");
    assert!(
        double.json["errors"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("duplicate")
    );
    let deep = [b"{\"name\":".as_slice(), &[b'['; 3_000]].concat();
    post(&mut client, enter, kind, &deep).is(422);
    post(&mut client, enter, kind, b"{\"name\":\"\xff\xfe\"}").is(400);
    post(&mut client, enter, kind, b"{} {}").problem(400, "invalid_request");
    post(&mut client, enter, kind, b"").problem(400, "invalid_request");
    post(&mut client, enter, kind, b"[1,2]").problem(422, "invalid_request");
    post(&mut client, enter, "text/plain", b"{}").problem(415, "invalid_request");
    let missing = post(&mut client, enter, kind, b"{}").problem(422, "invalid_request");
    assert_eq!(
        missing.json["errors"].as_array().unwrap().len(),
        3,
        "all faults in one go"
    );

    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(10_000));
    let mut other = server.client();
    post(&mut other, enter, kind, long.as_bytes()).problem(413, "invalid_request");

    for born in [
        "0001-01-01",
        "9999-12-31",
        "2021-02-29",
        "1967-2-3",
        "19670203",
        "1967-13-01",
        "ㄱ",
    ] {
        let mut someone = credentials(&person(OPEN, 0));
        someone["birth_date"] = born.into();
        let status = client.post(enter, None, &someone).status;
        assert!(matches!(status, 403 | 422), "{born}: {status}");
        let path = format!(
            "/openings?birth_date={}",
            if born == "ㄱ" { "%E3%84%B1" } else { born }
        );
        let status = client.get(&path, None).status;
        assert!(matches!(status, 200 | 422), "{born}: {status}");
    }
    client
        .get("/openings", None)
        .problem(422, "invalid_request");
    client
        .get("/openings?birth_date=1967-01-01&x=1", None)
        .problem(422, "invalid_request");
    client
        .get(
            "/openings?birth_date=1967-01-01&birth_date=1967-01-02",
            None,
        )
        .is(422);
    client.get("/openings?birth_date=%ff%fe", None).is(422);
}

#[test]
fn unknown_paths_methods_and_numbers_are_answered() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    client.get("//nothing", None).problem(404, "not_found");
    client
        .get("//api/v1/campaigns/other/gate/board", None)
        .problem(404, "not_found");
    let put = client
        .call("PUT", "/bookings", None, &[], None)
        .problem(405, "method_not_allowed");
    assert_eq!(put.header("allow"), Some("POST"));
    client
        .call("DELETE", "/gate/board", None, &[], None)
        .problem(405, "method_not_allowed");
    let session = client.session(&person(OPEN, 0));
    for body in [json!({}), json!({ "slot": "1", "hold": "1" })] {
        client
            .post("/bookings", Some(&session), &body)
            .problem(422, "invalid_request");
    }
    for slot in ["", "-1", "1.5", "99999999999999999999", "x", "１"] {
        let answer = client.post("/holds", Some(&session), &json!({ "slot": slot }));
        answer.problem(422, "invalid_request");
    }
    client
        .post("/holds", Some(&session), &json!({ "slot": 5 }))
        .problem(422, "invalid_request");
    for number in ["x", "%00", "7K3M-9QXT-2X", "%F0%9F%98%80"] {
        let path = format!("/bookings/{number}/cancel");
        client
            .post(&path, Some(&session), &Value::Null)
            .problem(404, "no_booking");
    }
    let long = "k".repeat(200);
    for key in ["", long.as_str()] {
        let body = json!({ "slot": "0" });
        client
            .post_once("/bookings", &session, key, &body)
            .problem(422, "invalid_request");
    }
    client
        .get("/sites?cursor=x", Some(&session))
        .problem(422, "invalid_request");
    client
        .get("/sites?cursor=4000000000", Some(&session))
        .is(200);
    client
        .get("/sites/A/slots", Some(&session))
        .problem(422, "invalid_request");
    client
        .get("/sites/A/slots?date=2021-02-29", Some(&session))
        .problem(422, "invalid_request");
    client
        .get("/sites/nowhere/days", Some(&session))
        .problem(404, "not_found");
    client
        .get("/bookings/mine", Some(&session))
        .problem(404, "no_booking");
}

#[test]
fn garbage_instead_of_http_ends_one_connection_and_nothing_else() {
    let world = World::new(1);
    let server = world.serve();
    for garbage in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/v1/now HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/now HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\
          Transfer-Encoding: chunked\r\n\r\n",
    ] {
        if let Ok(answer) = server.client().send(garbage) {
            assert!(matches!(answer.status, 400..500 | 505), "{answer:?}");
        }
    }
    server.client().get("//healthz", None).is(200);
}

#[test]
fn answers_are_in_the_language_asked_for_and_never_kept() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let english = client
        .get("/bookings/mine", None)
        .problem(401, "session_invalid");
    client.language = "ko-KR,ko;q=0.9,en;q=0.5";
    let korean = client
        .get("/bookings/mine", None)
        .problem(401, "session_invalid");
    assert_ne!(english.json["title"], korean.json["title"]);
    assert_eq!(korean.header("content-language"), Some("ko"));
    assert_eq!(korean.header("cache-control"), Some("no-store"));
    let entered = client
        .post("/gate/enter", None, &credentials(&person(OPEN, 0)))
        .is(200);
    let cookie = entered.header("set-cookie").unwrap();
    for part in [
        "__Host-sumun-place=",
        "Path=/",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let place = cookie.split(';').next().unwrap();
    let by_cookie = client
        .call("GET", "/gate/place", None, &[("Cookie", place)], None)
        .is(200);
    assert_eq!(by_cookie.json["place"], entered.json["place"]);
}

#[test]
fn the_description_names_every_call_of_the_contract_and_each_is_served() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let described = client.get("//api/openapi.json", None).is(200);
    assert!(
        described.json["openapi"]
            .as_str()
            .unwrap()
            .starts_with("3.1")
    );
    let campaign = "/api/v1/campaigns/{campaign}";
    let paths = described.json["paths"].as_object().unwrap();
    for (method, path) in [
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/api/v1/now"),
        ("get", campaign),
        ("get", "/openings"),
        ("post", "/gate/enter"),
        ("get", "/gate/board"),
        ("get", "/gate/place"),
        ("post", "/gate/admit"),
        ("post", "/gate/leave"),
        ("get", "/sites"),
        ("get", "/sites/{site}/days"),
        ("get", "/sites/{site}/slots"),
        ("post", "/holds"),
        ("delete", "/holds/{hold}"),
        ("post", "/holds/{hold}/extend"),
        ("post", "/bookings"),
        ("get", "/bookings/mine"),
        ("post", "/bookings/{number}/move"),
        ("post", "/bookings/{number}/cancel"),
    ] {
        let global = path.starts_with("/api") || path.ends_with('z');
        let full = if global {
            path.to_owned()
        } else {
            format!("{campaign}{path}")
        };
        assert!(
            paths
                .get(&full)
                .is_some_and(|item| item.get(method).is_some()),
            "{method} {full}"
        );
    }
    for (path, item) in paths {
        for method in item
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ["get", "post", "delete"].contains(&key.as_str()))
        {
            let path = path.replace("{campaign}", CAMPAIGN).replace(['{', '}'], "");
            let answer = client.call(&method.to_uppercase(), &format!("/{path}"), None, &[], None);
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(
                answer.status != 404 || answer.code() == "no_booking",
                "{method} {path}"
            );
        }
    }
}

/// What a strict reader of OpenMetrics wants: of each metric all that is said about it comes once,
/// before its first sample.
#[test]
fn metrics_are_said_once_each() {
    let world = World::new(1);
    let server = world.serve();
    let accept = [("Accept", "application/openmetrics-text;version=1.0.0")];
    let mut admin = Client::new(server.admin);
    let metrics = admin.call("GET", "//metrics", None, &accept, None).is(200);
    let text = super::world::text(&metrics.body);
    let mut said = std::collections::BTreeSet::new();
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        assert!(said.insert(line.to_owned()), "{line} twice");
    }
    assert!(text.contains("sumun_security_events_total{event=\"sign_in_failed\"} 0"));
    assert!(text.contains("sumun_requests_put_off_total{class=\"poll\"} 0"));
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn metrics_and_health_are_on_the_admin_listener_only() {
    let world = World::new(2);
    let server = world.serve();
    let mut admin = Client::new(server.admin);
    let session = server.session(&person(OPEN, 0));
    server.client().book(&session, "k", "0").is(201);
    let metrics = admin.get("//metrics", None).is(200);
    let text = super::world::text(&metrics.body);
    assert!(
        text.contains("sumun_bookings_made{campaign=\"test-open\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("sumun_sessions_active{campaign=\"test-open\"} 0"),
        "booked: {text}"
    );
    admin.get("//readyz", None).is(200);
    server
        .client()
        .get("//metrics", None)
        .problem(404, "not_found");
}
