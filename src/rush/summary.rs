//! What a rush comes to: for a terminal, and as JSON.

use serde_json::{Map, Value, json};

use super::answer::{CODES, KINDS, Kind};
use super::crowd::Habits;
use super::curve::Curve;
use super::record::{Record, Second};
use super::scene::Scene;

/// What was rehearsed, and how.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub command: String,
    pub url: String,
    pub campaign: String,
    pub opens_at: String,
    pub seed: u64,
    pub people: usize,
    pub habits: Habits,
    pub curve: Curve,
    pub connections: usize,
    pub connects: u64,
    pub speed: f64,
    /// When the opening is, in seconds of the rush.
    pub opening_s: f64,
    /// How long it took, without the looking up at the end.
    pub seconds: usize,
    /// People who had come to no end by then.
    pub still_going: usize,
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

/// The summary as one object.
pub fn summary(rehearsal: &Rehearsal, record: &Record) -> Value {
    let totals = &record.totals;
    let faults: Map<String, Value> = record
        .faults
        .iter()
        .map(|(fault, count)| (fault.name().to_owned(), json!(count)))
        .collect();
    let said: Vec<Value> = record
        .said
        .iter()
        .map(|(second, fault, words)| {
            json!({ "second": second, "fault": fault.name(), "words": words })
        })
        .collect();
    let mut refused = Map::new();
    for ((kind, code), count) in &record.refused {
        refused
            .entry(code.name())
            .or_insert_with(|| json!({}))
            .as_object_mut()
            .expect("made as an object")
            .insert(kind.name().to_owned(), json!(count));
    }
    let times: Map<String, Value> = KINDS
        .iter()
        .filter(|kind| !record.times[**kind as usize].is_empty())
        .map(|kind| (kind.name().to_owned(), times_of(record, *kind)))
        .collect();
    let peak = |of: fn(&Second) -> u32| {
        let run = record.seconds.iter().take(rehearsal.seconds);
        run.map(of).max().unwrap_or(0)
    };
    json!({
        "people": rehearsal.people,
        "arrived": totals.arrived,
        "entered": totals.entered,
        "admitted": totals.admitted,
        "booked": totals.booked,
        "moved": totals.moved,
        "cancelled": totals.cancelled,
        "gave_up": totals.gave_up,
        "turned_away": totals.turned_away,
        "found_nothing": totals.found_nothing,
        "booked_before": totals.booked_before,
        "still_going": rehearsal.still_going,
        "second_tabs": totals.second_tabs,
        "waits_within_range": within(record),
        "seconds": rehearsal.seconds,
        "opening_s": rehearsal.opening_s,
        "requests": {
            "offered": totals.offered, "sent": totals.sent, "answered": totals.answered,
            "cut": totals.cut, "closed": totals.closed, "unreachable": totals.unreachable,
            "overdue": totals.overdue, "connects": rehearsal.connects,
            "peak_per_s": peak(|second| second.answered),
        },
        "bookings_peak_per_s": peak(|second| second.booked),
        "generator_behind_ms": {
            "p99": ms(record.behind_us.value_at_quantile(0.99)), "max": ms(record.behind_us.max()),
        },
        "times_ms": times,
        "refused": refused,
        "checked": totals.checked,
        "to_check": totals.to_check,
        "faults": faults,
        "fault_count": record.fault_count(),
        "said": said,
        "command": rehearsal.command,
        "url": rehearsal.url,
        "campaign": rehearsal.campaign,
        "opens_at": rehearsal.opens_at,
        "seed": rehearsal.seed,
        "speed": rehearsal.speed,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// The summary, and every second.
pub fn whole(rehearsal: &Rehearsal, record: &Record) -> Value {
    let seconds = record.seconds.iter().take(rehearsal.seconds);
    let seconds: Vec<Value> = seconds.map(second).collect();
    json!({ "summary": summary(rehearsal, record), "seconds": seconds })
}

fn second(second: &Second) -> Value {
    let refused: Map<String, Value> = CODES
        .iter()
        .filter(|code| second.refused[**code as usize] > 0)
        .map(|code| {
            (
                code.name().to_owned(),
                json!(second.refused[*code as usize]),
            )
        })
        .collect();
    let times = |of: &[u32]| -> Map<String, Value> {
        KINDS
            .iter()
            .filter(|kind| of[**kind as usize] > 0)
            .map(|kind| (kind.name().to_owned(), json!(ms(of[*kind as usize].into()))))
            .collect()
    };
    json!({
        "arrived": second.arrived, "entered": second.entered, "admitted": second.admitted,
        "booked": second.booked, "gave_up": second.gave_up, "waiting": second.waiting,
        "inside": second.inside, "offered": second.offered, "sent": second.sent,
        "answered": second.answered, "broken": second.broken, "queued": second.queued,
        "behind_ms": ms(second.behind_us.into()), "refused": refused,
        "p50_ms": times(&second.p50_us), "p99_ms": times(&second.p99_us),
    })
}

pub fn times_of(record: &Record, kind: Kind) -> Value {
    let times = &record.times[kind as usize];
    let at = |quantile| ms(times.value_at_quantile(quantile));
    json!({
        "answers": times.len(), "p50": at(0.5), "p90": at(0.9), "p99": at(0.99),
        "p999": at(0.999), "max": ms(times.max()),
    })
}

fn within(record: &Record) -> Option<f64> {
    let totals = &record.totals;
    (totals.waits > 0).then(|| totals.waits_within as f64 / totals.waits as f64)
}

pub fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}

/// The summary for a person.
pub fn text(rehearsal: &Rehearsal, record: &Record) -> String {
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
        match p99 > 50_000 {
            true => ": it was the bottleneck, the times below include its own",
            false => "",
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
        for (fault, count) in &record.faults {
            lines.push(format!("FAULT {}: {count}", fault.name()));
        }
        for (second, fault, words) in record.said.iter().take(10) {
            lines.push(format!("  at {second} s, {}: {words}", fault.name()));
        }
    }
    lines.join("\n")
}
