//! The tail: the newest blocks of the journal, in a file that is written in order.
//!
//! A commit is one write and one sync of a file that has its full length from the start, which is
//! several times as fast as a commit of redb. Somebody else settles the blocks into the data file
//! and says so; only then is their room used again.
//!
//! The file is a header and some segments of equal size. A segment is filled from its beginning,
//! then the next. Each block begins on a page of its own, so that a write never touches a page that
//! holds what was acknowledged before. It begins with a head:
//!
//! `mark | file | turn | first | entries | bytes | stamp | hash of the last entry | check`
//!
//! `turn` counts the segments that were begun, and `check` is the SHA-256 of the fields before it.
//! What an earlier turn left in a segment has a lower turn, and entries that are settled.
//!
//! How a read decides (`newer`): blocks are followed from the first entry that is not settled. A
//! block that is missing or damaged ends the journal if nothing newer is there: it was cut short by
//! a crash, and nobody was told that it is durable. If something newer is there, it was
//! acknowledged and is damage.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::block::Block;
use super::storage::Storage;
use crate::domain::entry::Hash;
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;

/// Which data file a tail belongs to.
pub type FileId = [u8; 16];

/// Blocks begin at multiples of this: no disk writes a part of a page.
const PAGE_BYTES: u64 = 4096;
const HEADER_MARK: [u8; 8] = *b"sumuntl1";
const BLOCK_MARK: [u8; 8] = *b"sumunblk";
const CHECK_BYTES: usize = 32;
/// Mark, file, turn, first, entries, bytes, stamp, hash.
const FIELDS_BYTES: usize = 8 + 16 + 8 + 8 + 4 + 4 + 8 + 32;
const HEAD_BYTES: usize = FIELDS_BYTES + CHECK_BYTES;

/// How a tail's file is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub segments: u32,
    /// A multiple of a page.
    pub segment_bytes: u64,
}

impl Shape {
    /// At 60,000 bookings a second a segment is filled in a tenth of a second, and is settled in a
    /// tenth of that: commits wait behind the sync of one, so it is small. The 16 MiB of a new
    /// folder are written in 10 ms.
    pub const SERVED: Shape = Shape {
        segments: 16,
        segment_bytes: 1 << 20,
    };

    fn bytes(self) -> u64 {
        PAGE_BYTES + u64::from(self.segments) * self.segment_bytes
    }

    fn begin(self, segment: u32) -> u64 {
        PAGE_BYTES + u64::from(segment) * self.segment_bytes
    }
}

/// Why a tail can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TailFault {
    #[error("the tail can't be read or written: {0}")]
    Storage(#[from] io::Error),
    #[error("it is not a tail, or its first page is damaged")]
    Header,
    #[error("it belongs to another data file: move it to where that data file is")]
    Foreign,
    #[error("it ends before its last segment: {0} bytes are there")]
    Short(u64),
    #[error(
        "it ends with entry {newest}, but had entry {had} when it was used last: it is an older \
         copy, or is damaged; put the newest sumun.tail back beside sumun.redb, or restore a backup"
    )]
    Older { newest: Seq, had: Seq },
    #[error("{0}, and later entries are there")]
    Damaged(String),
}

/// A tail that is written. One exists for a data file.
#[derive(Debug)]
pub struct Tail {
    storage: Box<dyn Storage>,
    file: FileId,
    shape: Shape,
    turn: u64,
    segment: u32,
    /// Where in the segment the next block goes.
    next: u64,
    /// For each segment that was filled and not used again: itself and its last entry.
    filled: VecDeque<(u32, Seq)>,
    /// The last entry of the segment in use; none if it has no block yet.
    last: Option<Seq>,
    buffer: Vec<u8>,
}

/// Whether there was room for a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// The block is durable.
    Written {
        /// It is the first of its segment: another one is filled and can be settled.
        begins_segment: bool,
    },
    /// The next segment holds blocks that are not settled: settle, and try again.
    Full,
    /// It is larger than a segment and can never be written here.
    TooLarge,
}

impl Tail {
    /// Makes an empty tail over whatever the storage holds.
    pub fn create(storage: impl Storage, file: FileId, shape: Shape) -> Result<Self, TailFault> {
        // Written, and not a hole: a commit then waits for no block to be found.
        let zeros = vec![0; 1 << 16];
        storage.set_len(0)?;
        storage.set_len(shape.bytes())?;
        let mut at = 0;
        while at < shape.bytes() {
            let piece = (shape.bytes() - at).min(zeros.len() as u64);
            storage.write(at, &zeros[..piece as usize])?;
            at += piece;
        }
        storage.write(0, &header(file, shape))?;
        storage.sync()?;
        Ok(Self::at(Box::new(storage), file, shape, 1))
    }

