//! Checkpoints of the record and proofs out of it, for operators and auditors.

use std::sync::Arc;
use std::time::Duration;

use super::Prepared;
use crate::clock::tick;
use crate::domain::entry::{Change, Doses};
use crate::domain::ids::{BookingNumber, Seq, SlotIndex};
use crate::engine::shared::Shared;
use crate::engine::tree::prove::{ProveFault, Proved, all_of};
use crate::engine::tree::{NotProved, Record};
use crate::journal::store::Store;
use crate::keys::Keys;
use crate::ops::outcome::{CheckpointSeen, Done, EntryProof, Proofs, ProvedDose, WorkRefused};

/// How long a caller waits for what is committed to be in a checkpoint, and how often it is looked.
const LEVEL_MAX: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

/// Waits until the newest checkpoint has everything that is committed now. A tree that is further
/// behind than that is no fault here: its newest checkpoint is given.
fn await_level(shared: &Shared, record: &Record) {
    let (committed, began) = (shared.state().seq.0, tick());
    let has_all = || {
        let latest = record.latest();
        latest.is_some_and(|signed| signed.checkpoint.size >= committed)
    };
    while !has_all() && began.elapsed() < LEVEL_MAX {
        std::thread::sleep(LOOK);
    }
}

/// The newest checkpoint; with `since` also the proof that it continues the one of so many entries.
pub(super) fn checkpoint(shared: &Shared, since: Option<u64>) -> Prepared {
    let record = match record(shared) {
        Ok(record) => record,
        Err(why) => return Prepared::fault(why),
    };
    await_level(shared, record);
    let Some(signed) = record.latest() else {
        return Prepared::fault(refused(&NotProved::NotYet { size: 0 }));
    };
    let continued = match since.map(|old| record.continued(old)).transpose() {
        Ok(continued) => continued.map(|proof| proof.to_string()),
        Err(fault) => return Prepared::fault(refused(&fault)),
    };
    Prepared::done(Done::Checkpoint(CheckpointSeen {
        origin: signed.checkpoint.origin.clone(),
        size: signed.checkpoint.size,
        root: signed.checkpoint.root.to_string(),
        public_key: record.key().to_string(),
        note: signed.note.to_string(),
        continued,
    }))
}

/// Proofs of an entry, or of all entries of a booking.
pub(super) fn prove(
    wanted: &str,
    shared: &Shared,
    store: &Store,
    keys: &Keys,
) -> anyhow::Result<Prepared> {
    let record = match record(shared) {
        Ok(record) => record,
        Err(why) => return Ok(Prepared::fault(why)),
    };
    let read = store.read()?;
    let mut seqs = Vec::new();
    if let Ok(seq @ 1..) = wanted.parse() {
        seqs.push(Seq(seq));
    } else if let Ok(number) = BookingNumber::parse(wanted) {
        let index = keys.booking_index(number);
        let bookings: Vec<_> = {
            let state = shared.state();
            let of = state.campaigns.iter().filter_map(|campaign| {
                let booking = campaign.bookings.get(usize::try_from(index?).ok()?)?;
                (booking.number == number).then_some((campaign.catalog.index, *booking))
            });
            of.collect()
        };
        for (campaign, booking) in bookings {
            seqs.extend(all_of(&read, campaign, &booking)?);
        }
        if seqs.is_empty() {
            let why = format!("the journal has no booking {number}");
            return Ok(Prepared::fault(WorkRefused::new(why)));
        }
    } else {
        let why = format!("`{wanted}` is neither a booking number nor the number of an entry");
        return Ok(Prepared::fault(WorkRefused::new(why)));
    }
    await_level(shared, record);
    let mut entries = Vec::new();
    for seq in seqs {
        match record.proved(&read, seq) {
            Ok(proved) => entries.push(shown(&proved, shared)),
            Err(ProveFault::Store(fault)) => return Err(fault.into()),
            Err(fault) => return Ok(Prepared::fault(WorkRefused::new(fault.to_string()))),
        }
    }
    Ok(Prepared::done(Done::Proofs(Proofs {
        public_key: record.key().to_string(),
        entries,
    })))
}

fn shown(proved: &Proved, shared: &Shared) -> EntryProof {
    let entry = &proved.entry;
    let (what, campaign) = match &entry.change {
        Change::Booked { campaign, .. } => ("booked", Some(*campaign)),
        Change::Moved { campaign, .. } | Change::Relocated { campaign, .. } => {
            ("moved", Some(*campaign))
        }
        Change::Cancelled { campaign, .. } => ("cancelled", Some(*campaign)),
        _ => ("other", None),
    };
    let state = shared.state();
    let campaign = campaign.and_then(|index| state.campaign(index));
    let dose = |at: SlotIndex| {
        let catalog = &campaign?.catalog;
        let slot = catalog.slot(at)?;
        let site = &catalog.sites[slot.site.at()].row;
        Some(ProvedDose {
            slot: at.0,
            start: catalog.campaign.zone.rfc3339(slot.start),
            site: site.site.clone(),
            name: site.name_ko.clone(),
            vaccine: catalog.campaign.vaccines[slot.vaccine.at()].id.clone(),
        })
    };
    let doses = proved.doses().into_iter();
    EntryProof {
        seq: entry.seq.0,
        stamp: entry.stamp.instant().to_string(),
        what: what.to_owned(),
        doses: doses.flat_map(Doses::slots).filter_map(dose).collect(),
        campaign: campaign.map(|campaign| campaign.id.to_string()),
        proof: proved.inclusion.to_string(),
    }
}

fn record(shared: &Shared) -> Result<&Arc<Record>, WorkRefused> {
    let none = || WorkRefused::new("this server does not follow the journal with a tree");
    shared.record.get().ok_or_else(none)
}

fn refused(fault: &NotProved) -> WorkRefused {
    WorkRefused::new(fault.to_string())
}
