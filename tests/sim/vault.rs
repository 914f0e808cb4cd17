//! Rows of people who left the roster, and sealed rows of the vault: what was changed, lost or put
//! in is found and named.

use std::sync::Arc;

use redb::TableDefinition;
use sumun::domain::ids::PersonKey;
use sumun::engine::command::{Accepted, Operation};
use sumun::engine::import::perform;
use sumun::journal::recovery::{digest, recover};
use sumun::journal::vault::{RowFault, check_vault};

use crate::model::{Act, Asked};
use crate::story::Story;
use crate::tamper::{META, ROSTER, rows, tampered, with_store};
use crate::world::{keys, roster};

const VAULT: TableDefinition<[u8; 20], &[u8]> = TableDefinition::new("vault");

/// The file of an evening after which two people left, one with a booking and one with nothing; and
/// the keys of both.
fn after_leaving() -> (Vec<u8>, PersonKey, PersonKey) {
    let mut story = Story::new();
    story.long();
    let mut people = story.people.clone();
    let at_all = 0..people.len();
    let (with, without): (Vec<_>, Vec<_>) =
        at_all.partition(|at| story.number(*at).is_some() || story.held(*at).is_some());
    let leave = [with[0], without[0]];
    let [with, without] = leave.map(|at| people[at].key);
    people.retain(|person| ![with, without].contains(&person.key));
    story
        .run
        .submit(Asked::Operator(Act::Roster { people }), false);
    story.run.step();
    (story.run.stopped_after([]), with, without)
}

#[test]
fn a_flipped_byte_of_a_person_who_left_is_found_by_a_start() {
    let (bytes, with, _) = after_leaving();
    let found = with_store(&bytes, |store| recover(&store.read().unwrap()).unwrap());
    let left: Vec<_> = found.roster.left.iter().map(|person| person.key).collect();
    assert_eq!(left, [with]);
    let in_force = u64::from(found.roster.version);
    let mut flipped = 0;
    for (chunk, people) in rows(&bytes, ROSTER) {
        for at in 0..people.len() {
            let mut changed = people.clone();
            changed[at] ^= 1 << (at % 8);
            let bytes = tampered(&bytes, |write| {
                let mut table = write.open_table(ROSTER).unwrap();
                table.insert(chunk, changed.as_slice()).unwrap();
            });
            let served = with_store(&bytes, |store| recover(&store.read().unwrap()).is_ok());
            assert!(
                !served || chunk >> 32 != in_force,
                "byte {at} of part {chunk:x}"
            );
            flipped += u64::from(!served);
        }
    }
    assert!(flipped > 36, "{flipped}");
    // A file can't say of itself that its digest covers less than it does.
    let bytes = tampered(&bytes, |write| {
        let mut table = write.open_table(META).unwrap();
        table.remove("roster-covers-left").unwrap();
    });
    assert!(with_store(&bytes, |store| recover(&store.read().unwrap()).is_err()));
}

/// Who takes a hold after the rows were stored, and is not on the next roster, is found by the
/// writer: their row is stored with the commit, and covered like the others.
#[test]
fn who_holds_a_seat_while_their_roster_ends_is_kept_and_covered() {
    let mut story = Story::new();
    story.set_up();
    let mut people = story.people.clone();
    let leaves = people.remove(0);
    let (shared, store) = (
        Arc::clone(story.run.core().shared()),
        Arc::clone(story.run.core().store()),
    );
    let import = Operation::ImportRoster {
        prepared: Box::new(roster(&people)),
        accepted: Accepted {
            gone: Some(1),
            erased: Some(0),
        },
    };
    let mut hand = |part: Operation| {
        assert!(matches!(part, Operation::PutRosterInForce { .. }));
        story.hold(0, 3);
        let people = people.clone();
        story.run.hand(Act::Roster { people }, part);
        None
    };
    perform(&shared, &store, &keys(), import, &mut hand);
    assert!(story.run.model.left.contains_key(&leaves.key));
    story.run.check_replay();
    let bytes = story.run.stopped_after([]);
    let found = with_store(&bytes, |store| recover(&store.read().unwrap()).unwrap());
    let left: Vec<_> = found.roster.left.iter().map(|person| person.key).collect();
    assert_eq!(left, [leaves.key]);
}

