//! What `apply` does to a campaign's seats, holds and bookings. Each step says what contradicts the
//! state before it, and after such a contradiction the state is of no use.

use super::Applied;
use crate::domain::booking::site::SlotRow;
use crate::domain::entry::{Doses, Entry, Idempotency};
use crate::domain::ids::{BookingNumber, HoldId, POOLS, PersonKey, Pool};
use crate::domain::state::{Booking, CampaignState, Status, Usage};
use crate::domain::time::Stamp;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Booked,
    Held,
}

impl CampaignState {
    pub(super) fn take(&mut self, doses: Doses, pool: Pool, kind: Kind) -> Applied {
        for slot in doses.slots() {
            let capacity = match self.catalog.slot(slot) {
                Some(known) => known.capacity[pool as usize],
                None => return Err(format!("slot {slot} does not exist")),
            };
            let usage = &mut self.usage[slot.at()];
            let used =
                u32::from(usage.booked[pool as usize]) + u32::from(usage.held[pool as usize]);
            if used >= u32::from(capacity) {
                return Err(format!(
                    "slot {slot} would hold more than its {capacity} seats"
                ));
            }
            *usage.of(pool, kind) += 1;
        }
        Ok(())
    }

    pub(super) fn give_back(&mut self, doses: Doses, pool: Pool, kind: Kind) -> Applied {
        for slot in doses.slots() {
            let usage = self.usage.get_mut(slot.at());
            let usage = usage.ok_or_else(|| format!("slot {slot} does not exist"))?;
            let used = usage.of(pool, kind);
            *used = used
                .checked_sub(1)
                .ok_or_else(|| format!("slot {slot} has no such seat"))?;
        }
        Ok(())
    }

    /// Turns the hold's seats into booked ones, or takes free seats.
    pub(super) fn seat(
        &mut self,
        person: &PersonKey,
        doses: Doses,
        pool: Pool,
        hold: Option<HoldId>,
    ) -> Applied {
        if let Some(id) = hold {
            let held = self
                .holds
                .get(&id)
                .ok_or_else(|| format!("hold {id} does not run"))?;
            if held.doses != doses || held.pool != pool {
                return Err(format!("hold {id} is for other seats"));
            }
            self.end_hold(person, Some(id))?;
        }
        self.take(doses, pool, Kind::Booked)
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

    pub(super) fn end_hold(&mut self, person: &PersonKey, hold: Option<HoldId>) -> Applied {
        let Some(id) = hold else { return Ok(()) };
        let hold = self
            .holds
            .remove(&id)
            .ok_or_else(|| format!("hold {id} does not run"))?;
        self.holds_by_end.remove(&(hold.until, id));
        if hold.person != *person {
            return Err(format!("hold {id} is another person's"));
        }
        self.standings.of(*person).hold = None;
        self.give_back(hold.doses, hold.pool, Kind::Held)
    }

    pub(super) fn book(
        &mut self,
        entry: &Entry,
        person: PersonKey,
        number: BookingNumber,
        doses: Doses,
        pool: Pool,
    ) -> Applied {
        let index = self.bookings.len() as u32;
        let standing = self.standings.of(person);
        if standing.booking.replace(index).is_some() {
            return Err(format!("{person} has a booking already"));
        }
        let (booked_at, seq, status) = (entry.stamp, entry.seq, Status::Booked);
        self.bookings.push(Booking {
            number,
            person,
            doses,
            pool,
            status,
            booked_at,
            seq,
        });
        Ok(())
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

    /// Moves what a person has to another key, which must have no booking and no hold. A place in a
    /// draw stays where it is: the draw was made of the keys that took part.
    pub(super) fn rekey(&mut self, from: PersonKey, to: PersonKey) -> Applied {
        let known = self.standing(&to);
        if known.booking.is_some() || known.hold.is_some() {
            return Err(format!("{to} has a booking or a hold of its own"));
        }
        if let Some(standing) = self.standings.remove(&from) {
            if let Some(booking) = standing.booking {
                self.bookings[booking as usize].person = to;
            }
            if let Some(hold) = standing.hold.and_then(|id| self.holds.get_mut(&id)) {
                hold.person = to;
            }
            self.standings.insert(to, standing);
        }
        self.line.rekey(&from, to);
        Ok(())
    }

    pub(super) fn remember(&mut self, idempotency: Option<Idempotency>, entry: &Entry) -> Applied {
        let Some(idempotency) = idempotency else {
            return Ok(());
        };
        self.repeats.remember(idempotency, entry.seq, entry.stamp)
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
        let pairs = counted.into_iter().zip(&self.usage).enumerate();
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
