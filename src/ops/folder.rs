//! The data folder: what lies where, and how it is made.
//!
//! `sumun.redb` is the data file; `keys.json` the secrets that are not in it; `server.toml` the
//! settings; `certs/` certificate and key; `languages/` the agency's catalogues; `log/` the
//! auditors' daily log; `proposed/` roster files that wait, sealed, for an approval; `tree/` hash
//! tiles and checkpoints; `control.sock` the door for commands while a server runs. Accounts of the
//! desk are in the data file.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::certificates;
use crate::clock::{Clock, Entropy};
use crate::config::{Config, TEMPLATE};
use crate::domain::entry::{Actor, Role};
use crate::domain::staff::{AccountId, Bounds};
use crate::domain::time::Stamp;
use crate::engine::command::Operation;
use crate::engine::core::Core;
use crate::engine::open::{self, LastUse};
use crate::identity::staff;
use crate::journal::store::Store;
use crate::keys::Keys;
use crate::ops::work::staff::{first, set};
use crate::systemd::credentials::{self, credential};
use crate::tls::Files;
use crate::tls::authority::Name;

/// The first administrator's account name.
pub const FIRST_ADMIN: &str = "admin";

/// A data folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// An operator said that the clock is right, however long the folder was not in use.
    accepts_clock: bool,
}

