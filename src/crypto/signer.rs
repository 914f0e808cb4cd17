//! A key of ES256 that signs, for tests of what is verified.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

pub struct Es256(EcdsaKeyPair);

impl Es256 {
    pub fn generate() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    /// Both coordinates.
    pub fn public(&self) -> [[u8; 32]; 2] {
        let point = self.0.public_key().as_ref();
        [&point[1..33], &point[33..]].map(super::whole)
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        super::whole(self.0.sign(&SystemRandom::new(), message).unwrap().as_ref())
    }
}
