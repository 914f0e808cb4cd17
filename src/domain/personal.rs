//! What the journal says of what it does not hold: the sealed rows of the vault, and the keys.
//!
//! It has digests and public keys, never a name, a telephone number or a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{PersonKey, Seq};
use crate::crypto::{Sha256, sha256};

/// The keys that are in force, as far as the journal names them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct KeysInForce {
    /// Which keys seal and compare names and telephone numbers, counted from 0.
    pub personal: u8,
    /// The public keys of signed heads, each with the first entry whose head it signs.
    pub heads: Vec<(Seq, [u8; 32])>,
}

impl KeysInForce {
    /// The public key of the heads of entries from now on; none before the journal is founded.
    pub fn head(&self) -> Option<[u8; 32]> {
        self.heads.last().map(|(_, key)| *key)
    }

    /// The public key of the head of this entry.
    pub fn head_at(&self, seq: Seq) -> Option<[u8; 32]> {
        let mut before = self.heads.iter().rev();
        before
            .find(|(from, _)| *from <= seq)
            .map(|(_, public)| *public)
    }
}

/// The rows of the vault that belong to the roster in force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct VaultState {
    /// What they were when the roster came into force; none before that was worked out.
    pub mark: Option<VaultMark>,
    /// Rows that were erased since the roster came into force.
    pub erased: BTreeMap<PersonKey, ErasedRow>,
    /// Whether all of them were.
    pub is_emptied: bool,
    /// What was erased when the last roster came into force: if it has the same people with other
    /// keys, they are erased still.
    pub before: Option<Box<VaultBefore>>,
}

/// What was erased of a roster that was replaced.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct VaultBefore {
    erased: BTreeMap<PersonKey, ErasedRow>,
    is_emptied: bool,
}

/// Of a roster of which nothing was erased.
pub static NOTHING_ERASED: VaultState = VaultState {
    mark: None,
    erased: BTreeMap::new(),
    is_emptied: false,
    before: None,
};

impl VaultState {
    /// A roster came into force, whose rows are all there.
    pub fn begin(&mut self) {
        let VaultState {
            erased, is_emptied, ..
        } = std::mem::take(self);
        let before = VaultBefore { erased, is_emptied };
        self.before = (before != VaultBefore::default()).then(|| Box::new(before));
    }

    /// It has the same people as the one before, with other keys: who was erased has no row.
    pub fn go_on(&mut self) {
        let before = self.before.take().map(|before| *before);
        let VaultBefore { erased, is_emptied } = before.unwrap_or_default();
        (self.erased, self.is_emptied) = (erased, is_emptied);
    }

    /// Whether anything is known to have been erased.
    pub fn has_erased(&self) -> bool {
        let before = self.before.as_ref();
        self.is_emptied
            || !self.erased.is_empty()
            || before.is_some_and(|before| !before.erased.is_empty())
    }

    /// Whether a file would bring back a person whose row was erased: under the roster in force,
    /// or under the one before, if the one in force is without them. `is_known` says that the
    /// roster in force has them, or that they left it and have something still.
    pub fn comes_back(&self, person: &PersonKey, is_on_roster: bool, is_known: bool) -> bool {
        let was_erased = |before: &VaultBefore| before.erased.contains_key(person);
        let was_erased = self.before.as_deref().is_some_and(was_erased);
        (is_known && self.is_erased(person)) || (!is_on_roster && was_erased)
    }

    /// Whether the person's row was erased since the roster came into force.
    pub fn is_erased(&self, person: &PersonKey) -> bool {
        self.is_emptied || self.erased.contains_key(person)
    }
}

/// The sealed rows of a roster, proven by a digest.
///
/// The digest is the SHA-256 over the digests of the pieces of the roster, of `PIECE_PEOPLE` each,
/// in order of key. That of a piece is the SHA-256 over, for each of its people who have a row, key
/// (16 bytes), version (4 bytes, big-endian) and the SHA-256 of what is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VaultMark {
    /// The version of the roster.
    pub roster: u32,
    pub rows: u64,
    pub digest: [u8; 32],
}

/// People of one piece; their rows have about half a mebibyte.
pub const PIECE_PEOPLE: usize = 8_192;

/// A row that was erased: which it was, and the SHA-256 of what was sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ErasedRow {
    pub version: u32,
    pub row: [u8; 32],
}

/// The digest of a piece, as its rows come in order of key.
#[derive(Default)]
pub struct PieceDigest {
    rows: u64,
    digest: Sha256,
}

impl PieceDigest {
    pub fn add(&mut self, person: PersonKey, version: u32, row: &[u8; 32]) {
        self.rows += 1;
        self.digest.update(&person.0);
        self.digest.update(&version.to_be_bytes());
        self.digest.update(row);
    }

    /// How many rows there were, and the digest.
    pub fn finish(self) -> (u64, [u8; 32]) {
        (self.rows, self.digest.finish())
    }
}

impl VaultMark {
    /// Puts the pieces of a roster together, in order.
    pub fn of(roster: u32, pieces: &[(u64, [u8; 32])]) -> Self {
        let digests: Vec<u8> = pieces.iter().flat_map(|(_, digest)| *digest).collect();
        Self {
            roster,
            rows: pieces.iter().map(|(rows, _)| rows).sum(),
            digest: sha256(&digests),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody was erased, and the next roster is without them: the one behind it brings them back
    /// though nothing of the roster in force was erased.
    #[test]
    fn who_was_erased_comes_back_with_the_next_roster_or_with_the_one_behind_it() {
        let person = PersonKey([1; 16]);
        let row = ErasedRow {
            version: 1,
            row: [0; 32],
        };
        let mut vault = VaultState::default();
        assert!(!vault.has_erased() && !vault.comes_back(&person, true, true));
        vault.erased.insert(person, row);
        assert!(vault.has_erased() && vault.comes_back(&person, true, true));
        assert!(!vault.comes_back(&PersonKey([2; 16]), true, true));
        vault.begin();
        // On the roster in force again, by consent: nobody has to be asked again.
        assert!(!vault.comes_back(&person, true, true));
        assert!(vault.has_erased() && vault.comes_back(&person, false, false));
        // They left it with a booking.
        assert!(vault.comes_back(&person, false, true));
        // After all were due, everybody who was known comes back.
        let emptied = VaultState {
            is_emptied: true,
            ..VaultState::default()
        };
        assert!(emptied.comes_back(&person, true, true));
        assert!(emptied.comes_back(&person, false, true));
        assert!(!emptied.comes_back(&person, false, false));
    }
}
