//! The Merkle tree over the entries of a journal, and the forms in which heads and proofs of it
//! travel. Everything here is pure: no I/O, no clock, no journal.
//!
//! Hashes are those of RFC 6962. The leaf of an entry is made of the entry's exact bytes; the entry
//! `seq` has the leaf index `seq - 1`. Heads are checkpoints (C2SP tlog-checkpoint) in signed notes
//! (C2SP signed-note), hashes lie in tiles (C2SP tlog-tiles), proofs are text (C2SP tlog-proof),
//! and witnesses cosign (C2SP tlog-cosignature), so that programs of others check them.
//!
//! Invariants: `Range` and `Edge` have the root that RFC 6962 defines for their leaves, whatever
//! the steps in which they grew; what `proof` makes, `proof` accepts, and nothing else for another
//! leaf, index, size or root (`tests`, against the recursive definitions).

pub mod checkpoint;
pub mod cosignature;
pub mod edge;
pub mod note;
pub mod proof;
pub mod range;
pub mod text;
pub mod tile;

use data_encoding::HEXLOWER;

use crate::crypto::{Sha256, sha256};
use crate::domain::entry::Hash;

/// The hash of an entry's bytes as a leaf.
pub fn leaf(bytes: &[u8]) -> Hash {
    let mut context = Sha256::default();
    context.update(&[0]);
    context.update(bytes);
    Hash(context.finish())
}

/// The hash of the node above two others.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut message = [1; 65];
    message[1..33].copy_from_slice(&left.0);
    message[33..].copy_from_slice(&right.0);
    Hash(sha256(&message))
}

/// The root of a tree without leaves.
pub fn empty() -> Hash {
    Hash(sha256(&[]))
}

/// The origin of a journal whose settings name none, made from the key that it was founded with.
/// `.internal` is kept free of public names, so no other log has it.
pub fn default_origin(founding_key: &[u8; 32]) -> String {
    format!("sumun.internal/{}", HEXLOWER.encode(&founding_key[..8]))
}

#[cfg(test)]
mod tests;
