//! What the server is asked for a certificate.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::rush::engine::Script;
use crate::rush::http::{push_get, push_post};

pub(super) struct Fetch<'a> {
    pub(super) paths: Vec<String>,
    pub(super) token: &'a str,
    pub(super) asked: usize,
    pub(super) answers: Vec<Value>,
}

impl Script for Fetch<'_> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let at = self.asked;
        push_get(into, self.paths.get(at)?, self.token);
        self.asked += 1;
        Some(at as u32)
    }

    fn answered(&mut self, ticket: u32, _: u16, body: &[u8]) {
        self.answers[ticket as usize] = serde_json::from_slice(body).unwrap_or(Value::Null);
    }
}

/// The same requests again and again.
pub(super) struct Again {
    pub(super) paths: Vec<(String, String)>,
    pub(super) at: usize,
}

impl Again {
    pub(super) fn get(paths: Vec<(String, String)>) -> Self {
        Self { paths, at: 0 }
    }
}

impl Script for Again {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let (path, token) = &self.paths[self.at % self.paths.len()];
        push_get(into, path, token);
        self.at += 1;
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

/// One POST for each, and the tokens that they answer with.
pub(super) struct Each {
    pub(super) path: String,
    pub(super) bodies: VecDeque<String>,
    pub(super) asks_with: VecDeque<String>,
    pub(super) tokens: Vec<String>,
}

impl Each {
    pub(super) fn post(path: String, bodies: VecDeque<String>) -> Self {
        Self {
            path,
            bodies,
            asks_with: VecDeque::new(),
            tokens: Vec::new(),
        }
    }

    pub(super) fn with_tokens(path: String, tokens: Vec<String>) -> Self {
        Self {
            path,
            bodies: VecDeque::new(),
            asks_with: tokens.into(),
            tokens: Vec::new(),
        }
    }
}

impl Script for Each {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        match self.bodies.pop_front() {
            Some(body) => push_post(into, &self.path, "", "", &body),
            None => push_post(into, &self.path, &self.asks_with.pop_front()?, "", ""),
        }
        Some(0)
    }

    fn answered(&mut self, _: u32, status: u16, body: &[u8]) {
        let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        if let Some(token) = answer["token"].as_str().filter(|_| status == 200) {
            self.tokens.push(token.to_owned());
        }
    }
}

pub(super) type Row = Result<csv::StringRecord, csv::Error>;

pub(super) fn body(row: &csv::StringRecord) -> String {
    json!({ "name": row[0], "birth_date": row[1], "code": row[2] }).to_string()
}

/// Everybody of a file enters, and nothing of them is kept.
pub(super) struct Enter<R> {
    pub(super) path: String,
    pub(super) rows: R,
}

impl<R: Iterator<Item = Row>> Script for Enter<R> {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let row = self.rows.next()?.ok()?;
        push_post(into, &self.path, "", "", &body(&row));
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}

pub(super) struct Book {
    pub(super) path: String,
    pub(super) sessions: VecDeque<String>,
    pub(super) slots: Vec<String>,
    pub(super) booked: u64,
}

impl Script for Book {
    fn ask(&mut self, into: &mut Vec<u8>) -> Option<u32> {
        let (slot, session) = (self.slots.pop()?, self.sessions.pop_front()?);
        self.booked += 1;
        let key = format!("certify-{}-{}", std::process::id(), self.booked);
        let body = format!(r#"{{"slot":"{slot}"}}"#);
        push_post(into, &self.path, &session, &key, &body);
        Some(0)
    }

    fn answered(&mut self, _: u32, _: u16, _: &[u8]) {}
}
