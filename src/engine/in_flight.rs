//! One command a person: who has one on its way to the writer, so that no batch has two of them.
//!
//! Further requests of the same person wait a moment outside the queue, without a claim on a seat,
//! as those of a few tabs do. More than a few are told to come back. So one session can't fill a
//! batch, whatever it sends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::domain::ids::PersonKey;
use crate::domain::state::KeyHash;
use crate::sync::locked;

/// More locks than a host has cores: two people rarely meet at one.
const SHARDS: usize = 64;
/// Requests of one person that may wait.
const WAITING_MAX: u8 = 8;
/// How often a waiting request looks whether it can go.
const LOOK: Duration = Duration::from_millis(5);
/// And how often at the most: as long as a command waits in a full queue.
const LOOKS_MAX: u32 = 200;

/// Who has a command in flight.
#[derive(Clone, Debug)]
pub struct InFlight(Arc<[Shard; SHARDS]>);

type Shard = Mutex<HashMap<PersonKey, Seen, KeyHash>>;

/// What is known of a person who has a request in flight or waiting.
#[derive(Debug)]
struct Seen {
    flies: bool,
    waiting: u8,
}

impl Seen {
    fn flying() -> Self {
        Self {
            flies: true,
            waiting: 0,
        }
    }

    /// Whether nothing of the person is here any more.
    fn is_over(&self) -> bool {
        !self.flies && self.waiting == 0
    }
}

/// The right to have a command in flight; given back when dropped. It travels with the command, for
/// whoever sent it may have gone before the writer comes to it.
#[derive(Debug)]
pub struct Flight {
    of: InFlight,
    person: PersonKey,
}

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(std::array::from_fn(|_| Mutex::default())))
    }
}

impl InFlight {
    /// Takes off for a person when their other requests have landed; none if too many wait, or it
    /// takes too long.
    pub async fn take_off(&self, person: PersonKey) -> Option<Flight> {
        if let Some(flight) = self.try_take_off(person) {
            return Some(flight);
        }
        let queued = Queued::behind(self, person)?;
        for _ in 0..LOOKS_MAX {
            if let Some(flight) = queued.try_take_off() {
                return Some(flight);
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    fn try_take_off(&self, person: PersonKey) -> Option<Flight> {
        let mut known = locked(self.shard(&person));
        if known.contains_key(&person) {
            return None;
        }
        known.insert(person, Seen::flying());
        let of = self.clone();
        Some(Flight { of, person })
    }

    fn shard(&self, person: &PersonKey) -> &Shard {
        &self.0[usize::from(person.0[0]) % SHARDS]
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.of.change(&self.person, |seen| seen.flies = false);
    }
}

impl InFlight {
    fn change(&self, person: &PersonKey, change: impl FnOnce(&mut Seen)) {
        let mut known = locked(self.shard(person));
        if let Some(seen) = known.get_mut(person) {
            change(seen);
            if seen.is_over() {
                known.remove(person);
            }
        }
    }
}

/// A place of a request that waits. Its client may hang up at any time.
struct Queued<'a> {
    of: &'a InFlight,
    person: PersonKey,
}

impl<'a> Queued<'a> {
    fn behind(of: &'a InFlight, person: PersonKey) -> Option<Self> {
        let mut known = locked(of.shard(&person));
        // Nobody is known when the one before has just landed.
        let seen = known.entry(person).or_insert(Seen {
            flies: false,
            waiting: 0,
        });
        if seen.waiting >= WAITING_MAX {
            return None;
        }
        seen.waiting += 1;
        Some(Self { of, person })
    }

    fn try_take_off(&self) -> Option<Flight> {
        let mut known = locked(self.of.shard(&self.person));
        let seen = known.get_mut(&self.person).filter(|seen| !seen.flies)?;
        seen.flies = true;
        let (of, person) = (self.of.clone(), self.person);
        Some(Flight { of, person })
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.of.change(&self.person, |seen| seen.waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOMEBODY: PersonKey = PersonKey([7; 16]);

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_person_has_one_in_flight_a_few_that_wait_and_no_more() {
        let flights = InFlight::default();
        let first = flights.take_off(SOMEBODY).await.unwrap();
        assert!(flights.take_off(PersonKey([8; 16])).await.is_some());
        let tab = || {
            let flights = flights.clone();
            // Each gives its flight back at once.
            tokio::spawn(async move { flights.take_off(SOMEBODY).await.is_some() })
        };
        let tabs: Vec<_> = (0..WAITING_MAX).map(|_| tab()).collect();
        tokio::task::yield_now().await;
        assert!(flights.take_off(SOMEBODY).await.is_none());
        drop(first);
        for tab in tabs {
            assert!(tab.await.unwrap());
        }
        assert!(flights.try_take_off(SOMEBODY).is_some(), "all have landed");
        let known: usize = flights.0.iter().map(|shard| locked(shard).len()).sum();
        assert_eq!(known, 0, "nobody is remembered");
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_request_that_waits_too_long_or_hangs_up_leaves_room_for_another() {
        let flights = InFlight::default();
        let first = flights.take_off(SOMEBODY).await.unwrap();
        assert!(flights.take_off(SOMEBODY).await.is_none(), "too long");
        for _ in 0..=WAITING_MAX {
            let hung_up = tokio::time::timeout(LOOK, flights.take_off(SOMEBODY)).await;
            assert!(hung_up.is_err());
        }
        drop(first);
        assert!(flights.take_off(SOMEBODY).await.is_some());
    }
}
