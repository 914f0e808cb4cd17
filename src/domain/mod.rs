//! What the system knows and decides: pure, deterministic, no I/O, no clock, no randomness.

pub mod apply;
pub mod campaign;
pub mod campaign_diff;
pub mod catalog;
pub mod contact;
pub mod crockford;
pub mod decide;
pub mod eligibility;
pub mod entry;
pub mod gate_act;
pub mod growing;
pub mod ids;
pub mod kinds;
pub mod line;
pub mod preview;
pub mod refusal;
pub mod roster;
pub mod shown;
pub mod site;
pub mod state;
pub mod text;
pub mod time;
pub mod timeline;
