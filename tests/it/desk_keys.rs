//! Keys of the agency's own programs: what each may read, where, and until when.

use serde_json::{Value, json};
use sumun::domain::staff::api_key::Scope;
use sumun::web::desk::table;

use super::client::Client;
use super::desk::{Clerk, api, desk, nowhere};
use super::world::{CAMPAIGN, World, text};

/// A day within a year of the tests' clock.
fn soon() -> String {
    let now = sumun::clock::wall();
    now.plus_s(30 * 86_400).instant().to_string()[..10].to_owned()
}

fn key(admin: &mut Clerk, name: &str, scopes: &[&str], campaigns: &[&str]) -> (u64, String) {
    let asked = json!({
        "name": name, "scopes": scopes, "bounds": { "campaigns": campaigns },
        "last_day": soon(), "reason": "a program",
    });
    let made = admin.post("/keys", &asked).is(200).json;
    let secret = made["secret"].as_str().unwrap().to_owned();
    (made["id"].as_u64().unwrap(), secret)
}

/// Every route is asked with a key of every scope, and with one of all scopes.
#[test]
fn a_key_comes_to_the_calls_of_its_scope_and_to_no_others() {
    let world = World::new(3);
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let mut keys: Vec<(Vec<Scope>, String)> = Vec::new();
    for scope in Scope::ALL {
        keys.push((
            vec![scope],
            key(&mut admin, scope.name(), &[scope.name()], &[]).1,
        ));
    }
    let all = Scope::ALL.map(Scope::name);
    keys.push((Scope::ALL.to_vec(), key(&mut admin, "all", &all, &[]).1));
    let (rules, _) = table();
    let mut client = Client::new(desk(&server));
    let (mut admitted, mut refused) = (0, 0);
    for rule in rules.iter().filter(|rule| rule.roles.is_some()) {
        let method = rule.method.as_str();
        // What a key may call changes nothing: it is read, or worked out and thrown away.
        assert!(
            rule.scope.is_none() || method == "GET" || rule.path.ends_with("/preview"),
            "{method} {}",
            rule.path
        );
        let path = nowhere(&rule.path);
        assert!(!path.contains('{'), "{path}: say what stands there");
        if path.ends_with("/events") {
            // A stream: it is asked for in a test of its own.
            continue;
        }
        let is_page = !path.starts_with("/api/");
        assert!(
            rule.scope.is_none() || !is_page,
            "{path}: a page is a person's"
        );
        let body = (method != "GET").then(|| json!({}));
        for (scopes, secret) in &keys {
            let path = format!("/{path}");
            let answer = client.call(method, &path, Some(secret), &[], body.as_ref());
            let may = rule.scope.is_some_and(|scope| scopes.contains(&scope));
            if may {
                assert!(answer.status < 500, "{method} {path}: {answer:?}");
                assert!(
                    ![401, 403].contains(&answer.status),
                    "{method} {path}: {answer:?}"
                );
                admitted += 1;
            } else if is_page {
                assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
                refused += 1;
            } else {
                answer.problem(403, "not_yours");
                refused += 1;
            }
        }
    }
    assert!(admitted > 8 && refused > 100, "{admitted} {refused}");
    // It is sent as a Bearer token; in a cookie it is nobody's.
    let cookie = format!("__Host-sumun-desk={}", keys[0].1);
    let answer = client.call("GET", &api("/board"), None, &[("Cookie", &cookie)], None);
    answer.problem(401, "signed_out");
}

