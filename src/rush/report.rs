//! The report of a rush: one HTML page that needs nothing else.
//!
//! Every text that comes from outside goes through `escaped`.

use std::fmt::Write as _;

use super::answer::{CODES, KINDS, Kind};
use super::chart::{Chart, LINES_MAX, Merge, Series, short};
use super::record::{Record, Second};
use super::summary::{Rehearsal, ms};
use crate::domain::text::escaped;

const STYLE: &str = include_str!("report.css");

/// A whole page around its content.
pub fn document(title: &str, content: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         {content}</main>\n</body>\n</html>\n"
    )
}

/// A rehearsal's page.
pub fn page(rehearsal: &Rehearsal, record: &Record) -> String {
    let mut out = String::new();
    let title = format!("Rehearsal of {}", rehearsal.campaign);
    let opened = escaped(&rehearsal.opens_at);
    let _ = writeln!(
        out,
        "<h1>{}</h1>\n<p class=\"soft\">the opening at {opened}, {} people, {} seconds</p>",
        escaped(&title),
        counted(rehearsal.people as u64),
        rehearsal.seconds
    );
    evening(&mut out, rehearsal, record);
    document(&title, &out)
}

/// Everything about one evening, below its title.
pub fn evening(out: &mut String, rehearsal: &Rehearsal, record: &Record) {
    verdict(out, record);
    tiles(out, rehearsal, record);
    out.push_str("<h2>The evening</h2>\n<div class=\"charts\">\n");
    charts(out, rehearsal, record);
    out.push_str("</div>\n");
    times(out, record);
    refusals(out, record);
    faults(out, record);
    how(out, rehearsal, record);
}

fn verdict(out: &mut String, record: &Record) {
    let line = match record.fault_count() {
        0 => format!(
            "<p class=\"verdict good\">No faults. {} people were looked up at the end: nobody lost \
             a place or a booking.</p>",
            counted(record.totals.checked)
        ),
        count => format!(
            "<p class=\"verdict bad\">{} faults: a promise was broken.</p>",
            counted(count)
        ),
    };
    out.push_str(&line);
    out.push('\n');
}

fn tiles(out: &mut String, rehearsal: &Rehearsal, record: &Record) {
    let totals = &record.totals;
    let within = match totals.waits {
        0 => "–".to_owned(),
        waits => format!("{:.1} %", totals.waits_within as f64 * 100.0 / waits as f64),
    };
    let p99 = |kind: Kind| {
        let times = &record.times[kind as usize];
        if times.is_empty() {
            "–".to_owned()
        } else {
            format!("{} ms", short(ms(times.value_at_quantile(0.99))))
        }
    };
    let tiles = [
        (counted(totals.arrived), "came"),
        (counted(totals.booked), "booked"),
        (
            counted(peak(rehearsal, record, |second| second.booked)),
            "bookings in the best second",
        ),
        (
            counted(peak(rehearsal, record, |second| second.waiting)),
            "waited at the most",
        ),
        (
            counted(peak(rehearsal, record, |second| second.answered)),
            "answers in the busiest second",
        ),
        (p99(Kind::Book), "p99 of a booking"),
        (p99(Kind::Place), "p99 of a look at the place"),
        (within, "waits within the range first shown"),
    ];
    out.push_str("<div class=\"tiles\">");
    for (figure, name) in tiles {
        let _ = write!(out, "<div><b>{figure}</b><small>{name}</small></div>");
    }
    out.push_str("</div>\n");
}

