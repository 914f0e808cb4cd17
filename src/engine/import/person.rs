//! Looking at what is kept of one person, and erasing their name and telephone number.
//!
//! A look is in the journal before anything is shown, and before a refusal that tells something of
//! the person: that they have a booking, or that a name which was guessed is theirs. An erasure is
//! in the journal before the row goes: if the process ends in between, the sweeper of the next one
//! takes it.

use std::sync::atomic::Ordering;

use super::Hand;
use super::sweep::has_something;
use crate::crypto::sha256;
use crate::domain::entry::{Change, LOOK_PEOPLE_MAX, Look, Purpose};
use crate::domain::ids::PersonKey;
use crate::domain::roster::RosterPerson;
use crate::domain::roster::contact::Contact;
use crate::domain::spelling::comparable_name;
use crate::domain::state::{Booking, Status};
use crate::domain::time::Stamp;
use crate::engine::command::{Operated, Operation, Outcome, PersonSeen, Standings};
use crate::engine::shared::Shared;
use crate::journal::store::{Store, StoreFault, VaultKey};
use crate::keys::Keys;

/// Rows of one person: the one in force, and those of an import that was given up.
const ROWS_MAX: usize = 16;

/// Journals the look, and then looks.
pub(super) fn show(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    look: Look,
    hand: &mut Hand<'_>,
) -> Option<Outcome> {
    assert!(
        look.people.len() <= LOOK_PEOPLE_MAX,
        "one person is looked at"
    );
    let person = *look.people.first()?;
    if names_somebody(store, keys, &look) {
        return refuse_names(look, hand);
    }
    let outcome = journal(look, hand)?;
    if outcome != Outcome::Kept {
        return Some(outcome);
    }
    Some(match seen(shared, store, keys, person) {
        Ok(seen) => Outcome::Operated(Operated::PersonShown(Box::new(seen))),
        Err(fault) => unread(&fault),
    })
}

/// Puts a look into the journal: `Outcome::Kept` when it is there.
fn journal(look: Look, hand: &mut Hand<'_>) -> Option<Outcome> {
    let change = Change::PersonalDataSeen(look);
    hand(Operation::Record { change })
}

/// Refuses what tells something of the person of the look, once the look is in the journal. Nothing
/// was erased: whatever was asked for, it is a look.
fn refuse(look: Look, why: String, hand: &mut Hand<'_>) -> Option<Outcome> {
    let look = Look {
        purpose: Purpose::Shown,
        ..look
    };
    Some(match journal(look, hand)? {
        Outcome::Kept => Outcome::Impossible(why),
        failed => failed,
    })
}

/// What the program itself writes in front of a reason; nobody may give one that begins so.
pub const REFUSED: [&str; 2] = ["refused:", "an erasure that was refused:"];

/// Refuses a reason that names the person. The look is journalled without that reason.
fn refuse_names(look: Look, hand: &mut Hand<'_>) -> Option<Outcome> {
    let reason = "refused: the reason that was given named the person".to_owned();
    let why = "the reason has the person's name or telephone number in it, and would keep it in \
               the record for ever; nothing was shown or erased, and that you asked is on record: \
               say why without naming anybody";
    refuse(Look { reason, ..look }, why.to_owned(), hand)
}

fn seen(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    person: PersonKey,
) -> Result<PersonSeen, StoreFault> {
    let row = store.read()?.vault(person)?;
    let opened = row.map(|sealed| keys.open(person, &sealed).ok());
    let contact = opened.map(|opened| opened.and_then(|opened| Contact::decode(&opened).ok()));
    let roster = shared.roster();
    let known = roster.find(&person);
    let left = || roster.find_left(&person);
    let on_roster = known.is_some();
    let RosterPerson { groups, region, .. } = known.copied().unwrap_or_else(|| nobody(person));
    let state = shared.state();
    let standings = state.campaigns.iter().map(|campaign| {
        let has_place = campaign
            .lines
            .iter()
            .any(|line| line.given.contains(&person));
        Standings {
            campaign: campaign.id.clone(),
            booking: campaign.latest_booking(&person).copied(),
            has_place,
        }
    });
    Ok(PersonSeen {
        person,
        contact: contact.flatten(),
        has_row: store.read()?.vault(person)?.is_some(),
        born: known.or_else(left).map(|known| known.born),
        region: roster
            .regions
            .get(usize::from(region))
            .cloned()
            .unwrap_or_default(),
        groups: roster
            .group_sets
            .get(usize::from(groups.0))
            .cloned()
            .unwrap_or_default(),
        on_roster,
        standings: standings.collect(),
    })
}

fn nobody(key: PersonKey) -> RosterPerson {
    RosterPerson {
        key,
        name_tag: [0; 8],
        detail_tag: 0,
        born: Default::default(),
        groups: Default::default(),
        region: 0,
    }
}

