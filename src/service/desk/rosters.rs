//! Roster files that wait for an approval: sealed, in a folder beside the journal.
//!
//! A file is sealed while it arrives and has the SHA-256 of its sealed bytes for its name; the
//! journal has that and counts, and nothing of a person. A file that no proposal names is erased
//! an hour after it came; one that is done, declined, withdrawn or called off is erased at once,
//! and a start erases what nobody waits for. Neither backup nor replay needs one: without it a
//! proposal can't be approved, and says so.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};

use super::effect::Effect;
use super::proposals::beside;
use super::{Allowed, DeskRefused, actor};
use crate::clock::Entropy;
use crate::crypto::Sha256;
use crate::domain::entry::{Change, Look, Purpose};
use crate::domain::ids::PersonKey;
use crate::domain::spelling::phone::Country;
use crate::domain::staff::Account;
use crate::domain::staff::proposal::{Decision, RosterFile};
use crate::domain::time::Stamp;
use crate::engine::command::Operation;
use crate::files::Encoding;
use crate::keys::Keys;
use crate::service::Service;
use crate::service::room::VERY_LITTLE_BYTES;
use crate::sync::locked;

/// The folder of sealed files, in the data folder.
const FOLDER: &str = "proposed";
const ENDING: &str = "sealed";
/// Bytes of one file, as the command line takes them: 60 million people have about 5 GB.
pub const FILE_BYTES_MAX: u64 = 16 << 30;
/// Files that wait at the same time, and their bytes together.
pub const FILES_MAX: usize = 8;
pub const FILES_BYTES_MAX: u64 = 24 << 30;
/// Files that arrive at the same time.
const ARRIVING_MAX: usize = 2;
/// A file that nobody proposed is erased after this.
const UNPROPOSED_S: i64 = 3600;
/// How often the disk is looked at while a file arrives.
const DISK_LOOK_BYTES: u64 = 16 << 20;
/// How long an effect is told without working it out again.
const EFFECT_KEPT_S: i64 = 60;
/// Effects that are kept: each proposal is read by few.
const EFFECTS_KEPT: usize = 8;

/// A piece of a file that arrives; none at its end. A file whose end never comes is thrown away.
pub type Arriving = mpsc::Receiver<Option<Vec<u8>>>;

/// How a file is read, as its uploader says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HowToRead {
    #[serde(default)]
    pub encoding: Encoding,
    /// The country of telephone numbers that do not say theirs.
    #[serde(default)]
    pub country: Country,
}

/// A file that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uploaded {
    pub sha256: [u8; 32],
    /// Sealed bytes.
    pub bytes: u64,
}

/// What the desk knows of sealed files.
pub struct Rosters {
    folder: OnceLock<PathBuf>,
    /// Files that arrived and may not be proposed yet: name, and when.
    fresh: Mutex<Vec<([u8; 32], Stamp)>>,
    arriving: Arc<Semaphore>,
    effects: Mutex<Vec<Known>>,
    /// Who was told figures of which file: each is on record once.
    told: Mutex<Vec<([u8; 32], String)>>,
}

/// An effect that was worked out.
struct Known {
    sha256: [u8; 32],
    /// The roster and the rules that it was worked out against.
    against: Against,
    at: Stamp,
    effect: Effect,
    /// None where there is no roster to compare with.
    looked_at: Option<Compared>,
}

/// The version of the roster, and of each campaign's file.
type Against = (u32, Vec<u32>);

/// The people of the roster in force of whom a comparison's figures tell something.
#[derive(Clone, Default)]
pub struct Compared {
    pub rows: usize,
    pub people: Vec<PersonKey>,
}

impl Default for Rosters {
    fn default() -> Self {
        Self {
            folder: OnceLock::new(),
            fresh: Mutex::default(),
            arriving: Arc::new(Semaphore::new(ARRIVING_MAX)),
            effects: Mutex::default(),
            told: Mutex::default(),
        }
    }
}

impl Rosters {
    /// Says where the data folder is.
    pub fn lie_in(&self, folder: &Path) {
        let _ = self.folder.set(folder.to_path_buf());
    }

    /// The data folder.
    pub(super) fn data_folder(&self) -> Result<&Path, String> {
        let folder = self.folder.get().map(PathBuf::as_path);
        folder.ok_or_else(|| "this server has no data folder for it".to_owned())
    }

