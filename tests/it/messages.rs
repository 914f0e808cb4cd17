//! What commands say when they can't do what was asked.

use std::fs;
use std::process::Command;

use super::world::{World, text};

#[test]
fn whoever_reads_only_the_first_lines_of_an_answer_gets_no_fault() {
    let world = World::new(3);
    for command in [&["campaign", "list"][..], &["audit", "export"]] {
        // What `head` leaves behind once it has seen enough.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_sumun"))
            .args(command)
            .arg("--data")
            .arg(world.folder.path())
            .stdout(writer)
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}

#[test]
fn an_export_from_behind_the_end_says_so() {
    let world = World::new(3);
    let nothing = world.run(&["audit", "export", "--from", "999"]);
    assert_eq!(nothing.status.code(), Some(1));
    let said = text(&nothing.stderr);
    assert_eq!(
        said,
        "sumun: the journal has no entry 999: it ends before\n"
    );
    let backwards = world.run(&["audit", "export", "--from", "3", "--to", "2"]);
    assert!(text(&backwards.stderr).contains("--from 3 is behind --to 2"));
}

#[test]
fn keys_of_another_data_file_are_told() {
    let (world, other) = (World::new(3), World::new(3));
    fs::copy(other.path("keys.json"), world.path("keys.json")).unwrap();
    for command in ["verify", "doctor"] {
        let found = world.run(&[command]);
        assert_eq!(found.status.code(), Some(1), "{command}");
        let said = text(&found.stdout);
        assert!(
            said.contains("keys.json") && said.contains("belongs to another"),
            "{said}"
        );
    }
}

#[test]
fn a_backup_into_a_folder_that_is_not_there_names_it() {
    let world = World::new(3);
    let file = world.path("nowhere/copy.redb");
    let refused = world.run(&["backup", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    let folder = world.path("nowhere");
    let expected = format!(
        "sumun: {} is not a folder: make it first\n",
        folder.display()
    );
    assert_eq!(text(&refused.stderr), expected);
}

/// A file that can't be read is told once, not once for each layer that it went through.
#[test]
fn a_cause_is_told_once() {
    let world = World::new(3);
    fs::remove_file(world.path("sumun.redb")).unwrap();
    fs::create_dir(world.path("sumun.redb")).unwrap();
    let refused = world.run(&["verify"]);
    let said = text(&refused.stderr) + &text(&refused.stdout);
    assert_eq!(said.matches("s a directory").count(), 1, "{said}");
}
