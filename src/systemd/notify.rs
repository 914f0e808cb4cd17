//! What the service manager is told: ready, reloading, stopping, how it goes, and that it goes on.
//!
//! A notification is a datagram of lines `NAME=value` to the socket that `NOTIFY_SOCKET` names, by
//! a path or, after `@`, by an abstract name. No notification is worth a failure: one that can't be
//! sent is logged, and the manager acts on its absence.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::clock::monotonic_us;

/// A manager that does not read for so long is not waited for.
const SEND_MAX: Duration = Duration::from_secs(1);

/// The way to the service manager, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Manager {
    address: Option<SocketAddr>,
    /// Without a sign of life for so long the manager ends the process.
    watchdog: Option<Duration>,
}

impl Manager {
    pub fn from_environment() -> Self {
        let text = |name: &str| std::env::var(name).ok();
        let own = std::process::id().to_string();
        Self {
            address: text("NOTIFY_SOCKET").and_then(|name| address(&name)),
            watchdog: watchdog(text("WATCHDOG_USEC"), text("WATCHDOG_PID"), &own),
        }
    }

    /// The longest time between two signs of life: half of what the manager waits for.
    pub fn alive_every(&self) -> Option<Duration> {
        self.watchdog.map(|most| most / 2)
    }

    /// The server listens; also the end of a reload.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// Settings and certificates are being read again; `ready` ends it.
    pub fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
    }

    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping: no new requests");
    }

    /// One line for `systemctl status`.
    pub fn status(&self, words: &str) {
        self.tell(&format!("STATUS={}", words.replace('\n', " ")));
    }

    /// A sign of life, for the manager's watchdog.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    fn tell(&self, what: &str) {
        let Some(address) = &self.address else {
            return;
        };
        if let Err(error) = send(address, what) {
            tracing::warn!(%error, what, "the service manager can't be told");
        }
    }
}

fn send(address: &SocketAddr, what: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(SEND_MAX))?;
    socket.send_to_addr(what.as_bytes(), address).map(drop)
}

/// The address that `NOTIFY_SOCKET` names; none if it is of a kind that is not known.
fn address(name: &str) -> Option<SocketAddr> {
    match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name).ok(),
        None if name.starts_with('/') => SocketAddr::from_pathname(name).ok(),
        None => None,
    }
}

/// How long the manager waits for a sign of life; none if it does not, or not for this process.
fn watchdog(us: Option<String>, process: Option<String>, own: &str) -> Option<Duration> {
    if process.is_some_and(|process| process != own) {
        return None;
    }
    let us: u64 = us?.parse().ok()?;
    (us > 0).then(|| Duration::from_micros(us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_goes_to_a_path_and_to_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let path = path.to_str().unwrap();
        let name = format!("@sumun-notify-{}", std::process::id());
        for name in [path, name.as_str()] {
            let address = address(name).unwrap();
            let manager = UnixDatagram::bind_addr(&address).unwrap();
            let told = Manager {
                address: Some(address),
                watchdog: None,
            };
            told.ready();
            told.status("two\nlines");
            let mut bytes = [0; 100];
            let length = manager.recv(&mut bytes).unwrap();
            assert_eq!(&bytes[..length], b"READY=1");
            let length = manager.recv(&mut bytes).unwrap();
            assert_eq!(&bytes[..length], b"STATUS=two lines");
        }
        assert!(address("vsock:2:1234").is_none());
        assert!(address("").is_none());
        // Nobody is there: that is logged, and no more.
        Manager::default().ready();
    }

    #[test]
    fn the_watchdog_is_this_process_s_own_or_none() {
        let of = |us: &str, process: Option<&str>| {
            watchdog(Some(us.to_owned()), process.map(str::to_owned), "7")
        };
        assert_eq!(of("30000000", None), Some(Duration::from_secs(30)));
        assert_eq!(of("30000000", Some("7")), Some(Duration::from_secs(30)));
        assert_eq!(of("30000000", Some("8")), None);
        assert_eq!(of("0", None), None);
        assert_eq!(of("soon", None), None);
        assert_eq!(watchdog(None, None, "7"), None);
        let manager = Manager {
            watchdog: of("30000000", None),
            ..Manager::default()
        };
        assert_eq!(manager.alive_every(), Some(Duration::from_secs(15)));
    }
}
