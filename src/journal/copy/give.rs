//! Writing a stream out of one consistent view of the journal.

use std::io;

use super::{CopyFault, CopyPoint, End, Frame, ROWS_BYTES};
use crate::domain::entry::{Entry, Hash, head_message};
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::journal::block::entries;
use crate::journal::store::{Read, StoreFault};
use crate::keys::Keys;

/// Gives everything that is in `read` and not at `from`, in frames, and tells what it was.
///
/// # Errors
/// When the journal does not have the entry of `from`, when it can't be read, or what `out` says.
pub fn give(
    read: &Read,
    from: CopyPoint,
    keys: &Keys,
    mut out: impl FnMut(Frame) -> io::Result<()>,
) -> Result<End, CopyFault> {
    if read.hash_at(from.seq)? != Some(from.hash) {
        return Err(CopyFault::OtherJournal(from.seq));
    }
    let journal = read.hash_at(Seq(1))?.unwrap_or(Hash::NONE);
    let (seq, hash, stamp) = give_entries(read, from, &mut out)?;
    let heads = read.heads_after(from.seq)?;
    for head in heads.into_iter().filter(|head| head.seq <= seq) {
        out(Frame::Head(head))?;
    }
    let (roster, rows) = give_roster(read, from.roster, &mut out)?;
    let end = End {
        journal,
        from,
        to: CopyPoint { seq, hash, roster },
        stamp,
        signature: keys.sign_at(seq, &head_message(seq, &hash, stamp)).to_vec(),
        head_public_key: keys.head_public_key_at(seq),
        rows,
        is_unswept: read.is_unswept()?,
    };
    out(Frame::End(Box::new(end.clone())))?;
    Ok(end)
}

/// Gives the entries behind that point; tells sequence, hash and stamp of the last.
fn give_entries(
    read: &Read,
    from: CopyPoint,
    out: &mut impl FnMut(Frame) -> io::Result<()>,
) -> Result<(Seq, Hash, Stamp), CopyFault> {
    let mut last: Option<(Seq, Vec<u8>)> = None;
    let mut fault = None;
    // From the point's own entry on: it is the last one when there is nothing new.
    read.blocks(from.seq, |first, block| {
        let given = behind(first, block, from.seq).and_then(|(first, bytes, newest)| {
            if let Some(newest) = newest {
                last = Some(newest);
            }
            if bytes.is_empty() {
                return Ok(());
            }
            let bytes = bytes.to_vec();
            Ok(out(Frame::Entries { first, bytes })?)
        });
        fault = given.err();
        fault.is_none()
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    let Some((seq, bytes)) = last else {
        return Ok((from.seq, from.hash, Stamp(0)));
    };
    let entry = Entry::decode(&bytes)
        .map_err(|fault| StoreFault::Damaged(format!("entry {seq} {fault}")))?;
    Ok((seq, Hash::of(&bytes), entry.stamp))
}

/// What of a block, with the sequence of its first entry, lies behind an entry, and the newest
/// entry of the block.
type Behind<'a> = (Seq, &'a [u8], Option<(Seq, Vec<u8>)>);

fn behind(first: Seq, block: &[u8], known: Seq) -> Result<Behind<'_>, CopyFault> {
    let (mut seq, mut skipped, mut newest) = (first, 0, None);
    for bytes in entries(block) {
        let bytes = bytes.map_err(|what| StoreFault::Damaged(format!("entry {seq}: {what}")))?;
        if seq <= known {
            skipped += size_of::<u32>() + bytes.len();
        }
        newest = Some((seq, bytes));
        seq.0 += 1;
    }
    let newest = newest.map(|(seq, bytes)| (seq, bytes.to_vec()));
    Ok((first.max(Seq(known.0 + 1)), &block[skipped..], newest))
}

/// Gives the roster in force and the rows of the vault that came with it, if it is newer than that
/// version; tells its version, and how many rows were given.
fn give_roster(
    read: &Read,
    known: u32,
    out: &mut impl FnMut(Frame) -> io::Result<()>,
) -> Result<(u32, u64), CopyFault> {
    let version = read.roster_version()?;
    let Some((names, covers_left)) = read.roster_names()?.filter(|_| version > known) else {
        return Ok((version, 0));
    };
    out(Frame::Roster { names, covers_left })?;
    let mut failed = None;
    read.roster_parts(version, |number, bytes| {
        let bytes = bytes.to_vec();
        failed = out(Frame::People { number, bytes }).err();
        failed.is_none()
    })?;
    let (mut rows, mut count) = (Vec::with_capacity(ROWS_BYTES), 0);
    read.vault_rows(None, None, |key, sealed| {
        // A row of a later version is not in force: its import goes on, or was given up.
        if key.version <= known || key.version > version || failed.is_some() {
            return;
        }
        rows.extend_from_slice(&key.bytes());
        rows.extend_from_slice(&(sealed.len() as u32).to_be_bytes());
        rows.extend_from_slice(sealed);
        count += 1;
        if rows.len() >= ROWS_BYTES {
            failed = out(Frame::Rows(std::mem::take(&mut rows))).err();
        }
    })?;
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    if !rows.is_empty() {
        out(Frame::Rows(rows))?;
    }
    Ok((version, count))
}
