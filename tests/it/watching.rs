//! What monitoring sees: that metrics are such as Prometheus takes them, that every metric which an
//! alert or the dashboard names is there, and that a refusal carries a reference.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::Client;
use super::world::{OPEN, Server, World, fresh_key, person, text};

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository(path)).unwrap()
}

fn scrape(server: &Server) -> String {
    let metrics = Client::new(server.admin).get("//metrics", None).is(200);
    let kind = metrics.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    text(&metrics.body)
}

/// Servers that together have everything that a metric tells: one that was used and has copies, and
/// one with a certificate.
struct Used {
    server: Server,
    with_tls: Server,
    _worlds: [World; 2],
}

impl Used {
    fn new() -> Self {
        let worlds = [World::new(3), World::new(1)];
        let noted = serde_json::json!({
            "places": { "/media/copies": {
                "last": 3, "at": "2026-01-01T00:00:00Z", "full_at": "2026-01-01T00:00:00Z",
                "sealed": true,
            } },
        });
        worlds[0].write("copies.json", &noted.to_string());
        let server = worlds[0].serve();
        let with_tls = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
            desk_listen = \"127.0.0.1:0\"\n";
        worlds[1].write("server.toml", with_tls);
        let with_tls = worlds[1].serve();
        let session = server.session(&person(OPEN, 0));
        let slot = server.slot(&session, "A", "2180-08-02", 0);
        let mut client = server.client();
        client.book(&session, &fresh_key(), &slot).is(201);
        client.get("/gate/board", None).is(200);
        let again = client.book(&session, &fresh_key(), &slot);
        again.problem(409, "already_booked");
        // Settled, and the disk and the notes looked at.
        std::thread::sleep(Duration::from_millis(2_500));
        Self {
            server,
            with_tls,
            _worlds: worlds,
        }
    }
}

/// The names of ours in a text.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    words
        .filter(|word| word.starts_with("sumun_"))
        .map(str::to_owned)
        .collect()
}

/// The names of the samples of a scrape.
fn samples(scrape: &str) -> BTreeSet<String> {
    let lines = scrape.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split(['{', ' ']).next().unwrap().to_owned())
        .collect()
}

/// The value of a sample.
fn value(scrape: &str, sample: &str) -> f64 {
    let mut lines = scrape.lines();
    let found = lines.find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let found = found.unwrap_or_else(|| panic!("no {sample} in\n{scrape}"));
    found.parse().unwrap()
}

/// Runs a tool of Prometheus; what it said.
fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut tool = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool of Debian's package prometheus; tests/all installs it");
    tool.stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let done = tool.wait_with_output().unwrap();
    let said = text(&done.stdout) + &text(&done.stderr);
    (done.status.success(), said)
}

/// A rule that never fires looks like a system that is well.
#[test]
fn every_alert_fires_when_it_should_and_is_quiet_when_it_should_not() {
    let rules = repository("systemd/monitoring/alerts.yml");
    let (good, said) = promtool(&["check", "rules", rules.to_str().unwrap()], "");
    assert!(good, "{said}");
    let tests = repository("tests/monitoring/alerts_test.yml");
    let (good, said) = promtool(&["test", "rules", tests.to_str().unwrap()], "");
    assert!(good, "{said}");
    let (rules, tests) = (
        read("systemd/monitoring/alerts.yml"),
        read("tests/monitoring/alerts_test.yml"),
    );
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        for kind in ["fires", "is quiet"] {
            let test = format!("- name: {alert} {kind}\n");
            assert!(tests.contains(&test), "{alert} has no test that it {kind}");
        }
    }
    let count = rules.matches("- alert: ").count();
    for part in ["summary:", "summary_ko:", "action:", "action_ko:"] {
        assert_eq!(rules.matches(&format!(" {part}")).count(), count, "{part}");
    }
}

