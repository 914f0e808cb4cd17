//! Operators' side of a running system: the data folder, their work on it, the control socket.

pub mod control;
pub mod folder;
pub mod work;
