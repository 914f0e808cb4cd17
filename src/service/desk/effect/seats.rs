//! What a proposal would do to sites, slots and the people who are booked there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Effect, Moves, faults, unknown};
use crate::availability::seats_of;
use crate::crypto::sha256;
use crate::domain::booking::catalog::{Catalog, Corrects, Slot};
use crate::domain::booking::relocation::{Cause, Plan, Relocation, plan};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::campaign::diff::{ChangeKind, FieldChange};
use crate::domain::entry::Doses;
use crate::domain::ids::{POOLS, Pool, RelocationIndex, Seats, SlotIndex, VaccineIndex};
use crate::domain::line::Notice;
use crate::domain::staff::proposal::{Asking, ClosePlan, Rollover, SlotRange};
use crate::domain::state::{CampaignState, Status};
use crate::domain::text::{NOTICE_CHARS_MAX, check_words, grouped};
use crate::domain::time::Stamp;
use crate::engine::shared::Offer;
use crate::files::{Encoding, sites, slots};
use crate::service::Service;
use crate::service::desk::{retime, slot_range, split};

/// Rows of a list whose difference is shown.
const SHOWN_MAX: usize = 200;
/// People who are shown by number.
const NAMED_MAX: usize = 50;
/// Slots below what is booked whose bookings are named.
const LOOKED_UP_MAX: usize = 5;
/// Instants of one split.
pub const STEPS_MAX: usize = 60;
/// Whoever comes within this time of another interval has it in their calendar.
pub const INTERVAL_LEAD_S: i64 = 3 * 86_400;
/// How long before a new seat somebody knows of it who is moved at once.
pub const MOVE_LEAD_S: i64 = 86_400;

fn offer(service: &Service, campaign: &str) -> Option<Arc<Offer>> {
    let offers = service.shared.offers().clone();
    let mut offers = offers.iter();
    offers
        .find(|offer| offer.catalog.campaign.id.as_str() == campaign)
        .cloned()
}

fn not_possible(campaign: &str, faults: Vec<String>) -> Effect {
    Effect {
        campaign: campaign.to_owned(),
        faults,
        ..Effect::default()
    }
}

/// The differences that are shown, and how many more there are.
fn shown(mut changes: Vec<FieldChange>) -> (Vec<FieldChange>, Vec<String>) {
    let more = changes.len().saturating_sub(SHOWN_MAX);
    changes.truncate(SHOWN_MAX);
    let caution = format!("{} rows more change than are shown", grouped(more as u64));
    (changes, (more > 0).then_some(caution).into_iter().collect())
}

pub(super) fn of_sites(service: &Service, campaign: &str, text: &str) -> Effect {
    let Some(offer) = offer(service, campaign) else {
        return not_possible(campaign, unknown(false, campaign));
    };
    let rows = match sites::read(text.as_bytes(), Encoding::Utf8) {
        Ok(rows) => rows,
        Err(report) => return not_possible(campaign, faults(&report)),
    };
    let catalog = &offer.catalog;
    let known = |row: &SiteRow| catalog.site(&row.site).map(|(_, site)| &site.row);
    let changed = rows.iter().filter(|row| known(row) != Some(row));
    let changes = changed.map(|row| {
        let old = known(row);
        FieldChange {
            kind: old.map_or(ChangeKind::Added, |_| ChangeKind::Changed),
            field: format!("site {}", row.site),
            old: old.map(site_told),
            new: Some(site_told(row)),
            caution: None,
        }
    });
    let (changes, cautions) = shown(changes.collect());
    Effect {
        campaign: campaign.to_owned(),
        rows: Some(rows.len() as u64),
        changes,
        cautions,
        sites: Some(rows.iter().map(|row| row.site.clone()).collect()),
        ..Effect::default()
    }
}

fn site_told(row: &SiteRow) -> String {
    let SiteRow {
        site: _,
        name_ko,
        name_en,
        region,
        address,
        lat_e6,
        lng_e6,
        phone,
    } = row;
    let (lat, lng) = (f64::from(*lat_e6) / 1e6, f64::from(*lng_e6) / 1e6);
    format!("{name_ko} / {name_en}, {region}, {address}, {lat} {lng}, {phone}")
}

