//! What this host holds for a campaign: costs that are measured, and arithmetic that is shown.
//!
//! Each operation runs as fast as answers come, over `LINKS` connections, while the processor time
//! of the server's process is read from `/proc`. Of all cores together only `USABLE` is counted
//! on, and of memory and disk only `KEPT_PART` of what is free: the kernel's network, the
//! generator on this same host and a bad moment need the rest.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::engine::{Engine, Pace, Script, Told};
use super::host;
use super::http::{push_get, push_post};
use super::report::{counted, document, facts};
use super::target::Server;
use super::wire::{Heard, Line, Wire};

const LINKS: usize = 64;
/// Longer than any fixed number of requests takes.
const WHOLE: Duration = Duration::from_secs(120);
/// The part of all cores that is counted on.
const USABLE: f64 = 0.6;
/// The part of free memory and disk that is counted on.
const KEPT_PART: f64 = 0.5;
/// The longest interval between two polls, in seconds: far back in the line.
const POLL_S_MAX: f64 = 300.0;
/// Bytes that are counted for a waiting person at least: by design 21 to 50, and 12 in a draw.
const BYTES_PER_WAITING_MIN: f64 = 64.0;
/// Fewer people don't tell what one takes: a megabyte of anything else is 5 bytes of theirs.
const WEIGHED_MIN: u64 = 200_000;
/// For so long people enter to be weighed.
const WEIGH_FOR: Duration = Duration::from_secs(60);
/// After so long the keeper has journalled who has which number, and freed memory is given back.
const SETTLE: Duration = Duration::from_secs(3);
/// Site, day and slot are looked at this often before somebody books: the sites, some days, some
/// slots.
const LOOKS: f64 = 4.0;

/// What is certified, and with whom.
pub struct Certify<'a> {
    pub server: &'a Server,
    pub campaign: &'a str,
    pub people: &'a Path,
    pub skip: usize,
    /// People of the file who enter and book for the measurement.
    pub count: usize,
    /// People of the file after them who only enter, at most, to weigh those who wait.
    pub waiting: usize,
    /// The server's process and data folder.
    pub process: u32,
    pub folder: &'a Path,
    pub run_s: u64,
    /// The rate that the campaign's gate is set to.
    pub admit_per_s: u32,
    pub set_gate: &'a dyn Fn(u32, u32) -> anyhow::Result<()>,
    pub say: &'a dyn Fn(&str),
}

/// The cost of one operation.
#[derive(Clone, Debug)]
pub struct Cost {
    pub name: &'static str,
    pub cpu_us: f64,
    /// As many as this were done for it.
    pub count: u64,
    pub per_s: f64,
}

/// By how much the server's memory grew while so many people more came to wait.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighed {
    pub people: u64,
    pub bytes: f64,
}

impl Weighed {
    /// Bytes a person; none if there were too few to tell.
    pub fn each(self) -> Option<f64> {
        (self.people >= WEIGHED_MIN).then(|| self.bytes.max(0.0) / self.people as f64)
    }

    fn text(self) -> String {
        let (people, least) = (counted(self.people), BYTES_PER_WAITING_MIN);
        match self.each() {
            Some(each) => format!(
                "measured: {each:.0} bytes each, as {people} more came; at least {least} are \
                 counted"
            ),
            None => format!(
                "{least} are counted; not measured: {people} people are too few to tell, {} at \
                 least",
                counted(WEIGHED_MIN)
            ),
        }
    }
}

/// What was measured, and what follows.
pub struct Certificate {
    pub costs: Vec<Cost>,
    pub weighed: Weighed,
    pub disk_per_booking: f64,
    pub written_per_booking: f64,
    pub cores: f64,
    pub memory_free: f64,
    pub disk_free: f64,
    pub roster: u64,
    pub admit_per_s: u32,
    pub tls: bool,
}

