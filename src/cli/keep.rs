//! `sumun backup`, `restore` and `verify`: keeping the data file and proving it whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::Output;
use super::told::{self, rows_seen, vault_faults, vault_json};
use crate::audit::{KeptHead, Verified, verify_store};
use crate::clock::wall;
use crate::domain::state::State;
use crate::engine::open;
use crate::journal::store::{Read, Store};
use crate::journal::vault::{VaultSeen, check_vault};
use crate::keys::Keys;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::work::Work;

/// Copies the data file to `file`, checks the copy, and only then gives it its name.
pub fn backup(folder: &Folder, file: &Path) -> anyhow::Result<Output> {
    if file.exists() {
        bail!("{} exists already: give a new name", file.display());
    }
    let into = std::path::absolute(file)?;
    let into = into.parent().context("that is not a file's name")?;
    if !into.is_dir() {
        bail!("{} is not a folder: make it first", into.display());
    }
    let part = Part::beside(file)?;
    copy_of(folder, &part.0)?;
    let (verified, vault) = {
        let store = Store::look(&part.0)?;
        let read = store.read()?;
        let checked = verify_store(&read, None);
        let (verified, state) = checked.context("the copy does not verify; nothing was kept")?;
        (verified, vault_of(&read, &state, folder)?)
    };
    part.rename(file)?;
    let bytes = fs::metadata(file)?.len();
    let human = format!(
        "{}: {} entries, {bytes} bytes, verified; keys.json, server.toml, certs/ and staff.json \
         are not in it",
        file.display(),
        verified.last
    );
    let json = json!({
        "file": file, "entries": verified.last, "bytes": bytes, "vault": vault_json(&vault),
    });
    // It is kept all the same: a copy without somebody's telephone number has all bookings.
    Ok(with_vault_faults(Output::done(human, json), &vault))
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
    let (verified, state, vault) = {
        let store = Store::look(&part.0).context("this is not a backup that can be used")?;
        let read = store.read()?;
        let checked = verify_store(&read, None);
        let (verified, state) =
            checked.context("the backup does not verify; nothing was restored")?;
        let vault = vault_of(&read, &state, folder)?;
        (verified, state, vault)
    };
    fs::File::open(&part.0)?.sync_all()?;
    part.rename(&target)?;
    let mut human = format!("{}: {} entries, verified", target.display(), verified.last);
    let fits = vault.were_opened;
    let missing = folder.missing();
    if !missing.is_empty() {
        human.push_str(&format!(
            "\nno backup has {}: copy them into {} from where the old folder's are kept",
            missing.join(", "),
            folder.path().display()
        ));
    }
    if !fits && !missing.iter().any(|name| name == "keys.json") {
        human.push_str(
            "\nthe keys.json in the folder belongs to another data file: put the right one there",
        );
    }
    if open::check_clock(wall(), state.stamp).is_err() {
        human.push_str(
            "\nits last entry is more than a day old: look at this host's clock, then start once \
             with `sumun serve --accept-clock`",
        );
    }
    let json = json!({
        "entries": verified.last, "keys_fit": fits, "missing": missing,
        "vault": vault_json(&vault),
    });
    Ok(with_vault_faults(Output::done(human, json), &vault))
}

/// Looks at the vault, with the folder's keys if they belong to the data file.
fn vault_of(read: &Read, state: &State, folder: &Folder) -> anyhow::Result<VaultSeen> {
    let roster = read.roster()?.unwrap_or_default();
    let keys = folder.keys().ok().filter(|keys| belong(keys, state));
    Ok(check_vault(read, &roster, state, keys.as_deref())?)
}

fn belong(keys: &Keys, state: &State) -> bool {
    let founded = state.founded;
    founded.is_some_and(|founded| founded.head_public_key == keys.head_public_key())
}

/// An answer with what is wrong in the vault, if something is.
fn with_vault_faults(answer: Output, vault: &VaultSeen) -> Output {
    if vault.faults_total == 0 {
        return answer;
    }
    Output {
        human: format!("{}\nFAULT: {}", answer.human, vault_faults(vault)),
        fault: true,
        ..answer
    }
}

pub fn verify(folder: &Folder, file: Option<&Path>, head: Option<&Path>) -> anyhow::Result<Output> {
    let kept = head.map(read_head).transpose()?;
    let check = |read: &Read| check_all(read, kept.as_ref(), folder, file.is_none());
    match file {
        Some(file) => {
            // redb may repair what it opens: the file itself stays as it is.
            let part = Part::beside(&std::env::temp_dir().join("sumun-verify"))?;
            part.take(file)?;
            let store = match Store::look(&part.0) {
                Ok(store) => store,
                Err(fault) => return Ok(found(&fault.to_string())),
            };
            check(&store.read()?)
        }
        None => with_view(folder, check),
    }
}

/// Checks a data file, and then its vault. In the data file's own folder, its keys belong to it.
fn check_all(
    read: &Read,
    kept: Option<&KeptHead>,
    folder: &Folder,
    is_own: bool,
) -> anyhow::Result<Output> {
    let (verified, state) = match verify_store(read, kept) {
        Ok(checked) => checked,
        Err(fault) => return Ok(found(&fault.to_string())),
    };
    if is_own && folder.keys().is_ok_and(|keys| !belong(&keys, &state)) {
        return Ok(found(
            "the data file is whole, but the keys.json beside it belongs to another one: put the \
             right one there",
        ));
    }
    let vault = vault_of(read, &state, folder)?;
    let mut output = answer(&verified);
    output.json["vault"] = vault_json(&vault);
    if vault.faults_total > 0 {
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
