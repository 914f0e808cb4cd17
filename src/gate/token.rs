//! Signed tokens: a place or a session that verifies without a look-up, on any process with the
//! key.
//!
//! `version | kind | key id | campaign | person | number | issued | tag`, in base64url. The tag is
//! the first 16 bytes of HMAC-SHA-256 over a label and everything before it, so a token of one
//! kind, campaign or person is never one of another.

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;

use crate::domain::ids::{CampaignIndex, PersonKey};
use crate::domain::time::Stamp;
use crate::keys::{Keys, TokenKey};

const VERSION: u8 = 1;
const LABEL: &[u8; 14] = b"sumun token v1";
const BODY_BYTES: usize = 1 + 1 + 1 + 2 + 16 + 8 + 8;
const TAG_BYTES: usize = 16;
const TOKEN_BYTES: usize = BODY_BYTES + TAG_BYTES;
/// 53 bytes in base64url without padding.
pub const TOKEN_CHARACTERS: usize = (TOKEN_BYTES * 8).div_ceil(6);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Place = 1,
    Session = 2,
}

/// What a token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    pub kind: Kind,
    pub campaign: CampaignIndex,
    pub person: PersonKey,
    /// The place: `Given::mark`.
    pub number: u64,
    pub issued: Stamp,
}

impl Token {
    pub fn sign(&self, keys: &Keys) -> String {
        let key = keys.token_current();
        let mut bytes = [0; TOKEN_BYTES];
        bytes[0] = VERSION;
        bytes[1] = self.kind as u8;
        bytes[2] = key.id;
        bytes[3..5].copy_from_slice(&self.campaign.0.to_be_bytes());
        bytes[5..21].copy_from_slice(&self.person.0);
        bytes[21..29].copy_from_slice(&self.number.to_be_bytes());
        bytes[29..37].copy_from_slice(&self.issued.0.to_be_bytes());
        let tag = tag(&key.key, &bytes[..BODY_BYTES]);
        bytes[BODY_BYTES..].copy_from_slice(&tag);
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads a token of that kind that was signed with the current or the previous key.
    pub fn verify(text: &str, kind: Kind, keys: &Keys) -> Option<Self> {
        if text.len() != TOKEN_CHARACTERS {
            return None;
        }
        let mut bytes = [0; TOKEN_BYTES];
        let length = BASE64URL_NOPAD
            .decode_mut(text.as_bytes(), &mut bytes)
            .ok()?;
        let (body, given) = bytes.split_at(BODY_BYTES);
        if length != TOKEN_BYTES || body[0] != VERSION || body[1] != kind as u8 {
            return None;
        }
        let good = |key: &TokenKey| equal(&tag(&key.key, body), given);
        if keys.with_token_key(body[2], good) != Some(true) {
            return None;
        }
        let number = |at: usize| {
            u64::from_be_bytes(
                *body[at..]
                    .first_chunk()
                    .expect("the body holds eight bytes there"),
            )
        };
        Some(Self {
            kind,
            campaign: CampaignIndex(u16::from_be_bytes([body[3], body[4]])),
            person: PersonKey(*body[5..].first_chunk().expect("the body holds a key there")),
            number: number(21),
            issued: Stamp(number(29) as i64),
        })
    }
}

fn tag(key: &hmac::Key, body: &[u8]) -> [u8; TAG_BYTES] {
    let mut message = [0; LABEL.len() + BODY_BYTES];
    message[..LABEL.len()].copy_from_slice(LABEL);
    message[LABEL.len()..].copy_from_slice(body);
    let tag = hmac::sign(key, &message);
    *tag.as_ref()
        .first_chunk()
        .expect("HMAC-SHA-256 gives 32 bytes")
}

/// Compares in a time that does not depend on where the two differ.
fn equal(one: &[u8; TAG_BYTES], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Entropy;
    use proptest::prelude::*;

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    fn token() -> Token {
        Token {
            kind: Kind::Session,
            campaign: CampaignIndex(3),
            person: PersonKey([7; 16]),
            number: 42,
            issued: NOW,
        }
    }

    #[test]
    fn comes_back_and_is_of_one_kind_and_one_key() {
        let keys = Keys::generate(&Entropy::system());
        let text = token().sign(&keys);
        assert_eq!(text.len(), TOKEN_CHARACTERS);
        assert_eq!(Token::verify(&text, Kind::Session, &keys), Some(token()));
        assert_eq!(Token::verify(&text, Kind::Place, &keys), None);
        assert_eq!(
            Token::verify(&text, Kind::Session, &Keys::generate(&Entropy::system())),
            None
        );
        let folder = tempfile::tempdir().unwrap();
        let rotate = |day: i64| {
            let now = Stamp(NOW.0 + day * 86_400 * Stamp::SECOND);
            keys.rotate_tokens(folder.path(), &Entropy::system(), now)
        };
        assert_eq!(rotate(0).unwrap(), 2);
        assert_eq!(Token::verify(&text, Kind::Session, &keys), Some(token()));
        assert_ne!(token().sign(&keys), text);
        assert!(rotate(0).is_err());
        assert_eq!(Token::verify(&text, Kind::Session, &keys), Some(token()));
        assert_eq!(rotate(1).unwrap(), 3);
        assert_eq!(Token::verify(&text, Kind::Session, &keys), None);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let keys = Keys::generate(&Entropy::system());
        let text = token().sign(&keys);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(
                Token::verify(&changed, Kind::Session, &keys),
                None,
                "character {at}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,120}", exact in "[A-Za-z0-9_-]{71}") {
            let keys = Keys::generate(&Entropy::system());
            prop_assert_eq!(Token::verify(&text, Kind::Place, &keys), None);
            prop_assert_eq!(Token::verify(&exact, Kind::Place, &keys), None);
        }
    }
}
