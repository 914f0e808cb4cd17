//! Giving people other seats: what is planned, doing it, and how far it has come.

use std::sync::Arc;

use rayon::prelude::*;
use tokio::sync::oneshot;

use super::{Allowed, DeskRefused, actor};
use crate::domain::booking::relocation::{Cause, Plan, Planned, Relocation, is_concerned, plan};
use crate::domain::entry::{Actor, Change, Look, Purpose};
use crate::domain::ids::{BookingNumber, CampaignIndex, PersonKey, RelocationIndex, SlotIndex};
use crate::domain::roster::contact::Contact;
use crate::domain::staff::proposal::Asking;
use crate::domain::staff::{Account, Bounds};
use crate::domain::state::{Booking, CampaignState, Status};
use crate::domain::text;
use crate::domain::time::Stamp;
use crate::engine::command::{Command, Operated, Operation, Outcome};
use crate::service::Service;

/// People of one commit: each costs some microseconds, and a booking behind them waits for all.
const PEOPLE_AT_ONCE: usize = 64;
/// People on one telephone list; each of them is named in the record of looks.
pub const LISTED_MAX: usize = 500;
/// Letters of the reason for seeing names.
const REASON_CHARS_MAX: usize = 500;

/// What was done for the people of a relocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    pub moved: u64,
    pub offered: u64,
    /// Without other seats, or somebody else changed something meanwhile.
    pub left: u64,
}

impl Done {
    pub fn in_words(self) -> String {
        format!(
            "{} people were moved, {} were offered other seats, {} are left to telephone",
            self.moved, self.offered, self.left
        )
    }
}

/// How far a relocation has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    pub relocation: RelocationIndex,
    pub known: Relocation,
    /// Slots that it keeps closed.
    pub slots: u64,
    /// Bookings that it has moved, and whose people have changed nothing since.
    pub moved: u64,
    /// People who have an offer and have not answered.
    pub offered: u64,
    /// Bookings in closed slots without an offer.
    pub left: u64,
}

/// Somebody whom the agency has to call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Called {
    pub number: BookingNumber,
    pub person: PersonKey,
    /// The closed slot.
    pub slot: SlotIndex,
    /// What they were offered.
    pub offer: Option<SlotIndex>,
    /// None where it was not asked for, was erased, or does not open.
    pub contact: Option<Contact>,
}

impl Service {
    /// A campaign as it is: a snapshot, which shares its memory.
    pub(super) fn snapshot(&self, index: CampaignIndex) -> Allowed<CampaignState> {
        let state = self.shared.state();
        state.campaign(index).cloned().ok_or(DeskRefused::NotFound)
    }

    /// Plans for the people of a relocation and does it, on this thread.
    pub(super) fn relocate(
        &self,
        by: &Actor,
        index: CampaignIndex,
        relocation: RelocationIndex,
        asking: Asking,
    ) -> Result<Done, String> {
        let campaign = self.snapshot(index).map_err(|_| "the campaign is gone")?;
        let known = campaign.relocation(relocation);
        let until = known.map(|known| known.until).ok_or("it was not begun")?;
        let offered_until = match asking {
            Asking::Offered => Some(until),
            Asking::Moved => None,
            Asking::Telephoned => {
                let left = without_offer(&campaign, relocation, self.clock.now());
                return Ok(Done {
                    left,
                    ..Done::default()
                });
            }
        };
        let plan = plan(&campaign, relocation, self.clock.now());
        drop(campaign);
        self.move_planned(by, (index, relocation), &plan, offered_until)
    }

    /// Gives people the seats that were planned for them, or offers these until an instant.
    pub(super) fn move_planned(
        &self,
        by: &Actor,
        (index, relocation): (CampaignIndex, RelocationIndex),
        plan: &Plan,
        offered_until: Option<Stamp>,
    ) -> Result<Done, String> {
        let mut done = Done {
            left: plan.without.len() as u64,
            ..Done::default()
        };
        for people in plan.moves.chunks(PEOPLE_AT_ONCE) {
            let (did, missed) =
                self.relocate_some(by, (index, relocation), people.to_vec(), offered_until)?;
            match offered_until {
                Some(_) => done.offered += did,
                None => done.moved += did,
            }
            done.left += missed;
        }
        Ok(done)
    }

    fn relocate_some(
        &self,
        by: &Actor,
        (campaign, relocation): (CampaignIndex, RelocationIndex),
        people: Vec<Planned>,
        offered_until: Option<Stamp>,
    ) -> Result<(u64, u64), String> {
        let (reply, outcome) = oneshot::channel();
        let command = Command::Operate {
            actor: by.clone(),
            operation: Operation::Relocate {
                campaign,
                relocation,
                people,
                offered_until,
            },
            reply,
        };
        let handed = self.writer.submit_always(command);
        handed.map_err(|_| "the server is stopping")?;
        match outcome.blocking_recv().unwrap_or(Outcome::Unknown) {
            Outcome::Operated(Operated::Relocated { done, missed }) => {
                Ok((done as u64, missed as u64))
            }
            Outcome::Impossible(why) => Err(why),
            other => Err(format!("it is not known whether it was done: {other:?}")),
        }
    }

