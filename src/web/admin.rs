//! The admin listener: metrics and health, on loopback unless the settings say otherwise.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::{HttpRequest, HttpResponse, get, web};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::call::service;
use super::door::load::{Class, Load};
use crate::domain::ids::Seq;
use crate::engine::follow::Behind;
use crate::engine::watch::Seen;
use crate::events::Event;
use crate::service::Service;

pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(metrics)
        .service(super::public::healthz)
        .service(super::public::readyz);
}

/// Prometheus text, read off published state when asked.
#[get("/metrics")]
async fn metrics(request: HttpRequest) -> HttpResponse {
    let mut text = String::new();
    let load = request.app_data::<web::Data<Load>>();
    match encode(
        &mut text,
        &registry(&service(&request), load.map(|load| &***load)),
    ) {
        Ok(()) => HttpResponse::Ok()
            .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
            .body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// The figures of this moment. Everything is read off state that exists anyway, so serving costs
/// nothing while nobody asks.
fn registry(service: &Arc<Service>, load: Option<&Load>) -> Registry {
    let mut registry = Registry::with_prefix("sumun");
    let mut gauge = |name: &str, help: &str, value: i64| {
        registry.register(name, help, ConstGauge::new(value));
    };
    gauge(
        "writer_queue_commands",
        "Commands that wait for the writer",
        service.writer.queued() as i64,
    );
    gauge(
        "writer_running",
        "1 while the writer takes commands",
        i64::from(service.writer.is_running()),
    );
    gauge(
        "clock_wall_step_milliseconds",
        "How far the wall clock moved away from the server's time",
        service.clock.wall_step_ns() / 1_000_000,
    );
    gauge(
        "clock_stands_still_seconds",
        "How far the clock is behind the last entry of the journal: time stands still meanwhile",
        (service.clock.stands_still_ns() + 999_999_999) / 1_000_000_000,
    );
    if let Some(load) = load {
        gauge(
            "connections",
            "Connections open now",
            load.connections.load(Ordering::Relaxed) as i64,
        );
        gauge(
            "request_wait_microseconds",
            "What a request of a session waits before anything is done for it, at the least",
            load.lag_us.load(Ordering::Relaxed) as i64,
        );
        gauge(
            "requests_in_line",
            "Requests of others than people in session that wait for their turn",
            load.line.load(Ordering::Relaxed) as i64,
        );
        gauge(
            "connections_held_bytes",
            "Bytes of requests that have not come whole and of answers that were not taken",
            load.held_bytes() as i64,
        );
    }
    let state = service.shared.state();
    gauge(
        "journal_entries",
        "Entries in the journal",
        state.seq.0 as i64,
    );
    gauge(
        "roster_people",
        "People on the roster",
        state.roster.map_or(0, |mark| mark.people as i64),
    );
    let committed = state.seq;
    drop(state);
    threads(&mut registry, service);
    followers(&mut registry, service, committed);
    let endpoints = service.endpoints.all().iter();
    gauges(
        &mut registry,
        "tls_certificate_expires_timestamp_seconds",
        "When the certificate in use ends, in seconds since 1970",
        "listener",
        endpoints.map(|(listener, tls)| ((*listener).to_owned(), tls.ends_s())),
    );
    let put_off = Class::SHED.map(|class| {
        let count = load.map_or(0, |load| load.shed(class));
        (class.name().to_owned(), count)
    });
    counters(
        &mut registry,
        "requests_put_off",
        "Requests told to come back later",
        "class",
        put_off,
    );
    let events = Event::ALL.iter();
    counters(
        &mut registry,
        "security_events",
        "Refusals and dropped connections that concern security, by cause",
        "event",
        events.map(|event| (event.name().to_owned(), service.events.count(*event))),
    );
    let mut of_campaigns: Vec<(&str, &str, Labelled<Gauge>)> = Vec::new();
    for (name, gate) in service.gates() {
        let state = service.shared.state();
        let Some(known) = state
            .index_of(&name)
            .and_then(|index| state.campaign(index))
        else {
            continue;
        };
        let figures = [
            (
                "bookings_made",
                "Bookings ever made",
                known.bookings.len() as i64,
            ),
            ("holds_running", "Holds that run", known.holds.len() as i64),
            (
                "sessions_active",
                "Sessions that count",
                gate.sessions.active() as i64,
            ),
            (
                "refused_not_eligible",
                "Refusals on record",
                known.refusal_counts[0] as i64,
            ),
            (
                "refused_not_open_yet",
                "Refusals on record",
                known.refusal_counts[1] as i64,
            ),
            (
                "refused_opening_closed",
                "Refusals on record",
                known.refusal_counts[2] as i64,
            ),
        ];
        for (at, (figure, help, value)) in figures.into_iter().enumerate() {
            if of_campaigns.len() <= at {
                of_campaigns.push((figure, help, Labelled::default()));
            }
            let label = vec![("campaign".to_owned(), name.clone())];
            of_campaigns[at].2.get_or_create(&label).set(value);
        }
    }
    for (figure, help, family) in of_campaigns {
        registry.register(figure, help, family);
    }
    registry
}

/// How the threads are that must live.
fn threads(registry: &mut Registry, service: &Service) {
    let seen = service.shared.watch.look();
    let of = |value: fn(&Seen) -> i64| {
        let labelled = |seen: &Seen| (seen.name.to_owned(), value(seen));
        seen.iter().map(labelled).collect::<Vec<_>>()
    };
    gauges(
        registry,
        "thread_well",
        "1 while the thread does its work, 0 when it stalled or panicked",
        "thread",
        of(|seen| i64::from(!seen.condition.is_fault())),
    );
    gauges(
        registry,
        "thread_silent_milliseconds",
        "Since the thread last showed that it lives",
        "thread",
        of(|seen| seen.silent_ms as i64),
    );
    let restarts = seen.iter();
    counters(
        registry,
        "thread_restarts",
        "Panics after which the thread was begun again",
        "thread",
        restarts.map(|seen| (seen.name.to_owned(), seen.restarts)),
    );
}

/// How far the followers are behind the entry that was committed last.
fn followers(registry: &mut Registry, service: &Service, committed: Seq) {
    let behind = service.shared.followers.behind(committed);
    let of = |value: fn(&Behind) -> i64| {
        let labelled = |behind: &Behind| (behind.name.to_owned(), value(behind));
        behind.iter().map(labelled).collect::<Vec<_>>()
    };
    gauges(
        registry,
        "follower_behind_entries",
        "Entries of the journal that the follower has not taken",
        "follower",
        of(|behind| behind.entries as i64),
    );
    gauges(
        registry,
        "follower_behind_seconds",
        "For how long the follower has not had every entry",
        "follower",
        of(|behind| behind.seconds as i64),
    );
    gauges(
        registry,
        "follower_durable_entry",
        "The last entry that is durable with the follower",
        "follower",
        of(|behind| behind.durable.0 as i64),
    );
    gauges(
        registry,
        "follower_failing",
        "1 while the follower can't go on",
        "follower",
        of(|behind| i64::from(behind.fault.is_some())),
    );
}

/// Figures of one kind, told apart by a label.
type Labelled<T> = Family<Vec<(String, String)>, T>;

fn counters(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &str,
    counts: impl IntoIterator<Item = (String, u64)>,
) {
    let family = Labelled::<Counter>::default();
    for (value, count) in counts {
        let labels = vec![(label.to_owned(), value)];
        family.get_or_create(&labels).inc_by(count);
    }
    registry.register(name, help, family);
}

fn gauges(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &str,
    values: impl IntoIterator<Item = (String, i64)>,
) {
    let family = Labelled::<Gauge>::default();
    for (of, value) in values {
        family
            .get_or_create(&vec![(label.to_owned(), of)])
            .set(value);
    }
    registry.register(name, help, family);
}