pub(super) fn of_slots(service: &Service, campaign: &str, text: &str, now: Stamp) -> Effect {
    let Some(offer) = offer(service, campaign) else {
        return not_possible(campaign, unknown(false, campaign));
    };
    match slots::read_for(&offer.catalog, text.as_bytes(), Encoding::Utf8) {
        Ok(rows) => of_slot_rows(service, &offer, &rows, now),
        Err(report) => not_possible(campaign, faults(&report)),
    }
}

/// What these rows of slots would change.
pub fn of_slot_rows(service: &Service, offer: &Offer, rows: &[SlotRow], now: Stamp) -> Effect {
    let catalog = &offer.catalog;
    let id = catalog.campaign.id.as_str();
    let Ok(campaign) = service.snapshot(catalog.index) else {
        return not_possible(id, unknown(false, id));
    };
    let (mut changes, mut faults, mut cautions) = (Vec::new(), Vec::new(), Vec::new());
    let mut sites = BTreeSet::new();
    let (mut before, mut after, mut past) = (0_u64, 0_u64, 0_u64);
    for row in rows {
        let site = &catalog.sites[row.site.at()].row.site;
        sites.insert(site.clone());
        let index = catalog.slot_like(row);
        let known = index.map(|index| catalog.slots[index.at()]);
        let sum = |seats: &Seats| seats.iter().map(|seats| u64::from(*seats)).sum::<u64>();
        before += known.map_or(0, |slot| sum(&slot.capacity));
        after += sum(&row.capacity);
        past += u64::from(row.start <= now);
        if known.is_none() && row.capacity == Seats::default() {
            faults.push(format!(
                "{}: not known, and without a seat",
                told(catalog, row)
            ));
        }
        // Who is booked there is looked up for the first few: it asks every booking.
        if let Some(index) = index
            && faults.len() < LOOKED_UP_MAX
        {
            faults.extend(booked_beyond(&campaign, index, row));
        }
        if known.is_some_and(|slot| (slot.capacity, slot.end) == (row.capacity, row.end)) {
            continue;
        }
        let of = |seats: &Seats, end: Stamp| {
            let until = catalog.campaign.zone.local(end).strftime("%H:%M");
            format!("{}, until {until}", seats_told(seats))
        };
        changes.push(FieldChange {
            kind: known.map_or(ChangeKind::Added, |_| ChangeKind::Changed),
            field: told(catalog, row),
            old: known.map(|slot| of(&slot.capacity, slot.end)),
            new: Some(of(&row.capacity, row.end)),
            caution: None,
        });
    }
    if before != after {
        cautions.push(format!(
            "seats in these slots: {} now, {} then",
            grouped(before),
            grouped(after)
        ));
    }
    if past > 0 {
        cautions.push(format!(
            "{} slots have begun already: nobody can book them",
            grouped(past)
        ));
    }
    faults.truncate(NAMED_MAX);
    cautions.extend(unpaired(catalog, rows));
    let (changes, more) = shown(changes);
    cautions.extend(more);
    Effect {
        campaign: id.to_owned(),
        faults,
        cautions,
        changes,
        rows: Some(rows.len() as u64),
        sites: Some(sites.into_iter().collect()),
        ..Effect::default()
    }
}

/// That some of these slots can't be booked: the vaccine has two doses, and they are neither a
/// first nor a second one of two.
fn unpaired(catalog: &Catalog, rows: &[SlotRow]) -> Option<String> {
    let mut next = catalog.clone();
    next.put_slots(rows, Corrects::CapacityAndEnd).ok()?;
    let seconds: std::collections::HashSet<SlotIndex> =
        next.slots.iter().filter_map(|slot| slot.second).collect();
    let is_alone = |row: &&SlotRow| {
        let kind = next.campaign.vaccines.get(row.vaccine.at());
        let index = next.slot_like(row);
        kind.is_some_and(|kind| kind.doses == 2)
            && row.capacity != Seats::default()
            && index.is_some_and(|index| {
                next.slots[index.at()].second.is_none() && !seconds.contains(&index)
            })
    };
    let count = rows.iter().filter(is_alone).count() as u64;
    let caution = format!(
        "{} of these slots have no slot for the second dose, and are none: nobody can book them",
        grouped(count)
    );
    (count > 0).then_some(caution)
}

