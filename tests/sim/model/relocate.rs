//! What must come of closing slots and of giving people other seats.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sumun::domain::booking::relocation::Planned;
use sumun::domain::entry::{Actor, Change, HoldEnd, Piece};
use sumun::domain::ids::{CampaignIndex, HoldId, Pool, RelocationIndex, Seq, SlotIndex};
use sumun::domain::time::Stamp;
use sumun::engine::command::{Begin, Operated};

use super::act::{did, in_flight};
use super::{Holding, Pass, Said, Waiting};

impl Pass {
    pub(super) fn close(&mut self, at: usize, slots: Vec<SlotIndex>, begin: &Begin) -> Said {
        let here = &mut self.world.campaigns[at];
        if slots.is_empty() {
            return Said::Impossible;
        }
        let (campaign, by) = (CampaignIndex(at as u16), here.relocations.len() as u16);
        let relocation = RelocationIndex(by);
        here.relocations.push((begin.until, begin.unanswered));
        here.closed.extend(slots.iter().map(|slot| (slot.at(), by)));
        let closed = here.closed.clone();
        let (count, piece) = (slots.len(), Piece::Closing(slots));
        self.operate(Change::PieceAdded {
            campaign,
            part: 0,
            piece,
        });
        self.operate(Change::RelocationBegun {
            campaign,
            relocation,
            cause: begin.cause,
            reason: begin.reason.clone(),
            until: begin.until,
            unanswered: begin.unanswered,
        });
        self.operate(Change::SlotsClosed {
            campaign,
            parts: 1,
            rows: count as u32,
            relocation,
        });
        let holds = self.world.campaigns[at].holds.clone();
        for (id, hold) in holds {
            if !hold
                .doses
                .slots()
                .any(|slot| closed.contains_key(&slot.at()))
            {
                continue;
            }
            self.world.campaigns[at].holds.remove(&id);
            let change = Change::HoldEnded {
                campaign,
                person: hold.person,
                hold: HoldId(id),
                pool: hold.pool,
                reason: HoldEnd::Closed,
            };
            self.write(Actor::System, change);
        }
        did(Operated::SlotsClosed {
            slots: count,
            relocation: Some(relocation),
        })
    }

    pub(super) fn reopen(&mut self, at: usize, slots: Vec<SlotIndex>) -> Said {
        if slots.is_empty() {
            return Said::Impossible;
        }
        let here = &mut self.world.campaigns[at];
        slots.iter().for_each(|slot| {
            here.closed.remove(&slot.at());
        });
        let campaign = CampaignIndex(at as u16);
        let count = slots.len();
        let last = Change::SlotsReopened {
            campaign,
            parts: 1,
            rows: count as u32,
        };
        self.list(at, [Piece::Closing(slots)], last);
        did(Operated::SlotsClosed {
            slots: count,
            relocation: None,
        })
    }

    /// Seats that become free by one of these are not free for the others.
    pub(super) fn relocate(
        &mut self,
        (at, by): (usize, u16),
        people: &[Planned],
        offered_until: Option<Stamp>,
        others: &VecDeque<Waiting>,
    ) -> Said {
        let before = self.world.campaigns[at].clone();
        let mut taken: BTreeMap<(usize, Pool), u16> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let (mut done, mut missed) = (0, 0);
        for planned in people {
            let is_new = seen.insert(planned.person);
            let booking = before.active(&planned.person).filter(|booking| {
                let known = &before.bookings[*booking];
                (known.number, known.doses, known.pool)
                    == (planned.number, planned.from, planned.pool)
            });
            let other: Vec<usize> = planned
                .to
                .slots()
                .filter(|slot| !planned.from.slots().any(|known| known == *slot))
                .map(|slot| slot.at())
                .collect();
            let has_room = |slot: &usize| {
                let (booked, held) = before.in_use(*slot, planned.pool);
                let claimed = in_flight(others, at, *slot, planned.pool);
                let taken = taken.get(&(*slot, planned.pool)).copied().unwrap_or(0);
                let used = booked + held + claimed + taken;
                used < before.capacity(*slot, planned.pool) && !before.closed.contains_key(slot)
            };
            let Some(booking) = booking.filter(|_| is_new && other.iter().all(has_room)) else {
                missed += 1;
                continue;
            };
            for slot in &other {
                *taken.entry((*slot, planned.pool)).or_default() += 1;
            }
            done += 1;
            self.give(at, by, booking, planned, offered_until);
        }
        did(Operated::Relocated { done, missed })
    }

    fn give(
        &mut self,
        at: usize,
        by: u16,
        booking: usize,
        planned: &Planned,
        offered_until: Option<Stamp>,
    ) {
        let Planned {
            person,
            number,
            from,
            to,
            pool,
        } = *planned;
        let (campaign, relocation) = (CampaignIndex(at as u16), RelocationIndex(by));
        let (now, seq) = (self.now, self.world.seq + 1);
        let here = &mut self.world.campaigns[at];
        let released = here.offer_of(&person);
        released.map(|id| here.holds.remove(&id));
        let released = released.map(HoldId);
        let Some(until) = offered_until else {
            here.bookings[booking].doses = to;
            here.bookings[booking].seq = Seq(seq);
            here.moved.insert(person, (by, from, now));
            return self.operate(Change::Relocated {
                campaign,
                relocation,
                person,
                number,
                from,
                to,
                pool,
                hold: None,
                released,
            });
        };
        let mut both = to
            .slots()
            .filter(|slot| from.slots().any(|known| known == *slot));
        let hold = Holding {
            person,
            doses: to,
            pool,
            until,
            extended: true,
            offered_by: Some(by),
            stays: both.next().map(|slot| slot.at()),
        };
        here.holds.insert(seq, hold);
        self.operate(Change::MoveOffered {
            campaign,
            relocation,
            person,
            number,
            from,
            to,
            pool,
            until,
            released,
        });
    }
}
