//! A block: the entries that one commit made durable, as bytes.
//!
//! `length | entry` repeated, lengths as four bytes, big-endian. Each entry carries the hash of the
//! one before it, so that the hash of the last covers all bytes of a block, lengths included.

use crate::domain::entry::{Entry, Hash};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;

/// Entries that are committed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The sequence of the first entry.
    pub first: Seq,
    /// How many entries there are, at least one.
    pub entries: u32,
    /// The stamp and hash of the last entry.
    pub stamp: Stamp,
    pub head: Hash,
    pub bytes: Vec<u8>,
}

impl Block {
    /// The block of these entries; none if there are none.
    pub fn of(entries: &[Entry]) -> Option<Self> {
        let (first, last) = (entries.first()?, entries.last()?);
        let mut bytes = Vec::new();
        let mut head = Hash::NONE;
        for entry in entries {
            head = push_entry(&mut bytes, entry);
        }
        Some(Self {
            first: first.seq,
            entries: entries.len() as u32,
            stamp: last.stamp,
            head,
            bytes,
        })
    }

    /// The sequence of the last entry.
    pub fn last(&self) -> Seq {
        Seq(self.first.0 + u64::from(self.entries) - 1)
    }

    /// Checks every byte against the hash of the last entry, and that the first follows `before`.
    pub fn check(&self, before: &Hash) -> Result<(), String> {
        let (mut seq, mut head, mut stamp) = (self.first, *before, None);
        for bytes in entries(&self.bytes) {
            let bytes = bytes.map_err(|what| format!("entry {seq} can't be read: {what}"))?;
            let entry = Entry::decode(bytes).map_err(|fault| format!("entry {seq} {fault}"))?;
            if entry.seq != seq {
                return Err(format!("entry {seq} says it is {}", entry.seq));
            }
            if entry.previous != head {
                return Err(format!(
                    "entry {seq} does not carry the hash of the one before it"
                ));
            }
            head = Hash::of(bytes);
            stamp = Some(entry.stamp);
            seq.0 += 1;
        }
        let is_whole = seq.0 == self.last().0 + 1 && head == self.head;
        if !is_whole || stamp != Some(self.stamp) {
            return Err(format!(
                "entry {} is not the one that was committed",
                seq.0 - 1
            ));
        }
        Ok(())
    }
}

/// Appends one entry's length and bytes to a block's bytes; returns its hash.
pub fn push_entry(block: &mut Vec<u8>, entry: &Entry) -> Hash {
    let at = block.len();
    block.extend_from_slice(&[0; 4]);
    let hash = entry.encode(block);
    let length = u32::try_from(block.len() - at - 4).expect("an entry stays far under 4 GiB");
    block[at..at + 4].copy_from_slice(&length.to_be_bytes());
    hash
}

/// The entries' bytes of a block; an item that does not fit the block ends it with a fault.
pub fn entries(block: &[u8]) -> impl Iterator<Item = Result<&[u8], String>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let split = rest.split_first_chunk::<4>().and_then(|(length, after)| {
            after.split_at_checked(u32::from_be_bytes(*length) as usize)
        });
        match split {
            Some((entry, after)) => {
                rest = after;
                Some(Ok(entry))
            }
            None => {
                rest = &[];
                Some(Err("a block of the journal is cut short".to_owned()))
            }
        }
    })
}
