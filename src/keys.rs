//! The secrets that are not in the data file, and all that is computed with them.
//!
//! Owns `keys.json` of the data folder (mode 0600), or of the service manager, and then
//! `tokens.json` of the data folder: without them the data file names nobody and opens no vault
//! row. It must not log, print or return a secret; `Debug` shows none.
//!
//! Invariants: each purpose has its own key; every keyed hash starts with a label of its purpose
//! and version; a file that others can read is refused, as its secrets may no longer be secrets.

mod files;
mod heads;
mod number;
mod personal;
mod store;
mod tokens;

use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::clock::Entropy;
use crate::crypto::{MacKey, NONCE_BYTES, SealKey, SignKey, TAG_BYTES, is_signed};
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey};
use crate::domain::staff::AccountId;
use crate::domain::time::Stamp;
use crate::sync::locked;
use arc_swap::ArcSwap;

pub use files::{FileOpening, FileSealing};
pub use heads::HeadKeyMissing;
use heads::HeadKeys;
pub use personal::{PersonalKeys, SealBroken};
pub use store::KeysFault;
use store::{Secret, Stored, StoredToken};

/// What a sealed row is longer than what was sealed: the nonce before it and the tag after it.
pub const SEAL_BYTES: usize = NONCE_BYTES + TAG_BYTES;

/// The secrets of one data folder, ready for use.
pub struct Keys {
    stored: Mutex<Stored>,
    place: Place,
    person: MacKey,
    number: MacKey,
    /// By their ids; the journal says which are in force.
    personal: ArcSwap<Vec<Arc<PersonalKeys>>>,
    /// What signs tokens now, and what still verifies.
    tokens: ArcSwap<TokenKeys>,
    heads: ArcSwap<HeadKeys>,
}

/// Where the secrets are, and so where a replaced key of tokens is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// In the data folder's `keys.json`.
    Folder,
    /// Handed over by the service manager, read-only: `tokens.json` of the data folder has what
    /// was replaced since.
    Handed,
}

/// The keys of tokens. What the replaced one signed stays good until the next replacement, unless
/// it was revoked.
#[derive(Debug)]
struct TokenKeys {
    current: TokenKey,
    previous: Option<TokenKey>,
}

/// A key that signs tokens, and the byte that names it inside them.
#[derive(Clone)]
pub struct TokenKey {
    pub id: u8,
    pub key: MacKey,
}

/// Why the key of tokens is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum NotRotated {
    #[error(
        "the key of tokens was replaced {hours} hours ago: tokens of the one before are still in \
         use, and replacing it again would end them; try again {wait} hours later, or, if the key \
         was stolen, end them all with --revoke"
    )]
    TooSoon { hours: i64, wait: i64 },
    #[error(transparent)]
    File(#[from] KeysFault),
}

/// Tokens are good for at most a day (`gate::token::TOKEN_S_MAX`): a key that was replaced must
/// stay good as long.
const ROTATE_AFTER_S: i64 = 24 * 3600;

impl Keys {
    /// The name of their file in the data folder.
    pub const FILE: &'static str = store::FILE;

    /// Whether the secrets were handed over by the service manager: keys of heads and of names
    /// can't be replaced then while the server runs.
    pub fn are_handed(&self) -> bool {
        self.place == Place::Handed
    }

    /// Fresh secrets.
    pub fn generate(entropy: &Entropy) -> Self {
        let head = SignKey::generate();
        let secret = || Secret(entropy.bytes());
        let stored = Stored::new(
            [secret(), secret(), secret(), secret()],
            StoredToken {
                id: 1,
                key: secret(),
                since_ns: 0,
            },
            &head,
        );
        Self::ready(stored, Place::Folder).expect("a generated signing key is well-formed")
    }

    /// What an account of the agency's provider is known by: it tells neither the provider nor what
    /// it calls its user.
    pub fn provider_subject(&self, issuer: &str, subject: &str) -> [u8; 32] {
        let mut context = self.person.begin();
        context.update(b"sumun provider subject v1");
        context.update(&(issuer.len() as u64).to_be_bytes());
        context.update(issuer.as_bytes());
        context.update(subject.as_bytes());
        context.finish()
    }

