//! The data file: the only place that names redb.
//!
//! Tables: `journal` holds settled blocks, each under the sequence of its first entry; `heads` the
//! signed heads; `roster` people in chunks, by version of the roster; `vault` their sealed names
//! and telephone numbers, by person and the version that brought them; `checkpoint` the parts of
//! the newest checkpoint; `meta` the format of the file, its id, whether it is being served, which
//! version of the roster is in force, and whether rows of other versions are to be swept out.
//!
//! Every commit is durable and saves the allocator's state, so that opening after a crash needs no
//! repair.

mod view;

pub use view::FileView;

use std::fs::OpenOptions;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    WriteTransaction,
};
use serde::{Deserialize, Serialize};

use super::block::{Block, entries};
use super::checkpoint::Mark;
use super::guard::guarded;
use super::storage::{Storage, Unsynced};
use super::tail::{FileId, TailFault};
use crate::clock::Entropy;
use crate::domain::entry::Hash;
use crate::domain::ids::{PersonKey, Seq};
use crate::domain::roster::{
    DigestForm, Roster, RosterFault, RosterPerson, decode_people, encode_people,
};
use crate::domain::time::Stamp;

const JOURNAL: TableDefinition<u64, &[u8]> = TableDefinition::new("journal");
const HEADS: TableDefinition<u64, &[u8]> = TableDefinition::new("heads");
const ROSTER: TableDefinition<u64, &[u8]> = TableDefinition::new("roster");
const VAULT: TableDefinition<[u8; VAULT_KEY_BYTES], &[u8]> = TableDefinition::new("vault");
/// Parts of checkpoints, by generation and number.
const CHECKPOINT: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("checkpoint");
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
/// In `meta`: the digest of the roster in force covers the people who left too.
const COVERS_LEFT: &str = "roster-covers-left";

/// In `meta`: the last entry that was taken from the tail.
const TAKEN_FROM_TAIL: &str = "taken-from-tail";

/// The layout of the tables; a program that reads another refuses the file.
const FORMAT: u32 = 2;
/// 64 MiB of pages: the journal is appended to and read in order, so more would hold nothing
/// useful.
const CACHE_BYTES: usize = 64 << 20;
/// Blocks of the tail are joined up to this size: whoever looks for one entry reads one value.
const JOINED_BYTES: usize = 64 << 10;
/// Parts of an old checkpoint that one commit removes.
const REMOVED_PARTS_MAX: usize = 64;
/// Parts of a checkpoint that are decoded together, on all cores.
const READ_BYTES: usize = 32 << 20;
/// 8,192 people of 36 bytes: a value of about 290 kB.
pub const ROSTER_CHUNK: usize = 8_192;
/// Chunks from this number on hold the people who left with something active.
const LEFT_CHUNK: u32 = 1 << 31;
/// A person's key and, big-endian, the version of the roster that brought the row.
pub const VAULT_KEY_BYTES: usize = 16 + 4;

/// Why the data file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    #[error(
        "{path} does not exist: run `sumun init --data DIR` first or, if there was one, restore a \
         backup (a sumun.tail that lies there belongs to the lost file: keep it)"
    )]
    Missing { path: String },
    #[error("the data file is in use by another process: a server runs on this folder")]
    InUse,
    #[error("the data file has format {0}, this program reads {FORMAT}")]
    Format(u32),
    #[error("the data file is damaged: {0}")]
    Damaged(String),
    #[error("sumun.tail, the newest part of the journal: {0}")]
    Tail(#[from] TailFault),
    #[error(
        "sumun.tail is missing: the last server on this folder did not stop in good order, and its \
         newest entries are in that file; put it back beside sumun.redb, or restore a backup"
    )]
    TailMissing,
    #[error("an operation on the data file failed before")]
    Failed,
    #[error("the data file can't be read or written: {0}")]
    Storage(#[source] Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for StoreFault {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Corrupted(what) => Self::Damaged(what),
            other => Self::Storage(Box::new(other)),
        }
    }
}

