//! Cosignatures (C2SP tlog-cosignature, Ed25519): a witness says at what time a checkpoint was the
//! largest that it knew of a journal, and that it continues all that it saw before.

use super::note::{Note, NoteFault, Signature, VerifierKey};
use crate::crypto::is_signed;

/// The time and the signature.
const BYTES: usize = 8 + 64;

/// What a witness signs: `time_s` is in seconds since 1970.
fn message(text: &str, time_s: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time_s}\n{text}").into_bytes()
}

/// The line by which a witness cosigns the text of a checkpoint.
pub fn cosign(
    text: &str,
    time_s: u64,
    key: &VerifierKey,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Signature {
    let mut bytes = time_s.to_be_bytes().to_vec();
    bytes.extend_from_slice(&sign(&message(text, time_s)));
    key.signature(&bytes)
}

/// When a witness cosigned a note, in seconds since 1970: the latest time, if several.
///
/// # Errors
/// When it did not, or a line of its does not fit.
pub fn cosigned_s(note: &Note, key: &VerifierKey) -> Result<u64, NoteFault> {
    let theirs = note.signatures.iter().filter(|found| found.is_by(key));
    let time_of = |signature: &Signature| {
        let bytes: &[u8; BYTES] = signature.bytes.as_slice().try_into().ok()?;
        let (time, signed) = bytes.split_first_chunk::<8>()?;
        let time_s = u64::from_be_bytes(*time);
        let signed: &[u8; 64] = signed.try_into().ok()?;
        is_signed(&key.key, &message(&note.text, time_s), signed).then_some(time_s)
    };
    let times: Option<Vec<u64>> = theirs.map(time_of).collect();
    let times = times.ok_or_else(|| NoteFault::Signature(key.name().to_owned()))?;
    let latest = times.into_iter().max();
    latest.ok_or_else(|| NoteFault::NotSigned(key.name().to_owned()))
}
