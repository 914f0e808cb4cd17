//! Texts that people will read: what may stand in one, checked once, where the text enters.
//!
//! Owns the list of characters that no text may have, and the check that names the first of them.
//! It must not be asked when the journal is read: what an old entry holds stays as it is, and is
//! escaped where a terminal shows it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A message or a reason that an operator gives: six lines on a telephone, 1.5 kB in Korean.
pub const NOTICE_CHARS_MAX: usize = 500;
/// A campaign's name or another short text of a campaign file: two lines on a telephone.
pub const TITLE_CHARS_MAX: usize = 200;

/// Why a character may stand in no text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// C0, DEL and C1: terminals obey them, and pages can't show them.
    Control,
    /// A text is of one line; the longer ones of an agency's file are checked line by line.
    LineBreak,
    /// Turns the direction of the text around it, so that it reads as something else.
    Direction,
    /// Means something else, or nothing, on every machine; prepared pages mark holes with some.
    PrivateUse,
    /// Will never be a character.
    Noncharacter,
}

impl Unfit {
    /// What the character is, for a sentence that names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Control => "a control character",
            Self::LineBreak => "a line break",
            Self::Direction => "a mark that changes the direction of the text",
            Self::PrivateUse => "a character for private use",
            Self::Noncharacter => "not a character",
        }
    }
}

/// Why a text can't be taken. Each fault says what to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TextFault {
    #[error("is empty: write what people shall read")]
    Empty,
    #[error("has {chars} characters, and at most {chars_max} are allowed: shorten it")]
    TooLong { chars: usize, chars_max: usize },
    #[error("character {position} is {}: take it out", named(.found, .unfit))]
    Unfit {
        /// From 1, in characters.
        position: usize,
        found: char,
        unfit: Unfit,
    },
}

fn named(found: &char, unfit: &Unfit) -> String {
    format!("U+{:04X}, {}", *found as u32, unfit.name())
}

/// A number as people read it: 1,234,567 with a comma after each three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text as it stands in HTML and SVG, between tags and in attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Why this character may stand in no text; none if it may.
pub fn unfit(c: char) -> Option<Unfit> {
    let code = c as u32;
    match c {
        ' '..='~' => None,
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(Unfit::LineBreak),
        c if c.is_control() => Some(Unfit::Control),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some(Unfit::Direction)
        }
        '\u{e000}'..='\u{f8ff}' => Some(Unfit::PrivateUse),
        '\u{fdd0}'..='\u{fdef}' => Some(Unfit::Noncharacter),
        // The last two of each of the seventeen planes.
        _ if code & 0xfffe == 0xfffe => Some(Unfit::Noncharacter),
        '\u{f0000}'.. => Some(Unfit::PrivateUse),
        _ => None,
    }
}

/// The first character that may stand in no text.
pub fn check_characters(text: &str) -> Result<(), TextFault> {
    let mut characters = text.chars().enumerate();
    let first = characters.find_map(|(at, found)| Some((at, found, unfit(found)?)));
    first.map_or(Ok(()), |(at, found, unfit)| {
        let position = at + 1;
        Err(TextFault::Unfit {
            position,
            found,
            unfit,
        })
    })
}

/// Checks a text that may be empty and has at most `chars_max` characters.
pub fn check(text: &str, chars_max: usize) -> Result<(), TextFault> {
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(TextFault::TooLong { chars, chars_max });
    }
    check_characters(text)
}

/// Checks a text that must say something.
pub fn check_words(text: &str, chars_max: usize) -> Result<(), TextFault> {
    // White space and what takes no room: nobody would see a word.
    let is_seen = |c: char| {
        let no_room = matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        );
        !c.is_whitespace() && !no_room && !matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}')
    };
    if !text.chars().any(is_seen) {
        return Err(TextFault::Empty);
    }
    check(text, chars_max)
}

/// A text as a terminal may show it: of several lines, every other unfit character escaped.
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    with_escapes(
        text,
        |c| c != '\n' && c != '\t',
        |c, into| {
            let _ = write!(into, "{}", c.escape_unicode());
        },
    )
}

/// JSON as a terminal may show it: the same value, with unfit characters as `\u` escapes. They can
/// only stand inside its strings, which are the same with the escapes.
pub fn json_for_terminal(json: &str) -> Cow<'_, str> {
    with_escapes(
        json,
        |_| true,
        |c, into| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(into, "\\u{unit:04x}");
            }
        },
    )
}

fn with_escapes(
    text: &str,
    applies: impl Fn(char) -> bool,
    escape: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    let is_escaped = |c: char| unfit(c).is_some() && applies(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            escape(c, &mut shown);
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fault_says_which_character_where_and_why() {
        let cases = [
            ('\u{1b}', Unfit::Control),
            ('\u{0}', Unfit::Control),
            ('\u{7f}', Unfit::Control),
            ('\u{9b}', Unfit::Control),
            ('\n', Unfit::LineBreak),
            ('\u{2028}', Unfit::LineBreak),
            ('\u{202e}', Unfit::Direction),
            ('\u{2066}', Unfit::Direction),
            ('\u{200f}', Unfit::Direction),
            ('\u{61c}', Unfit::Direction),
            ('\u{e000}', Unfit::PrivateUse),
            ('\u{f8ff}', Unfit::PrivateUse),
            ('\u{f0000}', Unfit::PrivateUse),
            ('\u{10fffd}', Unfit::PrivateUse),
            ('\u{fdd0}', Unfit::Noncharacter),
            ('\u{fffe}', Unfit::Noncharacter),
            ('\u{1ffff}', Unfit::Noncharacter),
            ('\u{10ffff}', Unfit::Noncharacter),
        ];
        for (found, why) in cases {
            let text = format!("점검{found}중");
            let fault = TextFault::Unfit {
                position: 3,
                found,
                unfit: why,
            };
            assert_eq!(check(&text, NOTICE_CHARS_MAX), Err(fault), "{text:?}");
            let code = format!("character 3 is U+{:04X}", found as u32);
            assert!(fault.to_string().starts_with(&code), "{fault}");
        }
    }

    #[test]
    fn what_people_write_is_taken() {
        for text in [
            "서버를 늘리고 있습니다 – 20:00 (약 10분)",
            "Grüße 😀",
            "한\u{200d}글",
            "",
        ] {
            assert_eq!(check(text, NOTICE_CHARS_MAX), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_is_exact_at_its_end() {
        assert_eq!(check(&"가".repeat(500), NOTICE_CHARS_MAX), Ok(()));
        let fault = TextFault::TooLong {
            chars: 501,
            chars_max: 500,
        };
        assert_eq!(check(&"가".repeat(501), NOTICE_CHARS_MAX), Err(fault));
        assert_eq!(check_words(" \u{3000}", 10), Err(TextFault::Empty));
    }

    proptest! {
        #[test]
        fn a_terminal_gets_no_character_that_it_would_obey(text in ".{0,100}", c in any::<char>()) {
            let text = format!("{text}{c}");
            let shown = for_terminal(&text);
            let obeyed = |c: char| unfit(c).is_some() && !matches!(c, '\n' | '\t');
            prop_assert!(!shown.contains(obeyed));
            let json = serde_json::to_string(&text).unwrap();
            let shown = json_for_terminal(&json);
            prop_assert!(!shown.contains(|c| unfit(c).is_some()));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
