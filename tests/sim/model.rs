//! What should happen, written a second time: plain lists and maps, every count made anew.
//!
//! It shares the shapes of requests and entries with the program, and none of its decisions. A step
//! of the writer is predicted whole: the entries it must append, the answers it must give, and the
//! world after it. Nothing here is fast.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sumun::domain::booking::decide::Request;
use sumun::domain::booking::refusal::Refusal;
use sumun::domain::booking::relocation::{Planned, Unanswered};
use sumun::domain::booking::site::{SiteRow, SlotRow};
use sumun::domain::entry::{Actor, Change, Doses, HoldEnd, RefusedFor};
use sumun::domain::ids::{CampaignIndex, HoldId, PersonKey, Pool, RelocationIndex, Seq, SlotIndex};
use sumun::domain::roster::{GroupSetIndex, RosterPerson};
use sumun::domain::state::{Booking, Status};
use sumun::domain::time::Stamp;
use sumun::engine::command::{Begin, Outcome};

use crate::world::{COHORTS, HOUR, INTERVAL, Rules, Somebody, midnight, roster};

/// A command, as the model sees it.
#[derive(Clone, Debug)]
pub enum Asked {
    Person {
        campaign: usize,
        request: Request,
        claimed: Option<(Doses, Pool)>,
    },
    Note {
        campaign: usize,
        person: PersonKey,
        rules: u32,
        reason: RefusedFor,
    },
    Operator(Act),
}

#[derive(Clone, Debug)]
pub enum Act {
    Activate {
        rules: Rules,
        text: String,
        now: Stamp,
    },
    /// An agency's file of this telephone number.
    Agency {
        campaign: usize,
        telephone: String,
    },
    Sites {
        campaign: usize,
        rows: Vec<SiteRow>,
    },
    Slots {
        campaign: usize,
        rows: Vec<SlotRow>,
    },
    Roster {
        people: Vec<Somebody>,
    },
    /// Slots that take nobody new from now on.
    Close {
        campaign: usize,
        slots: Vec<SlotIndex>,
        begin: Begin,
    },
    Reopen {
        campaign: usize,
        slots: Vec<SlotIndex>,
    },
    /// Other seats for some people, or offers of them.
    Relocate {
        campaign: usize,
        relocation: u16,
        people: Vec<Planned>,
        offered_until: Option<Stamp>,
    },
}

/// A command that waits, by the number under which its answer is expected.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub ticket: u64,
    pub asked: Asked,
}

/// The answer that must come.
#[derive(Clone, PartialEq, Debug)]
pub enum Said {
    Exactly(Outcome),
    ByRules(RefusedFor, Stamp),
    Impossible,
}

/// A hold that runs or has run out unnoticed.
#[derive(Clone, PartialEq, Debug)]
pub struct Holding {
    pub person: PersonKey,
    pub doses: Doses,
    pub pool: Pool,
    pub until: Stamp,
    pub extended: bool,
    /// The relocation that offers it.
    pub offered_by: Option<u16>,
    /// The slot of an offer in which its person has a seat already.
    pub stays: Option<usize>,
}

/// One campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Programme {
    pub rules: Rules,
    /// The lines of its openings, and how many lines there were ever.
    pub lines: Vec<u16>,
    pub had_lines: u16,
    pub texts: Vec<String>,
    /// The telephone number of each version of the agency's file.
    pub agencies: Vec<String>,
    pub sites: Vec<SiteRow>,
    pub slots: Vec<SlotRow>,
    pub holds: BTreeMap<u64, Holding>,
    pub bookings: Vec<Booking>,
    /// The last use of every key: what was asked, the entry that answered, and its stamp.
    pub answered: BTreeMap<[u8; 16], ([u8; 8], u64, Stamp)>,
    /// Since the rules in force came into force.
    pub noted: BTreeSet<(PersonKey, u32, u8)>,
    pub noted_in_all: [u64; 3],
    /// The stamps of everything that a person changed, ever.
    pub changed: BTreeMap<PersonKey, Vec<Stamp>>,
    /// Slots that take nobody new, and what closed each.
    pub closed: BTreeMap<usize, u16>,
    /// Until when people answer, and what becomes of those who do not.
    pub relocations: Vec<(Stamp, Unanswered)>,
    /// Whom the agency moved by what, from where and when.
    pub moved: BTreeMap<PersonKey, (u16, Doses, Stamp)>,
}

