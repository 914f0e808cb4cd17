//! Makes the snapshots: remembers what was counted a second ago, so that counts become rates.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::campaigns::{self, CampaignBefore, round};
use super::door::{CLASSES, Counting, DoorCounts};
use super::history::Tally;
use super::seats::{SeatCounts, WAIT_MIN, WAIT_TIMES};
use super::server;
use super::snapshot::{BoardSnapshot, RefusalsNow, SeatsNow, ServerNow};
use crate::clock::tick;
use crate::domain::time::{Stamp, Zone};
use crate::measure::Counted;
use crate::service::Service;
use crate::service::health::health;

/// Snapshots that a count of the last minute goes back.
const MINUTE: usize = 60;

/// The times of the writer.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct WriterCounts {
    pub queued: Counted,
    pub commits: Counted,
    pub settlings: Counted,
}

impl WriterCounts {
    fn of(service: &Service) -> Self {
        Self {
            queued: Counted::of(&service.shared.queued),
            commits: Counted::of(&service.store.commits),
            settlings: Counted::of(&service.store.settlings),
        }
    }

    /// What came after `before`.
    fn since(&self, before: &Self) -> Self {
        Self {
            queued: self.queued.since(&before.queued),
            commits: self.commits.since(&before.commits),
            settlings: self.settlings.since(&before.settlings),
        }
    }
}

/// What was counted when the server was looked at last.
struct Before {
    elapsed_s: f64,
    door: DoorCounts,
    writer: WriterCounts,
}

/// What is looked at every ten seconds only.
#[derive(Default)]
struct Slow {
    due: Option<Instant>,
    /// By campaign.
    counts: Vec<SeatCounts>,
    seats: Vec<Vec<SeatsNow>>,
    as_of: Stamp,
    not_ready: Vec<String>,
    warnings: Vec<String>,
}

/// What makes one snapshot after the other.
pub struct Observer {
    began: Instant,
    began_at: Stamp,
    number: u64,
    /// By campaign.
    campaigns: Vec<Option<CampaignBefore>>,
    before: Option<Before>,
    /// Refusals by code at the last `MINUTE` snapshots, the oldest first.
    refusals: VecDeque<Vec<u64>>,
    slow: Slow,
}

/// A snapshot, and what the history is made of.
pub struct Observed {
    pub snapshot: BoardSnapshot,
    pub tally: Tally,
}

impl Observer {
    /// Its snapshots are counted on from `number`.
    pub fn new(service: &Service, number: u64) -> Self {
        Self {
            began: tick(),
            began_at: service.clock.now(),
            number,
            campaigns: Vec::new(),
            before: None,
            refusals: VecDeque::with_capacity(MINUTE + 1),
            slow: Slow::default(),
        }
    }

    /// Seconds since the first snapshot, of the server's own time: a simulated evening runs faster.
    fn elapsed_s(&self, service: &Service, now: Stamp) -> f64 {
        if service.clock.is_simulated() {
            (now.0 - self.began_at.0) as f64 / 1e9
        } else {
            self.began.elapsed().as_secs_f64()
        }
    }

    /// Looks at everything.
    pub fn observe(&mut self, service: &Service, door: &dyn Counting) -> Observed {
        let now = service.clock.now();
        let elapsed_s = self.elapsed_s(service, now);
        self.look_slowly(service, now);
        let offers = service.shared.offers();
        self.campaigns.resize(offers.len(), None);
        let passed_s = self.before.as_ref().map_or(1.0, |before| {
            // At least a tenth: a thread that was kept waiting may look twice at once.
            (elapsed_s - before.elapsed_s).max(0.1)
        });
        self.number += 1;
        let zone = offers.first().map(|offer| &offer.catalog.campaign.zone);
        let told = |at: Stamp| rfc3339(zone, at);
        let mut snapshot = BoardSnapshot {
            number: self.number,
            as_of: told(now),
            ..BoardSnapshot::default()
        };
        let gates = service.gates();
        let mut admitted = 0;
        for (at, (offer, (_, gate))) in offers.iter().zip(&gates).enumerate() {
            let before = &mut self.campaigns[at];
            let looked = campaigns::look(service, offer, gate, before, passed_s, now);
            let Some((mut campaign, openings)) = looked else {
                continue;
            };
            campaign.seats = self.slow.seats.get(at).cloned().unwrap_or_default();
            campaign.seats_as_of = rfc3339(Some(&offer.catalog.campaign.zone), self.slow.as_of);
            admitted += campaign.admitted;
            snapshot.waiting += campaign.waiting;
            snapshot.sessions += campaign.sessions;
            snapshot.bookings += campaign.bookings;
            snapshot.bookings_per_s += campaign.bookings_per_s;
            snapshot.admitted_per_s += campaign.admitted_per_s;
            snapshot.openings.extend(openings);
            snapshot.campaigns.push(campaign);
        }
        snapshot.bookings_per_s = round(snapshot.bookings_per_s);
        snapshot.admitted_per_s = round(snapshot.admitted_per_s);
        let counts = door.counts();
        let tally = Tally {
            at: now,
            elapsed_s,
            bookings: snapshot.bookings,
            admitted,
            waiting: snapshot.waiting,
            sessions: snapshot.sessions,
            answers: counts.answers,
        };
        snapshot.server = self.server(service, counts, elapsed_s, passed_s);
        Observed { snapshot, tally }
    }

