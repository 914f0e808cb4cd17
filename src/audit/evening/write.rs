//! Makes the folder: figures from a replay, the entries behind them, pages, checksums, signature.
//!
//! What fails leaves no folder that looks whole: the signature is written last.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use data_encoding::HEXLOWER;

use super::collect::{Collector, Wanted};
use super::figures::Figures;
use super::packed::{Packed, Sizes};
use super::page::{self, Language};
use super::{COVERED, ENTRIES, FIGURES, HEADS, Heads, PAGE, PAGE_EN, SIGNATURE, SUMS, signature};
use crate::audit::{AuditFault, KeptHead, export};
use crate::crypto::sha256;
use crate::domain::entry::head_message;
use crate::domain::ids::Seq;
use crate::domain::state::State;
use crate::journal::recovery::replay_each;
use crate::journal::store::{Read, StoreFault, StoredHead};
use crate::keys::Keys;

/// Why no evidence was written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    #[error(transparent)]
    Journal(#[from] AuditFault),
    #[error(
        "the opening is not over yet by the journal, whose last entry is of {last}: it ends at \
         {ends}; with --so-far evidence is made of what there is, and says so"
    )]
    NotOver { last: String, ends: String },
    #[error("no entry of the journal has the opening")]
    Nothing,
    #[error("the keys of this folder are not those of its journal: put the right keys.json there")]
    Keys,
    #[error("{0} can't be written: {1}")]
    File(&'static str, io::Error),
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    pub figures: Figures,
    pub heads: Heads,
    /// The last entry that is in it.
    pub last: u64,
    pub entries: Sizes,
}

/// Writes the evidence of an opening into an empty folder.
pub fn write(
    read: &Read,
    keys: &Keys,
    wanted: Wanted,
    so_far: bool,
    into: &Path,
) -> Result<Written, NotWritten> {
    let mut collector = Collector::new(wanted);
    let state = replay_each(read, |state, entry, hash| collector.see(state, entry, hash));
    let state = state.map_err(AuditFault::from)?;
    let closed_by = collector.closed_by();
    let figures = collector.finish(&state).ok_or(NotWritten::Nothing)?;
    if figures.so_far && !so_far {
        return Err(NotWritten::NotOver {
            last: figures.span.last_stamp,
            ends: figures.span.until,
        });
    }
    let founded = state.founded.map(|founded| founded.head_public_key);
    if founded != Some(keys.founding_public_key()) {
        return Err(NotWritten::Keys);
    }
    let covers = closed_by.unwrap_or(state.seq);
    let (heads, last) = heads(read, keys, &state, figures.span.first_entry, covers)?;
    let (entries, entries_sha256) = write_entries(read, last, into)?;
    let mut json = serde_json::to_vec_pretty(&figures).expect("figures have a JSON form");
    json.push(b'\n');
    let mut heads_json = serde_json::to_vec_pretty(&heads).expect("heads have a JSON form");
    heads_json.push(b'\n');
    let page = |language| page::page(&figures, &heads, language).into_bytes();
    let files = [
        (FIGURES, json),
        (HEADS, heads_json),
        (PAGE_EN, page(Language::English)),
        (PAGE, page(Language::Korean)),
    ];
    let mut sums = sum_line(&entries_sha256, ENTRIES);
    for (name, bytes) in &files {
        write_file(into, name, bytes)?;
        sums += &sum_line(&sha256(bytes), name);
    }
    write_file(into, SUMS, sums.as_bytes())?;
    let signed = signature::sign(keys, last, sums.as_bytes(), &comment(&figures, last));
    write_file(into, SIGNATURE, signed.as_bytes())?;
    let last = last.0;
    Ok(Written {
        figures,
        heads,
        last,
        entries,
    })
}

/// What the signature says beside the checksums.
fn comment(figures: &Figures, last: Seq) -> String {
    format!(
        "sumun evidence v1, campaign {}, opening {}, line {}, entries 1 to {last}",
        figures.campaign.id, figures.opened.from, figures.line
    )
}

/// A line as `sha256sum` writes it.
pub(super) fn sum_line(sha256: &[u8; 32], name: &str) -> String {
    debug_assert!(COVERED.contains(&name), "{name} is covered");
    format!("{}  {name}\n", HEXLOWER.encode(sha256))
}

fn write_file(into: &Path, name: &'static str, bytes: &[u8]) -> Result<(), NotWritten> {
    fs::write(into.join(name), bytes).map_err(|error| NotWritten::File(name, error))
}

fn write_entries(read: &Read, last: Seq, into: &Path) -> Result<(Sizes, [u8; 32]), NotWritten> {
    let fault = |error| NotWritten::File(ENTRIES, error);
    let file = File::create(into.join(ENTRIES)).map_err(fault)?;
    let mut packed = Packed::new(BufWriter::new(file));
    export(read, Seq(1), last, &mut packed)?;
    let (mut file, sizes, digest) = packed.finish().map_err(fault)?;
    file.flush().map_err(fault)?;
    Ok((sizes, digest))
}

/// The signed heads around the evening, and the last entry that the second one covers. Where the
/// journal has no head that covers the evening, one of its last entry is signed now.
fn heads(
    read: &Read,
    keys: &Keys,
    state: &State,
    first: u64,
    covers: Seq,
) -> Result<(Heads, Seq), NotWritten> {
    let (mut before, mut after) = (None, None);
    let looked = read.heads(|head| {
        if head.seq.0 < first {
            before = Some(head);
        } else if head.seq >= covers && after.is_none() {
            after = Some(head);
        }
    });
    looked.map_err(|fault: StoreFault| AuditFault::from(fault))?;
    let kept = |head: StoredHead| KeptHead {
        seq: head.seq.0,
        stamp_ns: head.stamp.0,
        stamp: Some(head.stamp.instant().to_string()),
        hash: head.hash.to_string(),
        signature: HEXLOWER.encode(&head.signature),
        public_key: HEXLOWER.encode(&keys.head_public_key_at(head.seq)),
    };
    let signed_now = || {
        let message = head_message(state.seq, &state.head, state.stamp);
        StoredHead {
            seq: state.seq,
            hash: state.head,
            stamp: state.stamp,
            signature: keys.sign_at(state.seq, &message).to_vec(),
        }
    };
    let after = after.unwrap_or_else(signed_now);
    let last = after.seq;
    let heads = Heads {
        before: before.map(kept),
        after: kept(after),
    };
    Ok((heads, last))
}
