//! Keys that are replaced while a folder is in use: everybody goes on, what was written before is
//! still read, and whoever has old keys is told so.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::world::{OPEN, Server, World, fresh_key, person, text};

const PEOPLE: u64 = 30;

/// Signs in by name, and books; the number of the booking.
fn book(server: &Server, at: u64) -> String {
    let session = server.session(&person(OPEN, at));
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let booked = server.client().book(&session, &fresh_key(), &slot).is(201);
    booked.json["booking"]["number"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn verified(world: &World) -> Value {
    let told = world.ok(&["verify"]);
    assert_eq!(told["vault"]["opened"], true, "{told}");
    told
}

/// A running server reads the rows of a roster behind the import, and then journals their digest.
fn wait_for_digest(world: &World, roster: u32) {
    let sealed = format!("\"vault_sealed\":{{\"roster\":{roster},");
    let began = std::time::Instant::now();
    while !text(&world.run(&["audit", "export"]).stdout).contains(&sealed) {
        assert!(began.elapsed().as_secs() < 30, "no digest");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn restore(world: &World, from: &Path, into: &Path, keys: &Path) -> std::process::Output {
    fs::create_dir_all(into).unwrap();
    fs::copy(keys, into.join("keys.json")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.arg("restore").arg(from).arg("--data").arg(into);
    assert!(world.folder.path().exists());
    command.output().unwrap()
}

#[test]
fn other_keys_for_names_change_nothing_for_people_and_every_row() {
    let world = World::new(PEOPLE);
    let before = verified(&world);
    assert_eq!(before["vault"]["digest"], "fits");
    let copy = world.path("before.sumun");
    world.ok(&["backup", copy.to_str().unwrap()]);
    let old_keys = world.path("old-keys.json");
    fs::copy(world.path("keys.json"), &old_keys).unwrap();
    let server = world.serve();
    let session = server.session(&person(OPEN, 1));
    let number = book(&server, 2);
    let rotated = world.ok(&["keys", "rotate", "--personal"]);
    assert_eq!(rotated["version"], 2, "{rotated}");
    assert_eq!(
        (&rotated["added"], &rotated["gone"]),
        (&0.into(), &0.into())
    );
    // A session goes on, and people sign in by their names.
    let mine = "/bookings/mine";
    server
        .client()
        .get(mine, Some(&session))
        .problem(404, "no_booking");
    let again = server.session(&person(OPEN, 2));
    let found = server.client().get(mine, Some(&again)).is(200);
    assert_eq!(found.json["booking"]["number"], number.as_str());
    book(&server, 3);
    wait_for_digest(&world, 2);
    server.stop();
    let after = verified(&world);
    assert_eq!(after["vault"]["digest"], "fits", "{after}");
    assert_eq!(after["vault"]["rows"], before["vault"]["rows"]);
    // The keys of before do not serve any more, and say so.
    let keys = fs::read(world.path("keys.json")).unwrap();
    fs::copy(&old_keys, world.path("keys.json")).unwrap();
    let refused = world.run(&["roster", "stats"]);
    let said = text(&refused.stderr) + &text(&refused.stdout);
    assert!(
        !refused.status.success() && said.contains("older than this data file"),
        "{said}"
    );
    fs::write(world.path("keys.json"), keys).unwrap();
    // A copy of before opens with today's keys, until the old ones are forgotten.
    let into = tempfile::tempdir().unwrap();
    let restored = restore(
        &world,
        &copy,
        &into.path().join("one"),
        &world.path("keys.json"),
    );
    assert!(restored.status.success(), "{}", text(&restored.stdout));
    assert_eq!(world.ok(&["keys", "forget"])["removed"], 1);
    verified(&world);
    let restored = restore(
        &world,
        &copy,
        &into.path().join("two"),
        &world.path("keys.json"),
    );
    assert!(
        text(&restored.stdout).contains("does not open"),
        "{}",
        text(&restored.stdout)
    );
    let server = world.serve();
    book(&server, 4);
}

#[test]
fn another_key_of_heads_is_vouched_for_and_signs_from_its_entry_on() {
    let world = World::new(PEOPLE);
    let kept = world.path("head.json");
    let head = world.ok(&["audit", "head"]);
    fs::write(&kept, head.to_string()).unwrap();
    let server = world.serve();
    book(&server, 1);
    let rotated = world.ok(&["keys", "rotate", "--heads"]);
    assert_ne!(rotated["public_key"], head["public_key"], "{rotated}");
    book(&server, 2);
    let later = world.ok(&["audit", "head"]);
    assert_eq!(later["public_key"], rotated["public_key"]);
    let copy = world.path("copy.sumun");
    world.ok(&["backup", copy.to_str().unwrap()]);
    // Killed, so that the tail has entries of both keys to be settled and signed.
    world.ok(&["keys", "rotate", "--heads"]);
    book(&server, 3);
    server.kill();
    let server = world.serve();
    book(&server, 4);
    server.stop();
    let verified = world.ok(&["verify", "--head", kept.to_str().unwrap()]);
    assert!(verified["heads"].as_u64().unwrap() > 1, "{verified}");
    fs::write(&kept, later.to_string()).unwrap();
    world.ok(&["verify", "--head", kept.to_str().unwrap()]);
    let export = world.run(&["audit", "export"]);
    let lines = world.path("entries.jsonl");
    fs::write(&lines, &export.stdout).unwrap();
    let lines = lines.to_str().unwrap();
    world.ok(&["audit", "verify", lines, "--head", kept.to_str().unwrap()]);
    let into = tempfile::tempdir().unwrap();
    let restored = restore(
        &world,
        &copy,
        &into.path().join("one"),
        &world.path("keys.json"),
    );
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    // Keys of before lack the new one.
    let text_of = fs::read_to_string(world.path("keys.json")).unwrap();
    let mut keys: Value = serde_json::from_str(&text_of).unwrap();
    keys.as_object_mut().unwrap().remove("heads");
    fs::write(world.path("keys.json"), keys.to_string()).unwrap();
    let refused = world.run(&["roster", "stats"]);
    let said = text(&refused.stderr) + &text(&refused.stdout);
    assert!(
        !refused.status.success() && said.contains("lack the key"),
        "{said}"
    );
}

/// Secrets that the service manager handed over can't be written.
#[test]
fn keys_that_were_handed_over_are_not_replaced_and_it_is_said_how() {
    let world = World::new(1);
    let credentials = tempfile::tempdir().unwrap();
    fs::rename(
        world.path("keys.json"),
        credentials.path().join("keys.json"),
    )
    .unwrap();
    for which in ["--personal", "--heads"] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(["keys", "rotate", which, "--data"])
            .arg(world.folder.path());
        command.env("CREDENTIALS_DIRECTORY", credentials.path());
        let output = command.output().unwrap();
        let said = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("handed over by the service manager"),
            "{said}"
        );
    }
}

/// `forget` while the next keys were being put in force took them out of the file: nobody's name
/// could be read any more. Two new keys of heads at once stopped the server.
#[test]
fn keys_are_replaced_and_forgotten_one_at_a_time() {
    let world = World::new(3_000);
    let server = world.serve();
    let spawn = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(arguments)
            .arg("--data")
            .arg(world.folder.path());
        command.stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    for _ in 0..4 {
        let mut all = vec![
            spawn(&["keys", "rotate", "--personal"]),
            spawn(&["keys", "forget"]),
            spawn(&["keys", "rotate", "--heads"]),
            spawn(&["keys", "rotate", "--heads"]),
            spawn(&["keys", "forget"]),
        ];
        for command in &mut all {
            command.wait().unwrap();
        }
        server.session(&person(OPEN, 1));
    }
    server.stop();
    verified(&world);
    let server = world.serve();
    book(&server, 2);
}
