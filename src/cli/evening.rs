//! `sumun audit evening`, and what `sumun audit verify` says of such a folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;

use super::{Output, verify};
use crate::audit::KeptHead;
use crate::audit::evening::{self, Checked, Expected, public_key_text, survey, write};
use crate::domain::ids::Seq;
use crate::domain::text::grouped;
use crate::ops::folder::Folder;

/// Write a signed folder that says how an opening went, to be read in a browser
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sumun audit evening --campaign adult-2021 --opening \
                  2021-07-19T20:00 /media/2021-07-19\n\nThe folder needs nothing of this host: \
                  open its index.html, and check it with\n  sumun audit verify \
                  /media/2021-07-19 --public-key KEY"
)]
pub struct Evening {
    /// The campaign
    #[arg(long, value_name = "ID")]
    campaign: String,
    /// When the opening began: a local time of the campaign, or with an offset
    #[arg(long, value_name = "T")]
    opening: String,
    /// Which one, if several began then
    #[arg(long, value_name = "N")]
    line: Option<u16>,
    /// Though the opening is not over yet: the evidence says so
    #[arg(long)]
    so_far: bool,
    /// The new folder; it must not exist, or be empty
    dir: PathBuf,
}

impl Evening {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let dir = &self.dir;
        let is_new = is_new(dir)?;
        let keys = folder.keys()?;
        let origin = folder.config(None)?.record_origin;
        let written = verify::with_view(folder, |read| {
            let mut wanted = survey(read)?.find(&self.campaign, &self.opening, self.line)?;
            wanted.origin.clone_from(&origin);
            fs::create_dir_all(dir).with_context(|| format!("can't make {}", dir.display()))?;
            let written = write(read, &keys, wanted, self.so_far, dir);
            if written.is_err() {
                take_back(dir, is_new);
            }
            Ok(written?)
        })?;
        let (figures, entries) = (&written.figures, written.entries);
        let key = keys.head_public_key_at(Seq(written.figures.span.last_entry));
        let mib =
            |bytes: u64| format!("{}.{} MiB", bytes >> 20, (bytes >> 10) % 1_024 * 10 / 1_024);
        let so_far = if figures.so_far {
            ", which is not over yet"
        } else {
            ""
        };
        let human = format!(
            "{}: the opening of {}{so_far}, {} numbers given and {} booked\nentries 1 to {}, {} as \
             lines and {} packed\nopen {}; its public key is {}\nfor minisign: {}",
            dir.display(),
            figures.opened.from,
            grouped(figures.numbers.given),
            grouped(figures.bookings.booked),
            grouped(written.last),
            mib(entries.bytes),
            mib(entries.packed_bytes),
            dir.join(evening::PAGE).display(),
            figures.journal.public_key,
            public_key_text(&key),
        );
        let json = json!({
            "dir": dir, "campaign": figures.campaign.id, "opening": figures.opened.from,
            "line": figures.line, "so_far": figures.so_far, "numbers_given": figures.numbers.given,
            "booked": figures.bookings.booked, "last": written.last,
            "export_bytes": entries.bytes, "packed_bytes": entries.packed_bytes,
            "public_key": figures.journal.public_key, "minisign_public_key": public_key_text(&key),
        });
        Ok(Output::done(human, json))
    }
}

/// Whether the folder is not there yet; one that has something in it is refused.
fn is_new(dir: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut files) => {
            ensure!(
                files.next().is_none(),
                "{} has something in it: name a folder that is empty, or not there yet",
                dir.display()
            );
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("can't write into {}", dir.display())),
    }
}

/// Takes away what was written before a fault; the folder was empty.
fn take_back(dir: &Path, is_new: bool) {
    for name in evening::COVERED
        .into_iter()
        .chain([evening::SUMS, evening::SIGNATURE])
    {
        let _ = fs::remove_file(dir.join(name));
    }
    if is_new {
        let _ = fs::remove_dir(dir);
    }
}

/// Checks a folder that `Evening` wrote.
pub fn check(
    dir: &Path,
    kept: Option<&KeptHead>,
    public_key: Option<[u8; 32]>,
) -> anyhow::Result<Output> {
    let expected = Expected {
        public_key,
        head: kept,
    };
    let checked =
        evening::check(dir, &expected).with_context(|| format!("can't read {}", dir.display()))?;
    Ok(answer(&checked, public_key.is_some()))
}

fn answer(checked: &Checked, is_key_given: bool) -> Output {
    let faults: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
    if !faults.is_empty() {
        let human = faults.iter().map(|fault| format!("FAULT: {fault}"));
        let human = human.collect::<Vec<_>>().join("\n");
        return Output::fault(human, json!({ "verified": false, "faults": faults }));
    }
    let mut human = format!(
        "verified: the evidence of {}, opening {}: {} figures are what entries 1 to {} say, hash \
         {}; all files are as signed",
        checked.campaign,
        checked.opening,
        grouped(checked.figures),
        grouped(checked.last),
        checked.hash
    );
    if checked.so_far {
        human += "\nthe opening was not over when it was made";
    }
    if !is_key_given {
        human += &format!(
            "\nsigned by the key that is in it, {}: compare it with one that you have from \
             elsewhere, or give that with --public-key",
            checked.public_key
        );
    }
    let json = json!({
        "verified": true, "campaign": checked.campaign, "opening": checked.opening,
        "so_far": checked.so_far, "last": checked.last, "hash": checked.hash,
        "figures": checked.figures, "public_key": checked.public_key,
        "public_key_given": is_key_given,
    });
    Output::done(human, json)
}
