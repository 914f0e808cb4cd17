//! The state: what one gets by applying the journal. Rebuilt by replay, changed by `apply` alone.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::agency::AgencyVersion;
use crate::domain::booking::catalog::Catalog;
use crate::domain::booking::relocation::{AgencyMove, Relocation};
use crate::domain::entry::{Doses, Hash, RefusedFor};
use crate::domain::growing::{Rows, Table};
use crate::domain::ids::{
    BookingNumber, CampaignId, CampaignIndex, HoldId, LineIndex, PersonKey, Pool, RelocationIndex,
    Seats, Seq, SlotIndex,
};
use crate::domain::line::{GateSettings, Line};
use crate::domain::personal::{KeysInForce, VaultState};
use crate::domain::pieces::Pending;
use crate::domain::repeats::Repeats;
use crate::domain::staff::StaffState;
use crate::domain::time::Stamp;

/// Versions of an agency's file before the one in force that are kept for a way back: ten megabytes
/// at the most.
pub const AGENCIES_KEPT: usize = 10;

/// Everything the journal says, up to and including the entry `seq`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub seq: Seq,
    pub stamp: Stamp,
    /// The hash of the entry `seq`.
    pub head: Hash,
    pub founded: Option<Founded>,
    pub keys: KeysInForce,
    pub roster: Option<RosterMark>,
    pub vault: VaultState,
    pub campaigns: Vec<CampaignState>,
    /// The people behind the desk. A snapshot shares it.
    pub staff: Arc<StaffState>,
    /// The list in progress: nothing of it is in force.
    pub pending: Option<Pending>,
}

/// What the first entry fixed for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founded {
    pub simulated_clock: bool,
    pub head_public_key: [u8; 32],
}

/// The roster in force: its people are in the roster table and must match this digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterMark {
    pub version: u32,
    pub people: u64,
    pub digest: [u8; 32],
}

/// One campaign's bookings and holds.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignState {
    pub id: CampaignId,
    pub catalog: Arc<Catalog>,
    /// Seats in use of each slot.
    pub usage: Rows<Usage>,
    pub standings: Table<PersonKey, Standing>,
    /// Every booking ever made, by the index that its number encodes.
    pub bookings: Rows<Booking>,
    pub holds: BTreeMap<HoldId, Hold>,
    pub holds_by_end: BTreeSet<(Stamp, HoldId)>,
    /// Requests that changed something in the last 24 hours, by their idempotency key.
    pub repeats: Repeats,
    /// Marks of the refusals by the rules in force that are already in the journal.
    pub refusals: Table<u64, ()>,
    /// What operators have set at the gate.
    pub gate: GateSettings,
    /// The lines of its openings, by `LineIndex`.
    pub lines: Vec<Line>,
    /// Since when sessions are frozen, and holds with them.
    pub frozen_since: Option<Stamp>,
    /// How often each reason stands in the journal.
    pub refusal_counts: [u64; 3],
    /// The agency's words and looks in force.
    pub agency: Option<Arc<AgencyVersion>>,
    /// The last that were in force before it, the oldest first: at most `AGENCIES_KEPT`.
    pub agencies_before: Vec<Arc<AgencyVersion>>,
    /// What the agency did to give people other seats, by `RelocationIndex`.
    pub relocations: Vec<Relocation>,
    /// People whose booking the agency moved and who have not changed it since.
    pub moved: Table<PersonKey, AgencyMove>,
}

/// Seats of one slot that are not free: each pool's booked and held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub booked: Seats,
    pub held: Seats,
}

/// What a person has in a campaign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The index of the latest booking, which may be cancelled.
    pub latest: Option<u32>,
    /// What the person keeps while they decide.
    pub hold: Option<HoldId>,
    /// Other seats that the agency keeps for them, instead of those of the booking.
    pub offer: Option<HoldId>,
    /// What the person caused, to keep one person from taking a large share of the writer.
    pub changes: Changes,
}

/// Durable changes that a person may cause in an hour.
pub const CHANGES_MAX: u16 = 60;
/// The hour begins with the first change.
const CHANGES_WINDOW_S: i64 = 3_600;

