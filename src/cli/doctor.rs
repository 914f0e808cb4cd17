//! `sumun doctor`: is this host fit for the evening?

mod certificate;
mod copies;
mod disk;
mod kernel;
mod memory;
mod permissions;
mod provider;
mod unit;

use serde_json::json;

use super::{Output, told};
use crate::clock::wall;
use crate::config::Config;
use crate::domain::entry::Change;
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::engine::open;
use crate::journal::store::{Store, StoreFault};
use crate::keys::Keys;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::outcome::{Done, Finished, why};
use crate::ops::work::Work;
use crate::server::files_kept;
use crate::systemd::credentials::{self, credential};

/// A journal of ten million bookings and their indexes.
const FREE_BYTES_MIN: u64 = 4 << 30;
/// 2026-01-01: a clock before the year of this program is wrong.
const CLOCK_MIN_S: i64 = 1_767_225_600;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    fine: bool,
    /// Fine today; somebody should look at it before long.
    warns: bool,
    says: String,
}

pub fn run(folder: &Folder) -> anyhow::Result<Output> {
    let mut findings = Vec::new();
    let config = folder.config(None);
    findings.push(match &config {
        Ok(config) => match config.check() {
            Ok(()) => fine("settings", format!("listen on {}", config.listen)),
            Err(why) => bad("settings", why),
        },
        Err(error) => bad("settings", why(error)),
    });
    let config = config.unwrap_or_default();
    findings.push(match folder.keys() {
        Ok(keys) if are_foreign(&keys, folder) => bad(
            "keys",
            "keys.json belongs to another data file: put the one there that was made with this \
             folder"
                .to_owned(),
        ),
        Ok(_) if credential(credentials::KEYS).is_some() => {
            fine("keys", "the service manager hands them over".to_owned())
        }
        Ok(_) => fine("keys", "keys.json is readable by its owner only".to_owned()),
        Err(error) => bad("keys", why(&error)),
    });
    findings.push(certificate::of_people(folder, &config));
    let server = ask_server(folder);
    findings.push(clock(folder, &server));
    findings.push(server_finding(&server));
    findings.push(disk(folder));
    findings.push(disk::speed(folder));
    findings.push(file_limit(&config));
    findings.push(kernel::queues());
    findings.push(kernel::clock_source());
    findings.push(permissions::of(folder));
    findings.push(certificate::of_admin(folder, &config));
    findings.extend(provider::of(folder, &config));
    findings.push(memory(folder, &config));
    findings.push(unit::finding(folder.path()));
    findings.push(copies::of(folder, runs(&server)));
    findings.push(copies::drill(folder));
    let fault = findings.iter().any(|finding| !finding.fine);
    let lines: Vec<_> = findings
        .iter()
        .map(|finding| {
            let mark = match (finding.fine, finding.warns) {
                (true, false) => "ok  ",
                (true, true) => "LOOK",
                (false, _) => "FIX ",
            };
            format!("{mark} {:<13} {}", finding.what, finding.says)
        })
        .collect();
    let checks: Vec<_> = findings
        .iter()
        .map(|finding| {
            let Finding {
                what, fine, warns, ..
            } = finding;
            json!({ "check": what, "ok": fine, "warns": warns, "detail": finding.says })
        })
        .collect();
    let json = json!({ "ok": !fault, "checks": checks });
    Ok(Output {
        human: lines.join("\n"),
        json,
        fault,
    })
}

fn fine(what: &'static str, says: String) -> Finding {
    Finding {
        what,
        fine: true,
        warns: false,
        says,
    }
}

fn warn(what: &'static str, says: String) -> Finding {
    Finding {
        what,
        fine: true,
        warns: true,
        says,
    }
}

fn bad(what: &'static str, says: String) -> Finding {
    Finding {
        what,
        fine: false,
        warns: false,
        says,
    }
}

/// Whether the journal was founded with other keys. A server that holds the file has looked itself.
fn are_foreign(keys: &Keys, folder: &Folder) -> bool {
    let store = Store::look(&folder.data_file());
    let first = store.and_then(|store| store.read()?.entry(Seq(1)));
    match first.ok().flatten().map(|entry| entry.change) {
        Some(Change::Founded {
            head_public_key, ..
        }) => head_public_key != keys.founding_public_key(),
        _ => false,
    }
}

fn clock(folder: &Folder, server: &Server) -> Finding {
    const WHAT: &str = "clock";
    let now = wall();
    if now.unix_s() < CLOCK_MIN_S {
        return bad(WHAT, format!("says {}: set it", now.instant()));
    }
    let journal = Store::look(&folder.data_file()).and_then(|store| store.read()?.last_head());
    let last = match journal {
        Ok(last) => last.map(|head| head.stamp),
        // A server holds the file, and says itself when its time stands still.
        Err(StoreFault::InUse) => match stands_still(server) {
            Some(says) => return bad(WHAT, says),
            None => None,
        },
        Err(error) => return bad(WHAT, format!("the last entry is unknown: {error}")),
    };
    if let Some(last) = last.filter(|last| *last > now) {
        let ahead_s = (last.0 - now.0) / Stamp::SECOND;
        return bad(
            WHAT,
            format!(
                "is {ahead_s} s behind the last entry of the journal: set it; if it is right, time \
                 stands still until {} (README and guide say what can be done)",
                last.instant()
            ),
        );
    }
    let used = last.into_iter().chain(folder.last_use()).max();
    match used.map_or(Ok(()), |used| open::check_clock(now, used)) {
        Ok(()) => fine(WHAT, format!("says {}{}", now.instant(), unused(now, used))),
        Err(ahead) => bad(WHAT, ahead.to_string()),
    }
}

