//! Correcting when slots begin: they are closed, made anew at the other time, and their people
//! move.
//!
//! Three kinds of commits, of which a crash can be behind any. The first names the proposal, so
//! that a start finds how far it came and goes on: what is closed by it and not there yet is made,
//! and whoever is still booked there moves.

use crate::domain::booking::relocation::{Cause, Unanswered};
use crate::domain::entry::Actor;
use crate::domain::ids::{RelocationIndex, SlotIndex};
use crate::domain::line::Notice;
use crate::domain::staff::proposal::SlotRange;
use crate::engine::command::{Begin, Operated, Operation};
use crate::engine::shared::Offer;
use crate::service::Service;
use crate::service::desk::effect::seats::MOVE_LEAD_S;
use crate::service::desk::retime;

const GONE: &str = "the campaign is gone";

impl Service {
    pub(super) fn retime(
        &self,
        by: &Actor,
        offer: &Offer,
        range: &SlotRange,
        (cause, reason): (Cause, &Notice),
    ) -> Result<String, String> {
        let known = self.snapshot(offer.catalog.index).map_err(|_| GONE)?;
        let begun = known.relocations.iter().position(|one| one.cause == cause);
        drop(known);
        let relocation = match begun {
            Some(at) => RelocationIndex(at as u16),
            None => self.close_to_retime(by, offer, range, (cause, reason))?,
        };
        self.make_anew(by, offer, relocation)?;
        let known = self.snapshot(offer.catalog.index).map_err(|_| GONE)?;
        let new = retime::successors(&known, relocation);
        let slots = new.len();
        let plan = retime::plan(&known, &new);
        drop(known);
        let people = self.move_planned(by, (offer.catalog.index, relocation), &plan, None)?;
        Ok(format!(
            "slots at another time of their day: {slots}; {}",
            people.in_words()
        ))
    }

    /// Nobody comes into a slot whose people are leaving it.
    fn close_to_retime(
        &self,
        by: &Actor,
        offer: &Offer,
        range: &SlotRange,
        (cause, reason): (Cause, &Notice),
    ) -> Result<RelocationIndex, String> {
        let now = self.clock.now();
        let known = self.snapshot(offer.catalog.index).map_err(|_| GONE)?;
        let slots = retime::slots(&known.catalog, range, now);
        let Cause::Retimed { minutes, .. } = cause else {
            return Err("it is no correction of times".to_owned());
        };
        let fits = retime::rows(&known, &slots, minutes, now);
        fits.map_err(|faults| faults.join("; "))?;
        drop(known);
        let operation = Operation::CloseSlots {
            campaign: offer.catalog.campaign.id.clone(),
            slots,
            begin: Begin {
                cause,
                reason: reason.clone(),
                until: now.plus_s(MOVE_LEAD_S),
                unanswered: Unanswered::Telephoned,
            },
        };
        match self.perform_beside(by, operation)? {
            Operated::SlotsClosed {
                relocation: Some(relocation),
                ..
            } => Ok(relocation),
            _ => Err("the slots were not closed".to_owned()),
        }
    }

    /// Makes the slots at the other time that are not there yet. Where one was corrected away from
    /// that time before, it is opened again.
    fn make_anew(
        &self,
        by: &Actor,
        offer: &Offer,
        relocation: RelocationIndex,
    ) -> Result<(), String> {
        let known = self.snapshot(offer.catalog.index).map_err(|_| GONE)?;
        let rows = retime::missing(&known, relocation)?;
        let again = rows.iter().filter_map(|row| known.catalog.slot_like(row));
        let again: Vec<SlotIndex> = again.collect();
        let version = Some(known.catalog.version());
        drop(known);
        let campaign = &offer.catalog.campaign.id;
        if rows.is_empty() {
            return Ok(());
        }
        // Its seats first: what is open has those that it is to have.
        let operation = Operation::ImportSlots {
            campaign: campaign.clone(),
            version,
            rows,
            now: self.clock.now(),
        };
        self.perform_beside(by, operation)?;
        if !again.is_empty() {
            let operation = Operation::ReopenSlots {
                campaign: campaign.clone(),
                slots: again,
            };
            self.perform_beside(by, operation)?;
        }
        Ok(())
    }
}
