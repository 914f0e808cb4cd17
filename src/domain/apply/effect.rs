//! What a change of a person's seats does, found out before anything is changed.
//!
//! `CampaignState::effect` says what contradicts the state; `perform` then can't fail. So a writer
//! that makes many entries at a time can ask about each of them, beside what those before it will
//! do (`Ahead`), while readers still see the state as it is.

use super::ahead::Ahead;
use super::same_pool;
use super::seats::Kind;
use crate::domain::booking::relocation::AgencyMove;
use crate::domain::entry::{Change, Doses, Entry, HoldEnd, Idempotency};
use crate::domain::ids::{BookingNumber, HoldId, PersonKey, Pool, RelocationIndex, SlotIndex};
use crate::domain::state::{Booking, CampaignState, Hold, Status};
use crate::domain::time::Stamp;

/// One or two slots.
#[derive(Clone, Copy, Default)]
pub(super) struct Slots([Option<SlotIndex>; 2]);

impl Slots {
    fn of(mut slots: impl Iterator<Item = SlotIndex>) -> Self {
        Self([slots.next(), slots.next()])
    }

    pub(super) fn each(self) -> impl Iterator<Item = SlotIndex> {
        self.0.into_iter().flatten()
    }
}

impl From<Doses> for Slots {
    fn from(doses: Doses) -> Self {
        Self([Some(doses.first), doses.second])
    }
}

/// What happens to seats and to what a person has.
#[derive(Default)]
pub(super) struct Effect {
    /// Holds that end, and with them the seats that they keep.
    pub(super) ended: [Option<(HoldId, Hold)>; 2],
    pub(super) taken: Option<(Slots, Pool, Kind)>,
    /// Booked seats that are free again.
    pub(super) given_back: Option<(Slots, Pool)>,
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
    /// The booking at this index has other doses; by the agency's act, if it was one.
    Move(usize, Doses, Option<RelocationIndex>),
    Cancel(usize),
}

