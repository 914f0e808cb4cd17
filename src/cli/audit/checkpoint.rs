//! `sumun audit checkpoint`: the signed note itself, so that it can be piped into a file.

use clap::Args;
use serde_json::json;

use crate::cli::{Output, perform, told};
use crate::ops::folder::Folder;
use crate::ops::outcome::{CheckpointSeen, Done};
use crate::ops::work::Work;

/// `sumun audit checkpoint`.
#[derive(Args, Clone, Debug)]
pub struct Checkpoint {
    /// With the proof that it continues the checkpoint of so many entries
    #[arg(long, value_name = "SIZE")]
    since: Option<u64>,
    /// Print it as a QR code too, to be kept on paper
    #[arg(long)]
    qr: bool,
    /// Print what verifies it instead
    #[arg(long, conflicts_with_all = ["since", "qr"])]
    public_key: bool,
}

impl Checkpoint {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let since = self.since;
        let seen = match perform(folder, Work::Checkpoint { since }, None)? {
            Ok(Done::Checkpoint(seen)) => seen,
            other => return Ok(told::answer(other)),
        };
        let mut output = shown(&seen);
        if self.public_key {
            output.human = seen.public_key;
        } else if self.qr {
            output = told::with_qr(output, &seen.note);
        }
        Ok(output)
    }
}

/// The note without its last line end, which printing adds.
pub fn shown(seen: &CheckpointSeen) -> Output {
    let text = seen.continued.as_ref().unwrap_or(&seen.note);
    Output::done(text.trim_end_matches('\n'), json!(seen))
}
