//! One seeded run: a life of the writer on a bad disk under a bad clock, beside its model.
//!
//! The program is the real `Core` on a real redb. The run owns the disk, the clock and the model;
//! it knows at every moment which worlds are possible: one while all is well, the one before and
//! the one after a step whose outcome is unknown, until recovery tells which.

mod kinds;
mod recovery;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use sumun::audit::{export, state_of, verify_export, verify_store};
use sumun::clock::Clock;
use sumun::domain::agency::Agency;
use sumun::domain::entry::{Actor, Change, HoldEnd, Role};
use sumun::domain::ids::{CampaignIndex, Pool, RelocationIndex, Seq};
use sumun::domain::state::State;
use sumun::domain::time::Stamp;
use sumun::engine::command::{Accepted, Command, Operation, Outcome, SubjectSeen};
use sumun::engine::core::Core;
use sumun::engine::open::found;
use sumun::journal::Log as _;
use sumun::journal::store::Read;
use sumun::journal::vault::check_vault;
use sumun::seats::{Claim, SiteSeats};
use tokio::sync::oneshot;

use crate::check;
use crate::disk::{Crash, Disk, Plan};
use crate::model::act::OPERATOR;
use crate::model::{Act, Asked, Model, Prediction, Said, Waiting};
use crate::random::Random;
use crate::world::{EVENING, agency_text, keys, roster};
use kinds::kind_of;

/// How often each kind of event happened.
pub type Tally = BTreeMap<&'static str, u64>;

pub type Line = (Stamp, Actor, Change);

/// What is decided beforehand for a run that leaves nothing to chance.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    pub way: Crash,
    /// For the first recovery alone.
    pub recovery: Plan,
}

/// A world that may be the real one: the model, and its journal beyond the certain part.
type Candidate = (Model, Vec<Line>);

pub struct Run {
    pub random: Random,
    pub disk: Disk,
    pub clock: Clock,
    /// Of the model's world, what the journal says.
    pub lines: Vec<Line>,
    pub model: Model,
    pub waiting: VecDeque<Waiting>,
    pub tally: Tally,
    /// How every process ends and what befalls the recovery after it, instead of what chance says.
    pub fate: Option<Fate>,
    /// How many operations of the disk the first recovery took.
    pub first_recovery_operations: u64,
    core: Option<Core>,
    commands: VecDeque<Command>,
    replies: BTreeMap<u64, oneshot::Receiver<Outcome>>,
    tickets: u64,
    wall_noticed: i64,
}

impl Run {
    /// A founded journal on a healthy disk.
    pub fn new(mut random: Random) -> Self {
        let disk = Disk::new(Random::new(random.next()));
        let clock = Clock::manual(EVENING);
        let core = found(disk.open().unwrap(), keys(), &clock).unwrap();
        let founded = Change::Founded {
            simulated_clock: false,
            head_public_key: keys().head_public_key(),
        };
        let mut run = Self {
            random,
            disk,
            clock,
            lines: Vec::new(),
            model: Model::default(),
            waiting: VecDeque::new(),
            tally: Tally::new(),
            fate: None,
            first_recovery_operations: 0,
            core: Some(core),
            commands: VecDeque::new(),
            replies: BTreeMap::new(),
            tickets: 0,
            wall_noticed: 0,
        };
        let predicted = run.model.recorded(founded, EVENING);
        run.accept(predicted);
        run.check();
        run
    }

    pub fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub fn core(&self) -> &Core {
        self.core.as_ref().expect("the process runs")
    }

    pub fn now(&self) -> Stamp {
        self.clock.now()
    }

    /// Moves the clock forward; never back, as no monotonic clock does.
    pub fn advance(&mut self, by_ns: i64) {
        self.clock
            .advance(Duration::from_nanos(by_ns.max(0) as u64));
    }

