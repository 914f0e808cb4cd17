//! What a person does after they see their place in the line.

use std::cmp::Reverse;

use super::{Part, Scene, Who};
use crate::rush::answer::{Place, PlaceState};
use crate::rush::crowd::{BOOKED, BOT, PAGES, QUITS_WAITING, Step, TAB, UNSURE, WAITED};
use crate::rush::random::Random;
use crate::rush::record::Fault;

impl Scene {
    /// Checks that the person's number is the one that they were shown before, and that no other
    /// person has it.
    pub(super) fn check_place(&mut self, who: Who, place: &Place) {
        // A draw gives the lobby's people other numbers at the opening.
        if self.setting.drawn && place.state == PlaceState::Lobby {
            return;
        }
        // Past every line.
        if place.number == 0 {
            return;
        }
        let number = self.person(who.person).number;
        if number == 0 {
            self.person(who.person).number = place.number;
            self.has_number(who.person, place.number);
            if let Some(other) = self.numbers.insert(place.number, who.person) {
                let words = format!("{} is also the number of person {other}", place.number);
                self.fault(who, Fault::NumberTwice, &words);
            }
        } else if number != place.number && !self.may_have_forgotten(who) {
            let words = format!("was {number}, is {}", place.number);
            self.fault(who, Fault::AnotherPlace, &words);
        }
    }

    /// Whether the server may not know the person's number. A server that was killed forgets the
    /// numbers of its last moment until their tokens are shown, and a second tab shows no token.
    fn may_have_forgotten(&mut self, who: Who) -> bool {
        let given_ms = u64::from(self.person(who.person).waits_from_ms);
        who.is_beside() && self.killed_at.is_some_and(|at| at / 1_000_000 >= given_ms)
    }

    /// The person has entered and has a place.
    pub(super) fn took_place(&mut self, me: u32, place: &Place) {
        self.entered(me, place.wait_s);
        self.looked(me, place);
    }

    /// Counts that the person has entered, the first time; `wait_s` is the wait that they are
    /// shown.
    pub(super) fn entered(&mut self, me: u32, wait_s: [u64; 2]) {
        if self.person(me).waits_from_ms == 0 && !self.checking {
            let from_ms = self.now.max(self.setting.opening_ns) / 1_000_000;
            self.record.totals.entered += 1;
            self.record.now.entered += 1;
            let person = self.person(me);
            person.waits_from_ms = (from_ms as u32).max(1);
            person.looked_ms = person.waits_from_ms;
            person.told_s = wait_s.map(|s| s.min(u64::from(u32::MAX)) as u32);
            if person.is(TAB) && !person.is(BOT) {
                let wait_s = 1.0 + self.chance(me).share() * 30.0;
                let due = self.due(wait_s);
                let part = Part::Tab;
                let tab = Who { person: me, part };
                self.timers.push(Reverse((due, tab)));
            }
        }
    }

    /// The person has polled their place: they go in, give up, or poll again when told to.
    pub(super) fn looked(&mut self, me: u32, place: &Place) {
        if self.checking && place.state != PlaceState::Admitted {
            self.end(me, Step::Served);
            return;
        }
        // The pages show the room to whoever is late, and ask again when told to.
        if place.state == PlaceState::Admitted && (self.checking || !place.late) {
            self.turn_came(me);
            if self.checking && !self.wants_look(me) {
                self.end(me, Step::Served);
                return;
            }
            let reacts_s = if self.person(me).is(PAGES) {
                self.goes_in_after_s(me, place.next_poll_s)
            } else {
                self.chance(me).share() * self.setting.habits.think_s.min(2.0)
            };
            self.person(me).step = Step::Admit;
            self.after(me, if self.checking { 0.0 } else { reacts_s });
            return;
        }
        let now_ms = (self.now / 1_000_000) as u32;
        let in_line = place.state != PlaceState::Window;
        if !in_line {
            self.has_none_yet(me);
        }
        let quits = in_line && self.person(me).is(QUITS_WAITING) && {
            let mut random = Random::of(self.setting.seed, me, 2);
            let waited_s = f64::from(now_ms.saturating_sub(self.person(me).waits_from_ms)) / 1e3;
            waited_s * self.setting.speed > 15.0 + random.exponential(120.0)
        };
        let person = self.person(me);
        if !person.is(WAITED) {
            person.set(WAITED, true);
            self.waiting += 1;
        }
        let person = self.person(me);
        person.looked_ms = now_ms.max(person.waits_from_ms);
        person.step = Step::Wait;
        if quits {
            self.end(me, Step::GaveUp);
        } else if self.person(me).is(BOT) {
            self.repeat_as_bot(me);
        } else {
            self.after(me, f64::from(place.next_poll_s));
        }
    }

    /// The person's turn has come. Counts whether it came within the range of waits that they were
    /// shown first. The turn came at some time between the previous poll and now, so the range
    /// counts as kept if it meets that interval.
    pub(super) fn turn_came(&mut self, me: u32) {
        if !self.person(me).is(WAITED) {
            return;
        }
        self.waiting -= 1;
        let (now_ms, speed) = (self.now / 1_000_000, self.setting.speed);
        let person = self.person(me);
        person.set(WAITED, false);
        let waited_s =
            |at_ms: u64| at_ms.saturating_sub(u64::from(person.waits_from_ms)) as f64 / 1e3 * speed;
        let (before, by) = (waited_s(u64::from(person.looked_ms)), waited_s(now_ms));
        let [least, most] = person.told_s.map(f64::from);
        // The lobby's page shows no wait, so there is nothing to compare.
        if person.is(PAGES) && person.told_s == [0; 2] {
            return;
        }
        let within = before <= most && least <= by;
        self.record.totals.waits += 1;
        self.record.totals.waits_within += u64::from(within);
    }

    /// Whether the person has a booking to look up, or may have one.
    fn wants_look(&mut self, me: u32) -> bool {
        let person = self.person(me);
        person.is(BOOKED) || person.is(UNSURE)
    }
}
