//! Drives a script over many connections: as fast as answers come, or at a given rate.
//!
//! Closed: each connection sends its next request when its answer has come. Open: requests are due
//! at random instants of a given rate whatever the server does. One that finds every connection
//! busy waits here, and its time still counts from when it was due: a slow answer can't hide those
//! behind it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::random::Random;
use super::wire::{Asked, Connectivity, Heard, Way, Wire};
use crate::clock::tick;

/// How long nothing may happen before the server counts as stuck.
const STUCK: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(100);

/// What to ask, and what to make of the answers.
pub trait Script {
    /// Appends the next request; its ticket comes back with the answer. None when all is asked.
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32>;
    fn answered(&mut self, ticket: u32, status: u16, body: &[u8]);
}

#[derive(Clone, Copy)]
pub enum Pace {
    Closed,
    /// This many requests a second, at random instants.
    Open(f64),
}

/// What happened.
pub struct Told {
    pub answers: u64,
    pub seconds: f64,
    pub statuses: BTreeMap<u16, u64>,
    /// From when a request was due until its answer was read, in microseconds.
    pub times_us: Histogram<u64>,
    /// The first answer of each status, for a person to read.
    pub samples: BTreeMap<u16, String>,
}

impl Told {
    pub fn per_s(&self) -> f64 {
        self.answers as f64 / self.seconds
    }

    pub fn ms_at(&self, quantile: f64) -> f64 {
        self.times_us.value_at_quantile(quantile) as f64 / 1e3
    }
}

/// Connections to one server, kept between runs.
pub struct Engine {
    wire: Wire,
    out: Vec<u8>,
    random: Random,
}

impl Engine {
    pub fn connect(address: SocketAddr, connections: usize) -> io::Result<Self> {
        Self::over(Way { address, tls: None }, connections)
    }

    pub fn over(way: Way, connections: usize) -> io::Result<Self> {
        Ok(Self {
            wire: Wire::new(way, connections)?,
            out: Vec::with_capacity(4096),
            random: Random::new(0x9e37_79b9_7f4a_7c15),
        })
    }

    /// Drives the script until the time is over or it has nothing left, and all is answered.
    ///
    /// # Errors
    /// When a request gets no answer: a measurement that lost one is none.
    pub fn drive(
        &mut self,
        pace: Pace,
        run_for: Duration,
        script: &mut impl Script,
    ) -> io::Result<Told> {
        let began = tick();
        let (ends, mut heard_at) = (began + run_for, began);
        let mut told = Told {
            answers: 0,
            seconds: 0.0,
            statuses: BTreeMap::new(),
            times_us: Histogram::new_with_bounds(1, 60_000_000, 3).expect("sound bounds"),
            samples: BTreeMap::new(),
        };
        let (mut due, mut open) = (began, true);
        loop {
            let now = tick();
            open = open && now < ends;
            while open && self.wire.has_idle() && due <= now {
                open = self.ask(due, script);
                match pace {
                    Pace::Closed => due = now,
                    Pace::Open(per_s) => {
                        due += Duration::from_secs_f64(self.random.exponential(1.0 / per_s));
                    }
                }
            }
            if self.wire.in_flight() == 0 && !open {
                break;
            }
            if now > heard_at + STUCK {
                return Err(io::Error::other("no answer for a long time"));
            }
            let wait = match pace {
                Pace::Open(_) if open && self.wire.has_idle() => due - now,
                _ => TICK,
            };
            let mut broken = None;
            self.wire
                .wait(wait.min(TICK), &mut |asked, heard| match heard {
                    Heard::Response { status, body, .. } => {
                        heard_at = tick();
                        note(&mut told, asked, heard_at, status, body);
                        script.answered(asked.ticket as u32, status, body);
                    }
                    Heard::Broken(why) => broken = Some(why),
                })?;
            if let Some(why) = broken {
                return Err(io::Error::other(format!(
                    "a request has no answer: {why:?}"
                )));
            }
        }
        told.seconds = (heard_at - began).as_secs_f64().max(1e-9);
        Ok(told)
    }

    /// Sends the next request on an idle connection; false when there is none left.
    fn ask(&mut self, due: Instant, script: &mut impl Script) -> bool {
        self.out.clear();
        let Some(ticket) = script.ask(&mut self.out) else {
            return false;
        };
        self.wire
            .send(u64::from(ticket), due, &self.out, Connectivity::Steady);
        true
    }
}

fn note(told: &mut Told, asked: Asked, now: Instant, status: u16, body: &[u8]) {
    let time_us = (now - asked.due).as_micros() as u64;
    told.times_us.saturating_record(time_us.max(1));
    told.answers += 1;
    *told.statuses.entry(status).or_default() += 1;
    told.samples
        .entry(status)
        .or_insert_with(|| String::from_utf8_lossy(body).into_owned());
}
