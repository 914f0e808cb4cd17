//! A witness on another host: what it cosigns, and what it does not.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::super::world::{World, text};
use super::{Handed, path, verify};

/// Runs a command of a witness, which has no data folder.
fn witness(arguments: &[&str]) -> Output {
    let command = Command::new(env!("CARGO_BIN_EXE_sumun"))
        .args(["audit", "witness"])
        .args(arguments)
        .output();
    command.unwrap()
}

fn refused(arguments: &[&str], said: &str) {
    let output = witness(arguments);
    let told = text(&output.stdout) + &text(&output.stderr);
    assert!(
        !output.status.success() && told.contains(said),
        "{arguments:?}: {told}"
    );
}

fn cosigned(arguments: &[&str]) -> String {
    let output = witness(arguments);
    let note = text(&output.stdout);
    assert!(output.status.success(), "{note}{}", text(&output.stderr));
    note
}

#[test]
fn a_witness_cosigns_what_continues_and_keeps_the_evidence_of_a_fork() {
    let world = World::new(5);
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("witness");
    let own = path(&folder);
    let key = cosigned(&["init", own, "--name", "witness.example/1"]);
    refused(&["init", own, "--name", "witness.example/1"], "can't make");
    let first = Handed::of(&world);
    let tiles = |handed: &Handed| path(handed.folder.path()).to_owned();
    // Nobody said yet which key that record has.
    refused(&["cosign", own, &tiles(&first)], "--public-key");
    let wrong = Handed::of(&World::new(1));
    refused(
        &["cosign", own, &tiles(&first), "--public-key", &wrong.key],
        "checkpoint",
    );
    let note = cosigned(&["cosign", own, &tiles(&first), "--public-key", &first.key]);
    let file = world.write("cosigned", &note);
    let checks = [
        path(&file),
        "--public-key",
        &first.key,
        "--witness",
        key.trim(),
    ];
    let (good, told) = verify(&checks);
    assert!(
        good && told.contains("cosigned by witness.example/1 at 20"),
        "{told}"
    );
    changed_cosignatures_are_found(&file, &note, &checks);
    // Some entries later, by tiles and by a proof; the same once more is no fault.
    world.ok(&["gate", "message", "one"]);
    let second = Handed::of(&world);
    cosigned(&["cosign", own, &tiles(&second)]);
    cosigned(&["cosign", own, &tiles(&second)]);
    refused(&["cosign", own, &tiles(&first)], "were seen already");
    world.ok(&["gate", "message", "two"]);
    let alone = world.write("alone", &text(&world.run(&["audit", "checkpoint"]).stdout));
    refused(&["cosign", own, path(&alone)], "--since");
    let since = |since: u64| {
        let since = since.to_string();
        let made = world.run(&["audit", "checkpoint", "--since", &since]);
        world.write("continued", &text(&made.stdout))
    };
    refused(&["cosign", own, path(&since(first.size))], "--since");
    let good = since(second.size);
    let changed = fs::read_to_string(&good).unwrap();
    let hash = changed.lines().nth(1).unwrap();
    let other = world.write("changed", &changed.replacen(&hash[..4], "AAAA", 1));
    refused(&["cosign", own, path(&other)], "does not continue");
    cosigned(&["cosign", own, path(&good)]);
    let seen = text(&witness(&["seen", own]).stdout);
    assert!(
        seen.contains(&format!("{} entries", second.size + 1)),
        "{seen}"
    );
    a_fork_is_kept(&world, own, &folder);
}

fn changed_cosignatures_are_found(file: &Path, note: &str, checks: &[&str]) {
    let line = note.rfind('\u{2014}').unwrap();
    let signature = line + note[line..].rfind(' ').unwrap() + 1;
    for at in (signature..note.trim_end().len() - 2).step_by(11) {
        let mut changed = note.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        fs::write(file, changed).unwrap();
        let (good, told) = verify(checks);
        assert!(!good, "byte {at}: {told}");
    }
    fs::write(file, note).unwrap();
    let without = &note[..line];
    fs::write(file, without).unwrap();
    let (good, told) = verify(checks);
    assert!(
        !good && told.contains("not signed by witness.example/1"),
        "{told}"
    );
}