#[test]
fn metrics_are_such_as_prometheus_takes_them_and_are_all_in_the_table() {
    let used = Used::new();
    let scrape = scrape(&used.server);
    let (good, said) = promtool(&["check", "metrics"], &scrape);
    assert!(good && said.trim().is_empty(), "{said}");
    let mut shown = samples(&scrape);
    shown.extend(samples(&self::scrape(&used.with_tls)));
    // A histogram's name alone stands in the table.
    let parts = ["_bucket", "_sum", "_count"];
    let is_histogram = |name: &str| scrape.contains(&format!("# TYPE {name} histogram\n"));
    let table = read("systemd/monitoring/README.md");
    for name in &shown {
        let mut ends = parts.iter();
        let whole = ends.find_map(|end| name.strip_suffix(end).filter(|name| is_histogram(name)));
        let name = whole.unwrap_or(name);
        let row = format!("| `{name}");
        assert!(table.contains(&row), "{name} is not in the table");
    }
    for file in ["alerts.yml", "grafana-dashboard.json"] {
        for name in names_in(&read(&format!("systemd/monitoring/{file}"))) {
            assert!(shown.contains(&name), "{file} names {name}");
        }
    }
    for name in names_in(&table) {
        let whole = |end: &str| shown.contains(&format!("{name}{end}"));
        let is_shown = shown.contains(&name) || parts.iter().any(|end| whole(end));
        assert!(is_shown, "the table has {name}, and no scrape");
    }
}

#[test]
fn what_was_answered_is_counted_by_call_class_status_and_code() {
    let Used { server, .. } = &Used::new();
    let scrape = scrape(server);
    let of = |call: &str, class: &str| {
        let labels = format!("{{call=\"{call}\",class=\"{class}\"}}");
        value(&scrape, &format!("sumun_answer_seconds_count{labels}"))
    };
    assert_eq!(of("book", "confirm"), 2.0);
    assert_eq!(of("board", "free"), 1.0);
    assert_eq!(of("enter", "enter"), 1.0);
    assert!(of("admit", "session") >= 1.0);
    let infinite = "{le=\"+Inf\",call=\"book\",class=\"confirm\"}";
    let bucket = format!("sumun_answer_seconds_bucket{infinite}");
    assert_eq!(value(&scrape, &bucket), 2.0);
    let refused = |code: &str| value(&scrape, &format!("sumun_refusals_total{{code=\"{code}\"}}"));
    assert_eq!(
        (refused("already_booked"), refused("slot_full")),
        (1.0, 0.0)
    );
    let status = |of: &str| value(&scrape, &format!("sumun_answers_total{{status=\"{of}\"}}"));
    assert!(status("2xx") >= 4.0 && status("4xx") >= 1.0);
    for name in ["writer_queue", "commit", "settle"] {
        let count = format!("sumun_{name}_seconds_count");
        assert!(value(&scrape, &count) >= 1.0, "{count}");
    }
    let seats = |state: &str| {
        let labels = format!("{{campaign=\"test-open\",state=\"{state}\"}}");
        value(&scrape, &format!("sumun_seats{labels}"))
    };
    let capacity = value(&scrape, "sumun_seats_capacity{campaign=\"test-open\"}");
    assert_eq!((seats("booked"), seats("held")), (2.0, 0.0));
    assert_eq!(seats("free") + 2.0, capacity);
    let admitted = "sumun_gate_admitted_total{campaign=\"test-open\"}";
    assert_eq!(value(&scrape, admitted), 1.0);
    for bytes in ["data_file", "tail", "disk_free", "resident_memory"] {
        assert!(
            value(&scrape, &format!("sumun_{bytes}_bytes")) > 0.0,
            "{bytes}"
        );
    }
    // OpenMetrics to who asks for it.
    let accept = [("Accept", "application/openmetrics-text;version=1.0.0")];
    let mut client = Client::new(server.admin);
    let open = client.call("GET", "//metrics", None, &accept, None).is(200);
    assert!(text(&open.body).ends_with("# EOF\n"));
}

