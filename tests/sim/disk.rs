//! A disk in memory that fails on demand, fills up, and forgets what was not synced.
//!
//! What it assumes of a real disk: a sync that returned made everything before it durable. Of what
//! was written since, a power cut keeps, loses or tears each write by itself, in any combination.
//! A sync that failed made nothing durable for certain, and the next one that succeeds does. A
//! process that dies without a power cut leaves all that it wrote in the operating system.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::random::Random;

/// When operations fail. They are counted from 1, over all kinds: reads, writes, lengths, syncs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    Healthy,
    /// The one operation of this number fails.
    Once(u64),
    /// That operation and every one after it fail: the disk died, or the power went.
    From(u64),
}

/// Handed to redb; clones share the disk.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug)]
struct Platter {
    /// What reads see.
    seen: Vec<u8>,
    /// What certainly survives a power cut.
    safe: Vec<u8>,
    /// What was changed since, in order.
    since: Vec<Step>,
    operations: u64,
    injected: u64,
    plan: Plan,
    /// Growing beyond this many bytes fails: the disk is full.
    full_at: Option<u64>,
    refused_full: u64,
    random: Random,
}

#[derive(Clone, Debug)]
enum Step {
    Wrote(u64, Vec<u8>),
    Length(u64),
}

impl Step {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length as usize, 0),
            Self::Wrote(at, data) => {
                let (at, end) = (*at as usize, *at as usize + data.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at..end].copy_from_slice(data);
            }
        }
    }
}

/// What became of the writes since the last sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// The process died: the operating system still has every write.
    Killed,
    /// The power went: nothing that was not synced is there.
    AllLost,
    /// The power went: each write is there, gone, or there in part.
    Torn,
}

impl Disk {
    pub fn new(random: Random) -> Self {
        Self::of(Vec::new(), Vec::new(), Vec::new(), random)
    }

    /// A healthy disk with these bytes on it, all durable.
    pub fn with(bytes: Vec<u8>) -> Self {
        Self::of(bytes.clone(), bytes, Vec::new(), Random::new(0))
    }

    fn of(seen: Vec<u8>, safe: Vec<u8>, since: Vec<Step>, random: Random) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            seen,
            safe,
            since,
            operations: 0,
            injected: 0,
            plan: Plan::Healthy,
            full_at: None,
            refused_full: 0,
            random,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// How many operations failed on purpose, a full disk's included.
    pub fn injected(&self) -> u64 {
        let platter = self.lock();
        platter.injected + platter.refused_full
    }

    pub fn refused_full(&self) -> u64 {
        self.lock().refused_full
    }

    pub fn plan(&self) -> Plan {
        self.lock().plan
    }

    /// Sets when operations fail; numbers count from the disk's first operation.
    pub fn set_plan(&self, plan: Plan) {
        self.lock().plan = plan;
    }

    /// From now on the disk holds at most `more` bytes beyond what it has.
    pub fn fill_up(&self, more: u64) {
        let mut platter = self.lock();
        platter.full_at = Some(platter.seen.len() as u64 + more);
    }

    pub fn make_room(&self) {
        self.lock().full_at = None;
    }

    /// The bytes as a reader sees them now.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().seen.clone()
    }

    /// What the next process finds after this one ended. The old disk is dead from here on, so
    /// that whatever still holds it can change nothing.
    pub fn after(&self, crash: Crash) -> Self {
        let mut platter = self.lock();
        platter.plan = Plan::From(0);
        let mut random = Random::new(platter.random.next());
        if crash == Crash::Killed {
            let (seen, safe) = (platter.seen.clone(), platter.safe.clone());
            return Self::of(seen, safe, platter.since.clone(), random);
        }
        let mut left = platter.safe.clone();
        for step in &platter.since {
            if crash == Crash::AllLost || random.percent(40) {
                continue;
            }
            match step {
                Step::Wrote(at, data) if random.percent(30) => {
                    let kept = random.below(data.len() as u64 + 1) as usize;
                    Step::Wrote(*at, data[..kept].to_vec()).apply(&mut left);
                }
                whole => whole.apply(&mut left),
            }
        }
        Self::of(left.clone(), left, Vec::new(), random)
    }
}

impl Platter {
    fn count(&mut self) -> io::Result<()> {
        self.operations += 1;
        let fails = match self.plan {
            Plan::Healthy => false,
            Plan::Once(number) => self.operations == number,
            Plan::From(number) => self.operations >= number,
        };
        if !fails {
            return Ok(());
        }
        self.injected += 1;
        Err(io::Error::other("the simulated disk failed"))
    }

    fn make(&mut self, step: Step) {
        step.apply(&mut self.seen);
        self.since.push(step);
    }

    fn check_room(&mut self, length: u64) -> io::Result<()> {
        if length > self.seen.len() as u64 && self.full_at.is_some_and(|limit| length > limit) {
            self.refused_full += 1;
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the simulated disk is full",
            ));
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut platter = self.lock();
        platter.count()?;
        let from = offset as usize;
        let bytes = platter.seen.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.lock();
        platter.count()?;
        platter.check_room(len)?;
        platter.make(Step::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.lock();
        platter.count()?;
        let platter = &mut *platter;
        for step in platter.since.drain(..) {
            step.apply(&mut platter.safe);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.lock();
        if let Err(error) = platter.count() {
            // A write that fails may have written some of it.
            let part = platter.random.below(data.len() as u64 + 1) as usize;
            let first = platter.plan != Plan::From(0) && platter.injected == 1;
            if first && platter.random.percent(50) {
                platter.make(Step::Wrote(offset, data[..part].to_vec()));
            }
            return Err(error);
        }
        platter.check_room(offset + data.len() as u64)?;
        platter.make(Step::Wrote(offset, data.to_vec()));
        Ok(())
    }
}
