//! All cryptography of the program, but TLS (`tls`): the only place that names libraries for it.
//!
//! Nothing here decides what is hashed, signed or sealed, or with which key: `keys`, `domain` and
//! the others do, with a label for each purpose. A site that has to use nationally validated
//! modules (in Korea KCMVP) replaces what is in this file: SHA-256, HMAC-SHA-256, AES-256-GCM,
//! Ed25519, the checks of RS256 and ES256, random bytes, Argon2id, and in `seal` the age format.
//! SECURITY.md says what else that changes.

pub mod seal;
#[cfg(test)]
pub mod signer;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{Context, SHA256, digest};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

/// The bytes before and behind what is sealed.
pub const NONCE_BYTES: usize = ring::aead::NONCE_LEN;
pub const TAG_BYTES: usize = 16;

/// SHA-256 of these bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    whole(digest(&SHA256, bytes).as_ref())
}

/// SHA-256 of bytes that come in pieces.
#[derive(Clone)]
pub struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> [u8; 32] {
        whole(self.0.finish().as_ref())
    }
}

/// A key of HMAC-SHA-256. It holds the hash state after its pads, so that a message costs no more
/// than its own blocks.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    pub fn of(&self, message: &[u8]) -> [u8; 32] {
        whole(hmac::sign(&self.0, message).as_ref())
    }

    /// For a message that comes in pieces.
    pub fn begin(&self) -> Mac {
        Mac(hmac::Context::with_key(&self.0))
    }
}

/// The HMAC of a message so far.
pub struct Mac(hmac::Context);

impl Mac {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> [u8; 32] {
        whole(self.0.sign().as_ref())
    }
}

/// HMAC-SHA-1, for the one-time codes of RFC 6238 alone: apps that make them know no other.
pub fn one_time_mac(secret: &[u8], message: &[u8]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let mac = hmac::sign(&key, message);
    *mac.as_ref().first_chunk().expect("SHA-1 has 20 bytes")
}

/// A key of AES-256-GCM.
pub struct SealKey(LessSafeKey);

impl SealKey {
    pub fn new(secret: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, secret);
        Self(LessSafeKey::new(key.expect("AES-256 takes 32 bytes")))
    }

    /// Seals in place for this context; tells the tag. The nonce must never come twice.
    pub fn seal(
        &self,
        nonce: [u8; NONCE_BYTES],
        context: &[u8],
        bytes: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(context), bytes);
        let tag = sealed.expect("what is sealed is far shorter than the 64 GiB that AES-GCM takes");
        whole(tag.as_ref())
    }

    /// Opens what was sealed for this context, the tag behind it; none if anything was changed.
    pub fn open(
        &self,
        nonce: [u8; NONCE_BYTES],
        context: &[u8],
        mut sealed: Vec<u8>,
    ) -> Option<Vec<u8>> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(context), &mut sealed);
        let length = opened.ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

/// A key of Ed25519.
pub struct SignKey(Ed25519KeyPair);

impl SignKey {
    /// A new one, in the form of PKCS#8.
    pub fn generate() -> Vec<u8> {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        made.expect("the operating system gives random bytes")
            .as_ref()
            .to_vec()
    }

    /// # Errors
    /// Why it is none.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, String> {
        let key = Ed25519KeyPair::from_pkcs8(bytes);
        key.map(Self).map_err(|refused| refused.to_string())
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        whole(self.0.sign(message).as_ref())
    }

    pub fn public(&self) -> [u8; 32] {
        whole(self.0.public_key().as_ref())
    }
}

/// Whether the holder of the secret of `public` signed this message.
pub fn is_signed(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(message, signature).is_ok()
}

/// Whether the holder of an RSA key of 2048 bits or more signed this message, as RS256 has it
/// (RFC 7518, 3.3): PKCS #1 v1.5 with SHA-256. Modulus and exponent are big-endian.
pub fn is_rs256(modulus: &[u8], exponent: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKeyComponents {
        n: modulus,
        e: exponent,
    };
    let verified = key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature);
    verified.is_ok()
}

/// Whether the holder of a key on P-256 signed this message, as ES256 has it (RFC 7518, 3.4).
pub fn is_es256(x: &[u8; 32], y: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    // A point that is not compressed (SEC 1, 2.3.3).
    let point = [[4].as_slice(), x, y].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message, signature).is_ok()
}

/// Fills bytes from the operating system's generator. `clock::Entropy` is how everybody asks.
///
/// # Panics
/// When the operating system has none to give: nothing secret may be made then.
pub fn fill_random(bytes: &mut [u8]) {
    let filled = SystemRandom::new().fill(bytes);
    filled.expect("the operating system gives random bytes");
}

/// A password's hash in PHC form: Argon2id with OWASP's cost.
///
/// # Errors
/// Why it can't be hashed.
pub fn hash_password(salt: &[u8; 16], password: &[u8]) -> Result<String, String> {
    let hashed = Argon2::default().hash_password_with_salt(password, salt);
    hashed
        .map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

/// Whether `password` is the one that was hashed.
pub fn is_password(password: &[u8], hash: &str) -> bool {
    let parsed = argon2::password_hash::phc::PasswordHash::new(hash);
    parsed.is_ok_and(|parsed| Argon2::default().verify_password(password, &parsed).is_ok())
}

fn whole<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("each algorithm has its one length")
}
