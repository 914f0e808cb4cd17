//! One person's step of a relocation: what is journalled for them, with their new seats claimed.

use super::shared::Offer;
use crate::domain::booking::relocation::Planned;
use crate::domain::entry::{Change, Doses};
use crate::domain::ids::RelocationIndex;
use crate::domain::state::CampaignState;
use crate::domain::time::Stamp;
use crate::seats::Claim;

/// The change that gives or offers somebody what was planned for them; none when they changed their
/// booking meanwhile, or the seats are gone.
pub(super) fn step(
    campaign: &CampaignState,
    offer: &Offer,
    relocation: RelocationIndex,
    planned: &Planned,
    offered_until: Option<Stamp>,
) -> Option<(Change, Vec<Claim>)> {
    let Planned {
        person,
        number,
        from,
        to,
        pool,
    } = *planned;
    if to == from || to.second == Some(to.first) {
        return None;
    }
    let booking = campaign.active_booking(&person)?;
    if (booking.number, booking.doses, booking.pool) != (number, from, pool) {
        return None;
    }
    let is_open = |doses: Doses| {
        let mut taken = doses.beyond(from);
        taken.all(|slot| {
            let known = campaign.catalog.slot(slot);
            known.is_some_and(|known| known.closed_by.is_none())
        })
    };
    if !is_open(to) {
        return None;
    }
    let claims = offer.claim_each(to.beyond(from), pool)?;
    let released = campaign.standing(&person).offer;
    let campaign = campaign.catalog.index;
    let change = match offered_until {
        Some(until) => Change::MoveOffered {
            campaign,
            relocation,
            person,
            number,
            from,
            to,
            pool,
            until,
            released,
        },
        None => Change::Relocated {
            campaign,
            relocation,
            person,
            number,
            from,
            to,
            pool,
            hold: None,
            released,
        },
    };
    Some((change, claims))
}