    /// What seals the credentials of accounts. It is derived, so that a folder from before there
    /// were accounts has it too.
    fn staff_key(&self) -> SealKey {
        SealKey::new(&self.person.of(b"sumun staff credentials v1"))
    }

    /// Seals the credentials of an account, which alone they open for.
    pub fn seal_credentials(&self, entropy: &Entropy, account: AccountId, plain: &[u8]) -> Vec<u8> {
        self.seal_for_staff(entropy, &account.0.to_be_bytes(), plain)
    }

    /// Seals half of a first password for the act on an account that gives it.
    pub fn seal_half(&self, entropy: &Entropy, act: u32, plain: &[u8]) -> Vec<u8> {
        self.seal_for_staff(entropy, &of_act(act), plain)
    }

    /// None if it is of another act or other keys.
    pub fn open_half(&self, act: u32, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_for_staff(&of_act(act), sealed)
    }

    fn seal_for_staff(&self, entropy: &Entropy, context: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = entropy.bytes();
        let mut sealed = [&nonce, plain].concat();
        let key = self.staff_key();
        let tag = key.seal(nonce, context, &mut sealed[NONCE_BYTES..]);
        sealed.extend_from_slice(&tag);
        sealed
    }

    fn open_for_staff(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        self.staff_key().open(*nonce, context, sealed.to_vec())
    }

    /// None if they are of another account or other keys.
    pub fn open_credentials(&self, account: AccountId, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_for_staff(&account.0.to_be_bytes(), sealed)
    }

    /// Replaces the key of tokens, in the folder's file and then here; returns the new one's id.
    /// Tokens of the one before stay good until the next time.
    pub fn rotate_tokens(
        &self,
        folder: &Path,
        entropy: &Entropy,
        now: Stamp,
    ) -> Result<u8, NotRotated> {
        let mut stored = locked(&self.stored);
        may_rotate(&stored, now)?;
        let (mut next, replaced) = stored.with_new_token_key(entropy, now);
        next.token_previous = Some(replaced);
        Ok(self.put_in_force(&mut stored, next, folder)?)
    }

    /// Whether the key of tokens may be replaced at this time.
    pub fn may_rotate_tokens(&self, now: Stamp) -> Result<(), NotRotated> {
        may_rotate(&locked(&self.stored), now)
    }

    /// The same, but no token that was signed before is good any more: for a key that somebody
    /// else may have. Allowed at any time.
    pub fn revoke_tokens(
        &self,
        folder: &Path,
        entropy: &Entropy,
        now: Stamp,
    ) -> Result<u8, NotRotated> {
        let mut stored = locked(&self.stored);
        let (mut next, _) = stored.with_new_token_key(entropy, now);
        next.token_previous = None;
        Ok(self.put_in_force(&mut stored, next, folder)?)
    }

    fn put_in_force(
        &self,
        stored: &mut Stored,
        next: Stored,
        folder: &Path,
    ) -> Result<u8, KeysFault> {
        match self.place {
            Place::Folder => next.replace(folder)?,
            Place::Handed => tokens::replace(&next, folder)?,
        }
        let tokens = TokenKeys::of(&next);
        let id = tokens.current.id;
        self.tokens.store(Arc::new(tokens));
        *stored = next;
        Ok(id)
    }

    /// Changes the secrets in the folder's file, if they are where they can be written, and then
    /// here.
    fn change_stored(
        &self,
        folder: &Path,
        change: impl FnOnce(&mut Stored),
    ) -> Result<(), KeysFault> {
        if self.place == Place::Handed {
            return Err(KeysFault::Handed(Self::file(folder)));
        }
        let mut stored = locked(&self.stored);
        let mut next = stored.clone();
        change(&mut next);
        next.replace(folder)?;
        self.personal.store(Arc::new(PersonalKeys::all(&next)));
        *stored = next;
        Ok(())
    }

