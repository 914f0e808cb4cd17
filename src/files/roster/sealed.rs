//! The sealed contacts of a roster file, between the file and the vault.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Sealed contacts on their way from a file into the vault, in the order of the file. They are put
/// beside the memory, since those of a country have some two gigabytes.
pub struct SealedContacts {
    rows: SealedRows,
    length: u64,
    /// For each of the roster's `people`, one more than where its row begins; 0 for none.
    pub(super) places: Vec<u64>,
}

/// Where sealed rows lie: each behind its length in two bytes.
enum SealedRows {
    /// For small rosters.
    Memory(Vec<u8>),
    /// A file without a name: it is gone when it is closed, however the process ends.
    File(File),
    /// They are not wanted: nothing will be stored.
    Nowhere,
}

impl SealedContacts {
    fn in_rows(rows: SealedRows) -> Self {
        Self {
            rows,
            length: 0,
            places: Vec::new(),
        }
    }

    pub fn in_memory() -> Self {
        Self::in_rows(SealedRows::Memory(Vec::new()))
    }

    /// Nothing is sealed: the file is only looked at.
    pub fn not_wanted() -> Self {
        Self::in_rows(SealedRows::Nowhere)
    }

    /// Rows lie in a file of this folder that nobody else sees.
    pub fn in_folder(folder: &Path) -> io::Result<Self> {
        let path = folder.join("roster-import.part");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let file = options.mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self::in_rows(SealedRows::File(file)))
    }

    /// Appends rows and tells where the first of them begins.
    pub(super) fn append(&mut self, rows: &[u8]) -> io::Result<u64> {
        let from = self.length;
        match &mut self.rows {
            SealedRows::Memory(bytes) => bytes.extend_from_slice(rows),
            SealedRows::File(file) => file.write_all(rows)?,
            SealedRows::Nowhere => return Ok(0),
        }
        self.length += rows.len() as u64;
        Ok(from)
    }

    pub(super) fn are_wanted(&self) -> bool {
        !matches!(self.rows, SealedRows::Nowhere)
    }

    /// Reads the sealed contact of the person at an index of the roster's `people` into `row`;
    /// false if it was not sealed, because the roster in force had the same.
    pub fn read(&self, at: usize, row: &mut Vec<u8>) -> io::Result<bool> {
        let Some(from) = self.places.get(at).and_then(|place| place.checked_sub(1)) else {
            return Ok(false);
        };
        let mut length = [0; 2];
        self.read_at(from, &mut length)?;
        row.resize(usize::from(u16::from_le_bytes(length)), 0);
        self.read_at(from + 2, row)?;
        Ok(true)
    }

    fn read_at(&self, from: u64, into: &mut [u8]) -> io::Result<()> {
        match &self.rows {
            SealedRows::Memory(bytes) => {
                let from = from as usize;
                let part = bytes.get(from..from + into.len());
                into.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            SealedRows::File(file) => file.read_exact_at(into, from),
            SealedRows::Nowhere => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// How many rows were sealed.
    pub fn len(&self) -> usize {
        self.places.iter().filter(|place| **place > 0).count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of all sealed rows.
    pub fn bytes(&self) -> u64 {
        self.length
    }
}
