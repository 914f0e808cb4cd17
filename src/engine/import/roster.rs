//! A roster on its way into force.
//!
//! Its people and the sealed rows that are new or changed are stored beside those in force, in
//! small commits and under the new version's number, while people go on booking. One last entry, in
//! one small commit, puts the version into force. An import that is interrupted before it has
//! changed nothing that anybody sees; the next start or import sweeps its rows out.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::sweep::{has_something, sweep_all};
use super::{AtDesk, NotStaged};
use crate::domain::ids::{BookingNumber, HoldId, PersonKey, Seq};
use crate::domain::roster::contact::Contact;
use crate::domain::roster::{Difference, Roster, RosterPerson, difference};
use crate::domain::state::{State, Status};
use crate::engine::command::RosterNews;
use crate::engine::shared::Shared;
use crate::files::roster::{Alike, PreparedRoster};
use crate::journal::store::{ChunkKey, ROSTER_CHUNK, Store, StoreFault, VaultKey, Write};
use crate::keys::Keys;

/// Sealed rows in one commit: some four milliseconds.
const VAULT_ROWS: usize = 2_000;
/// People who are looked up under the lock of the state at a time: half a millisecond.
const LOOKED_UP: usize = 2_048;
/// Bookings since the last look that are left to the writer.
const LEFT_TO_WRITER: usize = 256;
/// A larger loss has to be accepted: one in so many of the people in force.
const LOSS_ACCEPTED: u64 = 100;
/// What the data file needs beside the rows themselves.
const DISK_BYTES_MIN: u64 = 64 << 20;

/// A roster whose rows are stored, and which is not in force.
pub struct StagedRoster {
    /// The roster that it was compared with.
    pub(in crate::engine) base: Arc<Roster>,
    pub(in crate::engine) next: Roster,
    pub(in crate::engine) digest: [u8; 32],
    pub(in crate::engine) counts: Counts,
    pub(in crate::engine) news: RosterNews,
    seen: Seen,
    at_desk: AtDesk,
}

/// What a roster changes, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    pub added: usize,
    pub changed: usize,
    pub gone: usize,
    pub unchanged: u64,
}

/// Up to where the state was searched for people who leave and have something.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Seen {
    seq: Seq,
    /// Bookings of each campaign.
    bookings: Vec<usize>,
}

impl Seen {
    fn of(state: &State) -> Self {
        let bookings = state.campaigns.iter().map(|known| known.bookings.len());
        Self {
            seq: state.seq,
            bookings: bookings.collect(),
        }
    }

    fn bookings(&self, campaign: usize) -> usize {
        self.bookings.get(campaign).copied().unwrap_or(0)
    }

    /// Bookings since.
    fn newer(&self, state: &State) -> usize {
        let campaigns = state.campaigns.iter().enumerate();
        campaigns
            .map(|(at, known)| known.bookings.len() - self.bookings(at))
            .sum()
    }
}

/// A file compared with the roster in force.
pub struct Compared {
    pub base: Arc<Roster>,
    pub difference: Difference,
    pub counts: Counts,
    pub news: RosterNews,
    /// Why it is not imported as it is; says what to do.
    pub refused: Option<String>,
    seen: Seen,
    left: Vec<RosterPerson>,
}