fn told(catalog: &Catalog, row: &SlotRow) -> String {
    let site = &catalog.sites[row.site.at()].row.site;
    let vaccine = &catalog.campaign.vaccines[row.vaccine.at()].id;
    let (hour, minute) = (row.start_min / 60, row.start_min % 60);
    format!("site {site}, {vaccine}, {} {hour:02}:{minute:02}", row.date)
}

/// The pools that have seats.
pub fn seats_told(seats: &Seats) -> String {
    let used = Pool::ALL
        .into_iter()
        .filter(|pool| seats[*pool as usize] > 0);
    let told: Vec<String> = used
        .map(|pool| format!("{} {}", pool.name(), seats[pool as usize]))
        .collect();
    if told.is_empty() {
        return "no seat".to_owned();
    }
    told.join(", ")
}

/// Why a capacity can't be so low: the bookings that would be beyond it, by number.
fn booked_beyond(campaign: &CampaignState, index: SlotIndex, row: &SlotRow) -> Option<String> {
    let usage = campaign.usage.get(index.at()).copied().unwrap_or_default();
    let is_beyond = |pool: usize| usage.booked[pool] + usage.held[pool] > row.capacity[pool];
    if !(0..POOLS).any(is_beyond) {
        return None;
    }
    let here = campaign
        .bookings
        .iter()
        .filter(|booking| booking.status == Status::Booked && booking.doses.has(index));
    let numbers: Vec<String> = here
        .take(NAMED_MAX)
        .map(|one| one.number.to_string())
        .collect();
    let catalog = &campaign.catalog;
    Some(format!(
        "{}: more seats are booked or held than the new capacity, by {}: raise it, or close the \
         slot with a plan for these people",
        told(catalog, row),
        numbers.join(", ")
    ))
}

/// Why a plan for the people of closed slots can't be meant.
fn plan_faults(plan: &ClosePlan, now: Stamp) -> Vec<String> {
    let mut faults = Vec::new();
    let Notice { text, en } = &plan.reason;
    if let Err(fault) = check_words(text, NOTICE_CHARS_MAX) {
        faults.push(format!("the reason {fault}"));
    }
    if let Some(Err(fault)) = en.as_ref().map(|en| check_words(en, NOTICE_CHARS_MAX)) {
        faults.push(format!("the reason in English {fault}"));
    }
    if plan.asking == Asking::Offered && plan.until <= now {
        faults.push("the time until which people can answer is over".to_owned());
    }
    faults
}

pub(super) fn of_closing(
    service: &Service,
    id: &str,
    range: &SlotRange,
    plan_of: &ClosePlan,
    now: Stamp,
) -> Effect {
    let Some(offer) = offer(service, id) else {
        return not_possible(id, unknown(false, id));
    };
    let mut faults = slot_range::faults(&offer.catalog, range);
    faults.extend(plan_faults(plan_of, now));
    if !faults.is_empty() {
        return not_possible(id, faults);
    }
    let slots = slot_range::slots(&offer.catalog, range, now);
    if slots.is_empty() {
        let why = "no slot that has not begun is within these sites, days and times";
        return not_possible(id, vec![why.to_owned()]);
    }
    let Ok(mut campaign) = service.snapshot(offer.catalog.index) else {
        return not_possible(id, unknown(false, id));
    };
    let relocation = RelocationIndex(campaign.relocations.len() as u16);
    let closed = Arc::make_mut(&mut campaign.catalog);
    if let Err(why) = closed.close_slots(slots.iter().copied(), Some(relocation)) {
        return not_possible(id, vec![why]);
    }
    campaign.relocations.push(Relocation {
        begun_at: now,
        cause: Cause::Closure {
            prefer: plan_of.prefer,
        },
        reason: plan_of.reason.clone(),
        until: answer_until(plan_of, now),
        unanswered: plan_of.unanswered,
    });
    let is_closed = |slot: SlotIndex| campaign.catalog.slots[slot.at()].closed_by.is_some();
    let holds = campaign.holds.values();
    let holds = holds
        .filter(|hold| hold.doses.slots().any(is_closed))
        .count() as u64;
    let mut found = plan(&campaign, relocation, now);
    if plan_of.asking == Asking::Telephoned {
        // Nobody is given the seats that a plan would find: all are called.
        let found_for = found.moves.iter().map(|one| one.number);
        found = Plan {
            without: found_for.chain(found.without.iter().copied()).collect(),
            ..Plan::default()
        };
    }
    let moves = Moves {
        slots: slots.len() as u64,
        holds,
        ..moves(&campaign, &found)
    };
    let offers = offers_in(&campaign, is_closed);
    Effect {
        campaign: id.to_owned(),
        cautions: every_site(&offer.catalog, range),
        takes: moves.people + offers,
        moves: Some(moves),
        sites: (!range.sites.is_empty()).then(|| range.sites.clone()),
        ..Effect::default()
    }
}

