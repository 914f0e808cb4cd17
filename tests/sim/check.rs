//! Compares the program with the model, field by field, and both with what must always hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sumun::domain::booking::refusal::Refusal;
use sumun::domain::campaign::eligibility::Answer;
use sumun::domain::entry::{Entry, RefusedFor};
use sumun::domain::ids::{Pool, Seq, SlotIndex};
use sumun::domain::roster::contact::Contact;
use sumun::domain::state::{CampaignState, State, Status, refusal_mark};
use sumun::domain::time::Stamp;
use sumun::engine::command::Outcome;
use sumun::engine::shared::Shared;
use sumun::journal::block::entries;
use sumun::journal::recovery::digest;
use sumun::journal::store::Read;

use crate::model::act::in_flight;
use crate::model::{Model, Programme, Said, Waiting};
use crate::run::Line;
use crate::world::{DAY, keys};

const POOLS: [Pool; sumun::domain::ids::POOLS] = Pool::ALL;

/// The entries of the journal after `seen`, decoded here and not by recovery.
pub fn journal(read: &Read, seen: u64) -> Vec<Entry> {
    let mut found = Vec::new();
    read.blocks(Seq(seen + 1), |_, block| {
        for bytes in entries(block) {
            let entry = Entry::decode(bytes.expect("blocks are whole")).expect("entries are whole");
            if entry.seq.0 > seen {
                found.push(entry);
            }
        }
        true
    })
    .expect("a healthy disk is read");
    found
}

/// The entries are these, and nothing else; stamps never go backwards.
pub fn same_entries(expected: &[Line], found: &[Entry]) {
    for (at, entry) in found.iter().enumerate() {
        let told = (entry.stamp, entry.actor.clone(), entry.change.clone());
        assert_eq!(Some(&told), expected.get(at), "entry {}", entry.seq);
        let before = at.checked_sub(1).map(|before| &found[before]);
        if let Some(before) = before {
            assert!(
                before.stamp <= entry.stamp,
                "entry {} goes backwards",
                entry.seq
            );
            assert_eq!(before.seq.0 + 1, entry.seq.0, "entry {} jumps", entry.seq);
        }
    }
    assert_eq!(found.len(), expected.len(), "the journal is too short");
}

/// The answer is the one that must come.
pub fn same_answer(expected: &Said, told: &Outcome) {
    let same = match (expected, told) {
        (Said::Exactly(expected), told) => expected == told,
        (Said::Impossible, told) => matches!(told, Outcome::Impossible(_)),
        (Said::ByRules(reason, at), Outcome::Refused(Refusal::Rules(decision))) => {
            let answer = match reason {
                RefusedFor::NotEligible => Answer::NotEligible,
                RefusedFor::NotOpenYet => Answer::NotOpenYet,
                RefusedFor::OpeningClosed => Answer::OpeningClosed,
            };
            (decision.answer, decision.evaluated_at) == (answer, *at)
        }
        _ => false,
    };
    assert!(same, "told {told:?}, should be {expected:?}");
}

/// The roster has the people that the agency knows, and those who left it with something; each has
/// a vault row that opens to what the agency last knew of them.
pub fn same_vault(model: &Model, read: &Read) {
    if let Some(roster) = read.roster().unwrap() {
        assert_eq!(roster.left, model.rows_of_left());
        assert_eq!(digest(&roster), model.digest);
    }
    let left = model
        .left
        .iter()
        .filter(|(key, _)| model.has_something(key));
    for (key, person) in model.people.iter().chain(left) {
        let sealed = read.vault(*key).unwrap().expect("a row of everybody");
        let opened = keys().open(*key, &sealed).unwrap();
        assert_eq!(Contact::decode(&opened), Ok(person.contact()));
    }
}

/// The state says what the model says.
pub fn same_state(model: &Model, state: &State) {
    assert_eq!((state.seq.0, state.stamp), (model.seq, model.stamp));
    let mark = state
        .roster
        .map(|mark| (mark.version, mark.people, mark.digest));
    let expected = (model.roster, model.people.len() as u64, model.digest);
    assert_eq!(mark, (model.roster > 0).then_some(expected));
    assert_eq!(state.campaigns.len(), model.campaigns.len());
    for (known, campaign) in model.campaigns.iter().zip(&state.campaigns) {
        same_campaign(known, campaign, state.stamp);
    }
    assert_eq!(
        state.pending, None,
        "every list of a run ends in its commit"
    );
}

