//! Journal entries and their bytes: the one form in which every change of state is recorded.
//!
//! An entry is `version | seq | stamp | previous hash | payload`, numbers big-endian, the payload
//! (actor and change) in postcard's format. Its hash is the SHA-256 of all its bytes, and the next
//! entry carries it: changing any byte of an entry breaks the chain at the entry after it, and the
//! signed head for the last.
//!
//! Invariants: an entry has at most `ENTRY_BYTES_MAX` bytes; an entry has exactly one form, so
//! bytes that are decoded encode to the same bytes again. Postcard numbers the variants of an enum
//! by their order, so every enum of an entry grows at its end only: variants are appended, never
//! moved, changed or taken out. `tests/golden/entries.txt` keeps the bytes of each.

pub mod actor;
pub mod change;

use crate::crypto::sha256;
use data_encoding::HEXLOWER;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize};

use crate::domain::ids::Seq;
use crate::domain::time::Stamp;

pub use actor::{Actor, Role};
pub use change::{
    Change, Doses, GateAct, HoldEnd, Idempotency, LOOK_PEOPLE_MAX, Look, Piece, Purpose,
    RefusedFor, SessionAct,
};

/// The first byte of every entry.
pub const VERSION: u8 = 2;
/// The longest entry. Entries travel in blocks of a bounded size, and a reader of the journal must
/// know how much memory one can take.
pub const ENTRY_BYTES_MAX: usize = 60_000;
/// Version, sequence, stamp and previous hash.
const HEADER_BYTES: usize = 1 + 8 + 8 + 32;

/// The SHA-256 of an entry's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first entry carries as the hash of the entry before it.
    pub const NONE: Hash = Hash([0; 32]);

    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(bytes))
    }

    pub fn parse(hex: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// One record of the journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub seq: Seq,
    pub stamp: Stamp,
    pub previous: Hash,
    pub actor: Actor,
    pub change: Change,
}

/// Why bytes are not an entry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EntryFault {
    #[error("has only {0} bytes: cut short")]
    Short(usize),
    #[error("has {0} bytes: an entry has at most {ENTRY_BYTES_MAX}")]
    Long(usize),
    #[error("has version {0}, this program reads {VERSION}")]
    Version(u8),
    #[error("has a payload that can't be read: {0}")]
    Payload(String),
    #[error(
        "has a kind, a role or more pools than this program knows: it is damaged, or a newer \
         program wrote it"
    )]
    Unknown,
    #[error("has {0} bytes after its payload")]
    Trailing(usize),
    #[error("is not written in the one form that its meaning has")]
    Form,
}

impl Entry {
    /// Appends the entry's bytes and returns their hash.
    pub fn encode(&self, into: &mut Vec<u8>) -> Hash {
        let from = into.len();
        into.push(VERSION);
        into.extend_from_slice(&self.seq.0.to_be_bytes());
        into.extend_from_slice(&self.stamp.0.to_be_bytes());
        into.extend_from_slice(&self.previous.0);
        let payload = (&self.actor, &self.change);
        let written = postcard::to_extend(&payload, Appended(into));
        written.expect("writing to memory succeeds, and every change has a postcard form");
        Hash::of(&into[from..])
    }

    /// The sequence and the stamp that an entry's bytes say, without reading the rest.
    pub fn place_of(bytes: &[u8]) -> Option<(Seq, Stamp)> {
        let (_, rest) = bytes.split_first_chunk::<1>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let (stamp, _) = rest.split_first_chunk::<8>()?;
        let (seq, stamp) = (u64::from_be_bytes(*seq), i64::from_be_bytes(*stamp));
        Some((Seq(seq), Stamp(stamp)))
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, EntryFault> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryFault::Long(bytes.len()));
        }
        let Some((header, payload)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(EntryFault::Short(bytes.len()));
        };
        if header[0] != VERSION {
            return Err(EntryFault::Version(header[0]));
        }
        let number = |at: usize| {
            let bytes: [u8; 8] = header[at..at + 8]
                .try_into()
                .expect("eight bytes of the header");
            u64::from_be_bytes(bytes)
        };
        let previous = header[17..]
            .try_into()
            .expect("the last 32 bytes of the header");
        let taken = postcard::take_from_bytes::<(Actor, Change)>(payload);
        let ((actor, change), rest) = taken.map_err(|error| match error {
            postcard::Error::SerdeDeCustom => EntryFault::Unknown,
            other => EntryFault::Payload(other.to_string()),
        })?;
        if !rest.is_empty() {
            return Err(EntryFault::Trailing(rest.len()));
        }
        // Postcard also reads numbers with needless zeros, and lists of capacities end in any.
        if !is_form_of(payload, &(&actor, &change)) {
            return Err(EntryFault::Form);
        }
        Ok(Self {
            seq: Seq(number(1)),
            stamp: Stamp(number(9) as i64),
            previous: Hash(previous),
            actor,
            change,
        })
    }
}

/// Whether `value` is encoded to exactly these bytes.
fn is_form_of(bytes: &[u8], value: &impl Serialize) -> bool {
    let compared = postcard::serialize_with_flavor(value, Compared(bytes));
    compared.is_ok_and(|left: &[u8]| left.is_empty())
}

/// The bytes that `value` takes in an entry.
pub fn encoded_bytes(value: &impl Serialize) -> usize {
    let counted = postcard::to_extend(value, Counted(0));
    counted
        .expect("counting succeeds, and every row has a postcard form")
        .0
}

/// Lets postcard append to a buffer that has other entries in it.
struct Appended<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Appended<'_> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

/// Counts what postcard writes.
struct Counted(usize);

impl Extend<u8> for Counted {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0 += bytes.into_iter().count();
    }
}

/// Compares what postcard writes with bytes that are there already; has those that are left.
struct Compared<'a>(&'a [u8]);

impl<'a> Flavor for Compared<'a> {
    type Output = &'a [u8];

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        let left = self.0.strip_prefix(bytes);
        // Any error stands for the first byte that differs.
        self.0 = left.ok_or(postcard::Error::SerializeBufferFull)?;
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Self::Output> {
        Ok(self.0)
    }
}

/// The bytes that a head's Ed25519 signature covers.
pub fn head_message(seq: Seq, hash: &Hash, stamp: Stamp) -> Vec<u8> {
    let mut message = b"sumun head v1".to_vec();
    message.extend_from_slice(&seq.0.to_be_bytes());
    message.extend_from_slice(&hash.0);
    message.extend_from_slice(&stamp.0.to_be_bytes());
    message
}

/// The bytes by whose signature a head key hands over to the next.
pub fn head_key_message(next: &[u8; 32]) -> Vec<u8> {
    [b"sumun head key v1".as_slice(), next].concat()
}

#[cfg(test)]
pub mod golden;
#[cfg(test)]
mod tests;
