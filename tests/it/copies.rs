//! Copies of a data file: followed through kills, restored from any of them, and no file of a chain
//! missing, cut or changed without being named.

mod odd;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::world::{OPEN, Server, World, person, text};

/// A follower that copies ten times a second, ended when dropped.
struct Follower(Child);

impl Follower {
    fn start(world: &World, into: &Path, more: &[&str]) -> Self {
        let mut command = sumun(world.folder.path());
        command
            .args(["backup", "follow", "--every", "0.1"])
            .arg(into);
        command
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sumun(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.arg("--data").arg(data).stdin(Stdio::null());
    command
}

fn restore(from: &Path, into: &Path, more: &[&str]) -> Output {
    let mut command = sumun(into);
    command.args(["restore", "--json"]).arg(from).args(more);
    command.output().unwrap()
}

/// What a restore that must succeed says.
#[track_caller]
fn restored(from: &Path, into: &Path, more: &[&str]) -> Value {
    let output = restore(from, into, more);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

/// Why a restore that must not succeed refused; it left no data file.
#[track_caller]
fn refused(from: &Path, into: &Path, more: &[&str]) -> String {
    let output = restore(from, into, more);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!into.join("sumun.redb").exists(), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let left = fs::read_dir(into).into_iter().flatten().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}: {said}");
    said
}

/// The copies in a folder, in order of their names.
fn copies(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for day in fs::read_dir(folder).unwrap().flatten() {
        if day.path().is_dir() {
            let files = fs::read_dir(day.path()).unwrap().flatten();
            all.extend(files.map(|file| file.path()));
        }
    }
    all.sort();
    all
}

fn named<'a>(all: &'a [PathBuf], kind: &str) -> Vec<&'a PathBuf> {
    let is_of = |path: &&PathBuf| {
        path.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with(kind)
    };
    all.iter().filter(is_of).collect()
}

/// The last entry that the copies say they have.
fn last_of(folder: &Path) -> u64 {
    let last = |path: &PathBuf| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        stem.rsplit('-').next().unwrap().parse::<u64>().unwrap()
    };
    copies(folder).iter().map(last).max().unwrap_or(0)
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn entries_of(world: &World) -> u64 {
    world.ok(&["audit", "head"])["seq"].as_u64().unwrap()
}

fn book(server: &Server, at: u64) {
    let session = server.session(&person(OPEN, at));
    server
        .client()
        .book(&session, &format!("copies-{at}"), "7")
        .is(201);
}

/// A folder of copies of a world with some bookings, made one by one.
fn copied_by_hand(bookings: u64) -> (World, tempfile::TempDir) {
    let (world, into) = (World::new(50), tempfile::tempdir().unwrap());
    let server = world.serve();
    let once = ["backup", "follow", into.path().to_str().unwrap(), "--once"];
    world.ok(&once);
    for at in 0..bookings {
        book(&server, at);
        world.ok(&once);
    }
    assert!(server.stop().success());
    (world, into)
}

#[test]
fn followed_through_kills_everything_that_was_copied_is_restored() {
    let (world, into) = (World::new(200), tempfile::tempdir().unwrap());
    let mut follower = None;
    for round in 0..6_u64 {
        let server = world.serve();
        // Every other follower is killed too, and another goes on from the folder alone.
        if round % 2 == 0 {
            follower = Some(Follower::start(&world, into.path(), &[]));
        }
        for at in 0..10 {
            book(&server, round * 10 + at);
        }
        let last = entries_of(&world);
        wait_for("what was booked is copied", || last_of(into.path()) >= last);
        server.kill();
    }
    drop(follower);
    let target = tempfile::tempdir().unwrap();
    let answer = restored(into.path(), target.path(), &[]);
    assert_eq!(answer["passed_over"], Value::Array(Vec::new()));
    for name in ["keys.json", "server.toml"] {
        fs::copy(world.path(name), target.path().join(name)).unwrap();
    }
    let server = Server::start(target.path(), |_| {});
    for at in 0..60 {
        let session = server.session(&person(OPEN, at));
        server
            .client()
            .get("/bookings/mine", Some(&session))
            .is(200);
    }
    // It goes on where it ended.
    book(&server, 60);
}

