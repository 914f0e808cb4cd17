//! A folder of copies that follow each other: which there are, which a restore needs, and which
//! nothing needs any more.
//!
//! A folder has one folder a day (UTC), and in it `full-LAST.sumun`, with everything up to entry
//! LAST, and `entries-FIRST-LAST.sumun`, with these entries. The entries go on from file to file by
//! themselves: a full copy is beside them, not between them. So when one full copy is damaged, an
//! older one and more files of entries give the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::BackupFault;
use super::file::{self, About, PART, sync_folder_of};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::journal::copy::{CopyPoint, Until};

const END: &str = "sumun";
const FULL: &str = "full";
const ENTRIES: &str = "entries";

/// A copy in the folder, by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Named {
    /// The first entry; 1 for a full copy.
    pub first: u64,
    pub last: u64,
    pub path: PathBuf,
}

/// The copies of a folder.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    folder: PathBuf,
    /// In order of their last entry.
    pub fulls: Vec<Named>,
    /// In order of their first entry.
    pub entries: Vec<Named>,
    /// Files whose head can't be read or says something else than their name, and why: nothing is
    /// restored from them, and nothing is removed while there are any.
    pub odd: Vec<Odd>,
}

/// A file that is not the copy that its name says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Odd {
    pub path: PathBuf,
    pub why: String,
    /// The last entry that a file of entries should have; none for a full copy, which others can
    /// stand in for.
    last: Option<u64>,
}

/// More entries than there will ever be: a name with a greater number is none of ours.
const ENTRY_MAX: u64 = 1 << 56;

impl Named {
    /// What the copy says of itself, if it fits its name.
    fn checked(&self, is_full: bool) -> Result<About, String> {
        let about = file::about(&self.path).map_err(|fault| match fault {
            BackupFault::Damaged { why, .. } | BackupFault::NotACopy { why, .. } => why,
            BackupFault::File { cause, .. } => cause.to_string(),
            other => other.to_string(),
        })?;
        let about = about.ok_or("it is not a copy")?;
        if about.is_full() == is_full && (about.first, about.last) == (self.first, self.last) {
            return Ok(about);
        }
        Err(format!(
            "its name is of other entries than it has, {} to {}",
            about.first, about.last
        ))
    }
}

/// Entries that no copy has, though one has later ones.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "entries {first} to {last} are in none of the copies: what had them is missing between \
     entry {} and {}; look for it on other media, or restore what is before with --to-seq {}",
    first - 1, .behind.display(), first - 1
)]
pub struct Gap {
    pub first: u64,
    pub last: u64,
    /// The copy that goes on behind the gap.
    pub behind: PathBuf,
}

/// What a restore reads, in this order: a full copy, then the entries behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    pub full: Named,
    pub entries: Vec<Named>,
}

impl Plan {
    pub fn files(&self) -> impl Iterator<Item = &Named> {
        std::iter::once(&self.full).chain(&self.entries)
    }
}

impl Chain {
    /// Looks at the names in a folder.
    pub fn look(folder: &Path) -> Result<Self, BackupFault> {
        let mut chain = Self {
            folder: folder.to_path_buf(),
            ..Self::default()
        };
        for day in read_names(folder)? {
            if is_day(&day) {
                for path in read_names(&day)? {
                    chain.add(path);
                }
            }
        }
        chain.fulls.sort_by_key(|full| full.last);
        chain.entries.sort();
        Ok(chain)
    }

    /// Looks at the names in a folder and at the head of each copy.
    ///
    /// # Errors
    /// Also when there are copies of more than one journal.
    pub fn read(folder: &Path) -> Result<Self, BackupFault> {
        let named = Self::look(folder)?;
        let mut chain = Self {
            folder: named.folder,
            ..Self::default()
        };
        let mut journals: BTreeMap<String, PathBuf> = BTreeMap::new();
        let fulls = named.fulls.into_iter().map(|named| (named, true));
        for (named, is_full) in fulls.chain(named.entries.into_iter().map(|named| (named, false))) {
            match named.checked(is_full) {
                Ok(about) => {
                    journals.entry(about.journal).or_insert(named.path.clone());
                    let into = if is_full {
                        &mut chain.fulls
                    } else {
                        &mut chain.entries
                    };
                    into.push(named);
                }
                Err(why) => chain.odd.push(Odd {
                    path: named.path,
                    why,
                    last: (!is_full).then_some(named.last),
                }),
            }
        }
        let mut journals = journals.into_values();
        if let (Some(one), Some(other)) = (journals.next(), journals.next()) {
            return Err(BackupFault::Refused(format!(
                "{} and {} are of two data folders: give the copies of each a folder of their own",
                one.display(),
                other.display()
            )));
        }
        Ok(chain)
    }

