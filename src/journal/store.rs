//! The journal of one host: the data file with its tail before it, read as one.
//!
//! A block is durable when the tail has it. It is settled into the data file within a second, many
//! blocks in one commit, together with a signed head. `recent` holds what is not settled, so that
//! readers never look into the tail: it is read by the next start alone.
//!
//! What changes tables of the data file together with the journal (a roster) goes past the tail:
//! everything before it is settled, then one commit has both. What is prepared beside the writer (a
//! roster's rows) is stored in small commits of `beside`, which let the writer and the settler go
//! first.
//!
//! After a clean stop the data file alone is whole. Its mark `served` says that it is not.

mod checkpoints;
mod read;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use super::Log;
use super::block::Block;
use super::data_file::DataFile;
pub use super::data_file::{ChunkKey, ROSTER_CHUNK, StoreFault, StoredHead, VaultKey, Write};
use super::guard::guarded;
use super::storage::Storage;
use super::tail::{CutShort, Newer, Room, Shape, Tail, TailFault, newer};
use crate::clock::tick;
use crate::domain::entry::head_message;
use crate::domain::ids::Seq;
use crate::domain::state::State;
use crate::keys::Keys;
use crate::measure::Histogram;
use crate::sync::locked;

pub use read::Read;

/// The open journal. Dropping it settles what is not and releases the file.
pub struct Store {
    file: DataFile,
    /// None for a store that is only read.
    tail: Option<Mutex<Tail>>,
    recent: Mutex<Recent>,
    /// What a tail that is only read has behind its last whole block.
    cut_short: Option<CutShort>,
    /// One settles at a time.
    settling: Mutex<()>,
    /// How many settle or wait for it.
    settlers: AtomicUsize,
    has_failed: AtomicBool,
    is_closed: AtomicBool,
    /// Signs heads.
    keys: OnceLock<Arc<Keys>>,
    settler: OnceLock<Thread>,
    /// How long commits take: one write and sync of the tail, or a commit to the data file.
    pub commits: Histogram,
    /// How long it takes to settle, when there is something to settle.
    pub settlings: Histogram,
}

/// How long work beside the journal waits before it looks again whether the settlers are done.
const GIVES_WAY: Duration = Duration::from_micros(500);

/// The right to settle; while one is held or waited for, work beside the journal waits.
struct Settling<'a> {
    settlers: &'a AtomicUsize,
    _one: MutexGuard<'a, ()>,
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        self.settlers.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What the tail has and the data file has not.
struct Recent {
    blocks: VecDeque<Arc<Block>>,
    /// The last entry of the data file.
    settled: Seq,
    /// The last settled block, if its head was not signed: the keys were not known yet.
    unsigned: Option<Arc<Block>>,
}

