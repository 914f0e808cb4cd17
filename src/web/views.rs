//! The shapes of answers: what the JSON of each call holds.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::ActsView;
use super::agency::AgencyView;
use super::described::seconds_range;
use crate::domain::campaign::LocalizedText;
use crate::domain::entry::{Change, Doses};
use crate::domain::ids::{SiteIndex, SlotIndex};
use crate::domain::state::{Booking, Status};
use crate::engine::shared::Offer;
use crate::engine::tree::prove::Proved;
use crate::gate::board::{BoardView, OpeningSpan};
use crate::gate::outlook::WaitBecause;
use crate::gate::{Place, PlaceState};
use crate::service::Here;
use crate::service::booking::Held;
use crate::service::proof::BookingProof;

/// Texts in both languages.
#[derive(Serialize, ToSchema)]
pub struct TextView {
    pub ko: String,
    pub en: String,
}

impl From<&LocalizedText> for TextView {
    fn from(text: &LocalizedText) -> Self {
        Self {
            ko: text.ko.clone(),
            en: text.en.clone(),
        }
    }
}

/// A person's position.
#[derive(Serialize, ToSchema)]
pub struct PlaceView<'a> {
    /// `lobby`, `window`, `waiting` or `admitted`.
    #[schema(pattern = "^(lobby|window|waiting|admitted)$")]
    pub state: &'static str,
    /// 0 for somebody whose window has not come: they get a number when they come in it.
    pub number: u64,
    /// People in front.
    pub ahead: u64,
    /// The least and the most seconds to wait.
    #[schema(schema_with = seconds_range)]
    pub wait_s: [u64; 2],
    /// Why it is longer than it was: `paused`, `busy`, `full`, `lowered` or `shared`.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_because: Option<&'static str>,
    /// When to ask again.
    pub next_poll_s: u32,
    /// The person came when their turn had been given on: they have the next that becomes free.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub late: bool,
    /// Until when the turn that has come is kept: then it goes to the next person, and this one
    /// has the next that becomes free.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, required = false)]
    pub kept_until: Option<String>,
    /// The opening of the line; null for somebody who goes in past every line, to look after a
    /// booking.
    #[schema(value_type = Option<OpeningSpan>)]
    pub opening: Option<OpeningTold<'a>>,
    /// Null for somebody who will probably have their turn before the opening ends.
    pub may_not_reach: Option<MayNotReachView<'a>>,
    /// When the person may come, from and until; only of an opening whose order is `windows`. They
    /// may come at any time after it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = [String], min_items = 2, max_items = 2, required = false)]
    pub window: Option<[String; 2]>,
}

/// Why somebody will perhaps not have their turn, and what comes then.
#[derive(Serialize, ToSchema)]
pub struct MayNotReachView<'a> {
    /// `opening_ends`: the opening ends before the line is so far.
    pub reason: &'static str,
    #[schema(format = DateTime)]
    pub ends_at: &'a str,
    /// The person's next opening, if one is planned.
    #[schema(value_type = Option<OpeningSpan>)]
    pub next: Option<OpeningTold<'a>>,
}

/// An `OpeningSpan` in the words that a campaign has ready: every poll has them.
#[derive(Serialize, Clone, Copy)]
pub struct OpeningTold<'a> {
    from: &'a str,
    until: &'a str,
}

/// When the opening at a position is.
pub fn opening_told(offer: &Offer, at: u16) -> Option<OpeningTold<'_>> {
    let [from, until] = offer.openings_told.get(usize::from(at))?;
    Some(OpeningTold { from, until })
}

pub fn place<'a>(offer: &'a Offer, place: &Place) -> PlaceView<'a> {
    let state = match place.state {
        PlaceState::Lobby => "lobby",
        PlaceState::Window => "window",
        PlaceState::Waiting => "waiting",
        PlaceState::Admitted => "admitted",
    };
    let Place {
        number,
        ahead,
        wait_s,
        wait_because,
        next_poll_s,
        is_late,
        kept_until,
        opening,
        may_not_reach,
        window,
        ticket: _,
        state: _,
    } = *place;
    let opening = opening.and_then(|at| opening_told(offer, at));
    let may_not_reach = may_not_reach.map(|why| MayNotReachView {
        reason: "opening_ends",
        ends_at: opening.map_or("", |told| told.until),
        next: why.next.and_then(|at| opening_told(offer, at)),
    });
    PlaceView {
        state,
        number,
        ahead,
        wait_s,
        wait_because: wait_because.map(WaitBecause::name),
        next_poll_s,
        late: is_late,
        kept_until: kept_until.map(|at| offer.catalog.campaign.zone.rfc3339(at)),
        opening,
        may_not_reach,
        window: window.map(|window| {
            let zone = &offer.catalog.campaign.zone;
            [window.from, window.until].map(|at| zone.rfc3339(at))
        }),
    }
}

