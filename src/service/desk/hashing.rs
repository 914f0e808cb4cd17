//! Passwords are hashed on one thread of low priority with a short queue, so that a flood of
//! sign-ins costs the people who book nothing that they would notice.
//!
//! Who is signed in already has a queue of their own, served first, and one address has a bound of
//! its own in the other: whoever floods stands in their own way.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::oneshot;

use crate::sync::locked;

/// Sign-ins that wait in each queue.
const QUEUED_MAX: usize = 64;
/// Of these from one address.
const OF_ADDRESS_MAX: usize = 8;
/// On a host whose cores are all busy it has a tenth of one: a sign-in takes a quarter of a second
/// there, and the lowest priority would make it seconds.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queues {
    signed_in: VecDeque<Job>,
    others: VecDeque<(IpAddr, Job)>,
}

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    wake: Condvar,
}

/// The thread that hashes.
pub struct Hashing(Arc<Shared>);

impl Hashing {
    pub fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let work = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("passwords".to_owned());
        let run = move || {
            let _ = rustix::process::nice(NICE);
            loop {
                let job = next(&work);
                // One that panics costs whoever waits for it an answer, and nobody else.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        };
        if let Err(error) = thread.spawn(run) {
            tracing::error!(%error, "nobody can sign in at the desk: no thread to hash passwords");
        }
        Self(shared)
    }

    /// Has `work` done; none if too many wait already.
    pub async fn done<T: Send + 'static>(
        &self,
        from: IpAddr,
        is_signed_in: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever has gone is not worked for.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        });
        {
            let mut queues = locked(&self.0.queues);
            if is_signed_in {
                if queues.signed_in.len() >= QUEUED_MAX {
                    return None;
                }
                queues.signed_in.push_back(job);
            } else {
                let own = queues.others.iter().filter(|(other, _)| *other == from);
                if queues.others.len() >= QUEUED_MAX || own.count() >= OF_ADDRESS_MAX {
                    return None;
                }
                queues.others.push_back((from, job));
            }
        }
        self.0.wake.notify_one();
        answer.await.ok()
    }
}

fn next(shared: &Shared) -> Job {
    let mut queues = locked(&shared.queues);
    loop {
        let signed_in = queues.signed_in.pop_front();
        if let Some(job) = signed_in.or_else(|| queues.others.pop_front().map(|(_, job)| job)) {
            return job;
        }
        let woken = shared.wake.wait(queues);
        queues = woken.unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::mpsc;

    use super::*;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    #[tokio::test]
    async fn one_address_fills_its_own_part_of_the_queue_alone() {
        let hashing = Hashing::start();
        let (go, gate) = mpsc::channel::<()>();
        // The thread is busy until the gate opens.
        let busy = hashing.done(address(9), false, move || {
            let _ = gate.recv();
        });
        let mut busy = Box::pin(busy);
        assert!(futures_poll(&mut busy).await.is_none());
        while !locked(&hashing.0.queues).others.is_empty() {
            tokio::task::yield_now().await;
        }
        let mut waiting = Vec::new();
        for _ in 0..OF_ADDRESS_MAX {
            let mut job = Box::pin(hashing.done(address(1), false, || ()));
            assert!(futures_poll(&mut job).await.is_none(), "it waits");
            waiting.push(job);
        }
        assert_eq!(hashing.done(address(1), false, || ()).await, None);
        // Others, and whoever is known, wait behind no one's bound.
        let mut other = Box::pin(hashing.done(address(2), false, || 2));
        let mut known = Box::pin(hashing.done(address(1), true, || 1));
        assert!(futures_poll(&mut other).await.is_none());
        assert!(futures_poll(&mut known).await.is_none());
        go.send(()).unwrap();
        assert_eq!(known.await, Some(1));
        assert_eq!(other.await, Some(2));
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let polled = std::future::poll_fn(|context| {
            use std::task::Poll;
            Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                Poll::Ready(done) => Some(done),
                Poll::Pending => None,
            })
        });
        polled.await
    }
}
