//! A catalog that was made beside the state, to be swapped in by the entry that it is made for.
//!
//! To add two million slots to a catalog takes a second, in which nobody could read the state. So
//! the next catalog is made of the one in force and the same rows that the journal gets, and the
//! entry only swaps the two. A replay, which has no next catalog, makes it of the rows: both give
//! the same state.

use std::sync::Arc;

use crate::domain::booking::catalog::{Catalog, Corrects, Version};
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::growing::Table;
use crate::domain::ids::{POOLS, RelocationIndex, SlotIndex};
use crate::domain::state::{CampaignState, Usage};
use crate::domain::time::Stamp;

/// What comes into force with one entry.
pub struct NextCatalog {
    base: Arc<Catalog>,
    /// None when it was swapped in.
    next: Option<Catalog>,
    /// Known slots with another capacity.
    changed: Vec<SlotIndex>,
    is_activation: bool,
    /// What it replaced, to be freed when nobody waits.
    replaced: Option<Replaced>,
}

struct Replaced {
    _refusals: Table<u64, ()>,
    _rows: Vec<Arc<Vec<SlotRow>>>,
}

impl NextCatalog {
    /// With the next version of the rules; it gets its stamp when it comes into force.
    ///
    /// # Errors
    /// As of `Catalog::put_rules`.
    pub fn activated(
        base: &Arc<Catalog>,
        rules: Campaign,
        version: u32,
        source: &str,
    ) -> Result<Self, String> {
        let mut next = Catalog::clone(base);
        next.put_rules(Arc::new(rules))?;
        next.versions.push(Version {
            version,
            activated_at: Stamp::default(),
            source: source.into(),
        });
        Ok(Self::of(base, next, Vec::new(), true))
    }

    /// With slots that are closed, or open again.
    ///
    /// # Errors
    /// As of `Catalog::close_slots`.
    pub fn closed(
        base: &Arc<Catalog>,
        slots: &[SlotIndex],
        closed_by: Option<RelocationIndex>,
    ) -> Result<Self, String> {
        let mut next = Catalog::clone(base);
        next.close_slots(slots.iter().copied(), closed_by)?;
        Ok(Self::of(base, next, Vec::new(), false))
    }

    pub fn with_sites(base: &Arc<Catalog>, rows: &[SiteRow]) -> Self {
        let mut next = Catalog::clone(base);
        next.put_sites(rows);
        Self::of(base, next, Vec::new(), false)
    }

    /// # Errors
    /// As of `Catalog::put_slots`.
    pub fn with_slots(base: &Arc<Catalog>, rows: &[SlotRow]) -> Result<Self, String> {
        let mut next = Catalog::clone(base);
        next.put_slots(rows, Corrects::CapacityAndEnd)?;
        let changed = rows.iter().filter_map(|row| base.slot_like(row)).collect();
        Ok(Self::of(base, next, changed, false))
    }

    fn of(
        base: &Arc<Catalog>,
        next: Catalog,
        changed: Vec<SlotIndex>,
        is_activation: bool,
    ) -> Self {
        Self {
            base: Arc::clone(base),
            next: Some(next),
            changed,
            is_activation,
            replaced: None,
        }
    }

    pub fn base(&self) -> &Arc<Catalog> {
        &self.base
    }

    /// None when it is in force.
    pub fn next(&self) -> Option<&Catalog> {
        self.next.as_ref()
    }

    /// Whether it was made of the catalog that the campaign has.
    pub fn fits(&self, campaign: &CampaignState) -> bool {
        self.next.is_some() && Arc::ptr_eq(&self.base, &campaign.catalog)
    }

    /// Swaps it in. `rows` are those that the entry put into force.
    pub(in crate::domain) fn swap_into(
        &mut self,
        campaign: &mut CampaignState,
        stamp: Stamp,
        rows: Vec<Arc<Vec<SlotRow>>>,
    ) -> Result<(), String> {
        let mut next = self.next.take().ok_or("swaps a catalog in twice")?;
        let mut refusals = Table::default();
        if self.is_activation {
            if let Some(version) = next.versions.last_mut() {
                version.activated_at = stamp;
            }
            std::mem::swap(&mut refusals, &mut campaign.refusals);
        }
        campaign.catalog = Arc::new(next);
        campaign.have_lines()?;
        let slots = campaign.catalog.slots.len();
        campaign.usage.fill_up(slots, Usage::default());
        self.replaced = Some(Replaced {
            _refusals: refusals,
            _rows: rows,
        });
        for slot in &self.changed {
            let (capacity, usage) = (
                campaign.catalog.slots[slot.at()].capacity,
                campaign.usage[slot.at()],
            );
            if (0..POOLS).any(|pool| usage.booked[pool] + usage.held[pool] > capacity[pool]) {
                return Err(format!(
                    "slot {slot} has more seats in use than its new capacity"
                ));
            }
        }
        Ok(())
    }
}