/// A place, with what a page shows beside it of the board: one answer is enough for a look.
#[derive(Serialize, ToSchema)]
pub struct PlaceAnswer<'a> {
    pub place: PlaceView<'a>,
    /// Whether the gate is paused.
    pub paused: bool,
    #[schema(format = DateTime)]
    pub as_of: &'a str,
    /// What the operators say; why it is paused.
    pub message: Option<&'a str>,
    /// The same in English, if the operators gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub message_en: Option<&'a str>,
}

impl<'a> PlaceAnswer<'a> {
    pub fn of(offer: &'a Offer, at: &Place, board: &'a BoardView) -> Self {
        Self {
            place: place(offer, at),
            paused: board.state == "paused",
            as_of: &board.as_of,
            message: board.message.as_deref(),
            message_en: board.message_en.as_deref(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct EnterAnswer<'a> {
    pub place: PlaceView<'a>,
    /// The place token, for `Authorization: Bearer`; the same is in the place cookie.
    pub token: &'a str,
}

/// What a campaign's `identity` asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterRequest {
    #[schema(example = "김영희", max_length = 100)]
    pub name: Option<String>,
    /// As people write it too: 1967.3.4, 1967/03/04 or 19670304, with digits of any width.
    #[schema(example = "1967-03-04", format = Date)]
    pub birth_date: Option<String>,
    /// The invitation code: ten characters in any case, with spaces and hyphens. A code whose check
    /// character is wrong is a typing mistake (`invalid_request`) and counts as no attempt.
    #[schema(max_length = 32)]
    pub code: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// Unless it is used before.
    #[schema(format = DateTime)]
    pub expires_at: String,
}

#[derive(Serialize, ToSchema)]
pub struct AdmitAnswer {
    pub session: SessionView,
    /// The session token, for `Authorization: Bearer`; the same is in the session cookie.
    pub token: String,
}

#[derive(Serialize, ToSchema)]
pub struct DoseView {
    /// 1 or 2.
    pub dose: u8,
    pub site: String,
    pub vaccine: String,
    #[schema(format = DateTime)]
    pub start: String,
    #[schema(format = DateTime)]
    pub end: String,
}

#[derive(Serialize, ToSchema)]
pub struct BookingView {
    /// To read over a telephone: `7K3M-9QXT-2R`.
    pub number: String,
    /// `booked` or `cancelled`.
    #[schema(pattern = "^(booked|cancelled)$")]
    pub status: &'static str,
    pub doses: Vec<DoseView>,
    #[schema(format = DateTime)]
    pub booked_at: String,
    /// The journal entry that last changed it.
    pub seq: u64,
}

#[derive(Serialize, ToSchema)]
pub struct BookingAnswer {
    pub booking: BookingView,
    /// What the agency did to it; only there if it did something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub by_agency: Option<ActsView>,
}

pub fn booking(here: &Here, booking: &Booking) -> BookingAnswer {
    let zone = &here.offer.catalog.campaign.zone;
    let status = match booking.status {
        Status::Booked => "booked",
        Status::Cancelled => "cancelled",
    };
    BookingAnswer {
        booking: BookingView {
            number: booking.number.to_string(),
            status,
            doses: doses(here, booking.doses),
            booked_at: zone.rfc3339(booking.booked_at),
            seq: booking.seq.0,
        },
        by_agency: None,
    }
}

/// Proofs that the entries of a booking are in the record.
#[derive(Serialize, ToSchema)]
pub struct ProofAnswer {
    /// The booking's number.
    pub number: String,
    /// What verifies the checkpoints: a verifier key of C2SP signed-note. Compare it with the one
    /// that the agency has published elsewhere.
    pub public_key: String,
    /// The entry that made the booking, then the one that changed it last, if another did.
    pub entries: Vec<ProofView>,
    /// An entry is not in a signed checkpoint yet: ask again after so many seconds.
    pub ready_in_s: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct ProofView {
    /// The entry's number in the journal.
    pub seq: u64,
    #[schema(value_type = String)]
    pub what: &'static str,
    /// RFC 3339, in the campaign's zone.
    pub at: String,
    /// The doses that were booked, moved to or given up.
    pub doses: Vec<DoseView>,
    /// The text of a proof of C2SP tlog-proof, which carries the entry's bytes.
    pub proof: String,
}

pub fn proof(here: &Here, proof: &BookingProof) -> ProofAnswer {
    let zone = &here.offer.catalog.campaign.zone;
    let view = |proved: &Proved| ProofView {
        seq: proved.entry.seq.0,
        what: match proved.entry.change {
            Change::Booked { .. } => "booked",
            Change::Moved { .. } | Change::Relocated { .. } => "moved",
            _ => "cancelled",
        },
        at: zone.rfc3339(proved.entry.stamp),
        doses: proved.doses().map_or_else(Vec::new, |of| doses(here, of)),
        proof: proved.inclusion.to_string(),
    };
    ProofAnswer {
        number: proof.booking.number.to_string(),
        public_key: proof.public_key.clone(),
        entries: proof.entries.iter().map(view).collect(),
        ready_in_s: proof.ready_in_s,
    }
}

pub fn doses(here: &Here, doses: Doses) -> Vec<DoseView> {
    let catalog = &here.offer.catalog;
    let zone = &catalog.campaign.zone;
    let view = |(at, slot): (usize, SlotIndex)| {
        let slot = &catalog.slots[slot.at()];
        DoseView {
            dose: at as u8 + 1,
            site: catalog.sites[slot.site.at()].row.site.clone(),
            vaccine: catalog.campaign.vaccines[slot.vaccine.at()].id.clone(),
            start: zone.rfc3339(slot.start),
            end: zone.rfc3339(slot.end),
        }
    };
    doses.slots().enumerate().map(view).collect()
}

/// Which seats to book, and what the person agreed to. Its schema is in `described` too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BookRequest {
    /// The person's own hold.
    pub hold: Option<String>,
    /// A slot's id.
    pub slot: Option<String>,
    /// The version of the agency's file whose consent text the person agreed to.
    pub agreed: Option<u32>,
}

/// Which seats: exactly one of the two. Its schema is in `described`, which can say so.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatRequest {
    /// The person's own hold.
    pub hold: Option<String>,
    /// A slot's id.
    pub slot: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// A slot's id.
    #[schema(pattern = "^[0-9]+$", max_length = 10)]
    pub slot: String,
}

#[derive(Serialize, ToSchema)]
pub struct HoldView {
    pub hold: String,
    pub slot: String,
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// Whether it can be extended: once, where the campaign lets holds be extended.
    pub may_extend: bool,
    pub doses: Vec<DoseView>,
}

pub fn held(here: &Here, held: &Held) -> HoldView {
    HoldView {
        hold: held.hold.to_string(),
        slot: held.doses.first.to_string(),
        expires_at: here.offer.catalog.campaign.zone.rfc3339(held.until),
        may_extend: held.may_extend(here),
        doses: doses(here, held.doses),
    }
}

#[derive(Serialize, ToSchema)]
pub struct SiteView {
    pub site: String,
    pub name_ko: String,
    pub name_en: String,
    pub region: String,
    pub address: String,
    pub lat: f64,
    pub lng: f64,
    /// Seats that can be booked now.
    pub free: u32,
}

#[derive(Serialize, ToSchema)]
pub struct SitesAnswer {
    pub sites: Vec<SiteView>,
    /// For the next page; null on the last.
    pub next_cursor: Option<String>,
}

pub fn site(here: &Here, index: SiteIndex, free: u32) -> SiteView {
    let row = &here.offer.catalog.sites[index.at()].row;
    SiteView {
        site: row.site.clone(),
        name_ko: row.name_ko.clone(),
        name_en: row.name_en.clone(),
        region: row.region.clone(),
        address: row.address.clone(),
        lat: f64::from(row.lat_e6) / 1e6,
        lng: f64::from(row.lng_e6) / 1e6,
        free,
    }
}

#[derive(Serialize, ToSchema)]
pub struct DayView {
    /// As 2021-08-02, in the campaign's zone.
    #[schema(format = Date)]
    pub date: String,
    pub free: u32,
}

#[derive(Serialize, ToSchema)]
pub struct DaysAnswer {
    pub days: Vec<DayView>,
}

/// The second dose's slot.
#[derive(Serialize, ToSchema)]
pub struct SecondView {
    pub slot: String,
    #[schema(format = DateTime)]
    pub start: String,
}

#[derive(Serialize, ToSchema)]
pub struct SlotView {
    pub slot: String,
    pub site: String,
    pub vaccine: String,
    #[schema(format = DateTime)]
    pub start: String,
    #[schema(format = DateTime)]
    pub end: String,
    /// No more than the second dose's slot has.
    pub free: u32,
    /// Null for a vaccine of one dose.
    pub second: Option<SecondView>,
}

#[derive(Serialize, ToSchema)]
pub struct SlotsAnswer {
    pub slots: Vec<SlotView>,
}

pub fn slot(here: &Here, index: SlotIndex, free: u32) -> SlotView {
    let catalog = &here.offer.catalog;
    let (slot, zone) = (&catalog.slots[index.at()], &catalog.campaign.zone);
    let second = catalog.second_of(slot).map(|second| SecondView {
        slot: second.to_string(),
        start: zone.rfc3339(catalog.slots[second.at()].start),
    });
    SlotView {
        slot: index.to_string(),
        site: catalog.sites[slot.site.at()].row.site.clone(),
        vaccine: catalog.campaign.vaccines[slot.vaccine.at()].id.clone(),
        start: zone.rfc3339(slot.start),
        end: zone.rfc3339(slot.end),
        free,
        second,
    }
}

pub fn alternatives(here: &Here, near: &[(SlotIndex, u32)]) -> Vec<SlotView> {
    near.iter()
        .map(|&(index, free)| slot(here, index, free))
        .collect()
}

#[derive(Serialize, ToSchema)]
pub struct OpeningView {
    #[schema(format = DateTime)]
    pub from: String,
    /// Exclusive.
    #[schema(format = DateTime)]
    pub until: String,
    pub cohorts: Vec<CohortView>,
    /// Only for people born on days that end in one of these; empty for all.
    pub birth_day_last_digits: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
pub struct CohortView {
    pub cohort: String,
    /// The first and the last birth date, both included.
    pub born: [String; 2],
    pub groups_any: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct CampaignView {
    pub campaign: String,
    pub version: u32,
    pub name: TextView,
    pub zone: String,
    /// What a person is asked for.
    pub identity: Vec<&'static str>,
    pub openings: Vec<OpeningView>,
    pub gate: GateView,
    /// None before the first file of the agency.
    pub agency: Option<AgencyView>,
}

#[derive(Serialize, ToSchema)]
pub struct GateView {
    pub state: Cow<'static, str>,
    /// `arrival`, `draw` or `windows`.
    pub order: &'static str,
    /// For how many minutes before an opening its people may come: into its lobby, or to look up
    /// their window.
    pub lobby_opens_min: u32,
}

#[derive(Serialize, ToSchema)]
pub struct OpeningsAnswer {
    /// `eligible`, `not_open_yet`, `opening_closed` or `not_eligible`.
    pub answer: &'static str,
    pub rule: String,
    /// Groups that lead people of this birth date into further openings. Nobody is identified, so
    /// the answer is that of somebody in none of them.
    pub groups_may_differ: Vec<String>,
    #[schema(format = DateTime)]
    pub evaluated_at: String,
    #[schema(format = DateTime)]
    pub next_change: Option<String>,
    #[schema(format = DateTime)]
    pub opens_at: Option<String>,
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    pub openings: Vec<OpeningView>,
}

pub fn opening(here: &Here, at: usize) -> OpeningView {
    let campaign = &here.offer.catalog.campaign;
    let opening = &campaign.openings[at];
    let cohort = |&at: &usize| {
        let cohort = &campaign.cohorts[at];
        let (first, last) = cohort.born;
        CohortView {
            cohort: cohort.id.clone(),
            born: [first.to_string(), last.to_string()],
            groups_any: cohort.groups_any.clone(),
        }
    };
    OpeningView {
        from: campaign.zone.rfc3339(opening.from),
        until: campaign.zone.rfc3339(opening.until),
        cohorts: opening.cohorts.iter().map(cohort).collect(),
        birth_day_last_digits: opening.birth_day_last_digits.clone(),
    }
}

#[derive(Serialize, ToSchema)]
pub struct NowView {
    #[schema(format = DateTime)]
    pub now: String,
    pub zone: String,
    pub simulated: bool,
}

#[derive(Serialize, ToSchema)]
pub struct HealthView {
    pub ok: bool,
    /// What is not ready.
    pub not_ready: Vec<String>,
    /// What somebody should look at, though bookings can be made.
    pub warnings: Vec<String>,
    /// When the data folder was last in use before this start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_use_before_start: Option<String>,
    /// The seconds from then to the start, by the server's own clock. Longer than the server was
    /// really down, it says that the clock went ahead meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_before_start_s: Option<i64>,
}
