//! Made-up people, sites and slots for a running example, for tests and for measurements.
//!
//! Owns plausible input in the forms of the real files. It must not use real randomness: the same
//! seed gives the same people on every machine, so that a demo can be started again.
//!
//! Invariants: codes, telephone numbers and site ids are unique; everything made here passes the
//! readers of `files`.

mod people;
mod random;
mod sites;
mod slots;
mod tables;

pub use people::{GeneratedPerson, PEOPLE_MAX, People, people};
pub use sites::sites;
pub use slots::{FIRST_DOSE_DAYS, SECOND_DOSE_AFTER_DAYS, slots};
