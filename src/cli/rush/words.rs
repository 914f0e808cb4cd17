//! What a rehearsal found, in words for a terminal.

use serde_json::json;

use crate::cli::Output;
use crate::rush::answer::{CODES, KINDS};
use crate::rush::certify::Certificate;
use crate::rush::evenings::HeldEvening;
use crate::rush::record::Record;
use crate::rush::scene::Scene;
use crate::rush::simulate::{Decile, Simulated};
use crate::rush::summary::{Rehearsal, ms, within};
use crate::rush::sweep::{Curve, Point, SweepStep};

/// Simulated evenings; a fault if somebody was lost, doubled or overtaken in one of them.
pub fn simulated(evenings: &[Simulated]) -> Output {
    if let [evening] = evenings {
        return simulated_evening(evening);
    }
    let told: Vec<Output> = evenings.iter().map(simulated_evening).collect();
    let (mut human, mut json) = (Vec::new(), Vec::new());
    let fault = told.iter().any(|evening| evening.fault);
    for (number, evening) in (1..).zip(told) {
        human.push(format!("evening {number}\n{}", evening.human));
        json.push(evening.json);
    }
    Output {
        human: human.join("\n\n"),
        json: serde_json::json!({ "evenings": json }),
        fault,
    }
}

fn simulated_evening(evening: &Simulated) -> Output {
    let Simulated {
        enters,
        polls,
        admissions,
        states,
        bytes_per_waiting_person: bytes,
        ..
    } = evening;
    let mut lines = vec![
        format!(
            "{} people entered, at most {} a second",
            enters.all, enters.peak_per_s
        ),
        format!(
            "polls: at most {} a second (budget {}), {:.0} on average",
            polls.peak_per_s, evening.polls_per_s_budget, polls.mean_per_s
        ),
        format!(
            "admissions: at most {} a second, {} in at a time; {} refused, {} in the pause",
            admissions.peak_per_s,
            evening.active_max,
            evening.refused_at_admission,
            evening.refused_paused
        ),
        format!(
            "waits: {:.2} % within the range shown at entering; the longest {} s",
            evening.within_range * 100.0,
            evening.longest_wait_s
        ),
    ];
    lines.extend(evening.deciles.iter().map(decile));
    lines.push(format!(
        "memory: {:.1} bytes a waiting person measured, {:.1} by structure",
        bytes.measured, bytes.structure
    ));
    lines.push(format!(
        "order: from number {} on, {} overtaken, {} numbers twice, {} changed places",
        evening.first_number, evening.overtaken, evening.numbers_given_twice, evening.other_places
    ));
    lines.push(format!(
        "people: {} booked, {} in, {} lost their session, {} waiting, {} gone{}",
        states.booked,
        states.inside,
        states.lost,
        states.waiting,
        states.gone,
        if evening.conserved {
            ""
        } else {
            ": DO NOT ADD UP"
        }
    ));
    lines.push(format!("{:.0} s", evening.took_s));
    Output {
        human: lines.join("\n"),
        json: json!(evening),
        fault: !(evening.conserved && evening.in_order),
    }
}

fn decile(decile: &Decile) -> String {
    let ([from, to], [least, most]) = (decile.wait_s, decile.shown_s);
    format!(
        "  {from:>6} to {to:>6} s: {:>6.2} % within, as {least} to {most} s (1 to {:.1})",
        decile.within * 100.0,
        decile.most_by_least
    )
}

const HEAD: &str = "  load  people/s  offered/s     sent/s  answered/s  bookings/s  \
                    p99 of a booking  overloaded/s  no answer/s  generator late p99";

/// One load as a line under `HEAD`.
pub fn load(point: &Point) -> String {
    format!(
        "{:>4} ×  {:>8.0}  {:>9.0}  {:>9.0}  {:>10.0}  {:>10.1}  {:>13.1} ms  {:>12.0}  {:>11.1}  \
         {:>15.1} ms",
        point.times,
        point.people_per_s,
        point.offered_per_s,
        point.sent_per_s,
        point.answered_per_s,
        point.booked_per_s,
        point.p99_ms,
        point.overloaded_per_s,
        point.unanswered_per_s,
        point.behind_p99_ms
    )
}

