//! Sweeps rows out of the data file that no roster in force needs: of an import that was
//! interrupted, of the version before, of people who left.
//!
//! A mark in the data file says that there may be such rows. It is set before the first row of an
//! import is stored and taken away when everything was looked at, so a start knows what to do.
//! Rows go in small commits; a sweep that is stopped begins anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::RosterDesk;
use super::marking::mark;
use super::retention::empty_when_due;
use crate::clock::{Clock, tick};
use crate::domain::ids::PersonKey;
use crate::domain::roster::Roster;
use crate::domain::state::State;
use crate::engine::background::Background;
use crate::engine::shared::Shared;
use crate::engine::writer::WriterHandle;
use crate::journal::store::{Store, StoreFault, VaultKey};

/// Parts of a roster erased in one commit: of 290 kB each.
const CHUNKS: usize = 4;
/// Rows of the vault that are looked at together, and erased in one commit at the most.
const ROWS: usize = 2_048;

/// How often the sweeper looks for something to sweep.
const SWEEP: Duration = Duration::from_secs(1);
/// How often it looks whether people who left still have something.
const SWEEP_LEFT: Duration = Duration::from_secs(60);
/// A sweep of 60 million rows may take as long.
const SWEEP_MAX: Duration = Duration::from_secs(600);

/// Sweeps rows out that no roster in force needs, until the thread is dropped.
pub(in crate::engine) fn start(
    shared: Arc<Shared>,
    store: Arc<Store>,
    writer: WriterHandle,
    clock: Clock,
) -> Background {
    let watch = shared.watch.clone();
    Background::start("sweeper", None, watch, move |stop, beat| {
        let (mut left, mut of_version, mut looked) = (Vec::new(), 0, tick());
        let mut due_at = None::<Instant>;
        while !stop.load(Ordering::Acquire) {
            beat.beat();
            let excuse = beat.excuse(SWEEP_MAX);
            let mut swept = sweep(&shared, &store, stop);
            let roster = shared.roster();
            if roster.version != of_version {
                of_version = roster.version;
                left = roster.left.iter().map(|person| person.key).collect();
            }
            if swept.is_ok() && looked.elapsed() >= SWEEP_LEFT {
                looked = tick();
                let waiting = sweep_left(&shared, &store, std::mem::take(&mut left));
                swept = waiting.map(|waiting| left = waiting);
            }
            if due_at.is_none_or(|at| at.elapsed() >= SWEEP_LEFT) {
                due_at = Some(tick());
                let now = clock.now();
                swept = swept.and_then(|()| empty_when_due(&shared, &store, &writer, now, stop));
            }
            let swept = swept.and_then(|()| mark(&shared, &store, &writer, stop));
            drop((excuse, roster));
            // The writer sees a failure of the store, and ends with it.
            if let Err(fault) = swept {
                tracing::error!(%fault, "rows of a former roster could not be swept out");
                return;
            }
            std::thread::park_timeout(SWEEP);
        }
    })
}

/// Sweeps if there may be something to sweep and nobody imports a roster; `stop` ends it early.
pub fn sweep(shared: &Shared, store: &Store, stop: &AtomicBool) -> Result<(), StoreFault> {
    if !store.read()?.is_unswept()? {
        return Ok(());
    }
    let desk: &RosterDesk = shared.roster_desk();
    let Some(_at_desk) = desk.take() else {
        return Ok(());
    };
    sweep_all(shared, store, stop)
}

/// Sweeps for somebody who is at the desk.
pub(super) fn sweep_all(
    shared: &Shared,
    store: &Store,
    stop: &AtomicBool,
) -> Result<(), StoreFault> {
    let stops = || stop.load(Ordering::Acquire);
    loop {
        let stale = store.read()?.stale_chunks(CHUNKS)?;
        if stale.is_empty() {
            break;
        }
        store.beside(|write| write.remove_people(&stale))?;
        if stops() {
            return Ok(());
        }
    }
    let roster = shared.roster();
    let mut next = Some(VaultKey::FIRST);
    while let Some(from) = next {
        if stops() {
            return Ok(());
        }
        let keys = store.read()?.vault_keys(from, ROWS)?;
        let stale;
        let vault = shared.state().vault.clone();
        let erased = |person: &PersonKey| vault.is_erased(person);
        (stale, next) = stale_of(&keys, &roster, erased, |people| of_interest(shared, people));
        if !stale.is_empty() {
            store.beside(|write| write.erase_from_vault(&stale))?;
        }
    }
    store.beside(|write| write.put_unswept(false))
}

