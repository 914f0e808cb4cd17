//! The metrics: what is read off the running system when somebody asks.
//!
//! Everything but the histograms is read off state that exists anyway, so serving costs nothing
//! while nobody asks. Names follow Prometheus: base units (seconds, bytes), `_total` for what only
//! rises. systemd/monitoring/README.md has the table of all of them.

mod campaigns;
mod figures;
mod text;

use std::sync::atomic::Ordering;

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, web};
use prometheus_client::registry::Registry;

use self::figures::{Figures, Histograms};
use super::call::service;
use super::door::load::{Class, Load};
use super::door::served;
use crate::clock::wall;
use crate::domain::ids::Seq;
use crate::domain::time::Stamp;
use crate::events::Event;
use crate::measure::Counted;
use crate::service::Service;
use crate::service::health::health;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers with the figures of this moment: as OpenMetrics to who asks for it, otherwise in the
/// older text form of Prometheus.
pub fn answer(request: &HttpRequest) -> HttpResponse {
    let load = request.app_data::<web::Data<Load>>();
    let registry = registry(&service(request), load.map(|load| &***load));
    let mut text = String::new();
    if prometheus_client::encoding::text::encode(&mut text, &registry).is_err() {
        return HttpResponse::InternalServerError().finish();
    }
    let accept = request.headers().get(ACCEPT);
    let accept = accept.and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/openmetrics-text")) {
        HttpResponse::Ok().content_type(OPEN_METRICS).body(text)
    } else {
        let text = text::classic(&text);
        HttpResponse::Ok().content_type(CLASSIC).body(text)
    }
}

fn registry(service: &Service, load: Option<&Load>) -> Registry {
    let mut figures = Figures::default();
    process(&mut figures, service);
    writer(&mut figures, service);
    if let Some(load) = load {
        door(&mut figures, load);
    }
    threads(&mut figures, service);
    followers(&mut figures, service);
    copies(&mut figures, service);
    let endpoints = service.endpoints.all().iter();
    figures.gauges(
        "tls_certificate_expires_timestamp_seconds",
        "When the certificate in use ends, in seconds since 1970",
        "listener",
        endpoints.map(|(listener, tls)| ((*listener).to_owned(), tls.ends_s())),
    );
    let events = Event::ALL.iter();
    figures.counters(
        "security_events",
        "Refusals and dropped connections that concern security, by cause",
        "event",
        events.map(|event| (event.name().to_owned(), service.events.count(*event))),
    );
    campaigns::add(&mut figures, service);
    figures.registry()
}

