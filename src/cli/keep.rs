//! `sumun backup`, `restore` and `verify`: keeping the data file and proving it whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::{Output, told};
use crate::audit::{KeptHead, Verified, verify_store};
use crate::clock::wall;
use crate::engine::open;
use crate::journal::store::{Read, Store};
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::work::Work;

/// Copies the data file to `file`, checks the copy, and only then gives it its name.
pub fn backup(folder: &Folder, file: &Path) -> anyhow::Result<Output> {
    if file.exists() {
        bail!("{} exists already: give a new name", file.display());
    }
    let part = Part::beside(file)?;
    copy_of(folder, &part.0)?;
    let (verified, _) = {
        let store = Store::look(&part.0)?;
        verify_store(&store.read()?, None).context("the copy does not verify; nothing was kept")?
    };
    part.rename(file)?;
    let bytes = fs::metadata(file)?.len();
    let human = format!(
        "{}: {} entries, {bytes} bytes, verified; keys.json is not in it",
        file.display(),
        verified.last
    );
    Ok(Output::done(
        human,
        json!({ "file": file, "entries": verified.last, "bytes": bytes }),
    ))
}

/// Checks a backup and copies it into a folder that has no data file.
pub fn restore(folder: &Folder, file: &Path) -> anyhow::Result<Output> {
    let target = folder.data_file();
    if target.exists() {
        bail!(
            "{} exists: move it away first, restoring never overwrites a data file",
            target.display()
        );
    }
    if !file.exists() {
        bail!("{} does not exist", file.display());
    }
    fs::create_dir_all(folder.path())?;
    if target.with_extension("tail").exists() {
        bail!(
            "{} exists: it is the newest part of another data file; move it to where that file is",
            target.with_extension("tail").display()
        );
    }
    let part = Part::beside(&target)?;
    part.take(file)?;
    let (verified, state) = {
        let store = Store::look(&part.0).context("this is not a backup that can be used")?;
        let checked = verify_store(&store.read()?, None);
        checked.context("the backup does not verify; nothing was restored")?
    };
    fs::File::open(&part.0)?.sync_all()?;
    part.rename(&target)?;
    let mut human = format!("{}: {} entries, verified", target.display(), verified.last);
    let fits = folder.keys().is_ok_and(|keys| {
        state
            .founded
            .is_some_and(|founded| founded.head_public_key == keys.head_public_key())
    });
    if !fits {
        human.push_str("\nnow put the keys.json that belongs to it into the folder");
    }
    if open::check_clock(wall(), state.stamp).is_err() {
        human.push_str(
            "\nits last entry is more than a day old: look at this host's clock, then start once \
             with `sumun serve --accept-clock`",
        );
    }
    Ok(Output::done(
        human,
        json!({ "entries": verified.last, "keys_fit": fits }),
    ))
}

pub fn verify(folder: &Folder, file: Option<&Path>, head: Option<&Path>) -> anyhow::Result<Output> {
    let kept = head.map(read_head).transpose()?;
    let check = |read: &Read| Ok(verify_store(read, kept.as_ref()));
    let checked = match file {
        Some(file) => {
            // redb may repair what it opens: the file itself stays as it is.
            let part = Part::beside(&std::env::temp_dir().join("sumun-verify"))?;
            part.take(file)?;
            let store = match Store::look(&part.0) {
                Ok(store) => store,
                Err(fault) => return Ok(found(&fault.to_string())),
            };
            check(&store.read()?)?
        }
        None => with_view(folder, check)?,
    };
    match checked {
        Ok((verified, _)) => Ok(answer(&verified)),
        Err(fault) => Ok(found(&fault.to_string())),
    }
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

/// What `audit head --json` printed.
pub fn read_head(file: &Path) -> anyhow::Result<KeptHead> {
    let text =
        fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not what `sumun audit head --json` printed",
            file.display()
        )
    })
}

/// Looks at the data file of a folder, or at a copy of it while a server runs.
pub fn with_view<T>(
    folder: &Folder,
    look: impl FnOnce(&Read) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if control::connect(&folder.socket())?.is_none() {
        return look(&Store::look(&folder.data_file())?.read()?);
    }
    let part = Part::beside(&std::env::temp_dir().join("sumun-view"))?;
    copy_of(folder, &part.0)?;
    look(&Store::look(&part.0)?.read()?)
}

fn copy_of(folder: &Folder, into: &Path) -> anyhow::Result<()> {
    match control::connect(&folder.socket())? {
        Some(server) => {
            let finished = control::ask(server, Work::Backup, None, Some(into))?;
            let answer = told::answer(finished);
            anyhow::ensure!(!answer.fault, "{}", answer.human);
            Ok(())
        }
        None => Ok(Store::look(&folder.data_file())?.read()?.copy_to(into)?),
    }
}

/// An unfinished data file, with its tail if it has one. It is removed unless it was given its
/// final name.
struct Part(PathBuf);

impl Part {
    fn beside(file: &Path) -> anyhow::Result<Self> {
        let name = file.file_name().context("that is not a file's name")?;
        let mut part = name.to_os_string();
        part.push(format!(".{}.part", std::process::id()));
        let part = Self(file.with_file_name(part));
        part.remove();
        Ok(part)
    }

    /// Copies a data file, and its tail where one lies beside it.
    fn take(&self, file: &Path) -> anyhow::Result<()> {
        fs::copy(file, &self.0).with_context(|| format!("can't read {}", file.display()))?;
        let tail = file.with_extension("tail");
        if tail.exists() {
            fs::copy(&tail, self.tail())
                .with_context(|| format!("can't read {}", tail.display()))?;
        }
        Ok(())
    }

    fn rename(&self, file: &Path) -> anyhow::Result<()> {
        let made = || format!("can't make {}", file.display());
        if self.tail().exists() {
            fs::rename(self.tail(), file.with_extension("tail")).with_context(made)?;
        }
        fs::rename(&self.0, file).with_context(made)
    }

    fn tail(&self) -> PathBuf {
        self.0.with_extension("tail")
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(self.tail());
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.remove();
    }
}
