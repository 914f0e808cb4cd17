//! What `apply` takes and what it contradicts, entry by entry.

use super::*;
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::entry::{Doses, HoldEnd, Idempotency, Role};
use crate::domain::ids::{BookingNumber, HoldId, SiteIndex, SlotIndex, VaccineIndex};
use crate::domain::pieces;
use crate::domain::state::CHANGES_MAX;
use crate::domain::time::{Day, Stamp};

const JULY: &str = include_str!("../../../data/campaign.toml");
const CAMPAIGN: CampaignIndex = CampaignIndex(0);
const DOSES: Doses = Doses {
    first: SlotIndex(0),
    second: None,
};

fn person(at: u8) -> PersonKey {
    PersonKey([at; 16])
}

fn add(state: &mut State, stamp: Stamp, actor: Actor, change: Change) -> Applied {
    let entry = Entry {
        seq: Seq(state.seq.0 + 1),
        stamp,
        previous: state.head,
        actor,
        change,
    };
    let hash = entry.encode(&mut Vec::new());
    let checked = Ahead::default().check(state, &entry);
    let applied = apply(state, &entry, hash).map_err(|contradiction| contradiction.what);
    // What a writer finds out before the commit is what comes of it after.
    if person_of(&entry.change).is_some() || entry.change.line().is_some() {
        assert_eq!(checked.map_err(|found| found.what), applied, "{entry:?}");
    }
    applied
}

/// One site with one slot of three public, two assisted and one partner seat.
fn opened() -> State {
    let mut state = State::default();
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    let site = SiteRow {
        site: "s-1".to_owned(),
        name_ko: String::new(),
        name_en: String::new(),
        region: "11/110".to_owned(),
        address: String::new(),
        lat_e6: 0,
        lng_e6: 0,
        phone: String::new(),
    };
    let slot = SlotRow {
        site: SiteIndex(0),
        vaccine: VaccineIndex(0),
        date: Day(18_841),
        start_min: 540,
        start: Stamp(5),
        end: Stamp(6),
        capacity: [3, 2, 1, 0, 0],
    };
    let founded = Change::Founded {
        simulated_clock: false,
        head_public_key: [0; 32],
    };
    let lists = [
        vec![founded],
        pieces::activation(CAMPAIGN, 1, JULY, &campaign).unwrap(),
        pieces::sites(CAMPAIGN, &[site]).unwrap(),
        pieces::slots(CAMPAIGN, &[slot]).unwrap(),
    ];
    for change in lists.into_iter().flatten() {
        add(&mut state, Stamp(0), Actor::System, change).unwrap();
    }
    state
}

fn placed(at: u8, pool: Pool) -> Change {
    Change::HoldPlaced {
        campaign: CAMPAIGN,
        person: person(at),
        doses: DOSES,
        pool,
        until: Stamp(i64::MAX),
        released: None,
    }
}

fn ended(at: u8, hold: HoldId, pool: Pool) -> Change {
    Change::HoldEnded {
        campaign: CAMPAIGN,
        person: person(at),
        hold,
        pool,
        reason: HoldEnd::Released,
    }
}

fn booked(at: u8, pool: Pool) -> Change {
    Change::Booked {
        campaign: CAMPAIGN,
        person: person(at),
        number: BookingNumber(u64::from(at)),
        doses: DOSES,
        pool,
        hold: None,
        released: None,
        rules: 1,
        idempotency: None,
    }
}

#[test]
fn each_pool_has_its_own_seats() {
    let mut state = opened();
    for (pool, seats) in [(Pool::Public, 3), (Pool::Assisted, 2), (Pool::Partner, 1)] {
        let first = pool as u8 * 10;
        for at in first..first + seats {
            add(&mut state, Stamp(1), Actor::Citizen, booked(at, pool)).unwrap();
        }
        let full = add(
            &mut state.clone(),
            Stamp(1),
            Actor::Citizen,
            booked(99, pool),
        );
        assert!(full.unwrap_err().contains("more than its"), "{pool:?}");
    }
    assert_eq!(state.campaigns[0].usage[0].booked, [3, 2, 1, 0, 0]);
    assert_eq!(state.campaigns[0].recount(), []);
}