/// Erases the vault's rows of people who left and have nothing any more; gives back who still has.
fn sweep_left(
    shared: &Shared,
    store: &Store,
    left: Vec<PersonKey>,
) -> Result<Vec<PersonKey>, StoreFault> {
    let Some(_at_desk) = shared.roster_desk().take() else {
        return Ok(left);
    };
    let mut waiting = Vec::new();
    for people in left.chunks(ROWS / 2) {
        let active = of_interest(shared, people);
        let mut stale = Vec::new();
        for person in people.iter().filter(|person| !active.contains(person)) {
            let from = VaultKey {
                person: *person,
                version: 0,
            };
            let rows = store.read()?.vault_keys(from, 2)?;
            stale.extend(rows.into_iter().filter(|row| row.person == *person));
        }
        if !stale.is_empty() {
            store.beside(|write| write.erase_from_vault(&stale))?;
        }
        waiting.extend(active);
    }
    Ok(waiting)
}

/// Which of these people have a booking or a hold.
fn of_interest(shared: &Shared, people: &[PersonKey]) -> Vec<PersonKey> {
    let state = shared.state();
    let active = |person: &&PersonKey| has_something(&state, person);
    people.iter().filter(active).copied().collect()
}

/// Whether the person has a booking or a hold in any campaign.
pub fn has_something(state: &State, person: &PersonKey) -> bool {
    let of = |campaign: &crate::domain::state::CampaignState| {
        let standing = campaign.standing(person);
        campaign.active_booking(person).is_some() || standing.hold.is_some()
    };
    state.campaigns.iter().any(of)
}

/// Of rows in order, those that nobody needs, and where to look next; none behind the last.
fn stale_of(
    keys: &[VaultKey],
    roster: &Roster,
    is_erased: impl Fn(&PersonKey) -> bool,
    active: impl Fn(&[PersonKey]) -> Vec<PersonKey>,
) -> (Vec<VaultKey>, Option<VaultKey>) {
    let mut groups: Vec<_> = keys
        .chunk_by(|one, other| one.person == other.person)
        .collect();
    let mut next = None;
    if keys.len() == ROWS
        && groups.len() > 1
        && let Some(cut) = groups.pop()
    {
        // More rows of this person may follow.
        next = cut.first().copied();
    }
    let people = groups.iter().filter_map(|rows| rows.first());
    let people = people.map(|row| row.person);
    let gone = people.filter(|person| roster.find(person).is_none());
    let left: Vec<_> = gone
        .filter(|person| roster.find_left(person).is_some())
        .collect();
    let active = active(&left);
    let mut stale = Vec::new();
    for rows in groups {
        let person = rows[0].person;
        let is_known = roster.find(&person).is_some() || active.contains(&person);
        let is_wanted = is_known && !is_erased(&person);
        let in_force = rows.iter().rev().find(|row| row.version <= roster.version);
        let kept = in_force.filter(|_| is_wanted);
        stale.extend(rows.iter().filter(|row| Some(*row) != kept));
    }
    (stale, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::roster::RosterPerson;
    use crate::domain::time::Day;

    fn key(person: u16) -> PersonKey {
        let mut key = [0; 16];
        key[..2].copy_from_slice(&person.to_be_bytes());
        PersonKey(key)
    }

    fn row(person: u16, version: u32) -> VaultKey {
        let person = key(person);
        VaultKey { person, version }
    }

    fn person(number: u16) -> RosterPerson {
        RosterPerson {
            key: key(number),
            name_tag: [0; 8],
            detail_tag: 0,
            born: Day(0),
            groups: Default::default(),
            region: 0,
        }
    }

    #[test]
    fn the_newest_row_in_force_stays_of_people_who_are_here_or_have_something() {
        let mut roster = Roster {
            version: 3,
            people: vec![person(1), person(2)],
            ..Roster::default()
        };
        roster.add_left([person(5), person(4)]);
        let rows = [
            row(1, 1),
            row(1, 3),
            // An import of version 4 was interrupted.
            row(1, 4),
            row(2, 2),
            // Gone with nothing, left with a booking, left and cancelled it.
            row(3, 1),
            row(4, 1),
            row(5, 2),
            // Never in force.
            row(6, 4),
        ];
        let has_booking = |people: &[PersonKey]| {
            assert_eq!(people, [key(4), key(5)]);
            vec![key(4)]
        };
        let (stale, next) = stale_of(&rows, &roster, |_| false, has_booking);
        let expected = [row(1, 1), row(1, 4), row(3, 1), row(5, 2), row(6, 4)];
        assert_eq!((stale.as_slice(), next), (expected.as_slice(), None));
    }

    #[test]
    fn a_person_at_the_end_of_a_look_is_looked_at_again_whole() {
        let roster = Roster::default();
        let mut rows: Vec<_> = (0..ROWS as u16 - 1).map(|at| row(at, 1)).collect();
        rows.push(row(ROWS as u16 - 2, 2));
        let (stale, next) = stale_of(&rows, &roster, |_| false, |_| Vec::new());
        assert_eq!(stale.len(), ROWS - 2);
        assert_eq!(next, Some(row(ROWS as u16 - 2, 1)));
    }
}
