//! Making a data file of streams that follow each other, up to their end or to an entry before it.

use std::path::Path;

use super::{CopyFault, CopyPoint, End, Frame, damaged};
use crate::domain::entry::{Change, Entry, Hash};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::journal::block::entries;
use crate::journal::data_file::{ChunkKey, DataFile, VAULT_KEY_BYTES, VaultKey, Write};

/// The last entry that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Until {
    #[default]
    End,
    /// Up to this entry.
    Seq(Seq),
    /// Up to the last entry that was made at this time or before it.
    Time(Stamp),
}

impl Until {
    fn is_behind(self, seq: Seq, stamp: Stamp) -> bool {
        match self {
            Self::End => false,
            Self::Seq(last) => seq > last,
            Self::Time(last) => stamp > last,
        }
    }
}

/// What was taken so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The last entry, and the version of the roster that it left in force.
    pub point: CopyPoint,
    pub stamp: Stamp,
    pub rows: u64,
    /// Whether entries were left out because they are behind the last that is wanted.
    pub is_cut: bool,
    /// The key that signed the last entry's head, unless entries were left out.
    pub signed_by: Option<[u8; 32]>,
}

/// Takes streams into a new data file. Nothing of it is there before `finish`.
pub struct Taker {
    file: DataFile,
    write: Write,
    until: Until,
    taken: Taken,
    /// The version of the roster that was taken last.
    roster: u32,
    rosters: u32,
    is_unswept: bool,
}

impl Taker {
    /// Begins with a new data file at `path`, which must not exist. It is not synced: whoever keeps
    /// it does that, once.
    pub fn create(path: &Path, until: Until) -> Result<Self, CopyFault> {
        let file = DataFile::create_unsynced(path)?;
        let write = file.begin()?;
        Ok(Self {
            file,
            write,
            until,
            taken: Taken {
                point: CopyPoint::NOTHING,
                stamp: Stamp(0),
                rows: 0,
                is_cut: false,
                signed_by: None,
            },
            roster: 0,
            rosters: 0,
            is_unswept: false,
        })
    }

    pub fn taken(&self) -> &Taken {
        &self.taken
    }

    /// Takes the next frame; tells the end of a stream when it was the last.
    pub fn take(&mut self, frame: Frame) -> Result<Option<End>, CopyFault> {
        match frame {
            Frame::Entries { first, bytes } => self.take_entries(first, &bytes)?,
            Frame::Head(head) => {
                if head.seq <= self.taken.point.seq {
                    self.write.put_head(&head)?;
                }
            }
            Frame::Roster { names, covers_left } => self.take_names(&names, covers_left)?,
            Frame::People { number, bytes } => {
                let key = ChunkKey::of(number);
                if key.version == self.roster {
                    self.write.put_part(key, &bytes)?;
                }
            }
            Frame::Rows(rows) => self.take_rows(&rows)?,
            Frame::End(end) => {
                self.check_end(&end)?;
                self.is_unswept |= end.is_unswept;
                self.taken.signed_by = (!self.taken.is_cut).then_some(end.head_public_key);
                return Ok(Some(*end));
            }
        }
        Ok(None)
    }

    fn take_entries(&mut self, first: Seq, block: &[u8]) -> Result<(), CopyFault> {
        let (mut seq, mut began, mut known, mut wanted) = (first, first, 0, 0);
        for bytes in entries(block) {
            let bytes = bytes.map_err(|what| damaged(format!("entry {seq}: {what}")))?;
            // The full copy before this one can go further than where this one begins.
            if seq <= self.taken.point.seq && wanted == 0 {
                known += size_of::<u32>() + bytes.len();
                seq.0 += 1;
                continue;
            }
            let entry =
                Entry::decode(bytes).map_err(|why| damaged(format!("entry {seq} {why}")))?;
            if self.taken.is_cut || self.until.is_behind(seq, entry.stamp) {
                self.taken.is_cut = true;
                break;
            }
            let point = &mut self.taken.point;
            let follows = entry.seq == seq && seq.0 == point.seq.0 + 1;
            if !follows || entry.previous != point.hash {
                let known = point.seq;
                return Err(damaged(format!(
                    "entry {seq} does not follow entry {known}"
                )));
            }
            (point.seq, point.hash) = (seq, Hash::of(bytes));
            match &entry.change {
                Change::RosterImported { version, .. } => point.roster = *version,
                // Copies that were made before have what was erased.
                Change::PersonErased {
                    person, version, ..
                } => self.write.erase_person(*person, *version)?,
                Change::VaultEmptied { .. } => self.write.empty_vault()?,
                _ => {}
            }
            self.taken.stamp = entry.stamp;
            if wanted == 0 {
                began = seq;
            }
            wanted += size_of::<u32>() + bytes.len();
            seq.0 += 1;
        }
        if wanted > 0 {
            self.write.append(began, &block[known..known + wanted])?;
        }
        Ok(())
    }

    /// A roster that comes into force behind the last entry that is wanted is left out.
    fn take_names(&mut self, names: &[u8], covers_left: bool) -> Result<(), CopyFault> {
        let version = postcard::take_from_bytes::<u32>(names);
        let (version, _) = version.map_err(|why| damaged(format!("the roster: {why}")))?;
        if version == self.taken.point.roster {
            self.write.put_roster_names(names, covers_left)?;
            self.roster = version;
            self.rosters += 1;
        }
        Ok(())
    }

    fn take_rows(&mut self, mut rows: &[u8]) -> Result<(), CopyFault> {
        const CUT: &str = "a row of the vault is cut short";
        let in_force = self.taken.point.roster;
        let mut wanted = Vec::new();
        while !rows.is_empty() {
            let (key, rest) = rows
                .split_first_chunk::<VAULT_KEY_BYTES>()
                .ok_or_else(|| damaged(CUT))?;
            let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged(CUT))?;
            let length = u32::from_be_bytes(*length) as usize;
            let (sealed, rest) = rest.split_at_checked(length).ok_or_else(|| damaged(CUT))?;
            let key = VaultKey::of(key);
            if key.version <= in_force {
                wanted.push((key, sealed));
            }
            rows = rest;
        }
        self.taken.rows += wanted.len() as u64;
        Ok(self.write.put_vault(wanted.into_iter())?)
    }

    /// The end of a stream tells where it should have come to.
    fn check_end(&self, end: &End) -> Result<(), CopyFault> {
        if self.taken.is_cut {
            return Ok(());
        }
        let point = self.taken.point;
        if (point.seq, point.hash) != (end.to.seq, end.to.hash) {
            let (seq, said) = (point.seq, end.to.seq);
            return Err(damaged(format!(
                "it ends with entry {seq}, and says that it ends with entry {said}"
            )));
        }
        if !end.is_signed() {
            let seq = end.to.seq;
            return Err(damaged(format!(
                "the signed head of entry {seq} does not fit"
            )));
        }
        Ok(())
    }

    /// Makes the data file whole; it is closed, and has an id of its own.
    pub fn finish(self) -> Result<Taken, CopyFault> {
        let in_force = self.taken.point.roster;
        if self.roster != in_force {
            return Err(CopyFault::RosterMissing(in_force));
        }
        self.write.put_served(false)?;
        // Rows and parts of the versions before the last lie there too: the next server, which
        // knows who needs which, sweeps them out.
        self.write
            .put_unswept(self.is_unswept || self.rosters > 1)?;
        self.write.commit()?;
        drop(self.file);
        Ok(self.taken)
    }
}
