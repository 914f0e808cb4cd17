//! What an import of the roster says: the same figures before it, in a dry run, and after it.

use serde_json::json;

use crate::cli::Output;
use crate::ops::outcome::{RosterDryRun, RosterImported, RosterNotes};

/// Booking numbers and lines that a terminal shows; the JSON has all of them.
const SHOWN: usize = 20;

/// Why a row that may be a known person was left alone.
pub(in crate::cli) const UNDECIDED: &str = "name and birth date are theirs, but the telephone \
    number does not say who is who, so their bookings stay under the old code";

/// What a row is told that looks like the person of an earlier line.
pub(in crate::cli) fn same_person(first: u32) -> String {
    format!(
        "name, birth date, phone and region are those of line {first} under another code: is it \
         one person?"
    )
}

/// What would be changed.
pub(super) fn dry_run(dry_run: &RosterDryRun) -> Output {
    let RosterDryRun {
        people,
        added,
        changed,
        gone,
        unchanged,
        changed_fields: fields,
        notes,
        would_be_refused,
    } = dry_run;
    let mut human = format!("dry run, nothing was changed: {people} people; ");
    human.push_str(&figures(*added, *changed, *gone, *unchanged, notes));
    if *changed > 0 {
        human.push_str(&format!(
            "\nchanged: name {}, phone {}, birth date {}, region {}, groups {}",
            fields.name, fields.phone, fields.birth_date, fields.region, fields.groups
        ));
    }
    human.push_str(&told(notes));
    if let Some(why) = would_be_refused {
        human.push_str("\nthe import would be refused: ");
        human.push_str(why);
    }
    let mut json = json!(dry_run);
    json["dry_run"] = json!(true);
    // A script learns by the exit code that the import itself would fail.
    let fault = would_be_refused.is_some();
    Output { human, json, fault }
}

/// What was changed.
pub(super) fn in_force(imported: &RosterImported) -> Output {
    let RosterImported {
        version,
        added,
        changed,
        gone,
        unchanged,
        notes,
    } = imported;
    let human = format!(
        "roster version {version} is in force: {}; no booking was touched{}",
        figures(*added, *changed, *gone, *unchanged, notes),
        told(notes)
    );
    Output::done(human, json!(imported))
}

fn figures(
    added: usize,
    changed: usize,
    gone: usize,
    unchanged: u64,
    notes: &RosterNotes,
) -> String {
    let booked = match notes.gone_with_booking {
        0 => String::new(),
        bookings => format!(" ({bookings} bookings of theirs stay)"),
    };
    let rekeyed = match notes.new_code {
        0 => String::new(),
        people => format!("{people} with a new code, "),
    };
    format!("{added} added, {changed} changed, {rekeyed}{gone} gone{booked}, {unchanged} unchanged")
}

/// What a person has to look at, one matter a line.
fn told(notes: &RosterNotes) -> String {
    let mut told = String::new();
    let numbers = &notes.gone_booking_numbers;
    if !numbers.is_empty() {
        let shown: Vec<_> = numbers.iter().take(SHOWN).cloned().collect();
        told.push_str(&format!(
            "\nbookings of people who are gone: {}{}",
            shown.join(", "),
            more(numbers.len())
        ));
    }
    let undecided = &notes.undecided_lines;
    if !undecided.is_empty() {
        let shown: Vec<_> = undecided.iter().take(SHOWN).map(u32::to_string).collect();
        told.push_str(&format!(
            "\nperhaps people who are gone, under a new code: lines {}{}; {UNDECIDED}",
            shown.join(", "),
            more(undecided.len())
        ));
    }
    if notes.erased_back > 0 {
        told.push_str(&format!(
            "\nnames and telephone numbers that were erased are stored again: of {} people",
            notes.erased_back
        ));
    }
    for (line, first) in notes.same_person_lines.iter().take(SHOWN) {
        told.push_str(&format!("\nline {line}: {}", same_person(*first)));
    }
    if notes.same_person > 0 {
        told.push_str(&format!(
            "\n{} rows look like one person under two codes{}; --same-person=refuse refuses them",
            notes.same_person,
            more(notes.same_person as usize)
        ));
    }
    told
}

fn more(all: usize) -> String {
    match all.saturating_sub(SHOWN) {
        0 => String::new(),
        hidden => format!(", and {hidden} more (--json has them)"),
    }
}
