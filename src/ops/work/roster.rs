//! What an import of the roster did, or would do in a dry run: the same figures for both.

use crate::domain::roster::Changed;
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

fn notes(news: &RosterNews) -> RosterNotes {
    let numbers = news.gone_with_booking.iter();
    RosterNotes {
        new_code: news.rekeyed,
        undecided_lines: news.undecided.clone(),
        gone_with_booking: news.gone_with_booking.len(),
        gone_booking_numbers: numbers.map(|number| number.to_string()).collect(),
        same_person: news.same_people.total,
        same_person_lines: news.same_people.lines.clone(),
    }
}
