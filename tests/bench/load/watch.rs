//! Runs another program and keeps how long it took, its peak memory and how busy the cores were.

use std::ffi::OsString;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Done;
use super::measure::{Busy, keep, memory_mib};
use sumun::rush::http;

/// Fine enough for a peak that lasts a hundredth of a second.
const LOOK: Duration = Duration::from_millis(4);

/// Runs a program to its end. With `after`, its output's number behind the last such text is kept
/// as its rate.
pub fn watch(results: &Path, name: &str, after: Option<&str>, program: &[OsString]) -> Done {
    let busy = Busy::begin(None);
    let mut child = start(program, Stdio::piped())?;
    let mut pipe = child.stdout.take().ok_or("no output")?;
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let mut peak_mib: f64 = 0.0;
    let status = loop {
        peak_mib = peak_mib.max(memory_mib(child.id(), "VmHWM").unwrap_or(0.0));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    let seconds = busy.seconds();
    let figures = json!({ "seconds": seconds, "peak_mib": peak_mib, "busy": busy.end() });
    let text = reading.join().map_err(|_| "reading its output failed")??;
    if !status.success() {
        return Err(format!("{name} ended with {status}: {text}").into());
    }
    let mut figures = figures;
    if let Some(after) = after {
        let rate = number_after(&text, after);
        figures["per_s"] = rate
            .ok_or_else(|| format!("{name} printed no rate: {text}"))?
            .into();
    }
    keep(results, name, figures)?;
    Ok(())
}

pub fn start(program: &[OsString], output: Stdio) -> Result<Child, Box<dyn std::error::Error>> {
    let (name, arguments) = program.split_first().ok_or("name a program")?;
    let mut command = Command::new(name);
    let child = command.args(arguments).stdin(Stdio::null()).stdout(output);
    child
        .spawn()
        .map_err(|error| format!("{}: {error}", name.display()).into())
}

fn number_after(text: &str, after: &str) -> Option<f64> {
    let (_, rest) = text.rsplit_once(after)?;
    let number = rest.trim_start_matches([' ', '"', ',']);
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.');
    number[..end.unwrap_or(number.len())].parse().ok()
}

/// Waits until `/readyz` answers 200.
pub fn until_ready(
    address: SocketAddr,
    child: &mut Child,
) -> Result<f64, Box<dyn std::error::Error>> {
    let began = Instant::now();
    loop {
        if http::get(address, "/readyz").is_ok_and(|(status, _)| status == 200) {
            return Ok(began.elapsed().as_secs_f64());
        }
        if let Some(status) = child.try_wait()? {
            return Err(format!("the server ended with {status}").into());
        }
        std::thread::sleep(LOOK);
    }
}
