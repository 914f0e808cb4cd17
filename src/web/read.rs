//! Reading what a request carries: strictly, with the field at fault named.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, web};
use serde::de::DeserializeOwned;

use super::headers::Headers;
use super::problem::{FieldFault, Problem};
use super::words::Lang;
use crate::domain::ids::{BookingNumber, HoldId, SlotIndex};
use crate::domain::spelling;
use crate::domain::time::Day;

/// A body as actix hands it over: the bytes, or why it could not be taken.
pub type Bytes = Result<web::Bytes, actix_web::Error>;

/// Whether a request says that its body is JSON.
pub fn says_json(headers: &impl Headers) -> bool {
    let kind = headers.value("content-type");
    let essence = kind.and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads a JSON body: unknown, missing and repeated fields are refused by name.
pub fn json<T: DeserializeOwned>(request: &HttpRequest, body: Bytes) -> Result<T, Problem> {
    let lang = Lang::of(request.headers());
    let fault = |status, reason: String| {
        let field = "body".to_owned();
        Problem::invalid(lang, status, &[FieldFault { field, reason }])
    };
    if !says_json(request.headers()) {
        return Err(fault(
            415,
            "must be sent with Content-Type: application/json".to_owned(),
        ));
    }
    let body = body.map_err(|error| {
        let too_long = error.as_response_error().status_code().as_u16() == 413;
        if too_long {
            fault(
                413,
                format!(
                    "must be shorter than {} bytes",
                    super::door::bounds::BODY_BYTES_MAX
                ),
            )
        } else {
            fault(400, "did not arrive whole".to_owned())
        }
    })?;
    let mut reader = serde_json::Deserializer::from_slice(&body);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let status = if error.inner().is_data() { 422 } else { 400 };
        let path = error.path().to_string();
        let field = if path == "." || path == "?" {
            "body".to_owned()
        } else {
            path
        };
        let reason = error.inner().to_string();
        Problem::invalid(lang, status, &[FieldFault { field, reason }])
    })?;
    reader
        .end()
        .map_err(|_| fault(400, "has something after its JSON object".to_owned()))?;
    Ok(value)
}

/// The query's parameters, which must all be among `known`.
pub fn query(request: &HttpRequest, known: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
    let lang = Lang::of(request.headers());
    let parsed = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = parsed
        .map_err(|_| Problem::field(lang, "query", "can't be read"))?
        .into_inner();
    let mut found = BTreeMap::new();
    for (name, value) in pairs {
        if !known.contains(&name.as_str()) {
            let reason = format!("is not known here; known are {}", known.join(", "));
            return Err(Problem::field(lang, &name, reason));
        }
        if found.insert(name.clone(), value).is_some() {
            return Err(Problem::field(lang, &name, "is given twice"));
        }
    }
    Ok(found)
}

/// A date of a body or query.
pub fn date(lang: Lang, field: &str, text: &str) -> Result<Day, Problem> {
    spelling::date::read(text)
        .map(Day::of)
        .map_err(|reason| Problem::field(lang, field, reason.to_string()))
}

/// A slot's id.
pub fn slot(lang: Lang, text: &str) -> Result<SlotIndex, Problem> {
    number(text)
        .map(SlotIndex)
        .ok_or_else(|| Problem::field(lang, "slot", "is not a slot's id"))
}

/// A hold's id.
pub fn hold(lang: Lang, text: &str) -> Result<HoldId, Problem> {
    number(text)
        .map(HoldId)
        .ok_or_else(|| Problem::field(lang, "hold", "is not a hold's id"))
}

/// A booking number as people type it.
pub fn booking_number(lang: Lang, text: &str) -> Result<BookingNumber, Problem> {
    BookingNumber::parse(text).map_err(|fault| Problem::field(lang, "number", fault.to_string()))
}

/// Decimal digits only: no sign, no space.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