    /// Takes the seats, queues the command, and keeps the way back for its answer.
    /// False, and nothing is queued, when the seats it needs are not free.
    pub fn submit(&mut self, asked: Asked, hang_up: bool) -> bool {
        let (reply, answer) = oneshot::channel();
        let command = match &asked {
            Asked::Person {
                campaign,
                request,
                claimed,
            } => {
                let campaign = CampaignIndex(*campaign as u16);
                let mut claim: Option<Claim> = None;
                let offer = self.core().shared().offer(campaign).unwrap();
                // Every other one was looked at before, by an offer that may be replaced meanwhile.
                let subject = offer.subject(&request.person);
                let seen = subject.filter(|_| self.tickets.is_multiple_of(2));
                let seen = seen.map(|subject| SubjectSeen {
                    offer: Arc::clone(&offer),
                    subject,
                });
                if let Some((doses, pool)) = claimed {
                    let (seats, positions) = offer.seats_of(*doses);
                    claim = SiteSeats::claim(seats, positions, *pool);
                    if claim.is_none() {
                        return false;
                    }
                }
                Command::Ask {
                    campaign,
                    request: *request,
                    claim,
                    seen,
                    flight: None,
                    reply,
                }
            }
            Asked::Note {
                campaign,
                person,
                rules,
                reason,
            } => Command::NoteRefusal {
                campaign: CampaignIndex(*campaign as u16),
                person: *person,
                rules: *rules,
                reason: *reason,
            },
            Asked::Operator(act) => {
                let operation = self.operation(act);
                Command::Operate {
                    actor: Actor::operator(OPERATOR),
                    operation,
                    reply,
                }
            }
        };
        self.tickets += 1;
        let ticket = self.tickets;
        if !hang_up && !matches!(asked, Asked::Note { .. }) {
            self.replies.insert(ticket, answer);
        } else {
            self.count("hang-ups");
        }
        self.commands.push_back(command);
        self.waiting.push_back(Waiting { ticket, asked });
        true
    }

    /// Has the writer do, as its next step, a part of an act that was prepared beside it.
    pub fn hand(&mut self, act: Act, operation: Operation) {
        assert!(self.waiting.is_empty(), "the part is the next step");
        let (reply, answer) = oneshot::channel();
        self.tickets += 1;
        let ticket = self.tickets;
        self.replies.insert(ticket, answer);
        self.commands.push_back(Command::Operate {
            actor: Actor::operator(OPERATOR),
            operation,
            reply,
        });
        let asked = Asked::Operator(act);
        self.waiting.push_back(Waiting { ticket, asked });
        self.step();
    }

    fn operation(&self, act: &Act) -> Operation {
        let id = |at: &usize| {
            self.model.campaigns[*at]
                .rules
                .id
                .clone()
                .try_into()
                .unwrap()
        };
        match act {
            Act::Activate { text, now, .. } => Operation::Activate {
                source: text.clone(),
                now: *now,
                shifts: false,
            },
            Act::Agency {
                campaign,
                telephone,
            } => {
                let source = agency_text(telephone);
                let (agency, _) = Agency::parse(&source, |_| Err(String::new())).unwrap();
                Operation::ActivateAgency {
                    campaign: id(campaign),
                    source,
                    agency: Box::new(agency),
                }
            }
            Act::Sites { campaign, rows } => Operation::ImportSites {
                campaign: id(campaign),
                rows: rows.clone(),
            },
            Act::Slots { campaign, rows } => Operation::ImportSlots {
                campaign: id(campaign),
                version: None,
                rows: rows.clone(),
                // Which slots have begun is told, and changes nothing.
                now: Stamp(0),
            },
            Act::Close {
                campaign,
                slots,
                begin,
            } => Operation::CloseSlots {
                campaign: id(campaign),
                slots: slots.clone(),
                begin: begin.clone(),
            },
            Act::Reopen { campaign, slots } => Operation::ReopenSlots {
                campaign: id(campaign),
                slots: slots.clone(),
            },
            Act::Relocate {
                campaign,
                relocation,
                people,
                offered_until,
            } => Operation::Relocate {
                campaign: CampaignIndex(*campaign as u16),
                relocation: RelocationIndex(*relocation),
                people: people.clone(),
                offered_until: *offered_until,
            },
            Act::Roster { people } => Operation::ImportRoster {
                prepared: Box::new(roster(people)),
                accepted: Accepted {
                    gone: Some(u64::MAX),
                    erased: Some(u64::MAX),
                },
            },
        }
    }

    /// One step of the writer, predicted and checked. When it fails, the process dies and the next
    /// one recovers.
    pub fn step(&mut self) {
        let away = self.clock.wall_step_ns() - self.wall_noticed;
        let stepped = (away.abs() >= 500_000_000).then_some(away);
        let operates = matches!(
            self.waiting.front(),
            Some(Waiting {
                asked: Asked::Operator(_),
                ..
            })
        );
        let predicted = self.model.predict(&self.waiting, self.now(), stepped);
        let core = self.core.as_mut().expect("the process runs");
        let done = core.step(&mut self.commands);
        self.count("steps");
        if done.is_ok() {
            if stepped.is_some() && !operates {
                self.wall_noticed += away;
                self.count("wall steps noticed");
            }
            for (_, change) in &predicted.entries {
                self.count_change(change);
            }
            self.answers(&predicted.said);
            self.accept(predicted);
            self.check();
            return;
        }
        assert!(
            self.disk.injected() > 0,
            "a healthy disk never fails: {done:?}"
        );
        for (ticket, _) in &predicted.said {
            if let Some(mut reply) = self.replies.remove(ticket) {
                assert_eq!(reply.try_recv(), Ok(Outcome::Unknown));
                self.count("unknown outcomes");
            }
        }
        let lines = lines_of(&predicted);
        let both = vec![(self.model.clone(), Vec::new()), (predicted.after, lines)];
        self.restart(both);
    }

