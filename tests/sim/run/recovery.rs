//! How a process ends, and how the next one starts: which of the possible worlds is the real one.

use sumun::clock::Clock;
use sumun::domain::entry::Change;
use sumun::domain::time::Stamp;
use sumun::engine::open::{OpenFault, open};

use super::{Candidate, Run, lines_of};
use crate::check;
use crate::disk::{Crash, Plan};
use crate::world::keys;

impl Run {
    /// Ends the process in one of the ways a process ends, and recovers.
    pub fn crash(&mut self) {
        self.count("crashes at rest");
        let world = vec![(self.model.clone(), Vec::new())];
        self.restart(world);
    }

    /// Stops the program in good order, its head signed; a disk may spoil that too.
    pub fn stop(&mut self) {
        let signed = self.core.as_mut().expect("the process runs").close();
        assert!(signed.is_ok() || self.disk.injected() > 0, "{signed:?}");
        self.count("stops");
        self.crash();
    }

    /// Starts processes on the surviving bytes until one serves, then tells which world is real.
    pub(super) fn restart(&mut self, mut worlds: Vec<Candidate>) {
        loop {
            self.end_process();
            let clock = self.next_clock();
            let store = self.disk.open().map_err(OpenFault::from);
            let opened = store.and_then(|store| open(store, keys(), |_| clock.clone()));
            let behind = |(model, lines): &Candidate| {
                let behind_ns = model.stamp.0 - clock.now().0;
                let change = Change::ClockBehind { behind_ns };
                let predicted = model.recorded(change, clock.now());
                let mut lines = lines.clone();
                lines.extend(lines_of(&predicted));
                (behind_ns > 500_000_000).then_some((predicted.after, lines))
            };
            match opened {
                Ok(core) => {
                    let after = worlds
                        .iter()
                        .map(|world| behind(world).unwrap_or(world.clone()));
                    worlds = after.collect();
                    self.clock = clock;
                    self.core = Some(core);
                    break;
                }
                Err(fault) => {
                    assert!(
                        self.disk.injected() > 0,
                        "recovery from healthy bytes: {fault}"
                    );
                    self.count("failed recoveries");
                    let also: Vec<_> = worlds.iter().filter_map(behind).collect();
                    worlds.extend(also);
                }
            }
        }
        if self.first_recovery_operations == 0 {
            self.first_recovery_operations = self.disk.operations();
        }
        self.count("recoveries");
        self.wall_noticed = self.clock.wall_step_ns();
        self.settle(worlds);
    }

    /// Everything in memory is gone; the disk keeps what the way of dying leaves.
    fn end_process(&mut self) {
        let chance = *self
            .random
            .pick(&[Crash::Killed, Crash::AllLost, Crash::Torn, Crash::Torn]);
        let way = self.fate.map_or(chance, |fate| fate.way);
        self.count(match way {
            Crash::Killed => "processes killed",
            Crash::AllLost => "power cuts, unsynced writes lost",
            Crash::Torn => "power cuts, unsynced writes torn",
        });
        *self.tally.entry("faults injected").or_default() += self.disk.injected();
        let next = self.disk.after(way);
        self.core = None;
        *self.tally.entry("disk operations").or_default() += self.disk.operations();
        *self.tally.entry("refused by a full disk").or_default() += self.disk.refused_full();
        self.disk = next;
        self.commands.clear();
        self.waiting.clear();
        self.replies.clear();
        if let Some(fate) = &mut self.fate {
            self.disk
                .set_plan(std::mem::replace(&mut fate.recovery, Plan::Healthy));
            return;
        }
        match self.random.below(20) {
            0 => self.disk.set_plan(Plan::Once(1 + self.random.below(60))),
            1 => self.disk.set_plan(Plan::From(1 + self.random.below(60))),
            2 => self.disk.fill_up(0),
            _ => {}
        }
    }

    /// A process starts with the wall clock's time, wherever that has been set.
    fn next_clock(&mut self) -> Clock {
        let wall = self.clock.now().0 + self.clock.wall_step_ns();
        let set = match self.random.below(12) {
            _ if self.fate.is_some() => 0,
            0 => -crate::world::DAY,
            1 => -crate::world::HOUR,
            2 => -(self.random.below(2_000_000_000) as i64),
            3 => self.random.below(600_000_000_000) as i64,
            _ => 0,
        };
        if set < 0 {
            self.count("restarts with the clock set back");
        }
        // Whoever looks after the host sets a clock right that is days behind.
        let least = self.model.stamp.0 - 2 * crate::world::DAY;
        Clock::manual(Stamp((wall + set).max(least)))
    }

    /// Exactly one of the possible worlds is the one on the disk.
    fn settle(&mut self, worlds: Vec<Candidate>) {
        let plan = self.disk.plan();
        self.disk.set_plan(Plan::Healthy);
        let found = self.read(|read| check::journal(read, 0));
        let fits = |(_, lines): &Candidate| {
            let expected = self.lines.iter().chain(lines);
            let told = found
                .iter()
                .map(|entry| (entry.stamp, &entry.actor, &entry.change));
            told.eq(expected.map(|(stamp, actor, change)| (*stamp, actor, change)))
        };
        let real = worlds.iter().position(fits);
        let Some(real) = real else {
            let lines: Vec<_> = worlds.iter().map(|(_, lines)| lines).collect();
            let tail = &found[found.len().saturating_sub(3)..];
            panic!(
                "entries were lost or torn: {} known, {lines:?} possible, {tail:?}",
                self.lines.len()
            );
        };
        if worlds.len() > 1 {
            let landed = !worlds[real].1.is_empty();
            self.count(if landed {
                "unknown, landed"
            } else {
                "unknown, did not land"
            });
        }
        let (model, lines) = worlds.into_iter().nth(real).expect("it was just found");
        self.model = model;
        self.lines.extend(lines);
        self.disk.set_plan(plan);
        self.check();
    }
}
