//! A roster on its way into force.
//!
//! Its people and the sealed rows that are new or changed are stored beside those in force, in
//! small commits and under the new version's number, while people go on booking. One last entry, in
//! one small commit, puts the version into force. An import that is interrupted before it has
//! changed nothing that anybody sees; the next start or import sweeps its rows out.

mod reseal;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::rekey::{Recognised, recognise};
use super::sweep::{has_something, sweep_all};
use super::{AtDesk, NotStaged, OTHER_ROSTER};
use crate::domain::entry::{Change, LOOK_PEOPLE_MAX, Look, Purpose};
use crate::domain::ids::{BookingNumber, HoldId, PersonKey};
use crate::domain::personal::VaultState;
use crate::domain::roster::digest::RosterDigest;
use crate::domain::roster::{Difference, Roster, RosterPerson, difference};
use crate::domain::state::{State, Status};
use crate::engine::command::{Accepted, RosterNews};
use crate::engine::shared::Shared;
use crate::files::roster::{PreparedRoster, SealedContacts};
use crate::journal::Log as _;
use crate::journal::store::{ChunkKey, ROSTER_CHUNK, Store, StoreFault, VaultKey, Write};
use crate::keys::Keys;

pub use reseal::stage_resealed;

/// Sealed rows in one commit: some four milliseconds.
const VAULT_ROWS: usize = 2_000;
/// People who are looked up under the lock of the state at a time: half a millisecond.
const LOOKED_UP: usize = 2_048;
/// Bookings since the last look that are left to the writer.
const LEFT_TO_WRITER: usize = 256;
/// A larger loss has to be accepted: one in so many of the people in force.
const LOSS_ACCEPTED: u64 = 100;
/// People who are moved to a new key by one commit: some four milliseconds.
const MOVES_AT_ONCE: usize = 1_000;
/// What the data file needs beside the rows themselves.
const DISK_BYTES_MIN: u64 = 64 << 20;

/// A roster whose rows are stored, and which is not in force.
pub struct StagedRoster {
    /// The roster that it was compared with.
    pub(in crate::engine) base: Arc<Roster>,
    pub(in crate::engine) next: Roster,
    digest: RosterDigest,
    pub(in crate::engine) counts: Counts,
    pub(in crate::engine) news: RosterNews,
    recognised: Recognised,
    /// People with something, from the old to the new key: moved by the entries beside the last.
    moves: Vec<(PersonKey, PersonKey)>,
    seen: Seen,
    /// People whose names were erased and are stored again.
    erased_back: Vec<PersonKey>,
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

/// Up to where the state was searched for people who leave and have something: of each campaign,
/// how many bookings and which hold is next.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Seen(Vec<(usize, HoldId)>);

impl Seen {
    fn of(state: &State) -> Self {
        let next = HoldId(state.seq.0 + 1);
        let campaigns = state.campaigns.iter();
        Self(
            campaigns
                .map(|known| (known.bookings.len(), next))
                .collect(),
        )
    }

    /// Whether so few bookings and holds are new that the writer can look at them.
    fn is_near(&self, state: &State) -> bool {
        let campaigns = state.campaigns.iter().enumerate();
        let newer = campaigns.map(|(at, known)| {
            let (bookings, hold) = self.0.get(at).copied().unwrap_or_default();
            let holds = known.holds.range(hold..).take(LEFT_TO_WRITER + 1);
            known.bookings.len() - bookings + holds.count()
        });
        newer.sum::<usize>() <= LEFT_TO_WRITER
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
    recognised: Recognised,
    /// People whose names were erased and come back.
    erased_back: Vec<PersonKey>,
}

impl Compared {
    /// The old key of each person of the file who was recognised under a new code.
    pub fn known_before(&self) -> HashMap<PersonKey, PersonKey> {
        let people = self.recognised.people.iter();
        people.map(|(old, new)| (*new, *old)).collect()
    }