#[test]
fn a_change_that_names_another_pool_than_its_seats_have_is_a_contradiction() {
    let mut state = opened();
    add(
        &mut state,
        Stamp(1),
        Actor::Citizen,
        placed(1, Pool::Partner),
    )
    .unwrap();
    let hold = HoldId(state.seq.0);
    add(
        &mut state,
        Stamp(1),
        Actor::Citizen,
        booked(2, Pool::Assisted),
    )
    .unwrap();
    let moved = |pool| Change::Moved {
        campaign: CAMPAIGN,
        person: person(2),
        number: BookingNumber(2),
        from: DOSES,
        to: DOSES,
        pool,
        hold: None,
        released: None,
        idempotency: None,
    };
    let cancelled = |pool| Change::Cancelled {
        campaign: CAMPAIGN,
        person: person(2),
        number: BookingNumber(2),
        doses: DOSES,
        pool,
        idempotency: None,
    };
    let tried = |change| add(&mut state.clone(), Stamp(1), Actor::Citizen, change);
    for pool in [Pool::Public, Pool::Assisted] {
        let told = tried(ended(1, hold, pool)).unwrap_err();
        assert!(told.contains("for seats of the pool partner"), "{told}");
    }
    for pool in [Pool::Public, Pool::Partner] {
        for change in [moved(pool), cancelled(pool)] {
            let told = tried(change).unwrap_err();
            assert!(told.contains("for seats of the pool assisted"), "{told}");
        }
    }
    assert_eq!(tried(ended(1, hold, Pool::Partner)), Ok(()));
    assert_eq!(tried(moved(Pool::Assisted)), Ok(()));
    assert_eq!(tried(cancelled(Pool::Assisted)), Ok(()));
}

fn extended(at: u8, hold: HoldId, until: Stamp) -> Change {
    Change::HoldExtended {
        campaign: CAMPAIGN,
        person: person(at),
        hold,
        until,
    }
}

/// A hold is extended once, keeps its seat, and ends at its new end.
#[test]
fn a_hold_that_was_extended_ends_later_and_is_not_extended_again() {
    let mut state = opened();
    let mut place = placed(1, Pool::Public);
    if let Change::HoldPlaced { until, .. } = &mut place {
        *until = Stamp(100);
    }
    add(&mut state, Stamp(1), Actor::Citizen, place).unwrap();
    let hold = HoldId(state.seq.0);
    let mut extend = |change| add(&mut state, Stamp(2), Actor::Citizen, change);
    let anothers = extend(extended(2, hold, Stamp(200))).unwrap_err();
    assert!(anothers.contains("is another person's"), "{anothers}");
    let unknown = extend(extended(1, HoldId(77), Stamp(200))).unwrap_err();
    assert!(unknown.contains("does not run"), "{unknown}");
    let earlier = extend(extended(1, hold, Stamp(100))).unwrap_err();
    assert!(earlier.contains("does not end later"), "{earlier}");
    extend(extended(1, hold, Stamp(200))).unwrap();
    let again = extend(extended(1, hold, Stamp(300))).unwrap_err();
    assert!(again.contains("was extended before"), "{again}");

    let campaign = &state.campaigns[0];
    assert_eq!(campaign.usage[0].held, [1, 0, 0, 0, 0]);
    assert_eq!(campaign.holds[&hold].until, Stamp(200));
    assert!(campaign.holds_by_end.iter().eq([&(Stamp(200), hold)]));
    assert_eq!(state.next_hold_end(), Some(Stamp(200)));
    let expired = Change::HoldEnded {
        campaign: CAMPAIGN,
        person: person(1),
        hold,
        pool: Pool::Public,
        reason: HoldEnd::Expired,
    };
    let early = add(&mut state, Stamp(150), Actor::System, expired.clone());
    assert!(early.unwrap_err().contains("had not expired"));
    add(&mut state, Stamp(200), Actor::System, expired).unwrap();
    assert!(state.campaigns[0].holds_by_end.is_empty());
    assert_eq!(
        state.campaigns[0].usage[0].held,
        [0; crate::domain::ids::POOLS]
    );
}

/// Places and releases holds for person 1 by an actor; when whose changes are spent until.
fn many_by(actor: &Actor, changes: u16) -> State {
    let mut state = opened();
    for at in 0..changes {
        let change = match at % 2 {
            0 => placed(1, Pool::Public),
            _ => ended(1, HoldId(state.seq.0), Pool::Public),
        };
        add(&mut state, Stamp(7), actor.clone(), change).unwrap();
    }
    state
}

#[test]
fn more_time_counts_as_a_change() {
    let mut state = many_by(&Actor::Citizen, CHANGES_MAX - 1);
    let hold = HoldId(state.seq.0);
    let changes = |state: &State| state.campaigns[0].standing(&person(1)).changes;
    assert_eq!(changes(&state).spent_until(Stamp(8)), None);
    if let Some(held) = state.campaigns[0].holds.get_mut(&hold) {
        held.until = Stamp(100);
    }
    let change = extended(1, hold, Stamp(200));
    add(&mut state, Stamp(8), Actor::Citizen, change).unwrap();
    assert!(changes(&state).spent_until(Stamp(8)).is_some());
}

