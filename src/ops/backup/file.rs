//! One copy: a head that everybody can read, and the stream, perhaps sealed, behind it.
//!
//! The head takes the first 4,096 bytes: a mark, a line of JSON, the SHA-256 of that line, and
//! spaces up to its end. It holds nothing about people. A copy has its name only when it is whole
//! and durable: until then it is called `….part`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::BackupFault;
use crate::crypto::Sha256;
use crate::crypto::seal::{Identities, Recipients, Sealing};
use crate::domain::entry::Hash;
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::journal::copy::{CopyPoint, End, Frame};
use crate::ops::outcome::SignedHead;

const MARK: &[u8] = b"sumun copy 1\n";
const HEAD_BYTES: usize = 4096;
/// How a copy that is being made is called.
pub const PART: &str = "part";

/// What a copy says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// The hash of the journal's first entry.
    pub journal: String,
    /// The first and the last entry in it.
    pub first: u64,
    pub last: u64,
    /// The hash of the entry before the first; zeros if there is none.
    pub previous: String,
    /// The version of the roster in force after the last entry, and the one that the copy goes on
    /// from.
    pub roster: u32,
    pub roster_before: u32,
    pub rows: u64,
    /// The signed head of the last entry.
    pub head: SignedHead,
    pub made_at: String,
    /// Whether the stream is sealed in the age format.
    pub sealed: bool,
    /// The length and the SHA-256 of what follows the head.
    pub bytes: u64,
    pub sha256: String,
}

impl About {
    fn new(end: &End, made_at: Stamp, sealed: bool, bytes: u64, sha256: String) -> Self {
        let End { from, to, .. } = end;
        Self {
            journal: end.journal.to_string(),
            first: from.seq.0 + 1,
            last: to.seq.0,
            previous: from.hash.to_string(),
            roster: to.roster,
            roster_before: from.roster,
            rows: end.rows,
            head: SignedHead {
                seq: to.seq.0,
                stamp_ns: end.stamp.0,
                stamp: end.stamp.instant().to_string(),
                hash: to.hash.to_string(),
                signature: HEXLOWER.encode(&end.signature),
                public_key: HEXLOWER.encode(&end.head_public_key),
            },
            made_at: made_at.instant().to_string(),
            sealed,
            bytes,
            sha256,
        }
    }

    /// Whether the stream has what the head says.
    pub fn fits(&self, end: &End) -> bool {
        let said = (&self.journal, self.first, self.last, &self.head.hash);
        let journal = end.journal.to_string();
        let hash = end.to.hash.to_string();
        said == (&journal, end.from.seq.0 + 1, end.to.seq.0, &hash)
    }

    /// Whether it holds everything from the first entry on.
    pub fn is_full(&self) -> bool {
        self.first == 1 && self.roster_before == 0
    }

    /// Up to where it goes; none if its head can't be read.
    pub fn to(&self) -> Option<CopyPoint> {
        Some(CopyPoint {
            seq: Seq(self.last),
            hash: Hash::parse(&self.head.hash)?,
            roster: self.roster,
        })
    }
}

/// A copy that is being made. Dropped before `keep`, it is removed.
pub struct Making {
    path: PathBuf,
    out: Option<Out>,
}

enum Out {
    Plain(Box<Hashing<BufWriter<File>>>),
    Sealed(Box<Sealing<Hashing<BufWriter<File>>>>),
}

impl Making {
    /// Begins a copy at `path`, which gets its name, and perhaps another folder, with `keep`.
    pub fn begin(path: &Path, recipients: &Recipients) -> Result<Self, BackupFault> {
        let fault = BackupFault::at(path);
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(path).map_err(&fault)?;
        let mut made = Self {
            path: path.to_path_buf(),
            out: None,
        };
        file.write_all(&[b' '; HEAD_BYTES]).map_err(&fault)?;
        let out = Hashing::new(BufWriter::with_capacity(1 << 20, file));
        made.out = Some(if recipients.is_empty() {
            Out::Plain(Box::new(out))
        } else {
            Out::Sealed(Box::new(recipients.seal(out).map_err(&fault)?))
        });
        Ok(made)
    }

    pub fn write(&mut self, frame: &Frame) -> io::Result<()> {
        match &mut self.out {
            Some(Out::Plain(out)) => frame.write(&mut **out),
            Some(Out::Sealed(out)) => frame.write(&mut **out),
            None => Ok(()),
        }
    }