pub(super) fn of_retiming(
    service: &Service,
    id: &str,
    range: &SlotRange,
    (minutes, reason): (i16, &Notice),
    now: Stamp,
) -> Effect {
    let Some(offer) = offer(service, id) else {
        return not_possible(id, unknown(false, id));
    };
    let mut faults = slot_range::faults(&offer.catalog, range);
    faults.extend(retime::faults(minutes, reason));
    if !faults.is_empty() {
        return not_possible(id, faults);
    }
    let slots = retime::slots(&offer.catalog, range, now);
    if slots.is_empty() {
        let why = "no open slot that has not begun is within these sites, days and times";
        return not_possible(id, vec![why.to_owned()]);
    }
    let Ok(campaign) = service.snapshot(offer.catalog.index) else {
        return not_possible(id, unknown(false, id));
    };
    let rows = match retime::rows(&campaign, &slots, minutes, now) {
        Ok(rows) => rows,
        Err(faults) => return not_possible(id, faults),
    };
    // Each old slot stands for its new one: a plan of who is concerned.
    let new = slots.iter().map(|slot| (*slot, *slot)).collect();
    let plan = retime::plan(&campaign, &new);
    let is_in = |slot: SlotIndex| slots.binary_search(&slot).is_ok();
    let holds = campaign.holds.values();
    let holds = holds.filter(|hold| hold.doses.slots().any(is_in)).count() as u64;
    let rows = slots.iter().zip(&rows);
    let changes = rows.map(|(old, row)| FieldChange {
        kind: ChangeKind::Changed,
        field: format!("slot {}", slot_told(&offer.catalog, *old)),
        old: Some(clock(offer.catalog.slots[old.at()].start_min)),
        new: Some(clock(row.start_min)),
        caution: None,
    });
    let (changes, mut cautions) = shown(changes.collect());
    cautions.extend(every_site(&offer.catalog, range));
    let parted = retime::parted(&offer.catalog, &slots);
    let caution = format!(
        "{} slots of first doses would have their second dose at another time of the day, and \
         nobody could book them: correct both days",
        grouped(parted)
    );
    cautions.extend((parted > 0).then_some(caution));
    let people = plan.people();
    let offers = offers_in(&campaign, is_in);
    Effect {
        campaign: id.to_owned(),
        takes: people + offers,
        changes,
        cautions,
        moves: Some(Moves {
            slots: slots.len() as u64,
            holds,
            people,
            found: people,
            digest: retime::digest(&plan, minutes),
            ..Moves::default()
        }),
        sites: (!range.sites.is_empty()).then(|| range.sites.clone()),
        ..Effect::default()
    }
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Seats that the agency keeps for people there, and promised them: they lose these.
fn offers_in(campaign: &CampaignState, is_in: impl Fn(SlotIndex) -> bool) -> u64 {
    let offers = campaign.holds.values();
    let offers = offers.filter(|hold| hold.offered_by.is_some());
    offers.filter(|hold| hold.seats().any(&is_in)).count() as u64
}

/// That a range without sites is about all of them.
fn every_site(catalog: &Catalog, range: &SlotRange) -> Vec<String> {
    let count = grouped(catalog.sites.len() as u64);
    let told = format!("no site is named: it is about every site of the campaign, {count}");
    let is_all = range.sites.is_empty();
    is_all.then_some(told).into_iter().collect()
}

/// Until when somebody can answer; whoever is moved at once gets no seat before they can know.
pub fn answer_until(plan: &ClosePlan, now: Stamp) -> Stamp {
    match plan.asking {
        Asking::Offered => plan.until,
        Asking::Moved | Asking::Telephoned => now.plus_s(MOVE_LEAD_S),
    }
}

fn moves(campaign: &CampaignState, plan: &Plan) -> Moves {
    let told = |doses: Doses, other: Doses| {
        let slots = doses.beyond(other);
        let told: Vec<String> = slots
            .map(|slot| slot_told(&campaign.catalog, slot))
            .collect();
        told.join("; ")
    };
    let examples = plan.moves.iter().take(NAMED_MAX);
    let examples = examples.map(|one| {
        [
            one.number.to_string(),
            told(one.from, one.to),
            told(one.to, one.from),
        ]
    });
    let numbers = plan.without.iter().take(NAMED_MAX);
    Moves {
        slots: 0,
        holds: 0,
        people: plan.people(),
        found: plan.moves.len() as u64,
        to_other_sites: plan.to_other_sites,
        on_other_days: plan.on_other_days,
        without: plan.without.len() as u64,
        without_numbers: numbers.map(ToString::to_string).collect(),
        examples: examples.collect(),
        digest: sha256(format!("{:?}", (&plan.moves, &plan.without)).as_bytes()),
    }
}

/// A slot as people behind the desk read it.
pub fn slot_told(catalog: &Catalog, slot: SlotIndex) -> String {
    let Slot {
        site,
        date,
        start_min,
        ..
    } = catalog.slots[slot.at()];
    let site = &catalog.sites[site.at()].row.site;
    format!("{site} {date} {:02}:{:02}", start_min / 60, start_min % 60)
}

pub(super) fn of_reopening(service: &Service, id: &str, range: &SlotRange, now: Stamp) -> Effect {
    let Some(offer) = offer(service, id) else {
        return not_possible(id, unknown(false, id));
    };
    let faults = slot_range::faults(&offer.catalog, range);
    if !faults.is_empty() {
        return not_possible(id, faults);
    }
    let slots = closed(&offer.catalog, range, now);
    let Ok(campaign) = service.snapshot(offer.catalog.index) else {
        return not_possible(id, unknown(false, id));
    };
    let has_moved = |slot: &&SlotIndex| retime::successor(&campaign, **slot).is_some();
    if let Some(slot) = slots.iter().find(has_moved) {
        let why = format!(
            "{} was corrected to another time, where its seats are now: correct it back instead",
            slot_told(&offer.catalog, *slot)
        );
        return not_possible(id, vec![why]);
    }
    if slots.is_empty() {
        let why = "no closed slot that has not begun is within these sites, days and times";
        return not_possible(id, vec![why.to_owned()]);
    }
    Effect {
        campaign: id.to_owned(),
        rows: Some(slots.len() as u64),
        sites: (!range.sites.is_empty()).then(|| range.sites.clone()),
        ..Effect::default()
    }
}

/// The slots of a range that are closed.
pub fn closed(catalog: &Catalog, range: &SlotRange, now: Stamp) -> Vec<SlotIndex> {
    let slots = slot_range::slots(catalog, range, now).into_iter();
    let is_closed = |slot: &SlotIndex| catalog.slots[slot.at()].closed_by.is_some();
    slots.filter(is_closed).collect()
}

pub(super) fn of_split(
    service: &Service,
    id: &str,
    range: &SlotRange,
    at: &[Stamp],
    rollover: Rollover,
    now: Stamp,
) -> Effect {
    let Some(offer) = offer(service, id) else {
        return not_possible(id, unknown(false, id));
    };
    let mut faults = slot_range::faults(&offer.catalog, range);
    if at.is_empty() || at.len() > STEPS_MAX {
        faults.push(format!("give 1 to {STEPS_MAX} instants"));
    }
    if !at.is_sorted_by(|one, next| one < next) {
        faults.push("each instant must be after the one before".to_owned());
    }
    if at.first().is_some_and(|first| *first <= now) {
        faults.push("the first instant is over".to_owned());
    }
    let slots = slot_range::slots(&offer.catalog, range, now);
    if slots.is_empty() {
        faults.push("no slot that has not begun is within these sites, days and times".to_owned());
    }
    let Ok(campaign) = service.snapshot(offer.catalog.index) else {
        return not_possible(id, unknown(false, id));
    };
    if !faults.is_empty() {
        return not_possible(id, faults);
    }
    let steps = at.len() as u32;
    let zone = &offer.catalog.campaign.zone;
    let public = |slot: &SlotIndex| {
        let capacity = offer.catalog.slots[slot.at()].capacity;
        u64::from(capacity[Pool::Public as usize]) + u64::from(capacity[Pool::Later as usize])
    };
    let total: u64 = slots.iter().map(public).sum();
    let open = |step: u32| {
        let step = split::Step {
            step,
            steps,
            rollover,
        };
        split::rows(&campaign, &slots, step).1
    };
    let started = open(0);
    let mut cautions = vec![format!(
        "when this is approved {} of {} public seats stay open: those that are booked or held; the \
         others open in {steps} parts",
        grouped(started),
        grouped(total)
    )];
    let parts = at.iter().zip(1..=steps);
    cautions.extend(parts.map(|(at, step)| {
        let by = match rollover {
            Rollover::Next => "if nobody books until then, open",
            Rollover::Last if step == steps => "everything that is left, open",
            Rollover::Last => "beside those in use, open",
        };
        format!("{}: {by} {}", zone.rfc3339(*at), grouped(open(step)))
    }));
    Effect {
        campaign: id.to_owned(),
        cautions,
        rows: Some(slots.len() as u64),
        sites: (!range.sites.is_empty()).then(|| range.sites.clone()),
        ..Effect::default()
    }
}

/// The vaccines whose days between two doses a campaign file changes: before, and after.
pub fn intervals(before: &Campaign, next: &Campaign) -> Vec<(VaccineIndex, u16, u16)> {
    let pairs = before.vaccines.iter().zip(&next.vaccines).enumerate();
    let changed = pairs.filter(|(_, (before, next))| {
        before.doses == 2 && before.interval_days != next.interval_days
    });
    let changed = changed.map(|(at, (before, next))| {
        (
            VaccineIndex(at as u8),
            before.interval_days,
            next.interval_days,
        )
    });
    changed.collect()
}

/// Seats that people could book for themselves if nobody were booked, and first doses among the
/// slots that are ahead and have no second one.
fn bookable(catalog: &Catalog, now: Stamp) -> (u64, u64) {
    let ahead = catalog.slots.iter().filter(|slot| now < slot.start);
    ahead.fold((0, 0), |(seats, without), slot| {
        if catalog.is_offered(slot, now) {
            (seats + u64::from(seats_of(catalog, slot)), without)
        } else {
            (seats, without + u64::from(slot.second.is_none()))
        }
    })
}

/// Whose second dose moves with a campaign file that changes the days between two, and what a
/// reviewer must know of the seats.
pub(super) fn of_intervals(
    service: &Service,
    offer: &Offer,
    next: &Campaign,
    now: Stamp,
) -> Option<(Moves, String)> {
    let changed = intervals(&offer.catalog.campaign, next);
    if changed.is_empty() {
        return None;
    }
    let mut campaign = service.snapshot(offer.catalog.index).ok()?;
    let catalog = Arc::make_mut(&mut campaign.catalog);
    let before = bookable(catalog, now);
    catalog.put_rules(Arc::new(next.clone())).ok()?;
    let after = bookable(catalog, now);
    let seats = format!(
        "seats that the public can book, taken ones among them: {} now, {} then; slots ahead \
         without one for a second dose: {} now, {} then",
        grouped(before.0),
        grouped(after.0),
        grouped(before.1),
        grouped(after.1)
    );
    let mut all = Plan::default();
    for (vaccine, days_before, days) in changed {
        let relocation = RelocationIndex(campaign.relocations.len() as u16);
        campaign.relocations.push(Relocation {
            begun_at: now,
            cause: Cause::Interval {
                vaccine,
                days_before,
                days,
            },
            reason: Notice::from(String::new()),
            until: now.plus_s(INTERVAL_LEAD_S),
            unanswered: crate::domain::booking::relocation::Unanswered::Telephoned,
        });
        let found = plan(&campaign, relocation, now);
        all.moves.extend(found.moves);
        all.without.extend(found.without);
        all.to_other_sites += found.to_other_sites;
        all.on_other_days += found.on_other_days;
    }
    Some((moves(&campaign, &all), seats))
}
