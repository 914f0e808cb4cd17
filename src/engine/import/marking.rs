//! Puts the digest of the sealed rows of a roster into the journal, once it is in force.
//!
//! It takes a look at every row, so it is done beside the writer and behind the import. Until it
//! is there, rows are proven by their seals alone.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::domain::entry::{Actor, Change};
use crate::domain::personal::VaultMark;
use crate::engine::command::{Command, Operation, Outcome};
use crate::engine::shared::Shared;
use crate::engine::writer::WriterHandle;
use crate::journal::store::{Store, StoreFault};
use crate::journal::vault::vault_mark;

/// How long the writer is waited for before it is looked whether to stop.
const LOOK: std::time::Duration = std::time::Duration::from_millis(5);

/// The digest of the rows of the roster in force, if the journal does not have it; none when it is
/// stopped, or when the roster is another by now.
pub fn unmarked(
    shared: &Shared,
    store: &Store,
    stop: &AtomicBool,
) -> Result<Option<VaultMark>, StoreFault> {
    let roster = shared.roster();
    let vault = {
        let state = shared.state();
        let is_in_force = state
            .roster
            .is_some_and(|mark| mark.version == roster.version);
        if !is_in_force || state.vault.mark.is_some() || state.vault.is_emptied {
            return Ok(None);
        }
        state.vault.clone()
    };
    let goes_on = || !stop.load(Ordering::Acquire);
    vault_mark(&store.read()?, &roster, &vault, goes_on)
}

/// The change that puts it into the journal.
pub fn sealed(mark: VaultMark) -> Change {
    Change::VaultSealed {
        roster: mark.roster,
        rows: mark.rows,
        digest: mark.digest,
    }
}

/// Does it while the server runs and nobody changes rows.
pub(super) fn mark(
    shared: &Shared,
    store: &Store,
    writer: &WriterHandle,
    stop: &AtomicBool,
) -> Result<(), StoreFault> {
    let Some(_at_desk) = shared.roster_desk().take() else {
        return Ok(());
    };
    let Some(mark) = unmarked(shared, store, stop)? else {
        return Ok(());
    };
    keep(writer, sealed(mark), stop);
    Ok(())
}

/// Has the writer journal a change as the program's own; whether it did.
pub(super) fn keep(writer: &WriterHandle, change: Change, stop: &AtomicBool) -> bool {
    let (reply, mut kept) = oneshot::channel();
    let command = Command::Operate {
        actor: Actor::System,
        operation: Operation::RecordOwn { change },
        reply,
    };
    if writer.submit_always(command).is_err() {
        return false;
    }
    // The writer may be ending, and wait for this thread.
    while !stop.load(Ordering::Acquire) {
        match kept.try_recv() {
            Ok(outcome) => return outcome == Outcome::Kept,
            Err(TryRecvError::Closed) => return false,
            Err(TryRecvError::Empty) => std::thread::park_timeout(LOOK),
        }
    }
    false
}
