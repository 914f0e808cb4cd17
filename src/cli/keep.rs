//! `sumun backup` and `restore`: keeping copies of the data file and making one of them.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::Output;
use super::told::{vault_faults, vault_json};
use crate::audit::verify_store;
use crate::clock::{tick, wall};
use crate::crypto::seal::{Identities, Recipients};
use crate::domain::ids::Seq;
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::engine::open;
use crate::journal::copy::{CopyPoint, Frame, Until};
use crate::journal::store::{Read, Store};
use crate::journal::vault::{VaultSeen, check_vault};
use crate::keys::Keys;
use crate::ops::backup::chain::Chain;
use crate::ops::backup::drill::{self, Compared};
use crate::ops::backup::file::{Making, PART};
use crate::ops::backup::notes::Notes;
use crate::ops::backup::proof::Proof;
use crate::ops::backup::restore::{self, From, Restored};
use crate::ops::backup::source::Source;
use crate::ops::folder::Folder;
use crate::systemd::credentials::{self, credential};

/// For whom a copy is sealed.
#[derive(Args, Clone, Debug, Default)]
pub struct SealedTo {
    /// Seal to this age recipient (age1…), or to those in this file; may be given more than once.
    /// Without any: to those in recipients.txt of the data folder
    #[arg(long = "to", value_name = "RECIPIENT")]
    recipients: Vec<String>,
    /// Seal with the passphrase in this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl SealedTo {
    /// Those that are named; without any, those of the folder's recipients.txt, if it has one.
    pub fn of(&self, folder: &Folder) -> anyhow::Result<Recipients> {
        let passphrase = self.passphrase_file.as_deref();
        let usual = folder.recipients();
        if self.recipients.is_empty() && passphrase.is_none() && usual.exists() {
            return Ok(Recipients::read(&[usual.display().to_string()], None)?);
        }
        Ok(Recipients::read(&self.recipients, passphrase)?)
    }
}

/// What opens sealed copies.
#[derive(Args, Clone, Debug, Default)]
pub struct OpenedWith {
    /// The file of a secret key (AGE-SECRET-KEY-1…); may be given more than once
    #[arg(long = "identity", value_name = "KEYFILE")]
    identities: Vec<PathBuf>,
    /// The file of the passphrase that it was sealed with
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl OpenedWith {
    /// Those that are named; without any, the one that the service manager handed over.
    pub fn read(&self) -> anyhow::Result<Identities> {
        let handed = credential(credentials::COPIES_KEY);
        let handed = handed.filter(|_| self.identities.is_empty());
        let named = self.identities.iter().chain(&handed);
        let files: Vec<&Path> = named.map(PathBuf::as_path).collect();
        Ok(Identities::read(&files, self.passphrase_file.as_deref())?)
    }
}

/// `sumun backup FILE`, and `sumun backup follow DIR`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Backup {
    /// The new file; it must not exist
    #[arg(required = true)]
    file: Option<PathBuf>,
    #[command(flatten)]
    sealed: SealedTo,
    /// MB a second at the most; as fast as it goes if not given
    #[arg(long, value_name = "MB_PER_S",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: Option<u64>,
    #[command(subcommand)]
    command: Option<BackupCommand>,
}

#[derive(Subcommand, Clone, Debug)]
pub enum BackupCommand {
    /// Copy what is new into a folder every few seconds, and a full copy now and then
    Follow(super::follow::Follow),
    /// Remove the copies of a folder that no restore to a time that is kept needs
    #[command(after_help = "Example:\n  sumun backup prune /media/copies --keep 30d")]
    Prune {
        /// The folder of the copies
        folder: PathBuf,
        /// Days back to which a restore is wanted
        #[arg(long, value_name = "DAYS", default_value = "30d",
              value_parser = super::follow::days)]
        keep: u64,
    },
}

