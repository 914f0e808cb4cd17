//! The keys that sign heads of the journal and checkpoints of the tree over it, and which of them
//! signs which entry. The one place that says which key signs.
//!
//! A key is replaced by an entry, which the key before it vouches for: heads of that entry and of
//! those behind it are signed with the next one. Replaced keys are kept: what lay in the tail when
//! the process ended is signed when it is settled.

use std::path::Path;
use std::sync::Arc;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

use super::Keys;
use super::store::{KeysFault, Stored};
use crate::crypto::SignKey;
use crate::domain::ids::Seq;
use crate::tree::checkpoint::{Checkpoint, Signed};
use crate::tree::note::{Kind, NoteFault, VerifierKey};

/// A key that replaced one, in the file of the secrets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredHead {
    /// Ed25519, PKCS #8, hexadecimal.
    key: String,
    /// The first entry whose head it signs; none before it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_seq: Option<u64>,
}

/// The keys of heads, the first one first.
pub(super) struct HeadKeys {
    all: Vec<Arc<SignKey>>,
    /// By ascending entry: from which one each signs.
    in_force: Vec<(Seq, Arc<SignKey>)>,
}

/// The journal names a key for its heads that the secrets do not have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("they lack the key {} that signs heads since entry {}", .public, .since)]
pub struct HeadKeyMissing {
    pub public: String,
    pub since: Seq,
}

impl HeadKeys {
    pub(super) fn of(stored: &Stored) -> Result<Self, String> {
        let read = |hex: &str| {
            let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes());
            let bytes = bytes.map_err(|_| "a key of `heads` is not hexadecimal".to_owned())?;
            let key = SignKey::from_pkcs8(&bytes)
                .map_err(|refused| format!("a key of `heads` is not an Ed25519 key: {refused}"))?;
            Ok::<_, String>(Arc::new(key))
        };
        let first = SignKey::from_pkcs8(&stored.head_pkcs8()?)
            .map_err(|refused| format!("`head` is not an Ed25519 key: {refused}"))?;
        let first = Arc::new(first);
        let (mut all, mut in_force) = (vec![Arc::clone(&first)], vec![(Seq(0), first)]);
        for head in &stored.heads {
            let key = read(&head.key)?;
            all.push(Arc::clone(&key));
            if let Some(from) = head.from_seq {
                in_force.push((Seq(from), key));
            }
        }
        Ok(Self { all, in_force })
    }

    fn at(&self, seq: Seq) -> &SignKey {
        let (_, newest) = self.newest();
        let mut known = self.in_force.iter().rev();
        known
            .find(|(from, _)| *from <= seq)
            .map_or(newest, |(_, key)| key)
    }

    fn newest(&self) -> (Seq, &SignKey) {
        let (from, key) = self
            .in_force
            .last()
            .expect("the first key is in force at first");
        (*from, key)
    }
}

impl Keys {
    /// Signs a head of the journal, or what is as of this entry, with Ed25519.
    pub fn sign_at(&self, seq: Seq, message: &[u8]) -> [u8; 64] {
        self.heads.load().at(seq).sign(message)
    }

    /// The same, with the newest key.
    pub fn sign_newest(&self, message: &[u8]) -> [u8; 64] {
        self.sign_at(Seq(u64::MAX), message)
    }

    /// The public key that verifies checkpoints of so many entries, of this origin.
    ///
    /// # Errors
    /// When no key may have the origin for its name.
    pub fn checkpoint_key(&self, origin: &str, size: u64) -> Result<VerifierKey, NoteFault> {
        VerifierKey::new(origin, Kind::Ed25519, self.head_public_key_at(Seq(size)))
    }

    /// Signs a checkpoint; `key` is what `checkpoint_key` gave for its origin and size.
    pub fn sign_checkpoint(&self, checkpoint: Checkpoint, key: &VerifierKey) -> Signed {
        let size = Seq(checkpoint.size);
        Signed::sign(checkpoint, key, |text| self.sign_at(size, text))
    }

    /// The public key that verifies what `sign_at` signs for this entry.
    pub fn head_public_key_at(&self, seq: Seq) -> [u8; 32] {
        self.heads.load().at(seq).public()
    }

    /// The public key that verifies the newest signed heads of this data folder.
    pub fn head_public_key(&self) -> [u8; 32] {
        self.heads.load().newest().1.public()
    }

    /// The key that the journal was founded with: which journal these secrets belong to.
    pub fn founding_public_key(&self) -> [u8; 32] {
        self.heads.load().all[0].public()
    }

    /// Takes from the journal which key signs from which entry on.
    ///
    /// # Errors
    /// When a key that the journal names is not there.
    pub fn adopt_heads(&self, named: &[(Seq, [u8; 32])]) -> Result<(), HeadKeyMissing> {
        let known = self.heads.load();
        let found = named.iter().map(|(since, public)| {
            let mut all = known.all.iter();
            let found = all.find(|key| key.public() == *public).cloned();
            let key = found.ok_or_else(|| HeadKeyMissing {
                public: HEXLOWER.encode(public),
                since: *since,
            })?;
            Ok((*since, key))
        });
        let in_force = found.collect::<Result<Vec<_>, _>>()?;
        if !in_force.is_empty() {
            let all = known.all.clone();
            self.heads.store(Arc::new(HeadKeys { all, in_force }));
        }
        Ok(())
    }

    /// Makes the next key of heads and keeps it in the folder's file; returns its public key. A key
    /// of an attempt that came to nothing is not used: somebody may have it.
    ///
    /// # Errors
    /// When the secrets are not in the folder, or can't be written.
    pub fn make_head(&self, folder: &Path) -> Result<[u8; 32], KeysFault> {
        let known = self.heads.load();
        let made = SignKey::generate();
        let key = HEXLOWER.encode(&made);
        let from_seq = None;
        self.change_stored(folder, |stored| {
            stored.heads.push(StoredHead { key, from_seq });
        })?;
        let made = SignKey::from_pkcs8(&made).expect("a generated signing key is well-formed");
        let public = made.public();
        let mut all = known.all.clone();
        all.push(Arc::new(made));
        let in_force = known.in_force.clone();
        self.heads.store(Arc::new(HeadKeys { all, in_force }));
        Ok(public)
    }

    /// From this entry on heads are signed with this key, which `make_head` made; noted in the
    /// folder's file for those who read it without the journal. Called before the entry is
    /// committed: its head is signed as soon as it is.
    ///
    /// # Errors
    /// When there is no such key, or the secrets can't be written: nothing is changed then.
    pub fn put_head_in_force(
        &self,
        folder: &Path,
        from: Seq,
        public: &[u8; 32],
    ) -> Result<(), KeysFault> {
        let known = self.heads.load();
        let mut all = known.all.iter();
        let key = all.find(|key| key.public() == *public).cloned();
        let Some(key) = key else {
            return Err(KeysFault::Missing(Self::file(folder)));
        };
        let mut in_force = known.in_force.clone();
        in_force.push((from, key));
        self.change_stored(folder, |stored| {
            for (stored, key) in stored.heads.iter_mut().zip(&known.all[1..]) {
                let mut since = in_force.iter();
                let since = since.find(|(_, other)| other.public() == key.public());
                stored.from_seq = since.map(|(from, _)| from.0);
            }
        })?;
        let all = known.all.clone();
        self.heads.store(Arc::new(HeadKeys { all, in_force }));
        Ok(())
    }
}