    /// Counts what a change shows, before it has happened to the model.
    fn count_change(&mut self, change: &Change) {
        let (mut confirmed, mut mark, mut taken) = (None, None, None);
        match change {
            Change::HoldEnded {
                reason: HoldEnd::Expired,
                ..
            } => self.count("holds expired"),
            Change::HoldExtended { .. } => self.count("holds extended"),
            Change::HoldEnded {
                reason: HoldEnd::Closed,
                ..
            } => self.count("holds ended by a closure"),
            Change::MoveOffered { .. } => self.count("seats offered"),
            Change::Relocated { hold: Some(_), .. } => self.count("offers that became bookings"),
            Change::Relocated { .. } => self.count("people moved"),
            Change::HoldPlaced {
                campaign,
                person,
                pool,
                ..
            } => {
                taken = Some(*pool);
                let known = &self.model.campaigns[usize::from(campaign.0)];
                if known.offer_of(person).is_some() {
                    self.count("holds beside an offer");
                }
            }
            Change::Booked {
                campaign,
                person,
                hold,
                pool,
                idempotency,
                ..
            }
            | Change::Moved {
                campaign,
                person,
                hold,
                pool,
                idempotency,
                ..
            } => {
                taken = Some(*pool);
                confirmed = hold.map(|_| (campaign, person));
                mark = idempotency.map(|mark| (campaign, mark.key));
            }
            Change::Cancelled {
                campaign,
                idempotency,
                ..
            } => mark = idempotency.map(|mark| (campaign, mark.key)),
            _ => {}
        }
        let known = |campaign: &CampaignIndex| &self.model.campaigns[campaign.at()];
        let now = self.now().max(self.model.stamp);
        let beyond = confirmed
            .is_some_and(|(campaign, person)| known(campaign).spent_until(person, now).is_some());
        // Whoever repeats a key that is remembered gets no entry.
        let forgotten =
            mark.is_some_and(|(campaign, key)| known(campaign).answered.contains_key(&key));
        if taken == Some(Pool::Partner) {
            self.count("partner seats taken");
        }
        if beyond {
            self.count("confirmed beyond the bound");
        }
        if forgotten {
            self.count("forgotten keys used again");
        }
    }

    /// What was predicted has happened.
    fn accept(&mut self, predicted: Prediction) {
        self.lines.extend(lines_of(&predicted));
        self.model = predicted.after;
        self.waiting = predicted.left;
    }

    /// Every answer that is due has come, the right one; no other has.
    fn answers(&mut self, said: &[(u64, Said)]) {
        for (ticket, expected) in said {
            let kind = kind_of(expected);
            self.count(kind);
            if let Some(mut reply) = self.replies.remove(ticket) {
                check::same_answer(expected, &reply.try_recv().expect("the answer is there"));
            }
        }
        for reply in self.replies.values_mut() {
            let early = reply.try_recv();
            assert_eq!(
                early,
                Err(oneshot::error::TryRecvError::Empty),
                "answered too early"
            );
        }
    }

    /// Compares everything with the model, on a disk that is well for the moment.
    pub fn check(&mut self) {
        let plan = self.disk.plan();
        self.disk.set_plan(Plan::Healthy);
        let shared = Arc::clone(self.core().shared());
        let state = shared.state.read().unwrap();
        check::same_state(&self.model, &state);
        check::same_seats(&self.model, &shared, &self.waiting);
        self.disk.set_plan(plan);
    }

    /// Has the program journal a change of its own.
    pub fn record(&mut self, change: Change) {
        let predicted = self.model.recorded(change.clone(), self.now());
        let core = self.core.as_mut().expect("the process runs");
        if core.record(change).is_ok() {
            self.accept(predicted);
            return self.check();
        }
        let lines = lines_of(&predicted);
        let worlds = vec![(self.model.clone(), Vec::new()), (predicted.after, lines)];
        self.restart(worlds);
    }

