//! How busy the machine was during a measurement, and where its figures are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

/// The kernel counts processor time in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

/// Samples `/proc/stat` at its start and end.
pub struct Busy {
    began: Instant,
    cores: Vec<[u64; 2]>,
    server: Option<u32>,
    of_server: f64,
    of_load: f64,
}

impl Busy {
    /// `server`: the process whose share is told apart, beside that of this process.
    pub fn begin(server: Option<u32>) -> Self {
        Self {
            began: Instant::now(),
            cores: cores(),
            server,
            of_server: server.map_or(0.0, cpu_s),
            of_load: cpu_s(std::process::id()),
        }
    }

    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Each core's busy percentage; server and load in percent of one core.
    pub fn end(&self) -> Value {
        let seconds = self.seconds();
        let cores: Vec<f64> = cores()
            .iter()
            .zip(&self.cores)
            .map(|(now, then)| {
                let (busy, all) = (now[0] - then[0], now[1] - then[1]);
                (busy as f64 * 100.0 / all.max(1) as f64).round()
            })
            .collect();
        let share = |now: f64, then: f64| ((now - then) * 100.0 / seconds).round();
        let load = share(cpu_s(std::process::id()), self.of_load);
        match self.server {
            None => json!({ "cores": cores }),
            Some(server) => {
                json!({ "cores": cores, "server": share(cpu_s(server), self.of_server),
                        "load": load })
            }
        }
    }
}

/// Busy and all ticks of each core since the machine started.
fn cores() -> Vec<[u64; 2]> {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let of_core = |line: &str| {
        let line = line.strip_prefix("cpu")?;
        let (_, ticks) = line.split_once(' ').filter(|(core, _)| !core.is_empty())?;
        let ticks: Vec<u64> = ticks
            .split(' ')
            .filter_map(|text| text.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq steal; guests are in user already.
        let all: u64 = ticks.iter().take(8).sum();
        let idle = ticks.get(3)? + ticks.get(4)?;
        Some([all - idle, all])
    };
    text.lines().filter_map(of_core).collect()
}

/// Processor time of a process so far, in seconds.
fn cpu_s(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<f64> = after_name
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    match fields[..] {
        [] => 0.0,
        _ => (fields[11] + fields[12]) / TICKS_PER_S,
    }
}

/// A figure of `/proc/PID/status` in MiB; none if the process is gone.
pub fn memory_mib(process: u32, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some((kib / 1024.0).round())
}

/// Resident memory of a process; none if it is gone.
pub fn resident_bytes(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Peers and rows are measured in turn, so many times: a figure is compared with the peer's that
/// was measured just before it, since a machine that others use changes within minutes.
pub const TURNS: u32 = 3;

/// Measures peers, if they are wanted: `PEERS` names the folder of their programs.
pub fn peers(names: &[&str]) -> Result<(), Box<dyn std::error::Error>> {
    let Some(folder) = std::env::var_os("PEERS") else {
        return Ok(());
    };
    for name in names {
        let program = Path::new(&folder).join(name);
        let status = Command::new(&program).status()?;
        if !status.success() {
            return Err(format!("{} ended with {status}", program.display()).into());
        }
    }
    Ok(())
}

/// Appends one measurement: a line of JSON.
pub fn keep(results: &Path, name: &str, mut figures: Value) -> io::Result<()> {
    figures["name"] = name.into();
    eprintln!("  {figures}");
    let mut file: File = OpenOptions::new().create(true).append(true).open(results)?;
    writeln!(file, "{figures}")
}
