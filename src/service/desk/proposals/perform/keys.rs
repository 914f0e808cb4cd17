//! Replacing keys that two accounts agreed on.

use data_encoding::HEXLOWER;

use crate::domain::entry::Actor;
use crate::domain::staff::proposal::KeyChange;
use crate::domain::time::Stamp;
use crate::engine::command::Operated;
use crate::engine::key_change::{KeyWork, prepare};
use crate::service::Service;

impl Service {
    pub(super) fn change_keys(
        &self,
        by: &Actor,
        change: KeyChange,
        now: Stamp,
    ) -> Result<String, String> {
        let _lane = self.shared.roster_lane().wait();
        let folder = self.desk.rosters.data_folder()?;
        let operation = match prepare(change, &self.shared, &self.keys, folder, now)? {
            KeyWork::Operation(operation) => operation,
            KeyWork::NamesForgotten { id, removed } => {
                return Ok(format!(
                    "{removed} keys of names were removed; those in force have the id {id}"
                ));
            }
        };
        Ok(match self.perform_beside(by, operation)? {
            Operated::TokenKeyRotated { id, revoked: false } => {
                format!("tokens are signed with key {id}; those of the key before stay good")
            }
            Operated::TokenKeyRotated { id, revoked: true } => {
                format!("tokens are signed with key {id}; no other is good any more")
            }
            Operated::HeadKeyRotated { seq, public_key } => format!(
                "heads from entry {seq} on are signed with the key {}",
                HEXLOWER.encode(&public_key)
            ),
            Operated::Roster { version, .. } => {
                let id = self.shared.state().keys.personal;
                format!("names are sealed with keys {id}, as version {version} of the roster")
            }
            other => format!("{other:?}"),
        })
    }
}
