//! The tree over the journal: a follower that writes hash tiles and signs checkpoints.
//!
//! It reads behind the writer, hashes each entry's bytes as a leaf, and writes what became full and
//! the right edge into `tree/` of the data folder, which has the layout of C2SP tlog-tiles. Only
//! hashes and signed heads are in it. `position` says up to which entry, of which hash, it is
//! written.
//!
//! Invariants: a checkpoint is signed only for entries that are committed, and never for fewer than
//! an earlier one of the same journal. Nothing is synced, so the writer's syncs wait for nothing:
//! what a power cut takes is noticed by the look at every tile after each start, and the tree is
//! written again from the journal. A folder of a journal that this one does not continue is set
//! aside whole.

pub mod prove;
mod record;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::follow::{FollowFault, Follower, Following, Piece};
use super::shared::Shared;
use crate::audit::tiles::{CHECKPOINT, TileFault, replace};
use crate::domain::entry::{Entry, Hash};
use crate::domain::ids::Seq;
use crate::journal::store::Store;
use crate::keys::Keys;
use crate::tree::checkpoint::{Checkpoint, Signed};
use crate::tree::edge::Edge;
use crate::tree::note::{NoteFault, VerifierKey};
use crate::tree::tile::Tile;
use crate::tree::{default_origin, leaf};

pub use record::{NotProved, Record};

/// The public key of a journal's checkpoints: by the origin of the settings, or its own.
///
/// # Errors
/// When no key may have that origin for its name.
pub fn key_of(
    keys: &Keys,
    shared: &Shared,
    origin: Option<&str>,
) -> Result<VerifierKey, NoteFault> {
    let founded = shared.state().founded;
    let founding_key =
        founded.map_or_else(|| keys.founding_public_key(), |known| known.head_public_key);
    let own = default_origin(&founding_key);
    keys.checkpoint_key(origin.unwrap_or(&own), shared.state().seq.0)
}

/// The follower's name in the metrics.
pub const NAME: &str = "tree";
const POSITION: &str = "position";
const TILES: &str = "tile";
/// How soon an entry is in a checkpoint. Signing takes 20 µs and nothing is synced.
const SETTLE: Duration = Duration::from_secs(2);
/// Tiles that are looked at each second: after a start, until all were (20 million entries in a
/// minute), and from then on.
const LOOKS_FIRST: usize = 1_500;
const LOOKS: usize = 20;

/// Starts to write the tree into `folder`; `key` is what checkpoints are signed with.
pub fn start(
    store: Arc<Store>,
    shared: &Arc<Shared>,
    keys: Arc<Keys>,
    key: VerifierKey,
    folder: &Path,
) -> Result<Following, FollowFault> {
    let record = shared
        .record
        .get_or_init(|| Arc::new(Record::new(folder, key)));
    let record = Arc::clone(record);
    let begin = move |store: &Store| Growing::resume(store, &record, &keys);
    Following::start(NAME, store, shared, begin)
}

/// Brings the tree of a folder at rest up to the last entry.
pub fn catch_up(
    store: &Store,
    shared: &Shared,
    keys: &Arc<Keys>,
    key: VerifierKey,
    folder: &Path,
) -> Result<(), FollowFault> {
    let record = shared
        .record
        .get_or_init(|| Arc::new(Record::new(folder, key)));
    let mut growing = Growing::resume(store, record, keys)?;
    let mut piece = Piece::default();
    loop {
        let is_more = piece.read(store, growing.next())?;
        growing.take(&piece)?;
        if !is_more {
            growing.settle()?;
            return Ok(());
        }
    }
}

/// What `position` holds: the tree's leaves, the last entry's hash, and the root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Position {
    seq: u64,
    hash: String,
    root: String,
}

struct Growing {
    record: Arc<Record>,
    keys: Arc<Keys>,
    edge: Edge,
    /// The hash of the last entry that was taken.
    last: Hash,
    /// Full tiles that are not written yet.
    full: Vec<(Tile, Vec<u8>)>,
    /// The leaves that `position` says are written.
    settled: u64,
    looking: Looking,
}

/// Which tile is looked at next, and how many a second.
#[derive(Default)]
struct Looking {
    level: u32,
    index: u64,
    /// All tiles were looked at since the start.
    is_round: bool,
}

