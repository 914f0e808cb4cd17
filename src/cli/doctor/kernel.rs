//! What the kernel of this host is set to: its queues of connections, and the source of its time.

use std::fs;
use std::path::Path;

use super::{Finding, fine, warn};
use crate::server::BACKLOG;

/// The settings that bound how many connections wait until they are accepted.
const QUEUES: [&str; 2] = ["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"];
/// Who keeps the clock right, and what is there while it does.
const KEEPERS: [(&str, &str); 8] = [
    ("systemd-timesyncd", "/run/systemd/timesync/synchronized"),
    ("chrony", "/run/chrony/chronyd.pid"),
    ("chrony", "/run/chronyd.pid"),
    ("ntpd", "/run/ntpd.pid"),
    ("ntpsec", "/run/ntpsec/ntpd.pid"),
    ("openntpd", "/run/openntpd.pid"),
    ("ptp4l", "/run/ptp4l"),
    ("the hypervisor (PTP)", "/dev/ptp_hyperv"),
];
const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
/// Sources that take a microsecond to read, which each request does several times.
const SLOW_SOURCES: [&str; 4] = ["acpi_pm", "hpet", "jiffies", "pit"];

/// Whether a stampede finds room in front of the listener.
pub fn queues() -> Finding {
    queues_of(Path::new("/proc/sys"))
}

fn queues_of(settings: &Path) -> Finding {
    const WHAT: &str = "kernel queues";
    let wanted = u64::from(BACKLOG.unsigned_abs());
    let read = |name: &str| {
        let text = fs::read_to_string(settings.join(name.replace('.', "/"))).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let (mut told, mut small) = (Vec::new(), Vec::new());
    for name in QUEUES {
        match read(name) {
            Some(set) => {
                told.push(format!("{name} = {set}"));
                if set < wanted {
                    small.push(format!("{name} = {wanted}"));
                }
            }
            None => told.push(format!("{name} can't be read")),
        }
    }
    let told = told.join(", ");
    if small.is_empty() {
        fine(WHAT, told)
    } else {
        let lines = small.join(" and ");
        warn(
            WHAT,
            format!(
                "{told}: a stampede waits in the network instead of here; put {lines} into \
                 /etc/sysctl.d/sumun.conf and run `sysctl --system`"
            ),
        )
    }
}

/// Whether somebody keeps the clock right, and what the kernel reads it off.
pub fn clock_source() -> Finding {
    clock_source_of(Path::new("/"))
}

fn clock_source_of(root: &Path) -> Finding {
    const WHAT: &str = "clock source";
    let under = |path: &str| root.join(path.trim_start_matches('/'));
    let keeper = KEEPERS.iter().find(|(_, shown)| under(shown).exists());
    let source = fs::read_to_string(under(SOURCE)).unwrap_or_default();
    let source = source.trim();
    let mut looks = Vec::new();
    if keeper.is_none() {
        looks.push(
            "nobody keeps the clock right: no sign of timesyncd, chrony or ntpd; point one of \
             them at the agency's time server"
                .to_owned(),
        );
    }
    if SLOW_SOURCES.contains(&source) {
        looks.push(format!(
            "the kernel reads its time off {source}, which is slow: choose tsc or kvm-clock"
        ));
    }
    if !looks.is_empty() {
        return warn(WHAT, looks.join("; "));
    }
    let (name, _) = keeper.unwrap_or(&KEEPERS[0]);
    let source = if source.is_empty() { "unknown" } else { source };
    fine(WHAT, format!("kept right by {name}; read off {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_queue_that_is_too_short_is_told_with_what_to_set() {
        let settings = tempfile::tempdir().unwrap();
        put(settings.path(), "net/core/somaxconn", "4096\n");
        put(settings.path(), "net/ipv4/tcp_max_syn_backlog", "16384\n");
        let found = queues_of(settings.path());
        assert!(found.fine && found.warns, "{}", found.says);
        assert!(
            found.says.contains("put net.core.somaxconn = 8192 into"),
            "{}",
            found.says
        );
        put(settings.path(), "net/core/somaxconn", "8192\n");
        assert!(!queues_of(settings.path()).warns);
    }

    #[test]
    fn a_clock_that_nobody_keeps_or_that_is_slow_to_read_is_told() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), &SOURCE[1..], "tsc\n");
        let found = clock_source_of(root.path());
        assert!(
            found.warns && found.says.contains("nobody keeps"),
            "{}",
            found.says
        );
        put(root.path(), "run/chrony/chronyd.pid", "1");
        let found = clock_source_of(root.path());
        assert_eq!(found.says, "kept right by chrony; read off tsc");
        put(root.path(), &SOURCE[1..], "hpet\n");
        let found = clock_source_of(root.path());
        assert!(found.warns && found.says.contains("hpet"), "{}", found.says);
    }
}
