//! Reading the data file: blocks, heads, checkpoints, roster and vault, and the copy of all of it.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable as _, TableDefinition, WriteTransaction};

use super::*;

/// A consistent view of the data file.
pub struct FileView {
    pub(super) transaction: ReadTransaction,
}

impl FileView {
    /// Hands each block from the one that holds `from` to `look`, in order, until it says stop.
    pub fn blocks(
        &self,
        from: Seq,
        look: &mut dyn FnMut(Seq, &[u8]) -> bool,
    ) -> Result<(), StoreFault> {
        let table = self.transaction.open_table(JOURNAL)?;
        let start = table.range(..=from.0)?.next_back().transpose()?;
        let start = start.map_or(0, |(first, _)| first.value());
        for block in table.range(start..)? {
            let (first, bytes) = block?;
            if !look(Seq(first.value()), bytes.value()) {
                break;
            }
        }
        Ok(())
    }

    /// The sequence of the last entry; 0 if there is none.
    pub fn last_seq(&self) -> Result<Seq, StoreFault> {
        let table = self.transaction.open_table(JOURNAL)?;
        let last = table.last()?;
        let last = last.map(|(first, block)| first.value() + entries(block.value()).count() as u64);
        Ok(Seq(last.map_or(0, |behind| behind - 1)))
    }

    /// The sequence and hash of the last entry; of none if there is no entry yet.
    pub fn last(&self) -> Result<(Seq, Hash), StoreFault> {
        let table = self.transaction.open_table(JOURNAL)?;
        let Some((first, block)) = table.last()? else {
            return Ok((Seq(0), Hash::NONE));
        };
        let (mut seq, mut hash) = (first.value().saturating_sub(1), Hash::NONE);
        for bytes in entries(block.value()) {
            hash = Hash::of(bytes.map_err(StoreFault::Damaged)?);
            seq += 1;
        }
        Ok((Seq(seq), hash))
    }

    /// The newest checkpoint, if there is one.
    pub fn checkpoint(&self) -> Result<Option<Mark>, StoreFault> {
        let Some(mark) = self.transaction.open_table(META)?.get("checkpoint")? else {
            return Ok(None);
        };
        from_bytes(mark.value(), "the mark of the checkpoint").map(Some)
    }

    /// Hands the parts of a checkpoint to `look`, some at a time, until it says stop.
    pub fn checkpoint_parts(
        &self,
        generation: u64,
        mut look: impl FnMut(&[Vec<u8>]) -> bool,
    ) -> Result<(), StoreFault> {
        let table = self.transaction.open_table(CHECKPOINT)?;
        let (mut parts, mut bytes) = (Vec::new(), 0);
        for part in table.range((generation, 0)..(generation + 1, 0))? {
            let part = part?.1.value().to_vec();
            bytes += part.len();
            parts.push(part);
            if bytes >= READ_BYTES {
                if !look(&parts) {
                    return Ok(());
                }
                parts.clear();
                bytes = 0;
            }
        }
        look(&parts);
        Ok(())
    }

    pub fn last_head(&self) -> Result<Option<StoredHead>, StoreFault> {
        let table = self.transaction.open_table(HEADS)?;
        let last = table.last()?;
        last.map(|(seq, bytes)| head_of(seq.value(), bytes.value()))
            .transpose()
    }

    /// Hands every head to `look`, oldest first.
    pub fn heads(&self, mut look: impl FnMut(StoredHead)) -> Result<(), StoreFault> {
        for head in self.transaction.open_table(HEADS)?.iter()? {
            let (seq, bytes) = head?;
            look(head_of(seq.value(), bytes.value())?);
        }
        Ok(())
    }

    /// The heads of entries behind that one, oldest first.
    pub fn heads_after(&self, seq: Seq) -> Result<Vec<StoredHead>, StoreFault> {
        let table = self.transaction.open_table(HEADS)?;
        let mut heads = Vec::new();
        for head in table.range(seq.0 + 1..)? {
            let (seq, bytes) = head?;
            heads.push(head_of(seq.value(), bytes.value())?);
        }
        Ok(heads)
    }

