//! A witness: remembers the newest checkpoint that it saw of each record, and cosigns a newer one
//! only when that continues it.
//!
//! It has a folder and a key of its own, on another host than the record's. What it saw is durable
//! before it signs. Two signed checkpoints that can't both be of one record are kept as `fork-…`:
//! they prove that the record was forked, to everybody who knows its key.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

use super::against::{PublicKey, is_signed_by};
use super::tiles::{TileFault, TileFolder};
use crate::crypto::SignKey;
use crate::domain::entry::{Change, Entry, Hash, head_key_message};
use crate::keys::verify_head;
use crate::tree::checkpoint::{CheckpointFault, Signed};
use crate::tree::cosignature::cosign;
use crate::tree::note::{Kind, Note, NoteFault, VerifierKey};
use crate::tree::proof;
use crate::tree::text::{Continuation, Inclusion, ProofFault};

const KEY: &str = "witness.key";
const PUBLIC: &str = "witness.pub";
const SEEN: &str = "seen.json";

/// Why a witness does not cosign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFault {
    #[error("{what} ({}): {error}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        #[source]
        error: io::Error,
    },
    #[error("{}: {what}", path.display())]
    State { path: PathBuf, what: String },
    #[error(transparent)]
    Key(#[from] NoteFault),
    #[error("`{0}` is seen for the first time: give its key with --public-key")]
    Unknown(String),
    #[error(
        "`{0}` is known under another key: where the record has replaced it, bring the proof of \
         the entry that says so (`sumun audit prove SEQ --into DIR`) with --rotated"
    )]
    OtherKey(String),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    #[error(transparent)]
    Tiles(#[from] TileFault),
    #[error(transparent)]
    Proof(#[from] ProofFault),
    #[error(
        "it has {found} entries, and {seen} were seen already: an older medium, or the record's \
         tail was cut"
    )]
    Older { found: u64, seen: u64 },
    #[error(
        "no proof comes with it that it continues the {seen} entries that were seen: bring what \
         `sumun audit checkpoint --since {seen}` prints, or a folder of tiles"
    )]
    NotShown { seen: u64 },
    #[error(
        "FORK: it does not continue the checkpoint of {seen} entries that was seen; both are \
         signed, and are kept in {}",
        evidence.display()
    )]
    Fork { seen: u64, evidence: PathBuf },
}

/// What is brought to a witness.
#[derive(Clone, Debug)]
pub enum Brought {
    Tiles(TileFolder),
    Continued(Continuation),
    Checkpoint(Box<Signed>),
}

/// The newest checkpoint that was seen of a record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// The record's key.
    pub key: String,
    pub size: u64,
    /// In hex.
    pub root: String,
    /// The note as it came.
    pub note: String,
}

impl Seen {
    /// Whether size and root are those of the note, which the record's key signed.
    fn is_as_signed(&self) -> bool {
        let Ok(key) = self.key.parse::<PublicKey>() else {
            return false;
        };
        let Ok(signed) = Signed::unchecked(&self.note) else {
            return false;
        };
        let checked = is_signed_by(&signed, Some(&key));
        checked.is_ok_and(|checkpoint| {
            checkpoint.size == self.size && checkpoint.root.to_string() == self.root
        })
    }
}

/// The key that the holder of `known` hands over to in the entry of this proof.
fn handed_over(known: &[u8; 32], proof: &Inclusion) -> Option<[u8; 32]> {
    let entry = Entry::decode(proof.extra.as_deref()?).ok()?;
    let Change::HeadKeyRotated {
        public_key,
        signature,
    } = entry.change
    else {
        return None;
    };
    let signature = signature.as_slice().try_into().ok()?;
    verify_head(known, &head_key_message(&public_key), signature).then_some(public_key)
}

/// A witness with its key, and what it saw.
pub struct Witness {
    folder: PathBuf,
    /// Held until it is dropped: two at once could sign both sides of a fork.
    _lock: File,
    secret: SignKey,
    public: VerifierKey,
    seen: BTreeMap<String, Seen>,
}

