//! What one address and its neighbourhood may take of the host: connections, and requests of
//! people who are not in session.
//!
//! The bounds are meant to stop machines, not towns. Thousands of people share one address of a
//! mobile carrier, so an address is allowed as many requests as they make, and a network as many as
//! several such addresses. Listed networks (`exempt_networks`, trusted proxies) are counted and
//! never refused.
//!
//! Connections are counted exactly, in tables that hold an address only while it is connected.
//! Requests are counted in a fixed table of buckets under a keyed hash: whatever comes takes no
//! memory, and nobody can choose whose bucket to fill. A bucket is the instant at which its debt is
//! paid off (the "generic cell rate algorithm" of ATM networks).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ipnet::IpNet;

use crate::sync::locked;

/// Locks that the counts of connections spread over.
const SHARDS: usize = 64;
/// 65,536 buckets of 8 bytes: half a MiB for addresses, and as much for networks.
const BUCKETS: usize = 1 << 16;
/// Requests of so many seconds may come at once, because people come at the moment of an opening.
const BURST_S: u64 = 10;

/// The bounds, as the settings have them.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub address_connections_max: usize,
    pub network_connections_max: usize,
    pub address_requests_per_s: u32,
    pub network_requests_per_s: u32,
}

/// Who is over a bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Over {
    Address,
    Network,
}

pub struct Networks {
    bounds: Bounds,
    exempt: Vec<IpNet>,
    hasher: RandomState,
    open: Box<[Mutex<HashMap<Prefix, usize>>]>,
    addresses: Buckets,
    networks: Buckets,
}

/// An address, as far as limits tell addresses apart: 32 or 24 bits of IPv4, 64 or 48 of IPv6.
type Prefix = (u8, u64);

/// One open connection of an address; counted until it is dropped.
#[derive(Default)]
pub struct Counted {
    of: Option<(Arc<Networks>, [Prefix; 2])>,
}

#[derive(Debug)]
struct Buckets {
    /// Microseconds that one request costs.
    cost_us: u64,
    paid_at_us: Box<[AtomicU64]>,
}

impl Networks {
    pub fn new(bounds: Bounds, exempt: Vec<IpNet>) -> Self {
        Self {
            bounds,
            exempt,
            hasher: RandomState::new(),
            open: (0..SHARDS).map(|_| Mutex::default()).collect(),
            addresses: Buckets::new(bounds.address_requests_per_s),
            networks: Buckets::new(bounds.network_requests_per_s),
        }
    }

    /// Whether an address is never refused for where it is.
    pub fn is_exempt(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.exempt.iter().any(|net| net.contains(&address))
    }

    /// Counts a connection in.
    ///
    /// # Errors
    /// When the address or its network has as many as it may have.
    pub fn connect(self: &Arc<Self>, address: IpAddr) -> Result<Counted, Over> {
        if self.is_exempt(address) {
            return Ok(Counted { of: None });
        }
        let prefixes = prefixes(address);
        let bounds = [
            (self.bounds.address_connections_max, Over::Address),
            (self.bounds.network_connections_max, Over::Network),
        ];
        for (at, (most, over)) in bounds.into_iter().enumerate() {
            let mut shard = locked(self.shard(&prefixes[at]));
            let open = shard.entry(prefixes[at]).or_default();
            if *open < most {
                *open += 1;
                continue;
            }
            drop(shard);
            if at == 1 {
                self.leave(&prefixes[0]);
            }
            return Err(over);
        }
        Ok(Counted {
            of: Some((Arc::clone(self), prefixes)),
        })
    }

    fn leave(&self, prefix: &Prefix) {
        let mut shard = locked(self.shard(prefix));
        if let Some(open) = shard.get_mut(prefix) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                shard.remove(prefix);
            }
        }
    }

    fn shard(&self, prefix: &Prefix) -> &Mutex<HashMap<Prefix, usize>> {
        &self.open[self.hasher.hash_one(prefix) as usize % SHARDS]
    }

    /// Counts a request. Says whether its address or its network is over a bound with it.
    pub fn ask(&self, address: IpAddr, now_us: u64) -> Option<Over> {
        let [address_prefix, network] = prefixes(address);
        let bucket = |prefix: &Prefix| self.hasher.hash_one(prefix) as usize;
        let over_address = self.addresses.ask(bucket(&address_prefix), now_us);
        let over_network = self.networks.ask(bucket(&network), now_us);
        let over = match (over_address, over_network) {
            (false, false) => return None,
            (true, _) => Over::Address,
            (false, true) => Over::Network,
        };
        (!self.is_exempt(address)).then_some(over)
    }

    /// Addresses and networks that are counted now.
    #[cfg(test)]
    fn counted(&self) -> usize {
        self.open.iter().map(|shard| locked(shard).len()).sum()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some((networks, prefixes)) = self.of.take() {
            prefixes.iter().for_each(|prefix| networks.leave(prefix));
        }
    }
}