/// A head as stored: the hash and stamp of the entry `seq` and their signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredHead {
    pub seq: Seq,
    pub hash: Hash,
    pub stamp: Stamp,
    pub signature: Vec<u8>,
}

/// Whose row of the vault it is, and which version of the roster brought it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct VaultKey {
    pub person: PersonKey,
    pub version: u32,
}

impl VaultKey {
    /// Before every other.
    pub const FIRST: Self = Self {
        person: PersonKey([0; 16]),
        version: 0,
    };

    pub fn bytes(self) -> [u8; VAULT_KEY_BYTES] {
        let mut bytes = [0; VAULT_KEY_BYTES];
        let (person, version) = bytes.split_at_mut(16);
        person.copy_from_slice(&self.person.0);
        version.copy_from_slice(&self.version.to_be_bytes());
        bytes
    }

    pub fn of(bytes: &[u8; VAULT_KEY_BYTES]) -> Self {
        let (person, version) = bytes.split_at(16);
        Self {
            person: PersonKey(person.try_into().expect("16 of 20 bytes")),
            version: u32::from_be_bytes(version.try_into().expect("4 of 20 bytes")),
        }
    }
}

/// A part of the people of one version of the roster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkKey {
    pub version: u32,
    chunk: u32,
}

impl ChunkKey {
    /// A part of the people on the roster.
    pub fn people(version: u32, chunk: u32) -> Self {
        Self { version, chunk }
    }

    /// A part of the people who left with something active.
    pub fn left(version: u32, chunk: u32) -> Self {
        let chunk = LEFT_CHUNK + chunk;
        Self { version, chunk }
    }

    fn number(self) -> u64 {
        u64::from(self.version) << 32 | u64::from(self.chunk)
    }

    pub fn of(number: u64) -> Self {
        Self {
            version: (number >> 32) as u32,
            chunk: number as u32,
        }
    }
}

/// redb writes once more when it is dropped, and panics then too where the file is damaged.
struct Open(Option<Database>);

impl Deref for Open {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let database = self.0.take();
        // Nobody waits for what it would say; what it could not write the next start mends.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

/// The open data file. Dropping it releases the file.
pub struct DataFile {
    database: Open,
    /// Where it lies; none for storage that is not a file.
    path: Option<PathBuf>,
    id: FileId,
}

impl DataFile {
    /// Makes an empty data file; refuses one that exists.
    pub fn create(path: &Path) -> Result<Self, StoreFault> {
        absent(path)?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)?;
        Self::founded(database, Some(path), Entropy::system().bytes())
    }

