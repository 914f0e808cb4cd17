//! Decodes a PNG and encodes its pixels anew. Text, dates, profiles and animations are left out.

use std::io::Cursor;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits, Transformations};

use super::{Logo, LogoKind, PNG_SIDE_MAX};

/// Memory for decoding: the largest picture has 2 MiB of pixels at 16 bits.
const DECODER_BYTES_MAX: usize = 8 << 20;

/// The pixels of a picture and how they are to be read.
struct Pixels {
    bytes: Vec<u8>,
    width: u32,
    height: u32,
    colour: ColorType,
    depth: BitDepth,
    palette: Option<Vec<u8>>,
    transparency: Option<Vec<u8>>,
}

pub(super) fn read(bytes: &[u8]) -> Result<Logo, String> {
    let pixels = decode(bytes)?;
    let broken = |fault: png::EncodingError| format!("can't be encoded as PNG: {fault}");
    let bytes = encode(&pixels).map_err(broken)?;
    Ok(Logo {
        kind: LogoKind::Png,
        bytes,
        width: pixels.width,
        height: pixels.height,
    })
}

fn decode(bytes: &[u8]) -> Result<Pixels, String> {
    let broken = |fault: png::DecodingError| {
        format!(
            "is a PNG that can't be read ({fault}): open it in an image editor and save it anew"
        )
    };
    let limits = Limits {
        bytes: DECODER_BYTES_MAX,
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    let (width, height) = decoder.read_header_info().map_err(broken)?.size();
    if width > PNG_SIDE_MAX || height > PNG_SIDE_MAX {
        return Err(format!(
            "has {width} × {height} pixels, and at most {PNG_SIDE_MAX} × {PNG_SIDE_MAX} are \
             allowed: scale it down"
        ));
    }
    let mut reader = decoder.read_info().map_err(broken)?;
    let length = reader
        .output_buffer_size()
        .filter(|length| *length <= DECODER_BYTES_MAX);
    let length = length.ok_or("is a PNG with too many bytes: scale it down")?;
    let mut pixels = vec![0; length];
    let frame = reader.next_frame(&mut pixels).map_err(broken)?;
    if (frame.width, frame.height) != (width, height) {
        return Err("is an animation: save a single picture".to_owned());
    }
    pixels.truncate(frame.buffer_size());
    let info = reader.info();
    Ok(Pixels {
        bytes: pixels,
        width,
        height,
        colour: frame.color_type,
        depth: frame.bit_depth,
        palette: info.palette.as_deref().map(<[u8]>::to_vec),
        transparency: info.trns.as_deref().map(<[u8]>::to_vec),
    })
}

fn encode(pixels: &Pixels) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_color(pixels.colour);
    encoder.set_depth(pixels.depth);
    encoder.set_compression(Compression::High);
    if let Some(palette) = &pixels.palette {
        encoder.set_palette(palette);
    }
    if let Some(transparency) = &pixels.transparency {
        encoder.set_trns(transparency);
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels.bytes)?;
    writer.finish()?;
    Ok(bytes)
}
