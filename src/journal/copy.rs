//! A copy of the journal and of what belongs to it, as a stream of frames.
//!
//! A stream begins where its receiver already has everything, a `CopyPoint`, and goes up to
//! another. From nothing on it is the whole data file, compact: without free pages, replaced rows
//! or checkpoints. `give` writes a stream out of a view of the journal; `take` makes a data file of
//! one stream or of several that follow each other.
//!
//! A frame is its kind (one byte), its length (four bytes, big-endian) and its content. Everything
//! in a stream can be checked against the journal's chain: the entries by their hashes, their last
//! one by its signed head, the roster by the digest in its entry, the rows of the vault by their
//! seals.

mod give;
mod take;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::data_file::{StoreFault, StoredHead};
use crate::domain::entry::{Hash, head_message};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::keys::verify_head;

pub use give::give;
pub use take::{Taken, Taker, Until};

/// A block of the journal has less, and so has a part of the roster (`ROSTER_CHUNK` people).
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// Rows of the vault are given so many bytes together.
const ROWS_BYTES: usize = 256 << 10;

/// Up to where a receiver has everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CopyPoint {
    /// The last entry, and its hash; entry 0 and no hash before the first.
    pub seq: Seq,
    pub hash: Hash,
    /// The version of the roster in force; 0 if none was imported.
    pub roster: u32,
}

impl CopyPoint {
    /// Before everything.
    pub const NOTHING: Self = Self {
        seq: Seq(0),
        hash: Hash::NONE,
        roster: 0,
    };
}

/// The end of a stream: what was in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct End {
    /// The hash of the journal's first entry: which journal it is, also in a restored data file.
    pub journal: Hash,
    pub from: CopyPoint,
    pub to: CopyPoint,
    /// The stamp of the last entry, and the signature of its head.
    pub stamp: Stamp,
    pub signature: Vec<u8>,
    /// The key that the signature fits.
    pub head_public_key: [u8; 32],
    /// Rows of the vault in the stream.
    pub rows: u64,
    /// Whether rows that nobody needs may be among them.
    pub is_unswept: bool,
}

impl End {
    /// Whether anything is newer than where the stream began.
    pub fn has_news(&self) -> bool {
        self.from != self.to
    }

    /// Whether the signature of the last entry's head fits.
    pub fn is_signed(&self) -> bool {
        let message = head_message(self.to.seq, &self.to.hash, self.stamp);
        let signature = self.signature.as_slice().try_into();
        signature.is_ok_and(|signature| verify_head(&self.head_public_key, &message, signature))
    }
}

/// A piece of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// Entries as they lie in the journal, from this one on.
    Entries {
        first: Seq,
        bytes: Vec<u8>,
    },
    /// A signed head.
    Head(StoredHead),
    /// Version, groups and regions of the roster in force, as the data file has them, and whether
    /// its digest covers the people who left.
    Roster {
        names: Vec<u8>,
        covers_left: bool,
    },
    /// A part of that roster: its number in the data file, and its bytes there.
    People {
        number: u64,
        bytes: Vec<u8>,
    },
    /// Rows of the vault: for each its key, the length of what is sealed (four bytes, big-endian),
    /// and that.
    Rows(Vec<u8>),
    End(Box<End>),
}

/// Why a stream can't be given or taken.
#[derive(Debug, thiserror::Error)]
pub enum CopyFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("{0}")]
    Stream(#[from] io::Error),
    #[error("the copy is damaged: {0}")]
    Damaged(String),
    #[error(
        "entry {0} of the copies is not the one that this journal has: they are of another data \
         file, or of one that an older backup was put in the place of"
    )]
    OtherJournal(Seq),
    #[error(
        "the roster of version {0}, which was in force then, is in none of the copies: it was \
         replaced before it could be copied"
    )]
    RosterMissing(u32),
}

const ENTRIES: u8 = b'J';
const HEAD: u8 = b'H';
const ROSTER: u8 = b'N';
const PEOPLE: u8 = b'P';
const ROWS: u8 = b'V';
const END: u8 = b'E';

impl Frame {
    /// About how long it is.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Entries { bytes, .. } | Self::People { bytes, .. } => bytes.len(),
            Self::Roster { names, .. } => names.len(),
            Self::Rows(rows) => rows.len(),
            Self::Head(_) | Self::End(_) => 256,
        }
    }

    pub fn write(&self, into: &mut impl Write) -> io::Result<()> {
        let (kind, head, body): (u8, Vec<u8>, &[u8]) = match self {
            Self::Entries { first, bytes } => (ENTRIES, first.0.to_be_bytes().to_vec(), bytes),
            Self::Head(head) => (HEAD, stored(head), &[]),
            Self::Roster { names, covers_left } => (ROSTER, vec![u8::from(*covers_left)], names),
            Self::People { number, bytes } => (PEOPLE, number.to_be_bytes().to_vec(), bytes),
            Self::Rows(rows) => (ROWS, Vec::new(), rows),
            Self::End(end) => (END, stored(end), &[]),
        };
        let length = head.len() + body.len();
        assert!(length <= FRAME_BYTES_MAX, "a frame of {length} bytes");
        into.write_all(&[kind])?;
        into.write_all(&(length as u32).to_be_bytes())?;
        into.write_all(&head)?;
        into.write_all(body)
    }

    /// The next frame of a stream.
    ///
    /// # Errors
    /// When the stream ends before its last frame, or is no stream of frames.
    pub fn read(from: &mut impl Read) -> Result<Self, CopyFault> {
        let mut head = [0; 5];
        from.read_exact(&mut head).map_err(cut)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(damaged("a part of it is longer than there can be"));
        }
        let mut bytes = Vec::new();
        let read = from.by_ref().take(length as u64).read_to_end(&mut bytes)?;
        if read < length {
            return Err(cut(io::ErrorKind::UnexpectedEof.into()));
        }
        Self::of(kind, bytes)
    }

    fn of(kind: u8, mut bytes: Vec<u8>) -> Result<Self, CopyFault> {
        let number = |bytes: &mut Vec<u8>| match bytes.split_first_chunk::<8>() {
            Some((number, rest)) => {
                let number = u64::from_be_bytes(*number);
                *bytes = rest.to_vec();
                Ok(number)
            }
            None => Err(damaged("a part of it has no number")),
        };
        Ok(match kind {
            ENTRIES => Self::Entries {
                first: Seq(number(&mut bytes)?),
                bytes,
            },
            HEAD => Self::Head(read_stored(&bytes)?),
            ROSTER if !bytes.is_empty() => Self::Roster {
                covers_left: bytes.remove(0) != 0,
                names: bytes,
            },
            PEOPLE => Self::People {
                number: number(&mut bytes)?,
                bytes,
            },
            ROWS => Self::Rows(bytes),
            END => Self::End(Box::new(read_stored(&bytes)?)),
            _ => return Err(damaged("it has a part of an unknown kind")),
        })
    }
}

fn cut(error: io::Error) -> CopyFault {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        damaged("it ends before its end")
    } else {
        CopyFault::Stream(error)
    }
}

fn damaged(what: impl Into<String>) -> CopyFault {
    CopyFault::Damaged(what.into())
}

fn stored(value: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain structures have a postcard form")
}

fn read_stored<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, CopyFault> {
    postcard::from_bytes(bytes).map_err(|error| damaged(error.to_string()))
}
