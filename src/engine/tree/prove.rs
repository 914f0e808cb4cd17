//! Proofs of entries, and which entries a booking has.
//!
//! The state knows the entry that last changed a booking, and when it was made. The entry that made
//! it is found by that time, in as many looks as the journal has doublings: stamps never go back.

use super::record::{NotProved, Record};
use crate::domain::entry::{Change, Doses, Entry};
use crate::domain::ids::{BookingNumber, CampaignIndex, Seq};
use crate::domain::state::Booking;
use crate::journal::block::entries;
use crate::journal::store::{Read, StoreFault};
use crate::tree::leaf;
use crate::tree::text::Inclusion;

/// An entry and the proof that the newest checkpoint has it. The proof carries the entry's bytes.
#[derive(Clone, PartialEq, Debug)]
pub struct Proved {
    pub entry: Entry,
    pub inclusion: Inclusion,
}

impl Proved {
    /// The seats that the entry books, moves to or gives up.
    pub fn doses(&self) -> Option<Doses> {
        match self.entry.change {
            Change::Booked { doses, .. } | Change::Cancelled { doses, .. } => Some(doses),
            Change::Moved { to, .. } | Change::Relocated { to, .. } => Some(to),
            _ => None,
        }
    }
}

/// Why an entry is not proved.
#[derive(Debug, thiserror::Error)]
pub enum ProveFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error("the journal has no entry {0}")]
    NoEntry(Seq),
    #[error(transparent)]
    NotProved(#[from] NotProved),
}

impl Record {
    /// Proves one entry of the journal.
    pub fn proved(&self, read: &Read, seq: Seq) -> Result<Proved, ProveFault> {
        let bytes = read.bytes(seq)?.ok_or(ProveFault::NoEntry(seq))?;
        let entry = Entry::decode(&bytes);
        let entry = entry.map_err(|fault| StoreFault::Damaged(format!("entry {seq} {fault}")))?;
        let mut inclusion = self.prove(seq, &leaf(&bytes))?;
        inclusion.extra = Some(bytes);
        Ok(Proved { entry, inclusion })
    }
}

/// The booking that an entry makes or changes.
fn number_of(change: &Change) -> Option<(CampaignIndex, BookingNumber)> {
    match change {
        Change::Booked {
            campaign, number, ..
        }
        | Change::Moved {
            campaign, number, ..
        }
        | Change::Relocated {
            campaign, number, ..
        }
        | Change::Cancelled {
            campaign, number, ..
        } => Some((*campaign, *number)),
        _ => None,
    }
}

/// The entry that made a booking.
pub fn made(
    read: &Read,
    campaign: CampaignIndex,
    booking: &Booking,
) -> Result<Option<Seq>, StoreFault> {
    let is_made = |entry: &Entry| {
        let of = number_of(&entry.change);
        of == Some((campaign, booking.number)) && matches!(entry.change, Change::Booked { .. })
    };
    let mut found = None;
    let from = read.first_at(booking.booked_at)?;
    changes(read, from, booking.seq, |seq, entry| {
        if is_made(&entry) {
            found = Some(seq);
        }
        found.is_none() && entry.stamp <= booking.booked_at
    })?;
    Ok(found)
}

/// All entries of a booking, from the one that made it to the one that changed it last. Reads
/// everything between the two.
pub fn all_of(
    read: &Read,
    campaign: CampaignIndex,
    booking: &Booking,
) -> Result<Vec<Seq>, StoreFault> {
    let mut found = Vec::new();
    let from = read.first_at(booking.booked_at)?;
    changes(read, from, booking.seq, |seq, entry| {
        if number_of(&entry.change) == Some((campaign, booking.number)) {
            found.push(seq);
        }
        true
    })?;
    Ok(found)
}

/// Hands the entries of a range to `look`, until it says stop.
fn changes(
    read: &Read,
    from: Seq,
    to: Seq,
    mut look: impl FnMut(Seq, Entry) -> bool,
) -> Result<(), StoreFault> {
    let mut fault = None;
    read.blocks(from, |first, block| {
        for (at, bytes) in entries(block).enumerate() {
            let seq = Seq(first.0 + at as u64);
            if seq < from {
                continue;
            }
            if seq > to {
                return false;
            }
            let decoded = bytes.and_then(|bytes| {
                Entry::decode(bytes).map_err(|fault| format!("entry {seq} {fault}"))
            });
            let goes_on = match decoded {
                Ok(entry) => look(seq, entry),
                Err(what) => {
                    fault = Some(StoreFault::Damaged(what));
                    false
                }
            };
            if !goes_on {
                return false;
            }
        }
        true
    })?;
    fault.map_or(Ok(()), Err)
}
