//! `sumun audit export`: entries as lines, or hash tiles with their checkpoint.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use rayon::prelude::*;
use serde_json::json;

use crate::audit::export;
use crate::audit::tiles::TileFolder;
use crate::cli::{Output, perform, told, verify};
use crate::domain::ids::Seq;
use crate::ops::folder::Folder;
use crate::ops::outcome::Done;
use crate::ops::work::Work;
use crate::tree::checkpoint::Signed;
use crate::tree::proof;
use crate::tree::tile::Tile;

/// `sumun audit export`.
#[derive(Args, Clone, Debug)]
pub struct Export {
    /// The first entry
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    from: u64,
    /// The last entry; the newest if not given
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Write the newest checkpoint and its hash tiles (C2SP tlog-tiles) there instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from", "to"])]
    tiles: Option<PathBuf>,
}

impl Export {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        match &self.tiles {
            Some(into) => tiles(folder, into),
            None => entries(folder, self.from, self.to),
        }
    }
}

fn entries(folder: &Folder, from: u64, to: Option<u64>) -> anyhow::Result<Output> {
    let (from, to) = (Seq(from), Seq(to.unwrap_or(u64::MAX)));
    verify::with_view(folder, |read| {
        anyhow::ensure!(from <= to, "--from {from} is behind --to {to}");
        anyhow::ensure!(from != Seq(0), "entries are counted from 1");
        let there = read.hash_at(from)?.is_some();
        anyhow::ensure!(there, "the journal has no entry {from}: it ends before");
        let mut out = BufWriter::new(std::io::stdout().lock());
        match export(read, from, to, &mut out) {
            Ok(_) => seen_enough_is_no_fault(out.flush().map_err(Into::into)),
            Err(fault) => seen_enough_is_no_fault(Err(fault.into())),
        }
    })?;
    Ok(Output::nothing())
}

/// Whoever reads an export may stop early, as `head` does.
fn seen_enough_is_no_fault(written: anyhow::Result<()>) -> anyhow::Result<()> {
    let is_broken_pipe = |error: &anyhow::Error| {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
        causes.any(|cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe)
    };
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => written,
    }
}

/// Copies the tiles of the newest checkpoint, and checks the copy. Full tiles never change: those
/// that are there already are not written again.
fn tiles(folder: &Folder, into: &Path) -> anyhow::Result<Output> {
    let seen = match perform(folder, Work::Checkpoint { since: None }, None)? {
        Ok(Done::Checkpoint(seen)) => seen,
        other => return Ok(told::answer(other)),
    };
    let checkpoint = Signed::unchecked(&seen.note)?.checkpoint;
    fs::create_dir_all(into).with_context(|| format!("can't make {}", into.display()))?;
    let (from, to) = (TileFolder::at(folder.tree()), TileFolder::at(into));
    if let Some(there) = to.checkpoint()? {
        let there = Signed::unchecked(&there).map(|signed| signed.checkpoint);
        let goes_on = there.is_ok_and(|there| {
            there.origin == checkpoint.origin
                && there.size <= checkpoint.size
                && proof::root(there.size, &mut from.nodes(checkpoint.size))
                    .is_ok_and(|root| root == there.root)
        });
        anyhow::ensure!(
            goes_on,
            "{} has tiles of another record, or of more entries, or of a fork of this one: keep \
             them, and give another folder",
            into.display()
        );
    }
    let all: Vec<Tile> = Tile::all(checkpoint.size).collect();
    let copied: anyhow::Result<Vec<bool>> = all
        .par_iter()
        .map(|tile| {
            if tile.is_full() && to.read(*tile).is_ok() {
                return Ok(false);
            }
            let bytes = from.read(*tile)?;
            let written = to.write(*tile, &bytes);
            written.with_context(|| format!("can't write {tile} into {}", into.display()))?;
            Ok(true)
        })
        .collect();
    let written = copied?.into_iter().filter(|is_new| *is_new).count();
    to.check(checkpoint.size, &checkpoint.root)?;
    let done = to.put_checkpoint(&seen.note);
    done.with_context(|| format!("can't write into {}", into.display()))?;
    let human = format!(
        "{} has now the checkpoint of {} entries and its {} tiles ({written} new); what verifies \
         them is the key\n{}",
        into.display(),
        checkpoint.size,
        all.len(),
        seen.public_key
    );
    let json = json!({
        "size": checkpoint.size, "tiles": all.len(), "written": written,
        "public_key": seen.public_key, "origin": seen.origin,
    });
    Ok(Output::done(human, json))
}
