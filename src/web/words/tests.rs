//! The catalogues against each other and against the program: nothing missing, nothing unused.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

#[test]
fn the_better_liked_language_wins() {
    assert_eq!(Lang::preferred("en-US,en;q=0.9,ko;q=0.8"), Lang::EN);
    assert_eq!(Lang::preferred("fr, ko;q=0.3, en;q=0.2"), Lang::KO);
    assert_eq!(Lang::preferred("ko;q=0.1, en"), Lang::EN);
    assert_eq!(Lang::preferred(";;;q=,=,en;q=x"), Lang::KO);
    assert_eq!(Lang::preferred(""), Lang::KO);
}

/// The keys of a catalogue, each with the values it wants.
fn wanted(source: &str) -> check::Wanted {
    let mut faults = Vec::new();
    let found = check::wanted(source, &mut faults);
    assert_eq!(faults, Vec::<String>::new());
    found
}

/// Everything in the program that may name a message: templates and sources of the web.
fn sources() -> String {
    let mut text = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if matches!(ending, Some("rs" | "html")) && !path.ends_with("tests.rs") {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    text
}

/// The literals that are handed to `say` and `put`.
fn asked(sources: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for call in [".say(", ".put(", " at("] {
        for after in sources.split(call).skip(1) {
            let literal = after.trim_start().strip_prefix('"');
            found.extend(literal.and_then(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    found
}

fn of_problems() -> BTreeSet<String> {
    let keys = |&(code, _): &(&str, u16)| {
        let key = format!("problem-{}", code.replace('_', "-"));
        ["", ".detail", ".next"].map(|attribute| format!("{key}{attribute}"))
    };
    PROBLEMS.iter().flat_map(keys).collect()
}

#[test]
fn both_catalogues_have_the_same_messages_with_the_same_values() {
    let (mut ko, mut en) = (wanted(KO_SOURCE), wanted(EN_SOURCE));
    // Only one of the languages may need these: plural forms and names of months.
    for values in ko.values_mut().chain(en.values_mut()) {
        for optional in ["n", "month", "monthname", "count"] {
            values.remove(optional);
        }
    }
    assert_eq!(ko, en);
}

#[test]
fn every_message_that_the_program_asks_for_is_there() {
    let known = wanted(KO_SOURCE);
    let missing: Vec<_> = asked(&sources())
        .into_iter()
        .chain(of_problems())
        .filter(|key| !known.contains_key(key))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_message_is_used() {
    let (sources, problems) = (sources(), of_problems());
    let used = |key: &String| problems.contains(key) || sources.contains(&format!("\"{key}\""));
    let unused: Vec<_> = wanted(KO_SOURCE)
        .into_keys()
        .filter(|key| !used(key))
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn every_problem_has_words_and_a_next_step_in_both_languages() {
    for lang in Lang::all() {
        for (code, status) in PROBLEMS {
            let words = words(lang, code);
            assert_eq!(words.status, *status);
            for text in [words.title, words.detail, words.next] {
                assert!(!text.is_empty(), "{code} in {}", lang.tag());
                let korean = text.chars().any(|letter| ('가'..='힣').contains(&letter));
                assert_eq!(korean, lang == Lang::KO, "{code} in {}: {text}", lang.tag());
            }
        }
    }
}