    /// Version, groups and regions of the roster in force as bytes, and whether its digest covers
    /// the people who left.
    pub fn roster_names(&self) -> Result<Option<(Vec<u8>, bool)>, StoreFault> {
        let meta = self.transaction.open_table(META)?;
        let names = meta.get("roster")?.map(|names| names.value().to_vec());
        let covers_left = meta.get(COVERS_LEFT)?.is_some();
        Ok(names.map(|names| (names, covers_left)))
    }

    /// Hands the parts of a version of the roster to `look`, each with its number, until it says
    /// stop.
    pub fn roster_parts(
        &self,
        version: u32,
        mut look: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<(), StoreFault> {
        let table = self.transaction.open_table(ROSTER)?;
        let from = ChunkKey::people(version, 0).number();
        for part in table.range(from..=from | u64::from(u32::MAX))? {
            let (number, bytes) = part?;
            if !look(number.value(), bytes.value()) {
                break;
            }
        }
        Ok(())
    }

    /// The roster in force, if one was imported.
    pub fn roster(&self) -> Result<Option<Roster>, StoreFault> {
        let Some(names) = self.transaction.open_table(META)?.get("roster")? else {
            return Ok(None);
        };
        type Names = (u32, Vec<Vec<String>>, Vec<String>);
        let (version, group_sets, regions): Names = from_bytes(names.value(), "the roster")?;
        let table = self.transaction.open_table(ROSTER)?;
        let chunks = self.chunks_in_force(version)?;
        let mut people = Vec::with_capacity(chunks as usize * ROSTER_CHUNK);
        let mut left = Vec::new();
        let from = ChunkKey::people(version, 0).number();
        for chunk in table.range(from..=from | u64::from(u32::MAX))? {
            let (key, chunk) = chunk?;
            let is_left = ChunkKey::of(key.value()).chunk >= LEFT_CHUNK;
            let into = if is_left { &mut left } else { &mut people };
            into.extend(decode_people(chunk.value()).map_err(damaged)?);
        }
        people.shrink_to_fit();
        let mut roster = Roster::assemble(version, people, group_sets, regions).map_err(damaged)?;
        let covers_left = self.transaction.open_table(META)?.get(COVERS_LEFT)?;
        let form = match covers_left {
            Some(_) => DigestForm::WithLeft,
            None => DigestForm::PeopleAlone,
        };
        roster.restore_left(left, form).map_err(damaged)?;
        Ok(Some(roster))
    }

    /// The version of the roster in force; 0 if none was imported.
    pub fn roster_version(&self) -> Result<u32, StoreFault> {
        let Some(names) = self.transaction.open_table(META)?.get("roster")? else {
            return Ok(0);
        };
        // It is the first of the names: a telephone number is not worth reading all regions.
        let version = postcard::take_from_bytes::<u32>(names.value());
        let version = version.map_err(|error| {
            StoreFault::Damaged(format!("the roster's version can't be read: {error}"))
        })?;
        Ok(version.0)
    }

    fn chunks_in_force(&self, version: u32) -> Result<u64, StoreFault> {
        let table = self.transaction.open_table(ROSTER)?;
        let from = ChunkKey::people(version, 0).number();
        let last = table.range(from..ChunkKey::left(version, 0).number())?;
        let last = last.last().transpose()?;
        Ok(last.map_or(0, |(key, _)| key.value() - from + 1))
    }

    /// How many people the roster has at the most, without reading it.
    pub fn roster_people_max(&self) -> Result<u64, StoreFault> {
        let chunks = self.chunks_in_force(self.roster_version()?)?;
        Ok(chunks * ROSTER_CHUNK as u64)
    }

    /// Whether rows of versions of the roster that are not in force may be stored.
    pub fn is_unswept(&self) -> Result<bool, StoreFault> {
        Ok(self.transaction.open_table(META)?.get("unswept")?.is_some())
    }

    /// Some parts of versions of the roster that are not in force.
    pub fn stale_chunks(&self, most: usize) -> Result<Vec<ChunkKey>, StoreFault> {
        let version = self.roster_version()?;
        let table = self.transaction.open_table(ROSTER)?;
        let before = table.range(..ChunkKey::people(version, 0).number())?;
        let after = table.range(ChunkKey::people(version + 1, 0).number()..)?;
        let mut stale = Vec::new();
        for chunk in before.chain(after).take(most) {
            stale.push(ChunkKey::of(chunk?.0.value()));
        }
        Ok(stale)
    }

    /// The keys of at most so many rows of the vault from `from` on, in order.
    pub fn vault_keys(&self, from: VaultKey, most: usize) -> Result<Vec<VaultKey>, StoreFault> {
        let table = self.transaction.open_table(VAULT)?;
        let mut keys = Vec::new();
        for row in table.range(from.bytes()..)?.take(most) {
            keys.push(VaultKey::of(&row?.0.value()));
        }
        Ok(keys)
    }

    /// Hands the rows of the vault to `look`, in order of key: those of people from `from` on, and
    /// before `until`.
    pub fn vault_rows(
        &self,
        from: Option<PersonKey>,
        until: Option<PersonKey>,
        mut look: impl FnMut(VaultKey, &[u8]),
    ) -> Result<(), StoreFault> {
        let table = self.transaction.open_table(VAULT)?;
        let of = |person| VaultKey { person, version: 0 }.bytes();
        let from = from.map_or(Bound::Unbounded, |person| Bound::Included(of(person)));
        let until = until.map_or(Bound::Unbounded, |person| Bound::Excluded(of(person)));
        for row in table.range((from, until))? {
            let (key, sealed) = row?;
            look(VaultKey::of(&key.value()), sealed.value());
        }
        Ok(())
    }

    /// A person's sealed row of the roster in force, or of the last that they were on.
    pub fn vault(&self, person: PersonKey) -> Result<Option<Vec<u8>>, StoreFault> {
        let table = self.transaction.open_table(VAULT)?;
        let key = |version| VaultKey { person, version }.bytes();
        let mut rows = table.range(key(0)..=key(self.roster_version()?))?;
        let newest = rows.next_back().transpose()?;
        Ok(newest.map(|(_, sealed)| sealed.value().to_vec()))
    }

    /// Copies everything and the blocks behind it into a new data file at `path`, which must not
    /// exist. The copy is closed, and has an id of its own.
    pub fn copy_to(&self, path: &Path, newer: &[Arc<Block>]) -> Result<(), StoreFault> {
        let copy = DataFile::create(path)?;
        let write = copy.begin()?;
        copy_table(&self.transaction, &write.transaction, JOURNAL)?;
        copy_table(&self.transaction, &write.transaction, HEADS)?;
        copy_table(&self.transaction, &write.transaction, ROSTER)?;
        copy_table(&self.transaction, &write.transaction, VAULT)?;
        copy_table(&self.transaction, &write.transaction, META)?;
        write.put_served(false)?;
        // A copy has no checkpoint: what it is made of is replayed where it is used.
        let mut meta = write.transaction.open_table(META)?;
        meta.insert("id", copy.id.as_slice())?;
        meta.remove("checkpoint")?;
        drop(meta);
        write.append_all(newer)?;
        write.commit()
    }
}

fn copy_table<K: redb::Key, V: redb::Value>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<K, V>,
) -> Result<(), StoreFault> {
    let (from, mut to) = (from.open_table(table)?, to.open_table(table)?);
    for row in from.iter()? {
        let (key, value) = row?;
        to.insert(key.value(), value.value())?;
    }
    Ok(())
}

/// A head as stored under a sequence. One that says another sequence would hide behind the head
/// that really has it.
fn head_of(seq: u64, bytes: &[u8]) -> Result<StoredHead, StoreFault> {
    let head: StoredHead = from_bytes(bytes, "a head")?;
    if head.seq.0 == seq {
        return Ok(head);
    }
    let what = format!(
        "the signed head of entry {seq} says that it is of entry {}",
        head.seq
    );
    Err(StoreFault::Damaged(what))
}
