//! Free seats, counted in memory: a sold-out slot is refused here without a journal write.
//!
//! Each site has its own lock, so people at different sites never wait for each other, and a pair
//! of doses at one site is claimed in one step. A claim is a guard value: dropped, it gives its
//! seats back; kept, they belong to a journal entry. Every change moves the site's version on,
//! which tells the availability pages what to look at again.
//!
//! Invariant, held by the writer's assertions: `booked + held + claimed + free = capacity`.

use crate::domain::ids::{POOLS, Pool, Seats};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, locked};

/// The free seats of one site's slots, each at its position in the site.
#[derive(Debug)]
pub struct SiteSeats {
    version: AtomicU64,
    free: Mutex<Vec<Seats>>,
}

/// The positions of one or two slots of a site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Positions {
    pub first: u32,
    pub second: Option<u32>,
}

/// Seats taken out of the free count and not yet anybody's.
#[must_use = "a claim that is dropped gives its seats back"]
#[derive(Debug)]
pub struct Claim {
    site: Arc<SiteSeats>,
    positions: Positions,
    pool: Pool,
    kept: bool,
}

impl SiteSeats {
    pub fn new(free: Vec<Seats>) -> Self {
        Self {
            version: AtomicU64::new(1),
            free: Mutex::new(free),
        }
    }

    /// Moves on with every change of a free count.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Looks at the free counts, each at its slot's position.
    pub fn look<T>(&self, look: impl FnOnce(&[Seats]) -> T) -> T {
        look(&locked(&self.free))
    }

    /// Takes one seat of each slot, or nothing.
    pub fn claim(site: &Arc<Self>, positions: Positions, pool: Pool) -> Option<Claim> {
        let pool_at = pool as usize;
        {
            let mut free = locked(&site.free);
            let has_seat = |at: u32| free.get(at as usize).is_some_and(|slot| slot[pool_at] > 0);
            let both = has_seat(positions.first) && positions.second.is_none_or(has_seat);
            if !both || positions.second == Some(positions.first) {
                return None;
            }
            free[positions.first as usize][pool_at] -= 1;
            if let Some(second) = positions.second {
                free[second as usize][pool_at] -= 1;
            }
            site.version.fetch_add(1, Ordering::Release);
        }
        Some(Claim {
            site: Arc::clone(site),
            positions,
            pool,
            kept: false,
        })
    }

    /// Returns the seats of a hold that ended or a booking that was moved or cancelled.
    pub fn give_back(&self, positions: Positions, pool: Pool) {
        let mut free = locked(&self.free);
        free[positions.first as usize][pool as usize] += 1;
        if let Some(second) = positions.second {
            free[second as usize][pool as usize] += 1;
        }
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Adds seats to slots by position, and appends slots with theirs.
    pub fn grow(&self, raised: &[(u32, Seats)], added: &[Seats]) {
        let mut free = locked(&self.free);
        for (position, seats) in raised {
            let slot = &mut free[*position as usize];
            (0..POOLS).for_each(|pool| slot[pool] += seats[pool]);
        }
        free.extend_from_slice(added);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Takes free seats out of a slot for good, all or none of them.
    pub fn withdraw(&self, position: u32, seats: Seats) -> bool {
        let mut free = locked(&self.free);
        let Some(slot) = free.get_mut(position as usize) else {
            return false;
        };
        if (0..POOLS).any(|pool| slot[pool] < seats[pool]) {
            return false;
        }
        (0..POOLS).for_each(|pool| slot[pool] -= seats[pool]);
        self.version.fetch_add(1, Ordering::Release);
        true
    }
}

impl Claim {
    /// The seats now belong to a journal entry.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.kept {
            self.site.give_back(self.positions, self.pool);
        }
    }
}
