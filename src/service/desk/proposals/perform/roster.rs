//! Putting an approved roster file into force: the same import as the command line's, from the
//! sealed bytes whose hash was approved.

use crate::domain::entry::Actor;
use crate::domain::staff::proposal::RosterFile;
use crate::domain::text::grouped;
use crate::domain::time::Stamp;
use crate::engine::command::{Accepted, Operated, Operation};
use crate::files::roster::SealedContacts;
use crate::service::Service;
use crate::service::desk::effect::roster::{NotRead, read};

impl Service {
    pub(super) fn put_roster_in_force(
        &self,
        by: &Actor,
        file: &RosterFile,
        now: Stamp,
    ) -> Result<String, String> {
        let _lane = self.shared.roster_lane().wait();
        if self.shared.roster().version != file.base {
            let why = "another roster came into force since it was proposed; nothing was changed: \
                       have the file proposed again";
            return Err(why.to_owned());
        }
        let folder = self.desk.rosters.data_folder()?;
        let contacts = SealedContacts::in_folder(folder);
        let contacts = contacts.map_err(|fault| {
            format!("rows can't be kept in the data folder ({fault}); nothing was changed")
        })?;
        // What is wrong with rows stays out of the journal.
        let (prepared, _) = read(self, file, contacts, now).map_err(|why| match why {
            NotRead::NotThere(why) => why,
            NotRead::Findings(_) => {
                "the file has findings now; nothing was changed: have it proposed again".to_owned()
            }
        })?;
        let operation = Operation::ImportRoster {
            prepared: Box::new(prepared),
            // What the approver saw, and no more.
            accepted: Accepted {
                gone: Some(file.gone),
                erased: Some(file.erased_back),
            },
        };
        match self.perform_beside(by, operation)? {
            Operated::Roster {
                version,
                added,
                changed,
                gone,
                ..
            } => Ok(format!(
                "roster version {version} is in force: {} people added, {} changed, {} gone",
                grouped(added as u64),
                grouped(changed as u64),
                grouped(gone as u64)
            )),
            other => Err(format!("it is not known whether it was done: {other:?}")),
        }
    }
}
