//! Tests of the whole, through files, the command line and HTTP.

mod answers;
mod attempts;
mod booking;
mod client;
mod commands;
mod control;
mod crash;
mod crowd;
mod described;
mod door;
mod evenings;
mod exchange;
mod fairness;
mod gate;
mod health;
mod http;
mod rosters;
mod rules;
mod rush;
mod sample;
mod sessions;
mod spelling;
mod stampede;
mod tidy;
mod told;
mod world;
