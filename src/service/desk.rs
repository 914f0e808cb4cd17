//! What the people behind the desk can do. Knows nothing of HTTP: the desk's API and its pages are
//! both thin coats over it.
//!
//! Everything that they change is an entry with their account as its actor, made by the same writer
//! as everything else. Their acts go before the crowd's.

pub mod account_acts;
pub mod accounts;
pub mod board;
pub mod bounds;
pub mod effect;
pub mod gate;
pub mod hashing;
pub mod hours;
pub mod interval;
pub mod keys;
pub mod proposals;
pub mod provider;
pub mod reading;
pub mod record;
pub mod relocation;
pub mod retime;
pub mod rosters;
pub mod sign_in;
pub mod sites;
pub mod slot_range;
pub mod split;

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Service;
use crate::domain::entry::{Actor, Change};
use crate::domain::staff::{Account, AccountId, StaffState};
use crate::engine::command::{Command, Operation, Outcome};
use crate::identity::attempts::Attempts;
use crate::identity::staff::credentials::PasswordFault;
use crate::identity::staff::sessions::Sessions;
use board::DeskBoard;
use hashing::Hashing;
use keys::KeyUses;
use provider::AtProvider;
use reading::CampaignsOfFiles;
use rosters::Rosters;

/// When to try again if all that hashes passwords is busy.
const BUSY_RETRY_S: u32 = 2;

/// What the desk keeps in memory.
pub struct Desk {
    pub sessions: Sessions,
    pub attempts: Attempts,
    pub hashing: Hashing,
    pub key_uses: KeyUses,
    files_campaigns: CampaignsOfFiles,
    /// Roster files that wait for an approval.
    pub rosters: Rosters,
    /// What the evening's board shows.
    pub board: Arc<DeskBoard>,
    /// Sign-ins at the agency's own provider, if they are switched on.
    pub provider: AtProvider,
    /// One uses a code for a lost phone at a time.
    recovering: tokio::sync::Mutex<()>,
    /// One proposes or decides at a time.
    proposing: tokio::sync::Mutex<()>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            sessions: Sessions::default(),
            attempts: Attempts::default(),
            hashing: Hashing::start(),
            key_uses: KeyUses::default(),
            files_campaigns: CampaignsOfFiles::default(),
            rosters: Rosters::default(),
            board: Arc::default(),
            provider: AtProvider::default(),
            recovering: tokio::sync::Mutex::default(),
            proposing: tokio::sync::Mutex::default(),
        }
    }
}

/// Why somebody behind the desk is refused. Each has a problem code of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeskRefused {
    /// Name, password or code are wrong; it does not say which.
    Credentials,
    /// The same, too often from this address: nothing was looked at.
    WrongAgain {
        retry_after_s: u32,
    },
    /// The password is right; a one-time code is wanted too.
    CodeWanted,
    /// A page of another site sent it.
    Foreign,
    /// The session has ended, or there is none.
    Session,
    /// The key is none, or over.
    Key,
    /// The session can do nothing yet but set its account up.
    SetUpFirst,
    /// The role may not do it, or not there.
    NotYours,
    NotFound,
    Password(PasswordFault),
    /// Another account has to confirm it: it has to be asked for.
    TakesTwo,
    /// Whoever proposed or asked for it can't approve or confirm it.
    SameEyes,
    /// So many people lose something by it: the approver has to type that.
    Typed {
        expected: u64,
    },
    /// So many people lose something by it now, and not as many as when it was proposed.
    Changed {
        then: u64,
        now: u64,
    },
    /// What is wrong with the text that came.
    Faults(Vec<String>),
    /// The one-time code does not fit the secret that is being set up.
    Code,
    /// Says why and what to do.
    Impossible(String),
    Overloaded {
        retry_after_s: u32,
    },
    OutcomeUnknown,
}

pub type Allowed<T> = Result<T, DeskRefused>;

/// Whoever is behind the desk, as an entry names them.
pub fn actor(account: &Account) -> Actor {
    Actor::Staff {
        account: account.name.clone(),
        role: account.role,
        for_person: None,
    }
}

impl Service {
    /// All accounts and proposals as they are.
    pub fn staff(&self) -> Arc<StaffState> {
        Arc::clone(&self.shared.state().staff)
    }

    /// Hands an operation of the desk to the writer, before the crowd's, and waits for its outcome.
    pub async fn operate(&self, actor: Actor, operation: Operation) -> Allowed<Outcome> {
        let (reply, outcome) = oneshot::channel();
        let command = Command::Operate {
            actor,
            operation,
            reply,
        };
        if self.writer.submit_urgent(command).is_err() {
            return Err(DeskRefused::Overloaded {
                retry_after_s: BUSY_RETRY_S,
            });
        }
        match outcome.await.unwrap_or(Outcome::Unknown) {
            Outcome::Impossible(why) => Err(DeskRefused::Impossible(why)),
            Outcome::Unknown => Err(DeskRefused::OutcomeUnknown),
            outcome => Ok(outcome),
        }
    }

    /// Journals changes of accounts, sessions or proposals.
    pub async fn change_staff(&self, actor: Actor, changes: Vec<Change>) -> Allowed<()> {
        let operation = Operation::Staff { changes };
        self.operate(actor, operation).await.map(|_| ())
    }
}

/// An account by its number, if it may still come.
pub fn enabled(staff: &StaffState, id: AccountId) -> Option<&Account> {
    staff.accounts.get(&id).filter(|account| account.is_enabled)
}