/// A step of a sweep that is done.
pub fn sweep_step(step: SweepStep<'_>) -> String {
    match step {
        SweepStep::Capacity {
            bookings_per_s,
            at_once,
            seconds,
        } => format!(
            "capacity: {bookings_per_s:.0} bookings/s, of {at_once} people at a time from the \
             board to the booking without a pause, over {seconds:.1} s, with the gate wide open"
        ),
        SweepStep::Load(point) => load(point),
        SweepStep::Fault { name, words } => format!("fault {name}: {words}"),
    }
}

/// A sweep: a line for each load, and how the last compares with the first.
pub fn sweep(curve: &Curve) -> String {
    let mut lines = vec![curve.rate_said(), HEAD.to_owned()];
    lines.extend(curve.points.iter().map(load));
    if let Some((goodput, time)) = curve.ratios() {
        let times = |point: Option<&Point>| point.map_or(0, |point| point.times);
        let (least, most) = (times(curve.points.first()), times(curve.points.last()));
        lines.push(format!(
            "at {most}× the offered load against {least}×: {goodput:.2} times the bookings, \
             {time:.1} times the p99 of a booking"
        ));
    }
    lines.extend(curve.fell_short());
    if curve.faults() > 0 {
        lines.push(format!("FAULTS: {}", curve.faults()));
    }
    lines.join("\n")
}

/// A certificate: its verdict, the cost of each call, and what follows from them.
pub fn certificate(certificate: &Certificate) -> String {
    let mut lines = vec![certificate.verdict(), String::new()];
    lines.push(format!(
        "{:10} {:>12} {:>10} {:>10}",
        "call", "CPU-µs each", "measured", "per s"
    ));
    for cost in &certificate.costs {
        lines.push(format!(
            "{:10} {:>12.1} {:>10} {:>10.0}",
            cost.name, cost.cpu_us, cost.count, cost.per_s
        ));
    }
    lines.push(String::new());
    for (what, how) in certificate.arithmetic() {
        lines.push(format!("{what}: {how}"));
    }
    lines.join("\n")
}

/// One line of what is going on.
pub fn progress(scene: &Scene, queued: usize) -> String {
    let Scene {
        record, setting, ..
    } = scene;
    let (totals, seconds) = (&record.totals, record.seconds.len());
    let at = seconds as i64 - (setting.opening_ns / 1_000_000_000) as i64;
    if scene.checking {
        return format!(
            "{at:+5} s  looked up {} of {}  faults {}",
            totals.checked,
            totals.to_check,
            record.fault_count()
        );
    }
    let last = record.seconds.last().cloned().unwrap_or_default();
    let p99_ms = last.p99_us.iter().max().copied().unwrap_or(0) as f64 / 1e3;
    let mut line = format!(
        "{at:+5} s  came {}  waiting {}  in {}  booked {} ({}/s)  {} requests/s  \
         p99 {p99_ms:.1} ms  refused {}  faults {}",
        totals.arrived,
        scene.waiting,
        scene.inside,
        totals.booked,
        last.booked,
        last.answered,
        record.refused.values().sum::<u64>(),
        record.fault_count()
    );
    if queued > 0 || last.behind_us > 100_000 {
        let behind_ms = last.behind_us / 1_000;
        line.push_str(&format!(
            "  ({queued} wait for a connection, {behind_ms} ms late)"
        ));
    }
    if last.broken > 0 {
        line.push_str(&format!("  ({} without answer)", last.broken));
    }
    line
}

