//! Whether bookings can be made, and what somebody should look at.

use crate::clock;
use crate::domain::booking::catalog::Catalog;
use crate::domain::ids::{CampaignId, Seq};
use crate::domain::time::Stamp;
use crate::engine::shared::Away;
use crate::engine::watch::{Condition, Seen};
use crate::tls::WARN_DAYS;

use super::Service;
use super::room::{Level, TOO_LITTLE_BYTES};

/// A follower that is further behind than this is reported, even if it makes progress.
const BEHIND_TOLD_S: u64 = 60;

/// Why bookings can't be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotReady {
    #[error("the writer has stopped")]
    WriterStopped,
    #[error("no campaign is active: run `sumun campaign activate FILE`")]
    NoCampaign,
    #[error("no roster: run `sumun roster import FILE`")]
    NoRoster,
    #[error(
        "the clock is behind the last entry of the journal: time stands still until {}; README \
         says what can be done",
        .0.instant()
    )]
    TimeStandsStill(Stamp),
    #[error(
        "the disk has {free_mib} MiB left: bookings are refused until there are {} MiB",
        TOO_LITTLE_BYTES >> 20
    )]
    NoRoom { free_mib: u64 },
    #[error("{}", told(.0))]
    Thread(Seen),
}

/// What is wrong though bookings can be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Warning {
    #[error(
        "the disk has {free_mib} MiB left: make room; with less than {} MiB bookings are refused",
        TOO_LITTLE_BYTES >> 20
    )]
    LittleRoom { free_mib: u64 },
    #[error("{name} is {entries} entries and {seconds} s behind the journal: {why}")]
    FollowerBehind {
        name: &'static str,
        entries: u64,
        seconds: u64,
        why: String,
    },
    #[error(
        "campaign {campaign}: none of its {slots} slots to come can be booked; a vaccine of two \
         doses needs slots for the second dose at the same site, its interval after the first"
    )]
    NothingBookable { campaign: CampaignId, slots: usize },
    #[error("the certificate of the {listener} listener ends in {days} days: renew it")]
    CertificateEnds { listener: &'static str, days: i64 },
    #[error("the certificate of the {listener} listener has expired: renew it")]
    CertificateEnded { listener: &'static str },
}

/// How the server is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Health {
    pub not_ready: Vec<NotReady>,
    pub warnings: Vec<Warning>,
    /// How long nobody used the folder before this start.
    pub away: Option<Away>,
}

impl Health {
    /// Both, in words.
    pub fn told(&self) -> (Vec<String>, Vec<String>) {
        let not_ready = self.not_ready.iter().map(NotReady::to_string);
        let warnings = self.warnings.iter().map(Warning::to_string);
        (not_ready.collect(), warnings.collect())
    }
}

/// What a thread's condition means.
fn told(seen: &Seen) -> String {
    let name = seen.name;
    match seen.condition {
        Condition::Stalled { silent_s } => {
            format!("{name} has stalled: it has done nothing for {silent_s} s")
        }
        Condition::Panicked => format!("{name} has panicked: the process ends and starts again"),
        Condition::Restarted => format!("{name} panicked a moment ago and was begun again"),
        Condition::Well | Condition::Busy | Condition::Ended => format!("{name} is well"),
    }
}

/// Looks at everything that bookings need. Waits for no lock that a stalled thread could hold.
pub fn health(service: &Service) -> Health {
    let mut not_ready = Vec::new();
    if !service.writer.is_running() {
        not_ready.push(NotReady::WriterStopped);
    }
    let offers = service.shared.offers();
    if offers.is_empty() {
        not_ready.push(NotReady::NoCampaign);
    }
    if offers.iter().any(|offer| offer.roster.people.is_empty()) {
        not_ready.push(NotReady::NoRoster);
    }
    if let Some(until) = service.clock.stands_still_until() {
        not_ready.push(NotReady::TimeStandsStill(until));
    }
    let free_mib = service.room.free_bytes() >> 20;
    if service.room.level() == Level::TooLittle {
        not_ready.push(NotReady::NoRoom { free_mib });
    }
    let threads = service.shared.watch.look().into_iter();
    let faulty = threads.filter(|seen| seen.condition.is_fault());
    not_ready.extend(faulty.map(NotReady::Thread));
    Health {
        not_ready,
        warnings: warnings(service),
        away: service.shared.away.get().copied(),
    }
}

fn warnings(service: &Service) -> Vec<Warning> {
    // The writer holds this lock for microseconds. If the writer stalled while holding it, the look
    // at the threads reports that, and this does not wait.
    let committed = service.shared.state.try_read().map(|state| state.seq);
    let behind = service.shared.followers.behind(committed.unwrap_or(Seq(0)));
    let told = behind
        .into_iter()
        .filter(|behind| behind.fault.is_some() || behind.seconds >= BEHIND_TOLD_S);
    let behind = told.map(|behind| Warning::FollowerBehind {
        name: behind.name,
        entries: behind.entries,
        seconds: behind.seconds,
        why: behind
            .fault
            .unwrap_or_else(|| "it is slower than they come".to_owned()),
    });
    let now = service.clock.now();
    let offers = service.shared.offers();
    let unbookable = offers.iter().filter_map(|offer| {
        let slots = unbookable(&offer.catalog, now)?;
        let campaign = offer.catalog.campaign.id.clone();
        Some(Warning::NothingBookable { campaign, slots })
    });
    let room = matches!(service.room.level(), Level::Little | Level::VeryLittle);
    let free_mib = service.room.free_bytes() >> 20;
    let room = room.then_some(Warning::LittleRoom { free_mib });
    let certificates = service
        .endpoints
        .all()
        .iter()
        .filter_map(|(listener, tls)| {
            // Certificates end by the wall clock, also beside a simulated one.
            match tls.days_left(clock::wall()) {
                ..0 => Some(Warning::CertificateEnded { listener }),
                days if days < WARN_DAYS => Some(Warning::CertificateEnds { listener, days }),
                _ => None,
            }
        });
    behind
        .chain(unbookable)
        .chain(room)
        .chain(certificates)
        .collect()
}

/// The number of slots to come, if none of them can be booked as a first dose.
fn unbookable(catalog: &Catalog, now: Stamp) -> Option<usize> {
    if catalog
        .slots
        .iter()
        .any(|slot| catalog.is_offered(slot, now))
    {
        return None;
    }
    let to_come = catalog.slots.iter().filter(|slot| now < slot.start);
    // At the end of a campaign only second doses are left.
    let firsts = catalog.slots.iter().any(|slot| slot.second.is_some());
    let to_come = to_come.count();
    (to_come > 0 && !firsts).then_some(to_come)
}
