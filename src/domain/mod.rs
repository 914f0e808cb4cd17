//! What the system knows and decides: pure, deterministic, no I/O, no clock, no randomness.
//!
//! By subject: `campaign` (the file and its rules), `agency` (its words and looks), `booking`
//! (sites, slots, what is decided), `line`, `roster`, `staff`
//! (the people behind the desk); `spelling`, how all of it is written; around
//! them the journal's entries and the state that they make.

pub mod agency;
pub mod apply;
pub mod booking;
pub mod campaign;
pub mod crockford;
pub mod entry;
pub mod growing;
pub mod ids;
pub mod line;
pub mod personal;
pub mod pieces;
pub mod repeats;
pub mod roster;
pub mod shown;
pub mod spelling;
pub mod staff;
pub mod state;
pub mod text;
pub mod time;
