//! The reference of a request, by which an operator finds what the log says of it.
//!
//! Eight characters that survive a telephone call. They are unique within a process, follow from a
//! random start and a count alone, and so tell nothing about a person. Every refusal and every
//! error has one; answers from prepared bytes have none.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Entropy;

/// The header of an answer that has it.
pub const REQUEST_ID: &str = "x-request-id";
const LENGTH: usize = 8;
/// Crockford's base 32: nothing in it is read as something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Eight characters of five bits.
const BITS: u32 = 40;
/// Odd, so that a count times this takes all values of 40 bits before one comes again; and large,
/// so that two requests in a row have references that look nothing alike.
const SPREAD: u64 = 0x9e_3779_b97f;

/// A reference.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId([u8; LENGTH]);

impl RequestId {
    /// The next one of this process.
    pub fn next() -> Self {
        static START: LazyLock<u64> =
            LazyLock::new(|| u64::from_be_bytes(Entropy::system().bytes()));
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self::of(*START, COUNT.fetch_add(1, Ordering::Relaxed))
    }

    fn of(start: u64, count: u64) -> Self {
        let value = start.wrapping_add(count.wrapping_mul(SPREAD)) & ((1 << BITS) - 1);
        let character = |place: usize| {
            let shift = 5 * (LENGTH - 1 - place);
            ALPHABET[(value >> shift) as usize & 31]
        };
        Self(std::array::from_fn(character))
    }

    /// The reference in a header, if it has the form of one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let all: [u8; LENGTH] = bytes.try_into().ok()?;
        all.iter()
            .all(|byte| ALPHABET.contains(byte))
            .then_some(Self(all))
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn references_are_unique_and_of_characters_that_can_be_told_over_a_telephone() {
        let all: HashSet<_> = (0..100_000).map(|count| RequestId::of(77, count)).collect();
        assert_eq!(all.len(), 100_000);
        for id in all {
            assert_eq!(RequestId::parse(id.as_str().as_bytes()), Some(id));
        }
        for other in [&b"short"[..], b"ABCDEFGH1", b"lowercas", b"ILOU0000"] {
            assert_eq!(RequestId::parse(other), None);
        }
    }

    #[test]
    fn two_in_a_row_look_nothing_alike() {
        let [one, two] = [0, 1].map(|count| RequestId::of(0, count));
        let same = one.0.iter().zip(two.0).filter(|(one, two)| **one == *two);
        assert!(same.count() < LENGTH / 2, "{one} {two}");
        assert_ne!(RequestId::next(), RequestId::next());
    }
}
