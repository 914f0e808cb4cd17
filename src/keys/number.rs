//! Booking numbers: a keyed permutation of the running index, so that a number tells neither how
//! many bookings there are nor what the next one is.
//!
//! Invariants: two indices never share a number; every number has a plain check character; without
//! the key, numbers look drawn at random from 3 × 10¹³.

use super::Keys;
use crate::domain::crockford::{VALUES, is_plain};
use crate::domain::ids::BookingNumber;

/// The values with a plain check character: 32 of each 37.
const PLAIN: u64 = VALUES / 37 * 32;
/// Each half of the permuted pair is below this, so that the pair counts to at most `PLAIN`.
const HALF: u64 = PLAIN.isqrt();
/// How many bookings can have a number.
pub const INDICES: u64 = HALF * HALF;
/// Four rounds make a Feistel network a strong pseudo-random permutation (Luby and Rackoff, 1988);
/// two more leave a margin for its short halves (Patarin, 2004).
const ROUNDS: u8 = 6;

impl Keys {
    /// The number of the booking with this running index.
    ///
    /// A Feistel network over pairs of numbers below `HALF`, with addition in place of exclusive
    /// or (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002): no cycle-walking.
    ///
    /// # Panics
    /// When `index` is not below `INDICES`, five hundred thousand times 60 million bookings.
    pub fn booking_number(&self, index: u64) -> BookingNumber {
        assert!(index < INDICES, "a booking's index is below {INDICES}");
        let (mut left, mut right) = (index / HALF, index % HALF);
        for round in 0..ROUNDS {
            (left, right) = (right, (left + self.round(round, right)) % HALF);
        }
        let place = left * HALF + right;
        BookingNumber(place / 32 * 37 + place % 32)
    }

    /// The running index of a number, if any booking could have it.
    pub fn booking_index(&self, number: BookingNumber) -> Option<u64> {
        if !is_plain(number.0) {
            return None;
        }
        let place = number.0 / 37 * 32 + number.0 % 37;
        if place >= INDICES {
            return None;
        }
        let (mut left, mut right) = (place / HALF, place % HALF);
        for round in (0..ROUNDS).rev() {
            (left, right) = ((right + HALF - self.round(round, left)) % HALF, left);
        }
        Some(left * HALF + right)
    }

    /// The round function: an HMAC reduced below `HALF`; of 64 bits, the reduction's bias is 2⁻⁴¹.
    fn round(&self, round: u8, half: u64) -> u64 {
        const LABEL: &[u8; 15] = b"sumun number v1";
        let mut message = [0; LABEL.len() + 9];
        message[..LABEL.len()].copy_from_slice(LABEL);
        message[LABEL.len()] = round;
        message[LABEL.len() + 1..].copy_from_slice(&half.to_be_bytes());
        u64::from_be_bytes(super::leading(&self.number.of(&message))) % HALF
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::Entropy;

    fn keys() -> Keys {
        Keys::generate(&Entropy::system())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_index_comes_back(index in 0..INDICES) {
            let keys = keys();
            let number = keys.booking_number(index);
            prop_assert!(number.0 < VALUES && is_plain(number.0));
            prop_assert_eq!(keys.booking_index(number), Some(index));
            prop_assert_eq!(BookingNumber::parse(&number.to_string()), Ok(number));
        }

        #[test]
        fn any_number_is_answered(number in any::<u64>()) {
            let _ = keys().booking_index(BookingNumber(number));
        }
    }

    #[test]
    fn a_hundred_thousand_indices_have_as_many_numbers() {
        let keys = keys();
        let numbers: HashSet<_> = (0..100_000).map(|at| keys.booking_number(at)).collect();
        assert_eq!(numbers.len(), 100_000);
    }

    #[test]
    fn neighbours_have_unrelated_numbers() {
        let keys = keys();
        let far = VALUES / 1000;
        let near = (0..10_000)
            .map(|at| (keys.booking_number(at).0, keys.booking_number(at + 1).0))
            .filter(|(one, other)| one.abs_diff(*other) < far)
            .count();
        // Of random pairs two in a thousand are as near: 20 of 10,000, with a deviation under 5.
        assert!(near < 60, "{near} of 10,000 neighbours are near");
        let low_half = (0..10_000)
            .filter(|&at| keys.booking_number(at).0 < VALUES / 2)
            .count();
        assert!((4700..5300).contains(&low_half), "{low_half}");
    }

    #[test]
    fn other_keys_give_other_numbers() {
        let (one, other) = (keys(), keys());
        let same = (0..1000).filter(|&at| one.booking_number(at) == other.booking_number(at));
        assert_eq!(same.count(), 0);
    }
}
