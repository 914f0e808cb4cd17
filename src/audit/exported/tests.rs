//! Lines that are wrong are named by their number, whichever thread reads them.

use std::io::{BufReader, Cursor, Error, Read};

use data_encoding::BASE64;

use super::*;
use crate::audit::line_of;
use crate::audit::{KeptHead, Verified, verify_export};
use crate::domain::entry::{Actor, Change};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;

/// An export of so many entries, which begins behind the first so that nothing is applied.
fn export(count: u64) -> Vec<Vec<u8>> {
    export_of(2..2 + count)
}

fn export_of(entries: impl Iterator<Item = u64>) -> Vec<Vec<u8>> {
    let mut previous = Hash([7; 32]);
    let mut lines = Vec::new();
    for seq in entries {
        let entry = Entry {
            seq: Seq(seq),
            stamp: Stamp(seq as i64),
            previous,
            actor: Actor::System,
            change: Change::Started {
                program: "x".repeat(seq as usize % 50),
            },
        };
        let (mut bytes, mut line) = (Vec::new(), Vec::new());
        previous = entry.encode(&mut bytes);
        line_of(&entry, &bytes, true, &mut line);
        lines.push(line);
    }
    lines
}

fn verified(lines: &[Vec<u8>]) -> Result<Verified, AuditFault> {
    verify_export(lines.concat().as_slice(), None::<&KeptHead>)
}

fn fault(lines: &[Vec<u8>]) -> String {
    verified(lines)
        .expect_err("a wrong export passed")
        .to_string()
}

/// More lines than one piece of work has.
const MANY: u64 = 20_000;

#[test]
fn of_two_faults_the_first_in_the_file_is_told_whatever_is_read_first() {
    let whole = export(MANY);
    assert!(whole.concat().len() > 4 << 20);
    let checked = verified(&whole).unwrap();
    assert_eq!((checked.first, checked.last), (2, MANY + 1));
    let (first, second) = (3_000, 3_000 + 40);
    for _ in 0..10 {
        // In one piece of work, and in two.
        for second in [second, 19_000] {
            let mut lines = whole.clone();
            lines[first][9] ^= 1;
            lines[second].truncate(20);
            assert!(
                fault(&lines).starts_with("line 3001: "),
                "{}",
                fault(&lines)
            );
            let mut lines = whole.clone();
            lines.remove(first);
            lines[second][9] ^= 1;
            let told = "the first bad entry is 3003: it does not follow the line before it, of \
                        entry 3001";
            assert_eq!(fault(&lines), told);
            lines[first - 1][9] ^= 1;
            assert!(
                fault(&lines).starts_with("line 3000: "),
                "{}",
                fault(&lines)
            );
        }
    }
}

#[test]
fn a_file_that_was_cut_and_what_follows_it_are_named_by_their_line() {
    let whole = export(400);
    let all = whole.concat();
    let check = |bytes: &[u8]| verify_export(bytes, None).map_err(|fault| fault.to_string());
    // Without its last line end it says the same.
    assert_eq!(check(&all[..all.len() - 1]).unwrap().last, 401);
    let cut = check(&all[..all.len() - 2]).unwrap_err();
    assert!(cut.starts_with("line 400: "), "{cut}");
    for garbage in ["{}\n", "null", "[]", "\u{feff}x", "\u{feff}{}"] {
        let longer = [&all, garbage.as_bytes()].concat();
        let told = check(&longer).expect_err(garbage);
        assert!(told.starts_with("line 401: "), "{garbage:?}: {told}");
    }
    let mut binary = whole.clone();
    binary[200].insert(1, 0xFF);
    assert_eq!(
        fault(&binary),
        "line 201: stream did not contain valid UTF-8"
    );
    let other_ends = String::from_utf8(all).unwrap().replace('\n', "\r\n");
    assert_eq!(check(other_ends.as_bytes()).unwrap().last, 401);
}

