//! What the board needs of the public listener, which this layer does not know: its counts.

use crate::measure::Counted;

/// The classes of answers, the most important first. What makes a booking final is `confirm`.
pub const CLASSES: [&str; 6] = ["confirm", "session", "enter", "poll", "browse", "free"];

/// What the public listener has counted since the server started.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct DoorCounts {
    /// Times from when a request has come whole until its answer is ready to leave; by `CLASSES`.
    pub answers: [Counted; CLASSES.len()],
    /// Refusals by problem code. Always the same codes in the same order.
    pub refusals: Vec<(&'static str, u64)>,
    /// Requests that were told to come back later, by class. Always the same classes.
    pub put_off: Vec<(&'static str, u64)>,
    /// Connections that are open.
    pub connections: u64,
    pub connections_max: u64,
}

/// The public listener.
pub trait Counting: Send + Sync {
    fn counts(&self) -> DoorCounts;
}