    /// The people of the roster in force of whom the figures tell something, if they are few enough
    /// for one look; none where there is no roster to compare with.
    pub fn look_at(&self, next: &Roster) -> Option<(usize, Vec<PersonKey>)> {
        if self.base.people.is_empty() && self.base.left.is_empty() {
            return None;
        }
        let here = next.people.iter().map(|person| person.key);
        let here = here.filter(|key| self.base.find(key).is_some());
        let recognised = self.recognised.people.keys().copied();
        let mut people: Vec<_> = here.chain(recognised).take(LOOK_PEOPLE_MAX + 1).collect();
        if people.len() > LOOK_PEOPLE_MAX {
            people.clear();
        }
        people.sort_unstable();
        Some((next.people.len(), people))
    }
}

/// Compares a file with the roster in force: what changes, and what becomes of bookings.
pub fn compare(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    prepared: &PreparedRoster,
    accepted: Accepted,
) -> Result<Compared, StoreFault> {
    let base = shared.roster();
    let difference = difference(&base, &prepared.roster);
    let leaving = difference.gone.iter().map(|at| base.people[*at as usize]);
    let left_before = base.left.iter().copied();
    let left_before = left_before.filter(|person| prepared.roster.find(&person.key).is_none());
    let leaving: Vec<_> = leaving.chain(left_before).collect();
    let recognised = recognise(store, keys, prepared, &leaving)?;
    let of_roster = |person: &&PersonKey| base.find(person).is_some();
    let rekeyed = recognised.people.keys().filter(of_roster).count();
    let gone = difference.gone.len() - rekeyed;
    let counts = Counts {
        added: difference.added.len() - recognised.people.len(),
        changed: difference.changed.len(),
        gone,
        unchanged: difference.unchanged,
    };
    let erased_back = erased_back(&shared.state().vault, &base, &prepared.roster);
    let mut news = RosterNews {
        rekeyed: recognised.people.len(),
        undecided: recognised.undecided.clone(),
        same_people: prepared.same_people.clone(),
        erased_back: erased_back.len(),
        ..RosterNews::default()
    };
    let (mut seen, mut left) = (None, Vec::new());
    for people in leaving.chunks(LOOKED_UP) {
        let state = shared.state();
        seen.get_or_insert_with(|| Seen::of(&state));
        for person in people {
            let has_something = has_something(&state, &person.key);
            if has_something && !recognised.people.contains_key(&person.key) {
                left.push(*person);
                if base.find(&person.key).is_some() {
                    news.gone_with_booking
                        .extend(bookings_of(&state, &person.key));
                }
            }
        }
    }
    let seen = seen.unwrap_or_else(|| Seen::of(&shared.state()));
    let refused = [
        refused_gone(&base, gone as u64, accepted.gone, &news),
        refused_erased(news.erased_back as u64, accepted.erased),
    ];
    let refused: Vec<_> = refused.into_iter().flatten().collect();
    let refused = (!refused.is_empty()).then(|| refused.join(". Also: "));
    Ok(Compared {
        base,
        difference,
        counts,
        news,
        refused,
        seen,
        left,
        recognised,
        erased_back,
    })
}

/// How many of these people have a booking or a hold, and how many a place in a line.
pub fn stand(shared: &Shared, people: &[PersonKey]) -> (u64, u64) {
    let (mut booked, mut waiting) = (0, 0);
    for people in people.chunks(LOOKED_UP) {
        let state = shared.state();
        for person in people {
            booked += u64::from(has_something(&state, person));
            waiting += u64::from(has_place(&state, person));
        }
    }
    (booked, waiting)
}

/// The people who were recognised and have something to be moved.
fn to_move(shared: &Shared, recognised: &Recognised) -> Vec<(PersonKey, PersonKey)> {
    let people: Vec<_> = recognised.people.iter().collect();
    let mut moves = Vec::new();
    for people in people.chunks(LOOKED_UP) {
        let state = shared.state();
        for (from, to) in people {
            if has_something(&state, from) || has_place(&state, from) {
                moves.push((**from, **to));
            }
        }
    }
    moves.sort_unstable();
    moves
}

fn has_place(state: &State, person: &PersonKey) -> bool {
    let mut campaigns = state.campaigns.iter();
    campaigns.any(|known| known.lines.iter().any(|line| line.given.contains(person)))
}

fn bookings_of(state: &State, person: &PersonKey) -> Vec<BookingNumber> {
    let campaigns = state.campaigns.iter();
    let active = campaigns.filter_map(|known| known.active_booking(person));
    active.map(|booking| booking.number).collect()
}

/// The people of a file whose names were erased, and who would have them stored again.
fn erased_back(vault: &VaultState, base: &Roster, next: &Roster) -> Vec<PersonKey> {
    if !vault.has_erased() {
        return Vec::new();
    }
    let is_back = |person: &&RosterPerson| {
        let is_on_roster = base.find(&person.key).is_some();
        let is_known = is_on_roster || base.find_left(&person.key).is_some();
        vault.comes_back(&person.key, is_on_roster, is_known)
    };
    let back = next.people.iter().filter(is_back);
    back.map(|person| person.key).collect()
}

/// Names that were erased are not stored again unasked: somebody may have asked for it in writing.
fn refused_erased(back: u64, accept_erased: Option<u64>) -> Option<String> {
    if back == 0 || accept_erased.is_some_and(|accepted| back <= accepted) {
        return None;
    }
    Some(format!(
        "the names and telephone numbers of {back} people of this file were erased, and it would \
         store them again; nothing was changed. If that is right, as for a new campaign that they \
         know of, import it with --accept-erased {back}; otherwise have them taken out of the file"
    ))
}

/// A file that lost much of the roster, as one that was cut short, is not taken unasked.
fn refused_gone(
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
    accepted: Accepted,
) -> Result<Box<StagedRoster>, NotStaged> {
    let at_desk = shared.roster_desk().wait();
    if store.read()?.is_unswept()? {
        sweep_all(shared, store, &AtomicBool::new(false))?;
    }
    let compared = compare(shared, store, keys, &prepared, accepted)?;
    if let Some(why) = compared.refused {
        return Err(NotStaged::Impossible(why));
    }
    let Compared {
        base,
        counts,
        news,
        seen,
        left,
        recognised,
        erased_back,
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
    next.personal_keys = base.personal_keys;
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
    let vault = shared.state().vault.clone();
    seal(store, &base, &vault, &next, &contacts)?;
    drop(contacts);
    let mut staged = Box::new(StagedRoster {
        base,
        next,
        digest,
        counts,
        news,
        recognised,
        moves: Vec::new(),
        seen,
        erased_back,
        at_desk,
    });
    staged.next.add_left(left);
    while !staged.seen.is_near(&shared.state()) {
        staged.look_on(&shared.state(), LOOKED_UP);
    }
    // Last, because people went on taking places while rows were stored.
    staged.moves = to_move(shared, &staged.recognised);
    staged.leave_with(MOVES_AT_ONCE);
    for (chunk, people) in (0..).zip(staged.next.left.chunks(ROSTER_CHUNK)) {
        let key = ChunkKey::left(version, chunk);
        store.beside(|write| write.put_people(key, people))?;
    }
    // What waits in the tail is settled now, so that the writer has little of it to wait for.
    store.settle()?;
    Ok(staged)
}

/// Stores the sealed rows of people who are new or have another name or telephone number.
fn seal(
    store: &Store,
    base: &Roster,
    vault: &VaultState,
    next: &Roster,
    contacts: &SealedContacts,
) -> Result<(), NotStaged> {
    let version = next.version;
    let is_new = |person: &RosterPerson| {
        let known = base.find(&person.key);
        let has_row = |known: &RosterPerson| {
            known.has_contact(person.name_tag, person.detail_tag) && !vault.is_erased(&person.key)
        };
        !known.is_some_and(has_row)
    };
    let people = next.people.iter().enumerate();
    let mut people = people.filter(|(_, person)| is_new(person)).peekable();
    let (mut rows, mut bytes, mut sealed) = (Vec::new(), Vec::new(), Vec::new());
    while people.peek().is_some() {
        rows.clear();
        bytes.clear();
        // Found and read before the commit begins, which others wait for.
        for (at, person) in people.by_ref().take(VAULT_ROWS) {
            let is_sealed = contacts.read(at, &mut sealed).map_err(|fault| {
                NotStaged::Impossible(format!(
                    "the sealed rows can't be read again ({fault}); nothing was changed: import \
                     the file again"
                ))
            })?;
            if !is_sealed {
                return Err(NotStaged::Impossible(OTHER_ROSTER.to_owned()));
            }
            let person = person.key;
            let from = bytes.len();
            bytes.extend_from_slice(&sealed);
            rows.push((VaultKey { person, version }, from..bytes.len()));
        }
        store.beside(|write| {
            write.put_vault(rows.iter().map(|(key, row)| (*key, &bytes[row.clone()])))
        })?;
    }
    Ok(())
}

impl StagedRoster {
    /// People who are moved by later entries are also kept as people who left: if those entries
    /// never come, they find their booking under the old code.
    fn leave_with(&mut self, moves: usize) {
        let later = self.moves.iter().skip(moves);
        let base = &self.base;
        let known = |person: &PersonKey| base.find(person).or_else(|| base.find_left(person));
        let people: Vec<_> = later.filter_map(|(from, _)| known(from).copied()).collect();
        self.next.add_left(people);
    }

    /// Takes out what is more than one commit should move.
    pub(super) fn moves_for_later(&mut self) -> Vec<Vec<(PersonKey, PersonKey)>> {
        let later = self.moves.split_off(self.moves.len().min(MOVES_AT_ONCE));
        later.chunks(MOVES_AT_ONCE).map(<[_]>::to_vec).collect()
    }

    /// Entries that say whose erased names are stored again: a pseudonym for each.
    pub(in crate::engine) fn stored_again(&self) -> impl Iterator<Item = Change> + '_ {
        let looks = self.erased_back.chunks(LOOK_PEOPLE_MAX);
        looks.map(|people| {
            Change::PersonalDataSeen(Look {
                purpose: Purpose::StoredAgain,
                origin: String::new(),
                reason: "an import brought the names back".to_owned(),
                people: people.to_vec(),
            })
        })
    }

    /// The moves that the state allows: nobody's new key may have a booking or a hold already.
    pub(in crate::engine) fn moves(&self, state: &State) -> Vec<(PersonKey, PersonKey)> {
        allowed(state, &self.moves)
    }

    /// Takes in who booked or holds something since the last look and is not on the next roster;
    /// looks at so many bookings and holds of each campaign. Gives back who was not known.
    pub(in crate::engine) fn look_on(&mut self, state: &State, most: usize) -> Vec<PersonKey> {
        let mut found: HashMap<PersonKey, RosterPerson> = HashMap::new();
        let mut moved: Vec<(PersonKey, PersonKey)> = Vec::new();
        let mut look = |person: PersonKey| {
            let is_here = || self.next.find(&person).is_some();
            if self.next.find_left(&person).is_some() || is_here() {
                return;
            }
            if let Some(to) = self.recognised.people.get(&person) {
                moved.push((person, *to));
                return;
            }
            let known = self
                .base
                .find(&person)
                .or_else(|| self.base.find_left(&person));
            found.extend(known.map(|known| (person, *known)));
        };
        self.seen
            .0
            .resize(state.campaigns.len(), Default::default());
        for (campaign, (bookings, hold)) in state.campaigns.iter().zip(&mut self.seen.0) {
            let until = campaign.bookings.len().min(bookings.saturating_add(most));
            for booking in (*bookings..until).map(|index| &campaign.bookings[index]) {
                if booking.status == Status::Booked {
                    look(booking.person);
                }
            }
            *bookings = until;
            for (id, held) in campaign.holds.range(*hold..).take(most) {
                look(held.person);
                *hold = HoldId(id.0 + 1);
            }
        }
        moved.retain(|pair| !self.moves.contains(pair));
        moved.sort_unstable();
        moved.dedup();
        self.moves.extend(moved);
        self.next.add_left(found.values().copied());
        found.into_keys().collect()
    }

    /// The keys that its people are known by, if they are others than those in force.
    pub(in crate::engine) fn other_keys(&self) -> Option<u8> {
        let id = self.next.personal_keys;
        (id != self.base.personal_keys).then_some(id)
    }

    /// The digest of the roster, with the people who left as far as they are known.
    pub(in crate::engine) fn digest(&self) -> [u8; 32] {
        self.digest.with_left(&self.next.left)
    }

    /// Stores who was found last, and puts the version into force with the transaction.
    pub(in crate::engine) fn put_in_force(
        &self,
        write: &Write,
        found: &[PersonKey],
    ) -> Result<(), StoreFault> {
        if !found.is_empty() {
            let found = found.iter().filter_map(|key| self.next.find_left(key));
            let found: Vec<_> = found.copied().collect();
            // Behind all the chunks that were stored before.
            let chunk = self.next.left.len().div_ceil(ROSTER_CHUNK) as u32 + 1;
            write.put_people(ChunkKey::left(self.next.version, chunk), &found)?;
        }
        write.put_roster_in_force(&self.next)
    }

    /// The roster that is now in force, and the desk, which is free again.
    pub(in crate::engine) fn into_roster(self) -> Roster {
        drop(self.at_desk);
        self.next
    }
}

/// The moves of these that the state allows.
pub(in crate::engine) fn allowed(
    state: &State,
    moves: &[(PersonKey, PersonKey)],
) -> Vec<(PersonKey, PersonKey)> {
    let is_free = |(_, to): &&(PersonKey, PersonKey)| !has_something(state, to);
    moves.iter().filter(is_free).copied().collect()
}
