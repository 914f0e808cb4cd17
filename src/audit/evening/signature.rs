//! The signature of the manifest: Ed25519 by the key that signs the journal's heads.
//!
//! It has the form of minisign's signatures of a whole text (`Ed`), so that minisign and the
//! programs like it check it without this one: two comments, each above a line of base64, of
//! `Ed ‖ key id ‖ signature of the text` and of the signature over that signature and the comment.
//! A manifest begins with a hash in hex and a head with `sumun head v1`, so neither is ever taken
//! for the other. Nothing else of this folder knows the form.

use data_encoding::{BASE64, HEXLOWER};

use crate::crypto::sha256;
use crate::domain::ids::Seq;
use crate::keys::{Keys, verify_head};
use crate::tree::note::{Kind, VerifierKey};

/// Signatures of the text itself, not of its BLAKE2b.
const ALGORITHM: &[u8; 2] = b"Ed";
const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";

/// Signs a text with the key of this entry's head; `comment` is one line that is signed too.
pub(super) fn sign(keys: &Keys, last: Seq, text: &[u8], comment: &str) -> String {
    let key = keys.head_public_key_at(last);
    let signature = keys.sign_at(last, text);
    let global = keys.sign_at(last, &[&signature[..], comment.as_bytes()].concat());
    let packed = [&ALGORITHM[..], &key_id(&key), &signature].concat();
    format!(
        "{UNTRUSTED}signed by the head key of a sumun journal\n{}\n{TRUSTED}{comment}\n{}\n",
        BASE64.encode(&packed),
        BASE64.encode(&global)
    )
}

/// The comment of a signature that the holder of the key made of this text; none if it is not one.
pub(super) fn verify(key: &[u8; 32], text: &[u8], signed: &str) -> Option<String> {
    let mut lines = signed.strip_suffix('\n')?.split('\n');
    lines.next()?.strip_prefix(UNTRUSTED)?;
    let packed = BASE64.decode(lines.next()?.as_bytes()).ok()?;
    let comment = lines.next()?.strip_prefix(TRUSTED)?;
    let global: [u8; 64] = BASE64
        .decode(lines.next()?.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    if lines.next().is_some() {
        return None;
    }
    let head = [&ALGORITHM[..], &key_id(key)].concat();
    let signature: &[u8; 64] = packed.strip_prefix(head.as_slice())?.try_into().ok()?;
    let whole = [&signature[..], comment.as_bytes()].concat();
    let is_it = verify_head(key, text, signature) && verify_head(key, &whole, &global);
    is_it.then(|| comment.to_owned())
}

/// Names a key, so that a signature by another one is told from a wrong signature.
fn key_id(key: &[u8; 32]) -> [u8; 8] {
    *sha256(key).first_chunk().expect("a SHA-256 has 32 bytes")
}

/// A public key as minisign takes it.
pub fn public_key_text(key: &[u8; 32]) -> String {
    BASE64.encode(&[&ALGORITHM[..], &key_id(key), key].concat())
}

/// A public key as people give it: in hex as `audit head` prints it, as minisign takes it, or in
/// the text form of C2SP signed notes.
pub(super) fn read_public_key(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if let Ok(bytes) = HEXLOWER.decode(text.to_ascii_lowercase().as_bytes()) {
        return bytes.try_into().ok();
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        return (key.kind == Kind::Ed25519).then_some(key.key);
    }
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    let key = bytes.strip_prefix(ALGORITHM)?.get(8..)?;
    let key: [u8; 32] = key.try_into().ok()?;
    (public_key_text(&key) == text).then_some(key)
}