    /// How far the relocations of a campaign have come, the newest first.
    pub fn relocations(&self, by: &Account, id: &str) -> Allowed<Vec<Progress>> {
        let campaign = self.desk_campaign(by, id)?;
        let now = self.clock.now();
        let mut all = progress(&campaign, &by.bounds, now);
        // Of a site's people, those that are about their sites.
        let is_bound = !by.bounds.has_all_of(id);
        all.retain(|one| !is_bound || one.slots + one.moved + one.offered + one.left > 0);
        all.reverse();
        all.truncate(PROGRESS_MAX);
        Ok(all)
    }

    /// A campaign within the bounds of an account, as it is.
    pub(super) fn desk_campaign(&self, by: &Account, id: &str) -> Allowed<CampaignState> {
        if !by.bounds.has_campaign(id) {
            return Err(DeskRefused::NotYours);
        }
        let index = {
            let state = self.shared.state();
            state.index_of(id).ok_or(DeskRefused::NotFound)?
        };
        self.snapshot(index)
    }

    /// Whom the agency has to call because of a relocation: bookings in closed slots, of the sites
    /// that the account is for. Without names.
    pub fn to_call(
        &self,
        by: &Account,
        id: &str,
        relocation: RelocationIndex,
    ) -> Allowed<Vec<Called>> {
        let campaign = self.desk_campaign(by, id)?;
        campaign
            .relocation(relocation)
            .ok_or(DeskRefused::NotFound)?;
        let now = self.clock.now();
        let mut all: Vec<Called> = concerned(&campaign, relocation, now)
            .into_iter()
            .filter_map(|at| called(&campaign, &campaign.bookings[at as usize], &by.bounds, now))
            .collect();
        all.truncate(LISTED_MAX);
        Ok(all)
    }

    /// The same with names and telephone numbers, once it is on record who sees whose.
    pub async fn telephone_list(
        self: &Arc<Self>,
        by: &Account,
        origin: &str,
        id: &str,
        relocation: RelocationIndex,
        reason: &str,
    ) -> Allowed<Vec<Called>> {
        text::check_words(reason, REASON_CHARS_MAX)
            .map_err(|fault| DeskRefused::Impossible(format!("the reason {fault}")))?;
        let mut all = self.to_call(by, id, relocation)?;
        if all.is_empty() {
            return Ok(all);
        }
        let look = Look {
            purpose: Purpose::Telephoned,
            origin: origin.to_owned(),
            reason: reason.trim().to_owned(),
            people: all.iter().map(|one| one.person).collect(),
        };
        let change = Change::PersonalDataSeen(look);
        self.operate(actor(by), Operation::Record { change })
            .await?;
        let read = self.store.read().map_err(|_| DeskRefused::OutcomeUnknown)?;
        for one in &mut all {
            let row = read
                .vault(one.person)
                .map_err(|_| DeskRefused::OutcomeUnknown)?;
            let opened = row.and_then(|sealed| self.keys.open(one.person, &sealed).ok());
            one.contact = opened.and_then(|opened| Contact::decode(&opened).ok());
        }
        Ok(all)
    }

    /// Looks once more for seats for those who have none yet.
    pub async fn plan_again(
        self: &Arc<Self>,
        by: &Account,
        id: &str,
        relocation: RelocationIndex,
    ) -> Allowed<Done> {
        if !by.bounds.has_all_of(id) {
            return Err(DeskRefused::NotYours);
        }
        let campaign = self.desk_campaign(by, id)?;
        let known = campaign.relocation(relocation);
        let known = known.ok_or(DeskRefused::NotFound)?;
        let now = self.clock.now();
        let asking = match known.cause {
            Cause::Interval { .. } => Asking::Moved,
            Cause::Closure { .. } | Cause::Retimed { .. } if known.until <= now => {
                let why = "the time to answer is over: telephone, or propose the closure again \
                           with another time";
                return Err(DeskRefused::Impossible(why.to_owned()));
            }
            Cause::Closure { .. } | Cause::Retimed { .. } => Asking::Offered,
        };
        let (service, actor, index) = (Arc::clone(self), actor(by), campaign.catalog.index);
        let work = move || service.relocate(&actor, index, relocation, asking);
        let done = super::proposals::beside(work).await?;
        done.map_err(DeskRefused::Impossible)
    }
}

/// Relocations of which the desk shows how far they have come.
const PROGRESS_MAX: usize = 100;

