//! What an auditor was handed, by what it says of itself: a proof, a checkpoint, one that continues
//! another, or entries; and a folder of tiles. Each is checked with the public key alone.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::AuditFault;
use super::against::{Against, Kept, is_signed_by};
use super::tiles::TileFolder;
use crate::domain::entry::{Entry, Hash};
use crate::tree::checkpoint::{Checkpoint, Signed};
use crate::tree::leaf;
use crate::tree::proof;
use crate::tree::text::{BEGINS, Continuation, Inclusion, PROOF_BYTES_MAX};

/// What a file is.
#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    Proof(Inclusion),
    Continued(Continuation),
    Checkpoint(Signed),
    /// Lines of an export, as far as can be seen; the bytes that were read to see it.
    Entries(Vec<u8>),
}

impl Given {
    /// Looks at a file, as `look` does.
    pub fn of_file(path: &Path) -> Result<Self, AuditFault> {
        Self::look(&mut File::open(path)?)
    }

    /// Looks at what a source begins with. It is read once: it can be a pipe.
    ///
    /// # Errors
    /// When it begins like a proof and is none, or can't be read.
    pub fn look(source: &mut impl Read) -> Result<Self, AuditFault> {
        let mut start = Vec::new();
        let most = PROOF_BYTES_MAX as u64;
        source.take(most).read_to_end(&mut start)?;
        let Ok(text) = str::from_utf8(&start) else {
            return Ok(Self::Entries(start));
        };
        // What was copied off a page, or went through a mail, has other line ends and blank lines.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        if text.starts_with("<!") {
            return Err(AuditFault::Page);
        }
        let text = text.replace("\r\n", "\n") + "\n";
        if text.starts_with(BEGINS) {
            return Ok(Self::Proof(text.parse()?));
        }
        if text.starts_with("old ") {
            return Ok(Self::Continued(text.parse()?));
        }
        match Signed::unchecked(&text) {
            Ok(signed) => Ok(Self::Checkpoint(signed)),
            Err(_) => Ok(Self::Entries(start)),
        }
    }
}

/// A proof that was checked: the entry, and the checkpoint that has it.
#[derive(Clone, PartialEq, Debug)]
pub struct ProvedEntry {
    pub entry: Entry,
    pub hash: Hash,
    pub checkpoint: Checkpoint,
}

/// Checks a proof that carries its entry.
pub fn check_proof(proof: &Inclusion, against: &Against) -> Result<ProvedEntry, AuditFault> {
    let fault = |what: String| AuditFault::Entry {
        seq: proof.index.saturating_add(1),
        what,
    };
    let bytes = proof.extra.as_deref();
    let bytes = bytes.ok_or_else(|| fault("the proof does not carry its bytes".to_owned()))?;
    let signed = Signed::unchecked(&proof.note)?;
    let checkpoint = is_signed_by(&signed, against.key.as_ref())?;
    let key = against.key.as_ref().ok_or(AuditFault::NoKey)?;
    proof.check(&leaf(bytes), &key.of(&checkpoint.origin)?)?;
    let entry = Entry::decode(bytes).map_err(|what| fault(format!("the entry {what}")))?;
    if entry.seq.0 != proof.index.saturating_add(1) {
        return Err(fault(format!("it says that it is entry {}", entry.seq)));
    }
    let hash = Hash::of(bytes);
    Ok(ProvedEntry {
        entry,
        hash,
        checkpoint,
    })
}

/// Checks the signature of a checkpoint.
pub fn check_signed(signed: &Signed, against: &Against) -> Result<Checkpoint, AuditFault> {
    is_signed_by(signed, against.key.as_ref())
}

/// Compares a checkpoint, whose signature was checked, with what was kept, as far as that can be
/// done without tiles: whether all of it could be compared.
pub fn compare(checkpoint: &Checkpoint, against: &Against) -> Result<bool, AuditFault> {
    let mut is_all = against.heads().next().is_none();
    for kept in against.checkpoints()? {
        let Checkpoint { origin, size, root } = is_signed_by(&kept, against.key.as_ref())?;
        let fault = |what| Err(AuditFault::Checkpoint { size, what });
        if origin != checkpoint.origin {
            return fault("is of another record");
        }
        if size == checkpoint.size && root != checkpoint.root {
            return fault("has another root than this one of as many entries: a fork");
        }
        if size > checkpoint.size {
            return fault("has more entries than this one: it is older, or its tail was cut");
        }
        is_all &= size == checkpoint.size;
    }
    Ok(is_all)
}

/// Checks that a checkpoint continues those that were kept.
pub fn check_continued(
    continued: &Continuation,
    against: &Against,
) -> Result<Checkpoint, AuditFault> {
    let signed = Signed::unchecked(&continued.note)?;
    let checkpoint = is_signed_by(&signed, against.key.as_ref())?;
    for kept in against.checkpoints()? {
        let Checkpoint { size, root, .. } = is_signed_by(&kept, against.key.as_ref())?;
        if size != continued.old {
            let what = "is not the one that this proof goes on from";
            return Err(AuditFault::Checkpoint { size, what });
        }
        continued.check(&root, &signed)?;
    }
    Ok(checkpoint)
}

/// Checks a folder of tiles: the checkpoint's signature, every tile, and that the tree continues
/// the checkpoints that were kept.
pub fn check_tiles(folder: &TileFolder, against: &Against) -> Result<Checkpoint, AuditFault> {
    let note = folder.checkpoint()?.ok_or_else(|| {
        let what = "it has no checkpoint: it is no folder of `audit export --tiles`";
        io::Error::new(io::ErrorKind::NotFound, what)
    })?;
    let signed = Signed::unchecked(&note)?;
    let checkpoint = is_signed_by(&signed, against.key.as_ref())?;
    folder.check(checkpoint.size, &checkpoint.root)?;
    for kept in against.checkpoints()? {
        let Checkpoint { size, root, origin } = is_signed_by(&kept, against.key.as_ref())?;
        let fault = |what| Err(AuditFault::Checkpoint { size, what });
        if origin != checkpoint.origin {
            return fault("is of another record");
        }
        if size > checkpoint.size {
            return fault("has more than the tiles: the tail was cut, or they are older");
        }
        // Every tile was checked, so the root of the older tree can be made of them.
        if proof::root(size, &mut folder.nodes(checkpoint.size))? != root {
            return fault("is not continued by the tiles: the record was rewritten, or forked");
        }
    }
    Ok(checkpoint)
}

/// The checkpoint of a folder as something that was kept, to compare entries with.
pub fn kept_of(folder: &TileFolder) -> Result<Option<Kept>, AuditFault> {
    Ok(folder.checkpoint()?.map(Kept::Checkpoint))
}