fn charts(out: &mut String, rehearsal: &Rehearsal, record: &Record) {
    let seconds = &record.seconds[..rehearsal.seconds.min(record.seconds.len())];
    let line = |name: &str, merge: Merge, of: &dyn Fn(&Second) -> f64| Series {
        name: name.to_owned(),
        values: seconds.iter().map(of).collect(),
        merge,
    };
    let mut chart = |title: &str, unit: &str, lines: &[Series], logarithmic: bool| {
        let chart = Chart {
            title,
            unit,
            lines,
            zero_s: rehearsal.opening_s,
            logarithmic,
        };
        out.push_str(&chart.figure());
    };
    let rate = Merge::Mean;
    let arrivals = [
        line("came", rate, &|second| second.arrived.into()),
        line("entered the line", rate, &|second| second.entered.into()),
    ];
    chart("Arrivals", "people a second", &arrivals, false);
    let waiting = [line("waiting", Merge::Most, &|second| {
        second.waiting.into()
    })];
    chart("The line", "people", &waiting, false);
    let inside = [line("on the booking pages", Merge::Most, &|second| {
        second.inside.into()
    })];
    let admissions = [line("admitted", rate, &|second| second.admitted.into())];
    chart("Admissions", "people a second", &admissions, false);
    chart("On the booking pages", "people", &inside, false);
    let booked = [
        line("booked", rate, &|second| second.booked.into()),
        line("gave up", rate, &|second| second.gave_up.into()),
    ];
    chart("Bookings", "people a second", &booked, false);
    let requests = [
        line("offered", rate, &|second| second.offered.into()),
        line("answered", rate, &|second| second.answered.into()),
        line("without answer", rate, &|second| second.broken.into()),
    ];
    chart("Requests", "a second", &requests, false);
    for (title, quantile) in [("Answer times, p50", 0), ("Answer times, p99", 1)] {
        let lines: Vec<Series> = [
            Kind::Board,
            Kind::Enter,
            Kind::Place,
            Kind::Admit,
            Kind::Sites,
            Kind::Slots,
            Kind::Hold,
            Kind::Book,
        ]
        .into_iter()
        .map(|kind| {
            line(kind.name(), Merge::Most, &|second| {
                let of = [&second.p50_us, &second.p99_us][quantile];
                ms(of[kind as usize].into())
            })
        })
        .collect();
        chart(title, "milliseconds from when it was due", &lines, true);
    }
    let refused: Vec<Series> = by_code(record)
        .into_iter()
        .take(LINES_MAX)
        .map(|(code, _)| {
            line(code.name(), rate, &|second| {
                second.refused[code as usize].into()
            })
        })
        .collect();
    chart("Refusals by code", "a second", &refused, false);
    let late = [
        line("this generator was late", Merge::Most, &|second| {
            ms(second.behind_us.into())
        }),
        line(
            "requests waiting for a connection",
            Merge::Most,
            &|second| second.queued.into(),
        ),
    ];
    chart(
        "The generator itself",
        "milliseconds, requests",
        &late,
        false,
    );
}

/// The codes that were given, the most frequent first.
fn by_code(record: &Record) -> Vec<(super::answer::Code, u64)> {
    let mut codes: Vec<_> = CODES
        .iter()
        .map(|code| (*code, record.refused_with(*code)))
        .filter(|(_, count)| *count > 0)
        .collect();
    codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    codes
}

