//! What a rush comes to: its figures, and the JSON object that scripts read.

use serde_json::{Map, Value, json};

use super::answer::{CODES, KINDS, Kind};
use super::crowd::Habits;
use super::curve::Curve;
use super::record::{Record, Second};

/// What was rehearsed, and how.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub command: String,
    pub url: String,
    pub campaign: String,
    pub opens_at: String,
    /// The server's time when the first second began.
    pub began_at: jiff::Timestamp,
    pub seed: u64,
    pub people: usize,
    pub habits: Habits,
    pub curve: Curve,
    pub connections: usize,
    pub connects: u64,
    pub speed: f64,
    /// When the opening is, in seconds of the rush.
    pub opening_s: f64,
    /// How long it took, without the check of bookings at the end.
    pub seconds: usize,
    /// People who had not finished by then.
    pub still_going: usize,
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

/// The share of waits within the range that was shown first; none if nobody waited.
pub fn within(record: &Record) -> Option<f64> {
    let totals = &record.totals;
    (totals.waits > 0).then(|| totals.waits_within as f64 / totals.waits as f64)
}

pub fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}
