//! Following a journal into a folder of copies: what is new every few seconds, and a full copy now
//! and then beside it.
//!
//! Where it goes on is told by the folder alone, so it can be a mount that comes and goes, and a
//! process that was killed loses nothing. A note in the data folder says which folders had copies:
//! one that is empty all at once is not mounted, and is not begun anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::BackupFault;
use super::chain::{Chain, day_folder, entries_name, full_name, is_day, part_name};
use super::file::{About, Making};
use super::notes::Notes;
use super::source::Source;
use crate::clock::wall;
use crate::crypto::seal::Recipients;
use crate::domain::entry::Hash;
use crate::domain::time::Stamp;
use crate::journal::block::entries;
use crate::journal::copy::{CopyFault, CopyPoint, End, Frame};
use crate::ops::folder::Folder;

/// How copies are made and kept.
pub struct Settings {
    pub every: Duration,
    /// How old the newest full copy may become.
    pub full_every: Duration,
    /// For how long a restore to any time is wanted.
    pub keep: Duration,
    /// Bytes a second that a full copy takes at the most; none for as fast as it goes.
    pub full_rate_bytes: Option<u64>,
}

/// Something that happened, for a log.
#[derive(Debug)]
pub enum Told {
    Full(About),
    Entries(About),
    Pruned(usize),
    /// Copies of another journal were put into a folder of their own.
    SetAside(PathBuf),
    /// No server runs on the data folder.
    NoServer,
    /// It goes on after a fault, or after there was no server.
    GoesOn,
    Fault(BackupFault),
}

/// Copies of one data folder into one folder.
pub struct Follow<'a> {
    pub folder: &'a Folder,
    pub into: &'a Path,
    pub recipients: &'a Recipients,
    pub settings: Settings,
}