impl Store {
    /// Makes an empty journal; refuses one that exists.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        let file = DataFile::create(path)?;
        let storage = tail_file(path, true)?;
        let tail = Tail::create(storage, file.id(), Shape::SERVED)?;
        Self::serving(file, tail, &[])
    }

    /// Opens a journal to write to it: settles what the tail has, if the last process did not.
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        guarded(|| {
            let file = DataFile::open(path)?;
            let exists = tail_path(path).exists();
            if !exists && file.is_served()? {
                return Err(StoreFault::TailMissing);
            }
            let storage = tail_file(path, !exists)?;
            Self::resumed(file, storage, Shape::SERVED)
        })
    }

    /// Opens or makes a journal on any storage: tests use it to make storage fail.
    pub fn on(file: impl Storage, tail: impl Storage, shape: Shape) -> Result<Self, StoreFault> {
        guarded(|| Self::resumed(DataFile::on(file, *b"a file in memory")?, tail, shape))
    }

    /// Opens a journal to read it; nothing is changed.
    pub fn look(path: &Path) -> Result<Self, StoreFault> {
        guarded(|| {
            let file = DataFile::open(path)?;
            let mut newer = Newer::default();
            if file.is_served()? {
                if !tail_path(path).exists() {
                    return Err(StoreFault::TailMissing);
                }
                newer = unsettled(&file, &tail_file(path, false)?)?;
            }
            Self::of(file, None, newer)
        })
    }

    fn resumed(file: DataFile, storage: impl Storage, shape: Shape) -> Result<Self, StoreFault> {
        let blocks = if file.is_served()? {
            unsettled(&file, &storage)?.blocks
        } else {
            Vec::new()
        };
        let settle: Vec<_> = blocks.into_iter().map(Arc::new).collect();
        let tail = if storage.length().map_err(TailFault::from)? == 0 {
            Tail::create(storage, file.id(), shape)?
        } else {
            match Tail::resume(storage, file.id()) {
                Ok(tail) => tail,
                Err((storage, TailFault::Header | TailFault::Short(_))) if !file.is_served()? => {
                    Tail::create(storage, file.id(), shape)?
                }
                Err((_, fault)) => return Err(fault.into()),
            }
        };
        Self::serving(file, tail, &settle)
    }

    /// Marks the file as served, with what the last process did not settle.
    fn serving(file: DataFile, tail: Tail, settle: &[Arc<Block>]) -> Result<Self, StoreFault> {
        let write = file.begin()?;
        write.append_all(settle)?;
        write.put_served(true)?;
        // From here on the tail may be written over from its beginning.
        write.put_taken_from_tail(None)?;
        write.commit()?;
        let store = Self::of(file, Some(tail), Newer::default())?;
        locked(&store.recent).unsigned = settle.last().cloned();
        Ok(store)
    }

    fn of(file: DataFile, tail: Option<Tail>, newer: Newer) -> Result<Self, StoreFault> {
        let settled = file.read()?.last_seq()?;
        Ok(Self {
            file,
            tail: tail.map(Mutex::new),
            recent: Mutex::new(Recent {
                blocks: newer.blocks.into_iter().map(Arc::new).collect(),
                settled,
                unsigned: None,
            }),
            cut_short: newer.cut_short,
            settling: Mutex::new(()),
            settlers: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            keys: OnceLock::new(),
            settler: OnceLock::new(),
            commits: Histogram::default(),
            settlings: Histogram::default(),
        })
    }

    /// From now on heads are signed as blocks are settled.
    pub fn sign_with(&self, keys: &Arc<Keys>) {
        let _ = self.keys.set(Arc::clone(keys));
    }

    /// The thread that settles, to be woken when there is more to settle than usual.
    pub fn settled_by(&self, thread: Thread) {
        let _ = self.settler.set(thread);
    }

    /// Commits a block together with changes of other tables.
    pub fn append_with(
        &self,
        block: &Block,
        also: impl FnOnce(&Write) -> Result<(), StoreFault>,
    ) -> Result<(), StoreFault> {
        self.settle()?;
        let _one = self.settling();
        self.noting_failure(|| {
            let write = self.file.begin()?;
            also(&write)?;
            write.append(block.first, &block.bytes)?;
            self.sign(&write, block)?;
            write.commit()
        })?;
        let mut recent = locked(&self.recent);
        recent.settled = block.last();
        recent.unsigned = self.keys.get().is_none().then(|| Arc::new(block.clone()));
        Ok(())
    }

    /// Settles everything and marks the data file as whole by itself.
    pub fn close(&self) -> Result<(), StoreFault> {
        self.settle()?;
        let _one = self.settling();
        self.noting_failure(|| {
            let write = self.file.begin()?;
            write.put_served(false)?;
            write.commit()
        })?;
        self.is_closed.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether an operation failed: what is on the disk is not known any more.
    pub fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Takes nothing more: whoever looks after the journal is gone.
    pub fn fail(&self) {
        self.has_failed.store(true, Ordering::Release);
    }

    /// Bytes free on the disk of the file; none if that can't be told.
    pub fn disk_free(&self) -> Option<u64> {
        self.file.disk_free()
    }

    /// How large the data file and the tail are; none if that can't be told.
    pub fn file_bytes(&self) -> Option<[u64; 2]> {
        self.file.file_bytes()
    }

    /// One small commit to the data file beside the journal. The data file has one writer at a
    /// time: what this does must take milliseconds, and it waits while blocks are to be settled.
    pub fn beside<T>(
        &self,
        also: impl FnOnce(&Write) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        while self.settlers.load(Ordering::Acquire) > 0 {
            std::thread::sleep(GIVES_WAY);
        }
        if self.has_failed() {
            return Err(StoreFault::Failed);
        }
        self.noting_failure(|| {
            let write = self.file.begin()?;
            let done = also(&write)?;
            write.commit()?;
            Ok(done)
        })
    }

    /// A consistent view of everything that is durable now.
    pub fn read(&self) -> Result<Read, StoreFault> {
        // In this order: what is settled in between is seen in both, and never in none.
        let recent: Vec<_> = locked(&self.recent).blocks.iter().cloned().collect();
        let file = guarded(|| self.file.read())?;
        Ok(Read {
            file,
            recent,
            cut_short: self.cut_short.clone(),
        })
    }

    fn settling(&self) -> Settling<'_> {
        self.settlers.fetch_add(1, Ordering::AcqRel);
        Settling {
            settlers: &self.settlers,
            _one: locked(&self.settling),
        }
    }

    fn sign(&self, write: &Write, block: &Block) -> Result<(), StoreFault> {
        let Some(keys) = self.keys.get() else {
            return Ok(());
        };
        let (seq, hash, stamp) = (block.last(), block.head, block.stamp);
        let signature = keys.sign_at(seq, &head_message(seq, &hash, stamp)).to_vec();
        write.put_head(&StoredHead {
            seq,
            hash,
            stamp,
            signature,
        })
    }

    fn noting_failure<T>(
        &self,
        work: impl FnOnce() -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        work().inspect_err(|_| self.fail())
    }
}

