//! Keys that two accounts can replace while the server runs.

use serde::{Deserialize, Serialize};

/// Which keys are replaced, and what becomes of those before. Variants are appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyChange {
    /// The key of places and sessions: tokens of the one before stay good.
    Tokens,
    /// The same, and no token of before is good any more.
    TokensRevoked,
    /// The key that signs heads of the journal.
    Heads,
    /// The keys that compare and seal names and telephone numbers.
    Names,
    /// Keys for names that are not in force are removed.
    NamesForgotten,
}

impl KeyChange {
    pub const ALL: [Self; 5] = [
        Self::Tokens,
        Self::TokensRevoked,
        Self::Heads,
        Self::Names,
        Self::NamesForgotten,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::TokensRevoked => "tokens_revoked",
            Self::Heads => "heads",
            Self::Names => "names",
            Self::NamesForgotten => "names_forgotten",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }
}