impl Follow<'_> {
    /// Follows until `stop` says so, or is gone.
    pub fn run(&self, stop: &Receiver<()>, tell: impl Fn(Told) + Sync) {
        let (mut position, mut trouble) = (None, None::<String>);
        let mut was_served = true;
        let making_full = Mutex::new(());
        std::thread::scope(|scope| {
            loop {
                let passed = self.pass(&mut position);
                match passed {
                    Ok(news) => {
                        let is_served = !news.iter().any(|told| matches!(told, Told::NoServer));
                        // Said once when it begins, and once when it ends.
                        if trouble.take().is_some() || is_served && !was_served {
                            tell(Told::GoesOn);
                        }
                        let is_new = |told: &Told| was_served || !matches!(told, Told::NoServer);
                        news.into_iter().filter(is_new).for_each(&tell);
                        was_served = is_served;
                    }
                    Err(fault) => {
                        position = None;
                        let text = fault.to_string();
                        if trouble.as_ref() != Some(&text) {
                            trouble = Some(text);
                            tell(Told::Fault(fault));
                        }
                    }
                }
                if position.is_some() && self.is_full_due() {
                    let (tell, making_full) = (&tell, &making_full);
                    scope.spawn(move || {
                        // One at a time, and none waits for another.
                        let Ok(_one) = making_full.try_lock() else {
                            return;
                        };
                        match self.full().and_then(|full| Ok((full, self.prune()?))) {
                            Ok((full, pruned)) => {
                                full.into_iter().for_each(|full| tell(Told::Full(full)));
                                if pruned > 0 {
                                    tell(Told::Pruned(pruned));
                                }
                            }
                            Err(fault) => tell(Told::Fault(fault)),
                        }
                    });
                }
                match stop.recv_timeout(self.settings.every) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => break,
                }
            }
        });
    }

    /// Copies what is new, once. `position` is where it goes on, if that is known.
    pub fn pass(&self, position: &mut Option<CopyPoint>) -> Result<Vec<Told>, BackupFault> {
        let mut told = Vec::new();
        let known = match position.filter(|_| self.has_copies()) {
            Some(known) => known,
            None => match self.begin(&mut told)? {
                Some(known) => known,
                None => return Ok(vec![Told::NoServer]),
            },
        };
        let copied = self.copy(known, "entries", |end| {
            entries_name(end.from.seq.0 + 1, end.to.seq.0)
        });
        match copied {
            Ok(None) => {
                *position = Some(known);
                told.push(Told::NoServer);
            }
            Ok(Some((end, about))) => {
                *position = Some(end.to);
                Notes::of(self.folder).copied(self.into, &end, about.as_ref())?;
                told.extend(about.map(Told::Entries));
            }
            Err(BackupFault::Copy(CopyFault::OtherJournal(_))) => {
                let chain = Chain::look(self.into)?;
                // Another data folder's copies are not this one's to move.
                if let (Some(there), Some(own)) = (chain.newest_full(), self.journal()?)
                    && there.journal != own
                {
                    return Err(BackupFault::Refused(format!(
                        "{} has the copies of another data folder: these need one of their own",
                        self.into.display()
                    )));
                }
                let aside = chain.set_aside(wall())?;
                Notes::of(self.folder).forget(self.into)?;
                *position = None;
                told.push(Told::SetAside(aside));
            }
            Err(fault) => return Err(fault),
        }
        Ok(told)
    }

    /// Whether the folder still has copies: a mount can go at any time.
    fn has_copies(&self) -> bool {
        let days = fs::read_dir(self.into).into_iter().flatten().flatten();
        days.into_iter().any(|day| is_day(&day.path()))
    }

    /// Where the copies in the folder end; a full copy begins an empty one. None without a server.
    fn begin(&self, told: &mut Vec<Told>) -> Result<Option<CopyPoint>, BackupFault> {
        let chain = Chain::look(self.into)?;
        if let Some(position) = chain.position() {
            self.remove_parts();
            return Ok(Some(position));
        }
        if let Some(last) = Notes::of(self.folder).last_of(self.into)? {
            return Err(self.is_away(Some(last)));
        }
        let full = self.full()?;
        let position = full.as_ref().and_then(About::to);
        told.extend(full.map(Told::Full));
        Ok(position)
    }

    fn is_away(&self, last: Option<u64>) -> BackupFault {
        BackupFault::Refused(format!(
            "{} is empty, though copies up to entry {} were put there: is it mounted? If they are \
             gone for good, say so with --begin-anew",
            self.into.display(),
            last.unwrap_or(0)
        ))
    }

    /// Whether a full copy should be made beside the entries.
    pub fn is_full_due(&self) -> bool {
        let Ok(chain) = Chain::look(self.into) else {
            return false;
        };
        let Some(full) = chain.newest_full() else {
            // An empty folder is perhaps not mounted: `begin` decides.
            return !chain.is_empty();
        };
        let made_at = Stamp::parse(&full.made_at);
        let age_s = made_at.map_or(i64::MAX, |at| wall().0.saturating_sub(at.0) / 1_000_000_000);
        age_s > self.settings.full_every.as_secs() as i64
    }

    /// Makes a full copy. None without a server.
    pub fn full(&self) -> Result<Option<About>, BackupFault> {
        let copied = self.copy(CopyPoint::NOTHING, "full", |end| full_name(end.to.seq))?;
        let Some((end, about)) = copied else {
            return Ok(None);
        };
        Notes::of(self.folder).copied(self.into, &end, about.as_ref())?;
        Ok(about)
    }

    /// The hash of the journal's first entry. None without a server.
    fn journal(&self) -> Result<Option<String>, BackupFault> {
        // A look from the last entry on is short; from nothing on the end comes last. The first
        // frame has the first entries.
        let mut first = None;
        let told = Source::of(self.folder).stream(CopyPoint::NOTHING, false, |frame| {
            if let Frame::Entries { bytes, .. } = &frame {
                let bytes = entries(bytes).next().and_then(Result::ok);
                first = bytes.map(|bytes| Hash::of(bytes).to_string());
            }
            // Nothing more is wanted.
            Err(BackupFault::Refused(String::new()))
        });
        match told {
            Err(fault) if first.is_none() => Err(fault),
            _ => Ok(first),
        }
    }

    /// Removes what the rule of keeping does not want any more.
    fn prune(&self) -> Result<usize, BackupFault> {
        let keep_s = self.settings.keep.as_secs() as i64;
        Chain::read(self.into)?.prune(wall().plus_s(-keep_s))
    }

    /// Copies what is behind a point into a file, if there is anything.
    fn copy(
        &self,
        from: CopyPoint,
        kind: &str,
        name: impl Fn(&End) -> String,
    ) -> Result<Option<(End, Option<About>)>, BackupFault> {
        if !self.into.is_dir() {
            return Err(BackupFault::Refused(format!(
                "{} is not there: make the folder, or mount it",
                self.into.display()
            )));
        }
        let now = wall();
        let part = self.into.join(part_name(kind));
        let mut making = None;
        let mut source = Source::of(self.folder);
        if from == CopyPoint::NOTHING {
            source.rate_bytes = self.settings.full_rate_bytes;
        }
        let end = source.stream(from, false, |frame| {
            let making = match &mut making {
                Some(making) => making,
                // Most looks find nothing new: then no file is made.
                None if matches!(&frame, Frame::End(end) if !end.has_news()) => {
                    return Ok(());
                }
                None => making.insert(Making::begin(&part, self.recipients)?),
            };
            making.write(&frame).map_err(BackupFault::at(&part))
        })?;
        let Some(end) = end else {
            return Ok(None);
        };
        let Some(making) = making.filter(|_| end.has_news()) else {
            return Ok(Some((end, None)));
        };
        // A mount that went while this was written.
        let had = Notes::of(self.folder).last_of(self.into)?;
        if had.is_some() && !self.has_copies() {
            return Err(self.is_away(had));
        }
        let day = day_folder(self.into, now)?;
        let about = making.keep(&end, now, &day.join(name(&end)))?;
        Ok(Some((end, Some(about))))
    }

    /// Removes what processes that were killed left unfinished.
    fn remove_parts(&self) {
        let Ok(entries) = fs::read_dir(self.into) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_part = path.extension().is_some_and(|end| end == super::file::PART);
            let written = path.metadata().and_then(|seen| seen.modified());
            let is_old = written.is_ok_and(|at| at.elapsed().is_ok_and(|old| old > PART_AGE_MAX));
            if is_part && is_old {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// An unfinished copy that was not written to for so long belongs to nobody.
const PART_AGE_MAX: Duration = Duration::from_secs(3600);
