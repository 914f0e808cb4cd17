//! Campaign files, sites and slots on their way into force.
//!
//! The entries of a list are journalled in parts of about a mebibyte, with people's bookings in
//! between, and the last one swaps in a catalog that was made here. One list is in progress at a
//! time: when another one begins, or something else of the campaign came into force, the writer
//! says that this one is stale, and nothing of it is in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::booking::catalog::Catalog;
use crate::domain::booking::next::NextCatalog;
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::entry::Change;
use crate::domain::ids::{
    CampaignId, CampaignIndex, POOLS, RelocationIndex, Seats, SiteIndex, SlotIndex,
};
use crate::domain::pieces::{self, RowTooLong};
use crate::domain::state::Status;
use crate::domain::time::Stamp;
use crate::engine::command::{Begin, Operated, Operation, Outcome, SlotsDone};
use crate::engine::shared::{MoreSeats, Offer, Shared};
use crate::seats::SiteSeats;

/// Pieces in one commit: each has at most 60 kB.
const PIECES: usize = 17; // 1 MiB / 60,000

/// Which list a piece is of, in this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListId(pub u64);

/// A list whose last entry puts it into force.
pub struct List {
    pub(in crate::engine) id: ListId,
    pub(in crate::engine) campaign: CampaignIndex,
    /// Pieces that were not journalled before.
    pub(in crate::engine) pieces: Vec<Change>,
    /// None when nothing changes.
    pub(in crate::engine) last: Option<Change>,
    /// None for a campaign that does not exist yet.
    pub(in crate::engine) next: Option<NextCatalog>,
    /// The version of the agency's file that it follows, for a list that brings the next one.
    pub(in crate::engine) agency_before: Option<u32>,
    /// What begins with it, and ends the holds on the slots of its pieces.
    pub(in crate::engine) begins: Option<(Begin, RelocationIndex)>,
    pub(in crate::engine) more: Vec<MoreSeats>,
    pub(in crate::engine) withdrawn: Withdrawn,
    pub(in crate::engine) done: Operated,
}

/// What can be told without the writer.
pub(super) type Told = Box<Outcome>;

impl List {
    pub(super) fn new(
        shared: &Shared,
        campaign: CampaignIndex,
        mut changes: Vec<Change>,
        next: Option<NextCatalog>,
        done: Operated,
    ) -> Self {
        let last = changes.pop();
        Self {
            id: ListId(shared.next_list()),
            campaign,
            pieces: changes,
            last,
            next,
            agency_before: None,
            begins: None,
            more: Vec::new(),
            withdrawn: Withdrawn(Vec::new()),
            done,
        }
    }

    /// The operations that journal it, one after the other.
    pub fn in_parts(mut self) -> impl Iterator<Item = Operation> {
        let list = self.id;
        let rest = self.pieces.split_off(self.pieces.len().min(PIECES));
        let mut all = std::mem::replace(&mut self.pieces, rest);
        let mut last = Some(self);
        std::iter::from_fn(move || {
            let of_last = last.as_mut()?;
            if of_last.pieces.is_empty() {
                let mut list = Box::new(last.take()?);
                list.pieces = std::mem::take(&mut all);
                return Some(Operation::PutListInForce { list });
            }
            let rest = of_last.pieces.split_off(of_last.pieces.len().min(PIECES));
            let next = std::mem::replace(&mut of_last.pieces, rest);
            let pieces = std::mem::replace(&mut all, next);
            Some(Operation::AddPieces { list, pieces })
        })
    }
}

/// A campaign file, to be put into force as the next version.
/// `shifts` says that the days between two doses may change: who asks sees to the people who are
/// booked.
pub fn activation(shared: &Shared, source: &str, now: Stamp, shifts: bool) -> Result<List, Told> {
    let (mut rules, _) = match Campaign::parse(source) {
        Ok(parsed) => parsed,
        Err(findings) => {
            let count = findings.len();
            return Err(impossible(format!(
                "the file has {count} findings: run `sumun campaign check`"
            )));
        }
    };
    let id = rules.id.clone();
    let Some(offer) = offer(shared, &id) else {
        let (campaign, version) = (CampaignIndex(shared.offers().len() as u16), 1);
        let changes = pieces::activation(campaign, version, source, &rules).map_err(too_long)?;
        let done = Operated::Activated {
            campaign: id,
            version,
        };
        return Ok(List::new(shared, campaign, changes, None, done));
    };
    let catalog = &offer.catalog;
    let version = catalog.version();
    let last = catalog.versions.last();
    if last.is_some_and(|last| *last.source == *source) {
        let campaign = id;
        return Err(Box::new(Outcome::Operated(Operated::Unchanged {
            campaign,
            version,
        })));
    }
    fits_slots(catalog, &rules, shifts).map_err(impossible)?;
    let lines = shared
        .state()
        .campaign(catalog.index)
        .map(|known| known.lines.len());
    rules.go_on_with_lines(&catalog.campaign, lines.unwrap_or(0), now);
    let (campaign, version) = (catalog.index, version + 1);
    let changes = pieces::activation(campaign, version, source, &rules).map_err(too_long)?;
    // As a replay will read them.
    let rules = Campaign::of_rows(&rules.rows()).map_err(impossible)?;
    let next = NextCatalog::activated(catalog, rules, version, source).map_err(impossible)?;
    let done = Operated::Activated {
        campaign: id,
        version,
    };
    Ok(List::new(shared, campaign, changes, Some(next), done))
}

