//! What a proposal would do, as callers of the desk's API see it.

use data_encoding::HEXLOWER;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::booking::relocation::{Prefer, Unanswered};
use crate::domain::campaign::diff::FieldChange;
use crate::domain::staff::proposal::{Asking, Proposal, RosterFile};
use crate::service::activation::LineTouched;
use crate::service::desk::effect::roster::RosterNumbers;
use crate::service::desk::effect::{AtInstant, Effect, Moves};

/// A sealed roster file, and what it changes in numbers.
#[derive(Serialize, ToSchema)]
pub struct RosterFileView {
    /// The SHA-256 of the sealed bytes, in hex: how a proposal names it.
    pub file: String,
    /// Sealed bytes.
    pub bytes: u64,
    /// The version of the roster that it was compared with.
    pub base: u32,
    pub people: u64,
    pub added: u64,
    pub changed: u64,
    /// People of the roster in force who are not in it.
    pub gone: u64,
    /// People whose names were erased, and would be stored again.
    pub erased_back: u64,
}

impl RosterFileView {
    pub(super) fn of(file: &RosterFile) -> Self {
        let RosterFile {
            sha256,
            bytes,
            base,
            people,
            added,
            changed,
            gone,
            erased_back,
        } = *file;
        Self {
            file: HEXLOWER.encode(&sha256),
            bytes,
            base,
            people,
            added,
            changed,
            gone,
            erased_back,
        }
    }
}

/// A field that changes.
#[derive(Serialize, ToSchema)]
pub struct ChangeView {
    pub field: String,
    pub old: Option<String>,
    pub new: Option<String>,
    pub caution: Option<String>,
}

/// How many people may book at an instant.
#[derive(Serialize, ToSchema)]
pub struct InstantView {
    /// The campaign, where the proposal is about all of them.
    pub campaign: Option<String>,
    #[schema(format = DateTime)]
    pub at: String,
    pub people: u64,
    pub may_book: u64,
    /// They may book by the new rules and not by those in force.
    pub gain: u64,
    /// They may book by the rules in force and not by the new ones.
    pub lose: u64,
}

/// A line with people for whom something changes.
#[derive(Serialize, ToSchema)]
pub struct LineView {
    pub from: String,
    pub until: String,
    pub waiting: u64,
    /// What changes, as `campaign activate --dry-run` names it.
    #[schema(value_type = Vec<Object>)]
    pub effects: Vec<serde_json::Value>,
}

/// What a roster file changes, in numbers.
#[derive(Serialize, ToSchema)]
pub struct RosterNumbersView {
    pub file: RosterFileView,
    /// The SHA-256 of the file as it was sent, in hex.
    pub sent_sha256: String,
    pub unchanged: u64,
    /// People whose name changes.
    pub name: u64,
    pub phone: u64,
    pub birth_date: u64,
    pub region: u64,
    pub groups: u64,
    /// People who were recognised under a new code.
    pub new_code: u64,
    /// Lines of the file with people who may be somebody known under a new code.
    pub undecided_lines: Vec<u32>,
    /// Rows that look like one person under two codes.
    pub same_person: u64,
    /// Some of them.
    pub same_person_lines: Vec<SameLinesView>,
    pub group_moves: Vec<GroupMoveView>,
    /// People who stay and lose a right at one of the instants.
    pub lose: u64,
    /// Of all who are gone or lose a right: they have a booking or a hold, and keep it.
    pub booked: u64,
    /// Of the same: they wait in a line.
    pub waiting: u64,
}

/// Two lines that look like one person.
#[derive(Serialize, ToSchema)]
pub struct SameLinesView {
    pub line: u32,
    pub like: u32,
}

/// People who move between groups.
#[derive(Serialize, ToSchema)]
pub struct GroupMoveView {
    pub from: String,
    pub to: String,
    pub people: u64,
}

impl RosterNumbersView {
    pub(super) fn of(numbers: &RosterNumbers) -> Self {
        let same = |(line, like): &(u32, u32)| SameLinesView {
            line: *line,
            like: *like,
        };
        let moved = |(from, to, people): &(String, String, u64)| GroupMoveView {
            from: from.clone(),
            to: to.clone(),
            people: *people,
        };
        Self {
            file: RosterFileView::of(&numbers.file),
            sent_sha256: numbers.sent_sha256.clone(),
            unchanged: numbers.unchanged,
            name: numbers.name,
            phone: numbers.phone,
            birth_date: numbers.birth_date,
            region: numbers.region,
            groups: numbers.groups,
            new_code: numbers.new_code,
            undecided_lines: numbers.undecided_lines.clone(),
            same_person: numbers.same_person,
            same_person_lines: numbers.same_person_lines.iter().map(same).collect(),
            group_moves: numbers.group_moves.iter().map(moved).collect(),
            lose: numbers.lose,
            booked: numbers.booked,
            waiting: numbers.waiting,
        }
    }
}

