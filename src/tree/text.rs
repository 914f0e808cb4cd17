//! Proofs as text: that an entry is in a checkpoint's tree (C2SP tlog-proof), and that a
//! checkpoint continues an older one (the body that C2SP tlog-witness has for it).

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::checkpoint::{CheckpointFault, Signed, decimal, hash_of};
use super::note::{NOTE_BYTES_MAX, VerifierKey};
use super::proof::{is_consistent, root_with};
use crate::domain::entry::Hash;

/// The first line of a proof of inclusion.
pub const BEGINS: &str = "c2sp.org/tlog-proof@v1";
const EXTRA: &str = "extra ";
const INDEX: &str = "index ";
const OLD: &str = "old ";
/// A proof has at most two hashes for each level of a tree.
const HASHES_MAX: usize = 128;
/// The longest text of a proof: the longest entry in base64, hashes and a note.
pub const PROOF_BYTES_MAX: usize = 512 << 10;

/// Why a text is no proof, or does not prove what it says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofFault {
    #[error("it is no proof: {0}")]
    Form(&'static str),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    #[error(
        "the entry's bytes and the hashes do not lead to the checkpoint's root: one of them was \
         changed"
    )]
    Root,
    #[error(
        "the checkpoint of {new} entries does not continue the one of {old}: the record was cut, \
         changed or forked, or the hashes were changed"
    )]
    NotContinued { old: u64, new: u64 },
}

/// A proof that a tree has an entry. `note` is the signed checkpoint, verbatim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inclusion {
    /// The entry's bytes; they are believed only because they lead to the root.
    pub extra: Option<Vec<u8>>,
    pub index: u64,
    pub hashes: Vec<Hash>,
    pub note: String,
}

impl Inclusion {
    /// Checks that the leaf is in the tree of a checkpoint that this key signed.
    pub fn check(&self, leaf: &Hash, key: &VerifierKey) -> Result<Signed, ProofFault> {
        let signed = Signed::open(&self.note, key)?;
        let checkpoint = &signed.checkpoint;
        let root = root_with(leaf, self.index, checkpoint.size, &self.hashes);
        if root == Some(checkpoint.root) {
            Ok(signed)
        } else {
            Err(ProofFault::Root)
        }
    }
}

impl fmt::Display for Inclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{BEGINS}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "{EXTRA}{}", BASE64.encode(extra))?;
        }
        writeln!(f, "{INDEX}{}", self.index)?;
        write_hashes(f, &self.hashes)?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for Inclusion {
    type Err = ProofFault;

    fn from_str(text: &str) -> Result<Self, ProofFault> {
        let (head, note) = parts(text)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(BEGINS) {
            return Err(ProofFault::Form("its first line is another"));
        }
        let extra = lines.next_if(|line| line.starts_with(EXTRA));
        let extra = extra.map(|line| BASE64.decode(&line.as_bytes()[EXTRA.len()..]));
        let extra = extra
            .transpose()
            .map_err(|_| ProofFault::Form("`extra` is base64"))?;
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix(INDEX)?));
        Ok(Self {
            extra,
            index: index.ok_or(ProofFault::Form("it has no index"))?,
            hashes: read_hashes(lines)?,
            note: note.to_owned(),
        })
    }
}

/// A checkpoint, and the proof that it continues an older one of `old` entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Continuation {
    pub old: u64,
    pub hashes: Vec<Hash>,
    pub note: String,
}

impl Continuation {
    /// Checks that the signed checkpoint continues the older tree of this root.
    pub fn check(&self, old_root: &Hash, signed: &Signed) -> Result<(), ProofFault> {
        let (old, new) = (self.old, signed.checkpoint.size);
        if is_consistent(
            (old, old_root),
            (new, &signed.checkpoint.root),
            &self.hashes,
        ) {
            Ok(())
        } else {
            Err(ProofFault::NotContinued { old, new })
        }
    }
}

impl fmt::Display for Continuation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD}{}", self.old)?;
        write_hashes(f, &self.hashes)?;
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for Continuation {
    type Err = ProofFault;

    fn from_str(text: &str) -> Result<Self, ProofFault> {
        let (head, note) = parts(text)?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix(OLD)?));
        Ok(Self {
            old: old.ok_or(ProofFault::Form("its first line has no older size"))?,
            hashes: read_hashes(lines)?,
            note: note.to_owned(),
        })
    }
}

/// The lines before the first empty one, and the note behind it.
fn parts(text: &str) -> Result<(&str, &str), ProofFault> {
    if text.len() > PROOF_BYTES_MAX + NOTE_BYTES_MAX {
        return Err(ProofFault::Form("it is longer than any"));
    }
    let split = text.split_once("\n\n");
    split.ok_or(ProofFault::Form(
        "no checkpoint stands behind an empty line",
    ))
}

fn write_hashes(f: &mut fmt::Formatter<'_>, hashes: &[Hash]) -> fmt::Result {
    let mut lines = hashes.iter().map(|hash| BASE64.encode(&hash.0));
    lines.try_for_each(|line| writeln!(f, "{line}"))
}

fn read_hashes<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, ProofFault> {
    let read: Option<Vec<_>> = lines.take(HASHES_MAX + 1).map(hash_of).collect();
    let read = read.ok_or(ProofFault::Form("a line is no hash in base64"))?;
    if read.len() > HASHES_MAX {
        return Err(ProofFault::Form("it has more hashes than any"));
    }
    Ok(read)
}
