//! Sumun (수문, the floodgate): a fair waiting room and a durable reservation engine in one program.
//!
//! The modules in reading order: `domain` is pure and decides; `seats` counts; `journal` keeps and
//! `engine` changes; `identity` knows who asks; `gate` lets them in; `service` is what people can
//! do; `web`, `ops` and `cli` are the doors.
#![forbid(unsafe_code)]

pub mod audit;
pub mod availability;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod events;
pub mod files;
pub mod gate;
pub mod identity;
pub mod journal;
pub mod keys;
pub mod measure;
pub mod ops;
pub mod plot;
pub mod qr;
pub mod regions;
pub mod rush;
pub mod seats;
pub mod server;
pub mod service;
mod sync;
pub mod systemd;
pub mod tls;
pub mod tree;
pub mod web;