/// A booking and the seats that it gets instead of its own.
struct Moved<'a> {
    person: &'a PersonKey,
    number: BookingNumber,
    from: Doses,
    to: Doses,
    pool: Pool,
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
        if let Some((slots, pool, _)) = effect.taken {
            if let Slots([Some(first), Some(second)]) = slots
                && first == second
            {
                return Err(format!("takes slot {first} twice"));
            }
            for slot in slots.each() {
                self.has_room(slot, pool, &effect, ahead)?;
            }
        }
        if let Some((slots, pool)) = effect.given_back {
            for slot in slots.each() {
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
                    offered_by: None,
                    stays: None,
                };
                Ok(Effect {
                    ended: [earlier, None],
                    taken: Some(((*doses).into(), *pool, Kind::Held)),
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
                    if *reason == HoldEnd::Closed && !self.has_closed(known) {
                        return Err(format!("hold {hold} has no slot that was closed"));
                    }
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
                    taken: Some(((*doses).into(), *pool, Kind::Booked)),
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
                let moved = Moved {
                    person,
                    number: *number,
                    from: *from,
                    to: *to,
                    pool: *pool,
                };
                let effect = self.moved(moved, [*released, *hold], None, ahead)?;
                Ok(Effect {
                    idempotency: *idempotency,
                    ..effect
                })
            }
            Change::Relocated {
                relocation,
                person,
                number,
                from,
                to,
                pool,
                hold,
                released,
                ..
            } => {
                self.knows(*relocation)?;
                let moved = Moved {
                    person,
                    number: *number,
                    from: *from,
                    to: *to,
                    pool: *pool,
                };
                self.moved(moved, [*released, *hold], Some(*relocation), ahead)
            }
            Change::MoveOffered {
                relocation,
                person,
                number,
                from,
                to,
                pool,
                until,
                released,
                ..
            } => {
                self.knows(*relocation)?;
                let index = self.booking_of(person, *number, *from)?;
                same_pool(self.bookings[index].pool, *pool)?;
                let earlier = self.ending(person, *released, ahead)?;
                let has = self.standing(person).offer;
                if has.is_some_and(|has| Some(has) != *released && !ahead.ends(has)) {
                    return Err(format!("{person} has an offer already"));
                }
                if from == to {
                    return Err(format!("offers {person} the seats that they have"));
                }
                let hold = Hold {
                    person: *person,
                    doses: *to,
                    pool: *pool,
                    until: *until,
                    extended: true,
                    offered_by: Some(*relocation),
                    stays: to.slots().find(|slot| from.has(*slot)),
                };
                Ok(Effect {
                    ended: [earlier, None],
                    taken: Some((Slots::of(hold.seats()), *pool, Kind::Held)),
                    does: Does::Hold(hold),
                    ..Effect::default()
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
                // What was offered instead of the booking ends with it.
                let offer = self.standing(person).offer;
                Ok(Effect {
                    ended: [self.ending(person, offer, ahead)?, None],
                    given_back: Some(((*doses).into(), *pool)),
                    does: Does::Cancel(index),
                    idempotency: *idempotency,
                    ..Effect::default()
                })
            }
            other => Err(format!("{other:?} is not about a person's seats")),
        }
    }

    /// A booking that gets other seats. A dose that stays where it is keeps its seat.
    fn moved(
        &self,
        moved: Moved<'_>,
        [released, hold]: [Option<HoldId>; 2],
        by: Option<RelocationIndex>,
        ahead: &Ahead,
    ) -> Found<Effect> {
        let Moved {
            person,
            number,
            from,
            to,
            pool,
        } = moved;
        let index = self.booking_of(person, number, from)?;
        same_pool(self.bookings[index].pool, pool)?;
        // What was offered instead of these seats would stand on seats that are given back.
        let offer = self.standing(person).offer;
        if offer.is_some_and(|id| ![released, hold].contains(&offer) && !ahead.ends(id)) {
            return Err(format!("leaves {person} an offer instead of other seats"));
        }
        Ok(Effect {
            ended: [
                self.ending(person, released, ahead)?,
                self.used(person, hold, to, pool, ahead)?,
            ],
            taken: Some((Slots::of(to.beyond(from)), pool, Kind::Booked)),
            given_back: Some((Slots::of(from.beyond(to)), pool)),
            does: Does::Move(index, to, by),
            ..Effect::default()
        })
    }

    fn has_closed(&self, hold: &Hold) -> bool {
        let mut slots = hold.doses.slots();
        slots.any(|slot| {
            let known = self.catalog.slot(slot);
            known.is_some_and(|slot| slot.closed_by.is_some())
        })
    }

    fn knows(&self, relocation: RelocationIndex) -> Found<()> {
        let known = self.relocation(relocation);
        known
            .map(|_| ())
            .ok_or_else(|| format!("relocation {relocation} was not begun"))
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
        if known.closed_by.is_some() {
            return Err(format!("slot {slot} is closed"));
        }
        let capacity = known.capacity[pool as usize];
        let ended = effect.ended.iter().flatten();
        let ended = ended.filter(|(_, hold)| hold.pool == pool);
        let freed = ended.flat_map(|(_, hold)| hold.seats());
        let freed = freed.filter(|freed| *freed == slot).count() as i64;
        let used = i64::from(usage.booked[pool as usize]) + i64::from(usage.held[pool as usize]);
        let used = used + ahead.more(self.catalog.index, slot, pool);
        if used - freed >= i64::from(capacity) {
            let what = format!("slot {slot} would hold more than its {capacity} seats");
            return Err(what);
        }
        Ok(())
    }

    /// Keeps what the agency did to a booking until its person changes it.
    fn note_move(
        &mut self,
        person: PersonKey,
        from: Doses,
        by: Option<RelocationIndex>,
        at: Stamp,
    ) {
        let Some(relocation) = by else {
            self.moved.remove(&person);
            return;
        };
        let moved = AgencyMove {
            relocation,
            from,
            at,
        };
        self.moved.insert(person, moved);
    }

    /// Does what was found out to be possible.
    pub(super) fn perform(&mut self, effect: Effect, entry: &Entry) {
        for (id, hold) in effect.ended.into_iter().flatten() {
            self.holds.remove(&id);
            self.holds_by_end.remove(&(hold.until, id));
            let standing = self.standings.of(hold.person);
            let of_kind = match hold.offered_by {
                Some(_) => &mut standing.offer,
                None => &mut standing.hold,
            };
            assert_eq!(of_kind.take(), Some(id), "a person has the hold that ends");
            self.count_seats(hold.seats(), hold.pool, Kind::Held, -1);
        }
        if let Some((slots, pool, kind)) = effect.taken {
            self.count_seats(slots.each(), pool, kind, 1);
        }
        if let Some((slots, pool)) = effect.given_back {
            self.count_seats(slots.each(), pool, Kind::Booked, -1);
        }
        if let Some(idempotency) = effect.idempotency {
            self.repeats.remember(idempotency, entry.seq, entry.stamp);
        }
        match effect.does {
            Does::Nothing => {}
            Does::Hold(hold) => {
                let id = HoldId(entry.seq.0);
                let standing = self.standings.of(hold.person);
                match hold.offered_by {
                    Some(_) => standing.offer = Some(id),
                    None => standing.hold = Some(id),
                }
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
            Does::Move(index, doses, by) => {
                let booking = &mut self.bookings[index];
                let (person, from) = (booking.person, booking.doses);
                (booking.doses, booking.seq) = (doses, entry.seq);
                self.note_move(person, from, by, entry.stamp);
            }
            Does::Cancel(index) => {
                let booking = &mut self.bookings[index];
                (booking.status, booking.seq) = (Status::Cancelled, entry.seq);
                let person = booking.person;
                self.moved.remove(&person);
            }
        }
    }
}
