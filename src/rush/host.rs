//! What the kernel says of this host and of a server's process: `/proc`.

use std::fs;
use std::path::Path;

/// The kernel counts processor time in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

/// Processor, cores, memory and kernel in a line.
pub fn facts() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("processor unknown", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = read("/proc/meminfo");
    let total_kib = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    let gib = total_kib.unwrap_or(0.0) / 1024.0 / 1024.0;
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{cores} × {model}, {gib:.0} GiB, Linux {}; the generator runs on the same host",
        kernel.trim()
    )
}

/// Processor time of a process so far, in seconds; none if it is gone.
pub fn cpu_s(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut field = || fields.next()?.parse::<f64>().ok();
    Some((field()? + field()?) / TICKS_PER_S)
}

/// Resident memory of a process in bytes; none if it is gone.
pub fn resident_bytes(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}

/// Bytes that a process has sent to the disk so far; none where the kernel does not say.
pub fn written_bytes(process: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/io")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"))?;
    line.trim().parse().ok()
}

/// Bytes of the files of a folder and those under it.
pub fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => folder_bytes(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_time_memory_and_a_host() {
        let own = std::process::id();
        assert!(cpu_s(own).is_some_and(|seconds| seconds >= 0.0));
        assert!(resident_bytes(own).is_some_and(|bytes| bytes > 1e6));
        assert_eq!(cpu_s(u32::MAX), None);
        assert!(facts().contains("Linux"));
    }
}
