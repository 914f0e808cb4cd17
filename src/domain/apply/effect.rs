//! What a change of a person's seats does, found out before anything is changed.
//!
//! `CampaignState::effect` says what contradicts the state; `perform` then can't fail. So a writer
//! that makes many entries at a time can ask about each of them, beside what those before it will
//! do (`Ahead`), while readers still see the state as it is.

use super::ahead::Ahead;
use super::same_pool;
use super::seats::Kind;
use crate::domain::entry::{Change, Doses, Entry, HoldEnd, Idempotency};
use crate::domain::ids::{HoldId, PersonKey, Pool, SlotIndex};
use crate::domain::state::{Booking, CampaignState, Hold, Status};
use crate::domain::time::Stamp;

/// What happens to seats and to what a person has.
#[derive(Default)]
pub(super) struct Effect {
    /// Holds that end, and with them the seats that they keep.
    pub(super) ended: [Option<(HoldId, Hold)>; 2],
    pub(super) taken: Option<(Doses, Pool, Kind)>,
    /// Booked seats that are free again.
    pub(super) given_back: Option<(Doses, Pool)>,
    does: Does,
    pub(super) idempotency: Option<Idempotency>,
}

#[derive(Default)]
enum Does {
    #[default]
    Nothing,
    Hold(Hold),
    /// The hold ends at this later instant.
    Extend(HoldId, Stamp),
    Book(Booking),
    /// The booking at this index has other doses.
    Move(usize, Doses),
    Cancel(usize),
}

type Found<T> = Result<T, String>;

impl CampaignState {
    /// What an entry about a person's seats does, after what is `ahead` of it.
    pub(super) fn effect(&self, entry: &Entry, ahead: &Ahead) -> Found<Effect> {
        let effect = self.wanted(entry, ahead)?;
        if let Some(Idempotency { key, .. }) = &effect.idempotency {
            self.repeats.may_remember(key, entry.stamp)?;
        }
        let [first, second] = &effect.ended;
        if first.is_some() && first.map(|(id, _)| id) == second.map(|(id, _)| id) {
            return Err("ends the same hold twice".to_owned());
        }
        if let Some((doses, pool, _)) = effect.taken {
            if doses.second == Some(doses.first) {
                return Err(format!("takes slot {} twice", doses.first));
            }
            for slot in doses.slots() {
                self.has_room(slot, pool, &effect, ahead)?;
            }
        }
        if let Some((doses, pool)) = effect.given_back {
            for slot in doses.slots() {
                let usage = self.usage.get(slot.at());
                if usage.is_none_or(|usage| usage.booked[pool as usize] == 0) {
                    return Err(format!("slot {slot} has no such seat"));
                }
            }
        }
        Ok(effect)
    }

    fn wanted(&self, entry: &Entry, ahead: &Ahead) -> Found<Effect> {
        match &entry.change {
            Change::HoldPlaced {
                person,
                doses,
                pool,
                until,
                released,
                ..
            } => {
                let earlier = self.ending(person, *released, ahead)?;
                let has = self.standing(person).hold;
                if has.is_some_and(|has| Some(has) != *released && !ahead.ends(has)) {
                    return Err(format!("{person} has a hold already"));
                }
                let hold = Hold {
                    person: *person,
                    doses: *doses,
                    pool: *pool,
                    until: *until,
                    extended: false,
                };
                Ok(Effect {
                    ended: [earlier, None],
                    taken: Some((*doses, *pool, Kind::Held)),
                    does: Does::Hold(hold),
                    ..Effect::default()
                })
            }
            Change::HoldEnded {
                person,
                hold,
                pool,
                reason,
                ..
            } => {
                let ending = self.ending(person, Some(*hold), ahead)?;
                let time = self.hold_time(entry.stamp);
                if let Some((_, known)) = &ending {
                    if *reason == HoldEnd::Expired && time < known.until {
                        return Err(format!("hold {hold} had not expired"));
                    }
                    same_pool(known.pool, *pool)?;
                }
                Ok(Effect {
                    ended: [ending, None],
                    ..Effect::default()
                })
            }
            Change::HoldExtended {
                person,
                hold,
                until,
                ..
            } => {
                self.may_extend(person, *hold, *until, ahead)?;
                Ok(Effect {
                    does: Does::Extend(*hold, *until),
                    ..Effect::default()
                })
            }
            Change::Booked {
                person,
                number,
                doses,
                pool,
                hold,
                released,
                idempotency,
                ..
            } => {
                if self.active_booking(person).is_some() {
                    return Err(format!("{person} has a booking already"));
                }
                let booking = Booking {
                    number: *number,
                    person: *person,
                    doses: *doses,
                    pool: *pool,
                    status: Status::Booked,
                    booked_at: entry.stamp,
                    seq: entry.seq,
                };
                Ok(Effect {
                    ended: [
                        self.ending(person, *released, ahead)?,
                        self.used(person, *hold, *doses, *pool, ahead)?,
                    ],
                    taken: Some((*doses, *pool, Kind::Booked)),
                    does: Does::Book(booking),
                    idempotency: *idempotency,
                    ..Effect::default()
                })
            }
            Change::Moved {
                person,
                number,
                from,
                to,
                pool,
                hold,
                released,
                idempotency,
                ..
            } => {
                let index = self.booking_of(person, *number, *from)?;
                same_pool(self.bookings[index].pool, *pool)?;
                Ok(Effect {
                    ended: [
                        self.ending(person, *released, ahead)?,
                        self.used(person, *hold, *to, *pool, ahead)?,
                    ],
                    taken: Some((*to, *pool, Kind::Booked)),
                    given_back: Some((*from, *pool)),
                    does: Does::Move(index, *to),
                    idempotency: *idempotency,
                })
            }
            Change::Cancelled {
                person,
                number,
                doses,
                pool,
                idempotency,
                ..
            } => {
                let index = self.booking_of(person, *number, *doses)?;
                same_pool(self.bookings[index].pool, *pool)?;
                Ok(Effect {
                    given_back: Some((*doses, *pool)),
                    does: Does::Cancel(index),
                    idempotency: *idempotency,
                    ..Effect::default()
                })
            }
            other => Err(format!("{other:?} is not about a person's seats")),
        }
    }

