//! The locks and atomics of `seats`, in one place so that a model checker can stand in for them.

pub use std::sync::atomic::{AtomicU64, Ordering};
pub use std::sync::{Arc, Mutex};
