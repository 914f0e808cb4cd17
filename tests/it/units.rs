//! What the systemd units rely on: sockets that are handed over and kept over restarts, the
//! notifications, the watchdog, credentials, and the units themselves.
//!
//! Here the test is the service manager: it holds the listening sockets, hands them to each new
//! server process as systemd does, and reads the notifications. `systemd-socket-activate` does the
//! same once more.

mod files;
mod restarts;

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::client::Client;
use super::world::{OPEN, Server, World, person, text};

/// The sockets that a service manager holds.
pub struct Kept {
    public: TcpListener,
    admin: TcpListener,
}

impl Kept {
    pub fn new() -> Self {
        let bound = || TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            public: bound(),
            admin: bound(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.public.local_addr().unwrap()
    }

    /// A process that has both sockets as its files 3 and 4, and the variables that say so.
    pub fn command(&self, folder: &Path) -> Command {
        let copy = |socket: &TcpListener| OwnedFd::from(socket.try_clone().unwrap());
        let mut command = handed("public:admin", copy(&self.public), copy(&self.admin));
        command.arg("serve").arg("--data").arg(folder);
        command
    }

    pub fn start(&self, folder: &Path, adjust: impl FnOnce(&mut Command)) -> Server {
        let mut command = self.command(folder);
        adjust(&mut command);
        Server::ready(command.spawn().unwrap())
    }
}

/// The program with two files handed over under those names. They come as standard input and
/// output, which need no code of ours between fork and exec, and the shell moves them.
fn handed(names: &str, first: OwnedFd, second: OwnedFd) -> Command {
    let mut command = Command::new("bash");
    command.arg("-c").arg(
        "exec 3<&0 4<&1 </dev/null >/dev/null; \
         export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$0\" \"$@\"",
    );
    command.arg(env!("CARGO_BIN_EXE_sumun"));
    command.env("LISTEN_FDNAMES", names);
    command.stdin(first).stdout(second).stderr(Stdio::piped());
    command
}

/// Reads notifications on a socket of its own.
struct Manager {
    folder: tempfile::TempDir,
    told: mpsc::Receiver<String>,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = socket.recv(&mut bytes) {
                if tell.send(text(&bytes[..length])).is_err() {
                    return;
                }
            }
        });
        Self { folder, told }
    }

    fn adjust(&self, command: &mut Command) {
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
    }

    /// What was told up to and with the first notification that `is_last`.
    fn until(&self, is_last: impl Fn(&str) -> bool) -> Vec<String> {
        let mut told = Vec::new();
        let began = Instant::now();
        loop {
            let left = Duration::from_secs(60).saturating_sub(began.elapsed());
            let next = self.told.recv_timeout(left);
            let next = next.unwrap_or_else(|_| panic!("this was not told after {told:?}"));
            told.push(next);
            if told.last().is_some_and(|last| is_last(last)) {
                return told;
            }
        }
    }
}

#[test]
fn the_manager_hears_of_start_reload_and_stop() {
    let (world, kept, manager) = (World::new(3), Kept::new(), Manager::new());
    let server = kept.start(world.folder.path(), |command| manager.adjust(command));
    let ready = |told: &str| told == "READY=1";
    let told = manager.until(ready);
    assert!(
        !told.iter().any(|told| told.contains("WATCHDOG")),
        "{told:?}"
    );
    server.signal("HUP");
    let told = manager.until(ready);
    let reload = told.iter().find(|told| told.starts_with("RELOADING=1\n"));
    let at = reload.and_then(|told| told.split_once("MONOTONIC_USEC="));
    assert!(at.unwrap().1.parse::<u64>().unwrap() > 0, "{told:?}");
    server.client().enter(&person(OPEN, 0));
    manager.until(|told| told.starts_with("STATUS=serving: ") && told.contains("entries"));
    assert!(server.stop().success());
    manager.until(|told| told.starts_with("STOPPING=1\n"));
}