/// Sites, to be added or corrected.
pub fn sites(shared: &Shared, id: &CampaignId, rows: &[SiteRow]) -> Result<List, Told> {
    let offer = offer(shared, id).ok_or_else(|| unknown(id))?;
    let known = |row: &SiteRow| offer.catalog.site(&row.site).map(|(_, site)| &site.row);
    let added = rows.iter().filter(|row| known(row).is_none()).count();
    let new = rows.iter().filter(|row| known(row) != Some(row));
    let new: Vec<_> = new.cloned().collect();
    let changed = new.len() - added;
    let campaign = offer.catalog.index;
    let changes = pieces::sites(campaign, &new).map_err(too_long)?;
    let next = NextCatalog::with_sites(&offer.catalog, &new);
    let done = Operated::Sites { added, changed };
    Ok(List::new(shared, campaign, changes, Some(next), done))
}

/// Slots, to be added or given another capacity. Seats that they take away are taken at once.
pub fn slots(
    shared: &Shared,
    id: &CampaignId,
    version: Option<u32>,
    rows: &[SlotRow],
    now: Stamp,
) -> Result<List, Told> {
    let offer = offer(shared, id).ok_or_else(|| unknown(id))?;
    let catalog = &offer.catalog;
    if version.is_some_and(|version| version != catalog.version()) {
        return Err(impossible(format!(
            "another file of campaign `{id}` was activated while the slots were read: import \
             them again"
        )));
    }
    if let Some(row) = rows.iter().find(|row| row.site.at() >= catalog.sites.len()) {
        return Err(impossible(format!(
            "a slot names site {}, which is not imported",
            row.site
        )));
    }
    let known = |row: &SlotRow| catalog.slot_like(row).map(|slot| catalog.slots[slot.at()]);
    let mut done = SlotsDone::default();
    let mut new = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(known) = known(row) else {
            if row.capacity == Seats::default() {
                return Err(impossible(format!(
                    "{}: the slot is not known, and the row has no seat in any pool",
                    slot_told(catalog, row)
                )));
            }
            done.added += 1;
            done.past += usize::from(row.start <= now);
            new.push(*row);
            continue;
        };
        done.changed += usize::from(known.capacity != row.capacity);
        done.corrected += usize::from(known.end != row.end);
        if (known.capacity, known.end) != (row.capacity, row.end) {
            new.push(*row);
        }
    }
    new.sort_by_key(|row| (row.site, row.vaccine, row.date, row.start_min));
    let changes = pieces::slots(catalog.index, &new).map_err(too_long)?;
    let next = NextCatalog::with_slots(catalog, &new).map_err(impossible)?;
    done.overlapping = next.next().map_or(0, |next| overlapping(next, &new));
    let withdrawn = withdraw(shared, &offer, &new).map_err(impossible)?;
    let more = next.next().map(|next| more_seats(catalog, next, &new));
    let done = Operated::Slots(done);
    let list = List::new(shared, catalog.index, changes, Some(next), done);
    Ok(List {
        more: more.unwrap_or_default(),
        withdrawn,
        ..list
    })
}

pub(super) fn offer(shared: &Shared, id: &CampaignId) -> Option<Arc<Offer>> {
    let offers = shared.offers();
    let named = |offer: &&Arc<Offer>| offer.catalog.campaign.id == *id;
    offers.iter().find(named).cloned()
}

pub(super) fn impossible(why: String) -> Told {
    Box::new(Outcome::Impossible(why))
}

pub(super) fn too_long(fault: RowTooLong) -> Told {
    impossible(fault.to_string())
}

pub(super) fn unknown(id: &CampaignId) -> Told {
    impossible(unknown_campaign(id))
}

pub(in crate::engine) fn unknown_campaign(id: &CampaignId) -> String {
    format!("campaign `{id}` is not active: run `sumun campaign activate FILE` first")
}

/// Slots name vaccines by position and were resolved in the zone: neither may change under them.
pub fn fits_slots(catalog: &Catalog, next: &Campaign, shifts: bool) -> Result<(), String> {
    if catalog.slots.is_empty() {
        return Ok(());
    }
    if catalog.campaign.zone != next.zone {
        return Err("the time zone can't change once slots are imported".to_owned());
    }
    for (at, known) in catalog.campaign.vaccines.iter().enumerate() {
        let same = next.vaccines.get(at).is_some_and(|kind| {
            (&kind.id, kind.doses) == (&known.id, known.doses)
                && (shifts || kind.interval_days == known.interval_days)
        });
        if !same {
            return Err(format!(
                "vaccine `{}` must keep its place, doses and interval: slots are imported for it. \
                 Add a new vaccine after it instead; another interval is proposed at the desk, \
                 which moves the people who are booked",
                known.id
            ));
        }
    }
    Ok(())
}

