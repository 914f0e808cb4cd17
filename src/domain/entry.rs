//! Journal entries and their bytes: the one form in which every change of state is recorded.
//!
//! An entry is `version | seq | stamp | previous hash | payload`, numbers big-endian, the payload
//! (actor and change) in postcard's format. Its hash is the SHA-256 of all its bytes, and the next
//! entry carries it: changing any byte of an entry breaks the chain at the entry after it, and the
//! signed head for the last. `Change` only ever grows at its end: postcard numbers its variants.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::ids::{BookingNumber, CampaignIndex, HoldId, PersonKey, Pool, Seq, SlotIndex};
use crate::domain::line::Given;
use crate::domain::shown;
use crate::domain::time::Stamp;

/// The first byte of every entry.
pub const VERSION: u8 = 1;
/// Version, sequence, stamp and previous hash.
const HEADER_BYTES: usize = 1 + 8 + 8 + 32;

/// The SHA-256 of an entry's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first entry carries as the hash of the entry before it.
    pub const NONE: Hash = Hash([0; 32]);

    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(hash)
    }

    pub fn parse(hex: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// Who caused an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The program itself: ends of holds, starts, clock steps.
    System,
    /// The person whom the change names.
    Citizen,
    /// Someone at the command line of this host, by account name.
    Operator(String),
}

/// The slots of a booking or hold, first dose first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Doses {
    pub first: SlotIndex,
    pub second: Option<SlotIndex>,
}

impl Doses {
    pub fn slots(self) -> impl Iterator<Item = SlotIndex> {
        std::iter::once(self.first).chain(self.second)
    }
}

/// What makes a repeated request recognisable, also after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Idempotency {
    /// From the person, the campaign and the Idempotency-Key.
    pub key: [u8; 16],
    /// From what was asked: operation, booking and body.
    pub request: [u8; 8],
}

/// Why a hold ended without a booking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    Expired,
    Released,
}

/// Why the rules said no.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedFor {
    NotEligible,
    NotOpenYet,
    OpeningClosed,
}

/// What operators can do to a gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAct {
    /// Nobody is called; people in session finish, or are frozen too.
    Pause {
        reason: String,
        freezes: bool,
    },
    Resume,
    Rate {
        admit_per_s: u32,
    },
    Active {
        active_max: u32,
    },
    /// A message for everybody; empty for none.
    Message {
        text: String,
    },
}

/// Everything that can change state. Slots, people and campaigns by index or pseudonym only.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The first entry of every journal.
    Founded {
        simulated_clock: bool,
        #[serde(serialize_with = "shown::hex")]
        head_public_key: [u8; 32],
    },
    /// The server started and has replayed everything before.
    Started { program: String },
    /// The wall clock moved away from the server's time by this much; it was not followed.
    ClockStepped { step_ns: i64 },
    /// The server started while the wall clock was behind the last entry by this much.
    ClockBehind { behind_ns: i64 },
    /// A campaign file came into force; the text is kept for ever.
    CampaignActivated {
        campaign: CampaignIndex,
        version: u32,
        source: String,
    },
    /// Sites added or corrected, by their position; an import may need several entries.
    SitesImported {
        campaign: CampaignIndex,
        rows: Vec<SiteRow>,
    },
    /// Slots added, or their capacity changed; an import may need several entries.
    SlotsImported {
        campaign: CampaignIndex,
        rows: Vec<SlotRow>,
    },
    /// A roster came into force. Its people are in the roster table, known here by a digest.
    RosterImported {
        version: u32,
        people: u64,
        #[serde(serialize_with = "shown::hex")]
        digest: [u8; 32],
        added: u64,
        changed: u64,
        gone: u64,
    },
    HoldPlaced {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        doses: Doses,
        pool: Pool,
        #[serde(serialize_with = "shown::instant")]
        until: Stamp,
        /// The person's earlier hold, given back by this entry.
        released: Option<HoldId>,
    },
    HoldEnded {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        hold: HoldId,
        reason: HoldEnd,
    },
    Booked {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        doses: Doses,
        pool: Pool,
        /// The hold whose seats became this booking's; none if they were free.
        hold: Option<HoldId>,
        /// Another hold of the person, given back by this entry.
        released: Option<HoldId>,
        /// The version of the rules that allowed it.
        rules: u32,
        #[serde(serialize_with = "shown::idempotency")]
        idempotency: Option<Idempotency>,
    },
    Moved {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        from: Doses,
        to: Doses,
        hold: Option<HoldId>,
        released: Option<HoldId>,
        #[serde(serialize_with = "shown::idempotency")]
        idempotency: Option<Idempotency>,
    },
    Cancelled {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        #[serde(serialize_with = "shown::text")]
        number: BookingNumber,
        doses: Doses,
        #[serde(serialize_with = "shown::idempotency")]
        idempotency: Option<Idempotency>,
    },
    /// Once per person, version of the rules and reason.
    Refused {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
        rules: u32,
        reason: RefusedFor,
    },
    /// Numbers `first` to `until` of the line may be given from now on.
    NumbersLeased {
        campaign: CampaignIndex,
        first: u64,
        until: u64,
    },
    /// People who have their number since the last such entry.
    PlacesGiven {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::places")]
        places: Vec<(PersonKey, Given)>,
    },
    /// Numbers up to this one have been called.
    ServingAdvanced {
        campaign: CampaignIndex,
        serving: u64,
    },
    /// The SHA-256 of the seed by which the lobby of an opening will be drawn.
    DrawCommitted {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::instant")]
        opening: Stamp,
        #[serde(serialize_with = "shown::hex")]
        commitment: [u8; 32],
    },
    /// The seed itself, at the opening.
    DrawRevealed {
        campaign: CampaignIndex,
        #[serde(serialize_with = "shown::instant")]
        opening: Stamp,
        #[serde(serialize_with = "shown::hex")]
        seed: [u8; 32],
    },
    /// An operator's act at the gate.
    GateSet {
        campaign: CampaignIndex,
        act: GateAct,
    },
    /// The key that signs places and sessions was replaced; its id in the tokens.
    TokenKeyRotated { id: u8 },
}