impl Folder {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            accepts_clock: false,
        }
    }

    /// The same folder; with `accepts` it is opened however far the clock is ahead.
    pub fn accepting_clock(self, accepts: bool) -> Self {
        Self {
            accepts_clock: self.accepts_clock || accepts,
            ..self
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn data_file(&self) -> PathBuf {
        self.path.join("sumun.redb")
    }

    pub fn settings(&self) -> PathBuf {
        self.path.join("server.toml")
    }

    /// The catalogues of the agency's languages, each with its tag, in order.
    ///
    /// # Errors
    /// A catalogue that can't be read.
    pub fn languages(&self) -> anyhow::Result<Vec<(String, String)>> {
        let folder = self.path.join("languages");
        let Ok(entries) = fs::read_dir(&folder) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            let tag = path.file_stem().and_then(|stem| stem.to_str());
            if path.extension().is_some_and(|ending| ending == "ftl")
                && let Some(tag) = tag
            {
                let source = fs::read_to_string(&path);
                let source = source.with_context(|| format!("cannot read {}", path.display()))?;
                found.push((tag.to_owned(), source));
            }
        }
        found.sort();
        Ok(found)
    }

    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// Hash tiles and checkpoints of the tree over the journal.
    pub fn tree(&self) -> PathBuf {
        self.path.join("tree")
    }

    pub fn socket(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    pub fn certificate(&self) -> PathBuf {
        self.path.join("certs/server.pem")
    }

    pub fn certificate_key(&self) -> PathBuf {
        self.path.join("certs/server.key")
    }

    /// The local authority, which signs the server's certificate unless another one does.
    pub fn authority(&self) -> Files {
        Files {
            certificate: self.path.join("certs/authority.pem"),
            key: self.path.join("certs/authority.key"),
        }
    }

    /// Where a server notes each minute that it runs.
    fn last_seen(&self) -> PathBuf {
        self.path.join("last-seen")
    }

    /// Notes that the folder is in use at this time: a start with a clock far ahead of it is
    /// refused.
    pub fn note_use(&self, now: Stamp) -> std::io::Result<()> {
        // Not synced: a note that is lost makes the next start more careful, not less.
        let part = self.path.join("last-seen.part");
        fs::write(&part, now.instant().to_string())?;
        fs::rename(&part, self.last_seen())
    }

    /// When a server last noted that it runs; none if there is no note that can be read.
    pub fn last_use(&self) -> Option<Stamp> {
        let text = fs::read_to_string(self.last_seen()).ok()?;
        Stamp::parse(text.trim()).ok()
    }

    /// What `init` made beside the data file and is not there: no backup of the data file has it.
    pub fn missing(&self) -> Vec<String> {
        let made = [
            Keys::file(&self.path),
            self.settings(),
            self.certificate(),
            self.certificate_key(),
        ];
        let handed = |made: &Path| {
            let name = made.file_name().and_then(|name| name.to_str());
            name.and_then(credential).is_some()
        };
        let missing = made.iter().filter(|made| !made.exists() && !handed(made));
        let named = missing.filter_map(|made| made.strip_prefix(&self.path).ok());
        named.map(|name| name.display().to_string()).collect()
    }

    /// The files that a data folder needs beside its data file, and no copy of that has: those that
    /// are there, by their names in the folder.
    pub fn beside_data_file(&self) -> Vec<PathBuf> {
        let made = [
            Keys::file(&self.path),
            self.path.join("tokens.json"),
            self.settings(),
            self.recipients(),
        ];
        let mut all: Vec<PathBuf> = made.into_iter().filter(|path| path.exists()).collect();
        for (folder, ends) in [("certs", &["pem", "key"][..]), ("languages", &["ftl"])] {
            let entries = fs::read_dir(self.path.join(folder)).into_iter().flatten();
            let paths = entries.flatten().map(|entry| entry.path());
            let is_wanted = |path: &PathBuf| {
                let end = path.extension().and_then(|end| end.to_str());
                end.is_some_and(|end| ends.contains(&end))
            };
            all.extend(paths.filter(is_wanted));
        }
        let names = all
            .iter()
            .filter_map(|path| path.strip_prefix(&self.path).ok());
        names.map(Path::to_path_buf).collect()
    }

    /// For whom copies are sealed when nobody else is named: age recipients, one in a line.
    pub fn recipients(&self) -> PathBuf {
        self.path.join("recipients.txt")
    }

    /// Makes everything that a server on this host alone needs; see `init_for`.
    pub fn init(&self, clock: &Clock) -> anyhow::Result<String> {
        self.init_for(clock, &[])
    }

    /// Makes everything that a server needs; refuses a folder that has a data file or keys.
    /// `names` are the hosts that the certificate is for, beside this host itself. Returns the
    /// first administrator's password, which is stored nowhere.
    pub fn init_for(&self, clock: &Clock, names: &[Name]) -> anyhow::Result<String> {
        for made in [self.data_file(), Keys::file(&self.path)] {
            if made.exists() {
                bail!(
                    "{} exists already: this folder was initialised before; use another --data \
                     folder, or go on with this one",
                    made.display()
                );
            }
        }
        let entropy = Entropy::system();
        for folder in [self.path.clone(), self.path.join("certs"), self.log()] {
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o750)
                .create(&folder);
            made.with_context(|| format!("can't make the folder {}", folder.display()))?;
        }
        let keys = Keys::generate(&entropy);
        keys.save(&self.path)?;
        certificates::found(self, names)?;
        let password = staff::generate_password(&entropy);
        if !self.settings().exists() {
            write_new(&self.settings(), 0o640, TEMPLATE.as_bytes())?;
        }
        let admin = AccountId(1);
        let changes = vec![
            set(
                admin,
                FIRST_ADMIN,
                Role::Administrator,
                &Bounds::default(),
                true,
            ),
            first(&keys, &entropy, admin, &password)?,
        ];
        let mut core = open::create(&self.data_file(), Arc::new(keys), clock)?;
        core.operate_alone(&Actor::System, Operation::Staff { changes })?;
        Ok(password)
    }

    /// The settings of `server.toml`, or of `file`; the defaults if there is none.
    pub fn config(&self, file: Option<&Path>) -> anyhow::Result<Config> {
        let settings = file.map_or_else(|| self.settings(), Path::to_path_buf);
        if file.is_none() && !settings.exists() {
            return Ok(Config::default());
        }
        let text = fs::read_to_string(&settings);
        let text = text.with_context(|| format!("can't read {}", settings.display()))?;
        Config::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", settings.display()))
    }

    /// The certificate chain and its key: credentials of the service manager where it handed them
    /// over, or else the files that the settings name.
    pub fn certificate_files(&self, config: &Config) -> Files {
        let of = |name, path: &Path| credential(name).unwrap_or_else(|| self.path.join(path));
        Files {
            certificate: of(credentials::CERTIFICATE, &config.certificate),
            key: of(credentials::CERTIFICATE_KEY, &config.certificate_key),
        }
    }

    /// The secrets: of the credential that the service manager handed over, or else of the folder.
    pub fn keys(&self) -> anyhow::Result<Arc<Keys>> {
        let handed = credential(credentials::KEYS);
        Ok(Arc::new(Keys::load_from(&self.path, handed.as_deref())?))
    }

    /// Opens the data file for itself, for real time or the folder's own simulated time.
    pub fn open(
        &self,
        clock: impl FnOnce(&crate::domain::state::State) -> Clock,
    ) -> anyhow::Result<Core> {
        let store = Store::open(&self.data_file())?;
        let last_use = LastUse {
            seen: self.last_use(),
            clock_accepted: self.accepts_clock,
        };
        Ok(open::open_after(store, self.keys()?, last_use, clock)?)
    }
}

/// Writes a file that must not exist yet, durably.
pub fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.with_context(|| format!("can't make {}", path.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.with_context(|| format!("can't write {}", path.display()))
}