    /// Goes on with a tail all of whose blocks are settled; gives the storage back with a fault.
    pub fn resume<S: Storage>(storage: S, file: FileId) -> Result<Self, (S, TailFault)> {
        let shape = shape_of(&storage, file);
        let heads = shape.and_then(|shape| Ok((shape, heads(&storage, file, shape)?)));
        match heads {
            Err(fault) => Err((storage, fault)),
            Ok((shape, heads)) => {
                let newest = heads.values().flatten().map(|head| head.turn).max();
                let turn = newest.unwrap_or(0) + 1;
                Ok(Self::at(Box::new(storage), file, shape, turn))
            }
        }
    }

    fn at(storage: Box<dyn Storage>, file: FileId, shape: Shape, turn: u64) -> Self {
        Self {
            storage,
            file,
            shape,
            turn,
            segment: 0,
            next: 0,
            filled: VecDeque::new(),
            last: None,
            buffer: Vec::new(),
        }
    }

    /// Makes a block durable. `settled` is the last entry that the data file has: whatever is up to
    /// there may be written over. After an error the outcome is unknown.
    pub fn append(&mut self, block: &Block, settled: Seq) -> Result<Room, TailFault> {
        let length = (HEAD_BYTES + block.bytes.len()) as u64;
        let taken = length.next_multiple_of(PAGE_BYTES);
        if taken > self.shape.segment_bytes {
            return Ok(Room::TooLarge);
        }
        if self.next + taken > self.shape.segment_bytes && !self.begin_next(settled) {
            return Ok(Room::Full);
        }
        self.buffer.clear();
        self.buffer
            .extend_from_slice(&head_bytes(self.file, self.turn, block));
        self.buffer.extend_from_slice(&block.bytes);
        let at = self.shape.begin(self.segment) + self.next;
        self.storage.write(at, &self.buffer)?;
        self.storage.sync()?;
        self.next += taken;
        let begins_segment = self.last.replace(block.last()).is_none();
        Ok(Room::Written { begins_segment })
    }

    /// Begins the next segment, if nothing in it is needed any more.
    fn begin_next(&mut self, settled: Seq) -> bool {
        while self
            .filled
            .front()
            .is_some_and(|(_, last)| *last <= settled)
        {
            self.filled.pop_front();
        }
        let next = (self.segment + 1) % self.shape.segments;
        let is_needed = |&(segment, _): &(u32, Seq)| segment == next;
        // With one segment the next is the one in use.
        let is_own = next == self.segment && self.last.is_some_and(|last| last > settled);
        if is_own || self.filled.iter().any(is_needed) {
            return false;
        }
        if let Some(last) = self.last.take() {
            self.filled.push_back((self.segment, last));
        }
        (self.segment, self.next) = (next, 0);
        self.turn += 1;
        true
    }
}

/// What a tail has that the data file has not.
#[derive(Debug, Default)]
pub struct Newer {
    /// In order.
    pub blocks: Vec<Block>,
    /// What lies behind them and is not whole.
    pub cut_short: Option<CutShort>,
}

/// A block that a crash cut short: it was never acknowledged. It can't be told from one whose
/// bytes were changed later, if nothing follows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CutShort {
    pub first: Seq,
    pub entries: u32,
    pub what: String,
}

/// The blocks behind the entry `settled`, whose hash is `head`. `had` is the last entry
/// that the data file took from this tail: a tail that does not reach it is another.
pub fn newer(
    storage: &impl Storage,
    file: FileId,
    settled: Seq,
    head: &Hash,
    had: Option<Seq>,
) -> Result<Newer, TailFault> {
    let shape = shape_of(storage, file)?;
    let heads = heads(storage, file, shape)?;
    let newest = heads.values().flatten().map(Head::last).max();
    let newest = newest.unwrap_or(Seq(0));
    // With one segment the block may be written over by one that a crash cut short.
    if let Some(had) = had.filter(|had| newest < *had && shape.segments > 1) {
        return Err(TailFault::Older { newest, had });
    }
    let mut blocks = Vec::new();
    let (mut next, mut before, mut turn) = (Seq(settled.0 + 1), *head, 0);
    while let Some(candidates) = heads.get(&next) {
        // A block that a crash cut short may be followed by another for the same entries.
        let newest = candidates.iter().max_by_key(|head| head.turn);
        let Some(found) = newest.filter(|head| head.turn >= turn) else {
            break;
        };
        let block = found.read(storage)?;
        if let Err(what) = block.check(&before) {
            let cut_short = CutShort {
                first: next,
                entries: found.entries,
                what: what.clone(),
            };
            ends_at(&heads, next, what)?;
            return Ok(Newer {
                blocks,
                cut_short: Some(cut_short),
            });
        }
        (next, before, turn) = (Seq(block.last().0 + 1), block.head, found.turn);
        blocks.push(block);
    }
    ends_at(&heads, next, format!("entry {next} is missing"))?;
    Ok(Newer {
        blocks,
        cut_short: None,
    })
}

/// A block that is not whole was never acknowledged, unless there is something newer.
fn ends_at(heads: &Heads, missing: Seq, what: String) -> Result<(), TailFault> {
    if heads.range(Seq(missing.0 + 1)..).next().is_none() {
        return Ok(());
    }
    Err(TailFault::Damaged(what))
}

