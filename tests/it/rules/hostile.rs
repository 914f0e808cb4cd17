//! Campaign files that somebody damaged: whatever the text, an answer and no panic.
//!
//! `SUMUN_FUZZ_CASES` says how many damaged files to try (1,000 if it is not set) and
//! `SUMUN_FUZZ_SEED` where to begin; a failure prints its seed.

use sumun::domain::campaign::diff::diff;
use sumun::domain::campaign::timeline::timeline;
use sumun::domain::campaign::{Campaign, Severity};

use super::campaigns::{AUGUST, JULY, campaign};

/// Pieces that mean something to the format, and some that nobody should write.
const PIECES: [&str; 36] = [
    "[[cohort]]\n",
    "[[opening]]\n",
    "[campaign]\n",
    "[gate]\n",
    "[[gate]]\n",
    "[x]\n",
    "=",
    "\"",
    "'''",
    "\"\"\"",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "\n",
    "\r\n",
    "\0",
    "\u{feff}",
    "é",
    "😀",
    "#",
    "\\u0000",
    "0001-01-01",
    "9999-12-31",
    "2021-02-29",
    "2021-07-20T18:00",
    "-1",
    "1e999",
    "nan",
    "9223372036854775808",
    "0x7fffffffffffffff",
    "born = [\"1850-01-01\", \"2199-12-31\"]\n",
    "groups_any = [\"a\", \"b\"]\n",
    "birth_day_last_digits = [0, 1]\n",
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// SplitMix64 (Steele, Lea, Flood 2014): a good enough generator in three lines.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A sound file after one to eight changes; what is not UTF-8 after them is made so.
fn damaged(seed: u64) -> String {
    let mut state = seed;
    let mut below = |bound: usize| (next(&mut state) % bound.max(1) as u64) as usize;
    let mut text = [JULY, AUGUST][below(2)].as_bytes().to_vec();
    for _ in 0..=below(8) {
        let from = below(text.len());
        let to = (from + below(40)).min(text.len());
        match below(7) {
            0 => drop(text.drain(from..to)),
            1 => text[from..to].reverse(),
            2 => {
                let copy = text[from..to].to_vec();
                let at = below(text.len());
                text.splice(at..at, copy);
            }
            3 => {
                let piece = PIECES[below(PIECES.len())].bytes();
                drop(text.splice(from..from, piece));
            }
            4 => {
                let digits: Vec<usize> = (0..text.len())
                    .filter(|at| text[*at].is_ascii_digit())
                    .collect();
                if !digits.is_empty() {
                    text[digits[below(digits.len())]] = b'0' + below(10) as u8;
                }
            }
            5 => {
                let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
                let (a, b) = (below(lines.len()), below(lines.len()));
                lines.swap(a, b);
                text = lines.join(&b'\n');
            }
            _ => {
                if let Some(byte) = text.get_mut(from) {
                    *byte ^= 1 << below(8);
                }
            }
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn damaged_files_are_answered() {
    let sound = campaign(JULY);
    let (first, cases) = (
        number("SUMUN_FUZZ_SEED", 1),
        number("SUMUN_FUZZ_CASES", 1_000),
    );
    let mut accepted = 0;
    for seed in first..first + cases {
        let text = damaged(seed);
        let lines = text.split('\n').count() as u32;
        let tried = std::panic::catch_unwind(|| match Campaign::parse(&text) {
            Ok((campaign, warnings)) => {
                assert!(
                    warnings
                        .iter()
                        .all(|finding| finding.severity == Severity::Warning)
                );
                timeline(&campaign);
                diff(&sound, &campaign);
                1
            }
            Err(findings) => {
                assert!(
                    findings
                        .iter()
                        .any(|finding| finding.severity == Severity::Error)
                );
                for finding in findings {
                    assert!((1..=lines).contains(&finding.line), "{finding:?}");
                    assert!(!finding.message.contains(char::is_control), "{finding:?}");
                }
                0
            }
        });
        accepted += tried.unwrap_or_else(|_| panic!("SUMUN_FUZZ_SEED={seed}\n{text}"));
    }
    // Some changes only touch a comment or a number: both ways of answering have been tried.
    assert!(
        cases < 1_000 || (accepted > 0 && accepted < cases),
        "{accepted} of {cases}"
    );
}