/// The bookings, by index, that have a seat in a slot that this closed.
fn concerned(campaign: &CampaignState, relocation: RelocationIndex, now: Stamp) -> Vec<u32> {
    let parts: Vec<&[Booking]> = campaign.bookings.parts().collect();
    let mut firsts = Vec::with_capacity(parts.len());
    let mut first = 0;
    for part in &parts {
        firsts.push(first);
        first += part.len() as u32;
    }
    let parts = parts.par_iter().zip(firsts).flat_map_iter(|(part, first)| {
        let is_it = |booking: &Booking| campaign.closed_by(booking, now) == Some(relocation);
        let found = part.iter().enumerate();
        let found = found.filter(move |(_, booking)| is_it(booking));
        found.map(move |(at, _)| first + at as u32)
    });
    parts.collect()
}

/// Bookings in slots that this closed and without an offer.
fn without_offer(campaign: &CampaignState, relocation: RelocationIndex, now: Stamp) -> u64 {
    let all = concerned(campaign, relocation, now);
    let has_none = |at: &&u32| {
        let person = campaign.bookings[**at as usize].person;
        campaign.standing(&person).offer.is_none()
    };
    all.iter().filter(has_none).count() as u64
}

/// How far every relocation has come at the sites within these bounds, in one pass over slots,
/// bookings and what was moved.
fn progress(campaign: &CampaignState, bounds: &Bounds, now: Stamp) -> Vec<Progress> {
    let count = campaign.relocations.len();
    let catalog = &campaign.catalog;
    let sites = catalog.sites.iter();
    let is_theirs = sites.map(|site| bounds.has_site(&site.row.site, &site.row.region));
    let is_theirs: Vec<bool> = is_theirs.collect();
    let has = |slot: SlotIndex| is_theirs[catalog.slots[slot.at()].site.at()];
    let mut slots = vec![0; count];
    for slot in catalog
        .slots
        .iter()
        .filter(|slot| is_theirs[slot.site.at()])
    {
        if let Some(by) = slot.closed_by {
            slots[by.at()] += 1;
        }
    }
    let mut moved = vec![0; count];
    for (_, one) in campaign
        .moved
        .iter()
        .filter(|(_, one)| one.from.slots().any(has))
    {
        moved[one.relocation.at()] += 1;
    }
    let known = campaign.relocations.iter().zip(0..);
    let intervals = known.filter(|(known, _)| matches!(known.cause, Cause::Interval { .. }));
    let intervals: Vec<(&Relocation, RelocationIndex)> = intervals
        .map(|(known, at)| (known, RelocationIndex(at)))
        .collect();
    let parts: Vec<&[Booking]> = campaign.bookings.parts().collect();
    let counted = parts.par_iter().map(|part| {
        let mut counts = vec![[0_u64; 2]; count];
        for booking in part.iter().filter(|one| one.doses.slots().any(has)) {
            if let Some(by) = campaign.closed_by(booking, now) {
                let has_offer = campaign.standing(&booking.person).offer.is_some();
                counts[by.at()][usize::from(!has_offer)] += 1;
            }
            for (known, by) in &intervals {
                let is_left = is_concerned(campaign, booking, *by, known, now);
                counts[by.at()][1] += u64::from(is_left);
            }
        }
        counts
    });
    let waiting = counted.reduce(
        || vec![[0; 2]; count],
        |one, other| {
            let pairs = one.into_iter().zip(other);
            pairs.map(|(a, b)| [a[0] + b[0], a[1] + b[1]]).collect()
        },
    );
    let all = campaign.relocations.iter().enumerate();
    let of = |(at, known): (usize, &Relocation)| Progress {
        relocation: RelocationIndex(at as u16),
        known: known.clone(),
        slots: slots[at],
        moved: moved[at],
        offered: waiting[at][0],
        left: waiting[at][1],
    };
    all.map(of).collect()
}

fn called(
    campaign: &CampaignState,
    booking: &Booking,
    bounds: &Bounds,
    now: Stamp,
) -> Option<Called> {
    let catalog = &campaign.catalog;
    let is_closed = |slot: &SlotIndex| {
        let known = catalog.slot(*slot);
        known.is_some_and(|known| known.closed_by.is_some() && now < known.start)
    };
    let slot = booking.doses.slots().find(is_closed)?;
    let site = &catalog.sites[catalog.slots[slot.at()].site.at()].row;
    if booking.status != Status::Booked || !bounds.has_site(&site.site, &site.region) {
        return None;
    }
    let offer = campaign.standing(&booking.person).offer;
    let offered = offer.and_then(|id| campaign.holds.get(&id));
    Some(Called {
        number: booking.number,
        person: booking.person,
        slot,
        offer: offered.and_then(|hold| hold.seats().next()),
        contact: None,
    })
}
