//! `sumun audit prove`: proofs of entries, on a page or as files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::page;
use crate::cli::{Output, perform, told};
use crate::ops::folder::Folder;
use crate::ops::outcome::{Done, Proofs};
use crate::ops::work::Work;

/// `sumun audit prove`.
#[derive(Args, Clone, Debug)]
pub struct Prove {
    /// The number of a booking, or of an entry
    #[arg(value_name = "NUMBER|SEQ")]
    wanted: String,
    /// Write the page and a `.tlog-proof` file for each entry there, instead of printing the page
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl Prove {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let wanted = self.wanted.clone();
        let proofs = match perform(folder, Work::Prove { wanted }, None)? {
            Ok(Done::Proofs(proofs)) => proofs,
            other => return Ok(told::answer(other)),
        };
        match &self.into {
            Some(into) => write(&proofs, into),
            None => Ok(shown(&proofs)),
        }
    }
}

/// The page, and the proofs as text in JSON.
pub fn shown(proofs: &Proofs) -> Output {
    Output::done(page::of(proofs), json!(proofs))
}

fn write(proofs: &Proofs, into: &Path) -> anyhow::Result<Output> {
    fs::create_dir_all(into).with_context(|| format!("can't make {}", into.display()))?;
    let mut files = vec![("proof.html".to_owned(), page::of(proofs))];
    for entry in &proofs.entries {
        files.push((
            format!("entry-{}.tlog-proof", entry.seq),
            entry.proof.clone(),
        ));
    }
    for (name, text) in &files {
        let path = into.join(name);
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let human = format!("{} has now {}", into.display(), names.join(", "));
    let json = json!({ "files": names, "public_key": proofs.public_key });
    Ok(Output::done(human, json))
}
