//! The evening over HTTP: signs people in, books for them, and is refused at a sold-out slot.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use sumun::rush::engine::{Engine, Pace, Script, Told};
use sumun::rush::http::{push_get, push_post};
use sumun::rush::random::Random;

/// More than any run takes.
const WHOLE: Duration = Duration::from_secs(600);
/// As fast as a gate calls at the most.
const CALLED_PER_S: f64 = 100_000.0;

/// Everything that the runs share.
pub struct Evening {
    pub engine: Engine,
    /// The path of the campaign.
    path: String,
    /// Session tokens of people without a booking.
    people: VecDeque<String>,
    /// Slots with a free seat, each as often as it has one, in random order.
    seats: Vec<u32>,
    next_key: u64,
}

impl Evening {
    pub fn at(engine: Engine, campaign: &str) -> Self {
        Self {
            engine,
            path: format!("/api/v1/campaigns/{campaign}"),
            people: VecDeque::new(),
            seats: Vec::new(),
            next_key: 0,
        }
    }

    /// Signs in the people of a roster file from one row on: a place each, and once all of them are
    /// called, a session each. What was told of the places, or of the sessions if one was refused.
    pub fn sign_in(&mut self, roster: &Path, from: usize, count: usize) -> io::Result<Told> {
        let mut script = SignIn {
            enter: format!("{}/gate/enter", self.path),
            admit: format!("{}/gate/admit", self.path),
            bodies: bodies_of(roster, from, count)?,
            places: VecDeque::new(),
            sessions: VecDeque::new(),
            enters: true,
        };
        let began = Instant::now();
        let entered = self.engine.drive(Pace::Closed, WHOLE, &mut script)?;
        let called = Duration::from_secs_f64(count as f64 / CALLED_PER_S + 1.0);
        std::thread::sleep(called.saturating_sub(began.elapsed()));
        script.enters = false;
        let admitted = self.engine.drive(Pace::Closed, WHOLE, &mut script)?;
        self.people.append(&mut script.sessions);
        let is_refused = admitted.statuses.keys().any(|status| *status != 200);
        Ok(if is_refused { admitted } else { entered })
    }

    /// People who are signed in and have no booking.
    pub fn people_left(&self) -> usize {
        self.people.len().min(self.seats.len())
    }

    /// Lists the slots and makes a random order of their free seats.
    pub fn list_seats(&mut self) -> io::Result<()> {
        let mut sites = Vec::new();
        let mut page = Some(format!("{}/sites", self.path));
        while let Some(path) = page {
            let answer = self.fetch(vec![path])?.remove(0);
            let listed = answer["sites"].as_array().cloned().unwrap_or_default();
            sites.extend(listed.iter().map(|site| text(&site["site"])));
            let cursor = answer["next_cursor"].as_str();
            page = cursor.map(|cursor| format!("{}/sites?cursor={cursor}", self.path));
        }
        let days = sites
            .iter()
            .map(|site| format!("{}/sites/{site}/days", self.path));
        let days = self.fetch(days.collect())?;
        let mut paths = Vec::new();
        for (site, days) in sites.iter().zip(&days) {
            let days = days["days"].as_array().into_iter().flatten();
            let days: BTreeSet<_> = days.map(|day| text(&day["date"])).collect();
            let path = |day| format!("{}/sites/{site}/slots?date={day}", self.path);
            paths.extend(days.into_iter().map(path));
        }
        let mut seats = Vec::new();
        for answer in self.fetch(paths)? {
            for slot in answer["slots"].as_array().into_iter().flatten() {
                let id: u32 = text(&slot["slot"]).parse().map_err(io::Error::other)?;
                let free = slot["free"].as_u64().unwrap_or(0);
                seats.extend(std::iter::repeat_n(id, free as usize));
            }
        }
        let mut random = Random::new(0x5851_f42d_4c95_7f2d);
        for at in (1..seats.len()).rev() {
            seats.swap(at, random.below(at + 1));
        }
        self.seats = seats;
        Ok(())
    }

    /// Books for one person after the other, each at the next seat.
    pub fn book(&mut self, pace: Pace, run_for: Duration) -> io::Result<Told> {
        let mut script = Book {
            path: format!("{}/bookings", self.path),
            people: &mut self.people,
            seats: &mut self.seats,
            next_key: &mut self.next_key,
        };
        self.engine.drive(pace, run_for, &mut script)
    }

    /// Sells a slot out; returns it.
    pub fn sell_out(&mut self) -> io::Result<u32> {
        let hot = *self
            .seats
            .last()
            .ok_or_else(|| io::Error::other("no seat is free"))?;
        let (its, others): (Vec<_>, Vec<_>) = self.seats.iter().partition(|&&slot| slot == hot);
        self.seats = its;
        let told = self.book(Pace::Closed, WHOLE)?;
        self.seats = others;
        match told.statuses.get(&201) {
            Some(_) if told.statuses.len() == 1 => Ok(hot),
            _ => Err(io::Error::other(format!("selling out: {:?}", told.samples))),
        }
    }

