//! One evening, fixed: every kind of entry at least once, in some forty of them.

use sumun::domain::booking::decide::{Ask, Request, Seat};
use sumun::domain::booking::relocation::{Cause, Planned, Prefer, Unanswered};
use sumun::domain::entry::{Change, Idempotency};
use sumun::domain::ids::{CampaignIndex, HoldId, LineIndex, Pool, SlotIndex};
use sumun::domain::line::Notice;
use sumun::domain::line::told::{Told, WaitBecause};
use sumun::domain::state::Status;
use sumun::engine::command::Begin;

use crate::model::{Act, Asked};
use crate::random::Random;
use crate::run::Run;
use crate::world::{EVENING, HOUR, MINUTE, Rules, SECOND, SITES, Somebody};
use crate::world::{people, site, slot, today};

/// A founded journal and the people of the story.
pub struct Story {
    pub run: Run,
    pub people: Vec<Somebody>,
    keys: u8,
}

impl Story {
    pub fn new() -> Self {
        let run = Run::new(Random::new(2021));
        Self {
            run,
            people: people(),
            keys: 0,
        }
    }

    fn act(&mut self, act: Act) {
        self.run.submit(Asked::Operator(act), false);
        self.run.step();
    }

    /// Campaign, sites, slots and roster; everybody but the last may book now.
    pub fn set_up(&mut self) {
        let now = EVENING.0;
        let open = |until: i64| vec![(now - 18 * MINUTE, now + until)];
        let open = |until| {
            open(until)
                .into_iter()
                .map(|(a, b)| (minute(a), minute(b)))
                .collect()
        };
        let rules = Rules {
            id: "first".to_owned(),
            hold_s: 300,
            hold_extend_s: 120,
            change_days: 1,
            openings: [open(HOUR), open(10 * MINUTE), open(HOUR)],
        };
        let (text, now) = (rules.text(), self.run.now());
        self.act(Act::Activate { rules, text, now });
        let rows = (0..SITES).map(|number| site(number, "021230000")).collect();
        if self.run.model.campaigns.is_empty() {
            return;
        }
        self.act(Act::Sites { campaign: 0, rows });
        let day = today(EVENING) + 3;
        let rows = vec![
            slot(0, 0, day, 600, [2, 1, 0, 0, 0]),
            slot(0, 0, day + 2, 600, [3, 1, 2, 0, 0]),
            slot(0, 1, day, 630, [1, 0, 0, 0, 0]),
            slot(1, 1, day, 600, [4, 2, 1, 0, 0]),
        ];
        self.act(Act::Slots { campaign: 0, rows });
        let people = self.people.clone();
        self.act(Act::Roster { people });
    }

    /// One request of a person; slots that a lost import never brought are asked for by nobody.
    pub fn ask(&mut self, person: usize, ask: Ask) {
        let person = self.people[person].key;
        let claimed = ask.free_seats();
        self.keys += 1;
        let keyed = matches!(
            ask,
            Ask::Book { .. } | Ask::Move { .. } | Ask::Cancel { .. }
        );
        let mark = Idempotency {
            key: [self.keys; 16],
            request: [1; 8],
        };
        let request = Request {
            person,
            ask,
            idempotency: keyed.then_some(mark),
        };
        let asked = Asked::Person {
            campaign: 0,
            request,
            claimed,
        };
        self.run.submit(asked, false);
        self.run.step();
    }

    /// A request with the key of the one before.
    pub fn ask_again(&mut self, person: usize, ask: Ask) {
        self.keys -= 1;
        self.ask(person, ask);
    }

    pub fn hold(&mut self, person: usize, at: usize) {
        if let Some(doses) = self.doses(at) {
            self.ask(
                person,
                Ask::Hold {
                    doses,
                    pool: Pool::Public,
                },
            );
        }
    }

    pub fn book(&mut self, person: usize, at: usize) {
        if let Some(doses) = self.doses(at) {
            self.ask(
                person,
                Ask::Book {
                    seat: Seat::Claimed(doses, Pool::Public),
                    agreed: Some(1),
                },
            );
        }
    }

    pub fn confirm(&mut self, person: usize) {
        if let Some(hold) = self.held(person) {
            self.ask(
                person,
                Ask::Book {
                    seat: Seat::Held(HoldId(hold)),
                    agreed: None,
                },
            );
        }
    }

    pub fn release(&mut self, person: usize) {
        if let Some(hold) = self.held(person) {
            self.ask(person, Ask::Release { hold: HoldId(hold) });
        }
    }

    pub fn extend(&mut self, person: usize) {
        if let Some(hold) = self.held(person) {
            self.ask(person, Ask::Extend { hold: HoldId(hold) });
        }
    }

