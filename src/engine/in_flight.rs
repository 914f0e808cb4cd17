//! One command a person: who has one on its way to the writer, so that no batch has two of them.
//!
//! A second request of the same person waits a moment outside the queue, without a claim on a seat;
//! a third is told to come back. So one session can't fill a batch, whatever it sends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::domain::ids::PersonKey;
use crate::domain::state::KeyHash;
use crate::sync::locked;

/// More locks than a host has cores: two people rarely meet at one.
const SHARDS: usize = 64;
/// How often the second request looks whether the first is answered.
const LOOK: Duration = Duration::from_millis(5);
/// And how often at the most: as long as a command waits in a full queue.
const LOOKS_MAX: u32 = 200;

/// Who has a command in flight.
#[derive(Clone, Debug)]
pub struct InFlight(Arc<[Shard; SHARDS]>);

type Shard = Mutex<HashMap<PersonKey, Waiting, KeyHash>>;

/// Whether another request of the person waits already.
type Waiting = bool;

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
    /// Takes off for a person, behind at most one other of their requests; none if there are more,
    /// or the one before takes too long.
    pub async fn take_off(&self, person: PersonKey) -> Option<Flight> {
        if let Some(flight) = self.try_take_off(person) {
            return Some(flight);
        }
        let mut queued = Queued::behind(self, person)?;
        for _ in 0..LOOKS_MAX {
            if let Some(flight) = self.try_take_off(person) {
                queued.has_left = true;
                return Some(flight);
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    fn try_take_off(&self, person: PersonKey) -> Option<Flight> {
        let mut flying = locked(self.shard(&person));
        if flying.contains_key(&person) {
            return None;
        }
        flying.insert(person, false);
        let of = self.clone();
        Some(Flight { of, person })
    }

    fn shard(&self, person: &PersonKey) -> &Shard {
        &self.0[usize::from(person.0[0]) % SHARDS]
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        locked(self.of.shard(&self.person)).remove(&self.person);
    }
}

/// The place of the one request that may wait. Its client may hang up at any time.
struct Queued<'a> {
    of: &'a InFlight,
    person: PersonKey,
    /// It has taken off: the mark is not its own any more.
    has_left: bool,
}

impl<'a> Queued<'a> {
    fn behind(of: &'a InFlight, person: PersonKey) -> Option<Self> {
        match locked(of.shard(&person)).get_mut(&person) {
            Some(waiting) if *waiting => return None,
            Some(waiting) => *waiting = true,
            // It has just landed: the first look finds that out.
            None => {}
        }
        Some(Self {
            of,
            person,
            has_left: false,
        })
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if self.has_left {
            return;
        }
        if let Some(waiting) = locked(self.of.shard(&self.person)).get_mut(&self.person) {
            *waiting = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOMEBODY: PersonKey = PersonKey([7; 16]);

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_person_has_one_in_flight_one_that_waits_and_no_more() {
        let flights = InFlight::default();
        let first = flights.take_off(SOMEBODY).await.unwrap();
        assert!(flights.take_off(PersonKey([8; 16])).await.is_some());
        let second = tokio::spawn({
            let flights = flights.clone();
            async move { flights.take_off(SOMEBODY).await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(flights.take_off(SOMEBODY).await.is_none());
        drop(first);
        assert!(second.await.unwrap());
        assert!(flights.try_take_off(SOMEBODY).is_some(), "it landed");
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn whoever_waits_too_long_or_hangs_up_leaves_room_for_another() {
        let flights = InFlight::default();
        let first = flights.take_off(SOMEBODY).await.unwrap();
        assert!(flights.take_off(SOMEBODY).await.is_none(), "too long");
        let hung_up = tokio::time::timeout(LOOK, flights.take_off(SOMEBODY)).await;
        assert!(hung_up.is_err());
        drop(first);
        assert!(flights.take_off(SOMEBODY).await.is_some());
    }
}
