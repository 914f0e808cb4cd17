//! Identifiers as distinct types, so that a site can never be passed where a slot is meant.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::domain::crockford;

/// A person's keyed pseudonym: the first 16 bytes of HMAC-SHA-256 over the invitation code.
///
/// The key of that HMAC is not in the data file, so the journal alone names nobody. 128 bits keep
/// the chance of two people of 60 million sharing a key under 10⁻²³.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonKey(pub [u8; 16]);

impl fmt::Display for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEXLOWER.encode_mut_str(&self.0, &mut [0; 32]))
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKey({self})")
    }
}

macro_rules! index {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default,
        )]
        #[derive(Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl $name {
            /// The position as an array index.
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

index!(
    /// A campaign's position in the order of first activation.
    CampaignIndex, u16);
index!(
    /// A line's position in its campaign. Each opening has one; it is the same line while the
    /// opening is postponed, lengthened or given other cohorts.
    LineIndex, u16);
index!(
    /// A site's position in its campaign, in the order of import.
    SiteIndex, u32);
index!(
    /// A slot's position in its campaign, in the order of import.
    SlotIndex, u32);
index!(
    /// A vaccine's position in its campaign file.
    VaccineIndex, u8);
index!(
    /// A relocation's position in its campaign.
    RelocationIndex, u16);
index!(
    /// A hold is named by the sequence of the journal entry that placed it.
    HoldId, u64);
index!(
    /// The place of an entry in the journal; the first is 1.
    Seq, u64);

/// A campaign's name in addresses and files: 1 to 64 of `a-z`, `0-9` and `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CampaignId(String);

impl CampaignId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CampaignId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 64 || !text.bytes().all(fits) {
            return Err(format!(
                "`{text}` is not a campaign id: use 1 to 64 of a-z, 0-9 and `-`"
            ));
        }
        Ok(Self(text))
    }
}

impl From<CampaignId> for String {
    fn from(id: CampaignId) -> String {
        id.0
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The part of a slot's capacity kept for one channel. More pools are added at the end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// People who book for themselves.
    Public,
    /// People helped by telephone or at a counter.
    Assisted,
    /// People who come through another organisation's service.
    Partner,
    /// People who come without a booking.
    WalkIn,
    /// Nobody yet: seats that are opened to the public later.
    Later,
}

/// How many pools there are.
pub const POOLS: usize = 5;

/// Seats of a slot, each pool's at `Pool as usize`.
pub type Seats = [u16; POOLS];

impl Pool {
    pub const ALL: [Self; POOLS] = [
        Self::Public,
        Self::Assisted,
        Self::Partner,
        Self::WalkIn,
        Self::Later,
    ];

    /// The pool's name in files and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Assisted => "assisted",
            Self::Partner => "partner",
            Self::WalkIn => "walk_in",
            Self::Later => "later",
        }
    }
}

/// What a person reads over the telephone to name a booking: nine Crockford characters and a check
/// character, written in groups as `7K3M-9QXT-2R`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BookingNumber(pub u64);

impl BookingNumber {
    /// Reads what a person typed: any case, hyphens or spaces anywhere, O for 0, I and L for 1.
    pub fn parse(text: &str) -> Result<Self, crockford::Fault> {
        crockford::parse(text).map(Self)
    }
}

impl fmt::Display for BookingNumber {
    /// A damaged entry can carry a number that no booking has: it is shown, and never a panic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= crockford::VALUES {
            return write!(f, "no-booking-{}", self.0);
        }
        let text = crockford::format(self.0);
        write!(f, "{}-{}-{}", &text[..4], &text[4..8], &text[8..])
    }
}

impl fmt::Debug for BookingNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BookingNumber({self})")
    }
}
