//! A line of an export that is spelled otherwise than an export writes it: read as JSON, and
//! compared value by value.
//!
//! A name that comes twice in an object is a fault: readers differ in which of the two they take.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::BYTE_ORDER_MARK;
use crate::audit::line_of;
use crate::domain::entry::{Entry, Hash};

/// The entry of a line, its bytes in `bytes`, and its hash; or what is wrong with the line.
pub(super) fn entry_of_line(line: &[u8], bytes: &mut Vec<u8>) -> Result<(Entry, Hash), String> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let Ok(line) = str::from_utf8(line) else {
        return Err("stream did not contain valid UTF-8".to_owned());
    };
    let read: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
    *bytes = bytes_of(&read)?;
    let entry = Entry::decode(bytes).map_err(|fault| format!("the entry {fault}"))?;
    let mut written = Vec::new();
    let hash = line_of(&entry, bytes, true, &mut written);
    let written: Json = serde_json::from_slice(&written).map_err(|error| error.to_string())?;
    if read == written {
        Ok((entry, hash))
    } else {
        // By its line: the sequence in the bytes may be what was changed.
        Err("the readable form is not what the bytes say".to_owned())
    }
}

fn bytes_of(line: &Json) -> Result<Vec<u8>, String> {
    let Json::Object(fields) = line else {
        return Err("is no JSON object: an entry is one".to_owned());
    };
    match fields.get("bytes") {
        Some(Json::Text(text)) => {
            let bytes = BASE64.decode(text.as_bytes());
            bytes.map_err(|_| "has no `bytes` in base64".to_owned())
        }
        Some(_) => Err("has no `bytes` in base64".to_owned()),
        None if ["seq", "previous", "hash"]
            .iter()
            .all(|name| fields.contains_key(*name)) =>
        {
            Err(
                "has no `bytes`: it is of a day's file of the log, which is for reading; what \
             can be checked is printed by `sumun audit export`"
                    .to_owned(),
            )
        }
        None => Err("missing field `bytes`".to_owned()),
    }
}

/// A value of JSON. Numbers are compared as they are written, but for what spells the same number.
#[derive(Clone, PartialEq, Debug)]
enum Json {
    Null,
    Truth(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Truth(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        let number = serde_json::Number::from_f64(value);
        number
            .map(Json::Number)
            .ok_or_else(|| E::custom("a number is none"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = fields.next_entry::<String, Json>()? {
            if object.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("`{name}` stands there twice")));
            }
        }
        Ok(Json::Object(object))
    }
}
