//! A roster file that is proposed: which sealed file it is, and what it changes in numbers.
//!
//! No person is in it, and nothing that could be compared with one: the hash is that of the sealed
//! bytes, which begin with random ones, so that nobody can try out names against it.

use serde::{Deserialize, Serialize};

use crate::domain::shown;

/// A sealed roster file, and what it changes in the roster that is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RosterFile {
    /// Of the sealed bytes.
    #[serde(serialize_with = "shown::hex")]
    pub sha256: [u8; 32],
    /// Sealed bytes.
    pub bytes: u64,
    /// The version of the roster that it was compared with; 0 before the first.
    pub base: u32,
    /// People in the file.
    pub people: u64,
    pub added: u64,
    pub changed: u64,
    /// People of the roster in force who are not in it.
    pub gone: u64,
    /// People whose names were erased, and would be stored again.
    pub erased_back: u64,
}
