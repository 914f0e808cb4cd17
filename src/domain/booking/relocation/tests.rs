//! Which seats people get: nearest first, both doses or the one that is concerned, in order.

use std::sync::Arc;

use super::*;
use crate::domain::booking::catalog::{Catalog, Corrects, Version};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::ids::{
    BookingNumber, CampaignIndex, PersonKey, Pool, Seq, SiteIndex, SlotIndex,
};
use crate::domain::state::{Booking, CampaignState, Status, Usage};
use crate::domain::time::Day;

const JULY: &str = include_str!("../../../../data/campaign.toml");
const DAY_S: i64 = 86_400;
/// A first day; second doses are 28 days later.
const FIRST: i32 = 18_841;
const CLOSED: RelocationIndex = RelocationIndex(0);

/// At noon of the day before the first.
fn now() -> Stamp {
    Stamp::default().plus_s(i64::from(FIRST) * DAY_S - DAY_S / 2)
}

fn site(id: &str, lat_e6: i32) -> SiteRow {
    SiteRow {
        site: id.to_owned(),
        name_ko: String::new(),
        name_en: String::new(),
        region: "11/110".to_owned(),
        address: String::new(),
        lat_e6,
        lng_e6: 127_000_000,
        phone: String::new(),
    }
}

/// A slot and its second dose's, with this many seats for the public.
fn slots(site: u32, day: i32, start_min: u16, public: u16) -> [SlotRow; 2] {
    [0, 28].map(|later| {
        let start = Stamp::default().plus_s(i64::from(day + later) * DAY_S);
        let start = start.plus_s(i64::from(start_min) * 60);
        SlotRow {
            site: SiteIndex(site),
            vaccine: VaccineIndex(0),
            date: Day(day + later),
            start_min,
            start,
            end: start.plus_s(1_800),
            capacity: [public, 0, 0, 0, 0],
        }
    })
}

/// Sites A, B eleven kilometres north of it, and far away C, with these slots.
fn campaign(rows: &[[SlotRow; 2]]) -> CampaignState {
    let (rules, _) = Campaign::parse(JULY).unwrap();
    let id = rules.id.clone();
    let version = Version {
        version: 1,
        activated_at: Stamp(0),
        source: JULY.into(),
    };
    let mut catalog = Catalog::new(CampaignIndex(0), rules, version);
    catalog.put_sites(&[
        site("A", 37_500_000),
        site("B", 37_600_000),
        site("C", 35_000_000),
    ]);
    let rows: Vec<SlotRow> = rows.concat();
    catalog.put_slots(&rows, Corrects::Capacity).unwrap();
    let mut campaign = CampaignState::new(id, catalog);
    campaign.usage.fill_up(rows.len(), Usage::default());
    campaign
}

/// Books the slot at this place of the rows, and its second.
fn book(campaign: &mut CampaignState, slot: u32) {
    let at = campaign.bookings.len() as u32;
    let doses = Doses {
        first: SlotIndex(slot),
        second: Some(SlotIndex(slot + 1)),
    };
    let person = PersonKey([at as u8 + 1; 16]);
    campaign.bookings.push(Booking {
        number: BookingNumber(u64::from(at)),
        person,
        doses,
        pool: Pool::Public,
        status: Status::Booked,
        booked_at: Stamp(0),
        seq: Seq(1),
    });
    campaign.standings.of(person).latest = Some(at);
    campaign.count_all().unwrap();
}

fn close(campaign: &mut CampaignState, slots: &[u32], prefer: Prefer, until: Stamp) {
    let catalog = Arc::make_mut(&mut campaign.catalog);
    let slots = slots.iter().map(|slot| SlotIndex(*slot));
    catalog.close_slots(slots, Some(CLOSED)).unwrap();
    campaign.relocations.push(Relocation {
        begun_at: now(),
        cause: Cause::Closure { prefer },
        reason: Notice::from("why".to_owned()),
        until,
        unanswered: Unanswered::Telephoned,
    });
}

