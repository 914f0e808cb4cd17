//! The people behind the desk: passwords with Argon2id, never stored or logged as typed; one-time
//! codes; and the sessions that they open.

pub mod credentials;
pub mod otp;
pub mod sessions;

use crate::clock::Entropy;
use crate::crypto;

/// A generated password has 16 characters of 5 bits: 80 bits, readable over a telephone.
const PASSWORD_CHARACTERS: usize = 16;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A fresh password, in groups of four.
pub fn generate_password(entropy: &Entropy) -> String {
    let bytes: [u8; PASSWORD_CHARACTERS] = entropy.bytes();
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    let groups = letters
        .chunks(4)
        .map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join("-")
}

/// The password's hash in PHC form, with Argon2id's recommended cost and a random salt.
pub fn hash_password(entropy: &Entropy, password: &str) -> Result<String, String> {
    let salt: [u8; 16] = entropy.bytes();
    crypto::hash_password(&salt, password.as_bytes())
        .map_err(|error| format!("the password can't be hashed: {error}"))
}

/// Whether `password` is the one that was hashed.
pub fn verify_password(password: &str, hash: &str) -> bool {
    crypto::is_password(password.as_bytes(), hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_fits_its_hash() {
        let entropy = Entropy::system();
        let password = generate_password(&entropy);
        let hash = hash_password(&entropy, &password).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password(&password, &hash));
        assert!(!verify_password("guess", &hash));
        assert!(!verify_password(&password, "not a hash"));
    }
}