impl Backup {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        match (&self.command, &self.file) {
            (Some(BackupCommand::Follow(follow)), _) => follow.run(folder),
            (Some(BackupCommand::Prune { folder, keep }), _) => prune(folder, *keep),
            (None, Some(file)) => self.backup(folder, file),
            (None, None) => bail!("name the new file"),
        }
    }

    /// Copies everything to `file`, checks the copy, and only then gives it its name.
    fn backup(&self, folder: &Folder, file: &Path) -> anyhow::Result<Output> {
        if file.exists() {
            bail!("{} exists already: give a new name", file.display());
        }
        let absolute = std::path::absolute(file)?;
        let into = absolute.parent().context("that is not a file's name")?;
        if !into.is_dir() {
            bail!("{} is not a folder: make it first", into.display());
        }
        give_way();
        let recipients = self.sealed.of(folder)?;
        let name = absolute.file_name().context("that is not a file's name")?;
        let mut part = name.to_os_string();
        part.push(format!(".copy.{}.{PART}", std::process::id()));
        let mut making = Making::begin(&into.join(part), &recipients)?;
        // It is restored while it is written: what is kept has been restored once.
        let mut proof = Proof::beside(&absolute)?;
        let mut source = Source::of(folder);
        source.rate_bytes = self.rate.map(|mb| mb * 1_000_000);
        let began = tick();
        let mut progress = Progress::new("copied");
        let end = source.stream(CopyPoint::NOTHING, true, |frame: Frame| {
            progress.bytes(frame.bytes());
            making
                .write(&frame)
                .map_err(crate::ops::backup::BackupFault::at(file))?;
            proof.take(frame)
        })?;
        let end = end.context("there is no data file to copy")?;
        let copied_ms = began.elapsed().as_millis() as u64;
        let proof = proof.finish()?;
        progress.end();
        let (verified, vault) = on_half_of_the_cores(|| {
            let store = Store::look(proof.path())?;
            let read = store.read()?;
            let checked = verify_store(&read, None);
            let (verified, state) =
                checked.context("the copy does not verify; nothing was kept")?;
            Ok((verified, vault_of(&read, &state, folder)?))
        })?;
        drop(proof);
        let about = making.keep(&end, wall(), &absolute)?;
        Notes::of(folder).copied(&absolute, &end, Some(&about))?;
        let bytes = fs::metadata(file)?.len();
        let sealed = if about.sealed { "sealed" } else { "NOT sealed" };
        let human = format!(
            "{}: {} entries, {bytes} bytes, {sealed}, restored once and verified; keys.json, \
             server.toml and certs/ are not in it (`sumun keys export` copies them)",
            file.display(),
            verified.last
        );
        let json = json!({
            "file": file.display().to_string(), "entries": verified.last, "bytes": bytes,
            "hash": verified.hash,
            "sealed": about.sealed, "copied_ms": copied_ms,
            "took_ms": began.elapsed().as_millis() as u64,
            "vault": vault_json(&vault),
        });
        // It is kept all the same: a copy without somebody's telephone number has all bookings.
        Ok(with_vault_faults(Output::done(human, json), &vault))
    }
}

/// Proving a copy beside a server that books leaves it the other half.
fn on_half_of_the_cores<T: Send>(
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let threads = (rayon::current_num_threads() / 2).max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    pool.install(work)
}

fn prune(folder: &Path, keep_days: u64) -> anyhow::Result<Output> {
    let horizon = wall().plus_s(-(keep_days as i64 * 86_400));
    let chain = Chain::read(folder)?;
    let removed = chain.prune(horizon)?;
    let left = chain.fulls.len() + chain.entries.len() - removed;
    let human = format!("{removed} copies removed, {left} kept");
    Ok(Output::done(
        human,
        json!({ "removed": removed, "kept": left }),
    ))
}

/// Takes what processor others of the same session or unit leave: proving a copy takes half of the
/// cores. Between sessions a priority counts for nothing; there the server slows the copy down.
pub(super) fn give_way() {
    let _ = rustix::process::nice(19);
}

/// How far something is, on standard error, once it has taken a second and then each second.
pub struct Progress {
    what: &'static str,
    bytes: u64,
    told: Cell<Instant>,
    was_told: Cell<bool>,
}

impl Progress {
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            bytes: 0,
            told: Cell::new(tick()),
            was_told: Cell::new(false),
        }
    }

    fn bytes(&mut self, more: usize) {
        self.bytes += more as u64;
        self.tell(|progress| format!("{} MB {}", progress.bytes / 1_000_000, progress.what));
    }

    pub fn files(&self, read: usize, all: usize) {
        self.tell(|progress| format!("{read} of {all} copies {}", progress.what));
    }

    fn tell(&self, words: impl Fn(&Self) -> String) {
        if self.told.get().elapsed() >= Duration::from_secs(1) {
            self.told.set(tick());
            self.was_told.set(true);
            eprintln!("sumun: {}", words(self));
        }
    }

    fn end(&self) {
        if self.was_told.get() {
            eprintln!(
                "sumun: {} MB {}; verifying",
                self.bytes / 1_000_000,
                self.what
            );
        }
    }
}

/// `sumun restore FILE|DIR`.
#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// A copy, or a folder that `sumun backup follow` wrote
    from: PathBuf,
    /// Restore up to this entry
    #[arg(long, value_name = "N", conflicts_with_all = ["to_time", "drill"])]
    to_seq: Option<u64>,
    /// Restore up to the last entry at this time or before it, as 2021-07-19T20:00:00+09:00
    #[arg(long, value_name = "T", conflicts_with = "drill", value_parser = stamp)]
    to_time: Option<Stamp>,
    #[command(flatten)]
    opened: OpenedWith,
    /// Only rehearse: restore into a scratch folder, compare, and write a signed report
    #[arg(long)]
    drill: bool,
    /// Where the scratch folder of a drill is made
    #[arg(long, value_name = "DIR", requires = "drill")]
    scratch: Option<PathBuf>,
}

