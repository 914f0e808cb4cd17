//! What the key of heads signs: heads of the journal, and checkpoints of the tree over it. The one
//! place that says which key signs now.

use super::Keys;
use crate::tree::checkpoint::{Checkpoint, Signed};
use crate::tree::note::{Kind, NoteFault, VerifierKey};

impl Keys {
    /// Signs a head of the journal with Ed25519.
    pub fn sign_head(&self, message: &[u8]) -> [u8; 64] {
        self.head.sign(message)
    }

    /// The public key that verifies the signed heads of this data folder.
    pub fn head_public_key(&self) -> [u8; 32] {
        self.head.public()
    }

    /// The public key that verifies checkpoints of this origin.
    ///
    /// # Errors
    /// When no key may have the origin for its name.
    pub fn checkpoint_key(&self, origin: &str) -> Result<VerifierKey, NoteFault> {
        VerifierKey::new(origin, Kind::Ed25519, self.head_public_key())
    }

    /// Signs a checkpoint; `key` is what `checkpoint_key` gave for its origin.
    pub fn sign_checkpoint(&self, checkpoint: Checkpoint, key: &VerifierKey) -> Signed {
        Signed::sign(checkpoint, key, |text| self.head.sign(text))
    }
}
