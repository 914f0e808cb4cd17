//! The roster in force once more, with other keys: names and telephone numbers are opened, and
//! compared and sealed anew, as if the same people were imported again.
//!
//! What nobody can read any more (a row that was erased) stays as it is: its person is known by
//! their code alone.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::{
    Counts, DISK_BYTES_MIN, LOOKED_UP, NotStaged, Recognised, RosterDigest, Seen, StagedRoster,
    VAULT_ROWS,
};
use crate::clock::Entropy;
use crate::domain::roster::contact::Contact;
use crate::domain::roster::{Roster, RosterPerson};
use crate::engine::command::RosterNews;
use crate::engine::import::sweep::sweep_all;
use crate::engine::shared::Shared;
use crate::journal::Log as _;
use crate::journal::store::{ChunkKey, ROSTER_CHUNK, Store, StoreFault, VaultKey};
use crate::keys::{Keys, PersonalKeys};

/// What a person takes in the data file while two rosters are there.
const PERSON_BYTES: u64 = 300;

/// Stores the people in force once more beside themselves, with the keys of this id.
pub fn stage_resealed(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    id: u8,
) -> Result<Box<StagedRoster>, NotStaged> {
    let at_desk = shared.roster_desk().wait();
    if store.read()?.is_unswept()? {
        sweep_all(shared, store, &AtomicBool::new(false))?;
    }
    let base = shared.roster();
    let Some(personal) = keys.personal(id) else {
        return Err(NotStaged::Impossible(format!("there are no keys {id}")));
    };
    if base.version == 0 {
        let why = "no roster was imported yet: nothing is sealed with the keys there are";
        return Err(NotStaged::Impossible(why.to_owned()));
    }
    let people = (base.people.len() + base.left.len()) as u64;
    let needed = people * PERSON_BYTES + DISK_BYTES_MIN;
    if store.disk_free().is_some_and(|free| free < needed) {
        return Err(NotStaged::Impossible(format!(
            "the disk has less than the {} MiB free that this needs; nothing was changed: make \
             room, then try again",
            needed >> 20
        )));
    }
    store.beside(|write| write.put_unswept(true))?;
    let version = base.version + 1;
    let resealing = Resealing {
        store,
        keys,
        personal: &personal,
        in_force: base.version,
        version,
    };
    let people = resealing.all(&base.people, ChunkKey::people)?;
    let left = resealing.all(&base.left, ChunkKey::left)?;
    let next = Roster {
        version,
        people,
        left,
        group_sets: base.group_sets.clone(),
        regions: base.regions.clone(),
        personal_keys: id,
        ..Roster::default()
    };
    let unchanged = next.people.len() as u64;
    let mut staged = Box::new(StagedRoster {
        digest: RosterDigest::of_people(&next),
        base,
        next,
        counts: Counts {
            added: 0,
            changed: 0,
            gone: 0,
            unchanged,
        },
        news: RosterNews::default(),
        recognised: Recognised::default(),
        moves: Vec::new(),
        seen: Seen::default(),
        erased_back: Vec::new(),
        at_desk,
    });
    while !staged.seen.is_near(&shared.state()) {
        staged.look_on(&shared.state(), LOOKED_UP);
    }
    store.settle()?;
    Ok(staged)
}

struct Resealing<'a> {
    store: &'a Store,
    keys: &'a Keys,
    personal: &'a Arc<PersonalKeys>,
    in_force: u32,
    version: u32,
}

impl Resealing<'_> {
    /// Stores these people and their rows; gives the people with their new tags.
    fn all(
        &self,
        people: &[RosterPerson],
        key: impl Fn(u32, u32) -> ChunkKey,
    ) -> Result<Vec<RosterPerson>, NotStaged> {
        let mut all = Vec::with_capacity(people.len());
        for (number, chunk) in (0..).zip(people.chunks(ROSTER_CHUNK)) {
            let rows = self.rows_of(chunk)?;
            let made: Vec<_> = chunk
                .par_iter()
                .zip(rows)
                .map(|(person, row)| self.one(*person, row))
                .collect::<Result<_, _>>()?;
            let (people, rows): (Vec<RosterPerson>, Vec<Option<Vec<u8>>>) =
                made.into_iter().unzip();
            let sealed = people.iter().zip(&rows).filter_map(|(person, row)| {
                let (person, version) = (person.key, self.version);
                Some((VaultKey { person, version }, row.as_deref()?))
            });
            let sealed: Vec<_> = sealed.collect();
            for rows in sealed.chunks(VAULT_ROWS) {
                self.store
                    .beside(|write| write.put_vault(rows.iter().copied()))?;
            }
            let key = key(self.version, number);
            self.store.beside(|write| write.put_people(key, &people))?;
            all.extend(people);
        }
        Ok(all)
    }

    /// The row in force of each of these people, who are in order of key.
    fn rows_of(&self, people: &[RosterPerson]) -> Result<Vec<Option<Vec<u8>>>, StoreFault> {
        let mut rows = vec![None; people.len()];
        let read = self.store.read()?;
        let first = people.first().map(|person| person.key);
        let last = people.last().map(|person| person.key);
        let mut see = |key: VaultKey, sealed: &[u8]| {
            if key.version <= self.in_force
                && let Ok(at) = people.binary_search_by(|person| person.key.cmp(&key.person))
            {
                rows[at] = Some(sealed.to_vec());
            }
        };
        read.vault_rows(first, last, &mut see)?;
        // The end of that range is not in it.
        if let Some(last) = last
            && let Some(sealed) = read.vault(last)?
        {
            rows[people.len() - 1] = Some(sealed);
        }
        Ok(rows)
    }

    fn one(
        &self,
        person: RosterPerson,
        row: Option<Vec<u8>>,
    ) -> Result<(RosterPerson, Option<Vec<u8>>), NotStaged> {
        let Some(sealed) = row else {
            return Ok((person, None));
        };
        let opened = self.keys.open(person.key, &sealed).ok();
        let contact = opened.and_then(|opened| Contact::decode(&opened).ok());
        let Some(Contact { name, phone }) = contact else {
            return Err(NotStaged::Impossible(format!(
                "the row of person {} in the vault does not open; nothing was changed: look what \
                 `sumun verify` says",
                person.key
            )));
        };
        let mut plain = Vec::new();
        Contact::encode(&name, &phone, &mut plain);
        let sealed = self.personal.seal(&Entropy::system(), person.key, &plain);
        let person = RosterPerson {
            name_tag: self.personal.name_tag(person.key, &name),
            detail_tag: self.personal.detail_tag(person.key, &phone),
            ..person
        };
        Ok((person, Some(sealed)))
    }
}
