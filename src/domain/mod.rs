//! What the system knows and decides: pure, deterministic, no I/O, no clock, no randomness.

pub mod contact;
pub mod crockford;
pub mod ids;
pub mod roster;
pub mod site;
pub mod time;
