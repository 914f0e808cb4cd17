//! The names of groups: the same characters are allowed on the roster, in a campaign file and in a
//! command.

use unicode_normalization::UnicodeNormalization;

use crate::domain::text;

const CHARS_MAX: usize = 64;

/// Reads the name of a group, in NFC.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str) -> Result<String, String> {
    let group: String = text.nfc().collect();
    if group.is_empty() || group.trim() != group || group.chars().count() > CHARS_MAX {
        return Err("a group has 1 to 64 characters and no spaces around it".to_owned());
    }
    if group.chars().any(|c| c.is_control() || c == ';') {
        let why = "a group has no `;` (the roster parts groups with it) and no control characters";
        return Err(why.to_owned());
    }
    text::check_characters(&group).map_err(|fault| fault.to_string())?;
    Ok(group)
}
