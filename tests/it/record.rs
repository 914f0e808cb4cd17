//! The record as others check it: checkpoints, tiles and proofs of the real program, verified by
//! independent libraries; and what `audit verify` and a witness say of what was changed.

mod others;
mod witnesses;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::world::{CAMPAIGN, OPEN, Server, World, fresh_key, person, text};

/// Waits until the tree has this many entries.
fn checkpoint_of(world: &World, size: u64) -> Value {
    for _ in 0..100 {
        // A server that was just started has none in the first seconds.
        let told = world.run(&["audit", "checkpoint", "--json"]);
        let seen: Value = serde_json::from_str(&text(&told.stdout)).unwrap_or_default();
        if seen["size"].as_u64().is_some_and(|there| there >= size) {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no checkpoint of {size} entries in ten seconds");
}

/// Lets a running server's journal grow to more than so many entries: more than a full tile.
fn grow(world: &World, size: u64) {
    let there = world.ok(&["audit", "head"])["seq"].as_u64().unwrap();
    for round in there..=size {
        world.ok(&["gate", "message", &format!("message {round}")]);
    }
}

/// Books for a person; the session, and the booking as it was answered.
fn booked(server: &Server, at: u64) -> (String, Value) {
    let session = server.session(&person(OPEN, at));
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let booked = server.client().book(&session, &fresh_key(), &slot).is(201);
    (session, booked.json["booking"].clone())
}

/// What `audit verify` says without a data folder that it could look at.
fn verify(arguments: &[&str]) -> (bool, String) {
    let nowhere = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"))
        .args(["audit", "verify"])
        .args(arguments)
        .args(["--data", nowhere.path().to_str().unwrap()])
        .output()
        .unwrap();
    (
        output.status.success(),
        text(&output.stdout) + &text(&output.stderr),
    )
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Tiles and an export of a record, in a folder of their own.
struct Handed {
    folder: tempfile::TempDir,
    key: String,
    size: u64,
}

impl Handed {
    fn of(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = world.ok(&["audit", "export", "--tiles", path(folder.path())]);
        let entries = world.run(&["audit", "export"]);
        fs::write(folder.path().join("entries.jsonl"), entries.stdout).unwrap();
        Self {
            folder,
            key: told["public_key"].as_str().unwrap().to_owned(),
            size: told["size"].as_u64().unwrap(),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn verify(&self) -> (bool, String) {
        verify(&[path(self.folder.path()), "--public-key", &self.key])
    }
}

#[test]
fn tiles_and_entries_are_verified_elsewhere_and_every_kind_of_tampering_is_named() {
    let world = World::new(40);
    let server = world.serve();
    (0..3).for_each(|at| drop(booked(&server, at)));
    assert!(server.stop().success());
    let older = world.ok(&["audit", "checkpoint"])["note"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = world.serve();
    grow(&world, 280);
    assert!(server.stop().success());
    let handed = Handed::of(&world);
    let (good, told) = handed.verify();
    assert!(
        good && told.contains("every tile leads to its root"),
        "{told}"
    );
    assert!(
        told.contains(&format!("entries 1 to {}", handed.size)),
        "{told}"
    );
    let kept = handed.at("older");
    fs::write(&kept, &older).unwrap();
    let entries = handed.at("entries.jsonl");
    let whole = fs::read_to_string(&entries).unwrap();
    let with_older = |file: &Path| {
        let key = ["--public-key", &handed.key];
        verify(&[&[path(file), "--head", path(&kept)][..], &key].concat())
    };
    for file in [&entries, &handed.folder.path().to_path_buf()] {
        let (good, told) = with_older(file);
        assert!(good, "{told}");
    }
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    let last = lines.len() - 1;
    let tampered = [
        (
            "changed",
            whole.replacen("booked", "moved", 1),
            "readable form",
        ),
        (
            "missing",
            joined(&[&lines[..9], &lines[10..]].concat()),
            "does not follow",
        ),
        (
            "doubled",
            joined(&[&lines[..10], &lines[9..]].concat()),
            "does not follow",
        ),
        (
            "reordered",
            {
                let mut lines = lines.clone();
                lines.swap(8, 9);
                joined(&lines)
            },
            "does not follow",
        ),
        (
            "cut behind the older head",
            joined(&lines[..last]),
            "the tail was cut",
        ),
        (
            "cut before the older head",
            joined(&lines[..10]),
            "the tail was cut",
        ),
    ];
    for (how, changed, said) in tampered {
        fs::write(&entries, changed).unwrap();
        let (good, told) = handed.verify();
        assert!(!good && told.contains(said), "{how}: {told}");
        if how.ends_with("before the older head") {
            let (good, told) = with_older(&entries);
            assert!(!good && told.contains("the tail was cut"), "{how}: {told}");
        }
    }
    fs::write(&entries, &whole).unwrap();
    tamper_with_tiles(&handed);
    let (good, told) = verify(&[path(handed.folder.path())]);
    assert!(!good && told.contains("--public-key"), "{told}");
    let other = Handed::of(&World::new(1));
    let (good, told) = verify(&[path(handed.folder.path()), "--public-key", &other.key]);
    assert!(!good, "a checkpoint of another record passed: {told}");
    let (good, told) = verify(&[path(&entries), "--public-key", &other.key]);
    assert!(!good && told.contains("another record"), "{told}");
}

/// Every byte of a tile and of the checkpoint counts; tiles that are missing or cut are named.
fn tamper_with_tiles(handed: &Handed) {
    let partial = handed.size % 256;
    let edge = format!("tile/0/{:03}.p/{partial}", handed.size / 256);
    let files = [
        "tile/0/000".to_owned(),
        edge,
        "tile/1/000.p/1".to_owned(),
        "checkpoint".to_owned(),
    ];
    for name in files.iter().filter(|name| handed.at(name).exists()) {
        let file = handed.at(name);
        let whole = fs::read(&file).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 7 + 1) {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            fs::write(&file, changed).unwrap();
            let (good, told) = handed.verify();
            assert!(!good, "byte {at} of {name}: {told}");
        }
        for damage in [
            whole[..whole.len() - 1].to_vec(),
            Vec::new(),
            [&whole[..], b"x"].concat(),
        ] {
            fs::write(&file, damage).unwrap();
            assert!(!handed.verify().0, "the length of {name}");
        }
        fs::remove_file(&file).unwrap();
        let (good, told) = handed.verify();
        assert!(!good, "{name} is missing: {told}");
        fs::write(&file, whole).unwrap();
    }
    let (good, told) = handed.verify();
    assert!(good, "{told}");
}

#[test]
fn a_booking_is_proved_by_its_number_also_after_it_was_moved_and_cancelled() {
    let world = World::new(10);
    let server = world.serve();
    let (session, booking) = booked(&server, 1);
    let number = booking["number"].as_str().unwrap();
    let mut client = server.client();
    let other = server.slot(&session, "A", "2180-08-02", 1);
    let to = json!({ "slot": other });
    client
        .post_once(&format!("/bookings/{number}/move"), &session, "m", &to)
        .is(200);
    client
        .post_once(
            &format!("/bookings/{number}/cancel"),
            &session,
            "c",
            &json!({}),
        )
        .is(200);
    checkpoint_of(
        &world,
        world.ok(&["audit", "head"])["seq"].as_u64().unwrap(),
    );
    let beside = world.ok(&["audit", "prove", number]);
    let of_person = proof_of(&mut client, &session);
    assert!(server.stop().success());
    // The stop is an entry of its own, so the tree has grown by one.
    let at_rest = world.ok(&["audit", "prove", number]);
    let same = |proofs: &Value| {
        let entries = proofs["entries"].as_array().unwrap().iter();
        let same = entries.map(|entry| (entry["seq"].clone(), entry["what"].clone()));
        (proofs["public_key"].clone(), same.collect::<Vec<_>>())
    };
    assert_eq!(same(&at_rest), same(&beside));
    let entries = at_rest["entries"].as_array().unwrap();
    let what: Vec<&str> = entries
        .iter()
        .map(|entry| entry["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, ["booked", "moved", "cancelled"]);
    assert_eq!(entries[0]["campaign"], CAMPAIGN);
    // The person has the first and the last of them.
    let theirs = of_person["entries"].as_array().unwrap();
    assert_eq!(theirs.len(), 2);
    assert_eq!(theirs[0]["proof"], beside["entries"][0]["proof"]);
    assert_eq!(theirs[1]["proof"], beside["entries"][2]["proof"]);
    assert_eq!(of_person["public_key"], at_rest["public_key"]);
    // By the number of the entry it is the same proof.
    let by_seq = world.ok(&["audit", "prove", &entries[0]["seq"].to_string()]);
    assert_eq!(by_seq["entries"][0], entries[0]);
    let into = world.path("proofs");
    world.ok(&["audit", "prove", number, "--into", path(&into)]);
    let key = at_rest["public_key"].as_str().unwrap();
    let file = into.join(format!("entry-{}.tlog-proof", entries[0]["seq"]));
    let (good, told) = verify(&[path(&file), "--public-key", key]);
    assert!(
        good && told.contains(number) && told.contains("\"booked\""),
        "{told}"
    );
    let page = fs::read_to_string(into.join("proof.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 3, "each proof has its code");
    let dose = &entries[0]["doses"][0];
    for told in [&dose["start"], &dose["name"], &dose["vaccine"]] {
        assert!(page.contains(told.as_str().unwrap()), "{told}");
    }
    // The second entry moved it to another slot of the same day.
    assert_ne!(entries[1]["doses"][0]["slot"], dose["slot"]);
    assert_eq!(entries[1]["doses"][0]["site"], dose["site"]);
    assert!(
        !page.contains("http") && !page.contains("<script"),
        "it needs nothing from elsewhere"
    );
    for entry in entries {
        assert!(page.contains(entry["proof"].as_str().unwrap().trim_end()));
    }
    // Any change of the file is found.
    let proof = fs::read(&file).unwrap();
    for at in (0..proof.len()).step_by(97) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        fs::write(&file, changed).unwrap();
        assert!(!verify(&[path(&file), "--public-key", key]).0, "byte {at}");
    }
    for unknown in ["7K3M-9QXT-2R", "999999", "0", "x"] {
        assert!(
            !world.run(&["audit", "prove", unknown]).status.success(),
            "{unknown}"
        );
    }
}

/// What the person is told, once it is in a checkpoint.
fn proof_of(client: &mut Client, session: &str) -> Value {
    for _ in 0..100 {
        let proof = client
            .get("/bookings/mine/proof", Some(session))
            .is(200)
            .json;
        if proof["ready_in_s"].is_null() {
            return proof;
        }
        assert!(proof["ready_in_s"].as_u64().unwrap() >= 1);
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no proof in ten seconds");
}

#[test]
fn a_person_sees_their_proof_in_words_and_nobody_elses() {
    let world = World::new(10);
    let server = world.serve();
    let mut client = server.client();
    let session = server.session(&person(OPEN, 1));
    client
        .get("/bookings/mine/proof", Some(&session))
        .problem(404, "no_booking");
    client
        .get("/bookings/mine/proof", None)
        .problem(401, "session_invalid");
    let (session, booking) = booked(&server, 2);
    let proof = proof_of(&mut client, &session);
    assert_eq!(proof["number"], booking["number"]);
    assert_eq!(proof["entries"][0]["seq"], booking["seq"]);
    let page = |client: &mut Client, page: &str| {
        client.call(
            "GET",
            &format!("//en/{CAMPAIGN}{page}"),
            Some(&session),
            &[],
            None,
        )
    };
    let shown = text(&page(&mut client, "/proof").is(200).body);
    let proved = proof["entries"][0]["proof"].as_str().unwrap();
    // The entry has the slot's number; people read where and when that is.
    let dose = &proof["entries"][0]["doses"][0];
    assert_eq!(*dose, booking["doses"][0], "{proof}");
    for part in [
        proved.trim_end(),
        "How to check it",
        booking["number"].as_str().unwrap(),
        "2 August 2180",
        "(slot 0 of the entry)",
    ] {
        assert!(shown.contains(part), "{part}");
    }
    let file = page(&mut client, "/proof/made").is(200);
    assert_eq!(text(&file.body), proved);
    assert!(
        file.header("content-disposition")
            .unwrap()
            .contains(".tlog-proof")
    );
    // Nothing was changed yet: there is no other proof.
    assert_eq!(page(&mut client, "/proof/last").status, 303);
    let person = person(OPEN, 2);
    assert!(!shown.contains(&person.name) && !shown.contains(&person.code));
}

#[test]
fn heads_and_checkpoints_fit_on_paper_and_bind_an_export() {
    let world = World::new(3);
    let code = text(&world.run(&["audit", "head", "--qr"]).stdout);
    assert!(code.contains('█') && code.contains("public key"), "{code}");
    let note = text(&world.run(&["audit", "checkpoint"]).stdout);
    let with_code = text(&world.run(&["audit", "checkpoint", "--qr"]).stdout);
    assert!(with_code.starts_with(note.trim_end()) && with_code.contains('█'));
    let kept = world.write("kept", &note);
    let bare = world.ok(&["audit", "head"])["public_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let (good, told) = verify(&[path(&kept), "--public-key", &bare]);
    assert!(good && told.contains("signature fits"), "{told}");
    // The folder's own data file continues it, as do a copy and an export of it later.
    world.ok(&["gate", "message", "one more"]);
    let told = world.ok(&["audit", "verify", "--head", path(&kept)]);
    assert_eq!(told["verified"], true);
    let since = note.lines().nth(1).unwrap();
    let continued = text(&world.run(&["audit", "checkpoint", "--since", since]).stdout);
    let continued = world.write("continued", &continued);
    let (good, told) = verify(&[
        path(&continued),
        "--head",
        path(&kept),
        "--public-key",
        &bare,
    ]);
    assert!(good && told.contains("it continues"), "{told}");
    // Another record's checkpoint is not continued by this one.
    let other = World::new(3);
    let note = text(&other.run(&["audit", "checkpoint"]).stdout);
    let foreign = world.write("foreign", &note);
    let told = world.run(&["audit", "verify", "--head", path(&foreign)]);
    assert!(!told.status.success(), "{}", text(&told.stdout));
    // `verify` of the folder takes the same.
    let told = world.ok(&["verify", "--head", path(&kept)]);
    assert_eq!(told["verified"], true);
    let told = world.run(&["verify", "--head", path(&foreign)]);
    assert!(!told.status.success(), "{}", text(&told.stdout));
}

/// What comes from a pipe is read once, and what a spreadsheet's editor saved has a mark before it.
#[test]
fn entries_from_a_pipe_and_files_with_a_mark_are_verified() {
    let world = World::new(3);
    let handed = Handed::of(&world);
    let entries = fs::read(handed.at("entries.jsonl")).unwrap();
    let head = world.ok(&["audit", "head"]).to_string();
    let head = world.write("head.json", &format!("\u{feff}{head}"));
    let key = world.write("key", &format!("\u{feff}{}\r\n", handed.key));
    let pipe = world.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writing = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::write(pipe, entries).unwrap())
    };
    let given = [
        path(&pipe),
        "--head",
        path(&head),
        "--public-key",
        path(&key),
    ];
    let (good, told) = verify(&given);
    assert!(good && told.contains("verified: entries 1 to"), "{told}");
    writing.join().unwrap();
}

/// A crash can leave a part of a commit that nobody was told of. Whoever looks is told of it, since
/// it can't be told from bytes that were changed.
#[test]
fn what_a_crash_left_behind_the_last_entry_is_said() {
    let world = World::new(3);
    let server = world.serve();
    world.ok(&["gate", "message", "one"]);
    // Settled are the entries before, so that this one lies in the tail alone.
    std::thread::sleep(Duration::from_millis(1_500));
    world.ok(&["gate", "message", "the last of them"]);
    server.kill();
    let whole = world.ok(&["verify"]);
    assert!(whole["cut_short"].is_null(), "{whole}");
    let tail = world.path("sumun.tail");
    let mut bytes = fs::read(&tail).unwrap();
    let wanted = b"the last of them";
    let at = bytes
        .windows(wanted.len())
        .rposition(|there| there == wanted);
    bytes[at.expect("it is in the tail")] ^= 1;
    fs::write(&tail, bytes).unwrap();
    let told = world.ok(&["verify"]);
    assert_eq!(told["cut_short"]["first"], whole["last"], "{told}");
    assert_eq!(
        told["last"].as_u64().unwrap() + 1,
        whole["last"].as_u64().unwrap()
    );
    let told = text(&world.run(&["verify"]).stdout);
    assert!(told.contains("not acknowledged"), "{told}");
}

/// The daily log has the same lines as an export, so that it can be checked like one.
#[test]
fn a_days_file_of_the_log_is_verified_like_an_export() {
    let world = World::new(3);
    let server = world.serve();
    world.ok(&["gate", "message", "one"]);
    assert!(server.stop().success());
    let mut files: Vec<_> = fs::read_dir(world.path("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    let logged: Vec<u8> = files
        .iter()
        .flat_map(|file| fs::read(file).unwrap())
        .collect();
    assert_eq!(text(&logged), text(&world.run(&["audit", "export"]).stdout));
    let (good, told) = verify(&[path(&files[0])]);
    assert!(good && told.contains("without --public-key"), "{told}");
}

/// What was asked to be compared and can't be is no success, whatever else is good.
#[test]
fn a_comparison_that_can_not_be_made_is_a_fault() {
    let world = World::new(3);
    let older = world.write("older", &text(&world.run(&["audit", "checkpoint"]).stdout));
    world.ok(&["gate", "message", "one"]);
    let newer = world.write("newer", &text(&world.run(&["audit", "checkpoint"]).stdout));
    let head = world.write("head.json", &world.ok(&["audit", "head"]).to_string());
    let handed = Handed::of(&world);
    let key = handed.key.as_str();
    let into = world.path("proofs");
    world.ok(&["audit", "prove", "1", "--into", path(&into)]);
    let proof = into.join("entry-1.tlog-proof");
    let entries = handed.at("entries.jsonl");
    let tiles = handed.folder.path().to_owned();
    let page = into.join("proof.html");
    for (what, against, said) in [
        (&newer, &older, "NOT compared"),
        (&older, &newer, "has more entries than this one"),
        (&newer, &head, "NOT compared"),
        (&proof, &older, "NOT compared"),
        (&tiles, &head, "compared with a checkpoint"),
        (&page, &newer, "it is a page to be read"),
    ] {
        let (good, told) = verify(&[path(what), "--public-key", key, "--head", path(against)]);
        assert!(!good && told.contains(said), "{}: {told}", what.display());
    }
    let (good, told) = verify(&[path(&newer), "--public-key", key, "--head", path(&newer)]);
    assert!(good, "{told}");
    // Anybody can make entries that follow each other: a key alone shows nothing of them.
    let (good, told) = verify(&[path(&entries), "--public-key", key]);
    assert!(!good && told.contains("NO SIGNATURE WAS CHECKED"), "{told}");
    let (good, told) = verify(&[path(&entries), "--public-key", key, "--head", path(&newer)]);
    assert!(good, "{told}");
    // What was copied off a page has other line ends and blank lines.
    let copied = fs::read_to_string(&proof).unwrap().replace('\n', "\r\n") + "\r\n\r\n";
    let copied = world.write("copied", &copied);
    let (good, told) = verify(&[path(&copied), "--public-key", key]);
    assert!(good, "{told}");
    // Witnesses sign checkpoints: where none is looked at, nobody's signature can be.
    let told = world.run(&["audit", "verify", "--witness", key]);
    assert!(!told.status.success(), "{}", text(&told.stdout));
    // Tiles of one record are not written over those of another.
    let other = World::new(3);
    let told = other.run(&["audit", "export", "--tiles", path(&tiles)]);
    assert!(!told.status.success() && text(&told.stderr).contains("another record"));
    // Nothing of a file of secrets is printed.
    let secrets = world.path("keys.json");
    let (good, told) = verify(&[path(&newer), "--public-key", path(&secrets)]);
    assert!(!good && told.contains("no file of a public key"), "{told}");
    assert!(!told.contains("person"), "{told}");
}
