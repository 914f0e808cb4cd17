//! How entries are shown in JSON: bytes in hex, instants and booking numbers as people read them.
//!
//! The journal's own form is binary and stays as serde derives it: every function here changes
//! what formats for people get, and nothing else.

use std::fmt::Display;

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

use crate::domain::entry::Idempotency;
use crate::domain::ids::PersonKey;
use crate::domain::line::Given;
use crate::domain::time::Stamp;

/// As hex.
pub fn hex<const N: usize, S: Serializer>(bytes: &[u8; N], into: S) -> Result<S::Ok, S::Error>
where
    [u8; N]: Serialize,
{
    if into.is_human_readable() {
        // Keys and hashes, of which an export has millions, need no memory of their own.
        let mut room = [0; 64];
        match room.get_mut(..2 * N) {
            Some(room) => into.serialize_str(HEXLOWER.encode_mut_str(bytes, room)),
            None => into.serialize_str(&HEXLOWER.encode(bytes)),
        }
    } else {
        bytes.serialize(into)
    }
}

/// A list of bytes as hex.
pub fn bytes<S: Serializer>(bytes: &Vec<u8>, into: S) -> Result<S::Ok, S::Error> {
    if into.is_human_readable() {
        into.serialize_str(&HEXLOWER.encode(bytes))
    } else {
        bytes.serialize(into)
    }
}

/// As it is printed elsewhere.
pub fn text<T: Display + Serialize, S: Serializer>(value: &T, into: S) -> Result<S::Ok, S::Error> {
    if into.is_human_readable() {
        into.collect_str(value)
    } else {
        value.serialize(into)
    }
}

/// Each as it is printed elsewhere.
pub fn texts<T: Display + Serialize, S: Serializer>(
    values: &Vec<T>,
    into: S,
) -> Result<S::Ok, S::Error> {
    if into.is_human_readable() {
        into.collect_seq(values.iter().map(ToString::to_string))
    } else {
        values.serialize(into)
    }
}

/// As it is printed elsewhere, or null.
pub fn maybe_text<T: Display + Serialize, S: Serializer>(
    value: &Option<T>,
    into: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) if into.is_human_readable() => into.collect_str(value),
        other => other.serialize(into),
    }
}

/// Minutes after midnight as `09:30`.
pub fn minutes<S: Serializer>(minutes: &u16, into: S) -> Result<S::Ok, S::Error> {
    if into.is_human_readable() {
        into.collect_str(&format_args!("{:02}:{:02}", minutes / 60, minutes % 60))
    } else {
        minutes.serialize(into)
    }
}

/// As RFC 3339.
pub fn instant<S: Serializer>(stamp: &Stamp, into: S) -> Result<S::Ok, S::Error> {
    if into.is_human_readable() {
        into.collect_str(&stamp.instant())
    } else {
        stamp.serialize(into)
    }
}

/// A person's number; `draw` counts the campaign's draws from 0 and is null by arrival.
#[derive(Serialize)]
struct PlaceShown {
    #[serde(serialize_with = "text")]
    person: PersonKey,
    number: u64,
    in_draw: bool,
}

/// With names for their parts.
pub fn places<S: Serializer>(places: &[(PersonKey, Given)], into: S) -> Result<S::Ok, S::Error> {
    if !into.is_human_readable() {
        return places.serialize(into);
    }
    into.collect_seq(places.iter().map(|(person, given)| PlaceShown {
        person: *person,
        number: given.number(),
        in_draw: given.in_draw(),
    }))
}

#[derive(Serialize)]
struct IdempotencyShown {
    #[serde(serialize_with = "hex")]
    key: [u8; 16],
    #[serde(serialize_with = "hex")]
    request: [u8; 8],
}

/// Both parts as hex.
pub fn idempotency<S: Serializer>(known: &Option<Idempotency>, into: S) -> Result<S::Ok, S::Error> {
    if !into.is_human_readable() {
        return known.serialize(into);
    }
    let shown = known.map(|Idempotency { key, request }| IdempotencyShown { key, request });
    shown.serialize(into)
}
