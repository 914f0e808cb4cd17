//! How people, spreadsheets and other programs write: one form for what means the same.
//!
//! Owns which characters mean nothing in a name, a code, a date or a telephone number, and the one
//! form in which names are compared, in the roster, on the pages and in the API alike. `date` and
//! `phone` read those two. What can be read in two ways is a fault that says both.

pub mod date;
pub mod phone;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};

/// A name as it is compared: NFKC and without regard to case, white space, characters that nobody
/// sees, middle dots, hyphens and apostrophes. Empty when nothing else is in it.
pub fn comparable_name(name: &str) -> String {
    // Most names of a roster are syllables of Hangul, which have one form only.
    let is_folded = |c: char| matches!(c, 'a'..='z' | '가'..='힣');
    if name.chars().all(is_folded) {
        return name.to_owned();
    }
    // Left out before NFKC, which would make a letter of some dots and marks; and after each step,
    // since what is left joins (conjoining jamo with a space between them).
    let kept = name.chars().filter(|c| is_name_letter(*c));
    let plain = kept.nfkc().filter(|c| is_name_letter(*c));
    let folded: String = plain.flat_map(fold).collect();
    let joined = folded.nfkc().filter(|c| is_name_letter(*c));
    joined.collect()
}

/// The form in which names were compared before `comparable_name` folded case and left out hyphens:
/// NFC without white space. Rosters of that time have tags of it.
pub fn former_comparable_name(name: &str) -> String {
    let kept = name.chars().filter(|c| !c.is_whitespace());
    match is_nfc_quick(kept.clone()) {
        IsNormalized::Yes => kept.collect(),
        _ => kept.nfc().collect(),
    }
}

/// Full case folding by way of capitals: ß is ss, both forms of the small sigma are one.
fn fold(c: char) -> impl Iterator<Item = char> {
    let capitals = c.to_lowercase().flat_map(char::to_uppercase);
    capitals.flat_map(char::to_lowercase)
}

/// Whether a character tells one name from another.
fn is_name_letter(c: char) -> bool {
    let means_nothing = c.is_whitespace()
        || c.is_control()
        || is_unseen(c)
        || is_dash(c)
        || is_middle_dot(c)
        || is_apostrophe(c);
    !means_nothing
}

/// Characters that take no room or only room: fillers, joiners, marks of direction, selectors of a
/// variant. Source: Unicode, `Default_Ignorable_Code_Point`; with the blank of braille and the
/// marks of annotations.
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Hyphens, dashes and minus signs. Source: Unicode, the general category `Pd`; with the minus
/// sign, its small forms and the bullet that is a hyphen.
pub fn is_dash(c: char) -> bool {
    matches!(c,
        '-' | '\u{2d7}' | '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'..='\u{2015}'
        | '\u{2043}' | '\u{207b}' | '\u{208b}' | '\u{2212}' | '\u{2796}' | '\u{2e17}' | '\u{2e1a}'
        | '\u{2e3a}'..='\u{2e3b}' | '\u{2e40}' | '\u{2e5d}' | '\u{301c}' | '\u{3030}' | '\u{30a0}'
        | '\u{fe31}'..='\u{fe32}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{10d6e}'
        | '\u{10ead}')
}

/// The dots between the parts of a name, as keyboards of many countries write them. The old Korean
/// vowel arae-a (U+318D, U+119E) is typed as one.
fn is_middle_dot(c: char) -> bool {
    const DOTS: &str = "\u{b7}\u{387}\u{119e}\u{16eb}\u{2022}\u{2027}\u{2219}\u{22c5}\u{2e31}\
                        \u{2e33}\u{30fb}\u{318d}\u{a78f}\u{ff65}\u{10101}";
    DOTS.contains(c)
}

/// Apostrophes, single quotation marks, primes, and the accents that stand alone and are typed for
/// an apostrophe.
fn is_apostrophe(c: char) -> bool {
    const APOSTROPHES: &str = "'`\u{b4}\u{2b9}\u{2bb}\u{2bc}\u{2bd}\u{2be}\u{2bf}\u{2c8}\u{2ca}\
                               \u{2cb}\u{374}\u{384}\u{55a}\u{5f3}\u{7f4}\u{7f5}\u{1fbd}\u{1fbf}\
                               \u{1fef}\u{1ffd}\u{1ffe}\u{2018}\u{2019}\u{201a}\u{201b}\u{2032}\
                               \u{2035}\u{2039}\u{203a}\u{a78b}\u{a78c}\u{ff07}\u{ff40}";
    APOSTROPHES.contains(c)
}

/// A name as it is kept and shown: NFC, without the characters that only disturb. Joiners and
/// selectors of a variant belong to how some scripts' names look.
pub fn kept_name(name: &str) -> Cow<'_, str> {
    let disturbs = |c: char| is_unseen(c) && !belongs_to_script(c);
    let kept = || name.chars().filter(|c| !disturbs(*c));
    if is_nfc_quick(name.chars()) == IsNormalized::Yes && !name.contains(disturbs) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(kept().nfc().collect())
}

fn belongs_to_script(c: char) -> bool {
    matches!(c,
        '\u{200c}'..='\u{200d}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}')
}

/// A code, a date or a telephone number in plain characters: NFKC, which makes full-width digits
/// plain; every dash is `-`; nothing that nobody sees; no white space around.
pub fn plain(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let seen = text.chars().filter(|c| !is_unseen(*c));
    let dashes_alike = |c| if is_dash(c) { '-' } else { c };
    let plain: String = match is_nfkc_quick(seen.clone()) {
        IsNormalized::Yes => seen.map(dashes_alike).collect(),
        _ => seen.map(dashes_alike).nfkc().collect(),
    };
    Cow::Owned(plain.trim().to_owned())
}