    /// The hold that ends, which must be the person's and run.
    fn ending(
        &self,
        person: &PersonKey,
        hold: Option<HoldId>,
        ahead: &Ahead,
    ) -> Found<Option<(HoldId, Hold)>> {
        let Some(id) = hold else { return Ok(None) };
        let known = self.holds.get(&id).filter(|_| !ahead.ends(id));
        let known = known.ok_or_else(|| format!("hold {id} does not run"))?;
        if known.person != *person {
            return Err(format!("hold {id} is another person's"));
        }
        Ok(Some((id, *known)))
    }

    /// Checks that a hold is the person's, runs, was never extended and ends later by this.
    fn may_extend(
        &self,
        person: &PersonKey,
        hold: HoldId,
        until: Stamp,
        ahead: &Ahead,
    ) -> Found<()> {
        let known = self.ending(person, Some(hold), ahead)?;
        let (_, known) = known.expect("a hold was named");
        if known.extended {
            return Err(format!("hold {hold} was extended before"));
        }
        if until <= known.until {
            return Err(format!("hold {hold} does not end later"));
        }
        Ok(())
    }

    /// The hold whose seats become booked ones; none if they are free ones.
    fn used(
        &self,
        person: &PersonKey,
        hold: Option<HoldId>,
        doses: Doses,
        pool: Pool,
        ahead: &Ahead,
    ) -> Found<Option<(HoldId, Hold)>> {
        let used = self.ending(person, hold, ahead)?;
        match &used {
            Some((id, known)) if known.doses != doses || known.pool != pool => {
                Err(format!("hold {id} is for other seats"))
            }
            _ => Ok(used),
        }
    }

    /// Checks that a slot has a free seat, counting the seats of the holds that end.
    fn has_room(&self, slot: SlotIndex, pool: Pool, effect: &Effect, ahead: &Ahead) -> Found<()> {
        let (Some(known), Some(usage)) = (self.catalog.slot(slot), self.usage.get(slot.at()))
        else {
            return Err(format!("slot {slot} does not exist"));
        };
        let capacity = known.capacity[pool as usize];
        let ended = effect.ended.iter().flatten();
        let ended = ended.filter(|(_, hold)| hold.pool == pool);
        let freed = ended.flat_map(|(_, hold)| hold.doses.slots());
        let freed = freed.filter(|freed| *freed == slot).count() as i64;
        let used = i64::from(usage.booked[pool as usize]) + i64::from(usage.held[pool as usize]);
        let used = used + ahead.more(self.catalog.index, slot, pool);
        if used - freed >= i64::from(capacity) {
            let what = format!("slot {slot} would hold more than its {capacity} seats");
            return Err(what);
        }
        Ok(())
    }

    /// Does what was found out to be possible.
    pub(super) fn perform(&mut self, effect: Effect, entry: &Entry) {
        for (id, hold) in effect.ended.into_iter().flatten() {
            self.holds.remove(&id);
            self.holds_by_end.remove(&(hold.until, id));
            self.standings.of(hold.person).hold = None;
            self.count_seats(hold.doses, hold.pool, Kind::Held, -1);
        }
        if let Some((doses, pool, kind)) = effect.taken {
            self.count_seats(doses, pool, kind, 1);
        }
        if let Some((doses, pool)) = effect.given_back {
            self.count_seats(doses, pool, Kind::Booked, -1);
        }
        if let Some(idempotency) = effect.idempotency {
            self.repeats.remember(idempotency, entry.seq, entry.stamp);
        }
        match effect.does {
            Does::Nothing => {}
            Does::Hold(hold) => {
                let id = HoldId(entry.seq.0);
                self.standings.of(hold.person).hold = Some(id);
                self.holds.insert(id, hold);
                self.holds_by_end.insert((hold.until, id));
            }
            Does::Extend(id, until) => {
                let hold = self.holds.get_mut(&id).expect("a hold that runs");
                self.holds_by_end.remove(&(hold.until, id));
                (hold.until, hold.extended) = (until, true);
                self.holds_by_end.insert((until, id));
            }
            Does::Book(booking) => {
                let index = self.bookings.len() as u32;
                self.standings.of(booking.person).latest = Some(index);
                self.bookings.push(booking);
            }
            Does::Move(index, doses) => {
                let booking = &mut self.bookings[index];
                (booking.doses, booking.seq) = (doses, entry.seq);
            }
            Does::Cancel(index) => {
                let booking = &mut self.bookings[index];
                (booking.status, booking.seq) = (Status::Cancelled, entry.seq);
            }
        }
    }
}
