//! Imports and activations beside the writer: what takes long is prepared on the operator's thread,
//! so that the writer only commits an entry and swaps a pointer.
//!
//! `closing` are slots that take nobody new; `lists` are campaign files, sites and slots; `roster`
//! are the people; `sweep` erases what an import that was interrupted or replaced has left in the
//! data file; `marking` puts the digest of the sealed rows into the journal; `person` is about one
//! person's row; `retention` erases all of them when they are due.

pub mod agency;
mod closing;
pub mod lists;
pub mod marking;
mod person;
mod rekey;
pub mod retention;
pub mod roster;
pub mod sweep;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use person::REFUSED;

use super::command::{Operation, Outcome};
use super::shared::Shared;
use crate::domain::ids::PersonKey;
use crate::journal::store::{Store, StoreFault};
use crate::keys::Keys;
use lists::List;
use roster::StagedRoster;

/// Hands one operation to the writer; none when whoever wants it has gone.
pub type Hand<'a> = dyn FnMut(Operation) -> Option<Outcome> + 'a;

/// Does an operation with everything that takes long on this thread. Others can be handed to the
/// writer as they are.
pub fn perform(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    operation: Operation,
    hand: &mut Hand<'_>,
) -> Option<Outcome> {
    match operation {
        Operation::ImportRoster { prepared, accepted } => put_roster_in_force(
            roster::stage(shared, store, keys, *prepared, accepted),
            hand,
        ),
        Operation::RotatePersonalKeys { id } => {
            put_roster_in_force(roster::stage_resealed(shared, store, keys, id), hand)
        }
        Operation::ShowPerson { look } => person::show(shared, store, keys, look, hand),
        Operation::ErasePerson { look, now } => person::erase(shared, store, keys, look, now, hand),
        Operation::Activate {
            source,
            now,
            shifts,
        } => put_in_force(|| lists::activation(shared, &source, now, shifts), hand),
        Operation::ActivateAgency {
            campaign,
            source,
            agency,
        } => put_in_force(
            || agency::activation(shared, &campaign, &source, &agency),
            hand,
        ),
        Operation::ImportSites { campaign, rows } => {
            put_in_force(|| lists::sites(shared, &campaign, &rows), hand)
        }
        Operation::ImportSlots {
            campaign,
            version,
            rows,
            now,
        } => put_in_force(
            || lists::slots(shared, &campaign, version, &rows, now),
            hand,
        ),
        Operation::CloseSlots {
            campaign,
            slots,
            begin,
        } => put_in_force(|| closing::close(shared, &campaign, &slots, &begin), hand),
        Operation::ReopenSlots { campaign, slots } => {
            put_in_force(|| closing::reopen(shared, &campaign, &slots), hand)
        }
        other => hand(other),
    }
}

fn put_roster_in_force(
    staged: Result<Box<StagedRoster>, NotStaged>,
    hand: &mut Hand<'_>,
) -> Option<Outcome> {
    let mut staged = match staged {
        Ok(staged) => staged,
        Err(not_staged) => return Some(not_staged.outcome()),
    };
    let later = staged.moves_for_later();
    match hand(Operation::PutRosterInForce { staged })? {
        outcome @ Outcome::Operated(_) => {
            move_later(later, hand);
            Some(outcome)
        }
        Outcome::Stale => Some(Outcome::Impossible(OTHER_ROSTER.to_owned())),
        outcome => Some(outcome),
    }
}

/// The roster in force changed while another was prepared.
const OTHER_ROSTER: &str = "another roster came into force while the file was read; nothing was \
                            changed: import it again";

/// Moves what people have who are too many for one commit. What is not moved stays under the old
/// code, where they still find it.
fn move_later(people: Vec<Vec<(PersonKey, PersonKey)>>, hand: &mut Hand<'_>) {
    for people in people {
        if hand(Operation::Rekey { people }) != Some(Outcome::Kept) {
            tracing::warn!("people with a new code keep what they have under the old one");
            return;
        }
    }
}

/// How often a list is prepared again before its operator is told.
const PREPARED_MAX: usize = 3;

/// Makes a list and hands it over part by part; once more when it became stale.
fn put_in_force(
    make: impl Fn() -> Result<List, Box<Outcome>>,
    hand: &mut Hand<'_>,
) -> Option<Outcome> {
    for _ in 0..PREPARED_MAX {
        let list = match make() {
            Ok(list) => list,
            Err(told) => return Some(*told),
        };
        let mut outcome = Outcome::Kept;
        for part in list.in_parts() {
            outcome = hand(part)?;
            if outcome != Outcome::Kept {
                break;
            }
        }
        if outcome != Outcome::Stale {
            return Some(outcome);
        }
    }
    let why = "others import or activate at the same time; nothing was changed: try again when \
               they are done";
    Some(Outcome::Impossible(why.to_owned()))
}

/// Why nothing was staged.
#[derive(Debug)]
pub enum NotStaged {
    /// Says why and what to do.
    Impossible(String),
    Store(StoreFault),
}

impl From<StoreFault> for NotStaged {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl NotStaged {
    fn outcome(self) -> Outcome {
        match self {
            Self::Impossible(why) => Outcome::Impossible(why),
            Self::Store(fault) => {
                tracing::error!(%fault, "the rows of a roster could not be stored");
                Outcome::Unknown
            }
        }
    }
}

/// The one place where rows of the roster and the vault are changed: an import or a sweep has it.
#[derive(Clone, Debug, Default)]
pub struct RosterDesk(Arc<AtomicBool>);

/// Somebody works at the desk until this is dropped.
#[derive(Debug)]
pub struct AtDesk(RosterDesk);

/// How long an import waits before it looks again whether a sweep is done.
const DESK_LOOK: Duration = Duration::from_millis(20);

impl RosterDesk {
    /// None when somebody works at it.
    pub fn take(&self) -> Option<AtDesk> {
        let was_taken = self.0.swap(true, Ordering::AcqRel);
        (!was_taken).then(|| AtDesk(self.clone()))
    }

    /// Waits until it is free.
    pub fn wait(&self) -> AtDesk {
        loop {
            if let Some(at_desk) = self.take() {
                return at_desk;
            }
            std::thread::sleep(DESK_LOOK);
        }
    }
}

impl Drop for AtDesk {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Release);
    }
}

/// How long readers may hold what was replaced before it is left to the last of them.
const RETIRE_S_MAX: u64 = 60;

/// Frees something large that was replaced, on a thread of its own and after its last reader: to
/// give back a gigabyte takes a tenth of a second, which neither writer nor readers have.
pub(super) fn retire<T: Send + Sync + 'static>(replaced: Arc<T>) {
    let wait = move || {
        for _ in 0..RETIRE_S_MAX * 20 {
            if Arc::strong_count(&replaced) == 1 {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let thread = std::thread::Builder::new().name("retire".to_owned());
    // Without a thread it is freed by whoever has it last.
    let _ = thread.spawn(wait);
}