/// How long nobody has used the folder, by the clock.
fn unused(now: Stamp, used: Option<Stamp>) -> String {
    used.map_or(String::new(), |used| {
        let unused_s = (now.0 - used.0) / Stamp::SECOND;
        format!(
            "; the folder was last in use {unused_s} s ago, at {}",
            used.instant()
        )
    })
}

/// What a server that runs on the folder says of itself; none if none runs.
type Server = anyhow::Result<Option<Finished>>;

fn ask_server(folder: &Folder) -> Server {
    let stream = control::connect(&folder.socket())?;
    let ask = |stream| control::ask(stream, Work::Health, None);
    stream.map(ask).transpose()
}

/// Whether a server runs on the folder.
fn runs(server: &Server) -> bool {
    matches!(server, Ok(Some(_)))
}

/// What the server says when its time stands still.
fn stands_still(server: &Server) -> Option<String> {
    let Ok(Some(Ok(Done::Health(health)))) = server else {
        return None;
    };
    let until = health.stands_still_until.as_ref()?;
    Some(format!(
        "the server's time stands still until {until}: the clock is behind the last entry of the \
         journal (README and guide say what can be done)"
    ))
}

/// How long the server was away before its start, by its own clock.
fn away(server: &Server) -> String {
    let Ok(Some(Ok(Done::Health(health)))) = server else {
        return String::new();
    };
    match (&health.last_use_before_start, health.away_before_start_s) {
        (Some(last), Some(away_s)) => format!(
            "; before its start nobody used the folder for {away_s} s, from {last} on: if that is \
             too long, the clock is wrong"
        ),
        _ => String::new(),
    }
}

fn server_finding(server: &Server) -> Finding {
    const WHAT: &str = "server";
    match server {
        Ok(None) => fine(WHAT, "does not run on this folder".to_owned()),
        Ok(Some(finished)) => match told::answer(finished.clone()).human {
            said if said.is_empty() => fine(WHAT, format!("runs, is ready{}", away(server))),
            said => bad(WHAT, said.replace('\n', "; ")),
        },
        Err(error) => bad(WHAT, format!("can't be asked: {}", why(error))),
    }
}

fn disk(folder: &Folder) -> Finding {
    const WHAT: &str = "disk";
    match rustix::fs::statvfs(folder.path()) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let says = format!("{} MiB free", free >> 20);
            if free < FREE_BYTES_MIN {
                bad(
                    WHAT,
                    format!("{says}: make it at least {} GiB", FREE_BYTES_MIN >> 30),
                )
            } else {
                fine(WHAT, says)
            }
        }
        Err(error) => bad(WHAT, format!("{}: {error}", folder.path().display())),
    }
}

/// How much the server may take at the most, and whether this host has it.
fn memory(folder: &Folder, config: &Config) -> Finding {
    const WHAT: &str = "memory";
    let people = match Store::look(&folder.data_file()) {
        Ok(store) => store
            .read()
            .ok()
            .and_then(|data| data.roster_people_max().ok()),
        // A server holds the file.
        Err(_) => None,
    };
    let bound = memory::Bound::of(config, people.unwrap_or(0));
    let mib = |bytes: u64| bytes >> 20;
    let people = people.map_or_else(
        || {
            "the people on the roster (not counted: the data file is in use or not there)"
                .to_owned()
        },
        |people| format!("{} for up to {people} people", mib(bound.people)),
    );
    let says = format!(
        "at most {} MiB: {} for {} connections, {people}, {} for the program; and {} that the \
         kernel keeps for connections",
        mib(bound.process()),
        mib(bound.connections),
        config.connections_max,
        mib(bound.around),
        mib(bound.kernel),
    );
    match memory::of_host() {
        Some(host) if host < bound.all() => bad(
            WHAT,
            format!(
                "{says}; this host has {} MiB: set connections_max or held_mib_max lower",
                mib(host)
            ),
        ),
        _ => fine(
            WHAT,
            format!(
                "{says}; MemoryMax of the unit: {} MiB or more",
                mib(bound.all())
            ),
        ),
    }
}

fn file_limit(config: &Config) -> Finding {
    const WHAT: &str = "file limit";
    let wanted = (config.connections_max + files_kept(config)) as u64;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < wanted => {
            let says = format!(
                "{limit} open files for {} connections",
                config.connections_max
            );
            bad(
                WHAT,
                format!("{says}: set LimitNOFILE={wanted} in the systemd unit"),
            )
        }
        _ => fine(
            WHAT,
            format!("enough for {} connections", config.connections_max),
        ),
    }
}
