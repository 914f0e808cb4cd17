//! Rehearsals: a crowd that arrives, waits, books and gives up, against a running server or, on
//! virtual time, against the gate alone. Knows the server only by HTTP; decides nothing.
//!
//! `drive` is the loop, `scene` what people do, `pages` what browsers send and show, `answer` the
//! contract that every answer is held against, `record` what is kept, `report` what is shown.
//! `engine` drives plain scripts for the benchmarks over the same `wire`.

pub mod answer;
pub mod certify;
pub mod chart;
pub mod crowd;
pub mod curve;
pub mod drive;
pub mod engine;
pub mod evenings;
pub mod host;
pub mod http;
pub mod pages;
pub mod random;
pub mod record;
pub mod report;
pub mod scene;
pub mod simulate;
pub mod summary;
pub mod sweep;
pub mod target;
pub mod wire;
