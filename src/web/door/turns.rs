//! Who is served first by a worker: people in session at once, everybody else in the order in
//! which they came, so many at a time.
//!
//! Between two looks at what the network has brought, only `A_TIME` turns are given. What people in
//! session ask is among what those looks find, and takes no turn: it waits for a moment of the
//! crowd's, never for the crowd. A request waits for its turn when its head has been read and
//! before anything else is done for it; so does a new connection before its TLS handshake.

use std::cell::Cell;

use tokio::sync::{Notify, Semaphore};

use crate::clock;

/// Turns given at a time: some 2 ms of work.
const A_TIME: usize = 32;
/// Turns that a TLS handshake takes: a private key's signature costs as much as eight answers.
pub const OF_A_HANDSHAKE: u32 = 8;

/// The turns of one worker.
#[derive(Debug)]
pub struct Turns {
    /// Gives what is left in the order of asking; whoever hangs up asks no more.
    left: Semaphore,
    taken: Notify,
    least_us: Cell<Option<u64>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            left: Semaphore::new(A_TIME),
            taken: Notify::new(),
            least_us: Cell::new(None),
        }
    }
}

impl Turns {
    /// Waits for so many turns, at most `A_TIME`.
    pub async fn take(&self, turns: u32) {
        let waited_us = match self.left.try_acquire_many(turns) {
            Ok(taken) => {
                taken.forget();
                0
            }
            Err(_) => {
                let asked = clock::tick();
                let taken = self.left.acquire_many(turns).await;
                taken.expect("turns are never closed").forget();
                asked.elapsed().as_micros() as u64
            }
        };
        let least_us = self.least_us.get().unwrap_or(u64::MAX);
        self.least_us.set(Some(least_us.min(waited_us)));
        self.taken.notify_one();
    }

    /// Whether whoever asks now has to wait.
    pub fn are_short(&self) -> bool {
        self.left.available_permits() == 0
    }

    /// The least that anybody waited since this was asked last.
    pub fn waited_us(&self) -> u64 {
        self.least_us.take().unwrap_or(0)
    }

    /// Goes on for as long as the worker runs.
    pub async fn keep_giving(&self) {
        loop {
            self.taken.notified().await;
            // Goes on only after a look at the network.
            tokio::task::yield_now().await;
            let left = self.left.available_permits();
            self.left.add_permits(A_TIME.saturating_sub(left));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    const CROWD: usize = 1_000;

    /// Lets a crowd take turns, each of so many; what is done between two looks at the network, and
    /// in which order.
    async fn served(of_each: u32) -> (Vec<usize>, Vec<usize>) {
        let turns = Rc::new(Turns::default());
        let order = Rc::new(RefCell::new(Vec::new()));
        let giver = Rc::clone(&turns);
        actix_web::rt::spawn(async move { giver.keep_giving().await });
        for person in 0..CROWD {
            let (turns, order) = (Rc::clone(&turns), Rc::clone(&order));
            actix_web::rt::spawn(async move {
                turns.take(of_each).await;
                order.borrow_mut().push(person);
            });
        }
        let mut steps = Vec::new();
        let mut before = 0;
        while before < CROWD {
            tokio::task::yield_now().await;
            let done = order.borrow().len();
            steps.push(done - before);
            before = done;
        }
        let order = order.borrow().clone();
        (steps, order)
    }

    #[actix_web::test]
    async fn between_two_looks_at_the_network_a_few_of_a_crowd_are_served_in_their_order() {
        for of_each in [1, OF_A_HANDSHAKE] {
            let (steps, order) = served(of_each).await;
            let most = A_TIME / of_each as usize;
            assert!(steps.iter().all(|&step| step <= most), "{steps:?}");
            assert!(order.is_sorted() && order.len() == CROWD);
        }
    }

    #[actix_web::test]
    async fn whoever_hangs_up_costs_no_turn_and_a_queue_is_measured() {
        let turns = Turns::default();
        turns.take(A_TIME as u32).await;
        assert!(turns.are_short());
        assert_eq!(turns.waited_us(), 0);
        let hung_up = tokio::time::timeout(std::time::Duration::from_millis(5), turns.take(1));
        assert!(hung_up.await.is_err());
        let asked = async {
            turns.take(1).await;
            turns.waited_us()
        };
        let given = async {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            turns.left.add_permits(1);
        };
        let (waited_us, ()) = tokio::join!(asked, given);
        assert!(waited_us >= 5_000, "{waited_us}");
        assert!(turns.are_short());
    }
}
