//! What this host holds for a campaign: costs that are measured, and arithmetic that is shown.
//!
//! Each operation runs as fast as answers come, over `LINKS` connections, while the processor time
//! of the server's process is read from `/proc`. What follows is in `certificate`.

mod certificate;
mod scripts;

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::engine::{Engine, Pace, Script, Told};
use super::host;
use super::http::push_get;
use super::target::Server;
use super::wire::{Connectivity, Heard, Wire};
pub use certificate::Certificate;
use certificate::{Cost, Weighed};
use scripts::{Again, Book, Each, Enter, Fetch, Row, body};

const LINKS: usize = 64;
/// The end of a run that ends after a fixed number of requests; it is never reached.
const WHOLE: Duration = Duration::from_secs(120);
/// How long people enter while the memory of a waiting person is measured.
const WEIGH_FOR: Duration = Duration::from_secs(60);
/// After so long the keeper has journalled who has which number, and freed memory is given back.
const SETTLE: Duration = Duration::from_secs(3);

/// What is certified, and with whom.
pub struct Certify<'a> {
    pub server: &'a Server,
    pub campaign: &'a str,
    pub people: &'a Path,
    pub skip: usize,
    /// People of the file who enter and book for the measurement.
    pub count: usize,
    /// At most so many more people of the file enter and wait, to measure the memory of a waiting
    /// person.
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

        // The gate lets one person a second in, so nearly everybody waits.
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
        // The daily log is written behind the journal, so its bytes come a little later.
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

    /// Measures the memory of a waiting person. People have entered before this, so the server has
    /// already made the allocations that do not depend on the number of people; what its memory
    /// grows by now belongs to the people who enter now.
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
        // Slots may fill up while people book. Only the people who got a booking are counted.
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
        let measure = |line: Connectivity| -> anyhow::Result<(f64, u64, f64)> {
            let mut wire = Wire::new(self.server.way.clone(), LINKS)?;
            let (began, before) = (crate::clock::tick(), self.cpu_s()?);
            let mut done = 0;
            while began.elapsed() < run_for {
                while wire.has_idle() {
                    wire.send(0, crate::clock::tick(), &ask, line);
                }
                wire.wait(Duration::from_millis(20), &mut |_, heard| {
                    done += u64::from(matches!(heard, Heard::Response { status: 200, .. }));
                })?;
            }
            ensure!(done > 0, "/healthz does not answer");
            let cpu_us = (self.cpu_s()? - before) * 1e6 / done as f64;
            Ok((cpu_us, done, done as f64 / began.elapsed().as_secs_f64()))
        };
        let (steady, _, _) = measure(Connectivity::Steady)?;
        let (fresh, count, per_s) = measure(Connectivity::Fresh)?;
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
        // Bookings are spread over slots: all seats of one slot are behind the same lock.
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
