//! A campaign's seats, holds and bookings, as `apply` counts and looks them up.

use super::Applied;
use crate::domain::booking::site::SlotRow;
use crate::domain::entry::Doses;
use crate::domain::ids::{BookingNumber, POOLS, PersonKey, Pool};
use crate::domain::state::{CampaignState, Status, Usage};
use crate::domain::time::Stamp;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Booked,
    Held,
}

impl CampaignState {
    /// Counts seats of these slots as in use, or as free again.
    pub(super) fn count_seats(&mut self, doses: Doses, pool: Pool, kind: Kind, by: i32) {
        for slot in doses.slots() {
            let count = self.usage[slot.at()].of(pool, kind);
            let changed = i32::from(*count) + by;
            *count = u16::try_from(changed).expect("the effect was checked against the counts");
        }
    }

    /// Sessions go on: holds have the time left that they had when they were frozen.
    pub(super) fn thaw(&mut self, now: Stamp) {
        let Some(since) = self.frozen_since.take() else {
            return;
        };
        let frozen_ns = (now.0 - since.0).max(0);
        for hold in self.holds.values_mut() {
            hold.until = Stamp(hold.until.0.saturating_add(frozen_ns));
        }
        let ends = self.holds.iter().map(|(id, hold)| (hold.until, *id));
        self.holds_by_end = ends.collect();
    }

    /// The index of the person's active booking, which must have this number and these doses.
    pub(super) fn booking_of(
        &self,
        person: &PersonKey,
        number: BookingNumber,
        doses: Doses,
    ) -> Result<usize, String> {
        let index = self.standing(person).booking.map(|index| index as usize);
        index
            .filter(|&at| self.bookings[at].number == number && self.bookings[at].doses == doses)
            .ok_or_else(|| format!("{person} has no active booking {number} with these doses"))
    }

    pub(super) fn check_capacities(&self, rows: &[SlotRow]) -> Applied {
        for slot in rows.iter().filter_map(|row| self.catalog.slot_like(row)) {
            let (capacity, usage) = (
                self.catalog.slots[slot.at()].capacity,
                self.usage[slot.at()],
            );
            if (0..POOLS).any(|pool| usage.booked[pool] + usage.held[pool] > capacity[pool]) {
                return Err(format!(
                    "slot {slot} has more seats in use than its new capacity"
                ));
            }
        }
        Ok(())
    }

    /// Counts every seat anew from bookings and holds; the slots whose running count differs.
    pub fn recount(&self) -> Vec<(usize, Usage, Usage)> {
        let mut counted = vec![Usage::default(); self.usage.len()];
        for booking in self
            .bookings
            .iter()
            .filter(|booking| booking.status == Status::Booked)
        {
            for slot in booking.doses.slots() {
                *counted[slot.at()].of(booking.pool, Kind::Booked) += 1;
            }
        }
        for hold in self.holds.values() {
            for slot in hold.doses.slots() {
                *counted[slot.at()].of(hold.pool, Kind::Held) += 1;
            }
        }
        let pairs = counted.into_iter().zip(self.usage.iter()).enumerate();
        pairs
            .filter(|(_, (new, old))| new != *old)
            .map(|(at, (new, old))| (at, new, *old))
            .collect()
    }
}

impl Usage {
    fn of(&mut self, pool: Pool, kind: Kind) -> &mut u16 {
        match kind {
            Kind::Booked => &mut self.booked[pool as usize],
            Kind::Held => &mut self.held[pool as usize],
        }
    }
}
