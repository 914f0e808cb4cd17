//! Both OpenAPI descriptions, asked by Schemathesis: each call is made with what its description
//! allows and with what it does not, and no answer may be a server's error, undescribed, or unlike
//! its description. On the citizens' listener as somebody who waits and as somebody who is in; at
//! the desk as an administrator, an approver and a site.
//!
//! `SUMUN_CONTRACT_EXAMPLES` (default 3) is how many generated cases a call gets in each of these,
//! beside the cases at the bounds of its description.

#[allow(dead_code)]
#[path = "../it/answers.rs"]
mod answers;
#[allow(dead_code)]
#[path = "../it/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "../pages/demo.rs"]
mod demo;
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use client::Client;
use data_encoding::BASE32_NOPAD;
use demo::Demo;
use serde_json::{Value, json};
use sumun::clock::wall;
use sumun::identity::staff::otp;

const CAMPAIGN: &str = "kr-2021-50s";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
}

/// What ends the session or the place under which everything else is asked: it is asked last.
const ENDS: &str = r#"
[[operations]]
include-path = "/api/desk/v1/session"
include-method = "DELETE"
enabled = false

[[operations]]
include-path = "/api/v1/campaigns/{campaign}/gate/leave"
enabled = false
"#;

/// Values that exist, so that more is asked than whether there is such a thing; and what is never
/// asked, with the reason.
fn settings(site: &str, slot: &str) -> String {
    format!(
        r#"
[parameters]
"path.campaign" = "{CAMPAIGN}"
"path.site" = "{site}"
"path.slot" = ["{slot}", "4000000000"]
"path.number" = [1, 2, 999999]
# The accounts behind these are not those that ask: ending one's own sessions ends the test.
"path.id" = [7, 999999]

# A stream without an end.
[[operations]]
include-path = "/api/desk/v1/board/events"
enabled = false
"#
    )
}

/// Somebody who asks, by whose listener and description.
struct Asker<'a> {
    who: &'a str,
    token: &'a str,
    base: &'a str,
    description: &'a str,
}

/// Asks every call that a description has, or `only` this one; how many answers were a success.
fn asked(asker: &Asker<'_>, settings: &str, only: Option<&str>) -> usize {
    let Asker {
        who,
        token,
        base,
        description,
    } = asker;
    let program = target().join("schemathesis/bin/st");
    assert!(
        program.exists(),
        "Schemathesis is missing: tests/all installs it"
    );
    let folder = target().join("contract");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{who}.toml"));
    fs::write(&file, settings).unwrap();
    let report = folder.join(format!("{who}.ndjson"));
    let examples = std::env::var("SUMUN_CONTRACT_EXAMPLES").unwrap_or_else(|_| "3".to_owned());
    let mut command = Command::new(program);
    command.arg("--config-file").arg(file);
    command.args(["run", &format!("{base}{description}"), "--url", base]);
    command.args(["--header", &format!("Authorization: Bearer {token}")]);
    command.args(["--max-examples", &examples, "--phases", "coverage,fuzzing"]);
    command.args(["--generation-deterministic", "--checks", CHECKS]);
    command.args(["--suppress-health-check", "all", "--request-timeout", "20"]);
    command.args(["--no-shrink", "--no-color", "--warnings", "off"]);
    command.args(["--report", "ndjson", "--report-ndjson-path"]);
    command.arg(&report).current_dir(&folder);
    command.args(only.map(|path| format!("--include-path={path}")));
    let done = command.output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(done.status.success(), "as {who}: {said}");
    let report = fs::read_to_string(report).unwrap();
    report.matches("\"status_code\":20").count()
}

/// Asks everything, and last what ends the asking. Too few successes would mean that the calls
/// were asked by nobody.
fn all_asked(asker: &Asker<'_>, settings: &str, last: &str) {
    let successes = asked(asker, &format!("{settings}{ENDS}"), None);
    assert!(successes >= 20, "as {}: {successes} successes", asker.who);
    let ended = asked(asker, settings, Some(last));
    assert!(ended >= 1, "as {}: {last} has ended nothing", asker.who);
}

#[test]
fn what_citizens_call_answers_as_it_is_described() {
    let demo = Demo::open();
    let mut client = demo.client();
    let session = demo.lets_in(0);
    let sites = client.get("/sites?region=11", Some(&session)).is(200);
    let site = sites.json["sites"][0]["site"].as_str().unwrap().to_owned();
    let settings = settings(&site, "0");
    let place = client.enter(&demo.people[1]);
    for (who, token) in [("waiting", &place), ("in", &session)] {
        let asker = Asker {
            who,
            token,
            base: &demo.base(),
            description: "/api/openapi.json",
        };
        let leave = "/api/v1/campaigns/{campaign}/gate/leave";
        all_asked(&asker, &settings, leave);
    }
}

/// Somebody of the desk, signed in.
struct Clerk {
    client: Client,
    token: String,
}

impl Clerk {
    fn of(demo: &Demo, name: &str) -> Self {
        let mut staff = demo.staff.iter();
        let [_, password, secret] = staff.find(|[known, ..]| known == name).unwrap();
        let secret = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        let address = base(demo).trim_start_matches("http://").parse().unwrap();
        let mut client = Client::new(address);
        let code = otp::code(&secret, wall());
        let body = json!({ "name": name, "password": password, "otp": code });
        let signed = client.post("//api/desk/v1/sign-in", None, &body).is(200);
        let token = signed.json["token"].as_str().unwrap().to_owned();
        Self { client, token }
    }

    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let path = format!("//api/desk/v1{path}");
        let answer = self
            .client
            .call(method, &path, Some(&self.token), &[], body);
        answer.is(200).json
    }
}

fn base(demo: &Demo) -> &str {
    demo.desk.trim_end_matches("/desk")
}

#[test]
fn what_the_desk_is_asked_answers_as_it_is_described() {
    let demo = Demo::open();
    let mut operator = Clerk::of(&demo, "operator");
    let mut clerk = Clerk::of(&demo, "site");
    // The site of the site's people, a slot of it, an act on it and two proposals.
    let sites = format!("/campaigns/{CAMPAIGN}/sites");
    let site = clerk.call("GET", &sites, None)["sites"][0]["site"].clone();
    let site = site.as_str().unwrap();
    let days = clerk.call("GET", &format!("{sites}/{site}"), None);
    let date = days["days"][0]["date"].as_str().unwrap();
    let day = clerk.call("GET", &format!("{sites}/{site}?date={date}"), None);
    let slot = day["slots"][0]["slot"].to_string().replace('"', "");
    let range = json!({ "sites": [site], "from": date, "until": date });
    let stop = json!({ "range": range, "reason": "정전" });
    let stopping = format!("/campaigns/{CAMPAIGN}/stop");
    operator.call("POST", &stopping, Some(&stop));
    let reopen = json!({
        "kind": "reopen", "campaign": CAMPAIGN, "reason": "mended", "range": range,
    });
    for _ in 0..2 {
        operator.call("POST", "/proposals", Some(&reopen));
    }
    let settings = settings(site, &slot);
    let admin = Clerk::of(&demo, "admin");
    let approver = Clerk::of(&demo, "approver");
    let everybody = [
        ("site", &clerk),
        ("approver", &approver),
        ("administrator", &admin),
    ];
    for (who, clerk) in everybody {
        let asker = Asker {
            who,
            token: &clerk.token,
            base: base(&demo),
            description: "/api/desk/openapi.json",
        };
        all_asked(&asker, &settings, "/api/desk/v1/session");
    }
}
