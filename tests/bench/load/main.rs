//! The load generator and the measurements that `compare` is made of. Reports; asserts nothing
//! about speed, but an answer other than the expected one ends it with an error.
//!
//! Each command appends its figures, a line of JSON, to a file of results; `report` makes a table.

mod copies;
mod crash;
mod desk;
mod evening;
mod gate;
mod handshakes;
mod measure;
mod report;
mod rows;
mod watch;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use evening::{Again, Evening};
use measure::{Busy, TURNS, keep, peers};
use sumun::rush::engine::{Engine, Pace, Told};

const USE: &str = "commands: ceiling NAME ADDR PATH | watch NAME [--after TEXT] -- PROGRAM… | \
                   evening ADDR PID CAMPAIGN ROSTER.csv PEOPLE | \
                   gate ADDR PID CAMPAIGN ROSTER.csv | handshakes NAME ADDR PID | \
                   copies ADDR PID CAMPAIGN ROSTER.csv PEOPLE SUMUN DATA INTO | \
                   desk ADDR PID CAMPAIGN ROSTER.csv PEOPLE READY.json | \
                   crash ADDR CAMPAIGN ROSTER.csv FROM LOG -- PROGRAM… | report OUT.json; \
                   with RESULTS=file and SECONDS_EACH=6 in the environment";
/// As many as PostgreSQL's, Redis's and nginx's clients.
pub const CONNECTIONS: usize = 64;
/// Caches fill and connections settle before anything counts.
const WARM: Duration = Duration::from_secs(1);

