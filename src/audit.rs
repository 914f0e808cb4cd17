//! What an auditor reads: entries as JSON lines, and the check of a journal or an export, offline.
//!
//! An exported line carries the entry's exact bytes in base64 beside the readable form, so that the
//! chain can be checked from the export alone, and the readable form against the bytes.

pub mod access;
pub mod against;
pub mod draw;
pub mod evening;
mod exported;
pub mod given;
pub mod tiles;
pub mod witness;

use std::io::{BufRead, Write as _};

use data_encoding::{BASE64, Encoding, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::domain::apply::Contradiction;
use crate::domain::entry::{Entry, Hash, head_message};
use crate::domain::ids::Seq;
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::journal::block::entries;
use crate::journal::recovery::{RecoveryFault, apply_all, check_head, recover_all, replay};
use crate::journal::store::{Read, StoreFault};
use crate::keys::verify_head;
use crate::tree::checkpoint::{Checkpoint, CheckpointFault};
use crate::tree::leaf;
use crate::tree::note::NoteFault;
use crate::tree::range::Range;
use crate::tree::text::ProofFault;
use against::{Against, Kept, PublicKey, is_signed_by};
use exported::Lines;
use tiles::TileFault;

/// Appends an entry as one line of JSON, with its bytes for an export; returns its hash.
///
/// The frame is written by hand: a server writes a line for every entry, and going through a
/// serializer for the fields that need no escaping takes twice as long.
pub fn line_of(entry: &Entry, bytes: &[u8], with_bytes: bool, into: &mut Vec<u8>) -> Hash {
    line_at(entry, bytes, with_bytes, &mut ShownStamp::default(), into)
}

/// The instant of the line before, as text: the entries of a commit have the same.
#[derive(Default)]
struct ShownStamp(Option<(Stamp, String)>);

impl ShownStamp {
    fn of(&mut self, stamp: Stamp) -> &str {
        let kept = self.0.take().filter(|(kept, _)| *kept == stamp);
        let kept = kept.unwrap_or_else(|| (stamp, stamp.instant().to_string()));
        &self.0.insert(kept).1
    }
}

/// The same as `line_of`, for many lines.
fn line_at(
    entry: &Entry,
    bytes: &[u8],
    with_bytes: bool,
    shown: &mut ShownStamp,
    into: &mut Vec<u8>,
) -> Hash {
    const WRITES: &str = "writing JSON to memory succeeds";
    let hash = Hash::of(bytes);
    let stamp = shown.of(entry.stamp);
    write!(into, r#"{{"seq":{},"stamp":"{stamp}","actor":"#, entry.seq).expect(WRITES);
    serde_json::to_writer(&mut *into, &entry.actor).expect(WRITES);
    into.extend_from_slice(br#","change":"#);
    serde_json::to_writer(&mut *into, &entry.change).expect(WRITES);
    into.extend_from_slice(br#","previous":""#);
    encode(&HEXLOWER, &entry.previous.0, into);
    into.extend_from_slice(br#"","hash":""#);
    encode(&HEXLOWER, &hash.0, into);
    if with_bytes {
        into.extend_from_slice(br#"","bytes":""#);
        encode(&BASE64, bytes, into);
    }
    into.extend_from_slice(b"\"}\n");
    hash
}

fn encode(encoding: &Encoding, bytes: &[u8], into: &mut Vec<u8>) {
    let from = into.len();
    into.resize(from + encoding.encode_len(bytes.len()), 0);
    encoding.encode_mut(bytes, &mut into[from..]);
}

/// A head as `audit head --json` prints it and an auditor keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeptHead {
    pub seq: u64,
    pub stamp_ns: i64,
    /// The same for people to read.
    pub stamp: Option<String>,
    pub hash: String,
    pub signature: String,
    pub public_key: String,
}

/// What is wrong with a journal or an export.
#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    #[error(transparent)]
    Recovery(#[from] RecoveryFault),
    #[error(
        "it is a page to be read: check the text of the proof that is on it, saved as a file, or \
         the files that `sumun audit prove … --into DIR` writes"
    )]
    Page,
    #[error("line {line}: {what}")]
    Line { line: u64, what: String },
    #[error("the first bad entry is {seq}: {what}")]
    Entry { seq: u64, what: String },
    #[error("the head kept for entry {seq} {what}")]
    KeptHead { seq: u64, what: &'static str },
    #[error("the checkpoint of {size} entries {what}")]
    Checkpoint { size: u64, what: &'static str },
    #[error(transparent)]
    Signed(#[from] CheckpointFault),
    #[error("the key {0}")]
    Key(#[from] NoteFault),
    #[error("the first entry names another key than the one that was given: it is another record")]
    OtherKey,
    #[error("a checkpoint says nothing without the key that signed it: give --public-key")]
    NoKey,
    #[error(transparent)]
    Proof(#[from] ProofFault),
    #[error(transparent)]
    Tiles(#[from] TileFault),
    #[error("the file can't be read: {0}")]
    File(#[from] std::io::Error),
}

impl From<Contradiction> for AuditFault {
    fn from(Contradiction { seq, what }: Contradiction) -> Self {
        Self::Entry { seq: seq.0, what }
    }
}

impl From<StoreFault> for AuditFault {
    fn from(fault: StoreFault) -> Self {
        Self::Recovery(fault.into())
    }
}

/// What was checked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub first: u64,
    pub last: u64,
    pub hash: String,
    pub heads: u64,
}

/// Checks a data file, and a head that was kept of it.
pub fn verify_store(read: &Read, kept: Option<&KeptHead>) -> Result<(Verified, State), AuditFault> {
    let against = Against {
        kept: kept.cloned().map(Kept::Head).into_iter().collect(),
        key: None,
    };
    verify_store_against(read, &against)
}

/// Checks a data file: the chain, every change against the state before it, every seat, every
/// signed head, the roster's digest, and what was kept elsewhere.
pub fn verify_store_against(
    read: &Read,
    against: &Against,
) -> Result<(Verified, State), AuditFault> {
    // In the order of their entries, as the entries come.
    let mut heads = Vec::new();
    read.heads(|head| heads.push((head, None)))?;
    let kept: Vec<&KeptHead> = against.heads().collect();
    let mut kept_hashes = vec![None; kept.len()];
    let mut next_head = 0;
    let recovered = recover_all(read, |seq, hash| {
        if let Some((head, in_journal)) = heads.get_mut(next_head)
            && head.seq == seq
        {
            *in_journal = Some(*hash);
            next_head += 1;
        }
        for (kept, kept_hash) in kept.iter().zip(&mut kept_hashes) {
            if kept.seq == seq.0 {
                *kept_hash = Some(*hash);
            }
        }
    })?;
    let state = recovered.state;
    let newest = state.keys.head().ok_or(RecoveryFault::NotFounded)?;
    let key_at = |seq| state.keys.head_at(seq).unwrap_or(newest);
    for (head, in_journal) in &heads {
        check_head(head, in_journal.as_ref(), &key_at(head.seq))?;
    }
    let is_known = |key: &PublicKey| {
        state
            .keys
            .heads
            .iter()
            .any(|(_, known)| known == key.bytes())
    };
    if against.key.as_ref().is_some_and(|given| !is_known(given)) {
        return Err(AuditFault::OtherKey);
    }
    for (kept, kept_hash) in kept.iter().zip(kept_hashes) {
        check_kept(kept, kept_hash, Some(&key_at(Seq(kept.seq))))?;
    }
    for signed in against.checkpoints()? {
        let key = against.key_at(&state.keys, signed.checkpoint.size);
        let Checkpoint { size, root, .. } = is_signed_by(&signed, key.as_ref())?;
        let fault = |what| Err(AuditFault::Checkpoint { size, what });
        match root_of(read, size)? {
            None => return fault("has more than the journal: the tail was cut"),
            Some(made) if made != root => {
                return fault("has another root than the entries: they were rewritten, or forked");
            }
            Some(_) => {}
        }
    }
    let (last, hash) = (state.seq.0, state.head.to_string());
    Ok((
        Verified {
            first: 1,
            last,
            hash,
            heads: heads.len() as u64,
        },
        state,
    ))
}

/// The root of the tree of the first `size` entries; none if there are fewer.
pub fn root_of(read: &Read, size: u64) -> Result<Option<Hash>, StoreFault> {
    let mut tree = Range::at(0);
    if size > 0 {
        read.blocks(Seq(1), |_, block| {
            // Whoever asks has checked the entries before.
            let left = (size - tree.end()) as usize;
            entries(block)
                .flatten()
                .take(left)
                .for_each(|bytes| tree.push(leaf(bytes)));
            tree.end() < size
        })?;
    }
    Ok(tree.root().filter(|_| tree.end() == size))
}

/// Checks a kept head against the hash that a journal has at its sequence.
fn check_kept(
    kept: &KeptHead,
    in_journal: Option<Hash>,
    key: Option<&[u8; 32]>,
) -> Result<(), AuditFault> {
    let fault = |what| {
        Err(AuditFault::KeptHead {
            seq: kept.seq,
            what,
        })
    };
    let decode = |hex: &str| HEXLOWER.decode(hex.as_bytes()).ok();
    let public: Option<[u8; 32]> = decode(&kept.public_key).and_then(|key| key.try_into().ok());
    let signature: Option<[u8; 64]> = decode(&kept.signature).and_then(|sig| sig.try_into().ok());
    let (Some(public), Some(signature), Some(hash)) = (public, signature, Hash::parse(&kept.hash))
    else {
        return fault("can't be read: give the JSON that `sumun audit head --json` printed");
    };
    let stamp = Stamp(kept.stamp_ns);
    let is_same = |shown: &String| *shown == stamp.instant().to_string();
    if !kept.stamp.as_ref().is_none_or(is_same) {
        return fault("shows another time than it was signed with");
    }
    let message = head_message(Seq(kept.seq), &hash, stamp);
    if !verify_head(&public, &message, &signature) {
        return fault("has a signature that does not fit it");
    }
    if key.is_some_and(|key| *key != public) {
        return fault("was signed by another journal's key");
    }
    match in_journal {
        None => fault("names an entry that is not there: the tail was cut"),
        Some(there) if there != hash => fault("has another hash than the entry: it was rewritten"),
        Some(_) => Ok(()),
    }
}

/// Writes entries `from..=to` as an export.
pub fn export(
    read: &Read,
    from: Seq,
    to: Seq,
    into: &mut impl std::io::Write,
) -> Result<u64, AuditFault> {
    let (mut count, mut failed) = (0, None);
    let (mut lines, mut shown) = (Vec::new(), ShownStamp::default());
    read.blocks(from, |first, block| {
        for (at, bytes) in entries(block).enumerate() {
            let seq = Seq(first.0 + at as u64);
            if seq < from || seq > to {
                continue;
            }
            let entry = bytes.and_then(|bytes| {
                Entry::decode(bytes)
                    .map(|entry| (entry, bytes))
                    .map_err(|fault| fault.to_string())
            });
            match entry {
                Ok((entry, bytes)) => {
                    line_at(&entry, bytes, true, &mut shown, &mut lines);
                }
                Err(what) => {
                    failed = Some(AuditFault::Entry { seq: seq.0, what });
                    return false;
                }
            }
            count += 1;
        }
        if let Err(error) = into.write_all(&lines) {
            failed = Some(AuditFault::File(error));
        }
        lines.clear();
        failed.is_none() && first <= to
    })?;
    match failed {
        Some(fault) => Err(fault),
        None => Ok(count),
    }
}

/// Checks an export, and a head that was kept of its record.
pub fn verify_export(
    source: impl BufRead + Send,
    kept: Option<&KeptHead>,
) -> Result<Verified, AuditFault> {
    let against = Against {
        kept: kept.cloned().map(Kept::Head).into_iter().collect(),
        key: None,
    };
    verify_export_against(source, &against)
}

/// Checks an export: each line's bytes against its hash and its readable form, the chain between
/// lines, and, from the first entry on, every change against the state before it. Then what was
/// kept elsewhere: heads by the hash of their entry, checkpoints by the root of the tree that the
/// entries' bytes make.
pub fn verify_export_against(
    source: impl BufRead + Send,
    against: &Against,
) -> Result<Verified, AuditFault> {
    let mut state = Some(State::default());
    let mut chain = Chain::default();
    let checkpoints = against.checkpoints()?;
    let sizes: Vec<u64> = checkpoints
        .iter()
        .map(|signed| signed.checkpoint.size)
        .collect();
    let mut tree = Range::at(0);
    let mut roots: Vec<(u64, Option<Hash>)> = vec![(0, tree.root())];
    let heads: Vec<&KeptHead> = against.heads().collect();
    let mut kept_hashes = vec![None; heads.len()];
    exported::read(source, &sizes, |Lines { entries, leaves }| {
        let (following, followed) = chain.follow(entries);
        // Changes can be checked only from the beginning.
        state = state
            .take()
            .filter(|_| chain.last.is_none() || chain.first == 1);
        if let Some(state) = &mut state {
            apply_all::<AuditFault>(state, &entries[..following], |_, _| {})?;
        }
        for (head, kept_hash) in heads.iter().zip(&mut kept_hashes) {
            let found = entries.iter().find(|(entry, _)| entry.seq.0 == head.seq);
            *kept_hash = found.map(|(_, hash)| *hash).or(*kept_hash);
        }
        followed?;
        for leaves in leaves.iter().filter(|_| chain.first == 1) {
            tree.append(leaves);
            if sizes.contains(&tree.end()) {
                roots.push((tree.end(), tree.root()));
            }
        }
        Ok(())
    })?;
    let Some((last, hash)) = chain.last else {
        let what = "there is no entry in it".to_owned();
        return Err(AuditFault::Line { line: 1, what });
    };
    let known = state.map(|state| state.keys).unwrap_or_default();
    let is_known = |key: &PublicKey| known.heads.iter().any(|(_, known)| known == key.bytes());
    let is_other = |given: &PublicKey| !known.heads.is_empty() && !is_known(given);
    if against.key.as_ref().is_some_and(is_other) {
        return Err(AuditFault::OtherKey);
    }
    let given = against.key.as_ref().map(|key| *key.bytes());
    for (head, kept_hash) in heads.iter().zip(kept_hashes) {
        let key = known.head_at(Seq(head.seq)).or(given);
        check_kept(head, kept_hash, key.as_ref())?;
    }
    for signed in &checkpoints {
        let key = against.key_at(&known, signed.checkpoint.size);
        let Checkpoint { size, root, .. } = is_signed_by(signed, key.as_ref())?;
        let fault = |what| Err(AuditFault::Checkpoint { size, what });
        let made = roots.iter().find(|(at, _)| *at == size);
        match made.and_then(|(_, made)| *made) {
            None if chain.first > 1 => {
                return fault("can be compared with an export from entry 1 on only");
            }
            None => return fault("has more than the export: the tail was cut"),
            Some(made) if made != root => {
                return fault("has another root than the entries: they were rewritten, or forked");
            }
            Some(_) => {}
        }
    }
    Ok(Verified {
        first: chain.first,
        last: last.0,
        hash: hash.to_string(),
        heads: against.kept.len() as u64,
    })
}

/// The lines of an export that were read: each follows the one before it.
#[derive(Default)]
struct Chain {
    /// The sequence of the first entry; 0 before it came.
    first: u64,
    last: Option<(Seq, Hash)>,
}

impl Chain {
    /// Takes entries until one does not follow; how many did, and that fault.
    fn follow(&mut self, entries: &[(Entry, Hash)]) -> (usize, Result<(), AuditFault>) {
        for (at, (entry, hash)) in entries.iter().enumerate() {
            match self.last {
                None => self.first = entry.seq.0,
                Some((last, _)) if last.0.checked_add(1) != Some(entry.seq.0) => {
                    let seq = entry.seq.0;
                    let what = format!("it does not follow the line before it, of entry {last}");
                    return (at, Err(AuditFault::Entry { seq, what }));
                }
                Some((last, hash)) if hash != entry.previous => {
                    let seq = entry.seq.0;
                    let what = format!(
                        "it does not carry the hash of entry {last}: one of the two was changed"
                    );
                    return (at, Err(AuditFault::Entry { seq, what }));
                }
                Some(_) => {}
            }
            self.last = Some((entry.seq, *hash));
        }
        (entries.len(), Ok(()))
    }
}

/// Replays a journal without the roster, for tests that compare states.
pub fn state_of(read: &Read) -> Result<State, RecoveryFault> {
    replay(read, |_, _| {})
}

#[cfg(test)]
mod tests;
