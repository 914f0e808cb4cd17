//! Spellings of one thing match, and different things do not.

use jiff::civil::{Date, date};
use proptest::prelude::*;
use proptest::sample::select;

use super::date::{DateFault, read as read_date};
use super::phone::{Country, PhoneFault, read as read_phone};
use super::*;
use crate::domain::crockford;

/// Each of these was refused for the first name, when the roster had the other.
#[test]
fn names_match_however_they_are_written() {
    for (one, other) in [
        ("Anna Maria Müller", "ANNA-MARIA MÜLLER"),
        ("Müller", "Mu\u{308}ller"),
        ("Straße", "STRASSE"),
        ("O’Brien", "O'Brien"),
        ("O`Brien", "O´Brien"),
        ("O'Brien", "OBrien"),
        ("김·영숙", "김ㆍ영숙"),
        ("김・영숙", "김\u{b7}영숙"),
        ("김•영숙", "김･영숙"),
        ("김 영숙", "김\u{3000}영숙"),
        ("김\u{200b}영\u{200d}숙\u{feff}", "김영숙"),
        ("\u{202a}김영숙\u{202c}", "김영숙"),
        ("김\u{3164}영숙", "김영숙\u{ffa0}"),
        ("Ｋｉｍ", "kim"),
        ("Νίκος", "ΝΊΚΟΣ"),
        ("\u{1100}\u{1175}\u{11b7}", "김"),
        ("\u{1100} \u{1175}", "기"),
    ] {
        let (one, other) = (comparable_name(one), comparable_name(other));
        assert_eq!(one, other);
        assert!(!one.is_empty());
    }
    for dash in "\u{ad}\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2212}\u{fe63}\u{ff0d}".chars() {
        assert_eq!(comparable_name(&format!("Anna{dash}Maria")), "annamaria");
    }
    for empty in [
        "",
        "  ",
        "\u{3164}\u{115f}\u{1160}",
        "·-'",
        "\u{2800}\u{200b}",
    ] {
        assert_eq!(comparable_name(empty), "");
    }
    assert_ne!(comparable_name("김영숙"), comparable_name("김영순"));
    assert_ne!(comparable_name("Müller"), comparable_name("Muller"));
}

/// What may stand anywhere in a name without making it another.
fn noise() -> impl Strategy<Value = char> {
    select(
        " \u{a0}\u{3000}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{3164}\u{115f}\
         \u{b7}\u{318d}\u{30fb}\u{2022}\u{2027}\u{ff65}-\u{2010}\u{2011}\u{2013}\u{2014}\
         \u{ff0d}'\u{2019}`\u{b4}"
            .chars()
            .collect::<Vec<_>>(),
    )
}

const LETTERS: &str = "[a-zA-Z가-힣À-ÖØ-öø-ÿА-яΑ-ΡΣ-Ωα-ω一-龥ァ-ヴ]{1,12}";

/// A text with these characters put in at these places.
fn with_noise(text: &str, noise: &[(usize, char)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, c) in noise {
        chars.insert(at % (chars.len() + 1), *c);
    }
    chars.into_iter().collect()
}

proptest! {
    #[test]
    fn any_spelling_of_a_name_is_that_name(
        name in LETTERS,
        noise in prop::collection::vec((any::<usize>(), noise()), 0..6),
        capitals in any::<bool>(),
        form in 0..4_usize,
    ) {
        let mut written = with_noise(&name, &noise);
        if capitals {
            written = written.to_uppercase();
        }
        written = match form {
            0 => written.nfc().collect(),
            1 => written.nfd().collect(),
            2 => written.nfkc().collect(),
            _ => written,
        };
        // An accent that stands alone is an apostrophe; normalised, it is a space and an accent on
        // nothing, and nobody can tell it from the letter's own.
        prop_assume!(form == 3 || !noise.iter().any(|(_, c)| matches!(c, '\u{b4}' | '\u{318d}')));
        prop_assert_eq!(comparable_name(&written), comparable_name(&name));
    }

    #[test]
    fn different_names_stay_different(one in "[가-힣a-z]{1,6}", other in "[가-힣a-z]{1,6}") {
        prop_assert_eq!(comparable_name(&one) == comparable_name(&other), one == other);
    }

    #[test]
    fn a_comparable_name_is_comparable(name in any::<String>()) {
        let once = comparable_name(&name);
        prop_assert_eq!(comparable_name(&once), once);
        prop_assert_eq!(comparable_name(&kept_name(&name)), comparable_name(&name));
    }

    #[test]
    fn any_spelling_of_a_code_is_that_code(
        value in 0..crockford::VALUES,
        noise in prop::collection::vec((any::<usize>(), select(
            " \u{a0}\u{3000}\u{200b}-\u{2010}\u{2011}\u{2013}\u{2014}\u{2212}\u{ff0d}\t"
                .chars().collect::<Vec<_>>(),
        )), 0..6),
        looks in prop::collection::vec(0..4_u8, 10),
    ) {
        let look = |(c, look): (char, &u8)| match (c, look) {
            ('0', 1) => 'O',
            ('0', 2) => 'o',
            ('1', 1) => 'l',
            ('1', 2) => 'I',
            (c, 3) if c.is_ascii_graphic() => char::from_u32(c as u32 + 0xfee0).unwrap(),
            (c, 1) => c.to_ascii_lowercase(),
            (c, _) => c,
        };
        let code: String = crockford::format(value).chars().zip(&looks).map(look).collect();
        prop_assert_eq!(crockford::parse(&with_noise(&code, &noise)), Ok(value));
    }

    #[test]
    fn any_spelling_of_a_date_is_that_date(
        (year, month, day) in (1850..2100_i16, 1..=12_i8, 1..=28_i8),
        form in 0..8_usize,
        full_width in any::<bool>(),
    ) {
        let expected = date(year, month, day);
        let written = match form {
            0 => format!("{year}-{month:02}-{day:02}"),
            1 => format!("{year}.{month}.{day}"),
            2 => format!("{year}. {month}. {day}."),
            3 => format!("{year}/{month:02}/{day:02}"),
            4 => format!("{year}{month:02}{day:02}"),
            5 => format!("{year}년 {month}월 {day}일"),
            6 => format!(" {year}–{month:02}–{day:02} "),
            _ => format!("{year}-{month:02}-{day:02} 00:00:00"),
        };
        let wide = |c: char| match c {
            '0'..='9' => char::from_u32(c as u32 + 0xfee0).unwrap(),
            c => c,
        };
        let written = if full_width { written.chars().map(wide).collect() } else { written };
        prop_assert_eq!(read_date(&written), Ok(expected), "{}", written);
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = (read_date(&text), read_phone(&text, Country::default()));
        let _ = (kept_name(&text), plain(&text), former_comparable_name(&text));
    }

    #[test]
    fn any_spelling_of_a_telephone_number_is_that_number(
        number in 0..100_000_000_u32,
        form in 0..12_usize,
    ) {
        let (front, back) = (number / 10_000, number % 10_000);
        let expected = format!("+8210{front:04}{back:04}");
        let written = match form {
            0 => format!("010-{front:04}-{back:04}"),
            1 => format!("(010) {front:04}-{back:04}"),
            2 => format!("010.{front:04}.{back:04}"),
            3 => format!("010{front:04}{back:04}"),
            4 => format!("+82-10-{front:04}-{back:04}"),
            5 => format!("+82 (0)10 {front:04} {back:04}"),
            6 => format!("0082 10{front:04}{back:04}"),
            7 => format!("8210{front:04}{back:04}"),
            8 => format!("０１０－{front:04}－{back:04}"),
            9 => format!("\u{202a}010–{front:04}–{back:04}\u{202c}"),
            10 => format!("+82-010-{front:04}-{back:04}"),
            _ => format!("＋82 10 {front:04} {back:04}"),
        };
        prop_assert_eq!(read_phone(&written, Country::default()), Ok(expected), "{}", written);
    }
}

