//! What no copy of the data file has: keys, settings, accounts, certificate and languages, sealed
//! into one file of the age format, which other tools of that format open too.
//!
//! The file is never written unsealed: with `keys.json` a copy tells who booked what.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupFault;
use super::file::sync_folder_of;
use crate::crypto::seal::{Identities, Recipients};
use crate::keys::Keys;
use crate::ops::folder::{Folder, write_new};

/// Everything together is some hundred kilobytes; a file of more than this is something else.
const BYTES_MAX: u64 = 16 << 20;

/// What is sealed: JSON with each file's text, by its name in the data folder.
#[derive(Serialize, Deserialize)]
struct Keyring {
    sumun_keyring: u8,
    files: BTreeMap<PathBuf, String>,
}

/// Seals what the folder has into a new file, with the keys of another file if one is named; tells
/// the names.
pub fn export(
    folder: &Folder,
    recipients: &Recipients,
    keys: Option<&Path>,
    file: &Path,
) -> Result<Vec<PathBuf>, BackupFault> {
    if recipients.is_empty() {
        let why = "keys are never written unsealed: name a recipient with --to, or a passphrase \
                   with --passphrase-file (`sumun keys recipient FILE` makes a key)";
        return Err(BackupFault::Refused(why.to_owned()));
    }
    if file.exists() {
        let todo = "give a new name";
        let path = file.to_path_buf();
        return Err(BackupFault::Exists { path, todo });
    }
    let mut files = BTreeMap::new();
    for name in folder.beside_data_file() {
        let path = folder.path().join(&name);
        let text = fs::read_to_string(&path).map_err(BackupFault::at(&path))?;
        files.insert(name, text);
    }
    if let Some(keys) = keys {
        let text = fs::read_to_string(keys).map_err(BackupFault::at(keys))?;
        files.insert(Keys::FILE.into(), text);
    }
    if !files.contains_key(Path::new(Keys::FILE)) {
        let why = format!(
            "{} has no {}: where it is a credential, name its file with --keys",
            folder.path().display(),
            Keys::FILE
        );
        return Err(BackupFault::Refused(why));
    }
    let names = files.keys().cloned().collect();
    let text = serde_json::to_vec(&Keyring {
        sumun_keyring: 1,
        files,
    });
    let fault = BackupFault::at(file);
    let text = text.map_err(|error| fault(error.into()))?;
    let mut sealed = Vec::new();
    let written = recipients.seal(&mut sealed).and_then(|mut seal| {
        seal.write_all(&text)?;
        seal.finish()?;
        Ok(())
    });
    written.map_err(&fault)?;
    write_new(file, 0o600, &sealed).map_err(BackupFault::Server)?;
    sync_folder_of(file)?;
    Ok(names)
}

/// Opens a file that `export` wrote and puts what is in it into the folder. A file that is there
/// already with other content is a refusal, and then nothing is written.
pub fn import(
    folder: &Folder,
    identities: &Identities,
    file: &Path,
) -> Result<Vec<PathBuf>, BackupFault> {
    let fault = BackupFault::at(file);
    let source = fs::File::open(file).map_err(&fault)?;
    let mut text = String::new();
    let opened = identities.open(source, file)?;
    let read = opened.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| BackupFault::Damaged {
        path: file.to_path_buf(),
        why: error.to_string(),
    })?;
    let keyring: Keyring = serde_json::from_str(&text).map_err(|error| BackupFault::Damaged {
        path: file.to_path_buf(),
        why: format!("what is sealed in it is no keyring ({error})"),
    })?;
    let mut new = Vec::new();
    for (name, text) in keyring.files {
        let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        if !name.components().all(is_plain) {
            return Err(BackupFault::Damaged {
                path: file.to_path_buf(),
                why: format!("it has a file outside the data folder ({})", name.display()),
            });
        }
        let path = folder.path().join(&name);
        match fs::read_to_string(&path) {
            Ok(there) if there == text => {}
            Ok(_) => {
                let todo = "it is another one than in the keyring; move it away first";
                return Err(BackupFault::Exists { path, todo });
            }
            Err(_) => new.push((name, path, text)),
        }
    }
    let mut names = Vec::new();
    for (name, path, text) in new {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(BackupFault::at(parent))?;
        }
        if let Err(fault) = write_new(&path, mode_of(&name), text.as_bytes()) {
            // Whole or not at all: a part of it would be in the way the next time.
            let _ = fs::remove_file(&path);
            for made in &names {
                let _ = fs::remove_file(folder.path().join(made));
            }
            return Err(BackupFault::Server(fault));
        }
        names.push(name);
    }
    Ok(names)
}

/// Secrets are for their owner; a certificate is for everybody.
fn mode_of(name: &Path) -> u32 {
    let end = name.extension().and_then(|end| end.to_str());
    match end {
        Some("pem" | "ftl") => 0o644,
        Some("toml") => 0o640,
        _ => 0o600,
    }
}