fn moves(plan: &Plan) -> Vec<(u32, Option<u32>)> {
    let to = plan.moves.iter().map(|one| one.to);
    to.map(|to| (to.first.0, to.second.map(|slot| slot.0)))
        .collect()
}

#[test]
fn another_day_at_the_site_or_the_same_day_at_another_is_nearest() {
    let rows = [
        slots(0, FIRST, 540, 2),
        slots(0, FIRST + 3, 540, 2),
        slots(1, FIRST, 600, 2),
        // Nearer in time, and four hundred kilometres away.
        slots(2, FIRST, 540, 2),
    ];
    for (prefer, expected) in [(Prefer::SameSite, 2), (Prefer::SameDay, 4)] {
        let mut campaign = campaign(&rows);
        book(&mut campaign, 0);
        close(&mut campaign, &[0, 1], prefer, now());
        let found = plan(&campaign, CLOSED, now());
        assert_eq!(moves(&found), [(expected, Some(expected + 1))]);
        let other_site = u64::from(prefer == Prefer::SameDay);
        assert_eq!(
            (found.to_other_sites, found.on_other_days),
            (2 * other_site, 2 * (1 - other_site))
        );
    }
}

#[test]
fn people_are_served_in_the_order_in_which_they_booked_and_the_rest_is_named() {
    let rows = [
        slots(0, FIRST, 540, 4),
        slots(0, FIRST, 600, 1),
        slots(0, FIRST + 1, 540, 1),
    ];
    let mut campaign = campaign(&rows);
    (0..3).for_each(|_| book(&mut campaign, 0));
    close(&mut campaign, &[0, 1], Prefer::SameSite, now());
    let found = plan(&campaign, CLOSED, now());
    assert_eq!(moves(&found), [(2, Some(3)), (4, Some(5))]);
    assert_eq!(found.without, [BookingNumber(2)]);
    assert_eq!(found.people(), 3);
}

#[test]
fn a_dose_that_is_not_concerned_stays_and_both_need_a_seat() {
    let rows = [
        slots(0, FIRST, 540, 2),
        slots(0, FIRST, 600, 1),
        slots(0, FIRST + 1, 540, 1),
    ];
    let mut first = campaign(&rows);
    book(&mut first, 0);
    // The second dose alone is closed: it moves, and never to before 28 days.
    close(&mut first, &[1], Prefer::SameSite, now());
    assert_eq!(moves(&plan(&first, CLOSED, now())), [(0, Some(3))]);
    // The first dose is closed, and the nearest slot's second is full.
    let mut both = campaign(&rows);
    book(&mut both, 0);
    book(&mut both, 2);
    let Some(booking) = both.bookings.get(1).copied() else {
        unreachable!("it was just booked")
    };
    close(&mut both, &[0], Prefer::SameSite, now());
    assert_eq!(moves(&plan(&both, CLOSED, now())), [(4, Some(5))]);
    assert_eq!(booking.doses.second, Some(SlotIndex(3)));
}

#[test]
fn nobody_is_sent_to_a_seat_that_begins_before_they_can_have_answered() {
    let rows = [
        slots(0, FIRST + 5, 540, 2),
        slots(0, FIRST, 540, 2),
        slots(0, FIRST + 8, 540, 2),
    ];
    let mut campaign = campaign(&rows);
    book(&mut campaign, 0);
    close(
        &mut campaign,
        &[0, 1],
        Prefer::SameSite,
        now().plus_s(3 * DAY_S),
    );
    assert_eq!(moves(&plan(&campaign, CLOSED, now())), [(4, Some(5))]);
    // Whoever has an offer of it is not planned for again.
    let person = campaign.bookings[0].person;
    let offer = crate::domain::state::Hold {
        person,
        doses: Doses {
            first: SlotIndex(4),
            second: Some(SlotIndex(5)),
        },
        pool: Pool::Public,
        until: Stamp::MAX,
        extended: true,
        offered_by: Some(CLOSED),
        stays: None,
    };
    let id = crate::domain::ids::HoldId(9);
    campaign.holds.insert(id, offer);
    campaign.standings.of(person).offer = Some(id);
    assert_eq!(plan(&campaign, CLOSED, now()), Plan::default());
}