/// The durable changes that a person caused since the window began: holds placed, extended
/// and released, bookings made, moved and cancelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    began: Stamp,
    count: u16,
}

impl Changes {
    fn end(self) -> Stamp {
        self.began.plus_s(CHANGES_WINDOW_S)
    }

    /// Counts a change of this stamp.
    pub fn count(&mut self, stamp: Stamp) {
        if self.count == 0 || self.end() <= stamp {
            (self.began, self.count) = (stamp, 0);
        }
        self.count = self.count.saturating_add(1);
    }

    /// When the person may cause another change; none if they may now.
    pub fn spent_until(self, now: Stamp) -> Option<Stamp> {
        (self.count >= CHANGES_MAX && now < self.end()).then_some(self.end())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub person: PersonKey,
    pub doses: Doses,
    pub pool: Pool,
    /// The hold runs while the time is before this instant.
    pub until: Stamp,
    /// Whether the person has extended it already.
    pub extended: bool,
    /// The agency's act that offers it to somebody with a booking.
    pub offered_by: Option<RelocationIndex>,
    /// The slot of an offer that is the booking's already, and needs no second seat.
    pub stays: Option<SlotIndex>,
}

impl Hold {
    /// The slots in which it keeps a seat.
    pub fn seats(&self) -> impl Iterator<Item = SlotIndex> + use<> {
        let stays = self.stays;
        self.doses.slots().filter(move |slot| Some(*slot) != stays)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Booked,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    pub number: BookingNumber,
    pub person: PersonKey,
    pub doses: Doses,
    pub pool: Pool,
    pub status: Status,
    pub booked_at: Stamp,
    /// The entry that last changed it.
    pub seq: Seq,
}

impl State {
    pub fn campaign(&self, index: CampaignIndex) -> Option<&CampaignState> {
        self.campaigns.get(index.at())
    }

    pub fn index_of(&self, id: &str) -> Option<CampaignIndex> {
        let at = self
            .campaigns
            .iter()
            .position(|campaign| campaign.id.as_str() == id)?;
        Some(CampaignIndex(at as u16))
    }

    /// The next instant at which a hold ends.
    pub fn next_hold_end(&self) -> Option<Stamp> {
        let first = |campaign: &CampaignState| campaign.holds_by_end.first().map(|&(end, _)| end);
        let run = |campaign: &&CampaignState| campaign.frozen_since.is_none();
        self.campaigns.iter().filter(run).filter_map(first).min()
    }
}

impl CampaignState {
    pub fn new(id: CampaignId, catalog: Catalog) -> Self {
        Self {
            id,
            catalog: Arc::new(catalog),
            usage: Rows::default(),
            standings: Table::default(),
            bookings: Rows::default(),
            holds: BTreeMap::new(),
            holds_by_end: BTreeSet::new(),
            repeats: Repeats::default(),
            refusals: Table::default(),
            gate: GateSettings::default(),
            lines: Vec::new(),
            frozen_since: None,
            refusal_counts: [0; 3],
            agency: None,
            agencies_before: Vec::new(),
            relocations: Vec::new(),
            moved: Table::default(),
        }
    }

    /// What closed a slot of this booking that has not begun.
    pub fn closed_by(&self, booking: &Booking, now: Stamp) -> Option<RelocationIndex> {
        if booking.status != Status::Booked {
            return None;
        }
        let slots = booking.doses.slots();
        let known = slots.filter_map(|slot| self.catalog.slot(slot));
        let mut closed = known.filter(|slot| now < slot.start);
        closed.find_map(|slot| slot.closed_by)
    }

    /// Until when its person can change a booking (exclusive): seats that the agency took away or
    /// gave, until they begin.
    pub fn change_deadline(&self, booking: &Booking, now: Stamp) -> Stamp {
        let Some(slot) = self.catalog.slot(booking.doses.first) else {
            return Stamp::default();
        };
        let deadline = self.catalog.change_deadline(slot);
        let by_agency = self.closed_by(booking, now).is_some();
        if by_agency || self.moved.contains(&booking.person) {
            return deadline.max(slot.start);
        }
        deadline
    }

    pub fn relocation(&self, index: RelocationIndex) -> Option<&Relocation> {
        self.relocations.get(index.at())
    }

