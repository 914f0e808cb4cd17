//! Slots that take nobody new, and those that do again, on their way into force.

use super::lists::{List, Told, impossible, offer, too_long, unknown};
use crate::domain::booking::next::NextCatalog;
use crate::domain::booking::relocation::RELOCATIONS_MAX;
use crate::domain::ids::{CampaignId, RelocationIndex, SlotIndex};
use crate::domain::pieces;
use crate::engine::command::{Begin, Operated};
use crate::engine::shared::Shared;

pub(super) fn close(
    shared: &Shared,
    id: &CampaignId,
    slots: &[SlotIndex],
    begin: &Begin,
) -> Result<List, Told> {
    let begun = {
        let offer = offer(shared, id).ok_or_else(|| unknown(id))?;
        let state = shared.state();
        let known = state.campaign(offer.catalog.index);
        known.map_or(0, |known| known.relocations.len())
    };
    if begun >= RELOCATIONS_MAX {
        let why = "no more slots can be closed in this campaign: it was done too often";
        return Err(impossible(why.to_owned()));
    }
    let relocation = RelocationIndex(begun as u16);
    let mut list = marked(shared, id, slots, Some(relocation))?;
    list.begins = Some((begin.clone(), relocation));
    Ok(list)
}

pub(super) fn reopen(shared: &Shared, id: &CampaignId, slots: &[SlotIndex]) -> Result<List, Told> {
    marked(shared, id, slots, None)
}

fn marked(
    shared: &Shared,
    id: &CampaignId,
    slots: &[SlotIndex],
    closed_by: Option<RelocationIndex>,
) -> Result<List, Told> {
    if slots.is_empty() {
        return Err(impossible(
            "there is no slot among these that can be closed or opened".to_owned(),
        ));
    }
    let offer = offer(shared, id).ok_or_else(|| unknown(id))?;
    let catalog = &offer.catalog;
    let changes = pieces::closing(catalog.index, slots, closed_by).map_err(too_long)?;
    let next = NextCatalog::closed(catalog, slots, closed_by).map_err(impossible)?;
    let done = Operated::SlotsClosed {
        slots: slots.len(),
        relocation: closed_by,
    };
    Ok(List::new(shared, catalog.index, changes, Some(next), done))
}