#[test]
fn a_key_is_shown_once_and_ends_when_it_is_ended() {
    let world = World::new(3);
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let (id, secret) = key(&mut admin, "wall", &["board"], &[CAMPAIGN]);
    assert!(secret.starts_with("sumun_") && secret.len() == 70);
    let listed = admin.get("/keys").is(200).json["keys"][0].clone();
    assert_eq!(
        (&listed["state"], &listed["used_at"], &listed["made_by"]),
        (&json!("good"), &Value::Null, &json!("boss"))
    );
    let mut client = Client::new(desk(&server));
    client.get(&api("/board"), Some(&secret)).is(200);
    let used = admin.get("/keys").is(200).json["keys"][0]["used_at"].clone();
    assert!(used.is_string());
    let mut wrong = secret.clone();
    wrong.replace_range(69.., if secret.ends_with('0') { "1" } else { "0" });
    client
        .get(&api("/board"), Some(&wrong))
        .problem(401, "key_wrong");
    // Whoever has the journal or an export of it has no key.
    let exported = text(&world.run(&["audit", "export"]).stdout);
    assert!(exported.contains("api_key_made") && !exported.contains(&secret[6..]));
    // A stream of events ends soon after the key does.
    let mut stream = events(&server, &secret);
    assert!(stream.next_event());
    let ended = admin.client.call(
        "DELETE",
        &api(&format!("/keys/{id}")),
        Some(&admin.token.clone()),
        &[],
        None,
    );
    assert_eq!(ended.is(200).json["state"], "ended");
    client
        .get(&api("/board"), Some(&secret))
        .problem(401, "key_wrong");
    assert!((0..20).any(|_| !stream.next_event()), "the stream goes on");
    // It stays ended, and others stay good, over a start.
    let (_, other) = key(&mut admin, "other", &["record"], &[]);
    assert!(server.stop().success());
    let server = world.serve();
    let mut client = Client::new(desk(&server));
    client
        .get(&api("/board"), Some(&secret))
        .problem(401, "key_wrong");
    let day = sumun::clock::wall().instant().to_string()[..10].to_owned();
    let path = api(&format!("/record?date={day}"));
    let acts = client.get(&path, Some(&other)).is(200).json;
    let kinds = |kind: &str| {
        let all = acts["acts"].as_array().unwrap().iter();
        all.filter(|act| act["what"] == kind && act["who"] == "boss")
            .count()
    };
    // The day in Seoul may be the next one already.
    let next = sumun::clock::wall().plus_s(86_400).instant().to_string()[..10].to_owned();
    let path = api(&format!("/record?date={next}"));
    let later = client.get(&path, Some(&other)).is(200).json;
    let later = later.to_string().matches("api_key_ended").count();
    assert_eq!(kinds("api_key_ended") + later, 1);
    client
        .get(&api("/record?date=x"), Some(&other))
        .problem(422, "invalid_request");
}

/// The events of a board, as they come.
struct Stream(std::io::BufReader<std::net::TcpStream>);

fn events(server: &super::world::Server, secret: &str) -> Stream {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(desk(server)).unwrap();
    let wait = std::time::Duration::from_secs(20);
    stream.set_read_timeout(Some(wait)).unwrap();
    let asked = format!(
        "GET /api/desk/v1/board/events HTTP/1.1\r\nHost: desk\r\n\
         Authorization: Bearer {secret}\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).unwrap();
    Stream(std::io::BufReader::new(stream))
}

impl Stream {
    /// Whether another event comes.
    fn next_event(&mut self) -> bool {
        use std::io::BufRead as _;
        loop {
            let mut line = String::new();
            match self.0.read_line(&mut line) {
                Ok(0) => return false,
                // The chunk of no bytes is the end.
                Ok(_) if line == "0\r\n" => return false,
                Ok(_) if line.starts_with("data:") => return true,
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_key_that_can_not_be_is_refused_with_why() {
    let world = World::new(3);
    let server = world.serve();
    let mut admin = Clerk::of(&world, &server, "boss", "administrator");
    let good = json!({
        "name": "wall", "scopes": ["board"], "last_day": soon(), "reason": "a program",
    });
    let mut refused = |field: &str, value: Value| {
        let mut asked = good.clone();
        asked[field] = value;
        let told = admin.post("/keys", &asked).problem(409, "not_possible");
        told.json["why"].as_str().unwrap().to_owned()
    };
    assert!(refused("last_day", json!("2019-01-01")).contains("within 400 days"));
    assert!(refused("last_day", json!("2099-01-01")).contains("within 400 days"));
    assert!(refused("last_day", json!("soon")).contains("written as"));
    assert!(refused("name", json!("Wall 1")).contains("no name of a key"));
    assert!(refused("reason", json!(" ")).contains("a reason"));
    assert!(refused("scopes", json!([])).contains("at least one scope"));
    let why = refused("bounds", json!({ "campaigns": ["kr-none"] }));
    assert!(why.contains("`kr-none` is not active"), "{why}");
    let why = refused("bounds", json!({ "provinces": ["11"] }));
    assert!(why.contains("can't be bounded so"), "{why}");
    let scopes = json!({
        "name": "wall", "scopes": ["all"], "last_day": soon(), "reason": "a program",
    });
    admin.post("/keys", &scopes).problem(422, "invalid_request");
    admin.post("/keys", &good).is(200);
    admin.post("/keys", &good).problem(409, "not_possible");
}
