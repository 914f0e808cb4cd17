//! How far whoever copies the journal has come, as each says when it asks for more.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::clock::tick;
use crate::domain::ids::Seq;
use crate::sync::locked;

/// The last entry that is in copies outside the data folder, and when that was said.
#[derive(Debug, Default)]
pub struct Copied(Mutex<Option<(Seq, Instant)>>);

impl Copied {
    /// Somebody has everything up to this entry.
    pub fn note(&self, seq: Seq) {
        *locked(&self.0) = Some((seq, tick()));
    }

    /// The last that was said, and how long ago; none since the start of the server.
    pub fn last(&self) -> Option<(Seq, Duration)> {
        locked(&self.0).map(|(seq, at)| (seq, at.elapsed()))
    }
}
