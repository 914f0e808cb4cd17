//! What readers see: published state. Written by the writer alone, after a commit.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError};

use arc_swap::ArcSwap;
use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};

use super::follow::Followers;
use super::watch::Watch;
use crate::availability::Availability;
use crate::domain::booking::catalog::Catalog;
use crate::domain::campaign::eligibility::Subject;
use crate::domain::entry::Doses;
use crate::domain::ids::{CampaignIndex, PersonKey, Seats};
use crate::domain::roster::Roster;
use crate::domain::state::State;
use crate::seats::{Positions, SiteSeats};

/// Published state. `offers` is read without a lock; `state` is locked for microseconds at a time.
#[derive(Debug)]
pub struct Shared {
    pub state: ShardedLock<State>,
    /// The shortest time that a command waited for its commit since somebody looked, in µs.
    pub delay_us: AtomicU64,
    /// The threads that must live.
    pub watch: Watch,
    /// What reads the journal behind the writer.
    pub followers: Followers,
    offers: ArcSwap<Vec<Arc<Offer>>>,
}

/// A campaign as people meet it: what is offered, how many seats are free, and who is who.
#[derive(Debug)]
pub struct Offer {
    pub catalog: Arc<Catalog>,
    /// The seats of each site.
    pub seats: Vec<Arc<SiteSeats>>,
    pub roster: Arc<Roster>,
    pub availability: Availability,
    /// For each group set of the roster, the groups that the rules know.
    group_bits: Vec<u64>,
}

impl Offer {
    /// What the rules need to know of a person; none if they are not on the roster.
    pub fn subject(&self, person: &PersonKey) -> Option<Subject> {
        let person = self.roster.find(person)?;
        let groups = self
            .group_bits
            .get(usize::from(person.groups.0))
            .copied()
            .unwrap_or(0);
        Some(Subject {
            born: person.born.date(),
            groups,
        })
    }

    /// Where the seats of these slots are counted.
    ///
    /// # Panics
    /// When a slot is not of this campaign: doses come from its catalog or its journal.
    pub fn seats_of(&self, doses: Doses) -> (&Arc<SiteSeats>, Positions) {
        let first = self.catalog.slots[doses.first.at()];
        let second = doses
            .second
            .map(|slot| self.catalog.slots[slot.at()].position);
        (
            &self.seats[first.site.at()],
            Positions {
                first: first.position,
                second,
            },
        )
    }
}

impl Shared {
    /// Publishes a state that was just rebuilt; its counters become the free seats.
    pub fn new(state: State, roster: Roster) -> Self {
        let roster = Arc::new(roster);
        let offers = state.campaigns.iter().map(|campaign| {
            let catalog = &campaign.catalog;
            let free = |slot: usize| -> Seats {
                let (capacity, usage) = (catalog.slots[slot].capacity, campaign.usage[slot]);
                let left = |pool: usize| capacity[pool] - usage.booked[pool] - usage.held[pool];
                std::array::from_fn(left)
            };
            let seats = catalog.sites.iter().map(|site| {
                let mut counts = vec![Seats::default(); site.slots.len()];
                for slot in &site.slots {
                    counts[catalog.slots[slot.at()].position as usize] = free(slot.at());
                }
                Arc::new(SiteSeats::new(counts))
            });
            let seats = seats.collect();
            Arc::new(offer(Arc::clone(catalog), seats, Arc::clone(&roster)))
        });
        let offers = ArcSwap::from_pointee(offers.collect());
        Self {
            state: ShardedLock::new(state),
            delay_us: AtomicU64::new(u64::MAX),
            watch: Watch::default(),
            followers: Followers::default(),
            offers,
        }
    }

    /// The published state, for reading. Also after a panic of the writer: the process ends then,
    /// and what a reader sees until it has ended is in no answer that says something was done.
    pub fn state(&self) -> ShardedLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, to be changed by the writer alone.
    pub(super) fn change(&self) -> ShardedLockWriteGuard<'_, State> {
        let state = self.state.write();
        state.expect("the writer ends when it panics, and nobody else changes the state")
    }

    pub fn offers(&self) -> arc_swap::Guard<Arc<Vec<Arc<Offer>>>> {
        self.offers.load()
    }

    pub fn offer(&self, campaign: CampaignIndex) -> Option<Arc<Offer>> {
        self.offers.load().get(campaign.at()).cloned()
    }

    /// The roster in force. Every offer carries the same one.
    pub fn roster(&self) -> Option<Arc<Roster>> {
        self.offers
            .load()
            .first()
            .map(|offer| Arc::clone(&offer.roster))
    }

    /// Publishes changed catalogs or another roster. Seats stay the objects they were, with the
    /// claims in flight on them; new sites, slots and seats are added to them. Seats that an
    /// import takes away were withdrawn before it was journalled.
    pub(super) fn publish(&self, roster: &Arc<Roster>) {
        let state = self.state();
        let before = self.offers.load_full();
        let offers = state.campaigns.iter().enumerate().map(|(at, campaign)| {
            let old = before.get(at);
            let mut seats = old.map_or_else(Vec::new, |offer| offer.seats.clone());
            seats.resize_with(campaign.catalog.sites.len(), || {
                Arc::new(SiteSeats::new(Vec::new()))
            });
            let known = old.map_or(&[][..], |offer| &offer.catalog.slots);
            for (at, slot) in campaign.catalog.slots.iter().enumerate() {
                let had = known.get(at).map_or(Seats::default(), |slot| slot.capacity);
                if at >= known.len() || had != slot.capacity {
                    let more = |pool: usize| slot.capacity[pool].saturating_sub(had[pool]);
                    let more = std::array::from_fn(more);
                    seats[slot.site.at()].add(slot.position, more);
                }
            }
            Arc::new(offer(
                Arc::clone(&campaign.catalog),
                seats,
                Arc::clone(roster),
            ))
        });
        let offers = offers.collect();
        self.offers.store(Arc::new(offers));
    }
}

fn offer(catalog: Arc<Catalog>, seats: Vec<Arc<SiteSeats>>, roster: Arc<Roster>) -> Offer {
    let rules = &catalog.campaign.rules;
    let bits = |set: &Vec<String>| rules.group_bits(set.iter().map(String::as_str));
    let group_bits = roster.group_sets.iter().map(bits).collect();
    let availability = Availability::new(catalog.sites.len());
    Offer {
        catalog,
        seats,
        roster,
        availability,
        group_bits,
    }
}
