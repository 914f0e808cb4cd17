//! The keys of tokens beside secrets that can't be written.
//!
//! Secrets that the service manager hands over are read-only, and the keys of tokens are the one
//! part of them that changes while a server runs. What replaced them is kept in `tokens.json` of
//! the data folder. The secrets have the first keys of tokens, this file the present ones. Of the
//! two the later counts, so that a file that was left behind brings no replaced key back.

use std::io;
use std::path::{Path, PathBuf};

use crate::crypto::SignKey;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::store::{KeysFault, Stored, StoredToken, parse, read_whole, write};

const FILE: &str = "tokens.json";

/// The file's content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    /// The public key of the signed heads of the secrets that these belong to, hexadecimal.
    of: String,
    token_current: StoredToken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_previous: Option<StoredToken>,
}

pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Puts the keys of tokens that the folder has in place of those of the secrets, if they are later.
pub(super) fn overlay(stored: &mut Stored, folder: &Path) -> Result<(), KeysFault> {
    let path = file(folder);
    let bytes = match read_whole(&path, 0o077) {
        Err(KeysFault::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
            return Ok(());
        }
        read => read?,
    };
    let tokens: Tokens = parse(&path, &bytes)?;
    if Some(tokens.of) != owner(stored) {
        return Err(KeysFault::Malformed {
            path,
            why: "it belongs to other secrets: remove it, and everybody enters again".to_owned(),
        });
    }
    if tokens.token_current.since_ns > stored.token_current.since_ns {
        stored.token_current = tokens.token_current;
        stored.token_previous = tokens.token_previous;
    }
    Ok(())
}

/// Writes the keys of tokens of these secrets over those that the folder has.
pub(super) fn replace(stored: &Stored, folder: &Path) -> Result<(), KeysFault> {
    let path = file(folder);
    let tokens = Tokens {
        of: owner(stored).unwrap_or_default(),
        token_current: stored.token_current.clone(),
        token_previous: stored.token_previous.clone(),
    };
    write(&tokens, &path, |written, path| {
        std::fs::rename(written, path)
    })
}

fn owner(stored: &Stored) -> Option<String> {
    let head = SignKey::from_pkcs8(&stored.head_pkcs8().ok()?).ok()?;
    Some(HEXLOWER.encode(&head.public()))
}
