//! How the fields of a roster may be written, and what of it is a fault.

use jiff::civil::date;

use super::roster::{HEADER, assert_fault, contact, read_text, read_with, row_with};
use super::*;
use crate::clock::Entropy;
use crate::domain::time::Day;
use crate::keys::Keys;

#[test]
fn dates_that_are_not_or_could_be_several_are_refused() {
    for (text, told) in [
        ("1967-02-30", "not in the calendar"),
        ("1967-13-01", "not in the calendar"),
        ("24535", "could mean 1967-03-04"),
        ("670304", "could mean 1967-03-04"),
        ("67-03-04", "year of two digits"),
        ("04/03/1967", "could mean 1967-03-04 or 1967-04-03"),
        ("04031967", "could mean 1967-03-04 or 1967-04-03"),
        ("1967-3-004", "write it as 1967-03-04"),
    ] {
        let fault = assert_fault(1, text, Reason::BadDate);
        assert!(fault.contains(text) && fault.contains(told), "{fault}");
    }
    for text in ["", "+967-03-04", "봄"] {
        assert_fault(1, text, Reason::BadDate);
    }
}

#[test]
fn dates_are_read_as_spreadsheets_and_people_write_them() {
    let keys = Keys::generate(&Entropy::system());
    for text in [
        "19670304",
        "1967.3.4",
        "1967/03/04",
        "1967. 3. 4.",
        "１９６７-03-04",
        " 1967-03-04 ",
    ] {
        let file = format!("{HEADER}{}\n", row_with(1, text));
        let roster = read_with(&keys, file.as_bytes()).unwrap().roster;
        assert_eq!(roster.people[0].born, Day::of(date(1967, 3, 4)), "{text}");
    }
}

/// Nine characters, or `1.01235E+09`, were refused without a word of the spreadsheet.
#[test]
fn a_code_that_a_spreadsheet_took_for_a_number_is_explained() {
    for text in ["1.01235E+09", "123456789", "12345678"] {
        let told = assert_fault(2, text, Reason::BadCode);
        assert!(
            told.contains("spreadsheet") && !told.contains(text),
            "{told}"
        );
    }
}

#[test]
fn names_must_say_something_in_reason() {
    assert_fault(0, "", Reason::Empty);
    assert_fault(0, " \u{3000} ", Reason::Empty);
    assert_fault(0, &"가".repeat(101), Reason::TooLong);
    read_text(&row_with(0, &"가".repeat(100))).unwrap();
    // A hundred syllables in conjoining jamo are three hundred characters before NFC.
    read_text(&row_with(0, &"\u{1100}\u{1161}\u{11a8}".repeat(100))).unwrap();
    for text in ["\u{3164}", "\u{115f}\u{1160}", "·-’", "\u{200b}"] {
        assert_fault(0, text, Reason::Empty);
    }
    for text in ["김\u{7}영숙", "김\u{0}영숙", "김\u{85}영숙"] {
        let told = assert_fault(0, text, Reason::ControlCharacter);
        assert!(told.contains("U+"), "{told}");
    }
    for text in [
        "김\u{f0000}영숙",
        "김\u{e001}영숙",
        "김\u{10fffd}영숙",
        "김\u{1fffe}영숙",
    ] {
        let told = assert_fault(0, text, Reason::UnfitCharacter);
        assert!(told.contains("character 2 is U+"), "{told}");
        assert!(!told.contains('김') && !told.contains("영숙"), "{told}");
    }
    // Nobody sees these, so they are neither compared nor kept.
    let keys = Keys::generate(&Entropy::system());
    for unseen in "\u{200b}\u{202e}\u{61c}\u{200f}\u{ad}\u{3164}\u{feff}\u{2060}".chars() {
        let file = format!("{HEADER}{}\n", row_with(0, &format!("김{unseen}영숙")));
        let prepared = read_with(&keys, file.as_bytes()).unwrap();
        assert_eq!(contact(&keys, &prepared, 0).name, "김영숙");
        let person = prepared.roster.people[0];
        assert_eq!(
            person.name_tag,
            keys.personal(0).unwrap().name_tag(person.key, "김영숙")
        );
    }
    // What names really hold: marks of other scripts, joiners, hyphens, apostrophes, middle dots.
    for text in ["O’Brien-Smith", "김·영숙", "नी\u{200d}ता", "阿\u{20021}"] {
        read_text(&row_with(0, text)).unwrap();
    }
}

#[test]
fn telephone_numbers_are_kept_in_one_form_and_what_is_none_is_refused() {
    for text in [
        "전화",
        "--",
        "010-1234-5678-9012-345",
        "０１０",
        "1012345678",
        "8.21E+11",
    ] {
        let told = assert_fault(3, text, Reason::BadPhone);
        assert!(!told.contains("1234"), "{told}");
    }
    let keys = Keys::generate(&Entropy::system());
    for (text, kept) in [
        ("", ""),
        ("+82 10-1234-5678", "+821012345678"),
        ("(010) 1234.5678", "+821012345678"),
        ("０１０－１２３４－５６７８", "+821012345678"),
    ] {
        let file = format!("{HEADER}{}\n", row_with(3, text));
        let prepared = read_with(&keys, file.as_bytes()).unwrap();
        assert_eq!(contact(&keys, &prepared, 0).phone, kept);
    }
}