    fn add(&mut self, path: PathBuf) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return;
        };
        let Some(stem) = name.strip_suffix(&format!(".{END}")) else {
            return;
        };
        let mut fields = stem.split('-');
        let kind = fields.next();
        let mut number = || {
            let number = fields.next().and_then(|field| field.parse::<u64>().ok());
            number.filter(|number| (1..ENTRY_MAX).contains(number))
        };
        match (kind, number(), number()) {
            (Some(FULL), Some(last), None) => {
                let first = 1;
                self.fulls.push(Named { first, last, path });
            }
            (Some(ENTRIES), Some(first), Some(last)) => {
                self.entries.push(Named { first, last, path });
            }
            _ => {}
        }
    }

    pub fn is_empty(&self) -> bool {
        self.fulls.is_empty() && self.entries.is_empty()
    }

    /// Up to where the entries go, by the newest file whose head can be read.
    pub fn position(&self) -> Option<CopyPoint> {
        let mut files: Vec<&Named> = self.entries.iter().collect();
        if files.is_empty() {
            files = self.fulls.iter().collect();
        }
        files.sort_by_key(|named| named.last);
        let is_full = self.entries.is_empty();
        let mut newest = files.iter().rev();
        newest.find_map(|named| named.checked(is_full).ok()?.to())
    }

    /// The newest full copy whose head can be read.
    pub fn newest_full(&self) -> Option<About> {
        let mut newest = self.fulls.iter().rev();
        newest.find_map(|named| named.checked(true).ok())
    }

    /// What is to be read to come to an entry. `without` are full copies that can't be used.
    pub fn plan(&self, until: Until, without: &[PathBuf]) -> Result<Plan, BackupFault> {
        let full = self.full_for(until, without)?;
        let (mut at, mut entries) = (full.last, Vec::new());
        loop {
            if let Until::Seq(wanted) = until
                && at >= wanted.0
            {
                break;
            }
            let goes_on = self
                .entries
                .iter()
                .take_while(|named| named.first <= at + 1);
            let next = goes_on.filter(|named| named.last > at);
            let Some(next) = next.max_by_key(|named| named.last) else {
                break;
            };
            at = next.last;
            entries.push(next.clone());
            // Behind the file that ends after the time there is nothing that is wanted.
            if let Until::Time(wanted) = until
                && let Ok(Some(about)) = file::about(&next.path)
                && about.head.stamp_ns > wanted.0
            {
                break;
            }
        }
        self.check_end(at, until)?;
        Ok(Plan { full, entries })
    }

    /// The newest full copy that does not go beyond what is wanted.
    fn full_for(&self, until: Until, without: &[PathBuf]) -> Result<Named, BackupFault> {
        let mut oldest_of = None;
        for named in self.fulls.iter().rev() {
            if without.contains(&named.path) {
                continue;
            }
            let fits = match until {
                Until::End => true,
                Until::Seq(wanted) => named.last <= wanted.0,
                Until::Time(wanted) => match file::about(&named.path) {
                    Ok(Some(about)) => about.head.stamp_ns <= wanted.0,
                    _ => false,
                },
            };
            if fits {
                return Ok(named.clone());
            }
            oldest_of = Some(named);
        }
        match oldest_of {
            Some(named) => Err(BackupFault::Refused(format!(
                "the oldest full copy that can be used goes up to entry {}, which is behind what \
                 is wanted: older ones were removed, or are damaged",
                named.last
            ))),
            None => Err(BackupFault::NoFull(self.folder.clone())),
        }
    }

    /// Whether the plan comes to what is wanted.
    fn check_end(&self, at: u64, until: Until) -> Result<(), BackupFault> {
        let wants_more = match until {
            Until::Seq(wanted) => at < wanted.0,
            Until::End => true,
            Until::Time(_) => false,
        };
        if !wants_more {
            return Ok(());
        }
        let later = self.entries.iter().chain(&self.fulls);
        let behind = later.filter(|named| named.last > at);
        let behind = behind.min_by_key(|named| {
            if named.first > 1 {
                named.first
            } else {
                named.last
            }
        });
        if let Some(behind) = behind {
            let first = at + 1;
            let last = if behind.first > 1 {
                behind.first - 1
            } else {
                behind.last
            };
            let behind = behind.path.clone();
            return Err(Gap {
                first,
                last,
                behind,
            }
            .into());
        }
        // Entries that were copied, and can't be read, are not left out in silence.
        let lost = self
            .odd
            .iter()
            .find(|odd| odd.last.is_some_and(|last| last > at));
        if let Some(Odd { path, why, last }) = lost {
            return Err(BackupFault::Refused(format!(
                "{}: {why}; without it the entries {} to {} are missing: look for another copy of \
                 it, or restore what is before with --to-seq {at}",
                path.display(),
                at + 1,
                last.unwrap_or(at)
            )));
        }
        match until {
            Until::Seq(wanted) => Err(BackupFault::Refused(format!(
                "the copies end with entry {at}: entry {wanted} is in none of them"
            ))),
            _ => Ok(()),
        }
    }

    /// Removes the copies that no restore to a time from `horizon` on needs: those before the
    /// second newest full copy that was made before it. Tells how many were removed.
    pub fn prune(&self, horizon: Stamp) -> Result<usize, BackupFault> {
        if let Some(Odd { path, why, .. }) = self.odd.first() {
            return Err(BackupFault::Refused(format!(
                "{}: {why}; nothing is removed while it is there: look at it, and move it away",
                path.display()
            )));
        }
        let mut kept = 0;
        let mut oldest_needed = None;
        for named in self.fulls.iter().rev() {
            let Ok(Some(about)) = file::about(&named.path) else {
                continue;
            };
            if about.head.stamp_ns <= horizon.0 {
                kept += 1;
                // One would do; the other is for when that one is damaged.
                if kept == 2 {
                    oldest_needed = Some(named.last);
                    break;
                }
            }
        }
        let Some(oldest) = oldest_needed else {
            return Ok(0);
        };
        let fulls = self.fulls.iter().filter(|named| named.last < oldest);
        let entries = self.entries.iter().filter(|named| named.last <= oldest);
        let mut removed = 0;
        for named in fulls.chain(entries) {
            fs::remove_file(&named.path).map_err(BackupFault::at(&named.path))?;
            removed += 1;
            if let Some(day) = named.path.parent() {
                // Only an empty folder goes.
                let _ = fs::remove_dir(day);
            }
        }
        Ok(removed)
    }

    /// Puts everything that is there into a folder of its own: another journal's copies begin.
    pub fn set_aside(&self, now: Stamp) -> Result<PathBuf, BackupFault> {
        // Two servers of one journal would put each other's copies aside for ever.
        for path in read_names(&self.folder)? {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let made = path.metadata().and_then(|seen| seen.modified());
            let is_new = made.is_ok_and(|at| at.elapsed().is_ok_and(|old| old < ASIDE_EVERY));
            if name.starts_with(ASIDE) && is_new {
                return Err(BackupFault::Refused(format!(
                    "{} was put aside less than an hour ago, and the copies are of another journal \
                     again: do two servers copy into this folder?",
                    path.display()
                )));
            }
        }
        let name = format!("{ASIDE}{}", now.instant().strftime("%Y-%m-%dT%H-%M-%SZ"));
        let aside = self.folder.join(name);
        fs::create_dir(&aside).map_err(BackupFault::at(&aside))?;
        for day in read_names(&self.folder)?.iter().filter(|path| is_day(path)) {
            if let Some(name) = day.file_name() {
                fs::rename(day, aside.join(name)).map_err(BackupFault::at(day))?;
            }
        }
        sync_folder_of(&aside)?;
        Ok(aside)
    }
}