#[test]
fn what_could_be_several_days_says_which() {
    let day = date(1967, 3, 4);
    let told = |dates: &[Date]| dates.to_vec();
    for (text, fault) in [
        ("24535", DateFault::SpreadsheetNumber(told(&[day]))),
        ("24535.0", DateFault::SpreadsheetNumber(told(&[day]))),
        (
            "670304",
            DateFault::TwoDigitYear(told(&[day, date(2067, 3, 4)])),
        ),
        (
            "67-03-04",
            DateFault::TwoDigitYear(told(&[day, date(2067, 3, 4)])),
        ),
        (
            "04/03/1967",
            DateFault::YearLast(told(&[day, date(1967, 4, 3)])),
        ),
        (
            "24.12.1967",
            DateFault::YearLast(told(&[date(1967, 12, 24)])),
        ),
        ("24121967", DateFault::YearLast(told(&[date(1967, 12, 24)]))),
        ("1967-02-30", DateFault::NotInCalendar),
        ("", DateFault::Empty),
        ("1967", DateFault::Shape),
        ("March 1967", DateFault::Shape),
        ("1967-03-04 09:30", DateFault::Shape),
    ] {
        assert_eq!(read_date(text), Err(fault), "{text}");
    }
    let told = read_date("04/03/1967").unwrap_err().to_string();
    assert!(told.contains("1967-03-04 or 1967-04-03"), "{told}");
    assert!(
        read_date("24535")
            .unwrap_err()
            .to_string()
            .contains("1967-03-04")
    );
}

#[test]
fn telephone_numbers_of_each_kind_are_read_and_what_is_none_is_told() {
    let home = Country::default();
    for (text, number) in [
        ("02-123-4567", "+8221234567"),
        ("031-123-4567", "+82311234567"),
        ("0505-123-4567", "+825051234567"),
        ("070-1234-5678", "+827012345678"),
        ("1588-1234", "+8215881234"),
        ("+1 (212) 555-0123", "+12125550123"),
        ("+44 20 7946 0018", "+442079460018"),
    ] {
        assert_eq!(read_phone(text, home).as_deref(), Ok(number), "{text}");
    }
    for (text, fault) in [
        ("", PhoneFault::Shape),
        ("전화", PhoneFault::Shape),
        ("--", PhoneFault::Shape),
        ("010-1234-5678 / 02-123-4567x", PhoneFault::Shape),
        ("1012345678", PhoneFault::NoTrunk { trunk: "0" }),
        ("8.21012E+11", PhoneFault::Shortened),
        ("1.01235E+09", PhoneFault::Shortened),
        (
            "010-1234-567",
            PhoneFault::Length {
                digits: 10,
                country: "KR",
            },
        ),
        (
            "010-1234-5678-9012-345",
            PhoneFault::Length {
                digits: 18,
                country: "KR",
            },
        ),
        ("+1", PhoneFault::International),
        ("+0 1234 5678", PhoneFault::International),
    ] {
        assert_eq!(read_phone(text, home), Err(fault), "{text}");
    }
    let other = |code: &str| code.parse::<Country>().unwrap();
    for (code, text, number) in [
        ("US", "(212) 555-0123", "+12125550123"),
        ("us", "1-212-555-0123", "+12125550123"),
        ("DE", "030 / 1234567", "+49301234567"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("JP", "090-1234-5678", "+819012345678"),
    ] {
        assert_eq!(
            read_phone(text, other(code)).as_deref(),
            Ok(number),
            "{text}"
        );
    }
    assert!("XX".parse::<Country>().unwrap_err().contains("KR"));
}
