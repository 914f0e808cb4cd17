//! `sumun verify`: a data file or a copy, proved whole; and how other commands look at a data file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::Output;
use super::keep::{OpenedWith, Progress, belong, give_way, vault_of};
use super::told::{rows_seen, vault_faults, vault_json};
use crate::audit::against::{Against, Kept};
use crate::audit::tiles::TileFolder;
use crate::audit::{AuditFault, Verified, root_of, verify_store_against};
use crate::journal::copy::{CopyPoint, Taker, Until};
use crate::journal::store::{Read, Store};
use crate::journal::tail::CutShort;
use crate::ops::backup::drill::Scratch;
use crate::ops::backup::restore::{self, From, Part};
use crate::ops::backup::source::Source;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::tree::checkpoint::{Checkpoint, Signed};

/// `sumun verify [FILE|DIR]`.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// A copy, or a folder of them; the data file of the folder if not given
    file: Option<PathBuf>,
    /// What `audit head --json` or `audit checkpoint` printed earlier: finds a tail that was cut
    /// since, and a fork
    #[arg(long, value_name = "FILE")]
    head: Vec<PathBuf>,
    #[command(flatten)]
    opened: OpenedWith,
    /// Where a copy is taken apart: as much room as the data file has; the host's usual place for
    /// temporary files if not given
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Checks the data file of the folder against what was kept elsewhere.
pub fn of_folder(folder: &Folder, against: &Against) -> anyhow::Result<Output> {
    give_way();
    with_view(folder, |read| check_all(read, against, folder, true))
}

impl Verify {
    fn scratch(&self) -> PathBuf {
        self.scratch.clone().unwrap_or_else(std::env::temp_dir)
    }

    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        give_way();
        let kept = self.head.iter().map(|path| read_kept(path));
        let against = Against {
            kept: kept.collect::<anyhow::Result<_>>()?,
            key: None,
        };
        let is_own = self.file.is_none();
        let check = |read: &Read| check_all(read, &against, folder, is_own);
        let Some(file) = &self.file else {
            return with_view_in(folder, &self.scratch(), check);
        };
        let from = match From::look(file)? {
            // Somebody's data folder, as it lies on a medium.
            From::Folder(path) if path.join("sumun.redb").exists() => {
                From::DataFile(path.join("sumun.redb"))
            }
            from => from,
        };
        // redb may repair what it opens: the file itself stays as it is.
        let scratch = Scratch::make(&self.scratch())?;
        let place = Part::beside(&scratch.path().join("verify"))?;
        match from {
            From::DataFile(path) => place.take(&path)?,
            copies => {
                let progress = Progress::new("read");
                let mut tell = |read, all| progress.files(read, all);
                let identities = self.opened.read()?;
                let made = restore::restore(
                    &copies,
                    Until::End,
                    &identities,
                    None,
                    place.path(),
                    &mut tell,
                );
                if let Err(fault) = made {
                    return Ok(found(&fault.to_string()));
                }
            }
        }
        let store = match Store::look(place.path()) {
            Ok(store) => store,
            Err(fault) => return Ok(found(&fault.to_string())),
        };
        check(&store.read()?)
    }
}

/// Checks a data file, and then its vault. In the data file's own folder, its keys belong to it.
fn check_all(
    read: &Read,
    against: &Against,
    folder: &Folder,
    is_own: bool,
) -> anyhow::Result<Output> {
    let (verified, state) = match verify_store_against(read, against) {
        Ok(checked) => checked,
        Err(fault) => return Ok(found(&fault.to_string())),
    };
    if is_own && folder.keys().is_ok_and(|keys| !belong(&keys, &state)) {
        return Ok(found(
            "the data file is whole, but the keys.json beside it belongs to another one: put the \
             right one there",
        ));
    }
    if let Some(fault) = tree_fault(read, folder, is_own)? {
        return Ok(found(&fault));
    }
    let vault = vault_of(read, &state, folder)?;
    let mut output = compared_with(answer(&verified), &against.kept);
    if let Some(CutShort {
        first,
        entries,
        what,
    }) = &read.cut_short
    {
        output.human.push_str(&format!(
            "\nbehind them lie {entries} entries from {first} on that are not whole ({what}): a \
             crash leaves that of a commit which was not acknowledged, and the next start drops \
             it. If the server was stopped and did not crash, the file was changed"
        ));
        output.json["cut_short"] = json!({ "first": first, "entries": entries, "what": what });
    }
    output.json["vault"] = vault_json(&vault);
    if vault.is_faulty() {
        let faults = vault_faults(&vault);
        output.json["verified"] = json!(false);
        output.json["fault"] = json!(faults);
        output.human = format!("FAULT: {faults}");
        output.fault = true;
    } else if vault.rows > 0 {
        output.human.push_str(&format!("\n{}", rows_seen(&vault)));
    }
    Ok(output)
}

