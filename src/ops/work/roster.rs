//! What an import of the roster says: the same figures before it, in a dry run, and after it.

use serde_json::{Value, json};

use crate::cli::Answer;
use crate::domain::roster::Changed;
use crate::engine::command::RosterNews;
use crate::engine::import::roster::{Compared, Counts};

/// Booking numbers and lines that a terminal shows; the JSON has all of them.
const SHOWN: usize = 20;

/// What would be changed.
pub(super) fn dry_run(compared: &Compared, people: usize) -> Answer {
    let of = |what: fn(&Changed) -> bool| {
        let changed = compared.difference.changed.iter();
        changed.filter(|changed| what(changed)).count()
    };
    let (name, phone, born) = (of(|c| c.name), of(|c| c.phone), of(|c| c.birth_date));
    let (region, groups) = (of(|c| c.region), of(|c| c.groups));
    let fields = json!({
        "name": name, "phone": phone, "birth_date": born, "region": region, "groups": groups,
    });
    let Counts { changed, .. } = compared.counts;
    let mut human = format!("dry run, nothing was changed: {people} people; ");
    human.push_str(&figures(&compared.counts, &compared.news));
    if changed > 0 {
        human.push_str(&format!(
            "\nchanged: name {name}, phone {phone}, birth date {born}, region {region}, groups \
             {groups}"
        ));
    }
    human.push_str(&told(&compared.news));
    if let Some(why) = &compared.refused {
        human.push_str("\nthe import would be refused: ");
        human.push_str(why);
    }
    let mut json = figures_json(&compared.counts, &compared.news);
    json["dry_run"] = json!(true);
    json["people"] = json!(people);
    json["changed_fields"] = fields;
    json["would_be_refused"] = json!(compared.refused);
    Answer::done(human, json)
}

/// What was changed.
pub(super) fn in_force(version: u32, counts: &Counts, news: &RosterNews) -> Answer {
    let human = format!(
        "roster version {version} is in force: {}; no booking was touched{}",
        figures(counts, news),
        told(news)
    );
    let mut json = figures_json(counts, news);
    json["version"] = json!(version);
    Answer::done(human, json)
}

fn figures(counts: &Counts, news: &RosterNews) -> String {
    let Counts {
        added,
        changed,
        gone,
        unchanged,
    } = counts;
    let booked = match news.gone_with_booking.len() {
        0 => String::new(),
        bookings => format!(" ({bookings} bookings of theirs stay)"),
    };
    let rekeyed = match news.rekeyed {
        0 => String::new(),
        people => format!("{people} with a new code, "),
    };
    format!("{added} added, {changed} changed, {rekeyed}{gone} gone{booked}, {unchanged} unchanged")
}

fn figures_json(counts: &Counts, news: &RosterNews) -> Value {
    let numbers = news.gone_with_booking.iter();
    let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
    json!({
        "added": counts.added, "changed": counts.changed, "gone": counts.gone,
        "unchanged": counts.unchanged,
        "new_code": news.rekeyed, "undecided_lines": news.undecided,
        "gone_with_booking": numbers.len(), "gone_booking_numbers": numbers,
        "same_person": news.same_people.total,
        "same_person_lines": news.same_people.lines,
    })
}

/// What a person has to look at, one matter a line.
fn told(news: &RosterNews) -> String {
    let mut told = String::new();
    let numbers = &news.gone_with_booking;
    if !numbers.is_empty() {
        let shown = numbers.iter().take(SHOWN);
        let shown: Vec<_> = shown.map(|number| number.to_string()).collect();
        told.push_str(&format!(
            "\nbookings of people who are gone: {}{}",
            shown.join(", "),
            more(numbers.len())
        ));
    }
    let undecided = &news.undecided;
    if !undecided.is_empty() {
        let shown: Vec<_> = undecided.iter().take(SHOWN).map(u32::to_string).collect();
        told.push_str(&format!(
            "\nperhaps people who are gone, under a new code: lines {}{}; name and birth date are \
             theirs, but the telephone number does not say who is who, so their bookings stay \
             under the old code",
            shown.join(", "),
            more(undecided.len())
        ));
    }
    let same = &news.same_people;
    for (line, first) in same.lines.iter().take(SHOWN) {
        told.push_str(&format!(
            "\nline {line}: name, birth date, phone and region are those of line {first} under \
             another code: is it one person?"
        ));
    }
    if same.total > 0 {
        told.push_str(&format!(
            "\n{} rows look like one person under two codes{}; --same-person=refuse refuses them",
            same.total,
            more(same.total as usize)
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