#[test]
fn any_file_missing_cut_or_changed_is_named_and_nothing_is_restored() {
    let (_, into) = copied_by_hand(3);
    let all = copies(into.path());
    assert_eq!(all.len(), 4, "{all:?}");
    let target = tempfile::tempdir().unwrap();
    restored(into.path(), target.path(), &[]);
    type Harm = fn(&mut Vec<u8>);
    let harms: [(&str, Harm); 6] = [
        ("cut by a byte", |bytes| bytes.truncate(bytes.len() - 1)),
        ("cut in its head", |bytes| bytes.truncate(100)),
        ("longer", |bytes| bytes.push(0)),
        ("changed at the end", |bytes| {
            *bytes.last_mut().unwrap() ^= 1
        }),
        ("changed in the middle", |bytes| bytes[4_200] ^= 0x40),
        ("changed in its head", |bytes| bytes[40] ^= 1),
    ];
    for (at, path) in all.iter().enumerate() {
        let (name, whole) = (
            path.file_name().unwrap().to_str().unwrap(),
            fs::read(path).unwrap(),
        );
        let is_newest = name.starts_with("entries") && at == all.len() - 2;
        let target = tempfile::tempdir().unwrap();
        fs::remove_file(path).unwrap();
        if name.starts_with("full") {
            let said = refused(into.path(), target.path(), &[]);
            assert!(said.contains("full-"), "{said}");
        } else if !is_newest {
            let said = refused(into.path(), target.path(), &[]);
            assert!(
                said.contains("missing") && said.contains("--to-seq"),
                "{said}"
            );
        }
        for (how, harm) in harms {
            let mut bytes = whole.clone();
            harm(&mut bytes);
            fs::write(path, bytes).unwrap();
            let said = refused(into.path(), target.path(), &[]);
            assert!(said.contains(name), "{how}: {said}");
        }
        fs::write(path, &whole).unwrap();
    }
    let target = tempfile::tempdir().unwrap();
    restored(into.path(), target.path(), &[]);
}

#[test]
fn a_restore_ends_at_the_entry_or_the_time_that_is_wanted() {
    let (world, into) = copied_by_hand(3);
    let full = last_of_full(into.path());
    let last = last_of(into.path());
    for wanted in full..=last {
        let target = tempfile::tempdir().unwrap();
        let answer = restored(
            into.path(),
            target.path(),
            &["--to-seq", &wanted.to_string()],
        );
        assert_eq!(answer["entries"], wanted);
        let by_time = tempfile::tempdir().unwrap();
        let stamp = answer["stamp"].as_str().unwrap();
        let timed = restored(into.path(), by_time.path(), &["--to-time", stamp]);
        assert_eq!(timed["stamp"], answer["stamp"]);
        assert!(timed["entries"].as_u64() >= Some(wanted));
    }
    let target = tempfile::tempdir().unwrap();
    let beyond = (last + 1).to_string();
    let said = refused(into.path(), target.path(), &["--to-seq", &beyond]);
    assert!(said.contains(&format!("end with entry {last}")), "{said}");
    let before = (full - 1).to_string();
    let said = refused(into.path(), target.path(), &["--to-seq", &before]);
    assert!(said.contains("oldest full copy"), "{said}");
    let said = refused(
        into.path(),
        target.path(),
        &["--to-time", "2001-01-01T00:00:00Z"],
    );
    assert!(said.contains("oldest full copy"), "{said}");
    let wrong = restore(into.path(), target.path(), &["--to-time", "yesterday"]);
    let said = text(&wrong.stderr);
    assert_eq!(wrong.status.code(), Some(2), "{said}");
    assert!(said.contains("2021-07-19T20:00:00Z"), "{said}");
    drop(world);
}

fn last_of_full(folder: &Path) -> u64 {
    let all = copies(folder);
    let full = named(&all, "full")[0]
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap();
    full.rsplit('-').next().unwrap().parse().unwrap()
}

