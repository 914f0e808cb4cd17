//! The command line: exit codes, messages that say what to do, and work beside a running server.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::world::{CAMPAIGN, OPEN, World, campaign_text, person, roster_text, text};

#[test]
fn every_command_has_help_with_an_example() {
    let commands: &[&[&str]] = &[
        &[],
        &["init"],
        &["demo"],
        &["serve"],
        &["backup"],
        &["restore"],
        &["verify"],
        &["doctor"],
        &["campaign", "check"],
        &["campaign", "diff"],
        &["campaign", "activate"],
        &["campaign", "list"],
        &["campaign", "timeline"],
        &["campaign", "explain"],
        &["campaign", "preview"],
        &["agency", "check"],
        &["agency", "diff"],
        &["agency", "activate"],
        &["agency", "list"],
        &["roster", "import"],
        &["roster", "stats"],
        &["sites", "import"],
        &["slots", "import"],
        &["audit", "export"],
        &["audit", "verify"],
        &["audit", "head"],
        &["audit", "draw"],
        &["audit", "checkpoint"],
        &["audit", "prove"],
        &["audit", "witness", "init"],
        &["audit", "witness", "cosign"],
        &["audit", "witness", "seen"],
        &["gate", "status"],
        &["gate", "pause"],
        &["gate", "resume"],
        &["gate", "rate"],
        &["gate", "active"],
        &["gate", "message"],
        &["gate", "draw-value"],
        &["certs", "request"],
        &["certs", "renew"],
        &["certs", "show"],
        &["rush", "simulate"],
        &["rush", "evenings"],
        &["rush", "sweep"],
        &["rush", "certify"],
    ];
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_sumun"))
            .args(*command)
            .arg("--help")
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{command:?}");
        assert!(
            text(&output.stdout).contains("Example:\n  sumun"),
            "{command:?}"
        );
    }
    let wrong = Command::new(env!("CARGO_BIN_EXE_sumun"))
        .arg("bok")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_faulty_file_is_reported_whole_and_changes_nothing() {
    let world = World::new(3);
    let before = world.ok(&["audit", "head"]);
    let bad = world.write(
        "bad.csv",
        "name,birth_date,code,phone,region,groups\nA,1967-02-30,X,,,\nB,1967-03-01,0000000001,,,\n",
    );
    let refused = world.run(&["roster", "import", bad.to_str().unwrap(), "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    let report: Value = serde_json::from_str(&text(&refused.stdout)).unwrap();
    assert_eq!(report["faults"][0]["line"], 2);
    let human = text(
        &world
            .run(&["roster", "import", bad.to_str().unwrap()])
            .stdout,
    );
    assert!(
        human.contains("line 2, birth_date") && human.contains("line 3, code"),
        "{human}"
    );
    let campaign = world.write("bad.toml", &campaign_text("surprise = 1\n"));
    let refused = world.run(&["campaign", "activate", campaign.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stdout).contains("surprise"),
        "{}",
        text(&refused.stdout)
    );
    let missing = world.run(&["sites", "import", "/nowhere.csv", "--campaign", CAMPAIGN]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("/nowhere.csv"));
    let unknown = world.run(&[
        "slots",
        "import",
        bad.to_str().unwrap(),
        "--campaign",
        "other",
    ]);
    assert!(text(&unknown.stdout).contains("not active"));
    assert_eq!(world.ok(&["audit", "head"]), before);
}

#[test]
fn a_second_roster_is_a_reviewed_difference_and_takes_no_booking_away() {
    let world = World::new(10);
    let server = world.serve();
    let (kept, gone) = (person(OPEN, 9), person(OPEN, 8));
    let sessions = [server.session(&kept), server.session(&gone)];
    for session in &sessions {
        server.client().book(session, session, "7").is(201);
    }
    let mut changed = roster_text(10).replace("010-1234-0000", "010-9999-0000");
    changed = changed
        .lines()
        .filter(|line| !line.contains(&gone.code))
        .collect::<Vec<_>>()
        .join("\n");
    let file = world.write("second.csv", &changed);
    let file = file.to_str().unwrap();
    let told = world.run(&["--json", "roster", "import", file, "--dry-run"]);
    assert_eq!(told.status.code(), Some(1), "as the import itself");
    let dry: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&dry["added"], &dry["gone"]),
        (&0.into(), &1.into()),
        "{dry}"
    );
    assert_eq!(
        dry["changed_fields"]["phone"], 4,
        "the others' first ones share the number"
    );
    assert_eq!(
        world.ok(&["roster", "stats"])["version"],
        1,
        "a dry run changes nothing"
    );
    let done = world.ok(&["roster", "import", file, "--accept-gone", "1"]);
    assert_eq!((&done["version"], &done["gone"]), (&2.into(), &1.into()));
    for session in &sessions {
        server.client().get("/bookings/mine", Some(session)).is(200);
    }
    // Who is gone with a booking is still found.
    let entered = server.client().enter(&gone);
    assert!(!entered.is_empty());
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn operators_work_while_the_server_runs() {
    let world = World::new(5);
    let server = world.serve();
    let session = server.session(&person(OPEN, 0));
    server.client().book(&session, "k", "7").is(201);
    let listed = world.ok(&["campaign", "list"]);
    assert_eq!(listed["campaigns"][0]["bookings"], 1);
    assert_eq!(
        world.ok(&[
            "campaign",
            "activate",
            world.path("campaign.toml").to_str().unwrap()
        ])["changed"],
        false
    );
    let next = world.write(
        "next.toml",
        &campaign_text("").replace("hold_s = 300", "hold_s = 60"),
    );
    assert_eq!(
        world.ok(&["campaign", "activate", next.to_str().unwrap()])["version"],
        2
    );
    let fewer = world.write(
        "fewer.csv",
        "site,vaccine,date,start,end,public,assisted\nB,mrna,2180-08-02,09:00,09:30,0,0\n\
         B,mrna,2180-08-05,09:00,09:30,1,0\n",
    );
    let refused = world.run(&[
        "slots",
        "import",
        fewer.to_str().unwrap(),
        "--campaign",
        CAMPAIGN,
    ]);
    assert_eq!(
        refused.status.code(),
        Some(1),
        "a capacity under what is booked"
    );
    let fewer = world.write(
        "fewer.csv",
        "site,vaccine,date,start,end,public,assisted\nB,mrna,2180-08-05,09:00,09:30,1,0\n",
    );
    let done = world.ok(&[
        "slots",
        "import",
        fewer.to_str().unwrap(),
        "--campaign",
        CAMPAIGN,
    ]);
    assert_eq!(done["changed"], 1);
    let other = server.session(&person(OPEN, 1));
    server.client().book(&other, "k", "8").is(201);
    let third = server.session(&person(OPEN, 2));
    server
        .client()
        .book(&third, "k", "9")
        .problem(409, "slot_full");

    let backup = world.path("backup.redb");
    let kept = world.ok(&["backup", backup.to_str().unwrap()]);
    assert!(kept["entries"].as_u64().unwrap() > 5);
    assert_eq!(
        world
            .run(&["backup", backup.to_str().unwrap()])
            .status
            .code(),
        Some(1)
    );
    world.ok(&["verify", backup.to_str().unwrap()]);
    world.ok(&["verify"]);
    let preview = world.ok(&[
        "campaign",
        "preview",
        next.to_str().unwrap(),
        "--at",
        "2030-01-01T00:00",
    ]);
    assert_eq!(preview["counts"]["eligible"], 5, "{preview}");

    let target = tempfile::tempdir().unwrap();
    fs::copy(world.path("keys.json"), target.path().join("keys.json")).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_sumun"))
        .args(["restore", backup.to_str().unwrap(), "--json", "--data"])
        .arg(target.path())
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", text(&status.stderr));
    let answer: Value = serde_json::from_str(&text(&status.stdout)).unwrap();
    assert_eq!(answer["keys_fit"], true);
    let missing = ["server.toml", "certs/server.pem", "certs/server.key"];
    assert_eq!(answer["missing"], Value::from(missing.to_vec()));
    fs::copy(world.path("server.toml"), target.path().join("server.toml")).unwrap();
    let restored = super::world::Server::start(target.path(), |_| {});
    restored
        .client()
        .get("/bookings/mine", Some(&session))
        .is(200);
}

/// A demo on a folder, ready; ended when dropped.
pub struct Demo {
    child: std::process::Child,
    pub ready: Value,
}

impl Demo {
    pub fn start(folder: &std::path::Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command.args(["demo", "--plain-http", "--listen", "127.0.0.1:0", "--json"]);
        command.args(arguments).arg("--data").arg(folder);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut line).unwrap();
        Self {
            child,
            ready: serde_json::from_str(&line).expect("one line of JSON when ready"),
        }
    }

    pub fn client(&self) -> super::client::Client {
        let address = self.ready["base_url"]
            .as_str()
            .unwrap()
            .strip_prefix("http://")
            .unwrap();
        let mut client = super::client::Client::new(address.parse().unwrap());
        client.campaign = self.ready["campaign"].as_str().unwrap().to_owned();
        client
    }

    pub fn person(&self, at: usize) -> super::world::Person {
        let text = |name: &str| self.ready["people"][at][name].as_str().unwrap().to_owned();
        let (name, birth_date, code) = (text("name"), text("birth_date"), text("code"));
        super::world::Person {
            name,
            birth_date,
            code,
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first slots with a free seat that a demo offers.
pub fn free_slots(client: &mut super::client::Client, session: &str) -> Vec<String> {
    let sites = client.get("/sites", Some(session)).is(200);
    let mut found = Vec::new();
    for site in sites.json["sites"].as_array().unwrap() {
        let site = site["site"].as_str().unwrap();
        let days = client
            .get(&format!("/sites/{site}/days"), Some(session))
            .is(200);
        let free = days.json["days"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|day| day["free"] != 0);
        for day in free {
            let date = day["date"].as_str().unwrap();
            let path = format!("/sites/{site}/slots?date={date}");
            let slots = client.get(&path, Some(session)).is(200);
            let slots = slots.json["slots"].as_array().unwrap();
            let free = slots.iter().filter(|slot| slot["free"] != 0);
            found.extend(free.map(|slot| slot["slot"].as_str().unwrap().to_owned()));
            if found.len() > 1 {
                return found;
            }
        }
    }
    panic!("the demo offers no slots: {sites:?}");
}

/// Someone let in at 17:59:58 who confirms after 18:00 is too late, unless a hold taken in time
/// still runs: a hold is a promise.
#[test]
fn the_opening_closes_between_admission_and_confirmation() {
    let folder = tempfile::tempdir().unwrap();
    let at = "2021-07-20T17:59:57+09:00";
    // Without time to finish, which would let the second book as well.
    let example = include_str!("../../data/campaign.toml");
    let campaign = folder.path().join("campaign.toml");
    fs::write(
        &campaign,
        example.replace("finish_min = 10", "finish_min = 0"),
    )
    .unwrap();
    let campaign = campaign.to_str().unwrap();
    let data = folder.path().join("data");
    let arguments = ["--people", "2000", "--at", at, "--campaign", campaign];
    let demo = Demo::start(&data, &arguments);
    let mut client = demo.client();
    let sessions = [0, 1].map(|at| client.session(&demo.person(at)));
    let slots = free_slots(&mut client, &sessions[0]);
    let (slot, other) = (&slots[0], &slots[1]);
    let body = serde_json::json!({ "slot": slot });
    let held = client.post("/holds", Some(&sessions[0]), &body).is(201);
    loop {
        let now = client.get("//api/v1/now", None).json["now"]
            .as_str()
            .unwrap()
            .to_owned();
        if now.as_str() >= "2021-07-20T18:00:00" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let closed = client
        .book(&sessions[1], "late", other)
        .problem(403, "opening_closed");
    assert_eq!(closed.json["closed_at"], "2021-07-20T18:00:00+09:00");
    assert_eq!(closed.json["opens_at"], "2021-07-21T20:00:00+09:00");
    let body = serde_json::json!({ "hold": held.json["hold"] });
    client
        .post_once("/bookings", &sessions[0], "promised", &body)
        .is(201);
    // They may come back for their own booking; the other may not come in at all.
    client.session(&demo.person(0));
    let enter = super::world::credentials(&demo.person(1));
    client
        .post("/gate/enter", None, &enter)
        .problem(403, "opening_closed");
}

#[test]
fn a_demo_started_again_goes_on_with_its_people_and_bookings() {
    let folder = tempfile::tempdir().unwrap();
    let at = "2021-07-19T20:00:00+09:00";
    let demo = Demo::start(folder.path(), &["--people", "1000", "--at", at]);
    let mut client = demo.client();
    let session = client.session(&demo.person(2));
    let slot = free_slots(&mut client, &session).swap_remove(0);
    let booked = client.book(&session, "k", &slot).is(201);
    let people = demo.ready["people"].clone();
    drop(demo);
    let again = Demo::start(folder.path(), &["--people", "5"]);
    assert_eq!(again.ready["people"], people);
    let mut client = again.client();
    let mine = client.get("/bookings/mine", Some(&session)).is(200);
    assert_eq!(mine.json["booking"], booked.json["booking"]);
    let now = client.get("//api/v1/now", None).is(200);
    assert!(
        now.json["now"].as_str().unwrap() > "2021-07-19T20:00:00",
        "{now:?}"
    );
}

#[test]
fn simulated_and_real_time_never_share_a_folder() {
    let world = World::new(1);
    let demo = world.run(&["demo", "--plain-http", "--listen", "127.0.0.1:0"]);
    assert_eq!(demo.status.code(), Some(1));
    assert!(
        text(&demo.stderr).contains("not made by a demo"),
        "{}",
        text(&demo.stderr)
    );
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path(), &["--people", "500"]);
    assert_eq!(demo.ready["people"].as_array().unwrap().len(), 3);
    assert_eq!(demo.ready["campaign"], "kr-2021-50s");
    let now = demo.client().get("//api/v1/now", None).is(200);
    assert_eq!(now.json["simulated"], true);
    assert!(
        now.json["now"]
            .as_str()
            .unwrap()
            .starts_with("2021-07-19T19:58:"),
        "{now:?}"
    );
    drop(demo);
    let serve = Command::new(env!("CARGO_BIN_EXE_sumun"))
        .args(["serve", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(serve.status.code(), Some(1));
    assert!(
        text(&serve.stderr).contains("simulated clock"),
        "{}",
        text(&serve.stderr)
    );
}

#[test]
fn https_is_the_default_and_a_certificate_of_another_key_is_refused() {
    let world = World::new(1);
    let https =
        "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\ndesk_listen = \"127.0.0.1:0\"\n";
    world.write("server.toml", https);
    let server = world.serve();
    let certificate = world.path("certs/server.pem");
    let fetched = Command::new("curl")
        .args(["-sS", "--cacert", certificate.to_str().unwrap()])
        .arg(format!("https://{}/healthz", server.public))
        .output();
    if let Ok(fetched) = fetched {
        assert!(
            text(&fetched.stdout).contains("\"ok\":true"),
            "{}",
            text(&fetched.stderr)
        );
    }
    server.signal("HUP");
    drop(server);
    let other = World::new(1);
    fs::copy(
        other.path("certs/server.key"),
        world.path("certs/server.key"),
    )
    .unwrap();
    let refused = world.run(&["serve"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stderr).contains("does not belong"),
        "{}",
        text(&refused.stderr)
    );
    let doctor = world.run(&["doctor", "--json"]);
    let doctor: Value = serde_json::from_str(&text(&doctor.stdout)).unwrap();
    assert_eq!(doctor["checks"].as_array().unwrap().len(), 16);
}

#[test]
fn a_cut_tail_is_found_with_an_older_head() {
    let world = World::new(2);
    let early = world.path("early.redb");
    world.ok(&["backup", early.to_str().unwrap()]);
    let server = world.serve();
    let session = server.session(&person(OPEN, 0));
    server.client().book(&session, "k", "7").is(201);
    let head = world.ok(&["audit", "head"]);
    world.write("head.json", &head.to_string());
    drop(server);
    let head = world.path("head.json");
    world.ok(&["verify", "--head", head.to_str().unwrap()]);
    let cut = world.run(&[
        "verify",
        early.to_str().unwrap(),
        "--head",
        head.to_str().unwrap(),
    ]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(
        text(&cut.stdout).contains("the tail was cut"),
        "{}",
        text(&cut.stdout)
    );
    let export = text(&world.run(&["audit", "export"]).stdout);
    let shorter = export
        .lines()
        .take(export.lines().count() - 1)
        .collect::<Vec<_>>()
        .join("\n");
    let file = world.write("short.jsonl", &shorter);
    world.ok(&["audit", "verify", file.to_str().unwrap()]);
    let cut = world.run(&[
        "audit",
        "verify",
        file.to_str().unwrap(),
        "--head",
        head.to_str().unwrap(),
    ]);
    assert_eq!(cut.status.code(), Some(1));
}
