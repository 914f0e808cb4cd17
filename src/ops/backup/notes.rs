//! What the data folder notes of copies and drills: which folders have copies, up to where, and
//! when the last drill was. `doctor` and the metrics tell their age; nothing is restored from it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::BackupFault;
use super::file::About;
use crate::clock::wall;
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::journal::copy::End;
use crate::ops::folder::Folder;
use crate::service::copied;
use crate::sync::locked;

const FILE: &str = "copies.json";
/// One of this process's threads changes the notes at a time.
static CHANGING: Mutex<()> = Mutex::new(());

/// The last copy in one place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Place {
    /// The last entry that is in the copies there.
    pub last: u64,
    /// When it was last known to have everything.
    pub at: String,
    /// When the newest full copy was made.
    pub full_at: Option<String>,
    pub sealed: bool,
}

/// The last drill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrillNote {
    pub at: String,
    pub is_good: bool,
    pub last: u64,
}

/// What is noted.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Noted {
    pub places: BTreeMap<PathBuf, Place>,
    pub drill: Option<DrillNote>,
}

/// The notes of one data folder.
pub struct Notes {
    path: PathBuf,
}

impl Notes {
    pub fn of(folder: &Folder) -> Self {
        Self {
            path: folder.path().join(FILE),
        }
    }

    /// What is noted; nothing if the notes can't be read.
    pub fn read(&self) -> Noted {
        let text = fs::read(&self.path).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The same, with instants instead of their texts. A place whose instant can't be read is left
    /// out.
    pub fn times(&self) -> copied::Noted {
        let noted = self.read();
        let stamp = |text: &str| Stamp::parse(text).ok();
        let place = |(path, place): (&PathBuf, &Place)| {
            Some(copied::Place {
                name: path.display().to_string(),
                last: Seq(place.last),
                at: stamp(&place.at)?,
                full_at: place.full_at.as_deref().and_then(stamp),
            })
        };
        copied::Noted {
            places: noted.places.iter().filter_map(place).collect(),
            drill: noted
                .drill
                .and_then(|drill| Some((stamp(&drill.at)?, drill.is_good))),
        }
    }

    /// The last entry in the copies of a folder, if there were any.
    ///
    /// # Errors
    /// When the notes are there and can't be read: whether a folder is mounted can't be told then.
    pub fn last_of(&self, place: &Path) -> Result<Option<u64>, BackupFault> {
        let noted: Noted = match fs::read(&self.path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                BackupFault::Refused(format!(
                    "{} can't be read ({error}): move it away, and say --begin-anew once",
                    self.path.display()
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Noted::default(),
            Err(error) => return Err(BackupFault::at(&self.path)(error)),
        };
        Ok(noted.places.get(&whole(place)).map(|place| place.last))
    }

    /// A folder has everything up to the end of a stream; `about` is the copy that was made.
    pub fn copied(
        &self,
        place: &Path,
        end: &End,
        about: Option<&About>,
    ) -> Result<(), BackupFault> {
        let _one = locked(&CHANGING);
        let mut noted = self.read();
        let before = noted.places.remove(&whole(place));
        let is_full = about.is_some_and(About::is_full);
        let full_at = about.filter(|_| is_full).map(|about| about.made_at.clone());
        let sealed = about.map(|about| about.sealed);
        let known = before.as_ref();
        let next = Place {
            last: end.to.seq.0.max(known.map_or(0, |known| known.last)),
            at: wall().instant().to_string(),
            full_at: full_at.or_else(|| known?.full_at.clone()),
            sealed: sealed.or(known.map(|known| known.sealed)).unwrap_or(false),
        };
        noted.places.insert(whole(place), next);
        self.write(&noted)
    }

    /// A folder is begun anew.
    pub fn forget(&self, place: &Path) -> Result<(), BackupFault> {
        let _one = locked(&CHANGING);
        let mut noted = self.read();
        noted.places.remove(&whole(place));
        self.write(&noted)
    }

    pub fn drilled(&self, drill: DrillNote) -> Result<(), BackupFault> {
        let _one = locked(&CHANGING);
        let noted = Noted {
            drill: Some(drill),
            ..self.read()
        };
        self.write(&noted)
    }

    /// Not synced: what is lost with the host is of no use to a restore.
    fn write(&self, noted: &Noted) -> Result<(), BackupFault> {
        let part = self
            .path
            .with_extension(format!("{}.part", std::process::id()));
        let text = serde_json::to_vec_pretty(noted).unwrap_or_default();
        let written = fs::write(&part, text).and_then(|()| fs::rename(&part, &self.path));
        written.map_err(BackupFault::at(&self.path))
    }
}

/// A folder by its whole name.
fn whole(place: &Path) -> PathBuf {
    std::path::absolute(place).unwrap_or_else(|_| place.to_path_buf())
}
