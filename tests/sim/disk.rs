//! A disk in memory with two files, a data file and its tail, that fails on demand, fills up, and
//! forgets what was not synced.
//!
//! What it assumes of a real disk: a sync that returned made everything before it in that file
//! durable. Of what
//! was written since, a power cut keeps, loses or tears each write by itself, in any combination.
//! A sync that failed made nothing durable for certain, and the next one that succeeds does. A
//! process that dies without a power cut leaves all that it wrote in the operating system.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use sumun::journal::storage::Storage;
use sumun::journal::store::{Store, StoreFault};
use sumun::journal::tail::Shape;

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

/// The data file, or the tail of `Disk::tail`; clones share the disk.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<Platter>>, usize);

/// Small segments: a short evening fills and reuses them.
pub const SHAPE: Shape = Shape {
    segments: 3,
    segment_bytes: 12 << 10,
};

const FILES: usize = 2;

#[derive(Debug)]
struct Platter {
    /// What reads see, of each file.
    seen: [Vec<u8>; FILES],
    /// What certainly survives a power cut.
    safe: [Vec<u8>; FILES],
    /// What was changed since, and in which file, in order.
    since: Vec<(usize, Step)>,
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
        Self::of(Default::default(), Default::default(), Vec::new(), random)
    }

    /// A healthy disk with this data file on it, durable, and no tail.
    pub fn with(bytes: Vec<u8>) -> Self {
        Self::with_both([bytes, Vec::new()])
    }

    /// A healthy disk with this data file and this tail.
    pub fn with_both(files: [Vec<u8>; FILES]) -> Self {
        Self::of(files.clone(), files, Vec::new(), Random::new(0))
    }

    /// The other file of this disk.
    pub fn tail(&self) -> Self {
        Self(Arc::clone(&self.0), 1)
    }

    /// Opens the journal on this disk, or makes it.
    pub fn open(&self) -> Result<Store, StoreFault> {
        Store::on(self.clone(), self.tail(), SHAPE)
    }

    fn of(
        seen: [Vec<u8>; FILES],
        safe: [Vec<u8>; FILES],
        since: Vec<(usize, Step)>,
        random: Random,
    ) -> Self {
        Self(
            Arc::new(Mutex::new(Platter {
                seen,
                safe,
                since,
                operations: 0,
                injected: 0,
                plan: Plan::Healthy,
                full_at: None,
                refused_full: 0,
                random,
            })),
            0,
        )
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
        platter.full_at = Some(platter.used() + more);
    }

    pub fn make_room(&self) {
        self.lock().full_at = None;
    }

    /// The bytes of the data file as a reader sees them now.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().seen[0].clone()
    }

    /// The bytes of both files as a reader sees them now.
    pub fn both(&self) -> [Vec<u8>; FILES] {
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
        for (file, step) in &platter.since {
            let left = &mut left[*file];
            if crash == Crash::AllLost || random.percent(40) {
                continue;
            }
            match step {
                Step::Wrote(at, data) if random.percent(30) => {
                    let kept = random.below(data.len() as u64 + 1) as usize;
                    Step::Wrote(*at, data[..kept].to_vec()).apply(left);
                }
                whole => whole.apply(left),
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

    fn used(&self) -> u64 {
        self.seen.iter().map(|bytes| bytes.len() as u64).sum()
    }

    fn make(&mut self, file: usize, step: Step) {
        step.apply(&mut self.seen[file]);
        self.since.push((file, step));
    }

    fn check_room(&mut self, file: usize, length: u64) -> io::Result<()> {
        let more = length.saturating_sub(self.seen[file].len() as u64);
        let used = self.used() + more;
        if more > 0 && self.full_at.is_some_and(|limit| used > limit) {
            self.refused_full += 1;
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the simulated disk is full",
            ));
        }
        Ok(())
    }
}

impl Storage for Disk {
    fn length(&self) -> io::Result<u64> {
        Ok(self.lock().seen[self.1].len() as u64)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        let mut platter = self.lock();
        platter.count()?;
        let from = at as usize;
        let bytes = platter.seen[self.1].get(from..from + into.len());
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut platter = self.lock();
        platter.count()?;
        platter.check_room(self.1, length)?;
        platter.make(self.1, Step::Length(length));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut platter = self.lock();
        if let Err(error) = platter.count() {
            // The kernel may drop what it could not write, and call it clean.
            if platter.random.percent(50) {
                let safe = platter.safe[self.1].clone();
                platter.seen[self.1] = safe;
                platter.since.retain(|(file, _)| *file != self.1);
            }
            return Err(error);
        }
        let platter = &mut *platter;
        let (synced, others) = platter
            .since
            .drain(..)
            .partition(|(file, _)| *file == self.1);
        let synced: Vec<(usize, Step)> = synced;
        platter.since = others;
        for (file, step) in synced {
            step.apply(&mut platter.safe[file]);
        }
        Ok(())
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.lock();
        if let Err(error) = platter.count() {
            // A write that fails may have written some of it.
            let part = platter.random.below(bytes.len() as u64 + 1) as usize;
            let first = platter.plan != Plan::From(0) && platter.injected == 1;
            if first && platter.random.percent(50) {
                platter.make(self.1, Step::Wrote(at, bytes[..part].to_vec()));
            }
            return Err(error);
        }
        platter.check_room(self.1, at + bytes.len() as u64)?;
        platter.make(self.1, Step::Wrote(at, bytes.to_vec()));
        Ok(())
    }
}

/// The data file of a disk, for tests that open it with redb itself.
#[derive(Debug)]
pub struct Backend(pub Disk);

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
