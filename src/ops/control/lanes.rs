//! How many requests may run at the same time, by what they do.
//!
//! Each kind has a lane of its own, so that imports, copies and callers who do not move never keep
//! an operator from looking at the gate or pausing it. A full lane refuses at once and says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::ids::Seq;
use crate::ops::outcome::WorkRefused;
use crate::ops::work::Work;

/// What a request keeps busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    /// Looks at the gate's board: waits for nothing.
    Status,
    /// Acts at a gate: go in front of the writer's queue.
    Gate,
    /// Rosters: 60 M people take some 10 GB while they are read, so two don't fit into 24 GiB.
    Roster,
    /// Copies of everything: each reads the whole data file.
    Copy,
    /// Copies of what is new, every few seconds.
    Follow,
    /// Everything else: activations, imports of sites and slots, and what is only looked up.
    Other,
}

const LANES: [Lane; 6] = [
    Lane::Status,
    Lane::Gate,
    Lane::Roster,
    Lane::Copy,
    Lane::Follow,
    Lane::Other,
];

impl Lane {
    pub(super) fn of(work: &Work) -> Self {
        match work {
            Work::GateStatus { .. } | Work::Health => Self::Status,
            Work::Gate { .. } | Work::DrawValue { .. } => Self::Gate,
            Work::ImportRoster { .. }
            | Work::RotatePersonalKeys
            | Work::ForgetPersonalKeys
            | Work::RotateHeadKey => Self::Roster,
            Work::Copy { from } if from.seq == Seq(0) => Self::Copy,
            Work::Copy { .. } => Self::Follow,
            Work::Activate { .. }
            | Work::ActivateAgency { .. }
            | Work::ImportSites { .. }
            | Work::ImportSlots { .. }
            | Work::RotateTokenKey { .. }
            | Work::Person { .. }
            | Work::Reviewed { .. }
            | Work::Staff(_)
            | Work::CampaignList
            | Work::AgencyList
            | Work::RosterStats
            | Work::Head
            | Work::Checkpoint { .. }
            | Work::Prove { .. } => Self::Other,
        }
    }

    /// Requests that may run in it at the same time; each has two threads at the most, so the
    /// socket never has more than 78. Fewer gate acts than the writer has urgent places for.
    pub(super) fn requests_max(self) -> usize {
        match self {
            Self::Status => 8,
            Self::Gate => 16,
            Self::Roster => 1,
            Self::Copy => 2,
            Self::Follow => 4,
            Self::Other => 8,
        }
    }

    /// What a caller is told when it is full.
    pub(super) fn is_full(self) -> WorkRefused {
        let (what, to_do) = match self {
            Self::Status => ("eight others look at the gate at this moment", "ask again"),
            Self::Gate => (
                "sixteen acts at the gate wait for the writer already",
                "look whether the disk hangs or an import is being written, then ask again",
            ),
            Self::Roster => (
                "a roster is being imported, or keys are being replaced",
                "wait for its end, then ask again",
            ),
            Self::Copy => (
                "two copies of the data file are being made",
                "wait for one, then ask again",
            ),
            Self::Follow => (
                "four others copy what is new at this moment",
                "follow into fewer folders",
            ),
            Self::Other => (
                "eight other requests of operators run",
                "wait for one, then ask again",
            ),
        };
        WorkRefused::new(what).to_do(to_do)
    }
}

/// The requests that run.
#[derive(Debug, Default)]
pub(super) struct Lanes([AtomicUsize; LANES.len()]);

/// A request's place in a lane; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Place {
    lanes: Arc<Lanes>,
    lane: Lane,
}

impl Lanes {
    /// A place in a lane; none when the lane is full.
    pub(super) fn enter(lanes: &Arc<Self>, lane: Lane) -> Option<Place> {
        let more = |running: usize| (running < lane.requests_max()).then_some(running + 1);
        let running = &lanes.0[lane as usize];
        let entered = running.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        // A place is made only after entering, because dropping it makes room for another.
        entered.ok().map(|_| Place {
            lanes: Arc::clone(lanes),
            lane,
        })
    }
}

#[cfg(test)]
impl Lanes {
    pub(super) fn running(&self, lane: Lane) -> usize {
        self.0[lane as usize].load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lanes.0[self.lane as usize].fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::writer::URGENT_COMMANDS_MAX;

    #[test]
    fn each_lane_takes_as_many_as_it_says_and_none_takes_anothers() {
        let lanes = Arc::new(Lanes::default());
        let mut places = Vec::new();
        for lane in LANES {
            for _ in 0..lane.requests_max() {
                places.push(Lanes::enter(&lanes, lane).expect("there is room"));
            }
            assert!(Lanes::enter(&lanes, lane).is_none(), "{lane:?}");
        }
        assert_eq!(places.len() * 2, 78);
        places.clear();
        for lane in LANES {
            assert!(Lanes::enter(&lanes, lane).is_some(), "{lane:?}");
        }
        assert!(Lane::Gate.requests_max() < URGENT_COMMANDS_MAX);
    }
}
