//! Folders of copies that hold what they should not, mounts that go, and odd arguments: what was
//! tried on the running program and was wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{
    Follower, book, copied_by_hand, copies, entries_of, last_of, named, refused, restored, sumun,
    wait_for,
};
use crate::world::{World, text};

/// A full copy that was renamed was believed by its name: 16 entries were restored in place of 225,
/// and verify and drill called it good.
#[test]
fn what_a_copy_says_of_itself_counts_and_not_its_name() {
    let (world, into) = copied_by_hand(3);
    let (all, last) = (copies(into.path()), last_of(into.path()));
    let full = named(&all, "full")[0].clone();
    let misnamed = full.with_file_name("full-0000000000009999.sumun");
    fs::copy(&full, &misnamed).unwrap();
    // Names without an end, a folder and a dangling link among them, are no copies either.
    for odd in [
        "full-18446744073709551615.sumun",
        "full-0000000000008888.sumun",
    ] {
        fs::create_dir(full.with_file_name(odd)).unwrap();
    }
    std::os::unix::fs::symlink(
        "nowhere",
        full.with_file_name("full-0000000000007777.sumun"),
    )
    .unwrap();
    let target = tempfile::tempdir().unwrap();
    let answer = restored(into.path(), target.path(), &[]);
    assert_eq!(answer["entries"], last);
    let passed_over = answer["passed_over"].to_string();
    assert!(
        passed_over.contains("its name is of other entries"),
        "{passed_over}"
    );
    // Nothing is removed while there is a file that is not what it says.
    let folder = into.path().to_str().unwrap();
    let pruned = world.run(&["backup", "prune", folder, "--keep", "1d"]);
    assert_eq!(pruned.status.code(), Some(1), "{}", text(&pruned.stdout));
    assert!(
        text(&pruned.stderr).contains("nothing is removed"),
        "{}",
        text(&pruned.stderr)
    );
    // With the true full copy gone, the misnamed one is not taken in its place.
    fs::remove_file(&full).unwrap();
    let target = tempfile::tempdir().unwrap();
    let said = refused(into.path(), target.path(), &[]);
    assert!(said.contains("0000000000009999"), "{said}");
}

/// Two data folders copied into one: the copies of one were removed because of the other's.
#[test]
fn copies_of_two_data_folders_in_one_are_refused_and_none_is_removed() {
    let (one, into) = copied_by_hand(2);
    let (other, others) = copied_by_hand(1);
    let server = other.serve();
    let folder = into.path().to_str().unwrap();
    let said = other.run(&["backup", "follow", folder, "--once"]);
    assert_eq!(said.status.code(), Some(1));
    let said = text(&said.stderr);
    assert!(said.contains("copies of another data folder"), "{said}");
    assert!(server.stop().success());
    let before = copies(into.path()).len();
    let foreign = named(&copies(others.path()), "full")[0].clone();
    let day = copies(into.path())[0].parent().unwrap().to_path_buf();
    let aside = day.with_file_name("1999-01-01");
    fs::create_dir(&aside).unwrap();
    fs::copy(&foreign, aside.join(foreign.file_name().unwrap())).unwrap();
    for command in [
        &["backup", "prune", folder][..],
        &["restore", folder, "--drill"],
    ] {
        let output = one.run(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains("of two data folders"), "{said}");
    }
    let target = tempfile::tempdir().unwrap();
    let said = refused(into.path(), target.path(), &[]);
    assert!(said.contains("of two data folders"), "{said}");
    assert_eq!(copies(into.path()).len(), before + 1);
}