/// The watchdog's purpose is the writer that no longer writes: a process that lives and answers
/// what needs no writer must not keep itself alive by that.
#[test]
fn no_sign_of_life_is_given_while_the_writer_is_stuck() {
    let (world, kept, manager) = (World::new(3), Kept::new(), Manager::new());
    let server = kept.start(world.folder.path(), |command| {
        manager.adjust(command);
        command.env("WATCHDOG_USEC", "1000000");
        command.env("SUMUN_FAULT", "stall:writer");
    });
    let alive = |told: &&String| *told == "WATCHDOG=1";
    let before = manager.until(|told| told.starts_with("STATUS=stuck: "));
    assert!(before.iter().filter(alive).count() >= 2, "{before:?}");
    assert!(before.last().unwrap().contains("writer"), "{before:?}");
    let stuck = manager.until(|told| told.starts_with("STATUS=serving: "));
    assert_eq!(stuck.iter().filter(alive).count(), 0, "{stuck:?}");
    manager.until(|told| told == "WATCHDOG=1");
    assert!(server.stop().success());
}

#[test]
fn what_is_no_listening_socket_is_refused_in_words() {
    let world = World::new(3);
    let kept = Kept::new();
    let refused = |names: &str, first: OwnedFd| {
        let second = OwnedFd::from(kept.admin.try_clone().unwrap());
        let mut command = handed(names, first, second);
        command.arg("serve").arg("--data").arg(world.folder.path());
        let ended = command.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        text(&ended.stderr)
    };
    let datagram = UnixDatagram::unbound().unwrap();
    let said = refused("public:admin", datagram.into());
    assert!(
        said.contains("\"public\"") && said.contains("ListenStream="),
        "{said}"
    );
    let public = kept.public.try_clone().unwrap();
    let said = refused("public:metrics", public.into());
    assert!(
        said.contains("\"metrics\"") && said.contains("FileDescriptorName="),
        "{said}"
    );
}

#[test]
fn systemd_socket_activate_hands_its_sockets_over() {
    let world = World::new(3);
    let free = || {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    };
    let (public, admin) = (free(), free());
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &public.to_string(), "-l", &admin.to_string()]);
    command.args([
        "--fdname=public:admin",
        env!("CARGO_BIN_EXE_sumun"),
        "serve",
        "--data",
    ]);
    command.arg(world.folder.path());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command
        .spawn()
        .expect("systemd-socket-activate is there (package systemd)");
    // The program is started by the first connection, which waits until it is ready.
    let first = std::thread::spawn(move || {
        let mut client = Client::new(public);
        let ask = |client: &mut Client| client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        (0..600).find_map(|_| {
            let answer = ask(&mut client).ok();
            answer.or_else(|| {
                std::thread::sleep(Duration::from_millis(50));
                None
            })
        })
    });
    let server = Server::ready(child);
    assert_eq!((server.public, server.admin), (public, admin));
    assert_eq!(first.join().unwrap().unwrap().status, 200);
    let metrics = Client::new(admin).send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(metrics.unwrap().status, 200);
    assert!(server.stop().success());
}

/// The secrets come from the service manager, and the data folder has none of them but the keys of
/// tokens that replaced the first.
#[test]
fn secrets_that_are_handed_over_are_used_and_the_folder_has_none() {
    let world = World::new(3);
    let handed = tempfile::tempdir().unwrap();
    std::fs::copy(world.path("keys.json"), handed.path().join("keys.json")).unwrap();
    std::fs::remove_file(world.path("keys.json")).unwrap();
    let start = || {
        Server::start(world.folder.path(), |command| {
            command.env("CREDENTIALS_DIRECTORY", handed.path());
        })
    };
    let server = start();
    let session = server.session(&person(OPEN, 0));
    world.ok(&["keys", "rotate"]);
    assert!(server.stop().success());
    assert!(!world.path("keys.json").exists());
    assert!(world.path("tokens.json").exists());
    let server = start();
    // What the replaced key signed is good until the next time, and a revocation ends it for good.
    server.client().get("/sites", Some(&session)).is(200);
    world.ok(&["keys", "rotate", "--revoke"]);
    server.client().get("/sites", Some(&session)).is(401);
    assert!(server.stop().success());
    let server = start();
    server.client().get("/sites", Some(&session)).is(401);
    assert!(server.stop().success());
}
