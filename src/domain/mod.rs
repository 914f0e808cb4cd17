//! What the system knows and decides: pure, deterministic, no I/O, no clock, no randomness.

pub mod crockford;
pub mod ids;
pub mod site;
pub mod time;
