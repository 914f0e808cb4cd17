//! The simulation: the real writer on storage that fails and under clocks that step, against an
//! independent model; exhaustive failure, tampering, and properties of the codecs.

mod bounds;
mod check;
mod clocks;
mod damages;
mod disk;
mod exhaustive;
mod gate;
mod keeper;
mod life;
mod model;
mod properties;
mod random;
mod run;
mod seeds;
mod story;
mod tamper;
mod vault;
mod world;

// The gate's simulation has a file of the program in it, which names this as its own crate's.
use sumun::domain;
