//! `sumun audit witness`: on another host, with a key of its own.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::verify::read_key;
use crate::audit::given::Given;
use crate::audit::tiles::TileFolder;
use crate::audit::witness::{Brought, Witness, WitnessFault};
use crate::cli::Output;
use crate::clock::Clock;
use crate::domain::time::Stamp;

#[derive(Subcommand, Clone, Debug)]
pub enum WitnessCommand {
    /// Make a witness's folder and key, and print its public key
    #[command(
        after_help = "Example:\n  sumun audit witness init /var/lib/witness --name \
                      witness.example.org/1"
    )]
    Init {
        /// The new folder
        folder: PathBuf,
        /// The name under which it signs: a host and a path, without a scheme
        #[arg(long)]
        name: String,
    },
    /// Check that a checkpoint continues what was seen before, and print it cosigned
    #[command(
        after_help = "Example:\n  sumun audit witness cosign /var/lib/witness /media/record \
                      --public-key KEY > cosigned\n  sumun audit witness cosign /var/lib/witness \
                      continued > cosigned"
    )]
    Cosign {
        /// The witness's folder
        folder: PathBuf,
        /// A folder of tiles, or what `audit checkpoint --since SIZE` printed
        from: PathBuf,
        /// The record's key, the first time that it is seen
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
        /// The proof of the entry by which the record replaced its key; the new key is --public-key
        #[arg(long, value_name = "PROOF", requires = "public_key")]
        rotated: Option<PathBuf>,
    },
    /// Print which records were seen, and how far
    #[command(after_help = "Example:\n  sumun audit witness seen /var/lib/witness")]
    Seen {
        /// The witness's folder
        folder: PathBuf,
    },
}

pub fn run(command: &WitnessCommand) -> anyhow::Result<Output> {
    match command {
        WitnessCommand::Init { folder, name } => {
            let public = Witness::init(folder, name)?;
            let json = json!({ "public_key": public.to_string() });
            Ok(Output::done(public.to_string(), json))
        }
        WitnessCommand::Seen { folder } => Ok(seen(&Witness::open(folder)?)),
        WitnessCommand::Cosign {
            folder,
            from,
            public_key,
            rotated,
        } => cosign(folder, from, public_key.as_deref(), rotated.as_deref()),
    }
}

fn cosign(
    folder: &Path,
    from: &Path,
    key: Option<&str>,
    rotated: Option<&Path>,
) -> anyhow::Result<Output> {
    let mut witness = Witness::open(folder)?;
    let brought = if from.is_dir() {
        Brought::Tiles(TileFolder::at(from))
    } else {
        match Given::of_file(from).with_context(|| format!("can't use {}", from.display()))? {
            Given::Continued(continued) => Brought::Continued(continued),
            Given::Checkpoint(signed) => Brought::Checkpoint(Box::new(signed)),
            Given::Proof(_) | Given::Entries(_) => anyhow::bail!(
                "{} is no checkpoint: bring a folder of tiles, or what `sumun audit checkpoint` \
                 printed",
                from.display()
            ),
        }
    };
    let key = key.map(read_key).transpose()?;
    let time_s = u64::try_from(Clock::real().now().0 / Stamp::SECOND)?;
    let rotated = match rotated.map(Given::of_file).transpose()? {
        None => None,
        Some(Given::Proof(proof)) => Some(proof),
        Some(_) => anyhow::bail!("--rotated takes the proof of an entry (entry-SEQ.tlog-proof)"),
    };
    match witness.cosign(&brought, key.as_ref(), rotated.as_ref(), time_s) {
        Ok(note) => {
            let note = note.to_string();
            let json = json!({ "cosigned": true, "note": note });
            Ok(Output::done(note.trim_end_matches('\n'), json))
        }
        Err(fault) => {
            let is_fork = matches!(fault, WitnessFault::Fork { .. });
            let json = json!({ "cosigned": false, "fork": is_fork, "fault": fault.to_string() });
            Ok(Output::fault(format!("NOT COSIGNED: {fault}"), json))
        }
    }
}

fn seen(witness: &Witness) -> Output {
    let lines = witness
        .seen()
        .iter()
        .map(|(origin, seen)| format!("{origin}: {} entries, root {}", seen.size, seen.root));
    let human: Vec<String> = lines.collect();
    let human = if human.is_empty() {
        "no record was seen yet".to_owned()
    } else {
        human.join("\n")
    };
    let public = witness.public().to_string();
    Output::done(
        human,
        json!({ "public_key": public, "seen": witness.seen() }),
    )
}