#[test]
fn changes_count_for_whoever_caused_them_and_the_desks_do_not() {
    let spent = |state: &State, at: u8| {
        let standing = state.campaigns[0].standing(&person(at));
        standing.changes.spent_until(Stamp(8))
    };
    let hour_later = Stamp(7).plus_s(3_600);
    let fewer = many_by(&Actor::Citizen, CHANGES_MAX - 1);
    assert_eq!(spent(&fewer, 1), None);
    let all = many_by(&Actor::Citizen, CHANGES_MAX);
    assert_eq!(spent(&all, 1), Some(hour_later));
    let standing = all.campaigns[0].standing(&person(1));
    assert_eq!(
        standing.changes.spent_until(Stamp(hour_later.0 - 1)),
        Some(hour_later)
    );
    assert_eq!(standing.changes.spent_until(hour_later), None);
    let proxy = Actor::Proxy { person: person(2) };
    let by_another = many_by(&proxy, CHANGES_MAX);
    assert_eq!(
        (spent(&by_another, 1), spent(&by_another, 2)),
        (None, Some(hour_later))
    );
    let staff = Actor::Staff {
        account: "kim".to_owned(),
        role: Role::Agent,
        for_person: Some(person(1)),
    };
    for actor in [staff, Actor::operator("root"), Actor::System] {
        assert_eq!(spent(&many_by(&actor, CHANGES_MAX), 1), None, "{actor:?}");
    }
}

#[test]
fn a_key_that_is_remembered_contradicts_a_second_use_and_a_forgotten_one_does_not() {
    let mut state = opened();
    let mark = |at: u8| {
        let mut change = booked(at, Pool::Public);
        if let Change::Booked { idempotency, .. } = &mut change {
            *idempotency = Some(Idempotency {
                key: [7; 16],
                request: [8; 8],
            });
        }
        change
    };
    add(&mut state, Stamp(1), Actor::Citizen, mark(1)).unwrap();
    let day = Stamp(1).plus_s(24 * 3_600);
    let early = add(
        &mut state.clone(),
        Stamp(day.0 - 1),
        Actor::Citizen,
        mark(2),
    );
    assert!(early.unwrap_err().contains("repeats the request"));
    add(&mut state, day, Actor::Citizen, mark(2)).unwrap();
    assert_eq!(state.campaigns[0].repeats.len(), 1);
}

#[test]
fn what_earlier_rules_refused_is_not_remembered() {
    let mut state = opened();
    let refused = Change::Refused {
        campaign: CAMPAIGN,
        person: person(1),
        rules: 1,
        reason: crate::domain::entry::RefusedFor::NotEligible,
    };
    add(&mut state, Stamp(1), Actor::System, refused).unwrap();
    assert_eq!(state.campaigns[0].refusals.len(), 1);
    let (campaign, _) = Campaign::parse(JULY).unwrap();
    for change in pieces::activation(CAMPAIGN, 2, JULY, &campaign).unwrap() {
        add(&mut state, Stamp(2), Actor::System, change).unwrap();
    }
    assert!(state.campaigns[0].refusals.is_empty());
    assert_eq!(state.campaigns[0].refusal_counts, [1, 0, 0]);
}

/// The seats and holds that the entries before one take are counted before any of them is applied.
#[test]
fn a_batch_is_checked_as_if_each_entry_were_applied_before_the_next() {
    let mut state = opened();
    add(
        &mut state,
        Stamp(1),
        Actor::Citizen,
        placed(1, Pool::Public),
    )
    .unwrap();
    let hold = HoldId(state.seq.0);
    let expired = |stamp| {
        let change = Change::HoldEnded {
            campaign: CAMPAIGN,
            person: person(1),
            hold,
            pool: Pool::Public,
            reason: HoldEnd::Expired,
        };
        (stamp, Actor::System, change)
    };
    let now = Stamp(i64::MAX);
    let book = |at| (now, Actor::Citizen, booked(at, Pool::Public));
    let check = |batch: &[(Stamp, Actor, Change)]| {
        let (mut ahead, mut applied) = (Ahead::default(), state.clone());
        let mut last = Ok(());
        for (stamp, actor, change) in batch {
            assert_eq!(last, Ok(()));
            let entry = Entry {
                seq: Seq(applied.seq.0 + 1),
                stamp: *stamp,
                previous: applied.head,
                actor: actor.clone(),
                change: change.clone(),
            };
            let hash = entry.encode(&mut Vec::new());
            last = ahead.check(&state, &entry).map_err(|found| found.what);
            let real = apply(&mut applied, &entry, hash).map_err(|found| found.what);
            if !last.as_ref().is_err_and(|what| what.contains("in a batch")) {
                assert_eq!(last, real);
            }
        }
        last
    };
    // Three public seats, one of them held.
    assert_eq!(check(&[book(2), book(3)]), Ok(()));
    assert!(
        check(&[book(2), book(3), book(4)]).is_err(),
        "four seats of three"
    );
    assert_eq!(check(&[expired(now), book(2), book(3), book(4)]), Ok(()));
    assert_eq!(check(&[expired(now), book(1)]), Ok(()));
    assert!(
        check(&[expired(now), expired(now)]).is_err(),
        "a hold ends twice"
    );
    let second = check(&[book(2), book(2)]).unwrap_err();
    assert!(second.contains("second change"), "{second}");
}
