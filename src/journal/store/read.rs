//! A view of the journal: the data file and the blocks that are not settled, as one. However the
//! data file is damaged, reading it is a fault and no panic.

use std::path::Path;
use std::sync::Arc;

use super::{ChunkKey, StoreFault, StoredHead, VaultKey};
use crate::domain::entry::{Entry, Hash};
use crate::domain::ids::{PersonKey, Seq};
use crate::domain::roster::Roster;
use crate::domain::time::Stamp;
use crate::journal::block::{Block, entries};
use crate::journal::data_file::FileView;
use crate::journal::guard::guarded;
use crate::journal::tail::CutShort;

/// A view of data file and tail.
pub struct Read {
    pub(super) file: FileView,
    pub(super) recent: Vec<Arc<Block>>,
    /// What lies behind the last entry and is not whole.
    pub cut_short: Option<CutShort>,
}

impl Read {
    /// Hands each block from the one that holds `from` to `look`, in order, until it says stop.
    pub fn blocks(
        &self,
        from: Seq,
        mut look: impl FnMut(Seq, &[u8]) -> bool,
    ) -> Result<(), StoreFault> {
        let is_recent = self.recent.first().is_some_and(|block| block.first <= from);
        let mut behind_file = Seq(0);
        if !is_recent {
            let mut goes_on = true;
            guarded(|| {
                self.file.blocks(from, &mut |first, block| {
                    goes_on = look(first, block);
                    goes_on
                })
            })?;
            if !goes_on || self.recent.is_empty() {
                return Ok(());
            }
            behind_file = guarded(|| self.file.last_seq())?;
        }
        let is_behind = |block: &&Arc<Block>| block.first > behind_file && block.last() >= from;
        for block in self.recent.iter().filter(is_behind) {
            if !look(block.first, &block.bytes) {
                break;
            }
        }
        Ok(())
    }

    /// The bytes of the entry of that sequence, if it is in the journal.
    pub fn bytes(&self, seq: Seq) -> Result<Option<Vec<u8>>, StoreFault> {
        let mut found = Ok(None);
        self.blocks(seq, |first, block| {
            let at = seq.0.checked_sub(first.0).map(|at| at as usize);
            let bytes = at.and_then(|at| entries(block).nth(at)).transpose();
            let bytes = bytes.map(|bytes| bytes.map(<[u8]>::to_vec));
            found = bytes.map_err(StoreFault::Damaged);
            false
        })?;
        found
    }

    /// The entry of that sequence, if it is in the journal.
    pub fn entry(&self, seq: Seq) -> Result<Option<Entry>, StoreFault> {
        let bytes = self.bytes(seq)?;
        let entry = bytes.map(|bytes| Entry::decode(&bytes)).transpose();
        entry.map_err(|fault| StoreFault::Damaged(format!("entry {seq} {fault}")))
    }

    /// The last entry; 0 if there is none.
    pub fn last_seq(&self) -> Result<Seq, StoreFault> {
        let settled = guarded(|| self.file.last_seq())?;
        Ok(self
            .recent
            .last()
            .map_or(settled, |block| block.last().max(settled)))
    }

    /// The first entry of a stamp, or where it would be: stamps never go back.
    pub fn first_at(&self, stamp: Stamp) -> Result<Seq, StoreFault> {
        let (mut from, mut until) = (1, self.last_seq()?.0 + 1);
        while from < until {
            let middle = from + (until - from) / 2;
            let bytes = self.bytes(Seq(middle))?;
            let there = bytes.as_deref().and_then(Entry::place_of);
            match there {
                Some((_, there)) if there < stamp => from = middle + 1,
                _ => until = middle,
            }
        }
        Ok(Seq(from))
    }

    pub fn last_head(&self) -> Result<Option<StoredHead>, StoreFault> {
        guarded(|| self.file.last_head())
    }

    /// The hash of an entry, if it is in the journal; of none before the first.
    pub fn hash_at(&self, seq: Seq) -> Result<Option<Hash>, StoreFault> {
        if seq == Seq(0) {
            return Ok(Some(Hash::NONE));
        }
        let mut hash = None;
        self.blocks(seq, |first, block| {
            let at = seq.0.checked_sub(first.0).map(|at| at as usize);
            let found = at.and_then(|at| entries(block).nth(at));
            hash = found.and_then(Result::ok).map(Hash::of);
            false
        })?;
        Ok(hash)
    }

    /// Hands every head to `look`, oldest first.
    pub fn heads(&self, look: impl FnMut(StoredHead)) -> Result<(), StoreFault> {
        guarded(|| self.file.heads(look))
    }

    /// The heads of entries behind that one, oldest first.
    pub fn heads_after(&self, seq: Seq) -> Result<Vec<StoredHead>, StoreFault> {
        guarded(|| self.file.heads_after(seq))
    }

    /// Version, groups and regions of the roster in force as bytes, and whether its digest covers
    /// the people who left.
    pub fn roster_names(&self) -> Result<Option<(Vec<u8>, bool)>, StoreFault> {
        guarded(|| self.file.roster_names())
    }

    /// Hands the parts of a version of the roster to `look`, each with its number, until it says
    /// stop.
    pub fn roster_parts(
        &self,
        version: u32,
        look: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), StoreFault> {
        guarded(|| self.file.roster_parts(version, look))
    }

    /// The roster in force, if one was imported.
    pub fn roster(&self) -> Result<Option<Roster>, StoreFault> {
        guarded(|| self.file.roster())
    }

    /// How many people the roster has at the most, without reading it.
    pub fn roster_people_max(&self) -> Result<u64, StoreFault> {
        guarded(|| self.file.roster_people_max())
    }

    /// The version of the roster in force; 0 if none was imported.
    pub fn roster_version(&self) -> Result<u32, StoreFault> {
        guarded(|| self.file.roster_version())
    }

    /// Whether rows of versions of the roster that are not in force may be stored.
    pub fn is_unswept(&self) -> Result<bool, StoreFault> {
        guarded(|| self.file.is_unswept())
    }

    /// Some parts of versions of the roster that are not in force.
    pub fn stale_chunks(&self, most: usize) -> Result<Vec<ChunkKey>, StoreFault> {
        guarded(|| self.file.stale_chunks(most))
    }

    /// The keys of at most so many rows of the vault from `from` on, in order.
    pub fn vault_keys(&self, from: VaultKey, most: usize) -> Result<Vec<VaultKey>, StoreFault> {
        guarded(|| self.file.vault_keys(from, most))
    }

    /// Hands the rows of the vault to `look`, in order of key: those of people from `from` on, and
    /// before `until`.
    pub fn vault_rows(
        &self,
        from: Option<PersonKey>,
        until: Option<PersonKey>,
        look: impl FnMut(VaultKey, &[u8]),
    ) -> Result<(), StoreFault> {
        guarded(|| self.file.vault_rows(from, until, look))
    }

    /// A person's sealed row.
    pub fn vault(&self, person: PersonKey) -> Result<Option<Vec<u8>>, StoreFault> {
        guarded(|| self.file.vault(person))
    }

    /// Copies everything into a new data file at `path`, which must not exist; it needs no tail.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreFault> {
        let settled = guarded(|| self.file.last_seq())?;
        let newer = self.recent.iter().filter(|block| block.first > settled);
        let newer: Vec<_> = newer.cloned().collect();
        guarded(|| self.file.copy_to(path, &newer))
    }
}