pub type Done = Result<(), Box<dyn std::error::Error>>;

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // `cargo test --benches` and `cargo bench` run this too, without a command.
    if arguments
        .first()
        .is_none_or(|first| first.to_string_lossy().starts_with('-'))
    {
        return;
    }
    if let Err(error) = run(&arguments) {
        eprintln!("load: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: &[OsString]) -> Done {
    let results = PathBuf::from(std::env::var_os("RESULTS").ok_or("RESULTS is not set")?);
    let seconds = std::env::var("SECONDS_EACH").map_or(Ok(6), |text| text.parse())?;
    let run_for = Duration::from_secs(seconds);
    let split = arguments.iter().position(|argument| argument == "--");
    let (own, program) = arguments.split_at(split.unwrap_or(arguments.len()));
    let program = program.get(1..).unwrap_or_default();
    let own: Vec<&str> = own.iter().filter_map(|text| text.to_str()).collect();
    match own[..] {
        ["ceiling", name, address, path] => {
            ceiling(&results, name, address.parse()?, path, run_for)
        }
        ["watch", name] => watch::watch(&results, name, None, program),
        ["watch", name, "--after", after] => watch::watch(&results, name, Some(after), program),
        ["evening", address, server, campaign, roster, people] => {
            let server: u32 = server.parse()?;
            let address = address.parse()?;
            let roster = Path::new(roster);
            evening(
                &results,
                address,
                server,
                campaign,
                roster,
                people.parse()?,
                run_for,
            )
        }
        [
            "copies",
            address,
            server,
            campaign,
            roster,
            people,
            sumun,
            data,
            into,
        ] => {
            let place = copies::Place {
                address: address.parse()?,
                server: server.parse()?,
                campaign,
                roster: Path::new(roster),
                people: people.parse()?,
                sumun: Path::new(sumun),
                data: Path::new(data),
                into: Path::new(into),
            };
            copies::copies(&results, &place, run_for)
        }
        ["desk", address, server, campaign, roster, people, ready] => {
            let place = desk::Place {
                address: address.parse()?,
                server: server.parse()?,
                campaign,
                roster: Path::new(roster),
                people: people.parse()?,
                ready: Path::new(ready),
            };
            desk::desk(&results, &place, run_for)
        }
        ["crash", address, campaign, roster, from, log] => {
            let place = crash::Place {
                address: address.parse()?,
                campaign,
                roster: Path::new(roster),
                from: from.parse()?,
                log: Path::new(log),
            };
            crash::crash(&results, &place, program)
        }
        ["gate", address, server, campaign, roster] => {
            let (address, server) = (address.parse()?, server.parse()?);
            gate::gate(
                &results,
                address,
                server,
                campaign,
                Path::new(roster),
                run_for,
            )
        }
        ["handshakes", name, address, server] => {
            let (address, server) = (address.parse()?, server.parse().ok());
            handshakes::handshakes(&results, name, address, server, run_for)
        }
        ["report", out] => report::report(&results, Path::new(out)),
        _ => Err(USE.into()),
    }
}

/// What this generator gets of another server.
fn ceiling(results: &Path, name: &str, address: SocketAddr, path: &str, run_for: Duration) -> Done {
    let mut engine = Engine::connect(address, CONNECTIONS)?;
    engine.drive(Pace::Closed, WARM, &mut Again { path })?;
    let busy = Busy::begin(None);
    let told = engine.drive(Pace::Closed, run_for, &mut Again { path })?;
    expect(&told, 200)?;
    keep(results, name, figures(&told, busy.end()))?;
    Ok(())
}

fn evening(
    results: &Path,
    address: SocketAddr,
    server: u32,
    campaign: &str,
    roster: &Path,
    people: usize,
    run_for: Duration,
) -> Done {
    let mut evening = Evening::at(Engine::connect(address, CONNECTIONS)?, campaign);
    let busy = Busy::begin(Some(server));
    let told = evening.sign_in(roster, 0, people)?;
    expect(&told, 200)?;
    keep(results, "enter", figures(&told, busy.end()))?;
    evening.list_seats()?;

    let mut per_s = Vec::new();
    for _ in 0..TURNS {
        peers(&["nginx", "redis", "postgres"])?;
        expect(&evening.book(Pace::Closed, WARM)?, 201)?;
        let busy = Busy::begin(Some(server));
        let told = evening.book(Pace::Closed, run_for)?;
        expect(&told, 201)?;
        keep(results, "book", figures(&told, busy.end()))?;
        per_s.push(told.per_s());
    }
    per_s.sort_by(f64::total_cmp);
    let per_s = per_s[per_s.len() / 2] / 2.0;
    let half = Pace::Open(per_s);
    expect(&evening.book(half, WARM)?, 201)?;
    // Rare stalls make its p99: it runs long, if there are people enough.
    let long = Duration::from_secs_f64(evening.people_left() as f64 * 0.95 / per_s);
    let busy = Busy::begin(Some(server));
    let told = evening.book(half, long.min(run_for * HALF_LONGER))?;
    expect(&told, 201)?;
    keep(results, "book_half", figures(&told, busy.end()))?;

    let hot = evening.sell_out()?;
    expect(&evening.refuse(hot, WARM)?, 409)?;
    for _ in 0..TURNS {
        peers(&["nginx"])?;
        let busy = Busy::begin(Some(server));
        let told = evening.refuse(hot, run_for)?;
        expect(&told, 409)?;
        let sample = &told.samples[&409];
        if !sample.contains("slot_full") {
            return Err(format!("refused for another reason: {sample}").into());
        }
        keep(results, "refuse", figures(&told, busy.end()))?;
    }
    Ok(())
}

/// So many times as long as the others runs the measurement at half the rate.
const HALF_LONGER: u32 = 5;

/// Every answer must have that status.
pub fn expect(told: &Told, status: u16) -> Done {
    match told.statuses.keys().find(|&&other| other != status) {
        None if told.answers > 0 => Ok(()),
        None => Err("nothing was asked: sign in more people".into()),
        Some(other) => {
            let (count, sample) = (told.statuses[other], &told.samples[other]);
            Err(format!("{count} answers with status {other}, wanted {status}: {sample}").into())
        }
    }
}

pub fn figures(told: &Told, busy: Value) -> Value {
    json!({
        "per_s": told.per_s().round(), "seconds": told.seconds, "answers": told.answers,
        "p50_ms": told.ms_at(0.5), "p90_ms": told.ms_at(0.9), "p99_ms": told.ms_at(0.99),
        "p999_ms": told.ms_at(0.999), "max_ms": told.ms_at(1.0), "busy": busy,
    })
}
