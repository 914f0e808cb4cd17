//! An agency's logo: a picture from outside that becomes one of our own.
//!
//! No byte of the file is kept as it came. A PNG is decoded and its pixels are encoded anew; an SVG
//! is read and written anew from a list of what it may have. So neither carries metadata, and
//! neither makes a browser fetch or run anything.

mod png;
mod svg;

use serde::{Deserialize, Serialize};

/// The longest file that is looked at.
pub const FILE_BYTES_MAX: u64 = 256 << 10;
/// Pixels on either side of a PNG.
const PNG_SIDE_MAX: u32 = 512;
/// What is sent with pages stays small.
const PNG_BYTES_MAX: usize = 24 << 10;
const SVG_BYTES_MAX: usize = 16 << 10;

/// A picture that pages may show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logo {
    pub kind: LogoKind,
    pub bytes: Vec<u8>,
    /// In pixels, or in the units of an SVG.
    pub width: u32,
    pub height: u32,
}

/// The form of a logo. Variants are appended: entries have them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogoKind {
    Svg,
    Png,
}

impl LogoKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Svg => "SVG",
            Self::Png => "PNG",
        }
    }
}

impl Logo {
    /// Makes a logo of a file's bytes; its form is seen in them.
    ///
    /// # Errors
    /// What is wrong with the picture, and what to do.
    pub fn of_file(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(too_long(bytes.len(), FILE_BYTES_MAX as usize));
        }
        let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n");
        let logo = if is_png {
            png::read(bytes)?
        } else {
            let text = std::str::from_utf8(bytes).map_err(|_| {
                "is neither a PNG nor an SVG in UTF-8: save it as one of them".to_owned()
            })?;
            svg::read(text)?
        };
        let bytes_max = match logo.kind {
            LogoKind::Png => PNG_BYTES_MAX,
            LogoKind::Svg => SVG_BYTES_MAX,
        };
        if logo.bytes.len() > bytes_max {
            return Err(too_long(logo.bytes.len(), bytes_max));
        }
        Ok(logo)
    }
}

fn too_long(bytes: usize, bytes_max: usize) -> String {
    let (found, most) = (bytes.div_ceil(1 << 10), bytes_max >> 10);
    format!("has {found} KiB, and at most {most} KiB are allowed: make it smaller or simpler")
}

#[cfg(test)]
mod tests;
