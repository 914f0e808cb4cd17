//! The command line. One file a subject; each command returns an `Output`, `main` prints it.

pub mod access;
pub mod agency;
pub mod audit;
pub mod campaign;
pub mod certs;
pub mod demo;
pub mod doctor;
pub mod evening;
pub mod follow;
pub mod gate;
pub mod guide;
pub mod import;
mod journal;
pub mod keep;
pub mod keys;
pub mod languages;
pub mod person;
pub mod rush;
pub mod serve;
pub mod staff;
mod told;
pub mod verify;

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use serde_json::Value;

use crate::clock::Clock;
use crate::domain::entry::Actor;
use crate::domain::state::State;
use crate::domain::text::{for_terminal, json_for_terminal};
use crate::engine::command::{Command as Ask, Outcome};
use crate::engine::tree;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::outcome::Finished;
use crate::ops::work::{self, Prepared, Work};

/// What a command has to say, for a person and for a script.
#[derive(Debug)]
pub struct Output {
    /// Text for a terminal, without a final line end.
    pub human: String,
    /// One JSON object for `--json`.
    pub json: Value,
    /// Whether it refused or found a fault: exit code 1 instead of 0.
    pub fault: bool,
}

impl Output {
    pub fn done(human: impl Into<String>, json: Value) -> Self {
        Self {
            human: human.into(),
            json,
            fault: false,
        }
    }

    pub fn fault(human: impl Into<String>, json: Value) -> Self {
        Self {
            human: human.into(),
            json,
            fault: true,
        }
    }

    /// Nothing to say: it printed by itself, or there is nothing.
    pub fn nothing() -> Self {
        Self::done("", Value::Null)
    }

    /// Prints to standard output; what has nothing to say prints nothing. Texts from an old journal
    /// or a file may hold what a terminal would obey: that is escaped.
    pub fn print(&self, json: bool) -> io::Result<()> {
        if json && !self.json.is_null() {
            print_line(&json_for_terminal(&self.json.to_string()))
        } else if !json && !self.human.is_empty() {
            print_line(&for_terminal(&self.human))
        } else {
            Ok(())
        }
    }
}

/// Prints a line to standard output. Whoever reads it may have seen enough, as `head` has.
pub fn print_line(line: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A fair waiting room and durable reservations for a whole country's vaccinations
#[derive(Parser, Debug)]
#[command(version, after_help = "Example:\n  sumun demo --plain-http")]
pub struct Sumun {
    /// The data folder; ./data/state in a checkout, /var/lib/sumun otherwise
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Take the clock's time for right, though the folder was not in use for more than a day before
    #[arg(long, global = true)]
    pub accept_clock: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a data folder: keys, an authority and a certificate, an empty data file, settings
    #[command(
        after_help = "Example:\n  sumun init --data /var/lib/sumun --name book.example.go.kr"
    )]
    Init {
        /// A host name or address that the certificate is for, beside this host itself
        #[arg(long = "name", value_name = "DNS")]
        names: Vec<String>,
    },
    /// Run a whole example: generated people, sites and slots, two minutes before an opening
    Demo(demo::Demo),
    /// Serve a data folder
    #[command(after_help = "Example:\n  sumun serve --data /var/lib/sumun")]
    Serve {
        /// Settings; server.toml of the data folder if not given
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Check, compare, try out and activate campaign files
    #[command(subcommand)]
    Campaign(campaign::CampaignCommand),
    /// Check, compare and activate what an agency says and how it looks
    #[command(subcommand)]
    Agency(agency::AgencyCommand),
    /// Import the list of people, or count them
    #[command(subcommand)]
    Roster(import::RosterCommand),
    /// Import the sites of a campaign
    #[command(subcommand)]
    Sites(import::SitesCommand),
    /// Import the slots of a campaign
    #[command(subcommand)]
    Slots(import::SlotsCommand),
    /// Pause, resume and steer the gate of a running server
    Gate {
        /// The campaign; the only one if not given
        #[arg(long, global = true, value_name = "ID")]
        campaign: Option<String>,
        #[command(subcommand)]
        command: gate::GateCommand,
    },
    /// Add languages to the pages
    #[command(subcommand)]
    Languages(languages::LanguagesCommand),
    /// Replace the key that signs places and sessions; seal a folder's keys, or put them into one
    #[command(
        subcommand_value_name = "ACT",
        after_help = "Example:\n  sumun keys rotate --data /var/lib/sumun"
    )]
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Show, renew and ask for the server's certificate
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Copy everything into one file, or what is new into a folder every few seconds
    #[command(
        after_help = "Example:\n  sumun backup /media/copies/2021-07-19.sumun --to age1…\n  sumun \
                            backup follow /media/copies --to age1…\n\nThe secrets in keys.json \
                            are not in it: `sumun keys export` copies them."
    )]
    Backup(keep::Backup),
    /// Check a copy and make it the data file of a folder
    #[command(
        after_help = "Example:\n  sumun restore /media/copies --data /var/lib/sumun --identity \
                            key.txt\n  sumun restore /media/copies --data NEW --to-time \
                            2021-07-19T20:30:00+09:00\n  sumun restore /media/copies --drill"
    )]
    Restore(keep::Restore),
    /// Check a data file or copy: chain, seats, signed heads, roster
    #[command(after_help = "Example:\n  sumun verify 2021-07-19.sumun --head head.json")]
    Verify(verify::Verify),
    /// Export entries and check them offline
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Show or erase what is kept of one person
    #[command(subcommand)]
    Person(person::PersonCommand),
    /// Accounts of the people behind the desk
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Rehearse an opening: a crowd that arrives, waits and books, and a report
    Rush(Box<rush::Rush>),
    /// Print the operator's guide of this version as one HTML file
    #[command(after_help = "Example:\n  sumun guide --lang ko > guide.html")]
    Guide {
        #[arg(long, value_enum, default_value = "en")]
        lang: guide::GuideLanguage,
    },
    /// Check this host: settings, keys, certificate, clock, disk, limits, permissions, copies
    #[command(after_help = "Example:\n  sumun doctor --data /var/lib/sumun")]
    Doctor,
}

