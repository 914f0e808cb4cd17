//! The server at one moment: writer, clock, certificates, disk and copies.

use super::campaigns::round;
use super::history::Times;
use super::observer::WriterCounts;
use super::snapshot::{
    AnswersNow, CertificateNow, ClockNow, CopiesNow, DiskNow, OwnAct, ServerNow, WriterNow,
};
use crate::clock::wall;
use crate::domain::time::Stamp;
use crate::measure::Counted;
use crate::service::Service;
use crate::service::room::{Level, TOO_LITTLE_BYTES};

/// Requests put off since the last look, by class.
type PutOff = Vec<(&'static str, u64)>;

/// Answers of one class in the last second; none if there were none.
pub fn answers(class: &'static str, since: &Counted, passed_s: f64) -> Option<AnswersNow> {
    let Times { p50_ms, p99_ms } = Times::of(since)?;
    Some(AnswersNow {
        class,
        per_s: round(since.count() as f64 / passed_s),
        p50_ms: round(p50_ms),
        p99_ms: round(p99_ms),
    })
}

/// Looks at the server; `since` is what was counted in the `passed_s` seconds since the last look.
/// What the door tells is left to the caller.
pub fn look(service: &Service, since: Option<(WriterCounts, PutOff)>, passed_s: f64) -> ServerNow {
    let (times, put_off) = since.unwrap_or_default();
    let clock = ClockNow {
        step_s: round(service.clock.wall_step_ns() as f64 / 1e9),
        behind_s: round(service.clock.stands_still_ns() as f64 / 1e9),
    };
    ServerNow {
        acts: own_acts(service, &put_off, &clock, passed_s),
        writer: writer(service, &times, passed_s),
        clock,
        certificates: service
            .endpoints
            .all()
            .iter()
            .map(|(listener, tls)| CertificateNow {
                listener,
                // Certificates end by the wall clock, also beside a simulated one.
                days_left: tls.days_left(wall()),
            })
            .collect(),
        disk: disk(service),
        copies: copies(service),
        ..ServerNow::default()
    }
}

fn writer(service: &Service, times: &WriterCounts, passed_s: f64) -> WriterNow {
    let ms = |counted: &Counted, part| Some(round(counted.quantile_s(part)? * 1e3));
    WriterNow {
        is_running: service.writer.is_running(),
        queue: service.writer.queued() as u64,
        entries: service.shared.state().seq.0,
        commits_per_s: round(times.commits.count() as f64 / passed_s),
        queued_p99_ms: ms(&times.queued, 0.99),
        commit_p50_ms: ms(&times.commits, 0.5),
        commit_p99_ms: ms(&times.commits, 0.99),
        settle_p99_ms: ms(&times.settlings, 0.99),
    }
}

/// What the server does by itself, apart from the gates.
fn own_acts(
    service: &Service,
    put_off: &[(&'static str, u64)],
    clock: &ClockNow,
    passed_s: f64,
) -> Vec<OwnAct> {
    let mut acts = Vec::new();
    let put_off: u64 = put_off.iter().map(|(_, count)| count).sum();
    if put_off > 0 {
        acts.push(OwnAct {
            what: "puts_off",
            why: "requests_per_s",
            figure: round(put_off as f64 / passed_s),
            bound: None,
        });
    }
    if service.room.level() == Level::TooLittle {
        acts.push(OwnAct {
            what: "refuses_bookings",
            why: "disk_free_mib",
            figure: (service.room.free_bytes() >> 20) as f64,
            bound: Some((TOO_LITTLE_BYTES >> 20) as f64),
        });
    }
    if clock.behind_s > 0.0 {
        acts.push(OwnAct {
            what: "stands_still",
            why: "clock_behind_s",
            figure: clock.behind_s,
            bound: Some(0.0),
        });
    }
    acts
}

fn disk(service: &Service) -> DiskNow {
    let [data_file_bytes, tail_bytes] = service.room.file_bytes();
    let free = service.room.free_bytes();
    DiskNow {
        free_bytes: (free != u64::MAX).then_some(free),
        level: match service.room.level() {
            Level::Enough => "enough",
            Level::Little => "little",
            Level::VeryLittle => "very_little",
            Level::TooLittle => "too_little",
        },
        data_file_bytes,
        tail_bytes,
    }
}

fn copies(service: &Service) -> CopiesNow {
    let noted = service.copied.noted();
    let now = wall();
    let age_s = |at: Stamp| ((now.0 - at.0).max(0) / Stamp::SECOND) as u64;
    CopiesNow {
        places: noted.places.len() as u64,
        age_s: noted.places.iter().map(|place| age_s(place.at)).min(),
        drill_age_s: noted.drill.map(|(at, _)| age_s(at)),
        drill_is_good: noted.drill.is_some_and(|(_, is_good)| is_good),
    }
}