/// Compares a file with the roster in force: what changes, and what becomes of bookings.
pub fn compare(
    shared: &Shared,
    _store: &Store,
    _keys: &Keys,
    prepared: &PreparedRoster,
    accept_gone: Option<u64>,
) -> Result<Compared, StoreFault> {
    let base = shared.roster();
    let difference = difference(&base, &prepared.roster);
    let gone = difference.gone.len();
    let counts = Counts {
        added: difference.added.len(),
        changed: difference.changed.len(),
        gone,
        unchanged: difference.unchanged,
    };
    let mut news = RosterNews {
        same_people: prepared.same_people.clone(),
        ..RosterNews::default()
    };
    let leaving = difference.gone.iter().map(|at| base.people[*at as usize]);
    let left_before = base.left.iter().copied();
    let left_before = left_before.filter(|person| prepared.roster.find(&person.key).is_none());
    let leaving: Vec<_> = leaving.chain(left_before).collect();
    let (mut seen, mut left) = (None, Vec::new());
    for people in leaving.chunks(LOOKED_UP) {
        let state = shared.look();
        seen.get_or_insert_with(|| Seen::of(&state));
        let active = |person: &&RosterPerson| has_something(&state, &person.key);
        for person in people.iter().filter(active) {
            left.push(*person);
            if base.find(&person.key).is_some() {
                news.gone_with_booking
                    .extend(bookings_of(&state, &person.key));
            }
        }
    }
    let seen = seen.unwrap_or_else(|| Seen::of(&shared.look()));
    let refused = refused(&base, gone as u64, accept_gone, &news);
    Ok(Compared {
        base,
        difference,
        counts,
        news,
        refused,
        seen,
        left,
    })
}

fn bookings_of(state: &State, person: &PersonKey) -> Vec<BookingNumber> {
    let campaigns = state.campaigns.iter();
    let active = campaigns.filter_map(|known| known.active_booking(person));
    active.map(|booking| booking.number).collect()
}

/// A file that lost much of the roster, as one that was cut short, is not taken unasked.
fn refused(
    base: &Roster,
    gone: u64,
    accept_gone: Option<u64>,
    news: &RosterNews,
) -> Option<String> {
    let people = base.people.len() as u64;
    if gone * LOSS_ACCEPTED <= people || accept_gone.is_some_and(|accepted| gone <= accepted) {
        return None;
    }
    let booked = match news.gone_with_booking.len() {
        0 => String::new(),
        bookings => format!(", and they have {bookings} bookings"),
    };
    Some(format!(
        "{gone} of the {people} people in force are not in this file{booked}; nothing was \
         changed. If the file is whole and they shall go, import it with --accept-gone {gone}; \
         their bookings stay, and they can look at, move and cancel them"
    ))
}

/// Stores a roster beside the one in force.
pub fn stage(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    prepared: PreparedRoster,
    accept_gone: Option<u64>,
) -> Result<Box<StagedRoster>, NotStaged> {
    let at_desk = shared.roster_desk().wait();
    if store.read()?.is_unswept()? {
        sweep_all(shared, store, &AtomicBool::new(false))?;
    }
    let compared = compare(shared, store, keys, &prepared, accept_gone)?;
    if let Some(why) = compared.refused {
        return Err(NotStaged::Impossible(why));
    }
    let Compared {
        base,
        counts,
        news,
        seen,
        left,
        ..
    } = compared;
    drop(compared.difference);
    let PreparedRoster {
        roster: mut next,
        contacts,
        digest,
        ..
    } = prepared;
    next.version = base.version + 1;
    let needed = next.people.len() as u64 * 40 + contacts.bytes() * 2 + DISK_BYTES_MIN;
    if store.disk_free().is_some_and(|free| free < needed) {
        return Err(NotStaged::Impossible(format!(
            "the disk has less than the {} MiB free that this import needs; nothing was changed: \
             make room, then import again",
            needed >> 20
        )));
    }
    store.beside(|write| write.put_unswept(true))?;
    let version = next.version;
    for (chunk, people) in (0..).zip(next.people.chunks(ROSTER_CHUNK)) {
        let key = ChunkKey::people(version, chunk);
        store.beside(|write| write.put_people(key, people))?;
    }
    seal(store, &base, &next, &contacts)?;
    drop(contacts);
    let mut staged = Box::new(StagedRoster {
        base,
        next,
        digest,
        counts,
        news,
        seen,
        at_desk,
    });
    staged.next.add_left(left);
    while staged.seen.newer(&shared.look()) > LEFT_TO_WRITER {
        staged.look_on(&shared.look());
    }
    for (chunk, people) in (0..).zip(staged.next.left.chunks(ROSTER_CHUNK)) {
        let key = ChunkKey::left(version, chunk);
        store.beside(|write| write.put_people(key, people))?;
    }
    // What waits in the tail is settled now, so that the writer has little of it to wait for.
    crate::journal::Log::settle(store)?;
    Ok(staged)
}

