//! Tests of lookup, stored bytes and difference.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn person(key: [u8; 16], name: u8, phone: u32) -> RosterPerson {
    RosterPerson {
        key: PersonKey(key),
        name_tag: [name; 8],
        detail_tag: phone,
        born: Day(-1000),
        groups: GroupSetIndex(0),
        region: 0,
    }
}

fn roster(people: impl IntoIterator<Item = RosterPerson>) -> Roster {
    let people = people.into_iter().collect();
    Roster::assemble(0, people, vec![vec![]], vec![String::new()]).unwrap()
}

#[test]
fn a_person_takes_36_bytes() {
    assert_eq!(size_of::<RosterPerson>(), PERSON_BYTES);
}

proptest! {
    #[test]
    fn everyone_is_found_and_nobody_else(keys in vec(any::<[u8; 16]>(), 0..400)) {
        let keys: BTreeMap<_, _> = keys.into_iter().map(|key| (key, ())).collect();
        let (in_it, out_of_it): (Vec<_>, Vec<_>) =
            keys.keys().enumerate().partition(|(at, _)| at % 2 == 0);
        let roster = roster(in_it.iter().map(|(_, key)| person(**key, 0, 0)));
        for (_, key) in in_it {
            prop_assert_eq!(roster.find(&PersonKey(*key)).map(|found| found.key.0), Some(*key));
        }
        for (_, key) in out_of_it {
            prop_assert_eq!(roster.find(&PersonKey(*key)), None);
        }
    }

    /// Keys that no HMAC would give: close together, at the ends, equal in their first bytes.
    #[test]
    fn skewed_keys_are_found(bytes in vec((0..3_u8, any::<u8>()), 1..300)) {
        let keys: BTreeMap<_, _> = bytes
            .into_iter()
            .map(|(kind, byte)| {
                let mut key = [[0, 255, 7][usize::from(kind)]; 16];
                key[if kind == 2 { 15 } else { 7 }] = byte;
                (key, ())
            })
            .collect();
        let roster = roster(keys.keys().map(|key| person(*key, 0, 0)));
        for at in 0..roster.people.len() {
            prop_assert_eq!(roster.position(&roster.people[at].key), Some(at));
        }
        prop_assert_eq!(roster.position(&PersonKey([9; 16])), None);
    }

    #[test]
    fn stored_people_come_back(
        people in vec((any::<[u8; 16]>(), any::<u8>(), any::<u32>(), any::<i32>()), 0..50),
    ) {
        let people: Vec<_> = people
            .into_iter()
            .map(|(key, name, phone, born)| RosterPerson {
                born: Day(born),
                groups: GroupSetIndex(phone as u16),
                region: name.into(),
                ..person(key, name, phone)
            })
            .collect();
        let mut bytes = Vec::new();
        encode_people(&people, &mut bytes);
        prop_assert_eq!(bytes.len(), people.len() * PERSON_BYTES);
        prop_assert_eq!(decode_people(&bytes), Ok(people));
    }

    #[test]
    fn corrupt_bytes_are_answered(bytes in vec(any::<u8>(), 0..200)) {
        match decode_people(&bytes) {
            Ok(people) => {
                prop_assert_eq!(people.len() * PERSON_BYTES, bytes.len());
                let checked = Roster::assemble(1, people, vec![vec![]], vec![String::new()]);
                if let Ok(roster) = checked {
                    let _ = difference(&roster, &Roster::default());
                }
            }
            Err(fault) => prop_assert_eq!(fault, RosterFault::Length(bytes.len())),
        }
    }

    #[test]
    fn a_difference_is_what_two_maps_say(
        old in btree_map(0..40_u8, (0..3_u8, 0..2_u32), 0..30),
        new in btree_map(0..40_u8, (0..3_u8, 0..2_u32), 0..30),
    ) {
        let of = |map: &BTreeMap<u8, (u8, u32)>| {
            roster(map.iter().map(|(key, (name, phone))| person([*key; 16], *name, *phone)))
        };
        let found = difference(&of(&old), &of(&new));
        let added = new.keys().filter(|key| !old.contains_key(key)).count();
        let gone = old.keys().filter(|key| !new.contains_key(key)).count();
        let same = old.iter().filter(|(key, value)| new.get(key) == Some(value)).count();
        prop_assert_eq!((found.added.len(), found.gone.len()), (added, gone));
        prop_assert_eq!(found.unchanged as usize, same);
        prop_assert_eq!(found.changed.len(), old.len() - gone - same);
        for changed in found.changed {
            let key = of(&old).people[changed.old as usize].key;
            prop_assert_eq!(of(&new).people[changed.new as usize].key, key);
            let (before, after) = (old[&key.0[0]], new[&key.0[0]]);
            prop_assert_eq!(changed.name, before.0 != after.0);
            prop_assert_eq!(changed.phone, before.1 != after.1);
        }
    }
}

