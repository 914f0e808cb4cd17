//! One file a subcommand. Each returns an `Answer`; `main` prints it and exits.

use serde_json::Value;

pub mod campaign;

/// What a command has to say, for a person and for a script.
pub struct Answer {
    /// Text for a terminal, without a final line end.
    pub human: String,
    /// One JSON object for `--json`.
    pub json: Value,
    /// Whether it refused or found a fault: exit code 1 instead of 0.
    pub fault: bool,
}

impl Answer {
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
}
