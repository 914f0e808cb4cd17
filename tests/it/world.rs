//! A small world on disk and the real program serving it: what the tests of the whole talk to.
//!
//! Time is real here. The campaign is open now for people born in 1967, was open for those of 1966,
//! will be for those of 1968, and knows nobody else.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sumun::domain::crockford;

use super::client::Client;

pub const CAMPAIGN: &str = "test-open";

/// Makes a campaign file; `extra` is appended.
pub fn campaign_text(extra: &str) -> String {
    format!(
        r#"
[campaign]
id = "{CAMPAIGN}"
name = {{ ko = "시험", en = "Test" }}
timezone = "Asia/Seoul"
identity = ["name", "birth_date", "code"]

[[cohort]]
id = "open"
born = ["1967-01-01", "1967-12-31"]

[[cohort]]
id = "over"
born = ["1966-01-01", "1966-12-31"]

[[cohort]]
id = "later"
born = ["1968-01-01", "1968-12-31"]

[[opening]]
cohorts = ["open"]
from = "2020-01-01T00:00"
until = "2190-01-01T00:00"

[[opening]]
cohorts = ["over"]
from = "2020-01-01T00:00"
until = "2020-02-01T00:00"

[[opening]]
cohorts = ["later"]
from = "2189-01-01T00:00"
until = "2190-01-01T00:00"

[[vaccine]]
id = "mrna"
doses = 2
interval_days = 28

[[vaccine]]
id = "single"
doses = 1

[booking]
hold_s = 300
change_until_days = 2

[gate]
order = "arrival"
lobby_opens_min = 30
admit_per_s = 1000
active_max = 100000
session_idle_s = 600
{extra}"#
    )
}

/// A data folder of its own, and the program run on it.
pub struct World {
    pub folder: tempfile::TempDir,
}

/// A person of the roster, by position; the first of each birth year are easy to name.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub birth_date: String,
    pub code: String,
}

/// The year people are born in, by what the rules say of them.
pub const OPEN: i16 = 1967;
pub const OVER: i16 = 1966;
pub const LATER: i16 = 1968;
pub const NOBODY: i16 = 1990;

pub fn person(year: i16, at: u64) -> Person {
    // Far apart and plain; the year keeps the people of two years from sharing a code.
    let spread = |at: u64| (at * 2_654_435_761 + year as u64 * 97) * 37 % crockford::VALUES;
    let value = (0..)
        .map(|step| spread(at) + step)
        .find(|value| crockford::is_plain(*value));
    Person {
        name: format!("시험{at}"),
        birth_date: format!("{year}-{:02}-{:02}", at % 12 + 1, at % 28 + 1),
        code: crockford::format(value.unwrap()),
    }
}

impl World {
    /// A founded folder with the campaign, `people` open people, a few others, sites and slots.
    pub fn new(people: u64) -> Self {
        Self::with_slots(people, SLOTS)
    }

    /// Without a row, no slots are imported.
    pub fn with_slots(people: u64, slots: &str) -> Self {
        Self::on(tempfile::tempdir().unwrap(), people, slots)
    }

    /// The same in a folder of the test's own.
    pub fn on(folder: tempfile::TempDir, people: u64, slots: &str) -> Self {
        let world = Self { folder };
        world.ok(&["init"]);
        let port_0 = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
            desk_listen = \"127.0.0.1:0\"\nplain_http = true\n";
        fs::write(world.path("server.toml"), port_0).unwrap();
        world.write("campaign.toml", &campaign_text(""));
        world.write("people.csv", &roster_text(people));
        world.write("sites.csv", SITES);
        world.write("slots.csv", slots);
        let file = |name: &str| world.path(name).display().to_string();
        world.ok(&["campaign", "activate", &file("campaign.toml")]);
        world.ok(&["roster", "import", &file("people.csv")]);
        world.ok(&[
            "sites",
            "import",
            &file("sites.csv"),
            "--campaign",
            CAMPAIGN,
        ]);
        if slots.lines().count() < 2 {
            return world;
        }
        world.ok(&[
            "slots",
            "import",
            &file("slots.csv"),
            "--campaign",
            CAMPAIGN,
        ]);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Runs a command on the folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(arguments)
            .arg("--data")
            .arg(self.folder.path());
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed; its JSON answer.
    pub fn ok(&self, arguments: &[&str]) -> Value {
        let mut with_json = arguments.to_vec();
        with_json.push("--json");
        let output = self.run(&with_json);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).unwrap_or(Value::Null)
    }