fn same_campaign(known: &Programme, campaign: &CampaignState, now: Stamp) {
    let catalog = &campaign.catalog;
    assert_eq!(campaign.id.as_str(), known.rules.id);
    let texts = catalog.versions.iter().map(|version| &*version.source);
    assert!(texts.eq(known.texts.iter().map(String::as_str)));
    assert_eq!(campaign.agency_version(), known.agencies.len() as u32);
    let telephone = campaign
        .agency
        .as_ref()
        .map(|known| &known.agency.telephone);
    assert_eq!(
        telephone,
        known
            .agencies
            .last()
            .map(|last| Some(last.clone()))
            .as_ref()
    );
    let sites = catalog.sites.iter().map(|site| &site.row);
    assert!(sites.eq(&known.sites));
    assert_eq!(catalog.slots.len(), known.slots.len());
    for (at, slot) in catalog.slots.iter().enumerate() {
        let row = &known.slots[at];
        assert_eq!(slot.capacity, row.capacity, "slot {at}");
        assert_eq!(
            (slot.site, slot.date, slot.start),
            (row.site, row.date, row.start)
        );
        assert_eq!(slot.second, known.second_of(at), "slot {at}");
        let closed = slot.closed_by.map(|by| by.0);
        assert_eq!(closed, known.closed.get(&at).copied(), "slot {at}");
        for pool in POOLS {
            let (booked, held) = known.in_use(at, pool);
            let usage = campaign.usage[at];
            let counts = (usage.booked[pool as usize], usage.held[pool as usize]);
            assert_eq!(counts, (booked, held), "slot {at}");
            assert!(
                booked + held <= known.capacity(at, pool),
                "slot {at} is overfull"
            );
        }
    }
    assert!(campaign.bookings.iter().eq(&known.bookings));
    let holds: BTreeMap<u64, _> = campaign
        .holds
        .iter()
        .map(|(id, hold)| (id.0, hold))
        .collect();
    assert!(holds.keys().eq(known.holds.keys()));
    for (id, hold) in &known.holds {
        let told = holds[id];
        assert_eq!(
            (told.person, told.doses, told.pool, told.until),
            (hold.person, hold.doses, hold.pool, hold.until)
        );
        assert_eq!(told.extended, hold.extended, "hold {id}");
        assert_eq!(told.offered_by.map(|by| by.0), hold.offered_by, "hold {id}");
        assert_eq!(told.stays.map(|slot| slot.at()), hold.stays, "hold {id}");
    }
    let ends: BTreeSet<_> = known
        .holds
        .iter()
        .map(|(id, hold)| (hold.until, *id))
        .collect();
    assert!(
        campaign
            .holds_by_end
            .iter()
            .map(|(end, id)| (*end, id.0))
            .eq(ends)
    );
    for (person, standing) in campaign.standings.iter() {
        let latest = standing.latest.map(|at| at as usize);
        let is_active = |at: &usize| campaign.bookings[*at].status == Status::Booked;
        assert_eq!(latest.filter(is_active), known.active(person), "{person}");
        let is_theirs = |at: usize| campaign.bookings[at].person == *person;
        assert!(latest.is_none_or(is_theirs), "{person}");
        assert_eq!(
            standing.hold.map(|id| id.0),
            known.hold_of(person),
            "{person}"
        );
        assert_eq!(
            standing.offer.map(|id| id.0),
            known.offer_of(person),
            "{person}"
        );
        let spent = standing.changes.spent_until(now);
        assert_eq!(spent, known.spent_until(person, now), "{person}");
    }
    one_booking_each(known);
    let moved = campaign.moved.iter();
    let moved: BTreeMap<_, _> = moved
        .map(|(person, moved)| (*person, (moved.relocation.0, moved.from, moved.at)))
        .collect();
    assert_eq!(moved, known.moved);
    let begun = campaign.relocations.iter();
    assert!(
        begun
            .map(|one| (one.until, one.unanswered))
            .eq(known.relocations.iter().copied())
    );
    nobody_is_held_in_a_closed_slot(known);
    let repeats = campaign.repeats.iter(now);
    let repeats: BTreeMap<_, _> = repeats
        .map(|(key, repeat)| (*key, (repeat.request, repeat.seq.0, repeat.stamp)))
        .collect();
    let remembered = known.answered.iter();
    let remembered = remembered.filter(|(_, (.., stamp))| now.0 - stamp.0 < DAY);
    let remembered: BTreeMap<_, _> = remembered.map(|(key, told)| (*key, *told)).collect();
    assert_eq!(repeats, remembered);
    assert!(campaign.repeats.len() <= known.answered.len());
    for (person, rules, reason) in &known.noted {
        let all = [
            RefusedFor::NotEligible,
            RefusedFor::NotOpenYet,
            RefusedFor::OpeningClosed,
        ];
        let mark = refusal_mark(person, *rules, all[usize::from(*reason)]);
        assert!(
            campaign.refusals.contains(&mark),
            "the refusal of {person} is not known"
        );
    }
    assert_eq!(campaign.refusal_counts, known.noted_in_all);
    assert_eq!(campaign.refusals.len(), known.noted.len());
}

