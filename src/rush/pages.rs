//! The shipped pages as a browser has them: what it sends for them (`request`), what it keeps
//! (`cookies`), and what a person reads on them (`document`). `scene` decides who does what.

pub mod cookies;
pub mod document;
pub mod request;