    pub fn shift(&mut self, person: usize, at: usize) {
        if let (Some(doses), Some(number)) = (self.doses(at), self.number(person)) {
            let seat = Seat::Claimed(doses, Pool::Public);
            self.ask(person, Ask::Move { number, seat });
        }
    }

    pub fn cancel(&mut self, person: usize) {
        if let Some(number) = self.number(person) {
            self.ask(person, Ask::Cancel { number });
        }
    }

    fn doses(&self, at: usize) -> Option<sumun::domain::entry::Doses> {
        let known = self.run.model.campaigns.first()?;
        (at < known.slots.len()).then(|| known.doses(at))
    }

    pub fn held(&self, person: usize) -> Option<u64> {
        self.run
            .model
            .campaigns
            .first()?
            .hold_of(&self.people[person].key)
    }

    pub fn number(&self, person: usize) -> Option<sumun::domain::ids::BookingNumber> {
        let known = self.run.model.campaigns.first()?;
        known
            .active(&self.people[person].key)
            .map(|at| known.bookings[at].number)
    }

    /// A short evening: holds, bookings, a move, a cancellation.
    pub fn short(&mut self) {
        self.set_up();
        self.hold(0, 0);
        self.hold(5, 3);
        self.confirm(0);
        self.book(1, 2);
        self.run.settle_tail();
        self.shift(1, 3);
        self.run.checkpoint();
        self.run.advance(301 * SECOND);
        self.book(11, 3);
        self.cancel(0);
        self.book(0, 0);
    }

    /// A slot is closed; one of its people is offered another, one is moved; it is open again.
    fn close(&mut self) {
        let (campaign, closed) = (0, SlotIndex(3));
        self.hold(2, 3);
        let begin = Begin {
            cause: Cause::Closure {
                prefer: Prefer::SameSite,
            },
            reason: Notice::from("점검".to_owned()),
            until: self.run.now().plus_s(3_600),
            unanswered: Unanswered::Telephoned,
        };
        let slots = vec![closed];
        self.act(Act::Close {
            campaign,
            slots,
            begin,
        });
        let known = &self.run.model.campaigns[campaign];
        let mut there = known.bookings.iter();
        let booking = there.find(|one| one.doses.has(closed) && one.status == Status::Booked);
        let Some(booking) = booking.copied() else {
            return;
        };
        let to = |at: usize| Planned {
            person: booking.person,
            number: booking.number,
            from: booking.doses,
            to: known.doses(at),
            pool: booking.pool,
        };
        let both = [(to(2), Some(self.run.now().plus_s(3_600))), (to(1), None)];
        for (planned, offered_until) in both {
            self.act(Act::Relocate {
                campaign,
                relocation: 0,
                people: vec![planned],
                offered_until,
            });
        }
        let slots = vec![closed];
        self.act(Act::Reopen { campaign, slots });
    }

    /// Every kind of entry, some forty.
    pub fn long(&mut self) {
        self.run.record(Change::Started {
            program: "sumun 0.1.0".to_owned(),
        });
        self.short();
        self.hold(2, 3);
        self.extend(2);
        self.release(2);
        self.run.clock.step_wall(-HOUR);
        self.hold(3, 0);
        self.confirm(3);
        self.book(4, 3);
        self.shift(4, 3);
        for person in 6..9 {
            self.hold(person, 3);
            self.confirm(person);
            self.cancel(person);
        }
        let rows = vec![site(1, "020000000")];
        self.act(Act::Sites { campaign: 0, rows });
        let rows = vec![slot(1, 1, today(EVENING) + 3, 600, [5, 3, 1, 0, 0])];
        self.act(Act::Slots { campaign: 0, rows });
        self.run.fate = Some(crate::run::Fate {
            way: crate::disk::Crash::Killed,
            recovery: crate::disk::Plan::Healthy,
        });
        self.run.crash();
        self.run.record(Change::Started {
            program: "sumun 0.1.0".to_owned(),
        });
        self.act(Act::Agency {
            campaign: 0,
            telephone: "02-1".to_owned(),
        });
        self.cancel(4);
        self.book(4, 3);
        self.book(11, 3);
        self.run.record(told());
        self.book(10, 3);
        self.close();
        self.run.record(Change::Stopped {});
    }
}

fn minute(at: i64) -> sumun::domain::time::Stamp {
    sumun::domain::time::Stamp(at.div_euclid(MINUTE) * MINUTE)
}

/// What the people of the first line are told.
fn told() -> Change {
    let told = Told {
        newest: 3,
        serving: 1,
        waiting: 2,
        late: 0,
        active: 1,
        wait_s: [5, 40],
        because: Some(WaitBecause::Lowered),
        called_per_1000_s: 500,
        admit_per_s: 1,
        active_max: 10,
        brake_permille: 1_000,
        share_permille: 1_000,
    };
    Change::LineTold {
        campaign: CampaignIndex(0),
        line: LineIndex(0),
        told,
    }
}
