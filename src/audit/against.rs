//! What a check compares with, that came from elsewhere: a head or a checkpoint that was kept, and
//! the public key.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use super::evening::Expected;
use super::{AuditFault, KeptHead};
use crate::domain::ids::Seq;
use crate::domain::personal::KeysInForce;
use crate::tree::checkpoint::{Checkpoint, Signed};
use crate::tree::note::{Kind, NoteFault, VerifierKey};

/// A public key as an auditor was given it: with the record's name, or bare as `audit head` shows
/// it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    Named(VerifierKey),
    Bare([u8; 32]),
}

impl PublicKey {
    pub fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Named(key) => &key.key,
            Self::Bare(key) => key,
        }
    }

    /// What verifies checkpoints of this origin.
    pub fn of(&self, origin: &str) -> Result<VerifierKey, NoteFault> {
        match self {
            Self::Named(key) => Ok(key.clone()),
            Self::Bare(key) => VerifierKey::new(origin, Kind::Ed25519, *key),
        }
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bare = |bytes: Vec<u8>| bytes.try_into().ok().map(Self::Bare);
        let hex = HEXLOWER_PERMISSIVE
            .decode(text.as_bytes())
            .ok()
            .and_then(bare);
        let base64 = BASE64.decode(text.as_bytes()).ok().and_then(bare);
        if let Some(key) = Expected::key_of(text) {
            return Ok(Self::Bare(key));
        }
        match text.parse::<VerifierKey>() {
            Ok(key) => Ok(Self::Named(key)),
            Err(_) if hex.is_some() || base64.is_some() => Ok(hex.or(base64).expect("one is")),
            Err(fault) => Err(format!("{text:?} {fault}; 64 hex digits are one too")),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(key) => write!(f, "{key}"),
            Self::Bare(key) => f.write_str(&data_encoding::HEXLOWER.encode(key)),
        }
    }
}

/// A head of the record that was kept: of the chain as JSON, or of the tree as a signed note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    Head(KeptHead),
    Checkpoint(String),
}

impl Kept {
    /// # Errors
    /// When it is neither.
    pub fn read(text: &str) -> Result<Self, String> {
        // Some programs put it before a text that they save.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_start().starts_with('{') {
            let head = serde_json::from_str(text).map_err(|error| error.to_string());
            return head.map(Self::Head);
        }
        let signed = Signed::unchecked(text).map_err(|fault| fault.to_string());
        signed.map(|_| Self::Checkpoint(text.to_owned()))
    }
}

/// All that a check compares with.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Against {
    pub kept: Vec<Kept>,
    pub key: Option<PublicKey>,
}

impl Against {
    /// The key of a checkpoint of so many entries: the one that the journal names for it, where the
    /// journal is known, under the name of the one that was given.
    pub(super) fn key_at(&self, known: &KeysInForce, size: u64) -> Option<PublicKey> {
        let Some(key) = known.head_at(Seq(size)) else {
            return self.key.clone();
        };
        Some(match &self.key {
            Some(PublicKey::Named(named)) => {
                let of_then = VerifierKey::new(named.name(), Kind::Ed25519, key);
                of_then.map_or(PublicKey::Bare(key), PublicKey::Named)
            }
            _ => PublicKey::Bare(key),
        })
    }

    pub(super) fn heads(&self) -> impl Iterator<Item = &KeptHead> {
        let heads = self.kept.iter().map(|kept| match kept {
            Kept::Head(head) => Some(head),
            Kept::Checkpoint(_) => None,
        });
        heads.flatten()
    }

    /// The checkpoints, unchecked.
    pub(super) fn checkpoints(&self) -> Result<Vec<Signed>, AuditFault> {
        let notes = self.kept.iter().filter_map(|kept| match kept {
            Kept::Head(_) => None,
            Kept::Checkpoint(note) => Some(Signed::unchecked(note)),
        });
        Ok(notes.collect::<Result<_, _>>()?)
    }
}

/// Checks the signature of a checkpoint with the key that is known: given, or of the founding
/// entry.
pub(super) fn is_signed_by(
    signed: &Signed,
    key: Option<&PublicKey>,
) -> Result<Checkpoint, AuditFault> {
    let key = key.ok_or(AuditFault::NoKey)?;
    let key = key.of(&signed.checkpoint.origin)?;
    Ok(Signed::open(&signed.note.to_string(), &key)?.checkpoint)
}