/// A damaged full copy is no loss while there is an older one.
#[test]
fn a_damaged_full_copy_is_passed_over_for_an_older_one() {
    let (world, into) = copied_by_hand(2);
    let server = world.serve();
    let newer = into.path().join("2099-01-01");
    fs::create_dir(&newer).unwrap();
    // A second full copy that ends in the middle of what a file of entries has.
    book(&server, 2);
    let second = newer.join("whole.sumun");
    let made = world.ok(&["backup", second.to_str().unwrap()]);
    let second_name = newer.join(format!(
        "full-{:016}.sumun",
        made["entries"].as_u64().unwrap()
    ));
    fs::rename(&second, &second_name).unwrap();
    book(&server, 3);
    world.ok(&["backup", "follow", into.path().to_str().unwrap(), "--once"]);
    let last = last_of(into.path());
    let target = tempfile::tempdir().unwrap();
    let good = restored(into.path(), target.path(), &[]);
    assert_eq!(
        (&good["entries"], &good["files"]),
        (&last.into(), &2.into()),
        "{good}"
    );
    let mut bytes = fs::read(&second_name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&second_name, bytes).unwrap();
    let target = tempfile::tempdir().unwrap();
    let older = restored(into.path(), target.path(), &[]);
    assert_eq!(older["hash"], good["hash"]);
    let passed_over = older["passed_over"][0].as_str().unwrap();
    assert!(
        passed_over.contains(second_name.to_str().unwrap()),
        "{passed_over}"
    );
}

#[test]
fn an_older_roster_comes_back_with_the_time_before_it_was_replaced() {
    let (world, into) = copied_by_hand(1);
    // One file has what was done before the import, and the import.
    let server = world.serve();
    book(&server, 1);
    let before = entries_of(&world);
    let roster = fs::read_to_string(world.path("people.csv")).unwrap();
    let changed = roster.replace("시험5,", "개명,");
    assert_ne!(changed, roster);
    let file = world.write("changed.csv", &changed).display().to_string();
    world.ok(&["roster", "import", &file]);
    world.ok(&["backup", "follow", into.path().to_str().unwrap(), "--once"]);
    assert!(server.stop().success());
    for (wanted, name) in [(before, "시험5"), (last_of(into.path()), "개명")] {
        let target = tempfile::tempdir().unwrap();
        for file in ["keys.json", "server.toml"] {
            fs::copy(world.path(file), target.path().join(file)).unwrap();
        }
        let answer = restored(
            into.path(),
            target.path(),
            &["--to-seq", &wanted.to_string()],
        );
        assert_eq!(answer["vault"]["faults_total"], 0, "{answer}");
        let server = Server::start(target.path(), |_| {});
        let mut somebody = person(OPEN, 5);
        somebody.name = name.to_owned();
        server.session(&somebody);
    }
}

/// The copies of another journal are never mixed with these, and never removed.
#[test]
fn copies_of_another_journal_are_put_aside() {
    let (world, into) = copied_by_hand(2);
    let (all, to_seq) = (copies(into.path()), last_of(into.path()) - 1);
    let other = tempfile::tempdir().unwrap();
    for file in ["keys.json", "server.toml"] {
        fs::copy(world.path(file), other.path().join(file)).unwrap();
    }
    restored(
        into.path(),
        other.path(),
        &["--to-seq", &to_seq.to_string()],
    );
    let server = Server::start(other.path(), |_| {});
    book(&server, 9);
    let once = || {
        let mut command = sumun(other.path());
        command
            .args(["backup", "follow", "--once", "--json"])
            .arg(into.path());
        text(&command.output().unwrap().stdout)
    };
    let said = once();
    assert!(
        said.contains("another journal") && said.contains("before-"),
        "{said}"
    );
    let said = once();
    assert!(said.contains("a full copy"), "{said}");
    let aside = fs::read_dir(into.path()).unwrap().flatten();
    let aside = aside.map(|entry| entry.path());
    let aside = aside.filter(|path| path.to_str().unwrap().contains("before-"));
    let aside: Vec<_> = aside.flat_map(|folder| copies(&folder)).collect();
    assert_eq!(aside.len(), all.len());
}

