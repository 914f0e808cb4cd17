//! Checkpoints (C2SP tlog-checkpoint): how large a journal's tree is and what its root is, in three
//! lines of text, signed as a note by the key of the journal's heads.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

use super::note::{Note, NoteFault, VerifierKey};
use crate::domain::entry::Hash;

/// The head of a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Names the journal; the key that signs has the same name.
    pub origin: String,
    /// Entries.
    pub size: u64,
    pub root: Hash,
}

/// A checkpoint in its note, signed by a key that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    pub checkpoint: Checkpoint,
    pub note: Note,
}

/// Why a text is no checkpoint, or not this journal's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointFault {
    #[error("the checkpoint {0}")]
    Note(#[from] NoteFault),
    #[error("the checkpoint has other lines than an origin, a size and a root")]
    Form,
    #[error("the checkpoint is of `{found}`, not of `{wanted}`")]
    Origin { found: String, wanted: String },
}

impl Signed {
    /// Signs a checkpoint with the secret of `key`.
    pub fn sign(
        checkpoint: Checkpoint,
        key: &VerifierKey,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Self {
        let text = checkpoint.to_string();
        let signature = key.signature(&sign(text.as_bytes()));
        let signatures = vec![signature];
        let note = Note { text, signatures };
        Self { checkpoint, note }
    }

    /// Reads a note and checks that this key signed it for its own journal.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointFault> {
        let read = Self::unchecked(note)?;
        if read.checkpoint.origin != key.name() {
            return Err(CheckpointFault::Origin {
                found: read.checkpoint.origin,
                wanted: key.name().to_owned(),
            });
        }
        read.note.check(key)?;
        Ok(read)
    }

    /// Reads a note without asking who signed it.
    pub fn unchecked(note: &str) -> Result<Self, CheckpointFault> {
        let note: Note = note.parse()?;
        let checkpoint = note.text.parse()?;
        Ok(Self { checkpoint, note })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = BASE64.encode(&self.root.0);
        write!(f, "{}\n{}\n{root}\n", self.origin, self.size)
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointFault;

    /// Reads the text of a note. Lines behind the third are passed over, as the form says.
    fn from_str(text: &str) -> Result<Self, CheckpointFault> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointFault::Form)?;
        let mut lines = lines.split('\n');
        let (origin, size, root) = (lines.next(), lines.next(), lines.next());
        let size = size.and_then(decimal);
        let root = root.and_then(hash_of);
        match (origin, size, root) {
            (Some(origin), Some(size), Some(root))
                if !origin.is_empty() && lines.all(|line| !line.is_empty()) =>
            {
                let origin = origin.to_owned();
                Ok(Self { origin, size, root })
            }
            _ => Err(CheckpointFault::Form),
        }
    }
}

/// A number as these forms write it: without sign or leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in base64.
pub(super) fn hash_of(line: &str) -> Option<Hash> {
    let bytes = BASE64.decode(line.as_bytes()).ok()?;
    bytes.try_into().ok().map(Hash)
}
