//! Finding sites by parts of their names and addresses, as people type them.

use unicode_normalization::UnicodeNormalization as _;

use super::{Here, Point};
use crate::domain::booking::site::SiteRow;
use crate::domain::ids::SiteIndex;

/// A query may name this many parts of a text without a space between them: 종로보건소 are two
/// parts of 종로구 보건소.
const PARTS_MAX: u8 = 3;
/// A shorter part would be found nearly everywhere.
const PART_CHARACTERS_MIN: usize = 2;

/// What somebody looks for, in the form in which it is compared.
pub struct Words(String);

/// The sites that a search found: the first of them, and how many there are.
pub struct Found {
    /// Each with its distance in metres, if it is known from where.
    pub sites: Vec<(SiteIndex, Option<u32>)>,
    pub count: usize,
}

impl Words {
    pub fn of(query: &str) -> Self {
        Self(comparable(query))
    }

    /// Whether a site's name or address has the words in it.
    pub fn are_in(&self, row: &SiteRow) -> bool {
        let texts = [&row.name_ko, &row.name_en, &row.address];
        let mut texts = texts.into_iter();
        texts.any(|text| has_parts(&comparable(text), &self.0, PARTS_MAX))
    }
}

/// A text without regard to case, spaces and the ways in which Unicode writes the same letters.
fn comparable(text: &str) -> String {
    let plain = text.nfkc().flat_map(char::to_lowercase);
    plain.filter(|letter| !letter.is_whitespace()).collect()
}

/// Whether `words`, cut into at most so many parts, stand in `text` in their order. Each part is as
/// long as can be.
fn has_parts(text: &str, words: &str, parts_max: u8) -> bool {
    if text.contains(words) {
        return true;
    }
    if parts_max < 2 {
        return false;
    }
    let ends: Vec<usize> = words.char_indices().map(|(at, _)| at).collect();
    let ends = ends.iter().skip(PART_CHARACTERS_MIN).rev();
    for &end in ends {
        let (part, rest) = words.split_at(end);
        let Some(at) = text.find(part) else { continue };
        let is_long = rest.chars().count() >= PART_CHARACTERS_MIN;
        return is_long && has_parts(&text[at + part.len()..], rest, parts_max - 1);
    }
    false
}

impl Here {
    /// Sites that the words name: those with free seats first, each group by its distance from a
    /// point where one is known.
    pub fn search(&self, words: &Words, from: Option<Point>, most: usize) -> Found {
        let sites = self.offer.catalog.sites.iter().enumerate();
        let named = sites.filter(|(_, site)| words.are_in(&site.row));
        let mut found: Vec<_> = named
            .map(|(at, known)| {
                let site = SiteIndex(at as u32);
                let metres = from.map(|from| from.metres_to(&known.row));
                (self.offered_at(site).free == 0, metres, site)
            })
            .collect();
        let count = found.len();
        found.sort_unstable();
        found.truncate(most);
        let sites = found.into_iter().map(|(_, metres, site)| (site, metres));
        Found {
            sites: sites.collect(),
            count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str, query: &str) -> bool {
        has_parts(&comparable(text), &comparable(query), PARTS_MAX)
    }

    #[test]
    fn parts_of_words_are_found_without_their_spaces() {
        for query in [
            "종로구 보건소",
            "종로구보건소",
            "종로보건소",
            " 보건 소",
            "서울종로보건",
            "보",
        ] {
            assert!(finds("서울특별시 종로구 보건소", query), "{query}");
        }
        for query in ["보건소종로", "종로구 병원", "종보소", "강남보건소"] {
            assert!(!finds("서울특별시 종로구 보건소", query), "{query}");
        }
    }

    #[test]
    fn case_and_the_form_of_letters_do_not_matter() {
        assert!(finds("Jongno-gu Public Health Center", "JONGNO-GU public"));
        assert!(finds("Jongno-gu Public Health Center", "ｊｏｎｇｎｏ"));
        // Letters that are put together from their parts, as some phones send them.
        assert!(finds("종로", "\u{110c}\u{1169}\u{11bc}\u{1105}\u{1169}"));
        assert!(finds("제１센터", "1센터"));
    }
}
