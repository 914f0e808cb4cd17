//! The house rules that a machine can check: who may name whom, where time comes from, line
//! length. `paths` reads what the sources name.

mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use paths::{Named, named, sources};

/// The folders and single files under `src`, lowest first. One may name what stands in a layer
/// below its own, and nothing else of the crate.
const LAYERS: &[&[&str]] = &[
    &["crypto"],
    // Pure, and what needs nothing.
    &["domain", "regions", "sync", "measure", "plot", "qr"],
    &["clock", "tree", "config"],
    &["keys", "seats", "events", "tls", "systemd"],
    &["journal", "availability", "files", "gate", "identity"],
    &["audit", "demo"],
    &["engine"],
    &["service"],
    // Two doors to the same service: neither names the other.
    &["web", "ops"],
    &["server"],
    &["rush"],
    &["cli"],
];

/// What the layers would allow and the design does not: who, whom.
const NEVER: &[(&str, &str)] = &[
    // Pages and API reach the journal through `service` alone.
    ("web", "journal"),
    ("web", "files"),
    ("web", "audit"),
    // Rehearsal and example: nothing of the server names them, and they know it from outside.
    ("engine", "demo"),
    ("service", "demo"),
    ("web", "demo"),
    ("ops", "demo"),
    ("server", "demo"),
    ("rush", "demo"),
    ("rush", "engine"),
    ("rush", "service"),
    ("rush", "web"),
    ("rush", "ops"),
    ("rush", "server"),
];

/// What is under `#[cfg(test)]` is exempt from the rules about folders: the tests of a folder may
/// take an example from another.
fn served() -> Vec<Named> {
    named().into_iter().filter(|named| !named.is_test).collect()
}

/// The folder or single file under `src` that a file belongs to.
fn folder_of(file: &str) -> &str {
    let inner = file.strip_prefix("src/").unwrap_or(file);
    let first = inner.split('/').next().unwrap_or(inner);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Who names whom, each with a file and a path that show it. `main` and `lib` stand above all.
fn graph(all: &[Named]) -> BTreeMap<(String, String), String> {
    let mut edges = BTreeMap::new();
    for named in all {
        let from = folder_of(&named.file);
        if named.segments[0] != "crate" || named.segments.len() < 2 || from == "lib" {
            continue;
        }
        let to = named.segments[1].as_str();
        if from != to && from != "main" {
            let shown = format!("{} names {}", named.file, named.shown());
            edges
                .entry((from.to_owned(), to.to_owned()))
                .or_insert(shown);
        }
    }
    edges
}

fn layer_of(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&folder))
}

#[test]
fn every_folder_has_a_layer_and_names_only_what_is_below_it() {
    let mut faults = BTreeSet::new();
    for (path, _) in sources("src") {
        let file = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
        let file = file.display().to_string();
        let folder = folder_of(&file);
        if layer_of(folder).is_none() && folder != "main" && folder != "lib" {
            faults.insert(format!("`{folder}` has no layer: give it one in LAYERS"));
        }
    }
    for ((from, to), shown) in graph(&served()) {
        let allowed = match (layer_of(&from), layer_of(&to)) {
            (Some(from), Some(to)) => to < from,
            _ => false,
        };
        if !allowed || NEVER.contains(&(from.as_str(), to.as_str())) {
            faults.insert(format!("`{from}` must not name `{to}`: {shown}"));
        }
    }
    assert_eq!(faults, BTreeSet::new());
}

/// The circles of a graph: one for each set of folders that all reach one another.
fn circles(edges: &BTreeMap<(String, String), String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for (start, _) in edges.keys() {
        if told.contains(start) {
            continue;
        }
        // The shortest way from `start` back to it: each folder with the one before it.
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let mut next = vec![start.as_str()];
        while let Some(at) = next.pop() {
            let outward = edges.keys().filter(|(from, _)| from == at);
            for (_, to) in outward {
                if !before.contains_key(to.as_str()) {
                    before.insert(to, at);
                    next.insert(0, to);
                }
            }
        }
        if !before.contains_key(start.as_str()) {
            continue;
        }
        let mut circle = vec![start.clone()];
        let mut at = before[start.as_str()];
        while at != start {
            circle.push(at.to_owned());
            at = before[at];
        }
        circle.push(start.clone());
        circle.reverse();
        told.extend(circle.iter().cloned());
        found.push(circle);
    }
    found
}

