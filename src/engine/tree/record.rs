//! What the tree has made durable, for those who ask for checkpoints and proofs.
//!
//! Every proof is checked against the checkpoint before it is given. One that can't be made makes
//! the follower write the tiles anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::audit::tiles::{TileFault, TileFolder};
use crate::domain::entry::Hash;
use crate::domain::ids::Seq;
use crate::tree::checkpoint::Signed;
use crate::tree::note::VerifierKey;
use crate::tree::proof;
use crate::tree::text::{Continuation, Inclusion};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum NotProved {
    /// No checkpoint has the entry yet; the newest has so many.
    #[error("the newest checkpoint has {size} entries: a later entry is in one within seconds")]
    NotYet { size: u64 },
    #[error("no older checkpoint has {old} entries: the newest has {size}")]
    TooLarge { old: u64, size: u64 },
    #[error("the tree's tiles are not whole ({0}): they are written anew, ask again in a minute")]
    Tiles(#[from] TileFault),
}

/// The tree as it is published.
#[derive(Debug)]
pub struct Record {
    folder: TileFolder,
    origin: String,
    /// Of the newest checkpoint.
    key: ArcSwap<VerifierKey>,
    latest: ArcSwapOption<Signed>,
    /// A proof could not be made out of the tiles.
    is_suspect: AtomicBool,
}

impl Record {
    pub(super) fn new(folder: &Path, key: VerifierKey) -> Self {
        Self {
            folder: TileFolder::at(folder),
            origin: key.name().to_owned(),
            key: ArcSwap::from_pointee(key),
            latest: ArcSwapOption::empty(),
            is_suspect: AtomicBool::new(false),
        }
    }

    pub fn folder(&self) -> &TileFolder {
        &self.folder
    }

    /// The name of the record, in checkpoints and keys.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The public key of the newest checkpoint, with the origin as its name.
    pub fn key(&self) -> Arc<VerifierKey> {
        self.key.load_full()
    }

    pub(super) fn put_key(&self, key: VerifierKey) {
        self.key.store(Arc::new(key));
    }

    /// The newest checkpoint; none before the first.
    pub fn latest(&self) -> Option<Arc<Signed>> {
        self.latest.load_full()
    }

    pub(super) fn publish(&self, signed: Signed) {
        self.latest.store(Some(Arc::new(signed)));
    }

    /// What was published is of another journal.
    pub(super) fn retract(&self) {
        self.latest.store(None);
    }

    pub(super) fn take_suspicion(&self) -> bool {
        self.is_suspect.swap(false, Ordering::AcqRel)
    }

    /// Proves that the newest checkpoint has the entry of this leaf.
    pub fn prove(&self, seq: Seq, leaf: &Hash) -> Result<Inclusion, NotProved> {
        let signed = self.latest().ok_or(NotProved::NotYet { size: 0 })?;
        let checkpoint = &signed.checkpoint;
        let (index, size) = (seq.0 - 1, checkpoint.size);
        if index >= size {
            return Err(NotProved::NotYet { size });
        }
        let hashes = proof::inclusion(index, size, &mut self.folder.nodes(size));
        let hashes = hashes.map_err(|fault| self.suspected(fault))?;
        if !proof::is_included(leaf, index, size, &checkpoint.root, &hashes) {
            return Err(self.suspected(TileFault::Root));
        }
        Ok(Inclusion {
            extra: None,
            index,
            hashes,
            note: signed.note.to_string(),
        })
    }

    /// The newest checkpoint, with the proof that it continues the one of `old` entries.
    pub fn continued(&self, old: u64) -> Result<Continuation, NotProved> {
        let signed = self.latest().ok_or(NotProved::NotYet { size: 0 })?;
        let size = signed.checkpoint.size;
        if old > size {
            return Err(NotProved::TooLarge { old, size });
        }
        let mut nodes = self.folder.nodes(size);
        let hashes = proof::consistency(old, size, &mut nodes);
        let hashes = hashes.map_err(|fault| self.suspected(fault))?;
        let root = proof::root(old, &mut nodes).map_err(|fault| self.suspected(fault))?;
        let new = (size, &signed.checkpoint.root);
        if !proof::is_consistent((old, &root), new, &hashes) {
            return Err(self.suspected(TileFault::Root));
        }
        let note = signed.note.to_string();
        Ok(Continuation { old, hashes, note })
    }

    fn suspected(&self, fault: TileFault) -> NotProved {
        self.is_suspect.store(true, Ordering::Release);
        fault.into()
    }
}