/// A slot that was closed keeps the people who are booked there, and takes nobody new.
fn nobody_is_held_in_a_closed_slot(known: &Programme) {
    for hold in known.holds.values() {
        // A dose of an offer that stays where it is has its seat from before.
        let slots = hold.doses.slots().map(|slot| slot.at());
        let mut kept = slots.filter(|slot| Some(*slot) != hold.stays);
        assert!(kept.all(|slot| !known.closed.contains_key(&slot)));
    }
}

/// Nobody has two active bookings; no two bookings share a number.
fn one_booking_each(known: &Programme) {
    let active = known
        .bookings
        .iter()
        .filter(|booking| booking.status == Status::Booked);
    let mut people = BTreeSet::new();
    for booking in active {
        assert!(
            people.insert(booking.person),
            "{} has two bookings",
            booking.person
        );
    }
    let mut kept = BTreeSet::new();
    for hold in known.holds.values() {
        let is_offer = hold.offered_by.is_some();
        assert!(
            kept.insert((hold.person, is_offer)),
            "{} has two holds or two offers",
            hold.person
        );
        assert!(
            !is_offer || people.contains(&hold.person),
            "{} is offered other seats without a booking",
            hold.person
        );
    }
    let numbers: BTreeSet<_> = known
        .bookings
        .iter()
        .map(|booking| booking.number)
        .collect();
    assert_eq!(
        numbers.len(),
        known.bookings.len(),
        "two bookings share a number"
    );
}

/// The counters: booked + held + claimed + free = capacity, for every slot and pool.
pub fn same_seats(model: &Model, shared: &Shared, waiting: &VecDeque<Waiting>) {
    let offers = shared.offers();
    assert_eq!(offers.len(), model.campaigns.len());
    for (index, (known, offer)) in model.campaigns.iter().zip(offers.iter()).enumerate() {
        assert_eq!(offer.catalog.slots.len(), known.slots.len());
        let version = offer.agency.as_ref().map_or(0, |agency| agency.version);
        assert_eq!(
            version,
            known.agencies.len() as u32,
            "the agency that pages show"
        );
        for at in 0..known.slots.len() {
            let slot = offer.catalog.slots[at];
            let seats = &offer.seats[slot.site.at()];
            let free = seats.look(|free| free[slot.position as usize]);
            for pool in POOLS {
                let (booked, held) = known.in_use(at, pool);
                let claimed = in_flight(waiting, index, at, pool);
                assert_eq!(
                    booked + held + claimed + free[pool as usize],
                    known.capacity(at, pool),
                    "slot {}, {pool:?}: {booked} booked, {held} held, {claimed} claimed",
                    SlotIndex(at as u32)
                );
            }
        }
    }
}
