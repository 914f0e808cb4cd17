//! Seats that are opened to the public in equal parts, so that every evening of a rotation has its
//! share of the stock.
//!
//! What is not open yet lies in the pool `later`, from which nobody books. Of a slot with `n` seats
//! for the public the part of a step is `n` over the number of steps; what does not divide falls on
//! other steps for each slot, so that small slots do not all open at the end.

use crate::domain::booking::catalog::{Catalog, Slot};
use crate::domain::booking::site::SlotRow;
use crate::domain::ids::{Pool, Seats, SlotIndex};
use crate::domain::staff::proposal::Rollover;
use crate::domain::state::{CampaignState, Usage};

const PUBLIC: usize = Pool::Public as usize;
const LATER: usize = Pool::Later as usize;

/// A step of a split: 0 takes everything back that is not in use, the last opens all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    pub step: u32,
    pub steps: u32,
    pub rollover: Rollover,
}

/// Seats of a slot that are open by the end of a step; `offset` sets slots apart.
fn open_by(total: u16, step: u32, steps: u32, offset: u32) -> u16 {
    let steps = steps.max(1);
    let offset = offset % steps;
    let open = (u32::from(total) * step.min(steps) + offset) / steps;
    open as u16
}

/// The capacity of a slot after a step.
fn after(slot: &Slot, usage: Usage, offset: u32, step: Step) -> Seats {
    let total = slot.capacity[PUBLIC].saturating_add(slot.capacity[LATER]);
    let used = usage.booked[PUBLIC] + usage.held[PUBLIC];
    let until = |step_: u32| open_by(total, step_, step.steps, offset);
    let open = if step.step >= step.steps {
        total
    } else {
        match step.rollover {
            Rollover::Next => until(step.step),
            Rollover::Last if step.step == 0 => 0,
            Rollover::Last => used + (until(step.step) - until(step.step - 1)),
        }
    };
    let open = open.clamp(used.min(total), total);
    let mut capacity = slot.capacity;
    capacity[PUBLIC] = open;
    capacity[LATER] = total - open;
    capacity
}

/// The slots that a step changes, and the seats that are open to the public then.
pub fn rows(campaign: &CampaignState, slots: &[SlotIndex], step: Step) -> (Vec<SlotRow>, u64) {
    let catalog: &Catalog = &campaign.catalog;
    let mut open = 0;
    let mut rows = Vec::new();
    for index in slots {
        let slot = &catalog.slots[index.at()];
        let usage = campaign.usage.get(index.at()).copied().unwrap_or_default();
        let capacity = after(slot, usage, index.0, step);
        open += u64::from(capacity[PUBLIC]);
        if capacity != slot.capacity {
            rows.push(row(slot, capacity));
        }
    }
    (rows, open)
}

/// A slot as a file would bring it, with this capacity.
pub fn row(slot: &Slot, capacity: Seats) -> SlotRow {
    SlotRow {
        site: slot.site,
        vaccine: slot.vaccine,
        date: slot.date,
        start_min: slot.start_min,
        start: slot.start,
        end: slot.end,
        capacity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seat_opens_once_and_small_slots_do_not_all_open_at_the_end() {
        for total in [0_u16, 1, 3, 7, 10, 100, 10_000] {
            for steps in [1, 2, 3, 10, 12] {
                for offset in 0..steps {
                    let open: Vec<u16> = (0..=steps)
                        .map(|step| open_by(total, step, steps, offset))
                        .collect();
                    assert!(open.is_sorted());
                    assert_eq!((open[0], open[steps as usize]), (0, total));
                    let parts = open.windows(2).map(|pair| u32::from(pair[1] - pair[0]));
                    let (least, most) =
                        (u32::from(total) / steps, u32::from(total).div_ceil(steps));
                    assert!(parts.into_iter().all(|part| (least..=most).contains(&part)));
                }
            }
        }
        // A hundred slots of one seat over ten evenings: ten open each evening.
        for step in 0..=10 {
            let open: u32 = (0..100)
                .map(|slot| u32::from(open_by(1, step, 10, slot)))
                .sum();
            assert_eq!(open, step * 10);
        }
    }

    fn slot(public: u16, later: u16) -> Slot {
        Slot {
            site: crate::domain::ids::SiteIndex(0),
            vaccine: crate::domain::ids::VaccineIndex(0),
            date: crate::domain::time::Day(18_841),
            start_min: 540,
            start: crate::domain::time::Stamp(5),
            end: crate::domain::time::Stamp(6),
            capacity: [public, 1, 0, 0, later],
            position: 0,
            second: None,
            closed_by: None,
        }
    }

    fn used(booked: u16) -> Usage {
        let mut usage = Usage::default();
        usage.booked[PUBLIC] = booked;
        usage
    }

    #[test]
    fn what_is_left_of_an_evening_stays_open_or_comes_back_at_the_end() {
        let step = |step, rollover| Step {
            step,
            steps: 3,
            rollover,
        };
        // Ten seats in three evenings; two of the first three are booked.
        let next = |at| after(&slot(3, 7), used(2), 0, step(at, Rollover::Next));
        assert_eq!(next(2), [6, 1, 0, 0, 4]);
        assert_eq!(next(3), [10, 1, 0, 0, 0]);
        let last = |at| after(&slot(3, 7), used(2), 0, step(at, Rollover::Last));
        assert_eq!(last(2), [5, 1, 0, 0, 5]);
        assert_eq!(last(3), [10, 1, 0, 0, 0]);
        // At first everything that nobody has is taken back, and never a seat in use.
        for rollover in [Rollover::Next, Rollover::Last] {
            let taken = after(&slot(10, 0), used(4), 0, step(0, rollover));
            assert_eq!(taken, [4, 1, 0, 0, 6]);
        }
    }
}