    fn server(
        &mut self,
        service: &Service,
        counts: DoorCounts,
        elapsed_s: f64,
        passed_s: f64,
    ) -> ServerNow {
        let writer = WriterCounts::of(service);
        let since = self.before.as_ref().map(|before| {
            let put_off = counts.put_off.iter().zip(&before.door.put_off);
            let more = put_off.map(|((class, now), (_, before))| (*class, now - before));
            (writer.since(&before.writer), more.collect::<Vec<_>>())
        });
        let mut answers = Vec::new();
        if let Some(before) = &self.before {
            let pairs = counts.answers.iter().zip(&before.door.answers);
            for (class, (now, before)) in CLASSES.iter().zip(pairs) {
                answers.extend(server::answers(class, &now.since(before), passed_s));
            }
        }
        let refusals = self.refusals(&counts);
        let mut told = server::look(service, since, passed_s);
        told.connections = counts.connections;
        told.connections_max = counts.connections_max;
        told.answers = answers;
        told.refusals = refusals;
        told.not_ready = self.slow.not_ready.clone();
        told.warnings = self.slow.warnings.clone();
        self.before = Some(Before {
            elapsed_s,
            door: counts,
            writer,
        });
        told
    }

    /// Refusals by code; those of the last minute are since the oldest count that is kept.
    fn refusals(&mut self, counts: &DoorCounts) -> Vec<RefusalsNow> {
        let now: Vec<u64> = counts.refusals.iter().map(|(_, count)| *count).collect();
        let oldest = self.refusals.front().unwrap_or(&now);
        let each = counts.refusals.iter().zip(oldest);
        let told = each.filter(|((_, in_all), _)| *in_all > 0);
        let told = told.map(|((code, in_all), oldest)| RefusalsNow {
            code,
            last_minute: in_all - oldest,
            in_all: *in_all,
        });
        let told = told.collect();
        if self.refusals.len() == MINUTE {
            self.refusals.pop_front();
        }
        self.refusals.push_back(now);
        told
    }

    /// What costs more than a look at counters, and changes slowly.
    fn look_slowly(&mut self, service: &Service, now: Stamp) {
        if self.slow.due.is_some_and(|due| tick() < due) {
            return;
        }
        let began = tick();
        let offers = service.shared.offers().clone();
        self.slow
            .counts
            .resize_with(offers.len(), SeatCounts::default);
        let each = offers.iter().zip(&mut self.slow.counts);
        self.slow.seats = each
            .map(|(offer, counts)| counts.count(offer, now))
            .collect();
        self.slow.as_of = now;
        (self.slow.not_ready, self.slow.warnings) = health(service).told();
        let took: Duration = began.elapsed();
        self.slow.due = Some(tick() + WAIT_MIN.max(took * WAIT_TIMES));
    }
}

/// In whole seconds: people read it.
fn rfc3339(zone: Option<&Zone>, at: Stamp) -> String {
    let at = Stamp(at.0 - at.0.rem_euclid(Stamp::SECOND));
    zone.map_or_else(|| at.instant().to_string(), |zone| zone.rfc3339(at))
}
