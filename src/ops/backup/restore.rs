//! Making a data file of copies: read, checked, and only then given its name.

use std::fs;
use std::path::{Path, PathBuf};

use super::BackupFault;
use super::chain::{Chain, Plan};
use super::file::{self, About, Reading};
use crate::audit::{Verified, verify_store};
use crate::crypto::seal::Identities;
use crate::domain::state::State;
use crate::journal::copy::{CopyFault, Taken, Taker, Until};
use crate::journal::store::Store;
use crate::journal::vault::{VaultSeen, check_vault};
use crate::keys::Keys;

/// What is restored: a copy, a folder of copies, or a data file as the first edition copied it.
#[derive(Clone, Debug)]
pub enum From {
    Copy(PathBuf),
    Folder(PathBuf),
    DataFile(PathBuf),
}

impl From {
    /// Looks what a path is.
    pub fn look(path: &Path) -> Result<Self, BackupFault> {
        if !path.exists() {
            let why = format!(
                "{} is not there: name a copy, or the folder of the copies, and mount it first",
                path.display()
            );
            return Err(BackupFault::Refused(why));
        }
        let owned = path.to_path_buf();
        if path.is_dir() {
            return Ok(Self::Folder(owned));
        }
        match file::about(path)? {
            Some(_) => Ok(Self::Copy(owned)),
            None => Ok(Self::DataFile(owned)),
        }
    }
}

/// A data file that was made of copies and verified.
#[derive(Debug)]
pub struct Restored {
    pub verified: Verified,
    pub state: State,
    pub vault: VaultSeen,
    pub people: u64,
    /// How many copies were read; 0 for a data file.
    pub files: usize,
    /// The last of them that was read.
    pub newest: Option<About>,
    /// Full copies that were damaged, so that older ones were taken, and why.
    pub passed_over: Vec<String>,
    /// Whether entries behind the last that is wanted were left out.
    pub is_cut: bool,
}

