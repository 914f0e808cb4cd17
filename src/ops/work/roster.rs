//! What an import of the roster did, or would do in a dry run: the same figures for both.

use super::person::fit_origin;
use crate::domain::entry::{Change, Look, Purpose};
use crate::domain::roster::{Changed, Roster};
use crate::engine::command::RosterNews;
use crate::engine::import::roster::{Compared, Counts};
use crate::ops::outcome::{ChangedFields, RosterDryRun, RosterImported, RosterNotes};

/// What would be changed.
pub(super) fn dry_run(compared: &Compared, people: usize) -> RosterDryRun {
    let of = |what: fn(&Changed) -> bool| {
        let changed = compared.difference.changed.iter();
        changed.filter(|changed| what(changed)).count()
    };
    let Counts {
        added,
        changed,
        gone,
        unchanged,
    } = compared.counts;
    RosterDryRun {
        people,
        added,
        changed,
        gone,
        unchanged,
        changed_fields: ChangedFields {
            name: of(|c| c.name),
            phone: of(|c| c.phone),
            birth_date: of(|c| c.birth_date),
            region: of(|c| c.region),
            groups: of(|c| c.groups),
        },
        notes: notes(&compared.news),
        would_be_refused: compared.refused.clone(),
    }
}

/// What was changed.
pub(super) fn in_force(version: u32, counts: &Counts, news: &RosterNews) -> RosterImported {
    RosterImported {
        version,
        added: counts.added,
        changed: counts.changed,
        gone: counts.gone,
        unchanged: counts.unchanged,
        notes: notes(news),
    }
}

/// The look that a dry run is: its figures tell whether a name that was guessed is somebody's.
pub(super) fn look_of(compared: &Compared, next: &Roster, origin: &str) -> Option<Change> {
    let (rows, people) = compared.look_at(next)?;
    let look = Look {
        purpose: Purpose::Compared,
        origin: fit_origin(origin),
        reason: format!("roster import --dry-run of a file with {rows} people"),
        people,
    };
    Some(Change::PersonalDataSeen(look))
}

fn notes(news: &RosterNews) -> RosterNotes {
    let numbers = news.gone_with_booking.iter();
    RosterNotes {
        new_code: news.rekeyed,
        undecided_lines: news.undecided.clone(),
        gone_with_booking: news.gone_with_booking.len(),
        gone_booking_numbers: numbers.map(|number| number.to_string()).collect(),
        same_person: news.same_people.total,
        same_person_lines: news.same_people.lines.clone(),
        erased_back: news.erased_back,
    }
}
