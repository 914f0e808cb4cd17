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
        &["roster", "import"],
        &["roster", "stats"],
        &["sites", "import"],
        &["slots", "import"],
        &["audit", "export"],
        &["audit", "verify"],
        &["audit", "head"],
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
    let dry = world.ok(&["roster", "import", file, "--dry-run"]);
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
    let done = world.ok(&["roster", "import", file]);
    assert_eq!((&done["version"], &done["gone"]), (&2.into(), &1.into()));
    for session in &sessions {
        server.client().get("/bookings/mine", Some(session)).is(200);
    }
    let mut client = server.client();
    let entered = client.post("/gate/enter", None, &super::world::credentials(&gone));
    entered.problem(403, "identity_not_found");
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
    fs::copy(world.path("server.toml"), target.path().join("server.toml")).unwrap();
    let restored = super::world::Server::start(target.path(), |_| {});
    restored
        .client()
        .get("/bookings/mine", Some(&session))
        .is(200);
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args([
        "demo",
        "--plain-http",
        "--people",
        "500",
        "--listen",
        "127.0.0.1:0",
        "--json",
    ]);
    let mut demo = command
        .arg("--data")
        .arg(folder.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = std::io::BufReader::new(demo.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["people"].as_array().unwrap().len(), 3);
    assert_eq!(ready["campaign"], "kr-2021-50s");
    let address = ready["base_url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap();
    let mut client = super::client::Client::new(address.parse().unwrap());
    let now = client.get("//api/v1/now", None).is(200);
    assert_eq!(now.json["simulated"], true);
    assert!(
        now.json["now"]
            .as_str()
            .unwrap()
            .starts_with("2021-07-19T19:58:"),
        "{now:?}"
    );
    demo.kill().unwrap();
    demo.wait().unwrap();
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
    let https = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
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
    assert_eq!(doctor["checks"].as_array().unwrap().len(), 6);
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