/// Erases a person's row, unless they have a booking that is still to come.
pub(super) fn erase(
    shared: &Shared,
    store: &Store,
    keys: &Keys,
    look: Look,
    now: Stamp,
    hand: &mut Hand<'_>,
) -> Option<Outcome> {
    let person = *look.people.first()?;
    let _at_desk = shared.roster_desk().wait();
    if names_somebody(store, keys, &look) {
        return refuse_names(look, hand);
    }
    if let Some(why) = needed(shared, person, now) {
        let reason = format!("an erasure that was refused: {}", look.reason);
        return refuse(Look { reason, ..look }, why, hand);
    }
    Some(match erase_row(shared, store, person, look, hand) {
        Ok(outcome) => outcome?,
        Err(fault) => unread(&fault),
    })
}

fn erase_row(
    shared: &Shared,
    store: &Store,
    person: PersonKey,
    look: Look,
    hand: &mut Hand<'_>,
) -> Result<Option<Outcome>, StoreFault> {
    let from = VaultKey { person, version: 0 };
    let keys = store.read()?.vault_keys(from, ROWS_MAX)?;
    let rows: Vec<_> = keys
        .into_iter()
        .filter(|row| row.person == person)
        .collect();
    let in_force = shared.roster().version;
    let newest = rows.iter().rev().find(|row| row.version <= in_force);
    let sealed = store.read()?.vault(person)?;
    let (version, row) = match (newest, sealed) {
        (Some(newest), Some(sealed)) => (newest.version, sha256(&sealed)),
        _ => (0, [0; 32]),
    };
    let was_unswept = store.read()?.is_unswept()?;
    store.beside(|write| write.put_unswept(true))?;
    let reason = look.reason.clone();
    let erased = Change::PersonErased {
        person,
        version,
        row,
        reason,
    };
    let erased = (!rows.is_empty()).then_some(erased);
    for change in [Change::PersonalDataSeen(look)].into_iter().chain(erased) {
        match hand(Operation::Record { change }) {
            Some(Outcome::Kept) => {}
            other => return Ok(other),
        }
    }
    shared.any_erased.store(true, Ordering::Relaxed);
    store.beside(|write| {
        write.erase_from_vault(&rows)?;
        write.put_unswept(was_unswept)
    })?;
    let had_row = !rows.is_empty();
    Ok(Some(Outcome::Operated(Operated::PersonErased { had_row })))
}

/// Why the row of a person is still needed.
fn needed(shared: &Shared, person: PersonKey, now: Stamp) -> Option<String> {
    let state = shared.state();
    let mut to_come = state.campaigns.iter().filter_map(|campaign| {
        let booking = campaign.active_booking(&person)?;
        let ends = |booking: &Booking| {
            let slots = booking.doses.slots();
            slots
                .filter_map(|slot| campaign.catalog.slot(slot))
                .map(|slot| slot.end)
                .max()
        };
        let is_to_come =
            booking.status == Status::Booked && ends(booking).is_some_and(|end| now < end);
        is_to_come.then(|| (booking.number, campaign.id.clone()))
    });
    if let Some((number, campaign)) = to_come.next() {
        return Some(format!(
            "the person has the booking {number} in {campaign}, which is still to come: the site \
             needs their name for it; nothing was erased, and that you asked is on record: have it \
             cancelled first"
        ));
    }
    let holds = has_something(&state, &person)
        && state
            .campaigns
            .iter()
            .any(|campaign| campaign.running_hold(&person, now).is_some());
    holds.then(|| {
        "the person holds seats at this moment; nothing was erased, and that you asked is on \
         record: try again in some minutes"
            .to_owned()
    })
}

/// Whether the reason has the person's own name or telephone number in it: it would stand in the
/// journal for ever.
fn names_somebody(store: &Store, keys: &Keys, look: &Look) -> bool {
    let contact = || {
        let person = *look.people.first()?;
        let row = store.read().and_then(|read| read.vault(person)).ok()??;
        Contact::decode(&keys.open(person, &row).ok()?).ok()
    };
    let Some(contact) = contact() else {
        return false;
    };
    let reason = comparable_name(&look.reason);
    let name = comparable_name(&contact.name);
    let digits = |text: &str| {
        text.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    // Of a number that is written with its country the last eight digits are the same.
    let phone = digits(&contact.phone);
    let phone = &phone[phone.len().saturating_sub(8)..];
    let has_name = name.chars().count() > 1 && reason.contains(&name);
    let has_phone = phone.len() == 8 && digits(&look.reason).contains(phone);
    has_name || has_phone
}

fn unread(fault: &StoreFault) -> Outcome {
    tracing::error!(%fault, "the vault can't be read or written");
    Outcome::Impossible(format!("the vault can't be read or written: {fault}"))
}
