//! What happens in a run: people who ask, operators who act, a disk that fails, clocks that step.
//!
//! Chooses and never judges: `Run` and its model do.

use sumun::domain::booking::decide::{Ask, Request, Seat};
use sumun::domain::entry::{Idempotency, RefusedFor};
use sumun::domain::ids::{BookingNumber, HoldId, PersonKey, Pool};
use sumun::domain::time::Stamp;

use crate::disk::Plan;
use crate::model::{Act, Asked};
use crate::random::Random;
use crate::run::{Run, Tally};
use crate::world::{DAY, HOUR, MINUTE, Rules, SECOND, SITES, Somebody};
use crate::world::{change, people, site, slots};

mod closing;

/// What the people and the operators of a run remember.
struct Life {
    everybody: Vec<Somebody>,
    sent: Vec<(usize, Request)>,
    keys: u64,
}

/// Lives a seed for some hundred rounds.
pub fn live(seed: u64, rounds: u64) -> Tally {
    let mut run = Run::new(Random::new(seed));
    let mut life = Life {
        everybody: people(),
        sent: Vec::new(),
        keys: 0,
    };
    life.begin(&mut run);
    for round in 0..rounds {
        life.spoil(&mut run);
        life.pass_time(&mut run);
        if run.random.below(400) == 0 {
            life.storm(&mut run);
        }
        if run.random.percent(1) {
            life.outlive_a_key(&mut run);
        }
        let commands = 1 + run.random.below(6);
        for _ in 0..commands {
            life.ask(&mut run);
        }
        if run.random.percent(5) {
            life.operate(&mut run);
        }
        life.keep_alive(&mut run);
        run.step();
        // Now and then some are left waiting, and others come behind them.
        while !run.waiting.is_empty() && run.random.percent(85) {
            run.step();
        }
        if run.random.percent(10) {
            run.settle_tail();
        }
        if run.random.percent(4) {
            run.checkpoint();
        }
        if run.random.percent(3) {
            run.crash();
        } else if run.random.percent(1) {
            run.stop();
        }
        if round % 16 == 0 {
            run.check_replay();
        }
    }
    run.finish()
}

impl Life {
    /// The campaign, its sites and slots, and the roster: a world worth living in.
    fn begin(&mut self, run: &mut Run) {
        let rules = Rules::about("first", run.now(), &mut run.random);
        let (text, now) = (rules.text(), run.now());
        self.act(run, Act::Activate { rules, text, now });
        let rows = (0..SITES).map(|number| site(number, "021230000")).collect();
        self.act(run, Act::Sites { campaign: 0, rows });
        let rows = slots(run.now(), &mut run.random);
        self.act(run, Act::Slots { campaign: 0, rows });
        let people = self.everybody.clone();
        self.act(run, Act::Roster { people });
    }

    /// An agency whose openings are over or whose slots are behind it plans new ones.
    fn keep_alive(&mut self, run: &mut Run) {
        let now = run.now().max(run.model.stamp);
        let Some(first) = run.model.campaigns.first() else {
            return;
        };
        let mut openings = first.rules.openings.iter().flatten();
        if !openings.any(|(from, until)| *from <= now && now < *until) && run.random.percent(30) {
            let act = activation("first", now, run);
            run.submit(Asked::Operator(act), false);
            return;
        }
        let first = &run.model.campaigns[0];
        let ahead = first.slots.iter().filter(|row| row.start > now).count();
        if ahead < 5 && first.slots.len() < 80 && run.random.percent(30) {
            let rows = slots(now, &mut run.random);
            run.submit(Asked::Operator(Act::Slots { campaign: 0, rows }), false);
        }
    }

    fn act(&mut self, run: &mut Run, act: Act) {
        run.submit(Asked::Operator(act), false);
        while !run.waiting.is_empty() {
            run.step();
        }
    }

    /// Arms a fault for one of the next operations of the disk.
    fn spoil(&mut self, run: &mut Run) {
        if run.disk.plan() != Plan::Healthy {
            return;
        }
        let next = run.disk.operations() + 1 + run.random.below(40);
        match run.random.below(60) {
            0 => run.disk.set_plan(Plan::Once(next)),
            1 => run.disk.set_plan(Plan::From(next)),
            2 => {
                let more = run.random.below(3) * 4096;
                run.disk.fill_up(more);
                run.count("disk full");
            }
            3..6 => run.disk.make_room(),
            _ => {}
        }
    }