/// The summary for a person.
pub fn rehearsal(rehearsal: &Rehearsal, record: &Record) -> String {
    let totals = &record.totals;
    let mut lines = vec![format!(
        "{} of {} people came in {} s; {} entered, {} were admitted, {} booked",
        totals.arrived,
        rehearsal.people,
        rehearsal.seconds,
        totals.entered,
        totals.admitted,
        totals.booked
    )];
    lines.push(format!(
        "{} moved, {} cancelled, {} gave up, {} found nothing, {} turned away, {} had a booking, \
         {} still going",
        totals.moved,
        totals.cancelled,
        totals.gave_up,
        totals.found_nothing,
        totals.turned_away,
        totals.booked_before,
        rehearsal.still_going
    ));
    if let Some(within) = within(record) {
        lines.push(format!(
            "{:.1} % of {} waits were within the range that was shown first",
            within * 100.0,
            totals.waits
        ));
    }
    lines.push(format!(
        "{} requests offered, {} sent, {} answered; {} lost on purpose, {} closed, {} unreachable, \
         {} without answer in time",
        totals.offered,
        totals.sent,
        totals.answered,
        totals.cut,
        totals.closed,
        totals.unreachable,
        totals.overdue
    ));
    let (p99, most) = (
        record.behind_us.value_at_quantile(0.99),
        record.behind_us.max(),
    );
    lines.push(format!(
        "this generator was {:.1} ms late at p99, {:.1} ms at most{}",
        ms(p99),
        ms(most),
        if p99 > 50_000 {
            ": it was the bottleneck, the times below include its own"
        } else {
            ""
        }
    ));
    lines.push(String::new());
    lines.push(format!(
        "{:8} {:>10} {:>9} {:>9} {:>9} {:>9}",
        "call", "answers", "p50 ms", "p90 ms", "p99 ms", "max ms"
    ));
    for kind in KINDS {
        let times = &record.times[kind as usize];
        if !times.is_empty() {
            let at = |quantile| ms(times.value_at_quantile(quantile));
            lines.push(format!(
                "{:8} {:>10} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
                kind.name(),
                times.len(),
                at(0.5),
                at(0.9),
                at(0.99),
                ms(times.max())
            ));
        }
    }
    let refused: Vec<String> = CODES
        .iter()
        .filter(|code| record.refused_with(**code) > 0)
        .map(|code| format!("{} {}", code.name(), record.refused_with(*code)))
        .collect();
    if !refused.is_empty() {
        lines.push(String::new());
        lines.push(format!("refused: {}", refused.join(", ")));
    }
    lines.push(String::new());
    lines.push(format!(
        "looked up at the end: {} of {} people who had a place or a booking",
        totals.checked, totals.to_check
    ));
    if record.faults.is_empty() {
        lines.push("no faults: nobody lost a place or a booking".to_owned());
    } else {
        lines.extend(faults(record));
    }
    lines.join("\n")
}

/// One evening of several, in a line.
pub fn evening(evening: &HeldEvening) -> String {
    let (line, rehearsal) = (&evening.line, &evening.rehearsal);
    let number = |number: Option<u64>| number.map_or("none".to_owned(), |it| it.to_string());
    let [ahead_of_new, overtaken] = evening.overtakers();
    format!(
        "opening at {}: {} came for the first time and {} again; numbers from {} to {}; {} booked, \
         {} of them had come before; {ahead_of_new} were ahead of new people, {overtaken} \
         otherwise ahead of somebody who came first; {} faults",
        rehearsal.opens_at,
        line.came_new,
        line.came_again,
        number(line.lowest),
        number(line.highest),
        line.booked_new + line.booked_again,
        line.booked_again,
        evening.record.fault_count()
    )
}

/// All of them, with their faults.
pub fn evenings(held: &[HeldEvening]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for one in held {
        lines.push(evening(one));
        lines.extend(faults(&one.record));
    }
    if lines.len() == held.len() {
        lines.push("no faults: nobody lost a place or a booking, and nobody was ahead".to_owned());
    }
    lines.join("\n")
}

/// The same for scripts: without the figures of each second, which the report has.
pub fn evenings_json(held: &[HeldEvening]) -> serde_json::Value {
    let mut told = crate::rush::evenings::json(held);
    let evenings = told["evenings"].as_array_mut().into_iter().flatten();
    for evening in evenings.filter_map(|evening| evening.as_object_mut()) {
        evening.remove("seconds");
    }
    told
}

/// Each kind of fault with its count, and the first ones in words.
fn faults(record: &Record) -> Vec<String> {
    let kinds = record.faults.iter();
    let kinds = kinds.map(|(fault, count)| format!("FAULT {}: {count}", fault.name()));
    let said = record.said.iter().take(10);
    let said =
        said.map(|(second, fault, words)| format!("  at {second} s, {}: {words}", fault.name()));
    kinds.chain(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_says_which_load_fell_short_and_that_there_were_faults() {
        let point = |times, people_per_s| Point {
            times,
            people_per_s,
            faults: 1,
            ..Point::default()
        };
        let curve = Curve {
            capacity_per_s: None,
            rate: 100,
            short_of_people: false,
            points: vec![point(1, 98.0), point(20, 1_460.0)],
        };
        let said = sweep(&curve);
        assert!(said.contains("at 20× only 14.6 times as many"), "{said}");
        assert!(said.ends_with("FAULTS: 2"), "{said}");
    }
}
