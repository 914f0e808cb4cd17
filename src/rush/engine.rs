//! Many keep-alive connections on one thread: sends requests, reads answers, keeps the times.
//!
//! Closed: each connection sends its next request when its answer has come. Open: requests are due
//! at random instants of a given rate whatever the server does. One that finds every connection
//! busy waits here, and its time still counts from when it was due: a slow answer can't hide those
//! behind it.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::clock::tick;

/// The longest answer that is read: a day of slots is some 4 kB, a page of sites 20 kB.
const ANSWER_BYTES_MAX: usize = 256 << 10;
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

struct Link {
    stream: TcpStream,
    inbox: Vec<u8>,
    filled: usize,
    asked: Option<(u32, Instant)>,
}

/// Connections to one server, kept between runs.
pub struct Engine {
    links: Vec<Link>,
    epoll: OwnedFd,
    idle: Vec<usize>,
    out: Vec<u8>,
    random: Random,
}

impl Engine {
    pub fn connect(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut links = Vec::new();
        for at in 0..connections {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let token = epoll::EventData::new_u64(at as u64);
            epoll::add(&epoll, &stream, token, epoll::EventFlags::IN)?;
            links.push(Link {
                stream,
                inbox: vec![0; 16 << 10],
                filled: 0,
                asked: None,
            });
        }
        Ok(Self {
            idle: (0..connections).collect(),
            links,
            epoll,
            out: Vec::with_capacity(4096),
            random: Random(0x9e37_79b9_7f4a_7c15),
        })
    }

    /// Drives the script until the time is over or it has nothing left, and all is answered.
    pub fn drive(
        &mut self,
        pace: Pace,
        run_for: Duration,
        script: &mut impl Script,
    ) -> io::Result<Told> {
        let began = tick();
        let (ends, mut heard) = (began + run_for, began);
        let mut told = Told {
            answers: 0,
            seconds: 0.0,
            statuses: BTreeMap::new(),
            times_us: Histogram::new_with_bounds(1, 60_000_000, 3).expect("sound bounds"),
            samples: BTreeMap::new(),
        };
        let mut events = Vec::with_capacity(self.links.len());
        let (mut due, mut open) = (began, true);
        loop {
            let now = tick();
            open = open && now < ends;
            while open && !self.idle.is_empty() && due <= now {
                open = self.ask(due, script)?;
                match pace {
                    Pace::Closed => due = now,
                    Pace::Open(per_s) => due += self.random.gap(per_s),
                }
            }
            if self.idle.len() == self.links.len() && !open {
                break;
            }
            if now > heard + STUCK {
                return Err(io::Error::other("no answer for a long time"));
            }
            let wait = match pace {
                Pace::Open(_) if open && !self.idle.is_empty() => due - now,
                _ => TICK,
            };
            let wait = Timespec::try_from(wait.min(TICK)).expect("a tick fits");
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait))?;
            for event in &events {
                let at = event.data.u64() as usize;
                if !self.links[at].hear(script, &mut told)? {
                    continue;
                }
                heard = tick();
                self.idle.push(at);
                if matches!(pace, Pace::Closed) && open && heard < ends {
                    open = self.ask(heard, script)?;
                }
            }
        }
        told.seconds = (heard - began).as_secs_f64().max(1e-9);
        Ok(told)
    }

    /// Sends the next request on an idle connection; false when there is none left.
    fn ask(&mut self, due: Instant, script: &mut impl Script) -> io::Result<bool> {
        self.out.clear();
        let Some(ticket) = script.ask(&mut self.out) else {
            return Ok(false);
        };
        let link = &mut self.links[self.idle.pop().expect("a connection is idle")];
        if link.stream.write(&self.out)? < self.out.len() {
            return Err(io::Error::other(
                "a request did not fit the socket's buffer",
            ));
        }
        link.asked = Some((ticket, due));
        Ok(true)
    }
}

impl Link {
    /// Reads what has come; true when the answer is whole.
    fn hear(&mut self, script: &mut impl Script, told: &mut Told) -> io::Result<bool> {
        if self.filled == self.inbox.len() {
            if self.filled >= ANSWER_BYTES_MAX {
                return Err(io::Error::other("an answer is too long"));
            }
            self.inbox.resize(self.filled * 2, 0);
        }
        match self.stream.read(&mut self.inbox[self.filled..]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
        let Some((status, body)) = whole_answer(&self.inbox[..self.filled])? else {
            return Ok(false);
        };
        let Some((ticket, due)) = self.asked.take() else {
            return Err(io::Error::other("an answer that nobody asked for"));
        };
        let time_us = due.elapsed().as_micros() as u64;
        told.times_us.saturating_record(time_us.max(1));
        told.answers += 1;
        *told.statuses.entry(status).or_default() += 1;
        told.samples
            .entry(status)
            .or_insert_with(|| String::from_utf8_lossy(body).into_owned());
        script.answered(ticket, status, body);
        self.filled = 0;
        Ok(true)
    }
}

/// The status and body of an answer with a Content-Length, if all of it is there.
fn whole_answer(bytes: &[u8]) -> io::Result<Option<(u16, &[u8])>> {
    let fault = || io::Error::other("not an HTTP/1.1 answer with a Content-Length");
    let mut length = None;
    let mut from = 0;
    let mut status = None;
    while let Some(end) = bytes[from..].iter().position(|&byte| byte == b'\n') {
        let line = bytes[from..from + end].trim_ascii_end();
        from += end + 1;
        if line.is_empty() {
            let length: usize = length.ok_or_else(fault)?;
            let status = status.ok_or_else(fault)?;
            return Ok(bytes.get(from..from + length).map(|body| (status, body)));
        }
        if status.is_none() {
            let digits = line
                .strip_prefix(b"HTTP/1.1 ")
                .and_then(|rest| rest.get(..3));
            status = Some(number(digits.ok_or_else(fault)?).ok_or_else(fault)? as u16);
        } else if line.len() > 15 && line[..15].eq_ignore_ascii_case(b"content-length:") {
            length = Some(number(line[15..].trim_ascii_start()).ok_or_else(fault)?);
        }
    }
    Ok(None)
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// A small generator of random numbers: nothing here is secret.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    /// Time until the next of events that come independently at that rate.
    pub fn gap(&mut self, per_s: f64) -> Duration {
        let share = ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        Duration::from_secs_f64(-share.ln() / per_s)
    }
}