/// A mount that is away is not begun anew on the disk below it.
#[test]
fn a_folder_that_is_empty_all_at_once_is_not_begun_anew() {
    let (world, into) = copied_by_hand(1);
    let away = tempfile::tempdir().unwrap();
    let (day, parked) = (
        copies(into.path())[0].parent().unwrap().to_path_buf(),
        away.path().join("d"),
    );
    fs::rename(&day, &parked).unwrap();
    let server = world.serve();
    book(&server, 5);
    let folder = into.path().to_str().unwrap();
    let said = world.run(&["backup", "follow", folder, "--once"]);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        text(&said.stderr).contains("is it mounted?"),
        "{}",
        text(&said.stderr)
    );
    assert_eq!(fs::read_dir(into.path()).unwrap().count(), 0);
    // It comes back while a follower runs, which then goes on.
    let _follower = Follower::start(&world, into.path(), &[]);
    std::thread::sleep(Duration::from_millis(300));
    fs::rename(&parked, &day).unwrap();
    let last = entries_of(&world);
    wait_for("it goes on", || last_of(into.path()) >= last);
    assert_eq!(named(&copies(into.path()), "full").len(), 1);
    drop(_follower);
    fs::rename(&day, &parked).unwrap();
    world.ok(&["backup", "follow", folder, "--once", "--begin-anew"]);
    assert_eq!(named(&copies(into.path()), "full").len(), 1);
}

#[test]
fn a_sealed_copy_is_opened_by_its_key_alone() {
    let world = World::new(20);
    let path = |name: &str| world.path(name).display().to_string();
    let made = world.ok(&["keys", "recipient", &path("key.txt")]);
    let recipient = made["recipient"].as_str().unwrap();
    world.ok(&["keys", "recipient", &path("other.txt")]);
    world.write("pass.txt", "correct horse battery staple\n");
    let sealed = world.ok(&["backup", &path("sealed.sumun"), "--to", recipient]);
    assert_eq!(sealed["sealed"], true);
    world.ok(&[
        "backup",
        &path("words.sumun"),
        "--passphrase-file",
        &path("pass.txt"),
    ]);
    world.ok(&["backup", &path("plain.sumun")]);
    // What is in a plain copy (the pseudonyms of the roster) is in no sealed one.
    let bytes = |name: &str| fs::read(world.path(name)).unwrap();
    let roster_of_plain = &bytes("plain.sumun")[6_000..6_032];
    let is_in = |name: &str| bytes(name).windows(32).any(|part| part == roster_of_plain);
    assert!(is_in("plain.sumun") && !is_in("sealed.sumun") && !is_in("words.sumun"));
    let target = tempfile::tempdir().unwrap();
    let (key, other, pass) = (path("key.txt"), path("other.txt"), path("pass.txt"));
    let file = world.path("sealed.sumun");
    let said = refused(&file, target.path(), &[]);
    assert!(said.contains("--identity"), "{said}");
    let said = refused(&file, target.path(), &["--identity", &other]);
    assert!(said.contains("can't be opened"), "{said}");
    let said = refused(&file, target.path(), &["--identity", &pass]);
    assert!(
        said.contains("secret key") && !said.contains("horse"),
        "{said}"
    );
    restored(&file, target.path(), &["--identity", &key]);
    let target = tempfile::tempdir().unwrap();
    restored(
        &world.path("words.sumun"),
        target.path(),
        &["--passphrase-file", &pass],
    );
    let mode = fs::metadata(world.path("key.txt")).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
}

