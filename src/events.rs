//! What security people need to see: refusals and dropped connections by cause, counted exactly and
//! logged sparingly.
//!
//! Each kind of event is counted for the metrics, and has a line in the log at most every ten
//! seconds, with how many there were since the last one and the network that the last came from:
//! a flood can't fill the log. Addresses are cut to their network, for a whole address is personal
//! data.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::clock;

/// A kind of event has a line in the log at most this often.
const LOGGED_S: u64 = 10;

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $event:ident = $name:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Event {
            $($(#[doc = $doc])+ $event),+
        }

        impl Event {
            pub const ALL: &[Self] = &[$(Self::$event),+];

            /// Its name in metrics and logs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$event => $name),+
                }
            }
        }
    };
}

events! {
    /// Wrong credentials.
    SignInFailed = "sign_in_failed",
    /// Wrong credentials, after too many wrong ones from there.
    SignInLimited = "sign_in_limited",
    /// Credentials were not looked at: too many wrong ones came to the whole server.
    SignInPutOff = "sign_in_put_off",
    /// A form or a call that another site had a browser send.
    ForeignForm = "foreign_form",
    /// A request that can't be read, or not in one way only.
    RequestMalformed = "request_malformed",
    /// A request that is longer than any of ours.
    RequestTooLong = "request_too_long",
    /// A request to a host that is not served here.
    HostUnknown = "host_unknown",
    /// More requests than an address may send.
    AddressRequests = "address_requests",
    /// More requests than a network may send.
    NetworkRequests = "network_requests",
    /// A connection that an address had too many of.
    AddressConnections = "address_connections",
    /// A connection that a network had too many of.
    NetworkConnections = "network_connections",
    /// A connection on which nothing came.
    ConnectionSilent = "connection_silent",
    /// A handshake that failed, or spoke no TLS that we do.
    HandshakeFailed = "handshake_failed",
    /// A handshake that took too long.
    HandshakeSlow = "handshake_slow",
    /// A request that came too slowly.
    RequestSlow = "request_slow",
    /// An answer that was taken too slowly, or not at all.
    AnswerSlow = "answer_slow",
    /// What connections hold together reached its bound.
    MemoryShort = "memory_short",
    /// What came over the control socket and was refused unread.
    OperatorRefused = "operator_refused",
    /// A trusted proxy's header that can't be read.
    ProxyHeaderBad = "proxy_header_bad",
}

/// The counts of all events.
#[derive(Debug)]
pub struct Events {
    began: Instant,
    all: Box<[Count]>,
}

#[derive(Debug, Default)]
struct Count {
    all: AtomicU64,
    /// How many there were at the last line in the log, and when that was.
    logged: AtomicU64,
    logged_at_s: AtomicU64,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            began: clock::tick(),
            all: Event::ALL.iter().map(|_| Count::default()).collect(),
        }
    }
}

impl Events {
    /// Counts an event, and logs it if none of its kind was logged lately.
    pub fn note(&self, event: Event, from: Option<IpAddr>) {
        let now_s = self.began.elapsed().as_secs() + LOGGED_S;
        if let Some(count) = self.all[event as usize].due(now_s) {
            let network = from.map(network).unwrap_or_default();
            tracing::warn!(event = event.name(), count, network, "refused");
        }
    }

    /// Logs what came since the last line of its kind and is due: called now and then, so that a
    /// flood that ends is told whole.
    pub fn log_rest(&self) {
        let now_s = self.began.elapsed().as_secs() + LOGGED_S;
        for event in Event::ALL {
            if let Some(count) = self.all[*event as usize].rest(now_s) {
                tracing::warn!(event = event.name(), count, "refused");
            }
        }
    }

    /// Logs all that was not logged, when the server stops.
    pub fn log_last(&self) {
        for event in Event::ALL {
            if let Some(count) = self.all[*event as usize].rest(u64::MAX) {
                tracing::warn!(event = event.name(), count, "refused");
            }
        }
    }

    /// How many there were since the start.
    pub fn count(&self, event: Event) -> u64 {
        self.all[event as usize].all.load(Ordering::Relaxed)
    }
}

impl Count {
    /// Counts one; how many are to be logged, if it is time.
    fn due(&self, now_s: u64) -> Option<u64> {
        self.all.fetch_add(1, Ordering::Relaxed);
        self.rest(now_s)
    }

    /// How many were not logged, if it is time.
    fn rest(&self, now_s: u64) -> Option<u64> {
        let all = self.all.load(Ordering::Relaxed);
        let at_s = self.logged_at_s.load(Ordering::Relaxed);
        if now_s.saturating_sub(at_s) < LOGGED_S || all == self.logged.load(Ordering::Relaxed) {
            return None;
        }
        // Of several at the same time, one logs.
        self.logged_at_s
            .compare_exchange(at_s, now_s, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        let before = self.logged.swap(all, Ordering::Relaxed);
        all.checked_sub(before).filter(|count| *count > 0)
    }
}

/// The network of an address, as far as a log may know it.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => format!("{}/24", Ipv4Addr::from_bits(v4.to_bits() & !0xff)),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() >> 80 << 80;
            format!("{}/48", Ipv6Addr::from_bits(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_whole_and_logged_every_ten_seconds() {
        let count = Count::default();
        let mut logged = Vec::new();
        for now_s in 10..40 {
            for _ in 0..1_000 {
                logged.extend(count.due(now_s));
            }
        }
        assert_eq!(logged, [1, 10_000, 10_000]);
        assert_eq!(count.all.load(Ordering::Relaxed), 30_000);
        // What came behind the last line is told when it is time, or at the end, and once.
        assert_eq!(count.rest(39), None);
        assert_eq!(count.rest(40), Some(9_999));
        assert_eq!(count.rest(60), None);
        count.due(61);
        count.due(61);
        assert_eq!(count.rest(u64::MAX), Some(1));
    }

    #[test]
    fn every_event_has_a_place_and_a_name_of_its_own() {
        let events = Events::default();
        for (at, event) in Event::ALL.iter().enumerate() {
            assert_eq!(*event as usize, at);
            events.note(*event, None);
            assert_eq!(events.count(*event), 1);
            let same = Event::ALL
                .iter()
                .filter(|other| other.name() == event.name());
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn a_log_knows_the_network_alone() {
        let of = |address: &str| network(address.parse().unwrap());
        assert_eq!(of("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(of("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(of("2001:db8:1:2::3"), "2001:db8:1::/48");
    }
}
