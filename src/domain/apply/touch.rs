//! Reads the rows of the state that entries will need, before the entries are applied.
//!
//! A replay of a whole country's bookings waits for memory most of the time: each entry needs rows
//! of a person, of slots and of a request, which lie anywhere in some gigabytes. A processor
//! fetches many rows at the same time, but only if nothing has to be finished in between, and
//! applying an entry finishes all its checks and counts. So the rows of some entries are read first
//! and only then are these entries applied.

use std::hint::black_box;

use crate::domain::entry::{Change, Doses, Entry, Idempotency};
use crate::domain::ids::{CampaignIndex, PersonKey};
use crate::domain::state::State;

/// Reads what applying this entry will read. It changes nothing, and need not be complete: an entry
/// whose rows were not read is applied all the same.
pub fn touch(state: &State, entry: &Entry) {
    let Some((index, person, doses, asked)) = needed(&entry.change) else {
        return;
    };
    let Some(campaign) = state.campaign(index) else {
        return;
    };
    black_box(campaign.standings.get(person));
    for slot in doses.into_iter().flat_map(Doses::slots) {
        black_box(campaign.usage.get(slot.at()).copied());
        black_box(campaign.catalog.slot(slot).map(|slot| slot.capacity));
    }
    if let Some(Idempotency { key, .. }) = asked {
        black_box(campaign.repeats.get(key, entry.stamp));
    }
}

type Needed<'a> = (
    CampaignIndex,
    &'a PersonKey,
    Option<Doses>,
    &'a Option<Idempotency>,
);

/// Whose rows, which slots' and which request's.
fn needed(change: &Change) -> Option<Needed<'_>> {
    match change {
        Change::HoldPlaced {
            campaign,
            person,
            doses,
            ..
        } => Some((*campaign, person, Some(*doses), &None)),
        Change::HoldEnded {
            campaign, person, ..
        }
        | Change::HoldExtended {
            campaign, person, ..
        } => Some((*campaign, person, None, &None)),
        Change::Booked {
            campaign,
            person,
            doses,
            idempotency,
            ..
        }
        | Change::Moved {
            campaign,
            person,
            to: doses,
            idempotency,
            ..
        }
        | Change::Cancelled {
            campaign,
            person,
            doses,
            idempotency,
            ..
        } => Some((*campaign, person, Some(*doses), idempotency)),
        Change::MoveOffered {
            campaign,
            person,
            to,
            ..
        }
        | Change::Relocated {
            campaign,
            person,
            to,
            ..
        } => Some((*campaign, person, Some(*to), &None)),
        _ => None,
    }
}
