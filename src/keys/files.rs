//! Sealing of files that wait in the data folder until an act on them is approved.
//!
//! A sealed file is a label, 32 random bytes, and pieces of `PIECE_BYTES` of the file, each sealed
//! with AES-256-GCM. Its key is derived from the secrets and those random bytes, so no two files
//! have one key; the nonce of a piece is its number and whether it is the last one, so that pieces
//! can't be moved, left out or cut off unnoticed. It is the STREAM construction of Hoang,
//! Reyhanitabar, Rogaway and Vizár (CRYPTO 2015), as the age format has it.

use std::io::{self, Read, Write};

use super::Keys;
use crate::clock::Entropy;
use crate::crypto::{NONCE_BYTES, SealKey, TAG_BYTES};

const LABEL: &[u8; 21] = b"sumun sealed file v1\n";
const SALT_BYTES: usize = 32;
const PIECE_BYTES: usize = 64 << 10;

/// Seals what is written to it; `finish` ends it, and without that it does not open.
pub struct FileSealing<W> {
    into: W,
    key: SealKey,
    number: u64,
    piece: Vec<u8>,
}

/// What is read from it is what was sealed. Anything else is an error of the kind `InvalidData`.
pub struct FileOpening<R> {
    from: R,
    key: SealKey,
    number: u64,
    /// The piece that comes next, still sealed; empty behind the last one.
    next: Vec<u8>,
    piece: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl Keys {
    fn file_key(&self, salt: &[u8; SALT_BYTES]) -> SealKey {
        let mut context = self.person.begin();
        context.update(b"sumun sealed file key v1");
        context.update(salt);
        SealKey::new(&context.finish())
    }

    /// What is written to it is sealed, and goes to `into`.
    pub fn seal_file<W: Write>(
        &self,
        entropy: &Entropy,
        mut into: W,
    ) -> io::Result<FileSealing<W>> {
        let salt = entropy.bytes();
        into.write_all(LABEL)?;
        into.write_all(&salt)?;
        Ok(FileSealing {
            into,
            key: self.file_key(&salt),
            number: 0,
            piece: Vec::with_capacity(PIECE_BYTES + TAG_BYTES),
        })
    }

    /// What is read from it was sealed with these secrets and not changed.
    pub fn open_file<R: Read>(&self, mut from: R) -> io::Result<FileOpening<R>> {
        let mut label = [0; LABEL.len()];
        let mut salt = [0; SALT_BYTES];
        from.read_exact(&mut label)?;
        from.read_exact(&mut salt)?;
        if label != *LABEL {
            return Err(broken());
        }
        let mut opening = FileOpening {
            key: self.file_key(&salt),
            from,
            number: 0,
            next: Vec::new(),
            piece: Vec::new(),
            at: 0,
            is_over: false,
        };
        opening.next = opening.sealed_piece()?;
        Ok(opening)
    }
}

fn nonce(number: u64, is_last: bool) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    nonce[NONCE_BYTES - 1] = u8::from(is_last);
    nonce
}

fn broken() -> io::Error {
    let why = "the file was changed, is not whole, or was sealed with other secrets";
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl<W: Write> FileSealing<W> {
    fn put(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = nonce(self.number, is_last);
        let tag = self.key.seal(nonce, &[], &mut self.piece);
        self.piece.extend_from_slice(&tag);
        self.into.write_all(&self.piece)?;
        self.piece.clear();
        self.number += 1;
        Ok(())
    }

    /// Seals the last piece, and gives back what it wrote to.
    pub fn finish(mut self) -> io::Result<W> {
        self.put(true)?;
        Ok(self.into)
    }
}

impl<W: Write> Write for FileSealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits until something follows: only then it is not the last one.
        if self.piece.len() == PIECE_BYTES && !bytes.is_empty() {
            self.put(false)?;
        }
        let taken = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

impl<R: Read> FileOpening<R> {
    fn sealed_piece(&mut self) -> io::Result<Vec<u8>> {
        let most = (PIECE_BYTES + TAG_BYTES) as u64;
        let mut sealed = Vec::new();
        self.from.by_ref().take(most).read_to_end(&mut sealed)?;
        Ok(sealed)
    }

    fn open_next(&mut self) -> io::Result<()> {
        let behind = self.sealed_piece()?;
        let sealed = std::mem::replace(&mut self.next, behind);
        self.is_over = self.next.is_empty();
        let nonce = nonce(self.number, self.is_over);
        self.piece = self.key.open(nonce, &[], sealed).ok_or_else(broken)?;
        self.number += 1;
        self.at = 0;
        Ok(())
    }
}

impl<R: Read> Read for FileOpening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.is_over {
                return Ok(0);
            }
            self.open_next()?;
        }
        let rest = &self.piece[self.at..];
        let taken = rest.len().min(into.len());
        into[..taken].copy_from_slice(&rest[..taken]);
        self.at += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(keys: &Keys, plain: &[u8]) -> Vec<u8> {
        let mut sealing = keys.seal_file(&Entropy::system(), Vec::new()).unwrap();
        // In pieces of another length than those that are sealed.
        for part in plain.chunks(10_007) {
            sealing.write_all(part).unwrap();
        }
        sealing.finish().unwrap()
    }

    fn opened(keys: &Keys, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        keys.open_file(sealed)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length_and_shows_nothing() {
        let keys = Keys::generate(&Entropy::system());
        for length in [
            0,
            1,
            PIECE_BYTES - 1,
            PIECE_BYTES,
            PIECE_BYTES + 1,
            3 * PIECE_BYTES,
        ] {
            let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let file = sealed(&keys, &plain);
            assert_eq!(opened(&keys, &file).unwrap(), plain, "{length}");
            let head = plain.get(..24.min(length)).unwrap_or_default();
            let shows = length >= 24 && file.windows(24).any(|part| part == head);
            assert!(!shows);
            assert_ne!(
                file,
                sealed(&keys, &plain),
                "each has random bytes of its own"
            );
        }
    }

    #[test]
    fn what_was_changed_cut_put_together_or_is_of_others_does_not_open() {
        let keys = Keys::generate(&Entropy::system());
        let plain = vec![7; 2 * PIECE_BYTES + 5];
        let file = sealed(&keys, &plain);
        let head = LABEL.len() + SALT_BYTES;
        let piece = PIECE_BYTES + TAG_BYTES;
        for at in [0, 25, head, head + piece, file.len() - 1] {
            let mut other = file.clone();
            other[at] ^= 1;
            assert!(opened(&keys, &other).is_err(), "byte {at}");
        }
        for length in [
            0,
            10,
            head,
            head + 1,
            head + piece,
            head + 2 * piece,
            file.len() - 1,
        ] {
            assert!(opened(&keys, &file[..length]).is_err(), "{length} bytes");
        }
        let swapped = [
            &file[..head],
            &file[head + piece..head + 2 * piece],
            &file[head..head + piece],
            &file[head + 2 * piece..],
        ];
        assert!(opened(&keys, &swapped.concat()).is_err());
        let others = Keys::generate(&Entropy::system());
        assert!(opened(&others, &file).is_err());
    }
}
