//! Copies of the data file: made while a server runs, kept, restored and rehearsed.
//!
//! A copy is a file with a head that everybody can read and a stream of frames behind it, in the
//! form of `journal::copy`, which can be sealed to keys that are not on this host. `source` gives
//! the stream, of a running server or of a folder at rest; `file` is one copy; `proof` restores it
//! while it is written; `chain` is a folder of copies that follow each other; `follow` adds to such
//! a folder every few seconds; `restore` makes a data file of copies; `drill` does that into a
//! scratch folder and signs what came of it; `keyring` seals what no copy has; `notes` says when
//! copies were made.

pub mod chain;
pub mod drill;
pub mod file;
pub mod follow;
pub mod keyring;
pub mod notes;
pub mod proof;
pub mod restore;
pub mod source;

use std::io;
use std::path::{Path, PathBuf};

use crate::audit::AuditFault;
use crate::crypto::seal::SealFault;
use crate::journal::copy::CopyFault;
use crate::journal::store::StoreFault;

/// Why a copy can't be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    #[error("{}: {cause}", .path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{} is not a copy that `sumun backup` made: {why}", .path.display())]
    NotACopy { path: PathBuf, why: String },
    #[error("{} is damaged: {why}", .path.display())]
    Damaged { path: PathBuf, why: String },
    #[error(transparent)]
    Seal(#[from] SealFault),
    #[error(transparent)]
    Copy(#[from] CopyFault),
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("the copy does not verify: {0}")]
    Verify(#[from] AuditFault),
    #[error("{} exists already: {todo}", .path.display())]
    Exists { path: PathBuf, todo: &'static str },
    #[error("{} has no copy that a restore could begin with (full-….sumun)", .0.display())]
    NoFull(PathBuf),
    #[error("{0}")]
    Missing(#[from] chain::Gap),
    #[error("the copies end with entry {last}, of {at}; entry {wanted} is in none of them")]
    Beyond {
        wanted: String,
        last: u64,
        at: String,
    },
    #[error("{0}")]
    Refused(String),
    #[error("{0:#}")]
    Server(anyhow::Error),
}

impl BackupFault {
    /// The fault of an operation on a file.
    pub fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |cause| Self::File {
            path: path.clone(),
            cause,
        }
    }
}
