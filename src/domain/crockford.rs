//! Ten characters that survive a telephone call: nine of Crockford's base 32 and a check character.
//!
//! Source: Douglas Crockford, "Base 32" (the alphabet without I, L, O, U; the check symbol is the
//! value modulo 37). The check symbols `*`, `~`, `$`, `=` and `U` are accepted when read, but never
//! made: `is_plain` tells which values need none of them.

use crate::domain::spelling::{is_dash, plain};

/// Values have nine characters of five bits.
pub const VALUE_BITS: u32 = 45;
/// The number of values that nine characters can carry.
pub const VALUES: u64 = 1 << VALUE_BITS;
const LENGTH: usize = 10;
const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

/// Why a text is not a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    #[error("must have 10 characters")]
    Length,
    #[error("has a character outside 0-9 A-Z without I, L, O, U")]
    Character,
    #[error("has a wrong check character: one of the ten was mistyped")]
    Check,
}

/// Whether the check character of `value` is one of the 32 plain ones.
pub fn is_plain(value: u64) -> bool {
    value % 37 < 32
}

/// The ten characters of `value`.
///
/// # Panics
/// When `value` needs more than 45 bits: a value comes from `parse` or from an index below
/// `VALUES`.
pub fn format(value: u64) -> String {
    assert!(value < VALUES, "a code carries 45 bits");
    let mut text = String::with_capacity(LENGTH);
    for place in (0..9).rev() {
        text.push(char::from(ALPHABET[(value >> (place * 5)) as usize & 31]));
    }
    text.push(char::from(ALPHABET[(value % 37) as usize]));
    text
}

/// The value of ten characters: any case and width; hyphens, dashes and white space of every kind
/// ignored; O read as 0, I and L as 1.
pub fn parse(text: &str) -> Result<u64, Fault> {
    let mut symbols = [0_u8; LENGTH];
    let mut length = 0;
    let text = plain(text);
    let ignored = |c: &char| c.is_whitespace() || is_dash(*c);
    for c in text.chars().filter(|c| !ignored(c)) {
        if length == LENGTH {
            return Err(Fault::Length);
        }
        let byte = u8::try_from(c).map_err(|_| Fault::Character)?;
        symbols[length] = symbol(byte).ok_or(Fault::Character)?;
        length += 1;
    }
    if length != LENGTH {
        return Err(Fault::Length);
    }
    let mut value = 0_u64;
    for &symbol in &symbols[..9] {
        if symbol > 31 {
            return Err(Fault::Character);
        }
        value = value << 5 | u64::from(symbol);
    }
    if value % 37 == u64::from(symbols[9]) {
        Ok(value)
    } else {
        Err(Fault::Check)
    }
}

fn symbol(byte: u8) -> Option<u8> {
    let byte = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|&known| known == byte)
        .map(|at| at as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_comes_back(value in 0..VALUES) {
            prop_assert_eq!(parse(&format(value)), Ok(value));
            prop_assert_eq!(parse(&format(value).to_lowercase()), Ok(value));
        }

        #[test]
        fn one_mistyped_character_is_found(
            value in 0..VALUES,
            at in 0..9_usize,
            other in 0..32_usize,
        ) {
            let mut text = format(value).into_bytes();
            prop_assume!(text[at] != ALPHABET[other]);
            text[at] = ALPHABET[other];
            prop_assert_eq!(parse(std::str::from_utf8(&text).unwrap()), Err(Fault::Check));
        }

        #[test]
        fn any_text_is_answered(text in ".*") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn reads_what_people_type() {
        let value = parse("7k3m-9qxt-2").err();
        assert_eq!(value, Some(Fault::Length));
        assert_eq!(parse("OIL0000000"), parse("0110000000"));
        // The example of the README.
        assert_eq!(format(1_234_567_890), "0014SC0PJV");
    }
}