    fn pass_time(&mut self, run: &mut Run) {
        match run.random.below(100) {
            0..35 => {}
            35..75 => {
                let by = run.random.below(20 * SECOND as u64) as i64;
                run.advance(by);
            }
            75..88 => self.meet(run),
            88..96 => {
                let by = run.random.below(10 * MINUTE as u64) as i64;
                run.advance(by);
            }
            96..98 => {
                let step = *run.random.pick(&[-HOUR, HOUR, -DAY, DAY]);
                run.clock.step_wall(step);
                run.count("wall steps");
            }
            98 => {
                let by = HOUR + run.random.below(DAY as u64) as i64;
                run.advance(by);
            }
            _ => run.advance(1),
        }
    }

    /// Goes to just before, at, or just after an instant at which something ends or begins.
    fn meet(&mut self, run: &mut Run) {
        let mut instants: Vec<Stamp> = Vec::new();
        for campaign in &run.model.campaigns {
            instants.extend(campaign.holds.values().map(|hold| hold.until));
            let openings = campaign.rules.openings.iter().flatten();
            instants.extend(openings.flat_map(|(from, until)| [*from, *until]));
            instants.extend(
                campaign
                    .bookings
                    .iter()
                    .map(|booking| campaign.deadline(booking)),
            );
            instants.extend(campaign.slots.iter().map(|slot| slot.start));
        }
        let now = run.now();
        instants.retain(|at| *at > now);
        instants.sort();
        instants.truncate(6);
        if instants.is_empty() {
            return;
        }
        let at = run.random.pick(&instants).0 - 1 + run.random.below(3) as i64;
        run.advance(at - now.0);
        run.count("boundaries met");
    }

    /// A script in one person's name places hold after hold until it is stopped; then the person
    /// confirms the last one.
    fn storm(&mut self, run: &mut Run) {
        let person = run.random.pick(&self.everybody).key;
        for _ in 0..62 {
            let now = run.now().max(run.model.stamp);
            let Some(known) = run.model.campaigns.first() else {
                return;
            };
            let mut slots = 0..known.slots.len();
            let free = |at: &usize| {
                let (booked, held) = known.in_use(*at, Pool::Public);
                known.slots[*at].start > now && booked + held < known.capacity(*at, Pool::Public)
            };
            let Some(at) = slots.find(free) else {
                return;
            };
            let (doses, pool) = (known.doses(at), Pool::Public);
            let request = Request {
                person,
                ask: Ask::Hold { doses, pool },
                idempotency: None,
            };
            send(run, 0, request, false);
            run.step();
        }
        let known = &run.model.campaigns[0];
        if let Some(hold) = known.hold_of(&person) {
            let seat = Seat::Held(HoldId(hold));
            let ask = match known.active(&person) {
                Some(at) => Ask::Move {
                    number: known.bookings[at].number,
                    seat,
                },
                None => Ask::Book {
                    seat,
                    agreed: Some(1),
                },
            };
            let idempotency = Some(self.mark(person, &ask));
            let request = Request {
                person,
                ask,
                idempotency,
            };
            send(run, 0, request, false);
            run.step();
        }
    }

    /// Goes to just before, at, or just after the instant at which a key is forgotten, and uses it.
    fn outlive_a_key(&mut self, run: &mut Run) {
        if self.sent.is_empty() {
            return;
        }
        let from = self.sent.len().saturating_sub(30);
        let (campaign, request) = *run.random.pick(&self.sent[from..]);
        let known = run.model.campaigns.get(campaign);
        let answered = known.zip(request.idempotency);
        let answered = answered.and_then(|(known, mark)| known.answered.get(&mark.key));
        let Some(&(.., stamp)) = answered else {
            return;
        };
        let by = stamp.0 + DAY - 1 + run.random.below(3) as i64 - run.now().0;
        run.advance(by);
        send(run, campaign, request, false);
        run.step();
    }

