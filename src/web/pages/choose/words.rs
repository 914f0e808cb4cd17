//! Names and addresses in the language they have, which may be another than the page's.

use std::fmt;

use crate::web::words::Lang;

/// A text that may be Korean on a page of another language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InLanguage {
    words: String,
    is_foreign: bool,
}

impl InLanguage {
    /// A text on a page of this language: Korean if it has a Korean letter.
    pub fn of(page: Lang, words: impl Into<String>) -> Self {
        let words = words.into();
        let is_korean = words
            .chars()
            .any(|letter| matches!(letter, '가'..='힣' | 'ㄱ'..='ㅣ'));
        Self {
            is_foreign: is_korean && page != Lang::KO,
            words,
        }
    }

    /// The attribute of the element around it, which tells a screen reader how to speak.
    pub fn attribute(&self) -> &'static str {
        if self.is_foreign { " lang=\"ko\"" } else { "" }
    }
}

impl fmt::Display for InLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// A text as a part of an address.
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_is_marked_on_english_pages_alone() {
        let marked = |page, text: &str| !InLanguage::of(page, text).attribute().is_empty();
        assert!(marked(Lang::EN, "서울 종로구 1"));
        assert!(!marked(Lang::KO, "서울 종로구 1"));
        assert!(!marked(Lang::EN, "Jongno-gu 1"));
    }

    #[test]
    fn a_name_is_encoded_as_a_part_of_an_address() {
        assert_eq!(encoded("a (김)"), "a%20%28%EA%B9%80%29");
    }
}
