//! The pieces of a gzip stream (RFC 1951, 1952) that a page with holes needs: deflate blocks that
//! end at a whole byte, stored blocks between them, and a check sum computed from the check sums of
//! the parts.
//!
//! A check sum (CRC-32) is the remainder of a division of polynomials. So the check sum of two
//! texts in a row is that of the first, multiplied with a power of x that depends on the length of
//! the second, plus that of the second. `shift` is that power and `product` the multiplication.

use flate2::{Compress, Compression, FlushCompress, Status};

/// The most that a stored block holds.
pub(super) const STORED_BYTES_MAX: usize = u16::MAX as usize;
/// Before each stored block: its kind, its length, and the length's complement.
pub(super) const STORED_HEAD_BYTES: usize = 5;
/// Behind the last block: the check sum, and the length of the page.
pub(super) const GZIP_FOOT_BYTES: usize = 8;
pub(super) const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The polynomial of gzip's check sum (RFC 1952, 8), its bits in reverse.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The product of two polynomials modulo `POLYNOMIAL`. The highest bit is the power 0.
pub(super) const fn product(one: u32, mut other: u32) -> u32 {
    let mut sum = 0;
    let mut bit = 32;
    while bit > 0 {
        bit -= 1;
        sum ^= other & (one >> bit & 1).wrapping_neg();
        other = (other >> 1) ^ (POLYNOMIAL & (other & 1).wrapping_neg());
    }
    sum
}

/// The power of x by which a check sum is multiplied when this many bytes follow.
pub(super) fn shift(bytes: usize) -> u32 {
    let byte = 1 << (31 - 8);
    (0..bytes).fold(1 << 31, |power, _| product(byte, power))
}

/// The check sum of some bytes and then `value`, where `crc` is the check sum of these bytes.
pub(super) fn summed(crc: u32, value: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = product(1 << (31 - 8), byte as u32);
            byte += 1;
        }
        table
    };
    let step = |crc: u32, byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    !value.iter().fold(!crc, step)
}

/// Compresses a text into deflate blocks that end at a whole byte. With `last` they end the stream.
pub(super) fn deflate(plain: &[u8], last: bool) -> Vec<u8> {
    let mut packer = Compress::new(Compression::best(), false);
    // Deflate never needs more than five bytes a block of 16 kB over the plain text.
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 1_000 + 64);
    let flush = if last {
        FlushCompress::Finish
    } else {
        FlushCompress::Sync
    };
    let done = packer.compress_vec(plain, &mut packed, flush);
    // A `Sync` may have more to write if it filled the room; a `Finish` says when it is done.
    let whole = match done {
        Ok(Status::StreamEnd) => last,
        Ok(Status::Ok) => !last && packed.len() < packed.capacity(),
        Ok(Status::BufError) | Err(_) => false,
    };
    if whole && packer.total_in() == plain.len() as u64 {
        return packed;
    }
    stored(plain, last)
}

/// A text as stored blocks, for a text that deflate can't compress into the room that it has.
pub(super) fn stored(plain: &[u8], last: bool) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() + plain.len() / 1_000 + 64);
    let mut blocks = plain.chunks(STORED_BYTES_MAX).peekable();
    while let Some(block) = blocks.next() {
        let ends = last && blocks.peek().is_none();
        push_stored(&mut packed, block, ends);
    }
    if plain.is_empty() && last {
        push_stored(&mut packed, &[], true);
    }
    packed
}

/// Appends a stored block of at most `STORED_BYTES_MAX` bytes (RFC 1951, 3.2.4).
pub(super) fn push_stored(page: &mut Vec<u8>, block: &[u8], last: bool) {
    let length = block.len() as u16;
    page.push(u8::from(last));
    page.extend_from_slice(&length.to_le_bytes());
    page.extend_from_slice(&(!length).to_le_bytes());
    page.extend_from_slice(block);
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn stored_blocks_unpack_to_what_was_stored() {
        for length in [0, 1, STORED_BYTES_MAX, STORED_BYTES_MAX + 1, 200_000] {
            let plain: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
            let packed = [stored(&plain, false), stored(&plain, true)].concat();
            let mut back = Vec::new();
            let mut reader = flate2::bufread::DeflateDecoder::new(packed.as_slice());
            reader.read_to_end(&mut back).unwrap();
            assert_eq!(back, [plain.as_slice(), &plain].concat());
        }
    }
}