    fn ask(&mut self, run: &mut Run) {
        let campaigns = run.model.campaigns.len() as u64;
        if campaigns == 0 {
            return;
        }
        let campaign = run.random.below(campaigns) as usize;
        let person = run.random.pick(&self.everybody).key;
        let hang_up = run.random.percent(10);
        if run.random.percent(3) {
            let all = [
                RefusedFor::NotEligible,
                RefusedFor::NotOpenYet,
                RefusedFor::OpeningClosed,
            ];
            let (rules, reason) = (
                run.model.campaigns[campaign].version(),
                *run.random.pick(&all),
            );
            run.submit(
                Asked::Note {
                    campaign,
                    person,
                    rules,
                    reason,
                },
                true,
            );
            return;
        }
        if run.random.percent(12) && !self.sent.is_empty() {
            self.repeat(run, hang_up);
            return;
        }
        let Some(ask) = self.wish(run, campaign, person) else {
            return;
        };
        let keyed = matches!(
            ask,
            Ask::Book { .. } | Ask::Move { .. } | Ask::Cancel { .. }
        );
        let idempotency = (keyed && run.random.percent(80)).then(|| self.mark(person, &ask));
        let request = Request {
            person,
            ask,
            idempotency,
        };
        if send(run, campaign, request, hang_up) && idempotency.is_some() {
            self.sent.push((campaign, request));
        }
        // Two tabs: the same person asks again before the first was answered.
        if run.random.percent(8)
            && let Some(ask) = self.wish(run, campaign, person)
        {
            send(
                run,
                campaign,
                Request {
                    person,
                    ask,
                    idempotency: None,
                },
                hang_up,
            );
        }
    }

    /// Sends an earlier request again, the same or with another body under the same key.
    fn repeat(&mut self, run: &mut Run, hang_up: bool) {
        let from = self.sent.len().saturating_sub(30);
        let (campaign, mut request) = *run.random.pick(&self.sent[from..]);
        let Some(mark) = &mut request.idempotency else {
            return;
        };
        if run.random.percent(30) {
            mark.request[0] ^= 1;
        }
        send(run, campaign, request, hang_up);
    }

    fn mark(&mut self, person: PersonKey, ask: &Ask) -> Idempotency {
        self.keys += 1;
        let mut key = person.0;
        key[8..].copy_from_slice(&self.keys.to_le_bytes());
        let text = format!("{ask:?}");
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        Idempotency {
            key,
            request: hash.to_be_bytes(),
        }
    }

    /// Something that a person in that standing may come up with, sensible or not.
    fn wish(&mut self, run: &mut Run, campaign: usize, person: PersonKey) -> Option<Ask> {
        let known = &run.model.campaigns[campaign];
        let (own, active) = (known.hold_of(&person), known.active(&person));
        let offer = known.offer_of(&person);
        let own = if run.random.percent(50) {
            own.or(offer)
        } else {
            offer.or(own)
        };
        let number = match active {
            Some(at) => known.bookings[at].number,
            None => known
                .bookings
                .last()
                .map_or(BookingNumber(7), |last| last.number),
        };
        let slots = known.slots.len();
        let hold = own.unwrap_or_else(|| run.random.below(50));
        let roll = run.random.below(100);
        let pool = match run.random.below(100) {
            0..76 => Pool::Public,
            76..90 => Pool::Assisted,
            _ => Pool::Partner,
        };
        if slots == 0 || roll < 12 && own.is_some() {
            return Some(Ask::Release { hold: HoldId(hold) });
        }
        if run.random.percent(8) {
            return Some(Ask::Extend { hold: HoldId(hold) });
        }
        // Mostly slots that still lie ahead.
        let now = run.now();
        let known = &run.model.campaigns[campaign];
        let ahead: Vec<usize> = (0..slots)
            .filter(|at| known.slots[*at].start > now)
            .collect();
        let at = if ahead.is_empty() || run.random.percent(5) {
            run.random.below(slots as u64) as usize
        } else {
            *run.random.pick(&ahead)
        };
        let mut doses = run.model.campaigns[campaign].doses(at);
        if run.random.percent(3) {
            doses.second = None;
        }
        let seat = if own.is_some() && run.random.percent(70) || run.random.percent(3) {
            Seat::Held(HoldId(hold))
        } else {
            Seat::Claimed(doses, pool)
        };
        Some(match (active.is_some(), roll) {
            (_, 12..40) => Ask::Hold { doses, pool },
            (true, 40..65) => Ask::Move { number, seat },
            (true, 65..85) | (false, 96..) => Ask::Cancel { number },
            (false, 92..96) => Ask::Move { number, seat },
            _ => Ask::Book {
                seat,
                agreed: run.random.percent(50).then(|| run.random.below(4) as u32),
            },
        })
    }

