//! The demo, running, and its people; each test has a folder and a port of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;

use super::client::Client;
use super::world::{Person, people_of};

/// A minute after the opening.
pub const OPEN: &str = "2021-07-19T20:01:00+09:00";

pub struct Demo {
    folder: tempfile::TempDir,
    address: SocketAddr,
    child: Child,
    campaign: String,
    at: String,
    scheme: &'static str,
    pub people: Vec<Person>,
    /// The address of the desk, and its accounts: name, password, secret of one-time codes.
    pub desk: String,
    pub staff: Vec<[String; 3]>,
}

impl Demo {
    pub fn open() -> Self {
        Self::start(OPEN, |campaign| campaign)
    }

    /// The same over TLS, with the certificate that the demo makes for itself.
    pub fn open_over_tls() -> Self {
        Self::begin("https", OPEN, |campaign| campaign)
    }

    /// A demo at an instant, with its campaign file changed.
    pub fn start(at: &str, change: impl FnOnce(String) -> String) -> Self {
        Self::begin("http", at, change)
    }

    fn begin(scheme: &'static str, at: &str, change: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/campaign.toml");
        let campaign = change(fs::read_to_string(path).unwrap());
        let file = folder.path().join("campaign.toml");
        fs::write(&file, campaign).unwrap();
        let address = free_address();
        let campaign = file.display().to_string();
        let (child, ready) = run(&folder, scheme, address, &campaign, Some(at));
        let people = ready["people"].as_array().unwrap().iter().map(|person| {
            let text = |field: &str| person[field].as_str().unwrap().to_owned();
            Person {
                name: text("name"),
                birth_date: text("birth_date"),
                code: text("code"),
            }
        });
        let people = people.collect();
        let staff = ready["staff"].as_array().unwrap().iter().map(|account| {
            ["name", "password", "totp_secret"]
                .map(|field| account[field].as_str().unwrap().to_owned())
        });
        Self {
            desk: ready["desk_url"].as_str().unwrap().to_owned(),
            staff: staff.collect(),
            folder,
            address,
            child,
            campaign,
            at: at.to_owned(),
            scheme,
            people,
        }
    }

    pub fn base(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// kill -9, and up again on the same folder and port.
    pub fn crash(&mut self) {
        self.kill();
        self.again();
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn again(&mut self) {
        let (folder, campaign) = (&self.folder, &self.campaign);
        self.child = run(folder, self.scheme, self.address, campaign, None).0;
    }

    /// An operator's command.
    pub fn operate(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(arguments)
            .arg("--data")
            .arg(self.folder.path().join("state"));
        let done = command.output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {done:?}");
    }

    /// The API, for what other people do meanwhile.
    pub fn client(&self) -> Client {
        let mut client = Client::new(self.address);
        client.campaign = "kr-2021-50s".to_owned();
        client
    }

    /// Everybody on its roster.
    pub fn roster(&self) -> Vec<Person> {
        people_of(&self.folder.path().join("state/people.csv"))
    }

    /// Another person goes in: their session.
    pub fn lets_in(&self, person: usize) -> String {
        self.client().session(&self.people[person])
    }

    pub fn starts_at(&self) -> &str {
        &self.at
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nobody listens on, and that no other test of this run is given. The system takes
/// the ports of outgoing connections from higher ones: none of those can take this one meanwhile.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 20_000;
    let somewhere = (std::process::id() % u32::from(COUNT)) as u16;
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + somewhere.wrapping_add(next) % COUNT;
        let both = [
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ];
        let free = both.map(|ip| TcpListener::bind((ip, port)));
        // A machine without IPv6 has no such address to be taken.
        let taken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
        if !free
            .iter()
            .filter_map(|free| free.as_ref().err())
            .any(taken)
        {
            return (both[0], port).into();
        }
    }
}

fn run(
    folder: &tempfile::TempDir,
    scheme: &str,
    address: SocketAddr,
    campaign: &str,
    at: Option<&str>,
) -> (Child, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args([
        "demo",
        "--people",
        "12000",
        "--json",
        "--campaign",
        campaign,
    ]);
    if scheme == "http" {
        command.arg("--plain-http");
    }
    command.args(["--listen", &address.to_string(), "--data"]);
    command.arg(folder.path().join("state"));
    if let Some(at) = at {
        command.args(["--at", at]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines
        .next()
        .expect("the demo says when it is ready")
        .unwrap();
    (child, serde_json::from_str(&ready).unwrap())
}
