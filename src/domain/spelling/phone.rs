//! Telephone numbers in one form: E.164, the plus sign, the country and the rest (+821012345678).
//!
//! A number without its country is one of the country that an import names. The rules are our own:
//! a roster has sixty million numbers, and only its country's trunk prefix and lengths decide
//! anything here; the libraries with the tables of all countries bring ten more crates and match
//! each number with regular expressions. Source: ITU-T E.164 and the countries' numbering plans.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::plain;

/// The digits of an E.164 number are at most so many.
const DIGITS_MAX: usize = 15;
const DIGITS_MIN: usize = 7;

/// Numbers of a country behind its trunk prefix: what they begin with, and their lengths.
type Numbers = (&'static str, usize, usize);

/// How a country's numbers are written inside it.
#[derive(Debug)]
struct Plan {
    /// ISO 3166.
    code: &'static str,
    calling: &'static str,
    /// Dialled before a number inside the country, and left out behind the country's code.
    trunk: &'static str,
    numbers: &'static [Numbers],
    /// What is dialled without the trunk prefix, though others have one.
    bare: &'static [Numbers],
}

const fn plan(
    code: &'static str,
    calling: &'static str,
    trunk: &'static str,
    numbers: &'static [Numbers],
    bare: &'static [Numbers],
) -> Plan {
    Plan {
        code,
        calling,
        trunk,
        numbers,
        bare,
    }
}

/// Korea: mobiles 010 with eight digits and the old 011 to 019; Seoul 02; provinces 03x to 06x;
/// personal numbers 050x; internet 070; free 080; service numbers of eight digits without a zero.
const KOREA: Plan = plan(
    "KR",
    "82",
    "0",
    &[
        ("10", 10, 10),
        ("1", 9, 10),
        ("2", 8, 9),
        ("50", 10, 11),
        ("3", 9, 10),
        ("4", 9, 10),
        ("5", 9, 10),
        ("6", 9, 10),
        ("70", 10, 10),
        ("80", 9, 10),
    ],
    &[("15", 8, 8), ("16", 8, 8), ("18", 8, 8)],
);

static PLANS: [Plan; 24] = [
    KOREA,
    plan("AT", "43", "0", &[("", 4, 13)], &[]),
    plan(
        "AU",
        "61",
        "0",
        &[("", 9, 9)],
        &[("13", 6, 10), ("18", 7, 10)],
    ),
    plan("BE", "32", "0", &[("", 8, 9)], &[]),
    plan("CA", "1", "1", &[("", 10, 10)], &[("", 10, 10)]),
    plan("CH", "41", "0", &[("", 9, 9)], &[]),
    plan("CN", "86", "0", &[("", 9, 11)], &[("1", 11, 11)]),
    plan("CZ", "420", "", &[("", 9, 9)], &[]),
    plan("DE", "49", "0", &[("", 5, 11)], &[]),
    plan("DK", "45", "", &[("", 8, 8)], &[]),
    plan("ES", "34", "", &[("", 9, 9)], &[]),
    plan("FR", "33", "0", &[("", 9, 9)], &[]),
    plan("GB", "44", "0", &[("", 9, 10)], &[]),
    plan("HK", "852", "", &[("", 8, 8)], &[]),
    plan("IT", "39", "", &[("", 6, 11)], &[]),
    plan("JP", "81", "0", &[("", 9, 10)], &[]),
    plan("NL", "31", "0", &[("", 9, 9)], &[]),
    plan("NO", "47", "", &[("", 8, 8)], &[]),
    plan("NZ", "64", "0", &[("", 8, 10)], &[]),
    plan("PL", "48", "", &[("", 9, 9)], &[]),
    plan("SE", "46", "0", &[("", 7, 9)], &[]),
    plan("SG", "65", "", &[("", 8, 8)], &[]),
    plan("TW", "886", "0", &[("", 8, 9)], &[]),
    plan("US", "1", "1", &[("", 10, 10)], &[("", 10, 10)]),
];

/// The country of numbers that do not say theirs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(&'static Plan);

impl Default for Country {
    fn default() -> Self {
        Self(&PLANS[0])
    }
}

impl PartialEq for Country {
    fn eq(&self, other: &Self) -> bool {
        self.0.code == other.0.code
    }
}

impl Eq for Country {}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.to_string()
    }
}

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        code.parse()
    }
}

impl std::str::FromStr for Country {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        let known = PLANS
            .iter()
            .find(|plan| plan.code.eq_ignore_ascii_case(code));
        known.map(Self).ok_or_else(|| {
            let codes: Vec<_> = PLANS.iter().map(|plan| plan.code).collect();
            format!("is not a known country: use one of {}", codes.join(", "))
        })
    }
}