    fn operate(&mut self, run: &mut Run) {
        let campaigns = run.model.campaigns.len();
        let campaign = run.random.below(campaigns.max(1) as u64) as usize;
        let now = Stamp(run.now().0.max(run.model.stamp.0));
        if campaigns > 0 && run.random.percent(45) {
            let act = closing::act(run, campaign, now);
            run.submit(Asked::Operator(act), false);
            return;
        }
        let act = match run.random.below(11) {
            _ if campaigns == 0 => activation("first", now, run),
            0 if campaigns < 2 => activation("second", now, run),
            0..3 => {
                let id = run.model.campaigns[campaign].rules.id.clone();
                activation(&id, now, run)
            }
            10 => Act::Agency {
                campaign,
                telephone: format!("02-{}", run.random.below(3)),
            },
            3 => {
                let phone = format!("02{}", run.random.below(3));
                let rows = (0..SITES).map(|number| site(number, &phone)).collect();
                Act::Sites { campaign, rows }
            }
            4..8 => {
                let mut rows = slots(now, &mut run.random);
                let known = run.model.campaigns[campaign].slots.clone();
                for _ in 0..3 {
                    if known.is_empty() {
                        break;
                    }
                    let mut row = *run.random.pick(&known);
                    let below = [5, 3, 3, 2, 2].map(|most| run.random.below(most) as u16);
                    row.capacity = below;
                    let same = |other: &sumun::domain::booking::site::SlotRow| {
                        (other.site, other.vaccine, other.date, other.start_min)
                            == (row.site, row.vaccine, row.date, row.start_min)
                    };
                    rows.retain(|other| !same(other));
                    rows.push(row);
                }
                Act::Slots { campaign, rows }
            }
            _ => {
                let mut people = self.everybody.clone();
                let leaves = run.random.below(people.len() as u64) as usize;
                let changes = run.random.below(people.len() as u64) as usize;
                change(&mut people[changes], &mut run.random);
                self.everybody = people.clone();
                people.remove(leaves);
                Act::Roster { people }
            }
        };
        run.submit(Asked::Operator(act), false);
    }
}

/// A version of a campaign: a new one, the same again, or a file that is no campaign.
fn activation(id: &str, now: Stamp, run: &mut Run) -> Act {
    let known = run
        .model
        .campaigns
        .iter()
        .find(|known| known.rules.id == id);
    let known = known.map(|known| known.rules.clone());
    let rules = match known.filter(|_| run.random.percent(10)) {
        Some(rules) => rules,
        None => Rules::about(id, now, &mut run.random),
    };
    let mut text = rules.text();
    if run.random.percent(10) {
        text.push_str("[unheard_of]\n");
    }
    let now = run.now();
    Act::Activate { rules, text, now }
}

/// Claims what the request needs and queues it; a sold-out slot is refused before the writer.
fn send(run: &mut Run, campaign: usize, request: Request, hang_up: bool) -> bool {
    let mut claimed = request.ask.free_seats();
    let answered = &run.model.campaigns[campaign].answered;
    let now = run.now().max(run.model.stamp);
    let earlier = request.idempotency.and_then(|mark| answered.get(&mark.key));
    let is_forgotten = earlier.is_some_and(|(.., stamp)| now.0 - stamp.0 >= DAY);
    if earlier.is_some() && !is_forgotten {
        // Nobody claims seats for what was answered before.
        claimed = None;
    }
    let sent = run.submit(
        Asked::Person {
            campaign,
            request,
            claimed,
        },
        hang_up,
    );
    if !sent {
        run.count("sold out before the writer");
    }
    sent
}
