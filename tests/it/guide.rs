//! The guides: every command in them is run, in both languages.

use std::path::Path;
use std::process::Command;

#[test]
fn every_command_of_both_guides_is_run() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guide");
    let told = Command::new(script)
        .arg(env!("CARGO_BIN_EXE_sumun"))
        .output()
        .unwrap();
    let said = [told.stdout, told.stderr].concat();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&said));
}
