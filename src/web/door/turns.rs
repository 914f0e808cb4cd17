//! Who is served first by a worker: people in session at once, everybody else in the order in
//! which they came, so many at a time.
//!
//! Between two looks at the network only so many turns are given. A request of a person in session
//! takes no turn: it is served as soon as a look at the network finds it, so it waits for at most
//! one such group of other requests, and never for all of the crowd. Any other request waits for
//! its turn after its head has been read and before anything else is done for it. So does a new
//! connection before its TLS handshake.

use std::cell::Cell;

use tokio::sync::{Notify, Semaphore};

/// Requests served at a time: some 2 ms of work.
const REQUESTS: usize = 32;
/// TLS handshakes made at a time: the signature of one costs as much as eight answers.
const HANDSHAKES: usize = 4;

/// The turns of one worker at one thing.
#[derive(Debug)]
pub struct Turns {
    a_time: usize,
    /// The turns that are left, given in the order of asking. A client that hangs up leaves the
    /// line.
    left: Semaphore,
    taken: Notify,
    waiting: Cell<usize>,
}

impl Turns {
    pub fn for_requests() -> Self {
        Self::new(REQUESTS)
    }

    pub fn for_handshakes() -> Self {
        Self::new(HANDSHAKES)
    }

    fn new(a_time: usize) -> Self {
        Self {
            a_time,
            left: Semaphore::new(a_time),
            taken: Notify::new(),
            waiting: Cell::new(0),
        }
    }

    /// Takes a turn if there is one.
    pub fn try_take(&self) -> bool {
        let Ok(turn) = self.left.try_acquire() else {
            return false;
        };
        turn.forget();
        self.taken.notify_one();
        true
    }

    /// Waits for a turn.
    pub async fn take(&self) {
        if self.try_take() {
            return;
        }
        let _waits = Waits::new(&self.waiting);
        let turn = self.left.acquire().await;
        turn.expect("turns are never closed").forget();
        self.taken.notify_one();
    }

    /// How many wait for one.
    pub fn waiting(&self) -> usize {
        self.waiting.get()
    }

    /// Whether a request that asks for a turn now has to wait.
    pub fn are_short(&self) -> bool {
        self.left.available_permits() == 0
    }

    /// Goes on for as long as the worker runs.
    pub async fn keep_giving(&self) {
        loop {
            self.taken.notified().await;
            // The runtime continues here only after it has looked at the network.
            tokio::task::yield_now().await;
            let left = self.left.available_permits();
            self.left.add_permits(self.a_time.saturating_sub(left));
        }
    }
}

/// Somebody who waits, until they have their turn or hang up.
struct Waits<'a>(&'a Cell<usize>);

impl<'a> Waits<'a> {
    fn new(waiting: &'a Cell<usize>) -> Self {
        waiting.update(|waiting| waiting + 1);
        Self(waiting)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.update(|waiting| waiting - 1);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;

    const CROWD: usize = 1_000;

    /// Lets a crowd take turns; how many do between two looks at the network, and in which order.
    async fn served(turns: Turns) -> (Vec<usize>, Vec<usize>) {
        let turns = Rc::new(turns);
        let order = Rc::new(RefCell::new(Vec::new()));
        let giver = Rc::clone(&turns);
        actix_web::rt::spawn(async move { giver.keep_giving().await });
        for person in 0..CROWD {
            let (turns, order) = (Rc::clone(&turns), Rc::clone(&order));
            actix_web::rt::spawn(async move {
                turns.take().await;
                order.borrow_mut().push(person);
            });
        }
        let mut steps = Vec::new();
        let mut before = 0;
        while before < CROWD {
            tokio::task::yield_now().await;
            let done = order.borrow().len();
            assert!(turns.waiting() <= CROWD - done);
            steps.push(done - before);
            before = done;
        }
        assert_eq!(turns.waiting(), 0);
        let order = order.borrow().clone();
        (steps, order)
    }

    #[actix_web::test]
    async fn between_two_looks_at_the_network_a_few_of_a_crowd_are_served_in_their_order() {
        for (turns, most) in [
            (Turns::for_requests(), REQUESTS),
            (Turns::for_handshakes(), HANDSHAKES),
        ] {
            let (steps, order) = served(turns).await;
            assert!(steps.iter().all(|&step| step <= most), "{steps:?}");
            assert!(order.is_sorted() && order.len() == CROWD);
        }
    }

    #[actix_web::test]
    async fn whoever_hangs_up_costs_no_turn_and_waits_no_more() {
        let turns = Turns::new(1);
        turns.take().await;
        assert!(turns.are_short());
        let soon = Duration::from_millis(5);
        let hung_up = tokio::time::timeout(soon, turns.take());
        assert!(hung_up.await.is_err());
        assert_eq!(turns.waiting(), 0);
        let given = async {
            tokio::time::sleep(soon).await;
            assert_eq!(turns.waiting(), 1);
            turns.left.add_permits(1);
        };
        tokio::join!(turns.take(), given);
        assert_eq!(turns.waiting(), 0);
        assert!(turns.are_short());
    }
}
