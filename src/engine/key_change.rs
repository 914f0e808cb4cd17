//! Replacing keys while a server runs, for the command line and for what two accounts approved:
//! the part that is done in the file of the secrets, and the operation that follows.

use std::path::Path;

use super::command::Operation;
use super::shared::Shared;
use crate::clock::Entropy;
use crate::domain::staff::proposal::KeyChange;
use crate::domain::time::Stamp;
use crate::keys::Keys;

/// What is left to be done of it.
pub enum KeyWork {
    Operation(Operation),
    /// Nothing: keys that are not in force were removed.
    NamesForgotten {
        /// The id of the keys in force.
        id: u8,
        removed: usize,
    },
}

/// Makes the next key, or removes those that are not in force.
///
/// # Errors
/// Why not, and what to do; nothing is in force then.
pub fn prepare(
    change: KeyChange,
    shared: &Shared,
    keys: &Keys,
    folder: &Path,
    now: Stamp,
) -> Result<KeyWork, String> {
    let entropy = Entropy::system();
    let told = |why: &dyn std::fmt::Display| why.to_string();
    let rotated = |id, revoked| KeyWork::Operation(Operation::TokenKeyRotated { id, revoked });
    Ok(match change {
        KeyChange::Tokens => {
            let id = keys.rotate_tokens(folder, &entropy, now);
            rotated(id.map_err(|why| told(&why))?, false)
        }
        KeyChange::TokensRevoked => {
            let id = keys.revoke_tokens(folder, &entropy, now);
            rotated(id.map_err(|why| told(&why))?, true)
        }
        KeyChange::Heads => {
            let public_key = keys.make_head(folder).map_err(|why| told(&why))?;
            let folder = folder.to_path_buf();
            KeyWork::Operation(Operation::RotateHeadKey { public_key, folder })
        }
        KeyChange::Names => {
            let id = shared.state().keys.personal.checked_add(1);
            let id = id.ok_or("the keys were replaced 255 times, which is all there can be")?;
            let made = keys.make_personal(folder, &entropy, id);
            made.map_err(|why| told(&why))?;
            KeyWork::Operation(Operation::RotatePersonalKeys { id })
        }
        KeyChange::NamesForgotten => {
            let id = shared.state().keys.personal;
            let removed = keys.forget_personal_but(folder, id);
            let removed = removed.map_err(|why| told(&why))?;
            KeyWork::NamesForgotten { id, removed }
        }
    })
}
