//! What proves who somebody behind the desk is: a password's hash, the secret of one-time codes,
//! and the hashes of the codes for the day on which the phone is lost.

use serde::{Deserialize, Serialize};

use super::otp::SECRET_BYTES;
use super::{hash_password, verify_password};
use crate::clock::Entropy;
use crate::crypto::sha256;
use crate::domain::staff::AccountId;
use crate::keys::Keys;

/// Letters of a password.
pub const PASSWORD_CHARACTERS_MIN: usize = 12;
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Of zxcvbn's scale from 0 to 4: about 10^8 guesses and more, where each takes a server's hash.
const SCORE_MIN: zxcvbn::Score = zxcvbn::Score::Three;
/// Codes for the day on which the phone is lost.
pub const RECOVERY_CODES: usize = 10;
const RECOVERY_CHARACTERS: usize = 12;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// An account's credentials, as they are sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Argon2id, in PHC form.
    pub password: String,
    /// None before the account has shown a code of it.
    pub otp: Option<[u8; SECRET_BYTES]>,
    /// SHA-256 of each code that was not used yet.
    pub recovery: Vec<[u8; 32]>,
}

/// Secrets have no words.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Why a password is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordFault {
    Short,
    Long,
    /// It is on lists of common ones, or made of few of their parts.
    Common,
}

impl Credentials {
    /// Those of an account that was just made: it sets its own when it comes first.
    pub fn first(entropy: &Entropy, password: &str) -> Result<Self, String> {
        Ok(Self {
            password: hash_password(entropy, password)?,
            otp: None,
            recovery: Vec::new(),
        })
    }

    pub fn is_password(&self, password: &str) -> bool {
        verify_password(password, &self.password)
    }

    /// Takes a recovery code out; false if it is none.
    pub fn use_recovery(&mut self, code: &str) -> bool {
        let hash = sha256(plain(code).as_bytes());
        let before = self.recovery.len();
        self.recovery.retain(|known| *known != hash);
        self.recovery.len() < before
    }

    /// Fresh recovery codes, which are shown once.
    pub fn renew_recovery(&mut self, entropy: &Entropy) -> Vec<String> {
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| code(entropy)).collect();
        let hashes = codes.iter().map(|code| sha256(plain(code).as_bytes()));
        self.recovery = hashes.collect();
        codes
    }

    pub fn seal(&self, keys: &Keys, entropy: &Entropy, account: AccountId) -> Vec<u8> {
        let plain = postcard::to_stdvec(self).expect("plain structures have a postcard form");
        keys.seal_credentials(entropy, account, &plain)
    }

    /// None if they were never set, or the keys are others.
    pub fn open(keys: &Keys, account: AccountId, sealed: &[u8]) -> Option<Self> {
        let plain = keys.open_credentials(account, sealed)?;
        postcard::from_bytes(&plain).ok()
    }
}

fn code(entropy: &Entropy) -> String {
    let bytes: [u8; RECOVERY_CHARACTERS] = entropy.bytes();
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    let groups = letters.chunks(4).map(|group| group.iter().collect());
    groups.collect::<Vec<String>>().join("-")
}

/// A code as it is hashed, however it was typed.
fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|one| one.to_ascii_lowercase()).collect()
}

/// Whether a password is taken for an account of this name.
pub fn check_password(password: &str, name: &str) -> Result<(), PasswordFault> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(PasswordFault::Short);
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordFault::Long);
    }
    let seen = zxcvbn::zxcvbn(password, &[name, "sumun", "수문"]);
    if seen.score() < SCORE_MIN {
        return Err(PasswordFault::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_short_and_own_words_are_refused() {
        assert_eq!(check_password("kT9#x", "kim"), Err(PasswordFault::Short));
        for common in [
            "passwordpassword",
            "123456789012",
            "qwertyuiop123",
            "sumunsumunsumun",
            "kimyuna.1990",
            "aaaaaaaaaaaaaaaa",
        ] {
            let refused = Err(PasswordFault::Common);
            assert_eq!(check_password(common, "kimyuna"), refused, "{common}");
        }
        let long = "kT9#x".repeat(60);
        assert_eq!(check_password(&long, "kim"), Err(PasswordFault::Long));
        for good in [
            "correct horse battery staple",
            "가을하늘 푸른 산책길 일곱",
            "k8wq-3mzx-p0td-vh2n",
        ] {
            assert_eq!(check_password(good, "kim"), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_recovery_code_is_good_once_however_it_is_typed() {
        let entropy = Entropy::system();
        let mut known = Credentials::first(&entropy, "a password").unwrap();
        let codes = known.renew_recovery(&entropy);
        assert_eq!((codes.len(), known.recovery.len()), (10, 10));
        let typed = format!(" {} ", codes[3].to_uppercase().replace('-', " "));
        assert!(known.use_recovery(&typed));
        assert!(!known.use_recovery(&codes[3]));
        assert!(!known.use_recovery(""));
        assert_eq!(known.recovery.len(), 9);
    }

    #[test]
    fn what_is_sealed_opens_for_its_account_alone() {
        let entropy = Entropy::system();
        let keys = Keys::generate(&entropy);
        let known = Credentials::first(&entropy, "a password").unwrap();
        let sealed = known.seal(&keys, &entropy, AccountId(1));
        assert_eq!(
            Credentials::open(&keys, AccountId(1), &sealed),
            Some(known.clone())
        );
        assert_eq!(Credentials::open(&keys, AccountId(2), &sealed), None);
        let other = Keys::generate(&entropy);
        assert_eq!(Credentials::open(&other, AccountId(1), &sealed), None);
        assert_eq!(Credentials::open(&keys, AccountId(1), &[]), None);
        assert!(known.is_password("a password") && !known.is_password("another"));
    }
}
