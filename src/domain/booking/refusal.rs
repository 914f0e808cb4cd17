//! Refusals: well-formed "no"s with a reason. Values, not errors.

use crate::domain::campaign::eligibility::{Answer, Decision};
use crate::domain::entry::RefusedFor;
use crate::domain::ids::{BookingNumber, SlotIndex};
use crate::domain::time::Stamp;

/// Why a request changed nothing, in the order in which the checks are made: a request that meets
/// several of these gets the first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The same Idempotency-Key came before with another request.
    IdempotencyConflict,
    /// The person has caused as many changes in an hour as one may; more from this instant on.
    TooManyChanges(Stamp),
    /// No such booking, hold or slot for this person.
    NotFound,
    /// The person has no active booking of that number.
    NoBooking,
    AlreadyBooked(BookingNumber),
    HoldExpired,
    /// The hold was extended already, or the campaign's holds can't be.
    HoldExtended,
    ChangeDeadlinePassed(Stamp),
    /// The rules say no, as explained.
    Rules(Box<Decision>),
    /// The person is not on the roster in force.
    NotOnRoster,
    /// The first dose's slot has begun.
    SlotPast,
    /// No seat for the first or the second dose.
    SlotFull(SlotIndex),
}

impl Refusal {
    /// The refusal that a decision of the rules amounts to; none if it allows.
    pub fn by_rules(decision: &Decision) -> Option<Self> {
        (decision.answer != Answer::Eligible).then(|| Self::Rules(Box::new(*decision)))
    }
}

/// How the journal names a refusing answer of the rules.
pub fn refused_for(answer: Answer) -> Option<RefusedFor> {
    match answer {
        Answer::Eligible => None,
        Answer::NotOpenYet => Some(RefusedFor::NotOpenYet),
        Answer::OpeningClosed => Some(RefusedFor::OpeningClosed),
        Answer::NotEligible => Some(RefusedFor::NotEligible),
    }
}
