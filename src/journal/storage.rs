//! What data file and tail lie on: bytes that can be read, written and made durable.
//!
//! In a server these are two files. Tests put their own storage here, which fails, tears and
//! forgets. What is assumed of it: a `sync` that returned made everything before it durable.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes at offsets.
pub trait Storage: std::fmt::Debug + Send + Sync + 'static {
    fn length(&self) -> io::Result<u64>;

    /// Fills `into` from `at` on; an error if there are fewer bytes.
    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// Cuts the bytes, or adds zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was written is durable.
    fn sync(&self) -> io::Result<()>;
}

impl Storage for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(into, at)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, at)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A file that is never synced.
#[derive(Debug)]
pub struct Unsynced(pub File);

impl Storage for Unsynced {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.0.read(at, into)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        Storage::set_len(&self.0, length)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        Storage::write(&self.0, at, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
