//! The rehearsal of a restore: all of it into a scratch folder, compared with what should be there,
//! and a signed report. Nothing of it is kept but the report.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::BackupFault;
use super::chain::Chain;
use super::file::About;
use super::notes::{DrillNote, Notes};
use super::restore::{From, Restored, restore};
use crate::clock::{tick, wall};
use crate::crypto::seal::Identities;
use crate::domain::entry::Hash;
use crate::domain::ids::Seq;
use crate::domain::state::Status;
use crate::domain::time::Stamp;
use crate::journal::copy::{CopyPoint, Frame, Until};
use crate::ops::control;
use crate::ops::folder::{Folder, write_new};
use crate::ops::work::Work;

/// What the server that runs on the data folder says of the entry that the copies end with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// The same, and so many later ones that the copies do not have.
    Same {
        ahead: u64,
    },
    Differs,
    NoServer,
}

/// What came of a drill.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Report {
    pub program: String,
    pub source: PathBuf,
    pub at: String,
    pub took_ms: u64,
    pub is_good: bool,
    /// Why it is not.
    pub fault: Option<String>,
    /// Copies that were read, and full ones that were damaged and passed over.
    pub files: usize,
    pub passed_over: Vec<String>,
    pub entries: u64,
    pub hash: String,
    /// When the last entry was made.
    pub stamp: String,
    pub people: u64,
    pub vault_rows: u64,
    pub vault_was_opened: bool,
    pub bookings: u64,
    pub server: Compared,
}

/// A report as it is kept: its text, and who signed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    /// The JSON of a `Report`: what is signed are these bytes, after a label.
    pub report: String,
    pub public_key: Option<String>,
    pub signature: Option<String>,
}

/// What is new is copied every two seconds. Copies that are older than a minute may be of a server
/// at which nothing happened since, until a moment ago: then a file comes within some seconds.
const OLD_S: i64 = 60;
const GOES_ON: Duration = Duration::from_secs(5);

/// Whether another copy comes into the folder.
fn goes_on(report: &Report) -> bool {
    if !report.source.is_dir() {
        // One file is as old as it is.
        return true;
    }
    std::thread::sleep(GOES_ON);
    let last = Chain::look(&report.source)
        .ok()
        .and_then(|chain| chain.position());
    last.is_some_and(|last| last.seq.0 > report.entries)
}

fn is_old(newest: &Option<About>) -> bool {
    let made = newest
        .as_ref()
        .and_then(|newest| Stamp::parse(&newest.made_at).ok());
    made.is_none_or(|made| wall().0 - made.0 > OLD_S * Stamp::SECOND)
}

/// What is before the text that is signed.
pub const LABEL: &[u8] = b"sumun drill v1\n";

