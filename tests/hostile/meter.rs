//! What the kernel says of the server: its memory and its processor time.

use std::fs;
use std::time::Duration;

/// A server's process.
#[derive(Clone, Copy)]
pub struct Meter(pub u32);

impl Meter {
    /// Resident memory, in bytes.
    pub fn memory(self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.unwrap().trim().trim_end_matches(" kB");
        kib.parse::<usize>().unwrap() * 1024
    }

    /// Processor time so far.
    pub fn processor(self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        let fields = stat.rsplit_once(')').unwrap().1;
        let mut ticks = fields.split_whitespace().skip(11);
        let mut next = || ticks.next().unwrap().parse::<u64>().unwrap();
        Duration::from_millis((next() + next()) * 10)
    }

    /// The figure of a metric of the server.
    pub fn metric(admin: std::net::SocketAddr, name: &str) -> u64 {
        let metrics = super::client::Client::new(admin).get("//metrics", None);
        let text = String::from_utf8(metrics.body).unwrap();
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        let figure = found.unwrap_or_else(|| panic!("{name} is not in {text}"));
        figure.trim().parse().unwrap()
    }
}