/// Makes a data file at `into`, which must not exist, and verifies it. `keys` opens the vault, if
/// it belongs to the data file. `tell` is called with how many of how many copies were read.
pub fn restore(
    from: &From,
    until: Until,
    identities: &Identities,
    keys: Option<&Keys>,
    into: &Path,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Restored, BackupFault> {
    if into.exists() {
        let todo = "restoring never overwrites a data file; move it away first";
        let path = into.to_path_buf();
        return Err(BackupFault::Exists { path, todo });
    }
    let part = Part::beside(into)?;
    let (taken, files, newest, passed_over) = match from {
        From::DataFile(path) => {
            if until != Until::End {
                let why = format!(
                    "{} is a whole data file: it can be restored as it is, not up to an entry or a \
                     time",
                    path.display()
                );
                return Err(BackupFault::Refused(why));
            }
            part.take(path)?;
            (None, 0, None, Vec::new())
        }
        From::Copy(path) => {
            let about = file::about(path)?;
            if let Some(about) = about.filter(|about| !about.is_full()) {
                return Err(BackupFault::NotACopy {
                    path: path.clone(),
                    why: format!(
                        "it has the entries {} to {} alone: restore the folder that it is in",
                        about.first, about.last
                    ),
                });
            }
            let mut taker = Taker::create(part.path(), until)?;
            let newest = take(&mut taker, path, identities)?;
            reaches(&taker, until, &newest)?;
            (Some(taker.finish()?), 1, Some(newest), Vec::new())
        }
        From::Folder(folder) => of_folder(folder, until, identities, &part, tell)?,
    };
    let mut restored = checked(part.path(), keys)?;
    signed_by_its_journal(taken.as_ref(), &restored.state)?;
    restored.files = files;
    restored.newest = newest;
    restored.passed_over = passed_over;
    restored.is_cut = taken.is_some_and(|taken: Taken| taken.is_cut);
    part.keep(into)?;
    Ok(restored)
}

/// Whether the copies' last head is signed with the key that their journal names: who has a copy
/// could cut entries off its end and sign what is left with a key of their own.
fn signed_by_its_journal(taken: Option<&Taken>, state: &State) -> Result<(), BackupFault> {
    let signed_by = taken.and_then(|taken| taken.signed_by);
    if signed_by.is_none() || signed_by == state.keys.head_at(state.seq) {
        return Ok(());
    }
    Err(BackupFault::Refused(format!(
        "the head of entry {}, the last in the copies, is signed with another key than the \
         journal's: somebody else wrote them, and may have left entries out",
        state.seq
    )))
}

type OfFolder = (Option<Taken>, usize, Option<About>, Vec<String>);

/// Reads a full copy and what follows it. A full copy that is damaged is passed over for an older
/// one; other files have nothing in their place.
fn of_folder(
    folder: &Path,
    until: Until,
    identities: &Identities,
    part: &Part,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<OfFolder, BackupFault> {
    let chain = Chain::read(folder)?;
    let (mut without, mut passed_over) = (Vec::new(), Vec::new());
    for odd in &chain.odd {
        passed_over.push(format!("{}: {}", odd.path.display(), odd.why));
    }
    loop {
        let plan = match chain.plan(until, &without) {
            Ok(plan) => plan,
            // The damaged copy itself is what is missing then.
            Err(fault) if passed_over.is_empty() => return Err(fault),
            Err(fault) => {
                let all = passed_over.join("; ");
                return Err(BackupFault::Refused(format!("{fault}; not used: {all}")));
            }
        };
        part.remove();
        let mut taker = Taker::create(part.path(), until)?;
        match take(&mut taker, &plan.full.path, identities) {
            Ok(about) => {
                let newest = take_entries(&mut taker, &plan, identities, tell)?.unwrap_or(about);
                reaches(&taker, until, &newest)?;
                let files = 1 + plan.entries.len();
                return Ok((Some(taker.finish()?), files, Some(newest), passed_over));
            }
            Err(fault) if is_damage(&fault) => {
                drop(taker);
                passed_over.push(fault.to_string());
                without.push(plan.full.path);
            }
            Err(fault) => return Err(fault),
        }
    }
}

fn take_entries(
    taker: &mut Taker,
    plan: &Plan,
    identities: &Identities,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Option<About>, BackupFault> {
    let (mut newest, all) = (None, 1 + plan.entries.len());
    for (at, named) in plan.entries.iter().enumerate() {
        tell(1 + at, all);
        let before = taker.taken().point.seq.0;
        let taken = take(taker, &named.path, identities).map_err(|fault| {
            if is_damage(&fault) {
                BackupFault::Refused(format!(
                    "{fault}; without it the entries {} to {} are missing: look for another copy \
                     of it, or restore what is before with --to-seq {before}",
                    before + 1,
                    named.last
                ))
            } else {
                fault
            }
        })?;
        newest = Some(taken);
        if taker.taken().is_cut {
            break;
        }
    }
    tell(all, all);
    Ok(newest)
}

fn is_damage(fault: &BackupFault) -> bool {
    matches!(
        fault,
        BackupFault::Damaged { .. }
            | BackupFault::NotACopy { .. }
            | BackupFault::Copy(CopyFault::Damaged(_))
    )
}

fn take(taker: &mut Taker, path: &Path, identities: &Identities) -> Result<About, BackupFault> {
    let mut reading = Reading::open(path, identities)?;
    loop {
        let damaged = |fault| match fault {
            BackupFault::Copy(CopyFault::Damaged(why)) => BackupFault::Damaged {
                path: path.to_path_buf(),
                why,
            },
            other => other,
        };
        let frame = reading.frame().map_err(damaged)?;
        let ended = taker.take(frame).map_err(BackupFault::from);
        let Some(end) = ended.map_err(damaged)? else {
            continue;
        };
        if reading.about().fits(&end) {
            return Ok(reading.about().clone());
        }
        return Err(BackupFault::Damaged {
            path: path.to_path_buf(),
            why: "its head says other entries than are in it".to_owned(),
        });
    }
}

/// Whether a copy has the entry that is wanted.
fn reaches(taker: &Taker, until: Until, newest: &About) -> Result<(), BackupFault> {
    let taken = taker.taken();
    match until {
        Until::Seq(wanted) if taken.point.seq < wanted => Err(BackupFault::Beyond {
            wanted: wanted.to_string(),
            last: taken.point.seq.0,
            at: newest.head.stamp.clone(),
        }),
        Until::Time(wanted) if taken.point.seq.0 == 0 => Err(BackupFault::Refused(format!(
            "the first entry in the copies is later than {}",
            wanted.instant()
        ))),
        _ => Ok(()),
    }
}

/// Verifies a data file as `sumun verify` does.
fn checked(path: &Path, keys: Option<&Keys>) -> Result<Restored, BackupFault> {
    let store = Store::look(path)?;
    let read = store.read()?;
    let (verified, state) = verify_store(&read, None)?;
    let roster = read.roster()?.unwrap_or_default();
    let founded = state.founded;
    let belongs = |keys: &&Keys| {
        founded.is_some_and(|founded| founded.head_public_key == keys.founding_public_key())
    };
    if keys.is_some_and(|keys| !belongs(&keys)) {
        let why = "the keys.json in the folder belongs to another data file: put the right one \
                   there, or none; nothing was restored";
        return Err(BackupFault::Refused(why.to_owned()));
    }
    let vault = check_vault(&read, &roster, &state, keys)?;
    Ok(Restored {
        verified,
        state,
        vault,
        people: roster.people.len() as u64,
        files: 0,
        newest: None,
        passed_over: Vec::new(),
        is_cut: false,
    })
}

/// An unfinished data file, with its tail if it has one. It is removed unless it was given its
/// final name.
pub struct Part(PathBuf);

impl Part {
    pub fn beside(file: &Path) -> Result<Self, BackupFault> {
        let Some(name) = file.file_name() else {
            let why = format!("{} is not a file's name", file.display());
            return Err(BackupFault::Refused(why));
        };
        let mut part = name.to_os_string();
        part.push(format!(".{}.part", std::process::id()));
        let part = Self(file.with_file_name(part));
        part.remove();
        Ok(part)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Copies a data file, and its tail where one lies beside it. The copies can be written to,
    /// whatever the mode of the files.
    pub fn take(&self, file: &Path) -> Result<(), BackupFault> {
        copy_bytes(file, &self.0)?;
        let tail = file.with_extension("tail");
        if tail.exists() {
            copy_bytes(&tail, &self.tail())?;
        }
        Ok(())
    }

    /// Gives the data file its name, durably.
    pub fn keep(self, file: &Path) -> Result<(), BackupFault> {
        let fault = BackupFault::at(file);
        let sync = |path: &Path| fs::File::open(path)?.sync_all();
        sync(&self.0).map_err(&fault)?;
        if self.tail().exists() {
            sync(&self.tail()).map_err(&fault)?;
            fs::rename(self.tail(), file.with_extension("tail")).map_err(&fault)?;
        }
        fs::rename(&self.0, file).map_err(&fault)?;
        file::sync_folder_of(file)
    }

    fn tail(&self) -> PathBuf {
        self.0.with_extension("tail")
    }

    pub fn remove(&self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.tail());
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Copies bytes and not modes: `fs::copy` makes a write-protected copy of a write-protected file.
fn copy_bytes(from: &Path, to: &Path) -> Result<(), BackupFault> {
    let mut source = file::open_regular(from)?;
    let mut target = fs::File::create_new(to).map_err(BackupFault::at(to))?;
    std::io::copy(&mut source, &mut target).map_err(BackupFault::at(to))?;
    Ok(())
}
