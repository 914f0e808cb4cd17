//! An agency that closes slots, opens them again and gives people other seats, sensible or not.

use sumun::domain::booking::relocation::{Cause, Planned, Prefer, Unanswered};
use sumun::domain::entry::Doses;
use sumun::domain::ids::SlotIndex;
use sumun::domain::line::Notice;
use sumun::domain::state::Status;
use sumun::domain::time::Stamp;
use sumun::engine::command::Begin;

use crate::model::Act;
use crate::run::Run;
use crate::world::{HOUR, MINUTE};

pub fn act(run: &mut Run, campaign: usize, now: Stamp) -> Act {
    let known = &run.model.campaigns[campaign];
    let (begun, slots, closed) = (
        known.relocations.len(),
        known.slots.len(),
        known.closed.len(),
    );
    match run.random.below(10) {
        0..2 if slots > 0 => close(run, campaign, now),
        2..4 if closed > 0 => {
            let closed: Vec<usize> = run.model.campaigns[campaign]
                .closed
                .keys()
                .copied()
                .collect();
            let from = run.random.below(closed.len() as u64) as usize;
            let slots = closed[from..].iter().map(|at| SlotIndex(*at as u32));
            let slots = slots.collect();
            Act::Reopen { campaign, slots }
        }
        _ if begun > 0 => relocate(run, campaign, now),
        _ => close(run, campaign, now),
    }
}

fn close(run: &mut Run, campaign: usize, now: Stamp) -> Act {
    let slots = run.model.campaigns[campaign].slots.len() as u64;
    let count = run.random.below(3.min(slots) + 1);
    let mut some: Vec<SlotIndex> = (0..count)
        .map(|_| SlotIndex(run.random.below(slots) as u32))
        .collect();
    some.sort();
    some.dedup();
    let unanswered = *run
        .random
        .pick(&[Unanswered::Moved, Unanswered::Telephoned]);
    let begin = Begin {
        cause: Cause::Closure {
            prefer: *run.random.pick(&[Prefer::SameSite, Prefer::SameDay]),
        },
        reason: Notice::from("점검".to_owned()),
        until: Stamp(now.0 + run.random.below(2 * HOUR as u64) as i64),
        unanswered,
    };
    Act::Close {
        campaign,
        slots: some,
        begin,
    }
}

/// Other seats for up to eight people, some of whom nobody is, or who have moved meanwhile. A dose
/// may stay where it is.
fn relocate(run: &mut Run, campaign: usize, now: Stamp) -> Act {
    let known = run.model.campaigns[campaign].clone();
    let slots = known.slots.len() as u64;
    let active = known
        .bookings
        .iter()
        .filter(|one| one.status == Status::Booked);
    let active: Vec<_> = active.copied().collect();
    let mut people = Vec::new();
    for _ in 0..run.random.below(9) {
        if active.is_empty() || slots == 0 {
            break;
        }
        let booking = *run.random.pick(&active);
        let at = SlotIndex(run.random.below(slots) as u32);
        let to = match run.random.below(4) {
            0 => known.doses(at.at()),
            1 => Doses {
                first: at,
                second: booking.doses.second,
            },
            _ => Doses {
                first: booking.doses.first,
                second: booking.doses.second.map(|_| at),
            },
        };
        if to.second == Some(to.first) || to == booking.doses {
            continue;
        }
        let mut from = booking.doses;
        if run.random.percent(5) {
            from.second = None;
        }
        people.push(Planned {
            person: booking.person,
            number: booking.number,
            from,
            to,
            pool: booking.pool,
        });
    }
    let relocation = run.random.below(known.relocations.len() as u64) as u16;
    let until = Stamp(now.0 + 1 + run.random.below(40 * MINUTE as u64) as i64);
    let offered_until = run.random.percent(70).then_some(until);
    Act::Relocate {
        campaign,
        relocation,
        people,
        offered_until,
    }
}