fn times(out: &mut String, record: &Record) {
    out.push_str(
        "<h2>Answer times</h2>\n<p class=\"soft\">In milliseconds, from the moment a request was \
         due: a slow answer can't hide those behind it.</p>\n<div class=\"card\"><table>\
         <tr><th>call</th><th>answers</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th>\
         <th>most</th></tr>\n",
    );
    for kind in KINDS {
        let times = &record.times[kind as usize];
        if times.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td>",
            kind.name(),
            counted(times.len())
        );
        for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let _ = write!(out, "<td>{:.1}</td>", ms(times.value_at_quantile(quantile)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table></div>\n");
}

fn refusals(out: &mut String, record: &Record) {
    out.push_str(
        "<h2>Refusals</h2>\n<div class=\"card\"><table><tr><th>code</th><th>call</th>\
                  <th>times</th></tr>\n",
    );
    for (code, _) in by_code(record) {
        for ((kind, other), count) in &record.refused {
            if *other == code {
                let (code, kind, count) = (code.name(), kind.name(), counted(*count));
                let _ = writeln!(
                    out,
                    "<tr><td>{code}</td><td>{kind}</td><td>{count}</td></tr>"
                );
            }
        }
    }
    out.push_str("</table></div>\n");
}

fn faults(out: &mut String, record: &Record) {
    out.push_str("<h2>Faults</h2>\n");
    if record.faults.is_empty() {
        out.push_str(
            "<p>None: no number was given twice or changed, no booking was lost, and no answer was \
             outside the contract.</p>\n",
        );
        return;
    }
    out.push_str("<div class=\"card\"><table><tr><th>fault</th><th>times</th></tr>\n");
    for (fault, count) in &record.faults {
        let (name, count) = (fault.name(), counted(*count));
        let _ = writeln!(out, "<tr><td>{name}</td><td>{count}</td></tr>");
    }
    out.push_str("</table></div>\n<p></p><div class=\"card\"><table>");
    for (second, fault, words) in &record.said {
        let (name, words) = (fault.name(), escaped(words));
        let _ = writeln!(
            out,
            "<tr><td>{second} s</td><td>{name}</td>\
             <td class=\"text\"><code>{words}</code></td></tr>"
        );
    }
    out.push_str("</table></div>\n");
}

fn how(out: &mut String, rehearsal: &Rehearsal, record: &Record) {
    let Rehearsal { habits, curve, .. } = rehearsal;
    let totals = &record.totals;
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let rows = [
        ("command", rehearsal.command.clone()),
        ("server", rehearsal.url.clone()),
        ("seed", rehearsal.seed.to_string()),
        ("version", format!("sumun {}", env!("CARGO_PKG_VERSION"))),
        ("host", super::host::facts()),
        (
            "server's clock",
            format!("{} of its seconds in one of ours", rehearsal.speed),
        ),
        (
            "arrivals",
            format!(
                "{} come before the opening, from {:.0} s on; the others with exp(-t / {:.0} s), \
                 until {:.0} s; {:.0} people a second at the peak",
                percent(curve.early),
                curve.lead_s,
                curve.decay_s,
                curve.length_s,
                curve.peak_per_s(rehearsal.people)
            ),
        ),
        (
            "people",
            format!(
                "{}; {} bots, asking every {} s; {} with a second tab; {} lose patience; {} hold \
                 first; {} move, {} cancel; {:.0} s between clicks",
                habits.clients,
                percent(habits.bots),
                habits.bot_every_s,
                percent(habits.tabs),
                percent(habits.give_up),
                percent(habits.hold),
                percent(habits.moves),
                percent(habits.cancel),
                habits.think_s
            ),
        ),
        (
            "connections",
            format!(
                "{} shared by all; {} made, {} requests cut off on purpose, {} closed by the \
                 server, {} unreachable, {} without answer in time",
                rehearsal.connections,
                counted(rehearsal.connects),
                counted(totals.cut),
                counted(totals.closed),
                counted(totals.unreachable),
                counted(totals.overdue)
            ),
        ),
        (
            "the generator",
            format!(
                "{} requests offered, {} sent; late by {:.1} ms at p99, {:.1} ms at most",
                counted(totals.offered),
                counted(totals.sent),
                ms(record.behind_us.value_at_quantile(0.99)),
                ms(record.behind_us.max())
            ),
        ),
        (
            "ends",
            format!(
                "{} moved, {} cancelled, {} gave up, {} found nothing, {} turned away, {} had a \
                 booking, {} still going",
                counted(totals.moved),
                counted(totals.cancelled),
                counted(totals.gave_up),
                counted(totals.found_nothing),
                counted(totals.turned_away),
                counted(totals.booked_before),
                counted(rehearsal.still_going as u64)
            ),
        ),
    ];
    out.push_str("<h2>How it was measured</h2>\n");
    out.push_str(&facts(&rows));
}

/// A table of names and texts.
pub fn facts(rows: &[(&str, String)]) -> String {
    let mut out = String::from("<div class=\"card\"><table>\n");
    for (name, text) in rows {
        let text = escaped(text);
        let _ = writeln!(
            out,
            "<tr><td>{name}</td><td class=\"text\"><code>{text}</code></td></tr>"
        );
    }
    out.push_str("</table></div>\n");
    out
}

fn peak(rehearsal: &Rehearsal, record: &Record, of: fn(&Second) -> u32) -> u64 {
    let run = record.seconds.iter().take(rehearsal.seconds);
    run.map(of).max().unwrap_or(0).into()
}

/// 1540000 as 1,540,000.
pub fn counted(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