/// The head of a block, as it was found.
struct Head {
    turn: u64,
    first: Seq,
    entries: u32,
    length: u32,
    stamp: Stamp,
    hash: Hash,
    /// Where the block's bytes begin.
    at: u64,
}

/// By first entry.
type Heads = BTreeMap<Seq, Vec<Head>>;

impl Head {
    fn last(&self) -> Seq {
        Seq(self.first.0 + u64::from(self.entries) - 1)
    }

    fn read(&self, storage: &impl Storage) -> Result<Block, TailFault> {
        let mut bytes = vec![0; self.length as usize];
        storage.read(self.at, &mut bytes)?;
        Ok(Block {
            first: self.first,
            entries: self.entries,
            stamp: self.stamp,
            head: self.hash,
            bytes,
        })
    }

    /// Reads the fields of a head whose check fits.
    fn parse(page: &[u8; HEAD_BYTES], file: FileId, at: u64) -> Option<Self> {
        let (fields, check) = page.split_at(FIELDS_BYTES);
        let is_ours = fields[..8] == BLOCK_MARK && fields[8..24] == file;
        if !is_ours || Hash::of(fields).0 != check {
            return None;
        }
        let eight = |at: usize| fields[at..].first_chunk().copied().map(u64::from_be_bytes);
        let four = |at: usize| fields[at..].first_chunk().copied().map(u32::from_be_bytes);
        Some(Self {
            turn: eight(24)?,
            first: Seq(eight(32)?),
            entries: four(40)?,
            length: four(44)?,
            stamp: Stamp(eight(48)? as i64),
            hash: Hash(*fields[56..].first_chunk()?),
            at: at + HEAD_BYTES as u64,
        })
    }
}

fn head_bytes(file: FileId, turn: u64, block: &Block) -> [u8; HEAD_BYTES] {
    let mut fields = Vec::with_capacity(HEAD_BYTES);
    fields.extend_from_slice(&BLOCK_MARK);
    fields.extend_from_slice(&file);
    fields.extend_from_slice(&turn.to_be_bytes());
    fields.extend_from_slice(&block.first.0.to_be_bytes());
    fields.extend_from_slice(&block.entries.to_be_bytes());
    fields.extend_from_slice(&(block.bytes.len() as u32).to_be_bytes());
    fields.extend_from_slice(&block.stamp.0.to_be_bytes());
    fields.extend_from_slice(&block.head.0);
    let check = Hash::of(&fields);
    fields.extend_from_slice(&check.0);
    fields.try_into().expect("the fields have these lengths")
}

/// Every head whose check fits, wherever a block can begin.
fn heads(storage: &impl Storage, file: FileId, shape: Shape) -> Result<Heads, TailFault> {
    let mut heads = Heads::new();
    let mut page = [0; HEAD_BYTES];
    for segment in 0..shape.segments {
        let (begin, end) = (shape.begin(segment), shape.begin(segment + 1));
        for at in (begin..end).step_by(PAGE_BYTES as usize) {
            storage.read(at, &mut page)?;
            let head = Head::parse(&page, file, at);
            let fits = |head: &Head| head.at + u64::from(head.length) <= end && head.entries > 0;
            if let Some(head) = head.filter(fits) {
                heads.entry(head.first).or_default().push(head);
            }
        }
    }
    Ok(heads)
}

fn header(file: FileId, shape: Shape) -> Vec<u8> {
    let mut header = HEADER_MARK.to_vec();
    header.extend_from_slice(&file);
    header.extend_from_slice(&shape.segments.to_be_bytes());
    header.extend_from_slice(&shape.segment_bytes.to_be_bytes());
    let check = Hash::of(&header);
    header.extend_from_slice(&check.0);
    header
}

/// How a tail of this data file is divided.
fn shape_of(storage: &impl Storage, file: FileId) -> Result<Shape, TailFault> {
    const LENGTH: usize = 8 + 16 + 4 + 8;
    let mut page = [0; LENGTH + CHECK_BYTES];
    let length = storage.length()?;
    if length < PAGE_BYTES {
        return Err(TailFault::Short(length));
    }
    storage.read(0, &mut page)?;
    let (fields, check) = page.split_at(LENGTH);
    if fields[..8] != HEADER_MARK || Hash::of(fields).0 != check {
        return Err(TailFault::Header);
    }
    if fields[8..24] != file {
        return Err(TailFault::Foreign);
    }
    let segments = fields[24..].first_chunk().copied().map(u32::from_be_bytes);
    let segment_bytes = fields[28..].first_chunk().copied().map(u64::from_be_bytes);
    let (Some(segments), Some(segment_bytes)) = (segments, segment_bytes) else {
        return Err(TailFault::Header);
    };
    let shape = Shape {
        segments,
        segment_bytes,
    };
    if length < shape.bytes() {
        return Err(TailFault::Short(length));
    }
    Ok(shape)
}
