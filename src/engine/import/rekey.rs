//! Recognises people of the roster who have a new code in a file.
//!
//! To the program a code is the person: under a new one a booked person would be a stranger, and
//! nobody could cancel their booking. So the people of a file who were not on the roster are
//! compared with those who are gone. A name and a birth date that one of each has say that they are
//! one person, unless both have telephone numbers and they differ; where several are alike, a
//! telephone number decides that one of each has. Nothing else is guessed.

use std::collections::{BTreeMap, HashMap};

use crate::domain::ids::PersonKey;
use crate::domain::roster::contact::Contact;
use crate::domain::roster::{Roster, RosterPerson};
use crate::files::roster::{Alike, PreparedRoster};
use crate::journal::store::{Store, StoreFault};
use crate::keys::Keys;

/// Who was recognised, and who may be somebody.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Recognised {
    /// The new key of each old one.
    pub people: HashMap<PersonKey, PersonKey>,
    /// Lines of the file, in order.
    pub undecided: Vec<u32>,
}

/// Compares the strangers of a file with the people who are gone.
pub(super) fn recognise(
    store: &Store,
    keys: &Keys,
    prepared: &PreparedRoster,
    gone: &[RosterPerson],
) -> Result<Recognised, StoreFault> {
    if prepared.strangers.is_empty() || gone.is_empty() {
        return Ok(Recognised::default());
    }
    let mut alike = Vec::with_capacity(gone.len());
    for people in gone.chunks(GONE_AT_A_TIME) {
        let read = store.read()?;
        for person in people {
            let sealed = read.vault(person.key)?;
            let opened = sealed.and_then(|sealed| keys.open(person.key, &sealed).ok());
            let contact = opened.and_then(|opened| Contact::decode(&opened).ok());
            // A row that does not open tells nothing of its person.
            if let Some(Contact { name, phone }) = contact {
                let of = prepared.likeness.of(&name, person.born, &phone);
                alike.push((person.key, of));
            }
        }
    }
    Ok(decide(prepared, &alike))
}

/// Rows of the vault that are read of one view.
const GONE_AT_A_TIME: usize = 4_096;

#[derive(Default)]
struct Group {
    gone: Vec<(PersonKey, u32)>,
    /// With their lines.
    strangers: Vec<(PersonKey, u32, u32)>,
}

fn decide(prepared: &PreparedRoster, gone: &[(PersonKey, Alike)]) -> Recognised {
    let mut groups: BTreeMap<u64, Group> = BTreeMap::new();
    for (person, alike) in gone {
        let group = groups.entry(alike.name_and_birth).or_default();
        group.gone.push((*person, alike.phone));
    }
    let roster: &Roster = &prepared.roster;
    for stranger in &prepared.strangers {
        let key = roster.people[stranger.at as usize].key;
        if let Some(group) = groups.get_mut(&stranger.alike.name_and_birth) {
            group
                .strangers
                .push((key, stranger.alike.phone, stranger.line));
        }
    }
    let mut recognised = Recognised::default();
    for group in groups.values() {
        group.decide(&mut recognised);
    }
    recognised.undecided.sort_unstable();
    recognised
}

impl Group {
    fn decide(&self, recognised: &mut Recognised) {
        if let ([(from, old)], [(to, new, line)]) = (&*self.gone, &*self.strangers) {
            if old == new || *old == 0 || *new == 0 {
                recognised.people.insert(*from, *to);
            } else {
                recognised.undecided.push(*line);
            }
            return;
        }
        for (to, new, line) in &self.strangers {
            let same_number = self.strangers.iter().filter(|other| other.1 == *new);
            let mut from = self.gone.iter().filter(|(_, old)| old == new);
            match (from.next(), from.next(), same_number.count()) {
                (Some((from, _)), None, 1) if *new != 0 => {
                    recognised.people.insert(*from, *to);
                }
                _ => recognised.undecided.push(*line),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> PersonKey {
        PersonKey([byte; 16])
    }

    /// Who of `gone` is who of `strangers`, and which lines are undecided; a person is a key's byte
    /// and a telephone number, a line is the key's byte.
    fn told(gone: &[(u8, u32)], strangers: &[(u8, u32)]) -> (Vec<(u8, u8)>, Vec<u32>) {
        let group = Group {
            gone: gone.iter().map(|(at, phone)| (key(*at), *phone)).collect(),
            strangers: strangers
                .iter()
                .map(|(at, phone)| (key(*at), *phone, u32::from(*at)))
                .collect(),
        };
        let mut recognised = Recognised::default();
        group.decide(&mut recognised);
        let people = recognised.people.iter();
        let mut people: Vec<_> = people.map(|(from, to)| (from.0[0], to.0[0])).collect();
        people.sort_unstable();
        (people, recognised.undecided)
    }

    #[test]
    fn one_of_each_is_one_person_unless_their_numbers_differ() {
        assert_eq!(told(&[(1, 7)], &[(9, 7)]), (vec![(1, 9)], vec![]));
        assert_eq!(told(&[(1, 0)], &[(9, 7)]), (vec![(1, 9)], vec![]));
        assert_eq!(told(&[(1, 7)], &[(9, 0)]), (vec![(1, 9)], vec![]));
        assert_eq!(told(&[(1, 0)], &[(9, 0)]), (vec![(1, 9)], vec![]));
        assert_eq!(told(&[(1, 7)], &[(9, 8)]), (vec![], vec![9]));
        assert_eq!(told(&[(1, 7)], &[]), (vec![], vec![]));
    }

    #[test]
    fn between_several_a_number_decides_that_one_of_each_has_and_nothing_else() {
        let two = [(1, 7), (2, 8)];
        assert_eq!(told(&two, &[(9, 8)]), (vec![(2, 9)], vec![]));
        assert_eq!(told(&two, &[(9, 0)]), (vec![], vec![9]));
        assert_eq!(told(&[(1, 0), (2, 0)], &[(9, 0)]), (vec![], vec![9]));
        assert_eq!(told(&[(1, 7), (2, 7)], &[(9, 7)]), (vec![], vec![9]));
        assert_eq!(told(&[(1, 7)], &[(8, 7), (9, 7)]), (vec![], vec![8, 9]));
        let both = told(&two, &[(8, 7), (9, 8)]);
        assert_eq!(both, (vec![(1, 8), (2, 9)], vec![]));
        // Who is left over is not taken to be who is left over.
        assert_eq!(told(&two, &[(8, 7), (9, 0)]), (vec![(1, 8)], vec![9]));
    }
}
