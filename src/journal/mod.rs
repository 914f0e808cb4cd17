//! The journal as it lies on the disk, and how a state is made of it.

pub mod recovery;
pub mod store;
