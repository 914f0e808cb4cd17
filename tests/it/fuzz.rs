//! What a fuzzer has met, tried again: every parser of bytes from outside takes any of it without a
//! panic. `tests/fuzz` looks for more, by hand.

use std::fs;
use std::path::Path;

#[path = "../fuzz/targets.rs"]
mod targets;

#[test]
fn nothing_that_was_met_makes_a_parser_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let files =
            fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut tried = 0;
        for file in files.flatten() {
            let bytes = fs::read(file.path()).unwrap();
            println!("{name}: {}", file.path().display());
            target(&bytes);
            // Cut, and with a byte changed at each of some places.
            for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
                target(&bytes[..at]);
                let mut changed = bytes.clone();
                changed[at] ^= 0x21;
                target(&changed);
            }
            tried += 1;
        }
        assert!(tried > 0, "{name} has no corpus");
    }
}