/// How a folder of copies of another journal is called.
const ASIDE: &str = "before-";
const ASIDE_EVERY: Duration = Duration::from_secs(3600);

/// The folder of a day, made if it is not there, and the names of its copies.
pub fn day_folder(folder: &Path, now: Stamp) -> Result<PathBuf, BackupFault> {
    let day = now.instant().to_zoned(TimeZone::UTC).date().to_string();
    let day = folder.join(day);
    if !day.is_dir() {
        fs::create_dir(&day).map_err(BackupFault::at(&day))?;
        sync_folder_of(&day)?;
    }
    Ok(day)
}

pub fn full_name(last: Seq) -> String {
    format!("{FULL}-{:016}.{END}", last.0)
}

pub fn entries_name(first: u64, last: u64) -> String {
    format!("{ENTRIES}-{first:016}-{last:016}.{END}")
}

/// The name of a copy that is being made: of one process, so that two are in nobody's way.
pub fn part_name(kind: &str) -> String {
    format!("{kind}.{}.{PART}", std::process::id())
}

fn read_names(folder: &Path) -> Result<Vec<PathBuf>, BackupFault> {
    let fault = BackupFault::at(folder);
    let entries = fs::read_dir(folder).map_err(&fault)?;
    let paths: Result<Vec<_>, _> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    paths.map_err(fault)
}

