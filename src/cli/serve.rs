//! `sumun init` and `sumun serve`.

use std::path::Path;

use anyhow::Context as _;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use serde_json::json;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::{Output, certs, journal};
use crate::clock::Clock;
use crate::ops::folder::{FIRST_ADMIN, Folder};
use crate::server;
use crate::systemd::Started;

pub fn init(folder: &Folder, names: &[String]) -> anyhow::Result<Output> {
    let password = folder.init_for(&Clock::real(), &certs::names(names)?)?;
    let path = folder.path().display();
    let human = format!(
        "{path} is ready: data file, keys.json, server.toml, a certificate\n\
         clients that trust certs/authority.pem take it; for one of the agency's own authority: \
         sumun certs request\n\
         first administrator: {FIRST_ADMIN}, password: {password}  (shown once, stored nowhere)\n\
         it is good for setting your own at the desk\n\
         `sumun keys export` seals keys.json and more: without it a copy is of no use\n\
         next: sumun campaign activate FILE; roster import FILE; sites import FILE; slots import \
         FILE; serve (each with --data {path})"
    );
    let json = json!({ "data": folder.path(), "admin": FIRST_ADMIN, "password": password });
    Ok(Output::done(human, json))
}

/// Serves until a signal.
pub fn serve(folder: &Folder, file: Option<&Path>) -> anyhow::Result<Output> {
    // No core file, and no process of the same user, reads names and keys from this one's memory.
    let not_dumped = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    not_dumped.context("can't forbid core files")?;
    let started = Started::from_environment()?;
    let config = folder.config(file)?;
    start_log(&config.log);
    if file.is_none() && !folder.settings().exists() {
        tracing::warn!("server.toml is missing: without it only this host can reach the server");
    }
    let core = folder.open(|_| Clock::real())?;
    server::run(core, folder, &config, started, |_| {})?;
    Ok(Output::nothing())
}

/// Structured logs on standard error: a JSON object a line, with the level as the journal reads
/// it in front when the journal does. Nothing personal is ever handed to them.
pub fn start_log(level: &str) {
    let filter = EnvFilter::new(format!("{level},actix_server=warn,mio=warn"));
    let writer = if journal::reads_stderr() {
        BoxMakeWriter::new(journal::Levelled)
    } else {
        BoxMakeWriter::new(std::io::stderr)
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    let started = log
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .try_init();
    if started.is_err() {
        eprintln!("sumun: a log is running already");
    }
}
