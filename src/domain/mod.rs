//! What the system knows and decides: pure, deterministic, no I/O, no clock, no randomness.

pub mod campaign;
pub mod campaign_diff;
pub mod crockford;
pub mod eligibility;
pub mod ids;
pub mod kinds;
pub mod preview;
pub mod site;
pub mod time;
pub mod timeline;
