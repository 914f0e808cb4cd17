//! What makes a change durable and seen: the single writer, published state, and what follows the
//! journal behind the writer.

mod background;
mod batch;
mod checkpointer;
pub mod command;
pub mod core;
pub mod daylog;
pub mod follow;
pub mod import;
pub mod in_flight;
pub mod key_change;
pub mod open;
mod operate;
mod relocation;
mod settler;
pub mod shared;
pub mod tree;
pub mod watch;
pub mod writer;
