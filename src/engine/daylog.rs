//! The auditors' log: every entry as one line of JSON, in one file a day, only ever appended to.
//!
//! It follows the journal and is never in its way: a thread reads what was committed since it last
//! looked. After a restart it goes on behind the last whole line, so nothing is missing or doubled.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::audit::line_of;
use crate::domain::entry::Entry;
use crate::domain::ids::Seq;
use crate::domain::time::{Day, Stamp};
use crate::journal::block::entries;
use crate::journal::store::{Store, StoreFault};

/// How often the thread looks for new entries.
const LOOK: Duration = Duration::from_secs(1);
/// The thread's priority: lower than that of the others.
const NICE: i32 = 10;
/// Entries read at a time, so that no view of the data file is held open for long.
const ENTRIES_MAX: usize = 20_000;

/// The log's thread; it writes what is left when told to stop.
pub struct DayLog {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl DayLog {
    /// Starts to follow the journal into files in `folder`.
    pub fn follow(store: Arc<Store>, folder: PathBuf) -> io::Result<Self> {
        let mut log = Log::resume(folder)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("daylog".to_owned())
            .spawn(move || {
                // It may be late; answers may not.
                let _ = rustix::process::nice(NICE);
                loop {
                    let last_look = stopping.load(Ordering::Acquire);
                    match log.catch_up(&store) {
                        Ok(true) => continue,
                        Ok(false) => {}
                        Err(error) => {
                            tracing::error!(%error, "the daily log is behind the journal")
                        }
                    }
                    if last_look {
                        return;
                    }
                    std::thread::park_timeout(LOOK);
                }
            })?;
        Ok(Self { stop, thread })
    }

    /// Writes what is committed and ends.
    pub fn finish(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        let _ = self.thread.join();
    }
}

struct Log {
    folder: PathBuf,
    next: Seq,
    file: Option<(Day, File)>,
}

#[derive(Debug, thiserror::Error)]
enum LogFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error(transparent)]
    File(#[from] io::Error),
    #[error("entry {0} can't be read")]
    Entry(Seq),
}

impl Log {
    /// Finds the last whole line of the newest file and cuts a torn one behind it.
    fn resume(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut days: Vec<PathBuf> = fs::read_dir(&folder)?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
            .collect();
        days.sort();
        let mut next = Seq(1);
        for path in days.into_iter().rev() {
            if let Some(last) = last_seq(&path)? {
                next = Seq(last + 1);
                break;
            }
        }
        Ok(Self {
            folder,
            next,
            file: None,
        })
    }

    /// Appends what was committed; true if there may be more already.
    fn catch_up(&mut self, store: &Store) -> Result<bool, LogFault> {
        let mut fresh: Vec<Vec<u8>> = Vec::new();
        let next = self.next;
        store.read()?.blocks(next, |first, block| {
            let known = next.0.saturating_sub(first.0) as usize;
            fresh.extend(entries(block).skip(known).flatten().map(<[u8]>::to_vec));
            fresh.len() < ENTRIES_MAX
        })?;
        let mut lines = Vec::new();
        for bytes in &fresh {
            let entry = Entry::decode(bytes).map_err(|_| LogFault::Entry(self.next))?;
            let day = day_of(entry.stamp);
            if self.file.as_ref().is_none_or(|(open, _)| *open != day) {
                self.write(&mut lines)?;
                let path = self.folder.join(format!("entries-{day}.jsonl"));
                self.file = Some((
                    day,
                    OpenOptions::new().create(true).append(true).open(path)?,
                ));
            }
            line_of(&entry, bytes, false, &mut lines);
            self.next = Seq(entry.seq.0 + 1);
        }
        self.write(&mut lines)?;
        Ok(fresh.len() >= ENTRIES_MAX)
    }

    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        if let Some((_, file)) = &mut self.file {
            file.write_all(lines)?;
        }
        lines.clear();
        Ok(())
    }
}

/// Days of the log are days of UTC: they need no campaign and never change length.
fn day_of(stamp: Stamp) -> Day {
    Day((stamp.unix_s() / 86_400) as i32)
}

/// The sequence of the last line, if the file ends with a whole one: a day's file may have
/// gigabytes, and a server starts only when it knows.
fn last_seq_of_tail(path: &Path) -> io::Result<Option<u64>> {
    /// Longer than any line but those of imports and campaign files.
    const TAIL_BYTES: u64 = 64 << 10;
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    let Some(lines) = tail.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let before = lines.iter().rposition(|&byte| byte == b'\n');
    let line = before.map(|end| &lines[end + 1..]);
    let line = line.and_then(|line| serde_json::from_slice(line).ok());
    Ok(line.map(|Line { seq }| seq))
}

/// A line, as far as resuming needs it.
#[derive(serde::Deserialize)]
struct Line {
    seq: u64,
}

/// The sequence of the last whole line; a torn line behind it is cut off.
fn last_seq(path: &Path) -> io::Result<Option<u64>> {
    if let Some(seq) = last_seq_of_tail(path)? {
        return Ok(Some(seq));
    }
    let mut reader = BufReader::new(File::open(path)?);
    let (mut whole_bytes, mut last) = (0_u64, None);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let Some(Line { seq }) = line
            .ends_with(b"\n")
            .then(|| serde_json::from_slice(&line).ok())
            .flatten()
        else {
            break;
        };
        whole_bytes += line.len() as u64;
        last = Some(seq);
        line.clear();
    }
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.seek(SeekFrom::End(0))? > whole_bytes {
        file.set_len(whole_bytes)?;
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_and_the_last_whole_one_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("entries-2021-07-19.jsonl");
        fs::write(&path, "{\"seq\":1,\"x\":2}\n{\"seq\":2}\n{\"seq\":3").unwrap();
        assert_eq!(last_seq(&path).unwrap(), Some(2));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "{\"seq\":1,\"x\":2}\n{\"seq\":2}\n"
        );
        assert_eq!(
            Log::resume(folder.path().to_path_buf()).unwrap().next,
            Seq(3)
        );
    }
}
