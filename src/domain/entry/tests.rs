//! The form of entries, bit by bit where it matters. `tests/sim/properties.rs` has any entry.

use super::*;
use crate::domain::ids::{BookingNumber, CampaignIndex, HoldId, PersonKey, Pool, SlotIndex};
use proptest::prelude::*;

fn booked() -> Entry {
    Entry {
        seq: Seq(7),
        stamp: Stamp(1_626_692_400_000_000_000),
        previous: Hash([3; 32]),
        actor: Actor::Citizen,
        change: Change::Booked {
            campaign: CampaignIndex(0),
            person: PersonKey([9; 16]),
            number: BookingNumber(123),
            doses: Doses {
                first: SlotIndex(4),
                second: Some(SlotIndex(900)),
            },
            pool: Pool::Public,
            hold: Some(HoldId(5)),
            released: None,
            rules: 1,
            idempotency: Some(Idempotency {
                key: [1; 16],
                request: [2; 8],
            }),
        },
    }
}

fn bytes_of(change: Change) -> Vec<u8> {
    let mut bytes = Vec::new();
    Entry { change, ..booked() }.encode(&mut bytes);
    bytes
}

#[test]
fn comes_back_from_its_bytes() {
    let mut bytes = vec![0xAA];
    let hash = booked().encode(&mut bytes);
    assert_eq!(hash, Hash::of(&bytes[1..]));
    assert_eq!(Entry::decode(&bytes[1..]), Ok(booked()));
}

#[test]
fn a_cut_or_longer_entry_is_refused() {
    let mut bytes = Vec::new();
    booked().encode(&mut bytes);
    for length in 0..bytes.len() {
        assert!(Entry::decode(&bytes[..length]).is_err(), "cut to {length}");
    }
    bytes.push(0);
    assert_eq!(Entry::decode(&bytes), Err(EntryFault::Trailing(1)));
}

#[test]
fn another_version_is_named() {
    let mut bytes = Vec::new();
    booked().encode(&mut bytes);
    bytes[0] = 1;
    let fault = Entry::decode(&bytes).unwrap_err();
    assert_eq!(fault.to_string(), "has version 1, this program reads 2");
}

#[test]
fn an_entry_may_have_60_000_bytes_and_not_one_more() {
    let started = |length: usize| {
        bytes_of(Change::Started {
            program: "x".repeat(length),
        })
    };
    let around = started(20_000).len() - 20_000;
    let most = ENTRY_BYTES_MAX - around;
    assert!(Entry::decode(&started(most)).is_ok());
    let fault = Entry::decode(&started(most + 1));
    assert_eq!(fault, Err(EntryFault::Long(ENTRY_BYTES_MAX + 1)));
}

/// The bytes of a slot's capacities: all of an entry from the length of the list on.
fn with_capacities(list: &[u8]) -> Result<Entry, EntryFault> {
    let row = crate::domain::booking::site::SlotRow {
        site: crate::domain::ids::SiteIndex(1),
        vaccine: crate::domain::ids::VaccineIndex(0),
        date: crate::domain::time::Day(0),
        start_min: 540,
        start: Stamp(1),
        end: Stamp(2),
        capacity: [0; crate::domain::ids::POOLS],
    };
    let mut bytes = bytes_of(Change::PieceAdded {
        campaign: CampaignIndex(0),
        part: 0,
        piece: Piece::Slots(vec![row]),
    });
    assert_eq!(bytes.pop(), Some(0), "no pool has seats: the list is empty");
    bytes.extend_from_slice(list);
    Entry::decode(&bytes)
}

fn capacities(list: &[u8]) -> Result<crate::domain::ids::Seats, EntryFault> {
    let Change::PieceAdded {
        piece: Piece::Slots(rows),
        ..
    } = with_capacities(list)?.change
    else {
        panic!("it is a piece of slots");
    };
    Ok(rows[0].capacity)
}

#[test]
fn capacities_are_a_list_by_pool_to_which_pools_can_be_added() {
    assert_eq!(capacities(&[0]), Ok([0; 5]));
    assert_eq!(capacities(&[1, 5]), Ok([5, 0, 0, 0, 0]));
    assert_eq!(capacities(&[3, 0, 5, 7]), Ok([0, 5, 7, 0, 0]));
    assert_eq!(capacities(&[4, 1, 2, 3, 4]), Ok([1, 2, 3, 4, 0]));
    assert_eq!(capacities(&[6, 1, 2, 3, 4, 5, 6]), Err(EntryFault::Unknown));
    let words = EntryFault::Unknown.to_string();
    assert!(
        words.contains("more pools than this program knows"),
        "{words}"
    );
}

#[test]
fn bytes_that_mean_the_same_in_another_form_are_refused() {
    // A zero at the end of a list, and a five in two bytes.
    assert_eq!(capacities(&[2, 5, 0]), Err(EntryFault::Form));
    assert_eq!(capacities(&[1, 0x85, 0]), Err(EntryFault::Form));
}

#[test]
fn an_operators_name_is_cut_between_characters() {
    assert_eq!(Actor::operator("root"), Actor::Operator("root".to_owned()));
    let Actor::Operator(cut) = Actor::operator(&"가".repeat(100)) else {
        panic!("an operator");
    };
    assert_eq!(cut, "가".repeat(actor::ACCOUNT_BYTES_MAX / 3));
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Entry::decode(&bytes);
    }

    #[test]
    fn any_payload_is_answered(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&[0; 48]);
        bytes.extend_from_slice(&payload);
        if let Ok(entry) = Entry::decode(&bytes) {
            let mut again = Vec::new();
            entry.encode(&mut again);
            prop_assert_eq!(bytes, again);
        }
    }
}