    /// Makes an empty data file whose commits do not wait for the disk: for a file that is thrown
    /// away, or that its maker syncs once, when it is whole. A large sync stops those of a server
    /// on the same disk.
    pub fn create_unsynced(path: &Path) -> Result<Self, StoreFault> {
        absent(path)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(redb::Error::Io)?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(OnStorage(Unsynced(file)))?;
        Self::founded(database, Some(path), Entropy::system().bytes())
    }

    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        if !path.exists() {
            return Err(StoreFault::Missing {
                path: path.display().to_string(),
            });
        }
        let database = Database::builder().set_cache_size(CACHE_BYTES).open(path)?;
        Self::checked(database, Some(path))
    }

    /// Opens or makes a data file on any storage, with this id if it is new.
    pub fn on(storage: impl Storage, id: FileId) -> Result<Self, StoreFault> {
        let mut builder = Database::builder();
        builder.set_cache_size(1 << 20);
        let database = builder.create_with_backend(OnStorage(storage))?;
        // A file that is there is read before anything is written to it: where it is damaged, redb
        // may panic while it unwinds from a panic of a commit, which ends the process.
        if is_founded(&database) {
            return Self::checked(database, None);
        }
        Self::founded(database, None, id)
    }

    fn founded(database: Database, path: Option<&Path>, id: FileId) -> Result<Self, StoreFault> {
        let write = begin(&database)?;
        {
            let mut meta = write.open_table(META)?;
            if meta.get("format")?.is_none() {
                meta.insert("format", FORMAT.to_be_bytes().as_slice())?;
                meta.insert("id", id.as_slice())?;
            }
            write.open_table(JOURNAL)?;
            write.open_table(HEADS)?;
            write.open_table(ROSTER)?;
            write.open_table(VAULT)?;
            write.open_table(CHECKPOINT)?;
        }
        write.commit()?;
        Self::checked(database, path)
    }

    fn checked(database: Database, path: Option<&Path>) -> Result<Self, StoreFault> {
        let read = database.begin_read()?;
        let meta = read.open_table(META)?;
        let value = |key| -> Result<Option<Vec<u8>>, StoreFault> {
            Ok(meta.get(key)?.map(|value| value.value().to_vec()))
        };
        match value("format")?.as_deref().map(<[u8; 4]>::try_from) {
            Some(Ok(bytes)) if u32::from_be_bytes(bytes) == FORMAT => {}
            Some(Ok(bytes)) => return Err(StoreFault::Format(u32::from_be_bytes(bytes))),
            _ => return Err(StoreFault::Damaged("it has no format mark".to_owned())),
        }
        let Some(Ok(id)) = value("id")?.as_deref().map(FileId::try_from) else {
            return Err(StoreFault::Damaged("it has no id".to_owned()));
        };
        drop(meta);
        drop(read);
        Ok(Self {
            database: Open(Some(database)),
            path: path.map(Path::to_path_buf),
            id,
        })
    }

    /// What the tail of this file carries.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Whether the file was served and has not been closed since: its newest entries may be in the
    /// tail.
    pub fn is_served(&self) -> Result<bool, StoreFault> {
        let read = self.database.begin_read()?;
        Ok(read.open_table(META)?.get("served")?.is_some())
    }

    /// The last entry that was taken from the tail since the file is served.
    pub fn taken_from_tail(&self) -> Result<Option<Seq>, StoreFault> {
        let read = self.database.begin_read()?;
        let meta = read.open_table(META)?;
        let seq = meta.get(TAKEN_FROM_TAIL)?;
        let seq = seq.and_then(|bytes| bytes.value().first_chunk().copied());
        Ok(seq.map(|bytes| Seq(u64::from_be_bytes(bytes))))
    }

    /// Begins the one write transaction; nothing is stored before its `commit` returns.
    pub fn begin(&self) -> Result<Write, StoreFault> {
        Ok(Write {
            transaction: begin(&self.database)?,
        })
    }

    /// Bytes free on the disk of the file; none if that can't be told.
    pub fn disk_free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(self.path.as_ref()?).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// How large the file and its tail are; none if that can't be told.
    pub fn file_bytes(&self) -> Option<[u64; 2]> {
        let path = self.path.as_ref()?;
        let bytes = |path: &Path| std::fs::metadata(path).ok().map(|about| about.len());
        Some([bytes(path)?, bytes(&path.with_extension("tail"))?])
    }

    /// A consistent view of everything committed so far.
    pub fn read(&self) -> Result<FileView, StoreFault> {
        Ok(FileView {
            transaction: self.database.begin_read()?,
        })
    }
}

fn absent(path: &Path) -> Result<(), StoreFault> {
    if path.exists() {
        let what = format!("{} exists already", path.display());
        return Err(StoreFault::Damaged(what));
    }
    Ok(())
}

/// Lets redb work on our storage.
#[derive(Debug)]
struct OnStorage<S>(S);

