//! What the agency did to somebody's booking, as the API tells it.

use serde::Serialize;
use utoipa::ToSchema;

use super::views::{DoseView, doses};
use crate::domain::booking::relocation::Cause;
use crate::service::Here;
use crate::service::booking::{AgencyAct, AgencyActs};

/// What the agency did to a booking.
#[derive(Serialize, ToSchema)]
pub struct ActsView {
    /// Why one of its slots was closed; null if none was.
    pub closed: Option<ClosedView>,
    /// Seats that are kept instead: move the booking to this hold to take them.
    pub offer: Option<OfferView>,
    /// That the agency moved it, until its person changes it.
    pub moved: Option<MovedView>,
}

#[derive(Serialize, ToSchema)]
pub struct ClosedView {
    pub why: ReasonView,
    /// Which doses can't take place as booked: 1, 2 or both.
    pub doses: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
pub struct ReasonView {
    /// `closure`, `interval`, or `retime`: it begins at another time of its day.
    pub cause: &'static str,
    pub reason: String,
    pub reason_en: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct OfferView {
    pub hold: String,
    pub doses: Vec<DoseView>,
    #[schema(format = DateTime)]
    pub until: String,
    /// Whether the booking moves to it if nobody answers.
    pub moves_unanswered: bool,
}

#[derive(Serialize, ToSchema)]
pub struct MovedView {
    pub why: ReasonView,
    #[schema(format = DateTime)]
    pub at: String,
    /// Where it was before.
    pub from: Vec<DoseView>,
}

/// What the agency did to somebody's booking; none if nothing.
pub fn acts(here: &Here, acts: &AgencyActs) -> Option<ActsView> {
    let zone = &here.offer.catalog.campaign.zone;
    let reason = |act: &AgencyAct| ReasonView {
        cause: match act.cause {
            Cause::Closure { .. } => "closure",
            Cause::Interval { .. } => "interval",
            Cause::Retimed { .. } => "retime",
        },
        reason: act.reason.text.clone(),
        reason_en: act.reason.en.clone(),
    };
    if *acts == AgencyActs::default() {
        return None;
    }
    Some(ActsView {
        closed: acts.closed.as_ref().map(|(act, doses)| ClosedView {
            why: reason(act),
            doses: doses.clone(),
        }),
        offer: acts.offer.map(|(held, moves_unanswered)| OfferView {
            hold: held.hold.to_string(),
            doses: doses(here, held.doses),
            until: zone.rfc3339(held.until),
            moves_unanswered,
        }),
        moved: acts.moved.as_ref().map(|(act, from, at)| MovedView {
            why: reason(act),
            at: zone.rfc3339(*at),
            from: doses(here, *from),
        }),
    })
}