impl Witness {
    /// Makes a key and a folder for it.
    pub fn init(folder: &Path, name: &str) -> Result<VerifierKey, WitnessFault> {
        let secret = SignKey::generate();
        let key = SignKey::from_pkcs8(&secret).expect("a generated signing key is well-formed");
        let public = VerifierKey::new(name, Kind::Cosignature, key.public())?;
        let made = fs::create_dir_all(folder);
        made.map_err(|error| file("can't make the witness's folder", folder, error))?;
        write_new(
            &folder.join(KEY),
            format!("{}\n", BASE64.encode(&secret)).as_bytes(),
        )?;
        write_new(&folder.join(SEEN), b"{}\n")?;
        write_new(&folder.join(PUBLIC), format!("{public}\n").as_bytes())?;
        Ok(public)
    }

    pub fn open(folder: &Path) -> Result<Self, WitnessFault> {
        let state = |name: &str, what: &str| WitnessFault::State {
            path: folder.join(name),
            what: what.to_owned(),
        };
        let secret_path = folder.join(KEY);
        let mode = fs::metadata(&secret_path).map(|meta| meta.permissions().mode());
        if mode.is_ok_and(|mode| mode & 0o077 != 0) {
            return Err(state(KEY, "others can read this secret: chmod 600 it"));
        }
        let lock = File::open(&secret_path).and_then(|lock| lock.lock().map(|()| lock));
        let lock = lock.map_err(|error| file("can't lock", &secret_path, error))?;
        let secret = BASE64.decode(read(&secret_path)?.trim().as_bytes()).ok();
        let secret = secret.and_then(|bytes| SignKey::from_pkcs8(&bytes).ok());
        let secret = secret.ok_or_else(|| state(KEY, "is no key of a witness"))?;
        let public: VerifierKey = read(&folder.join(PUBLIC))?.parse()?;
        if public.kind != Kind::Cosignature || public.key != secret.public() {
            return Err(state(PUBLIC, "does not belong to the key beside it"));
        }
        let seen = match fs::read(folder.join(SEEN)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(state(SEEN, "is missing: bring it back from a copy"));
            }
            Err(error) => return Err(file("can't read", &folder.join(SEEN), error)),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                // Without it an older or forked record would be cosigned.
                state(
                    SEEN,
                    &format!("can't be read ({error}): bring it back from a copy"),
                )
            })?,
        };
        let seen: BTreeMap<String, Seen> = seen;
        if let Some((name, _)) = seen.iter().find(|(_, seen)| !seen.is_as_signed()) {
            let what = format!(
                "what it says of `{name}` is not what the note in it says: bring it back from a copy"
            );
            return Err(state(SEEN, &what));
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            _lock: lock,
            secret,
            public,
            seen,
        })
    }

    pub fn public(&self) -> &VerifierKey {
        &self.public
    }

    pub fn seen(&self) -> &BTreeMap<String, Seen> {
        &self.seen
    }

    /// Cosigns what was brought, if it continues what was seen; `key` is needed the first time.
    pub fn cosign(
        &mut self,
        brought: &Brought,
        key: Option<&PublicKey>,
        rotated: Option<&Inclusion>,
        time_s: u64,
    ) -> Result<Note, WitnessFault> {
        let note = match brought {
            Brought::Tiles(folder) => {
                let read = folder.checkpoint();
                let read = read.map_err(|error| file("can't read", folder.path(), error))?;
                read.ok_or_else(|| TileFault::Missing("checkpoint".to_owned()))?
            }
            Brought::Continued(continued) => continued.note.clone(),
            Brought::Checkpoint(signed) => signed.note.to_string(),
        };
        let origin = Signed::unchecked(&note)?.checkpoint.origin;
        let key = self.key_of(&origin, key, rotated)?;
        let signed = Signed::open(&note, &key)?;
        self.continues(brought, &signed)?;
        let mut note = signed.note.clone();
        self.keep(&key, signed)?;
        let line = cosign(&note.text, time_s, &self.public, |text| {
            self.secret.sign(text)
        });
        note.signatures.push(line);
        Ok(note)
    }

    /// The key of a record: the one that it is known by, or that is given the first time.
    /// A record may have replaced it by an entry that the known key vouches for.
    fn key_of(
        &self,
        origin: &str,
        given: Option<&PublicKey>,
        rotated: Option<&Inclusion>,
    ) -> Result<VerifierKey, WitnessFault> {
        let given = given.map(|given| given.of(origin)).transpose()?;
        let Some(seen) = self.seen.get(origin) else {
            return given.ok_or_else(|| WitnessFault::Unknown(origin.to_owned()));
        };
        let known: VerifierKey = seen.key.parse()?;
        let next = rotated.and_then(|proof| handed_over(&known.key, proof));
        match given {
            Some(given) if next == Some(given.key) => Ok(given),
            Some(given) if given != known => Err(WitnessFault::OtherKey(origin.to_owned())),
            _ => Ok(known),
        }
    }

    /// Whether what was brought continues what was seen of its record.
    fn continues(&self, brought: &Brought, signed: &Signed) -> Result<(), WitnessFault> {
        let checkpoint = &signed.checkpoint;
        let seen = self.seen.get(&checkpoint.origin);
        let (old, old_root) = match seen {
            Some(seen) => (seen.size, Hash::parse(&seen.root).unwrap_or(Hash::NONE)),
            None => (0, crate::tree::empty()),
        };
        if checkpoint.size < old {
            let found = checkpoint.size;
            return Err(WitnessFault::Older { found, seen: old });
        }
        let new = (checkpoint.size, &checkpoint.root);
        let shown = match brought {
            _ if checkpoint.size == old => checkpoint.root == old_root,
            Brought::Tiles(folder) => {
                let mut nodes = folder.nodes(checkpoint.size);
                // Tiles that do not lead to their own checkpoint prove nothing.
                if proof::root(checkpoint.size, &mut nodes)? != checkpoint.root {
                    return Err(TileFault::Root.into());
                }
                let hashes = proof::consistency(old, checkpoint.size, &mut nodes)?;
                let shown = proof::is_consistent((old, &old_root), new, &hashes);
                if !shown {
                    // A fork is told only when no tile is at fault.
                    folder.check(checkpoint.size, &checkpoint.root)?;
                }
                shown
            }
            // The first time there is nothing that it must continue.
            _ if old == 0 => true,
            Brought::Continued(continued) if continued.old == old => {
                continued.check(&old_root, signed)?;
                true
            }
            Brought::Continued(_) | Brought::Checkpoint(_) => {
                return Err(WitnessFault::NotShown { seen: old });
            }
        };
        if shown {
            return Ok(());
        }
        let before = seen.map_or("", |seen| seen.note.as_str());
        let evidence = self.keep_fork(before, signed)?;
        Err(WitnessFault::Fork {
            seen: old,
            evidence,
        })
    }

    /// Keeps two signed checkpoints that can't both be of one record.
    fn keep_fork(&self, before: &str, signed: &Signed) -> Result<PathBuf, WitnessFault> {
        let root = HEXLOWER.encode(&signed.checkpoint.root.0[..4]);
        let name = format!("fork-{}-{root}.txt", signed.checkpoint.size);
        let path = self.folder.join(name);
        let text = format!("{before}\n{}", signed.note);
        durable(&path, text.as_bytes()).map_err(|error| file("can't write", &path, error))?;
        Ok(path)
    }

    /// Remembers a checkpoint, durably.
    fn keep(&mut self, key: &VerifierKey, signed: Signed) -> Result<(), WitnessFault> {
        let note = signed.note.to_string();
        let seen = Seen {
            key: key.to_string(),
            size: signed.checkpoint.size,
            root: signed.checkpoint.root.to_string(),
            note,
        };
        self.seen.insert(signed.checkpoint.origin, seen);
        let path = self.folder.join(SEEN);
        let text = serde_json::to_vec_pretty(&self.seen).expect("what was seen has a JSON form");
        durable(&path, &text).map_err(|error| file("can't write", &path, error))
    }
}

fn file(what: &'static str, path: &Path, error: io::Error) -> WitnessFault {
    let path = path.to_path_buf();
    WitnessFault::File { what, path, error }
}

fn read(path: &Path) -> Result<String, WitnessFault> {
    fs::read_to_string(path).map_err(|error| file("can't read", path, error))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WitnessFault> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| file("can't make", path, error))
}

/// Writes a file in one step that a power cut does not undo.
fn durable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_added_extension("part");
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