/// Why a text is not one telephone number. Each says what to do; none repeats the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PhoneFault {
    #[error(
        "is not a telephone number: use digits, with `+` before a country's code and spaces, `-`, \
         `.` or parentheses between"
    )]
    Shape,
    #[error(
        "is a number that a spreadsheet shortened, as 8.21E+11: show the column as text and write \
         it again"
    )]
    Shortened,
    #[error(
        "begins neither with `{trunk}` nor with `+`: has a spreadsheet taken the first digit away? \
         Show the column as text, and write it as it is dialled or with its country"
    )]
    NoTrunk { trunk: &'static str },
    #[error("has {digits} digits, which no number of {country} has: are some missing or too many?")]
    Length {
        digits: usize,
        country: &'static str,
    },
    #[error("can't be an international number: behind `+` come 7 to 15 digits, the country first")]
    International,
}

/// Reads one telephone number into E.164.
///
/// # Errors
/// What can't be one number, or not only one.
pub fn read(text: &str, home: Country) -> Result<String, PhoneFault> {
    let text = plain(text);
    let plan = home.0;
    if is_shortened(&text) {
        return Err(PhoneFault::Shortened);
    }
    let is_between = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '/' | '(' | ')');
    let (rest, has_plus) = match text.trim_start_matches('(').strip_prefix('+') {
        Some(rest) => (rest, true),
        None => (&*text, false),
    };
    let mut digits = String::with_capacity(DIGITS_MAX);
    for c in rest.chars().filter(|c| !is_between(*c)) {
        if !c.is_ascii_digit() || digits.len() > 2 * DIGITS_MAX {
            return Err(PhoneFault::Shape);
        }
        digits.push(c);
    }
    if digits.is_empty() {
        return Err(PhoneFault::Shape);
    }
    if has_plus {
        return international(&digits, plan);
    }
    // As it is dialled from abroad: 00 and the country's own code.
    let from_abroad = digits.strip_prefix("00");
    if let Some(rest) = from_abroad.filter(|rest| rest.starts_with(plan.calling)) {
        return international(rest, plan);
    }
    national(&digits, plan)
}

/// A number as a spreadsheet shows one that is too long for its column: `8.21012E+11`.
fn is_shortened(text: &str) -> bool {
    let parts = text.split_once(['E', 'e']);
    parts.is_some_and(|(number, power)| {
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
        let power = power.strip_prefix('+').unwrap_or(power);
        !number.is_empty()
            && number.chars().all(is_number)
            && (1..=2).contains(&power.len())
            && power.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn fits(numbers: &[Numbers], digits: &str) -> bool {
    let known = numbers.iter().find(|(begin, ..)| digits.starts_with(begin));
    known.is_some_and(|(_, least, most)| (*least..=*most).contains(&digits.len()))
}

/// The digits behind a plus sign.
fn international(digits: &str, home: &Plan) -> Result<String, PhoneFault> {
    let Some(own) = digits.strip_prefix(home.calling) else {
        let fits = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) && !digits.starts_with('0');
        return if fits {
            Ok(format!("+{digits}"))
        } else {
            Err(PhoneFault::International)
        };
    };
    // The trunk prefix is often left there by mistake, or in parentheses: +82 (0)10 1234 5678. No
    // number begins with it.
    let own = match own.strip_prefix(home.trunk) {
        Some(rest) if !home.trunk.is_empty() => rest,
        _ => own,
    };
    in_country(own, home).ok_or(PhoneFault::Length {
        digits: own.len(),
        country: home.code,
    })
}

/// The number behind the trunk prefix, if the country has such numbers.
fn in_country(own: &str, home: &Plan) -> Option<String> {
    if !fits(home.numbers, own) && !fits(home.bare, own) {
        return None;
    }
    let mut number = String::with_capacity(1 + home.calling.len() + own.len());
    let _ = write!(number, "+{}{own}", home.calling);
    Some(number)
}

/// A number as it is dialled inside the country, or with the country's code but without its plus
/// sign, which a spreadsheet takes away.
fn national(digits: &str, home: &Plan) -> Result<String, PhoneFault> {
    if fits(home.bare, digits) {
        return in_country(digits, home).ok_or(PhoneFault::Shape);
    }
    let length = |digits: &str| PhoneFault::Length {
        digits: digits.len(),
        country: home.code,
    };
    if home.trunk.is_empty() {
        return in_country(digits, home).ok_or(length(digits));
    }
    if let Some(own) = digits.strip_prefix(home.trunk) {
        let is_own = fits(home.numbers, own);
        return in_country(own, home)
            .filter(|_| is_own)
            .ok_or(length(digits));
    }
    let with_code = digits.strip_prefix(home.calling);
    let with_code = with_code.filter(|own| fits(home.numbers, own) && digits.len() > 10);
    with_code
        .and_then(|own| in_country(own, home))
        .ok_or(PhoneFault::NoTrunk { trunk: home.trunk })
}