    /// Starts the server and waits until it is ready.
    pub fn serve(&self) -> Server {
        Server::start(self.folder.path(), |_| {})
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The people of a roster file that a demo has made.
pub fn people_of(path: &Path) -> Vec<Person> {
    let roster = fs::read_to_string(path).unwrap();
    let person = |line: &str| {
        let mut fields = line.split(',').map(str::to_owned);
        let mut next = || fields.next().unwrap();
        Person {
            name: next(),
            birth_date: next(),
            code: next(),
        }
    };
    roster.lines().skip(1).map(person).collect()
}

pub fn roster_text(people: u64) -> String {
    let mut text = String::from("name,birth_date,code,phone,region,groups\n");
    let others = [OVER, LATER, NOBODY]
        .into_iter()
        .flat_map(|year| (0..5).map(move |at| (year, at)));
    for (year, at) in (0..people).map(|at| (OPEN, at)).chain(others) {
        let Person {
            name,
            birth_date,
            code,
        } = person(year, at);
        text.push_str(&format!(
            "{name},{birth_date},{code},010-{:04}-{:04},11/110,\n",
            1234 + at / 10_000,
            at % 10_000
        ));
    }
    text
}

pub const SITES: &str = "site,name_ko,name_en,region,address,lat,lng,phone\n\
    A,종로센터,Jongno Center,11/110,서울 종로구 1,37.57,126.98,02-111-1111\n\
    B,강남센터,Gangnam Center,11/680,서울 강남구 2,37.51,127.04,02-222-2222\n\
    C,부산센터,Busan Center,26/110,부산 중구 3,35.10,129.03,051-333-3333\n";

/// Site A: a two-dose slot of 100 seats and its second, two small ones, one without its second
/// dose's slot, one whose second dose is full from the start in the public pool; site B and C:
/// more.
pub const SLOTS: &str = "site,vaccine,date,start,end,public,assisted\n\
    A,mrna,2180-08-02,09:00,09:30,100,5\n\
    A,mrna,2180-08-30,09:00,09:30,100,5\n\
    A,mrna,2180-08-02,09:30,10:00,2,0\n\
    A,mrna,2180-08-30,09:30,10:00,2,0\n\
    A,mrna,2180-08-03,09:00,09:30,5,0\n\
    A,mrna,2180-08-04,09:00,09:30,5,0\n\
    A,mrna,2180-09-01,09:00,09:30,0,5\n\
    B,mrna,2180-08-02,09:00,09:30,5000,0\n\
    B,mrna,2180-08-30,09:00,09:30,5000,0\n\
    B,mrna,2180-08-05,09:00,09:30,5000,0\n\
    B,mrna,2180-09-02,09:00,09:30,5000,0\n\
    C,single,2180-08-02,09:00,09:30,50,0\n\
    C,single,2026-01-05,09:00,09:30,50,0\n";

/// A day that is over for years.
pub const PAST_SLOTS: &str = "site,vaccine,date,start,end,public,assisted\n\
    C,single,2020-01-05,09:00,09:30,50,0\n";

/// The program serving a folder. Ended when dropped, by its own process id.
pub struct Server {
    child: Child,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub desk: Option<SocketAddr>,
    pub log: Arc<Mutex<Vec<String>>>,
}

static KEYS: AtomicU64 = AtomicU64::new(0);

/// A fresh Idempotency-Key.
pub fn fresh_key() -> String {
    format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed))
}

impl Server {
    pub fn start(folder: &Path, adjust: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command.arg("serve").arg("--data").arg(folder);
        adjust(&mut command);
        Self::spawned(command)
    }

    /// Starts a prepared command and waits for the log line that says ready.
    pub fn spawned(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self::ready(command.spawn().unwrap())
    }

    /// Waits for the log line that says ready of a process whose standard error is piped.
    pub fn ready(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        for line in lines.by_ref().map_while(Result::ok) {
            let said: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
            log.lock().unwrap().push(line);
            if said["message"] == "ready" {
                let address = |name: &str| said[name].as_str().unwrap().parse().unwrap();
                let (public, admin) = (address("public"), address("admin"));
                let desk = said["desk"].as_str().map(|desk| desk.parse().unwrap());
                let keep = Arc::clone(&log);
                std::thread::spawn(move || {
                    lines
                        .map_while(Result::ok)
                        .for_each(|line| keep.lock().unwrap().push(line));
                });
                return Self {
                    child,
                    public,
                    admin,
                    desk,
                    log,
                };
            }
        }
        let status = child.wait().unwrap();
        panic!(
            "the server did not start ({status}): {:#?}",
            log.lock().unwrap()
        );
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn client(&self) -> Client {
        Client::new(self.public)
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        if !status.success() {
            eprintln!("stopped with {status}: {:#?}", self.log.lock().unwrap());
        }
        status
    }

    pub fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// The session token of a person who enters and is admitted.
    pub fn session(&self, person: &Person) -> String {
        self.client().session(person)
    }

    /// The slot at a site, date and time, as the API names it.
    pub fn slot(&self, session: &str, site: &str, date: &str, at: usize) -> String {
        let path = format!("/sites/{site}/slots?date={date}");
        let answer = self.client().get(&path, Some(session));
        answer.json["slots"][at]["slot"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer:?}"))
            .to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body that enters the gate.
pub fn credentials(person: &Person) -> Value {
    json!({ "name": person.name, "birth_date": person.birth_date, "code": person.code })
}
