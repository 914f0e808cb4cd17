//! How much memory the server may take, by its settings: what `doctor` states and what the unit's
//! `MemoryMax` has to leave room for.

use crate::config::Config;
use crate::web::door::bounds::{PLAIN_BYTES, RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES, TLS_BYTES};

/// The program itself, its threads, tables of fixed size, and batches on their way to the disk.
const AROUND_BYTES: u64 = 256 << 20;
/// A person on the roster who enters, books two doses and asks for both with a key of their own:
/// measured with `tests/bench/fill` (1.54 million people with 1.5 million bookings), and a quarter
/// more for tables that grow; and 48 bytes that a count of changes and the age of a key take since.
const PERSON_BYTES: u64 = 640 + 48;

/// Where the memory goes at the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// All connections that the settings allow, with what they hold.
    pub connections: u64,
    /// All people on the roster, with a booking each.
    pub people: u64,
    pub around: u64,
    /// What the kernel keeps for connections beside: it counts towards the unit's limit.
    pub kernel: u64,
}

impl Bound {
    pub fn of(config: &Config, people: u64) -> Self {
        let each = if config.plain_http {
            PLAIN_BYTES
        } else {
            TLS_BYTES
        };
        let connections = config.connections_max as u64;
        // The kernel counts twice what it is asked for.
        let buffers = 2 * (SEND_BUFFER_BYTES + RECEIVE_BUFFER_BYTES) as u64;
        Self {
            connections: connections * each as u64 + ((config.held_mib_max as u64) << 20),
            people: people * PERSON_BYTES,
            around: AROUND_BYTES,
            kernel: connections * buffers,
        }
    }

    pub fn process(&self) -> u64 {
        self.connections + self.people + self.around
    }

    pub fn all(&self) -> u64 {
        self.process() + self.kernel
    }
}

/// The memory of this host.
pub fn of_host() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line?.trim().strip_suffix(" kB")?;
    Some(kib.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_sum_of_what_the_settings_allow() {
        let config = Config {
            connections_max: 1_000,
            held_mib_max: 1,
            ..Config::default()
        };
        let with_tls = Bound::of(&config, 10);
        assert_eq!(with_tls.connections, 1_000 * TLS_BYTES as u64 + (1 << 20));
        assert_eq!(with_tls.people, 10 * PERSON_BYTES);
        let plain = Config {
            plain_http: true,
            ..config
        };
        let less = with_tls.process() - Bound::of(&plain, 10).process();
        assert_eq!(less, 1_000 * (TLS_BYTES - PLAIN_BYTES) as u64);
    }

    #[test]
    fn this_host_has_memory() {
        assert!(of_host().unwrap() > 1 << 20);
    }
}