/// Stores the sealed rows of people who are new or have another name or telephone number.
fn seal(
    store: &Store,
    base: &Roster,
    next: &Roster,
    contacts: &crate::files::roster::SealedContacts,
) -> Result<(), NotStaged> {
    let version = next.version;
    let is_new = |person: &RosterPerson| {
        let known = base.find(&person.key);
        !known.is_some_and(|known| known.has_contact(person.name_tag, person.detail_tag))
    };
    let people = next.people.iter().enumerate();
    let mut people = people.filter(|(_, person)| is_new(person)).peekable();
    let mut not_read = None;
    while people.peek().is_some() && not_read.is_none() {
        let mut left = VAULT_ROWS;
        store.beside(|write| {
            write.put_vault(|sealed| {
                if left == 0 || not_read.is_some() {
                    return Ok(None);
                }
                left -= 1;
                let Some((at, person)) = people.next() else {
                    return Ok(None);
                };
                match contacts.read(at, sealed) {
                    Ok(true) => Ok(Some(VaultKey {
                        person: person.key,
                        version,
                    })),
                    Ok(false) => {
                        not_read = Some(
                            "another roster came into force while the file was read: import it \
                             again"
                                .to_owned(),
                        );
                        Ok(None)
                    }
                    Err(fault) => {
                        not_read = Some(format!(
                            "the sealed rows can't be read again ({fault}); nothing was changed: \
                             import the file again"
                        ));
                        Ok(None)
                    }
                }
            })
        })?;
    }
    not_read.map_or(Ok(()), |why| Err(NotStaged::Impossible(why)))
}

impl StagedRoster {
    /// Takes in who booked or holds something since the last look and is not on the next roster.
    /// Gives back those who were not known to.
    pub(in crate::engine) fn look_on(&mut self, state: &State) -> Vec<RosterPerson> {
        let mut found: HashMap<PersonKey, RosterPerson> = HashMap::new();
        let mut look = |person: PersonKey| {
            let is_here = || self.next.find(&person).is_some();
            if self.next.find_left(&person).is_some() || is_here() {
                return;
            }
            let known = self
                .base
                .find(&person)
                .or_else(|| self.base.find_left(&person));
            found.extend(known.map(|known| (person, *known)));
        };
        for (at, campaign) in state.campaigns.iter().enumerate() {
            let bookings = self.seen.bookings(at)..campaign.bookings.len();
            for booking in bookings.map(|index| &campaign.bookings[index]) {
                if booking.status == Status::Booked {
                    look(booking.person);
                }
            }
            let holds = campaign.holds.range(HoldId(self.seen.seq.0)..);
            holds.for_each(|(_, hold)| look(hold.person));
        }
        self.seen = Seen::of(state);
        let found: Vec<_> = found.into_values().collect();
        self.next.add_left(found.iter().copied());
        found
    }

    /// Stores who was found last, and puts the version into force with the transaction.
    pub(in crate::engine) fn put_in_force(
        &self,
        write: &Write,
        found: &[RosterPerson],
    ) -> Result<(), StoreFault> {
        if !found.is_empty() {
            // Behind all the chunks that were stored before.
            let chunk = self.next.left.len().div_ceil(ROSTER_CHUNK) as u32 + 1;
            write.put_people(ChunkKey::left(self.next.version, chunk), found)?;
        }
        write.put_roster_in_force(&self.next)
    }

    /// The roster that is now in force, and the desk, which is free again.
    pub(in crate::engine) fn into_roster(self) -> Roster {
        drop(self.at_desk);
        self.next
    }
}

#[allow(dead_code)]
fn _later(_: Contact, _: Alike) {}
