//! Who caused an entry, and the roles of the people behind the desk.

use serde::{Deserialize, Serialize};

use crate::domain::ids::PersonKey;
use crate::domain::shown;

/// Account names are cut here: a name of this host or of the desk has a few letters.
pub const ACCOUNT_BYTES_MAX: usize = 128;

/// Who caused an entry. Variants are appended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The program itself: ends of holds, starts, clock steps.
    System,
    /// The person whom the change names.
    Citizen,
    /// Someone at the command line of this host, by account name.
    Operator(String),
    /// Someone behind the desk.
    Staff {
        account: String,
        role: Role,
        /// The person who asked for it at a counter or by telephone, if one did.
        #[serde(serialize_with = "shown::maybe_text")]
        for_person: Option<PersonKey>,
    },
    /// This person, acting for the person whom the change names.
    Proxy {
        #[serde(serialize_with = "shown::text")]
        person: PersonKey,
    },
}

impl Actor {
    /// An account of this host; a name longer than any such account has is cut.
    pub fn operator(account: &str) -> Self {
        let end = account.floor_char_boundary(ACCOUNT_BYTES_MAX);
        Self::Operator(account[..end].to_owned())
    }
}

/// What somebody behind the desk may do. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Manages accounts.
    Administrator,
    /// Runs campaigns and the gate.
    Operator,
    /// Confirms what an operator has prepared.
    Approver,
    /// Sees and keeps the lists of one or more sites.
    Site,
    /// Books for people at a counter or by telephone.
    Agent,
    /// Reads the record.
    Auditor,
    /// Reads figures without people.
    Reporter,
}

impl Role {
    pub const ALL: [Self; 7] = [
        Self::Administrator,
        Self::Operator,
        Self::Approver,
        Self::Site,
        Self::Agent,
        Self::Auditor,
        Self::Reporter,
    ];

    /// As entries, forms and commands name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Site => "site",
            Self::Agent => "agent",
            Self::Auditor => "auditor",
            Self::Reporter => "reporter",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
