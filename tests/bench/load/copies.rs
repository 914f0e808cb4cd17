//! What copies cost: the same bookings with nobody copying, while what is new is followed into a
//! folder, and while everything is copied too; how far the folder is behind; how fast a copy is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::evening::Evening;
use super::measure::{Busy, keep};
use super::{CONNECTIONS, Done, expect, figures};
use sumun::rush::engine::{Engine, Pace};

/// Where everything is.
pub struct Place<'a> {
    pub address: std::net::SocketAddr,
    pub server: u32,
    pub campaign: &'a str,
    pub roster: &'a Path,
    pub people: usize,
    pub sumun: &'a Path,
    pub data: &'a Path,
    /// An empty folder.
    pub into: &'a Path,
}

/// Bookings a second at which the lag is measured.
const BOOKED_PER_S: f64 = 2_000.0;
/// Turns of each kind, one after the other.
const TURNS: usize = 3;

pub fn copies(results: &Path, place: &Place<'_>, run_for: Duration) -> Done {
    let engine = Engine::connect(place.address, CONNECTIONS)?;
    let mut evening = Evening::at(engine, place.campaign);
    expect(&evening.sign_in(place.roster, 0, place.people)?, 200)?;
    evening.list_seats()?;
    expect(&evening.book(Pace::Closed, Duration::from_secs(1))?, 201)?;
    let (mut follower, mut p99_without) = (None, None::<f64>);
    for _ in 0..TURNS {
        for (name, copies) in [
            ("copies_none", None),
            ("copies_follow", Some(false)),
            ("copies_all", Some(true)),
        ] {
            if copies.is_some() && follower.is_none() {
                follower = Some(Follower::start(place)?);
            } else if copies.is_none() {
                follower = None;
            }
            let whole = copies.unwrap_or(false).then(|| whole(place)).transpose()?;
            let busy = Busy::begin(Some(place.server));
            let told = evening.book(Pace::Closed, run_for)?;
            expect(&told, 201)?;
            let closed = figures(&told, busy.end());
            let told = evening.book(Pace::Open(BOOKED_PER_S), run_for)?;
            expect(&told, 201)?;
            let open = figures(&told, Value::Null);
            let mut all = closed;
            all["open_p99_ms"] = open["p99_ms"].clone();
            let p99 = open["p99_ms"].as_f64();
            if copies.is_none() {
                p99_without = p99;
            }
            let times = p99.zip(p99_without).map(|(p99, without)| p99 / without);
            all["open_p99_times"] = json!(times);
            keep(results, name, all)?;
            if let Some(mut whole) = whole {
                whole.wait()?;
            }
        }
    }
    drop(follower);
    keep(
        results,
        "copies_lag",
        json!({ "seconds": lag_s(place.into)? }),
    )?;
    backup(results, place)
}

/// Follows into the folder.
struct Follower(Child);

impl Follower {
    fn start(place: &Place<'_>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut command = Command::new(place.sumun);
        command
            .args(["backup", "follow", "--data"])
            .arg(place.data)
            .arg(place.into);
        command.stderr(Stdio::null());
        let follower = Self(command.spawn()?);
        let since = Instant::now();
        while files(place.into)?.is_empty() {
            if since.elapsed() > Duration::from_secs(120) {
                return Err("no full copy was made".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(follower)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A copy of everything, at the rate at which a follower makes one.
fn whole(place: &Place<'_>) -> std::io::Result<Child> {
    let mut command = Command::new(place.sumun);
    let file = place.into.with_extension(format!("{}.sumun", rand_of()));
    command
        .args(["backup", "--rate", "100", "--data"])
        .arg(place.data)
        .arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

fn rand_of() -> u128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos())
}

/// The files of entries, oldest first.
fn files(into: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for day in fs::read_dir(into)?
        .flatten()
        .filter(|day| day.path().is_dir())
    {
        all.extend(fs::read_dir(day.path())?.flatten().map(|file| file.path()));
    }
    all.sort();
    Ok(all)
}

/// The most that would be lost with the host: from the time at which a file was begun to that at
/// which the next one had its name.
fn lag_s(into: &Path) -> Result<f64, Box<dyn std::error::Error>> {
    let (mut longest, mut begun) = (0.0_f64, None::<f64>);
    for path in files(into)? {
        if !path.to_string_lossy().contains("entries-") {
            continue;
        }
        let bytes = fs::read(&path)?;
        let line = bytes
            .split(|byte| *byte == b'\n')
            .nth(1)
            .unwrap_or_default();
        let about: Value = serde_json::from_slice(line)?;
        let made: jiff::Timestamp = about["made_at"].as_str().unwrap_or_default().parse()?;
        let named = fs::metadata(&path)?
            .modified()?
            .duration_since(SystemTime::UNIX_EPOCH)?;
        if let Some(before) = begun {
            let gap = named.as_secs_f64() - before;
            // A turn without a follower is no lag.
            if gap < 30.0 {
                longest = longest.max(gap);
            }
        }
        begun = Some(made.as_nanosecond() as f64 / 1e9);
    }
    Ok(longest)
}

/// How fast everything is copied, restored once and verified, beside a plain file of that size.
fn backup(results: &Path, place: &Place<'_>) -> Done {
    for turn in 0..TURNS {
        let file = place.into.with_extension(format!("turn{turn}.sumun"));
        let mut command = Command::new(place.sumun);
        command
            .args(["backup", "--json", "--data"])
            .arg(place.data)
            .arg(&file);
        let told = command.stderr(Stdio::inherit()).output()?;
        let told: Value = serde_json::from_slice(&told.stdout)?;
        let (bytes, took_ms) = (told["bytes"].as_u64(), told["took_ms"].as_f64());
        let (copied, copied_ms) = (
            bytes.unwrap_or(0),
            told["copied_ms"].as_f64().unwrap_or(0.0),
        );
        let mb_per_s = |ms: f64| (copied as f64 / 1e3 / ms.max(1.0)).round();
        let since = Instant::now();
        let plain = place.into.with_extension("plain");
        {
            use std::io::Write as _;
            let mut out = fs::File::create(&plain)?;
            let piece = vec![0x5a; 1 << 20];
            for _ in 0..copied >> 20 {
                out.write_all(&piece)?;
            }
            out.sync_all()?;
        }
        let disk = mb_per_s(since.elapsed().as_secs_f64() * 1e3);
        fs::remove_file(&plain)?;
        fs::remove_file(&file)?;
        keep(results, "copies_disk", json!({ "per_s": disk }))?;
        keep(
            results,
            "copies_full",
            json!({ "mb_per_s": mb_per_s(copied_ms), "bytes": copied, "disk_mb_per_s": disk,
                    "verified_mb_per_s": mb_per_s(took_ms.unwrap_or(0.0)) }),
        )?;
    }
    Ok(())
}