impl Certify<'_> {
    pub fn run(&self) -> anyhow::Result<Certificate> {
        let path = format!("/api/v1/campaigns/{}", self.campaign);
        let bodies = self.bodies()?;
        let count = bodies.len();
        let mut engine = Engine::over(self.server.way.clone(), LINKS)?;
        let mut costs = Vec::new();
        let run_for = Duration::from_secs(self.run_s);

        (self.say)("the board");
        let board = format!("{path}/gate/board");
        let mut script = Again::get(vec![(board, String::new())]);
        costs.push(self.cost("board", &mut engine, run_for, &mut script, 200)?);
        if self.server.way.tls.is_some() {
            (self.say)("TLS handshakes");
            costs.push(self.handshakes(run_for)?);
        }

        // One a second: nearly everybody waits.
        (self.set_gate)(1, 1)?;
        (self.say)(&format!("{count} people enter"));
        let mut script = Each::post(format!("{path}/gate/enter"), bodies);
        costs.push(self.cost("enter", &mut engine, WHOLE, &mut script, 200)?);
        let places = script.tokens;
        let weighed = self.weigh(&mut engine, &path)?;

        (self.say)("looks at the place");
        let place = format!("{path}/gate/place");
        let looks = places.iter().map(|token| (place.clone(), token.clone()));
        let mut script = Again::get(looks.collect());
        costs.push(self.cost("place", &mut engine, run_for, &mut script, 200)?);

        (self.set_gate)(1_000_000, 4_000_000_000)?;
        self.until_called(&path)?;
        (self.say)("admissions");
        let mut script = Each::with_tokens(format!("{path}/gate/admit"), places);
        costs.push(self.cost("admit", &mut engine, WHOLE, &mut script, 200)?);
        let sessions = script.tokens;

        (self.say)("looks for a site, a day, a slot");
        let looks = self.browse(&mut engine, &path, &sessions)?;
        let mut script = Again::get(looks.paths);
        costs.push(self.cost("browse", &mut engine, run_for, &mut script, 200)?);

        (self.say)("bookings");
        let written = host::written_bytes(self.process).unwrap_or(0.0);
        let kept = host::folder_bytes(&self.folder.join("log"));
        let mut script = Book {
            path: format!("{path}/bookings"),
            sessions: sessions.into(),
            slots: looks.slots,
            booked: 0,
        };
        let booking = self.cost("book", &mut engine, WHOLE, &mut script, 201)?;
        let booked = booking.count as f64;
        costs.push(booking);
        // The daily log follows the journal.
        std::thread::sleep(Duration::from_secs(3));
        let written_after = host::written_bytes(self.process).unwrap_or(0.0);
        let kept_after = host::folder_bytes(&self.folder.join("log"));
        let log_each = (kept_after - kept) as f64 / booked;
        let disk = rustix::fs::statvfs(self.folder)?;
        let roster = csv::Reader::from_path(self.people)?.byte_records().count() as u64;
        Ok(Certificate {
            costs,
            weighed,
            disk_per_booking: log_each + JOURNAL_BYTES,
            written_per_booking: (written_after - written) / booked,
            cores: std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64),
            memory_free: memory_free(),
            disk_free: disk.f_bavail as f64 * disk.f_frsize as f64,
            roster,
            admit_per_s: self.admit_per_s,
            tls: self.server.way.tls.is_some(),
        })
    }

    fn bodies(&self) -> anyhow::Result<VecDeque<String>> {
        let rows = self.rows(0)?.take(self.count);
        let bodies = rows.map(|row| row.map(|row| body(&row)));
        let bodies: VecDeque<String> = bodies.collect::<Result<_, _>>()?;
        ensure!(
            bodies.len() >= 100,
            "{} has too few people left: a hundred at least",
            self.people.display()
        );
        Ok(bodies)
    }

    /// The people of the file, after those of other measurements and `more`.
    fn rows(&self, more: usize) -> anyhow::Result<impl Iterator<Item = Row> + use<>> {
        let reader = csv::Reader::from_path(self.people)?;
        Ok(reader.into_records().skip(self.skip + more))
    }

    /// Weighs those who wait: the people before have made the server take what it takes for any
    /// number, so what it grows by now is theirs.
    fn weigh(&self, engine: &mut Engine, path: &str) -> anyhow::Result<Weighed> {
        (self.say)("what one who waits takes, while more enter");
        let resident = || {
            std::thread::sleep(SETTLE);
            host::resident_bytes(self.process).unwrap_or(0.0)
        };
        let before = resident();
        let mut script = Enter {
            path: format!("{path}/gate/enter"),
            rows: self.rows(self.count)?.take(self.waiting),
        };
        let told = engine.drive(Pace::Closed, WEIGH_FOR, &mut script)?;
        Ok(Weighed {
            people: told.statuses.get(&200).copied().unwrap_or(0),
            bytes: resident() - before,
        })
    }

    fn cost(
        &self,
        name: &'static str,
        engine: &mut Engine,
        run_for: Duration,
        script: &mut impl Script,
        status: u16,
    ) -> anyhow::Result<Cost> {
        let before = self.cpu_s()?;
        let told = engine.drive(Pace::Closed, run_for, script)?;
        let cpu_s = self.cpu_s()? - before;
        // Slots may fill while people book: those who did count.
        let good = told.statuses.get(&status).copied().unwrap_or(0);
        let all = told.answers;
        let samples = || format!("{name}: {:?}", told.samples);
        ensure!(good * 10 >= all * 9 && good > 0, "{}", samples());
        Ok(Cost {
            name,
            cpu_us: cpu_s * 1e6 / good as f64,
            count: good,
            per_s: Told::per_s(&told),
        })
    }

    fn cpu_s(&self) -> anyhow::Result<f64> {
        let process = self.process;
        host::cpu_s(process).with_context(|| format!("process {process} is gone"))
    }

    /// A new connection for each request, without the cost of the request.
    fn handshakes(&self, run_for: Duration) -> anyhow::Result<Cost> {
        let mut ask = Vec::new();
        push_get(&mut ask, "/healthz", "");
        let measure = |line: Line| -> anyhow::Result<(f64, u64, f64)> {
            let mut wire = Wire::new(self.server.way.clone(), LINKS)?;
            let (began, before) = (crate::clock::tick(), self.cpu_s()?);
            let mut done = 0;
            while began.elapsed() < run_for {
                while wire.has_idle() {
                    wire.send(0, crate::clock::tick(), &ask, line);
                }
                wire.wait(Duration::from_millis(20), &mut |_, heard| {
                    done += u64::from(matches!(heard, Heard::Answer { status: 200, .. }));
                })?;
            }
            ensure!(done > 0, "/healthz does not answer");
            let cpu_us = (self.cpu_s()? - before) * 1e6 / done as f64;
            Ok((cpu_us, done, done as f64 / began.elapsed().as_secs_f64()))
        };
        let (steady, _, _) = measure(Line::Steady)?;
        let (fresh, count, per_s) = measure(Line::Fresh)?;
        Ok(Cost {
            name: "handshake",
            cpu_us: (fresh - steady).max(0.0),
            count,
            per_s,
        })
    }

    fn until_called(&self, path: &str) -> anyhow::Result<()> {
        let began = crate::clock::tick();
        while self.server.get(&format!("{path}/gate/board"))?.1["waiting"] != 0 {
            let waited = began.elapsed();
            ensure!(waited < WHOLE, "the line does not empty");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// The looks at all sites, their days and the slots of each first day, and the free slots.
    fn browse(
        &self,
        engine: &mut Engine,
        path: &str,
        sessions: &[String],
    ) -> anyhow::Result<Looks> {
        let token = sessions.first().context("nobody was admitted")?.clone();
        let mut paths = Vec::new();
        let mut sites = Vec::new();
        let mut page = Some(format!("{path}/sites"));
        while let Some(asked) = page {
            let answer = fetch(engine, vec![asked.clone()], &token)?.remove(0);
            paths.push((asked, token.clone()));
            let listed = answer["sites"].as_array().into_iter().flatten();
            sites.extend(listed.filter_map(|site| site["site"].as_str().map(str::to_owned)));
            let cursor = answer["next_cursor"].as_str();
            page = cursor.map(|cursor| format!("{path}/sites?cursor={cursor}"));
        }
        let days: Vec<String> = sites
            .iter()
            .map(|site| format!("{path}/sites/{site}/days"))
            .collect();
        let mut of_days = Vec::new();
        for (site, answer) in sites.iter().zip(fetch(engine, days.clone(), &token)?) {
            let listed = answer["days"].as_array().into_iter().flatten();
            let dates = listed.filter_map(|day| day["date"].as_str());
            of_days.extend(dates.map(|date| format!("{path}/sites/{site}/slots?date={date}")));
        }
        paths.extend(days.into_iter().map(|path| (path, token.clone())));
        let mut slots = Vec::new();
        for answer in fetch(engine, of_days.clone(), &token)? {
            for slot in answer["slots"].as_array().into_iter().flatten() {
                let (free, id) = (slot["free"].as_u64(), slot["slot"].as_str());
                let id = id.unwrap_or_default().to_owned();
                slots.extend(std::iter::repeat_n(id, free.unwrap_or(0) as usize));
            }
        }
        paths.extend(of_days.into_iter().map(|path| (path, token.clone())));
        // One seat after the other of a slot would meet the same lock.
        let mut random = super::random::Random::new(1);
        for at in (1..slots.len()).rev() {
            slots.swap(at, random.below(at + 1));
        }
        Ok(Looks { paths, slots })
    }
}

/// Bytes of a booking's entry in the journal with its block's share.
const JOURNAL_BYTES: f64 = 256.0;

struct Looks {
    paths: Vec<(String, String)>,
    slots: Vec<String>,
}

fn memory_free() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0
}