impl Follower for Growing {
    const SETTLE: Duration = SETTLE;

    fn next(&self) -> Seq {
        Seq(self.edge.size() + 1)
    }

    fn take(&mut self, piece: &Piece) -> Result<(), FollowFault> {
        self.write_full()?;
        let signed = self
            .record
            .latest()
            .map_or(0, |signed| signed.checkpoint.size);
        let mut last = None;
        for (seq, bytes) in piece.entries() {
            if Entry::place_of(bytes).map(|place| place.0) != Some(seq) {
                let what = "it says that it is another one".to_owned();
                return Err(FollowFault::Entry { seq, what });
            }
            let full = &mut self.full;
            self.edge
                .push(leaf(bytes), &mut |tile, bytes| full.push((tile, bytes)));
            last = Some(bytes);
            if seq.0 == signed && !self.leads_to_signed() {
                self.set_aside()?;
                // Tiles that were written so far went with them.
                return self.begin_anew();
            }
        }
        // One for a piece: the position is compared with the journal's entry.
        self.last = last.map_or(self.last, Hash::of);
        self.write_full()
    }

    fn settle(&mut self) -> Result<Seq, FollowFault> {
        let size = self.edge.size();
        if size == self.settled {
            return Ok(Seq(size));
        }
        self.write_full()?;
        for (tile, bytes) in self.edge.partial() {
            self.wrote(self.record.folder().write(tile, bytes))?;
        }
        let root = self.edge.root();
        let position = Position {
            seq: size,
            hash: self.last.to_string(),
            root: root.to_string(),
        };
        let position = serde_json::to_vec(&position).expect("a position has a JSON form");
        let path = self.record.folder().path().join(POSITION);
        self.wrote(replace(&path, &position))?;
        self.sign(size, root)?;
        self.settled = size;
        Ok(Seq(size))
    }

    fn look(&mut self, _store: &Store) -> Result<(), FollowFault> {
        let is_there = self.settled == 0 || self.record.folder().path().join(POSITION).exists();
        let looked = if self.record.take_suspicion() || !is_there {
            Err("a proof or the position can't be made out of the tiles".to_owned())
        } else {
            let looks = if self.looking.is_round {
                LOOKS
            } else {
                LOOKS_FIRST
            };
            (0..looks)
                .try_for_each(|_| self.look_at_next())
                .map_err(|fault| fault.to_string())
        };
        if let Err(why) = looked {
            tracing::error!(why, "the tree's tiles are not whole: writing them anew");
            self.begin_anew()?;
        }
        Ok(())
    }
}

impl Growing {
    /// Goes on where the folder says, if it is of this journal and its edge is whole.
    fn resume(store: &Store, record: &Arc<Record>, keys: &Arc<Keys>) -> Result<Self, FollowFault> {
        let folder = record.folder();
        let mut growing = Self {
            record: Arc::clone(record),
            keys: Arc::clone(keys),
            edge: Edge::default(),
            last: Hash::NONE,
            full: Vec::new(),
            settled: 0,
            looking: Looking::default(),
        };
        growing.wrote(fs::create_dir_all(folder.path()))?;
        let read = store.read()?;
        let position = growing.wrote(position(folder.path()))?;
        growing.resume_signed();
        let signed = record.latest().map_or(0, |signed| signed.checkpoint.size);
        let is_known = |position: &Position| -> Result<bool, FollowFault> {
            let hash = read.hash_at(Seq(position.seq))?;
            Ok(hash.map(|hash| hash.to_string()).as_ref() == Some(&position.hash))
        };
        let is_of_this = position.as_ref().map_or(Ok(true), is_known)?;
        if !is_of_this || read.hash_at(Seq(signed))?.is_none() {
            growing.set_aside()?;
            return Ok(growing);
        }
        let Some(Position { seq, hash, root }) = position else {
            return Ok(growing);
        };
        match Edge::of(seq, &mut &*folder) {
            Ok(edge) if edge.root().to_string() == root => {
                growing.edge = edge;
                growing.settled = seq;
                growing.last = Hash::parse(&hash).unwrap_or(Hash::NONE);
                growing.sign(seq, growing.edge.root())?;
            }
            Ok(_) => tracing::error!("the tree's edge was changed: writing the tiles anew"),
            Err(fault) => tracing::error!(%fault, "the tree is not whole: writing it anew"),
        }
        Ok(growing)
    }