    fn path(&self, sha256: &[u8; 32]) -> Result<PathBuf, String> {
        let name = format!("{}.{ENDING}", HEXLOWER.encode(sha256));
        Ok(self.data_folder()?.join(FOLDER).join(name))
    }

    /// The sealed bytes of a file; none if it is not there.
    pub fn bytes(&self, sha256: &[u8; 32]) -> Option<u64> {
        let path = self.path(sha256).ok()?;
        Some(fs::metadata(path).ok()?.len())
    }

    /// Opens a file whose every byte is the one that was proposed.
    pub(super) fn open(
        &self,
        keys: &Keys,
        sha256: &[u8; 32],
    ) -> Result<(HowToRead, impl Read + Send + use<>), String> {
        let path = self.path(sha256)?;
        let mut file = File::open(&path).map_err(|_| GONE.to_owned())?;
        let cannot = |fault: io::Error| format!("the sealed file can't be read: {fault}");
        if hash_of(&mut file).map_err(cannot)? != *sha256 {
            return Err(OTHER.to_owned());
        }
        file.rewind().map_err(cannot)?;
        let mut opened = keys
            .open_file(BufReader::new(file))
            .map_err(|_| OTHER.to_owned())?;
        let how = read_how(&mut opened).map_err(|_| OTHER.to_owned())?;
        Ok((how, opened))
    }

