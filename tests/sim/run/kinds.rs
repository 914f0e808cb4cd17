//! The names under which answers are counted.

use sumun::domain::time::Stamp;
use sumun::engine::command::Outcome;

use crate::model::Said;

/// What the tally calls an answer.
pub fn kind_of(said: &Said) -> &'static str {
    use sumun::domain::booking::refusal::Refusal;
    match said {
        Said::Impossible => "impossible operations",
        Said::ByRules(..) => "refused by the rules",
        Said::Exactly(outcome) => match outcome {
            Outcome::Held { .. } => "held",
            Outcome::Released => "released",
            Outcome::Booking(booking) => match booking.status {
                sumun::domain::state::Status::Cancelled => "cancelled",
                _ if booking.booked_at != Stamp(0) => "booked or moved",
                _ => unreachable!("bookings have a stamp"),
            },
            Outcome::Repeated(_) => "repeats answered",
            Outcome::Refused(Refusal::IdempotencyConflict) => "conflicts refused",
            Outcome::Refused(Refusal::TooManyChanges(_)) => "too many changes",
            Outcome::Refused(Refusal::ChangeDeadlinePassed(_)) => "deadlines passed",
            Outcome::Refused(Refusal::HoldExpired) => "hold not there",
            Outcome::Refused(Refusal::HoldExtended) => "holds not extended again",
            Outcome::Refused(Refusal::AlreadyBooked(_)) => "booked already",
            Outcome::Refused(Refusal::NotOnRoster) => "not on the roster",
            Outcome::Refused(_) => "other refusals",
            Outcome::Operated(_) => "operations",
            Outcome::Impossible(_) | Outcome::Unknown => "never predicted",
            Outcome::Kept | Outcome::Contradicts | Outcome::Stale => "never predicted",
        },
    }
}
