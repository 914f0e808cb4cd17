//! What readers see: published state. Written by the writer alone, after a commit.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use crossbeam_utils::sync::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
use rayon::prelude::*;

use super::follow::Followers;
use super::import::{RosterDesk, retire};
use super::tree::Record;
use super::watch::Watch;
use crate::availability::Availability;
use crate::domain::agency::AgencyVersion;
use crate::domain::booking::catalog::Catalog;
use crate::domain::campaign::eligibility::Subject;
use crate::domain::campaign::{Campaign, Opening};
use crate::domain::entry::Doses;
use crate::domain::ids::{CampaignIndex, PersonKey, Pool, Seats, SiteIndex, SlotIndex};
use crate::domain::roster::{Roster, RosterPerson};
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::measure::Histogram;
use crate::seats::{Claim, Positions, SiteSeats};

/// Published state. `offers` is read without a lock; `state` is locked for microseconds at a time.
#[derive(Debug)]
pub struct Shared {
    pub state: ShardedLock<State>,
    /// The shortest time that a command waited for its commit since somebody looked, in µs.
    pub delay_us: AtomicU64,
    /// Whether anybody's name was erased of the roster in force: then those who enter are looked up
    /// in the state.
    pub any_erased: AtomicBool,
    /// How long the first command of each commit waited until the writer took it.
    pub queued: Histogram,
    /// The threads that must live.
    pub watch: Watch,
    /// What reads the journal behind the writer.
    pub followers: Followers,
    /// Checkpoints and proofs, once the tree over the journal is followed.
    pub record: OnceLock<Arc<Record>>,
    /// How long nobody used the folder before this start; not known of a simulated clock.
    pub away: OnceLock<Away>,
    offers: ArcSwap<Vec<Arc<Offer>>>,
    /// The roster in force. Every offer carries the same one.
    roster: ArcSwap<Roster>,
    roster_desk: RosterDesk,
    /// Whoever reads a roster file or replaces keys has it: the files of two countries don't fit
    /// into the memory, and keys are replaced one at a time.
    roster_lane: RosterDesk,
    lists: AtomicU64,
}

/// The time before a start in which nobody used the data folder, by the stamps of both ends. It is
/// the only sign of a clock that went ahead by less than a day while the server was down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Away {
    /// The last entry, or a later note of a server that it ran.
    pub last_use: Stamp,
    pub started: Stamp,
}

impl Away {
    /// Zero for a clock that is behind the last use.
    pub fn seconds(self) -> i64 {
        (self.started.0.saturating_sub(self.last_use.0).max(0)) / Stamp::SECOND
    }
}

/// A campaign as people meet it: what is offered, how many seats are free, and who is who.
#[derive(Debug)]
pub struct Offer {
    pub catalog: Arc<Catalog>,
    /// The seats of each site.
    pub seats: Vec<Arc<SiteSeats>>,
    pub roster: Arc<Roster>,
    pub availability: Arc<Availability>,
    /// The agency's words and looks; none before the first file of the agency.
    pub agency: Option<Arc<AgencyVersion>>,
    /// For each group set of the roster, the groups that the rules know.
    group_bits: Vec<u64>,
    /// When each opening is, from and until, as programs are told.
    pub openings_told: Vec<[String; 2]>,
}

impl Offer {
    fn new(
        catalog: Arc<Catalog>,
        seats: Vec<Arc<SiteSeats>>,
        roster: Arc<Roster>,
        availability: Arc<Availability>,
        agency: Option<Arc<AgencyVersion>>,
    ) -> Self {
        let rules = &catalog.campaign.rules;
        let bits = |set: &Vec<String>| rules.group_bits(set.iter().map(String::as_str));
        let group_bits = roster.group_sets.iter().map(bits).collect();
        let campaign = &catalog.campaign;
        let told = |at: Stamp| campaign.zone.rfc3339(at);
        let openings = campaign.openings.iter();
        let openings_told = openings.map(|opening| [told(opening.from), told(opening.until)]);
        let openings_told = openings_told.collect();
        Self {
            catalog,
            seats,
            roster,
            availability,
            agency,
            group_bits,
            openings_told,
        }
    }

    /// What the rules need to know of a person; none if they are not on the roster.
    pub fn subject(&self, person: &PersonKey) -> Option<Subject> {
        self.subject_with(person, &self.group_bits)
    }

    /// The same for other rules, which know other groups; `group_bits` are those of each group set
    /// of the roster.
    pub fn subject_with(&self, person: &PersonKey, group_bits: &[u64]) -> Option<Subject> {
        let person = self.roster.find(person)?;
        let groups = group_bits.get(usize::from(person.groups.0)).copied();
        let groups = groups.unwrap_or(0);
        Some(Subject {
            born: person.born.date(),
            groups,
        })
    }

    /// Where a person lives, as the roster says it: `11/110`; none if it does not.
    pub fn region(&self, person: &PersonKey) -> Option<&str> {
        let known = self.roster.find(person)?;
        Some(self.roster.region(known)).filter(|region| !region.is_empty())
    }

    /// Where the seats of a slot are counted, and its place there.
    ///
    /// # Panics
    /// As of `seats_of`.
    pub fn seat_of(&self, slot: SlotIndex) -> (&Arc<SiteSeats>, Positions) {
        let known = self.catalog.slots[slot.at()];
        let positions = Positions {
            first: known.position,
            second: None,
        };
        (&self.seats[known.site.at()], positions)
    }

    /// Claims one seat of each of these slots, which may be of several sites, or nothing.
    pub fn claim_each(
        &self,
        slots: impl Iterator<Item = SlotIndex>,
        pool: Pool,
    ) -> Option<Vec<Claim>> {
        let claim = |slot| {
            let (seats, position) = self.seat_of(slot);
            SiteSeats::claim(seats, position, pool)
        };
        slots.map(claim).collect()
    }