/// Everything that the journal should say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Model {
    pub seq: u64,
    pub stamp: Stamp,
    pub roster: u32,
    pub digest: [u8; 32],
    pub people: BTreeMap<PersonKey, Somebody>,
    /// Who left the roster with a booking or a hold, as the agency last knew them.
    pub left: BTreeMap<PersonKey, Somebody>,
    pub campaigns: Vec<Programme>,
}

/// What one step of the writer must do.
pub struct Prediction {
    pub after: Model,
    pub entries: Vec<(Actor, Change)>,
    pub said: Vec<(u64, Said)>,
    pub left: VecDeque<Waiting>,
}

impl Programme {
    pub fn version(&self) -> u32 {
        self.texts.len() as u32
    }

    /// Booked and held seats of a slot, counted one by one.
    pub fn in_use(&self, slot: usize, pool: Pool) -> (u16, u16) {
        let takes = |doses: &Doses, of: Pool| {
            let second = doses.second.is_some_and(|second| second.at() == slot);
            of == pool && (doses.first.at() == slot || second)
        };
        let mut counts = (0, 0);
        for booking in &self.bookings {
            let active = booking.status == Status::Booked;
            counts.0 += u16::from(active && takes(&booking.doses, booking.pool));
        }
        for hold in self.holds.values().filter(|hold| hold.stays != Some(slot)) {
            counts.1 += u16::from(takes(&hold.doses, hold.pool));
        }
        counts
    }

    pub fn capacity(&self, slot: usize, pool: Pool) -> u16 {
        self.slots[slot].capacity[pool as usize]
    }

    /// The slot of the second dose, searched among all.
    pub fn second_of(&self, slot: usize) -> Option<SlotIndex> {
        let first = &self.slots[slot];
        let fits = |row: &SlotRow| {
            (row.site, row.vaccine, row.start_min) == (first.site, first.vaccine, first.start_min)
                && row.date.0 == first.date.0 + INTERVAL
        };
        let at = self
            .slots
            .iter()
            .position(|row| first.vaccine.0 == 0 && fits(row));
        at.map(|at| SlotIndex(at as u32))
    }

    /// The doses that somebody who points at this slot gets.
    pub fn doses(&self, slot: usize) -> Doses {
        Doses {
            first: SlotIndex(slot as u32),
            second: self.second_of(slot),
        }
    }

    pub fn active(&self, person: &PersonKey) -> Option<usize> {
        let theirs = |booking: &Booking| {
            booking.person == *person && matches!(booking.status, Status::Booked)
        };
        self.bookings.iter().position(theirs)
    }

    /// When a person who has changed sixty things within an hour may change another. The hours are
    /// found by going through all that the person ever changed.
    pub fn spent_until(&self, person: &PersonKey, now: Stamp) -> Option<Stamp> {
        let (mut began, mut count) = (None::<Stamp>, 0);
        for stamp in self.changed.get(person)? {
            if began.is_none_or(|began| stamp.0 - began.0 >= HOUR) {
                (began, count) = (Some(*stamp), 0);
            }
            count += 1;
        }
        let end = Stamp(began?.0 + HOUR);
        (count >= 60 && now < end).then_some(end)
    }

    /// The person's hold, run out or not.
    /// What the person keeps while they decide.
    pub fn hold_of(&self, person: &PersonKey) -> Option<u64> {
        self.kept_for(person, false)
    }

    /// What the agency keeps for the person instead of their booking.
    pub fn offer_of(&self, person: &PersonKey) -> Option<u64> {
        self.kept_for(person, true)
    }

    fn kept_for(&self, person: &PersonKey, is_offer: bool) -> Option<u64> {
        let is_it =
            |hold: &Holding| hold.person == *person && hold.offered_by.is_some() == is_offer;
        let mut holds = self.holds.iter();
        holds.find(|(_, hold)| is_it(hold)).map(|(id, _)| *id)
    }

    pub fn deadline(&self, booking: &Booking) -> Stamp {
        let first = &self.slots[booking.doses.first.at()];
        midnight(first.date.0 - self.rules.change_days)
    }