#[test]
fn a_line_has_a_longest_length_and_a_disk_that_fails_is_told_behind_what_was_read() {
    let mut lines = export(300);
    let endless = std::io::repeat(b'x').take(1 << 40);
    let source = Cursor::new(lines.concat()).chain(endless);
    let told = verify_export(BufReader::new(source), None).unwrap_err();
    let long = "line 301: it is longer than any line of an export";
    assert_eq!(told.to_string(), long);
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(Error::other("the disk is gone"))
        }
    }
    let failing = |bytes: Vec<u8>| {
        let source = BufReader::new(Cursor::new(bytes).chain(Failing));
        verify_export(source, None).unwrap_err().to_string()
    };
    assert_eq!(failing(lines.concat()), "line 301: the disk is gone");
    lines[299].truncate(30);
    assert_eq!(failing(lines.concat()), "line 300: the disk is gone");
    lines[298][9] ^= 1;
    let told = "line 299: the readable form is not what the bytes say";
    assert_eq!(failing(lines.concat()), told);
}

/// Lines are cut into parts of some eighty; each of these lines is the last of a part or near it.
#[test]
fn a_line_that_is_missing_between_two_parts_is_found_as_anywhere_else() {
    let whole = export(400);
    let bytes = whole.concat().len() as u64;
    assert!(bytes / whole.len() as u64 * 200 > 2 * PART_BYTES, "{bytes}");
    for missing in 100..300 {
        let mut lines = whole.clone();
        lines.remove(missing);
        let told = format!(
            "the first bad entry is {}: it does not follow the line before it, of entry {}",
            missing + 3,
            missing + 1
        );
        assert_eq!(fault(&lines), told);
    }
}