/// Whether that is a folder of copies, by its name.
pub fn is_day(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.parse::<jiff::civil::Date>().is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::seal::Recipients;
    use crate::domain::entry::Hash;
    use crate::journal::copy::End;
    use crate::ops::backup::file::Making;

    /// A copy without frames that says that it goes from one entry to another. Entry N was made N
    /// hours after 1970.
    fn copy(folder: &Path, first: u64, last: u64, name: &str) {
        let point = |seq| CopyPoint {
            seq: Seq(seq),
            hash: Hash([seq as u8; 32]),
            roster: u32::from(seq > 0),
        };
        let end = End {
            journal: Hash::NONE,
            from: if first == 1 {
                CopyPoint::NOTHING
            } else {
                point(first - 1)
            },
            to: point(last),
            stamp: at(last),
            signature: vec![0; 64],
            head_public_key: [0; 32],
            rows: 0,
            is_unswept: false,
        };
        let day = folder.join("1970-01-01");
        fs::create_dir_all(&day).unwrap();
        let making = Making::begin(&folder.join("part"), &Recipients::default()).unwrap();
        making.keep(&end, at(last), &day.join(name)).unwrap();
    }

    fn at(seq: u64) -> Stamp {
        Stamp(seq as i64 * 3_600_000_000_000)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Retention removed what a restore needed: other programs' users lost data so.
        #[test]
        fn what_a_restore_to_a_time_that_is_kept_needs_is_never_removed(
            lengths in prop::collection::vec(1..6_u64, 1..20),
            fulls in prop::collection::btree_set(2..60_u64, 1..6),
            horizon in 0..70_u64,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let (mut last, oldest) = (0, *fulls.first().unwrap());
            // Entries go on from the oldest full copy, from file to file.
            last += oldest;
            for length in lengths {
                let (first, end) = (last + 1, last + length);
                copy(folder.path(), first, end, &entries_name(first, end));
                last = end;
            }
            for full in fulls.into_iter().filter(|full| *full <= last) {
                copy(folder.path(), 1, full, &full_name(Seq(full)));
            }
            let before = Chain::look(folder.path()).unwrap();
            let removed = before.prune(at(horizon)).unwrap();
            let after = Chain::look(folder.path()).unwrap();
            let left = after.fulls.len() + after.entries.len();
            prop_assert_eq!(before.fulls.len() + before.entries.len() - removed, left);
            let old: Vec<_> = before.fulls.iter().filter(|full| full.last <= horizon).collect();
            prop_assert_eq!(removed > 0, old.len() > 2 || old.len() == 2 && {
                before.entries.iter().any(|named| named.last <= old[0].last)
            });
            for wanted in horizon..=last {
                for until in [Until::Seq(Seq(wanted)), Until::Time(at(wanted)), Until::End] {
                    let (one, other) = (before.plan(until, &[]), after.plan(until, &[]));
                    prop_assert_eq!(one.is_ok(), other.is_ok());
                    if let (Ok(one), Ok(other)) = (one, other) {
                        prop_assert_eq!(one, other);
                    }
                }
                // And with the newest full copy damaged, when there was another in time.
                let newest = before.plan(Until::Time(at(wanted)), &[]);
                if let Ok(newest) = newest {
                    let without = [newest.full.path];
                    let one = before.plan(Until::Time(at(wanted)), &without);
                    let other = after.plan(Until::Time(at(wanted)), &without);
                    prop_assert_eq!(one.is_ok(), other.is_ok());
                }
            }
        }
    }

    #[test]
    fn a_missing_file_is_named_by_the_entries_that_it_had() {
        let folder = tempfile::tempdir().unwrap();
        copy(folder.path(), 1, 10, &full_name(Seq(10)));
        copy(folder.path(), 11, 20, &entries_name(11, 20));
        copy(folder.path(), 31, 40, &entries_name(31, 40));
        let chain = Chain::look(folder.path()).unwrap();
        let fault = chain.plan(Until::End, &[]).unwrap_err().to_string();
        assert!(
            fault.contains("entries 21 to 30") && fault.contains("--to-seq 20"),
            "{fault}"
        );
        let plan = chain.plan(Until::Seq(Seq(20)), &[]).unwrap();
        assert_eq!(plan.files().count(), 2);
        let fault = chain
            .plan(Until::Seq(Seq(25)), &[])
            .unwrap_err()
            .to_string();
        assert!(fault.contains("entries 21 to 30"), "{fault}");
        assert_eq!(chain.position().map(|point| point.seq), Some(Seq(40)));
    }
}