#[derive(Subcommand, Clone, Debug)]
pub enum KeysCommand {
    /// Replace a key: of places and sessions if no other is named; what the present one signed
    /// stays good until the next time
    #[command(
        after_help = "Example:\n  sumun keys rotate\n\nAfter a theft of keys.json:\n  sumun \
                            keys rotate --revoke\n  sumun keys rotate --personal\n  sumun keys \
                            rotate --heads"
    )]
    Rotate {
        /// Refuse all that was signed before, at once: everybody enters again, to the same place
        #[arg(long)]
        revoke: bool,
        /// Seal names and telephone numbers, and compare names, with other keys
        #[arg(long, conflicts_with_all = ["revoke", "heads"])]
        personal: bool,
        /// Sign the journal's heads with another key, which the present one vouches for
        #[arg(long, conflicts_with = "revoke")]
        heads: bool,
    },
    /// Remove former keys of names and telephone numbers: copies that were made before can't be
    /// opened in that part any more
    #[command(after_help = "Example:\n  sumun keys forget")]
    Forget,
    /// Seal keys, settings, accounts, certificates and languages into one file
    #[command(after_help = "Example:\n  sumun keys export /media/keys/2021-07-19.age --to age1…")]
    Export {
        /// The new file; it must not exist
        file: PathBuf,
        /// Where keys.json is, if it is a credential and not in the data folder
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
        #[command(flatten)]
        sealed: keep::SealedTo,
    },
    /// Put what `keys export` sealed into a data folder
    #[command(
        after_help = "Example:\n  sumun keys import 2021-07-19.age --identity key.txt --data NEW"
    )]
    Import {
        file: PathBuf,
        #[command(flatten)]
        opened: keep::OpenedWith,
    },
    /// Make a secret key that opens copies, and print its recipient
    #[command(
        after_help = "Example:\n  sumun keys recipient copies.key\n\nKeep the file where the host \
                            is not: whoever has it can open the copies. Its recipient (age1…) is \
                            no secret."
    )]
    Recipient {
        /// The new file of the secret key
        file: PathBuf,
    },
}