#[test]
fn no_circle_goes_through_the_folders() {
    let edges = graph(&served());
    let mut told = Vec::new();
    for circle in circles(&edges) {
        let ways = circle.windows(2);
        let ways = ways.map(|way| edges[&(way[0].clone(), way[1].clone())].clone());
        told.push(format!(
            "{}: {}",
            circle.join(" → "),
            ways.collect::<Vec<_>>().join("; ")
        ));
    }
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn circles_are_found_and_named() {
    let edges = |pairs: &[(&str, &str)]| {
        let edge = |(from, to): &(&str, &str)| ((from.to_string(), to.to_string()), String::new());
        pairs.iter().map(edge).collect()
    };
    let none = circles(&edges(&[("a", "b"), ("b", "c"), ("a", "c"), ("d", "a")]));
    assert_eq!(none, Vec::<Vec<String>>::new());
    let one = circles(&edges(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]));
    assert_eq!(one, [["b", "c", "b"]]);
    let long = circles(&edges(&[
        ("a", "b"),
        ("b", "c"),
        ("c", "d"),
        ("d", "a"),
        ("x", "a"),
    ]));
    assert_eq!(long, [["a", "b", "c", "d", "a"]]);
    let two = circles(&edges(&[
        ("a", "b"),
        ("b", "a"),
        ("c", "d"),
        ("d", "c"),
        ("b", "c"),
    ]));
    assert_eq!(two.len(), 2);
}

/// Paths under `folder` that one of `forbidden` stands in, outside the files of `except`. Code for
/// tests counts too.
fn breaches(folder: &str, forbidden: &[&str], except: &[&str]) -> Vec<String> {
    let all = named().into_iter();
    let here = all.filter(|named| {
        named.file.starts_with(folder) && !except.iter().any(|file| named.file.starts_with(file))
    });
    let wrong = here.filter(|named| forbidden.iter().any(|path| named.has(path)));
    wrong
        .map(|named| format!("{}: {}", named.file, named.shown()))
        .collect()
}

#[test]
fn the_domain_imports_nothing_of_the_others_and_does_no_io() {
    let others = [
        "std::fs",
        "std::io",
        "std::net",
        "std::time",
        "redb",
        "actix_web",
        "tokio",
        "tracing",
        "rayon",
    ];
    // The PNG library reads from a reader: bytes in memory are one, and no I/O.
    let mut breaches = breaches("src/domain/", &others, &[]);
    breaches.retain(|breach| !breach.contains(": std::io::Cursor"));
    assert_eq!(breaches, Vec::<String>::new());
    let all = named().into_iter();
    let other: Vec<String> = all
        .filter(|named| named.file.starts_with("src/domain/"))
        .filter(|named| named.segments[0] == "crate" && !named.begins_with("crate::domain"))
        // Hashes of bytes: as pure as what they hash.
        .filter(|named| !named.begins_with("crate::crypto"))
        .map(|named| format!("{}: {}", named.file, named.shown()))
        .collect();
    assert_eq!(other, Vec::<String>::new());
}

#[test]
fn only_crypto_and_tls_name_libraries_of_cryptography() {
    let libraries = ["ring", "argon2", "age", "rustls", "rcgen"];
    let except = [
        "src/crypto",
        "src/tls",
        // They speak TLS, and look at nothing inside it.
        "src/server",
        "src/web/door/",
        "src/rush/",
    ];
    assert_eq!(breaches("src/", &libraries, &except), [""; 0]);
}

#[test]
fn only_the_data_file_names_redb_and_only_the_web_names_actix() {
    assert_eq!(
        breaches(
            "src/",
            &["redb"],
            &["src/journal/data_file.rs", "src/journal/data_file/view.rs"]
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        breaches("src/", &["actix_web"], &["src/server.rs", "src/web/"]),
        [""; 0]
    );
}

/// Pages show what `service` answers: they reach neither the writer nor the seats, and hold no
/// style or handler that a policy would have to allow.
#[test]
fn pages_decide_nothing_and_hold_nothing_inline() {
    let deciders = [
        "crate::engine",
        "crate::journal",
        "crate::seats",
        "crate::domain::booking::decide",
        "crate::domain::apply",
        "crate::gate::token",
        "HttpClient",
        "awc",
    ];
    assert_eq!(
        breaches("src/web/pages/", &deciders, &[]),
        Vec::<String>::new()
    );
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/pages/templates");
    let listed = |folder: &Path| {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    let all = listed(&templates).chain(listed(&templates.join("desk")));
    for path in all.filter(|path| path.is_file()) {
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
        breaches(
            "src/",
            &asking,
            &["src/clock.rs", "src/crypto.rs", "src/crypto/signer.rs"]
        ),
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