/// The process, its disk and its clock.
fn process(figures: &mut Figures, service: &Service) {
    let version = vec![("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    figures.labelled("build_info", "The version that runs", [(version, 1)]);
    figures.gauge(
        "uptime_seconds",
        "Since the process began to serve",
        service.shared.watch.runs_for().as_secs() as i64,
    );
    let health = health(service);
    figures.gauge(
        "ready",
        "1 while bookings can be made, as /readyz says",
        i64::from(health.not_ready.is_empty()),
    );
    figures.gauge(
        "warnings",
        "What /readyz warns of, though bookings can be made",
        health.warnings.len() as i64,
    );
    if let Some(bytes) = resident_bytes() {
        figures.gauge(
            "resident_memory_bytes",
            "Memory of the process that is in use now",
            bytes,
        );
    }
    figures.gauge(
        "disk_free_bytes",
        "Free on the disk of the data file; looked at each second",
        i64::try_from(service.room.free_bytes()).unwrap_or(i64::MAX),
    );
    let [data_file, tail] = service.room.file_bytes();
    figures.gauge("data_file_bytes", "The data file", data_file as i64);
    figures.gauge("tail_bytes", "The tail of the data file", tail as i64);
    figures.real(
        "clock_wall_step_seconds",
        "How far the wall clock moved away from the server's time",
        service.clock.wall_step_ns() as f64 / 1e9,
    );
    figures.gauge(
        "clock_stands_still_seconds",
        "How far the clock is behind the last entry of the journal: time stands still meanwhile",
        (service.clock.stands_still_ns() + 999_999_999) / 1_000_000_000,
    );
}

fn writer(figures: &mut Figures, service: &Service) {
    figures.gauge(
        "writer_queue_commands",
        "Commands that wait for the writer",
        service.writer.queued() as i64,
    );
    figures.gauge(
        "writer_running",
        "1 while the writer takes commands",
        i64::from(service.writer.is_running()),
    );
    let state = service.shared.state();
    figures.gauge(
        "journal_entries",
        "Entries in the journal",
        state.seq.0 as i64,
    );
    let people = state.roster.map_or(0, |mark| mark.people as i64);
    drop(state);
    figures.gauge("roster_people", "People on the roster", people);
    let times = [
        (
            "writer_queue_seconds",
            "How long the first command of each commit waited until the writer took it.",
            &service.shared.queued,
        ),
        (
            "commit_seconds",
            "How long each commit took until it was durable.",
            &service.store.commits,
        ),
        (
            "settle_seconds",
            "How long it took each time to settle the tail into the data file.",
            &service.store.settlings,
        ),
    ];
    for (name, help, histogram) in times {
        let counted = vec![(Vec::new(), Counted::of(histogram))];
        figures.histograms(Histograms {
            name,
            help,
            counted,
        });
    }
}

fn door(figures: &mut Figures, load: &Load) {
    figures.gauge(
        "connections",
        "Connections open now",
        load.connections.load(Ordering::Relaxed) as i64,
    );
    figures.gauge(
        "connections_max",
        "Connections that may be open at a time",
        load.connections_max() as i64,
    );
    figures.real(
        "request_wait_seconds",
        "What a request of a session waits before anything is done for it, at the least",
        load.lag_us.load(Ordering::Relaxed) as f64 / 1e6,
    );
    figures.gauge(
        "requests_in_line",
        "Requests of others than people in session that wait for their turn",
        load.line.load(Ordering::Relaxed) as i64,
    );
    figures.gauge(
        "connections_held_bytes",
        "Bytes of requests that have not come whole and of answers that were not taken",
        load.held_bytes() as i64,
    );
    figures.counters(
        "requests_put_off",
        "Requests told to come back later",
        "class",
        Class::SHED.map(|class| (class.name().to_owned(), load.shed(class))),
    );
    let all = load.served();
    figures.counters(
        "answers",
        "Answers by class of status",
        "status",
        served::statuses(&all),
    );
    figures.counters(
        "refusals",
        "Refusals by problem code",
        "code",
        served::refusals(&all),
    );
    let of = |(call, class, counted): served::Timed| {
        let class = served::class_name(call, class);
        let labels = [("call", call.name()), ("class", class)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (labels.to_vec(), counted)
    };
    figures.histograms(Histograms {
        name: "answer_seconds",
        help: "From when a request has come whole until its answer is ready to leave.",
        counted: served::times(&all).into_iter().map(of).collect(),
    });
}

/// How the threads are that must live.
fn threads(figures: &mut Figures, service: &Service) {
    let seen = service.shared.watch.look();
    let name = |name: &str| name.to_owned();
    figures.gauges(
        "thread_well",
        "1 while the thread does its work, 0 when it stalled or panicked",
        "thread",
        seen.iter()
            .map(|seen| (name(seen.name), i64::from(!seen.condition.is_fault()))),
    );
    figures.reals(
        "thread_silent_seconds",
        "Since the thread last showed that it lives",
        "thread",
        seen.iter()
            .map(|seen| (name(seen.name), seen.silent_ms as f64 / 1e3)),
    );
    figures.counters(
        "thread_restarts",
        "Panics after which the thread was begun again",
        "thread",
        seen.iter().map(|seen| (name(seen.name), seen.restarts)),
    );
}

/// How far the followers are behind the entry that was committed last.
fn followers(figures: &mut Figures, service: &Service) {
    let committed: Seq = service.shared.state().seq;
    let all = service.shared.followers.behind(committed);
    let mut gauges = |name: &'static str, help: &'static str, values: Vec<i64>| {
        let names = all.iter().map(|behind| behind.name.to_owned());
        figures.gauges(name, help, "follower", names.zip(values));
    };
    gauges(
        "follower_behind_entries",
        "Entries of the journal that the follower has not taken",
        all.iter().map(|behind| behind.entries as i64).collect(),
    );
    gauges(
        "follower_behind_seconds",
        "For how long the follower has not had every entry",
        all.iter().map(|behind| behind.seconds as i64).collect(),
    );
    gauges(
        "follower_durable_entry",
        "The last entry that is durable with the follower",
        all.iter().map(|behind| behind.durable.0 as i64).collect(),
    );
    gauges(
        "follower_failing",
        "1 while the follower can't go on",
        all.iter()
            .map(|behind| i64::from(behind.fault.is_some()))
            .collect(),
    );
}

/// Copies outside the data folder, and the last drill. A time of 0 is never.
fn copies(figures: &mut Figures, service: &Service) {
    let noted = service.copied.noted();
    let seconds = |at: Option<Stamp>| at.map_or(0, Stamp::unix_s);
    figures.gauge(
        "copy_places",
        "Places that are known to have copies",
        noted.places.len() as i64,
    );
    let all = &noted.places;
    figures.gauge(
        "copy_newest_timestamp_seconds",
        "When some copy was last known to have every entry; 0 is never",
        seconds(all.iter().map(|place| place.at).max()),
    );
    figures.gauge(
        "copy_newest_full_timestamp_seconds",
        "When the newest full copy was made; 0 is never",
        seconds(all.iter().filter_map(|place| place.full_at).max()),
    );
    figures.gauges(
        "copy_timestamp_seconds",
        "When the copies in a place were last known to have every entry",
        "place",
        all.iter()
            .map(|place| (place.name.clone(), place.at.unix_s())),
    );
    figures.gauges(
        "copy_last_entry",
        "The last entry in the copies of a place",
        "place",
        all.iter()
            .map(|place| (place.name.clone(), place.last.0 as i64)),
    );
    figures.gauges(
        "copy_full_timestamp_seconds",
        "When the newest full copy of a place was made; 0 is never",
        "place",
        all.iter()
            .map(|place| (place.name.clone(), seconds(place.full_at))),
    );
    // By the clock of this moment, because a copier says only that it asks.
    let followed = service.copied.last();
    let followed_at_s = followed.map(|(_, ago)| wall().unix_s() - ago.as_secs() as i64);
    figures.gauge(
        "copy_asked_timestamp_seconds",
        "When a copier last asked for entries, since the start of the server; 0 is never",
        followed_at_s.unwrap_or(0),
    );
    figures.gauge(
        "copy_asked_entry",
        "The entry up to which that copier had everything",
        followed.map_or(0, |(seq, _)| seq.0 as i64),
    );
    let drill = noted.drill;
    figures.gauge(
        "drill_timestamp_seconds",
        "When a restore was last rehearsed; 0 is never",
        seconds(drill.map(|(at, _)| at)),
    );
    figures.gauge(
        "drill_good",
        "1 if the last rehearsal of a restore was good",
        i64::from(drill.is_some_and(|(_, is_good)| is_good)),
    );
}

/// Memory of this process that is in use now: the second figure of `statm`, in pages.
fn resident_bytes() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as i64)
}
