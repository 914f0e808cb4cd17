//! A rehearsed evening while a hostile crowd is there: everybody real books.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::bounds::{HELD_MIB, ONE, bound};
use super::crowd::Crowd;
use super::kinds::Kind;
use super::meter::Meter;
use super::number;

/// A server of a demo's folder, ended when it is dropped.
struct Demo(Child, Value);

impl Demo {
    fn start(folder: &Path, people: u64) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sumun"))
            .args(["demo", "--json", "--plain-http", "--listen", "127.0.0.1:0"])
            .args(["--at", "2021-07-19T19:59:50+09:00", "--people"])
            .arg(people.to_string())
            .arg("--data")
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self(child, ready)
    }

    fn address(&self) -> SocketAddr {
        let url = self.1["base_url"].as_str().unwrap();
        url.strip_prefix("http://").unwrap().parse().unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn everybody_of_a_rehearsal_books_while_a_hostile_crowd_goes_on() {
    let _one = ONE.lock().unwrap_or_else(|held| held.into_inner());
    let seconds = number("SUMUN_HOSTILE_SECONDS", 10);
    // A fourth of them are of the age whose opening it is.
    let people = seconds * 200;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    drop(Demo::start(folder, people));
    let settings = format!("held_mib_max = {HELD_MIB}\nexempt_networks = []\n");
    fs::write(folder.join("server.toml"), settings).unwrap();
    let demo = Demo::start(folder, people);
    let meter = Meter(demo.0.id());
    let before = meter.memory();
    sumun::server::raise_file_limit();
    let crowd = Crowd {
        server: demo.address(),
        tls: false,
        kinds: Kind::ALL.to_vec(),
        connections: number("SUMUN_HOSTILE_CONNECTIONS", 2_000),
        addresses: 500,
    };
    let connections = crowd.connections;
    let gathered = crowd.gather();
    let report = folder.join("report.html");
    let rush = Command::new(env!("CARGO_BIN_EXE_sumun"))
        .args(["rush", "--json", "--think", "1", "--data"])
        .arg(folder)
        .args(["--connections", "200", "--arrive-for"])
        .arg(seconds.to_string())
        .arg("--report")
        .arg(&report)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&rush.stdout).into_owned();
    let summary: Value = serde_json::from_str(&said)
        .unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&rush.stderr)));
    let grew = meter.memory().saturating_sub(before);
    println!(
        "{} hostile connections stand, {} were ended; of {} people {} booked, {} gave up; \
         {} MiB more",
        gathered.open(),
        gathered.figures().ended.load(Ordering::Relaxed),
        summary["people"],
        summary["booked"],
        summary["gave_up"],
        grew >> 20
    );
    let errors = String::from_utf8_lossy(&rush.stderr);
    assert!(rush.status.success(), "{summary:#}{errors}");
    let count = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{name}"));
    assert_eq!(count("still_going"), 0, "{summary:#}");
    assert_eq!(count("arrived"), count("people"), "{summary:#}");
    assert!(count("booked") > count("people") / 2, "{summary:#}");
    assert!(grew < bound(false, connections), "{grew} bytes");
}
