//! The auditors' log: every entry as one line of JSON, in one file a day, only ever appended to.
//!
//! It is a follower of the journal, and loses and doubles nothing: `log/position` says which entry
//! is durable in which file up to which byte, and is written behind the data. A start cuts what
//! lies behind that and writes it again; without a position that fits, it looks for the last whole
//! line backwards from the end of the newest file. After a write that failed the file is cut back
//! to its last good length before anything else is written. A file that somebody removes, cuts or
//! puts another in the place of is noticed within a second, and the log goes on as after a start.
//!
//! A log that has entries which the journal has not (an older backup was restored) is set aside
//! whole, in a folder beside the new files, and the log is written again from the first entry: what
//! was recorded is never destroyed, and no file holds entries of two journals.

mod files;
mod resume;
#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::follow::{FollowFault, Follower, Following, Piece};
use super::shared::Shared;
use crate::audit::line_of;
use crate::domain::entry::{Entry, Hash};
use crate::domain::ids::Seq;
use crate::domain::time::{Day, Stamp};
use crate::journal::store::Store;
use files::{Disk, LogFile, name_of, replace};

/// The follower's name in the metrics.
pub const NAME: &str = "daylog";
/// Lines are written to the file in pieces of this size.
const WRITE_BYTES: usize = 256 << 10;
/// So much is made durable at a time. One sync of all that a busy second writes would fill the
/// disk's queue, and commits would wait behind it for a tenth of a second.
const SYNC_BYTES: usize = 1 << 20;
const POSITION: &str = "position";

/// Starts to write the journal into files in `folder`.
pub fn start(
    store: Arc<Store>,
    shared: &Arc<Shared>,
    folder: PathBuf,
) -> Result<Following, FollowFault> {
    let begin = move |store: &Store| DayLog::resume(store, &folder, Disk::real());
    Following::start(NAME, store, shared, begin)
}

/// How far the log is: the last entry in it, its hash, and where its line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Mark {
    seq: Seq,
    hash: Hash,
    /// The file's day; none before the first line.
    day: Option<Day>,
    bytes: u64,
}

struct DayLog {
    folder: PathBuf,
    disk: Disk,
    /// The last entry whose line was written whole.
    taken: Mark,
    /// The last that `position` knows.
    settled: Mark,
    /// The file of `taken`, exactly so long; none until it is opened, and after a fault.
    file: Option<Box<dyn LogFile>>,
    /// Which file it is: its number in the file system.
    inode: u64,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    /// Bytes that were written since the last sync.
    unsynced: usize,
}

impl Follower for DayLog {
    fn next(&self) -> Seq {
        Seq(self.taken.seq.0 + 1)
    }

    fn take(&mut self, piece: &Piece) -> Result<(), FollowFault> {
        self.lines.clear();
        let mut last = self.taken;
        for (seq, bytes) in piece.entries() {
            let entry = Entry::decode(bytes).map_err(|fault| FollowFault::Entry {
                seq,
                what: fault.to_string(),
            })?;
            if entry.seq != seq || entry.previous != last.hash {
                let what = "it does not follow the entry before it".to_owned();
                return Err(FollowFault::Entry { seq, what });
            }
            let day = day_of(entry.stamp);
            if last.day != Some(day) {
                self.write(&last)?;
                self.begin(day)?;
                last = self.taken;
            }
            let hash = line_of(&entry, bytes, true, &mut self.lines);
            (last.seq, last.hash) = (seq, hash);
            if self.lines.len() >= WRITE_BYTES {
                self.write(&last)?;
                last = self.taken;
            }
        }
        self.write(&last)
    }

    fn settle(&mut self) -> Result<Seq, FollowFault> {
        if self.settled == self.taken {
            return Ok(self.settled.seq);
        }
        self.sync()?;
        let Mark {
            seq,
            hash,
            day,
            bytes,
        } = self.taken;
        let position = serde_json::json!({
            "seq": seq, "hash": hash.to_string(), "file": day.map(name_of), "bytes": bytes,
        });
        let written = replace(&self.folder, POSITION, position.to_string().as_bytes());
        written.map_err(|error| self.fault("can't write the position", error))?;
        self.settled = self.taken;
        Ok(seq)
    }