/// The seats that come with the next catalog, by site.
fn more_seats(base: &Catalog, next: &Catalog, rows: &[SlotRow]) -> Vec<MoreSeats> {
    let campaign = base.index;
    let mut sites: BTreeMap<SiteIndex, MoreSeats> = BTreeMap::new();
    let none_of = |site: SiteIndex| MoreSeats {
        campaign,
        site,
        raised: Vec::new(),
        added: Vec::new(),
    };
    for row in rows {
        let Some(known) = base.slot_like(row).map(|slot| base.slots[slot.at()]) else {
            continue;
        };
        let more = |pool: usize| row.capacity[pool].saturating_sub(known.capacity[pool]);
        let more: Seats = std::array::from_fn(more);
        if more != Seats::default() {
            let site = sites.entry(known.site);
            let site = site.or_insert_with(|| none_of(known.site));
            site.raised.push((known.position, more));
        }
    }
    // In the order of their positions.
    for slot in &next.slots[base.slots.len()..] {
        let site = sites.entry(slot.site);
        let site = site.or_insert_with(|| none_of(slot.site));
        site.added.push(slot.capacity);
    }
    sites.into_values().collect()
}

/// Seats that were taken out of the free count for a list; dropped before the list is in force,
/// they are free again.
#[derive(Debug)]
pub struct Withdrawn(Vec<(Arc<SiteSeats>, u32, Seats)>);

impl Withdrawn {
    /// The list is in force.
    pub(in crate::engine) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Withdrawn {
    fn drop(&mut self) {
        for (site, position, seats) in self.0.drain(..) {
            site.grow(&[(position, seats)], &[]);
        }
    }
}

/// A slot as an operator finds it in their file.
fn slot_told(catalog: &Catalog, row: &SlotRow) -> String {
    format!(
        "site `{}`, {} {:02}:{:02}",
        catalog.sites[row.site.at()].row.site,
        row.date,
        row.start_min / 60,
        row.start_min % 60
    )
}

/// Rows whose time overlaps with the slot before or after them.
fn overlapping(next: &Catalog, rows: &[SlotRow]) -> usize {
    let overlaps = |row: &&SlotRow| {
        let of_day = next.slots_on(row.site, row.vaccine, row.date).iter();
        let mut others = of_day.map(|slot| next.slots[slot.at()]);
        others.any(|other| {
            let is_other = other.start_min != row.start_min && other.capacity != Seats::default();
            is_other && row.start < other.end && other.start < row.end
        })
    };
    rows.iter().filter(overlaps).count()
}

/// Bookings that an operator is told by number.
const NAMED_MAX: usize = 10;

/// The bookings that have a seat in a slot, some of them by number.
fn booked_told(shared: &Shared, campaign: CampaignIndex, slot: SlotIndex) -> String {
    let bookings = {
        let state = shared.state();
        let known = state.campaign(campaign);
        known.map(|known| known.bookings.clone())
    };
    let bookings = bookings.unwrap_or_default();
    let here = bookings
        .iter()
        .filter(|booking| booking.status == Status::Booked && booking.doses.has(slot));
    let numbers: Vec<String> = here.map(|booking| booking.number.to_string()).collect();
    let named = numbers[..numbers.len().min(NAMED_MAX)].join(", ");
    match numbers.len() {
        0 => "seats are held at this moment".to_owned(),
        count if count > NAMED_MAX => format!("{count} bookings, among them {named}"),
        _ => format!("booked by {named}"),
    }
}

/// Takes the seats that an import removes out of the free count, or none of them.
fn withdraw(shared: &Shared, offer: &Offer, rows: &[SlotRow]) -> Result<Withdrawn, String> {
    let catalog = &offer.catalog;
    let mut taken = Withdrawn(Vec::new());
    for row in rows {
        let Some(index) = catalog.slot_like(row) else {
            continue;
        };
        let slot = catalog.slots[index.at()];
        let less = |pool: usize| slot.capacity[pool].saturating_sub(row.capacity[pool]);
        let less: Seats = std::array::from_fn(less);
        if (0..POOLS).all(|pool| less[pool] == 0) {
            continue;
        }
        let site = &offer.seats[slot.site.at()];
        if site.withdraw(slot.position, less) {
            taken.0.push((Arc::clone(site), slot.position, less));
            continue;
        }
        return Err(format!(
            "{}: more seats are booked or held than the new capacity: {}. Raise it, or close the \
             slot at the desk with a plan for its people",
            slot_told(catalog, row),
            booked_told(shared, catalog.index, index)
        ));
    }
    Ok(taken)
}
