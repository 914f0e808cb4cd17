//! `sumun person show` and `erase`.

use clap::{Args, Subcommand};

use super::{Output, work};
use crate::ops::folder::Folder;
use crate::ops::work::{PersonAct, Who, Work};

#[derive(Subcommand, Clone, Debug)]
pub enum PersonCommand {
    /// Show what is kept of a person; the look is put on record first
    #[command(
        after_help = "Example:\n  sumun person show --number 4K7Q-9Z2M-3P --reason \"letter of 20 \
                      July\""
    )]
    Show(Asked),
    /// Erase a person's name and telephone number; their bookings stay under the pseudonym
    #[command(
        after_help = "Example:\n  sumun person erase --number 4K7Q-9Z2M-3P --reason \"asked in \
                      writing\""
    )]
    Erase(Asked),
}

#[derive(Args, Clone, Debug)]
pub struct Asked {
    /// The person's invitation code; `-` asks for it on standard input, so that no list of
    /// processes shows it
    #[arg(
        long,
        value_name = "CODE",
        required_unless_present = "number",
        conflicts_with = "number"
    )]
    code: Option<String>,
    /// The number of a booking of theirs
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Why, without naming anybody: the reason is on record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub fn run(folder: &Folder, command: &PersonCommand) -> anyhow::Result<Output> {
    let (asked, act) = match command {
        PersonCommand::Show(asked) => (asked, PersonAct::Show),
        PersonCommand::Erase(asked) => (asked, PersonAct::Erase),
    };
    let who = match (&asked.code, &asked.number) {
        (Some(code), _) if code == "-" => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line)?;
            Who::Code(line.trim().to_owned())
        }
        (Some(code), _) => Who::Code(code.clone()),
        (None, number) => Who::Number(number.clone().unwrap_or_default()),
    };
    let asked = Work::Person {
        who,
        act,
        reason: asked.reason.clone(),
        origin: origin(),
    };
    work(folder, asked, None)
}

/// The address of the terminal, where the shell knows it.
pub(super) fn origin() -> String {
    let remote = std::env::var("SSH_CONNECTION").unwrap_or_default();
    match remote.split_whitespace().next() {
        Some(address) => format!("ssh {address}"),
        None => "console".to_owned(),
    }
}