impl<S: Storage> StorageBackend for OnStorage<S> {
    fn len(&self) -> std::io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> std::io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

/// Whether somebody has founded this file already.
fn is_founded(database: &Database) -> bool {
    let read = database.begin_read();
    let meta = read.ok().and_then(|read| read.open_table(META).ok());
    meta.is_some_and(|meta| matches!(meta.get("format"), Ok(Some(_))))
}

fn begin(database: &Database) -> Result<WriteTransaction, StoreFault> {
    let mut write = database.begin_write()?;
    write
        .set_durability(Durability::Immediate)
        .map_err(|error| {
            StoreFault::Damaged(format!("the data file refuses durable commits: {error}"))
        })?;
    write.set_quick_repair(true);
    Ok(write)
}

/// A write transaction. Dropped without `commit`, it leaves no trace.
pub struct Write {
    transaction: WriteTransaction,
}

impl Write {
    /// Marks the file as served, or as closed: whole without a tail.
    pub fn put_served(&self, is_served: bool) -> Result<(), StoreFault> {
        let mut meta = self.transaction.open_table(META)?;
        if is_served {
            meta.insert("served", [].as_slice())?;
        } else {
            meta.remove("served")?;
        }
        Ok(())
    }

    /// Notes the last entry that is taken from the tail, or that the tail is a new one.
    pub fn put_taken_from_tail(&self, last: Option<Seq>) -> Result<(), StoreFault> {
        let mut meta = self.transaction.open_table(META)?;
        match last {
            Some(seq) => meta.insert(TAKEN_FROM_TAIL, seq.0.to_be_bytes().as_slice())?,
            None => meta.remove(TAKEN_FROM_TAIL)?,
        };
        Ok(())
    }

    /// Appends a block whose first entry is `first`.
    pub fn append(&self, first: Seq, block: &[u8]) -> Result<(), StoreFault> {
        self.transaction
            .open_table(JOURNAL)?
            .insert(first.0, block)?;
        Ok(())
    }

    /// Appends blocks one behind the other, small ones together.
    pub fn append_all(&self, blocks: &[Arc<Block>]) -> Result<(), StoreFault> {
        let mut table = self.transaction.open_table(JOURNAL)?;
        let mut joined = Vec::new();
        let mut blocks = blocks.iter().peekable();
        let mut first = None;
        while let Some(block) = blocks.next() {
            first = first.or(Some(block.first));
            joined.extend_from_slice(&block.bytes);
            let fits = |next: &&Arc<Block>| joined.len() + next.bytes.len() <= JOINED_BYTES;
            if !blocks.peek().is_some_and(fits) {
                let first = first.take().unwrap_or(block.first);
                table.insert(first.0, joined.as_slice())?;
                joined.clear();
            }
        }
        Ok(())
    }

    /// Adds parts of a checkpoint that is not complete yet.
    pub fn put_checkpoint_parts(
        &self,
        generation: u64,
        first: u32,
        parts: &[Vec<u8>],
    ) -> Result<(), StoreFault> {
        let mut table = self.transaction.open_table(CHECKPOINT)?;
        for (number, part) in (first..).zip(parts) {
            table.insert((generation, number), part.as_slice())?;
        }
        Ok(())
    }

    /// Makes a checkpoint, all of whose parts are there, the newest.
    pub fn put_checkpoint(&self, mark: &Mark) -> Result<(), StoreFault> {
        let mut meta = self.transaction.open_table(META)?;
        meta.insert("checkpoint", to_bytes(mark).as_slice())?;
        Ok(())
    }

    /// Removes some parts of checkpoints other than this generation; true if there may be more.
    pub fn remove_other_checkpoints(&self, generation: u64) -> Result<bool, StoreFault> {
        let mut table = self.transaction.open_table(CHECKPOINT)?;
        let mut old: Vec<(u64, u32)> = Vec::new();
        for part in table.range(..(generation, 0))?.take(REMOVED_PARTS_MAX) {
            old.push(part?.0.value());
        }
        for part in table.range((generation + 1, 0)..)?.take(REMOVED_PARTS_MAX) {
            old.push(part?.0.value());
        }
        for key in &old {
            table.remove(key)?;
        }
        Ok(!old.is_empty())
    }

    pub fn put_head(&self, head: &StoredHead) -> Result<(), StoreFault> {
        let bytes = to_bytes(head);
        self.transaction
            .open_table(HEADS)?
            .insert(head.seq.0, bytes.as_slice())?;
        Ok(())
    }

