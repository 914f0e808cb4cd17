//! The proof of a person's booking: the entry that made it, the one that changed it last, and that
//! the newest signed checkpoint has both.
//!
//! It is for the person alone, and carries the entries' bytes: with them it shows what was booked,
//! and not only that something was. They hold no name and no telephone number, but the booking's
//! number and the pseudonym.

use super::{Answered, Here, Refused, Service};
use crate::domain::ids::{PersonKey, Seq};
use crate::domain::state::Booking;
use crate::engine::tree::prove::{ProveFault, Proved, made};
use crate::engine::tree::{NAME, NotProved, Record};
use crate::journal::store::Read;

/// An entry is in a checkpoint within this time, while the tree is not behind: it looks each second
/// and signs every two.
const READY_IN_S: u32 = 4;
/// Somebody has to look first, or tiles are being written anew.
const READY_LATER_S: u32 = 60;

/// What is proved of a booking.
#[derive(Clone, PartialEq, Debug)]
pub struct BookingProof {
    pub booking: Booking,
    /// The key that verifies the checkpoints, as text.
    pub public_key: String,
    /// The entry that made the booking and, if another did, the one that changed it last; those
    /// that a checkpoint has.
    pub entries: Vec<Proved>,
    /// When to ask again for what is not in a checkpoint yet.
    pub ready_in_s: Option<u32>,
}

impl Service {
    /// Proves the person's latest booking, also when it was cancelled.
    pub fn proof_of_booking(&self, here: &Here, person: &PersonKey) -> Answered<BookingProof> {
        let booking = {
            let state = self.shared.state();
            let campaign = state.campaign(here.index).ok_or(Refused::NotFound)?;
            campaign.latest_booking(person).copied()
        };
        let booking = booking.ok_or(Refused::NoBooking)?;
        let later = Refused::Overloaded {
            retry_after_s: READY_LATER_S,
        };
        let record = self.shared.record.get().ok_or(later.clone())?;
        let unread = |fault: &dyn std::fmt::Display| {
            tracing::error!(%fault, "the proof of a booking can't be made");
            later.clone()
        };
        let read = self.store.read().map_err(|fault| unread(&fault))?;
        let first = made(&read, here.index, &booking).map_err(|fault| unread(&fault))?;
        let mut seqs: Vec<Seq> = first.into_iter().chain([booking.seq]).collect();
        seqs.dedup();
        let mut proof = BookingProof {
            booking,
            public_key: record.key().to_string(),
            entries: Vec::new(),
            ready_in_s: None,
        };
        for seq in seqs {
            match prove(record, &read, seq) {
                Ok(Some(proved)) => proof.entries.push(proved),
                Ok(None) => proof.ready_in_s = Some(self.tree_ready_in_s()),
                Err(fault) => return Err(unread(&fault)),
            }
        }
        Ok(proof)
    }

    /// How soon an entry of now is in a checkpoint.
    fn tree_ready_in_s(&self) -> u32 {
        let committed = self.shared.state().seq;
        let behind = self.shared.followers.behind(committed);
        let tree = behind.iter().find(|behind| behind.name == NAME);
        let is_well = tree.is_some_and(|tree| tree.fault.is_none() && tree.seconds < 10);
        if is_well { READY_IN_S } else { READY_LATER_S }
    }
}

/// None while no checkpoint has the entry.
fn prove(record: &Record, read: &Read, seq: Seq) -> Result<Option<Proved>, ProveFault> {
    match record.proved(read, seq) {
        Err(ProveFault::NotProved(NotProved::NotYet { .. })) => Ok(None),
        proved => proved.map(Some),
    }
}
