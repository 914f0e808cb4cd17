//! What the agency did to somebody's booking, as they are told it.

use crate::domain::booking::relocation::{Cause, Relocation, Unanswered};
use crate::domain::entry::Doses;
use crate::domain::ids::PersonKey;
use crate::domain::line::Notice;
use crate::domain::state::Booking;
use crate::domain::time::Stamp;
use crate::service::booking::Held;
use crate::service::{Here, Service};

/// Why the agency changed something. A reason without words is told by its cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgencyAct {
    pub reason: Notice,
    pub cause: Cause,
}

impl AgencyAct {
    fn of(known: &Relocation) -> Self {
        Self {
            reason: known.reason.clone(),
            cause: known.cause,
        }
    }
}

/// What the agency did to a booking.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AgencyActs {
    /// A slot of it was closed, and which of its doses are in closed ones, counted from 1.
    pub closed: Option<(AgencyAct, Vec<u8>)>,
    /// Seats that are kept instead, and whether they become the booking's without an answer.
    pub offer: Option<(Held, bool)>,
    /// It was moved: from where, and when.
    pub moved: Option<(AgencyAct, Doses, Stamp)>,
}

impl Service {
    pub fn agency_acts(&self, here: &Here, person: &PersonKey) -> AgencyActs {
        let offer = self.running_offer(here, person);
        let state = self.shared.state();
        let Some(campaign) = state.campaign(here.index) else {
            return AgencyActs::default();
        };
        let Some(booking) = campaign.active_booking(person) else {
            return AgencyActs::default();
        };
        let closed = campaign.closed_by(booking, here.now);
        let closed = closed.and_then(|by| campaign.relocation(by));
        let is_closed = |slot: &crate::domain::ids::SlotIndex| {
            let known = campaign.catalog.slot(*slot);
            known.is_some_and(|slot| slot.closed_by.is_some() && here.now < slot.start)
        };
        let doses = (1..).zip(booking.doses.slots());
        let doses = doses
            .filter(|(_, slot)| is_closed(slot))
            .map(|(dose, _)| dose);
        let doses: Vec<u8> = doses.collect();
        let moved = campaign.moved.get(person);
        let moved = moved.and_then(|moved| {
            let known = campaign.relocation(moved.relocation)?;
            Some((AgencyAct::of(known), moved.from, moved.at))
        });
        let is_final = |held: &Held| {
            let hold = campaign.holds.get(&held.hold);
            let by = hold.and_then(|hold| campaign.relocation(hold.offered_by?));
            by.is_some_and(|by| by.unanswered == Unanswered::Moved)
        };
        AgencyActs {
            closed: closed.map(|known| (AgencyAct::of(known), doses)),
            offer: offer.map(|held| (held, is_final(&held))),
            moved,
        }
    }

    /// Until when its person can change a booking (exclusive).
    pub fn change_deadline(&self, here: &Here, booking: &Booking) -> Stamp {
        let state = self.shared.state();
        let campaign = state.campaign(here.index);
        campaign.map_or(Stamp::default(), |known| {
            known.change_deadline(booking, here.now)
        })
    }
}
