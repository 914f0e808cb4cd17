//! QR codes: for pages as the path of an SVG, for terminals as half blocks.
//!
//! The quiet zone around a code is part of it (ISO/IEC 18004).

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder, QRCode};

/// Modules around the code that stay empty.
const QUIET: usize = 4;

/// A code as a path in units of its modules, with the quiet zone around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Qr {
    pub size: usize,
    pub path: String,
}

/// None for a text that is longer than any code holds.
pub fn svg(text: &str) -> Option<Qr> {
    let code = code(text)?;
    let mut path = String::new();
    for y in 0..code.size {
        for x in 0..code.size {
            if code[y][x].value() {
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
    }
    Some(Qr {
        size: code.size + 2 * QUIET,
        path,
    })
}

/// The code in half blocks, two modules in a character, for dark text on a light ground and the
/// reverse: what is light in the code is drawn.
pub fn terminal(text: &str) -> Option<String> {
    let code = code(text)?;
    let is_dark = |x: usize, y: usize| {
        let (x, y) = (x.checked_sub(QUIET), y.checked_sub(QUIET));
        let inside = x.zip(y).filter(|(x, y)| *x < code.size && *y < code.size);
        inside.is_some_and(|(x, y)| code[y][x].value())
    };
    let size = code.size + 2 * QUIET;
    let mut lines = Vec::new();
    for y in (0..size).step_by(2) {
        let drawn = |x: usize| match (is_dark(x, y), is_dark(x, y + 1)) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        };
        lines.push((0..size).map(drawn).collect::<String>());
    }
    Some(lines.join("\n"))
}

/// Short texts with more correction; long ones with the least, so that cameras can tell modules
/// apart.
fn code(text: &str) -> Option<QRCode> {
    const LONG_BYTES: usize = 200;
    let mut builder = QRBuilder::new(text);
    if text.len() > LONG_BYTES {
        builder.ecl(ECL::L);
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_code_with_its_quiet_zone() {
        let qr = svg("7K3M-9QXT-2R").unwrap();
        // Fourteen characters of the alphanumeric mode fit version 1: 21 modules.
        assert_eq!(qr.size, 21 + 8);
        assert!(qr.path.starts_with("M4 4h1v1h-1z"), "the finder's corner");
        let drawn = terminal("7K3M-9QXT-2R").unwrap();
        assert_eq!(drawn.lines().count(), 15);
        assert_eq!(drawn.lines().next().unwrap(), "█".repeat(29));
    }

    #[test]
    fn a_text_that_is_too_long_has_no_code() {
        assert_eq!(svg(&"a".repeat(2_953)).map(|qr| qr.size), Some(177 + 8));
        assert_eq!(svg(&"a".repeat(2_954)), None);
    }
}
