//! `sumun backup follow`: its settings, and its words.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::Output;
use super::keep::SealedTo;
use crate::ops::backup::follow::{self, Settings, Told};
use crate::ops::backup::notes::Notes;
use crate::ops::folder::Folder;

/// Copies into a folder.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sumun backup follow /media/copies --to age1…\n\nThe folder may \
                        be a mount that comes and goes. `sumun restore /media/copies --data NEW` \
                        restores the newest state, or that of any time that is kept."
)]
pub struct Follow {
    /// The folder of the copies
    folder: PathBuf,
    #[command(flatten)]
    sealed: SealedTo,
    /// Seconds between two looks for something new
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    every: f64,
    /// Hours between two full copies
    #[arg(long, value_name = "HOURS", default_value_t = 24,
          value_parser = clap::value_parser!(u64).range(1..=87_600))]
    full_every: u64,
    /// Days back to which a restore is wanted; older copies are removed
    #[arg(long, value_name = "DAYS", default_value = "30d", value_parser = days)]
    keep: u64,
    /// MB a second that a full copy takes at the most
    #[arg(long, value_name = "MB_PER_S", default_value_t = 100,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    full_rate: u64,
    /// Copies were in the folder before and are gone: begin with a full copy
    #[arg(long)]
    begin_anew: bool,
    /// Copy what is new once, and end
    #[arg(long)]
    once: bool,
}

/// Whole days, as 30 or 30d.
pub fn days(text: &str) -> Result<u64, String> {
    let days = text.strip_suffix('d').unwrap_or(text).parse::<u64>();
    let days = days.map_err(|_| "write whole days, as 30d".to_owned())?;
    if (1..=36_500).contains(&days) {
        Ok(days)
    } else {
        Err("from 1d to 36500d".to_owned())
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "that is not a number".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("from 0.1 to 3600".to_owned())
    }
}

impl Follow {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let recipients = self.sealed.of(folder)?;
        let same = |one: &Path, other: &Path| {
            let whole = |path: &Path| path.canonicalize().ok();
            whole(one).is_some_and(|one| whole(other).is_some_and(|other| one == other))
        };
        anyhow::ensure!(
            !same(&self.folder, folder.path()),
            "{} is the data folder itself: copies belong on another disk",
            self.folder.display()
        );
        anyhow::ensure!(
            !recipients.has_passphrase(),
            "a passphrase costs a second of work for every file: seal to a key (`sumun keys \
             recipient FILE` makes one)"
        );
        if self.begin_anew {
            Notes::of(folder).forget(&self.folder)?;
        }
        if recipients.is_empty() {
            eprintln!(
                "sumun: these copies are NOT sealed: whoever has {} reads them; name recipients \
                 with --to, or in {}",
                self.folder.display(),
                folder.recipients().display()
            );
        }
        let follow = follow::Follow {
            folder,
            into: &self.folder,
            recipients: &recipients,
            settings: Settings {
                every: Duration::from_secs_f64(self.every),
                full_every: Duration::from_secs(self.full_every * 3600),
                keep: Duration::from_secs(self.keep * 86_400),
                full_rate_bytes: Some(self.full_rate * 1_000_000),
            },
        };
        if self.once {
            let mut told = follow.pass(&mut None)?;
            if follow.is_full_due() {
                told.extend(follow.full()?.map(Told::Full));
            }
            let lines: Vec<_> = told.iter().filter_map(words).collect();
            let fault = told.iter().any(|told| matches!(told, Told::NoServer));
            let human = if lines.is_empty() {
                "nothing is new".to_owned()
            } else {
                lines.join("\n")
            };
            let json = json!({ "told": lines });
            return Ok(Output { human, json, fault });
        }
        super::serve::start_log("info");
        let (ask_to_stop, stop) = mpsc::channel();
        stop_on_signal(ask_to_stop)?;
        follow.run(&stop, |told| log(&told));
        Ok(Output::nothing())
    }
}

/// Says stop when systemd or a person does.
fn stop_on_signal(stop: mpsc::Sender<()>) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let signals = {
        let _here = runtime.enter();
        (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        )
    };
    let waiting = std::thread::Builder::new().name("signals".to_owned());
    waiting.spawn(move || {
        let (mut terminate, mut interrupt) = signals;
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        let _ = stop.send(());
    })?;
    Ok(())
}

fn log(told: &Told) {
    match told {
        Told::Entries(about) => {
            tracing::debug!(first = about.first, last = about.last, "copied");
        }
        Told::Full(about) => {
            tracing::info!(
                last = about.last,
                bytes = about.bytes,
                "a full copy was made"
            );
        }
        Told::Pruned(files) => tracing::info!(files, "copies that nothing needs were removed"),
        Told::SetAside(folder) => tracing::warn!(
            folder = %folder.display(),
            "the copies are of another journal: they were put aside, and new ones begin"
        ),
        Told::NoServer => tracing::warn!("no server runs on the data folder: waiting for one"),
        Told::GoesOn => tracing::info!("copying goes on"),
        Told::Fault(fault) => tracing::error!(error = %fault, "nothing can be copied: trying on"),
    }
}

fn words(told: &Told) -> Option<String> {
    Some(match told {
        Told::Full(about) => format!("a full copy up to entry {}", about.last),
        Told::Entries(about) => format!("entries {} to {}", about.first, about.last),
        Told::Pruned(files) => format!("{files} copies that nothing needs were removed"),
        Told::SetAside(folder) => format!(
            "the copies were of another journal: they are in {} now; run it again to begin anew",
            folder.display()
        ),
        Told::NoServer => "no server runs on the data folder: nothing was copied".to_owned(),
        Told::GoesOn | Told::Fault(_) => return None,
    })
}