#[test]
fn tables_that_differ_in_order_are_no_change() {
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.to_string())
            .collect::<Vec<_>>()
    };
    let mut one = person([1; 16], 0, 0);
    (one.region, one.groups) = (1, GroupSetIndex(1));
    let sets = vec![vec![], texts(&["b"])];
    let old = Roster::assemble(1, vec![one], sets, texts(&["", "11/110"])).unwrap();
    (one.region, one.groups) = (2, GroupSetIndex(2));
    let sets = vec![vec![], texts(&["a"]), texts(&["b"])];
    let new = Roster::assemble(2, vec![one], sets, texts(&["", "10/110", "11/110"])).unwrap();
    assert!(difference(&old, &new).is_empty());
    let mut moved = new.clone();
    moved.people[0].region = 1;
    let found = difference(&old, &moved);
    assert!(found.changed[0].region && !found.changed[0].groups);
}

#[test]
fn broken_parts_are_no_roster() {
    let (sets, regions) = (vec![vec![]], vec![String::new()]);
    let one = person([1; 16], 0, 0);
    let check = |people: Vec<_>| Roster::assemble(0, people, sets.clone(), regions.clone());
    assert_eq!(check(vec![one, one]), Err(RosterFault::Order(1)));
    let (mut grouped, mut placed) = (one, one);
    grouped.groups = GroupSetIndex(1);
    placed.region = 1;
    assert_eq!(check(vec![grouped]), Err(RosterFault::Groups(0)));
    assert_eq!(check(vec![placed]), Err(RosterFault::Region(0)));
    assert_eq!(
        Roster::assemble(0, vec![], vec![], regions.clone()),
        Err(RosterFault::Table)
    );
    assert_eq!(
        Roster::assemble(0, vec![], sets.clone(), vec![]),
        Err(RosterFault::Table)
    );
}

#[test]
fn a_digest_covers_each_field_and_where_texts_end() {
    let input = |roster: &Roster| {
        let mut bytes = Vec::new();
        roster.digest_input(|piece| bytes.extend_from_slice(piece));
        bytes
    };
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| text.to_string())
            .collect::<Vec<_>>()
    };
    let base = roster([person([1; 16], 0, 0)]);
    let mut versioned = base.clone();
    versioned.version = 9;
    assert_eq!(input(&base), input(&versioned));
    let mut others = vec![base.clone(); 7];
    others[0].people[0].detail_tag = 1;
    others[1].regions.push("11/110".into());
    others[2].group_sets.push(texts(&["ab", "c"]));
    others[3].group_sets.push(texts(&["a", "bc"]));
    others[4].people.clear();
    others[5].left = vec![person([2; 16], 0, 0)];
    others[6].digest_form = DigestForm::PeopleAlone;
    others.push(base);
    let distinct: std::collections::HashSet<_> = others.iter().map(input).collect();
    assert_eq!(distinct.len(), others.len());
}

#[test]
fn names_and_phones_compare_by_what_they_say() {
    assert_eq!(comparable_name(" 김 영\u{3000}숙\t"), "김영숙");
    assert_eq!(comparable_name("\u{1100}\u{1175}\u{11b7}"), "김");
    // Once the space between them is gone, two jamo compose to one syllable.
    assert_eq!(comparable_name("\u{1100} \u{1175}"), "기");
    assert_eq!(
        comparable_name("Renée O'Neil"),
        comparable_name("Rene\u{301}eO'Neil")
    );
    assert_eq!(comparable_phone("+82 (10) 1234-5678"), "+821012345678");
}

/// The tables of the roster in force may be shorter than those of the roster that a person left.
#[test]
fn a_person_who_left_has_no_groups_and_no_region_whatever_they_had_before() {
    let mut leaves = person([2; 16], 0, 0);
    (leaves.groups, leaves.region) = (GroupSetIndex(7), 9);
    let base = roster([person([1; 16], 0, 0)]);
    let mut imported = base.clone();
    imported.add_left([leaves]);
    // An older data file has the row as it was on the roster before.
    let mut older = base.clone();
    let restored = older.restore_left(vec![leaves], DigestForm::PeopleAlone);
    assert_eq!(restored, Ok(()));
    for roster in [&imported, &older] {
        let found = roster.find_left(&leaves.key).unwrap();
        assert_eq!(roster.groups(found), <[String; 0]>::default());
        assert_eq!(roster.region(found), "");
    }
    // A row that the digest covers never had them.
    for (groups, region) in [(7, 0), (0, 9)] {
        (leaves.groups, leaves.region) = (GroupSetIndex(groups), region);
        let restored = base
            .clone()
            .restore_left(vec![leaves], DigestForm::WithLeft);
        assert_eq!(restored, Err(RosterFault::Left(0)));
    }
    let mut whole = base.clone();
    let rows = imported.left.clone();
    assert_eq!(whole.restore_left(rows, DigestForm::WithLeft), Ok(()));
    assert_eq!(whole, imported);
}