/// Everything in a line is checked by itself: nothing follows these lines that would tell.
#[test]
fn every_field_of_the_last_line_is_compared_with_its_bytes() {
    let whole = export(3);
    let last = String::from_utf8(whole[2].clone()).unwrap();
    let hash = last.find(r#""hash":""#).unwrap() + 8;
    for (field, at) in [
        ("seq", 7),
        ("stamp", last.find("1970").unwrap()),
        ("actor", last.find("system").unwrap()),
        ("change", last.find("started").unwrap()),
        ("program", last.find("xxx").unwrap()),
        ("previous", last.find(r#""previous":""#).unwrap() + 12),
        ("hash", hash),
        ("the hash's end", hash + 63),
    ] {
        let mut lines = whole.clone();
        lines[2][at] ^= 1;
        let told = "line 3: the readable form is not what the bytes say";
        assert_eq!(fault(&lines), told, "{field}");
    }
}

#[test]
fn behind_the_highest_number_nothing_follows() {
    let last = u64::MAX;
    let told =
        format!("the first bad entry is 0: it does not follow the line before it, of entry {last}");
    assert_eq!(fault(&export_of([last, 0].into_iter())), told);
}

/// What a line says is compared, not how it is spelled.
#[test]
fn an_export_that_was_spelled_otherwise_is_the_same_export() {
    let whole = export(40);
    let texts: Vec<String> = whole.iter().map(|line| text(line)).collect();
    let parsed = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let escaped = |line: &String| {
        let letters = line.trim_end().chars().map(|letter| match letter {
            'x' => r"\u0078".to_owned(),
            '/' => r"\/".to_owned(),
            other => other.to_string(),
        });
        letters.collect::<String>() + "\n"
    };
    let spaced = |line: &String| line.replace("\":", "\" :\t").replace(",\"", " , \"");
    let spellings: [(&str, String); 9] = [
        ("a byte order mark", format!("\u{feff}{}", texts.concat())),
        (
            "several",
            texts.iter().map(|line| format!("\u{feff}{line}")).collect(),
        ),
        (
            "empty lines",
            texts
                .iter()
                .map(|line| format!("\n \t\r\n{line}\n"))
                .collect(),
        ),
        ("white space", texts.iter().map(spaced).collect()),
        (
            "around",
            texts
                .iter()
                .map(|line| format!("  {}  \r\n", line.trim_end()))
                .collect(),
        ),
        ("escapes", texts.iter().map(escaped).collect()),
        (
            "names in order",
            texts
                .iter()
                .map(|line| format!("{}\n", parsed(line)))
                .collect(),
        ),
        ("a mark alone at the end", texts.concat() + "\u{feff}"),
        ("spaces at the end", texts.concat() + "\n\n   "),
    ];
    let checked = verified(&whole).unwrap();
    for (how, spelled) in spellings {
        assert_ne!(spelled, texts.concat(), "{how}");
        let read = verify_export(spelled.as_bytes(), None).map_err(|fault| fault.to_string());
        assert_eq!(read.as_ref(), Ok(&checked), "{how}");
        // A changed value is found in this spelling too, by the same line.
        let changed = spelled.replacen("\"started\"", "\"stopped\"", 1);
        if changed != spelled {
            let told = verify_export(changed.as_bytes(), None)
                .unwrap_err()
                .to_string();
            assert!(
                told.contains("the readable form is not what the bytes say"),
                "{how}: {told}"
            );
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).unwrap()
}

/// Readers differ in which of two values of one name they take: a person could be shown another
/// than the one that is checked.
#[test]
fn what_is_added_left_out_or_said_twice_is_found() {
    let whole = export(3);
    let line = text(&whole[1]);
    let twice = line.replacen('{', r#"{"seq":9,"#, 1);
    let deep = line.replacen(r#""started":{"#, r#""started":{"program":"y","#, 1);
    let added = line.replacen('{', r#"{"note":"x","#, 1);
    let left_out = line.replacen(r#""actor":"system","#, "", 1);
    let other = [
        line.replacen(r#""seq":3"#, r#""seq":3.0"#, 1),
        line.replacen(r#""seq":3"#, r#""seq":"3""#, 1),
        line.replacen(r#""actor":"system""#, r#""actor":["system"]"#, 1),
        format!("{}{}", line.trim_end(), line),
        line.replace('\n', " {}\n"),
    ];
    for changed in [twice, deep, added, left_out].into_iter().chain(other) {
        assert_ne!(changed, line);
        let mut lines = whole.clone();
        lines[1] = changed.clone().into_bytes();
        assert!(
            fault(&lines).starts_with("line 2: "),
            "{changed}: {}",
            fault(&lines)
        );
    }
}

/// `QQ==QQ==` decodes as `QUE=` does, and is another line.
#[test]
fn bytes_have_one_form_in_base64() {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        decode_base64(text.as_bytes(), &mut bytes).map(|()| bytes)
    };
    assert_eq!(decoded("QUE="), Some(b"AA".to_vec()));
    assert_eq!(decoded("QQ=="), Some(b"A".to_vec()));
    assert_eq!(decoded("QUFB"), Some(b"AAA".to_vec()));
    for other in [
        "QQ==QQ==", "QQ==QUFB", "QQ", "QQ=", "QQ===", "QQ======", "QR==", "=", "QUFB====",
    ] {
        assert_eq!(decoded(other), None, "{other}");
    }
    let lines = export(2);
    let text = String::from_utf8(lines[1].clone()).unwrap();
    let (readable, bytes) = text.split_once(r#""bytes":""#).unwrap();
    let bytes = BASE64
        .decode(bytes.trim_end_matches("\"}\n").as_bytes())
        .unwrap();
    let (left, right) = (BASE64.encode(&bytes[..4]), BASE64.encode(&bytes[4..]));
    let pieces = format!("{readable}\"bytes\":\"{left}{right}\"}}\n").into_bytes();
    let told = "line 2: the readable form is not what the bytes say";
    assert_eq!(fault(&[lines[0].clone(), pieces]), told);
}