/// Restores into a folder in `scratch`, compares, and writes the report into the data folder. Tells
/// where the report is.
pub fn drill(
    folder: &Folder,
    from: &From,
    identities: &Identities,
    scratch: &Path,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<(Report, PathBuf), BackupFault> {
    let began = tick();
    let place = Scratch::make(scratch)?;
    let keys = folder.keys().ok();
    let into = place.0.join("sumun.redb");
    let restored = restore(from, Until::End, identities, keys.as_deref(), &into, tell);
    drop(place);
    let source = match from {
        From::Copy(path) | From::Folder(path) | From::DataFile(path) => path.clone(),
    };
    let mut report = Report {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        source: std::path::absolute(&source).unwrap_or(source),
        at: wall().instant().to_string(),
        took_ms: began.elapsed().as_millis() as u64,
        is_good: false,
        fault: None,
        files: 0,
        passed_over: Vec::new(),
        entries: 0,
        hash: Hash::NONE.to_string(),
        stamp: String::new(),
        people: 0,
        vault_rows: 0,
        vault_was_opened: false,
        bookings: 0,
        server: Compared::NoServer,
    };
    match &restored {
        Ok(restored) => fill(&mut report, restored, folder),
        Err(fault) => report.fault = Some(fault.to_string()),
    }
    let kept = keep(folder, &report, keys.as_deref())?;
    Notes::of(folder).drilled(DrillNote {
        at: report.at.clone(),
        is_good: report.is_good,
        last: report.entries,
    })?;
    Ok((report, kept))
}

fn fill(report: &mut Report, restored: &Restored, folder: &Folder) {
    let state = &restored.state;
    report.files = restored.files;
    report.passed_over.clone_from(&restored.passed_over);
    report.entries = restored.verified.last;
    report.hash = restored.verified.hash.clone();
    report.stamp = state.stamp.instant().to_string();
    report.people = restored.people;
    report.vault_rows = restored.vault.rows;
    report.vault_was_opened = restored.vault.were_opened;
    let bookings = state
        .campaigns
        .iter()
        .flat_map(|campaign| campaign.bookings.iter());
    let active = bookings.filter(|booking| booking.status == Status::Booked);
    report.bookings = active.count() as u64;
    let head = restored.newest.as_ref().map(|newest| &newest.head);
    let point = CopyPoint {
        seq: Seq(restored.verified.last),
        hash: state.head,
        roster: 0,
    };
    report.server = compare(folder, point);
    report.fault = if head.is_some_and(|head| head.hash != report.hash) {
        Some("the restored journal ends with another entry than the copy says".to_owned())
    } else if report.server == Compared::Differs {
        let why = "the server's journal has another entry there: these copies are of another one";
        Some(why.to_owned())
    } else if matches!(report.server, Compared::Same { ahead } if ahead > 0)
        && is_old(&restored.newest)
        && !goes_on(report)
    {
        let why = "the server has later entries that no copy has: does `backup follow` run?";
        Some(why.to_owned())
    } else if restored.vault.faults_total > 0 {
        let faults = restored.vault.faults_total;
        Some(format!(
            "{faults} rows of the vault are missing or can't be opened"
        ))
    } else if restored.vault.is_faulty() {
        Some("the rows of the vault are not those of which the journal has the digest".to_owned())
    } else if !restored.passed_over.is_empty() {
        Some("a full copy is damaged: make a new one".to_owned())
    } else {
        None
    };
    report.is_good = report.fault.is_none();
}

/// Asks the server of the folder, if one runs, whether it has that entry.
fn compare(folder: &Folder, point: CopyPoint) -> Compared {
    let Ok(Some(server)) = control::connect(&folder.socket()) else {
        return Compared::NoServer;
    };
    match control::ask_stream(server, Work::Copy { from: point }) {
        // Read to its end: the server would log that somebody hung up.
        Ok(mut stream) => loop {
            match Frame::read(&mut stream) {
                Ok(Frame::End(end)) => {
                    let ahead = end.to.seq.0.saturating_sub(point.seq.0);
                    break Compared::Same { ahead };
                }
                Ok(_) => {}
                Err(_) => break Compared::NoServer,
            }
        },
        Err(error) if error.is::<control::NoSuchEntry>() => Compared::Differs,
        Err(_) => Compared::NoServer,
    }
}

/// Writes the report, signed with the folder's key if it has one.
fn keep(
    folder: &Folder,
    report: &Report,
    keys: Option<&crate::keys::Keys>,
) -> Result<PathBuf, BackupFault> {
    let text = serde_json::to_string(report).unwrap_or_default();
    let message = [LABEL, text.as_bytes()].concat();
    let signed = Signed {
        report: text,
        public_key: keys.map(|keys| HEXLOWER.encode(&keys.head_public_key())),
        signature: keys.map(|keys| HEXLOWER.encode(&keys.sign_newest(&message))),
    };
    let drills = folder.path().join("drills");
    fs::create_dir_all(&drills).map_err(BackupFault::at(&drills))?;
    let name = wall()
        .instant()
        .strftime("drill-%Y-%m-%dT%H-%M-%S%.3fZ.json");
    let path = drills.join(name.to_string());
    let text = serde_json::to_vec_pretty(&signed).unwrap_or_default();
    write_new(&path, 0o640, &text).map_err(BackupFault::Server)?;
    Ok(path)
}

/// A folder that goes when its owner does.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn make(inside: &Path) -> Result<Self, BackupFault> {
        let path = inside.join(format!("sumun-scratch.{}", std::process::id()));
        // Made here and now, for this account alone: what is opened in it is not sealed.
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.map_err(BackupFault::at(&path))?;
        Ok(Self(path))
    }
}

impl Scratch {
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
