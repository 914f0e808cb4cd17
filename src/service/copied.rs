//! How far copies of the journal are: as whoever copies says when it asks for more, and as the data
//! folder notes it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::clock::tick;
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::sync::locked;

/// The last entry that is in copies outside the data folder, and when that was said; and what the
/// data folder notes.
#[derive(Debug, Default)]
pub struct Copied {
    followed: Mutex<Option<(Seq, Instant)>>,
    noted: Mutex<Noted>,
}

/// What the data folder notes of copies and drills, as it was read last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Noted {
    pub places: Vec<Place>,
    /// When the last drill was, and whether it was good.
    pub drill: Option<(Stamp, bool)>,
}

/// A folder or file that has copies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    pub name: String,
    /// The last entry that is in it.
    pub last: Seq,
    /// When it was last known to have every entry.
    pub at: Stamp,
    /// When its newest full copy was made.
    pub full_at: Option<Stamp>,
}

impl Copied {
    /// Somebody has everything up to this entry.
    pub fn note(&self, seq: Seq) {
        *locked(&self.followed) = Some((seq, tick()));
    }

    /// The last that was said, and how long ago; none since the start of the server.
    pub fn last(&self) -> Option<(Seq, Duration)> {
        locked(&self.followed).map(|(seq, at)| (seq, at.elapsed()))
    }

    /// The notes of the data folder were read.
    pub fn note_all(&self, noted: Noted) {
        *locked(&self.noted) = noted;
    }

    pub fn noted(&self) -> Noted {
        locked(&self.noted).clone()
    }
}