    /// Takes up the checkpoint that was signed last, so that none of fewer entries is signed.
    fn resume_signed(&self) {
        let text = self.record.folder().checkpoint().ok().flatten();
        let signed = text.and_then(|text| {
            let size = Signed::unchecked(&text).ok()?.checkpoint.size;
            let key = self.keys.checkpoint_key(self.record.origin(), size).ok()?;
            Signed::open(&text, &key).ok()
        });
        if let Some(signed) = signed {
            self.record.publish(signed);
        }
    }

    /// Whether the tree so far is the one that was signed last, for as many entries.
    fn leads_to_signed(&self) -> bool {
        let latest = self.record.latest();
        latest.is_none_or(|signed| signed.checkpoint.root == self.edge.root())
    }

    /// Signs and publishes a checkpoint, unless one of as many entries was.
    fn sign(&self, size: u64, root: Hash) -> Result<(), FollowFault> {
        let latest = self.record.latest();
        if latest.is_some_and(|signed| signed.checkpoint.size >= size) {
            return Ok(());
        }
        let origin = self.record.origin().to_owned();
        // The key of heads may have been replaced since the last one.
        let key = self.keys.checkpoint_key(&origin, size);
        let key = key.expect("the origin was the name of a key before");
        let checkpoint = Checkpoint { origin, size, root };
        let signed = self.keys.sign_checkpoint(checkpoint, &key);
        let note = signed.note.to_string();
        self.wrote(self.record.folder().put_checkpoint(&note))?;
        self.record.put_key(key);
        self.record.publish(signed);
        Ok(())
    }

    fn write_full(&mut self) -> Result<(), FollowFault> {
        while let Some((tile, bytes)) = self.full.last() {
            self.wrote(self.record.folder().write(*tile, bytes))?;
            self.full.pop();
        }
        Ok(())
    }

    /// Looks at one tile, and goes round.
    fn look_at_next(&mut self) -> Result<(), TileFault> {
        let Looking { level, index, .. } = self.looking;
        let full = |level: u32| self.settled >> (8 * (level + 1));
        if index < full(level) {
            self.looking.index += 1;
            return self
                .record
                .folder()
                .check_one(Tile::full(level, index), self.settled);
        }
        self.looking.index = 0;
        if full(level) == 0 {
            self.looking.level = 0;
            self.looking.is_round = true;
        } else {
            self.looking.level = level + 1;
        }
        Ok(())
    }

    /// Forgets everything, so that all tiles are written again.
    fn begin_anew(&mut self) -> Result<(), FollowFault> {
        self.wrote(fs::create_dir_all(self.record.folder().path()))?;
        (self.edge, self.last, self.settled) = (Edge::default(), Hash::NONE, 0);
        self.full.clear();
        self.looking = Looking::default();
        Ok(())
    }

    /// Moves what is of another journal into a folder of its own.
    fn set_aside(&self) -> Result<(), FollowFault> {
        self.record.retract();
        let folder = self.record.folder().path();
        let aside = (1..)
            .map(|number: u32| folder.join(format!("set-aside-{number}")))
            .find(|aside| !aside.exists())
            .unwrap_or_else(|| folder.join("set-aside"));
        self.wrote(fs::create_dir(&aside))?;
        // The position goes last: as long as it is there, a start finds the same again.
        for name in [TILES, CHECKPOINT, POSITION] {
            match fs::rename(folder.join(name), aside.join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                moved => self.wrote(moved)?,
            }
        }
        tracing::error!(
            set_aside = %aside.display(),
            "the tree has entries that the journal has not: was an older backup restored? its \
             checkpoints and tiles were set aside, and the tree is written anew; who kept one of \
             those checkpoints will see that this journal does not continue it"
        );
        Ok(())
    }

    fn wrote<T>(&self, done: io::Result<T>) -> Result<T, FollowFault> {
        done.map_err(|error| FollowFault::File {
            what: format!(
                "can't use the tree's folder ({})",
                self.record.folder().path().display()
            ),
            error,
        })
    }
}

/// The position in a folder, if there is one that can be read.
fn position(folder: &Path) -> io::Result<Option<Position>> {
    let path: PathBuf = folder.join(POSITION);
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
