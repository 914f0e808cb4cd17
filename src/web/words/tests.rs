//! The catalogues against each other and against the program: nothing missing, nothing unused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_syntax::ast::{Expression, InlineExpression, Pattern, PatternElement};

use super::*;

#[test]
fn the_better_liked_language_wins() {
    assert_eq!(Lang::preferred("en-US,en;q=0.9,ko;q=0.8"), Lang::En);
    assert_eq!(Lang::preferred("fr, ko;q=0.3, en;q=0.2"), Lang::Ko);
    assert_eq!(Lang::preferred("ko;q=0.1, en"), Lang::En);
    assert_eq!(Lang::preferred(";;;q=,=,en;q=x"), Lang::Ko);
    assert_eq!(Lang::preferred(""), Lang::Ko);
}

/// The keys of a catalogue, each with the values it wants.
fn wanted(lang: Lang) -> BTreeMap<String, BTreeSet<String>> {
    let resource = FluentResource::try_new(lang.source().to_owned());
    let resource = resource.unwrap_or_else(|(_, faults)| panic!("{faults:?}"));
    let mut found = BTreeMap::new();
    for entry in resource.entries() {
        let ast::Entry::Message(message) = entry else {
            assert!(
                !matches!(entry, ast::Entry::Junk { .. }),
                "{entry:?} is not a message"
            );
            continue;
        };
        let id = message.id.name;
        let own = message.value.iter().map(|value| (id.to_owned(), value));
        let attributes = message.attributes.iter();
        let attributes = attributes.map(|one| (format!("{id}.{}", one.id.name), &one.value));
        for (key, pattern) in own.chain(attributes) {
            let mut values = BTreeSet::new();
            collect(pattern, &mut values);
            assert!(found.insert(key, values).is_none(), "{id} is there twice");
        }
    }
    found
}

fn collect(pattern: &Pattern<&str>, values: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else {
            continue;
        };
        let inline = match expression {
            Expression::Inline(inline) => inline,
            Expression::Select { selector, variants } => {
                variants.iter().for_each(|one| collect(&one.value, values));
                selector
            }
        };
        if let InlineExpression::VariableReference { id } = inline {
            values.insert(id.name.to_owned());
        }
    }
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
    let (mut ko, mut en) = (wanted(Lang::Ko), wanted(Lang::En));
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
    let known = wanted(Lang::Ko);
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
    let unused: Vec<_> = wanted(Lang::Ko)
        .into_keys()
        .filter(|key| !used(key))
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn every_problem_has_words_and_a_next_step_in_both_languages() {
    for lang in Lang::ALL {
        for (code, status) in PROBLEMS {
            let words = words(lang, code);
            assert_eq!(words.status, *status);
            for text in [words.title, words.detail, words.next] {
                assert!(!text.is_empty(), "{code} in {}", lang.tag());
                let korean = text.chars().any(|letter| ('가'..='힣').contains(&letter));
                assert_eq!(korean, lang == Lang::Ko, "{code} in {}: {text}", lang.tag());
            }
        }
    }
}
