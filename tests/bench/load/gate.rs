//! The gate over HTTP: a roster enters, those with a place ask for it, everybody reads the board.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use sumun::rush::engine::{Engine, Pace, Script};
use sumun::rush::http::{push_get, push_post};

use super::evening::{Again, bodies_of, token_of};
use super::measure::{Busy, TURNS, keep, peers, resident_bytes};
use super::{CONNECTIONS, Done, WARM, expect, figures};

/// Somebody who asks for their place again and again is one of so many.
const PLACES_MAX: usize = 100_000;

/// Everything of `gate`: the server's process is watched for its memory.
pub fn gate(
    results: &Path,
    address: SocketAddr,
    server: u32,
    campaign: &str,
    roster: &Path,
    run_for: Duration,
) -> Done {
    let path = format!("/api/v1/campaigns/{campaign}/gate");
    let mut engine = Engine::connect(address, CONNECTIONS)?;
    let mut enter = Enter {
        path: format!("{path}/enter"),
        bodies: bodies_of(roster, 0, usize::MAX)?,
        places: VecDeque::new(),
        given: 0,
        refused: 0,
    };
    engine.drive(Pace::Closed, WARM, &mut enter)?;
    let (given, before) = (enter.given, resident_bytes(server));
    for _ in 0..TURNS {
        peers(&["nginx"])?;
        let (hits, refusals) = (enter.given, enter.refused);
        let busy = Busy::begin(Some(server));
        let told = engine.drive(Pace::Closed, run_for, &mut enter)?;
        let mut enters = figures(&told, busy.end());
        let (hits, refusals) = (enter.given - hits, enter.refused - refusals);
        if hits == 0 || refusals == 0 || hits + refusals != told.answers {
            return Err(format!("not a mix of places and refusals: {:?}", told.samples).into());
        }
        enters["given"] = json!(hits);
        enters["refused"] = json!(refusals);
        keep(results, "enter_mixed", enters)?;
    }

    // All the others come too, for the memory that a waiting person takes.
    engine.drive(Pace::Closed, Duration::from_secs(120), &mut enter)?;
    std::thread::sleep(Duration::from_secs(2));
    let people = enter.given - given;
    let grown = before.zip(resident_bytes(server));
    let grown = grown.map(|(before, now)| now.saturating_sub(before));
    if let Some(grown) = grown {
        let each = grown as f64 / people as f64;
        let figures = json!({ "people": people, "bytes_each": each.round() });
        keep(results, "waiting_memory", figures)?;
    }

    let mut places = Places {
        path: format!("{path}/place"),
        tokens: enter.places,
    };
    let board = format!("{path}/board");
    engine.drive(Pace::Closed, WARM, &mut places)?;
    for _ in 0..TURNS {
        peers(&["nginx"])?;
        let busy = Busy::begin(Some(server));
        let told = engine.drive(Pace::Closed, run_for, &mut places)?;
        expect(&told, 200)?;
        keep(results, "place", figures(&told, busy.end()))?;

        peers(&["nginx"])?;
        let busy = Busy::begin(Some(server));
        let told = engine.drive(Pace::Closed, run_for, &mut Again { path: &board })?;
        expect(&told, 200)?;
        let shown: Value = serde_json::from_str(&told.samples[&200]).map_err(io::Error::other)?;
        if shown["waiting"].as_u64().is_none_or(|waiting| waiting == 0) {
            return Err(format!("nobody waits: {shown}").into());
        }
        keep(results, "board", figures(&told, busy.end()))?;
    }
    Ok(())
}

struct Enter {
    path: String,
    bodies: Vec<String>,
    places: VecDeque<String>,
    given: u64,
    refused: u64,
}

impl Script for Enter {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        push_post(into, &self.path, "", "", &self.bodies.pop()?);
        Some(0)
    }

    fn answered(&mut self, _: u32, status: u16, body: &[u8]) {
        match (status, token_of(body)) {
            (200, Some(token)) => {
                self.given += 1;
                if self.places.len() < PLACES_MAX {
                    self.places.push_back(token.to_owned());
                }
            }
            (403, _) => self.refused += 1,
            _ => {}
        }
    }
}

struct Places {
    path: String,
    tokens: VecDeque<String>,
}

impl Script for Places {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        push_get(into, &self.path, self.tokens.front()?);
        self.tokens.rotate_left(1);
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}