    /// Moves what is in the tail into the data file. When that fails, the process dies.
    pub fn settle_tail(&mut self) {
        self.count("settled");
        let settled = self.core().store().settle();
        if settled.is_ok() {
            return self.check();
        }
        assert!(self.disk.injected() > 0, "a healthy disk never fails");
        self.count("settling failed");
        self.restart(vec![(self.model.clone(), Vec::new())]);
    }

    /// Writes a checkpoint of the state as it is. When that fails, the process dies.
    pub fn checkpoint(&mut self) {
        self.count("checkpoints");
        let snapshot = self.core().shared().state.read().unwrap().clone();
        match self.core().store().checkpoint(&snapshot, &mut || true) {
            Ok(written) => {
                assert!(written);
                self.check();
            }
            Err(_) => {
                assert!(self.disk.injected() > 0, "a healthy disk never fails");
                self.count("checkpoints failed");
                self.restart(vec![(self.model.clone(), Vec::new())]);
            }
        }
    }

    /// Looks at a copy of the file, as it is on the disk at this moment.
    pub fn read<T>(&self, look: impl FnOnce(&Read) -> T) -> T {
        let copy = Disk::with_both(self.disk.both()).open().unwrap();
        let read = copy.read().unwrap();
        look(&read)
    }

    /// The journal gives the live state again, entry by entry as predicted.
    pub fn check_replay(&mut self) {
        let replayed: State = self.read(|read| {
            check::same_entries(&self.lines, &check::journal(read, 0));
            state_of(read).expect("the journal replays")
        });
        assert_eq!(replayed, *self.core().shared().state.read().unwrap());
        self.read(|read| check::same_vault(&self.model, read));
        self.count("replays compared");
    }

    /// Stops in good order, after the gate's keeper and an operator had these journalled; the file.
    pub fn stopped_after(mut self, changes: impl IntoIterator<Item = Change>) -> Vec<u8> {
        let core = self.core.as_mut().expect("the process runs");
        for change in changes {
            core.record(change).expect("a healthy disk takes an entry");
        }
        core.close().expect("a healthy disk takes a head");
        self.disk.bytes()
    }

    /// Changes of an account of the desk, which must fit.
    pub fn staff(&mut self, account: &str, changes: Vec<Change>) {
        let (reply, mut answer) = oneshot::channel();
        let actor = Actor::Staff {
            account: account.to_owned(),
            role: Role::Administrator,
            for_person: None,
        };
        let operation = Operation::Staff { changes };
        let command = Command::Operate {
            actor,
            operation,
            reply,
        };
        let core = self.core.as_mut().expect("the process runs");
        core.step(&mut VecDeque::from([command]))
            .expect("a healthy disk takes entries");
        assert_eq!(answer.try_recv(), Ok(Outcome::Kept));
    }

    /// Signs off and checks the file as an auditor does.
    pub fn finish(mut self) -> Tally {
        self.disk.set_plan(Plan::Healthy);
        self.disk.make_room();
        if self.disk.injected() > 0 {
            self.crash();
            self.disk.set_plan(Plan::Healthy);
            self.disk.make_room();
        }
        while !self.waiting.is_empty() {
            self.step();
        }
        self.check_replay();
        let core = self.core.as_mut().unwrap();
        core.close().unwrap();
        self.read(passes_every_audit);
        *self.tally.entry("entries").or_default() += self.lines.len() as u64;
        self.tally
    }
}

fn lines_of(predicted: &Prediction) -> Vec<Line> {
    let stamp = predicted.after.stamp;
    let line = |(actor, change): &(Actor, Change)| (stamp, actor.clone(), change.clone());
    predicted.entries.iter().map(line).collect()
}

/// The file verifies; its export verifies; both end where the journal ends.
pub fn passes_every_audit(read: &Read) {
    let (verified, state) = verify_store(read, None).expect("the file verifies");
    assert_eq!(verified.last, state.seq.0);
    assert!(verified.heads > 0, "no head was signed");
    let roster = read.roster().unwrap().unwrap_or_default();
    let vault = check_vault(read, &roster, &state, Some(&keys())).unwrap();
    assert_eq!((vault.were_opened, vault.faults), (true, vec![]));
    let mut lines = Vec::new();
    let count = export(read, Seq(1), Seq(u64::MAX), &mut lines).unwrap();
    assert_eq!(count, state.seq.0);
    let exported = verify_export(lines.as_slice(), None).expect("the export verifies");
    assert_eq!(
        (exported.last, exported.hash),
        (verified.last, verified.hash)
    );
}