    /// Puts a part of a version of the roster beside the one in force.
    pub fn put_people(&self, key: ChunkKey, people: &[RosterPerson]) -> Result<(), StoreFault> {
        let mut bytes = Vec::new();
        encode_people(people, &mut bytes);
        self.put_part(key, &bytes)
    }

    /// The same, as the bytes that lie in another data file.
    pub fn put_part(&self, key: ChunkKey, bytes: &[u8]) -> Result<(), StoreFault> {
        self.transaction
            .open_table(ROSTER)?
            .insert(key.number(), bytes)?;
        Ok(())
    }

    /// Puts the version whose parts are stored into force, with its names of groups and regions.
    pub fn put_roster_in_force(&self, roster: &Roster) -> Result<(), StoreFault> {
        let names = (roster.version, &roster.group_sets, &roster.regions);
        let covers_left = roster.digest_form == DigestForm::WithLeft;
        self.put_roster_names(&to_bytes(&names), covers_left)
    }

    /// The same, as the bytes that lie in another data file.
    pub fn put_roster_names(&self, names: &[u8], covers_left: bool) -> Result<(), StoreFault> {
        let mut meta = self.transaction.open_table(META)?;
        meta.insert("roster", names)?;
        if covers_left {
            meta.insert(COVERS_LEFT, [].as_slice())?;
        } else {
            meta.remove(COVERS_LEFT)?;
        }
        Ok(())
    }

    /// Marks that rows of versions that are not in force may be stored, or that there are none.
    pub fn put_unswept(&self, is_unswept: bool) -> Result<(), StoreFault> {
        let mut meta = self.transaction.open_table(META)?;
        if is_unswept {
            meta.insert("unswept", [].as_slice())?;
        } else {
            meta.remove("unswept")?;
        }
        Ok(())
    }

    pub fn remove_people(&self, chunks: &[ChunkKey]) -> Result<(), StoreFault> {
        let mut table = self.transaction.open_table(ROSTER)?;
        for key in chunks {
            table.remove(key.number())?;
        }
        Ok(())
    }

    /// Puts sealed rows into the vault; they come in order of key.
    pub fn put_vault<'a>(
        &self,
        rows: impl Iterator<Item = (VaultKey, &'a [u8])>,
    ) -> Result<(), StoreFault> {
        let mut table = self.transaction.open_table(VAULT)?;
        for (key, sealed) in rows {
            table.insert(key.bytes(), sealed)?;
        }
        Ok(())
    }

    pub fn erase_from_vault(&self, rows: &[VaultKey]) -> Result<(), StoreFault> {
        let mut table = self.transaction.open_table(VAULT)?;
        for key in rows {
            table.remove(key.bytes())?;
        }
        Ok(())
    }

    /// Erases the rows of a person up to this version: older ones are still there where nobody has
    /// swept them out.
    pub fn erase_person(&self, person: PersonKey, until: u32) -> Result<(), StoreFault> {
        let mut table = self.transaction.open_table(VAULT)?;
        let key = |version| VaultKey { person, version }.bytes();
        table.retain_in(key(0)..=key(until), |_, _| false)?;
        Ok(())
    }

    /// Erases every row of the vault.
    pub fn empty_vault(&self) -> Result<(), StoreFault> {
        self.transaction.delete_table(VAULT)?;
        self.transaction.open_table(VAULT)?;
        Ok(())
    }

    /// Makes all of it durable. After an error the outcome is unknown.
    pub fn commit(self) -> Result<(), StoreFault> {
        Ok(self.transaction.commit()?)
    }
}

fn damaged(fault: RosterFault) -> StoreFault {
    StoreFault::Damaged(format!("the roster's {fault}"))
}

fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain structures have a postcard form")
}

fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, StoreFault> {
    postcard::from_bytes(bytes)
        .map_err(|error| StoreFault::Damaged(format!("{what} can't be read: {error}")))
}
