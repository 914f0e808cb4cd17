//! What the OpenAPI description says beside each handler: parameters with their constraints, the
//! refusals of a call by code and status, and how a call shows who it is by.
//!
//! Owns no behaviour. Each handler names its own parameters and refusals; what it says is checked
//! against real answers by `tests/it/described.rs`.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    AllOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType,
    Type,
};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Header, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{Modify, PartialSchema, ToSchema};

use super::call::{IDEMPOTENCY_KEY_MAX, PLACE_COOKIE, SESSION_COOKIE};
use super::words::PROBLEMS;

/// A date as 2021-08-02.
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";

/// A string that is matched by `pattern` and has at most `length_max` characters.
fn text(pattern: &str, length_max: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .pattern(Some(pattern))
        .max_length(Some(length_max))
}

/// The id of a slot or hold, or a cursor: a decimal number.
fn digits(length_max: usize) -> ObjectBuilder {
    text("^[0-9]+$", length_max)
}

fn date() -> ObjectBuilder {
    text(DATE, 10).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
}

fn parameter(
    name: &str,
    place: ParameterIn,
    required: bool,
    description: &str,
    schema: ObjectBuilder,
) -> Parameter {
    let required = if required || place == ParameterIn::Path {
        Required::True
    } else {
        Required::False
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// Makes types that stand for one parameter each in the annotation of a handler.
macro_rules! parameters {
    ($(
        $type:ident = ($name:literal, $place:ident, $required:literal, $said:literal, $schema:expr);
    )*) => {
        $(
            pub struct $type;

            impl utoipa::IntoParams for $type {
                fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                    vec![parameter($name, ParameterIn::$place, $required, $said, $schema)]
                }
            }
        )*
    };
}

parameters! {
    CampaignPath = ("campaign", Path, true, "The campaign's id.", text("^[a-z0-9-]+$", 64));
    SitePath = ("site", Path, true, "The site's id.", text("^[^/]+$", 64));
    HoldPath = ("hold", Path, true, "The hold's id.", digits(20));
    NumberPath = ("number", Path, true,
        "The booking's number, as people write it: any case, hyphens and spaces anywhere.",
        text("^[^/]+$", 64));
    BirthDateQuery = ("birth_date", Query, true, "A date, as 1967-03-04.", date());
    DateQuery = ("date", Query, true, "A date, as 2021-08-02.", date());
    RegionQuery = ("region", Query, false, "Only sites of a region: `11` or `11/110`.",
        text("^[0-9/]*$", 16));
    TextQuery = ("query", Query, false, "Only sites with this in their name or address.",
        text("", 100));
    CursorQuery = ("cursor", Query, false, "The `next_cursor` of the page before.", digits(9));
    KeyHeader = ("Idempotency-Key", Header, false,
        "The same key with the same request has the same answer, also after a crash, for 24 hours. \
         Visible ASCII, one header.",
        text("^[!-~]+$", IDEMPOTENCY_KEY_MAX));
    KnownHeader = ("If-None-Match", Header, false, "The `ETag` of the board that is known.",
        text("^[ -~]*$", 100));
}

/// A problem's code with its status, where that is not the code's usual one.
pub type Refusal = (&'static str, Option<u16>);

/// Makes types that stand for the refusals of a call in the annotation of its handler. Codes that
/// are in brackets have the statuses named there.
macro_rules! refusals {
    ($($type:ident = [$($code:literal $(($status:literal))?),* $(,)?];)*) => {
        $(
            pub struct $type;

            impl utoipa::IntoResponses for $type {
                fn responses() -> std::collections::BTreeMap<
                    String,
                    utoipa::openapi::RefOr<utoipa::openapi::Response>,
                > {
                    $crate::web::described::refused(&[
                        $(($code, None::<u16>$(.or(Some($status)))?)),*
                    ])
                }
            }
        )*
    };
}
pub(super) use refusals;

/// One response for each status, which names the codes that come with it.
pub fn refused(refusals: &[Refusal]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<&str>>::new();
    for &(code, status) in refusals {
        let usual = PROBLEMS.iter().find(|(known, _)| *known == code);
        let (_, usual) = usual.expect("every code of a description has words");
        by_status
            .entry(status.unwrap_or(*usual))
            .or_default()
            .push(code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), RefOr::T(response(&codes))))
        .collect()
}

fn response(codes: &[&str]) -> Response {
    let named: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let code = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(codes.iter().copied()));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("code", code));
    let content = ContentBuilder::new()
        .schema(Some(Schema::from(schema.build())))
        .build();
    let mut response = ResponseBuilder::new()
        .description(named.join(" or "))
        .content("application/problem+json", content);
    let waits = ["too_many_attempts", "not_admitted", "paused", "overloaded"];
    if codes.iter().any(|code| waits.contains(code)) {
        response = response.header("Retry-After", retry_after(codes, &waits));
    }
    response.build()
}