fn fetch(engine: &mut Engine, paths: Vec<String>, token: &str) -> io::Result<Vec<Value>> {
    let answers = vec![Value::Null; paths.len()];
    let mut script = Fetch {
        paths,
        token,
        asked: 0,
        answers,
    };
    engine.drive(Pace::Closed, WHOLE, &mut script)?;
    Ok(script.answers)
}

struct Fetch<'a> {
    paths: Vec<String>,
    token: &'a str,
    asked: usize,
    answers: Vec<Value>,
}

impl Script for Fetch<'_> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let at = self.asked;
        push_get(into, self.paths.get(at)?, self.token);
        self.asked += 1;
        Some(at as u32)
    }

    fn answered(&mut self, ticket: u32, _: u16, body: &[u8]) {
        self.answers[ticket as usize] = serde_json::from_slice(body).unwrap_or(Value::Null);
    }
}

/// The same requests again and again.
struct Again {
    paths: Vec<(String, String)>,
    at: usize,
}

impl Again {
    fn get(paths: Vec<(String, String)>) -> Self {
        Self { paths, at: 0 }
    }
}

impl Script for Again {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let (path, token) = &self.paths[self.at % self.paths.len()];
        push_get(into, path, token);
        self.at += 1;
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

/// One POST for each, and the tokens that they answer with.
struct Each {
    path: String,
    bodies: VecDeque<String>,
    asks_with: VecDeque<String>,
    tokens: Vec<String>,
}

impl Each {
    fn post(path: String, bodies: VecDeque<String>) -> Self {
        Self {
            path,
            bodies,
            asks_with: VecDeque::new(),
            tokens: Vec::new(),
        }
    }

