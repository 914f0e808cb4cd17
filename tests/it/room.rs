//! A disk that gets full: first said, then no bookings while everything else goes on, and nothing
//! acknowledged is lost when it is full to the last byte.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::world::{OPEN, SLOTS, Server, World, person, text};

/// A small disk of the test's own, in memory. It goes when dropped.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where the account may not mount.
    fn mount(mib: u64) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(place.path());
        let is_mounted = mount.status().is_ok_and(|status| status.success());
        if !is_mounted {
            eprintln!("not run: a disk can be mounted by root alone");
        }
        is_mounted.then_some(Self(place))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes so much of the disk, as a file of somebody else's.
    fn take(&self, mib: usize) -> bool {
        use std::io::Write as _;
        let mut file = fs::File::create(self.path().join("others")).unwrap();
        let one = vec![1; 1 << 20];
        (0..mib).all(|_| file.write_all(&one).is_ok())
    }

    fn give_back(&self) {
        fs::remove_file(self.path().join("others")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn world_on(disk: &Disk) -> World {
    World::on(tempfile::tempdir_in(disk.path()).unwrap(), 50, SLOTS)
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn with_little_room_nobody_books_and_everything_else_goes_on() {
    let Some(disk) = Disk::mount(700) else { return };
    let world = world_on(&disk);
    let server = world.serve();
    let sessions: Vec<_> = (0..3).map(|at| server.session(&person(OPEN, at))).collect();
    server.client().book(&sessions[0], "room-0", "7").is(201);
    assert!(disk.take(450), "the disk had room");
    wait_for("the server says it", || {
        server.client().get("//readyz", None).status == 503
    });
    let said = text(&server.client().get("//readyz", None).body);
    assert!(said.contains("MiB left"), "{said}");
    let refused = server.client().book(&sessions[1], "room-1", "7");
    let refused = refused.problem(503, "overloaded");
    assert_eq!(refused.json["retry_after_s"], 60);
    // Reads, and people who come, are not held up.
    server
        .client()
        .get("/bookings/mine", Some(&sessions[0]))
        .is(200);
    server.client().get("/sites", Some(&sessions[1])).is(200);
    disk.give_back();
    wait_for("bookings are taken again", || {
        server.client().book(&sessions[1], "room-1", "7").status == 201
    });
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn full_to_the_last_byte_nothing_acknowledged_is_lost() {
    let Some(disk) = Disk::mount(700) else { return };
    let world = world_on(&disk);
    let server = world.serve();
    // Sessions that can all be used without another entry.
    let sessions: Vec<_> = (0..50)
        .map(|at| server.session(&person(OPEN, at)))
        .collect();
    let mut client = server.client();
    let mut booked = Vec::new();
    for (at, session) in sessions.iter().enumerate() {
        if at == 20 {
            assert!(!disk.take(2_000), "the disk is full now");
        }
        let key = format!("full-{at}");
        // The server may end, as after each commit that failed: then it answers nothing.
        let answer = catch_unwind(AssertUnwindSafe(|| client.book(session, &key, "7").status));
        match answer {
            Ok(201) => booked.push(at),
            Ok(500 | 503) | Err(_) if at >= 20 => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(booked.len() >= 20);
    server.kill();
    disk.give_back();
    let server = Server::start(world.folder.path(), |_| {});
    for at in booked {
        let session = server.session(&person(OPEN, at as u64));
        server
            .client()
            .get("/bookings/mine", Some(&session))
            .is(200);
    }
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

/// An auditor gets a folder on a medium that can't be written: it could not be verified at all.
#[test]
fn a_folder_that_can_only_be_read_is_verified_and_exported() {
    let Some(disk) = Disk::mount(300) else { return };
    let world = world_on(&disk);
    let remount = |how: &str| {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{how}")])
            .arg(disk.path());
        assert!(mount.status().unwrap().success());
    };
    remount("ro");
    let verified = world.run(&["verify"]);
    let exported = world.run(&["audit", "export"]);
    remount("rw");
    let said = text(&verified.stdout) + &text(&verified.stderr);
    assert!(
        verified.status.success() && said.contains("verified"),
        "{said}"
    );
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    assert!(text(&exported.stdout).lines().count() > 3);
}