/// The folder's copy from before goes another way, under the same key.
fn a_fork_is_kept(world: &World, own: &str, folder: &Path) {
    let copy = tempfile::tempdir().unwrap();
    let run = Command::new("cp")
        .args(["-a", path(world.folder.path()), path(copy.path())])
        .status();
    assert!(run.unwrap().success());
    let name = world.folder.path().file_name().unwrap();
    let forked = World { folder: copy };
    let inner = forked.path(name.to_str().unwrap());
    let sumun = |arguments: &[&str]| {
        let command = Command::new(env!("CARGO_BIN_EXE_sumun"))
            .args(arguments)
            .args(["--data", path(&inner)])
            .output();
        assert!(
            command.as_ref().unwrap().status.success(),
            "{arguments:?}: {command:?}"
        );
    };
    world.ok(&["gate", "message", "this way"]);
    let straight = Handed::of(world);
    cosigned(&["cosign", own, path(straight.folder.path())]);
    sumun(&["gate", "message", "another way"]);
    sumun(&["gate", "message", "and on"]);
    let tiles = tempfile::tempdir().unwrap();
    sumun(&["audit", "export", "--tiles", path(tiles.path())]);
    refused(&["cosign", own, path(tiles.path())], "FORK");
    let evidence = fs::read_dir(folder).unwrap().flatten();
    let evidence = evidence.filter(|file| file.file_name().to_string_lossy().starts_with("fork-"));
    let evidence: Vec<_> = evidence.collect();
    assert_eq!(evidence.len(), 1);
    let both = fs::read_to_string(evidence[0].path()).unwrap();
    assert_eq!(both.matches("\n\n\u{2014} ").count(), 2, "{both}");
    // Offline, an older head of the other branch is not continued either.
    let kept = straight.at("checkpoint");
    let checks = [
        path(tiles.path()),
        "--public-key",
        &straight.key,
        "--head",
        path(&kept),
    ];
    let (good, told) = verify(&checks);
    assert!(!good && told.contains("forked"), "{told}");
}

/// A record that replaced its key, as somebody would who stole it: only the entry that the key
/// before vouches for makes a witness go on with the next.
#[test]
fn a_witness_goes_on_with_the_key_that_the_one_before_vouches_for_and_no_other() {
    let world = World::new(3);
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("witness");
    let own = path(&folder);
    cosigned(&["init", own, "--name", "witness.example/1"]);
    let first = Handed::of(&world);
    let tiles = |handed: &Handed| path(handed.folder.path()).to_owned();
    cosigned(&["cosign", own, &tiles(&first), "--public-key", &first.key]);
    let rotated = world.ok(&["keys", "rotate", "--heads"]);
    let second = Handed::of(&world);
    assert_ne!(first.key, second.key);
    let (good, told) = second.verify();
    assert!(good, "{told}");
    let with_key = ["cosign", own, &tiles(&second), "--public-key", &second.key];
    refused(&with_key, "--rotated");
    let proofs = place.path().join("proofs");
    let proof_of = |seq: &str| {
        world.ok(&["audit", "prove", seq, "--into", path(&proofs)]);
        proofs.join(format!("entry-{seq}.tlog-proof"))
    };
    let other = proof_of("1");
    refused(
        &[&with_key[..], &["--rotated", path(&other)]].concat(),
        "--rotated",
    );
    let proof = proof_of(&rotated["seq"].to_string());
    cosigned(&[&with_key[..], &["--rotated", path(&proof)]].concat());
    // From then on it is the key that the record is known by.
    world.ok(&["gate", "message", "one"]);
    let third = Handed::of(&world);
    cosigned(&["cosign", own, &tiles(&third)]);
    refused(
        &["cosign", own, &tiles(&third), "--public-key", &first.key],
        "another key",
    );
    // Without what it saw it would take an older record for a new one.
    fs::remove_file(folder.join("seen.json")).unwrap();
    refused(&with_key, "missing");
}