    /// Seals a file as it arrives, makes it durable and gives it its name.
    fn keep(
        &self,
        keys: &Keys,
        how: HowToRead,
        mut arriving: Arriving,
        has_room: impl Fn(u64) -> bool,
        now: impl Fn() -> Stamp,
    ) -> Result<Uploaded, String> {
        let folder = self.data_folder()?.join(FOLDER);
        let cannot = |fault: io::Error| format!("the file can't be kept: {fault}");
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(cannot)?;
        let entropy = Entropy::system();
        let number: [u8; 8] = entropy.bytes();
        let part = Part(folder.join(format!("{}.part", HEXLOWER.encode(&number))));
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part.0);
        let into = BufWriter::new(Hashed::new(file.map_err(cannot)?));
        let mut sealing = keys.seal_file(&entropy, into).map_err(cannot)?;
        let mut head = serde_json::to_vec(&how).map_err(|fault| fault.to_string())?;
        head.push(b'\n');
        sealing.write_all(&head).map_err(cannot)?;
        let (mut plain, mut looked_at) = (0_u64, 0_u64);
        loop {
            let piece = match arriving.blocking_recv() {
                Some(Some(piece)) => piece,
                Some(None) => break,
                None => return Err("the file did not arrive whole: send it again".to_owned()),
            };
            plain += piece.len() as u64;
            if plain > FILE_BYTES_MAX {
                let most = FILE_BYTES_MAX >> 30;
                return Err(format!(
                    "the file is longer than {most} GiB: is it the right one?"
                ));
            }
            if plain >= looked_at {
                if !has_room(plain) {
                    return Err(NO_ROOM.to_owned());
                }
                looked_at = plain + DISK_LOOK_BYTES;
            }
            sealing.write_all(&piece).map_err(cannot)?;
        }
        if plain == 0 {
            return Err("the file is empty: is it the right one?".to_owned());
        }
        let into = sealing.finish().map_err(cannot)?;
        let hashed = into.into_inner().map_err(|fault| cannot(fault.into()))?;
        let Hashed {
            file,
            sha256,
            bytes,
        } = hashed;
        file.sync_all().map_err(cannot)?;
        let sha256 = sha256.finish();
        // First, so that nobody who sweeps erases it.
        locked(&self.fresh).push((sha256, now()));
        fs::rename(&part.0, self.path(&sha256)?).map_err(cannot)?;
        File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(cannot)?;
        Ok(Uploaded { sha256, bytes })
    }

    /// Sealed files that lie there: name and bytes.
    fn all(&self) -> Vec<([u8; 32], u64)> {
        let Ok(folder) = self.data_folder() else {
            return Vec::new();
        };
        let Ok(entries) = fs::read_dir(folder.join(FOLDER)) else {
            return Vec::new();
        };
        let named = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let name = name.to_str()?.strip_suffix(ENDING)?.strip_suffix('.')?;
            let sha256 = HEXLOWER.decode(name.as_bytes()).ok()?.try_into().ok()?;
            Some((sha256, entry.metadata().ok()?.len()))
        };
        entries.filter_map(named).collect()
    }

    /// A file is a proposal's from now on, and goes with it.
    pub(super) fn is_proposed(&self, sha256: &[u8; 32]) {
        locked(&self.fresh).retain(|(known, _)| known != sha256);
    }

    /// Looks whether every byte of a file is the one that was proposed.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub(super) fn check(&self, sha256: &[u8; 32]) -> Result<(), String> {
        let mut file = File::open(self.path(sha256)?).map_err(|_| GONE.to_owned())?;
        let found = hash_of(&mut file);
        let found = found.map_err(|fault| format!("the sealed file can't be read: {fault}"))?;
        if found == *sha256 {
            Ok(())
        } else {
            Err(OTHER.to_owned())
        }
    }

    /// Whether a file came so long ago that nobody will propose it.
    pub(super) fn has_left_over(&self, now: Stamp) -> bool {
        let fresh = locked(&self.fresh);
        fresh.iter().any(|(_, at)| at.plus_s(UNPROPOSED_S) <= now)
    }

    /// Erases what is not wanted any more, at a start also what did not arrive whole.
    fn sweep(&self, wanted: &[[u8; 32]], now: Stamp, is_start: bool) {
        let fresh = {
            let mut fresh = locked(&self.fresh);
            fresh.retain(|(_, at)| now < at.plus_s(UNPROPOSED_S));
            fresh.clone()
        };
        let is_wanted = |sha256: &[u8; 32]| {
            wanted.contains(sha256) || fresh.iter().any(|(known, _)| known == sha256)
        };
        for (sha256, _) in self.all() {
            if is_wanted(&sha256) {
                continue;
            }
            let erased = self.path(&sha256).map(fs::remove_file);
            if !matches!(erased, Ok(Ok(()))) {
                tracing::warn!("a roster file that is not wanted any more can't be erased");
            }
            locked(&self.effects).retain(|known| known.sha256 != sha256);
            locked(&self.told).retain(|(known, _)| *known != sha256);
        }
        let Ok(folder) = self.data_folder() else {
            return;
        };
        if is_start && let Ok(entries) = fs::read_dir(folder.join(FOLDER)) {
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            for path in paths.filter(|path| path.extension().is_some_and(|end| end == "part")) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

const GONE: &str = "the file of this proposal is not there any more: it was erased, or this server \
                    was restored from a backup, which has none; decline this, and have it uploaded \
                    and proposed again";
const OTHER: &str = "the file of this proposal is not the one that was proposed: it was changed on \
                     the disk, or sealed with other secrets; decline this, and have it uploaded \
                     and proposed again";
const NO_ROOM: &str = "the disk has too little room for this file beside the journal: make room, \
                       then send it again";

/// A file that is not whole yet: it is erased unless it was given another name.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A file, and the hash of what was written to it.
struct Hashed {
    file: File,
    sha256: Sha256,
    bytes: u64,
}

impl Hashed {
    fn new(file: File) -> Self {
        Self {
            file,
            sha256: Sha256::default(),
            bytes: 0,
        }
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn hash_of(file: &mut File) -> io::Result<[u8; 32]> {
    let mut sha256 = Sha256::default();
    let mut bytes = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut bytes)?;
        if read == 0 {
            return Ok(sha256.finish());
        }
        sha256.update(&bytes[..read]);
    }
}

/// The line before the file itself.
fn read_how(from: &mut impl Read) -> io::Result<HowToRead> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() < 1024 {
        from.read_exact(&mut byte)?;
        if byte == *b"\n" {
            return Ok(serde_json::from_slice(&line)?);
        }
        line.push(byte[0]);
    }
    Err(io::ErrorKind::InvalidData.into())
}

impl Service {
    /// Takes in a roster file. Nothing is compared yet, and nothing of it is in the journal.
    pub async fn take_roster(
        self: &Arc<Self>,
        by: &Account,
        how: HowToRead,
        arriving: Arriving,
    ) -> Allowed<Uploaded> {
        if !by.bounds.is_unbound() {
            return Err(DeskRefused::NotYours);
        }
        let rosters = &self.desk.rosters;
        let Ok(place) = Arc::clone(&rosters.arriving).try_acquire_owned() else {
            return Err(DeskRefused::Overloaded { retry_after_s: 10 });
        };
        self.sweep_rosters();
        let there = rosters.all();
        let bytes: u64 = there.iter().map(|(_, bytes)| bytes).sum();
        if there.len() >= FILES_MAX {
            let why = format!(
                "{FILES_MAX} roster files wait already: have their proposals decided first; a file \
                 that nobody proposed goes after an hour"
            );
            return Err(DeskRefused::Impossible(why));
        }
        let service = Arc::clone(self);
        let kept = beside(move || {
            let _place = place;
            let has_room = |more: u64| {
                let free = service.store.disk_free();
                let fits = bytes + more <= FILES_BYTES_MAX;
                fits && free.is_none_or(|free| free >= VERY_LITTLE_BYTES)
            };
            let (rosters, now) = (&service.desk.rosters, || service.clock.now());
            rosters.keep(&service.keys, how, arriving, has_room, now)
        });
        kept.await?.map_err(DeskRefused::Impossible)
    }

    /// Erases the files that no proposal waits with.
    pub fn sweep_rosters(&self) {
        let wanted = self.rosters_waited_for();
        self.desk.rosters.sweep(&wanted, self.clock.now(), false);
    }

    /// The same at a start, when nothing is arriving.
    pub fn sweep_rosters_at_start(&self) {
        let wanted = self.rosters_waited_for();
        self.desk.rosters.sweep(&wanted, self.clock.now(), true);
    }

    fn rosters_waited_for(&self) -> Vec<[u8; 32]> {
        let staff = self.staff();
        let waits = |decided: &crate::domain::staff::proposal::Decided| {
            decided.decision == Decision::Approved && decided.came_of_it.is_none()
        };
        let living = staff.proposals.values();
        let living = living.filter(|one| one.decided.as_ref().is_none_or(waits));
        let files = living.filter_map(|one| one.what.roster_file());
        files.map(|file| file.sha256).collect()
    }

    /// The roster and the rules that an effect is worked out against.
    fn against(&self) -> Against {
        let offers = self.shared.offers().clone();
        let rules = offers.iter().map(|offer| offer.catalog.version());
        (self.shared.roster().version, rules.collect())
    }

    /// What a file would change, by a comparison of the last minute or a new one.
    pub(super) fn roster_effect(&self, file: &RosterFile, now: Stamp) -> Effect {
        let rosters = &self.desk.rosters;
        let against = self.against();
        {
            let known = locked(&rosters.effects);
            let fits = |known: &&Known| {
                let is_new = now < known.at.plus_s(EFFECT_KEPT_S);
                known.sha256 == file.sha256 && known.against == against && is_new
            };
            if let Some(known) = known.iter().find(fits)
                && rosters.bytes(&file.sha256).is_some()
            {
                return known.effect.clone();
            }
        }
        let (effect, looked_at) = super::effect::roster::of_roster(self, file, now);
        if !effect.faults.is_empty() {
            // Nobody can propose it: it makes room for the next one at once.
            locked(&rosters.fresh).retain(|(fresh, _)| *fresh != file.sha256);
            self.sweep_rosters();
        } else {
            let mut known = locked(&rosters.effects);
            known.retain(|known| known.sha256 != file.sha256);
            if known.len() >= EFFECTS_KEPT {
                known.remove(0);
            }
            known.push(Known {
                sha256: file.sha256,
                against,
                at: now,
                effect: effect.clone(),
                looked_at,
            });
        }
        effect
    }

    /// Puts on record that an account was told what a file would change: the figures say who of it
    /// is on the roster as the file says. Nothing is told before it is on record.
    pub(super) async fn note_compared(
        &self,
        by: &Account,
        from: &str,
        file: &RosterFile,
    ) -> Allowed<()> {
        let rosters = &self.desk.rosters;
        let who = (file.sha256, by.name.clone());
        if locked(&rosters.told).contains(&who) {
            return Ok(());
        }
        let looked_at = {
            let known = locked(&rosters.effects);
            let mut of = known.iter().filter(|known| known.sha256 == file.sha256);
            of.next().and_then(|known| known.looked_at.clone())
        };
        let Some(looked_at) = looked_at else {
            return Ok(());
        };
        let look = Look {
            purpose: Purpose::Compared,
            origin: from.to_owned(),
            reason: format!("a proposed roster file with {} people", looked_at.rows),
            people: looked_at.people,
        };
        let change = Change::PersonalDataSeen(look);
        self.operate(actor(by), Operation::Record { change })
            .await?;
        locked(&rosters.told).push(who);
        Ok(())
    }
}