    fn with_tokens(path: String, tokens: Vec<String>) -> Self {
        Self {
            path,
            bodies: VecDeque::new(),
            asks_with: tokens.into(),
            tokens: Vec::new(),
        }
    }
}

impl Script for Each {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        match self.bodies.pop_front() {
            Some(body) => push_post(into, &self.path, "", "", &body),
            None => push_post(into, &self.path, &self.asks_with.pop_front()?, "", ""),
        }
        Some(0)
    }

    fn answered(&mut self, _: u32, status: u16, body: &[u8]) {
        let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        if let Some(token) = answer["token"].as_str().filter(|_| status == 200) {
            self.tokens.push(token.to_owned());
        }
    }
}

type Row = Result<csv::StringRecord, csv::Error>;

fn body(row: &csv::StringRecord) -> String {
    json!({ "name": row[0], "birth_date": row[1], "code": row[2] }).to_string()
}

/// Everybody of a file enters, and nothing of them is kept.
struct Enter<R> {
    path: String,
    rows: R,
}

impl<R: Iterator<Item = Row>> Script for Enter<R> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let row = self.rows.next()?.ok()?;
        push_post(into, &self.path, "", "", &body(&row));
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

struct Book {
    path: String,
    sessions: VecDeque<String>,
    slots: Vec<String>,
    booked: u64,
}

