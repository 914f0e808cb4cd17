//! Evidence of an evening: one signed folder that says how an opening went, from the journal alone.
//!
//! `survey` finds the opening that is meant. `collect` and `line` look at every entry of a replay;
//! `summary` makes `figures` of what they saw. `page` draws them for people, `signature` signs,
//! `write` puts the folder together and `check` takes it apart again: it recomputes everything from
//! the entries that are in it, with nothing but the public key.
//!
//! Invariants: the same entries give the same figures and the same pages, on any host and at any
//! time. No figure is of a person, and nothing of the vault is read.

mod check;
mod collect;
mod figures;
mod line;
mod packed;
mod page;
mod rows;
mod signature;
mod summary;
mod survey;
mod write;

pub use check::{Checked, EvidenceFault, Expected, check};
pub use collect::{Collector, Wanted};
pub use figures::Figures;
pub use signature::public_key_text;
pub use survey::{NotFound, Survey, survey};
pub use write::{NotWritten, Written, write};

use serde::{Deserialize, Serialize};

use super::KeptHead;

/// The page in Korean, the campaign's own language; it links to the one in English.
pub const PAGE: &str = "index.html";
pub const PAGE_EN: &str = "index.en.html";
pub const FIGURES: &str = "figures.json";
pub const HEADS: &str = "heads.json";
/// Every entry up to the end of the evening, as `sumun audit export` prints them, in gzip.
pub const ENTRIES: &str = "entries.jsonl.gz";
/// The SHA-256 of each file above, as `sha256sum` writes and checks them.
pub const SUMS: &str = "SHA256SUMS";
/// The signature of `SHA256SUMS`, as `minisign` writes and checks them.
pub const SIGNATURE: &str = "SHA256SUMS.minisig";
/// The files that `SHA256SUMS` covers, in its order.
pub const COVERED: [&str; 5] = [ENTRIES, FIGURES, HEADS, PAGE_EN, PAGE];

/// The signed heads around an evening.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Heads {
    /// The last head before its first entry; none where the journal has none.
    pub before: Option<KeptHead>,
    /// The first head that covers its last entry.
    pub after: KeptHead,
}

/// Whether a folder was made as evidence of an evening: it has a manifest, signed or not.
pub fn is_evidence(folder: &std::path::Path) -> bool {
    folder.join(SUMS).exists() || folder.join(FIGURES).exists()
}

#[cfg(test)]
mod tests;
