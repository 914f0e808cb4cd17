//! The files of the daily log: their names, how they are written, and how the last whole line of
//! one is found from its end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::entry::Hash;
use crate::domain::ids::Seq;
use crate::domain::time::Day;

/// Bytes read at a time on the way back from a file's end.
const LOOK_BACK_BYTES: u64 = 64 << 10;

/// A file that is appended to. After a failed append it may hold a part of what was to be written.
pub(super) trait LogFile: Send {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts it to that length; it must not be shorter.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;
    fn sync(&mut self) -> io::Result<()>;
}

impl LogFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let length = self.metadata()?.len();
        if length < bytes {
            let what = format!("it has {length} bytes, {bytes} were written");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        if length > bytes {
            self.set_len(bytes)?;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

type Open = dyn Fn(File) -> Box<dyn LogFile> + Send + Sync;

/// Opens the files; tests have a disk that becomes full.
#[derive(Clone)]
pub(super) struct Disk(Arc<Open>);

impl Disk {
    pub(super) fn real() -> Self {
        Self::with(|file| Box::new(file))
    }

    pub(super) fn with(open: impl Fn(File) -> Box<dyn LogFile> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    pub(super) fn open(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok((self.0)(file))
    }
}

const BEGINS: &str = "entries-";
const ENDS: &str = ".jsonl";

/// The name of a day's file.
pub(super) fn name_of(day: Day) -> String {
    format!("{BEGINS}{day}{ENDS}")
}

/// The day of a file's name.
pub(super) fn day_of_name(name: &str) -> Option<Day> {
    let date = name.strip_prefix(BEGINS)?.strip_suffix(ENDS)?;
    date.parse::<Date>().ok().map(Day::of)
}

/// The days that have a file, the oldest first.
pub(super) fn days_in(folder: &Path) -> io::Result<Vec<Day>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(folder)? {
        days.extend(entry?.file_name().to_str().and_then(day_of_name));
    }
    days.sort();
    Ok(days)
}

/// Writes a small file in one step: after a crash it is the old one or the new one.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let mut file = File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(part, folder.join(name))
}

/// Moves all days' files and the position into a folder of their own.
pub(super) fn set_aside(folder: &Path, position: &str) -> io::Result<PathBuf> {
    let aside = (1..)
        .map(|number: u32| folder.join(format!("set-aside-{number}")))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| folder.join("set-aside"));
    fs::create_dir(&aside)?;
    // The position goes first: without it a start looks at the files, and finds the same again.
    match fs::rename(folder.join(position), aside.join(position)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The oldest first: the newest says that this is to be done, until it is gone as the last.
    for day in days_in(folder)? {
        let name = name_of(day);
        fs::rename(folder.join(&name), aside.join(&name))?;
    }
    Ok(aside)
}

/// The last whole line of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LastLine {
    pub(super) seq: Seq,
    pub(super) hash: Hash,
    /// Where it ends, with its line feed.
    pub(super) end: u64,
}

/// A line, as far as finding the end needs it.
#[derive(serde::Deserialize)]
struct LoggedLine {
    seq: u64,
    hash: String,
}

/// Finds the last line that ends before `end`, is whole and can be read. Reads backwards: a day's
/// file may have gigabytes, a line 350 kB.
pub(super) fn last_line(file: &File, end: u64) -> io::Result<Option<LastLine>> {
    let Some(mut line_end) = line_feed_before(file, end)?.map(|at| at + 1) else {
        return Ok(None);
    };
    loop {
        let before = line_feed_before(file, line_end - 1)?;
        let start = before.map_or(0, |at| at + 1);
        let mut line = vec![0; (line_end - start) as usize];
        file.read_exact_at(&mut line, start)?;
        let read = serde_json::from_slice::<LoggedLine>(&line).ok();
        let known = read.and_then(|line| Some((Seq(line.seq), Hash::parse(&line.hash)?)));
        if let Some((seq, hash)) = known {
            let end = line_end;
            return Ok(Some(LastLine { seq, hash, end }));
        }
        if before.is_none() {
            return Ok(None);
        }
        line_end = start;
    }
}

/// Where the last line feed before `end` is.
fn line_feed_before(file: &File, mut end: u64) -> io::Result<Option<u64>> {
    let mut bytes = vec![0; LOOK_BACK_BYTES as usize];
    while end > 0 {
        let start = end.saturating_sub(LOOK_BACK_BYTES);
        let part = &mut bytes[..(end - start) as usize];
        file.read_exact_at(part, start)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(Some(start + at as u64));
        }
        end = start;
    }
    Ok(None)
}
