//! A campaign's seats, holds and bookings, as `apply` counts and looks them up.

use super::Applied;
use crate::domain::booking::site::SlotRow;
use crate::domain::entry::Doses;
use crate::domain::growing::Rows;
use crate::domain::ids::{BookingNumber, POOLS, PersonKey, Pool, SlotIndex};
use crate::domain::state::{Booking, CampaignState, Status, Usage};
use crate::domain::time::Stamp;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Booked,
    Held,
}

impl CampaignState {
    /// Counts seats of these slots as in use, or as free again.
    pub(super) fn count_seats(
        &mut self,
        slots: impl Iterator<Item = SlotIndex>,
        pool: Pool,
        kind: Kind,
        by: i32,
    ) {
        for slot in slots {
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
        let index = self.standing(person).latest.map(|index| index as usize);
        let is_it = |booking: &Booking| {
            booking.status == Status::Booked && booking.number == number && booking.doses == doses
        };
        index
            .filter(|&at| is_it(&self.bookings[at]))
            .ok_or_else(|| format!("{person} has no active booking {number} with these doses"))
    }

    /// Moves what a person has to another key, which must have no booking and no hold. A place in a
    /// draw stays where it is: the draw was made of the keys that took part.
    pub(super) fn rekey(&mut self, from: PersonKey, to: PersonKey) -> Applied {
        let known = self.standing(&to);
        if self.active_booking(&to).is_some() || known.hold.is_some() || known.offer.is_some() {
            return Err(format!("{to} has a booking or a hold of its own"));
        }
        if let Some(mut standing) = self.standings.remove(&from) {
            if let Some(booking) = standing.latest {
                self.bookings[booking as usize].person = to;
            }
            for id in [standing.hold, standing.offer].into_iter().flatten() {
                let hold = self.holds.get_mut(&id).expect("a standing names what runs");
                hold.person = to;
            }
            standing.latest = standing.latest.or(known.latest);
            self.standings.insert(to, standing);
        }
        if let Some(moved) = self.moved.remove(&from) {
            self.moved.insert(to, moved);
        }
        for line in &mut self.lines {
            line.rekey(&from, to);
        }
        Ok(())
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

    /// Counts every seat of a state that came without counts.
    pub fn count_all(&mut self) -> Result<(), String> {
        self.usage = self.counted()?;
        Ok(())
    }

    /// Counts every seat anew; the slots whose running count differs.
    pub fn recount(&self) -> Vec<(usize, Usage, Usage)> {
        let counted = self.counted();
        let counted = counted.expect("no entry takes seats of a slot that does not exist");
        let pairs = counted.iter().zip(self.usage.iter()).enumerate();
        let differ = pairs.filter(|(_, (new, old))| new != old);
        differ.map(|(at, (new, old))| (at, *new, *old)).collect()
    }

    /// The seats in use of each slot, from bookings and holds.
    fn counted(&self) -> Result<Rows<Usage>, String> {
        let slots = self.catalog.slots.len();
        let mut usage = Rows::default();
        usage.fill_up(slots, Usage::default());
        let booked = self.bookings.iter();
        let booked = booked.filter(|booking| booking.status == Status::Booked);
        let booked = booked.flat_map(|booking| {
            let slots = booking.doses.slots();
            slots.map(|slot| (slot, booking.pool, Kind::Booked))
        });
        let held = self.holds.values();
        let held = held.flat_map(|hold| hold.seats().map(|slot| (slot, hold.pool, Kind::Held)));
        for (slot, pool, kind) in booked.chain(held) {
            if slot.at() >= slots {
                return Err(format!("slot {slot} does not exist"));
            }
            let count = usage[slot.at()].of(pool, kind);
            *count = count
                .checked_add(1)
                .ok_or("a slot has too many seats in use")?;
        }
        Ok(usage)
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
