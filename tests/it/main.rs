//! Tests of the whole, through files, the command line and HTTP.

mod booking;
mod client;
mod commands;
mod control;
mod crash;
mod crowd;
mod door;
mod gate;
mod http;
mod rules;
mod rush;
mod stampede;
mod tidy;
mod world;
