//! `kill -9` of a server while it books, and how long the next one takes until it is ready.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::evening::Evening;
use super::measure::{Busy, keep, memory_mib};
use super::watch::{start, until_ready};
use super::{CONNECTIONS, Done, expect};
use sumun::rush::engine::{Engine, Pace};

/// People who book while the server is killed: more than can in the time.
const PEOPLE: usize = 40_000;
const BEFORE_KILL: Duration = Duration::from_millis(300);
/// The daily log has caught up when its files have not grown for this long.
const QUIET: Duration = Duration::from_secs(3);
/// 1.5 million lines take some ten seconds, 20 million two minutes.
const CATCH_UP_MAX: Duration = Duration::from_secs(400);

/// Where the server is, and who has no booking there.
pub struct Place<'a> {
    pub address: SocketAddr,
    pub campaign: &'a str,
    pub roster: &'a Path,
    /// The first row of the roster without a booking.
    pub from: usize,
    /// The folder of the daily log.
    pub log: &'a Path,
}

pub fn crash(results: &Path, place: &Place, program: &[OsString]) -> Done {
    let mut first = start(program, Stdio::null())?;
    let booked = until_ready(place.address, &mut first).and_then(|_| {
        wait_for_log(place.log);
        let mut evening = Evening::at(Engine::connect(place.address, CONNECTIONS)?, place.campaign);
        expect(&evening.sign_in(place.roster, place.from, PEOPLE)?, 200)?;
        evening.list_seats()?;
        Ok(evening)
    });
    let mut evening = booked.inspect_err(|_| {
        let _ = first.kill();
    })?;
    // Connections break when the server dies: that is what is wanted here.
    let booking = std::thread::spawn(move || evening.book(Pace::Closed, 2 * BEFORE_KILL).is_err());
    std::thread::sleep(BEFORE_KILL);
    first.kill()?;
    first.wait()?;
    let died_booking = booking.join().map_err(|_| "booking panicked")?;

    let busy = Busy::begin(None);
    let mut second = start(program, Stdio::null())?;
    let ready = until_ready(place.address, &mut second);
    let cores = busy.end();
    let resident_mib = memory_mib(second.id(), "VmRSS");
    let peak_mib = memory_mib(second.id(), "VmHWM");
    let _ = second.kill();
    second.wait()?;
    if !died_booking {
        return Err("the server was killed after the last booking: sign in more people".into());
    }
    let figures = json!({
        "seconds": ready?, "resident_mib": resident_mib, "peak_mib": peak_mib, "busy": cores,
    });
    let name = std::env::var("RESTART").unwrap_or_else(|_| "restart".to_owned());
    keep(results, &name, figures)?;
    Ok(())
}

/// Waits until the auditors' log has all that was in the journal.
fn wait_for_log(log: &Path) {
    let size = || {
        let files = std::fs::read_dir(log).into_iter().flatten().flatten();
        files
            .filter_map(|file| Some(file.metadata().ok()?.len()))
            .sum::<u64>()
    };
    let (began, mut grew, mut last) = (Instant::now(), Instant::now(), size());
    while grew.elapsed() < QUIET && began.elapsed() < CATCH_UP_MAX {
        std::thread::sleep(Duration::from_millis(100));
        let now = size();
        if now != last {
            (grew, last) = (Instant::now(), now);
        }
    }
}