    /// Puts the next version of the agency's file into force, and keeps the one before for a way
    /// back.
    pub fn put_agency_in_force(&mut self, next: Arc<AgencyVersion>) {
        if let Some(before) = self.agency.replace(next) {
            let surplus = (self.agencies_before.len() + 1).saturating_sub(AGENCIES_KEPT);
            self.agencies_before.drain(..surplus);
            self.agencies_before.push(before);
        }
    }

    /// The version of the agency's file in force; 0 before the first.
    pub fn agency_version(&self) -> u32 {
        self.agency.as_ref().map_or(0, |agency| agency.version)
    }

    /// Whether this version of the agency's file is or was in force.
    pub fn had_agency(&self, version: u32) -> bool {
        (1..=self.agency_version()).contains(&version)
    }

    pub fn standing(&self, person: &PersonKey) -> Standing {
        self.standings.get(person).copied().unwrap_or_default()
    }

    /// The person's booking, unless it was cancelled.
    pub fn active_booking(&self, person: &PersonKey) -> Option<&Booking> {
        let latest = self.latest_booking(person);
        latest.filter(|booking| booking.status == Status::Booked)
    }

    /// The person's latest booking, also when it was cancelled.
    pub fn latest_booking(&self, person: &PersonKey) -> Option<&Booking> {
        let latest = self.standing(person).latest;
        latest.map(|index| &self.bookings[index as usize])
    }

    /// The time that holds run by: it stands still while sessions are frozen.
    pub fn hold_time(&self, now: Stamp) -> Stamp {
        self.frozen_since.map_or(now, |since| now.min(since))
    }

    /// The person's own hold, if it still runs at `now`.
    pub fn running_hold(&self, person: &PersonKey, now: Stamp) -> Option<(HoldId, &Hold)> {
        self.running(self.standing(person).hold?, now)
    }

    /// What the agency offers the person, if the offer still runs at `now`.
    pub fn running_offer(&self, person: &PersonKey, now: Stamp) -> Option<(HoldId, &Hold)> {
        self.running(self.standing(person).offer?, now)
    }

    fn running(&self, id: HoldId, now: Stamp) -> Option<(HoldId, &Hold)> {
        let hold = self.holds.get(&id)?;
        (self.hold_time(now) < hold.until).then_some((id, hold))
    }

    /// Sees to it that each opening's line is there.
    pub(in crate::domain) fn have_lines(&mut self) -> Result<(), String> {
        let wanted = self.catalog.campaign.lines();
        // A new line is the one after the last.
        if wanted > self.lines.len() + self.catalog.campaign.openings.len() {
            return Err(format!("has line {wanted} after {}", self.lines.len()));
        }
        let lines = wanted.max(self.lines.len());
        self.lines.resize_with(lines, Line::default);
        Ok(())
    }

    pub fn line(&self, line: LineIndex) -> Option<&Line> {
        self.lines.get(line.at())
    }

    /// Whether this refusal is already in the journal.
    pub fn knows_refusal(&self, person: &PersonKey, rules: u32, reason: RefusedFor) -> bool {
        self.refusals.contains(&refusal_mark(person, rules, reason))
    }
}

/// One number for a person, version of the rules and reason. Two people of 60 million share one
/// with a chance under 10⁻³; what is lost then is one audit record of a refusal.
pub fn refusal_mark(person: &PersonKey, rules: u32, reason: RefusedFor) -> u64 {
    let head: [u8; 8] = person.0[..8].try_into().expect("a key has 16 bytes");
    let other = u64::from(rules) << 2 | reason as u64;
    u64::from_be_bytes(head) ^ other.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Hashes keys that are uniform already (HMAC and SHA-256 output) by taking eight of their bytes.
pub type KeyHash = BuildHasherDefault<TakeEight>;

#[derive(Default)]
pub struct TakeEight(u64);

impl Hasher for TakeEight {
    fn write(&mut self, bytes: &[u8]) {
        // The bytes from the far end: shards and searches use the near one.
        if let Some(last) = bytes.last_chunk::<8>() {
            self.0 = u64::from_le_bytes(*last);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
