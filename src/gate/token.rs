//! Signed tokens: a place or a session that verifies without a look-up, on any process with the
//! key.
//!
//! `version | kind | key id | campaign | person | mark | issued | ends | device | tag`, in
//! base64url. The tag is the first 16 bytes of HMAC-SHA-256 over a label and everything before it,
//! so a token of one kind, campaign or person is never one of another.
//!
//! A token says when it ends. That it verifies does not mean that it is still good: its end has to
//! be looked at, whether its device was left (`ended`), and for a session whether it still runs
//! (`sessions`).

use crate::crypto::MacKey;
use data_encoding::BASE64URL_NOPAD;

use crate::domain::ids::{CampaignIndex, PersonKey};
use crate::domain::time::Stamp;
use crate::keys::{Keys, TokenKey};

const VERSION: u8 = 2;
const LABEL: &[u8; 10] = b"sumun t v2";
const BODY_BYTES: usize = 1 + 1 + 1 + 2 + 16 + 8 + 6 + 6 + 4;
const TAG_BYTES: usize = 16;
const TOKEN_BYTES: usize = BODY_BYTES + TAG_BYTES;
/// 61 bytes in base64url without padding.
pub const TOKEN_CHARACTERS: usize = (TOKEN_BYTES * 8).div_ceil(6);
/// A token is good for at most a day.
pub const TOKEN_S_MAX: i64 = 24 * 3600;
/// SHA-256 takes a message of 55 bytes in one block: two would make a check cost half as much more.
const _: () = assert!(LABEL.len() + BODY_BYTES <= 55);

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
    /// Of a place: `Given::mark`. Of a session: when it began, in nanoseconds.
    pub mark: u64,
    /// In whole milliseconds, as `ends` is.
    pub issued: Stamp,
    /// The token is not good from here on.
    pub ends: Stamp,
    /// The device that the person entered on. A session's token has the number of the place it
    /// was given for, so both end when the device is left.
    pub device: u32,
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
        bytes[21..29].copy_from_slice(&self.mark.to_be_bytes());
        bytes[29..35].copy_from_slice(&milliseconds(self.issued));
        bytes[35..41].copy_from_slice(&milliseconds(self.ends));
        bytes[41..45].copy_from_slice(&self.device.to_be_bytes());
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
        Some(Self {
            kind,
            campaign: CampaignIndex(u16::from_be_bytes([body[3], body[4]])),
            person: PersonKey(*body[5..].first_chunk().expect("the body holds a key there")),
            mark: number(&body[21..29]),
            issued: stamp(&body[29..35]),
            ends: stamp(&body[35..41]),
            device: number(&body[41..45]) as u32,
        })
    }

    /// When the session of a session's token began.
    pub fn session_began(&self) -> Stamp {
        Stamp(self.mark as i64)
    }
}

/// Six bytes: milliseconds since 1970, to beyond the last stamp there is.
fn milliseconds(stamp: Stamp) -> [u8; 6] {
    let milliseconds = stamp.0.max(0) as u64 / MILLISECOND;
    let [_, _, six @ ..] = milliseconds.to_be_bytes();
    six
}

fn stamp(six: &[u8]) -> Stamp {
    Stamp(i64::try_from(number(six).saturating_mul(MILLISECOND)).unwrap_or(i64::MAX))
}

/// In nanoseconds.
const MILLISECOND: u64 = 1_000_000;

/// A number of at most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    bytes.iter().fold(0, append)
}

fn tag(key: &MacKey, body: &[u8]) -> [u8; TAG_BYTES] {
    let mut message = [0; LABEL.len() + BODY_BYTES];
    message[..LABEL.len()].copy_from_slice(LABEL);
    message[LABEL.len()..].copy_from_slice(body);
    *key.of(&message)
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
            mark: 42,
            issued: NOW,
            ends: NOW.plus_s(TOKEN_S_MAX),
            device: 0xfedc_ba98,
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
    }

    #[test]
    fn it_lives_as_long_as_its_key() {
        let keys = Keys::generate(&Entropy::system());
        let text = token().sign(&keys);
        let folder = tempfile::tempdir().unwrap();
        let at = |day: i64| NOW.plus_s(day * TOKEN_S_MAX);
        let rotate = |day| keys.rotate_tokens(folder.path(), &Entropy::system(), at(day));
        let revoke = |day| keys.revoke_tokens(folder.path(), &Entropy::system(), at(day));
        let verify = |text| Token::verify(text, Kind::Session, &keys);
        assert_eq!(rotate(0).unwrap(), 2);
        assert_eq!(verify(&text), Some(token()));
        assert_ne!(token().sign(&keys), text);
        assert!(rotate(0).is_err());
        assert_eq!(verify(&text), Some(token()));
        assert_eq!(rotate(1).unwrap(), 3);
        assert_eq!(verify(&text), None);
        let (before, after) = (token().sign(&keys), revoke(1).unwrap());
        assert_eq!((after, verify(&before)), (4, None));
        assert_eq!(revoke(1).unwrap(), 5);
        let text = token().sign(&keys);
        assert_eq!(
            rotate(1).unwrap(),
            6,
            "nothing is lost: the one before is kept"
        );
        assert_eq!(verify(&text), Some(token()));
    }

    #[test]
    fn instants_come_back_in_whole_milliseconds() {
        let keys = Keys::generate(&Entropy::system());
        for (given, read) in [
            (NOW.0 + 1_999_999, NOW.0 + 1_000_000),
            (0, 0),
            (-5, 0),
            (i64::MAX, i64::MAX / 1_000_000 * 1_000_000),
        ] {
            let token = Token {
                issued: Stamp(given),
                ends: Stamp(given),
                mark: u64::MAX,
                ..token()
            };
            let text = token.sign(&keys);
            let back = Token::verify(&text, Kind::Session, &keys).unwrap();
            assert_eq!((back.issued, back.ends), (Stamp(read), Stamp(read)));
            assert_eq!((back.mark, back.device), (u64::MAX, token.device));
        }
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
        fn any_text_is_answered(text in ".{0,120}", exact in "[A-Za-z0-9_-]{82}") {
            let keys = Keys::generate(&Entropy::system());
            prop_assert_eq!(Token::verify(&text, Kind::Place, &keys), None);
            prop_assert_eq!(Token::verify(&exact, Kind::Place, &keys), None);
        }
    }
}