/// Runs a command.
pub fn run(sumun: Sumun) -> anyhow::Result<Output> {
    // What a command makes is for the server's user and group, whatever the shell's umask.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
    let folder = Folder::at(sumun.data.clone().unwrap_or_else(default_folder));
    let folder = folder.accepting_clock(sumun.accept_clock);
    match sumun.command {
        Command::Init { names } => serve::init(&folder, &names),
        Command::Certs(command) => certs::run(&folder, &command),
        Command::Demo(demo) => demo::run(&folder, &demo, sumun.json),
        Command::Serve { config } => serve::serve(&folder, config.as_deref()),
        Command::Campaign(campaign::CampaignCommand::Check { file }) => {
            import::check_campaign(&folder, &file)
        }
        Command::Campaign(command) => match campaign::run_pure(&command) {
            Some(answer) => answer,
            None => import::campaign(&folder, &command),
        },
        Command::Agency(command) => agency::run(&folder, command),
        Command::Roster(command) => import::roster(&folder, &command),
        Command::Sites(import::SitesCommand::Import {
            file,
            campaign,
            written,
        }) => {
            let encoding = written.encoding();
            let import = Work::ImportSites { campaign, encoding };
            work(&folder, import, Some(&file))
        }
        Command::Slots(import::SlotsCommand::Import {
            file,
            campaign,
            written,
        }) => {
            let encoding = written.encoding();
            let import = Work::ImportSlots { campaign, encoding };
            work(&folder, import, Some(&file))
        }
        Command::Gate { campaign, command } => gate::run(&folder, command, campaign),
        Command::Languages(command) => languages::run(&folder, &command),
        Command::Keys { command } => keys::run(&folder, &command),
        Command::Backup(backup) => backup.run(&folder),
        Command::Restore(restore) => restore.run(&folder),
        Command::Verify(verify) => verify.run(&folder),
        Command::Audit(command) => audit::run(&folder, &command),
        Command::Person(command) => person::run(&folder, &command),
        Command::Staff(command) => staff::run(&folder, command),
        Command::Rush(rush) => rush::run(&folder, *rush, sumun.json),
        Command::Guide { lang } => Ok(guide::run(lang)),
        Command::Doctor => doctor::run(&folder),
    }
}

fn default_folder() -> PathBuf {
    let in_checkout = Path::new("Cargo.toml").exists() && Path::new("src/main.rs").exists();
    PathBuf::from(if in_checkout {
        "data/state"
    } else {
        "/var/lib/sumun"
    })
}

/// The clock that a folder needs for work by hand: real time, or the time of a demo's last entry.
pub fn clock_of(state: &State) -> Clock {
    match state.founded {
        Some(founded) if founded.simulated_clock => Clock::simulated(state.stamp, 1.0),
        _ => Clock::real(),
    }
}

/// Does an operator's work, and puts into words what came of it.
pub fn work(folder: &Folder, work: Work, file: Option<&Path>) -> anyhow::Result<Output> {
    perform(folder, work, file).map(told::answer)
}

/// Does an operator's work: in the server that runs on the folder, or here if none does.
pub fn perform(folder: &Folder, work: Work, file: Option<&Path>) -> anyhow::Result<Finished> {
    if let Some(server) = control::connect(&folder.socket())? {
        return control::ask(server, work, file);
    }
    // What only looks writes no entry, so no clock can do harm.
    let folder = folder.clone().accepting_clock(work.is_lookup());
    let mut core = folder.open(clock_of)?;
    let now = core.clock().now();
    let source: Box<dyn std::io::Read + Send> = match file {
        Some(file) => Box::new(control::open_source(file)?),
        None => Box::new(std::io::empty()),
    };
    let shared = std::sync::Arc::clone(core.shared());
    let keys = std::sync::Arc::clone(core.keys());
    let store = std::sync::Arc::clone(core.store());
    if work.needs_tree() {
        let origin = folder.config(None)?.record_origin;
        let key = tree::key_of(&keys, &shared, origin.as_deref())?;
        tree::catch_up(&store, &shared, &keys, key, &folder.tree())?;
    }
    let (operation, then) =
        match work::prepare(&work, source, &shared, &store, &keys, folder.path(), now)? {
            Prepared::Finished(finished) => return Ok(finished),
            Prepared::Then(operation, done) => (operation, Some(done)),
            Prepared::Operation(operation) => (operation, None),
        };
    let operator = control::account_name(rustix::process::getuid().as_raw());
    let (reply, mut answer) = tokio::sync::oneshot::channel();
    let mut queue = VecDeque::from([Ask::Operate {
        actor: Actor::operator(&operator),
        operation,
        reply,
    }]);
    core.step(&mut queue)?;
    core.mark_vault()?;
    core.close()?;
    let outcome = answer.try_recv().unwrap_or(Outcome::Unknown);
    Ok(match then {
        Some(done) => work::then(outcome, *done),
        None => work::finished(outcome),
    })
}