    /// Whether the agency closed a slot of this booking that has not begun, or moved it.
    fn is_by_agency(&self, booking: &Booking, now: Stamp) -> bool {
        let mut slots = booking.doses.slots().map(|slot| slot.at());
        let is_closed = |at: usize| self.closed.contains_key(&at) && now < self.slots[at].start;
        slots.any(is_closed) || self.moved.contains_key(&booking.person)
    }

    fn in_time(&self, booking: usize, now: Stamp) -> Result<(), Said> {
        let booking = &self.bookings[booking];
        let mut deadline = self.deadline(booking);
        if self.is_by_agency(booking, now) {
            deadline = deadline.max(self.slots[booking.doses.first.at()].start);
        }
        if now < deadline {
            return Ok(());
        }
        Err(no(Refusal::ChangeDeadlinePassed(deadline)))
    }

    fn offered(&self, doses: Doses, now: Stamp) -> Result<(), Said> {
        let Some(row) = self.slots.get(doses.first.at()) else {
            return Err(no(Refusal::NotFound));
        };
        if row.start <= now {
            return Err(no(Refusal::SlotPast));
        }
        let second = self.second_of(doses.first.at());
        let complete = row.vaccine.0 == 1 || second.is_some();
        let is_closed = |slot: SlotIndex| self.closed.contains_key(&slot.at());
        let closed = is_closed(doses.first) || second.is_some_and(is_closed);
        if complete && doses.second == second && !closed {
            return Ok(());
        }
        Err(no(Refusal::SlotFull(doses.first)))
    }

    /// What the rules say, from the texts of dates and the list of openings.
    pub fn may_book(&self, somebody: &Somebody, now: Stamp) -> Option<RefusedFor> {
        let mut known = false;
        let (mut over, mut open) = (false, false);
        for (cohort, openings) in COHORTS.iter().zip(&self.rules.openings) {
            let (_, first, last, carers) = *cohort;
            let born = somebody.born.as_str();
            if born < first || last < born || (carers && !somebody.carer) {
                continue;
            }
            known = true;
            open |= openings
                .iter()
                .any(|(from, until)| *from <= now && now < *until);
            over |= openings.iter().any(|(_, until)| *until <= now);
        }
        match (known, open, over) {
            (_, true, _) => None,
            (_, _, true) => Some(RefusedFor::OpeningClosed),
            (true, _, _) => Some(RefusedFor::NotOpenYet),
            (false, _, _) => Some(RefusedFor::NotEligible),
        }
    }
}

fn no(refusal: Refusal) -> Said {
    Said::Exactly(Outcome::Refused(refusal))
}

/// A step in the making.
struct Pass {
    world: Model,
    now: Stamp,
    entries: Vec<(Actor, Change)>,
}

impl Pass {
    fn new(before: &Model, clock: Stamp) -> Self {
        let now = clock.max(before.stamp);
        Self {
            world: before.clone(),
            now,
            entries: Vec::new(),
        }
    }

    fn write(&mut self, actor: Actor, change: Change) -> u64 {
        self.entries.push((actor, change));
        (self.world.seq, self.world.stamp) = (self.world.seq + 1, self.now);
        self.world.seq
    }

    fn note(&mut self, campaign: usize, person: PersonKey, rules: u32, reason: RefusedFor) {
        let here = &mut self.world.campaigns[campaign];
        if here.noted.insert((person, rules, reason as u8)) {
            here.noted_in_all[reason as usize] += 1;
            let campaign = CampaignIndex(campaign as u16);
            let change = Change::Refused {
                campaign,
                person,
                rules,
                reason,
            };
            self.write(Actor::System, change);
        }
    }

