//! The keys of what is known of people beside their pseudonym: one compares names and telephone
//! numbers, one seals them.
//!
//! They are replaced together, because a name can be compared with another key only where it can
//! be read. A roster says which keys its tags were made with; a sealed row is opened with whichever
//! key fits, so that rows of copies that were made before stay readable as long as their key is
//! kept.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::store::{KeysFault, Secret, Stored};
use super::{Keys, leading};
use crate::clock::Entropy;
use crate::crypto::{MacKey, NONCE_BYTES, SealKey};
use crate::domain::ids::PersonKey;
use crate::domain::roster::comparable_phone;
use crate::domain::spelling::{comparable_name, former_comparable_name};

/// A sealed row did not open: it was changed, moved to another person, or sealed under other keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a vault row does not open: it was changed, belongs to another person, or has other keys")]
pub struct SealBroken;

/// Both keys, of one time.
pub struct PersonalKeys {
    /// Counted from 0.
    pub id: u8,
    name: MacKey,
    vault: SealKey,
}

/// Those that replaced the first ones, in the file of the secrets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPersonal {
    pub(super) id: u8,
    name: Secret,
    vault: Secret,
}

impl PersonalKeys {
    pub(super) fn all(stored: &Stored) -> Vec<Arc<Self>> {
        let of = |id, name: &Secret, vault: &Secret| {
            Arc::new(Self {
                id,
                name: MacKey::new(&name.0),
                vault: SealKey::new(&vault.0),
            })
        };
        let first = (!stored.is_first_forgotten).then(|| of(0, &stored.name, &stored.vault));
        let later = stored.personal.iter();
        let later = later.map(|keys| of(keys.id, &keys.name, &keys.vault));
        first.into_iter().chain(later).collect()
    }

    /// A tag of the name that shows whether a given name is this person's, and nothing else.
    /// Compared as `comparable_name`. Two people of one name have unlike tags.
    pub fn name_tag(&self, person: PersonKey, name: &str) -> [u8; 8] {
        self.tag(b"sumun name v1", person, &comparable_name(name))
    }

    /// The tag that a roster of an earlier version of the program has of this name; none where it
    /// is the same.
    pub fn former_name_tag(&self, person: PersonKey, name: &str) -> Option<[u8; 8]> {
        let former = former_comparable_name(name);
        let differs = former != comparable_name(name);
        differs.then(|| self.tag(b"sumun name v1", person, &former))
    }

    /// A tag of the telephone number that shows whether it changed, however it is written.
    pub fn detail_tag(&self, person: PersonKey, phone: &str) -> u32 {
        u32::from_be_bytes(self.tag(b"sumun phone v1", person, &comparable_phone(phone)))
    }

    pub(super) fn tag<const N: usize>(
        &self,
        label: &[u8],
        person: PersonKey,
        text: &str,
    ) -> [u8; N] {
        let mut context = self.name.begin();
        context.update(label);
        context.update(&person.0);
        context.update(text.as_bytes());
        leading(&context.finish())
    }

    /// Seals a vault row for one person: nonce, ciphertext, tag.
    pub fn seal(&self, entropy: &Entropy, person: PersonKey, plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(plaintext.len() + super::SEAL_BYTES);
        self.seal_into(entropy.bytes(), person, plaintext, &mut sealed);
        sealed
    }

    /// Appends a sealed row to `into`. The nonce must be fresh from `Entropy`: 96 random bits hold
    /// for 2³² rows under one key (NIST SP 800-38D, 8.3), seventy times a country of 60 million.
    pub(crate) fn seal_into(
        &self,
        nonce: [u8; NONCE_BYTES],
        person: PersonKey,
        plaintext: &[u8],
        into: &mut Vec<u8>,
    ) {
        into.extend_from_slice(&nonce);
        let from = into.len();
        into.extend_from_slice(plaintext);
        let tag = self.vault.seal(nonce, &person.0, &mut into[from..]);
        into.extend_from_slice(&tag);
    }

    fn open(&self, person: PersonKey, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) = sealed.split_first_chunk()?;
        self.vault.open(*nonce, &person.0, ciphertext.to_vec())
    }
}

impl Keys {
    /// The keys of this id, if they are kept.
    pub fn personal(&self, id: u8) -> Option<Arc<PersonalKeys>> {
        let all = self.personal.load();
        all.iter().find(|keys| keys.id == id).cloned()
    }

    /// Opens what was sealed for a person with any of the keys that are kept, the newest first.
    pub fn open(&self, person: PersonKey, sealed: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let all = self.personal.load();
        let mut opened = all.iter().rev();
        let opened = opened.find_map(|keys| keys.open(person, sealed));
        opened.ok_or(SealBroken)
    }

    /// Makes keys of this id and keeps them in the folder's file, beside those in force. Keys of an
    /// attempt that came to nothing are not used: somebody may have them.
    ///
    /// # Errors
    /// When the secrets are not in the folder, or can't be written.
    pub fn make_personal(
        &self,
        folder: &Path,
        entropy: &Entropy,
        id: u8,
    ) -> Result<Arc<PersonalKeys>, KeysFault> {
        let made = StoredPersonal {
            id,
            name: Secret(entropy.bytes()),
            vault: Secret(entropy.bytes()),
        };
        self.change_stored(folder, |stored| {
            stored.personal.retain(|keys| keys.id < id);
            stored.personal.push(made);
        })?;
        Ok(self.personal(id).expect("these keys have just been made"))
    }

    /// Removes every key but those of this id, durably: what was sealed with another one, in copies
    /// too, can't be opened any more. How many were removed.
    ///
    /// # Errors
    /// When the secrets are not in the folder, or can't be written.
    pub fn forget_personal_but(&self, folder: &Path, id: u8) -> Result<usize, KeysFault> {
        let before = self.personal.load().len();
        if self.personal(id).is_none() {
            return Ok(0);
        }
        self.change_stored(folder, |stored| {
            let kept = stored.personal.iter().find(|keys| keys.id == id).cloned();
            if let Some(kept) = kept {
                // The first ones have no id of their own in the file: they are written over.
                stored.name = Secret([0; 32]);
                stored.vault = Secret([0; 32]);
                stored.is_first_forgotten = true;
                stored.personal = vec![kept];
            } else {
                stored.personal.clear();
            }
        })?;
        Ok(before - self.personal.load().len())
    }
}
