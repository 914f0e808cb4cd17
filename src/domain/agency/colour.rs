//! An agency's colour, and the colours that are made of it so that everybody can read the pages.
//!
//! Contrast is that of WCAG 2.1 (relative luminance): from 1 : 1 to 21 : 1.

use std::fmt;

/// A colour as red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Colour(pub [u8; 3]);

const WHITE: Colour = Colour([0xff; 3]);
/// The background of dark pages.
const DARK_PAGE: Colour = Colour([0x14, 0x17, 0x1b]);
/// White text must be readable on the colour (WCAG 1.4.3, level AA).
pub const CONTRAST_MIN: f64 = 4.5;
/// What people who asked for more contrast get, and everybody in the dark (WCAG 1.4.6, level AAA).
const CONTRAST_MORE: f64 = 7.0;

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    /// Reads `#0b50d0`; none for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The contrast of white text on this colour.
    pub fn contrast_with_white(self) -> f64 {
        self.contrast(WHITE)
    }

    /// This colour with so many hundredths of another in it.
    fn mixed(self, other: Self, hundredths: u16) -> Self {
        let mix = |at: usize| {
            let (own, its) = (u16::from(self.0[at]), u16::from(other.0[at]));
            ((own * (100 - hundredths) + its * hundredths + 50) / 100) as u8
        };
        Self(std::array::from_fn(mix))
    }

    /// The accent of dark pages: this colour with just as much white as it needs to be readable.
    pub fn in_the_dark(self) -> Self {
        let lighter = (0..=100).map(|hundredths| self.mixed(WHITE, hundredths));
        let mut readable = lighter.filter(|colour| colour.contrast(DARK_PAGE) >= CONTRAST_MORE);
        readable.next().unwrap_or(WHITE)
    }

    /// The colour for people who asked for more contrast: darker, so that white is easy to read.
    pub fn with_more_contrast(self) -> Self {
        let black = Self([0; 3]);
        let darker = (0..=100).map(|hundredths| self.mixed(black, hundredths));
        let mut readable = darker.filter(|colour| colour.contrast(WHITE) >= CONTRAST_MORE);
        readable.next().unwrap_or(black)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let contrast = |text| Colour::read(text).unwrap().contrast_with_white();
        assert!((contrast("#000000") - 21.0).abs() < 1e-9);
        assert!((contrast("#ffffff") - 1.0).abs() < 1e-9);
        // The two greys that are known to lie just on either side of 4.5 : 1.
        assert!(contrast("#767676") >= 4.5 && contrast("#777777") < 4.5);
    }

    #[test]
    fn every_colour_becomes_one_that_is_readable_in_the_dark_and_one_with_more_contrast() {
        for number in (0..0x0100_0000_u32).step_by(4_099) {
            let [_, red, green, blue] = number.to_be_bytes();
            let colour = Colour([red, green, blue]);
            let dark = colour.in_the_dark();
            assert!(dark.contrast(DARK_PAGE) >= 7.0, "{colour} became {dark}");
            let more = colour.with_more_contrast();
            assert!(more.contrast_with_white() >= 7.0, "{colour} became {more}");
        }
        // What is readable already stays as it is.
        let (navy, yellow) = (Colour([0, 0, 0x60]), Colour([0xff, 0xff, 0]));
        assert_eq!(navy.with_more_contrast(), navy);
        assert_eq!(yellow.in_the_dark(), yellow);
        assert_ne!(navy.in_the_dark(), navy);
    }

    #[test]
    fn only_six_hexadecimal_digits_are_a_colour() {
        assert_eq!(Colour::read("#0B50d0"), Some(Colour([0x0b, 0x50, 0xd0])));
        assert_eq!(Colour::read("#0B50d0").unwrap().to_string(), "#0b50d0");
        for text in [
            "", "#", "0b50d0", "#0b50d", "#0b50d00", "#+b50d0", "#é50d0", "blue",
        ] {
            assert_eq!(Colour::read(text), None, "{text}");
        }
    }
}
