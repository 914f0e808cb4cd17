//! Every interleaving of claims on the seat counters, by loom: the same source file as the
//! program's, over loom's locks and atomics.

pub mod sync {
    pub use loom::sync::atomic::{AtomicU64, Ordering};
    pub use loom::sync::{Arc, Mutex, MutexGuard};

    pub fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
        lock.lock().expect("nothing panics in a model")
    }
}

pub mod domain {
    pub mod ids {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Pool {
            Public,
            #[allow(dead_code, reason = "the model books from one pool")]
            Assisted,
        }

        pub const POOLS: usize = 2;
        pub type Seats = [u16; POOLS];
    }
}

#[path = "../../src/seats.rs"]
mod seats;

use domain::ids::Pool;
use seats::{Positions, SiteSeats};
use sync::{Arc, AtomicU64, Ordering};

const PAIR: Positions = Positions {
    first: 0,
    second: Some(1),
};

fn public_free(site: &SiteSeats) -> Vec<u16> {
    site.look(|free| free.iter().map(|slot| slot[0]).collect())
}

#[test]
fn the_last_pair_goes_to_exactly_one_of_two() {
    loom::model(|| {
        let site = Arc::new(SiteSeats::new(vec![[1, 0], [1, 0]]));
        let won = Arc::new(AtomicU64::new(0));
        let claimers: Vec<_> = (0..2)
            .map(|_| {
                let (site, won) = (Arc::clone(&site), Arc::clone(&won));
                loom::thread::spawn(move || {
                    if let Some(claim) = SiteSeats::claim(&site, PAIR, Pool::Public) {
                        won.fetch_add(1, Ordering::Relaxed);
                        claim.keep();
                    }
                })
            })
            .collect();
        claimers
            .into_iter()
            .for_each(|claimer| claimer.join().unwrap());
        assert_eq!(won.load(Ordering::Relaxed), 1);
        assert_eq!(public_free(&site), [0, 0]);
    });
}

#[test]
fn a_dropped_claim_is_free_again_and_a_doomed_pair_takes_nothing() {
    loom::model(|| {
        let site = Arc::new(SiteSeats::new(vec![[1, 0], [0, 0], [1, 0]]));
        let doomed = {
            let site = Arc::clone(&site);
            loom::thread::spawn(move || {
                assert!(SiteSeats::claim(&site, PAIR, Pool::Public).is_none())
            })
        };
        let single = {
            let site = Arc::clone(&site);
            loom::thread::spawn(move || {
                let positions = Positions {
                    first: 2,
                    second: Some(0),
                };
                // The doomed pair must never make this one fail.
                drop(
                    SiteSeats::claim(&site, positions, Pool::Public).expect("both seats are free"),
                );
            })
        };
        doomed.join().unwrap();
        single.join().unwrap();
        assert_eq!(public_free(&site), [1, 0, 1]);
    });
}

#[test]
fn seats_are_conserved_while_one_gives_back_and_two_claim() {
    loom::model(|| {
        let site = Arc::new(SiteSeats::new(vec![[1, 0], [2, 0]]));
        let held = SiteSeats::claim(&site, PAIR, Pool::Public).unwrap();
        let claimer = {
            let site = Arc::clone(&site);
            loom::thread::spawn(move || {
                SiteSeats::claim(&site, PAIR, Pool::Public)
                    .map(seats::Claim::keep)
                    .is_some()
            })
        };
        let version = site.version();
        drop(held);
        assert!(site.version() > version);
        let kept = u16::from(claimer.join().unwrap());
        assert_eq!(public_free(&site), [1 - kept, 2 - kept]);
    });
}

#[test]
fn capacity_taken_away_while_somebody_claims_never_takes_a_claimed_seat() {
    loom::model(|| {
        let site = Arc::new(SiteSeats::new(vec![[1, 0], [1, 0]]));
        let claimer = {
            let site = Arc::clone(&site);
            loom::thread::spawn(move || {
                SiteSeats::claim(&site, PAIR, Pool::Public)
                    .map(seats::Claim::keep)
                    .is_some()
            })
        };
        let withdrawn = site.withdraw(1, [1, 0]);
        assert_ne!(
            withdrawn,
            claimer.join().unwrap(),
            "the one seat goes to exactly one of them"
        );
        site.grow(&[(1, [2, 0])], &[]);
        assert_eq!(public_free(&site)[1], 2);
    });
}
