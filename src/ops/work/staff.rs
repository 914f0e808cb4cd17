//! Accounts of the desk from the command line: what is needed before anybody can sign in, and when
//! the last administrator has lost their phone.

use serde::{Deserialize, Serialize};

use super::Prepared;
use crate::clock::Entropy;
use crate::domain::entry::{Change, Role};
use crate::domain::staff::{Account, AccountId, Bounds, StaffFault, StaffState};
use crate::engine::command::Operation;
use crate::engine::shared::Shared;
use crate::identity::staff::credentials::Credentials;
use crate::identity::staff::generate_password;
use crate::identity::staff::otp::SECRET_BYTES;
use crate::keys::Keys;
use crate::ops::outcome::{Done, StaffAccount, WorkRefused};

/// What is done with accounts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffWork {
    Add {
        name: String,
        role: Role,
        bounds: Bounds,
    },
    List,
    /// Ends an account, or lets it come again.
    Enable {
        name: String,
        enabled: bool,
    },
    /// Another password for the first time.
    Reset {
        name: String,
    },
}

pub(super) fn prepare(work: &StaffWork, shared: &Shared, keys: &Keys) -> anyhow::Result<Prepared> {
    let staff = StaffState::clone(&shared.state().staff);
    let entropy = Entropy::system();
    let unknown = |name: &str| {
        let why = format!("there is no account `{name}`: `sumun staff list` shows all");
        Ok(Prepared::fault(WorkRefused::new(why)))
    };
    let (changes, done) = match work {
        StaffWork::List => {
            let all = staff.accounts.values().map(shown);
            return Ok(Prepared::done(Done::StaffList(all.collect())));
        }
        StaffWork::Add { name, role, bounds } => {
            let id = staff.next_id();
            let name = name.trim().to_ascii_lowercase();
            if let Err(fault) = staff.may_set(id, &name, *role, bounds, true) {
                return Ok(Prepared::fault(WorkRefused::new(fault.to_string())));
            }
            let password = generate_password(&entropy);
            let set = set(id, &name, *role, bounds, true);
            let credentials = first(keys, &entropy, id, &password)?;
            let done = Done::StaffPassword { name, password };
            (vec![set, credentials], done)
        }
        StaffWork::Enable { name, enabled } => {
            let Some((id, account)) = staff.named(name) else {
                return unknown(name);
            };
            let set = set(id, name, account.role, &account.bounds, *enabled);
            let (name, enabled) = (name.clone(), *enabled);
            (vec![set], Done::StaffEnabled { name, enabled })
        }
        StaffWork::Reset { name } => {
            let Some((id, account)) = staff.named(name) else {
                return unknown(name);
            };
            if account.is_of_provider() {
                let fault = StaffFault::OfProvider(name.clone());
                return Ok(Prepared::fault(WorkRefused::new(fault.to_string())));
            }
            let password = generate_password(&entropy);
            let credentials = first(keys, &entropy, id, &password)?;
            let name = name.clone();
            (vec![credentials], Done::StaffPassword { name, password })
        }
    };
    Ok(Prepared::Then(Operation::Staff { changes }, Box::new(done)))
}

/// The entry that makes or changes an account.
pub fn set(id: AccountId, name: &str, role: Role, bounds: &Bounds, enabled: bool) -> Change {
    Change::StaffSet {
        account: id,
        name: name.to_owned(),
        role,
        bounds: bounds.clone(),
        enabled,
    }
}

/// The entry that gives an account the password for its first time.
pub fn first(
    keys: &Keys,
    entropy: &Entropy,
    id: AccountId,
    password: &str,
) -> anyhow::Result<Change> {
    let made = Credentials::first(entropy, password).map_err(anyhow::Error::msg)?;
    Ok(Change::StaffCredentialsSet {
        account: id,
        sealed: made.seal(keys, entropy, id),
        own: false,
    })
}

/// The entry that gives an account of a demo its own password and one-time codes.
pub fn ready(
    keys: &Keys,
    entropy: &Entropy,
    id: AccountId,
    password: &str,
    secret: [u8; SECRET_BYTES],
) -> anyhow::Result<Change> {
    let mut made = Credentials::first(entropy, password).map_err(anyhow::Error::msg)?;
    made.otp = Some(secret);
    Ok(Change::StaffCredentialsSet {
        account: id,
        sealed: made.seal(keys, entropy, id),
        own: true,
    })
}

fn shown(account: &Account) -> StaffAccount {
    StaffAccount {
        name: account.name.clone(),
        role: account.role,
        bounds: account.bounds.clone(),
        enabled: account.is_enabled,
        set_up: account.is_own,
        of_provider: account.is_of_provider(),
        signed_in_at: account.signed_in_at.map(|at| at.instant().to_string()),
    }
}
