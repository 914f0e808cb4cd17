//! The file of the secrets: its form, its mode, and writing it whole or not at all.
//!
//! Owns the bytes of `keys.json`. It must not overwrite secrets that it did not read: `save` makes
//! a new file or fails, `replace` is for a changed set of the same secrets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::heads::StoredHead;
use super::personal::StoredPersonal;
use super::{Keys, Place, tokens};
use crate::clock::Entropy;
use crate::domain::time::Stamp;
use crate::sync::locked;

/// The name of the file in the data folder.
pub(super) const FILE: &str = "keys.json";
const FORM: u8 = 1;
/// A whole file is under 1 KiB; one of more than this is something else.
const BYTES_MAX: u64 = 256 * 1024;

/// Why secrets cannot be loaded or saved. Never holds a part of one.
#[derive(Debug, thiserror::Error)]
pub enum KeysFault {
    #[error(
        "{} does not exist: run `sumun init` first, or restore it from your backup",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "{} can be read by others (mode {mode:04o}): run `chmod 600 {}` after making sure \
         that nobody has copied it",
        .path.display(), .path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{} exists already: saving would lose its secrets", .0.display())]
    Exists(PathBuf),
    #[error(
        "the secrets were handed over by the service manager and can't be written: stop the \
         service, put them into {} with mode 0600, replace the key there, and hand the new file \
         over",
        .0.display()
    )]
    Handed(PathBuf),
    #[error("{} is not a key file: {why}", .path.display())]
    Malformed { path: PathBuf, why: String },
    #[error("{}: {cause}", .path.display())]
    File { path: PathBuf, cause: io::Error },
}

/// 32 secret bytes; hexadecimal in the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Secret(pub(super) [u8; 32]);

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        let secret = bytes.and_then(|bytes| bytes.try_into().ok());
        secret.map(Self).ok_or("a secret is 64 hexadecimal digits")
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> String {
        HEXLOWER.encode(&secret.0)
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredToken {
    pub(super) id: u8,
    pub(super) key: Secret,
    /// When it was made, by the server's clock; 0 for the first.
    #[serde(default)]
    pub(super) since_ns: i64,
}

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    form: u8,
    pub(super) person: Secret,
    pub(super) name: Secret,
    pub(super) vault: Secret,
    pub(super) number: Secret,
    pub(super) token_current: StoredToken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token_previous: Option<StoredToken>,
    /// Names and vault keys that replaced the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) personal: Vec<StoredPersonal>,
    /// Whether `name` and `vault` were written over: what they sealed shall not be opened again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_first_forgotten: bool,
    /// Ed25519, PKCS #8, hexadecimal: the key that the journal was founded with.
    head: String,
    /// Keys that replaced it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) heads: Vec<StoredHead>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Stored {
    pub(super) fn new(secrets: [Secret; 4], token_current: StoredToken, head: &[u8]) -> Self {
        let [person, name, vault, number] = secrets;
        Self {
            form: FORM,
            person,
            name,
            vault,
            number,
            token_current,
            token_previous: None,
            personal: Vec::new(),
            is_first_forgotten: false,
            head: HEXLOWER.encode(head),
            heads: Vec::new(),
        }
    }

    /// The same secrets with a fresh key for tokens, and the key that it replaces.
    pub(super) fn with_new_token_key(&self, entropy: &Entropy, now: Stamp) -> (Self, StoredToken) {
        let mut next = self.clone();
        let key = StoredToken {
            id: next.token_current.id.wrapping_add(1),
            key: Secret(entropy.bytes()),
            since_ns: now.0,
        };
        let replaced = std::mem::replace(&mut next.token_current, key);
        (next, replaced)
    }

    pub(super) fn head_pkcs8(&self) -> Result<Vec<u8>, String> {
        HEXLOWER_PERMISSIVE
            .decode(self.head.as_bytes())
            .map_err(|_| "`head` is not hexadecimal".to_owned())
    }
}