    /// Precomputes what is used often: a `MacKey` holds the hash state after its pads.
    fn ready(stored: Stored, place: Place) -> Result<Self, String> {
        let key = |secret: &Secret| MacKey::new(&secret.0);
        Ok(Self {
            person: key(&stored.person),
            number: key(&stored.number),
            personal: ArcSwap::from_pointee(PersonalKeys::all(&stored)),
            tokens: ArcSwap::from_pointee(TokenKeys::of(&stored)),
            heads: ArcSwap::from_pointee(HeadKeys::of(&stored)?),
            stored: Mutex::new(stored),
            place,
        })
    }

    /// The pseudonym of the holder of an invitation code, given as its value.
    pub fn person_key(&self, code: u64) -> PersonKey {
        const LABEL: &[u8; 15] = b"sumun person v1";
        let mut message = [0; LABEL.len() + 8];
        message[..LABEL.len()].copy_from_slice(LABEL);
        message[LABEL.len()..].copy_from_slice(&code.to_be_bytes());
        PersonKey(leading(&self.person.of(&message)))
    }

    /// The seed of the draw of one opening: known to nobody before it is shown.
    pub fn draw_seed(
        &self,
        campaign: &str,
        line: LineIndex,
        opening: Stamp,
        of_windows: bool,
    ) -> [u8; 32] {
        let mut context = self.number.begin();
        // A seed of windows is shown before the opening: no lobby is drawn by it.
        let label: &[u8] = if of_windows {
            b"sumun windows seed v1"
        } else {
            b"sumun draw seed v2"
        };
        context.update(label);
        context.update(&line.0.to_be_bytes());
        context.update(&opening.0.to_be_bytes());
        context.update(campaign.as_bytes());
        leading(&context.finish())
    }

    /// Names a person's window in calendars.
    pub fn window_id(&self, person: PersonKey, campaign: CampaignIndex, line: u16) -> [u8; 8] {
        let mut context = self.number.begin();
        context.update(b"sumun window id v1");
        context.update(&person.0);
        context.update(&campaign.0.to_be_bytes());
        context.update(&line.to_be_bytes());
        leading(&context.finish())
    }

    /// The key that signs new tokens.
    pub fn token_current(&self) -> TokenKey {
        self.tokens.load().current.clone()
    }

    /// What `with` makes of the key that a token says it was signed with, if it is still good.
    pub fn with_token_key<T>(&self, id: u8, with: impl FnOnce(&TokenKey) -> T) -> Option<T> {
        let tokens = self.tokens.load();
        let known = [Some(&tokens.current), tokens.previous.as_ref()];
        let key = known.into_iter().flatten().find(|key| key.id == id)?;
        Some(with(key))
    }
}

fn may_rotate(stored: &Stored, now: Stamp) -> Result<(), NotRotated> {
    let age_s = (now.0 - stored.token_current.since_ns) / Stamp::SECOND;
    if stored.token_previous.is_some() && (0..ROTATE_AFTER_S).contains(&age_s) {
        let (hours, wait) = (age_s / 3600, (ROTATE_AFTER_S - age_s).div_euclid(3600) + 1);
        return Err(NotRotated::TooSoon { hours, wait });
    }
    Ok(())
}

impl TokenKeys {
    fn of(stored: &Stored) -> Self {
        let token = |stored: &StoredToken| TokenKey {
            id: stored.id,
            key: MacKey::new(&stored.key.0),
        };
        Self {
            current: token(&stored.token_current),
            previous: stored.token_previous.as_ref().map(token),
        }
    }
}

/// Whether `signature` over `message` was made by the holder of the secret of `public_key`.
pub fn verify_head(public_key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    is_signed(public_key, message, signature)
}

fn leading<const N: usize>(tag: &[u8; 32]) -> [u8; N] {
    *tag.first_chunk()
        .expect("HMAC-SHA-256 gives 32 bytes and nobody asks for more")
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

/// What half of a password is sealed for: longer than an account's number, so that neither opens
/// as the other.
fn of_act(act: u32) -> [u8; 7] {
    let [a, b, c, d] = act.to_be_bytes();
    [b'a', b'c', b't', a, b, c, d]
}

#[cfg(test)]
mod tests;
