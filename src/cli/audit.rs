//! `sumun audit`: export, verify, head.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::Value;

use super::{Answer, keep, work};
use crate::audit::{export, verify_export};
use crate::domain::ids::Seq;
use crate::folder::Folder;
use crate::operations::Work;

#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// Print entries as JSON lines, each with its exact bytes
    #[command(after_help = "Example:\n  sumun audit export --from 1 > entries.jsonl")]
    Export {
        /// The first entry
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
        /// The last entry; the newest if not given
        #[arg(long, value_name = "SEQ")]
        to: Option<u64>,
    },
    /// Check an export, or the data file of the folder
    #[command(after_help = "Example:\n  sumun audit verify entries.jsonl --head head.json")]
    Verify {
        /// What `export` printed; the folder's data file if not given
        file: Option<PathBuf>,
        /// What `head --json` printed earlier: finds a tail that was cut since
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
    /// Print the signed head, to be kept somewhere else
    #[command(after_help = "Example:\n  sumun audit head --json > head.json")]
    Head,
}

pub fn run(folder: &Folder, command: &AuditCommand) -> anyhow::Result<Answer> {
    match command {
        AuditCommand::Head => work(folder, Work::Head, None),
        AuditCommand::Export { from, to } => {
            let (from, to) = (Seq(*from), Seq(to.unwrap_or(u64::MAX)));
            keep::with_view(folder, |read| {
                let mut out = BufWriter::new(std::io::stdout().lock());
                export(read, from, to, &mut out)?;
                Ok(out.flush()?)
            })?;
            Ok(Answer::done("", Value::Null))
        }
        AuditCommand::Verify {
            file: Some(file),
            head,
        } => {
            let kept = head.as_deref().map(keep::read_head).transpose()?;
            let source =
                File::open(file).with_context(|| format!("can't open {}", file.display()))?;
            match verify_export(BufReader::new(source), kept.as_ref()) {
                Ok(verified) => Ok(keep::answer(&verified)),
                Err(fault) => Ok(keep::found(&fault.to_string())),
            }
        }
        AuditCommand::Verify { file: None, head } => keep::verify(folder, None, head.as_deref()),
    }
}