    /// Ends every hold whose time has come: by campaign, then by end, then by age. An offer may end
    /// with the booking moved to it; whose that is asks in the next step.
    fn end_holds(&mut self, seen: &mut BTreeSet<PersonKey>) {
        for at in 0..self.world.campaigns.len() {
            let here = &self.world.campaigns[at];
            let ended = here.holds.iter().filter(|(_, hold)| hold.until <= self.now);
            let mut ended: Vec<_> = ended.map(|(id, hold)| (hold.until, *id)).collect();
            ended.sort();
            for (_, id) in ended {
                let here = &mut self.world.campaigns[at];
                let held = here.holds[&id].clone();
                let (person, pool) = (held.person, held.pool);
                if held.offered_by.is_some() && !seen.insert(person) {
                    continue;
                }
                let campaign = CampaignIndex(at as u16);
                let by = held.offered_by.filter(|by| {
                    let (_, unanswered) = here.relocations[usize::from(*by)];
                    unanswered == Unanswered::Moved
                });
                let booking = by.and(here.active(&person));
                if let (Some(by), Some(booking)) = (by, booking) {
                    here.holds.remove(&id);
                    let from = here.bookings[booking].doses;
                    here.bookings[booking].doses = held.doses;
                    here.bookings[booking].seq = Seq(self.world.seq + 1);
                    here.moved.insert(person, (by, from, self.now));
                    let change = Change::Relocated {
                        campaign,
                        relocation: RelocationIndex(by),
                        person,
                        number: here.bookings[booking].number,
                        from,
                        to: held.doses,
                        pool,
                        hold: Some(HoldId(id)),
                        released: None,
                    };
                    self.write(Actor::System, change);
                    continue;
                }
                here.holds.remove(&id);
                let (hold, reason) = (HoldId(id), HoldEnd::Expired);
                let change = Change::HoldEnded {
                    campaign,
                    person,
                    hold,
                    pool,
                    reason,
                };
                self.write(Actor::System, change);
            }
        }
    }
}

impl Model {
    /// Whether somebody has a booking or a hold, run out or not, in any campaign.
    pub fn has_something(&self, person: &PersonKey) -> bool {
        let has =
            |known: &Programme| known.active(person).is_some() || known.hold_of(person).is_some();
        self.campaigns.iter().any(has)
    }

    /// What a roster keeps of the people who left it: no groups and no region.
    pub fn rows_of_left(&self) -> Vec<RosterPerson> {
        if self.left.is_empty() {
            return Vec::new();
        }
        let left: Vec<_> = self.left.values().cloned().collect();
        let rows = roster(&left).roster.people.into_iter();
        let without = |row| RosterPerson {
            groups: GroupSetIndex(0),
            region: 0,
            ..row
        };
        rows.map(without).collect()
    }

    /// What the writer's next step does with these commands at this time of its clock.
    pub fn predict(
        &self,
        waiting: &VecDeque<Waiting>,
        clock: Stamp,
        wall_stepped: Option<i64>,
    ) -> Prediction {
        let mut pass = Pass::new(self, clock);
        let mut said = Vec::new();
        let mut rest = waiting.clone();
        if let Some(Waiting {
            ticket,
            asked: Asked::Operator(act),
        }) = rest.front().cloned()
        {
            rest.pop_front();
            said.push((ticket, pass.act(act, &rest)));
            return pass.done(said, rest);
        }
        if let Some(step_ns) = wall_stepped {
            pass.write(Actor::System, Change::ClockStepped { step_ns });
        }
        let mut seen = BTreeSet::new();
        pass.end_holds(&mut seen);
        let mut left = VecDeque::new();
        while let Some(next) = rest.pop_front() {
            match &next.asked {
                Asked::Operator(_) => {
                    rest.push_front(next);
                    break;
                }
                Asked::Note {
                    campaign,
                    person,
                    rules,
                    reason,
                } => pass.note(*campaign, *person, *rules, *reason),
                Asked::Person { request, .. } if !seen.insert(request.person) => {
                    left.push_back(next);
                }
                Asked::Person {
                    campaign,
                    request,
                    claimed,
                } => {
                    let answer = pass.ask(*campaign, request, claimed.is_some());
                    said.push((next.ticket, answer.unwrap_or_else(|refusal| refusal)));
                }
            }
        }
        left.append(&mut rest);
        pass.done(said, left)
    }

    /// What a change by the program itself does.
    pub fn recorded(&self, change: Change, clock: Stamp) -> Prediction {
        let mut pass = Pass::new(self, clock);
        pass.write(Actor::System, change);
        pass.done(Vec::new(), VecDeque::new())
    }
}

impl Pass {
    fn done(self, said: Vec<(u64, Said)>, left: VecDeque<Waiting>) -> Prediction {
        let (after, entries) = (self.world, self.entries);
        Prediction {
            after,
            entries,
            said,
            left,
        }
    }
}

pub mod act;
mod ask;
mod relocate;