fn stamp(text: &str) -> Result<Stamp, String> {
    Stamp::parse(text).map_err(|error| format!("{error}; write it as 2021-07-19T20:00:00Z"))
}

impl Restore {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let from = From::look(&self.from)?;
        let identities = self.opened.read()?;
        if self.drill {
            return self.drill(folder, &from, &identities);
        }
        let until = match (self.to_seq, &self.to_time) {
            (Some(seq), _) => Until::Seq(Seq(seq)),
            (None, Some(time)) => Until::Time(*time),
            (None, None) => Until::End,
        };
        let target = folder.data_file();
        if target.exists() {
            bail!(
                "{} exists: move it away first, restoring never overwrites a data file",
                target.display()
            );
        }
        let tail = target.with_extension("tail");
        if tail.exists() {
            bail!(
                "{} exists: it is the newest part of another data file; move it to where that \
                 file is",
                tail.display()
            );
        }
        make_folder(folder.path())?;
        let keys = folder.keys().ok();
        let progress = Progress::new("read");
        let mut tell = |read, all| progress.files(read, all);
        let restored = restore::restore(
            &from,
            until,
            &identities,
            keys.as_deref(),
            &target,
            &mut tell,
        );
        let restored = restored.context("nothing was restored")?;
        Ok(restored_words(folder, &target, &restored))
    }

    fn drill(
        &self,
        folder: &Folder,
        from: &From,
        identities: &Identities,
    ) -> anyhow::Result<Output> {
        give_way();
        let scratch = self.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let progress = Progress::new("read");
        let mut tell = |read, all| progress.files(read, all);
        let (report, kept) = drill::drill(folder, from, identities, &scratch, &mut tell)?;
        let server = match report.server {
            Compared::Same { ahead } => {
                format!("the running server has the same entry, and {ahead} behind it")
            }
            Compared::Differs => "the running server has ANOTHER entry".to_owned(),
            Compared::NoServer => "no server to compare with".to_owned(),
        };
        let (files, seconds) = (report.files, report.took_ms as f64 / 1_000.0);
        let human = match &report.fault {
            None => format!(
                "the drill is good: {files} copies give {} entries up to {}, {} people, {} \
                 bookings, verified in {seconds:.1} s; {server}\nreport: {}",
                report.entries,
                report.stamp,
                report.people,
                report.bookings,
                kept.display()
            ),
            Some(fault) => format!("FAULT: {fault}\nreport: {}", kept.display()),
        };
        let json = json!({ "report": report, "file": kept.display().to_string() });
        Ok(Output {
            human,
            json,
            fault: !report.is_good,
        })
    }
}

/// A data folder on a new host: nobody else may look into it.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(path);
    made.with_context(|| format!("can't make {}", path.display()))
}

fn restored_words(folder: &Folder, target: &Path, restored: &Restored) -> Output {
    let Restored {
        verified,
        state,
        vault,
        ..
    } = restored;
    let stamp = state.stamp.instant();
    let mut human = format!(
        "{}: {} entries, the last of {stamp}, verified",
        target.display(),
        verified.last
    );
    for fault in &restored.passed_over {
        human.push_str(&format!("\nnot used: {fault}; older copies gave the same"));
    }
    let fits = vault.were_opened;
    let missing = folder.missing();
    if !missing.is_empty() {
        human.push_str(&format!(
            "\nnot in copies of the data file: {}; put them into {} with `sumun keys import`, or \
             from where the old folder's are kept",
            missing.join(", "),
            folder.path().display()
        ));
    }
    if open::check_clock(wall(), state.stamp).is_err() {
        human.push_str(
            "\nits last entry is more than a day old: look at this host's clock, then start once \
             with `sumun serve --accept-clock`",
        );
    }
    let json = json!({
        "entries": verified.last, "stamp": stamp.to_string(), "hash": verified.hash,
        "files": restored.files, "passed_over": restored.passed_over, "keys_fit": fits,
        "missing": missing, "vault": vault_json(vault),
    });
    with_vault_faults(Output::done(human, json), vault)
}

/// Looks at the vault, with the folder's keys if they belong to the data file.
pub(super) fn vault_of(read: &Read, state: &State, folder: &Folder) -> anyhow::Result<VaultSeen> {
    let roster = read.roster()?.unwrap_or_default();
    let keys = folder.keys().ok().filter(|keys| belong(keys, state));
    Ok(check_vault(read, &roster, state, keys.as_deref())?)
}

pub(super) fn belong(keys: &Keys, state: &State) -> bool {
    let founded = state.founded;
    founded.is_some_and(|founded| founded.head_public_key == keys.founding_public_key())
}

/// An answer with what is wrong in the vault, if something is.
fn with_vault_faults(answer: Output, vault: &VaultSeen) -> Output {
    if !vault.is_faulty() {
        return answer;
    }
    Output {
        human: format!("{}\nFAULT: {}", answer.human, vault_faults(vault)),
        fault: true,
        ..answer
    }
}