/// What is wrong with the folder's tree, at rest: a server writes at it.
fn tree_fault(read: &Read, folder: &Folder, is_own: bool) -> anyhow::Result<Option<String>> {
    let tree = TileFolder::at(folder.tree());
    if !is_own || control::connect(&folder.socket())?.is_some() || !tree.path().exists() {
        return Ok(None);
    }
    let whole = || -> Result<bool, AuditFault> {
        let Some(note) = tree.checkpoint()? else {
            return Ok(true);
        };
        let Checkpoint { size, root, .. } = Signed::unchecked(&note)?.checkpoint;
        tree.check(size, &root)?;
        Ok(root_of(read, size)? == Some(root))
    };
    let fault = match whole() {
        Ok(true) => return Ok(None),
        Ok(false) => "its checkpoint is not that of the entries".to_owned(),
        Err(fault) => fault.to_string(),
    };
    Ok(Some(format!(
        "{}: {fault}; the entries are whole: the next server writes the tree anew, and keeps what \
         is of another journal aside",
        tree.path().display()
    )))
}

/// A fault that an auditor looks for.
pub fn found(what: &str) -> Output {
    Output::fault(
        format!("FAULT: {what}"),
        json!({ "verified": false, "fault": what }),
    )
}

pub fn answer(verified: &Verified) -> Output {
    let Verified {
        first,
        last,
        hash,
        heads,
    } = verified;
    let human = format!("verified: entries {first} to {last}, {heads} signed heads, hash {hash}");
    let json = json!({
        "verified": true, "first": first, "last": last, "hash": hash, "heads": heads,
    });
    Output::done(human, json)
}

/// An answer that says that the heads which were kept are in what was verified.
pub fn compared_with(mut answer: Output, kept: &[Kept]) -> Output {
    for kept in kept {
        let kept = match kept {
            Kept::Head(head) => head,
            Kept::Checkpoint(note) => {
                let size = note.lines().nth(1).unwrap_or_default();
                answer.human += &format!("\nit continues the checkpoint of {size} entries");
                continue;
            }
        };
        let stamp = kept.stamp.as_deref().unwrap_or("an unknown time");
        let said = format!(
            "\nthe head kept for entry {}, of {stamp}, is in it",
            kept.seq
        );
        answer.human.push_str(&said);
        answer.json["head"] = json!(kept.seq);
    }
    answer
}

/// What was kept of the record elsewhere.
pub fn read_kept(path: &Path) -> anyhow::Result<Kept> {
    let text = fs::read_to_string(path);
    let text = text.with_context(|| format!("can't read {}", path.display()))?;
    Kept::read(&text).map_err(|why| {
        anyhow::anyhow!(
            "{} is neither what `sumun audit head --json` printed nor a checkpoint: {why}",
            path.display()
        )
    })
}

/// Whether a file is there and can't be written, as on a medium for reading or of another account.
fn can_only_be_read(file: &Path) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    let opened = fs::OpenOptions::new().write(true).open(file);
    opened.is_err_and(|error| matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem))
}

/// Looks at the data file of a folder, or at a copy of it while a server runs.
pub fn with_view<T>(
    folder: &Folder,
    look: impl FnOnce(&Read) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_view_in(folder, &std::env::temp_dir(), look)
}

/// The same, with the copy in this folder.
fn with_view_in<T>(
    folder: &Folder,
    scratch: &Path,
    look: impl FnOnce(&Read) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if control::connect(&folder.socket())?.is_none() {
        let file = folder.data_file();
        if !can_only_be_read(&file) {
            return look(&Store::look(&file)?.read()?);
        }
        // redb opens what it reads for writing: of a medium that can't be written, a copy is read.
        let scratch = Scratch::make(scratch)?;
        let part = Part::beside(&scratch.path().join("view"))?;
        part.take(&file)?;
        return look(&Store::look(part.path())?.read()?);
    }
    let scratch = Scratch::make(scratch)?;
    let part = Part::beside(&scratch.path().join("view"))?;
    let mut taker = Taker::create(part.path(), Until::End)?;
    Source::of(folder).stream(CopyPoint::NOTHING, true, |frame| {
        taker.take(frame)?;
        Ok(())
    })?;
    taker.finish()?;
    look(&Store::look(part.path())?.read()?)
}