    /// Where the seats of these slots of one site are counted: those that somebody chooses.
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
    pub fn new(state: State, roster: Arc<Roster>) -> Self {
        let any_erased = state.vault.is_emptied || !state.vault.erased.is_empty();
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
            let availability = Arc::new(Availability::new(catalog.sites.len()));
            let catalog = Arc::clone(catalog);
            Arc::new(Offer::new(
                catalog,
                seats,
                Arc::clone(&roster),
                availability,
                campaign.agency.clone(),
            ))
        });
        let offers = ArcSwap::from_pointee(offers.collect());
        Self {
            state: ShardedLock::new(state),
            delay_us: AtomicU64::new(u64::MAX),
            any_erased: AtomicBool::new(any_erased),
            queued: Histogram::default(),
            watch: Watch::default(),
            followers: Followers::default(),
            record: OnceLock::new(),
            away: OnceLock::new(),
            offers,
            roster: ArcSwap::new(roster),
            roster_desk: RosterDesk::default(),
            roster_lane: RosterDesk::default(),
            lists: AtomicU64::new(0),
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

    /// A number for a list of this process.
    pub(super) fn next_list(&self) -> u64 {
        self.lists.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn roster_desk(&self) -> &RosterDesk {
        &self.roster_desk
    }

    pub fn roster_lane(&self) -> &RosterDesk {
        &self.roster_lane
    }

    pub fn offers(&self) -> arc_swap::Guard<Arc<Vec<Arc<Offer>>>> {
        self.offers.load()
    }

    pub fn offer(&self, campaign: CampaignIndex) -> Option<Arc<Offer>> {
        self.offers.load().get(campaign.at()).cloned()
    }

    /// The roster in force; of version 0 and empty before the first import.
    pub fn roster(&self) -> Arc<Roster> {
        self.roster.load_full()
    }

    /// Publishes another roster.
    pub(super) fn publish_roster(&self, roster: Arc<Roster>) {
        let replaced = self.roster.swap(Arc::clone(&roster));
        let before = self.offers.load_full();
        let offers = before.iter().map(|offer| {
            Arc::new(Offer::new(
                Arc::clone(&offer.catalog),
                offer.seats.clone(),
                Arc::clone(&roster),
                Arc::clone(&offer.availability),
                offer.agency.clone(),
            ))
        });
        let offers = offers.collect();
        drop(before);
        retire(self.offers.swap(Arc::new(offers)));
        retire(replaced);
    }

    /// Publishes catalogs and agencies' files that changed. Seats stay the objects they were, with
    /// the claims in flight on them; `more` seats are added to them. Seats that an import takes
    /// away were withdrawn before it was journalled.
    pub(super) fn publish(&self, more: &[MoreSeats]) {
        let before = self.offers.load_full();
        let roster = self.roster.load_full();
        let state = self.state();
        let offers = state.campaigns.iter().enumerate().map(|(at, campaign)| {
            let old = before.get(at);
            if let Some(old) = old
                && Arc::ptr_eq(&old.catalog, &campaign.catalog)
            {
                return with_agency(old, &campaign.agency);
            }
            let catalog = Arc::clone(&campaign.catalog);
            let mut seats = old.map_or_else(Vec::new, |offer| offer.seats.clone());
            seats.resize_with(catalog.sites.len(), || Arc::new(SiteSeats::new(Vec::new())));
            for more in more.iter().filter(|more| more.campaign == catalog.index) {
                seats[more.site.at()].grow(&more.raised, &more.added);
            }
            let availability = Arc::new(Availability::new(catalog.sites.len()));
            Arc::new(Offer::new(
                catalog,
                seats,
                Arc::clone(&roster),
                availability,
                campaign.agency.clone(),
            ))
        });
        let offers = offers.collect();
        drop(state);
        drop(before);
        retire(self.offers.swap(Arc::new(offers)));
    }
}

/// The same offer with the agency's words and looks in force.
fn with_agency(offer: &Arc<Offer>, agency: &Option<Arc<AgencyVersion>>) -> Arc<Offer> {
    let version = |agency: &Option<Arc<AgencyVersion>>| agency.as_ref().map(|known| known.version);
    if version(&offer.agency) == version(agency) {
        return Arc::clone(offer);
    }
    Arc::new(Offer::new(
        Arc::clone(&offer.catalog),
        offer.seats.clone(),
        Arc::clone(&offer.roster),
        Arc::clone(&offer.availability),
        agency.clone(),
    ))
}

/// Seats that an import brings to one site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoreSeats {
    pub campaign: CampaignIndex,
    pub site: SiteIndex,
    /// More seats for slots that are known, by position.
    pub raised: Vec<(u32, Seats)>,
    /// The slots behind those that are known.
    pub added: Vec<Seats>,
}

/// People on the roster whom an opening of a campaign is for; counted on every core.
pub fn people_of(campaign: &Campaign, roster: &Roster, opening: &Opening) -> u64 {
    let rules = &campaign.rules;
    let bits = |set: &Vec<String>| rules.group_bits(set.iter().map(String::as_str));
    let bits: Vec<u64> = roster.group_sets.iter().map(bits).collect();
    let is_theirs = |person: &&RosterPerson| {
        let groups = bits.get(usize::from(person.groups.0)).copied();
        let subject = Subject {
            born: person.born.date(),
            groups: groups.unwrap_or(0),
        };
        let mut theirs = rules.openings_of(&subject);
        theirs.any(|(at, _)| campaign.openings[at].line == opening.line)
    };
    roster.people.par_iter().filter(is_theirs).count() as u64
}