impl Script for Book {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let (slot, session) = (self.slots.pop()?, self.sessions.pop_front()?);
        self.booked += 1;
        let key = format!("certify-{}-{}", std::process::id(), self.booked);
        let body = format!(r#"{{"slot":"{slot}"}}"#);
        push_post(into, &self.path, &session, &key, &body);
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

/// What follows from the costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holds {
    /// Processor time of one person from the board to the booking, in microseconds.
    pub person_us: f64,
    /// Microseconds of processor time that are counted on in each second.
    pub budget_us: f64,
    /// The most bookings a second with nobody waiting.
    pub bookings_per_s: f64,
    /// With the campaign's rate let in: what is left for those who wait.
    pub polls_per_s: f64,
    pub waiting_by_polls: f64,
    pub waiting_by_memory: f64,
    pub waiting: f64,
    /// For all of the roster, at the campaign's rate or the host's, whichever is less.
    pub hours: f64,
    pub disk_bytes: f64,
    /// Whether the campaign's rate, everybody waiting and the disk fit.
    pub fits: bool,
}

impl Certificate {
    fn cpu_us(&self, name: &str) -> f64 {
        let found = self.costs.iter().find(|cost| cost.name == name);
        found.map_or(0.0, |cost| cost.cpu_us)
    }

    /// Bytes that are counted for somebody who waits.
    fn bytes_counted(&self) -> f64 {
        self.weighed
            .each()
            .unwrap_or(0.0)
            .max(BYTES_PER_WAITING_MIN)
    }

    pub fn holds(&self) -> Holds {
        let us = |name: &str| self.cpu_us(name);
        let person_us = us("handshake")
            + us("board")
            + us("enter")
            + us("admit")
            + LOOKS * us("browse")
            + us("book");
        let budget_us = self.cores * 1e6 * USABLE;
        let bookings_per_s = budget_us / person_us.max(1.0);
        let admitted = f64::from(self.admit_per_s).min(bookings_per_s);
        let left_us = (budget_us - admitted * person_us).max(0.0);
        let polls_per_s = left_us / us("place").max(0.1);
        let waiting_by_polls = polls_per_s * POLL_S_MAX;
        let waiting_by_memory = self.memory_free * KEPT_PART / self.bytes_counted();
        let waiting = waiting_by_polls.min(waiting_by_memory);
        let disk_bytes = self.roster as f64 * self.disk_per_booking;
        Holds {
            person_us,
            budget_us,
            bookings_per_s,
            polls_per_s,
            waiting_by_polls,
            waiting_by_memory,
            waiting,
            hours: self.roster as f64 / admitted.max(1.0) / 3_600.0,
            disk_bytes,
            fits: f64::from(self.admit_per_s) <= bookings_per_s
                && waiting >= self.roster as f64
                && disk_bytes <= self.disk_free * KEPT_PART,
        }
    }