impl Keys {
    /// Where the secrets of a data folder are.
    pub fn file(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// Reads the secrets of a data folder.
    pub fn load(folder: &Path) -> Result<Self, KeysFault> {
        Self::load_from(folder, None)
    }

    /// Reads the secrets from the file that the service manager handed over, or, without one, those
    /// of the data folder; and the keys of tokens that replaced theirs.
    pub fn load_from(folder: &Path, handed: Option<&Path>) -> Result<Self, KeysFault> {
        let (path, place) = match handed {
            Some(handed) => (handed.to_owned(), Place::Handed),
            None => (Self::file(folder), Place::Folder),
        };
        // systemd lets the service read a credential by an access list, whose mask is shown as the
        // right of the group.
        let forbidden = match place {
            Place::Folder => 0o077,
            Place::Handed => 0o037,
        };
        let bytes = read_whole(&path, forbidden).map_err(|fault| match fault {
            KeysFault::File { path, cause } if cause.kind() == io::ErrorKind::NotFound => {
                KeysFault::Missing(path)
            }
            fault => fault,
        })?;
        let mut stored: Stored = parse(&path, &bytes)?;
        let malformed = |why: String| KeysFault::Malformed {
            path: path.clone(),
            why,
        };
        if stored.form != FORM {
            return Err(malformed(format!(
                "its form is {}, this program reads form {FORM}",
                stored.form
            )));
        }
        tokens::overlay(&mut stored, folder)?;
        Self::ready(stored, place).map_err(malformed)
    }

    /// Writes the secrets to a data folder that has none.
    pub fn save(&self, folder: &Path) -> Result<(), KeysFault> {
        let path = Self::file(folder);
        let stored = locked(&self.stored);
        write(&*stored, &path, |written, path| {
            // A link fails where a rename would replace.
            fs::hard_link(written, path)?;
            fs::remove_file(written)
        })
    }
}

impl Stored {
    /// Writes changed secrets over those of a data folder.
    pub(super) fn replace(&self, folder: &Path) -> Result<(), KeysFault> {
        write(self, &Keys::file(folder), |written, path| {
            fs::rename(written, path)
        })
    }
}

/// The bytes of a file of secrets. One that grants somebody a right of `forbidden` is refused.
pub(super) fn read_whole(path: &Path, forbidden: u32) -> Result<Vec<u8>, KeysFault> {
    let failed = |cause: io::Error| KeysFault::File {
        path: path.to_owned(),
        cause,
    };
    let file = File::open(path).map_err(failed)?;
    // The mode of the opened file, not of the path: the path could change in between.
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
    if mode & forbidden != 0 {
        let path = path.to_owned();
        return Err(KeysFault::Exposed { path, mode });
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

pub(super) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, KeysFault> {
    serde_json::from_slice(bytes).map_err(|fault| KeysFault::Malformed {
        path: path.to_owned(),
        // serde_json's own text may quote a value; the place is enough to find the fault.
        why: format!("line {}, column {}", fault.line(), fault.column()),
    })
}

/// Writes beside the file, makes it durable, and puts it in place by one step of the file system: a
/// reader sees the old file or the new one.
pub(super) fn write(
    secrets: &impl Serialize,
    path: &Path,
    place: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> Result<(), KeysFault> {
    let written = path.with_extension("json.new");
    let attempt = || -> io::Result<()> {
        // What an interrupted save left behind is no one's.
        match fs::remove_file(&written) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&written)?;
        serde_json::to_writer_pretty(&mut file, secrets)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        place(&written, path)?;
        match path.parent() {
            Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    };
    attempt().map_err(|cause| {
        // Nothing is lost when this fails too: the next save removes it.
        let _ = fs::remove_file(&written);
        match cause.kind() {
            io::ErrorKind::AlreadyExists => KeysFault::Exists(path.to_owned()),
            _ => KeysFault::File {
                path: path.to_owned(),
                cause,
            },
        }
    })
}
