//! What the people of a line were told at one moment, and what the gate did with the line then.
//!
//! The keeper journals it once a minute while anybody has a number of the line, so that a record of
//! an evening can compare the waits that were told with those that people had. It is pure figures:
//! nobody is named, and nothing of the state follows from it.

use serde::{Deserialize, Serialize};

/// Why people wait for longer than they were told. Variants are appended: entries have them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitBecause {
    /// Nobody is called; the wait counts from when it goes on.
    Paused,
    /// The servers are busy, and fewer are let in for a while.
    Busy,
    /// As many are in as may be, and they take their time.
    Full,
    /// Operators lowered the rate.
    Lowered,
    /// Another opening runs too, and those who wait for it are let in as well.
    Shared,
}

impl WaitBecause {
    pub fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Lowered => "lowered",
            Self::Shared => "shared",
        }
    }
}

/// A line at one moment, as its people were told of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The last number that somebody had.
    pub newest: u64,
    /// The last number that was called.
    pub serving: u64,
    /// People with a number that was not called.
    pub waiting: u64,
    /// People who came after their turn had been given on, and wait for the next free turn.
    pub late: u64,
    /// People in session, of all lines of the gate.
    pub active: u64,
    /// The wait that the last person of the line was told: least and most, in seconds.
    pub wait_s: [u64; 2],
    /// Why it was longer than people had been told before.
    pub because: Option<WaitBecause>,
    /// The measured pace that the wait was worked out with: people called in 1,000 seconds.
    pub called_per_1000_s: u64,
    /// The rate that was set for the whole gate, in people a second.
    pub admit_per_s: u32,
    /// The most people in session that were allowed.
    pub active_max: u32,
    /// How much of the rate the brake left, in thousandths.
    pub brake_permille: u16,
    /// How much of the rate this line had, in thousandths.
    pub share_permille: u16,
}