    /// Makes the copy whole and durable, and gives it this name.
    pub fn keep(mut self, end: &End, made_at: Stamp, name: &Path) -> Result<About, BackupFault> {
        let fault = BackupFault::at(&self.path);
        let (out, sealed) = match self.out.take() {
            Some(Out::Plain(out)) => (*out, false),
            Some(Out::Sealed(out)) => (out.finish().map_err(&fault)?, true),
            None => return Err(fault(io::ErrorKind::BrokenPipe.into())),
        };
        let (out, bytes, sha256) = out.finish();
        let mut file = out.into_inner().map_err(|error| fault(error.into()))?;
        let about = About::new(end, made_at, sealed, bytes, sha256);
        let line = serde_json::to_vec(&about).map_err(|error| fault(error.into()))?;
        let digest = Hash::of(&line).to_string();
        let head = [MARK, &line, b"\n", digest.as_bytes(), b"\n"].concat();
        assert!(head.len() <= HEAD_BYTES, "a head has its place");
        let written = file.seek(SeekFrom::Start(0));
        let written = written.and_then(|_| file.write_all(&head));
        written.and_then(|()| file.sync_all()).map_err(&fault)?;
        if name.exists() {
            let todo = "a copy is never written over; give a new name";
            let path = name.to_path_buf();
            return Err(BackupFault::Exists { path, todo });
        }
        fs::rename(&self.path, name).map_err(BackupFault::at(name))?;
        sync_folder_of(name)?;
        self.path = PathBuf::new();
        Ok(about)
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a new or removed name in a folder durable.
pub fn sync_folder_of(path: &Path) -> Result<(), BackupFault> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(BackupFault::at(folder))
}

/// Reads what a copy says of itself. None if the file is no copy.
pub fn about(path: &Path) -> Result<Option<About>, BackupFault> {
    let mut file = open_regular(path)?;
    head_of(&mut file, path)
}

/// Opens a file that is one: reading a pipe or a device would have no end.
pub fn open_regular(path: &Path) -> Result<File, BackupFault> {
    let seen = fs::metadata(path).map_err(BackupFault::at(path))?;
    if !seen.is_file() {
        return Err(BackupFault::NotACopy {
            path: path.to_path_buf(),
            why: "it is no regular file".to_owned(),
        });
    }
    File::open(path).map_err(BackupFault::at(path))
}

fn head_of(file: &mut File, path: &Path) -> Result<Option<About>, BackupFault> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = file.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(BackupFault::at(path))?;
    let Some(line) = head.strip_prefix(MARK) else {
        return Ok(None);
    };
    let damaged = |why: String| BackupFault::Damaged {
        path: path.to_path_buf(),
        why,
    };
    let mut lines = line.split(|byte| *byte == b'\n');
    let (line, digest) = (lines.next().unwrap_or_default(), lines.next());
    if digest != Some(Hash::of(line).to_string().as_bytes()) {
        return Err(damaged(
            "its head is not the one that was written".to_owned(),
        ));
    }
    let about: About = serde_json::from_slice(line)
        .map_err(|error| damaged(format!("its head can't be read ({error})")))?;
    let length = file.metadata().map_err(BackupFault::at(path))?.len();
    let said = HEAD_BYTES as u64 + about.bytes;
    if length != said {
        return Err(damaged(format!(
            "it has {length} bytes and should have {said}"
        )));
    }
    Ok(Some(about))
}

/// A copy that is being read.
pub struct Reading<'a> {
    path: PathBuf,
    about: About,
    frames: BufReader<Box<dyn Read + 'a>>,
}

impl<'a> Reading<'a> {
    /// Opens a copy, after every byte of it was compared with the digest in its head.
    pub fn open(path: &Path, identities: &Identities) -> Result<Self, BackupFault> {
        let fault = BackupFault::at(path);
        let mut file = open_regular(path)?;
        let Some(about) = head_of(&mut file, path)? else {
            return Err(BackupFault::NotACopy {
                path: path.to_path_buf(),
                why: "it does not begin as one".to_owned(),
            });
        };
        let mut digest = Hashing::new(io::sink());
        io::copy(&mut file, &mut digest).map_err(&fault)?;
        let (_, _, sha256) = digest.finish();
        if sha256 != about.sha256 {
            return Err(BackupFault::Damaged {
                path: path.to_path_buf(),
                why: "its bytes are not those that were written".to_owned(),
            });
        }
        let start = SeekFrom::Start(HEAD_BYTES as u64);
        file.seek(start).map_err(&fault)?;
        let stream: Box<dyn Read + 'a> = if about.sealed {
            identities.open(file, path)?
        } else {
            Box::new(file)
        };
        Ok(Self {
            path: path.to_path_buf(),
            about,
            frames: BufReader::with_capacity(1 << 20, stream),
        })
    }

    pub fn about(&self) -> &About {
        &self.about
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn frame(&mut self) -> Result<Frame, BackupFault> {
        Ok(Frame::read(&mut self.frames)?)
    }
}

/// Counts and hashes what goes through it.
struct Hashing<W> {
    into: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    fn new(into: W) -> Self {
        Self {
            into,
            digest: Sha256::default(),
            bytes: 0,
        }
    }

    fn finish(self) -> (W, u64, String) {
        let digest = self.digest.finish();
        (self.into, self.bytes, HEXLOWER.encode(&digest))
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}