/// What a proposal would do.
#[derive(Serialize, ToSchema)]
pub struct EffectView {
    pub campaign: String,
    /// Why it can't be done; nothing else is known then.
    pub faults: Vec<String>,
    pub cautions: Vec<String>,
    pub changes: Vec<ChangeView>,
    pub at: Vec<InstantView>,
    pub lines: Vec<LineView>,
    pub rows: Option<u64>,
    /// What becomes of people who are booked; none if it is not about them.
    pub moves: Option<MovesView>,
    /// What a roster file changes; none if it is not about one.
    pub roster: Option<RosterNumbersView>,
    /// The most people who lose a right at one of the instants, or whose seats are others: what an
    /// approver types.
    pub takes: u64,
    /// Of the rows that change and of everybody who gets other seats: an approval that carries it
    /// is good for these alone.
    pub digest: String,
}

/// What becomes of people who are booked.
#[derive(Serialize, ToSchema)]
pub struct MovesView {
    /// Slots that are closed.
    pub slots: u64,
    /// Holds of people who are deciding, which end.
    pub holds: u64,
    pub people: u64,
    /// Other seats were found for so many.
    pub found: u64,
    /// Doses of those that come to another site.
    pub to_other_sites: u64,
    /// Doses of those that come on another day.
    pub on_other_days: u64,
    /// For so many none were found.
    pub without: u64,
    /// Some of those, by number.
    pub without_numbers: Vec<String>,
    /// Some of those who move.
    pub examples: Vec<MoveView>,
}

/// Somebody who gets other seats.
#[derive(Serialize, ToSchema)]
pub struct MoveView {
    pub number: String,
    /// Site, date and time.
    pub before: String,
    pub after: String,
}

impl MovesView {
    pub(super) fn of(moves: &Moves) -> Self {
        let example = |[number, before, after]: &[String; 3]| MoveView {
            number: number.clone(),
            before: before.clone(),
            after: after.clone(),
        };
        Self {
            slots: moves.slots,
            holds: moves.holds,
            people: moves.people,
            found: moves.found,
            to_other_sites: moves.to_other_sites,
            on_other_days: moves.on_other_days,
            without: moves.without,
            without_numbers: moves.without_numbers.clone(),
            examples: moves.examples.iter().map(example).collect(),
        }
    }
}

impl EffectView {
    pub(super) fn of(effect: &Effect) -> Self {
        let change = |change: &FieldChange| ChangeView {
            field: change.field.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            caution: change.caution.as_deref().map(str::to_owned),
        };
        let line = |line: &LineTouched| LineView {
            from: line.from.clone(),
            until: line.until.clone(),
            waiting: line.waiting,
            effects: line
                .effects
                .iter()
                .map(|effect| serde_json::to_value(effect).unwrap_or_default())
                .collect(),
        };
        let at = |at: &AtInstant| InstantView {
            campaign: at.campaign.clone(),
            at: at.at.clone(),
            people: at.people,
            may_book: at.may_book,
            gain: at.gain,
            lose: at.lose,
        };
        Self {
            campaign: effect.campaign.clone(),
            faults: effect.faults.clone(),
            cautions: effect.cautions.clone(),
            changes: effect.changes.iter().map(change).collect(),
            at: effect.at.iter().map(at).collect(),
            lines: effect.lines.iter().map(line).collect(),
            rows: effect.rows,
            moves: effect.moves.as_ref().map(MovesView::of),
            roster: effect.roster.as_deref().map(RosterNumbersView::of),
            takes: effect.takes,
            digest: effect.digest.clone(),
        }
    }
}

/// What becomes of people who are booked in slots that are closed.
#[derive(Serialize, ToSchema)]
pub struct PlanView {
    /// `offered`, `moved` or `telephoned`.
    pub asking: &'static str,
    /// `same_site` or `same_day`.
    pub prefer: &'static str,
    /// With `offered`: until when they can answer.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// With `offered`: `moved` or `telephoned` becomes of those who do not answer.
    pub unanswered: Option<&'static str>,
}

impl PlanView {
    pub fn of(what: &Proposal) -> Option<Self> {
        let Proposal::Close { plan, .. } = what else {
            return None;
        };
        let is_offered = plan.asking == Asking::Offered;
        let until = is_offered.then(|| plan.until.instant().to_string());
        let unanswered = match plan.unanswered {
            Unanswered::Moved => "moved",
            Unanswered::Telephoned => "telephoned",
        };
        Some(Self {
            asking: match plan.asking {
                Asking::Offered => "offered",
                Asking::Moved => "moved",
                Asking::Telephoned => "telephoned",
            },
            prefer: match plan.prefer {
                Prefer::SameSite => "same_site",
                Prefer::SameDay => "same_day",
            },
            until,
            unanswered: is_offered.then_some(unanswered),
        })
    }
}
