//! What makes a change durable and seen: the single writer, published state, the daily log.

mod batch;
pub mod command;
pub mod core;
pub mod daylog;
pub mod in_flight;
pub mod open;
mod operate;
pub mod shared;
pub mod writer;
