//! What makes it durable: the data file, the journal in it, the single writer and its recovery.

mod batch;
pub mod command;
pub mod core;
pub mod open;
mod operate;
pub mod recovery;
pub mod shared;
pub mod store;
pub mod writer;
