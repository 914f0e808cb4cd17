//! Operators' side of a running system: the data folder, their work on it and what comes of
//! it, the control socket.

pub mod backup;
pub mod certificates;
pub mod control;
pub mod folder;
pub mod outcome;
pub mod work;
