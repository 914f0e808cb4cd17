//! Where the daily log goes on after a start: at its position, else behind its last whole line.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::files::{self, Disk, LastLine, day_of_name, days_in, last_line, name_of};
use super::{DayLog, Mark, POSITION, fault};
use crate::domain::entry::Hash;
use crate::domain::ids::Seq;
use crate::engine::follow::FollowFault;
use crate::journal::store::Store;

/// What `position` holds.
#[derive(Deserialize)]
struct Position {
    seq: u64,
    hash: String,
    file: Option<String>,
    bytes: u64,
}

impl DayLog {
    /// A log that goes on where the files say, if they are of this journal.
    pub(super) fn resume(store: &Store, folder: &Path, disk: Disk) -> Result<Self, FollowFault> {
        let failed = |error| fault("can't use the folder of the daily log", folder, error);
        fs::create_dir_all(folder).map_err(failed)?;
        let (newest, position) = (
            newest_line(folder).map_err(failed)?,
            position(folder).map_err(failed)?,
        );
        let mut taken = match (position, newest) {
            (Some(position), _) => position,
            (None, newest) => newest,
        };
        let read = store.read()?;
        for known in [position.unwrap_or_default(), newest] {
            if read.hash_at(known.seq)? != Some(known.hash) {
                let aside = files::set_aside(folder, POSITION).map_err(failed)?;
                tracing::error!(
                    seq = known.seq.0,
                    set_aside = %aside.display(),
                    "the daily log has an entry that the journal has not: was an older backup \
                     restored? the old files were set aside, and the log is written anew"
                );
                taken = Mark::default();
                break;
            }
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            disk,
            taken,
            settled: taken,
            file: None,
            inode: 0,
            lines: Vec::new(),
            unsynced: 0,
        })
    }
}

/// The last whole line of all files; the default if there is none.
fn newest_line(folder: &Path) -> io::Result<Mark> {
    for day in days_in(folder)?.into_iter().rev() {
        let path = folder.join(name_of(day));
        let file = File::open(&path).map_err(|error| named(&path, error))?;
        if let Some(LastLine { seq, hash, end }) = last_line(&file, file.metadata()?.len())? {
            return Ok(Mark {
                seq,
                hash,
                day: Some(day),
                bytes: end,
            });
        }
    }
    Ok(Mark::default())
}

/// The position, if there is one that fits its file.
fn position(folder: &Path) -> io::Result<Option<Mark>> {
    let path = folder.join(POSITION);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(named(&path, error)),
    };
    let read = serde_json::from_slice::<Position>(&text).ok();
    let mark = read.and_then(|position| {
        Some(Mark {
            seq: Seq(position.seq),
            hash: Hash::parse(&position.hash)?,
            day: Some(day_of_name(&position.file?)?),
            bytes: position.bytes,
        })
    });
    let fits = match mark {
        Some(mark) => fits(folder, mark)?,
        None => None,
    };
    if fits.is_none() {
        tracing::warn!("the daily log's position does not fit its files: looking at their ends");
    }
    Ok(fits)
}

/// The mark, if its file has that line there. A file that is not there any more was put away by
/// somebody: what was in it is in their hands, and the log goes on behind it.
fn fits(folder: &Path, mark: Mark) -> io::Result<Option<Mark>> {
    let path = folder.join(name_of(mark.day.unwrap_or_default()));
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tracing::warn!(
                file = %path.display(),
                "the daily log's newest file is not there: going on behind its last entry"
            );
            return Ok(Some(Mark { bytes: 0, ..mark }));
        }
        Err(error) => return Err(named(&path, error)),
    };
    if file.metadata()?.len() < mark.bytes {
        return Ok(None);
    }
    let there = last_line(&file, mark.bytes)?;
    let expected = LastLine {
        seq: mark.seq,
        hash: mark.hash,
        end: mark.bytes,
    };
    Ok((there == Some(expected)).then_some(mark))
}

/// An error that says which file it is about, and what to do if it is another user's.
fn named(path: &Path, error: io::Error) -> io::Error {
    let kind = error.kind();
    let owner = match kind {
        io::ErrorKind::PermissionDenied => ": make it readable and writable for this user",
        _ => "",
    };
    io::Error::new(kind, format!("{}: {error}{owner}", path.display()))
}