/// A mount went while it was followed, and a full copy was made on the disk below it.
#[test]
fn a_folder_that_is_emptied_while_it_is_followed_is_not_begun_anew() {
    let (world, into) = copied_by_hand(1);
    let server = world.serve();
    let _follower = Follower::start(&world, into.path(), &[]);
    book(&server, 1);
    let last = entries_of(&world);
    wait_for("it follows", || last_of(into.path()) >= last);
    let day = copies(into.path())[0].parent().unwrap().to_path_buf();
    let away = tempfile::tempdir_in(into.path().parent().unwrap()).unwrap();
    fs::rename(&day, away.path().join("day")).unwrap();
    book(&server, 2);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(copies(into.path()), Vec::<PathBuf>::new());
    fs::rename(away.path().join("day"), &day).unwrap();
    let last = entries_of(&world);
    wait_for("it goes on", || last_of(into.path()) >= last);
    assert_eq!(named(&copies(into.path()), "full").len(), 1);
    // Without notes nobody can tell whether it is mounted.
    drop(_follower);
    fs::write(world.path("copies.json"), "{broken").unwrap();
    fs::remove_dir_all(&day).unwrap();
    let said = world.run(&["backup", "follow", into.path().to_str().unwrap(), "--once"]);
    assert!(
        text(&said.stderr).contains("can't be read"),
        "{}",
        text(&said.stderr)
    );
    assert_eq!(copies(into.path()), Vec::<PathBuf>::new());
}

/// Entries without a full copy can be restored by nobody, and were followed all the same.
#[test]
fn a_full_copy_that_is_gone_is_made_again() {
    let (world, into) = copied_by_hand(2);
    fs::remove_file(named(&copies(into.path()), "full")[0]).unwrap();
    let server = world.serve();
    world.ok(&["backup", "follow", into.path().to_str().unwrap(), "--once"]);
    assert!(server.stop().success());
    let target = tempfile::tempdir().unwrap();
    let answer = restored(into.path(), target.path(), &[]);
    assert_eq!(answer["entries"], last_of(into.path()));
}

/// A secret key in the place of its recipient was printed, and so came into the log.
#[test]
fn a_secret_key_in_the_place_of_a_recipient_is_not_told() {
    let world = World::new(1);
    let key = world.path("key.txt").display().to_string();
    world.ok(&["keys", "recipient", &key]);
    let secret = fs::read_to_string(&key).unwrap();
    let secret = secret
        .lines()
        .find(|line| line.starts_with("AGE-SECRET"))
        .unwrap();
    let file = world.path("copy.sumun").display().to_string();
    for to in [key.as_str(), secret] {
        let output = world.run(&["backup", &file, "--to", to]);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("no recipient") && !said.contains(&secret[20..]),
            "{said}"
        );
    }
}

/// Values that the help gave as allowed, and names that are no text, ended in a panic.
#[test]
fn odd_values_and_names_are_no_panic() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new(1);
    let most = u64::MAX.to_string();
    let file = world.path("copy.sumun").display().to_string();
    let into = tempfile::tempdir().unwrap();
    let folder = into.path().to_str().unwrap();
    for arguments in [
        ["backup", &file, "--rate", &most].as_slice(),
        &["backup", "follow", folder, "--once", "--full-rate", &most],
        &["backup", "follow", folder, "--once", "--full-every", &most],
        &["backup", "follow", folder, "--once", "--full-every", "0"],
        &["backup", "follow", folder, "--once", "--keep", &most],
    ] {
        assert_eq!(world.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let mut backup = sumun(world.folder.path());
    let name = world
        .folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"bad\xffname"));
    backup.args(["backup", "--json"]).arg(&name);
    assert!(backup.output().unwrap().status.success());
    assert!(name.exists());
    let own = world.folder.path().to_str().unwrap();
    let server = world.serve();
    let said = world.run(&["backup", "follow", own, "--once"]);
    assert!(text(&said.stderr).contains("the data folder itself"));
    assert!(server.stop().success());
    for device in ["/dev/zero", "/dev/null"] {
        let target = tempfile::tempdir().unwrap();
        let said = refused(Path::new(device), target.path(), &[]);
        assert!(said.contains("no regular file"), "{said}");
    }
}
