//! gzip on all cores: pieces that are packed by themselves, one member of the file each, as the
//! format allows (RFC 1952, 2.2). Whatever reads gzip reads them as one text.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;

use crate::crypto::Sha256;

/// Bytes that are packed by themselves: what the format remembers is 32 KiB, so little is lost.
const PIECE_BYTES: usize = 1 << 20;
/// Pieces that are packed at the same time.
const PIECES: usize = 16;
/// Most of an entry are hashes, which nothing packs: more effort gains a few hundredths.
const EFFORT: u32 = 3;

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    pub bytes: u64,
    pub packed_bytes: u64,
}

/// Packs what is written to it. The end has to be asked for with `finish`.
pub(super) struct Packed<W> {
    into: W,
    waiting: Vec<u8>,
    sizes: Sizes,
    digest: Sha256,
}

impl<W: Write> Packed<W> {
    pub fn new(into: W) -> Self {
        Self {
            into,
            waiting: Vec::with_capacity(PIECE_BYTES * PIECES),
            sizes: Sizes::default(),
            digest: Sha256::default(),
        }
    }

    fn pack(&mut self) -> io::Result<()> {
        let pack = |piece: &[u8]| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::new(EFFORT));
            packer.write_all(piece)?;
            packer.finish()
        };
        let pieces: io::Result<Vec<_>> = self.waiting.par_chunks(PIECE_BYTES).map(pack).collect();
        for piece in pieces? {
            self.digest.update(&piece);
            self.sizes.packed_bytes += piece.len() as u64;
            self.into.write_all(&piece)?;
        }
        self.waiting.clear();
        Ok(())
    }

    /// Packs the rest; what was written, and its SHA-256.
    pub fn finish(mut self) -> io::Result<(W, Sizes, [u8; 32])> {
        self.pack()?;
        self.into.flush()?;
        Ok((self.into, self.sizes, self.digest.finish()))
    }
}

impl<W: Write> Write for Packed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sizes.bytes += bytes.len() as u64;
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE_BYTES * PIECES {
            self.pack()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
