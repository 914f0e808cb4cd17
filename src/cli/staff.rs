//! `sumun staff`: accounts of the desk.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use data_encoding::BASE32_NOPAD;
use serde_json::json;

use super::{Output, work};
use crate::clock::wall;
use crate::domain::entry::Role;
use crate::domain::staff::Bounds;
use crate::domain::text::grouped;
use crate::identity::staff::otp;
use crate::ops::folder::Folder;
use crate::ops::outcome::StaffAccount;
use crate::ops::work::Work;
use crate::ops::work::staff::StaffWork;

/// Takes the name of a role.
fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    let names = PossibleValuesParser::new(Role::ALL.map(Role::name));
    names.map(|name| Role::named(&name).expect("it is one of these names"))
}

#[derive(Subcommand, Clone, Debug)]
pub enum StaffCommand {
    /// Make an account; prints the password for its first time, once
    #[command(after_help = "Example:\n  sumun staff add kim --role approver")]
    Add {
        /// 2 to 40 of a-z, 0-9, `.`, `-` and `_`, a letter first
        name: String,
        #[arg(long, value_name = "ROLE", value_parser = role())]
        role: Role,
        /// A site that the account is for
        #[arg(long = "site", value_name = "SITE")]
        sites: Vec<String>,
        /// A province that the account is for, as 11
        #[arg(long = "province", value_name = "CODE")]
        provinces: Vec<String>,
        /// A campaign that the account is for
        #[arg(long = "campaign", value_name = "ID")]
        campaigns: Vec<String>,
    },
    /// Show all accounts
    List,
    /// End an account: nobody signs in to it, and its sessions are over
    #[command(after_help = "Example:\n  sumun staff disable kim")]
    Disable { name: String },
    /// Let an ended account sign in again
    Enable { name: String },
    /// Give an account another password for its first time, and end its sessions
    #[command(after_help = "Example:\n  sumun staff reset admin")]
    Reset { name: String },
    /// Print the one-time code that an app with this secret shows now: for demos and tests
    #[command(after_help = "Example:\n  sumun staff code GEZDGNBVGY3TQOJQ")]
    Code {
        /// In base 32, as the demo prints it
        secret: String,
    },
}

pub fn run(folder: &Folder, command: StaffCommand) -> anyhow::Result<Output> {
    let staff = match command {
        StaffCommand::Add {
            name,
            role,
            sites,
            provinces,
            campaigns,
        } => StaffWork::Add {
            name,
            role,
            bounds: Bounds {
                campaigns,
                provinces,
                sites,
            },
        },
        StaffCommand::List => StaffWork::List,
        StaffCommand::Disable { name } => StaffWork::Enable {
            name,
            enabled: false,
        },
        StaffCommand::Enable { name } => StaffWork::Enable {
            name,
            enabled: true,
        },
        StaffCommand::Reset { name } => StaffWork::Reset { name },
        StaffCommand::Code { secret } => return code(&secret),
    };
    work(folder, Work::Staff(staff), None)
}

fn code(secret: &str) -> anyhow::Result<Output> {
    let secret = BASE32_NOPAD.decode(secret.trim().to_ascii_uppercase().as_bytes());
    let secret = secret.map_err(|_| anyhow::anyhow!("a secret is written in base 32"))?;
    let code = otp::code(&secret, wall());
    Ok(Output::done(code.clone(), json!({ "code": code })))
}

/// A password that is told once.
pub fn password(name: &str, password: &str) -> Output {
    let human = format!(
        "account {name}: password {password}  (shown once, stored nowhere)\n\
         it is good for one thing: to sign in at the desk and set a password and one-time codes of \
         one's own"
    );
    Output::done(human, json!({ "name": name, "password": password }))
}

pub fn enabled(name: &str, enabled: bool) -> Output {
    let human = if enabled {
        format!("account {name} may sign in again, with its own password and codes")
    } else {
        format!("account {name} is ended: its sessions are over, and what it did stays on record")
    };
    Output::done(human, json!({ "name": name, "enabled": enabled }))
}

pub fn list(all: &[StaffAccount]) -> Output {
    let mut lines = vec![format!("{} accounts", grouped(all.len() as u64))];
    for account in all {
        let bounds = [
            ("campaigns", &account.bounds.campaigns),
            ("provinces", &account.bounds.provinces),
            ("sites", &account.bounds.sites),
        ];
        let bounds = bounds.into_iter().filter(|(_, list)| !list.is_empty());
        let bounds = bounds.map(|(what, list)| format!("  {what} {}", list.join(", ")));
        let state = match (account.enabled, account.set_up, account.of_provider) {
            (false, false, true) => "of the provider, waits for a second account",
            (false, _, true) => "of the provider, ended",
            (true, _, true) => "of the provider",
            (false, _, false) => "ended",
            (true, false, false) => "not set up yet",
            (true, true, false) => "",
        };
        let at = account.signed_in_at.as_deref();
        let at = at.map_or(String::new(), |at| format!("  signed in {at}"));
        let role = account.role.name();
        let bounds = bounds.collect::<String>();
        let line = format!("  {:20} {role:14} {state}{bounds}{at}", account.name);
        lines.push(line.trim_end().to_owned());
    }
    Output::done(lines.join("\n"), json!({ "accounts": all }))
}