    /// Each line of the arithmetic: what, how, figure.
    fn arithmetic(&self) -> Vec<(&'static str, String)> {
        let holds = self.holds();
        let Holds {
            person_us,
            budget_us,
            ..
        } = holds;
        let whole = |value: f64| counted(value.max(0.0) as u64);
        let us = |name: &str| self.cpu_us(name);
        let handshake = match self.tls {
            true => format!("handshake {:.0} + ", us("handshake")),
            false => String::new(),
        };
        let admitted = f64::from(self.admit_per_s).min(holds.bookings_per_s);
        vec![
            (
                "processor time counted on",
                format!(
                    "{} cores × {USABLE} = {} CPU-µs a second",
                    self.cores,
                    whole(budget_us)
                ),
            ),
            (
                "one person, from the board to the booking",
                format!(
                    "{handshake}board {:.0} + enter {:.0} + admit {:.0} + {LOOKS:.0} × browse \
                     {:.0} + book {:.0} = {person_us:.0} CPU-µs",
                    us("board"),
                    us("enter"),
                    us("admit"),
                    us("browse"),
                    us("book")
                ),
            ),
            (
                "bookings a second, nobody waiting",
                format!(
                    "{} / {person_us:.0} = {}",
                    whole(budget_us),
                    whole(holds.bookings_per_s)
                ),
            ),
            (
                "polls a second beside the campaign's rate",
                format!(
                    "({} − {admitted:.0}/s × {person_us:.0}) / {:.1} for a look at the place = {}",
                    whole(budget_us),
                    us("place"),
                    whole(holds.polls_per_s)
                ),
            ),
            (
                "people waiting, by polls",
                format!(
                    "{}/s × {POLL_S_MAX:.0} s between two polls far back = {}",
                    whole(holds.polls_per_s),
                    whole(holds.waiting_by_polls)
                ),
            ),
            (
                "people waiting, by memory",
                format!(
                    "{} MiB free × {KEPT_PART} / {:.0} bytes = {} ({})",
                    whole(self.memory_free / 1_048_576.0),
                    self.bytes_counted(),
                    whole(holds.waiting_by_memory),
                    self.weighed.text()
                ),
            ),
            (
                "time for everybody",
                format!(
                    "{} people / {admitted:.0} a second = {:.1} hours",
                    counted(self.roster),
                    holds.hours
                ),
            ),
            (
                "disk for everybody",
                format!(
                    "{} × {:.0} bytes kept = {} MiB, of {} MiB free × {KEPT_PART}; {:.0} bytes \
                     written each",
                    counted(self.roster),
                    self.disk_per_booking,
                    whole(holds.disk_bytes / 1_048_576.0),
                    whole(self.disk_free / 1_048_576.0),
                    self.written_per_booking
                ),
            ),
        ]
    }

    fn verdict(&self) -> String {
        let holds = self.holds();
        let (roster, rate) = (counted(self.roster), self.admit_per_s);
        let waiting = counted(holds.waiting as u64);
        match holds.fits {
            true => format!(
                "This host holds it: {roster} people at {rate} a second, and {waiting} may wait."
            ),
            false => format!(
                "This host does not hold it with its margins: {roster} people at {rate} a second; \
                 {waiting} may wait, {:.0} may book a second.",
                holds.bookings_per_s
            ),
        }
    }

    pub fn text(&self) -> String {
        let mut lines = vec![self.verdict(), String::new()];
        lines.push(format!(
            "{:10} {:>12} {:>10} {:>10}",
            "call", "CPU-µs each", "measured", "per s"
        ));
        for cost in &self.costs {
            lines.push(format!(
                "{:10} {:>12.1} {:>10} {:>10.0}",
                cost.name, cost.cpu_us, cost.count, cost.per_s
            ));
        }
        lines.push(String::new());
        for (what, how) in self.arithmetic() {
            lines.push(format!("{what}: {how}"));
        }
        lines.join("\n")
    }

    pub fn json(&self) -> Value {
        let costs: Vec<Value> = self
            .costs
            .iter()
            .map(|cost| {
                json!({ "call": cost.name, "cpu_us": cost.cpu_us, "count": cost.count,
                        "per_s": cost.per_s })
            })
            .collect();
        let holds = self.holds();
        json!({
            "costs": costs, "bytes_per_waiting": self.weighed.each(),
            "weighed_people": self.weighed.people, "bytes_counted": self.bytes_counted(),
            "disk_bytes_per_booking": self.disk_per_booking,
            "written_bytes_per_booking": self.written_per_booking,
            "cores": self.cores, "usable": USABLE, "memory_free_bytes": self.memory_free,
            "disk_free_bytes": self.disk_free, "roster": self.roster,
            "admit_per_s": self.admit_per_s, "tls": self.tls, "person_cpu_us": holds.person_us,
            "bookings_per_s": holds.bookings_per_s, "polls_per_s": holds.polls_per_s,
            "waiting": holds.waiting, "waiting_by_polls": holds.waiting_by_polls,
            "waiting_by_memory": holds.waiting_by_memory, "hours_for_everybody": holds.hours,
            "disk_bytes_for_everybody": holds.disk_bytes, "fits": holds.fits,
        })
    }