fn retry_after(codes: &[&str], waits: &[&str]) -> Header {
    let seconds = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(0));
    let when = if codes.iter().all(|code| waits.contains(code)) {
        "In seconds, as `retry_after_s`."
    } else {
        "In seconds, where the problem has `retry_after_s`."
    };
    let mut header = Header::new(seconds);
    header.description = Some(when.to_owned());
    header
}

/// Which seats: exactly one of the two; with `also` beside either.
fn seats(said: &str, also: impl Fn(ObjectBuilder) -> ObjectBuilder) -> RefOr<Schema> {
    let of = |name: &str, id: ObjectBuilder, said: &str| {
        let seat = ObjectBuilder::new()
            .property(name, id.description(Some(said)))
            .required(name)
            .additional_properties(Some(
                utoipa::openapi::schema::AdditionalProperties::FreeForm(false),
            ));
        also(seat)
    };
    let either = OneOfBuilder::new()
        .description(Some(said))
        .item(of("hold", digits(20), "The person's own hold."))
        .item(of("slot", digits(10), "A slot with free seats."));
    RefOr::T(either.build().into())
}

impl PartialSchema for super::views::SeatRequest {
    fn schema() -> RefOr<Schema> {
        seats("Which seats: a hold or a slot, not both.", |seat| seat)
    }
}

impl ToSchema for super::views::SeatRequest {}

impl PartialSchema for super::views::BookRequest {
    fn schema() -> RefOr<Schema> {
        let agreed = || {
            ObjectBuilder::new()
                .schema_type(SchemaType::Type(Type::Integer))
                .minimum(Some(0))
                .maximum(Some(u32::MAX))
                .description(Some(
                    "The version of the agency's file whose consent text the person agreed to. \
                     One that never was in force is left out.",
                ))
        };
        let said = "Which seats: a hold or a slot, not both; and what the person agreed to.";
        seats(said, |seat| seat.property("agreed", agreed()))
    }
}

impl ToSchema for super::views::BookRequest {}

/// A pair of numbers of seconds: the least and the most.
pub fn seconds_range() -> ArrayBuilder {
    let seconds = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(0));
    ArrayBuilder::new()
        .description(Some("The least and the most seconds to wait."))
        .items(seconds.build())
        .min_items(Some(2))
        .max_items(Some(2))
}

/// How a call shows the token of a place or of a session.
pub struct Schemes;

impl Modify for Schemes {
    fn modify(&self, description: &mut OpenApi) {
        let components = description.components.get_or_insert_default();
        let cookie = |name: &str, said: &str| {
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, said)))
        };
        let place = cookie(PLACE_COOKIE, "The place token that entering gives.");
        let session = cookie(SESSION_COOKIE, "The session token that admission gives.");
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "The same token as in the cookie: of a place for the gate's calls, of a session for \
             the others."
                .to_owned(),
        );
        components.add_security_scheme("place", place);
        components.add_security_scheme("session", session);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}