/// One record of the journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub seq: Seq,
    pub stamp: Stamp,
    pub previous: Hash,
    pub actor: Actor,
    pub change: Change,
}

/// Why bytes are not an entry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EntryFault {
    #[error("has only {0} bytes: cut short")]
    Short(usize),
    #[error("has version {0}, this program reads {VERSION}")]
    Version(u8),
    #[error("has a payload that can't be read: {0}")]
    Payload(String),
    #[error("has {0} bytes after its payload")]
    Trailing(usize),
}

impl Entry {
    /// Appends the entry's bytes and returns their hash.
    pub fn encode(&self, into: &mut Vec<u8>) -> Hash {
        let from = into.len();
        into.push(VERSION);
        into.extend_from_slice(&self.seq.0.to_be_bytes());
        into.extend_from_slice(&self.stamp.0.to_be_bytes());
        into.extend_from_slice(&self.previous.0);
        let payload = (&self.actor, &self.change);
        let written = postcard::to_extend(&payload, Tail(into));
        written.expect("writing to memory succeeds, and every change has a postcard form");
        Hash::of(&into[from..])
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, EntryFault> {
        let Some((header, payload)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(EntryFault::Short(bytes.len()));
        };
        if header[0] != VERSION {
            return Err(EntryFault::Version(header[0]));
        }
        let number = |at: usize| {
            let bytes: [u8; 8] = header[at..at + 8]
                .try_into()
                .expect("eight bytes of the header");
            u64::from_be_bytes(bytes)
        };
        let previous = header[17..]
            .try_into()
            .expect("the last 32 bytes of the header");
        let ((actor, change), rest) = postcard::take_from_bytes(payload)
            .map_err(|error| EntryFault::Payload(error.to_string()))?;
        if !rest.is_empty() {
            return Err(EntryFault::Trailing(rest.len()));
        }
        Ok(Self {
            seq: Seq(number(1)),
            stamp: Stamp(number(9) as i64),
            previous: Hash(previous),
            actor,
            change,
        })
    }
}

/// Lets postcard append to a buffer that has other entries in it.
struct Tail<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Tail<'_> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

/// The bytes that a head's Ed25519 signature covers.
pub fn head_message(seq: Seq, hash: &Hash, stamp: Stamp) -> Vec<u8> {
    let mut message = b"sumun head v1".to_vec();
    message.extend_from_slice(&seq.0.to_be_bytes());
    message.extend_from_slice(&hash.0);
    message.extend_from_slice(&stamp.0.to_be_bytes());
    message
}

#[cfg(test)]
mod tests {
    use super::*;
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
                prop_assert_eq!(Entry::decode(&again), Ok(entry));
            }
        }
    }
}