impl Buckets {
    fn new(per_s: u32) -> Self {
        Self {
            cost_us: (1_000_000 / u64::from(per_s.max(1))).max(1),
            paid_at_us: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether a request is over the bound. A request over the bound does not add to the debt.
    fn ask(&self, bucket: usize, now_us: u64) -> bool {
        let paid_at = &self.paid_at_us[bucket % BUCKETS];
        let before = paid_at.load(Ordering::Relaxed).max(now_us);
        if before - now_us > BURST_S * 1_000_000 {
            return true;
        }
        // Two requests at the same time may be counted as one. The bound need not be exact.
        paid_at.store(before + self.cost_us, Ordering::Relaxed);
        false
    }
}

/// An address by itself and with its neighbours.
fn prefixes(address: IpAddr) -> [Prefix; 2] {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let bits = u64::from(v4.to_bits());
            [(32, bits), (24, bits >> 8)]
        }
        IpAddr::V6(v6) => {
            let bits = (v6.to_bits() >> 64) as u64;
            [(64, bits), (48, bits >> 16)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        address_connections_max: 3,
        network_connections_max: 5,
        address_requests_per_s: 10,
        network_requests_per_s: 20,
    };

    fn networks() -> Arc<Networks> {
        let exempt = vec!["198.51.100.0/24".parse().unwrap()];
        Arc::new(Networks::new(BOUNDS, exempt))
    }

    fn ip(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn an_address_and_its_network_have_so_many_connections_and_get_them_back() {
        let networks = networks();
        let connect = |address: &str| networks.connect(ip(address));
        let mut open: Vec<_> = (0..3).map(|_| connect("203.0.113.7").unwrap()).collect();
        assert_eq!(connect("203.0.113.7").err(), Some(Over::Address));
        assert_eq!(connect("::ffff:203.0.113.7").err(), Some(Over::Address));
        open.extend((0..2).map(|_| connect("203.0.113.8").unwrap()));
        assert_eq!(connect("203.0.113.9").err(), Some(Over::Network));
        // A refusal leaves no count behind.
        assert_eq!(networks.counted(), 3);
        connect("203.0.114.7").unwrap();
        open.truncate(3);
        connect("203.0.113.9").unwrap();
        drop(open);
        assert_eq!(networks.counted(), 0);
    }

    #[test]
    fn ipv6_goes_by_64_and_48_bits() {
        let networks = networks();
        let connect = |address: &str| networks.connect(ip(address));
        let _one: Vec<_> = (1..4)
            .map(|host| connect(&format!("2001:db8:1:2::{host}")).unwrap())
            .collect();
        assert_eq!(connect("2001:db8:1:2::9").err(), Some(Over::Address));
        let _two: Vec<_> = (3..5)
            .map(|net| connect(&format!("2001:db8:1:{net}::1")).unwrap())
            .collect();
        assert_eq!(connect("2001:db8:1:9::1").err(), Some(Over::Network));
        assert!(connect("2001:db8:2::1").is_ok());
    }

    #[test]
    fn an_address_asks_so_often_and_its_network_twice_as_often() {
        let networks = networks();
        let asked = |address: &str, now_us| {
            (0..1_000)
                .take_while(|_| networks.ask(ip(address), now_us).is_none())
                .count()
        };
        let now_us = 1_000_000_000;
        // Ten seconds' worth at once, and the one that goes over.
        assert_eq!(asked("203.0.113.7", now_us), 101);
        assert_eq!(networks.ask(ip("203.0.113.7"), now_us), Some(Over::Address));
        assert_eq!(asked("203.0.113.7", now_us + 1_000_000), 10);
        // Its neighbours have what is left of the network's 201, and of 20 more a second.
        assert_eq!(asked("203.0.113.8", now_us + 1_000_000), 101);
        let left = asked("203.0.113.9", now_us + 1_000_000);
        assert!(left < 20, "{left}");
        let over = networks.ask(ip("203.0.113.9"), now_us + 1_000_000);
        assert_eq!(over, Some(Over::Network));
        assert_eq!(networks.ask(ip("203.0.114.9"), now_us), None);
    }

    #[test]
    fn exempt_networks_are_never_over() {
        let networks = networks();
        let open: Vec<_> = (0..100)
            .map(|_| networks.connect(ip("198.51.100.1")).is_ok())
            .collect();
        assert!(open.iter().all(|open| *open));
        assert!((0..1_000).all(|_| networks.ask(ip("198.51.100.1"), 5).is_none()));
    }
}