#[test]
fn keys_are_exported_sealed_and_imported_whole() {
    let world = World::new(5);
    let path = |name: &str| world.path(name).display().to_string();
    let unsealed = world.run(&["keys", "export", &path("keys.age")]);
    assert_eq!(unsealed.status.code(), Some(1));
    assert!(text(&unsealed.stderr).contains("never written unsealed"));
    let made = world.ok(&["keys", "recipient", &path("key.txt")]);
    let recipient = made["recipient"].as_str().unwrap();
    world.ok(&["keys", "export", &path("keys.age"), "--to", recipient]);
    world.ok(&["backup", &path("all.sumun")]);
    // A new host: the two files and the key, and nothing else.
    let host = tempfile::tempdir().unwrap();
    let mut import = sumun(host.path());
    import.args([
        "keys",
        "import",
        &path("keys.age"),
        "--identity",
        &path("key.txt"),
    ]);
    assert!(import.status().unwrap().success());
    let answer = restored(&world.path("all.sumun"), host.path(), &[]);
    assert_eq!(answer["keys_fit"], true);
    assert_eq!(answer["missing"], Value::Array(Vec::new()));
    Server::start(host.path(), |_| {}).session(&person(OPEN, 0));
    for (name, mode) in [("keys.json", 0o600), ("certs/server.key", 0o600)] {
        let seen = fs::metadata(host.path().join(name)).unwrap().permissions();
        let seen = std::os::unix::fs::PermissionsExt::mode(&seen) & 0o777;
        assert_eq!(seen, mode, "{name}");
    }
    // Other keys that are there already are not written over.
    let third = tempfile::tempdir().unwrap();
    assert!(
        sumun(third.path())
            .arg("init")
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let before = fs::read(third.path().join("keys.json")).unwrap();
    let mut import = sumun(third.path());
    import.args([
        "keys",
        "import",
        &path("keys.age"),
        "--identity",
        &path("key.txt"),
    ]);
    let said = import.output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert!(text(&said.stderr).contains("another one than in the keyring"));
    assert_eq!(fs::read(third.path().join("keys.json")).unwrap(), before);
}

#[test]
fn a_drill_restores_compares_and_signs_what_it_found() {
    let (world, into) = copied_by_hand(3);
    let server = world.serve();
    let folder = into.path().to_str().unwrap();
    let drill = world.ok(&["restore", folder, "--drill"]);
    let report = &drill["report"];
    assert!(report["server"]["same"]["ahead"].is_u64(), "{report}");
    assert_eq!(
        (&report["bookings"], &report["is_good"]),
        (&3.into(), &true.into())
    );
    assert_eq!(report["vault_was_opened"], true);
    let kept: Value =
        serde_json::from_slice(&fs::read(drill["file"].as_str().unwrap()).unwrap()).unwrap();
    let signed = [
        sumun::ops::backup::drill::LABEL,
        kept["report"].as_str().unwrap().as_bytes(),
    ];
    let hex = |name: &str| data_encoding::HEXLOWER.decode(kept[name].as_str().unwrap().as_bytes());
    let (key, signature) = (hex("public_key").unwrap(), hex("signature").unwrap());
    let (key, signature) = (key.try_into().unwrap(), signature.try_into().unwrap());
    assert!(sumun::keys::verify_head(&key, &signed.concat(), &signature));
    assert!(server.stop().success());
    // Nothing of what was restored is left.
    let left = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let name = format!("sumun-drill.{}", std::process::id());
    assert!(
        !left
            .into_iter()
            .any(|entry| entry.file_name().to_str() == Some(&name))
    );
    let all = copies(into.path());
    fs::remove_file(named(&all, "entries")[0]).unwrap();
    let bad = world.run(&["restore", folder, "--drill"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(
        text(&bad.stdout).contains("missing"),
        "{}",
        text(&bad.stdout)
    );
    let noted = fs::read_to_string(world.path("copies.json")).unwrap();
    let noted: Value = serde_json::from_str(&noted).unwrap();
    assert_eq!(noted["drill"]["is_good"], false);
}

/// Copies of the first edition were data files: they are restored as before.
#[test]
fn a_copy_that_is_a_data_file_is_restored_and_verified() {
    let world = World::new(5);
    let copy = tempfile::tempdir().unwrap();
    let file = copy.path().join("2021-07-19.redb");
    fs::copy(world.path("sumun.redb"), &file).unwrap();
    // Write-protected, in a folder that is read alone.
    let mut mode = fs::metadata(&file).unwrap().permissions();
    mode.set_readonly(true);
    fs::set_permissions(&file, mode).unwrap();
    world.ok(&["verify", file.to_str().unwrap()]);
    let target = tempfile::tempdir().unwrap();
    restored(&file, target.path(), &[]);
    let written = fs::OpenOptions::new()
        .write(true)
        .open(target.path().join("sumun.redb"));
    assert!(written.is_ok());
    world.ok(&["verify", world.folder.path().to_str().unwrap()]);
}