    pub fn page(&self, campaign: &str, command: &str) -> String {
        use super::chart::escaped;
        let class = if self.holds().fits { "good" } else { "bad" };
        let mut out = format!(
            "<h1>Certificate for {}</h1>\n<p class=\"verdict {class}\">{}</p>\n\
             <h2>Measured</h2>\n<div class=\"card\"><table><tr><th>call</th>\
             <th>CPU-µs each</th><th>measured</th><th>per s</th></tr>\n",
            escaped(campaign),
            escaped(&self.verdict())
        );
        for cost in &self.costs {
            out.push_str(&format!(
                "<tr><td>{}</td><td>{:.1}</td><td>{}</td><td>{}</td></tr>\n",
                cost.name,
                cost.cpu_us,
                counted(cost.count),
                counted(cost.per_s as u64)
            ));
        }
        out.push_str("</table></div>\n<h2>What follows</h2>\n");
        out.push_str(&facts(&self.arithmetic()));
        out.push_str("<h2>How it was measured</h2>\n");
        out.push_str(&facts(&[
            ("command", command.to_owned()),
            ("version", format!("sumun {}", env!("CARGO_PKG_VERSION"))),
            ("host", host::facts()),
        ]));
        document(&format!("Certificate for {campaign}"), &out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Certificate {
        let cost = |name, cpu_us| Cost {
            name,
            cpu_us,
            count: 1_000,
            per_s: 10_000.0,
        };
        Certificate {
            costs: vec![
                cost("board", 10.0),
                cost("enter", 50.0),
                cost("place", 20.0),
                cost("admit", 40.0),
                cost("browse", 50.0),
                cost("book", 100.0),
            ],
            weighed: Weighed {
                people: 1_000_000,
                bytes: 40e6,
            },
            disk_per_booking: 1_000.0,
            written_per_booking: 2_000.0,
            cores: 2.0,
            memory_free: 2e9,
            disk_free: 1e10,
            roster: 1_000_000,
            admit_per_s: 300,
            tls: false,
        }
    }

    #[test]
    fn the_arithmetic_is_what_it_says() {
        let holds = certificate().holds();
        assert_eq!(holds.person_us, 10.0 + 50.0 + 40.0 + 4.0 * 50.0 + 100.0);
        assert_eq!(holds.bookings_per_s, 1_200_000.0 / 400.0);
        assert_eq!(holds.polls_per_s, (1_200_000.0 - 300.0 * 400.0) / 20.0);
        assert_eq!(holds.waiting_by_polls, 54_000.0 * 300.0);
        assert_eq!(holds.waiting, 1e9 / 64.0);
        assert!(holds.fits);
        assert!(certificate().text().contains("= 400 CPU-µs"));
    }

    /// 50,000 people and the server's first 50 MB of anything were once a thousand bytes each.
    #[test]
    fn too_few_people_are_not_weighed() {
        let of = |people, bytes| Certificate {
            weighed: Weighed { people, bytes },
            ..certificate()
        };
        let few = of(50_000, 50e6);
        assert_eq!(few.weighed.each(), None);
        assert_eq!(few.json()["bytes_per_waiting"], Value::Null);
        assert_eq!(few.holds().waiting_by_memory, 1e9 / 64.0);
        assert!(
            few.text().contains("50,000 people are too few"),
            "{}",
            few.text()
        );
        let many = of(1_000_000, 80e6);
        assert_eq!(many.json()["bytes_per_waiting"], 80.0);
        assert_eq!(many.holds().waiting_by_memory, 1e9 / 80.0);
        assert!(
            many.text()
                .contains("80 bytes each, as 1,000,000 more came")
        );
    }

    #[test]
    fn a_rate_a_line_or_a_disk_too_large_does_not_fit() {
        let too_fast = Certificate {
            admit_per_s: 3_001,
            ..certificate()
        };
        let too_many = Certificate {
            roster: 20_000_000,
            disk_free: 1e15,
            ..certificate()
        };
        let no_disk = Certificate {
            disk_free: 1e9,
            ..certificate()
        };
        for one in [too_fast, too_many, no_disk] {
            assert!(!one.holds().fits, "{}", one.text());
            assert!(one.page("<c>", "").contains("bad"));
        }
    }
}