/// Asks a server on loopback; the body of its answer.
fn ask(address: SocketAddr, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

/// Ended when dropped, by its own process id.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The rules and a scrape in Prometheus itself, as an agency would run it.
#[test]
fn a_real_prometheus_loads_the_rules_and_knows_every_metric_that_they_name() {
    let used = Used::new();
    let folder = tempfile::tempdir().unwrap();
    let rules = repository("systemd/monitoring/alerts.yml");
    let settings = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n  - job_name: sumun\n    static_configs: [{{ targets: ['{}', '{}'] }}]\n",
        rules.display(),
        used.server.admin,
        used.with_tls.admin
    );
    let file = folder.path().join("prometheus.yml");
    std::fs::write(&file, settings).unwrap();
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let prometheus = Command::new("prometheus")
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Debian's package prometheus; tests/all installs it");
    let _prometheus = Ended(prometheus);
    let mut wanted = names_in(&read("systemd/monitoring/alerts.yml"));
    wanted.extend(names_in(&read("systemd/monitoring/grafana-dashboard.json")));
    let began = Instant::now();
    while let Some(name) = wanted.first().cloned() {
        let found = ask(port, &format!("/api/v1/query?query={name}"));
        let result = found
            .as_ref()
            .and_then(|found| found["data"]["result"].as_array());
        if result.is_some_and(|result| !result.is_empty()) {
            wanted.pop_first();
            continue;
        }
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{name}: {found:?}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let rules = ask(port, "/api/v1/rules").unwrap();
    let rules = rules["data"]["groups"][0]["rules"]
        .as_array()
        .unwrap()
        .clone();
    let alerts = read("systemd/monitoring/alerts.yml")
        .matches("- alert: ")
        .count();
    assert_eq!(rules.len(), alerts);
    let states: BTreeSet<_> = rules.iter().map(|rule| rule["health"].as_str()).collect();
    assert!(!states.contains(&Some("err")), "{rules:#?}");
}

#[test]
fn the_dashboard_needs_no_plugin_and_every_panel_asks_for_something() {
    let dashboard: Value =
        serde_json::from_str(&read("systemd/monitoring/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 15);
    for panel in panels {
        let kind = panel["type"].as_str().unwrap();
        assert!(
            ["row", "stat", "timeseries", "table", "gauge"].contains(&kind),
            "{kind}"
        );
        let asks = panel["targets"].as_array();
        assert!(
            kind == "row" || asks.is_some_and(|asks| !asks.is_empty()),
            "{panel}"
        );
    }
}

/// Somebody telephones: "it said no". Which of a million answers was that?
#[test]
fn every_refusal_carries_a_reference_that_no_other_has() {
    let world = World::new(2);
    let server = Server::start(world.folder.path(), |command| {
        // What the journal would set, of another file: the lines stay plain JSON.
        command.env("JOURNAL_STREAM", "1:2");
    });
    let mut client = server.client();
    let mut seen = BTreeSet::new();
    let mut note = |answer: &super::client::Answer| {
        let id = answer
            .header("x-request-id")
            .unwrap_or_else(|| panic!("{answer:?}"));
        assert_eq!(id.len(), 8, "{id}");
        assert!(seen.insert(id.to_owned()), "{id} twice");
        id.to_owned()
    };
    for path in ["/bookings/mine", "/gate/place", "/nothing"] {
        let refused = client.get(path, None);
        assert!(refused.status >= 400);
        let id = note(&refused);
        assert_eq!(refused.json["request_id"], id, "{refused:?}");
    }
    note(&client.get("//api/v1/now", None).is(200));
    // A page shows it.
    let html = [("Accept", "text/html")];
    for path in ["//ko/test-open/nothing", "//ko/test-open/book"] {
        let page = client.call("GET", path, None, &html, None);
        if page.status < 400 {
            continue;
        }
        let id = note(&page);
        let shown = text(&page.body);
        assert!(
            shown.contains("문의 번호") && shown.contains(&id),
            "{shown}"
        );
    }
    let head = client.send(b"BAD \x01 HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(head.status, 400);
    note(&head);
    // What everybody asks for is prepared, and has none.
    let board = server.client().get("/gate/board", None).is(200);
    assert_eq!(board.header("x-request-id"), None);
}

/// The journal's own priorities are of no use if every line is `info`.
#[test]
fn lines_for_the_journal_have_their_priority_in_front() {
    let world = World::new(1);
    let file = world.path("stderr.log");
    let stderr = std::fs::File::create(&file).unwrap();
    let about = std::os::unix::fs::MetadataExt::ino(&stderr.metadata().unwrap());
    let device = std::os::unix::fs::MetadataExt::dev(&stderr.metadata().unwrap());
    let server = Command::new(env!("CARGO_BIN_EXE_sumun"))
        .arg("serve")
        .arg("--data")
        .arg(world.folder.path())
        .env("JOURNAL_STREAM", format!("{device}:{about}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let _server = Ended(server);
    let began = Instant::now();
    loop {
        let log = std::fs::read_to_string(&file).unwrap();
        if let Some(line) = log.lines().find(|line| line.contains("\"ready\"")) {
            let json = line.strip_prefix("<6>").unwrap_or_else(|| panic!("{line}"));
            let said: Value = serde_json::from_str(json).unwrap();
            assert_eq!(said["level"], "INFO");
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{log}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn doctor_says_what_is_wrong_with_permissions_copies_and_drills() {
    let world = World::new(1);
    let doctor = || {
        let said = world.run(&["doctor", "--json"]);
        let json: Value = serde_json::from_str(&text(&said.stdout)).unwrap();
        (said.status.code(), json)
    };
    let check = |json: &Value, name: &str| {
        let mut checks = json["checks"].as_array().unwrap().iter();
        let found = checks.find(|check| check["check"] == name);
        let found = found.unwrap_or_else(|| panic!("no {name} in {json}"));
        let flag = |name: &str| found[name].as_bool().unwrap();
        let detail = found["detail"].as_str().unwrap().to_owned();
        (flag("ok"), flag("warns"), detail)
    };
    let (_, fresh) = doctor();
    for name in ["copies", "drill"] {
        let (ok, warns, detail) = check(&fresh, name);
        assert!(ok && warns && detail.contains("run `sumun "), "{detail}");
    }
    let names = [
        "disk speed",
        "kernel queues",
        "clock source",
        "permissions",
        "file limit",
    ];
    for name in names {
        check(&fresh, name);
    }
    // A clerk's copy of the secrets for everybody.
    let staff = world.path("keys.json.old");
    std::fs::write(&staff, "a copy").unwrap();
    let mode = |mode: u32| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&staff, permissions).unwrap();
    };
    mode(0o644);
    let (code, json) = doctor();
    let (ok, _, detail) = check(&json, "permissions");
    let run = format!("chmod 600 {}", staff.display());
    assert!(code == Some(1) && !ok && detail.contains(&run), "{detail}");
    mode(0o600);
    // A copier that stopped while the server runs, and a drill that failed.
    let note = |at: &str, is_good: bool| {
        let noted = serde_json::json!({
            "places": { "/media/copies": { "last": 3, "at": at, "full_at": at, "sealed": true } },
            "drill": { "at": at, "is_good": is_good, "last": 3 },
        });
        world.write("copies.json", &noted.to_string());
    };
    note("2026-01-01T00:00:00Z", true);
    let (_, json) = doctor();
    assert!(check(&json, "copies").0, "no server runs: {json}");
    let (ok, _, detail) = check(&json, "drill");
    assert!(
        !ok && detail.contains("sumun restore DIR --drill"),
        "{detail}"
    );
    let server = world.serve();
    let (code, json) = doctor();
    let (ok, _, detail) = check(&json, "copies");
    assert!(code == Some(1) && !ok, "{detail}");
    assert!(
        detail.contains("entry 3") && detail.contains("sumun backup follow"),
        "{detail}"
    );
    note(&sumun::clock::wall().instant().to_string(), false);
    let (_, json) = doctor();
    assert!(check(&json, "copies").0, "{json}");
    assert!(!check(&json, "drill").0, "{json}");
    std::thread::sleep(Duration::from_millis(1_500));
    let scrape = scrape(&server);
    assert_eq!(value(&scrape, "sumun_copy_places"), 1.0);
    assert_eq!(
        value(&scrape, "sumun_copy_last_entry{place=\"/media/copies\"}"),
        3.0
    );
    assert_eq!(value(&scrape, "sumun_drill_good"), 0.0);
    assert!(value(&scrape, "sumun_drill_timestamp_seconds") > 0.0);
}