    /// Asks for a seat of a sold-out slot, again and again, for many people.
    pub fn refuse(&mut self, slot: u32, run_for: Duration) -> io::Result<Told> {
        let mut script = Refuse {
            path: format!("{}/bookings", self.path),
            people: self.people.make_contiguous(),
            body: format!(r#"{{"slot":"{slot}"}}"#),
            next_key: &mut self.next_key,
        };
        self.engine.drive(Pace::Closed, run_for, &mut script)
    }

    fn fetch(&mut self, paths: Vec<String>) -> io::Result<Vec<Value>> {
        let token = self.people.front().cloned().unwrap_or_default();
        let answers = vec![Value::Null; paths.len()];
        let mut script = Fetch {
            paths,
            token,
            asked: 0,
            answers,
        };
        let told = self.engine.drive(Pace::Closed, WHOLE, &mut script)?;
        if told.statuses.keys().all(|status| *status == 200) {
            Ok(script.answers)
        } else {
            Err(io::Error::other(format!("listing: {:?}", told.samples)))
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the people of a roster file enter with, from one row on.
pub fn bodies_of(roster: &Path, from: usize, count: usize) -> io::Result<Vec<String>> {
    let mut rows = csv::Reader::from_path(roster)?.into_records();
    let rows = rows.by_ref().skip(from).take(count);
    let bodies: Result<Vec<String>, csv::Error> = rows
        .map(|row| {
            let row = row?;
            let (name, born, code) = (&row[0], &row[1], &row[2]);
            Ok(format!(
                r#"{{"name":"{name}","birth_date":"{born}","code":"{code}"}}"#
            ))
        })
        .collect();
    bodies.map_err(io::Error::other)
}

/// The token of an answer that gives one.
pub fn token_of(body: &[u8]) -> Option<&str> {
    const FIELD: &str = "\"token\":\"";
    let body = std::str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once(FIELD)?;
    Some(rest.split_once('"')?.0)
}

struct SignIn {
    enter: String,
    admit: String,
    bodies: Vec<String>,
    places: VecDeque<String>,
    sessions: VecDeque<String>,
    /// They take places; afterwards they go in.
    enters: bool,
}

const ENTER: u32 = 0;
const ADMIT: u32 = 1;

impl Script for SignIn {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        if self.enters {
            push_post(into, &self.enter, "", "", &self.bodies.pop()?);
            return Some(ENTER);
        }
        push_post(into, &self.admit, &self.places.pop_front()?, "", "");
        Some(ADMIT)
    }

    fn answered(&mut self, ticket: u32, status: u16, body: &[u8]) {
        let Some(token) = token_of(body).filter(|_| status == 200) else {
            return;
        };
        let list = if ticket == ENTER {
            &mut self.places
        } else {
            &mut self.sessions
        };
        list.push_back(token.to_owned());
    }
}

struct Book<'a> {
    path: String,
    people: &'a mut VecDeque<String>,
    seats: &'a mut Vec<u32>,
    next_key: &'a mut u64,
}

impl Script for Book<'_> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let slot = self.seats.pop()?;
        let token = self.people.pop_front()?;
        *self.next_key += 1;
        push_post(
            into,
            &self.path,
            &token,
            &key(*self.next_key),
            &format!(r#"{{"slot":"{slot}"}}"#),
        );
        Some(slot)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

struct Refuse<'a> {
    path: String,
    people: &'a [String],
    body: String,
    next_key: &'a mut u64,
}

impl Script for Refuse<'_> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        *self.next_key += 1;
        let token = self
            .people
            .get(*self.next_key as usize % self.people.len().max(1))?;
        push_post(into, &self.path, token, &key(*self.next_key), &self.body);
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

fn key(number: u64) -> String {
    format!("bench-{number:016x}")
}

struct Fetch {
    paths: Vec<String>,
    token: String,
    asked: usize,
    answers: Vec<Value>,
}

impl Script for Fetch {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let at = self.asked;
        push_get(into, self.paths.get(at)?, &self.token);
        self.asked += 1;
        Some(at as u32)
    }

    fn answered(&mut self, ticket: u32, _: u16, body: &[u8]) {
        self.answers[ticket as usize] = serde_json::from_slice(body).unwrap_or(Value::Null);
    }
}

/// The same GET again and again: what the generator itself can do.
pub struct Again<'a> {
    pub path: &'a str,
}

impl Script for Again<'_> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        into.extend_from_slice(b"GET ");
        into.extend_from_slice(self.path.as_bytes());
        into.extend_from_slice(b" HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}
