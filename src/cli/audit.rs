//! `sumun audit`: what an auditor takes away, and what checks it elsewhere.

mod checkpoint;
mod draw;
mod export;
mod page;
mod prove;
mod verify;
mod witness;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Output, evening, told, work};
use crate::ops::folder::Folder;
use crate::ops::work::Work;

pub(super) use checkpoint::shown as checkpoint_shown;
pub(super) use prove::shown as proofs_shown;

#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// Print entries as JSON lines, each with its exact bytes; or write tiles
    #[command(
        after_help = "Example:\n  sumun audit export --from 1 > entries.jsonl\n  sumun audit \
                      export --tiles /media/record"
    )]
    Export(export::Export),
    /// Check an export, tiles, a proof or a checkpoint; or the data file of the folder
    #[command(
        after_help = "Example:\n  sumun audit verify entries.jsonl --head head.json\n  sumun audit \
                      verify /media/record --public-key book.example+0a1b2c3d+AY4…\n\nEverything \
                      is hashed again: no hash that stands in a file is believed."
    )]
    Verify(verify::Verify),
    Evening(evening::Evening),
    /// Draw again from an export what was drawn by lot, and check that the seed was fixed before
    #[command(after_help = "Example:\n  sumun audit draw entries.jsonl --person 0f3a…")]
    Draw {
        /// What `export` printed, from entry 1 on
        file: PathBuf,
        /// A person key: the number that this person drew
        #[arg(long, value_name = "KEY")]
        person: Option<String>,
    },
    /// Who looked at whose personal data in a month, for its review
    Access(super::access::Access),
    /// Put on record that the looks of a month were reviewed, and what was found
    Reviewed(super::access::Reviewed),
    /// Print the signed head, to be kept somewhere else
    #[command(after_help = "Example:\n  sumun audit head --json > head.json")]
    Head {
        /// Print it as a QR code too, to be kept on paper
        #[arg(long)]
        qr: bool,
    },
    /// Print the signed checkpoint of the tree, which programs of others verify
    #[command(
        after_help = "Example:\n  sumun audit checkpoint > checkpoint\n  sumun audit checkpoint \
                      --since 20852163 > continued"
    )]
    Checkpoint(checkpoint::Checkpoint),
    /// Prove that an entry, or what was booked under a number, is in the record
    #[command(
        after_help = "Example:\n  sumun audit prove 7K3M-9QXT-2R > proof.html\n  sumun audit prove \
                      20852163 --into /media/proofs"
    )]
    Prove(prove::Prove),
    /// On another host: cosign checkpoints that continue what was seen before
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
}

pub fn run(folder: &Folder, command: &AuditCommand) -> anyhow::Result<Output> {
    match command {
        AuditCommand::Draw { file, person } => draw::draws(file, person.as_deref()),
        AuditCommand::Head { qr } => {
            let head = work(folder, Work::Head, None)?;
            let text = head.json.to_string();
            Ok(if *qr {
                told::with_qr(head, &text)
            } else {
                head
            })
        }
        AuditCommand::Access(access) => access.run(folder),
        AuditCommand::Reviewed(reviewed) => reviewed.run(folder),
        AuditCommand::Evening(evening) => evening.run(folder),
        AuditCommand::Export(export) => export.run(folder),
        AuditCommand::Verify(verify) => verify.run(folder),
        AuditCommand::Checkpoint(checkpoint) => checkpoint.run(folder),
        AuditCommand::Prove(prove) => prove.run(folder),
        AuditCommand::Witness(command) => witness::run(command),
    }
}
