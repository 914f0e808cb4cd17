//! Rehearsals: a crowd that arrives, waits, books and gives up, against a running server or, on
//! virtual time, against the gate alone. Knows the server only by HTTP; decides nothing.

pub mod engine;
pub mod http;
pub mod simulate;
