//! Several evenings in a row: what is told of them together, and that each line is a new one.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::crowd::{AGAIN, BOOKED, CAME};
use super::record::{Fault, Record};
use super::report::{self, counted, document};
use super::scene::Scene;
use super::summary::{Rehearsal, whole};
use crate::domain::text::escaped;

/// One evening of several.
pub struct HeldEvening {
    pub rehearsal: Rehearsal,
    pub record: Record,
    pub line: EveningLine,
}

/// Who came to the line of an evening, and with which numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EveningLine {
    /// The lowest and the highest number that somebody was shown; none if nobody was shown any.
    pub lowest: Option<u64>,
    pub highest: Option<u64>,
    /// People who were shown their number. Whoever goes in at once on the pages is shown none.
    pub numbered: usize,
    /// People who came, by whether they had come on an evening before; and who of them booked.
    pub came_new: usize,
    pub came_again: usize,
    pub booked_new: usize,
    pub booked_again: usize,
}

impl EveningLine {
    /// What is known of the line when the evening is over. It is a fault when the line does not
    /// begin at number 1.
    pub fn of(scene: &mut Scene, who: &[u32]) -> Self {
        let numbers = scene.arrivals().iter().map(|arrival| arrival.number);
        let mut line = Self {
            lowest: numbers.clone().min(),
            highest: numbers.max(),
            numbered: scene.arrivals().len(),
            ..Self::default()
        };
        for &person in who {
            let person = &scene.crowd.people[person as usize];
            let (came, booked) = if person.is(AGAIN) {
                (&mut line.came_again, &mut line.booked_again)
            } else {
                (&mut line.came_new, &mut line.booked_new)
            };
            *came += usize::from(person.is(CAME));
            *booked += usize::from(person.is(BOOKED));
        }
        // Whoever went in at once may have the first numbers, without having seen them.
        let unseen = scene
            .record
            .totals
            .entered
            .saturating_sub(line.numbered as u64);
        if let Some(lowest) = line.lowest.filter(|lowest| *lowest > 1 + unseen) {
            let words = || format!("the lowest number is {lowest}, and {unseen} were not shown");
            scene.record.fault(Fault::NotFromOne, words);
        }
        line
    }

    fn json(&self) -> Value {
        json!({
            "lowest_number": self.lowest, "highest_number": self.highest,
            "numbers_shown": self.numbered, "came_new": self.came_new,
            "came_again": self.came_again, "booked_new": self.booked_new,
            "booked_again": self.booked_again,
        })
    }
}

impl HeldEvening {
    /// People who were ahead of somebody who had come before them.
    pub fn overtakers(&self) -> [u64; 2] {
        let count = |fault| self.record.faults.get(&fault).copied().unwrap_or(0);
        [count(Fault::AheadOfNew), count(Fault::Overtaken)]
    }
}

/// All faults of all evenings.
pub fn fault_count(evenings: &[HeldEvening]) -> u64 {
    let counts = evenings.iter().map(|evening| evening.record.fault_count());
    counts.sum()
}

/// The evenings as one object.
pub fn json(evenings: &[HeldEvening]) -> Value {
    let evening = |evening: &HeldEvening| {
        let mut shown = whole(&evening.rehearsal, &evening.record);
        let [ahead_of_new, overtaken] = evening.overtakers();
        shown["line"] = evening.line.json();
        shown["line"]["ahead_of_new"] = json!(ahead_of_new);
        shown["line"]["overtaken"] = json!(overtaken);
        shown
    };
    let all: Vec<Value> = evenings.iter().map(evening).collect();
    json!({ "evenings": all, "fault_count": fault_count(evenings) })
}

/// The report: a table of all evenings, then each of them.
pub fn page(evenings: &[HeldEvening]) -> String {
    let campaign = evenings
        .first()
        .map_or("", |first| &first.rehearsal.campaign);
    let title = format!("{} evenings of {campaign}", evenings.len());
    let mut out = format!("<h1>{}</h1>\n", escaped(&title));
    let verdict = match fault_count(evenings) {
        0 => "<p class=\"verdict good\">No faults: each line began at number 1, its numbers \
              followed the order in which people came, and nobody lost a place or a booking.</p>\n"
            .to_owned(),
        count => format!(
            "<p class=\"verdict bad\">{} faults: a promise was broken.</p>\n",
            counted(count)
        ),
    };
    out.push_str(&verdict);
    table(&mut out, evenings);
    for evening in evenings {
        let opened = escaped(&evening.rehearsal.opens_at);
        let _ = writeln!(out, "<h1>The opening at {opened}</h1>");
        report::evening(&mut out, &evening.rehearsal, &evening.record);
    }
    document(&title, &out)
}

fn table(out: &mut String, evenings: &[HeldEvening]) {
    out.push_str(
        "<div class=\"card\"><table><tr><th>opening</th><th>came</th><th>for the first time</th>\
         <th>again</th><th>lowest number</th><th>highest number</th><th>booked</th>\
         <th>of those again</th><th>ahead of new people</th><th>otherwise ahead</th>\
         <th>faults</th></tr>\n",
    );
    for evening in evenings {
        let line = &evening.line;
        let [ahead_of_new, overtaken] = evening.overtakers();
        let number = |number: Option<u64>| number.map_or("–".to_owned(), counted);
        let count = |count: usize| counted(count as u64);
        let cells = [
            escaped(&evening.rehearsal.opens_at),
            count(line.came_new + line.came_again),
            count(line.came_new),
            count(line.came_again),
            number(line.lowest),
            number(line.highest),
            count(line.booked_new + line.booked_again),
            count(line.booked_again),
            counted(ahead_of_new),
            counted(overtaken),
            counted(evening.record.fault_count()),
        ];
        let _ = writeln!(out, "<tr><td>{}</td></tr>", cells.join("</td><td>"));
    }
    out.push_str("</table></div>\n");
}