    fn look(&mut self, store: &Store) -> Result<(), FollowFault> {
        let path = self.path();
        let there = match std::fs::metadata(&path) {
            Ok(there) => Some(there),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(fault("can't look at the day's file", &path, error)),
        };
        let is_as_written = match (&self.file, there) {
            (Some(_), Some(there)) => (there.ino(), there.len()) == (self.inode, self.taken.bytes),
            // Longer is well: what lies behind is cut when it is opened.
            (None, Some(there)) => there.len() >= self.taken.bytes,
            (_, None) => self.taken.bytes == 0,
        };
        if is_as_written {
            return Ok(());
        }
        tracing::warn!(
            file = %path.display(),
            "somebody removed or changed the daily log's file: going on as after a start"
        );
        // What a file that was moved away holds is not written a second time.
        let made = std::fs::create_dir_all(&self.folder);
        made.map_err(|error| self.fault("can't use the folder of the daily log", error))?;
        self.settle()?;
        *self = Self::resume(store, &self.folder, self.disk.clone())?;
        Ok(())
    }
}

impl DayLog {
    /// Writes the lines that wait; `last` is the entry of the last of them.
    fn write(&mut self, last: &Mark) -> Result<(), FollowFault> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let written = self.open().and_then(|file| file.append(&lines));
        self.lines = lines;
        if let Err(error) = written {
            self.lines.clear();
            // No part of a line stays while the disk is full; opening it again cuts it as well.
            if let Some(mut file) = self.file.take() {
                let _ = file.cut(self.taken.bytes);
            }
            return Err(self.fault("can't write the day's file", error));
        }
        self.taken = Mark {
            bytes: self.taken.bytes + self.lines.len() as u64,
            ..*last
        };
        self.unsynced += self.lines.len();
        self.lines.clear();
        if self.unsynced >= SYNC_BYTES {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes what was written durable.
    fn sync(&mut self) -> Result<(), FollowFault> {
        if let Some(file) = &mut self.file
            && let Err(error) = file.sync()
        {
            // What the file holds is not known any more: back to what was durable before.
            self.file = None;
            self.taken = self.settled;
            return Err(self.fault("can't make the day's file durable", error));
        }
        self.unsynced = 0;
        Ok(())
    }

    /// Goes on to the file of another day, once the one before is durable.
    fn begin(&mut self, day: Day) -> Result<(), FollowFault> {
        self.settle()?;
        self.file = None;
        (self.taken.day, self.taken.bytes) = (Some(day), 0);
        Ok(())
    }

    /// The file of `taken`, exactly so long.
    fn open(&mut self) -> std::io::Result<&mut Box<dyn LogFile>> {
        let path = self.path();
        match &mut self.file {
            Some(file) => Ok(file),
            closed => {
                let mut file = self.disk.open(&path)?;
                // A torn line, or lines that will be written again.
                file.cut(self.taken.bytes)?;
                self.inode = std::fs::metadata(&path)?.ino();
                Ok(closed.insert(file))
            }
        }
    }

    fn path(&self) -> PathBuf {
        let day = self.taken.day.unwrap_or_default();
        self.folder.join(name_of(day))
    }

    fn fault(&self, what: &str, error: std::io::Error) -> FollowFault {
        fault(what, &self.folder, error)
    }
}

fn fault(what: &str, path: &Path, error: std::io::Error) -> FollowFault {
    FollowFault::File {
        what: format!("{what} ({})", path.display()),
        error,
    }
}

/// Days of the log are days of UTC: they need no campaign and never change length.
fn day_of(stamp: Stamp) -> Day {
    Day((stamp.unix_s() / 86_400) as i32)
}