/// Rosters of older data files are covered without the people who left.
#[test]
fn a_roster_whose_digest_covers_its_people_alone_is_another_digest() {
    let (bytes, ..) = after_leaving();
    let mut found = with_store(&bytes, |store| {
        recover(&store.read().unwrap()).unwrap().roster
    });
    let covered = digest(&found);
    found.digest_form = sumun::domain::roster::DigestForm::PeopleAlone;
    let alone = digest(&found);
    found.left.clear();
    assert_eq!(digest(&found), alone);
    assert_ne!(covered, alone);
}

/// What a look at the vault finds after somebody was at it.
fn seen(bytes: &[u8], tamper: impl FnOnce(&mut redb::Table<[u8; 20], &[u8]>)) -> Vec<Seen> {
    let bytes = tampered(bytes, |write| {
        // Nothing is left to be swept out.
        write.open_table(META).unwrap().remove("unswept").unwrap();
        tamper(&mut write.open_table(VAULT).unwrap());
    });
    with_store(&bytes, |store| {
        let read = store.read().unwrap();
        let found = recover(&read).expect("the journal is whole");
        let keys = keys();
        let seen = check_vault(&read, &found.roster, &found.state, Some(&keys)).unwrap();
        assert_eq!(seen.faults_total, seen.faults.len() as u64);
        seen.faults
    })
}

type Seen = (PersonKey, RowFault);

/// The vault of an evening as the sweeper leaves it: nobody has a row who left with nothing.
fn swept() -> (Vec<u8>, PersonKey, PersonKey) {
    let (bytes, with, without) = after_leaving();
    let bytes = tampered(&bytes, |write| {
        let mut vault = write.open_table(VAULT).unwrap();
        vault.retain(|key, _| key[..16] != without.0).unwrap();
    });
    (bytes, with, without)
}

#[test]
fn a_row_that_was_changed_lost_or_put_in_is_named() {
    let (bytes, with, without) = swept();
    assert_eq!(seen(&bytes, |_| {}), []);
    let all = rows(&bytes, VAULT);
    assert_eq!(all.len(), 11);
    for (key, sealed) in &all {
        let person = PersonKey(key[..16].try_into().unwrap());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << (at % 8);
            let found = seen(&bytes, |vault| {
                vault.insert(*key, changed.as_slice()).unwrap();
            });
            assert_eq!(found, [(person, RowFault::Unopened)], "byte {at}");
        }
        let found = seen(&bytes, |vault| {
            vault.remove(*key).unwrap();
        });
        assert_eq!(
            found,
            [(person, RowFault::Missing)],
            "{person:?} left: {with:?}"
        );
        // Another version of the same person's row.
        let mut again = *key;
        again[19] += 1;
        let found = seen(&bytes, |vault| {
            vault.insert(again, sealed.as_slice()).unwrap();
        });
        assert_eq!(found, [(person, RowFault::Stale)]);
    }
    // Rows of nobody: before all others, of a person who has gone, behind all others.
    for person in [PersonKey([0; 16]), without, PersonKey([255; 16])] {
        let mut key = [0; 20];
        key[..16].copy_from_slice(&person.0);
        let found = seen(&bytes, |vault| {
            vault.insert(key, all[0].1.as_slice()).unwrap();
        });
        assert_eq!(found, [(person, RowFault::Foreign)]);
    }
    // The row of one person under the key of another.
    let found = seen(&bytes, |vault| {
        vault.insert(all[1].0, all[0].1.as_slice()).unwrap();
    });
    let person = PersonKey(all[1].0[..16].try_into().unwrap());
    assert_eq!(found, [(person, RowFault::Unopened)]);
}

/// Between the entry of a roster and the end of its sweep such rows are there in good order.
#[test]
fn rows_that_are_still_to_be_swept_out_are_no_fault() {
    let (bytes, _, without) = after_leaving();
    let bytes = tampered(&bytes, |write| {
        write
            .open_table(META)
            .unwrap()
            .insert("unswept", [].as_slice())
            .unwrap();
        let mut vault = write.open_table(VAULT).unwrap();
        let mut key = [255; 20];
        key[..16].copy_from_slice(&without.0);
        vault.insert(key, [1, 2, 3].as_slice()).unwrap();
    });
    with_store(&bytes, |store| {
        let read = store.read().unwrap();
        let found = recover(&read).unwrap();
        let seen = check_vault(&read, &found.roster, &found.state, Some(&keys())).unwrap();
        assert_eq!((seen.faults, seen.rows), (vec![], 11));
    });
}
