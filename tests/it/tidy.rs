//! The house rules that a machine can check: who may import whom, where time comes from, line
//! length.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn breaches(folder: &str, forbidden: &[&str], except: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, text) in sources(folder) {
        let shown = path.display().to_string();
        if except.iter().any(|allowed| shown.ends_with(allowed)) {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            if let Some(word) = forbidden.iter().find(|word| code.contains(**word)) {
                breaches.push(format!("{shown}:{}: {word}", at + 1));
            }
        }
    }
    breaches
}

#[test]
fn the_domain_imports_nothing_of_the_others_and_does_no_io() {
    let others = [
        "crate::audit",
        "crate::availability",
        "crate::cli",
        "crate::clock",
        "crate::config",
        "crate::ops::control",
        "crate::demo",
        "crate::files",
        "crate::ops::folder",
        "crate::gate",
        "crate::identity",
        "crate::keys",
        "crate::engine",
        "crate::journal",
        "crate::seats",
        "crate::server",
        "crate::service",
        "crate::web",
        "std::fs",
        "std::io",
        "std::net",
        "std::time",
        "redb::",
        "actix_web",
        "tokio::",
        "tracing::",
        "rayon::",
    ];
    assert_eq!(breaches("src/domain", &others, &[]), Vec::<String>::new());
}

#[test]
fn only_the_data_file_names_redb_and_only_the_web_names_actix() {
    assert_eq!(
        breaches("src", &["redb::", "use redb"], &["journal/data_file.rs"]),
        Vec::<String>::new()
    );
    let web: Vec<_> = breaches("src", &["actix_web"], &["src/server.rs"])
        .into_iter()
        .filter(|breach| !breach.contains("/src/web/"))
        .collect();
    assert_eq!(web, Vec::<String>::new());
}

/// Pages show what `service` answers: they reach neither the writer nor the seats, and hold no
/// style or handler that a policy would have to allow.
#[test]
fn pages_decide_nothing_and_hold_nothing_inline() {
    let deciders = [
        "crate::engine",
        "crate::journal",
        "crate::seats",
        "domain::decide",
        "domain::apply",
        "gate::token",
        "HttpClient",
        "awc::",
    ];
    assert_eq!(
        breaches("src/web/pages", &deciders, &[]),
        Vec::<String>::new()
    );
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/pages/templates");
    for entry in fs::read_dir(templates).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for inline in [
            " style=\"",
            " onclick=",
            " onload=",
            "javascript:",
            "http://",
            "https://",
        ] {
            assert!(!text.contains(inline), "{}: {inline}", path.display());
        }
        let korean = |letter: char| ('가'..='힣').contains(&letter);
        assert!(
            !text.contains(korean),
            "{}: words belong into locales/",
            path.display()
        );
    }
}

#[test]
fn time_and_randomness_come_from_the_clock_alone() {
    let asking = [
        "Instant::now",
        "SystemTime",
        "Timestamp::now",
        "Zoned::now",
        "SystemRandom",
        "thread_rng",
        "rand::random",
        "TimeZone::system",
    ];
    assert_eq!(
        breaches("src", &asking, &["src/clock.rs"]),
        Vec::<String>::new()
    );
}

#[test]
fn lines_have_at_most_100_characters_and_nothing_is_left_open() {
    let mut breaches = Vec::new();
    for (path, text) in ["src", "tests"].iter().flat_map(|folder| sources(folder)) {
        let shown = path.display().to_string();
        assert!(text.starts_with("//!"), "{shown} does not say what it owns");
        for (at, line) in text.lines().enumerate() {
            if line.chars().count() > 100 {
                breaches.push(format!(
                    "{shown}:{}: {} characters",
                    at + 1,
                    line.chars().count()
                ));
            }
            let unsafe_word = ["uns", "afe "].concat();
            let open = ["to", "do!("].concat();
            if line.contains(&unsafe_word) && !line.trim_start().starts_with("//")
                || line.contains(&open)
            {
                breaches.push(format!("{shown}:{}: {line}", at + 1));
            }
        }
    }
    assert_eq!(breaches, Vec::<String>::new());
}