impl Log for Store {
    fn append(&self, block: Block) -> Result<(), StoreFault> {
        let Some(tail) = &self.tail else {
            let what = "it was opened to be read".to_owned();
            return Err(StoreFault::Damaged(what));
        };
        if self.has_failed() {
            return Err(StoreFault::Failed);
        }
        let began = tick();
        loop {
            let settled = locked(&self.recent).settled;
            let written = self.noting_failure(|| Ok(locked(tail).append(&block, settled)?))?;
            match written {
                Room::Written { begins_segment } => {
                    locked(&self.recent).blocks.push_back(Arc::new(block));
                    if let Some(settler) = self.settler.get().filter(|_| begins_segment) {
                        settler.unpark();
                    }
                    self.commits.note(began.elapsed());
                    return Ok(());
                }
                Room::Full => self.settle()?,
                Room::TooLarge => {
                    return self
                        .append_with(&block, |_| Ok(()))
                        .inspect(|()| self.commits.note(began.elapsed()));
                }
            }
        }
    }

    fn read(&self, from: Seq, look: &mut dyn FnMut(Seq, &[u8]) -> bool) -> Result<(), StoreFault> {
        Store::read(self)?.blocks(from, look)
    }

    fn checkpoint(
        &self,
        state: &State,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StoreFault> {
        self.write_checkpoint(state, goes_on)
    }

    fn settle(&self) -> Result<(), StoreFault> {
        if self.tail.is_none() {
            return Ok(());
        }
        let _one = self.settling();
        let (blocks, unsigned) = {
            let recent = locked(&self.recent);
            let blocks: Vec<_> = recent.blocks.iter().cloned().collect();
            let unsigned = recent
                .unsigned
                .clone()
                .filter(|_| self.keys.get().is_some());
            (blocks, unsigned)
        };
        let Some(last) = blocks.last().cloned().or(unsigned) else {
            return Ok(());
        };
        let began = tick();
        self.noting_failure(|| {
            let write = self.file.begin()?;
            write.append_all(&blocks)?;
            if let Some(newest) = blocks.last() {
                write.put_taken_from_tail(Some(newest.last()))?;
            }
            self.sign(&write, &last)?;
            write.commit()
        })?;
        self.settlings.note(began.elapsed());
        let mut recent = locked(&self.recent);
        recent.blocks.drain(..blocks.len());
        recent.settled = last.last();
        recent.unsigned = self.keys.get().is_none().then_some(last);
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let is_open = self.tail.is_some() && !self.is_closed.load(Ordering::Acquire);
        if is_open && !self.has_failed() && !std::thread::panicking() {
            // What can't be settled now is settled by the next start.
            let _ = self.close();
        }
    }
}

fn tail_path(data_file: &Path) -> std::path::PathBuf {
    data_file.with_extension("tail")
}

fn tail_file(data_file: &Path, is_new: bool) -> Result<File, StoreFault> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(is_new);
    let opened = options.open(tail_path(data_file));
    Ok(opened.map_err(TailFault::from)?)
}

/// The blocks that the tail has and the data file has not.
fn unsettled(file: &DataFile, storage: &impl Storage) -> Result<Newer, StoreFault> {
    let (settled, head) = file.read()?.last()?;
    Ok(newer(
        storage,
        file.id(),
        settled,
        &head,
        file.taken_from_tail()?,
    )?)
}
